//! From the grammar's pairs to expressions: the one table of precedence, and what the grammar cannot refuse.

use super::build::Builder;
use super::codes;
use super::grammar::Rule;
use super::pairs::without_keywords;
use super::words::digits_of;
use crate::ast::{
    Arg, BinaryOp, Body, Expr, ExprId, Ident, MusicalUnit, Number, Over, Reduction, UnaryOp, Unit,
};
use crate::foreign::{self, Role};
use crate::problem::Problem;
use crate::source::Span;
use pest::iterators::{Pair, Pairs};
use std::iter::Peekable;

/// How tightly an operator holds its operands, loosest first. `not` stands between `and` and the comparisons,
/// the minus before an operand between `*` and `^`.
fn power(pair: &Pair<'_, Rule>) -> Option<(BinaryOp, u8)> {
    if !matches!(pair.as_rule(), Rule::infix | Rule::logic) {
        return None;
    }
    Some(match pair.as_str() {
        "or" => (BinaryOp::Or, 1),
        "and" => (BinaryOp::And, 2),
        "<" => (BinaryOp::Lt, COMPARISON),
        "<=" => (BinaryOp::Le, COMPARISON),
        ">" => (BinaryOp::Gt, COMPARISON),
        ">=" => (BinaryOp::Ge, COMPARISON),
        "==" => (BinaryOp::Eq, COMPARISON),
        "!=" => (BinaryOp::Ne, COMPARISON),
        "++" => (BinaryOp::Concat, 5),
        "+" => (BinaryOp::Add, 5),
        "-" => (BinaryOp::Sub, 5),
        "*" => (BinaryOp::Mul, 6),
        "/" => (BinaryOp::Div, 6),
        "mod" => (BinaryOp::Mod, 6),
        "^" => (BinaryOp::Pow, POWER),
        _ => return None,
    })
}
const COMPARISON: u8 = 4;
const POWER: u8 = 8;

impl Builder<'_> {
    /// `value |> value …`
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let mut values = pair.into_inner();
        let Some(first) = values.next() else { return self.nothing() };
        let mut left = self.value(first);
        for stage in values {
            let right = self.value(stage);
            self.check_stage(left, right);
            let span = self.ast.span(left).to(self.ast.span(right));
            left = self.ast.add(Expr::Pipe { left, right }, span);
        }
        left
    }

    /// A row of operators and operands.
    pub(super) fn value(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        self.climb(&mut pair.into_inner().peekable(), 0)
    }

    /// The longest expression from here whose operators all hold at least as tightly as `least`.
    fn climb(&mut self, row: &mut Peekable<Pairs<'_, Rule>>, least: u8) -> ExprId {
        let Some(first) = row.next() else { return self.nothing() };
        let mut left = match first.as_rule() {
            Rule::not_op => self.prefix(first, UnaryOp::Not, row, COMPARISON),
            Rule::minus => self.prefix(first, UnaryOp::Neg, row, POWER),
            _ => self.operand(first),
        };
        while let Some((op, hold)) = row.peek().and_then(power) {
            if hold < least {
                break;
            }
            row.next();
            let right = self.climb(row, if op == BinaryOp::Pow { hold } else { hold + 1 });
            left = self.binary(op, left, right);
        }
        left
    }

    fn prefix(
        &mut self,
        sign: Pair<'_, Rule>,
        op: UnaryOp,
        row: &mut Peekable<Pairs<'_, Rule>>,
        least: u8,
    ) -> ExprId {
        let x = self.climb(row, least);
        let span = self.span(&sign).to(self.ast.span(x));
        self.ast.add(Expr::Unary { op, x }, span)
    }

    fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId) -> ExprId {
        let span = self.ast.span(a).to(self.ast.span(b));
        if let (true, &Expr::Binary { op: first, b: middle, .. }) = (is_comparison(op), &self.ast.exprs[a])
            && is_comparison(first)
            && !self.is_chained(a)
        {
            let [left, between, right] = [a, middle, b].map(|e| self.text_of(self.ast.span(e)));
            let left = left.trim_end();
            let meant = format!("{left} and {between} {} {right}", op.text());
            let problem = Problem::new(&codes::CHAINED_COMPARISON, span, "comparisons do not chain")
                .here("two comparisons in a row")
                .help(format!("write `{meant}`"))
                .fix(span, meant);
            self.problems.add(problem);
        }
        self.ast.add(Expr::Binary { op, a, b }, span)
    }

    /// True for a comparison of a comparison, which has been reported.
    fn is_chained(&self, expr: ExprId) -> bool {
        let left = match self.ast.exprs[expr] {
            Expr::Binary { a, .. } => &self.ast.exprs[a],
            _ => return false,
        };
        matches!(left, Expr::Binary { op, .. } if is_comparison(*op))
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        match pair.as_rule() {
            Rule::number => self.number(&pair),
            Rule::length_value => self.length_value(pair),
            Rule::octaves => self.octaves(pair),
            Rule::choice => self.choice(pair),
            _ => self.postfix(pair),
        }
    }

    /// A number with its unit. Digits that make no finite number are a problem.
    pub(super) fn number(&mut self, pair: &Pair<'_, Rule>) -> ExprId {
        let (span, text) = (self.span(pair), pair.as_str().trim_end());
        let split = digits_of(text);
        let number = Number { digits: text[..split].into(), unit: Unit::from_text(&text[split..]) };
        self.finite(number, span)
    }

    fn finite(&mut self, number: Number, span: Span) -> ExprId {
        if !number.value().is_finite() {
            let problem = Problem::new(&codes::NUMBER_TOO_LARGE, span, "this number is too large")
                .help("write a number below 1.8 · 10^308");
            self.problems.add(problem);
        }
        self.ast.add(Expr::Number(number), span)
    }

    /// `a` or `a/b`, both plain numbers.
    pub(super) fn ratio(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let mut parts = pair.into_inner();
        let Some(first) = parts.next() else { return self.nothing() };
        let a = self.number(&first);
        match parts.next() {
            None => a,
            Some(second) => {
                let b = self.number(&second);
                let span = self.ast.span(a).to(self.ast.span(b));
                self.ast.add(Expr::Binary { op: BinaryOp::Div, a, b }, span)
            }
        }
    }

    fn length_value(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let amount = match parts.next() {
            Some(amount) => self.ratio(amount),
            None => self.nothing(),
        };
        let bar = parts.next().is_some_and(|unit| unit.as_str().starts_with("bar"));
        let unit = if bar { MusicalUnit::Bar } else { MusicalUnit::Beat };
        self.ast.add(Expr::Length { amount, unit }, span)
    }

    fn octaves(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let span = self.span(&pair);
        let Some(amount) = pair.into_inner().next() else { return self.nothing() };
        let digits: String = amount.as_str().chars().filter(|c| !c.is_whitespace()).collect();
        let number = Number { digits: digits.into(), unit: Some(Unit::Octaves) };
        self.finite(number, span)
    }

    fn choice(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let start = self.span(&pair);
        let mut parts = pair.into_inner().filter(|part| matches!(part.as_rule(), Rule::expr | Rule::value));
        let mut branch = |builder: &mut Self| match parts.next() {
            Some(part) if part.as_rule() == Rule::value => builder.value(part),
            Some(part) => builder.expr(part),
            None => builder.nothing(),
        };
        let (condition, then, otherwise) = (branch(self), branch(self), branch(self));
        let span = Span { end: self.ast.span(otherwise).end, ..start };
        self.ast.add(Expr::If { condition, then, otherwise }, span)
    }

    fn postfix(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let mut parts = pair.into_inner();
        let Some(first) = parts.next() else { return self.nothing() };
        let mut of = self.primary(first);
        for field in parts {
            let span = self.ast.span(of).to(self.span(&field));
            if field.as_rule() == Rule::index {
                let index = self.next_value(&mut field.into_inner());
                of = self.ast.add(Expr::Index { of, index }, span);
                continue;
            }
            let point = self.span(&field);
            let mut parts = field.into_inner();
            let name = self.next_ident(&mut parts);
            let Some(arguments) = parts.next() else {
                of = self.ast.add(Expr::Field { of, field: name }, span);
                continue;
            };
            let args = arguments.into_inner().map(|argument| self.argument(argument)).collect();
            of = if self.in_modifier {
                self.ast.add(Expr::Method { of, callee: name, args }, span)
            } else {
                self.call_of_field(of, Span { end: name.span.end, ..point }, span, name, args)
            };
        }
        of
    }

    /// `x.f(…)` outside of modifiers: what was probably meant is `x |> f(…)`.
    fn call_of_field(&mut self, of: ExprId, point: Span, span: Span, name: Ident, args: Vec<Arg>) -> ExprId {
        let (left, head) = (self.ast.span(of), self.ast.span(of).to(name.span));
        let foreign = match &self.ast.exprs[of] {
            Expr::Name(of) => foreign::find_field(&of.name, &name.name),
            _ => None,
        };
        let class = match &self.ast.exprs[of] {
            Expr::Name(of) => foreign::class_of(&of.name, &name.name),
            _ => None,
        };
        let problem = if let (None, Some(class)) = (foreign, class) {
            let message = format!("mam has no `{}`", self.text_of(head));
            let help = format!("mam's word is probably `{class}`; `mamc list` shows what there is");
            Problem::new(&codes::FOREIGN_WORD, head, message).help(help).guess(head, class)
        } else if let Some(row) = foreign {
            let message = format!("mam has no `{}`", self.text_of(head));
            row.explain(Problem::new(&codes::FOREIGN_WORD, head, message), head, true, false)
        } else if let Some(row) = foreign::find(Role::Value, &name.name) {
            // A method of another language: `x.lag(0.1)`.
            let message = format!("`{name}` is a field here, and fields are not called");
            let problem = Problem::new(&codes::CALL_OF_FIELD, point, message).help(row.help_without_events());
            let given = self.text_of(Span { start: name.span.end, ..span });
            match row.word {
                "" => problem,
                word => problem.guess(span, format!("({} |> {word}{given})", self.text_of(left))),
            }
        } else {
            let message = format!("`{name}` is a field here, and fields are not called");
            let given = self.text_of(Span { start: name.span.start, ..span });
            let meant = format!("({} |> {given})", self.text_of(left));
            Problem::new(&codes::CALL_OF_FIELD, point, message)
                .help(format!("write `{name}(x, …)`, or `x |> {name}(…)`"))
                .guess(span, meant)
        };
        self.problems.add(problem);
        // The one problem is enough: the value is not looked at.
        self.broken = true;
        let right = self.ast.add(Expr::Call { callee: name, args }, span);
        self.ast.add(Expr::Pipe { left: of, right }, span)
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let span = self.span(&pair);
        let expr = match pair.as_rule() {
            Rule::reduce => self.reduce(pair),
            Rule::oversample => self.oversample(pair),
            Rule::spectral => self.spectral(pair),
            Rule::sharp => Expr::Name(self.ident(&pair)),
            Rule::chain => self.chain(pair),
            Rule::named => self.named(pair),
            Rule::text => Expr::Text(self.quoted(pair).text),
            Rule::group => {
                let all = self.exprs(pair);
                if let [one] = all[..] { Expr::Paren(one) } else { Expr::Tuple(all) }
            }
            Rule::list => Expr::List(self.exprs(pair)),
            _ => Expr::Record(pair.into_inner().map(|entry| self.entry(entry)).collect()),
        };
        self.ast.add(expr, span)
    }

    fn exprs(&mut self, pair: Pair<'_, Rule>) -> Vec<ExprId> {
        pair.into_inner().map(|part| self.expr(part)).collect()
    }

    fn entry(&mut self, pair: Pair<'_, Rule>) -> (Ident, ExprId) {
        let mut parts = pair.into_inner();
        let name = self.next_ident(&mut parts);
        (name, self.next_value(&mut parts))
    }

    /// `name`, or `name(argument, …)`
    pub(super) fn named(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = pair.into_inner();
        let name = self.next_ident(&mut parts);
        match parts.next() {
            Some(arguments) => {
                let args = arguments.into_inner().map(|argument| self.argument(argument)).collect();
                Expr::Call { callee: name, args }
            }
            None => Expr::Name(name),
        }
    }

    pub(super) fn argument(&mut self, pair: Pair<'_, Rule>) -> Arg {
        let mut arg = Arg { name: None, value: ExprId::new(0) };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => arg.value = self.expr(part),
                _ => arg.name = Some(self.ident(&part)),
            }
        }
        arg
    }

    fn reduce(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = without_keywords(pair).peekable();
        let word = parts.next();
        let is = |reduction: &Reduction| word.as_ref().is_some_and(|word| word.as_str() == reduction.text());
        let reduction = Reduction::ALL.into_iter().find(is).unwrap_or(Reduction::Sum);
        let index = self.next_ident(&mut parts);
        let over = self.over(&mut parts);
        Expr::Reduce { reduction, index, over, body: self.next_braces(&mut parts) }
    }

    fn oversample(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = without_keywords(pair).peekable();
        let factor = self.next_value(&mut parts);
        let border = parts.next_if(|part| part.as_rule() == Rule::word).map(|word| self.ident(&word));
        Expr::Oversample { factor, border, body: self.next_braces(&mut parts) }
    }

    fn spectral(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = pair.into_inner().filter(|part| part.as_rule() != Rule::spectral_word);
        let head = match parts.next() {
            Some(named) => {
                let span = self.span(&named);
                let call = self.named(named);
                self.ast.add(call, span)
            }
            None => ExprId::new(0),
        };
        Expr::Spectral { head, body: self.next_braces(&mut parts) }
    }

    /// `0..7`, or a list.
    fn over<'i>(&mut self, parts: &mut Peekable<impl Iterator<Item = Pair<'i, Rule>>>) -> Over {
        let first = self.next_value(parts);
        match parts.peek().is_some_and(|part| part.as_rule() == Rule::value) {
            true => Over::Range(first, self.next_value(parts)),
            false => Over::List(first),
        }
    }

    fn chain(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = without_keywords(pair).peekable();
        let value = self.next_ident(&mut parts);
        let start = self.next_value(&mut parts);
        let index = self.next_ident(&mut parts);
        let over = self.over(&mut parts);
        Expr::Chain { value, start, index, over, body: self.next_braces(&mut parts) }
    }

    fn next_braces<'i>(&mut self, parts: &mut impl Iterator<Item = Pair<'i, Rule>>) -> Body {
        match parts.next() {
            Some(part) => self.braces(part),
            None => Body::Items(Vec::new()),
        }
    }

    /// What stands in braces: items or one expression.
    pub(super) fn braces(&mut self, pair: Pair<'_, Rule>) -> Body {
        match pair.into_inner().next() {
            Some(part) if part.as_rule() == Rule::expr => Body::Expr(self.expr(part)),
            Some(part) => Body::Items(self.items(part)),
            None => Body::Items(Vec::new()),
        }
    }

    /// The next part as an expression: a `value` or an `expr`.
    pub(super) fn next_value<'i>(&mut self, parts: &mut impl Iterator<Item = Pair<'i, Rule>>) -> ExprId {
        match parts.next() {
            Some(part) if part.as_rule() == Rule::expr => self.expr(part),
            Some(part) if part.as_rule() == Rule::whole => self.number(&part),
            Some(part) => self.value(part),
            None => self.nothing(),
        }
    }

    /// Right of `|>` stands a name or a call, with fields.
    fn check_stage(&mut self, left: ExprId, right: ExprId) {
        if self.is_stage(right) || self.broken {
            return;
        }
        let (whole, from) = (self.ast.span(right), self.ast.span(left));
        let mut leaf = right;
        while let Expr::Binary { a, .. } = self.ast.exprs[leaf] {
            leaf = a;
        }
        let problem = Problem::new(
            &codes::PIPE_INTO_EXPRESSION,
            whole,
            "on the right of `|>` stands a name or a call, and nothing more",
        );
        let problem = if leaf != right && self.is_stage(leaf) {
            let stage = self.ast.span(leaf);
            let rest = Span { start: stage.end, ..whole };
            let meant = format!("({}){}", self.text_of(from.to(stage)), self.text_of(rest));
            problem
                .here("`|>` would take all of this as its right side")
                .help(format!("write `{meant}`"))
                .fix(from.to(whole), meant)
        } else {
            problem
                .here("this is neither")
                .help("give the place where the signal flows in: `x |> lowpass(800Hz)`")
        };
        self.problems.add(problem);
    }

    fn is_stage(&self, mut expr: ExprId) -> bool {
        while let Expr::Field { of, .. } = self.ast.exprs[expr] {
            expr = of;
        }
        matches!(self.ast.exprs[expr], Expr::Name(_) | Expr::Call { .. })
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Lt | Le | Gt | Ge | Eq | Ne)
}
