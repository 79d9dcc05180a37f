//! Constant amounts of the score, exactly: `130`, `3/16 bar`, `40ms`, `12%`, `7st`.

use super::codes::SCORE_NUMBER;
use crate::dimension::{Dimension, base_value};
use mam_grammar::ast::{Ast, BinaryOp, Expr, ExprId, MusicalUnit, UnaryOp, Unit};
use mam_grammar::{Problem, Span};
use mam_runtime::score::Rational;

/// A constant of a score, exact, with its dimension or unit of musical time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    /// A number in the base unit of its dimension.
    Number(Dimension, Rational),
    /// Semitones: a ratio of frequencies, kept exact.
    Semitones(Rational),
    /// A length in beats, which are quarter notes.
    Beats(Rational),
    /// A length in bars of the meter.
    Bars(Rational),
}

/// What a number with a unit is, in base units.
pub(super) fn in_base(digits: &str, unit: Option<Unit>) -> Option<Amount> {
    let x = match digits.split_once('/') {
        // Only octaves are written so, as a number of their own.
        Some((over, under)) if unit == Some(Unit::Octaves) => {
            (Rational::from_decimal(over)? * Rational::from_decimal(under)?.inverse().ok()?).ok()?
        }
        _ => Rational::from_decimal(digits)?,
    };
    let exactly = |scale| (x * scale).ok();
    let base = match unit {
        Some(Unit::St) => return Some(Amount::Semitones(x)),
        Some(Unit::Ct) => return Some(Amount::Semitones(exactly(Rational::ratio(1, 100))?)),
        Some(Unit::Octaves) => return Some(Amount::Semitones(exactly(Rational::whole(12))?)),
        Some(Unit::Db) => Rational::from_f64(base_value(x.to_f64(), unit))?,
        Some(Unit::Percent) => exactly(Rational::ratio(1, 100))?,
        Some(Unit::KHz) => exactly(Rational::whole(1000))?,
        Some(Unit::Ms) => exactly(Rational::ratio(1, 1000))?,
        None | Some(Unit::Hz | Unit::S) => x,
    };
    Some(Amount::Number(unit.map_or(Dimension::PLAIN, Dimension::from_unit), base))
}

/// A number with a unit, as one word.
pub(super) fn from_word(text: &str) -> Option<Amount> {
    in_base(text, None).or_else(|| {
        Unit::ALL.into_iter().find_map(|unit| in_base(text.strip_suffix(unit.text())?, Some(unit)))
    })
}

/// The value of a constant expression.
pub(super) fn exact(ast: &Ast, expr: ExprId) -> Result<Amount, Problem> {
    let fail = |why: &str| {
        let message = format!("a score needs a number that is known beforehand, and {why}");
        Err(Problem::new(&SCORE_NUMBER, ast.span(expr), message))
    };
    match &ast.exprs[expr] {
        Expr::Number(n) => in_base(&n.digits, n.unit).map_or_else(|| fail("this one does not fit"), Ok),
        Expr::Paren(inner) => exact(ast, *inner),
        Expr::Length { amount, unit } => match (exact(ast, *amount)?, unit) {
            (Amount::Number(Dimension::PLAIN, x), MusicalUnit::Beat) => Ok(Amount::Beats(x)),
            (Amount::Number(Dimension::PLAIN, x), MusicalUnit::Bar) => Ok(Amount::Bars(x)),
            _ => fail("this is not a number of beats or bars"),
        },
        Expr::Unary { op: UnaryOp::Neg, x } => match scaled(exact(ast, *x)?, Rational::whole(-1)) {
            Some(amount) => Ok(amount),
            None => fail("this one does not fit"),
        },
        Expr::Binary { op: op @ (BinaryOp::Mul | BinaryOp::Div), a, b } => {
            let (a, b) = (exact(ast, *a)?, exact(ast, *b)?);
            if matches!((op, b), (BinaryOp::Div, Amount::Number(Dimension::PLAIN, x)) if x.sign() == 0) {
                return fail("this divides by 0")
                    .map_err(|problem| problem.help("write a number other than 0 behind `/`"));
            }
            let product = match (op, a, b) {
                (BinaryOp::Div, a, Amount::Number(Dimension::PLAIN, x)) => {
                    x.inverse().ok().and_then(|x| scaled(a, x))
                }
                (BinaryOp::Mul, a, Amount::Number(Dimension::PLAIN, x))
                | (BinaryOp::Mul, Amount::Number(Dimension::PLAIN, x), a) => scaled(a, x),
                _ => None,
            };
            product.map_or_else(|| fail("this product does not fit"), Ok)
        }
        _ => fail("this is not one"),
    }
}

fn scaled(amount: Amount, by: Rational) -> Option<Amount> {
    Some(match amount {
        Amount::Number(d, x) => Amount::Number(d, (x * by).ok()?),
        Amount::Semitones(x) => Amount::Semitones((x * by).ok()?),
        Amount::Beats(x) => Amount::Beats((x * by).ok()?),
        Amount::Bars(x) => Amount::Bars((x * by).ok()?),
    })
}

/// A plain constant; `what` names it in the message.
pub(super) fn plain(ast: &Ast, expr: ExprId, what: &str) -> Result<Rational, Problem> {
    match exact(ast, expr)? {
        Amount::Number(Dimension::PLAIN, x) => Ok(x),
        _ => Err(without_unit(ast, expr, not_so(ast.span(expr), format!("{what} is a plain number")))),
    }
}

/// Adds the help to leave the unit of a number out.
fn without_unit(ast: &Ast, expr: ExprId, problem: Problem) -> Problem {
    let digits = match &ast.exprs[expr] {
        Expr::Number(number) if number.unit.is_some() => &*number.digits,
        Expr::Length { amount, .. } if let Expr::Number(number) = &ast.exprs[*amount] => &*number.digits,
        _ => return problem.help("write a number without a unit"),
    };
    problem.help(format!("write it without a unit: `{digits}`")).guess(ast.span(expr), digits)
}

/// A plain constant that is a whole number within bounds; `what` says for what, as in "for a seed".
pub(super) fn count(
    ast: &Ast,
    expr: ExprId,
    what: &str,
    bounds: std::ops::RangeInclusive<i64>,
) -> Result<i64, Problem> {
    counted(plain(ast, expr, &format!("what is wanted {what}"))?, ast.span(expr), what, bounds)
}

/// A number at a place as a whole number within bounds.
pub(super) fn counted(
    x: Rational,
    span: Span,
    what: &str,
    bounds: std::ops::RangeInclusive<i64>,
) -> Result<i64, Problem> {
    let whole = (x.den() == 1).then(|| i64::try_from(x.num()).ok()).flatten();
    whole.filter(|n| bounds.contains(n)).ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        let message = match least == most {
            true => format!("the number {least} is wanted {what}"),
            false => format!("a whole number from {least} to {most} is wanted {what}"),
        };
        let nearest = x.to_f64().round().clamp(*bounds.start() as f64, *bounds.end() as f64);
        not_so(span, message).help(format!("write `{nearest}`")).guess(span, nearest.to_string())
    })
}

/// A problem with a number of the score.
pub(super) fn not_so(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(&SCORE_NUMBER, span, message)
}
