//! Reading one line, or taking what is known of it.

use super::arguments::without_steps;
use super::cache::{self, ReadLine};
use super::compose::Composer;
use super::reading::{Modifier, Player};
use super::rests::rests;
use super::words::Words;
use mam_grammar::ast::{Line as Written, PatternText};
use mam_grammar::{Problems, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::Pattern;
use mam_runtime::score::pattern::SourceShift;

impl Composer<'_> {
    /// What a line plays. One that is written as in a version before is not read again.
    pub(super) fn read(
        &mut self,
        line: &Written,
        span: Span,
        words: Words,
        seed: u64,
        player: Player,
    ) -> ReadLine {
        let Composer { ast, meter, .. } = *self;
        let key = cache::Line { ast, line, start: span.start, words, meter, seed };
        let has_key =
            !self.wrong.touch(span) && self.cached.as_mut().is_some_and(|cached| cached.write_key(&key));
        let mut cached = self.cached.take();
        let mut known = cached.as_deref_mut().filter(|_| has_key);
        let read = match known.as_mut().and_then(|known| known.find(span.start)) {
            Some((read, steps)) if self.work.spend(steps) => read,
            _ => {
                let (found, left) = (self.problems.added(), self.work.left());
                let (read, values) = self.read_anew(line, words, seed, player);
                let is_whole = self.problems.added() == found && values.is_empty() && read.first.is_some();
                if let Some(known) = known.filter(|_| is_whole) {
                    known.keep(read.clone(), span.start, left - self.work.left());
                }
                self.note_values(player, values);
                read
            }
        };
        self.cached = cached;
        read
    }

    /// What a line plays, and the parameters that its notes set.
    fn read_anew(
        &mut self,
        line: &Written,
        words: Words,
        seed: u64,
        player: Player,
    ) -> (ReadLine, Vec<ParamId>) {
        let notes = matches!(words, Words::Notes { .. });
        let Composer { ast, meter, notations, .. } = *self;
        let (draws, values) = (0, vec![]);
        let mut modifier = Modifier { ast, meter, notations, words, notes, seed, draws, player, values };
        let (pattern, place) = line_pattern(&mut modifier, line, self.problems);
        let period = pattern.period();
        let first = self.work.try_line(&pattern, period, place, self.problems);
        let (shift, rests) = (SourceShift::default(), rests(&line.pattern, notations));
        (ReadLine { pattern, shift, first, rests, period }, modifier.values)
    }
}

/// The pattern of a line with its modifiers, and the place of the pattern alone.
pub(super) fn line_pattern(
    modifier: &mut Modifier,
    line: &Written,
    problems: &mut Problems,
) -> (Pattern, Span) {
    let Modifier { ast, notations, words, notes, .. } = *modifier;
    let (mut pattern, place) = match &line.pattern {
        PatternText::Tab { bars, by } => {
            let place = bars.iter().map(|b| b.span).reduce(Span::to).unwrap_or_default();
            (super::tab::tab(ast, bars, *by, modifier.meter, problems), place)
        }
        PatternText::Notation(text) => {
            (super::read(&text.text, text.span, modifier.seed, words, notations, problems), text.span)
        }
        PatternText::Made(expr) => {
            let made = modifier.source(*expr, words, notes, problems).unwrap_or_else(|problem| {
                problems.add(problem);
                None
            });
            (made.unwrap_or_else(Pattern::silence), ast.span(*expr))
        }
        PatternText::Nothing(place) => (Pattern::silence(), *place),
    };
    for &expr in &line.modifiers {
        pattern = modifier.apply(pattern, expr, problems);
    }
    if pattern.is_continuous() {
        let last = line.modifiers.last().map_or(place, |&last| ast.span(last));
        problems.add(without_steps(place.to(last)));
        return (Pattern::silence(), place);
    }
    (pattern, place)
}
