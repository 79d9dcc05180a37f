//! `oversample(4) { … }`: a region at a multiple of the sample rate.
//!
//! Its body is evaluated once for each inner frame, in their order; what a `prev` or a function with state remembers in one is
//! what the next one finds ([`super::copies`]), and the first finds the state. So the IR has no rates but the one, and the body
//! of the kernel is that of one frame. A factor of 2ⁿ is n regions of 2 in one another. At each border signals are raised and
//! lowered by half-band filters of the prelude; what does not move between events passes as it is, as do conditions, and a
//! `trig` is 1 in the first inner frame alone.

use super::copies::{Bins, InnerFrame};
use super::names::{ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::hir::resolve::resolved;
use crate::ir::{Op, Rate, Scalar, Value};
use mam_grammar::Span;
use mam_grammar::ast::{Body, ExprId, Ident};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A region at twice the rate of what is around it.
struct Region {
    /// The region around it.
    around: Option<usize>,
    /// Its inner frames in a frame of the song: a power of two.
    count: usize,
    /// What its filters remember is named by this.
    path: Arc<str>,
    /// Where it has linear phase, the place that says so.
    linear: Option<Span>,
}

/// Regions, and what was raised into them.
#[derive(Default)]
pub(super) struct Regions {
    all: Vec<Region>,
    /// By what a region stands in and how often it was met there.
    known: FxHashMap<(Option<usize>, Arc<str>, ExprId, usize), usize>,
    met: FxHashMap<(InnerFrame, Arc<str>, ExprId), usize>,
    /// The two inner values of a value around a region.
    raised: FxHashMap<(usize, Option<InnerFrame>, Value), [Value; 2]>,
}

impl Lower<'_, '_> {
    /// How many inner frames there are in a frame of the song where something is evaluated.
    pub(super) fn inner_frames(&self, at: &At) -> usize {
        self.scopes[at.scope].copy.map_or(1, |copy| self.regions.all[copy.region].count)
    }

    /// Frames a second where something is evaluated.
    pub(super) fn rate(&self, at: &At) -> f64 {
        let hop = self.scopes[at.scope].bins.map_or(1, |bins| bins.hop);
        self.song.rate * self.inner_frames(at) as f64 / f64::from(hop)
    }

    /// Whether an inner frame is the last of its region in a frame of the song.
    pub(super) fn is_last(&self, copy: InnerFrame) -> bool {
        copy.index + 1 == self.regions.all[copy.region].count
    }

    /// `oversample(factor) { body }`
    pub(super) fn oversample(
        &mut self,
        at: &At,
        expr: ExprId,
        (factor, border): (ExprId, Option<&Ident>),
        body: &Body,
    ) -> Val {
        let Some((factor_value, _)) = self.constant(at, factor) else { return Val::Broken };
        let path = self.path(at, "oversample");
        let levels = (factor_value as usize).ilog2();
        let outer = self.scopes[at.scope].copy;
        let linear = border.map(|word| word.span);
        let regions = self.regions_of(outer, (&path, expr), levels, linear);
        let first = outer.map_or(0, |copy| copy.index) << levels;
        let innermost = regions[regions.len() - 1];
        let mut vals: Vec<Val> = (0..1 << levels)
            .map(|inner| {
                let copy = InnerFrame { region: innermost, index: first + inner };
                let scope = self.region_scope(at, expr, (Some(copy), None));
                self.body(scope, &path, body)
            })
            .collect();
        for (level, &region) in regions.iter().enumerate().rev() {
            let around = self.regions.all[region].around;
            let first = first >> (levels as usize - level);
            vals = vals
                .chunks(2)
                .enumerate()
                .map(|(i, pair)| {
                    let copy = around.map(|region| InnerFrame { region, index: first + i });
                    self.lowered(at, region, copy, [&pair[0], &pair[1]])
                })
                .collect();
        }
        vals.swap_remove(0)
    }

    /// The regions of one place, outermost first; the same ones in each inner frame of what is around.
    fn regions_of(
        &mut self,
        outer: Option<InnerFrame>,
        (path, expr): (&Arc<str>, ExprId),
        levels: u32,
        linear: Option<Span>,
    ) -> Vec<usize> {
        let met = outer.map_or(0, |copy| {
            let met = self.regions.met.entry((copy, path.clone(), expr)).or_insert(0);
            *met += 1;
            *met
        });
        let mut around = outer.map(|copy| copy.region);
        (0..levels)
            .map(|_| {
                let key = (around, path.clone(), expr, met);
                let known = outer.and_then(|_| self.regions.known.get(&key).copied());
                let region = known.unwrap_or_else(|| {
                    let count = 2 * around.map_or(1, |region| self.regions.all[region].count);
                    self.regions.all.push(Region { around, count, path: path.clone(), linear });
                    self.regions.all.len() - 1
                });
                self.regions.known.insert(key, region);
                around = Some(region);
                region
            })
            .collect()
    }

    /// A scope for the body of a region, in an inner frame or for the bins of a stream.
    pub(super) fn region_scope(
        &mut self,
        at: &At,
        expr: ExprId,
        (copy, bins): (Option<InnerFrame>, Option<Bins>),
    ) -> ScopeId {
        let of = self.hir(at).loop_scope(expr);
        let super::names::Scope { file, calls, voice, instrument, port, .. } = self.scopes[at.scope];
        let slots = vec![Slot::Absent; resolved(self.files(), file).scope(of).locals.len()];
        self.scopes.push(super::names::Scope {
            file,
            of,
            parent: Some(at.scope),
            calls,
            slots,
            voice,
            instrument,
            port,
            copy,
            bins,
            iterations: None,
        });
        self.scopes.len() - 1
    }

    /// A value of what is around a region, `from` which it is seen inside, at the inner frame `to`.
    pub(super) fn raise(
        &mut self,
        at: &At,
        val: &Val,
        from: Option<InnerFrame>,
        to: Option<InnerFrame>,
        name: &str,
    ) -> Val {
        let Some(to) = to.filter(|_| from != to) else { return val.clone() };
        match val {
            Val::Signal(signal) => {
                let channels =
                    signal.channels.iter().map(|&value| self.raised(at, value, from, to, name)).collect();
                Val::Signal(Signal { channels, dimension: signal.dimension })
            }
            Val::List(elements) => {
                Val::List(elements.iter().map(|val| self.raise(at, val, from, Some(to), name)).collect())
            }
            Val::Record(fields) => {
                let part = |(field, val): &(Arc<str>, Val)| {
                    (field.clone(), self.raise(at, val, from, Some(to), name))
                };
                Val::Record(fields.iter().map(part).collect::<Vec<_>>().into())
            }
            Val::Buffer(_) | Val::Recording(_) | Val::Broken => val.clone(),
        }
    }

    fn raised(
        &mut self,
        at: &At,
        value: Value,
        from: Option<InnerFrame>,
        to: InnerFrame,
        name: &str,
    ) -> Value {
        // Where nothing moves, and where something is true or not, nothing is filtered.
        if self.b.rate(value) != Rate::Sample || self.b.invariant(value).is_some() {
            return value;
        }
        if matches!(self.b.inst(value).op, Op::Port(_, field) if field.is_onset()) {
            let inner = self.regions.all[to.region].count
                / from.map_or(1, |copy| self.regions.all[copy.region].count);
            return if to.index.is_multiple_of(inner) { value } else { self.b.bool(false) };
        }
        if self.b.ty(value).scalar == Scalar::Bool {
            return value;
        }
        let around =
            self.regions.all[to.region].around.map(|region| InnerFrame { region, index: to.index / 2 });
        let outer = match around {
            Some(around) if Some(around) != from => self.raised(at, value, from, around, name),
            _ => value,
        };
        let key = (to.region, around, outer);
        let pair = match self.regions.raised.get(&key) {
            Some(pair) => *pair,
            None => {
                let pair = self.raised_pair(at, outer, to.region, around, name);
                self.regions.raised.insert(key, pair);
                pair
            }
        };
        pair[to.index % 2]
    }

    /// The two inner values of a value, through the filter of the prelude.
    fn raised_pair(
        &mut self,
        at: &At,
        value: Value,
        region: usize,
        around: Option<InnerFrame>,
        name: &str,
    ) -> [Value; 2] {
        let Region { count, path, linear, .. } = &self.regions.all[region];
        let (count, linear, path) = (*count, *linear, Arc::from(format!("{path}.up{count}.{name}")));
        let val = self.filter(at, &filter_name("raise", count, linear), &path, around, &[value]);
        match val {
            Val::List(pair) => [0, 1].map(|i| match &pair[i] {
                Val::Signal(signal) => self.through(signal.channels[0], count, linear),
                _ => value,
            }),
            _ => [value; 2],
        }
    }

    /// The value around a region of its two inner ones.
    fn lowered(&mut self, at: &At, region: usize, around: Option<InnerFrame>, pair: [&Val; 2]) -> Val {
        match pair {
            [Val::Record(first), Val::Record(second)] => {
                let pairs = first.iter().zip(second.iter());
                let parts =
                    pairs.map(|((name, a), (_, b))| (name.clone(), self.lowered(at, region, around, [a, b])));
                Val::Record(parts.collect::<Vec<_>>().into())
            }
            [Val::List(first), Val::List(second)] => {
                let part = |(a, b): (&Val, &Val)| self.lowered(at, region, around, [a, b]);
                Val::List(first.iter().zip(second.iter()).map(part).collect::<Vec<_>>().into())
            }
            [first, second] => {
                let signals = [first, second].map(|val| val.clone().signal());
                let [Some(first), Some(second)] = signals else { return Val::Broken };
                let channels = first.channels.len().max(second.channels.len());
                let dimension = first.dimension;
                let channel = |i: usize| {
                    let (a, b) = (first.channel(i), second.channel(i));
                    match a == b && self.b.rate(a) != Rate::Sample {
                        true => a,
                        false => self.lowered_pair(at, region, around, [a, b]),
                    }
                };
                Val::Signal(Signal { channels: (0..channels).map(channel).collect(), dimension })
            }
        }
    }

    fn lowered_pair(
        &mut self,
        at: &At,
        region: usize,
        around: Option<InnerFrame>,
        pair: [Value; 2],
    ) -> Value {
        let Region { count, path, linear, .. } = &self.regions.all[region];
        let (count, linear, path) = (*count, *linear, Arc::from(format!("{path}.down{count}")));
        let val = self.filter(at, &filter_name("lower", count, linear), &path, around, &pair);
        match val {
            Val::Signal(signal) => self.through(signal.channels[0], count, linear),
            _ => pair[0],
        }
    }

    /// A value behind a filter of a region: one of linear phase makes it later.
    fn through(&mut self, value: Value, count: usize, linear: Option<Span>) -> Value {
        /// Frames of the song of each stage.
        const LATE: [u32; 4] = [33, 3, 2, 1];
        linear.map_or(value, |span| self.b.declared(value, LATE[count.ilog2() as usize - 1], span))
    }

    /// The value of a definition of the prelude in the frames around a region.
    fn filter(
        &mut self,
        at: &At,
        name: &str,
        path: &Arc<str>,
        around: Option<InnerFrame>,
        args: &[Value],
    ) -> Val {
        let def = self.files().find_prelude(name).expect("the filters of regions are in the prelude");
        let scope = self.definition_scope(at.scope, def, |_| Slot::Absent);
        self.scopes[scope].copy = around;
        for (i, &value) in args.iter().enumerate() {
            let value = self.b.audio(value);
            self.scopes[scope].slots[i] = Slot::Done(Val::Signal(Signal {
                channels: [value].into_iter().collect(),
                dimension: Dimension::PLAIN,
            }));
        }
        self.body(scope, path, &self.files().definition(def).body)
    }
}

/// The definition of the prelude that raises or lowers.
fn filter_name(what: &str, count: usize, linear: Option<Span>) -> String {
    format!("_{what}{}{}", if linear.is_some() { "_linear" } else { "" }, stage(count))
}

/// Which filter belongs to a region: the steep one to that next to the song's rate, where what is kept and what is not lie
/// close to one another.
fn stage(count: usize) -> u32 {
    count.ilog2().min(3)
}
