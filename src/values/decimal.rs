//! Decimal numbers as they are written, without rounding.

use std::str::FromStr;

/// `digits` / 10^`places`, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    /// The decimal of a whole number.
    pub fn whole_number(digits: u64) -> Decimal {
        Decimal { digits: digits.into(), places: 0 }
    }

    /// The product with a whole number, or the greatest number there is.
    pub fn times(self, factor: u128) -> Decimal {
        Decimal { digits: self.digits.saturating_mul(factor), ..self }
    }

    /// The sum, or the greatest number there is.
    pub fn plus(self, other: Decimal) -> Decimal {
        let places = self.places.max(other.places);
        let digits = |d: Decimal| d.digits.saturating_mul(10_u128.pow(places - d.places));
        Decimal { digits: digits(self).saturating_add(digits(other)), places }
    }

    /// A thousandth of it.
    pub fn thousandth(self) -> Decimal {
        Decimal { places: self.places + 3, ..self }
    }

    /// The number if it is whole.
    pub fn whole(self) -> Option<u128> {
        let unit = 10_u128.pow(self.places);
        self.digits.is_multiple_of(unit).then_some(self.digits / unit)
    }

    /// True when it is less than `bound`.
    pub fn below(self, bound: u128) -> bool {
        self.digits < bound * 10_u128.pow(self.places)
    }

    /// The number divided by `by`, rounded once to a whole number, halves upwards.
    pub fn divided(self, by: u128) -> u64 {
        let unit = 10_u128.pow(self.places).saturating_mul(by);
        let doubled = self.digits.saturating_mul(2).saturating_add(unit) / (2 * unit);
        u64::try_from(doubled).unwrap_or(u64::MAX)
    }

    /// Numerator and denominator, not reduced.
    pub fn fraction(self) -> (u128, u128) {
        (self.digits, 10_u128.pow(self.places))
    }
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Decimal, ()> {
        const MOST: usize = 18;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.len() <= MOST && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() > 2 * MOST {
            return Err(());
        }
        let fraction = fraction.trim_end_matches('0');
        let number = format!("{whole}{fraction}").parse().map_err(drop)?;
        Ok(Decimal { digits: number, places: fraction.len() as u32 })
    }
}
