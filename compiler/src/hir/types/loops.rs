//! What is unrolled: `sum`, `product`, `max`, `min`, `list`, `table` and `chain`, over whole numbers or the elements of a list.

use super::names::{Path, Slot};
use super::value::{ALL, Kind, Number, Shape, Value};
use super::wanted::Elements;
use super::{At, Checker};
use crate::arithmetic::function;
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::Iteration;
use crate::hir::builtins::Arithmetic;
use crate::samples::Samples;
use mam_grammar::ast::{BinaryOp, Body, ExprId, Over, Reduction};
use mam_grammar::{Problem, Span};
use std::sync::Arc;

/// A bound.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    Known(i64),
    /// It depends on an argument of which nothing is known.
    Unknown,
}

/// The number or element of an iteration, and the number that names what it remembers.
struct Turn {
    index: i64,
    value: Value,
}

/// The iterations of a loop.
struct Turns {
    all: Vec<Turn>,
    /// Whether a bound or the list is not known: then there is one iteration, which stands for all.
    open: bool,
}

impl Checker<'_> {
    /// A whole constant number, or a problem.
    fn bound(&mut self, at: &At, expr: ExprId) -> Option<Bound> {
        let span = self.span(at, expr);
        let value = self.eval(at, expr);
        let (number, dimension) = self.mono(value, span)?;
        let plain = self.plain(&dimension, span, |dimension| {
            let message = format!("a bound must be a plain number, but this is {dimension}");
            Problem::new(&codes::DIMENSION, span, message).help("leave out the unit")
        });
        if !plain {
            return None;
        }
        match number.constant() {
            Some(x) if x.fract() == 0.0 && x.abs() < 1e9 => Some(Bound::Known(x as i64)),
            Some(x) => {
                let message = format!("a bound must be a whole number, and this is {x}");
                let nearest = x.round().clamp(-1e9, 1e9).to_string();
                let problem = Problem::new(&codes::BAD_BOUNDS, span, message);
                self.problem(problem.help(format!("write `{nearest}`")).guess(span, nearest));
                None
            }
            None if number.is_open() => Some(Bound::Unknown),
            None => {
                let message = "how often this is repeated must be known before the song starts";
                self.problem(Problem::new(&codes::NOT_CONSTANT, span, message).help("write a whole number"));
                None
            }
        }
    }

    /// The iterations of a loop.
    fn turns(&mut self, at: &At, over: Over) -> Option<Turns> {
        let span = self.over_span(at, over);
        if self.too_many_loops(at, span) {
            return None;
        }
        match over {
            Over::Range(from, to) => {
                let (low, high) = (self.bound(at, from), self.bound(at, to));
                let (Bound::Known(low), Bound::Known(high)) = (low?, high?) else {
                    let counter = Value::plain(self.varying(Kind::Open));
                    return Some(Turns { all: vec![Turn { index: 0, value: counter }], open: true });
                };
                self.counted((high - low).max(-1) + 1, span)?;
                let iteration = |i: i64| Turn { index: i, value: Value::plain(Number::real(i as f64)) };
                Some(Turns { all: (low..=high).map(iteration).collect(), open: false })
            }
            Over::List(list) => {
                let value = self.eval(at, list);
                match self.elements(value, self.span(at, list))? {
                    Elements::Like(value) => Some(Turns { all: vec![Turn { index: 0, value }], open: true }),
                    Elements::Known(elements) => {
                        self.counted(elements.len() as i64, span)?;
                        let iteration =
                            |(i, value): (usize, &Value)| Turn { index: i as i64, value: value.clone() };
                        Some(Turns { all: elements.iter().enumerate().map(iteration).collect(), open: false })
                    }
                }
            }
        }
    }

    fn over_span(&self, at: &At, over: Over) -> Span {
        let parts = over.operands();
        self.span(at, parts[0]).to(self.span(at, parts[parts.len() - 1]))
    }

    /// Reports a loop of more iterations than one may have. When all of them have too many, nothing more is
    /// evaluated.
    fn counted(&mut self, count: i64, span: Span) -> Option<()> {
        let most = self.files().limits.turns;
        if count <= most as i64 {
            self.turns += count.max(0) as usize;
            return (!self.is_too_much(span)).then_some(());
        }
        let message = format!("this unrolls into more than {most} iterations, the limit `turns`");
        let problem = Problem::new(&codes::TOO_LARGE, span, message);
        self.problem(problem.help("`sum`, `list` and `chain` are unrolled before the song starts"));
        None
    }

    /// Reports `sum`s and `chain`s that stand too deep in one another: each level multiplies what is inside.
    fn too_many_loops(&mut self, at: &At, span: Span) -> bool {
        let most = self.files().limits.loop_depth;
        if self.frames[at.frame].loops < most {
            return false;
        }
        let message =
            format!("`sum` and `chain` stand more than {most} deep in one another, the limit `loop_depth`");
        let help = "give what is inside a name, in an equation of its own, or write it out";
        self.problem(Problem::new(&codes::TOO_LARGE, span, message).help(help));
        true
    }

    /// One iteration of a loop.
    fn iteration(
        &mut self,
        at: &At,
        expr: ExprId,
        iteration: Turn,
        value: Option<Value>,
        body: &Body,
    ) -> Value {
        let scope = self.hir(at).loop_scope(expr);
        let path = Path::Inside(at.clone(), iteration.index.to_string().into());
        let frame = self.loop_frame(at.frame, scope, iteration.value, path);
        if let Some(value) = value {
            self.frames[frame].slots[1] = Slot::Done(value);
        }
        self.frames[frame].iterations = self.frames[at.frame].iterations.clone().map(|mut iterations| {
            iterations.push(Iteration { scope, counter: iteration.index });
            iterations
        });
        self.body(frame, body)
    }

    /// A `sum`, `product`, `max`, `min`, `list` or `table`.
    pub(super) fn reduce(
        &mut self,
        at: &At,
        expr: ExprId,
        reduction: Reduction,
        over: Over,
        body: &Body,
    ) -> Value {
        let Some(turns) = self.turns(at, over) else { return Value::Broken };
        let span = self.over_span(at, over);
        if matches!(reduction, Reduction::List | Reduction::Table) {
            let mut elements: Vec<Value> = turns
                .all
                .into_iter()
                .map(|iteration| self.iteration(at, expr, iteration, None, body))
                .collect();
            return match (reduction, turns.open) {
                (Reduction::Table, open) => self.samples(&elements, open, span),
                (_, true) => self.shaped(Shape::List(elements.pop())),
                (_, false) => self.listed(elements, span),
            };
        }
        let mut total: Option<Value> = None;
        for iteration in turns.all {
            let term = self.iteration(at, expr, iteration, None, body);
            total = Some(match total {
                None => term,
                Some(before) => self.reduced(reduction, (before, span), (term, span)),
            });
        }
        match (total, reduction) {
            (Some(total), _) if turns.open => {
                self.of_some_iterations(&total, reduction == Reduction::Product)
            }
            (Some(total), _) => total,
            (None, Reduction::Product) => Value::plain(Number::real(1.0)),
            (None, Reduction::Max | Reduction::Min) => {
                let message = format!("there is no `{}` of nothing", reduction.text());
                let problem = Problem::new(&codes::BAD_BOUNDS, span, message);
                self.problem(problem.help("let it have one iteration or more"))
            }
            (None, _) => Value::plain(Number::real(0.0)),
        }
    }

    /// The buffer of a `table`: constants, played as they are at the rate of the song.
    fn samples(&mut self, elements: &[Value], open: bool, span: Span) -> Value {
        let mut samples = vec![];
        for element in elements {
            let Some((number, dimension)) = self.mono(element.clone(), span) else { return Value::Broken };
            let plain = self.plain(&dimension, span, |dimension| {
                let message = format!("the samples of a table are plain numbers, but these are {dimension}");
                Problem::new(&codes::DIMENSION, span, message).help("leave out the unit, or divide by one")
            });
            let Some(x) = self.known_number(number, span, "a sample of a table").filter(|_| plain) else {
                return Value::Broken;
            };
            samples.extend(x.map(|x| x as f32));
        }
        if open || samples.len() < elements.len() {
            return self.shaped(Shape::Buffer);
        }
        if samples.is_empty() {
            let problem = Problem::new(&codes::BAD_BOUNDS, span, "this table has no samples");
            return self.problem(problem.help("let it have one or more: `table i in 0..2047 { … }`"));
        }
        Value::Buffer(Arc::new(Samples {
            rate: self.input.rate as u32,
            channels: vec![samples],
            stream: None,
        }))
    }

    /// Two values of iterations as one.
    fn reduced(&mut self, reduction: Reduction, a: (Value, Span), b: (Value, Span)) -> Value {
        let arithmetic = match reduction {
            Reduction::Product => return self.binary(BinaryOp::Mul, a, b),
            Reduction::Max => Arithmetic::Max,
            Reduction::Min => Arithmetic::Min,
            Reduction::Sum | Reduction::List | Reduction::Table => return self.binary(BinaryOp::Add, a, b),
        };
        let (left, right) = (self.signal(a.0, a.1), self.signal(b.0, b.1));
        let (Some(x), Some(y)) = (left, right) else { return Value::Broken };
        match self.common((&x.dimension, a.1), (&y.dimension, b.1), "compared") {
            Some(dimension) => {
                Value::Signal(self.each(&[&x, &y], dimension, |o, v| function(o, arithmetic, v)))
            }
            None => Value::Broken,
        }
    }

    pub(super) fn chain(&mut self, at: &At, expr: ExprId, start: ExprId, over: Over, body: &Body) -> Value {
        let mut value = self.eval(at, start);
        let Some(turns) = self.turns(at, over) else { return Value::Broken };
        for iteration in turns.all {
            value = self.iteration(at, expr, iteration, Some(value), body);
        }
        match turns.open {
            true => self.of_some_iterations(&value, false),
            false => value,
        }
    }

    /// What is known of a value of one iteration when it is not known how many there are; with each, it may measure something
    /// else.
    fn of_some_iterations(&mut self, value: &Value, measures_else: bool) -> Value {
        value.map(&mut |signal| {
            let plain = self.known(&signal.dimension) == Some(Dimension::PLAIN);
            let dimension = match measures_else && !plain {
                true => self.unknowns.fresh(),
                false => signal.dimension.clone(),
            };
            self.each(&[signal], dimension, |o, v| match v[0].kind {
                Kind::Known(_) => o.varying(Kind::Open, ALL),
                kind => o.varying(kind, ALL),
            })
        })
    }
}
