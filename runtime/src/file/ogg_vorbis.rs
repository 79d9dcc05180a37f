//! Ogg Vorbis: its packets from the pages of a file ([`super::ogg`]), and where what is decoded of them lies in the sound. Each
//! page says at which frame it ends, so what follows a page that is damaged or not there stands where it belongs.

use super::FileError;
use super::decoders::{broken, of_params, several};
use super::ogg::{Page, Pages};
use std::io::Read;
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

/// What the header begins with that says what the sound is, and where it stands in the first page of a file.
const IDENTIFICATION: &[u8] = b"\x01vorbis";
const FIRST_PACKET: usize = 28;
/// What the header begins with that holds the codebooks.
const SETUP: &[u8] = b"\x05vorbis";
/// Bytes of a packet at most.
const MOST_PACKET_BYTES: usize = 1 << 24;

/// Whether these are the first bytes of such a file.
pub(super) fn is_vorbis(head: &[u8]) -> bool {
    head.starts_with(b"OggS") && head.get(FIRST_PACKET..).is_some_and(|p| p.starts_with(IDENTIFICATION))
}

/// What was decoded in one go: the frames of a page.
pub(super) struct Heard {
    /// Its first frame, from the sound's beginning.
    pub(super) first: u64,
    /// Whether pages before it are damaged or not there.
    pub(super) after_loss: bool,
    /// In frames a second.
    pub(super) rate: u32,
    /// At least 1.
    pub(super) channels: usize,
    /// Whole frames, interleaved; at least one.
    pub(super) samples: Vec<f32>,
}

/// From where pages are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// From the first that holds sound: what it has before frame 0 is left out.
    AtStart,
    /// From another, whose end alone is known.
    Amidst,
    /// Behind a page that ended before this frame, by the file's own count.
    Behind(i64),
}

/// Reads a stream page by page.
pub(super) struct Stream<R> {
    pages: Pages<R>,
    serial: u32,
    decoder: Box<dyn AudioDecoder>,
    /// The packets that end in a page and are not decoded, with the page.
    waiting: Option<(Page, Vec<Vec<u8>>)>,
    packets: Packets,
    begun: Begun,
    /// What the file calls its first frame, once that is known.
    zero: Option<i64>,
    /// Whether the last page was read.
    is_whole: bool,
    /// The byte behind the headers.
    begin: u64,
}

impl<R: Read> Stream<R> {
    /// Reads the headers of a file.
    ///
    /// # Errors
    /// When they are not those of such a file, or damaged.
    pub(super) fn new(source: R) -> Result<Stream<R>, FileError> {
        let damaged = || FileError::Malformed("the file is broken: its first pages are damaged".into());
        let mut pages = Pages::new(source, 0);
        let (mut packets, mut headers): (Packets, Vec<Vec<u8>>) = (Packets::default(), vec![]);
        let mut serial = None;
        loop {
            let Some(page) = pages.next()? else { return Err(damaged()) };
            let serial = *serial.get_or_insert(page.serial);
            if page.serial != serial {
                continue;
            }
            let (lost, mut ended) = packets.ended_in(&page);
            if lost {
                return Err(damaged());
            }
            let setup = ended.iter().position(|packet| packet.starts_with(SETUP));
            let sound = setup.map(|at| ended.split_off(at + 1));
            headers.append(&mut ended);
            let Some(sound) = sound else { continue };
            let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return Err(damaged()) };
            if !first.starts_with(IDENTIFICATION) || first.len() < FIRST_PACKET {
                return Err(damaged());
            }
            let mut params = AudioCodecParameters::new();
            let rate = first[12..].first_chunk().map_or(0, |rate| u32::from_le_bytes(*rate));
            params.for_codec(CODEC_ID_VORBIS).with_sample_rate(rate);
            params.with_extra_data([&first[..], &last[..]].concat().into());
            let decoder = of_params(&params)?;
            let (waiting, begin) = ((!sound.is_empty()).then_some((page, sound)), pages.at());
            return Ok(Stream {
                pages,
                serial,
                decoder,
                waiting,
                packets,
                begun: Begun::AtStart,
                zero: None,
                is_whole: false,
                begin,
            });
        }
    }

    /// Whether the last page was read.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The byte behind the headers.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// The number of the stream.
    pub(super) fn serial(&self) -> u32 {
        self.serial
    }

    /// What the file calls its first frame, once sound was read from its beginning.
    pub(super) fn zero(&self) -> Option<i64> {
        self.zero
    }

    /// Goes on with the pages of a source that stands at a page, which is at byte `at`.
    pub(super) fn go(&mut self, source: R, at: u64) {
        self.pages = Pages::new(source, at);
        self.decoder.reset();
        (self.packets, self.waiting) = (Packets::default(), None);
        self.begun = if at == self.begin { Begun::AtStart } else { Begun::Amidst };
    }

    /// The next page of which something is heard; nothing at the end.
    ///
    /// # Errors
    /// When a packet cannot be decoded, or there is another sound behind this one.
    pub(super) fn next(&mut self) -> Result<Option<Heard>, FileError> {
        loop {
            let (page, ended, lost) = match self.waiting.take() {
                Some((page, ended)) => (page, ended, false),
                None => {
                    let Some(page) = self.pages.next()? else { return Ok(None) };
                    if page.is_first {
                        return Err(several());
                    }
                    if page.serial != self.serial {
                        continue;
                    }
                    let (lost, ended) = self.packets.ended_in(&page);
                    (page, ended, lost)
                }
            };
            if lost {
                self.decoder.reset();
            }
            self.is_whole |= page.is_last;
            if let Some(heard) = self.decode(&page, &ended, lost)? {
                return Ok(Some(heard));
            }
        }
    }

    /// Decodes what ends in a page, and finds its place.
    fn decode(
        &mut self,
        page: &Page,
        packets: &[Vec<u8>],
        after_loss: bool,
    ) -> Result<Option<Heard>, FileError> {
        let (mut samples, mut rate, mut channels) = (vec![], 0, 0);
        for packet in packets {
            let packet = Packet::new(0, Timestamp::from(0), Duration::from(0_u64), packet.clone());
            let decoded = self.decoder.decode(&packet).map_err(|e| broken(&e))?;
            (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            let old = samples.len();
            samples.resize(old + decoded.samples_interleaved(), 0.0);
            decoded.copy_to_slice_interleaved(&mut samples[old..]);
        }
        if channels == 0 {
            return Ok(None);
        }
        let frames = (samples.len() / channels) as i64;
        let first = self.place(page, frames, after_loss);
        let zero = self.zero.unwrap_or(0);
        let end = page.granule.unwrap_or(i64::MAX).min(first.saturating_add(frames));
        let (early, heard) = ((zero - first).clamp(0, frames), (end - first).clamp(0, frames));
        samples.truncate(heard as usize * channels);
        samples.drain(..(early as usize * channels).min(samples.len()));
        let first = (first - zero + early).max(0) as u64;
        let heard = Heard { first, after_loss, rate, channels, samples };
        Ok((!heard.samples.is_empty()).then_some(heard))
    }

    /// The first of so many frames that end in a page, by the file's own count.
    fn place(&mut self, page: &Page, frames: i64, after_loss: bool) -> i64 {
        let by_end = page.granule.map(|end| end.saturating_sub(frames));
        let first = match (self.begun, by_end) {
            (Begun::AtStart, by_end) if !after_loss => {
                // Of a sound in a single page, what is too much is at its end.
                let first = by_end.filter(|_| !page.is_last).unwrap_or(0);
                self.zero.get_or_insert(first.max(0));
                first
            }
            (Begun::Behind(end), by_end) => match by_end {
                // The last page ends earlier than its packets do. Behind a loss nothing says by how much, and it is early by that.
                Some(by_end) if after_loss || !page.is_last => by_end.max(end),
                _ => end,
            },
            (_, by_end) => by_end.unwrap_or(0).max(*self.zero.get_or_insert(0)),
        };
        self.begun = Begun::Behind(page.granule.unwrap_or(first.saturating_add(frames)));
        first
    }
}

/// Puts packets together from the pieces of them that pages hold.
#[derive(Default)]
struct Packets {
    /// The number of the page before.
    sequence: Option<u32>,
    /// The beginning of a packet that goes on in the next page.
    begun: Option<Vec<u8>>,
}

impl Packets {
    /// Whether pages before this one are not there, and the packets of sound and the headers that end in it.
    fn ended_in(&mut self, page: &Page) -> (bool, Vec<Vec<u8>>) {
        let lost = self.sequence.is_some_and(|last| page.sequence > last.saturating_add(1));
        self.sequence = Some(page.sequence);
        let mut begun = self.begun.take().filter(|_| page.continues && !lost);
        let mut is_rest = page.continues;
        let mut ended = vec![];
        for (piece, ends) in page.pieces() {
            // The rest of what was not read is none.
            let packet = match (std::mem::take(&mut is_rest), begun.take()) {
                (true, None) => None,
                (_, before) => {
                    let mut packet = before.unwrap_or_default();
                    packet.extend(piece);
                    Some(packet).filter(|packet| packet.len() <= MOST_PACKET_BYTES)
                }
            };
            match packet {
                Some(packet) if ends && !packet.is_empty() => ended.push(packet),
                Some(packet) if !ends => self.begun = Some(packet),
                _ => {}
            }
        }
        (lost, ended)
    }
}
