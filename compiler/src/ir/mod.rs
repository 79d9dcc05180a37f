//! The intermediate representation: kernels in SSA over a closed set of ops.
//!
//! # What a kernel is
//! A [`Kernel`] computes one node of the graph (an instrument's voice, an effect, an equation of the song, or a
//! feedback cycle of several of these), a stretch of at most 64 frames at a time. It is shared by all nodes that
//! differ only in data: everything that tells two of them apart (state, parameter values, buffers, events) is
//! reached through the call's tables, by local index.
//!
//! # When a value is computed
//! A [`Body`] is a list of instructions in which operands stand before their users: one loop over it is a
//! topological walk. Each value has a [`Rate`], the greatest of its operands' (see [`Body::rates`]). Constants are
//! immediates. What has the rate [`Rate::Segment`] is computed once a segment, before its calls; [`Rate::Call`] once a
//! call, before its frames, from the states that it starts with; [`Rate::Sample`] once an iteration. An iteration is [`Body::step`] frames: 1, or 4 where the body was rewritten into lanes.
//!
//! # When state changes
//! `get` sees the value that a state had at the end of the iteration before; all [`Body::sets`] and
//! [`Body::writes`] happen at the end of the iteration, at once. This is `prev`, and it is the whole theory of state.
//! A `read` of a delay line sees what was written so many frames ago (at least one), 0 before the start.
//!
//! A `loop_carried` is state for the length of a call: a value that starts with its operand, and is in each further iteration what
//! [`Body::back_edges`] gave it in the iteration before.
//!
//! # Two bodies
//! * **General**: the call may begin with a note (`trig` is true in the first frame), and parameters are read
//!   frame by frame, so they may move.
//! * **Steady**: no note begins in the call and no parameter moves. `trig` is known false; parameters have the
//!   rate [`Rate::Segment`], so that everything that depends only on them is computed once.
//!
//! A steady body may take four frames an iteration, the lanes of its values: then there is a **tail**, the same one frame an
//! iteration, for the frames that are left; and it may have a condition, without which the tail does all frames.
//!
//! All have the same states, delays, parameters, inputs, outputs and ports, in the same order.
//!
//! # Numbers
//! Audio is f32. What is slower than a sample is computed in f64 and rounded once, where it meets audio. Flush to
//! zero is part of the meaning: a float that would be subnormal is 0 with its sign. No value, state, parameter, input
//! or table holds one.

mod build;
pub mod check;
pub mod cycles;
mod ids;
pub mod lanes;
pub mod layout;
mod op;
pub mod sums;
pub(crate) mod text;

pub use ids::{InputId, ParamId, PortId, TableId};
pub(crate) use op::{Formula, expand, is_elementary};
pub use op::{Op, PortField, ROWS, Row, Signature};

use mam_grammar::{Arena, Handle};
use mam_runtime::LONG;
use mam_runtime::block::Block;
use std::sync::Arc;

/// All kernels of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// The kernels, each at most once.
    pub kernels: Arena<Kernel>,
    /// Constant tables, read by [`Op::Table`].
    pub tables: Vec<Vec<f32>>,
}

/// One kernel: its interface and its two bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// What it was made from, for people: `kick`, `out`, `lead+echo`.
    pub name: String,
    /// The words of state, with their values at the start.
    pub states: Arena<StateSlot>,
    /// The delay lines, with their lengths in frames.
    pub delays: Arena<DelayLine>,
    /// Names of the parameters, in the order of [`Op::Param`]'s index.
    pub params: Vec<String>,
    /// Names of the input signals (f32), in the order of [`Op::Input`]'s index.
    pub inputs: Vec<String>,
    /// Names of the output signals (f32), in the order of [`Body::outs`].
    pub outputs: Vec<String>,
    /// Names of the event ports, in the order of [`Op::Port`]'s index.
    pub ports: Vec<String>,
    /// The voices that can fall silent.
    pub voices: Vec<Voice>,
    /// For calls with a note at their start, or parameters that move.
    pub general: Body,
    /// For all other calls.
    pub steady: Body,
    /// The steady body for the frames that are left when `steady` takes four an iteration: the same, one frame an iteration.
    pub tail: Option<Body>,
    /// What a block node computes in the place of the bodies, with its delay lines: these give silence then, and stand for it wherever only
    /// inputs and outputs matter.
    pub block: Option<Arc<Block>>,
}

impl Kernel {
    /// Operations a frame while nothing begins. A body in lanes does four frames at a time.
    pub fn operations(&self) -> usize {
        match &self.block {
            Some(block) => block.cost(),
            None => self.steady.count(Rate::Sample).div_ceil(self.steady.step as usize),
        }
    }

    /// A copy without bodies: parameters, states, ports, inputs and outputs.
    pub fn without_bodies(&self) -> Kernel {
        Kernel {
            name: self.name.clone(),
            states: self.states.clone(),
            delays: self.delays.clone(),
            params: self.params.clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            ports: self.ports.clone(),
            voices: self.voices.clone(),
            general: Body::default(),
            steady: Body::default(),
            tail: None,
            block: self.block.clone(),
        }
    }
}

/// A state: a word, or four in the lanes of one value. Its name is a path that edits elsewhere do not change:
/// `filter.ic1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StateSlot {
    /// Path within the node.
    pub name: String,
    /// Its value at the start, in all lanes.
    pub init: Imm,
    /// How many words it has: 1 or 4.
    pub lanes: u8,
}

impl StateSlot {
    /// A state of one word.
    pub fn word(name: String, init: Imm) -> StateSlot {
        StateSlot { name, init, lanes: 1 }
    }

    /// The type of its value.
    pub fn ty(&self) -> Type {
        Type { scalar: self.init.scalar(), lanes: self.lanes }
    }
}

/// A delay line for f32.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DelayLine {
    /// Path within the node.
    pub name: String,
    /// Capacity in frames: a power of two, greater than the longest delay.
    pub frames: u32,
    /// Who writes it, and who reads it.
    pub sharing: Sharing,
}

/// Which calls a delay line belongs to. One that is lent is known to those that borrow it by its name in the song.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// The call alone writes and reads it.
    #[default]
    Own,
    /// The call writes it, and later calls of the quantum read it as well.
    Lent,
    /// Another call writes it, before this one reads it.
    Borrowed,
}

impl DelayLine {
    /// A line that the call alone writes and reads.
    pub fn unshared(name: String, frames: u32) -> DelayLine {
        DelayLine { name, frames, sharing: Sharing::Own }
    }

    /// Frames of a line in which four are written and four others read at once.
    pub const LANES: u32 = 8;

    /// The capacity of a line that is read at most so many frames back. The shortest ones are as long as others, so that a call goes
    /// through each from one address on.
    pub fn holding(longest: u32) -> u32 {
        (longest + 2).next_power_of_two().max(LONG as u32)
    }
}

/// A part of a kernel that falls silent: an instrument's voice with an `until`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Voice {
    /// The port whose notes wake it.
    pub port: PortId,
    /// The bool state that says, at the end of each call, whether the voice may fall silent. Where it has four lanes,
    /// the voice's own is [`Voice::lane`].
    pub until: Handle<StateSlot>,
    /// Its words of state, set to their initial values when it wakes. The kernel's words are those of its states in
    /// order, a state in four lanes having four.
    pub states: std::ops::Range<u32>,
    /// Of these, each so many-th belongs to it, from the first on: 1, or 4 where it is one of four lanes.
    pub every: u32,
    /// Its delay lines, cleared when it wakes.
    pub delays: std::ops::Range<u32>,
}

impl Voice {
    /// Which lane of the states in four lanes it is.
    pub fn lane(&self) -> usize {
        (self.states.start % self.every) as usize
    }
}

/// A value: the result of an instruction of a [`Body`].
pub type Value = Handle<Inst>;

/// The instructions of one form of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// Instructions; operands stand before their users.
    pub insts: Arena<Inst>,
    /// What the states become at the end of each iteration. A state that is not set keeps its value.
    pub sets: Vec<(Handle<StateSlot>, Value)>,
    /// What each `loop_carried` is in the next iteration of the call.
    pub back_edges: Vec<(Value, Value)>,
    /// What the delay lines are given at the end of each iteration.
    pub writes: Vec<(Handle<DelayLine>, Value)>,
    /// The output signals, in the order of [`Kernel::outputs`].
    pub outs: Vec<Value>,
    /// Frames that one iteration computes: 1 or 4.
    pub step: u32,
    /// In iterations of four frames, a bool computed once a call: where it is false, the tail runs for all frames instead.
    pub only_if: Option<Value>,
}

impl Default for Body {
    fn default() -> Self {
        Body {
            insts: Arena::default(),
            sets: vec![],
            back_edges: vec![],
            writes: vec![],
            outs: vec![],
            step: 1,
            only_if: None,
        }
    }
}

/// An instruction, which defines one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inst {
    /// The operation, as the table of ops describes it.
    pub op: Op,
    /// The type of its result.
    pub ty: Type,
    /// The values that it reads, in the op's order.
    pub args: Args,
}

/// At most [`Args::MOST`] operands, kept in place. Those that are not there are 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Args {
    len: u8,
    all: [Value; Args::MOST],
}

impl Args {
    /// No op has more.
    pub const MOST: usize = 4;

    /// The operands as a slice.
    pub fn as_slice(&self) -> &[Value] {
        &self.all[..self.len as usize]
    }

    /// The same with each operand replaced.
    pub fn map(self, f: impl FnMut(&Value) -> Value) -> Args {
        self.as_slice().iter().map(f).collect()
    }
}

impl std::hash::Hash for Args {
    /// In few words: bodies are hashed much.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let [a, b, c, d] = self.all.map(|value| value.index() as u64);
        state.write_u8(self.len);
        state.write_u64(a | b << 32);
        if self.len > 2 {
            state.write_u64(c | d << 32);
        }
    }
}

impl FromIterator<Value> for Args {
    /// Panics on more than [`Args::MOST`].
    fn from_iter<I: IntoIterator<Item = Value>>(iter: I) -> Args {
        let mut args = Args { len: 0, all: [Value::new(0); Args::MOST] };
        for value in iter {
            args.all[args.len as usize] = value;
            args.len += 1;
        }
        args
    }
}

impl std::fmt::Debug for Args {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// The type of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// Audio.
    F32,
    /// Constants, coefficients, anchors.
    F64,
    /// Phase, counters, bits; wraps.
    I32,
    /// The result of a comparison.
    Bool,
}

/// The type of a value: a scalar, or four lanes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// The type of each lane.
    pub scalar: Scalar,
    /// How many: 1 or 4.
    pub lanes: u8,
}

impl Type {
    /// The type of one f32 value.
    pub const F32: Type = Type { scalar: Scalar::F32, lanes: 1 };
    /// The type of one f64 value.
    pub const F64: Type = Type { scalar: Scalar::F64, lanes: 1 };
    /// The type of one i32 value.
    pub const I32: Type = Type { scalar: Scalar::I32, lanes: 1 };
    /// The type of one bool value.
    pub const BOOL: Type = Type { scalar: Scalar::Bool, lanes: 1 };

    /// The same scalar in `lanes` lanes.
    pub fn with_lanes(self, lanes: u8) -> Type {
        Type { lanes, ..self }
    }

    /// Whether four of it are one value in lanes: it is one, and no f64.
    pub fn is_packable(self) -> bool {
        self.lanes == 1 && self.scalar != Scalar::F64
    }
}

impl std::hash::Hash for Type {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u16(u16::from(self.lanes) << 8 | self.scalar as u16);
    }
}

/// A constant of a scalar type.
#[derive(Clone, Copy, Debug)]
pub enum Imm {
    /// An f32; never subnormal.
    F32(f32),
    /// An f64; never subnormal.
    F64(f64),
    /// An i32.
    I32(i32),
    /// A bool.
    Bool(bool),
}

impl Imm {
    /// The scalar type of the constant.
    pub fn scalar(self) -> Scalar {
        match self {
            Imm::F32(_) => Scalar::F32,
            Imm::F64(_) => Scalar::F64,
            Imm::I32(_) => Scalar::I32,
            Imm::Bool(_) => Scalar::Bool,
        }
    }

    /// The bits of the constant, zero-extended to 64.
    pub fn bits(self) -> u64 {
        match self {
            Imm::F32(x) => u64::from(x.to_bits()),
            Imm::F64(x) => x.to_bits(),
            Imm::I32(x) => u64::from(x as u32),
            Imm::Bool(x) => u64::from(x),
        }
    }
}

impl PartialEq for Imm {
    /// By bits: 0 and −0 differ, a NaN is itself.
    fn eq(&self, other: &Imm) -> bool {
        self.scalar() == other.scalar() && self.bits() == other.bits()
    }
}
impl Eq for Imm {}
impl std::hash::Hash for Imm {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u8(self.scalar() as u8);
        // Small whole numbers as f64 differ in their upper bits alone, of which a hasher that multiplies makes nothing of the lower
        // ones: all of them would be in a few places of a table.
        let bits = self.bits();
        state.write_u64(bits ^ bits >> 32);
    }
}

/// How often a value changes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// Never.
    Const,
    /// At events and when a parameter is set.
    Segment,
    /// Once a call, at its start.
    Call,
    /// Every frame.
    Sample,
}

impl Body {
    /// How many values are computed at a rate.
    pub fn count(&self, rate: Rate) -> usize {
        self.rates().into_iter().filter(|of| *of == rate).count()
    }

    /// The rate of each value, in order. A `get` of a state that the body never sets is as constant as the call:
    /// so data that tells two nodes of one kernel apart are states that are never set.
    pub fn rates(&self) -> Vec<Rate> {
        let mut rates: Vec<Rate> = Vec::with_capacity(self.insts.len());
        let mut set = vec![false; self.sets.iter().map(|(state, _)| state.index() + 1).max().unwrap_or(0)];
        self.sets.iter().for_each(|(state, _)| set[state.index()] = true);
        for inst in self.insts.values() {
            let own = match inst.op {
                Op::Get(state) if set.get(state.index()) != Some(&true) => Rate::Segment,
                op => op.own_rate(inst.ty),
            };
            let rate = inst.args.as_slice().iter().map(|v| rates[v.index()]).fold(own, Rate::max);
            rates.push(rate);
        }
        rates
    }
}
