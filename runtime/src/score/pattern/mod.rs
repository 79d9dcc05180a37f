//! Patterns: pure functions from a span of time to events.
//!
//! Time counts cycles; cycle c is [c, c+1). A pattern is a tree of [`Node`]s, built once and shared; asking it
//! ([`Pattern::query`]) changes nothing, so every way of cutting a span into pieces gives the same onsets, and random
//! choices are functions of their seed and the time. The behaviour is that of the mini-notation's operators.
//!
//! A modifier is a [`Law`] with its numbers, a [`Change`]; a change may stand in the law of another (`every(4, rev)`). Where a
//! number is a pattern itself, the law holds with each of its values for as long as that lasts.

mod chords;
mod euclid;
mod law;
mod period;
mod query;
mod random;
mod signal;
mod source_range;
mod value;

pub use chords::{ArpOrder, ChordLaw};
pub use euclid::euclid;
pub use law::{Chain, Change, Law, Number};
pub use query::QueryError;
pub use random::{draw, mix};
pub use signal::Signal;
pub use source_range::{SourceRange, SourceShift};
pub use value::{Fitted, Joint, Note, NoteValue, Pieces, Pitch, Value, ValueMap, ValueUnit};

use super::rational::{Overflow, Rational};
use crate::sort::Sort;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A pattern. Cloning it is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(pub(super) Arc<Node>);

/// A span of time, in cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeSpan {
    /// The first instant, in cycles; part of the span.
    pub begin: Rational,
    /// One past the last instant.
    pub end: Rational,
}

impl TimeSpan {
    /// The span from `begin` up to, not including, `end`.
    pub fn new(begin: Rational, end: Rational) -> TimeSpan {
        TimeSpan { begin, end }
    }

    /// The span of cycle `n`.
    pub fn cycle(n: i64) -> TimeSpan {
        TimeSpan::new(Rational::whole(n), Rational::whole(n + 1))
    }

    /// What both cover. A single instant counts, unless it is the end of a span that is longer.
    pub fn meet(self, other: TimeSpan) -> Option<TimeSpan> {
        let both = TimeSpan::new(self.begin.max(other.begin), self.end.min(other.end));
        let at_end = |s: TimeSpan| both.begin == s.end && s.begin < s.end;
        let nothing = both.begin > both.end || (both.begin == both.end && (at_end(self) || at_end(other)));
        (!nothing).then_some(both)
    }
}

/// What a pattern answers: `part` is what the query saw of `whole`.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternEvent {
    /// From its onset to its end, in cycles.
    pub whole: TimeSpan,
    /// What of it lies in the query.
    pub part: TimeSpan,
    /// The value of the event.
    pub value: Value,
    /// True of a piece of a signal: its `whole` is its `part`, and it has no onset. Its value is that of its beginning.
    pub continuous: bool,
    /// Where its step is written.
    pub place: SourceRange,
}

impl PatternEvent {
    /// True when the event begins in `part`. Only such events sound.
    pub fn has_onset(&self) -> bool {
        !self.continuous && self.whole.begin == self.part.begin
    }
}

/// The kinds of patterns. Times and factors are in cycles; see `mini-notation` for the words.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Node {
    /// A pattern without events.
    Silence,
    /// One event a cycle, and where it is written.
    Pure(Value, SourceRange),
    /// A written-out list of events that comes again and again.
    Table(Table),
    /// Each pattern's cycle is squeezed into its slot of every cycle.
    Sequence(Vec<Slot>),
    /// All patterns at the same time.
    Stack(Vec<Pattern>),
    /// `factor` times as fast; `factor` is positive.
    Fast(Rational, Pattern),
    /// As fast as the values of `by` times `scale`; slower by them where `slow`. Numbers that are not positive silence.
    FastBy {
        /// The pattern that gives the factors.
        by: Pattern,
        /// What each factor is multiplied by.
        scale: Rational,
        /// Whether time is divided by the factor instead of multiplied.
        slow: bool,
        /// What is sped up.
        of: Pattern,
    },
    /// Each cycle is played that often before the next.
    Repeat(u32, Pattern),
    /// One of several, chosen for each cycle.
    Choose(u64, Vec<Pattern>),
    /// Sampled at the onsets of a Euclidean rhythm.
    Euclid(Arc<[bool]>, Pattern),
    /// The same with patterns of numbers: pulses, steps, rotation.
    EuclidBy {
        /// Gives the structure; negative for the complement.
        pulses: Pattern,
        /// Steps in a cycle.
        steps: Pattern,
        /// How many steps later.
        rotation: Pattern,
        /// The pattern that is sampled.
        of: Pattern,
    },
    /// Each event stays when its draw is above (or, turned, at most) the chance.
    Keep {
        /// The seed of the draw.
        seed: u64,
        /// The probability of staying, 0 to 1.
        chance: f64,
        /// Keep exactly those that would be dropped.
        turned: bool,
        /// What is thinned out.
        of: Pattern,
    },
    /// Values joined to lists, with the structure of the left.
    Tail(Pattern, Pattern),
    /// Runs of whole steps from the left to the right value, within each event of the left: of numbers, notes or degrees.
    Range(Pattern, Pattern),
    /// Later by so many cycles.
    Late(Rational, Pattern),
    /// Each cycle played backwards.
    Reverse(Pattern),
    /// One pattern in the cycles c with c mod n = `at`, the other in the rest.
    Every {
        /// Counts the cycles; at least 1.
        n: u32,
        /// In which of n cycles `then` plays, from 0.
        at: u32,
        /// Plays in those.
        then: Pattern,
        /// Plays in the others.
        otherwise: Pattern,
    },
    /// Each event that often, in its own time.
    Ply(u32, Option<Pieces>, Pattern),
    /// Each note's sound as long as its event.
    Fit(Fitted, Pattern),
    /// Earlier by 1/n more in every cycle; later where `back`.
    Iter {
        /// Parts of a cycle; at least 1.
        n: u32,
        /// Whether it begins with the part before, not with the next one.
        back: bool,
        /// What begins elsewhere.
        of: Pattern,
    },
    /// The right's numbers put into the left's values.
    Apply(Joint, Pattern, Pattern),
    /// The left's numbers put into the right's values, with the left's events.
    ApplyTo(Joint, Pattern, Pattern),
    /// Every value changed alike.
    Map(ValueMap, Pattern),
    /// A value at every instant.
    Signal(Signal),
    /// The values of the second where the first is true, with the events of the first.
    Struct(Pattern, Pattern),
    /// The second while the first is true.
    Mask(Pattern, Pattern),
    /// Of each chord of the second, counted from its lowest note, those notes that the first has the numbers of; with the
    /// events of the first.
    Pick(Pattern, Pattern),
    /// One of two, as `by` is true or false; neither where it rests.
    Switch {
        /// Decides, for as long as each of its events lasts.
        by: Pattern,
        /// Plays while it is true.
        then: Pattern,
        /// Plays while it is false.
        otherwise: Pattern,
    },
    /// The events that begin in a part of the cycle, or (`turned`) those that do not.
    Within {
        /// Where the part begins in the cycle, 0 to 1.
        begin: Rational,
        /// Where it ends.
        end: Rational,
        /// Keep exactly the others.
        turned: bool,
        /// What is filtered.
        of: Pattern,
    },
    /// A part of every cycle, stretched to a whole one.
    Zoom {
        /// Where the part begins in the cycle.
        begin: Rational,
        /// Where it ends; greater than `begin`.
        end: Rational,
        /// Of what.
        of: Pattern,
    },
    /// So many cycles, from `begin` on, again and again.
    Loop {
        /// The first instant, in cycles of `of`; counted from the cycle's start where `each_cycle`.
        begin: Rational,
        /// Cycles after which it begins again; positive.
        length: Rational,
        /// Whether it begins anew in every cycle.
        each_cycle: bool,
        /// What is played.
        of: Pattern,
    },
    /// `times` copies, each later by `time` and `factor` times as loud as the one before.
    Echo {
        /// How many, the first included.
        times: u32,
        /// Cycles between two copies.
        time: Rational,
        /// What the velocity is multiplied by.
        factor: f64,
        /// What is repeated.
        of: Pattern,
    },
    /// Each note a little earlier or later, louder or softer, by chance.
    Humanize {
        /// The seed of the draws.
        seed: u64,
        /// Seconds, either way, at most.
        time: f64,
        /// Share of the velocity, either way, at most.
        vel: f64,
        /// What is played.
        of: Pattern,
    },
    /// The events that last from and to the same instants, as one chord.
    Chords(ChordLaw, Pattern),
    /// A change of which some numbers are patterns.
    Varied(Change, Pattern),
}

impl Node {
    /// The patterns that it is made of, its own alone: not those within a law.
    pub(super) fn parts(&self) -> Vec<&Pattern> {
        match self {
            Node::Silence | Node::Pure(..) | Node::Table(_) | Node::Signal(_) => vec![],
            Node::Sequence(slots) => slots.iter().map(|slot| &slot.pattern).collect(),
            Node::Stack(all) | Node::Choose(_, all) => all.iter().collect(),
            Node::Fast(_, of)
            | Node::Repeat(_, of)
            | Node::Euclid(_, of)
            | Node::Late(_, of)
            | Node::Reverse(of)
            | Node::Ply(_, _, of)
            | Node::Fit(_, of)
            | Node::Map(_, of)
            | Node::Chords(_, of)
            | Node::Keep { of, .. }
            | Node::Iter { of, .. }
            | Node::Within { of, .. }
            | Node::Zoom { of, .. }
            | Node::Loop { of, .. }
            | Node::Echo { of, .. }
            | Node::Humanize { of, .. } => vec![of],
            Node::FastBy { by, of, .. } => vec![by, of],
            Node::EuclidBy { pulses, steps, rotation, of } => vec![pulses, steps, rotation, of],
            Node::Tail(a, b)
            | Node::Range(a, b)
            | Node::Apply(_, a, b)
            | Node::ApplyTo(_, a, b)
            | Node::Struct(a, b)
            | Node::Mask(a, b)
            | Node::Pick(a, b) => vec![a, b],
            Node::Every { then, otherwise, .. } => vec![then, otherwise],
            Node::Switch { by, then, otherwise } => vec![by, then, otherwise],
            Node::Varied(change, of) => change.patterns().chain([of]).collect(),
        }
    }

    /// The parts that say where its events begin.
    fn structure(&self) -> Vec<&Pattern> {
        match self {
            Node::Struct(by, _) | Node::Pick(by, _) | Node::EuclidBy { pulses: by, .. } => vec![by],
            Node::Euclid(..) => vec![],
            Node::Mask(_, of) | Node::FastBy { of, .. } => vec![of],
            Node::Tail(left, _)
            | Node::Range(left, _)
            | Node::Apply(_, left, _)
            | Node::ApplyTo(_, left, _) => {
                vec![left]
            }
            Node::Switch { then, otherwise, .. } => vec![then, otherwise],
            Node::Varied(change, of) if change.keeps_structure() => vec![of],
            Node::Varied(..) => vec![],
            _ => self.parts(),
        }
    }
}

/// A part of every cycle.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Slot {
    /// Where it begins in the cycle, 0 to 1.
    pub begin: Rational,
    /// Where it ends in the cycle, 0 to 1.
    pub end: Rational,
    /// The pattern that plays in this share of the cycle.
    pub pattern: Pattern,
}

/// Events written out: `events` (in order of their beginning, each beginning in [0, length)) come again every `length` cycles.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Table {
    /// Cycles after which it starts again; positive.
    pub length: Rational,
    /// In order of `begin`.
    pub events: Arc<[TableEvent]>,
    /// The longest event, so that those which began before a query are found.
    longest: Rational,
}

/// One event of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct TableEvent {
    /// In cycles from the start of the table.
    pub begin: Rational,
    /// Not before `begin`; may lie beyond the table's length.
    pub end: Rational,
    /// The value of the event.
    pub value: Value,
    /// Where it is written.
    pub place: SourceRange,
}

impl TableEvent {
    /// An event that is not written anywhere.
    pub fn new(begin: Rational, end: Rational, value: Value) -> TableEvent {
        TableEvent { begin, end, value, place: SourceRange::default() }
    }
}

impl Pattern {
    /// A pattern of this node.
    pub fn new(node: Node) -> Pattern {
        Pattern(Arc::new(node))
    }

    /// The pattern without events.
    pub fn silence() -> Pattern {
        Pattern::new(Node::Silence)
    }

    /// What kind it is.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// One event a cycle, which is not written anywhere.
    pub fn pure(value: Value) -> Pattern {
        Pattern::step(value, SourceRange::default())
    }

    /// One event a cycle: a step that is written at this place.
    pub fn step(value: Value, place: SourceRange) -> Pattern {
        Pattern::new(Node::Pure(value, place))
    }

    /// `events` again every `length` cycles. Sorts them by their beginning. Silence when `length` is not positive.
    pub fn table(length: Rational, mut events: Vec<TableEvent>) -> Pattern {
        if length.sign() <= 0 {
            return Pattern::silence();
        }
        events.put_in_order_by_key(|e| e.begin);
        let longest = events.iter().filter_map(|e| (e.end - e.begin).ok()).max().unwrap_or(Rational::ZERO);
        Pattern::new(Node::Table(Table { length, events: events.into(), longest }))
    }

    /// A grid of equal steps, `per_cycle` in each cycle; `None` rests. A hit lasts for its step. The grid comes again
    /// after its last step, wherever in a cycle that is.
    pub fn grid(steps: &[Option<Value>], per_cycle: u32) -> Pattern {
        let at = |i: usize| Rational::ratio(i as i64, per_cycle);
        let hit =
            |(i, v): (usize, &Option<Value>)| v.clone().map(|value| TableEvent::new(at(i), at(i + 1), value));
        Pattern::table(at(steps.len()), steps.iter().enumerate().filter_map(hit).collect())
    }

    /// Each pattern in its share of every cycle, after one another; the shares are positive. A single pattern is
    /// left as it is.
    ///
    /// # Errors
    /// When a border would not fit a fraction.
    pub fn sequence(parts: Vec<(Rational, Pattern)>) -> Result<Pattern, Overflow> {
        if parts.len() == 1 {
            return Ok(parts.into_iter().next().map_or_else(Pattern::silence, |p| p.1));
        }
        let total = parts.iter().try_fold(Rational::ZERO, |sum, p| sum + p.0)?;
        let (mut slots, mut done) = (Vec::with_capacity(parts.len()), Rational::ZERO);
        for (share, pattern) in parts {
            let begin = (done / total)?;
            done = (done + share)?;
            slots.push(Slot { begin, end: (done / total)?, pattern });
        }
        Ok(Pattern::new(Node::Sequence(slots)))
    }

    /// All at once. A single pattern is left as it is.
    pub fn stack(mut all: Vec<Pattern>) -> Pattern {
        if all.len() == 1 { all.remove(0) } else { Pattern::new(Node::Stack(all)) }
    }

    /// `factor` times as fast; silence when that is not positive.
    pub fn fast(self, factor: Rational) -> Pattern {
        match factor {
            Rational::ONE => self,
            f if f.sign() <= 0 => Pattern::silence(),
            f => Pattern::new(Node::Fast(f, self)),
        }
    }

    /// Later by `cycles` (earlier where negative).
    pub fn late(self, cycles: Rational) -> Pattern {
        if cycles == Rational::ZERO { self } else { Pattern::new(Node::Late(cycles, self)) }
    }

    /// Every value changed alike.
    pub fn map(self, map: ValueMap) -> Pattern {
        Pattern::new(Node::Map(map, self))
    }

    /// The right's numbers put into the values.
    pub fn joined(self, joint: Joint, by: Pattern) -> Pattern {
        Pattern::new(Node::Apply(joint, self, by))
    }

    /// True where some of it is a signal, so that it has a value at every instant and no onsets.
    pub fn is_continuous(&self) -> bool {
        self.any(Node::structure, |node| matches!(node, Node::Signal(_)))
    }

    /// True where notes of it may be earlier or later than their events.
    pub fn delays(&self) -> bool {
        self.any(Node::parts, |node| match node {
            Node::Humanize { .. } | Node::Apply(Joint::Delay, ..) => true,
            Node::Map(ValueMap::Join(joint, _), _) => *joint == Joint::Delay,
            Node::Varied(change, _) => change.delays(),
            _ => false,
        })
    }

    /// True where something of it is drawn by chance, so that it is not the same after its period.
    pub fn draws(&self) -> bool {
        self.any(Node::parts, |node| match node {
            Node::Choose(..) | Node::Keep { .. } | Node::Humanize { .. } => true,
            Node::Signal(signal) => matches!(signal, Signal::Rand(_) | Signal::Perlin(_)),
            Node::Varied(change, _) => change.draws(),
            _ => false,
        })
    }

    /// Whether one of its nodes is such; each is looked at once.
    fn any(&self, parts: impl Fn(&Node) -> Vec<&Pattern>, such: impl Fn(&Node) -> bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![self];
        while let Some(pattern) = open.pop() {
            if such(pattern.node()) {
                return true;
            }
            open.extend(parts(pattern.node()).into_iter().filter(|part| seen.insert(Arc::as_ptr(&part.0))));
        }
        false
    }
}
