//! Listening to a node in the middle of a song.

use super::step::Runner;
use crate::program::{Program, QUANTUM};

/// What a node sounds like by itself: the sum of its voices, channel by channel, for the last quantum.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Its steps, in their order.
    steps: Vec<usize>,
    channels: Vec<[f32; QUANTUM]>,
}

impl Tap {
    /// A tap of the node `name`; `None` when the program has no step of that name that has an output.
    pub(crate) fn new(program: &Program, name: &str) -> Option<Tap> {
        let of_node = |step: &str| step.split('#').next() == Some(name);
        let steps = program.steps.iter().enumerate().filter(|(_, step)| of_node(&step.name));
        let channels = steps.clone().map(|(_, step)| step.outputs.len()).max().filter(|&most| most > 0)?;
        Some(Tap { steps: steps.map(|(index, _)| index).collect(), channels: vec![[0.0; QUANTUM]; channels] })
    }

    /// Takes what a step has just rendered, if it belongs to the node.
    pub(crate) fn hear(&mut self, index: usize, runner: &Runner) {
        let Some(place) = self.steps.iter().position(|step| *step == index) else { return };
        if place == 0 {
            self.channels.fill([0.0; QUANTUM]);
        }
        for (channel, sum) in self.channels.iter_mut().enumerate() {
            let sound = runner.output(channel);
            sum.iter_mut().zip(sound).for_each(|(sum, sample)| *sum += sample);
        }
    }

    /// The last quantum.
    pub(crate) fn channels(&self) -> &[[f32; QUANTUM]] {
        &self.channels
    }
}
