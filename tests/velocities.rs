//! Instruments that are modelled on what is blown, bowed or struck: at each velocity, and at notes that a rate has not.

use mam_testing::render::render;
use mamc::definitions::Prelude;

/// The instruments of the prelude's files whose names begin with one of these.
fn names(files: &[&str]) -> Vec<String> {
    let prelude = Prelude::default();
    let all = prelude.all().filter(|entry| entry.kind() == "instrument" && !entry.is_internal());
    let ours = all.filter(|entry| files.iter().any(|file| entry.file().starts_with(file)));
    ours.map(|entry| entry.name().to_owned()).collect()
}

fn heard(name: &str, rate: u32, line: &str, frames: u64) -> Vec<f32> {
    let text = format!("tempo 120\nw = {name}()\nplay {{ w {line} }}\nout = w\n");
    render("song.mam", &text, rate, Some(frames)).channels.swap_remove(0)
}

/// Root mean square in dB, of the middle of the note.
fn level(sound: &[f32]) -> f64 {
    let held = &sound[sound.len() / 2..];
    let power = held.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / held.len() as f64;
    10.0 * (power + 1e-20).log10()
}

/// Nothing falls silent, or stays so, where it is played harder.
#[test]
fn winds_and_bows_answer_each_velocity() {
    let all = names(&["physical/winds", "synths/solo"]);
    assert!(all.len() > 8, "{all:?}");
    for name in all {
        let levels = ["0.25", "0.5", "1", "1.25"]
            .map(|vel| level(&heard(&name, 48_000, &format!("\"c4 ~\".vel({vel})"), 38_400)));
        for pair in levels.windows(2) {
            assert!(pair[1] > pair[0] + 0.5, "{name}: {levels:?}");
        }
        assert!(levels[2] - levels[0] < 30.0, "{name}: {levels:?}");
        assert!(levels[3] - levels[2] < 4.5, "{name}: {levels:?}");
    }
}

/// A note above half the rate leaves what comes after it in order.
#[test]
fn models_are_bounded_at_notes_that_a_rate_has_not() {
    let all = names(&["physical/"]);
    assert!(all.len() > 10, "{all:?}");
    for name in all {
        let sound = heard(&name, 8_000, "\"108 100 120 48\"", 16_000);
        let peak = sound.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(peak < 2.0, "{name}: {peak}");
    }
}
