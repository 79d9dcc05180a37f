//! A program with its memory, in the middle of being played.

mod host;

use super::call_list::{self, CallList, ChannelSource, Copies, WHOLE};
use super::clock::Profile;
use super::input::{self, Sound};
use super::memory::{Block, Buffers, Line};
use super::not_finite::NotFinite;
use super::notes::{NoteKind, Notes};
use super::outbox::Outbox;
use super::params::{Params, Set};
use super::propagation::SilencePropagation;
use super::queue::EventQueue;
use super::rollback::Rollback;
use super::seen::{Seen, Watcher};
use super::step::{Memory, Runner, Scene};
use super::tap::Tap;
use crate::ids::{BufferId, DelayId, IdMap, PortId, SignalId};
use crate::program::{EventKind, Program, QUANTUM};
use std::ops::Range;
use std::sync::Arc;

/// A program and everything that changes while it runs. Makes one quantum after the other.
pub(crate) struct Instance {
    pub(crate) program: Arc<Program>,
    /// Events that are not due yet.
    pub(crate) queue: EventQueue,
    pub(crate) params: Params,
    pub(crate) runners: Vec<Runner>,
    pub(crate) state: Block<u8>,
    pub(crate) lines: IdMap<DelayId, Line>,
    notes: Notes,
    buffers: Buffers,
    /// Receives the output of sleeping steps that are called only to be measured.
    waste: Option<Block<f32>>,
    /// Of each part, step by step.
    mutes: Vec<Mute>,
    pub(crate) taps: Vec<Tap>,
    /// Times each step, where that is asked for.
    pub(crate) profile: Option<Profile>,
    /// Meters levels and values, where that is asked for.
    watcher: Option<Watcher>,
    call_list: CallList,
    propagation: SilencePropagation,
    /// Steps that a quantum by the call list leaves out, as what they copy is read instead.
    idle: Vec<bool>,
    /// The buffers of the song's input.
    inputs: Vec<BufferId>,
    /// The buffers of the channels, in a quantum of all steps and in one by the call list.
    outputs: [Vec<BufferId>; 2],
    /// Where each channel of a quantum by the call list comes from.
    places: Vec<ChannelSource>,
    /// What quanta change that are rendered in a row.
    rollback: Rollback,
    /// Whether runners render where a host has asked for frames, and not to their own buffers.
    is_redirected: bool,
    /// Whether the last quantum was rendered by the call list.
    used_call_list: bool,
    /// What goes to machines outside, and which events do.
    outbox: Outbox,
    /// Steps that have failed since they were asked for, with the first frame of the quantum, each once.
    failures: Vec<(usize, u64)>,
}

/// How loud a part of a step is, and how loud it shall be.
#[derive(Clone, Copy, Debug)]
struct Mute {
    gain: f32,
    target: f32,
}

impl Instance {
    /// Allocates everything. Panics when the program's tables do not fit each other ([`Program::check`]).
    pub(crate) fn new(program: Arc<Program>, events: usize) -> Instance {
        if let Err(fault) = program.check() {
            panic!("the program is not whole: {fault}");
        }
        let buffers = Buffers::silent(program.buffer_count());
        let lines: IdMap<DelayId, Line> =
            program.delays.values().map(|line| Line::silent(line.frames)).collect();
        let mut state = Block::zeros(program.state.len());
        begin(state.as_mut_slice(), &program.state);
        let runners = runners(&program, &buffers, &lines);
        let has_blocks = program.steps.iter().any(|step| step.block.is_some());
        let in_a_row = if has_blocks { 1 } else { buffers.quanta() };
        let rollback = Rollback::new(program.state.len(), in_a_row);
        let copies = Copies::new(&program);
        let buffer_of = |signal: SignalId| program.buffers[signal];
        let outputs = [
            program.outputs.iter().map(|&signal| buffer_of(signal)).collect(),
            program.outputs.iter().map(|&signal| buffer_of(copies.sources[signal])).collect(),
        ];
        Instance {
            queue: EventQueue::with_capacity(events),
            params: Params::new(&program.params),
            notes: Notes::new(program.ports),
            mutes: vec![Mute { gain: 1.0, target: 1.0 }; program.steps.iter().map(|s| s.parts.len()).sum()],
            profile: None,
            watcher: None,
            taps: vec![],
            call_list: CallList::new(&program),
            propagation: SilencePropagation::new(&program, &copies),
            places: call_list::places(&program, &copies),
            idle: copies.idle,
            inputs: program.inputs.iter().map(|&signal| buffer_of(signal)).collect(),
            outputs,
            rollback,
            is_redirected: false,
            used_call_list: false,
            outbox: Outbox::new(&program),
            failures: Vec::with_capacity(program.steps.len()),
            program,
            runners,
            state,
            lines,
            buffers,
            waste: None,
        }
    }

    /// Renders the quantum that begins at a frame, with what the queue holds for it. What is late happens at once.
    pub(crate) fn quantum(&mut self, frame: u64) {
        self.restore_buffers();
        if self.is_uneventful(frame) {
            self.run_call_list(frame);
        } else {
            self.part(frame, WHOLE);
        }
    }

    /// Renders quanta in which nothing happens where they are asked for: the first is at `frame`, and its frames are those of `out`
    /// from `at` on; `sound` is what they hear. Returns how many it has rendered: none where something happens in the first, or `out`
    /// is not aligned as a kernel needs it.
    #[inline]
    pub(crate) fn quanta_into(
        &mut self,
        frame: u64,
        out: &mut [&mut [f32]],
        at: usize,
        sound: impl Sound,
    ) -> usize {
        let quanta = out.first().map_or(0, |channel| (channel.len() - at) / QUANTUM);
        if quanta == 0 || !self.is_uneventful(frame) || !self.redirect(out, at) {
            return 0;
        }
        if quanta > 1 {
            return self.more_quanta_into(frame, out, at, quanta, sound);
        }
        self.hear_quanta(sound, at, 1);
        self.call_quantum(frame);
        self.deliver(out, at, 1);
        1
    }

    /// The same for several quanta, of which the first may be rendered and has its place.
    #[inline(never)]
    fn more_quanta_into(
        &mut self,
        frame: u64,
        out: &mut [&mut [f32]],
        at: usize,
        quanta: usize,
        sound: impl Sound,
    ) -> usize {
        let known = (self.queue.next_frame() - frame) / QUANTUM as u64;
        let quanta = quanta.min(usize::try_from(known).unwrap_or(quanta));
        // How many are to be rendered one by one.
        let mut single = if self.call_list.ahead() < 2 || self.waste.is_some() { quanta } else { 0 };
        let mut rendered = 0;
        loop {
            let most = self.buffers.quanta().min(self.call_list.ahead());
            let some = if single > 0 { 1 } else { most.min(quanta - rendered) };
            let at = at + rendered * QUANTUM;
            self.hear_quanta(sound, at, some);
            let frame = frame + (rendered * QUANTUM) as u64;
            let mut goes_on = true;
            if some == 1 {
                goes_on = self.run_call_list(frame);
                single = single.saturating_sub(1);
            } else if !self.run_call_list_ahead(frame, some) {
                single = some;
                continue;
            }
            self.deliver(out, at, some);
            rendered += some;
            if rendered == quanta || !goes_on {
                return rendered;
            }
            self.redirect(out, at + some * QUANTUM);
        }
    }

    /// Whether nothing happens in the quantum at a frame, so that the call list renders it.
    #[inline]
    fn is_uneventful(&mut self, frame: u64) -> bool {
        let still = self.queue.next_frame() >= frame + QUANTUM as u64
            && self.params.are_still()
            && self.notes.is_empty();
        still && (self.call_list.is_written(&*self.program.code) || self.write_call_list())
    }

    /// Renders a quantum in which nothing happens. Returns false where the next one will be another.
    #[inline(never)]
    fn run_call_list(&mut self, frame: u64) -> bool {
        self.call_quantum(frame)
    }

    /// The same, where a call more would be a part of the time that a small song takes.
    #[inline(always)]
    fn call_quantum(&mut self, frame: u64) -> bool {
        self.used_call_list = true;
        let memory = Memory { state: self.state.as_ptr(), image: &self.program.state };
        let failures = &mut self.failures;
        // SAFETY: whatever changes a runner or the state forgets what was written.
        let mut changed = unsafe {
            self.call_list.run(frame, &mut self.runners, |runner, index| {
                end_of_quantum(runner, index, memory, frame, failures)
            })
        };
        for &(runner, voice) in self.call_list.released() {
            if self.runners[runner].may_sleep(voice, self.state.as_ptr()) {
                self.runners[runner].sleep(voice);
                changed = true;
            }
        }
        if changed {
            self.call_list.forget();
        }
        !changed
    }

    /// Renders some quanta in a row in which nothing happens, not more than the buffers have room for. Returns false, and has changed
    /// nothing, where they have to be rendered one by one.
    fn run_call_list_ahead(&mut self, frame: u64, quanta: usize) -> bool {
        self.used_call_list = true;
        let state = self.state.as_ptr();
        // SAFETY: as in `run_call_list`; the list allows so many.
        unsafe { self.call_list.run_ahead(frame, quanta, &mut self.runners, state, &mut self.rollback) }
    }

    /// Renders some frames of the quantum that begins at a frame, with what the queue holds for them. What is late happens
    /// with the first of them. The quantum's parts follow one another.
    pub(crate) fn part(&mut self, frame: u64, frames: Range<usize>) {
        let (is_first, is_last) = (frames.start == 0, frames.end == QUANTUM);
        self.restore_buffers();
        self.take_events(frame, &frames);
        self.call_list.forget();
        self.used_call_list = false;
        if let Some(profile) = &mut self.profile {
            profile.begin(is_first);
        }
        self.propagation.read_sources(&mut self.runners, &self.buffers, false);
        let eventful = !self.params.touched().is_empty() || !self.notes.is_empty();
        let (params, notes) = (&self.params, &self.notes);
        let has_event = |runner: &Runner| eventful && runner.has_event(params, notes);
        self.propagation.propagate(&mut self.runners, &self.buffers, is_first, has_event);
        let mut scene = Scene {
            code: &*self.program.code,
            frame,
            params: &mut self.params,
            notes: &self.notes,
            memory: Memory { state: self.state.as_ptr(), image: &self.program.state },
            eventful,
        };
        let mut mutes = self.mutes.iter_mut().enumerate();
        for (index, runner) in self.runners.iter_mut().enumerate() {
            runner.run(&mut scene, frames.clone());
            let failed = examine(runner, index, scene.memory, frame, &frames, &mut self.failures);
            if is_last {
                runner.fall_asleep(scene.memory.state);
                if !failed {
                    runner.clear_lines();
                }
            }
            runner.end(scene.memory.state, frame, frames.clone());
            for (part, (place, mute)) in (0..runner.parts()).zip(&mut mutes) {
                mute.apply(runner, part, &frames);
                if let Some(watcher) = &self.watcher {
                    watcher.hear(place, runner, part, &frames);
                }
            }
            self.taps.iter_mut().for_each(|tap| tap.hear(index, runner, &frames));
            if let Some(profile) = &mut self.profile {
                profile.step(index);
            }
        }
        if let Some(profile) = self.profile.as_mut().filter(|_| is_last) {
            profile.end();
        }
        if let Some(watcher) = &self.watcher {
            watcher.end(&self.params);
        }
        // So that the next part finds nothing of this one.
        self.notes.begin();
        if !self.params.are_ramping() {
            self.params.begin(0);
        }
    }

    /// As it was when it was made, but for taps, the profile and what is watched. Allocates and frees nothing; the work is
    /// bounded by the program's memory. \[audio\]
    pub(crate) fn reset(&mut self) {
        self.queue.clear();
        self.params.reset(&self.program.params);
        self.notes.begin();
        self.state.as_mut_slice().copy_from_slice(&self.program.state);
        self.lines.values_mut().for_each(Line::clear);
        self.buffers.clear();
        for (runner, step) in self.runners.iter_mut().zip(&self.program.steps) {
            runner.reset(step, &self.program, &self.buffers);
        }
        self.propagation.reset();
        self.mutes.fill(Mute { gain: 1.0, target: 1.0 });
        self.taps.iter_mut().for_each(Tap::clear);
        self.failures.clear();
        self.used_call_list = false;
        self.call_list.forget();
    }

    /// Meters levels and values from now on.
    pub(crate) fn watch(&mut self, seen: Arc<Seen>) {
        self.watcher = Some(Watcher::new(&self.program, seen));
        self.call_list.forget();
    }

    /// What is written into delay lines is examined from now on, so that only what is finite can be carried over an edit. Nothing
    /// else asks for it: before the first quantum, where there may be edits.
    pub(crate) fn watch_lines(&mut self) {
        self.runners.iter_mut().for_each(Runner::watch_lines);
        self.call_list.forget();
    }

    /// From now on every step is called, also those that sleep.
    pub(crate) fn never_skip(&mut self) {
        let waste = Block::zeros(QUANTUM);
        self.runners.iter_mut().for_each(|runner| runner.never_skip(waste.as_ptr()));
        self.waste = Some(waste);
        self.call_list.forget();
    }

    /// Must be called after the runners, the state or the taps have been changed from outside, between two quanta.
    pub(crate) fn changed(&mut self) {
        self.call_list.forget();
    }

    /// Writes the call list, if a quantum without events is nothing but kernel calls.
    #[inline(never)]
    fn write_call_list(&mut self) -> bool {
        self.restore_buffers();
        let loud = self.mutes.iter().all(|mute| mute.gain == 1.0 && mute.target == 1.0);
        let recovers = self.runners.iter().any(Runner::is_recovering);
        let is_watched = self.profile.is_some() || self.watcher.is_some();
        if !loud || recovers || !self.taps.is_empty() || is_watched {
            return false;
        }
        self.propagation.propagate(&mut self.runners, &self.buffers, true, |_| false);
        self.place_channels();
        let state = self.state.as_ptr();
        let is_written = self.call_list.write(&mut self.runners, &self.idle, &*self.program.code, state);
        if is_written {
            self.propagation.read_sources(&mut self.runners, &self.buffers, true);
            let own = self.inputs.iter().map(|&buffer| self.buffers.start(buffer));
            self.call_list.write_heard(&mut self.runners, own);
        }
        is_written
    }

    fn take_events(&mut self, frame: u64, frames: &Range<usize>) {
        self.params.begin(frames.start);
        self.notes.begin();
        while !self.notes.is_full() {
            let Some(event) = self.queue.pop_before(frame + frames.end as u64) else { break };
            let offset = frames.start.max(event.frame.saturating_sub(frame) as usize);
            self.outbox.take(offset, event.kind);
            self.apply(event.kind, offset);
        }
        self.params.end(frames.end);
    }

    fn apply(&mut self, kind: EventKind, offset: usize) {
        match kind {
            EventKind::Set { param, value, ramp, curve } => {
                self.params.set(param, offset, Set { value, ramp, curve });
            }
            EventKind::NoteValue { param, value, ramp } => self.params.hold(param, offset, value, ramp),
            EventKind::Off { port } => self.notes.push(port, offset, NoteKind::Off),
            EventKind::Pitch { port, note } => self.notes.push(port, offset, NoteKind::Pitch(note)),
            EventKind::On { port, note, vel } => self.notes.push(port, offset, NoteKind::On { note, vel }),
        }
    }

    /// The buffer of the song's input; none when the song does not use that channel.
    pub(crate) fn input(&mut self, channel: usize) -> Option<&mut [f32]> {
        let &buffer = self.inputs.get(channel)?;
        Some(self.buffers.first_quanta_mut(buffer, 1))
    }

    /// Some frames of the next quantum hear those of `sound` from `at` on, in the same way.
    pub(crate) fn hear(&mut self, sound: &[&[f32]], at: usize, frames: Range<usize>) {
        for (channel, &buffer) in self.inputs.iter().enumerate() {
            let into = &mut self.buffers.first_quanta_mut(buffer, 1)[frames.clone()];
            let heard = sound.get(channel).or(sound.last());
            input::copy(into, heard.and_then(|sound| sound.get(at..)).unwrap_or(&[]));
        }
    }

    /// A channel of the quantum's result. The last channel stands for all that are beyond. Inlined where it is copied: out of
    /// line it costs a small song a tenth of its time.
    #[inline]
    pub(crate) fn output(&self, channel: usize) -> &[f32; QUANTUM] {
        let outputs = &self.outputs[usize::from(self.used_call_list)];
        let last = outputs.len().wrapping_sub(1);
        match outputs.get(channel.min(last)) {
            Some(&buffer) if !self.propagation.output(channel.min(last)) => self.buffers.get(buffer),
            _ => &[0.0; QUANTUM],
        }
    }

    /// Says whether a channel of the input is silent in the next quantum, which only those can know who have rendered it.
    #[cfg(feature = "threads")]
    pub(crate) fn set_input_silent(&mut self, channel: usize, silent: bool) {
        if self.propagation.set_input(channel, silent) {
            self.call_list.forget();
        }
    }

    /// Whether a channel of the quantum's result is silent because all steps that it comes from sleep.
    #[cfg(feature = "threads")]
    pub(crate) fn is_output_silent(&self, channel: usize) -> bool {
        self.propagation.output(channel)
    }

    /// Gives the steps that have failed since this was asked the last time, each once, with the first frame of the quantum
    /// that is not finite. \[audio\]
    pub(crate) fn take_failures(&mut self, mut take: impl FnMut(usize, u64)) {
        for (step, frame) in self.failures.drain(..) {
            self.runners[step].forget_failure();
            take(step, frame);
        }
    }

    /// The same, in words. Allocates: not on the audio thread.
    pub(crate) fn not_finite(&mut self) -> Vec<NotFinite> {
        let (program, mut all) = (self.program.clone(), vec![]);
        self.take_failures(|step, frame| {
            all.push(NotFinite { frame, computes: program.steps[step].computes.clone() });
        });
        all
    }

    /// Gives what of the last quantum goes to machines outside, each with its frame in the quantum, in order. \[audio\]
    pub(crate) fn sent(&mut self) -> std::vec::Drain<'_, (usize, EventKind)> {
        self.outbox.events.drain(..)
    }

    /// Whether all channels of the last part's result are silent because the steps that they come from sleep: then silence
    /// follows until the next event, or input.
    pub(crate) fn is_silent(&self) -> bool {
        self.propagation.is_all_silent()
    }

    /// Gives the ports whose voices have all fallen asleep since they were last given. \[audio\]
    pub(crate) fn take_asleep(&mut self, mut take: impl FnMut(PortId)) {
        for index in 0..self.runners.len() {
            while let Some(id) = self.asleep_unreported(index) {
                self.runners.iter_mut().for_each(|runner| runner.report(id));
                take(id);
            }
        }
    }

    /// A port of a runner that is asleep and has not been reported as such.
    fn asleep_unreported(&self, runner: usize) -> Option<PortId> {
        let is_awake = |id: PortId| self.runners.iter().any(|runner| runner.is_port_awake(id));
        self.runners[runner].unreported().find(|&id| !is_awake(id))
    }

    /// How many steps are not silent because all that they come from sleeps.
    pub(crate) fn restless(&self) -> usize {
        self.propagation.restless()
    }

    /// How many voices are awake.
    pub(crate) fn awake(&self) -> usize {
        self.runners.iter().map(Runner::awake).sum()
    }

    /// Fades a part (all parts are counted, step by step) to a gain over the next quantum.
    pub(crate) fn mute(&mut self, part: usize, gain: f32) {
        if let Some(mute) = self.mutes.get_mut(part) {
            mute.target = gain;
            self.call_list.forget();
        }
    }

    /// Sets a part's gain, before it has been heard.
    pub(crate) fn set_gain(&mut self, part: usize, gain: f32) {
        self.mutes[part] = Mute { gain, target: gain };
        self.call_list.forget();
    }
}

/// Examines what a runner has rendered by the call list. Returns true if another quantum like this one would be rendered otherwise.
#[inline(never)]
fn end_of_quantum(
    runner: &mut Runner,
    index: usize,
    memory: Memory<'_>,
    frame: u64,
    failures: &mut Vec<(usize, u64)>,
) -> bool {
    let failed = examine(runner, index, memory, frame, &WHOLE, failures);
    runner.end(memory.state, frame, WHOLE) || failed
}

/// Examines what a runner has rendered of the quantum at a frame. Returns true if it has failed, which is noted.
fn examine(
    runner: &mut Runner,
    index: usize,
    memory: Memory<'_>,
    frame: u64,
    frames: &Range<usize>,
    failures: &mut Vec<(usize, u64)>,
) -> bool {
    let failed = runner.fails(memory, frame, frames);
    // There is room for each step once.
    if failed && runner.note_failure() {
        failures.push((index, frame));
    }
    failed
}

impl Mute {
    /// Scales some frames of a part; the gain is at its target at the quantum's end.
    fn apply(&mut self, runner: &mut Runner, part: usize, frames: &Range<usize>) {
        if self.gain != 1.0 || self.target != 1.0 {
            runner.scale(part, self.gain, self.target, frames);
        }
        if frames.end == QUANTUM {
            self.gain = self.target;
        }
    }
}

fn runners(program: &Program, buffers: &Buffers, lines: &IdMap<DelayId, Line>) -> Vec<Runner> {
    let line = |index: DelayId| lines[index].as_ptr();
    program.steps.iter().map(|step| Runner::new(step, program, buffers, line)).collect()
}

/// Brings zeroed state memory to its initial image. Pages of it that begin as 0 are not touched: until they are written they take
/// no memory.
pub(crate) fn begin(state: &mut [u8], image: &[u8]) {
    const PAGE: usize = 4096;
    for (state, image) in state.chunks_mut(PAGE).zip(image.chunks(PAGE)) {
        if image.iter().any(|&byte| byte != 0) {
            state.copy_from_slice(image);
        }
    }
}
