//! The product of 0 and what is examined: 0 · x is 0 for every finite x, and NaN for all others, and what was NaN once stays so. The
//! outputs and the states of a step go into one, so that it is looked at once.

use crate::program::QUANTUM;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128, _mm_castpd_ps, _mm_cmpeq_ps, _mm_load_ps, _mm_load_sd, _mm_load_ss, _mm_loadu_pd, _mm_loadu_ps,
    _mm_movemask_ps, _mm_mul_pd, _mm_mul_ps, _mm_setzero_pd, _mm_setzero_ps,
};
use std::ops::Range;

/// States in a row of the state memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    start: *const u8,
    count: usize,
    is_double: bool,
}

impl Words {
    /// The states in f32 in some bytes of the state memory.
    pub(super) fn singles(state: *const u8, bytes: &Range<usize>) -> Words {
        Words {
            start: state.wrapping_add(bytes.start),
            count: bytes.len() / size_of::<f32>(),
            is_double: false,
        }
    }

    /// The states in f64 in some bytes of the state memory.
    pub(super) fn doubles(state: *const u8, bytes: &Range<usize>) -> Words {
        Words {
            start: state.wrapping_add(bytes.start),
            count: bytes.len() / size_of::<f64>(),
            is_double: true,
        }
    }
}

/// The product of 0 and all numbers that were taken, in vectors of four, as kernels have just stored them: a processor hands a store
/// over to a load of the same size, while a wider load waits until the stores have left the core.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Product([__m128; 4]);

#[cfg(target_arch = "x86_64")]
impl Product {
    /// Of nothing so far.
    #[inline(always)]
    pub(crate) fn new() -> Product {
        // SAFETY: SSE2 is part of x86-64.
        Product([unsafe { _mm_setzero_ps() }; 4])
    }

    /// Takes all samples of a quantum.
    ///
    /// # Safety
    /// There is a quantum, aligned as [`Buffers`](crate::engine::memory::Buffers) says, and no kernel runs.
    #[inline(always)]
    pub(crate) unsafe fn take_quantum(&mut self, start: *const f32) {
        for i in 0..QUANTUM / 4 {
            // SAFETY: the caller's promise.
            unsafe { self.0[i % 4] = _mm_mul_ps(self.0[i % 4], _mm_load_ps(start.add(4 * i))) };
        }
    }

    /// Takes words of state as factors: what is not finite in them is so in the product.
    ///
    /// # Safety
    /// They are in the state memory, and no kernel runs.
    #[inline(always)]
    pub(crate) unsafe fn take_words(&mut self, words: Words) {
        // SAFETY: `Program::check` has seen that the words lie within the memory; every pattern of bits is a number.
        unsafe {
            match words.is_double {
                false => self.take_singles(words.start.cast(), words.count),
                true => self.take_doubles(words.start.cast(), words.count),
            }
        }
    }

    #[inline(always)]
    unsafe fn take_singles(&mut self, start: *const f32, count: usize) {
        let mut at = 0;
        while count - at >= 4 {
            // SAFETY: the caller's promise.
            unsafe { self.0[0] = _mm_mul_ps(self.0[0], _mm_loadu_ps(start.add(at))) };
            at += 4;
        }
        while at < count {
            // SAFETY: as above.
            unsafe { self.0[1] = _mm_mul_ps(self.0[1], _mm_load_ss(start.add(at))) };
            at += 1;
        }
    }

    #[inline(always)]
    unsafe fn take_doubles(&mut self, start: *const f64, count: usize) {
        let mut at = 0;
        // SAFETY: the caller's promise. The halves of a product's bits are zeros, or one is NaN as a number of half the size.
        unsafe {
            while count - at >= 2 {
                let product = _mm_mul_pd(_mm_setzero_pd(), _mm_loadu_pd(start.add(at)));
                self.0[2] = _mm_mul_ps(self.0[2], _mm_castpd_ps(product));
                at += 2;
            }
            if at < count {
                let product = _mm_mul_pd(_mm_setzero_pd(), _mm_load_sd(start.add(at)));
                self.0[3] = _mm_mul_ps(self.0[3], _mm_castpd_ps(product));
            }
        }
    }

    /// Whether all that was taken is finite.
    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        let [a, b, c, d] = self.0;
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let product = _mm_mul_ps(_mm_mul_ps(a, b), _mm_mul_ps(c, d));
            _mm_movemask_ps(_mm_cmpeq_ps(product, _mm_setzero_ps())) == 0b1111
        }
    }
}

/// The product of 0 and all numbers that were taken.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
pub(crate) struct Product([f32; 4]);

#[cfg(not(target_arch = "x86_64"))]
impl Product {
    /// Of nothing so far.
    #[inline(always)]
    pub(crate) fn new() -> Product {
        Product([0.0; 4])
    }

    /// Takes all samples of a quantum.
    ///
    /// # Safety
    /// There is a quantum, and no kernel runs.
    #[inline(always)]
    pub(crate) unsafe fn take_quantum(&mut self, start: *const f32) {
        // SAFETY: the caller's promise.
        unsafe { self.take_singles(std::slice::from_raw_parts(start, QUANTUM)) };
    }

    /// Takes words of state as factors: what is not finite in them is so in the product.
    ///
    /// # Safety
    /// They are in the state memory, and no kernel runs.
    #[inline(always)]
    pub(crate) unsafe fn take_words(&mut self, words: Words) {
        // SAFETY: `Program::check` has seen that the words lie within the memory, at a multiple of their size; every pattern of
        // bits is a number.
        unsafe {
            match words.is_double {
                false => self.take_singles(std::slice::from_raw_parts(words.start.cast(), words.count)),
                true => {
                    let words: &[f64] = std::slice::from_raw_parts(words.start.cast(), words.count);
                    words.iter().for_each(|x| self.0[0] *= (0.0 * x) as f32);
                }
            }
        }
    }

    #[inline(always)]
    fn take_singles(&mut self, values: &[f32]) {
        let (fours, rest) = values.as_chunks::<4>();
        for four in fours {
            self.0.iter_mut().zip(four).for_each(|(product, x)| *product *= x);
        }
        rest.iter().for_each(|x| self.0[0] *= x);
    }

    /// Whether all that was taken is finite.
    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        self.0.iter().product::<f32>() == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples as a buffer is aligned at least.
    #[repr(C, align(16))]
    struct Aligned([f32; QUANTUM]);

    #[test]
    fn every_sample_of_a_quantum_is_examined() {
        let finite = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::from_bits(1), -1.0];
        let mut samples = Aligned(std::array::from_fn(|i| finite[i % finite.len()]));
        let is_zero = |samples: &Aligned| {
            let mut product = Product::new();
            // SAFETY: there is an aligned quantum.
            unsafe { product.take_quantum(samples.0.as_ptr()) };
            product.is_zero()
        };
        assert!(Product::new().is_zero() && is_zero(&samples));
        for place in 0..QUANTUM {
            for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
                let good = std::mem::replace(&mut samples.0[place], bad);
                assert!(!is_zero(&samples));
                samples.0[place] = good;
            }
        }
    }

    #[test]
    fn every_state_is_examined() {
        let finite = [0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::from_bits(1), -1.0, 1e300];
        let mut doubles: [f64; 8] = finite;
        let mut singles: [f32; 8] = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1.0, -1.0, 0.5];
        for (first, count) in (0..8).flat_map(|first| (0..=8 - first).map(move |count| (first, count))) {
            let is_zero = |singles: &[f32; 8], doubles: &[f64; 8]| {
                let bytes = |size: usize| first * size..(first + count) * size;
                let mut product = Product::new();
                // SAFETY: the words are those of the arrays.
                unsafe {
                    product.take_words(Words::singles(singles.as_ptr().cast(), &bytes(4)));
                    product.take_words(Words::doubles(doubles.as_ptr().cast(), &bytes(8)));
                }
                product.is_zero()
            };
            assert!(is_zero(&singles, &doubles));
            for place in 0..8 {
                let is_within = (first..first + count).contains(&place);
                for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN] {
                    let good = std::mem::replace(&mut doubles[place], bad);
                    assert_eq!(is_zero(&singles, &doubles), !is_within);
                    doubles[place] = good;
                    let good = std::mem::replace(&mut singles[place], bad as f32);
                    assert_eq!(is_zero(&singles, &doubles), !is_within);
                    singles[place] = good;
                }
            }
        }
    }
}
