//! Operators, and what is unrolled: what is computed of what.

use super::ExprId;

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Or,
    And,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    Concat,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Concat => "++",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "mod",
            BinaryOp::Pow => "^",
        }
    }
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `not x`
    Not,
}

/// What becomes of the values of a loop's iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// They are added; of none it is 0.
    Sum,
    /// They are multiplied; of none it is 1.
    Product,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// They are the elements of a list.
    List,
    /// They are constants, the samples of a buffer.
    Table,
}

impl Reduction {
    /// All of them, in the order of their declaration.
    pub const ALL: [Reduction; 6] = [
        Reduction::Sum,
        Reduction::Product,
        Reduction::Max,
        Reduction::Min,
        Reduction::List,
        Reduction::Table,
    ];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Product => "product",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::List => "list",
            Reduction::Table => "table",
        }
    }
}

/// What a loop iterates over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// Whole numbers, from the first to the last, both included.
    Range(ExprId, ExprId),
    /// The elements of a list.
    List(ExprId),
}

impl Over {
    /// The expressions that it is made of.
    pub fn operands(self) -> Vec<ExprId> {
        match self {
            Over::Range(from, to) => vec![from, to],
            Over::List(list) => vec![list],
        }
    }
}
