//! What `Control` and `Live` send each other, and how long what they change is faded.

use super::carry::{Blend, Carry};
use crate::engine::Instance;
use crate::program::{Event, EventKind};
use rtrb::Producer;

/// Samples beyond ±12 dBFS are cut off, unless that is not wanted: 10^(12/20).
pub const LIMIT: f32 = 3.981_071_7;

/// Channels that can be played.
pub const MOST_CHANNELS: usize = 8;

/// How long the whole output is faded when it stops.
pub(super) const STOP_SECONDS: f64 = 0.020;
/// How long when it goes on.
pub(super) const START_SECONDS: f64 = 0.005;

/// Events that the ring to the audio thread holds, and a program's queue.
pub(super) const EVENTS: usize = 16 * 1024;

/// How live playing begins.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Channels of the output.
    pub channels: usize,
    /// False to begin in silence, until [`Control::play`](super::Control::play).
    pub playing: bool,
    /// False to let samples beyond [`LIMIT`] pass.
    pub limit: bool,
}

/// An event for a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tagged {
    pub(super) generation: u32,
    pub(super) event: Event,
}

/// How many commands the audio thread took at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Quanta that had been rendered by then.
    pub quanta: u64,
    /// Commands; 0 where it went on to another program in silence.
    pub commands: u32,
}

/// What `Control` asks of `Live`.
pub(super) enum Command {
    /// Take another program when it is due.
    Swap(Box<Swap>),
    /// Something that happens at the next quantum.
    Now(u32, EventKind),
    /// A part of a program (all are counted, step by step) is heard at another gain.
    Gain(u32, usize, f32),
    /// Go on from where it was stopped.
    Play,
    /// Fade out and wait.
    Stop,
    /// Say from now on how many commands were taken when.
    Log(Producer<Taken>),
    /// Put what is played into a ring, interleaved; or no longer.
    Record(Option<Producer<f32>>),
    /// Take the song's input from a ring: interleaved stereo.
    Input(Option<rtrb::Consumer<f32>>),
    /// Say from now on what goes to machines outside.
    Send(Producer<Outgoing>),
}

/// What goes to machines outside, from the audio thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outgoing {
    /// The frame at which it is heard, counted from the first that was served.
    pub frame: u64,
    /// The number of the program that it belongs to.
    pub generation: u32,
    /// What the machine is told at that frame.
    pub kind: OutgoingKind,
}

/// What a machine outside is told, in an [`Outgoing`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutgoingKind {
    /// An event of a port or a parameter of a machine.
    Event(EventKind),
    /// The program plays from here on: from another place, where it is `true`, so that no note goes on.
    Program(bool),
    /// The music stands still: no note goes on.
    Stopped,
}

impl Command {
    /// Whether what it does belongs to a performance, and not to what listens to it.
    pub(super) fn is_logged(&self) -> bool {
        !matches!(self, Command::Log(_) | Command::Record(_) | Command::Input(_) | Command::Send(_))
    }
}

/// A program in the middle of being played, with its number.
pub(super) struct Player {
    pub(super) generation: u32,
    pub(super) instance: Instance,
}

/// A change of program.
pub(super) struct Swap {
    /// The new one; taken out when it plays.
    pub(super) player: Option<Box<Player>>,
    pub(super) generation: u32,
    /// The generation that `carry` was prepared against.
    pub(super) base: u32,
    /// Not before this frame.
    pub(super) at: u64,
    /// Where the new one begins, if not where the old one is.
    pub(super) jump: Option<u64>,
    pub(super) carry: Carry,
    pub(super) blend: Blend,
    /// When it happened, in ticks.
    pub(super) taken_up: u64,
}

/// A step that was not finite: which, of the program of which generation, and the engine's frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) generation: u32,
    pub(super) step: usize,
    pub(super) frame: u64,
}

/// What `Live` sends back, to be dropped elsewhere.
pub(super) enum Garbage {
    /// A swap that has happened.
    Swapped(Box<Swap>),
    /// A swap that came too late or was overtaken.
    Rejected(Box<Swap>),
    /// A program whose fade has ended.
    Player(#[expect(dead_code, reason = "only dropped")] Box<Player>),
    /// What its lines were blended with.
    Blend(#[expect(dead_code, reason = "only dropped")] Blend),
    /// A ring that is no longer written.
    Record(#[expect(dead_code, reason = "only dropped")] Producer<f32>),
    /// Another ring that is no longer written.
    Send(#[expect(dead_code, reason = "only dropped")] Producer<Outgoing>),
    /// A ring that is no longer read.
    Input(#[expect(dead_code, reason = "only dropped")] rtrb::Consumer<f32>),
}
