//! What of a song is listened to beside its result: the terms of its last sum, and equations by their names.
//!
//! The last sum is found from `out`: through pipes and calls by their main input, products and quotients with what is no
//! sound, and equations, to the first `+` or `-`. Its terms, those of unnamed sums in it included, are the **stems**: each with
//! its sign, gain, pan and effects. A sum with a name is one stem. The sides of `(l, r)` are followed each by itself, and
//! their terms of one name go together, and so are the channels of `[a, b, c, d]`.
//!
//! Expressions are heard where they are lowered, as further outputs of the kernels that compute them anyway: states and
//! noise are those of the song.

use crate::files::Files;
use crate::graph::{Graph, NodeId, operands};
use crate::lower::{Lowered, SignalId};
use mam_grammar::ast::{
    BinaryOp, DefinitionKind, Expr, ExprId, Ident, ItemKind, UnaryOp, equation, equations,
};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// The parts of a song that are to be heard by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// Whether the stems are.
    pub stems: bool,
    /// Equations by their names; names that are none are left out.
    pub equations: Vec<String>,
    /// Whether all equations are.
    pub all_equations: bool,
}

/// Which channels of the result a signal is heard on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// As it is: a mono one on all.
    All,
    /// On this one alone, counted from 0.
    Channel(usize),
}

/// One signal of what is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its channels: indices into the program's outputs.
    pub channels: Vec<usize>,
    /// Whether it is taken away.
    pub minus: bool,
    /// Where it is heard.
    pub side: Side,
}

impl Part {
    /// Which of the program's outputs is heard of it on a channel of the result, if any.
    pub fn output(&self, channel: usize) -> Option<usize> {
        let here = match self.side {
            Side::All => true,
            Side::Channel(own) => own == channel,
        };
        let output = match self.channels[..] {
            [mono] => Some(mono),
            ref channels => channels.get(channel).copied(),
        };
        output.filter(|_| here)
    }
}

/// What can be heard of a program beside its result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The stems by their names; their sum is `total`.
    pub stems: Vec<(String, Vec<Part>)>,
    /// The terms of the last sum before the master.
    pub total: Vec<Part>,
    /// The equations by name, each as parts to add up.
    pub equations: Vec<(String, Vec<Part>)>,
    /// For each of them the names that it is made of.
    pub needs: Vec<Vec<String>>,
}

/// What is heard, as expressions of the song.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    stems: Vec<(String, Vec<Term>)>,
    total: Vec<Term>,
    equations: Vec<(String, Term)>,
    needs: Vec<Vec<String>>,
}

/// An expression that is heard.
#[derive(Clone, Copy, Debug)]
struct Term {
    expr: ExprId,
    /// Its node, where it is one as a whole: such an expression is evaluated nowhere else.
    node: Option<NodeId>,
    minus: bool,
    side: Side,
}

impl Listen {
    /// Finds what is wanted in a song, and lets the graph know of it.
    pub(crate) fn choose(&self, files: &Files, song: usize, graph: &mut Graph) -> Chosen {
        let finder = Finder { files, song, graph };
        let mut chosen = Chosen::default();
        if self.stems
            && let Some(out) = finder.equation("out")
        {
            chosen = finder.stems(out);
        }
        let all = if self.all_equations { finder.names() } else { vec![] };
        for name in self.equations.iter().chain(&all) {
            let Some(expr) = finder.equation(name) else { continue };
            chosen.needs.push(finder.names_in(expr));
            let node = graph.names.get(name.as_str()).copied();
            chosen.equations.push((name.clone(), Term { expr, node, minus: false, side: Side::All }));
        }
        let terms = chosen.stems.iter().flat_map(|(_, terms)| terms).chain(&chosen.total);
        let terms = terms.chain(chosen.equations.iter().map(|(_, term)| term));
        let (heard, roots) = terms.map(|term| (term.expr, term.node)).unzip::<_, _, _, Vec<_>>();
        graph.heard = heard;
        graph.roots.extend(roots.into_iter().flatten());
        chosen
    }
}

impl Chosen {
    /// The same of a lowered song: its signals become further ones of the result.
    pub(crate) fn heard(&self, lowered: &mut Lowered, channels: usize) -> Heard {
        let mut part = |term: &Term| {
            let own = lowered.heard.get(&term.expr).or_else(|| lowered.results.get(&term.node?));
            let signals: Vec<SignalId> = own.cloned().unwrap_or_default();
            let first = channels + lowered.also.len();
            lowered.also.extend(&signals);
            Part { channels: (first..first + signals.len()).collect(), minus: term.minus, side: term.side }
        };
        let equations = self.equations.iter().map(|(name, term)| (name.clone(), vec![part(term)])).collect();
        let mut all = |terms: &[Term]| terms.iter().map(&mut part).collect::<Vec<_>>();
        let total = all(&self.total);
        let stems = self.stems.iter().map(|(name, terms)| (name.clone(), all(terms))).collect();
        Heard { stems, total, equations, needs: self.needs.clone() }
    }
}

struct Finder<'a> {
    files: &'a Files,
    song: usize,
    graph: &'a Graph,
}

impl Finder<'_> {
    fn expr(&self, expr: ExprId) -> &Expr {
        &self.files.file(self.song).ast.exprs[expr]
    }

    fn equation(&self, wanted: &str) -> Option<ExprId> {
        equation(&self.files.file(self.song).ast.items, wanted)
    }

    /// The names of all equations.
    fn names(&self) -> Vec<String> {
        equations(&self.files.file(self.song).ast.items).map(|(name, _)| name.name.to_string()).collect()
    }

    /// The names in an expression.
    fn names_in(&self, expr: ExprId) -> Vec<String> {
        let (mut open, mut names) = (vec![expr], vec![]);
        while let Some(expr) = open.pop() {
            if let Expr::Name(name) = self.expr(expr) {
                names.push(name.name.to_string());
            }
            open.extend(operands(self.expr(expr)));
        }
        names
    }

    fn term(&self, expr: ExprId, minus: bool, side: Side) -> Term {
        let node = self.graph.instance_of(&self.files.file(self.song).ast, expr);
        Term { expr, node, minus, side }
    }

    fn stems(&self, out: ExprId) -> Chosen {
        let last = self.last_sum(out, &mut FxHashSet::default());
        let is_whole = matches!(last, Last::Nothing);
        let (sides, mut total) = match last {
            Last::Sum(sum) => (vec![(sum, Side::All)], vec![]),
            Last::Sides(sums) => {
                (sums.into_iter().map(|(channel, sum)| (sum, Side::Channel(channel))).collect(), vec![])
            }
            Last::Nothing => (vec![(out, Side::All)], vec![]),
        };
        let mut stems: Vec<(String, Vec<Term>)> = vec![];
        for (expr, side) in sides {
            total.push(self.term(expr, false, side));
            let mut terms = vec![];
            self.terms(expr, false, &mut terms);
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for (expr, minus) in terms {
                let base = match is_whole && self.is_of_several(expr) {
                    true => "out".into(),
                    false => self.name(expr).unwrap_or_else(|| "stem".into()),
                };
                let times = seen.entry(base.clone()).or_default();
                *times += 1;
                let name = if *times == 1 { base } else { format!("{base}-{times}") };
                let term = self.term(expr, minus, side);
                match stems.iter_mut().find(|(other, _)| *other == name && matches!(side, Side::Channel(1..)))
                {
                    Some((_, terms)) => terms.push(term),
                    None => stems.push((name, vec![term])),
                }
            }
        }
        Chosen { stems, total, ..Chosen::default() }
    }

    /// Whether the sounds of several equations meet in an expression, so that none of them names it.
    fn is_of_several(&self, expr: ExprId) -> bool {
        let mut names = self.names_in(expr);
        names.retain(|name| self.equation(name).is_some_and(|value| !self.is_gain(value)));
        names.put_in_order();
        names.dedup();
        names.len() > 1
    }

    /// The first sum on the way from an expression to its sources.
    fn last_sum(&self, expr: ExprId, seen: &mut FxHashSet<ExprId>) -> Last {
        if !seen.insert(expr) {
            return Last::Nothing;
        }
        match self.expr(expr) {
            Expr::Binary { op: BinaryOp::Add | BinaryOp::Sub, .. } => Last::Sum(expr),
            Expr::Paren(x) | Expr::Unary { op: UnaryOp::Neg, x } => self.last_sum(*x, seen),
            Expr::Pipe { left, .. } => self.last_sum(*left, seen),
            Expr::Field { of, .. } => self.last_sum(*of, seen),
            Expr::Name(name) => match self.equation(&name.name) {
                Some(value) => self.last_sum(value, seen),
                None => Last::Nothing,
            },
            Expr::Binary { op: BinaryOp::Mul, a, b } if self.is_gain(*a) => self.last_sum(*b, seen),
            Expr::Binary { op: BinaryOp::Mul | BinaryOp::Div, a, b } if self.is_gain(*b) => {
                self.last_sum(*a, seen)
            }
            Expr::Call { callee, .. } => match self.main_input(callee, expr) {
                Some(input) => self.last_sum(input, seen),
                None => Last::Nothing,
            },
            Expr::Tuple(channels) | Expr::List(channels) => self.last_sums(channels, seen),
            _ => Last::Nothing,
        }
    }

    /// The last sum of each channel. A channel that is a term by itself is its own, as long as any is a sum.
    fn last_sums(&self, channels: &[ExprId], seen: &FxHashSet<ExprId>) -> Last {
        let sum = |&channel: &ExprId| match self.last_sum(channel, &mut seen.clone()) {
            Last::Sum(sum) => Some(sum),
            _ => None,
        };
        let sums: Vec<Option<ExprId>> = channels.iter().map(sum).collect();
        let sounds = channels.iter().zip(&sums).enumerate().filter(|(_, (expr, _))| !self.is_gain(**expr));
        let sounds: Vec<(usize, ExprId)> =
            sounds.map(|(channel, (expr, sum))| (channel, sum.unwrap_or(*expr))).collect();
        match sums[..] {
            [Some(first), ..] if sums.iter().all(|sum| *sum == Some(first)) => Last::Sum(first),
            _ if sums.iter().any(Option::is_some) => Last::Sides(sounds),
            _ => Last::Nothing,
        }
    }

    /// What a call of one signal takes: the first argument, where the others are gains and numbers.
    fn main_input(&self, callee: &Ident, call: ExprId) -> Option<ExprId> {
        let Expr::Call { args, .. } = self.expr(call) else { return None };
        let kind = self.files.find(self.song, &callee.name).map(|def| self.files.definition(def).kind);
        let (first, others) = args.split_first()?;
        let unary =
            kind != Some(DefinitionKind::Instrument) && others.iter().all(|arg| self.is_gain(arg.value));
        (unary && first.name.is_none()).then_some(first.value)
    }

    /// Whether an expression is not a sound: made of numbers and knobs alone.
    fn is_gain(&self, expr: ExprId) -> bool {
        match self.expr(expr) {
            Expr::Number(_) | Expr::Length { .. } => true,
            Expr::List(elements) => elements.iter().all(|&element| self.is_gain(element)),
            Expr::Paren(x) | Expr::Unary { x, .. } => self.is_gain(*x),
            Expr::Binary { a, b, .. } => self.is_gain(*a) && self.is_gain(*b),
            Expr::Name(name) => self.files.file(self.song).ast.items.iter().any(|item| match &item.kind {
                ItemKind::Param(param) => param.knob && param.name.name == name.name,
                ItemKind::Equation { name: other, value } => {
                    other.name == name.name && matches!(self.expr(*value), Expr::Number(_))
                }
                _ => false,
            }),
            _ => false,
        }
    }

    /// The terms of a sum, and of the sums without names in it.
    fn terms(&self, expr: ExprId, minus: bool, found: &mut Vec<(ExprId, bool)>) {
        stacker::maybe_grow(64 << 10, 1 << 20, || match self.expr(expr) {
            Expr::Binary { op: op @ (BinaryOp::Add | BinaryOp::Sub), a, b } => {
                self.terms(*a, minus, found);
                self.terms(*b, minus != (*op == BinaryOp::Sub), found);
            }
            Expr::Paren(x) => self.terms(*x, minus, found),
            _ => found.push((expr, minus)),
        });
    }

    /// What a term is called: like the equation or instrument that its sound comes from.
    fn name(&self, expr: ExprId) -> Option<String> {
        match self.expr(expr) {
            Expr::Name(name) => Some(name.name.to_string()),
            Expr::Paren(x) | Expr::Unary { x, .. } | Expr::Field { of: x, .. } => self.name(*x),
            Expr::Pipe { left, .. } => self.name(*left),
            Expr::Binary { a, b, .. } => match self.is_gain(*a) {
                true => self.name(*b),
                false => self.name(*a),
            },
            Expr::Tuple(sides) => sides.iter().find_map(|side| self.name(*side)),
            Expr::Call { callee, args } => {
                let input = args.first().filter(|arg| arg.name.is_none() && !self.is_gain(arg.value));
                input.and_then(|arg| self.name(arg.value)).or_else(|| Some(callee.name.to_string()))
            }
            _ => None,
        }
    }
}

/// Where the way from `out` ends.
enum Last {
    Sum(ExprId),
    /// Those of channels, by their numbers.
    Sides(Vec<(usize, ExprId)>),
    Nothing,
}
