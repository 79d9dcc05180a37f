//! One transport on its way through its passes: which cycles of which lines come next.

use super::Extent;
use super::{Order, Pending, Played, SoundingStep, Unplayed, What};
use crate::score::clock::{Change, Clock, Frames, Tempo};
use crate::score::data::{Action, Clip, Duration, Line, MusicalLength, Ramp, Transport};
use crate::score::limits::MOST_DELAY;
use crate::score::pattern::{Note, NoteValue, PatternEvent, QueryError, TimeSpan, ValueUnit};
use crate::score::rational::{Overflow, Rational};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

/// Steps that began longer ago are not looked for, in seconds.
const LONGEST_STEP_SECONDS: u64 = 30;

/// A transport with its place in time.
#[derive(Clone, Debug)]
pub(super) struct Track {
    transport: Arc<Transport>,
    clock: Clock,
    rank: u32,
    /// Frames of a pass.
    pass_frames: Frames,
    /// Passes laid out so far.
    passes: u64,
    /// The first bar of lines that run on for ever.
    first_bar: i64,
    endless: bool,
    restarts: bool,
    /// Frames by which notes of each line may be earlier than their events.
    leads: Arc<[u64]>,
    /// Cycles to be asked next, by the frame where they begin.
    heads: BinaryHeap<Reverse<Head>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    frame: u64,
    pass: u64,
    clip: usize,
    cycle: i64,
}

impl Track {
    pub(super) fn new(transport: &Transport, rank: u32, rate: u32, extent: Extent) -> Track {
        let clock = Clock::new(&transport.tempo, rate);
        let endless = extent == Extent::Forever;
        let lead = |line: &Line| {
            if line.pattern.delays() { (MOST_DELAY * f64::from(rate)).ceil() as u64 } else { 0 }
        };
        Track {
            leads: transport.lines.iter().map(lead).collect(),
            pass_frames: clock.plain(transport.length),
            clock,
            rank,
            passes: 0,
            first_bar: 0,
            endless,
            restarts: transport.restarts && transport.length.sign() > 0,
            heads: BinaryHeap::new(),
            transport: Arc::new(transport.clone()),
        }
    }

    /// The frame where the first pass is over.
    pub(super) fn end(&self) -> u64 {
        self.pass_frames.round()
    }

    /// How long a pass is.
    pub(super) fn length(&self) -> Frames {
        self.pass_frames
    }

    /// Frame where a pass begins.
    pub(super) fn pass_start(&self, pass: u64) -> Frames {
        self.pass_frames.times(pass)
    }

    /// Passes laid out so far.
    pub(super) fn passes(&self) -> u64 {
        self.passes
    }

    /// Leaves out what lies so far before `frame` that it cannot matter: begins with the last whole pass before it, or,
    /// where lines run on, with the last bars.
    pub(super) fn skip_towards(&mut self, frame: u64) {
        const BARS_BEFORE: f64 = 64.0;
        if self.endless && self.restarts && self.end() > 0 {
            self.passes = ((frame as f64 / self.pass_frames.to_f64()) as u64).saturating_sub(2);
        } else {
            self.first_bar = (self.clock.bar_at(frame as f64).floor() - BARS_BEFORE).max(0.0) as i64;
        }
    }

    /// Lays out the passes that begin before `until`; gives back how many there are now.
    pub(super) fn begin_passes(&mut self, until: u64) -> u64 {
        let wanted = |t: &Track| t.passes == 0 || (t.endless && t.restarts && t.end() > 0);
        let lead = self.leads.iter().max().copied().unwrap_or(0);
        while wanted(self) && self.pass_start(self.passes).round() < until.saturating_add(lead) {
            for clip in 0..self.transport.clips.len() {
                let bars_before = self.first_bar - self.transport.clips[clip].start.floor() as i64;
                self.push_head(self.passes, clip, bars_before.max(0));
            }
            self.passes += 1;
        }
        self.passes
    }

    /// Asks every cycle that begins before `until`, and tells of those that cannot be played.
    pub(super) fn expand(
        &mut self,
        until: u64,
        found: &mut impl FnMut(Pending),
        fail: &mut impl FnMut(Unplayed),
    ) {
        while let Some(&Reverse(head)) = self.heads.peek()
            && head.frame < until
        {
            self.heads.pop();
            if let Err(error) = self.ask(head, found) {
                let line = match self.transport.lines[self.transport.clips[head.clip].line].action {
                    Action::Play { target } => Played::Target(target),
                    Action::Set { param, .. } => Played::Param(param),
                };
                fail(Unplayed { line, frame: head.frame, error });
            }
            self.push_head(head.pass, head.clip, head.cycle + 1);
        }
    }

    fn push_head(&mut self, pass: u64, clip: usize, cycle: i64) {
        let Some(bar) = self.cycle_start(self.transport.clips[clip], cycle) else { return };
        // Its notes may be that much earlier.
        let lead = self.leads[self.transport.clips[clip].line];
        let frame = self.frame(pass, bar).saturating_sub(lead);
        self.heads.push(Reverse(Head { frame, pass, clip, cycle }));
    }

    /// Bar at which a clip's cycle begins; `None` after its end.
    fn cycle_start(&self, clip: Clip, cycle: i64) -> Option<Rational> {
        let bar = (clip.start + Rational::whole(cycle)).ok()?;
        self.clip_end(clip).is_none_or(|end| bar < end).then_some(bar)
    }

    /// Bar at which a clip ends, in a pass that ends.
    fn clip_end(&self, clip: Clip) -> Option<Rational> {
        let pass_end = (self.restarts || !self.endless).then_some(self.transport.length);
        match (clip.end, pass_end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Frame of a position in a pass.
    fn frame(&self, pass: u64, bar: Rational) -> u64 {
        self.clock.frame(self.pass_frames, pass, bar)
    }

    /// The onsets of a cycle, in cycles of their clip.
    fn onsets(&self, head: Head) -> Result<Vec<PatternEvent>, QueryError> {
        let clip = self.transport.clips[head.clip];
        let mut span = TimeSpan::cycle(head.cycle);
        if let Some(end) = self.clip_end(clip) {
            span.end = span.end.min((end - clip.start)?);
        }
        let mut events = self.transport.lines[clip.line].pattern.query(span)?;
        events.retain(PatternEvent::has_onset);
        Ok(events)
    }

    /// The written steps that sound between two frames, in the order of their cycles: at most about `most`.
    pub(super) fn sounding_steps(mut self, frames: Range<u64>, most: usize, found: &mut Vec<SoundingStep>) {
        self.skip_towards(frames.start);
        self.begin_passes(frames.end);
        let first = frames.start.saturating_sub(LONGEST_STEP_SECONDS * u64::from(self.clock.rate()));
        while let Some(Reverse(head)) = self.heads.pop()
            && head.frame < frames.end
            && found.len() < most
        {
            self.push_head(head.pass, head.clip, head.cycle + 1);
            if head.frame < first {
                continue;
            }
            let shift = self.transport.lines[self.transport.clips[head.clip].line].shift;
            // A cycle that cannot be played sounds nowhere.
            for event in self.onsets(head).unwrap_or_default() {
                let Some(bytes) = event.place.shifted(shift).bytes() else { continue };
                let Ok(frames_of) = self.frames_of(head, event.whole) else { continue };
                if frames_of.end > frames.start && frames_of.start < frames.end {
                    found.push(SoundingStep { bytes, frames: frames_of });
                }
            }
        }
    }

    /// The frames of an event of a cycle, up to the end of its clip.
    fn frames_of(&self, head: Head, whole: TimeSpan) -> Result<Range<u64>, Overflow> {
        let clip = self.transport.clips[head.clip];
        let (begin, last) = ((clip.start + whole.begin)?, (clip.start + whole.end)?);
        let last = self.clip_end(clip).map_or(last, |end| last.min(end));
        Ok(self.frame(head.pass, begin)..self.frame(head.pass, last))
    }

    fn ask(&self, head: Head, found: &mut impl FnMut(Pending)) -> Result<(), QueryError> {
        let clip = self.transport.clips[head.clip];
        let line = &self.transport.lines[clip.line];
        let end = self.clip_end(clip);
        for (index, event) in self.onsets(head)?.iter().enumerate() {
            let bar = (clip.start + event.whole.begin)?;
            let last = (clip.start + event.whole.end)?;
            let order = Order { rank: self.rank, pass: head.pass, line: clip.line, cycle: head.cycle, index };
            let frame = self.frame(head.pass, bar);
            let what = match line.action {
                Action::Play { target } => {
                    let note = self.in_seconds(event.value.to_note(), bar);
                    let last = held_until(TimeSpan::new(bar, last), &note)?;
                    let end = self.frame(head.pass, end.map_or(last, |end| last.min(end)));
                    let begin = later(frame, &note, self.clock.rate());
                    let end = later(end, &note, self.clock.rate());
                    let what = What::Note { target, note, end };
                    found(Pending { frame: begin, order, what });
                    continue;
                }
                Action::Set { param, ramp } => {
                    let Some(value) = event.value.number() else { continue };
                    What::Set { param, value, ramp: self.ramp(ramp, bar)?, curve: ramp.curve }
                }
            };
            found(Pending { frame, order, what });
        }
        Ok(())
    }

    /// A note whose values in cycles are times, at the tempo of a bar.
    fn in_seconds(&self, note: Note, bar: Rational) -> Note {
        let Some(values) = note.values.as_ref().filter(|values| values.iter().any(is_in_cycles)) else {
            return note;
        };
        let cycle = self.clock.beats_per_bar().to_f64() * 60.0 / self.clock.tempo(bar);
        let seconds = |value: &NoteValue| match value.unit {
            ValueUnit::Base => *value,
            ValueUnit::Cycles => NoteValue { value: value.value * cycle, unit: ValueUnit::Base, ..*value },
        };
        let values = values.iter().map(seconds).collect();
        Note { values: Some(values), ..note }
    }

    fn ramp(&self, ramp: Ramp, bar: Rational) -> Result<u32, Overflow> {
        match ramp.over {
            Duration::Seconds(s) => seconds_in_frames(s, self.clock.rate()),
            Duration::Beats(beats) => {
                let to = (bar + (beats / self.clock.beats_per_bar())?)?;
                let frames = self.clock.at(to).round() - self.clock.at(bar).round();
                Ok(u32::try_from(frames).unwrap_or(u32::MAX))
            }
        }
    }

    /// Sets a parameter to its length at every change of the tempo of a pass. Inside a tempo ramp it follows in straight
    /// pieces of a sixteenth of a bar.
    pub(super) fn follow(
        &self,
        pass: u64,
        length: MusicalLength,
        found: &mut impl FnMut(Pending),
    ) -> Result<(), Overflow> {
        let MusicalLength { param, is_default, .. } = length;
        if is_default && matches!(self.transport.tempo.changes[..], [Change { tempo: Tempo::Steady(_), .. }])
        {
            return Ok(());
        }
        let piece = Rational::ratio(1, 16);
        // They are in order: a ramp begins at the very frame where its first value is set.
        let mut sets = 0;
        for change in &self.transport.tempo.changes {
            let until = match change.tempo {
                Tempo::Steady(_) => change.bar,
                Tempo::Ramp { until, .. } => until,
            };
            let mut set = |bar: Rational, value_at: Rational, ramp: u64| {
                let value = length.value(self.clock.tempo(value_at));
                let order = Order { rank: 0, pass, line: param.index(), cycle: 0, index: sets };
                sets += 1;
                let ramp = u32::try_from(ramp).unwrap_or(u32::MAX);
                let what = What::Set { param, value, ramp, curve: None };
                let frame = self.pass_start(pass).plus(self.clock.plain(bar)).round();
                found(Pending { frame, order, what });
            };
            set(change.bar, change.bar, 0);
            let mut bar = change.bar;
            while bar < until {
                let next = (bar + piece)?.min(until);
                set(bar, next, self.clock.plain(next).round() - self.clock.plain(bar).round());
                bar = next;
            }
        }
        Ok(())
    }
}

fn is_in_cycles(value: &NoteValue) -> bool {
    value.unit == ValueUnit::Cycles
}

/// The bar until which a note of an event is held.
fn held_until(event: TimeSpan, note: &Note) -> Result<Rational, Overflow> {
    if note.length == 1.0 {
        return Ok(event.end);
    }
    let length = Rational::from_f64(note.length).ok_or(Overflow)?;
    event.begin + ((event.end - event.begin)? * length)?
}

/// A frame moved by the delay of a note.
fn later(frame: u64, note: &Note, rate: u32) -> u64 {
    let by = (note.delay.clamp(-MOST_DELAY, MOST_DELAY) * f64::from(rate)).round();
    frame.saturating_add_signed(by as i64)
}

/// N = floor(seconds·rate + 1/2)
pub(super) fn seconds_in_frames(seconds: Rational, rate: u32) -> Result<u32, Overflow> {
    Ok(u32::try_from((seconds * Rational::whole(rate.into()))?.round().max(0)).unwrap_or(u32::MAX))
}
