//! Long sounds, of which only what is about to be heard is in memory: chunks of a file that are decoded when they are asked for.
//!
//! A [`Stream`] is asked for the chunk around a place ([`Stream::chunk`]), which stays where it is as long as it is held. Offline a chunk
//! that is not there is read at once. Live, on the audio thread, nothing is waited for: what is not there is a gap, which is
//! counted, and a thread beside it reads what is asked for ([`Stream::request`]). What has not been used for longest is given up
//! for what is new, unless that has been in use just now: then there is one chunk more. So memory follows from how much is
//! played at a time, and not from the length of the file.

use std::cell::UnsafeCell;
use std::fmt;
#[cfg(feature = "threads")]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Frames from the beginning of a chunk to that of the next one.
pub const CHUNK: usize = 4096;
/// Frames of the next chunk that a chunk has as well, so that a window of so many and one is always in one.
pub const OVERLAP: usize = 16;
/// Silence before the sound, which belongs to the first chunk.
pub const LEAD: usize = 64;
/// Chunks that are kept at least, where there are so many.
const FEWEST: usize = 64;
/// Chunks that are kept at most: of two channels 128 MiB.
const MOST: usize = 4096;
/// Requests that are remembered; later ones take the place of earlier ones, and are made anew in each quantum.
const REQUESTS: usize = 1024;
/// What was asked for in so many quanta is in use.
const RECENT: u32 = 16;
/// In a chunk's word: below this bit how many hold it, here whether it is there, and behind that where.
const THERE: u64 = 1 << 16;
const PLACE: u32 = 32;

/// Reads a sound from any place.
pub trait FrameReader: Send {
    /// Frames from `first` on, as many as the channels have room for. What cannot be read is silent.
    ///
    /// # Errors
    /// Why frames are silent that should not be, in words.
    fn read(&mut self, first: u64, channels: &mut [&mut [f32]]) -> Result<(), String>;
}

/// What is known of a sound before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What it is called in messages.
    pub name: String,
    /// Its rate, in frames a second.
    pub rate: u32,
    /// How many channels are read, one or two.
    pub channels: usize,
    /// How many frames each channel has.
    pub frames: u64,
    /// A hash by which it is known that it is another file, or has been changed.
    pub content: u64,
}

/// A sound that is read while it plays.
pub struct Stream {
    about: About,
    chunks: Box<[Chunk]>,
    places: Box<[OnceLock<Slot>]>,
    keeper: Mutex<Keeper>,
    requests: Box<[AtomicU32]>,
    next_request: AtomicU32,
    is_live: AtomicBool,
    gaps: AtomicU64,
    trouble: OnceLock<String>,
    is_reported: AtomicBool,
}

#[derive(Default)]
struct Chunk {
    word: AtomicU64,
    /// The quantum in which it was asked for last.
    used: AtomicU32,
}

/// Memory of one chunk: its channels, one behind the other.
struct Slot(UnsafeCell<Box<[f32]>>);

// SAFETY: it is written by who has the keeper, as long as no chunk is said to be in it; afterwards it is only read.
unsafe impl Sync for Slot {}

/// What reads, and which chunk is in which place.
struct Keeper {
    reader: Box<dyn FrameReader>,
    owners: Vec<usize>,
    /// Places that there may be.
    budget: usize,
}

impl Keeper {
    /// One place more, in which no chunk is yet.
    fn add(&mut self) -> usize {
        self.owners.push(usize::MAX);
        self.owners.len() - 1
    }
}

/// A chunk that stays in memory as long as this is there.
pub struct Held<'a> {
    chunk: &'a Chunk,
    samples: &'a [f32],
}

impl Held<'_> {
    /// The samples of a channel: [`CHUNK`] and [`OVERLAP`].
    pub fn channel(&self, channel: usize) -> &[f32] {
        &self.samples[channel * (CHUNK + OVERLAP)..][..CHUNK + OVERLAP]
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.chunk.word.fetch_sub(1, Ordering::Release);
    }
}

impl Stream {
    /// A sound of which nothing has been read.
    pub fn new(about: About, reader: Box<dyn FrameReader>) -> Stream {
        let count = (about.frames as usize + LEAD).div_ceil(CHUNK) + 1;
        let budget = FEWEST;
        Stream {
            chunks: (0..count).map(|_| Chunk::default()).collect(),
            places: (0..MOST).map(|_| OnceLock::new()).collect(),
            keeper: Mutex::new(Keeper { reader, owners: vec![], budget }),
            requests: (0..REQUESTS).map(|_| AtomicU32::new(0)).collect(),
            next_request: AtomicU32::new(0),
            is_live: AtomicBool::new(false),
            gaps: AtomicU64::new(0),
            trouble: OnceLock::new(),
            is_reported: AtomicBool::new(false),
            about,
        }
    }

    /// What is known of it.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Bytes of memory that it takes while it plays, if it does so at a few places.
    pub fn bytes(&self) -> usize {
        FEWEST.min(self.chunks.len()) * self.place_bytes() + self.chunks.len() * size_of::<Chunk>()
    }

    /// Bytes of memory that are in use now.
    pub fn used_bytes(&self) -> usize {
        let places = self.places.iter().take_while(|place| place.get().is_some()).count();
        places * self.place_bytes() + self.chunks.len() * size_of::<Chunk>()
    }

    fn place_bytes(&self) -> usize {
        self.about.channels * (CHUNK + OVERLAP) * size_of::<f32>()
    }

    /// Quanta of places that were silent since their sound had not been read in time.
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Relaxed)
    }

    /// What went wrong first while it was read, in words.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.get().map(String::as_str)
    }

    /// The same where it has not been asked for yet.
    pub fn new_trouble(&self) -> Option<&str> {
        let trouble = self.trouble()?;
        (!self.is_reported.swap(true, Ordering::Relaxed)).then_some(trouble)
    }

    /// Whether nothing is waited for.
    pub fn is_live(&self) -> bool {
        self.is_live.load(Ordering::Relaxed)
    }

    /// Counts a quantum that is silent for want of sound. \[audio\]
    pub fn count_gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// The chunk of a place, in frames from [`LEAD`] frames before the sound's first one, if it is in memory. It is asked for in the
    /// quantum `now`, a number modulo 2³². \[audio\]
    pub fn chunk(&self, place: usize, now: u32) -> Option<Held<'_>> {
        let chunk = self.chunks.get(place / CHUNK)?;
        chunk.used.store(now, Ordering::Relaxed);
        self.held(chunk)
    }

    /// A chunk that stays, if it is in memory.
    fn held<'a>(&'a self, chunk: &'a Chunk) -> Option<Held<'a>> {
        let word = chunk.word.fetch_add(1, Ordering::Acquire);
        if word & THERE == 0 {
            chunk.word.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let place = self.places[(word >> PLACE) as usize].get();
        // SAFETY: what is said to be there is not written while it is held.
        let samples = place.map_or(&[][..], |place| unsafe { &**place.0.get() });
        Some(Held { chunk, samples })
    }

    /// The chunk of a place, read if it is not in memory; none beyond the end, or where all memory is in use.
    pub fn awaited(&self, place: usize, now: u32) -> Option<Held<'_>> {
        self.chunk(place, now).or_else(|| self.load(place / CHUNK))
    }

    /// Asks for the chunk of a place, if it is not in memory. \[audio\]
    pub fn request(&self, place: usize, now: u32) {
        let index = place / CHUNK;
        let Some(chunk) = self.chunks.get(index) else { return };
        chunk.used.store(now, Ordering::Relaxed);
        if chunk.word.load(Ordering::Relaxed) & THERE == 0 {
            let next = self.next_request.fetch_add(1, Ordering::Relaxed) as usize;
            self.requests[next % REQUESTS].store(index as u32 + 1, Ordering::Release);
        }
    }

    /// Reads what was asked for. Returns whether anything was.
    pub fn serve(&self) -> bool {
        let first = self.next_request.load(Ordering::Relaxed) as usize;
        let mut was_asked = false;
        for next in 0..REQUESTS {
            let request = self.requests[(first + next) % REQUESTS].swap(0, Ordering::Acquire);
            if let Some(index) = (request as usize).checked_sub(1) {
                was_asked = true;
                drop(self.load(index));
            }
        }
        was_asked
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a chunk into memory, where it is not yet, and holds it.
    fn load(&self, index: usize) -> Option<Held<'_>> {
        let chunk = self.chunks.get(index)?;
        let mut keeper = self.keeper();
        // As long as the keeper is here nothing is given up.
        if let Some(held) = self.held(chunk) {
            return Some(held);
        }
        let now = chunk.used.load(Ordering::Relaxed);
        let at = self.free(&mut keeper, now)?;
        let place = self.places[at].get_or_init(|| {
            let samples = self.about.channels * (CHUNK + OVERLAP);
            Slot(UnsafeCell::new(vec![0.0; samples].into_boxed_slice()))
        });
        // SAFETY: no chunk is said to be there, so that it is not read.
        let samples = unsafe { &mut *place.0.get() };
        self.fill(&mut *keeper.reader, index, samples);
        keeper.owners[at] = index;
        chunk.word.fetch_or(THERE | (at as u64) << PLACE, Ordering::Release);
        self.held(chunk)
    }

    /// A place in which no chunk is: of those that are not held the one that has not been used for longest.
    fn free(&self, keeper: &mut Keeper, now: u32) -> Option<usize> {
        if keeper.owners.len() < keeper.budget {
            return Some(keeper.add());
        }
        let age = |index: usize| {
            self.chunks.get(index).map_or(u32::MAX, |c| now.wrapping_sub(c.used.load(Ordering::Relaxed)))
        };
        let mut oldest: Vec<(u32, usize)> =
            keeper.owners.iter().enumerate().map(|(at, &owner)| (age(owner), at)).collect();
        oldest.sort_unstable_by(|a, b| b.cmp(a));
        let is_busy = oldest.first().is_some_and(|(age, _)| *age < RECENT);
        if !is_busy || keeper.budget == MOST {
            for (_, at) in oldest {
                let Some(owner) = self.chunks.get(keeper.owners[at]) else { return Some(at) };
                let there = THERE | (at as u64) << PLACE;
                let given = owner.word.compare_exchange(there, 0, Ordering::AcqRel, Ordering::Relaxed);
                if given.is_ok() {
                    keeper.owners[at] = usize::MAX;
                    return Some(at);
                }
            }
        }
        if keeper.budget == MOST {
            return None;
        }
        keeper.budget += 1;
        Some(keeper.add())
    }

    /// The frames of a chunk, with silence before the sound and behind it.
    fn fill(&self, reader: &mut dyn FrameReader, index: usize, samples: &mut [f32]) {
        samples.fill(0.0);
        let all = CHUNK + OVERLAP;
        let begin = (index * CHUNK) as u64;
        let first = begin.max(LEAD as u64);
        let last = (begin + all as u64).min(self.about.frames + LEAD as u64);
        if first >= last {
            return;
        }
        let within = (first - begin) as usize..(last - begin) as usize;
        let mut channels: Vec<&mut [f32]> =
            samples.chunks_exact_mut(all).map(|channel| &mut channel[within.clone()]).collect();
        if let Err(why) = reader.read(first - LEAD as u64, &mut channels) {
            _ = self.trouble.set(why);
        }
        for sample in channels.into_iter().flatten() {
            if !sample.is_finite() {
                *sample = 0.0;
                _ = self.trouble.set("a sample in it is not a finite number".into());
            }
        }
    }

    /// From now on nothing is waited for: a thread reads what is asked for, as long as the stream is there.
    #[cfg(feature = "threads")]
    pub fn go_live(self: &Arc<Self>) {
        /// How long the thread waits where nothing was asked for.
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(3);
        if self.is_live.swap(true, Ordering::Relaxed) {
            return;
        }
        (0..4).for_each(|index| self.request(index * CHUNK, 0));
        let stream = Arc::downgrade(self);
        let served = std::thread::Builder::new().name("sounds".into()).spawn(move || {
            while let Some(stream) = stream.upgrade() {
                let was_asked = stream.serve();
                drop(stream);
                if !was_asked {
                    std::thread::sleep(PAUSE);
                }
            }
        });
        // Without a thread it is waited for, as offline.
        if served.is_err() {
            self.is_live.store(false, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.about.fmt(f)
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Stream) -> bool {
        self.about == other.about
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sample n of channel c is n + c/2; it counts what is read.
    struct Ramp(Arc<AtomicU32>);

    impl FrameReader for Ramp {
        fn read(&mut self, first: u64, channels: &mut [&mut [f32]]) -> Result<(), String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            for (c, channel) in channels.iter_mut().enumerate() {
                (0..).zip(channel.iter_mut()).for_each(|(n, x)| *x = (first + n) as f32 + c as f32 / 2.0);
            }
            Ok(())
        }
    }

    fn ramp(frames: u64) -> (Stream, Arc<AtomicU32>) {
        let about = About { name: "ramp".into(), rate: 48_000, channels: 2, frames, content: 1 };
        let reads = Arc::new(AtomicU32::new(0));
        (Stream::new(about, Box::new(Ramp(reads.clone()))), reads)
    }

    #[test]
    fn chunks_are_the_sound_between_silence() {
        let (stream, _) = ramp(10_000);
        for place in 0..10_000 + 2 * LEAD {
            let held = stream.awaited(place, place as u32).unwrap();
            let within = place % CHUNK;
            let expected = |c: usize| match place.checked_sub(LEAD) {
                Some(n) if n < 10_000 => n as f32 + c as f32 / 2.0,
                _ => 0.0,
            };
            assert_eq!([0, 1].map(|c| held.channel(c)[within]), [0, 1].map(expected), "{place}");
        }
        assert!(stream.awaited(5 * CHUNK, 0).is_none());
    }

    #[test]
    fn memory_is_bounded_and_what_is_held_stays() {
        let (stream, reads) = ramp(100_000_000);
        let held = stream.awaited(LEAD, 0).unwrap();
        for round in 0..3 {
            for index in 1..1000 {
                let place = index * CHUNK;
                assert_eq!(stream.awaited(place, place as u32).unwrap().channel(0)[0], (place - LEAD) as f32);
            }
            assert!(stream.used_bytes() <= stream.bytes(), "{round}");
        }
        assert_eq!(held.channel(0)[LEAD + 5], 5.0);
        assert!(reads.load(Ordering::Relaxed) > 2000);
    }

    #[test]
    fn as_many_places_as_play_at_a_time_keep_their_chunks() {
        let (stream, reads) = ramp(100_000_000);
        for quantum in 0..20 {
            for head in 0..300 {
                assert!(stream.awaited(head * 10 * CHUNK, quantum).is_some());
            }
        }
        assert_eq!(reads.load(Ordering::Relaxed), 300);
    }

    #[test]
    fn what_is_asked_for_is_read_later() {
        let (stream, _) = ramp(100_000);
        assert!(stream.chunk(CHUNK, 0).is_none());
        stream.request(CHUNK, 0);
        assert!(stream.serve());
        assert!(stream.chunk(CHUNK, 1).is_some() && !stream.serve());
    }

    #[test]
    fn what_is_read_beside_is_right_or_not_there() {
        let (stream, _) = ramp(40_000_000);
        let stream = Arc::new(stream);
        stream.go_live();
        let play = |seed: usize| {
            let mut heard = 0;
            for turn in 0..20_000_usize {
                let place = (seed + turn * 37) * 997 % 40_000_000;
                match stream.chunk(place, turn as u32) {
                    Some(held) => {
                        heard += 1;
                        let n = place.max(LEAD);
                        assert_eq!(held.channel(1)[place % CHUNK + n - place], (n - LEAD) as f32 + 0.5);
                    }
                    None => stream.request(place, turn as u32),
                }
                if turn % 64 == 0 {
                    std::thread::yield_now();
                }
            }
            heard
        };
        let heard: usize = std::thread::scope(|scope| {
            let players: Vec<_> = (0..3).map(|seed| scope.spawn(move || play(seed * 1000))).collect();
            players.into_iter().map(|player| player.join().unwrap()).sum()
        });
        assert!(heard > 0);
    }
}
