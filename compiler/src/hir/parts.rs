//! The parts of lists and records, with how many values they come to.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// What lists and records are made of.
pub(super) trait Part {
    /// How many values without parts it comes to, at least 1.
    fn values(&self) -> usize;
}

impl<T: Part> Part for (Arc<str>, T) {
    fn values(&self) -> usize {
        self.1.values()
    }
}

/// The elements of a list or the fields of a record. They are shared between copies, so that a few lines can come to more
/// values than fit into memory: their number is kept, and looked at before any walk over them.
#[derive(Debug)]
pub(super) struct Parts<T> {
    all: Rc<[T]>,
    values: usize,
}

impl<T> Parts<T> {
    /// How many values without parts they come to.
    pub(super) fn values(&self) -> usize {
        self.values
    }
}

// Not derived: the elements are shared, whether they can be cloned or not.
impl<T> Clone for Parts<T> {
    fn clone(&self) -> Parts<T> {
        Parts { all: self.all.clone(), values: self.values }
    }
}

impl<T> Deref for Parts<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<T: Part> From<Vec<T>> for Parts<T> {
    fn from(all: Vec<T>) -> Parts<T> {
        let values = all.iter().fold(0_usize, |sum, part| sum.saturating_add(part.values()));
        Parts { all: all.into(), values }
    }
}

impl<T: Part> FromIterator<T> for Parts<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Parts<T> {
        Parts::from(all.into_iter().collect::<Vec<T>>())
    }
}
