//! One step of a program: how its quantum, or a part of one, is cut into kernel calls.
//!
//! Only the step's own events and parameters cut. A stretch that begins with a note is one frame in the general
//! form and the rest in the steady one; where a parameter moves the form is general; before the first steady call
//! after a change the setup runs. A step whose voices are all asleep is not called, and what hears it finds silence.

mod finite;
mod product;
mod sleep;

use super::memory::{Buffers, Pointers};
use super::notes::{Cursor, NoteKind, Notes, pitch};
use super::params::Params;
use super::step::finite::Guard;
use super::step::sleep::VoiceState;
use super::tail::{self, SILENCE, TailDetector};
use crate::block::{self, Block};
use crate::ids::{DelayId, ParamId, PortId, SignalId};
use crate::machine::Task;
use crate::program::{Call, Code, Form, Port, Program, QUANTUM, Step};
pub(crate) use finite::{Examined, Memory};
pub(crate) use product::{Product, Words};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

/// What all steps read in a part of a quantum.
pub(crate) struct Scene<'a> {
    /// The kernels' machine code, or the interpreter.
    pub(crate) code: &'a dyn Code,
    /// The first frame of the quantum.
    pub(crate) frame: u64,
    /// Values and ramps of all parameters.
    pub(crate) params: &'a mut Params,
    /// What begins and ends.
    pub(crate) notes: &'a Notes,
    /// The state memory, and the program's state at the start, for voices that wake.
    pub(crate) memory: Memory<'a>,
    /// Whether a parameter or a note changes something in this part.
    pub(crate) eventful: bool,
}

/// A step with the tables that its kernel is given.
#[derive(Debug)]
pub(crate) struct Runner {
    kernel: u32,
    /// What it computes, if it is a block node.
    block: Option<Arc<Block>>,
    state: usize,
    /// Indices into the program's parameters.
    params: Vec<ParamId>,
    /// Which of them the general form reads once a call.
    held: Vec<bool>,
    values: Vec<f64>,
    moving: Pointers<f32>,
    /// Indices into the program's ports.
    port_ids: Vec<PortId>,
    ports: Vec<Port>,
    cursors: Vec<Cursor>,
    voices: Vec<VoiceState>,
    delays: Pointers<f32>,
    delay_frames: Vec<usize>,
    /// How many frames may be written before something is written over that is read at the first of them.
    delay_slack: usize,
    inputs: Shifted,
    outputs: Shifted,
    tail: TailDetector,
    /// Its words of state, from the start of the state memory, and whether they are of 8 bytes.
    words: Vec<(usize, bool)>,
    /// The outputs of each part.
    parts: Vec<Range<usize>>,
    /// Output buffers of a sleeping step that is called only to be measured.
    waste: Option<Pointers<f32>>,
    /// Whether what it computes is finite.
    guard: Guard,
    /// It is silent for the whole part: it writes nothing, and its readers are pointed to a buffer of zeros.
    silent: bool,
    stale: bool,
}

/// A table of buffers, and the same some frames later.
#[derive(Debug)]
struct Shifted {
    whole: Pointers<f32>,
    part: Pointers<f32>,
}

impl Shifted {
    fn new(whole: Vec<*mut f32>) -> Shifted {
        Shifted { part: Pointers(whole.clone()), whole: Pointers(whole) }
    }

    /// The table from a frame on.
    fn from(&mut self, offset: usize) -> *const *mut f32 {
        if offset == 0 {
            return self.whole.0.as_mut_ptr();
        }
        for (part, whole) in self.part.0.iter_mut().zip(&self.whole.0) {
            // SAFETY: every buffer has QUANTUM frames, and `offset` is less.
            *part = unsafe { whole.add(offset) };
        }
        self.part.0.as_ptr()
    }

    fn fill(&mut self, range: Range<usize>, value: f32) {
        for &start in &self.whole.0 {
            // SAFETY: `range` is within the QUANTUM frames of the buffer, and no kernel runs.
            unsafe { std::slice::from_raw_parts_mut(start.add(range.start), range.len()) }.fill(value);
        }
    }
}

impl Runner {
    /// The step with tables into `buffers` and `lines`.
    pub(crate) fn new(
        step: &Step,
        program: &Program,
        buffers: &Buffers,
        line: impl Fn(DelayId) -> *mut f32,
    ) -> Runner {
        let starts = |signals: &[SignalId]| {
            Shifted::new(signals.iter().map(|&signal| buffers.start(program.buffers[signal])).collect())
        };
        let voices: Vec<_> = step.voices.iter().map(|voice| VoiceState::new(voice, step)).collect();
        let port = |local| {
            let active = u32::from(!voices.iter().any(|voice: &VoiceState| voice.port == local));
            first_port(program, step.ports[local], active)
        };
        let delay_frames: Vec<usize> =
            step.delays.iter().map(|&index| program.delays[index].frames).collect();
        let delay_slack = step.delays.iter().map(|&index| {
            let line = &program.delays[index];
            line.frames.saturating_sub(line.reach)
        });
        Runner {
            kernel: step.kernel,
            block: step.block.clone(),
            state: step.state,
            values: vec![0.0; step.params.len()],
            moving: Pointers(vec![std::ptr::null_mut(); step.params.len()]),
            params: step.params.clone(),
            held: step.per_call.clone(),
            ports: (0..step.ports.len()).map(port).collect(),
            cursors: vec![Cursor::default(); step.ports.len()],
            port_ids: step.ports.clone(),
            delays: Pointers(step.delays.iter().map(|&index| line(index)).collect()),
            delay_frames: delay_frames.clone(),
            delay_slack: delay_slack.min().unwrap_or(usize::MAX),
            inputs: starts(&step.inputs),
            outputs: starts(&step.outputs),
            parts: step.parts.iter().map(|part| part.outputs.clone()).collect(),
            voices,
            tail: TailDetector::new(step.can_sleep, delay_frames.iter().copied().max().unwrap_or(0)),
            words: step
                .parts
                .iter()
                .flat_map(|part| part.states.iter())
                .map(|word| (step.state + word.offset, word.bytes == 8))
                .collect(),
            waste: None,
            guard: Guard::new(step).over_lines(&delay_frames),
            silent: false,
            stale: true,
        }
    }

    /// Whether it need not be called, for whichever reason.
    fn is_idle(&self) -> bool {
        self.asleep() || self.tail.is_asleep() || self.guard.has_failed()
    }

    /// As it was when it was made, with the program and the buffers that it was made with. Allocates nothing. \[audio\]
    pub(crate) fn reset(&mut self, step: &Step, program: &Program, buffers: &Buffers) {
        self.reset_voices();
        for (local, port) in self.ports.iter_mut().enumerate() {
            let has_voice = self.voices.iter().any(|voice| voice.port == local);
            *port = first_port(program, step.ports[local], u32::from(!has_voice));
        }
        for (input, &signal) in self.inputs.whole.0.iter_mut().zip(&step.inputs) {
            *input = buffers.start(program.buffers[signal]);
        }
        self.tail.reset();
        self.guard.reset();
        (self.silent, self.stale) = (false, true);
    }

    /// Begins a part of a quantum, perhaps its first: `hears` if an input sounds, `has_event` if an event concerns it. Returns
    /// true if it is silent for the whole part.
    pub(crate) fn begin(&mut self, is_first: bool, hears: bool, has_event: bool) -> bool {
        if self.tail.begin(is_first, hears || has_event) {
            self.stale = true;
        }
        let sleeps = self.asleep() || self.guard.has_failed();
        self.silent = self.tail.is_asleep() || sleeps && !has_event && !self.guard.is_due();
        self.silent
    }

    /// Points an input to another buffer.
    pub(crate) fn read_from(&mut self, input: usize, sound: *mut f32) {
        self.inputs.whole.0[input] = sound;
    }

    /// The places of an address in the table of inputs that its calls are given.
    pub(crate) fn input_slots(&mut self, start: *mut f32) -> impl Iterator<Item = NonNull<*mut f32>> {
        self.inputs.whole.0.iter_mut().filter(move |sound| **sound == start).map(NonNull::from)
    }

    /// The place of an output's address in the table that its calls are given. What is written there has a quantum, at a
    /// multiple of [`Buffers::LEAST_ALIGN`].
    pub(crate) fn output_slot(&mut self, output: usize) -> *mut *mut f32 {
        &raw mut self.outputs.whole.0[output]
    }

    /// Whether an event of the part concerns it.
    pub(crate) fn has_event(&self, params: &Params, notes: &Notes) -> bool {
        let moves = |&index: &ParamId| params.masks(index) != (0, 0);
        self.params.iter().any(moves) || self.port_ids.iter().any(|&id| notes.mask(id) != 0)
    }

    /// Some frames of the quantum at `frame` are rendered. Returns true if they are its last and the step falls asleep.
    pub(crate) fn end(&mut self, state: *mut u8, frame: u64, frames: Range<usize>) -> bool {
        if !self.tail.is_counting() {
            return false;
        }
        let (outputs, lines, words) = (&self.outputs.whole.0, &self.delays.0, &self.words);
        let is_silent = |start: *mut f32, frames: Range<usize>| {
            // SAFETY: its callers pass frames of a buffer or line, and no kernel runs.
            tail::is_silent(unsafe { std::slice::from_raw_parts(start.add(frames.start), frames.len()) })
        };
        // Outputs have a quantum.
        self.tail.rendered(|| outputs.iter().all(|&output| is_silent(output, frames.clone())));
        if frames.end < QUANTUM {
            return false;
        }
        self.tail.end(|| {
            // SAFETY: lines have as many frames as stand beside them, a power of two; states lie within the state memory;
            // and no kernel runs.
            unsafe {
                let written = |(&line, &len): (&*mut f32, &usize)| match len {
                    0..QUANTUM => is_silent(line, 0..len),
                    _ => is_silent(line.add(frame as usize & (len - 1)), 0..QUANTUM),
                };
                let still = |&(at, double): &(usize, bool)| match double {
                    true => state.add(at).cast::<f64>().read_unaligned().abs() < f64::from(SILENCE),
                    false => state.add(at).cast::<f32>().read_unaligned().abs() < SILENCE,
                };
                words.iter().all(still) && lines.iter().zip(&self.delay_frames).all(written)
            }
        })
    }

    /// Renders some frames of the quantum; all those before have been rendered.
    pub(crate) fn run(&mut self, scene: &mut Scene<'_>, frames: Range<usize>) {
        let due = frames.start == 0 && self.guard.is_due();
        if !(scene.eventful || due) || !self.cut(scene, frames.clone(), due) {
            self.stretch(scene, frames, false, false);
        }
    }

    /// Renders the frames in stretches, if something of the step's changes in the quantum, or if a note is due that had to
    /// wait.
    fn cut(&mut self, scene: &mut Scene<'_>, frames: Range<usize>, due: bool) -> bool {
        let (mut moving, mut cuts, mut single) = (0, 0, 0);
        for (&index, held) in self.params.iter().zip(&self.held) {
            let (moves, begins) = scene.params.masks(index);
            (moving, cuts) = (moving | moves, cuts | begins);
            single |= if *held { moves } else { 0 };
        }
        let noted = self.port_ids.iter().fold(0, |mask, &id| mask | scene.notes.mask(id));
        if moving | cuts | noted == 0 && !due {
            return false;
        }
        for (cursor, &id) in self.cursors.iter_mut().zip(&self.port_ids) {
            *cursor = scene.notes.first(id);
        }
        if due {
            self.guard.resume();
            (0..self.ports.len()).for_each(|port| self.wake_where_it_begins(scene, port));
        }
        let bounds = cuts | noted | (moving ^ (moving << 1)) | single | (single << 1);
        let mut at = frames.start;
        while at < frames.end {
            let began = noted >> at & 1 != 0 && self.hear(scene, at) || due && at == 0;
            let moves = moving >> at & 1 != 0;
            self.stale |= moves || (cuts | noted) >> at & 1 != 0;
            let end = if began && !moves { at + 1 } else { next_bit(bounds, at).min(frames.end) };
            self.stretch(scene, at..end, began, moves);
            at = end;
        }
        true
    }

    /// Takes the notes of a frame. Whether one began.
    fn hear(&mut self, scene: &Scene<'_>, at: usize) -> bool {
        let mut began = false;
        for local in 0..self.ports.len() {
            while let Some(note) = scene.notes.take(&mut self.cursors[local], at) {
                note.apply(&mut self.ports[local]);
                if let NoteKind::On { .. } = note
                    && self.guard.note()
                {
                    began = true;
                    self.wake(scene, local);
                }
            }
        }
        began
    }

    /// Renders a stretch in which nothing begins after its first frame.
    fn stretch(&mut self, scene: &mut Scene<'_>, range: Range<usize>, began: bool, moves: bool) {
        if self.is_idle() {
            self.write_silence(range.clone());
            self.call_in_vain(scene, range);
        } else if began || moves {
            self.call(scene, Form::General, range);
            self.ports.iter_mut().for_each(|port| port.trig = 0);
        } else {
            self.set_up(scene, range.clone());
            self.call(scene, Form::Steady, range);
        }
    }

    /// Writes zeros, unless the step is silent for the whole part, when its outputs are not read.
    fn write_silence(&mut self, range: Range<usize>) {
        if !self.silent {
            self.outputs.fill(range, 0.0);
        }
    }

    /// Calls the step from now on even where it sleeps, into `buffer`, so that it can be measured what sleeping saves.
    pub(crate) fn never_skip(&mut self, buffer: *mut f32) {
        self.waste = Some(Pointers(vec![buffer; self.outputs.whole.0.len()]));
        self.tail.disable();
    }

    /// Calls it though it sleeps, where that was asked for. What it makes of its state is undone when it wakes.
    fn call_in_vain(&mut self, scene: &mut Scene<'_>, range: Range<usize>) {
        let Some(waste) = self.waste.as_ref().filter(|_| !self.guard.has_failed()) else { return };
        let outputs = waste.0.as_ptr();
        self.set_up(scene, range.clone());
        let call = Call { outputs, ..self.tables(scene.memory.state, scene.frame, range) };
        // SAFETY: as in `call`; the buffers hold a quantum.
        unsafe { self.invoke(scene.code, Form::Steady, &call) };
    }

    /// Before the first steady call after a change.
    fn set_up(&mut self, scene: &mut Scene<'_>, range: Range<usize>) {
        if self.stale {
            self.stale = false;
            self.call(scene, Form::Setup, range);
        }
    }

    fn call(&mut self, scene: &mut Scene<'_>, form: Form, range: Range<usize>) {
        if form != Form::Steady {
            for (value, &index) in self.values.iter_mut().zip(&self.params) {
                *value = scene.params.value(index, range.start);
            }
        }
        if form == Form::General {
            for (table, &index) in self.moving.0.iter_mut().zip(&self.params) {
                // SAFETY: the frames of a parameter are QUANTUM, and `range` begins before.
                *table = unsafe { scene.params.frames(index).add(range.start) }.cast_mut();
            }
        }
        let call = self.tables(scene.memory.state, scene.frame, range);
        // SAFETY: `Program::check` has compared the step's tables with the program, and they outlive the call.
        unsafe { self.invoke(scene.code, form, &call) };
    }

    /// Runs the block, which has one form and nothing to be set up, or the kernel.
    ///
    /// # Safety
    /// The call's tables are this runner's.
    unsafe fn invoke(&self, code: &dyn Code, form: Form, call: &Call) {
        match &self.block {
            // SAFETY: the caller's promise.
            Some(block) if form != Form::Setup => unsafe { block.run(call) },
            Some(_) => {}
            // SAFETY: the caller's promise.
            None => unsafe { code.call(self.kernel, form, call) },
        }
    }

    /// What the kernel is given for some frames of the quantum at `frame`.
    fn tables(&mut self, state: *mut u8, frame: u64, range: Range<usize>) -> Call {
        Call {
            // SAFETY: the step's block is within the state memory.
            state: unsafe { state.add(self.state) },
            delays: self.delays.0.as_ptr(),
            params: self.values.as_ptr(),
            moving: self.moving.0.as_ptr().cast(),
            inputs: self.inputs.from(range.start).cast(),
            outputs: self.outputs.from(range.start),
            ports: self.ports.as_ptr(),
            frame: frame.wrapping_add(range.start as u64) as u32,
            frames: range.len() as u32,
            block: self.block.as_ref().map_or(std::ptr::null(), |block| Arc::as_ptr(block).cast()),
        }
    }

    /// Its call in a quantum in which nothing changes; `None` where there is more to do than to call. Its `frame` is
    /// to be set.
    pub(crate) fn task(&mut self, code: &dyn Code, state: *mut u8) -> Option<Task> {
        let function = match &self.block {
            Some(_) => block::FUNCTION,
            None => code.function(self.kernel, Form::Steady)?,
        };
        let call = self.tables(state, 0, 0..QUANTUM);
        match &self.waste {
            _ if self.stale => None,
            Some(waste) if self.silent => {
                Some(Task { function, call: Call { outputs: waste.0.as_ptr(), ..call } })
            }
            _ => Some(Task { function, call }),
        }
    }

    /// How many quanta may be rendered in a row, if they can be rendered again: what they write into delay lines covers nothing that
    /// the first of them reads.
    pub(crate) fn quanta_ahead(&self) -> usize {
        self.delay_slack / QUANTUM
    }

    /// How many inputs and outputs it has.
    pub(crate) fn channels(&self) -> (usize, usize) {
        (self.inputs.whole.0.len(), self.outputs.whole.0.len())
    }

    /// Whether it need not be called.
    pub(crate) fn can_be_skipped(&self) -> bool {
        self.silent && (self.waste.is_none() || self.guard.has_failed())
    }

    /// How many parts it has.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The channels that are a part's own.
    pub(crate) fn outputs_of(&self, part: usize) -> Range<usize> {
        self.parts[part].clone()
    }

    /// Scales some frames that a part has rendered; over the whole quantum the gain would go from one to another.
    pub(crate) fn scale(&mut self, part: usize, from: f32, to: f32, frames: &Range<usize>) {
        if self.silent {
            return;
        }
        for &start in &self.outputs.whole.0[self.parts[part].clone()] {
            // SAFETY: every buffer has QUANTUM frames, and no kernel runs.
            let buffer = unsafe { std::slice::from_raw_parts_mut(start, QUANTUM) };
            for i in frames.clone() {
                buffer[i] *= from + (to - from) * (i + 1) as f32 / QUANTUM as f32;
            }
        }
    }

    /// What it has rendered on a channel of its own; nothing where it has none.
    pub(crate) fn output(&self, channel: usize) -> &[f32] {
        match self.outputs.whole.0.get(channel) {
            Some(_) if self.silent => &[0.0; QUANTUM],
            // SAFETY: every buffer has QUANTUM frames, and no kernel runs while the slice is used.
            Some(&start) => unsafe { std::slice::from_raw_parts(start, QUANTUM) },
            None => &[],
        }
    }

    /// A port goes on where another program's is: its notes.
    pub(crate) fn carry_port(&mut self, port: usize, from: &Runner, other: usize) {
        self.ports[port] = Port { active: self.ports[port].active, ..from.ports[other] };
        self.stale = true;
    }

    /// Takes over the tail detection of another program's step.
    pub(crate) fn carry_tail(&mut self, from: &Runner) {
        self.tail.carry(&from.tail);
    }

    /// Points a delay line elsewhere.
    pub(crate) fn move_line(&mut self, index: usize, to: *mut f32) {
        self.delays.0[index] = to;
    }
}

/// What a port shows before its first note: the pitch of a hit without one, and no velocity.
fn first_port(program: &Program, id: PortId, active: u32) -> Port {
    let mut port = Port { active, ..Port::default() };
    let hears = |target: &&crate::program::Target| target.voices.contains(&id) || target.monitor == Some(id);
    if let Some(target) = program.targets.iter().find(hears) {
        pitch(&mut port, target.default_note);
    }
    port
}

/// The first bit above `at`, or the quantum's end.
fn next_bit(bits: u64, at: usize) -> usize {
    let above = bits & !(u64::MAX >> (QUANTUM - 1 - at));
    above.trailing_zeros() as usize
}
