//! Which operands an op takes, and the type of its result.

use super::Op;
use crate::ir::{Scalar, Type};

/// The typing rule of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// No operands; the type is the source's (see [`crate::ir::check`]).
    Source,
    /// One operand of the result's type.
    Any,
    /// One i32, in as many lanes as the result, an f32.
    Lookup,
    /// One i32 of one lane; the result is four lanes of f32.
    Neighbours,
    /// So many operands, all of the result's type, which is one of these.
    Same(usize, &'static [Scalar]),
    /// Two numbers of one type; the result is a bool in as many lanes.
    Compare,
    /// A bool in as many lanes as the result, and two operands of the result's type.
    Select,
    /// One operand; from and to what. As many lanes.
    Convert(&'static [(Scalar, Scalar)]),
    /// One lane to four.
    Splat,
    /// Four lanes to one.
    Extract,
    /// Four times one lane to four.
    Pack,
    /// Four lanes of f32 to one.
    Total,
    /// Four times four lanes of f32 to four.
    Totals,
    /// Four lanes and one to four.
    Slide,
}

/// f32, f64 and i32.
pub(super) const NUMBERS: &[Scalar] = &[Scalar::F32, Scalar::F64, Scalar::I32];
/// f32 and f64.
pub(super) const FLOATS: &[Scalar] = &[Scalar::F32, Scalar::F64];
/// i32.
pub(super) const INTS: &[Scalar] = &[Scalar::I32];
/// i32 and bool.
pub(super) const LOGIC: &[Scalar] = &[Scalar::I32, Scalar::Bool];

impl Signature {
    /// Whether an instruction of type `ty` may have operands of these types. (Of a source only that it has none.)
    pub fn admits(self, ty: Type, args: &[Type]) -> bool {
        match (self, args) {
            (Signature::Source, []) => true,
            (Signature::Any, &[a]) => a == ty,
            (Signature::Lookup, &[a]) => a == Type::I32.with_lanes(ty.lanes) && ty.scalar == Scalar::F32,
            (Signature::Neighbours, &[a]) => a == Type::I32 && ty == Type::F32.with_lanes(4),
            (Signature::Same(count, of), _) => {
                args.len() == count && of.contains(&ty.scalar) && args.iter().all(|a| *a == ty)
            }
            (Signature::Compare, &[a, b]) => {
                a == b && NUMBERS.contains(&a.scalar) && ty == Type::BOOL.with_lanes(a.lanes)
            }
            (Signature::Select, &[c, a, b]) => a == ty && b == ty && c == Type::BOOL.with_lanes(ty.lanes),
            (Signature::Convert(pairs), &[a]) => {
                a.lanes == ty.lanes && pairs.contains(&(a.scalar, ty.scalar))
            }
            (Signature::Splat, &[a]) => a.lanes == 1 && ty == a.with_lanes(4),
            (Signature::Extract, &[a]) => a.lanes == 4 && ty == a.with_lanes(1),
            (Signature::Pack, &[a, ..]) => {
                args.len() == 4 && args.iter().all(|b| *b == a) && a.lanes == 1 && ty == a.with_lanes(4)
            }
            (Signature::Total, &[a]) => a == Type::F32.with_lanes(4) && ty == Type::F32,
            (Signature::Totals, _) => {
                args.len() == 4 && args.iter().all(|a| *a == ty) && ty == Type::F32.with_lanes(4)
            }
            (Signature::Slide, &[a, b]) => a == ty && ty.lanes == 4 && b == ty.with_lanes(1),
            _ => false,
        }
    }

    /// How many operands there are.
    pub fn operands(self) -> usize {
        match self {
            Signature::Source => 0,
            Signature::Any
            | Signature::Lookup
            | Signature::Neighbours
            | Signature::Convert(_)
            | Signature::Splat
            | Signature::Extract
            | Signature::Total => 1,
            Signature::Same(count, _) => count,
            Signature::Compare | Signature::Slide => 2,
            Signature::Select => 3,
            Signature::Pack | Signature::Totals => 4,
        }
    }
}

impl Op {
    /// The type of the result, where the operands decide it alone: for all ops but sources and the conversions that
    /// have a choice.
    pub fn result(self, args: &[Type]) -> Option<Type> {
        let first = args.first().copied();
        match self.row().signature {
            Signature::Source => None,
            Signature::Lookup => Some(Type::F32.with_lanes(first?.lanes)),
            Signature::Neighbours => Some(Type::F32.with_lanes(4)),
            Signature::Any | Signature::Same(..) | Signature::Slide | Signature::Totals => first,
            Signature::Compare => Some(Type::BOOL.with_lanes(first?.lanes)),
            Signature::Select => args.get(1).copied(),
            Signature::Convert(pairs) => {
                let mut to =
                    pairs.iter().filter(|pair| Some(pair.0) == first.map(|a| a.scalar)).map(|pair| pair.1);
                match (to.next(), to.next()) {
                    (Some(scalar), None) => Some(Type { scalar, lanes: first?.lanes }),
                    _ => None,
                }
            }
            Signature::Splat | Signature::Pack => Some(first?.with_lanes(4)),
            Signature::Extract | Signature::Total => Some(first?.with_lanes(1)),
        }
    }
}
