//! Typed handles into arenas: a handle is an index that only fits its own arena.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// The place of a `T` in an [`Arena<T>`].
pub struct Handle<T> {
    index: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    /// The handle of the first element.
    pub const ZERO: Handle<T> = Handle { index: 0, of: PhantomData };

    /// The handle of the `index`-th element.
    pub fn new(index: usize) -> Handle<T> {
        Handle { index: index as u32, of: PhantomData }
    }

    /// Its place, from 0.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Handle<T> {}
impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.index.cmp(&other.index)
    }
}
impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// A growing list whose elements are named by [`Handle`]s.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arena<T> {
    all: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { all: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Adds `value` and returns its handle.
    pub fn add(&mut self, value: T) -> Handle<T> {
        self.all.push(value);
        Handle::new(self.all.len() - 1)
    }

    /// Makes room for so many more elements.
    pub fn reserve(&mut self, more: usize) {
        self.all.reserve(more);
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All elements with their handles, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Handle<T>, &T)> + ExactSizeIterator {
        self.all.iter().enumerate().map(|(i, v)| (Handle::new(i), v))
    }

    /// All handles, in order.
    pub fn handles(&self) -> impl DoubleEndedIterator<Item = Handle<T>> + ExactSizeIterator + use<T> {
        (0..self.all.len()).map(Handle::new)
    }

    /// All elements, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.all.iter()
    }

    /// The element, if the handle is one of this arena's.
    pub fn get(&self, handle: Handle<T>) -> Option<&T> {
        self.all.get(handle.index())
    }
}

impl<T> Index<Handle<T>> for Arena<T> {
    type Output = T;
    fn index(&self, handle: Handle<T>) -> &T {
        &self.all[handle.index()]
    }
}

impl<T> IndexMut<Handle<T>> for Arena<T> {
    fn index_mut(&mut self, handle: Handle<T>) -> &mut T {
        &mut self.all[handle.index()]
    }
}

impl<T> IntoIterator for Arena<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<T> FromIterator<T> for Arena<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Arena { all: iter.into_iter().collect() }
    }
}
