//! FLAC, MP3 and Ogg Vorbis from any place. What is decoded after a leap is what it would have been from the beginning: decoding starts
//! as much earlier as decoders remember, and what comes before the place is dropped.
//!
//! FLAC and Ogg find places by themselves; of MP3 there is an index, made once ([`super::mpeg`]).

use super::FileError;
use super::compressed::{broken, decoder, decoding, probed, track};
use super::intake::no_sound;
use super::mpeg::{Frames, Header, first_frame};
use super::source::{MOST_CHANNELS, Opened, Source, check, cut_off};
use crate::stream::FrameReader;
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_MP3};
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

/// How much earlier Vorbis begins to be decoded: two of its longest blocks.
const VORBIS_BEFORE: i64 = 2 * 8192;
/// What lies so many seconds ahead at most is decoded up to, instead of leapt to.
const NEAR_SECONDS: u64 = 1;
/// Decoders that stand at places of their own.
const MOST_DECODERS: usize = 8;
/// Frames of an MP3 file from one that is in the index to the next one.
const INDEXED: usize = 8;
/// Bytes of earlier frames that one of MP3 may use, and of a frame those that are none of these at most.
const RESERVOIR: usize = 511;
const SIDE: usize = 38;

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// Opens a compressed file.
pub(super) fn compressed(source: Source) -> Result<Opened, FileError> {
    decoding(|| opened(source))
}

fn opened(source: Source) -> Result<Opened, FileError> {
    let probe = Probe::new(&source)?;
    if probe.is_mp3 {
        return mpeg(source, &probe);
    }
    let mut packets = Packets::new(source.clone())?;
    let (mut rate, mut channels) = (0, 0);
    while channels == 0 {
        let Some(piece) = packets.next()? else {
            return Err(no_sound());
        };
        (rate, channels) = (piece.rate, piece.channels.len());
    }
    check(rate, channels)?;
    let known = probe.frames.filter(|frames| *frames > 0);
    let make = move || Ok(Box::new(Packets::new(source.clone())?) as Box<dyn Pieces>);
    let mut reader = Anywhere::new(rate, Box::new(make));
    // What the header says is believed if it is the end.
    let frames = match known {
        Some(frames) if reader.is_end(frames) => frames,
        Some(frames) if reader.is_beyond(frames) => return Err(cut_off()),
        _ => packets.count_rest()?,
    };
    Ok(Opened { rate, channels: channels.min(MOST_CHANNELS), frames, reader: Box::new(reader) })
}

/// What a file says of itself.
struct Probe {
    is_mp3: bool,
    frames: Option<u64>,
    delay: Option<u32>,
}

impl Probe {
    fn new(source: &Source) -> Result<Probe, FileError> {
        // As where a whole file is read, an MP3 file's length is not guessed from its bytes.
        let format = probed(symphonia::core::io::ReadOnlySource::new(source.clone()))?;
        let track = track(&*format)?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio());
        let codec = params.map(|params| params.codec);
        if codec == Some(CODEC_ID_MP3) {
            return Ok(Probe { is_mp3: true, frames: track.num_frames, delay: track.delay });
        }
        let format = probed(source.clone())?;
        let frames = self::track(&*format)?.num_frames;
        Ok(Probe { is_mp3: false, frames, delay: None })
    }
}

/// Frames that were decoded in one go.
#[derive(Default)]
struct Piece {
    /// Of its first frame, from the sound's beginning.
    first: i64,
    rate: u32,
    /// The samples of each channel, all of one length.
    channels: Vec<Vec<f32>>,
}

impl Piece {
    fn end(&self) -> i64 {
        self.first + self.channels.first().map_or(0, Vec::len) as i64
    }
}

/// What gives decoded pieces one after the other, from any place on.
trait Pieces: Send {
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
struct Anywhere {
    rate: u32,
    make: Box<dyn Fn() -> Result<Box<dyn Pieces>, FileError> + Send>,
    places: Vec<Cursor>,
    reads: u64,
}

impl Anywhere {
    fn new(rate: u32, make: Box<dyn Fn() -> Result<Box<dyn Pieces>, FileError> + Send>) -> Anywhere {
        Anywhere { rate, make, places: vec![], reads: 0 }
    }

    /// Whether a frame is the one behind the last.
    fn is_end(&mut self, frames: u64) -> bool {
        self.has(frames - 1) && !self.has(frames)
    }

    /// Whether there are fewer frames than so many.
    fn is_beyond(&mut self, frames: u64) -> bool {
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
                done += ((piece.first - now) as usize).min(wanted - done);
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

/// The pieces of a file whose places symphonia finds.
struct Packets {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    /// How much earlier decoding begins.
    before: i64,
    /// What the file calls its first frame, once that has been decoded.
    zero: Option<i64>,
    /// Where the next frame is where packets do not say.
    next: i64,
}

impl Packets {
    fn new(source: Source) -> Result<Packets, FileError> {
        let format = probed(source)?;
        let track = track(&*format)?;
        let decoder = decoder(track)?;
        let is_flac = decoder.codec_params().codec == CODEC_ID_FLAC;
        let (track, before) = (track.id, if is_flac { 0 } else { VORBIS_BEFORE });
        Ok(Packets { format, decoder, track, before, zero: None, next: 0 })
    }

    fn packet(&mut self) -> Result<Option<Packet>, FileError> {
        loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(symphonia::core::errors::Error::IoError(e))
                    if e.kind() == std::io::ErrorKind::UnexpectedEof =>
                {
                    return Ok(None);
                }
                Err(e) => return Err(broken(&e)),
            }
        }
    }

    /// The frame at which a packet begins to be heard.
    fn first(packet: &Packet) -> i64 {
        packet.pts.get() + packet.trim_start.get() as i64
    }

    /// How many frames there are from the beginning to the end; decodes what follows.
    fn count_rest(&mut self) -> Result<u64, FileError> {
        while let Some(packet) = self.packet()? {
            let frames =
                packet.block_dur().get() as i64 - (packet.trim_start.get() + packet.trim_end.get()) as i64;
            self.next = self.next.max(Packets::first(&packet) - self.zero.unwrap_or(0) + frames);
        }
        Ok(self.next.max(0) as u64)
    }
}

impl Pieces for Packets {
    fn next(&mut self) -> Result<Option<Piece>, FileError> {
        let Some(packet) = self.packet()? else { return Ok(None) };
        let first = Packets::first(&packet);
        let decoded = self.decoder.decode(&packet).map_err(|e| broken(&e))?;
        let rate = decoded.spec().rate();
        if decoded.frames() == 0 {
            return Ok(Some(Piece { first: self.next, rate, channels: vec![] }));
        }
        let zero = *self.zero.get_or_insert(first);
        let mut samples = vec![0.0; decoded.samples_interleaved()];
        decoded.copy_to_slice_interleaved(&mut samples);
        let piece = split(&samples, decoded.spec().channels().count(), first - zero, rate);
        self.next = piece.end();
        Ok(Some(piece))
    }

    fn leap(&mut self, frame: u64) -> Result<(), FileError> {
        if self.zero.is_none() {
            while self.zero.is_none() && self.next()?.is_some() {}
        }
        let zero = self.zero.unwrap_or(0);
        let ts = (frame as i64 - self.before).max(0) + zero;
        let to = SeekTo::Timestamp { ts: Timestamp::from(ts), track_id: self.track };
        self.format.seek(SeekMode::Accurate, to).map_err(|e| broken(&e))?;
        self.decoder.reset();
        Ok(())
    }
}

/// Interleaved samples as channels, of which the first ones are taken.
fn split(samples: &[f32], count: usize, first: i64, rate: u32) -> Piece {
    let channel = |c: usize| samples.iter().skip(c).step_by(count).copied().collect();
    Piece { first, rate, channels: (0..count.min(MOST_CHANNELS)).map(channel).collect() }
}

/// Where frames of an MP3 file are.
#[derive(Clone)]
struct Index {
    /// The byte of every [`INDEXED`]th frame.
    bytes: std::sync::Arc<[u64]>,
    header: Header,
    /// Frames of sound that come before the first one that is heard.
    delay: i64,
    /// How many are heard.
    frames: i64,
    /// Frames of the file that are decoded before one that is heard.
    before: i64,
}

/// Opens an MP3 file.
fn mpeg(source: Source, probe: &Probe) -> Result<Opened, FileError> {
    let begin = first_frame(&mut source.clone())?.ok_or_else(no_sound)?;
    let (mut bytes, mut header, mut count) = (vec![], None::<Header>, 0u64);
    let (mut data, mut all) = (vec![], 0);
    let mut frames = Frames::new(Source { at: begin, ..source.clone() }, begin);
    while let Some((at, own)) = frames.next(&mut data)? {
        let first = *header.get_or_insert(own);
        if (first.rate, first.channels, first.frames) != (own.rate, own.channels, own.frames) {
            let words = "the file changes its rate or channels on the way";
            return Err(FileError::Unsupported(words.into()));
        }
        if count.is_multiple_of(INDEXED as u64) {
            bytes.push(at);
        }
        (count, all) = (count + 1, all + own.bytes as u64);
    }
    let header = header.ok_or_else(no_sound)?;
    check(header.rate, header.channels)?;
    let delay = probe.delay.unwrap_or(0);
    let there = (count * header.frames).saturating_sub(delay.into());
    let frames = probe.frames.map_or(there, |frames| frames.min(there));
    if probe.delay.is_some() && probe.frames.is_some_and(|promised| there < promised) {
        return Err(cut_off());
    }
    // As many frames as fill what one may use of earlier ones, and those that overlap.
    let filling = RESERVOIR.div_ceil((all / count) as usize - SIDE.min((all / count) as usize - 1));
    let before = (filling.min(128) + 4) as i64;
    let index = Index { bytes: bytes.into(), header, delay: delay.into(), frames: frames as i64, before };
    let make = move || Ok(Box::new(Mpeg::new(source.clone(), index.clone())?) as Box<dyn Pieces>);
    let reader = Box::new(Anywhere::new(header.rate, Box::new(make)));
    Ok(Opened { rate: header.rate, channels: header.channels, frames, reader })
}

/// The pieces of an MP3 file.
struct Mpeg {
    source: Source,
    index: Index,
    frames: Frames<Source>,
    /// The number of the next frame of the file.
    number: i64,
    decoder: Box<dyn AudioDecoder>,
    data: Vec<u8>,
}

impl Mpeg {
    fn new(source: Source, index: Index) -> Result<Mpeg, FileError> {
        let format = probed(symphonia::core::io::ReadOnlySource::new(source.clone()))?;
        let decoder = decoder(track(&*format)?)?;
        let begin = index.bytes[0];
        let frames = Frames::new(Source { at: begin, ..source.clone() }, begin);
        Ok(Mpeg { source, index, frames, number: 0, decoder, data: vec![] })
    }
}

impl Pieces for Mpeg {
    fn next(&mut self) -> Result<Option<Piece>, FileError> {
        let Index { header, delay, frames, .. } = self.index;
        let first = self.number * header.frames as i64 - delay;
        if first >= frames || self.frames.next(&mut self.data)?.is_none() {
            return Ok(None);
        }
        self.number += 1;
        let packet = Packet::new(
            0,
            Timestamp::from(first),
            Duration::from(header.frames),
            std::mem::take(&mut self.data),
        );
        let length = header.frames as usize;
        let mut samples = vec![0.0; length * header.channels];
        // What a decoder does not understand is silent, and so is what uses frames that it has not seen.
        if let Ok(decoded) = self.decoder.decode(&packet)
            && decoded.samples_interleaved() == samples.len()
        {
            decoded.copy_to_slice_interleaved(&mut samples);
        }
        let mut piece = split(&samples, header.channels, first, header.rate);
        let (early, late) = ((-first).max(0) as usize, (frames - first) as usize);
        for channel in &mut piece.channels {
            channel.truncate(late);
            channel.drain(..early.min(channel.len()));
        }
        piece.first += early as i64;
        Ok(Some(piece))
    }

    fn leap(&mut self, frame: u64) -> Result<(), FileError> {
        let number = (frame as i64 + self.index.delay) / self.index.header.frames as i64;
        let indexed = (number - self.index.before).max(0) as usize / INDEXED;
        let Some(&at) = self.index.bytes.get(indexed) else { return Err(cut_off()) };
        self.frames = Frames::new(Source { at, ..self.source.clone() }, at);
        self.number = (indexed * INDEXED) as i64;
        self.decoder.reset();
        Ok(())
    }
}
