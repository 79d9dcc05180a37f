//! From a score to events: one path, live and offline.
//!
//! A [`Sequencer`] asks each line for whole cycles, turns the onsets into frames, lets instruments that loop trigger
//! themselves, gives every note a voice and yields events in their exact order. In whatever pieces it is asked, the
//! events are the same. It allocates, so it runs beside the audio thread, never on it.

mod beats;
mod held;
mod performance;
mod steps;
mod track;

use super::clock::Frames;
use super::data::{Action, Command, CommandKind, Line, Score};
use super::pattern::QueryError;
use super::pattern::{Note, Pitch};
use super::rational::Rational;
use super::sequencer::beats::Beats;
use super::sequencer::held::States;
use super::sequencer::track::{Track, seconds_in_frames};
use crate::ids::{IdMap, ParamId};
use crate::param::{Curve, ParamSlot};
use crate::program::{Event, EventKind, Program, Target};
use crate::voices::{Moment, NoteStart, VoiceAllocator};
pub use held::Held;
pub use performance::{PlayedNote, performance};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::Arc;
pub use steps::SoundingStep;

/// A triggered note without a length of its own is held for at most a quarter of a second.
const TRIGGER_HOLD: (i64, u32) = (1, 4);

/// How often the score is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One pass; what is held then ends.
    Once,
    /// Again and again, without end.
    Forever,
}

/// A cycle of a line that could not be played: the line is silent in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplayed {
    /// What the line plays or sets.
    pub line: Played,
    /// The frame of the score at which the cycle begins.
    pub frame: u64,
    /// The reason why it cannot be played.
    pub error: QueryError,
}

/// What a line of a score plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// Notes of an instrument: an index into [`Program::targets`].
    Target(usize),
    /// Values of a parameter: an index into [`Program::params`].
    Param(ParamId),
}

/// The parameters that the score of a program sets, at once, as the song starts: whatever they begin with is not heard.
pub fn set_at_start(program: &Program) -> BTreeSet<ParamId> {
    let mut events = vec![];
    Sequencer::for_program(program, Extent::Once).advance(1, &mut events);
    let set = events.iter().filter_map(|event| match event.kind {
        EventKind::Set { param, ramp: 0, .. } => Some(param),
        _ => None,
    });
    set.collect()
}

/// Yields the events of a score in order.
#[derive(Clone, Debug)]
pub struct Sequencer {
    setup: Arc<Setup>,
    tracks: Vec<Track>,
    beats: Vec<Beats>,
    voices: Vec<VoiceAllocator<Sounding>>,
    pending: BinaryHeap<Reverse<Pending>>,
    offs: BinaryHeap<Reverse<NoteEnd>>,
    /// Counts notes and releases, in order.
    stamp: u64,
    lengths_set: u64,
    length: Option<Frames>,
    /// The first unplayed cycle of each target and parameter.
    unplayed: Vec<Unplayed>,
    /// Added to frames of the score to get those of the events.
    shift: i128,
    /// Values that hold where a seek went.
    chased: Vec<Event>,
    /// Frames of the score before this one have been played.
    played: u64,
    /// Some of its own states in the last seconds.
    states: States,
}

#[derive(Clone, Debug)]
struct Setup {
    rate: u32,
    score: Score,
    targets: Vec<Target>,
    params: IdMap<ParamId, ParamSlot>,
    extent: Extent,
}

/// Where something stands among others at one frame: sets before notes is a matter of [`What`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    /// 0 for commands, then the transports.
    rank: u32,
    pass: u64,
    line: usize,
    cycle: i64,
    index: usize,
}

#[derive(Clone, Debug)]
struct Pending {
    frame: u64,
    order: Order,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Set { param: ParamId, value: f64, ramp: u32, curve: Option<Curve> },
    Note { target: usize, note: Note, end: u64 },
    Trigger { target: usize },
}

impl Pending {
    fn key(&self) -> (u64, bool, Order) {
        (self.frame, !matches!(self.what, What::Set { .. }), self.order)
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Pending) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Pending {}
impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Pending) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Pending {
    fn cmp(&self, other: &Pending) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// The note that a voice holds.
#[derive(Clone, Copy, Debug)]
struct Sounding {
    note: u64,
    /// It lasts until the next trigger.
    until_next: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NoteEnd {
    frame: u64,
    note: u64,
    target: usize,
}

impl Sequencer {
    /// A sequencer at frame 0.
    pub fn new(
        rate: u32,
        targets: &[Target],
        params: &IdMap<ParamId, ParamSlot>,
        score: &Score,
        extent: Extent,
    ) -> Sequencer {
        let setup =
            Setup { rate, score: score.clone(), targets: targets.to_vec(), params: params.clone(), extent };
        Setup::start(Arc::new(setup))
    }

    /// A sequencer of a program, at frame 0.
    pub fn for_program(program: &Program, extent: Extent) -> Sequencer {
        Sequencer::new(program.rate, &program.targets, &program.params, &program.score, extent)
    }

    /// Appends the events before frame `until` that were not yet given, in order of their frames; at one frame sets
    /// (commands first, then lines as they are written), then note-offs, then notes.
    pub fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        out.append(&mut self.chased);
        let until = u64::try_from(i128::from(until) - self.shift).unwrap_or(0);
        let first = out.len();
        self.keep_state();
        self.play_until(until, out);
        let shift = self.shift;
        out[first..].iter_mut().for_each(|e| e.frame = (i128::from(e.frame) + shift).max(0) as u64);
    }

    /// Gives the events before frame `until` as [`Sequencer::advance`] does, in stretches of time, so that they need not all be
    /// held at once. Ends early where `take` breaks.
    pub fn play(&mut self, until: u64, mut take: impl FnMut(&[Event]) -> ControlFlow<()>) -> ControlFlow<()> {
        /// A longer stretch could hold too many events of a pattern as dense as can be.
        const LONGEST_SECONDS: u64 = 256;
        const MANY: usize = 10_000;
        let second = u64::from(self.setup.rate);
        let (mut at, mut stretch, mut events) = (0, second, vec![]);
        while at < until {
            at = until.min(at.saturating_add(stretch));
            self.advance(at, &mut events);
            take(&events)?;
            stretch = match events.len() {
                MANY.. => second,
                _ => (2 * stretch).min(LONGEST_SECONDS * second),
            };
            events.clear();
        }
        ControlFlow::Continue(())
    }

    /// The frame where one pass is over, not counting what still sounds. `None` when the song has no end of its own:
    /// nothing but instruments that trigger themselves.
    pub fn song_end(&self) -> Option<u64> {
        self.length.map(Frames::round)
    }

    /// How long one pass is, of which [`Sequencer::song_end`] is the nearest frame.
    pub fn song_length(&self) -> Option<Frames> {
        self.length
    }

    /// Goes to `frame` of the song, which is to sound at frame `at` of the output. The values of parameters are those
    /// that hold there; notes that began before are not played. It listens to the passes (or bars) before `frame`, not
    /// to all since the start, so the time that it takes does not grow with `frame`.
    pub fn seek(&mut self, frame: u64, at: u64) {
        *self = Setup::start(self.setup.clone());
        for track in &mut self.tracks {
            track.skip_towards(frame);
        }
        self.lengths_set = self.tracks.first().map_or(0, Track::passes);
        let setup = self.setup.clone();
        for (target, beats) in setup.targets.iter().zip(&mut self.beats) {
            if !setup.sets(target.bpm) && !setup.sets(target.looped) {
                beats.skip_towards(frame);
            }
        }
        self.catch_up(frame, at);
    }

    /// Plays unheard up to `frame`.
    fn catch_up(&mut self, frame: u64, at: u64) {
        let mut before = Vec::new();
        self.play_until(frame, &mut before);
        let mut last = BTreeMap::new();
        for event in before {
            if let EventKind::Set { param, value, ramp, curve } = event.kind {
                let ramp = (event.frame + u64::from(ramp)).saturating_sub(frame) as u32;
                last.insert(param, Event { frame: at, kind: EventKind::Set { param, value, ramp, curve } });
            }
        }
        self.chased = last.into_values().collect();
        self.shift = i128::from(at) - i128::from(frame);
    }

    /// A controller has set a parameter at a frame of the output. Concerns instruments that trigger themselves.
    pub fn set_by_controller(&mut self, frame: u64, param: ParamId, value: f64) {
        let frame = u64::try_from(i128::from(frame) - self.shift).unwrap_or(0);
        self.notice_set(frame, param, value);
        self.states.0.iter_mut().for_each(|state| state.notice_set(frame, param, value));
    }

    /// The cycles before the frame that was last asked for that could not be played; of each target and parameter the first
    /// one since the start, or since the last seek.
    pub fn unplayed(&self) -> &[Unplayed] {
        &self.unplayed
    }

    fn play_until(&mut self, until: u64, out: &mut Vec<Event>) {
        self.expand(until);
        while let Some(frame) = self.next_frame().filter(|&f| f < until) {
            self.play_frame(frame, out);
        }
        self.played = self.played.max(until);
    }

    /// Makes pending all that begins before `until`.
    fn expand(&mut self, until: u64) {
        let (pending, all) = (&mut self.pending, &mut self.unplayed);
        let mut fail = |unplayed: Unplayed| {
            if all.iter().all(|known| known.line != unplayed.line) {
                all.push(unplayed);
            }
        };
        for track in &mut self.tracks {
            track.begin_passes(until);
            track.expand(until, &mut |p| pending.push(Reverse(p)), &mut fail);
        }
        if let Some(track) = self.tracks.first_mut() {
            let passes = track.begin_passes(until);
            for pass in self.lengths_set..passes {
                for &length in &self.setup.score.lengths {
                    let followed = track.follow(pass, length, &mut |p| pending.push(Reverse(p)));
                    if let Err(overflow) = followed {
                        let frame = track.pass_start(pass).round();
                        fail(Unplayed { line: Played::Param(length.param), frame, error: overflow.into() });
                    }
                }
            }
            self.lengths_set = passes;
        }
    }

    fn next_frame(&self) -> Option<u64> {
        let pending = self.pending.peek().map(|p| p.0.frame);
        let off = self.offs.peek().map(|o| o.0.frame);
        let own = self.beats.iter().filter_map(|b| self.own_beat(b)).min();
        [pending, off, own].into_iter().flatten().min()
    }

    /// The frame of an instrument's next own beat, if the song is not over by then.
    fn own_beat(&self, beats: &Beats) -> Option<u64> {
        let over =
            |frame: u64| self.setup.extent == Extent::Once && self.song_end().is_some_and(|end| frame >= end);
        beats.next_frame().filter(|&frame| !over(frame))
    }

    fn play_frame(&mut self, frame: u64, out: &mut Vec<Event>) {
        let mut notes = Vec::new();
        while self.pending.peek().is_some_and(|next| next.0.frame == frame)
            && let Some(Reverse(next)) = self.pending.pop()
        {
            match next.what {
                What::Set { param, value, ramp, curve } => {
                    out.push(Event { frame, kind: EventKind::Set { param, value, ramp, curve } });
                    self.notice_set(frame, param, value);
                }
                note => notes.push(note),
            }
        }
        for target in 0..self.beats.len() {
            while self.own_beat(&self.beats[target]) == Some(frame) {
                self.beats[target].played();
                notes.push(What::Trigger { target });
            }
        }
        self.end_notes(frame, &notes, out);
        for note in notes {
            self.begin_note(frame, note, out);
        }
    }

    fn notice_set(&mut self, frame: u64, param: ParamId, value: f64) {
        let Some(slot) = self.setup.params.get(param) else { return };
        let value = value.max(slot.min).min(slot.max);
        for (target, beats) in self.setup.targets.iter().zip(&mut self.beats) {
            if target.bpm == param {
                beats.set_bpm(frame, value);
            }
            if target.looped == param {
                beats.set_loop(frame, value);
            }
        }
    }

    fn end_notes(&mut self, frame: u64, notes: &[What], out: &mut Vec<Event>) {
        let mut ended = vec![];
        // What ends now does not return for what ends now as well.
        for note in notes {
            if let What::Trigger { target } = *note {
                self.voices[target].forget(|held| held.until_next);
            }
        }
        while let Some(&Reverse(end)) = self.offs.peek()
            && end.frame == frame
        {
            self.offs.pop();
            self.voices[end.target].forget(|held| held.note == end.note);
            ended.push(end);
        }
        for end in ended {
            self.stamp += 1;
            let at = Moment { frame, stamp: self.stamp };
            self.voices[end.target].release(|held| held.note == end.note, at, |event| out.push(event));
        }
        for note in notes {
            if let What::Trigger { target } = *note {
                self.stamp += 1;
                let at = Moment { frame, stamp: self.stamp };
                self.voices[target].release(|held| held.until_next, at, |event| out.push(event));
            }
        }
    }

    fn begin_note(&mut self, frame: u64, what: What, out: &mut Vec<Event>) {
        let (target, note, end, until_next) = match what {
            What::Note { target, note, end } => (target, note, end, false),
            What::Trigger { target } => {
                let (seconds, quarter) = TRIGGER_HOLD;
                let hold = seconds_in_frames(Rational::ratio(seconds, quarter), self.setup.rate).unwrap_or(0);
                let plain = Note::new(Pitch::Plain(0.0));
                (target, plain, frame + u64::from(hold), true)
            }
            What::Set { .. } => return,
        };
        self.stamp += 1;
        let pitch = note.midi(self.setup.targets[target].default_note);
        let pitch = match (note.pitch, &self.setup.score.tuning) {
            (Pitch::Note(_) | Pitch::Degree(..), Some(tuning)) => tuning.pitch(pitch),
            _ => pitch,
        };
        let held = Sounding { note: self.stamp, until_next };
        let start = NoteStart { note: held, pitch, vel: note.vel, values: note.values };
        self.voices[target].begin(start, Moment { frame, stamp: self.stamp }, |event| out.push(event));
        self.offs.push(Reverse(NoteEnd { frame: end.max(frame + 1), note: self.stamp, target }));
    }
}

impl Setup {
    fn start(self: Arc<Setup>) -> Sequencer {
        let Setup { rate, score, targets, extent, .. } = &*self;
        let track = |(i, t)| Track::new(t, i as u32 + 1, *rate, *extent);
        let tracks: Vec<Track> = score.transports.iter().enumerate().map(track).collect();
        let own = |target: &Target| {
            let [bpm, looped] = self.initial_tempo(target);
            Beats::new(*rate, bpm, looped)
        };
        let beats: Vec<_> = targets.iter().map(own).collect();
        Sequencer {
            length: self.length(&tracks, &beats),
            tracks,
            beats,
            voices: targets.iter().map(VoiceAllocator::new).collect(),
            pending: self.commands().map(Reverse).collect(),
            offs: BinaryHeap::new(),
            stamp: 0,
            lengths_set: 0,
            unplayed: vec![],
            shift: 0,
            chased: Vec::new(),
            played: 0,
            states: States::default(),
            setup: self,
        }
    }

    /// Whether the score sets a parameter.
    fn sets(&self, param: ParamId) -> bool {
        let by_line = |line: &Line| matches!(line.action, Action::Set { param: set, .. } if set == param);
        let by_command = |c: &Command| matches!(c.kind, CommandKind::Set { param: set, .. } if set == param);
        let lines = self.score.transports.iter().flat_map(|transport| &transport.lines);
        lines.into_iter().any(by_line) || self.score.commands.iter().any(by_command)
    }

    /// See [`Sequencer::song_length`].
    fn length(&self, tracks: &[Track], beats: &[Beats]) -> Option<Frames> {
        let turned_on = |c: &Command| {
            matches!(c.kind, CommandKind::Set { param, value, .. }
            if value != 0.0 && self.targets.iter().any(|t| t.looped == param))
        };
        let commands = &self.score.commands;
        let passes = tracks.iter().filter(|track| track.end() > 0);
        let passes = passes.max_by_key(|track| track.end()).map(Track::length);
        if passes.is_none() && (beats.iter().any(Beats::is_on) || commands.iter().any(turned_on)) {
            return None;
        }
        let commands = commands.iter().map(|c| Frames::whole(c.frame + 1));
        Some(passes.into_iter().chain(commands).max_by_key(|length| length.round()).unwrap_or(Frames::START))
    }

    fn commands(&self) -> impl Iterator<Item = Pending> {
        let starts = self.score.starts.iter().map(|&target| (0, What::Trigger { target }));
        let commands = self.score.commands.iter().map(|c| (c.frame, self.command(c)));
        starts.chain(commands).enumerate().map(|(index, (frame, what))| {
            let order = Order { rank: 0, pass: 0, line: usize::MAX, cycle: 0, index };
            Pending { frame, order, what }
        })
    }

    fn command(&self, command: &Command) -> What {
        match command.kind {
            CommandKind::Trigger { target } => What::Trigger { target },
            CommandKind::Set { param, value, over } => {
                let ramp = seconds_in_frames(over, self.rate).unwrap_or(u32::MAX);
                What::Set { param, value, ramp, curve: None }
            }
        }
    }
}
