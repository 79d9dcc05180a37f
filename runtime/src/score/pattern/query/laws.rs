//! What the nodes of modifiers answer.

use super::{Affine, Answer, Query, retain_from};
use crate::score::limits::MOST_REPEATS;
use crate::score::pattern::chords::height;
use crate::score::pattern::{
    Change, ChordLaw, Joint, Node, Pattern, PatternEvent, SourceRange, TimeSpan, Value, draw, mix,
};
use crate::score::rational::Rational;
use crate::sort::Sort;

impl Query {
    /// The answer of a node that only modifiers make.
    pub(super) fn ask_law(&mut self, node: &Node, span: TimeSpan) -> Answer {
        match node {
            Node::Signal(signal) => {
                let value = Value::Number(signal.value(span.begin)?);
                self.push(PatternEvent {
                    whole: span,
                    part: span,
                    value,
                    continuous: true,
                    place: SourceRange::default(),
                })
            }
            Node::Struct(by, of) => {
                for event in self.rhythm(by, span)?.into_iter().filter(|event| event.value.is_true()) {
                    self.sampled(event.whole, event.part, of)?;
                }
                Ok(())
            }
            Node::Mask(by, of) => self.joined(of, by, span, |l, r| r.is_true().then(|| l.clone())),
            Node::ApplyTo(joint, by, of) => self.joined_to(*joint, by, of, span),
            Node::Pick(by, of) => self.picked(by, of, span),
            Node::Switch { by, then, otherwise } => {
                for event in self.collect(by, span)? {
                    self.ask(if event.value.is_true() { then } else { otherwise }, event.part)?;
                }
                Ok(())
            }
            Node::Within { begin, end, turned, of } => {
                let start = self.out.len();
                self.ask(of, span)?;
                let inside = |e: &PatternEvent| (*begin..=*end).contains(&e.whole.begin.fract());
                retain_from(&mut self.out, start, |e| inside(e) != *turned);
                Ok(())
            }
            Node::Zoom { begin, end, of } => {
                let scale = (*end - *begin)?;
                self.cycles(span, |q, start, part| {
                    let offset = ((start + *begin)? - (start * scale)?)?;
                    q.through(of, part, Affine { scale, offset })
                })
            }
            Node::Loop { begin, length, each_cycle: true, of } => {
                self.cycles(span, |q, start, part| q.looped(of, part, start, (start + *begin)?, *length))
            }
            Node::Loop { begin, length, of, .. } => self.cut(of, span, *begin, *length),
            Node::Echo { times, time, factor, of } => self.echo(*times, *time, *factor, of, span),
            Node::Humanize { seed, time, vel, of } => self.humanized(*seed, *time, *vel, of, span),
            Node::Chords(law, of) => self.chords(*law, of, span),
            Node::Varied(change, of) => self.varied(node, change, of, span),
            _ => Ok(()),
        }
    }

    /// The events of a rhythm: a signal has none.
    fn rhythm(&mut self, by: &Pattern, span: TimeSpan) -> Result<Vec<PatternEvent>, super::QueryError> {
        let mut events = self.collect(by, span)?;
        events.retain(|event| !event.continuous);
        Ok(events)
    }

    /// The events of `by`, with the values of `of` that sound meanwhile and the numbers of `by` put into them.
    fn joined_to(&mut self, joint: Joint, by: &Pattern, of: &Pattern, span: TimeSpan) -> Answer {
        for event in self.rhythm(by, span)? {
            let Some(number) = event.value.number() else { continue };
            let start = self.out.len();
            self.sampled(event.whole, event.part, of)?;
            self.out[start..].iter_mut().for_each(|e| e.value = joint.apply(&e.value, number));
        }
        Ok(())
    }

    /// Pieces of `length`; each plays `of` from `begin`, and cuts what lasts beyond its ends.
    fn cut(&mut self, of: &Pattern, span: TimeSpan, begin: Rational, length: Rational) -> Answer {
        let start = self.out.len();
        self.looped(of, span, Rational::ZERO, begin, length)?;
        for event in &mut self.out[start..] {
            let piece = ((event.part.begin / length)?.sam() * length)?;
            event.whole = event.whole.meet(TimeSpan::new(piece, (piece + length)?)).unwrap_or(event.whole);
        }
        Ok(())
    }

    /// Pieces of `length` from `origin` on; each plays `of` from `begin`.
    fn looped(
        &mut self,
        of: &Pattern,
        span: TimeSpan,
        origin: Rational,
        begin: Rational,
        length: Rational,
    ) -> Answer {
        let mut at = span.begin;
        loop {
            let turn = ((at - origin)? / length)?.sam();
            let piece = (origin + (turn * length)?)?;
            let next = (piece + length)?;
            let part = TimeSpan::new(at, next.min(span.end));
            self.through(of, part, Affine::shift((begin - piece)?))?;
            if next >= span.end {
                return Ok(());
            }
            at = next;
        }
    }

    fn echo(&mut self, times: u32, time: Rational, factor: f64, of: &Pattern, span: TimeSpan) -> Answer {
        for i in 0..times.min(MOST_REPEATS) {
            let start = self.out.len();
            let later = (time * Rational::whole(i.into()))?;
            self.through(of, span, Affine::shift((Rational::ZERO - later)?))?;
            if i > 0 {
                let vel = libm::pow(factor, i.into());
                self.out[start..].iter_mut().for_each(|e| e.value = Joint::Velocity.apply(&e.value, vel));
            }
        }
        Ok(())
    }

    fn humanized(&mut self, seed: u64, time: f64, vel: f64, of: &Pattern, span: TimeSpan) -> Answer {
        let start = self.out.len();
        self.ask(of, span)?;
        for event in &mut self.out[start..] {
            let by_chance = |word| 2.0 * draw(mix(seed, word), event.whole.begin) - 1.0;
            let later = Joint::Delay.apply(&event.value, time * by_chance(1));
            event.value = Joint::Velocity.apply(&later, 1.0 + vel * by_chance(2));
        }
        Ok(())
    }

    /// Asks for the chords of `of`: what lasts from and to the same instants.
    fn chords(&mut self, law: ChordLaw, of: &Pattern, span: TimeSpan) -> Answer {
        let events = self.by_height(of, span)?;
        for chord in events.chunk_by(together) {
            for event in law.apply(chord)? {
                self.push(event)?;
            }
        }
        Ok(())
    }

    /// For each event of `by`, the note of that number of each chord that sounds meanwhile; behind the last comes the first.
    fn picked(&mut self, by: &Pattern, of: &Pattern, span: TimeSpan) -> Answer {
        for event in self.rhythm(by, span)? {
            let Some(number) = event.value.number() else { continue };
            let notes = self.by_height(of, event.part)?;
            for chord in notes.chunk_by(together) {
                let note = &chord[(number.floor() as i64).rem_euclid(chord.len() as i64) as usize];
                self.push(PatternEvent { whole: event.whole, continuous: false, ..note.clone() })?;
            }
        }
        Ok(())
    }

    /// The events of `of` in the order of their times, and of their height where they are [`together`].
    fn by_height(&mut self, of: &Pattern, span: TimeSpan) -> Result<Vec<PatternEvent>, super::QueryError> {
        let mut events = self.collect(of, span)?;
        events.put_in_order_by(|a, b| {
            let key = |e: &PatternEvent| (e.whole.begin, e.whole.end, e.continuous, e.part.begin);
            key(a).cmp(&key(b)).then(height(&a.value).total_cmp(&height(&b.value)))
        });
        Ok(events)
    }

    /// A change with the values of its first number that is a pattern, each for as long as it lasts.
    fn varied(&mut self, node: &Node, change: &Change, of: &Pattern, span: TimeSpan) -> Answer {
        let Some((index, by)) = change.varying() else { return Ok(()) };
        for outer in self.collect(by, span)? {
            let Some(number) = outer.value.number() else { continue };
            let Some(exact) = Rational::from_f64(number) else { continue };
            // What was made lives as long as the query: its place in memory is the key of its answers.
            let key = (std::ptr::from_ref(node), index, number.to_bits());
            let changed = match self.made.get(&key) {
                Some(made) => made.clone(),
                None => {
                    self.spend()?;
                    let made = change.with(index, exact).apply(of.clone())?;
                    self.made.insert(key, made.clone());
                    made
                }
            };
            self.ask(&changed, outer.part)?;
        }
        Ok(())
    }
}

/// Whether two notes belong to one chord: they last from and to the same instants.
fn together(a: &PatternEvent, b: &PatternEvent) -> bool {
    (a.whole, a.part.begin) == (b.whole, b.part.begin)
}
