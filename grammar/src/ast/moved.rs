//! Parts of a tree put elsewhere: their handles and places become others, and they say the same.

use super::{
    Arg, Ast, Body, Condition, Definition, Expr, ExprId, Formal, Ident, Item, ItemKind, Line, Over, Param,
    PatternText, Quoted, Route, Tuning,
};
use crate::source::{SourceId, Span};

/// Some expressions and the item that is made of them, cut out of a tree: handles count from the first of these expressions,
/// places from the byte at which it begins.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    exprs: Vec<Expr>,
    spans: Vec<Span>,
    item: Item,
}

/// What is added to handles and places, wrapping around, and the text that the places are in.
#[derive(Clone, Copy)]
struct Move {
    exprs: usize,
    bytes: u32,
    source: SourceId,
}

impl Piece {
    /// Cuts out the item that is written from byte `start` on, and the expressions that were added to the tree from `first` on:
    /// all that the item is made of.
    pub(crate) fn cut(ast: &Ast, first: usize, start: usize, item: &Item) -> Piece {
        let mut piece = Piece {
            exprs: ast.exprs.values().skip(first).cloned().collect(),
            spans: ast.spans[first..].to_vec(),
            item: item.clone(),
        };
        let bytes = (start as u32).wrapping_neg();
        let by = Move { exprs: first.wrapping_neg(), bytes, source: SourceId::default() };
        piece.exprs.iter_mut().for_each(|expr| by.expr(expr));
        piece.spans.iter_mut().for_each(|span| by.span(span));
        by.item(&mut piece.item);
        piece
    }

    /// Puts it into a tree, as the item that begins at a byte of a text.
    pub(crate) fn paste(&self, ast: &mut Ast, source: SourceId, start: usize) -> Item {
        let by = Move { exprs: ast.exprs.len(), bytes: start as u32, source };
        for (expr, span) in self.exprs.iter().zip(&self.spans) {
            let (mut expr, mut span) = (expr.clone(), *span);
            by.expr(&mut expr);
            by.span(&mut span);
            ast.add(expr, span);
        }
        let mut item = self.item.clone();
        by.item(&mut item);
        item
    }
}

impl Ast {
    /// Makes room for so many more expressions.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.spans.reserve(more);
        self.exprs.reserve(more);
    }

    /// The tree of a text of one item that stands within another text, with the places there; `start` is the byte at which it
    /// begins, which wraps around for a text with something before what stands there.
    #[must_use]
    pub fn within(&self, source: SourceId, start: u32) -> Ast {
        let mut ast = Ast::default();
        if let [item] = &self.items[..] {
            let item = Piece::cut(self, 0, 0, item).paste(&mut ast, source, start as usize);
            ast.items.push(item);
        }
        ast
    }
}

impl Move {
    fn id(&self, expr: &mut ExprId) {
        *expr = ExprId::new(expr.index().wrapping_add(self.exprs));
    }

    fn ids<'a>(&self, exprs: impl IntoIterator<Item = &'a mut ExprId>) {
        exprs.into_iter().for_each(|expr| self.id(expr));
    }

    fn pair(&self, (a, b): &mut (ExprId, ExprId)) {
        self.ids([a, b]);
    }

    fn span(&self, span: &mut Span) {
        let moved = |byte: u32| byte.wrapping_add(self.bytes);
        *span = Span { source: self.source, start: moved(span.start), end: moved(span.end) };
    }

    fn ident(&self, ident: &mut Ident) {
        self.span(&mut ident.span);
    }

    fn idents<'a>(&self, idents: impl IntoIterator<Item = &'a mut Ident>) {
        idents.into_iter().for_each(|ident| self.ident(ident));
    }

    fn quoted(&self, quoted: &mut Quoted) {
        self.span(&mut quoted.span);
    }

    fn args(&self, args: &mut [Arg]) {
        for Arg { name, value } in args {
            self.idents(name);
            self.id(value);
        }
    }

    fn values(&self, values: &mut [(Ident, ExprId)]) {
        for (name, value) in values {
            self.ident(name);
            self.id(value);
        }
    }

    fn over(&self, over: &mut Over) {
        match over {
            Over::Range(from, to) => self.ids([from, to]),
            Over::List(list) => self.id(list),
        }
    }

    fn body(&self, body: &mut Body) {
        match body {
            Body::Expr(expr) => self.id(expr),
            Body::Items(items) => self.items(items),
        }
    }

    fn expr(&self, expr: &mut Expr) {
        match expr {
            Expr::Number(_) | Expr::Text(_) => {}
            Expr::Length { amount: x, unit: _ } | Expr::Unary { op: _, x } | Expr::Paren(x) => self.id(x),
            Expr::Name(name) => self.ident(name),
            Expr::Field { of, field } => {
                self.id(of);
                self.ident(field);
            }
            Expr::Call { callee, args } => {
                self.ident(callee);
                self.args(args);
            }
            Expr::Method { of, callee, args } => {
                self.id(of);
                self.ident(callee);
                self.args(args);
            }
            Expr::Pipe { left: a, right: b } | Expr::Binary { op: _, a, b } => self.ids([a, b]),
            Expr::If { condition, then, otherwise } => self.ids([condition, then, otherwise]),
            Expr::Reduce { reduction: _, index, over, body } => {
                self.ident(index);
                self.over(over);
                self.body(body);
            }
            Expr::Chain { value, start, index, over, body } => {
                self.idents([value, index]);
                self.id(start);
                self.over(over);
                self.body(body);
            }
            Expr::Oversample { factor, border, body } => {
                self.id(factor);
                self.idents(border);
                self.body(body);
            }
            Expr::Spectral { head, body } => {
                self.id(head);
                self.body(body);
            }
            Expr::Index { of, index } => self.ids([of, index]),
            Expr::Tuple(parts) | Expr::List(parts) => self.ids(parts),
            Expr::Record(fields) => self.values(fields),
        }
    }

    fn items(&self, items: &mut [Item]) {
        items.iter_mut().for_each(|item| self.item(item));
    }

    fn item(&self, Item { doc: _, kind, span }: &mut Item) {
        self.span(span);
        match kind {
            ItemKind::Equation { name, value } => {
                self.ident(name);
                self.id(value);
            }
            ItemKind::Param(param) => self.param(param),
            ItemKind::Input(name) | ItemKind::DefaultNote(name) => self.ident(name),
            ItemKind::Until(x) | ItemKind::Latency(x) | ItemKind::Length(x) | ItemKind::Seed(x) => self.id(x),
            ItemKind::Midi(midi) => midi.ranges.iter_mut().for_each(|(from, to)| {
                self.id(from);
                self.ids(to);
            }),
            ItemKind::Kit { name, folder, items } => {
                self.ident(name);
                folder.iter_mut().for_each(|folder| self.quoted(folder));
                self.items(items);
            }
            ItemKind::Matrix(items) | ItemKind::Play(items) => self.items(items),
            ItemKind::Route(route) => self.route(route),
            ItemKind::Choke { parts, over } => {
                self.idents(parts);
                self.ids(over);
            }
            ItemKind::Preset { name, settings } => {
                self.quoted(name);
                self.values(settings);
            }
            ItemKind::Definition(definition) => self.definition(definition),
            ItemKind::Use(text) | ItemKind::Title(text) => self.quoted(text),
            ItemKind::Tempo { bpm, to, at, until } => {
                self.ids([Some(bpm), to.as_mut(), at.as_mut(), until.as_mut()].into_iter().flatten());
            }
            ItemKind::Meter { beats, unit } => self.ids([beats, unit]),
            ItemKind::Swing { amount, of } => {
                self.id(amount);
                self.ids(of);
            }
            ItemKind::Channels { count, is_ambisonic: _ } => self.id(count),
            ItemKind::Expect(expect) => {
                self.id(&mut expect.call);
                match &mut expect.condition {
                    None => {}
                    Some(Condition::Below(x) | Condition::Above(x)) => self.id(x),
                    Some(Condition::Between(low, high)) => self.ids([low, high]),
                    Some(Condition::Within { tolerance, of }) => self.ids([tolerance, of]),
                }
            }
            ItemKind::Tuning(Tuning::Files { scale, keyboard }) => {
                self.quoted(scale);
                keyboard.iter_mut().for_each(|keyboard| self.quoted(keyboard));
            }
            ItemKind::Tuning(Tuning::Equal(steps)) => self.id(steps),
            ItemKind::Line(line) => self.line(line),
            ItemKind::Arrangement(parts) => parts.iter_mut().for_each(|part| {
                self.ident(&mut part.section);
                self.ids(&mut part.times);
            }),
            ItemKind::Section { name, length, items } => {
                self.ident(name);
                self.id(length);
                self.items(items);
            }
            ItemKind::Variation { name, of, items } => {
                self.idents([name, of]);
                self.items(items);
            }
            ItemKind::Broken(name) => self.idents(name),
        }
    }

    fn param(&self, param: &mut Param) {
        let Param { knob: _, name, default, range, words, smooth, cc, .. } = param;
        self.ident(name);
        self.id(default);
        range.iter_mut().for_each(|range| self.pair(range));
        self.idents(words);
        self.ids(smooth);
        self.ids(cc);
    }

    fn definition(&self, Definition { kind: _, name, formals, body }: &mut Definition) {
        self.ident(name);
        for Formal { name, unit: _, default, range } in formals {
            self.ident(name);
            self.ids(default);
            range.iter_mut().for_each(|range| self.pair(range));
        }
        self.body(body);
    }

    fn line(&self, Line { target, pattern, modifiers, over, curve_exp: _ }: &mut Line) {
        self.idents(target);
        match pattern {
            PatternText::Tab { bars, by } => {
                bars.iter_mut().for_each(|bar| self.quoted(bar));
                self.ids(by);
            }
            PatternText::Notation(quoted) => self.quoted(quoted),
            PatternText::Made(x) => self.id(x),
            PatternText::Nothing(span) => self.span(span),
        }
        self.ids(modifiers);
        self.ids(over);
    }

    fn route(&self, Route { source, target, depth, scale: _, range }: &mut Route) {
        self.ids([source, depth]);
        self.idents(target);
        range.iter_mut().for_each(|range| self.pair(range));
    }
}
