//! Buffers that are written while the song plays: `record(x, on, max: 8s)`, and how they are played.
//!
//! What is recorded goes round a delay line: while nothing is recorded, each frame writes what was written a *ring* of frames ago,
//! to the bit, so that every recorded frame is found again at its distance modulo the ring. A place in the recording is counted
//! from its first frame; how long ago that was written is a number of the recording, `first`, in one word: it rises from −ring by
//! 1 in each frame, and from 0 on wraps within the ring. So what is below 0 is known to have gone round not once, and what has not
//! been written yet is not taken for what lies there from before.
//!
//! What flows in is recorded for [`BEYOND_SECONDS`] more than is asked for: towards the end of a loop that goes round from its last frame to its
//! first one, what came after the last frame is faded over into what followed the first one. The line itself is faded at both ends
//! of what is written, so that what still plays from before does not click either.
//!
//! A recording that leaves its node lends its lines: other nodes, and voices that have slept meanwhile, read them where they are, with
//! `first` and the frames so far as signals. Who hears it later than it is written reads so many frames further back.

use super::block::{Misplaced, Obstacle, What};
use super::builder::Builder;
use super::lowered::SignalId;
use super::names::Scope;
use super::playback::{CROSSFADE_SECONDS, FADE_SECONDS, Given, Position};
use super::state::{Into, Later};
use super::value::{LentLine, Recorded, Recording, Ring, Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::hir::types::{Layout, RECORD};
use crate::ir::{DelayLine, Imm, Op, Sharing, TableId, Type, Value};
use mam_grammar::Handle;
use mam_grammar::ast::ExprId;
use mam_runtime::QUANTUM;
use mam_runtime::block::TAPS;

/// How long what flows in is recorded after the end: the longest crossfade of a loop.
const BEYOND_SECONDS: f64 = 0.05;
/// Frames by which others may hear a recording later than it is written.
const LATEST: u32 = 1 << 16;
/// Frames from the latest one that can be read: all taps of the sinc are behind it, and four frames are read together.
const NEAREST: i32 = (TAPS / 2 + 4) as i32;

impl Ring {
    /// The name of what lies around it: with another ring, it means something else.
    fn name(&self, of: &str) -> String {
        format!("{}.{of}{}", self.path, self.frames)
    }
}

/// A line of a recording, as it is heard.
#[derive(Clone, Copy)]
struct RingLine<'r> {
    ring: &'r Ring,
    line: Handle<DelayLine>,
    /// Frames by which it is heard later than it is written.
    later: u32,
}

/// What a recorder is given, and what it counts.
struct Recorder<'r> {
    ring: &'r Ring,
    /// The most frames that are kept.
    most: u32,
    /// Frames in which what is written fades in and out.
    fade: f64,
    /// Frames that are recorded after the end.
    beyond: u32,
}

impl Lower<'_, '_> {
    /// `record(x, on, max)`: a buffer that is written while the song plays. What is written may be made of what is played of it.
    pub(super) fn record(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let &[Some(x), Some(on), Some(max)] = args else { return Val::Broken };
        let Some(most) = self.longest(at, max) else { return Val::Broken };
        let Some((on, _)) = self.eval(at, on).mono() else { return Val::Broken };
        let Scope { voice, port, copy, .. } = self.scopes[at.scope];
        if copy.is_some() {
            self.misplaced(at, x, Obstacle::Region);
            return Val::Broken;
        }
        let channels = match self.song.layouts.get(&self.state_path(at, x, RECORD)) {
            Layout::Signal(channels) => *channels,
            _ => 1,
        };
        self.place(at);
        let rate = self.rate(at);
        let (fade, beyond) = ((FADE_SECONDS * rate).ceil(), (BEYOND_SECONDS * rate).ceil() as u32);
        let frames = most + beyond + fade as u32 + 4 * TAPS as u32;
        let ring = Ring { frames, path: at.path.clone() };
        let recorder = Recorder { ring: &ring, most, fade, beyond };
        let b = &mut self.b;
        // One that others may read is as long whether they do or not, so that an edit by which they begin to keeps it.
        let longest = if voice.is_some() || port.is_some() { ring.read() } else { ring.lent() };
        let lines: Vec<_> = (0..channels).map(|_| b.delay(&ring.name("ring"), longest)).collect();
        b.tracked.recorded.extend(&lines);
        let on = b.truth(on);
        let latest = lines.iter().filter_map(|&line| b.late_line(line)).max();
        let on = latest.map_or(on, |latest| b.as_late(on, latest));
        let (first, frames) = b.counted(&recorder, on);
        let share = b.share(&recorder, on);
        let recorded = Recorded { lines: lines.clone(), share, ring: ring.clone() };
        self.later.push(Later { at: at.clone(), expr: x, into: Into::Recording(recorded) });
        Val::Recording(Recording { lines, first, frames, ring, voice })
    }

    /// What flows into a recording.
    pub(super) fn write_recording(&mut self, recorded: &Recorded, val: &Val) {
        let Some(signal) = val.clone().signal() else { return };
        for (channel, &line) in recorded.lines.iter().enumerate() {
            let b = &mut self.b;
            let x = b.audio(signal.channel(channel));
            let name = b.kernel.delays[line].name.clone();
            let x = b.fed_as_late(&name, true, x);
            let written = b.recorded(&recorded.ring, line, x, recorded.share);
            b.body().writes.push((line, written));
            self.written.insert(line, written);
        }
    }

    /// A recording is used where it cannot be.
    fn misplaced(&mut self, at: &At, expr: ExprId, why: Obstacle) {
        let span = self.span(at, expr);
        self.song.misplaced.get_or_insert(Misplaced { span, why, what: What::Recording });
    }

    /// The lines of a recording, for other kernels.
    pub(super) fn lent(&mut self, recording: &Recording) -> Vec<LentLine> {
        let lend = |&line: &Handle<DelayLine>| {
            if self.b.kernel.delays[line].sharing == Sharing::Own {
                self.b.kernel.delays[line].sharing = Sharing::Lent;
            }
            let late = self.b.late_line(line).unwrap_or(0);
            let DelayLine { name, frames, .. } = self.b.kernel.delays[line].clone();
            LentLine { name, frames, late }
        };
        recording.lines.iter().map(lend).collect()
    }

    /// `playback(recording, trig, speed, begin, end, loop, fade)`. What is recorded when the trigger comes is what is played.
    pub(super) fn replay(
        &mut self,
        at: &At,
        buffer: ExprId,
        recording: &Recording,
        trig: Value,
        given: [Option<Value>; 6],
    ) -> Val {
        let scope = &self.scopes[at.scope];
        // Another voice may be asleep while this one plays.
        let is_foreign = recording.voice.is_some() && scope.voice != recording.voice;
        if is_foreign || scope.copy.is_some() {
            let why = if is_foreign { Obstacle::Voice } else { Obstacle::Region };
            self.misplaced(at, buffer, why);
            return Val::Broken;
        }
        self.place(at);
        let rate = self.rate(at);
        let ring = &recording.ring;
        let trig = self.b.truth(trig);
        let mut all = vec![trig, recording.first, recording.frames];
        all.extend(given.iter().flatten());
        let later = self.b.align_to_lines(&recording.lines, &mut all);
        if !recording.lines.iter().all(|&line| self.b.reaches(line, ring.read(), later)) {
            self.misplaced(at, buffer, Obstacle::Latency);
            return Val::Broken;
        }
        let b = &mut self.b;
        let (trig, first, frames) = (all[0], all[1], all[2]);
        let mut aligned = all[3..].iter().copied();
        let [speed, begin, end, fade, repeats, _] = given.map(|given| given.and_then(|_| aligned.next()));
        let (first, frames) = b.held_at(&at.path, ring, trig, (first, frames));
        let mut default = |given: Option<Value>, x: f64| given.unwrap_or_else(|| b.f64(x));
        let (speed, begin, end) = (default(speed, 1.0), default(begin, 0.0), default(end, 1.0));
        let fade = default(fade, CROSSFADE_SECONDS);
        let frames = b.push(Op::ToFloat, Type::F32, &[frames]);
        let (begin, end) = (b.frame_of(begin, frames), b.frame_of(end, frames));
        let repeats = repeats.map(|wanted| (b.truth(wanted), b.scale(rate, fade)));
        let beyond = (BEYOND_SECONDS * rate).ceil() as i32;
        let given = b.turning(Given { trig, step: speed, begin, end, wrap: end, repeats }, beyond);
        let place = b.place(&at.path, &given);
        let level = b.level_of_recorded(&at.path, place, &given, FADE_SECONDS * rate);
        let room = b.i32(beyond);
        let mix = b.crossfade(place, &given, room);
        let weights = self.sinc_of_buffers();
        let b = &mut self.b;
        let channels = recording.lines.iter().map(|&line| {
            let from = RingLine { ring, line, later };
            let heard = b.interpolated_ring(from, weights, first, place);
            let heard = match mix {
                Some((mix, back)) => {
                    let before = b.push(Op::Sub, Type::I32, &[place.whole, back]);
                    let before = Position { whole: before, ..place };
                    let other = b.interpolated_ring(from, weights, first, before);
                    super::builtin::lerp(b, heard, other, mix)
                }
                None => heard,
            };
            b.real(Op::Mul, [heard, level])
        });
        let channels = channels.collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// A recording of another node.
    pub(super) fn read_recording(&mut self, lent: &[LentLine], counts: [SignalId; 2], ring: &Ring) -> Val {
        let lines = lent.iter().map(|line| self.borrowed(line)).collect();
        let [first, frames] = counts.map(|signal| {
            let count = self.input(signal);
            self.b.push(Op::ToInt, Type::I32, &[count])
        });
        Val::Recording(Recording { lines, first, frames, ring: ring.clone(), voice: None })
    }

    /// A line of another kernel, once in this one.
    fn borrowed(&mut self, lent: &LentLine) -> Handle<DelayLine> {
        let b = &mut self.b;
        let line = self.borrowed.entry(lent.name.clone());
        *line.or_insert_with(|| b.borrow(&lent.name, lent.frames, lent.late))
    }

    /// A part of a recording: `.time`, `.rate` or `.frames`.
    pub(super) fn part_of_recording(&mut self, recording: &Recording, field: &str) -> Val {
        let rate = self.song.rate;
        let b = &mut self.b;
        let frames = recording.frames;
        match field {
            "rate" => Val::signal_of(b.f64(rate), Dimension::FREQUENCY),
            "frames" => Val::plain(b.audio(frames)),
            _ => {
                let frames = b.audio(frames);
                Val::signal_of(b.scale(1.0 / rate, frames), Dimension::TIME)
            }
        }
    }
}

impl Ring {
    /// How far back it is read: the taps of a sinc beyond one turn.
    fn read(&self) -> u32 {
        self.frames + NEAREST as u32 + TAPS as u32
    }

    /// The same for other kernels, which come when a whole quantum is written, and hear it later.
    fn lent(&self) -> u32 {
        self.read() + QUANTUM as u32 + LATEST
    }
}

impl Builder {
    /// Of what is recorded: when its first frame was written, and how many frames there are.
    fn counted(&mut self, recorder: &Recorder, on: Value) -> (Value, Value) {
        let Recorder { ring, most, .. } = *recorder;
        let size = ring.frames as i32;
        let (on_state, was_on) = self.state(&format!("{}.on", ring.path), Imm::Bool(false));
        let (first_state, first) = self.state(&ring.name("first"), Imm::I32(-size));
        let (frames_state, frames) = self.state(&ring.name("frames"), Imm::I32(0));
        let (zero, one, start) = (self.i32(0), self.i32(1), self.i32(-size));
        let (most, full) = (self.i32(most as i32), self.i32(most as i32 - size));
        let was_off = self.push(Op::Not, Type::BOOL, &[was_on]);
        let onset = self.push(Op::And, Type::BOOL, &[on, was_off]);
        let longer = self.push(Op::Add, Type::I32, &[frames, one]);
        let longer = self.push(Op::Min, Type::I32, &[longer, most]);
        let frames = self.push(Op::Select, Type::I32, &[was_on, longer, frames]);
        let frames = self.push(Op::Select, Type::I32, &[onset, zero, frames]);
        let older = self.push(Op::Add, Type::I32, &[first, one]);
        // Of what is longer than there is room for, the first frame is a later one in each frame.
        let clipped = self.push(Op::Min, Type::I32, &[older, full]);
        let older = self.wrapped(older, size);
        let first = self.push(Op::Select, Type::I32, &[was_on, clipped, older]);
        let first = self.push(Op::Select, Type::I32, &[onset, start, first]);
        self.set(on_state, on);
        self.set(first_state, first);
        self.set(frames_state, frames);
        (first, frames)
    }

    /// A count that goes on at 0 when it reaches `size`.
    fn wrapped(&mut self, count: Value, size: i32) -> Value {
        let size = self.i32(size);
        let over = self.push(Op::Le, Type::BOOL, &[size, count]);
        let less = self.push(Op::Sub, Type::I32, &[count, size]);
        self.push(Op::Select, Type::I32, &[over, less, count])
    }

    /// How much of what is written is what flows in: 1 while it is recorded, 0 while what was recorded goes round.
    fn share(&mut self, recorder: &Recorder, on: Value) -> Value {
        let Recorder { ring, fade, beyond, .. } = *recorder;
        let (left_state, left) = self.state(&format!("{}.left", ring.path), Imm::I32(0));
        let (share_state, share) = self.state(&format!("{}.share", ring.path), Imm::F32(0.0));
        let (zero, one, beyond) = (self.i32(0), self.i32(1), self.i32(beyond as i32));
        let less = self.push(Op::Sub, Type::I32, &[left, one]);
        let less = self.push(Op::Max, Type::I32, &[less, zero]);
        let left = self.push(Op::Select, Type::I32, &[on, beyond, less]);
        self.set(left_state, left);
        let goes = self.push(Op::Lt, Type::BOOL, &[zero, left]);
        let (up, down) = (self.f64(1.0 / fade), self.f64(-1.0 / fade));
        let step = self.select(goes, up, down);
        let (none, whole) = (self.f64(0.0), self.f64(1.0));
        let share = self.real(Op::Add, [share, step]);
        let share = self.real(Op::Max, [share, none]);
        let share = self.real(Op::Min, [share, whole]);
        self.set(share_state, share);
        share
    }

    /// What is written into the line of a channel: what flows in, what was there before, or both, while one fades into the other.
    fn recorded(&mut self, ring: &Ring, line: Handle<DelayLine>, x: Value, share: Value) -> Value {
        let size = self.i32(ring.frames as i32);
        let before = self.push(Op::Read(line), Type::F32, &[size]);
        let (none, whole) = (self.f64(0.0), self.f64(1.0));
        let step = self.real(Op::Sub, [x, before]);
        let part = self.real(Op::Mul, [step, share]);
        let mixed = self.real(Op::Add, [before, part]);
        let is_whole = self.compare(Op::Le, whole, share);
        let is_none = self.compare(Op::Le, share, none);
        let written = self.select(is_none, before, mixed);
        self.select(is_whole, x, written)
    }

    /// What a player holds from its trigger on: when the first frame was written, and how many there were.
    fn held_at(
        &mut self,
        path: &str,
        ring: &Ring,
        trig: Value,
        (first, frames): (Value, Value),
    ) -> (Value, Value) {
        let size = ring.frames as i32;
        let name = |of: &str| format!("{path}.{of}{size}");
        let (first_state, first_held) = self.state(&name("first"), Imm::I32(-size));
        let (frames_state, frames_held) = self.state(&name("frames"), Imm::I32(0));
        let one = self.i32(1);
        let older = self.push(Op::Add, Type::I32, &[first_held, one]);
        let older = self.wrapped(older, size);
        let first = self.push(Op::Select, Type::I32, &[trig, first, older]);
        let frames = self.push(Op::Select, Type::I32, &[trig, frames, frames_held]);
        self.set(first_state, first);
        self.set(frames_state, frames);
        (first, frames)
    }

    /// A loop turns so much later as its crossfade takes: there what came after its end is faded into what followed its beginning.
    fn turning(&mut self, given: Given, beyond: i32) -> Given {
        let Some((repeats, fade)) = given.repeats else { return given };
        let length = self.push(Op::Sub, Type::I32, &[given.end, given.begin]);
        let length = self.push(Op::ToFloat, Type::F32, &[length]);
        let (most, none) = (self.f64(f64::from(beyond)), self.f64(0.0));
        let fade = self.real(Op::Min, [fade, most]);
        let fade = self.real(Op::Min, [fade, length]);
        let fade = self.real(Op::Max, [fade, none]);
        let fade = self.real(Op::Floor, [fade]);
        let whole = self.push(Op::ToInt, Type::I32, &[fade]);
        let later = self.push(Op::Add, Type::I32, &[given.end, whole]);
        let wrap = self.push(Op::Select, Type::I32, &[repeats, later, given.end]);
        Given { wrap, repeats: Some((repeats, fade)), ..given }
    }

    /// From 0 to 1 after the trigger, and back to 0 towards the end, unless a loop goes on: what is recorded begins and ends anywhere.
    fn level_of_recorded(&mut self, path: &str, place: Position, given: &Given, fade: f64) -> Value {
        let (rise_state, rise) = self.state(&format!("{path}.rise"), Imm::F32(0.0));
        let (none, whole) = (self.f64(0.0), self.f64(1.0));
        let last = self.select(given.trig, none, rise);
        let step = self.f64(1.0 / fade.max(1.0));
        let rise = self.real(Op::Add, [last, step]);
        let rise = self.real(Op::Min, [rise, whole]);
        self.set(rise_state, rise);
        let end = self.level_towards_end(place, given, fade.max(1.0));
        let idle = self.i32(super::playback::IDLE);
        let plays = self.push(Op::Ne, Type::BOOL, &[place.whole, idle]);
        let level = self.real(Op::Mul, [rise, end]);
        self.select(plays, level, none)
    }

    /// 1, and towards the end in which it is going 0, unless it goes round.
    fn level_towards_end(&mut self, place: Position, given: &Given, fade: f64) -> Value {
        let (none, whole) = (self.f64(0.0), self.f64(1.0));
        let back = self.compare(Op::Lt, given.step, none);
        let ahead = self.push(Op::Sub, Type::I32, &[given.end, place.whole]);
        let behind = self.push(Op::Sub, Type::I32, &[place.whole, given.begin]);
        let left = self.push(Op::Select, Type::I32, &[back, behind, ahead]);
        let left = self.push(Op::ToFloat, Type::F32, &[left]);
        let left = self.scale(1.0 / fade, left);
        let left = self.real(Op::Min, [left, whole]);
        let left = self.real(Op::Max, [left, none]);
        match given.repeats {
            Some((repeats, _)) => self.select(repeats, whole, left),
            None => left,
        }
    }

    /// How many frames ago what lies at a place was written.
    fn distance_of(&mut self, ring: &Ring, first: Value, whole: Value) -> Value {
        let (zero, size, nearest) = (self.i32(0), self.i32(ring.frames as i32), self.i32(NEAREST));
        let young = self.push(Op::Lt, Type::BOOL, &[first, zero]);
        let ago = self.push(Op::Sub, Type::I32, &[first, whole]);
        let later = self.push(Op::Add, Type::I32, &[ago, size]);
        // Before it has gone round once, it is so many frames ago; what is nearer is not written yet.
        let once = self.push(Op::Max, Type::I32, &[later, nearest]);
        let too_near = self.push(Op::Lt, Type::BOOL, &[ago, nearest]);
        let again = self.push(Op::Select, Type::I32, &[too_near, later, ago]);
        let distance = self.push(Op::Select, Type::I32, &[young, once, again]);
        // A place that does not play may be anywhere.
        let most = self.i32(ring.frames as i32 + NEAREST);
        let distance = self.push(Op::Min, Type::I32, &[distance, most]);
        self.push(Op::Max, Type::I32, &[distance, nearest])
    }

    /// Brings values together with what some lines hold. Returns how many frames later they meet than it is written.
    fn align_to_lines(&mut self, lines: &[Handle<DelayLine>], values: &mut [Value]) -> u32 {
        if self.tracked.known.is_none() {
            return 0;
        }
        let written = lines.iter().filter_map(|&line| self.late_line(line)).max().unwrap_or(0);
        let latest = values.iter().filter_map(|&value| self.late(value)).fold(written, u32::max);
        values.iter_mut().for_each(|value| *value = self.as_late(*value, latest));
        latest - written
    }

    /// Whether a line can be read so many frames back, and `later` more; one of this kernel is made as long as that takes.
    fn reaches(&mut self, line: Handle<DelayLine>, longest: u32, later: u32) -> bool {
        if self.kernel.delays[line].sharing != Sharing::Borrowed {
            self.lengthen(line, longest + later);
        }
        DelayLine::holding(longest + later + QUANTUM as u32) <= self.kernel.delays[line].frames
            || self.kernel.delays[line].sharing != Sharing::Borrowed
    }

    /// What was recorded at a place.
    fn interpolated_ring(
        &mut self,
        RingLine { ring, line, later }: RingLine,
        weights: TableId,
        first: Value,
        place: Position,
    ) -> Value {
        let distance = self.distance_of(ring, first, place.whole);
        let later = self.i32(later as i32);
        let distance = self.push(Op::Add, Type::I32, &[distance, later]);
        self.weighted_taps(weights, place.part, |b, tap| {
            let offset = b.i32(TAPS as i32 / 2 - 1 - tap);
            let distance = b.push(Op::Add, Type::I32, &[distance, offset]);
            b.push(Op::Read(line), Type::F32, &[distance])
        })
    }
}
