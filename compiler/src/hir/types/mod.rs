//! Types: what every expression of a song and of its definitions is, and what is wrong with it.
//!
//! An expression is evaluated with what is known before there is sound ([`value`]): its parts, its channels, what it measures, and its
//! number where it is constant. That is done once for each node of the graph, in the order of its groups, and once for each
//! definition of the user's files, called or not, with arguments of which nothing is known. What is wrong then is wrong for
//! every argument: an unknown argument is a signal or a record, as it is used; a signal is mono (a stereo one is
//! refused in no fewer places), a constant or not, and its dimension is a variable ([`unknowns`]), so that what is done with it in one place has to
//! go with what is done in another.
//!
//! A name is evaluated when it is first used, and remembered. `prev` and `tap` answer at once, and what flows into them is
//! evaluated when everything else of the group is; so exactly the cycles that none of them breaks are found. How many
//! channels a `prev` or `tap` has is a fixed point: each begins as mono, and a group in which one turns out to be stereo is
//! evaluated again. Lowering reads the result ([`Checked::stereo`]).
//!
//! Everything that is wrong with values is reported here. Later stages report sizes alone: how much code a song becomes, and
//! how much memory it takes, is known when it has been made.

mod builtins;
mod calls;
mod cycle;
mod definitions;
mod expr;
mod fields;
mod instances;
mod names;
mod nodes;
mod state;
mod unknowns;
mod value;

use super::resolve::resolved;
use super::{Hir, Types};
use crate::dimension::Dimension;
use crate::files::Files;
use crate::graph::{Graph, Group, NodeId};
use crate::hir::DefId;
use crate::library::Library;
use instances::Instances;
use mam_grammar::ast::{Ast, ExprId};
use mam_grammar::{Problem, Problems, Span};
use names::{Frame, FrameId, OpenName, Reference};
use nodes::NodeState;

use rustc_hash::{FxHashMap, FxHashSet};
use state::Later;
pub(crate) use state::{named, state_path};
use std::sync::Arc;
use unknowns::{Form, Unknowns};
use value::{Shape, Signal, Value};

/// What the check of a song found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The types of the song's equations, and of the names in definitions of the user's files.
    pub types: Types,
    /// The states of `prev`s and the delay lines of `tap`s that have two channels, by the path that names them.
    pub stereo: FxHashSet<String>,
    /// The constants that are given to parameters of instances, by node and place in the list of parameters, each kept in the
    /// parameter's range.
    pub starts: FxHashMap<(NodeId, usize), f64>,
}

/// A song that is to be checked.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The song's file, those it uses and the prelude.
    pub files: &'a Files,
    /// What was read of definitions.
    pub library: &'a Library,
    /// The song among the files.
    pub song: usize,
    /// The song's nodes and their connections.
    pub graph: &'a Graph,
    /// The order in which they are evaluated.
    pub groups: &'a [Group],
    /// Sample rate in frames a second.
    pub rate: f64,
}

/// Checks a song and the definitions of the user's files, and reports what is wrong with their values.
pub fn check(input: Input, problems: &mut Problems) -> Checked {
    let mut checker = Checker::new(input);
    for group in input.groups {
        checker.group(group);
    }
    checker.keep_node_types();
    for file in input.files.user_files() {
        for item in 0..input.files.file(file).ast.items.len() {
            checker.item(DefId { file, item });
        }
    }
    problems.extend(checker.problems);
    checker.checked
}

struct Checker<'a> {
    input: Input<'a>,
    problems: Problems,
    checked: Checked,
    frames: Vec<Frame>,
    /// The equations and nodes that are being evaluated.
    open: Vec<OpenName>,
    /// The name that was read last.
    reference: Option<Reference>,
    /// What flows into state, to be evaluated when everything else of the group is.
    later: Vec<Later>,
    /// `prev`s of a name, by its scope: they are one state.
    shared: FxHashMap<(FrameId, Arc<str>, (u32, Dimension)), Value>,
    nodes: Vec<NodeState>,
    instances: Instances,
    /// The nodes of the group.
    members: Vec<NodeId>,
    /// Whether something of the group has state.
    has_state: bool,
    unknowns: Unknowns,
    shapes: Vec<Shape>,
    /// True while a definition is checked by itself.
    is_generic: bool,
    /// Expressions that were evaluated: all, for the group or definition, and for definitions by themselves.
    all_evaluations: usize,
    evaluations: usize,
    generic_evaluations: usize,
    /// How many expressions are being evaluated, one inside the other.
    depth: usize,
    /// How many `sum`s and `chain`s are being evaluated, one inside the other.
    loops: usize,
    cycle_reported: bool,
}

/// Where an expression is evaluated: whose names it sees, and the equation that it stands in, which names what it remembers.
#[derive(Clone)]
struct At {
    frame: FrameId,
    equation: Option<Arc<str>>,
}

/// Expressions that are evaluated to check one definition by itself.
const GENERIC_EVALUATIONS: usize = 20_000;

impl<'a> Checker<'a> {
    fn new(input: Input<'a>) -> Checker<'a> {
        Checker {
            input,
            problems: Problems::default(),
            checked: Checked::default(),
            frames: vec![Frame::song(input.song)],
            open: vec![],
            reference: None,
            later: vec![],
            shared: FxHashMap::default(),
            nodes: vec![NodeState::Waits; input.graph.nodes.len()],
            instances: Instances::default(),
            members: vec![],
            has_state: false,
            unknowns: Unknowns::default(),
            shapes: vec![],
            is_generic: false,
            all_evaluations: 0,
            evaluations: 0,
            generic_evaluations: 0,
            depth: 0,
            loops: 0,
            cycle_reported: false,
        }
    }

    fn files(&self) -> &'a Files {
        self.input.files
    }

    /// The file in which the text of what is evaluated stands.
    fn file(&self, at: &At) -> usize {
        self.frames[at.frame].file
    }

    fn ast(&self, at: &At) -> &'a Ast {
        &self.files().file(self.file(at)).ast
    }

    /// What the names mean that stand where something is evaluated.
    fn hir(&self, at: &At) -> &'a Hir {
        resolved(self.files(), self.file(at))
    }

    fn span(&self, at: &At, expr: ExprId) -> Span {
        self.ast(at).span(expr)
    }

    fn problem(&mut self, problem: Problem) -> Value {
        self.problems.add(problem);
        Value::Broken
    }

    /// True when more was evaluated than a kernel, a song or a definition by itself may take. Lowering reports that of a
    /// kernel and a song; a definition by itself is only checked as far as that takes little time.
    fn is_too_much(&self) -> bool {
        let limits = self.files().limits;
        match self.is_generic {
            true => {
                self.evaluations > GENERIC_EVALUATIONS
                    || self.generic_evaluations + self.evaluations > limits.evaluations
            }
            false => self.evaluations > limits.evaluations || self.all_evaluations > limits.all_evaluations,
        }
    }

    /// What is known of a dimension by now.
    fn known(&self, form: &Form) -> Option<Dimension> {
        self.unknowns.resolve(form).known()
    }

    /// The value as a signal; reports what is wrong where it is none.
    fn signal(&mut self, value: Value, span: Span) -> Option<Signal> {
        let names: Vec<String> = match value {
            Value::Signal(signal) => return Some(signal),
            Value::Broken => return None,
            Value::Record(fields) => fields.iter().map(|(name, _)| format!(".{name}")).collect(),
            Value::Unknown(index) => match &self.shapes[index] {
                Shape::Signal(signal) => return Some(signal.clone()),
                Shape::Parts(parts) => parts.iter().map(|(name, _)| format!(".{name}")).collect(),
                Shape::Free => {
                    let number = value::Number::varying(value::Kind::Open);
                    let signal = Signal::mono(number, self.unknowns.fresh());
                    self.shapes[index] = Shape::Signal(signal.clone());
                    return Some(signal);
                }
            },
        };
        let message = "this has several parts, where one signal is wanted";
        let problem = Problem::new(&crate::codes::NOT_A_SIGNAL, span, message);
        self.problem(problem.help(format!("choose one: {}", names.join(", "))));
        None
    }

    /// The value as a mono signal.
    fn mono(&mut self, value: Value, span: Span) -> Option<(value::Number, Form)> {
        let signal = self.signal(value, span)?;
        if signal.stereo {
            let message = "this is stereo, where a mono signal is wanted";
            let problem = Problem::new(&crate::codes::CHANNELS, span, message);
            self.problem(problem.help("take one side, `.left` or `.right`, or add them"));
            return None;
        }
        Some((signal.channel(0), signal.dimension))
    }

    /// An argument of which nothing is known.
    fn unknown(&mut self) -> Value {
        self.shapes.push(Shape::Free);
        Value::Unknown(self.shapes.len() - 1)
    }
}
