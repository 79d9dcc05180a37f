//! Real-time scheduling of the audio thread, so that other programs' work does not make it late.
//!
//! The audio thread only says who it is. All else is done beside it: the system is asked directly, which root and those
//! with a limit for it are allowed, then RTKit, which desktops have for everybody else. Where the system's own audio
//! thread calls back (CoreAudio, WASAPI), it has its priority already.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod rtkit;

use super::backend::Callback;
use crate::frames::Frames;
use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError};

/// How the audio thread is scheduled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// It has not called back yet, or the answer is still awaited.
    #[default]
    Unknown,
    /// Before all threads that are not real-time ones.
    Granted {
        /// Who gave it: `the system`, `RTKit`, `the audio server`.
        by: &'static str,
        /// From 1; the greater the more urgent. 0 where the system does not tell.
        level: u32,
    },
    /// Like any other thread.
    Refused {
        /// The system's answer, for people.
        why: String,
    },
    /// It took more time than a real-time thread may, and is now like any other.
    Lost,
}

impl Priority {
    /// Whether it is scheduled before others.
    pub fn is_granted(&self) -> bool {
        matches!(self, Priority::Granted { .. })
    }

    /// What to do to get it; nothing where it is granted, or nothing can be done.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Priority::Refused { .. } if cfg!(target_os = "linux") => Some(
                "to be allowed it, install RTKit (the package rtkit), or put a line `@audio - rtprio 95` into \
                 /etc/security/limits.d/audio.conf, join the group audio (sudo usermod -aG audio $USER) and log in anew",
            ),
            Priority::Lost => Some(
                "the song takes all the time there is: render it, or play it with fewer voices and effects",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Priority::Unknown => f.write_str("not known yet"),
            Priority::Granted { by, level: 0 } => write!(f, "granted by {by}"),
            Priority::Granted { by, level } => write!(f, "{level}, granted by {by}"),
            Priority::Refused { why } => write!(f, "refused: {why}"),
            Priority::Lost => f.write_str("lost, because the audio thread took too long"),
        }
    }
}

/// Looks after the priority of whichever thread calls back.
#[derive(Debug, Default)]
pub struct Promoter {
    shared: Arc<Shared>,
    /// The thread that was promoted last.
    promoted: u32,
}

#[derive(Debug, Default)]
struct Shared {
    /// How often a device was started: the thread may be another one then.
    starts: AtomicU32,
    /// The thread that calls back; 0 when it is not known.
    thread: AtomicU32,
    answer: Mutex<Priority>,
}

impl Promoter {
    /// A callback that says which thread it is called on, once after each [`Promoter::starts`].
    pub fn watch(&self, mut callback: Callback) -> Callback {
        let (shared, mut seen) = (self.shared.clone(), 0);
        Box::new(move |frames: &mut Frames<'_>| {
            let starts = shared.starts.load(Acquire);
            if starts != seen {
                seen = starts;
                shared.thread.store(current_thread(), Release);
            }
            callback(frames);
        })
    }

    /// A device is about to be started.
    pub fn starts(&mut self) {
        self.promoted = 0;
        self.shared.thread.store(0, Release);
        self.set(Priority::Unknown);
        self.shared.starts.fetch_add(1, Release);
    }

    /// Asks for the priority of a thread that has called back for the first time. Does not wait for the answer.
    pub fn poll(&mut self) {
        let thread = self.shared.thread.load(Acquire);
        if thread != 0 && thread != self.promoted {
            self.promoted = thread;
            let shared = self.shared.clone();
            let ask = move || {
                let answer = promote(thread);
                // The device may have been started anew meanwhile.
                if shared.thread.load(Acquire) == thread {
                    *shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
                }
            };
            if std::thread::Builder::new().name("priority".into()).spawn(ask).is_err() {
                self.set(Priority::Refused { why: "there is no thread to ask with".into() });
            }
        }
    }

    /// How the thread is scheduled, as far as is known.
    pub fn priority(&self) -> Priority {
        if self.promoted != 0 && is_lost(self.promoted) {
            return Priority::Lost;
        }
        self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, priority: Priority) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = priority;
    }
}

/// What an audio thread of this process would be given: tried with a thread that does nothing else.
pub fn outlook() -> Priority {
    let tried = std::thread::Builder::new().name("outlook".into()).spawn(|| promote(current_thread()));
    tried.ok().and_then(|thread| thread.join().ok()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
use linux::{current_thread, is_lost, promote};

#[cfg(not(target_os = "linux"))]
fn current_thread() -> u32 {
    1
}

#[cfg(not(target_os = "linux"))]
fn promote(_: u32) -> Priority {
    match cfg!(any(target_os = "macos", windows)) {
        true => Priority::Granted { by: "the system's audio", level: 0 },
        false => Priority::Refused { why: "it is not asked for on this system".into() },
    }
}

#[cfg(not(target_os = "linux"))]
fn is_lost(_: u32) -> bool {
    false
}
