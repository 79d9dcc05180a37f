//! The onsets of a score, laid out in time for those who check it.

use mam_runtime::score::{Clip, Overflow, PatternEvent, Rational, TimeSpan, Transport, Value};
use mam_runtime::sort::Sort;

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

/// The onsets of a transport in the order of time, up to some bar.
pub(super) struct Schedule {
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

/// The cycles of a clip's pattern that are heard before a bar.
pub(super) fn cycles(clip: &Clip, horizon: Rational) -> impl DoubleEndedIterator<Item = TimeSpan> + use<> {
    let end = clip.end.map_or(horizon, |end| end.min(horizon));
    let heard = (end - clip.start).unwrap_or(Rational::ZERO);
    (0..heard.ceil().max(0) as i64).map(move |cycle| {
        let whole = TimeSpan::cycle(cycle);
        TimeSpan { end: whole.end.min(heard), ..whole }
    })
}

/// The onsets of a clip within a cycle of its pattern, or a part of one; none where these take more than so many steps.
pub(super) fn onsets(transport: &Transport, clip: &Clip, part: TimeSpan, steps: &mut u64) -> Vec<Heard> {
    let events = transport.lines[clip.line].pattern.query_within(part, steps).unwrap_or_default();
    let heard = |event: PatternEvent| {
        let begin = (clip.start + event.whole.begin).ok()?;
        let over = (clip.start + held_until(&event).ok()?).ok()?;
        let end = clip.end.map_or(over, |end| over.min(end));
        Some(Heard { line: clip.line, begin, end, value: event.value })
    };
    events.into_iter().filter(PatternEvent::has_onset).filter_map(heard).collect()
}

impl Schedule {
    /// The onsets up to the bar `horizon`: at most about [`MOST_EVENTS`], and as far as `steps` go.
    pub(super) fn new(transport: &Transport, horizon: Rational, steps: &mut u64) -> Schedule {
        let mut all = vec![];
        let parts =
            transport.clips.iter().flat_map(|clip| cycles(clip, horizon).map(move |part| (clip, part)));
        for (clip, part) in parts {
            if all.len() > MOST_EVENTS {
                break;
            }
            all.extend(onsets(transport, clip, part, steps));
        }
        all.put_in_order_by_key(|heard| (heard.begin, heard.line));
        Schedule { onsets: all }
    }

    /// The onsets before the bar `horizon`.
    pub(super) fn before(&self, horizon: Rational) -> &[Heard] {
        &self.onsets[..self.onsets.partition_point(|heard| heard.begin < horizon)]
    }
}
