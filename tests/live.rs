//! Compiled songs, live: edited, muted, moved and stopped at random while callbacks of all sizes ask for sound.

#[path = "live/blocks.rs"]
mod blocks;
#[path = "live/edits.rs"]
mod edits;
#[path = "live/finite.rs"]
mod finite;
#[path = "../runtime/tests/live/guard.rs"]
mod guard;

use guard::{allocated, on_audio_thread};
use mam_compiler::OptLevel;
use mam_compiler::files::{Loader, Located, Unusable};
use mam_compiler::target::Target;
use mam_compiler::{CompilationCache, Options, compile, compile_again};
use mam_grammar::Sources;
use mam_runtime::control::{self, Control, Playing, Scored, Sync};
use mam_runtime::output::Frames;
use mam_runtime::score::{Extent, Held, Sequencer};
use mam_runtime::{Event, EventSource, Length, Live, Program, Renderer};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Songs that use no files.
struct Nothing;

impl Loader for Nothing {
    fn locate(&self, _: &Located, path: &str) -> Result<Located, Unusable> {
        Err(format!("there is no `{path}`").into())
    }

    fn read(&self, file: &Located, _: usize) -> Result<String, Unusable> {
        Err(format!("there is no `{}`", file.name).into())
    }
}

fn program(text: &str, rate: u32) -> Arc<Program> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let compilation = compile(&mut sources, id, &Nothing, &Options { rate, ..Options::default() });
    Arc::new(compilation.program.expect("the song is good"))
}

fn example(name: &str) -> String {
    fs::read_to_string(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn start(program: &Arc<Program>) -> (Control, Live) {
    let options = control::Options { channels: 2, playing: true, limit: true };
    Control::new(program.clone(), Box::new(Scored), options)
}

/// One callback; the left and the right channel after one another.
fn callback(live: &mut Live, frames: usize) -> [Vec<f32>; 2] {
    let (mut left, mut right) = (vec![f32::NAN; frames], vec![f32::NAN; frames]);
    on_audio_thread(|| live.process(&mut Frames::Planar(&mut [&mut left, &mut right])));
    [left, right]
}

/// Small numbers that look random.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// 1 to 100 000 frames; small and odd ones are as likely as large ones, and those that devices ask for often.
    fn size(&mut self) -> usize {
        let seen = [42, 170, 512, 528, 529, 960];
        match self.next(4) {
            0 => seen[self.next(6) as usize],
            1 => 1 + self.next(300) as usize,
            2 => 1 + self.next(4000) as usize,
            _ if self.next(8) == 0 => 1 + self.next(100_000) as usize,
            _ => 64 * (1 + self.next(16) as usize),
        }
    }
}

fn offline(program: &Arc<Program>, frames: usize) -> Vec<[f32; 2]> {
    let sequencer = Sequencer::for_program(program, Extent::Forever);
    // A render begins with the music, what is played with the silence before it.
    let late = frames.min(program.latency as usize);
    let length = Length::Frames((frames - late) as u64);
    let mut renderer = Renderer::new(program.clone(), sequencer, 2, 0, length);
    let mut sound = vec![[0.0; 2]; late];
    while let Some(block) = renderer.next_block() {
        sound.extend((0..block[0].len()).map(|i| [block[0][i], block[1][i]]));
    }
    sound
}

fn steepest(sound: impl IntoIterator<Item = f32>) -> f32 {
    let mut last = None;
    let steps = sound.into_iter().map(|x| (x - last.replace(x).unwrap_or(x)).abs());
    steps.fold(0.0, f32::max)
}

/// Plays a song that is swapped for the same again and again, and gives what it sounds like.
fn swapped(song: &Arc<Program>, swaps: usize, mut after: impl FnMut(usize)) -> Vec<f32> {
    let (mut control, mut live) = start(song);
    let (mut left, mut dice) = (Vec::with_capacity(2000 * swaps), Dice(1));
    for swap in 0..swaps {
        // A program of its own, as an edit makes one.
        control.edit(Arc::new(Program::clone(song)), Sync::Now);
        while control.is_changing() {
            let [sound, _] = callback(&mut live, 1 + dice.next(1000) as usize);
            left.extend(sound);
            control.tick();
        }
        after(swap);
    }
    left
}

fn assert_unheard(what: &str, song: &Arc<Program>, live: &[f32]) {
    let whole = offline(song, live.len());
    let differs = live.iter().zip(&whole).position(|(live, [whole, _])| live != whole);
    assert_eq!(differs, None, "{what}: live and offline part at this frame");
    assert!(live.iter().any(|x| x.abs() > 0.01), "{what} is silent");
}

/// A score that is told how far ahead it is asked for.
struct Asked(Arc<AtomicU64>);

/// Its events, with the way to tell.
struct Asking(Box<dyn EventSource + Send>, Arc<AtomicU64>);

impl Playing for Asked {
    fn events(&self, program: &Arc<Program>, from: u64, held: Option<&Held>) -> Box<dyn EventSource + Send> {
        Box::new(Asking(Scored.events(program, from, held), self.0.clone()))
    }

    fn place(&self, old: &Program, frame: u64, new: &Program) -> u64 {
        Scored.place(old, frame, new)
    }

    fn next_bar(&self, program: &Program, frame: u64) -> u64 {
        Scored.next_bar(program, frame)
    }
}

impl EventSource for Asking {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        self.1.store(until, Relaxed);
        self.0.advance(until, out);
    }

    fn held_at(&self, frame: u64) -> Option<Held> {
        self.0.held_at(frame)
    }

    fn set_by_controller(&mut self, frame: u64, param: mam_runtime::ids::ParamId, value: f64) {
        self.0.set_by_controller(frame, param, value);
    }
}

/// Whoever jumps back from far away asks for what is heard next, and not for all that lies between.
#[test]
fn a_jump_back_asks_for_no_more_than_is_heard() {
    let song = program("bd = kick()\nplay { bd |x...x...| }\nout = bd\n", 48_000);
    let asked = Arc::new(AtomicU64::new(0));
    let options = control::Options { channels: 2, playing: true, limit: true };
    let (mut control, mut live) = Control::new(song, Box::new(Asked(asked.clone())), options);
    // Ten hours.
    const FAR: u64 = 48_000 * 36_000;
    for stopped in [false, true] {
        for to in [FAR, 0] {
            control.seek(to).unwrap();
            while control.is_changing() {
                callback(&mut live, 100);
                control.tick();
            }
            let beyond = asked.load(Relaxed).saturating_sub(to);
            assert!(beyond < 2 * 48_000, "{beyond} frames beyond {to}, {stopped}");
            if stopped {
                control.stop();
                (0..20).for_each(|_| drop(callback(&mut live, 100)));
                assert!(control.is_stopped());
            }
        }
    }
}

/// What is swapped for the same is not heard: voices, echoes, rooms, noise and ramps go on.
#[test]
fn an_edit_that_changes_nothing_is_not_heard_in_any_example_and_any_effect() {
    let is_song = |name: &String| name.ends_with(".mam") && !example(name).contains("use \"");
    let folder = fs::read_dir(format!("{}/examples", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(is_song);
    let mut songs: Vec<(String, String)> = names.map(|name| (name.clone(), example(&name))).collect();
    assert!(songs.len() > 8);
    let prelude = mamc::definitions::Prelude::default();
    for effect in prelude.all().filter(|entry| entry.kind() == "effect") {
        let name = effect.name();
        let text =
            format!("tempo 140\nbd = snare()\nplay {{ bd |x.x.x...x...x...| }}\nout = bd |> {name}()\n");
        songs.push((name.into(), text));
    }
    for (name, text) in songs {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let compilation = compile(&mut sources, id, &Nothing, &Options::default());
        let Some(song) = compilation.program.map(Arc::new) else { panic!("{name} does not compile") };
        assert_unheard(&name, &song, &swapped(&song, 250, |_| {}));
    }
}

/// An edit of one thing compiles one kernel, and what comes of it is what a fresh compilation makes.
#[test]
fn an_edit_compiles_what_has_changed_and_nothing_else() {
    let (text, mut cache) = (example("song.mam"), CompilationCache::default());
    let mut again = |text: &str, target: Target| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text);
        let options = Options { rate: 48_000, target, ..Options::default() };
        let compilation = compile_again(&mut sources, id, &Nothing, &options, &mut cache);
        (Arc::new(compilation.program.expect("the song is good")), cache.fresh())
    };
    let (host, other) = (Target::host(), Target { fma: !Target::host().fma });
    let (_, all) = again(&text, host);
    assert!(all > 8, "{all} kernels");
    assert_eq!(
        again(&text.replace("tempo 104", "// softer\ntempo 100"), host).1,
        0,
        "no kernel knows the tempo"
    );
    let edited = text.replace("softclip(75%", "softclip(60%");
    let (song, fresh) = again(&edited, host);
    assert_eq!(fresh, 1, "the last node");
    assert_eq!(offline(&song, 200_000), offline(&program(&edited, 48_000), 200_000));
    assert_eq!(again(&edited, other).1, all, "another machine is another code");
}

/// What was made quickly is replaced while it plays, without a sound; the next program has the better code at once.
#[test]
fn better_code_takes_the_place_of_quick_code_unheard() {
    let text = example("song.mam");
    let mut cache = CompilationCache::default();
    let quick = |cache: &mut CompilationCache| {
        let mut sources = Sources::default();
        let id = sources.add("song.mam", text.as_str());
        let options = Options {
            rate: 48_000,
            opt_level: OptLevel::Quick,
            host: mamc::host::host(),
            ..Options::default()
        };
        Arc::new(
            compile_again(&mut sources, id, &Nothing, &options, cache).program.expect("the song is good"),
        )
    };
    let song = quick(&mut cache);
    let (mut control, mut live) = start(&song);
    let mut left = vec![];
    for call in 0..200 {
        control.tick();
        left.extend(callback(&mut live, 1000)[0].iter());
        if call == 100 {
            cache.finish_tier_up();
        }
    }
    assert_eq!(song.code.version(), 1, "it was replaced");
    assert_eq!(quick(&mut cache).code.version(), 1, "the same code");
    assert_unheard("song.mam", &program(&text, 48_000), &left);
    // Without a cache that holds the better code, it stays as it is.
    assert_unheard("song.mam", &quick(&mut CompilationCache::default()), &left);
}

/// A parameter that the score leaves alone moves under a hand as smoothly as one that the score leads.
#[test]
fn a_hand_moves_what_the_score_holds() {
    let song = |more: &str| {
        let text = format!(
            "bass = acid(cutoff: 300Hz)\nplay {{\n  bass \"c2*8\"\n{more}\n}}\nlength 32 bars\nout = bass * 50%\n"
        );
        program(&text, 48_000)
    };
    let moved = |song: &Arc<Program>, ramp: u32| {
        let (mut control, mut live) = start(song);
        let mut left: Vec<f32> = vec![];
        for call in 0..100 {
            if call % 30 == 20 {
                assert!(control.set("bass.cutoff", [1200.0, 300.0][call / 30 % 2], ramp));
            }
            control.tick();
            left.extend(callback(&mut live, 777)[0].iter());
        }
        left
    };
    let (held, led) = (song(""), song("  bass.cutoff \"300\".slow(40) over 1 bar"));
    let holds =
        |song: &Program| song.steps.iter().flat_map(|step| &step.per_call).filter(|held| **held).count();
    assert_eq!(holds(&held), holds(&led) + 1, "the cutoff");
    for ramp in [0, 10_000] {
        let sounds = [moved(&held, ramp), moved(&led, ramp)];
        let differs =
            sounds[0].iter().zip(&sounds[1]).map(|(a, b): (&f32, &f32)| (a - b).abs()).fold(0.0, f32::max);
        assert!(differs < 1e-5, "{differs}");
        assert_ne!(sounds[0], offline(&held, sounds[0].len()).iter().map(|x| x[0]).collect::<Vec<_>>());
    }
}

#[test]
fn ten_thousand_swaps_of_a_song_leave_nothing_behind() {
    let song = program(&example("song.mam"), 48_000);
    let (mut after_some, mut at_the_end) = (0, 0);
    let live = swapped(&song, 10_000, |swap| {
        at_the_end = allocated();
        if swap == 1000 {
            after_some = allocated();
        }
    });
    // One that is on its way or not is a megabyte or two.
    assert!(at_the_end - after_some < 5_000_000, "{after_some} bytes after 1000, then {at_the_end}");
    assert_unheard("song.mam", &song, &live);
}

/// The sum of pads: without edges of its own, so that each click would be seen.
fn smooth(level: f64, more: &str) -> String {
    format!(
        "tempo 130\npad = supersaw(attack: 200ms, release: 300ms, voices: 4)\nlow = sine(110)\n\
         play {{ pad \"[c3,e3,g3] [d3,f3,a3]\" }}\n{more}\n\
         out = (pad |> onepole(300)) * {level} + low * 0.1\n"
    )
}

/// The songs that are played at random, at a rate, and the steepest step that any of them has.
fn smooth_songs(rate: u32) -> ([Arc<Program>; 3], f32) {
    let other = smooth(0.3, "bell = sine(220)").replace("low * 0.1", "bell * 0.1");
    let songs = [smooth(0.3, ""), smooth(0.25, ""), other].map(|text| program(&text, rate));
    let own = |song| steepest(offline(song, 10 * rate as usize).into_iter().map(|x| x[0]));
    let steepest = songs.iter().map(own).fold(0.0, f32::max);
    (songs, steepest)
}

/// One thing that a hand can do.
fn do_something(control: &mut Control, songs: &[Arc<Program>; 3], dice: &mut Dice) {
    match dice.next(14) {
        0 => control.stop(),
        1 | 2 => control.play(),
        3 => control.seek(dice.next(20 * u64::from(control.rate()))).expect("it is near"),
        4 => control.mute("pad", dice.next(2) == 0),
        5 => control.solo("pad", dice.next(2) == 0),
        6 => control.edit(songs[dice.next(3) as usize].clone(), Sync::Now),
        7 => control.edit(songs[dice.next(3) as usize].clone(), Sync::Bar),
        8 => {
            let tempo = 60.0 + dice.next(120) as f64;
            control.edit(Arc::new(songs[dice.next(3) as usize].at_tempo(tempo).unwrap()), Sync::Now);
        }
        9 => drop(control.note("pad", dice.next(8) as usize, 60.0, Some(0.5))),
        10 => drop(control.note("pad", dice.next(8) as usize, 60.0, None)),
        // Nobody ticks for a while: everything comes late.
        11 => {}
        _ => control.tick(),
    }
}

/// Everything that hands can do, at any time, with callbacks of any size, on devices that change their rate: nothing is
/// allocated, nothing is no number, and nothing is steeper than the songs themselves.
#[test]
fn nothing_that_hands_do_clicks_allocates_or_breaks() {
    let rates = [44_100, 48_000].map(smooth_songs);
    let mut dice = Dice(1);
    let (mut device, mut loudest) = (0, 0.0_f32);
    let (mut control, mut live) = start(&rates[0].0[0]);
    for _ in 0..20 {
        let (songs, steep) = &rates[device];
        // Two songs sound at once while one fades into the other, and a fade has a slope of its own.
        let (limit, mut worst, mut rendered, mut last) = (2.0 * steep, 0.0_f32, 0, None);
        while rendered < 300_000 {
            do_something(&mut control, songs, &mut dice);
            let [left, right] = callback(&mut live, dice.size());
            assert!(left.iter().chain(&right).all(|x| x.is_finite()));
            rendered += left.len();
            worst = worst.max(steepest(last.into_iter().chain(left.iter().copied())));
            loudest = left.iter().fold(loudest, |m, x| m.max(x.abs()));
            last = left.last().copied();
        }
        assert!(worst < limit, "{worst} is steeper than {limit}");
        assert_eq!(control.telemetry().faults, 0);
        // The device is another one: the song goes on there, in the middle.
        device = 1 - device;
        let place = control.song_frame();
        let before = control;
        (control, live) = start(&rates[device].0[dice.next(3) as usize]);
        control.seek(place * u64::from(control.rate()) / u64::from(before.rate())).expect("it is near");
        control.follow(&before);
    }
    assert!(loudest > 0.1, "it was heard");
}
