//! Fields: parts of a value, events of an instrument, and what is said of those that do not exist.

use super::value::Val;
use super::{At, Lower};
use crate::codes;
use crate::graph::is_event;
use crate::ir::PortField;
use mam_grammar::ast::{Expr, ExprId, Ident};
use mam_grammar::{Problem, foreign};

impl Lower<'_, '_> {
    pub(super) fn field(&mut self, at: &At, of: ExprId, field: &Ident) -> Val {
        if is_event(&field.name)
            && let Some(val) = self.event_field(at, of, field)
        {
            return val;
        }
        if let Expr::Name(name) = &self.ast(at).exprs[of]
            && (foreign::find_field(&name.name, &field.name).is_some()
                || foreign::class_of(&name.name, &field.name).is_some())
            && !self.sees(at, &name.name)
        {
            let span = name.span.to(field.span);
            let problem =
                Problem::new(&codes::UNKNOWN_NAME, span, format!("nothing here is called `{name}.{field}`"));
            return self.problem(match foreign::find_field(&name.name, &field.name) {
                Some(row) => row.explain(problem, span, false),
                None => {
                    let word = foreign::class_of(&name.name, &field.name).unwrap_or_default();
                    problem.help(format!("mam's word is probably `{word}`")).guess(span, word)
                }
            });
        }
        let val = self.eval(at, of);
        if let (Val::Signal(_), Some(problem)) = (&val, self.instrument_part(at, of, field)) {
            return self.problem(problem);
        }
        self.part(val, field)
    }

    /// What is wrong with `bd.trigger` or `bd.gain`, where `bd` is an instrument of the song.
    pub(super) fn instrument_part(&self, at: &At, of: ExprId, field: &Ident) -> Option<Problem> {
        let Expr::Name(name) = &self.ast(at).exprs[of] else { return None };
        let graph = self.song.graph?;
        let instance = graph.instance(*graph.targets.get(&name.name)?)?;
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
    pub(super) fn event_field(&mut self, at: &At, of: ExprId, field: &Ident) -> Option<Val> {
        let Expr::Name(name) = &self.ast(at).exprs[of] else { return None };
        let mut scope = Some(at.scope);
        while let Some(s) = scope {
            if self.scopes[s].names.contains_key(&name.name) {
                return None;
            }
            scope = self.scopes[s].parent;
        }
        let target = *self.song.graph?.targets.get(&name.name)?;
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
