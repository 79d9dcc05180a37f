//! Latency: paths of different latency meet in the same frame, and a render begins with the first frame of the music. So a song
//! sounds as if nothing in it were late.

use mam_compiler::{Compilation, Options, compile};
use mam_grammar::Sources;
use mam_runtime::Program;
use mam_testing::mutants::Dice;
use mam_testing::render::{program, render_program, render_shared};
use std::sync::Arc;

const FRAMES: u64 = 9_600;

/// What declares so many frames, and delays by as many; or, where nothing is to be late, neither.
fn late(frames: usize, is_late: bool) -> String {
    match is_late {
        true => format!(
            "def late{frames}(x) {{\n  latency {frames} / sr\n  out = tap(x, {frames} / sr, max: {frames} / sr)\n}}\n"
        ),
        false => format!("def late{frames}(x) = x\n"),
    }
}

fn rendered(program: Arc<Program>) -> Vec<f32> {
    let channels = render_program(program, Some(FRAMES)).channels;
    channels.into_iter().flatten().collect()
}

fn compiled(text: &str) -> Compilation {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    compile(&mut sources, id, &mam_compiler::files::NoFiles, &Options::default())
}

/// A text with what is late, and the same without; both sound alike from the first frame on, and the first is `frames` late.
fn sounds_alike(name: &str, text: &str, latencies: &[usize], frames: Option<u32>) {
    let with = |is_late: bool| -> String {
        let defs: String = latencies.iter().map(|&frames| late(frames, is_late)).collect();
        defs + text
    };
    let [late, plain] = [true, false].map(|is_late| program(name, &with(is_late), 48_000, false));
    assert_eq!(plain.latency, 0, "{name}");
    frames.into_iter().for_each(|frames| assert_eq!(late.latency, frames, "{name}"));
    let shared = render_shared(late.clone(), Some(FRAMES), 3).0.channels;
    let (found, wanted) = (rendered(late), rendered(plain));
    assert!(shared.into_iter().flatten().eq(found.iter().copied()), "{name}: threads");
    let peak = wanted.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    assert!(peak > 1e-3, "{name} is silent");
    let worst = found.iter().zip(&wanted).enumerate().max_by(|a, b| {
        let off = |(_, (x, y)): &(usize, (&f32, &f32))| (**x - **y).abs();
        off(a).total_cmp(&off(b))
    });
    let (at, (x, y)) = worst.expect("there are frames");
    assert!(
        (x - y).abs() <= 1e-3 * peak,
        "{name}: {x} in the place of {y} at {at}, peak {peak}\n{}",
        with(true)
    );
}

#[test]
fn random_graphs_of_a_hundred_nodes_are_aligned_to_the_frame() {
    const LATENCIES: [usize; 5] = [1, 7, 64, 65, 480];
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let mut text = String::from(
            "knob level = 0.4 in 0..1\nn0 = noise()\nn1 = sine(220Hz)\nn2 = decay(every(20ms), 5ms) * saw(330Hz)\n",
        );
        for i in 3..100 {
            let mut any = || format!("n{}", i - 1 - dice.below(i.min(12)));
            let (a, b, c) = (any(), any(), any());
            let by = LATENCIES[dice.below(LATENCIES.len())];
            text += &match dice.below(9) {
                0 | 1 => format!("n{i} = late{by}({a})\n"),
                2 => format!("n{i} = 0.5 * {a} + 0.5 * late{by}({b})\n"),
                3 => format!("n{i} = {a} * (1 - abs({b})) * 0.7 + 0.3 * {c}\n"),
                4 => format!("n{i} = if {a} > {b} then late{by}({b}) else {c}\n"),
                5 => format!("n{i} = onepole({a}, 900Hz) - {b} * level\n"),
                6 => format!("n{i} = 0.6 * tap({a}, 1ms + 0.5ms * {b}, max: 4ms) + 0.4 * {c}\n"),
                7 => format!("n{i} = {a} + 0.5 * prev(n{i}) * {b} / (2 + abs({c}))\n"),
                _ => format!("n{i} = max({a}, {b}) - min({c}, late{by}({a}))\n"),
            };
            text += &format!("m{i} = clamp(n{i}, -1, 1)\n");
        }
        text += "out = (m99 + m98 + m97, m96 + m60)\n";
        sounds_alike(&format!("seed {seed}"), &text, &LATENCIES, None);
    }
}

#[test]
fn what_comes_out_of_a_convolution_is_as_late_as_what_flows_in() {
    let text = "x = noise()\nd = late65(onepole(x, 900Hz))\n\
        y = onepole(convolve(d, list i in 0..90 { sin(i * i) / (9 + i) }), 500Hz)\n\
        both = { low: prev(z) + x, high: y - d }\nz = 0.5 * prev(z) + y * x\nout = (both.low + both.high, convolve(y + x, [0.5, 0, 1]))\n";
    sounds_alike("convolution", text, &[65], Some(65));
}

#[test]
fn voices_begin_and_end_as_late_as_they_sound() {
    let text = "\
instrument pip {\n  param tone = 900Hz in 100Hz..4kHz\n  env = decay(trig, 20ms)\n  held = adsr(gate, 2ms, 5ms, 50%, 10ms)\n  \
out = late480(onepole(saw(freq), tone)) * env * held * vel / (0.2 + env)\n  until env < 0.0001\n}\n\
p = pip(voices: 3)\nq = pip(tone: 2kHz)\nwet = late64(p) |> echo(time: 20ms)\n\
play {\n  p \"c4*8 [e4,g4]*6\"\n  q \"c5 ~ e5*4 ~\"\n  p.tone \"300Hz 3kHz\" over 1/2 beat\n}\nout = p + 0.3 * wet - 0.5 * q\n";
    sounds_alike("voices", text, &[480, 64], Some(544));
}

#[test]
fn effects_of_the_prelude_hear_what_is_late_as_if_it_were_not() {
    let text = "\
bd = kick()\nhit = late480(bd)\nwet = hit |> freeverb(mix: 30%) |> compressor(threshold: -20dB, key: bd)\nloop = hit + 0.4 * tap(loop, 30ms, max: 30ms)\n\
both = oversample(2) { tanh(3 * late7(hit)) } + bd\nlist2 = list i in 0..1 { late64(bd) * i + hit }\n\
play { bd |x.x.xx.x| }\nout = wet + 0.2 * loop + 0.1 * both + 0.1 * list2[1] + 0.1 * select(list2, phasor(30Hz) * 2)\n";
    sounds_alike("effects", text, &[480, 64, 7], None);
}

#[test]
fn a_latency_in_a_region_is_counted_in_inner_frames() {
    let text = |body: &str| format!("x = noise()\nout = x - oversample(4) {{ {body} }}\n");
    let inner = "def ahead(y) { latency 9 / sr ; out = tap(y, 9 / sr, max: 12 / sr) }\n";
    let late = program("inner", &(inner.to_owned() + &text("ahead(x)")), 48_000, false);
    // Nine quarters of a frame, and three more that make them whole.
    assert_eq!(late.latency, 3);
    let plain = program("plain", &text("x"), 48_000, false);
    let (found, wanted) = (rendered(late), rendered(plain));
    let off = found.iter().zip(&wanted).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(off < 2e-5, "{off}");
}

#[test]
fn a_latency_in_a_cycle_stays_and_is_warned_of() {
    let text =
        late(48, true) + "hit = every(100ms)\nx = hit + 0.5 * late48(tap(x, 10ms, max: 10ms))\nout = x\n";
    let compilation = compiled(&text);
    let codes: Vec<_> = compilation.problems.iter().map(|problem| problem.code.name).collect();
    assert_eq!(codes, ["latency-in-cycle"]);
    let program = Arc::new(compilation.program.expect("a warning is no error"));
    assert_eq!(program.latency, 0);
    let heard = rendered(program);
    let hits: Vec<usize> = (0..1200).filter(|&frame| heard[frame] > 0.2).collect();
    assert_eq!(hits, [0, 480 + 48, 2 * (480 + 48)]);
}

#[test]
fn what_is_heard_beside_the_song_is_as_late_as_the_song() {
    use mam_compiler::listen::Listen;
    let text = late(480, true) + "a = noise()\nb = late480(a)\nout = a + b\n";
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text.as_str());
    let equations = vec!["a".to_owned(), "b".to_owned()];
    let listen = Listen { equations, ..Listen::default() };
    let options = Options { listen, channels: 1, ..Options::default() };
    let compilation = compile(&mut sources, id, &mam_compiler::files::NoFiles, &options);
    let program = Arc::new(compilation.program.expect("it compiles"));
    assert_eq!((program.latency, program.outputs.len()), (480, 3));
    let channels = render_program(program, Some(FRAMES)).channels;
    assert!(channels[1].iter().any(|x| x.abs() > 0.5));
    assert_eq!(channels[1], channels[2]);
    assert!(channels[0].iter().zip(&channels[1]).all(|(both, one)| *both == 2.0 * one));
}

#[test]
fn what_is_late_too_often_is_refused() {
    let text = late(96_000, true).replace("max: 96000 / sr", "max: 3s")
        + "x = noise()\nout = chain y = x, i in 1..40 { late96000(y) }\n";
    let codes: Vec<_> = compiled(&text).problems.iter().map(|problem| problem.code.name).collect();
    assert_eq!(codes, ["too-large"]);
    for (wrong, code) in
        [("x", "not-constant"), ("-1ms", "too-large"), ("90s", "too-large"), ("3Hz", "dimension")]
    {
        let text = format!("def f(x) {{\n  latency {wrong}\n  out = x\n}}\nout = f(noise())\n");
        let codes: Vec<_> = compiled(&text).problems.iter().map(|problem| problem.code.name).collect();
        assert_eq!(codes, [code], "{wrong}");
    }
}

#[test]
fn regions_of_linear_phase_are_as_late_as_they_declare() {
    for (factor, latency) in [(2, 66), (4, 72), (8, 76), (16, 78)] {
        let name = format!("oversample({factor}, linear)");
        let text = format!("x = sine(997Hz) + 0.5 * sine(7kHz)\nout = x - {name} {{ x }}\n");
        let late = program(&name, &text, 48_000, false);
        assert_eq!(late.latency, latency, "{name}");
        // The filters have rung.
        let off = rendered(late)[1000..FRAMES as usize].iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(off < 2e-5, "{name}: {off}");
        // What is made inside passes one border alone, and a trigger stays where it is.
        let text = format!("t = pulses(400, 100)\nout = {name} {{ if t then 1 else 0 }}\n");
        let heard = rendered(program(&name, &text, 48_000, false));
        let loudest = (0..300).max_by(|a, b| heard[*a].abs().total_cmp(&heard[*b].abs()));
        assert_eq!(loudest, Some(100), "{name}");
    }
}

#[test]
fn a_tap_in_a_region_reads_what_was_there_so_many_inner_frames_ago() {
    let before = (0..8).fold("x".to_owned(), |x, _| format!("prev({x})"));
    let text = |body: &str| format!("x = saw(500Hz)\nout = oversample(4) {{ {body} }}\n");
    let [tapped, stepped] = [text("tap(x, 8 / sr, max: 8 / sr)"), text(&before)]
        .map(|text| rendered(program("tap", &text, 48_000, false)));
    let off = tapped.iter().zip(&stepped).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(off < 1e-5, "{off}");
}
