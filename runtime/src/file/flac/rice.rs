//! Rice codes for residuals: a block is cut into 2ⁿ partitions, each with a parameter of its own (RFC 9639, section 9.2.7).

use super::bits::BitWriter;

/// Partitions are halved at most so often.
const MOST_HALVINGS: u32 = 8;
/// Fewer residuals are not worth a partition of their own.
const LEAST_IN_PARTITION: usize = 16;
/// The greatest parameter of four bits; the next one is an escape.
const GREATEST_OF_FOUR_BITS: u32 = 14;
/// The greatest parameter of five bits.
const GREATEST: u32 = 30;

/// How a block of residuals is coded.
#[derive(Clone, Debug, Default)]
pub(super) struct Coding {
    /// Binary logarithm of the number of partitions.
    halvings: u32,
    /// The parameter of each partition.
    parameters: Vec<u32>,
    /// Bits that it takes at most.
    pub(super) bits: u64,
}

impl Coding {
    /// The cheapest coding of `residuals`, which follow `order` samples that are written as they are.
    pub(super) fn cheapest(residuals: &[i32], order: usize) -> Coding {
        let block = residuals.len() + order;
        let fits = |halvings: &u32| {
            let size = block >> halvings;
            block.is_multiple_of(1 << halvings)
                && size > order
                && (*halvings == 0 || size >= LEAST_IN_PARTITION)
        };
        let finest = (0..=MOST_HALVINGS).rev().find(fits).unwrap_or(0);
        let mut sums = sums(residuals, order, block >> finest);
        let mut best = Coding::with(&sums, order, block >> finest, finest);
        for halvings in (0..finest).rev() {
            sums = sums.chunks(2).map(|pair| pair.iter().sum()).collect();
            let coding = Coding::with(&sums, order, block >> halvings, halvings);
            if coding.bits < best.bits {
                best = coding;
            }
        }
        best
    }

    /// The coding for partitions with these sums of folded residuals.
    fn with(sums: &[u64], order: usize, size: usize, halvings: u32) -> Coding {
        let count = |partition| if partition == 0 { size - order } else { size };
        let best: Vec<(u32, u64)> =
            sums.iter().enumerate().map(|(i, &sum)| parameter(sum, count(i) as u64)).collect();
        let parameters: Vec<u32> = best.iter().map(|(parameter, _)| *parameter).collect();
        let coding = Coding { halvings, parameters, bits: 0 };
        let bits = 6 + best.iter().map(|(_, bits)| bits + u64::from(coding.width())).sum::<u64>();
        Coding { bits, ..coding }
    }

    /// Bits of a parameter.
    fn width(&self) -> u32 {
        if self.parameters.iter().any(|&p| p > GREATEST_OF_FOUR_BITS) { 5 } else { 4 }
    }

    /// Appends the residuals to the stream, as it was chosen to code them.
    pub(super) fn write(&self, residuals: &[i32], order: usize, out: &mut BitWriter) {
        let width = self.width();
        out.put(width - 4, 2);
        out.put(self.halvings, 4);
        let size = (residuals.len() + order) >> self.halvings;
        let mut rest = residuals;
        for (partition, &parameter) in self.parameters.iter().enumerate() {
            let (now, later) = rest.split_at(if partition == 0 { size - order } else { size });
            rest = later;
            out.put(parameter, width);
            for &residual in now {
                let folded = fold(residual);
                out.put_unary(folded >> parameter);
                out.put(folded, parameter);
            }
        }
    }
}

/// Sums of the folded residuals of each partition.
fn sums(residuals: &[i32], order: usize, size: usize) -> Vec<u64> {
    let sum = |part: &[i32]| part.iter().map(|&r| u64::from(fold(r))).sum::<u64>();
    let (first, rest) = residuals.split_at(size - order);
    std::iter::once(sum(first)).chain(rest.chunks(size).map(sum)).collect()
}

/// The best parameter for `count` folded residuals with this sum, and the most bits that they take.
fn parameter(sum: u64, count: u64) -> (u32, u64) {
    // The shifted sum is at least the sum of shifted residuals, so no block is ever longer than this says.
    let bits = |parameter: u32| count * u64::from(1 + parameter) + (sum >> parameter);
    let mean = sum / count.max(1);
    let near = (u64::BITS - mean.leading_zeros()).min(GREATEST);
    let (least, most) = (near.saturating_sub(2), (near + 1).min(GREATEST));
    (least..=most).map(|p| (p, bits(p))).min_by_key(|(_, bits)| *bits).unwrap_or((near, bits(near)))
}

/// Signed numbers as unsigned ones, small magnitudes first: 0, −1, 1, −2, 2 …
fn fold(residual: i32) -> u32 {
    ((residual << 1) ^ (residual >> 31)) as u32
}
