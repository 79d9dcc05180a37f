//! A program as constant tables, which `runtime/c/program.h` declares: written as C, or as the bytes of an object file.

use super::error::ExportError;
use super::score::{Pass, Row, Stretch, What};
use mam_runtime::ids::{DelayId, IdMap, ParamId, PortId, SignalId};
use mam_runtime::precedence::Priority;
use mam_runtime::voices::WAITING;
use mam_runtime::{Curve, ParamSlot, Program, Step, Target, note_frequency};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Events of a host that may wait.
pub(super) const EVENTS: usize = 32;
/// The version of the tables' form: `MAM_VERSION`.
const VERSION: usize = 4;
/// Which of the program's numbers is its bytes of memory.
const BYTES: usize = 1;
/// What stands for nothing.
const NONE: u32 = u32::MAX;
/// The parameters with the voices' shares of them, where there are such.
const EVERY: &str = "every";
/// Frames of a quantum.
const QUANTUM: usize = mam_runtime::QUANTUM;
/// Bytes of the engine's own fields, at most.
const ENGINE_BYTES: usize = 512;

/// Bytes of a note that a voice holds, or that waits for one.
const HELD_BYTES: usize = 56;

/// Notes that may wait for a voice, of all instruments.
fn waits(program: &Program) -> usize {
    WAITING * program.targets.iter().filter(|target| target.priority.is_some()).count()
}

/// A constant array of rows.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its name in C.
    pub name: &'static str,
    /// The C type of a row.
    pub row_type: &'static str,
    /// The fields of each row.
    pub rows: Vec<Vec<Field>>,
}

/// A field of a row.
#[derive(Clone, Debug)]
pub enum Field {
    /// A number of 32 bits.
    Word(u32),
    /// A stretch of the pool: its first entry, and how many.
    List(u32, u32),
    /// A double.
    Double(f64),
    /// A string.
    Text(String),
    /// The three functions of a kernel.
    Kernel(usize),
    /// The address of another array's first row; 0 where that is empty.
    Address(&'static str),
}

/// The tables of a program.
#[derive(Clone, Debug)]
pub struct Tables {
    /// All arrays; the last one is the program itself, a row that refers to the others.
    pub arrays: Vec<Array>,
    /// Bytes of memory that the program takes.
    pub bytes: usize,
    /// How many parameters can be set: those that something in the sound follows.
    pub params: usize,
    /// Names of the instruments, in order.
    pub instruments: Vec<String>,
}

/// Makes the tables of a program. `guard` is how much room stands before and after each delay line.
///
/// # Errors
/// Where something is too large for the tables.
pub(super) fn tables(
    program: &Program,
    pass: &Pass,
    guard: usize,
    kernels: usize,
) -> Result<Tables, ExportError> {
    let mut maker = Maker::new(program);
    program.steps.iter().enumerate().for_each(|(index, step)| maker.step(index, step));
    maker.finish(pass, guard, kernels)
}

/// Tables in the making.
struct Maker<'p> {
    program: &'p Program,
    pool: Vec<u32>,
    steps: Vec<Vec<Field>>,
    ports: Vec<Vec<Field>>,
    voices: Vec<Vec<Field>>,
    /// The parameters that steps read, by their voices' shares too, and their new places: the shares are the last.
    params: Vec<ParamId>,
    /// How many of them are no shares.
    settable: usize,
    places: FxHashMap<ParamId, u32>,
    /// Where each signal comes from: a channel of the input, and then steps.
    origins: IdMap<SignalId, u32>,
    /// Entries of a step's tables, at most.
    most: Most,
}

#[derive(Default)]
struct Most {
    params: usize,
    delays: usize,
    inputs: usize,
    outputs: usize,
}

impl<'p> Maker<'p> {
    fn new(program: &'p Program) -> Maker<'p> {
        let mut origins = IdMap::filled(NONE, program.buffers.len());
        for (channel, &signal) in program.inputs.iter().enumerate() {
            origins[signal] = channel as u32;
        }
        let mut read = vec![false; program.params.len()];
        for &param in program.steps.iter().flat_map(|step| &step.params) {
            read[param.index()] = true;
            if let Some(base) = program.params[param].follows {
                read[base.index()] = true;
            }
        }
        let read = program.params.ids().filter(|param| read[param.index()]);
        let is_share = |param: &ParamId| program.params[*param].follows.is_some();
        let (shares, mut params): (Vec<ParamId>, Vec<ParamId>) = read.partition(is_share);
        let settable = params.len();
        params.extend(shares);
        let places = params.iter().enumerate().map(|(place, param)| (*param, place as u32)).collect();
        let (pool, steps, ports, voices) = (vec![], vec![], vec![], vec![]);
        let most = Most::default();
        Maker { program, pool, steps, ports, voices, params, settable, places, origins, most }
    }

    fn list(&mut self, entries: impl IntoIterator<Item = u32>) -> Field {
        let first = self.pool.len();
        self.pool.extend(entries);
        Field::List(first as u32, (self.pool.len() - first) as u32)
    }

    /// First and last byte of each range, from a byte on.
    fn ranges(&mut self, ranges: &[Range<usize>], from: usize) -> Field {
        self.list(ranges.iter().flat_map(|range| [from + range.start, from + range.end]).map(|at| at as u32))
    }

    fn step(&mut self, index: usize, step: &Step) {
        let program = self.program;
        let (first_port, first_voice) = (self.ports.len(), self.voices.len());
        for (local, &port) in step.ports.iter().enumerate() {
            let has_voice = step.voices.iter().any(|voice| voice.port == local);
            let note = default_note(program, port);
            self.ports.push(vec![
                Field::Double(note.unwrap_or(0.0)),
                Field::Double(note.map_or(0.0, note_frequency)),
                Field::Word(port.index() as u32),
                Field::Word(u32::from(!has_voice)),
            ]);
        }
        for voice in &step.voices {
            let bytes = self.ranges(&voice.bytes, 0);
            let words = [voice.port, voice.until, voice.delays.start, voice.delays.len()]
                .map(|x| Field::Word(x as u32));
            self.voices.push(words.into_iter().chain([bytes]).collect());
        }
        // A step that borrows a line does not sleep.
        let longest = step.delays.iter().map(|&line| program.delays[line].frames).max().unwrap_or(0);
        let flags = u32::from(step.can_sleep) | u32::from(!step.copies.is_empty()) << 1;
        let words = [step.kernel as usize, step.state, step.state_bytes, flags as usize, longest];
        let places = [first_port, step.ports.len(), first_voice, step.voices.len()];
        let mut fields: Vec<Field> = words.into_iter().chain(places).map(|x| Field::Word(x as u32)).collect();
        let line = |(place, line): (usize, &DelayId)| {
            2 * line.index() as u32 + u32::from(step.borrowed.contains(&place))
        };
        fields.push(self.list(step.delays.iter().enumerate().map(line)));
        let params = step.params.iter().zip(&step.per_call);
        let params: Vec<u32> =
            params.map(|(param, per_call)| 2 * self.places[param] + u32::from(*per_call)).collect();
        fields.push(self.list(params));
        let buffers = step.inputs.iter().map(|signal| program.buffers[*signal].index() as u32);
        let origins = step.inputs.iter().map(|signal| self.origins[*signal]);
        let inputs: Vec<u32> = buffers.chain(origins).collect();
        fields.push(self.list(inputs));
        fields.push(self.list(step.outputs.iter().map(|signal| program.buffers[*signal].index() as u32)));
        fields.push(self.ranges(&step.singles, step.state));
        fields.push(self.ranges(&step.doubles, step.state));
        let words = step.parts.iter().flat_map(|part| part.states.iter());
        let words = words.filter(|_| step.can_sleep);
        fields.push(
            self.list(words.map(|word| 2 * (step.state + word.offset) as u32 + u32::from(word.bytes == 8))),
        );
        self.steps.push(fields);
        // A copy is as silent as what it is a copy of.
        let copied: Vec<u32> = step.copies.iter().map(|signal| self.origins[*signal]).collect();
        for (place, &signal) in step.outputs.iter().enumerate() {
            let own = (program.inputs.len() + index) as u32;
            self.origins[signal] = copied.get(place).copied().unwrap_or(own);
        }
        self.most.params = self.most.params.max(step.params.len());
        self.most.delays = self.most.delays.max(step.delays.len());
        self.most.inputs = self.most.inputs.max(step.inputs.len());
        self.most.outputs = self.most.outputs.max(step.outputs.len());
    }

    fn finish(mut self, pass: &Pass, guard: usize, kernels: usize) -> Result<Tables, ExportError> {
        let program = self.program;
        let targets: Vec<Vec<Field>> = program.targets.iter().map(|target| self.target(target)).collect();
        let (lines, line_frames) = lines(&program.delays, guard);
        let counts = self.counts(pass, guard, line_frames)?;
        let bytes = counts[BYTES];
        let image = program.state.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        let has_targets = !program.targets.is_empty();
        let pitches = || (0..128).map(|key| pitch(program, f64::from(key)));
        let keys = pitches().filter(|_| has_targets).map(note_frequency);
        let tuning = pitches().filter(|_| program.score.tuning.is_some());
        let ends = self.ends();
        let events = self.events(pass);
        let passes = self.passes(pass);
        let shares = self.shares();
        let rows = |params: &[ParamId]| -> Vec<_> {
            params.iter().map(|param| param_row(program, &program.params[*param])).collect()
        };
        // The public ones are those that can be set; the program has the shares behind them.
        let every = if shares.is_empty() { vec![] } else { rows(&self.params) };
        let every = array(EVERY, "MamParam", every);
        let has_shares = !every.rows.is_empty();
        let mut arrays = vec![
            words_of("pool", self.pool.iter().copied()),
            words_of("image", image),
            words_of("ends", ends),
            array("kernels", "MamForms", (0..kernels).map(|kernel| vec![Field::Kernel(kernel)])),
            array("steps", "MamStep", self.steps),
            array("ports", "MamPortSpec", self.ports),
            array("voices", "MamVoice", self.voices),
            array("lines", "MamLine", lines),
            array("params", "MamParam", rows(&self.params[..self.settable])),
            array("targets", "MamTarget", targets),
            array("events", "MamEvent", events),
            array("passes", "MamPass", passes),
            doubles("numbers", pass.numbers.iter().copied()),
            doubles("keys", keys),
            doubles("tuning", tuning),
            array("shares", "MamShares", shares),
        ];
        let addresses = arrays.iter().map(|array| match array.name {
            "params" if has_shares => Field::Address(EVERY),
            name => Field::Address(name),
        });
        let row = counts.into_iter().map(|x| Field::Word(x as u32)).chain(addresses).collect();
        arrays.push(every);
        arrays.push(Array { name: "program", row_type: "MamProgram", rows: vec![row] });
        let instruments = program.targets.iter().map(|target| target.name.to_string()).collect();
        Ok(Tables { arrays, bytes, params: self.settable, instruments })
    }

    fn target(&mut self, target: &Target) -> Vec<Field> {
        let voices = self.list(target.voices.iter().map(|port| port.index() as u32));
        let shares = target.note_params.iter().flat_map(|own| &own.voices);
        let own: Vec<u32> = shares.map(|share| self.places.get(share).copied().unwrap_or(NONE)).collect();
        let own = self.list(own);
        let monitor = target.monitor.map_or(NONE, |port| port.index() as u32);
        let priority = match target.priority {
            None => 0,
            Some(Priority::Last) => 1,
            Some(Priority::Low) => 2,
            Some(Priority::High) => 3,
        };
        vec![voices, own, Field::Word(monitor), Field::Word(priority)]
    }

    /// Of each parameter the voices' shares of it, or what it is a share of; nothing where there are no shares.
    fn shares(&mut self) -> Vec<Vec<Field>> {
        if self.settable == self.params.len() {
            return vec![];
        }
        let program = self.program;
        let base = |param: &ParamId| program.params[*param].follows;
        let row = |param: &ParamId| {
            let shares = self.params[self.settable..].iter().filter(|share| base(share) == Some(*param));
            let shares: Vec<u32> = shares.map(|share| self.places[share]).collect();
            (shares, base(param).map_or(NONE, |base| self.places[&base]))
        };
        let rows: Vec<(Vec<u32>, u32)> = self.params.iter().map(row).collect();
        rows.into_iter().map(|(shares, follows)| vec![self.list(shares), Field::Word(follows)]).collect()
    }

    /// The buffers of the song's inputs and outputs, and where each output comes from.
    fn ends(&self) -> Vec<u32> {
        let program = self.program;
        let signals = program.inputs.iter().chain(&program.outputs);
        let buffers = signals.map(|signal| program.buffers[*signal].index() as u32);
        buffers.chain(program.outputs.iter().map(|signal| self.origins[*signal])).collect()
    }

    /// The numbers that `MamProgram` begins with, in its order.
    fn counts(&self, pass: &Pass, guard: usize, line_frames: usize) -> Result<Vec<usize>, ExportError> {
        let program = self.program;
        let most_voices = program.targets.iter().map(|target| target.voices.len()).max().unwrap_or(0);
        let notes = 2 * (pass.most_notes + most_voices + program.ports) + EVENTS + 2;
        let waits = waits(program);
        let sizes = Sizes { program, maker: self, notes, line_frames };
        let bytes = u32::try_from(sizes.bytes()).map_err(|_| ExportError::TooMuchMemory)? as usize;
        Ok(vec![
            VERSION,
            bytes,
            program.rate as usize,
            guard,
            self.steps.len(),
            program.ports,
            program.delays.len(),
            line_frames,
            self.params.len(),
            program.targets.len(),
            program.state.len() / 4,
            program.buffer_count(),
            program.inputs.len(),
            program.outputs.len(),
            self.ports.len(),
            self.voices.len(),
            self.most.params,
            self.most.delays,
            self.most.inputs,
            self.most.outputs,
            notes,
            EVENTS,
            self.heard(&pass.rows),
            pass.stretches.len(),
            pass.parts as usize,
            most_voices,
            waits,
            self.settable,
        ])
    }

    /// Whether an event changes something that is heard: a parameter that no step reads is left out.
    fn is_heard(&self, what: What) -> bool {
        match what {
            What::Set { param, .. } => self.places.contains_key(&param),
            What::On { .. } | What::Off { .. } => true,
        }
    }

    fn heard(&self, rows: &[Row]) -> usize {
        rows.iter().filter(|row| self.is_heard(row.what)).count()
    }

    fn passes(&self, pass: &Pass) -> Vec<Vec<Field>> {
        let place = |row: usize| self.heard(&pass.rows[..row]) as u32;
        let row = |own: &Stretch| {
            let [first, over, end] = [own.first, own.over, own.end].map(place);
            [first, over, end, own.frames, own.rest].map(Field::Word).to_vec()
        };
        pass.stretches.iter().map(row).collect()
    }

    fn events(&self, pass: &Pass) -> Vec<Vec<Field>> {
        let mut places = vec![];
        let mut rows = vec![];
        for row in &pass.rows {
            places.push(rows.len() as u32);
            if !self.is_heard(row.what) {
                continue;
            }
            let what = match row.what {
                What::Set { param, curve } => 8 * self.places[&param] + curve.map_or(3, curve_number),
                What::On { target } => 8 * target as u32 + 6,
                What::Off { row } => 8 * places[row] + 7,
            };
            rows.push([row.frame, what, row.number, row.ramp].map(Field::Word).to_vec());
        }
        rows
    }
}

/// The note of a port before its first one: that of a hit without a pitch.
fn default_note(program: &Program, port: PortId) -> Option<f64> {
    let mut targets = program.targets.iter();
    targets
        .find(|target| target.voices.contains(&port) || target.monitor == Some(port))
        .map(|t| t.default_note)
}

/// The pitch of a key in the song's tuning.
fn pitch(program: &Program, key: f64) -> f64 {
    program.score.tuning.as_ref().map_or(key, |tuning| tuning.pitch(key))
}

fn curve_number(curve: Curve) -> u32 {
    match curve {
        Curve::Linear => 0,
        Curve::Exp => 1,
        Curve::Step => 2,
    }
}

fn param_row(program: &Program, slot: &ParamSlot) -> Vec<Field> {
    let initial = slot.follows.map_or(slot.default, |base| program.params[base].default);
    let end = |x: f64| Field::Double(x.clamp(f64::MIN, f64::MAX));
    vec![
        Field::Text(slot.name.to_string()),
        end(slot.min),
        end(slot.max),
        Field::Double(initial),
        Field::Word(curve_number(slot.curve)),
        Field::Word(slot.smooth),
        Field::Word(param_id(&slot.name)),
        Field::Word(0),
    ]
}

/// A number of 31 bits that follows from a parameter's path alone (FNV-1a, Fowler, Noll and Vo), so that what refers to a
/// parameter by it is not changed by edits elsewhere.
fn param_id(path: &str) -> u32 {
    let hash =
        path.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash & 0x7fff_ffff
}

/// Where each line begins among all, and how many frames all take.
fn lines(delays: &IdMap<DelayId, mam_runtime::DelaySpec>, guard: usize) -> (Vec<Vec<Field>>, usize) {
    let mut at = 0;
    let mut rows = vec![];
    for line in delays.values() {
        rows.push(vec![Field::Word(at as u32), Field::Word(line.frames as u32)]);
        at += line.frames;
    }
    let all = at + 2 * guard * rows.len();
    (rows, all)
}

fn array(name: &'static str, row_type: &'static str, rows: impl IntoIterator<Item = Vec<Field>>) -> Array {
    Array { name, row_type, rows: rows.into_iter().collect() }
}

fn words_of(name: &'static str, words: impl IntoIterator<Item = u32>) -> Array {
    array(name, "uint32_t", words.into_iter().map(|word| vec![Field::Word(word)]))
}

fn doubles(name: &'static str, all: impl IntoIterator<Item = f64>) -> Array {
    array(name, "double", all.into_iter().map(|x| vec![Field::Double(x)]))
}

/// How much memory a program takes: `lay_out` of `engine.c`, where a pointer has eight bytes.
struct Sizes<'a> {
    program: &'a Program,
    maker: &'a Maker<'a>,
    notes: usize,
    line_frames: usize,
}

impl Sizes<'_> {
    fn bytes(&self) -> usize {
        let (program, maker) = (self.program, self.maker);
        let Most { params, delays, inputs, outputs } = maker.most;
        let stretches = [
            (1, ENGINE_BYTES),
            (program.state.len() / 4, 4),
            (self.line_frames, 4),
            ((program.buffer_count() + 1) * QUANTUM, 4),
            (params * QUANTUM, 4),
            (maker.params.len() * QUANTUM, 8),
            (params, 8),
            (maker.params.len(), 80),
            (maker.params.len(), 4),
            (maker.params.len(), 4),
            (program.steps.len(), 20),
            (maker.ports.len(), 40),
            (maker.voices.len(), 1),
            (program.targets.len(), 1),
            (self.notes, 40),
            (program.ports, 16),
            (program.ports, HELD_BYTES),
            (waits(program), HELD_BYTES),
            (EVENTS, 32),
            (delays, 8),
            (params, 8),
            (inputs, 8),
            (outputs, 8),
        ];
        stretches.iter().map(|(count, size)| (count * size).next_multiple_of(64)).sum()
    }
}
