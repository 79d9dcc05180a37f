//! What decides a group.

use super::words::Words;
use crate::graph::{Given, Instance, NodeId, NodeKind, is_event};
use crate::hir::builtins::Function;
use crate::hir::resolve::resolved;
use crate::hir::types::Checker;
use crate::hir::types::nodes::NodeState;
use crate::hir::{Callee, DefId, FILE, Hir, Iterations, Name};
use mam_grammar::ast::{Ast, BinaryOp, DefinitionKind, Expr, ExprId};

/// Whether groups have keys: the page goes without, which would be larger for it.
const KEEPS_GROUPS: bool = !cfg!(target_family = "wasm");

/// Writes a key. Whatever has none says `None`: it may depend on what is not written here.
pub(super) struct Key<'k, 'a> {
    pub(super) checker: &'k Checker<'a>,
    pub(super) words: &'k mut Words,
}

/// What stands next in a key.
#[derive(Clone, Copy)]
enum Tag {
    Glue,
    Instance,
    /// Nothing, or a constant that can be changed while the song plays.
    Nothing,
    /// Another member of the group.
    Member,
    /// The value of a node outside of it.
    Value,
    Number,
    Text,
    Length,
    Known,
    Note,
    Definition,
    Builtin,
    Call,
    Field,
    Unary,
    Row,
    Concat,
    If,
    Index,
    Parts,
    List,
    Record,
}

impl<'a> Key<'_, 'a> {
    /// The group whose members the checker knows.
    pub(super) fn group(&mut self) -> Option<()> {
        if !KEEPS_GROUPS {
            return None;
        }
        let (checker, graph) = (self.checker, self.checker.input.graph);
        self.words.push(checker.members.len() as u64);
        for &node in &checker.members {
            if graph.out == Some(node) {
                return None;
            }
            match &graph.nodes[node].kind {
                NodeKind::Glue { expr, iterations } if iterations.is_empty() => {
                    self.tag(Tag::Glue);
                    self.whole(*expr)?;
                }
                NodeKind::Instance(instance) if checker.members.len() == 1 => {
                    self.instance(node, instance)?
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn tag(&mut self, tag: Tag) {
        self.words.push(tag as u64);
    }

    fn ast(&self) -> &'a Ast {
        let Checker { input, .. } = self.checker;
        &input.files.file(input.song).ast
    }

    fn hir(&self) -> &'a Hir {
        let Checker { input, .. } = self.checker;
        resolved(input.files, input.song)
    }

    /// An instance of the prelude.
    fn instance(&mut self, node: NodeId, instance: &'a Instance) -> Option<()> {
        let graph = self.checker.input.graph;
        let is_plain =
            instance.choke.is_none() && instance.plays_outside.is_none() && !graph.is_modulated(node);
        if !is_plain {
            return None;
        }
        self.tag(Tag::Instance);
        self.definition(instance.def)?;
        self.words.push(instance.placed.into());
        for given in [instance.input].iter().chain(&instance.fixed).chain(&instance.inputs) {
            match given {
                Some(given) => self.given(*given)?,
                None => self.tag(Tag::Nothing),
            }
        }
        for given in &instance.args {
            match given {
                Some(given) if !self.checker.is_constant(*given) => self.given(*given)?,
                _ => self.tag(Tag::Nothing),
            }
        }
        Some(())
    }

    fn given(&mut self, given: Given) -> Option<()> {
        match given {
            Given::Node(node) => self.node(node),
            Given::Number(expr) => match &self.ast().exprs[expr] {
                Expr::Text(text) => {
                    self.tag(Tag::Text);
                    self.words.text(text);
                    Some(())
                }
                _ => self.expr(expr),
            },
            Given::Voice(_) => None,
        }
    }

    /// What a node is that is read.
    fn node(&mut self, node: NodeId) -> Option<()> {
        if let Ok(place) = self.checker.members.binary_search(&node) {
            self.tag(Tag::Member);
            self.words.push(place as u64);
            return Some(());
        }
        self.tag(Tag::Value);
        match &self.checker.nodes[node.index()] {
            NodeState::Done(value) => self.words.value(value),
            NodeState::Waits | NodeState::Doing => None,
        }
    }

    /// A definition of the prelude, which is the same in all versions.
    fn definition(&mut self, def: DefId) -> Option<()> {
        self.tag(Tag::Definition);
        self.words.push(def.file as u64);
        self.checker.input.files.is_prelude(def.file).then_some(())
    }

    fn exprs(&mut self, exprs: impl ExactSizeIterator<Item = Option<ExprId>>) -> Option<()> {
        self.words.push(exprs.len() as u64);
        for expr in exprs {
            match expr {
                Some(expr) => self.expr(expr)?,
                None => self.tag(Tag::Nothing),
            }
        }
        Some(())
    }

    /// An expression, or the node that it is.
    fn expr(&mut self, expr: ExprId) -> Option<()> {
        match self.checker.input.graph.parts.get(&expr) {
            Some(&node) => self.node(node),
            None => stacker::maybe_grow(64 << 10, 1 << 20, || self.whole(expr)),
        }
    }

    fn whole(&mut self, expr: ExprId) -> Option<()> {
        let ast = self.ast();
        match &ast.exprs[expr] {
            Expr::Number(number) => {
                self.tag(Tag::Number);
                self.words.push(number.unit.map_or(0, |unit| unit as u64 + 1));
                self.words.text(&number.digits);
                Some(())
            }
            Expr::Length { amount, .. } => {
                self.tag(Tag::Length);
                self.expr(*amount)
            }
            Expr::Name(_) => self.name(expr),
            Expr::Field { of, field } => {
                let hir = self.hir();
                let targets = &self.checker.input.graph.targets;
                let names_target = match hir.name(*of) {
                    Name::Local(id) => targets.contains_key(&hir.local(id).name),
                    name => !matches!(name, Name::None | Name::Known(_)),
                };
                if names_target || is_event(&field.name) || hir.name(expr) != Name::None {
                    return None;
                }
                self.field(&field.name);
                self.expr(*of)
            }
            Expr::Call { .. } => self.call(expr),
            Expr::Pipe { right, .. } => self.pipe(*right),
            Expr::Unary { op, x } => {
                self.tag(Tag::Unary);
                self.words.push(*op as u64);
                self.expr(*x)
            }
            Expr::Binary { op: BinaryOp::Concat, a, b } => {
                self.tag(Tag::Concat);
                self.exprs([*a, *b].into_iter().map(Some))
            }
            Expr::Binary { .. } => self.row(expr),
            Expr::If { condition, then, otherwise } => {
                self.tag(Tag::If);
                self.exprs([*condition, *then, *otherwise].into_iter().map(Some))
            }
            Expr::Index { of, index } => {
                self.tag(Tag::Index);
                self.exprs([*of, *index].into_iter().map(Some))
            }
            Expr::Paren(x) => self.expr(*x),
            Expr::Tuple(parts) => {
                self.tag(Tag::Parts);
                self.exprs(parts.iter().copied().map(Some))
            }
            Expr::List(elements) => {
                self.tag(Tag::List);
                self.exprs(elements.iter().copied().map(Some))
            }
            Expr::Record(fields) => {
                self.tag(Tag::Record);
                fields.iter().for_each(|(name, _)| self.words.text(&name.name));
                self.exprs(fields.iter().map(|&(_, value)| Some(value)))
            }
            // What stands in braces has scopes of its own; a text is refused.
            Expr::Reduce { .. }
            | Expr::Chain { .. }
            | Expr::Oversample { .. }
            | Expr::Spectral { .. }
            | Expr::Method { .. }
            | Expr::Text(_) => None,
        }
    }

    fn row(&mut self, expr: ExprId) -> Option<()> {
        let parts = &self.checker.input.graph.parts;
        let is_first = |inner, op| op == BinaryOp::Concat || inner != expr && parts.contains_key(&inner);
        let (first, operations) = self.ast().row(expr, is_first);
        self.tag(Tag::Row);
        self.words.push(operations.len() as u64);
        self.expr(first)?;
        operations.into_iter().try_for_each(|operation| {
            self.words.push(operation.op as u64);
            self.expr(operation.right)
        })
    }

    fn field(&mut self, name: &str) {
        self.tag(Tag::Field);
        self.words.text(name);
    }

    fn name(&mut self, expr: ExprId) -> Option<()> {
        match self.hir().name(expr) {
            Name::Local(id) if self.hir().local(id).scope == FILE => {
                self.node(*self.checker.input.graph.locals.get(&id)?)
            }
            Name::Known(known) => {
                self.tag(Tag::Known);
                self.words.push(known as u64);
                Some(())
            }
            Name::Note(note) => {
                self.tag(Tag::Note);
                self.words.push(u64::from(note as u32));
                Some(())
            }
            Name::Function(callee) => self.callee(callee),
            Name::Local(_) | Name::Voice | Name::None | Name::Broken => None,
        }
    }

    /// The right side of a pipe, with the fields that are read from the result.
    fn pipe(&mut self, right: ExprId) -> Option<()> {
        match &self.ast().exprs[right] {
            Expr::Field { of, field } => {
                self.field(&field.name);
                self.pipe(*of)
            }
            Expr::Call { .. } | Expr::Name(_) => self.call(right),
            _ => None,
        }
    }

    fn call(&mut self, expr: ExprId) -> Option<()> {
        if let Some(&node) = self.checker.input.graph.calls.get(&(expr, Iterations::new())) {
            return self.node(node);
        }
        let call = self.hir().call(expr)?;
        self.tag(Tag::Call);
        self.callee(call.callee)?;
        if call.word.is_some() {
            return None;
        }
        self.exprs(call.args.iter().copied())?;
        self.exprs(call.fixed.iter().copied())?;
        self.exprs(call.more.iter().copied())?;
        self.exprs([call.piped].into_iter())
    }

    /// What is called, where it remembers nothing by the name of an equation.
    fn callee(&mut self, callee: Callee) -> Option<()> {
        let files = self.checker.input.files;
        match callee {
            Callee::Definition(def) => {
                self.definition(def)?;
                (files.definition(def).kind != DefinitionKind::Instrument).then_some(())
            }
            Callee::Builtin(builtin) => {
                self.tag(Tag::Builtin);
                self.words.text(builtin.row().name);
                matches!(builtin.row().function, Function::Plain(_) | Function::Keeps(_)).then_some(())
            }
            Callee::Local(_) | Callee::Broken => None,
        }
    }
}
