//! What remembers a value: `prev`, `since`; and `noise`, which needs no memory.

use super::builder::Builder;
use super::copies::InnerFrame;
use super::lowered::DATA;
use super::names::{Scope, ScopeId};
use super::remembered::Slots;
use super::value::{Recorded, Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::hir::types::{named, state_path};
use crate::ir::{DelayLine, Imm, Op, PortField, StateSlot, Type, Value};
use mam_grammar::ast::ExprId;
use std::sync::Arc;

/// What `prev`s share that remember one name from one start value: the scope, the name, and the bits and the dimension of
/// the start value.
pub(super) type SharedKey = (ScopeId, Arc<str>, (u32, Dimension));

/// What flows into state, to be evaluated when everything else is done.
pub(super) struct Later {
    pub(super) at: At,
    pub(super) expr: ExprId,
    pub(super) into: Into,
}

/// What is remembered of a signal in a region.
pub(super) struct Inner {
    /// The signal in the latest inner frame.
    pub(super) latest: (At, ExprId),
    /// What the first inner frame finds, until the last one is evaluated.
    pub(super) states: Option<Slots<StateSlot>>,
    /// The delay lines, one for each inner frame of a frame of the song.
    pub(super) lines: Vec<Slots<DelayLine>>,
    /// What flows into them, in the inner frames so far.
    pub(super) written: Vec<Later>,
}

/// What something flows into.
pub(super) enum Into {
    States(Slots<StateSlot>),
    Delays(Slots<DelayLine>),
    Recording(Recorded),
}

/// How the name of a noise's seed ends.
const NOISE: &str = ".noise";
/// What the noise's index is multiplied by.
const NOISE_STEP: i32 = 0x6c37_2cdb;
/// What makes its upper bits depend on all lower ones.
const NOISE_FACTOR: i32 = 0x9357_203b_u32 as i32;

/// What `since` says before the first trigger.
const NEVER: i32 = 1_000_000_000;

impl Lower<'_, '_> {
    /// The path of what a `prev` or `tap` remembers.
    pub(super) fn state_path(&self, at: &At, x: ExprId, kind: &str) -> String {
        state_path(&at.path, named(self.ast(at), x).map(|name| &**name), kind)
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
        let path = self.state_path(at, x, "prev");
        self.place(at);
        let Scope { copy, bins, .. } = self.scopes[at.scope];
        let val = match (copy, bins) {
            (Some(copy), _) => self.prev_inner(at, x, &path, copy, init),
            (None, Some(_)) => self.prev_hop(at, x, &path, init),
            (None, None) => {
                let (states, val) = self.remembered(&path, init);
                self.later.push(Later { at: at.clone(), expr: x, into: Into::States(states) });
                val
            }
        };
        if let Some(key) = key {
            self.shared.insert(key, val.clone());
        }
        val
    }

    /// What is made from now on belongs to the voice and the inner frame of a scope.
    pub(super) fn place(&mut self, at: &At) {
        let Scope { voice, copy, .. } = self.scopes[at.scope];
        (self.b.voice, self.b.copy) = (voice, copy);
    }

    /// New states of what has this path, and what they hold.
    fn remembered(&mut self, path: &str, init: f32) -> (Slots<StateSlot>, Val) {
        let layout = self.song.layouts.get(path);
        let states = Slots::new(layout, path, &mut |name| self.b.new_state(name, |_| Imm::F32(init)).0);
        let val = Slots::read(&[&states], &mut |state| self.b.push(Op::Get(state[0]), Type::F32, &[]));
        (states, val)
    }

    /// `prev(x)` in a region: x in the inner frame before; in the first one what the last one left.
    fn prev_inner(&mut self, at: &At, x: ExprId, path: &str, copy: InnerFrame, init: f32) -> Val {
        let name = format!("{path}.prev()");
        let key = (copy.region, name.clone(), self.b.copies.occurrence(copy, &name));
        let here = (at.clone(), x);
        let before = self.inner.get_mut(&key).map(|inner| std::mem::replace(&mut inner.latest, here.clone()));
        let val = match before {
            Some((before, expr)) => {
                let val = self.eval(&before, expr);
                self.as_remembered(&val)
            }
            None => {
                let (states, val) = self.remembered(path, init);
                let inner = Inner { latest: here, states: Some(states), lines: vec![], written: vec![] };
                self.inner.insert(key.clone(), inner);
                val
            }
        };
        if self.is_last(copy)
            && let Some(states) = self.inner.get_mut(&key).and_then(|inner| inner.states.take())
        {
            self.later.push(Later { at: at.clone(), expr: x, into: Into::States(states) });
        }
        val
    }

    /// A value as it is read from states: audio, without a dimension.
    fn as_remembered(&mut self, val: &Val) -> Val {
        match val {
            Val::Signal(signal) => {
                let channels = signal.channels.iter().map(|&value| self.b.audio(value)).collect();
                Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
            }
            Val::List(elements) => Val::List(elements.iter().map(|val| self.as_remembered(val)).collect()),
            Val::Record(fields) => {
                let part = |(name, val): &(Arc<str>, Val)| (name.clone(), self.as_remembered(val));
                Val::Record(fields.iter().map(part).collect::<Vec<_>>().into())
            }
            Val::Buffer(_) | Val::Recording(_) | Val::Broken => Val::Broken,
        }
    }

    /// Evaluates what flows into state, until nothing is left.
    pub(super) fn finish(&mut self) {
        while let Some(later) = self.later.pop() {
            let val = self.eval(&later.at, later.expr);
            match later.into {
                Into::States(states) => {
                    self.place(&later.at);
                    for (state, value) in states.fed(self, &val) {
                        let name = self.b.kernel.states[state].name.clone();
                        let value = self.b.fed_as_late(&name, false, value);
                        self.b.body().sets.push((state, value));
                    }
                }
                Into::Recording(recorded) => {
                    self.place(&later.at);
                    self.write_recording(&recorded, &val);
                }
                Into::Delays(lines) => {
                    self.place(&later.at);
                    for (line, value) in lines.fed(self, &val) {
                        let name = self.b.kernel.delays[line].name.clone();
                        let value = self.b.fed_as_late(&name, true, value);
                        self.b.body().writes.push((line, value));
                    }
                }
            }
        }
    }

    /// `since(trig)`
    pub(super) fn since(&mut self, at: &At, trig: ExprId) -> Val {
        let Some(signal) = self.eval(at, trig).signal() else { return Val::Broken };
        let channels = signal.channels.iter().map(|&t| self.count(at, t)).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    fn count(&mut self, at: &At, trig: Value) -> Value {
        let trig = self.b.truth(trig);
        let path = format!("{}.since", at.path);
        let counts = self.scopes[at.scope].copy.is_some_and(|copy| self.b.copies.continues(copy, &path));
        if self.b.constant(trig) == Some(0.0) && !counts {
            // It never comes: nothing is counted.
            return self.b.f64(f64::from(NEVER));
        }
        self.place(at);
        let Scope { voice, copy, .. } = self.scopes[at.scope];
        if let Some(&count) = self.since.get(&(trig, voice, copy)) {
            return count;
        }
        let b = &mut self.b;
        let (state, before) = b.state(&path, Imm::I32(NEVER));
        let (zero, one, never) = (b.i32(0), b.i32(1), b.i32(NEVER));
        let next = b.push(Op::Add, Type::I32, &[before, one]);
        let next = b.push(Op::Min, Type::I32, &[next, never]);
        let now = b.push(Op::Select, Type::I32, &[trig, zero, next]);
        b.set(state, now);
        let count = b.push(Op::ToFloat, Type::F32, &[now]);
        self.since.insert((trig, voice, copy), count);
        count
    }

    /// `noise()`: a hash of the frame's index and a seed of this place. The index goes round the 32-bit numbers by an odd
    /// step from the seed on; each is mixed by "xorshift, multiply", the last half of the finalisers of hash functions
    /// (C. Wellons, "Prospecting for Hash Functions", 2018). Step, shift and factor were searched for: over a million
    /// samples no autocorrelation, of the values or of their sizes, is above eight standard deviations of true
    /// noise, and the spectrum is flat. The seed is a state that is never set, so that nodes that differ in their noise
    /// alone share a kernel.
    pub(super) fn noise(&mut self, at: &At) -> Val {
        self.place(at);
        let seed = self.seed(&at.path);
        let x = self.hash_of_frame(at, seed);
        let b = &mut self.b;
        let x = b.push(Op::ToFloat, Type::F32, &[x]);
        // 2³¹ − 1 is rounded up: less than 1 all the same.
        Val::plain(b.scale(f64::from(1.0f32.next_down()) / 2_147_483_648.0, x))
    }

    /// `random(stream)`: the same hash, of the frame in which the note of the voice begins; where there are no notes, of the
    /// seed alone.
    pub(super) fn random(&mut self, at: &At, stream: Option<ExprId>) -> Val {
        let stream = match stream {
            Some(expr) => match self.constant(at, expr) {
                Some((stream, _)) => format!("random{stream}"),
                None => return Val::Broken,
            },
            None => "random".to_owned(),
        };
        self.place(at);
        let path = format!("{}.{stream}", at.path);
        let seed = self.seed(&path);
        let Some(port) = self.scopes[at.scope].port else {
            let seed = self.seed_of_bin(at, seed);
            let mixed = mixed(&mut self.b, seed);
            return Val::plain(unit(&mut self.b, mixed));
        };
        let hash = self.hash_of_frame(at, seed);
        let drawn = unit(&mut self.b, hash);
        let index = Self::local(&mut self.ports, port);
        let trig = self.b.port(index, PortField::Trig);
        let first = self.scopes[at.scope].copy.is_none_or(|copy| copy.index == 0);
        let b = &mut self.b;
        let (state, before) = b.state(&path, Imm::F32(0.0));
        let now = if first { b.select(trig, drawn, before) } else { before };
        b.set(state, now);
        Val::plain(now)
    }

    /// The seed of what is drawn by chance at a place.
    fn seed(&mut self, path: &str) -> Value {
        let song = self.song.seed;
        self.b.state_by(&format!("{DATA}{path}{NOISE}"), |name| noise_seed(song, name)).1
    }

    /// A hash of the index of the frame, or inner frame, and a seed.
    fn hash_of_frame(&mut self, at: &At, seed: Value) -> Value {
        let Scope { copy, bins, .. } = self.scopes[at.scope];
        let of_bins = bins.map(|bins| (bins.streams, bins.stream));
        let several = copy.map(|copy| (self.inner_frames(at), copy.index)).or(of_bins);
        let b = &mut self.b;
        let mut frame = b.push(Op::Frame, Type::I32, &[]);
        if let Some((count, index)) = several {
            let (count, index) = (b.i32(count as i32), b.i32(index as i32));
            frame = b.push(Op::Mul, Type::I32, &[frame, count]);
            frame = b.push(Op::Add, Type::I32, &[frame, index]);
        }
        let step = b.i32(NOISE_STEP);
        let x = b.push(Op::Mul, Type::I32, &[frame, step]);
        let x = b.push(Op::Add, Type::I32, &[x, seed]);
        let mixed = mixed(b, x);
        if bins.is_some() {
            b.timeless(mixed);
        }
        mixed
    }

    /// In a spectral region, a seed of the bin's own.
    fn seed_of_bin(&mut self, at: &At, seed: Value) -> Value {
        let Some(bins) = self.scopes[at.scope].bins else { return seed };
        let bin = self.bin(bins);
        let step = self.b.i32(NOISE_STEP);
        let offset = self.b.push(Op::Mul, Type::I32, &[bin, step]);
        self.b.push(Op::Add, Type::I32, &[seed, offset])
    }
}

/// Lets the upper bits of a word depend on all.
fn mixed(b: &mut Builder, x: Value) -> Value {
    let (by, factor) = (b.i32(14), b.i32(NOISE_FACTOR));
    let high = b.push(Op::Ushr, Type::I32, &[x, by]);
    let x = b.push(Op::Xor, Type::I32, &[x, high]);
    b.push(Op::Mul, Type::I32, &[x, factor])
}

/// A word as a number in [0, 1).
fn unit(b: &mut Builder, word: Value) -> Value {
    let places = b.i32(8);
    let upper = b.push(Op::Ushr, Type::I32, &[word, places]);
    let upper = b.push(Op::ToFloat, Type::F32, &[upper]);
    b.scale(1.0 / 16_777_216.0, upper)
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
