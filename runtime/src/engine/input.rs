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
        copy(into, self.after(0));
        self.skip(into.len());
    }

    /// The samples that are heard after so many others.
    fn after(&self, frames: usize) -> &[f32] {
        self.samples.get(self.heard + frames..).unwrap_or(&[])
    }

    /// So many samples have been heard, or silence where there were none.
    pub(crate) fn skip(&mut self, samples: usize) {
        self.heard = self.samples.len().min(self.heard + samples);
    }
}

/// What is heard while a host's frames are rendered.
pub(crate) trait Sound: Copy {
    /// What a channel has from a frame of the host's on: empty where it is short, or there is no channel at all.
    fn channel<'a>(self, index: usize, at: usize) -> &'a [f32]
    where
        Self: 'a;
}

/// These very frames are heard; the last channel stands for all beyond.
#[derive(Clone, Copy)]
pub(crate) struct HostBlock<'s>(pub(crate) &'s [&'s [f32]]);

impl Sound for HostBlock<'_> {
    #[inline(always)]
    fn channel<'a>(self, index: usize, at: usize) -> &'a [f32]
    where
        Self: 'a,
    {
        self.0.get(index).or(self.0.last()).and_then(|sound| sound.get(at..)).unwrap_or(&[])
    }
}

/// What was fed before, and waits to be heard.
#[derive(Clone, Copy)]
pub(crate) struct Fed<'s> {
    /// Each channel of it.
    pub(crate) waiting: &'s [Waiting],
    /// The host's frame at which the first sample that waits is heard.
    pub(crate) from: usize,
}

impl Sound for Fed<'_> {
    #[inline(always)]
    fn channel<'a>(self, index: usize, at: usize) -> &'a [f32]
    where
        Self: 'a,
    {
        self.waiting.get(index).map_or(&[], |waiting| waiting.after(at - self.from))
    }
}

/// Whether kernels may see the samples of some channels as they are: all have whole quanta, of nothing but normal numbers. Where one is 0
/// they may not, as its sign would have to be looked at; they are copied then. False where a channel is none.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn are_normal<'a>(channels: impl Iterator<Item = Option<&'a [f32]>>) -> bool {
    // Without these vectors it takes as long as to copy them.
    // SAFETY: the host has what the function is compiled for.
    std::arch::is_x86_feature_detected!("avx2") && unsafe { are_normal_in_eights(channels) }
}

/// [`are_normal`], eight samples in an instruction: the least and the greatest magnitude as bits, which order as the numbers do.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn are_normal_in_eights<'a>(channels: impl Iterator<Item = Option<&'a [f32]>>) -> bool {
    use std::arch::x86_64::{
        _mm256_and_si256, _mm256_cmpeq_epi32, _mm256_loadu_si256, _mm256_max_epu32, _mm256_min_epu32,
        _mm256_movemask_epi8, _mm256_set1_epi32, _mm256_setzero_si256,
    };
    let magnitude = _mm256_set1_epi32(i32::MAX);
    let (mut least, mut greatest) = ([magnitude; 2], [_mm256_setzero_si256(); 2]);
    for channel in channels {
        let Some((quanta, [])) = channel.map(<[f32]>::as_chunks::<QUANTUM>) else { return false };
        for quantum in quanta {
            for (i, eight) in quantum.as_chunks::<8>().0.iter().enumerate() {
                // SAFETY: there are eight samples.
                let bits = unsafe { _mm256_loadu_si256(eight.as_ptr().cast()) };
                let bits = _mm256_and_si256(bits, magnitude);
                least[i % 2] = _mm256_min_epu32(least[i % 2], bits);
                greatest[i % 2] = _mm256_max_epu32(greatest[i % 2], bits);
            }
        }
    }
    let [first, last] = [f32::MIN_POSITIVE, f32::MAX].map(|x| _mm256_set1_epi32(x.to_bits() as i32));
    let least = _mm256_min_epu32(least[0], least[1]);
    let greatest = _mm256_max_epu32(greatest[0], greatest[1]);
    let above = _mm256_cmpeq_epi32(_mm256_max_epu32(least, first), least);
    let below = _mm256_cmpeq_epi32(_mm256_min_epu32(greatest, last), greatest);
    _mm256_movemask_epi8(_mm256_and_si256(above, below)) == -1
}

/// Whether samples are whole quanta of nothing but normal numbers.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn are_normal_one_by_one(samples: &[f32]) -> bool {
    samples.len().is_multiple_of(QUANTUM) && samples.iter().all(|x| x.is_normal())
}

/// Whether kernels may see the samples of some channels as they are.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn are_normal<'a>(mut channels: impl Iterator<Item = Option<&'a [f32]>>) -> bool {
    channels.all(|channel| channel.is_some_and(are_normal_one_by_one))
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

    #[test]
    fn what_is_not_normal_is_found_everywhere() {
        let mut samples = [-1.0; 2 * QUANTUM];
        assert!(are_normal_one_by_one(&samples) && !are_normal_one_by_one(&samples[1..]));
        let may_be_seen = |samples: &[f32]| {
            // Beside a channel that is.
            let both = [[1.0; QUANTUM].as_slice(), samples];
            let [first, last] = [both, [both[1], both[0]]].map(|both| are_normal(both.into_iter().map(Some)));
            assert_eq!(first, last);
            first
        };
        // Some hosts have no such vectors, and copy.
        let may_be = may_be_seen(&samples);
        assert!(!may_be_seen(&samples[1..]));
        assert!(!are_normal([Some(&samples[..]), None].into_iter()));
        let good = [f32::MIN_POSITIVE, f32::MAX, -f32::MIN_POSITIVE, f32::MIN];
        let bad = [f32::INFINITY, f32::NAN, f32::MIN_POSITIVE.next_down(), f32::from_bits(1), 0.0];
        for place in 0..samples.len() {
            for x in good {
                samples[place] = x;
                assert!(are_normal_one_by_one(&samples) && may_be_seen(&samples) == may_be, "{x}");
            }
            for x in bad.into_iter().flat_map(|x| [x, -x]) {
                samples[place] = x;
                assert!(!may_be_seen(&samples) && !are_normal_one_by_one(&samples), "{x}");
            }
            samples[place] = 0.5;
        }
    }
}
