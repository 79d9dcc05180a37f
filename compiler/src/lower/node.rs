//! Instruments and effects of the song: their parameters, events, and where they fall silent.

use super::builder::FormKind;
use super::calls::expectation_of;
use super::names::{Expectation, Scope, ScopeId, Slot};
use super::remembered::Forms;
use super::value::{NodeVal, Signal, Val};
use super::{At, Lower, Song};
use crate::codes;
use crate::graph::{Given, Instance, NodeId, NodeKind};
use crate::hir::resolve::resolved;
use crate::hir::{Local, LocalKind};
use crate::ir::{Imm, PortField, PortId, Voice};
use crate::library::ParamInfo;
use mam_grammar::ast::{BinaryOp, Body, DefinitionKind, ExprId, ItemKind};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::FxHashSet;
use std::sync::Arc;

impl Song<'_> {
    /// Gives the parameters of an instance their values at the start, beside its kernel: that does not depend on the
    /// numbers. The result is what is wrong with them, and how many expressions were evaluated.
    pub(super) fn starts(
        &mut self,
        node: NodeId,
        instance: &Instance,
        members: &FxHashSet<NodeId>,
    ) -> (Problems, usize) {
        let mut forms = Forms::default();
        let mut lower = Lower::new(self, members, &mut forms, "", FormKind::Steady);
        lower.start_values(node, instance);
        (lower.problems, lower.evaluations)
    }
}

impl Lower<'_, '_> {
    /// The signal of an instance that belongs to this kernel.
    pub(super) fn instance(&mut self, node: NodeId) -> Val {
        let graph = self.song.graph;
        let instance = graph.instance(node).expect("the node is an instance").clone();
        let path = graph.nodes[node].path.clone();
        let (problems, evaluations) = self.song.starts(node, &instance, self.members);
        self.problems.extend(problems);
        self.evaluations += evaluations;
        let before = self.problems.len();
        let val = match self.files().definition(instance.def).kind {
            DefinitionKind::Effect => self.effect(node, &instance, &path),
            _ if self.is_one_voice() => self.voice(node, &instance, &path, 0),
            _ => self.all_voices(node, &instance, &path),
        };
        // Who calls an instance is the song.
        self.blame_call(0, &instance.callee, before);
        val
    }

    /// True when this kernel is one instrument's voice and nothing else: then each voice is a call of its own.
    fn is_one_voice(&self) -> bool {
        self.members.len() == 1
    }

    /// All voices of an instrument in one kernel, because it is part of a feedback cycle.
    fn all_voices(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Val {
        let span = instance.callee.span;
        let mut total: Option<Val> = None;
        for v in 0..instance.voices as usize {
            let own: Arc<str> = if v == 0 { path.clone() } else { format!("{path}#{}", v + 1).into() };
            let val = self.voice(node, instance, &own, v);
            let port = Self::local(&mut self.ports, self.song.ports.voice(node, v));
            let active = self.b.port(port, PortField::Active);
            let Some(signal) = self.signal(val, span) else { return Val::Broken };
            // A voice that sleeps inside a kernel that runs is masked: its state begins anew when it wakes.
            let masked = self.each(&[&signal], signal.dimension, |b, v| {
                let silence = b.f64(0.0);
                b.select(active, v[0], silence)
            });
            total = Some(match total {
                None => masked,
                Some(before) => self.binary(BinaryOp::Add, (before, span), (masked, span)),
            });
        }
        total.unwrap_or(Val::Broken)
    }

    fn voice(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>, voice: usize) -> Val {
        let port = self.song.ports.voice(node, voice);
        let scope = self.instance_scope(instance, |local| match local.kind {
            LocalKind::Param(index) => Slot::Param(node, index),
            LocalKind::Event => {
                event_field(&local.name).map_or(Slot::Absent, |field| Slot::Event(port, field))
            }
            _ => Slot::Absent,
        });
        // Voices that never fall silent own nothing: there is nothing to reset.
        let sleeps = self.until_expr(instance).is_some();
        let index = self.voices.len();
        self.scopes[scope].port = Some(port);
        self.scopes[scope].voice = sleeps.then_some(index);
        if sleeps {
            let port = PortId::new(Self::local(&mut self.ports, port));
            (self.b.voice, self.b.copy) = (Some(index), None);
            let (until, _) = self.b.state(&format!("{path}.until"), Imm::Bool(false));
            self.voices.push(Voice { port, until, states: 0..0, every: 1, delays: 0..0 });
        }
        let val = self.instance_body(scope, instance, path);
        if let Some(until) = self.until(scope, instance, path) {
            self.b.set(self.voices[index].until, until);
        }
        val
    }

    /// The expression that says when a voice has fallen silent.
    fn until_expr(&self, instance: &Instance) -> Option<ExprId> {
        let Body::Items(items) = &self.files().definition(instance.def).body else { return None };
        items.iter().find_map(|i| match i.kind {
            ItemKind::Until(expr) => Some(expr),
            _ => None,
        })
    }

    fn until(&mut self, scope: ScopeId, instance: &Instance, path: &Arc<str>) -> Option<crate::ir::Value> {
        let expr = self.until_expr(instance)?;
        let at = At { scope, path: format!("{path}.until").into() };
        let val = self.eval(&at, expr);
        let span = self.span(&at, expr);
        let (value, _) = self.mono(val, span)?;
        Some(self.b.truth(value))
    }

    fn effect(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Val {
        let silence = self.b.f64(0.0);
        let input = instance.input.map_or(Slot::Done(Val::plain(silence)), Slot::Given);
        let scope = self.instance_scope(instance, |local| match local.kind {
            LocalKind::Param(index) => Slot::Param(node, index),
            LocalKind::In => input.clone(),
            LocalKind::Input(index) => {
                let given = instance.inputs.get(index).copied().flatten();
                given.map_or_else(|| input.clone(), Slot::Given)
            }
            _ => Slot::Absent,
        });
        self.instance_body(scope, instance, path)
    }

    fn instance_scope(&mut self, instance: &Instance, slot: impl Fn(&Local) -> Slot) -> ScopeId {
        self.definition_scope(0, instance.def, slot)
    }

    fn instance_body(&mut self, scope: ScopeId, instance: &Instance, path: &Arc<str>) -> Val {
        let definition = self.files().definition(instance.def);
        let val = self.body(scope, path, &definition.body);
        if !self.files().is_prelude(instance.def.file) {
            self.check_params(scope);
        }
        val
    }

    /// What is given to a parameter that the body does not use is checked all the same.
    fn check_params(&mut self, scope: ScopeId) {
        let Scope { file, of, .. } = self.scopes[scope];
        let hir = resolved(self.files(), file);
        for local in hir.scope(of).locals.iter().map(|&id| hir.local(id)) {
            if matches!(local.kind, LocalKind::Param(_)) && local.span.is_some() {
                self.slot(scope, local.index);
            }
        }
    }

    /// The value of a parameter of an instance, or of a knob.
    pub(super) fn param_value(&mut self, node: NodeId, index: usize) -> Val {
        let graph = self.song.graph;
        let slot = self.song.slots.slot_of(node, index);
        let info = self.song.slots.info(slot).clone();
        let value = match &graph.nodes[node].kind {
            NodeKind::Instance(instance) => match instance.args[index] {
                Some(given) => return self.given(given, slot, &instance.callee.name, &info),
                None => self.param(slot),
            },
            _ => self.param(slot),
        };
        Val::mono(value, info.dimension)
    }

    /// A constant given to a parameter is its value at the start, whether the body uses it or not.
    fn start_values(&mut self, node: NodeId, instance: &Instance) {
        for (index, &given) in instance.args.iter().enumerate() {
            let Some(given) = given else { continue };
            let slot = self.song.slots.slot_of(node, index);
            let info = self.song.slots.info(slot).clone();
            let place = expectation_of(&info, &instance.callee.name);
            let span = self.given_span(given);
            if self.is_constant(given) {
                let unlimited = Expectation { min: f64::NEG_INFINITY, max: f64::INFINITY, ..place.clone() };
                let val = self.given_value(given);
                let val = self.fit(val, span, &unlimited);
                self.start(slot, val, span, &place);
            } else if info.span.is_none() {
                let message = format!("`{}` of `{}` cannot follow a signal", info.name, instance.callee);
                let help =
                    "it decides when notes begin, which is known before there is sound: give it a number";
                self.problems.add(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
            }
        }
    }

    fn given_span(&self, given: Given) -> Span {
        let graph = self.song.graph;
        match given {
            Given::Node(node) => graph.nodes[node].span,
            Given::Number(expr) => self.files().file(self.song.file).ast.span(expr),
        }
    }

    fn is_constant(&self, given: Given) -> bool {
        match given {
            Given::Number(_) => true,
            Given::Node(node) if self.members.contains(&node) => false,
            Given::Node(node) => matches!(self.song.results[node.index()], Some(NodeVal::Const(..))),
        }
    }

    fn start(&mut self, slot: usize, val: Val, span: Span, place: &Expectation) {
        let Some((value, _)) = self.mono(val, span) else { return };
        let Some(x) = self.b.constant(value) else { return };
        if x < place.min || x > place.max {
            self.problems.add(self.out_of_range(x, span, place));
        }
        self.song.slots.start(slot, x.clamp(place.min, place.max));
    }

    /// A constant given to a parameter can be changed later; a signal is followed.
    fn given(&mut self, given: Given, slot: usize, callee: &Arc<str>, info: &ParamInfo) -> Val {
        if self.is_constant(given) {
            let value = self.param(slot);
            return Val::mono(value, info.dimension);
        }
        let span = self.given_span(given);
        let val = self.given_value(given);
        let val = self.fit(val, span, &expectation_of(info, callee));
        match self.mono(val, span) {
            Some((value, dimension)) => Val::mono(value, dimension),
            None => Val::Broken,
        }
    }

    /// The whole result as f32 signals, one a channel.
    pub(super) fn audio(&mut self, signal: &Signal) -> Vec<crate::ir::Value> {
        signal.channels.iter().map(|&v| self.b.audio(v)).collect()
    }
}

/// The field of an event port that a name of an instrument stands for.
fn event_field(name: &str) -> Option<PortField> {
    Some(match name {
        "trig" => PortField::Trig,
        "gate" => PortField::Gate,
        "freq" => PortField::Freq,
        "note" => PortField::Note,
        "vel" => PortField::Vel,
        _ => return None,
    })
}
