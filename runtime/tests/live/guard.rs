//! An allocator that ends the process when the audio thread allocates or frees.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// Counts what is allocated, and ends the process where a thread has said that it may not.
struct Guard;

thread_local! {
    static ON_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
    static ALLOCATED: AtomicIsize = const { AtomicIsize::new(0) };
}

fn count(bytes: isize) {
    if ON_AUDIO_THREAD.get() {
        // Without unwinding or printing, which would allocate.
        std::process::abort();
    }
    ALLOCATED.with(|sum| sum.fetch_add(bytes, Ordering::Relaxed));
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static GUARD: Guard = Guard;

/// Runs something as the audio thread would.
pub(crate) fn on_audio_thread<T>(work: impl FnOnce() -> T) -> T {
    ON_AUDIO_THREAD.set(true);
    let result = work();
    ON_AUDIO_THREAD.set(false);
    result
}

/// Bytes that this thread has allocated and not freed.
pub(crate) fn allocated() -> isize {
    ALLOCATED.with(|sum| sum.load(Ordering::Relaxed))
}
