//! Drum tabs: their bars, and what stands between bar lines that is none of their steps.

use super::build::Builder;
use super::codes;
use super::grammar::Rule;
use crate::ast::{PatternText, Quoted};
use crate::float;
use crate::foreign;
use crate::problem::Problem;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    /// A drum tab; what stands in it that is not one is told.
    pub(super) fn tab(&mut self, pair: Pair<'_, Rule>) -> PatternText {
        let (start, length) = (self.base + pair.as_span().start(), pair.as_str().len());
        let whole = Span::new(self.source, start, start + length);
        let bars = pair.into_inner().map(|bar| {
            let start = self.base + bar.as_span().start();
            let span = Span::new(self.source, start, start + bar.as_str().len());
            Quoted { text: self.text_of(span).into(), span }
        });
        let bars: Vec<Quoted> = bars.collect();
        match self.notes_between_bars(&bars, whole) {
            Some(problem) => self.problems.add(problem),
            None => bars.iter().for_each(|bar| self.check_bar(bar)),
        }
        PatternText::Tab { bars, by: None }
    }

    /// The problem of a tab, `whole`, whose bars hold notes or numbers that stand apart: steps of a pattern in quotes.
    fn notes_between_bars(&self, bars: &[Quoted], whole: Span) -> Option<Problem> {
        let wrong = |bar: &Quoted| {
            let found = bar.text.char_indices().find(|(_, c)| !TAB_CHARACTERS.contains(*c));
            found.map(|(at, c)| (c, bar.span.start as usize + at))
        };
        let (c, at) = bars.iter().find_map(wrong)?;
        let words = || bars.iter().flat_map(|bar| bar.text.split_whitespace());
        let rest = |word: &str| word.chars().all(|c| ".-~_".contains(c));
        let notes = words().any(foreign::is_note);
        // Ones and zeros, or digits that touch, are steps of a tab.
        let numbers = words().any(|word| !rest(word) && !matches!(word, "0" | "1"));
        let apart = words().count() > bars.len();
        let step = |word: &str| foreign::is_note(word) || rest(word) || float::parse(word).is_some();
        if !words().all(step) || !(notes || numbers && apart) {
            return None;
        }
        let steps = |bar: &Quoted| {
            let words = bar.text.split_whitespace();
            let rests = |word: &str| vec!["~"; word.len()].join(" ");
            let only_rests = |word: &str| word.chars().all(|c| ".-".contains(c));
            let words = words.map(|word| if only_rests(word) { rests(word) } else { word.to_owned() });
            words.collect::<Vec<_>>().join(" ")
        };
        let meant = match bars {
            [bar] => format!("\"{}\"", steps(bar)),
            _ => {
                let bars: Vec<String> = bars.iter().map(|bar| format!("[{}]", steps(bar))).collect();
                format!("\"<{}>\"", bars.join(" "))
            }
        };
        let message = format!("`{c}` is not a step of a drum tab");
        let problem =
            Problem::new(&codes::TAB_CHARACTER, Span::new(self.source, at, at + c.len_utf8()), message);
        let levels = match notes {
            true => String::new(),
            false => {
                let bars: Vec<String> = bars.iter().map(|bar| drum_steps(&bar.text)).collect();
                format!(
                    "; as hits, each so many tenths loud, with rests for the zeros: `|{}|`",
                    bars.join("|")
                )
            }
        };
        let help = format!("notes, their numbers and degrees of a scale stand in quotes: `{meant}`{levels}");
        Some(problem.help(help).guess(whole, meant))
    }

    /// Each character of a bar is a hit, a rest or a hold. Several others in one bar are one mistake.
    fn check_bar(&mut self, bar: &Quoted) {
        const HELP: &str = "a tab holds `x` hit, `X` accent, `o` ghost, `1` to `9` tenths, `.` or `-` rest, `_` hold, and spaces";
        let step = |c: char| TAB_CHARACTERS.contains(c);
        let mut wrong = bar.text.char_indices().filter(|(_, c)| !step(*c));
        let Some((at, first)) = wrong.next() else { return };
        let place = |at: usize, c: char| {
            let start = bar.span.start as usize + at;
            Span::new(self.source, start, start + c.len_utf8())
        };
        let message = format!("`{first}` is not a step of a drum tab");
        let mut problem = Problem::new(&codes::TAB_CHARACTER, place(at, first), message);
        for (at, c) in wrong.take(MOST_MARKED) {
            problem = problem.label(place(at, c), "");
        }
        let meant = drum_steps(&bar.text);
        self.problems.add(problem.help(format!("{HELP}: `|{meant}|`")).guess(bar.span, meant));
    }
}

/// A bar of another notation as steps of a drum tab: others write a letter for the drum, and other rests.
fn drum_steps(bar: &str) -> String {
    let step = |c: char| match c {
        _ if TAB_CHARACTERS.contains(c) => c,
        '0' | '~' | ',' | ':' | '·' | '•' | '–' | '—' | '\'' => '.',
        _ => 'x',
    };
    bar.chars().map(step).collect()
}

/// Characters that the message of one bar marks.
const MOST_MARKED: usize = 32;

/// What may stand between two bar lines.
pub const TAB_CHARACTERS: &str = "xXo123456789.-_ \t";
