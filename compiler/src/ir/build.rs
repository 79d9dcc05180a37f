//! Adding instructions to a body.

use super::{Body, Imm, Inst, Op, Scalar, Type, Value};

impl Body {
    /// Adds an instruction of type `ty`.
    pub fn add(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        self.insts.add(Inst { op, ty, args: args.iter().copied().collect() })
    }

    /// Adds an instruction whose type its operands decide. Panics where they don't: sources and `tofloat`.
    pub fn op(&mut self, op: Op, args: &[Value]) -> Value {
        let types: Vec<Type> = args.iter().map(|v| self.insts[*v].ty).collect();
        let ty = op.result(&types).expect("the operands decide the type");
        self.add(op, ty, args)
    }

    /// Adds a constant in so many lanes.
    pub fn constant(&mut self, imm: Imm, lanes: u8) -> Value {
        self.add(Op::Const(imm), Type { scalar: imm.scalar(), lanes }, &[])
    }

    /// Adds an f32 constant in one lane.
    pub fn f32(&mut self, x: f32) -> Value {
        self.constant(Imm::F32(x), 1)
    }

    /// Adds an f64 constant.
    pub fn f64(&mut self, x: f64) -> Value {
        self.constant(Imm::F64(x), 1)
    }

    /// Adds an i32 constant in one lane.
    pub fn i32(&mut self, x: i32) -> Value {
        self.constant(Imm::I32(x), 1)
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.insts[value].ty
    }

    /// The constant that a value is, if it is one.
    pub fn as_const(&self, value: Value) -> Option<Imm> {
        match self.insts[value].op {
            Op::Const(imm) => Some(imm),
            _ => None,
        }
    }
}

impl Imm {
    /// The zero of a type; false.
    pub fn zero(scalar: Scalar) -> Imm {
        match scalar {
            Scalar::F32 => Imm::F32(0.0),
            Scalar::F64 => Imm::F64(0.0),
            Scalar::I32 => Imm::I32(0),
            Scalar::Bool => Imm::Bool(false),
        }
    }

    /// The value of a type that has these bits.
    pub fn from_bits(scalar: Scalar, bits: u64) -> Imm {
        match scalar {
            Scalar::F32 => Imm::F32(f32::from_bits(bits as u32)),
            Scalar::F64 => Imm::F64(f64::from_bits(bits)),
            Scalar::I32 => Imm::I32(bits as i32),
            Scalar::Bool => Imm::Bool(bits != 0),
        }
    }
}
