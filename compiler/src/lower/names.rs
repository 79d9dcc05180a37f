//! Names: what they stand for while something is evaluated.

use super::copies::{Bins, InnerFrame};
use super::value::{NodeVal, Shape, Signal, Val};
use super::{At, Lower};
use crate::arithmetic::function;
use crate::dimension::Dimension;
use crate::graph::{Given, NodeId, NodeKind};
use crate::hir::builtins::Arithmetic;
use crate::hir::resolve::resolved;
use crate::hir::{self, Callee, FILE, Iterations, Known, LocalId, Name};
use crate::ir::PortField;
use crate::library::{Expected, ParamInfo};
use mam_grammar::ast::{Expr, ExprId, Over};
use std::sync::Arc;

/// Index of a scope in [`Lower::scopes`].
pub(super) type ScopeId = usize;

/// A scope of a file while it is evaluated.
pub(super) struct Scope {
    /// The file in which its text stands.
    pub(super) file: usize,
    /// Which scope of the file it is.
    pub(super) of: hir::ScopeId,
    /// The scope around it, in which names are looked for next.
    pub(super) parent: Option<ScopeId>,
    /// How many calls it is inside of.
    pub(super) calls: usize,
    /// What its names stand for, in their order.
    pub(super) slots: Vec<Slot>,
    /// The voice of an instrument in which it is evaluated, counted through the kernel.
    pub(super) voice: Option<usize>,
    /// The instrument whose voice that is, and which of them, where the kernel has several.
    pub(super) instrument: Option<(NodeId, Option<usize>)>,
    /// The event port of that voice, or of one that never sleeps.
    pub(super) port: Option<usize>,
    /// The inner frame in which it is evaluated.
    pub(super) copy: Option<InnerFrame>,
    /// The bins of a spectral region that it is evaluated for.
    pub(super) bins: Option<Bins>,
    /// In the song itself: the iteration of the unrolled `sum`s around. None in definitions.
    pub(super) iterations: Option<Iterations>,
}

impl Scope {
    /// The song itself, whose names are nodes of the graph.
    pub(super) fn song(file: usize) -> Scope {
        let iterations = Some(Iterations::new());
        Scope {
            file,
            of: FILE,
            parent: None,
            calls: 0,
            slots: vec![],
            voice: None,
            instrument: None,
            port: None,
            copy: None,
            bins: None,
            iterations,
        }
    }
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Slot {
    /// Nothing.
    Absent,
    /// An equation, not evaluated yet.
    Equation { at: At, expr: ExprId },
    /// An argument of a call, not evaluated yet.
    Argument { at: At, expr: ExprId, place: Option<Expectation> },
    /// A parameter of an instance; of one with several voices in the kernel, the share of a voice where it has one.
    Param { node: NodeId, index: usize, voice: Option<usize> },
    /// What the song gives to an input.
    Given(Given),
    /// A field of an event port.
    Event(usize, PortField),
    /// An element of a list, not evaluated yet.
    Element { at: At, list: ExprId, index: i64 },
    /// A definition or a function, which the body calls.
    Function(Callee),
    /// Is being evaluated.
    Doing,
    /// Has been evaluated.
    Done(Val),
}

/// What an argument's place expects.
#[derive(Clone, Copy)]
pub(super) struct Expectation {
    pub(super) dimension: Dimension,
    /// How many base units a plain number stands for there.
    pub(super) scale: f64,
    /// The range in which values are kept; those of a `def` are only checked.
    pub(super) clamps: Option<(f64, f64)>,
}

impl Expectation {
    /// What a built-in expects of an argument in base units.
    pub(super) const fn of_dimension(dimension: Dimension) -> Expectation {
        Expectation { dimension, scale: 1.0, clamps: None }
    }

    /// What a `def` expects of an argument.
    pub(super) fn of_formal(expected: &Expected) -> Expectation {
        let Expected { dimension, units, .. } = *expected;
        Expectation { dimension, scale: units.scale(dimension), clamps: None }
    }

    /// What a parameter of an instance expects.
    pub(super) fn of_param(param: &ParamInfo) -> Expectation {
        let clamps = Some((param.min, param.max));
        Expectation { dimension: param.dimension, scale: param.scale(), clamps }
    }
}

impl Lower<'_, '_> {
    /// The value of an expression that is a name.
    pub(super) fn name(&mut self, at: &At, expr: ExprId) -> Val {
        match self.hir(at).name(expr) {
            Name::Local(id) => self.local_value(at, id),
            Name::Known(known) => self.known_name(at, known),
            Name::Note(note) => {
                let note = self.b.f64(f64::from(note));
                Val::signal_of(function(&mut self.b, Arithmetic::Hz, &[note]), Dimension::FREQUENCY)
            }
            Name::None | Name::Voice | Name::Function(_) | Name::Broken => Val::Broken,
        }
    }

    fn local_value(&mut self, at: &At, id: LocalId) -> Val {
        let local = self.hir(at).local(id);
        if local.scope == FILE && self.scopes[at.scope].file == self.song.file {
            let val = self.song.graph.locals.get(&id).map_or(Val::Broken, |&node| self.node_value(node));
            return self.seen(at, &val, (None, None), &local.name);
        }
        let around = std::iter::successors(Some(at.scope), |&scope| self.scopes[scope].parent);
        let mut around = around.skip_while(|&scope| self.scopes[scope].of != local.scope);
        let Some(scope) = around.next() else { return Val::Broken };
        let val = self.slot(scope, local.index);
        let Scope { copy, bins, .. } = self.scopes[scope];
        self.seen(at, &val, (copy, bins), &local.name)
    }

    /// A value as it is seen in the region of `at`; the inner frame and the bins are those it was evaluated in.
    fn seen(
        &mut self,
        at: &At,
        val: &Val,
        (copy, bins): (Option<InnerFrame>, Option<Bins>),
        name: &str,
    ) -> Val {
        let val = self.raise(at, val, copy, self.scopes[at.scope].copy, name);
        match self.scopes[at.scope].bins.filter(|_| bins.is_none()) {
            Some(bins) => self.sampled_by_hops(&val, bins, name),
            None => val,
        }
    }

    /// Evaluates a name of a scope, once.
    pub(super) fn slot(&mut self, scope: ScopeId, index: usize) -> Val {
        let slot = self.scopes[scope].slots[index].clone();
        let val = match slot {
            Slot::Done(val) => return val,
            Slot::Absent | Slot::Function(_) => return Val::Broken,
            // Cycles that no state breaks have been reported.
            Slot::Doing => return Val::Broken,
            Slot::Param { node, index, voice } => self.param_value(node, index, voice),
            Slot::Given(given) => self.given_value(given),
            Slot::Event(port, field) => {
                let val = self.event(port, field);
                match self.scopes[scope].instrument.filter(|_| field == PortField::Freq) {
                    Some((node, voice)) => self.bent(val, node, voice),
                    None => val,
                }
            }
            Slot::Element { at, list, index } => {
                self.scopes[scope].slots[0] = Slot::Doing;
                self.element(&at, list, index)
            }
            Slot::Argument { at, expr, place } => {
                self.scopes[scope].slots[index] = Slot::Doing;
                let val = self.eval(&at, expr);
                match place {
                    Some(place) => self.fit(val, &place),
                    None => val,
                }
            }
            Slot::Equation { at, expr } => {
                self.scopes[scope].slots[index] = Slot::Doing;
                self.eval(&at, expr)
            }
        };
        self.scopes[scope].slots[index] = Slot::Done(val.clone());
        val
    }

    /// The names that the language itself knows.
    fn known_name(&mut self, at: &At, known: Known) -> Val {
        let rate = self.rate(at);
        let (x, dimension) = match known {
            Known::E => (std::f64::consts::E, Dimension::PLAIN),
            Known::Tau => (std::f64::consts::TAU, Dimension::PLAIN),
            Known::Pi => (std::f64::consts::PI, Dimension::PLAIN),
            Known::Sr => (rate, Dimension::FREQUENCY),
            Known::Dt => (1.0 / rate, Dimension::TIME),
            Known::Beat => return self.musical("beat"),
            Known::Bar => return self.musical("bar"),
            Known::In => {
                let val = self.song_input();
                return self.seen(at, &val, (None, None), "in");
            }
        };
        let value = self.b.f64(x);
        Val::signal_of(value, dimension)
    }

    /// The length of a beat or bar in seconds, which follows the tempo.
    pub(super) fn musical(&mut self, name: &str) -> Val {
        let slot = if name == "bar" { self.song.slots.bar() } else { self.song.slots.beat() };
        let value = self.param(slot);
        Val::signal_of(value, Dimension::TIME)
    }

    fn song_input(&mut self) -> Val {
        let channels = super::lowered::INPUT.iter().map(|&s| self.input(s)).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// The value of a node: evaluated here if it belongs to this kernel, else what is known of it.
    pub(super) fn node_value(&mut self, node: NodeId) -> Val {
        match self.nodes.get(&node) {
            Some(Some(val)) => return val.clone(),
            Some(None) => return Val::Broken,
            None => {}
        }
        let known = if self.members.contains(&node) { None } else { self.song.results[node.index()].clone() };
        let val = match known {
            None | Some(NodeVal::Inline) => self.evaluate_node(node),
            Some(NodeVal::Const(channels, dimension)) => {
                let channels = channels.into_iter().map(|x| self.b.f64(x)).collect();
                Val::Signal(Signal { channels, dimension })
            }
            Some(NodeVal::Shape(shape)) => self.read(&shape),
            Some(NodeVal::Broken) => Val::Broken,
        };
        self.nodes.insert(node, Some(val.clone()));
        val
    }

    /// What the song gives to a parameter or input.
    pub(super) fn given_value(&mut self, given: Given) -> Val {
        match given {
            Given::Node(node) => self.node_value(node),
            Given::Number(expr) => self.eval(&At { scope: 0, path: "".into() }, expr),
            // It is evaluated with its voice.
            Given::Voice(_) => Val::Broken,
        }
    }

    fn read(&mut self, shape: &Shape) -> Val {
        match shape {
            Shape::Signal(signals, dimension) => {
                let channels = signals.iter().map(|&s| self.input(s)).collect();
                Val::Signal(Signal { channels, dimension: *dimension })
            }
            Shape::Const(channels, dimension) => {
                let channels = channels.iter().map(|&x| self.b.f64(x)).collect();
                Val::Signal(Signal { channels, dimension: *dimension })
            }
            Shape::Recording { lines, counts, ring } => self.read_recording(lines, *counts, ring),
            Shape::List(elements) => Val::List(elements.iter().map(|shape| self.read(shape)).collect()),
            Shape::Record(fields) => {
                Val::Record(fields.iter().map(|(name, shape)| (name.clone(), self.read(shape))).collect())
            }
        }
    }

    fn evaluate_node(&mut self, node: NodeId) -> Val {
        let info = &self.song.graph.nodes[node];
        self.nodes.insert(node, None);
        match &info.kind {
            NodeKind::Glue { expr, iterations } => {
                let scope = self.iteration_scope(iterations, &info.path);
                self.eval_whole(&At { scope, path: info.path.clone() }, *expr)
            }
            NodeKind::Instance(_) => self.instance(node),
            NodeKind::Knob(_) => self.param_value(node, 0, None),
            NodeKind::Modulation(modulation) => self.modulation(modulation, &info.path),
        }
    }

    /// The scope of an iteration of unrolled `sum`s of the song, for what is evaluated by itself. What the equations of their
    /// bodies remember is named by `path`.
    fn iteration_scope(&mut self, iterations: &Iterations, path: &Arc<str>) -> ScopeId {
        self.inside(0, iterations, path)
    }

    /// The scope of an iteration for what each voice of an instrument evaluates; `stand_in` says of which voice it is.
    pub(super) fn voice_scope(
        &mut self,
        iterations: &Iterations,
        path: &Arc<str>,
        stand_in: impl FnOnce(&mut Self, ScopeId),
    ) -> ScopeId {
        self.scopes.push(Scope::song(self.song.file));
        let scope = self.scopes.len() - 1;
        stand_in(self, scope);
        self.inside(scope, iterations, path)
    }

    /// The scope of an iteration in one of the song.
    fn inside(&mut self, song: ScopeId, iterations: &Iterations, path: &Arc<str>) -> ScopeId {
        let mut scope = song;
        for (depth, iteration) in iterations.iter().enumerate() {
            let around = At { scope, path: path.clone() };
            scope = self.loop_scope(scope, iteration.scope, iteration.counter);
            self.scopes[scope].iterations = Some(iterations[..=depth].to_vec());
            if let Some(list) = self.looped_list(&around, iteration.scope) {
                self.scopes[scope].slots[0] = Slot::Element { at: around, list, index: iteration.counter };
            }
            self.add_equations(scope, path);
        }
        scope
    }

    /// The list that a loop of the song goes through, if it does not count.
    fn looped_list(&self, at: &At, of: hir::ScopeId) -> Option<ExprId> {
        let expr = self.hir(at).loop_of(of)?;
        match self.ast(at).exprs[expr] {
            Expr::Reduce { over: Over::List(list), .. } | Expr::Chain { over: Over::List(list), .. } => {
                Some(list)
            }
            _ => None,
        }
    }

    /// A scope for one iteration of a `sum` or `chain`, in which only the counter is known.
    pub(super) fn loop_scope(&mut self, around: ScopeId, of: hir::ScopeId, counter: i64) -> ScopeId {
        let Scope { file, calls, voice, instrument, port, copy, bins, .. } = self.scopes[around];
        let mut slots = vec![Slot::Absent; resolved(self.files(), file).scope(of).locals.len()];
        let counter = self.b.f64(counter as f64);
        slots[0] = Slot::Done(Val::plain(counter));
        self.scopes.push(Scope {
            file,
            of,
            parent: Some(around),
            calls,
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

    /// What an event port says.
    pub(super) fn event(&mut self, port: usize, field: PortField) -> Val {
        let index = Self::local(&mut self.ports, port);
        let value = self.b.port(index, field);
        let frequency = field == PortField::Freq;
        Val::signal_of(value, if frequency { Dimension::FREQUENCY } else { Dimension::PLAIN })
    }
}
