//! Sorting. Each kind of item that is sorted brings a sort of its own into a program: fast, and 4 KB. Where what a program weighs
//! counts for more, as in the studio's page, all kinds share one.

use std::cmp::Ordering;

/// Stable sorting of slices: what compares as equal keeps its order.
pub trait Sort {
    /// The kind of items that are sorted.
    type Item;

    /// Sorts by a comparison.
    fn put_in_order_by(&mut self, compare: impl FnMut(&Self::Item, &Self::Item) -> Ordering);

    /// Sorts by a key, which is asked for at each comparison.
    fn put_in_order_by_key<K: Ord>(&mut self, mut key: impl FnMut(&Self::Item) -> K) {
        self.put_in_order_by(|a, b| key(a).cmp(&key(b)));
    }

    /// Sorts items by their own order.
    fn put_in_order(&mut self)
    where
        Self::Item: Ord,
    {
        self.put_in_order_by(Self::Item::cmp);
    }
}

impl<T> Sort for [T] {
    type Item = T;

    fn put_in_order_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering) {
        if cfg!(target_family = "wasm") { shared(self, compare) } else { self.sort_by(compare) }
    }
}

/// Sorts by way of places, whose sort is one for all kinds of items; few items by exchanging neighbours, which needs no memory.
/// More than 2³² items stay as they are.
fn shared<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    const FEW: usize = 16;
    if items.len() <= FEW {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && compare(&items[at - 1], &items[at]).is_gt() {
                items.swap(at - 1, at);
                at -= 1;
            }
        }
        return;
    }
    let Ok(count) = u32::try_from(items.len()) else { return };
    let mut ranks = ranks(count, &mut |a, b| compare(&items[a as usize], &items[b as usize]));
    // Every exchange brings an item to its place.
    for at in 0..items.len() {
        while ranks[at] as usize != at {
            let to = ranks[at] as usize;
            items.swap(at, to);
            ranks.swap(at, to);
        }
    }
}

/// For each of so many places the one that its item has in order.
#[inline(never)]
fn ranks(count: u32, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_by(|&a, &b| compare(a, b));
    let mut ranks = vec![0; order.len()];
    for (rank, &place) in (0..).zip(&order) {
        ranks[place as usize] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::{Sort, shared};

    /// Both ways, with many that are equal: 997 numbers of a generator, by what is left of them.
    #[test]
    fn both_ways_keep_the_order_of_equals() {
        let numbers: Vec<u64> = (0..997u64).map(|i| i.wrapping_mul(6364136223846793005) >> 40).collect();
        for (left, count) in
            [(1, 997), (2, 997), (31, 997), (u64::MAX, 997), (7, 16), (7, 17), (7, 2), (7, 1), (7, 0)]
        {
            let mut expected = numbers[..count].to_vec();
            let [mut own, mut together] = [expected.clone(), expected.clone()];
            expected.sort_by_key(|number| number % left);
            own.put_in_order_by_key(|number| number % left);
            shared(&mut together, |a, b| (a % left).cmp(&(b % left)));
            assert_eq!(own, expected);
            assert_eq!(together, expected);
        }
        let mut words = ["snare", "kick", "hat"];
        words.put_in_order();
        assert_eq!(words, ["hat", "kick", "snare"]);
    }
}
