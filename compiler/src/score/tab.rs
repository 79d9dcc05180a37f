//! Drum tabs: `|x...x...|x.x.x...|`.

use super::amount::plain;
use super::codes::{TAB_HOLD, TAB_LENGTH};
use super::tempo::long_step;
use mam_grammar::ast::{Ast, ExprId, Quoted};
use mam_grammar::problem::count;
use mam_grammar::syntax::codes::UNCLOSED_TAB;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::pattern::SourceRange;
use mam_runtime::score::{Overflow, Pattern, Rational, TableEvent, Value};

/// What one character of a tab does.
enum Mark {
    Hit(f64),
    Rest,
    Hold,
}

fn mark(c: char) -> Option<Mark> {
    Some(match c {
        'x' => Mark::Hit(1.0),
        'X' => Mark::Hit(1.25),
        'o' => Mark::Hit(0.5),
        '1'..='9' => Mark::Hit(f64::from(c as u32 - '0' as u32) / 10.0),
        '.' | '-' => Mark::Rest,
        '_' => Mark::Hold,
        _ => return None,
    })
}

/// The hits of a tab, in bars from its start.
struct Tab {
    at: Rational,
    events: Vec<TableEvent>,
    /// The last hit lasts until here, so that `_` can hold it on.
    sounding: bool,
    /// The step before is a `_` that holds nothing, and has been reported.
    reported: bool,
}

/// The pattern of a tab. `beats_per_bar` counts quarters; `beats` those of the meter.
pub(super) fn tab(
    ast: &Ast,
    bars: &[Quoted],
    by: Option<ExprId>,
    meter: &super::tempo::Meter,
    problems: &mut Problems,
) -> Pattern {
    let by = by.and_then(|by| match plain(ast, by, "the step of a tab") {
        Ok(step) if step.sign() > 0 => {
            long_step(ast, by, step, meter).into_iter().for_each(|problem| problems.add(problem));
            Some(step)
        }
        Ok(_) => {
            let problem = super::amount::not_so(ast.span(by), "the step of a tab is greater than 0");
            let help = "write a part of a whole note: `by 1/16`";
            problems.add(problem.help(help).guess(ast.span(by), "1/16"));
            None
        }
        Err(problem) => {
            problems.add(problem);
            None
        }
    });
    let mut tab = Tab { at: Rational::ZERO, events: Vec::new(), sounding: false, reported: false };
    for bar in bars {
        let steps: Vec<(usize, char)> = bar.text.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
        if by.is_none() {
            check_length(bar, steps.len(), meter, problems);
        }
        if tab.bar(bar, &steps, by, meter, problems).is_err() {
            let message = "the steps of this tab do not fit exact fractions";
            problems.add(Problem::new(&super::codes::PATTERN_TOO_FINE, bar.span, message));
        }
    }
    Pattern::table(tab.at, tab.events)
}

impl Tab {
    fn bar(
        &mut self,
        bar: &Quoted,
        steps: &[(usize, char)],
        by: Option<Rational>,
        meter: &super::tempo::Meter,
        problems: &mut Problems,
    ) -> Result<(), Overflow> {
        let start = self.at;
        let step = match by {
            // In whole notes: four quarters.
            Some(by) => ((by * Rational::whole(4))? / meter.beats_per_bar)?,
            None => Rational::new(1, steps.len().max(1) as i128)?,
        };
        for (i, &(byte, c)) in steps.iter().enumerate() {
            let begin = (start + (step * Rational::whole(i as i64))?)?;
            let end = (start + (step * Rational::whole(i as i64 + 1))?)?;
            let from = bar.span.start as usize + byte;
            let place = Span::new(bar.span.source, from, from + c.len_utf8());
            self.step(c, begin, end, place, problems);
        }
        self.at = match by {
            Some(_) => (start + (step * Rational::whole(steps.len() as i64))?)?,
            None => (start + Rational::ONE)?,
        };
        Ok(())
    }

    fn step(&mut self, c: char, begin: Rational, end: Rational, place: Span, problems: &mut Problems) {
        let mark = mark(c);
        self.reported &= matches!(mark, Some(Mark::Hold));
        match mark {
            Some(Mark::Hit(vel)) => {
                let place = SourceRange::new(place.start..place.end);
                self.events.push(TableEvent { begin, end, value: Value::hit(vel), place });
                self.sounding = true;
            }
            Some(Mark::Rest) => self.sounding = false,
            Some(Mark::Hold) => match self.events.last_mut().filter(|_| self.sounding) {
                Some(held) => held.end = end,
                None if self.reported => {}
                None => {
                    self.reported = true;
                    problems.add(
                        Problem::new(&TAB_HOLD, place, "`_` holds a note, and no note comes before it")
                            .help("write the note before it (`x_`), or a rest (`.`)"),
                    );
                }
            },
            // The parser has reported what is not a step.
            None => {}
        }
    }
}

/// Warns of a number of steps that goes with no division of the meter.
fn check_length(bar: &Quoted, steps: usize, meter: &super::tempo::Meter, problems: &mut Problems) {
    let beats = meter.beats as usize;
    let fits = |n: usize| n > 0 && (n.is_multiple_of(beats) || beats.is_multiple_of(n));
    // The last step of a tab without an end is lost to the end that it is given, which is reported already.
    let unclosed = |p: &Problem| p.code == &UNCLOSED_TAB && p.span().end == bar.span.start;
    if fits(steps) || matches!(steps, 1..=3 | 6) || problems.iter().any(unclosed) {
        return;
    }
    if steps == 0 {
        let message = "this bar has no steps";
        let help = "one `|` stands between two bars, `|x.|x.|`; a bar of rest is `|.|`";
        return problems.add(Problem::new(&TAB_LENGTH, bar.span, message).help(help));
    }
    let near = (1..).flat_map(|d| [steps.saturating_sub(d), steps + d]).find(|&n| fits(n)).unwrap_or(beats);
    problems.add(
        Problem::new(
            &TAB_LENGTH,
            bar.span,
            format!("{steps} steps do not go with a bar of {} beats", meter.beats),
        )
        .here(count(steps, "step"))
        .help(format!(
            "write {}, or fix the step with `by 1/16` to let it run against the bar",
            count(near, "step")
        )),
    );
}
