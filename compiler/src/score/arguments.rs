//! The arguments of modifiers: numbers, each of which may be a pattern, rhythms, scales.

use super::Parameter;
use super::amount::{Amount, counted, exact, plain};
use super::codes::{MODIFIER, SIGNAL_WITHOUT_STEPS};
use super::harmony::{scale_steps, scales};
use super::pitch::note_number;
use super::reading::{Modifier, Use, mentions};
use super::show::number;
use super::tempo::tempo_map;
use super::values::in_base_of;
use super::vocabulary::SOURCES;
use super::words::Words;
use crate::dimension::Dimension;
use mam_grammar::ast::{Arg, Expr, ExprId, UnaryOp};
use mam_grammar::mini::Word;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::limits::MOST_REPEATS;
use mam_runtime::score::pattern::{ArpOrder, Change, Joint, Law, Node, Number, Signal, ValueMap};
use mam_runtime::score::{Overflow, Pattern, Rational, Tempo, TimeSpan, Value};

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
    /// The share of its event for which a note is held, greater than 0.
    Held,
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

impl Kind {
    /// A number of this kind, at a place, or why it is none.
    fn check(self, x: Rational, span: Span) -> Result<Rational, Problem> {
        let within = |low: i64, what: &str| {
            let fine = x >= Rational::whole(low) && x <= Rational::ONE;
            (fine, format!("{what} lies between {}% and 100%", 100 * low))
        };
        let most = i64::from(MOST_REPEATS);
        let (fine, message) = match self {
            Kind::Count => return counted(x, span, "here", 1..=most).map(Rational::whole),
            Kind::Whole => return counted(x, span, "here", -most..=most).map(Rational::whole),
            Kind::Factor => (x.sign() > 0, "a factor is greater than 0".into()),
            Kind::Held => (x.sign() > 0, "a note is held for a share of its event greater than 0".into()),
            Kind::Share => within(0, "a share"),
            Kind::Part => within(-1, "a part of a cycle"),
            _ => return Ok(x),
        };
        fine.then_some(x).ok_or_else(|| Problem::new(&MODIFIER, span, message))
    }
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
            Some(pattern) => {
                self.all_fit(&pattern, arg, kind)?;
                Ok(Number::Varies(pattern))
            }
            None => self.constant(arg, kind, problems).map(Number::Known),
        }
    }

    /// The values of a number of a change, each once.
    pub(super) fn values_in(&self, number: &Number, arg: &Arg) -> Result<Vec<f64>, Problem> {
        match number {
            Number::Known(x) => Ok(vec![x.to_f64()]),
            Number::Varies(pattern) => {
                let values = self.values_of(pattern, self.ast.span(arg.value))?;
                Ok(values.iter().filter_map(Value::number).collect())
            }
        }
    }

    /// Refuses a pattern in an argument that has a value which would be refused as a constant. Values that a signal gives
    /// lie where its range says, and need not be whole.
    fn all_fit(&self, pattern: &Pattern, arg: &Arg, kind: Kind) -> Result<(), Problem> {
        let is_signal = |name: &str| signal(name).is_some();
        if mentions(self.ast, &[arg.value], &is_signal) {
            return Ok(());
        }
        let span = self.ast.span(arg.value);
        for value in self.values_of(pattern, span)? {
            let Some(x) = value.number().and_then(Rational::from_f64) else { continue };
            kind.check(x, span).map_err(|problem| {
                let problem = Problem { fix: None, ..problem };
                problem.here(format!("one of its values is `{}`", number(x)))
            })?;
        }
        Ok(())
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
            Some(by) => {
                if !by.is_continuous() {
                    self.all_fit(&by, arg, kind)?;
                }
                Law::Join(joint, by)
            }
            None => Law::Map(ValueMap::Join(joint, self.constant(arg, kind, problems)?.to_f64())),
        };
        Ok(Change::new(law, vec![]))
    }

    /// How the words of an argument in quotes are read.
    fn words_of(&self, kind: Kind) -> Words<'a> {
        match kind {
            Kind::Factor | Kind::Count | Kind::Whole => Words::Numbers,
            Kind::Share | Kind::Part | Kind::Plain | Kind::Held | Kind::Cycles => Words::Plain,
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
        let number = match kind {
            Kind::Factor => plain(self.ast, arg.value, "a factor")?,
            Kind::Count | Kind::Whole => plain(self.ast, arg.value, "what is wanted here")?,
            Kind::Share => plain(self.ast, arg.value, "a share")?,
            Kind::Part => plain(self.ast, arg.value, "a part of a cycle")?,
            Kind::Plain | Kind::Held => plain(self.ast, arg.value, "this")?,
            Kind::Velocity => plain(self.ast, arg.value, "a velocity")?,
            Kind::Cycles => self.cycles(arg)?,
            Kind::Seconds => match exact(self.ast, arg.value)? {
                Amount::Number(Dimension::TIME, x) => x,
                amount => {
                    let problem = self.wrong(arg, "this is a time, such as `10ms`");
                    return Err(self.in_seconds(amount, problem));
                }
            },
            Kind::Semitones => self.semitones(arg)?,
            Kind::Amount | Kind::Value | Kind::Pitch => self.value(arg, kind, problems)?,
        };
        kind.check(number, self.ast.span(arg.value))
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
        let words = self.words_of(kind);
        let number = match (self.literal(arg.value), words) {
            (Some(text), _) => words.read(&Word { text: text.into(), span }, problems)?.number(),
            (None, Words::Values(param)) => Some(self.computed(arg, param, problems)?),
            (None, _) => return plain(self.ast, arg.value, "this"),
        };
        number.and_then(Rational::from_f64).ok_or_else(|| self.wrong(arg, "this number does not fit"))
    }

    /// The value of a parameter that is more than a number with its unit: `2 * 40ms`, `1/8 s`.
    fn computed(&self, arg: &Arg, param: &Parameter, problems: &mut Problems) -> Result<f64, Problem> {
        let (amount, span) = (exact(self.ast, arg.value)?, self.ast.span(arg.value));
        if matches!(amount, Amount::Beats(_) | Amount::Bars(_)) && param.dimension == Dimension::TIME {
            let message = format!("`{}` takes a time in seconds, and this one follows the tempo", param.name);
            return Err(self.in_seconds(amount, self.wrong(arg, &message)));
        }
        let word = Word { text: shown(amount).into(), span };
        let value = in_base_of(&word, Some(amount), param, problems)?;
        Ok(value.clamp(param.range.0, param.range.1))
    }

    /// Adds what a time that follows the tempo is in seconds, where the song begins.
    fn in_seconds(&self, amount: Amount, problem: Problem) -> Problem {
        let beats = match amount {
            Amount::Beats(x) => Ok(x),
            Amount::Bars(x) => x * self.meter.beats_per_bar,
            _ => return problem,
        };
        let (map, _) = tempo_map(self.ast, &self.ast.items, self.meter, &mut Problems::default());
        let bpm = map.changes.first().map(|change| match change.tempo {
            Tempo::Steady(bpm) | Tempo::Ramp { from: bpm, .. } => bpm,
        });
        let ms =
            beats.and_then(|beats| (beats * Rational::whole(60_000))? / bpm.unwrap_or(Rational::whole(120)));
        let (Ok(ms), Some(bpm)) = (ms, bpm) else { return problem };
        let (written, meant) = (shown(amount), format!("{}ms", (ms.to_f64() * 1e3).round() / 1e3));
        let help = format!("at `tempo {}`, {written} is `{meant}`", number(bpm));
        let span = problem.span();
        problem.help(help).guess(span, meant)
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
    pub(super) fn scale(&self, root_arg: &Arg, scale: &Arg) -> Result<Change, Problem> {
        let word = |arg: &Arg| match &self.ast.exprs[arg.value] {
            Expr::Name(name) => Some(name.name.clone()),
            Expr::Text(text) => Some(text.clone()),
            _ => None,
        };
        let Some(root) = word(root_arg).and_then(|name| note_number(&name)) else {
            return Err(self.wrong(root_arg, "a scale begins on a note, such as `c`, `eb` or `c3`"));
        };
        let name = word(scale).unwrap_or_default();
        let Some(steps) = scale_steps(&name) else {
            return Err(self
                .changing_scale(root_arg, scale, &name)
                .unwrap_or_else(|| self.no_scale(scale, &name)));
        };
        Ok(Change::new(Law::Scale([(root, steps)].into()), vec![Number::Known(Rational::ZERO)]))
    }

    /// `scale(c4, "<minor major>")`: scales that change with the cycle, each of which has its own note.
    fn changing_scale(&self, root: &Arg, scale: &Arg, names: &str) -> Option<Problem> {
        let first = self.literal(root.value).or_else(|| match &self.ast.exprs[root.value] {
            Expr::Text(text) => Some(text.to_string()),
            _ => None,
        })?;
        let mark = |c: char| "<>[]{}, ".contains(c);
        let words: Vec<&str> = names.split(mark).filter(|word| !word.is_empty()).collect();
        let several = words.len() > 1 && words.iter().all(|word| scale_steps(word).is_some());
        if !several || !names.contains(['<', '[']) {
            return None;
        }
        let mut meant = String::new();
        let mut inside = false;
        for c in names.chars() {
            if !mark(c) && !inside {
                meant += &format!("{first}:");
            }
            inside = !mark(c);
            meant.push(c);
        }
        let span = self.ast.span(root.value).to(self.ast.span(scale.value));
        let problem = self.wrong(scale, "of scales that change each has its own note");
        Some(problem.help(format!("write `.scale(\"{meant}\")`")).fix(span, format!("\"{meant}\"")))
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

/// A constant as it is written.
fn shown(amount: Amount) -> String {
    let unit = |x: Rational, unit: &str| {
        let plural = if x > Rational::ONE { "s" } else { "" };
        format!("{} {unit}{plural}", number(x))
    };
    match amount {
        Amount::Beats(x) => unit(x, "beat"),
        Amount::Bars(x) => unit(x, "bar"),
        Amount::Semitones(x) => format!("{}st", number(x)),
        Amount::Number(Dimension::TIME, x) => format!("{}s", number(x)),
        Amount::Number(Dimension::FREQUENCY, x) => format!("{}Hz", number(x)),
        Amount::Number(_, x) => number(x).to_string(),
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
