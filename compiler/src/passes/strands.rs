//! Long sums go in four strands: `a + b + c + d + e + …` becomes `((a + e + …) + (b + f + …)) + ((c + g + …) + (d + h + …))`,
//! so that an addition waits for the one four places before, and not for all. It is as many additions, and
//! multiplications fuse with them as before.
//!
//! It changes last bits (mostly for the better), and is therefore part of lowering to every target, like `slow`.

use super::rewrite;
use crate::ir::{Body, Kernel, Op, Type, Value};
use crate::target::Target;

/// Strands of a sum.
const STRANDS: usize = 4;
/// The fewest terms of a sum for which it pays.
const LONG: usize = 16;

pub(super) fn run(kernel: &Kernel, _: &Target) -> Kernel {
    rewrite::bodies(kernel, body)
}

fn body(old: &Body) -> Body {
    let uses = rewrite::uses(old);
    let adds = |v: Value| old.insts[v].op == Op::Add && old.ty(v) == Type::F32;
    // Additions that are a term of another one, and of nothing else.
    let mut inner = vec![false; old.insts.len()];
    for (_, inst) in old.insts.iter().filter(|(value, _)| adds(*value)) {
        let args = inst.args.as_slice();
        args.iter().for_each(|arg| inner[arg.index()] |= adds(*arg) && uses[arg.index()] == 1);
    }
    let mut map: Vec<Value> = Vec::with_capacity(old.insts.len());
    rewrite::body(old, |new, value, inst| {
        let terms = if adds(value) && !inner[value.index()] { terms(old, value, &inner) } else { vec![] };
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

/// The terms of a sum, in the order in which they are written.
fn terms(body: &Body, sum: Value, inner: &[bool]) -> Vec<Value> {
    let mut terms = vec![];
    let mut open = vec![sum];
    while let Some(value) = open.pop() {
        if value == sum || inner[value.index()] {
            open.extend(body.insts[value].args.as_slice().iter().rev());
        } else {
            terms.push(value);
        }
    }
    terms
}
