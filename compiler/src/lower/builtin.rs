//! The functions of the language: arithmetic, and what has state or needs the text of its arguments.

use super::value::{Signal, Val};
use super::{At, Lower};
use crate::arithmetic::{function, table_at};
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::builtins::{Arithmetic, Builtin, Function};
use crate::ir::{Op, Rate, TableId, Type, Value};
use mam_grammar::ast::{Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};

impl Lower<'_, '_> {
    /// A call of a function of the language, of which no argument is missing.
    pub(super) fn builtin(
        &mut self,
        at: &At,
        callee: &Ident,
        builtin: Builtin,
        args: &[Option<ExprId>],
    ) -> Val {
        let arg = |i: usize| args.get(i).copied().flatten();
        match (builtin.row().function, arg(0)) {
            (Function::Plain(f), _) => self.function(at, builtin, f, args, Some(f.dimension())),
            (Function::Keeps(f), _) => self.function(at, builtin, f, args, None),
            (Function::Noise, _) => self.noise(at),
            (Function::Random, stream) => self.random(at, stream),
            (Function::Prev, Some(x)) => self.prev(at, x, arg(1)),
            (Function::Tap, _) => self.tap(at, callee, args),
            (Function::Fir, Some(x)) => self.fir(at, x, arg(1)),
            (Function::Phasor, Some(freq)) => self.phasor(at, freq, arg(1)),
            (Function::Since, Some(trig)) => self.since(at, trig),
            (Function::Pulses, Some(period)) => self.pulses(at, period, arg(1)),
            (Function::Table, Some(values)) => self.table(at, values, arg(1)),
            (Function::Len, Some(list)) => self.len(at, list),
            (Function::Select, Some(list)) => self.select(at, list, arg(1)),
            (_, None) => Val::Broken,
        }
    }

    /// A function of its arguments' values. With a result dimension, the arguments are plain.
    fn function(
        &mut self,
        at: &At,
        builtin: Builtin,
        arithmetic: Arithmetic,
        args: &[Option<ExprId>],
        result: Option<Dimension>,
    ) -> Val {
        let mut signals: Vec<(Signal, Span)> = vec![];
        for &expr in args.iter().flatten() {
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
            if result.is_some() && !signal.dimension.can_be(Dimension::PLAIN) {
                let message = format!(
                    "`{}` takes a plain number, but this is {}",
                    builtin.row().name,
                    signal.dimension
                );
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
        self.each(&all, result.unwrap_or(dimension), |b, v| function(b, arithmetic, v))
    }

    fn table(&mut self, at: &At, values: ExprId, position: Option<ExprId>) -> Val {
        let Some((mut numbers, dimension)) = self.table_numbers(at, values) else { return Val::Broken };
        let n = numbers.len();
        numbers.push(numbers[0]); // So that the last interval runs back to the first.
        let Some(at_expr) = position else { return Val::Broken };
        let span = self.span(at, at_expr);
        let val = self.eval(at, at_expr);
        let Some(position) = self.signal(val, span) else { return Val::Broken };
        if !position.dimension.can_be(Dimension::PLAIN) {
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
        self.each(&[&position], dimension, |b, v| {
            if let Some(x) = b.constant(v[0]) {
                return b.f64(table_at(&numbers, x));
            }
            let x = b.audio(v[0]);
            let whole = b.real(Op::Floor, [x]);
            let cycle = b.real(Op::Sub, [x, whole]);
            let place = b.scale(n as f64, cycle);
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

    /// The numbers of a table, and what all of them measure: of a list that is written there, or the value of one.
    fn table_numbers(&mut self, at: &At, values: ExprId) -> Option<(Vec<f64>, Dimension)> {
        let (ast, most) = (self.ast(at), self.files().limits.table);
        let span = ast.span(values);
        let fits = |count: usize| {
            let message = format!("a table has 1 to {most} numbers, not {count}");
            (count == 0 || count > most).then(|| Problem::new(&codes::TOO_LARGE, span, message))
        };
        let mut all: Vec<(f64, Dimension, Span)> = vec![];
        if let Expr::List(list) = &ast.exprs[values] {
            if let Some(problem) = fits(list.len()) {
                self.problem(problem);
                return None;
            }
            for &expr in list {
                let (x, dimension) = self.constant(at, expr, "a number of a table")?;
                all.push((x, dimension, self.span(at, expr)));
            }
            return self.table_of(all);
        }
        let val = self.eval(at, values);
        let elements = self.elements(val, span)??;
        if let Some(problem) = fits(elements.len()) {
            self.problem(problem);
            return None;
        }
        for element in elements.iter() {
            let (value, dimension) = self.mono(element.clone(), span)?;
            all.push((self.known(value, span, "a number of a table")?, dimension, span));
        }
        self.table_of(all)
    }

    fn table_of(&mut self, all: Vec<(f64, Dimension, Span)>) -> Option<(Vec<f64>, Dimension)> {
        let (mut numbers, mut measured) = (vec![], None::<(Dimension, Span)>);
        for (x, dimension, span) in all {
            let common = measured.map_or(Some(dimension), |(before, _)| before.common(dimension));
            let (Some(common), first) = (common, measured.map_or(span, |(_, first)| first)) else {
                let before = measured.map_or(Dimension::PLAIN, |(before, _)| before);
                let message = format!("{before} and {dimension} stand in one table");
                let problem =
                    Problem::new(&codes::DIMENSION, span, message).here(format!("this is {dimension}"));
                let problem = measured.into_iter().fold(problem, |problem, (before, first)| {
                    problem.label(first, format!("this is {before}"))
                });
                self.problem(problem.help(
                    "the numbers of a table are of one kind: all times, all frequencies, or all plain",
                ));
                return None;
            };
            let place = if dimension == Dimension::PLAIN { first } else { span };
            measured = Some((common, place));
            numbers.push(x);
        }
        Some((numbers, measured.map_or(Dimension::PLAIN, |(dimension, _)| dimension)))
    }

    pub(super) fn local_table(tables: &mut Vec<Vec<f32>>, table: &[f64]) -> TableId {
        let table: Vec<f32> = table.iter().map(|&x| x as f32).collect();
        let known = tables.iter().position(|t| *t == table);
        TableId::new(known.unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        }))
    }

    /// A real constant and what it measures, or a problem that says what must be one.
    pub(super) fn constant(&mut self, at: &At, expr: ExprId, what: &str) -> Option<(f64, Dimension)> {
        let span = self.span(at, expr);
        let val = self.eval(at, expr);
        let (value, dimension) = self.mono(val, span)?;
        Some((self.known(value, span, what)?, dimension))
    }

    /// The number that a value is, or a problem that says what must be one.
    fn known(&mut self, value: Value, span: Span, what: &str) -> Option<f64> {
        match self.b.constant(value) {
            Some(x) if x.is_finite() => Some(x),
            Some(x) => {
                let message = format!("{what} must be finite, and this is {x}");
                self.problem(Problem::new(&codes::NOT_FINITE, span, message));
                None
            }
            None if self.is_unknown(value) => None,
            None => {
                let message = format!("{what} must be known before the song starts");
                self.problem(Problem::new(&codes::NOT_CONSTANT, span, message));
                None
            }
        }
    }
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
