//! Calls of the functions of the language that have no state.

use super::unknowns::Form;
use super::value::{ALL, Kind, Number, Signal, Value};
use super::wanted::Elements;
use super::{At, Checker};
use crate::arithmetic::{function, table_at};
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::builtins::{Arithmetic, Builtin, Function};
use mam_grammar::ast::{Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};

impl Checker<'_> {
    /// A call of a function of the language, of which no argument is missing.
    pub(super) fn builtin(
        &mut self,
        at: &At,
        callee: &Ident,
        builtin: Builtin,
        args: &[Option<ExprId>],
    ) -> Value {
        let arg = |i: usize| args.get(i).copied().flatten();
        if self.is_out_of_time(at, callee, builtin) {
            return Value::Broken;
        }
        match (builtin.row().function, arg(0)) {
            (Function::Spectral, _) => self.spectrum_without_body(callee),
            (Function::Plain(f), _) => self.function(at, builtin, f, args, Some(f.dimension())),
            (Function::Keeps(f), _) => self.function(at, builtin, f, args, None),
            (Function::Noise, _) => {
                self.has_state = true;
                Value::plain(self.within(Kind::Fast, (-1.0, 1.0)))
            }
            (Function::Random, stream) => self.random(at, stream),
            (Function::Prev, Some(x)) => self.prev(at, x, arg(1)),
            (Function::Tap, _) => self.tap(at, callee, args),
            (Function::Fir, Some(x)) => self.fir(at, x, arg(1)),
            (Function::Phasor, Some(freq)) => self.phasor(at, freq, arg(1)),
            (Function::Since, Some(trig)) => self.since(at, trig),
            (Function::Pulses, Some(period)) => self.pulses(at, period, arg(1)),
            (Function::Table, Some(values)) => self.table(at, values, arg(1)),
            (Function::Sample, Some(path)) => self.sample(at, path, arg(1)),
            (Function::Record, Some(_)) => self.recording(at, callee, args),
            (Function::Playback, Some(_)) => self.playback(at, args),
            (Function::Convolve, Some(x)) => self.convolve(at, x, arg(1), arg(2)),
            (Function::StretchAt, Some(_)) => self.stretch_at(at, args),
            (Function::WaveAt, Some(_)) => self.wave_at(at, args),
            (Function::MidiSend, Some(_)) => self.midi_send(at, args),
            (Function::OscSend, Some(_)) => self.osc_send(at, args),
            (Function::Len, Some(list)) => self.len(at, list),
            (Function::Select, Some(list)) => self.select(at, list, arg(1)),
            (_, None) => Value::Broken,
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
    ) -> Value {
        let mut signals: Vec<(Signal, Span)> = vec![];
        for &expr in args.iter().flatten() {
            let span = self.span(at, expr);
            let value = self.eval(at, expr);
            match self.signal(value, span) {
                Some(signal) => signals.push((signal, span)),
                None => return Value::Broken,
            }
        }
        let Some((first, first_at)) = signals.first() else { return Value::Broken };
        let mut dimension = first.dimension.clone();
        for (signal, span) in &signals {
            if result.is_some() {
                let plain = self.plain(&signal.dimension, *span, |dimension| {
                    let name = builtin.row().name;
                    let message = format!("`{name}` takes a plain number, but this is {dimension}");
                    let help = "divide it by its unit, such as `x / 1s` or `x / 1Hz`";
                    Problem::new(&codes::DIMENSION, *span, message).help(help)
                });
                if !plain {
                    return Value::Broken;
                }
            }
            match self.common((&dimension, *first_at), (&signal.dimension, *span), "compared") {
                Some(common) => dimension = common,
                None => return Value::Broken,
            }
        }
        let all: Vec<&Signal> = signals.iter().map(|(signal, _)| signal).collect();
        let dimension = result.map_or(dimension, Form::from);
        Value::Signal(self.each(&all, dimension, |o, v| function(o, arithmetic, v)))
    }

    fn table(&mut self, at: &At, values: ExprId, position: Option<ExprId>) -> Value {
        let Some((numbers, measured)) = self.table_numbers(at, values) else { return Value::Broken };
        let Some(position) = position else { return Value::Broken };
        let span = self.span(at, position);
        let value = self.eval(at, position);
        let Some(position) = self.signal(value, span) else { return Value::Broken };
        let text = self.files().slice(span);
        let plain = self.plain(&position.dimension, span, |dimension| table_position(dimension, text, span));
        if !plain {
            return Value::Broken;
        }
        Value::Signal(self.each(&[&position], measured, |o, v| match (v[0].constant(), &numbers) {
            (Some(x), Some(numbers)) => Number::real(table_at(numbers, x)),
            (Some(_), None) => o.varying(Kind::Open, ALL),
            (None, _) => o.varying(v[0].kind, ALL),
        }))
    }

    /// The numbers of a table, with the first one again at the end, so that the last interval runs back to it, and what all of
    /// them measure. There are no numbers where one depends on an argument of which nothing is known.
    fn table_numbers(&mut self, at: &At, values: ExprId) -> Option<(Option<Vec<f64>>, Form)> {
        let ast = self.ast(at);
        let span = ast.span(values);
        let mut all: Vec<(Option<f64>, Form, Span)> = vec![];
        if let Expr::List(list) = &ast.exprs[values] {
            self.table_size(list.len(), span)?;
            for &expr in list {
                let (x, dimension) = self.constant(at, expr, NUMBER)?;
                all.push((x, dimension, ast.span(expr)));
            }
            return self.table_of(all);
        }
        let value = self.eval(at, values);
        if let Some(problem) = self.streamed("table", &value, span) {
            self.problem(problem);
            return None;
        }
        if let Value::Buffer(samples) = &value {
            let numbers = samples.numbers();
            self.table_size(numbers.len(), span)?;
            let plain = |x| (Some(x), Form::from(Dimension::PLAIN), span);
            return self.table_of(numbers.into_iter().map(plain).collect());
        }
        match self.elements(value, span)? {
            Elements::Like(element) => {
                let (_, dimension) = self.mono(element, span)?;
                Some((None, dimension))
            }
            Elements::Known(elements) => {
                self.table_size(elements.len(), span)?;
                for element in elements.iter() {
                    let (number, dimension) = self.mono(element.clone(), span)?;
                    all.push((self.known_number(number, span, NUMBER)?, dimension, span));
                }
                self.table_of(all)
            }
        }
    }

    fn table_size(&mut self, count: usize, span: Span) -> Option<()> {
        let most = self.files().limits.table;
        if (1..=most).contains(&count) {
            return Some(());
        }
        let message = format!("a table has 1 to {most} numbers, not {count}");
        self.problem(Problem::new(&codes::TOO_LARGE, span, message));
        None
    }

    fn table_of(&mut self, all: Vec<(Option<f64>, Form, Span)>) -> Option<(Option<Vec<f64>>, Form)> {
        let mut numbers: Option<Vec<f64>> = Some(vec![]);
        let mut measured = (Form::from(Dimension::PLAIN), all.first()?.2);
        for (x, dimension, span) in all {
            measured = self.measured_alike(measured, (dimension, span))?;
            match (x, &mut numbers) {
                (Some(x), Some(numbers)) => numbers.push(x),
                _ => numbers = None,
            }
        }
        if let Some(numbers) = &mut numbers {
            numbers.push(numbers[0]);
        }
        Some((numbers, measured.0))
    }

    /// What the numbers of a table measure, with one more of them, and the place of the first that is not plain.
    fn measured_alike(&mut self, before: (Form, Span), next: (Form, Span)) -> Option<(Form, Span)> {
        let (first, dimension) = (self.known(&before.0), self.known(&next.0));
        if let Ok(common) = self.unknowns.common(&before.0, &next.0) {
            let place = if first == Some(Dimension::PLAIN) { next.1 } else { before.1 };
            return Some((common, place));
        }
        let (Some(first), Some(dimension)) = (first, dimension) else {
            self.no_dimension(next.1);
            return None;
        };
        let message = format!("{first} and {dimension} stand in one table");
        let problem = Problem::new(&codes::DIMENSION, next.1, message).here(format!("this is {dimension}"));
        let help = "the numbers of a table are of one kind: all times, all frequencies, or all plain";
        self.problem(problem.label(before.1, format!("this is {first}")).help(help));
        None
    }

    /// A real constant and what it measures, or a problem that says what must be one. Inside, no number where it may be any.
    pub(super) fn constant(&mut self, at: &At, expr: ExprId, what: &str) -> Option<(Option<f64>, Form)> {
        let span = self.span(at, expr);
        let value = self.eval(at, expr);
        let (number, dimension) = self.mono(value, span)?;
        Some((self.known_number(number, span, what)?, dimension))
    }

    /// The constant that a number is, or a problem that says what must be one. Inside, nothing where it may be any.
    #[expect(clippy::option_option, reason = "what may be any constant is not what is wrong")]
    pub(super) fn known_number(&mut self, number: Number, span: Span, what: &str) -> Option<Option<f64>> {
        let problem = match number.constant() {
            Some(x) if x.is_finite() => return Some(Some(x)),
            None if number.is_open() => return Some(None),
            Some(x) => {
                let message = format!("{what} must be finite, and this is {x}");
                Problem::new(&codes::NOT_FINITE, span, message)
            }
            None => {
                let message = format!("{what} must be known before the song starts");
                Problem::new(&codes::NOT_CONSTANT, span, message)
            }
        };
        self.problem(problem);
        None
    }
}

/// What a number of a table is called.
const NUMBER: &str = "a number of a table";

/// The problem of a table that is read at a position with a dimension; `text` is what is written there.
fn table_position(dimension: Dimension, text: &str, span: Span) -> Problem {
    let message = format!("a table is read at a position from 0 to 1, but this is {dimension}");
    let help = match dimension {
        Dimension::FREQUENCY => format!("to go through it at a frequency, read it at `phasor({text})`"),
        dimension => {
            let unit = if dimension == Dimension::TIME { "s" } else { "Hz" };
            format!("divide it by what one turn of the table is, such as `({text}) / 1{unit}`")
        }
    };
    Problem::new(&codes::DIMENSION, span, message).help(help)
}
