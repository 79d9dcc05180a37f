//! What is slower than a sample is computed in f64 and rounded once, where it meets audio: the slow factors of a
//! product (constants, parameters, a note's velocity) become one factor. `−since·dt/time·log₂e` is one
//! multiplication a frame; a division by a parameter is none.
//!
//! A sum of which one part is slow takes the factor in: `(x + a)·b` is `x·b + a·b`, one operation with the addition,
//! and x may be a product with a slow factor of its own.
//!
//! It changes last bits (there are fewer roundings), and is therefore part of lowering to every target: it is done
//! once, before anything is planned.

use super::rewrite;
use crate::ir::{Body, Imm, Kernel, Op, Rate, Type, Value};
use crate::target::Target;

/// How deep a product is followed.
const DEPTH: usize = 16;

pub(super) fn run(kernel: &Kernel, _: &Target) -> Kernel {
    rewrite::bodies(kernel, body)
}

fn body(old: &Body) -> Body {
    let rates = old.rates();
    let uses = rewrite::uses(old);
    let products = Products { body: old, rates: &rates, uses: &uses };
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rewrite::body(old, |new, value, inst| {
        let product = products.of(value);
        let now = match product.filter(|product| product.gains(&products)) {
            Some(product) => product.build(&products, new, &map),
            None => new.insts.add(inst),
        };
        map.push(now);
        now
    })
}

struct Products<'a> {
    body: &'a Body,
    rates: &'a [Rate],
    uses: &'a [u32],
}

/// A product, as values of the old body.
#[derive(Default)]
struct Product {
    /// Computed every frame: factors and divisors.
    fast: [Vec<Value>; 2],
    /// Computed more rarely: factors and divisors.
    slow: [Vec<Value>; 2],
    negative: bool,
}

impl Products<'_> {
    /// The product that an f32 computed every frame is, if it is one.
    fn of(&self, value: Value) -> Option<Product> {
        let inst = &self.body.insts[value];
        let product = inst.ty == Type::F32 && matches!(inst.op, Op::Mul | Op::Div | Op::Neg);
        (product && self.rates[value.index()] == Rate::Sample).then(|| {
            let mut product = Product::default();
            self.factors(value, false, 0, &mut product);
            product
        })
    }

    fn factors(&self, value: Value, divides: bool, depth: usize, into: &mut Product) {
        let inst = &self.body.insts[value];
        if self.rates[value.index()] != Rate::Sample {
            into.slow[usize::from(divides)].push(value);
            return;
        }
        let follow = depth == 0 || depth < DEPTH && (self.uses[value.index()] == 1 || self.one_fast(value));
        match (inst.op, inst.args.as_slice()) {
            (Op::Mul, &[a, b]) if follow => {
                self.factors(a, divides, depth + 1, into);
                self.factors(b, divides, depth + 1, into);
            }
            (Op::Div, &[a, b]) if follow => {
                self.factors(a, divides, depth + 1, into);
                self.factors(b, !divides, depth + 1, into);
            }
            (Op::Neg, &[a]) if follow => {
                into.negative = !into.negative;
                self.factors(a, divides, depth + 1, into);
            }
            _ => into.fast[usize::from(divides)].push(value),
        }
    }

    /// The exponential among some factors.
    fn power(&self, factors: &[Value]) -> Option<usize> {
        factors.iter().position(|factor| self.body.insts[*factor].op == Op::Exp2)
    }

    /// A sum with a slow part, times a slow factor (f64): the parts times the factor. None where it is no such sum, or
    /// somebody else uses it too.
    fn scaled(&self, value: Value, by: Value, depth: usize, new: &mut Body, map: &[Value]) -> Option<Value> {
        let inst = &self.body.insts[value];
        let slow = |v: Value| self.rates[v.index()] != Rate::Sample;
        if depth == 0 || !self.is_sum(value) {
            return None;
        }
        let (op, &[a, b]) = (inst.op, inst.args.as_slice()) else { return None };
        let mut part = |v: Value| {
            if slow(v) {
                let part = wide(new, map[v.index()]);
                let part = new.op(Op::Mul, &[part, by]);
                return new.op(Op::Demote, &[part]);
            }
            if let Some(sum) = self.scaled(v, by, depth - 1, new, map) {
                return sum;
            }
            let (fast, factor) = self.split(v, by, new, map);
            let factor = new.op(Op::Demote, &[factor]);
            new.op(Op::Mul, &[fast, factor])
        };
        let (a, b) = (part(a), part(b));
        Some(new.op(op, &[a, b]))
    }

    /// Whether it is a sum of something slow and something that is not, with one user.
    fn is_sum(&self, value: Value) -> bool {
        let inst = &self.body.insts[value];
        let slow = |i: usize| self.rates[inst.args.as_slice()[i].index()] != Rate::Sample;
        let sum = matches!(inst.op, Op::Add | Op::Sub) && inst.ty == Type::F32;
        sum && self.uses[value.index()] == 1 && slow(0) != slow(1)
    }

    /// `value · by`, as what is computed every frame and the slow factor (f64) of it.
    fn split(&self, value: Value, by: Value, new: &mut Body, map: &[Value]) -> (Value, Value) {
        let inst = &self.body.insts[value];
        let slow = |v: Value| self.rates[v.index()] != Rate::Sample;
        match (inst.op, inst.args.as_slice()) {
            (Op::Mul, &[a, b]) if slow(a) != slow(b) && self.uses[value.index()] == 1 => {
                let (fast, factor) = if slow(a) { (b, a) } else { (a, b) };
                let factor = wide(new, map[factor.index()]);
                (map[fast.index()], new.op(Op::Mul, &[factor, by]))
            }
            _ => (map[value.index()], by),
        }
    }

    /// Whether at most one operand is computed every frame: then nothing is computed twice by following it to each
    /// of its users.
    fn one_fast(&self, value: Value) -> bool {
        let args = self.body.insts[value].args;
        args.as_slice().iter().filter(|arg| self.rates[arg.index()] == Rate::Sample).count() <= 1
    }
}

impl Product {
    /// Whether gathering the slow factors saves something.
    fn gains(&self, all: &Products) -> bool {
        let [factors, divisors] = &self.slow;
        let sum = matches!((&self.fast[0][..], &self.fast[1][..]), ([x], []) if all.is_sum(*x));
        let slow = factors.len() + usize::from(self.negative);
        let power = self.fast[0].len() > 1 && all.power(&self.fast[0]).is_some();
        slow >= 2 || !divisors.is_empty() || slow > 0 && (sum || power)
    }

    fn build(self, all: &Products, new: &mut Body, map: &[Value]) -> Value {
        let slow = self.slow_factor(new, map);
        if let ([x], []) = (&self.fast[0][..], &self.fast[1][..])
            && let Some(sum) = all.scaled(*x, slow, DEPTH, new, map)
        {
            return sum;
        }
        let slow = new.op(Op::Demote, &[slow]);
        let [factors, divisors] = self.fast;
        let product = |values: &[Value], new: &mut Body| {
            let mut values = values.iter().map(|value| map[value.index()]);
            let first = values.next()?;
            Some(values.fold(first, |product, factor| new.op(Op::Mul, &[product, factor])))
        };
        let divisor = product(&divisors, new);
        // An exponential takes the slow factor in, so that both are one geometric series.
        let mut factors = factors;
        let power = all.power(&factors).map(|index| factors.remove(index));
        let slow = match power {
            Some(power) => new.op(Op::Mul, &[map[power.index()], slow]),
            None => slow,
        };
        let mut result = match product(&factors, new) {
            Some(fast) => new.op(Op::Mul, &[fast, slow]),
            None => slow,
        };
        if let Some(divisor) = divisor {
            result = new.op(Op::Div, &[result, divisor]);
        }
        result
    }

    /// All slow factors in one, as an f64.
    fn slow_factor(&self, new: &mut Body, map: &[Value]) -> Value {
        let sign = new.f64(if self.negative { -1.0 } else { 1.0 });
        let mut slow = sign;
        for (op, values) in [(Op::Mul, &self.slow[0]), (Op::Div, &self.slow[1])] {
            for value in values {
                let factor = wide(new, map[value.index()]);
                slow = new.op(op, &[slow, factor]);
            }
        }
        slow
    }
}

/// A slow f32 as an f64: what it was rounded from, if that is known.
fn wide(new: &mut Body, value: Value) -> Value {
    let inst = &new.insts[value];
    match (inst.op, inst.args.as_slice()) {
        (Op::Demote, &[x]) => x,
        (Op::Const(Imm::F32(x)), _) => new.f64(f64::from(x)),
        _ => new.op(Op::Promote, &[value]),
    }
}
