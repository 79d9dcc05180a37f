//! The units in which values are written.

use crate::dimension::Dimension;
use crate::text;
use mam_grammar::ast::{Ast, Expr, ExprId, Formal, Unit};

/// The units in which a default and its range are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// The unit in which the default is written.
    pub value: Option<Unit>,
    /// Of the least value.
    pub low: Option<Unit>,
    /// Of the greatest value.
    pub high: Option<Unit>,
}

impl Units {
    /// Those of a written default and range.
    pub fn written(ast: &Ast, default: Option<ExprId>, range: Option<(ExprId, ExprId)>) -> Units {
        let of = |expr: Option<ExprId>| expr.and_then(|expr| unit_of(ast, expr));
        let (low, high) = range.unzip();
        Units { value: of(default), low: of(low), high: of(high) }
    }

    /// How many base units one plain number stands for: a time is read in the unit of the default, else in seconds.
    pub fn scale(self, dimension: Dimension) -> f64 {
        if dimension == Dimension::TIME && self.value == Some(Unit::Ms) { 1e-3 } else { 1.0 }
    }

    /// A value in base units as it would be written.
    pub fn show(self, x: f64, dimension: Dimension) -> String {
        text::in_unit(x, self.value, dimension)
    }

    /// A range as it is written: `-60dB..0dB`.
    pub fn range(self, (min, max): (f64, f64), dimension: Dimension) -> String {
        let end = |x, unit: Option<Unit>| text::in_unit(x, unit.or(self.value), dimension);
        format!("{}..{}", end(min, self.low), end(max, self.high))
    }
}

/// The unit in which a number is written, if it is one.
pub fn unit_of(ast: &Ast, expr: ExprId) -> Option<Unit> {
    match &ast.exprs[expr] {
        Expr::Number(number) => number.unit,
        Expr::Paren(x) | Expr::Unary { x, .. } => unit_of(ast, *x),
        _ => None,
    }
}

/// What an argument of a `def` measures, and how its values are written; `None` where it takes anything as it is.
pub fn of_formal(ast: &Ast, formal: &Formal) -> Option<(Dimension, Units)> {
    let written = Units::written(ast, formal.default, formal.range);
    let value = written.value.or(formal.unit);
    let unit = formal.unit.or(value).or(written.low).or(written.high);
    if unit.is_none() && formal.range.is_none() {
        return None;
    }
    Some((unit.map_or(Dimension::PLAIN, Dimension::from_unit), Units { value, ..written }))
}
