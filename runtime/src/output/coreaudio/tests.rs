//! The backend against the stand-in: what it plays, what it says when something fails or changes, what it leaves.

use super::standin::{FakeDevice, World};
use super::*;
use crate::frames::Frames;
use crate::output::keeper::{Keeper, News};

/// Counts frames: channel 1 is half a step above channel 0.
fn ramp() -> Callback {
    let mut at = 0;
    Box::new(move |out: &mut Frames<'_>| {
        let frames = out.frames();
        let channel = |c: usize| (0..frames).map(|i| (at + i) as f32 + 0.5 * c as f32).collect::<Vec<_>>();
        let sound = [channel(0), channel(1)];
        out.write(0, |c| &sound[c], frames);
        at += frames;
    })
}

fn stereo() -> Request {
    Request { channels: 2, ..Request::default() }
}

fn played(world: &World) -> usize {
    world.lock().played.first().map_or(0, Vec::len)
}

fn wait_for(world: &World, frames: usize) {
    while played(world) < frames {
        std::thread::yield_now();
    }
}

fn nothing_left(world: &World) {
    let hardware = world.lock();
    assert_eq!((hardware.units, hardware.threads), (0, 0), "{:?}", hardware.calls);
}

#[test]
fn every_sample_arrives_once_whatever_the_callbacks_sizes() {
    let world = World::begin();
    let opened = CoreAudio.open(&stereo()).unwrap();
    assert_eq!(opened.format().rate, 48_000);
    let stream = opened.start(ramp()).ok().unwrap();
    assert_eq!(stream.latency(), 512 + 100 + 23);
    wait_for(&world, 20_000);
    assert_eq!(stream.state(), State::Running);
    assert!(stream.stop(false).is_some());
    nothing_left(&world);
    let hardware = world.lock();
    assert_eq!(hardware.refusals, []);
    for (c, channel) in hardware.played.iter().enumerate() {
        assert!(channel.iter().enumerate().all(|(i, x)| *x == i as f32 + 0.5 * c as f32));
    }
}

#[test]
fn every_call_that_fails_is_reported_and_leaves_nothing() {
    for call in standin::CALLS {
        let world = World::begin();
        let opened = CoreAudio.open(&stereo()).unwrap();
        world.lock().failing.insert(call, -10868);
        let (error, mut callback) = opened.start(ramp()).err().unwrap();
        if call != "AudioComponentFindNext" {
            assert!(error.to_string().contains("the format is not supported"), "{call}: {error}");
        }
        nothing_left(&world);
        let mut sound = [1.0; 2];
        callback(&mut Frames::Interleaved { data: &mut sound, channels: 2 });
        assert_eq!(sound, [0.0, 0.5], "the callback comes back after {call}");
    }
}

#[test]
fn a_rate_is_asked_for_and_what_comes_is_accepted() {
    let world = World::begin();
    world.lock().devices[0].rate = 96_000.0;
    assert_eq!(CoreAudio.open(&stereo()).unwrap().format().rate, 48_000);
    world.lock().devices[0].flexible = false;
    world.lock().devices[0].rate = 44_100.0;
    assert_eq!(CoreAudio.open(&stereo()).unwrap().format().rate, 44_100);
    world.lock().default_output = 0;
    assert!(matches!(CoreAudio.open(&stereo()).err(), Some(OutputError::Unavailable { .. })));
}

#[test]
fn a_device_is_found_by_its_name() {
    let world = World::begin();
    let interface = FakeDevice {
        id: 7,
        name: "Interface",
        rate: 48_000.0,
        flexible: false,
        outputs: 8,
        inputs: 4,
        buffer: 64,
        latency: 0,
        safety: 0,
    };
    world.lock().devices.push(interface);
    let names: Vec<_> =
        CoreAudio.devices().unwrap().into_iter().map(|d| (d.name, d.channels, d.is_input)).collect();
    let expected = [("Speakers", 2, false), ("Interface", 8, false), ("Interface", 4, true)];
    assert_eq!(names, expected.map(|(name, channels, input)| (name.to_string(), channels, input)));
    let named = |name: &str| Request { device: Some(name.into()), ..stereo() };
    let stream = CoreAudio.open(&named("Interface")).unwrap().start(ramp()).ok().unwrap();
    world.choose(42);
    assert_eq!(stream.state(), State::Running);
    world.unplug(7);
    assert!(matches!(stream.state(), State::Lost(_)));
    drop(stream);
    nothing_left(&world);
    assert!(matches!(CoreAudio.open(&named("Radio")).err(), Some(OutputError::UnknownDevice { .. })));
}

#[test]
fn a_change_of_rate_is_followed() {
    let world = World::begin();
    let opened = CoreAudio.open(&stereo()).unwrap();
    let mut keeper = Keeper::start(Box::new(CoreAudio), stereo(), opened, ramp()).unwrap();
    assert_eq!(keeper.poll(), None);
    world.overload(42);
    assert_eq!(keeper.underruns(), 1);
    world.lock().devices[0].flexible = false;
    world.change_rate(42, 44_100.0);
    assert_eq!(keeper.poll(), Some(News::Lost(OutputError::Changed)));
    let Some(News::NewFormat(format)) = keeper.poll() else { panic!("it is opened again") };
    assert_eq!(format.rate, 44_100);
    world.lock().played.clear();
    keeper.resume(ramp());
    wait_for(&world, 5000);
    world.change_rate(42, 44_100.0);
    assert_eq!(keeper.poll(), None);
    drop(keeper);
    nothing_left(&world);
}
