//! What is said of names that are nothing, with what was probably meant.

use super::builtins::Builtin;
use super::resolve::note_literal;
use super::resolve::{Context, Resolver};
use super::{Known, ScopeId};
use crate::codes;
use crate::graph::is_event;
use mam_grammar::ast::{DefinitionKind, Ident};
use mam_grammar::foreign::{self, Role};
use mam_grammar::problem::nearest;
use mam_grammar::{Problem, Span};

impl Resolver<'_> {
    /// The problem of a name that is not a signal here.
    pub(super) fn unknown_name(&mut self, context: Context, name: &Ident) -> Problem {
        if Builtin::find(&name.name).is_some() {
            let message = format!("`{name}` is a function, not a signal");
            let problem = Problem::new(&codes::NOT_A_VALUE, name.span, message);
            return problem.help(format!("call it: `{name}(…)`"));
        }
        if is_event(&name.name) {
            let message = format!("`{name}` is there in instruments, which play notes, and not here");
            let help = "give it to this definition as an argument, or read an instrument's: `lead.freq`";
            return Problem::new(&codes::UNKNOWN_NAME, name.span, message).help(help);
        }
        if let Some(def) = self.files.find(self.file, &name.name) {
            return self.definition_as_value(name, self.files.definition(def).kind);
        }
        let message = format!("nothing here is called `{name}`");
        let problem = Problem::new(&codes::UNKNOWN_NAME, name.span, message);
        let lower = name.name.to_ascii_lowercase();
        if note_literal(&lower).is_some() {
            let help = format!("the note's frequency is `{lower}`: its letter is in lower case");
            return problem.here("this is a note").help(help).fix(name.span, lower);
        }
        if let Some(hertz) = foreign::note_frequency(&name.name) {
            let help = format!(
                "for the note's frequency write `{hertz}`; in an instrument, `freq` is the frequency of the note that it plays"
            );
            return problem.here("this is a note").help(help).fix(name.span, hertz);
        }
        let target = foreign::find(Role::Target, &name.name).filter(|_| context.definition.is_none());
        let row = foreign::find(Role::Value, &name.name);
        let stands = row.is_some_and(|row| !row.value.is_empty() || row.word.is_empty());
        if let Some(row) = target.filter(|_| !stands) {
            let help = format!("an equation gives it an instrument: `{name} = {}()`", row.word);
            return self.with_equation(problem.help(help), &name.name, row.word);
        }
        if !self.hir.problems.may_suggest() {
            return problem;
        }
        let seen = self.seen(context.scope);
        if let Some(row) = row.filter(|_| target.is_some() || nearest(&name.name, &seen).is_none()) {
            return row.explain(problem, name.span, false);
        }
        problem.nearest(&name.name, "names that can be seen here", &seen)
    }

    fn definition_as_value(&self, name: &Ident, kind: DefinitionKind) -> Problem {
        let (what, help) = match kind {
            DefinitionKind::Def => ("a definition", format!("call it: `{name}(…)`")),
            DefinitionKind::Instrument => (
                "an instrument",
                format!("an equation gives it a name that can be played and heard: `{name} = {name}()`"),
            ),
            DefinitionKind::Effect => ("an effect", format!("a signal flows through it: `x |> {name}()`")),
        };
        let message = format!("`{name}` is {what}, not a signal");
        let problem = Problem::new(&codes::NOT_A_VALUE, name.span, message).help(help);
        match kind {
            DefinitionKind::Instrument => self.with_equation(problem, &name.name, &name.name),
            _ => problem,
        }
    }

    /// The fix that begins the song with the equation `name = instrument()`.
    fn with_equation(&self, problem: Problem, name: &str, instrument: &str) -> Problem {
        if !self.is_song() {
            return problem;
        }
        let start = Span { start: 0, end: 0, ..problem.span() };
        problem.guess(start, format!("{name} = {instrument}()\n"))
    }

    /// The names that can be seen in a scope.
    fn seen(&self, scope: ScopeId) -> Vec<String> {
        let mut names = self.hir.visible(scope);
        // What is heard is not read.
        names.retain(|name| name != "out");
        names.extend(Known::ALL.iter().map(|(_, name, _)| name.to_string()).filter(|name| name != "in"));
        names
    }

    /// The problem of a call of what does not exist.
    pub(super) fn unknown_definition(&mut self, callee: &Ident) -> Problem {
        let message = format!("there is no definition `{callee}`");
        let problem = Problem::new(&codes::UNKNOWN_DEFINITION, callee.span, message);
        let own: Vec<&str> = self.files.own_definitions(self.file).collect();
        let foreign =
            foreign::find(Role::Value, &callee.name).filter(|_| nearest(&callee.name, &own).is_none());
        if let Some(row) = foreign {
            return row.explain(problem, callee.span, true);
        }
        let mut known = vec![];
        if self.hir.problems.may_suggest() {
            known = self.files.visible(self.file);
            known.extend(Builtin::all().map(|builtin| builtin.row().name.to_string()));
        }
        match nearest(&callee.name, &known) {
            Some(nearest) => problem
                .guess(callee.span, nearest)
                .here(format!("did you mean `{nearest}`?"))
                .help(format!("`mamc doc {nearest}` shows it; `mamc list` shows what there is")),
            None => problem.help("`mamc list` shows what there is; your own begins with `def`"),
        }
    }
}
