//! How long a render is.

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
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(folder.0.join("in.wav"), spec).unwrap();
    // Silence, sound, silence, a last sound after 41 s.
    let sample = |n: usize| if matches!(n / 4000, 2..=8 | 30 | 82) { 0.5 } else { 0.0 };
    (0..8000 * 42).for_each(|n| writer.write_sample(sample(n)).unwrap());
    writer.finalize().unwrap();
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
