//! Calls: definitions are inlined, with their own state at every use.

use super::names::{Expectation, Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::hir::function::applied;
use crate::hir::resolve::resolved;
use crate::hir::{Call, Callee, DefId, Local, LocalId, LocalKind, Name};
use crate::ir::{Op, Value};
use crate::library::Info;
use mam_grammar::ast::{Body, DefinitionKind, Expr, ExprId, Ident};
use std::sync::Arc;

impl Lower<'_, '_> {
    /// The right side of a pipe, with the fields that are read from the result.
    pub(super) fn pipe(&mut self, at: &At, right: ExprId) -> Val {
        match &self.ast(at).exprs[right] {
            Expr::Field { of, field } => {
                let val = self.pipe(at, *of);
                self.part(&val, &field.name)
            }
            Expr::Call { callee, .. } | Expr::Name(callee) => self.call(at, right, callee),
            _ => Val::Broken,
        }
    }

    /// A call, in the song or in a definition.
    pub(super) fn call(&mut self, at: &At, expr: ExprId, callee: &Ident) -> Val {
        if let Some(iterations) = &self.scopes[at.scope].iterations
            && let Some(&node) = self.song.graph.calls.get(&(expr, iterations.clone()))
        {
            return self.node_value(node);
        }
        let Some(call) = self.hir(at).call(expr) else { return Val::Broken };
        match call.callee {
            Callee::Local(id) => match self.given_function(at, id) {
                Some(function) => match applied(self.files(), function, callee, call) {
                    Ok(call) => self.call_of(at, callee, &call),
                    Err(_) => Val::Broken,
                },
                None => Val::Broken,
            },
            _ => self.call_of(at, callee, call),
        }
    }

    /// The definition or function that is given to an argument of the definition around.
    fn given_function(&self, at: &At, id: LocalId) -> Option<Callee> {
        let local = self.hir(at).local(id);
        let mut around = std::iter::successors(Some(at.scope), |&scope| self.scopes[scope].parent);
        let scope = around.find(|&scope| self.scopes[scope].of == local.scope)?;
        match self.scopes[scope].slots.get(local.index)? {
            Slot::Function(function) => Some(*function),
            _ => None,
        }
    }

    /// A call of what is known.
    fn call_of(&mut self, at: &At, callee: &Ident, call: &Call) -> Val {
        match call.callee {
            Callee::Broken | Callee::Local(_) => Val::Broken,
            Callee::Builtin(builtin) => self.builtin(at, builtin, &call.args),
            Callee::Definition(def) => match self.files().definition(def).kind {
                DefinitionKind::Def => self.inline_def(at, def, callee, call),
                DefinitionKind::Effect => self.inline_effect(at, def, callee, call),
                // Where it may be called it is a node, unless what is around it could not be unrolled.
                DefinitionKind::Instrument => Val::Broken,
            },
        }
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
        let Scope { calls, voice, instrument, port, copy, bins, .. } = self.scopes[caller];
        self.scopes.push(Scope {
            file: def.file,
            of,
            parent,
            calls: calls + 1,
            slots,
            voice,
            instrument,
            port,
            copy,
            bins,
            iterations: None,
        });
        self.scopes.len() - 1
    }

    fn inline_def(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Val {
        let path = self.path(at, callee);
        let scope = self.definition_scope(at.scope, def, |_| Slot::Absent);
        self.bind(at, (scope, &path), def, &call.args);
        self.body(scope, &path, &self.files().definition(def).body)
    }

    /// The arguments in the head of a definition: what a call at `at` gives them, else their defaults.
    fn bind(&mut self, at: &At, (scope, path): (ScopeId, &Arc<str>), def: DefId, args: &[Option<ExprId>]) {
        let definition = self.files().definition(def);
        let expected = self.song.library.formals(self.files(), def);
        for (i, (formal, expected)) in definition.formals.iter().zip(&*expected).enumerate() {
            let function = args[i].and_then(|expr| match self.hir(at).name(expr) {
                Name::Function(function) => Some(function),
                Name::Local(id) => self.given_function(at, id),
                _ => None,
            });
            if let Some(function) = function {
                self.scopes[scope].slots[i] = Slot::Function(function);
                continue;
            }
            let place = expected.as_ref().map(Expectation::of_formal);
            let (at, expr) = match (args[i], formal.default) {
                (Some(expr), _) => (at.clone(), expr),
                (None, Some(expr)) => (At { scope, path: path.clone() }, expr),
                (None, None) => continue,
            };
            self.scopes[scope].slots[i] = Slot::Argument { at, expr, place };
        }
    }

    /// The defaults of an effect's parameters that follow the tempo, where a call gives nothing else.
    fn bind_musical(&mut self, (scope, path): (ScopeId, &Arc<str>), def: DefId, info: &Info, call: &Call) {
        let definition = self.files().definition(def);
        let hir = resolved(self.files(), def.file);
        for &id in &hir.scope(self.scopes[scope].of).locals {
            let LocalKind::Param(index) = hir.local(id).kind else { continue };
            let (param, default) =
                (&info.params[index], definition.params().nth(index).map(|param| param.default));
            if let (Some(_), None, Some(expr)) = (param.musical, call.args[index], default) {
                let at = At { scope, path: path.clone() };
                let place = Some(Expectation::of_param(param));
                self.scopes[scope].slots[hir.local(id).index] = Slot::Argument { at, expr, place };
            }
        }
    }

    /// An effect inside a definition: its parameters are its arguments, and cannot be set from outside.
    fn inline_effect(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Val {
        let info = self.song.library.info(self.files(), def);
        let Some(input) = call.piped.or(call.more[0]) else { return Val::Broken };
        let given = |expr, place| Slot::Argument { at: at.clone(), expr, place };
        let defaults: Vec<Value> = info.params.iter().map(|param| self.b.f64(param.default)).collect();
        let scope = self.definition_scope(at.scope, def, |local| match local.kind {
            LocalKind::Param(index) => match call.args[index] {
                Some(expr) => given(expr, Some(Expectation::of_param(&info.params[index]))),
                None => Slot::Done(Val::signal_of(defaults[index], info.params[index].dimension)),
            },
            LocalKind::Input(index) => given(call.more[index + 1].unwrap_or(input), None),
            LocalKind::In => given(input, None),
            _ => Slot::Absent,
        });
        let path = self.path(at, callee);
        self.bind(at, (scope, &path), def, &call.fixed);
        self.bind_musical((scope, &path), def, &info, call);
        let body: &Body = &self.files().definition(def).body;
        self.body(scope, &path, body)
    }

    /// Brings a value into a place: plain numbers are read in the place's unit, and it is kept in the range.
    pub(super) fn fit(&mut self, val: Val, place: &Expectation) -> Val {
        match val {
            Val::Signal(signal) => {
                let signal = self.converted(signal, place);
                Val::Signal(self.clamped(signal, place))
            }
            Val::List(elements) => {
                Val::List(elements.iter().map(|val| self.fit(val.clone(), place)).collect())
            }
            other => other, // A record may be handed on as it is.
        }
    }

    fn converted(&mut self, signal: Signal, place: &Expectation) -> Signal {
        let mut channels = signal.channels;
        if signal.dimension != place.dimension && place.scale != 1.0 {
            channels.iter_mut().for_each(|value| *value = self.b.scale(place.scale, *value));
        }
        Signal { channels, dimension: place.dimension }
    }

    fn clamped(&mut self, signal: Signal, place: &Expectation) -> Signal {
        let Some((least, most)) = place.clamps else { return signal };
        let mut channels = signal.channels;
        for value in channels.iter_mut() {
            if most.is_finite() {
                let most = self.b.f64(most);
                *value = self.b.real(Op::Min, [*value, most]);
            }
            if least.is_finite() {
                let least = self.b.f64(least);
                *value = self.b.real(Op::Max, [*value, least]);
            }
        }
        Signal { channels, ..signal }
    }
}
