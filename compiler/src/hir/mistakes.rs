//! What is said of names that are nothing, with what was probably meant.

use super::builtins::{Builtin, Function};
use super::kits::is_kit;
use super::resolve::note_literal;
use super::resolve::{Context, Resolver};
use super::{Known, LocalId, LocalKind, ScopeId};
use crate::codes;
use crate::graph::{is_event, operands};
use crate::prelude::is_private;
use mam_grammar::ast::{DefinitionKind, Expr, ExprId, Ident, equations};
use mam_grammar::foreign::{self, Role};
use mam_grammar::problem::nearest;
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashMap;

/// True for the letter of a note with its accidentals, and no octave: `eb`, `c`, `f#`. Where `e` is read it is Euler's number.
fn note_without_octave(name: &str) -> bool {
    let accidentals = name.strip_prefix(|c| matches!(c, 'a'..='g'));
    accidentals.is_some_and(|rest| matches!(rest, "" | "b" | "bb" | "#" | "##"))
}

fn not_a_signal(name: &Ident, what: &str) -> Problem {
    Problem::new(&codes::NOT_A_VALUE, name.span, format!("`{name}` is {what}, not a signal"))
}

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
            let problem = Problem::new(&codes::UNKNOWN_NAME, name.span, message);
            return match foreign::event_source(&name.name).filter(|_| context.definition.is_none()) {
                Some(source) => problem
                    .help(format!(
                        "without notes, write what makes it, such as `{source}`, or define an `instrument`"
                    ))
                    .guess(name.span, source),
                None => problem.help("give it to this definition as an argument"),
            };
        }
        if let Some(def) = self.files.find(self.file, &name.name) {
            return self.definition_as_value(name, self.files.definition(def).kind);
        }
        if is_kit(self.files, self.file, &name.name) {
            return self.playable_as_value(name, "a kit", "whose parts can be played");
        }
        let message = format!("nothing here is called `{name}`");
        let problem = Problem::new(&codes::UNKNOWN_NAME, name.span, message);
        if !self.is_song() && equations(&self.ast.items).any(|(own, _)| own.name == name.name) {
            return problem.here("an equation, and of a file that is used its definitions alone are seen").help(
                format!("give it to this definition as an argument, or define it: `def {name}() = …`, read as `{name}()`"),
            );
        }
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
        if note_without_octave(&name.name) {
            let note = format!("{}4", name.name);
            let help = format!(
                "a note has its octave: `{note}`; a signal of this name needs an equation, `{name} = …`"
            );
            return problem.here("a note without its octave").help(help).guess(name.span, note);
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
        let seen = self.seen(context);
        // A name of the song's own that is nearly this one was probably meant; a word of the language less so.
        let own = self.hir.visible(context.scope);
        if let Some(row) = row.filter(|_| target.is_some() || nearest(&name.name, &own).is_none()) {
            return row.explain(problem, name.span, false, self.has_events(context));
        }
        let what = if context.is_constant() { "constants" } else { "names" };
        problem.nearest(&name.name, &format!("{what} that can be seen here"), &seen)
    }

    fn definition_as_value(&self, name: &Ident, kind: DefinitionKind) -> Problem {
        let (what, help) = match kind {
            DefinitionKind::Def => ("a definition", format!("call it: `{name}(…)`")),
            DefinitionKind::Instrument => {
                return self.playable_as_value(name, "an instrument", "that can be played and heard");
            }
            DefinitionKind::Effect => ("an effect", format!("a signal flows through it: `x |> {name}()`")),
        };
        not_a_signal(name, what).help(help)
    }

    /// The problem of an instrument or a kit that is read as a signal; `given` is what an equation's name is good for.
    fn playable_as_value(&self, name: &Ident, what: &str, given: &str) -> Problem {
        let problem = not_a_signal(name, what);
        if self.is_whole_equation(name) {
            let call = format!("{name}()");
            return problem.help(format!("call it: `{call}`")).fix(name.span, call);
        }
        let help = format!("an equation gives it a name {given}: `{name} = {name}()`");
        self.with_equation(problem.help(help), &name.name, &name.name)
    }

    /// True for a name that is all that stands right of the `=` of an equation of the file: `bd = kick`.
    fn is_whole_equation(&self, name: &Ident) -> bool {
        let mut all = equations(&self.ast.items);
        all.any(|(defined, value)| &*defined.name != "out" && self.ast.span(value) == name.span)
    }

    /// Whether the value of this equation of the file names it, as where a variable is set anew.
    pub(super) fn reads_itself(&self, name: &Ident) -> bool {
        let own = equations(&self.ast.items).find(|(defined, _)| defined.span == name.span);
        let mut open: Vec<ExprId> = own.map(|(_, value)| value).into_iter().collect();
        while let Some(expr) = open.pop() {
            match &self.ast.exprs[expr] {
                Expr::Name(read) if read.name == name.name => return true,
                other => open.extend(operands(other)),
            }
        }
        false
    }

    /// True where the events of notes can be read.
    pub(super) fn has_events(&self, context: Context) -> bool {
        self.hir.find(context.scope, "trig").is_some()
    }

    /// The fix that begins the song with the equation `name = instrument()`.
    fn with_equation(&self, problem: Problem, name: &str, instrument: &str) -> Problem {
        if !self.is_song() {
            return problem;
        }
        let start = Span { start: 0, end: 0, ..problem.span() };
        problem.guess(start, format!("{name} = {instrument}()\n"))
    }

    /// The names that can be read at a place.
    fn seen(&self, context: Context) -> Vec<String> {
        let mut names = self.hir.visible(context.scope);
        // What is heard is not read.
        names.retain(|name| name != "out");
        names.extend(Known::ALL.iter().map(|(_, name, _)| name.to_string()).filter(|name| name != "in"));
        if context.is_constant() {
            let mut known = FxHashMap::default();
            names.retain(|name| self.is_constant(context.scope, name, &mut known));
        }
        names
    }

    /// Whether a name stands for a constant, as far as that is seen without evaluating it. `known` are the equations that
    /// were looked at.
    fn is_constant(&self, scope: ScopeId, name: &str, known: &mut FxHashMap<LocalId, bool>) -> bool {
        let Some(id) = self.hir.find(scope, name) else {
            return Known::find(name)
                .is_some_and(|known| !matches!(known, Known::Beat | Known::Bar | Known::In));
        };
        let local = self.hir.local(id);
        match local.kind {
            LocalKind::Counter => true,
            LocalKind::Equation(value) => {
                if let Some(&constant) = known.get(&id) {
                    return constant;
                }
                known.insert(id, false); // What needs itself is not constant.
                let constant = self.computes_constant(local.scope, value, known);
                known.insert(id, constant);
                constant
            }
            _ => false,
        }
    }

    fn computes_constant(&self, scope: ScopeId, expr: ExprId, known: &mut FxHashMap<LocalId, bool>) -> bool {
        stacker::maybe_grow(64 << 10, 1 << 20, || match &self.ast.exprs[expr] {
            Expr::Number(_) => true,
            Expr::Name(name) => self.is_constant(scope, &name.name, known),
            Expr::Call { callee, .. } if self.files.find(self.file, &callee.name).is_some() => false,
            Expr::Call { callee, args } => {
                let function = Builtin::find(&callee.name).map(|builtin| builtin.row().function);
                matches!(function, Some(Function::Plain(_) | Function::Keeps(_)))
                    && args.iter().all(|arg| self.computes_constant(scope, arg.value, known))
            }
            other @ (Expr::Paren(_) | Expr::Unary { .. } | Expr::Binary { .. } | Expr::If { .. }) => {
                operands(other).into_iter().all(|operand| self.computes_constant(scope, operand, known))
            }
            _ => false,
        })
    }

    /// The problem of a call of what does not exist.
    pub(super) fn unknown_definition(&mut self, context: Context, callee: &Ident) -> Problem {
        let message = format!("there is no definition `{callee}`");
        let problem = Problem::new(&codes::UNKNOWN_DEFINITION, callee.span, message);
        if is_private(&callee.name) && self.files.find_prelude(&callee.name).is_some() {
            let help = format!(
                "it is a detail of the prelude, which songs cannot call; `mamc doc {callee}` shows its source: copy that"
            );
            return problem.help(help);
        }
        let own: Vec<&str> = self.files.own_definitions(self.file).collect();
        let foreign =
            foreign::find(Role::Value, &callee.name).filter(|_| nearest(&callee.name, &own).is_none());
        if let Some(row) = foreign {
            return row.explain(problem, callee.span, true, self.has_events(context));
        }
        let drum = foreign::find(Role::Target, &callee.name).map(|row| row.word);
        if let Some(word) = drum.filter(|_| nearest(&callee.name, &own).is_none()) {
            let help = format!("mam's word is `{word}`: `{word}()`; `mamc list` shows the other instruments");
            return problem.help(help).guess(callee.span, word);
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
