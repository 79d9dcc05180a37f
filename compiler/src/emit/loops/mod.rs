//! The loop plan: how a body runs over the frames of a call, decided before any code is made.
//!
//! A [`LoopPlan`] is plain data, computed once by [`LoopPlan::new`] and never changed. It is the contract between the
//! optimiser and every back end: a back end reads a body and its plan and decides nothing but how an instruction is
//! encoded. It holds nothing of a code generator's. `mamc dump loops` prints it.
//!
//! # The shape of a function
//! What depends on the call alone comes first ([`LoopPlan::prologue`]). Then come the [`Loop`]s, one after the other, each
//! over all frames of the call, [`LoopPlan::step`] frames an iteration, without branches: a long body is distributed over
//! several ([`distribution`]), and each runs its instructions in the order of its [`schedule`]. A value that a later
//! loop needs is left in scratch memory, one slot an iteration. After the loops, outputs that are lanes of one vector are
//! transposed ([`deinterleave`]), and delay lines get their guard copies.
//!
//! # Where a value is
//! * [`LoopPlan::known`]: a constant, the same in all lanes.
//! * [`LoopPlan::hoisted`]: in the block of state memory, where `setup` has put it. It is loaded where it is used, as an
//!   operand in memory: all of them would take all registers. Each loop says which are loaded before it ([`Loop::resident`])
//!   or once an iteration ([`Loop::cached`]).
//! * [`Scratch::offsets`]: in scratch memory, for the loops after the one that computes it; loaded once an iteration.
//! * Otherwise where it was computed: in a register.

mod build;
mod deinterleave;
mod delay_lines;
mod distribution;
mod residency;
mod schedule;
mod text;

#[cfg(any(feature = "jit", feature = "wasm"))]
pub(super) use delay_lines::has_neighbours;
pub use text::text;

use crate::ir::layout::Layout;
use crate::ir::{Body, DelayLine, Imm, Kernel, Rate, StateSlot, Value};
use crate::target::{Machine, OptLevel};
use mam_grammar::Handle;
use mam_runtime::Form;
use std::collections::{BTreeMap, BTreeSet};

/// How one body of a kernel runs over the frames of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopPlan {
    /// Frames an iteration: 1 or 4.
    pub step: u32,
    /// The rate of each value.
    pub rates: Vec<Rate>,
    /// Values that are constants here, the same in all lanes. Nothing computes them.
    pub known: Vec<Option<Imm>>,
    /// What is computed before all else, in order: in forms that hoist nothing, whatever is slower than a call.
    pub prologue: Vec<Value>,
    /// Values that `setup` has computed, with their first byte in the block of state memory.
    pub hoisted: BTreeMap<Value, usize>,
    /// What is stored to the block after the prologue, and at which byte: what `setup` hoists.
    pub stores: Vec<(Value, usize)>,
    /// Hoisted values that are loaded once where nothing else is said: before the first loop.
    pub cached: BTreeSet<Value>,
    /// The pointers of the call that loops use, in the order in which they are loaded.
    pub pointers: Vec<Pointer>,
    /// Memory of one call for values that go from loop to loop.
    pub scratch: Scratch,
    /// Instructions whose first two operands are to be swapped; their result is the same.
    pub commuted: BTreeSet<Value>,
    /// The loops, in order.
    pub loops: Vec<Loop>,
    /// Outputs that are stored after the loops.
    pub transposes: Vec<Transpose>,
    /// Delay lines whose first frames are copied after the loops to the guard behind their end, where the call has written
    /// them; those of one length together.
    pub guard_copies: Vec<Vec<Handle<DelayLine>>>,
}

/// Scratch memory of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scratch {
    /// Bytes, a multiple of 16.
    pub bytes: u32,
    /// The first byte of each value's slots. Each iteration has [`Scratch::SLOT`] bytes, one after the other.
    pub offsets: BTreeMap<Value, u32>,
}

impl Scratch {
    /// Bytes of a value in one iteration, of whatever type.
    pub const SLOT: u32 = 16;
}

/// One loop over the frames of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loop {
    /// Values that are computed once, before the loop, in order.
    pub preheader: Vec<Value>,
    /// Reads of delay lines with linear addressing: their addresses are found before the loop.
    pub linear_reads: Vec<LinearRead>,
    /// Delay lines that are written with linear addressing.
    pub linear_writes: Vec<LinearWrite>,
    /// What an iteration finds at an address plus its offset, in the order in which it does; what shares an address with another
    /// read has none.
    pub addresses: Vec<Address>,
    /// How many of the addresses, of the first ones, have registers. The others are in memory, and loaded where they are used.
    pub addresses_in_registers: usize,
    /// Hoisted values that are loaded before the loop and stay in registers.
    pub resident: Vec<Value>,
    /// Hoisted values that are loaded once an iteration, where they are first used.
    pub cached: BTreeSet<Value>,
    /// True if the loop counts the absolute frame.
    pub counts_frames: bool,
    /// States that are loop-carried values in registers: loaded before the loop, stored after it.
    pub states: Vec<StateUpdate>,
    /// The body's loop-carried values.
    pub carried: Vec<Carried>,
    /// The actions of one iteration, in order.
    pub body: Vec<Action>,
    /// What comes after the last iteration.
    pub exit: Vec<Action>,
}

impl Loop {
    /// A value as a read with linear addressing, if it is one.
    pub(in crate::emit) fn linear_read(&self, value: Value) -> Option<&LinearRead> {
        self.linear_reads.iter().find(|read| read.value == value)
    }

    /// The values that an iteration computes, in order.
    pub(in crate::emit) fn computed(&self) -> impl Iterator<Item = Value> {
        self.body.iter().filter_map(|action| match action {
            Action::Compute(value) | Action::Read { value, .. } => Some(*value),
            _ => None,
        })
    }
}

/// Something of which a loop knows the address for the call's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A signal: an input, an output, or a parameter frame by frame.
    Signal(Pointer),
    /// A read with linear addressing that has an address of its own.
    Read(Value),
    /// Where a delay line is written with linear addressing.
    Write(Handle<DelayLine>),
    /// Where its guard copy is written, if each iteration does that.
    Guard(Handle<DelayLine>),
}

/// A state, and the value that it has after an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateUpdate {
    /// The state that is carried from iteration to iteration.
    pub state: Handle<StateSlot>,
    /// The value that it has after an iteration.
    pub value: Value,
}

/// A loop-carried value: a `loop_carried` and its back-edge operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carried {
    /// The `loop_carried`; its operand is its value in the first iteration.
    pub value: Value,
    /// What it is in the next iteration.
    pub next: Value,
    /// True if it has a register, false if it is in memory between iterations.
    pub in_register: bool,
}

/// One thing that is done, in a loop or after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Computes a value.
    Compute(Value),
    /// Computes a read of a delay line.
    Read {
        /// The value.
        value: Value,
        /// The delay line that is addressed.
        line: Handle<DelayLine>,
        /// How its frames are found.
        access: Access,
    },
    /// Takes a value out of the first lane of a vector that has it in all lanes.
    FirstLane {
        /// The value.
        value: Value,
        /// The vector value that is taken apart.
        vector: Value,
    },
    /// Stores a value in its scratch slot of this iteration.
    Spill(Value),
    /// Stores a value as the iteration's frames of an output.
    Output {
        /// Index of the output.
        index: usize,
        /// What is stored.
        value: Value,
    },
    /// Writes a value as the iteration's frames of a delay line.
    Write {
        /// The delay line that is addressed.
        line: Handle<DelayLine>,
        /// What is written.
        value: Value,
    },
    /// Stores a state's new value.
    Store(StateUpdate),
}

/// How the frames of a read are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// At an address that was found before the loop, plus the iteration's offset.
    Linear,
    /// The lanes are neighbours, so many frames back from the iteration's first.
    Contiguous(Uniform),
    /// Each lane by itself.
    Gather,
}

/// A value that is the same in all lanes, as a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uniform {
    /// A constant.
    Constant(Imm),
    /// A scalar.
    Scalar(Value),
    /// The first lane of a vector.
    FirstLane(Value),
}

/// A read with linear addressing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearRead {
    /// The value that reads the delay line.
    pub value: Value,
    /// The delay line that is addressed.
    pub line: Handle<DelayLine>,
    /// How many frames back it reads, throughout the call.
    pub ago: Uniform,
    /// The loop's read with an address of its own that is one frame further back in the line: this one's is a frame after it, as a guard
    /// copy goes on where the line ends.
    pub after: Option<Value>,
}

/// A delay line that is written with linear addressing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearWrite {
    /// The delay line that is addressed.
    pub line: Handle<DelayLine>,
    /// True if each iteration writes the guard copy as well; false if that is done after the loops.
    pub with_guard: bool,
}

/// A vector whose lanes are outputs. It is left in scratch memory by the loops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transpose {
    /// The vector value that is taken apart.
    pub value: Value,
    /// The output that each lane is.
    pub outputs: [usize; 4],
}

/// Which of the call's tables of pointers, and which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pointer {
    /// The block of state memory.
    State,
    /// The parameters' values.
    Params,
    /// The event ports.
    Ports,
    /// A delay line's first frame.
    Delay(u32),
    /// A parameter, frame by frame.
    Moving(u32),
    /// An input.
    Input(u32),
    /// An output.
    Output(u32),
}

impl Pointer {
    /// Whether it goes on with the frames of a call.
    pub fn is_signal(self) -> bool {
        matches!(self, Pointer::Moving(_) | Pointer::Input(_) | Pointer::Output(_))
    }
}

/// The plans of a form of a kernel: one a body that it runs, in order.
pub fn plans(
    kernel: &Kernel,
    layout: &Layout,
    form: Form,
    level: OptLevel,
    machine: &Machine,
) -> Vec<(FormBody, LoopPlan)> {
    let tail = || kernel.tail.as_ref().map(|tail| (FormBody::Tail, tail, &layout.tail));
    let steady = [(FormBody::Steady, &kernel.steady, &layout.steady)].into_iter().chain(tail());
    match form {
        Form::Setup => steady.map(|(which, body, hoisted)| (which, LoopPlan::setup(body, hoisted))).collect(),
        Form::Steady => steady
            .map(|(which, body, hoisted)| {
                // A tail is short.
                let distributes = level == OptLevel::Best && which == FormBody::Steady;
                let rules = Rules { level, machine, distributes };
                (which, LoopPlan::new(kernel, body, Some(hoisted), &rules))
            })
            .collect(),
        Form::General => {
            let rules = Rules { level, machine, distributes: false };
            vec![(FormBody::General, LoopPlan::new(kernel, &kernel.general, None, &rules))]
        }
    }
}

/// Which body of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormBody {
    /// [`Kernel::general`].
    General,
    /// [`Kernel::steady`].
    Steady,
    /// [`Kernel::tail`].
    Tail,
}

impl FormBody {
    /// The body of a kernel.
    ///
    /// # Panics
    /// Where a kernel without a tail is asked for it.
    pub fn body(self, kernel: &Kernel) -> &Body {
        match self {
            FormBody::General => &kernel.general,
            FormBody::Steady => &kernel.steady,
            FormBody::Tail => kernel.tail.as_ref().expect("plans are made of the bodies that there are"),
        }
    }
}

/// What a plan depends on besides the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'m> {
    /// At [`OptLevel::Quick`] instructions stay in the order of the body.
    pub level: OptLevel,
    /// Its registers and its operands.
    pub machine: &'m Machine,
    /// True if a long body may be distributed over several loops.
    pub distributes: bool,
}
