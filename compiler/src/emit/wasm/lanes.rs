//! Values in four lanes.

use super::function::Function;
use crate::ir::{Imm, Scalar};
use wasm_encoder::Instruction;

/// Pushes a constant.
pub(super) fn immediate(f: &mut Function, imm: Imm, lanes: u8) {
    if lanes > 1 {
        return f.op(Instruction::V128Const(vector([imm; 4])));
    }
    f.op(match imm {
        Imm::F32(x) => Instruction::F32Const(x.into()),
        Imm::F64(x) => Instruction::F64Const(x.into()),
        Imm::I32(x) => Instruction::I32Const(x),
        Imm::Bool(x) => Instruction::I32Const(i32::from(x)),
    });
}

/// Four constants in the lanes of one value.
pub(super) fn vector(lanes: [Imm; 4]) -> i128 {
    let bits = |imm| match imm {
        Imm::Bool(true) => u128::from(u32::MAX),
        imm => u128::from(imm.bits() as u32),
    };
    lanes.into_iter().rev().fold(0, |all, imm| all << 32 | bits(imm)) as i128
}

/// Replaces a scalar by four of it.
pub(super) fn splat(f: &mut Function, scalar: Scalar) {
    match scalar {
        Scalar::F32 => f.op(Instruction::F32x4Splat),
        Scalar::Bool => f.ops([Instruction::I32x4Splat, Instruction::I32x4Neg]),
        Scalar::I32 | Scalar::F64 => f.op(Instruction::I32x4Splat),
    }
}

/// Replaces a vector by one of its lanes.
pub(super) fn extract(f: &mut Function, scalar: Scalar, lane: u8) {
    match scalar {
        Scalar::F32 => f.op(Instruction::F32x4ExtractLane(lane)),
        Scalar::Bool => {
            f.ops([Instruction::I32x4ExtractLane(lane), Instruction::I32Const(1), Instruction::I32And]);
        }
        Scalar::I32 | Scalar::F64 => f.op(Instruction::I32x4ExtractLane(lane)),
    }
}

/// Replaces a bool by the lane that it is: all bits or none.
pub(super) fn mask(f: &mut Function) {
    f.ops([Instruction::I32Const(-1), Instruction::I32Mul]);
}

/// Pushes a vector of the four scalars that `lane` pushes.
pub(super) fn pack(f: &mut Function, scalar: Scalar, mut lane: impl FnMut(&mut Function, u8)) {
    lane(f, 0);
    splat(f, scalar);
    for index in 1..4 {
        lane(f, index);
        match scalar {
            Scalar::F32 => f.op(Instruction::F32x4ReplaceLane(index)),
            Scalar::Bool => {
                mask(f);
                f.op(Instruction::I32x4ReplaceLane(index));
            }
            Scalar::I32 | Scalar::F64 => f.op(Instruction::I32x4ReplaceLane(index)),
        }
    }
}

/// Replaces two vectors by four of their eight lanes.
pub(super) fn shuffle(f: &mut Function, lanes: [u8; 4]) {
    let bytes = std::array::from_fn(|i| 4 * lanes[i / 4] + (i % 4) as u8);
    f.op(Instruction::I8x16Shuffle(bytes));
}
