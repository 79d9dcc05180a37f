//! The instructions of a call, counted by the processor's trap flag: after each of them it calls a handler.

use std::arch::asm;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// What the system calls after each instruction.
extern "C" fn count(_: libc::c_int) {
    COUNT.fetch_add(1, Relaxed);
}

/// How many instructions `call` executes, and a few of its surroundings, which are always the same.
pub(crate) fn instructions(call: impl FnOnce()) -> u64 {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let handler = count as extern "C" fn(libc::c_int);
        // SAFETY: the handler only adds to an atomic number.
        let before = unsafe { libc::signal(libc::SIGTRAP, handler as usize) };
        assert_ne!(before, libc::SIG_ERR, "traps are not handled");
    });
    COUNT.store(0, Relaxed);
    // SAFETY: of the flags only that of traps changes, which have a handler.
    unsafe { asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq") };
    call();
    // SAFETY: as above.
    unsafe { asm!("pushfq", "and qword ptr [rsp], -0x101", "popfq") };
    COUNT.load(Relaxed)
}
