//! One kick or clap: its parameters as they move, and its sound.

use serde_json::Value;
use std::f64::consts::TAU;

/// Frames that are rendered at a time; a voice falls silent at the end of one.
const QUANTUM: u64 = 64;
/// A voice whose envelope is below this is silent.
const SILENT: f64 = 5e-5;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Kick,
    Clap,
}

/// How a parameter moves.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Linear,
    Exp,
    Step,
}

/// Name in JSON, range, default, shape: `json-v1`'s table.
type Row = (&'static str, f64, f64, f64, Shape);

const KICK: &[Row] = &[
    ("f0", 40.0, 200.0, 100.0, Shape::Linear),
    ("fend", 20.0, 120.0, 40.0, Shape::Linear),
    ("pitchDecayMs", 10.0, 200.0, 60.0, Shape::Exp),
    ("ampDecayMs", 50.0, 400.0, 200.0, Shape::Exp),
    ("gain", 0.0, 1.5, 0.9, Shape::Linear),
    ("click", 0.0, 1.0, 0.0, Shape::Step),
    ("bpm", 0.0, 300.0, 0.0, Shape::Step),
    ("loop", 0.0, 1.0, 0.0, Shape::Step),
];

const CLAP: &[Row] = &[
    ("ampDecayMs", 20.0, 300.0, 180.0, Shape::Exp),
    ("gain", 0.0, 1.5, 0.8, Shape::Linear),
    ("bpm", 0.0, 300.0, 0.0, Shape::Step),
    ("loop", 0.0, 1.0, 0.0, Shape::Step),
];

/// A parameter on its way.
#[derive(Clone)]
struct Moving {
    row: Row,
    value: f64,
    from: f64,
    to: f64,
    /// Frames of the ramp, and how many are done.
    frames: u64,
    done: u64,
}

impl Moving {
    fn write(&mut self, value: f64, frames: u64) {
        let (_, low, high, _, shape) = self.row;
        let to = value.clamp(low, high);
        let frames = if shape == Shape::Step { 0 } else { frames };
        if frames == 0 {
            self.value = to;
        }
        (self.from, self.to, self.frames, self.done) = (self.value, to, frames, 0);
    }

    /// Goes on to this frame's value.
    fn advance(&mut self) {
        if self.done == self.frames {
            return;
        }
        self.done += 1;
        let x = self.done as f64 / self.frames as f64;
        let part =
            if self.row.4 == Shape::Exp { (1.0 - (-3.0 * x).exp()) / (1.0 - (-3.0_f64).exp()) } else { x };
        self.value =
            if self.done == self.frames { self.to } else { self.from + (self.to - self.from) * part };
    }
}

/// How a parameter is called.
#[derive(Clone)]
pub(super) enum Name {
    /// By its place in the list, from 1.
    Id(usize),
    /// `pitchDecayMs` or `PITCH_DECAY_MS`, in any case.
    Text(String),
}

/// A write to a parameter.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) param: Name,
    pub(super) value: f64,
    pub(super) frames: u64,
}

/// A node with everything that will happen to it.
#[derive(Clone)]
pub(super) struct Voice {
    kind: Kind,
    rate: f64,
    params: Vec<Moving>,
    changes: Vec<(u64, Change)>,
    /// Whether it has fallen silent since its last trigger.
    over: bool,
    triggers: Vec<u64>,
    looped: bool,
    pub(super) has_pattern: bool,
    next_change: usize,
    age: Option<u64>,
    phase: f64,
}

impl Voice {
    pub(super) fn new(node: &Value, rate: u32) -> Voice {
        let (kind, rows) = match node["type"].as_str() {
            Some("kick") => (Kind::Kick, KICK),
            Some("clap") => (Kind::Clap, CLAP),
            other => panic!("the oracle knows no {other:?}"),
        };
        let given = |name: &str| match &node["params"][name] {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            value => value.as_f64(),
        };
        let start = |&row: &Row| {
            let value = given(row.0).unwrap_or(row.3).clamp(row.1, row.2);
            Moving { row, value, from: value, to: value, frames: 0, done: 0 }
        };
        let rate = f64::from(rate);
        let params = rows.iter().map(start).collect();
        let (changes, triggers) = (vec![], vec![]);
        let looped = false;
        let mut voice = Voice {
            kind,
            rate,
            params,
            changes,
            triggers,
            over: false,
            looped,
            has_pattern: false,
            next_change: 0,
            age: None,
            phase: 0.0,
        };
        voice.looped = voice.value("loop") != 0.0 && voice.value("bpm") > 0.0;
        voice
    }

    pub(super) fn trigger(&mut self, frame: u64) {
        self.triggers.push(frame);
    }

    /// Changes of one frame stay in the order in which they come.
    pub(super) fn change(&mut self, frame: u64, change: Change) {
        let at = self.changes.partition_point(|c| c.0 <= frame);
        self.changes.insert(at, (frame, change));
    }

    /// A node that nothing triggers plays once at 0.
    pub(super) fn play_once_if_idle(&mut self) {
        if self.triggers.is_empty() && !self.looped && !self.has_pattern {
            self.triggers.push(0);
        }
        self.triggers.sort_unstable();
    }

    pub(super) fn triggers(&self, frames: u64) -> Vec<u64> {
        let mut all: Vec<u64> = self.triggers.iter().copied().filter(|&t| t < frames).collect();
        if self.looped {
            let beat = 60.0 * self.rate / self.value("bpm");
            let times = (0..).map(|k| (f64::from(k) * beat + 0.5).floor() as u64);
            all.extend(times.take_while(|&t| t < frames));
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn value(&self, name: &str) -> f64 {
        self.params.iter().find(|p| p.row.0 == name).expect("a parameter of this name").value
    }

    /// The output at `frame`; frames come in order. `noise` gives the noise at an age. No number where the voice has ended
    /// and its envelope has risen again with its decay: whether it sounds on depends on how long its note is held, which
    /// nothing here knows.
    pub(super) fn next(&mut self, frame: u64, noise: &mut dyn FnMut(u64) -> f64) -> f64 {
        if frame == 0 && self.looped {
            // Far enough for any test; the list is looked up by search.
            self.triggers = self.triggers(self.rate as u64 * 60);
        }
        self.apply_changes(frame);
        if self.triggers.binary_search(&frame).is_ok() {
            (self.age, self.phase, self.over) = (Some(0), 0.0, false);
        } else {
            self.age = self.age.map(|n| n + 1);
        }
        let Some(age) = self.age else { return 0.0 };
        let n = age as f64;
        let amp = (-n / (self.rate * self.value("ampDecayMs") / 1000.0)).exp();
        let sound = match self.kind {
            Kind::Clap => amp * noise(age),
            Kind::Kick => self.kick(n, amp),
        };
        if self.over {
            return if amp < SILENT { 0.0 } else { f64::NAN };
        }
        self.over = frame % QUANTUM == QUANTUM - 1 && amp < SILENT;
        sound * self.value("gain")
    }

    fn kick(&mut self, n: f64, amp: f64) -> f64 {
        let fall = (-n / (self.rate * self.value("pitchDecayMs") / 1000.0)).exp();
        let hz = self.value("fend") + (self.value("f0") - self.value("fend")) * fall;
        self.phase += hz / self.rate;
        let click = if n < 2.0 { self.value("click") } else { 0.0 };
        amp * (TAU * self.phase).sin() + click
    }

    fn apply_changes(&mut self, frame: u64) {
        while let Some((at, change)) = self.changes.get(self.next_change).filter(|c| c.0 == frame).cloned() {
            debug_assert_eq!(at, frame);
            let param = match &change.param {
                Name::Id(id) => &mut self.params[id - 1],
                Name::Text(name) => {
                    let plain = |s: &str| s.replace('_', "").to_lowercase();
                    let found = self.params.iter_mut().find(|p| plain(p.row.0) == plain(name));
                    found.expect("a parameter of this name")
                }
            };
            param.write(change.value, change.frames);
            self.next_change += 1;
        }
        self.params.iter_mut().for_each(Moving::advance);
    }
}
