//! Pictures: what they show is right, and every kind can be drawn in both forms.

use mam_testing::render::{program, render_program};
use mamc::plot::response::of_impulse;
use mamc::plot::{Figure, Layer, Samples, score, signal, spectrum};
use std::f64::consts::PI;

const RATE: f64 = 48_000.0;

fn sound(text: &str, frames: u64) -> Samples {
    let rendered = render_program(program("song.mam", text, 48_000, true), Some(frames));
    Samples { name: "song".into(), rate: rendered.rate, channels: rendered.channels }
}

/// The state-variable filter is the analogue one with `s = tan(π·f/rate) / tan(π·cutoff/rate)`, a bilinear transform that
/// is exact at the cutoff.
fn analytic(frequency: f64, cutoff: f64, q: f64) -> f64 {
    let s = (PI * frequency / RATE).tan() / (PI * cutoff / RATE).tan();
    -10.0 * ((1.0 - s * s).powi(2) + (s / q).powi(2)).log10()
}

#[test]
fn a_drawn_response_is_within_a_tenth_of_a_decibel_of_the_analytic_one() {
    for (cutoff, q) in [(200.0, 0.707), (800.0, 4.0), (5000.0, 1.0)] {
        let text = format!("out = pulses(4000000000) |> lowpass({cutoff}Hz, {q})\n");
        let response = of_impulse(&sound(&text, 48_000));
        assert!(response.len() > 1000 && response[0].frequency < 21.0);
        // Down to what 32 bits of a sample tell from nothing.
        let shown = response.iter().filter(|one| one.frequency < 20_000.0 && one.gain > -70.0);
        for one in shown {
            let exact = analytic(one.frequency, cutoff, q);
            assert!((one.gain - exact).abs() < 0.1, "{cutoff} {q}: {one:?}, {exact}");
        }
        let at_cutoff = response.iter().find(|one| one.frequency >= cutoff).unwrap();
        assert!((at_cutoff.phase + 90.0).abs() < 2.0, "{at_cutoff:?}");
    }
}

fn curve(figure: &Figure, panel: usize, layer: usize) -> &[(f64, f64)] {
    match &figure.panels[panel].layers[layer] {
        Layer::Curve { points, .. } => points,
        other => panic!("{other:?}"),
    }
}

#[test]
fn levels_are_those_of_the_sound() {
    let sine = sound("out = sine(1001.953125Hz) * 0.5\n", 48_000);
    let figure = spectrum::spectrum(std::slice::from_ref(&sine));
    let peak = curve(&figure, 0, 0).iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!((peak.0 - 1002.0).abs() < 6.0 && (peak.1 + 6.0).abs() < 0.3, "{peak:?}");
    let figure = signal::envelope(std::slice::from_ref(&sine));
    let (peaks, levels) = (curve(&figure, 0, 0), curve(&figure, 0, 1));
    assert!(peaks.iter().all(|point| (point.1 + 6.02).abs() < 0.1));
    assert!(levels.iter().all(|point| (point.1 + 9.03).abs() < 0.1));
    // A sine at 1 kHz of −6 dBFS on one channel: −9.7 LUFS (BS.1770 weights 1 kHz by +0.7 dB, and takes away 0.69).
    let figure = signal::loudness(std::slice::from_ref(&sine));
    assert!(figure.panels[0].title.contains("LUFS"));
    let momentary = curve(&figure, 0, 0).last().unwrap().1;
    let expected = if sine.channels.len() == 2 { -6.0 } else { -9.0 };
    assert!((momentary - expected).abs() < 0.3, "{momentary}");
}

/// The length of a bar follows the tempo, and is no parameter; what begins later is drawn at its time.
#[test]
fn a_picture_shows_the_time_and_the_parameters_of_its_song() {
    let text = "tempo 120\ntempo 130 at bar 2\nbd = kick()\nplay {\n  bd |x...|\n  bd.gain \"0.2 0.8\"\n}\nout = bd |> echo(time: 1/4 bar)\n";
    let figure = score::courses("song", &program("song.mam", text, 48_000, true), 0..96_000).unwrap();
    assert_eq!(figure.panels.iter().map(|panel| &*panel.title).collect::<Vec<_>>(), ["bd.gain"]);
    let later = signal::waveform(&[sound("out = sine(220Hz)\n", 48_000)]).later(3.0);
    assert_eq!((later.panels[0].x.from, later.panels[0].x.to), (3.0, 4.0));
    let Layer::Band { bounds, .. } = &later.panels[0].layers[0] else { panic!() };
    assert!(bounds.iter().all(|bound| (3.0..=4.0).contains(&bound.0)));
}

#[test]
fn a_score_is_drawn_as_it_is_played() {
    let text = "tempo 120\nx = pluck()\nbd = kick()\nplay {\n  x \"c4 e4 g4 ~\"\n  bd |x...x...x...x...|\n  bd.gain \"0.2 0.8\" over 1 beat\n}\nout = x + bd\n";
    let program = program("song.mam", text, 48_000, true);
    let figure = score::piano_roll("song", &program, 0..96_000).unwrap();
    let Layer::Notes { name, notes, .. } = &figure.panels[0].layers[0] else { panic!() };
    assert_eq!((&**name, notes.len()), ("x", 3));
    assert_eq!((notes[1].at, notes[1].from), (64.0, 0.5));
    let Layer::Notes { notes, .. } = &figure.panels[1].layers[0] else { panic!() };
    assert_eq!(notes.len(), 4);
    let figure = score::courses("song", &program, 0..96_000).unwrap();
    assert_eq!(figure.panels[0].title, "bd.gain");
    let course = curve(&figure, 0, 0);
    let at = |time: f64| course.iter().rev().find(|point| point.0 <= time + 1e-6).unwrap().1;
    assert!((at(0.5) - 0.2).abs() < 1e-6 && (at(1.5) - 0.8).abs() < 1e-6, "{course:?}");
    // A part of it, whose time counts from its beginning: what sounds there, and the value that was come to.
    let part = score::piano_roll("song", &program, 24_000..48_000).unwrap();
    let Layer::Notes { notes, .. } = &part.panels[0].layers[0] else { panic!() };
    assert_eq!(
        notes.iter().map(|note| (note.at, note.from, note.to)).collect::<Vec<_>>(),
        [(64.0, 0.0, 0.5)]
    );
    let part = score::courses("song", &program, 72_000..96_000).unwrap();
    let course = curve(&part, 0, 0);
    assert!(course.iter().all(|point| (0.0..=0.5).contains(&point.0)), "{course:?}");
    assert!((course[0].1 - 0.8).abs() < 1e-6, "{course:?}");
}

#[test]
fn every_picture_has_axes_with_units_in_both_forms() {
    let song = sound("out = (sine(300Hz), saw(200Hz)) * 0.3\n", 24_000);
    let other = sound("out = saw(100Hz) * 2\n", 12_000);
    let empty = Samples { name: "empty".into(), rate: 48_000, channels: vec![vec![]] };
    let odd =
        Samples { name: "<&\">".into(), rate: 48_000, channels: vec![vec![f32::NAN, f32::INFINITY, 1.0]] };
    type Draw = fn(&[Samples]) -> Figure;
    let all: [(Draw, &str); 6] = [
        (signal::waveform, "time in s"),
        (signal::envelope, "level in dBFS"),
        (signal::loudness, "loudness in LUFS"),
        (spectrum::spectrum, "frequency in Hz"),
        (spectrum::spectrogram, "frequency in Hz"),
        (mamc::plot::response::response, "phase in degrees"),
    ];
    for sounds in [vec![song.clone()], vec![song, other], vec![empty], vec![odd]] {
        for (draw, unit) in all {
            let figure = draw(&sounds);
            let svg = figure.svg();
            assert!(
                svg.contains(unit)
                    && svg.ends_with("</svg>\n")
                    && !svg.contains("NaN,")
                    && !svg.contains("\"NaN"),
                "{unit}"
            );
        }
    }
    // Pixels take long to draw without optimisation: one picture of each kind of layer.
    let drum = sound("bd = kick()\nplay { bd |x...| }\nout = bd\n", 4800);
    let pictures: [Draw; 3] = [signal::waveform, signal::envelope, spectrum::spectrogram];
    for draw in pictures {
        assert!(draw(std::slice::from_ref(&drum)).png().unwrap().starts_with(b"\x89PNG"));
    }
}
