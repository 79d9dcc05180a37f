//! The ops that are one instruction, whatever their operands.

use crate::ir::{Op, Scalar, Type};
use wasm_encoder::Instruction;

/// The encodings of an op for operands of a type.
struct Encodings {
    f32: Instruction<'static>,
    f64: Instruction<'static>,
    i32: Instruction<'static>,
    f32x4: Instruction<'static>,
    i32x4: Instruction<'static>,
}

impl Encodings {
    fn for_operand(self, operand: Type) -> Instruction<'static> {
        match (operand.scalar, operand.lanes) {
            (Scalar::F32, 1) => self.f32,
            (Scalar::F32, _) => self.f32x4,
            (Scalar::F64, _) => self.f64,
            (Scalar::I32 | Scalar::Bool, 1) => self.i32,
            (Scalar::I32 | Scalar::Bool, _) => self.i32x4,
        }
    }
}

/// The instruction that an op is, where it is one, whatever its operands are; by the type of its first.
pub(super) fn plain(op: Op, operand: Type) -> Option<Instruction<'static>> {
    use Instruction as I;
    let all = |f32, f64, i32, f32x4, i32x4| Some(Encodings { f32, f64, i32, f32x4, i32x4 });
    // The checker passes no other operands.
    let floats = |f32, f64, f32x4| all(f32, f64, I::Unreachable, f32x4, I::Unreachable);
    let ints = |i32, i32x4| all(I::Unreachable, I::Unreachable, i32, I::Unreachable, i32x4);
    let encodings = match op {
        Op::Add => all(I::F32Add, I::F64Add, I::I32Add, I::F32x4Add, I::I32x4Add),
        Op::Sub => all(I::F32Sub, I::F64Sub, I::I32Sub, I::F32x4Sub, I::I32x4Sub),
        Op::Mul => all(I::F32Mul, I::F64Mul, I::I32Mul, I::F32x4Mul, I::I32x4Mul),
        Op::Div => floats(I::F32Div, I::F64Div, I::F32x4Div),
        Op::Abs => floats(I::F32Abs, I::F64Abs, I::F32x4Abs),
        Op::Sqrt => floats(I::F32Sqrt, I::F64Sqrt, I::F32x4Sqrt),
        Op::Floor => floats(I::F32Floor, I::F64Floor, I::F32x4Floor),
        Op::Ceil => floats(I::F32Ceil, I::F64Ceil, I::F32x4Ceil),
        Op::Trunc => floats(I::F32Trunc, I::F64Trunc, I::F32x4Trunc),
        Op::Round => floats(I::F32Nearest, I::F64Nearest, I::F32x4Nearest),
        Op::Lt => all(I::F32Lt, I::F64Lt, I::I32LtS, I::F32x4Lt, I::I32x4LtS),
        Op::Le => all(I::F32Le, I::F64Le, I::I32LeS, I::F32x4Le, I::I32x4LeS),
        Op::Eq => all(I::F32Eq, I::F64Eq, I::I32Eq, I::F32x4Eq, I::I32x4Eq),
        Op::Ne => all(I::F32Ne, I::F64Ne, I::I32Ne, I::F32x4Ne, I::I32x4Ne),
        Op::And => ints(I::I32And, I::V128And),
        Op::Or => ints(I::I32Or, I::V128Or),
        Op::Xor => ints(I::I32Xor, I::V128Xor),
        Op::ToInt => floats(I::I32TruncSatF32S, I::I32TruncSatF64S, I::I32x4TruncSatF32x4S),
        Op::Demote => return Some(I::F32DemoteF64),
        Op::Promote => return Some(I::F64PromoteF32),
        _ => None,
    };
    encodings.map(|encodings| encodings.for_operand(operand))
}
