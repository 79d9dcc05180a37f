//! Exact numbers for musical time: fractions whose arithmetic never wraps and never rounds.
//!
//! A [`Rational`] is a reduced fraction of two `i128`. An operation whose result does not fit is an [`Overflow`], a
//! value that the caller passes on; so `(a + b)?` is exact or nothing. Comparisons always succeed.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

/// A fraction in lowest terms; the denominator is positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Rational {
    num: i128,
    den: i128,
}

/// The result of an exact operation does not fit, or was a division by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl Rational {
    /// The number 0, as 0/1.
    pub const ZERO: Rational = Rational::whole(0);
    /// The number 1, as 1/1.
    pub const ONE: Rational = Rational::whole(1);

    /// The whole number `n`.
    pub const fn whole(n: i64) -> Rational {
        Rational { num: n as i128, den: 1 }
    }

    /// `num/den`, reduced.
    ///
    /// # Errors
    /// When `den` is 0, or a part is −2¹²⁷.
    pub fn new(num: i128, den: i128) -> Result<Rational, Overflow> {
        if den == 0 || num == i128::MIN || den == i128::MIN {
            return Err(Overflow);
        }
        let (num, den) = if den < 0 { (-num, -den) } else { (num, den) };
        let g = gcd(num.unsigned_abs(), den.unsigned_abs());
        Ok(Rational { num: over(num, g), den: over(den, g) })
    }

    /// `num/den` of small numbers. `den` must not be 0.
    pub fn ratio(num: i64, den: u32) -> Rational {
        Rational::new(num.into(), i128::from(den.max(1))).unwrap_or(Rational::ZERO)
    }

    /// A decimal number as it is written: `133.7`, `-.5`, `1e3`. `None` when it is not one, or does not fit.
    pub fn from_decimal(text: &str) -> Option<Rational> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(i) => (&text[..i], text[i + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa),
        };
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (before.is_empty() && after.is_empty()) || !plain(before) || !plain(after) {
            return None;
        }
        let after = after.trim_end_matches('0');
        let all = [before, after].concat();
        let number: i128 = if all.is_empty() { 0 } else { all.parse().ok()? };
        let power = exponent.checked_sub(i32::try_from(after.len()).ok()?)?;
        let scale = 10i128.checked_pow(power.unsigned_abs())?;
        if power < 0 {
            Rational::new(sign * number, scale).ok()
        } else {
            Rational::new(sign * number.checked_mul(scale)?, 1).ok()
        }
    }

    /// The decimal number that `value` prints as (0.1 is a tenth). `None` when it is not finite, or does not fit.
    pub fn from_f64(value: f64) -> Option<Rational> {
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return Some(Rational::whole(value as i64));
        }
        Rational::from_decimal(&format!("{value:e}"))
    }

    /// The nearest floating-point number, or the one beside it.
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// Above the fraction bar.
    pub fn num(self) -> i128 {
        self.num
    }

    /// Below the fraction bar; positive.
    pub fn den(self) -> i128 {
        self.den
    }

    /// The greatest whole number that is not greater.
    pub fn floor(self) -> i128 {
        match self.words() {
            _ if self.den == 1 => self.num,
            Some((num, den)) => num.div_euclid(den).into(),
            None => self.num.div_euclid(self.den),
        }
    }

    /// The least whole number that is not less.
    pub fn ceil(self) -> i128 {
        self.floor() + i128::from(self.den != 1)
    }

    /// floor(x + 1/2): the nearest whole number, halves up.
    pub fn round(self) -> i128 {
        let below = self.floor();
        let rest = self.num - below * self.den;
        below + i128::from(rest >= self.den - rest)
    }

    /// The start of the cycle that it lies in: [`Rational::floor`] as a fraction.
    pub fn sam(self) -> Rational {
        Rational { num: self.floor(), den: 1 }
    }

    /// What is left above [`Rational::sam`]: in [0, 1).
    pub fn fract(self) -> Rational {
        Rational { num: self.num - self.floor() * self.den, den: self.den }
    }

    /// −1, 0 or 1.
    pub fn sign(self) -> i32 {
        self.num.signum() as i32
    }

    /// The reciprocal, 1/x.
    ///
    /// # Errors
    /// When it is 0.
    pub fn inverse(self) -> Result<Rational, Overflow> {
        Rational::new(self.den, self.num)
    }

    /// The smallest positive number that both divide a whole number of times; both must be positive.
    ///
    /// # Errors
    /// When it would not fit a fraction.
    pub fn common_multiple(self, other: Rational) -> Result<Rational, Overflow> {
        let g = gcd(self.num.unsigned_abs(), other.num.unsigned_abs()) as i128;
        let num = (self.num / g.max(1)).checked_mul(other.num).ok_or(Overflow)?;
        Rational::new(num, gcd(self.den.unsigned_abs(), other.den.unsigned_abs()) as i128)
    }

    /// Both parts as machine words, whose products cannot overflow: nearly always, and several times as fast.
    fn words(self) -> Option<(i64, i64)> {
        Some((i64::try_from(self.num).ok()?, i64::try_from(self.den).ok()?))
    }
}

/// `x` divided by a divisor of it.
fn over(x: i128, divisor: u128) -> i128 {
    match (i64::try_from(x), i64::try_from(divisor)) {
        (_, Ok(1)) => x,
        (Ok(x), Ok(divisor)) => (x / divisor).into(),
        _ => x / divisor as i128,
    }
}

/// The greatest common divisor, in machine words where they suffice.
fn gcd(a: u128, b: u128) -> u128 {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => gcd_word(a, b).into(),
        _ => num_integer::gcd(a, b),
    }
}

/// The greatest common divisor of machine words. Most denominators are 1, for which the crate has no short cut.
fn gcd_word(a: u64, b: u64) -> u64 {
    if a == 1 || b == 1 { 1 } else { num_integer::gcd(a, b) }
}

impl Add for Rational {
    type Output = Result<Rational, Overflow>;
    fn add(self, other: Rational) -> Self::Output {
        if self.den == other.den {
            let num = self.num.checked_add(other.num).ok_or(Overflow)?;
            return if self.den == 1 { Ok(Rational { num, den: 1 }) } else { Rational::new(num, self.den) };
        }
        if let (Some((a, b)), Some((c, d))) = (self.words(), other.words()) {
            // What the new fraction can be reduced by divides what the denominators have in common.
            let common = gcd_word(b as u64, d as u64);
            let (left, right) = (b / common as i64, d / common as i64);
            let num = i128::from(a) * i128::from(right) + i128::from(c) * i128::from(left);
            let g = gcd(num.unsigned_abs(), common.into());
            return Ok(Rational { num: over(num, g), den: over(i128::from(b) * i128::from(right), g) });
        }
        let g = gcd(self.den as u128, other.den as u128) as i128;
        let (left, right) = (self.den / g, other.den / g);
        let a = self.num.checked_mul(right).ok_or(Overflow)?;
        let b = other.num.checked_mul(left).ok_or(Overflow)?;
        Rational::new(a.checked_add(b).ok_or(Overflow)?, self.den.checked_mul(right).ok_or(Overflow)?)
    }
}

impl Sub for Rational {
    type Output = Result<Rational, Overflow>;
    fn sub(self, other: Rational) -> Self::Output {
        self.add(Rational { num: other.num.checked_neg().ok_or(Overflow)?, den: other.den })
    }
}

impl Mul for Rational {
    type Output = Result<Rational, Overflow>;
    fn mul(self, other: Rational) -> Self::Output {
        if self == Rational::ONE {
            return Ok(other);
        }
        if let (Some((a, b)), Some((c, d))) = (self.words(), other.words()) {
            let g = gcd_word(a.unsigned_abs(), d as u64) as i128;
            let h = gcd_word(c.unsigned_abs(), b as u64) as i128;
            let word = |x: i64, g: i128| if g == 1 { i128::from(x) } else { (x / g as i64).into() };
            return Ok(Rational { num: word(a, g) * word(c, h), den: word(b, h) * word(d, g) });
        }
        let g = gcd(self.num.unsigned_abs(), other.den as u128).max(1) as i128;
        let h = gcd(other.num.unsigned_abs(), self.den as u128).max(1) as i128;
        let num = (self.num / g).checked_mul(other.num / h).ok_or(Overflow)?;
        let den = (self.den / h).checked_mul(other.den / g).ok_or(Overflow)?;
        Ok(Rational { num, den })
    }
}

impl Div for Rational {
    type Output = Result<Rational, Overflow>;
    fn div(self, other: Rational) -> Self::Output {
        self.mul(other.inverse()?)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Rational) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Rational) -> Ordering {
        if self.den == other.den {
            return self.num.cmp(&other.num);
        }
        if let (Some((a, b)), Some((c, d))) = (self.words(), other.words()) {
            return (i128::from(a) * i128::from(d)).cmp(&(i128::from(c) * i128::from(b)));
        }
        // Digit by digit of the continued fractions, which needs no product.
        self.floor().cmp(&other.floor()).then_with(|| match (self.fract(), other.fract()) {
            (a, b) if a.num == 0 || b.num == 0 => a.num.cmp(&b.num),
            (a, b) => Rational { num: b.den, den: b.num }.cmp(&Rational { num: a.den, den: a.num }),
        })
    }
}

impl Default for Rational {
    fn default() -> Rational {
        Rational::ZERO
    }
}

impl From<i64> for Rational {
    fn from(n: i64) -> Rational {
        Rational::whole(n)
    }
}

/// `3/4`; whole numbers too: `2/1`.
impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl fmt::Debug for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_overflow_is_an_error() {
        let r = |n, d| Rational::ratio(n, d);
        assert_eq!(Rational::from_decimal("133.7"), Some(r(1337, 10)));
        assert_eq!(Rational::from_decimal("-.50"), Some(r(-1, 2)));
        assert_eq!(Rational::from_decimal("1.e-2"), Some(r(1, 100)));
        assert_eq!(Rational::from_f64(0.1), Some(r(1, 10)));
        assert_eq!(Rational::from_f64(f64::NAN), None);
        assert_eq!(Rational::from_decimal("."), None);
        assert_eq!(r(1, 3) + r(1, 6), Ok(r(1, 2)));
        let tiny = Rational::new(1, i128::MAX).unwrap();
        assert_eq!(tiny * tiny, Err(Overflow));
        assert_eq!(r(1, 2) / Rational::ZERO, Err(Overflow));
        assert!(tiny > Rational::ZERO && tiny < Rational::new(1, i128::MAX - 1).unwrap());
    }

    #[test]
    fn halves_round_up() {
        assert_eq!(Rational::ratio(5, 2).round(), 3);
        assert_eq!(Rational::ratio(-5, 2).round(), -2);
        assert_eq!(Rational::ratio(7, 3).round(), 2);
        assert_eq!(Rational::ratio(-1, 3).floor(), -1);
    }
}
