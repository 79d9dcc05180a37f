//! What a file consists of: its outline, and what can be folded.

use crate::analysis::Analysis;
use mam_grammar::ast::{Body, Definition, DefinitionKind, Ident, Item, ItemKind};
use mam_grammar::syntax::tokens;
use mam_grammar::{SourceId, Span};

/// The kind of an entry of the outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// An equation.
    Equation,
    /// A knob of the song, or a parameter of a definition.
    Parameter,
    /// A `def`.
    Function,
    /// An instrument.
    Instrument,
    /// An effect.
    Effect,
    /// A section of the score, or `play`.
    Section,
    /// A line of the score.
    Line,
}

/// An entry of a file's outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSymbol {
    /// Its name in the outline.
    pub name: String,
    /// A few words on it, may be empty.
    pub detail: String,
    /// The kind of thing that it is.
    pub kind: SymbolKind,
    /// The bytes of all of it.
    pub span: Span,
    /// The bytes of its name.
    pub selection: Span,
    /// What stands in it.
    pub children: Vec<DocumentSymbol>,
}

/// Something that can be folded: from the first line of the span to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Its bytes, which are of more than one line.
    pub span: Span,
    /// True where it is comments.
    pub comment: bool,
}

impl Analysis {
    /// The outline of a text of the user's, in the order in which it is written.
    pub fn symbols(&self, source: SourceId) -> Vec<DocumentSymbol> {
        if self.is_json() {
            return vec![];
        }
        self.ast(source).map_or_else(Vec::new, |ast| self.entries(&ast.items))
    }

    fn entries(&self, items: &[Item]) -> Vec<DocumentSymbol> {
        items.iter().filter_map(|item| self.entry(item)).collect()
    }

    fn entry(&self, item: &Item) -> Option<DocumentSymbol> {
        let named = |name: &Ident, kind| {
            let (name, selection) = (name.name.to_string(), name.span);
            let (detail, children) = (String::new(), vec![]);
            Some(DocumentSymbol { name, detail, kind, span: item.span, selection, children })
        };
        let with = |symbol: Option<DocumentSymbol>, detail: &str, children| {
            symbol.map(|symbol| DocumentSymbol { detail: detail.into(), children, ..symbol })
        };
        match &item.kind {
            ItemKind::Equation { name, .. } => named(name, SymbolKind::Equation),
            ItemKind::Param(param) => {
                let detail = if param.knob { "knob" } else { "param" };
                with(named(&param.name, SymbolKind::Parameter), detail, vec![])
            }
            ItemKind::Input(name) => with(named(name, SymbolKind::Parameter), "input", vec![]),
            ItemKind::Definition(definition) => {
                let (kind, detail) = kind_of(definition);
                let children = match &definition.body {
                    Body::Items(items) => self.entries(items),
                    Body::Expr(_) => vec![],
                };
                with(named(&definition.name, kind), detail, children)
            }
            ItemKind::Section { name, items, .. } | ItemKind::Variation { name, items, .. } => {
                with(named(name, SymbolKind::Section), "section", self.entries(items))
            }
            ItemKind::Play(items) => {
                let word = Ident::new("play", Span { end: item.span.start + 4, ..item.span });
                with(named(&word, SymbolKind::Section), "", self.entries(items))
            }
            ItemKind::Line(line) => {
                let (first, last) = (line.target.first()?, line.target.last()?);
                let words: Vec<&str> = line.target.iter().map(|word| &*word.name).collect();
                named(&Ident::new(&words.join("."), first.span.to(last.span)), SymbolKind::Line)
            }
            ItemKind::Broken(Some(name)) if item.span.source == name.span.source => {
                named(name, SymbolKind::Equation)
            }
            _ => None,
        }
    }

    /// What can be folded in a text: items and comments of several lines.
    pub fn folds(&self, source: SourceId) -> Vec<Fold> {
        if self.is_json() {
            return vec![];
        }
        let text = self.text(source);
        let mut folds = vec![];
        self.ast(source).into_iter().for_each(|ast| item_folds(&ast.items, (source, text), &mut folds));
        let found = tokens(text);
        let docs = found.docs.iter().map(|&(start, end, _)| (start, end));
        let mut comments: Vec<(usize, usize)> = found.comments.iter().copied().chain(docs).collect();
        comments.sort_unstable();
        let mut runs: Vec<(usize, usize)> = vec![];
        for (start, end) in comments {
            match runs.last_mut() {
                Some(run) if text[run.1..start].trim().is_empty() && !has_blank_line(&text[run.1..start]) => {
                    run.1 = end;
                }
                _ => runs.push((start, end)),
            }
        }
        let several = runs.into_iter().filter(|&(start, end)| text[start..end].contains('\n'));
        folds.extend(several.map(|(start, end)| Fold { span: Span::new(source, start, end), comment: true }));
        folds.sort_by_key(|fold| fold.span);
        folds
    }
}

fn has_blank_line(between: &str) -> bool {
    between.matches('\n').count() > 1
}

fn item_folds(items: &[Item], (source, text): (SourceId, &str), folds: &mut Vec<Fold>) {
    // What is written out of a kit of the prelude stands in another text.
    for item in items.iter().filter(|item| item.span.source == source) {
        if text[item.span.range()].contains('\n') {
            folds.push(Fold { span: item.span, comment: false });
        }
        match &item.kind {
            ItemKind::Definition(Definition { body: Body::Items(items), .. })
            | ItemKind::Play(items)
            | ItemKind::Section { items, .. }
            | ItemKind::Variation { items, .. } => item_folds(items, (source, text), folds),
            _ => {}
        }
    }
}

fn kind_of(definition: &Definition) -> (SymbolKind, &'static str) {
    match definition.kind {
        DefinitionKind::Def => (SymbolKind::Function, "def"),
        DefinitionKind::Instrument => (SymbolKind::Instrument, "instrument"),
        DefinitionKind::Effect => (SymbolKind::Effect, "effect"),
    }
}
