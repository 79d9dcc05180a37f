//! Which arguments of definitions are whole numbers. Nothing declares it: it is how the body uses them.

use super::builtins::{Arithmetic, Function};
use super::resolve::resolved;
use super::{Callee, DefId, Hir, LocalId, LocalKind, Name};
use crate::files::Files;
use mam_grammar::ast::{Ast, BinaryOp, Expr, ExprId, Over};
use rustc_hash::FxHashMap;

/// What becomes of an argument that is not a whole number, though its definition wants one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whole {
    /// The body rounds it: `round(n)`.
    Rounded,
    /// The body repeats something so often, or takes the element of that number: it has to be whole.
    Counted,
}

/// The arguments of the definitions of a file that are whole numbers, those that are handed on to such an argument included.
/// `others` knows those of other files.
pub(crate) fn whole_arguments(
    files: &Files,
    file: usize,
    others: impl Fn(DefId, usize) -> Option<Whole>,
) -> FxHashMap<LocalId, Whole> {
    let (ast, hir) = (&files.file(file).ast, resolved(files, file));
    let mut found: FxHashMap<LocalId, Whole> = FxHashMap::default();
    let mut handed_on: Vec<(LocalId, LocalId)> = vec![];
    for (expr, shape) in ast.exprs.iter() {
        let mut counted = |expr: ExprId| {
            if let Some(id) = shifted(ast, hir, expr) {
                found.insert(id, Whole::Counted);
            }
        };
        match shape {
            Expr::Reduce { over: Over::Range(from, to), .. }
            | Expr::Chain { over: Over::Range(from, to), .. } => {
                counted(*from);
                counted(*to);
            }
            Expr::Index { index, .. } => counted(*index),
            _ => {}
        }
        let Some(call) = hir.call(expr) else { continue };
        let given =
            call.args.iter().enumerate().filter_map(|(i, arg)| Some((i, argument(ast, hir, (*arg)?)?)));
        match call.callee {
            Callee::Builtin(function) if function.row().function == Function::Keeps(Arithmetic::Round) => {
                given.for_each(|(_, id)| _ = found.entry(id).or_insert(Whole::Rounded));
            }
            Callee::Definition(def) if def.file == file => {
                let formals = &hir.scope(hir.definition_scope(def.item)).locals;
                handed_on.extend(given.filter_map(|(i, id)| Some((id, *formals.get(i)?))));
            }
            Callee::Definition(def) => given.for_each(|(i, id)| {
                if let Some(whole) = others(def, i) {
                    found.insert(id, whole);
                }
            }),
            _ => {}
        }
    }
    // Definitions do not call themselves: each pass knows one more that hands it on.
    loop {
        let known = found.len();
        for (id, formal) in &handed_on {
            if let Some(&whole) = found.get(formal) {
                found.entry(*id).or_insert(whole);
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

/// The argument of a definition that an expression is.
fn argument(ast: &Ast, hir: &Hir, expr: ExprId) -> Option<LocalId> {
    match (&ast.exprs[expr], hir.name(expr)) {
        (Expr::Paren(inner), _) => argument(ast, hir, *inner),
        (_, Name::Local(id)) if matches!(hir.local(id).kind, LocalKind::Formal(_)) => Some(id),
        _ => None,
    }
}

/// The same, where a whole number may be added to it or subtracted, and where it is kept within bounds.
fn shifted(ast: &Ast, hir: &Hir, expr: ExprId) -> Option<LocalId> {
    match &ast.exprs[expr] {
        Expr::Paren(inner) => shifted(ast, hir, *inner),
        &Expr::Binary { op: BinaryOp::Add | BinaryOp::Sub, a, b } => {
            let whole = |expr: ExprId| match &ast.exprs[expr] {
                Expr::Number(number) => number.unit.is_none() && number.value().fract() == 0.0,
                _ => false,
            };
            match (whole(a), whole(b)) {
                (_, true) => shifted(ast, hir, a),
                (true, _) => shifted(ast, hir, b),
                _ => None,
            }
        }
        Expr::Call { .. } => {
            let call = hir.call(expr)?;
            let Callee::Builtin(function) = call.callee else { return None };
            let bounds = [Arithmetic::Min, Arithmetic::Max, Arithmetic::Clamp].map(Function::Keeps);
            let mut given = call.args.iter().flatten();
            given
                .find_map(|&arg| shifted(ast, hir, arg))
                .filter(|_| bounds.contains(&function.row().function))
        }
        _ => argument(ast, hir, expr),
    }
}
