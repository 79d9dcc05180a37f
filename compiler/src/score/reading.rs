//! What reading the modifiers of a line needs to know.

use super::codes::{MODIFIER, PATTERN_TOO_FINE};
use super::tempo::Meter;
use super::words::Words;
use super::{Instrument, Targets};
use mam_grammar::ast::{Arg, Ast, Expr, ExprId, Ident};
use mam_grammar::mini::Notations;
use mam_grammar::{Problem, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::pattern::mix;

/// Reads the modifiers of one line.
pub(super) struct Modifier<'a> {
    pub(super) ast: &'a Ast,
    pub(super) meter: &'a Meter,
    /// The patterns that have been read.
    pub(super) notations: &'a Notations,
    /// How the values of the pattern are read.
    pub(super) words: Words<'a>,
    /// Whether the pattern is one of notes, which have velocity and pitch.
    pub(super) notes: bool,
    pub(super) seed: u64,
    /// Random modifiers so far.
    pub(super) draws: u64,
    /// What its notes are played by.
    pub(super) player: Player<'a>,
    /// The parameters of which its notes have values, each once.
    pub(super) values: Vec<ParamId>,
}

/// What the notes of a line are played by.
#[derive(Clone, Copy)]
pub(super) enum Player<'a> {
    /// Nothing: the line sets a parameter, or a pattern is an argument.
    Nothing,
    /// An instrument of a song, by its name.
    Instrument(&'a dyn Targets, &'a Instrument),
    /// It is not known: a pattern by itself.
    Unknown,
}

/// A modifier as it stands in the text.
pub(super) struct Use<'a> {
    pub(super) name: &'a Ident,
    pub(super) args: &'a [Arg],
    pub(super) span: Span,
}

impl Modifier<'_> {
    pub(super) fn too_fine(&self, expr: ExprId) -> Problem {
        let message = "this divides time more finely than exact fractions can hold";
        Problem::new(&PATTERN_TOO_FINE, self.ast.span(expr), message)
    }

    pub(super) fn wrong(&self, arg: &Arg, message: &str) -> Problem {
        Problem::new(&MODIFIER, self.ast.span(arg.value), message)
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(mix(self.seed, u64::MAX), self.draws)
    }
}

/// Whether one of the modifiers, or one within them, is such, by its name.
pub(super) fn mentions(ast: &Ast, modifiers: &[ExprId], such: &dyn Fn(&str) -> bool) -> bool {
    let within = |args: &[Arg]| args.iter().any(|arg| mentions(ast, &[arg.value], such));
    modifiers.iter().any(|&m| match &ast.exprs[m] {
        Expr::Name(name) => such(&name.name),
        Expr::Call { callee, args } => such(&callee.name) || within(args),
        Expr::Method { of, callee, args } => {
            such(&callee.name) || mentions(ast, &[*of], such) || within(args)
        }
        Expr::Field { of, field } => such(&field.name) || mentions(ast, &[*of], such),
        Expr::Pipe { left, right } => mentions(ast, &[*left, *right], such),
        Expr::Paren(inner) => mentions(ast, &[*inner], such),
        _ => false,
    })
}
