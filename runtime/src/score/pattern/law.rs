//! What a modifier does: a law with its numbers, as data.
//!
//! A [`Law`] makes a pattern of a pattern and of numbers. The laws that stand on others are written in terms of them here, so
//! that the tree has few kinds of nodes. A [`Change`] is a law with its numbers, each of them known or a pattern, and a
//! [`Chain`] is what stands in the argument of another law: one change after another.

use super::{ArpOrder, ChordLaw, Fitted, Joint, Node, Pattern, Pieces, Slot, Value, ValueMap, euclid};
use crate::ids::ParamId;
use crate::score::limits::{MOST_EUCLID_STEPS, MOST_REPEATS};
use crate::score::rational::{Overflow, Rational};
use std::sync::Arc;

/// A number of a change.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Number {
    /// The same all the time.
    Known(Rational),
    /// The values of a pattern, each for as long as it lasts.
    Varies(Pattern),
}

/// A modifier with its numbers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    law: Law,
    numbers: Arc<[Number]>,
}

/// Changes one after another.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Chain(pub Arc<[Change]>);

/// How a pattern is changed; the numbers that it takes are named `a`, `b`, `c` here.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Law {
    /// `a` times as fast.
    Fast,
    /// `a` times as slow.
    Slow,
    /// `a` cycles later.
    Late,
    /// `a` cycles earlier.
    Early,
    /// Each cycle backwards.
    Reverse,
    /// Each event `a` times in its time.
    Ply,
    /// Each event as `a` pieces of its sound, one after another.
    Chop(Pieces),
    /// The cycle `a` times in its time, each time with the next of so many pieces of its sounds.
    Striate(Pieces),
    /// Each note's sound as long as its event.
    Fit(Fitted),
    /// `a` times as slow, and the whole sound in `a` cycles: the value of a parameter.
    LoopAt(ParamId),
    /// Each cycle `a` times, each time 1/`a` later in it.
    Iter,
    /// Each cycle `a` times, each time 1/`a` earlier in it.
    IterBack,
    /// Drops the share `a` of the events; draws from the seed.
    Degrade(u64),
    /// `a` events a cycle, with the values of their beginnings.
    Segment,
    /// The first `a` of every cycle, again and again; its last −`a` where that is negative.
    Linger,
    /// The part from `a` to `b` of every cycle, stretched to a whole one.
    Zoom,
    /// Each cycle between `a` and `b` of its own.
    Compress,
    /// From `a` on `b` cycles, again and again.
    Ribbon,
    /// `a` onsets over `b` steps, `c` steps later.
    Euclid,
    /// The second half of each of `b` parts of a cycle later by the share `a` of that half.
    Swing,
    /// `a` copies, `b` cycles apart, each `c` times as loud as the one before.
    Echo,
    /// Numbers from 0 to 1 go from `a` to `b`.
    Between,
    /// The notes of a chord after one another, in the order `a` of [`ArpOrder::ALL`].
    Arp,
    /// The notes of a chord that a pattern has the numbers of.
    Pick(Pattern),
    /// The lowest `a` notes of a chord an octave higher.
    Invert,
    /// The notes of a chord within half an octave of the middle between `a` and `b`.
    Voicing,
    /// Degrees become notes of the scale `a` of a list: its root, and its steps.
    Scale(Arc<[(f64, Arc<[f64]>)]>),
    /// Up to `a` seconds and the share `b` of the velocity by chance; draws from the seed.
    Humanize(u64),
    /// Every value changed alike.
    Map(ValueMap),
    /// A pattern's numbers put into the values.
    Join(Joint, Pattern),
    /// A pattern's numbers put into the values, with the events of that pattern.
    JoinTo(Joint, Pattern),
    /// With the events of a rhythm.
    Struct(Pattern),
    /// While a rhythm is true.
    Mask(Pattern),
    /// Changed in cycles 0, `a`, 2`a` …
    First(Chain),
    /// Changed in cycles `a` − 1, 2`a` − 1 …
    Last(Chain),
    /// Changed while a rhythm is true.
    When(Pattern, Chain),
    /// The share `a` of the events changed; draws from the seed.
    Sometimes(u64, Chain),
    /// Each cycle `a` times, changed in one of `a` parts: the first the first time, then the next …; from the last one backwards where
    /// `a` is negative.
    Chunk(Chain),
    /// What begins from `a` to `b` of every cycle, changed, beside the rest.
    Within(Chain),
    /// Changed as if 1/`a` of a cycle were one.
    Inside(Chain),
    /// Changed as if `a` cycles were one.
    Outside(Chain),
    /// With a changed copy `a` cycles later.
    Off(Chain),
    /// Changed in each of these ways, all at once.
    Layer(Arc<[Chain]>),
}

impl Change {
    /// A law with the numbers that it takes.
    pub fn new(law: Law, numbers: Vec<Number>) -> Change {
        Change { law, numbers: numbers.into() }
    }

    /// The law, without its numbers.
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// The numbers that it takes.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The numbers that it takes, where none of them varies.
    pub fn known(&self) -> Option<Vec<Rational>> {
        let known = |number: &Number| match number {
            Number::Known(x) => Some(*x),
            Number::Varies(_) => None,
        };
        self.numbers.iter().map(known).collect()
    }

    /// The pattern after the change.
    ///
    /// # Errors
    /// When a time does not fit an exact fraction.
    pub fn apply(&self, of: Pattern) -> Result<Pattern, Overflow> {
        match self.known() {
            Some(numbers) => self.law.apply(&numbers, of),
            None => Ok(Pattern::new(Node::Varied(self.clone(), of))),
        }
    }

    /// The first number that is a pattern, with its place.
    pub(super) fn varying(&self) -> Option<(usize, &Pattern)> {
        self.numbers.iter().enumerate().find_map(|(i, number)| match number {
            Number::Varies(pattern) => Some((i, pattern)),
            Number::Known(_) => None,
        })
    }

    /// The same change with one of its numbers known.
    pub(super) fn with(&self, index: usize, x: Rational) -> Change {
        let mut numbers = self.numbers.to_vec();
        if let Some(number) = numbers.get_mut(index) {
            *number = Number::Known(x);
        }
        Change { law: self.law.clone(), numbers: numbers.into() }
    }

    /// The patterns of its numbers.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.numbers.iter().filter_map(|number| match number {
            Number::Varies(pattern) => Some(pattern),
            Number::Known(_) => None,
        })
    }

    /// Whether its events begin where those of what it changes do, or where those would.
    pub(super) fn keeps_structure(&self) -> bool {
        !matches!(self.law, Law::Segment | Law::Euclid | Law::Struct(_) | Law::Pick(_) | Law::JoinTo(..))
    }

    /// Whether it may make notes earlier or later than their events.
    pub(super) fn delays(&self) -> bool {
        self.any(&|law| {
            matches!(
                law,
                Law::Humanize(_) | Law::Join(Joint::Delay, _) | Law::Map(ValueMap::Join(Joint::Delay, _))
            )
        })
    }

    /// Whether something of it is drawn by chance.
    pub(super) fn draws(&self) -> bool {
        self.any(&|law| match law {
            Law::Degrade(_) | Law::Humanize(_) | Law::Sometimes(..) => true,
            Law::Pick(by)
            | Law::Join(_, by)
            | Law::JoinTo(_, by)
            | Law::Struct(by)
            | Law::Mask(by)
            | Law::When(by, _) => by.draws(),
            _ => false,
        })
    }

    /// Whether it is such, or a change within it.
    fn any(&self, such: &dyn Fn(&Law) -> bool) -> bool {
        let chain = |chain: &Chain| chain.0.iter().any(|change| change.any(such));
        such(&self.law)
            || match &self.law {
                Law::First(c)
                | Law::Last(c)
                | Law::When(_, c)
                | Law::Sometimes(_, c)
                | Law::Chunk(c)
                | Law::Within(c)
                | Law::Inside(c)
                | Law::Outside(c)
                | Law::Off(c) => chain(c),
                Law::Layer(all) => all.iter().any(chain),
                _ => false,
            }
    }
}

impl Chain {
    /// The pattern after all changes.
    ///
    /// # Errors
    /// When a time does not fit an exact fraction.
    pub fn apply(&self, of: Pattern) -> Result<Pattern, Overflow> {
        self.0.iter().try_fold(of, |of, change| change.apply(of))
    }
}

impl Law {
    /// The pattern after the change; numbers that are missing are 0, and those that make no sense silence it.
    fn apply(&self, numbers: &[Rational], of: Pattern) -> Result<Pattern, Overflow> {
        let at = |i: usize| numbers.get(i).copied().unwrap_or(Rational::ZERO);
        let (a, b, c) = (at(0), at(1), at(2));
        Ok(match self {
            Law::Fast => of.fast(a),
            Law::Slow if a.sign() > 0 => of.fast(a.inverse()?),
            Law::Late => of.late(a),
            Law::Early => of.late((Rational::ZERO - a)?),
            Law::Reverse => Pattern::new(Node::Reverse(of)),
            Law::Ply if count(a) > 0 => Pattern::new(Node::Ply(count(a), None, of)),
            Law::Chop(pieces) if count(a) > 0 => Pattern::new(Node::Ply(count(a), Some(*pieces), of)),
            Law::Striate(pieces) if count(a) > 0 => return striated(*pieces, count(a), &of),
            Law::Fit(fitted) => Pattern::new(Node::Fit(*fitted, of)),
            Law::LoopAt(time) if a.sign() > 0 => {
                of.fast(a.inverse()?).map(ValueMap::Join(Joint::Cycles(*time), a.to_f64()))
            }
            Law::Iter | Law::IterBack if count(a) > 0 => {
                Pattern::new(Node::Iter { n: count(a), back: *self == Law::IterBack, of })
            }
            Law::Degrade(seed) => keep(*seed, a, false, of),
            Law::Segment => Pattern::new(Node::Struct(Pattern::pure(Value::Number(1.0)).fast(a), of)),
            Law::Linger => return linger(a, of),
            Law::Zoom if a < b => Pattern::new(Node::Zoom { begin: a, end: b, of }),
            Law::Compress if a < b && a.sign() >= 0 && b <= Rational::ONE => {
                Pattern::new(Node::Sequence(vec![Slot { begin: a, end: b, pattern: of }]))
            }
            Law::Ribbon if b.sign() > 0 => {
                Pattern::new(Node::Loop { begin: a, length: b, each_cycle: false, of })
            }
            Law::Euclid => rhythm(a, b, c, of),
            Law::Swing if b.sign() > 0 => return swing(a, b, of),
            Law::Echo => Pattern::new(Node::Echo { times: count(a), time: b, factor: c.to_f64(), of }),
            Law::Between => of.map(ValueMap::Between { low: a.to_f64(), high: b.to_f64() }),
            Law::Arp => match ArpOrder::ALL.get(a.floor().max(0) as usize) {
                Some((_, order)) => Pattern::new(Node::Chords(ChordLaw::Arp(*order), of)),
                None => of,
            },
            Law::Invert => {
                let most = i128::from(MOST_REPEATS);
                Pattern::new(Node::Chords(ChordLaw::Invert(a.floor().clamp(-most, most) as i32), of))
            }
            Law::Voicing => Pattern::new(Node::Chords(ChordLaw::Around((a.to_f64() + b.to_f64()) / 2.0), of)),
            Law::Scale(scales) => match scales.get(a.floor().max(0) as usize) {
                Some((root, steps)) => of.map(ValueMap::Scale { root: *root, steps: steps.clone() }),
                None => of,
            },
            Law::Humanize(seed) => {
                Pattern::new(Node::Humanize { seed: *seed, time: a.to_f64(), vel: b.to_f64(), of })
            }
            Law::Map(map) => of.map(map.clone()),
            Law::Join(joint, by) => of.joined(*joint, by.clone()),
            Law::JoinTo(joint, by) => Pattern::new(Node::ApplyTo(*joint, by.clone(), of)),
            Law::Struct(by) => Pattern::new(Node::Struct(by.clone(), of)),
            Law::Mask(by) => Pattern::new(Node::Mask(by.clone(), of)),
            Law::Pick(by) => Pattern::new(Node::Pick(by.clone(), of)),
            _ => return self.apply_chain(a, b, of),
        })
    }

    /// The laws that hold changes.
    fn apply_chain(&self, a: Rational, b: Rational, of: Pattern) -> Result<Pattern, Overflow> {
        let every = |at: u32, change: &Chain, of: Pattern| {
            let then = change.apply(of.clone())?;
            Ok(Pattern::new(Node::Every { n: count(a), at, then, otherwise: of }))
        };
        match self {
            Law::First(change) if count(a) > 0 => every(0, change, of),
            Law::Last(change) if count(a) > 0 => every(count(a) - 1, change, of),
            Law::When(by, change) => switch(by.clone(), change, of),
            Law::Sometimes(seed, change) => {
                let changed = change.apply(keep(*seed, a, true, of.clone()))?;
                Ok(Pattern::stack(vec![keep(*seed, a, false, of), changed]))
            }
            Law::Chunk(change) if a.sign() != 0 => {
                let backwards = a.sign() < 0;
                let n = count(if backwards { (a * Rational::whole(-1))? } else { a }).max(1);
                let first = if backwards { n - 1 } else { 0 };
                let part =
                    |i| (Rational::ONE, Pattern::pure(Value::Number(if i == first { 1.0 } else { 0.0 })));
                let parts = Pattern::sequence((0..n).map(part).collect())?;
                let of = Pattern::new(Node::Repeat(n, of));
                switch(Pattern::new(Node::Iter { n, back: !backwards, of: parts }), change, of)
            }
            Law::Within(change) => {
                let within = |turned, of| Pattern::new(Node::Within { begin: a, end: b, turned, of });
                Ok(Pattern::stack(vec![change.apply(within(false, of.clone()))?, within(true, of)]))
            }
            Law::Inside(change) if a.sign() > 0 => Ok(change.apply(of.fast(a.inverse()?))?.fast(a)),
            Law::Outside(change) if a.sign() > 0 => Ok(change.apply(of.fast(a))?.fast(a.inverse()?)),
            Law::Off(change) => {
                let changed = change.apply(of.clone().late(a))?;
                Ok(Pattern::stack(vec![of, changed]))
            }
            Law::Layer(changes) => {
                let all: Result<_, _> = changes.iter().map(|change| change.apply(of.clone())).collect();
                Ok(Pattern::stack(all?))
            }
            _ => Ok(Pattern::silence()),
        }
    }
}

/// A number as how often something is done.
fn count(x: Rational) -> u32 {
    x.floor().clamp(0, MOST_REPEATS.into()) as u32
}

fn keep(seed: u64, chance: Rational, turned: bool, of: Pattern) -> Pattern {
    Pattern::new(Node::Keep { seed, chance: chance.to_f64(), turned, of })
}

fn switch(by: Pattern, change: &Chain, of: Pattern) -> Result<Pattern, Overflow> {
    let then = change.apply(of.clone())?;
    Ok(Pattern::new(Node::Switch { by, then, otherwise: of }))
}

fn linger(part: Rational, of: Pattern) -> Result<Pattern, Overflow> {
    let (begin, length) = match part.sign() {
        0 => return Ok(Pattern::silence()),
        1 => (Rational::ZERO, part),
        _ => ((Rational::ONE + part)?, (Rational::ZERO - part)?),
    };
    Ok(Pattern::new(Node::Loop { begin, length, each_cycle: true, of }))
}

fn rhythm(pulses: Rational, steps: Rational, rotation: Rational, of: Pattern) -> Pattern {
    let steps = steps.floor().clamp(0, MOST_EUCLID_STEPS as i128) as usize;
    let bounded = |x: Rational| x.floor().clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    match steps {
        0 => Pattern::silence(),
        _ => Pattern::new(Node::Euclid(euclid(bounded(pulses), steps, bounded(rotation)).into(), of)),
    }
}

/// In each of `parts` of a cycle what begins in its second half begins later by `share` of that half.
fn swing(share: Rational, parts: Rational, of: Pattern) -> Result<Pattern, Overflow> {
    let number = |x: f64| (Rational::ONE, Pattern::pure(Value::Number(x)));
    let first = Pattern::sequence(vec![number(1.0), number(0.0)])?;
    let of = of.fast(parts.inverse()?);
    let late = of.clone().late((share * Rational::ratio(1, 2))?);
    Ok(Pattern::new(Node::Switch { by: first, then: of, otherwise: late }).fast(parts))
}

/// The cycle `n` times in its time, each time with the next piece of its sounds.
fn striated(pieces: Pieces, n: u32, of: &Pattern) -> Result<Pattern, Overflow> {
    let share = |i: u32| Number::Known(Rational::ratio(i.into(), n));
    let piece = |index: u32| {
        let narrowed = Change::new(Law::Compress, vec![share(index), share(index + 1)]);
        let piece = Change::new(Law::Map(ValueMap::Piece { pieces, index, count: n }), vec![]);
        Chain([narrowed, piece].into()).apply(of.clone())
    };
    Ok(Pattern::stack((0..n).map(piece).collect::<Result<_, _>>()?))
}
