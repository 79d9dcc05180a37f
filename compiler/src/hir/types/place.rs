//! What the places expect that values are brought into.

use crate::dimension::Dimension;
use crate::hir::whole::Whole;
use crate::library::Expected;
use crate::units::Units;
use mam_grammar::Span;
use mam_grammar::ast::{Ident, Unit};
use std::sync::Arc;

/// What an argument's place expects.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    pub(super) name: Arc<str>,
    pub(super) of: Arc<str>,
    pub(super) span: Span,
    pub(super) dimension: Dimension,
    /// How its values are written, and so which base units a plain number stands for.
    pub(super) units: Units,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Whether values are clamped to the range; those of a `def` are only checked.
    pub(super) clamps: bool,
    /// Whether they are whole numbers.
    pub(super) whole: Option<Whole>,
}

impl Expectation {
    /// Whether no value of the place is written in this unit of ratios: a time in dB, a frequency in %, a level in semitones.
    pub(super) fn is_foreign(&self, unit: Unit) -> bool {
        let is_interval = |unit| matches!(unit, Unit::St | Unit::Ct | Unit::Octaves);
        Dimension::from_unit(unit) == Dimension::PLAIN
            && match (self.dimension, self.units.value) {
                (Dimension::PLAIN, Some(Unit::Db)) => is_interval(unit),
                (Dimension::PLAIN, Some(wanted)) if is_interval(wanted) => unit == Unit::Db,
                (dimension, _) => dimension != Dimension::PLAIN,
            }
    }

    /// What a built-in called `of` expects of an argument that is measured in `unit`.
    pub(super) fn of_unit(name: &Ident, of: &Arc<str>, unit: Unit) -> Expectation {
        let units = Units { value: Some(unit), ..Units::default() };
        let range = (f64::NEG_INFINITY, f64::INFINITY);
        let dimension = Dimension::from_unit(unit);
        Expectation::of_formal(name, of, &Expected { dimension, range, units, whole: None })
    }

    /// What a `def` called `of` expects of an argument.
    pub(super) fn of_formal(name: &Ident, of: &Arc<str>, expected: &Expected) -> Expectation {
        Expectation {
            name: name.name.clone(),
            of: of.clone(),
            span: name.span,
            dimension: expected.dimension,
            units: expected.units,
            min: expected.range.0,
            max: expected.range.1,
            clamps: false,
            whole: expected.whole,
        }
    }
}
