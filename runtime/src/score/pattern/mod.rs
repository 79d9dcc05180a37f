//! Patterns: pure functions from a span of time to events.
//!
//! Time counts cycles; cycle c is [c, c+1). A pattern is a tree of [`Node`]s, built once and shared; asking it
//! ([`Pattern::query`]) changes nothing, so every way of cutting a span into pieces gives the same onsets, and random
//! choices are functions of their seed and the time. The behaviour is that of the mini-notation's operators.

mod euclid;
mod period;
mod query;
mod random;
mod value;

pub use euclid::euclid;
pub use query::QueryError;
pub use random::{draw, mix};
pub use value::{Note, Pitch, Value, ValueMap};

use super::rational::{Overflow, Rational};
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
}

impl PatternEvent {
    /// True when the event begins in `part`. Only such events sound.
    pub fn has_onset(&self) -> bool {
        self.whole.begin == self.part.begin
    }
}

/// The kinds of patterns. Times and factors are in cycles; see `mini-notation` for the words.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A pattern without events.
    Silence,
    /// One event a cycle.
    Pure(Value),
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
    /// The first pattern in cycles 0, n, 2n …, the second in others.
    Every(u32, Pattern, Pattern),
    /// Each event that often, in its own time.
    Ply(u32, Pattern),
    /// Earlier by 1/n more in every cycle.
    Iter(u32, Pattern),
    /// The right's numbers put into the left's values.
    Apply(Joint, Pattern, Pattern),
    /// Every value changed alike.
    Map(ValueMap, Pattern),
}

/// What a number does to a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// The velocities are multiplied.
    Velocity,
    /// Is added to it, in semitones.
    Transpose,
}

/// A part of every cycle.
#[derive(Clone, Debug, PartialEq)]
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
pub struct TableEvent {
    /// In cycles from the start of the table.
    pub begin: Rational,
    /// Not before `begin`; may lie beyond the table's length.
    pub end: Rational,
    /// The value of the event.
    pub value: Value,
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

    /// One event a cycle.
    pub fn pure(value: Value) -> Pattern {
        Pattern::new(Node::Pure(value))
    }

    /// `events` again every `length` cycles. Sorts them by their beginning. Silence when `length` is not positive.
    pub fn table(length: Rational, mut events: Vec<TableEvent>) -> Pattern {
        if length.sign() <= 0 {
            return Pattern::silence();
        }
        events.sort_by_key(|e| e.begin);
        let longest = events.iter().filter_map(|e| (e.end - e.begin).ok()).max().unwrap_or(Rational::ZERO);
        Pattern::new(Node::Table(Table { length, events: events.into(), longest }))
    }

    /// A grid of equal steps, `per_cycle` in each cycle; `None` rests. A hit lasts for its step. The grid comes again
    /// after its last step, wherever in a cycle that is.
    pub fn grid(steps: &[Option<Value>], per_cycle: u32) -> Pattern {
        let at = |i: usize| Rational::ratio(i as i64, per_cycle);
        let hit = |(i, v): (usize, &Option<Value>)| {
            v.clone().map(|value| TableEvent { begin: at(i), end: at(i + 1), value })
        };
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
}
