//! Lowering: from the graph to kernels.
//!
//! Each group of nodes ([`Group`](crate::graph::Group)) is evaluated by need, beginning with what others want of it:
//! an equation is evaluated when it is first used, and remembered; what a name refers to is looked up in the
//! [`Hir`]. `prev` and `tap` answer at once with words of state or delay lines, and what flows into them is evaluated
//! when everything else is done. Rates are inferred on the way. What is lowered has been checked ([`crate::hir::types`]),
//! so nothing is wrong with it; what is still found here is that the song is larger than a limit ([`TooLarge`]), or that
//! a block node stands where none can ([`Misplaced`]).
//!
//! A group is evaluated twice, in the same order: once with parameters that are constant over a call (the steady body),
//! once with parameters that may move (the general body). Both share states, delays and the interface.

mod block;
mod builder;
mod builtin;
mod calls;
mod copies;
mod delay;
mod eval;
mod field;
mod group;
mod hear;
mod late;
mod latency;
mod lines;
mod lists;
mod loops;
mod lowered;
mod matrix;
mod names;
mod node;
mod oversample;
mod phase;
mod playback;
mod pulses;
mod ranges;
mod recording;
mod remembered;
mod share;
mod size;
mod slots;
mod song;
mod spectra;
mod stages;
mod state;
mod sums;
mod template;
mod terms;
mod value;
mod waves;

pub use block::{Misplaced, Obstacle, What};
pub use lowered::{DATA, INPUT, KernelCall, Lowered, Ports, SignalId, Slots};
pub(crate) use share::anonymous;
pub use size::Refused;
pub use song::{Input, lower};
pub use state::{is_noise, noise_seed};
pub use sums::sum_kernel;
pub use template::Templates;

use crate::files::Files;
use crate::graph::{Graph, NodeId};
use crate::hir::Hir;
use crate::hir::resolve::resolved;
use crate::hir::types::Layouts;
use crate::ir::{DelayLine, TableId, Value};
use crate::library::Library;
use crate::size::TooLarge;
use crate::target::Target;
use crate::waves::Harmonics;
use block::BlockCall;
use builder::Builder;
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use names::{Scope, ScopeId};

use copies::InnerFrame;
use oversample::Regions;
use rustc_hash::{FxHashMap, FxHashSet};
use state::{Inner, Later};
use std::sync::Arc;
use value::{NodeVal, Val};

/// What all groups of a song share.
struct Song<'a> {
    files: &'a Files,
    library: &'a Library,
    graph: &'a Graph,
    /// The song's file.
    file: usize,
    /// Frames a second.
    rate: f64,
    /// The song's seed.
    seed: u64,
    /// The machine that kernels are made for: block nodes round as they do.
    target: Target,
    /// What is known of each node so far.
    results: Vec<Option<NodeVal>>,
    /// The signals of the expressions that are heard by themselves.
    heard: FxHashMap<ExprId, Vec<SignalId>>,
    slots: Slots,
    ports: Ports,
    tables: Vec<Vec<f32>>,
    /// Sound files in tables.
    rows: playback::Rows,
    /// The wavetables so far, each with the table of its copies.
    waves: Vec<(Vec<Harmonics>, TableId)>,
    terms: usize,
    /// How many expressions were evaluated.
    evaluations: usize,
    /// What `prev`s and `tap`s remember.
    layouts: &'a Layouts,
    /// The limit that the song exceeds, if it does.
    too_large: Option<TooLarge>,
    /// A block node that stands where none can.
    misplaced: Option<Misplaced>,
    /// Instances of the prelude as they were lowered.
    templates: &'a mut Templates,
    /// Frames by which signals are late, where they are.
    late: FxHashMap<SignalId, u32>,
    /// Where latencies are declared that are part of a cycle.
    cyclic: Vec<Span>,
}

/// One evaluation of a group: one body of its kernel.
struct Lower<'s, 'a> {
    song: &'s mut Song<'a>,
    members: &'s FxHashSet<NodeId>,
    b: Builder,
    scopes: Vec<Scope>,
    later: Vec<Later>,
    nodes: FxHashMap<NodeId, Option<Val>>,
    since: FxHashMap<(Value, Option<usize>, Option<InnerFrame>), Value>,
    /// What voices draw at their notes, by the instrument and the voice where the kernel has several.
    drawn: FxHashMap<(NodeId, Option<usize>), Val>,
    regions: Regions,
    /// The spectral regions so far.
    spectra: Vec<spectra::Region>,
    /// Signals that are remembered in regions, in the order of the inner frames.
    inner: FxHashMap<(usize, String, usize), Inner>,
    /// The delay lines of `fir`s in regions, and what they were given in the inner frames so far.
    fir: FxHashMap<(usize, String, usize), delay::FirLines>,
    /// The delay lines of named signals.
    lines: FxHashMap<(ScopeId, Arc<str>), remembered::Slots<DelayLine>>,
    /// What is written into the lines of recordings.
    written: FxHashMap<mam_grammar::Handle<DelayLine>, Value>,
    /// The delay lines of other kernels, by their names.
    borrowed: FxHashMap<String, mam_grammar::Handle<DelayLine>>,
    shared: FxHashMap<state::SharedKey, Val>,
    /// Expressions that are heard by themselves, and their values.
    heard: Vec<(ExprId, Val)>,
    /// The block nodes so far, and what flows into them.
    blocks: Vec<(BlockCall, Vec<Value>)>,
    /// How many expressions were evaluated.
    evaluations: usize,
    /// How many are being evaluated, one inside the other.
    depth: usize,
    /// What the kernel's local indices stand for.
    params: Vec<usize>,
    inputs: Vec<SignalId>,
    ports: Vec<usize>,
    voices: Vec<crate::ir::Voice>,
}

/// The place of an evaluation: whose names are seen, and the path that new state is named by.
#[derive(Clone)]
struct At {
    scope: ScopeId,
    path: Arc<str>,
}

impl<'s, 'a> Lower<'s, 'a> {
    fn new(song: &'s mut Song<'a>, members: &'s FxHashSet<NodeId>, b: Builder) -> Self {
        let root = Scope::song(song.file);
        Lower {
            song,
            members,
            b,
            scopes: vec![root],
            later: vec![],
            nodes: FxHashMap::default(),
            since: FxHashMap::default(),
            drawn: FxHashMap::default(),
            regions: Regions::default(),
            spectra: vec![],
            inner: FxHashMap::default(),
            fir: FxHashMap::default(),
            lines: FxHashMap::default(),
            written: FxHashMap::default(),
            borrowed: FxHashMap::default(),
            shared: FxHashMap::default(),
            heard: vec![],
            blocks: vec![],
            evaluations: 0,
            depth: 0,
            params: vec![],
            inputs: vec![],
            ports: vec![],
            voices: vec![],
        }
    }

    fn files(&self) -> &'a Files {
        self.song.files
    }

    /// What the names mean that stand where something is evaluated.
    fn hir(&self, at: &At) -> &'a Hir {
        resolved(self.files(), self.scopes[at.scope].file)
    }

    fn span(&self, at: &At, expr: ExprId) -> Span {
        self.files().file(self.scopes[at.scope].file).ast.span(expr)
    }

    /// Local index of a global thing, made on first use.
    fn local<T: PartialEq + Copy>(list: &mut Vec<T>, global: T) -> usize {
        list.iter().position(|&x| x == global).unwrap_or_else(|| {
            list.push(global);
            list.len() - 1
        })
    }

    fn param(&mut self, slot: usize) -> Value {
        let index = Self::local(&mut self.params, slot);
        self.b.param(index)
    }

    fn input(&mut self, signal: SignalId) -> Value {
        let index = Self::local(&mut self.inputs, signal);
        self.b.late_input(index, self.song.late.get(&signal).copied().unwrap_or(0))
    }
}
