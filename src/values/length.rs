//! Lengths and places in time: `2.5s`, `8bars`, `1:30`, `48000smp`, `250ms`, `16beats`.

use super::Decimal;
use std::str::FromStr;

/// What a length is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, whatever the tempo.
    Second,
    /// Frames (samples of all channels).
    Frame,
    /// Beats: quarters, following the tempo.
    Beat,
    /// Bars, following the tempo and the meter.
    Bar,
}

/// A length of time, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    amount: Decimal,
    unit: Unit,
}

impl Length {
    /// What it is counted in.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// The amount in its unit, as a fraction.
    pub fn fraction(self) -> (u128, u128) {
        self.amount.fraction()
    }

    /// A length of so many frames.
    pub fn of_frames(frames: u64) -> Length {
        Length::new(Decimal::whole_number(frames), Unit::Frame)
    }

    /// Frames at this rate, rounded once. None for what follows the tempo.
    pub fn frames(self, rate: u32) -> Option<u64> {
        match self.unit {
            Unit::Second => Some(self.amount.times(rate.into()).divided(1)),
            Unit::Frame => Some(self.amount.divided(1)),
            Unit::Beat | Unit::Bar => None,
        }
    }

    fn new(amount: Decimal, unit: Unit) -> Length {
        Length { amount, unit }
    }
}

const WRITTEN: &str = "write `2.5s`, `250ms`, `1:30`, `8bars`, `16beats` or `48000smp`";

impl FromStr for Length {
    type Err = String;

    /// A number alone is seconds.
    fn from_str(text: &str) -> Result<Length, String> {
        let wrong = || format!("`{text}` is not a length of time; {WRITTEN}");
        if let Some((minutes, seconds)) = text.split_once(':') {
            return clock(minutes, seconds).ok_or_else(wrong);
        }
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let amount: Decimal = text[..split].parse().map_err(|()| wrong())?;
        if amount.whole().is_none() && text[split..].trim() == "smp" {
            return Err("samples come whole".into());
        }
        match text[split..].trim_start() {
            "" | "s" => Ok(Length::new(amount, Unit::Second)),
            "ms" => Ok(Length::new(amount.thousandth(), Unit::Second)),
            "m" | "min" => Ok(Length::new(amount.times(60), Unit::Second)),
            "smp" => Ok(Length::new(amount, Unit::Frame)),
            "beat" | "beats" => Ok(Length::new(amount, Unit::Beat)),
            "bar" | "bars" => Ok(Length::new(amount, Unit::Bar)),
            _ => Err(wrong()),
        }
    }
}

/// `minutes:seconds`, the seconds below 60.
fn clock(minutes: &str, seconds: &str) -> Option<Length> {
    let minutes: Decimal = minutes.parse().ok()?;
    let seconds: Decimal = seconds.parse().ok()?;
    minutes.whole()?;
    seconds.below(60).then(|| Length::new(minutes.times(60).plus(seconds), Unit::Second))
}

/// Where to start: a bar, counted from 1, or a length of time from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The beginning of this bar; the first is 1.
    Bar(u64),
    /// So long after the beginning.
    After(Length),
}

impl FromStr for Start {
    type Err = String;

    /// A number alone is a bar.
    fn from_str(text: &str) -> Result<Start, String> {
        match text.parse::<u64>() {
            Ok(0) => Err("bars count from 1".into()),
            Ok(bar) => Ok(Start::Bar(bar)),
            Err(_) => text.parse().map(Start::After).map_err(|e| format!("{e}; a number alone is a bar")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_frames_with_one_rounding() {
        let frames = |text: &str, rate| text.parse::<Length>().unwrap().frames(rate);
        assert_eq!(frames("2.5s", 48_000), Some(120_000));
        assert_eq!(frames("250ms", 44_100), Some(11_025));
        assert_eq!(frames("1:30", 48_000), Some(4_320_000));
        assert_eq!(frames("0:00.5", 48_000), Some(24_000));
        assert_eq!(frames("48000smp", 44_100), Some(48_000));
        assert_eq!(frames("2", 44_100), Some(88_200));
        assert_eq!(frames("0.1ms", 44_100), Some(4));
        assert_eq!(frames("0.00001s", 50_000), Some(1));
        assert_eq!(frames("8bars", 48_000), None);
        assert_eq!(
            "1.5beats".parse::<Length>().map(|l| (l.fraction(), l.unit())),
            Ok(((15, 10), Unit::Beat))
        );
    }

    #[test]
    fn what_is_no_length_is_refused() {
        let wrong =
            ["", "s", "-1s", "1.5smp", "1:60", "1:2:3", ":30", "8 rabbits", "1e3s", "NaN", "1.s", ".5s"];
        for text in wrong {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_start_is_a_bar_or_a_time() {
        assert_eq!("3".parse(), Ok(Start::Bar(3)));
        assert_eq!("3s".parse::<Start>().unwrap(), Start::After("3s".parse().unwrap()));
        assert!("0".parse::<Start>().is_err());
    }
}
