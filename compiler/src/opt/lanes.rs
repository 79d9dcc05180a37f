//! The builder of bodies in lanes: what each old value has become, and the changes from one form to another. Time lanes,
//! channel lanes and instance lanes are made with it.

use crate::ir::{Body, Imm, Inst, Op, Value};

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
            LaneValue { each: Some(each), .. } => self.packed(&each),
            _ => unreachable!("operands are built before their users"),
        };
        self.define_lanes(value, lanes);
        lanes
    }

    /// Four new scalars in lanes.
    fn packed(&mut self, each: &[Value; LANES]) -> Value {
        let insts = each.map(|value| &self.new.insts[value]);
        if insts.iter().all(|inst| inst.op == Op::Total) {
            let vectors = insts.map(|inst| inst.args.as_slice()[0]);
            return self.op(Op::Totals, &vectors);
        }
        self.op(Op::Pack, each)
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
            LaneValue { lanes: Some(lanes), .. } => match self.ahead(value) {
                // The lanes of what it is ahead of are taken out once for all that are.
                Some((of, constant)) => {
                    let constant = self.new.i32(constant);
                    self.each(of).map(|of| self.op(Op::Add, &[of, constant]))
                }
                None => std::array::from_fn(|k| self.op(Op::Extract(k as u8), &[lanes])),
            },
            _ => unreachable!("operands are built before their users"),
        };
        self.define_each(value, each);
        each
    }

    /// An old whole number as another one and a constant that is added to it.
    fn ahead(&self, value: Value) -> Option<(Value, i32)> {
        let inst = &self.old.insts[value];
        let (Op::Add, &[a, b]) = (inst.op, inst.args.as_slice()) else { return None };
        match (self.old.as_const(a), self.old.as_const(b)) {
            (_, Some(Imm::I32(constant))) => Some((a, constant)),
            (Some(Imm::I32(constant)), _) => Some((b, constant)),
            _ => None,
        }
    }

    /// Four old values in lanes, if they all are in that form.
    fn rows(&self, values: &[Value]) -> Option<[Value; LANES]> {
        let lanes: Option<Vec<Value>> = values.iter().map(|value| self.values[value.index()].lanes).collect();
        lanes?.try_into().ok()
    }

    /// The k-th lanes of four vectors, for each k: of two vectors each, two lanes of each at a time.
    fn transposed(&mut self, [a, b, c, d]: [Value; LANES]) -> [Value; LANES] {
        let mut shuffled = |x: Value, y: Value, [i, j]: [u8; 2]| {
            let lanes = [(x, i), (x, j), (y, i), (y, j)].map(|(of, lane)| self.op(Op::Extract(lane), &[of]));
            self.op(Op::Pack, &lanes)
        };
        let [low, high] = [[0, 1], [2, 3]].map(|half| [shuffled(a, b, half), shuffled(c, d, half)]);
        let [even, odd] = [[0, 2], [1, 3]];
        [(low, even), (low, odd), (high, even), (high, odd)].map(|([x, y], lanes)| shuffled(x, y, lanes))
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
        if inst.op == Op::Pack
            && let Some(rows) = self.rows(inst.args.as_slice())
        {
            return self.transposed(rows);
        }
        let columns: Vec<[Value; LANES]> = inst.args.as_slice().iter().map(|arg| self.each(*arg)).collect();
        std::array::from_fn(|k| {
            let args = columns.iter().map(|column| column[k]).collect();
            self.new.insts.add(Inst { op: op(k), ty: inst.ty, args })
        })
    }
}
