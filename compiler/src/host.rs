//! What the compiler is given by the program that it runs in: a clock and threads.
//!
//! The compiler itself reads no clock and starts no threads, so that it runs wherever there are none (in a browser
//! page, in a test that counts work) and never competes with what its host does.

use crate::executor::{Executor, Inline};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// A clock that never goes back.
pub trait Clock: Debug + Send + Sync {
    /// The time since some moment, the same one for all calls.
    fn now(&self) -> Duration;
}

/// The clock and the threads of a compilation. Neither changes what is made.
#[derive(Clone, Debug)]
pub struct Host {
    /// Times the stages; they are not timed where it is `None`.
    pub clock: Option<Arc<dyn Clock>>,
    /// Runs the passes and the code generator on further threads.
    pub executor: Arc<dyn Executor>,
}

impl Default for Host {
    /// No clock, and no thread but the caller's.
    fn default() -> Host {
        Host { clock: None, executor: Arc::new(Inline) }
    }
}
