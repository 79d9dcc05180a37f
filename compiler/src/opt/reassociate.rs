//! Reassociation: long sums are split in four partial sums: `a + b + c + d + e + …` becomes `((a + e + …) + (b + f + …)) + ((c + g + …) + (d + h + …))`,
//! so that an addition waits for the one four places before, and not for all. It is as many additions, and
//! multiplications fuse with them as before. Where four terms in a row read neighbours of tables, the partial sums are the lanes of
//! one vector ([`super::dot_products`]), however short the sum is.
//!
//! It changes last bits (mostly for the better), and is therefore part of lowering to every target, like [`super::affine`].

use super::dot_products::DotProducts;
use super::{Context, rebuild};
use crate::ir::sums::Sums;
use crate::ir::{Body, Op, Value};
use rustc_hash::FxHashSet;

/// Partial sums of a sum.
const PARTS: usize = 4;
/// The fewest terms of a sum for which it pays.
const LONG: usize = 16;

pub(super) fn run(old: &Body, _: Context) -> Body {
    let sums = Sums::all(old);
    let mut products = DotProducts::new(old);
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rebuild::body(old, |new, value, inst| {
        let terms = if sums.is_whole(value) { sums.terms(value) } else { vec![] };
        let (lanes, rest) = in_lanes(&mut products, new, &map, &terms);
        let now = match (lanes, rest.len()) {
            (Some(lanes), _) => {
                let total = new.op(Op::Total, &[lanes]);
                match added_up(new, &rest) {
                    Some(rest) => new.op(Op::Add, &[total, rest]),
                    None => total,
                }
            }
            (None, LONG..) => added_up(new, &rest).expect("it has terms"),
            (None, _) => new.insts.add(inst),
        };
        map.push(now);
        now
    })
}

/// The sum of the vectors that terms make four by four, and the terms that are left, in their order.
fn in_lanes(
    products: &mut DotProducts,
    new: &mut Body,
    map: &[Value],
    terms: &[Value],
) -> (Option<Value>, Vec<Value>) {
    let (mut sum, mut taken) = (None, FxHashSet::default());
    let reading = products.side_by_side(terms);
    let mut left = reading.as_slice();
    while let Some(four) = left.get(..PARTS) {
        let Some(vector) = products.vector(new, map, four) else {
            left = &left[1..];
            continue;
        };
        sum = Some(sum.map_or(vector, |sum| new.op(Op::Add, &[sum, vector])));
        taken.extend(four.iter().map(|(place, _)| *place));
        left = &left[PARTS..];
    }
    let rest = terms.iter().enumerate().filter(|(place, _)| !taken.contains(place));
    (sum, rest.map(|(_, term)| map[term.index()]).collect())
}

/// The sum of some terms: of many, in partial sums.
fn added_up(new: &mut Body, terms: &[Value]) -> Option<Value> {
    if terms.len() < LONG {
        return terms.iter().copied().reduce(|sum, term| new.op(Op::Add, &[sum, term]));
    }
    let mut parts: Vec<Value> = terms[..PARTS].to_vec();
    for (i, term) in terms.iter().enumerate().skip(PARTS) {
        parts[i % PARTS] = new.op(Op::Add, &[parts[i % PARTS], *term]);
    }
    let pairs = [[parts[0], parts[1]], [parts[2], parts[3]]].map(|pair| new.op(Op::Add, &pair));
    Some(new.op(Op::Add, &pairs))
}
