//! FLAC, MP3 and Ogg Vorbis from any place. What is decoded after a leap is what it would have been from the beginning: decoding starts
//! as much earlier as decoders remember, and what comes before the place is dropped.
//!
//! FLAC finds places by itself, Ogg Vorbis by its pages ([`super::anywhere_vorbis`]); of MP3 there is an index, made once
//! ([`super::mpeg`]).

use super::FileError;
use super::anywhere_vorbis;
use super::compressed::{decoder, decoding, probed, track, zero};
use super::decoders::broken;
use super::intake::no_sound;
use super::mpeg::{Frames, Header, first_frame};
use super::ogg_vorbis::is_vorbis;
use super::pieces::{Anywhere, Piece, Pieces, split};
use super::source::{MOST_CHANNELS, Opened, Source, check, cut_off};
use super::wav_read::MARK;
use std::io::Read;
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

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
    let mut head = Vec::new();
    source.clone().take(MARK as u64).read_to_end(&mut head)?;
    if is_vorbis(&head) {
        return anywhere_vorbis::opened(source);
    }
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

/// The pieces of a file whose places symphonia finds.
struct Packets {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
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
        let (track, zero) = (track.id, zero(track).flatten());
        Ok(Packets { format, decoder, track, zero, next: 0 })
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
        let ts = frame as i64 + zero;
        let to = SeekTo::Timestamp { ts: Timestamp::from(ts), track_id: self.track };
        self.format.seek(SeekMode::Accurate, to).map_err(|e| broken(&e))?;
        self.decoder.reset();
        Ok(())
    }
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
