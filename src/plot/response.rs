//! Frequency responses, from impulse responses.

use super::axis::Axis;
use super::figure::{Figure, Layer, Panel};
use super::{Samples, decibels};
use realfft::RealFftPlanner;
use std::f64::consts::TAU;

/// The lowest frequency that is shown, in Hz.
const LOWEST: f64 = 20.0;
/// The range of gains that is shown at least, in dB.
const LEAST_RANGE: f64 = 36.0;
/// The lowest gain that is shown, in dB.
const FLOOR: f64 = -96.0;

/// Magnitude and phase at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// The frequency in Hz.
    pub frequency: f64,
    /// The gain in dB.
    pub gain: f64,
    /// From −180 to 180 degrees.
    pub phase: f64,
}

/// The frequency response of which a sound's first channel is the impulse response, at frequencies from 20 Hz to half the
/// rate. Computed in f64 from all of the sound: no window, so the sound must have died away at its end.
pub fn of_impulse(sound: &Samples) -> Vec<Response> {
    let rate = f64::from(sound.rate);
    let samples = sound.channels.first().map_or(&[][..], Vec::as_slice);
    // Bins of half a hertz or less, so that what is drawn at 20 Hz is not far from a bin.
    let length = samples.len().max((rate * 2.0) as usize).next_power_of_two();
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(length);
    let mut time = fft.make_input_vec();
    time.iter_mut().zip(samples).for_each(|(to, &x)| *to = f64::from(x));
    let mut bins = fft.make_output_vec();
    // Lengths are those that the plan asks for.
    let _ = fft.process(&mut time, &mut bins);
    let width = rate / length as f64;
    let first = (LOWEST / width).ceil() as usize;
    let (mut all, mut last) = (vec![], 0.0);
    for (i, bin) in bins.iter().enumerate().skip(first) {
        let frequency = i as f64 * width;
        // Of bins that fall on one pixel, the first.
        if frequency < last * 1.005 {
            continue;
        }
        last = frequency;
        let phase = bin.arg() / TAU * 360.0;
        all.push(Response { frequency, gain: decibels(bin.norm(), -200.0), phase });
    }
    all
}

/// Magnitude and phase of systems whose impulse responses these sounds are.
pub fn response(impulses: &[Samples]) -> Figure {
    let all: Vec<Vec<Response>> = impulses.iter().map(of_impulse).collect();
    let curves = |value: fn(&Response) -> f64| -> Vec<Layer> {
        let named = impulses.iter().zip(&all).enumerate();
        let curve = |(colour, (sound, all)): (usize, (&Samples, &Vec<Response>))| {
            // What is not told from nothing has no phase.
            let shown = all.iter().filter(|one| one.gain > FLOOR);
            let points = shown.map(|one| (one.frequency, value(one))).collect();
            Layer::Curve { name: sound.name.clone(), points, colour }
        };
        named.map(curve).collect()
    };
    let gains = all.iter().flatten().map(|one| one.gain).filter(|gain| *gain > FLOOR);
    let (low, high) = gains.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let high = if high > f64::MIN { (high / 6.0).ceil() * 6.0 + 3.0 } else { 3.0 };
    let low = (low / 6.0).floor() * 6.0;
    let nyquist = impulses.iter().map(|sound| f64::from(sound.rate) / 2.0).fold(LOWEST * 2.0, f64::max);
    let x = Axis::frequency(LOWEST, nyquist);
    let gain = Panel {
        title: String::new(),
        x: x.clone(),
        y: Axis::linear("gain in dB", low.min(high - LEAST_RANGE).max(FLOOR), high),
        layers: curves(|one| one.gain),
        height: 260.0,
    };
    let y = Axis::linear("phase in degrees", -180.0, 180.0);
    let phase = Panel { title: String::new(), x, y, layers: curves(|one| one.phase), height: 150.0 };
    Figure { title: super::signal::title("Response", impulses), panels: vec![gain, phase] }
}
