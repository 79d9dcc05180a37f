//! From the score of a song to exact data.
//!
//! A `.mam` file's `play` blocks, sections, tempo and the rest become a runtime [`Score`]: patterns of the notation and
//! drum tabs are built into trees once, modifiers wrap them, sections are laid out flat in bars. What can be played
//! is asked of [`Targets`], which the resolver implements; nothing here knows an instrument. JSON makes the same data
//! without coming through here.

mod amount;
mod arguments;
mod cache;
mod check;
pub mod codes;
mod compose;
pub(crate) mod extent;
mod harmony;
mod hits;
pub mod import;
mod length;
mod line;
mod mini;
mod modify;
mod musical;
mod pitch;
mod ramps;
mod reader;
mod reading;
mod rests;
mod schedule;
pub(crate) mod set;
pub mod show;
mod steps;
mod tab;
mod targets;
mod tempo;
mod tuning;
mod unchanged;
mod values;
mod vary;
mod vocabulary;
mod words;
mod work;

pub use cache::LineCache;
pub use check::Leftover;
pub use harmony::scales;
pub use line::line;
pub use musical::Musical;
pub use pitch::note_number;
pub(crate) use set::{placed_by_lines, signals_of_lines, words_of_lines};
pub use vocabulary::{Entry, Group, SOURCES, modifiers};
pub use work::query_problem;

use crate::channels;
use crate::dimension::Dimension;
use crate::file::File;
use crate::units::Units;
use codes::{SCORE_NUMBER, SCORE_UNREACHED};
use compose::Composer;
use mam_grammar::ast::{Ast, Item, ItemKind};
use mam_grammar::mini::Notations;
use mam_grammar::{Limits, Problem, Problems, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::{
    Action, Clock, LAST_FRAME, MusicalLength, Overflow, Pattern, Rational, Score, Tempo, Transport,
};

/// What the names of a score mean. The resolver's part of the bargain.
pub trait Targets {
    /// What `path` (`bd`, `bd.gain`, `bright`) is.
    fn find(&self, path: &[&str]) -> Meaning;

    /// What a path that means nothing could have been, for "did you mean".
    fn known(&self, path: &[&str]) -> Vec<String>;

    /// The `def` that the signal of this name flows through where it is given this argument, which no line can set.
    fn given_to(&self, _name: &str, _argument: &str) -> Option<Given> {
        None
    }
}

/// A `def` on the way of a signal, by what it is given.
pub struct Given {
    /// The name by which the song calls it.
    pub callee: String,
    /// What the argument measures: a frequency, a time or a plain number.
    pub dimension: Dimension,
}

/// What a score says of a song is known before the song is lowered, except for this.
pub struct Remainder {
    /// Indices of all instruments that do not trigger themselves: a song without a `play` plays them once.
    pub starts: Vec<usize>,
    /// The parameters that hold the length of a beat and of a bar, where the song uses them.
    pub musical: (Option<ParamId>, Option<ParamId>),
    /// The parameters whose defaults follow the tempo.
    pub following: Vec<(ParamId, Musical)>,
}

/// What a name of a score means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// An instrument: it plays notes.
    Instrument(Instrument),
    /// A parameter or a knob: it takes values.
    Parameter(Parameter),
    /// A name that cannot be played, such as a signal.
    Other {
        /// What it is, as in "it is a signal".
        what: String,
        /// The instruments that are parts of it, where it is a kit's.
        parts: Vec<String>,
        /// The parameters that can be set by its name.
        params: Vec<String>,
    },
    /// An instrument that is defined, and called by no equation of this name.
    Definition,
    /// A parameter of more than one effect: the names of each.
    Several(Vec<String>),
    /// Nothing of this name.
    Unknown,
}

/// An instrument as the score sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// Index into the program's targets.
    pub index: usize,
    /// As it is written.
    pub name: String,
    /// The name of its definition.
    pub definition: std::sync::Arc<str>,
    /// Whether its sound depends on the note (its `freq` or `note`). Without that, any word is a hit.
    pub pitched: bool,
    /// Whether it reads the numbers of its notes, as a sampler does for its slices: any number may be meant.
    pub numbered: bool,
    /// Into how many pieces it cuts its sound, which its notes number from 0, where that is known: its argument `slices`.
    pub pieces: Option<f64>,
    /// How many notes it can hold at once without losing one: without end where those that do not play wait.
    pub voices: usize,
}

/// A parameter or a knob as the score sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The parameter of the program that it is.
    pub index: ParamId,
    /// As it is written: `bd.gain`.
    pub name: String,
    /// What the parameter measures: time, frequency, a plain number.
    pub dimension: Dimension,
    /// What a number without a unit is multiplied by to be in base units: 0.001 where the default is in ms.
    pub scale: f64,
    /// Least and greatest value in base units; infinite where it has no range.
    pub range: (f64, f64),
    /// The units in which these are written.
    pub units: Units,
    /// The instrument whose own it is, so that each of its voices can have a value of it: an index into the program's targets.
    /// `None` for what all notes share: a parameter of an effect, a knob, the tempo of an instrument's own beat.
    pub instrument: Option<usize>,
    /// Whether it follows a signal of the song, so that setting it changes nothing.
    pub is_driven: bool,
    /// Whether it is an argument of messages to another program: it may measure anything.
    pub is_argument: bool,
}

/// The score of a file whose random draws come from `seed`; [`complete`] adds what it leaves out. With it come the
/// parameters that a pass may leave other than it found them: that depends on the values at the start.
/// Looking through its patterns takes no more than `limits` allow; those in `notations` are not read again, nor lines in `cached`.
pub fn from_ast(
    file: &File,
    seed: u64,
    targets: &dyn Targets,
    limits: &Limits,
    (notations, cached): (&Notations, Option<&mut LineCache>),
    problems: &mut Problems,
) -> (Score, Vec<Leftover>) {
    let ast = &file.ast;
    check_seed(ast, problems);
    check_channels(ast, problems);
    let meter = tempo::meter(ast, &ast.items, problems);
    let (tempo, tempo_places) = tempo::tempo_map(ast, &ast.items, &meter, problems);
    let mut composer = Composer::new(ast, targets, &meter, (notations, cached), seed, limits, problems);
    composer.song(&ast.items);
    let Composer { lines, written, clips, marks, arranged, note_params, .. } = composer;
    let length = length::length(ast, &ast.items, &meter, arranged.is_some(), problems);
    let restarts = arranged.or(length).is_some();
    let mut transport = Transport { tempo, lines, clips, marks, length: Rational::ZERO, restarts };
    transport.length = arranged.or(length).unwrap_or_else(|| own_length(&transport));
    check_reached(transport.length, &tempo_places, problems);
    check_countable(ast, &transport, &tempo_places, problems);
    let leftovers = check::check(&transport, &written, &mut { limits.score_work }, problems);
    let tuning = tuning::tuning(file, problems);
    (Score { transports: vec![transport], note_params, tuning, ..Score::default() }, leftovers)
}

/// Adds to the score of a file what is known when its song has been lowered. Without a `play`, every instrument plays a note
/// at the start; where the song is `measured`, also those that no line plays.
pub fn complete(score: &mut Score, ast: &Ast, measured: bool, remainder: Remainder) {
    let played = |item: &Item| matches!(item.kind, ItemKind::Play(_) | ItemKind::Arrangement(_));
    if measured || !ast.items.iter().any(played) {
        let lines = score.transports.iter().flat_map(|transport| &transport.lines);
        let has_line: Vec<usize> = lines
            .filter_map(|line| match line.action {
                Action::Play { target } => Some(target),
                Action::Set { .. } => None,
            })
            .collect();
        score.starts = remainder.starts.iter().copied().filter(|start| !has_line.contains(start)).collect();
    }
    follow_tempo(score, remainder);
}

/// Says which parameters follow the tempo of a score.
pub fn follow_tempo(score: &mut Score, remainder: Remainder) {
    let Some(transport) = score.transports.first() else { return };
    let (beat, bar) = remainder.musical;
    let beats_per_bar = transport.tempo.beats_per_bar;
    let beat = beat.map(|param| MusicalLength::new(param, Rational::ONE));
    let bar = bar.map(|param| MusicalLength::new(param, beats_per_bar));
    let is_set = |param: ParamId| {
        let mut actions =
            score.transports.iter().flat_map(|transport| &transport.lines).map(|line| &line.action);
        actions.any(|action| matches!(action, Action::Set { param: set, .. } if *set == param))
    };
    let following = remainder.following.into_iter().filter(|(param, _)| !is_set(*param));
    let following = following.map(|(param, musical)| musical.of_param(param, beats_per_bar));
    score.lengths = beat.into_iter().chain(bar).chain(following).collect();
}

/// `seed N` is one whole number.
fn check_seed(ast: &Ast, problems: &mut Problems) {
    let mut first = None;
    for item in &ast.items {
        let ItemKind::Seed(expr) = item.kind else { continue };
        tempo::twice(first, item.span, "seed", problems);
        first = Some(item.span);
        if let Err(problem) = amount::count(ast, expr, "for a seed", 0..=1 << 53) {
            problems.add(problem);
        }
    }
}

/// `channels N` is one whole number, as many as there can be.
fn check_channels(ast: &Ast, problems: &mut Problems) {
    let mut first = None;
    for item in &ast.items {
        let ItemKind::Channels { count, is_ambisonic } = item.kind else { continue };
        tempo::twice(first, item.span, "count of channels", problems);
        first = Some(item.span);
        let counts = channels::counts(channels::layout(is_ambisonic));
        let bounds = *counts.start() as i64..=*counts.end() as i64;
        let what = if is_ambisonic { "for the channels of an ambisonic song" } else { "for the channels" };
        if let Err(problem) = amount::count(ast, count, what, bounds) {
            problems.add(problem);
        }
    }
}

/// Bars after which every line is back at its start, at most 64; at least until the last tempo is reached. 0 without
/// lines.
fn own_length(transport: &Transport) -> Rational {
    const MOST_BARS: i64 = 64;
    if transport.lines.is_empty() {
        return Rational::ZERO;
    }
    let most = Rational::whole(MOST_BARS);
    let whole = |r: Result<Rational, Overflow>| r.map_or(most, |p| p.min(most));
    let period = transport.lines.iter().try_fold(Rational::ONE, |sum, line| {
        // Lines that never get back to their start together end at the bound.
        let period = line.pattern.period()?.common_multiple(Rational::ONE)?;
        if sum > most { Ok(sum) } else { sum.common_multiple(period) }
    });
    let period = whole(period);
    let changes = &transport.tempo.changes;
    let ramped = |i: usize| i > 0 && matches!(changes[i - 1].tempo, Tempo::Ramp { .. });
    let Some(last) = changes.len().checked_sub(1).filter(|&i| i > 0) else { return period };
    let heard = if ramped(last) { Rational::ZERO } else { Rational::ONE };
    let needed = (changes[last].bar + heard).unwrap_or(most);
    let times = (needed / period).map_or(1, |t| t.ceil().max(1));
    whole(Rational::new(times, 1).and_then(|t| t * period)).max(needed.min(most))
}

/// Warns of tempo changes beyond the song's end.
fn check_reached(length: Rational, changes: &[(Rational, Span)], problems: &mut Problems) {
    for (_, span) in changes.iter().filter(|(bar, _)| length.sign() > 0 && *bar >= length) {
        let unit = if length == Rational::ONE { "bar" } else { "bars" };
        let message = format!("the song has {} {unit} and ends before this", show::number(length));
        let help = "give the song a greater `length`, or let the tempo change earlier";
        problems.add(Problem::new(&SCORE_UNREACHED, *span, message).help(help));
    }
}

/// The rate at which a song's length is measured, so that it is too long or not whatever it is rendered at.
const GREATEST_RATE: u32 = 192_000;

/// Refuses a song whose last frame lies behind the last one that is counted to.
fn check_countable(ast: &Ast, transport: &Transport, changes: &[(Rational, Span)], problems: &mut Problems) {
    let clock = Clock::new(&transport.tempo, GREATEST_RATE);
    if clock.plain(transport.length).frame().is_ok() {
        return;
    }
    let slowest = changes.iter().min_by(|a, b| clock.tempo(a.0).total_cmp(&clock.tempo(b.0)));
    let long = |item: &&Item| matches!(item.kind, ItemKind::Length { .. } | ItemKind::Arrangement(_));
    let arranged = ast.items.iter().find(long).map(|item| item.span);
    let place = slowest.map(|change| change.1).or(arranged).unwrap_or_default();
    let days = LAST_FRAME / u64::from(GREATEST_RATE) / 86_400;
    let bars = show::number(transport.length);
    let message =
        format!("the song's bars ({bars}) take longer than {days} days, the most that a song may last");
    problems.add(Problem::new(&SCORE_NUMBER, place, message).help("take a faster tempo, or fewer bars"));
}

/// The pattern of a text of the notation by itself, its words as written. `place` covers `text`.
pub fn notation(text: &str, place: Span, seed: u64, problems: &mut Problems) -> Pattern {
    read(text, place, seed, words::Words::AsWritten, &Notations::default(), problems)
}

fn read(
    text: &str,
    place: Span,
    seed: u64,
    words: words::Words,
    notations: &Notations,
    problems: &mut Problems,
) -> Pattern {
    match notations.parse(text, place) {
        Ok(group) => mini::Builder::new(seed, problems).group(&group, words),
        Err(problem) => {
            problems.add(problem);
            Pattern::silence()
        }
    }
}
