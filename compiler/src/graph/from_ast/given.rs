//! What the song gives to its instruments and effects, and how many voices they have.

use super::super::{Given, NodeId, NodeKind, Voiced, call_of};
use super::Maker;
use super::Need;
use crate::codes;
use crate::graph::operands;
use crate::hir::{Iterations, Name};
use mam_grammar::ast::{DefinitionKind, Expr, ExprId};
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashSet;

impl Maker<'_> {
    /// What is given to an instance: a number, an instance itself, or an expression that becomes a node of its own.
    pub(super) fn given(&mut self, to: NodeId, path: &str, expr: ExprId, iterations: &Iterations) -> Given {
        if matches!(self.ast.exprs[expr], Expr::Number(_)) {
            return Given::Number(expr);
        }
        self.find_calls(expr, iterations, path, false);
        if self.names_voice(expr) {
            self.followed = (!iterations.is_empty()).then(FxHashSet::default);
            self.need_all(to, expr, iterations);
            self.followed = None;
            self.graph.voiced.push(Voiced { expr, iterations: iterations.clone() });
            return Given::Voice(self.graph.voiced.len() - 1);
        }
        if let Some(&node) = self.graph.calls.get(&(call_of(self.ast, expr), iterations.clone())) {
            self.needs.push((to, Need::Node(node)));
            return Given::Node(node);
        }
        let kind = NodeKind::Glue { expr, iterations: iterations.clone() };
        let node = self.node(path, self.ast.span(expr), kind);
        self.followed = (!iterations.is_empty()).then(FxHashSet::default);
        self.need_all(node, expr, iterations);
        self.followed = None;
        self.needs.push((to, Need::Node(node)));
        Given::Node(node)
    }

    /// Whether an expression names a signal of the `voice` to which it is given.
    fn names_voice(&self, expr: ExprId) -> bool {
        if self.hir.name(expr) == Name::Voice {
            return true;
        }
        // What is given to an instrument is of that instrument's voices.
        if let Some((_, _, DefinitionKind::Instrument)) = self.instance_call(expr) {
            return false;
        }
        operands(&self.ast.exprs[expr]).into_iter().any(|x| self.names_voice(x))
    }

    /// The MIDI note of a frequency that is known before the song starts.
    pub(super) fn note_of(&self, expr: ExprId, iterations: &Iterations) -> Option<f64> {
        let found = self.library.consts.number(self.files, self.song, expr, iterations).ok();
        let (hertz, _) = found.filter(|&(x, _)| x > 0.0 && x.is_finite())?;
        Some((69.0 + 12.0 * libm::log2(hertz / 440.0)).clamp(0.0, 127.0))
    }

    pub(super) fn voices(&mut self, expr: ExprId, iterations: &Iterations) -> u32 {
        let span = self.ast.span(expr);
        match self.library.consts.whole(self.files, self.song, expr, iterations) {
            Some(n) if (1..=self.files.limits.voices as i64).contains(&n) => self.more_voices(n as u32, span),
            Some(n) => {
                let message =
                    format!("{n} voices: there can be 1 to {}, the limit `voices`", self.files.limits.voices);
                let nearest = n.clamp(1, self.files.limits.voices as i64).to_string();
                let problem = Problem::new(&codes::TOO_LARGE, span, message);
                self.problems.add(problem.help(format!("write `{nearest}`")).guess(span, nearest));
                1
            }
            None => {
                let message =
                    "the number of voices must be a whole plain number known before the song starts";
                let problem = Problem::new(&codes::NOT_CONSTANT, span, message);
                self.problems.add(problem.help("write a number: `voices: 8`").guess(span, "8"));
                1
            }
        }
    }

    /// So many voices, if there may be as many in the song.
    fn more_voices(&mut self, n: u32, span: Span) -> u32 {
        let most = self.files.limits.all_voices;
        self.all_voices += n as usize;
        if self.all_voices <= most {
            return n;
        }
        if self.all_voices - n as usize <= most {
            let message = format!("the instruments have more than {most} voices, the limit `all_voices`");
            self.problems
                .add(Problem::new(&codes::TOO_LARGE, span, message).help("give them fewer `voices:`"));
        }
        1
    }
}
