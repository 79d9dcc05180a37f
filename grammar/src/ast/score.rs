//! The lines of a score and of a matrix, arrangements, and the numbers of MIDI files.

use super::{Ast, ExprId, Ident, ItemKind, Quoted};
use crate::source::Span;

/// One line of a score: `bd |x...x...|`, `bd.gain "~ ~ 1.0 ~" over 40ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `bd` or `bd.gain`: words joined by points.
    pub target: Vec<Ident>,
    /// The tab or the quoted pattern that is played.
    pub pattern: PatternText,
    /// `.fast(2)`, in order: each an [`Expr::Call`](super::Expr::Call) or [`Expr::Name`](super::Expr::Name).
    pub modifiers: Vec<ExprId>,
    /// The time of `over 40ms`, in which a parameter reaches each new value.
    pub over: Option<ExprId>,
    /// True with `curve exp`: the range is divided exponentially.
    pub curve_exp: bool,
}

/// The pattern of a line, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternText {
    /// `|x...|x.x.|`: one text a bar, as written between the bar lines.
    Tab {
        /// The bars.
        bars: Vec<Quoted>,
        /// `by 1/16`
        by: Option<ExprId>,
    },
    /// `"c2 [e2 g2]"`
    Notation(Quoted),
    /// `sine`, `cat("c2", "e2 g2")`: an [`Expr::Name`](super::Expr::Name) or [`Expr::Call`](super::Expr::Call).
    Made(ExprId),
    /// `~`: in a variation, the section has no line of this target. With its place.
    Nothing(Span),
}

/// One part of an arrangement: `verse*2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of the section that is played.
    pub section: Ident,
    /// How often: once when absent.
    pub times: Option<ExprId>,
}

/// A signal that moves a parameter: `lfo1 -> bass.cutoff: 2 octaves curve exp in 100Hz..4kHz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The signal that moves it: a plain number around 0 or 1.
    pub source: ExprId,
    /// The parameter: words joined by points, as in a line of the score.
    pub target: Vec<Ident>,
    /// By how much, where the source is 1.
    pub depth: ExprId,
    /// The scale in which depths are added up, where it is said.
    pub scale: Option<Scale>,
    /// Least and greatest value of the parameter that this line leads to.
    pub range: Option<(ExprId, ExprId)>,
}

/// In which scale a depth acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// It is added to the value.
    Linear,
    /// It is a ratio, by which the value is multiplied.
    Exp,
}

impl Scale {
    /// The word after `curve`.
    pub fn word(self) -> &'static str {
        match self {
            Scale::Linear => "linear",
            Scale::Exp => "exp",
        }
    }
}

/// The numbers by which a MIDI file names an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidiNumbers {
    /// True for keys of the drum channel (`midi drum`), false for programs (`midi program`).
    pub drum: bool,
    /// Single numbers, and ranges with both ends included, in the order in which they are written.
    pub ranges: Vec<(ExprId, Option<ExprId>)>,
}

impl Ast {
    /// The lines of all matrices of the song, in their order; broken ones are left out.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        let matrices = self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Matrix(routes) => Some(routes),
            _ => None,
        });
        matrices.flatten().filter_map(|item| match &item.kind {
            ItemKind::Route(route) => Some(route),
            _ => None,
        })
    }
}
