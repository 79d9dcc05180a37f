//! A render as the flags ask for it: from where to where, with what input, in interleaved blocks.

use crate::failure::Failure;
use crate::report::finite::render_report;
use crate::values::{Length, Start, Unit};
use mam_runtime::file::{Frames, Sound};
use mam_runtime::render::{self, Renderer};
use mam_runtime::score::{Clock, Extent, Rational, Sequencer, TempoMap};
use mam_runtime::{Engine, Event, EventSource, NotFinite, Program};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a song without an end is rendered by default.
pub const ENDLESS_SECONDS: u64 = 30;

/// Which part of a song.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Where it starts.
    pub from: Option<Start>,
    /// How long it is.
    pub duration: Option<Length>,
    /// How long it goes on after the song's end.
    pub tail: Option<Length>,
}

/// What is to be rendered.
pub struct Job {
    /// The song.
    pub program: Arc<Program>,
    /// The song's input, at the song's rate.
    pub input: Option<Sound>,
    /// How many threads render it.
    pub threads: usize,
    /// Frames that are asked for at a time; the engine's own block where `None`.
    pub block: Option<usize>,
    /// Whether what sleeps or rests is not called.
    pub skip: bool,
    /// True when it is cut because the song has no end.
    pub endless: bool,
    extent: Extent,
    from: u64,
    length: render::Length,
    tap: Option<Tapped>,
    /// What was not finite in any of its renders, and in those of its taps.
    not_finite: Arc<Mutex<Vec<NotFinite>>>,
}

/// A node that is heard instead of the song.
struct Tapped {
    node: String,
    channels: usize,
}

impl Job {
    /// A part of a program, without input.
    ///
    /// # Errors
    /// When the part is longer than can be counted.
    pub fn new(program: Arc<Program>, span: Span) -> Result<Job, Failure> {
        let time = Time::of(&program);
        let from = match span.from {
            None => 0,
            Some(Start::Bar(bar)) => time.of_bars(bars_before(bar))?,
            Some(Start::After(length)) => time.after(Place::START, length)?,
        };
        let start = match span.from {
            Some(Start::Bar(bar)) => Place { frame: from, bars: bars_before(bar) },
            _ => Place { frame: from, bars: None },
        };
        let end = Sequencer::of(&program, Extent::Once).song_end();
        let endless = end.is_none() && span.duration.is_none();
        let end = end.unwrap_or(ENDLESS_SECONDS * u64::from(program.rate));
        let (extent, length) = match (span.duration, span.tail) {
            (Some(duration), _) => (Extent::Forever, render::Length::Frames(time.after(start, duration)?)),
            (None, _) if endless => (Extent::Forever, render::Length::Frames(end.max(from))),
            (None, Some(tail)) => (
                Extent::Once,
                render::Length::Frames(time.after(Place { frame: end.max(from), bars: None }, tail)?),
            ),
            (None, None) => (Extent::Once, render::Length::WithTail(end.max(from))),
        };
        Ok(Job {
            program,
            input: None,
            threads: 1,
            block: None,
            skip: true,
            endless,
            extent,
            from,
            length,
            tap: None,
            not_finite: Arc::default(),
        })
    }

    /// The same frames, but of one node instead of the song; none when there is no such node.
    pub fn tapped(&self, node: &str, frames: u64) -> Option<Job> {
        let channels = Engine::new(self.program.clone()).tap(node)?;
        let tap = Some(Tapped { node: node.to_string(), channels });
        let length = render::Length::Frames(self.from + frames);
        let (program, input) = (self.program.clone(), self.input.clone());
        let not_finite = self.not_finite.clone();
        Some(Job { program, input, endless: false, length, tap, not_finite, ..*self })
    }

    /// Channels of the result.
    pub fn channels(&self) -> usize {
        self.tap.as_ref().map_or(self.program.outputs.len(), |t| t.channels)
    }

    /// The frame where it ends, not counting a tail.
    pub fn end(&self) -> u64 {
        match self.length {
            render::Length::Frames(end) | render::Length::WithTail(end) => end,
        }
    }

    /// How many frames it will have at least.
    pub fn expected(&self) -> u64 {
        self.end() - self.from
    }

    /// How many frames of the song are rendered at most, counted from its beginning.
    pub fn latest(&self) -> u64 {
        match self.length {
            render::Length::Frames(end) => end,
            render::Length::WithTail(end) => {
                end.saturating_add(render::LONGEST_TAIL_SECONDS * u64::from(self.program.rate))
            }
        }
    }

    /// How many frames there will be after `before` others.
    pub fn total(&self, before: u64) -> Frames {
        let frames = before.saturating_add(self.latest() - self.from);
        match self.length {
            render::Length::Frames(_) => Frames::Exactly(frames),
            render::Length::WithTail(_) => Frames::AtMost(frames),
        }
    }

    /// A length from the beginning, in frames.
    ///
    /// # Errors
    /// When it is longer than can be counted.
    pub fn frames(&self, length: Option<Length>) -> Result<u64, Failure> {
        length.map_or(Ok(0), |l| Time::of(&self.program).after(Place::START, l))
    }

    /// Renders, and hands over interleaved frames. What lies before the start is rendered too, so that the result is
    /// a piece of the whole, to the bit.
    ///
    /// # Errors
    /// What `take` returns.
    pub fn run(&self, mut take: impl FnMut(&[f32]) -> Result<(), Failure>) -> Result<(), Failure> {
        let source = Source(Sequencer::of(&self.program, self.extent));
        let mut renderer =
            Renderer::new(self.program.clone(), source, self.program.outputs.len(), 0, self.length);
        let heard = self.tap.as_ref().and_then(|t| renderer.tap(&t.node));
        let heard = heard.unwrap_or(0..self.program.outputs.len());
        renderer.share(self.threads);
        if let Some(block) = self.block {
            renderer.in_blocks_of(block);
        }
        if !self.skip {
            renderer.never_skip();
        }
        if let Some(input) = &self.input {
            let channels: Vec<&[f32]> = input.channels.iter().map(Vec::as_slice).collect();
            renderer.feed(&channels);
        }
        let mut skip = usize::try_from(self.from).unwrap_or(usize::MAX);
        let mut interleaved = Vec::new();
        while let Some(block) = renderer.next_block() {
            let frames = block[0].len();
            let first = skip.min(frames);
            skip -= first;
            interleave(&block[heard.clone()], first..frames, &mut interleaved);
            if !interleaved.is_empty() {
                take(&interleaved)?;
            }
        }
        let mut all = self.not_finite.lock().unwrap_or_else(PoisonError::into_inner);
        let new =
            renderer.not_finite().into_iter().filter(|failure| !all.contains(failure)).collect::<Vec<_>>();
        all.extend(new);
        Ok(())
    }

    /// Fails where something was not finite in what has been rendered, and says what.
    ///
    /// # Errors
    /// Which steps were not finite, and where.
    pub fn check_finite(&self) -> Result<(), Failure> {
        let mut all = self.not_finite.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort();
        render_report(&all, &self.program).map_or(Ok(()), |words| Err(Failure::WrongInput(words)))
    }
}

impl Job {
    /// Renders while keeping time: each node's share of all nodes' time, greatest first.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let source = Source(Sequencer::of(&self.program, self.extent));
        let mut renderer = Renderer::new(self.program.clone(), source, self.channels(), 0, self.length);
        renderer.keep_time();
        if !self.skip {
            renderer.never_skip();
        }
        while renderer.next_block().is_some() {}
        let Some(profile) = renderer.profile() else { return vec![] };
        let total: u64 = profile.steps.iter().sum();
        let mut nodes: BTreeMap<&str, u64> = BTreeMap::new();
        for (step, ticks) in self.program.steps.iter().zip(&profile.steps) {
            let node = step.name.split('#').next().unwrap_or(&step.name);
            *nodes.entry(node).or_default() += ticks;
        }
        let share = |ticks: u64| ticks as f64 / total.max(1) as f64;
        let mut shares: Vec<_> = nodes.into_iter().map(|(n, t)| (n.to_string(), share(t))).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }
}

/// Puts the frames of channels one after another.
fn interleave(channels: &[Vec<f32>], frames: std::ops::Range<usize>, into: &mut Vec<f32>) {
    into.resize(frames.len() * channels.len(), 0.0);
    if let [left, right] = channels {
        let both = left[frames.clone()].iter().zip(&right[frames]);
        into.chunks_exact_mut(2).zip(both).for_each(|(to, (l, r))| to.copy_from_slice(&[*l, *r]));
        return;
    }
    for (first, channel) in channels.iter().enumerate() {
        let places = into[first..].iter_mut().step_by(channels.len());
        places.zip(&channel[frames.clone()]).for_each(|(to, sample)| *to = *sample);
    }
}

/// The score's events for the renderer.
struct Source(Sequencer);

impl EventSource for Source {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        self.0.advance(until, out);
    }
}

/// A frame, and where it lies in bars if that is known exactly.
#[derive(Clone, Copy)]
struct Place {
    frame: u64,
    bars: Option<Rational>,
}

impl Place {
    const START: Place = Place { frame: 0, bars: Some(Rational::ZERO) };
}

/// How many bars lie before the start of this one.
fn bars_before(bar: u64) -> Option<Rational> {
    Rational::new(i128::from(bar) - 1, 1).ok()
}

/// Musical time of a song in frames: the tempo of its first transport, pass after pass.
struct Time {
    clock: Clock,
    /// Bars of a pass after which the tempo starts again.
    pass: Option<Rational>,
}

impl Time {
    fn of(program: &Program) -> Time {
        match program.score.transports.first() {
            Some(t) => {
                Time { clock: Clock::new(&t.tempo, program.rate), pass: t.restarts.then_some(t.length) }
            }
            None => Time { clock: Clock::new(&TempoMap::default(), program.rate), pass: None },
        }
    }

    /// The frame that is `length` after a place.
    fn after(&self, from: Place, length: Length) -> Result<u64, Failure> {
        if let Some(frames) = length.frames(self.clock.rate()) {
            return checked(from.frame.checked_add(frames));
        }
        let (num, den) = length.fraction();
        let amount = i128::try_from(num).ok().zip(i128::try_from(den).ok());
        let amount = amount.and_then(|(n, d)| Rational::new(n, d).ok());
        let bars = match length.unit() {
            Unit::Beat => amount.and_then(|a| (a / self.clock.beats_per_bar()).ok()),
            _ => amount,
        };
        let start = from.bars.or_else(|| Rational::from_f64(self.bar_at(from.frame)));
        let end = start.zip(bars).and_then(|(a, b)| (a + b).ok());
        self.of_bars(end)
    }

    /// The frame where so many bars have passed.
    fn of_bars(&self, bars: Option<Rational>) -> Result<u64, Failure> {
        let Some(bars) = bars else { return checked(None) };
        let (passes, rest) = match self.pass {
            Some(length) if bars > length => {
                let passes = (bars / length).map_or(0, Rational::floor);
                let whole = Rational::new(passes, 1).and_then(|p| p * length);
                (passes as u64, whole.and_then(|w| bars - w).unwrap_or(bars))
            }
            _ => (0, bars),
        };
        let before = self.pass.map(|length| self.clock.plain(length).times(passes));
        let frames = self.clock.plain(rest);
        checked(Some(before.map_or(frames, |b| frames.plus(b)).round()))
    }

    fn bar_at(&self, frame: u64) -> f64 {
        let pass = self.pass.map(|length| (self.clock.plain(length).to_f64(), length.to_f64()));
        match pass {
            Some((frames, bars)) if frames > 0.0 => {
                let passes = (frame as f64 / frames).floor();
                passes * bars + self.clock.bar_at(frame as f64 - passes * frames)
            }
            _ => self.clock.bar_at(frame as f64),
        }
    }
}

/// A frame that is not absurdly far away: within two months at the highest rate.
fn checked(frame: Option<u64>) -> Result<u64, Failure> {
    const MOST: u64 = 1 << 40;
    match frame {
        Some(frame) if frame < MOST => Ok(frame),
        _ => Err(Failure::Usage("such a length of time is longer than mam counts".into())),
    }
}
