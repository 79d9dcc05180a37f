//! Cuts expressions of the song that are too large for one kernel: a part becomes a node of its own, so that kernels
//! stay small enough to compile in linear time, however long a mix is.

use super::order::{MOST_EXPRS, Weights};
use crate::files::Files;
use mam_grammar::ast::{Expr, ExprId};
use mam_runtime::sort::Sort;

/// The parts of an expression of the song that are to be nodes of their own, inner ones first.
pub(super) fn parts(files: &Files, song: usize, expr: ExprId, weights: &mut Weights) -> Vec<ExprId> {
    let mut parts = vec![];
    weigh(files, song, expr, weights, &mut parts);
    parts
}

/// The weight of an expression without the parts that are cut off.
fn weigh(files: &Files, song: usize, expr: ExprId, weights: &mut Weights, parts: &mut Vec<ExprId>) -> usize {
    let whole = weights.expr(files, song, expr);
    if whole <= MOST_EXPRS {
        return whole; // Nothing is cut off of what is small enough.
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        let operands: Vec<ExprId> = match &files.file(song).ast.exprs[expr] {
            Expr::Binary { a, b, .. } => vec![*a, *b],
            Expr::Tuple(all) => all.clone(),
            Expr::Unary { x, .. } | Expr::Paren(x) => vec![*x],
            Expr::If { condition, then, otherwise } => vec![*condition, *then, *otherwise],
            Expr::Call { args, .. } => args.iter().map(|a| a.value).collect(),
            _ => return whole,
        };
        let mut each: Vec<(usize, ExprId)> =
            operands.iter().map(|&x| (weigh(files, song, x, weights, parts), x)).collect();
        let own = weights.own_weight(files, song, expr);
        each.put_in_order();
        let mut total: usize = own + each.iter().map(|(w, _)| w).sum::<usize>();
        while total > MOST_EXPRS {
            let Some((weight, heaviest)) = each.pop().filter(|(w, _)| *w > 1) else { break };
            parts.push(heaviest);
            total = total - weight + 1;
        }
        total
    })
}
