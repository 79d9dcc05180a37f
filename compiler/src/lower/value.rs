//! Values of expressions while they are evaluated, and what is known of a node when its group is done.

use super::lowered::SignalId;
use crate::dimension::Dimension;
use crate::hir::Type;
use crate::ir::Value;
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
    /// `[a, b, c]`
    List(Rc<[Val]>),
    /// An argument of which nothing is known.
    Any,
    /// Something is wrong with it, and that has been said.
    Broken,
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
    pub(super) fn mono(value: Value, dimension: Dimension) -> Val {
        Val::Signal(Signal { channels: [value].into_iter().collect(), dimension })
    }

    pub(super) fn plain(value: Value) -> Val {
        Val::mono(value, Dimension::PLAIN)
    }
}

impl Val {
    /// What it is; nothing where that is not known.
    pub(super) fn ty(&self) -> Option<Type> {
        match self {
            Val::Signal(signal) => Some(signal_type(signal.channels.len(), signal.dimension)),
            Val::Record(fields) => {
                let part = |(name, val): &(Arc<str>, Val)| Some((name.clone(), val.ty()?));
                fields.iter().map(part).collect::<Option<_>>().map(Type::Record)
            }
            Val::List(elements) => elements.iter().map(Val::ty).collect::<Option<_>>().map(Type::List),
            Val::Any | Val::Broken => None,
        }
    }
}

fn signal_type(channels: usize, dimension: Dimension) -> Type {
    Type::Signal { channels, dimension: (dimension != Dimension::ANY).then_some(dimension) }
}

impl NodeVal {
    /// What it is; nothing where something is wrong with it.
    pub(super) fn ty(&self) -> Option<Type> {
        match self {
            NodeVal::Const(channels, dimension) => Some(signal_type(channels.len(), *dimension)),
            NodeVal::Inline(ty) => Some(ty.clone()),
            NodeVal::Shape(shape) => Some(shape.ty()),
            NodeVal::Broken => None,
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
    Inline(Type),
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
    /// A constant signal: one number a channel.
    Const(Vec<f64>, Dimension),
    /// A record of such.
    Record(Vec<(Arc<str>, Shape)>),
    /// A list of such.
    List(Vec<Shape>),
}

impl Shape {
    /// Its type, with its channels and what it measures.
    fn ty(&self) -> Type {
        match self {
            Shape::Signal(signals, dimension) => signal_type(signals.len(), *dimension),
            Shape::Const(channels, dimension) => signal_type(channels.len(), *dimension),
            Shape::List(elements) => Type::List(elements.iter().map(Shape::ty).collect()),
            Shape::Record(fields) => {
                Type::Record(fields.iter().map(|(name, shape)| (name.clone(), shape.ty())).collect())
            }
        }
    }

    /// The same value in other buffers.
    pub(super) fn moved(&self, to: &dyn Fn(SignalId) -> SignalId) -> Shape {
        match self {
            Shape::Signal(signals, dimension) => {
                Shape::Signal(signals.iter().map(|signal| to(*signal)).collect(), *dimension)
            }
            Shape::Const(..) => self.clone(),
            Shape::List(elements) => Shape::List(elements.iter().map(|shape| shape.moved(to)).collect()),
            Shape::Record(fields) => {
                Shape::Record(fields.iter().map(|(name, shape)| (name.clone(), shape.moved(to))).collect())
            }
        }
    }
}
