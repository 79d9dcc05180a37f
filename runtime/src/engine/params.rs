//! Parameters: their values, their ramps, and how both look over one part of a quantum (mostly all of it).
//!
//! A parameter that is set or moves in a part has a *track*: its value at each of the part's frames, and two masks
//! of 64 bits, one bit a frame of the quantum: where it moves and where a stretch begins. Steps combine the masks of their
//! parameters with `or`, so splitting a quantum is arithmetic on words. All values are f64 and clamped when they
//! are set; each is rounded once to f32, where a kernel reads it frame by frame.

use super::memory::Block;
use crate::ids::{IdMap, ParamId};
use crate::program::{Curve, ParamSlot, QUANTUM};
use std::ops::Range;

/// The values of all parameters of a program, and what they do in the present part of a quantum.
#[derive(Debug)]
pub(crate) struct Params {
    all: IdMap<ParamId, Param>,
    /// Which parameters have a track in this part.
    touched: Vec<ParamId>,
    /// Which ramp on into the next part.
    ramping: Vec<ParamId>,
    /// The first frame of the part, in its quantum.
    start: u8,
    exact: Block<f64>,
    single: Block<f32>,
    /// The voices' shares of each parameter: stretches of the second list.
    shares: IdMap<ParamId, Range<usize>>,
    shared: Vec<ParamId>,
}

/// Where a parameter is to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    /// The value, not yet clamped.
    pub(crate) value: f64,
    /// In how many frames; 0 for a plain set.
    pub(crate) ramp: u32,
    /// How, if not along the parameter's own curve.
    pub(crate) curve: Option<Curve>,
}

/// A parameter with its ramp, and its track in the present part.
#[derive(Clone, Copy, Debug)]
struct Param {
    /// The value at the frame before the next one to be filled.
    value: f64,
    ramp: Ramp,
    min: f64,
    max: f64,
    curve: Curve,
    smooth: u32,
    /// The frame of the quantum up to which its track is filled.
    filled: u8,
    touched: bool,
    /// The parameter that it follows, if it is a voice's share of one.
    follows: Option<ParamId>,
    /// A note has given it a value: it does not follow.
    held: bool,
    /// All 64 single values are the present value.
    level: bool,
    moving: u64,
    cuts: u64,
}

/// 1/(1 − e⁻³), which brings the exponential curve to 1 at its end.
const EXP_SCALE: f64 = 1.052_395_696_491_256;

/// A ramp from one value to another. Over when `done == frames`.
#[derive(Clone, Copy, Debug, Default)]
struct Ramp {
    from: f64,
    to: f64,
    frames: u32,
    done: u32,
    curve: Curve,
    /// e^(−3·done/frames), of an exponential ramp, and by what it falls in a frame.
    fall: f64,
    ratio: f64,
}

impl Ramp {
    fn new(from: f64, to: f64, frames: u32, curve: Curve) -> Ramp {
        let ratio = curve.fall_per_frame(frames);
        Ramp { from, to, frames, done: 0, curve, fall: 1.0, ratio }
    }

    /// The next value of the ramp, i = 1…N: exactly the target at i = N. e^(−3i/N) is multiplied from frame to frame;
    /// in a ramp of an hour its error is 10⁻⁸.
    fn next(&mut self) -> f64 {
        self.done += 1;
        self.fall *= self.ratio;
        if self.done >= self.frames {
            return self.to;
        }
        let way = match self.curve {
            Curve::Exp => (1.0 - self.fall) * EXP_SCALE,
            Curve::Linear | Curve::Step => f64::from(self.done) / f64::from(self.frames),
        };
        self.from + (self.to - self.from) * way
    }
}

impl Param {
    fn new(slot: &ParamSlot, slots: &IdMap<ParamId, ParamSlot>) -> Param {
        let start = slot.follows.map_or(slot.default, |base| slots[base].default);
        let value = clamp(start, slot.min, slot.max);
        Param {
            value,
            ramp: Ramp::default(),
            min: slot.min,
            max: slot.max,
            curve: slot.curve,
            smooth: slot.smooth,
            filled: 0,
            touched: false,
            follows: slot.follows,
            held: false,
            level: false,
            moving: 0,
            cuts: 0,
        }
    }

    fn ramps(&self) -> bool {
        self.ramp.done < self.ramp.frames
    }

    /// Goes there from the present frame on: along the ramp, or in the frames of its smoothing, or at once.
    fn set(&mut self, set: Set) {
        let to = clamp(set.value, self.min, self.max);
        let (frames, curve) = match (self.curve, set.ramp) {
            (Curve::Step, _) => (0, Curve::Step),
            (_, 0) => (self.smooth, Curve::Linear),
            (own, frames) => (frames, set.curve.unwrap_or(own)),
        };
        let frames = if curve == Curve::Step { 0 } else { frames };
        if frames == 0 {
            self.value = to;
        }
        self.ramp = Ramp::new(self.value, to, frames, curve);
    }
}

impl Params {
    pub(crate) fn new(slots: &IdMap<ParamId, ParamSlot>) -> Params {
        let (shares, shared) = shares(slots);
        Params {
            shares,
            shared,
            all: slots.values().map(|slot| Param::new(slot, slots)).collect(),
            touched: Vec::with_capacity(slots.len()),
            ramping: Vec::with_capacity(slots.len()),
            start: 0,
            exact: Block::zeros(slots.len() * QUANTUM),
            single: Block::zeros(slots.len() * QUANTUM),
        }
    }

    /// The value of a parameter at the end of what has been rendered.
    pub(crate) fn present(&self, param: ParamId) -> f64 {
        self.all[param].value
    }

    /// Every parameter stands at its default again. Allocates nothing.
    pub(crate) fn reset(&mut self, slots: &IdMap<ParamId, ParamSlot>) {
        self.all.values_mut().zip(slots.values()).for_each(|(param, slot)| *param = Param::new(slot, slots));
        self.touched.clear();
        self.ramping.clear();
    }

    /// A parameter stands at a value, clamped to its range, without a ramp. Before the first quantum. Allocates nothing.
    pub(crate) fn start_at(&mut self, index: ParamId, value: f64) {
        if value.is_nan() {
            return;
        }
        if let Some(param) = self.all.get_mut(index) {
            (param.value, param.ramp, param.level) =
                (clamp(value, param.min, param.max), Ramp::default(), false);
        }
        for at in self.shares.get(index).cloned().unwrap_or_default() {
            self.start_at(self.shared[at], value);
        }
    }

    /// Begins the part of a quantum that starts at a frame of it: what ramps has a track.
    pub(crate) fn begin(&mut self, start: usize) {
        self.start = start as u8;
        for &index in &self.touched {
            let param = &mut self.all[index];
            param.touched = false;
            (param.moving, param.cuts) = (0, 0);
        }
        self.touched.clear();
        while let Some(index) = self.ramping.pop() {
            self.touch(index);
        }
    }

    /// Returns true if no parameter has a track or a ramp, so that a quantum without events changes none.
    pub(crate) fn are_still(&self) -> bool {
        self.touched.is_empty() && self.ramping.is_empty()
    }

    /// Whether a ramp goes on into the next part.
    pub(crate) fn are_ramping(&self) -> bool {
        !self.ramping.is_empty()
    }

    /// Sets a parameter at a frame of the part (counted from the quantum's first), not before its last set. What does not exist is not set, and
    /// nothing is set to what is not a number.
    pub(crate) fn set(&mut self, index: ParamId, offset: usize, set: Set) {
        if index.index() >= self.all.len() || set.value.is_nan() {
            return;
        }
        self.set_one(index, offset, set);
        for at in self.shares[index].clone() {
            let share = self.shared[at];
            if !self.all[share].held {
                self.set_one(share, offset, set);
            }
        }
    }

    fn set_one(&mut self, index: ParamId, offset: usize, set: Set) {
        self.touch(index);
        self.fill(index, offset);
        self.all[index].set(set);
        self.all[index].cuts |= 1 << offset;
    }

    /// A note gives a voice's share of a parameter a value from a frame of the part on, to which it goes in `frames`;
    /// without one the share follows its parameter again. Not before its last set. What is no share is left as it is. \[audio\]
    pub(crate) fn hold(&mut self, index: ParamId, offset: usize, value: Option<f64>, frames: u32) {
        let Some(&Param { follows: Some(base), held, .. }) = self.all.get(index) else { return };
        let value = value.filter(|value| !value.is_nan());
        if value.is_none() && !held {
            return;
        }
        self.touch(index);
        self.fill(index, offset);
        if self.all[base].touched {
            self.fill(base, offset);
        }
        let Param { value: present, ramp, .. } = self.all[base];
        let param = &mut self.all[index];
        (param.value, param.ramp, param.held) = match value {
            Some(value) if frames > 0 => {
                let to = clamp(value, param.min, param.max);
                (param.value, Ramp::new(param.value, to, frames, Curve::Linear), true)
            }
            Some(value) => (clamp(value, param.min, param.max), Ramp::default(), true),
            None => (present, ramp, false),
        };
        param.cuts |= 1 << offset;
    }

    /// Fills all tracks to the part's end, a frame of the quantum or the one after its last.
    pub(crate) fn end(&mut self, end: usize) {
        for i in 0..self.touched.len() {
            let index = self.touched[i];
            self.fill(index, end);
            if self.all[index].ramps() {
                self.ramping.push(self.touched[i]);
            }
        }
    }

    /// The parameters that have a track in this part.
    pub(crate) fn touched(&self) -> &[ParamId] {
        &self.touched
    }

    /// Where it moves, and where a stretch of it begins: one bit a frame.
    pub(crate) fn masks(&self, index: ParamId) -> (u64, u64) {
        (self.all[index].moving, self.all[index].cuts)
    }

    /// The value at a frame of the part.
    pub(crate) fn value(&self, index: ParamId, offset: usize) -> f64 {
        let param = &self.all[index];
        if param.touched { self.exact.as_slice()[index.index() * QUANTUM + offset] } else { param.value }
    }

    /// The values of a quantum as a kernel reads them, of which those of the part are valid.
    pub(crate) fn frames(&mut self, index: ParamId) -> *const f32 {
        let param = &mut self.all[index];
        if !param.touched && !param.level {
            param.level = true;
            let value = single(param.value);
            self.single.as_mut_slice()[index.index() * QUANTUM..][..QUANTUM].fill(value);
        }
        // SAFETY: every parameter has its QUANTUM values in the block.
        unsafe { self.single.as_ptr().add(index.index() * QUANTUM) }
    }

    /// Takes value and ramp of another program's parameter. Before the first quantum, at most once a parameter.
    pub(crate) fn carry(&mut self, index: ParamId, from: &Params, other: ParamId) {
        let (old, new) = (from.all[other], &mut self.all[index]);
        new.value = clamp(old.value, new.min, new.max);
        new.ramp = Ramp { to: clamp(old.ramp.to, new.min, new.max), ..old.ramp };
        (new.level, new.held) = (false, old.held && new.follows.is_some());
        if new.ramps() {
            self.ramping.push(index);
        }
    }

    fn touch(&mut self, index: ParamId) {
        let param = &mut self.all[index];
        if !param.touched {
            (param.touched, param.level, param.filled) = (true, false, self.start);
            self.touched.push(index);
        }
    }

    /// Fills the track up to a frame; marks where it moves and where a ramp has ended.
    fn fill(&mut self, index: ParamId, end: usize) {
        let param = &mut self.all[index];
        let base = index.index() * QUANTUM;
        let (exact, singles) = (self.exact.as_mut_slice(), self.single.as_mut_slice());
        let mut at = usize::from(param.filled);
        while at < end {
            let left = (param.ramp.frames - param.ramp.done) as usize;
            let stop = if left > 0 { end.min(at + left) } else { end };
            for offset in base + at..base + stop {
                if left > 0 {
                    param.value = param.ramp.next();
                }
                exact[offset] = param.value;
                singles[offset] = single(param.value);
            }
            if left > 0 {
                param.moving |= (u64::MAX >> (QUANTUM - (stop - at))) << at;
                param.cuts |= u64::from(stop < end) << (stop % QUANTUM);
            }
            at = stop;
        }
        param.filled = end.max(usize::from(param.filled)) as u8;
    }
}

/// The voices' shares of each parameter.
fn shares(slots: &IdMap<ParamId, ParamSlot>) -> (IdMap<ParamId, Range<usize>>, Vec<ParamId>) {
    let mut all: Vec<(ParamId, ParamId)> =
        slots.iter().filter_map(|(id, slot)| Some((slot.follows?, id))).collect();
    all.sort_unstable();
    let of = |id: ParamId| {
        let first = all.partition_point(|(base, _)| *base < id);
        first..all.partition_point(|(base, _)| *base <= id)
    };
    (slots.iter().map(|(id, _)| of(id)).collect(), all.iter().map(|(_, share)| *share).collect())
}

/// Rounded once, a subnormal flushed to 0: what a kernel reads.
fn single(value: f64) -> f32 {
    let value = value as f32;
    if value.is_subnormal() { 0.0 } else { value }
}

/// The nearest value within a range.
fn clamp(value: f64, min: f64, max: f64) -> f64 {
    value.min(max).max(min)
}
