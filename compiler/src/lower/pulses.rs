//! `pulses`: a train of pulses, of which every one comes in the frame that is nearest to its time.
//!
//! Two words count: the frames that are left until the next pulse, and how far the last one was from its time, in units of
//! 2⁻³² of a frame. What a period is longer than whole frames is added up there, and where the sum wraps the pulse comes
//! a frame later.

use super::builder::Builder;
use super::value::Val;
use super::{At, Lower};
use crate::ir::{Imm, Op, Rate, Type, Value};
use mam_grammar::ast::ExprId;

/// Frames from which on a period is never over.
const NEVER: i32 = i32::MAX - 1;
/// The state of a train that has not begun.
const BEFORE: i32 = i32::MIN;
/// 2³²: the parts of a frame.
const WORD: f64 = 4_294_967_296.0;

/// A number of frames as two words.
#[derive(Clone, Copy)]
struct Frames {
    /// Whole frames, at most [`NEVER`].
    whole: Value,
    /// The rest in units of 2⁻³², modulo 2³²: from half a frame on negative.
    part: Value,
}

impl Lower<'_, '_> {
    /// `pulses(period, first)`, in frames.
    pub(super) fn pulses(&mut self, at: &At, period: ExprId, first: Option<ExprId>) -> Val {
        let Some(period) = self.frames_at_least(at, period, 1.0) else { return Val::Broken };
        let first = match first {
            Some(first) => self.frames_at_least(at, first, 0.0),
            None => Some(Frames { whole: self.b.i32(0), part: self.b.i32(0) }),
        };
        let Some(first) = first else { return Val::Broken };
        self.place(at);
        let b = &mut self.b;
        let (left_state, left) = b.state(&format!("{}.left", at.path), Imm::I32(BEFORE));
        let (late_state, late) = b.state(&format!("{}.late", at.path), Imm::I32(0));
        let (before, never, zero) = (b.i32(BEFORE), b.i32(NEVER), b.i32(0));
        let begun = b.push(Op::Ne, Type::BOOL, &[left, before]);
        let counts = b.mask(left, never);
        let less = b.push(Op::Add, Type::I32, &[left, counts]);
        let rounded_up = b.mask(first.part, zero);
        let start = b.push(Op::Sub, Type::I32, &[first.whole, rounded_up]);
        let here = b.push(Op::Select, Type::I32, &[begun, less, start]);
        let late = b.push(Op::Select, Type::I32, &[begun, late, first.part]);
        let hit = b.push(Op::Le, Type::BOOL, &[here, zero]);
        let later = b.push(Op::Add, Type::I32, &[late, period.part]);
        let wraps = b.mask(later, late);
        let gap = b.push(Op::Sub, Type::I32, &[period.whole, wraps]);
        let left = b.push(Op::Select, Type::I32, &[hit, gap, here]);
        let late = b.push(Op::Select, Type::I32, &[hit, later, late]);
        b.set(left_state, left);
        b.set(late_state, late);
        let (one, none) = (b.f64(1.0), b.f64(0.0));
        Val::plain(b.select(hit, one, none))
    }

    fn frames_at_least(&mut self, at: &At, expr: ExprId, least: f64) -> Option<Frames> {
        let (value, _) = self.eval(at, expr).mono()?;
        let b = &mut self.b;
        let value = b.invariant(value).unwrap_or(value);
        let least = b.f64(least);
        let frames = b.real(Op::Max, [value, least]);
        Some(if b.rate(frames) == Rate::Sample {
            b.moving_frames(frames)
        } else {
            b.invariant_frames(frames)
        })
    }
}

impl Builder {
    fn invariant_frames(&mut self, frames: Value) -> Frames {
        let all = self.scale(WORD, frames);
        let all = self.real(Op::Round, [all]);
        let [whole, part] = self.words(all);
        Frames { whole: self.whole_frames(whole), part }
    }

    fn moving_frames(&mut self, frames: Value) -> Frames {
        let whole = self.real(Op::Floor, [frames]);
        let part = self.real(Op::Sub, [frames, whole]);
        let (half, one) = (self.f64(0.5), self.f64(1.0));
        let small = self.compare(Op::Lt, part, half);
        let wrapped = self.real(Op::Sub, [part, one]);
        let part = self.select(small, part, wrapped);
        let part = self.scale(WORD, part);
        Frames { whole: self.whole_frames(whole), part: self.push(Op::ToInt, Type::I32, &[part]) }
    }

    fn whole_frames(&mut self, whole: Value) -> Value {
        let (whole, never) = (self.push(Op::ToInt, Type::I32, &[whole]), self.i32(NEVER));
        self.push(Op::Min, Type::I32, &[whole, never])
    }

    /// −1 where a < b, else 0; whole numbers.
    pub(super) fn mask(&mut self, a: Value, b: Value) -> Value {
        let less = self.push(Op::Lt, Type::BOOL, &[a, b]);
        let (minus, zero) = (self.i32(-1), self.i32(0));
        self.push(Op::Select, Type::I32, &[less, minus, zero])
    }
}
