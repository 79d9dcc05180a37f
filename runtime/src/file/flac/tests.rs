//! Every kind of sound comes back as it was, by a decoder that is not ours, and none takes more than its samples.

use crate::channels::ChannelLayout;
use crate::file::{Bits, Container, Details, Dither, Format, Writer};
use std::io::Cursor;

const FRAMES: usize = 30_000;

/// Uniform noise in [−1, 1).
fn noise(seed: u64) -> impl FnMut(usize) -> f32 {
    let mut state = seed;
    move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

fn sine(hertz: f32) -> impl Fn(usize) -> f32 {
    move |n| (std::f32::consts::TAU * hertz * n as f32 / 48_000.0).sin()
}

/// A name, channels of samples, and the greatest share of the plain samples that it may take.
fn sounds() -> Vec<(&'static str, Vec<Vec<f32>>, f64)> {
    let make = |f: &mut dyn FnMut(usize) -> f32| (0..FRAMES).map(f).collect::<Vec<f32>>();
    let white = make(&mut noise(1));
    let tone = make(&mut |n| 0.5 * sine(440.0)(n));
    let mut hiss = noise(2);
    let hits = make(&mut |n| {
        hiss(n) * if n % 12_000 < 4_000 { (-(n as f32 % 12_000.0) / 800.0).exp() } else { 0.0 }
    });
    let square = make(&mut |n| if n % 107 < 53 { 1.0 } else { -1.0 });
    let full = make(&mut |n| sine(997.0)(n));
    let mut hiss = noise(3);
    let mix = make(&mut |n| 0.3 * sine(110.0)(n) + 0.2 * sine(1234.0)(n) + 0.001 * hiss(n));
    let scaled = |x: &[f32], by: f32| x.iter().map(|x| x * by).collect::<Vec<f32>>();
    vec![
        ("white noise", vec![white.clone(), make(&mut noise(9))], 1.002),
        ("noise after silence", vec![hits.clone(), hits], 0.4),
        ("sine", vec![tone.clone(), tone], 0.3),
        ("silence", vec![vec![0.0; FRAMES]; 2], 0.01),
        ("square", vec![square.clone(), scaled(&square, -1.0)], 0.2),
        ("full scale", vec![full.clone(), scaled(&full, 1.5)], 0.6),
        ("mix", vec![mix.clone(), scaled(&mix, 0.7)], 0.75),
        ("quiet", vec![scaled(&mix, 0.001); 2], 0.4),
        ("mono", vec![scaled(&white, 0.01)], 0.9),
        ("six channels", vec![mix; 6], 0.75),
    ]
}

fn encode(channels: &[Vec<f32>], bits: Bits, rate: u32, frames: usize) -> Vec<u8> {
    let format = Format {
        container: Container::Flac,
        bits,
        dither: Dither::None,
        rate,
        channels: channels.len(),
        layout: ChannelLayout::Speakers,
    };
    let samples: Vec<f32> = (0..frames).flat_map(|n| channels.iter().map(move |c| c[n])).collect();
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut bytes, format, &Details::default()).unwrap();
    samples.chunks(1000 * channels.len()).for_each(|part| writer.write(part).unwrap());
    writer.finish().unwrap();
    bytes.into_inner()
}

#[cfg(feature = "decode")]
fn decode(bytes: Vec<u8>) -> crate::file::Sound {
    let wanted = crate::file::Wanted { rate: None, channels: 8, frames: u64::MAX, most: None };
    crate::file::read(Cursor::new(bytes), wanted).unwrap()
}

/// Of 24 bits, noise after silence once took a thousand times its samples: its parameters need five bits.
#[test]
fn no_sound_takes_more_than_its_samples() {
    for (bits, depth) in [(Bits::Int16, 16_i32), (Bits::Int24, 24)] {
        for (name, channels, share) in sounds() {
            let bytes = encode(&channels, bits, 48_000, FRAMES);
            let plain = FRAMES * channels.len() * bits.bytes();
            // What 16 bits round away can be predicted better.
            let most = if depth == 24 { (share + 0.15).min(1.002) } else { share };
            assert!(
                (bytes.len() as f64) < most * plain as f64 + 200.0,
                "{name} {depth}: {} of {plain}",
                bytes.len()
            );
            #[cfg(feature = "decode")]
            {
                let scale = 0.5_f32.powi(depth - 1);
                let rounded = |x: &f32| ((x / scale + 0.5).floor() * scale).clamp(-1.0, 1.0 - scale);
                let sound = decode(bytes);
                for (was, is) in channels.iter().zip(&sound.channels) {
                    assert!(
                        was.len() == is.len() && was.iter().zip(is).all(|(a, b)| rounded(a) == *b),
                        "{name}"
                    );
                }
            }
        }
    }
}

/// Rates in each of the ways in which a block can name them, and blocks of every length.
#[cfg(feature = "decode")]
#[test]
fn every_rate_and_length_comes_back() {
    let channel: Vec<f32> = (0..5000).map(|n| 0.5 * sine(300.0)(n)).collect();
    for rate in [100, 8_000, 22_051, 48_000, 65_536, 192_000, 255_000, 383_990, 383_999, 655_350] {
        for frames in [1, 2, 17, 49, 256, 257, 4095, 4096, 4097] {
            let sound = decode(encode(std::slice::from_ref(&channel), Bits::Int16, rate, frames));
            assert_eq!((sound.rate, sound.frames()), (rate, frames));
        }
    }
    let format = |rate| Format {
        container: Container::Flac,
        bits: Bits::Int16,
        dither: Dither::None,
        rate,
        channels: 1,
        layout: ChannelLayout::Speakers,
    };
    for rate in [0, 655_351] {
        assert!(Writer::new(Cursor::new(Vec::new()), format(rate), &Details::default()).is_err());
    }
}
