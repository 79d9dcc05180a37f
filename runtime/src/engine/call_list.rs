//! The call list of a quantum in which nothing changes: no event, no ramp, no voice that wakes. Most quanta are such, so
//! the kernel calls are written down once, in tables that the machine code is run from, one kernel after the other.

use super::step::Runner;
use crate::buffers::Contents;
use crate::ids::{IdMap, SignalId};
use crate::machine::{Task, call_kernel, flushes_subnormals};
use crate::program::{Code, Program, QUANTUM};

/// The kernel calls of a quantum in which nothing changes.
#[derive(Debug, Default)]
pub(crate) struct CallList {
    tasks: Vec<Task>,
    /// Voices that are awake although their note has ended: the runner, and its voice.
    released: Vec<(usize, usize)>,
    /// The runner of each task.
    runners: Vec<usize>,
    /// How the song's channels are rendered where they are asked for.
    pub(crate) placed: Vec<Placed>,
    /// The version of the code that it was written for; none where nothing is.
    written: Option<u32>,
}

// SAFETY: the addresses in the tasks are those of the tables and blocks of the instance that this is part of.
unsafe impl Send for CallList {}
// SAFETY: as above.
unsafe impl Sync for CallList {}

impl CallList {
    /// Room for all steps and channels of a program, so that nothing is allocated later.
    pub(crate) fn new(program: &Program) -> CallList {
        let voices = program.steps.iter().map(|step| step.voices.len()).sum();
        CallList {
            tasks: Vec::with_capacity(program.steps.len()),
            released: Vec::with_capacity(voices),
            runners: Vec::with_capacity(program.steps.len()),
            placed: Vec::with_capacity(program.outputs.len()),
            written: None,
        }
    }

    /// Invalidates the list: something has changed.
    pub(crate) fn forget(&mut self) {
        self.written = None;
    }

    /// Whether the list is valid for this version of the code.
    pub(crate) fn is_written(&self, code: &dyn Code) -> bool {
        self.written == Some(code.version())
    }

    /// Writes the calls down, but for those of `left_out`. Returns false, and leaves the list invalid, where a step cannot
    /// be called so: its setup is due, or there is no machine code.
    pub(crate) fn write(
        &mut self,
        runners: &mut [Runner],
        left_out: &[bool],
        code: &dyn Code,
        state: *mut u8,
    ) -> bool {
        self.tasks.clear();
        self.released.clear();
        self.runners.clear();
        let version = code.version();
        for (index, (runner, left_out)) in runners.iter_mut().zip(left_out).enumerate() {
            if *left_out || runner.can_be_skipped() {
                continue;
            }
            let Some(task) = runner.task(code, state) else { return false };
            self.tasks.push(task);
            self.released.extend(runner.released().map(|voice| (index, voice)));
            self.runners.push(index);
        }
        self.written = Some(version);
        true
    }

    /// Renders the quantum at a frame. `end` is asked of each runner once it has run and before anything reads what it has
    /// written; it returns true if another quantum like this one would be rendered otherwise. The voices that may fall
    /// asleep are the result, and whether `end` has returned true.
    ///
    /// # Safety
    /// The list is valid: the runners and the state are those it was written for, and unchanged.
    pub(crate) unsafe fn run(
        &mut self,
        frame: u64,
        mut end: impl FnMut(usize) -> bool,
    ) -> (&[(usize, usize)], bool) {
        let mut changed = false;
        let flushes = flushes_subnormals();
        for (task, &runner) in self.tasks.iter_mut().zip(&self.runners) {
            task.call.frame = frame as u32;
            // SAFETY: the tables are those of the runners, which outlive the call and fit the kernels; the control word is theirs,
            // or set for them.
            unsafe {
                match flushes {
                    true => (task.function)(&task.call),
                    false => call_kernel(task.function, &task.call),
                }
            }
            changed |= end(runner);
        }
        (&self.released, changed)
    }
}

/// Which steps need not be called because they only copy, and only to the song's outputs; and for each output the signal
/// that then is the result.
pub(crate) fn copies(program: &Program) -> (Vec<bool>, Vec<SignalId>) {
    let none: IdMap<SignalId, usize> = IdMap::filled(0, program.buffers.len());
    let (mut reads, mut writes) = (none.clone(), none);
    for step in &program.steps {
        step.inputs.iter().for_each(|&signal| reads[signal] += 1);
        step.outputs.iter().for_each(|&signal| writes[signal] += 1);
    }
    let contents = Contents::at_the_end(program);
    let mut result: IdMap<SignalId, SignalId> = program.buffers.ids().collect();
    let idle = program.steps.iter().map(|step| {
        let unheard = step.outputs.iter().all(|&signal| reads[signal] == 0 && writes[signal] == 1);
        let idle =
            unheard && !step.copies.is_empty() && step.copies.iter().all(|&signal| contents.has(signal));
        if idle {
            step.outputs.iter().zip(&step.copies).for_each(|(&signal, &copied)| result[signal] = copied);
        }
        idle
    });
    let idle = idle.collect();
    (idle, program.outputs.iter().map(|&signal| result[signal]).collect())
}

/// Where a channel of a quantum by the call list comes from, so that it may be rendered where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelSource {
    /// It is an output of a runner that nothing else reads.
    Output {
        /// The runner.
        runner: usize,
        /// Which of its outputs.
        output: usize,
    },
    /// It is the same as an earlier channel.
    Same(usize),
    /// It is in a buffer.
    Buffer,
}

/// Where each of the song's channels comes from, given the signals that [`copies`] has found to be the result, and which
/// steps it leaves out.
pub(crate) fn places(program: &Program, idle: &[bool], results: &[SignalId]) -> Vec<ChannelSource> {
    let mut reads: IdMap<SignalId, usize> = IdMap::filled(0, program.buffers.len());
    let mut writers: IdMap<SignalId, Vec<(usize, usize)>> = IdMap::filled(vec![], program.buffers.len());
    for (runner, step) in program.steps.iter().enumerate().filter(|(runner, _)| !idle[*runner]) {
        step.inputs.iter().chain(&step.copies).for_each(|&signal| reads[signal] += 1);
        step.outputs.iter().enumerate().for_each(|(output, &signal)| writers[signal].push((runner, output)));
    }
    let place = |(channel, signal): (usize, &SignalId)| {
        let earlier = results[..channel].iter().position(|other| other == signal);
        match (earlier, writers[*signal].as_slice()) {
            (Some(earlier), _) => ChannelSource::Same(earlier),
            (None, &[(runner, output)]) if reads[*signal] == 0 && program.steps[runner].copies.is_empty() => {
                ChannelSource::Output { runner, output }
            }
            _ => ChannelSource::Buffer,
        }
    };
    results.iter().enumerate().map(place).collect()
}

/// What becomes of a channel of a quantum by the call list that is rendered where it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Placed {
    /// A kernel renders it there: the place of its address in the table of a runner's outputs, and the address that else is
    /// in it.
    Direct {
        /// In the table that the runner's calls are given.
        slot: *mut *mut f32,
        /// The runner's own buffer.
        own: *mut f32,
    },
    /// It is copied from an earlier channel.
    Same(usize),
    /// It is copied from a buffer.
    Buffer(*const f32),
}

/// All frames of a quantum.
pub(crate) const WHOLE: std::ops::Range<usize> = 0..QUANTUM;
