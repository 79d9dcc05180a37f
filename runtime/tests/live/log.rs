//! What is logged of a performance gives it again, to the bit.

use crate::song::{Notes, Sizes, callback, song};
use mam_runtime::control::{Entry, Log, Options, Replay, Sync};
use mam_runtime::{Control, Live, Program};
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
    let log = Log { frames: 1000, ..Log::default() };
    let options = Options { playing: false, ..OPTIONS };
    let mut replay = Replay::new(program, Box::new(Notes), options, Entry::START, log);
    assert!(replay.next_quantum().is_err());
}
