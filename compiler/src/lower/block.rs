//! Calls of block nodes: what flows in becomes a further output of the kernel, and what comes out a further input of it, until the
//! kernel is cut ([`super::stages`]).

use super::lowered::SignalId;
use super::playback::sinc_weights;
use super::stages::Ends;
use super::value::{Signal, Val};
use super::{At, Lower, Song};
use crate::dimension::Dimension;
use crate::ir::{Body, DelayLine, Imm, Kernel, Op, Type, Value};
use crate::resample::resampled;
use crate::samples::Samples;
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use mam_runtime::block::{Analysis, Block, Convolution, Frames, Stretch, Synthesis};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// A block node in a group.
#[derive(Clone, Debug)]
pub(super) struct BlockCall {
    /// What it computes.
    pub(super) block: Arc<Block>,
    /// Its path in the song.
    pub(super) path: String,
    /// Where it is written.
    pub(super) span: Span,
    /// What flows in, and what comes out, by number among those of the group.
    pub(super) ends: Ends,
}

impl BlockCall {
    /// It stands where no block node can.
    pub(super) fn misplaced(&self, why: Obstacle) -> Misplaced {
        Misplaced { span: self.span, why, what: What::from_block(&self.block) }
    }
}

/// A place where no block node can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// What would flow in.
    pub span: Span,
    /// Why there is no room for it.
    pub why: Obstacle,
    /// What there is no room for.
    pub what: What,
}

/// What a block node is for who writes songs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A convolution, which `convolve` makes.
    Convolution,
    /// An end of a spectral region, which `spectral` makes.
    Spectrum,
    /// A stretched sound, which `stretch_at` makes.
    Stretch,
    /// A sound that is streamed, which `playback` plays.
    Streamed,
    /// A recording, which `record` makes: not a block node, and at home in its node alone.
    Recording,
}

impl What {
    fn from_block(block: &Block) -> What {
        match block {
            Block::Convolution(_) => What::Convolution,
            Block::Analysis(_) | Block::Synthesis(_) => What::Spectrum,
            Block::Stretch(_) => What::Stretch,
            Block::Streamed(_) => What::Streamed,
        }
    }
}

/// Why a place has no room for a block node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is of another voice of an instrument.
    Voice,
    /// It is in an oversampled region.
    Region,
    /// What flows in depends on what comes out.
    Feedback,
    /// What would hear it is too late.
    Latency,
}

/// Blocks that were made, for this compilation and those that follow.
#[derive(Default)]
pub(super) struct Responses {
    all: Vec<Response>,
    /// The ends of spectral regions, of which there are few kinds.
    spectra: FxHashMap<Frames, [Arc<Block>; 2]>,
}

struct Response {
    samples: Arc<Samples>,
    purpose: Purpose,
    rate: u64,
    block: Arc<Block>,
    /// Whether the present compilation has asked for it.
    used: bool,
}

impl Responses {
    /// A compilation is over: drops what it has not asked for.
    pub(super) fn sweep(&mut self) {
        self.all.retain(|response| response.used);
        self.all.iter_mut().for_each(|response| response.used = false);
    }

    /// Both ends of a spectral region.
    pub(super) fn spectrum(&mut self, frames: Frames) -> [Arc<Block>; 2] {
        let make = || {
            [Block::Analysis(Analysis::new(frames)), Block::Synthesis(Synthesis::new(frames))].map(Arc::new)
        };
        self.spectra.entry(frames).or_insert_with(make).clone()
    }

    /// The convolution with some channels of samples.
    fn convolution(
        &mut self,
        samples: &Arc<Samples>,
        channels: Range<usize>,
        predelay: usize,
        rate: f64,
    ) -> Arc<Block> {
        let with = |predelay| Purpose::Convolution { first: channels.start, count: channels.len(), predelay };
        let is_alike = |known: &Response| {
            let Purpose::Convolution { predelay, .. } = known.purpose else { return None };
            let Block::Convolution(convolution) = &*known.block else { return None };
            known.is(samples, with(predelay), rate).then(|| convolution.clone())
        };
        // The transforms of a response are the same, whenever it begins.
        let alike = self.all.iter().find_map(is_alike);
        let purpose = with(predelay);
        self.get(samples, purpose, rate, || {
            let channels = samples.channels[channels].iter();
            let responses = channels.map(|channel| resampled(channel, f64::from(samples.rate), rate));
            let responses: Vec<Vec<f32>> = responses.collect();
            Block::Convolution(match alike {
                Some(alike) => alike.delayed(&responses, predelay),
                None => Convolution::new(&responses, predelay),
            })
        })
    }

    /// The block that stretches these samples, each once in a song.
    fn stretched(&mut self, samples: &Arc<Samples>, rate: f64) -> Arc<Block> {
        self.get(samples, Purpose::Stretch, rate, || {
            Block::Stretch(Stretch::new(&samples.channels, f64::from(samples.rate), rate, sinc_weights()))
        })
    }

    /// What is made of some samples, if it is not there yet.
    fn get(
        &mut self,
        samples: &Arc<Samples>,
        purpose: Purpose,
        rate: f64,
        make: impl FnOnce() -> Block,
    ) -> Arc<Block> {
        if let Some(known) = self.all.iter_mut().find(|known| known.is(samples, purpose, rate)) {
            known.used = true;
            return known.block.clone();
        }
        let block = Arc::new(make());
        let samples = samples.clone();
        let (rate, used) = (rate.to_bits(), true);
        self.all.push(Response { samples, purpose, rate, block: block.clone(), used });
        block
    }
}

impl Response {
    /// Whether it is what is made of these samples for a purpose, at a rate.
    fn is(&self, samples: &Arc<Samples>, purpose: Purpose, rate: f64) -> bool {
        (self.purpose, self.rate) == (purpose, rate.to_bits())
            && (Arc::ptr_eq(&self.samples, samples) || self.samples == *samples)
    }
}

/// What is made of samples.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The response of a convolution.
    Convolution {
        /// The first of the channels that are convolved.
        first: usize,
        /// How many there are.
        count: usize,
        /// How late the response begins, in frames.
        predelay: usize,
    },
    /// A sound that is stretched.
    Stretch,
}

/// What stands for result number `index` of a group's blocks among the signals that its kernel hears.
pub(super) fn result(index: usize) -> SignalId {
    usize::MAX - index
}

/// The number of the result that a signal stands for, if it does.
pub(super) fn index_of(signal: SignalId) -> Option<usize> {
    (signal > usize::MAX / 2).then(|| usize::MAX - signal)
}

/// The kernel of a block, which has its delay lines, inputs and outputs.
pub(super) fn kernel(block: &Arc<Block>) -> Kernel {
    let (inputs, outputs) = block.channels();
    let mut body = Body::default();
    let silence = body.add(Op::Const(Imm::F32(0.0)), Type::F32, &[]);
    body.outs = vec![silence; outputs];
    let names = |word: &str, count: usize| match count {
        1 => vec![word.to_owned()],
        _ => (0..count).map(|index| format!("{word}{index}")).collect(),
    };
    let mut kernel = Kernel {
        name: block.name().into(),
        inputs: names("x", inputs),
        outputs: names("out", outputs),
        general: body.clone(),
        steady: body,
        block: Some(block.clone()),
        ..Kernel::default()
    };
    for (index, frames) in block.lines().into_iter().enumerate() {
        kernel.delays.add(DelayLine::unshared(format!("line{index}"), frames as u32));
    }
    kernel
}

impl Lower<'_, '_> {
    /// `convolve(x, response, predelay)`
    pub(super) fn convolve(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let &[Some(x), Some(response), predelay] = args else { return Val::Broken };
        let span = self.span(at, x);
        let (val, response) = (self.eval(at, x), self.eval(at, response));
        let (Some(signal), Some(response)) = (val.signal(), self.response(&response)) else {
            return Val::Broken;
        };
        let seconds = match predelay {
            Some(expr) => match self.constant(at, expr) {
                Some((seconds, _)) => seconds,
                None => return Val::Broken,
            },
            None => 0.0,
        };
        let rate = self.song.rate;
        let predelay = (seconds * rate + 0.5).floor() as usize;
        let own = response.channels.len();
        if own > 1 && signal.channels.iter().all(|channel| *channel == signal.channels[0]) {
            // One input in a room with two sides.
            let block = self.song.templates.responses.convolution(&response, 0..own, predelay, rate);
            let channels = self.block(at, block, &signal.channels[..1], span).into_iter().collect();
            return Val::Signal(Signal { channels, dimension: signal.dimension });
        }
        let count = signal.channels.len().max(own);
        let channels = (0..count).map(|channel| {
            let side = channel.min(own - 1);
            let block = self.song.templates.responses.convolution(&response, side..side + 1, predelay, rate);
            self.block(at, block, &[signal.channel(channel)], span)[0]
        });
        let channels = channels.collect();
        Val::Signal(Signal { channels, dimension: signal.dimension })
    }

    /// `stretch_at(buffer, position, pitch)`
    pub(super) fn stretch_at(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let &[Some(buffer), Some(position), pitch] = args else { return Val::Broken };
        let span = self.span(at, buffer);
        let Val::Buffer(buffer) = self.eval(at, buffer) else { return Val::Broken };
        let Some((position, _)) = self.eval(at, position).mono() else { return Val::Broken };
        let pitch = match pitch {
            Some(expr) => self.eval(at, expr).mono().map(|(pitch, _)| pitch),
            None => Some(self.b.f64(1.0)),
        };
        let Some(pitch) = pitch else { return Val::Broken };
        let rate = self.song.rate;
        let block = self.song.templates.responses.stretched(&buffer.samples, rate);
        let channels = self.block(at, block, &[position, pitch], span).into_iter().collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// A response: a buffer, or a list of numbers of the song's rate.
    fn response(&self, val: &Val) -> Option<Arc<Samples>> {
        let number = |element: &Val| Some(self.b.constant(element.clone().mono()?.0)? as f32);
        match val {
            Val::Buffer(buffer) => Some(buffer.samples.clone()),
            Val::List(elements) => {
                let channel = elements.iter().map(number).collect::<Option<Vec<f32>>>()?;
                Some(self.samples_of(channel))
            }
            _ => None,
        }
    }

    /// What a block makes of some values.
    pub(super) fn block(&mut self, at: &At, block: Arc<Block>, inputs: &[Value], span: Span) -> Vec<Value> {
        let scope = &self.scopes[at.scope];
        let path = format!("{}.{}", at.path, block.name());
        let same = self.blocks.iter().filter(|(call, _)| call.path.starts_with(&path)).count();
        let path = if same > 0 { format!("{path}.{}", same + 1) } else { path };
        let (flows, results) = match self.blocks.last() {
            Some((BlockCall { ends, .. }, _)) => (ends.flows.end, ends.results.end),
            None => (0, 0),
        };
        let outputs = block.channels().1;
        let ends = Ends { flows: flows..flows + inputs.len(), results: results..results + outputs };
        let call = BlockCall { block, path, span, ends };
        if scope.copy.is_some() {
            self.song.misplaced.get_or_insert(call.misplaced(Obstacle::Region));
        }
        let mut inputs: Vec<Value> = inputs.iter().map(|&input| self.b.audio(input)).collect();
        self.b.align(&mut inputs);
        let late = inputs.iter().filter_map(|&input| self.b.late(input)).max().unwrap_or(0);
        let indices = call.ends.results.clone();
        self.blocks.push((call, inputs.clone()));
        let output = |index: usize| {
            let index = Self::local(&mut self.inputs, result(index));
            let output = self.b.late_input(index, late);
            self.b.tracked.through.extend(inputs.iter().map(|&input| (input, output)));
            output
        };
        indices.map(output).collect()
    }
}

impl Song<'_> {
    /// Whether something is wrong that ends lowering.
    pub(super) fn is_refused(&self) -> bool {
        self.too_large.is_some() || self.misplaced.is_some()
    }
}
