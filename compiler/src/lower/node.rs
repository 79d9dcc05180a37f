//! Instruments and effects of the song: their parameters, events, and where they fall silent.

use super::names::{Expectation, ScopeId, Slot};
use super::value::{NodeVal, Signal, Val};
use super::{At, Lower};
use crate::graph::{Given, Instance, NodeId, NodeKind, Voiced};
use crate::hir::builtins::{CHOKED, PAN};
use crate::hir::{Local, LocalKind};
use crate::ir::{Imm, PortField, PortId, Voice};
use crate::library::ParamInfo;
use mam_grammar::ast::{BinaryOp, Body, DefinitionKind, ExprId, ItemKind};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Of which voice something is evaluated.
#[derive(Clone, Copy)]
struct VoicePlace {
    /// The port at which its events arrive.
    port: usize,
    /// The instrument, and which of its voices where the kernel has several.
    instrument: (NodeId, Option<usize>),
    /// The voice, counted through the kernel, where it falls silent.
    voice: Option<usize>,
}

impl Lower<'_, '_> {
    /// The signal of an instance that belongs to this kernel.
    pub(super) fn instance(&mut self, node: NodeId) -> Val {
        let graph = self.song.graph;
        let instance = graph.instance(node).expect("the node is an instance").clone();
        let path = graph.nodes[node].path.clone();
        match self.files().definition(instance.def).kind {
            DefinitionKind::Effect => self.effect(node, &instance, &path),
            _ if self.is_one_voice() => self.voice(node, &instance, &path, 0),
            _ => self.all_voices(node, &instance, &path),
        }
    }

    /// True when this kernel is one instrument's voice and nothing else: then each voice is a call of its own.
    fn is_one_voice(&self) -> bool {
        self.members.len() == 1
    }

    /// All voices of an instrument in one kernel, because it is part of a feedback cycle.
    fn all_voices(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Val {
        let mut total: Option<Val> = None;
        for v in 0..instance.voices as usize {
            let own: Arc<str> = if v == 0 { path.clone() } else { format!("{path}#{}", v + 1).into() };
            let val = self.voice(node, instance, &own, v);
            let port = Self::local(&mut self.ports, self.song.ports.voice(node, v));
            let active = self.b.port(port, PortField::Active);
            let Some(signal) = val.signal() else { return Val::Broken };
            // A voice that sleeps inside a kernel that runs is masked: its state begins anew when it wakes.
            let masked = self.each(&[&signal], signal.dimension, |b, v| {
                let silence = b.f64(0.0);
                b.select(active, v[0], silence)
            });
            total = Some(match total {
                None => masked,
                Some(before) => self.binary(BinaryOp::Add, before, masked),
            });
        }
        total.unwrap_or(Val::Broken)
    }

    fn voice(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>, voice: usize) -> Val {
        let port = self.song.ports.voice(node, voice);
        // Where each voice is a call, the calls say whose shares they read.
        let own = (!self.is_one_voice()).then_some(voice);
        // Voices that never fall silent own nothing: there is nothing to reset.
        let sleeps = self.until_expr(instance).is_some();
        let index = self.voices.len();
        let place = VoicePlace { port, instrument: (node, own), voice: sleeps.then_some(index) };
        let voiced = self.voiced(instance, path, place);
        let scope = self.instance_scope(instance, path, |local| match local.kind {
            LocalKind::Param(index) => match voiced.get(&index) {
                Some(given) => given.clone(),
                None => Slot::Param { node, index, voice: own },
            },
            LocalKind::Event => {
                event_field(&local.name).map_or(Slot::Absent, |field| Slot::Event(port, field))
            }
            _ => Slot::Absent,
        });
        self.stand_in(scope, place);
        if sleeps {
            let port = PortId::new(Self::local(&mut self.ports, port));
            (self.b.voice, self.b.copy) = (Some(index), None);
            let (until, _) = self.b.state(&format!("{path}.until"), Imm::Bool(false));
            self.voices.push(Voice { port, until, states: 0..0, every: 1, delays: 0..0 });
        }
        let val = self.instance_body(scope, instance, path);
        let val = self.choked(scope, instance, path, val);
        let position = match voiced.get(&instance.args.len().saturating_sub(1)) {
            Some(given) => given.clone(),
            None => Slot::Param { node, index: instance.args.len().saturating_sub(1), voice: own },
        };
        let val = if instance.placed { self.placed(scope, position, path, val) } else { val };
        if let Some(until) = self.until(scope, instance, path) {
            let latest =
                val.clone().signal().and_then(|s| s.channels.iter().filter_map(|&v| self.b.late(v)).max());
            (self.b.voice, self.b.copy) = (Some(index), None);
            let until = latest.map_or(until, |latest| self.b.as_late(until, latest));
            self.b.set(self.voices[index].until, until);
        }
        val
    }

    /// Says of which voice a scope is.
    fn stand_in(&mut self, scope: ScopeId, place: VoicePlace) {
        let scope = &mut self.scopes[scope];
        (scope.port, scope.instrument, scope.voice) = (Some(place.port), Some(place.instrument), place.voice);
    }

    /// What is given to parameters of an instrument and is computed for each of its voices, by the places of the parameters.
    fn voiced(&mut self, instance: &Instance, path: &Arc<str>, place: VoicePlace) -> FxHashMap<usize, Slot> {
        let info = self.song.library.info(self.files(), instance.def);
        let graph = self.song.graph;
        let mut slots = FxHashMap::default();
        for (index, given) in instance.args.iter().enumerate() {
            let Some(Given::Voice(voiced)) = *given else { continue };
            let Voiced { expr, iterations } = &graph.voiced[voiced];
            let param = &info.params[index];
            let own: Arc<str> = format!("{path}.{}", param.name).into();
            let scope = self.voice_scope(iterations, &own, |lower, scope| lower.stand_in(scope, place));
            let at = At { scope, path: own };
            let place = Some(Expectation::of_param(param));
            slots.insert(index, Slot::Argument { at, expr: *expr, place });
        }
        slots
    }

    /// A voice that notes of other parts of a kit end, by the prelude's `choked`.
    fn choked(&mut self, scope: ScopeId, instance: &Instance, path: &Arc<str>, val: Val) -> Val {
        let Some((choke, def)) = instance.choke.as_deref().zip(self.files().find_prelude(CHOKED)) else {
            return val;
        };
        let Some(port) = self.scopes[scope].port else { return val };
        let (own, trig) = (self.event(port, PortField::Trig), self.given_value(choke.trig));
        let given = [Some(val), Some(own), Some(trig), None];
        let scope = self.definition_scope(scope, def, |local| match local.kind {
            LocalKind::Formal(index) => given[index.min(3)].clone().map_or(Slot::Absent, Slot::Done),
            _ => Slot::Absent,
        });
        let path: Arc<str> = format!("{path}.{CHOKED}").into();
        let definition = self.files().definition(def);
        let place = self.song.library.formals(self.files(), def)[3].as_ref().map(Expectation::of_formal);
        self.scopes[scope].slots[3] = match (choke.time, definition.formals[3].default) {
            (Some(time), _) => {
                let val = self.given_value(time);
                Slot::Done(place.map_or(val.clone(), |place| self.fit(val, &place)))
            }
            (None, Some(expr)) => Slot::Argument { at: At { scope, path: path.clone() }, expr, place },
            (None, None) => Slot::Absent,
        };
        self.body(scope, &path, &definition.body)
    }

    /// A voice between left and right, by the prelude's `pan`.
    fn placed(&mut self, scope: ScopeId, position: Slot, path: &Arc<str>, val: Val) -> Val {
        let Some(def) = self.files().find_prelude(PAN) else { return val };
        let scope = self.definition_scope(scope, def, |local| match local.kind {
            LocalKind::Formal(0) => Slot::Done(val.clone()),
            LocalKind::Formal(_) => position.clone(),
            _ => Slot::Absent,
        });
        self.body(scope, &format!("{path}.{PAN}").into(), &self.files().definition(def).body)
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
        let (value, _) = self.eval(&at, expr).mono()?;
        Some(self.b.truth(value))
    }

    fn effect(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Val {
        let silence = self.b.f64(0.0);
        let input = instance.input.map_or(Slot::Done(Val::plain(silence)), Slot::Given);
        let scope = self.instance_scope(instance, path, |local| match local.kind {
            LocalKind::Param(index) => Slot::Param { node, index, voice: None },
            LocalKind::In => input.clone(),
            LocalKind::Input(index) => {
                let given = instance.inputs.get(index).copied().flatten();
                given.map_or_else(|| input.clone(), Slot::Given)
            }
            _ => Slot::Absent,
        });
        self.instance_body(scope, instance, path)
    }

    fn instance_scope(
        &mut self,
        instance: &Instance,
        path: &Arc<str>,
        slot: impl Fn(&Local) -> Slot,
    ) -> ScopeId {
        let scope = self.definition_scope(0, instance.def, slot);
        let expected = self.song.library.formals(self.files(), instance.def);
        let definition = self.files().definition(instance.def);
        for (i, (formal, expected)) in definition.formals.iter().zip(&*expected).enumerate() {
            let place = expected.as_ref().map(Expectation::of_formal);
            self.scopes[scope].slots[i] = match (instance.fixed[i], formal.default) {
                (Some(given), _) => {
                    let val = self.given_value(given);
                    Slot::Done(place.map_or(val.clone(), |place| self.fit(val, &place)))
                }
                (None, Some(expr)) => Slot::Argument { at: At { scope, path: path.clone() }, expr, place },
                (None, None) => Slot::Absent,
            };
        }
        scope
    }

    fn instance_body(&mut self, scope: ScopeId, instance: &Instance, path: &Arc<str>) -> Val {
        let definition = self.files().definition(instance.def);
        self.body(scope, path, &definition.body)
    }

    /// The value of a parameter of an instance, or of a knob; of a voice's share of it, where it has one. It is moved by what a
    /// matrix says.
    pub(super) fn param_value(&mut self, node: NodeId, index: usize, voice: Option<usize>) -> Val {
        let value = self.unmodulated(node, index, voice);
        self.modulated(node, index, value)
    }

    fn unmodulated(&mut self, node: NodeId, index: usize, voice: Option<usize>) -> Val {
        let graph = self.song.graph;
        let slot = self.song.slots.slot_of(node, index);
        let slot = voice.map_or(slot, |voice| self.song.slots.share(slot, voice));
        let info = self.song.slots.info(slot).clone();
        let value = match &graph.nodes[node].kind {
            NodeKind::Instance(instance) => match instance.args[index] {
                Some(given) => return self.given(given, slot, &info),
                None => self.param(slot),
            },
            _ => self.param(slot),
        };
        Val::signal_of(value, info.dimension)
    }

    fn is_constant(&self, given: Given) -> bool {
        match given {
            Given::Number(_) => true,
            Given::Voice(_) => false,
            Given::Node(node) if self.members.contains(&node) => false,
            Given::Node(node) => matches!(self.song.results[node.index()], Some(NodeVal::Const(..))),
        }
    }

    /// A constant given to a parameter can be changed later; a signal is followed.
    fn given(&mut self, given: Given, slot: usize, info: &ParamInfo) -> Val {
        if self.is_constant(given) {
            let value = self.param(slot);
            return Val::signal_of(value, info.dimension);
        }
        let val = self.given_value(given);
        self.fit(val, &Expectation::of_param(info))
    }

    /// The whole result as f32 signals, one a channel.
    pub(super) fn audio(&mut self, signal: &Signal) -> Vec<crate::ir::Value> {
        signal.channels.iter().map(|&v| self.b.audio(v)).collect()
    }
}

/// The field of an event port that a name of an instrument stands for.
pub(super) fn event_field(name: &str) -> Option<PortField> {
    Some(match name {
        "trig" => PortField::Trig,
        "slur" => PortField::Slur,
        "fresh" => PortField::Fresh,
        "gate" => PortField::Gate,
        "freq" => PortField::Freq,
        "note" => PortField::Note,
        "vel" => PortField::Vel,
        _ => return None,
    })
}
