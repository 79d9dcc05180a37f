//! The ops: the closed set that everything is made of.
//!
//! An op is a variant of [`Op`] with its doc and a row of [`ROWS`] with its name and typing rule. An elementwise op has a meaning,
//! the function of one lane that the constant folder and the interpreter run; a structural one, a source or one that moves lanes,
//! has none: the interpreter and each back end say what it gives.

mod elementary;
mod meaning;
mod table;
mod typing;

pub(crate) use elementary::{Formula, expand, is_elementary};
pub use table::{ROWS, Row};
pub use typing::Signature;

use super::{DelayLine, Imm, InputId, ParamId, PortId, Rate, Scalar, StateSlot, TableId, Type};
use mam_grammar::Handle;
use mam_runtime::Port;

/// What an event port knows of its latest note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortField {
    /// True in the first frame of a note (bool).
    Trig,
    /// True in the first frame of a note that begins before the port's last one has ended (bool).
    Slur,
    /// True in the first frame of a note that finds the voice asleep, or never used (bool).
    Fresh,
    /// True while a note is held (bool).
    Gate,
    /// True while the voice sounds: it has been woken and has not fallen silent (bool).
    Active,
    /// Frequency in Hz (f64).
    Freq,
    /// MIDI note number (f64).
    Note,
    /// Velocity, 1 is nominal (f64).
    Vel,
}

impl PortField {
    /// Whether it is true in the first frame of a note alone, so that a body in which none begins has it false.
    pub fn is_onset(self) -> bool {
        matches!(self, PortField::Trig | PortField::Slur | PortField::Fresh)
    }

    /// Whether it is a truth value; else it is an f64.
    pub fn is_bool(self) -> bool {
        self.is_onset() || matches!(self, PortField::Gate | PortField::Active)
    }

    /// The bit of [`Port::trig`] that is set where it is true; `None` where any bit will do, as each comes with a note.
    pub fn onset_mask(self) -> Option<u32> {
        match self {
            PortField::Slur => Some(Port::SLUR),
            PortField::Fresh => Some(Port::FRESH),
            _ => None,
        }
    }
}

/// What an instruction does. "Number" is f32, f64 or i32 (wrapping); "float" is f32 or f64. Operands and result
/// have one type unless the op says otherwise, and the same number of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    // Sources
    /// A constant.
    Const(Imm),
    /// A parameter: f64, held for the call, in a steady body; f32, frame by frame, in a general one.
    Param(ParamId),
    /// An event port.
    Port(PortId, PortField),
    /// An input signal (f32); lane k is the iteration's k-th frame.
    Input(InputId),
    /// The absolute index of the frame, modulo 2³² (i32); lane k is the iteration's k-th frame.
    Frame,
    /// The absolute index of the call's first frame, modulo 2³² (i32). Always one lane.
    CallFrame,
    /// How many frames the body computes in the call: a multiple of those of an iteration (i32). Always one lane.
    CallFrames,
    /// The value of a state at the end of the iteration before, in the state's lanes.
    Get(Handle<StateSlot>),
    /// The value that a state has when the call begins, in the state's lanes.
    LiveIn(Handle<StateSlot>),
    /// `loop_carried a`: a, computed at the start of the call, in its first iteration; in each further one what
    /// [`Body::back_edges`](super::Body::back_edges) gave it in the iteration before. Any type.
    LoopCarried,
    /// `read d`: what the line was given d frames ago (i32 → f32); d ≥ 1 and below the capacity, else taken
    /// modulo the capacity. Lane k counts back from the iteration's k-th frame, a single lane from its first: what the
    /// iteration itself gives the line is not seen, so in iterations of four d ≥ 4 in lanes.
    Read(Handle<DelayLine>),
    /// `table i`: an element of a constant table (i32 → f32); the index is clamped to the table.
    Table(TableId),
    /// `neighbours i`: the elements i, i+1, i+2, i+3 of a constant table as lanes (i32 → f32); each index is clamped to the table.
    Neighbours(TableId),

    // Arithmetic on numbers
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b (float)
    Div,
    /// −a
    Neg,
    /// a where a < b, else b
    Min,
    /// a where b < a, else b
    Max,
    /// a · b + c, rounded once (float). Only where the target has it.
    Fma,
    /// |a| (float)
    Abs,
    /// √a (float)
    Sqrt,
    /// Greatest whole number ≤ a (float).
    Floor,
    /// Least whole number ≥ a (float).
    Ceil,
    /// a without its fraction (float).
    Trunc,
    /// Nearest whole number, ties to even (float).
    Round,

    // Comparison (numbers → bool) and choice
    /// a < b
    Lt,
    /// a ≤ b
    Le,
    /// a = b
    Eq,
    /// a ≠ b
    Ne,
    /// `select c a b`: a where c (bool), else b. Any type.
    Select,

    // Bits (bool or i32)
    /// a ∧ b
    And,
    /// a ∨ b
    Or,
    /// a ⊕ b
    Xor,
    /// ¬a
    Not,
    /// a shifted left by b modulo 32 (i32)
    Shl,
    /// a shifted right by b modulo 32, zeros moving in (i32)
    Ushr,
    /// a shifted right by b modulo 32, keeping its sign (i32)
    Sshr,

    // Conversion
    /// f64 → f32, rounded.
    Demote,
    /// f32 → f64.
    Promote,
    /// i32 → float, signed, rounded.
    ToFloat,
    /// float → i32, towards zero, saturating; NaN is 0.
    ToInt,
    /// f32 ↔ i32, the same bits. Those of a NaN are left open; a subnormal pattern becomes 0.
    Bits,
    /// f64 → i32, the upper half of its bits: sign, exponent and the first 20 digits. Those of a NaN are left open.
    HighBits,
    /// i32 → f64, the number of which these are the upper half of the bits and 0 the lower. A subnormal pattern becomes 0.
    FromHighBits,

    // Elementary functions (float)
    /// sin(2π·a)
    SinTurn,
    /// cos(2π·a)
    CosTurn,
    /// tan(2π·a)
    TanTurn,
    /// 2ᵃ
    Exp2,
    /// log₂ a
    Log2,
    /// aᵇ
    Pow,
    /// tanh a
    Tanh,
    /// arctan a, in radians
    Atan,

    // Lanes
    /// One scalar in all four lanes.
    Splat,
    /// Lane k of four (→ scalar).
    Extract(u8),
    /// Four scalars as lanes.
    Pack,
    /// The sum of the lanes, (0+1)+(2+3), each addition rounded (f32 → scalar).
    Total,
    /// `totals a b c d`: the total of each of four, lane k that of the k-th (f32).
    Totals,
    /// `slide a b`: four lanes a frame later: the scalar b, then the first three lanes of a.
    Slide,
}

impl Op {
    /// How many machine instructions it becomes in the loop over the frames, roughly: what a kernel costs to compile. Elementary
    /// functions are polynomials by then, delay lines and tables are addressed and interpolated around.
    pub fn instructions(self) -> usize {
        match self {
            Op::Const(_) | Op::Param(_) => 0,
            // It is loaded and stored, and lives through the frame.
            Op::Get(_) => 4,
            Op::Read(_) => 12,
            Op::Table(_) | Op::Neighbours(_) => 6,
            Op::Totals => 9,
            Op::SinTurn | Op::CosTurn | Op::Exp2 | Op::Log2 => 16,
            Op::TanTurn | Op::Tanh | Op::Pow | Op::Atan => 32,
            _ => 1,
        }
    }

    /// The constant table that it reads, if it reads one.
    pub fn table(self) -> Option<TableId> {
        match self {
            Op::Table(table) | Op::Neighbours(table) => Some(table),
            _ => None,
        }
    }

    /// The rate that an instruction has by itself, apart from its operands.
    pub fn own_rate(self, ty: Type) -> Rate {
        match self {
            Op::Param(_) if ty.scalar == Scalar::F64 => Rate::Segment,
            Op::Port(_, field) if field.is_onset() => Rate::Sample,
            Op::Param(_) => Rate::Sample,
            Op::Port(..) => Rate::Segment,
            Op::LiveIn(_) | Op::CallFrame | Op::CallFrames => Rate::Call,
            Op::Input(_) | Op::Frame | Op::Get(_) | Op::LoopCarried | Op::Read(_) => Rate::Sample,
            _ => Rate::Const,
        }
    }
}
