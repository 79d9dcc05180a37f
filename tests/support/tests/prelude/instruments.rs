//! Instruments: onsets, levels, silence, and the closed forms of kick and clap.

use crate::{RATE, mono, mono_at, split, stereo};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Event, Length, Renderer};
use mam_testing::measure::{amplitude, peak, pitch, rms};
use mam_testing::render;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Every instrument; whether it follows the note; seconds after which one short note of it must have ended.
const INSTRUMENTS: &[(&str, bool, f64)] = &[
    ("kick", false, 2.1),
    ("clap", false, 1.9),
    ("snare", false, 1.3),
    ("closed_hat", false, 0.5),
    ("open_hat", false, 3.7),
    ("tom", true, 2.4),
    ("acid", true, 0.5),
    ("pluck", true, 11.0),
    ("supersaw", true, 0.8),
    ("bell", true, 12.2),
    ("sub", true, 0.5),
];

#[test]
fn every_instrument_begins_at_once_and_falls_silent() {
    for &(name, _, end) in INSTRUMENTS {
        let frames = 48_000 * 13;
        let (left, right) = stereo(&format!("x = {name}()\nout = x\n"), frames);
        assert!(left.iter().chain(&right).all(|v| v.is_finite()), "{name}");
        let first = left.iter().position(|v| v.abs() > 1e-3).expect("it sounds");
        assert!(first < 240, "{name} begins at frame {first}");
        let loudest = peak(&left).max(peak(&right));
        assert!((0.1..1.2).contains(&loudest), "{name}: peak {loudest}");
        let last = left.iter().rposition(|&v| v != 0.0).unwrap() as f64 / f64::from(RATE);
        assert!(last < end, "{name} sounds until {last} s");
    }
}

/// A voice that has fallen silent is asleep, and wakes as if it were new.
#[test]
fn every_voice_sleeps() {
    for &(name, _, end) in INSTRUMENTS {
        let program = render::program("song.mam", &format!("x = {name}()\nout = x\n"), RATE, false);
        let notes = Sequencer::for_program(&program, Extent::Once);
        let mut events: Vec<Event> = vec![];
        let mut source = notes;
        source.advance(1 << 40, &mut events);
        let again = 48_000 * 13;
        let second: Vec<Event> =
            events.iter().map(|e| Event { frame: e.frame + again, kind: e.kind }).collect();
        events.extend(second);
        let count = program.outputs.len();
        let length = Length::Frames(again + 48_000);
        let mut renderer = Renderer::new(Arc::clone(&program), events.into_iter(), count, 0, length);
        let mut sound = vec![];
        while let Some(block) = renderer.next_block() {
            sound.extend_from_slice(&block[0]);
            let at = sound.len() as f64 / 48_000.0;
            let awake = renderer.awake().unwrap();
            assert!(
                awake == usize::from(at < end || at > 13.0) || at < end || at > 13.0,
                "{name} is awake at {at} s"
            );
        }
        let (one, two) = (&sound[..4_800], &sound[again as usize..again as usize + 4_800]);
        // Noise goes on, so what has it is alike only in its level.
        assert!((0.5..2.0).contains(&(rms(one) / rms(two))), "{name}");
    }
}

#[test]
fn gain_and_velocity_scale() {
    for &(name, _, _) in INSTRUMENTS {
        let at = |gain: f64| mono(&format!("x = {name}(gain: {gain})\nout = x\n"), 24_000);
        let (half, whole) = (at(0.25), at(0.5));
        assert!(half.iter().zip(&whole).all(|(h, w)| (2.0 * h - w).abs() < 1e-5), "{name}");
        assert_eq!(peak(&at(0.0)), 0.0, "{name}");
        let hit =
            |tab: &str| rms(&mono(&format!("x = {name}()\nplay {{ x |{tab}...| }}\nout = x\n"), 24_000));
        let (ghost, plain, accent) = (hit("o"), hit("x"), hit("X"));
        assert!(ghost < 0.8 * plain && plain < 0.95 * accent, "{name}: {ghost} {plain} {accent}");
    }
}

#[test]
fn notes_have_their_pitches() {
    for &(name, pitched, _) in INSTRUMENTS.iter().filter(|i| i.1) {
        assert!(pitched);
        for (note, hz) in [("c2", 65.406), ("a3", 220.0), ("e4", 329.628)] {
            let calm = match name {
                "tom" => "bend: 1",
                "supersaw" => "detune: 0ct",
                "bell" => "ratio: 1",
                _ => "gain: 0.5",
            };
            let text = format!("x = {name}({calm})\nplay {{ x \"{note}\" }}\nout = x\n");
            let x = mono(&text, 24_000);
            let is = pitch(&x[2_400..14_400], 50.0, 500.0, 48_000.0);
            let cents = 1_200.0 * (is / hz).log2();
            assert!(cents.abs() < 8.0, "{name} plays {note} at {is:.2} Hz, {cents:.1} ct off");
        }
    }
}

/// The frequency near `hz` at which a sound has the most energy: within ± 30 ct, in steps of 1 ct.
fn partial_near(x: &[f32], hz: f64, rate: f64) -> f64 {
    let level = |cents: &i32| amplitude(x, hz * (f64::from(*cents) / 1_200.0).exp2(), rate);
    let best = (-30..=30).max_by(|a, b| level(a).total_cmp(&level(b))).unwrap();
    hz * (f64::from(best) / 1_200.0).exp2()
}

#[test]
fn a_string_is_in_tune_up_to_c8_at_any_rate() {
    let notes = [("c3", 130.813), ("c5", 523.251), ("c7", 2_093.005), ("c8", 4_186.009)];
    for rate in [8_000, 44_100, 96_000] {
        for (note, hz) in notes.into_iter().filter(|(_, hz)| *hz < 0.3 * f64::from(rate)) {
            let text = format!("x = pluck(decay: 2s)\nplay {{ x \"{note}\" }}\nout = x\n");
            let x = mono_at(&text, rate, rate as usize);
            let is = partial_near(&x[rate as usize / 20..rate as usize / 2], hz, f64::from(rate));
            let cents = 1_200.0 * (is / hz).log2();
            assert!(cents.abs() <= 3.0, "{note} at {rate} Hz sounds at {is:.2} Hz, {cents:.1} ct off");
        }
    }
}

/// The kick's closed form, from the specification of the first mam.
#[test]
fn the_kick_is_exact() {
    for rate in [44_100, 48_000, 96_000] {
        let text = "x = kick(f0: 150Hz, fend: 45Hz, pitch_decay: 40ms, amp_decay: 150ms, gain: 1.1, click: 0.2)\nout = x\n";
        let x = mono_at(text, rate, rate as usize);
        let sr = f64::from(rate);
        let mut phase = 0.0;
        let expected: Vec<f64> = (0..rate)
            .map(|n| {
                let n = f64::from(n);
                phase += (45.0 + 105.0 * (-n / (sr * 0.04)).exp()) / sr;
                let click = if n < 2.0 { 0.2 } else { 0.0 };
                ((-n / (sr * 0.15)).exp() * (TAU * phase).sin() + click) * 1.1
            })
            .collect();
        crate::close(&x, |n| expected[n], 1e-4);
    }
}

/// While its level is ramped, the closed form holds with the values of each frame.
#[test]
fn the_kick_is_exact_while_its_parameters_move() {
    let text = "x = kick()\nplay {\n  x |x...|\n  x.gain \"0.2 1.2\" over 100ms\n  x.f0 \"180\" over 200ms\n}\nlength 1 bar\nout = x\n";
    let x = mono(text, 24_000);
    let ramp = |n: f64, from: f64, to: f64, frames: f64| from + (to - from) * ((n + 1.0) / frames).min(1.0);
    let mut phase = 0.0;
    let expected: Vec<f64> = (0..24_000)
        .map(|n| {
            let n = f64::from(n);
            let f0 = ramp(n, 100.0, 180.0, 9_600.0);
            phase += (40.0 + (f0 - 40.0) * (-n / 2_880.0).exp()) / 48_000.0;
            (-n / 9_600.0).exp() * (TAU * phase).sin() * ramp(n, 0.9, 0.2, 4_800.0)
        })
        .collect();
    crate::close(&x, |n| expected[n], 1e-4);
}

#[test]
fn the_clap_is_noise_below_its_envelope() {
    for rate in [44_100, 48_000, 96_000] {
        let x = mono_at("x = clap(amp_decay: 100ms, gain: 1)\nout = x\n", rate, rate as usize / 2);
        let envelope = |n: usize| (-(n as f64) / (0.1 * f64::from(rate))).exp();
        let noise: Vec<f32> =
            x.iter().enumerate().map(|(n, &v)| (f64::from(v) / envelope(n)) as f32).collect();
        assert!(peak(&noise) <= 1.0001 && peak(&noise) > 0.99);
        assert!((rms(&noise).powi(2) - 1.0 / 3.0).abs() < 0.02);
        assert!(mam_testing::measure::mean(&noise).abs() < 0.02);
    }
}

#[test]
fn a_closed_hat_chokes_an_open_one() {
    let song = |mute: &str| {
        format!(
            "hh = closed_hat(gain: 0)\noh = open_hat({mute})\nplay {{\n  oh |x...............|\n  hh |....x...........|\n}}\ntempo 120\nout = oh\n"
        )
    };
    let (choked, open) = (mono(&song("mute: hh.trig"), 48_000), mono(&song(""), 48_000));
    assert_eq!(choked[..24_000], open[..24_000]);
    assert!(rms(&choked[26_400..]) < 1e-3 && rms(&open[26_400..]) > 1e-2);
}

#[test]
fn acid_slides_and_accents() {
    let song = |slide: &str, tab: &str| {
        format!("x = acid({slide}env: 0%, cutoff: 4kHz)\nplay {{ x \"c2 c3\" }}\ntempo 240\n{tab}out = x\n")
    };
    let at = |x: &[f32], from: usize| pitch(&x[from..from + 3_600], 50.0, 300.0, 48_000.0);
    let (jump, glide) = (mono(&song("", ""), 48_000), mono(&song("slide: 150ms, ", ""), 48_000));
    assert!((at(&jump, 24_600) - 130.81).abs() < 1.0, "{}", at(&jump, 24_600));
    let gliding = at(&glide, 24_600);
    assert!((70.0..110.0).contains(&gliding), "{gliding}");
    assert!((at(&glide, 4_800) - 65.4).abs() < 1.0, "the first note does not glide");
}

#[test]
fn voices_add_up() {
    let chord = "x = sub(voices: 3, warm: 0%)\nplay { x \"[c3,e3,g3]\" }\nout = x\n";
    let one = |note: &str| mono(&format!("x = sub(warm: 0%)\nplay {{ x \"{note}\" }}\nout = x\n"), 24_000);
    let (all, parts) = (mono(chord, 24_000), ["c3", "e3", "g3"].map(one));
    crate::close(&all, |n| parts.iter().map(|p| f64::from(p[n])).sum(), 1e-5);
}

#[test]
fn instruments_that_are_stereo_are_balanced() {
    let (left, right) = split(render::render("song.mam", "x = supersaw()\nout = x\n", RATE, Some(12_000)));
    let balance = rms(&left) / rms(&right);
    assert!(left != right && (0.8..1.25).contains(&balance), "{balance}");
}
