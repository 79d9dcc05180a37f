//! Listening to a node in the middle of a song.

use super::step::Runner;
use crate::program::{Program, QUANTUM};
use std::ops::Range;

/// What a node sounds like by itself: the sum of its voices, channel by channel, for the last quantum.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Its steps, in their order, with the outputs that are its own.
    parts: Vec<(usize, Range<usize>)>,
    channels: Vec<[f32; QUANTUM]>,
}

impl Tap {
    /// A tap of the node `name`; `None` when the program has no step of that name that has an output.
    pub(crate) fn new(program: &Program, name: &str) -> Option<Tap> {
        let of_node = |part: &str| part.split('#').next() == Some(name);
        let all = program
            .steps
            .iter()
            .enumerate()
            .flat_map(|(index, step)| step.parts.iter().map(move |p| (index, p)));
        let own =
            all.filter(|(_, part)| of_node(&part.name)).map(|(index, part)| (index, part.outputs.clone()));
        let parts: Vec<_> = own.collect();
        let channels = parts.iter().map(|(_, outputs)| outputs.len()).max().filter(|&most| most > 0)?;
        Some(Tap { parts, channels: vec![[0.0; QUANTUM]; channels] })
    }

    /// Takes the frames that a step has just rendered, if it belongs to the node: afterwards their buffer may be another's.
    pub(crate) fn hear(&mut self, index: usize, runner: &Runner, frames: &Range<usize>) {
        if self.parts.first().is_some_and(|(first, _)| *first == index) {
            self.channels.iter_mut().for_each(|channel| channel[frames.clone()].fill(0.0));
        }
        for (_, outputs) in self.parts.iter().filter(|(step, _)| *step == index) {
            for (output, sum) in outputs.clone().zip(&mut self.channels) {
                let sound = runner.output(output).get(frames.clone()).unwrap_or(&[]);
                sum[frames.clone()].iter_mut().zip(sound).for_each(|(sum, sample)| *sum += sample);
            }
        }
    }

    /// Silences all its channels.
    pub(crate) fn clear(&mut self) {
        self.channels.iter_mut().for_each(|channel| channel.fill(0.0));
    }

    /// The last quantum, a channel each.
    pub(crate) fn channels(&self) -> &[[f32; QUANTUM]] {
        &self.channels
    }
}
