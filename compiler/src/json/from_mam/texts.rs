//! Expressions of a song as texts, and the equations that they name as nodes by themselves.

use super::rows::Transport;
use super::{Node, SIGNAL, Song, quoted};
use crate::graph::{Given, NodeId, NodeKind, operands};
use crate::hir::Iterations;
use crate::hir::builtins::{Builtin, Function};
use crate::library::draws_noise;
use mam_grammar::Span;
use mam_grammar::ast::{Expr, ExprId};

/// Equations that become nodes at most.
const MOST: usize = 16_384;

impl Song<'_> {
    /// Takes note of equations that are heard as they are.
    pub(super) fn heard(&mut self, nodes: impl Iterator<Item = NodeId>) {
        for node in nodes {
            match self.graph.nodes[node].kind {
                NodeKind::Glue { .. } if !self.signals.contains(&node) => self.signals.push(node),
                NodeKind::Instance(_) => _ = self.named.insert(node),
                _ => {}
            }
        }
    }

    /// The equations that something hears or names, as nodes, and those that these name.
    pub(super) fn signal_nodes(&mut self) -> Vec<Node> {
        let mut nodes = vec![];
        while let Some(&id) = self.signals.get(nodes.len()).filter(|_| nodes.len() < MOST) {
            let node = &self.graph.nodes[id];
            let value = match node.kind {
                NodeKind::Glue { expr, .. } => {
                    if self.graph.out == Some(id) && self.has_noise(expr) {
                        self.refuse(node.span, "noise in `out`, which is drawn by the name of an equation,");
                    }
                    self.text(expr)
                }
                _ => None,
            };
            nodes.push(Node {
                id,
                name: node.path.clone(),
                kind: SIGNAL.into(),
                effect: true,
                params: vec![],
                args: vec![],
                voices: 1,
                priority: None,
                value: Some(quoted(&value.unwrap_or_default())),
                wires: vec![],
            });
        }
        nodes
    }

    /// What is given, as a text.
    pub(super) fn given_text(&mut self, given: Given) -> Option<String> {
        match given {
            Given::Number(expr) => self.text(expr),
            Given::Voice(voiced) => self.text(self.graph.voiced[voiced].expr),
            Given::Node(node) => {
                let of = &self.graph.nodes[node];
                if self.graph.names.get(&of.path) == Some(&node) && !of.path.contains('.') {
                    self.heard([node].into_iter());
                    return Some(of.path.to_string());
                }
                match of.kind {
                    NodeKind::Glue { expr, .. } => self.text(expr),
                    _ => {
                        self.refuse(of.span, "an instrument or effect in the middle of an expression");
                        None
                    }
                }
            }
        }
    }

    /// An expression as it is written. Equations that it names become nodes.
    fn text(&mut self, expr: ExprId) -> Option<String> {
        let (ast, graph) = (self.ast, self.graph);
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            let span = ast.span(expr);
            if graph.calls.contains_key(&(expr, Iterations::new())) {
                return self.unsayable(span, "an instrument or effect in the middle of an expression");
            }
            match &ast.exprs[expr] {
                Expr::Name(name) => match graph.names.get(&name.name) {
                    Some(_) if name.name.contains('.') => {
                        return self.unsayable(span, "a part of a kit in an expression");
                    }
                    Some(&node) if matches!(graph.nodes[node].kind, NodeKind::Knob(_)) => {
                        return self.unsayable(span, "a knob");
                    }
                    Some(&node) => self.heard([node].into_iter()),
                    None => {
                        let own = self.files.find(self.file, &name.name);
                        if own.is_some_and(|def| !self.files.is_prelude(def.file)) {
                            return self.unsayable(span, "a definition of the song");
                        }
                    }
                },
                Expr::Call { callee, args } => {
                    let own = self.files.find(self.file, &callee.name);
                    let known = own.is_some_and(|def| self.files.is_prelude(def.file))
                        || own.is_none() && Builtin::find(&callee.name).is_some();
                    if !known {
                        return self.unsayable(callee.span, "a definition of the song");
                    }
                    open.extend(args.iter().map(|arg| arg.value));
                }
                other => open.extend(operands(other)),
            }
        }
        Some(self.files.slice(ast.span(expr)).to_owned())
    }

    fn unsayable(&mut self, span: Span, what: &str) -> Option<String> {
        self.refuse(span, what);
        None
    }

    /// Whether an expression draws noise.
    fn has_noise(&self, expr: ExprId) -> bool {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            let expr = &self.ast.exprs[expr];
            if let Expr::Call { callee, .. } = expr {
                let def = self.files.find(self.file, &callee.name);
                let draws = match def {
                    Some(def) => draws_noise(self.files, def),
                    None => Builtin::find(&callee.name)
                        .is_some_and(|own| matches!(own.row().function, Function::Noise | Function::Random)),
                };
                if draws {
                    return true;
                }
            }
            open.extend(operands(expr));
        }
        false
    }

    /// An instrument that nothing plays is left out, unless an expression names it: in JSON it would play once, at the start.
    pub(super) fn check_named(&mut self, nodes: &[Node], transport: Option<&Transport>) {
        for node in nodes.iter().filter(|node| self.named.contains(&node.id)) {
            if super::write::is_silent(node, transport) {
                self.refuse(
                    self.graph.nodes[node.id].span,
                    "an instrument that nothing plays, in an expression",
                );
                return;
            }
        }
    }
}
