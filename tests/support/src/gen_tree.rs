//! Random trees of `.mam`, drawn from bytes as the texts of [`super::gen_mam`] are.

use super::gen_mam::{Choices, NAMES};
use mam_grammar::Span;
use mam_grammar::ast::{
    Arg, Ast, BinaryOp, Body, Expr, ExprId, Ident, Item, ItemKind, MusicalUnit, Number, Over, Reduction,
    UnaryOp, Unit,
};

/// A tree that was never text: equations without any parentheses of their own.
pub fn tree(choices: &mut Choices<'_>) -> Ast {
    let mut ast = Ast::default();
    for _ in 0..=choices.below(4) {
        let value = tree_expr(&mut ast, choices, 4, true);
        let kind = ItemKind::Equation { name: ident(choices.of(&NAMES)), value };
        ast.items.push(Item { doc: None, kind, span: Span::default() });
    }
    ast
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::default())
}

fn number(choices: &mut Choices<'_>) -> Number {
    let digits = choices.of(&["1", "0.5", "-3", "-0.25", "440", "1e-3", "-2.5e2"]);
    Number {
        digits: digits.into(),
        unit: choices.of(&[None, Some(Unit::Hz), Some(Unit::Db), Some(Unit::Percent)]),
    }
}

fn tree_expr(ast: &mut Ast, choices: &mut Choices<'_>, depth: usize, pipes: bool) -> ExprId {
    let kinds = if depth == 0 { 2 } else { 14 };
    let expr = match choices.below(kinds) {
        0 => Expr::Name(ident(choices.of(&NAMES))),
        1 => Expr::Number(number(choices)),
        2 => {
            let of = tree_expr(ast, choices, depth - 1, pipes);
            Expr::Field { of, field: ident("low") }
        }
        3 => call(ast, choices, depth),
        4 if pipes => {
            let left = tree_expr(ast, choices, depth - 1, true);
            let right = call(ast, choices, depth - 1);
            Expr::Pipe { left, right: ast.add(right, Span::default()) }
        }
        5 | 6 => {
            let x = tree_expr(ast, choices, depth - 1, pipes);
            Expr::Unary { op: choices.of(&[UnaryOp::Neg, UnaryOp::Not]), x }
        }
        7 => {
            let condition = tree_expr(ast, choices, depth - 1, pipes);
            let then = tree_expr(ast, choices, depth - 1, pipes);
            Expr::If { condition, then, otherwise: tree_expr(ast, choices, depth - 1, pipes) }
        }
        8 => {
            let number = Number { digits: choices.of(&["1", "0.5", "-3"]).into(), unit: None };
            let amount = ast.add(Expr::Number(number), Span::default());
            Expr::Length { amount, unit: choices.of(&[MusicalUnit::Bar, MusicalUnit::Beat]) }
        }
        9 => {
            let (from, to) =
                (tree_expr(ast, choices, depth - 1, pipes), tree_expr(ast, choices, depth - 1, pipes));
            let over = choices.of(&[Over::Range(from, to), Over::List(from)]);
            let body = Body::Expr(tree_expr(ast, choices, depth - 1, pipes));
            Expr::Reduce { reduction: choices.of(&Reduction::ALL), index: ident("i"), over, body }
        }
        10 => {
            let of = tree_expr(ast, choices, depth - 1, pipes);
            Expr::Index { of, index: tree_expr(ast, choices, depth - 1, pipes) }
        }
        11 => {
            let elements = (0..choices.below(3)).map(|_| tree_expr(ast, choices, depth - 1, true)).collect();
            Expr::List(elements)
        }
        _ => {
            use BinaryOp::{Add, And, Concat, Div, Eq, Lt, Mod, Mul, Or, Pow, Sub};
            let op = choices.of(&[Add, Concat, Sub, Mul, Div, Mod, Pow, Lt, Eq, And, Or]);
            let a = tree_expr(ast, choices, depth - 1, pipes);
            Expr::Binary { op, a, b: tree_expr(ast, choices, depth - 1, pipes) }
        }
    };
    ast.add(expr, Span::default())
}

fn call(ast: &mut Ast, choices: &mut Choices<'_>, depth: usize) -> Expr {
    let mut args = Vec::new();
    for _ in 0..choices.below(3) {
        let value = tree_expr(ast, choices, depth.saturating_sub(1), true);
        args.push(Arg { name: choices.once_in(2).then(|| ident("gain")), value });
    }
    Expr::Call { callee: ident("f"), args }
}
