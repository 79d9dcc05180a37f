//! Euclidean rhythms by Bjorklund's algorithm (Toussaint, "The Euclidean algorithm generates traditional musical
//! rhythms", 2005).

/// `pulses` onsets spread over `steps`, moved `rotation` steps later. A negative `pulses` gives the complement.
/// More pulses than steps fill all of them.
pub fn euclid(pulses: i64, steps: usize, rotation: i64) -> Vec<bool> {
    let count = (pulses.unsigned_abs().min(steps as u64)) as usize;
    let mut rhythm = bjorklund(count, steps);
    if pulses < 0 {
        rhythm.iter_mut().for_each(|on| *on = !*on);
    }
    if steps > 0 {
        rhythm.rotate_right(rotation.rem_euclid(steps as i64) as usize);
    }
    rhythm
}

fn bjorklund(pulses: usize, steps: usize) -> Vec<bool> {
    // Each of the two kinds of groups is one shape and how often it stands there.
    let (mut heads, mut tails) = ((vec![true], pulses), (vec![false], steps - pulses));
    while heads.1.min(tails.1) > 1 {
        let pairs = heads.1.min(tails.1);
        let joined = [heads.0.as_slice(), tails.0.as_slice()].concat();
        let left = if heads.1 > tails.1 { (heads.0, heads.1 - pairs) } else { (tails.0, tails.1 - pairs) };
        (heads, tails) = ((joined, pairs), left);
    }
    [heads.0.repeat(heads.1), tails.0.repeat(tails.1)].concat()
}
