//! Fields: parts of a value, events of an instrument, and what is reported of those that do not exist.

use super::value::{ALL, Kind, Shape, Signal, Value};
use super::{At, Checker};
use crate::codes;
use crate::dimension::Dimension;
use crate::graph::{NodeId, is_event};
use crate::hir::builtins::Builtin;
use crate::hir::{FILE, Name, VoiceSignal};
use mam_grammar::Problem;
use mam_grammar::ast::{ExprId, Ident};
use mam_grammar::foreign::{self, Foreign, Role};
use mam_runtime::NoteSignal;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn field(&mut self, at: &At, expr: ExprId, of: ExprId, field: &Ident) -> Value {
        if self.hir(at).name(expr) == Name::Broken {
            return Value::Broken;
        }
        if let Some(signal) = self.hir(at).voice_signal(of, &field.name) {
            return self.voice_signal(signal);
        }
        if let Some(signal) = self.hir(at).note_signal(of, &field.name) {
            return Value::mono(self.within(Kind::Slow, signal.range()), Dimension::PLAIN);
        }
        if self.hir(at).is_note(of) && !matches!(&*field.name, "left" | "right") {
            let message = format!("a note has no signal `{field}`");
            let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
            if is_event(&field.name) {
                let whole = self.span(at, expr);
                let help = format!("it is a name of its own in an instrument: `{field}`");
                return self.problem(problem.help(help).fix(whole, &*field.name));
            }
            let known = NoteSignal::ALL.map(NoteSignal::name);
            return self.problem(problem.nearest(&field.name, "signals of a note", &known));
        }
        if is_event(&field.name) && self.target(at, of).is_some() {
            return self.event(&field.name);
        }
        let value = self.eval(at, of);
        if let (Value::Signal(_), Some(problem)) = (&value, self.instrument_part(at, of, field)) {
            return self.problem(problem);
        }
        self.part(value, field)
    }

    /// A signal of the voice to which something is given.
    fn voice_signal(&mut self, signal: VoiceSignal) -> Value {
        match signal {
            VoiceSignal::Event(event) => self.event(event),
            VoiceSignal::Note(signal) => {
                Value::mono(self.within(Kind::Slow, signal.range()), Dimension::PLAIN)
            }
            VoiceSignal::Random => {
                self.has_state = true;
                Value::mono(self.within(Kind::Fast, (0.0, 1.0)), Dimension::PLAIN)
            }
        }
    }

    /// The instrument of the song that an expression names, with the name.
    fn target(&self, at: &At, of: ExprId) -> Option<(&Arc<str>, NodeId)> {
        let hir = self.hir(at);
        let Name::Local(id) = hir.name(of) else { return None };
        let local = hir.local(id);
        let node = *self.input.graph.targets.get(&local.name).filter(|_| local.scope == FILE)?;
        Some((&local.name, node))
    }

    /// What is wrong with `bd.trigger` or `bd.gain`, where `bd` is an instrument of the song.
    fn instrument_part(&self, at: &At, of: ExprId, field: &Ident) -> Option<Problem> {
        let (name, node) = self.target(at, of)?;
        let instance = self.input.graph.instance(node)?;
        if matches!(&*field.name, "left" | "right") || is_event(&field.name) {
            return None;
        }
        let info = self.input.library.info(self.files(), instance.def);
        if info.params.iter().any(|p| p.name == field.name) {
            let message =
                format!("`{field}` is a parameter of `{name}`, which can be set, but is not a signal");
            let help = format!(
                "play it in the score: `{name}.{field} \"0 1\"`; a `knob` can be both given to `{name}` and read"
            );
            return Some(Problem::new(&codes::UNKNOWN_FIELD, field.span, message).help(help));
        }
        let parts = ["trig", "gate", "freq", "note", "vel", "left", "right"];
        let problem =
            Problem::new(&codes::UNKNOWN_FIELD, field.span, format!("`{name}` has no part `{field}`"));
        Some(problem.nearest(&field.name, "events and sides of an instrument", &parts))
    }

    /// A part of a value.
    pub(super) fn part(&mut self, value: Value, field: &Ident) -> Value {
        match value {
            Value::Broken => Value::Broken,
            Value::Unknown(index) => self.unknown_part(index, field),
            Value::Buffer(_) | Value::Recording(_) => self.buffer_part(&value, field),
            Value::Text(_) => self.signal(value, field.span).map_or(Value::Broken, Value::Signal),
            Value::List(elements) => self.list_part(&format!("a list of {}", elements.len()), field),
            Value::Signal(signal) => match &*field.name {
                "left" => Value::mono(signal.channel(0), signal.dimension),
                "right" => Value::mono(signal.channel(1), signal.dimension),
                name if is_event(name) => {
                    let message = format!("`.{name}` is an event of an instrument, and this is not one");
                    let help = "events belong to a name whose equation begins with an instrument's call";
                    self.problem(Problem::new(&codes::NOT_EVENTS, field.span, message).help(help))
                }
                name => {
                    let message = format!("a signal has no part `{name}`");
                    let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
                    let problem = match self.function_of_field(name) {
                        Some(help) => problem.help(help),
                        None => problem.nearest(name, "parts of a signal", &["left", "right"]),
                    };
                    self.problem(problem)
                }
            },
            Value::Record(fields) => match fields.iter().find(|(name, _)| *name == field.name) {
                Some((_, value)) => value.clone(),
                None => {
                    let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
                    let message = format!("there is no part `{field}` here");
                    let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
                    self.problem(problem.nearest(&field.name, "parts", &names))
                }
            },
        }
    }

    /// What to do where a part of a signal has the name of a function, as methods of other languages have: `x.tanh`.
    fn function_of_field(&self, name: &str) -> Option<String> {
        let known = Builtin::find(name).is_some() || self.files().find(self.input.song, name).is_some();
        if known {
            return Some(format!(
                "it is called, with the signal as an argument: `{name}(x)`, or `x |> {name}()`"
            ));
        }
        foreign::find(Role::Value, name).map(Foreign::help_without_events)
    }

    fn list_part(&mut self, what: &str, field: &Ident) -> Value {
        let message = format!("this is {what}, which has no part `{field}`");
        let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
        self.problem(problem.help("an element is read with its number: `xs[0]`"))
    }

    /// A part of an argument of which nothing is known. What has a part that signals do not have is not one.
    fn unknown_part(&mut self, index: usize, field: &Ident) -> Value {
        match &self.shapes[index] {
            Shape::Signal(signal) => {
                let signal: Signal = signal.clone();
                return self.part(Value::Signal(signal), field);
            }
            Shape::Parts(parts) => {
                if let Some((_, part)) = parts.iter().find(|(name, _)| *name == field.name) {
                    return part.clone();
                }
            }
            Shape::Measured(_) => {
                let signal = self.signal(Value::Unknown(index), field.span);
                return signal.map_or(Value::Broken, |signal| self.part(Value::Signal(signal), field));
            }
            // A record and a buffer are handed on as they are, and the sides of a signal are fitted as it is.
            Shape::Fitted(..) if matches!(&*field.name, "left" | "right") => {
                let signal = self.signal(Value::Unknown(index), field.span);
                return signal.map_or(Value::Broken, |signal| self.part(Value::Signal(signal), field));
            }
            &Shape::Fitted(argument, ..) => return self.unknown_part(argument, field),
            Shape::List(_) => return self.list_part("a list", field),
            Shape::Buffer => return self.buffer_part(&Value::Unknown(index), field),
            Shape::Free if matches!(&*field.name, "left" | "right") => return self.unknown(),
            Shape::Free => {}
        }
        let part = self.unknown();
        match &mut self.shapes[index] {
            Shape::Parts(parts) => parts.push((field.name.clone(), part.clone())),
            shape => *shape = Shape::Parts(vec![(field.name.clone(), part.clone())]),
        }
        part
    }

    /// What an event of an instrument is: its frequency, or a plain number. A trigger is there for one frame.
    pub(super) fn event(&mut self, name: &str) -> Value {
        let is_onset = matches!(name, "trig" | "slur" | "fresh");
        let kind = if is_onset { Kind::Fast } else { Kind::Slow };
        let range = if is_onset || name == "gate" { (0.0, 1.0) } else { ALL };
        let dimension = if name == "freq" { Dimension::FREQUENCY } else { Dimension::PLAIN };
        Value::mono(self.within(kind, range), dimension)
    }
}
