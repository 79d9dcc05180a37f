//! Constants: what must be known before there is a graph. Defaults, ranges and glides of parameters, how many voices there
//! are, how often a `sum` is unrolled.
//!
//! Only what is asked for is evaluated, by need, in f64; definitions are called with their arguments' values. What depends
//! on a state, a parameter or a signal is not a constant. A constant of a song does not depend on its sample rate: where it
//! names `sr`, that is [`RATE`]. The numbers of an `expect` do: each rate at which it is measured has [`Consts::at_rate`] of its own.

mod numbers;
mod signals;
mod unrolled;

use super::builtins::{Arithmetic, Builtin, Function};
use super::function::applied;
use super::parts::{Part, Parts};
use super::resolve::resolved;
use super::{Call, Callee, DefId, FILE, Iterations, Known, LocalKind, Name, ScopeId};
use crate::arithmetic::{Operations, function};
use crate::dimension::{Dimension, base_value};
use crate::files::Files;
use crate::ir::{Imm, Op};
use crate::units::{Units, of_formal};
use mam_grammar::ast::{BinaryOp, Body, DefinitionKind, Expr, ExprId, Ident, UnaryOp};
pub(super) use numbers::Numbers;
use rustc_hash::FxHashMap;
use signals::{binary, common, each, plain};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use unrolled::looped_list;

/// The sample rate that the constants of a song see, in Hz.
pub const RATE: f64 = 48_000.0;

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is only known while the song plays.
    Varies,
    /// Something is wrong with it, which is reported where the expression is checked.
    Wrong,
}

/// A number in base units with what it measures, or why there is none.
pub type Number = Result<(f64, Dimension), Missing>;

/// What was evaluated so far.
pub struct Consts {
    /// What `sr` is, in Hz.
    rate: f64,
    known: RefCell<FxHashMap<(usize, ExprId, Iterations), Number>>,
    /// Expressions that were evaluated, for the limit `all_evaluations`.
    work: Cell<usize>,
}

impl Default for Consts {
    fn default() -> Consts {
        Consts::at_rate(RATE)
    }
}

impl Consts {
    /// No constants yet, where `sr` is this rate, in Hz.
    pub fn at_rate(rate: f64) -> Consts {
        Consts { rate, known: RefCell::default(), work: Cell::default() }
    }

    /// The value of a mono constant that stands in a file itself, in base units; `around` are the `sum`s around it.
    ///
    /// # Errors
    /// Where it is not a constant, or cannot be evaluated.
    pub fn number(&self, files: &Files, file: usize, expr: ExprId, around: &[super::Iteration]) -> Number {
        let key = (file, expr, around.to_vec());
        if let Some(&known) = self.known.borrow().get(&key) {
            return known;
        }
        let mut evaluator =
            Evaluator { files, rate: self.rate, frames: vec![], work: 0, all: self.work.get(), depth: 0 };
        let found = evaluator.number(file, expr, around);
        self.work.set(evaluator.all + evaluator.work);
        self.known.borrow_mut().insert(key, found);
        found
    }

    /// The value of a constant, if it is a whole plain number.
    pub fn whole(
        &self,
        files: &Files,
        file: usize,
        expr: ExprId,
        around: &[super::Iteration],
    ) -> Option<i64> {
        let (x, dimension) = self.number(files, file, expr, around).ok()?;
        (dimension == Dimension::PLAIN && x.fract() == 0.0 && x.abs() < 1e15).then_some(x as i64)
    }

    /// How many elements a list has, whether they are constants or not.
    pub fn elements(
        &self,
        files: &Files,
        file: usize,
        list: ExprId,
        around: &[super::Iteration],
    ) -> Option<usize> {
        let mut evaluator =
            Evaluator { files, rate: self.rate, frames: vec![], work: 0, all: self.work.get(), depth: 0 };
        let frame = evaluator.iterations(file, around);
        let elements = evaluator.list(frame, list).ok().map(|elements| elements.len());
        self.work.set(evaluator.all + evaluator.work);
        elements
    }
}

/// A value.
#[derive(Clone)]
enum Value {
    /// One number or two: mono or stereo.
    Signal(Signal),
    Record(Parts<(Arc<str>, Value)>),
    /// Elements, each with its own reason where it is not a constant.
    List(Parts<Found<Value>>),
}

impl Part for Found<Value> {
    fn values(&self) -> usize {
        self.as_ref().map_or(1, Part::values)
    }
}

impl Part for Value {
    fn values(&self) -> usize {
        match self {
            Value::Record(fields) => fields.values(),
            Value::List(elements) => elements.values(),
            Value::Signal(_) => 1,
        }
    }
}

/// One number a channel; a real number is an f64, a truth a bool.
#[derive(Clone)]
struct Signal {
    channels: Vec<Imm>,
    dimension: Dimension,
}

type Found<T> = Result<T, Missing>;

/// What a name of a scope is.
#[derive(Clone)]
enum Slot {
    /// Not a constant.
    Varies,
    /// Not evaluated yet: an expression that sees the names of a frame, and what its place measures.
    Expr(usize, ExprId, Option<(Dimension, Units)>),
    /// Is being evaluated.
    Open,
    /// An element of a list that sees the names of a frame, not evaluated yet.
    Element(usize, ExprId, i64),
    Done(Found<Value>),
}

/// A scope while it is evaluated.
struct Frame {
    file: usize,
    scope: ScopeId,
    parent: Option<usize>,
    /// What its names are, where that was asked for or given.
    slots: FxHashMap<usize, Slot>,
}

struct Evaluator<'a> {
    files: &'a Files,
    /// What `sr` is, in Hz.
    rate: f64,
    frames: Vec<Frame>,
    work: usize,
    all: usize,
    depth: usize,
}

impl Evaluator<'_> {
    /// The frame of an expression that stands in a file itself, in unrolled loops.
    fn iterations(&mut self, file: usize, around: &[super::Iteration]) -> usize {
        let mut frame = self.frame(file, FILE, None);
        for iteration in around {
            frame = self.frame(file, iteration.scope, Some(frame));
            let around = self.frames[frame].parent.unwrap_or_default();
            let slot = match looped_list(self.files, file, iteration.scope) {
                Some(list) => Slot::Element(around, list, iteration.counter),
                None => done(iteration.counter as f64),
            };
            self.frames[frame].slots.insert(0, slot);
        }
        frame
    }

    fn number(&mut self, file: usize, expr: ExprId, around: &[super::Iteration]) -> Number {
        let frame = self.iterations(file, around);
        match self.eval(frame, expr)? {
            Value::Signal(Signal { channels, dimension }) if channels.len() == 1 => {
                let x = Numbers.known(channels[0]).filter(|x| x.is_finite()).ok_or(Missing::Wrong)?;
                Ok((x, dimension))
            }
            _ => Err(Missing::Varies),
        }
    }

    /// A frame of which nothing is known yet.
    fn frame(&mut self, file: usize, scope: ScopeId, parent: Option<usize>) -> usize {
        self.frames.push(Frame { file, scope, parent, slots: FxHashMap::default() });
        self.frames.len() - 1
    }

    fn eval(&mut self, frame: usize, expr: ExprId) -> Found<Value> {
        const DEPTH_BETWEEN_LOOKS: usize = 8;
        let limits = &self.files.limits;
        self.work += 1;
        if self.work > limits.evaluations || self.all + self.work > limits.all_evaluations {
            return Err(Missing::Wrong);
        }
        self.depth += 1;
        let value = match self.depth.is_multiple_of(DEPTH_BETWEEN_LOOKS) {
            true => stacker::maybe_grow(128 << 10, 1 << 20, || self.eval_in(frame, expr)),
            false => self.eval_in(frame, expr),
        };
        self.depth -= 1;
        let value = value?;
        let finite =
            |signal: &Signal| signal.channels.iter().all(|&x| Numbers.known(x).is_some_and(f64::is_finite));
        match &value {
            Value::Signal(signal) if !self.files.is_prelude(self.frames[frame].file) && !finite(signal) => {
                Err(Missing::Wrong)
            }
            _ => Ok(value),
        }
    }

    fn eval_in(&mut self, frame: usize, expr: ExprId) -> Found<Value> {
        let files = self.files;
        let file = self.frames[frame].file;
        match &files.file(file).ast.exprs[expr] {
            Expr::Number(number) => {
                let dimension = number.unit.map_or(Dimension::PLAIN, Dimension::from_unit);
                Ok(mono(Imm::F64(base_value(number.value(), number.unit)), dimension))
            }
            Expr::Paren(x) => self.eval(frame, *x),
            Expr::Name(_) => self.name(frame, expr),
            Expr::Field { of, field } => {
                if resolved(files, file).name(expr) == Name::Broken {
                    return Err(Missing::Wrong);
                }
                let of = self.eval(frame, *of)?;
                part(&of, field)
            }
            Expr::Call { .. } => self.call(frame, expr),
            Expr::Pipe { right, .. } => self.pipe(frame, *right),
            Expr::Unary { op, x } => {
                let x = self.signal(frame, *x)?;
                match op {
                    UnaryOp::Neg => each(&[&x], x.dimension, |v| Numbers.real(Op::Neg, [v[0]])),
                    UnaryOp::Not => each(&[&x], Dimension::PLAIN, |v| Numbers.logic(Op::Not, [v[0]])),
                }
            }
            Expr::Binary { op: BinaryOp::Concat, a, b } => {
                let (a, b) = (self.list(frame, *a)?, self.list(frame, *b)?);
                self.listed(a.iter().chain(b.iter()).cloned().collect())
            }
            Expr::Binary { op, a, b } => {
                let (a, b) = (self.signal(frame, *a)?, self.signal(frame, *b)?);
                binary(*op, &a, &b)
            }
            Expr::If { condition, then, otherwise } => {
                let [c, t, o] = [*condition, *then, *otherwise].map(|x| self.signal(frame, x));
                let (c, t, o) = (c?, t?, o?);
                let dimension = common(t.dimension, o.dimension)?;
                plain(&c)?;
                each(&[&c, &t, &o], dimension, |v| Numbers.select(v[0], v[1], v[2]))
            }
            Expr::Reduce { reduction, over, body, .. } => self.reduce(frame, expr, *reduction, *over, body),
            Expr::Chain { start, over, body, .. } => {
                let mut value = self.eval(frame, *start)?;
                for iteration in self.turns(frame, *over)? {
                    value = self.iteration(frame, expr, iteration, Some(value), body)?;
                }
                Ok(value)
            }
            Expr::List(elements) => {
                let all = elements.iter().map(|element| self.eval(frame, *element)).collect();
                self.listed(all)
            }
            Expr::Index { of, index } => {
                let (list, index) = (self.list(frame, *of)?, self.signal(frame, *index)?);
                let at = match index.channels[..] {
                    [x] => Numbers.known(x).filter(|x| x.fract() == 0.0 && *x >= 0.0),
                    _ => None,
                };
                at.and_then(|at| list.get(at as usize)).cloned().unwrap_or(Err(Missing::Wrong))
            }
            Expr::Tuple(sides) => self.tuple(frame, sides),
            Expr::Record(fields) => {
                let fields = fields.iter().map(|(name, x)| Ok((name.name.clone(), self.eval(frame, *x)?)));
                let fields: Parts<_> = fields.collect::<Found<Vec<_>>>()?.into();
                let is_too_large = fields.values() > self.files.limits.values;
                if is_too_large { Err(Missing::Wrong) } else { Ok(Value::Record(fields)) }
            }
            Expr::Length { .. } | Expr::Oversample { .. } | Expr::Spectral { .. } => Err(Missing::Varies),
            Expr::Text(_) | Expr::Method { .. } => Err(Missing::Wrong),
        }
    }

    fn signal(&mut self, frame: usize, expr: ExprId) -> Found<Signal> {
        match self.eval(frame, expr)? {
            Value::Signal(signal) => Ok(signal),
            Value::Record(_) | Value::List(_) => Err(Missing::Wrong),
        }
    }

    fn list(&mut self, frame: usize, expr: ExprId) -> Found<Parts<Found<Value>>> {
        match self.eval(frame, expr)? {
            Value::List(elements) => Ok(elements),
            Value::Signal(_) | Value::Record(_) => Err(Missing::Wrong),
        }
    }

    fn listed(&self, elements: Vec<Found<Value>>) -> Found<Value> {
        let (limits, count) = (&self.files.limits, elements.len());
        let elements = Parts::from(elements);
        match count > limits.elements || elements.values() > limits.values {
            true => Err(Missing::Wrong),
            false => Ok(Value::List(elements)),
        }
    }

    fn tuple(&mut self, frame: usize, sides: &[ExprId]) -> Found<Value> {
        let &[left, right] = sides else { return Err(Missing::Wrong) };
        let (left, right) = (self.signal(frame, left)?, self.signal(frame, right)?);
        let dimension = common(left.dimension, right.dimension)?;
        match (&left.channels[..], &right.channels[..]) {
            (&[left], &[right]) => Ok(Value::Signal(Signal { channels: vec![left, right], dimension })),
            _ => Err(Missing::Wrong),
        }
    }

    fn name(&mut self, frame: usize, expr: ExprId) -> Found<Value> {
        let hir = resolved(self.files, self.frames[frame].file);
        match hir.name(expr) {
            Name::Local(id) => {
                let local = hir.local(id);
                let mut frame = frame;
                while self.frames[frame].scope != local.scope {
                    frame = self.frames[frame].parent.ok_or(Missing::Wrong)?;
                }
                self.slot(frame, local.index)
            }
            Name::Known(known) => match known {
                Known::E => Ok(mono(Imm::F64(std::f64::consts::E), Dimension::PLAIN)),
                Known::Tau => Ok(mono(Imm::F64(std::f64::consts::TAU), Dimension::PLAIN)),
                Known::Pi => Ok(mono(Imm::F64(std::f64::consts::PI), Dimension::PLAIN)),
                Known::Sr => Ok(mono(Imm::F64(self.rate), Dimension::FREQUENCY)),
                Known::Dt => Ok(mono(Imm::F64(1.0 / self.rate), Dimension::TIME)),
                Known::Beat | Known::Bar | Known::In => Err(Missing::Varies),
            },
            Name::Note(note) => {
                let hertz = function(&mut Numbers, Arithmetic::Hz, &[Imm::F64(f64::from(note))]);
                Ok(mono(hertz, Dimension::FREQUENCY))
            }
            Name::Voice | Name::Function(_) => Err(Missing::Varies),
            Name::Broken | Name::None => Err(Missing::Wrong),
        }
    }

    /// The value of a name, evaluated once.
    fn slot(&mut self, frame: usize, index: usize) -> Found<Value> {
        let known = self.frames[frame].slots.insert(index, Slot::Open);
        let slot = known.unwrap_or_else(|| self.slot_of(frame, index));
        let found = match slot {
            Slot::Varies => Err(Missing::Varies),
            Slot::Open => Err(Missing::Wrong),
            Slot::Done(found) => found,
            Slot::Element(sees, list, index) => self
                .list(sees, list)
                .and_then(|all| all.get(index as usize).cloned().unwrap_or(Err(Missing::Wrong))),
            Slot::Expr(sees, expr, place) => {
                self.eval(sees, expr).and_then(|value| place.map_or(Ok(value.clone()), |p| fit(value, p)))
            }
        };
        self.frames[frame].slots.insert(index, Slot::Done(found.clone()));
        found
    }

    /// What a name is that nothing was given for: an equation is to be evaluated, and nothing else is a constant.
    fn slot_of(&self, frame: usize, index: usize) -> Slot {
        let Frame { file, scope, .. } = self.frames[frame];
        let hir = resolved(self.files, file);
        match hir.local(hir.scope(scope).locals[index]).kind {
            LocalKind::Equation(expr) => Slot::Expr(frame, expr, None),
            LocalKind::Broken => Slot::Done(Err(Missing::Wrong)),
            _ => Slot::Varies,
        }
    }

    /// The right side of a pipe.
    fn pipe(&mut self, frame: usize, right: ExprId) -> Found<Value> {
        match &self.files.file(self.frames[frame].file).ast.exprs[right] {
            Expr::Field { of, field } => {
                let of = self.pipe(frame, *of)?;
                part(&of, field)
            }
            _ => self.call(frame, right),
        }
    }

    fn call(&mut self, frame: usize, expr: ExprId) -> Found<Value> {
        let hir = resolved(self.files, self.frames[frame].file);
        let call = hir.call(expr).ok_or(Missing::Wrong)?;
        match call.callee {
            Callee::Local(id) => {
                let function = self.function_at(frame, Name::Local(id)).ok_or(Missing::Varies)?;
                let ast = &self.files.file(self.frames[frame].file).ast;
                let (Expr::Call { callee, .. } | Expr::Name(callee)) = &ast.exprs[expr] else {
                    return Err(Missing::Wrong);
                };
                let call = applied(self.files, function, callee, call).map_err(|_| Missing::Wrong)?;
                self.call_of(frame, &call)
            }
            _ => self.call_of(frame, call),
        }
    }

    /// The definition or function that a name in a frame means as what is to be called.
    fn function_at(&self, frame: usize, name: Name) -> Option<Callee> {
        let id = match name {
            Name::Function(function) => return Some(function),
            Name::Local(id) => id,
            _ => return None,
        };
        let local = resolved(self.files, self.frames[frame].file).local(id);
        let mut around = std::iter::successors(Some(frame), |&frame| self.frames[frame].parent);
        let frame = around.find(|&frame| self.frames[frame].scope == local.scope)?;
        match self.frames[frame].slots.get(&local.index)? {
            &Slot::Expr(caller, expr, _) => {
                let given = resolved(self.files, self.frames[caller].file).name(expr);
                self.function_at(caller, given)
            }
            _ => None,
        }
    }

    /// A call of what is known.
    fn call_of(&mut self, frame: usize, call: &Call) -> Found<Value> {
        match call.callee {
            Callee::Broken | Callee::Local(_) => Err(Missing::Wrong),
            Callee::Builtin(builtin) => self.builtin(frame, builtin, &call.args),
            Callee::Definition(def) => match self.files.definition(def).kind {
                DefinitionKind::Def => self.definition(frame, def, call),
                DefinitionKind::Instrument | DefinitionKind::Effect => Err(Missing::Varies),
            },
        }
    }

    fn definition(&mut self, caller: usize, def: DefId, call: &Call) -> Found<Value> {
        let definition = self.files.definition(def);
        let ast = &self.files.file(def.file).ast;
        let hir = resolved(self.files, def.file);
        let scope = hir.definition_scope(def.item);
        let root = hir.scope(scope).parent.map(|file| self.root(def.file, file));
        let frame = self.frame(def.file, scope, root);
        for (i, (formal, given)) in definition.formals.iter().zip(&call.args).enumerate() {
            let place = of_formal(ast, formal);
            let slot = match (given, formal.default) {
                (Some(expr), _) => Slot::Expr(caller, *expr, place),
                (None, Some(expr)) => Slot::Expr(frame, expr, place),
                (None, None) => Slot::Done(Err(Missing::Wrong)),
            };
            self.frames[frame].slots.insert(i, slot);
        }
        self.body(frame, &definition.body)
    }

    /// The frame of a file itself.
    fn root(&mut self, file: usize, scope: ScopeId) -> usize {
        let known = self.frames.iter().position(|frame| frame.file == file && frame.scope == scope);
        known.unwrap_or_else(|| self.frame(file, scope, None))
    }

    fn body(&mut self, frame: usize, body: &Body) -> Found<Value> {
        match body {
            Body::Expr(expr) => self.eval(frame, *expr),
            Body::Items(_) => {
                let Frame { file, scope, .. } = self.frames[frame];
                let hir = resolved(self.files, file);
                let out = hir.in_scope(scope, "out").ok_or(Missing::Wrong)?;
                self.slot(frame, hir.local(out).index)
            }
        }
    }

    fn builtin(&mut self, frame: usize, builtin: Builtin, args: &[Option<ExprId>]) -> Found<Value> {
        let given: Vec<ExprId> = args.iter().copied().flatten().collect();
        match builtin.row().function {
            Function::Plain(arithmetic) => {
                let args = given.into_iter().map(|x| self.signal(frame, x)).collect::<Found<Vec<_>>>()?;
                args.iter().try_for_each(plain)?;
                let dimension = arithmetic.dimension();
                each(&args.iter().collect::<Vec<_>>(), dimension, |v| function(&mut Numbers, arithmetic, v))
            }
            Function::Keeps(arithmetic) => {
                let args = given.into_iter().map(|x| self.signal(frame, x)).collect::<Found<Vec<_>>>()?;
                let dimension =
                    args.iter().try_fold(args[0].dimension, |dimension, x| common(dimension, x.dimension))?;
                each(&args.iter().collect::<Vec<_>>(), dimension, |v| function(&mut Numbers, arithmetic, v))
            }
            Function::Table => self.table(frame, &given),
            Function::Len => {
                let count = self.list(frame, given[0])?.len();
                Ok(mono(Imm::F64(count as f64), Dimension::PLAIN))
            }
            Function::Select => self.select(frame, &given),
            _ => Err(Missing::Varies),
        }
    }
}

fn done(x: f64) -> Slot {
    Slot::Done(Ok(mono(Imm::F64(x), Dimension::PLAIN)))
}

fn mono(x: Imm, dimension: Dimension) -> Value {
    Value::Signal(Signal { channels: vec![x], dimension })
}

/// A part of a value.
fn part(of: &Value, field: &Ident) -> Found<Value> {
    match of {
        Value::Signal(signal) => {
            let side = match &*field.name {
                "left" => signal.channels.first(),
                "right" => signal.channels.last(),
                _ => None,
            };
            side.map(|&x| mono(x, signal.dimension)).ok_or(Missing::Wrong)
        }
        Value::List(_) => Err(Missing::Wrong),
        Value::Record(fields) => fields
            .iter()
            .find(|(name, _)| *name == field.name)
            .map(|(_, value)| value.clone())
            .ok_or(Missing::Wrong),
    }
}

/// Brings a value into a place: a plain number is read in the place's unit.
fn fit(value: Value, (dimension, units): (Dimension, Units)) -> Found<Value> {
    match value {
        Value::Signal(signal) if signal.dimension == dimension => Ok(Value::Signal(signal)),
        Value::Signal(signal) => {
            plain(&signal)?;
            let scale = units.scale(dimension);
            match scale == 1.0 {
                true => Ok(Value::Signal(Signal { dimension, ..signal })),
                false => each(&[&signal], dimension, |v| Numbers.scale(scale, v[0])),
            }
        }
        Value::List(elements) => Ok(Value::List(
            elements.iter().map(|x| x.clone().and_then(|x| fit(x, (dimension, units)))).collect(),
        )),
        record @ Value::Record(_) => Ok(record),
    }
}
