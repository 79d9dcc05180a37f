//! Compiled songs as a host drives the engine: in blocks of any size, each with the events up to its own end, under the
//! allocator that ends the process when the audio thread allocates.

use super::{Dice, example, on_audio_thread, program};
use mam_runtime::ids::PortId;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Engine, Event, EventKind, Program};
use std::collections::BTreeSet;
use std::sync::Arc;

const RATE: u32 = 48_000;
const FRAMES: usize = 3 * RATE as usize;
const SONGS: [&str; 4] = ["groove.mam", "acid.mam", "song.mam", "space.mam"];

fn events(program: &Arc<Program>) -> Vec<Event> {
    let mut events = vec![];
    Sequencer::for_program(program, Extent::Forever).advance(FRAMES as u64, &mut events);
    events
}

/// Renders all frames; gives the left channel and the ports that fell asleep.
fn blocks(
    engine: &mut Engine,
    events: &[Event],
    mut size: impl FnMut() -> usize,
) -> (Vec<f32>, BTreeSet<PortId>) {
    let (mut left, mut right) = (vec![f32::NAN; FRAMES], vec![f32::NAN; FRAMES]);
    let (mut done, mut next, mut asleep) = (0, 0, vec![]);
    asleep.reserve(events.len());
    while done < FRAMES {
        let end = FRAMES.min(done + size());
        let due = events[next..].iter().take_while(|event| event.frame < end as u64).count();
        on_audio_thread(|| {
            for event in &events[next..next + due] {
                engine.events().push(*event).expect("there is room");
            }
            engine.process_block(&[], &mut [&mut left[done..end], &mut right[done..end]]);
            engine.take_asleep(|port| asleep.push(port));
        });
        (done, next) = (end, next + due);
    }
    (left, asleep.into_iter().collect())
}

#[test]
fn blocks_of_quanta_have_the_bits_of_the_render_and_others_differ_by_roundings() {
    for name in SONGS {
        let program = program(&example(name), RATE);
        let events = events(&program);
        let whole: Vec<f32> = super::offline(&program, FRAMES).into_iter().map(|[left, _]| left).collect();
        let loud = whole.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        for quanta in [1, 2, 8, 75] {
            let (sound, _) = blocks(&mut Engine::new(program.clone()), &events, || 64 * quanta);
            assert_eq!(sound.iter().zip(&whole).position(|(a, b)| a != b), None, "{name} in {quanta} quanta");
        }
        for most in [1, 17, 63, 100, 279, 2000] {
            let mut dice = Dice(most);
            let size = || if most == 2000 { 1 + dice.next(most) as usize } else { most as usize };
            let (sound, _) = blocks(&mut Engine::new(program.clone()), &events, size);
            let off = sound.iter().zip(&whole).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let decibels = 10.0 * (off / loud).log10();
            assert!(decibels < -100.0, "{name} in blocks of {most}: {decibels:.0} dB");
        }
    }
}

#[test]
fn a_reset_gives_the_bits_of_a_new_engine() {
    for name in SONGS {
        let program = program(&example(name), RATE);
        let events = events(&program);
        let (fresh, _) = blocks(&mut Engine::new(program.clone()), &events, || 64);
        let (mut engine, mut dice) = (Engine::new(program), Dice(7));
        blocks(&mut engine, &events, || 1 + dice.next(500) as usize);
        on_audio_thread(|| engine.reset());
        let (again, _) = blocks(&mut engine, &events, || 64);
        assert_eq!(again.iter().zip(&fresh).position(|(a, b)| a.to_bits() != b.to_bits()), None, "{name}");
    }
}

/// A host has to know when a note is over, with its release.
#[test]
fn each_voice_that_was_played_is_known_to_be_over() {
    let text = "bd = kick()\npad = tom()\nplay {\n  bd \"x ~ ~ ~\"\n  pad \"a3 ~ c4 ~\"\n}\nout = bd + pad\n";
    let program = program(text, RATE);
    let mut events = events(&program);
    events.retain(|event| event.frame < 48_000);
    let on = |event: &Event| match event.kind {
        EventKind::On { port, .. } => Some(port),
        _ => None,
    };
    let voices: BTreeSet<PortId> = program.targets.iter().flat_map(|target| target.voices.clone()).collect();
    let played: BTreeSet<PortId> =
        events.iter().filter_map(on).filter(|port| voices.contains(port)).collect();
    // What is held at the end is let go.
    events.extend(played.iter().map(|&port| Event { frame: 48_000, kind: EventKind::Off { port } }));
    let mut engine = Engine::new(program);
    let (_, asleep) = blocks(&mut engine, &events, || 100);
    assert!(played.len() > 1 && asleep == played, "{played:?} {asleep:?}");
    assert!(engine.is_silent() && engine.awake() == 0);
}
