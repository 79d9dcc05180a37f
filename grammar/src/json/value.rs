//! JSON as it stands in the text: values with their places, numbers with their digits.

use crate::float;
use crate::source::Span;
use std::sync::Arc;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value without its span.
    pub value: T,
    /// Its place; that of a string includes the quotes.
    pub span: Span,
}

impl<T> At<T> {
    /// Makes a value that stands at `span`.
    pub fn new(value: T, span: Span) -> At<T> {
        At { value, span }
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    /// Places do not count.
    fn eq(&self, other: &At<T>) -> bool {
        self.value == other.value
    }
}

/// A string and its place.
pub type Text = At<Arc<str>>;

/// A JSON value, with the spans of what it holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number that is finite as an f64.
    Number(Decimal),
    /// A string, with escapes resolved.
    Text(Arc<str>),
    /// `[…]`
    Array(Vec<At<Value>>),
    /// `{…}`: the members in order; a key may stand there more than once.
    Object(Vec<Member>),
    /// Something malformed, which has been reported: whoever meets it keeps silent.
    Broken,
}

impl Value {
    /// What it is, for a message: "a number".
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
            Value::Broken => "malformed",
        }
    }
}

/// One `"key": value` of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key, with escapes resolved.
    pub key: Text,
    /// The value after the colon.
    pub value: At<Value>,
}

/// A number as it was written: JSON's `-12.5e3`. Times are computed from the digits, without rounding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    text: Arc<str>,
}

/// A decimal taken apart: (−1 if negative) · digits · 10^exponent.
struct Parts {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// More digits than this are never needed to say a finite f64 or a time.
const MOST_DIGITS: i64 = 400;

impl Decimal {
    /// The number that `text` says in JSON's syntax; None when it is too large for an f64, or has more digits
    /// than any use for them.
    pub fn new(text: &str) -> Option<Decimal> {
        let value = float::parse(text)?;
        let fits = text.len() as i64 <= MOST_DIGITS && value.is_finite();
        fits.then(|| Decimal { text: text.into() })
    }

    /// The whole number `value`.
    pub fn whole_number(value: i64) -> Decimal {
        Decimal { text: value.to_string().into() }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The nearest f64: finite.
    pub fn value(&self) -> f64 {
        float::parse(&self.text).unwrap_or(0.0)
    }

    /// The whole number that it is, if it is one and fits: `4`, `4.0` and `0.4e1` are all 4.
    pub fn whole(&self) -> Option<i64> {
        match self.ratio()? {
            (numerator, 1) => numerator.try_into().ok(),
            _ => None,
        }
    }

    /// Exactly (numerator, denominator) in lowest terms, when both fit.
    pub fn ratio(&self) -> Option<(i128, i128)> {
        let Parts { negative, digits, exponent } = self.parts();
        let mut numerator: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        if numerator == 0 {
            return Some((0, 1));
        }
        let mut denominator: i128 = 1;
        let power = 10_i128.checked_pow(exponent.unsigned_abs().try_into().ok()?)?;
        match exponent < 0 {
            true => denominator = power,
            false => numerator = numerator.checked_mul(power)?,
        }
        let common = num_integer::gcd(numerator, denominator);
        let sign = if negative { -1 } else { 1 };
        Some((sign * numerator / common, denominator / common))
    }

    /// The same number without an exponent, as `.mam` writes it: `-0.00125`. Exponents that would fill pages
    /// (there are such f64s) are rounded to 0.
    pub fn plain(&self) -> String {
        let Parts { negative, digits, exponent } = self.parts();
        if digits.is_empty() || exponent < -MOST_DIGITS {
            return "0".to_owned();
        }
        let sign = if negative { "-" } else { "" };
        if exponent >= 0 {
            return format!("{sign}{digits}{}", "0".repeat(exponent as usize));
        }
        let after = exponent.unsigned_abs() as usize;
        let padded = format!("{}{digits}", "0".repeat((after + 1).saturating_sub(digits.len())));
        let (whole, fraction) = padded.split_at(padded.len() - after);
        format!("{sign}{whole}.{fraction}")
    }

    /// Significant digits without zeros at either end. The exponent of a finite number is bounded by its length.
    fn parts(&self) -> Parts {
        let (negative, rest) = match self.text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.text),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        let zeros = all.len() - all.trim_end_matches('0').len();
        // An exponent beyond i64 stands with the digits 0 or under −∞: the number is 0 either way.
        let exponent = exponent.parse().unwrap_or(i64::MIN / 2);
        let exponent = exponent.saturating_sub(fraction.len() as i64).saturating_add(zeros as i64);
        Parts { negative, digits: digits.to_owned(), exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::new(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal("0.1").ratio(), Some((1, 10)));
        assert_eq!(decimal("-12.50e-1").ratio(), Some((-5, 4)));
        assert_eq!(decimal("4.8E4").whole(), Some(48000));
        assert_eq!(decimal("0.0").whole(), Some(0));
        assert_eq!(decimal("0.5").whole(), None);
        assert_eq!(decimal("1e40").ratio(), None);
        assert_eq!(decimal("0e99999999999999999999").whole(), Some(0));
        assert_eq!(Decimal::new("1e400"), None);
    }

    #[test]
    fn plain_digits_say_the_same_number() {
        for text in ["0", "-0", "12", "120.0", "1.25e-3", "-5E+2", "0.00", "1e-420", "1.7e308", "90071.9925"]
        {
            let plain = decimal(text).plain();
            assert!(!plain.contains(['e', 'E']), "{plain}");
            assert_eq!(plain.parse::<f64>().unwrap(), decimal(text).value(), "{text} {plain}");
        }
        assert_eq!(decimal("1.25e-3").plain(), "0.00125");
    }
}
