//! The sound of a song as the syntax tree of the equations that say the same in `.mam` text.

use super::codes;
use super::expressions::Written;
use super::nodes::{Node, NodeKind, Nodes, Setting};
use super::wires::{Wire, has_sound};
use mam_grammar::ast::{Arg, Ast, BinaryOp, Expr, ExprId, Ident, Item, ItemKind, Number, Unit};
use mam_grammar::json::{At, Decimal, Graph};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A node's part in a sum: its index, percent if it is not 100, and where that is said.
pub(super) type Term = (usize, Option<At<Decimal>>, Span);

/// The equations of a song. `names` has the name of each node. The ids that the mixer lists are looked up here.
pub(super) fn ast(graph: &Graph, nodes: &Nodes, wires: &[Wire], names: &[Arc<str>], mix: &[Term]) -> Ast {
    let mut maker = Maker { ast: Ast::default(), names, ids: nodes.ids() };
    for (index, node) in nodes.all.iter().enumerate() {
        maker.node(index, node, wires);
    }
    maker.out(graph, mix);
    maker.ast
}

/// What goes to the mix: the mixer's inputs as they are listed, then what is not listed and feeds nothing else, then
/// the dry taps of connections.
pub(super) fn mix(graph: &Graph, nodes: &Nodes, wires: &[Wire], problems: &mut Problems) -> Vec<Term> {
    let mut terms: Vec<Term> = vec![];
    let mut listed: FxHashSet<usize> = FxHashSet::default();
    for input in graph.mixer.iter().flat_map(|m| &m.inputs) {
        let Some(index) = nodes.find(&input.id, problems) else { continue };
        if !has_sound(&input.id, &nodes.all[index].kind, problems) {
            continue;
        }
        if !listed.insert(index) {
            let message = format!("the mixer lists `{}` twice", input.id.value);
            let problem = Problem::new(&codes::DUPLICATE_ID, input.id.span, message);
            problems.add(problem.help("keep one of the two"));
        }
        terms.push((index, input.gain.clone(), input.id.span));
    }
    let feeding: FxHashSet<usize> = wires.iter().map(|w| w.from).collect();
    for (index, node) in nodes.all.iter().enumerate() {
        if node.sound().is_some() && !listed.contains(&index) && !feeding.contains(&index) {
            terms.push((index, None, node.id.span));
        }
    }
    let dry = wires.iter().filter(|w| w.dry.as_ref().is_some_and(|d| d.value.value() != 0.0));
    terms.extend(dry.map(|w| (w.from, w.dry.clone(), w.from_span)));
    terms
}

struct Maker<'a> {
    ast: Ast,
    names: &'a [Arc<str>],
    ids: Vec<Arc<str>>,
}

impl Maker<'_> {
    /// `bd = kick(f0: 120Hz)`, `rv = (bd * 50% + hh) |> echo(mix: 0.3)`
    fn node(&mut self, index: usize, node: &Node, wires: &[Wire]) {
        if let NodeKind::Signal(written) = &node.kind {
            let value = written.add_to(&mut self.ast, &self.ids, self.names);
            return self.equation(&self.names[index].clone(), node.id.span, value);
        }
        let NodeKind::Sound(kind, span) = &node.kind else { return };
        let left = kind.effect.then(|| self.input(index, 0, wires, *span));
        let mut args: Vec<Arg> = node.args.iter().map(|(name, written)| self.given(name, written)).collect();
        args.extend(node.settings.iter().filter(|s| !says_nothing(s)).map(|s| self.arg(s)));
        for (port, name) in kind.inputs().iter().enumerate() {
            if let Some(first) = wires.iter().find(|w| w.to == index && w.port == port + 1) {
                let span = first.to_span;
                let value = self.input(index, port + 1, wires, span);
                args.push(Arg { name: Some(Ident::new(name, span)), value });
            }
        }
        let callee = Ident::new(&kind.name, *span);
        let mut value = self.ast.add(Expr::Call { callee, args }, *span);
        if let Some(left) = left {
            value = self.ast.add(Expr::Pipe { left, right: value }, *span);
        }
        self.equation(&self.names[index].clone(), node.id.span, value);
    }

    fn equation(&mut self, name: &str, span: Span, value: ExprId) {
        let kind = ItemKind::Equation { name: Ident::new(name, span), value };
        self.ast.items.push(Item { doc: None, kind, span });
    }

    fn given(&mut self, name: &Ident, written: &Written) -> Arg {
        let value = written.add_to(&mut self.ast, &self.ids, self.names);
        Arg { name: Some(name.clone()), value }
    }

    fn arg(&mut self, setting: &Setting) -> Arg {
        let value = match &setting.follows {
            Some(written) => written.add_to(&mut self.ast, &self.ids, self.names),
            None => self.number(setting.written.clone(), setting.span),
        };
        Arg { name: Some(Ident::new(&setting.param.name, setting.name_span)), value }
    }

    /// What flows into a port of a node; 0 when nothing does.
    fn input(&mut self, to: usize, port: usize, wires: &[Wire], span: Span) -> ExprId {
        let wires = wires.iter().filter(|w| w.to == to && w.port == port);
        let terms: Vec<Term> = wires.map(|w| (w.from, w.gain.clone(), w.from_span)).collect();
        self.sum(&terms, span)
    }

    /// `out = softclip(90% * (bd * 85% + hh * 60%))`
    fn out(&mut self, graph: &Graph, mix: &[Term]) {
        let span = graph.head;
        let mut value = self.sum(mix, span);
        if let Some(mixer) = &graph.mixer {
            if let Some(master) = mixer.master.as_ref().filter(|m| m.value.value() != 100.0) {
                if let Expr::Binary { .. } = self.ast.exprs[value] {
                    value = self.ast.add(Expr::Paren(value), span);
                }
                let percent = self.percent(master);
                let op = BinaryOp::Mul;
                value = self.ast.add(Expr::Binary { op, a: percent, b: value }, master.span);
            }
            if mixer.soft_clip {
                let args = vec![Arg { name: None, value: self.bare(value) }];
                value = self.ast.add(Expr::Call { callee: Ident::new("softclip", span), args }, span);
            }
        }
        let value = self.bare(value);
        self.equation("out", span, value);
    }

    /// Without the parentheses around all of it.
    fn bare(&self, expr: ExprId) -> ExprId {
        match self.ast.exprs[expr] {
            Expr::Paren(inner) => inner,
            _ => expr,
        }
    }

    /// `(a * 50% + b)`, a single term without parentheses, `0` for none.
    fn sum(&mut self, terms: &[Term], span: Span) -> ExprId {
        let mut terms = terms.iter();
        let Some(first) = terms.next() else {
            return self.number(Number { digits: "0".into(), unit: None }, span);
        };
        let mut sum = self.term(first);
        let several = terms.len() > 0;
        for term in terms {
            let b = self.term(term);
            sum = self.ast.add(Expr::Binary { op: BinaryOp::Add, a: sum, b }, term.2);
        }
        if several { self.ast.add(Expr::Paren(sum), span) } else { sum }
    }

    fn term(&mut self, (node, gain, span): &Term) -> ExprId {
        let name = self.ast.add(Expr::Name(Ident::new(&self.names[*node], *span)), *span);
        match gain.as_ref().filter(|g| g.value.value() != 100.0) {
            None => name,
            Some(gain) => {
                let b = self.percent(gain);
                self.ast.add(Expr::Binary { op: BinaryOp::Mul, a: name, b }, *span)
            }
        }
    }

    fn percent(&mut self, gain: &At<Decimal>) -> ExprId {
        self.number(Number { digits: gain.value.plain().into(), unit: Some(Unit::Percent) }, gain.span)
    }

    fn number(&mut self, number: Number, span: Span) -> ExprId {
        self.ast.add(Expr::Number(number), span)
    }
}

/// `"bpm": 0` and `"loop": false`, which the first mam's files say of every instrument.
fn says_nothing(setting: &Setting) -> bool {
    matches!(&*setting.param.name, "bpm" | "loop")
        && setting.value == setting.param.default
        && setting.follows.is_none()
}
