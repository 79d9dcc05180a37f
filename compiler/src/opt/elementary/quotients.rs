//! Functions that are quotients of two polynomials, in a quotient: one division instead of two in a row.
//!
//! tanh(x)/x, t·w/(x + k·t) with t = tanh x, g/(1 + g) with g = tan x: where all that reads the function stands above and below
//! one line, both sides are multiplied by what the function divides by. That is exact but for roundings, which stay relative:
//! nothing is added that was not added before.

use super::Ops;
use crate::ir::{Body, Op, Rate, Value};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// How often a function may be a factor of a term.
const DEGREE: u32 = 2;
/// The most instructions above and below a line that are looked at.
const TREE: usize = 24;

/// A function as what is divided by what.
#[derive(Clone, Copy)]
pub(super) struct Quotient {
    pub(super) above: Value,
    pub(super) below: Value,
}

/// The functions of a body that are quotients, as far as it has been rewritten.
pub(super) struct Quotients<'a> {
    old: &'a Body,
    uses: Vec<u32>,
    /// How often each old value is computed.
    rates: Vec<Rate>,
    /// By old value, what it is in the new body.
    map: Vec<Value>,
    /// The two sides of each function that has been written out, by its old value.
    functions: FxHashMap<Value, Quotient>,
}

/// A term or a sum, multiplied so many times by what a function divides by.
#[derive(Clone, Copy)]
struct Cleared {
    value: Value,
    degree: u32,
}

impl<'a> Quotients<'a> {
    pub(super) fn new(old: &'a Body) -> Quotients<'a> {
        let are_any = old.insts.values().any(|inst| is_quotient(inst.op));
        let (uses, rates) = if are_any { (old.uses(), old.rates()) } else { (vec![], vec![]) };
        Quotients {
            old,
            uses,
            rates,
            map: Vec::with_capacity(old.insts.len()),
            functions: FxHashMap::default(),
        }
    }

    /// Says what the next old value has become.
    pub(super) fn is_now(&mut self, value: Value) {
        self.map.push(value);
    }

    /// A function's value; what reads only its two sides leaves the division to be dropped.
    pub(super) fn divided(&mut self, ops: &mut Ops, function: Value, quotient: Quotient) -> Value {
        self.functions.insert(function, quotient);
        ops.div(quotient.above, quotient.below)
    }

    /// Both sides of an old division, multiplied by what a function in them divides by: none where there is no function, where
    /// its value is needed anyway, or where terms have it as a factor too often.
    pub(super) fn cleared(&self, ops: &mut Ops, division: Value) -> Option<(Value, Value)> {
        if self.functions.is_empty() {
            return None;
        }
        let sides = self.old.insts[division].args;
        let &[above, below] = sides.as_slice() else { return None };
        // The last one is what the division waits for.
        let rate = self.rates[division.index()];
        let is_as_often =
            |value: Value| self.functions.contains_key(&value) && self.rates[value.index()] == rate;
        let tree = self.tree([above, below], is_as_often);
        let function = *tree.keys().rfind(|value| is_as_often(**value))?;
        let degrees = self.degrees(&tree, function)?;
        let degree = |side: Value| degrees.get(&side).copied().unwrap_or(0);
        let most = degree(above).max(degree(below));
        let mut cleared = FxHashMap::default();
        for &value in tree.keys().filter(|value| degrees.contains_key(value)) {
            let now = self.clear(ops, value, function, &cleared);
            cleared.insert(value, now);
        }
        let [above, below] = [above, below].map(|side| {
            let side = self.so_far(side, &cleared);
            self.raised(ops, side, most, function)
        });
        Some((above, below))
    }

    /// The sums, products and functions of which the two sides are made, from the end of the body on to the first that `is_last`, and
    /// how often each is read there: nothing that stands before that one has it as a factor.
    fn tree(&self, sides: [Value; 2], is_last: impl Fn(Value) -> bool) -> BTreeMap<Value, u32> {
        let mut tree: BTreeMap<Value, u32> = BTreeMap::default();
        sides.into_iter().for_each(|side| *tree.entry(side).or_default() += 1);
        let mut next = tree.last_key_value().map(|(value, _)| *value);
        while let Some(value) = next
            && tree.len() < TREE
            && !is_last(value)
        {
            let inst = &self.old.insts[value];
            if is_open(inst.op) {
                inst.args.as_slice().iter().for_each(|arg| *tree.entry(*arg).or_default() += 1);
            }
            next = tree.range(..value).next_back().map(|(value, _)| *value);
        }
        tree
    }

    /// How often the function is a factor of what has it as one, by value: none where it is read elsewhere, or where it is
    /// too often.
    fn degrees(&self, tree: &BTreeMap<Value, u32>, function: Value) -> Option<FxHashMap<Value, u32>> {
        let mut degrees = FxHashMap::from_iter([(function, 1)]);
        for (&value, &reads) in tree {
            let inst = &self.old.insts[value];
            if value != function && is_open(inst.op) {
                let of = |arg: &Value| degrees.get(arg).copied().unwrap_or(0);
                let each = inst.args.as_slice().iter().map(of);
                let degree = if inst.op == Op::Mul { each.sum() } else { each.max().unwrap_or(0) };
                if degree > 0 {
                    degrees.insert(value, degree);
                }
            }
            match degrees.get(&value) {
                Some(degree) if *degree > DEGREE || self.uses[value.index()] != reads => return None,
                _ => {}
            }
        }
        Some(degrees)
    }

    /// A value that has the function as a factor, multiplied as often as it does.
    fn clear(
        &self,
        ops: &mut Ops,
        value: Value,
        function: Value,
        cleared: &FxHashMap<Value, Cleared>,
    ) -> Cleared {
        if value == function {
            return Cleared { value: self.functions[&function].above, degree: 1 };
        }
        let inst = &self.old.insts[value];
        let args: Vec<Cleared> = inst.args.as_slice().iter().map(|arg| self.so_far(*arg, cleared)).collect();
        let degrees = args.iter().map(|arg| arg.degree);
        let (degree, args): (u32, Vec<Value>) = match inst.op {
            Op::Mul => (degrees.sum(), args.iter().map(|arg| arg.value).collect()),
            _ => {
                let most = degrees.max().unwrap_or(0);
                (most, args.iter().map(|arg| self.raised(ops, *arg, most, function)).collect())
            }
        };
        Cleared { value: ops.op(inst.op, &args), degree }
    }

    /// A value, cleared if it has the function as a factor.
    fn so_far(&self, value: Value, cleared: &FxHashMap<Value, Cleared>) -> Cleared {
        let as_it_is = Cleared { value: self.map[value.index()], degree: 0 };
        cleared.get(&value).copied().unwrap_or(as_it_is)
    }

    /// A value, multiplied as often as another one is.
    fn raised(&self, ops: &mut Ops, from: Cleared, degree: u32, function: Value) -> Value {
        let below = self.functions[&function].below;
        (from.degree..degree).fold(from.value, |value, _| ops.mul(value, below))
    }
}

fn is_quotient(op: Op) -> bool {
    matches!(op, Op::Tanh | Op::TanTurn)
}

fn is_open(op: Op) -> bool {
    matches!(op, Op::Add | Op::Sub | Op::Mul | Op::Neg)
}
