//! Live playing without a device: the callback is called by hand, under an allocator that ends the process when
//! the audio thread allocates or frees.

mod engine;
mod guard;
mod log;
mod song;

use guard::allocated;
use mam_runtime::control::Sync;
use song::{Sizes, callback, offline, song, start};

fn steepest(sound: &[f32]) -> f32 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn live_is_offline_whatever_the_device_asks_for() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let (mut control, mut live) = start(program.clone());
    let (mut sizes, mut sound) = (Sizes(1), vec![]);
    while sound.len() < 100_000 {
        control.tick();
        let size = sizes.next();
        callback(&mut live, size, size % 2 == 0, &mut sound);
    }
    assert_eq!(sound, offline(program, sound.len()));
}

#[test]
fn swaps_that_change_nothing_are_not_heard_and_leave_nothing_behind() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let (mut control, mut live) = start(program.clone());
    let mut sound = vec![];
    let mut after_some = 0;
    for swap in 0..10_000 {
        control.edit(song(&[("lead", 0.3), ("bass", 0.2)]), Sync::Now);
        while control.is_changing() {
            callback(&mut live, 512, true, &mut sound);
            control.tick();
        }
        if swap == 100 {
            after_some = allocated() - 4 * sound.capacity() as isize;
        }
    }
    let at_the_end = allocated() - 4 * sound.capacity() as isize;
    assert!((at_the_end - after_some).abs() < 100_000, "{after_some} bytes, then {at_the_end}");
    assert_eq!(sound, offline(program, sound.len()));
}

#[test]
fn what_appears_and_vanishes_is_faded_and_what_stays_goes_on() {
    let (one, two) = (song(&[("lead", 0.3)]), song(&[("bass", 0.2), ("lead", 0.3)]));
    let (mut control, mut live) = start(one.clone());
    let (mut sizes, mut sound) = (Sizes(7), vec![]);
    let edits = [(30_000, two.clone()), (60_000, one.clone()), (75_000, two.clone()), (76_000, one.clone())];
    let mut edits = edits.into_iter().peekable();
    while sound.len() < 150_000 {
        if let Some((_, program)) = edits.next_if(|(at, _)| sound.len() >= *at) {
            control.edit(program, Sync::Now);
        }
        control.tick();
        callback(&mut live, sizes.next().min(1024), false, &mut sound);
    }
    let (alone, both) = (offline(one, sound.len()), offline(two, sound.len()));
    assert_eq!(sound[..30_000], alone[..30_000]);
    // The bass was in the echo, which falls by 6 dB in 3000 frames.
    let after: Vec<f32> = sound[130_000..].iter().zip(&alone[130_000..]).map(|(a, b)| a - b).collect();
    assert!(after.iter().all(|x| x.abs() < 1e-5));
    assert_ne!(sound[45_000..60_000], alone[45_000..60_000]);
    let limit = 1.5 * steepest(&both).max(steepest(&alone));
    assert!(steepest(&sound) < limit, "{} is steeper than {limit}", steepest(&sound));
}

#[test]
fn stop_play_seek_mute_and_edits_never_click() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let limit = 1.5 * steepest(&offline(program.clone(), 100_000));
    let (mut control, mut live) = start(program.clone());
    let (mut sizes, mut sound) = (Sizes(3), vec![]);
    for turn in 0..2000 {
        match turn % 100 {
            10 => control.stop(),
            15 => control.play(),
            20 => control.seek(50_000).expect("a frame that can be gone to"),
            30 => control.mute("bass", true),
            40 => control.edit(song(&[("lead", 0.3), ("bass", 0.25), ("top", 0.1)]), Sync::Now),
            50 => control.solo("lead", true),
            60 => control.mute("bass", false),
            70 => control.solo("lead", false),
            80 => control.edit(program.clone(), Sync::Bar),
            85 => control.seek(0).expect("a frame that can be gone to"),
            _ => {}
        }
        control.tick();
        callback(&mut live, sizes.next().min(1024), turn % 2 == 0, &mut sound);
    }
    assert!(sound.iter().all(|x| x.is_finite()));
    assert!(steepest(&sound) < limit, "{} is steeper than {limit}", steepest(&sound));
    assert_eq!(control.telemetry().faults, 0);
}

#[test]
fn from_the_top_is_a_fresh_start() {
    let program = song(&[("lead", 0.3)]);
    let (mut control, mut live) = start(program.clone());
    let mut sound = vec![];
    callback(&mut live, 10_000, true, &mut sound);
    control.tick();
    control.stop();
    while !control.is_stopped() {
        callback(&mut live, 512, true, &mut sound);
    }
    control.seek(0).expect("a frame that can be gone to");
    callback(&mut live, 512, true, &mut sound);
    control.tick();
    control.play();
    let start = sound.len();
    for _ in 0..50 {
        control.tick();
        callback(&mut live, 512, true, &mut sound);
    }
    assert_eq!(sound[start..], offline(program, sound.len() - start));
}

#[test]
fn a_recording_holds_what_was_played() {
    let (mut control, mut live) = start(song(&[("lead", 0.3)]));
    let mut ring = control.record();
    let (mut sound, mut taken) = (vec![], vec![]);
    for _ in 0..100 {
        control.tick();
        callback(&mut live, 529, true, &mut sound);
        while let Ok(sample) = ring.pop() {
            taken.push(sample);
        }
    }
    let left: Vec<f32> = taken.into_iter().step_by(2).collect();
    assert_eq!(left, sound);
    assert_eq!(control.telemetry().unrecorded, 0);
}
