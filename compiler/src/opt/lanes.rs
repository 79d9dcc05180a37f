//! The builder of bodies in lanes: what each old value has become, and the changes from one form to another. Time lanes,
//! channel lanes and instance lanes are made with it.

use crate::ir::{Body, Inst, Op, Value};

/// Lanes of a value.
pub const LANES: usize = 4;

/// What an old value has become, in the forms that have been asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct LaneValue {
    /// One value, the same in all lanes.
    pub(super) uniform: Option<Value>,
    /// One value in four lanes.
    pub(super) lanes: Option<Value>,
    /// Four values, one for each lane.
    pub(super) each: Option<[Value; LANES]>,
}

/// The old body, the new one so far, and what the old values are in it.
pub(super) struct LaneBuilder<'a> {
    pub(super) old: &'a Body,
    pub(super) new: Body,
    values: Vec<LaneValue>,
}

impl<'a> LaneBuilder<'a> {
    /// A builder of a body of so many frames an iteration.
    pub(super) fn new(old: &'a Body, step: u32) -> LaneBuilder<'a> {
        let values = vec![LaneValue::default(); old.insts.len()];
        LaneBuilder { old, new: Body { step, ..Body::default() }, values }
    }

    /// Adds an instruction whose type its operands decide.
    pub(super) fn op(&mut self, op: Op, args: &[Value]) -> Value {
        self.new.op(op, args)
    }

    /// The value that an old one is in all lanes, if it is one.
    pub(super) fn uniform(&self, value: Value) -> Option<Value> {
        self.values[value.index()].uniform
    }

    /// Says what an old value has become.
    pub(super) fn define(&mut self, value: Value, as_is: LaneValue) {
        self.values[value.index()] = as_is;
    }

    /// Says that an old value is the same in all lanes.
    pub(super) fn define_uniform(&mut self, value: Value, uniform: Value) {
        self.values[value.index()].uniform = Some(uniform);
    }

    /// Says what an old value is in lanes.
    pub(super) fn define_lanes(&mut self, value: Value, lanes: Value) {
        self.values[value.index()].lanes = Some(lanes);
    }

    /// Says what an old value is lane by lane.
    pub(super) fn define_each(&mut self, value: Value, each: [Value; LANES]) {
        self.values[value.index()].each = Some(each);
    }

    /// A value in four lanes.
    pub(super) fn lanes(&mut self, value: Value) -> Value {
        let lanes = match self.values[value.index()] {
            LaneValue { lanes: Some(lanes), .. } => return lanes,
            LaneValue { uniform: Some(uniform), .. } => self.splat(uniform),
            LaneValue { each: Some(each), .. } => self.op(Op::Pack, &each),
            _ => unreachable!("operands are built before their users"),
        };
        self.define_lanes(value, lanes);
        lanes
    }

    /// A new value in all lanes.
    pub(super) fn splat(&mut self, uniform: Value) -> Value {
        match self.new.as_const(uniform) {
            Some(imm) => self.new.constant(imm, LANES as u8),
            None => self.op(Op::Splat, &[uniform]),
        }
    }

    /// A value lane by lane.
    pub(super) fn each(&mut self, value: Value) -> [Value; LANES] {
        let each = match self.values[value.index()] {
            LaneValue { each: Some(each), .. } => return each,
            LaneValue { uniform: Some(uniform), .. } => [uniform; LANES],
            LaneValue { lanes: Some(lanes), .. } => {
                std::array::from_fn(|k| self.op(Op::Extract(k as u8), &[lanes]))
            }
            _ => unreachable!("operands are built before their users"),
        };
        self.define_each(value, each);
        each
    }

    /// A value in one lane.
    pub(super) fn lane(&mut self, value: Value, lane: usize) -> Value {
        match self.values[value.index()] {
            LaneValue { uniform: Some(uniform), .. } => uniform,
            LaneValue { each: Some(each), .. } => each[lane],
            LaneValue { lanes: Some(lanes), .. } => self.op(Op::Extract(lane as u8), &[lanes]),
            _ => unreachable!("operands are built before their users"),
        }
    }

    /// An instruction once, if all of its operands are the same in all lanes.
    pub(super) fn once(&mut self, value: Value) -> Option<Value> {
        let inst = &self.old.insts[value];
        let args: Option<_> = inst.args.as_slice().iter().map(|arg| self.uniform(*arg)).collect();
        Some(self.new.insts.add(Inst { args: args?, ..inst.clone() }))
    }

    /// An instruction once, in four lanes.
    pub(super) fn widened(&mut self, value: Value) -> Value {
        let inst = &self.old.insts[value];
        let args = inst.args.as_slice().iter().map(|arg| self.lanes(*arg)).collect();
        self.new.insts.add(Inst { op: inst.op, ty: inst.ty.with_lanes(LANES as u8), args })
    }

    /// An instruction four times, lane by lane; `op` is what it does in each.
    pub(super) fn copies(&mut self, value: Value, op: impl Fn(usize) -> Op) -> [Value; LANES] {
        let inst = &self.old.insts[value];
        let columns: Vec<[Value; LANES]> = inst.args.as_slice().iter().map(|arg| self.each(*arg)).collect();
        std::array::from_fn(|k| {
            let args = columns.iter().map(|column| column[k]).collect();
            self.new.insts.add(Inst { op: op(k), ty: inst.ty, args })
        })
    }
}
