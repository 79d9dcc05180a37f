//! The table of ops: one row an op. What else a new op needs stands in `docs/how-to-add.md`.

use super::typing::{FLOATS, INTS, LOGIC, NUMBERS, Signature};
use super::{Op, PortField, meaning};
use crate::ir::{Imm, InputId, ParamId, PortId, Scalar, TableId};
use mam_grammar::Handle;

/// What is known of an op.
pub struct Row {
    /// Its name in the text form.
    pub name: &'static str,
    /// An op of this row; what an op carries (an index, an immediate) is 0 in it.
    pub op: Op,
    /// Which operands it takes, and what its result is.
    pub signature: Signature,
    /// What it computes, of one lane. None where that depends on more than the operands: sources and lanes.
    pub meaning: Option<fn(&[Imm], Scalar) -> Imm>,
}

/// Rows of ops, and the row of each op.
macro_rules! rows {
    ($($op:ident $(($($payload:expr),+))? $name:literal $signature:expr, $meaning:expr;)+) => {
        /// All ops, in the order of [`Op`].
        pub static ROWS: &[&Row] = &[$(&Row {
            name: $name, op: Op::$op $(($($payload),+))?, signature: $signature, meaning: $meaning,
        }),+];

        impl Op {
            /// Its row of the table.
            pub fn row(self) -> &'static Row {
                match self {
                    $(Op::$op { .. } => {
                        static ROW: Row = Row {
                            name: $name, op: Op::$op $(($($payload),+))?, signature: $signature, meaning: $meaning,
                        };
                        &ROW
                    })+
                }
            }
        }
    };
}

use Signature::{
    Any, Compare, Convert, Extract, Lookup, Neighbours, Pack, Same, Select, Slide, Source, Splat, Total,
    Totals,
};

rows! {
    Const(Imm::I32(0)) "const" Source, None;
    Param(ParamId::ZERO) "param" Source, None;
    Port(PortId::ZERO, PortField::Trig) "port" Source, None;
    Input(InputId::ZERO) "input" Source, None;
    Frame "frame" Source, None;
    CallFrame "call_frame" Source, None;
    CallFrames "call_frames" Source, None;
    Get(Handle::ZERO) "get" Source, None;
    LiveIn(Handle::ZERO) "live_in" Source, None;
    LoopCarried "loop_carried" Any, None;
    Read(Handle::ZERO) "read" Lookup, None;
    Table(TableId::ZERO) "table" Lookup, None;
    Neighbours(TableId::ZERO) "neighbours" Neighbours, None;

    Add "add" Same(2, NUMBERS), Some(meaning::add);
    Sub "sub" Same(2, NUMBERS), Some(meaning::sub);
    Mul "mul" Same(2, NUMBERS), Some(meaning::mul);
    Div "div" Same(2, FLOATS), Some(meaning::div);
    Neg "neg" Same(1, NUMBERS), Some(meaning::neg);
    Min "min" Same(2, NUMBERS), Some(meaning::min);
    Max "max" Same(2, NUMBERS), Some(meaning::max);
    Fma "fma" Same(3, FLOATS), Some(meaning::fma);
    Abs "abs" Same(1, FLOATS), Some(meaning::abs);
    Sqrt "sqrt" Same(1, FLOATS), Some(meaning::sqrt);
    Floor "floor" Same(1, FLOATS), Some(meaning::floor);
    Ceil "ceil" Same(1, FLOATS), Some(meaning::ceil);
    Trunc "trunc" Same(1, FLOATS), Some(meaning::trunc);
    Round "round" Same(1, FLOATS), Some(meaning::round);

    Lt "lt" Compare, Some(meaning::lt);
    Le "le" Compare, Some(meaning::le);
    Eq "eq" Compare, Some(meaning::eq);
    Ne "ne" Compare, Some(meaning::ne);
    Select "select" Select, Some(meaning::select);

    And "and" Same(2, LOGIC), Some(meaning::and);
    Or "or" Same(2, LOGIC), Some(meaning::or);
    Xor "xor" Same(2, LOGIC), Some(meaning::xor);
    Not "not" Same(1, LOGIC), Some(meaning::not);
    Shl "shl" Same(2, INTS), Some(meaning::shl);
    Ushr "ushr" Same(2, INTS), Some(meaning::ushr);
    Sshr "sshr" Same(2, INTS), Some(meaning::sshr);

    Demote "demote" Convert(&[(Scalar::F64, Scalar::F32)]), Some(meaning::demote);
    Promote "promote" Convert(&[(Scalar::F32, Scalar::F64)]), Some(meaning::promote);
    ToFloat "tofloat" Convert(&[(Scalar::I32, Scalar::F32), (Scalar::I32, Scalar::F64)]), Some(meaning::to_float);
    ToInt "toint" Convert(&[(Scalar::F32, Scalar::I32), (Scalar::F64, Scalar::I32)]), Some(meaning::to_int);
    Bits "bits" Convert(&[(Scalar::F32, Scalar::I32), (Scalar::I32, Scalar::F32)]), Some(meaning::bits);
    HighBits "high_bits" Convert(&[(Scalar::F64, Scalar::I32)]), Some(meaning::high_bits);
    FromHighBits "from_high_bits" Convert(&[(Scalar::I32, Scalar::F64)]), Some(meaning::from_high_bits);

    SinTurn "sin_turn" Same(1, FLOATS), Some(meaning::sin_turn);
    CosTurn "cos_turn" Same(1, FLOATS), Some(meaning::cos_turn);
    TanTurn "tan_turn" Same(1, FLOATS), Some(meaning::tan_turn);
    Exp2 "exp2" Same(1, FLOATS), Some(meaning::exp2);
    Log2 "log2" Same(1, FLOATS), Some(meaning::log2);
    Pow "pow" Same(2, FLOATS), Some(meaning::pow);
    Tanh "tanh" Same(1, FLOATS), Some(meaning::tanh);
    Atan "atan" Same(1, FLOATS), Some(meaning::atan);

    Splat "splat" Splat, None;
    Extract(0) "extract" Extract, None;
    Pack "pack" Pack, None;
    Total "total" Total, None;
    Totals "totals" Totals, None;
    Slide "slide" Slide, None;
}
