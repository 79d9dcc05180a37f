//! More than two channels: each sounds as it would by itself, and what does not go with the count is refused.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_runtime::ChannelLayout;
use mam_testing::render::{Rendered, bits, program, render_program};

const FRAMES: u64 = 48_000;

fn heard(text: &str) -> Rendered {
    render_program(program("song.mam", text, 48_000, false), Some(FRAMES))
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let problems = compile(&mut sources, id, &NoFiles, &Options::default()).problems.into_sorted();
    let errors = problems.iter().filter(|problem| problem.code.severity == Severity::Error);
    errors.map(|problem| problem.code.name).collect()
}

const SONG: &str = "tempo 120\nbd = kick()\nhh = closed_hat()\nplay { bd |x...x...| ; hh |..x...x.| }\n";

#[test]
fn each_element_of_out_is_a_channel() {
    let parts = ["bd + 0.5 * hh", "bd |> echo(time: 100ms)", "0.25", "hh"];
    let all = heard(&format!("{SONG}channels 4\nout = [{}]\n", parts.join(", ")));
    let bits = bits(&all.channels);
    assert_eq!(bits.len(), 4);
    assert_eq!(all.channels[2], vec![0.25; FRAMES as usize], "a constant is a channel as well");
    for (channel, part) in parts.iter().enumerate().filter(|(channel, _)| *channel != 2) {
        assert!(all.channels[channel].iter().any(|x| x.abs() > 0.01), "{part}");
        let alone = heard(&format!("{SONG}channels 1\nout = {part}\n"));
        let most = alone.channels[0].iter().zip(&all.channels[channel]).map(|(x, y)| (x - y).abs());
        let most = most.fold(0.0, f32::max);
        // What belongs to a node of its own has the same bits; what became part of another kernel may round otherwise.
        assert!(most < 1e-6, "{part}: {most}");
    }
    let named = heard(&format!("{SONG}channels 4\nquad = [{}]\nout = quad\n", parts.join(", ")));
    assert_eq!(self::bits(&named.channels), bits, "a list by its name");
}

#[test]
fn a_mono_song_plays_on_all_channels() {
    let all = heard(&format!("{SONG}channels 6\nout = bd + hh\n")).channels;
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|channel| *channel == all[0]));
}

/// Several instruments, a list of lists of tails, latencies: what is heard together is aligned.
#[test]
fn channels_are_aligned() {
    let late = "def late(x) {\n  latency 100 / sr\n  out = tap(x, 100 / sr, max: 100 / sr)\n}\n";
    let text = format!("{late}{SONG}channels 3\nout = [bd, late(bd), late(late(bd))]\n");
    let song = program("song.mam", &text, 48_000, false);
    assert_eq!(song.latency, 200);
    let all = render_program(song, Some(FRAMES)).channels;
    assert_eq!((&all[1], &all[2]), (&all[0], &all[0]));
}

#[test]
fn what_the_channels_are_is_known() {
    let layout = |head: &str, out: &str| program("a.mam", &format!("{head}\nout = {out}\n"), 0, false).layout;
    let w = "sine(220Hz)";
    assert_eq!(layout("channels 4", w), ChannelLayout::Speakers);
    assert_eq!(layout("channels 4 ambisonic", &format!("[{w}, 0, 0, {w}]")), ChannelLayout::Ambisonic);
    // It is a word of the language only where a number follows.
    assert_eq!(program("a.mam", "channels = sine(100Hz)\nout = channels\n", 0, false).outputs.len(), 2);
}

/// Whoever asks for other channels than a song's text does gets these or an error, and never a part of the sound alone.
#[test]
fn what_does_not_go_with_the_channels_that_are_asked_for_is_refused() {
    let json = |channels: usize, params: &str| {
        format!(
            "{{ \"version\": 2, \"channels\": {channels}, \"nodes\": [{{ \"id\": \"bd\", \"type\": \"kick\", \
             \"params\": {{ {params} }} }}] }}"
        )
    };
    let found = |name: &str, text: &str, channels: usize| {
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        let compilation = compile(&mut sources, id, &NoFiles, &Options { channels, ..Options::default() });
        let problems = compilation.problems.into_sorted();
        let error = problems.iter().find(|problem| problem.code.severity == Severity::Error);
        error.map(|problem| {
            (problem.code.name, text[problem.span().range()].to_owned(), problem.message.clone())
        })
    };
    let wrong = found("song.json", &json(1, "\"pan\": 1"), 0).unwrap();
    assert_eq!((wrong.0, &*wrong.1), ("out-channels", "1"), "the place is that of `channels`");
    assert_eq!(found("song.json", &json(1, "\"f0\": 50"), 0), None);
    assert_eq!(
        found("song.json", &json(4, "\"pan\": 1"), 0),
        None,
        "further channels of a JSON song are silent"
    );
    for (out, asked) in [("(X, X)", 1), ("(X, X)", 4), ("[X, X, X]", 2)] {
        let text =
            format!("channels {}\nout = {}\n", if asked == 2 { 3 } else { 2 }, out.replace('X', "noise()"));
        let wrong = found("song.mam", &text, asked).unwrap();
        assert_eq!(wrong.0, "out-channels", "{text}");
        assert!(wrong.2.contains("asked for"), "{}", wrong.2);
    }
    for (out, asked) in [("(X, X)", 2), ("X", 1), ("X", 4)] {
        assert_eq!(found("song.mam", &format!("out = {}\n", out.replace('X', "noise()")), asked), None);
    }
}

#[test]
fn what_does_not_go_with_the_channels_is_refused() {
    let x = "sine(220Hz)";
    let cases = [
        ("channels 4", "(X, X)", "out-channels"),
        ("channels 1", "(X, X)", "out-channels"),
        ("channels 4", "[X, X, X]", "out-channels"),
        ("channels 2", "[X, X, X]", "out-channels"),
        ("", "[X, X, X, X]", "out-channels"),
        ("channels 2", "[(X, X), X]", "out-channels"),
        ("channels 2", "[[X, X], X]", "not-a-signal"),
        ("channels 4 ambisonic", "X", "out-channels"),
        ("channels 4 ambisonic", "(X, X)", "out-channels"),
        ("channels 3 ambisonic", "[X, X, X]", "score-number"),
        ("channels 0", "X", "score-number"),
        ("channels 9", "list i in 0..8 { X }", "score-number"),
        ("channels 4\nchannels 4", "X", "score-twice"),
        ("channels four", "X", "statement-form"),
    ];
    for (head, out, code) in cases {
        let text = format!("{head}\nout = {}\n", out.replace('X', x));
        assert_eq!(codes(&text), [code], "{text}");
    }
    for (head, out) in [("", "[X, X]"), ("channels 2", "(X, X)"), ("channels 1", "[X]"), ("channels 8", "X")]
    {
        let text = format!("{head}\nout = {}\n", out.replace('X', x));
        assert_eq!(codes(&text), [""; 0], "{text}");
    }
}
