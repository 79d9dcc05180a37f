//! The sound library where it is hardest: effects whose every parameter jumps in each frame, the mean of what is struck, and the
//! tuning of what is blown and bowed over the keyboard. Measured here, without the measures of `mamc test`.

use mam_compiler::library::ParamInfo;
use mam_testing::parallel;
use mam_testing::render::{program, render, render_program};
use mamc::definitions::Prelude;
use std::f64::consts::TAU;

/// A call of an effect or an instrument with each parameter at one end of its range or the other, drawn anew in each frame.
fn jumping(name: &str, params: &[ParamInfo]) -> String {
    let jumps = params.iter().filter(|p| p.span.is_some() && p.min.is_finite() && p.max.is_finite());
    let arguments: Vec<String> = jumps
        .map(|p| format!("{}: if noise() > 0 then {} else {}", p.name, p.show(p.min), p.show(p.max)))
        .collect();
    format!("{name}({})", arguments.join(", "))
}

/// Filters that keep energy and loops that lose it do so however their coefficients move, also where a cutoff lies above half
/// the rate. 80 dB is more than the gains of any effect that has some add up to, 72 dB in `eq`.
#[test]
fn effects_stay_bounded_while_everything_jumps() {
    const SECONDS: u64 = 20;
    let prelude = Prelude::default();
    let effects: Vec<(String, String)> = prelude
        .all()
        .filter(|entry| entry.kind() == "effect" && !entry.is_internal())
        .map(|entry| (entry.name().to_owned(), jumping(entry.name(), &entry.info().params)))
        .collect();
    assert!(effects.len() > 50);
    let jobs: Vec<_> = effects.iter().flat_map(|effect| [8_000, 48_000].map(|rate| (effect, rate))).collect();
    parallel::map(&jobs, |&((name, call), rate)| {
        let text = format!("out = noise() |> {call}\n");
        let heard = render_program(program(name, &text, rate, false), Some(SECONDS * u64::from(rate)));
        let all = || heard.channels.iter().flatten();
        assert!(all().all(|x| x.is_finite()), "{name} at {rate} Hz is not finite");
        let peak = all().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(peak < 10_000.0, "{name} at {rate} Hz rises to {peak}");
    });
}

/// What is struck, plucked or blown leaves nothing at 0 Hz: hits add up. `kick` and `clap` are as they are specified.
#[test]
fn instruments_have_no_dc() {
    const RATE: u32 = 48_000;
    let prelude = Prelude::default();
    let specified = ["kick", "clap"];
    let instruments: Vec<&str> = prelude
        .all()
        .filter(|entry| entry.kind() == "instrument" && !entry.is_internal() && !entry.needs_arguments())
        .map(|entry| entry.name())
        .filter(|name| !specified.contains(name))
        .collect();
    assert!(instruments.len() > 150);
    parallel::map(&instruments, |name| {
        let heard = render(name, &format!("out = {name}()\n"), RATE, Some(4 * u64::from(RATE)));
        for channel in &heard.channels {
            let mean = channel.iter().map(|x| f64::from(*x)).sum::<f64>() / channel.len() as f64;
            let level = 20.0 * mean.abs().max(1e-12).log10();
            assert!(level < -70.0, "{name}: {level:.1} dB at 0 Hz");
        }
    });
}

/// The frequency of the partial near `wanted`, from how far its phase turns in 0.3 s.
fn pitch(heard: &[f32], rate: f64, wanted: f64) -> f64 {
    let width = (0.5 * rate) as usize;
    let turned = |from: f64, hz: f64| {
        let start = (from * rate) as usize;
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in heard[start..start + width].iter().enumerate() {
            let window = 0.5 - 0.5 * (TAU * i as f64 / width as f64).cos();
            let angle = TAU * hz * (start + i) as f64 / rate;
            re += f64::from(*x) * window * angle.cos();
            im -= f64::from(*x) * window * angle.sin();
        }
        (re.hypot(im), im.atan2(re))
    };
    // The loudest of frequencies a hertz apart, within two semitones.
    let near = (-60..=60).map(|i| wanted * 2.0_f64.powf(f64::from(i) / 360.0));
    let coarse = near.max_by(|a, b| turned(0.25, *a).0.total_cmp(&turned(0.25, *b).0)).unwrap();
    let turn = turned(0.55, coarse).1 - turned(0.25, coarse).1;
    coarse + (turn - TAU * (turn / TAU).round()) / (TAU * 0.3)
}

#[test]
fn winds_and_bows_are_in_tune_over_the_keyboard() {
    let calls =
        ["lips()", "flute(vibrato: 0%, air: 0%)", "reed(vibrato: 0%, air: 0%)", "bowed(vibrato: 0ct)"];
    // g3 to e7, where a violin plays as well; at 44.1 kHz a turn of e7 has 17 frames.
    let notes = [55, 69, 76, 84, 93, 100];
    let jobs: Vec<_> = calls
        .iter()
        .flat_map(|call| [44_100, 96_000].map(|rate| (call, rate)))
        .flat_map(|(call, rate)| notes.map(|note| (call, rate, note)))
        .collect();
    parallel::map(&jobs, |&(call, rate, note)| {
        let text = format!("tempo 60\nw = {call}\nplay {{ w \"{note}\" }}\nout = w\n");
        let heard = render("song.mam", &text, rate, Some(u64::from(rate) * 12 / 10));
        let wanted = 440.0 * 2.0_f64.powf((f64::from(note) - 69.0) / 12.0);
        let cents = 1200.0 * (pitch(&heard.channels[0], f64::from(rate), wanted) / wanted).log2();
        assert!(cents.abs() < 5.0, "{call} at {rate} Hz plays note {note} {cents:.1} ct off");
    });
}
