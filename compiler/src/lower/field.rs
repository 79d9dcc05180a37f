//! Fields: parts of a value, events of an instrument, and what is said of those that do not exist.

use super::value::Val;
use super::{At, Lower};
use crate::codes;
use crate::graph::{NodeId, is_event};
use crate::hir::{FILE, Name};
use crate::ir::PortField;
use mam_grammar::Problem;
use mam_grammar::ast::{ExprId, Ident};
use std::sync::Arc;

impl Lower<'_, '_> {
    pub(super) fn field(&mut self, at: &At, expr: ExprId, of: ExprId, field: &Ident) -> Val {
        if self.hir(at).name(expr) == Name::Broken {
            return Val::Broken;
        }
        if is_event(&field.name)
            && let Some(val) = self.event_field(at, of, field)
        {
            return val;
        }
        let val = self.eval(at, of);
        if let (Val::Signal(_), Some(problem)) = (&val, self.instrument_part(at, of, field)) {
            return self.problem(problem);
        }
        self.part(val, field)
    }

    /// The instrument of the song that an expression names, with the name.
    fn target(&self, at: &At, of: ExprId) -> Option<(&Arc<str>, NodeId)> {
        let hir = self.hir(at);
        let Name::Local(id) = hir.name(of) else { return None };
        let local = hir.local(id);
        let node = *self.song.graph.targets.get(&local.name).filter(|_| local.scope == FILE)?;
        Some((&local.name, node))
    }

    /// What is wrong with `bd.trigger` or `bd.gain`, where `bd` is an instrument of the song.
    fn instrument_part(&self, at: &At, of: ExprId, field: &Ident) -> Option<Problem> {
        let (name, node) = self.target(at, of)?;
        let instance = self.song.graph.instance(node)?;
        if matches!(&*field.name, "left" | "right") || is_event(&field.name) {
            return None;
        }
        let info = self.song.library.info(self.files(), instance.def);
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
    pub(super) fn part(&mut self, val: Val, field: &Ident) -> Val {
        match &val {
            Val::Broken => Val::Broken,
            Val::Any => Val::Any,
            Val::List(elements) => {
                let message = format!("this is a list of {}, which has no part `{field}`", elements.len());
                let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
                self.problem(problem.help("an element is read with its number: `xs[0]`"))
            }
            Val::Signal(signal) => match &*field.name {
                "left" => Val::mono(signal.channel(0), signal.dimension),
                "right" => Val::mono(signal.channel(1), signal.dimension),
                name if is_event(name) => {
                    let message = format!("`.{name}` is an event of an instrument, and this is not one");
                    let help = "events belong to a name whose equation begins with an instrument's call";
                    self.problem(Problem::new(&codes::NOT_EVENTS, field.span, message).help(help))
                }
                name => {
                    let problem = Problem::new(
                        &codes::UNKNOWN_FIELD,
                        field.span,
                        format!("a signal has no part `{name}`"),
                    );
                    self.problem(problem.nearest(name, "parts of a signal", &["left", "right"]))
                }
            },
            Val::Record(fields) => match fields.iter().find(|(name, _)| *name == field.name) {
                Some((_, val)) => val.clone(),
                None => {
                    let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
                    let message = format!("there is no part `{field}` here");
                    let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
                    self.problem(problem.nearest(&field.name, "parts", &names))
                }
            },
        }
    }

    /// `bd.trig`, where `bd` is a playable name of the song.
    fn event_field(&mut self, at: &At, of: ExprId, field: &Ident) -> Option<Val> {
        let (_, target) = self.target(at, of)?;
        let field = match &*field.name {
            "trig" => PortField::Trig,
            "gate" => PortField::Gate,
            "freq" => PortField::Freq,
            "note" => PortField::Note,
            _ => PortField::Vel,
        };
        let port = self.song.ports.monitor(target);
        Some(self.event(port, field))
    }
}
