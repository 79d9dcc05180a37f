//! Groups that are alike: what a group's values depend on, and nothing else, is its key. A group is evaluated once for all that
//! have the same key, in this version of the song and in those after it.
//!
//! A key holds neither names of the song's equations nor places, so that an edit changes the keys of those groups alone that it
//! changes, and of those that read another value because of it. A group in which something is wrong has to say where, and is not kept;
//! nor is one that calls the user's own definitions.

use super::layout::Layout;
use super::nodes::NodeState;
use super::{Checker, Input};
use mam_grammar::Limits;
use mam_grammar::memo::Memo;
use std::sync::Arc;

mod key;
mod words;

use key::Key;
pub(super) use words::Words;

/// The groups of a song and of its versions before that have been evaluated, by what decides them.
#[derive(Default)]
pub struct Alike {
    known: Memo<[u64], Evaluated>,
    /// What is the same for all groups: the rate, the limits, whether the song is JSON, and whether it is measured.
    under: Option<(f64, Limits, bool, bool)>,
}

impl Alike {
    /// Begins with the next version of a song; forgets what has long been gone.
    pub fn next_version(&mut self) {
        self.known.next_version();
    }

    /// Begins to check a song.
    pub(super) fn begin(&mut self, input: &Input) {
        let under = Some((input.rate, input.files.limits, input.is_json, input.is_measured));
        if self.under != under {
            *self = Alike { under, ..Alike::default() };
        }
    }
}

/// What the evaluation of a group gave, and what it cost.
struct Evaluated {
    /// The values of its members in words, each behind a 1; 0 for one that nothing reads.
    values: Box<[u64]>,
    /// What their states remember, by the member and by what follows its path in theirs.
    layouts: Vec<(usize, Box<str>, Layout)>,
    /// How many expressions were evaluated, and iterations made.
    evaluations: usize,
    turns: usize,
}

/// What was counted before a group was evaluated.
pub(super) struct Before {
    /// Problems that were added, repetitions with them.
    problems: usize,
    evaluations: usize,
    turns: usize,
}

impl Checker<'_> {
    /// Writes the key of the group whose members are known, where it has one, and says whether it has.
    pub(super) fn write_key(&mut self) -> bool {
        let mut words = std::mem::take(&mut self.words);
        words.clear();
        let has_key = Key { checker: self, words: &mut words }.group().is_some();
        words.end_key();
        self.words = words;
        has_key
    }

    /// What there is before the group is evaluated.
    pub(super) fn before(&mut self) -> Before {
        self.checked.layouts.added.clear();
        let (problems, evaluations, turns) = (self.problems.added(), self.all_evaluations, self.turns);
        Before { problems, evaluations, turns }
    }

    /// Whether the group is like one that has been evaluated, and so is known; what is given to the parameters of an instance is
    /// checked.
    pub(super) fn is_like(&mut self) -> bool {
        let Some((known, again)) = self.alike.known.find(self.words.key()) else { return false };
        if !again {
            let (evaluations, turns) = (self.all_evaluations + known.evaluations, self.turns + known.turns);
            let limits = &self.input.files.limits;
            if evaluations > limits.all_evaluations || turns > limits.all_turns {
                return false; // Where the limit is passed is found out by evaluating it.
            }
            (self.all_evaluations, self.turns) = (evaluations, turns);
        }
        let graph = self.input.graph;
        for (member, rest, layout) in &known.layouts {
            let path = &graph.nodes[self.members[*member]].path;
            self.checked.layouts.add(&format!("{path}{rest}"), layout);
        }
        let values = self.words.values(&known.values, &mut self.partial);
        for (node, value) in self.members.iter().zip(values) {
            self.nodes[node.index()] = value.map_or(NodeState::Waits, NodeState::Done);
        }
        if let &[node] = &self.members[..]
            && let Some(instance) = graph.instance(node)
        {
            self.start_values(node, instance);
        }
        true
    }

    /// Keeps the group, now that it has been evaluated, for those that are like it.
    pub(super) fn keep(&mut self, before: &Before) {
        if self.problems.added() != before.problems || self.checked.too_large.is_some() {
            return;
        }
        let Some(layouts) = self.checked.layouts.added.iter().map(|path| self.remembered_by(path)).collect()
        else {
            return;
        };
        for &node in &self.members {
            let value = match &self.nodes[node.index()] {
                NodeState::Done(value) => Some(value),
                NodeState::Waits | NodeState::Doing => None,
            };
            if self.words.member(value).is_none() {
                return;
            }
        }
        let (evaluations, turns) = (self.all_evaluations - before.evaluations, self.turns - before.turns);
        let evaluated = Evaluated { values: self.words.written().into(), layouts, evaluations, turns };
        self.alike.known.keep(self.words.key(), evaluated);
    }

    /// Whose state has a path, what follows in it, and what it remembers.
    fn remembered_by(&self, path: &Arc<str>) -> Option<(usize, Box<str>, Layout)> {
        let rest = |(place, &node): (usize, &_)| {
            let rest = path.strip_prefix(&*self.input.graph.nodes[node].path)?;
            rest.starts_with('.').then_some((place, rest))
        };
        let (member, rest) =
            self.members.iter().enumerate().filter_map(rest).min_by_key(|found| found.1.len())?;
        Some((member, rest.into(), self.checked.layouts.get(path).clone()))
    }
}
