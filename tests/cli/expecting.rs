//! `mamc test`: what is measured, what is said of it, and how it ends.

use super::*;
use mam_compiler::expect::measures::Measure;
use serde_json::Value;

#[test]
fn what_the_prelude_says_of_itself_holds() {
    let run = Folder::new("prelude").run(&["test", "-q"]).exits(0);
    let last = run.out.lines().last().unwrap_or_default();
    assert!(last.ends_with("checks: all hold"), "{}", run.out);
    let checks: usize = last.split(' ').next().unwrap().parse().unwrap();
    assert!(checks > 100, "{last}");
}

#[test]
fn the_example_of_every_measure_holds() {
    let examples: String =
        Measure::ALL.iter().map(|measure| measure.row().example.to_owned() + "\n").collect();
    let folder = Folder::new("examples").with("examples.mam", &examples);
    let run = folder.run(&["test", "examples.mam", "--json"]).exits(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["holds"], Measure::ALL.len());
    let measured =
        report["checks"].as_array().unwrap().iter().map(|check| check["measure"].as_str().unwrap());
    assert!(measured.eq(Measure::ALL.iter().map(|measure| measure.row().name)), "{}", run.out);
}

/// What would hold because nothing is there to be measured does not hold, and says why.
#[test]
fn what_was_not_rendered_does_not_hold() {
    let song = "bd = kick()\nplay { bd |x...| }\nlength 1 bar\nout = bd\n";
    let text = format!(
        "{song}expect peak(out, after: 5s) < -60dB\nexpect clipped(2 * sine(1kHz), after: 40s) < 1\n"
    );
    let run = Folder::new("over").with("song.mam", &text).run(&["test", "song.mam"]).exits(1);
    assert!(
        run.out.contains("it is over before 5 s") && run.out.contains("it is over before 40 s"),
        "{}",
        run.out
    );
    let text =
        format!("{song}expect response(kick(), 1kHz) > 0dB\nexpect thd(softclip(), freq: 30kHz) < 1\n");
    let run = Folder::new("beyond").with("song.mam", &text).run(&["test", "song.mam"]).exits(1);
    assert!(run.out.contains("nothing flows in") && run.out.contains("`freq` is 30000 Hz"), "{}", run.out);
    let text = format!("{song}expect fall(kick(), 20dB) < 1ms\n");
    let run = Folder::new("rising").with("song.mam", &text).run(&["test", "song.mam"]).exits(1);
    assert!(run.err.contains("`by` is a level below 0dB"), "{}", run.err);
}

/// One channel is on both sides, but where the song has no sides.
#[test]
fn a_song_of_one_channel_is_as_loud_as_its_render() {
    let checks = "out = 2 * sine(997Hz)\nexpect lufs(out, for: 3s) within 0.1 of";
    for (channels, loudness, count) in [("channels 1\n", "3.01", 32_000), ("", "6.02", 64_000)] {
        let text =
            format!("{channels}{checks} {loudness}\nexpect clipped(out, for: 1s) within 1% of {count}\n");
        Folder::new("mono").with("song.mam", &text).run(&["test", "song.mam"]).exits(0);
    }
}

const SONG_WITH_CHECKS: &str = "tempo 120
bd = kick()
level = 0.5
play { bd |x...x...x...x...| }
length 1 bar
out = level * bd
expect peak(out) within 0.1dB of -7.04dB
expect peak(bd) > 0dB
expect null(out, level * bd) < -140dB
expect peak(out / level) within 0.1dB of -1.02dB
expect onset(kick()) < 1ms ; expect silent(out, after: 0s)
";

#[test]
fn a_song_is_measured_with_its_score_and_its_names() {
    let folder = Folder::new("expect").with("song.mam", SONG_WITH_CHECKS);
    let run = folder.run(&["test", "song.mam", "--pictures", "failed"]).exits(1);
    let failed: Vec<&str> = run.out.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert_eq!(failed.len(), 2, "{}", run.out);
    assert!(failed[0].contains("song.mam:8") && failed[0].contains("-1.0"), "{}", run.out);
    assert!(failed[1].contains("expect silent(out, after: 0s): does not hold"), "{}", run.out);
    assert!(run.out.ends_with("6 checks: 4 hold, 2 fail\n"), "{}", run.out);
    for file in ["song-8-peak-48000.svg", "song-11-silent-48000.svg"] {
        let picture = fs::read_to_string(folder.0.join("failed").join(file)).unwrap();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
        assert!(picture.matches("<polyline").count() >= 1, "{file}");
        // The first of the colours of curves: what was heard, beside the axes.
        assert!(picture.contains("#0072b2"), "{file}");
    }
    // The checks change nothing of the song.
    let plain = SONG_WITH_CHECKS.split("expect").next().unwrap();
    let folder = Folder::new("plain").with("plain.mam", plain).with("song.mam", SONG_WITH_CHECKS);
    folder.run(&["render", "plain.mam", "-q"]).exits(0);
    folder.run(&["render", "song.mam", "-q"]).exits(0);
    let bytes = |file: &str| fs::read(folder.0.join(file)).unwrap();
    assert_eq!(bytes("plain.wav"), bytes("song.wav"));
    folder.run(&["fmt", "--check", "song.mam"]).exits(1);
    folder.run(&["fmt", "song.mam"]).exits(0);
    folder.run(&["fmt", "--check", "song.mam"]).exits(0);
    assert_eq!(folder.run(&["test", "song.mam"]).exits(1).out.matches("ok ").count(), 4);
}

#[test]
fn other_rates_are_measured_where_that_is_asked_for() {
    let folder = Folder::new("rates").with("def.mam", "expect pitch(sine(440Hz)) within 0.01ct of 440Hz\n");
    let run = folder.run(&["test", "def.mam", "--thorough", "--json"]).exits(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let rates: Vec<u64> =
        report["checks"].as_array().unwrap().iter().map(|check| check["rate"].as_u64().unwrap()).collect();
    assert_eq!(rates, [48_000, 44_100, 96_000]);
}

#[test]
fn what_is_wrong_with_a_check_is_said_at_its_place() {
    let cases = [
        ("expect loudness(kick()) < 0dB", "there is no measure called `loudness`"),
        ("expect peek(kick()) < 0dB", "did you mean `peak`?"),
        ("expect peak(kick())", "this does not say what `peak` is to be"),
        ("expect silent(kick()) < 0dB", "`silent` holds or does not hold"),
        ("expect peak(kick()) < 20ms", "what `peak` measures is a plain number"),
        ("expect rt60(freeverb(), at: 1s) < 2s", "`at` is a frequency"),
        ("expect rt60(freeverb(), where: 1kHz) < 2s", "`where`"),
        ("expect response(lowpass(1kHz)) < 0dB", "`response` needs `at`"),
        ("expect peak(kik()) < 0dB", "there is no definition `kik`"),
        ("expect peak(kick()) < noise()", "is not constant"),
        ("expect lufs(kick()) < -14dB", "`lufs` is in LUFS"),
        ("expect peak(kick()) in 0dB..-6dB", "this range ends below its start"),
        ("expect peak(kick(f0: 1s), for: 1s) < 0dB", "it does not compile"),
        ("expect peak(kick(), after: 2h) < 0dB", "song.mam:1"),
        ("expect peak(noise(), for: 1000s) < 0dB", "it is longer than is measured at once"),
    ];
    for (text, wanted) in cases {
        let folder = Folder::new("wrong").with("song.mam", &format!("{text}\n"));
        let run = folder.run(&["test", "song.mam"]).exits(1);
        let said = run.err.clone() + &run.out;
        assert!(said.contains(wanted), "{text}: {said}");
    }
    let folder = Folder::new("absent");
    folder.run(&["test", "absent.mam"]).exits(3);
    assert!(
        folder.run_with(&["test", "-"], b"out = noise()\n").exits(0).out.contains("there is no `expect`")
    );
}
