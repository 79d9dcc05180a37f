//! Dimensions: the power of time that a number carries.

use mam_grammar::ast::Unit;
use std::fmt;

/// A power of time: seconds are 1, hertz −1, plain numbers 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dimension(pub i8);

impl Dimension {
    /// A number without a dimension: a ratio, a gain, a count.
    pub const PLAIN: Dimension = Dimension(0);
    /// A time in seconds.
    pub const TIME: Dimension = Dimension(1);
    /// A frequency in hertz.
    pub const FREQUENCY: Dimension = Dimension(-1);

    /// The dimension of a number with this unit.
    pub fn from_unit(unit: Unit) -> Dimension {
        match unit {
            Unit::Hz | Unit::KHz => Dimension::FREQUENCY,
            Unit::Ms | Unit::S => Dimension::TIME,
            Unit::Db | Unit::Percent | Unit::St | Unit::Ct | Unit::Octaves => Dimension::PLAIN,
        }
    }

    /// That of two values that are added or compared, of which a plain one goes with anything.
    pub fn common(self, other: Dimension) -> Option<Dimension> {
        match (self, other) {
            (x, y) if x == y => Some(x),
            (x, Dimension::PLAIN) => Some(x),
            (Dimension::PLAIN, y) => Some(y),
            _ => None,
        }
    }

    /// The dimension of a product of two numbers.
    pub fn times(self, other: Dimension) -> Dimension {
        Dimension(self.0.saturating_add(other.0).max(-i8::MAX))
    }

    /// The dimension of a quotient of two numbers.
    pub fn over(self, other: Dimension) -> Dimension {
        Dimension(self.0.saturating_sub(other.0).max(-i8::MAX))
    }

    /// Of a power with a constant exponent. What has a dimension takes whole exponents from −8 to 8.
    pub fn power(self, exponent: f64) -> Option<Dimension> {
        let whole = exponent.fract() == 0.0 && exponent.abs() <= 8.0;
        match self {
            Dimension::PLAIN => Some(self),
            _ => whole.then(|| Dimension(self.0.saturating_mul(exponent as i8).max(-i8::MAX))),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("a plain number"),
            1 => f.write_str("a time"),
            -1 => f.write_str("a frequency"),
            n => write!(f, "a power of time (s^{n})"),
        }
    }
}

/// A written number in base units: Hz, s, or plain (80% is 0.8, −6dB 0.501, 7st 1.498).
pub fn base_value(value: f64, unit: Option<Unit>) -> f64 {
    match unit {
        None | Some(Unit::Hz | Unit::S) => value,
        Some(Unit::KHz) => value * 1e3,
        // Divided, not multiplied by an inexact 0.001, so that 375ms is the f64 nearest to 0.375.
        Some(Unit::Ms) => value / 1e3,
        Some(Unit::Percent) => value / 1e2,
        Some(Unit::Db) => libm::pow(10.0, value / 20.0),
        Some(Unit::St) => libm::exp2(value / 12.0),
        Some(Unit::Ct) => libm::exp2(value / 1200.0),
        Some(Unit::Octaves) => libm::exp2(value),
    }
}

/// Whether a plain number below 0, where ratios from 0 on are wanted, would be one of them in decibels.
pub(crate) fn is_level(x: f64, range: (f64, f64), dimension: Dimension) -> bool {
    let ratio = base_value(x, Some(Unit::Db));
    x < 0.0 && range.0 == 0.0 && dimension == Dimension::PLAIN && ratio <= range.1
}
