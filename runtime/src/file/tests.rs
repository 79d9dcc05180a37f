//! What is written is read back, by readers that are not ours.

use super::*;
use std::io::{self, Cursor, Seek, SeekFrom, Write};

/// Everything of a file, as it is.
const ALL: Wanted = Wanted { rate: None, channels: usize::MAX, frames: u64::MAX, most: None };

fn read_all(bytes: Vec<u8>) -> Result<Sound, FileError> {
    read(Cursor::new(bytes), ALL)
}

/// Two channels with every kind of sample: ordinary, tiny, beyond the range, not a number.
fn frames() -> Vec<f32> {
    let mut frames = vec![0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, f32::NAN, 1.0 / 65536.0, -3.0 / 65536.0];
    frames.extend((0..10_001).flat_map(|n| [(n as f32 * 0.05).sin() * 0.9, (n as f32 * 0.0317).cos()]));
    frames
}

/// The file of the frames; nothing where the container does not hold such samples.
fn file_of(container: Container, bits: Bits, dither: Dither, portion: usize) -> Option<Vec<u8>> {
    let format =
        Format { container, bits, dither, rate: 44_100, channels: 2, layout: ChannelLayout::Speakers };
    let mut bytes = Cursor::new(Vec::new());
    let details = Details { title: Some("A title".into()), frames: Frames::Unknown };
    let mut writer = match Writer::new(&mut bytes, format, &details) {
        Err(FileError::Unsupported(_)) => return None,
        writer => writer.unwrap(),
    };
    frames().chunks(portion * 2).for_each(|c| writer.write(c).unwrap());
    writer.finish().unwrap();
    Some(bytes.into_inner())
}

fn written(container: Container, bits: Bits, dither: Dither, portion: usize) -> Vec<u8> {
    file_of(container, bits, dither, portion).expect("it holds such samples")
}

fn expected(x: f32, bits: u32) -> i32 {
    let scale = f64::from(1_u32 << (bits - 1));
    (f64::from(x) * scale + 0.5).floor().clamp(-scale, scale - 1.0) as i32
}

#[test]
fn wav_holds_what_was_written() {
    for (bits, depth) in [(Bits::Int16, 16), (Bits::Int24, 24)] {
        let bytes = written(Container::Wav, bits, Dither::None, 100);
        let mut reader = hound::WavReader::new(Cursor::new(bytes)).unwrap();
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 44_100, depth as u16));
        let read: Vec<i32> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(read, frames().iter().map(|&x| expected(x, depth)).collect::<Vec<_>>());
    }
    let bytes = written(Container::Wav, Bits::Float32, Dither::Tpdf, 100);
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).unwrap();
    let read: Vec<u32> = reader.samples::<f32>().map(|s| s.unwrap().to_bits()).collect();
    assert_eq!(read, frames().iter().map(|x| x.to_bits()).collect::<Vec<_>>());
}

/// Whatever bits a container has, it is read as the WAV file of the same frames.
#[test]
fn each_container_holds_what_wav_holds() {
    for &container in Container::ALL {
        if container == Container::Flac && cfg!(not(feature = "decode")) {
            continue;
        }
        let mut read = 0;
        for bits in [Bits::Int16, Bits::Int24, Bits::Float32] {
            let Some(file) = file_of(container, bits, Dither::None, 333) else { continue };
            read += 1;
            let wav = read_all(written(Container::Wav, bits, Dither::None, 333)).unwrap();
            let other = read_all(file).unwrap_or_else(|e| panic!("{container} {bits:?}: {e}"));
            assert_eq!((wav.rate, wav.channels.len()), (other.rate, other.channels.len()));
            let same = |(a, b): (&f32, &f32)| a == b || a.is_nan() && b.is_nan();
            for (a, b) in wav.channels.iter().zip(&other.channels) {
                assert_eq!(a.len(), b.len(), "{container} {bits:?}");
                assert!(a.iter().zip(b).all(same), "{container} {bits:?}");
            }
        }
        assert!(read >= 2, "{container} holds integers");
        assert!(file_of(container, container.default_bits(), Dither::None, 333).is_some(), "{container}");
    }
}

#[test]
fn portions_do_not_change_a_file() {
    for dither in [Dither::None, Dither::Tpdf, Dither::Shaped] {
        for &container in Container::ALL {
            let whole = written(container, Bits::Int16, dither, 100_000);
            assert!(whole == written(container, Bits::Int16, dither, 7), "{container} {dither:?}");
        }
    }
}

/// A tone of half a step vanishes when it is rounded; dither keeps it, and no error exceeds its bound.
#[test]
fn dither_keeps_what_rounding_loses() {
    let tone: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.02).sin() * 0.4 / 32_768.0).collect();
    let correlation = |dither| {
        let mut out = Vec::new();
        Quantiser::new(16, dither, 1).convert(&tone, &mut out);
        let most = if dither == Dither::Shaped { 30 } else { 2 };
        assert!(out.iter().all(|s| s.abs() <= most), "{dither:?}");
        let dot: f64 = tone.iter().zip(&out).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        let norm: f64 = tone.iter().map(|&a| f64::from(a).powi(2)).sum();
        dot / norm / 32_768.0
    };
    assert_eq!(correlation(Dither::None), 0.0);
    assert!((correlation(Dither::Tpdf) - 1.0).abs() < 0.05);
    assert!((correlation(Dither::Shaped) - 1.0).abs() < 0.05);
}

#[test]
fn silence_stays_silent() {
    for dither in [Dither::None, Dither::Tpdf, Dither::Shaped] {
        let mut out = Vec::new();
        Quantiser::new(16, dither, 2).convert(&[0.0; 512], &mut out);
        assert!(out.iter().all(|&s| s == 0), "{dither:?}");
    }
}

/// A sine resampled is the sine of the other rate, away from its ends.
#[test]
fn resampling_moves_a_tone_to_the_other_rate() {
    let cases = [
        (44_100, 48_000, 1_000.0),
        (96_000, 44_100, 15_000.0),
        (8_000, 48_000, 3_000.0),
        (383_999, 48_000, 5_000.0),
        (44_099, 48_000, 5_000.0),
    ];
    for (from, to, hz) in cases {
        let sine = |rate: u32, n: usize| (std::f64::consts::TAU * hz * n as f64 / f64::from(rate)).sin();
        let channel: Vec<f32> = (0..from as usize).map(|n| sine(from, n) as f32).collect();
        let file = wav_of(from, 1, &channel);
        let out = read(Cursor::new(file), Wanted { rate: Some(to), ..ALL }).unwrap();
        assert_eq!((out.rate, out.frames()), (to, to as usize));
        let middle = to as usize / 4..to as usize * 3 / 4;
        let error = middle.map(|n| (f64::from(out.channels[0][n]) - sine(to, n)).abs()).fold(0.0, f64::max);
        assert!(error < 2e-3, "{from} → {to}: {error}");
    }
}

/// A WAV file of floats.
fn wav_of(rate: u32, channels: usize, samples: &[f32]) -> Vec<u8> {
    let format = Format {
        container: Container::Wav,
        bits: Bits::Float32,
        dither: Dither::None,
        rate,
        channels,
        layout: ChannelLayout::Speakers,
    };
    let mut bytes = Cursor::new(Vec::new());
    let details = Details { title: None, frames: Frames::AtMost(1 << 20) };
    let mut writer = Writer::new(&mut bytes, format, &details).unwrap();
    writer.write(samples).unwrap();
    writer.finish().unwrap();
    bytes.into_inner()
}

#[test]
fn what_cannot_be_held_or_read_is_refused_in_words() {
    let format = Format {
        container: Container::Aiff,
        bits: Bits::Int16,
        dither: Dither::None,
        rate: 1,
        channels: 1,
        layout: ChannelLayout::Speakers,
    };
    let mut writer = Writer::new(Cursor::new(Vec::new()), format, &Details::default()).unwrap();
    writer.frames = format.most_frames() - 20;
    writer.write(&[0.0; 16]).unwrap();
    let e = writer.write(&[0.0; 16]).unwrap_err();
    assert_eq!(e.to_string(), "the length of AIFF files ends at 4 GiB; a .wav or .caf file holds any length");
    let whole = written(Container::Wav, Bits::Int16, Dither::None, 100);
    assert!(read_all(whole[..30].to_vec()).is_err());
    assert!(read_all(b"not a sound".to_vec()).is_err());
    assert!(read_all(vec![]).is_err());
}

/// A disk with so much room.
struct Small(Cursor<Vec<u8>>, usize);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.1.saturating_sub(self.0.position() as usize).min(bytes.len());
        if room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(&bytes[..room]) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Small {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn of_a_take_that_does_not_fit_what_fits_is_whole() {
    let mut disk = Small(Cursor::default(), 3_000_000);
    let format = Format {
        container: Container::Wav,
        bits: Bits::Float32,
        dither: Dither::None,
        rate: 48_000,
        channels: 2,
        layout: ChannelLayout::Speakers,
    };
    let details = Details { title: None, frames: Frames::AtMost(1 << 20) };
    let mut writer = Writer::new(&mut disk, format, &details).unwrap();
    let frames: Vec<f32> = (0..9600).map(|i| i as f32).collect();
    while writer.write(&frames).is_ok() {}
    assert!(
        matches!(writer.finish(), Err(FileError::Io(error)) if error.kind() == io::ErrorKind::StorageFull)
    );
    let mut read = hound::WavReader::new(Cursor::new(disk.0.into_inner())).unwrap();
    let written: Vec<f32> = read.samples::<f32>().collect::<Result<_, _>>().unwrap();
    assert!(
        written.len() > 2_000_000 / 4 && written.iter().enumerate().all(|(i, x)| *x == (i % 9600) as f32)
    );
}

/// The plain header of 44 bytes, and samples.
fn plain_wav(fmt: &[u8], riff: u32, data: u32, samples: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8], size: u32| [name, &size.to_le_bytes()[..]].concat();
    [
        &chunk(b"RIFF", riff)[..],
        b"WAVE",
        &chunk(b"fmt ", fmt.len() as u32),
        fmt,
        &chunk(b"data", data),
        samples,
    ]
    .concat()
}

/// One channel at 44100 Hz of this kind of samples.
fn mono(tag: u16, bits: u16) -> Vec<u8> {
    let mut fmt = [tag.to_le_bytes(), 1_u16.to_le_bytes()].concat();
    fmt.extend(44_100_u32.to_le_bytes());
    fmt.extend((44_100 * u32::from(bits / 8)).to_le_bytes());
    fmt.extend([(bits / 8).to_le_bytes(), bits.to_le_bytes()].concat());
    fmt
}

/// Sizes of streams and of files that were cut off, odd chunks with and without padding, 64-bit sizes.
#[test]
fn a_wav_files_sizes_are_hints() {
    let samples: Vec<u8> = [0_i16, 16_384, -32_768, 8_192].into_iter().flat_map(i16::to_le_bytes).collect();
    let sound = [0.0, 0.5, -1.0, 0.25];
    let with = |riff, data| plain_wav(&mono(1, 16), riff, data, &samples);
    let insert = |chunk: &[u8]| [&with(0, 8)[..12], chunk, &with(0, 8)[12..]].concat();
    let mut long =
        insert(&[b"ds64", &28_u32.to_le_bytes()[..], &[0; 8], &8_u64.to_le_bytes(), &[0; 12]].concat());
    long[..4].copy_from_slice(b"RF64");
    let place = long.len() - samples.len() - 4;
    long[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let tail = [&with(44, 8)[..], b"LIST\x04\0\0\0INFO"].concat();
    let cases = [
        (with(44, 8), false),
        (with(u32::MAX, u32::MAX), false),
        (with(0, 0), false),
        (with(36, 0), false),
        (with(0x7fff_f000, 0x7fff_efdc), false),
        (with(1044, 1000), true),
        (insert(b"LIST\x05\0\0\0INFOx\0"), false),
        (insert(b"LIST\x05\0\0\0INFOx"), false),
        (long, false),
        (tail, false),
    ];
    for (i, (file, is_cut_off)) in cases.into_iter().enumerate() {
        let read = read_all(file).unwrap();
        assert_eq!((read.channels, read.is_cut_off), (vec![sound.to_vec()], is_cut_off), "case {i}");
    }
}

#[test]
fn every_kind_of_sample_is_read() {
    let values = [0.0, 0.5, -1.0, 0.25_f64];
    let integers = |bits: u32| {
        let scaled = move |v: &f64| {
            (v * f64::from(1_u32 << (bits - 1))).clamp(-2_147_483_648.0, 2_147_483_647.0) as i32
        };
        values
            .iter()
            .flat_map(move |v| scaled(v).to_le_bytes()[..bits as usize / 8].to_vec())
            .collect::<Vec<u8>>()
    };
    let cases = [
        (1, 8, vec![128, 192, 0, 160]),
        (1, 16, integers(16)),
        (1, 24, integers(24)),
        (1, 32, integers(32)),
        (3, 32, values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect()),
        (3, 64, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
    ];
    for (tag, bits, samples) in cases {
        let file = plain_wav(&mono(tag, bits), 0, samples.len() as u32, &samples);
        let read = read_all(file).unwrap();
        assert_eq!(read.channels, [values.map(|v| v as f32).to_vec()], "{tag} {bits}");
    }
    let other = read_all(plain_wav(&mono(7, 8), 0, 4, &[0; 4])).unwrap_err().to_string();
    assert!(other.contains("0x0007"), "{other}");
}

/// Sony's Wave64: names of 16 bytes, sizes that count the header, chunks aligned to 8.
#[test]
fn wave64_is_read() {
    let guid =
        |name: &[u8]| [name, &[0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a]].concat();
    let chunk = |name: &[u8], content: &[u8]| {
        let padding = vec![0; content.len().next_multiple_of(8) - content.len()];
        [&guid(name)[..], &(content.len() as u64 + 24).to_le_bytes(), content, &padding].concat()
    };
    let riff = [&b"riff"[..], &[0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0]].concat();
    let samples: Vec<u8> = [0_i16, 16_384, -32_768].into_iter().flat_map(i16::to_le_bytes).collect();
    let chunks = [chunk(b"junk", b"odd"), chunk(b"fmt ", &mono(1, 16)), chunk(b"data", &samples)].concat();
    let file = [&riff[..], &(chunks.len() as u64 + 40).to_le_bytes(), &guid(b"wave"), &chunks].concat();
    assert_eq!(read_all(file).unwrap().channels, [vec![0.0, 0.5, -1.0]]);
}

/// Every kind of plain samples in AIFF-C and CAF, in both orders of bytes, behind chunks that are passed over.
#[test]
fn every_kind_of_sample_of_aiff_and_caf_is_read() {
    let values = [0.0, 0.5, -1.0, 0.25_f64];
    let aiff = |kind: &[u8; 4], bits: u16, samples: &[u8]| {
        let chunk = |name: &[u8], content: &[u8]| {
            [name, &(content.len() as u32).to_be_bytes(), content, &vec![0; content.len() % 2]].concat()
        };
        let rate = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];
        let comm =
            [&1_u16.to_be_bytes()[..], &4_u32.to_be_bytes(), &bits.to_be_bytes(), &rate, kind, b"\0\0"]
                .concat();
        let sound = chunk(b"SSND", &[&4_u32.to_be_bytes()[..], &[0; 4], b"skip", samples].concat());
        [&b"FORM\0\0\0\0AIFC"[..], &chunk(b"ANNO", b"odd"), &chunk(b"COMM", &comm), &sound].concat()
    };
    let caf = |flags: u32, bytes: u32, samples: &[u8]| {
        let chunk =
            |name: &[u8], content: &[u8]| [name, &(content.len() as u64).to_be_bytes(), content].concat();
        let fields = [flags, bytes, 1, 1, bytes * 8].into_iter().flat_map(u32::to_be_bytes);
        let desc = [&44_100_f64.to_be_bytes()[..], b"lpcm", &fields.collect::<Vec<u8>>()].concat();
        let data = chunk(b"data", &[&[0; 4], samples].concat());
        [&b"caff\0\x01\0\0"[..], &chunk(b"desc", &desc), &chunk(b"free", b"odd"), &data].concat()
    };
    let sound = |bytes: usize, float: bool, big: bool| -> Vec<u8> {
        let one = |v: &f64| {
            let integer = (v * 2_147_483_648.0).clamp(-2_147_483_648.0, 2_147_483_647.0) as i32;
            let mut sample = match (float, bytes) {
                (true, 4) => (*v as f32).to_le_bytes().to_vec(),
                (true, _) => v.to_le_bytes().to_vec(),
                (false, _) => integer.to_le_bytes()[4 - bytes..].to_vec(),
            };
            if big {
                sample.reverse();
            }
            sample
        };
        values.iter().flat_map(one).collect()
    };
    let mut files = vec![
        aiff(b"NONE", 8, &sound(1, false, true)),
        aiff(b"twos", 16, &sound(2, false, true)),
        aiff(b"sowt", 16, &sound(2, false, false)),
        aiff(b"in24", 24, &sound(3, false, true)),
        aiff(b"in32", 32, &sound(4, false, true)),
        aiff(b"raw ", 8, &[128, 192, 0, 160]),
        aiff(b"FL32", 32, &sound(4, true, true)),
        aiff(b"fl64", 64, &sound(8, true, true)),
    ];
    for (float, bytes) in [(false, 1), (false, 2), (false, 3), (false, 4), (true, 4), (true, 8)] {
        for big in [false, true] {
            let flags = u32::from(float) + if big { 0 } else { 2 };
            files.push(caf(flags, bytes, &sound(bytes as usize, float, big)));
        }
    }
    for (i, file) in files.into_iter().enumerate() {
        let read = read_all(file).unwrap_or_else(|e| panic!("{i}: {e}"));
        assert_eq!(
            (read.rate, &read.channels[..]),
            (44_100, &[values.map(|v| v as f32).to_vec()][..]),
            "{i}"
        );
    }
    let other = read_all(aiff(b"ima4", 16, &[0; 8])).unwrap_err().to_string();
    assert!(other.contains("`ima4`"), "{other}");
}

/// Whatever a header says, no more is held than is wanted.
#[test]
fn headers_are_not_believed() {
    let samples = vec![0_u8; 4096];
    for (at, bytes) in
        [(22, vec![255, 255]), (24, vec![255; 4]), (24, vec![0; 4]), (22, vec![0; 2]), (34, vec![255; 2])]
    {
        let mut file = plain_wav(&mono(1, 16), u32::MAX, u32::MAX, &samples);
        file[at..at + bytes.len()].copy_from_slice(&bytes);
        let _ = read_all(file);
    }
    let mut file = wav_of(100, 2, &[0.5; 4096]);
    let wanted = Wanted { rate: Some(48_000), channels: 1, frames: 1000, most: None };
    let sound = read(Cursor::new(file.clone()), wanted).unwrap();
    assert_eq!((sound.channels.len(), sound.frames()), (1, 1000), "it is resampled as far as is wanted");
    file[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    let refused = read(Cursor::new(file), wanted).map(|sound| sound.rate).unwrap_err().to_string();
    assert!(refused.contains("4294967295 Hz"), "{refused}");
}

#[test]
fn titles_and_the_program_stand_in_every_kind_of_file() {
    for &container in Container::ALL {
        let file = written(container, Bits::Int16, Dither::None, 100);
        let head = String::from_utf8_lossy(&file[..400]).into_owned();
        assert!(head.contains("A title"), "{container}");
        assert!(head.contains(SOFTWARE), "{container}");
        assert_eq!(software(&file[..]).unwrap().as_deref(), Some(SOFTWARE), "{container}");
        // However long the file is that a byte is missing of, what is there of it is read.
        let cut = read_all(file[..file.len() - 1001].to_vec()).map(|sound| sound.frames());
        assert!(container == Container::Flac || cut.is_ok_and(|frames| frames > 9000), "{container}");
    }
    assert_eq!(software(&plain_wav(&mono(1, 16), 0, 0, &[])[..]).unwrap(), None);
    assert_eq!(software(&b"RIFF"[..]).unwrap(), None);
}

/// A stream of which the length is known says it; another one says that it is not known.
#[test]
fn streams_are_written_once_from_their_beginning() {
    for &container in Container::ALL {
        for length in [Frames::Exactly(3000), Frames::AtMost(9000), Frames::Unknown] {
            let format = Format {
                container,
                bits: Bits::Int16,
                dither: Dither::None,
                rate: 48_000,
                channels: 2,
                layout: ChannelLayout::Speakers,
            };
            let details = Details { title: None, frames: length };
            let mut bytes = Vec::new();
            let mut writer = Writer::streaming(&mut bytes, format, &details).unwrap();
            writer.write(&[0.25; 6000]).unwrap();
            writer.finish().unwrap();
            if container == Container::Caf && length != Frames::Exactly(3000) {
                let size = bytes.windows(12).find_map(|w| w.strip_prefix(b"data"));
                assert_eq!(size, Some(&[0xff; 8][..]), "up to the end of the file");
            }
            if cfg!(feature = "decode") || container != Container::Flac {
                let sound = read(Cursor::new(bytes), ALL);
                let sound = sound.unwrap_or_else(|e| panic!("{container} {length:?}: {e}"));
                assert_eq!(sound.channels, vec![vec![0.25; 3000]; 2], "{container} {length:?}");
                assert!(!sound.is_cut_off, "{container} {length:?}");
            }
        }
    }
}

/// The sizes of a file that is longer than 32 bits count.
#[test]
fn a_wav_file_above_four_gibibytes_is_rf64() {
    use super::plain::{Data, Layout};
    let format = Format {
        container: Container::Wav,
        bits: Bits::Int16,
        dither: Dither::None,
        rate: 48_000,
        channels: 2,
        layout: ChannelLayout::Speakers,
    };
    let header = |frames, data| wav::Wav::new(format, &Details { title: None, frames }).unwrap().header(data);
    let long: u64 = 5 << 30;
    let bytes = header(Frames::Unknown, Data::Bytes(long));
    assert_eq!((&bytes[..4], &bytes[4..8], &bytes[12..16]), (&b"RF64"[..], &[0xff; 4][..], &b"ds64"[..]));
    assert_eq!(bytes[20..28], (bytes.len() as u64 - 8 + long).to_le_bytes());
    assert_eq!(
        (bytes[28..36].to_vec(), bytes[36..44].to_vec()),
        (long.to_le_bytes().to_vec(), (long / 4).to_le_bytes().to_vec())
    );
    assert_eq!(
        bytes.len(),
        header(Frames::Unknown, Data::Bytes(4)).len(),
        "it is written over the one for the start"
    );
    assert_eq!(header(Frames::Exactly(long / 4), Data::Bytes(0)).len(), bytes.len());
    let short = header(Frames::AtMost(1000), Data::Bytes(4000));
    assert_eq!((&short[..4], &short[12..16]), (&b"RIFF"[..], &b"fmt "[..]));
    let read = read_all([bytes, vec![0, 64, 0, 64]].concat()).unwrap();
    assert_eq!((read.channels, read.is_cut_off), (vec![vec![0.5], vec![0.5]], true));
}

/// Files say which speakers their channels are, each in its own way, or that they are none.
#[test]
fn files_say_what_their_channels_are() {
    let file = |container: Container, channels, layout| {
        let bits = Bits::Int16;
        let format = Format { container, bits, dither: Dither::None, rate: 48_000, channels, layout };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut bytes, format, &Details::default()).unwrap();
        writer.write(&vec![0.25; 16 * channels]).unwrap();
        writer.finish().unwrap();
        bytes.into_inner()
    };
    let after = |bytes: &[u8], mark: &[u8], skip: usize| -> Option<Vec<u8>> {
        let at = bytes.windows(mark.len()).position(|window| window == mark)? + mark.len() + skip;
        Some(bytes[at..at + 12].to_vec())
    };
    let quad = 0x33_u32;
    let speakers = ChannelLayout::Speakers;
    // The mask stands 20 bytes behind the beginning of the chunk's content.
    let wav =
        |channels, layout| after(&file(Container::Wav, channels, layout), b"fmt ", 24).unwrap()[..4].to_vec();
    assert_eq!(wav(4, speakers), quad.to_le_bytes());
    assert_eq!(wav(6, speakers), 0x3f_u32.to_le_bytes());
    assert_eq!(wav(4, ChannelLayout::Ambisonic), [0; 4]);
    let bitmap = [&(1_u32 << 16).to_be_bytes()[..], &quad.to_be_bytes()[..], &[0; 4][..]].concat();
    let field = [&((190_u32 << 16) + 4).to_be_bytes()[..], &[0; 8][..]].concat();
    for (container, mark, skip) in [(Container::Caf, b"chan", 8), (Container::Aiff, b"CHAN", 4)] {
        let chunk = |channels, layout| after(&file(container, channels, layout), mark, skip);
        assert_eq!(chunk(4, speakers), Some(bitmap.clone()), "{container}");
        assert_eq!(chunk(4, ChannelLayout::Ambisonic), Some(field.clone()), "{container}");
        assert_eq!(chunk(2, speakers), None, "{container}");
    }
    #[cfg(feature = "flac")]
    {
        let mask = b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x0";
        let says = |layout| file(Container::Flac, 4, layout).windows(mask.len()).any(|window| window == mask);
        assert_eq!((says(speakers), says(ChannelLayout::Ambisonic)), (false, true));
    }
    for channels in 1..=8 {
        assert_eq!(speakers.speakers(channels).count_ones() as usize, channels);
    }
}
