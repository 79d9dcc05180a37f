//! The clock and the threads that the compiler may use.

use mam_compiler::executor::{Executor, Job};
use mam_compiler::host::{Clock, Host};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// This process's clock and its worker pool, which begins at the first compilation.
pub fn host() -> Host {
    static POOL: LazyLock<Arc<WorkerPool>> =
        LazyLock::new(|| WorkerPool::new(mam_runtime::all_threads().saturating_sub(1)));
    Host { clock: Some(Arc::new(Monotonic)), executor: POOL.clone() }
}

/// The system's monotonic clock.
#[derive(Debug)]
struct Monotonic;

impl Clock for Monotonic {
    fn now(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    }
}

/// Threads that help compilations, as many of them at once as there are.
///
/// Workers spin instead of parking while something compiles: to wake one takes up to 1 ms, about 20 % of compiling a
/// whole song.
struct WorkerPool {
    jobs: Mutex<VecDeque<Job>>,
    /// Notified when there are jobs, or soon will be.
    work: Condvar,
    /// How many jobs are waiting, for those who look without the lock.
    waiting: AtomicUsize,
    /// How many compilations are running.
    compilations: AtomicUsize,
    workers: usize,
}

impl std::fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerPool").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// How long a worker spins for work before it parks.
const AWAKE: Duration = Duration::from_millis(20);

impl WorkerPool {
    /// A pool of so many threads, or of fewer where the system gives none.
    fn new(workers: usize) -> Arc<WorkerPool> {
        let pool = Arc::new(WorkerPool {
            jobs: Mutex::default(),
            work: Condvar::new(),
            waiting: AtomicUsize::new(0),
            compilations: AtomicUsize::new(0),
            workers,
        });
        for i in 0..workers {
            let pool = pool.clone();
            // Where there is no thread to be had, the compiling thread does the work.
            _ = Builder::new().name(format!("compiler {i}")).spawn(move || pool.serve());
        }
        pool
    }

    /// The life of a worker.
    fn serve(&self) -> ! {
        loop {
            let job = self.next();
            // Whoever offered the job sees that it has failed.
            _ = catch_unwind(AssertUnwindSafe(|| job()));
        }
    }

    /// Waits for a job: awake for a while, then parked.
    fn next(&self) -> Job {
        let idle = Instant::now();
        while self.compilations.load(Ordering::Relaxed) > 0 && idle.elapsed() < AWAKE {
            if self.waiting.load(Ordering::Relaxed) > 0
                && let Some(job) = self.take(&mut self.locked())
            {
                return job;
            }
            std::thread::yield_now();
        }
        let mut jobs = self.locked();
        loop {
            if let Some(job) = self.take(&mut jobs) {
                return job;
            }
            jobs = self.work.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&self, jobs: &mut VecDeque<Job>) -> Option<Job> {
        let job = jobs.pop_front();
        self.waiting.store(jobs.len(), Ordering::Relaxed);
        job
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for WorkerPool {
    fn helpers(&self) -> usize {
        self.workers
    }

    fn offer(&self, helpers: usize, job: Job) {
        let helpers = helpers.min(self.workers);
        let mut jobs = self.locked();
        jobs.extend(std::iter::repeat_n(job, helpers));
        self.waiting.store(jobs.len(), Ordering::Relaxed);
        (0..helpers).for_each(|_| self.work.notify_one());
    }

    fn background(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        Builder::new().name("tier-up".into()).spawn(job).is_ok()
    }

    fn begin(&self) {
        self.compilations.fetch_add(1, Ordering::Relaxed);
        if self.workers > 0 {
            // A worker must not check for work and park between the two.
            let _jobs = self.locked();
            self.work.notify_all();
        }
    }

    fn end(&self) {
        self.compilations.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::WorkerPool;
    use mam_compiler::executor::Executor;
    use mam_compiler::files::NoFiles;
    use mam_compiler::host::Host;
    use mam_compiler::{Options, compile};
    use mam_grammar::Sources;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};

    fn compiles(pool: &Arc<WorkerPool>) -> bool {
        let mut sources = Sources::default();
        let song =
            sources.add("a.mam", "a = saw(110Hz)\nb = a |> lowpass(900Hz)\nout = b + 0.1 * tri(2Hz)\n");
        let host = Host { clock: None, executor: pool.clone() };
        compile(&mut sources, song, &NoFiles, &Options { host, ..Options::default() }).program.is_some()
    }

    /// A second compilation does not wait for helpers that the first one has.
    #[test]
    fn a_compilation_does_not_wait_for_another() {
        let pool = WorkerPool::new(1);
        let ((began, has_begun), (release, released)) = (channel(), channel::<()>());
        let (began, released) = (Mutex::new(began), Mutex::new(released));
        // What another compilation's job is: it has the only worker until this one is over.
        pool.offer(
            1,
            Arc::new(move || {
                began.lock().unwrap().send(()).unwrap();
                _ = released.lock().unwrap().recv();
            }),
        );
        has_begun.recv().unwrap();
        assert!(compiles(&pool));
        drop(release);
    }

    #[test]
    fn a_worker_outlives_a_job_that_panics() {
        let pool = WorkerPool::new(1);
        pool.offer(1, Arc::new(|| panic!("on purpose")));
        let (sender, done) = channel();
        let sender = Mutex::new(sender);
        pool.offer(1, Arc::new(move || sender.lock().unwrap().send(()).unwrap()));
        done.recv().unwrap();
        assert!(compiles(&pool));
    }
}
