//! Ranges of values, as types and lowering compute them: interval arithmetic without rounding outwards.

/// The least and the greatest value.
pub(crate) type Range = (f64, f64);

/// What is known of a value of which nothing is known.
pub(crate) const ALL: Range = (f64::NEG_INFINITY, f64::INFINITY);

/// What a function that nowhere falls makes of a range.
pub(crate) fn monotone((low, high): Range, f: fn(f64) -> f64) -> Range {
    (f(low), f(high))
}

/// The range of −x.
pub(crate) fn negated((low, high): Range) -> Range {
    (-high, -low)
}

/// The range of x + y.
pub(crate) fn sum((a, b): Range, (c, d): Range) -> Range {
    (a + c, b + d)
}

/// The range of x · y. Of what is infinite by nothing, nothing is known.
pub(crate) fn product((a, b): Range, (c, d): Range) -> Range {
    let ends = [a * c, a * d, b * c, b * d];
    match ends.iter().any(|end| end.is_nan()) {
        true => ALL,
        false => (
            ends.iter().copied().fold(f64::INFINITY, f64::min),
            ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ),
    }
}
