//! Renders what a check measures: each of its expressions as a song of its own, fed as its measure says, in bounded time and
//! memory.

use crate::summary::operations;
use mam_compiler::expect::measures::{Excitation, Measure};
use mam_compiler::expect::{Check, Subject};
use mam_compiler::files::Loader;
use mam_compiler::host::Host;
use mam_compiler::{Compilation, OptLevel, Options, Stage, compile};
use mam_grammar::{Problem, SourceId, Sources};
use mam_measure::stimulus::{FRAMES, SMALL, impulse, on_a_bin, pink, sine, white};
use mam_measure::{Heard, given};
use mam_runtime::Program;
use mam_runtime::render::{Length, Renderer};
use mam_runtime::score::{Extent, Sequencer};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Frames that a measure looks at, at most: three minutes at 48 kHz.
const MOST_FRAMES: u64 = 180 * 48_000;
/// Frames that are rendered for it, at most.
const MOST_RENDERED: u64 = 600 * 48_000;
/// Frames that are held at once, whatever the number of threads that measure: a hundred and fifty megabytes in two channels.
const MOST_HELD: u64 = MOST_FRAMES;
/// The part of what has no end that is looked at where nothing says how much.
const ENDLESS_SECONDS: f64 = 4.0;
/// How much of the answer to an impulse is looked at: a mode of a time constant of a second has rung out.
const ANSWER_SECONDS: f64 = 4.0;
/// Frames before a spectrum of an oscillator.
const SETTLED: u64 = 4_096;
/// How long a filter settles before a steady sine is looked at.
const SETTLING_SECONDS: f64 = 1.0;
/// The seed of whatever is drawn.
const SEED: u64 = 1;

/// Why an expression has not been heard.
#[derive(Clone, Debug)]
pub enum Unheard {
    /// It does not compile.
    Problems(Vec<Problem>),
    /// It takes too long, in a sentence.
    TooLong(String),
}

/// A file in which there are checks, and how it is compiled.
pub struct Source<'a> {
    /// Its text, without those it uses.
    pub sources: &'a Sources,
    /// Which of them it is.
    pub id: SourceId,
    /// Finds what it uses.
    pub loader: &'a dyn Loader,
    /// How it is compiled; the seed, the expression and what is at once heard are the check's.
    pub options: &'a Options,
}

/// The frames that all checks which are being measured hold together.
#[derive(Debug, Default)]
pub struct Held {
    frames: Mutex<u64>,
    fewer: Condvar,
}

/// The frames that one check holds, until it is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    held: &'a Held,
    frames: u64,
}

impl Held {
    /// The share of a check that holds nothing yet.
    pub fn share(&self) -> Share<'_> {
        Share { held: self, frames: 0 }
    }
}

impl Share<'_> {
    /// Adds so many frames, as soon as there is room for them. What holds some already does not wait: two that wait for one
    /// another would wait for ever.
    fn add(&mut self, frames: u64) {
        let mut all = self.held.frames.lock().unwrap_or_else(PoisonError::into_inner);
        while self.frames == 0 && *all > 0 && all.saturating_add(frames) > MOST_HELD {
            all = self.held.fewer.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
        *all += frames;
        self.frames += frames;
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.held.frames.lock().unwrap_or_else(PoisonError::into_inner) -= self.frames;
        self.held.fewer.notify_all();
    }
}

/// Which frames of a render are looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// So many from a frame on.
    Frames { from: u64, count: u64 },
    /// All from a frame on, until it is over.
    Whole { from: u64 },
}

/// Renders one expression of a check. `share` takes the frames that are held for it.
///
/// # Errors
/// When it does not compile, or takes too long.
pub fn hear(source: &Source, check: &Check, subject: Subject, share: &mut Share) -> Result<Heard, Unheard> {
    let mut sources = source.sources.clone();
    let until = if check.measure == Measure::Cost { Stage::Plan } else { Stage::Emit };
    let options = Options {
        seed: Some(source.options.seed.unwrap_or(SEED)),
        measured: Some(subject),
        opt_level: OptLevel::Quick,
        host: Host::default(),
        until,
        ..source.options.clone()
    };
    let Compilation { program, problems, stages, .. } =
        compile(&mut sources, source.id, source.loader, &options);
    let Some(program) = program else { return Err(Unheard::Problems(problems.into_sorted())) };
    let operations = operations(&stages);
    let rate = f64::from(program.rate);
    if check.measure == Measure::Cost {
        return Ok(Heard { rate, operations, finite: true, ..Heard::default() });
    }
    let program = Arc::new(program);
    let part = part(check, rate);
    let heard = render(&program, check, part, share)?;
    Ok(Heard { operations, ..heard })
}

/// The part of a sound that a measure looks at.
fn part(check: &Check, rate: f64) -> Part {
    let seconds = |s: f64| (s.max(0.0) * rate).round() as u64;
    let time = |name: &str| given(check, name).map(seconds);
    let from = time("after").unwrap_or_default();
    let count = match check.measure {
        Measure::Value => {
            let at = time("at").unwrap_or_default();
            return Part::Frames { from: at, count: 1 };
        }
        Measure::Alias => return Part::Frames { from: from + SETTLED, count: FRAMES as u64 },
        Measure::Thd | Measure::Thdn | Measure::Sfdr | Measure::Snr => {
            return Part::Frames { from: seconds(SETTLING_SECONDS), count: FRAMES as u64 };
        }
        Measure::Transfer | Measure::Gain => {
            return Part::Frames { from: seconds(SETTLING_SECONDS), count: seconds(4.0) };
        }
        Measure::Response | Measure::Phase | Measure::GroupDelay => Some(seconds(ANSWER_SECONDS)),
        Measure::Latency => Some(seconds(2.0)),
        Measure::Density => Some(time("at").unwrap_or_default() + seconds(0.1)),
        Measure::Reaches => Some(seconds(10.0)),
        Measure::Pitch | Measure::Partial | Measure::Harmonic => time("for").or(Some(seconds(1.0))),
        Measure::Slope => time("for").or(Some(seconds(10.0))),
        _ => time("for"),
    };
    count.map_or(Part::Whole { from }, |count| Part::Frames { from, count })
}

fn render(program: &Arc<Program>, check: &Check, part: Part, share: &mut Share) -> Result<Heard, Unheard> {
    let end = Sequencer::for_program(program, Extent::Once).song_end();
    let plays = !program.targets.is_empty() && end.is_some();
    let rate = f64::from(program.rate);
    let (from, extent, length, count) = match part {
        Part::Frames { from, count } => {
            (from, Extent::Forever, Length::Frames(from.saturating_add(count)), count)
        }
        Part::Whole { from } if plays || is_answer(check) => {
            let end = end.unwrap_or_default();
            (from, Extent::Once, Length::WithTail(end), end.saturating_sub(from))
        }
        Part::Whole { from } => {
            let count = (ENDLESS_SECONDS * rate) as u64;
            (from, Extent::Forever, Length::Frames(from.saturating_add(count)), count)
        }
    };
    if count > MOST_FRAMES || from.saturating_add(count) > MOST_RENDERED {
        let most = MOST_FRAMES as f64 / rate;
        return Err(Unheard::TooLong(format!(
            "it is longer than is measured at once: {most:.0} s; look at a part of it, by `after:` and `for:`"
        )));
    }
    share.add(count);
    let frames = usize::try_from(from + count).unwrap_or(usize::MAX);
    let (left, right) = stimulus(check, rate, frames);
    let source = Sequencer::for_program(program, extent);
    let mut renderer = Renderer::new(program.clone(), source, program.outputs.len(), 0, length);
    // What is measured begins at once, and rings without long pauses.
    renderer.pauses_at_most(u64::from(program.rate));
    if !left.is_empty() {
        let single = |x: &[f64]| x.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        renderer.feed(&[&single(&left), &single(&right)]);
    }
    let capacity = usize::try_from(count).unwrap_or_default();
    let mut channels: Vec<Vec<f64>> =
        (0..program.outputs.len()).map(|_| Vec::with_capacity(capacity)).collect();
    let mut skip = usize::try_from(from).unwrap_or(usize::MAX);
    while let Some(block) = renderer.next_block() {
        let first = skip.min(block[0].len());
        skip -= first;
        for (all, new) in channels.iter_mut().zip(block) {
            all.extend(new[first..].iter().map(|x| f64::from(*x)));
        }
    }
    let finite = renderer.not_finite().is_empty();
    let input = left.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
    Ok(Heard { rate, channels, input, finite, operations: 0 })
}

/// Whether a sound is over when the answer to what is fed is.
fn is_answer(check: &Check) -> bool {
    check.fed && matches!(check.measure, Measure::Rt60)
}

/// What flows in on both sides; empty where nothing does.
fn stimulus(check: &Check, rate: f64, frames: usize) -> (Vec<f64>, Vec<f64>) {
    if !check.fed {
        return (vec![], vec![]);
    }
    let given = |name: &str| given(check, name).unwrap_or_default();
    let one = match check.measure.row().excitation {
        Excitation::Nothing => return (white(1, frames), white(2, frames)),
        Excitation::Silence => return (vec![], vec![]),
        Excitation::Impulse => impulse(1.0, frames.max(1)),
        Excitation::SmallImpulse => impulse(SMALL, frames.max(1)),
        Excitation::Sine => sine(on_a_bin(given("freq"), rate), given("level"), rate, frames),
        Excitation::Pink => pink(given("level"), frames),
    };
    (one.clone(), one)
}
