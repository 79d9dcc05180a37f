//! Values of expressions while they are evaluated, and what is known of a node when its group is done.

use super::lowered::SignalId;
use crate::dimension::Dimension;
use crate::ir::{DelayLine, Value};
use crate::samples::Samples;
use mam_grammar::Handle;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Val {
    /// A signal.
    Signal(Signal),
    /// `{ low: …, band: … }`
    Record(Rc<[(Arc<str>, Val)]>),
    /// A sound file in memory.
    Buffer(Buffer),
    /// A buffer that is written while the song plays.
    Recording(Recording),
    /// `[a, b, c]`
    List(Rc<[Val]>),
    /// There is none: the song is too large.
    Broken,
}

/// A sound file in memory.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    /// What was read of it.
    pub(super) samples: Arc<Samples>,
}

/// A buffer that is written while the song plays.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    /// The delay line of each channel: its kernel's own, or one that is borrowed.
    pub(super) lines: Vec<Handle<DelayLine>>,
    /// Frames since the first frame was written, as the module's documentation says. An i32.
    pub(super) first: Value,
    /// How many frames are recorded so far. An i32.
    pub(super) frames: Value,
    /// What is the same for all who read it.
    pub(super) ring: Ring,
    /// The voice of an instrument to which it belongs.
    pub(super) voice: Option<usize>,
}

/// Lines into which something is recorded, and how.
pub(super) struct Recorded {
    /// The line of each channel.
    pub(super) lines: Vec<Handle<DelayLine>>,
    /// How much of what is written is what flows in.
    pub(super) share: Value,
    /// What is the same for all who read it.
    pub(super) ring: Ring,
}

/// The size and the name of a recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ring {
    /// After how many frames the line comes round.
    pub(super) frames: u32,
    /// The path of the recording in the song.
    pub(super) path: Arc<str>,
}

/// A signal: one value (mono) or two (stereo).
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    /// One value a channel.
    pub(super) channels: Channels,
    /// What it measures.
    pub(super) dimension: Dimension,
}

/// At most two values, kept in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channels {
    len: u8,
    all: [Value; 2],
}

impl Deref for Channels {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.all[..self.len as usize]
    }
}

impl DerefMut for Channels {
    fn deref_mut(&mut self) -> &mut [Value] {
        &mut self.all[..self.len as usize]
    }
}

impl FromIterator<Value> for Channels {
    /// Panics on more than two channels: no signal has them.
    fn from_iter<I: IntoIterator<Item = Value>>(iter: I) -> Channels {
        let mut channels = Channels { len: 0, all: [Value::ZERO; 2] };
        for value in iter {
            channels.all[channels.len as usize] = value;
            channels.len += 1;
        }
        channels
    }
}

impl Val {
    /// A mono signal.
    pub(super) fn signal_of(value: Value, dimension: Dimension) -> Val {
        Val::Signal(Signal { channels: [value].into_iter().collect(), dimension })
    }

    pub(super) fn plain(value: Value) -> Val {
        Val::signal_of(value, Dimension::PLAIN)
    }
}

impl Val {
    /// The value as a signal.
    pub(super) fn signal(self) -> Option<Signal> {
        match self {
            Val::Signal(signal) => Some(signal),
            Val::Record(_) | Val::Buffer(_) | Val::Recording(_) | Val::List(_) | Val::Broken => None,
        }
    }

    /// The value as a mono signal.
    pub(super) fn mono(self) -> Option<(Value, Dimension)> {
        let Signal { channels, dimension } = self.signal()?;
        match channels[..] {
            [value] => Some((value, dimension)),
            _ => None,
        }
    }

    /// The elements of the value.
    pub(super) fn elements(self) -> Option<Rc<[Val]>> {
        match self {
            Val::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// A part of the value, if it is a signal or a record.
    pub(super) fn part(&self, field: &str) -> Val {
        match self {
            Val::Signal(signal) => {
                Val::signal_of(signal.channel(usize::from(field == "right")), signal.dimension)
            }
            Val::Record(fields) => {
                let part = fields.iter().find(|(name, _)| **name == *field);
                part.map_or(Val::Broken, |(_, val)| val.clone())
            }
            Val::Buffer(_) | Val::Recording(_) | Val::List(_) | Val::Broken => Val::Broken,
        }
    }
}

impl Signal {
    /// Channel i; a mono signal is the same on every channel.
    pub(super) fn channel(&self, i: usize) -> Value {
        self.channels[i.min(self.channels.len() - 1)]
    }
}

/// What is known of a node once its group is lowered.
#[derive(Clone, Debug)]
pub(super) enum NodeVal {
    /// A constant signal.
    Const(Vec<f64>, Dimension),
    /// Slower than a sample and without state: evaluated again by everyone who needs it.
    Inline,
    /// Signals in buffers.
    Shape(Shape),
    /// There is none: the song is too large.
    Broken,
}

/// A value that lies in buffers.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A signal: one buffer a channel.
    Signal(Vec<SignalId>, Dimension),
    /// A constant signal: one number a channel.
    Const(Vec<f64>, Dimension),
    /// A record of such.
    Record(Vec<(Arc<str>, Shape)>),
    /// A list of such.
    List(Vec<Shape>),
    /// A recording: its delay lines, how long ago its first frame was written, and its frames so far.
    Recording { lines: Vec<LentLine>, counts: [SignalId; 2], ring: Ring },
}

/// A delay line that other kernels read.
#[derive(Clone, Debug)]
pub(super) struct LentLine {
    /// Its name in the song.
    pub(super) name: String,
    /// Its capacity in frames.
    pub(super) frames: u32,
    /// Frames by which what it holds is late.
    pub(super) late: u32,
}

impl Shape {
    /// The elements of a list; none of another value.
    pub(super) fn elements(&self) -> &[Shape] {
        match self {
            Shape::List(elements) => elements,
            Shape::Signal(..) | Shape::Const(..) | Shape::Record(_) | Shape::Recording { .. } => &[],
        }
    }

    /// The signals that are heard of it, one a channel: of a list of mono signals all of them.
    pub(super) fn channels(&self) -> Vec<SignalId> {
        match self {
            Shape::Signal(signals, _) => signals.clone(),
            Shape::List(elements) => elements.iter().flat_map(Shape::channels).collect(),
            Shape::Const(..) | Shape::Record(_) | Shape::Recording { .. } => vec![],
        }
    }

    /// The same value in other buffers.
    pub(super) fn moved(&self, to: &dyn Fn(SignalId) -> SignalId) -> Shape {
        match self {
            Shape::Signal(signals, dimension) => {
                Shape::Signal(signals.iter().map(|signal| to(*signal)).collect(), *dimension)
            }
            Shape::Const(..) => self.clone(),
            Shape::Recording { lines, counts, ring } => {
                Shape::Recording { lines: lines.clone(), counts: counts.map(to), ring: ring.clone() }
            }
            Shape::List(elements) => Shape::List(elements.iter().map(|shape| shape.moved(to)).collect()),
            Shape::Record(fields) => {
                Shape::Record(fields.iter().map(|(name, shape)| (name.clone(), shape.moved(to))).collect())
            }
        }
    }
}
