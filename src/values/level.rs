//! The level that a result is brought to: `-1dBTP`, `-14LUFS`.

use std::str::FromStr;

/// A level in decibels of full scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// The true peak: of the wave between the samples too.
    Peak(f64),
    /// The loudness of the whole (ITU-R BS.1770, EBU R 128).
    Loudness(f64),
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let wrong = || {
            format!("`{text}` is not a level; write `-1dBTP` for the true peak or `-14LUFS` for the loudness")
        };
        let lower = text.to_ascii_lowercase();
        let (number, kind): (&str, fn(f64) -> Level) =
            match (lower.strip_suffix("dbtp"), lower.strip_suffix("lufs")) {
                (Some(number), _) => (number, Level::Peak),
                (_, Some(number)) => (number, Level::Loudness),
                _ => return Err(wrong()),
            };
        let decibels: f64 = number.trim().parse().map_err(|_| wrong())?;
        let sensible = -70.0..=20.0;
        if sensible.contains(&decibels) {
            Ok(kind(decibels))
        } else {
            Err("levels lie between -70 and 20".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_peak_or_a_loudness() {
        assert_eq!("-1dBTP".parse(), Ok(Level::Peak(-1.0)));
        assert_eq!("-14 LUFS".parse(), Ok(Level::Loudness(-14.0)));
        for text in ["-14", "LUFS", "-14dB", "nanLUFS", "infdBTP", "-200LUFS"] {
            assert!(text.parse::<Level>().is_err(), "{text}");
        }
    }
}
