//! Names: the frames in which they are looked up, and what they stand for.

use super::place::Expectation;
use super::value::{AT_LEAST_0, Kind, Number, Signal, Value};
use super::{At, Checker};
use crate::arithmetic::function;
use crate::dimension::Dimension;
use crate::graph::{Given, NodeId, NodeKind};
use crate::hir::builtins::Arithmetic;
use crate::hir::resolve::resolved;
use crate::hir::{Callee, FILE, Iterations, Known, Local, LocalId, LocalKind, Name, ScopeId};
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use std::sync::Arc;

/// Index of a frame in [`Checker::frames`].
pub(super) type FrameId = usize;

/// A scope of a file while it is evaluated.
pub(super) struct Frame {
    /// The file in which its text stands.
    pub(super) file: usize,
    /// Which scope of the file it is.
    pub(super) scope: ScopeId,
    /// The frame around it, in which names are looked for next.
    pub(super) parent: Option<FrameId>,
    /// How many calls it is inside of.
    pub(super) calls: usize,
    /// How many loops and regions it is inside of: each multiplies its work.
    pub(super) loops: usize,
    /// What its names stand for, in their order.
    pub(super) slots: Vec<Slot>,
    /// The path of what it remembers: what stands before the names of its equations.
    pub(super) path: Path,
    /// Frames in one frame of the song: more than one in a region at a higher rate.
    pub(super) factor: usize,
    /// Frames of the song in a hop of the spectral region that it is in, if it is in one.
    pub(super) hop: Option<usize>,
    /// In the song itself: the iteration of the unrolled `sum`s around. None in definitions.
    pub(super) iterations: Option<Iterations>,
}

/// The path of names that state is called by.
#[derive(Clone)]
pub(super) enum Path {
    /// This one.
    Node(Arc<str>),
    /// That of what is evaluated somewhere, and a name.
    Inside(At, Arc<str>),
}

impl Frame {
    /// The song itself, whose names are nodes of the graph.
    pub(super) fn song(file: usize) -> Frame {
        Frame {
            file,
            scope: FILE,
            parent: None,
            calls: 0,
            loops: 0,
            slots: vec![],
            path: Path::Node("".into()),
            factor: 1,
            hop: None,
            iterations: Some(Iterations::new()),
        }
    }
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Slot {
    /// Nothing: what was to be given is missing, which has been reported.
    Absent,
    /// An equation, not evaluated yet.
    Equation(ExprId),
    /// An argument of a call, not evaluated yet.
    Argument { at: At, expr: ExprId, place: Option<Expectation> },
    /// A parameter of an instance.
    Param(NodeId, usize),
    /// What the song gives to an input.
    Given(Given),
    /// An element of a list, not evaluated yet.
    Element { at: At, list: ExprId, index: i64 },
    /// A definition or a function, which the body calls.
    Function(Callee),
    /// Is being evaluated.
    Doing,
    /// Has been evaluated.
    Done(Value),
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
pub(super) struct OpenName {
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
    /// It is in this frame.
    Frame(FrameId),
}

impl Checker<'_> {
    /// The value of an expression that is a name.
    pub(super) fn name(&mut self, at: &At, expr: ExprId) -> Value {
        match self.hir(at).name(expr) {
            Name::Local(id) => {
                if let Some(function) = self.function_at(at, expr) {
                    return self.function_as_signal(at, expr, function);
                }
                self.reach(at, expr);
                self.local_value(at, id)
            }
            // It is read where it is called.
            Name::Function(_) => Value::Broken,
            Name::Known(known) => self.known_name(at, known),
            Name::Note(note) => {
                let note = Number::real(f64::from(note));
                let hertz = function(&mut self.partial, Arithmetic::Hz, &[note]);
                Value::mono(hertz, Dimension::FREQUENCY)
            }
            Name::None | Name::Voice | Name::Broken => Value::Broken,
        }
    }

    fn local_value(&mut self, at: &At, id: LocalId) -> Value {
        let local = self.hir(at).local(id);
        if local.scope == FILE && self.file(at) == self.input.song {
            let node = self.input.graph.locals.get(&id).copied();
            let value = node.map_or(Value::Broken, |node| self.node_value(node));
            return self.seen_from(value, 0, at.frame);
        }
        let Some(frame) = self.frame_around(at.frame, local.scope) else { return Value::Broken };
        let value = self.slot(frame, local.index);
        self.seen_from(value, frame, at.frame)
    }

    /// The frame of a scope, which is a frame itself or around it.
    pub(super) fn frame_around(&self, frame: FrameId, scope: ScopeId) -> Option<FrameId> {
        let mut around = std::iter::successors(Some(frame), |&frame| self.frames[frame].parent);
        around.find(|&frame| self.frames[frame].scope == scope)
    }

    /// Whether a name has been evaluated, so that reading it evaluates nothing.
    pub(super) fn is_name_known(&self, at: &At, expr: ExprId) -> bool {
        let Name::Local(id) = self.hir(at).name(expr) else { return true };
        let local = self.hir(at).local(id);
        if local.scope == FILE && self.file(at) == self.input.song {
            let node = self.input.graph.locals.get(&id);
            return node.is_none_or(|&node| self.is_given_known(Given::Node(node)));
        }
        let Some(frame) = self.frame_around(at.frame, local.scope) else { return false };
        match self.frames[frame].slots[local.index] {
            Slot::Done(_) | Slot::Function(_) => true,
            Slot::Given(given) => self.is_given_known(given),
            Slot::Param(node, index) => match &self.input.graph.nodes[node].kind {
                NodeKind::Instance(instance) => {
                    instance.args[index].is_none_or(|given| self.is_given_known(given))
                }
                _ => true,
            },
            _ => false,
        }
    }

    /// Evaluates a name of a frame, once.
    pub(super) fn slot(&mut self, frame: FrameId, index: usize) -> Value {
        let value = match self.frames[frame].slots[index].clone() {
            Slot::Done(value) => return value,
            Slot::Absent | Slot::Function(_) => return Value::Broken,
            Slot::Doing => {
                let name = self.local_of(frame, index).name.clone();
                return self.cycle(&name, Opened::Frame(frame));
            }
            Slot::Param(node, index) => self.param_value(node, index),
            Slot::Given(given) => self.given_value(given),
            Slot::Element { at, list, index: element } => {
                self.frames[frame].slots[index] = Slot::Doing;
                self.element(&at, list, element)
            }
            Slot::Argument { at, expr, place } => {
                self.frames[frame].slots[index] = Slot::Doing;
                let value = self.eval(&at, expr);
                let span = self.span(&at, expr);
                match place {
                    Some(place) => self.fit(value, span, &place),
                    None => value,
                }
            }
            Slot::Equation(expr) => {
                self.frames[frame].slots[index] = Slot::Doing;
                let local = self.local_of(frame, index);
                let (name, span) = (local.name.clone(), local.span.unwrap_or_default());
                let by = self.reference;
                self.open.push(OpenName { name: name.clone(), span, key: Opened::Frame(frame), by });
                let value = self.eval(&At { frame, equation: Some(name) }, expr);
                self.open.pop();
                value
            }
        };
        self.frames[frame].slots[index] = Slot::Done(value.clone());
        value
    }

    /// A name of a frame.
    fn local_of(&self, frame: FrameId, index: usize) -> &Local {
        let Frame { file, scope, .. } = self.frames[frame];
        let hir = resolved(self.files(), file);
        hir.local(hir.scope(scope).locals[index])
    }

    fn known_name(&mut self, at: &At, known: Known) -> Value {
        let rate = self.rate(at.frame);
        let (x, dimension) = match known {
            Known::E => (std::f64::consts::E, Dimension::PLAIN),
            Known::Tau => (std::f64::consts::TAU, Dimension::PLAIN),
            Known::Pi => (std::f64::consts::PI, Dimension::PLAIN),
            Known::Sr => (rate, Dimension::FREQUENCY),
            Known::Dt => (1.0 / rate, Dimension::TIME),
            Known::Beat | Known::Bar => {
                return Value::mono(self.within(Kind::Slow, AT_LEAST_0), Dimension::TIME);
            }
            Known::In => {
                let [left, right] = [self.varying(Kind::Fast), self.varying(Kind::Fast)];
                return Value::Signal(Signal::stereo(left, right, Dimension::PLAIN));
            }
        };
        Value::mono(Number::real(x), dimension)
    }

    /// A frame for one iteration of a `sum` or `chain`, in which only the counter is known.
    pub(super) fn loop_frame(
        &mut self,
        around: FrameId,
        scope: ScopeId,
        counter: Value,
        path: Path,
    ) -> FrameId {
        let frame = self.inner_frame(around, scope, path);
        self.frames[frame].slots[0] = Slot::Done(counter);
        frame
    }

    /// A frame of a loop or a region inside another one, in which nothing is known yet.
    pub(super) fn inner_frame(&mut self, around: FrameId, scope: ScopeId, path: Path) -> FrameId {
        let Frame { file, calls, loops, factor, hop, .. } = self.frames[around];
        let loops = loops + 1;
        let slots = vec![Slot::Absent; resolved(self.files(), file).scope(scope).locals.len()];
        let parent = Some(around);
        let iterations = None;
        self.frames.push(Frame { file, scope, parent, calls, loops, slots, path, factor, hop, iterations });
        self.frames.len() - 1
    }

    /// Makes the equations of a frame known.
    pub(super) fn add_equations(&mut self, frame: FrameId) {
        let hir = resolved(self.files(), self.frames[frame].file);
        for &id in &hir.scope(self.frames[frame].scope).locals {
            let local = hir.local(id);
            if let LocalKind::Equation(expr) = local.kind {
                self.frames[frame].slots[local.index] = Slot::Equation(expr);
            }
        }
    }

    /// The path that state is named by which something needs that is evaluated there.
    pub(super) fn path(&self, at: &At) -> String {
        let mut names: Vec<&str> = at.equation.as_deref().into_iter().collect();
        let mut path = &self.frames[at.frame].path;
        loop {
            match path {
                Path::Node(node) => {
                    names.push(node);
                    names.reverse();
                    return names.join(".");
                }
                Path::Inside(at, name) => {
                    names.push(name);
                    names.extend(at.equation.as_deref());
                    path = &self.frames[at.frame].path;
                }
            }
        }
    }
}
