//! A compiled song with another seed: nothing is compiled again.
//!
//! A seed is in two places only. The noises of a program are words of its initial image ([`NoiseWord`]); and what a score
//! draws is in its patterns, which are read again.

use crate::compile::Stages;
use crate::front;
use crate::ir::Imm;
use crate::lower::noise_seed;
use crate::places::Bindings;
use crate::plan::NoiseWord;
use mam_grammar::Problems;
use mam_grammar::mini::Notations;
use mam_runtime::score::Score;

/// Writes the noises of seed `to` into an image of the state that was made with seed `from`.
pub fn reseed(image: &mut [u8], noises: &[NoiseWord], from: u64, to: u64) {
    for noise in noises {
        let (old, new) = (noise_seed(from, &noise.name), noise_seed(to, &noise.name));
        if let (Imm::I32(old), Imm::I32(new)) = (old, new) {
            // A voice has its own noise: its number is in the word, over the seed of its instrument.
            image[noise.at..noise.at + 4].copy_from_slice(&(noise.init ^ old ^ new).to_ne_bytes());
        }
    }
}

impl Stages {
    /// What the song plays with another seed; `None` where it has errors. It has been lowered.
    pub fn score_of_seed(&self, seed: u64) -> Option<Score> {
        let (files, mut problems) = (self.files.as_ref()?, Problems::default());
        let places = Bindings::new((files, &self.library, self.song), &self.graph, &self.lowered);
        let json = self.json.as_ref();
        let (mut score, _) = front::score(
            json,
            (files, self.song),
            seed,
            &places,
            (&Notations::default(), None),
            &mut problems,
        );
        front::complete(&mut score, json, files, self.song, false, &places);
        (!problems.has_errors()).then_some(score)
    }

    /// Whether the score draws anything from the seed.
    pub fn score_draws(&self) -> bool {
        self.score_of_seed(self.seed) != self.score_of_seed(!self.seed)
    }
}
