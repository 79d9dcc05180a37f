//! Long lists in tests, by all processors: a test is one thread, and the last of a file would leave the others idle.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// What `f` makes of each item, in their order. `f` is called from several threads at once.
///
/// # Panics
/// As `f` does.
pub fn map<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = vec![];
        while let index = next.fetch_add(1, Relaxed)
            && let Some(item) = items.get(index)
        {
            made.push((index, f(item)));
        }
        made
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut made: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    made.sort_unstable_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, made)| made).collect()
}
