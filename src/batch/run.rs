//! Rows on all cores, into shards.
//!
//! A shard belongs to one thread as long as there are enough of them; a thread that finds none left helps with those that are
//! not finished. Rows are dealt out in chunks, and each thread appends its chunk when all before it in the shard are there, so
//! the bytes do not depend on who made them. A thread holds one chunk at most, and the one whose turn it is never waits.

use super::encode::Encoder;
use super::hash::{Hasher, hex};
use super::job::{FailedRow, Job, Shard};
use super::table::STRIDE;
use super::{Column, Row, RowRenderer, Rows, Subject};
use crate::failure::Failure;
use crate::output::{Inputs, Output};
use mam_runtime::render::QUIET;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of sound that a thread makes before it appends them, where a row has fewer.
const CHUNK_BYTES: u64 = 1 << 20;
/// How often it is told how far it is.
const INTERVAL: Duration = Duration::from_millis(100);

/// A batch that is to be rendered.
pub struct Batch<'s> {
    /// The song whose variants are rendered.
    pub subject: &'s Subject,
    /// What is different in each render.
    pub rows: &'s dyn Rows,
    /// Their columns, by the names that they have in the source.
    pub columns: &'s [(String, Column)],
    /// What it is made of.
    pub job: Job,
    /// Where the shards go.
    pub folder: PathBuf,
    /// What is read, and not written over.
    pub inputs: Inputs,
    /// How many threads render, at least 1.
    pub threads: usize,
}

impl Batch<'_> {
    /// The first rows of all shards in a range that begins with one.
    pub fn shards(&self, range: Range<u64>) -> impl Iterator<Item = u64> + use<> {
        let size = self.job.shard_rows;
        (range.start / size..range.end.div_ceil(size)).map(move |index| index * size)
    }

    /// Renders and writes the shards that begin with these rows; `tell` hears from time to time how many rows are done, and may
    /// stop it by returning false. Shards that are finished when something fails stay.
    ///
    /// # Errors
    /// When rows cannot be read, or files cannot be written; [`Failure::Usage`] where it was stopped.
    pub fn run(&self, todo: Vec<u64>, mut tell: impl FnMut(u64) -> bool) -> Result<Vec<Shard>, Failure> {
        let threads = self.threads.max(1);
        let work = Work {
            batch: self,
            chunk: (CHUNK_BYTES / self.row_bytes().max(1)).clamp(1, STRIDE),
            queue: Mutex::new(Queue { todo: todo.into(), open: vec![] }),
            finished: Mutex::default(),
            failure: Mutex::default(),
            stop: AtomicBool::new(false),
            done: AtomicU64::new(0),
        };
        std::thread::scope(|scope| {
            let (alive, all_gone) = channel::<()>();
            for _ in 0..threads {
                let (work, alive) = (&work, alive.clone());
                scope.spawn(move || work.serve(alive));
            }
            drop(alive);
            while all_gone.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if !tell(work.done.load(Ordering::Relaxed)) {
                    work.stop.store(true, Ordering::Relaxed);
                }
            }
        });
        if let Some(failure) = locked(&work.failure).take() {
            return Err(failure);
        }
        if work.stop.load(Ordering::Relaxed) {
            return Err(Failure::Usage("it was stopped".into()));
        }
        tell(work.done.load(Ordering::Relaxed));
        Ok(std::mem::take(&mut *locked(&work.finished)).into_values().collect())
    }

    /// Bytes that the shards which begin with these rows will have, about; of compressed ones, at most.
    pub fn expected_bytes(&self, todo: &[u64]) -> u64 {
        self.row_count(todo).saturating_mul(self.row_bytes())
    }

    /// How many rows are in the shards that begin with these.
    pub fn row_count(&self, todo: &[u64]) -> u64 {
        todo.iter().map(|&first| self.job.shard(first)).map(|rows| rows.end - rows.start).sum()
    }

    fn row_bytes(&self) -> u64 {
        self.job.format.row_bytes(self.job.frames * self.job.channels as u64)
    }
}

/// What threads share.
struct Work<'b> {
    batch: &'b Batch<'b>,
    /// Rows of a chunk.
    chunk: u64,
    queue: Mutex<Queue>,
    /// By their first rows.
    finished: Mutex<BTreeMap<u64, Shard>>,
    failure: Mutex<Option<Failure>>,
    stop: AtomicBool,
    /// Rows that are rendered.
    done: AtomicU64,
}

/// What is still to be dealt out.
struct Queue {
    todo: VecDeque<u64>,
    open: Vec<Dealt>,
}

/// A shard that was begun, and its first row that no worker has taken.
struct Dealt {
    shard: Arc<Open>,
    next: u64,
}

/// A shard in the making.
struct Open {
    rows: Range<u64>,
    state: Mutex<Making>,
    /// Notified when the next chunk may be appended.
    turn: Condvar,
}

#[derive(Default)]
struct Making {
    output: Option<Output>,
    hasher: Hasher,
    bytes: u64,
    failed: Vec<FailedRow>,
    /// The first row that is not in it.
    next: u64,
}

/// What a thread has rendered of a shard.
struct Chunk {
    rows: Range<u64>,
    bytes: Vec<u8>,
    failed: Vec<FailedRow>,
}

/// Stops all others when its thread panics.
struct StopOnPanic<'w>(&'w AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Work<'_> {
    /// The life of a thread. `_alive` is dropped at its end.
    fn serve(&self, _alive: Sender<()>) {
        let _guard = StopOnPanic(&self.stop);
        if let Err(failure) = self.render_all() {
            locked(&self.failure).get_or_insert(failure);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn render_all(&self) -> Result<(), Failure> {
        let Batch { subject, job, columns, .. } = self.batch;
        let mut renderer = RowRenderer::new(subject, job.frames);
        let mut encoder = Encoder::new(job, subject, columns);
        let (mut rows, mut own) = (vec![], None);
        let mut chunk = Chunk { rows: 0..0, bytes: vec![], failed: vec![] };
        while let Some((shard, range)) = self.deal(&mut own) {
            rows.clear();
            self.batch.rows.read(range.clone(), &mut rows)?;
            (chunk.rows, chunk.failed) = (range.clone(), vec![]);
            chunk.bytes.clear();
            for (number, row) in range.zip(&rows) {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                self.row(number, row, (&mut renderer, &mut encoder), &mut chunk)?;
            }
            self.append(&shard, &mut chunk, &encoder)?;
        }
        Ok(())
    }

    fn row(
        &self,
        number: u64,
        row: &Row,
        (renderer, encoder): (&mut RowRenderer<'_>, &mut Encoder<'_>),
        chunk: &mut Chunk,
    ) -> Result<(), Failure> {
        let (sound, mut faults) = renderer.render(row);
        if self.batch.job.no_silence && sound.iter().all(|x| x.abs() <= QUIET) {
            faults.push("it is silent".into());
        }
        encoder.row(number, row, sound, &mut chunk.bytes)?;
        if !faults.is_empty() {
            chunk.failed.push(FailedRow { row: number, id: row.id.clone(), why: faults.join("; ") });
        }
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The next rows for a thread: of its own shard, of a new one, or of that in which most is left.
    fn deal(&self, own: &mut Option<u64>) -> Option<(Arc<Open>, Range<u64>)> {
        let mut queue = locked(&self.queue);
        queue.open.retain(|dealt| dealt.next < dealt.shard.rows.end);
        let mut index = own.and_then(|own| queue.open.iter().position(|dealt| dealt.shard.rows.start == own));
        if index.is_none()
            && let Some(first) = queue.todo.pop_front()
        {
            let making = Making { next: first, ..Making::default() };
            let rows = self.batch.job.shard(first);
            let shard = Arc::new(Open { rows, state: Mutex::new(making), turn: Condvar::new() });
            queue.open.push(Dealt { shard, next: first });
            (*own, index) = (Some(first), Some(queue.open.len() - 1));
        }
        let left = |dealt: &Dealt| dealt.shard.rows.end - dealt.next;
        let most = || (0..queue.open.len()).max_by_key(|&i| left(&queue.open[i]));
        let index = index.or_else(most)?;
        let dealt = &mut queue.open[index];
        let end = dealt.shard.rows.end.min(dealt.next + self.chunk);
        let range = dealt.next..end;
        dealt.next = end;
        Some((dealt.shard.clone(), range))
    }

    /// Appends a chunk when it is its turn, and finishes the shard with its last one.
    fn append(&self, shard: &Open, chunk: &mut Chunk, encoder: &Encoder<'_>) -> Result<(), Failure> {
        let mut making = locked(&shard.state);
        while making.next != chunk.rows.start {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            making = shard.turn.wait_timeout(making, INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
        }
        let path = self.batch.folder.join(self.batch.job.file(shard.rows.start));
        if making.output.is_none() {
            making.output = Some(Output::create(&path, &self.batch.inputs)?);
            making.put(&path, &encoder.head(shard.rows.end - shard.rows.start))?;
        }
        making.put(&path, &chunk.bytes)?;
        making.failed.append(&mut chunk.failed);
        making.next = chunk.rows.end;
        shard.turn.notify_all();
        if making.next == shard.rows.end {
            making.put(&path, &encoder.foot())?;
            let finished = making.finish(&self.batch.job, &shard.rows)?;
            finished.write(&self.batch.folder)?;
            locked(&self.finished).insert(finished.first, finished);
        }
        Ok(())
    }
}

impl Making {
    fn put(&mut self, path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
        let Some(output) = &mut self.output else { return Ok(()) };
        output.write_all(bytes).map_err(|e| Failure::write(path, &e))?;
        self.hasher.add(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn finish(&mut self, job: &Job, rows: &Range<u64>) -> Result<Shard, Failure> {
        if let Some(output) = self.output.take() {
            output.finish()?;
        }
        Ok(Shard {
            job: job.hash(),
            file: job.file(rows.start),
            first: rows.start,
            rows: rows.end - rows.start,
            bytes: self.bytes,
            hash: hex(std::mem::take(&mut self.hasher)),
            failed: std::mem::take(&mut self.failed),
        })
    }
}

/// What is behind a lock. A thread that panicked has stopped all others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
