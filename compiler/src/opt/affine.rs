//! Affine canonicalisation. What is slower than a sample is computed in f64 and rounded once, where it meets audio. What is computed every frame
//! is brought to the form `product · scale + offset`, of which scale and offset are loop-invariant (constants, parameters, a
//! note's velocity): `−since·dt/time·log₂e` is one multiplication a frame, a division by a parameter none, and
//! `1 − (t − 10ms)/90ms` is one multiplication with an addition.
//!
//! A factor that is such a sum takes the product's scale in: `(x + a)·y·b` is `(x·b + a·b)·y`. An exponential takes it
//! in too, so that both are one geometric series.
//!
//! It changes last bits (there are fewer roundings), and is therefore part of lowering to every target: it is done
//! once, before anything is planned.

use super::{Context, rebuild};
use crate::ir::{Body, Imm, Op, Rate, Type, Value};

/// How many factors a product has at most.
const MOST: usize = 16;

pub(super) fn run(old: &Body, _: Context) -> Body {
    let rates = old.rates();
    let uses = old.uses();
    let mut scaled = vec![0; old.insts.len()];
    for inst in old.insts.values() {
        if let (Op::Mul, &[a, b]) = (inst.op, inst.args.as_slice()) {
            let invariant = |v: Value| rates[v.index()] != Rate::Sample;
            scaled[a.index()] += u32::from(invariant(b));
            scaled[b.index()] += u32::from(invariant(a));
        }
    }
    let mut forms = Forms { old, rates, uses, scaled, forms: vec![], map: vec![] };
    rebuild::body(old, |new, value, inst| {
        let form = forms.form(value, new);
        let now = match form.as_ref().filter(|form| form.gains) {
            Some(form) => forms.build(form, new),
            None => new.insts.add(inst),
        };
        forms.forms.push(form);
        forms.map.push(now);
        now
    })
}

/// What an f32 that is computed every frame is: `factors / divisors · scale + offset`.
#[derive(Clone, Debug, Default)]
struct Form {
    /// Values of the old body.
    factors: Vec<Value>,
    /// Values of the old body.
    divisors: Vec<Value>,
    /// A loop-invariant f64 of the new body; 1 where there is none.
    scale: Option<Value>,
    /// A loop-invariant f64 of the new body; 0 where there is none.
    offset: Option<Value>,
    /// Whether others have the product too.
    shared: bool,
    /// Whether computing it so costs less than as it was written.
    gains: bool,
}

struct Forms<'a> {
    old: &'a Body,
    rates: Vec<Rate>,
    uses: Vec<u32>,
    /// How many of the users multiply it by something loop-invariant.
    scaled: Vec<u32>,
    /// The forms of the values so far.
    forms: Vec<Option<Form>>,
    /// What they are in the new body.
    map: Vec<Value>,
}

impl Forms<'_> {
    fn is_invariant(&self, value: Value) -> bool {
        self.rates[value.index()] != Rate::Sample
    }

    /// A value's form; itself alone where it has none, or where following it would compute something twice.
    fn operand(&self, value: Value) -> Form {
        let itself = || Form { factors: vec![value], ..Form::default() };
        let Some(form) = &self.forms[value.index()] else { return itself() };
        let uses = self.uses[value.index()];
        // Others take a product of one factor as it is; and those that all scale it share it without its own scale.
        let single = form.factors.len() == 1 && form.divisors.is_empty();
        let shared = form.offset.is_none() && (single || self.scaled[value.index()] == uses);
        match uses {
            1 => form.clone(),
            _ if shared => Form { shared: true, ..form.clone() },
            _ => itself(),
        }
    }

    /// The same without an offset, to be a factor beside others.
    fn factor(&self, value: Value) -> Form {
        let form = self.operand(value);
        match form.offset {
            Some(_) => Form { factors: vec![value], ..Form::default() },
            None => form,
        }
    }

    fn form(&self, value: Value, new: &mut Body) -> Option<Form> {
        let inst = &self.old.insts[value];
        if inst.ty != Type::F32 || self.is_invariant(value) {
            return None;
        }
        let exact = |v: Value, new: &mut Body| wide(new, self.map[v.index()]);
        match (inst.op, inst.args.as_slice()) {
            (Op::Neg, &[x]) => {
                let (form, minus) = (self.operand(x), new.f64(-1.0));
                let gains = form.offset.is_some() || form.scale.is_some();
                Some(Form { gains, ..times(new, form, Op::Mul, minus) })
            }
            (op @ (Op::Mul | Op::Div), &[x, k]) if self.is_invariant(k) => {
                Some(self.scaled_by(x, op, k, new))
            }
            (Op::Mul, &[k, x]) if self.is_invariant(k) => Some(self.scaled_by(x, Op::Mul, k, new)),
            (op @ (Op::Mul | Op::Div), &[x, y]) => self.product(op, x, y, new),
            (op @ (Op::Add | Op::Sub), &[x, k]) if self.is_invariant(k) => {
                let form = self.operand(x);
                let (offset, gains) = (exact(k, new), form.offset.is_some());
                let zero = form.offset.unwrap_or_else(|| new.f64(0.0));
                Some(Form { offset: Some(f64s(new, op, zero, offset)), gains, ..form })
            }
            (op @ (Op::Add | Op::Sub), &[k, x]) if self.is_invariant(k) => {
                let mut form = self.operand(x);
                let (offset, gains) = (exact(k, new), form.offset.is_some());
                if op == Op::Sub {
                    let minus = new.f64(-1.0);
                    form = times(new, form, Op::Mul, minus);
                }
                let zero = form.offset.unwrap_or_else(|| new.f64(0.0));
                Some(Form { offset: Some(f64s(new, Op::Add, offset, zero)), gains, ..form })
            }
            _ => None,
        }
    }

    /// `x · k` or `x / k`, where k is loop-invariant.
    fn scaled_by(&self, x: Value, op: Op, k: Value, new: &mut Body) -> Form {
        let (form, k) = (self.operand(x), wide(new, self.map[k.index()]));
        let gains = op == Op::Div || form.scale.is_some() || form.offset.is_some();
        let form = times(new, form, op, k);
        Form { gains: gains || self.absorber(&form).is_some(), ..form }
    }

    /// A product or quotient of two values that are computed every frame.
    fn product(&self, op: Op, x: Value, y: Value, new: &mut Body) -> Option<Form> {
        let (mut x, y) = (self.factor(x), self.factor(y));
        let scales = [&x, &y].map(|form| form.scale.is_some());
        let [factors, divisors] = match op {
            Op::Mul => [y.factors, y.divisors],
            _ => [y.divisors, y.factors],
        };
        x.factors.extend(factors);
        x.shared |= y.shared;
        x.divisors.extend(divisors);
        if x.factors.len() + x.divisors.len() > MOST || x.factors.is_empty() {
            return None;
        }
        if let Some(scale) = y.scale {
            let one = x.scale.unwrap_or_else(|| new.f64(1.0));
            x.scale = Some(f64s(new, op, one, scale));
        }
        x.gains = scales == [true; 2] || scales != [false; 2] && self.absorber(&x).is_some();
        Some(x)
    }

    /// The two terms of a sum that is used nowhere else, if both have a scale: they take another one in.
    fn scaled_terms(&self, sum: Value) -> Option<[&Form; 2]> {
        let inst = &self.old.insts[sum];
        let (Op::Add | Op::Sub, &[a, b]) = (inst.op, inst.args.as_slice()) else { return None };
        let scaled = |v: Value| {
            let form = self.forms[v.index()].as_ref().filter(|_| self.uses[v.index()] == 1);
            form.filter(|form| form.scale.is_some() && form.offset.is_none())
        };
        let terms = [scaled(a)?, scaled(b)?];
        (self.uses[sum.index()] == 1).then_some(terms)
    }

    /// The factor of a product that can take its scale in: an exponential beside others, or a sum that is
    /// used nowhere else.
    fn absorber(&self, form: &Form) -> Option<usize> {
        form.scale?;
        let factors = &form.factors;
        let power = |v: &Value| factors.len() > 1 && self.old.insts[*v].op == Op::Exp2;
        let sum = |v: &Value| {
            let once = !form.shared && self.uses[v.index()] == 1;
            let offset = self.forms[v.index()].as_ref().is_some_and(|form| form.offset.is_some());
            once && (offset || self.scaled_terms(*v).is_some())
        };
        factors.iter().position(power).or_else(|| factors.iter().position(sum))
    }

    fn build(&self, form: &Form, new: &mut Body) -> Value {
        let mut scale = form.scale;
        let absorber = self.absorber(form);
        let absorbed = absorber.zip(scale).map(|(index, by)| {
            let factor = form.factors[index];
            scale = None;
            match (&self.forms[factor.index()], self.scaled_terms(factor)) {
                (Some(sum), _) => {
                    let sum = times(new, sum.clone(), Op::Mul, by);
                    self.build(&sum, new)
                }
                (None, Some(terms)) => {
                    let terms = terms.map(|term| {
                        let term = times(new, term.clone(), Op::Mul, by);
                        self.build(&term, new)
                    });
                    new.op(self.old.insts[factor].op, &terms)
                }
                (None, None) => {
                    let by = new.op(Op::Demote, &[by]);
                    new.op(Op::Mul, &[self.map[factor.index()], by])
                }
            }
        });
        let product = |values: &[Value], skip: Option<usize>, new: &mut Body| {
            let factors = values.iter().enumerate().filter(|(index, _)| Some(*index) != skip);
            let mut factors = factors.map(|(_, value)| self.map[value.index()]);
            let first = factors.next()?;
            Some(factors.fold(first, |product, factor| new.op(Op::Mul, &[product, factor])))
        };
        let mut result = match (product(&form.factors, absorber, new), absorbed) {
            (Some(rest), Some(absorbed)) => new.op(Op::Mul, &[rest, absorbed]),
            (one, other) => one.or(other).expect("a product has factors"),
        };
        let minus = scale.and_then(|scale| new.as_const(scale)) == Some(Imm::F64(-1.0));
        if let Some(scale) = scale.filter(|_| !minus) {
            let scale = new.op(Op::Demote, &[scale]);
            result = new.op(Op::Mul, &[result, scale]);
        }
        if let Some(divisor) = product(&form.divisors, None, new) {
            result = new.op(Op::Div, &[result, divisor]);
        }
        let offset = form.offset.map(|offset| new.op(Op::Demote, &[offset]));
        match (offset, minus) {
            (Some(offset), true) => new.op(Op::Sub, &[offset, result]),
            (Some(offset), false) => new.op(Op::Add, &[result, offset]),
            (None, true) => new.op(Op::Neg, &[result]),
            (None, false) => result,
        }
    }
}

/// A form, multiplied or divided by something loop-invariant (f64).
fn times(new: &mut Body, form: Form, op: Op, by: Value) -> Form {
    let one = form.scale.unwrap_or_else(|| new.f64(1.0));
    let scale = Some(f64s(new, op, one, by));
    let offset = form.offset.map(|offset| f64s(new, op, offset, by));
    Form { scale, offset, ..form }
}

/// An operation on f64; at once where both are constants, so that what is 1 or −1 is seen.
fn f64s(new: &mut Body, op: Op, a: Value, b: Value) -> Value {
    match (new.as_const(a), new.as_const(b)) {
        (Some(a), Some(b)) => {
            let meaning = op.row().meaning.expect("arithmetic has a meaning");
            new.constant(meaning(&[a, b], Type::F64.scalar), 1)
        }
        (Some(Imm::F64(0.0)), None) if op == Op::Add => b,
        (Some(Imm::F64(1.0)), None) if op == Op::Mul => b,
        (None, Some(Imm::F64(1.0))) if matches!(op, Op::Mul | Op::Div) => a,
        _ => new.op(op, &[a, b]),
    }
}

/// A loop-invariant f32 as an f64: what it was rounded from, if that is known.
fn wide(new: &mut Body, value: Value) -> Value {
    let inst = &new.insts[value];
    match (inst.op, inst.args.as_slice()) {
        (Op::Demote, &[x]) => x,
        (Op::Const(Imm::F32(x)), _) => new.f64(f64::from(x)),
        _ => new.op(Op::Promote, &[value]),
    }
}
