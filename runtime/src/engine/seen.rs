//! Metering: the level of each instrument and the values of some parameters while a program plays. The audio thread
//! writes atomics that another thread reads, and never waits for it.

use super::params::Params;
use super::step::Runner;
use crate::ids::ParamId;
use crate::program::Program;
use crate::score::{Action, CommandKind};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Parameters that are watched at most.
const MOST_PARAMS: usize = 64;

/// The atomics that both threads share.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Bits of the greatest absolute value of each target since it was read: they order as the values do.
    levels: Box<[AtomicU32]>,
    /// Parameters, with the bits of their values.
    values: Box<[(ParamId, AtomicU64)]>,
}

impl Seen {
    /// Of a program's instruments; and of its knobs first, then of what its score moves.
    pub(crate) fn new(program: &Program) -> Arc<Seen> {
        let value = |param: ParamId| (param, AtomicU64::new(program.params[param].default.to_bits()));
        Arc::new(Seen {
            levels: program.targets.iter().map(|_| AtomicU32::new(0)).collect(),
            values: watched(program).into_iter().take(MOST_PARAMS).map(value).collect(),
        })
    }

    /// The greatest absolute value of each target since this was asked the last time.
    pub(crate) fn take_levels(&self) -> Vec<f32> {
        self.levels.iter().map(|level| f32::from_bits(level.swap(0, Relaxed))).collect()
    }

    /// The parameters that are watched, with their values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (ParamId, f64)> + '_ {
        self.values.iter().map(|(param, bits)| (*param, f64::from_bits(bits.load(Relaxed))))
    }
}

/// Knobs, which have no instrument in their name, and the parameters that lines and commands set.
fn watched(program: &Program) -> Vec<ParamId> {
    let lines = program.score.transports.iter().flat_map(|transport| &transport.lines);
    let by_lines =
        lines.filter_map(|line| if let Action::Set { param, .. } = line.action { Some(param) } else { None });
    let by_commands = program.score.commands.iter().filter_map(|command| match command.kind {
        CommandKind::Set { param, .. } => Some(param),
        CommandKind::Trigger { .. } => None,
    });
    let moved: BTreeSet<ParamId> =
        by_lines.chain(by_commands).filter(|&p| program.params.get(p).is_some()).collect();
    // The length of a beat is set too, but by the sequencer.
    let is_length = |param: &ParamId| program.score.lengths.iter().any(|length| length.param == *param);
    let is_knob = |param: &ParamId| !program.params[*param].name.contains('.') && !is_length(param);
    let knobs = program.params.ids().filter(is_knob);
    knobs.chain(moved.into_iter().filter(|param| !is_knob(param))).collect()
}

/// The audio thread's side: which part of which step is heard as which target.
#[derive(Debug)]
pub(crate) struct Watcher {
    seen: Arc<Seen>,
    /// Of each part, step by step.
    targets: Vec<Option<usize>>,
}

impl Watcher {
    /// Of a program, in the order of its steps.
    pub(crate) fn new(program: &Program, seen: Arc<Seen>) -> Watcher {
        let parts: Vec<&str> = program
            .steps
            .iter()
            .flat_map(|step| &step.parts)
            .map(|part| if part.outputs.is_empty() { "" } else { node(&part.name) })
            .collect();
        let mut targets = vec![None; parts.len()];
        for (index, target) in program.targets.iter().enumerate() {
            let own = |name: &&&str| {
                name.strip_prefix(&*target.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            // What comes last is what the others end in: the sum of its voices, or the last effect of its pipe.
            let Some(last) = parts.iter().rev().find(own) else { continue };
            parts
                .iter()
                .zip(&mut targets)
                .filter(|(name, _)| name == &last)
                .for_each(|(_, t)| *t = Some(index));
        }
        Watcher { seen, targets }
    }

    /// Takes some frames that a part has just rendered: afterwards its buffers may be another's. \[audio\]
    pub(crate) fn hear(&self, index: usize, runner: &Runner, part: usize, frames: &Range<usize>) {
        let Some(&Some(target)) = self.targets.get(index) else { return };
        for output in runner.outputs_of(part) {
            let sound = runner.output(output).get(frames.clone()).unwrap_or(&[]);
            // What is not a number is not a level.
            let peak = sound.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            self.seen.levels[target].fetch_max(peak.min(f32::MAX).to_bits(), Relaxed);
        }
    }

    /// A quantum is over. \[audio\]
    pub(crate) fn end(&self, params: &Params) {
        for (param, bits) in &self.seen.values {
            bits.store(params.present(*param).to_bits(), Relaxed);
        }
    }
}

/// The node of a part: its name without the number of its voice.
fn node(part: &str) -> &str {
    part.split('#').next().unwrap_or_default()
}
