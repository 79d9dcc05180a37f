//! The engine against a kernel written by hand, and against a model that knows no blocks.

use super::tail::TailDetector;
use super::*;
use crate::ids::{BufferId, IdMap, ParamId, PortId, SignalId};
use crate::program::*;
use crate::score::Score;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

#[cfg(target_arch = "x86_64")]
mod ahead;

/// A decaying pulse times a parameter: its state is the envelope and the word that says that it may sleep.
/// Writes down how it is called.
#[derive(Default)]
struct Pulse {
    calls: Mutex<Vec<(Form, u32, u32)>>,
}

const DECAY: f32 = 0.99;
const QUIET: f32 = 0.01;
const ENVELOPE: usize = 16;
const UNTIL: usize = 20;

impl Code for Pulse {
    unsafe fn call(&self, _: u32, form: Form, call: &Call) {
        self.calls.lock().unwrap().push((form, call.frame, call.frames));
        // SAFETY: the program below has these tables.
        unsafe {
            let held = call.state.cast::<f32>();
            let envelope = call.state.add(ENVELOPE).cast::<f32>();
            let port = &*call.ports;
            if form == Form::Setup {
                *held = *call.params as f32 * port.vel as f32;
                return;
            }
            for i in 0..call.frames as usize {
                let started = form == Form::General && port.trig != 0 && i == 0;
                *envelope = if started { 1.0 } else { *envelope * DECAY };
                let gain =
                    if form == Form::General { *(*call.moving).add(i) * port.vel as f32 } else { *held };
                *(*call.outputs).add(i) = gain * *envelope;
            }
            *call.state.add(UNTIL).cast::<u32>() = u32::from(*envelope < QUIET);
        }
    }
}

fn program(curve: Curve, smooth: u32) -> (Arc<Program>, Arc<Pulse>) {
    let code = Arc::new(Pulse::default());
    let voice = StepVoice { port: 0, until: UNTIL, bytes: vec![16..20, 20..32], delays: 0..0 };
    let part =
        StepPart { name: "bd".into(), ports: vec![0], voices: 0..1, outputs: 0..1, ..StepPart::default() };
    let step = Step {
        name: "bd".into(),
        parts: vec![part],
        state_bytes: 32,
        params: vec![ParamId::new(0)],
        per_call: vec![false],
        outputs: vec![SignalId::new(0)],
        ports: vec![PortId::new(0)],
        voices: vec![voice],
        ..Step::default()
    };
    let gain =
        ParamSlot { name: "bd.gain".into(), default: 0.5, min: 0.0, max: 2.0, curve, smooth, follows: None };
    let program = Program {
        rate: 48000,
        latency: 0,
        layout: crate::ChannelLayout::default(),
        code: code.clone(),
        steps: vec![step],
        state: vec![0; 32].into(),
        delays: IdMap::default(),
        buffers: IdMap::from(vec![BufferId::new(0)]),
        inputs: vec![],
        outputs: vec![SignalId::new(0)],
        params: IdMap::from(vec![gain]),
        names: Arc::default(),
        ports: 1,
        targets: vec![],
        score: Score::default(),
    };
    (Arc::new(program), code)
}

fn set(frame: u64, value: f64, ramp: u32) -> Event {
    Event { frame, kind: EventKind::Set { param: ParamId::new(0), value, ramp, curve: None } }
}

fn on(frame: u64) -> Event {
    Event { frame, kind: EventKind::On { port: PortId::new(0), note: 69.0, vel: 1.0 } }
}

fn off(frame: u64) -> Event {
    Event { frame, kind: EventKind::Off { port: PortId::new(0) } }
}

/// Renders in pieces of the given sizes, again and again.
fn render(program: Arc<Program>, events: &[Event], frames: usize, pieces: &[usize]) -> Vec<f32> {
    let mut engine = Engine::new(program);
    events.iter().for_each(|event| engine.schedule(*event));
    let mut out = vec![f32::NAN; frames];
    let (mut done, mut turn) = (0, 0);
    while done < frames {
        let end = frames.min(done + pieces[turn % pieces.len()]);
        engine.process(&mut [&mut out[done..end]]);
        (done, turn) = (end, turn + 1);
    }
    out
}

/// The same sound, frame by frame: `gain` is what the parameter is at each frame.
fn model(frames: usize, notes: &[u64], gain: impl Fn(u64) -> f64) -> Vec<f32> {
    let mut envelope = 0.0_f32;
    let sample = |frame| {
        envelope = if notes.contains(&frame) { 1.0 } else { envelope * DECAY };
        gain(frame) as f32 * envelope
    };
    (0..frames as u64).map(sample).collect()
}

#[test]
fn every_pattern_of_calls_gives_the_bits_of_the_model() {
    let events = [on(5), set(40, 1.5, 100), on(64), off(65), on(190), set(191, 0.25, 0), off(200), on(255)];
    let gain = |frame| match frame {
        0..40 => 0.5,
        40..139 => 0.5 + (1.5 - 0.5) * ((frame - 39) as f64 / 100.0),
        139..191 => 1.5,
        _ => 0.25,
    };
    let expected = model(600, &[5, 64, 190, 255], gain);
    for pieces in [&[1][..], &[17], &[64], &[279], &[1024], &[3, 64, 1, 200]] {
        assert_eq!(render(program(Curve::Linear, 0).0, &events, 600, pieces), expected, "{pieces:?}");
    }
}

/// Renders in blocks of the given sizes, again and again; each knows the events up to its own end alone.
fn render_blocks(engine: &mut Engine, events: &[Event], frames: usize, blocks: &[usize]) -> Vec<f32> {
    let mut out = vec![f32::NAN; frames];
    let (mut done, mut events) = (0, events.iter().peekable());
    for size in blocks.iter().cycle() {
        let end = frames.min(done + size);
        while let Some(event) = events.next_if(|event| event.frame < end as u64) {
            engine.schedule(*event);
        }
        engine.process_block(&[], &mut [&mut out[done..end]]);
        assert_eq!(
            (engine.position(), engine.horizon()),
            (end as u64, end as u64),
            "nothing is rendered ahead"
        );
        done = end;
        if done == frames {
            break;
        }
    }
    out
}

const BLOCKS: [&[usize]; 8] = [&[1], &[17], &[63], &[64], &[100], &[279], &[1024], &[3, 64, 1, 200, 128]];

#[test]
fn a_block_hears_the_events_up_to_its_end_at_their_frames() {
    let events = [on(5), set(40, 1.5, 100), on(64), off(65), on(190), set(191, 0.25, 0), off(200), on(255)];
    let known = render(program(Curve::Linear, 0).0, &events, 600, &[64]);
    for blocks in BLOCKS {
        let mut engine = Engine::new(program(Curve::Linear, 0).0);
        assert_eq!(render_blocks(&mut engine, &events, 600, blocks), known, "{blocks:?}");
    }
}

#[test]
fn events_may_come_at_every_frame_of_every_block() {
    let gain = |frame: u64| 0.25 + (frame % 7) as f64 / 8.0;
    let events: Vec<Event> =
        (0..600).flat_map(|frame| [set(frame, gain(frame), 0), off(frame), on(frame)]).collect();
    let notes: Vec<u64> = (0..600).collect();
    let expected = model(600, &notes, gain);
    for blocks in BLOCKS {
        let mut engine = Engine::new(program(Curve::Linear, 0).0);
        assert_eq!(render_blocks(&mut engine, &events, 600, blocks), expected, "{blocks:?}");
    }
    assert_eq!(render(program(Curve::Linear, 0).0, &events, 600, &[64]), expected);
}

#[test]
fn an_event_for_a_frame_that_is_rendered_happens_at_the_next_one() {
    let mut engine = Engine::new(program(Curve::Linear, 0).0);
    let mut out = [0.0; 30];
    engine.process_block(&[], &mut [&mut out[..10]]);
    engine.schedule(on(3));
    engine.process_block(&[], &mut [&mut out[10..]]);
    assert_eq!(out[..], model(30, &[10], |_| 0.5));
}

#[test]
fn a_block_may_follow_what_was_rendered_ahead_and_the_other_way_round() {
    let events = [on(5), set(40, 1.5, 100), on(130), off(131), on(200)];
    let known = render(program(Curve::Linear, 0).0, &events, 400, &[64]);
    let mut engine = Engine::new(program(Curve::Linear, 0).0);
    events.iter().for_each(|event| engine.schedule(*event));
    let mut out = vec![f32::NAN; 400];
    for (index, block) in out.chunks_mut(37).enumerate() {
        match index % 3 {
            0 => engine.process(&mut [block]),
            _ => engine.process_block(&[], &mut [block]),
        }
    }
    assert_eq!(out, known);
}

#[test]
fn a_reset_engine_is_a_new_one() {
    let first = [on(5), set(40, 1.5, 100), on(64), set(70, 0.1, 1000), on(90_000), set(90_001, 2.0, 0)];
    let second = [set(3, 1.0, 30), on(9), off(20), on(400), set(401, 0.0, 50)];
    for curve in [Curve::Linear, Curve::Exp] {
        for blocks in BLOCKS {
            let mut fresh = Engine::new(program(curve, 7).0);
            let expected = render_blocks(&mut fresh, &second, 700, blocks);
            let mut engine = Engine::new(program(curve, 7).0);
            first.iter().for_each(|event| engine.schedule(*event));
            let mut out = [0.0; 333];
            engine.process(&mut [&mut out]);
            engine.reset();
            assert_eq!((engine.position(), engine.horizon(), engine.awake()), (0, 0, 0));
            assert!(engine.events().is_empty());
            assert_eq!(render_blocks(&mut engine, &second, 700, blocks), expected, "{blocks:?}");
        }
    }
}

#[test]
fn what_falls_asleep_is_known_outside_and_then_all_is_silent() {
    let mut engine = Engine::new(program(Curve::Linear, 0).0);
    let asleep = |engine: &mut Engine| {
        let mut ports = vec![];
        engine.take_asleep(|port| ports.push(port));
        ports
    };
    let mut out = [0.0; 50];
    engine.process_block(&[], &mut [&mut out]);
    assert!(engine.is_silent() && asleep(&mut engine).is_empty(), "before the first note");
    [on(60), off(70)].into_iter().for_each(|event| engine.schedule(event));
    let mut slept_at = None;
    for _ in 0..30 {
        let before = engine.is_silent();
        engine.process_block(&[], &mut [&mut out]);
        if asleep(&mut engine) == [PortId::new(0)] {
            assert_eq!(slept_at.replace(engine.position()), None, "it is said once");
        }
        assert!(engine.is_silent() || slept_at.is_none() || !before);
    }
    // The envelope is below QUIET after 459 frames, and a voice falls asleep at its quantum's end.
    assert_eq!(slept_at, Some(600));
    assert!(engine.is_silent() && engine.awake() == 0);
    engine.schedule(on(engine.position() + 49));
    engine.process_block(&[], &mut [&mut out]);
    assert!(!engine.is_silent() && out[48] == 0.0 && out[49] == 0.5);
    assert_eq!(asleep(&mut engine), []);
}

#[test]
fn a_ramp_is_cut_short_by_a_set_and_begins_where_the_last_one_was() {
    let events = [on(0), set(10, 1.5, 100), set(30, 0.5, 20), set(500, 9.0, 0)];
    let middle = 0.5 + 20.0 / 100.0;
    let gain = |frame| match frame {
        0..10 => 0.5,
        10..30 => 0.5 + f64::from(frame as u32 - 9) / 100.0,
        30..50 => middle + (0.5 - middle) * ((frame - 29) as f64 / 20.0),
        50..500 => 0.5,
        _ => 2.0,
    };
    assert_eq!(render(program(Curve::Linear, 0).0, &events, 600, &[64]), model(600, &[0], gain));
}

#[test]
fn curves_and_smoothing_are_what_the_format_says() {
    let exp = |frame: u64| match frame {
        0..10 => 0.5,
        10..59 => 0.5 + (1.0 - libm::exp(-3.0 * ((frame - 9) as f64 / 50.0))) / (1.0 - libm::exp(-3.0)),
        _ => 1.5,
    };
    let events = [on(0), set(10, 1.5, 50)];
    assert_eq!(render(program(Curve::Exp, 0).0, &events, 200, &[64]), model(200, &[0], exp));
    let step = |frame| if frame < 10 { 0.5 } else { 1.5 };
    assert_eq!(render(program(Curve::Step, 0).0, &events, 200, &[64]), model(200, &[0], step));
    let smooth = |frame: u64| match frame {
        0..10 => 0.5,
        10..74 => 0.5 + (frame - 9) as f64 / 64.0,
        _ => 1.5,
    };
    let events = [on(0), set(10, 1.5, 0)];
    assert_eq!(render(program(Curve::Exp, 64).0, &events, 200, &[64]), model(200, &[0], smooth));
}

#[test]
fn only_stretches_with_a_beginning_or_a_movement_are_general() {
    let (program, code) = program(Curve::Linear, 0);
    render(program, &[on(5), set(70, 1.0, 10), set(100, 2.0, 0)], 192, &[64]);
    let expected = [
        (Form::General, 5, 1),
        (Form::Setup, 6, 58),
        (Form::Steady, 6, 58),
        (Form::Steady, 64, 6),
        (Form::General, 70, 10),
        (Form::Setup, 80, 20),
        (Form::Steady, 80, 20),
        (Form::Setup, 100, 28),
        (Form::Steady, 100, 28),
        (Form::Steady, 128, 64),
    ];
    assert_eq!(*code.calls.lock().unwrap(), expected);
}

#[test]
fn a_voice_sleeps_once_it_may_and_starts_anew() {
    let (program, code) = program(Curve::Linear, 0);
    let sound = render(program.clone(), &[on(0), off(10), on(2000)], 4000, &[64]);
    let last = code.calls.lock().unwrap().iter().filter(|call| call.1 < 2000).map(|call| call.1).max();
    // The envelope is below QUIET after 459 frames: in the eighth quantum.
    assert_eq!(last, Some(448));
    assert!(sound[512..2000].iter().all(|x| x.to_bits() == 0));
    assert_eq!(sound[2000..2448], sound[..448]);

    code.calls.lock().unwrap().clear();
    render(program, &[on(0)], 4000, &[64]);
    let calls = code.calls.lock().unwrap();
    assert_eq!(calls.iter().map(|call| call.1).max(), Some(3968), "a held note does not sleep");
}

#[test]
fn the_songs_input_arrives_frame_by_frame() {
    struct Copy;
    impl Code for Copy {
        unsafe fn call(&self, _: u32, form: Form, call: &Call) {
            if form != Form::Setup {
                // SAFETY: the program below has one input and one output.
                unsafe { (*call.outputs).copy_from_nonoverlapping(*call.inputs, call.frames as usize) };
            }
        }
    }
    let step = Step {
        name: "out".into(),
        inputs: vec![SignalId::new(0)],
        outputs: vec![SignalId::new(1)],
        ..Step::default()
    };
    let (base, _) = program(Curve::Linear, 0);
    let program = Program {
        code: Arc::new(Copy),
        steps: vec![step],
        state: Arc::default(),
        buffers: IdMap::from(vec![BufferId::new(0), BufferId::new(1)]),
        inputs: vec![SignalId::new(0)],
        outputs: vec![SignalId::new(1)],
        params: IdMap::default(),
        names: Arc::default(),
        ports: 0,
        targets: vec![],
        delays: IdMap::default(),
        score: Score::default(),
        rate: base.rate,
        latency: base.latency,
        layout: base.layout,
    };
    let mut engine = Engine::new(Arc::new(program));
    let signal: Vec<f32> = (1..=100).map(|i| i as f32).collect();
    engine.feed(&[&signal, &signal]);
    let (mut left, mut right) = ([0.0; 150], [0.0; 150]);
    engine.process(&mut [&mut left, &mut right]);
    assert_eq!(left[..100], signal);
    assert!(left[100..].iter().all(|&x| x == 0.0));
    assert_eq!(left, right);
}

#[test]
fn a_render_ends_with_the_last_sound_of_its_tail() {
    use crate::render::{Length, Renderer};
    let whole = |length| {
        let events = vec![on(100), off(200)].into_iter();
        let mut renderer = Renderer::new(program(Curve::Linear, 0).0, events, 1, 0, length);
        let mut sound = vec![];
        while let Some(block) = renderer.next_block() {
            sound.extend_from_slice(&block[0]);
        }
        sound
    };
    let tail = whole(Length::WithTail(300));
    // Asleep from frame 576 on; until then nothing is below the limit of quietness.
    assert_eq!(tail.len(), 576);
    assert_eq!(whole(Length::Frames(1000))[..576], tail);
    assert_eq!(whole(Length::Frames(1000)).len(), 1000);
    assert_eq!(whole(Length::WithTail(5000)).len(), 5000);
}

#[test]
fn a_tap_is_the_nodes_own_sound() {
    let mut engine = Engine::new(program(Curve::Linear, 0).0);
    [on(3), off(50)].into_iter().for_each(|event| engine.schedule(event));
    assert_eq!(engine.tap("sd"), None);
    assert_eq!(engine.tap("bd"), Some(1));
    let (mut left, mut right, mut tapped) = ([0.0; 700], [0.0; 700], [1.0; 700]);
    engine.process(&mut [&mut left, &mut right, &mut tapped]);
    assert_eq!(left, right);
    assert_eq!(left, tapped);
    assert!(left[3] == 0.5 && left[699] == 0.0);
}

/// In a quantum by the call list only the steps whose tail is counted are asked; a disturbed one begins anew all the same.
#[test]
fn what_is_disturbed_waits_again_for_the_whole_of_its_longest_line() {
    let mut tail = TailDetector::new(true, 128);
    let silent = |tail: &mut TailDetector| {
        tail.begin(true, false);
        tail.end(|| true)
    };
    assert_eq!([silent(&mut tail), silent(&mut tail)], [false, false]);
    tail.begin(true, true);
    assert_eq!([silent(&mut tail), silent(&mut tail), silent(&mut tail)], [false, false, true]);
    assert!(tail.is_asleep());
}

/// Buffers may be shared, but not by signals that are there at one time.
#[test]
fn a_signal_that_is_overwritten_before_it_is_read_is_a_fault() {
    let (whole, _) = program(Curve::Linear, 0);
    let step = |inputs: &[usize], output| Step {
        inputs: inputs.iter().map(|&signal| SignalId::new(signal)).collect(),
        outputs: vec![SignalId::new(output)],
        ..Step::default()
    };
    let is_whole = |buffers: [usize; 4], output| {
        let steps = vec![step(&[], 0), step(&[], 1), step(&[0, 1], 2), step(&[2], 3)];
        Program {
            steps,
            buffers: buffers.map(BufferId::new).into_iter().collect(),
            outputs: vec![SignalId::new(output)],
            ..(*whole).clone()
        }
        .check()
        .is_ok()
    };
    assert!(is_whole([0, 1, 2, 3], 3) && is_whole([0, 1, 2, 0], 3));
    assert!(!is_whole([0, 0, 1, 2], 3), "an input of the third step is gone");
    assert!(!is_whole([0, 1, 0, 2], 3), "the third step writes where it reads");
    assert!(!is_whole([0, 1, 2, 0], 0), "the result is gone");
}

#[cfg(target_arch = "x86_64")]
/// How often the copying kernel of [`Halved`] has run.
static COPIES_MADE: AtomicUsize = AtomicUsize::new(0);

#[cfg(target_arch = "x86_64")]
/// Kernel 0 copies its input, kernel 1 halves it. As machine code, so that quanta go by the call list.
struct Halved;

#[cfg(target_arch = "x86_64")]
unsafe extern "sysv64" fn copy(call: *const Call) {
    COPIES_MADE.fetch_add(1, Relaxed);
    // SAFETY: the program below has these tables.
    unsafe { scale(&*call, 1.0) }
}

#[cfg(target_arch = "x86_64")]
unsafe extern "sysv64" fn halve(call: *const Call) {
    // SAFETY: the program below has these tables.
    unsafe { scale(&*call, 0.5) }
}

#[cfg(target_arch = "x86_64")]
unsafe fn scale(call: &Call, factor: f32) {
    for i in 0..call.frames as usize {
        // SAFETY: the caller's promise.
        unsafe { *(*call.outputs).add(i) = *(*call.inputs).add(i) * factor };
    }
}

#[cfg(target_arch = "x86_64")]
impl Code for Halved {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        if let Some(function) = self.function(kernel, form).filter(|_| form != Form::Setup) {
            // SAFETY: the caller's promise.
            unsafe { function(call) }
        }
    }

    fn function(&self, kernel: u32, _: Form) -> Option<KernelFn> {
        Some(if kernel == 0 { copy } else { halve })
    }
}

/// The song's input, copied, and the copy halved, which is the result.
#[cfg(target_arch = "x86_64")]
fn halved_copy() -> Program {
    let step = |kernel, input, output| Step {
        kernel,
        inputs: vec![SignalId::new(input)],
        outputs: vec![SignalId::new(output)],
        parts: vec![StepPart { outputs: 0..1, ..StepPart::default() }],
        ..Step::default()
    };
    let copies = Step { copies: vec![SignalId::new(0)], ..step(0, 0, 1) };
    let halves = Step { params: vec![ParamId::new(0)], per_call: vec![false], ..step(1, 1, 2) };
    Program {
        code: Arc::new(Halved),
        steps: vec![copies, halves],
        state: Arc::default(),
        buffers: (0..3).map(BufferId::new).collect(),
        inputs: vec![SignalId::new(0)],
        outputs: vec![SignalId::new(2)],
        ports: 0,
        ..(*program(Curve::Linear, 0).0).clone()
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn what_hears_a_copy_hears_its_source_where_nothing_happens() {
    const QUANTA: usize = 10;
    let mut engine = Engine::new(Arc::new(halved_copy()));
    engine.schedule(set(300, 1.5, 0));
    let input: Vec<f32> = (1..=QUANTA * QUANTUM).map(|i| i as f32).collect();
    let mut out = vec![0.0; input.len()];
    for (input, out) in input.chunks(QUANTUM).zip(out.chunks_mut(QUANTUM)) {
        engine.process_block(&[input], &mut [out]);
    }
    assert!(out.iter().zip(&input).all(|(out, input)| *out == input * 0.5));
    // The first quantum sets up, and in another one a parameter is set.
    assert_eq!(COPIES_MADE.load(Relaxed), 2);
}

#[test]
fn a_step_that_copies_is_needed_where_its_source_is_gone_or_it_is_not_alone() {
    let (whole, _) = program(Curve::Linear, 0);
    let signals = |indices: &[usize]| indices.iter().map(|&index| SignalId::new(index)).collect::<Vec<_>>();
    let step = |inputs: &[usize], output: usize, copies: bool| Step {
        inputs: signals(inputs),
        outputs: signals(&[output]),
        copies: signals(if copies { inputs } else { &[] }),
        ..Step::default()
    };
    // The song's input is copied, and the copy as well; two steps hear the latter.
    let idle = |buffers: [usize; 5], outputs: &[usize]| {
        let steps =
            vec![step(&[0], 1, true), step(&[1], 2, true), step(&[2], 3, false), step(&[2, 3], 4, false)];
        let buffers = buffers.map(BufferId::new).into_iter().collect();
        let outputs = signals(outputs);
        call_list::Copies::new(&Program {
            steps,
            buffers,
            inputs: signals(&[0]),
            outputs,
            ..(*whole).clone()
        })
    };
    let all = idle([0, 1, 2, 3, 4], &[4]);
    assert_eq!(all.idle, [true, true, false, false]);
    assert_eq!(all.sources[SignalId::new(2)], SignalId::new(0));
    assert_eq!(idle([0, 1, 2, 3, 4], &[2, 4]).idle, [true, true, false, false]);
    let gone = idle([0, 1, 2, 0, 4], &[4]);
    assert_eq!(gone.idle, [true, false, false, false], "the third step writes over the source");
    assert_eq!(gone.sources[SignalId::new(2)], SignalId::new(2));
}
