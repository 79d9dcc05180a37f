//! An allocator that ends the process when the audio thread allocates or frees.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Ends the process where a thread has said that it may not allocate.
struct Guard;

thread_local! {
    static ON_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
}

fn check() {
    if ON_AUDIO_THREAD.get() {
        // Without unwinding or printing, which would allocate.
        std::process::abort();
    }
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        check();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static GUARD: Guard = Guard;

/// Runs something as the audio thread would.
pub(super) fn on_audio_thread<T>(work: impl FnOnce() -> T) -> T {
    ON_AUDIO_THREAD.set(true);
    let result = work();
    ON_AUDIO_THREAD.set(false);
    result
}
