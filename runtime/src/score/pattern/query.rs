//! Asking a pattern what happens in a span of time.
//!
//! Each node asks its parts in their own time and carries the answers back. Every visit and every event is paid for
//! out of a budget ([`MOST_WORK_PER_CYCLE`](crate::score::limits)), so a pattern that is too much ends in an error.
//!
//! A pattern may stand in several places of another (`.sometimes(50%, rev)` asks what it changes twice), and those in several
//! places of a third: what such a part answered for a span is remembered for the rest of the query.

mod laws;

use super::value::Count;
use super::{Fitted, Node, Pattern, PatternEvent, Pieces, SourceRange, Table, TimeSpan, Value, draw, euclid};
use crate::score::limits::{MOST_EVENTS, MOST_EVENTS_PER_CYCLE, MOST_REMEMBERED, MOST_WORK_PER_CYCLE};
use crate::score::rational::{Overflow, Rational};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Why a query has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// A time does not fit exact arithmetic.
    Overflow,
    /// More than [`MOST_EVENTS_PER_CYCLE`] events, or more than [`MOST_WORK_PER_CYCLE`] steps.
    TooMuch,
}

impl From<Overflow> for QueryError {
    fn from(_: Overflow) -> QueryError {
        QueryError::Overflow
    }
}

type Answer = Result<(), QueryError>;

impl Pattern {
    /// All events whose parts lie in `span`, in no particular order.
    ///
    /// # Errors
    /// When a time does not fit, or the pattern is too much for so many cycles.
    pub fn query(&self, span: TimeSpan) -> Result<Vec<PatternEvent>, QueryError> {
        let mut steps = u64::MAX;
        self.query_within(span, &mut steps)
    }

    /// The same with a bound on the work of several queries: `steps` may still be taken, and are counted down.
    ///
    /// # Errors
    /// When a time does not fit, the pattern is too much for so many cycles, or no step is left.
    pub fn query_within(&self, span: TimeSpan, steps: &mut u64) -> Result<Vec<PatternEvent>, QueryError> {
        let cycles = u32::try_from(span.end.ceil() - span.begin.floor()).unwrap_or(u32::MAX).max(1);
        let work = u64::from(MOST_WORK_PER_CYCLE.saturating_mul(cycles)).min(*steps);
        let mut query = Query {
            work,
            events: MOST_EVENTS_PER_CYCLE.saturating_mul(cycles as usize).min(MOST_EVENTS),
            out: Vec::new(),
            answers: FxHashMap::default(),
            remembered: Vec::new(),
            made: FxHashMap::default(),
        };
        let answer = query.ask_anew(self, span);
        *steps -= work - query.work;
        answer.map(|()| query.out)
    }
}

/// A query under way: what was found and what may still be spent.
struct Query {
    work: u64,
    events: usize,
    out: Vec<PatternEvent>,
    /// What shared parts have answered, by their place in memory: where it is among the remembered.
    answers: FxHashMap<(*const Node, TimeSpan), Range<usize>>,
    remembered: Vec<PatternEvent>,
    /// What changes with numbers that are patterns have made, by the change's place in memory, which number it was, and its
    /// value. They live as long as the query, since what they answered is known by their places.
    made: FxHashMap<(*const Node, usize, u64), Pattern>,
}

/// t ↦ t·scale + offset
#[derive(Clone, Copy)]
struct Affine {
    scale: Rational,
    offset: Rational,
}

impl Affine {
    fn shift(offset: Rational) -> Affine {
        Affine { scale: Rational::ONE, offset }
    }

    fn scale(scale: Rational) -> Affine {
        Affine { scale, offset: Rational::ZERO }
    }

    fn time(self, t: Rational) -> Result<Rational, Overflow> {
        (t * self.scale)? + self.offset
    }

    fn span(self, s: TimeSpan) -> Result<TimeSpan, Overflow> {
        Ok(TimeSpan::new(self.time(s.begin)?, self.time(s.end)?))
    }

    fn inverse(self) -> Result<Affine, Overflow> {
        let scale = self.scale.inverse()?;
        Ok(Affine { scale, offset: (Rational::ZERO - (self.offset * scale)?)? })
    }
}

impl Query {
    fn spend(&mut self) -> Answer {
        self.work = self.work.checked_sub(1).ok_or(QueryError::TooMuch)?;
        Ok(())
    }

    fn emit(&mut self, whole: TimeSpan, part: TimeSpan, value: Value, place: SourceRange) -> Answer {
        self.push(PatternEvent { whole, part, value, continuous: false, place })
    }

    fn push(&mut self, event: PatternEvent) -> Answer {
        self.spend()?;
        if self.out.len() >= self.events {
            return Err(QueryError::TooMuch);
        }
        self.out.push(event);
        Ok(())
    }

    /// Does `each` for every cycle of `span`, with the cycle's start and what of it lies in the span.
    fn cycles(
        &mut self,
        span: TimeSpan,
        mut each: impl FnMut(&mut Query, Rational, TimeSpan) -> Answer,
    ) -> Answer {
        let mut begin = span.begin;
        while begin < span.end {
            self.spend()?;
            let next = (begin.sam() + Rational::ONE)?;
            each(self, begin.sam(), TimeSpan::new(begin, next.min(span.end)))?;
            begin = next;
        }
        Ok(())
    }

    /// What `pattern` answers for `span`, taken out of the results.
    fn collect(&mut self, pattern: &Pattern, span: TimeSpan) -> Result<Vec<PatternEvent>, QueryError> {
        let start = self.out.len();
        self.ask(pattern, span)?;
        Ok(self.out.split_off(start))
    }

    /// Asks `pattern` in its own time, which `there` maps ours to, and carries the answers back.
    fn through(&mut self, pattern: &Pattern, span: TimeSpan, there: Affine) -> Answer {
        let (start, back) = (self.out.len(), there.inverse()?);
        self.ask(pattern, there.span(span)?)?;
        // Each event is carried through every change around it.
        self.work = self.work.checked_sub((self.out.len() - start) as u64).ok_or(QueryError::TooMuch)?;
        for event in &mut self.out[start..] {
            let same = event.whole == event.part;
            event.part = back.span(event.part)?;
            event.whole = if same { event.part } else { back.span(event.whole)? };
        }
        Ok(())
    }

    fn ask(&mut self, pattern: &Pattern, span: TimeSpan) -> Answer {
        let leaf = matches!(pattern.node(), Node::Silence | Node::Pure(..));
        if leaf || Arc::strong_count(&pattern.0) == 1 {
            return self.ask_anew(pattern, span);
        }
        let key = (Arc::as_ptr(&pattern.0), span);
        if let Some(answer) = self.answers.get(&key).cloned() {
            return self.recall(answer);
        }
        let start = self.out.len();
        self.ask_anew(pattern, span)?;
        let (first, events) = (self.remembered.len(), &self.out[start..]);
        if first + events.len() <= MOST_REMEMBERED && self.answers.len() < MOST_REMEMBERED {
            self.remembered.extend_from_slice(events);
            self.answers.insert(key, first..self.remembered.len());
        }
        Ok(())
    }

    /// Emits what was answered before.
    fn recall(&mut self, answer: Range<usize>) -> Answer {
        self.spend()?;
        for index in answer {
            self.push(self.remembered[index].clone())?;
        }
        Ok(())
    }

    fn ask_anew(&mut self, pattern: &Pattern, span: TimeSpan) -> Answer {
        self.spend()?;
        match pattern.node() {
            Node::Silence => Ok(()),
            Node::Pure(value, place) => self.cycles(span, |q, start, part| {
                q.emit(TimeSpan::new(start, (start + Rational::ONE)?), part, value.clone(), *place)
            }),
            Node::Table(table) => self.table(table, span),
            Node::Sequence(slots) => self.cycles(span, |q, start, part| q.slots(slots, start, part)),
            Node::Stack(all) => all.iter().try_for_each(|p| self.ask(p, span)),
            Node::Fast(factor, of) => self.through(of, span, Affine::scale(*factor)),
            Node::FastBy { by, scale, slow, of } => self.fast_by(by, *scale, *slow, of, span),
            Node::Repeat(n, of) => self.cycles(span, |q, start, part| {
                let source = Rational::new(start.floor().div_euclid((*n).max(1).into()), 1)?;
                q.through(of, part, Affine::shift((source - start)?))
            }),
            Node::Choose(seed, all) => self.cycles(span, |q, start, part| {
                let chosen = (draw(*seed, start) * all.len() as f64) as usize;
                all.get(chosen).map_or(Ok(()), |p| q.ask(p, part))
            }),
            Node::Euclid(rhythm, of) => self.euclid(rhythm, of, span),
            Node::EuclidBy { pulses, steps, rotation, of } => {
                self.euclid_by([pulses, steps, rotation], of, span)
            }
            Node::Keep { seed, chance, turned, of } => {
                let start = self.out.len();
                self.ask(of, span)?;
                retain_from(&mut self.out, start, |e| (draw(*seed, e.whole.begin) > *chance) != *turned);
                Ok(())
            }
            Node::Tail(left, right) => self.joined(left, right, span, |l, r| Some(l.join(r.clone()))),
            Node::Range(left, right) => self.range(left, right, span),
            Node::Late(by, of) => self.through(of, span, Affine::shift((Rational::ZERO - *by)?)),
            Node::Reverse(of) => self.cycles(span, |q, start, part| q.reversed(of, start, part)),
            Node::Every { n, at, then, otherwise } => self.cycles(span, |q, start, part| {
                let turn = start.floor().rem_euclid((*n).max(1).into()) == i128::from(*at);
                q.ask(if turn { then } else { otherwise }, part)
            }),
            Node::Ply(n, pieces, of) => self.ply(*n, *pieces, of, span),
            Node::Fit(fitted, of) => self.fit(*fitted, of, span),
            Node::Iter { n, back, of } => self.cycles(span, |q, start, part| {
                let (n, cycle) = (i128::from((*n).max(1)), start.floor());
                let turn = cycle.rem_euclid(n);
                let source = Rational::new(cycle.div_euclid(n), 1)?;
                let there = (source + Rational::new(if *back { -turn } else { turn }, n)?)?;
                q.through(of, part, Affine::shift((there - start)?))
            }),
            Node::Apply(joint, left, right) => {
                self.joined(left, right, span, |l, r| Some(joint.apply(l, r.number()?)))
            }
            Node::Map(map, of) => {
                let start = self.out.len();
                self.ask(of, span)?;
                self.out[start..].iter_mut().for_each(|e| e.value = map.apply(&e.value));
                Ok(())
            }
            law => self.ask_law(law, span),
        }
    }

    fn slots(&mut self, slots: &[super::Slot], start: Rational, part: TimeSpan) -> Answer {
        let (from, to) = ((part.begin - start)?, (part.end - start)?);
        let first = slots.partition_point(|s| s.end <= from);
        for slot in slots[first..].iter().take_while(|s| s.begin < to) {
            let begin = (start + slot.begin)?;
            let here = TimeSpan::new(begin, (start + slot.end)?).meet(part);
            let width = (slot.end - slot.begin)?;
            if let (Some(here), Node::Pure(value, place)) = (here, slot.pattern.node()) {
                self.spend()?;
                self.emit(TimeSpan::new(begin, (begin + width)?), here, value.clone(), *place)?;
            } else if let Some(here) = here {
                let scale = width.inverse()?;
                let there = Affine { scale, offset: (start - (begin * scale)?)? };
                self.through(&slot.pattern, here, there)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, span: TimeSpan) -> Answer {
        let reach = (span.begin - table.longest)?;
        let mut turn = (reach / table.length)?.sam();
        loop {
            self.spend()?;
            let start = (turn * table.length)?;
            if start >= span.end {
                return Ok(());
            }
            let from = (reach - start)?;
            let first = table.events.partition_point(|e| e.begin < from);
            for event in &table.events[first..] {
                let whole = TimeSpan::new((start + event.begin)?, (start + event.end)?);
                if whole.begin >= span.end {
                    break;
                }
                if let Some(part) = whole.meet(span) {
                    self.emit(whole, part, event.value.clone(), event.place)?;
                }
            }
            turn = (turn + Rational::ONE)?;
        }
    }

    fn fast_by(&mut self, by: &Pattern, scale: Rational, slow: bool, of: &Pattern, span: TimeSpan) -> Answer {
        for outer in self.collect(by, span)? {
            let Some(factor) = outer.value.number().and_then(Rational::from_f64) else { continue };
            if factor.sign() > 0 {
                let factor = if slow { factor.inverse()? } else { factor };
                self.through(of, outer.part, Affine::scale((factor * scale)?))?;
            }
        }
        Ok(())
    }

    fn euclid(&mut self, rhythm: &[bool], of: &Pattern, span: TimeSpan) -> Answer {
        let n = rhythm.len() as i128;
        self.cycles(span, |q, start, part| {
            let step = |i: usize| start + Rational::new(i as i128, n)?;
            for (i, _) in rhythm.iter().enumerate().filter(|(_, on)| **on) {
                let whole = TimeSpan::new(step(i)?, step(i + 1)?);
                if let Some(seen) = whole.meet(part) {
                    q.sampled(whole, seen, of)?;
                }
            }
            Ok(())
        })
    }

    /// The events of `of` in `seen`, given the whole `whole`.
    fn sampled(&mut self, whole: TimeSpan, seen: TimeSpan, of: &Pattern) -> Answer {
        let start = self.out.len();
        self.ask_during(of, whole, seen)?;
        self.out[start..].iter_mut().for_each(|e| (e.whole, e.continuous) = (whole, false));
        Ok(())
    }

    /// What `of` is in `seen`, a part of an event that lasts for `whole`: of a signal, its value where the event begins.
    fn ask_during(&mut self, of: &Pattern, whole: TimeSpan, seen: TimeSpan) -> Answer {
        let start = self.out.len();
        self.ask(of, seen)?;
        if whole == seen || self.out[start..].iter().all(|e| !e.continuous) {
            return Ok(());
        }
        self.out.truncate(start);
        self.ask(of, whole)?;
        retain_from(&mut self.out, start, |e| match e.part.meet(seen) {
            Some(part) => {
                e.part = part;
                true
            }
            None => false,
        });
        Ok(())
    }

    fn euclid_by(&mut self, numbers: [&Pattern; 3], of: &Pattern, span: TimeSpan) -> Answer {
        let [pulses, steps, rotation] = numbers;
        for k in self.collect(pulses, span)? {
            for n in self.collect(steps, k.part)? {
                for r in self.collect(rotation, n.part)? {
                    let [Some(k), Some(n), Some(r_)] = [&k, &n, &r].map(|e| e.value.number()) else {
                        continue;
                    };
                    let most = crate::score::limits::MOST_EUCLID_STEPS as f64;
                    let rhythm = euclid(k as i64, n.clamp(0.0, most) as usize, r_ as i64);
                    self.euclid(&rhythm, of, r.part)?;
                }
            }
        }
        Ok(())
    }

    /// `left`'s events with `right`'s values put into them; where that gives nothing, none.
    fn joined(
        &mut self,
        left: &Pattern,
        right: &Pattern,
        span: TimeSpan,
        join: impl Fn(&Value, &Value) -> Option<Value>,
    ) -> Answer {
        for l in self.collect(left, span)? {
            let start = self.out.len();
            self.ask_during(right, l.whole, l.part)?;
            self.out[start..].iter_mut().for_each(|e| {
                (e.whole, e.continuous, e.place) = (l.whole, l.continuous, l.place);
            });
            retain_from(&mut self.out, start, |e| match join(&l.value, &e.value) {
                Some(value) => {
                    e.value = value;
                    true
                }
                None => false,
            });
        }
        Ok(())
    }

    fn range(&mut self, left: &Pattern, right: &Pattern, span: TimeSpan) -> Answer {
        for outer in self.collect(left, span)? {
            let scale = (outer.whole.end - outer.whole.begin)?.inverse()?;
            let cycle = outer.whole.begin.sam();
            let there = Affine { scale, offset: (cycle - (outer.whole.begin * scale)?)? };
            let back = there.inverse()?;
            for to in self.collect(right, there.span(outer.part)?)? {
                let Some(count) = Count::between(&outer.value, &to.value) else { continue };
                let steps = i128::from(count.steps);
                self.cycles(to.part, |q, start, part| {
                    let first = ((part.begin - start)? * Rational::new(steps, 1)?)?.floor();
                    for i in first..steps {
                        let at = |i: i128| start + Rational::new(i, steps)?;
                        let whole = TimeSpan::new(at(i)?, at(i + 1)?);
                        let (Some(whole), Some(part)) = (whole.meet(to.whole), whole.meet(part)) else {
                            break;
                        };
                        let (whole, part) = (back.span(whole)?, back.span(part)?);
                        if let (Some(whole), Some(part)) = (whole.meet(outer.whole), part.meet(outer.part)) {
                            q.emit(whole, part, count.value(i), outer.place)?;
                        }
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn reversed(&mut self, of: &Pattern, start: Rational, part: TimeSpan) -> Answer {
        let turn = ((start + start)? + Rational::ONE)?;
        let mirror = |s: TimeSpan| Ok::<_, Overflow>(TimeSpan::new((turn - s.end)?, (turn - s.begin)?));
        let first = self.out.len();
        self.ask(of, mirror(part)?)?;
        for event in &mut self.out[first..] {
            (event.whole, event.part) = (mirror(event.whole)?, mirror(event.part)?);
        }
        Ok(())
    }

    fn fit(&mut self, fitted: Fitted, of: &Pattern, span: TimeSpan) -> Answer {
        let first = self.out.len();
        self.ask(of, span)?;
        for event in &mut self.out[first..] {
            let cycles = (event.whole.end - event.whole.begin)?.to_f64();
            event.value = fitted.fit(&event.value, cycles);
        }
        Ok(())
    }

    fn ply(&mut self, n: u32, pieces: Option<Pieces>, of: &Pattern, span: TimeSpan) -> Answer {
        for event in self.collect(of, span)? {
            if event.continuous {
                self.push(event)?;
                continue;
            }
            let step = ((event.whole.end - event.whole.begin)? / Rational::whole(n.max(1).into()))?;
            for i in 0..n {
                let begin = (event.whole.begin + (step * Rational::whole(i.into()))?)?;
                let whole = TimeSpan::new(begin, (begin + step)?);
                if let Some(part) = whole.meet(event.part) {
                    let value = match pieces {
                        Some(pieces) => pieces.piece(&event.value, i, n),
                        None => event.value.clone(),
                    };
                    self.emit(whole, part, value, event.place)?;
                }
            }
        }
        Ok(())
    }
}

/// [`Vec::retain_mut`] for the elements from `start` on.
fn retain_from(
    events: &mut Vec<PatternEvent>,
    start: usize,
    mut keep: impl FnMut(&mut PatternEvent) -> bool,
) {
    let mut retained = start;
    for i in start..events.len() {
        if keep(&mut events[i]) {
            events.swap(retained, i);
            retained += 1;
        }
    }
    events.truncate(retained);
}
