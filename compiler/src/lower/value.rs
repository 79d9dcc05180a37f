//! Values of expressions while they are evaluated, and what is known of a node when its group is done.

use super::song::SignalId;
use crate::dimension::Dimension;
use crate::ir::Value;
use std::rc::Rc;
use std::sync::Arc;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Val {
    /// A signal.
    Signal(Signal),
    /// `{ low: …, band: … }`
    Record(Rc<[(Arc<str>, Val)]>),
    /// Something is wrong with it, and that has been said.
    Broken,
}

/// A signal: one value (mono) or two (stereo).
#[derive(Clone, Debug)]
pub(super) struct Signal {
    /// One value a channel.
    pub(super) channels: Vec<Value>,
    /// What it measures.
    pub(super) dimension: Dimension,
}

impl Val {
    pub(super) fn mono(value: Value, dimension: Dimension) -> Val {
        Val::Signal(Signal { channels: vec![value], dimension })
    }

    pub(super) fn plain(value: Value) -> Val {
        Val::mono(value, Dimension::PLAIN)
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
    /// Something is wrong with it, and that has been said.
    Broken,
}

/// A value that lies in buffers.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A signal: one buffer a channel.
    Signal(Vec<SignalId>, Dimension),
    /// A record of such.
    Record(Vec<(Arc<str>, Shape)>),
}
