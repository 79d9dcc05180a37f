//! The graph: what the equations of a song mean to each other.
//!
//! Its nodes are the song's equations, the instruments and effects that it calls, and the expressions that are
//! given to those; a wire says that one needs another's signal, now or (through `prev` or `tap`) of earlier samples.
//! Nothing is computed here. [`order`](Graph::order) returns what lowering needs: groups of nodes that become one
//! kernel, in an order in which every group stands after those that it needs.

mod cut;
mod from_ast;
mod matrix;
mod order;
mod outside;
mod parts;
mod signals;
mod text;

pub use order::Group;
pub use outside::is_machine;
pub(crate) use outside::sends;
pub use parts::{body_exprs, duplicate, each_operand, has_out, is_event, operands};

use crate::dimension::Dimension;
use crate::hir::{DefId, Iterations, LocalId};
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Scale};
use mam_grammar::{Arena, Handle, Span};
use mam_runtime::precedence::Priority;
use mam_runtime::{NoteSignal, Sent};
use petgraph::graph::DiGraph;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node by its handle.
pub type NodeId = Handle<Node>;

/// The graph of one song: nodes and their connections.
#[derive(Default)]
pub struct Graph {
    /// The nodes, in the order in which they were found.
    pub nodes: Arena<Node>,
    /// Edges from what is needed to what needs it. Node weights are the nodes' handles, in order.
    pub wires: DiGraph<NodeId, ()>,
    /// The node of each equation and knob, by its name.
    pub names: FxHashMap<Arc<str>, NodeId>,
    /// The node of each equation and knob.
    pub locals: FxHashMap<LocalId, NodeId>,
    /// The node of each call of an instrument or effect, by place and iteration.
    pub calls: FxHashMap<(ExprId, Iterations), NodeId>,
    /// Parts of large expressions that are nodes of their own.
    pub parts: FxHashMap<ExprId, NodeId>,
    /// The instrument that each playable name leads to.
    pub targets: FxHashMap<Arc<str>, NodeId>,
    /// Each equation, read as a pipe.
    pub pipes: FxHashMap<Arc<str>, Pipe>,
    /// The knobs by name.
    pub knobs: FxHashMap<Arc<str>, NodeId>,
    /// The parameters that a matrix moves, by node and place in the list of its parameters.
    pub modulated: BTreeMap<(NodeId, usize), Modulated>,
    /// What the song sounds like.
    pub out: Option<NodeId>,
    /// What is given to parameters and computed for each voice.
    pub voiced: Vec<Voiced>,
    /// Expressions of the song that are heard by themselves as well.
    pub heard: FxHashSet<ExprId>,
    /// Nodes that are needed for that, whether `out` needs them or not.
    pub roots: Vec<NodeId>,
    /// What was weighed while it was made, for its order.
    weights: order::Weights,
}

/// An equation, read as a pipe: whose parameters can be set by its name.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    /// The equation that stands at its left end.
    pub from: Option<Arc<str>>,
    /// The instrument that stands at its left end.
    pub instrument: Option<NodeId>,
    /// Its effects, from left to right.
    pub effects: Vec<NodeId>,
}

/// A node: an equation, a knob, or an instance of a definition.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its path of names; unique.
    pub path: Arc<str>,
    /// The bytes of the expression that it was made from.
    pub span: Span,
    /// Equation, knob, or instance of a definition.
    pub kind: NodeKind,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// An expression of the song.
    Glue {
        /// The expression.
        expr: ExprId,
        /// The iteration of the unrolled `sum`s that it stands in.
        iterations: Iterations,
    },
    /// An instrument or an effect of the song.
    Instance(Instance),
    /// A knob: the index of its item in the song.
    Knob(usize),
    /// What lines of a matrix add up to.
    Modulation(Modulation),
}

/// Signals that move one parameter in one scale, and their sum.
#[derive(Clone, Debug)]
pub struct Modulation {
    /// Whether the sum is added to the parameter, or is the binary logarithm of a factor.
    pub scale: Scale,
    /// What the value measures.
    pub dimension: Dimension,
    /// The signals, in the order in which they are written.
    pub routes: Vec<Weighted>,
}

/// A signal with its weight.
#[derive(Clone, Copy, Debug)]
pub struct Weighted {
    /// The signal: an expression of the song.
    pub source: ExprId,
    /// Its weight: in base units where it is added, else in octaves.
    pub depth: f64,
}

/// A parameter that a matrix moves.
#[derive(Clone, Copy, Debug)]
pub struct Modulated {
    /// What is added to it.
    pub add: Option<NodeId>,
    /// What the sum is multiplied by.
    pub factor: Option<NodeId>,
    /// The range in which it is kept then, in base units.
    pub range: (f64, f64),
}

/// A call of an instrument or effect by the song.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The definition that the instance is of.
    pub def: DefId,
    /// How it is called, for messages.
    pub callee: Ident,
    /// What flows into an effect.
    pub input: Option<Given>,
    /// What is given to each of its parameters, in their order.
    pub args: Vec<Option<Given>>,
    /// What is given to the arguments in the head of its definition, in their order; `None` where the default holds.
    pub fixed: Vec<Option<Given>>,
    /// What is given to each of its further inputs (`input key`), in their order.
    pub inputs: Vec<Option<Given>>,
    /// How many notes sound at once.
    pub voices: u32,
    /// Which notes these are where more are held.
    pub priority: Option<Priority>,
    /// What fades its voices, where it is a part of a kit that others choke.
    pub choke: Option<Box<Choke>>,
    /// The MIDI note of a hit without a pitch, where an argument in the head of the definition says it.
    pub default_note: Option<f64>,
    /// Whether its voices are placed between left and right: the song says something of its `pan`.
    pub placed: bool,
    /// The signals of its notes that something delivers, in order: a line of the score, or what plays it from outside. The
    /// others are constants.
    pub signals: Vec<NoteSignal>,
    /// How its notes are sent, where it is a machine outside.
    pub plays_outside: Option<Protocol>,
    /// The controllers, the program and the arguments of that machine that lines of the score move, or that its notes set, and that
    /// none of its parameters is.
    pub sent: Vec<Sent>,
}

/// How the notes of a machine outside are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// As messages of MIDI.
    Midi,
    /// As messages of OSC, with names and values.
    Osc,
}

/// What fades the voices of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choke {
    /// The trigger at which they begin to fade.
    pub trig: Given,
    /// The time constant; that of the prelude's `choked` where `None`.
    pub time: Option<Given>,
}

impl Instance {
    /// How many parameters it has, with the signals of its notes, which come last.
    pub fn slots(&self) -> usize {
        self.args.len() + self.signals.len() + self.sent.len()
    }

    /// The place of a signal of its notes in the list of its parameters, where something delivers it.
    pub fn signal(&self, signal: NoteSignal) -> Option<usize> {
        self.signals.iter().position(|known| *known == signal).map(|place| self.args.len() + place)
    }
}

/// What is given to a parameter or an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A written number.
    Number(ExprId),
    /// A node's signal, which may turn out to be constant.
    Node(NodeId),
    /// What each voice of the instrument computes for itself, as it names signals of the `voice`: an index into
    /// [`Graph::voiced`].
    Voice(usize),
}

/// What is given to a parameter of an instrument and is computed for each of its voices.
#[derive(Clone, Debug)]
pub struct Voiced {
    /// What is computed, in the song's tree.
    pub expr: ExprId,
    /// The iteration of the unrolled `sum`s that it stands in.
    pub iterations: Iterations,
}

impl Graph {
    /// Notes of the instrument that a name leads to are given signals. Nothing where it leads to none.
    pub fn deliver(&mut self, name: &str, signals: &[NoteSignal]) {
        if let Some(&node) = self.targets.get(name) {
            self.deliver_to(node, signals);
        }
    }

    /// The instance that a node is, if it is one.
    pub fn instance(&self, node: NodeId) -> Option<&Instance> {
        match &self.nodes[node].kind {
            NodeKind::Instance(instance) => Some(instance),
            _ => None,
        }
    }

    /// Whether a matrix moves parameters of a node.
    pub fn is_modulated(&self, node: NodeId) -> bool {
        self.modulated.range((node, 0)..=(node, usize::MAX)).next().is_some()
    }

    /// The node that an expression outside of any `sum` is as a whole: that of the instrument or effect which it calls, or
    /// into which its pipe leads.
    pub fn instance_of(&self, ast: &Ast, expr: ExprId) -> Option<NodeId> {
        self.calls.get(&(call_of(ast, expr), Iterations::new())).copied()
    }
}

/// The expression that a call of an instrument or effect is known by: for a pipe, its right side.
fn call_of(ast: &Ast, expr: ExprId) -> ExprId {
    match ast.exprs[expr] {
        Expr::Paren(inner) => call_of(ast, inner),
        Expr::Pipe { right, .. } => right,
        _ => expr,
    }
}
