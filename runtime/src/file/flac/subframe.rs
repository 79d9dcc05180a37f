//! One channel of a block: constant, predicted by a fixed or a computed predictor, or as it is, whichever is the shortest
//! (RFC 9639, section 9.2).

use super::bits::BitWriter;
use super::predict::{MOST_ORDER, Predictor, fixed_residuals, predictors, tapered};
use super::rice::Coding;

/// Orders of the fixed predictors.
const FIXED_ORDERS: usize = 5;
/// How much of a window is flat. The narrower one suits sounds that change within a block.
const FLAT: [f64; 2] = [0.5, 0.02];
/// So many of the orders that promise the most are tried, with each window.
const TRIED: usize = 2;

/// How a channel is written.
pub(super) struct Subframe {
    kind: Kind,
    /// Low bits that are 0 in every sample.
    wasted: u32,
    /// Bits of a sample without those.
    width: u32,
    /// Bits of it all, at most.
    pub(super) bits: u64,
}

enum Kind {
    Constant(i32),
    Verbatim(Vec<i32>),
    Fixed(Predicted),
    Linear(Predictor, Predicted),
}

/// The first samples as they are, and residuals of the others.
struct Predicted {
    first: Vec<i32>,
    residuals: Vec<i32>,
    coding: Coding,
}

/// What chooses; it keeps the windows.
#[derive(Default)]
pub(super) struct Chooser {
    windows: Vec<Vec<f64>>,
    residuals: Vec<i32>,
}

impl Chooser {
    /// The shortest form of `samples`, of at least one sample and `bits` bits each.
    pub(super) fn choose(&mut self, samples: &[i32], bits: u32) -> Subframe {
        let wasted = samples.iter().fold(0, |all, s| all | s).trailing_zeros();
        if samples.iter().all(|&s| s == samples[0]) {
            let bits_used = 8 + u64::from(bits);
            return Subframe { kind: Kind::Constant(samples[0]), wasted: 0, width: bits, bits: bits_used };
        }
        let shifted: Vec<i32> = samples.iter().map(|s| s >> wasted).collect();
        let width = bits - wasted;
        let header = 8 + u64::from(wasted);
        let verbatim = shifted.len() as u64 * u64::from(width);
        let predicted = self.fixed(&shifted, width).into_iter().chain(self.linear(&shifted, width));
        let best = predicted.min_by_key(|(bits, _)| *bits).filter(|(bits, _)| *bits < verbatim);
        let (bits, kind) = best.unwrap_or((verbatim, Kind::Verbatim(shifted)));
        Subframe { kind, wasted, width, bits: header + bits }
    }

    /// The best fixed predictor, and its bits.
    fn fixed(&mut self, samples: &[i32], width: u32) -> Option<(u64, Kind)> {
        let magnitude = |order: usize, residuals: &mut Vec<i32>| {
            fixed_residuals(samples, order, residuals);
            residuals.iter().map(|r| u64::from(r.unsigned_abs())).sum::<u64>()
        };
        let orders = 0..FIXED_ORDERS.min(samples.len());
        let order = orders.min_by_key(|&order| magnitude(order, &mut self.residuals))?;
        fixed_residuals(samples, order, &mut self.residuals);
        let predicted = Predicted::new(samples, order, &self.residuals);
        Some((predicted.bits(width), Kind::Fixed(predicted)))
    }

    /// The best of the computed predictors that are worth a try, and its bits.
    fn linear(&mut self, samples: &[i32], width: u32) -> Option<(u64, Kind)> {
        // Shorter ones are not worth the coefficients.
        if samples.len() <= 4 * MOST_ORDER {
            return None;
        }
        if self.windows.first().is_none_or(|w| w.len() != samples.len()) {
            self.windows = FLAT.iter().map(|&flat| tapered(samples.len(), flat)).collect();
        }
        let precision = if width <= 16 { 13 } else { 15 };
        let mut best: Option<(u64, Predictor)> = None;
        for window in &self.windows {
            let all = predictors(samples, window, MOST_ORDER);
            for (coefficients, _) in promising(&all, samples.len(), width + precision) {
                let Some(predictor) = Predictor::quantised(coefficients, precision) else { continue };
                if predictor.residuals(samples, &mut self.residuals).is_none() {
                    continue;
                }
                let order = coefficients.len();
                let head = order as u64 * u64::from(width + precision) + 9;
                let bits = head + Coding::cheapest(&self.residuals, order).bits;
                if best.as_ref().is_none_or(|(least, _)| bits < *least) {
                    best = Some((bits, predictor));
                }
            }
        }
        let (bits, predictor) = best?;
        predictor.residuals(samples, &mut self.residuals)?;
        let predicted = Predicted::new(samples, predictor.coefficients.len(), &self.residuals);
        Some((bits, Kind::Linear(predictor, predicted)))
    }
}

/// The predictors that promise the fewest bits by the energies of their errors.
fn promising(all: &[(Vec<f64>, f64)], samples: usize, bits_each: u32) -> Vec<&(Vec<f64>, f64)> {
    let expected = |(coefficients, error): &&(Vec<f64>, f64)| {
        let per_sample = 0.5 * (error / samples as f64).max(1e-9).log2();
        per_sample.max(0.0) * samples as f64 + coefficients.len() as f64 * f64::from(bits_each)
    };
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by(|a, b| expected(a).total_cmp(&expected(b)));
    sorted.truncate(TRIED);
    sorted
}

impl Predicted {
    fn new(samples: &[i32], order: usize, residuals: &[i32]) -> Predicted {
        let coding = Coding::cheapest(residuals, order);
        Predicted { first: samples[..order].to_vec(), residuals: residuals.to_vec(), coding }
    }

    /// Bits of the first samples and the residuals.
    fn bits(&self, width: u32) -> u64 {
        self.first.len() as u64 * u64::from(width) + self.coding.bits
    }
}

impl Subframe {
    /// Appends the subframe to the stream.
    pub(super) fn write(&self, out: &mut BitWriter) {
        let order = |predicted: &Predicted| predicted.first.len() as u32;
        let kind = match &self.kind {
            Kind::Constant(_) => 0,
            Kind::Verbatim(_) => 1,
            Kind::Fixed(predicted) => 8 + order(predicted),
            Kind::Linear(_, predicted) => 32 + order(predicted) - 1,
        };
        out.put(kind << 1 | u32::from(self.wasted > 0), 8);
        if self.wasted > 0 {
            out.put_unary(self.wasted - 1);
        }
        match &self.kind {
            Kind::Constant(sample) => out.put_signed(*sample, self.width),
            Kind::Verbatim(samples) => samples.iter().for_each(|&s| out.put_signed(s, self.width)),
            Kind::Fixed(predicted) => {
                predicted.first.iter().for_each(|&s| out.put_signed(s, self.width));
                predicted.coding.write(&predicted.residuals, predicted.first.len(), out);
            }
            Kind::Linear(predictor, predicted) => {
                predicted.first.iter().for_each(|&s| out.put_signed(s, self.width));
                out.put(predictor.precision - 1, 4);
                out.put(predictor.shift, 5);
                predictor.coefficients.iter().for_each(|&c| out.put_signed(c, predictor.precision));
                predicted.coding.write(&predicted.residuals, predicted.first.len(), out);
            }
        }
    }
}
