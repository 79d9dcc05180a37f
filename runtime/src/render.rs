//! The offline loop: a program and what is played, block by block, as fast as it goes.
//!
//! It is the same engine as live, asked for whole quanta. It knows no file and no time of day.

use crate::engine::Engine;
use crate::program::{Event, Program, QUANTUM};
use crate::score::{Held, Sequencer};
use std::sync::Arc;

/// Where events come from: the score's sequencer, or a recorded performance.
pub trait EventSource {
    /// Appends all events before frame `until` that have not been given yet, in the order in which they act.
    fn advance(&mut self, until: u64, out: &mut Vec<Event>);

    /// A hand has set a parameter, which may change what comes after.
    fn set_by_hand(&mut self, _frame: u64, _param: usize, _value: f64) {}

    /// What instruments hold at a frame that was given lately or is still to come, where that is known.
    fn held_at(&self, _frame: u64) -> Option<Held> {
        None
    }
}

impl EventSource for Sequencer {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        Sequencer::advance(self, until, out);
    }

    fn set_by_hand(&mut self, frame: u64, param: usize, value: f64) {
        Sequencer::set_by_hand(self, frame, param, value);
    }

    fn held_at(&self, frame: u64) -> Option<Held> {
        Sequencer::held_at(self, frame)
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
    /// So many frames.
    Frames(u64),
    /// Up to this frame, and on while something sounds, at most [`LONGEST_TAIL_SECONDS`].
    WithTail(u64),
}

/// A tail that never ends, like that of a feedback that does not decay, is cut here.
pub const LONGEST_TAIL_SECONDS: u64 = 30;

/// Quieter than this, −120 dB, nothing sounds.
pub const QUIET: f32 = 1e-6;

/// Frames of a block.
const BLOCK: usize = 16 * QUANTUM;

/// Renders a program to its end.
pub struct Renderer<S> {
    engine: Engine,
    source: S,
    events: Vec<Event>,
    block: Vec<Vec<f32>>,
    /// Quiet frames of the tail that are kept back: they count only if something sounds after them.
    held: Vec<Vec<f32>>,
    /// Frames still to be left out at the start.
    skip: u64,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    At(u64),
    Tail { song: u64, latest: u64 },
}

impl<S: EventSource> Renderer<S> {
    /// Renders from frame `from` on, in `channels` channels. A score that is entered in its middle is the source's
    /// matter: the engine starts there with nothing sounding.
    pub fn new(program: Arc<Program>, source: S, channels: usize, from: u64, length: Length) -> Renderer<S> {
        let rate = u64::from(program.rate);
        let start = from - from % QUANTUM as u64;
        let end = match length {
            Length::Frames(frames) => End::At(from.saturating_add(frames)),
            Length::WithTail(song) => End::Tail {
                song: song.max(from),
                latest: song.max(from).saturating_add(LONGEST_TAIL_SECONDS * rate),
            },
        };
        Renderer {
            engine: Engine::starting_at(program, start),
            source,
            events: vec![],
            block: vec![vec![]; channels.max(1)],
            held: vec![vec![]; channels.max(1)],
            skip: from - start,
            end,
        }
    }

    /// The engine, to feed the song's input or to set what the score does not.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Adds a node's own sound to the blocks, after the song's channels; see [`Engine::tap`]. Before the first block.
    pub fn tap(&mut self, node: &str) -> Option<std::ops::Range<usize>> {
        let first = self.block.len();
        let last = first + self.engine.tap(node)?;
        self.block.resize_with(last, Vec::new);
        self.held.resize_with(last, Vec::new);
        Some(first..last)
    }

    /// The next frames, one vector a channel, all of one length; `None` at the end.
    pub fn next_block(&mut self) -> Option<&[Vec<f32>]> {
        loop {
            let position = self.engine.position();
            let most = match self.end {
                End::At(end) => end.saturating_sub(position),
                End::Tail { song, .. } if position < song => song - position,
                End::Tail { latest, .. } => latest.saturating_sub(position),
            };
            if most == 0 {
                return None;
            }
            let frames = (BLOCK as u64).min(most) as usize;
            self.render(frames);
            if !self.is_tail(position) || self.hold_back() {
                break;
            }
            if self.held[0].len() as u64 > self.patience() {
                return None;
            }
        }
        if self.skip > 0 {
            let skip = (self.skip as usize).min(self.block[0].len());
            self.block.iter_mut().for_each(|channel| drop(channel.drain(..skip)));
            self.skip -= skip as u64;
        }
        Some(&self.block)
    }

    fn render(&mut self, frames: usize) {
        let last = self.engine.position() + frames as u64;
        self.source.advance(last.next_multiple_of(QUANTUM as u64), &mut self.events);
        self.events.drain(..).for_each(|event| self.engine.schedule(event));
        self.block.iter_mut().for_each(|channel| {
            channel.clear();
            channel.resize(frames, 0.0);
        });
        let mut channels: Vec<&mut [f32]> = self.block.iter_mut().map(|channel| &mut channel[..]).collect();
        self.engine.process(&mut channels);
    }

    fn is_tail(&self, position: u64) -> bool {
        matches!(self.end, End::Tail { song, .. } if position >= song)
    }

    /// Puts what was kept back before the block, and keeps back the silence at its end. Whether anything sounds.
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

    /// Frames of silence after which nothing more is expected: what a delay line can hide, and a second while a
    /// voice is awake, which may be a slow attack.
    fn patience(&self) -> u64 {
        let rate = u64::from(self.engine.program().rate);
        let waking = if self.engine.awake() > 0 { rate } else { rate / 10 };
        waking.max(self.engine.memory() as u64)
    }
}
