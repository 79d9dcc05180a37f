//! `tempo`, `meter`, `swing`: the map from bars to time.

use super::amount::{count, not_so, plain};
use super::codes::{SCORE_TWICE, STEP_LENGTH};
use super::show::number;
use mam_grammar::ast::{Ast, Expr, ExprId, Item, ItemKind};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Change, Overflow, Rational, Swing, Tempo, TempoMap};
use mam_runtime::sort::Sort;

/// Beats a minute that a song may ask for.
const FASTEST: i64 = 10_000;

/// The meter of a song.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    /// Quarter notes in a bar.
    pub(super) beats_per_bar: Rational,
    /// Beats in a bar, as written.
    pub(super) beats: i64,
}

/// The meter that the items say; 4/4 if none.
pub(super) fn meter(ast: &Ast, items: &[Item], problems: &mut Problems) -> Meter {
    let mut found: Option<(Meter, Span)> = None;
    for item in items {
        let ItemKind::Meter { beats, unit } = &item.kind else { continue };
        twice(found.as_ref().map(|f| f.1), item.span, "meter", problems);
        let read = count(ast, *beats, "for the beats of a meter", 1..=64)
            .and_then(|b| Ok((b, count(ast, *unit, "for the unit of a meter", 1..=64)?)));
        match read {
            Ok((beats, unit)) => {
                let beats_per_bar = Rational::ratio(4 * beats, unit as u32);
                found = Some((Meter { beats_per_bar, beats }, item.span));
            }
            Err(problem) => problems.add(problem),
        }
    }
    found.map_or(Meter { beats_per_bar: Rational::whole(4), beats: 4 }, |f| f.0)
}

/// A problem when there was one already.
pub(super) fn twice(first: Option<Span>, second: Span, what: &str, problems: &mut Problems) {
    if let Some(first) = first {
        let problem = Problem::new(&SCORE_TWICE, second, format!("this is a second {what}"));
        problems.add(problem.label(first, "the first one").help("keep one of them"));
    }
}

/// The tempo map that the items say, and the bars and places of the changes that are written.
pub(super) fn tempo_map(
    ast: &Ast,
    items: &[Item],
    meter: &Meter,
    problems: &mut Problems,
) -> (TempoMap, Vec<(Rational, Span)>) {
    let mut changes: Vec<(Change, Span)> = Vec::new();
    let mut swing: Option<(Swing, Span)> = None;
    for item in items {
        let read = match &item.kind {
            ItemKind::Tempo { bpm, to, at, until } => change(ast, [Some(*bpm), *to, *at, *until], item.span)
                .map(|change| changes.push((change, item.span))),
            ItemKind::Swing { amount, of } => {
                twice(swing.map(|s| s.1), item.span, "swing", problems);
                self::swing(ast, *amount, *of, meter, problems).map(|s| swing = Some((s, item.span)))
            }
            _ => Ok(()),
        };
        read.unwrap_or_else(|problem| problems.add(problem));
    }
    changes.put_in_order_by_key(|c| c.0.bar);
    check_order(&changes, problems);
    let places = changes.iter().map(|c| (c.0.bar, c.1)).collect();
    let changes = holding(changes.into_iter().map(|c| c.0).collect());
    (TempoMap { beats_per_bar: meter.beats_per_bar, swing: swing.map(|s| s.0), changes }, places)
}

fn change(ast: &Ast, parts: [Option<ExprId>; 4], span: Span) -> Result<Change, Problem> {
    let [bpm, to, at, until] = parts;
    let bar = |expr: Option<ExprId>| match expr {
        None => Ok(Rational::ZERO),
        Some(expr) => (plain(ast, expr, "a bar")? - Rational::ONE)
            .ok()
            .filter(|b| b.sign() >= 0)
            .ok_or_else(|| not_so(ast.span(expr), "bars count from 1")),
    };
    let speed = |expr: ExprId| {
        let bpm = plain(ast, expr, "a tempo")?;
        let fine = bpm.sign() > 0 && bpm <= Rational::whole(FASTEST);
        let message = format!("a tempo is greater than 0 and at most {FASTEST} beats a minute");
        fine.then_some(bpm).ok_or_else(|| {
            not_so(ast.span(expr), message)
                .help("write the beats of a minute: `120`")
                .guess(ast.span(expr), "120")
        })
    };
    let Some(bpm) = bpm else { return Err(not_so(span, "a tempo needs a number")) };
    let from = speed(bpm)?;
    let start = bar(at)?;
    let tempo = match to {
        None => Tempo::Steady(from),
        Some(to) => {
            let (to, end) = (speed(to)?, bar(until)?);
            if end <= start {
                let help = "the ramp goes from the start of the first bar to the start of the second";
                return Err(
                    not_so(span, "a tempo ramp needs `over bars 5..9`, its end after its start").help(help)
                );
            }
            if from == to { Tempo::Steady(from) } else { Tempo::Ramp { from, to, until: end } }
        }
    };
    Ok(Change { bar: start, tempo })
}

/// Two changes at one bar, or one inside another's ramp.
fn check_order(changes: &[(Change, Span)], problems: &mut Problems) {
    for pair in changes.windows(2) {
        let [(first, there), (second, here)] = pair else { continue };
        let until = match first.tempo {
            Tempo::Ramp { until, .. } => until,
            Tempo::Steady(_) => first.bar,
        };
        if second.bar < until || second.bar == first.bar {
            let message = "the tempo of this place is already given";
            let problem = Problem::new(&SCORE_TWICE, *here, message).label(*there, "by this");
            problems.add(problem.help(match second.bar == first.bar {
                true => "two begin at one bar: leave one of them out, or say where it begins, `at bar 5`",
                false => "let each tempo begin where the one before has ended",
            }));
        }
    }
}

/// Adds what holds before the first change and after each ramp.
fn holding(changes: Vec<Change>) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    let first = changes.first().copied();
    if first.is_none_or(|c| c.bar > Rational::ZERO) {
        let bpm = match first.map(|c| c.tempo) {
            Some(Tempo::Ramp { from, .. }) => from,
            _ => Rational::whole(120),
        };
        all.push(Change { bar: Rational::ZERO, tempo: Tempo::Steady(bpm) });
    }
    let mut changes = changes.into_iter().peekable();
    while let Some(change) = changes.next() {
        all.push(change);
        if let Tempo::Ramp { to, until, .. } = change.tempo
            && changes.peek().is_none_or(|next| next.bar > until)
        {
            all.push(Change { bar: until, tempo: Tempo::Steady(to) });
        }
    }
    all
}

/// The digits of a number without a unit that would be a share of a hundred.
fn from_number(ast: &Ast, expr: ExprId) -> Option<&str> {
    match &ast.exprs[expr] {
        Expr::Number(number) if number.unit.is_none() && number.value() <= 100.0 => Some(&number.digits),
        _ => None,
    }
}

/// Warns of a step in whole notes, of a tab or of swing, that is longer than a bar.
pub(super) fn long_step(ast: &Ast, expr: ExprId, step: Rational, meter: &Meter) -> Option<Problem> {
    let bars = ((step * Rational::whole(4)).ok()? / meter.beats_per_bar).ok()?;
    let span = ast.span(expr);
    let problem = || {
        let message = format!("a step of {} is longer than a bar", count_of(step, "whole note"));
        Problem::new(&STEP_LENGTH, span, message)
    };
    (bars > Rational::ONE).then(|| match step.den() {
        1 => {
            let part = format!("1/{}", step.num());
            problem().help(format!("write a part of a whole note: `{part}`")).guess(span, part)
        }
        _ => problem().help("write a part of a whole note: `1/16`"),
    })
}

/// "1 whole note", "1.5 whole notes".
fn count_of(amount: Rational, noun: &str) -> String {
    let ending = if amount == Rational::ONE { "" } else { "s" };
    format!("{} {noun}{ending}", number(amount))
}

fn swing(
    ast: &Ast,
    amount: ExprId,
    of: Option<ExprId>,
    meter: &Meter,
    problems: &mut Problems,
) -> Result<Swing, Problem> {
    let share = plain(ast, amount, "swing")?;
    if share.sign() < 0 || share > Rational::ONE {
        return Err(not_so(ast.span(amount), "swing lies between 0% and 100%").help(
            match from_number(ast, amount) {
                Some(digits) => format!("write `{digits}%`: 100% moves every second step by half a step"),
                None => "100% moves every second step by half a step".to_owned(),
            },
        ));
    }
    let whole_notes = of.map_or(Ok(Rational::ratio(1, 16)), |of| {
        let step = plain(ast, of, "the step of swing")?;
        long_step(ast, of, step, meter).into_iter().for_each(|problem| problems.add(problem));
        let help = "write a part of a whole note: `of 1/8`";
        let wrong = || not_so(ast.span(of), "the step of swing is greater than 0").help(help);
        (step.sign() > 0).then_some(step).ok_or_else(|| wrong().guess(ast.span(of), "1/8"))
    })?;
    let bars = |x: Rational| (x * Rational::whole(4))? / meter.beats_per_bar;
    let step = bars(whole_notes).map_err(|Overflow| not_so(ast.span(amount), "this step does not fit"))?;
    Ok(Swing { amount: share, step })
}
