//! Work that is shared among threads.
//!
//! A thread that begins or wakes only where there is work for it may be late by a tick of the system's clock, which is a
//! fifth of what a whole song takes. So the helpers are there from the first compilation on, and stay awake while one
//! runs.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Tasks that are worth a thread.
const TASKS_A_THREAD: usize = 2;

/// The threads that work for a compilation: the caller's and some that help. What they make does not depend on their
/// number.
pub(crate) struct Crew {
    /// How many help.
    helpers: usize,
    /// True while helpers that have nothing to do are to wait for it.
    attention: Mutex<Arc<AtomicBool>>,
}

/// The threads that help; `None` where the system gives none.
fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let begin = || {
        let helpers = mam_runtime::all_threads().max(2) - 1;
        ThreadPoolBuilder::new().num_threads(helpers).thread_name(|i| format!("compiler {i}")).build().ok()
    };
    POOL.get_or_init(begin).as_ref()
}

impl Crew {
    /// So many threads, at least 1.
    pub(crate) fn new(threads: usize) -> Crew {
        let helpers = if threads > 1 { pool().map_or(0, ThreadPool::current_num_threads) } else { 0 };
        let crew = Crew { helpers: helpers.min(threads.saturating_sub(1)), attention: Mutex::default() };
        crew.attend();
        crew
    }

    /// Has the helpers wait for work.
    fn attend(&self) {
        let Some(pool) = pool().filter(|_| self.helpers > 0) else { return };
        let attention = Arc::new(AtomicBool::new(true));
        for _ in 0..self.helpers {
            let attention = attention.clone();
            pool.spawn(move || {
                let idle = Idle::begin();
                while attention.load(Ordering::Relaxed) {
                    idle.wait();
                }
            });
        }
        *locked(&self.attention) = attention;
    }

    fn release(&self) {
        locked(&self.attention).store(false, Ordering::Relaxed);
    }

    /// Runs `main`, and `help` on so many helpers at most; ends when all have ended.
    fn helped<A>(&self, helpers: usize, help: impl Fn() + Sync, main: impl FnOnce() -> A) -> A {
        let helpers = self.helpers.min(helpers);
        let Some(pool) = pool().filter(|_| helpers > 0) else { return main() };
        self.release();
        let made = pool.in_place_scope(|scope| {
            (0..helpers).for_each(|_| scope.spawn(|_| help()));
            main()
        });
        self.attend();
        made
    }

    /// Runs `main`, and meanwhile helpers do the `work` that it orders; what is left of that at its end is done by all.
    /// The result is what `main` made and what became of each order, the latter in no order.
    ///
    /// # Panics
    /// Where `main` or `work` does.
    pub(crate) fn ahead<T: Send, R: Send, A>(
        &self,
        work: impl Fn(T) -> R + Sync,
        main: impl FnOnce(&mut dyn FnMut(T)) -> A,
    ) -> (A, Vec<R>) {
        let (orders, done) = (Mutex::new(VecDeque::new()), Mutex::new(vec![]));
        let open = AtomicBool::new(true);
        let one = || {
            let order = locked(&orders).pop_front();
            let result = order.map(&work);
            result.map(|result| locked(&done).push(result)).is_some()
        };
        let help = || {
            while open.load(Ordering::Acquire) {
                let idle = Idle::begin();
                while !one() && open.load(Ordering::Acquire) {
                    idle.wait();
                }
            }
            while one() {}
        };
        let made = self.helped(usize::MAX, help, || {
            let closing = Closing(&open);
            let made = main(&mut |order| locked(&orders).push_back(order));
            drop(closing);
            while one() {}
            made
        });
        (made, done.into_inner().unwrap_or_else(PoisonError::into_inner))
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
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(tasks.len())));
        let some = || {
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(task) = tasks.get(index)
            {
                let result = work(task);
                locked(&done).push((index, result));
            }
        };
        let threads = threads.min(tasks.len().div_ceil(TASKS_A_THREAD));
        self.helped(threads.saturating_sub(1), some, some);
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.release();
    }
}

/// Says that nothing more is ordered, however that comes.
struct Closing<'a>(&'a AtomicBool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A helper without work: at first it lets others go first, later it sleeps.
struct Idle(Instant);

impl Idle {
    /// For so long the processor is not given up.
    const AWAKE: Duration = Duration::from_millis(20);

    fn begin() -> Idle {
        Idle(Instant::now())
    }

    fn wait(&self) {
        if self.0.elapsed() < Idle::AWAKE {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Crew;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn every_task_is_done_once_and_results_are_in_order() {
        let tasks: Vec<usize> = (0..100).collect();
        for threads in [1, 2, 5] {
            let crew = Crew::new(threads);
            assert_eq!(crew.shared(&tasks, usize::MAX, |task| task * 2), Vec::from_iter((0..200).step_by(2)));
            let (made, mut done) =
                crew.ahead(|task| task * 2, |order| tasks.iter().map(|&task| order(task)).count());
            done.sort_unstable();
            assert_eq!((made, done), (100, Vec::from_iter((0..200).step_by(2))));
        }
    }

    #[test]
    fn a_panic_ends_all_of_it() {
        let crew = Crew::new(2);
        let main = || crew.ahead(|(): ()| (), |_| panic!("main"));
        assert!(catch_unwind(AssertUnwindSafe(main)).is_err());
        let work = || crew.ahead(|()| panic!("work"), |order| order(()));
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        assert_eq!(crew.shared(&[1, 2, 3, 4], 2, |task| task + 1), [2, 3, 4, 5]);
    }
}
