//! A render as the flags ask for it: from where to where, with what input, in interleaved blocks.

use crate::failure::Failure;
use crate::report::{finite, unplayed};
use crate::timing::{Position, Time};
use crate::values::{Length, Start};
use mam_compiler::listen::Part;
use mam_runtime::file::{Frames, Sound};
use mam_runtime::render::{self, Renderer};
use mam_runtime::score::{Extent, Sequencer, Unplayed};
use mam_runtime::{Engine, NotFinite, Program};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a song without an end is rendered by default.
pub const ENDLESS_SECONDS: u64 = 30;

/// The frame at which a song is over, not counting its tail. None where it has no end: its score loops, or it has none and
/// something in it runs by itself, so that a silence says nothing of what is still to come.
pub fn song_end(program: &Program) -> Option<u64> {
    let end = Sequencer::for_program(program, Extent::Once).song_end();
    end.filter(|&end| end > 0 || !program.runs_by_itself())
}

/// Which part of a song.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Where the render starts; the song's start when absent.
    pub from: Option<Start>,
    /// How long it is.
    pub duration: Option<Length>,
    /// How long it goes on after the song's end.
    pub tail: Option<Length>,
    /// An input is still to be heard ([`Job::hear`]), which may last longer than the song.
    pub hears: bool,
}

/// What is to be rendered.
pub struct Job {
    /// The program that is rendered.
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
    /// It starts when the song is over.
    is_nothing: bool,
    /// The frame at which the song is over by itself.
    song_end: Option<u64>,
    /// What follows the end; `None` where the length was asked for, which ends it wherever the song is.
    after_end: Option<After>,
    /// What went wrong in any of its renders, and in those of its taps.
    faults: Arc<Mutex<Faults>>,
}

/// What is rendered after the end of a song and its input.
#[derive(Clone, Copy, Debug)]
enum After {
    /// Up to the last sound.
    Sound,
    /// As much as `--tail` asks for, be it silent or not.
    Length(Length),
}

/// What of a song did not sound as it should.
#[derive(Clone, Debug, Default)]
struct Faults {
    not_finite: Vec<NotFinite>,
    unplayed: Vec<Unplayed>,
}

/// A start at which nothing is left.
fn nothing_left(of: &str) -> Failure {
    Failure::Usage(format!("--from lies behind the end of {of}: -d says how much to render from there on"))
}

/// What is heard instead of the song.
enum Tapped {
    /// A node, and its channels.
    Node(String, usize),
    /// Sums of further outputs of the program, so many channels each.
    Parts(Vec<Vec<Part>>, usize),
}

impl Job {
    /// A part of a program, without input.
    ///
    /// # Errors
    /// When the part is longer than can be counted.
    pub fn new(program: Arc<Program>, span: Span) -> Result<Job, Failure> {
        let time = Time::new(&program);
        let start = time.start(span.from)?;
        let from = start.frame;
        let end = song_end(&program);
        let endless = end.is_none() && span.duration.is_none();
        let song_end = end;
        let end = time.reached(end.unwrap_or(ENDLESS_SECONDS * u64::from(program.rate)))?;
        let begins_after = span.from.is_some() && from > 0 && from >= end;
        let is_nothing = begins_after && span.duration.is_none() && span.tail.is_none();
        if is_nothing && !span.hears {
            return Err(nothing_left(if endless { "what is rendered without -d" } else { "the song" }));
        }
        let (extent, length) = match (span.duration, span.tail) {
            (Some(duration), _) => (Extent::Forever, render::Length::Frames(time.after(start, duration)?)),
            (None, _) if endless => (Extent::Forever, render::Length::Frames(end.max(from))),
            (None, Some(tail)) => (
                Extent::Once,
                render::Length::Frames(time.after(Position { frame: end.max(from), bars: None }, tail)?),
            ),
            (None, None) => (Extent::Once, render::Length::WithTail(end.max(from))),
        };
        if span.duration.is_some() && matches!(length, render::Length::Frames(end) if end <= from) {
            return Err(Failure::Usage(
                "-d is shorter than a frame, so that there is nothing to render".into(),
            ));
        }
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
            is_nothing,
            song_end,
            after_end: match (span.duration, span.tail) {
                (Some(_), _) => None,
                (None, None) => Some(After::Sound),
                (None, Some(tail)) => Some(After::Length(tail)),
            },
            faults: Arc::default(),
        })
    }

    /// Hears an input, at the song's rate. Where no length was asked for it is rendered to the input's end at least.
    ///
    /// # Errors
    /// When neither of it nor of the song anything is left where the render starts.
    pub fn hear(&mut self, sound: Sound) -> Result<(), Failure> {
        let heard = sound.frames() as u64;
        if self.is_nothing && heard <= self.from {
            return Err(nothing_left("the song and of its input"));
        }
        if let Some(tail) = self.after_end {
            let end = self.song_end.unwrap_or(0).max(heard).max(self.from);
            // A score that starts over goes on as long as the input; what runs by itself can be the tail of what was heard.
            let goes_round =
                self.endless && Sequencer::for_program(&self.program, Extent::Once).song_end().is_none();
            self.extent = if goes_round { Extent::Forever } else { Extent::Once };
            self.length = match tail {
                After::Sound if goes_round => render::Length::Frames(end),
                After::Sound => render::Length::WithTail(end),
                After::Length(tail) => {
                    let end = Position { frame: end, bars: None };
                    render::Length::Frames(Time::new(&self.program).after(end, tail)?)
                }
            };
            self.endless = false;
        }
        self.input = Some(sound);
        Ok(())
    }

    /// How many frames of an input can be heard, where that is known before it.
    pub fn most_heard(&self) -> Option<u64> {
        self.after_end.is_none().then(|| self.latest())
    }

    /// The same frames, but of one node instead of the song; none when there is no such node.
    pub fn tapped(&self, node: &str, frames: u64) -> Option<Job> {
        let channels = Engine::new(self.program.clone()).tap(node)?;
        let tap = Some(Tapped::Node(node.to_string(), channels));
        let length = render::Length::Frames(self.from + frames);
        let (program, input) = (self.program.clone(), self.input.clone());
        let faults = self.faults.clone();
        Some(Job { program, input, endless: false, length, tap, faults, ..*self })
    }

    /// The first frames, but of sums of the further outputs of another program of the same song: `width` channels of each.
    pub fn heard(&self, program: Arc<Program>, sums: Vec<Vec<Part>>, width: usize, frames: u64) -> Job {
        let length = render::Length::Frames(self.from + frames);
        let (tap, input) = (Some(Tapped::Parts(sums, width)), self.input.clone());
        Job { program, input, endless: false, length, tap, faults: self.faults.clone(), ..*self }
    }

    /// One pass of a song that goes round, by a program of the same song.
    pub fn pass(&self, program: Arc<Program>, start: u64, frames: u64) -> Job {
        let length = render::Length::Frames(start + frames);
        let input = self.input.clone();
        let (extent, faults) = (Extent::Forever, self.faults.clone());
        Job { program, input, endless: false, extent, from: start, length, tap: None, faults, ..*self }
    }

    /// Channels of the result.
    pub fn channels(&self) -> usize {
        match &self.tap {
            None => self.program.outputs.len(),
            Some(Tapped::Node(_, channels)) => *channels,
            Some(Tapped::Parts(sums, width)) => sums.len() * width,
        }
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

    /// The frame of the song with which the render begins.
    pub fn start(&self) -> u64 {
        self.from
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
        length.map_or(Ok(0), |l| Time::new(&self.program).after(Position::START, l))
    }

    /// Renders, and hands over interleaved frames. What lies before the start is rendered too, so that the result is
    /// a piece of the whole, to the bit.
    ///
    /// # Errors
    /// What `take` returns.
    pub fn run(&self, mut take: impl FnMut(&[f32]) -> Result<(), Failure>) -> Result<(), Failure> {
        let source = Sequencer::for_program(&self.program, self.extent);
        let mut renderer =
            Renderer::new(self.program.clone(), source, self.program.outputs.len(), 0, self.length);
        let heard = match &self.tap {
            Some(Tapped::Node(node, _)) => renderer.tap(node),
            _ => None,
        };
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
        let (mut interleaved, mut mixed) = (Vec::new(), Vec::new());
        while let Some(block) = renderer.next_block() {
            let frames = block[0].len();
            let first = skip.min(frames);
            skip -= first;
            if let Some(Tapped::Parts(sums, width)) = &self.tap {
                mix(block, sums, *width, &mut mixed);
                interleaved.clear();
                interleaved.extend_from_slice(&mixed[first * sums.len() * width..]);
            } else {
                interleave(&block[heard.clone()], first..frames, &mut interleaved);
            }
            if !interleaved.is_empty() {
                take(&interleaved)?;
            }
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let Faults { not_finite, unplayed } = &mut *faults;
        not_finite.extend(renderer.not_finite());
        not_finite.sort();
        not_finite.dedup();
        for &cycle in renderer.source().unplayed().iter().filter(|cycle| cycle.frame < self.latest()) {
            if !unplayed.contains(&cycle) {
                unplayed.push(cycle);
            }
        }
        Ok(())
    }

    /// Fails where something that has been rendered is silent in the place of what is written, and says what.
    ///
    /// # Errors
    /// Which steps were not finite, and which cycles of the score could not be played, and where.
    pub fn check_whole(&self) -> Result<(), Failure> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reports = [
            finite::render_report(faults.not_finite.iter().map(|failure| (failure, &*self.program))),
            unplayed::report(&faults.unplayed, &self.program),
        ];
        let reports: Vec<String> = reports.into_iter().flatten().collect();
        if reports.is_empty() { Ok(()) } else { Err(Failure::WrongInput(reports.join("\n"))) }
    }
}

impl Job {
    /// Renders while keeping time: each node's share of all nodes' time, greatest first.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let source = Sequencer::for_program(&self.program, self.extent);
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
    let mut places = mam_runtime::Frames::Interleaved { data: into, channels: channels.len() };
    places.write(0, |channel| &channels[channel][frames.clone()], frames.len());
}

/// Adds up parts of a block into interleaved frames: `width` channels of each bundle.
fn mix(block: &[Vec<f32>], bundles: &[Vec<Part>], width: usize, into: &mut Vec<f32>) {
    let frames = block.first().map_or(0, Vec::len);
    let all = bundles.len() * width;
    into.clear();
    into.resize(frames * all, 0.0);
    for (bundle, parts) in bundles.iter().enumerate() {
        for (part, side) in parts.iter().flat_map(|part| (0..width).map(move |side| (part, side))) {
            let Some(output) = part.output(side) else { continue };
            let places = into[bundle * width + side..].iter_mut().step_by(all);
            for (to, x) in places.zip(&block[output]) {
                *to += if part.minus { -x } else { *x };
            }
        }
    }
}
