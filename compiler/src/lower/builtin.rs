//! What the language has built in, because it cannot be said in it.

use super::value::{Signal, Val};
use super::{At, Lower};
use crate::call::{Bound, bind, missing};
use crate::codes;
use crate::dimension::Dimension;
use crate::ir::{Op, Rate, TableId, Type, Value};
use mam_grammar::ast::{Arg, Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};

/// One built-in: its row says everything about it.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) formals: &'static [&'static str],
    /// How many of the formals have no default.
    pub(super) needed: usize,
    /// For `mamc doc` and the manual.
    pub(super) doc: &'static str,
    run: Run,
}

/// How a built-in is evaluated.
enum Run {
    /// A function of plain numbers, channel by channel.
    Plain(fn(&mut super::builder::Builder, &[Value]) -> Value),
    /// Like that, but keeping the common dimension of its arguments.
    Keeps(fn(&mut super::builder::Builder, &[Value]) -> Value),
    /// Plain, and its result is a frequency.
    Hertz(fn(&mut super::builder::Builder, &[Value]) -> Value),
    /// Needs more than the values of its arguments.
    Special(Special),
}

/// The built-ins that have state or need the text of their arguments.
#[derive(Clone, Copy)]
pub(super) enum Special {
    Prev,
    Tap,
    Phasor,
    Noise,
    Since,
    Pulses,
    Table,
}

macro_rules! builtins {
    ($($name:literal [$($formal:literal)*] $needed:literal $doc:literal $run:expr;)*) => {
        static BUILTINS: &[Builtin] = &[
            $(Builtin { name: $name, formals: &[$($formal),*], needed: $needed, doc: $doc, run: $run }),*
        ];
    };
}

builtins! {
    "prev" ["x" "init"] 1 "The value that `x` had one sample ago; `init` (0) before the first." Run::Special(Special::Prev);
    "tap" ["x" "time" "max"] 2 "`x` as it was `time` ago, through a delay line of at most `max`." Run::Special(Special::Tap);
    "phasor" ["freq" "reset"] 1 "Rises from 0 to 1 `freq` times a second; its first sample, and that in which `reset` is not 0, is `freq`/sr. Exact for hours where `freq` is held."
        Run::Special(Special::Phasor);
    "noise" [] 0 "White noise in [−1, 1), its own for every use." Run::Special(Special::Noise);
    "since" ["trig"] 1 "Samples since `trig` was last not 0; 0 in that sample, 10⁹ before the first and from 10⁹ on. Counted exactly, then rounded to a 32-bit float." Run::Special(Special::Since);
    "pulses" ["period" "first"] 1 "1 in the sample nearest to `first` + k · `period` samples (k = 0, 1, …), else 0; `first` is 0. Counted exactly; a period is read at the pulse before, is at least 1 sample, and from 2³¹ on never over."
        Run::Special(Special::Pulses);
    "table" ["values" "position"] 2 "A list of numbers read at `position` (0..1 wraps), in straight lines." Run::Special(Special::Table);
    "sin" ["x"] 1 "Sine of an angle in radians." Run::Plain(|b, v| turn(b, Op::SinTurn, v[0]));
    "cos" ["x"] 1 "Cosine of an angle in radians." Run::Plain(|b, v| turn(b, Op::CosTurn, v[0]));
    "tan" ["x"] 1 "Tangent of an angle in radians." Run::Plain(|b, v| turn(b, Op::TanTurn, v[0]));
    "exp" ["x"] 1 "e to the power of x." Run::Plain(exp);
    "log" ["x"] 1 "Natural logarithm." Run::Plain(|b, v| {
        let log2 = b.real(Op::Log2, [v[0]]);
        b.scale(std::f64::consts::LN_2, log2)
    });
    "exp2" ["x"] 1 "2 to the power of x." Run::Plain(|b, v| b.real(Op::Exp2, [v[0]]));
    "log2" ["x"] 1 "Logarithm to base 2." Run::Plain(|b, v| b.real(Op::Log2, [v[0]]));
    "tanh" ["x"] 1 "Hyperbolic tangent." Run::Plain(|b, v| b.real(Op::Tanh, [v[0]]));
    "sqrt" ["x"] 1 "Square root." Run::Plain(|b, v| b.real(Op::Sqrt, [v[0]]));
    "sign" ["x"] 1 "1 above 0, −1 below, 0 at 0." Run::Plain(sign);
    "abs" ["x"] 1 "The value without its sign." Run::Keeps(|b, v| b.real(Op::Abs, [v[0]]));
    "min" ["a" "b"] 2 "The smaller of two." Run::Keeps(|b, v| b.real(Op::Min, [v[0], v[1]]));
    "max" ["a" "b"] 2 "The greater of two." Run::Keeps(|b, v| b.real(Op::Max, [v[0], v[1]]));
    "clamp" ["x" "low" "high"] 3 "x, kept between low and high." Run::Keeps(|b, v| {
        let top = b.real(Op::Min, [v[0], v[2]]);
        b.real(Op::Max, [top, v[1]])
    });
    "floor" ["x"] 1 "Greatest whole number that is not above x." Run::Keeps(|b, v| b.real(Op::Floor, [v[0]]));
    "ceil" ["x"] 1 "Least whole number that is not below x." Run::Keeps(|b, v| b.real(Op::Ceil, [v[0]]));
    "round" ["x"] 1 "Nearest whole number; halves go up." Run::Keeps(|b, v| {
        let half = b.f64(0.5);
        let moved = b.real(Op::Add, [v[0], half]);
        b.real(Op::Floor, [moved])
    });
    "fract" ["x"] 1 "x − floor(x)." Run::Keeps(|b, v| {
        let whole = b.real(Op::Floor, [v[0]]);
        b.real(Op::Sub, [v[0], whole])
    });
    "hz" ["note"] 1 "Frequency of a MIDI note number: 440 Hz · 2^((note − 69)/12)." Run::Hertz(|b, v| {
        let a4 = b.f64(-69.0);
        let above = b.real(Op::Add, [v[0], a4]);
        let octaves = b.scale(1.0 / 12.0, above);
        let ratio = b.real(Op::Exp2, [octaves]);
        b.scale(440.0, ratio)
    });
}

/// Name, arguments and documentation of every built-in.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str], &'static str)> {
    BUILTINS.iter().map(|b| (b.name, b.formals, b.doc))
}

/// A function of an angle in radians, whose op takes turns. `sin(tau · x)` needs no product at all.
fn turn(b: &mut super::builder::Builder, op: Op, x: Value) -> Value {
    const PER_RADIAN: f64 = 1.0 / std::f64::consts::TAU;
    let product = b.inst(x).clone();
    if let (Op::Mul, &[c, y]) = (product.op, product.args.as_slice()) {
        for (c, y) in [(c, y), (y, c)] {
            if let Some(factor) = b.constant(c) {
                // An f32 constant is the rounded tau: within its rounding, the turns are exact.
                let turns = factor * PER_RADIAN;
                let turns = if (turns - turns.round()).abs() < 1e-7 { turns.round() } else { turns };
                let y = if turns == 1.0 { y } else { b.scale(turns, y) };
                return b.real(op, [y]);
            }
        }
    }
    let turns = b.scale(PER_RADIAN, x);
    b.real(op, [turns])
}

fn exp(b: &mut super::builder::Builder, v: &[Value]) -> Value {
    let octaves = b.scale(std::f64::consts::LOG2_E, v[0]);
    b.real(Op::Exp2, [octaves])
}

fn sign(b: &mut super::builder::Builder, v: &[Value]) -> Value {
    let (zero, one, minus) = (b.f64(0.0), b.f64(1.0), b.f64(-1.0));
    let (above, below) = (b.compare(Op::Lt, zero, v[0]), b.compare(Op::Lt, v[0], zero));
    let down = b.select(below, minus, zero);
    b.select(above, one, down)
}

impl Lower<'_, '_> {
    /// A call of a built-in.
    pub(super) fn builtin(
        &mut self,
        at: &At,
        callee: &Ident,
        args: &[Arg],
        piped: super::calls::Piped,
    ) -> Val {
        let Some(builtin) = BUILTINS.iter().find(|b| b.name == &*callee.name) else {
            let names: Vec<&str> = BUILTINS.iter().map(|b| b.name).collect();
            let unknown = self.unknown_definition(at, callee, &names);
            // What is wrong with what it is given is wrong whatever was meant.
            let given = piped.into_iter().chain(args.iter().map(|arg| arg.value));
            let text = |value: ExprId| matches!(self.ast(at).exprs[value], Expr::Text(_) | Expr::List(_));
            for value in given.filter(|&value| !text(value)).collect::<Vec<_>>() {
                self.eval(at, value);
            }
            return unknown;
        };
        let args = super::calls::with_piped(args, piped);
        let before = self.problems.len();
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        let bound = bind(ast, (callee, &args), builtin.formals, &[], &mut self.problems);
        if self.problems.len() > before {
            return Val::Broken;
        }
        if let Some(i) = bound.args.iter().take(builtin.needed).position(Option::is_none) {
            let problem = missing(callee, builtin.formals[i], builtin.formals, callee.span);
            return self.problem(problem);
        }
        match &builtin.run {
            Run::Special(special) => self.special(at, *special, callee, &bound),
            Run::Plain(f) => self.function(at, builtin, *f, &bound, Some(Dimension::PLAIN)),
            Run::Hertz(f) => self.function(at, builtin, *f, &bound, Some(Dimension::FREQUENCY)),
            Run::Keeps(f) => self.function(at, builtin, *f, &bound, None),
        }
    }

    /// A function of its arguments' values. With a result dimension, the arguments are plain.
    fn function(
        &mut self,
        at: &At,
        builtin: &Builtin,
        f: fn(&mut super::builder::Builder, &[Value]) -> Value,
        bound: &Bound,
        result: Option<Dimension>,
    ) -> Val {
        let mut signals: Vec<(Signal, Span)> = vec![];
        for &expr in bound.args.iter().flatten() {
            let span = self.span(at, expr);
            let val = self.eval(at, expr);
            match self.signal(val, span) {
                Some(signal) => signals.push((signal, span)),
                None => return Val::Broken,
            }
        }
        let mut dimension = signals[0].0.dimension;
        for (signal, span) in &signals {
            let first = signals[0].1;
            if result.is_some() && signal.dimension != Dimension::PLAIN {
                let message =
                    format!("`{}` takes a plain number, but this is {}", builtin.name, signal.dimension);
                let help = "divide it by its unit, such as `x / 1s` or `x / 1Hz`";
                return self.problem(Problem::new(&codes::DIMENSION, *span, message).help(help));
            }
            let before = Signal { dimension, ..*signal };
            match self.common((&before, first), (signal, *span), "compared") {
                Some(common) => dimension = common,
                None => return Val::Broken,
            }
        }
        let all: Vec<&Signal> = signals.iter().map(|(s, _)| s).collect();
        self.each(&all, result.unwrap_or(dimension), f)
    }

    fn special(&mut self, at: &At, special: Special, callee: &Ident, bound: &Bound) -> Val {
        let arg = |i: usize| bound.args.get(i).copied().flatten();
        match (special, arg(0)) {
            (Special::Noise, _) => self.noise(at),
            (Special::Prev, Some(x)) => self.prev(at, x, arg(1)),
            (Special::Tap, Some(x)) => self.tap(at, callee, x, arg(1), arg(2)),
            (Special::Phasor, Some(freq)) => self.phasor(at, freq, arg(1)),
            (Special::Since, Some(trig)) => self.since(at, trig),
            (Special::Pulses, Some(period)) => self.pulses(at, period, arg(1)),
            (Special::Table, Some(values)) => self.table(at, values, arg(1)),
            (_, None) => Val::Broken,
        }
    }

    fn table(&mut self, at: &At, values: ExprId, position: Option<ExprId>) -> Val {
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        let Expr::List(list) = &ast.exprs[values] else {
            let message = "the first argument of `table` is a list of numbers: `[0, 0.5, 1]`";
            return self.problem(Problem::new(&codes::NOT_A_SIGNAL, ast.span(values), message));
        };
        if list.is_empty() || list.len() > self.files().limits.table {
            let message =
                format!("a table has 1 to {} numbers, not {}", self.files().limits.table, list.len());
            return self.problem(Problem::new(&codes::TOO_LARGE, ast.span(values), message));
        }
        let mut numbers: Vec<f64> = vec![];
        for &expr in list {
            let Some(x) = self.constant(at, expr, "a number of a table") else { return Val::Broken };
            numbers.push(x);
        }
        let n = numbers.len();
        numbers.push(numbers[0]); // So that the last interval runs back to the first.
        let Some(at_expr) = position else { return Val::Broken };
        let span = self.span(at, at_expr);
        let val = self.eval(at, at_expr);
        let Some(position) = self.signal(val, span) else { return Val::Broken };
        if position.dimension != Dimension::PLAIN {
            let text = self.files().slice(span);
            let message =
                format!("a table is read at a position from 0 to 1, but this is {}", position.dimension);
            let help = match position.dimension {
                Dimension::FREQUENCY => {
                    format!("to go through it at a frequency, read it at `phasor({text})`")
                }
                dimension => {
                    let unit = if dimension == Dimension::TIME { "s" } else { "Hz" };
                    format!("divide it by what one turn of the table is, such as `({text}) / 1{unit}`")
                }
            };
            return self.problem(Problem::new(&codes::DIMENSION, span, message).help(help));
        }
        let moves = position.channels.iter().any(|&v| self.b.constant(v).is_none());
        let table = if moves { Self::local_table(&mut self.song.tables, &numbers) } else { TableId::ZERO };
        self.each(&[&position], Dimension::PLAIN, |b, v| {
            if let Some(x) = b.constant(v[0]) {
                return b.f64(at_turn(&numbers, x));
            }
            let x = b.audio(v[0]);
            let whole = b.real(Op::Floor, [x]);
            let turn = b.real(Op::Sub, [x, whole]);
            let place = b.scale(n as f64, turn);
            let index = b.real(Op::Floor, [place]);
            let part = b.real(Op::Sub, [place, index]);
            let first = b.push(Op::ToInt, Type::I32, &[index]);
            let one = b.i32(1);
            let second = b.push(Op::Add, Type::I32, &[first, one]);
            let low = b.push(Op::Table(table), Type::F32, &[first]);
            let high = b.push(Op::Table(table), Type::F32, &[second]);
            lerp(b, low, high, part)
        })
    }

    fn local_table(tables: &mut Vec<Vec<f32>>, table: &[f64]) -> TableId {
        let table: Vec<f32> = table.iter().map(|&x| x as f32).collect();
        let known = tables.iter().position(|t| *t == table);
        TableId::new(known.unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        }))
    }

    /// A real constant, or a problem that says what must be one.
    pub(super) fn constant(&mut self, at: &At, expr: ExprId, what: &str) -> Option<f64> {
        let span = self.span(at, expr);
        let val = self.eval(at, expr);
        let (value, _) = self.mono(val, span)?;
        match self.b.constant(value) {
            Some(x) if x.is_finite() => Some(x),
            Some(x) => {
                let message = format!("{what} must be finite, and this is {x}");
                self.problem(Problem::new(&codes::NOT_FINITE, span, message));
                None
            }
            None => {
                let message = format!("{what} must be known before the song starts");
                self.problem(Problem::new(&codes::NOT_CONSTANT, span, message));
                None
            }
        }
    }
}

/// A table (whose last number is its first again) at a constant position.
fn at_turn(numbers: &[f64], position: f64) -> f64 {
    let place = (position - position.floor()) * (numbers.len() - 1) as f64;
    let index = (place as usize).min(numbers.len() - 2);
    numbers[index] + (place - index as f64) * (numbers[index + 1] - numbers[index])
}

/// low + part · (high − low)
pub(super) fn lerp(b: &mut super::builder::Builder, low: Value, high: Value, part: Value) -> Value {
    if b.rate(part) == Rate::Const && b.constant(part) == Some(0.0) {
        return low;
    }
    let step = b.real(Op::Sub, [high, low]);
    let moved = b.real(Op::Mul, [part, step]);
    b.real(Op::Add, [low, moved])
}
