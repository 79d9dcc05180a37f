//! Expressions, with the parentheses that they need and the breaks that they may take.

use super::Printer;
use super::doc::Doc;
use crate::ast::{Arg, Ast, BinaryOp, Body, Expr, ExprId, Ident, MusicalUnit, Over, UnaryOp};

/// How tightly an expression holds together, loosest first: the table of `syntax::build_expr`, with what stands
/// outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    Pipe,
    Or,
    And,
    Not,
    Compare,
    Add,
    Multiply,
    Minus,
    Power,
    Operand,
}

fn hold(ast: &Ast, expr: ExprId) -> Hold {
    match &ast.exprs[expr] {
        Expr::Pipe { .. } => Hold::Pipe,
        Expr::Binary { op, .. } => hold_of(*op),
        Expr::Unary { op: UnaryOp::Not, .. } => Hold::Not,
        Expr::Unary { op: UnaryOp::Neg, .. } => Hold::Minus,
        _ => Hold::Operand,
    }
}

fn hold_of(op: BinaryOp) -> Hold {
    match op {
        BinaryOp::Or => Hold::Or,
        BinaryOp::And => Hold::And,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne => {
            Hold::Compare
        }
        BinaryOp::Concat | BinaryOp::Add | BinaryOp::Sub => Hold::Add,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => Hold::Multiply,
        BinaryOp::Pow => Hold::Power,
    }
}

/// What must hold at least as tightly as this operator's operands: left and right.
fn sides(op: BinaryOp) -> (Hold, Hold) {
    match hold_of(op) {
        Hold::Or => (Hold::Or, Hold::And),
        Hold::And => (Hold::And, Hold::Not),
        Hold::Compare => (Hold::Add, Hold::Add),
        Hold::Add => (Hold::Add, Hold::Multiply),
        Hold::Multiply => (Hold::Multiply, Hold::Minus),
        _ => (Hold::Operand, Hold::Minus),
    }
}

impl Printer<'_> {
    /// An expression where anything may stand.
    pub(super) fn expr(&mut self, expr: ExprId) -> Doc {
        self.held(expr, Hold::Pipe)
    }

    /// An expression where no pipe may stand.
    pub(super) fn value(&mut self, expr: ExprId) -> Doc {
        self.held(expr, Hold::Or)
    }

    /// An expression in one line, without the comments in it.
    pub(super) fn flat(&mut self, expr: ExprId) -> String {
        self.quiet += 1;
        let doc = self.value(expr);
        self.quiet -= 1;
        doc.flat().unwrap_or_default()
    }

    /// The same before `..`.
    pub(super) fn flat_open(&mut self, expr: ExprId) -> String {
        self.quiet += 1;
        let doc = self.open_value(expr);
        self.quiet -= 1;
        doc.flat().unwrap_or_default()
    }

    /// An expression that must hold at least as tightly as `least`.
    fn held(&mut self, expr: ExprId, least: Hold) -> Doc {
        if hold(self.ast, expr) < least {
            let inner = self.expr(expr);
            return brackets("(", vec![inner], ")");
        }
        self.bare(expr)
    }

    fn bare(&mut self, expr: ExprId) -> Doc {
        let ast = self.ast;
        match &ast.exprs[expr] {
            Expr::Number(number) => Doc::text(number.to_string()),
            Expr::Length { amount, unit } => Doc::text(self.length(*amount, *unit)),
            Expr::Name(name) => Doc::text(&*name.name),
            Expr::Text(text) => Doc::text(format!("\"{text}\"")),
            Expr::Field { of, field } => {
                let of = self.owner(*of);
                Doc::All(vec![of, Doc::text(format!(".{field}"))])
            }
            Expr::Call { callee, args } => self.call(expr, callee, args),
            Expr::Method { of, callee, args } => {
                let of = self.owner(*of);
                Doc::All(vec![of, Doc::text("."), self.call(expr, callee, args)])
            }
            Expr::Pipe { .. } => self.pipe(expr),
            Expr::Unary { op, x } => self.unary(*op, *x),
            Expr::Binary { op, .. } => self.binary(expr, *op),
            Expr::If { .. } => self.choice(expr),
            Expr::Reduce { .. } | Expr::Chain { .. } => self.unrolled(expr),
            Expr::Spectral { head, body } => {
                let call = Doc::All(vec![self.expr(*head), Doc::text(" ")]);
                self.with_braces(expr, call, *head, body)
            }
            Expr::Oversample { factor, border, body } => {
                self.oversample(expr, *factor, border.as_ref(), body)
            }
            Expr::Index { of, index } => {
                let of = self.owner(*of);
                Doc::All(vec![of, self.bracketed(expr, "[", &[*index], "]")])
            }
            Expr::Tuple(all) => self.bracketed(expr, "(", all, ")"),
            Expr::Paren(x) => self.bracketed(expr, "(", &[*x], ")"),
            Expr::List(all) => self.bracketed(expr, "[", all, "]"),
            Expr::Record(entries) => self.record(expr, entries),
        }
    }

    /// What has a field.
    fn owner(&mut self, of: ExprId) -> Doc {
        match self.ast.exprs[of] {
            Expr::Number(_) | Expr::Length { .. } | Expr::If { .. } => {
                let inner = self.expr(of);
                brackets("(", vec![inner], ")")
            }
            _ => self.held(of, Hold::Operand),
        }
    }

    fn length(&mut self, amount: ExprId, unit: MusicalUnit) -> String {
        let ast = self.ast;
        let amount = match ast.exprs[amount] {
            Expr::Binary { a, b, .. } => format!("{}/{}", self.flat(a), self.flat(b)),
            _ => self.flat(amount),
        };
        let word = if unit == MusicalUnit::Bar { "bar" } else { "beat" };
        let many = if amount == "1" || amount == "-1" || amount.contains('/') { "" } else { "s" };
        format!("{amount} {word}{many}")
    }

    /// Parts between brackets, separated by commas. `closed` is the end of the brackets in the text.
    fn bracketed(&mut self, expr: ExprId, open: &str, all: &[ExprId], close: &str) -> Doc {
        let parts = all.iter().map(|&part| (self.start(part), part)).collect::<Vec<_>>();
        self.list(expr, open, parts, close, |printer, part| printer.expr(part))
    }

    fn list<T>(
        &mut self,
        expr: ExprId,
        open: &str,
        parts: Vec<(usize, T)>,
        close: &str,
        mut each: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        let end = self.ast.span(expr).end as usize;
        let empty = parts.is_empty();
        let last = parts.len().saturating_sub(1);
        let edge = if open == "{" { Doc::Line } else { Doc::Soft };
        let expanded = parts.first().is_some_and(|(start, _)| self.opens_line(*start));
        let mut inner = Vec::new();
        for (index, (start, part)) in parts.into_iter().enumerate() {
            inner.push(self.gap(start, if index == 0 { edge.clone() } else { Doc::Line }));
            inner.push(each(self, part));
            if index < last {
                inner.push(Doc::text(","));
            }
        }
        let edge = if empty { Doc::Soft } else { edge };
        let tail = self.tail(end, edge);
        let closing = if expanded { Doc::All(vec![forced(tail)]) } else { tail };
        Doc::Group(vec![Doc::text(open), Doc::Nest(inner), closing, Doc::text(close)])
    }

    /// The comments before a closing bracket: they stand inside, the bracket does not.
    fn tail(&mut self, end: usize, or: Doc) -> Doc {
        match self.gap(end, Doc::Soft) {
            Doc::All(mut parts) => {
                parts.pop();
                Doc::All(vec![Doc::Nest(parts), Doc::Hard])
            }
            _ => or,
        }
    }

    /// True when the writer broke the line just before `start`.
    fn opens_line(&self, start: usize) -> bool {
        let before = self.source(0..if self.text.is_some() { start } else { 0 });
        let trimmed = before.trim_end_matches([' ', '\t', '\r']);
        self.quiet == 0 && trimmed.ends_with('\n')
    }

    fn start(&self, expr: ExprId) -> usize {
        self.ast.span(expr).start as usize
    }

    fn call(&mut self, expr: ExprId, callee: &Ident, args: &[Arg]) -> Doc {
        let args = args.iter().map(|arg| {
            let start = arg.name.as_ref().map_or(self.ast.span(arg.value), |name| name.span).start;
            (start as usize, arg)
        });
        self.list(expr, &format!("{callee}("), args.collect(), ")", |printer, arg| match &arg.name {
            Some(name) => printer.named(name, arg.value),
            None => printer.expr(arg.value),
        })
    }

    fn record(&mut self, expr: ExprId, entries: &[(Ident, ExprId)]) -> Doc {
        let parts = entries.iter().map(|entry| (entry.0.span.start as usize, entry)).collect();
        self.list(expr, "{", parts, "}", |printer, (name, value)| printer.named(name, *value))
    }

    /// `name: value`
    fn named(&mut self, name: &Ident, value: ExprId) -> Doc {
        let gap = self.gap(self.start(value), Doc::text(" "));
        let value = self.expr(value);
        Doc::All(vec![Doc::text(format!("{name}:")), Doc::Nest(vec![gap]), value])
    }

    fn pipe(&mut self, expr: ExprId) -> Doc {
        let (ast, mut first, mut stages) = (self.ast, expr, Vec::new());
        while let Expr::Pipe { left, right } = ast.exprs[first] {
            stages.push(right);
            first = left;
        }
        let mut parts = vec![self.value(first)];
        let mut broken = false;
        for stage in stages.into_iter().rev() {
            broken |= self.stage_opens_line(stage);
            parts.push(self.gap(self.start(stage), Doc::Line));
            parts.push(Doc::text("|> "));
            parts.push(self.held(stage, Hold::Operand));
        }
        if broken {
            let forced_parts =
                parts.into_iter().map(|part| if matches!(part, Doc::Line) { Doc::Hard } else { part });
            parts = forced_parts.collect();
        }
        Doc::Group(vec![Doc::Nest(parts)])
    }

    /// True when the writer broke the line before the `|>` of this stage.
    fn stage_opens_line(&self, stage: ExprId) -> bool {
        let before = self.source(0..if self.text.is_some() { self.start(stage) } else { 0 });
        let before = before.trim_end().strip_suffix("|>").unwrap_or("");
        self.quiet == 0 && before.trim_end_matches([' ', '\t', '\r']).ends_with('\n')
    }

    fn unary(&mut self, op: UnaryOp, x: ExprId) -> Doc {
        let (sign, least) = match op {
            UnaryOp::Not => ("not ", Hold::Not),
            UnaryOp::Neg if self.begins_with_literal(x) => ("- ", Hold::Minus),
            UnaryOp::Neg => ("-", Hold::Minus),
        };
        let x = self.held(x, least);
        Doc::All(vec![Doc::text(sign), x])
    }

    /// True for what a touching `-` would become a part of.
    fn begins_with_literal(&self, x: ExprId) -> bool {
        let mut first = x;
        while let Expr::Binary { op: BinaryOp::Pow, a, .. } = self.ast.exprs[first] {
            first = a;
        }
        match self.ast.exprs[first] {
            Expr::Number(_) => first == x,
            Expr::Length { .. } => true,
            _ => false,
        }
    }

    /// Operators that hold alike, broken together after each.
    fn binary(&mut self, expr: ExprId, op: BinaryOp) -> Doc {
        let (ast, mut first, mut rest) = (self.ast, expr, Vec::new());
        let alike = |e: ExprId| match ast.exprs[e] {
            Expr::Binary { op: other, a, b } if hold_of(other) == hold_of(op) => Some((other, a, b)),
            _ => None,
        };
        while let Some((op, a, b)) = alike(first) {
            rest.push((op, a, b, first == expr));
            first = a;
            // These two hold their left side tighter than themselves.
            if matches!(hold_of(op), Hold::Power | Hold::Compare) {
                break;
            }
        }
        let left = sides(op).0;
        let mut parts = vec![self.left(first, left)];
        for (op, a, b, last) in rest.into_iter().rev() {
            let right = self.held_right(op, a, b, last);
            let tight = right.0.is_none() && self.is_tight(op, a, b);
            let (before, after) = if tight { ("", Doc::text("")) } else { (" ", Doc::Line) };
            parts.push(Doc::text(format!("{before}{}", op.text())));
            parts.push(right.0.unwrap_or(after));
            parts.push(right.1);
        }
        Doc::Group(vec![Doc::Nest(parts)])
    }

    /// The comments before a right operand, if there are any, and the operand. It is the `last` where no operator
    /// follows.
    fn held_right(&mut self, op: BinaryOp, a: ExprId, b: ExprId, last: bool) -> (Option<Doc>, Doc) {
        let gap = match self.gap(self.start(b), Doc::Soft) {
            Doc::Soft => None,
            comments => Some(comments),
        };
        if self.takes_left(op, a, b) || !last && self.is_open(b) {
            let inner = self.expr(b);
            return (gap, brackets("(", vec![inner], ")"));
        }
        (gap, self.held(b, sides(op).1))
    }

    /// True where a plain number, `/` and a length would be read as one length: `1 / 4 bars`.
    fn takes_left(&self, op: BinaryOp, a: ExprId, b: ExprId) -> bool {
        let mut last = a;
        while let Expr::Binary { b, .. } | Expr::Unary { x: b, .. } = self.ast.exprs[last] {
            last = b;
        }
        let plain = matches!(&self.ast.exprs[last], Expr::Number(number) if number.unit.is_none());
        let mut first = b;
        while let Expr::Binary { op: BinaryOp::Pow, a, .. } = self.ast.exprs[first] {
            first = a;
        }
        let whole = match self.ast.exprs[first] {
            Expr::Length { amount, .. } => {
                matches!(&self.ast.exprs[amount], Expr::Number(n) if !n.digits.starts_with('-'))
            }
            _ => false,
        };
        op == BinaryOp::Div && plain && whole
    }

    /// A left operand: what would reach over the operator, or take it in, stands in parentheses.
    fn left(&mut self, a: ExprId, least: Hold) -> Doc {
        let negative = least == Hold::Operand
            && matches!(&self.ast.exprs[a], Expr::Number(n) if n.digits.starts_with('-'));
        if self.is_open(a) || negative {
            let inner = self.expr(a);
            return brackets("(", vec![inner], ")");
        }
        self.held(a, least)
    }

    /// True when an `if` stands at the right end, which would take in what follows.
    fn is_open(&self, mut expr: ExprId) -> bool {
        loop {
            match &self.ast.exprs[expr] {
                Expr::If { .. } => return true,
                Expr::Binary { b, .. } => expr = *b,
                Expr::Unary { x, .. } => expr = *x,
                _ => return false,
            }
        }
    }

    fn is_tight(&self, op: BinaryOp, a: ExprId, b: ExprId) -> bool {
        let (from, to) = (self.ast.span(a).end as usize, self.ast.span(b).start as usize);
        matches!(op, BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow)
            && self.text.is_some()
            && from <= to
            && self.source(from..to) == op.text()
    }

    /// `if … then … else if … then … else …`
    fn choice(&mut self, expr: ExprId) -> Doc {
        let (ast, mut at, mut parts, mut lead) = (self.ast, expr, Vec::new(), "if ");
        while let Expr::If { condition, then, otherwise } = ast.exprs[at] {
            let (condition, gap) = (self.expr(condition), self.gap(self.start(then), Doc::Line));
            let then = self.expr(then);
            let branch = Doc::Nest(vec![gap, Doc::text("then "), then]);
            parts.push(Doc::Group(vec![Doc::text(lead), condition, branch]));
            parts.push(self.gap(self.start(otherwise), Doc::Line));
            (at, lead) = (otherwise, "else if ");
        }
        parts.push(Doc::text("else "));
        parts.push(self.value(at));
        Doc::Group(vec![Doc::Nest(parts)])
    }

    /// Prints a `sum`, a `list` or a `chain`, with its body in braces.
    fn unrolled(&mut self, expr: ExprId) -> Doc {
        let ast = self.ast;
        let (head, over, body) = match &ast.exprs[expr] {
            Expr::Reduce { reduction, index, over, body } => {
                (vec![Doc::text(format!("{} {index} in ", reduction.text()))], *over, body)
            }
            Expr::Chain { value, start, index, over, body } => {
                let start = self.expr(*start);
                let head =
                    vec![Doc::text(format!("chain {value} = ")), start, Doc::text(format!(", {index} in "))];
                (head, *over, body)
            }
            _ => return Doc::text(""),
        };
        let (over, last) = match over {
            Over::Range(from, to) => {
                (vec![self.open_value(from), Doc::text(".."), self.value(to), Doc::text(" ")], to)
            }
            Over::List(list) => (vec![self.value(list), Doc::text(" ")], list),
        };
        self.with_braces(expr, Doc::All([head, over].concat()), last, body)
    }

    /// `oversample(4) { … }`
    fn oversample(&mut self, expr: ExprId, factor: ExprId, border: Option<&Ident>, body: &Body) -> Doc {
        let border = border.map_or(String::new(), |border| format!(", {border}"));
        let head = vec![Doc::text("oversample("), self.expr(factor), Doc::text(format!("{border}) "))];
        self.with_braces(expr, Doc::All(head), factor, body)
    }

    /// A head and a body in braces, which begin after `last`.
    fn with_braces(&mut self, expr: ExprId, head: Doc, last: ExprId, body: &Body) -> Doc {
        let ast = self.ast;
        let open = self.find("{", ast.span(last).end as usize);
        let close = (ast.span(expr).end as usize).saturating_sub(1);
        let body = match body {
            Body::Expr(inner) => {
                let gap = self.gap(self.start(*inner), Doc::Line);
                let inner = self.expr(*inner);
                let tail = self.tail(close, Doc::Line);
                Doc::Group(vec![Doc::text("{"), Doc::Nest(vec![gap, inner]), tail, Doc::text("}")])
            }
            Body::Items(items) => self.body(items, open + 1, close),
        };
        Doc::All(vec![head, body])
    }

    /// A value before `..`.
    fn open_value(&mut self, value: ExprId) -> Doc {
        self.left(value, Hold::Or)
    }
}

/// Parts in brackets that may be broken.
fn brackets(open: &str, parts: Vec<Doc>, close: &str) -> Doc {
    let inner = [vec![Doc::Soft], parts].concat();
    Doc::Group(vec![Doc::text(open), Doc::Nest(inner), Doc::Soft, Doc::text(close)])
}

/// A break that is always taken.
fn forced(doc: Doc) -> Doc {
    if matches!(doc, Doc::Soft | Doc::Line) { Doc::Hard } else { doc }
}
