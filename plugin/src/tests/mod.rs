//! Songs in a plug-in, as a host hears them.

mod expressions;
mod guard;
mod host;

use crate::song::Song;
use clap_sys::events::*;
use clap_sys::process::{CLAP_PROCESS_CONTINUE, CLAP_PROCESS_ERROR, CLAP_PROCESS_SLEEP};
use host::*;
use mam_package::Param;
use mam_runtime::score::{Extent, PlayedNote, Sequencer, performance};
use mam_runtime::{Engine, Length, Renderer};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const RATE: u32 = 48_000;

/// A song of an instrument and an effect with a tail.
const PAD: &str =
    "pad = sub(voices: 4, attack: 1ms)\necho = tap(pad, 0.25 beats, max: 2s)\nout = pad + 0.5 * echo\n";
/// One drum, whose sound begins with its note.
const DRUM: &str = "bd = kick()\nout = bd\n";
/// Knobs of all kinds.
const KNOBS: &str = "\
knob tone = 400Hz in 20Hz..20kHz curve exp smooth 5ms
knob level = 0.5 in 0..1
knob kind = 1 in 0..3 step
pad = sub(voices: 2)
out = onepole(pad, tone) * level * (1 + kind)
";

/// The left channel of so many frames of the song, in blocks of `size` frames, from the beginning and at its own tempo.
fn played(song: &Arc<Song>, tempo: f64, frames: usize, size: usize) -> Vec<f32> {
    let mut instance = Instance::active(song, RATE.into());
    let mut all = Vec::with_capacity(frames);
    while all.len() < frames {
        let count = size.min(frames - all.len());
        let beat = all.len() as f64 * tempo / (60.0 * f64::from(RATE));
        assert_ne!(instance.process(count, &[], Some(&transport(Some(beat), tempo))), CLAP_PROCESS_ERROR);
        all.extend_from_slice(&instance.left[..count]);
    }
    all
}

fn first_difference(a: &[f32], b: &[f32]) -> Option<usize> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())
}

#[test]
fn a_score_in_a_host_has_the_bits_of_the_render() {
    for name in ["groove.mam", "acid.mam", "space.mam"] {
        let song = song(&example(name), true);
        let program = song.ready(RATE).unwrap().program.clone();
        let tempo = program.score.transports[0].tempo.first().unwrap().to_f64();
        let frames = 3 * RATE as usize;
        let score = Sequencer::for_program(&program, Extent::Forever);
        let mut renderer = Renderer::new(program.clone(), score, 2, 0, Length::Frames(frames as u64));
        let mut rendered = vec![];
        while let Some(block) = renderer.next_block() {
            rendered.extend_from_slice(&block[0]);
        }
        assert!(rendered.iter().any(|x| x.abs() > 0.1), "{name} is heard");
        // A render begins with the music; a host is told how much later that is.
        let late = program.latency as usize;
        let played = |frames: usize, size: usize| played(&song, tempo, late + frames, size).split_off(late);
        for size in [64, 128, 512] {
            assert_eq!(first_difference(&played(frames, size), &rendered), None, "{name} by {size}");
        }
        for size in [1, 17, 63, 100, 279] {
            let sound = played(frames / 2, size);
            let off = || sound.iter().zip(&rendered).map(|(a, b)| f64::from((a - b).abs()));
            let (most, mean) =
                (off().fold(0.0, f64::max), off().map(|x| x * x).sum::<f64>() / sound.len() as f64);
            // Kernels that compute several frames at once begin elsewhere, and sums of many voices round more often.
            assert!(
                mean.sqrt() <= 1e-6 && most <= 4e-6,
                "{name} by {size}: {most:.2e}, rms {:.2e}",
                mean.sqrt()
            );
        }
    }
}

#[test]
fn notes_of_a_host_have_the_bits_of_the_same_notes_elsewhere() {
    let song = song(PAD, false);
    let keys = [(100, 57, 9000), (700, 60, 5000), (5100, 64, 20_000), (5100, 67, 5101), (6000, 70, 30_000)];
    let vel = 0.8 * 127.0 / 100.0;
    let note =
        |&(start, key, end): &(u64, i16, u64)| PlayedNote { target: 0, start, end, note: key.into(), vel };
    let program = song.ready(RATE).unwrap().program.clone();
    let mut engine = Engine::new(program.clone());
    for event in performance(&program.targets, &keys.iter().map(note).collect::<Vec<_>>()) {
        engine.schedule(event);
    }
    let mut direct = vec![0.0; 1 << 16];
    engine.process(&mut [&mut direct]);
    for size in [64, 512] {
        let mut instance = Instance::active(&song, RATE.into());
        for (index, expected) in direct.chunks(size).enumerate() {
            let start = (index * size) as u64;
            let within =
                |frame: u64| (start..start + size as u64).contains(&frame).then(|| (frame - start) as u32);
            let mut events: Vec<AnyEvent> = keys
                .iter()
                .flat_map(|&(from, key, to)| {
                    [within(to).map(|time| off(time, key)), within(from).map(|time| on(time, key))]
                })
                .flatten()
                .collect();
            // SAFETY: every event begins with its header.
            events.sort_by_key(|event| unsafe {
                (event.header.time, event.header.type_ == CLAP_EVENT_NOTE_ON)
            });
            instance.process(size, &events, None);
            assert_eq!(first_difference(&instance.left[..size], expected), None, "by {size} from {start}");
        }
    }
}

#[test]
fn events_are_exact_to_the_frame_at_any_block() {
    let song = song(DRUM, false);
    let mut begins = vec![];
    for size in [1_usize, 17, 63, 100, 279] {
        let mut instance = Instance::active(&song, RATE.into());
        let at = 1000;
        let mut all = vec![];
        while all.len() < 4000 {
            let (start, end) = (all.len(), all.len() + size);
            let events = [on(at.max(start) as u32 - start as u32, 36)];
            instance.process(size, if (start..end).contains(&at) { &events } else { &[] }, None);
            all.extend_from_slice(&instance.left[..size]);
        }
        begins.push(all.iter().position(|x| *x != 0.0).expect("it is heard"));
    }
    assert!(begins.iter().all(|begin| *begin == begins[0] && (1000..1010).contains(begin)), "{begins:?}");
}

#[test]
fn the_end_of_every_note_is_reported_and_then_it_sleeps() {
    let song = song(PAD, false);
    let mut instance = Instance::active(&song, RATE.into());
    // Six notes for four voices.
    let keys: Vec<i16> = (60..66).collect();
    let begin: Vec<AnyEvent> = keys.iter().map(|&key| on(10, key)).collect();
    assert_eq!(instance.process(256, &begin, None), CLAP_PROCESS_CONTINUE);
    assert_eq!(*instance.ended.borrow(), [(10, 60), (10, 61)], "their voices were taken");
    let end: Vec<AnyEvent> = keys.iter().map(|&key| off(7, key)).collect();
    instance.process(256, &end, None);
    let mut over: Vec<i16> = instance.ended.borrow().iter().map(|(_, key)| *key).collect();
    let mut status = CLAP_PROCESS_CONTINUE;
    for _ in 0..2000 {
        status = instance.process(256, &[], None);
        over.extend(instance.ended.borrow().iter().map(|(_, key)| *key));
        if status == CLAP_PROCESS_SLEEP {
            break;
        }
    }
    over.sort_unstable();
    assert_eq!(over, [62, 63, 64, 65]);
    assert_eq!(status, CLAP_PROCESS_SLEEP);
    instance.process(256, &[], None);
    assert!(instance.left[..256].iter().all(|x| *x == 0.0));
    assert_eq!(instance.process(256, &begin, None), CLAP_PROCESS_CONTINUE, "a note wakes it");
}

#[test]
fn notes_are_tuned_bent_and_held_by_the_pedal() {
    let song = song(PAD, false);
    let sound = |events: &[AnyEvent]| {
        let mut instance = Instance::active(&song, RATE.into());
        instance.process(4096, events, None);
        instance.left[..4096].to_vec()
    };
    let octave = sound(&[on(5, 72)]);
    assert_eq!(
        first_difference(&sound(&[on(5, 60), tuning(5, 60, 12.0)]), &octave),
        None,
        "tuned by an octave"
    );
    let other = sound(&[on(5, 60), tuning(5, 61, 12.0)]);
    assert_eq!(first_difference(&other, &sound(&[on(5, 60)])), None, "another note is tuned");
    assert!(first_difference(&sound(&[on(5, 60), tuning(900, 60, 7.0)]), &sound(&[on(5, 60)])) > Some(899));

    let key = |time, status: u8, key: u8| midi(time, [status, key, 100]);
    let plain = sound(&[key(5, 0x90, 62)]);
    let bent = sound(&[midi(5, [0xe0, 0x7f, 0x7f]), key(5, 0x90, 60)]);
    let off = plain.iter().zip(&bent).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        off < 0.02 && plain.iter().any(|x| x.abs() > 0.05),
        "bent by two semitones but for a 64th: {off}"
    );

    let held = sound(&[key(5, 0x90, 60), midi(900, [0xb0, 64, 127]), key(1000, 0x80, 60)]);
    assert_eq!(first_difference(&held, &sound(&[key(5, 0x90, 60)])), None, "the pedal holds it");
    let ends = [key(5, 0x90, 60), midi(900, [0xb0, 64, 127]), key(1000, 0x80, 60), midi(2000, [0xb0, 64, 0])];
    assert_eq!(first_difference(&sound(&ends), &sound(&[key(5, 0x90, 60), key(2000, 0x80, 60)])), None);
    let all_off = sound(&[key(5, 0x90, 60), midi(2000, [0xb0, 123, 0])]);
    assert_eq!(first_difference(&all_off, &sound(&ends)), None);
}

fn id(path: &str) -> u32 {
    Param::id_of(path)
}

#[test]
fn parameters_have_places_units_and_modulation() {
    let song = song(KNOBS, false);
    let names: Vec<&str> = song.manifest.params.iter().map(|param| &*param.path).collect();
    assert_eq!(names[..3], ["tone", "level", "kind"], "knobs come first");
    assert!(!names.iter().any(|name| name.ends_with(".bpm") || name.ends_with(".loop")), "{names:?}");
    let mut instance = Instance::active(&song, RATE.into());
    let tone = instance.value(id("tone")).unwrap();
    assert!((tone - (400_f64 / 20.0).ln() / 1000_f64.ln()).abs() < 1e-12, "{tone}");
    let (shown, again) = instance.text_of(id("tone"), 2.0 / 3.0).unwrap();
    assert_eq!(shown, "2000Hz");
    assert!((again - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(instance.text_of(id("level"), 0.25).unwrap(), ("0.25".into(), 0.25));
    instance.process(
        64,
        &[set(3, id("kind"), 1.7), set(4, id("level"), 7.0), set(4, id("tone"), f64::NAN)],
        None,
    );
    assert_eq!([id("kind"), id("level"), id("tone")].map(|id| instance.value(id).unwrap()), [2.0, 1.0, tone]);
    assert_eq!(instance.value(12345), None);

    let sound = |events: &[AnyEvent]| {
        let mut instance = Instance::active(&song, RATE.into());
        instance.process(4096, events, None);
        (instance.left[..4096].to_vec(), instance.value(id("level")).unwrap())
    };
    let (moved, value) = sound(&[on(0, 57), modulate(0, id("level"), 0.25)]);
    assert_eq!(value, 0.5, "the value itself stays");
    assert_eq!(first_difference(&moved, &sound(&[on(0, 57), set(0, id("level"), 0.75)]).0), None);
    let clamped = sound(&[on(0, 57), modulate(0, id("level"), 9.0)]).0;
    assert_eq!(first_difference(&clamped, &sound(&[on(0, 57), set(0, id("level"), 1.0)]).0), None);
}

#[test]
fn a_state_holds_all_values_and_damage_is_refused() {
    let song = song(KNOBS, false);
    let first = Instance::new(&song);
    first.flush(&[set(0, id("tone"), 0.123), set(0, id("level"), 0.1), set(0, id("kind"), 3.0)]);
    let state = first.save();
    let second = Instance::active(&song, 44_100.0);
    let before = RESCANS.load(Ordering::Relaxed);
    assert!(second.load(&state));
    assert!(RESCANS.load(Ordering::Relaxed) > before, "the host reads the values again");
    assert_eq!(second.save(), state);
    for param in &song.manifest.params {
        assert_eq!(second.value(param.id), first.value(param.id), "{}", param.path);
    }
    let text = String::from_utf8(state.clone()).unwrap();
    let with_other = text.clone() + "gone.with.an.edit 3ff0000000000000\n";
    assert!(second.load(with_other.as_bytes()), "what the song no longer has is passed over");
    let refused = [
        String::new(),
        text.replace("mam 1", "mam 2"),
        text[..text.len() - 1].to_string(),
        text[..text.len() - 9].to_string(),
        text.clone() + "level\n",
        text.clone() + "level 7ff8000000000000\n",
        text.clone() + "level +3f0000000000000\n",
    ];
    for damaged in refused {
        assert!(!second.load(damaged.as_bytes()), "{damaged}");
    }
    assert!(!second.load(&[0xff; 64]));
    assert_eq!(second.save(), state, "what was refused has changed nothing");
}

#[test]
fn values_stay_over_a_reset_and_reach_an_instance_that_plays() {
    let song = song(KNOBS, false);
    let after = |prepare: &dyn Fn(&mut Instance)| {
        let mut instance = Instance::active(&song, RATE.into());
        prepare(&mut instance);
        instance.process(2048, &[on(0, 57)], None);
        instance.left[..2048].to_vec()
    };
    let other = Instance::new(&song);
    other.flush(&[set(0, id("tone"), 0.8), set(0, id("level"), 0.9)]);
    let (state, plain) = (other.save(), after(&|_| {}));
    let loaded = after(&|instance| {
        assert!(instance.load(&state));
        instance.deactivate();
        assert!(instance.activate(RATE.into()));
    });
    assert!(first_difference(&plain, &loaded).is_some());
    let reset = after(&|instance| {
        instance.process(500, &[on(0, 40), set(0, id("tone"), 0.8), set(9, id("level"), 0.9)], None);
        instance.reset();
    });
    assert_eq!(first_difference(&reset, &loaded), None, "as if it had begun so");
    let live = after(&|instance| {
        assert!(instance.load(&state));
        // The smoothing of the knobs passes.
        instance.process(2048, &[], None);
        instance.reset();
    });
    assert_eq!(first_difference(&live, &loaded), None);
}

#[test]
fn a_score_follows_the_tempo_jumps_and_stops_of_the_host() {
    let text = "tempo 120\nbd = kick()\nplay { bd |x...x...x...x...| }\nlength 1 bars\nout = bd\n";
    let song = song(text, true);
    let begins = |sound: &[f32]| -> Vec<usize> {
        // A hit begins where it is loud after a quarter of a beat of quiet steps.
        let loud = sound.iter().enumerate().filter(|(_, x)| x.abs() > 0.01).map(|(at, _)| at);
        let mut begins: Vec<usize> = vec![];
        let mut last = None;
        for at in loud {
            if last.is_none_or(|last| at > last + 2000) {
                begins.push(at);
            }
            last = Some(at);
        }
        begins
    };
    let at_half = played(&song, 60.0, 4 * RATE as usize, 500);
    let hits = begins(&at_half);
    assert_eq!(hits.len(), 4, "{hits:?}");
    assert!(hits.windows(2).all(|pair| pair[1] - pair[0] == RATE as usize), "a second each: {hits:?}");

    // From the middle of a beat in the third pass: the next hit is half a beat away.
    let mut instance = Instance::active(&song, RATE.into());
    instance.process(16_000, &[], Some(&transport(Some(9.5), 120.0)));
    let hits = begins(&instance.left[..16_000]);
    assert!(hits.len() == 1 && (12_000..12_010).contains(&hits[0]), "{hits:?}");
    instance.process(1, &[], Some(&transport(None, 120.0)));
    let mut status = CLAP_PROCESS_CONTINUE;
    for _ in 0..200 {
        status = instance.process(4096, &[], Some(&transport(None, 120.0)));
    }
    assert_eq!(status, CLAP_PROCESS_SLEEP, "it stands");
    assert!(instance.left[..4096].iter().all(|x| *x == 0.0));
}

#[test]
fn lengths_in_beats_follow_the_tempo_of_the_host() {
    let song = song("bd = kick()\nout = tap(bd, 1 beats, max: 3s)\n", false);
    let heard_at = |tempo: Option<f64>| {
        let mut instance = Instance::active(&song, RATE.into());
        let stands = tempo.map(|tempo| transport(None, tempo));
        let mut all = vec![];
        for block in 0..20 {
            let events = [on(0, 36)];
            instance.process(4096, if block == 0 { &events } else { &[] }, stands.as_ref());
            all.extend_from_slice(&instance.left[..4096]);
        }
        all.iter().position(|x| x.abs() > 1e-3).unwrap()
    };
    let (own, slow) = (heard_at(None), heard_at(Some(60.0)));
    assert!((24_000..24_100).contains(&own) && (48_000..48_100).contains(&slow), "{own}, {slow}");
}

#[test]
fn a_song_hears_the_input() {
    let song = song("out = 0.5 * in\n", false);
    assert_eq!((song.manifest.inputs, song.manifest.features[0].as_str()), (2, "audio-effect"));
    let mut instance = Instance::active(&song, RATE.into());
    for (index, x) in instance.input.iter_mut().enumerate() {
        *x = (index % 97) as f32 / 97.0;
    }
    for size in [64, 17, 300] {
        instance.process(size, &[], None);
        assert!(instance.left[..size].iter().zip(&instance.input).all(|(out, x)| *out == 0.5 * x), "{size}");
    }
}

#[test]
fn ten_thousand_random_events_allocate_nothing_and_break_nothing() {
    for (text, plays) in [(KNOBS.to_string(), false), (PAD.to_string(), false), (example("groove.mam"), true)]
    {
        let song = song(&text, plays);
        let ids: Vec<u32> = song.manifest.params.iter().map(|param| param.id).chain([0, 7]).collect();
        let mut instance = Instance::active(&song, RATE.into());
        let mut dice = Dice(1);
        let mut given = 0;
        while given < 10_000 {
            let frames = 1 + dice.below(600) as usize;
            let mut events: Vec<AnyEvent> = (0..dice.below(60)).map(|_| dice.event(frames, &ids)).collect();
            // SAFETY: every event begins with its header.
            events.sort_by_key(|event| unsafe { event.header.time });
            given += events.len();
            let at = transport((dice.below(3) > 0).then(|| f64::from(dice.below(1000)) / 7.0), dice.number());
            let status = instance.process(frames, &events, Some(&at));
            assert_ne!(status, CLAP_PROCESS_ERROR);
            assert!(instance.left[..frames].iter().all(|x| x.is_finite()));
            match dice.below(40) {
                0 => instance.reset(),
                1 => instance.flush(&events),
                _ => {}
            }
        }
        // More than the queue holds, at one frame.
        let flood: Vec<AnyEvent> = (0..40_000).map(|i| set(5, ids[i % ids.len()], 0.5)).collect();
        assert_ne!(instance.process(64, &flood, None), CLAP_PROCESS_ERROR);
        let all_off = [note(CLAP_EVENT_NOTE_CHOKE, 0, -1, 0.0)];
        instance.process(64, &all_off, Some(&transport(None, 120.0)));
    }
}

#[test]
fn a_song_whose_files_are_damaged_is_refused_when_it_is_activated() {
    let package = package("bd = kick()\nout = bd\n", false);
    let bytes = package.to_bytes();
    // The last byte of the song, before the trailer of 56.
    let mut damaged = bytes.clone();
    damaged[bytes.len() - 57] ^= 1;
    for (bytes, whole) in [(bytes, true), (damaged, false)] {
        let song = opened(&bytes);
        assert_eq!(Instance::new(&song).activate(RATE.into()), whole);
        assert_eq!(song.ready(RATE).is_ok(), whole);
    }
}

/// A file of sound: 16 bits, mono.
fn wav(samples: &[i16]) -> Vec<u8> {
    let size = 2 * samples.len() as u32;
    let mut bytes = [b"RIFF", &(36 + size).to_le_bytes()[..], b"WAVEfmt ", &16_u32.to_le_bytes()].concat();
    bytes.extend([1, 0, 1, 0]);
    bytes.extend([RATE.to_le_bytes(), (2 * RATE).to_le_bytes()].concat());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend([b"data", &size.to_le_bytes()[..]].concat());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[test]
fn a_song_needs_none_of_its_files_once_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("parts")).unwrap();
    std::fs::write(path("parts/hit.wav"), wav(&[16_000; 500])).unwrap();
    let used = "instrument hit {\n  out = one_shot(sample(\"hit.wav\"), trig)\n}\n";
    std::fs::write(path("parts/hit.mam"), used).unwrap();
    std::fs::write(path("song.mam"), "use \"parts/hit.mam\"\nh = hit()\nout = h\n").unwrap();
    let read = mamc::input::Song::read(&path("song.mam"), None).unwrap();
    let packed =
        mamc::packing::pack(&read, false, mam_package::Settings::default(), Default::default()).unwrap();
    let names: Vec<&str> = packed.files.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["song.mam", "parts/hit.mam", "parts/hit.wav"]);
    folder.close().unwrap();
    let mut instance = Instance::active(&opened(&packed.to_bytes()), RATE.into());
    instance.process(1024, &[on(10, 60)], None);
    assert!((instance.left[200] - 16_000.0 / 32_768.0).abs() < 1e-3, "{}", instance.left[200]);
    assert!(instance.left[..10].iter().all(|x| *x == 0.0));
}

#[test]
fn an_instance_that_is_not_active_and_odd_rates_are_refused() {
    let song = song(DRUM, false);
    let mut instance = Instance::new(&song);
    assert_eq!(instance.process(64, &[], None), CLAP_PROCESS_ERROR);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
        assert!(!instance.activate(rate), "{rate}");
    }
    for rate in [8_000.0, 44_100.0, 192_000.0] {
        assert!(instance.activate(rate), "{rate}");
        assert_ne!(instance.process(64, &[on(0, 36)], None), CLAP_PROCESS_ERROR);
        instance.deactivate();
    }
}

/// Draws events.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % most
    }

    /// A number that may be anything.
    fn number(&mut self) -> f64 {
        match self.below(12) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -1e30,
            3 => 0.0,
            _ => f64::from(self.below(4000)) / 1000.0 - 1.0,
        }
    }

    fn event(&mut self, frames: usize, ids: &[u32]) -> AnyEvent {
        let time = self.below(frames as u32 + 3);
        let key = self.below(140) as i16 - 6;
        match self.below(8) {
            0 => set(time, ids[self.below(ids.len() as u32) as usize], self.number()),
            1 => modulate(time, ids[self.below(ids.len() as u32) as usize], self.number()),
            2 => tuning(time, key, self.number() * 50.0),
            3 => midi(time, [self.below(256) as u8, self.below(256) as u8, self.below(256) as u8]),
            4 | 5 => note(CLAP_EVENT_NOTE_OFF + self.below(2) as u16, time, key, 0.0),
            _ => {
                let mut event = note(CLAP_EVENT_NOTE_ON, time, key, self.number());
                event.note.port_index = self.below(5) as i16 - 1;
                event.note.channel = self.below(20) as i16 - 2;
                event
            }
        }
    }
}
