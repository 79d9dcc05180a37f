//! Values with which instruments start that change nothing, or leave nothing to hear.

use crate::files::Files;
use crate::graph::{Given, Graph, Instance, NodeId};
use crate::library::{Library, ParamInfo};
use crate::lower::Slots;
use crate::score::codes::{NO_BEAT, NO_SUCH_PIECE};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::Target;
use mam_runtime::ids::ParamId;
use mam_runtime::score::{Action, Score};

/// A song whose parameters and score are known.
pub(crate) struct Song<'a> {
    pub(crate) files: &'a Files,
    pub(crate) library: &'a Library,
    /// The song among the files.
    pub(crate) file: usize,
    pub(crate) graph: &'a Graph,
    pub(crate) slots: &'a Slots,
    pub(crate) score: &'a Score,
    pub(crate) targets: &'a [Target],
    /// What is set from outside, and where that stands.
    pub(crate) set: &'a [(ParamId, Span)],
}

/// A parameter of an instrument that stays what it starts with.
struct Start<'a> {
    info: &'a ParamInfo,
    /// Where its value is given.
    at: Span,
}

impl Song<'_> {
    /// Warns of what instruments start with.
    pub(crate) fn check(&self, problems: &mut Problems) {
        for (node, _) in self.graph.nodes.iter() {
            let Some(instance) = self.graph.instance(node) else { continue };
            let found = [self.beat(node, instance), self.piece(node, instance)];
            found.into_iter().flatten().for_each(|problem| problems.add(problem));
        }
    }

    /// One of `bpm` and `loop` alone.
    fn beat(&self, node: NodeId, instance: &Instance) -> Option<Problem> {
        let (bpm, looped) = (self.start(node, instance, "bpm")?, self.start(node, instance, "loop")?);
        if !bpm.info.is_beat() {
            return None;
        }
        let name = &self.graph.nodes[node].path;
        let (one, other, help) = match (bpm.info.default > 0.0, looped.info.default > 0.0) {
            (true, false) => {
                let help =
                    "the tempo of the song is `tempo 140`; for a beat of its own it needs `loop: 1` as well";
                (&bpm, &looped, help)
            }
            (false, true) => {
                let repeats = self.start(node, instance, "repeat").is_some();
                let help = match repeats {
                    true => {
                        "`repeat: 1` goes round in the sound while the note is held; `loop` is for a beat of its own, with `bpm`"
                    }
                    false => {
                        "for a beat of its own it needs `bpm: 120` as well; the song goes round by itself"
                    }
                };
                (&looped, &bpm, help)
            }
            _ => return None,
        };
        let message = format!(
            "`{name}` has `{}: {}` and `{}: {}`, and so no beat of its own",
            one.info.name,
            one.info.show(one.info.default),
            other.info.name,
            other.info.show(other.info.default)
        );
        Some(Problem::new(&NO_BEAT, one.at, message).help(help))
    }

    /// A piece of a sound that ends before it begins.
    fn piece(&self, node: NodeId, instance: &Instance) -> Option<Problem> {
        let (begin, end) = (self.start(node, instance, "begin")?, self.start(node, instance, "end")?);
        if begin.info.default < end.info.default {
            return None;
        }
        let show = |start: &Start| start.info.show(start.info.default);
        let message = format!(
            "`{}` plays from {} to {} of its sound, which is nothing",
            self.graph.nodes[node].path,
            show(&begin),
            show(&end)
        );
        let help = "let `begin` be less than `end`; a `speed` below 0 plays backwards";
        Some(Problem::new(&NO_SUCH_PIECE, end.at, message).help(help))
    }

    /// A parameter of an instrument or effect, if it has it and nothing moves it.
    fn start(&self, node: NodeId, instance: &Instance, name: &str) -> Option<Start<'_>> {
        let info = self.library.info(self.files, instance.def);
        let index = info.params.iter().position(|param| &*param.name == name)?;
        if index >= instance.slots() {
            return None;
        }
        let slot = self.slots.slot_of(node, index);
        if self.slots.is_driven(slot) || self.is_moved(ParamId::new(slot)) {
            return None;
        }
        let set = self.set.iter().find(|(param, _)| param.index() == slot).map(|(_, at)| *at);
        let given = || match instance.args.get(index).copied().flatten()? {
            Given::Number(expr) => Some(self.files.file(self.file).ast.span(expr)),
            Given::Voice(_) | Given::Node(_) => None,
        };
        let at = set.or_else(given).unwrap_or(self.graph.nodes[node].span);
        Some(Start { info: self.slots.info(slot), at })
    }

    /// Whether lines of the score or notes set a parameter.
    fn is_moved(&self, param: ParamId) -> bool {
        let lines = self.score.transports.iter().flat_map(|transport| &transport.lines);
        lines.into_iter().any(|line| matches!(line.action, Action::Set { param: own, .. } if own == param))
            || self.targets.iter().flat_map(|target| &target.note_params).any(|own| own.param == param)
    }
}
