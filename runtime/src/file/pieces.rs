//! A compressed sound from any place, by decoders that stand at some of them.

use super::FileError;
use super::compressed::decoding;
use super::source::MOST_CHANNELS;
use crate::stream::FrameReader;

/// What lies so many seconds ahead at most is decoded up to, instead of leapt to.
const NEAR_SECONDS: u64 = 1;
/// Decoders that stand at places of their own.
const MOST_DECODERS: usize = 8;

/// Frames that were decoded in one go.
#[derive(Default)]
pub(super) struct Piece {
    /// Of its first frame, from the sound's beginning.
    pub(super) first: i64,
    pub(super) rate: u32,
    /// The samples of each channel, all of one length.
    pub(super) channels: Vec<Vec<f32>>,
}

impl Piece {
    pub(super) fn end(&self) -> i64 {
        self.first + self.channels.first().map_or(0, Vec::len) as i64
    }
}

/// What gives decoded pieces one after the other, from any place on.
pub(super) trait Pieces: Send {
    /// The next piece; nothing at the end. One without channels is of frames that are not heard.
    fn next(&mut self) -> Result<Option<Piece>, FileError>;

    /// Goes to where decoding has to begin for a frame to be right.
    fn leap(&mut self, frame: u64) -> Result<(), FileError>;
}

/// A decoder that stands somewhere.
struct Cursor {
    pieces: Box<dyn Pieces>,
    piece: Piece,
    /// From where on what it gives is right.
    right: i64,
    /// When it was used last.
    used: u64,
}

/// Pieces at any place, by decoders that stand at some.
pub(super) struct Anywhere {
    rate: u32,
    make: Box<dyn Fn() -> Result<Box<dyn Pieces>, FileError> + Send>,
    places: Vec<Cursor>,
    reads: u64,
}

impl Anywhere {
    pub(super) fn new(
        rate: u32,
        make: Box<dyn Fn() -> Result<Box<dyn Pieces>, FileError> + Send>,
    ) -> Anywhere {
        Anywhere { rate, make, places: vec![], reads: 0 }
    }

    /// Whether a frame is the one behind the last.
    pub(super) fn is_end(&mut self, frames: u64) -> bool {
        self.has(frames - 1) && !self.has(frames)
    }

    /// Whether there are fewer frames than so many.
    pub(super) fn is_beyond(&mut self, frames: u64) -> bool {
        !self.has(frames - 1)
    }

    fn has(&mut self, frame: u64) -> bool {
        let mut sample = [f32::NAN];
        matches!(self.fill(frame, &mut [&mut sample]), Ok(1))
    }

    /// The decoder that comes to a frame soonest, where it is to be decoded from.
    fn place(&mut self, frame: i64) -> Result<usize, FileError> {
        self.reads += 1;
        let near = i64::from(self.rate) * NEAR_SECONDS as i64;
        let comes = |place: &Cursor| {
            let from = place.piece.first.max(place.right);
            (from <= frame && frame - place.piece.end() <= near).then(|| frame - from)
        };
        let soonest = (0..self.places.len()).filter_map(|at| Some((comes(&self.places[at])?, at))).min();
        let at = match soonest {
            Some((_, at)) => at,
            None => {
                let at = if self.places.len() < MOST_DECODERS {
                    let pieces = (self.make)()?;
                    self.places.push(Cursor { pieces, piece: Piece::default(), right: 0, used: 0 });
                    self.places.len() - 1
                } else {
                    (0..self.places.len()).min_by_key(|&at| self.places[at].used).unwrap_or(0)
                };
                self.leap(at, frame)?;
                at
            }
        };
        self.places[at].used = self.reads;
        Ok(at)
    }

    /// Brings a decoder before a frame; from the beginning of the file where its format cannot.
    fn leap(&mut self, at: usize, frame: i64) -> Result<(), FileError> {
        let place = &mut self.places[at];
        place.right = frame;
        let leapt = place.pieces.leap(frame as u64).and_then(|()| place.pieces.next());
        match leapt {
            Ok(Some(piece)) if piece.first <= frame => place.piece = piece,
            _ => {
                place.pieces = (self.make)()?;
                (place.piece, place.right) = (Piece::default(), 0);
            }
        }
        Ok(())
    }

    /// Frames from `first` on, as many as there are; returns how many.
    fn fill(&mut self, first: u64, channels: &mut [&mut [f32]]) -> Result<usize, FileError> {
        let wanted = channels.first().map_or(0, |channel| channel.len());
        let at = self.place(first as i64)?;
        let place = &mut self.places[at];
        let mut done = 0;
        while done < wanted {
            let now = first as i64 + done as i64;
            let piece = &place.piece;
            if (piece.first..piece.end()).contains(&now) && !piece.channels.is_empty() {
                let from = (now - piece.first) as usize;
                let count = (wanted - done).min(piece.channels[0].len() - from);
                for (c, channel) in channels.iter_mut().enumerate() {
                    let samples = &piece.channels[c.min(piece.channels.len() - 1)];
                    channel[done..done + count].copy_from_slice(&samples[from..from + count]);
                }
                done += count;
                continue;
            }
            if piece.first > now && !piece.channels.is_empty() {
                let count = ((piece.first - now) as usize).min(wanted - done);
                channels.iter_mut().for_each(|channel| channel[done..done + count].fill(0.0));
                done += count;
                continue;
            }
            let end = piece.end();
            match place.pieces.next()? {
                Some(piece) => place.piece = piece,
                None => {
                    place.piece = Piece { first: end, ..Piece::default() };
                    // It stands at the end, and comes to no frame by itself.
                    place.right = i64::MAX;
                    break;
                }
            }
        }
        Ok(done)
    }
}

impl FrameReader for Anywhere {
    fn read(&mut self, first: u64, channels: &mut [&mut [f32]]) -> Result<(), String> {
        let wanted = channels.first().map_or(0, |channel| channel.len());
        match decoding(|| self.fill(first, channels)) {
            Ok(count) if count == wanted => Ok(()),
            Ok(_) => Err("it has become shorter while it is played".into()),
            Err(e) => {
                self.places.clear();
                Err(e.to_string())
            }
        }
    }
}

/// Interleaved samples as channels, of which the first ones are taken.
pub(super) fn split(samples: &[f32], count: usize, first: i64, rate: u32) -> Piece {
    let channel = |c: usize| samples.iter().skip(c).step_by(count).copied().collect();
    Piece { first, rate, channels: (0..count.min(MOST_CHANNELS)).map(channel).collect() }
}
