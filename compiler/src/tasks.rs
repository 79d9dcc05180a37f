//! Work that is shared among threads.
//!
//! A thread that begins or wakes only where there is work for it may be late by a tick of the system's clock, which is a
//! fifth of what a whole song takes. So the helpers are there from the first compilation on, and stay awake while a
//! compilation is short.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Tasks that are worth a thread.
const TASKS_A_THREAD: usize = 2;

/// How long helpers stay awake without work.
const PATIENCE: Duration = Duration::from_millis(20);

/// The threads that work for a compilation: the caller's and some that help. What they make does not depend on their
/// number.
pub(crate) struct Crew {
    threads: usize,
    /// Whether helpers that have no work are to wait for some.
    attention: Mutex<Arc<AtomicBool>>,
}

/// The threads that help; `None` where the system gives none.
fn helpers() -> Option<&'static ThreadPool> {
    static HELPERS: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let begin = || {
        let count = mam_runtime::all_threads().max(2) - 1;
        ThreadPoolBuilder::new().num_threads(count).thread_name(|i| format!("compiler {i}")).build().ok()
    };
    HELPERS.get_or_init(begin).as_ref()
}

impl Crew {
    /// So many threads, at least 1.
    pub(crate) fn new(threads: usize) -> Crew {
        let crew = Crew { threads, attention: Mutex::default() };
        crew.attend();
        crew
    }

    /// Has the helpers wait for work.
    fn attend(&self) {
        let Some(helpers) = helpers().filter(|_| self.threads > 1) else { return };
        let attention = Arc::new(AtomicBool::new(true));
        for _ in 1..self.threads.min(helpers.current_num_threads() + 1) {
            let (attention, begun) = (attention.clone(), Instant::now());
            helpers.spawn(move || {
                while attention.load(Ordering::Relaxed) && begun.elapsed() < PATIENCE {
                    std::thread::yield_now();
                }
            });
        }
        *self.attention.lock().unwrap_or_else(PoisonError::into_inner) = attention;
    }

    fn release(&self) {
        self.attention.lock().unwrap_or_else(PoisonError::into_inner).store(false, Ordering::Relaxed);
    }

    /// What `work` makes of each task, in the order of the tasks, by at most so many threads. They are begun in their
    /// order, so the longest should come first.
    ///
    /// # Panics
    /// Where `work` does.
    pub(crate) fn shared<T: Sync, R: Send>(
        &self,
        tasks: &[T],
        threads: usize,
        work: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(Vec::with_capacity(tasks.len()));
        let some = || {
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(task) = tasks.get(index)
            {
                let result = work(task);
                all.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
            }
        };
        let threads = self.threads.min(threads).min(tasks.len().div_ceil(TASKS_A_THREAD));
        match helpers().filter(|_| threads > 1) {
            None => some(),
            Some(helpers) => {
                self.release();
                helpers.in_place_scope(|scope| {
                    (1..threads).for_each(|_| scope.spawn(|_| some()));
                    some();
                });
                self.attend();
            }
        }
        let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sort_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.release();
    }
}
