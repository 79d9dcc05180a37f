//! Lines that are written as rests alone: silent on purpose, or not yet written.

use super::steps::words_of;
use mam_grammar::ast::{PatternText, Quoted};
use mam_grammar::mini::{Base, Notations};

/// How a line is written that has no steps but rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rests {
    /// In quotes, which says that it is to be silent.
    OnPurpose,
    /// As a tab, in which hits may still be missing.
    AsTab,
}

/// Whether a line is written as rests alone, and how.
pub(super) fn rests(pattern: &PatternText, notations: &Notations) -> Option<Rests> {
    match pattern {
        PatternText::Notation(text) => {
            // What has letters has a word.
            let group = Some(text).filter(|text| !text.text.contains(char::is_alphabetic));
            let group = Base::Fast(notations.parse(&group?.text, text.span).ok()?);
            let mut words = Vec::new();
            words_of(&group, &mut words);
            words.is_empty().then_some(Rests::OnPurpose)
        }
        PatternText::Tab { bars, .. } => {
            let hit = |bar: &Quoted| bar.text.contains(|c: char| c.is_alphanumeric());
            (!bars.iter().any(hit)).then_some(Rests::AsTab)
        }
        PatternText::Made(_) | PatternText::Nothing(_) => None,
    }
}
