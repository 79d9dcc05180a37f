//! Reassociation: long sums are split in four partial sums: `a + b + c + d + e + …` becomes `((a + e + …) + (b + f + …)) + ((c + g + …) + (d + h + …))`,
//! so that an addition waits for the one four places before, and not for all. It is as many additions, and
//! multiplications fuse with them as before.
//!
//! It changes last bits (mostly for the better), and is therefore part of lowering to every target, like [`super::affine`].

use super::{Context, rebuild};
use crate::ir::sums::Sums;
use crate::ir::{Body, Op, Value};

/// Partial sums of a sum.
const PARTS: usize = 4;
/// The fewest terms of a sum for which it pays.
const LONG: usize = 16;

pub(super) fn run(old: &Body, _: Context) -> Body {
    let sums = Sums::all(old);
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rebuild::body(old, |new, value, inst| {
        let terms = if sums.is_whole(value) { sums.terms(value) } else { vec![] };
        let now = if terms.len() >= LONG {
            let mut parts: Vec<Value> = terms[..PARTS].iter().map(|term| map[term.index()]).collect();
            for (i, term) in terms.iter().enumerate().skip(PARTS) {
                let part = &mut parts[i % PARTS];
                *part = new.op(Op::Add, &[*part, map[term.index()]]);
            }
            let pairs = [[parts[0], parts[1]], [parts[2], parts[3]]];
            let pairs = pairs.map(|pair| new.op(Op::Add, &pair));
            new.op(Op::Add, &pairs)
        } else {
            new.insts.add(inst)
        };
        map.push(now);
        now
    })
}
