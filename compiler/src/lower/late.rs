//! How late the values of a kernel in the making are.

use crate::ir::{Args, DelayLine, Kernel, Op, PortField, Value};
use mam_grammar::{Handle, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// Frames by which a value is late; none where it says the same whenever it is heard.
pub(super) type Late = Option<u32>;

/// What is known of a kernel's latencies before it is lowered.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    /// The latest that each spectral region sees of the values around it.
    pub(super) seen: FxHashMap<usize, u32>,
    /// Frames by which what a state holds is late, by the state's name.
    pub(super) states: FxHashMap<String, u32>,
    /// The same of delay lines.
    pub(super) lines: FxHashMap<String, u32>,
    /// The declared latencies that are part of a cycle, by their order in the kernel.
    pub(super) cyclic: FxHashSet<usize>,
}

/// A value of a body that declares a latency.
pub(super) struct Declared {
    pub(super) value: Value,
    pub(super) frames: u32,
    pub(super) span: Span,
}

/// The latencies of a kernel in the making.
#[derive(Default)]
pub(super) struct Tracked {
    /// Of each value, in order.
    pub(super) all: Vec<Late>,
    pub(super) declared: Vec<Declared>,
    /// What is known; nothing while the kernel is lowered for the first time, when nothing is aligned.
    pub(super) known: Option<Latencies>,
    /// Whether a value of another kernel is late.
    pub(super) enters_late: bool,
    /// What spectral regions see of the values around them.
    pub(super) seen: Vec<(usize, Value)>,
    /// What flows into block nodes, and what comes out.
    pub(super) through: Vec<(Value, Value)>,
    /// How many delay lines align values.
    pub(super) lines: usize,
    /// Lines that are no later because of who reads them, further back then.
    pub(super) recorded: FxHashSet<Handle<DelayLine>>,
    /// Frames by which what borrowed lines hold is late.
    pub(super) borrowed: FxHashMap<Handle<DelayLine>, u32>,
}

impl Tracked {
    /// With what is known of the kernel.
    pub(super) fn knowing(known: Option<Latencies>) -> Tracked {
        Tracked { known, ..Tracked::default() }
    }

    /// Whether anything is late.
    pub(super) fn is_late(&self) -> bool {
        self.enters_late || !self.declared.is_empty()
    }

    /// Takes note of a line that another kernel writes.
    pub(super) fn borrow(&mut self, line: Handle<DelayLine>, late: u32) {
        self.borrowed.insert(line, late);
        self.recorded.insert(line);
        self.enters_late |= late > 0;
    }

    /// Takes note of the next value, made by `op` of `args`.
    pub(super) fn add(&mut self, kernel: &Kernel, op: Op, args: &Args) {
        let state = |h: Handle<_>| &kernel.states[h].name;
        let own = match (op, &self.known) {
            (Op::Port(_, PortField::Active), _) => None,
            (Op::Param(_) | Op::Port(..) | Op::Frame | Op::Input(_), _) => Some(0),
            (Op::Read(h), _) if let Some(late) = self.borrowed.get(&h) => Some(*late),
            (Op::Get(h), Some(known)) => known.states.get(state(h)).copied(),
            (Op::Read(h), Some(known)) => known.lines.get(&kernel.delays[h].name).copied(),
            _ => None,
        };
        self.all.push(args.as_slice().iter().map(|arg| self.all[arg.index()]).fold(own, Late::max));
    }
}
