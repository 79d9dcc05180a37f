//! The parts of the grammar's pairs.

use super::grammar::Rule;
use pest::iterators::Pair;

/// The parts that carry a meaning of their own.
pub(super) fn without_keywords<'i>(pair: Pair<'i, Rule>) -> impl Iterator<Item = Pair<'i, Rule>> {
    const KEYWORDS: [Rule; 16] = [
        Rule::oversample_word,
        Rule::assign,
        Rule::close,
        Rule::slash,
        Rule::chain_word,
        Rule::in_word,
        Rule::at_word,
        Rule::bar_word,
        Rule::bars_word,
        Rule::over_word,
        Rule::of_word,
        Rule::note_word,
        Rule::smooth_word,
        Rule::cc_word,
        Rule::by_word,
        Rule::arrow,
    ];
    pair.into_inner().filter(|part| !KEYWORDS.contains(&part.as_rule()))
}
