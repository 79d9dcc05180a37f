//! The onsets of a score, laid out in time for those who check it.

use mam_runtime::score::{Clip, Overflow, PatternEvent, Rational, TimeSpan, Transport, Value};

/// Events that are looked at; a song with more in its first bars is checked in part.
const MOST_EVENTS: usize = 200_000;

/// An onset of a line at its time in the song.
pub(super) struct Heard {
    /// Index into the transport's lines.
    pub(super) line: usize,
    /// In bars from the song's start.
    pub(super) begin: Rational,
    /// In bars; the end of the clip at the latest.
    pub(super) end: Rational,
    pub(super) value: Value,
}

/// The onsets of a transport in the order of time, laid out as far as they have been asked for.
pub(super) struct Schedule<'a> {
    pub(super) transport: &'a Transport,
    /// The bar up to which the onsets are there.
    until: Rational,
    onsets: Vec<Heard>,
}

/// Where the note of an event ends, in cycles; any other value lasts as long as its event.
fn held_until(event: &PatternEvent) -> Result<Rational, Overflow> {
    let TimeSpan { begin, end } = event.whole;
    match &event.value {
        Value::Note(note) if note.length != 1.0 => {
            let length = Rational::from_f64(note.length).ok_or(Overflow)?;
            begin + ((end - begin)? * length)?
        }
        _ => Ok(end),
    }
}

impl<'a> Schedule<'a> {
    pub(super) fn new(transport: &'a Transport) -> Schedule<'a> {
        Schedule { transport, until: Rational::ZERO, onsets: vec![] }
    }

    /// Adds the onsets up to the bar `horizon`: at most about [`MOST_EVENTS`], and as far as `steps` go.
    pub(super) fn extend(&mut self, horizon: Rational, steps: &mut u64) {
        if horizon <= self.until {
            return;
        }
        let first = self.onsets.len();
        for clip in &self.transport.clips {
            if self.onsets.len() - first > MOST_EVENTS {
                break;
            }
            self.extend_clip(clip, horizon, first, steps);
        }
        self.onsets[first..].sort_by_key(|h| (h.begin, h.line));
        self.until = horizon;
    }

    /// The onsets of one clip, cycle by cycle, so that no more than a cycle's events are in memory beside them.
    fn extend_clip(&mut self, clip: &Clip, horizon: Rational, first: usize, steps: &mut u64) {
        let pattern = &self.transport.lines[clip.line].pattern;
        let end = clip.end.map_or(horizon, |end| end.min(horizon));
        let (Ok(from), Ok(to)) = (self.until.max(clip.start) - clip.start, end - clip.start) else { return };
        for cycle in from.floor() as i64..to.ceil() as i64 {
            let whole = TimeSpan::cycle(cycle);
            let span = TimeSpan { begin: whole.begin.max(from), end: whole.end.min(to) };
            let events = pattern.query_within(span, steps).unwrap_or_default();
            for event in events.into_iter().filter(PatternEvent::has_onset) {
                let (begin, over) =
                    (clip.start + event.whole.begin, held_until(&event).map(|end| clip.start + end));
                if let (Ok(begin), Ok(Ok(over))) = (begin, over) {
                    let end = clip.end.map_or(over, |end| over.min(end));
                    self.onsets.push(Heard { line: clip.line, begin, end, value: event.value });
                }
            }
            if self.onsets.len() - first > MOST_EVENTS {
                return;
            }
        }
    }

    /// The onsets before the bar `horizon`.
    pub(super) fn before(&self, horizon: Rational) -> &[Heard] {
        &self.onsets[..self.onsets.partition_point(|heard| heard.begin < horizon)]
    }
}
