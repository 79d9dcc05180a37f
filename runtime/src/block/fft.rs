//! The discrete Fourier transform of all block nodes, in place.
//!
//! Decimation in frequency on the way there and in time on the way back (W. M. Gentleman, G. Sande, "Fast Fourier
//! Transforms: for fun and profit", AFIPS 1966), in stages of radix 4, and one of radix 2 first where the size is not a power of
//! four. A transform leaves the bins in the order that the stages make, and the way back takes them so:
//! nothing is reordered. Real and imaginary parts stand apart, so neighbours are vectors.
//!
//! Each stage is cut into chunks of [`CHUNK`] elements, so that a long transform can be spread over many quanta. Every sum is
//! rounded as it is written here, without fused operations, and factors come from a table in f64 that was rounded once: the
//! bits are the same wherever it runs, and `runtime/c/block.h` has the same sums.

use std::f64::consts::TAU;
use std::ops::{Add, Mul, Sub};

/// Elements of a stage that are transformed at a time.
pub(super) const CHUNK: usize = 64;

/// Elements that are computed with at once, at most.
pub(super) const LANES: usize = 8;

/// What can be added, subtracted and multiplied: a number, or several in lanes.
pub(super) trait Field: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {}
impl<T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T>> Field for T {}

/// What a transform computes with: f32 in the engine, f64 where tables are made.
pub(super) trait Real: Field {
    /// The number that is nearest.
    fn nearest(x: f64) -> Self;
}

impl Real for f32 {
    fn nearest(x: f64) -> f32 {
        x as f32
    }
}

impl Real for f64 {
    fn nearest(x: f64) -> f64 {
        x
    }
}

/// A complex transform of one size, with its factors.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Transform<F = f32> {
    size: usize,
    stages: Vec<Stage<F>>,
}

/// A stage: transforms of `radix` elements, `span` apart.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Stage<F> {
    /// 2 or 4.
    pub(super) radix: usize,
    /// How far apart the elements of a butterfly are.
    pub(super) span: usize,
    /// The first, second and third power of the factor of each place in the span: real parts, imaginary parts, `span` each. Empty where all are 1.
    pub(super) factors: Vec<F>,
}

impl<F: Real> Transform<F> {
    /// The transform of `size` complex elements, a power of two and at least [`CHUNK`].
    pub(super) fn new(size: usize) -> Transform<F> {
        debug_assert!(size.is_power_of_two() && size >= CHUNK);
        let mut stages = vec![];
        let mut length = size;
        if size.trailing_zeros() % 2 == 1 {
            stages.push(Stage::new(2, length));
            length /= 2;
        }
        while length > 1 {
            stages.push(Stage::new(4, length));
            length /= 4;
        }
        Transform { size, stages }
    }

    /// How many elements it has.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The stages on the way there, in order.
    pub(super) fn stages(&self) -> &[Stage<F>] {
        &self.stages
    }

    /// The factors of all stages on the way there, one after the other.
    pub(super) fn factors(&self) -> Vec<F>
    where
        F: Copy,
    {
        self.stages.iter().flat_map(|stage| stage.factors.iter().copied()).collect()
    }

    /// Computes a chunk of a stage on the way there.
    #[inline(always)]
    pub(super) fn forward(&self, stage: usize, chunk: usize, re: &mut [F], im: &mut [F]) {
        let stage = &self.stages[stage];
        match (stage.radix, stage.span) {
            (2, _) => stage.radix2(chunk, re, im, Way::Forward),
            (_, 1) => forward_last(&mut re[chunk * CHUNK..][..CHUNK], &mut im[chunk * CHUNK..][..CHUNK]),
            (_, 4) => stage.radix4::<4>(chunk, re, im, Way::Forward),
            _ => stage.radix4::<{ CHUNK / 4 }>(chunk, re, im, Way::Forward),
        }
    }

    /// Computes a chunk of a stage on the way back; stages come in the opposite order.
    #[inline(always)]
    pub(super) fn inverse(&self, stage: usize, chunk: usize, re: &mut [F], im: &mut [F]) {
        let stage = &self.stages[stage];
        match (stage.radix, stage.span) {
            (2, _) => stage.radix2(chunk, re, im, Way::Inverse),
            (_, 1) => inverse_first(&mut re[chunk * CHUNK..][..CHUNK], &mut im[chunk * CHUNK..][..CHUNK]),
            (_, 4) => stage.radix4::<4>(chunk, re, im, Way::Inverse),
            _ => stage.radix4::<{ CHUNK / 4 }>(chunk, re, im, Way::Inverse),
        }
    }

    /// All of the way there.
    #[inline(always)]
    pub(super) fn forward_all(&self, re: &mut [F], im: &mut [F]) {
        for stage in 0..self.stages.len() {
            (0..self.size / CHUNK).for_each(|chunk| self.forward(stage, chunk, re, im));
        }
    }

    /// Where each bin stands after the stages, from bin 0 on: its digits, from the first stage on.
    pub(super) fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.size];
        for place in 0..self.size {
            let (mut bin, mut weight, mut rest) = (0, 1, place);
            for stage in &self.stages {
                bin += weight * (rest / stage.span);
                (rest, weight) = (rest % stage.span, weight * stage.radix);
            }
            places[bin] = place as u32;
        }
        places
    }

    /// All of the way back, without the division by the size.
    #[inline(always)]
    pub(super) fn inverse_all(&self, re: &mut [F], im: &mut [F]) {
        for stage in (0..self.stages.len()).rev() {
            (0..self.size / CHUNK).for_each(|chunk| self.inverse(stage, chunk, re, im));
        }
    }
}

impl<F: Real> Stage<F> {
    fn new(radix: usize, length: usize) -> Stage<F> {
        let span = length / radix;
        let mut factors = vec![];
        for power in 1..radix {
            let angle = |i: usize| TAU * ((power * i) % length) as f64 / length as f64;
            factors.extend((0..span).map(|i| F::nearest(libm::cos(angle(i)))));
            factors.extend((0..span).map(|i| F::nearest(-libm::sin(angle(i)))));
        }
        if span == 1 {
            factors.clear();
        }
        Stage { radix, span, factors }
    }

    /// Computes the butterflies of a chunk of radix 4, `N` of a group at a time.
    #[inline(always)]
    fn radix4<const N: usize>(&self, chunk: usize, re: &mut [F], im: &mut [F], way: Way) {
        let (span, per_chunk) = (self.span, CHUNK / 4);
        let mut butterfly = chunk * per_chunk;
        while butterfly < (chunk + 1) * per_chunk {
            let place = butterfly & (span - 1);
            let group = 4 * (butterfly - place);
            let (re, im) = (&mut re[group..group + 4 * span], &mut im[group..group + 4 * span]);
            let factor = |row: usize| -> &[F; N] { part(&self.factors, row * span + place) };
            let factors = [[factor(0), factor(1)], [factor(2), factor(3)], [factor(4), factor(5)]];
            match N {
                4 => butterflies::<F, N, 4>(quarters(re, place), quarters(im, place), factors, way),
                _ => butterflies::<F, N, LANES>(quarters(re, place), quarters(im, place), factors, way),
            }
            butterfly += N;
        }
    }

    /// Computes the butterflies of a chunk of radix 2.
    #[inline(always)]
    fn radix2(&self, chunk: usize, re: &mut [F], im: &mut [F], way: Way) {
        const N: usize = CHUNK / 2;
        let (span, place) = (self.span, chunk * N);
        let ([a, b], [c, d]) = (halves::<F, N>(re, span, place), halves::<F, N>(im, span, place));
        let w: [&[F; N]; 2] = [part(&self.factors, place), part(&self.factors, span + place)];
        let mut at = 0;
        while at < N {
            let (x, y) = (load::<F, LANES>(a, c, at), load::<F, LANES>(b, d, at));
            let w = load(w[0], w[1], at);
            let y = if way == Way::Inverse { unturned(y, w) } else { y };
            let difference = (x.0 - y.0, x.1 - y.1);
            store((x.0 + y.0, x.1 + y.1), at, a, c);
            store(if way == Way::Forward { times(difference, w) } else { difference }, at, b, d);
            at += LANES;
        }
    }
}

/// Whether a transform goes there or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Inverse,
}

/// Butterflies of radix 4, `L` at a time. The factors of the last three elements come behind them on the way there, and before them
/// on the way back.
#[inline(always)]
fn butterflies<F: Real, const N: usize, const L: usize>(
    [a, b, c, d]: [&mut [F; N]; 4],
    [e, f, g, h]: [&mut [F; N]; 4],
    [u, v, w]: [[&[F; N]; 2]; 3],
    way: Way,
) {
    let mut at = 0;
    while at < N {
        let x: [Complex<Lanes<F, L>>; 4] = [load(a, e, at), load(b, f, at), load(c, g, at), load(d, h, at)];
        let [u, v, w] = [load(u[0], u[1], at), load(v[0], v[1], at), load(w[0], w[1], at)];
        let y = match way {
            Way::Forward => {
                let [a, b, c, d] = forward_butterfly(x);
                [a, times(b, u), times(c, v), times(d, w)]
            }
            Way::Inverse => {
                let [a, b, c, d] = x;
                inverse_butterfly([a, unturned(b, u), unturned(c, v), unturned(d, w)])
            }
        };
        store(y[0], at, a, e);
        store(y[1], at, b, f);
        store(y[2], at, c, g);
        store(y[3], at, d, h);
        at += L;
    }
}

/// `N` elements from a place on.
#[inline(always)]
fn part<F, const N: usize>(all: &[F], at: usize) -> &[F; N] {
    all[at..at + N].first_chunk().expect("the slice has as many")
}

/// `N` elements of each quarter of a group, from a place on.
#[inline(always)]
fn quarters<F, const N: usize>(group: &mut [F], at: usize) -> [&mut [F; N]; 4] {
    let (low, high) = group.split_at_mut(group.len() / 2);
    let ([a, b], [c, d]) = (halves(low, low.len() / 2, at), halves(high, high.len() / 2, at));
    [a, b, c, d]
}

/// `N` elements from a place on, and as many a span later.
#[inline(always)]
fn halves<F, const N: usize>(group: &mut [F], span: usize, at: usize) -> [&mut [F; N]; 2] {
    let (low, high) = group.split_at_mut(span);
    let of = "the slice has as many";
    [low[at..at + N].first_chunk_mut().expect(of), high[at..at + N].first_chunk_mut().expect(of)]
}

/// The last stage on the way there: neighbours, with factors of 1.
#[inline(always)]
fn forward_last<F: Real>(re: &mut [F], im: &mut [F]) {
    for (re, im) in re.as_chunks_mut::<16>().0.iter_mut().zip(im.as_chunks_mut::<16>().0) {
        put_columns(forward_butterfly(columns(re, im)), re, im);
    }
}

/// The first stage on the way back.
#[inline(always)]
fn inverse_first<F: Real>(re: &mut [F], im: &mut [F]) {
    for (re, im) in re.as_chunks_mut::<16>().0.iter_mut().zip(im.as_chunks_mut::<16>().0) {
        put_columns(inverse_butterfly(columns(re, im)), re, im);
    }
}

/// Four neighbours at a time, as the columns of a square.
#[inline(always)]
fn columns<F: Real>(re: &[F; 16], im: &[F; 16]) -> [Complex<Lanes<F, 4>>; 4] {
    let ([a, b, c, d], [e, f, g, h]) = (transposed(re), transposed(im));
    [(Lanes(a), Lanes(e)), (Lanes(b), Lanes(f)), (Lanes(c), Lanes(g)), (Lanes(d), Lanes(h))]
}

#[inline(always)]
fn put_columns<F: Real>([a, b, c, d]: [Complex<Lanes<F, 4>>; 4], re: &mut [F; 16], im: &mut [F; 16]) {
    let rows = transposed([a.0.0, b.0.0, c.0.0, d.0.0].as_flattened().first_chunk().expect("it is a square"));
    re.copy_from_slice(rows.as_flattened());
    let rows = transposed([a.1.0, b.1.0, c.1.0, d.1.0].as_flattened().first_chunk().expect("it is a square"));
    im.copy_from_slice(rows.as_flattened());
}

/// The columns of a square as rows.
#[inline(always)]
fn transposed<F: Real>(x: &[F; 16]) -> [[F; 4]; 4] {
    [
        [x[0], x[4], x[8], x[12]],
        [x[1], x[5], x[9], x[13]],
        [x[2], x[6], x[10], x[14]],
        [x[3], x[7], x[11], x[15]],
    ]
}

/// A complex number as its parts, or several, in lanes.
pub(super) type Complex<T> = (T, T);

/// Numbers that are computed with at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes<F, const L: usize>(pub(super) [F; L]);

impl<F: Real, const L: usize> Lanes<F, L> {
    /// Those from a place on.
    #[inline(always)]
    pub(super) fn load(all: &[F], at: usize) -> Lanes<F, L> {
        Lanes(*all[at..at + L].first_chunk().expect("the slice has as many"))
    }

    /// Writes them from a place on.
    #[inline(always)]
    pub(super) fn store(self, to: &mut [F], at: usize) {
        *to[at..at + L].first_chunk_mut().expect("the slice has as many") = self.0;
    }
}

macro_rules! lane_by_lane {
    ($($of:ident $method:ident)*) => {$(
        impl<F: Real, const L: usize> $of for Lanes<F, L> {
            type Output = Lanes<F, L>;
            #[inline(always)]
            fn $method(self, other: Lanes<F, L>) -> Lanes<F, L> {
                let mut all = self.0;
                for (a, b) in all.iter_mut().zip(other.0) {
                    *a = a.$method(b);
                }
                Lanes(all)
            }
        }
    )*};
}
lane_by_lane! { Add add Sub sub Mul mul }

/// Complex numbers from a place on.
#[inline(always)]
pub(super) fn load<F: Real, const L: usize>(re: &[F], im: &[F], at: usize) -> Complex<Lanes<F, L>> {
    (Lanes::load(re, at), Lanes::load(im, at))
}

/// Writes complex numbers from a place on.
#[inline(always)]
pub(super) fn store<F: Real, const L: usize>(z: Complex<Lanes<F, L>>, at: usize, re: &mut [F], im: &mut [F]) {
    z.0.store(re, at);
    z.1.store(im, at);
}

/// The transform of four elements.
#[inline(always)]
fn forward_butterfly<T: Field>([a, b, c, d]: [Complex<T>; 4]) -> [Complex<T>; 4] {
    let (sum, difference) = ((a.0 + c.0, a.1 + c.1), (a.0 - c.0, a.1 - c.1));
    let (other, turned) = ((b.0 + d.0, b.1 + d.1), (b.1 - d.1, d.0 - b.0));
    [
        (sum.0 + other.0, sum.1 + other.1),
        (difference.0 + turned.0, difference.1 + turned.1),
        (sum.0 - other.0, sum.1 - other.1),
        (difference.0 - turned.0, difference.1 - turned.1),
    ]
}

/// Four times what [`forward_butterfly`] was given.
#[inline(always)]
fn inverse_butterfly<T: Field>([a, b, c, d]: [Complex<T>; 4]) -> [Complex<T>; 4] {
    let (sum, other) = ((a.0 + c.0, a.1 + c.1), (a.0 - c.0, a.1 - c.1));
    let (difference, turned) = ((b.0 + d.0, b.1 + d.1), (d.1 - b.1, b.0 - d.0));
    [
        (sum.0 + difference.0, sum.1 + difference.1),
        (other.0 + turned.0, other.1 + turned.1),
        (sum.0 - difference.0, sum.1 - difference.1),
        (other.0 - turned.0, other.1 - turned.1),
    ]
}

/// The product of two complex numbers.
#[inline(always)]
pub(super) fn times<T: Field>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    (z.0 * w.0 - z.1 * w.1, z.0 * w.1 + z.1 * w.0)
}

/// The product with the conjugate of the second.
#[inline(always)]
pub(super) fn unturned<T: Field>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    (z.0 * w.0 + z.1 * w.1, z.1 * w.0 - z.0 * w.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_the_definition_and_the_way_back_is_exact() {
        for size in [64, 128, 512, 1024] {
            let transform = Transform::<f64>::new(size);
            let x = |i: usize| (libm::sin(i as f64 * i as f64), libm::cos(0.3 * i as f64));
            let (mut re, mut im): (Vec<f64>, Vec<f64>) = (0..size).map(x).unzip();
            transform.forward_all(&mut re, &mut im);
            for (bin, place) in transform.places().into_iter().enumerate().step_by(7) {
                let place = place as usize;
                let mut sum = (0.0, 0.0);
                for n in 0..size {
                    let angle = TAU * ((bin * n) % size) as f64 / size as f64;
                    let term = times(x(n), (libm::cos(angle), -libm::sin(angle)));
                    sum = (sum.0 + term.0, sum.1 + term.1);
                }
                assert!((sum.0 - re[place]).abs() + (sum.1 - im[place]).abs() < 1e-9, "{size} {place}");
            }
            transform.inverse_all(&mut re, &mut im);
            for (n, (re, im)) in re.iter().zip(&im).enumerate() {
                let (x, y) = x(n);
                assert!((re / size as f64 - x).abs() + (im / size as f64 - y).abs() < 1e-12, "{size} {n}");
            }
        }
    }
}
