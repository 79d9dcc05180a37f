//! Expressions of the language in a JSON song, in which ids of nodes are names.

use super::codes;
use crate::expand::copy::copy;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Item, ItemKind};
use mam_grammar::syntax::parse;
use mam_grammar::{Limits, Problem, Problems, Sources, Span};
use std::sync::Arc;

/// An expression, in a tree of its own.
#[derive(Clone, Debug)]
pub(super) struct Written {
    ast: Arc<Ast>,
    value: ExprId,
}

/// Reads an expression that stands at a place of the song; `what` it is part of. None where it is none, which is reported.
pub(super) fn read(
    (text, span): (&str, Span),
    what: &str,
    (sources, limits): (&mut Sources, &Limits),
    problems: &mut Problems,
) -> Option<Written> {
    const HEAD: &str = "x = ";
    let id = sources.add(format!("an expression in `{what}`"), format!("{HEAD}{text}"));
    let (ast, found) = parse(sources, id, limits);
    // Places are those in the song, where the text stands there as it is: its string has no escapes.
    let there = sources.slice(span);
    let quoted = there.len() == text.len() + 2 && there.get(1..=text.len()) == Some(text);
    let ast = match quoted || there == text {
        true => ast.within(span.source, (span.start + u32::from(quoted)).wrapping_sub(HEAD.len() as u32)),
        false => ast,
    };
    let value = match &ast.items[..] {
        [Item { kind: ItemKind::Equation { value, .. }, .. }] => Some(*value),
        _ => None,
    };
    if value.is_none() || found.has_errors() {
        let message = format!("`{text}` is not an expression, nor the id of a node");
        let problem = Problem::new(&codes::EXPRESSION, span, message);
        problems.add(problem.help("write the id of a node, or an expression such as `lfo(2Hz)` or `bd.vel`"));
        return None;
    }
    Some(Written { ast: Arc::new(ast), value: value? })
}

impl Written {
    /// The name of a node, whatever its letters.
    pub(super) fn name(name: Arc<str>, span: Span) -> Written {
        let mut ast = Ast::default();
        let value = ast.add(Expr::Name(Ident { name, span }), span);
        Written { ast: Arc::new(ast), value }
    }

    /// The same in another tree, in which a node that is called as in `ids` has the name at the same place of `names`.
    pub(super) fn add_to(&self, ast: &mut Ast, ids: &[Arc<str>], names: &[Arc<str>]) -> ExprId {
        let renamed = |name: &Ident| {
            let index = ids.iter().position(|id| *id == name.name);
            index.map_or_else(|| name.clone(), |index| Ident { name: names[index].clone(), span: name.span })
        };
        copy(&self.ast, ast, self.value, &renamed)
    }
}
