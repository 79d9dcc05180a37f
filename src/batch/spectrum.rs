//! The power of a sound in octave bands. Plain f32 arithmetic in one order and tables by `libm`: the same bits on every machine.

/// Frames of a window. Windows overlap by half.
const WINDOW: usize = 4096;
const HALF: usize = WINDOW / 2;

/// Middles of the octave bands in Hz. A band reaches from the middle times 1/√2 to the middle times √2.
pub(super) const BANDS: [f64; 9] = [63.0, 125.0, 250.0, 500.0, 1e3, 2e3, 4e3, 8e3, 16e3];

/// What is known of a sound's spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Powers {
    /// The mean square in each band.
    pub(super) bands: [f64; BANDS.len()],
    /// The mean frequency, weighted by power, in Hz; 0 in silence.
    pub(super) centroid: f64,
}

/// Measures sounds of one rate, one after the other.
pub(super) struct Spectrum {
    rate: f64,
    /// Hann's window.
    window: Vec<f32>,
    /// cos and sin of 2π·i/WINDOW.
    cos: Vec<f32>,
    sin: Vec<f32>,
    /// The band of each bin of a spectrum, if it is in one.
    band: Vec<Option<usize>>,
    /// The frames of a window, weighed by it.
    windowed: Vec<f32>,
    real: [Vec<f32>; 2],
    imaginary: [Vec<f32>; 2],
    power: Vec<f64>,
}

impl Spectrum {
    pub(super) fn new(rate: u32) -> Spectrum {
        let turn = |i: usize| i as f64 * std::f64::consts::TAU / WINDOW as f64;
        let rate = f64::from(rate);
        let band = |bin: usize| {
            let hz = bin as f64 * rate / WINDOW as f64;
            let reach = std::f64::consts::SQRT_2;
            BANDS.iter().position(|&middle| (middle / reach..middle * reach).contains(&hz))
        };
        let zeros = || [vec![0.0; HALF], vec![0.0; HALF]];
        Spectrum {
            rate,
            window: (0..WINDOW).map(|i| (0.5 - 0.5 * libm::cos(turn(i))) as f32).collect(),
            cos: (0..WINDOW).map(|i| libm::cos(turn(i)) as f32).collect(),
            sin: (0..WINDOW).map(|i| libm::sin(turn(i)) as f32).collect(),
            band: (0..=HALF).map(band).collect(),
            windowed: vec![0.0; WINDOW],
            real: zeros(),
            imaginary: zeros(),
            power: vec![0.0; HALF + 1],
        }
    }

    /// The powers of a whole sound of one channel.
    pub(super) fn powers(&mut self, sound: &[f32]) -> Powers {
        self.power.fill(0.0);
        // The first one begins before the sound, so that its first frames count as much as all others.
        for end in (1..=sound.len().div_ceil(HALF) + 1).map(|windows| windows * HALF) {
            let frames = &sound[end.saturating_sub(WINDOW)..end.min(sound.len())];
            if !is_silent(frames) {
                self.add(frames, end.min(WINDOW));
            }
        }
        // The squares of Hann's window have the mean 3/8, each frame is in two windows, and only half of the spectrum is here.
        let scale = 2.0 / (WINDOW as f64 * 0.75 * (sound.len().max(1) as f64));
        let mut powers = Powers::default();
        let (mut all, mut moment) = (0.0, 0.0);
        for (bin, &power) in self.power.iter().enumerate() {
            if let Some(band) = self.band[bin] {
                powers.bands[band] += power * scale;
            }
            all += power;
            moment += power * bin as f64;
        }
        powers.centroid = if all > 0.0 { moment / all * self.rate / WINDOW as f64 } else { 0.0 };
        powers
    }

    /// Adds the powers of one window, of which the last `reached` frames lie after the sound's start, and silence follows where
    /// `frames` are fewer.
    fn add(&mut self, frames: &[f32], reached: usize) {
        let before = WINDOW - reached;
        self.windowed.fill(0.0);
        let weighed = self.windowed[before..].iter_mut().zip(&self.window[before..]).zip(frames);
        weighed.for_each(|((to, weight), x)| *to = x * weight);
        // Even frames are the real parts of half as many complex ones, odd frames the imaginary.
        let pairs = self.windowed.as_chunks::<2>().0.iter();
        let places = self.real[0].iter_mut().zip(&mut self.imaginary[0]);
        places.zip(pairs).for_each(|((re, im), pair)| (*re, *im) = (pair[0], pair[1]));
        self.transform();
        self.add_powers();
    }

    /// Adds the powers of the spectrum of which `real` and `imaginary` have that of half as many complex numbers.
    fn add_powers(&mut self) {
        let power = |(re, im): (f32, f32), (re_mirror, im_mirror): (f32, f32), (cos, sin): (f32, f32)| {
            let even = (0.5 * (re + re_mirror), 0.5 * (im - im_mirror));
            let odd = (0.5 * (im + im_mirror), 0.5 * (re_mirror - re));
            let real = even.0 + cos * odd.0 + sin * odd.1;
            let imaginary = even.1 + cos * odd.1 - sin * odd.0;
            f64::from(real * real + imaginary * imaginary)
        };
        let (re, im) = (&self.real[0], &self.imaginary[0]);
        for end in [0, HALF] {
            let own = (re[0], im[0]);
            self.power[end] += power(own, own, (self.cos[end], self.sin[end]));
        }
        let parts = re[1..].iter().zip(&im[1..]);
        let mirrors = re[1..].iter().rev().zip(im[1..].iter().rev());
        let turns = self.cos[1..HALF].iter().zip(&self.sin[1..HALF]);
        for (((sum, own), mirror), turn) in self.power[1..HALF].iter_mut().zip(parts).zip(mirrors).zip(turns)
        {
            *sum += power((*own.0, *own.1), (*mirror.0, *mirror.1), (*turn.0, *turn.1));
        }
    }

    /// Stockham's transform of half as many complex numbers, by halves; the result is where the input was.
    fn transform(&mut self) {
        let turns = (&*self.cos, &*self.sin);
        let mut stride = 1;
        while stride < HALF {
            let [re, re_to] = &mut self.real;
            let [im, im_to] = &mut self.imaginary;
            let (from, to) = ((&**re, &**im), (&mut **re_to, &mut **im_to));
            // With a length that is known, short loops become a few vectors.
            match stride {
                1 => stage(from, to, turns, 1),
                2 => stage(from, to, turns, 2),
                4 => stage(from, to, turns, 4),
                _ => stage(from, to, turns, stride),
            }
            self.real.swap(0, 1);
            self.imaginary.swap(0, 1);
            stride *= 2;
        }
    }
}

/// Whether all samples are zero.
fn is_silent(frames: &[f32]) -> bool {
    frames.iter().fold(0, |bits, x| bits | x.abs().to_bits()) == 0
}

/// A step of the transform: real and imaginary parts from where to where, cosines and sines, and how many numbers have one turn.
#[inline(always)]
fn stage(from: (&[f32], &[f32]), to: (&mut [f32], &mut [f32]), (cos, sin): (&[f32], &[f32]), stride: usize) {
    let ((re_a, re_b), (im_a, im_b)) = (from.0.split_at(HALF / 2), from.1.split_at(HALF / 2));
    let a = re_a.chunks_exact(stride).zip(im_a.chunks_exact(stride));
    let b = re_b.chunks_exact(stride).zip(im_b.chunks_exact(stride));
    let to = to.0.chunks_exact_mut(2 * stride).zip(to.1.chunks_exact_mut(2 * stride));
    for (group, ((a, b), (re_to, im_to))) in a.zip(b).zip(to).enumerate() {
        let turn = 2 * stride * group;
        let (re_sums, re_turned) = re_to.split_at_mut(stride);
        let (im_sums, im_turned) = im_to.split_at_mut(stride);
        let sums = re_sums.iter_mut().zip(im_sums);
        let turned = re_turned.iter_mut().zip(im_turned);
        let (cos, sin) = (cos[turn], sin[turn]);
        let parts = a.0.iter().zip(a.1).zip(b.0.iter().zip(b.1));
        for (((re_a, im_a), (re_b, im_b)), (sum, turned)) in parts.zip(sums.zip(turned)) {
            let (difference, difference_im) = (re_a - re_b, im_a - im_b);
            (*sum.0, *sum.1) = (re_a + re_b, im_a + im_b);
            *turned.0 = difference * cos + difference_im * sin;
            *turned.1 = difference_im * cos - difference * sin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_in_its_band_with_its_power() {
        for (hz, band) in [(125.0, 1), (1000.0, 4), (9000.0, 7)] {
            let sine = |i: usize| (i as f64 * hz * std::f64::consts::TAU / 48_000.0).sin() as f32 * 0.5;
            let sound: Vec<f32> = (0..48_000).map(sine).collect();
            let powers = Spectrum::new(48_000).powers(&sound);
            assert!((powers.bands[band] / 0.125 - 1.0).abs() < 0.02, "{hz} Hz: {powers:?}");
            assert!((powers.centroid / hz - 1.0).abs() < 0.02, "{hz} Hz: {powers:?}");
            let others: f64 = powers.bands.iter().sum::<f64>() - powers.bands[band];
            assert!(others < 0.002, "{hz} Hz: {powers:?}");
        }
    }

    #[test]
    fn the_bands_of_noise_add_up_to_its_power() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as i32 as f32 / 2_147_483_648.0
        };
        let sound: Vec<f32> = (0..96_000).map(|_| noise()).collect();
        let power = sound.iter().map(|x| f64::from(x * x)).sum::<f64>() / 96_000.0;
        let bands: f64 = Spectrum::new(48_000).powers(&sound).bands.iter().sum();
        // From 44.5 Hz to 22.6 kHz of 24 kHz.
        assert!((bands / power / (22_583.0 / 24_000.0) - 1.0).abs() < 0.03, "{bands} of {power}");
    }

    #[test]
    fn silence_has_no_power() {
        assert_eq!(Spectrum::new(44_100).powers(&[0.0; 5000]), Powers::default());
        assert_eq!(Spectrum::new(44_100).powers(&[]), Powers::default());
    }
}
