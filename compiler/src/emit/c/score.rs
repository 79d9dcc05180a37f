//! A score as a table: what the sequencer gives for one pass, with notes in the place of the voices that play them.

use super::error::ExportError;
use mam_runtime::ids::{ParamId, PortId};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::voices::WAITING;
use mam_runtime::{Curve, Event, EventKind, Program, QUANTUM, Target, note_frequency};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// The events of one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Pass {
    pub(super) rows: Vec<Row>,
    /// Values of the rows, each row's in a row, none twice.
    pub(super) numbers: Vec<f64>,
    /// Frames of a pass.
    pub(super) frames: u32,
    /// How many rows are of the pass itself; the others end notes after it.
    pub(super) within: usize,
    /// Notes that begin or end on a port within a quantum, at most.
    pub(super) most_notes: usize,
}

/// An event of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) frame: u32,
    pub(super) what: What,
    /// The first of its numbers.
    pub(super) number: u32,
    /// Frames of a set's ramp.
    pub(super) ramp: u32,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A parameter is set.
    Set { param: ParamId, curve: Option<Curve> },
    /// A note of an instrument begins.
    On { target: usize },
    /// The note of a row ends.
    Off { row: usize },
}

/// What a score becomes: the first pass, and no more than so many frames of it.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Frames of a pass.
    pub frames: u64,
    /// Whether the song ends there by itself, so that what begins later is not played.
    pub once: bool,
}

/// Events that a table holds at most: 6 MB of it, and ten times as much text.
const MOST_EVENTS: usize = 1 << 18;

/// Frames beyond which the end of a note is no longer looked for.
fn latest(score: Score) -> u64 {
    score.frames.saturating_mul(2).max(QUANTUM as u64)
}

impl Pass {
    /// The table of a program's score.
    pub(super) fn new(program: &Program, score: Score) -> Result<Pass, ExportError> {
        let extent = if score.once { Extent::Once } else { Extent::Forever };
        let until = if score.once { u64::from(u32::MAX) } else { latest(score) };
        let mut events = vec![];
        let targets = unallocated(program);
        let mut sequencer = Sequencer::new(program.rate, &targets, &program.params, &program.score, extent);
        let played = sequencer.play(until, |more| {
            events.extend_from_slice(more);
            if events.len() > MOST_EVENTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if played.is_break() {
            return Err(ExportError::TooManyEvents);
        }
        let frames = u32::try_from(score.frames).map_err(|_| ExportError::TooLong)?;
        let mut table = Table::new(program, &targets);
        let mut within = None;
        for event in &events {
            let is_over = event.frame >= score.frames.max(1);
            if is_over && within.is_none() {
                within = Some(table.pass.rows.len());
            }
            table.add(event, is_over)?;
        }
        let rows = table.pass.rows.len();
        let most_notes = most_within_a_quantum(&events);
        Ok(Pass { frames, within: within.unwrap_or(rows), most_notes, ..table.pass })
    }
}

/// A table in the making.
struct Table<'p> {
    program: &'p Program,
    /// The instruments as they are played.
    instruments: &'p [Target],
    /// The instrument of each voice's port.
    targets: FxHashMap<PortId, usize>,
    /// The row of the note that a port plays.
    playing: FxHashMap<PortId, usize>,
    known: FxHashMap<Vec<u64>, u32>,
    /// What the note that begins next gives to its voice: values of the voice's shares.
    given: FxHashMap<ParamId, f64>,
    pass: Pass,
}

impl<'p> Table<'p> {
    fn new(program: &'p Program, instruments: &'p [Target]) -> Table<'p> {
        let voices = instruments.iter().enumerate();
        let targets = voices.flat_map(|(target, found)| found.voices.iter().map(move |port| (*port, target)));
        let (targets, playing, known) = (targets.collect(), FxHashMap::default(), FxHashMap::default());
        Table {
            program,
            instruments,
            targets,
            playing,
            known,
            given: FxHashMap::default(),
            pass: Pass::default(),
        }
    }

    /// Adds an event; of those beyond the pass only the ends of its notes.
    fn add(&mut self, event: &Event, is_over: bool) -> Result<(), ExportError> {
        let frame = u32::try_from(event.frame).map_err(|_| ExportError::TooLong)?;
        let (what, numbers, ramp) = match event.kind {
            EventKind::Set { .. } if is_over => return Ok(()),
            EventKind::Set { param, value, ramp, curve } => {
                let goes = curve.unwrap_or(self.program.params[param].curve);
                (What::Set { param, curve }, vec![value, goes.fall_per_frame(ramp)], ramp)
            }
            EventKind::On { port, note, vel } => {
                let Some(&target) = self.targets.get(&port) else { return Ok(()) };
                let ended = self.playing.remove(&port);
                if is_over {
                    // Another note takes the voice, which is as good as an end.
                    let Some(row) = ended else { return Ok(()) };
                    (What::Off { row }, vec![], 0)
                } else {
                    if let Some(row) = ended.filter(|_| self.instruments[target].priority.is_some()) {
                        self.pass.rows.push(Row { frame, what: What::Off { row }, number: 0, ramp: 0 });
                    }
                    self.playing.insert(port, self.pass.rows.len());
                    let mut numbers = vec![note, note_frequency(note), vel];
                    numbers.extend(self.values(&self.instruments[target], port));
                    (What::On { target }, numbers, 0)
                }
            }
            EventKind::NoteValue { param, value, .. } => {
                match value {
                    Some(value) => self.given.insert(param, value),
                    None => self.given.remove(&param),
                };
                return Ok(());
            }
            // Controllers alone bend pitches.
            EventKind::Pitch { .. } => return Ok(()),
            EventKind::Off { port } => {
                let Some(row) = self.playing.remove(&port) else { return Ok(()) };
                (What::Off { row }, vec![], 0)
            }
        };
        let number = self.number(numbers);
        self.pass.rows.push(Row { frame, what, number, ramp });
        Ok(())
    }

    /// What a note gives to its voice: for each parameter of which the voice has a share, 1 and a value, or 0 and 0.
    fn values(&self, target: &Target, port: PortId) -> Vec<f64> {
        let voice = target.voices.iter().position(|own| *own == port);
        let value = |voices: &[ParamId]| self.given.get(voices.get(voice?)?).copied();
        let values = target.note_params.iter().map(|own| value(&own.voices));
        values.flat_map(|value| value.map_or([0.0, 0.0], |value| [1.0, value])).collect()
    }

    /// The place of some numbers.
    fn number(&mut self, numbers: Vec<f64>) -> u32 {
        if numbers.is_empty() {
            return 0;
        }
        let all = &mut self.pass.numbers;
        let bits = numbers.iter().map(|x| x.to_bits()).collect();
        *self.known.entry(bits).or_insert_with(|| {
            let first = all.len();
            all.extend(numbers);
            first as u32
        })
    }
}

/// The instruments of a program; one with a priority has a voice for each note that it may hold, so that all that are held are
/// known: the engine allocates them, together with those of its host.
fn unallocated(program: &Program) -> Vec<Target> {
    let (mut port, mut param) = (program.ports, program.params.len());
    let mut targets = program.targets.clone();
    for target in targets.iter_mut().filter(|target| target.priority.is_some()) {
        let count = target.voices.len() + WAITING;
        target.voices = (port..port + count).map(PortId::new).collect();
        port += count;
        for own in &mut target.note_params {
            own.voices = (param..param + count).map(ParamId::new).collect();
            param += count;
        }
    }
    targets
}

/// Notes that begin or end in so many frames as a quantum has, at most, wherever these begin.
fn most_within_a_quantum(events: &[Event]) -> usize {
    let (mut window, mut most): (VecDeque<u64>, usize) = (VecDeque::new(), 0);
    let is_note = |event: &&Event| matches!(event.kind, EventKind::On { .. } | EventKind::Off { .. });
    for event in events.iter().filter(is_note) {
        while window.front().is_some_and(|first| first + (QUANTUM as u64) <= event.frame) {
            window.pop_front();
        }
        window.push_back(event.frame);
        most = most.max(window.len());
    }
    most
}
