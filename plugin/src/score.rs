//! The song's score on the host's timeline (`mamc build --play`), and the lengths that follow its tempo.
//!
//! The events of the score are listed when the instance is activated, each at its place in quarter notes. On the audio thread
//! a place in that list follows the host's position: no allocation, and the same events offline and live. Where the host's tempo
//! is the song's, they lie at the frames of `mamc render`.

use crate::notes::{Notes, Sink};
use clap_sys::events::{
    CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO, CLAP_TRANSPORT_IS_PLAYING,
    clap_event_transport,
};
use clap_sys::fixedpoint::CLAP_BEATTIME_FACTOR;
use mam_runtime::ids::ParamId;
use mam_runtime::score::{Clock, Extent, MusicalLength, Sequencer};
use mam_runtime::{Event, EventKind, Program};
use std::sync::Arc;

/// Events that are listed at most; the score repeats what was listed, in whole passes.
const MOST_EVENTS: usize = 1 << 15;
/// Seconds of the score that are listed at most.
const MOST_SECONDS: u64 = 30 * 60;
/// Tempos that are followed, in quarter notes a minute.
const TEMPOS: std::ops::RangeInclusive<f64> = 1.0..=2000.0;
/// A host whose position is off by more quarter notes than this has jumped.
const JUMP: f64 = 1.0 / 128.0;

/// Where a host is in its song.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Transport {
    /// Quarter notes a minute, where the host has a tempo that can be followed.
    tempo: Option<f64>,
    /// The position in quarter notes, while it plays.
    playing: Option<f64>,
}

impl Transport {
    /// What a host says. \[audio\]
    pub(crate) fn read(event: &clap_event_transport) -> Transport {
        let has = |flag| event.flags & flag != 0;
        let tempo =
            has(CLAP_TRANSPORT_HAS_TEMPO).then_some(event.tempo).filter(|tempo| TEMPOS.contains(tempo));
        let plays = has(CLAP_TRANSPORT_IS_PLAYING) && has(CLAP_TRANSPORT_HAS_BEATS_TIMELINE);
        let beats = event.song_pos_beats as f64 / CLAP_BEATTIME_FACTOR as f64;
        Transport { tempo, playing: plays.then_some(beats) }
    }
}

/// Parameters that are a number of quarter notes in seconds: `beat` and `bar` of a song. They follow the host's tempo.
#[derive(Debug)]
pub(crate) struct Lengths {
    params: Vec<MusicalLength>,
    /// The song's tempo at its start, and the one that the parameters stand at.
    song: f64,
    tempo: f64,
}

impl Lengths {
    /// Those of a program. Allocates.
    pub(crate) fn new(program: &Program) -> Lengths {
        let score = &program.score;
        let song = score.transports.first().and_then(|transport| transport.tempo.first());
        let song = song.map_or(120.0, |tempo| tempo.to_f64());
        Lengths { params: score.lengths.clone(), song, tempo: song }
    }

    /// The values at the start, at the song's own tempo. \[audio\]
    pub(crate) fn start(&mut self) -> impl Iterator<Item = (ParamId, f64)> {
        self.tempo = self.song;
        self.params
            .iter()
            .filter(|length| !length.is_default)
            .map(|length| (length.param, length.value(self.tempo)))
    }

    /// Follows the host. \[audio\]
    pub(crate) fn follow(&mut self, transport: Transport, frame: u64, sink: &mut impl Sink) {
        let Some(tempo) = transport.tempo.filter(|tempo| *tempo != self.tempo) else { return };
        self.tempo = tempo;
        for length in &self.params {
            let (param, value) = (length.param, length.value(tempo));
            sink.event(Event { frame, kind: EventKind::Set { param, value, ramp: 0, curve: None } });
        }
    }
}

/// The events of a score by their places: made once for all instances at a rate.
#[derive(Debug)]
pub(crate) struct List {
    /// In order; their frames are those of the song's own tempo.
    events: Vec<Event>,
    /// The place of each, in quarter notes from the start.
    beats: Vec<f64>,
    /// Quarter notes after which everything comes again; infinite where nothing does.
    period: f64,
    /// The parameters that they set.
    sets: Vec<Sets>,
}

/// A parameter that the score sets.
#[derive(Debug)]
struct Sets {
    param: ParamId,
    /// Indices of the events that set it.
    events: Vec<usize>,
}

/// A place in the score, which follows the host's.
#[derive(Debug)]
pub(crate) struct Score {
    list: Arc<List>,
    /// Which of the list's parameters the score has set since it began to play, so that the host's values do not hold.
    is_set: Vec<bool>,
    rate: f64,
    /// The song's tempo at its start, in quarter notes a minute.
    song_tempo: f64,
    /// Where the host was said to be; `None` while it stands.
    anchor: Option<Anchor>,
    /// The next event of the list.
    next: usize,
    /// Quarter notes of the repetitions before this one.
    repeated: f64,
}

/// The host's position at a frame of the engine.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    frame: u64,
    beat: f64,
    /// Quarter notes a frame.
    step: f64,
}

impl Anchor {
    /// The position at a frame that is not before.
    fn beat_at(self, frame: u64) -> f64 {
        self.beat + (frame - self.frame) as f64 * self.step
    }

    /// The frame nearest to a position; the anchor's own for those before.
    fn frame_of(self, beat: f64) -> u64 {
        self.frame.saturating_add(((beat - self.beat) / self.step).round().max(0.0) as u64)
    }
}

impl List {
    /// Asks the score of a program for its events. Allocates, and takes a while.
    pub(crate) fn new(program: &Program) -> List {
        let rate = u64::from(program.rate);
        let mut sequencer = Sequencer::for_program(program, Extent::Forever);
        let (mut events, mut until) = (Vec::new(), 0);
        while until < MOST_SECONDS * rate && events.len() < MOST_EVENTS {
            until += rate;
            sequencer.advance(until, &mut events);
        }
        let lengths: Vec<ParamId> = program.score.lengths.iter().map(|length| length.param).collect();
        events
            .retain(|event| !matches!(event.kind, EventKind::Set { param, .. } if lengths.contains(&param)));
        let pass = Pass::new(program);
        let period = pass.period(until);
        let beats: Vec<f64> = events.iter().map(|event| pass.beat(event.frame)).collect();
        let end = beats.iter().position(|beat| *beat >= period).unwrap_or(beats.len());
        events.truncate(end);
        List { sets: sets(&events), beats: beats[..end].to_vec(), events, period }
    }
}

/// The parameters that events set.
fn sets(events: &[Event]) -> Vec<Sets> {
    let mut sets: Vec<Sets> = vec![];
    for (index, event) in events.iter().enumerate() {
        let EventKind::Set { param, .. } = event.kind else { continue };
        match sets.iter_mut().find(|known| known.param == param) {
            Some(known) => known.events.push(index),
            None => sets.push(Sets { param, events: vec![index] }),
        }
    }
    sets
}

/// How frames of the score become quarter notes.
struct Pass {
    clock: Option<Clock>,
    beats_per_bar: f64,
    /// Bars and frames of a pass, where all starts again after it.
    repeats: Option<(f64, f64)>,
    rate: f64,
}

impl Pass {
    fn new(program: &Program) -> Pass {
        let transport = program.score.transports.first();
        let clock = transport.map(|transport| Clock::new(&transport.tempo, program.rate));
        let repeats = transport.zip(clock.as_ref()).and_then(|(transport, clock)| {
            let (bars, frames) = (transport.length.to_f64(), clock.plain(transport.length).to_f64());
            (transport.restarts && frames >= 1.0).then_some((bars, frames))
        });
        Pass {
            beats_per_bar: transport.map_or(4.0, |transport| transport.tempo.beats_per_bar.to_f64()),
            clock,
            repeats,
            rate: program.rate.into(),
        }
    }

    /// The place of a frame in quarter notes from the start; at 120 a minute where there is no tempo.
    fn beat(&self, frame: u64) -> f64 {
        let frame = frame as f64;
        let Some(clock) = &self.clock else { return frame / self.rate * 2.0 };
        let (bars, rest) = match self.repeats {
            Some((bars, frames)) => {
                let passes = (frame / frames).floor();
                (passes * bars, frame - passes * frames)
            }
            None => (0.0, frame),
        };
        (bars + clock.bar_at(rest)) * self.beats_per_bar
    }

    /// Whole passes, or bars, before a frame, in quarter notes; infinite where there is not one.
    fn period(&self, frame: u64) -> f64 {
        let bars = self.repeats.map_or(1.0, |(bars, _)| bars);
        // What lies at the very end is of the next one.
        let whole = (self.beat(frame) / (bars * self.beats_per_bar) + 1e-9).floor();
        if whole >= 1.0 { whole * bars * self.beats_per_bar } else { f64::INFINITY }
    }
}

impl Score {
    /// The score of a program, at rest. Allocates.
    pub(crate) fn new(program: &Program, list: Arc<List>) -> Score {
        Score {
            is_set: vec![false; list.sets.len()],
            list,
            rate: program.rate.into(),
            song_tempo: Lengths::new(program).song,
            anchor: None,
            next: 0,
            repeated: 0.0,
        }
    }

    /// As it was when it was made. \[audio\]
    pub(crate) fn reset(&mut self) {
        (self.anchor, self.next, self.repeated) = (None, 0, 0.0);
        self.is_set.fill(false);
    }

    /// Whether the host plays. \[audio\]
    pub(crate) fn is_playing(&self) -> bool {
        self.anchor.is_some()
    }

    /// The host says where it is at a frame; `wanted` is the value that it wants of a parameter. \[audio\]
    pub(crate) fn follow(
        &mut self,
        transport: Transport,
        frame: u64,
        (notes, wanted): (&mut Notes, &dyn Fn(ParamId) -> Option<f64>),
        sink: &mut impl Sink,
    ) {
        let Some(beat) = transport.playing else {
            if self.anchor.take().is_some() {
                notes.end_score(frame, sink);
            }
            return;
        };
        let step = transport.tempo.unwrap_or(self.song_tempo) / (60.0 * self.rate);
        let goes_on = self.anchor.is_some_and(|anchor| (anchor.beat_at(frame) - beat).abs() <= JUMP);
        let was_playing = self.anchor.replace(Anchor { frame, beat, step }).is_some();
        if !goes_on {
            if was_playing {
                notes.end_score(frame, sink);
            }
            self.seek(beat, step);
            self.chase(beat - self.repeated - step / 2.0, frame, wanted, sink);
        }
    }

    /// Goes to the first event that is not before a position.
    fn seek(&mut self, beat: f64, step: f64) {
        let passes =
            if self.list.period.is_finite() { (beat / self.list.period).floor().max(0.0) } else { 0.0 };
        self.repeated = if passes > 0.0 { passes * self.list.period } else { 0.0 };
        let from = beat - self.repeated - step / 2.0;
        self.next = self.list.beats.partition_point(|beat| *beat < from);
    }

    /// Gives the parameters that the score sets the values that hold before a place; what it has set meanwhile and not before
    /// there, that of the host.
    fn chase(
        &mut self,
        before: f64,
        frame: u64,
        wanted: &dyn Fn(ParamId) -> Option<f64>,
        sink: &mut impl Sink,
    ) {
        for index in 0..self.list.sets.len() {
            let Sets { param, events } = &self.list.sets[index];
            let passed = events.partition_point(|&event| self.list.beats[event] < before);
            let event = match passed.checked_sub(1).map(|last| events[last]) {
                Some(event) => self.chased(event, before, frame),
                None => wanted(*param).filter(|_| self.is_set[index]).map(|value| Event {
                    frame,
                    kind: EventKind::Set { param: *param, value, ramp: 0, curve: None },
                }),
            };
            self.is_set[index] = passed > 0;
            event.into_iter().for_each(|event| sink.event(event));
        }
    }

    /// An event that sets a parameter, some time after its place: with what is left of its ramp.
    fn chased(&self, index: usize, before: f64, frame: u64) -> Option<Event> {
        let EventKind::Set { param, value, ramp, curve } = self.list.events[index].kind else { return None };
        let step = self.anchor.map_or(1.0, |anchor| anchor.step);
        let passed = ((before - self.list.beats[index]) / step).max(0.0) as u64;
        let ramp = u64::from(self.stretched(ramp, step)).saturating_sub(passed) as u32;
        Some(Event { frame, kind: EventKind::Set { param, value, ramp, curve } })
    }

    /// A ramp's frames at a tempo of so many quarter notes a frame.
    fn stretched(&self, ramp: u32, step: f64) -> u32 {
        let song = self.song_tempo / (60.0 * self.rate);
        if step == song { ramp } else { (f64::from(ramp) * song / step).round() as u32 }
    }

    /// Gives the events before a frame that were not yet given. Returns the frame of the first that there was no room for.
    /// \[audio\]
    pub(crate) fn advance(&mut self, until: u64, notes: &mut Notes, sink: &mut impl Sink) -> Option<u64> {
        let anchor = self.anchor?;
        // A repetition takes more than a frame, so this ends.
        loop {
            let place = self.list.beats.get(self.next).copied();
            let beat = self.repeated + place.unwrap_or(self.list.period);
            let frame = if beat.is_finite() { anchor.frame_of(beat) } else { u64::MAX };
            if frame >= until {
                return None;
            }
            if !sink.has_room() {
                return Some(frame);
            }
            match place {
                Some(_) => self.play_next(frame, anchor, notes, sink),
                None => {
                    notes.end_score(frame, sink);
                    (self.next, self.repeated) = (0, self.repeated + self.list.period);
                }
            }
        }
    }

    fn play_next(&mut self, frame: u64, anchor: Anchor, notes: &mut Notes, sink: &mut impl Sink) {
        let mut event = Event { frame, ..self.list.events[self.next] };
        if let EventKind::Set { param, ramp, .. } = &mut event.kind {
            *ramp = self.stretched(*ramp, anchor.step);
            if let Some(known) = self.list.sets.iter().position(|known| known.param == *param) {
                self.is_set[known] = true;
            }
        }
        notes.score(event, sink);
        self.next += 1;
    }
}
