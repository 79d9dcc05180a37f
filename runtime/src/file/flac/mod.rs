//! FLAC (RFC 9639): blocks of 4096 frames, each channel as short as fixed or linear prediction and Rice codes make it,
//! never longer than its samples and a few bytes. One block is in memory at a time.

mod bits;
mod predict;
mod rice;
mod subframe;

use super::sink::Sink;
use super::{Bits, Details, Encoder, FileError, Format, Frames, SOFTWARE};
use crate::channels::ChannelLayout;
use bits::{BitWriter, crc8, crc16};
use std::io::Write;
use subframe::{Chooser, Subframe};

/// Frames of each block but the last: the usual size of the reference encoder.
const BLOCK: usize = 4096;
/// The greatest rate that a block can name.
const MOST_RATE: u32 = 655_350;
/// The greatest number of channels.
const MOST_CHANNELS: usize = 8;
/// The most frames that the header can count: it has 36 bits for them.
const MOST_FRAMES: u64 = (1 << 36) - 1;

/// A FLAC file in the making.
pub(super) struct Flac<'w> {
    out: Sink<'w>,
    info: Info,
    tags: Vec<u8>,
    /// Samples that do not fill a block yet, interleaved.
    waiting: Vec<i32>,
    chooser: Chooser,
    bits: BitWriter,
    blocks: u64,
    md5: md5::Context,
    raw: Vec<u8>,
}

/// What the STREAMINFO block says.
#[derive(Clone, Copy)]
struct Info {
    rate: u32,
    channels: usize,
    bits: u32,
    /// Bytes of the shortest and the longest block; 0 is unknown.
    block_bytes: (usize, usize),
    /// 0 is unknown.
    frames: u64,
    /// All zeros: unknown.
    md5: [u8; 16],
}

impl<'w> Flac<'w> {
    pub(super) fn new(mut out: Sink<'w>, format: Format, details: &Details) -> Result<Flac<'w>, FileError> {
        let bits = match format.bits {
            Bits::Int16 => 16,
            Bits::Int24 => 24,
            Bits::Float32 => {
                return Err(FileError::Unsupported(
                    "FLAC does not hold floats; it takes 16 or 24 bits".into(),
                ));
            }
        };
        if format.channels > MOST_CHANNELS || !(1..=MOST_RATE).contains(&format.rate) {
            let words = format!("FLAC holds at most {MOST_CHANNELS} channels, at 1 to {MOST_RATE} Hz");
            return Err(FileError::Unsupported(words));
        }
        let frames = match details.frames {
            Frames::Exactly(frames) if !out.is_seekable() => frames,
            _ => 0,
        };
        let (rate, channels) = (format.rate, format.channels);
        let info = Info { rate, channels, bits, block_bytes: (0, 0), frames, md5: [0; 16] };
        let tags = comments(details.title.as_deref(), format);
        out.write_all(&info.header(&tags))?;
        Ok(Flac {
            out,
            info,
            tags,
            waiting: Vec::with_capacity(BLOCK * channels),
            chooser: Chooser::default(),
            bits: BitWriter::default(),
            blocks: 0,
            md5: md5::Context::new(),
            raw: Vec::new(),
        })
    }

    /// Encodes the samples that wait, at most one block of them.
    fn encode(&mut self) -> Result<(), FileError> {
        let frames = self.waiting.len() / self.info.channels;
        self.digest();
        let (assignment, subframes) = self.channels();
        self.bits.clear();
        self.info.frame_header(frames, self.blocks, assignment, &mut self.bits);
        let check = crc8(self.bits.bytes());
        self.bits.put(check.into(), 8);
        subframes.iter().for_each(|s| s.write(&mut self.bits));
        self.bits.align();
        let check = crc16(self.bits.bytes());
        self.bits.put(check.into(), 16);
        let bytes = self.bits.bytes().len();
        let (least, most) = self.info.block_bytes;
        self.info.block_bytes = (if least == 0 { bytes } else { least.min(bytes) }, most.max(bytes));
        self.blocks += 1;
        self.waiting.clear();
        Ok(self.out.write_all(self.bits.bytes())?)
    }

    /// Takes the samples into the checksum of the whole.
    fn digest(&mut self) {
        let bytes = self.info.bits as usize / 8;
        self.raw.clear();
        self.waiting.iter().for_each(|s| self.raw.extend(&s.to_le_bytes()[..bytes]));
        self.md5.consume(&self.raw);
    }

    /// Each channel's shortest form; two channels also as one and their difference, or as half their sum and their difference.
    fn channels(&mut self) -> (u32, Vec<Subframe>) {
        let count = self.info.channels;
        let of = |c: usize| self.waiting.iter().skip(c).step_by(count).copied().collect::<Vec<i32>>();
        let all: Vec<Vec<i32>> = (0..count).map(of).collect();
        let bits = self.info.bits;
        let mut forms: Vec<Subframe> = all.iter().map(|c| self.chooser.choose(c, bits)).collect();
        let [left, right] = &all[..] else { return (count as u32 - 1, forms) };
        let pairs = || left.iter().zip(right);
        let middle: Vec<i32> = pairs().map(|(l, r)| (l + r) >> 1).collect();
        let side: Vec<i32> = pairs().map(|(l, r)| l - r).collect();
        let middle = self.chooser.choose(&middle, bits);
        let side = self.chooser.choose(&side, bits + 1);
        let (Some(right), Some(left)) = (forms.pop(), forms.pop()) else { return (1, forms) };
        let costs = [
            (1, left.bits + right.bits),
            (8, left.bits + side.bits),
            (9, side.bits + right.bits),
            (10, middle.bits + side.bits),
        ];
        match costs.into_iter().min_by_key(|(_, bits)| *bits) {
            Some((8, _)) => (8, vec![left, side]),
            Some((9, _)) => (9, vec![side, right]),
            Some((10, _)) => (10, vec![middle, side]),
            _ => (1, vec![left, right]),
        }
    }
}

impl Encoder for Flac<'_> {
    fn integers(&mut self, mut samples: &[i32]) -> Result<(), FileError> {
        while !samples.is_empty() {
            let room = BLOCK * self.info.channels - self.waiting.len();
            let (now, later) = samples.split_at(room.min(samples.len()));
            self.waiting.extend(now);
            samples = later;
            self.info.frames += (now.len() / self.info.channels) as u64;
            if self.waiting.len() == BLOCK * self.info.channels {
                self.encode()?;
            }
        }
        Ok(())
    }

    fn floats(&mut self, _: &[f32]) -> Result<(), FileError> {
        Err(FileError::Unsupported("FLAC does not hold floats".into()))
    }

    fn finish(mut self: Box<Self>) -> Result<(), FileError> {
        if !self.waiting.is_empty() {
            self.encode()?;
        }
        if self.out.rewind()? {
            self.info.md5 = self.md5.finalize().0;
            let header = self.info.header(&self.tags);
            self.out.write_all(&header)?;
        }
        Ok(self.out.flush()?)
    }
}

impl Info {
    /// Everything before the first block.
    fn header(&self, tags: &[u8]) -> Vec<u8> {
        let mut header = b"fLaC".to_vec();
        header.extend([0, 0, 0, 34]);
        header.extend([(BLOCK as u16).to_be_bytes(); 2].concat());
        for bytes in [self.block_bytes.0, self.block_bytes.1] {
            header.extend(&(bytes as u32).to_be_bytes()[1..]);
        }
        let packed = u64::from(self.rate) << 44
            | (self.channels as u64 - 1) << 41
            | u64::from(self.bits - 1) << 36
            | self.frames.min(MOST_FRAMES);
        header.extend(packed.to_be_bytes());
        header.extend(self.md5);
        // A Vorbis comment, the last of the metadata.
        header.extend((0x8400_0000 | tags.len() as u32).to_be_bytes());
        header.extend(tags);
        header
    }

    /// The header of a block, without its checksum.
    fn frame_header(&self, frames: usize, number: u64, assignment: u32, out: &mut BitWriter) {
        let (size, size_bits) = match frames {
            BLOCK => (12, 0),
            0..=256 => (6, 8),
            _ => (7, 16),
        };
        let (rate, rate_value, rate_bits) = self.rate_code();
        out.put(0xfff8, 16);
        out.put(size << 4 | rate, 8);
        let depth = if self.bits == 16 { 4 } else { 6 };
        out.put(assignment << 4 | depth << 1, 8);
        coded_number(number, out);
        out.put(frames as u32 - 1, size_bits);
        out.put(rate_value, rate_bits);
    }

    /// The rate's code, and what follows later: a number and its bits.
    fn rate_code(&self) -> (u32, u32, u32) {
        const NAMED: [u32; 11] =
            [88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
        let rate = self.rate;
        match NAMED.iter().position(|&named| named == rate) {
            Some(place) => (place as u32 + 1, 0, 0),
            None if rate.is_multiple_of(1000) && rate / 1000 < 256 => (12, rate / 1000, 8),
            None if rate < 1 << 16 => (13, rate, 16),
            None if rate.is_multiple_of(10) => (14, rate / 10, 16),
            None => (0, 0, 0),
        }
    }
}

/// A block's number in the manner of UTF-8, of up to 36 bits.
fn coded_number(number: u64, out: &mut BitWriter) {
    if number < 0x80 {
        return out.put(number as u32, 8);
    }
    // So many bytes follow the first, six bits in each.
    let following = (1..=6).find(|n| number >> (6 * n + 6 - n) == 0).unwrap_or(6);
    let mark = !(0x7f_u32 >> following) & 0xff;
    out.put(mark | (number >> (6 * following)) as u32, 8);
    for i in (0..following).rev() {
        out.put(0x80 | (number >> (6 * i)) as u32 & 0x3f, 8);
    }
}

/// The content of a Vorbis comment block: who wrote it, the title, and that channels are not those of speakers (RFC 9639,
/// section 8.6.2).
fn comments(title: Option<&str>, format: Format) -> Vec<u8> {
    let mut block = Vec::new();
    let text = |text: &str, block: &mut Vec<u8>| {
        block.extend((text.len() as u32).to_le_bytes());
        block.extend(text.as_bytes());
    };
    text(SOFTWARE, &mut block);
    let title = title.map(|title| format!("TITLE={title}"));
    let mask = (format.layout == ChannelLayout::Ambisonic)
        .then(|| "WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x0".to_owned());
    let fields: Vec<String> = title.into_iter().chain(mask).collect();
    block.extend((fields.len() as u32).to_le_bytes());
    fields.iter().for_each(|field| text(field, &mut block));
    block
}

#[cfg(test)]
mod tests;
