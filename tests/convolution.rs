//! `convolve`: against its definition in f64, to the bit however it is run, and over edits.

use mam_compiler::files::{Loader, Located, Samples, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::{Severity, Sources};
use mam_runtime::control::{self, Control, Scored, Sync};
use mam_runtime::output::Frames;
use mam_runtime::{Engine, Program};
use mam_testing::render::{bits, render_input, render_shared};
use std::sync::Arc;

const RATE: u32 = 48_000;

/// Sounds by their names, as sound files.
struct Sounds(Vec<(&'static str, Samples)>);

impl Sounds {
    fn of(name: &'static str, rate: u32, channels: &[Vec<f32>]) -> Sounds {
        Sounds(vec![(name, Samples { rate, channels: channels.to_vec(), stream: None })])
    }

    fn compile(&self, text: &str, interpreter: bool) -> Result<Arc<Program>, Vec<String>> {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let target = Target::portable();
        let options = Options { rate: RATE, interpreter, target, ..Options::default() };
        let compilation = compile(&mut sources, id, self, &options);
        let errors = compilation.problems.iter().filter(|p| p.code.severity == Severity::Error);
        let errors = errors.map(|p| format!("{}: {}", p.code.name, p.message)).collect();
        compilation.program.map(Arc::new).ok_or(errors)
    }

    fn program(&self, text: &str) -> Arc<Program> {
        self.compile(text, false).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
    }

    /// What a song makes of an input: the same by machine code and by the interpreter, by one thread and by several.
    fn heard(&self, text: &str, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let input: Vec<&[f32]> = input.iter().map(Vec::as_slice).collect();
        let heard = render_input(self.program(text), &input, 1).channels;
        let interpreted = self.compile(text, true).expect("as before");
        for (program, threads) in [(interpreted, 1), (self.program(text), 3)] {
            assert!(bits(&heard) == bits(&render_input(program, &input, threads).channels), "{text}");
        }
        heard
    }
}

impl Loader for Sounds {
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        match self.0.iter().any(|(name, _)| *name == path) {
            true => Ok(self.song(path)),
            false => Err(format!("{}: there is no `{path}`", from.name).into()),
        }
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("`{}` is not a text", file.name).into())
    }

    fn samples(&self, file: &Located, _: usize) -> Result<Samples, Unusable> {
        Ok(self.0.iter().find(|(name, _)| *name == file.name).expect("it was located").1.clone())
    }
}

/// Noise in [−1, 1).
fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut word = seed;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A room: noise that falls, not louder than what sounds in it.
fn room(seed: u32, count: usize) -> Vec<f32> {
    let scale = 1.0 / (count as f32).sqrt();
    let tap = |(n, x): (usize, f32)| scale * x * (-3.0 * n as f32 / count as f32).exp();
    noise(seed, count).into_iter().enumerate().map(tap).collect()
}

/// The definition.
fn convolved(x: &[f64], response: &[f32], delay: usize) -> Vec<f64> {
    let mut all = vec![0.0; x.len()];
    for (n, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0.0) {
        for (y, h) in all.iter_mut().skip(n + delay).zip(response) {
            *y += x * f64::from(*h);
        }
    }
    all
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// A hit now and then, so that the definition is soon computed.
fn hits(seed: u32, count: usize) -> Vec<f32> {
    noise(seed, count).into_iter().enumerate().map(|(n, x)| if n % 331 < 3 { x } else { 0.0 }).collect()
}

fn assert_near(heard: &[f32], exact: &[f64], what: &str) {
    for (n, (y, exact)) in heard.iter().zip(exact).enumerate() {
        assert!((f64::from(*y) - exact).abs() < 2e-6, "{what}: frame {n} is {y}, not {exact}");
    }
}

#[test]
fn each_channel_is_convolved_with_its_own() {
    let (left, right) = (room(1, 9500), room(2, 9500));
    let input = [hits(3, 20_000), hits(4, 20_000)];
    let x = [wide(&input[0]), wide(&input[1])];
    let mono = Sounds::of("r.wav", RATE, std::slice::from_ref(&left));
    let stereo = Sounds::of("r.wav", RATE, &[left.clone(), right.clone()]);
    let cases = [
        (&mono, "in.left |> convolve(sample(\"r.wav\"))", [(0, &left, 0), (0, &left, 0)]),
        (&mono, "in |> convolve(sample(\"r.wav\"), predelay: 1ms)", [(0, &left, 48), (1, &left, 48)]),
        (&stereo, "convolve(in.right, sample(\"r.wav\"), 0.1s)", [(1, &left, 4800), (1, &right, 4800)]),
        (&stereo, "convolve(in, sample(\"r.wav\"))", [(0, &left, 0), (1, &right, 0)]),
    ];
    for (sounds, text, sides) in cases {
        let heard = sounds.heard(&format!("out = {text}\n"), &input);
        for ((channel, response, delay), heard) in sides.into_iter().zip(heard) {
            assert_near(&heard, &convolved(&x[channel], response, delay), text);
        }
    }
}

/// What comes before, between and behind convolutions is computed once, with its state, and everything is in time.
#[test]
fn what_surrounds_a_convolution_is_computed_as_without_it() {
    let response = room(1, 3000);
    let sounds = Sounds::of("r.wav", RATE, std::slice::from_ref(&response));
    let input = [hits(3, 12_000)];
    let x = wide(&input[0]);
    // A smoother, and what is written into delay lines before and behind.
    let smooth = |x: &[f64], a: f64| -> Vec<f64> {
        let mut y = 0.0;
        x.iter()
            .map(|x| {
                y += a * (x - y);
                y
            })
            .collect()
    };
    let late =
        |x: &[f64], n: usize| -> Vec<f64> { vec![0.0; n].into_iter().chain(x.iter().copied()).collect() };
    let text = "def both(x, r) {\n    low = prev(low) + 0.25 * (x - prev(low))\n\
        \x20   first = convolve(tap(low, 100 / sr, max: 1s), r)\n    again = convolve(first + low, r)\n\
        \x20   out = 0.5 * again + tap(low, 50 / sr, max: 1s) - 0.25 * prev(first)\n}\n\
        out = both(in.left, sample(\"r.wav\"))\n";
    let heard = sounds.heard(text, &input);
    let low = smooth(&x, 0.25);
    let first = convolved(&late(&low, 100)[..x.len()], &response, 0);
    let sum: Vec<f64> = first.iter().zip(&low).map(|(a, b)| a + b).collect();
    let again = convolved(&sum, &response, 0);
    let exact: Vec<f64> = (0..x.len())
        .map(|n| {
            let before = |x: &[f64], ago: usize| n.checked_sub(ago).map_or(0.0, |n| x[n]);
            0.5 * again[n] + before(&low, 50) - 0.25 * before(&first, 1)
        })
        .collect();
    assert_near(&heard[0], &exact, "two in a row");
}

#[test]
fn a_list_of_numbers_is_a_response_and_an_effect_may_be_made_of_one() {
    let text = "effect cabinet { param mix = 50% in 0..1\n    out = (1 - mix) * in + mix * convolve(in, [0.5, 0, -0.25]) }\n\
        out = in.left |> cabinet(mix: 25%)\n";
    let heard = Sounds(vec![]).heard(text, &[hits(3, 4000)]);
    let x = wide(&hits(3, 4000));
    let wet = convolved(&x, &[0.5, 0.0, -0.25], 0);
    let exact: Vec<f64> = x.iter().zip(wet).map(|(x, wet)| 0.75 * x + 0.25 * wet).collect();
    assert_near(&heard[0], &exact, "cabinet");
}

/// Blocks of any size, in which quanta are rendered in parts, give the same bits.
#[test]
fn blocks_of_any_size_have_the_same_bits() {
    let sounds = Sounds::of("r.wav", RATE, &[room(1, 9500)]);
    let (text, input) = ("out = in.left |> convolve(sample(\"r.wav\"))\n", noise(5, 24_000));
    let whole = sounds.heard(text, std::slice::from_ref(&input));
    let mut engine = Engine::new(sounds.program(text));
    let (mut all, mut rest, mut size) = (vec![], &input[..], 1);
    while !rest.is_empty() {
        let (block, next) = rest.split_at(size.min(rest.len()));
        let mut out = [vec![0.0; block.len()], vec![0.0; block.len()]];
        let [left, right] = &mut out;
        engine.process_block(&[block], &mut [left, right]);
        all.extend_from_slice(&out[0]);
        (rest, size) = (next, size * 7 % 331);
    }
    assert!(bits(&[all]) == bits(&whole[..1]));
}

/// At another rate the response keeps its gains, and its time.
#[test]
fn a_response_of_another_rate_is_brought_to_the_songs() {
    // A resonance at 700 Hz, half as loud every millisecond.
    let ring = |rate: f64| -> Vec<f32> {
        let tap = |n: usize| {
            let t = n as f64 / rate;
            (t.min(0.001) * (std::f64::consts::TAU * 700.0 * t).sin() * (-700.0 * t).exp() * 1e6 / rate)
                as f32
        };
        (0..(0.05 * rate) as usize).map(tap).collect()
    };
    let input = [(0..9000).map(|n| (n as f32 * 0.09).sin()).collect::<Vec<f32>>()];
    let text = "out = in.left |> convolve(sample(\"r.wav\"))\n";
    let exact = convolved(&wide(&input[0]), &ring(f64::from(RATE)), 0);
    for rate in [44_100, 96_000, 22_050] {
        let heard = Sounds::of("r.wav", rate, &[ring(f64::from(rate))]).heard(text, &input);
        for n in 3000..9000 {
            assert!(
                (f64::from(heard[0][n]) - exact[n]).abs() < 2e-3,
                "{rate} {n}: {} {}",
                heard[0][n],
                exact[n]
            );
        }
    }
}

/// Half a second, as several threads make it and as one does: the room sleeps when it is silent, and wakes in time.
#[test]
fn a_room_sleeps_when_it_is_silent_and_wakes_in_time() {
    let sounds = Sounds::of("r.wav", RATE, &[room(1, 9500)]);
    let text = "tempo 60\nbd = kick()\nwet = bd |> convolve(sample(\"r.wav\"))\nplay { bd |x...| |x.| }\nout = wet\n";
    let program = sounds.program(text);
    let sound = render_shared(program.clone(), Some(120_000), 1).0.channels;
    assert!(bits(&sound) == bits(&render_shared(program, Some(120_000), 2).0.channels));
    let dry =
        render_shared(sounds.program(&text.replace("out = wet", "out = bd")), Some(120_000), 1).0.channels;
    let exact = convolved(&wide(&dry[0]), &room(1, 9500), 0);
    for n in (0..120_000).step_by(37) {
        assert!((f64::from(sound[0][n]) - exact[n]).abs() < 1e-5, "frame {n}: {} {}", sound[0][n], exact[n]);
    }
}

/// Plays a song, and others from some callbacks on.
fn live(songs: &[Arc<Program>], callbacks: usize) -> Vec<f32> {
    let options = control::Options { channels: 2, playing: true, limit: false };
    let (mut control, mut live) = Control::new(songs[0].clone(), Box::new(Scored), options);
    let mut all = vec![];
    for index in 0..callbacks {
        if index % (callbacks / songs.len()) == 0 && index > 0 {
            control.edit(songs[index * songs.len() / callbacks].clone(), Sync::Now);
        }
        let (mut left, mut right) = (vec![0.0; 333], vec![0.0; 333]);
        live.process(&mut Frames::Planar(&mut [&mut left, &mut right]));
        control.tick();
        all.extend(left);
    }
    all
}

const PLAYED: &str =
    "s = 0.3 * sine(110Hz) + 0.1 * noise()\nout = s |> convolve(sample(\"r.wav\"), predelay: 5ms)\n";

/// An edit elsewhere is not heard in the room.
#[test]
fn a_room_goes_on_over_edits() {
    let sounds = Sounds::of("r.wav", RATE, &[room(1, 30_000)]);
    let song = sounds.program(PLAYED);
    let copies: Vec<Arc<Program>> = (0..20).map(|_| Arc::new(Program::clone(&song))).collect();
    let played = live(&copies, 200);
    let whole = render_shared(song, Some(played.len() as u64), 1).0.channels;
    let differs = played.iter().zip(&whole[0]).position(|(a, b)| a != b);
    assert_eq!(differs, None, "live and offline part at this frame");
}

/// Another response takes over without a click, and has heard what was played before.
#[test]
fn another_response_is_faded_in() {
    let text = "out = (0.3 * sine(110Hz)) |> convolve(sample(\"r.wav\"))\n";
    let program = |seed: u32| {
        let mut response = room(seed, 30_000);
        // Neighbours are alike, so that a tone comes out as a tone.
        (1..response.len()).for_each(|n| response[n] = 0.9 * response[n - 1] + 0.1 * response[n]);
        Sounds::of("r.wav", RATE, &[response]).program(text)
    };
    let (one, two) = (program(1), program(2));
    let played = live(&[one.clone(), two.clone()], 200);
    let steps = |sound: &[f32]| sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    let calm = [&one, &two].map(|song| render_shared((*song).clone(), Some(60_000), 1).0.channels[0].clone());
    let most = steps(&calm[0][1000..]).max(steps(&calm[1][1000..]));
    assert!(steps(&played[1000..]) < 2.0 * most, "{} {most}", steps(&played[1000..]));
    // The early part of the new room is there at once, as of a song that had always had it.
    let at = played.len() - 1000;
    let whole = render_shared(two, Some(played.len() as u64), 1).0.channels;
    for n in at..played.len() {
        assert!((played[n] - whole[0][n]).abs() < 1e-5, "frame {n}: {} {}", played[n], whole[0][n]);
    }
}

#[test]
fn what_is_not_finite_is_silenced_and_the_room_is_empty_after_it() {
    let sounds = Sounds::of("r.wav", RATE, &[room(1, 9500)]);
    let text = "x = in.left * 1e30 * 1e10\nout = (x * 1e20) |> convolve(sample(\"r.wav\"))\n";
    let mut input = vec![0.0; 6400];
    input[1000] = 1.0;
    let heard = sounds.heard(text, &[input]);
    assert!(heard[0].iter().all(|x| x.is_finite()));
}

#[test]
fn what_cannot_be_convolved_is_said() {
    let sounds = Sounds::of("r.wav", RATE, &[room(1, 500)]);
    let cases = [
        (
            "x = noise() + 0.5 * prev(y)\ny = convolve(x, sample(\"r.wav\"))\nout = y\n",
            "misplaced-block: what flows",
        ),
        (
            "x = noise() + 0.5 * tap(z, 1s, max: 1s)\ny = convolve(x, sample(\"r.wav\"))\nz = convolve(y, [1, 2])\nout = y\n",
            "misplaced-block: what flows",
        ),
        ("out = oversample(2) { convolve(noise(), [1]) }\n", "misplaced-block: a region"),
        ("out = convolve(noise(), sine(1Hz))\n", "not-a-signal: `convolve` takes"),
        ("out = convolve(noise(), [lfo(1Hz)])\n", "not-constant: the numbers"),
        ("out = convolve(noise(), [1], predelay: 20Hz)\n", "dimension: this argument of `convolve`"),
        ("out = convolve(noise(), [1], predelay: 20s)\n", "out-of-bounds: the predelay"),
        ("out = convolve(noise(), [1], predelay: 1ms + 1ms * lfo(1Hz))\n", "not-constant: the predelay"),
    ];
    for (text, wanted) in cases {
        let found = sounds.compile(text, false).err().expect(text);
        assert!(found.iter().any(|found| found.starts_with(wanted)), "{text}: {found:?}");
    }
}

#[test]
fn each_voice_is_convolved_by_itself() {
    let sounds = Sounds::of("r.wav", RATE, &[room(3, 4000)]);
    // Two voices at once: the sum of their convolutions is that of their sum.
    let text = "tempo 120\n\
        instrument dry { out = sine(freq) * gate * vel }\n\
        instrument wet { out = convolve(sine(freq) * gate * vel, sample(\"r.wav\"))\n until gate < 1 }\n\
        d = dry(voices: 2)\nw = wet(voices: 2)\nout = (w, d |> convolve(sample(\"r.wav\")))\n\
        play { d \"[c4,e4] ~ g4:0.5 ~\" ; w \"[c4,e4] ~ g4:0.5 ~\" }\n";
    let [x, y] = &sounds.heard(text, &[vec![0.0; 96_000]])[..] else { panic!("two channels") };
    let peak = y.iter().fold(0.0_f32, |peak, y| peak.max(y.abs()));
    assert!(peak > 0.1, "{peak}");
    assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-5 * peak.max(1.0)));
}
