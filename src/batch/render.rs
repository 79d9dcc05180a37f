//! Rows rendered one after the other, in one engine.

use super::machine::{Machine, Performance};
use super::{Row, RowNote, Subject};
use crate::report::{finite, unplayed};
use mam_compiler::Stages;
use mam_runtime::render::EventSource;
use mam_runtime::score::{Extent, PlayedNote, Score, Sequencer, performance};
use mam_runtime::{Event, Frames};
use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Renders rows of one length on the thread that it is on.
pub struct RowRenderer<'s> {
    subject: &'s Subject,
    machine: Box<Machine>,
    /// What tells the score of a seed; compiled when it is first needed.
    stages: OnceCell<Option<Stages>>,
    sound: Vec<f32>,
}

impl<'s> RowRenderer<'s> {
    /// Renders `frames` frames of each row.
    pub fn new(subject: &'s Subject, frames: u64) -> RowRenderer<'s> {
        let machine = subject
            .idle
            .take(frames)
            .unwrap_or_else(|| Box::new(Machine::new(&subject.program, subject.channels(), frames)));
        RowRenderer { subject, machine, stages: OnceCell::new(), sound: vec![] }
    }

    /// The frames of a row, interleaved, and what did not sound as it should, in sentences.
    pub fn render(&mut self, row: &Row) -> (&[f32], Vec<String>) {
        let mut sound = std::mem::take(&mut self.sound);
        sound.resize(self.machine.frames as usize * self.subject.channels(), 0.0);
        let faults = self.render_into(row, Layout::Interleaved, &mut sound);
        self.sound = sound;
        (&self.sound, faults)
    }

    /// Renders a row into `out`, which has room for exactly its frames; returns what did not sound as it should.
    fn render_into(&mut self, row: &Row, layout: Layout, out: &mut [f32]) -> Vec<String> {
        let mut planes: Vec<&mut [f32]> = vec![];
        let mut places = match layout {
            Layout::Interleaved => Frames::Interleaved { data: out, channels: self.subject.channels() },
            Layout::Planar => {
                planes.extend(out.chunks_exact_mut((self.machine.frames as usize).max(1)));
                Frames::Planar(&mut planes)
            }
        };
        let mut done = 0;
        self.blocks(row, |block| {
            let length = block.first().map_or(0, Vec::len);
            places.write(done, |channel| &block[channel], length);
            done += length;
        })
    }

    /// The frames of a row, block by block, each one vector a channel; and what did not sound as it should.
    pub fn blocks(&mut self, row: &Row, mut take: impl FnMut(&[Vec<f32>])) -> Vec<String> {
        self.begin(row);
        while let Some(block) = self.machine.renderer.next_block() {
            take(block);
        }
        let failures = self.machine.renderer.not_finite();
        let cycles = self.machine.renderer.source().unplayed();
        let program = &self.subject.program;
        let mut faults: Vec<String> = failures.iter().map(|f| finite::sentence(f, program)).collect();
        let reached = cycles.iter().filter(|cycle| cycle.frame < self.machine.frames);
        faults.extend(reached.map(|cycle| unplayed::sentence(cycle, program)));
        faults
    }

    /// Goes to the start of a row.
    fn begin(&mut self, row: &Row) {
        let stages = &self.stages;
        let subject = self.subject;
        let program = Arc::make_mut(&mut self.machine.spare);
        program
            .params
            .values_mut()
            .zip(subject.program.params.values())
            .for_each(|(to, from)| to.default = from.default);
        for &(param, value) in &row.sets {
            program.params[param].default = value;
        }
        subject.reseed(program, row.seed.unwrap_or(subject.seed()));
        if row.notes.is_none() {
            let drawn = || stages.get_or_init(|| subject.score_stages()).as_ref();
            program.score = score(subject, row, drawn);
        }
        let performance = match &row.notes {
            Some(notes) => Performance::Notes(self.events(notes).into_iter()),
            None => {
                Performance::Score(Box::new(Sequencer::for_program(&self.machine.spare, Extent::Forever)))
            }
        };
        let program = self.machine.spare.clone();
        // The engine lets go of the variant before, which is then free for the next row.
        self.machine.spare = self.machine.renderer.program().clone();
        self.machine.renderer.restart(program, performance);
    }

    /// Leaves its engine to who renders rows of the song next.
    pub fn rest(self) {
        self.subject.idle.put(self.machine);
    }

    /// The events of a row's notes.
    fn events(&self, notes: &[RowNote]) -> Vec<Event> {
        let program = &self.subject.program;
        let frame = |seconds: f64| (seconds * f64::from(program.rate) + 0.5).floor().max(0.0) as u64;
        let notes: Vec<PlayedNote> = notes
            .iter()
            .map(|note| PlayedNote {
                target: note.target,
                start: frame(note.start),
                end: note.gate.map_or(u64::MAX, |gate| frame(note.start + gate)),
                note: note.note,
                vel: note.vel,
            })
            .collect();
        performance(&program.targets, &notes)
    }
}

/// How the channels of a row lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Frame by frame: frames × channels.
    Interleaved,
    /// Channel by channel: channels × frames.
    Planar,
}

/// Renders rows of `frames` frames into `out`, which has room for exactly them, on so many threads. Returns what did not sound
/// as it should: the row's index and a sentence each, in order.
pub fn render_all(
    subject: &Subject,
    rows: &[Row],
    frames: u64,
    threads: usize,
    layout: Layout,
    out: &mut [f32],
) -> Vec<(usize, String)> {
    let channels = subject.channels();
    let length = frames as usize * channels;
    if length == 0 {
        return vec![];
    }
    let work = Mutex::new(rows.iter().zip(out.chunks_exact_mut(length)).enumerate());
    let all = Mutex::new(vec![]);
    on_threads(threads.min(rows.len()), || {
        let mut renderer = RowRenderer::new(subject, frames);
        let dealt = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((index, (row, place))) = dealt() {
            let faults = renderer.render_into(row, layout, place);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(faults.into_iter().map(|fault| (index, fault)));
        }
        renderer.rest();
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort();
    all
}

/// Does the same on so many threads, of which this one is one, and waits for all of them.
pub(super) fn on_threads(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(&work)));
        work();
    });
}

/// What the song plays with a row's seed and tempo. A tempo that cannot be is refused when rows are checked.
fn score<'d>(subject: &Subject, row: &Row, drawn: impl Fn() -> Option<&'d Stages>) -> Score {
    let of_seed = row.seed.and_then(|seed| drawn()?.score_of_seed(seed));
    let score = of_seed.unwrap_or_else(|| subject.program.score.clone());
    row.tempo.and_then(|bpm| score.at_tempo(bpm)).unwrap_or(score)
}
