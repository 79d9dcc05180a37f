//! Calls: definitions are inlined, with their own state at every use.

use super::names::{Place, Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::call::{bind, missing};
use crate::codes;
use crate::dimension::Dimension;
use crate::files::DefId;
use crate::ir::Op;
use crate::library::ParamInfo;
use mam_grammar::ast::{Arg, Body, DefinitionKind, Expr, ExprId, Ident, Unit};
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What stands on the left of `|>`.
pub(super) type Piped = Option<ExprId>;

impl Lower<'_, '_> {
    /// `left |> right`, with the fields that are read from the result.
    pub(super) fn pipe(&mut self, at: &At, left: ExprId, right: ExprId) -> Val {
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        match &ast.exprs[right] {
            Expr::Field { of, field } => {
                let val = self.pipe(at, left, *of);
                self.part(val, field)
            }
            Expr::Call { callee, args } => self.call(at, right, callee, args, Some(left)),
            Expr::Name(callee) => self.call(at, right, callee, &[], Some(left)),
            _ => Val::Broken, // The parser has said so.
        }
    }

    /// A call, in the song or in a definition.
    pub(super) fn call(&mut self, at: &At, expr: ExprId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if let (Some(turns), Some(graph)) = (&self.scopes[at.scope].turns, self.song.graph)
            && let Some(&node) = graph.calls.get(&(expr, turns.clone()))
        {
            return self.node_value(node);
        }
        let file = self.scopes[at.scope].file;
        let Some(def) = self.files().find(file, &callee.name) else {
            return self.builtin(at, callee, args, piped);
        };
        match self.files().definition(def).kind {
            DefinitionKind::Def => self.inline_def(at, def, callee, args, piped),
            DefinitionKind::Effect => self.inline_effect(at, def, callee, args, piped),
            DefinitionKind::Instrument => {
                let message = format!("the instrument `{callee}` is called inside a definition");
                let problem = Problem::new(&codes::INSTRUMENT_INSIDE, callee.span, message);
                self.problem(
                    problem.help("give it a name in the song itself, and hand its signal in as an argument"),
                )
            }
        }
    }

    /// True when `def` is being called around here: says so.
    fn recursive(&mut self, at: &At, def: DefId, callee: &Ident) -> bool {
        let mut depth = 0;
        let mut scope = Some(at.scope);
        while let Some(s) = scope {
            match self.scopes[s].caller {
                Some((_, d)) if d == def => {
                    let message = format!("`{callee}` uses itself");
                    let problem = Problem::new(&codes::RECURSIVE_DEFINITION, callee.span, message);
                    self.problem(
                        problem.help("repeat with `chain` or `sum`; for feedback, use `prev` of a signal"),
                    );
                    return true;
                }
                Some((caller, _)) => {
                    depth += 1;
                    scope = Some(caller);
                }
                None => scope = self.scopes[s].parent,
            }
        }
        if depth > self.files().limits.call_depth {
            let message = format!(
                "definitions call each other more than {} deep, the limit `call_depth`",
                self.files().limits.call_depth
            );
            self.problem(Problem::new(&codes::TOO_LARGE, callee.span, message));
            return true;
        }
        false
    }

    /// A scope for the body of `def`, called from `at`.
    pub(super) fn callee_scope(&mut self, at: &At, def: DefId, names: FxHashMap<Arc<str>, Slot>) -> usize {
        let song = def.file == self.song.file;
        self.song.called.insert(def);
        let parent = song.then_some(0);
        let (caller, voice) = (Some((at.scope, def)), self.scopes[at.scope].voice);
        self.scopes.push(Scope { file: def.file, parent, caller, names, voice, turns: None });
        self.scopes.len() - 1
    }

    fn inline_def(&mut self, at: &At, def: DefId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if self.recursive(at, def, callee) {
            return Val::Broken;
        }
        let definition = self.files().definition(def);
        let formals: Vec<&str> = definition.formals.iter().map(|f| &*f.name.name).collect();
        let args = with_piped(args, piped);
        let before = self.problems.len();
        let bound = bind(callee, &args, &formals, &[], &mut self.problems);
        // An argument that is called wrongly is the one that seems to be missing.
        let misread = self.problems.len() > before;
        let path = self.path(at, callee);
        let scope = self.callee_scope(at, def, FxHashMap::default());
        let mut broken = false;
        for (formal, given) in definition.formals.iter().zip(bound.args) {
            let of = &definition.name.name;
            let place = formal.unit.map(|unit: Unit| Place::of_unit(&formal.name, of, unit));
            let (at, expr) = match (given, formal.default) {
                (Some(expr), _) => (at.clone(), expr),
                (None, Some(expr)) => (At { scope, path: path.clone() }, expr),
                (None, None) => {
                    if !misread {
                        self.problems.add(missing(callee, &formal.name.name, &formals, callee.span));
                    }
                    broken = true;
                    continue;
                }
            };
            let slot = Slot::Argument { at, expr, place };
            self.scopes[scope].names.insert(formal.name.name.clone(), slot);
        }
        if broken {
            return Val::Broken;
        }
        let before = self.problems.len();
        let val = self.body(scope, &path, &definition.body);
        self.blame_call(at.scope, callee, before);
        if !self.files().is_prelude(def.file) {
            definition.formals.iter().filter(|f| &*f.name.name != "out").for_each(|f| {
                self.slot(scope, &f.name); // An argument that is not used is checked all the same.
            });
        }
        val
    }

    /// An effect inside a definition: its parameters are its arguments, and cannot be set from outside.
    fn inline_effect(&mut self, at: &At, def: DefId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if self.recursive(at, def, callee) {
            return Val::Broken;
        }
        let info = self.song.library.info(self.files(), def);
        let formals: Vec<&str> = info.params.iter().map(|p| &*p.name).collect();
        let named = info.inputs.iter().chain(&info.broken);
        let more: Vec<&str> = std::iter::once("in").chain(named.map(|i| &**i)).collect();
        let bound = bind(callee, args, &formals, &more, &mut self.problems);
        let Some(input) = piped.or(bound.more[0]) else {
            let message = format!("`{callee}` is an effect, and nothing flows into it");
            let problem = Problem::new(&codes::NO_INPUT, callee.span, message);
            return self.problem(problem.help(format!("put its input before it: `x |> {callee}(…)`")));
        };
        let given = |expr| Slot::Argument { at: at.clone(), expr, place: None };
        let mut names = FxHashMap::default();
        names.insert(Arc::from("in"), given(input));
        for (name, expr) in info.inputs.iter().zip(&bound.more[1..]) {
            names.insert(name.clone(), given(expr.unwrap_or(input)));
        }
        for (param, expr) in info.params.iter().zip(bound.args) {
            let slot = match expr {
                Some(expr) => {
                    let place = Some(place_of(param, &callee.name));
                    Slot::Argument { at: at.clone(), expr, place }
                }
                None => {
                    let value = self.b.f64(param.default);
                    Slot::Done(Val::mono(value, param.dimension))
                }
            };
            names.insert(param.name.clone(), slot);
        }
        let scope = self.callee_scope(at, def, names);
        let path = self.path(at, callee);
        let body: &Body = &self.files().definition(def).body;
        let before = self.problems.len();
        let val = self.body(scope, &path, body);
        self.blame_call(at.scope, callee, before);
        val
    }

    /// What was found in the prelude since there were so many problems was brought about by a call outside of it.
    pub(super) fn blame_call(&mut self, caller: ScopeId, callee: &Ident, before: usize) {
        let files = self.files();
        if !files.is_prelude(self.scopes[caller].file) {
            self.problems.called_at(before, callee.span, |span| files.is_prelude_source(span.source));
        }
    }

    /// Brings a value into a place: its dimension is checked, plain numbers are read in the place's unit, and it is
    /// kept in the range.
    pub(super) fn fit(&mut self, val: Val, span: Span, place: &Place) -> Val {
        let signal = match val {
            Val::Signal(signal) => signal,
            other => return other, // A record may be handed on as it is.
        };
        let Some(signal) = self.convert(signal, span, place) else { return Val::Broken };
        self.limit(signal, span, place)
    }

    fn convert(&mut self, signal: Signal, span: Span, place: &Place) -> Option<Signal> {
        if signal.dimension == place.dimension {
            return Some(signal);
        }
        if signal.dimension != Dimension::PLAIN {
            let Place { name, of, .. } = place;
            let message =
                format!("`{name}` of `{of}` is {}, but this is {}", place.dimension, signal.dimension);
            let problem =
                Problem::new(&codes::DIMENSION, span, message).here(format!("this is {}", signal.dimension));
            let unit = if place.dimension == Dimension::TIME { "`ms` or `s`" } else { "`Hz` or `kHz`" };
            let help = match place.dimension {
                Dimension::PLAIN => {
                    format!("`{name}` is a plain number: leave out the unit, or divide by it")
                }
                _ => format!("give it {unit}, or a plain number"),
            };
            self.problem(problem.label(place.span, format!("`{name}` is {}", place.dimension)).help(help));
            return None;
        }
        let scaled = if place.scale == 1.0 {
            signal.channels
        } else {
            signal.channels.iter().map(|&v| self.b.scale(place.scale, v)).collect()
        };
        Some(Signal { channels: scaled, dimension: place.dimension })
    }

    fn limit(&mut self, signal: Signal, span: Span, place: &Place) -> Val {
        let constant = (signal.channels.len() == 1).then(|| self.b.constant(signal.channels[0])).flatten();
        if let Some(x) = constant
            && (x < place.min || x > place.max)
        {
            self.problems.add(out_of_range(x, span, place));
        }
        let mut channels = signal.channels;
        for value in channels.iter_mut() {
            if place.max.is_finite() {
                let max = self.b.f64(place.max);
                *value = self.b.real(Op::Min, [*value, max]);
            }
            if place.min.is_finite() {
                let min = self.b.f64(place.min);
                *value = self.b.real(Op::Max, [*value, min]);
            }
        }
        Val::Signal(Signal { channels, dimension: signal.dimension })
    }

    /// A problem for something that is called and is nothing.
    pub(super) fn unknown_definition(&mut self, at: &At, callee: &Ident, builtins: &[&str]) -> Val {
        let file = self.scopes[at.scope].file;
        if self.files().is_broken(file, &callee.name) {
            return Val::Broken;
        }
        let message = format!("there is no definition `{callee}`");
        let problem = Problem::new(&codes::UNKNOWN_DEFINITION, callee.span, message);
        let mut known = vec![];
        if self.problems.may_suggest() {
            known = self.files().visible(file);
            known.extend(builtins.iter().map(ToString::to_string));
        }
        let problem = match mam_grammar::problem::nearest(&callee.name, &known) {
            Some(near) => problem
                .here(format!("did you mean `{near}`?"))
                .help(format!("`mamc doc {near}` shows it; `mamc list` shows what there is")),
            None => problem.help("`mamc list` shows what there is; your own begins with `def`"),
        };
        self.problem(problem)
    }
}

/// What a parameter expects.
pub(super) fn place_of(param: &ParamInfo, of: &Arc<str>) -> Place {
    Place {
        name: param.name.clone(),
        of: of.clone(),
        span: param.span.unwrap_or_default(),
        dimension: param.dimension,
        scale: param.scale(),
        min: param.min,
        max: param.max,
    }
}

/// The warning that a constant is clamped.
pub(super) fn out_of_range(x: f64, span: Span, place: &Place) -> Problem {
    let shown = |x: f64| crate::text::quantity(x, place.dimension, place.scale);
    let range = format!("{}..{}", shown(place.min), shown(place.max));
    let message = format!("{} is outside the range of `{}`, {range}", shown(x), place.name);
    Problem::new(&codes::OUT_OF_RANGE, span, message)
        .help(format!("it is clamped to {}", shown(x.clamp(place.min, place.max))))
}

/// The arguments with what was piped in as the first.
pub(super) fn with_piped(args: &[Arg], piped: Piped) -> Vec<Arg> {
    let first = piped.map(|value| Arg { name: None, value });
    first.into_iter().chain(args.iter().cloned()).collect()
}
