//! What a sound is like, in a few numbers: a changed sound then shows *how* it changed.

use realfft::RealFftPlanner;
use std::fmt::Write;

/// Upper ends of the eight bands, in Hz; the last goes to half the rate.
const BANDS: [f64; 7] = [60.0, 120.0, 250.0, 500.0, 2_000.0, 6_000.0, 12_000.0];
/// Frames of a spectrum.
const WINDOW: usize = 2_048;

/// The table of the stage `sound`: frames, hash of the bits, and for each channel peak, RMS, DC, first and last
/// sounding frame, and the level of eight bands. Levels are in dB of full scale; a sine at full scale has −3 dB.
pub fn table(channels: &[Vec<f32>], rate: u32) -> String {
    let frames = channels.first().map_or(0, Vec::len);
    let mut out = format!("frames  {frames} at {rate} Hz\nbits    {:016x}\n", hash(channels));
    for (i, channel) in channels.iter().enumerate() {
        if i > 0 && channel == &channels[0] {
            _ = writeln!(out, "channel {i}: as channel 0");
            continue;
        }
        _ = writeln!(out, "channel {i}");
        out += &describe(channel, rate);
    }
    out
}

fn describe(channel: &[f32], rate: u32) -> String {
    let values = || channel.iter().map(|&x| f64::from(x));
    let n = channel.len().max(1) as f64;
    let peak = values().map(f64::abs).fold(0.0, f64::max);
    let rms = (values().map(|x| x * x).sum::<f64>() / n).sqrt();
    let dc = values().sum::<f64>() / n;
    let first = channel.iter().position(|&x| x != 0.0);
    let last = channel.iter().rposition(|&x| x != 0.0);
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) => (first.to_string(), last.to_string()),
        _ => ("-".into(), "-".into()),
    };
    let bands: Vec<String> = bands(channel, rate).iter().map(|&e| level(e.sqrt())).collect();
    format!(
        "  peak  {peak:.4}\n  rms   {}\n  dc    {dc:.4}\n  first {first}\n  last  {last}\n  bands {}\n",
        level(rms),
        bands.join(" ")
    )
}

/// An amplitude in dB, to one place; what is inaudible is `-inf`.
fn level(amplitude: f64) -> String {
    const INAUDIBLE: f64 = 1e-6;
    if amplitude < INAUDIBLE { "-inf".into() } else { format!("{:.1}", 20.0 * amplitude.log10()) }
}

/// Mean power in each band, by Hann-windowed spectra that overlap by half.
fn bands(channel: &[f32], rate: u32) -> [f64; 8] {
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(WINDOW);
    let hann = |i: usize| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / WINDOW as f64).cos();
    let mut power = [0.0; 8];
    let mut spectrum = fft.make_output_vec();
    for start in (0..channel.len()).step_by(WINDOW / 2) {
        let sample = |i: usize| channel.get(start + i).map_or(0.0, |&x| f64::from(x) * hann(i));
        let mut frame: Vec<f64> = (0..WINDOW).map(sample).collect();
        // Lengths are those that the plan asks for.
        let _ = fft.process(&mut frame, &mut spectrum);
        for (bin, value) in spectrum.iter().enumerate() {
            let hz = bin as f64 * f64::from(rate) / WINDOW as f64;
            let both_sides = if bin == 0 || bin == WINDOW / 2 { 1.0 } else { 2.0 };
            power[BANDS.partition_point(|&b| b <= hz)] += both_sides * value.norm_sqr();
        }
    }
    // The windows' squares add up to 3/4 of the length each half window; Parseval gives a factor of the length.
    let scale = 0.75 * channel.len().max(1) as f64 * WINDOW as f64;
    power.map(|p| p / scale)
}

/// FNV-1a, 64 bits, over the bits of all samples.
fn hash(channels: &[Vec<f32>]) -> u64 {
    let bytes = channels.iter().flatten().flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_of_a_sine_hold_its_power() {
        let sine: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.131).sin()).collect();
        let bands = bands(&sine, 48_000);
        assert!((bands[4] - 0.5).abs() < 0.01, "{bands:?}");
        assert!(bands.iter().sum::<f64>() - bands[4] < 1e-3);
    }
}
