//! What is wanted of a value: a signal, one channel, a list. What is not known of an argument is found out here.

use super::Checker;
use super::unknowns::Form;
use super::value::{Kind, Number, Shape, Signal, Value};
use crate::codes;
use crate::dimension::Dimension;
use crate::hir::Type;
use crate::hir::parts::Parts;
use mam_grammar::foreign;
use mam_grammar::syntax::is_name;
use mam_grammar::{Problem, Span};
use mam_runtime::sound_kinds::is_named_as_sound;
use std::sync::Arc;

/// What is known of the elements of a list.
pub(super) enum Elements {
    /// All of them.
    Known(Parts<Value>),
    /// The list belongs to an argument of which nothing is known. Its elements are like this value.
    Like(Value),
}

impl Checker<'_> {
    /// The value as a signal; reports what is wrong where it is not one.
    pub(super) fn signal(&mut self, value: Value, span: Span) -> Option<Signal> {
        let problem = match value {
            Value::Signal(signal) => return Some(signal),
            Value::Broken => return None,
            Value::Record(fields) => {
                let names: Vec<Arc<str>> = fields.iter().map(|(name, _)| name.clone()).collect();
                several_parts(&names, span)
            }
            Value::List(elements) => self.is_a_list(&format!("a list of {}", elements.len()), span),
            Value::Buffer(_) => self.is_a_buffer(span, false),
            Value::Recording(_) => self.is_a_buffer(span, true),
            Value::Text(text) => text_as_signal(&text, span),
            Value::Unknown(index) => match &self.shapes[index] {
                Shape::Signal(signal) => return Some(signal.clone()),
                Shape::Fitted(argument, place, written) => {
                    let (argument, place, written) = (*argument, place.clone(), *written);
                    let signal = self.signal(Value::Unknown(argument), span)?;
                    let signal = self.fit_signal(signal, written, &place)?;
                    self.shapes[index] = Shape::Signal(signal.clone());
                    return Some(signal);
                }
                Shape::Parts(parts) => {
                    let names: Vec<Arc<str>> = parts.iter().map(|(name, _)| name.clone()).collect();
                    several_parts(&names, span)
                }
                Shape::List(_) => self.is_a_list("a list", span),
                Shape::Buffer => self.is_a_buffer(span, false),
                Shape::Free => {
                    let dimension = self.unknowns.fresh();
                    return Some(self.found_signal(index, dimension));
                }
                Shape::Measured(dimension) => {
                    let dimension = Form::from(*dimension);
                    return Some(self.found_signal(index, dimension));
                }
            },
        };
        self.problem(problem);
        None
    }

    /// Notes that an argument is a signal.
    fn found_signal(&mut self, index: usize, dimension: Form) -> Signal {
        let number = self.varying(Kind::Open);
        let signal = Signal::mono(number, dimension);
        self.shapes[index] = Shape::Signal(signal.clone());
        signal
    }

    fn is_a_list(&self, what: &str, span: Span) -> Problem {
        let message = format!("this is {what}, where one signal is wanted");
        let text = self.files().slice(span);
        let help = match is_name(text) {
            true => format!("choose one, `{text}[0]`, or add them: `sum x in {text} {{ x }}`"),
            false => "give it a name, and choose one, `xs[0]`, or add them: `sum x in xs { x }`".to_owned(),
        };
        Problem::new(&codes::NOT_A_SIGNAL, span, message).help(help)
    }

    fn is_a_buffer(&self, span: Span, is_recorded: bool) -> Problem {
        let text = self.files().slice(span);
        let problem = Problem::new(&codes::NOT_A_SIGNAL, span, "this is a buffer, where a signal is wanted");
        let at_once = format!("playback({text}, every(2s))");
        let help = match is_recorded {
            true => format!("play it: `{at_once}`"),
            false => format!("play it, at once, `{at_once}`, or by notes, `sampler({text})`"),
        };
        problem.help(help).guess(span, at_once)
    }

    /// The value as a mono signal.
    pub(super) fn mono(&mut self, value: Value, span: Span) -> Option<(Number, Form)> {
        let signal = self.signal(value, span)?;
        if signal.stereo {
            let message = "this is stereo, where a mono signal is wanted";
            let problem = Problem::new(&codes::CHANNELS, span, message);
            let problem = problem.help("take one side, `.left` or `.right`, or add them");
            self.problem(problem.guess(Span { start: span.end, ..span }, ".left"));
            return None;
        }
        Some((signal.channel(0), signal.dimension))
    }

    /// The value as a list; reports what is wrong where it is not one.
    pub(super) fn elements(&mut self, value: Value, span: Span) -> Option<Elements> {
        let what = match value {
            Value::List(elements) => return Some(Elements::Known(elements)),
            Value::Broken => return None,
            Value::Unknown(index) => match &self.shapes[index] {
                Shape::List(Some(element)) => return Some(Elements::Like(element.clone())),
                Shape::List(None) => return Some(Elements::Like(self.unknown())),
                Shape::Free => {
                    self.shapes[index] = Shape::List(None);
                    return Some(Elements::Like(self.unknown()));
                }
                &Shape::Measured(dimension) => {
                    let element = self.measured(dimension);
                    self.shapes[index] = Shape::List(Some(element.clone()));
                    return Some(Elements::Like(element));
                }
                Shape::Fitted(argument, place, written) => {
                    let (argument, place, written) = (*argument, place.clone(), *written);
                    let element = match self.elements(Value::Unknown(argument), span)? {
                        Elements::Like(element) => element,
                        Elements::Known(_) => self.unknown(),
                    };
                    let element = self.fit(element, written, &place);
                    self.shapes[index] = Shape::List(Some(element.clone()));
                    return Some(Elements::Like(element));
                }
                Shape::Signal(_) => "a signal",
                Shape::Parts(_) => "a record",
                Shape::Buffer => "a buffer",
            },
            Value::Record(_) => "a record",
            Value::Buffer(_) | Value::Recording(_) => "a buffer",
            Value::Text(_) => "a text",
            Value::Signal(_) => "a signal",
        };
        let message = format!("a list is wanted, and this is {what}");
        let text = self.files().slice(span);
        let problem = Problem::new(&codes::NOT_A_LIST, span, message);
        let one = format!("a list of one is written `[{text}]`");
        let help = match value {
            // Who counts in another language writes how often.
            Value::Signal(_) if text.bytes().all(|b| b.is_ascii_digit()) => {
                format!("`1..{text}` counts from 1 to {text}, `0..{text} - 1` from 0; {one}")
            }
            Value::Signal(_) => format!(
                "the sides of a signal are `.left` and `.right`, its sample before is `prev(…)`; {one}"
            ),
            _ => one,
        };
        self.problem(problem.help(help));
        None
    }

    /// An argument of which nothing is known.
    pub(super) fn unknown(&mut self) -> Value {
        self.shaped(Shape::Free)
    }

    /// An argument that declares what it measures.
    pub(super) fn measured(&mut self, dimension: Dimension) -> Value {
        self.shaped(Shape::Measured(dimension))
    }

    /// A value of which only its shape is known.
    pub(super) fn shaped(&mut self, shape: Shape) -> Value {
        self.shapes.push(shape);
        Value::Unknown(self.shapes.len() - 1)
    }

    /// The type of a value; nothing where it is not known.
    pub(super) fn ty(&self, value: &Value) -> Option<Type> {
        match value {
            Value::Signal(signal) => {
                let (channels, dimension) = (signal.channels().len(), self.known(&signal.dimension));
                Some(Type::Signal { channels, dimension })
            }
            Value::Record(fields) => {
                let part = |(name, value): &(Arc<str>, Value)| Some((name.clone(), self.ty(value)?));
                fields.iter().map(part).collect::<Option<_>>().map(Type::Record)
            }
            Value::List(elements) => {
                elements.iter().map(|element| self.ty(element)).collect::<Option<_>>().map(Type::List)
            }
            Value::Buffer(_) | Value::Recording(_) => Some(Type::Buffer),
            Value::Text(_) => None,
            Value::Unknown(index) => match &self.shapes[*index] {
                Shape::Measured(dimension) => Some(Type::mono(*dimension)),
                // What a signal without a declared dimension is depends on the call.
                Shape::Signal(signal) => signal.dimension.known().map(Type::mono),
                Shape::Buffer => Some(Type::Buffer),
                Shape::Free | Shape::Fitted(..) | Shape::Parts(_) | Shape::List(_) => None,
            },
            Value::Broken => None,
        }
    }
}

fn several_parts(names: &[Arc<str>], span: Span) -> Problem {
    let parts: Vec<String> = names.iter().map(|name| format!(".{name}")).collect();
    let message = "this has several parts, where one signal is wanted";
    let problem = Problem::new(&codes::NOT_A_SIGNAL, span, message);
    let problem = problem.help(format!("choose one: {}", parts.join(", ")));
    match parts.first() {
        Some(first) => problem.guess(Span { start: span.end, ..span }, first.as_str()),
        None => problem,
    }
}

/// A text where a signal is wanted, with what was probably meant: the frequency of a note, a sound file, a pattern.
pub(super) fn text_as_signal(text: &str, span: Span) -> Problem {
    let problem = Problem::new(&codes::NOT_A_SIGNAL, span, "a text is not a signal");
    if let Some(hertz) = foreign::note_frequency(text) {
        let help = format!("for the note's frequency write `{hertz}`");
        return problem.help(help).fix(span, hertz);
    }
    if is_named_as_sound(text) {
        let read = format!("sample(\"{text}\")");
        return problem.help(format!("a sound file is read by `sample`: write `{read}`")).guess(span, read);
    }
    problem.help(format!(
        "here stands a number or an expression, such as `0.5`; a text is a pattern, in a line of the score: \
         `play {{ bd \"{text}\" }}`"
    ))
}
