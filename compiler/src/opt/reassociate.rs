//! Long sums go in four strands: `a + b + c + d + e + …` becomes `((a + e + …) + (b + f + …)) + ((c + g + …) + (d + h + …))`,
//! so that an addition waits for the one four places before, and not for all. It is as many additions, and
//! multiplications fuse with them as before.
//!
//! It changes last bits (mostly for the better), and is therefore part of lowering to every target, like `slow`.

use super::rebuild;
use crate::ir::sums::Sums;
use crate::ir::{Body, Kernel, Op, Value};
use crate::target::Target;

/// Strands of a sum.
const STRANDS: usize = 4;
/// The fewest terms of a sum for which it pays.
const LONG: usize = 16;

pub(super) fn run(kernel: &Kernel, _: &Target) -> Kernel {
    rebuild::bodies(kernel, body)
}

fn body(old: &Body) -> Body {
    let sums = Sums::of(old);
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rebuild::body(old, |new, value, inst| {
        let terms = if sums.is_whole(value) { sums.terms(value) } else { vec![] };
        let now = if terms.len() >= LONG {
            let mut strands: Vec<Value> = terms[..STRANDS].iter().map(|term| map[term.index()]).collect();
            for (i, term) in terms.iter().enumerate().skip(STRANDS) {
                let strand = &mut strands[i % STRANDS];
                *strand = new.op(Op::Add, &[*strand, map[term.index()]]);
            }
            let pairs = [[strands[0], strands[1]], [strands[2], strands[3]]];
            let pairs = pairs.map(|pair| new.op(Op::Add, &pair));
            new.op(Op::Add, &pairs)
        } else {
            new.insts.add(inst)
        };
        map.push(now);
        now
    })
}
