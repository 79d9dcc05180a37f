//! Lines, sections, arrangements: what is heard where.

use super::amount::{Amount, count, exact, not_so};
use super::cache::{LineCache, ReadLine, Spans};
use super::codes::{
    DRIVEN_PARAMETER, NOT_PLAYABLE, SCORE_NUMBER, SCORE_UNREACHED, SECTION_LENGTH, SECTION_NESTING,
    UNKNOWN_SECTION, UNKNOWN_TARGET, UNUSED_SECTION,
};
use super::length::bars;
use super::modify::note_words;
use super::reading::Player;
use super::rests::Rests;
use super::show::number;
use super::targets::{not_a_target, unknown_target};
use super::tempo::{Meter, twice};
use super::words::Words;
use super::work::{FirstCycle, Work};
use super::{Meaning, Targets};
use crate::dimension::Dimension;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Item, ItemKind, Line as Written, Part, PatternText};
use mam_grammar::mini::Notations;
use mam_grammar::{Limits, Problem, Problems, Severity, Span};
use mam_runtime::Curve;
use mam_runtime::score::pattern::mix;
use mam_runtime::score::{Action, Clip, Duration, Line, Mark, Overflow, Ramp, Rational};
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Lines heard that an arrangement may lay out, and lines that variations may have of the sections that they are like.
pub(super) const MOST_CLIPS: usize = 65_536;

/// One block of a score: the song, or a section.
#[derive(Default)]
pub(super) struct Level<'a> {
    pub(super) lines: Vec<usize>,
    pub(super) sections: Vec<usize>,
    /// The same by name; of several of one name, the first.
    pub(super) named: FxHashMap<&'a str, usize>,
    pub(super) arrangement: Option<(&'a [Part], Span)>,
    /// The level around it.
    pub(super) around: Option<usize>,
    /// Whether it is that of a variation.
    pub(super) varies: bool,
    /// The targets whose lines a variation leaves out.
    pub(super) left_out: Vec<(String, Span)>,
}

/// A variation whose section is still to be found.
pub(super) struct Variation<'a> {
    pub(super) name: &'a Ident,
    pub(super) of: &'a Ident,
    pub(super) level: usize,
}

pub(super) struct Section<'a> {
    pub(super) name: &'a Ident,
    pub(super) length: Rational,
    pub(super) level: usize,
    pub(super) used: bool,
}

/// A line with what the checks want to know.
pub(super) struct WrittenLine {
    /// The whole line, with its modifiers.
    pub(super) span: Span,
    /// `bd`, `bd.gain`
    pub(super) name: String,
    /// How many notes can sound at once; `None` for parameters.
    pub(super) voices: Option<usize>,
    /// It plays an instrument that reads the numbers of its notes.
    pub(super) numbered: bool,
    /// Whether nothing but rests is written in it.
    pub(super) rests: Option<Rests>,
    /// Into how many pieces that cuts its sound, where it is known.
    pub(super) pieces: Option<f64>,
    /// Nothing is wrong with it so far.
    pub(super) sound: bool,
    /// What stands in its quotes; nothing for a tab.
    pub(super) text: Option<Arc<str>>,
    /// Bars of its tab, as long as no modifier changes it; with the tab's place.
    pub(super) tab: Option<(Rational, Span)>,
    /// What is known of the first cycle of its pattern.
    pub(super) first: Option<FirstCycle>,
    /// Cycles after which its pattern comes again.
    pub(super) period: Result<Rational, Overflow>,
}

/// Composes the lines and sections of one file.
pub(super) struct Composer<'a> {
    pub(super) ast: &'a Ast,
    targets: &'a dyn Targets,
    pub(super) meter: &'a Meter,
    pub(super) notations: &'a Notations,
    /// The lines of versions before; `None` where there is no other version.
    pub(super) cached: Option<&'a mut LineCache>,
    seed: u64,
    pub(super) levels: Vec<Level<'a>>,
    pub(super) sections: Vec<Section<'a>>,
    pub(super) lines: Vec<Line>,
    /// In the order of the lines.
    pub(super) written: Vec<WrittenLine>,
    pub(super) clips: Vec<Clip>,
    pub(super) marks: Vec<Mark>,
    /// Lines that variations have of the sections that they are like.
    pub(super) taken_over: usize,
    /// Bars of the arrangement, if there is one.
    pub(super) arranged: Option<Rational>,
    pub(super) work: Work,
    /// The names of equations that have errors already: what they are cannot be known.
    broken: FxHashSet<&'a str>,
    /// Where something is wrong already.
    pub(super) wrong: Spans,
    /// How many lines there are of each name.
    named: FxHashMap<String, u64>,
    /// The parameters of which notes give their voices values, each once.
    pub(super) note_params: Vec<mam_runtime::score::PlayedParam>,
    pub(super) problems: &'a mut Problems,
}

impl<'a> Composer<'a> {
    pub(super) fn new(
        ast: &'a Ast,
        targets: &'a dyn Targets,
        meter: &'a Meter,
        (notations, cached): (&'a Notations, Option<&'a mut LineCache>),
        seed: u64,
        limits: &Limits,
        problems: &'a mut Problems,
    ) -> Composer<'a> {
        Composer {
            ast,
            targets,
            meter,
            notations,
            cached,
            seed,
            levels: vec![Level::default()],
            sections: Vec::new(),
            lines: Vec::new(),
            written: Vec::new(),
            clips: Vec::new(),
            marks: Vec::new(),
            taken_over: 0,
            arranged: None,
            work: Work::new(limits.score_work),
            broken: broken(ast, problems),
            wrong: Spans::new(problems),
            named: FxHashMap::default(),
            note_params: vec![],
            problems,
        }
    }

    /// Reads the items of the song and lays them out.
    pub(super) fn song(&mut self, items: &'a [Item]) {
        self.items(items, 0);
        let mut stack = Vec::new();
        let end = self.lay(0, Rational::ZERO, None, &mut stack);
        match end {
            Ok(end) => {
                self.arranged = self.levels[0].arrangement.is_some().then_some(end);
                self.check_arranged(end);
            }
            Err(Overflow) => {
                let span = self.levels[0].arrangement.map_or(Span::default(), |a| a.1);
                self.problems.add(not_so(span, "the bars of this arrangement do not fit exact fractions"));
            }
        }
        // An arrangement with a mistake may have meant any of them.
        let mistaken = self.problems.iter().any(|p| p.code == &UNKNOWN_SECTION)
            || items.iter().any(|i| matches!(i.kind, ItemKind::Broken(_)));
        for section in self.sections.iter().filter(|s| !s.used && !mistaken) {
            let message = format!("the section `{}` is never played", section.name);
            let help = format!("name it in an arrangement: `play {}`", section.name);
            self.problems.add(Problem::new(&UNUSED_SECTION, section.name.span, message).help(help));
        }
    }

    /// Warns of an arrangement that plays each of its sections no time, and so ends where it begins.
    fn check_arranged(&mut self, end: Rational) {
        let Some((parts, span)) = self.levels[0].arrangement else { return };
        let Some(first) = parts.first().filter(|_| end.sign() == 0 && self.sections.iter().all(|s| s.used))
        else {
            return;
        };
        let help = format!("play one of its sections at least once: `play {}`", first.section.name);
        let problem = Problem::new(&SCORE_UNREACHED, span, "this arrangement plays nothing");
        self.problems.add(problem.help(help));
    }

    fn items(&mut self, items: &'a [Item], level: usize) {
        let mut block = None;
        let mut variations = Vec::new();
        for item in items {
            match &item.kind {
                ItemKind::Play(inner) => {
                    twice(block, item.span, "`play { }` in this block", self.problems);
                    block = Some(item.span);
                    self.items(inner, level);
                }
                ItemKind::Line(line) => self.line(line, item.span, level),
                ItemKind::Arrangement(parts) => {
                    let first = self.levels[level].arrangement.map(|a| a.1);
                    twice(first, item.span, "arrangement in this block", self.problems);
                    self.levels[level].arrangement = Some((parts, item.span));
                }
                ItemKind::Section { name, length, items } => self.section(name, *length, items, level),
                ItemKind::Variation { name, of, items } => {
                    let inner = self.level(level);
                    self.levels[inner].varies = true;
                    self.items(items, inner);
                    variations.push(Variation { name, of, level: inner });
                }
                _ => {}
            }
        }
        self.vary(variations, level);
    }

    /// A new level within another.
    fn level(&mut self, around: usize) -> usize {
        self.levels.push(Level { around: Some(around), ..Level::default() });
        self.levels.len() - 1
    }

    fn section(&mut self, name: &'a Ident, length: ExprId, items: &'a [Item], around: usize) {
        self.check_named_once(name, around);
        let length = bars(self.ast, length, self.meter, "a section").unwrap_or_else(|problem| {
            self.problems.add(problem);
            Rational::ONE
        });
        let level = self.level(around);
        self.add_section(around, Section { name, length, level, used: false });
        self.items(items, level);
    }

    /// A section of a level.
    pub(super) fn add_section(&mut self, around: usize, section: Section<'a>) {
        let level = &mut self.levels[around];
        level.sections.push(self.sections.len());
        level.named.entry(&section.name.name).or_insert(self.sections.len());
        self.sections.push(section);
    }

    /// Reports a second section of one name in a level.
    pub(super) fn check_named_once(&mut self, name: &Ident, around: usize) {
        let first = self.levels[around].named.get(&*name.name).copied();
        twice(first.map(|s| self.sections[s].name.span), name.span, "section of this name", self.problems);
    }

    fn line(&mut self, line: &'a Written, span: Span, level: usize) {
        let found = self.problems.len();
        let path: Vec<&str> = line.target.iter().map(|word| &*word.name).collect();
        let name = path.join(".");
        let earlier = self.named.get(&name).copied().unwrap_or(0);
        let seed = mix(mix(self.seed, crate::hash::fnv1a(name.bytes())), earlier);
        let place = line.target.iter().map(|w| w.span).reduce(Span::to).unwrap_or(span);
        let meaning = self.targets.find(&path);
        if !matches!(meaning, Meaning::Instrument(_) | Meaning::Parameter(_)) && self.broken.contains(path[0])
        {
            return;
        }
        let (numbered, pieces) = match &meaning {
            Meaning::Instrument(instrument) => (instrument.numbered, instrument.pieces),
            _ => (false, None),
        };
        let (action, voices, read) = match meaning {
            Meaning::Instrument(_) | Meaning::Parameter(_)
                if let PatternText::Nothing(mark) = line.pattern =>
            {
                return self.leave_out(name, place, mark, level);
            }
            Meaning::Instrument(instrument) => {
                self.check_over(line, &name);
                let words = note_words(self.ast, line, &instrument);
                let player = Player::Instrument(self.targets, &instrument);
                let read = self.read(line, span, words, seed, player);
                if let (PatternText::Notation(text), false) = (&line.pattern, instrument.pitched) {
                    super::hits::check(text, &instrument, self.targets, self.notations, self.problems);
                }
                (Action::Play { target: instrument.index }, Some(instrument.voices), read)
            }
            Meaning::Parameter(parameter) => {
                if let PatternText::Tab { bars, .. } = &line.pattern {
                    let message = format!("`{name}` is a parameter, and a drum tab has no values for it");
                    let problem =
                        Problem::new(&NOT_PLAYABLE, bars.first().map_or(place, |b| b.span), message);
                    self.problems.add(problem.help("write its values in quotes: `\"0.5 ~ 1.0 ~\"`"));
                    return;
                }
                if parameter.is_driven {
                    let message = format!("`{name}` follows a signal, so that this line changes nothing");
                    let help = "give it a number in its equation, or take the line out";
                    self.problems.add(Problem::new(&DRIVEN_PARAMETER, place, message).help(help));
                }
                let read = self.read(line, span, Words::Values(&parameter), seed, Player::Nothing);
                let action = Action::Set { param: parameter.index, ramp: self.ramp(line) };
                (action, None, read)
            }
            Meaning::Unknown => {
                let message = format!("there is no `{name}` to play");
                let problem = Problem::new(&UNKNOWN_TARGET, place, message);
                let problem = match self.problems.may_suggest() {
                    true => unknown_target(problem, &path, self.targets),
                    false => problem,
                };
                self.problems.add(problem);
                return;
            }
            nothing => return self.problems.add(not_a_target(&name, place, line, nothing)),
        };
        self.levels[level].lines.push(self.lines.len());
        let ReadLine { pattern, shift, first, rests, period } = read;
        self.lines.push(Line { pattern, action, shift });
        *self.named.entry(name.clone()).or_default() += 1;
        let (text, tab) = plain(line, period, place);
        self.written.push(WrittenLine {
            span: place,
            name,
            voices,
            numbered,
            rests,
            pieces,
            sound: self.problems.len() == found,
            text,
            tab,
            first,
            period,
        });
    }

    /// Notes have no ramps.
    fn check_over(&mut self, line: &Written, name: &str) {
        let Some(over) = line.over else { return };
        let message = "`over` is for parameters, and this line plays notes";
        let problem = Problem::new(&NOT_PLAYABLE, self.ast.span(over), message);
        self.problems.add(problem.help(format!(
            "take `over` out; a parameter goes to its values: `{name}.gain \"1 0\" over 1 bar`"
        )));
    }

    fn ramp(&mut self, line: &Written) -> Ramp {
        let read = line.over.map(|over| match exact(self.ast, over)? {
            Amount::Number(Dimension::TIME, s) if s.sign() >= 0 => Ok(Duration::Seconds(s)),
            Amount::Beats(beats) if beats.sign() >= 0 => Ok(Duration::Beats(beats)),
            Amount::Bars(bars) if bars.sign() >= 0 => (bars * self.meter.beats_per_bar)
                .map(Duration::Beats)
                .map_err(|_| not_so(self.ast.span(over), "this time does not fit")),
            amount => Err(no_time(self.ast.span(over), amount)),
        });
        let over = read.unwrap_or(Ok(Duration::default())).unwrap_or_else(|problem| {
            self.problems.add(problem);
            Duration::default()
        });
        Ramp { over, curve: line.curve_exp.then_some(Curve::Exp) }
    }

    /// Lays a level out from `start` on, up to `end` if that is known; gives back where its arrangement ends.
    fn lay(
        &mut self,
        level: usize,
        start: Rational,
        end: Option<Rational>,
        stack: &mut Vec<usize>,
    ) -> Result<Rational, Overflow> {
        for &line in &self.levels[level].lines {
            self.clips.push(Clip { line, start, end });
        }
        let Some((parts, span)) = self.levels[level].arrangement else { return Ok(end.unwrap_or(start)) };
        let mut bar = start;
        loop {
            let turn = bar;
            for part in parts {
                bar = self.part(level, part, bar, end, stack)?;
            }
            if let Some(end) = end.filter(|&end| bar > end) {
                let message = "the sections arranged here are longer than the section around them";
                if turn == start {
                    let help = format!(
                        "make the section around them {} bars long, as they are, or let it play fewer",
                        number((bar - start)?)
                    );
                    self.problems.add(Problem::new(&SECTION_LENGTH, span, message).help(help));
                }
                return Ok(end);
            }
            // An inner arrangement comes again until its section is over.
            if bar == turn || end.is_none_or(|end| bar >= end) {
                return Ok(bar);
            }
        }
    }

    fn part(
        &mut self,
        level: usize,
        part: &Part,
        mut bar: Rational,
        end: Option<Rational>,
        stack: &mut Vec<usize>,
    ) -> Result<Rational, Overflow> {
        let Some(index) = self.find(level, part) else { return Ok(bar) };
        let times =
            part.times.map_or(Ok(1), |n| count(self.ast, n, "for how often a section is played", 0..=10_000));
        let times = times.unwrap_or_else(|problem| {
            self.problems.add(problem);
            1
        });
        let (name, length, inner) = {
            let section = &mut self.sections[index];
            section.used = true;
            (section.name.name.clone(), section.length, section.level)
        };
        if stack.contains(&index) {
            let message = format!("the section `{name}` plays itself");
            let help = "take it out of its own arrangement; what comes again is counted: `play a*2`";
            self.problems.add(Problem::new(&SECTION_NESTING, part.section.span, message).help(help));
            return Ok(bar);
        }
        stack.push(index);
        for _ in 0..times {
            if end.is_some_and(|end| bar >= end) || self.too_long(part) {
                bar = (bar + length)?;
                break;
            }
            let over = (bar + length)?;
            let cut = end.map_or(over, |end| end.min(over));
            self.marks.push(Mark { name: name.clone(), start: bar, end: cut, depth: stack.len() - 1 });
            self.lay(inner, bar, Some(cut), stack)?;
            bar = over;
        }
        stack.pop();
        Ok(bar)
    }

    fn too_long(&mut self, part: &Part) -> bool {
        let too_long = self.clips.len() + self.marks.len() > MOST_CLIPS;
        if too_long {
            let message = format!("this arrangement lays out more than {MOST_CLIPS} lines");
            self.problems.add(Problem::new(&SCORE_NUMBER, part.section.span, message));
        }
        too_long
    }

    /// A level and those around it, the nearest first.
    fn around(&self, level: usize) -> impl Iterator<Item = &Level<'a>> {
        std::iter::successors(Some(level), |&level| self.levels[level].around)
            .map(|level| &self.levels[level])
    }

    /// The sections that a level sees, the nearest first.
    fn sections_seen(&self, level: usize) -> impl Iterator<Item = usize> {
        self.around(level).flat_map(|level| level.sections.iter().copied())
    }

    /// The section of this name in a level or those around it.
    pub(super) fn section_of(&self, level: usize, name: &str) -> Option<usize> {
        self.around(level).find_map(|level| level.named.get(name)).copied()
    }

    pub(super) fn known_sections(&self, level: usize) -> Vec<Arc<str>> {
        self.sections_seen(level).map(|s| self.sections[s].name.name.clone()).collect()
    }

    /// The section that a part of an arrangement names.
    fn find(&mut self, level: usize, part: &Part) -> Option<usize> {
        if let Some(section) = self.section_of(level, &part.section.name) {
            return Some(section);
        }
        let known = self.known_sections(level);
        let unread = |item: &Item| matches!(&item.kind, ItemKind::Broken(Some(n)) if *n == part.section);
        if self.ast.items.iter().any(unread) {
            return None;
        }
        let message = format!("there is no section `{}` here", part.section);
        let problem = Problem::new(&UNKNOWN_SECTION, part.section.span, message);
        // `verse x4`, `verse x 4`
        let times =
            part.section.name.strip_prefix(['x', 'X']).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        if let Some(times) = times {
            let times = if times.is_empty() { "4" } else { times };
            let verse = known.first().map_or("verse", |name| &**name);
            self.problems.add(problem.help(format!("a section is repeated by `*`: `play {verse}*{times}`")));
            return None;
        }
        self.problems.suggest(problem, &part.section.name, "sections", || known);
        None
    }
}

/// Of a line that no modifier changes, what stands in its quotes, or the bars of its tab and its place.
fn plain(
    line: &Written,
    period: Result<Rational, Overflow>,
    place: Span,
) -> (Option<Arc<str>>, Option<(Rational, Span)>) {
    match &line.pattern {
        _ if !line.modifiers.is_empty() => (None, None),
        PatternText::Notation(text) => (Some(text.text.clone()), None),
        PatternText::Made(_) | PatternText::Nothing(_) => (None, None),
        PatternText::Tab { bars, .. } => {
            let place = bars.iter().map(|b| b.span).reduce(Span::to).unwrap_or(place);
            (None, period.ok().map(|length| (length, place)))
        }
    }
}

/// The names of the equations that could not be read, that hold an error, or that call what could not be read.
fn broken<'a>(ast: &'a Ast, problems: &Problems) -> FxHashSet<&'a str> {
    let errors = problems.iter().filter(|problem| problem.code.severity == Severity::Error);
    let mut places: Vec<Span> = errors.map(Problem::span).collect();
    places.put_in_order();
    let has_error = |item: &Item| {
        let first = places.partition_point(|s| (s.source, s.start) < (item.span.source, item.span.start));
        let within =
            places[first..].iter().take_while(|s| s.source == item.span.source && s.start <= item.span.end);
        within.into_iter().any(|s| s.end <= item.span.end)
    };
    let unread: FxHashSet<&str> = ast.items.iter().filter_map(unread_name).collect();
    let calls_unread = |value: ExprId| {
        let mut source = value;
        while let Expr::Pipe { left, .. } = &ast.exprs[source] {
            source = *left;
        }
        matches!(&ast.exprs[source], Expr::Call { callee, .. } if unread.contains(&*callee.name))
    };
    let name = |item: &'a Item| match &item.kind {
        ItemKind::Equation { name, value } if has_error(item) || calls_unread(*value) => Some(&*name.name),
        _ => unread_name(item),
    };
    ast.items.iter().filter_map(name).collect()
}

/// The name that an item would define that could not be read.
fn unread_name(item: &Item) -> Option<&str> {
    match &item.kind {
        ItemKind::Broken(Some(name)) => Some(&*name.name),
        _ => None,
    }
}

/// What is not a time for a ramp: without a unit it was probably meant in bars, as times of modifiers are.
fn no_time(span: Span, amount: Amount) -> Problem {
    let problem = not_so(span, "a ramp lasts a time, such as `40ms`, `1 beat` or `2 bars`");
    match amount {
        Amount::Number(Dimension::PLAIN, x) if x.sign() > 0 => {
            let unit = if x > Rational::ONE { "bars" } else { "bar" };
            let shown = if x.den() == 1 { x.num().to_string() } else { x.to_string() };
            let help = format!("write its unit: `{shown} {unit}`, or beats or milliseconds");
            let end = Span { start: span.end, ..span };
            problem.help(help).guess(end, format!(" {unit}"))
        }
        _ => problem.help("write a time: `40ms`, `1 beat` or `2 bars`"),
    }
}
