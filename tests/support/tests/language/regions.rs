//! Regions at a higher rate: what aliases in them, what passes into them and out again.

use super::{mono, mono_at, near};
use mam_testing::measure::{amplitude, db, spectrum};

/// The level of a frequency in a song, from the tenth of a second on, over a tenth of a second.
fn level(text: &str, f: f64, rate: u32) -> f64 {
    let tenth = rate as usize / 10;
    let sound = mono_at(text, rate, 2 * tenth);
    db(amplitude(&sound[tenth..], f, f64::from(rate)))
}

#[test]
fn what_is_inaudible_inside_stays_so() {
    // Tones inside a region that would be heard as others.
    for rate in [44_100, 48_000] {
        for (factor, tone) in [(2, 24_500), (2, 30_000), (2, 42_000), (4, 25_000), (4, 70_000), (8, 100_000)]
        {
            let (inner, tone) = (f64::from(rate) * f64::from(factor), f64::from(tone));
            if tone < 0.2736 * 2.0 * f64::from(rate) || tone > inner / 2.0 {
                continue;
            }
            let heard = (tone - f64::from(rate) * (tone / f64::from(rate)).round()).abs();
            let text = format!("out = oversample({factor}) {{ sine({tone}Hz) }}\n");
            let seen = level(&text, heard, rate);
            assert!(seen <= -100.0, "{factor} times {rate}: {tone} Hz is heard at {heard} Hz, {seen} dB");
        }
    }
}

#[test]
fn what_goes_in_has_no_images() {
    // 10 kHz would be mirrored at 38 kHz, which the carrier brings down to 1 kHz.
    let text = "x = sine(10kHz)\nout = oversample(2) { x * sine(37kHz) }\n";
    assert!(level(text, 1000.0, 48_000) <= -100.0, "{}", level(text, 1000.0, 48_000));
}

#[test]
fn a_region_is_flat_to_20_khz() {
    for rate in [44_100, 48_000] {
        for factor in [2, 16] {
            for f in [100.0, 10_000.0, 20_000.0] {
                let text = format!("x = sine({f}Hz)\nout = oversample({factor}) {{ x }}\n");
                let seen = level(&text, f, rate);
                assert!(seen.abs() <= 0.1, "{factor} times {rate} at {f} Hz: {seen} dB");
            }
        }
    }
}

/// The strongest alias of a distorted sine of 5 kHz below 20 kHz, against the sine.
fn alias(factor: usize) -> f64 {
    let shaped = "tanh(8 * sine(5kHz))";
    let text = match factor {
        1 => format!("out = {shaped}\n"),
        _ => format!("out = oversample({factor}) {{ {shaped} }}\n"),
    };
    let sound = mono(&text, 9600);
    let bins = spectrum(&sound[4800..]);
    let hz = |bin: usize| bin * 10;
    let others = (1..bins.len()).filter(|&bin| hz(bin) < 20_000 && hz(bin) % 10_000 != 5000);
    db(others.map(|bin| bins[bin]).fold(0.0, f64::max) / bins[500])
}

#[test]
fn a_distorted_sine_aliases_less() {
    let levels = [1, 2, 4, 8].map(alias);
    let most = [-19.0, -37.0, -67.0, -125.0];
    assert!(
        levels.iter().zip(most).all(|(level, most)| *level <= most),
        "{levels:.1?} dB at 1, 2, 4 and 8 times the rate"
    );
}

#[test]
fn inside_a_region_time_is_finer() {
    near(&mono("out = oversample(4) { sr / 1kHz }\n", 1), &[192.0], 1e-4, "sr");
    near(&mono("out = oversample(8) { dt * 1kHz }\n", 1), &[1.0 / 384.0], 1e-8, "dt");
    // A one-pole at four times the rate is that of the analog one, to the border's filters.
    let text = "def smooth(x) { out = prev(out) + (1 - exp(-tau * 1kHz * dt)) * (x - prev(out)) }
out = oversample(4) { smooth(1) }\n";
    let step = mono(text, 480);
    let truth = |n: usize| 1.0 - (-std::f64::consts::TAU * 1000.0 * (n as f64) / 48_000.0).exp();
    for (n, &x) in step.iter().enumerate().skip(60) {
        assert!((f64::from(x) - truth(n)).abs() < 0.02, "{n}: {x} {}", truth(n));
    }
    // An oscillator keeps its pitch and its phase.
    let phase = mono("out = oversample(4) { sin(tau * phasor(1kHz)) }\n", 9600);
    assert!((db(amplitude(&phase[4800..], 1000.0, 48_000.0))).abs() < 0.01);
}

#[test]
fn events_pass_once_and_what_is_held_passes_as_it_is() {
    // Counted inside: a note is one trigger, whatever the factor.
    let text = "instrument i {
  struck = oversample(4) { n = prev(n) + trig; out = n }
  held = oversample(4) { gate * vel }
  out = struck + 10 * held
  until 0
}
tempo 120
x = i()
play { x \"c4 c4\" }
out = x\n";
    let sound = mono(text, 90_000);
    near(&sound[20_000..20_001], &[11.0], 1e-3, "after one note");
    near(&sound[80_000..80_001], &[12.0], 1e-3, "after two");
}

#[test]
fn regions_stand_in_regions_definitions_and_cycles() {
    let text = "x = sine(300Hz)
def warm(x, amount) = oversample(2) { y = tanh(amount * x); out = y / amount }
inner = oversample(2) { oversample(2) { x } }
once = oversample(4) { x }
loop = oversample(2) { 0.2 * x + 0.5 * before }
before = prev(loop)
side = oversample(2) { (x, 0.5 * x) }
out = 0.2 * warm(x, 2) + inner - once + 0.1 * loop + 0.1 * tap(loop, 3ms, max: 3ms) + side.right - 0.5 * side.left\n";
    let sound = mono(text, 9600);
    assert!(sound.iter().all(|x| x.abs() < 0.5));
    assert!(db(amplitude(&sound[4800..], 300.0, 48_000.0)) > -30.0);
    // Delays inside are in inner frames, interpolated between them.
    let text =
        "x = sine(500Hz)\nlate = oversample(4) { tap(x, 2ms, max: 3ms) }\nout = late + oversample(4) { x }\n";
    let sound = mono(text, 9600);
    let tones = db(amplitude(&sound[4800..], 500.0, 48_000.0));
    assert!((tones - db(2.0)).abs() < 0.1, "2 ms is one period: {tones}");
    // What moves inside a delay.
    let text = "x = sine(500Hz)\nt = 2ms + 0.1ms * sine(3Hz)\nout = oversample(2) { tap(x, t, max: 3ms, order: cubic) }\n";
    assert!((db(amplitude(&mono(text, 48_000), 500.0, 48_000.0))).abs() < 1.5);
}
