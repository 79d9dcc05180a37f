//! Linux: `SCHED_FIFO`, asked of the kernel or of RTKit; and what happens to a thread that never waits.
//!
//! A real-time thread that computes without end would leave no time for anything else. So there is a limit
//! (`RLIMIT_RTTIME`, which RTKit insists on) to how long it may run without waiting; at the limit the kernel sends a
//! signal, and the thread becomes one like any other.

use super::{Priority, rtkit};
use std::io;
use std::sync::Once;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::SeqCst;

/// How urgent: above all that is not audio, below the audio servers.
const LEVEL: u32 = 10;
/// Microseconds that a real-time thread may run without waiting.
const MOST: u64 = 100_000;
/// Microseconds after which the kernel ends the process: the most that RTKit allows. Without RTKit there is no such end.
const END: u64 = 200_000;
/// So that what the thread starts does not inherit its priority.
const RESET_ON_FORK: libc::c_int = 0x4000_0000;

/// The thread that is real-time, for the signal's handler.
static THREAD: AtomicI32 = AtomicI32::new(0);
/// The thread that was one, and ran too long.
static LOST: AtomicI32 = AtomicI32::new(0);

/// The calling thread's number in the system.
pub(super) fn current_thread() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    thread as u32
}

/// Whether this thread has lost what it was given.
pub(super) fn is_lost(thread: u32) -> bool {
    LOST.load(SeqCst) == thread as i32
}

/// Asks for the priority of a thread of this process.
pub(super) fn promote(thread: u32) -> Priority {
    if is_real_time(thread) {
        return Priority::Granted { by: "the audio server", level: 0 };
    }
    THREAD.store(thread as i32, SeqCst);
    LOST.store(0, SeqCst);
    let unlimited = |error| Priority::Refused { why: format!("its time cannot be limited ({error})") };
    if let Err(error) = limit(u64::MAX) {
        return unlimited(error);
    }
    // One who may have little has to ask for little.
    for level in [LEVEL, 1] {
        if schedule(thread as i32, libc::SCHED_FIFO | RESET_ON_FORK, level).is_ok() {
            return Priority::Granted { by: "the system", level };
        }
    }
    if let Err(error) = limit(END) {
        return unlimited(error);
    }
    match rtkit::make_real_time(thread.into(), LEVEL) {
        Ok(()) => Priority::Granted { by: "RTKit", level: LEVEL },
        Err(why) => {
            Priority::Refused { why: format!("the system does not allow it to this user, and {why}") }
        }
    }
}

fn is_real_time(thread: u32) -> bool {
    // SAFETY: it takes a number.
    let policy = unsafe { libc::syscall(libc::SYS_sched_getscheduler, thread as libc::c_long) };
    policy >= 0 && matches!(policy as libc::c_int & !RESET_ON_FORK, libc::SCHED_FIFO | libc::SCHED_RR)
}

/// The kernel's call, because the function of that name does nothing in some C libraries.
fn schedule(thread: i32, policy: libc::c_int, level: u32) -> io::Result<()> {
    let param = level as libc::c_int;
    // SAFETY: `sched_param` is a single int as the kernel reads it, and lives through the call.
    let done = unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, thread as libc::c_long, policy, &raw const param)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Limits how long a real-time thread runs without waiting, and takes the signal; after `end` microseconds the kernel ends
/// the process.
fn limit(end: u64) -> io::Result<()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: all zeros is an action without flags and with an empty mask; the handler calls nothing that is not
        // allowed in one.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = demote as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(libc::SIGXCPU, &raw const action, std::ptr::null_mut());
        }
    });
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it fills what it is given.
    if unsafe { libc::getrlimit(libc::RLIMIT_RTTIME, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_max = limit.rlim_max.min(end);
    limit.rlim_cur = limit.rlim_max.min(MOST);
    // SAFETY: it reads what it is given.
    match unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The thread has run too long: from now on it is one like any other. The kernel sends the signal to that thread, unless it
/// blocks signals: then another one handles it.
extern "C" fn demote(_: libc::c_int) {
    let here = current_thread();
    let thread = if is_real_time(here) { here as i32 } else { THREAD.load(SeqCst) };
    if thread != 0 && schedule(thread, libc::SCHED_OTHER, 0).is_ok() {
        LOST.store(thread, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    /// Where the priority is granted, a thread that never waits loses it, and the process lives on.
    #[test]
    fn a_thread_that_never_waits_loses_its_priority() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let (sender, thread) = std::sync::mpsc::channel();
        let busy = std::thread::spawn(move || {
            sender.send(current_thread()).unwrap();
            while !STOP.load(SeqCst) {
                std::hint::spin_loop();
            }
        });
        let thread = thread.recv().unwrap();
        let answer = promote(thread);
        let until = Instant::now() + Duration::from_secs(30);
        while answer.is_granted() && !is_lost(thread) {
            assert!(Instant::now() < until, "it is real-time still");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!is_real_time(thread));
        STOP.store(true, SeqCst);
        busy.join().unwrap();
    }
}
