//! Buffers: `sample("f.wav")`, its parts, and `playback`.

use super::unknowns::Form;
use super::value::{Kind, Shape, Signal, Value};
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use mam_grammar::ast::{Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};

/// The parts of a buffer, with what they measure.
pub(super) const PARTS: [(&str, Dimension); 3] =
    [("time", Dimension::TIME), ("rate", Dimension::FREQUENCY), ("frames", Dimension::PLAIN)];

/// The longest predelay, in seconds.
const LONGEST_PREDELAY: f64 = 10.0;

impl Checker<'_> {
    /// `sample("f.wav")`: what was read for it. What is wrong with the file has been reported.
    pub(super) fn sample(&mut self, at: &At, path: ExprId, hash: Option<ExprId>) -> Value {
        if let Some(hash) = hash.filter(|hash| !matches!(self.ast(at).exprs[*hash], Expr::Text(_))) {
            let problem =
                Problem::new(&codes::NOT_A_SIGNAL, self.span(at, hash), "the hash of a sample is a text");
            return self.problem(problem.help("`mamc check` shows it: `sample(\"hit.wav\", hash: \"…\")`"));
        }
        if let Some(samples) = self.files().file(self.file(at)).samples.get(&path) {
            return Value::Buffer(samples.clone());
        }
        if matches!(self.ast(at).exprs[path], Expr::Text(_)) {
            return Value::Broken;
        }
        let problem = Problem::new(&codes::NOT_A_SIGNAL, self.span(at, path), "a sample is named by a text");
        self.problem(problem.help("write the path of a sound file in quotes: `sample(\"hit.wav\")`"))
    }

    /// The channels of a buffer, or of a list of buffers; `None` where it is neither.
    fn buffer(&mut self, value: Value) -> Option<usize> {
        match value {
            Value::Buffer(samples) => Some(samples.channels.len()),
            Value::Recording(channels) => Some(channels),
            Value::List(elements) => {
                if elements.iter().any(|element| matches!(element, Value::Recording(_))) {
                    return None;
                }
                let channels = elements.iter().map(|element| self.buffer(element.clone()));
                channels.collect::<Option<Vec<usize>>>()?.into_iter().max()
            }
            Value::Unknown(index) => {
                let is_buffer = match &self.shapes[index] {
                    &Shape::Fitted(argument, ..) => return self.buffer(Value::Unknown(argument)),
                    Shape::Free | Shape::Buffer => true,
                    Shape::Parts(parts) => {
                        parts.iter().all(|(name, _)| PARTS.iter().any(|(part, _)| *part == &**name))
                    }
                    Shape::List(None) => return Some(1),
                    Shape::List(Some(element)) => return self.buffer(element.clone()),
                    Shape::Measured(_) | Shape::Signal(_) => false,
                };
                if is_buffer {
                    self.shapes[index] = Shape::Buffer;
                }
                is_buffer.then_some(1)
            }
            _ => None,
        }
    }

    /// `playback(buffer, trig, speed, begin, end, loop, fade, number)`
    pub(super) fn playback(&mut self, at: &At, args: &[Option<ExprId>]) -> Value {
        let arg = |i: usize| args.get(i).copied().flatten();
        let (Some(first), trig) = (arg(0), arg(1)) else { return Value::Broken };
        let value = self.eval(at, first);
        let is_broken = |value: &Value| matches!(value, Value::Broken);
        if is_broken(&value) || matches!(&value, Value::List(elements) if elements.iter().any(is_broken)) {
            return Value::Broken; // What is wrong with a file has been reported.
        }
        if let Value::List(elements) = &value
            && let Some(stream) = elements.iter().find_map(Value::stream)
        {
            let message = format!(
                "`playback` plays a list of sounds that are in memory, and `{}` is streamed: it is longer than the limit `samples`",
                stream.about().name
            );
            let problem = Problem::new(&codes::TOO_LARGE, self.span(at, first), message);
            return self.problem(problem.help(
                "play each by itself: `select([playback(a, trig), playback(b, trig)], number)`; or pass `--limit samples=N`",
            ));
        }
        let is_recorded = |element: &Value| matches!(element, Value::Recording(_));
        let are_recorded = matches!(&value, Value::List(elements) if elements.iter().any(is_recorded));
        let is_alone = is_recorded(&value);
        let Some(channels) = self.buffer(value) else {
            let (message, help) = match are_recorded {
                true => (
                    "`playback` plays a list of sound files, and one of these is recorded while the song plays",
                    "play each by itself: `select([playback(a, trig), playback(b, trig)], number)`",
                ),
                false => (
                    "`playback` plays a buffer or a list of buffers, and this is neither",
                    "give it one first: `playback(sample(\"hit.wav\"), trig)`",
                ),
            };
            let problem = Problem::new(&codes::NOT_A_SIGNAL, self.span(at, first), message);
            return self.problem(problem.help(help));
        };
        if is_alone && trig.is_none() {
            let message = "when the song begins nothing is recorded yet that could be played";
            let problem = Problem::new(&codes::NOT_A_SIGNAL, self.span(at, first), message);
            return self.problem(problem.help("say when it is played: `playback(take, every(2 bars))`"));
        }
        self.has_state = true;
        let plain = Dimension::PLAIN;
        let right = trig.is_none_or(|trig| self.measures(at, trig, plain))
            && [2, 3, 4, 7].into_iter().filter_map(arg).all(|expr| self.measures(at, expr, plain))
            && arg(6).is_none_or(|fade| self.measures(at, fade, Dimension::TIME))
            && arg(5).is_none_or(|repeats| self.measures(at, repeats, plain));
        if !right {
            return Value::Broken;
        }
        self.check_piece(at, arg(3), arg(4));
        let number = self.varying(Kind::Fast);
        Value::Signal(match channels {
            1 => Signal::mono(number, plain),
            _ => Signal::stereo(number, number, plain),
        })
    }

    /// Warns of a piece of a buffer that ends where it begins, or before: it is silent.
    fn check_piece(&mut self, at: &At, begin: Option<ExprId>, end: Option<ExprId>) {
        let Some(end) = end else { return };
        let mut constant = |expr: ExprId| {
            let (value, span) = (self.eval(at, expr), self.span(at, expr));
            Some((self.mono(value, span)?.0.constant()?, span))
        };
        let Some((to, place)) = constant(end) else { return };
        let from = begin.map_or(Some((0.0, place)), constant);
        if let Some((from, _)) = from.filter(|(from, _)| to <= *from) {
            let message =
                format!("this piece of the buffer begins at {from} and ends at {to}, so that it is silent");
            let problem = Problem::new(&codes::OUT_OF_RANGE, place, message);
            self.problems.add(problem.help(
                "let `end` be greater than `begin`; backwards it is played at a speed below 0: `speed: -1`",
            ));
        }
    }

    /// `record(x, on, max)`: a buffer that is written while the song plays.
    pub(super) fn recording(&mut self, at: &At, callee: &Ident, args: &[Option<ExprId>]) -> Value {
        let &[Some(x), Some(on), Some(max)] = args else { return Value::Broken };
        let longest = self.longest(at, max, callee);
        let on = self.measured_by(at, "record", on, Dimension::PLAIN);
        let (Some(_), Some(_)) = (longest, on) else { return Value::Broken };
        // What is recorded may be made of what is played of it.
        match self.recorded(at, x) {
            Value::Broken => Value::Broken,
            Value::Signal(signal) => Value::Recording(signal.channels().len()),
            _ => Value::Recording(1),
        }
    }

    /// Whether what flows into a recording is a plain signal; reports it where not.
    pub(super) fn is_sound(&mut self, value: &Value, span: Span) -> bool {
        let Some(signal) = self.signal(value.clone(), span) else { return false };
        self.plain(&signal.dimension, span, |dimension| {
            let message = format!("`record` records a sound, and this is {dimension}");
            Problem::new(&codes::DIMENSION, span, message).help("divide it by a unit, such as `freq / 1Hz`")
        })
    }

    /// A recording stands where a sound file is wanted, of which tables are made before the song starts.
    pub(super) fn is_recorded(&mut self, of: &str, span: Span) -> Value {
        let message = format!(
            "`{of}` works on a sound that is known before the song starts, and this is recorded while it plays"
        );
        let problem = Problem::new(&codes::NOT_CONSTANT, span, message);
        self.problem(problem.help(
            "`playback` plays a recording at any speed, and `grains` in pieces; else give it a `sample`",
        ))
    }

    /// A sound that is streamed stands where one in memory is wanted, which is read at any place.
    pub(super) fn streamed(&self, of: &str, value: &Value, span: Span) -> Option<Problem> {
        let stream = value.stream()?;
        let message = format!(
            "`{of}` works on a sound that is in memory, and `{}` is streamed: it is longer than the limit `samples`",
            stream.about().name
        );
        let samples = stream.about().frames * stream.about().channels as u64;
        Some(Problem::new(&codes::TOO_LARGE, span, message).help(format!(
            "`playback` and `sampler` play it as it is; cut out of it what is needed, or pass `--limit samples={samples}`"
        )))
    }

    /// `stretch_at(buffer, position, pitch)`
    pub(super) fn stretch_at(&mut self, at: &At, args: &[Option<ExprId>]) -> Value {
        let &[Some(first), Some(position), pitch] = args else { return Value::Broken };
        let value = self.eval(at, first);
        if matches!(value, Value::Broken) {
            return Value::Broken;
        }
        if matches!(value, Value::Recording(_)) {
            return self.is_recorded("stretch_at", self.span(at, first));
        }
        if let Some(problem) = self.streamed("stretch_at", &value, self.span(at, first)) {
            return self.problem(problem);
        }
        let channels = if matches!(value, Value::List(_)) { None } else { self.buffer(value) };
        let Some(channels) = channels else {
            let message = "`stretch_at` plays a buffer, and this is none";
            let problem = Problem::new(&codes::NOT_A_SIGNAL, self.span(at, first), message);
            return self
                .problem(problem.help("give it one first: `stretch_at(sample(\"loop.wav\"), position)`"));
        };
        self.has_state = true;
        let plain = Dimension::PLAIN;
        let measured =
            |checker: &mut Self, expr| checker.measured_by(at, "stretch_at", expr, plain).is_some();
        if !measured(self, position) || !pitch.is_none_or(|pitch| measured(self, pitch)) {
            return Value::Broken;
        }
        let number = self.varying(Kind::Fast);
        Value::Signal(match channels {
            1 => Signal::mono(number, plain),
            _ => Signal::stereo(number, number, plain),
        })
    }

    /// `convolve(x, response, predelay)`
    pub(super) fn convolve(
        &mut self,
        at: &At,
        x: ExprId,
        response: Option<ExprId>,
        predelay: Option<ExprId>,
    ) -> Value {
        let Some(response) = response else { return Value::Broken };
        let (span, place) = (self.span(at, x), self.span(at, response));
        let (value, buffer) = (self.eval(at, x), self.eval(at, response));
        if matches!(buffer, Value::Recording(_)) {
            return self.is_recorded("convolve", place);
        }
        if let Some(problem) = self.streamed("convolve", &buffer, place) {
            return self.problem(problem);
        }
        let is_broken = matches!(buffer, Value::Broken);
        let channels = match buffer {
            Value::List(numbers) if numbers.is_empty() => return self.is_empty("convolve", place),
            Value::List(numbers) if !self.are_known(&numbers, place) => return Value::Broken,
            Value::List(_) => Some(1),
            buffer => self.buffer(buffer),
        };
        if let Some(expr) = predelay
            && !self.is_predelay(at, expr)
        {
            return Value::Broken;
        }
        let Some(signal) = self.signal(value, span).filter(|_| !is_broken) else { return Value::Broken };
        let Some(channels) = channels else {
            let message =
                "`convolve` takes the response as a buffer or a list of numbers, and this is neither";
            let problem = Problem::new(&codes::NOT_A_SIGNAL, place, message);
            return self.problem(problem.help("give it a sound file: `convolve(x, sample(\"hall.wav\"))`"));
        };
        self.has_state = true;
        let dimension = signal.dimension.clone();
        let number = self.varying(Kind::Fast);
        Value::Signal(match channels == 1 && !signal.stereo {
            true => Signal::mono(number, dimension),
            false => Signal::stereo(number, number, dimension),
        })
    }

    /// Whether the numbers of a list are known before the song starts.
    fn are_known(&mut self, numbers: &[Value], place: Span) -> bool {
        for number in numbers {
            let Some((number, dimension)) = self.mono(number.clone(), place) else { return false };
            if !self.is_coefficient(&dimension, place) {
                return false;
            }
            if number.constant().is_none() && !number.is_open() {
                let message = "the numbers of a response must be known before the song starts";
                let help = "`fir` takes numbers that move";
                self.problem(Problem::new(&codes::NOT_CONSTANT, place, message).help(help));
                return false;
            }
        }
        true
    }

    /// Whether a predelay is a constant time that is not too long.
    fn is_predelay(&mut self, at: &At, expr: ExprId) -> bool {
        let span = self.span(at, expr);
        let Some(number) = self.measured_by(at, "convolve", expr, Dimension::TIME) else { return false };
        match number.constant() {
            Some(seconds) if (0.0..=LONGEST_PREDELAY).contains(&seconds) => true,
            None if number.is_open() => true,
            None => {
                let message = "the predelay of `convolve` must be known before the song starts";
                let help = "write a time, such as `predelay: 20ms`; `tap` delays by a time that moves";
                self.problem(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
                false
            }
            Some(_) => {
                let message = format!("the predelay of `convolve` is 0 to {LONGEST_PREDELAY} seconds");
                let help = "write a time, such as `predelay: 20ms`";
                self.problem(Problem::new(&codes::OUT_OF_BOUNDS, span, message).help(help));
                false
            }
        }
    }

    /// Whether an argument of `playback` is a mono signal that measures `wanted`, or is a plain number.
    fn measures(&mut self, at: &At, expr: ExprId, wanted: Dimension) -> bool {
        self.measured_by(at, "playback", expr, wanted).is_some()
    }

    /// An argument of `of` that has to be a mono signal which measures `wanted`, or a plain number; reports it where it is not.
    pub(super) fn measured_by(
        &mut self,
        at: &At,
        of: &str,
        expr: ExprId,
        wanted: Dimension,
    ) -> Option<super::value::Number> {
        let span = self.span(at, expr);
        let value = self.eval(at, expr);
        let (number, dimension) = self.mono(value, span)?;
        let known = self.known(&dimension);
        if self.unknowns.fits(&dimension, wanted).is_ok() {
            return Some(number);
        }
        let Some(dimension) = known else {
            self.no_dimension(span);
            return None;
        };
        let message = format!("this argument of `{of}` is {wanted}, but this is {dimension}");
        let help = match wanted {
            Dimension::TIME => "write a time, such as `5ms`",
            Dimension::FREQUENCY => "write a frequency, such as `220Hz`; 1/time is a frequency",
            _ => {
                "parts of a length are 0 to 1, and a speed is a ratio: divide by a unit, such as `freq / 261.63Hz`"
            }
        };
        self.problem(Problem::new(&codes::DIMENSION, span, message).help(help));
        None
    }

    /// A part of a buffer: a constant, where the buffer is known.
    pub(super) fn buffer_part(&mut self, value: &Value, field: &Ident) -> Value {
        let Some(&(part, dimension)) = PARTS.iter().find(|(part, _)| *part == &*field.name) else {
            let message = format!("a buffer has no part `{field}`");
            let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
            return self.problem(problem.nearest(
                &field.name,
                "parts of a buffer",
                &PARTS.map(|(part, _)| part),
            ));
        };
        let number = match value {
            Value::Buffer(samples) => {
                let (frames, rate) = (samples.frames() as f64, f64::from(samples.rate));
                super::value::Number::real(match part {
                    "frames" => frames,
                    "rate" => rate,
                    _ => frames / rate,
                })
            }
            _ => self.varying(Kind::Open),
        };
        Value::mono(number, Form::from(dimension))
    }
}
