//! A song as a loop: its passes one after the other, until one is as the pass before it.
//!
//! What has been played rings on in the next pass, so the first pass is not the one that follows itself. Two renders run
//! beside each other, one a pass ahead, and are compared block by block: nothing is kept.

use crate::failure::{Failure, too_far};
use crate::stems::Listening;
use mam_compiler::listen::Part;
use mam_runtime::Program;
use mam_runtime::file::Sound;
use mam_runtime::render::{Length, QUIET, Renderer};
use mam_runtime::score::{Clock, Extent, Frames, Overflow, Rational, Sequencer};
use std::sync::Arc;

/// The last pass that is tried.
pub const MOST_PASSES: u64 = 8;

/// The pass that is written.
pub struct Pass {
    /// The song, at a tempo at which a pass is a whole number of frames.
    pub program: Arc<Program>,
    /// Which it is, from 1.
    pub number: u64,
    /// First frame of the pass in the endless render.
    pub start: u64,
    /// How many it has.
    pub frames: u64,
    /// Whether it is as the one before.
    pub repeats: bool,
    /// The equations that sound otherwise in every pass, where the pass is not as the one before; those that are made of
    /// such ones are left out.
    pub restless: Vec<String>,
    /// Those of them that come nearer to the pass before in every pass: they still ring.
    pub ringing: Vec<String>,
}

/// Finds the first pass that is as its predecessor, or the last that is tried.
///
/// # Errors
/// When the song has no bars that it repeats, or its passes are longer than can be counted.
pub fn find(
    program: &Arc<Program>,
    listening: Option<&Listening>,
    input: Option<&Sound>,
) -> Result<Pass, Failure> {
    let (program, frames) = whole(program)?;
    let mut pair = Pair::new(&program, input, frames);
    let mut number = 1;
    let mut same = false;
    while number < MOST_PASSES && !same {
        number += 1;
        same = pair.compare(frames).iter().all(|difference| *difference <= QUIET);
    }
    let (restless, ringing) = match listening.filter(|_| !same) {
        Some(listening) => restless(listening, input)?,
        None => (vec![], vec![]),
    };
    let start = (number - 1) * frames;
    Ok(Pass { program, number, start, frames, repeats: same, restless, ringing })
}

/// The song at the tempo next to its own at which a pass is a whole number of frames, and how many these are. Otherwise
/// notes would lie now a frame earlier, now one later, and no pass would follow itself.
///
/// # Errors
/// When the song has no bars, or its passes are longer than can be counted.
pub fn whole(program: &Arc<Program>) -> Result<(Arc<Program>, u64), Failure> {
    let no_bars = || Failure::Usage("the song has no bars to loop; a `play` gives it some".into());
    let too_far = |_: Overflow| Failure::Usage(too_far("the last pass of this loop", program.rate));
    let transport = program.score.transports.first().ok_or_else(no_bars)?;
    let length = Clock::new(&transport.tempo, program.rate).plain(transport.length);
    let frames = length.frame().map_err(too_far)?;
    if frames == 0 {
        return Err(no_bars());
    }
    length.times(MOST_PASSES).frame().map_err(too_far)?;
    let exact = match length {
        Frames::Exact(exact) => exact,
        Frames::Near(_) => return Ok((program.clone(), frames)),
    };
    let factor = Rational::new(frames.into(), 1).and_then(|frames| exact / frames).map_err(too_far)?;
    let mut program = Program::clone(program);
    for transport in &mut program.score.transports {
        transport.tempo = transport.tempo.scaled(factor).map_err(too_far)?;
        transport.restarts = true;
    }
    Ok((Arc::new(program), frames))
}

/// The equations that differ in the last two passes, and of which nothing is made that does: those that go on so, and those
/// that have come nearer in every pass.
fn restless(listening: &Listening, input: Option<&Sound>) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (program, frames) = whole(listening.program())?;
    let mut pair = Pair::new(&program, input, frames);
    let mut differs: Vec<f32> = vec![];
    let mut nearer: Vec<bool> = vec![];
    for _ in 2..=MOST_PASSES {
        let last = std::mem::replace(&mut differs, pair.compare(frames));
        nearer.resize(differs.len(), true);
        for (nearer, (last, now)) in nearer.iter_mut().zip(last.iter().zip(&differs)) {
            *nearer &= now < last;
        }
    }
    let channels = |parts: &[Part]| parts.iter().flat_map(|part| part.channels.clone()).collect::<Vec<_>>();
    let restless: Vec<(&str, &[Part], &[String])> = listening
        .equations()
        .filter(|(_, parts, _)| channels(parts).iter().any(|&channel| differs[channel] > QUIET))
        .collect();
    let is_source =
        |needs: &[String]| !restless.iter().any(|(name, ..)| needs.iter().any(|need| need == name));
    let rings =
        |parts: &[Part]| channels(parts).iter().all(|&channel| differs[channel] <= QUIET || nearer[channel]);
    let sources = restless.iter().filter(|(.., needs)| is_source(needs));
    let (ringing, others): (Vec<_>, Vec<_>) = sources.partition(|(_, parts, _)| rings(parts));
    let names =
        |found: Vec<&(&str, &[Part], &[String])>| found.iter().map(|(name, ..)| (*name).into()).collect();
    Ok((names(others), names(ringing)))
}

/// Two renders of a song, of which one is a pass ahead.
struct Pair {
    behind: Side,
    ahead: Side,
}

impl Pair {
    fn new(program: &Arc<Program>, input: Option<&Sound>, frames: u64) -> Pair {
        let (behind, mut ahead) = (Side::new(program, input), Side::new(program, input));
        ahead.go_to(frames);
        Pair { behind, ahead }
    }

    /// The greatest difference of each channel between the next pass, of so many frames, and the one before it.
    fn compare(&mut self, frames: u64) -> Vec<f32> {
        let mut greatest: Vec<f32> = vec![];
        let mut left = frames;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let frames = self.behind.ready().min(self.ahead.ready()).min(most);
            if frames == 0 {
                break;
            }
            let (a, b) = (self.behind.take(frames), self.ahead.take(frames));
            greatest.resize(a.len(), 0.0);
            for (most, (a, b)) in greatest.iter_mut().zip(a.iter().zip(b)) {
                *most = a.iter().zip(b).fold(*most, |most, (a, b)| most.max((a - b).abs()));
            }
            left -= frames as u64;
        }
        greatest
    }
}

/// A render that is taken in pieces.
struct Side {
    renderer: Renderer<Sequencer>,
    block: Vec<Vec<f32>>,
    taken: usize,
}

impl Side {
    fn new(program: &Arc<Program>, input: Option<&Sound>) -> Side {
        let source = Sequencer::for_program(program, Extent::Forever);
        let length = Length::Frames(u64::MAX);
        let mut renderer = Renderer::new(program.clone(), source, program.outputs.len(), 0, length);
        if let Some(input) = input {
            let channels: Vec<&[f32]> = input.channels.iter().map(Vec::as_slice).collect();
            renderer.feed(&channels);
        }
        Side { renderer, block: vec![], taken: 0 }
    }

    /// Frames that can be taken now; more are rendered when there are none.
    fn ready(&mut self) -> usize {
        let left = |side: &Side| side.block.first().map_or(0, |channel| channel.len() - side.taken);
        if left(self) == 0 {
            self.block = self.renderer.next_block().map(<[_]>::to_vec).unwrap_or_default();
            self.taken = 0;
        }
        left(self)
    }

    fn take(&mut self, frames: usize) -> Vec<&[f32]> {
        let range = self.taken..self.taken + frames;
        self.taken = range.end;
        self.block.iter().map(|channel| &channel[range.clone()]).collect()
    }

    fn go_to(&mut self, frame: u64) {
        let mut left = frame;
        while left > 0 {
            let frames = self.ready().min(usize::try_from(left).unwrap_or(usize::MAX));
            if frames == 0 {
                return;
            }
            self.taken += frames;
            left -= frames as u64;
        }
    }
}
