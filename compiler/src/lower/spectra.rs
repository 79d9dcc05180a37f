//! `spectral(x, size: 1024, overlap: 4) { … }`: a region that is computed for each bin of the spectra of a signal.
//!
//! Two block nodes stand at its ends ([`mam_runtime::block::Analysis`], [`mam_runtime::block::Synthesis`]). Between them the bins
//! pass as signals, one after the other in each hop, in a few streams side by side; the body is evaluated once for each stream, and is
//! a kernel like others. `prev` of a bin is what its stream was one hop ago, a delay line. What is used from outside is read when
//! a hop starts, where it moves from sample to sample; of what is true or not, whether it was so at any time in the hop before.
//!
//! A spectrum says what the signal is like in the middle of its window, so the bins count as half a window late, and what
//! the region sees of the song is aligned with that. The rest of the latency is declared where the signal comes out.

use super::copies::Bins;
use super::names::Slot;
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::arithmetic::function;
use crate::dimension::Dimension;
use crate::hir::builtins::Arithmetic;
use crate::ir::{Imm, Op, Rate, Scalar, Type, Value};
use mam_grammar::Span;
use mam_grammar::ast::{Body, ExprId};
use mam_runtime::block::{Block, Frames};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A spectral region.
pub(super) struct Region {
    path: Arc<str>,
    /// What comes out of its analyses, and is as late as what flows in.
    analysed: Vec<Value>,
    /// A bin, as late as all of them are.
    bin: Option<Value>,
    /// What it sees of the values around it.
    seen: FxHashMap<Value, Value>,
}

/// A channel of what flows in: the parts of its bins in each stream.
type Spectrum = Vec<[Value; 2]>;

/// A bin of a channel in one stream.
#[derive(Clone, Copy)]
struct Bin {
    re: Value,
    im: Value,
    mag: Value,
    phase: Value,
}

impl Lower<'_, '_> {
    /// `spectral(x, size, overlap) { body }`
    pub(super) fn spectral(&mut self, at: &At, expr: ExprId, head: ExprId, body: &Body) -> Val {
        let Some(&[Some(x), size, overlap]) = self.hir(at).call(head).map(|call| &call.args[..]) else {
            return Val::Broken;
        };
        let val = self.eval(at, x);
        let mut number = |expr: Option<ExprId>, default: usize| match expr {
            Some(expr) => self.constant(at, expr).map(|(x, _)| x),
            None => Some(default as f64),
        };
        let given = (number(size, Frames::SIZE), number(overlap, Frames::OVERLAP));
        let (Some(size), Some(overlap)) = given else { return Val::Broken };
        let Some(frames) = Frames::new(size, overlap) else { return Val::Broken };
        let (path, span) = (self.path(at, "spectral"), self.span(at, x));
        let [analysis, synthesis] = self.song.templates.responses.spectrum(frames);
        let spectra = self.analysed(at, &val, &path, (&analysis, frames, span));
        let region = self.spectra.len() - 1;
        let mut parts: Vec<Vec<Value>> = vec![];
        for stream in 0..frames.streams() {
            let (streams, hop) = (frames.streams(), frames.hop() as u32);
            let bins = Bins { region, stream, streams, hop, last: frames.size() as u32 / 2 };
            let all: Vec<Bin> = spectra.iter().map(|spectrum| self.polar(spectrum[stream])).collect();
            let scope = self.region_scope(at, expr, (None, Some(bins)));
            let number = self.bin(bins);
            let number = self.b.audio(number);
            let slots = &mut self.scopes[scope].slots;
            slots[0] = Slot::Done(rebuilt(&val, &mut all.iter().map(|bin| bin.mag)));
            slots[1] = Slot::Done(rebuilt(&val, &mut all.iter().map(|bin| bin.phase)));
            slots[2] = Slot::Done(Val::plain(number));
            let result = self.body(scope, &path, body);
            let Some(channels) = self.cartesian(&result, &all) else { return Val::Broken };
            parts.resize_with(channels.len(), Vec::new);
            parts.iter_mut().zip(channels).for_each(|(parts, bin)| parts.extend(bin));
        }
        let behind = frames.latency() - frames.size() / 2;
        let channels = parts.iter().map(|parts| {
            let out = self.block(at, synthesis.clone(), parts, span)[0];
            self.b.declared(out, behind as u32, span)
        });
        let channels = channels.collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    /// Takes each channel of a value apart, in a new region.
    fn analysed(
        &mut self,
        at: &At,
        val: &Val,
        path: &Arc<str>,
        (analysis, frames, span): (&Arc<Block>, Frames, Span),
    ) -> Vec<Spectrum> {
        let region = self.spectra.len();
        let mut channels = vec![];
        values_of(val, &mut channels);
        channels.iter_mut().for_each(|value| *value = self.b.audio(*value));
        self.b.align(&mut channels);
        // What the region sees may be later than what flows in.
        let latest = self.b.tracked.known.as_ref().and_then(|known| known.seen.get(&region)).copied();
        if let Some(latest) = latest {
            channels.iter_mut().for_each(|value| *value = self.b.as_late(*value, latest));
        }
        let (seen, analysed) = (FxHashMap::default(), vec![]);
        self.spectra.push(Region { path: path.clone(), analysed, bin: None, seen });
        let mut spectra = vec![];
        for value in channels {
            let results = self.block(at, analysis.clone(), &[value], span);
            let bins: Vec<Value> = results
                .iter()
                .map(|&result| self.b.declared(result, frames.size() as u32 / 2, span))
                .collect();
            let of = &mut self.spectra[region];
            of.bin = of.bin.or(bins.first().copied());
            of.analysed.extend(results);
            spectra.push(bins.as_chunks::<2>().0.to_vec());
        }
        spectra
    }

    /// The level and the angle of a bin.
    fn polar(&mut self, [re, im]: [Value; 2]) -> Bin {
        let b = &mut self.b;
        let (x, y) = (b.real(Op::Mul, [re, re]), b.real(Op::Mul, [im, im]));
        let sum = b.real(Op::Add, [x, y]);
        let mag = b.real(Op::Sqrt, [sum]);
        let phase = function(b, Arithmetic::Atan2, &[im, re]);
        Bin { re, im, mag, phase }
    }

    /// The parts of what the body of a region makes of bins, for each channel.
    fn cartesian(&mut self, result: &Val, all: &[Bin]) -> Option<Vec<[Value; 2]>> {
        let own = || {
            Val::Signal(Signal {
                channels: all.iter().take(2).map(|bin| bin.phase).collect(),
                dimension: Dimension::PLAIN,
            })
        };
        let (mag, phase) = match result {
            Val::Record(fields) => {
                let part =
                    |word: &str| fields.iter().find(|(name, _)| **name == *word).map(|(_, val)| val.clone());
                (part("mag")?.signal()?, part("phase").unwrap_or_else(own).signal()?)
            }
            val => (val.clone().signal()?, own().signal()?),
        };
        let channels = mag.channels.len().max(phase.channels.len());
        let parts = (0..channels).map(|channel| {
            let mut both = [mag.channel(channel), phase.channel(channel)];
            self.b.align(&mut both);
            let [mag, phase] = both.map(|value| self.b.audio(value));
            match all.iter().find(|bin| bin.phase == phase) {
                Some(bin) => self.at_level(bin, mag),
                None => {
                    let [x, y] =
                        [Arithmetic::Cos, Arithmetic::Sin].map(|f| function(&mut self.b, f, &[phase]));
                    [x, y].map(|part| self.b.real(Op::Mul, [mag, part]))
                }
            }
        });
        Some(parts.collect())
    }

    /// A bin at another level, at its own angle.
    fn at_level(&mut self, bin: &Bin, mag: Value) -> [Value; 2] {
        let Bin { re, im, .. } = *bin;
        if mag == bin.mag {
            return [re, im];
        }
        let b = &mut self.b;
        let zero = b.push(Op::Const(Imm::F32(0.0)), Type::F32, &[]);
        let sounds = b.compare(Op::Lt, zero, bin.mag);
        let gain = b.real(Op::Div, [mag, bin.mag]);
        [(re, mag), (im, zero)].map(|(part, silent)| {
            let part = b.real(Op::Mul, [part, gain]);
            b.select(sounds, part, silent)
        })
    }

    /// The number of the bin that passes in a stream, an i32.
    pub(super) fn bin(&mut self, bins: Bins) -> Value {
        let b = &mut self.b;
        let frame = b.push(Op::Frame, Type::I32, &[]);
        let (mask, first) = (b.i32(bins.hop as i32 - 1), b.i32(bins.stream as i32 * bins.hop as i32));
        let place = b.push(Op::And, Type::I32, &[frame, mask]);
        let bin = b.push(Op::Add, Type::I32, &[place, first]);
        // Behind the last one nothing passes until the next hop.
        let last = b.i32(bins.last as i32);
        let bin = b.push(Op::Min, Type::I32, &[bin, last]);
        b.timeless(bin);
        bin
    }

    /// A value of what is around a spectral region as it is seen in it.
    pub(super) fn sampled_by_hops(&mut self, val: &Val, bins: Bins, name: &str) -> Val {
        match val {
            Val::Signal(signal) => {
                let channels = signal.channels.iter().map(|&value| self.value_in_hops(value, bins, name));
                Val::Signal(Signal { channels: channels.collect(), dimension: signal.dimension })
            }
            Val::List(elements) => {
                Val::List(elements.iter().map(|val| self.sampled_by_hops(val, bins, name)).collect())
            }
            Val::Record(fields) => {
                let part =
                    |(field, val): &(Arc<str>, Val)| (field.clone(), self.sampled_by_hops(val, bins, name));
                Val::Record(fields.iter().map(part).collect::<Vec<_>>().into())
            }
            Val::Buffer(_) | Val::Recording(_) | Val::Broken => val.clone(),
        }
    }

    fn value_in_hops(&mut self, value: Value, bins: Bins, name: &str) -> Value {
        if self.b.imm(value).is_some() {
            return value;
        }
        if let Some(&seen) = self.spectra[bins.region].seen.get(&value) {
            return seen;
        }
        let region = &self.spectra[bins.region];
        let results: Vec<Value> = region.analysed.clone();
        let (path, bin) = (format!("{}.{name}", region.path), region.bin);
        self.b.tracked.seen.push((bins.region, value));
        self.b.tracked.through.extend(results.into_iter().map(|result| (value, result)));
        let late = bin.and_then(|bin| self.b.late(bin));
        let moves = self.b.rate(value) == Rate::Sample && self.b.invariant(value).is_none();
        let aligned = late.map_or(value, |late| self.b.as_late(value, late));
        let seen = match (moves, self.b.ty(aligned).scalar) {
            (false, _) => aligned,
            (true, Scalar::Bool) => self.caught(aligned, bins, &path),
            (true, _) => self.sampled(aligned, bins, &path),
        };
        if moves {
            self.b.counts_as_late(seen, late);
        }
        self.spectra[bins.region].seen.insert(value, seen);
        seen
    }

    /// Whether a hop begins.
    fn starts(&mut self, bins: Bins) -> Value {
        let b = &mut self.b;
        let frame = b.push(Op::Frame, Type::I32, &[]);
        let (mask, zero) = (b.i32(bins.hop as i32 - 1), b.i32(0));
        let place = b.push(Op::And, Type::I32, &[frame, mask]);
        b.push(Op::Eq, Type::BOOL, &[place, zero])
    }

    /// What a signal was when the hop began.
    fn sampled(&mut self, value: Value, bins: Bins, path: &str) -> Value {
        let starts = self.starts(bins);
        let b = &mut self.b;
        let value = b.audio(value);
        let (state, before) = b.new_state(path, |_| Imm::F32(0.0));
        let now = b.push(Op::Select, Type::F32, &[starts, value, before]);
        b.body().sets.push((state, now));
        now
    }

    /// Whether something was true at any time in the hop before.
    fn caught(&mut self, value: Value, bins: Bins, path: &str) -> Value {
        let starts = self.starts(bins);
        let b = &mut self.b;
        let (one, zero) = (
            b.push(Op::Const(Imm::F32(1.0)), Type::F32, &[]),
            b.push(Op::Const(Imm::F32(0.0)), Type::F32, &[]),
        );
        let (waiting, before) = b.new_state(&format!("{path}.waiting"), |_| Imm::F32(0.0));
        let met = b.push(Op::Select, Type::F32, &[value, one, before]);
        let (state, latest) = b.new_state(path, |_| Imm::F32(0.0));
        let now = b.push(Op::Select, Type::F32, &[starts, met, latest]);
        let left = b.push(Op::Select, Type::F32, &[starts, zero, met]);
        b.body().sets.extend([(waiting, left), (state, now)]);
        b.truth(now)
    }
}

/// The channels of all signals of a value, in order.
fn values_of(val: &Val, into: &mut Vec<Value>) {
    match val {
        Val::Signal(signal) => into.extend_from_slice(&signal.channels),
        Val::List(elements) => elements.iter().for_each(|val| values_of(val, into)),
        Val::Record(fields) => fields.iter().for_each(|(_, val)| values_of(val, into)),
        Val::Buffer(_) | Val::Recording(_) | Val::Broken => {}
    }
}

/// A value of the same form, of plain signals with these channels in order.
fn rebuilt(val: &Val, channels: &mut impl Iterator<Item = Value>) -> Val {
    match val {
        Val::Signal(signal) => Val::Signal(Signal {
            channels: channels.by_ref().take(signal.channels.len()).collect(),
            dimension: Dimension::PLAIN,
        }),
        Val::List(elements) => Val::List(elements.iter().map(|val| rebuilt(val, channels)).collect()),
        Val::Record(fields) => {
            let part = |(name, val): &(Arc<str>, Val)| (name.clone(), rebuilt(val, channels));
            Val::Record(fields.iter().map(part).collect::<Vec<_>>().into())
        }
        Val::Buffer(_) | Val::Recording(_) | Val::Broken => Val::Broken,
    }
}
