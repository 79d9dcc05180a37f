//! Instances of the prelude are lowered once: two kicks differ in names, in the values that they begin with and in
//! the seeds of their noise, and in nothing else. What lowering made of the first is kept, with names that begin where
//! the node's own path ends, and every further one is made of it, in this compilation and in those that follow.
//!
//! That holds for a node by itself whose arguments are constants (they are values of parameters, whatever they are) and
//! whose only signal is what flows into it. The prelude never changes, and sees no name of the song.

use super::Song;
use super::block::Responses;
use super::group::Made;
use super::lowered::{DATA, SignalId};
use super::state::noise_seed;
use super::value::{NodeVal, Shape};
use crate::dimension::Dimension;
use crate::graph::{Given, Group, Instance, NodeId};
use crate::ir::{Body, Kernel};
use mam_grammar::Limits;
use mam_runtime::NoteSignal;
use mam_runtime::ids::ParamId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Instances as they were lowered, for one table of limits.
#[derive(Default)]
pub struct Templates {
    limits: Limits,
    all: FxHashMap<Key, Template>,
    /// The convolutions that were made.
    pub(super) responses: Responses,
}

/// What decides how an instance is lowered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The file of the definition, which is the prelude's.
    file: usize,
    /// Bits of the sample rate.
    rate: u64,
    /// Whether it has several voices: the kernel of one may be cut.
    several: bool,
    /// Whether it is placed between left and right.
    placed: bool,
    /// The signals of its notes that are delivered.
    signals: Vec<NoteSignal>,
    /// Channels and dimension of what flows in.
    input: Option<(usize, Dimension)>,
    /// Frames by which the channels of what flows in are late.
    late: Vec<u32>,
}

/// A lowered instance. Names of its kernel are what stands behind the node's path.
struct Template {
    kernel: Kernel,
    params: Vec<Param>,
    /// Which channels of what flows in are the kernel's inputs.
    inputs: Vec<usize>,
    /// Whether the kernel has a port: the voice's own.
    ports: usize,
    /// Signals counted from the first of the result.
    shape: Shape,
    /// Frames by which each of them is late.
    late: Vec<u32>,
    /// What it took.
    evaluations: usize,
    terms: usize,
}

/// What a parameter of a kernel is.
#[derive(Clone, Copy)]
enum Param {
    /// Of the node, by its place in the list.
    Own(usize),
    Beat,
    Bar,
}

/// Templates that are kept at most.
const MOST: usize = 1024;

impl Templates {
    /// Those that hold for these limits.
    pub(super) fn within(&mut self, limits: Limits) {
        if self.limits != limits || self.all.len() > MOST {
            let responses = std::mem::take(&mut self.responses);
            *self = Templates { limits, all: FxHashMap::default(), responses };
        }
    }
}

impl Song<'_> {
    /// What decides how a group is lowered, if it is an instance of the prelude that can be made of a template.
    pub(super) fn template_key(&self, group: &Group) -> Option<Key> {
        let graph = self.graph;
        let &[node] = &group.members[..] else { return None };
        let instance = graph.instance(node).filter(|i| self.files.is_prelude(i.def.file))?;
        let constant = |given: &Given| match given {
            Given::Number(_) => true,
            Given::Voice(_) => false,
            Given::Node(node) => matches!(self.results[node.index()], Some(NodeVal::Const(..))),
        };
        let plain = instance.args.iter().flatten().all(constant)
            && instance.inputs.iter().all(Option::is_none)
            && instance.choke.is_none()
            && instance.fixed.is_empty()
            && !graph.is_modulated(node);
        if group.feedback || graph.out == Some(node) || !plain {
            return None;
        }
        let mut late = vec![];
        let input = match instance.input {
            None => None,
            Some(_) => {
                let (signals, dimension) = self.flows_in(instance)?;
                late.extend(signals.iter().map(|signal| self.late.get(signal).copied().unwrap_or(0)));
                Some((signals.len(), dimension))
            }
        };
        let several = instance.voices > 1;
        Some(Key {
            file: instance.def.file,
            rate: self.rate.to_bits(),
            several,
            placed: instance.placed,
            signals: instance.signals.clone(),
            input,
            late,
        })
    }

    /// The signals that flow into an effect.
    fn flows_in(&self, instance: &Instance) -> Option<(&[SignalId], Dimension)> {
        let Given::Node(node) = instance.input? else { return None };
        match &self.results[node.index()] {
            Some(NodeVal::Shape(Shape::Signal(signals, dimension))) => Some((signals, *dimension)),
            _ => None,
        }
    }

    /// Lowers an instance by the template of its kind; by itself where there is none yet, which makes one. With `known`
    /// the bodies of its kernel are left out.
    pub(super) fn instance_of(&mut self, key: Key, node: NodeId, signals: usize, known: bool) -> Made {
        if let Some(made) = self.copy(&key, node, signals, known) {
            return made;
        }
        let path = self.path(node);
        let before = (self.evaluations, self.terms);
        let made = self.group(&path, &FxHashSet::from_iter([node]), &[node], signals);
        let taken = (self.evaluations - before.0, self.terms - before.1);
        if let Some(template) = self.template(&made, node, signals, taken) {
            self.templates.all.insert(key, template);
        }
        made
    }

    fn path(&self, node: NodeId) -> Arc<str> {
        self.graph.nodes[node].path.clone()
    }

    fn template(
        &self,
        made: &Made,
        node: NodeId,
        signals: usize,
        (evaluations, terms): (usize, usize),
    ) -> Option<Template> {
        let path = self.path(node);
        let instance = self.graph.instance(node)?;
        let [(_, NodeVal::Shape(shape))] = &made.results[..] else { return None };
        let tables = |body: &Body| body.insts.values().any(|inst| inst.op.table().is_some());
        let kernel = &made.kernel;
        if tables(&kernel.general) || tables(&kernel.steady) || !made.blocks.is_empty() {
            return None;
        }
        let (beat, bar) = self.slots.musical_slots();
        let own = instance.slots();
        let param = |slot: &usize| match slot.checked_sub(self.slots.slot_of(node, 0)) {
            Some(index) if index < own => Some(Param::Own(index)),
            _ if Some(ParamId::new(*slot)) == beat => Some(Param::Beat),
            _ if Some(ParamId::new(*slot)) == bar => Some(Param::Bar),
            _ => None,
        };
        let flow = self.flows_in(instance).map_or(&[][..], |(signals, _)| signals);
        let input = |signal: &SignalId| flow.iter().position(|flowing| flowing == signal);
        let port = |port: &usize| (*port == self.ports.voice(node, 0)).then_some(());
        let mut kernel = kernel.clone();
        renamed(&mut kernel, |name| behind(name, &path))?;
        Some(Template {
            kernel,
            params: made.params.iter().map(param).collect::<Option<_>>()?,
            inputs: made.inputs.iter().map(input).collect::<Option<_>>()?,
            ports: made.ports.iter().map(port).collect::<Option<Vec<_>>>()?.len(),
            shape: shape.moved(&|signal| signal - signals),
            late: made.late.clone(),
            evaluations,
            terms,
        })
    }

    fn copy(&mut self, key: &Key, node: NodeId, signals: usize, known: bool) -> Option<Made> {
        let path = self.path(node);
        let instance = self.graph.instance(node)?.clone();
        let template = self.templates.all.get(key)?;
        let (evaluations, terms) = (template.evaluations, template.terms);
        let limits = &self.files.limits;
        let all = self.evaluations + evaluations;
        if all > limits.all_evaluations || self.terms + terms > limits.all_turns {
            return None; // It is lowered, and so found to be too large.
        }
        let mut kernel = match known {
            true => template.kernel.without_bodies(),
            false => template.kernel.clone(),
        };
        renamed(&mut kernel, |name| Some(before(name, &path)))?;
        for state in kernel.states.handles() {
            let slot = &mut kernel.states[state];
            if slot.name.starts_with(DATA) {
                slot.init = noise_seed(self.seed, &slot.name);
            }
        }
        let (template_params, ports) = (template.params.clone(), template.ports);
        let shape = template.shape.moved(&|signal| signal + signals);
        let flow = self.flows_in(&instance).map_or(&[][..], |(signals, _)| signals);
        let inputs = template.inputs.iter().map(|&channel| flow[channel]).collect();
        let param = |param: &Param| match *param {
            Param::Own(index) => self.slots.slot_of(node, index),
            Param::Beat => self.slots.beat(),
            Param::Bar => self.slots.bar(),
        };
        let params: Vec<usize> = template_params.iter().map(param).collect();
        kernel.params = params.iter().map(|slot| self.slots.name(*slot).to_string()).collect();
        (self.evaluations, self.terms) = (self.evaluations + evaluations, self.terms + terms);
        let ports = vec![self.ports.voice(node, 0); ports];
        let result = (node, NodeVal::Shape(shape));
        Some(Made::again(kernel, (params, inputs, ports), result, template.late.clone()))
    }
}

/// Renames all that is named by the node's path.
fn renamed(kernel: &mut Kernel, name: impl Fn(&str) -> Option<String>) -> Option<()> {
    for state in kernel.states.handles() {
        kernel.states[state].name = name(&kernel.states[state].name)?;
    }
    for delay in kernel.delays.handles() {
        kernel.delays[delay].name = name(&kernel.delays[delay].name)?;
    }
    for output in &mut kernel.outputs {
        *output = name(output)?;
    }
    kernel.name = name(&kernel.name)?;
    Some(())
}

/// What stands behind the path in a name, with its mark if it is data.
fn behind(name: &str, path: &str) -> Option<String> {
    let (mark, name) = marked(name);
    let rest = name.strip_prefix(path).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
    Some(format!("{mark}{rest}"))
}

/// The name with the path before it.
fn before(rest: &str, path: &str) -> String {
    let (mark, rest) = marked(rest);
    format!("{mark}{path}{rest}")
}

fn marked(name: &str) -> (&str, &str) {
    name.split_at(if name.starts_with(DATA) { DATA.len() } else { 0 })
}
