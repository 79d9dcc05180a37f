//! Words that an instrument without a pitch takes for hits, though they name other sounds: `"bd sd"` on a kick.

use super::codes::{REST_IS_A_HIT, WORD_IS_A_HIT};
use super::pitch::note_number;
use super::steps::words_of;
use super::values::rhythm;
use super::{Instrument, Meaning, Targets};
use mam_grammar::ast::Quoted;
use mam_grammar::foreign::{self, Foreign, Role};
use mam_grammar::mini::{Base, Notations, Word};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::FxHashSet;

/// Different words of a line that are looked at.
const MOST_WORDS: usize = 16;

/// Warns of the first word of a line of `of` that names another instrument, or of words that differ from each other.
pub(super) fn check(
    text: &Quoted,
    of: &Instrument,
    targets: &dyn Targets,
    notations: &Notations,
    problems: &mut Problems,
) {
    let Ok(group) = notations.parse(&text.text, text.span) else { return };
    let group = Base::Fast(group);
    let mut words = Vec::new();
    words_of(&group, &mut words);
    if let Some(problem) = rests(text, of, &words) {
        return problems.add(problem);
    }
    if let Some(problem) = tab(text, of, &words) {
        return problems.add(problem);
    }
    // A number is at most a pitch that is not heard, and `x` is a hit.
    let named = |word: &&&Word| &*word.text != "x" && *word.text != *of.name && word.number().is_none();
    let other =
        |word: &Word| matches!(targets.find(&[&word.text]), Meaning::Instrument(i) if i.index != of.index);
    let all = words.clone();
    let mut seen = FxHashSet::default();
    let first = |word: &&&Word| seen.insert(word.text.clone());
    let words: Vec<&Word> = words.iter().filter(named).filter(first).take(MOST_WORDS).copied().collect();
    let differs = || {
        let first = words.iter().find(|word| note_number(&word.text).is_none())?;
        words.iter().find(|word| word.text != first.text && note_number(&word.text).is_none())
    };
    let word = words.iter().find(|word| other(word)).or_else(differs);
    let Some(word) = word.or_else(|| words.iter().find(|word| sound(word, of).is_some())) else { return };
    let message = format!("`{}` plays a hit of its own for every word, also for `{}`", of.name, word.text);
    let problem = Problem::new(&WORD_IS_A_HIT, word.span, message);
    let alone = |named: &str| only(text, &all, named);
    problems.add(match other(word) {
        true => problem.help(format!(
            "give each its own line: `{} \"{}\"` and `{} \"{}\"`",
            of.name,
            alone(&of.name),
            word.text,
            alone(&word.text)
        )),
        false => {
            let with_line = "another sound is another instrument, with its own line";
            let example = sound(word, of).map_or(String::new(), |row| format!(": `{}`", row.example));
            problem.help(format!("write its hits as `x`, and rests for the others: {with_line}{example}"))
        }
    });
}

/// The instrument that a word stands for in other tools, where it is another one than `of`.
fn sound(word: &Word, of: &Instrument) -> Option<&'static Foreign> {
    let row = foreign::find(Role::Target, &word.text).filter(|_| note_number(&word.text).is_none());
    row.filter(|row| row.word != &*of.definition)
}

/// Drum tabs in quotes, each of which is a single hit there.
fn tab(text: &Quoted, of: &Instrument, words: &[&Word]) -> Option<Problem> {
    let steps = |word: &Word| match foreign::is_tab(&word.text) {
        true => Some(word.text.replace('~', ".")),
        false => foreign::tab_of_digits(&word.text),
    };
    let first = words.iter().find(|word| steps(word).is_some())?;
    let message = format!("`{}` plays `{}` as a single hit", of.name, first.text);
    let problem = Problem::new(&WORD_IS_A_HIT, first.span, message);
    let bars: Option<Vec<String>> = words.iter().map(|word| steps(word)).collect();
    let alone = words.len() == text.text.split_whitespace().count();
    // With the quotes.
    let whole = Span { start: text.span.start.saturating_sub(1), end: text.span.end + 1, ..text.span };
    Some(match bars.filter(|_| alone) {
        Some(bars) => {
            let tab = format!("|{}|", bars.join("|"));
            let help = format!("steps without white space stand between bars: `{} {tab}`", of.name);
            problem.help(help).guess(whole, tab)
        }
        None => problem.help("in quotes steps have white space between them: `\"x ~ x x\"`"),
    })
}

/// A rhythm of ones and zeros, of which the zeros are meant as rests.
fn rests(text: &Quoted, of: &Instrument, words: &[&Word]) -> Option<Problem> {
    let no_hit = |word: &Word| rhythm(word).is_ok_and(|value| value.number() == Some(0.0));
    let first = words.iter().find(|word| no_hit(word))?;
    if words.iter().any(|word| rhythm(word).is_err()) {
        return None;
    }
    let message = format!("`{}` plays a hit for every word, also for `{}`", of.name, first.text);
    let mended = with_rests(text, words, |word| !no_hit(word));
    let problem = Problem::new(&REST_IS_A_HIT, first.span, message);
    Some(problem.help(format!("a rest is `~`: write `\"{mended}\"`")).guess(text.span, mended))
}

/// The text of a pattern with rests for all words but one.
fn only(text: &Quoted, words: &[&Word], named: &str) -> String {
    with_rests(text, words, |word| &*word.text == named)
}

/// The text of a pattern with rests for all words that `stay` does not name.
fn with_rests(text: &Quoted, words: &[&Word], stay: impl Fn(&Word) -> bool) -> String {
    let start = text.span.start as usize;
    let mut out = String::new();
    let mut done = 0;
    for word in words.iter().filter(|word| !stay(word)) {
        let at = word.span.start as usize - start;
        out.push_str(&text.text[done..at]);
        out.push('~');
        done = word.span.end as usize - start;
    }
    out + &text.text[done..]
}
