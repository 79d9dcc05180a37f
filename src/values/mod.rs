//! The values of flags: lengths, rates, kinds of samples, assignments. What is read here is exact: a decimal stays
//! a decimal until it becomes a number of frames.

pub mod decimal;
mod length;
mod level;

pub use length::{Length, Start, Unit};
pub use level::Level;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use decimal::Decimal;
use mam_grammar::Limits;
use mam_runtime::file::{Bits, Container, Dither};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

/// A sample rate: `44.1k`, `48000`, `48kHz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u32);

/// Rates that are sensible at all.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=768_000;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let wrong = || format!("`{text}` is not a sample rate; write `48000`, `44.1k` or `96kHz`");
        let lower = text.to_ascii_lowercase();
        let number = lower.strip_suffix("hz").unwrap_or(&lower);
        let (number, factor) = number.strip_suffix('k').map_or((number, 1), |n| (n, 1_000));
        let decimal: Decimal = number.trim_end().parse().map_err(|_| wrong())?;
        let hz = decimal.times(factor).whole().ok_or_else(wrong)?;
        match u32::try_from(hz) {
            Ok(hz) if RATES.contains(&hz) => Ok(Rate(hz)),
            _ => Err(format!("{hz} Hz is out of range: {} to {} Hz", RATES.start(), RATES.end())),
        }
    }
}

/// Reads the value of `--bits`: 16, 24 or 32f.
pub fn bits(text: &str) -> Result<Bits, String> {
    match text {
        "16" => Ok(Bits::Int16),
        "24" => Ok(Bits::Int24),
        "32f" => Ok(Bits::Float32),
        _ => Err("it is `16`, `24` or `32f`".into()),
    }
}

/// Reads the value of `--dither`: none, tpdf or shaped.
pub fn dither(text: &str) -> Result<Dither, String> {
    match text {
        "none" => Ok(Dither::None),
        "tpdf" => Ok(Dither::Tpdf),
        "shaped" => Ok(Dither::Shaped),
        _ => Err("it is `none`, `tpdf` or `shaped`".into()),
    }
}

/// Reads `--format` of a sound file: what this build writes, by its endings.
pub fn container() -> impl TypedValueParser<Value = Container> {
    let value = |container: &Container| match container.extensions() {
        [first, others @ ..] => PossibleValue::new(*first).aliases(others.iter().copied()),
        [] => PossibleValue::new(""),
    };
    let values = PossibleValuesParser::new(Container::ALL.iter().map(value));
    values.try_map(|name| Container::from_extension(&name).ok_or("this build does not write it"))
}

/// The value of `--set NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The parameter or knob that is set.
    pub name: String,
    /// To what, as it was written.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Assignment, String> {
        let (name, value) = text.split_once('=').ok_or("it is written NAME=VALUE, such as `bd.f0=120Hz`")?;
        let (name, value) = (name.trim().to_string(), value.trim().to_string());
        if name.is_empty() || value.is_empty() {
            return Err("both sides of the `=` must be there, such as `bd.f0=120Hz`".into());
        }
        Ok(Assignment { name, value })
    }
}

/// The value of `--limit NAME=N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// The limit that is changed.
    pub name: String,
    /// The value that the limit gets.
    pub value: u64,
}

impl FromStr for LimitChange {
    type Err = String;

    fn from_str(text: &str) -> Result<LimitChange, String> {
        let Assignment { name, value } =
            text.parse().map_err(|_| "it is written NAME=N, such as `nodes=100000`".to_string())?;
        let value = value.parse().map_err(|_| format!("`{value}` is not a whole number"))?;
        Limits::default().set(&name, value)?;
        Ok(LimitChange { name, value })
    }
}

/// Rows from one to before another: `0..10000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRange(pub std::ops::Range<u64>);

impl FromStr for RowRange {
    type Err = String;

    fn from_str(text: &str) -> Result<RowRange, String> {
        let wrong = || {
            format!("`{text}` is not a range of rows; write the first and the one after the last: `0..10000`")
        };
        let (start, end) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let range = number(start)?..number(end)?;
        if range.is_empty() { Err(format!("`{text}` has no rows")) } else { Ok(RowRange(range)) }
    }
}

/// The value of `--tap NODE=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// The equation or node whose sound is written.
    pub node: String,
    /// Where its sound goes.
    pub file: PathBuf,
}

/// Reads the value of `--tap`. The file may be called whatever the system allows, the node is text.
pub fn tap() -> impl TypedValueParser<Value = Tap> {
    OsStringValueParser::new().try_map(|value| {
        let bytes = value.as_encoded_bytes();
        let split = bytes.iter().position(|&byte| byte == b'=').filter(|&at| at > 0 && at + 1 < bytes.len());
        let node = split.and_then(|at| std::str::from_utf8(&bytes[..at]).ok());
        let (Some(at), Some(node)) = (split, node) else {
            return Err("it is written NODE=FILE, such as `bd=kick.wav`");
        };
        Ok(Tap { node: node.to_string(), file: behind(&value, at + 1) })
    })
}

/// The path that stands in a value from a byte on.
#[cfg(unix)]
fn behind(value: &OsStr, byte: usize) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(&value.as_bytes()[byte..]).into()
}

/// The path that stands in a value from a byte on.
#[cfg(not(unix))]
fn behind(value: &OsStr, byte: usize) -> PathBuf {
    let value = value.to_string_lossy();
    value.get(byte..).unwrap_or_default().into()
}

/// Reads the seed of random draws: a whole number.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a seed: a whole number from 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_exactly() {
        for (text, hz) in [("48000", 48_000), ("44.1k", 44_100), ("88.2kHz", 88_200), ("11025Hz", 11_025)] {
            assert_eq!(text.parse(), Ok(Rate(hz)));
        }
        for text in ["", "k", "48000.5", "-48000", "44,1k", "7999", "1e6", "999999999999999999999"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_assignment_has_two_sides() {
        let one: Assignment = "bd.f0=120Hz".parse().unwrap();
        assert_eq!((one.name.as_str(), one.value.as_str()), ("bd.f0", "120Hz"));
        assert!("bd.f0".parse::<Assignment>().is_err());
        assert!("=3".parse::<Assignment>().is_err());
        assert_eq!("nodes=7".parse(), Ok(LimitChange { name: "nodes".into(), value: 7 }));
        assert_eq!("json.nodes=7".parse::<LimitChange>().map(|l| l.value), Ok(7));
        assert!("nesting=7".parse::<LimitChange>().is_err());
        assert!("nodes=many".parse::<LimitChange>().is_err());
        assert!("bd.f0=".parse::<Assignment>().is_err());
    }
}
