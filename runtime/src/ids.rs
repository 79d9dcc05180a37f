//! Typed indices: an index of the wrong kind does not compile.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index of one kind.
pub trait Id: Copy {
    /// The id of the element at a place, from 0.
    fn new(index: usize) -> Self;

    /// The place, from 0.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident $letter:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name(u32);

        impl $name {
            /// The id of the element at a place, from 0.
            pub const fn new(index: usize) -> $name {
                $name(index as u32)
            }

            /// The place, from 0.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl Id for $name {
            fn new(index: usize) -> $name {
                $name::new(index)
            }

            fn index(self) -> usize {
                $name::index(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

ids! {
    /// A signal between steps: one channel of a node's result.
    SignalId "s";
    /// A buffer of one quantum; signals share it.
    BufferId "b";
    /// A delay line of a program.
    DelayId "d";
    /// A parameter of a program: something that can be set while it runs.
    ParamId "p";
    /// An event port of a program: where the notes of a voice arrive.
    PortId "e";
}

/// A list whose elements are named by ids of one kind.
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "image",
    serde(bound(serialize = "T: serde::Serialize", deserialize = "T: serde::Deserialize<'de>"))
)]
pub struct IdMap<I, T> {
    all: Vec<T>,
    of: PhantomData<fn(I)>,
}

impl<I: Id, T> IdMap<I, T> {
    /// So many copies of a value.
    pub fn filled(value: T, len: usize) -> IdMap<I, T>
    where
        T: Clone,
    {
        IdMap { all: vec![value; len], of: PhantomData }
    }

    /// Appends an element and returns its id.
    pub fn push(&mut self, value: T) -> I {
        self.all.push(value);
        I::new(self.all.len() - 1)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.all.len()).map(I::new)
    }

    /// All elements with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.all.iter().enumerate().map(|(index, value)| (I::new(index), value))
    }

    /// All elements, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }

    /// All elements, in order, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.all.iter_mut()
    }

    /// All elements, in order.
    pub fn as_slice(&self) -> &[T] {
        &self.all
    }

    /// The element of an id, if it has one.
    pub fn get(&self, id: I) -> Option<&T> {
        self.all.get(id.index())
    }

    /// The element of an id, to be changed, if it has one.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.all.get_mut(id.index())
    }
}

impl<I: Id, T> Index<I> for IdMap<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.all[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for IdMap<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.all[id.index()]
    }
}

impl<I, T> Default for IdMap<I, T> {
    fn default() -> Self {
        IdMap { all: vec![], of: PhantomData }
    }
}

impl<I, T: Clone> Clone for IdMap<I, T> {
    fn clone(&self) -> Self {
        IdMap { all: self.all.clone(), of: PhantomData }
    }
}

impl<I, T: PartialEq> PartialEq for IdMap<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IdMap<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.fmt(f)
    }
}

impl<I, T> FromIterator<T> for IdMap<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(all: A) -> Self {
        IdMap { all: all.into_iter().collect(), of: PhantomData }
    }
}

impl<I, T> From<Vec<T>> for IdMap<I, T> {
    fn from(all: Vec<T>) -> Self {
        IdMap { all, of: PhantomData }
    }
}

impl<I, T> IntoIterator for IdMap<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}
