//! One item after the other, so that a mistake hides no other.
//!
//! A file without mistakes is read in one go. Otherwise each item is read by itself; one that cannot be read but
//! has a block is taken apart into its head and the items of the block.

use super::build::{Builder, Docs};
use super::codes;
use super::depth;
use super::diagnose::Diagnosis;
use super::grammar::{MamParser, Rule};
use super::layout::{Layout, lay_out};
use super::mistakes;
use super::pieces::Pieces;
use super::scan::{Kind, Scanned, Token, scan};
use super::words::{RESERVED, STATEMENTS};
use crate::ast::{Ast, Body, Definition, DefinitionKind, Ident, Item, ItemKind};
use crate::foreign::{self, Role};
use crate::limits::Limits;
use crate::problem::{Problem, Problems, nearest};
use crate::source::{SourceId, Span};
use pest::Parser;
use std::ops::Range;

/// Reads a text of acceptable size.
pub(super) fn read(
    source: SourceId,
    text: &str,
    limits: &Limits,
    pieces: Option<&mut Pieces>,
) -> (Ast, Problems) {
    let scanned = scan(text);
    let mut problems = Problems::default();
    let mut words = scanned.tokens.iter().filter(|token| token.kind != Kind::Newline);
    if let Some(first_beyond) = words.nth(limits.tokens) {
        problems.add(too_many(source, first_beyond, limits));
        return (Ast::default(), problems);
    }
    let mut layout = lay_out(source, text, &scanned);
    layout.problems.iter().take(limits.problems).cloned().for_each(|problem| problems.add(problem));
    let mistakes = mistakes::find(source, text, &scanned, &mut layout, limits.problems);
    mistakes.into_iter().for_each(|problem| problems.add(problem));
    let deep = too_deep(source, text, &layout, limits, &mut problems);
    // Only whole characters have been replaced.
    let work = String::from_utf8(layout.text.clone()).unwrap_or_default();
    let mut ast = Ast::default();
    // About every second token is an expression.
    ast.reserve(layout.tokens.len() / 2);
    let builder = Builder {
        text,
        source,
        base: 0,
        broken: false,
        in_modifier: false,
        docs: docs(source, 0, &scanned),
        ast,
        problems: Problems::default(),
    };
    let most = limits.problems;
    let mut reader = Reader { layout, work, builder, problems, deep, unbraced: 0, most, pieces };
    let items = reader.file();
    reader.finish(items, &scanned)
}

/// Reads the items that stand in `part` of a text; none where there is a mistake.
pub(super) fn read_part(source: SourceId, text: &str, part: Range<usize>) -> Option<Ast> {
    let (piece, base) = (&text[part.clone()], part.start);
    let scanned = scan(piece);
    let layout = lay_out(source, piece, &scanned);
    let work = String::from_utf8(layout.text).ok()?;
    let docs = docs(source, base, &scanned);
    let (ast, problems) = (Ast::default(), Problems::default());
    let (broken, in_modifier) = (false, false);
    let mut builder = Builder { text, source, base, broken, in_modifier, docs, ast, problems };
    let items = MamParser::parse(Rule::file, &work).ok()?.next()?.into_inner().next()?;
    builder.ast.items = builder.items(items);
    builder.ast.comments = builder.docs.into_values().flatten().collect();
    (layout.problems.is_empty() && builder.problems.is_empty()).then_some(builder.ast)
}

fn docs(source: SourceId, base: usize, scanned: &Scanned) -> Docs {
    let mut docs = Docs::new();
    for &(start, end, item) in &scanned.docs {
        docs.entry(base + item).or_default().push(Span::new(source, base + start, base + end));
    }
    docs
}

fn too_many(source: SourceId, token: &Token, limits: &Limits) -> Problem {
    let message = format!("the file has more than {} words and marks, the limit `tokens`", limits.tokens);
    Problem::new(&codes::FILE_TOO_LARGE, Span::new(source, token.start, token.end), message)
        .here("this is one too many")
        .help("split it into several files, and bring the definitions in with `use`")
}

/// The bytes at which something stands too deep, each reported.
fn too_deep(
    source: SourceId,
    text: &str,
    layout: &Layout,
    limits: &Limits,
    problems: &mut Problems,
) -> Vec<usize> {
    let found = depth::too_deep(text, &layout.tokens, &layout.partner, limits.nesting);
    for &index in found.iter().take(limits.problems) {
        let token = layout.tokens[index];
        let message = format!("this stands more than {} levels deep", limits.nesting);
        let problem = Problem::new(&codes::TOO_DEEP, Span::new(source, token.start, token.end), message)
            .help("give a part of it a name, in an equation of its own");
        problems.add(problem);
    }
    found.into_iter().map(|index| layout.tokens[index].start).collect()
}

/// The words that begin an item with a block.
const BLOCKS: [&str; 6] = ["def", "instrument", "effect", "play", "section", "matrix"];

/// The one of them that may be a name as well.
const MATRIX: &str = "matrix";

/// Blocks without braces within one another that are taken for blocks.
const MOST_UNBRACED: usize = 6;

struct Reader<'a> {
    layout: Layout,
    /// The laid out text.
    work: String,
    builder: Builder<'a>,
    problems: Problems,
    /// Bytes that stand too deep: what holds one is not given to the grammar.
    deep: Vec<usize>,
    /// Blocks without braces around what is read now.
    unbraced: usize,
    /// When this many problems have been found, no more are looked for.
    most: usize,
    /// What was read of a version before; `None` where there is no other version.
    pieces: Option<&'a mut Pieces>,
}

impl Reader<'_> {
    fn file(&mut self) -> Vec<Item> {
        if self.pieces.is_none()
            && self.problems.is_empty()
            && let Ok(mut pairs) = MamParser::parse(Rule::file, &self.work.clone())
        {
            let items = pairs.next().and_then(|file| file.into_inner().next());
            return items.map_or_else(Vec::new, |items| self.builder.items(items));
        }
        self.items(0..self.layout.tokens.len())
    }

    fn finish(mut self, items: Vec<Item>, scanned: &Scanned) -> (Ast, Problems) {
        self.problems.extend(self.builder.problems);
        let mut ast = self.builder.ast;
        ast.items = items;
        ast.comments = scanned.comments.iter().map(|&(a, b)| Span::new(self.builder.source, a, b)).collect();
        ast.comments.extend(self.builder.docs.into_values().flatten());
        ast.comments.sort_unstable();
        (ast, self.problems)
    }

    fn items(&mut self, tokens: Range<usize>) -> Vec<Item> {
        let all = self.layout.items(tokens);
        let (mut items, mut at) = (Vec::with_capacity(all.len()), 0);
        while at < all.len() {
            let inner = self.indented(&all[at..]);
            items.push(match inner {
                0 => self.item(all[at].clone()),
                _ => self.unbraced(all[at].clone(), all[at + 1].start..all[at + inner].end),
            });
            at += 1 + inner;
        }
        items
    }

    /// How many items after the first are its block by their indentation alone: it is a head without braces.
    fn indented(&self, items: &[Range<usize>]) -> usize {
        let (head, rest) = match items {
            [head, rest @ ..] if BLOCKS.contains(&self.word(head.start)) && !rest.is_empty() => (head, rest),
            _ => return 0,
        };
        let between = self.layout.tokens[head.end - 1].end..self.layout.tokens[rest[0].start].start;
        if self.unbraced > MOST_UNBRACED || !self.builder.text[between].contains('\n') {
            return 0;
        }
        let column = self.layout.column(self.builder.text, head.start);
        let deeper = |item: &&Range<usize>| {
            let line = self.layout.tokens[head.end - 1].end..self.layout.tokens[item.start].start;
            self.builder.text[line].contains('\n')
                && self.layout.column(self.builder.text, item.start) > column
        };
        if !deeper(&&rest[0]) || self.head_text(head).is_none() {
            return 0;
        }
        rest.iter().take_while(deeper).count()
    }

    /// The bytes of a head, without a `:` at its end; none where it is not one.
    fn head_text(&self, head: &Range<usize>) -> Option<Range<usize>> {
        let colon = self.layout.tokens[head.end - 1].is(":");
        let bytes = self.layout.bytes(&(head.start..head.end - usize::from(colon)));
        let piece = &self.work[bytes.clone()];
        (!self.is_deep(&bytes) && MamParser::parse(Rule::head, piece).is_ok()).then_some(bytes)
    }

    /// A head without braces, and the items that are indented below it.
    fn unbraced(&mut self, head: Range<usize>, inner: Range<usize>) -> Item {
        let Some(bytes) = self.head_text(&head) else { return self.item(head) };
        let (source, text) = (self.builder.source, self.builder.text);
        let end = self.layout.tokens[inner.end - 1].end;
        let span = Span::new(source, bytes.start, end);
        let doc = self.builder.take_doc(Span::new(source, bytes.start, bytes.end));
        let (word, from) = (self.word(head.start), self.layout.tokens[head.end - 1].end);
        let indent = " ".repeat(self.layout.column(text, head.start));
        let problem =
            Problem::new(&codes::NO_BRACES, Span::new(source, bytes.start, bytes.end), format!("the block of this `{word}` has no braces"))
                .help("put `{` after this line and `}` after the last line of the block; indentation alone means nothing")
                .fix(Span::new(source, bytes.end, end), format!(" {{{}\n{indent}}}", &text[from..end]));
        self.problems.add(problem);
        let piece = self.work[bytes.clone()].to_owned();
        let kind = MamParser::parse(Rule::head, &piece).ok().and_then(|mut pairs| {
            self.builder.base = bytes.start;
            let head = pairs.next().and_then(|head| head.into_inner().next())?;
            self.unbraced += 1;
            let kind = self.head(head, inner);
            self.unbraced -= 1;
            kind
        });
        Item { doc, kind: kind.unwrap_or(ItemKind::Broken(None)), span }
    }

    fn item(&mut self, tokens: Range<usize>) -> Item {
        let bytes = self.layout.bytes(&tokens);
        if self.count() >= self.most {
            let span = Span::new(self.builder.source, bytes.start, bytes.end);
            return Item { doc: None, kind: ItemKind::Broken(self.name_of(&tokens)), span };
        }
        let error = match self.try_item(&bytes) {
            Ok(item) => return item,
            Err(error) => error,
        };
        let span = Span::new(self.builder.source, bytes.start, bytes.end);
        let doc = self.builder.take_doc(span);
        let before = self.count();
        if self.misspelt(&tokens) {
            return Item { doc, kind: ItemKind::Broken(self.second_name(&tokens)), span };
        }
        let kind = self.block_item(&tokens);
        if kind.is_none() {
            self.inner_bodies(&tokens);
        }
        if self.count() == before && !self.is_known_broken(&bytes) {
            self.diagnose(tokens.clone(), error.as_deref(), Rule::one);
        }
        Item { doc, kind: kind.unwrap_or_else(|| ItemKind::Broken(self.name_of(&tokens))), span }
    }

    fn count(&self) -> usize {
        self.problems.len() + self.builder.problems.len()
    }

    /// True when the reason why an item cannot be read has been reported.
    fn is_known_broken(&self, bytes: &Range<usize>) -> bool {
        self.layout.is_broken(bytes) || self.is_deep(bytes)
    }

    fn is_deep(&self, bytes: &Range<usize>) -> bool {
        let first = self.deep.partition_point(|&at| at < bytes.start);
        self.deep.get(first).is_some_and(|&at| at < bytes.end)
    }

    /// The item that stands in `bytes`; where there is none, the error of the grammar, if it was asked.
    fn try_item(&mut self, bytes: &Range<usize>) -> Result<Item, Option<Box<pest::error::Error<Rule>>>> {
        if self.is_deep(bytes) {
            return Err(None);
        }
        if let Some(item) = self.known_item(bytes) {
            return Ok(item);
        }
        let piece = self.work[bytes.clone()].to_owned();
        let mut pairs = MamParser::parse(Rule::one, &piece).map_err(|error| Some(Box::new(error)))?;
        self.builder.base = bytes.start;
        let item = pairs.next().and_then(|one| one.into_inner().next()).ok_or(None)?;
        let before = (self.builder.ast.exprs.len(), self.builder.problems.added());
        let inside = self.builder.docs.range(bytes.start + 1..bytes.end.max(bytes.start + 1));
        let docs: Vec<usize> = inside.map(|(&at, _)| at).collect();
        let item = self.builder.item(item);
        self.keep_item(bytes, &item, before, docs);
        Ok(item)
    }

    /// The item that stands in `bytes`, where it has been read before.
    fn known_item(&mut self, bytes: &Range<usize>) -> Option<Item> {
        let Builder { text, source, docs, ast, .. } = &mut self.builder;
        let pieces = self.pieces.as_deref_mut()?;
        let mut item = pieces.find((text, &self.work), bytes, docs, *source, ast)?;
        item.doc = self.builder.take_doc(item.span);
        Some(item)
    }

    /// Keeps an item in which nothing is wrong for the next version; `docs` are the places of the documentation inside it.
    fn keep_item(
        &mut self,
        bytes: &Range<usize>,
        item: &Item,
        (exprs, problems): (usize, usize),
        docs: Vec<usize>,
    ) {
        let Builder { ast, problems: found, docs: left, .. } = &self.builder;
        if let Some(pieces) = self.pieces.as_deref_mut().filter(|_| found.added() == problems) {
            let taken = docs.into_iter().filter(|at| !left.contains_key(at)).map(|at| at - bytes.start);
            pieces.keep(ast, exprs, bytes.start, item, taken.collect());
        }
    }

    fn diagnose(&mut self, tokens: Range<usize>, error: Option<&pest::error::Error<Rule>>, rule: Rule) {
        if self.count() >= self.most {
            return;
        }
        let diagnosis = Diagnosis {
            source: self.builder.source,
            text: self.builder.text,
            layout: &self.layout,
            tokens,
            rule,
        };
        let problem = diagnosis.problem(error);
        self.problems.add(problem);
    }

    /// Reports an item that begins with a word like a keyword; what stands in its block is read for its problems.
    fn misspelt(&mut self, tokens: &Range<usize>) -> bool {
        let keywords = [&BLOCKS[..], &STATEMENTS[..]].concat();
        let (word, token) = (self.word(tokens.start), self.layout.tokens[tokens.start]);
        if word.is_empty() || RESERVED.contains(&word) || STATEMENTS.contains(&word) || tokens.len() < 2 {
            return false;
        }
        let next = &self.layout.tokens[tokens.start + 1];
        let like_head = matches!(next.kind, Kind::Word | Kind::Number) || next.is("{");
        let Some(meant) = nearest(word, &keywords).filter(|_| like_head) else { return false };
        let span = Span::new(self.builder.source, token.start, token.end);
        let problem = Problem::new(&codes::MISSPELT_KEYWORD, span, format!("no item begins with `{word}`"))
            .here(format!("did you mean `{meant}`?"))
            .help(format!("write `{meant}`; an equation has a `=` after its name"))
            .guess(span, meant);
        self.problems.add(problem);
        if let Some(open) = self.block(tokens) {
            self.items(open + 1..self.layout.partner[open]);
        }
        true
    }

    /// The word after the first.
    fn second_name(&self, tokens: &Range<usize>) -> Option<Ident> {
        let token = self.layout.tokens.get(tokens.start + 1)?;
        let name = self.word(tokens.start + 1);
        (!name.is_empty()).then(|| Ident::new(name, Span::new(self.builder.source, token.start, token.end)))
    }

    /// An item with a block, whose head can be read: its inner items are read one by one.
    fn block_item(&mut self, tokens: &Range<usize>) -> Option<ItemKind> {
        let word = self.word(tokens.start);
        if !BLOCKS.contains(&word) {
            return None;
        }
        let open = self.block(tokens)?;
        if word == "def" && !self.begins_with_equation(open + 1) || word == MATRIX && open != tokens.start + 1
        {
            return None;
        }
        let head = tokens.start..open;
        let bytes = self.layout.bytes(&head);
        let inner = open + 1..self.layout.partner[open];
        let piece = self.work[bytes.clone()].to_owned();
        if self.is_deep(&bytes) {
            return None;
        }
        match MamParser::parse(Rule::head, &piece) {
            Ok(mut pairs) => {
                self.builder.base = bytes.start;
                let head = pairs.next().and_then(|head| head.into_inner().next())?;
                self.head(head, inner)
            }
            Err(error) => {
                if !self.layout.is_broken(&bytes) {
                    self.diagnose(head, Some(&error), Rule::head);
                }
                self.items(inner);
                None
            }
        }
    }

    fn head(&mut self, head: pest::iterators::Pair<'_, Rule>, inner: Range<usize>) -> Option<ItemKind> {
        let kind = match head.as_rule() {
            Rule::def_head => DefinitionKind::Def,
            Rule::instrument_head => DefinitionKind::Instrument,
            Rule::effect_head => DefinitionKind::Effect,
            Rule::section_head => {
                let (name, length) = self.builder.section_head(head);
                return Some(ItemKind::Section { name, length, items: self.items(inner) });
            }
            Rule::variation_head => {
                let (name, of) = self.builder.variation_head(head);
                return Some(ItemKind::Variation { name, of, items: self.items(inner) });
            }
            Rule::matrix_word => return Some(ItemKind::Matrix(self.routes(inner))),
            _ => return Some(ItemKind::Play(self.items(inner))),
        };
        let (name, formals) = self.builder.definition_head(head);
        let body = Body::Items(self.items(inner));
        Some(ItemKind::Definition(Definition { kind, name, formals, body }))
    }

    /// The lines of a matrix, each read by itself.
    fn routes(&mut self, tokens: Range<usize>) -> Vec<Item> {
        self.layout.items(tokens).into_iter().map(|route| self.route(route)).collect()
    }

    fn route(&mut self, tokens: Range<usize>) -> Item {
        let bytes = self.layout.bytes(&tokens);
        let span = Span::new(self.builder.source, bytes.start, bytes.end);
        let mut error = None;
        if !self.is_deep(&bytes) && self.count() < self.most {
            let piece = self.work[bytes.clone()].to_owned();
            match MamParser::parse(Rule::one_route, &piece) {
                Ok(mut pairs) => {
                    self.builder.base = bytes.start;
                    if let Some(route) = pairs.next().and_then(|one| one.into_inner().next()) {
                        return self.builder.route(route);
                    }
                }
                Err(found) => error = Some(found),
            }
        }
        let doc = self.builder.take_doc(span);
        if !self.is_known_broken(&bytes) {
            self.diagnose(tokens, error.as_ref(), Rule::one_route);
        }
        Item { doc, kind: ItemKind::Broken(None), span }
    }

    /// The brace that opens an item's block, where the block ends the item.
    fn block(&self, tokens: &Range<usize>) -> Option<usize> {
        let mut at = tokens.start;
        while at < tokens.end {
            let after = self.layout.after(at).max(at + 1);
            if self.layout.tokens[at].is("{") {
                return (after >= tokens.end).then_some(at);
            }
            at = after;
        }
        None
    }

    /// Reads the equations in the braces of a broken item's `sum`s and `chain`s for their problems.
    fn inner_bodies(&mut self, tokens: &Range<usize>) {
        let mut at = tokens.start;
        while at < tokens.end {
            if self.layout.tokens[at].is("{") && self.begins_with_equation(at + 1) {
                // What stands in these braces is taken apart there, once.
                let end = self.layout.partner[at].min(tokens.end);
                for item in self.layout.items(at + 1..end) {
                    self.item(item);
                }
                at = end.max(at + 1);
            } else {
                at += 1;
            }
        }
    }

    fn begins_with_equation(&self, at: usize) -> bool {
        let tokens = &self.layout.tokens;
        tokens.get(at).is_some_and(|t| t.kind == Kind::Word) && tokens.get(at + 1).is_some_and(|t| t.is("="))
    }

    fn word(&self, at: usize) -> &str {
        match self.layout.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => token.text(self.builder.text),
            _ => "",
        }
    }

    /// The name that a broken item would have defined.
    fn name_of(&self, tokens: &Range<usize>) -> Option<Ident> {
        let definer = matches!(
            self.word(tokens.start),
            "def" | "instrument" | "effect" | "section" | "param" | "knob" | "input"
        );
        let foreign = foreign::find(Role::Statement, self.word(tokens.start));
        let definer = definer
            || foreign.is_some_and(|row| {
                let named = self.layout.tokens.get(tokens.start + 2).is_some_and(|token| token.is("="));
                BLOCKS.contains(&row.word) || row.word == "knob" || named
            });
        let named =
            if self.begins_with_equation(tokens.start) || !definer { tokens.start } else { tokens.start + 1 };
        let name = self.word(named);
        if name.is_empty() || named >= tokens.end {
            return None;
        }
        let token = self.layout.tokens[named];
        Some(Ident::new(name, Span::new(self.builder.source, token.start, token.end)))
    }
}
