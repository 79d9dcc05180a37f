//! A score as a table: what the sequencer gives for one pass, with notes in the place of the voices that play them.

use super::error::ExportError;
use mam_runtime::ids::{ParamId, PortId};
use mam_runtime::score::{Change, Clock, Extent, Frames, Rational, Sequencer, TempoMap};
use mam_runtime::voices::WAITING;
use mam_runtime::{Curve, Event, EventKind, Program, QUANTUM, Target, note_frequency};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::iter;
use std::ops::ControlFlow;

/// The events of a score: of its first pass, and, where the others are not as that, of one that all others are as.
#[derive(Clone, Debug, Default)]
pub(super) struct Pass {
    pub(super) rows: Vec<Row>,
    /// Values of the rows, each row's in a row, none twice.
    pub(super) numbers: Vec<f64>,
    /// The passes that differ; the last one comes again and again.
    pub(super) stretches: Vec<Stretch>,
    /// Into how many parts a frame is divided.
    pub(super) parts: u32,
    /// Notes that begin or end on a port within a quantum, at most.
    pub(super) most_notes: usize,
}

/// The rows and the length of a pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch {
    /// The first of its rows, in the rows of all passes.
    pub(super) first: usize,
    /// The first of those that end notes after the pass.
    pub(super) over: usize,
    /// Behind the last of them.
    pub(super) end: usize,
    /// Whole frames of the pass.
    pub(super) frames: u32,
    /// Parts of a frame beyond them.
    pub(super) rest: u32,
}

/// An event of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// From the beginning of its pass.
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

/// What a score becomes: so much of it, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// The length of a pass. Each pass begins at the frame that is nearest to where the others before it end.
    pub length: Frames,
    /// Whether the song ends there by itself, so that what begins later is not played. The tempo of a song that does not start
    /// over is then the last one in all other passes.
    pub once: bool,
}

/// Events that a table holds at most: 6 MB of it, and ten times as much text.
const MOST_EVENTS: usize = 1 << 18;

impl Pass {
    /// The table of a program's score.
    pub(super) fn new(program: &Program, score: Score) -> Result<Pass, ExportError> {
        let targets = unallocated(program);
        let mut table = Table::new(program, &targets);
        let extent = if score.once { Extent::Once } else { Extent::Forever };
        table.stretch(0, score.length.round(), extent)?;
        let again = later_passes(program, score);
        if let Some(length) = again {
            table.stretch(score.length.round(), length.round(), Extent::Forever)?;
        }
        let lengths: Vec<Frames> = iter::once(score.length).chain(again).collect();
        table.pass.parts = parts(&lengths);
        for (stretch, length) in table.pass.stretches.iter_mut().zip(lengths) {
            let (frames, rest) = divided(length, table.pass.parts);
            (stretch.frames, stretch.rest) = (u32::try_from(frames).map_err(|_| ExportError::TooLong)?, rest);
        }
        Ok(table.pass)
    }

    /// Frames of the first pass.
    pub(super) fn frames(&self) -> u32 {
        let first = self.stretches.first().copied().unwrap_or_default();
        first.frames + u32::from(first.rest >= self.parts.div_ceil(2))
    }
}

/// The length of all passes but the first, where they are not as that: the tempo of a song that does not start over stays as
/// it is at the end of the first.
fn later_passes(program: &Program, score: Score) -> Option<Frames> {
    let [transport] = &program.score.transports[..] else { return None };
    let [_, .., last] = transport.tempo.changes[..] else { return None };
    if !score.once || transport.restarts || last.bar > transport.length {
        return None;
    }
    let tempo = TempoMap { changes: vec![Change { bar: Rational::ZERO, ..last }], ..transport.tempo.clone() };
    Some(Clock::new(&tempo, program.rate).plain(transport.length))
}

/// Into how many parts a frame is divided so that lengths are whole numbers of them: of lengths that are no fractions, or of too
/// many parts, nearly.
fn parts(lengths: &[Frames]) -> u32 {
    const MOST: u32 = 1 << 31;
    let common = lengths.iter().try_fold(Rational::ONE, |common, length| match length {
        Frames::Exact(x) => common.common_multiple(Rational::new(x.den(), 1).ok()?).ok(),
        Frames::Near(_) => None,
    });
    common.and_then(|common| u32::try_from(common.num()).ok()).filter(|&parts| parts <= MOST).unwrap_or(MOST)
}

/// A length as whole frames and parts of one.
fn divided(length: Frames, parts: u32) -> (u64, u32) {
    let exact = |x: Rational| {
        let rest = (x.fract() * Rational::whole(parts.into())).ok()?;
        Some((u64::try_from(x.floor()).ok()?, u32::try_from(rest.round()).ok()?))
    };
    let nearest = |x: f64| (x.floor() as u64, ((x - x.floor()) * f64::from(parts)).round() as u32);
    let (frames, rest) = match length {
        Frames::Exact(x) => exact(x).unwrap_or_else(|| nearest(x.to_f64())),
        Frames::Near(x) => nearest(x),
    };
    if rest < parts { (frames, rest) } else { (frames + 1, 0) }
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

    /// Adds a pass of so many frames that begins at a frame of the song.
    fn stretch(&mut self, start: u64, frames: u64, extent: Extent) -> Result<(), ExportError> {
        let program = self.program;
        let until = match extent {
            Extent::Once => u64::from(u32::MAX),
            // The end of a note is no longer looked for beyond.
            Extent::Forever => start.saturating_add(frames.saturating_mul(2).max(QUANTUM as u64)),
        };
        let mut events = vec![];
        let mut sequencer =
            Sequencer::new(program.rate, self.instruments, &program.params, &program.score, extent);
        let played = sequencer.play(until, |more| {
            events.extend(more.iter().filter(|event| event.frame >= start));
            if events.len() > MOST_EVENTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if played.is_break() {
            return Err(ExportError::TooManyEvents);
        }
        self.playing.clear();
        let first = self.pass.rows.len();
        let over = events.partition_point(|event: &Event| event.frame - start < frames.max(1));
        for event in &events[..over] {
            self.add(event, start, false)?;
        }
        let over_row = self.pass.rows.len();
        for event in &events[over..] {
            self.add(event, start, true)?;
        }
        let own = Stretch { first, over: over_row, end: self.pass.rows.len(), ..Stretch::default() };
        self.pass.stretches.push(own);
        self.pass.most_notes = self.pass.most_notes.max(most_within_a_quantum(&events));
        Ok(())
    }

    /// Adds an event of a pass that begins at a frame; of those beyond the pass only the ends of its notes.
    fn add(&mut self, event: &Event, start: u64, is_over: bool) -> Result<(), ExportError> {
        let frame = u32::try_from(event.frame - start).map_err(|_| ExportError::TooLong)?;
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
