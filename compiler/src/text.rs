//! Numbers as people read them.

use crate::dimension::Dimension;
use mam_grammar::ast::Unit;

/// A quantity in base units with its unit: `50ms`, `120Hz`, `0.5`. Times are shown in milliseconds where `scale`, the
/// base units of a plain number there, is a thousandth.
pub fn quantity(x: f64, dimension: Dimension, scale: f64) -> String {
    match dimension {
        Dimension::TIME if scale == 1e-3 || x.abs() < 0.1 => format!("{}ms", number(x * 1e3)),
        Dimension::TIME => format!("{}s", number(x)),
        Dimension::FREQUENCY if x.abs() >= 10e3 => format!("{}kHz", number(x / 1e3)),
        Dimension::FREQUENCY => format!("{}Hz", number(x)),
        _ => number(x),
    }
}

/// A value in base units in the unit in which it is written; a ratio that has no decibels or semitones as a number.
pub fn in_unit(x: f64, unit: Option<Unit>, dimension: Dimension) -> String {
    let (x, shown) = match unit {
        Some(Unit::Ms) => (x * 1e3, "ms"),
        Some(Unit::S) => (x, "s"),
        Some(Unit::KHz) => (x / 1e3, "kHz"),
        Some(Unit::Hz) => (x, "Hz"),
        Some(Unit::Percent) => (x * 1e2, "%"),
        Some(Unit::Db) if x > 0.0 => (20.0 * x.log10(), "dB"),
        Some(Unit::St) if x > 0.0 => (12.0 * x.log2(), "st"),
        Some(Unit::Ct) if x > 0.0 => (1200.0 * x.log2(), "ct"),
        Some(Unit::Octaves) if x > 0.0 => (x.log2(), " octaves"),
        _ => return quantity(x, dimension, 1.0),
    };
    format!("{}{shown}", number(x))
}

/// A number with at most six significant decimals and no trailing zeros.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    let text = format!("{x:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_string() } else { text.to_string() }
}
