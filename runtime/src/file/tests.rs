//! What is written is read back, by readers that are not ours.

use super::*;
use std::io::{self, Cursor, Seek, SeekFrom, Write};

/// Two channels with every kind of sample: ordinary, tiny, beyond the range, not a number.
fn frames() -> Vec<f32> {
    let mut frames = vec![0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, f32::NAN, 1.0 / 65536.0, -3.0 / 65536.0];
    frames.extend((0..10_001).flat_map(|n| [(n as f32 * 0.05).sin() * 0.9, (n as f32 * 0.0317).cos()]));
    frames
}

fn written(container: Container, bits: Bits, dither: Dither, portion: usize) -> Vec<u8> {
    let format = Format { container, bits, dither, rate: 44_100, channels: 2 };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, format).unwrap();
    frames().chunks(portion * 2).for_each(|c| writer.write(c).unwrap());
    writer.finish().unwrap();
    bytes.into_inner()
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

/// The readers are symphonia's.
#[cfg(feature = "decode")]
#[test]
fn aiff_caf_and_flac_hold_what_wav_holds() {
    let cases = [
        (Container::Aiff, Bits::Int16),
        (Container::Aiff, Bits::Int24),
        (Container::Aiff, Bits::Float32),
        (Container::Caf, Bits::Int16),
        (Container::Caf, Bits::Int24),
        (Container::Caf, Bits::Float32),
        #[cfg(feature = "flac")]
        (Container::Flac, Bits::Int16),
        #[cfg(feature = "flac")]
        (Container::Flac, Bits::Int24),
    ];
    for (container, bits) in cases {
        let wav = read(written(Container::Wav, bits, Dither::None, 333)).unwrap();
        let other = read(written(container, bits, Dither::None, 333)).unwrap();
        assert_eq!(wav.rate, other.rate);
        let same = |(a, b): (&f32, &f32)| a == b || a.is_nan() && b.is_nan();
        for (a, b) in wav.channels.iter().zip(&other.channels) {
            assert_eq!(a.len(), b.len(), "{container} {bits:?}");
            assert!(a.iter().zip(b).all(same), "{container} {bits:?}");
        }
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
    for (from, to, hz) in [(44_100, 48_000, 1_000.0), (96_000, 44_100, 15_000.0), (8_000, 48_000, 3_000.0)] {
        let sine = |rate: u32, n: usize| (std::f64::consts::TAU * hz * n as f64 / f64::from(rate)).sin();
        let channel: Vec<f32> = (0..from as usize).map(|n| sine(from, n) as f32).collect();
        let out = resample(&Sound { rate: from, channels: vec![channel] }, to);
        assert_eq!(out.frames(), to as usize);
        let middle = to as usize / 4..to as usize * 3 / 4;
        let error = middle.map(|n| (f64::from(out.channels[0][n]) - sine(to, n)).abs()).fold(0.0, f64::max);
        assert!(error < 2e-3, "{from} → {to}: {error}");
    }
}

#[test]
fn what_cannot_be_held_or_read_is_refused_in_words() {
    let format =
        Format { container: Container::Wav, bits: Bits::Int16, dither: Dither::None, rate: 1, channels: 1 };
    let mut writer = Writer::new(Cursor::new(Vec::new()), format).unwrap();
    writer.bytes = u64::from(u32::MAX) - 300;
    writer.write(&[0.0; 16]).unwrap();
    let e = writer.write(&[0.0; 16]).unwrap_err();
    assert_eq!(e.to_string(), "a WAV file ends at 4 GiB; a .caf file holds any length");
    let whole = written(Container::Wav, Bits::Int16, Dither::None, 100);
    assert!(read(whole[..30].to_vec()).is_err());
    assert!(read(b"not a sound".to_vec()).is_err());
    assert!(read(vec![]).is_err());
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
    };
    let mut writer = Writer::new(&mut disk, format).unwrap();
    let frames: Vec<f32> = (0..9600).map(|i| i as f32).collect();
    while writer.write(&frames).is_ok() {}
    assert!(
        matches!(writer.finish(), Err(FileError::Io(error)) if error.kind() == io::ErrorKind::StorageFull)
    );
    let mut read = hound::WavReader::new(Cursor::new(disk.0.into_inner())).unwrap();
    let kept: Vec<f32> = read.samples::<f32>().collect::<Result<_, _>>().unwrap();
    assert!(kept.len() > 2_000_000 / 4 && kept.iter().enumerate().all(|(i, x)| *x == (i % 9600) as f32));
}
