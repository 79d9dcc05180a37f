//! Work that is shared among threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Tasks that are worth a thread.
const TASKS_A_THREAD: usize = 2;

/// What `work` makes of each task, in the order of the tasks; at most so many threads share them, of which the caller's
/// is one. They are begun in their order, so the longest should come first.
///
/// # Panics
/// Where `work` does.
pub(crate) fn shared<T: Sync, R: Send>(tasks: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = vec![];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { return done };
            done.push((index, work(task)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others = 1..threads.min(tasks.len().div_ceil(TASKS_A_THREAD));
        let others: Vec<_> = others.map(|_| scope.spawn(some)).collect();
        let mut all = some();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}
