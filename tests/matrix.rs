//! The matrix and the presets of a song: they sound like what they stand for, a matrix costs what its equations written by hand
//! would, and what an edit leaves goes on.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, Stage, compile, json};
use mam_grammar::{Problems, Severity, Sources};
use mam_runtime::Program;
use mam_runtime::control::{self, Control, Scored, Sync};
use mam_runtime::output::Frames;
use mam_testing::render::{bits, program, render_program, render_shared};
use std::fmt::Write;
use std::sync::Arc;

const FRAMES: u64 = 48_000;

fn heard(name: &str, text: &str) -> Vec<Vec<f32>> {
    let machine = render_program(program(name, text, 48_000, false), Some(FRAMES)).channels;
    let interpreted = render_program(program(name, text, 48_000, true), Some(FRAMES)).channels;
    assert!(bits(&machine) == bits(&interpreted), "{text}");
    machine
}

fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn peak(sound: &[Vec<f32>]) -> f32 {
    sound.iter().flatten().fold(0.0, |most, x| x.abs().max(most))
}

/// An instrument without a memory of its parameters, and one effect like it.
const HEADS: &str = "\
instrument tone {\n  param pitch = 300Hz in 50Hz..4kHz curve exp\n  param level = 0.5 in 0..1\n  \
env = decay(trig, 300ms)\n  out = tanh(pitch / 1kHz * sine(freq)) * env * level * vel\n  until env < 0.0001\n}\n\
effect dim {\n  param level = 0.5 in 0..2\n  out = in * level\n}\nslow = lfo(3Hz)\nfast = lfo_tri(7Hz)\n";

#[test]
fn a_matrix_sounds_like_its_equations() {
    let score = "play { b \"c3 e3 [g3,c4] c3\" }\nout = b |> dim()\n";
    let matrix = format!(
        "{HEADS}b = tone(voices: 3)\nmatrix {{\n  slow -> b.pitch: 2 octaves\n  fast -> b.pitch: 3st curve exp\n  \
         b.vel * slow -> b.level: 0.4 in 20%..80%\n  fast -> b.pitch: 40Hz\n}}\n{score}"
    );
    let written = format!(
        "{HEADS}b = tone(pitch: (300Hz + 40Hz * fast) * exp2(2 * slow + 0.25 * fast), \
         level: clamp(0.5 + 0.4 * b.vel * slow, 20%, 80%), voices: 3)\n{score}"
    );
    let (matrix, written) = (heard("song.mam", &matrix), heard("song.mam", &written));
    assert!(peak(&matrix) > 0.1);
    assert!(difference(&matrix, &written) < 1e-5, "{}", difference(&matrix, &written));
    let still = heard("song.mam", &format!("{HEADS}b = tone(voices: 3)\n{score}"));
    assert!(difference(&matrix, &still) > 0.01);
}

#[test]
fn what_is_modulated_is_still_set_by_lines_notes_and_calls() {
    let song = |call: &str, lines: &str| {
        format!(
            "{HEADS}knob k = 0.5 in 0..1\nb = tone({call})\nmatrix {{\n  slow -> b.pitch: 1 octave\n  fast -> k: 0.3\n}}\n\
             play {{\n{lines}}}\nout = k * b\n"
        )
    };
    let given = heard("song.mam", &song("pitch: 700Hz", "  b \"c3*4\"\n"));
    let played = heard("song.mam", &song("", "  b.pitch \"700Hz\"\n  b \"c3*4\"\n"));
    let of_notes = heard("song.mam", &song("", "  b \"c3*4\".set(pitch: \"700Hz\")\n"));
    let other = heard("song.mam", &song("", "  b \"c3*4\"\n"));
    assert!(difference(&given, &played) < 1e-6 && difference(&given, &of_notes) < 1e-6);
    assert!(difference(&given, &other) > 0.01);
    let moved = heard("song.mam", &song("", "  b \"c3*4\"\n  k \"1\"\n"));
    assert!(difference(&moved, &other) > 0.01);
}

/// Work a frame, in instructions.
fn cost(text: &str) -> usize {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let options = Options { until: Stage::Plan, ..Options::default() };
    let compilation = compile(&mut sources, id, &NoFiles, &options);
    let errors: Vec<String> = compilation.problems.iter().map(|problem| problem.message.clone()).collect();
    let program = compilation.program.unwrap_or_else(|| panic!("{errors:?}"));
    program.steps.iter().map(|step| step.cost).sum()
}

#[test]
fn sixty_four_by_sixty_four_cost_what_the_equations_do() {
    const COUNT: usize = 64;
    let mut head = HEADS.to_owned();
    for i in 0..COUNT {
        _ = writeln!(head, "s{i} = lfo({}Hz)", 1 + i);
    }
    let depth = |source: usize, to: usize| 0.001 * (1 + (source * 7 + to) % 10) as f64;
    let mut matrix = head.clone() + "matrix {\n";
    let mut written = head;
    for to in 0..COUNT {
        let terms: Vec<String> = (0..COUNT).map(|from| format!("{} * s{from}", depth(from, to))).collect();
        _ = writeln!(written, "d{to} = slow |> dim(level: 0.5 + {})", terms.join(" + "));
        for from in 0..COUNT {
            _ = writeln!(matrix, "  s{from} -> d{to}.level: {}", depth(from, to));
        }
    }
    matrix += "}\n";
    (0..COUNT).for_each(|to| _ = writeln!(matrix, "d{to} = slow |> dim()"));
    let sum: Vec<String> = (0..COUNT).map(|to| format!("d{to}")).collect();
    let out = format!("out = 0.01 * ({})\n", sum.join(" + "));
    let (matrix, written) = (cost(&(matrix + &out)), cost(&(written + &out)));
    assert!(written > 10 * COUNT, "{written}");
    assert!(matrix * 10 <= written * 11, "{matrix} instructions of the matrix, {written} by hand");
}

/// Plays a song, and another one from some frame on.
fn live(songs: [&str; 2], at: usize, frames: usize) -> Vec<f32> {
    let [first, second] = songs.map(|text| program("song.mam", text, 48_000, false));
    let options = control::Options { channels: 2, playing: true, limit: false };
    let (mut control, mut live) = Control::new(first, Box::new(Scored), options);
    let mut all = vec![];
    while all.len() < frames {
        if all.len() == at {
            control.edit(second.clone(), Sync::Now);
        }
        let (mut left, mut right) = (vec![0.0; 480], vec![0.0; 480]);
        live.process(&mut Frames::Planar(&mut [&mut left, &mut right]));
        control.tick();
        all.extend(left);
    }
    all
}

fn offline(text: &str, frames: usize) -> Vec<f32> {
    let program: Arc<Program> = program("song.mam", text, 48_000, false);
    render_shared(program, Some(frames as u64), 1).0.channels[0].clone()
}

#[test]
fn an_edit_of_a_matrix_keeps_what_it_does_not_name() {
    let song = |routes: &str, presets: &str| {
        format!(
            "{HEADS}d = sine(220Hz) |> dim()\n{presets}matrix {{\n  lfo(2Hz) -> d.level: 0.2\n{routes}}}\nout = 0.5 * d\n"
        )
    };
    let one = song("  slow -> d.level: 0.3\n", "");
    let edits = [
        song("  slow -> d.level: 0.3\n  fast -> d.level: 0.1\n", ""),
        song("  slow -> d.level: 0.1 in 0.2..0.9\n", ""),
        song("", "preset \"low\" { d.level: 0.1 }\n"),
    ];
    for other in &edits {
        let (at, frames) = (48_000, 96_000);
        let played = live([&one, other], at, frames);
        let (before, after) = (offline(&one, frames), offline(other, frames));
        assert_eq!(played[..at], before[..at]);
        // After the fade it is the other song, to the bit: all oscillators have gone on.
        assert_eq!(played[at + 2_000..frames], after[at + 2_000..frames], "{other}");
        let steps = |sound: &[f32]| sound.windows(2).map(|p| (p[1] - p[0]).abs()).fold(0.0, f32::max);
        assert!(steps(&played) <= 1.05 * steps(&before).max(steps(&after)), "{other}");
    }
}

#[test]
fn presets_of_a_song_are_lines_of_their_parameters() {
    let song = |lines: &str| {
        format!(
            "{HEADS}knob k = 0.5 in 0..1\nb = tone()\npreset \"deep\" {{ b.pitch: 100Hz, k: 0.9 }}\n\
             preset \"open\" {{ b.pitch: 2kHz }}\nplay {{\n  b \"c3*4\"\n{lines}}}\nout = k * b\n"
        )
    };
    let all = heard("song.mam", &song("  preset \"open deep\" over 1/4 beat\n"));
    let written = "  b.pitch \"2kHz 100Hz\" over 1/4 beat\n  k \"~ 0.9\" over 1/4 beat\n";
    assert!(bits(&all) == bits(&heard("song.mam", &song(written))));
    let own = heard("song.mam", &song("  b.preset \"open deep\"\n"));
    assert!(bits(&own) == bits(&heard("song.mam", &song("  b.pitch \"2kHz 100Hz\"\n"))));
    assert!(difference(&all, &own) > 0.01);
}

#[test]
fn presets_and_matrices_name_parts_of_kits() {
    let song = |presets: &str, lines: &str| {
        format!(
            "{HEADS}kit k {{\n  a = tone()\n  b = tone(pitch: 800Hz)\n}}\ndr = k()\n{presets}matrix {{ slow -> dr.b.level: 0.2 }}\n\
             play {{\n  dr.a \"c3*4\"\n  dr.b \"c4*2\"\n{lines}}}\nout = dr\n"
        )
    };
    let preset = song("preset \"low\" { dr.a.pitch: 90Hz, dr.b.level: 0.1 }\n", "  preset \"low\"\n");
    let written = song("", "  dr.a.pitch \"90Hz\"\n  dr.b.level \"0.1\"\n");
    assert!(bits(&heard("song.mam", &preset)) == bits(&heard("song.mam", &written)));
    assert!(difference(&heard("song.mam", &preset), &heard("song.mam", &song("", ""))) > 0.01);
}

/// The codes of what is wrong.
fn codes(text: &str) -> Vec<&'static str> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    let errors = compilation.problems.into_sorted();
    errors
        .iter()
        .filter(|problem| problem.code.severity == Severity::Error)
        .map(|problem| problem.code.name)
        .collect()
}

/// Lines of a matrix with the codes of what is wrong with them.
const ROUTES: &[(&str, &[&str])] = &[
    ("slow -> b.pitch: 2 octaves", &[]),
    ("slow -> k: 20%", &[]),
    ("slow -> b.pitsch: 2 octaves", &["matrix-destination"]),
    ("slow -> bb.pitch: 2 octaves", &["matrix-destination"]),
    ("slow -> b: 2 octaves", &["matrix-destination"]),
    ("slow -> fast: 2 octaves", &["matrix-destination"]),
    ("slow -> b.bpm: 20", &["matrix-destination"]),
    ("slow -> b.pitch: 300Hz curve exp", &["matrix-depth"]),
    ("slow -> b.pitch: -2", &["matrix-depth"]),
    ("slow -> b.level: 3st curve linear", &["matrix-depth"]),
    ("slow -> b.pitch: 3ms", &["dimension"]),
    ("slow -> b.pitch: 2 * fast", &["not-constant"]),
    ("slow -> b.pitch: 2 octaves in 2kHz..1kHz", &["bad-bounds"]),
    ("slow -> b.pitch: 2 octaves in 5kHz..6kHz", &["bad-bounds"]),
    ("slow -> b.pitch: 2 octaves in 1ms..2ms", &["dimension", "dimension"]),
    ("440Hz * slow -> b.pitch: 2 octaves", &["dimension"]),
    ("wide -> b.pitch: 2 octaves", &["channels"]),
    ("slo -> b.pitch: 2 octaves", &["unknown-name"]),
    ("slow -> b.pitch 2 octaves", &["matrix-line"]),
    ("slow b.pitch: 2 octaves", &["matrix-line"]),
    ("-> b.pitch: 2 octaves", &["matrix-line"]),
    ("slow -> b.pitch:", &["matrix-line"]),
    ("slow -> b.pitch: 2 octaves exp", &["matrix-line"]),
];

#[test]
fn what_is_wrong_with_a_route_is_said() {
    let song = |routes: &str| {
        format!(
            "{HEADS}knob k = 0.5 in 0..1\nb = tone()\nwide = (slow, fast)\nmatrix {{\n  {routes}\n}}\nplay {{ b \"c3*4\" }}\nout = k * b\n"
        )
    };
    for (route, code) in ROUTES {
        assert_eq!(codes(&song(route)), *code, "{route}");
    }
    // A line that is broken hides none of the others.
    assert_eq!(
        codes(&song("slow -> b.pitch\n  slow -> b.nothing: 2")),
        ["matrix-line", "matrix-destination"]
    );
    assert_eq!(codes(&song("slow -> k: 20%\nmatrix { fast -> k: 10% }")), ["matrix-line"]);
}

#[test]
fn json_says_a_matrix_and_sounds_the_same() {
    let text = "\
tempo 120\nwobble = lfo(2Hz)\nbd = kick()\nb = acid()\nout = bd + b\nmatrix {\n  wobble -> b.cutoff: 2 octaves curve exp in 100Hz..4kHz\n  \
0.5 * bd.vel -> b.decay: 100ms\n}\nplay {\n  bd |x...x...|\n  b |x.xxx.xx|\n}\n";
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    let mut problems = Problems::default();
    let said = json::from_mam(&compilation, &mut problems).unwrap_or_else(|| panic!("{problems:?}"));
    assert!(said.contains("\"version\": 2") && said.contains("\"from\": \"lfo(2Hz)\""), "{said}");
    assert!(said.contains("\"range\": [\"100Hz\", \"4kHz\"]"), "{said}");
    let (mam, by_json) = (heard("song.mam", text), heard("song.json", &said));
    assert!(difference(&mam, &by_json) < 1e-6 && peak(&mam) > 0.1);
    // And back.
    let id = sources.add("song.json", said.as_str());
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    let back = compilation.stages.json.as_ref().expect("a JSON song").to_mam(false, &mut problems);
    assert!(
        back.contains("matrix {") && back.contains("-> b.cutoff: 2 octaves curve exp in 100Hz..4kHz"),
        "{back}"
    );
    assert!(difference(&mam, &heard("song.mam", &back)) < 1e-6);
}
