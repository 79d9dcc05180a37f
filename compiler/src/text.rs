//! Numbers as people read them.

use crate::dimension::Dimension;

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

/// A number with at most six significant decimals and no trailing zeros.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    let text = format!("{x:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_string() } else { text.to_string() }
}
