//! Fields: parts of a value, and events of an instrument.

use super::names::Scope;
use super::node::event_field;
use super::value::Val;
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::graph::{NodeId, is_event};
use crate::hir::{FILE, Name, VoiceSignal};
use crate::ir::PortField;
use mam_grammar::ast::{BinaryOp, ExprId, Ident};
use mam_runtime::NoteSignal;

impl Lower<'_, '_> {
    pub(super) fn field(&mut self, at: &At, of: ExprId, field: &Ident) -> Val {
        if let Some(signal) = self.hir(at).voice_signal(of, &field.name) {
            return self.voice_signal(at, signal);
        }
        if let Some(signal) = self.hir(at).note_signal(of, &field.name) {
            return self.note_signal(at, signal);
        }
        match self.target(at, of).filter(|_| is_event(&field.name)) {
            Some(target) => self.event_field(target, field),
            None => {
                let val = self.eval(at, of);
                self.part(&val, &field.name)
            }
        }
    }

    /// A part of a value.
    pub(super) fn part(&mut self, val: &Val, field: &str) -> Val {
        let buffer = match val {
            Val::Buffer(buffer) => buffer,
            Val::Recording(recording) => return self.part_of_recording(recording, field),
            val => return val.part(field),
        };
        let (frames, rate) = (buffer.samples.frames() as f64, f64::from(buffer.samples.rate));
        let (value, dimension) = match field {
            "frames" => (frames, Dimension::PLAIN),
            "rate" => (rate, Dimension::FREQUENCY),
            _ => (frames / rate, Dimension::TIME),
        };
        Val::signal_of(self.b.f64(value), dimension)
    }

    /// The instrument of the song that an expression names.
    fn target(&self, at: &At, of: ExprId) -> Option<NodeId> {
        let hir = self.hir(at);
        let Name::Local(id) = hir.name(of) else { return None };
        let local = hir.local(id);
        self.song.graph.targets.get(&local.name).copied().filter(|_| local.scope == FILE)
    }

    /// `bd.trig`, where `bd` is a playable name of the song.
    fn event_field(&mut self, target: NodeId, field: &Ident) -> Val {
        let field = match &*field.name {
            "trig" => PortField::Trig,
            "gate" => PortField::Gate,
            "freq" => PortField::Freq,
            "note" => PortField::Note,
            _ => PortField::Vel,
        };
        let port = self.song.ports.monitor(target);
        let val = self.event(port, field);
        if field == PortField::Freq { self.bent(val, target, None) } else { val }
    }

    /// A signal of the voice to which something is given.
    fn voice_signal(&mut self, at: &At, signal: VoiceSignal) -> Val {
        let Scope { port, instrument, .. } = self.scopes[at.scope];
        let (Some(port), Some((node, voice))) = (port, instrument) else { return Val::Broken };
        let (val, name) = match signal {
            VoiceSignal::Note(signal) => return self.note_signal(at, signal),
            VoiceSignal::Random => (self.drawn(node, voice, at), "random"),
            VoiceSignal::Event(event) => {
                let Some(field) = event_field(event) else { return Val::Broken };
                let val = self.event(port, field);
                (if field == PortField::Freq { self.bent(val, node, voice) } else { val }, event)
            }
        };
        self.raise(at, &val, None, self.scopes[at.scope].copy, name)
    }

    /// The number that a voice draws at each of its notes, once.
    fn drawn(&mut self, node: NodeId, voice: Option<usize>, at: &At) -> Val {
        if let Some(val) = self.drawn.get(&(node, voice)) {
            return val.clone();
        }
        let own = &self.song.graph.nodes[node].path;
        let path = match voice {
            Some(voice) if voice > 0 => format!("{own}#{}.voice", voice + 1),
            _ => format!("{own}.voice"),
        };
        // That of the song's frames, wherever it is named.
        let mut scope = at.scope;
        while let Some(parent) = self.scopes[scope].parent.filter(|_| self.scopes[scope].copy.is_some()) {
            scope = parent;
        }
        let val = self.random(&At { scope, path: path.into() }, None);
        self.drawn.insert((node, voice), val.clone());
        val
    }

    /// A signal of the note of the voice that is lowered.
    fn note_signal(&mut self, at: &At, signal: NoteSignal) -> Val {
        let Some((node, voice)) = self.scopes[at.scope].instrument else { return Val::Broken };
        let val = match self.delivered(node, voice, signal) {
            Some(val) => val,
            None => Val::plain(self.b.f64(signal.default())),
        };
        self.raise(at, &val, None, self.scopes[at.scope].copy, signal.name())
    }

    /// A signal of an instrument's notes where something delivers it; of a voice, its share.
    fn delivered(&mut self, node: NodeId, voice: Option<usize>, signal: NoteSignal) -> Option<Val> {
        let index = self.song.graph.instance(node)?.signal(signal)?;
        let slot = self.song.slots.slot_of(node, index);
        let slot = voice.map_or(slot, |voice| self.song.slots.share(slot, voice));
        Some(Val::plain(self.param(slot)))
    }

    /// The frequency of an instrument's note with its bend.
    pub(super) fn bent(&mut self, frequency: Val, node: NodeId, voice: Option<usize>) -> Val {
        match self.delivered(node, voice, NoteSignal::Bend) {
            Some(bend) => self.binary(BinaryOp::Mul, frequency, bend),
            None => frequency,
        }
    }
}
