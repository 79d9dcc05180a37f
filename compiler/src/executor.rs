//! Work that is shared among threads.
//!
//! The compiler hands jobs to an [`Executor`] and never waits for one to be picked up: whatever no helper has begun,
//! the calling thread does itself. So two compilations that share an executor cannot block each other, and an executor
//! without threads is slower but right.

use mam_runtime::sort::Sort;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Does a part of the work that is waiting, if any is, and returns.
pub type Job = Arc<dyn Fn() + Send + Sync>;

/// Threads for a compilation, owned by the program that compiles.
pub trait Executor: Debug + Send + Sync {
    /// How many threads may help the caller's at most.
    fn helpers(&self) -> usize;

    /// Offers a job to at most `helpers` threads. Each calls it once, or not at all; it may be called long after its
    /// work is done, and returns at once then.
    fn offer(&self, helpers: usize, job: Job);

    /// Runs a job beside everything else, on a thread that helps in nothing meanwhile. Returns false, and does not run
    /// it, where there is no such thread.
    fn background(&self, job: Box<dyn FnOnce() + Send>) -> bool;

    /// A compilation begins: there will soon be jobs. Helpers that stay awake until [`Executor::end`] save the time
    /// that it takes to wake them, up to a millisecond each.
    fn begin(&self) {}

    /// A compilation ends.
    fn end(&self) {}
}

/// No thread but the caller's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Executor for Inline {
    fn helpers(&self) -> usize {
        0
    }

    fn offer(&self, _helpers: usize, _job: Job) {}

    fn background(&self, _job: Box<dyn FnOnce() + Send>) -> bool {
        false
    }
}

/// A compilation's use of an executor, from [`Executor::begin`] to [`Executor::end`].
pub(crate) struct Session<'e>(&'e dyn Executor);

impl<'e> Session<'e> {
    pub(crate) fn begin(executor: &'e dyn Executor) -> Session<'e> {
        executor.begin();
        Session(executor)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Tasks that are worth a thread.
const TASKS_A_THREAD: usize = 2;

/// Runs `main`, and meanwhile helpers do the `work` that it orders; what is left of that at its end is done by all.
/// The result is what `main` made and what became of each order, in the order of the orders.
///
/// # Panics
/// Where `main` or `work` does.
pub(crate) fn ahead<T: Send + 'static, R: Send + 'static, A>(
    executor: &dyn Executor,
    work: impl Fn(T) -> R + Send + Sync + 'static,
    main: impl FnOnce(&mut dyn FnMut(T)) -> A,
) -> (A, Vec<R>) {
    let tasks = Arc::new(Tasks::new(work));
    let job = tasks.clone().job();
    let closing = Closing(&*tasks);
    let made = main(&mut |order| {
        tasks.push(order);
        if executor.helpers() > 0 {
            executor.offer(1, job.clone());
        }
    });
    tasks.drain();
    let done = tasks.wait();
    drop(closing);
    (made, done)
}

/// What `work` makes of each task, in the order of the tasks, on at most so many threads. They are begun in their
/// order, so the longest should come first.
///
/// # Panics
/// Where `work` does.
pub(crate) fn map<T: Send + 'static, R: Send + 'static>(
    executor: &dyn Executor,
    all: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) -> Vec<R> {
    let threads = threads.min(all.len().div_ceil(TASKS_A_THREAD));
    let helpers = executor.helpers().min(threads.saturating_sub(1));
    let tasks = Arc::new(Tasks::new(work));
    let closing = Closing(&*tasks);
    all.into_iter().for_each(|task| tasks.push(task));
    if helpers > 0 {
        executor.offer(helpers, tasks.clone().job());
    }
    tasks.drain();
    let done = tasks.wait();
    drop(closing);
    done
}

/// Tasks on their way to results.
struct Tasks<T, R, W> {
    work: W,
    state: Mutex<State<T, R>>,
    /// Notified when a running task ends.
    ended: Condvar,
}

struct State<T, R> {
    /// How many tasks there have been.
    count: usize,
    waiting: VecDeque<(usize, T)>,
    running: usize,
    done: Vec<(usize, R)>,
    /// A task has panicked on a helper.
    panicked: bool,
}

impl<T: Send + 'static, R: Send + 'static, W: Fn(T) -> R + Send + Sync + 'static> Tasks<T, R, W> {
    fn new(work: W) -> Tasks<T, R, W> {
        let state = State { count: 0, waiting: VecDeque::new(), running: 0, done: vec![], panicked: false };
        Tasks { work, state: Mutex::new(state), ended: Condvar::new() }
    }

    /// What a helper calls.
    fn job(self: Arc<Self>) -> Job {
        Arc::new(move || self.drain())
    }

    fn push(&self, task: T) {
        let mut state = locked(&self.state);
        let index = state.count;
        state.count += 1;
        state.waiting.push_back((index, task));
    }

    /// Does tasks until none is waiting.
    fn drain(&self) {
        while let Some((index, task)) = self.take() {
            let mut running = Running { tasks: self, result: None };
            running.result = Some((index, (self.work)(task)));
        }
    }

    fn take(&self) -> Option<(usize, T)> {
        let mut state = locked(&self.state);
        let task = state.waiting.pop_front()?;
        state.running += 1;
        Some(task)
    }

    /// Waits for what helpers have begun. A helper is at its last task, so most waits are shorter than falling asleep.
    fn wait(&self) -> Vec<R> {
        const SPINS: usize = 1000;
        let is_running = |state: &mut State<T, R>| state.running > 0;
        for _ in 0..SPINS {
            if !is_running(&mut locked(&self.state)) {
                break;
            }
            std::thread::yield_now();
        }
        let state = locked(&self.state);
        let mut state = self.ended.wait_while(state, is_running).unwrap_or_else(PoisonError::into_inner);
        assert!(!state.panicked, "a task panicked on another thread");
        let mut done = std::mem::take(&mut state.done);
        done.put_in_order_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// A task that is being done; it counts as ended however that comes.
struct Running<'t, T, R, W> {
    tasks: &'t Tasks<T, R, W>,
    result: Option<(usize, R)>,
}

impl<T, R, W> Drop for Running<'_, T, R, W> {
    fn drop(&mut self) {
        let mut state = locked(&self.tasks.state);
        state.running -= 1;
        state.panicked |= self.result.is_none();
        state.done.extend(self.result.take());
        self.tasks.ended.notify_all();
    }
}

/// Drops what is waiting when the caller is gone, so that helpers do nothing in vain after a panic.
struct Closing<'t, T, R, W>(&'t Tasks<T, R, W>);

impl<T, R, W> Drop for Closing<'_, T, R, W> {
    fn drop(&mut self) {
        locked(&self.0.state).waiting.clear();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests start threads")]
mod tests {
    use super::{Executor, Inline, Job, ahead, map};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    /// A thread for each helper that is offered something.
    #[derive(Debug)]
    struct Spawning;

    impl Executor for Spawning {
        fn helpers(&self) -> usize {
            3
        }

        fn offer(&self, helpers: usize, job: Job) {
            for _ in 0..helpers {
                let job = job.clone();
                std::thread::spawn(move || _ = catch_unwind(AssertUnwindSafe(|| job())));
            }
        }

        fn background(&self, _job: Box<dyn FnOnce() + Send>) -> bool {
            false
        }
    }

    /// Helpers that another compilation has: they come when it is too late.
    #[derive(Default)]
    struct Busy(Mutex<Vec<Job>>);

    impl std::fmt::Debug for Busy {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Busy")
        }
    }

    impl Executor for Busy {
        fn helpers(&self) -> usize {
            3
        }

        fn offer(&self, helpers: usize, job: Job) {
            self.0.lock().unwrap().extend(std::iter::repeat_n(job, helpers));
        }

        fn background(&self, _job: Box<dyn FnOnce() + Send>) -> bool {
            false
        }
    }

    fn every_task_is_done_once_and_in_order(executor: &dyn Executor) {
        let doubled = Vec::from_iter((0..200).step_by(2));
        for threads in [1, 2, 5] {
            assert_eq!(map(executor, (0..100).collect(), threads, |task: usize| task * 2), doubled);
        }
        let (made, done) = ahead(executor, |task: usize| task * 2, |order| (0..100).map(&mut *order).count());
        assert_eq!((made, done), (100, doubled));
    }

    #[test]
    fn every_executor_gives_the_same() {
        every_task_is_done_once_and_in_order(&Inline);
        every_task_is_done_once_and_in_order(&Spawning);
    }

    #[test]
    fn nothing_waits_for_helpers_that_are_busy_elsewhere() {
        let busy = Busy::default();
        every_task_is_done_once_and_in_order(&busy);
        let late = std::mem::take(&mut *busy.0.lock().unwrap());
        assert!(late.len() > 100, "{} offers", late.len());
        late.iter().for_each(|job| job());
    }

    #[test]
    fn a_panic_ends_all_of_it() {
        for executor in [&Inline as &dyn Executor, &Spawning] {
            let main = || ahead(executor, |(): ()| (), |_| panic!("main"));
            assert!(catch_unwind(AssertUnwindSafe(main)).is_err());
            let work = || ahead(executor, |()| panic!("work"), |order| order(()));
            assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
            assert_eq!(map(executor, vec![1, 2, 3, 4], 2, |task| task + 1), [2, 3, 4, 5]);
        }
    }
}
