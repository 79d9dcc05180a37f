//! Values of parameters that follow the tempo: `3/8 bar`, `2 beats`, `1 / (2 bars)`.

use super::amount::{Amount, exact};
use crate::dimension::Dimension;
use mam_grammar::ast::{Ast, BinaryOp, Expr, ExprId, MusicalUnit};
use mam_runtime::ids::ParamId;
use mam_runtime::score::{MusicalLength, Rational};
use std::fmt;

/// A length in musical time, or a rate whose period is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Musical {
    /// How many of the unit, more than 0.
    pub amount: Rational,
    /// Beats or bars, of which the amount is.
    pub unit: MusicalUnit,
    /// Whether it is a frequency: one over the length.
    pub is_rate: bool,
}

/// Beats of a bar of 4/4, and the tempo of a song that does not say one.
const COMMON: (Rational, f64) = (Rational::whole(4), 120.0);

impl Musical {
    /// What an expression is, if it is a length or one over a length, and nothing but numbers.
    pub(crate) fn read(ast: &Ast, expr: ExprId) -> Option<Musical> {
        match &ast.exprs[expr] {
            Expr::Paren(inner) => Musical::read(ast, *inner),
            Expr::Binary { op: BinaryOp::Div, a, b } => match (exact(ast, *a).ok()?, exact(ast, *b).ok()?) {
                (Amount::Number(Dimension::PLAIN, x), length) => {
                    let Musical { amount, unit, .. } = Musical::length(length)?;
                    let amount = (amount * x.inverse().ok()?).ok()?;
                    (amount > Rational::ZERO).then_some(Musical { amount, unit, is_rate: true })
                }
                _ => Musical::length(exact(ast, expr).ok()?),
            },
            _ => Musical::length(exact(ast, expr).ok()?),
        }
    }

    fn length(amount: Amount) -> Option<Musical> {
        let (amount, unit) = match amount {
            Amount::Beats(amount) => (amount, MusicalUnit::Beat),
            Amount::Bars(amount) => (amount, MusicalUnit::Bar),
            Amount::Number(..) | Amount::Semitones(_) => return None,
        };
        (amount > Rational::ZERO).then_some(Musical { amount, unit, is_rate: false })
    }

    /// What it measures: a time or a frequency.
    pub fn dimension(&self) -> Dimension {
        if self.is_rate { Dimension::FREQUENCY } else { Dimension::TIME }
    }

    /// A parameter that has this value, where a bar has so many quarter notes.
    pub fn of_param(&self, param: ParamId, beats_per_bar: Rational) -> MusicalLength {
        let beats = match self.unit {
            MusicalUnit::Beat => self.amount,
            MusicalUnit::Bar => (self.amount * beats_per_bar).unwrap_or(self.amount),
        };
        MusicalLength { param, beats, is_rate: self.is_rate, is_default: true }
    }

    /// Its value in seconds or Hz, in 4/4 at 120 beats a minute.
    pub fn common(&self) -> f64 {
        let (beats_per_bar, bpm) = COMMON;
        self.of_param(ParamId::new(0), beats_per_bar).value(bpm)
    }
}

impl fmt::Display for Musical {
    /// As it is written in mam.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            MusicalUnit::Beat => "beat",
            MusicalUnit::Bar => "bar",
        };
        let many = if self.amount.num() == 1 || self.amount < Rational::ONE { "" } else { "s" };
        let amount = match self.amount.den() {
            1 => self.amount.num().to_string(),
            den => format!("{}/{den}", self.amount.num()),
        };
        match self.is_rate {
            true => write!(f, "1 / ({amount} {unit}{many})"),
            false => write!(f, "{amount} {unit}{many}"),
        }
    }
}
