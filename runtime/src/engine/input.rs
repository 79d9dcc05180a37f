//! The song's input that waits to be heard.

/// One channel of it.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    samples: Vec<f32>,
    /// How many of them have been heard.
    heard: usize,
}

impl Waiting {
    /// Appends. Allocates: not on the audio thread.
    pub(crate) fn add(&mut self, samples: &[f32]) {
        self.samples.drain(..std::mem::take(&mut self.heard));
        self.samples.extend_from_slice(samples);
    }

    /// Forgets what waits. Frees nothing.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.heard = 0;
    }

    /// Fills a buffer with the next samples, and with silence where there are none.
    pub(crate) fn take(&mut self, into: &mut [f32]) {
        let waiting = &self.samples[self.heard..];
        copy(into, waiting);
        self.heard += waiting.len().min(into.len());
    }
}

/// Copies samples as a kernel may see them; silence where they are short.
pub(crate) fn copy(into: &mut [f32], from: &[f32]) {
    let (heard, silent) = into.split_at_mut(into.len().min(from.len()));
    heard.iter_mut().zip(from).for_each(|(to, from)| *to = flush(*from));
    silent.fill(0.0);
}

/// A subnormal is 0, what is not a number as well: so a kernel never sees either.
pub(crate) fn flush(x: f32) -> f32 {
    if x.is_normal() { x } else { 0.0 }
}
