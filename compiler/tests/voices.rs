//! Voices and nodes in lanes, in whole songs: all instruments of the prelude, with random events.

use mam_compiler::files::NoFiles;
use mam_compiler::opt::instances::Packing;
use mam_compiler::prelude::PRELUDE;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::ids::PortId;
use mam_runtime::{Engine, Event, EventKind, Program};
use std::sync::Arc;

/// The instruments of the prelude that are called without more.
fn instruments() -> Vec<&'static str> {
    let lines = PRELUDE.iter().flat_map(|(_, text)| text.lines());
    let names = lines.filter_map(|line| line.strip_prefix("instrument ")?.split_whitespace().next());
    names.filter(|name| !name.contains('(')).collect()
}

fn program(text: &str, packing: Packing, interpreter: bool) -> Arc<Program> {
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    let options = Options { packing, interpreter, ..Options::default() };
    let compilation = compile(&mut sources, song, &NoFiles, &options);
    let problems: Vec<String> = compilation.problems.iter().map(|problem| problem.message.clone()).collect();
    Arc::new(compilation.program.unwrap_or_else(|| panic!("{problems:#?}\n{text}")))
}

/// Whether a step computes several voices or nodes.
fn is_packed(program: &Program) -> bool {
    program.steps.iter().any(|step| step.parts.len() > 1)
}

/// Numbers that look random.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }
}

/// Notes on all ports, and sets of some parameters.
fn events(program: &Program, frames: u32, seed: u32) -> Vec<Event> {
    let mut random = Random(seed);
    let mut all = vec![];
    for port in 0..program.ports {
        let mut frame = random.below(frames / 2);
        while frame < frames {
            let (note, vel) = (f64::from(36 + random.below(40)), f64::from(1 + random.below(4)) / 4.0);
            all.push(Event {
                frame: u64::from(frame),
                kind: EventKind::On { port: PortId::new(port), note, vel },
            });
            frame += 1 + random.below(2000);
            all.push(Event { frame: u64::from(frame), kind: EventKind::Off { port: PortId::new(port) } });
            frame += 1 + random.below(frames / 2);
        }
    }
    for (param, slot) in program.params.iter().filter(|(_, slot)| slot.max.is_finite()) {
        let (frame, part) = (u64::from(random.below(frames)), f64::from(random.below(100)) / 100.0);
        let value = slot.min + part * (slot.max - slot.min);
        all.push(Event {
            frame,
            kind: EventKind::Set { param, value, ramp: random.below(300), curve: None },
        });
    }
    all
}

fn render(program: &Arc<Program>, events: &[Event], frames: usize, pieces: &[usize]) -> Vec<[f32; 2]> {
    let mut engine = Engine::new(program.clone());
    events.iter().for_each(|event| engine.schedule(*event));
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let (mut done, mut turn) = (0, 0);
    while done < frames {
        let end = frames.min(done + pieces[turn % pieces.len()]);
        engine.process(&mut [&mut left[done..end], &mut right[done..end]]);
        (done, turn) = (end, turn + 1);
    }
    left.into_iter().zip(right).map(|(left, right)| [left, right]).collect()
}

fn bits(sound: &[[f32; 2]]) -> Vec<[u32; 2]> {
    sound.iter().map(|frame| frame.map(f32::to_bits)).collect()
}

/// The power of the difference against that of the sound, as a ratio of amplitudes: a rounding may move a single sample by a
/// step where an instrument quantises.
fn difference(a: &[[f32; 2]], b: &[[f32; 2]]) -> f32 {
    let power = |samples: &mut dyn Iterator<Item = f32>| samples.map(|x| x * x).sum::<f32>();
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    let apart = power(&mut pairs.map(|(a, b)| a - b));
    (apart / power(&mut a.as_flattened().iter().copied())).sqrt()
}

#[test]
fn voices_in_lanes_sound_as_they_do_by_themselves() {
    let (mut packed, mut differ) = (vec![], vec![]);
    // All numbers of voices in turn, and each instrument with more than two packs.
    for (index, instrument) in instruments().into_iter().enumerate() {
        for voices in [1 + index as u32 % 8, 9] {
            let text = format!("v = {instrument}(voices: {voices})\nout = v\n");
            let (apart, together) =
                (program(&text, Packing::Never, false), program(&text, Packing::Always, false));
            assert!(!is_packed(&apart));
            if voices == 9 && is_packed(&together) {
                packed.push(instrument);
            }
            let events = events(&apart, 8000, voices);
            let (expected, seen) =
                (render(&apart, &events, 9000, &[64]), render(&together, &events, 9000, &[64]));
            let difference = difference(&expected, &seen);
            if difference >= 1e-3 {
                differ.push(format!("{voices} voices of {instrument} by {difference}"));
            }
            assert_eq!(bits(&render(&together, &events, 9000, &[1, 250, 33])), bits(&seen), "{instrument}");
        }
    }
    assert!(packed.len() > 5, "{packed:?}");
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn voices_in_lanes_have_the_bits_of_the_interpreter() {
    for (index, instrument) in instruments().into_iter().enumerate() {
        let voices = [4, 7][index % 2];
        let text = format!("v = {instrument}(voices: {voices})\nout = v\n");
        let [machine, interpreter] = [false, true].map(|how| program(&text, Packing::Always, how));
        let events = events(&machine, 500, 77);
        let [seen, expected] = [machine, interpreter].map(|p| bits(&render(&p, &events, 600, &[64])));
        assert!(seen == expected, "{voices} voices of {instrument}");
    }
}

/// Songs in which nodes of one kind have different names, inputs, parameters and ports, or hear each other's notes.
const NODES: [&str; 4] = [
    "m = kick()\nn = acid()\na = m |> echo(time: 5ms)\nb = m |> echo(time: 9ms)\nc = n |> echo(time: 6ms)\n\
     d = m |> echo(time: 20ms, feedback: 60%)\nout = a + 0.5 * b - c * d",
    "a = kick()\nb = kick(gain: 0.3)\nc = kick(f0: 90Hz)\nd = kick()\ne = kick()\nout = (a - b, c * d + e)",
    "l = 600Hz + 500Hz * sine(3Hz)\na = acid(cutoff: l)\nb = acid(cutoff: l)\nc = acid(cutoff: 2 * l)\n\
     d = acid(cutoff: l, gain: 0.4)\nduck = decay(a.trig, 50ms)\nout = a + b + duck * (c + d)",
    "k = kick()\na = prev(a) * 0.9 + decay(k.trig, 10ms)\nb = prev(b) * 0.8 + decay(k.trig, 20ms)\n\
     c = prev(c) * 0.7 + decay(k.trig, 30ms)\nd = prev(d) * 0.6 + decay(k.trig, 40ms)\nout = k + a * b * c * d",
];

#[test]
fn nodes_in_lanes_sound_as_they_do_by_themselves() {
    for text in NODES {
        let (apart, together) = (program(text, Packing::Never, false), program(text, Packing::Always, false));
        assert!(is_packed(&together) && !is_packed(&apart), "{text}");
        let interpreted = program(text, Packing::Always, true);
        let events = events(&apart, 3000, 5);
        let expected = render(&apart, &events, 4000, &[64]);
        let seen = render(&together, &events, 4000, &[64, 7]);
        let difference = difference(&expected, &seen);
        assert!(difference < 1e-4, "{difference}\n{text}");
        assert_eq!(bits(&render(&interpreted, &events, 4000, &[64])), bits(&seen), "{text}");
    }
}

#[test]
fn a_node_in_lanes_is_tapped_by_its_name() {
    let text = NODES[1];
    let together = program(text, Packing::Always, false);
    let events = events(&together, 3000, 9);
    let tapped = |node: &str| {
        let mut engine = Engine::new(together.clone());
        events.iter().for_each(|event| engine.schedule(*event));
        assert_eq!(engine.tap(node), Some(1));
        let (mut left, mut right, mut tap) = ([0.0; 4000], [0.0; 4000], [0.0; 4000]);
        engine.process(&mut [&mut left, &mut right, &mut tap]);
        (left, right, tap)
    };
    let ((left, _, a), (_, _, b)) = (tapped("a"), tapped("b"));
    assert!(a.iter().any(|x| *x != 0.0));
    let differences: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    assert_eq!(differences, left);
}

#[test]
fn lines_are_written_over_only_where_they_are_not_read_again() {
    // Their lines have 8192 and 1024 frames, of which 6000 and 900 are read, and in the third song all.
    let songs = [
        "x = 0.1 * noise()\ny = x + 0.7 * tap(y, 6000 * dt, max: 130ms)\nout = tap(y, 900 * dt, max: 20ms)\n",
        "v = kick()\nw = v + 0.5 * tap(w, 300 * dt, max: 20ms)\nout = w\n",
        "x = 0.1 * noise()\ny = x + 0.7 * tap(y, 10ms + 5ms * sine(1Hz), max: 20ms)\nout = y\n",
        "x = 0.1 * noise()\ny = x + 1.05 * tap(y, 100 * dt, max: 20ms)\nout = exp(40 * y)\n",
    ];
    for text in songs {
        let [machine, interpreter] = [false, true].map(|how| program(text, Packing::Paying, how));
        let events = if machine.ports > 0 { events(&machine, 12000, 5) } else { vec![] };
        let sound = bits(&render(&machine, &events, 20000, &[64]));
        assert!(sound.iter().any(|frame| frame[0] != 0), "{text}");
        for pieces in [&[512][..], &[2048, 64], &[20000], &[200, 700, 64]] {
            assert!(bits(&render(&machine, &events, 20000, pieces)) == sound, "{text}: {pieces:?}");
        }
        assert!(bits(&render(&interpreter, &events, 20000, &[512])) == sound, "{text}");
    }
}

#[test]
fn terms_that_wait_for_themselves_stand_side_by_side() {
    let text = "hit = every(20ms)\nout = sum i in 0..31 {\n  w = tau * 110Hz * (1 + 0.9 * i) * dt\n  \
        r = exp(-dt / (800ms / (1 + 0.2 * i)))\n  \
        y = hit / (1 + i) + 2 * r * cos(w) * prev(y) - r * r * prev(prev(y))\n  out = 0.05 * sin(w) * y\n}\n";
    let [apart, packed, always] =
        [Packing::Never, Packing::Paying, Packing::Always].map(|packing| program(text, packing, false));
    let parts = |program: &Program| program.steps.iter().map(|step| step.parts.len()).max();
    assert_eq!(parts(&apart), Some(1));
    assert!(parts(&packed) >= Some(8) && parts(&always) >= Some(8), "{:?}", parts(&packed));
    let [expected, sound, always] =
        [&apart, &packed, &always].map(|program| render(program, &[], 6000, &[6000]));
    assert!(expected.iter().any(|frame| frame[0].abs() > 1e-3));
    assert!(difference(&expected, &sound) < 1e-4 && difference(&expected, &always) < 1e-4);
    let interpreted = program(text, Packing::Paying, true);
    assert!(bits(&render(&interpreted, &[], 6000, &[512, 7, 64, 64])) == bits(&sound));
}
