//! The engine as a host drives it, under the allocator of [`crate::guard`]: blocks of any size, events that are known up to
//! the block's end alone, and a reset in the middle.

use crate::guard::on_audio_thread;
use crate::song::{Notes, RATE, song};
use mam_runtime::control::Playing;
use mam_runtime::{Engine, Event, Program};
use std::sync::Arc;

/// The notes and ramps of a song, up to a frame.
fn events(program: &Arc<Program>, until: u64) -> Vec<Event> {
    let mut events = vec![];
    Notes.events(program, 0, None).advance(until, &mut events);
    events
}

/// Renders blocks whose sizes a generator gives; each knows its own events alone.
fn rendered(
    engine: &mut Engine,
    events: &[Event],
    frames: usize,
    mut size: impl FnMut() -> usize,
) -> Vec<f32> {
    let mut sound = vec![f32::NAN; frames];
    let (mut done, mut next) = (0, 0);
    while done < frames {
        let end = frames.min(done + size());
        let due = events[next..].iter().take_while(|event| event.frame < end as u64).count();
        let block = &mut sound[done..end];
        on_audio_thread(|| {
            for event in &events[next..next + due] {
                engine.events().push(*event).expect("there is room");
            }
            engine.process_block(&[], &mut [block]);
            engine.take_asleep(|_| ());
            engine.is_silent()
        });
        (done, next) = (end, next + due);
    }
    sound
}

fn random(seed: u32, most: usize) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 8) as usize % most
    }
}

#[test]
fn random_blocks_hear_every_event_at_its_frame() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let (events, frames) = (events(&program, 2 * u64::from(RATE)), RATE as usize);
    let whole = rendered(&mut Engine::new(program.clone()), &events, frames, || 64);
    assert!(whole.iter().any(|x| x.abs() > 0.1));
    for (seed, most) in [(1, 5), (2, 64), (3, 100), (4, 300), (5, 5000)] {
        let mut engine = Engine::new(program.clone());
        assert_eq!(rendered(&mut engine, &events, frames, random(seed, most)), whole, "blocks up to {most}");
    }
}

#[test]
fn a_reset_on_the_audio_thread_is_a_new_engine_to_the_bit() {
    let program = song(&[("lead", 0.3), ("bass", 0.2)]);
    let (events, frames) = (events(&program, 30_000), 20_000);
    let fresh = rendered(&mut Engine::new(program.clone()), &events, frames, || 64);
    let mut engine = Engine::new(program);
    for (seed, before) in [(1, 10_001), (2, 64), (3, 5_555), (4, 19_999)] {
        rendered(&mut engine, &events, before, random(seed, 400));
        on_audio_thread(|| engine.reset());
        assert_eq!(rendered(&mut engine, &events, frames, || 64), fresh, "after {before} frames");
        on_audio_thread(|| engine.reset());
    }
}
