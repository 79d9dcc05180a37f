//! `expect`: what a measure is to be.

use super::{Arg, Ast, Expr, ExprId, Ident};

/// What a measure of an expression is to be: `expect rt60(plate(decay: 2s), at: 1kHz) within 6% of 2s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The measure with what is measured, and how: always an [`Expr::Call`].
    pub call: ExprId,
    /// What the value is compared with; `None` where the measure itself is a condition, as `silent` is.
    pub condition: Option<Condition>,
}

/// What a measured value is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `< 0dB`
    Below(ExprId),
    /// `> -60dB`
    Above(ExprId),
    /// `in -16..-9`: both ends included.
    Between(ExprId, ExprId),
    /// `within 6% of 2s`
    Within {
        /// How far it may be away.
        tolerance: ExprId,
        /// The value that it is to have.
        of: ExprId,
    },
}

impl Condition {
    /// Its expressions, in the order in which they are written.
    pub fn exprs(self) -> Vec<ExprId> {
        match self {
            Condition::Below(bound) | Condition::Above(bound) => vec![bound],
            Condition::Between(low, high) => vec![low, high],
            Condition::Within { tolerance, of } => vec![tolerance, of],
        }
    }
}

impl Ast {
    /// The measure of an `expect`, and what it is given.
    pub fn measure(&self, expect: &Expect) -> (&Ident, &[Arg]) {
        match &self.exprs[expect.call] {
            Expr::Call { callee, args } => (callee, args),
            _ => unreachable!("an `expect` is made from a call"),
        }
    }
}
