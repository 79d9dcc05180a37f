//! A song as a loop: its passes one after the other, until one is as the pass before it.
//!
//! What has been played rings on in the next pass, so the first pass is not the one that follows itself. Two renders run
//! beside each other, one a pass ahead, and are compared block by block: nothing is kept.

use crate::failure::{Failure, too_far};
use mam_runtime::file::Sound;
use mam_runtime::render::{Length, QUIET, Renderer};
use mam_runtime::score::{Clock, Extent, Frames, Overflow, Rational, Sequencer};
use mam_runtime::{Event, EventSource, Program};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The last pass that is tried.
pub const MOST_PASSES: u64 = 8;

/// The pass that is written.
pub struct Pass {
    /// The song, at a tempo at which a pass is a whole number of frames.
    pub program: Arc<Program>,
    /// Which it is, from 1.
    pub number: u64,
    /// Its first frame.
    pub start: u64,
    /// How many it has.
    pub frames: u64,
    /// The nodes that sound otherwise in every pass, where the pass is not as the one before; those that only hear others
    /// are left out.
    pub restless: Vec<String>,
}

/// Finds the first pass that is as its predecessor, or the last that is tried.
///
/// # Errors
/// When the song has no bars that it repeats, or its passes are longer than can be counted.
pub fn find(program: &Arc<Program>, input: Option<&Sound>) -> Result<Pass, Failure> {
    let (program, frames) = whole(program)?;
    let starts: Vec<u64> = (0..=MOST_PASSES).map(|pass| pass * frames).collect();
    let mut pair = Pair::new(&program, input, &[], &starts);
    for number in 2..=MOST_PASSES {
        let (start, end) = (starts[number as usize - 1], starts[number as usize]);
        let same = pair.compare(start, end).iter().all(|difference| *difference <= QUIET);
        if same || number == MOST_PASSES {
            let restless = if same { vec![] } else { restless(&program, input, &starts) };
            return Ok(Pass { program, number, start, frames: end - start, restless });
        }
    }
    unreachable!("the last pass is taken")
}

/// The song at the tempo next to its own at which a pass is a whole number of frames, and how many these are. Otherwise
/// notes would lie now a frame earlier, now one later, and no pass would follow itself.
fn whole(program: &Arc<Program>) -> Result<(Arc<Program>, u64), Failure> {
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

/// The nodes that differ in the last two passes and hear no other one that does.
fn restless(program: &Arc<Program>, input: Option<&Sound>, starts: &[u64]) -> Vec<String> {
    let names: Vec<&str> = program.steps.iter().flat_map(|s| &s.parts).map(|part| &*part.name).collect();
    let mut pair = Pair::new(program, input, &names, starts);
    let mut differs = vec![];
    for number in 2..=MOST_PASSES as usize {
        differs = pair.compare(starts[number - 1], starts[number]);
    }
    let differs: BTreeSet<&str> = pair
        .taps
        .iter()
        .filter(|(_, channels)| differs[channels.clone()].iter().any(|difference| *difference > QUIET))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut signals = BTreeSet::new();
    let mut found: Vec<String> = vec![];
    for step in &program.steps {
        let own: Vec<&str> = step.parts.iter().map(|p| &*p.name).filter(|n| differs.contains(n)).collect();
        if own.is_empty() {
            continue;
        }
        let hears = step.inputs.iter().any(|signal| signals.contains(signal));
        signals.extend(step.outputs.iter().copied());
        if !hears {
            found.extend(own.iter().map(|name| name.split('#').next().unwrap_or(name).to_string()));
        }
    }
    found.dedup();
    found
}

/// Two renders of a song, of which one is a pass ahead.
struct Pair {
    behind: Side,
    ahead: Side,
    /// Nodes that are heard, and their channels.
    taps: Vec<(String, std::ops::Range<usize>)>,
}

impl Pair {
    fn new(program: &Arc<Program>, input: Option<&Sound>, nodes: &[&str], starts: &[u64]) -> Pair {
        let (mut behind, mut ahead) = (Side::new(program, input), Side::new(program, input));
        let mut taps = vec![];
        for node in nodes {
            if let (Some(channels), Some(_)) = (behind.renderer.tap(node), ahead.renderer.tap(node)) {
                taps.push(((*node).to_string(), channels));
            }
        }
        ahead.go_to(starts[1]);
        Pair { behind, ahead, taps }
    }

    /// The greatest difference of each channel between the pass from `start` to `end` and the one before it.
    fn compare(&mut self, start: u64, end: u64) -> Vec<f32> {
        let mut greatest: Vec<f32> = vec![];
        // Where a pass is no whole number of frames, one of the two may be a frame longer.
        let mut left = end - start;
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
    renderer: Renderer<Endless>,
    block: Vec<Vec<f32>>,
    taken: usize,
}

impl Side {
    fn new(program: &Arc<Program>, input: Option<&Sound>) -> Side {
        let source = Endless(Sequencer::of(program, Extent::Forever));
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

/// The score's events, pass after pass.
struct Endless(Sequencer);

impl EventSource for Endless {
    fn advance(&mut self, until: u64, out: &mut Vec<Event>) {
        self.0.advance(until, out);
    }
}
