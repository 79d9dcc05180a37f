//! The call list of a quantum in which nothing changes: no event, no ramp, no voice that wakes. Most quanta are such, so
//! the kernel calls are written down once, in tables that the machine code is run from, one kernel after the other.

use super::rollback::Rollback;
use super::step::{Examined, Product, Runner, Words};
use crate::ids::{BufferId, IdMap, SignalId};
use crate::machine::{Task, call_flushing, flushes_subnormals};
use crate::program::{Code, Program, QUANTUM};
use std::ops::Range;
use std::ptr::NonNull;

/// The kernel calls of a quantum in which nothing changes.
#[derive(Debug, Default)]
pub(crate) struct CallList {
    calls: Vec<Listed>,
    /// Voices that are awake although their note has ended: the runner, and its voice.
    released: Vec<(usize, usize)>,
    /// The states that are examined after the calls.
    words: Vec<Words>,
    /// How many quanta may be rendered in a row: one where a tail is counted, there is a block node, or delay lines are read from too far
    /// back.
    ahead: usize,
    /// How the song's channels are rendered where they are asked for.
    pub(crate) placed: Vec<Placed>,
    /// How many channels, of the first ones, are rendered there.
    pub(crate) direct: usize,
    /// The channels of the song's input that are heard.
    pub(crate) heard: Vec<Heard>,
    /// The places at which their addresses stand in the tables of the runners' inputs, of one after the other.
    slots: Vec<NonNull<*mut f32>>,
    /// The version of the code that it was written for; none where nothing is.
    written: Option<u32>,
}

/// A call that is written down, and what is examined after it.
#[derive(Debug)]
struct Listed {
    task: Task,
    runner: usize,
    inputs: usize,
    outputs: usize,
    examined: Examined,
    /// Its states, of the list's words.
    words: Range<usize>,
    /// Its voices that are awake although their note has ended, of the list's.
    released: Range<usize>,
}

// SAFETY: the addresses in the tasks are those of the tables and blocks of the instance that this is part of.
unsafe impl Send for CallList {}
// SAFETY: as above.
unsafe impl Sync for CallList {}

impl CallList {
    /// Room for all steps and channels of a program, so that nothing is allocated later.
    pub(crate) fn new(program: &Program) -> CallList {
        let voices = program.steps.iter().map(|step| step.voices.len()).sum();
        let words = program.steps.iter().map(|step| step.singles.len() + step.doubles.len()).sum();
        CallList {
            calls: Vec::with_capacity(program.steps.len()),
            released: Vec::with_capacity(voices),
            words: Vec::with_capacity(words),
            ahead: 1,
            placed: Vec::with_capacity(program.outputs.len()),
            direct: 0,
            heard: Vec::with_capacity(program.inputs.len()),
            slots: Vec::with_capacity(program.steps.iter().map(|step| step.inputs.len()).sum()),
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

    /// How many quanta may be rendered in a row, if the buffers have room for them; never more than one if this is not.
    pub(crate) fn ahead(&self) -> usize {
        self.ahead
    }

    /// Voices that are awake although their note has ended: the runner, and its voice.
    pub(crate) fn released(&self) -> &[(usize, usize)] {
        &self.released
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
        self.calls.clear();
        self.released.clear();
        self.words.clear();
        self.ahead = usize::MAX;
        let version = code.version();
        for (index, (runner, left_out)) in runners.iter_mut().zip(left_out).enumerate() {
            if *left_out || runner.can_be_skipped() {
                continue;
            }
            let Some(task) = runner.task(code, state) else { return false };
            let (words, released) = (self.words.len(), self.released.len());
            self.released.extend(runner.released().map(|voice| (index, voice)));
            let examined = runner.examined();
            if examined.states {
                self.words.extend(runner.words(state));
            }
            // A block's state is too large to be kept for a stretch that may be undone. Delay lines are not kept: where nothing is
            // written over that is read again, there is no need to.
            let is_single = examined.counts_tail || !task.call.block.is_null();
            self.ahead = self.ahead.min(if is_single { 1 } else { runner.quanta_ahead() });
            let (inputs, outputs) = runner.channels();
            let (words, released) = (words..self.words.len(), released..self.released.len());
            self.calls.push(Listed { task, runner: index, inputs, outputs, examined, words, released });
        }
        self.written = Some(version);
        true
    }

    /// Notes who hears the song's input, of whose channels these are the buffers: the runners whose calls are written down, and
    /// the host where a channel of the song is in such a buffer.
    pub(crate) fn write_heard(&mut self, runners: &mut [Runner], own: impl Iterator<Item = *mut f32>) {
        self.heard.clear();
        self.slots.clear();
        for (channel, own) in own.enumerate() {
            let first = self.slots.len();
            for listed in &self.calls {
                self.slots.extend(runners[listed.runner].input_slots(own));
            }
            let slot = self.slots.get(first).copied();
            let others = (first + 1).min(self.slots.len())..self.slots.len();
            let is_delivered = self
                .placed
                .iter()
                .any(|placed| matches!(*placed, Placed::Buffer(start) if start == own.cast_const()));
            if is_delivered || slot.is_some() {
                self.heard.push(Heard { channel, slot, others, own, may_be_direct: !is_delivered });
            }
        }
    }

    /// Those who hear a channel of the input read it at an address from now on.
    ///
    /// # Safety
    /// The runners are those that the list was written for, and no kernel runs.
    #[inline]
    pub(crate) unsafe fn read_from(&self, heard: &Heard, start: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(slot) = heard.slot {
                slot.write(start);
            }
            if !heard.others.is_empty() {
                self.slots[heard.others.clone()].iter().for_each(|slot| slot.write(start));
            }
        }
    }

    /// Renders the quantum at a frame. `end` is asked of each runner of which more has to be examined than finite outputs and
    /// states, once it has run and before anything reads what it has written; it returns true if another quantum like this one
    /// would be rendered otherwise. Returns whether one has.
    ///
    /// # Safety
    /// The list is valid: the runners and the state are those it was written for, and unchanged.
    #[inline(always)]
    pub(crate) unsafe fn run(
        &mut self,
        frame: u64,
        runners: &mut [Runner],
        mut end: impl FnMut(&mut Runner, usize) -> bool,
    ) -> bool {
        let mut changed = false;
        let flushes = flushes_subnormals();
        for listed in &mut self.calls {
            if listed.examined.has_lines {
                runners[listed.runner].write_lines(frame, QUANTUM);
            }
            // SAFETY: the caller's promise; no kernel runs after the call.
            let is_passed = unsafe {
                listed.call(frame, flushes);
                listed.is_passed(&self.words)
            };
            if listed.examined.counts_tail || !is_passed {
                changed |= end(&mut runners[listed.runner], listed.runner);
            }
        }
        changed
    }

    /// Renders so many quanta from the one at a frame on, one step after the other. Returns false where they differ from as many
    /// that are rendered one by one, as something is not finite or a voice may sleep: then all is as it was before, but for
    /// what is in the buffers.
    ///
    /// # Safety
    /// As for [`CallList::run`]. The quanta are not more than [`CallList::ahead`], the signals have buffers of so many, and `state` is the state
    /// memory.
    pub(crate) unsafe fn run_ahead(
        &mut self,
        frame: u64,
        quanta: usize,
        runners: &mut [Runner],
        state: *mut u8,
        rollback: &mut Rollback,
    ) -> bool {
        let flushes = flushes_subnormals();
        for i in 0..self.calls.len() {
            let listed = &mut self.calls[i];
            if listed.examined.has_lines {
                runners[listed.runner].write_lines(frame, quanta * QUANTUM);
            }
            let runner = &runners[listed.runner];
            // SAFETY: no kernel runs, and the runner is one of those of the state memory.
            unsafe { rollback.save(runner, state) };
            let released = &self.released[listed.released.clone()];
            let may_sleep = || released.iter().any(|&(_, voice)| runner.may_sleep(voice, state));
            // SAFETY: the caller's promise.
            if !unsafe { listed.call_ahead(frame, quanta, flushes, &self.words, may_sleep) } {
                for called in &self.calls[..=i] {
                    // SAFETY: as above, and it was saved.
                    unsafe { rollback.restore(&runners[called.runner], state) };
                }
                return false;
            }
        }
        true
    }
}

impl Listed {
    /// Calls the kernel for the quantum at a frame.
    ///
    /// # Safety
    /// The tables are those of the runner, which outlive the call and fit the kernel. `flushes` says that the control word is the
    /// kernels'.
    #[inline]
    unsafe fn call(&mut self, frame: u64, flushes: bool) {
        let task = &mut self.task;
        task.call.frame = frame as u32;
        // A block is no machine code of ours: it runs under the host's word.
        let as_it_is = flushes || !task.call.block.is_null();
        // SAFETY: the caller's promise; the control word is the kernels', or set for them.
        unsafe {
            match as_it_is {
                true => (task.function)(&task.call),
                false => call_flushing(task.function, &task.call),
            }
        }
    }

    /// Whether the outputs and the states that are examined are finite after a quantum.
    ///
    /// # Safety
    /// As for [`Listed::call`], and no kernel runs.
    #[inline]
    unsafe fn is_passed(&self, words: &[Words]) -> bool {
        if !(self.examined.outputs || self.examined.states) {
            return true;
        }
        let mut product = Product::new();
        if self.examined.outputs {
            for output in 0..self.outputs {
                // SAFETY: the caller's promise: the table has so many outputs, each of a quantum and aligned as buffers are.
                unsafe { product.take_quantum(*self.task.call.outputs.add(output)) };
            }
        }
        // SAFETY: the caller's promise; the words lie in the state memory.
        words[self.words.clone()].iter().for_each(|words| unsafe { product.take_words(*words) });
        product.is_zero()
    }

    #[inline(always)]
    unsafe fn states_are_finite(&self, words: &[Words]) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let mut product = Product::new();
        // SAFETY: the caller's promise; the words lie in the state memory.
        words[self.words.clone()].iter().for_each(|words| unsafe { product.take_words(*words) });
        product.is_zero()
    }

    /// Calls the kernel for so many quanta. Returns false where something is not finite, or `may_sleep` returns true after one of
    /// them.
    ///
    /// # Safety
    /// As for [`Listed::call`]; the buffers in the tables have so many quanta.
    unsafe fn call_ahead(
        &mut self,
        frame: u64,
        quanta: usize,
        flushes: bool,
        words: &[Words],
        may_sleep: impl Fn() -> bool,
    ) -> bool {
        let mut goes_on = true;
        for quantum in 0..quanta {
            // SAFETY: the caller's promise: after the last one the tables are where they were.
            unsafe {
                self.call(frame + (quantum * QUANTUM) as u64, flushes);
                goes_on &= self.states_are_finite(words) && !may_sleep();
                self.advance(QUANTUM as isize);
            }
        }
        // SAFETY: as above.
        unsafe {
            self.advance(-((quanta * QUANTUM) as isize));
            goes_on && self.examined.is_passed_ahead(&self.task.call, self.outputs, quanta)
        }
    }

    /// Lets the tables show what comes some frames later.
    ///
    /// # Safety
    /// The tables have so many inputs and outputs, of buffers that hold these frames; nothing else refers to them.
    #[inline]
    unsafe fn advance(&mut self, frames: isize) {
        let call = &self.task.call;
        // SAFETY: the caller's promise.
        let [inputs, outputs] = unsafe {
            [
                std::slice::from_raw_parts_mut(call.inputs.cast_mut().cast::<*mut f32>(), self.inputs),
                std::slice::from_raw_parts_mut(call.outputs.cast_mut(), self.outputs),
            ]
        };
        inputs.iter_mut().for_each(|address| *address = address.wrapping_offset(frames));
        outputs.iter_mut().for_each(|address| *address = address.wrapping_offset(frames));
    }
}

/// Which steps need not be called, because all that reads what they write can read what they copy instead.
#[derive(Debug)]
pub(crate) struct Copies {
    /// Which steps these are.
    pub(crate) idle: Vec<bool>,
    /// What is read instead of each signal; itself where an idle step does not write it.
    pub(crate) sources: IdMap<SignalId, SignalId>,
}

impl Copies {
    /// Of a program whose tables fit each other.
    pub(crate) fn new(program: &Program) -> Copies {
        let uses = Uses::new(program);
        let mut sources: IdMap<SignalId, SignalId> = program.buffers.ids().collect();
        let mut idle = vec![false; program.steps.len()];
        for (index, (step, idle)) in program.steps.iter().zip(&mut idle).enumerate() {
            let mut pairs = step.outputs.iter().zip(&step.copies);
            let copies_all = !step.copies.is_empty() && step.copies.len() == step.outputs.len();
            *idle = copies_all && pairs.all(|(&copy, &copied)| uses.is_spared(index, copy, sources[copied]));
            if *idle {
                for (&copy, &copied) in step.outputs.iter().zip(&step.copies) {
                    sources[copy] = sources[copied];
                }
            }
        }
        Copies { idle, sources }
    }
}

/// Where in a quantum each signal is written, read and overwritten, as indices of steps.
struct Uses {
    writes: IdMap<SignalId, usize>,
    /// The first step that reads it; beyond all where none does.
    first_read: IdMap<SignalId, usize>,
    /// The last step that reads it; the number of steps where the song is heard of it.
    last_read: IdMap<SignalId, usize>,
    /// The first step after it was written that writes another signal to its buffer; beyond all where none does.
    overwritten: IdMap<SignalId, usize>,
}

impl Uses {
    fn new(program: &Program) -> Uses {
        let signals = program.buffers.len();
        let mut uses = Uses {
            writes: IdMap::filled(0, signals),
            first_read: IdMap::filled(usize::MAX, signals),
            last_read: IdMap::filled(0, signals),
            overwritten: IdMap::filled(usize::MAX, signals),
        };
        let mut holds: IdMap<BufferId, Option<SignalId>> = IdMap::filled(None, program.buffer_count());
        program.inputs.iter().for_each(|&signal| holds[program.buffers[signal]] = Some(signal));
        for (index, step) in program.steps.iter().enumerate() {
            for &signal in &step.inputs {
                uses.first_read[signal] = uses.first_read[signal].min(index);
                uses.last_read[signal] = index;
            }
            for &signal in &step.outputs {
                uses.writes[signal] += 1;
                let held = holds[program.buffers[signal]].replace(signal);
                if let Some(held) = held.filter(|held| *held != signal) {
                    uses.overwritten[held] = uses.overwritten[held].min(index);
                }
            }
        }
        program.outputs.iter().for_each(|&signal| uses.last_read[signal] = program.steps.len());
        uses
    }

    /// Whether what reads the copy that a step makes can read its source instead.
    fn is_spared(&self, step: usize, copy: SignalId, source: SignalId) -> bool {
        let is_made_once = self.writes[copy] == 1 && self.writes[source] <= 1;
        is_made_once && self.first_read[copy] > step && self.overwritten[source] > self.last_read[copy]
    }
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

/// Where each of the song's channels comes from, in a quantum without the steps that need not be called.
pub(crate) fn places(program: &Program, copies: &Copies) -> Vec<ChannelSource> {
    let mut reads: IdMap<SignalId, usize> = IdMap::filled(0, program.buffers.len());
    let mut writers: IdMap<SignalId, Vec<(usize, usize)>> = IdMap::filled(vec![], program.buffers.len());
    for (runner, step) in program.steps.iter().enumerate().filter(|(runner, _)| !copies.idle[*runner]) {
        step.inputs.iter().for_each(|&signal| reads[copies.sources[signal]] += 1);
        step.outputs.iter().enumerate().for_each(|(output, &signal)| writers[signal].push((runner, output)));
    }
    let results: Vec<SignalId> = program.outputs.iter().map(|&signal| copies.sources[signal]).collect();
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

/// A channel of the song's input that is heard in a quantum by the call list.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Which channel of the song's input it is.
    pub(crate) channel: usize,
    /// Where its address stands in tables: the first place, if there is one, and the others, of the list's slots.
    slot: Option<NonNull<*mut f32>>,
    others: Range<usize>,
    /// Its own buffer.
    pub(crate) own: *mut f32,
    /// False where the song's result is in the buffer itself.
    pub(crate) may_be_direct: bool,
}

/// All frames of a quantum.
pub(crate) const WHOLE: Range<usize> = 0..QUANTUM;
