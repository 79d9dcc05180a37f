//! Cuts expressions of the song that are too large for one kernel: a part becomes a node of its own, so that kernels
//! stay small enough to compile in linear time, however long a mix is.

use super::order::{MOST_EXPRS, Weights};
use mam_grammar::ast::{Ast, Expr, ExprId};
use mam_runtime::sort::Sort;

/// The parts of an expression of the song that are to be nodes of their own, inner ones first.
pub(super) fn parts(ast: &Ast, song: usize, expr: ExprId, weights: &mut Weights) -> Vec<ExprId> {
    let mut parts = vec![];
    weigh(ast, song, expr, weights, &mut parts);
    parts
}

/// The weight of an expression without the parts that are cut off.
fn weigh(ast: &Ast, song: usize, expr: ExprId, weights: &mut Weights, parts: &mut Vec<ExprId>) -> usize {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        let operands: Vec<ExprId> = match &ast.exprs[expr] {
            Expr::Binary { a, b, .. } => vec![*a, *b],
            Expr::Tuple(all) => all.clone(),
            Expr::Unary { x, .. } | Expr::Paren(x) => vec![*x],
            Expr::If { condition, then, otherwise } => vec![*condition, *then, *otherwise],
            Expr::Call { args, .. } => args.iter().map(|a| a.value).collect(),
            _ => return weights.expr(song, expr),
        };
        let mut each: Vec<(usize, ExprId)> =
            operands.iter().map(|&x| (weigh(ast, song, x, weights, parts), x)).collect();
        let own = weights.own_weight(song, expr);
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
