//! What flows into an expression that is measured: the first argument of its first call, as `|>` supplies it.

use super::measures::{Excitation, Measure};
use crate::graph::operands;
use mam_grammar::Span;
use mam_grammar::ast::{Arg, Ast, DefinitionKind, Expr, ExprId, Ident, ItemKind, equation};
use rustc_hash::FxHashSet;

/// What is called by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// It plays notes: nothing flows in.
    Instrument,
    /// A `def`, an effect or a built-in function.
    Function,
    /// Nothing that is known.
    Unknown,
}

impl Called {
    /// What a definition of this kind is.
    pub(crate) fn of_kind(kind: DefinitionKind) -> Called {
        if kind == DefinitionKind::Instrument { Called::Instrument } else { Called::Function }
    }
}

/// Supplies the first argument of what each `expect` of a file measures, where its measure lets something flow in.
pub(crate) fn supply(ast: &mut Ast, called: &dyn Fn(&str) -> Called) {
    for item in 0..ast.items.len() {
        let ItemKind::Expect(expect) = &ast.items[item].kind else { continue };
        let old = expect.call;
        let (callee, args) = ast.measure(expect);
        let (callee, mut args) = (callee.clone(), args.to_vec());
        let Some(measure) = Measure::find(&callee.name) else { continue };
        if measure.row().excitation == Excitation::Nothing {
            continue;
        }
        let Some(Arg { value, .. }) = args.first_mut() else { continue };
        if !takes_input(ast, *value, called) || names_input(ast, *value) {
            continue;
        }
        *value = piped(ast, *value, callee.span);
        let call = ast.add(Expr::Call { callee, args }, ast.span(old));
        if let ItemKind::Expect(expect) = &mut ast.items[item].kind {
            expect.call = call;
        }
    }
}

/// Whether the first call of an expression is of something with an input.
fn takes_input(ast: &Ast, expr: ExprId, called: &dyn Fn(&str) -> Called) -> bool {
    match &ast.exprs[expr] {
        Expr::Paren(x) | Expr::Pipe { left: x, .. } | Expr::Field { of: x, .. } => {
            takes_input(ast, *x, called)
        }
        Expr::Name(name) => !is_equation(ast, &name.name) && called(&name.name) == Called::Function,
        Expr::Call { callee, .. } => called(&callee.name) == Called::Function,
        _ => false,
    }
}

fn is_equation(ast: &Ast, wanted: &str) -> bool {
    equation(&ast.items, wanted).is_some()
}

/// Whether an expression names the song's `in`, itself or through equations.
pub(crate) fn names_input(ast: &Ast, expr: ExprId) -> bool {
    let (mut open, mut seen) = (vec![expr], FxHashSet::default());
    while let Some(expr) = open.pop() {
        if !seen.insert(expr) {
            continue;
        }
        if let Expr::Name(name) = &ast.exprs[expr] {
            if &*name.name == "in" {
                return true;
            }
            open.extend(equation(&ast.items, &name.name));
        }
        open.extend(operands(&ast.exprs[expr]));
    }
    false
}

/// The expression with one side of the song's input before its first call.
fn piped(ast: &mut Ast, expr: ExprId, place: Span) -> ExprId {
    let span = ast.span(expr);
    match ast.exprs[expr].clone() {
        Expr::Paren(x) => {
            let inner = piped(ast, x, place);
            ast.add(Expr::Paren(inner), span)
        }
        Expr::Pipe { left, right } => {
            let left = piped(ast, left, place);
            ast.add(Expr::Pipe { left, right }, span)
        }
        _ => {
            let of = ast.add(Expr::Name(Ident::new("in", place)), place);
            let left = ast.add(Expr::Field { of, field: Ident::new("left", place) }, place);
            ast.add(Expr::Pipe { left, right: expr }, span)
        }
    }
}
