//! Lines that have been read: one that is written as before, and is read as before, plays the same, wherever it stands.
//!
//! The key of a line holds all that decides what it plays: what is written in it with its places in the line, what its words mean,
//! the meter, and its seed. A line in which something is wrong has to say where, and is not cached; nor is one whose notes set
//! parameters, which have other numbers in another song.

use super::rests::Rests;
use super::tempo::Meter;
use super::words::Words;
use super::work::FirstCycle;
use super::{Instrument, Parameter};
use crate::graph::each_operand;
use mam_grammar::ast::{Ast, Expr, ExprId, Line as Written, PatternText, Quoted};
use mam_grammar::memo::Memo;
use mam_grammar::{Problems, Span};
use mam_runtime::score::pattern::SourceShift;
use mam_runtime::score::{Overflow, Pattern, Rational};
use mam_runtime::sort::Sort;

/// Whether lines are cached: the page goes without, which would be larger for it.
const KEEPS_LINES: bool = !cfg!(target_family = "wasm");

/// The lines of a song and of its versions before, by all that decides what they play.
#[derive(Default)]
pub struct LineCache {
    known: Memo<[u8], Cached>,
    /// The key of the line that was asked for.
    key: Vec<u8>,
}

struct Cached {
    line: ReadLine,
    /// The byte at which it began where it was read.
    start: u32,
    /// The work that it took to try it.
    steps: u64,
}

/// What a line plays, as it was read.
#[derive(Clone)]
pub(super) struct ReadLine {
    pub(super) pattern: Pattern,
    /// What is added to the places of its steps.
    pub(super) shift: SourceShift,
    /// What is known of its first cycle; `None` where the work ran out.
    pub(super) first: Option<FirstCycle>,
    pub(super) rests: Option<Rests>,
    pub(super) period: Result<Rational, Overflow>,
}

/// What decides what a line plays.
pub(super) struct Line<'a> {
    pub(super) ast: &'a Ast,
    pub(super) line: &'a Written,
    /// The byte at which it begins.
    pub(super) start: u32,
    pub(super) words: Words<'a>,
    pub(super) meter: &'a Meter,
    pub(super) seed: u64,
}

impl LineCache {
    /// Begins with the next version of a song; forgets what has long been gone.
    pub fn next_version(&mut self) {
        self.known.next_version();
    }

    /// Writes the key of a line, and says whether it has one.
    pub(super) fn write_key(&mut self, line: &Line) -> bool {
        self.key.clear();
        KEEPS_LINES && Key { of: line, bytes: &mut self.key }.line().is_some()
    }

    /// The line whose key was written, which now begins at a byte, and the work that it takes to try it.
    pub(super) fn find(&mut self, start: u32) -> Option<(ReadLine, u64)> {
        let (cached, _) = self.known.find(&self.key)?;
        let shift = SourceShift::between(cached.start, start);
        Some((ReadLine { shift, ..cached.line.clone() }, cached.steps))
    }

    /// Keeps the line whose key was written, which was read at a byte.
    pub(super) fn keep(&mut self, line: ReadLine, start: u32, steps: u64) {
        self.known.keep(&self.key[..], Cached { line, start, steps });
    }
}

/// Writes a key. Whatever has none says `None`.
struct Key<'k, 'a> {
    of: &'k Line<'a>,
    bytes: &'k mut Vec<u8>,
}

impl Key<'_, '_> {
    fn line(&mut self) -> Option<()> {
        let Line { line, words, meter, seed, .. } = *self.of;
        self.number(seed);
        self.number(meter.beats as u64);
        self.bytes.extend(meter.beats_per_bar.num().to_le_bytes());
        self.bytes.extend(meter.beats_per_bar.den().to_le_bytes());
        self.words(words)?;
        match &line.pattern {
            PatternText::Tab { bars, by } => {
                self.list(0, bars.len());
                bars.iter().for_each(|bar| self.quoted(bar));
                self.list(0, by.iter().len());
                by.iter().try_for_each(|by| self.expr(*by))?;
            }
            PatternText::Notation(text) => {
                self.tag(1);
                self.quoted(text);
            }
            PatternText::Made(expr) => {
                self.tag(2);
                self.expr(*expr)?;
            }
            PatternText::Nothing(_) => return None,
        }
        line.modifiers.iter().try_for_each(|modifier| self.expr(*modifier))
    }

    fn words(&mut self, words: Words) -> Option<()> {
        match words {
            Words::Notes { of, degrees, chords } => {
                // The rest of it says who plays, and what is cut; its name is in the seed.
                let Instrument { pitched, .. } = of;
                self.bytes.extend([0, (*pitched).into(), degrees.into(), chords.into()]);
            }
            Words::Values(of) => {
                // The rest says which one it is, and how values are shown.
                let Parameter { dimension, scale, range: (low, high), is_argument, .. } = of;
                self.bytes.extend([1, dimension.0 as u8, (*is_argument).into()]);
                [scale, low, high].into_iter().for_each(|x| self.number(x.to_bits()));
            }
            _ => return None,
        }
        Some(())
    }

    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn list(&mut self, tag: u8, length: usize) {
        self.tag(tag);
        self.bytes.extend((length as u32).to_le_bytes());
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.list(tag, text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn place(&mut self, byte: u32) {
        self.bytes.extend(byte.wrapping_sub(self.of.start).to_le_bytes());
    }

    fn quoted(&mut self, Quoted { text, span }: &Quoted) {
        self.place(span.start);
        self.text(0, text);
    }

    fn expr(&mut self, expr: ExprId) -> Option<()> {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.whole(expr))
    }

    fn whole(&mut self, expr: ExprId) -> Option<()> {
        let ast = self.of.ast;
        self.place(ast.span(expr).start);
        let expr = &ast.exprs[expr];
        match expr {
            Expr::Number(number) => {
                self.text(0, &number.digits);
                self.tag(number.unit.map_or(0, |unit| unit as u8 + 1));
            }
            Expr::Text(text) => self.text(1, text),
            Expr::Name(name) => self.text(2, &name.name),
            Expr::Field { field, .. } => self.text(3, &field.name),
            Expr::Call { callee, args } | Expr::Method { callee, args, .. } => {
                self.text(if matches!(expr, Expr::Call { .. }) { 4 } else { 5 }, &callee.name);
                self.list(0, args.len());
                for arg in args {
                    self.text(0, arg.name.as_ref().map_or("", |name| &name.name));
                }
            }
            Expr::Length { unit, .. } => self.bytes.extend([6, *unit as u8]),
            Expr::Unary { op, .. } => self.bytes.extend([7, *op as u8]),
            Expr::Binary { op, .. } => self.bytes.extend([8, *op as u8]),
            Expr::Pipe { .. } => self.tag(9),
            Expr::Paren(_) => self.tag(10),
            Expr::Index { .. } => self.tag(11),
            Expr::Tuple(parts) => self.list(12, parts.len()),
            Expr::List(parts) => self.list(13, parts.len()),
            Expr::If { .. }
            | Expr::Reduce { .. }
            | Expr::Chain { .. }
            | Expr::Oversample { .. }
            | Expr::Spectral { .. }
            | Expr::Record(_) => return None,
        }
        let mut all = Some(());
        each_operand(expr, &mut |operand| all = all.and_then(|()| self.expr(operand)));
        all
    }
}

/// Where something is wrong.
pub(super) struct Spans {
    /// Where each begins, in order, and the furthest end of all up to it.
    all: Vec<(u32, u32)>,
}

impl Spans {
    /// The places of problems.
    pub(super) fn new(problems: &Problems) -> Spans {
        let places = problems.iter().map(|problem| (problem.span().start, problem.span().end));
        let mut all: Vec<(u32, u32)> = places.collect();
        all.put_in_order();
        let mut furthest = 0;
        for (_, end) in &mut all {
            furthest = furthest.max(*end);
            *end = furthest;
        }
        Spans { all }
    }

    /// Whether one of them has a byte in common with a place, or stands beside it.
    pub(super) fn touch(&self, place: Span) -> bool {
        let begun = self.all.partition_point(|(start, _)| *start <= place.end);
        begun.checked_sub(1).is_some_and(|last| self.all[last].1 >= place.start)
    }
}
