//! Songs made by hand: oscillators, an echo and a sum, as kernels in Rust.

use mam_runtime::control::{Options, Playing};
use mam_runtime::ids::{BufferId, DelayId, IdMap, ParamId, PortId, SignalId};
use mam_runtime::output::Frames;
use mam_runtime::render::EventSource;
use mam_runtime::score::{Held, Score};
use mam_runtime::*;
use std::sync::Arc;

pub(crate) const RATE: u32 = 48_000;
const ECHO: usize = 4096;
const ECHO_DELAY: usize = 3000;

/// Kernel 0: a sine of its port's frequency times its parameter, which stands still before its first note. Kernel 1: an echo. Kernel 2: a sum.
pub(crate) struct Kernels;

impl Code for Kernels {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        if form == Form::Setup {
            return;
        }
        for i in 0..call.frames as usize {
            // SAFETY: the programs below have these tables.
            unsafe {
                *(*call.outputs).add(i) = match kernel {
                    0 => sine(call, form, i),
                    1 => echo(call, i),
                    _ => {
                        (0..(*call.state.cast::<u32>())).map(|k| *(*call.inputs.add(k as usize)).add(i)).sum()
                    }
                };
            }
        }
    }
}

unsafe fn sine(call: &Call, form: Form, i: usize) -> f32 {
    // SAFETY: one word of state, one port, one parameter.
    unsafe {
        let phase = call.state.cast::<u32>();
        let gain = if form == Form::General { *(*call.moving).add(i) } else { *call.params as f32 };
        let port = &*call.ports;
        *phase = phase.read().wrapping_add((port.vel * port.freq / f64::from(RATE) * 4294967296.0) as u32);
        gain * port.vel as f32 * (f64::from(*phase) / 4294967296.0 * std::f64::consts::TAU).sin() as f32
    }
}

unsafe fn echo(call: &Call, i: usize) -> f32 {
    // SAFETY: one line, one input.
    unsafe {
        let (line, frame) = (*call.delays, call.frame as usize + i);
        let past = *line.add(frame.wrapping_sub(ECHO_DELAY) % ECHO);
        *line.add(frame % ECHO) = *(*call.inputs).add(i) + 0.5 * past;
        past
    }
}

/// A song of oscillators (name and gain) through one echo.
pub(crate) fn song(voices: &[(&str, f64)]) -> Arc<Program> {
    song_at(RATE, voices)
}

/// The same at another rate. Its echo is as many frames later, and its pitch follows the rate.
pub(crate) fn song_at(rate: u32, voices: &[(&str, f64)]) -> Arc<Program> {
    let count = voices.len();
    let mut steps: Vec<Step> = voices.iter().enumerate().map(|(i, (name, _))| oscillator(i, name)).collect();
    let step = |name: &str, kernel, state| Step {
        name: name.into(),
        parts: vec![StepPart { name: name.into(), outputs: 0..1, ..StepPart::default() }],
        kernel,
        state,
        state_bytes: 16,
        ..Step::default()
    };
    let inputs: Vec<SignalId> = (0..count).map(SignalId::new).collect();
    steps.push(Step {
        inputs: inputs.clone(),
        outputs: vec![SignalId::new(count)],
        ..step("sum", 2, 16 * count)
    });
    steps.push(Step {
        inputs: vec![SignalId::new(count)],
        outputs: vec![SignalId::new(count + 1)],
        delays: vec![DelayId::new(0)],
        ..step("echo", 1, 0)
    });
    let state = 16 * (count + 1);
    steps.push(Step {
        inputs: vec![SignalId::new(count), SignalId::new(count + 1)],
        outputs: vec![SignalId::new(count + 2)],
        ..step("out", 2, state)
    });
    let gain = |(name, default): &(&str, f64)| ParamSlot {
        name: format!("{name}.gain").into(),
        default: *default,
        min: 0.0,
        max: 1.0,
        curve: Curve::Linear,
        smooth: 0,
        follows: None,
    };
    let target = |(port, (name, _)): (usize, &(&str, f64))| Target {
        name: (*name).into(),
        voices: vec![PortId::new(port)],
        monitor: None,
        default_note: 60.0,
        midi: Default::default(),
        bpm: ParamId::new(0),
        looped: ParamId::new(0),
        note_params: vec![],
        priority: None,
        outside: None,
        sent: vec![],
    };
    let mut image = vec![0; state + 16];
    image[16 * count] = count as u8;
    image[state] = 2;
    Arc::new(Program {
        rate,
        latency: 0,
        layout: ChannelLayout::default(),
        code: Arc::new(Kernels),
        steps,
        state: image.into(),
        delays: IdMap::from(vec![DelaySpec { name: "echo.line".into(), frames: ECHO, reach: ECHO }]),
        buffers: (0..count + 3).map(BufferId::new).collect(),
        inputs: vec![],
        outputs: vec![SignalId::new(count + 2), SignalId::new(count + 2)],
        params: voices.iter().map(gain).collect(),
        names: Arc::default(),
        ports: count,
        targets: voices.iter().enumerate().map(target).collect(),
        score: Score::default(),
    })
}

fn oscillator(index: usize, name: &str) -> Step {
    let phase = StateWord { name: "phase".into(), offset: 0, bytes: 4 };
    let states = Arc::new([phase]);
    Step {
        name: name.into(),
        parts: vec![StepPart { name: name.into(), states, ports: vec![0], voices: 0..0, outputs: 0..1 }],
        kernel: 0,
        state: 16 * index,
        state_bytes: 16,
        params: vec![ParamId::new(index)],
        per_call: vec![false],
        outputs: vec![SignalId::new(index)],
        ports: vec![PortId::new(index)],
        ..Step::default()
    }
}

/// Each oscillator plays a note every 5000 frames, its own; and its gain moves.
pub(crate) struct Notes;

impl Playing for Notes {
    fn events(&self, program: &Arc<Program>, from: u64, _: Option<&Held>) -> Box<dyn EventSource + Send> {
        Box::new(Ticks::new(program, from))
    }

    fn place(&self, _: &Program, frame: u64, _: &Program) -> u64 {
        frame
    }

    fn next_bar(&self, _: &Program, frame: u64) -> u64 {
        frame.next_multiple_of(20_000)
    }
}

struct Ticks {
    program: Arc<Program>,
    next: u64,
}

impl Ticks {
    fn new(program: &Arc<Program>, next: u64) -> Ticks {
        Ticks { program: program.clone(), next }
    }
}

impl EventSource for Ticks {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        while self.next < until {
            let (frame, beat) = (self.next, self.next / 1000);
            if frame.is_multiple_of(1000) {
                for port in 0..self.program.ports {
                    let note = 40.0
                        + ((beat * 7 + u64::from(self.program.targets[port].name.as_bytes()[0])) % 24) as f64;
                    let on = EventKind::On { port: PortId::new(port), note, vel: 1.0 };
                    let ramp = EventKind::Set {
                        param: ParamId::new(port),
                        value: 0.1 + (beat % 3) as f64 * 0.1,
                        ramp: 900,
                        curve: None,
                    };
                    if beat.is_multiple_of(5) {
                        out.push(Event { frame, kind: ramp });
                        out.push(Event { frame, kind: on });
                    }
                }
            }
            self.next += 1;
        }
    }
}

/// The song without edits.
pub(crate) fn offline(program: Arc<Program>, frames: usize) -> Vec<f32> {
    let ticks = Ticks::new(&program, 0);
    let mut renderer = Renderer::new(program, ticks, 1, 0, Length::Frames(frames as u64));
    let mut sound = vec![];
    while let Some(block) = renderer.next_block() {
        sound.extend_from_slice(&block[0]);
    }
    sound
}

pub(crate) fn start(program: Arc<Program>) -> (Control, Live) {
    Control::new(program, Box::new(Notes), Options { channels: 2, playing: true, limit: true })
}

/// Callback sizes as devices have them, and worse.
pub(crate) struct Sizes(pub(crate) u32);

impl Sizes {
    pub(crate) fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let sizes = [1, 42, 64, 170, 240, 512, 528, 529, 682, 960, 1024, 9600];
        sizes[(self.0 >> 16) as usize % sizes.len()]
    }
}

/// One callback, interleaved or planar; both channels are the same song.
pub(crate) fn callback(live: &mut Live, frames: usize, planar: bool, sound: &mut Vec<f32>) {
    let (mut left, mut right) = (vec![f32::NAN; frames], vec![f32::NAN; frames]);
    if planar {
        crate::guard::on_audio_thread(|| live.process(&mut Frames::Planar(&mut [&mut left, &mut right])));
    } else {
        let mut data = vec![f32::NAN; 2 * frames];
        crate::guard::on_audio_thread(|| {
            live.process(&mut Frames::Interleaved { data: &mut data, channels: 2 })
        });
        left = data.iter().step_by(2).copied().collect();
        right = data.iter().skip(1).step_by(2).copied().collect();
    }
    assert_eq!(left, right);
    sound.extend(left);
}
