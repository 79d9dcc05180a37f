//! A value that one thread at a time may use, whoever asks: the second one is refused, and never waits.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// The value, and whether it is in use.
#[derive(Debug, Default)]
pub(crate) struct Exclusive<T> {
    busy: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` gives the value to one thread at a time.
unsafe impl<T: Send> Sync for Exclusive<T> {}

/// Ends the use of a value, also when a panic does.
struct Release<'b>(&'b AtomicBool);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T> Exclusive<T> {
    /// Uses the value; `None`, without waiting, while it is in use. \[audio\]
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.busy.swap(true, Ordering::Acquire) {
            return None;
        }
        let _release = Release(&self.busy);
        // SAFETY: whoever set `busy` is the only one here until it is released.
        Some(use_it(unsafe { &mut *self.value.get() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_use_is_refused_and_free_again_after_a_panic() {
        let value = Exclusive::<i32>::default();
        let inner = value.with(|x| {
            *x = 7;
            value.with(|x| *x)
        });
        assert_eq!(inner, Some(None), "in use");
        let panics =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| value.with(|_| panic!("here"))));
        assert!(panics.is_err());
        assert_eq!(value.with(|x| *x), Some(7));
    }
}
