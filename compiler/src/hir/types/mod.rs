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
//! evaluated when everything else of the group is; so exactly the cycles that none of them breaks are found. What a `prev` or
//! `tap` remembers is a fixed point: each begins as a mono signal, and a group in which one turns out to be more is
//! evaluated again. Lowering reads the result ([`Checked::layouts`]).
//!
//! Everything that is wrong with values is reported here. Later stages report sizes alone: how much code a song becomes, and
//! how much memory it takes, is known when it has been made.

mod alike;
mod builtins;
mod calls;
mod cycle;
mod definitions;
mod expr;
mod fields;
mod instances;
mod latency;
mod layout;
mod lists;
mod loops;
mod matrix;
mod names;
mod nodes;
mod out;
mod outside;
mod place;
mod playback;
mod regions;
mod spectra;
mod state;
mod unknowns;
mod value;
mod wanted;
mod waves;

use super::resolve::resolved;
use super::{Hir, Types};
use crate::channels::Channels;
use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::graph::{Graph, Group, NodeId};
use crate::hir::DefId;
use crate::library::Library;
use crate::size::{SizeLimit, TooLarge};
use alike::Words;
use mam_grammar::ast::{Ast, ExprId};
use mam_grammar::{Problem, Problems, Severity, Span};
use names::{Frame, FrameId, OpenName, Reference};
use nodes::NodeState;

pub use alike::Alike;
pub use layout::{Layout, Layouts};
use mam_runtime::Outside;
use rustc_hash::{FxHashMap, FxHashSet};
use state::{Later, PrevKey};
pub(crate) use state::{RECORD, named, state_path};
use std::collections::VecDeque;
use std::sync::Arc;
use unknowns::{Form, Unknowns};
use value::{ALL, Kind, Number, Partial, Range, Shape, Signal, Value};

/// What the check of a song found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The types of the song's equations, and of the names in definitions of the user's files.
    pub types: Types,
    /// What `prev`s and `tap`s remember.
    pub layouts: Layouts,
    /// The constants that are given to parameters of instances, by node and place in the list of parameters, each kept in the
    /// parameter's range.
    pub starts: FxHashMap<(NodeId, usize), f64>,
    /// The parameters of instances that are given a signal, likewise: nothing else sets them.
    pub driven: FxHashSet<(NodeId, usize)>,
    /// Where the notes of instruments go that are machines outside.
    pub outside: FxHashMap<NodeId, Outside>,
    /// The first limit that was exceeded while the song was evaluated.
    pub too_large: Option<TooLarge>,
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
    /// Whether `out` is an expression that is measured: that may be a frequency or a time too.
    pub is_measured: bool,
    /// Whether it is a JSON song, whose numbers have no units.
    pub is_json: bool,
    /// The channels that `out` has to have; `None` where any will do.
    pub channels: Option<Channels>,
}

/// Checks a song and the definitions of the user's files, and reports what is wrong with their values. Groups that are like
/// some in `alike` are not evaluated again; those that are evaluated are kept there.
pub fn check(input: Input, alike: &mut Alike, problems: &mut Problems) -> Checked {
    alike.begin(&input);
    let mut checker = Checker::new(input, alike);
    for group in input.groups {
        checker.group(group);
    }
    checker.keep_node_types();
    for file in input.files.user_files() {
        for item in 0..input.files.file(file).ast.items.len() {
            checker.item(DefId { file, item });
        }
    }
    let Checker { problems: mut found, checked, .. } = checker;
    // What is wrong in the prelude follows from what a song gives it, which has been said.
    let follows = |problem: &Problem| input.files.is_prelude_source(problem.span().source);
    let is_error = |problem: &&Problem| problem.code.severity == Severity::Error;
    if found.iter().filter(is_error).any(|problem| !follows(problem)) {
        found.retain(|problem| !follows(problem));
    }
    // A number whose unit could not be read has none for that reason.
    let unread = |number: Span| {
        problems.iter().any(|p| p.span().source == number.source && p.span().start == number.end)
    };
    // A time that is out of its range says how it was read.
    let ranges = found.iter().filter(|problem| problem.code == &codes::OUT_OF_RANGE);
    let reported: Vec<Span> = ranges.map(Problem::span).collect();
    found.retain(|problem| {
        let span = problem.span();
        problem.code != &codes::UNIT_ASSUMED || !(unread(span) || reported.contains(&span))
    });
    problems.extend(found);
    checked
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
    /// Names of frames that are evaluated for their problems alone, when nothing is being evaluated.
    unused: VecDeque<(FrameId, usize)>,
    /// `prev`s of a name, by its scope: they are one state.
    shared: FxHashMap<PrevKey, Value>,
    nodes: Vec<NodeState>,
    alike: &'a mut Alike,
    /// The key of the group.
    words: Words,
    /// The instrument of which a voice is evaluated.
    instrument: Option<NodeId>,
    /// The nodes of the group.
    members: Vec<NodeId>,
    /// Whether something of the group has state.
    has_state: bool,
    unknowns: Unknowns,
    shapes: Vec<Shape>,
    partial: Partial,
    /// True while a definition is checked by itself.
    is_generic: bool,
    /// Expressions that were evaluated: all, for the group or definition, and for definitions by themselves.
    all_evaluations: usize,
    evaluations: usize,
    generic_evaluations: usize,
    /// Iterations of loops and elements of lists that were made, for the song and the definition that is checked by itself.
    turns: usize,
    /// How many expressions are being evaluated, one inside the other.
    depth: usize,
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
    fn new(input: Input<'a>, alike: &'a mut Alike) -> Checker<'a> {
        Checker {
            input,
            problems: Problems::default(),
            checked: Checked::default(),
            frames: vec![Frame::song(input.song)],
            open: vec![],
            reference: None,
            later: vec![],
            unused: VecDeque::new(),
            shared: FxHashMap::default(),
            nodes: vec![NodeState::Waits; input.graph.nodes.len()],
            alike,
            words: Words::default(),
            instrument: None,
            members: vec![],
            has_state: false,
            unknowns: Unknowns::default(),
            shapes: vec![],
            partial: Partial::default(),
            is_generic: false,
            all_evaluations: 0,
            evaluations: 0,
            generic_evaluations: 0,
            turns: 0,
            depth: 0,
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

    /// True when more was evaluated than a kernel, a song or a definition by itself may take. A definition by itself is only
    /// checked as far as that takes little time.
    fn is_too_much(&mut self, span: Span) -> bool {
        let limits = self.files().limits;
        let over = [
            (self.turns, limits.all_turns, SizeLimit::AllIterations),
            (self.evaluations, limits.evaluations, SizeLimit::Evaluations),
            (self.all_evaluations, limits.all_evaluations, SizeLimit::AllEvaluations),
        ];
        if self.is_generic {
            return self.evaluations > GENERIC_EVALUATIONS
                || self.generic_evaluations + self.evaluations > limits.evaluations
                || self.turns > limits.all_turns;
        }
        let over = over.into_iter().find(|(size, most, _)| size > most);
        if let Some((_, most, limit)) = over {
            self.checked.too_large.get_or_insert(TooLarge { span, limit, most });
        }
        over.is_some()
    }

    /// What is known of a dimension by now.
    fn known(&self, form: &Form) -> Option<Dimension> {
        self.unknowns.resolve(form).known()
    }

    /// A number of which only this is known.
    fn varying(&mut self, kind: Kind) -> Number {
        self.within(kind, ALL)
    }

    /// A number that lies in a range.
    fn within(&mut self, kind: Kind, range: Range) -> Number {
        self.partial.varying(kind, range)
    }

    /// What `f` makes of each channel of these signals; mono signals go to both.
    fn each(
        &mut self,
        signals: &[&Signal],
        dimension: impl Into<Form>,
        mut f: impl FnMut(&mut Partial, &[Number]) -> Number,
    ) -> Signal {
        let mut channel = |index: usize| {
            let values: Vec<Number> = signals.iter().map(|signal| signal.channel(index)).collect();
            f(&mut self.partial, &values)
        };
        let left = channel(0);
        match signals.iter().any(|signal| signal.stereo) {
            true => Signal::stereo(left, channel(1), dimension),
            false => Signal::mono(left, dimension),
        }
    }

    /// The same signal, of which only this is known of each channel.
    fn but(&mut self, signal: &Signal, kind: Kind, dimension: impl Into<Form>) -> Signal {
        self.each(&[signal], dimension, |o, _| o.varying(kind, ALL))
    }
}
