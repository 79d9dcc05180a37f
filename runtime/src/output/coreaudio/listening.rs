//! Tests of the input against the stand-in.

use super::standin::World;
use super::*;
use crate::frames::Frames;
use crate::output::keeper::{Keeper, News};
use crate::program::QUANTUM;
use rtrb::Consumer;

const MICROPHONE: u32 = 9;

fn output() -> Format {
    Format { device: "Speakers".into(), rate: 48_000, channels: 2, buffer: 512 }
}

fn nothing_left(world: &World) {
    let hardware = world.lock();
    assert_eq!((hardware.units, hardware.threads), (0, 0), "{:?}", hardware.calls);
}

/// Lets so many frames come, in pieces that the ring can hold, and takes out what is heard, from the first that is more
/// than silence on.
fn take(world: &World, ring: &mut Consumer<f32>, frames: u64) -> Vec<f32> {
    let (mut sound, end) = (vec![], world.lock().come + frames);
    // The reader begins.
    sound.extend(std::iter::from_fn(|| ring.pop().ok()).take(2 * QUANTUM));
    while world.lock().come < end {
        let come = (world.lock().come + 500).min(end);
        world.lock().come = come;
        while world.lock().heard + 512 <= come {
            std::thread::yield_now();
        }
        sound.extend(std::iter::from_fn(|| ring.pop().ok()));
    }
    sound
}

#[test]
fn every_sample_is_heard_once_in_one_channel_or_two() {
    for (inputs, apart) in [(1, 0.0), (2, 0.5), (4, 0.5)] {
        let world = World::begin();
        world.plug_in(MICROPHONE, inputs);
        let Heard { mut ring, input } = CoreAudio.listen(&output()).unwrap();
        let sound = take(&world, &mut ring, 20_000);
        assert_eq!(input.state(), State::Running);
        let first = sound.iter().position(|sample| *sample != 0.0).unwrap();
        assert!((1024 * 2..1100 * 2).contains(&first), "the cushion lies before: {first}");
        let frames: Vec<_> = sound[first..].chunks_exact(2).collect();
        assert!(frames.len() > 18_000, "{}", frames.len());
        for (i, frame) in frames.iter().enumerate() {
            assert_eq!(*frame, [frames[0][0] + i as f32, frames[0][0] + i as f32 + apart]);
        }
        drop(input);
        nothing_left(&world);
        assert_eq!(world.lock().refusals, []);
    }
}

#[test]
fn the_unit_is_set_up_in_the_order_that_it_wants() {
    let world = World::begin();
    world.plug_in(MICROPHONE, 2);
    let heard = CoreAudio.listen(&output()).unwrap();
    let calls = world.lock().calls.clone();
    let of_unit: Vec<_> = calls.into_iter().filter(|call| !call.starts_with("AudioObject")).collect();
    let set = "AudioUnitSetProperty";
    let start = ["AudioUnitInitialize", "AudioOutputUnitStart"];
    assert_eq!(
        of_unit[..8],
        ["AudioComponentFindNext", "AudioComponentInstanceNew", set, set, set, set, set, set]
    );
    assert_eq!(of_unit[8..10], start);
    drop(heard);
    nothing_left(&world);
}

#[test]
fn every_call_that_fails_is_reported_and_leaves_nothing() {
    for call in standin::CALLS {
        let world = World::begin();
        world.plug_in(MICROPHONE, 2);
        world.lock().failing.insert(call, -10868);
        let error = CoreAudio.listen(&output()).err().unwrap();
        if call != "AudioComponentFindNext" {
            assert!(error.to_string().contains("the format is not supported"), "{call}: {error}");
        }
        nothing_left(&world);
        assert!(world.lock().listens_to_nothing(), "after {call}");
    }
}

#[test]
fn without_sound_there_is_silence_and_time_goes_on() {
    let world = World::begin();
    world.plug_in(MICROPHONE, 2);
    // Without permission macOS gives silence.
    world.lock().allowed = false;
    let Heard { mut ring, input } = CoreAudio.listen(&output()).unwrap();
    assert!(take(&world, &mut ring, 5000).iter().all(|sample| *sample == 0.0));
    world.lock().allowed = true;
    world.lock().failing.insert("AudioUnitRender", -10863);
    let sound = take(&world, &mut ring, 5000);
    assert!(
        sound.len() > 4000 && sound.iter().all(|sample| *sample == 0.0),
        "what lay in the buffer is not heard"
    );
    world.lock().failing.clear();
    let sound = take(&world, &mut ring, 5000);
    let frames: Vec<_> =
        sound.chunks_exact(2).map(|frame| frame[0]).filter(|sample| *sample != 0.0).collect();
    assert!(frames[0] > 9000.0, "it is heard when it comes: {}", frames[0]);
    assert!(frames.windows(2).all(|pair| pair[1] == pair[0] + 1.0));
    drop(input);
    nothing_left(&world);
}

#[test]
fn the_input_has_the_rate_of_the_output_or_is_refused() {
    let world = World::begin();
    assert!(CoreAudio.listen(&output()).err().unwrap().to_string().contains("no audio input"));
    world.plug_in(MICROPHONE, 1);
    world.lock().devices[1].rate = 44_100.0;
    drop(CoreAudio.listen(&output()).unwrap());
    assert_eq!(world.lock().devices[1].rate, 48_000.0);
    world.lock().devices[1].rate = 16_000.0;
    world.lock().devices[1].flexible = false;
    let reported = CoreAudio.listen(&output()).err().unwrap().to_string();
    assert!(
        reported.contains("\"Microphone\" hears at 16000 Hz") && reported.contains("Audio MIDI Setup"),
        "{reported}"
    );
    nothing_left(&world);
}

fn silence() -> Callback {
    Box::new(|out: &mut Frames<'_>| out.silence(0))
}

#[test]
fn an_input_that_comes_goes_or_changes_is_followed() {
    let world = World::begin();
    let request = Request { channels: 2, ..Request::default() };
    let opened = CoreAudio.open(&request).unwrap();
    let mut keeper = Keeper::start(Box::new(CoreAudio), request, opened, silence()).unwrap();
    assert!(keeper.listen().is_err());
    world.plug_in(MICROPHONE, 2);
    assert!(keeper.listen().unwrap().is_some());
    assert!(keeper.listen().unwrap().is_none(), "it listens already");
    assert_eq!(keeper.poll(), None);
    // It is opened anew, at the output's rate again.
    world.change_rate(MICROPHONE, 44_100.0);
    assert_eq!(keeper.poll(), None);
    assert!(matches!(keeper.poll(), Some(News::Heard(_))));
    assert_eq!(world.lock().devices[1].rate, 48_000.0);
    world.plug_in(MICROPHONE + 1, 1);
    assert_eq!(keeper.poll(), None);
    assert!(matches!(keeper.poll(), Some(News::Heard(_))), "another is the default");
    world.lock().default_input = 0;
    world.unplug(MICROPHONE + 1);
    assert!(matches!(keeper.poll(), Some(News::Deaf(_))));
    assert_eq!(keeper.poll(), None);
    // When the output is opened anew, so is the input.
    world.plug_in(MICROPHONE + 2, 1);
    assert!(keeper.listen().unwrap().is_some());
    world.lock().devices[0].flexible = false;
    world.change_rate(42, 44_100.0);
    assert!(matches!(keeper.poll(), Some(News::Lost(_))));
    assert!(matches!(keeper.poll(), Some(News::NewFormat(_))));
    keeper.resume(silence());
    assert!(matches!(keeper.poll(), Some(News::Heard(_))));
    assert_eq!(world.lock().devices.last().unwrap().rate, 44_100.0);
    drop(keeper);
    nothing_left(&world);
}
