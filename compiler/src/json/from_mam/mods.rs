//! The matrix of a song as `mods`.

use super::Song;
use crate::graph::{NodeKind, operands};
use crate::hir::builtins::Builtin;
use mam_grammar::Span;
use mam_grammar::ast::{Body, Expr, ExprId, Route, Scale};
use mam_runtime::Spelling;
use mam_runtime::sort::Sort;

/// An entry of `mods`.
pub(super) struct Mod {
    /// What moves the parameter, as the language writes it.
    pub(super) from: String,
    /// The id of a node, a point, and the name of a parameter.
    pub(super) to: String,
    pub(super) depth: String,
    pub(super) curve: Option<&'static str>,
    pub(super) range: Option<(String, String)>,
}

/// Equations that are put in for their names, one inside the other.
const MOST_INSIDE: usize = 32;
/// Bytes of an expression of `mods`.
const LONGEST: usize = 4_096;

impl Song<'_> {
    /// The lines of the song's matrices, in their order.
    pub(super) fn mods(&mut self) -> Vec<Mod> {
        self.ast.routes().filter_map(|route| self.one_mod(route)).collect()
    }

    fn one_mod(&mut self, route: &Route) -> Option<Mod> {
        let words: Vec<&str> = route.target.iter().map(|word| &*word.name).collect();
        let span = route.target.iter().map(|word| word.span).reduce(Span::to).unwrap_or_default();
        let slot = self.lowered.slots.names().find(&words.join("."), Spelling::Exact).ok()?;
        let Some((node, index)) = self.owner(slot) else {
            self.refuse(span, "a knob that is moved");
            return None;
        };
        let info = self.lowered.slots.info(self.lowered.slots.slot_of(node, index));
        let to = format!("{}.{}", self.graph.nodes[node].path, info.json_name());
        let range = match route.range {
            Some((low, high)) => Some((self.inlined(low, 0)?, self.inlined(high, 0)?)),
            None => None,
        };
        let curve = route.scale.map(Scale::word);
        Some(Mod {
            from: self.inlined(route.source, 0)?,
            to,
            depth: self.inlined(route.depth, 0)?,
            curve,
            range,
        })
    }

    /// An expression as it is written, in which equations stand in the place of their names: JSON has none.
    fn inlined(&mut self, expr: ExprId, inside: usize) -> Option<String> {
        let (ast, whole) = (self.ast, self.ast.span(expr));
        if let Expr::Name(name) = &ast.exprs[expr]
            && let Some(&node) = self.graph.names.get(&name.name)
            && let NodeKind::Glue { expr, .. } = self.graph.nodes[node].kind
            && inside < MOST_INSIDE
        {
            return self.inlined(expr, inside + 1);
        }
        let mut replaced: Vec<(Span, String)> = vec![];
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            let span = ast.span(expr);
            match &ast.exprs[expr] {
                Expr::Name(name) => match self.graph.names.get(&name.name).map(|&id| &self.graph.nodes[id]) {
                    Some(node) if matches!(node.kind, NodeKind::Instance(_)) && !name.name.contains('.') => {}
                    Some(node) => match &node.kind {
                        NodeKind::Glue { expr, .. } if inside < MOST_INSIDE && !name.name.contains('.') => {
                            let text = self.inlined(*expr, inside + 1)?;
                            replaced.push((span, format!("({text})")));
                        }
                        _ => {
                            self.refuse(
                                span,
                                "what moves a parameter and is neither a node nor made of nodes",
                            );
                            return None;
                        }
                    },
                    None => {}
                },
                Expr::Call { callee, args } => {
                    let own = self.files.find(self.file, &callee.name);
                    let known = own.is_some_and(|def| self.files.is_prelude(def.file))
                        || own.is_none() && Builtin::find(&callee.name).is_some();
                    if !known {
                        self.refuse(callee.span, "a definition of the song");
                        return None;
                    }
                    open.extend(args.iter().map(|arg| arg.value));
                }
                Expr::Reduce { body: Body::Items(_), .. } | Expr::Chain { body: Body::Items(_), .. } => {
                    self.refuse(span, "a body of equations in what moves a parameter");
                    return None;
                }
                other => open.extend(operands(other)),
            }
        }
        replaced.put_in_order_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = self.files.slice(whole).to_owned();
        for (span, with) in replaced {
            let (start, end) = (span.start.checked_sub(whole.start)?, span.end.checked_sub(whole.start)?);
            text.replace_range(start as usize..end as usize, &with);
        }
        // In JSON it stands in one line.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.len() > LONGEST || text.contains("//") {
            self.refuse(whole, "an expression as long as this, or one with a comment in it,");
            return None;
        }
        Some(text)
    }
}
