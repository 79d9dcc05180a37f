//! What is written beside the lines: what equations measure and cost, and how sections are played.

use crate::analysis::Analysis;
use mam_compiler::hir::query::Symbol;
use mam_compiler::ir::Rate;
use mam_grammar::ast::{Ident, ItemKind};
use mam_grammar::{SourceId, Span};

/// A few words beside a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The byte behind which they stand.
    pub byte: usize,
    /// The words: `mono, a frequency · audio rate · 42 operations`.
    pub label: String,
}

/// Something to be played from its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Where it stands in the text.
    pub span: Span,
    /// What is offered, as the editor shows it.
    pub title: String,
    /// The bar from which is played, from 1, where it is not the song's beginning.
    pub bar: Option<u64>,
}

/// How often a value changes, in words.
pub(crate) fn rate_word(rate: Rate) -> &'static str {
    match rate {
        Rate::Const => "constant",
        Rate::Segment => "changes at events",
        Rate::Call => "control rate",
        Rate::Sample => "audio rate",
    }
}

impl Analysis {
    /// For each equation of the song that touches a span: what it measures, how often it changes, and the operations a frame
    /// that it takes.
    pub fn hints(&self, source: SourceId, span: Span) -> Vec<Hint> {
        if source != self.song || self.is_json() {
            return vec![];
        }
        let Some(ast) = self.ast(source) else { return vec![] };
        let names = ast.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Equation { name, .. } => Some(name),
            _ => None,
        });
        let near = names.filter(|name| name.span.start <= span.end && span.start <= name.span.end);
        near.filter_map(|name| self.hint(source, name)).collect()
    }

    fn hint(&self, source: SourceId, name: &Ident) -> Option<Hint> {
        let (symbol, _) = self.symbol_at(source, name.span.range().start)?;
        let Symbol::Local(..) = symbol else { return None };
        let ty = self.query()?.hover(symbol).ty.map(|ty| ty.to_string());
        let cost = self.costs().get(&name.name);
        let rate = cost.and_then(|cost| cost.rate).map(|rate| rate_word(rate).to_owned());
        // What is computed together is counted once: at the equation that others read.
        let own = cost.filter(|cost| cost.with.is_empty() || cost.rate.is_some());
        let operations = own.map(|cost| format!("{} operations", cost.operations));
        let facts: Vec<String> = ty.into_iter().chain(rate).chain(operations).collect();
        let label = facts.join(" · ");
        (!label.is_empty()).then_some(Hint { byte: name.span.range().end, label })
    }

    /// What can be played from where: the song, and each section, from the bar at which it is first heard.
    pub fn lenses(&self) -> Vec<Lens> {
        let Some(ast) = self.ast(self.song).filter(|_| !self.is_json()) else { return vec![] };
        let mut lenses = vec![];
        for item in &ast.items {
            let head = Span { end: item.span.start, ..item.span };
            match &item.kind {
                ItemKind::Play(_) | ItemKind::Arrangement(_) => {
                    lenses.push(Lens { span: head, title: "▶ play".into(), bar: None });
                }
                ItemKind::Section { name, .. } | ItemKind::Variation { name, .. } => {
                    let bar = self.section_bar(&name.name);
                    lenses.extend(bar.map(|bar| {
                        let title = format!("▶ play {name} (bar {bar})");
                        Lens { span: head, title, bar: Some(bar) }
                    }));
                }
                _ => {}
            }
        }
        lenses
    }

    /// The bar, from 1, at which a section is first heard.
    fn section_bar(&self, name: &str) -> Option<u64> {
        let mark = self.compilation.stages.marks.iter().find(|mark| *mark.name == *name)?;
        u64::try_from(mark.start.floor()).ok().map(|bar| bar + 1)
    }
}
