//! What remembers: `prev`, `tap`, `since`, `pulses`; and `noise`, which needs no memory.

use super::builtin::lerp;
use super::lowered::DATA;
use super::names::Expectation;
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::hir::types::{named, state_path};
use crate::ir::{DelayLine, Imm, Op, Rate, StateSlot, Type, Value};
use mam_grammar::Handle;
use mam_grammar::ast::ExprId;

/// What flows into state, to be evaluated when everything else is done.
pub(super) struct Later {
    at: At,
    expr: ExprId,
    into: Into,
}

enum Into {
    States(Vec<Handle<StateSlot>>),
    Delays(Vec<Handle<DelayLine>>),
}

/// How the name of a noise's seed ends.
const NOISE: &str = ".noise";
/// What the noise's index is multiplied by.
const NOISE_STEP: i32 = 0x6c37_2cdb;
/// What makes its upper bits depend on all lower ones.
const NOISE_FACTOR: i32 = 0x9357_203b_u32 as i32;

/// An invariant delay that is nearer than this to whole frames is whole.
const WHOLE: f64 = 1e-3;

/// What `since` says before the first trigger.
const NEVER: i32 = 1_000_000_000;

impl Lower<'_, '_> {
    /// The path of what a `prev` or `tap` remembers, and how many channels it has.
    fn remembered(&self, at: &At, x: ExprId, kind: &str) -> (String, usize) {
        let path = state_path(&at.path, named(self.ast(at), x).map(|name| &**name), kind);
        let channels = if self.song.stereo.contains(&path) { 2 } else { 1 };
        (path, channels)
    }

    /// `prev(x, init)`
    pub(super) fn prev(&mut self, at: &At, x: ExprId, init: Option<ExprId>) -> Val {
        let (init, measured) = match init {
            Some(expr) => match self.constant(at, expr) {
                Some((x, dimension)) => (x as f32, dimension),
                None => return Val::Broken,
            },
            None => (0.0, Dimension::PLAIN),
        };
        let name = named(self.ast(at), x).cloned();
        let key = name.map(|name| (at.scope, name, (init.to_bits(), measured)));
        if let Some(val) = key.as_ref().and_then(|k| self.shared.get(k)) {
            return val.clone();
        }
        let (path, channels) = self.remembered(at, x, "prev");
        self.b.voice = self.scopes[at.scope].voice;
        let made: Vec<_> = (0..channels).map(|_| self.b.state(&path, Imm::F32(init))).collect();
        let (states, values): (Vec<_>, Vec<Value>) = made.into_iter().unzip();
        let channels = values.into_iter().collect();
        self.later.push(Later { at: at.clone(), expr: x, into: Into::States(states) });
        let val = Val::Signal(Signal { channels, dimension: Dimension::PLAIN });
        if let Some(key) = key {
            self.shared.insert(key, val.clone());
        }
        val
    }

    /// Evaluates what flows into state, until nothing is left.
    pub(super) fn finish(&mut self) {
        while let Some(later) = self.later.pop() {
            let Some(signal) = self.eval(&later.at, later.expr).signal() else { continue };
            let width = match &later.into {
                Into::States(states) => states.len(),
                Into::Delays(delays) => delays.len(),
            };
            let values: Vec<Value> = (0..width).map(|i| self.b.audio(signal.channel(i))).collect();
            match later.into {
                Into::States(states) => states.into_iter().zip(values).for_each(|(s, v)| self.b.set(s, v)),
                Into::Delays(delays) => self.b.body().writes.extend(delays.into_iter().zip(values)),
            }
        }
    }

    /// `tap(x, time, max: …)`
    pub(super) fn tap(&mut self, at: &At, x: ExprId, time: Option<ExprId>, max: Option<ExprId>) -> Val {
        let (Some(time), Some(max)) = (time, max) else { return Val::Broken };
        let Some(longest) = self.longest(at, max) else { return Val::Broken };
        let val = self.eval(at, time);
        let val = self.fit(val, &Expectation::of_dimension(Dimension::TIME));
        let Some((seconds, _)) = val.mono() else { return Val::Broken };
        let lines = self.lines(at, x, longest);
        let (whole, part) = self.frames(seconds, longest);
        let channels = lines.iter().map(|&line| self.read_line(line, whole, part)).collect();
        self.later.push(Later { at: at.clone(), expr: x, into: Into::Delays(lines) });
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// The greatest delay in frames: the greatest value that `max` can have.
    fn longest(&mut self, at: &At, max: ExprId) -> Option<u32> {
        let (value, _) = self.eval(at, max).mono()?;
        let frames = self.at_most(value)? * self.song.rate;
        Some(((frames - WHOLE).ceil() as u32).max(1))
    }

    /// What a value is never above, as far as that can be seen: a constant, the end of a parameter's range, and what
    /// `min` and `max` make of them.
    fn at_most(&self, value: Value) -> Option<f64> {
        let inst = self.b.inst(value);
        let bound = |i: usize| self.at_most(inst.args.as_slice()[i]);
        match inst.op {
            Op::Const(_) => self.b.constant(value).filter(|x| x.is_finite()),
            Op::Param(i) => Some(self.song.slots.info(self.params[i.index()]).max).filter(|x| x.is_finite()),
            Op::Demote | Op::Promote => bound(0),
            Op::Min => match (bound(0), bound(1)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            Op::Max => Some(bound(0)?.max(bound(1)?)),
            _ => None,
        }
    }

    /// The delay lines of a signal, one a channel.
    fn lines(&mut self, at: &At, x: ExprId, longest: u32) -> Vec<Handle<DelayLine>> {
        let (path, channels) = self.remembered(at, x, "tap");
        self.b.voice = self.scopes[at.scope].voice;
        (0..channels).map(|_| self.b.delay(&path, longest)).collect()
    }

    /// The delay as whole frames and the part of a frame beyond them: clamp(time·sr, 1, longest). A delay that is invariant
    /// and within 10⁻³ of whole frames is whole.
    fn frames(&mut self, seconds: Value, longest: u32) -> (Value, Value) {
        let b = &mut self.b;
        let frames = b.scale(self.song.rate, seconds);
        let (one, most) = (b.f64(1.0), b.f64(f64::from(longest)));
        let frames = b.real(Op::Min, [frames, most]);
        let frames = b.real(Op::Max, [frames, one]);
        let mut whole = b.real(Op::Floor, [frames]);
        let mut part = b.real(Op::Sub, [frames, whole]);
        if b.rate(frames) <= Rate::Segment {
            let nearest = b.real(Op::Round, [frames]);
            let off = b.real(Op::Sub, [frames, nearest]);
            let off = b.real(Op::Abs, [off]);
            let (tolerance, zero) = (b.f64(WHOLE), b.f64(0.0));
            let exact = b.compare(Op::Lt, off, tolerance);
            whole = b.select(exact, nearest, whole);
            part = b.select(exact, zero, part);
        }
        (b.push(Op::ToInt, Type::I32, &[whole]), part)
    }

    fn read_line(&mut self, line: Handle<DelayLine>, whole: Value, part: Value) -> Value {
        let b = &mut self.b;
        let whole_frames = b.push(Op::Read(line), Type::F32, &[whole]);
        if b.constant(part) == Some(0.0) {
            return whole_frames;
        }
        let one = b.i32(1);
        let further = b.push(Op::Add, Type::I32, &[whole, one]);
        let one_further = b.push(Op::Read(line), Type::F32, &[further]);
        lerp(b, whole_frames, one_further, part)
    }

    /// `since(trig)`
    pub(super) fn since(&mut self, at: &At, trig: ExprId) -> Val {
        let Some(signal) = self.eval(at, trig).signal() else { return Val::Broken };
        let channels = signal.channels.iter().map(|&t| self.count(at, t)).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    fn count(&mut self, at: &At, trig: Value) -> Value {
        let trig = self.b.truth(trig);
        if self.b.constant(trig) == Some(0.0) {
            // It never comes: nothing is counted.
            return self.b.f64(f64::from(NEVER));
        }
        let voice = self.scopes[at.scope].voice;
        self.b.voice = voice;
        if let Some(&count) = self.since.get(&(trig, voice)) {
            return count;
        }
        let b = &mut self.b;
        let (state, before) = b.state(&format!("{}.since", at.path), Imm::I32(NEVER));
        let (zero, one, never) = (b.i32(0), b.i32(1), b.i32(NEVER));
        let next = b.push(Op::Add, Type::I32, &[before, one]);
        let next = b.push(Op::Min, Type::I32, &[next, never]);
        let now = b.push(Op::Select, Type::I32, &[trig, zero, next]);
        b.set(state, now);
        let count = b.push(Op::ToFloat, Type::F32, &[now]);
        self.since.insert((trig, voice), count);
        count
    }

    /// `noise()`: a hash of the frame's index and a seed of this place. The index goes round the 32-bit numbers by an odd
    /// step from the seed on; each is mixed by "xorshift, multiply", the last half of the finalisers of hash functions
    /// (C. Wellons, "Prospecting for Hash Functions", 2018). Step, shift and factor were searched for: over a million
    /// samples no autocorrelation, of the values or of their sizes, is above eight standard deviations of true
    /// noise, and the spectrum is flat. The seed is a state that is never set, so that nodes that differ in their noise
    /// alone share a kernel.
    pub(super) fn noise(&mut self, at: &At) -> Val {
        let song = self.song.seed;
        self.b.voice = self.scopes[at.scope].voice;
        let (_, seed) = self.b.state_by(&format!("{DATA}{}{NOISE}", at.path), |name| noise_seed(song, name));
        let b = &mut self.b;
        let frame = b.push(Op::Frame, Type::I32, &[]);
        let (step, by, factor) = (b.i32(NOISE_STEP), b.i32(14), b.i32(NOISE_FACTOR));
        let x = b.push(Op::Mul, Type::I32, &[frame, step]);
        let x = b.push(Op::Add, Type::I32, &[x, seed]);
        let high = b.push(Op::Ushr, Type::I32, &[x, by]);
        let x = b.push(Op::Xor, Type::I32, &[x, high]);
        let x = b.push(Op::Mul, Type::I32, &[x, factor]);
        let x = b.push(Op::ToFloat, Type::F32, &[x]);
        // 2³¹ − 1 is rounded up: less than 1 all the same.
        Val::plain(b.scale(f64::from(1.0f32.next_down()) / 2_147_483_648.0, x))
    }
}

/// The seed of the noise of this name. The first at a place is known by the place, further ones by the numbers that
/// their names get.
pub fn noise_seed(seed: u64, name: &str) -> Imm {
    let place = name.strip_prefix(DATA).and_then(|name| name.strip_suffix(NOISE));
    Imm::I32(seed_of(seed, place.unwrap_or(name)))
}

/// Whether a state of this name is a seed of noise; other data are numbered.
pub fn is_noise(name: &str) -> bool {
    name.strip_prefix(DATA).is_some_and(|place| place.contains(NOISE))
}

/// A seed from the song's seed and a path: FNV-1a over both, folded to 32 bits.
fn seed_of(seed: u64, path: &str) -> i32 {
    let bytes = seed.to_le_bytes().into_iter().chain(path.bytes());
    let hash = crate::hash::fnv1a(bytes);
    (hash ^ (hash >> 32)) as u32 as i32
}
