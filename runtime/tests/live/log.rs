//! What is logged of a performance gives it again, to the bit.

use crate::song::{Notes, RATE, Sizes, callback, song, song_at};
use mam_runtime::control::{Entry, Heard, Log, Options, Playing, Replay, Request, Sync};
use mam_runtime::render::EventSource;
use mam_runtime::score::Held;
use mam_runtime::{Control, Engine, Event, EventKind, Live, Program};
use rtrb::Consumer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const OPTIONS: Options = Options { channels: 2, playing: true, limit: true };

struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }
}

/// Something that a hand or an edit does, by chance.
fn ask(control: &mut Control, random: &mut Random) {
    let rate = control.rate();
    let song = |voices: &[(&str, f64)]| song_at(rate, voices);
    let names = ["lead", "bass", "top"];
    let name = names[random.below(3) as usize];
    match random.below(20) {
        0 => control.stop(),
        1 | 2 => control.play(),
        3 => control.seek(u64::from(random.below(90_000))).expect("a frame that can be gone to"),
        4 => control.mute(name, random.below(2) == 0),
        5 => control.solo(name, random.below(2) == 0),
        6 => control.edit(song(&[("lead", 0.3), ("bass", 0.25), ("top", 0.1)]), Sync::Now),
        7 => control.edit(song(&[("bass", 0.2), ("lead", 0.3)]), Sync::Bar),
        8 => control.edit(song(&[("top", 0.3)]), Sync::Now),
        9..13 => {
            let value = f64::from(random.below(100)) / 100.0;
            _ = control.set(&format!("{name}.gain"), value, random.below(3000));
        }
        13..17 => {
            let vel = (random.below(3) > 0).then_some(0.5);
            _ = control.note(name, 0, f64::from(50 + random.below(20)), vel);
        }
        _ => {}
    }
}

/// Both halves of a performance that is logged and recorded.
fn begin(program: &Arc<Program>) -> (Control, Live, Consumer<f32>) {
    let (mut control, live) = Control::new(program.clone(), Box::new(Notes), OPTIONS);
    control.log();
    let recorded = control.record();
    (control, live, recorded)
}

fn read(ring: &mut Consumer<f32>, sound: &mut Vec<f32>) {
    while let Ok(sample) = ring.pop() {
        sound.push(sample);
    }
}

fn replayed(program: &Arc<Program>, log: Log) -> Vec<f32> {
    let mut replay = Replay::new(program.clone(), Box::new(Notes), OPTIONS, Entry::START, log);
    let mut sound = vec![];
    while let Some(channels) = replay.next_quantum().expect("the log goes with its programs") {
        for frame in 0..channels[0].len() {
            sound.extend(channels.iter().map(|channel| channel[frame]));
        }
    }
    assert_eq!(replay.left(), 0);
    sound
}

#[test]
fn a_log_gives_the_performance_again() {
    for seed in 0..12 {
        let program = song(&[("lead", 0.3), ("bass", 0.2)]);
        let (mut control, mut live, mut ring) = begin(&program);
        let (mut random, mut sizes, mut sound) = (Random(seed), Sizes(seed), vec![]);
        for turn in 0..600 {
            for _ in 0..random.below(4) {
                ask(&mut control, &mut random);
            }
            if random.below(3) > 0 {
                control.tick();
            }
            callback(&mut live, sizes.next().min(1024), turn % 2 == 0, &mut vec![]);
            read(&mut ring, &mut sound);
        }
        control.stop();
        while !control.is_stopped() {
            control.tick();
            callback(&mut live, 100, true, &mut vec![]);
        }
        read(&mut ring, &mut sound);
        let log = control.take_log().expect("it is logged");
        assert_eq!((log.is_cut, 2 * log.frames), (false, sound.len() as u64));
        assert!(sound.iter().any(|sample| *sample != 0.0) && log.asked.len() > 100);
        let again = replayed(&program, log);
        let differs = again.iter().zip(&sound).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!((differs, again.len()), (None, sound.len()), "seed {seed}");
    }
}

/// An hour of edits, hands, stops and jumps, in frames of a low rate: quanta and requests are as many as they would be in an hour
/// of the same music.
#[test]
fn an_hour_is_given_again() {
    const LOW: u32 = 1000;
    let program = song_at(LOW, &[("lead", 0.3), ("bass", 0.2)]);
    let (mut control, mut live, mut ring) = begin(&program);
    let (mut random, mut sizes, mut sound, mut frames) = (Random(77), Sizes(77), vec![], 0);
    while frames < 3600 * LOW as usize {
        if random.below(8) == 0 {
            ask(&mut control, &mut random);
        }
        control.tick();
        // Of a tenth of a second at most: events are sent a fifth ahead.
        let size = sizes.next().min(100);
        callback(&mut live, size, true, &mut vec![]);
        frames += size;
        read(&mut ring, &mut sound);
    }
    let log = control.take_log().expect("it is logged");
    assert_eq!((log.is_cut, 2 * log.frames), (false, sound.len() as u64));
    assert!(log.asked.len() > 4000 && sound.iter().any(|sample| *sample != 0.0));
    let again = replayed(&program, log);
    let differs = again.iter().zip(&sound).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!((differs, again.len()), (None, sound.len()));
}

/// A score without events.
struct Quiet;

impl Playing for Quiet {
    fn events(&self, _: &Arc<Program>, _: u64, _: Option<&Held>) -> Box<dyn EventSource + Send> {
        Box::new(Quiet)
    }

    fn place(&self, _: &Program, frame: u64, _: &Program) -> u64 {
        frame
    }

    fn next_bar(&self, _: &Program, frame: u64) -> u64 {
        frame
    }
}

impl EventSource for Quiet {
    fn advance(&mut self, _: u64, _: &mut Vec<Event>) {}
}

/// At another rate every note and every value comes at its own frame: the samples are those of an engine that is given them there.
#[test]
fn at_another_rate_events_keep_their_times() {
    const OTHER: u32 = 44_100;
    let program = song(&[("lead", 0.3)]);
    let (mut control, mut live) = Control::new(program, Box::new(Quiet), OPTIONS);
    control.log();
    let there = song_at(OTHER, &[("lead", 0.3)]);
    let mut engine = Engine::new(there.clone());
    let here = |frame: u64| (frame * u64::from(OTHER) + u64::from(RATE) / 2) / u64::from(RATE);
    let (mut random, mut frames) = (Random(3), 0u64);
    for turn in 0..200 {
        control.tick();
        let kind = if turn % 2 == 0 {
            let (note, vel) = (f64::from(50 + random.below(30)), 0.8);
            control.note("lead", 0, note, Some(vel));
            EventKind::On { port: there.targets[0].voices[0], note, vel }
        } else {
            let (value, ramp) = (f64::from(random.below(100)) / 100.0, random.below(900));
            control.set("lead.gain", value, ramp);
            let ramp = here(ramp.into()) as u32;
            EventKind::Set { param: there.param("lead.gain").expect("it is there"), value, ramp, curve: None }
        };
        engine.schedule(Event { frame: here(frames), kind });
        let size = 64 * (1 + random.below(12)) as usize;
        callback(&mut live, size, true, &mut vec![]);
        frames += size as u64;
    }
    let log = control.take_log().expect("it is logged");
    let mut replay = Replay::new(there, Box::new(Quiet), OPTIONS, Entry::START, log);
    let mut again = vec![];
    while let Some(channels) = replay.next_quantum().expect("a log of these programs") {
        again.extend_from_slice(channels[0]);
    }
    assert_eq!(again.len() as u64, here(frames));
    let mut wanted = vec![0.0; again.len()];
    engine.process(&mut [&mut wanted]);
    assert!(wanted.iter().any(|sample| *sample != 0.0));
    let differs = again.iter().zip(&wanted).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differs, None);
}

/// Edits, stops and jumps at another rate: the music is as long, to a quantum for each stop, and ends.
#[test]
fn a_performance_at_another_rate_has_its_length() {
    for (seed, other) in [(0, 44_100), (1, 96_000), (2, 22_050), (3, 47_999)] {
        let program = song(&[("lead", 0.3), ("bass", 0.2)]);
        let (mut control, mut live, mut ring) = begin(&program);
        let (mut random, mut sizes, mut sound) = (Random(seed), Sizes(seed), vec![]);
        for _ in 0..400 {
            for _ in 0..random.below(3) {
                ask(&mut control, &mut random);
            }
            control.tick();
            callback(&mut live, sizes.next().min(1024), true, &mut vec![]);
            read(&mut ring, &mut sound);
        }
        let mut log = control.take_log().expect("it is logged");
        let change = |program: &mut Arc<Program>| {
            let mut changed = Program::clone(program);
            changed.rate = other;
            *program = Arc::new(changed);
        };
        let stops = log.asked.iter().filter(|asked| matches!(asked.request, Request::Stop)).count() as u64;
        for asked in &mut log.asked {
            match &mut asked.request {
                Request::Edit(program, _) | Request::Start(program, _) => change(program),
                _ => {}
            }
        }
        let mut first = program;
        change(&mut first);
        let expected = log.frames * u64::from(other) / u64::from(RATE);
        let mut replay = Replay::new(first, Box::new(Notes), OPTIONS, Entry::START, log);
        let (mut frames, mut is_heard) = (0, false);
        while let Some(channels) = replay.next_quantum().expect("a log of these programs") {
            frames += channels[0].len() as u64;
            is_heard |= channels[0].iter().any(|sample| *sample != 0.0);
        }
        let near = (stops + 1) * 64 * u64::from(other.max(RATE)).div_ceil(u64::from(RATE)) + 64;
        assert!(is_heard && frames.abs_diff(expected) <= near, "{other}: {frames}, not about {expected}");
    }
}

/// What is heard in the place of the outputs: sums of them.
#[test]
fn sums_of_outputs_are_heard_through_edits() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let (mut control, mut live, mut ring) = begin(&program);
    let other = song(&[("lead", 0.1), ("bass", 0.3)]);
    let mut sound = vec![];
    for turn in 0..80 {
        if turn == 30 {
            control.edit(other.clone(), Sync::Now);
        }
        control.tick();
        callback(&mut live, 256, true, &mut vec![]);
        read(&mut ring, &mut sound);
    }
    let log = control.take_log().expect("it is logged");
    let sums = vec![vec![(0, 1.0), (1, -0.5)], vec![]];
    let heard = Heard(vec![(program.clone(), sums.clone()), (other, sums)]);
    let mut replay = Replay::new(program, Box::new(Notes), OPTIONS, Entry::START, log).hearing(heard);
    let mut again = vec![];
    while let Some(channels) = replay.next_quantum().expect("the log goes with its programs") {
        again.extend_from_slice(channels[0]);
        assert!(channels[1].iter().all(|sample| *sample == 0.0));
    }
    let half = sound.iter().step_by(2).map(|sample| 0.5 * sample);
    // Halves are exact, and so is what a fade makes of them but for its rounding.
    let furthest = again.iter().zip(half).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest < 1e-6 && again.iter().any(|sample| *sample != 0.0), "{furthest}");
}

#[test]
fn a_log_of_two_threads_gives_the_performance_again() {
    /// Quanta that the audio thread may go ahead of what it is allowed: less than events are sent ahead.
    const QUANTA: usize = 8;
    for seed in 0..3 {
        let program = song(&[("lead", 0.3), ("bass", 0.2)]);
        let (mut control, mut live, mut ring) = begin(&program);
        let (allowed, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut sound = vec![];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut sizes = Sizes(seed);
                loop {
                    let (now, most) = (done.load(Ordering::Acquire), allowed.load(Ordering::Acquire));
                    if most == usize::MAX {
                        break;
                    }
                    if now < most {
                        callback(&mut live, sizes.next().min(256), true, &mut vec![]);
                        done.fetch_add(1, Ordering::Release);
                    } else {
                        std::thread::yield_now();
                    }
                }
            });
            let mut random = Random(100 + seed);
            for _ in 0..300 {
                while control.room() < 512 {
                    std::thread::yield_now();
                }
                for _ in 0..random.below(3) {
                    ask(&mut control, &mut random);
                }
                control.tick();
                read(&mut ring, &mut sound);
                let most = done.load(Ordering::Acquire) + QUANTA;
                allowed.fetch_max(most.min(allowed.load(Ordering::Acquire) + 3), Ordering::AcqRel);
            }
            control.stop();
            for _ in 0..1_000_000 {
                if control.is_stopped() {
                    break;
                }
                control.tick();
                allowed.store(done.load(Ordering::Acquire) + 1, Ordering::Release);
                std::thread::yield_now();
            }
            allowed.store(usize::MAX, Ordering::Release);
        });
        read(&mut ring, &mut sound);
        let log = control.take_log().expect("it is logged");
        assert_eq!((log.is_cut, 2 * log.frames), (false, sound.len() as u64));
        let again = replayed(&program, log);
        let differs = again.iter().zip(&sound).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!((differs, again.len()), (None, sound.len()), "seed {seed}");
    }
}

#[test]
fn a_log_that_does_not_go_with_its_programs_is_refused() {
    let program = song(&[("lead", 0.3)]);
    let log = Log { rate: RATE, frames: 1000, ..Log::default() };
    let options = Options { playing: false, ..OPTIONS };
    let mut replay = Replay::new(program, Box::new(Notes), options, Entry::START, log);
    assert!(replay.next_quantum().is_err());
}
