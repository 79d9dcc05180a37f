//! What remembers: `prev`, `tap`, `fir`, `phasor`, `since`, `pulses`; and what is drawn by chance.

use super::layout::{DEEPEST, Layout};
use super::names::FrameId;
use super::place::Expectation;
use super::unknowns::Form;
use super::value::{Kind, Number, Shape, Signal, Value};
use super::wanted::Elements;
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::builtins::ORDERS;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Unit};
use mam_grammar::float;
use mam_grammar::{Problem, Span};
use std::sync::Arc;

/// What flows into state.
pub(super) struct Later {
    at: At,
    expr: ExprId,
    /// What the state is called.
    path: String,
    /// What remembers it: `prev`, `tap`, [`RECORD`].
    kind: &'static str,
    /// What the value before the first measures, where one is written, and its place.
    init: Option<(Form, Span)>,
}

/// What `since` says before the first trigger.
const NEVER: f64 = 1e9;
/// The name of what remembers what is recorded.
pub(crate) const RECORD: &str = "record";

/// The path of what a `prev` or `tap` of `x` remembers, where it is called at `path`: the signal's own, where it has a name.
pub(crate) fn state_path(path: &str, name: Option<&str>, kind: &str) -> String {
    match name {
        Some(name) => format!("{}.{name}", path.rsplit_once('.').map_or("", |(around, _)| around)),
        None => format!("{path}.{kind}"),
    }
    .trim_start_matches('.')
    .to_string()
}

/// The name that a signal has.
pub(crate) fn named(ast: &Ast, x: ExprId) -> Option<&Arc<str>> {
    match &ast.exprs[x] {
        Expr::Name(name) => Some(&name.name),
        Expr::Paren(inner) => named(ast, *inner),
        _ => None,
    }
}

/// What makes two `prev`s one state: the name that they read, where it is read from, and how they begin.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PrevKey {
    frame: FrameId,
    name: Arc<str>,
    /// The bits of the start value.
    init: u32,
    dimension: Dimension,
}

impl Checker<'_> {
    /// `prev(x, init)`
    pub(super) fn prev(&mut self, at: &At, x: ExprId, init: Option<ExprId>) -> Value {
        let (init, measured) = match init {
            Some(expr) => match self.constant(at, expr, "the start value of a `prev`") {
                Some((x, dimension)) => (x.unwrap_or(0.0) as f32, Some((dimension, self.span(at, expr)))),
                None => return Value::Broken,
            },
            None => (0.0, None),
        };
        let dimension = measured.as_ref().and_then(|(dimension, _)| self.known(dimension));
        let name = named(self.ast(at), x).cloned();
        let key = name.map(|name| PrevKey {
            frame: at.frame,
            name,
            init: init.to_bits(),
            dimension: dimension.unwrap_or_default(),
        });
        if let Some(value) = key.as_ref().and_then(|key| self.shared.get(key)) {
            return value.clone();
        }
        let value = self.remembered(at, x, "prev", measured);
        if let Some(key) = key {
            self.shared.insert(key, value.clone());
        }
        value
    }

    /// What has been remembered of `x`, which flows in later.
    fn remembered(&mut self, at: &At, x: ExprId, kind: &'static str, init: Option<(Form, Span)>) -> Value {
        self.has_state = true;
        let name = named(self.ast(at), x).map(|name| &**name);
        let path = state_path(&self.path(at), name, kind);
        if self.checked.layouts.is_endless(&path) {
            self.remembers_itself(self.span(at, x));
            return Value::Broken;
        }
        let layout = self.checked.layouts.get(&path).clone();
        self.later.push(Later { at: at.clone(), expr: x, path, kind, init });
        self.stored(&layout)
    }

    /// What a recording holds of `x`, which flows in later.
    pub(super) fn recorded(&mut self, at: &At, x: ExprId) -> Value {
        self.remembered(at, x, RECORD, None)
    }

    /// What is read from states: it moves, and is plain.
    fn stored(&mut self, layout: &Layout) -> Value {
        // A layout may double each time.
        self.evaluations += 1;
        self.all_evaluations += 1;
        if self.is_too_much(Span::default()) {
            return Value::Broken;
        }
        match layout {
            Layout::Signal(channels) => {
                let [left, right] = [self.varying(Kind::Fast), self.varying(Kind::Fast)];
                Value::Signal(match channels {
                    1 => Signal::mono(left, Dimension::PLAIN),
                    _ => Signal::stereo(left, right, Dimension::PLAIN),
                })
            }
            Layout::List(elements) => {
                Value::List(elements.iter().map(|layout| self.stored(layout)).collect())
            }
            Layout::Record(fields) => {
                let part = |(name, layout): &(Arc<str>, Layout)| (name.clone(), self.stored(layout));
                Value::Record(fields.iter().map(part).collect::<Vec<_>>().into())
            }
            Layout::Unknown => self.unknown(),
        }
    }

    /// The layout of a value that is to be remembered; reports what cannot be.
    fn layout(&mut self, value: &Value, span: Span) -> Option<Layout> {
        match value {
            Value::List(elements) => {
                elements.iter().map(|value| self.layout(value, span)).collect::<Option<_>>().map(Layout::List)
            }
            Value::Record(fields) => {
                let mut parts = vec![];
                for (name, value) in fields.iter() {
                    parts.push((name.clone(), self.layout(value, span)?));
                }
                Some(Layout::Record(parts))
            }
            Value::Unknown(index) if matches!(self.shapes[*index], Shape::List(_) | Shape::Parts(_)) => {
                Some(Layout::Unknown)
            }
            // It may be right when more is known of another layout.
            Value::Broken => Some(Layout::Signal(1)),
            value => {
                let signal = self.signal(value.clone(), span)?;
                Some(Layout::Signal(signal.channels().len()))
            }
        }
    }

    /// Evaluates what is only checked and what flows into state, until nothing is left.
    pub(super) fn finish(&mut self) {
        loop {
            if let Some((frame, name)) = self.unused.pop_front() {
                self.reference = None;
                self.slot(frame, name);
                continue;
            }
            let Some(later) = self.later.pop() else { return };
            let span = self.span(&later.at, later.expr);
            let value = self.eval(&later.at, later.expr);
            if matches!(value, Value::Broken) || later.kind == RECORD && !self.is_sound(&value, span) {
                continue;
            }
            let Some(layout) = self.layout(&value, span) else { continue };
            if layout.depth() > DEEPEST {
                self.checked.layouts.give_up(&later.path);
                continue;
            }
            if let (Some(init), Layout::Signal(_)) = (&later.init, &layout)
                && let Some(signal) = self.signal(value, span)
                && !self.begins_alike(init, (&signal.dimension, span))
            {
                continue;
            }
            self.checked.layouts.add(&later.path, &layout);
        }
    }

    fn remembers_itself(&mut self, span: Span) {
        let problem = Problem::new(&codes::NOT_A_SIGNAL, span, "this is a part of what it remembers")
            .here("a list or record that holds itself as it was a frame ago grows in each frame")
            .help("remember one of its signals, by its name or number: `prev(a.x)`, `prev(a[0])`");
        self.problem(problem);
    }

    /// Whether what is written as the value before the first measures what is remembered, or is plain; reports it where not.
    fn begins_alike(&mut self, (init, place): &(Form, Span), (form, span): (&Form, Span)) -> bool {
        let (Some(dimension), found) = (self.known(init), self.known(form)) else { return true };
        if dimension == Dimension::PLAIN || self.unknowns.require(form, dimension).is_ok() {
            return true;
        }
        let Some(found) = found else {
            self.no_dimension(span);
            return false;
        };
        let message = format!("this `prev` begins with {dimension}, but remembers {found}");
        let problem = Problem::new(&codes::DIMENSION, *place, message).here(format!("this is {dimension}"));
        let help =
            "write `init` in the unit of what is remembered, or as a plain number: Hz and s count as 1";
        self.problem(problem.label(span, format!("this is {found}")).help(help));
        false
    }

    /// `tap(x, time, max: …, order: …)`
    pub(super) fn tap(&mut self, at: &At, callee: &Ident, args: &[Option<ExprId>]) -> Value {
        let &[Some(x), Some(time), Some(max), order] = args else { return Value::Broken };
        let Some(longest) = self.longest(at, max, callee) else { return Value::Broken };
        let is_word = |order: ExprId| match &self.ast(at).exprs[order] {
            Expr::Name(word) => ORDERS.contains(&&*word.name),
            _ => false,
        };
        if !order.is_none_or(is_word) {
            return Value::Broken; // It has been reported.
        }
        if let Some(order) = order.filter(|&order| self.is_allpass_of_bins(at, order)) {
            let message = "an all-pass goes on from sample to sample, and a spectral region has bins";
            let problem = Problem::new(&codes::BAD_SPECTRUM, self.span(at, order), message);
            return self.problem(problem.help("write `order: linear`, or leave it out"));
        }
        let span = self.span(at, time);
        let value = self.eval(at, time);
        let value = self.fit(value, span, &time_of("time", callee));
        let Some((number, _)) = self.mono(value, span) else { return Value::Broken };
        // The prelude's definitions say what their arguments may be.
        let is_own = !self.files().is_prelude_source(span.source);
        if is_own && number.constant().is_some_and(|seconds| seconds < 0.0) {
            let message = format!("`{}` is below 0, and `tap` only looks back", self.files().slice(span));
            let problem = Problem::new(&codes::OUT_OF_RANGE, span, message);
            self.problems.add(problem.help("write a time of 0 or more, or delay the other sound by as much"));
        }
        if is_own && number.constant().is_some_and(|seconds| seconds > longest) {
            let (time, max) = (self.files().slice(span), self.span(at, max));
            let message = format!("`{time}` is longer than `max` of `tap`, and is cut to it");
            let problem = Problem::new(&codes::OUT_OF_RANGE, span, message).label(max, "the longest time");
            self.problems.add(problem.help(format!("write `max: {time}`")));
        }
        self.remembered(at, x, "tap", None)
    }

    /// `fir(x, coefficients)`
    pub(super) fn fir(&mut self, at: &At, x: ExprId, coefficients: Option<ExprId>) -> Value {
        let Some(coefficients) = coefficients else { return Value::Broken };
        let (span, place) = (self.span(at, x), self.span(at, coefficients));
        let (value, list) = (self.eval(at, x), self.eval(at, coefficients));
        let elements = self.elements(list, place);
        let Some(signal) = self.signal(value, span) else { return Value::Broken };
        match elements {
            None => return Value::Broken,
            Some(Elements::Like(element)) => _ = self.coefficient(element, place),
            Some(Elements::Known(elements)) => {
                if elements.is_empty() {
                    return self.is_empty("fir", place);
                }
                if elements.iter().any(|element| !self.coefficient(element.clone(), place)) {
                    return Value::Broken;
                }
            }
        }
        self.has_state = true;
        Value::Signal(self.but(&signal, Kind::Fast, signal.dimension.clone()))
    }

    /// Whether a value can be a coefficient of a filter.
    fn coefficient(&mut self, value: Value, place: Span) -> bool {
        self.mono(value, place).is_some_and(|(_, dimension)| self.is_coefficient(&dimension, place))
    }

    /// Whether a coefficient of a filter is the plain number that it must be.
    pub(super) fn is_coefficient(&mut self, dimension: &Form, place: Span) -> bool {
        self.plain(dimension, place, |dimension| {
            let message = format!("a coefficient is a plain number, but this is {dimension}");
            Problem::new(&codes::DIMENSION, place, message)
        })
    }

    /// A filter whose list of coefficients is empty.
    pub(super) fn is_empty(&mut self, filter: &str, list: Span) -> Value {
        let message = format!("`{filter}` has no coefficient, so that it is silent");
        let problem = Problem::new(&codes::NO_ELEMENT, list, message);
        self.problem(problem.help("write at least one: `[1]` leaves the sound as it is"))
    }

    /// `random(stream)`
    pub(super) fn random(&mut self, at: &At, stream: Option<ExprId>) -> Value {
        if let Some(stream) = stream
            && self.constant(at, stream, "the stream of a `random`").is_none()
        {
            return Value::Broken;
        }
        self.has_state = true;
        Value::plain(self.varying(Kind::Fast))
    }

    /// The greatest delay in seconds, where it is right: what `max` can be at most is known, and not too long. Infinity where
    /// it depends on an argument of which nothing is known.
    pub(super) fn longest(&mut self, at: &At, max: ExprId, callee: &Ident) -> Option<f64> {
        let span = self.span(at, max);
        let value = self.eval(at, max);
        let value = self.fit(value, span, &time_of("max", callee));
        let (number, _) = self.mono(value, span)?;
        let seconds = number.range.1;
        if !seconds.is_finite() {
            if number.is_open() {
                return Some(f64::INFINITY);
            }
            let message = format!("the greatest time of a `{callee}` must be known before the song starts");
            let help = "write a time, such as `max: 2s`, or keep it below one: `max: min(time, 2s)`";
            self.problem(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
            return None;
        }
        let most = self.files().limits.tap_seconds;
        if !(0.0..=most).contains(&seconds) {
            let message = format!("a `{callee}` can be 0 s to {most} s long, and this is {seconds} s");
            let problem = Problem::new(&codes::TOO_LARGE, span, message);
            self.problem(match float::parse(self.files().slice(span)) {
                Some(number) => problem.help(format!(
                    "a number without a unit is in seconds; for {number} samples write `{number} * dt`, for the time and for `max`, or a time such as `100ms`"
                )),
                None => {
                    let nearest = seconds.clamp(0.0, most);
                    problem.help(format!("write `{nearest}s`, or what is never longer")).guess(span, format!("{nearest}s"))
                }
            });
            return None;
        }
        Some(seconds)
    }

    /// `phasor(freq, reset)`
    pub(super) fn phasor(&mut self, at: &At, freq: ExprId, reset: Option<ExprId>) -> Value {
        self.has_state = true;
        let span = self.span(at, freq);
        let value = self.eval(at, freq);
        let place = Expectation::of_unit(&Ident::new("freq", span), &"phasor".into(), Unit::Hz);
        let value = self.fit(value, span, &place);
        let Some(freq) = self.signal(value, span) else { return Value::Broken };
        if let Some(reset) = reset
            && !self.is_mono(at, reset)
        {
            return Value::Broken;
        }
        Value::Signal(self.each(&[&freq], Dimension::PLAIN, |o, _| o.varying(Kind::Fast, (0.0, 1.0))))
    }

    /// Whether an argument is a mono signal, which is reported where it is not.
    fn is_mono(&mut self, at: &At, expr: ExprId) -> bool {
        let span = self.span(at, expr);
        let value = self.eval(at, expr);
        self.mono(value, span).is_some()
    }

    /// `since(trig)`
    pub(super) fn since(&mut self, at: &At, trig: ExprId) -> Value {
        let span = self.span(at, trig);
        let value = self.eval(at, trig);
        let Some(trig) = self.signal(value, span) else { return Value::Broken };
        self.has_state |=
            trig.channels().iter().any(|number| !number.is_open() && number.constant() != Some(0.0));
        Value::Signal(self.each(&[&trig], Dimension::PLAIN, |o, v| match v[0].constant() {
            // It never comes: nothing is counted.
            Some(0.0) => Number::real(NEVER),
            None if v[0].is_open() => o.varying(Kind::Open, (0.0, NEVER)),
            _ => o.varying(Kind::Fast, (0.0, NEVER)),
        }))
    }

    /// Whether an argument is a mono plain number, which is reported where it is not.
    fn counts_samples(&mut self, at: &At, expr: ExprId, least: f64) -> bool {
        let span = self.span(at, expr);
        let value = self.eval(at, expr);
        let Some((number, dimension)) = self.mono(value, span) else { return false };
        let text = self.files().slice(span);
        let is_own = !self.files().is_prelude_source(span.source);
        if is_own && number.constant().is_some_and(|samples| samples < least) {
            let message = format!("`pulses` counts samples, at least {least} here, and this is `{text}`");
            let problem = Problem::new(&codes::OUT_OF_RANGE, span, message);
            self.problems.add(
                problem.help("write how many samples there are to the first pulse, or from one to the next"),
            );
        }
        self.plain(&dimension, span, |dimension| {
            let message = format!("`pulses` counts samples, but this is {dimension}");
            let help = match dimension {
                Dimension::TIME => format!("multiply it by the sample rate: `({text}) * sr`"),
                Dimension::FREQUENCY => format!("the samples of a turn are `sr / ({text})`"),
                _ => "give it a number of samples".to_string(),
            };
            Problem::new(&codes::DIMENSION, span, message).help(help)
        })
    }

    /// `pulses(period, first)`
    pub(super) fn pulses(&mut self, at: &At, period: ExprId, first: Option<ExprId>) -> Value {
        self.has_state = true;
        let right = self.counts_samples(at, period, 1.0);
        match first.is_none_or(|first| self.counts_samples(at, first, 0.0)) && right {
            true => Value::plain(self.within(Kind::Fast, (0.0, 1.0))),
            false => Value::Broken,
        }
    }
}

/// What a time of `tap` is expected to be.
fn time_of(name: &str, of: &Ident) -> Expectation {
    Expectation::of_unit(&Ident::new(name, of.span), &of.name, Unit::S)
}
