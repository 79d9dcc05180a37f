//! Which signals share a buffer.
//!
//! A buffer is taken again, in the same quantum, once nobody reads any more what it holds: so those of a large song stay
//! in the processor's nearest cache. A step never writes to a buffer that it reads: its kernel may read an input after it
//! has written an output.

use crate::program::{Program, Step};

/// The buffer of each of so many signals. To the quantum's end lasts what is heard then, and what such a signal is a mere
/// copy of, as the engine may leave out the copying. What nobody has written when it is read (the song's `in`, silence)
/// keeps its buffer for ever.
pub fn share(steps: &[Step], inputs: &[usize], outputs: &[usize], signals: usize) -> Vec<usize> {
    let mut last = last_uses(steps, outputs, signals);
    let mut buffers: Vec<Option<usize>> = vec![None; signals];
    let (mut free, mut count) = (vec![], 0);
    let mut new = || {
        count += 1;
        count - 1
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

/// The last step that reads or writes each signal; `None` where it lasts to the quantum's end.
fn last_uses(steps: &[Step], outputs: &[usize], signals: usize) -> Vec<Option<usize>> {
    let mut last = vec![None; signals];
    for (index, step) in steps.iter().enumerate() {
        step.inputs.iter().chain(&step.outputs).for_each(|&signal| last[signal] = Some(index));
    }
    let mut heard = vec![false; signals];
    outputs.iter().for_each(|&signal| heard[signal] = true);
    for step in steps.iter().filter(|step| step.outputs.iter().any(|&signal| heard[signal])) {
        step.copies.iter().for_each(|&signal| last[signal] = None);
    }
    outputs.iter().for_each(|&signal| last[signal] = None);
    last
}

/// What the buffers hold, as the steps of a quantum go by.
pub(crate) struct Held<'p> {
    program: &'p Program,
    /// The signal that was written last to each buffer.
    holds: Vec<Option<usize>>,
    /// Which signals have been written.
    written: Vec<bool>,
    /// How many signals have each buffer.
    sharers: Vec<u32>,
}

impl<'p> Held<'p> {
    /// Before the first step.
    pub(crate) fn new(program: &'p Program) -> Held<'p> {
        let count = program.buffer_count();
        let mut sharers = vec![0; count];
        program.buffers.iter().for_each(|&buffer| sharers[buffer] += 1);
        Held { program, holds: vec![None; count], written: vec![false; program.buffers.len()], sharers }
    }

    /// After the last step.
    pub(crate) fn at_the_end(program: &'p Program) -> Held<'p> {
        let mut held = Held::new(program);
        program.steps.iter().for_each(|step| held.write(step));
        held
    }

    /// A step has written its outputs.
    pub(crate) fn write(&mut self, step: &Step) {
        for &signal in &step.outputs {
            self.holds[self.program.buffers[signal]] = Some(signal);
            self.written[signal] = true;
        }
    }

    /// Whether a signal's buffer holds it: nobody else has written there since, or ever will before it is written.
    pub(crate) fn has(&self, signal: usize) -> bool {
        let buffer = self.program.buffers[signal];
        match self.written[signal] {
            true => self.holds[buffer] == Some(signal),
            false => self.sharers[buffer] == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of what each hears and writes; those of the last list copy.
    fn steps(all: &[(&[usize], &[usize])], copies: &[usize]) -> Vec<Step> {
        let step = |(index, (inputs, outputs)): (usize, &(&[usize], &[usize]))| Step {
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            copies: if copies.contains(&index) { inputs.to_vec() } else { vec![] },
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
    fn what_is_heard_later_or_by_nobody_is_not_overwritten() {
        let late = steps(&[(&[], &[0]), (&[0], &[1]), (&[1], &[2]), (&[0, 2], &[3])], &[]);
        assert_eq!(share(&late, &[], &[3], 4), [0, 1, 2, 1]);
        // Its second output is free again after the step that writes it.
        let unheard = steps(&[(&[], &[0, 1]), (&[0], &[2])], &[]);
        assert_eq!(share(&unheard, &[], &[2], 3), [0, 1, 1]);
    }

    #[test]
    fn the_result_the_input_and_silence_keep_their_buffers() {
        // The song hears 0; nobody writes 3; 1 is part of the result.
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
        let circle = steps(&[(&[2], &[0]), (&[0], &[1]), (&[1], &[2]), (&[2], &[3])], &[]);
        assert_eq!(share(&circle, &[], &[3], 4), [1, 2, 0, 2]);
    }
}
