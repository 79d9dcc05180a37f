//! Buffer allocation: which signals share a buffer.
//!
//! A buffer is reused, in the same quantum, once no later step reads what it holds: so those of a large song stay in the
//! processor's nearest cache. A step never writes to a buffer that it reads: its kernel may read an input after it has
//! written an output.

use crate::ids::{BufferId, IdMap, SignalId};
use crate::program::{Program, Step};

/// The buffer of each of so many signals. The result lasts to the quantum's end. What a signal is a mere copy of lasts as long
/// as the copy, as the engine may leave out the copying. A signal that no step has written when it is read (the song's `in`,
/// silence) has a buffer to itself.
pub fn share(
    steps: &[Step],
    inputs: &[SignalId],
    outputs: &[SignalId],
    signals: usize,
) -> IdMap<SignalId, BufferId> {
    let mut last = last_uses(steps, outputs, signals);
    let mut buffers: IdMap<SignalId, Option<BufferId>> = IdMap::filled(None, signals);
    let (mut free, mut count) = (vec![], 0);
    let mut new = || {
        count += 1;
        BufferId::new(count - 1)
    };
    for (index, step) in steps.iter().enumerate() {
        for &signal in &step.inputs {
            if buffers[signal].is_none() {
                (buffers[signal], last[signal]) = (Some(new()), None);
            }
        }
        for &signal in &step.outputs {
            if buffers[signal].is_none() {
                buffers[signal] = free.pop().or_else(|| Some(new()));
            }
        }
        for &signal in step.inputs.iter().chain(&step.outputs) {
            if last[signal] == Some(index) {
                last[signal] = None;
                free.extend(buffers[signal]);
            }
        }
    }
    for &signal in inputs.iter().chain(outputs) {
        buffers[signal].get_or_insert_with(&mut new);
    }
    buffers.into_iter().map(|buffer| buffer.unwrap_or_else(&mut new)).collect()
}

/// The last step that reads or writes each signal, or a copy of it; `None` where it lasts to the quantum's end.
fn last_uses(steps: &[Step], outputs: &[SignalId], signals: usize) -> IdMap<SignalId, Option<usize>> {
    let mut last = IdMap::filled(None, signals);
    for (index, step) in steps.iter().enumerate() {
        step.inputs.iter().chain(&step.outputs).for_each(|&signal| last[signal] = Some(index));
    }
    outputs.iter().for_each(|&signal| last[signal] = None);
    // Later copies first, as one may be a copy of another.
    for step in steps.iter().rev() {
        for (&copied, &copy) in step.copies.iter().zip(&step.outputs) {
            last[copied] = last[copied].zip(last[copy]).map(|(copied, copy)| copied.max(copy));
        }
    }
    last
}

/// What the buffers hold, as the steps of a quantum go by.
pub(crate) struct Contents<'p> {
    program: &'p Program,
    /// The signal that was written last to each buffer.
    holds: IdMap<BufferId, Option<SignalId>>,
    /// Which signals have been written.
    written: IdMap<SignalId, bool>,
    /// How many signals have each buffer.
    sharers: IdMap<BufferId, u32>,
}

impl<'p> Contents<'p> {
    /// Before the first step.
    pub(crate) fn new(program: &'p Program) -> Contents<'p> {
        let count = program.buffer_count();
        let mut sharers = IdMap::filled(0, count);
        program.buffers.values().for_each(|&buffer| sharers[buffer] += 1);
        let (holds, written) = (IdMap::filled(None, count), IdMap::filled(false, program.buffers.len()));
        Contents { program, holds, written, sharers }
    }

    /// A step has written its outputs.
    pub(crate) fn write(&mut self, step: &Step) {
        for &signal in &step.outputs {
            self.holds[self.program.buffers[signal]] = Some(signal);
            self.written[signal] = true;
        }
    }

    /// Whether a signal's buffer holds it: no step has written another signal there since, or ever will before it is
    /// written.
    pub(crate) fn has(&self, signal: SignalId) -> bool {
        let buffer = self.program.buffers[signal];
        match self.written[signal] {
            true => self.holds[buffer] == Some(signal),
            false => self.sharers[buffer] == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdMap, SignalId, Step};

    fn signals(indices: &[usize]) -> Vec<SignalId> {
        indices.iter().map(|&index| SignalId::new(index)).collect()
    }

    /// The buffers by their places.
    fn share(steps: &[Step], inputs: &[usize], outputs: &[usize], count: usize) -> Vec<usize> {
        let buffers: IdMap<SignalId, _> = super::share(steps, &signals(inputs), &signals(outputs), count);
        buffers.into_iter().map(|buffer| buffer.index()).collect()
    }

    /// Steps of what each reads and writes; those of the last list copy.
    fn steps(all: &[(&[usize], &[usize])], copies: &[usize]) -> Vec<Step> {
        let step = |(index, (inputs, outputs)): (usize, &(&[usize], &[usize]))| Step {
            inputs: signals(inputs),
            outputs: signals(outputs),
            copies: if copies.contains(&index) { signals(inputs) } else { vec![] },
            ..Step::default()
        };
        all.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        let chain = steps(&[(&[], &[0]), (&[0], &[1]), (&[1], &[2]), (&[2], &[3])], &[]);
        assert_eq!(share(&chain, &[], &[3], 4), [0, 1, 0, 1]);
    }

    #[test]
    fn what_is_read_later_or_never_is_not_overwritten() {
        let late = steps(&[(&[], &[0]), (&[0], &[1]), (&[1], &[2]), (&[0, 2], &[3])], &[]);
        assert_eq!(share(&late, &[], &[3], 4), [0, 1, 2, 1]);
        // Its second output is free again after the step that writes it.
        let unheard = steps(&[(&[], &[0, 1]), (&[0], &[2])], &[]);
        assert_eq!(share(&unheard, &[], &[2], 3), [0, 1, 1]);
    }

    #[test]
    fn the_result_the_input_and_silence_keep_their_buffers() {
        // The song reads 0; no step writes 3; 1 is part of the result.
        let all = steps(&[(&[0], &[1]), (&[1, 3], &[2]), (&[2], &[4]), (&[4], &[5])], &[]);
        assert_eq!(share(&all, &[0], &[1, 5, 6], 7), [0, 1, 3, 2, 4, 3, 5]);
    }

    #[test]
    fn what_the_result_is_a_copy_of_lasts_as_long() {
        let all: &[(&[usize], &[usize])] = &[(&[], &[0]), (&[0], &[1]), (&[], &[2]), (&[2], &[3])];
        assert_eq!(share(&steps(all, &[]), &[], &[1, 3], 4), [0, 1, 0, 2]);
        assert_eq!(share(&steps(all, &[1]), &[], &[1, 3], 4), [0, 1, 2, 3]);
    }

    #[test]
    fn what_a_later_step_writes_is_not_shared() {
        let cycle = steps(&[(&[2], &[0]), (&[0], &[1]), (&[1], &[2]), (&[2], &[3])], &[]);
        assert_eq!(share(&cycle, &[], &[3], 4), [1, 2, 0, 2]);
    }
}
