//! The song that a measure hears: the file's own, in which `out` is what is measured.

use crate::graph::operands;
use mam_grammar::ast::{Ast, Body, Expr, ExprId, Ident, Item, ItemKind};
use std::sync::Arc;

/// An expression of an `expect` that is heard in place of `out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The index of the `expect` among the items of its file.
    pub item: usize,
    /// Which argument of the measure it is, from 0.
    pub argument: usize,
}

/// What the file's own `out` is called in it. No text can write this name.
const OWN_OUT: &str = "out of the song";

/// The tree of a file in which one expression of an `expect` is `out`, and no `expect` is left. None where there is no such
/// expression.
pub(crate) fn heard(ast: &Ast, subject: Subject) -> Option<Ast> {
    let ItemKind::Expect(expect) = &ast.items.get(subject.item)?.kind else { return None };
    let value = ast.measure(expect).1.get(subject.argument)?.value;
    let span = ast.span(value);
    let mut song = ast.clone();
    song.items.retain(|item| !matches!(item.kind, ItemKind::Expect(_)));
    if matches!(&ast.exprs[value], Expr::Name(name) if &*name.name == "out") {
        return Some(song);
    }
    let own: Arc<str> = OWN_OUT.into();
    for item in 0..song.items.len() {
        match song.items[item].kind.clone() {
            ItemKind::Equation { value, .. } => {
                rename(&mut song, value, &own);
                if let ItemKind::Equation { name, .. } = &mut song.items[item].kind
                    && &*name.name == "out"
                {
                    name.name = own.clone();
                }
            }
            ItemKind::Definition(definition) => {
                if let Body::Expr(value) = definition.body {
                    rename(&mut song, value, &own);
                }
            }
            _ => {}
        }
    }
    rename(&mut song, value, &own);
    let kind = ItemKind::Equation { name: Ident::new("out", span), value };
    song.items.push(Item { doc: None, kind, span });
    Some(song)
}

/// Has `out` mean the file's own in an expression, but for bodies that have one of theirs.
fn rename(ast: &mut Ast, expr: ExprId, own: &Arc<str>) {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let Expr::Name(name) = &ast.exprs[expr]
            && &*name.name == "out"
        {
            let renamed = Ident { name: own.clone(), span: name.span };
            ast.exprs[expr] = Expr::Name(renamed);
        }
        match &ast.exprs[expr] {
            Expr::Reduce { over, body: Body::Items(_), .. } => open.extend(over.operands()),
            Expr::Oversample { factor, body: Body::Items(_), .. } => open.push(*factor),
            Expr::Spectral { head, body: Body::Items(_) } => open.push(*head),
            Expr::Chain { start, over, body: Body::Items(_), .. } => {
                open.push(*start);
                open.extend(over.operands());
            }
            other => open.extend(operands(other)),
        }
    }
}
