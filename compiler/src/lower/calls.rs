//! Calls: definitions are inlined, with their own state at every use.

use super::names::{Expectation, Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::codes;
use crate::dimension::{Dimension, base_value};
use crate::hir::resolve::resolved;
use crate::hir::{Call, Callee, DefId, Local, LocalKind};
use crate::ir::{Op, Value};
use crate::library::ParamInfo;
use mam_grammar::ast::{Body, Definition, DefinitionKind, Expr, ExprId, Ident};
use mam_grammar::{Problem, Span};
use std::sync::Arc;

impl Lower<'_, '_> {
    /// The right side of a pipe, with the fields that are read from the result.
    pub(super) fn pipe(&mut self, at: &At, right: ExprId) -> Val {
        match &self.ast(at).exprs[right] {
            Expr::Field { of, field } => {
                let val = self.pipe(at, *of);
                self.part(val, field)
            }
            Expr::Call { callee, .. } | Expr::Name(callee) => self.call(at, right, callee),
            _ => Val::Broken, // The parser has said so.
        }
    }

    /// A call, in the song or in a definition.
    pub(super) fn call(&mut self, at: &At, expr: ExprId, callee: &Ident) -> Val {
        if let Some(iterations) = &self.scopes[at.scope].iterations
            && let Some(&node) = self.song.graph.calls.get(&(expr, iterations.clone()))
        {
            self.reference = None;
            return self.node_value(node);
        }
        let Some(call) = self.hir(at).call(expr) else { return Val::Broken };
        match call.callee {
            Callee::Broken => self.broken_call(at, call),
            Callee::Builtin(builtin) => self.builtin(at, callee, builtin, &call.args),
            Callee::Definition(_) if self.too_deep(at, callee) => Val::Broken,
            Callee::Definition(def) => match self.files().definition(def).kind {
                DefinitionKind::Def => self.inline_def(at, def, callee, call),
                DefinitionKind::Effect => self.inline_effect(at, def, callee, call),
                // Where it may be called it is a node, unless what is around it could not be unrolled.
                DefinitionKind::Instrument => Val::Broken,
            },
        }
    }

    /// A call of which something is wrong: what is wrong with the signals that are given is wrong whatever was meant.
    fn broken_call(&mut self, at: &At, call: &Call) -> Val {
        let given = call.piped.iter().chain(call.args.iter().flatten());
        for &value in given {
            if !matches!(self.ast(at).exprs[value], Expr::Text(_) | Expr::List(_)) {
                self.eval(at, value);
            }
        }
        Val::Broken
    }

    /// True when definitions call each other too deep: says so.
    fn too_deep(&mut self, at: &At, callee: &Ident) -> bool {
        let most = self.files().limits.call_depth;
        if self.scopes[at.scope].calls <= most {
            return false;
        }
        if self.is_generic() {
            return true;
        }
        let message = format!("definitions call each other more than {most} deep, the limit `call_depth`");
        self.problem(Problem::new(&codes::TOO_LARGE, callee.span, message));
        true
    }

    /// A scope for the body of `def`, called from the scope `caller`; `slot` says what its names stand for that are no
    /// equations.
    pub(super) fn definition_scope(
        &mut self,
        caller: ScopeId,
        def: DefId,
        slot: impl Fn(&Local) -> Slot,
    ) -> ScopeId {
        let hir = resolved(self.files(), def.file);
        let of = hir.definition_scope(def.item);
        let slots = hir.scope(of).locals.iter().map(|&id| slot(hir.local(id))).collect();
        let parent = (def.file == self.song.file).then_some(0);
        let Scope { calls, voice, port, copy, .. } = self.scopes[caller];
        self.scopes.push(Scope {
            file: def.file,
            of,
            parent,
            calls: calls + 1,
            slots,
            voice,
            port,
            copy,
            iterations: None,
        });
        self.scopes.len() - 1
    }

    fn inline_def(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Val {
        let definition = self.files().definition(def);
        let path = self.path(at, callee);
        let expected = self.song.library.formals(self.files(), def);
        let scope = self.definition_scope(at.scope, def, |_| Slot::Absent);
        for (i, (formal, expected)) in definition.formals.iter().zip(&*expected).enumerate() {
            let of = &definition.name.name;
            let place = expected.as_ref().map(|expected| Expectation::of_formal(&formal.name, of, expected));
            let (at, expr) = match (call.args[i], formal.default) {
                (Some(expr), _) => (at.clone(), expr),
                (None, Some(expr)) => (At { scope, path: path.clone() }, expr),
                (None, None) => continue,
            };
            self.scopes[scope].slots[i] = Slot::Argument { at, expr, place };
        }
        let before = self.problems.len();
        let val = self.body(scope, &path, &definition.body);
        self.blame_argument((at.scope, scope), definition, &call.args, before);
        self.blame_call(at.scope, callee, before);
        if !self.files().is_prelude(def.file) {
            // An argument that is not used is checked all the same; but one that is only remembered may need this call.
            self.unused.extend((0..definition.formals.len()).map(|formal| (scope, formal)));
        }
        val
    }

    /// An effect inside a definition: its parameters are its arguments, and cannot be set from outside.
    fn inline_effect(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Val {
        let info = self.song.library.info(self.files(), def);
        let Some(input) = call.piped.or(call.more[0]) else { return Val::Broken };
        let given = |expr, place| Slot::Argument { at: at.clone(), expr, place };
        let defaults: Vec<Value> = info.params.iter().map(|param| self.b.f64(param.default)).collect();
        let scope = self.definition_scope(at.scope, def, |local| match local.kind {
            LocalKind::Param(index) => match call.args[index] {
                Some(expr) => given(expr, Some(expectation_of(&info.params[index], &callee.name))),
                None => Slot::Done(Val::mono(defaults[index], info.params[index].dimension)),
            },
            LocalKind::Input(index) => given(call.more[index + 1].unwrap_or(input), None),
            LocalKind::In => given(input, None),
            _ => Slot::Absent,
        });
        let path = self.path(at, callee);
        let body: &Body = &self.files().definition(def).body;
        let before = self.problems.len();
        let val = self.body(scope, &path, body);
        self.blame_call(at.scope, callee, before);
        val
    }

    /// Where the prelude wants one channel, since there were so many problems, and an argument besides the first has two,
    /// the argument is to blame.
    fn blame_argument(
        &mut self,
        (caller, scope): (ScopeId, ScopeId),
        definition: &Definition,
        given: &[Option<ExprId>],
        before: usize,
    ) {
        let files = self.files();
        let new = || self.problems.iter().skip(before);
        let stereo = |p: &Problem| p.code == &codes::CHANNELS && files.is_prelude_source(p.span().source);
        if new().next().is_none() || !new().all(stereo) || files.is_prelude(self.scopes[caller].file) {
            return;
        }
        let wide = |index: usize| match &self.scopes[scope].slots[index] {
            Slot::Done(Val::Signal(signal)) => signal.channels.len() > 1,
            _ => false,
        };
        let found = (1..given.len()).find_map(|index| Some((index, given[index].filter(|_| wide(index))?)));
        let Some((index, expr)) = found else { return };
        let formal = &definition.formals[index];
        let ast = &files.file(self.scopes[caller].file).ast;
        let (name, of, text) = (&formal.name, &definition.name, files.slice(ast.span(expr)));
        let message = format!("`{name}` of `{of}` has one channel, but this is stereo");
        let help = format!("take one side, `{text}.left`, or call `{of}` once for each side");
        self.problems.truncate(before);
        self.problems.add(Problem::new(&codes::CHANNELS, ast.span(expr), message).help(help));
    }

    /// What was found in the prelude since there were so many problems was brought about by a call outside of it.
    pub(super) fn blame_call(&mut self, caller: ScopeId, callee: &Ident, before: usize) {
        let files = self.files();
        if !files.is_prelude(self.scopes[caller].file) {
            self.problems
                .called_at(before, &callee.name, callee.span, |span| files.is_prelude_source(span.source));
        }
    }

    /// Brings a value into a place: its dimension is checked, plain numbers are read in the place's unit, and it is
    /// kept in the range.
    pub(super) fn fit(&mut self, val: Val, span: Span, place: &Expectation) -> Val {
        let signal = match val {
            Val::Signal(signal) => signal,
            Val::Any => match self.any_signal() {
                Some(signal) => signal,
                None => return Val::Broken,
            },
            Val::List(elements) => {
                return Val::List(elements.iter().map(|val| self.fit(val.clone(), span, place)).collect());
            }
            other => return other, // A record may be handed on as it is.
        };
        let Some(signal) = self.convert(signal, span, place) else { return Val::Broken };
        self.limit(signal, span, place)
    }

    fn convert(&mut self, signal: Signal, span: Span, place: &Expectation) -> Option<Signal> {
        if signal.dimension == place.dimension {
            return Some(signal);
        }
        if signal.dimension == Dimension::ANY {
            return Some(Signal { dimension: place.dimension, ..signal });
        }
        if signal.dimension != Dimension::PLAIN {
            let Expectation { name, of, .. } = place;
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
        let scale = place.units.scale(place.dimension);
        let scaled = if scale == 1.0 {
            signal.channels
        } else {
            signal.channels.iter().map(|&v| self.b.scale(scale, v)).collect()
        };
        Some(Signal { channels: scaled, dimension: place.dimension })
    }

    fn limit(&mut self, signal: Signal, span: Span, place: &Expectation) -> Val {
        let constant = (signal.channels.len() == 1).then(|| self.b.constant(signal.channels[0])).flatten();
        if let Some(x) = constant
            && (x < place.min || x > place.max)
        {
            self.problems.add(self.out_of_range(x, span, place));
        }
        if !place.clamps {
            return Val::Signal(signal);
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

    /// The warning that a constant, in base units, lies outside the range of its place.
    pub(super) fn out_of_range(&self, x: f64, span: Span, place: &Expectation) -> Problem {
        let written = self.files().slice(span);
        let plain = written.parse::<f64>().is_ok();
        let shown = place.units.show(x, place.dimension);
        // A plain number in a place of ratios was probably meant in the unit in which its default is written.
        let meant = (plain && place.dimension == Dimension::PLAIN)
            .then(|| place.units.value.or(place.units.high))
            .flatten()
            .filter(|&unit| (place.min..=place.max).contains(&base_value(x, Some(unit))));
        let range = place.units.range((place.min, place.max), place.dimension);
        let what = if plain && place.dimension == Dimension::PLAIN { written } else { &*shown };
        let message = format!("{what} is outside the range of `{}`, {range}", place.name);
        let clamped = place.units.show(x.clamp(place.min, place.max), place.dimension);
        let help = match (meant, place.clamps) {
            (Some(unit), true) => {
                let unit = unit.text();
                format!(
                    "write `{written}{unit}`: a number without a unit is the ratio itself, here clamped to {clamped}"
                )
            }
            (Some(unit), false) => {
                format!("write `{written}{}`: a number without a unit is the ratio itself", unit.text())
            }
            (None, true) => format!("it is clamped to {clamped}"),
            (None, false) => format!("`{}` takes {range}", place.name),
        };
        let problem = Problem::new(&codes::OUT_OF_RANGE, span, message).help(help);
        match (meant, place.clamps) {
            (Some(unit), _) => problem.guess(span, format!("{written}{}", unit.text())),
            (None, true) => problem.guess(span, clamped),
            (None, false) => problem,
        }
    }
}

/// What a parameter expects.
pub(super) fn expectation_of(param: &ParamInfo, of: &Arc<str>) -> Expectation {
    Expectation {
        name: param.name.clone(),
        of: of.clone(),
        span: param.span.unwrap_or_default(),
        dimension: param.dimension,
        units: param.units,
        min: param.min,
        max: param.max,
        clamps: true,
    }
}
