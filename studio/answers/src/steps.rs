//! Which steps of the text sound when, so that the page lights them.

use crate::places::Places;
use mam_runtime::Program;
use mam_runtime::score::{Extent, Sequencer};
use serde_json::{Value, json};
use std::ops::Range;

/// Steps that are shown of a stretch.
const MOST_STEPS: usize = 4000;
/// Seconds of a score that are asked for at a time, at most.
const MOST_SECONDS: f64 = 60.0;

/// A song's score, with the text that its steps are written in.
pub(crate) struct Score {
    text: String,
    rate: f64,
    sequencer: Sequencer,
}

impl Score {
    pub(crate) fn new(text: &str, program: &Program) -> Score {
        let sequencer = Sequencer::for_program(program, Extent::Forever);
        Score { text: text.into(), rate: f64::from(program.rate), sequencer }
    }

    /// The steps that sound between the seconds `from` and `to`: `[first unit, last unit, seconds, seconds]`.
    pub(crate) fn steps(&self, question: &Value) -> Value {
        let seconds = |name: &str| question[name].as_f64().unwrap_or_default().max(0.0);
        let from = seconds("from");
        let to = seconds("to").min(from + MOST_SECONDS);
        let frame = |seconds: f64| (seconds * self.rate) as u64;
        let places = Places::new(&self.text);
        let found = self.sequencer.sounding_steps(frame(from)..frame(to), MOST_STEPS);
        let rows = found.into_iter().map(|step| {
            let units: Range<usize> = places.units(step.bytes);
            let seconds = [step.frames.start, step.frames.end].map(|frame| frame as f64 / self.rate);
            json!([units.start, units.end, seconds[0], seconds[1]])
        });
        json!(rows.collect::<Vec<_>>())
    }
}
