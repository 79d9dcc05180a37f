//! `expect`: what a measure of an expression is to be, said in the source and measured by `mamc test`.
//!
//! An `expect` is parsed with its file and costs a song nothing: its names are resolved and its constants checked where the
//! file is checked, and no kernel is made of it. To measure one, its expression is compiled as a song of its own, in which
//! `out` is the expression and everything else is the file's ([`crate::Options::measured`]).
//!
//! - [`measures`] is the table of measures.
//! - `feed` supplies the input of what a measure excites.
//! - `song` makes the song of an expression.
//! - [`find`] reads the checks of a text.

pub(crate) mod feed;
pub mod find;
pub mod measures;
pub(crate) mod song;

pub use song::Subject;

use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::consts::{Consts, Missing};
use crate::hir::resolve::resolved;
use crate::units::unit_of;
use mam_grammar::ast::{Condition, ExprId, ItemKind, Unit};
use mam_grammar::{Problem, Problems, Span};
use measures::{Given, Measure, Param, Quantity};

/// An `expect` that can be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The index of its item in its file.
    pub item: usize,
    /// All of it, without its documentation.
    pub span: Span,
    /// The measure that is taken.
    pub measure: Measure,
    /// Its further arguments in base units, in the order of [`measures::Row::params`].
    pub given: Vec<Option<f64>>,
    /// Which arguments of the call are measured, in the order of [`measures::Row::subjects`].
    pub subjects: Vec<Subject>,
    /// Whether something flows in.
    pub fed: bool,
    /// What the value is to be; `None` where the measure is a condition.
    pub bound: Option<Bound>,
}

/// What a measured value is to be, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Less than this.
    Below(f64),
    /// More than this.
    Above(f64),
    /// From the first to the second, both included.
    Between(f64, f64),
    /// As near to a value as a tolerance says.
    Within(Tolerance, f64),
}

/// How far a value may be away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// By a share of the value: `5%`.
    Share(f64),
    /// By this factor, up or down: `0.1dB`, `1ct`.
    Factor(f64),
    /// By a difference in the value's own unit: `2ms`, `0.5`.
    Difference(f64),
}

impl Bound {
    /// Whether a value is what it is to be. A value that is not a number never is.
    pub fn holds(self, value: f64) -> bool {
        let (low, high) = match self {
            Bound::Below(bound) => return value < bound,
            Bound::Above(bound) => return value > bound,
            Bound::Between(low, high) => (low, high),
            Bound::Within(Tolerance::Share(share), of) => (of - share * of.abs(), of + share * of.abs()),
            Bound::Within(Tolerance::Factor(factor), of) => {
                let (up, down) = (of * factor, of / factor);
                (up.min(down), up.max(down))
            }
            Bound::Within(Tolerance::Difference(away), of) => (of - away, of + away),
        };
        (low..=high).contains(&value)
    }
}

/// Reads the checks of a file, with their numbers from `consts`, and says what is wrong with these.
pub(crate) fn read(files: &Files, consts: &Consts, file: usize, problems: &mut Problems) -> Vec<Check> {
    let ast = &files.file(file).ast;
    let mut reader = Reader { files, consts, file, problems };
    let expects = ast.items.iter().enumerate().filter_map(|(item, at)| match at.kind {
        ItemKind::Expect(ref expect) => Some((item, at.span, expect.condition)),
        _ => None,
    });
    expects.filter_map(|(item, span, condition)| reader.check(item, span, condition)).collect()
}

struct Reader<'a> {
    files: &'a Files,
    consts: &'a Consts,
    file: usize,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn check(&mut self, item: usize, span: Span, condition: Option<Condition>) -> Option<Check> {
        let measured = resolved(self.files, self.file).measured(item)?;
        let (measure, args) = (measured.measure, measured.args.clone());
        let row = measure.row();
        let (subjects, params) = args.split_at(row.subjects.len());
        let given: Vec<_> =
            row.params.iter().zip(params).map(|(param, expr)| self.given(param, *expr)).collect();
        let bound = self.bound(row.name, row.quantity, span, condition);
        let ast = &self.files.file(self.file).ast;
        let ItemKind::Expect(expect) = &ast.items[item].kind else { return None };
        let written = ast.measure(expect).1;
        let subject = |expr: &Option<ExprId>| {
            let argument = written.iter().position(|arg| Some(arg.value) == *expr)?;
            Some(Subject { item, argument })
        };
        let fed = subjects.iter().flatten().any(|expr| feed::names_input(ast, *expr));
        Some(Check {
            item,
            span,
            measure,
            given: given.into_iter().collect::<Option<_>>()?,
            subjects: subjects.iter().map(subject).collect::<Option<_>>()?,
            fed,
            bound: bound?,
        })
    }

    /// An argument: none where it is wrong, `Some(None)` where it is not given.
    fn given(&mut self, param: &Param, expr: Option<ExprId>) -> Option<Option<f64>> {
        let Some(expr) = expr else {
            return match param.given {
                Given::Needed => None, // That has been said.
                Given::Optional => Some(None),
                Given::Default(value) => Some(Some(value)),
            };
        };
        let value = self.number(expr, param.dimension, &format!("`{}`", param.name))?;
        if param.values.contain(value) {
            return Some(Some(value));
        }
        let span = self.files.file(self.file).ast.span(expr);
        let message = format!("`{}` is {}", param.name, param.values.words());
        let help = match param.given {
            Given::Needed => "write another number".to_owned(),
            _ => format!("write another number, or leave `{}` out", param.name),
        };
        self.problems.add(Problem::new(&codes::OUT_OF_BOUNDS, span, message).help(help));
        None
    }

    /// A constant that measures `wanted`; plain numbers go anywhere.
    fn number(&mut self, expr: ExprId, wanted: Dimension, what: &str) -> Option<f64> {
        let span = self.files.file(self.file).ast.span(expr);
        match self.consts.number(self.files, self.file, expr, &[]) {
            Ok((value, dimension)) if dimension == wanted || dimension == Dimension::PLAIN => Some(value),
            Ok((_, dimension)) => {
                let message = format!("{what} is {wanted}, but this is {dimension}");
                let help = format!("write {}", example(wanted));
                self.problems.add(Problem::new(&codes::DIMENSION, span, message).help(help));
                None
            }
            Err(Missing::Varies) => {
                let message = format!("{what} is not constant");
                let help = "it must be known before anything is measured: write a number";
                self.problems.add(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
                None
            }
            Err(Missing::Wrong) => None,
        }
    }

    /// What the value is to be; none where something is wrong with it.
    fn bound(
        &mut self,
        name: &str,
        quantity: Quantity,
        span: Span,
        condition: Option<Condition>,
    ) -> Option<Option<Bound>> {
        let Some(condition) = condition else {
            if quantity == Quantity::Condition {
                return Some(None);
            }
            let message = format!("this does not say what `{name}` is to be");
            let problem = Problem::new(&codes::EXPECT_BOUND, span, message);
            let help = format!(
                "add a bound: `… < {0}`, `> {0}`, `in a..b` or `within 5% of {0}`",
                value_of(quantity)
            );
            self.problems.add(problem.help(help));
            return None;
        };
        if quantity == Quantity::Condition {
            let message = format!("`{name}` holds or does not hold: there is nothing to compare");
            let help = format!("end the line behind `{name}(…)`");
            self.problems.add(Problem::new(&codes::EXPECT_BOUND, span, message).help(help));
            return None;
        }
        let mut value = |expr: ExprId| self.value(name, quantity, expr);
        let bound = match condition {
            Condition::Below(bound) => Bound::Below(value(bound)?),
            Condition::Above(bound) => Bound::Above(value(bound)?),
            Condition::Between(low, high) => {
                let (from, to) = (value(low)?, value(high)?);
                if from > to {
                    let ast = &self.files.file(self.file).ast;
                    let span = ast.span(low).to(ast.span(high));
                    let problem = Problem::new(&codes::BAD_BOUNDS, span, "this range ends below its start");
                    self.problems.add(problem.help("write the smaller value first"));
                    return None;
                }
                Bound::Between(from, to)
            }
            Condition::Within { tolerance, of } => {
                let of = value(of)?;
                Bound::Within(self.tolerance(quantity, tolerance)?, of)
            }
        };
        Some(Some(bound))
    }

    fn value(&mut self, name: &str, quantity: Quantity, expr: ExprId) -> Option<f64> {
        let ast = &self.files.file(self.file).ast;
        if quantity == Quantity::Loudness && unit_of(ast, expr) == Some(Unit::Db) {
            let message = format!("`{name}` is in LUFS, and `dB` is a ratio");
            let problem = Problem::new(&codes::DIMENSION, ast.span(expr), message);
            let text = self.files.slice(ast.span(expr)).trim_end_matches("dB").to_owned();
            let problem = problem.help(format!("leave the unit out: `{text}`")).fix(ast.span(expr), text);
            self.problems.add(problem);
            return None;
        }
        let value = self.number(expr, quantity.dimension(), &format!("what `{name}` measures"))?;
        if quantity == Quantity::Level && value < 0.0 {
            let span = ast.span(expr);
            let text = format!("{}dB", self.files.slice(span));
            let message = format!("`{name}` is a level, which is never below 0");
            let problem = Problem::new(&codes::EXPECT_BOUND, span, message);
            self.problems.add(problem.help(format!("in decibels it is `{text}`")).guess(span, text));
            return None;
        }
        Some(value)
    }

    /// A tolerance, by the unit that it is written in.
    fn tolerance(&mut self, quantity: Quantity, expr: ExprId) -> Option<Tolerance> {
        let ast = &self.files.file(self.file).ast;
        let unit = unit_of(ast, expr);
        let number = self.number(expr, quantity.dimension(), "this tolerance")?;
        Some(match unit {
            Some(Unit::Percent) => Tolerance::Share(number.abs()),
            Some(Unit::Db) if quantity == Quantity::Loudness => {
                Tolerance::Difference(20.0 * number.abs().log10().abs())
            }
            Some(Unit::Db | Unit::St | Unit::Ct | Unit::Octaves) => Tolerance::Factor(number.abs()),
            _ => Tolerance::Difference(number.abs()),
        })
    }
}

/// A number of a dimension, for a help.
fn example(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::TIME => "a time, such as `20ms`",
        Dimension::FREQUENCY => "a frequency, such as `1kHz`",
        _ => "a number without a unit of time or frequency",
    }
}

/// A value of a quantity, for a help.
fn value_of(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Level => "-60dB",
        Quantity::Loudness => "-14",
        Quantity::Time => "20ms",
        Quantity::Frequency => "440Hz",
        Quantity::Plain | Quantity::Condition => "1",
    }
}
