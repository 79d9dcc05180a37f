//! Linear prediction: coefficients from a windowed autocorrelation by the Levinson–Durbin recursion, quantised, and the
//! residuals that they leave.

/// The greatest order: what the streamable subset of FLAC allows up to 48 kHz.
pub(super) const MOST_ORDER: usize = 12;
/// Shifts of quantised coefficients are not negative and have five bits with a sign.
const MOST_SHIFT: i32 = 15;

/// A predictor: the sample is the sum of `coefficients[i]` · (the i-th sample before) / 2^`shift`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Predictor {
    /// The latest sample's first.
    pub(super) coefficients: Vec<i32>,
    /// Bits of each coefficient, with its sign.
    pub(super) precision: u32,
    /// Bits that are cut off the sum.
    pub(super) shift: u32,
}

/// Coefficients of every order up to a greatest one, with the energy of the error that each leaves.
pub(super) fn predictors(samples: &[i32], window: &[f64], most: usize) -> Vec<(Vec<f64>, f64)> {
    let windowed: Vec<f64> = samples.iter().zip(window).map(|(&s, w)| f64::from(s) * w).collect();
    let lag = |k: usize| dot(&windowed[k..], &windowed[..windowed.len() - k]);
    let lags: Vec<f64> = (0..=most.min(samples.len().saturating_sub(1))).map(lag).collect();
    levinson(&lags)
}

/// The sum of products, in four accumulators so that lanes can be used.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut accumulators = [0.0; 4];
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        (0..4).for_each(|i| accumulators[i] += x[i] * y[i]);
    }
    accumulators.iter().sum::<f64>() + rest
}

/// J. Makhoul, "Linear Prediction: A Tutorial Review", Proc. IEEE 63 (1975), equations 38a to 38e.
fn levinson(lags: &[f64]) -> Vec<(Vec<f64>, f64)> {
    let mut error = lags[0];
    let mut coefficients: Vec<f64> = Vec::new();
    let mut all = Vec::new();
    for order in 0..lags.len() - 1 {
        if error <= 0.0 {
            break;
        }
        let known: f64 = coefficients.iter().enumerate().map(|(i, c)| c * lags[order - i]).sum();
        let reflection = (lags[order + 1] - known) / error;
        let reversed: Vec<f64> = coefficients.iter().rev().copied().collect();
        coefficients.iter_mut().zip(reversed).for_each(|(c, r)| *c -= reflection * r);
        coefficients.push(reflection);
        error *= 1.0 - reflection * reflection;
        all.push((coefficients.clone(), error));
    }
    all
}

impl Predictor {
    /// Quantises coefficients to so many bits; none where they cannot be.
    pub(super) fn quantised(coefficients: &[f64], precision: u32) -> Option<Predictor> {
        let greatest = coefficients.iter().fold(0.0_f64, |m, c| m.max(c.abs()));
        if !greatest.is_finite() || greatest <= 0.0 {
            return None;
        }
        // Its greatest magnitude is below 2^(precision − 1).
        let exponent = greatest.log2().floor() as i32 + 1;
        let shift = (precision as i32 - 1 - exponent).min(MOST_SHIFT);
        if shift < 0 {
            return None;
        }
        let most = f64::from((1_i32 << (precision - 1)) - 1);
        // Each coefficient makes up for what rounding took from those before it.
        let mut owed = 0.0;
        let quantise = |c: &f64| {
            let wanted = c * f64::from(1_i32 << shift) + owed;
            let rounded = wanted.round().clamp(-most, most);
            owed = wanted - rounded;
            rounded as i32
        };
        let coefficients = coefficients.iter().map(quantise).collect();
        Some(Predictor { coefficients, precision, shift: shift as u32 })
    }

    /// What the prediction leaves of the samples after the first ones; none where it does not fit 32 bits.
    pub(super) fn residuals(&self, samples: &[i32], into: &mut Vec<i32>) -> Option<()> {
        // A sum of products of 25 and 15 bits needs at most 44.
        match self.coefficients.len() {
            1 => self.fixed_residuals::<1>(samples, into),
            2 => self.fixed_residuals::<2>(samples, into),
            3 => self.fixed_residuals::<3>(samples, into),
            4 => self.fixed_residuals::<4>(samples, into),
            5 => self.fixed_residuals::<5>(samples, into),
            6 => self.fixed_residuals::<6>(samples, into),
            7 => self.fixed_residuals::<7>(samples, into),
            8 => self.fixed_residuals::<8>(samples, into),
            9 => self.fixed_residuals::<9>(samples, into),
            10 => self.fixed_residuals::<10>(samples, into),
            11 => self.fixed_residuals::<11>(samples, into),
            12 => self.fixed_residuals::<12>(samples, into),
            _ => None,
        }
    }

    fn fixed_residuals<const N: usize>(&self, samples: &[i32], into: &mut Vec<i32>) -> Option<()> {
        let coefficients: [i64; N] = std::array::from_fn(|i| i64::from(self.coefficients[N - 1 - i]));
        into.clear();
        let mut overflow = 0;
        into.extend(samples.windows(N + 1).map(|window| {
            let sum: i64 = (0..N).map(|i| coefficients[i] * i64::from(window[i])).sum();
            let residual = i64::from(window[N]) - (sum >> self.shift);
            overflow |= residual ^ i64::from(residual as i32);
            residual as i32
        }));
        (overflow == 0).then_some(())
    }
}

/// What the fixed predictor of this order, a difference of differences, leaves. Samples have at most 25 bits.
pub(super) fn fixed_residuals(samples: &[i32], order: usize, into: &mut Vec<i32>) {
    into.clear();
    into.extend(samples);
    for done in 0..order {
        for i in (done + 1..into.len()).rev() {
            into[i] -= into[i - 1];
        }
    }
    into.drain(..order.min(samples.len()));
}

/// A cosine-tapered window: flat in the middle half (Harris, "On the Use of Windows …", Proc. IEEE 66, 1978).
pub(super) fn tapered(length: usize, flat: f64) -> Vec<f64> {
    let edge = (1.0 - flat) / 2.0 * length as f64;
    let at = |i: usize| {
        let distance = (i as f64 + 0.5).min(length as f64 - i as f64 - 0.5);
        if distance >= edge { 1.0 } else { 0.5 - 0.5 * (std::f64::consts::PI * distance / edge).cos() }
    };
    (0..length).map(at).collect()
}
