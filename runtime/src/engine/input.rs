//! The song's input that waits to be heard.

use crate::program::QUANTUM;

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
        self.peek(0, into);
        self.skip(into.len());
    }

    /// Fills a buffer with the samples that are heard after so many others, which go on waiting.
    pub(crate) fn peek(&self, after: usize, into: &mut [f32]) {
        copy(into, self.samples.get(self.heard + after..).unwrap_or(&[]));
    }

    /// So many samples have been heard, or silence where there were none.
    pub(crate) fn skip(&mut self, samples: usize) {
        self.heard = self.samples.len().min(self.heard + samples);
    }
}

/// Copies samples as a kernel may see them; silence where they are short.
#[inline]
pub(crate) fn copy(into: &mut [f32], from: &[f32]) {
    match from.get(..into.len()) {
        Some(from) => copy_samples(into, from),
        None => copy_short(into, from),
    }
}

fn copy_short(into: &mut [f32], from: &[f32]) {
    let (heard, silent) = into.split_at_mut(from.len());
    copy_samples(heard, from);
    silent.fill(0.0);
}

/// Copies samples as a kernel may see them, in the widest vectors that the host has.
#[cfg(target_arch = "x86_64")]
#[inline]
fn copy_samples(into: &mut [f32], from: &[f32]) {
    /// [`copy_flushed`] with eight samples in a vector.
    #[target_feature(enable = "avx2")]
    fn copy_in_eights(into: &mut [f32], from: &[f32]) {
        copy_flushed(into, from);
    }
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the host has what the function is compiled for.
        unsafe { copy_in_eights(into, from) }
    } else {
        copy_flushed(into, from);
    }
}

/// Copies samples as a kernel may see them.
#[cfg(not(target_arch = "x86_64"))]
fn copy_samples(into: &mut [f32], from: &[f32]) {
    copy_flushed(into, from);
}

/// Copies samples to as many others, half a quantum in a step.
#[inline(always)]
fn copy_flushed(into: &mut [f32], from: &[f32]) {
    let from = &from[..into.len()];
    let (halves, rest) = into.as_chunks_mut::<{ QUANTUM / 2 }>();
    let (halves_from, rest_from) = from.as_chunks::<{ QUANTUM / 2 }>();
    for (to, from) in halves.iter_mut().zip(halves_from) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = flush(*from));
    }
    if !rest.is_empty() {
        rest.iter_mut().zip(rest_from).for_each(|(to, from)| *to = flush(*from));
    }
}

/// A subnormal is 0, what is not a number as well: so a kernel never sees either.
#[inline(always)]
pub(crate) fn flush(x: f32) -> f32 {
    // Less the least normal number and 2³¹: normal numbers come first among whole numbers with a sign, so that one
    // comparison finds them. What compares floats would take two.
    const FIRST: u32 = f32::MIN_POSITIVE.to_bits();
    const BEYOND: u32 = f32::INFINITY.to_bits();
    let offset = |bits: u32| bits.wrapping_sub(FIRST) as i32 ^ i32::MIN;
    let is_normal = offset(x.abs().to_bits()) < offset(BEYOND);
    if is_normal { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_numbers_are_copied() {
        let ends = [0.0, f32::from_bits(1), f32::MIN_POSITIVE.next_down(), f32::MIN_POSITIVE, 1.0, f32::MAX];
        let beyond = [f32::INFINITY, f32::NAN, f32::from_bits(0x7f80_0001)];
        let both = ends.into_iter().chain(beyond).flat_map(|x| [x, -x]);
        let from: Vec<f32> = both.cycle().take(3 * QUANTUM).collect();
        for len in [3 * QUANTUM, 2 * QUANTUM + 7, QUANTUM, 61, 3] {
            let mut into = [9.0; 3 * QUANTUM];
            copy(&mut into, &from[..len]);
            for (to, from) in into.iter().zip(&from[..len]) {
                let wanted = if from.is_normal() { *from } else { 0.0 };
                assert_eq!(to.to_bits(), wanted.to_bits(), "{from}");
            }
            assert!(into[len..].iter().all(|x| *x == 0.0));
        }
    }
}
