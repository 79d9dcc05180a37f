//! Where a song's instruments and parameters are: what the names of a score mean.

use crate::files::Files;
use crate::graph::{Given, Graph, NodeId, Protocol, operands};
use crate::hir::DefId;
use crate::hir::consts::Consts;
use crate::hir::kits::is_kit;
use crate::json;
use crate::library::{Library, ParamInfo};
use crate::lower::Lowered;
use crate::score::Remainder;
use mam_grammar::ast::{Body, DefinitionKind, Expr, Formal, ItemKind, equation, equations};
use mam_runtime::ids::{ParamId, PortId};
use mam_runtime::sort::Sort;
use mam_runtime::{MidiRole, Miss, NoteSignal, Outside, Sent, Spelling, Target};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The instruments of a song, and the names that lead to them: all but [`Bindings::remainder`] is known before it is lowered.
pub struct Bindings<'a> {
    files: &'a Files,
    library: &'a Library,
    song: usize,
    graph: &'a Graph,
    lowered: &'a Lowered,
    /// The instruments, in the order of the program's targets.
    pub targets: Vec<Target>,
    index: FxHashMap<NodeId, usize>,
    /// The same, by the paths of their nodes.
    by_path: FxHashMap<&'a str, usize>,
    /// What each definition reads of its notes.
    reads: FxHashMap<DefId, Reads>,
}

/// What an instrument's definition reads of its notes.
#[derive(Clone, Copy)]
struct Reads {
    /// Their frequencies or numbers.
    pitch: bool,
    /// Their numbers.
    number: bool,
}

impl<'a> Bindings<'a> {
    /// The bindings of a lowered song.
    pub fn new(
        (files, library, song): (&'a Files, &'a Library, usize),
        graph: &'a Graph,
        lowered: &'a Lowered,
    ) -> Bindings<'a> {
        let (targets, index, by_path, reads) =
            (vec![], FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
        let mut bindings = Bindings { files, library, song, graph, lowered, targets, index, by_path, reads };
        let names = first_names(graph);
        let mut nodes: Vec<NodeId> = graph.targets.values().copied().collect();
        nodes.extend(graph.nodes.handles().filter(|&n| bindings.is_instrument(n)));
        nodes.put_in_order();
        nodes.dedup();
        for node in nodes {
            if let Some(instance) = graph.instance(node) {
                let def = instance.def;
                let read = || Reads { pitch: uses_note(files, def), number: reads_numbers(files, def) };
                bindings.reads.entry(def).or_insert_with(read);
            }
            bindings.index.insert(node, bindings.targets.len());
            bindings.by_path.entry(&graph.nodes[node].path).or_insert(bindings.targets.len());
            bindings.targets.push(bindings.describe(node, names.get(&node).copied()));
        }
        bindings
    }

    /// What the definition of one of the instruments reads.
    fn reads(&self, def: DefId) -> Reads {
        self.reads[&def]
    }

    fn is_instrument(&self, node: NodeId) -> bool {
        let kind = |def| self.files.definition(def).kind;
        self.graph.instance(node).is_some_and(|i| kind(i.def) == DefinitionKind::Instrument)
    }

    /// The instrument of a node, to which `name` leads, if any does.
    fn describe(&self, node: NodeId, name: Option<&Arc<str>>) -> Target {
        let voices = self.graph.instance(node).map_or(1, |i| i.voices as usize);
        let info = self.graph.instance(node).map(|i| self.library.info(self.files, i.def));
        let name = name.unwrap_or(&self.graph.nodes[node].path);
        let midi = self.graph.instance(node).zip(info.as_ref()).map(|(instance, info)| MidiRole {
            name: name.clone(),
            definition: self.files.definition(instance.def).name.name.clone(),
            keys: info.midi_keys.clone(),
            programs: info.midi_programs.clone(),
            pitched: self.pitched(node),
        });
        let implied = |name: &str| {
            let index = info.as_ref().and_then(|info| info.implied(name)).unwrap_or_default();
            ParamId::new(self.lowered.slots.slot_of(node, index))
        };
        let (bpm, looped) = (implied("bpm"), implied("loop"));
        let given = self.graph.instance(node).and_then(|instance| instance.default_note);
        Target {
            name: self.graph.nodes[node].path.clone(),
            voices: (0..voices).map(|v| PortId::new(self.lowered.ports.voice(node, v))).collect(),
            monitor: self.lowered.ports.monitor_of(node).map(PortId::new),
            default_note: given.unwrap_or_else(|| info.map_or(60.0, |info| info.default_note)),
            midi: midi.unwrap_or_default(),
            bpm,
            looped,
            note_params: vec![],
            outside: None,
            sent: vec![],
            priority: self.graph.instance(node).and_then(|instance| instance.priority),
        }
    }

    /// The instrument that a name leads to: its index among the targets, and its node.
    pub fn instrument(&self, name: &str) -> Option<(usize, NodeId)> {
        let node = *self.graph.targets.get(name)?;
        Some((self.index[&node], node))
    }

    /// The index of the instrument of a node among the targets.
    pub fn target_at(&self, node: NodeId) -> Option<usize> {
        self.index.get(&node).copied()
    }

    /// The slot of a parameter, by the rule for all names.
    ///
    /// # Errors
    /// Whether there is nothing of this name, or more than one.
    pub fn slot(&self, name: &str) -> Result<ParamId, Miss> {
        self.lowered.slots.names().find(name, Spelling::Exact)
    }

    /// What lines move of the notes of an instrument that a name leads to, and of a machine outside, beside its parameters.
    pub fn moved_by_lines(&self, name: &str) -> Vec<String> {
        let Some((_, node)) = self.instrument(name) else { return vec![] };
        let signals = NoteSignal::ALL.into_iter().map(Sent::Note);
        let midi = matches!(self.graph.instance(node).and_then(|i| i.plays_outside), Some(Protocol::Midi));
        let controls = (0..128).map(Sent::Control);
        let machine = midi.then(|| [Sent::Program].into_iter().chain(controls)).into_iter().flatten();
        signals.chain(machine).map(|sent| format!("{name}.{}", sent.name())).collect()
    }

    /// Names of the parameters that can be set by the name of an equation.
    pub fn params(&self, name: &str) -> Vec<String> {
        self.lowered.slots.names().known(name)
    }

    /// The instrument that a slot belongs to, itself or as an effect of its pipe.
    pub fn target_of(&self, slot: ParamId) -> Option<usize> {
        let name = self.slot_name(slot);
        name.match_indices('.').filter_map(|(point, _)| self.by_path.get(&name[..point]).copied()).min()
    }

    /// The instrument that a name leads to, if a slot is one of its own parameters: not of an effect behind it.
    pub fn owner(&self, name: &str, slot: ParamId) -> Option<usize> {
        let (target, node) = self.instrument(name)?;
        let first = self.lowered.slots.slot_of(node, 0);
        let own = first..first + self.graph.instance(node)?.slots();
        own.contains(&slot.index()).then_some(target)
    }

    /// All instruments, in the order of the targets: the index of each among those, and its node.
    pub fn instruments(&self) -> Vec<(usize, NodeId)> {
        let mut all: Vec<_> = self.index.iter().map(|(&node, &target)| (target, node)).collect();
        all.put_in_order();
        all
    }

    /// The parameters that are signals of the notes of an instrument and that something delivers, with the instrument's index
    /// among the targets.
    pub fn signals(&self, target: usize, node: NodeId) -> Vec<(usize, NoteSignal, ParamId)> {
        let Some(instance) = self.graph.instance(node) else { return vec![] };
        let param = |signal| {
            let index = instance.signal(signal)?;
            Some((target, signal, ParamId::new(self.lowered.slots.slot_of(node, index))))
        };
        instance.signals.iter().filter_map(|&signal| param(signal)).collect()
    }

    /// What of the parameters of a machine outside goes there: those that have a controller, or all by name, and those that
    /// lines move.
    pub fn sent(&self, node: NodeId, outside: &Outside) -> Vec<(ParamId, Sent)> {
        let Some(instance) = self.graph.instance(node) else { return vec![] };
        let info = self.library.info(self.files, instance.def);
        let slot = |index: usize| ParamId::new(self.lowered.slots.slot_of(node, index));
        let own = info.params.iter().take(instance.args.len()).enumerate();
        let own = own.filter(|(_, param)| param.span.is_some() || param.is_place());
        let own = own.filter_map(|(index, param)| match outside {
            _ if param.is_place() => Some((slot(index), Sent::Pan)),
            Outside::Midi { .. } => Some((slot(index), Sent::Control(param.cc?))),
            Outside::Osc { .. } => Some((slot(index), Sent::Named(param.name.clone()))),
        });
        let lines = instance.signals.iter().map(|signal| Sent::Note(*signal));
        let lines = lines.chain(instance.sent.iter().cloned()).enumerate();
        own.chain(lines.map(|(place, sent)| (slot(instance.args.len() + place), sent))).collect()
    }

    /// Whether a slot of the instrument that a name leads to is an argument of its messages that is none of its parameters.
    pub fn is_argument(&self, name: &str, slot: ParamId) -> bool {
        let Some((_, node)) = self.instrument(name) else { return false };
        let Some(instance) = self.graph.instance(node) else { return false };
        let first = self.lowered.slots.slot_of(node, instance.args.len() + instance.signals.len());
        let place = slot.index().checked_sub(first);
        matches!(place.and_then(|place| instance.sent.get(place)), Some(Sent::Argument(_)))
    }

    /// The slot of a knob.
    pub fn knob(&self, name: &str) -> Option<ParamId> {
        self.graph.knobs.get(name).map(|&node| ParamId::new(self.lowered.slots.slot_of(node, 0)))
    }

    /// Every name that a line of the score may begin with: instruments, pipes with parameters, and knobs. The song's own
    /// result is not a target.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.graph.targets.keys().chain(self.graph.knobs.keys()).map(ToString::to_string).collect();
        let effects = self.graph.names.iter().filter(|&(_, &n)| self.graph.instance(n).is_some());
        names.extend(effects.map(|(name, _)| name.to_string()));
        names.retain(|name| name != "out");
        names.put_in_order();
        names.dedup();
        names
    }

    /// True when the name is an equation.
    pub fn is_signal(&self, name: &str) -> bool {
        self.graph.names.contains_key(name)
    }

    /// True when the name is the definition of an instrument, or a kit, that the song can see.
    pub fn is_playable_definition(&self, name: &str) -> bool {
        match self.files.find(self.song, name) {
            Some(def) => self.files.definition(def).kind == DefinitionKind::Instrument,
            None => is_kit(self.files, self.song, name),
        }
    }

    /// The instruments that are parts of what a name stands for: `d.bd` and `d.sd` of `d`, a kit's.
    pub fn parts(&self, name: &str) -> Vec<String> {
        let is_part = |own: &&Arc<str>| own.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let mut parts: Vec<String> =
            self.graph.targets.keys().filter(is_part).map(ToString::to_string).collect();
        parts.put_in_order();
        parts
    }

    /// The `def` with an argument of this name through which the signal of an equation flows, or what begins with it, with the
    /// argument.
    pub fn formal_behind(&self, name: &str, argument: &str) -> Option<(&str, &Formal)> {
        let ast = &self.files.file(self.song).ast;
        equations(&ast.items).find_map(|(own, value)| {
            let (mut source, mut calls) = (value, Vec::new());
            loop {
                match &ast.exprs[source] {
                    Expr::Pipe { left, right } => {
                        calls.push(*right);
                        source = *left;
                    }
                    Expr::Paren(inner) => source = *inner,
                    Expr::Name(first) if *first.name == *name => break,
                    _ if *own.name == *name => break,
                    _ => return None,
                }
            }
            calls.push(source);
            calls.into_iter().find_map(|call| {
                let Expr::Call { callee, .. } = &ast.exprs[call] else { return None };
                let def = self.files.definition(self.files.find(self.song, &callee.name)?);
                let formal = def.formals.iter().skip(1).find(|formal| *formal.name.name == *argument);
                (def.kind == DefinitionKind::Def).then_some((&*def.name.name, formal?))
            })
        })
    }

    /// Whether a parameter follows a signal of the song.
    pub fn is_driven(&self, slot: ParamId) -> bool {
        self.lowered.slots.is_driven(slot.index())
    }

    /// What a slot is.
    pub fn info(&self, slot: ParamId) -> &ParamInfo {
        self.lowered.slots.info(slot.index())
    }

    /// What only the lowered song says of its score.
    pub fn remainder(&self) -> Remainder {
        let starts = (0..self.targets.len()).filter(|&target| !self.loops(target)).collect();
        let slots = &self.lowered.slots;
        Remainder { starts, musical: slots.musical_slots(), following: slots.following_tempo().collect() }
    }

    /// Path of a slot.
    pub fn slot_name(&self, slot: ParamId) -> &str {
        self.lowered.slots.name(slot.index())
    }

    /// True for an instrument that triggers itself from the start.
    fn loops(&self, target: usize) -> bool {
        let value = |slot: ParamId| self.lowered.slots.info(slot.index()).default;
        value(self.targets[target].looped) != 0.0 && value(self.targets[target].bpm) > 0.0
    }

    /// True for an instrument that triggers itself, from the start or because the score says so by one of the slots `set`.
    pub fn triggers_itself(&self, target: usize, set: &rustc_hash::FxHashSet<ParamId>) -> bool {
        let Target { bpm, looped, .. } = self.targets[target];
        self.loops(target) || set.contains(&bpm) || set.contains(&looped)
    }

    /// Whether the instrument reads the numbers of its notes, and not their frequencies alone.
    pub fn numbered(&self, node: NodeId) -> bool {
        self.graph.instance(node).is_some_and(|i| self.reads(i.def).number)
    }

    /// Into how many pieces an instrument cuts its sound that its notes number: what its argument `slices` is, where that is known.
    pub fn pieces(&self, node: NodeId) -> Option<f64> {
        let instance = self.graph.instance(node).filter(|_| self.numbered(node))?;
        let formals = &self.files.definition(instance.def).formals;
        let at = formals.iter().position(|formal| &*formal.name.name == "slices")?;
        let (file, expr) = match instance.fixed.get(at).copied().flatten() {
            Some(Given::Number(expr)) => (self.song, expr),
            Some(_) => return None,
            None => (instance.def.file, formals[at].default?),
        };
        Consts::default().number(self.files, file, expr, &[]).ok().map(|(pieces, _)| pieces.round())
    }

    /// The name of the definition of an instrument.
    pub fn definition(&self, node: NodeId) -> Arc<str> {
        let instance = self.graph.instance(node);
        instance.map_or_else(Arc::default, |i| self.files.definition(i.def).name.name.clone())
    }

    /// Whether the instrument's sound depends on its note.
    pub fn pitched(&self, node: NodeId) -> bool {
        self.graph.instance(node).is_some_and(|i| i.plays_outside.is_some() || self.reads(i.def).pitch)
    }
}

/// A name that leads to each instrument; of several always the same: its own, if it has one, else the first in the alphabet.
fn first_names(graph: &Graph) -> FxHashMap<NodeId, &Arc<str>> {
    let mut names: FxHashMap<NodeId, &Arc<str>> = FxHashMap::default();
    for (name, &node) in &graph.targets {
        let path = &graph.nodes[node].path;
        let first = names.entry(node).or_insert(name);
        if (name != path, name) < (*first != path, *first) {
            *first = name;
        }
    }
    names
}

impl json::Bindings for Bindings<'_> {
    fn target(&self, name: &str) -> Option<usize> {
        self.instrument(name).map(|(index, _)| index)
    }

    /// In JSON a name is the node itself: of an effect that an instrument flows into, the effect.
    fn param(&self, name: &str, param: &str) -> Option<ParamId> {
        let callee = &self.graph.instance(*self.graph.names.get(name)?)?.callee;
        self.lowered.slots.names().long(name, &callee.name, param, Spelling::Exact).ok()
    }
}

/// True when the body of an instrument names its note.
pub(crate) fn uses_note(files: &Files, def: DefId) -> bool {
    names(files, def, &["freq", "note"])
}

/// True when how long its notes are held may matter to an instrument: its body names `gate`.
pub(crate) fn uses_gate(files: &Files, def: DefId) -> bool {
    names(files, def, &["gate"])
}

/// Whether an instrument reads the numbers of its notes.
pub fn reads_numbers(files: &Files, def: DefId) -> bool {
    names(files, def, &["note"])
}

/// True when the body of a definition has one of some names, and no equation of its own for it.
fn names(files: &Files, def: DefId, wanted: &[&str]) -> bool {
    let ast = &files.file(def.file).ast;
    let Body::Items(items) = &files.definition(def).body else { return false };
    let wanted: Vec<&str> = wanted.iter().copied().filter(|name| equation(items, name).is_none()).collect();
    let mut open: Vec<_> = items
        .iter()
        .filter_map(|i| match i.kind {
            ItemKind::Equation { value, .. } | ItemKind::Until(value) => Some(value),
            _ => None,
        })
        .collect();
    while let Some(expr) = open.pop() {
        let expr = &ast.exprs[expr];
        // How a note is pressed says nothing of its pitch.
        if let Expr::Field { of, field } = expr
            && matches!(&ast.exprs[*of], Expr::Name(name) if &*name.name == "note")
            && NoteSignal::named(&field.name).is_some()
        {
            continue;
        }
        if matches!(expr, Expr::Name(name) if wanted.contains(&&*name.name)) {
            return true;
        }
        open.extend(operands(expr));
    }
    false
}
