//! Rows of operators, as long as a file may be.

use super::{Ast, BinaryOp, Expr, ExprId};

/// One operator of a row with its operands.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The expression that consists of the operator and its operands.
    pub whole: ExprId,
    /// What is done with the two operands.
    pub op: BinaryOp,
    /// The left operand: the operation before this one, or the first operand of the row.
    pub left: ExprId,
    /// The operand that is written behind the operator.
    pub right: ExprId,
}

impl Ast {
    /// A row `a + b - c …`: its first operand, and its operations from the innermost to `expr`. It ends before what
    /// `is_first` says to be an operand although it is an operation itself. Rows may be as long as a file, so whoever
    /// recurses over expressions goes along them with this.
    pub fn row(&self, expr: ExprId, is_first: impl Fn(ExprId, BinaryOp) -> bool) -> (ExprId, Vec<Operation>) {
        let (mut first, mut row) = (expr, Vec::new());
        while let Expr::Binary { op, a, b } = self.exprs[first]
            && !is_first(first, op)
        {
            row.push(Operation { whole: first, op, left: a, right: b });
            first = a;
        }
        row.reverse();
        (first, row)
    }
}
