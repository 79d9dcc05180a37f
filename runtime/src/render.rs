//! The offline loop: a program and what is played, block by block, as fast as it goes.
//!
//! It is the same engine as live, asked for whole quanta; or several of them, each with a part of the program, on several
//! threads. It knows no file and no time of day.

use crate::engine::{Engine, NotFinite, Profile};
use crate::ids::ParamId;
use crate::parallel::Parallel;
use crate::program::{Event, Program, QUANTUM};
use crate::score::{Held, Sequencer, Unplayed};
use crate::sort::Sort;
use std::sync::Arc;

/// Where events come from: the score's sequencer, or a recorded performance.
pub trait EventSource {
    /// Appends all events before frame `until` that have not been given yet, in the order in which they act.
    fn advance(&mut self, until: u64, out: &mut Vec<Event>);

    /// A controller has set a parameter, which may change the events that follow.
    fn set_by_controller(&mut self, _frame: u64, _param: ParamId, _value: f64) {}

    /// What instruments hold at a frame that was given lately or is still to come, where that is known.
    fn held_at(&self, _frame: u64) -> Option<Held> {
        None
    }

    /// Cycles that could not be played, among what was asked for: see [`Sequencer::unplayed`].
    fn unplayed(&self) -> &[Unplayed] {
        &[]
    }
}

impl EventSource for Sequencer {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        Sequencer::advance(self, until, out);
    }

    fn set_by_controller(&mut self, frame: u64, param: ParamId, value: f64) {
        Sequencer::set_by_controller(self, frame, param, value);
    }

    fn held_at(&self, frame: u64) -> Option<Held> {
        Sequencer::held_at(self, frame)
    }

    fn unplayed(&self) -> &[Unplayed] {
        Sequencer::unplayed(self)
    }
}

/// A performance that is known in advance: events in order.
impl EventSource for std::vec::IntoIter<Event> {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        while self.as_slice().first().is_some_and(|event| event.frame < until) {
            out.extend(self.next());
        }
    }
}

/// How much is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Exactly so many frames.
    Frames(u64),
    /// Up to this frame, and on to the last sound, at most [`LONGEST_TAIL_SECONDS`].
    WithTail(u64),
}

/// A tail that never ends, like that of a feedback that does not decay, is cut here.
pub const LONGEST_TAIL_SECONDS: u64 = 30;

/// Quieter than this, −120 dB, nothing sounds.
pub const QUIET: f32 = 1e-6;

/// Frames of a block, unless others are asked for.
const BLOCK: usize = 16 * QUANTUM;

/// Renders a program to its end.
pub struct Renderer<S> {
    program: Arc<Program>,
    machine: Machine,
    source: S,
    events: Vec<Event>,
    block: Vec<Vec<f32>>,
    /// Silent frames of the tail that are withheld: they count only if something sounds after them.
    held: Vec<Vec<f32>>,
    /// Frames that are asked for at a time.
    most: usize,
    /// Frames of silence in a tail after which nothing more is expected of what is not at rest.
    longest_pause: u64,
    /// Frames still to be left out at the start.
    skip: u64,
    end: End,
    /// The first failure of each step, in whatever was rendered so far.
    failures: Vec<NotFinite>,
    /// The frame after the last one that has been handed out.
    handed: u64,
}

/// The engine, or several of them, each with a part of the program.
enum Machine {
    One(Box<Engine>),
    Many(Parallel),
}

#[derive(Clone, Copy, Debug)]
enum End {
    At(u64),
    Tail { song: u64, latest: u64 },
}

impl<S: EventSource> Renderer<S> {
    /// Renders from frame `from` on, in `channels` channels; the frames by which the program is late are left out before it. A score that is entered in its middle is the source's
    /// matter: the engine starts there with nothing sounding.
    pub fn new(program: Arc<Program>, source: S, channels: usize, from: u64, length: Length) -> Renderer<S> {
        let rate = u64::from(program.rate);
        let start = from - from % QUANTUM as u64;
        // What is played in a frame is heard so much later.
        let late = u64::from(program.latency);
        let end = match length {
            Length::Frames(frames) => End::At(from.saturating_add(frames).saturating_add(late)),
            Length::WithTail(song) => {
                let song = song.max(from).saturating_add(late);
                End::Tail { song, latest: song.saturating_add(LONGEST_TAIL_SECONDS * rate) }
            }
        };
        Renderer {
            machine: Machine::One(Box::new(Engine::starting_at(program.clone(), start))),
            program,
            source,
            events: vec![],
            block: vec![vec![]; channels.max(1)],
            held: vec![vec![]; channels.max(1)],
            most: BLOCK,
            longest_pause: u64::MAX,
            skip: from - start + late,
            end,
            failures: vec![],
            handed: start,
        }
    }

    /// The program that it renders.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Begins again at frame 0, with another performance of the same program or of a variant of it ([`Engine::restart`]): what
    /// a new renderer gives, without making one. Not for a render that is shared by threads or has taps.
    ///
    /// # Panics
    /// When the program is not such a variant, or several threads render.
    pub fn restart(&mut self, program: Arc<Program>, source: S) {
        let Machine::One(engine) = &mut self.machine else { panic!("one thread renders variants") };
        engine.restart(program.clone());
        (self.program, self.source) = (program, source);
        self.events.clear();
        self.held.iter_mut().for_each(Vec::clear);
        self.failures.clear();
        (self.skip, self.handed) = (u64::from(self.program.latency), 0);
    }

    /// Renders on so many threads from now on, of which the caller's is one, where the program can be shared out. The sound is
    /// the same, to the bit. Before the first block, and before anything is fed; taps and a profile are left to one thread.
    pub fn share(&mut self, threads: usize) {
        if let Machine::One(engine) = &mut self.machine
            && engine.is_plain()
        {
            let (program, position) = (&self.program, engine.position());
            let empty = || **engine = Engine::new(Arc::new(program.without_steps()));
            if let Some(parallel) = Parallel::new(program, threads, position, empty) {
                self.machine = Machine::Many(parallel);
            }
        }
    }

    /// Whether it renders on several threads.
    pub fn is_shared(&self) -> bool {
        matches!(self.machine, Machine::Many(_))
    }

    /// Appends to the song's input, one slice a channel; silence where it is short.
    pub fn feed(&mut self, channels: &[&[f32]]) {
        match &mut self.machine {
            Machine::One(engine) => engine.feed(channels),
            Machine::Many(parallel) => parallel.feed(channels),
        }
    }

    /// Adds a node's own sound to the blocks, after the song's channels; see [`Engine::tap`]. Before the first block, and not
    /// when it is shared.
    pub fn tap(&mut self, node: &str) -> Option<std::ops::Range<usize>> {
        let Machine::One(engine) = &mut self.machine else { return None };
        let first = self.block.len();
        let last = first + engine.tap(node)?;
        self.block.resize_with(last, Vec::new);
        self.held.resize_with(last, Vec::new);
        Some(first..last)
    }

    /// Renders what sleeps, too; see [`Engine::never_skip`].
    pub fn never_skip(&mut self) {
        match &mut self.machine {
            Machine::One(engine) => engine.never_skip(),
            Machine::Many(parallel) => parallel.never_skip(),
        }
    }

    /// Asks for so many frames at a time, at least 1. Before the first block.
    pub fn in_blocks_of(&mut self, frames: usize) {
        self.most = frames.max(1);
    }

    /// In a tail nothing is expected after a silence of so many frames. Where nothing is said all is waited for that may still
    /// sound: a file that pauses, a slow attack, what a counter lets through again.
    pub fn pauses_at_most(&mut self, frames: u64) {
        self.longest_pause = frames;
    }

    /// Times each step from now on, unless the program is shared by threads.
    pub fn keep_time(&mut self) {
        if let Machine::One(engine) = &mut self.machine {
            engine.keep_time();
        }
    }

    /// How long the steps have taken, if they are timed.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.machine {
            Machine::One(engine) => engine.profile(),
            Machine::Many(_) => None,
        }
    }

    /// How many voices are awake, of those that can fall asleep; `None` when it is shared.
    pub fn awake(&self) -> Option<usize> {
        match &self.machine {
            Machine::One(engine) => Some(engine.awake()),
            Machine::Many(_) => None,
        }
    }

    /// Whether all voices sleep and all effects are at rest; when it is shared, in the tail only.
    fn is_at_rest(&self) -> bool {
        match &self.machine {
            Machine::One(engine) => engine.is_at_rest(),
            Machine::Many(parallel) => parallel.is_at_rest(),
        }
    }

    /// The steps that were not finite in what has been handed out, each with its first quantum, in order. The same for any
    /// number of threads and any size of blocks.
    pub fn not_finite(&self) -> Vec<NotFinite> {
        let mut all: Vec<_> = self.failures.iter().filter(|f| f.frame < self.handed).cloned().collect();
        all.put_in_order();
        all
    }

    /// Where the events come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    fn gather_failures(&mut self) {
        let new = match &mut self.machine {
            Machine::One(engine) => engine.not_finite(),
            Machine::Many(parallel) => parallel.not_finite(),
        };
        for failure in new {
            match self.failures.iter_mut().find(|known| known.computes == failure.computes) {
                Some(known) => known.frame = known.frame.min(failure.frame),
                None => self.failures.push(failure),
            }
        }
    }

    /// The frame that comes next.
    fn position(&self) -> u64 {
        match &self.machine {
            Machine::One(engine) => engine.position(),
            Machine::Many(parallel) => parallel.position(),
        }
    }

    /// The next frames, one vector a channel, all of one length; `None` at the end.
    pub fn next_block(&mut self) -> Option<&[Vec<f32>]> {
        loop {
            self.whole_block()?;
            let frames = self.block[0].len();
            if self.skip < frames as u64 {
                break;
            }
            self.skip -= frames as u64;
        }
        let skip = std::mem::take(&mut self.skip) as usize;
        if skip > 0 {
            self.block.iter_mut().for_each(|channel| drop(channel.drain(..skip)));
        }
        Some(&self.block)
    }

    /// The next frames that the engine gives, with those before the first one that is asked for; `None` at the end.
    fn whole_block(&mut self) -> Option<()> {
        loop {
            let position = self.position();
            let most = match self.end {
                End::At(end) => end.saturating_sub(position),
                End::Tail { song, .. } if position < song => song - position,
                End::Tail { latest, .. } => latest.saturating_sub(position),
            };
            if most == 0 {
                return None;
            }
            let frames = (self.most as u64).min(most) as usize;
            self.render(frames);
            if !self.is_tail(position) || self.hold_back() {
                break;
            }
            if self.held[0].len() as u64 > self.patience() {
                return None;
            }
        }
        self.handed += self.block[0].len() as u64;
        Some(())
    }

    fn render(&mut self, frames: usize) {
        let last = self.position() + frames as u64;
        self.block.iter_mut().for_each(|channel| channel.resize(frames, 0.0));
        let mut channels: Vec<&mut [f32]> = self.block.iter_mut().map(|channel| &mut channel[..]).collect();
        match &mut self.machine {
            Machine::One(engine) => {
                self.source.advance(last.next_multiple_of(QUANTUM as u64), &mut self.events);
                self.events.drain(..).for_each(|event| engine.schedule(event));
                engine.process(&mut channels);
            }
            Machine::Many(parallel) => {
                let (end, watch) = match self.end {
                    End::At(end) => (end, u64::MAX),
                    End::Tail { song, latest } => (latest, song),
                };
                let source = &mut self.source;
                parallel.process(&mut channels, end, watch, |until, events| source.advance(until, events));
            }
        }
        self.gather_failures();
    }

    fn is_tail(&self, position: u64) -> bool {
        matches!(self.end, End::Tail { song, .. } if position >= song)
    }

    /// Puts what was withheld before the block, and withholds the silence at its end. Returns true if anything sounds.
    fn hold_back(&mut self) -> bool {
        let last = |channel: &Vec<f32>| channel.iter().rposition(|x| x.abs() > QUIET).map(|i| i + 1);
        let sounding = self.block.iter().filter_map(last).max();
        for (held, channel) in self.held.iter_mut().zip(&mut self.block) {
            match sounding {
                None => held.append(channel),
                Some(end) => {
                    let rest = channel.split_off(end);
                    channel.splice(..0, std::mem::replace(held, rest));
                }
            }
        }
        sounding.is_some()
    }

    /// Frames of silence after which nothing more is expected. Where all is at rest they are those that a delay line can hide.
    fn patience(&self) -> u64 {
        let pause = if self.is_at_rest() { u64::from(self.program.rate) / 10 } else { self.longest_pause };
        pause.max(self.program.memory() as u64)
    }
}
