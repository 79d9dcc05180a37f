//! `tap` and `fir`: delay lines, and how they are read between frames.

use super::builtin::lerp;
use super::copies::InnerFrame;
use super::names::Expectation;
use super::remembered::Slots;
use super::state::{Inner, Into, Later};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::hir::types::named;
use crate::ir::{DelayLine, Imm, Op, Rate, TableId, Type, Value};
use mam_grammar::Handle;
use mam_grammar::ast::{Expr, ExprId};
use std::f64::consts::PI;

/// An invariant delay that is nearer than this to whole frames is whole.
const WHOLE: f64 = 1e-3;

/// The delay lines of a `fir` in a region, one for each inner frame, and what it was given in the inner frames so far.
pub(super) type FirLines = (Vec<Handle<DelayLine>>, Vec<Value>);

/// How a delay line is read between two of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Not at all: the nearest frame.
    Whole,
    /// A straight line between two frames.
    Linear,
    /// The polynomial of third order through four frames (J. L. Lagrange).
    Cubic,
    /// An all-pass of first order (J.-P. Thiran, 1971): flat, with a state.
    Allpass,
    /// Sixteen frames under a windowed sinc.
    Sinc,
}

impl Order {
    /// The one that is written so.
    fn find(word: &str) -> Option<Order> {
        let all = [Order::Whole, Order::Linear, Order::Cubic, Order::Allpass, Order::Sinc];
        crate::hir::builtins::ORDERS.iter().position(|order| *order == word).map(|index| all[index])
    }

    /// The shortest delay in frames, so that the latest frame that is read is one ago.
    fn least(self) -> f64 {
        match self {
            Order::Whole | Order::Linear => 1.0,
            Order::Allpass => 1.5,
            Order::Cubic => 2.0,
            Order::Sinc => SIDE as f64,
        }
    }

    /// How many frames beyond the one after the longest delay are read.
    fn beyond(self) -> u32 {
        match self {
            Order::Whole | Order::Linear | Order::Allpass => 0,
            Order::Cubic => 1,
            Order::Sinc => SIDE as u32 - 1,
        }
    }
}

/// Frames on each side of a point that the windowed sinc takes in.
const SIDE: usize = 8;
/// Places between two frames at which the windowed sinc is tabulated.
const PHASES: usize = 512;
/// Frames that make up a value, and weights of a row of their table.
const ROW: usize = 2 * SIDE;
/// The parameter of Kaiser's window: side lobes 98 dB down.
const KAISER: f64 = 9.8;

/// A delay in frames.
#[derive(Clone, Copy)]
struct Distance {
    /// As it was asked for, within what the line can do.
    frames: Value,
    /// Whole frames, an i32, and what is left of one.
    whole: Value,
    part: Value,
}

/// The delay lines of a signal: one, or in a region one for each inner frame.
#[derive(Clone)]
struct Lines {
    all: Vec<Slots<DelayLine>>,
    /// Who reads them.
    reader: Reader,
}

/// Where lines are read from.
#[derive(Clone, Copy)]
struct Reader {
    /// The inner frame of a region.
    copy: Option<InnerFrame>,
    /// How far what is one ago lies in a line: a frame, or in a spectral region a hop.
    hop: u32,
}

/// What the times of a `tap` are.
const TIME: Expectation = Expectation::of_dimension(Dimension::TIME);

impl Lower<'_, '_> {
    /// `tap(x, time, max: …, order: …)`
    pub(super) fn tap(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let &[Some(x), Some(time), Some(max), order] = args else { return Val::Broken };
        let Some(longest) = self.longest(at, max) else { return Val::Broken };
        let order = order.map_or(Some(Order::Linear), |word| match &self.ast(at).exprs[word] {
            Expr::Name(word) => Order::find(&word.name),
            _ => None,
        });
        let Some(order) = order else { return Val::Broken };
        let val = self.eval(at, time);
        let Some((seconds, _)) = self.fit(val, &TIME).mono() else { return Val::Broken };
        let path = self.state_path(at, x, "tap");
        self.place(at);
        let lines = self.lines(at, x, &path, longest + order.beyond());
        let mut latest = None;
        lines
            .all
            .iter()
            .for_each(|slots| slots.each(&mut |line| latest = latest.max(self.b.late_line(line))));
        self.place(at);
        let seconds = latest.map_or(seconds, |latest| self.b.as_late(seconds, latest));
        let distance = self.distance(at, seconds, longest, order);
        self.place(at);
        let all: Vec<&Slots<DelayLine>> = lines.all.iter().collect();
        Slots::read(&all, &mut |line| self.read_between(line, lines.reader, distance, order, &path))
    }

    /// `prev(x, init)` in a spectral region: x of the same bin one hop ago.
    pub(super) fn prev_hop(&mut self, at: &At, x: ExprId, path: &str, init: f32) -> Val {
        let lines = self.lines(at, x, path, 1);
        self.place(at);
        let one = self.b.i32(1);
        let early = (init != 0.0).then(|| self.first_frames(path, lines.reader.hop));
        let all: Vec<&Slots<DelayLine>> = lines.all.iter().collect();
        Slots::read(&all, &mut |line| {
            let before = self.read_at(line, lines.reader, one, 0);
            let Some(early) = early else { return before };
            let init = self.b.push(Op::Const(Imm::F32(init)), Type::F32, &[]);
            self.b.push(Op::Select, Type::F32, &[early, init, before])
        })
    }

    /// Whether this is one of the first frames.
    fn first_frames(&mut self, path: &str, count: u32) -> Value {
        let b = &mut self.b;
        let (state, age) = b.new_state(&format!("{path}.age"), |_| Imm::I32(0));
        let (one, count) = (b.i32(1), b.i32(count as i32));
        let next = b.push(Op::Add, Type::I32, &[age, one]);
        let next = b.push(Op::Min, Type::I32, &[next, count]);
        b.body().sets.push((state, next));
        b.push(Op::Lt, Type::BOOL, &[age, count])
    }

    /// The greatest delay in frames: the greatest value that `max` can have.
    pub(super) fn longest(&mut self, at: &At, max: ExprId) -> Option<u32> {
        let val = self.eval(at, max);
        let (value, _) = self.fit(val, &TIME).mono()?;
        let frames = self.at_most(value)? * self.rate(at);
        Some(((frames - WHOLE).ceil() as u32).max(1))
    }

    /// The delay lines of a signal that is heard up to so many frames late; a new one is written when all else is done.
    fn lines(&mut self, at: &At, x: ExprId, path: &str, needed: u32) -> Lines {
        if let Some(copy) = self.scopes[at.scope].copy {
            return self.inner_lines(at, x, path, needed, copy);
        }
        let hop = self.scopes[at.scope].bins.map_or(1, |bins| bins.hop);
        let (needed, reader) = (needed.saturating_mul(hop), Reader { copy: None, hop });
        let key = named(self.ast(at), x).map(|name| (at.scope, name.clone()));
        if let Some(line) = key.as_ref().and_then(|key| self.lines.get(key)) {
            // It holds what the longest `tap` needs.
            line.each(&mut |line| {
                let frames = &mut self.b.kernel.delays[line].frames;
                *frames = needed.max(*frames);
            });
            return Lines { all: vec![line.clone()], reader };
        }
        let line = self.new_line(path, needed);
        let into = Into::Delays(line.clone());
        self.later.push(Later { at: at.clone(), expr: x, into });
        if let Some(key) = key {
            self.lines.insert(key, line.clone());
        }
        Lines { all: vec![line], reader }
    }

    fn new_line(&mut self, path: &str, frames: u32) -> Slots<DelayLine> {
        Slots::new(self.song.layouts.get(path), path, &mut |name| self.b.delay(name, frames))
    }

    /// The lines of a signal in a region: each inner frame writes its own.
    fn inner_lines(&mut self, at: &At, x: ExprId, path: &str, needed: u32, copy: InnerFrame) -> Lines {
        let count = self.inner_frames(at);
        let name = format!("{path}.tap()");
        let key = (copy.region, name.clone(), self.b.copies.occurrence(copy, &name));
        let inner = match self.inner.get_mut(&key) {
            Some(inner) => inner,
            None => {
                let frames = needed.div_ceil(count as u32) + 1;
                let lines: Vec<_> = (0..count).map(|_| self.new_line(path, frames)).collect();
                let inner = Inner { latest: (at.clone(), x), states: None, lines, written: vec![] };
                self.inner.entry(key).or_insert(inner)
            }
        };
        let all = inner.lines.clone();
        inner.written.push(Later { at: at.clone(), expr: x, into: Into::Delays(all[copy.index].clone()) });
        if copy.index + 1 == count {
            // The filters that raise it go from one inner frame to the next, so the first is evaluated first.
            let written = std::mem::take(&mut inner.written);
            self.later.extend(written.into_iter().rev());
        }
        Lines { all, reader: Reader { copy: Some(copy), hop: 1 } }
    }

    /// The delay within what a line of so many frames can do: clamp(time·sr, least, longest). A delay that is invariant and
    /// within 10⁻³ of whole frames is whole.
    fn distance(&mut self, at: &At, seconds: Value, longest: u32, order: Order) -> Distance {
        let (rate, count) = (self.rate(at), self.inner_frames(at));
        let b = &mut self.b;
        let frames = b.scale(rate, seconds);
        let least = order.least() - 1.0 + count as f64;
        let (least, most) = (b.f64(least), b.f64(f64::from(longest)));
        let frames = b.real(Op::Min, [frames, most]);
        let frames = b.real(Op::Max, [frames, least]);
        let mut whole = b.real(Op::Floor, [frames]);
        let mut part = b.real(Op::Sub, [frames, whole]);
        if b.rate(frames) <= Rate::Segment {
            let nearest = b.real(Op::Round, [frames]);
            let off = b.real(Op::Sub, [frames, nearest]);
            let off = b.real(Op::Abs, [off]);
            let (tolerance, zero) = (b.f64(WHOLE), b.f64(0.0));
            let exact = b.compare(Op::Lt, off, tolerance);
            whole = b.select(exact, nearest, whole);
            part = b.select(exact, zero, part);
        }
        Distance { frames, whole: b.push(Op::ToInt, Type::I32, &[whole]), part }
    }

    /// What a line was given so many frames ago, more or less `offset`.
    fn read_at(
        &mut self,
        lines: &[Handle<DelayLine>],
        Reader { copy, hop }: Reader,
        whole: Value,
        offset: i32,
    ) -> Value {
        let b = &mut self.b;
        let whole = match offset {
            0 => whole,
            _ => {
                let offset = b.i32(offset);
                b.push(Op::Add, Type::I32, &[whole, offset])
            }
        };
        let Some(copy) = copy else {
            let hop = b.i32(hop as i32);
            let whole = if b.imm(hop) == Some(Imm::I32(1)) {
                whole
            } else {
                b.push(Op::Mul, Type::I32, &[whole, hop])
            };
            return b.push(Op::Read(lines[0]), Type::F32, &[whole]);
        };
        // Of n lines the one that the inner frame `index − whole` has written: so many frames ago, and which of them.
        let count = lines.len() as i32;
        let (index, places) = (b.i32(copy.index as i32), b.i32(count.ilog2() as i32));
        let ago = b.push(Op::Sub, Type::I32, &[whole, index]);
        let up = b.i32(count - 1);
        let rounded = b.push(Op::Add, Type::I32, &[ago, up]);
        let frames = b.push(Op::Sshr, Type::I32, &[rounded, places]);
        let back = b.push(Op::Shl, Type::I32, &[frames, places]);
        let which = b.push(Op::Sub, Type::I32, &[back, ago]);
        if let Some(Imm::I32(which)) = b.imm(which) {
            return b.push(Op::Read(lines[which as usize]), Type::F32, &[frames]);
        }
        let reads: Vec<Value> =
            lines.iter().map(|line| b.push(Op::Read(*line), Type::F32, &[frames])).collect();
        let mut chosen = reads[0];
        for (number, read) in reads.into_iter().enumerate().skip(1) {
            let number = b.i32(number as i32);
            let here = b.push(Op::Eq, Type::BOOL, &[which, number]);
            chosen = b.push(Op::Select, Type::F32, &[here, read, chosen]);
        }
        chosen
    }

    /// What a line was given at a distance that may lie between two frames.
    fn read_between(
        &mut self,
        line: &[Handle<DelayLine>],
        reader: Reader,
        distance: Distance,
        order: Order,
        path: &str,
    ) -> Value {
        let Distance { frames, whole, part } = distance;
        match order {
            Order::Whole => {
                let nearest = self.b.real(Op::Round, [frames]);
                let nearest = self.b.push(Op::ToInt, Type::I32, &[nearest]);
                self.read_at(line, reader, nearest, 0)
            }
            Order::Allpass => self.read_allpass(line, reader, frames, path),
            _ if self.b.constant(part) == Some(0.0) => self.read_at(line, reader, whole, 0),
            Order::Linear => {
                let newer = self.read_at(line, reader, whole, 0);
                let older = self.read_at(line, reader, whole, 1);
                lerp(&mut self.b, newer, older, part)
            }
            Order::Cubic => {
                let weights = cubic_weights(&mut self.b, part);
                let taps = [-1, 0, 1, 2].map(|offset| self.read_at(line, reader, whole, offset));
                self.weighted(&weights, &taps)
            }
            Order::Sinc => {
                let weights = self.sinc_weights(part);
                let offsets = 1 - SIDE as i32..=SIDE as i32;
                let taps: Vec<Value> =
                    offsets.map(|offset| self.read_at(line, reader, whole, offset)).collect();
                self.weighted(&weights, &taps)
            }
        }
    }

    fn weighted(&mut self, weights: &[Value], taps: &[Value]) -> Value {
        let mut sum: Option<Value> = None;
        for (weight, tap) in weights.iter().zip(taps) {
            let product = self.b.real(Op::Mul, [*tap, *weight]);
            sum = Some(sum.map_or(product, |sum| self.b.real(Op::Add, [sum, product])));
        }
        sum.unwrap_or_else(|| self.b.f64(0.0))
    }

    /// y = a·(u − y₁) + u₁ with a = (1 − δ)/(1 + δ), where u is the line δ frames nearer, δ in [½, 1½).
    fn read_allpass(
        &mut self,
        line: &[Handle<DelayLine>],
        reader: Reader,
        frames: Value,
        path: &str,
    ) -> Value {
        let b = &mut self.b;
        let (half, one) = (b.f64(0.5), b.f64(1.0));
        let nearer = b.real(Op::Sub, [frames, half]);
        let nearer = b.real(Op::Floor, [nearer]);
        let delta = b.real(Op::Sub, [frames, nearer]);
        let (above, below) = (b.real(Op::Sub, [one, delta]), b.real(Op::Add, [one, delta]));
        let a = b.real(Op::Div, [above, below]);
        let whole = b.push(Op::ToInt, Type::I32, &[nearer]);
        let (newer, older) = (self.read_at(line, reader, whole, 0), self.read_at(line, reader, whole, 1));
        let b = &mut self.b;
        let (state, before) = b.state(&format!("{path}.allpass"), Imm::F32(0.0));
        let difference = b.real(Op::Sub, [newer, before]);
        let product = b.real(Op::Mul, [difference, a]);
        let sum = b.real(Op::Add, [product, older]);
        let sum = b.audio(sum);
        b.set(state, sum);
        sum
    }

    /// The weights of the frames around a point, `part` of a frame beyond the middle one: from the table, between whose places
    /// they are interpolated.
    fn sinc_weights(&mut self, part: Value) -> Vec<Value> {
        let places = 1 - SIDE as i32..=SIDE as i32;
        if let Some(part) = self.b.constant(part) {
            let all: Vec<f64> = places.map(|place| windowed_sinc(f64::from(place) - part)).collect();
            let sum: f64 = all.iter().sum();
            return all.into_iter().map(|weight| self.b.f64(weight / sum)).collect();
        }
        let table = Self::local_table(&mut self.song.tables, &sinc_table());
        let b = &mut self.b;
        let scaled = b.scale(PHASES as f64, part);
        let whole = b.real(Op::Floor, [scaled]);
        let rest = b.real(Op::Sub, [scaled, whole]);
        let phase = b.push(Op::ToInt, Type::I32, &[whole]);
        let phase = b.index_up_to(PHASES as i32, phase);
        let row = b.i32(ROW as i32);
        let row = b.push(Op::Mul, Type::I32, &[phase, row]);
        places.map(|place| sinc_weight(b, table, place, row, rest)).collect()
    }

    /// `fir(x, coefficients)`: one line, read at each whole distance.
    pub(super) fn fir(&mut self, at: &At, x: ExprId, coefficients: Option<ExprId>) -> Val {
        let Some(coefficients) = coefficients else { return Val::Broken };
        let (val, list) = (self.eval(at, x), self.eval(at, coefficients));
        let (Some(signal), Some(elements)) = (val.signal(), list.elements()) else { return Val::Broken };
        let weight = |element: &Val| element.clone().mono().map(|(weight, _)| weight);
        let Some(weights) = elements.iter().map(weight).collect::<Option<Vec<Value>>>() else {
            return Val::Broken;
        };
        let path = format!("{}.fir", at.path);
        self.place(at);
        let channels = signal.channels.iter().map(|&x| self.convolved(at, &path, x, &weights)).collect();
        Val::Signal(Signal { channels, dimension: signal.dimension })
    }

    fn convolved(&mut self, at: &At, path: &str, x: Value, weights: &[Value]) -> Value {
        let x = self.b.audio(x);
        let mut all = [&[x], weights].concat();
        self.b.align(&mut all);
        let (x, weights) = (all[0], &all[1..]);
        let copy = self.scopes[at.scope].copy;
        let count = self.inner_frames(at);
        let (lines, earlier) = self.fir_lines(path, weights.len(), (copy, count), x);
        let taps: Vec<Value> = (0..weights.len())
            .map(|k| match (k, copy) {
                (0, _) => x,
                // The same frame of the song, in an inner frame before.
                (k, Some(copy)) if k <= copy.index => earlier[copy.index - k],
                (k, _) => {
                    let whole = self.b.i32(k as i32);
                    self.read_at(&lines, Reader { copy, hop: 1 }, whole, 0)
                }
            })
            .collect();
        let line = lines[copy.map_or(0, |copy| copy.index)];
        self.b.body().writes.push((line, x));
        self.weighted(weights, &taps)
    }

    /// The lines of a `fir`, one for each inner frame, and what it was given in the inner frames so far.
    fn fir_lines(
        &mut self,
        path: &str,
        taps: usize,
        (copy, count): (Option<InnerFrame>, usize),
        x: Value,
    ) -> FirLines {
        let frames = (taps as u32).div_ceil(count as u32).max(1);
        let Some(copy) = copy else { return (vec![self.b.delay(path, frames)], vec![]) };
        let occurrence = self.b.copies.occurrence(copy, path);
        let key = (copy.region, path.to_owned(), occurrence);
        if !self.fir.contains_key(&key) {
            let lines = (0..count).map(|_| self.b.delay(path, frames)).collect();
            self.fir.insert(key.clone(), (lines, vec![]));
        }
        let (lines, values) = self.fir.get_mut(&key).expect("it has just been made");
        let earlier = values.clone();
        values.push(x);
        (lines.clone(), earlier)
    }
}

fn sinc_weight(
    b: &mut super::builder::Builder,
    table: TableId,
    place: i32,
    row: Value,
    rest: Value,
) -> Value {
    // What lies furthest back comes first, as in a line.
    let column = SIDE as i32 - place;
    let (here, next) = (b.i32(column), b.i32(column + ROW as i32));
    let [above, below] = [here, next].map(|ahead| {
        let index = b.push(Op::Add, Type::I32, &[row, ahead]);
        b.push(Op::Table(table), Type::F32, &[index])
    });
    lerp(b, above, below, rest)
}

/// The weights of the frames −1, 0, 1 and 2 at a point p beyond frame 0.
fn cubic_weights(b: &mut super::builder::Builder, p: Value) -> [Value; 4] {
    let (one, two) = (b.f64(1.0), b.f64(2.0));
    let (above, below, further) =
        (b.real(Op::Add, [p, one]), b.real(Op::Sub, [p, one]), b.real(Op::Sub, [p, two]));
    let inner = b.real(Op::Mul, [below, further]);
    let outer = b.real(Op::Mul, [above, p]);
    let first = b.real(Op::Mul, [p, inner]);
    let second = b.real(Op::Mul, [above, inner]);
    let third = b.real(Op::Mul, [outer, further]);
    let fourth = b.real(Op::Mul, [outer, below]);
    [b.scale(-1.0 / 6.0, first), b.scale(0.5, second), b.scale(-0.5, third), b.scale(1.0 / 6.0, fourth)]
}

/// sin(πt)/(πt) under Kaiser's window.
fn windowed_sinc(t: f64) -> f64 {
    let side = SIDE as f64;
    if t.abs() >= side {
        return 0.0;
    }
    let sinc = if t == 0.0 { 1.0 } else { libm::sin(PI * t) / (PI * t) };
    sinc * bessel(KAISER * (1.0 - (t / side).powi(2)).sqrt()) / bessel(KAISER)
}

/// The modified Bessel function of order 0, by its power series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..60 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// The windowed sinc between −SIDE and SIDE, row by row the weights of the frames around a point: at each place between two frames, at the
/// next one, and once more those, so that each row has one after it. Those of a row add up to 1.
fn sinc_table() -> Vec<f64> {
    let mut all: Vec<f64> = (0..=2 * SIDE * PHASES)
        .map(|place| windowed_sinc(place as f64 / PHASES as f64 - SIDE as f64))
        .collect();
    for phase in 0..PHASES {
        let sum: f64 = all.iter().skip(phase).step_by(PHASES).sum();
        all.iter_mut().skip(phase).step_by(PHASES).for_each(|weight| *weight /= sum);
    }
    let row = |phase: usize| (1..=ROW).rev().map(move |frame| frame * PHASES - phase);
    (0..=PHASES).chain([PHASES]).flat_map(row).map(|place| all[place]).collect()
}
