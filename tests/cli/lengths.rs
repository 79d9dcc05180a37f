//! What a render hears, and how long it is.

use super::{Folder, wav};

/// Without a length a render goes on to the last sound: of an input, and of what pauses in a tail.
#[test]
fn what_pauses_is_rendered_to_its_end() {
    let folder = Folder::new("pauses")
        .with("thru.mam", "out = in\n")
        .with("tremolo.mam", "out = in * (0.75 + 0.25 * sine(2Hz))\n")
        .with("loop.mam", "bd = kick()\nplay { bd |x...| }\nout = bd + in\n")
        .with("hit.mam", "x = kick()\nplay { x |x...| }\nlength 1 bar\nout = playback(sample(\"in.wav\"), x.trig)\n")
        .with(
            "late.mam",
            "x = kick()\nplay { x |x...| }\nlength 1 bar\nout = noise() * decay(later(x.trig, 3500ms), 50ms)\n",
        );
    // Silence, sound, silence, a last sound after 41 s.
    let sample = |n: usize| if matches!(n / 4000, 2..=8 | 30 | 82) { 0.5 } else { 0.0 };
    folder.record("in.wav", 8000, (0..8000 * 42).map(sample));
    let frames = |song: &str, more: &[&str]| {
        let args = [&["render", song, "-o", "x.wav", "--rate", "8000"], more].concat();
        folder.run(&args).exits(0);
        wav(folder.0.join("x.wav")).1.len() / 2
    };
    let input = ["--input", "in.wav"];
    for song in ["thru.mam", "tremolo.mam", "loop.mam"] {
        assert_eq!(frames(song, &input), 8000 * 42, "{song}");
    }
    assert_eq!(frames("thru.mam", &[&input[..], &["-t", "1"]].concat()), 8000 * 42);
    assert_eq!(frames("thru.mam", &[&input[..], &["--tail", "1s"]].concat()), 8000 * 43);
    assert_eq!(frames("thru.mam", &[&input[..], &["-d", "3s"]].concat()), 8000 * 3);
    // A tail is at most 30 s long, and ends with a sound.
    for threads in ["1", "2"] {
        assert_eq!(frames("hit.mam", &["-t", threads]), 4000 * 31);
        let late = frames("late.mam", &["-t", threads]);
        assert!((8000 * 35 / 10..8000 * 5).contains(&late), "{late}");
    }
}

#[test]
fn a_song_hears_its_input_at_its_own_rate() {
    let folder = Folder::new("input").with("thru.mam", "out = in\n");
    let sine = |n: usize, rate: f32| (std::f32::consts::TAU * 440.0 * n as f32 / rate).sin() * 0.5;
    folder.record("in.wav", 24_000, (0..24_000).map(|n| sine(n, 24_000.0)));
    folder.run(&["render", "thru.mam", "--input", "in.wav", "-d", "1s", "-o", "out.wav"]).exits(0);
    let (_, out) = wav(folder.0.join("out.wav"));
    let off = (9_600..38_400).map(|n| (out[2 * n] - sine(n, 48_000.0)).abs()).fold(0.0, f32::max);
    assert!(off < 2e-3, "{off}");
    // What the song hears goes on after what it plays by itself.
    folder.run(&["render", "thru.mam", "--input", "in.wav", "-o", "whole.wav"]).exits(0);
    folder.run(&["render", "thru.mam", "--input", "in.wav", "--from", "250ms", "-o", "part.wav"]).exits(0);
    let (whole, part) = (wav(folder.0.join("whole.wav")).1, wav(folder.0.join("part.wav")).1);
    assert!(part == whole[2 * 12_000..]);
    let run =
        folder.run(&["render", "thru.mam", "--input", "in.wav", "--from", "2s", "-o", "y.wav"]).exits(2);
    assert!(run.err.contains("behind the end of the song and of its input"), "{}", run.err);
    let run = folder.run(&["render", "thru.mam", "--input", "none.wav", "-d", "1s", "-o", "x.wav"]).exits(3);
    assert!(run.err.contains("cannot read `none.wav`"), "{}", run.err);
    let run = folder.run(&["render", "thru.mam", "--input", "thru.mam", "-d", "1s", "-o", "x.wav"]).exits(3);
    assert!(run.err.contains("cannot read `thru.mam`"), "{}", run.err);
}
