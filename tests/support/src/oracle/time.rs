//! The step grid of a transport, in exact fractions.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, ToPrimitive};
use serde_json::Value;

/// Bars and steps.
pub(super) struct Grid {
    rate: BigRational,
    /// Steps a bar.
    pub(super) resolution: u64,
    /// Swing as a share of half a step.
    swing: BigRational,
    /// Start of each bar of a pass in seconds, and the end of the last one.
    bars: Vec<BigRational>,
}

/// A step of the grid.
pub(super) struct Step {
    pub(super) frame: u64,
    /// Bar within the pass, from 0.
    pub(super) bar: u64,
    /// Step within the bar, from 0.
    pub(super) in_bar: u64,
}

impl Grid {
    pub(super) fn new(transport: &Value, rate: u32) -> Grid {
        let length = transport.get("lengthBars").map_or(1, |v| v.as_u64().expect("bars"));
        let mut bars = vec![whole(0)];
        for bar in 0..length {
            let length = whole(240) / tempo(transport, bar);
            bars.push(bars[bar as usize].clone() + length);
        }
        Grid {
            rate: whole(rate.into()),
            resolution: transport.get("resolution").map_or(16, |v| v.as_u64().expect("steps")),
            swing: exact(transport.get("swingPercent"), 0) / whole(100),
            bars,
        }
    }

    /// All steps below `frames`, pass after pass.
    pub(super) fn steps(&self, frames: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        let length = self.bars.len() as u64 - 1;
        for count in 0.. {
            let (pass, bar) = (count / length, count % length);
            let start = self.bars[length as usize].clone() * whole(pass) + &self.bars[bar as usize];
            if round(&start * &self.rate) >= frames {
                return steps;
            }
            let step = (&self.bars[bar as usize + 1] - &self.bars[bar as usize]) / whole(self.resolution);
            for in_bar in 0..self.resolution {
                let late = if in_bar % 2 == 1 { &self.swing * &step / whole(2) } else { whole(0) };
                let frame = round((&start + &step * whole(in_bar) + late) * &self.rate);
                steps.push(Step { frame, bar, in_bar });
            }
        }
        steps
    }
}

/// Beats a minute in this bar.
fn tempo(transport: &Value, bar: u64) -> BigRational {
    let ramps = transport.get("tempoRamps").and_then(Value::as_array).into_iter().flatten();
    let reached = ramps.filter(|r| r["bar"].as_u64().expect("a bar") <= bar);
    // The last of equals is the later one in the list.
    match reached.max_by_key(|r| r["bar"].as_u64()) {
        Some(ramp) => exact(ramp.get("bpm"), 120),
        None => exact(transport.get("bpm"), 120),
    }
}

/// Frames of a ramp.
pub(super) fn ramp(milliseconds: &Value, rate: u32) -> u64 {
    round(exact(Some(milliseconds), 0) * whole(rate.into()) / whole(1000))
}

/// floor(x + ½)
fn round(x: BigRational) -> u64 {
    (x + BigRational::new(1.into(), 2.into())).floor().to_u64().expect("a frame")
}

fn whole(n: u64) -> BigRational {
    BigRational::from_u64(n).expect("a whole number is a fraction")
}

/// A number of the file as the decimal that is written there.
fn exact(value: Option<&Value>, default: u64) -> BigRational {
    let Some(value) = value else { return whole(default) };
    let text = value.as_number().expect("a number").to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (digits, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let number: BigInt = format!("{digits}{fraction}").parse().expect("digits");
    let exponent: i32 = exponent.parse::<i32>().expect("an exponent") - fraction.len() as i32;
    BigRational::from(number) * whole(10).pow(exponent)
}
