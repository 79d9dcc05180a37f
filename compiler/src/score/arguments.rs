//! The arguments of modifiers: numbers, each of which may be a pattern, rhythms, scales.

use super::amount::{Amount, count, exact, plain};
use super::codes::SIGNAL_WITHOUT_STEPS;
use super::harmony::{scale_steps, scales};
use super::pitch::note_number;
use super::reading::{Modifier, Use};
use super::vocabulary::SOURCES;
use super::words::Words;
use crate::dimension::Dimension;
use mam_grammar::ast::{Arg, Expr, ExprId, UnaryOp};
use mam_grammar::mini::Word;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::limits::MOST_REPEATS;
use mam_runtime::score::pattern::{ArpOrder, Change, Joint, Law, Node, Number, Signal, ValueMap};
use mam_runtime::score::{Overflow, Pattern, Rational, TimeSpan, Value};

/// What an argument measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Greater than 0.
    Factor,
    /// A whole number from 1.
    Count,
    /// A whole number.
    Whole,
    /// From 0 to 1.
    Share,
    /// From −1 to 1.
    Part,
    /// A number without a unit.
    Plain,
    /// What velocities are multiplied by.
    Velocity,
    /// A time in cycles, beats or bars.
    Cycles,
    /// A time in seconds.
    Seconds,
    /// An interval.
    Semitones,
    /// What is added to a value of the line.
    Amount,
    /// A value of the line.
    Value,
    /// A note by its name or its number.
    Pitch,
}

/// Cycles of an argument whose words are looked up.
const LOOKED_UP: i64 = 64;

/// How the values of a pattern are read.
#[derive(Clone, Copy)]
struct Reading<'a> {
    words: Words<'a>,
    notes: bool,
}

impl<'a> Modifier<'a> {
    /// A number of a change.
    pub(super) fn number(
        &mut self,
        arg: &Arg,
        kind: Kind,
        problems: &mut Problems,
    ) -> Result<Number, Problem> {
        match self.source(arg.value, self.words_of(kind), false, problems)? {
            Some(pattern) if pattern.is_continuous() => Err(without_steps(self.ast.span(arg.value))),
            Some(pattern) => Ok(Number::Varies(pattern)),
            None => self.constant(arg, kind, problems).map(Number::Known),
        }
    }

    /// A change that puts numbers into values.
    pub(super) fn joined(
        &mut self,
        arg: &Arg,
        joint: Joint,
        kind: Kind,
        problems: &mut Problems,
    ) -> Result<Change, Problem> {
        let law = match self.source(arg.value, self.words_of(kind), false, problems)? {
            Some(by) => Law::Join(joint, by),
            None => Law::Map(ValueMap::Join(joint, self.constant(arg, kind, problems)?.to_f64())),
        };
        Ok(Change::new(law, vec![]))
    }

    /// How the words of an argument in quotes are read.
    fn words_of(&self, kind: Kind) -> Words<'a> {
        match kind {
            Kind::Factor | Kind::Count | Kind::Whole => Words::Numbers,
            Kind::Share | Kind::Part | Kind::Plain | Kind::Cycles => Words::Plain,
            Kind::Velocity => Words::Velocities,
            Kind::Seconds => Words::Seconds,
            Kind::Semitones => Words::Semitones,
            Kind::Pitch => Words::Pitches,
            Kind::Amount | Kind::Value => match (self.words, kind) {
                (Words::Notes { .. }, Kind::Amount) => Words::Semitones,
                (Words::Notes { .. }, _) => Words::Pitches,
                (Words::Values(param), Kind::Amount) => Words::Amounts(param),
                (words @ Words::Values(_), _) => words,
                (words @ (Words::Semitones | Words::Seconds | Words::Measured), _) => words,
                _ => Words::Plain,
            },
        }
    }

    /// A number that is known.
    fn constant(&self, arg: &Arg, kind: Kind, problems: &mut Problems) -> Result<Rational, Problem> {
        let within = |low: i64, what: &str| {
            let x = plain(self.ast, arg.value, what)?;
            let fine = x >= Rational::whole(low) && x <= Rational::ONE;
            let message = format!("{what} lies between {}% and 100%", 100 * low);
            fine.then_some(x).ok_or_else(|| self.wrong(arg, &message))
        };
        match kind {
            Kind::Factor => {
                let factor = plain(self.ast, arg.value, "a factor")?;
                let fine = factor.sign() > 0;
                fine.then_some(factor).ok_or_else(|| self.wrong(arg, "a factor is greater than 0"))
            }
            Kind::Count => Ok(count(self.ast, arg.value, "here", 1..=MOST_REPEATS.into())?.into()),
            Kind::Whole => {
                let most = i64::from(MOST_REPEATS);
                Ok(count(self.ast, arg.value, "here", -most..=most)?.into())
            }
            Kind::Share => within(0, "a share"),
            Kind::Part => within(-1, "a part of a cycle"),
            Kind::Plain => plain(self.ast, arg.value, "this"),
            Kind::Velocity => plain(self.ast, arg.value, "a velocity"),
            Kind::Cycles => self.cycles(arg),
            Kind::Seconds => match exact(self.ast, arg.value)? {
                Amount::Number(Dimension::TIME, x) => Ok(x),
                _ => Err(self.wrong(arg, "this is a time, such as `10ms`")),
            },
            Kind::Semitones => self.semitones(arg),
            Kind::Amount | Kind::Value | Kind::Pitch => self.value(arg, kind, problems),
        }
    }

    fn semitones(&self, arg: &Arg) -> Result<Rational, Problem> {
        match exact(self.ast, arg.value)? {
            Amount::Semitones(x) | Amount::Number(Dimension::PLAIN, x) => Ok(x),
            _ => Err(self.wrong(arg, "a transposition is a number of semitones, such as `7st`")),
        }
    }

    /// A value as it would stand in the quotes of the line.
    fn value(&self, arg: &Arg, kind: Kind, problems: &mut Problems) -> Result<Rational, Problem> {
        let span = self.ast.span(arg.value);
        let Some(text) = self.literal(arg.value) else {
            return plain(self.ast, arg.value, "this");
        };
        let word = Word { text: text.into(), span };
        let number = self.words_of(kind).read(&word, problems)?.number();
        number.and_then(Rational::from_f64).ok_or_else(|| self.wrong(arg, "this number does not fit"))
    }

    /// A number with its unit, or a name, as one word.
    fn literal(&self, expr: ExprId) -> Option<String> {
        match &self.ast.exprs[expr] {
            Expr::Number(number) => Some(number.to_string()),
            Expr::Name(name) => Some(name.name.to_string()),
            Expr::Paren(inner) => self.literal(*inner),
            Expr::Unary { op: UnaryOp::Neg, x } => Some(format!("-{}", self.literal(*x)?)),
            _ => None,
        }
    }

    /// A time in cycles: a plain number, or beats or bars.
    fn cycles(&self, arg: &Arg) -> Result<Rational, Problem> {
        match exact(self.ast, arg.value)? {
            Amount::Number(Dimension::PLAIN, x) | Amount::Bars(x) => Ok(x),
            Amount::Beats(x) => {
                (x / self.meter.beats_per_bar).map_err(|_| self.wrong(arg, "this time does not fit"))
            }
            _ => Err(self.wrong(arg, "this time counts in cycles (bars), such as `1/8`")),
        }
    }

    /// A rhythm, of which each event is true or false.
    pub(super) fn rhythm(&mut self, arg: &Arg, problems: &mut Problems) -> Result<Pattern, Problem> {
        let span = self.ast.span(arg.value);
        match self.source(arg.value, Words::Rhythm, false, problems)? {
            Some(pattern) if pattern.is_continuous() => Err(without_steps(span)),
            Some(pattern) => Ok(pattern),
            None => {
                let text = self.literal(arg.value).unwrap_or_else(|| "x ~ x x".into());
                let problem = self.wrong(arg, "a rhythm stands in quotes");
                Err(problem.help(format!("write `\"{text}\"`")).guess(span, format!("\"{text}\"")))
            }
        }
    }

    /// The pattern that an expression is: quoted, a signal, or several of them joined, with modifiers behind. `None` where it
    /// is none of these.
    pub(super) fn source(
        &mut self,
        expr: ExprId,
        words: Words<'a>,
        notes: bool,
        problems: &mut Problems,
    ) -> Result<Option<Pattern>, Problem> {
        let ast = self.ast;
        Ok(Some(match &ast.exprs[expr] {
            Expr::Text(text) => {
                let quoted = ast.span(expr);
                let start = quoted.start as usize + 1;
                let place = Span::new(quoted.source, start, start + text.len());
                super::read(text, place, self.draw(), words, self.notations, problems)
            }
            Expr::Name(name) => match signal(&name.name) {
                Some(signal) => Pattern::new(Node::Signal(signal.seeded(self.draw()))),
                None => return Ok(None),
            },
            Expr::Call { callee, args } if is_join(&callee.name) => {
                let parts = args.iter().map(|arg| self.part(arg, words, notes, problems));
                let parts: Vec<Pattern> = parts.collect::<Result<_, _>>()?;
                joined(&callee.name, parts).map_err(|_| self.too_fine(expr))?
            }
            Expr::Method { of, callee, args } => {
                let Some(of) = self.source(*of, words, notes, problems)? else { return Ok(None) };
                self.after(
                    of,
                    expr,
                    &Use { name: callee, args, span: callee.span },
                    Reading { words, notes },
                    problems,
                )?
            }
            Expr::Field { of, field } => {
                let Some(of) = self.source(*of, words, notes, problems)? else { return Ok(None) };
                self.after(
                    of,
                    expr,
                    &Use { name: field, args: &[], span: field.span },
                    Reading { words, notes },
                    problems,
                )?
            }
            _ => return Ok(None),
        }))
    }

    /// A pattern in an argument with a modifier behind it, which reads values as that argument does.
    fn after(
        &mut self,
        of: Pattern,
        expr: ExprId,
        used: &Use,
        reading: Reading<'a>,
        problems: &mut Problems,
    ) -> Result<Pattern, Problem> {
        let around = Reading { words: self.words, notes: self.notes };
        (self.words, self.notes) = (reading.words, reading.notes);
        let change = self.named(used, problems);
        (self.words, self.notes) = (around.words, around.notes);
        change?.apply(of).map_err(|_| self.too_fine(expr))
    }

    /// A pattern within `cat(…)` and its like.
    fn part(
        &mut self,
        arg: &Arg,
        words: Words<'a>,
        notes: bool,
        problems: &mut Problems,
    ) -> Result<Pattern, Problem> {
        let span = self.ast.span(arg.value);
        self.source(arg.value, words, notes, problems)?.ok_or_else(|| {
            let text = self.literal(arg.value).unwrap_or_else(|| "c4 e4".into());
            let problem = self.wrong(arg, "a pattern stands in quotes");
            problem.help(format!("write `\"{text}\"`")).guess(span, format!("\"{text}\""))
        })
    }

    /// `scale(c, minor)`, `scale(c, "0 2 3 7 8")`
    pub(super) fn scale(&self, root: &Arg, scale: &Arg) -> Result<Change, Problem> {
        let word = |arg: &Arg| match &self.ast.exprs[arg.value] {
            Expr::Name(name) => Some(name.name.clone()),
            Expr::Text(text) => Some(text.clone()),
            _ => None,
        };
        let Some(root) = word(root).and_then(|name| note_number(&name)) else {
            return Err(self.wrong(root, "a scale begins on a note, such as `c`, `eb` or `c3`"));
        };
        let name = word(scale).unwrap_or_default();
        let Some(steps) = scale_steps(&name) else {
            return Err(self.no_scale(scale, &name));
        };
        Ok(Change::new(Law::Scale([(root, steps)].into()), vec![Number::Known(Rational::ZERO)]))
    }

    fn no_scale(&self, arg: &Arg, name: &str) -> Problem {
        if !name.contains(char::is_alphabetic) {
            let message = "the steps of a scale rise from 0 and stay below 12, an octave";
            return self.wrong(arg, message).help("write semitones: `\"0 2 3 7 8.5\"`");
        }
        let problem = self.wrong(arg, &format!("there is no scale `{name}`"));
        problem.nearest(name, "scales", &scales().collect::<Vec<_>>())
    }

    /// What is not `c:minor`, such as `"c minor"`.
    fn not_a_scale(&self, arg: &Arg) -> Problem {
        let problem = self.wrong(arg, "a scale is a note and its name: `c:minor`");
        let written = match &self.ast.exprs[arg.value] {
            Expr::Text(text) => text.split_once(' ').map(|(root, name)| (root.trim(), name.trim())),
            _ => None,
        };
        let meant = written.filter(|(root, name)| note_number(root).is_some() && scale_steps(name).is_some());
        match meant {
            Some((root, name)) => problem
                .help(format!("write `\"{root}:{name}\"`"))
                .fix(self.ast.span(arg.value), format!("\"{root}:{name}\"")),
            None => problem.help("write `\"<c:minor eb:major>\"`, or `scale(c, minor)`"),
        }
    }

    /// `scale("<c:minor eb:major>")`
    pub(super) fn scales(&mut self, arg: &Arg, problems: &mut Problems) -> Result<Change, Problem> {
        let (pattern, values) = self.words(arg, problems)?;
        let mut scales = Vec::with_capacity(values.len());
        for value in &values {
            let Value::List(parts) = value else { return Err(self.not_a_scale(arg)) };
            let word = |part: &Value| match part {
                Value::Word(word) => Some(word.to_string()),
                _ => None,
            };
            let words: Option<Vec<String>> = parts.iter().map(word).collect();
            // A name of several words has colons between them: `c:minor:pentatonic`.
            let Some((root, name)) = words.as_deref().and_then(|words| words.split_first()) else {
                return Err(self.not_a_scale(arg));
            };
            let (root, name) = (note_number(root), name.join(" "));
            let Some(root) = root else {
                return Err(self.wrong(arg, "a scale begins on a note, such as `c`, `eb` or `c3`"));
            };
            scales.push((root, scale_steps(&name).ok_or_else(|| self.no_scale(arg, &name))?));
        }
        let places = values.into_iter().zip(0..).map(|(value, place)| (value, f64::from(place)));
        let numbers = pattern.map(ValueMap::Lookup(places.collect()));
        Ok(Change::new(Law::Scale(scales.into()), vec![Number::Varies(numbers)]))
    }

    /// `arp(up)`, `arp("<up down>")`, `arp("0 [0,2] 1")`
    pub(super) fn arp(&mut self, arg: &Arg, problems: &mut Problems) -> Result<Change, Problem> {
        let place = |modifier: &Self, name: &str| {
            ArpOrder::ALL.iter().position(|order| order.0 == name).ok_or_else(|| {
                let problem = modifier.wrong(arg, &format!("there is no order `{name}` of a chord's notes"));
                problem.nearest(name, "orders", &ArpOrder::ALL.map(|order| order.0))
            })
        };
        if let Expr::Name(name) = &self.ast.exprs[arg.value] {
            let order = Number::Known(Rational::whole(place(self, &name.name)? as i64));
            return Ok(Change::new(Law::Arp, vec![order]));
        }
        let (pattern, values) = self.words(arg, problems)?;
        let numbers = values.iter().filter(|value| matches!(value, Value::Number(_))).count();
        if numbers == values.len() {
            return Ok(Change::new(Law::Pick(pattern), vec![]));
        }
        if numbers > 0 {
            let message = "orders and numbers of a chord's notes do not stand in one pattern";
            return Err(self.wrong(arg, message).help("write `\"<up down>\"` or `\"0 1 2 1\"`"));
        }
        let mut orders = Vec::with_capacity(values.len());
        for value in values {
            let Value::Word(name) = &value else {
                let message = "the order of a chord's notes is a word, such as `up`, or their numbers";
                return Err(self.wrong(arg, message));
            };
            let place = place(self, name)? as f64;
            orders.push((value, place));
        }
        Ok(Change::new(Law::Arp, vec![Number::Varies(pattern.map(ValueMap::Lookup(orders.into())))]))
    }

    /// A pattern of words or numbers, and its values, each once.
    fn words(&mut self, arg: &Arg, problems: &mut Problems) -> Result<(Pattern, Vec<Value>), Problem> {
        let span = self.ast.span(arg.value);
        let Some(pattern) = self.source(arg.value, Words::AsWritten, false, problems)? else {
            return Err(self.wrong(arg, "this is a word, or a pattern of words in quotes"));
        };
        if pattern.is_continuous() {
            return Err(without_steps(span));
        }
        let values = self.values_of(&pattern, span)?;
        Ok((pattern, values))
    }

    /// The values of a pattern that stands at a place, each once.
    pub(super) fn values_of(&self, pattern: &Pattern, span: Span) -> Result<Vec<Value>, Problem> {
        let cycles = pattern.period().map_or(LOOKED_UP, |period| (period.ceil() as i64).clamp(1, LOOKED_UP));
        let mut values: Vec<Value> = Vec::new();
        for cycle in 0..cycles {
            let events = pattern.query(TimeSpan::cycle(cycle));
            for event in events.map_err(|error| super::query_problem(error, span))? {
                if !values.contains(&event.value) {
                    values.push(event.value);
                }
            }
        }
        Ok(values)
    }
}

/// The signal of this name, its draws still to be given.
fn signal(name: &str) -> Option<Signal> {
    Some(match name {
        "sine" => Signal::Sine,
        "saw" => Signal::Saw,
        "tri" => Signal::Tri,
        "perlin" => Signal::Perlin(0),
        "rand" => Signal::Rand(0),
        _ => return None,
    })
}

fn is_join(name: &str) -> bool {
    signal(name).is_none() && SOURCES.iter().any(|source| source.0 == name)
}

fn joined(how: &str, parts: Vec<Pattern>) -> Result<Pattern, Overflow> {
    let count = Rational::whole(parts.len() as i64);
    let in_a_row = |parts: Vec<Pattern>| {
        Pattern::sequence(parts.into_iter().map(|part| (Rational::ONE, part)).collect())
    };
    match (how, parts.is_empty()) {
        (_, true) => Ok(Pattern::silence()),
        ("stack", _) => Ok(Pattern::stack(parts)),
        ("cat", _) => Ok(in_a_row(parts)?.fast(count.inverse()?)),
        _ => in_a_row(parts),
    }
}

/// A signal where steps are wanted.
pub(super) fn without_steps(span: Span) -> Problem {
    let end = Span { start: span.end, ..span };
    Problem::new(&SIGNAL_WITHOUT_STEPS, span, "a signal has a value at every instant, and no steps")
        .help("`.segment(8)` takes eight of its values a cycle")
        .guess(end, ".segment(8)")
}
