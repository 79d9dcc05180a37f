//! Names: where they are looked for, and what they stand for.

use super::copies::InnerFrame;
use super::value::{NodeVal, Shape, Signal, Val};
use super::{At, Lower};
use crate::arithmetic::function;
use crate::dimension::Dimension;
use crate::graph::{Given, NodeId, NodeKind};
use crate::hir::builtins::Arithmetic;
use crate::hir::resolve::resolved;
use crate::hir::{self, FILE, Iterations, Known, Local, LocalId, Name};
use crate::ir::PortField;
use crate::library::Expected;
use crate::units::Units;
use mam_grammar::Span;
use mam_grammar::ast::{Expr, ExprId, Ident, Over, Unit};
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
    /// The event port of that voice, or of one that never sleeps.
    pub(super) port: Option<usize>,
    /// The inner frame in which it is evaluated.
    pub(super) copy: Option<InnerFrame>,
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
            port: None,
            copy: None,
            iterations,
        }
    }
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Slot {
    /// Nothing: what was to be given is missing, which has been said.
    Absent,
    /// An equation, not evaluated yet.
    Equation { at: At, expr: ExprId, span: Span },
    /// An argument of a call, not evaluated yet.
    Argument { at: At, expr: ExprId, place: Option<Expectation> },
    /// A parameter of an instance.
    Param(NodeId, usize),
    /// What the song gives to an input.
    Given(Given),
    /// A field of an event port.
    Event(usize, PortField),
    /// An element of a list, not evaluated yet.
    Element { at: At, list: ExprId, index: i64 },
    /// Is being evaluated.
    Doing,
    /// Has been evaluated.
    Done(Val),
}

/// What an argument's place expects.
#[derive(Clone)]
pub(super) struct Expectation {
    pub(super) name: Arc<str>,
    pub(super) of: Arc<str>,
    pub(super) span: Span,
    pub(super) dimension: Dimension,
    /// How its values are written, and so which base units a plain number stands for.
    pub(super) units: Units,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Whether values are clamped to the range; those of a `def` are only checked.
    pub(super) clamps: bool,
}

impl Expectation {
    /// What a built-in called `of` expects of an argument that is measured in `unit`.
    pub(super) fn of_unit(name: &Ident, of: &Arc<str>, unit: Unit) -> Expectation {
        let units = Units { value: Some(unit), ..Units::default() };
        let range = (f64::NEG_INFINITY, f64::INFINITY);
        Expectation::of_formal(name, of, &Expected { dimension: Dimension::from_unit(unit), range, units })
    }

    /// What a `def` called `of` expects of an argument.
    pub(super) fn of_formal(name: &Ident, of: &Arc<str>, expected: &Expected) -> Expectation {
        Expectation {
            name: name.name.clone(),
            of: of.clone(),
            span: name.span,
            dimension: expected.dimension,
            units: expected.units,
            min: expected.range.0,
            max: expected.range.1,
            clamps: false,
        }
    }
}

/// A name where it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The file in which it is written.
    pub(super) file: usize,
    /// The name.
    pub(super) expr: ExprId,
}

/// An equation that is being evaluated.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) key: Opened,
    /// The name by which it was reached; none where it is needed without one.
    pub(super) by: Option<Reference>,
}

/// Where an equation that is being evaluated stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Opened {
    /// It is a node of the song.
    Node(NodeId),
    /// It is in this scope.
    Scope(ScopeId),
}

impl Lower<'_, '_> {
    /// The value of an expression that is a name.
    pub(super) fn name(&mut self, at: &At, expr: ExprId) -> Val {
        match self.hir(at).name(expr) {
            Name::Local(id) => {
                self.reach(at, expr);
                self.local_value(at, id)
            }
            Name::Known(known) => self.known_name(at, known),
            Name::Note(note) => {
                let note = self.b.f64(f64::from(note));
                Val::mono(function(&mut self.b, Arithmetic::Hz, &[note]), Dimension::FREQUENCY)
            }
            Name::None | Name::Broken => Val::Broken,
        }
    }

    fn local_value(&mut self, at: &At, id: LocalId) -> Val {
        let local = self.hir(at).local(id);
        if local.scope == FILE && self.scopes[at.scope].file == self.song.file {
            let val = self.song.graph.locals.get(&id).map_or(Val::Broken, |&node| self.node_value(node));
            return self.raise(at, &val, None, self.scopes[at.scope].copy, &local.name);
        }
        let around = std::iter::successors(Some(at.scope), |&scope| self.scopes[scope].parent);
        let mut around = around.skip_while(|&scope| self.scopes[scope].of != local.scope);
        let Some(scope) = around.next() else { return Val::Broken };
        let val = self.slot(scope, local.index);
        self.raise(at, &val, self.scopes[scope].copy, self.scopes[at.scope].copy, &local.name)
    }

    /// Evaluates a name of a scope, once.
    pub(super) fn slot(&mut self, scope: ScopeId, index: usize) -> Val {
        let slot = self.scopes[scope].slots[index].clone();
        let val = match slot {
            Slot::Done(val) => return val,
            Slot::Absent => return Val::Broken,
            Slot::Doing => {
                let name = self.local_of(scope, index).name.clone();
                return self.cycle(&name, Opened::Scope(scope));
            }
            Slot::Param(node, index) => self.param_value(node, index),
            Slot::Given(given) => self.given_value(given),
            Slot::Event(port, field) => self.event(port, field),
            Slot::Element { at, list, index } => {
                self.scopes[scope].slots[0] = Slot::Doing;
                self.element(&at, list, index)
            }
            Slot::Argument { at, expr, place } => {
                self.scopes[scope].slots[index] = Slot::Doing;
                let val = self.eval(&at, expr);
                let span = self.span(&at, expr);
                match place {
                    Some(place) => self.fit(val, span, &place),
                    None => val,
                }
            }
            Slot::Equation { at, expr, span } => {
                self.scopes[scope].slots[index] = Slot::Doing;
                let name = self.local_of(scope, index).name.clone();
                let by = self.reference;
                self.open.push(Open { name, span, key: Opened::Scope(scope), by });
                let val = self.eval(&at, expr);
                self.open.pop();
                val
            }
        };
        self.scopes[scope].slots[index] = Slot::Done(val.clone());
        val
    }

    /// A name of a scope.
    fn local_of(&self, scope: ScopeId, index: usize) -> &Local {
        let Scope { file, of, .. } = self.scopes[scope];
        let hir = resolved(self.files(), file);
        hir.local(hir.scope(of).locals[index])
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
                return self.raise(at, &val, None, self.scopes[at.scope].copy, "in");
            }
        };
        let value = self.b.f64(x);
        Val::mono(value, dimension)
    }

    /// The length of a beat or bar in seconds, which follows the tempo.
    pub(super) fn musical(&mut self, name: &str) -> Val {
        let slot = if name == "bar" { self.song.slots.bar() } else { self.song.slots.beat() };
        let value = self.param(slot);
        Val::mono(value, Dimension::TIME)
    }

    fn song_input(&mut self) -> Val {
        let channels = super::lowered::INPUT.iter().map(|&s| self.input(s)).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// The value of a node: evaluated here if it belongs to this kernel, else what is known of it.
    pub(super) fn node_value(&mut self, node: NodeId) -> Val {
        match self.nodes.get(&node) {
            Some(Some(val)) => return val.clone(),
            Some(None) => {
                let path = self.song.graph.nodes[node].path.clone();
                return self.cycle(&path, Opened::Node(node));
            }
            None => {}
        }
        let known = if self.members.contains(&node) { None } else { self.song.results[node.index()].clone() };
        let val = match known {
            None | Some(NodeVal::Inline(_)) => self.evaluate_node(node),
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
        self.reference = None;
        match given {
            Given::Node(node) => self.node_value(node),
            Given::Number(expr) => self.eval(&At { scope: 0, path: "".into() }, expr),
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
            Shape::List(elements) => Val::List(elements.iter().map(|shape| self.read(shape)).collect()),
            Shape::Record(fields) => {
                Val::Record(fields.iter().map(|(name, shape)| (name.clone(), self.read(shape))).collect())
            }
        }
    }

    fn evaluate_node(&mut self, node: NodeId) -> Val {
        let info = &self.song.graph.nodes[node];
        self.nodes.insert(node, None);
        let (name, by) = (info.path.clone(), self.reference);
        self.open.push(Open { name, span: info.span, key: Opened::Node(node), by });
        let val = match &info.kind {
            NodeKind::Glue { expr, iterations } => {
                let scope = self.iteration_scope(iterations, &info.path);
                self.eval_whole(&At { scope, path: info.path.clone() }, *expr)
            }
            NodeKind::Instance(_) => self.instance(node),
            NodeKind::Knob(_) => self.param_value(node, 0),
        };
        self.open.pop();
        val
    }

    /// The scope of an iteration of unrolled `sum`s of the song, for what is evaluated by itself. What the equations of their
    /// bodies remember is named by `path`.
    fn iteration_scope(&mut self, iterations: &Iterations, path: &Arc<str>) -> ScopeId {
        let mut scope = 0;
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
        let Scope { file, calls, voice, port, copy, .. } = self.scopes[around];
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
            port,
            copy,
            iterations: None,
        });
        self.scopes.len() - 1
    }

    /// What an event port says.
    pub(super) fn event(&mut self, port: usize, field: PortField) -> Val {
        let index = Self::local(&mut self.ports, port);
        let value = self.b.port(index, field);
        let frequency = field == PortField::Freq;
        Val::mono(value, if frequency { Dimension::FREQUENCY } else { Dimension::PLAIN })
    }
}
