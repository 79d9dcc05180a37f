//! Sobol's sequence: points that fill a space evenly, however many are taken.
//!
//! Direction numbers after S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM
//! J. Sci. Comput. 30 (2008), the first dimensions of their table `new-joe-kuo-6.21201`. Points are found by their index
//! alone: the exclusive or of the direction numbers of its bits.

/// Dimensions that there are.
pub const DIMENSIONS: usize = POLYNOMIALS.len() + 1;
/// Points that there are: beyond, coordinates would repeat.
pub const POINTS: u64 = 1 << 32;

/// Of each dimension from the second on: the inner coefficients of its primitive polynomial, and the first odd numbers m, as
/// many as its degree.
const POLYNOMIALS: [(u32, &[u32]); 20] = [
    (0, &[1]),
    (1, &[1, 3]),
    (1, &[1, 3, 1]),
    (2, &[1, 1, 1]),
    (1, &[1, 1, 3, 3]),
    (4, &[1, 3, 5, 13]),
    (2, &[1, 1, 5, 5, 17]),
    (4, &[1, 1, 5, 5, 5]),
    (7, &[1, 1, 7, 11, 19]),
    (11, &[1, 1, 5, 1, 1]),
    (13, &[1, 1, 1, 3, 11]),
    (14, &[1, 3, 5, 5, 31]),
    (1, &[1, 3, 3, 9, 7, 49]),
    (13, &[1, 1, 1, 15, 21, 21]),
    (16, &[1, 3, 1, 13, 27, 49]),
    (19, &[1, 1, 1, 15, 7, 5]),
    (22, &[1, 3, 1, 15, 13, 25]),
    (25, &[1, 1, 5, 5, 19, 61]),
    (1, &[1, 3, 7, 11, 23, 15, 103]),
    (4, &[1, 3, 7, 13, 13, 15, 69]),
];

/// One coordinate of the sequence's points.
#[derive(Clone, Debug)]
pub struct Dimension {
    directions: [u32; 32],
    /// Flips the same bits of every point, which keeps it as even, so that sequences differ.
    shift: u32,
}

impl Dimension {
    /// Dimension `index` from 0, below [`DIMENSIONS`], with a shift.
    ///
    /// # Panics
    /// When there is no such dimension.
    pub fn new(index: usize, shift: u32) -> Dimension {
        let mut directions = [0; 32];
        match index.checked_sub(1) {
            None => (0..32).for_each(|bit| directions[bit] = 1 << (31 - bit)),
            Some(index) => {
                let (inner, first) = POLYNOMIALS[index];
                let degree = first.len();
                for bit in 0..32 {
                    directions[bit] = if bit < degree {
                        first[bit] << (31 - bit)
                    } else {
                        let oldest = directions[bit - degree];
                        let taps = (1..degree).filter(|tap| inner >> (degree - 1 - tap) & 1 == 1);
                        taps.fold(oldest ^ (oldest >> degree), |all, tap| all ^ directions[bit - tap])
                    };
                }
            }
        }
        Dimension { directions, shift }
    }

    /// The coordinate of a point, in the middle of its cell: above 0, below 1. The points go round after [`POINTS`].
    pub fn at(&self, point: u64) -> f64 {
        let bits = (0..32).filter(|bit| point >> bit & 1 == 1);
        let all = bits.fold(self.shift, |all, bit| all ^ self.directions[bit]);
        (f64::from(all) + 0.5) / POINTS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the first 2ᵏ points each of 2ᵏ equal intervals has one, in every dimension, shifted or not.
    #[test]
    fn every_coordinate_is_even() {
        for index in 0..DIMENSIONS {
            for (bits, shift) in [(4, 0), (9, 0x1234_5678), (13, u32::MAX)] {
                let (dimension, count) = (Dimension::new(index, shift), 1_u64 << bits);
                let mut seen = vec![false; count as usize];
                (0..count).for_each(|i| seen[(dimension.at(i) * count as f64) as usize] = true);
                assert!(seen.iter().all(|&seen| seen), "dimension {index}, {count} points");
            }
        }
    }

    /// The first two dimensions are even together: a (0, 2)-sequence has one point in each elementary box.
    #[test]
    fn the_first_two_coordinates_are_even_together() {
        let both = [Dimension::new(0, 7), Dimension::new(1, 9)];
        for wide in 0..=8 {
            let (columns, rows) = (1_usize << wide, 1_usize << (8 - wide));
            let mut seen = vec![false; 256];
            for i in 0..256 {
                let (x, y) = (both[0].at(i) * columns as f64, both[1].at(i) * rows as f64);
                seen[x as usize * rows + y as usize] = true;
            }
            assert!(seen.iter().all(|&seen| seen), "{columns} × {rows}");
        }
    }

    /// The values that the authors' own program prints for the first points, in their order by Gray codes.
    #[test]
    fn the_points_are_those_of_the_published_sequence() {
        let points = [[0.5; 3], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625]];
        for (n, point) in points.into_iter().enumerate() {
            let gray = (n as u64 + 1) ^ ((n as u64 + 1) >> 1);
            for (index, wanted) in point.into_iter().enumerate() {
                let x = Dimension::new(index, 0).at(gray) - 0.5 / POINTS as f64;
                assert_eq!(x, wanted, "point {n}, dimension {index}");
            }
        }
    }
}
