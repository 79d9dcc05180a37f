//! Calls of block nodes: what flows in becomes a further output of the kernel, and what comes out a further input of it, until the
//! kernel is cut ([`super::stages`]).

use super::lowered::SignalId;
use super::value::{Signal, Val};
use super::{At, Lower, Song};
use crate::ir::{Body, DelayLine, Imm, Kernel, Op, Type, Value};
use crate::resample::resampled;
use crate::samples::Samples;
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use mam_runtime::block::{Block, Convolution};
use std::sync::Arc;

/// A block node in a group.
#[derive(Clone, Debug)]
pub(super) struct BlockCall {
    /// What it computes.
    pub(super) block: Arc<Block>,
    /// Its path in the song.
    pub(super) path: String,
    /// What flows in, where it is written.
    pub(super) span: Span,
}

/// A place where no block node can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// What would flow in.
    pub span: Span,
    /// Why there is no room for it.
    pub why: Obstacle,
}

/// Why a place has no room for a block node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is in a voice of an instrument.
    Voice,
    /// It is in an oversampled region.
    Region,
    /// What flows in depends on what comes out.
    Feedback,
}

/// Convolutions that were made, for this compilation and those that follow.
#[derive(Default)]
pub(super) struct Responses(Vec<Response>);

struct Response {
    samples: Arc<Samples>,
    channel: usize,
    predelay: usize,
    rate: u64,
    block: Arc<Block>,
    /// Whether the present compilation has asked for it.
    used: bool,
}

impl Responses {
    /// A compilation is over: drops what it has not asked for.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|response| response.used);
        self.0.iter_mut().for_each(|response| response.used = false);
    }

    fn get(&mut self, samples: &Arc<Samples>, channel: usize, predelay: usize, rate: f64) -> Arc<Block> {
        let is = |known: &&mut Response| {
            (known.channel, known.predelay, known.rate) == (channel, predelay, rate.to_bits())
                && (Arc::ptr_eq(&known.samples, samples) || known.samples == *samples)
        };
        if let Some(known) = self.0.iter_mut().find(is) {
            known.used = true;
            return known.block.clone();
        }
        let response = resampled(&samples.channels[channel], f64::from(samples.rate), rate);
        let block = Arc::new(Block::Convolution(Convolution::new(&response, predelay)));
        let samples = samples.clone();
        let (rate, used) = (rate.to_bits(), true);
        self.0.push(Response { samples, channel, predelay, rate, block: block.clone(), used });
        block
    }
}

/// What stands for the result of a group's block number `index` among the signals that its kernel hears.
pub(super) fn result(index: usize) -> SignalId {
    usize::MAX - index
}

/// The block that a signal is the result of, if it stands for one.
pub(super) fn index_of(signal: SignalId) -> Option<usize> {
    (signal > usize::MAX / 2).then(|| usize::MAX - signal)
}

/// The kernel of a block, which has its delay lines, inputs and outputs.
pub(super) fn kernel(block: &Arc<Block>) -> Kernel {
    let mut body = Body::default();
    let silence = body.add(Op::Const(Imm::F32(0.0)), Type::F32, &[]);
    body.outs = vec![silence];
    let mut kernel = Kernel {
        name: block.name().into(),
        inputs: vec!["x".into()],
        outputs: vec!["out".into()],
        general: body.clone(),
        steady: body,
        block: Some(block.clone()),
        ..Kernel::default()
    };
    for (index, frames) in block.lines().into_iter().enumerate() {
        kernel.delays.add(DelayLine { name: format!("line{index}"), frames: frames as u32 });
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
        let count = signal.channels.len().max(own);
        let channels = (0..count).map(|channel| {
            let responses = &mut self.song.templates.responses;
            let block = responses.get(&response, channel.min(own - 1), predelay, rate);
            let input = signal.channels[channel.min(signal.channels.len() - 1)];
            self.block(at, block, input, span)
        });
        let channels = channels.collect();
        Val::Signal(Signal { channels, dimension: signal.dimension })
    }

    /// A response: a buffer, or a list of numbers of the song's rate.
    fn response(&self, val: &Val) -> Option<Arc<Samples>> {
        let number = |element: &Val| Some(self.b.constant(element.clone().mono()?.0)? as f32);
        match val {
            Val::Buffer(buffer) => Some(buffer.samples.clone()),
            Val::List(elements) => {
                let channel = elements.iter().map(number).collect::<Option<Vec<f32>>>()?;
                Some(Arc::new(Samples { rate: self.song.rate as u32, channels: vec![channel] }))
            }
            _ => None,
        }
    }

    /// What a block makes of a value.
    fn block(&mut self, at: &At, block: Arc<Block>, input: Value, span: Span) -> Value {
        let scope = &self.scopes[at.scope];
        if scope.voice.is_some() || scope.port.is_some() {
            self.song.misplaced.get_or_insert(Misplaced { span, why: Obstacle::Voice });
        } else if scope.copy.is_some() {
            self.song.misplaced.get_or_insert(Misplaced { span, why: Obstacle::Region });
        }
        let input = self.b.audio(input);
        let path = format!("{}.{}", at.path, block.name());
        let same = self.blocks.iter().filter(|(call, _)| call.path.starts_with(&path)).count();
        let path = if same > 0 { format!("{path}.{}", same + 1) } else { path };
        let index = Self::local(&mut self.inputs, result(self.blocks.len()));
        self.blocks.push((BlockCall { block, path, span }, input));
        let late = self.b.late(input).unwrap_or(0);
        let output = self.b.late_input(index, late);
        self.b.tracked.through.push((input, output));
        output
    }
}

impl Song<'_> {
    /// Whether something is wrong that ends lowering.
    pub(super) fn is_refused(&self) -> bool {
        self.too_large.is_some() || self.misplaced.is_some()
    }
}
