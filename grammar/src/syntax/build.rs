//! From the grammar's pairs to items.

use super::codes;
use super::grammar::Rule;
use super::pairs::without_keywords;
use crate::ast::{
    Ast, Body, Condition, Definition, DefinitionKind, Expect, Expr, ExprId, Formal, Ident, Item, ItemKind,
    Line, MidiNumbers, Param, Part, PatternText, Quoted, Route, Scale, Tuning, Unit,
};
use crate::problem::{Problem, Problems};
use crate::source::{SourceId, Span};
use pest::iterators::Pair;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The documentation before the token that begins at a byte.
pub(super) type Docs = BTreeMap<usize, Vec<Span>>;

/// Builds a tree out of pairs.
pub(super) struct Builder<'a> {
    /// The text as it was written.
    pub(super) text: &'a str,
    pub(super) source: SourceId,
    /// Where the piece that is parsed begins in the text.
    pub(super) base: usize,
    /// An expression of the item that is built has been refused, and nothing more is said of it.
    pub(super) broken: bool,
    /// Inside the arguments of a modifier, where one change may follow another.
    pub(super) in_modifier: bool,
    /// Documentation that no item has taken yet.
    pub(super) docs: Docs,
    pub(super) ast: Ast,
    pub(super) problems: Problems,
}

impl Builder<'_> {
    /// The place of a pair, without the white space after it. What was repaired may begin or end inside what was a longer
    /// character: its place has the whole of that.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let (start, text) = (self.base + pair.as_span().start(), pair.as_str());
        let skipped = text.len() - text.trim_start_matches(is_space).len();
        let length = text.trim_end_matches(is_space).len().max(skipped);
        let (start, end) = (start + skipped, start + length);
        let (start, end) = (self.text.floor_char_boundary(start), self.text.ceil_char_boundary(end));
        Span::new(self.source, start, end)
    }

    pub(super) fn text_of(&self, span: Span) -> &str {
        // A repaired text may be shorter than its place.
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Stands where the grammar guarantees a part; never reached.
    pub(super) fn nothing(&mut self) -> ExprId {
        self.ast.add(Expr::List(Vec::new()), Span::new(self.source, self.base, self.base))
    }

    pub(super) fn ident(&self, pair: &Pair<'_, Rule>) -> Ident {
        Ident::new(pair.as_str().trim_end_matches(is_space), self.span(pair))
    }

    pub(super) fn next_ident<'i>(&self, parts: &mut impl Iterator<Item = Pair<'i, Rule>>) -> Ident {
        let part = parts.next();
        part.map_or_else(|| self.no_name(), |part| self.ident(&part))
    }

    /// Stands where the grammar guarantees a name; never reached.
    fn no_name(&self) -> Ident {
        Ident::new("", Span::new(self.source, self.base, self.base))
    }

    /// A pair of rule `text`.
    pub(super) fn quoted(&self, pair: Pair<'_, Rule>) -> Quoted {
        // The quotes may have been repaired from longer characters; what is between them is as it was written.
        let inside = pair.into_inner().next();
        let (start, end) = inside.map_or((0, 0), |inside| (inside.as_span().start(), inside.as_span().end()));
        let span = Span::new(self.source, self.base + start, self.base + end);
        Quoted { text: self.text_of(span).into(), span }
    }

    /// A pair of rule `items`.
    pub(super) fn items(&mut self, pair: Pair<'_, Rule>) -> Vec<Item> {
        pair.into_inner().map(|item| self.item(item)).collect()
    }

    /// A pair of rule `item`.
    pub(super) fn item(&mut self, pair: Pair<'_, Rule>) -> Item {
        let span = self.span(&pair);
        let doc = self.take_doc(span);
        let around = std::mem::take(&mut self.broken);
        let mut kind = match pair.into_inner().next() {
            Some(inner) => self.kind(inner),
            None => ItemKind::Broken(None),
        };
        if std::mem::replace(&mut self.broken, around) {
            kind = ItemKind::Broken(match kind {
                ItemKind::Equation { name, .. } => Some(name),
                ItemKind::Param(param) => Some(param.name),
                ItemKind::Definition(definition) => Some(definition.name),
                _ => None,
            });
        }
        Item { doc, kind, span }
    }

    /// The documentation that stands before `span`.
    pub(super) fn take_doc(&mut self, span: Span) -> Option<Arc<str>> {
        let lines = self.docs.remove(&(span.start as usize))?;
        let text = |line: &Span| {
            let text = &self.text_of(*line)[3..];
            text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
        };
        Some(lines.iter().map(text).collect::<Vec<_>>().join("\n").into())
    }

    fn kind(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        match pair.as_rule() {
            Rule::equation => self.equation(pair),
            Rule::def => ItemKind::Definition(self.def(pair)),
            Rule::instrument => ItemKind::Definition(self.block_definition(DefinitionKind::Instrument, pair)),
            Rule::effect => ItemKind::Definition(self.block_definition(DefinitionKind::Effect, pair)),
            Rule::param | Rule::knob => ItemKind::Param(self.param(pair)),
            Rule::input => ItemKind::Input(self.last_ident(pair)),
            Rule::default_note => ItemKind::DefaultNote(self.last_ident(pair)),
            Rule::midi => ItemKind::Midi(self.midi(pair)),
            Rule::until => ItemKind::Until(self.argument_of(pair)),
            Rule::kit => self.kit(pair),
            Rule::matrix => ItemKind::Matrix(self.routes(pair)),
            Rule::choke => self.choke(pair),
            Rule::preset => self.preset(pair),
            Rule::latency => ItemKind::Latency(self.argument_of(pair)),
            Rule::length => ItemKind::Length(self.argument_of(pair)),
            Rule::seed => ItemKind::Seed(self.argument_of(pair)),
            Rule::channels => self.channels(pair),
            Rule::use_file => ItemKind::Use(self.last_text(pair)),
            Rule::title => ItemKind::Title(self.last_text(pair)),
            Rule::tempo => self.tempo(pair),
            Rule::meter => self.meter(pair),
            Rule::swing => self.swing(pair),
            Rule::expect => self.expect(pair),
            Rule::tuning => ItemKind::Tuning(self.tuning(pair)),
            Rule::play => ItemKind::Play(self.last_block(pair)),
            Rule::arrangement => self.arrangement(pair),
            Rule::section => self.section(pair),
            Rule::variation => self.variation(pair),
            _ => ItemKind::Line(self.line(pair)),
        }
    }

    fn equation(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = without_keywords(pair);
        let name = self.next_ident(&mut parts);
        ItemKind::Equation { name, value: self.next_value(&mut parts) }
    }

    fn def(&mut self, pair: Pair<'_, Rule>) -> Definition {
        let mut parts = without_keywords(pair);
        let (name, formals) = match parts.next() {
            Some(head) => self.definition_head(head),
            None => (self.no_name(), Vec::new()),
        };
        let body = match parts.next() {
            Some(part) if part.as_rule() == Rule::braces => self.braces(part),
            Some(part) => Body::Expr(self.expr(part)),
            None => Body::Items(Vec::new()),
        };
        Definition { kind: DefinitionKind::Def, name, formals, body }
    }

    /// A pair of rule `def_head`, `instrument_head` or `effect_head`.
    pub(super) fn definition_head(&mut self, pair: Pair<'_, Rule>) -> (Ident, Vec<Formal>) {
        let mut parts = pair.into_inner().skip(1);
        let name = self.next_ident(&mut parts);
        let formals = parts.next().into_iter().flat_map(without_keywords);
        (name, formals.map(|formal| self.formal(formal)).collect())
    }

    fn formal(&mut self, pair: Pair<'_, Rule>) -> Formal {
        let mut parts = without_keywords(pair);
        let mut formal = Formal { name: self.next_ident(&mut parts), unit: None, default: None, range: None };
        for part in parts {
            match part.as_rule() {
                Rule::unit => formal.unit = Unit::from_text(part.as_str()),
                Rule::bounds => {
                    let mut ends = without_keywords(part);
                    formal.range = Some((self.next_value(&mut ends), self.next_value(&mut ends)));
                }
                _ => formal.default = Some(self.expr(part)),
            }
        }
        formal
    }

    fn block_definition(&mut self, kind: DefinitionKind, pair: Pair<'_, Rule>) -> Definition {
        let mut parts = pair.into_inner();
        let (name, formals) = match parts.next() {
            Some(head) => self.definition_head(head),
            None => (self.no_name(), Vec::new()),
        };
        let items = parts.next().map_or_else(Vec::new, |block| self.block(block));
        Definition { kind, name, formals, body: Body::Items(items) }
    }

    fn kit(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner();
        let name = parts.next().map_or_else(|| self.no_name(), |head| self.last_ident(head));
        let mut next = parts.next();
        let folder = next.take_if(|part| part.as_rule() == Rule::text).map(|text| self.quoted(text));
        let block = next.or_else(|| parts.next());
        ItemKind::Kit { name, folder, items: block.map_or_else(Vec::new, |block| self.block(block)) }
    }

    fn choke(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let (mut parts, mut over) = (vec![], None);
        for part in pair.into_inner().skip(1) {
            match part.as_rule() {
                Rule::over => over = Some(self.argument_of(part)),
                _ => parts.push(self.ident(&part)),
            }
        }
        ItemKind::Choke { parts, over }
    }

    fn preset(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut name = Quoted { text: "".into(), span: Span::new(self.source, self.base, self.base) };
        let mut settings = vec![];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => name = self.quoted(part),
                Rule::setting => {
                    let mut parts = part.into_inner();
                    let param = self.next_ident(&mut parts);
                    settings.push((param, self.next_value(&mut parts)));
                }
                _ => {}
            }
        }
        ItemKind::Preset { name, settings }
    }

    fn routes(&mut self, pair: Pair<'_, Rule>) -> Vec<Item> {
        pair.into_inner().filter(|part| part.as_rule() == Rule::route).map(|part| self.route(part)).collect()
    }

    /// A pair of rule `route`.
    pub(super) fn route(&mut self, pair: Pair<'_, Rule>) -> Item {
        let span = self.span(&pair);
        let doc = self.take_doc(span);
        let around = std::mem::take(&mut self.broken);
        let mut parts = without_keywords(pair);
        let source = self.next_value(&mut parts);
        let target = parts.next().into_iter().flat_map(Pair::into_inner);
        let target = target.map(|word| self.ident(&word)).collect();
        let depth = self.next_value(&mut parts);
        let mut route = Route { source, target, depth, scale: None, range: None };
        for part in parts {
            self.route_attribute(&mut route, part);
        }
        let broken = std::mem::replace(&mut self.broken, around);
        Item { doc, kind: if broken { ItemKind::Broken(None) } else { ItemKind::Route(route) }, span }
    }

    fn route_attribute(&mut self, route: &mut Route, part: Pair<'_, Rule>) {
        let span = self.span(&part);
        let again = if part.as_rule() == Rule::scale {
            let exp = part.as_str().trim_end().ends_with("exp");
            route.scale.replace(if exp { Scale::Exp } else { Scale::Linear }).is_some()
        } else {
            let mut ends = without_keywords(part);
            route.range.replace((self.next_value(&mut ends), self.next_value(&mut ends))).is_some()
        };
        if again {
            self.said_twice(span);
        }
    }

    fn said_twice(&mut self, span: Span) {
        let message = format!("`{}` is said twice", self.text_of(span));
        let problem = Problem::new(&codes::SAID_TWICE, span, message);
        self.problems.add(problem.help("take one of them away").fix(span, ""));
    }

    fn block(&mut self, pair: Pair<'_, Rule>) -> Vec<Item> {
        pair.into_inner().next().map_or_else(Vec::new, |items| self.items(items))
    }

    fn last_block(&mut self, pair: Pair<'_, Rule>) -> Vec<Item> {
        pair.into_inner().last().map_or_else(Vec::new, |block| self.block(block))
    }

    /// The word that ends a pair such as `input key`.
    pub(super) fn last_ident(&self, pair: Pair<'_, Rule>) -> Ident {
        let mut last = pair.into_inner().last().into_iter();
        self.next_ident(&mut last)
    }

    fn last_text(&self, pair: Pair<'_, Rule>) -> Quoted {
        let none = Quoted { text: "".into(), span: Span::new(self.source, self.base, self.base) };
        pair.into_inner().last().map_or(none, |text| self.quoted(text))
    }

    /// The expression after a keyword, such as `until x` or `smooth 5ms`.
    fn argument_of(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        self.next_value(&mut pair.into_inner().skip(1))
    }

    fn param(&mut self, pair: Pair<'_, Rule>) -> Param {
        let knob = pair.as_rule() == Rule::knob;
        let mut parts = without_keywords(pair).skip(1);
        let name = self.next_ident(&mut parts);
        let default = self.next_value(&mut parts);
        let mut param = Param {
            knob,
            name,
            default,
            range: None,
            words: vec![],
            fixed: false,
            curve_exp: false,
            step: false,
            smooth: None,
            cc: None,
        };
        for part in parts {
            self.attribute(&mut param, part);
        }
        param
    }

    fn attribute(&mut self, param: &mut Param, part: Pair<'_, Rule>) {
        let (span, rule) = (self.span(&part), part.as_rule());
        let again = match rule {
            Rule::curve => std::mem::replace(&mut param.curve_exp, true),
            Rule::step => std::mem::replace(&mut param.step, true),
            Rule::fixed => std::mem::replace(&mut param.fixed, true),
            Rule::words => {
                let words: Vec<Ident> = without_keywords(part).map(|word| self.ident(&word)).collect();
                param.words.extend(words);
                false
            }
            Rule::smooth => param.smooth.replace(self.argument_of(part)).is_some(),
            Rule::cc => param.cc.replace(self.argument_of(part)).is_some(),
            _ => {
                let mut ends = without_keywords(part);
                param.range = Some((self.next_value(&mut ends), self.next_value(&mut ends)));
                false
            }
        };
        if again {
            self.said_twice(span);
        }
    }

    fn midi(&mut self, pair: Pair<'_, Rule>) -> MidiNumbers {
        let mut parts = pair.into_inner().skip(1);
        let drum = parts.next().is_some_and(|word| word.as_rule() == Rule::drum_word);
        let ranges = parts.map(|range| {
            let mut ends = range.into_inner();
            (self.next_value(&mut ends), ends.next().map(|to| self.next_value(&mut std::iter::once(to))))
        });
        MidiNumbers { drum, ranges: ranges.collect() }
    }

    fn tempo(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner().skip(1);
        let bpm = self.next_value(&mut parts);
        let (mut to, mut at, mut until) = (None, None, None);
        if let Some(rest) = parts.next() {
            let ramp = rest.as_rule() == Rule::tempo_ramp;
            let mut parts = without_keywords(rest);
            to = ramp.then(|| self.next_value(&mut parts));
            at = Some(self.next_value(&mut parts));
            until = ramp.then(|| self.next_value(&mut parts));
        }
        ItemKind::Tempo { bpm, to, at, until }
    }

    fn meter(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = without_keywords(pair).skip(1);
        ItemKind::Meter { beats: self.next_value(&mut parts), unit: self.next_value(&mut parts) }
    }

    fn channels(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner().skip(1);
        let count = self.next_value(&mut parts);
        ItemKind::Channels { count, is_ambisonic: parts.next().is_some() }
    }

    fn swing(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = without_keywords(pair).skip(1);
        let amount = self.next_value(&mut parts);
        ItemKind::Swing { amount, of: parts.next().map(|of| self.value(of)) }
    }

    fn expect(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner().skip(1);
        let measure = self.next_ident(&mut parts);
        let (mut args, mut span) = (Vec::new(), measure.span);
        if let Some(arguments) = parts.next() {
            span = span.to(self.span(&arguments));
            args = arguments.into_inner().map(|argument| self.argument(argument)).collect();
        }
        let call = self.ast.add(Expr::Call { callee: measure, args }, span);
        let condition = parts.next().map(|condition| self.condition(condition));
        ItemKind::Expect(Expect { call, condition })
    }

    fn condition(&mut self, pair: Pair<'_, Rule>) -> Condition {
        let rule = pair.as_rule();
        let mut parts = pair.into_inner().filter(|part| part.as_rule() == Rule::value);
        let first = self.next_value(&mut parts);
        match rule {
            Rule::below => Condition::Below(first),
            Rule::above => Condition::Above(first),
            Rule::between => Condition::Between(first, self.next_value(&mut parts)),
            _ => Condition::Within { tolerance: first, of: self.next_value(&mut parts) },
        }
    }

    fn tuning(&mut self, pair: Pair<'_, Rule>) -> Tuning {
        let mut files = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => files.push(self.quoted(part)),
                Rule::whole => return Tuning::Equal(self.number(&part)),
                _ => {}
            }
        }
        let mut files = files.into_iter();
        let nothing = || Quoted { text: "".into(), span: Span::new(self.source, self.base, self.base) };
        Tuning::Files { scale: files.next().unwrap_or_else(nothing), keyboard: files.next() }
    }

    fn arrangement(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        ItemKind::Arrangement(pair.into_inner().skip(1).map(|part| self.part(part)).collect())
    }

    fn part(&mut self, pair: Pair<'_, Rule>) -> Part {
        let mut parts = pair.into_inner();
        let section = self.next_ident(&mut parts);
        Part { section, times: parts.next().map(|times| self.number(&times)) }
    }

    fn section(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner();
        let (name, length) = match parts.next() {
            Some(head) => self.section_head(head),
            None => (self.no_name(), self.nothing()),
        };
        let items = parts.next().map_or_else(Vec::new, |block| self.block(block));
        ItemKind::Section { name, length, items }
    }

    fn variation(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let mut parts = pair.into_inner();
        let (name, of) = match parts.next() {
            Some(head) => self.variation_head(head),
            None => (self.no_name(), self.no_name()),
        };
        let items = parts.next().map_or_else(Vec::new, |block| self.block(block));
        ItemKind::Variation { name, of, items }
    }

    /// A pair of rule `variation_head`.
    pub(super) fn variation_head(&mut self, pair: Pair<'_, Rule>) -> (Ident, Ident) {
        let mut parts = pair.into_inner().filter(|part| part.as_rule() == Rule::name);
        (self.next_ident(&mut parts), self.next_ident(&mut parts))
    }

    /// A pair of rule `section_head`.
    pub(super) fn section_head(&mut self, pair: Pair<'_, Rule>) -> (Ident, ExprId) {
        let mut parts = pair.into_inner().skip(1);
        (self.next_ident(&mut parts), self.next_value(&mut parts))
    }

    fn line(&mut self, pair: Pair<'_, Rule>) -> Line {
        let nothing = PatternText::Tab { bars: Vec::new(), by: None };
        let mut line = Line {
            target: Vec::new(),
            pattern: nothing,
            modifiers: Vec::new(),
            over: None,
            curve_exp: false,
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::target => line.target = part.into_inner().map(|word| self.ident(&word)).collect(),
                Rule::tab => line.pattern = self.tab(part),
                Rule::text => line.pattern = PatternText::Notation(self.quoted(part)),
                Rule::nothing => line.pattern = PatternText::Nothing(self.span(&part)),
                Rule::made => line.pattern = PatternText::Made(self.source_pattern(part)),
                Rule::by => self.by(&mut line.pattern, part),
                Rule::modifier => line.modifiers.push(self.modifier(part)),
                Rule::over => line.over = Some(self.argument_of(part)),
                _ => line.curve_exp = true,
            }
        }
        line
    }

    fn by(&mut self, pattern: &mut PatternText, pair: Pair<'_, Rule>) {
        if let (PatternText::Tab { by, .. }, Some(ratio)) = (pattern, pair.into_inner().nth(1)) {
            *by = Some(self.ratio(ratio));
        }
    }

    fn modifier(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let whole = self.span(&pair);
        let around = std::mem::replace(&mut self.in_modifier, true);
        let expr = self.named(pair);
        self.in_modifier = around;
        // The point is not part of it.
        self.ast.add(expr, Span { start: whole.start + 1, ..whole })
    }

    /// What stands in the place of a quoted pattern.
    fn source_pattern(&mut self, pair: Pair<'_, Rule>) -> ExprId {
        let span = self.span(&pair);
        let around = std::mem::replace(&mut self.in_modifier, true);
        let expr = self.named(pair);
        self.in_modifier = around;
        self.ast.add(expr, span)
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{a0}')
}
