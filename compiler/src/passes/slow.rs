//! What is slower than a sample is computed in f64 and rounded once, where it meets audio: the slow factors of a
//! product (constants, parameters, a note's velocity) become one factor. `−since·dt/time·log₂e` is one
//! multiplication a frame; a division by a parameter is none.
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
        let now = match product.filter(Product::gains) {
            Some(product) => product.build(new, &map),
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

    /// Whether at most one operand is computed every frame, and is no divisor: then nothing is computed twice by
    /// following it to each of its users.
    fn one_fast(&self, value: Value) -> bool {
        let inst = &self.body.insts[value];
        let fast = |arg: &Value| self.rates[arg.index()] == Rate::Sample;
        let args = inst.args.as_slice();
        args.iter().filter(|arg| fast(arg)).count() <= 1 && !(inst.op == Op::Div && fast(&args[1]))
    }
}

impl Product {
    /// Whether gathering the slow factors saves something.
    fn gains(&self) -> bool {
        let [factors, divisors] = &self.slow;
        factors.len() + usize::from(self.negative) >= 2 || !divisors.is_empty()
    }

    fn build(self, new: &mut Body, map: &[Value]) -> Value {
        let slow = self.slow_factor(new, map);
        let [factors, divisors] = self.fast;
        let product = |values: &[Value], new: &mut Body| {
            let mut values = values.iter().map(|value| map[value.index()]);
            let first = values.next()?;
            Some(values.fold(first, |product, factor| new.op(Op::Mul, &[product, factor])))
        };
        let divisor = product(&divisors, new);
        let mut result = match product(&factors, new) {
            Some(fast) => new.op(Op::Mul, &[fast, slow]),
            None => slow,
        };
        if let Some(divisor) = divisor {
            result = new.op(Op::Div, &[result, divisor]);
        }
        result
    }

    /// All slow factors in one, as an f32.
    fn slow_factor(&self, new: &mut Body, map: &[Value]) -> Value {
        let sign = new.f64(if self.negative { -1.0 } else { 1.0 });
        let mut slow = sign;
        for (op, values) in [(Op::Mul, &self.slow[0]), (Op::Div, &self.slow[1])] {
            for value in values {
                let factor = wide(new, map[value.index()]);
                slow = new.op(op, &[slow, factor]);
            }
        }
        new.op(Op::Demote, &[slow])
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
