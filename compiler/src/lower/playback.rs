//! Buffers: `sample("f.wav")`, and `playback`, which reads one at a moving place.
//!
//! The place is a number of the buffer's frames in two words, as `phasor` keeps its phase: whole frames, and 2⁻³² parts of one.
//! An invariant speed adds the same in each frame, exactly, however long it plays. Between two samples the value is that of
//! a sinc of sixteen taps under Kaiser's window (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh
//! window function", ISCAS 1974), read from a table of 256 places; at a sample it is that sample, to the bit.

use super::builder::Builder;
use super::value::{Buffer, Signal, Val};
use super::{At, Lower};
use crate::dimension::Dimension;
use crate::ir::{Imm, Op, PortField, TableId, Type, Value};
use crate::resample::bessel;
use crate::samples::Samples;
use mam_grammar::Span;
use mam_grammar::ast::ExprId;
use mam_runtime::block::{self, Block, Streamed};
use mam_runtime::stream::Stream;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::f64::consts::PI;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

/// Samples that make up a value.
const TAPS: usize = 16;
/// Places between two samples for which their weights are in the table.
const PLACES: usize = 256;
/// Kaiser's β: what is folded lies below −90 dB for sines up to a tenth of the rate.
const BETA: f64 = 9.0;
/// Silence before and after a buffer, so that every tap has its sample.
const MARGIN: usize = 2 * TAPS;
/// 2³²: the parts of a frame.
const WORD: f64 = 4_294_967_296.0;
/// The greatest step of a place, in frames of the buffer.
const FASTEST: f64 = 100_000.0;
/// The place of what does not play.
pub(super) const IDLE: i32 = i32::MIN;
/// In which what ends before its buffer does fades out.
pub(super) const FADE_SECONDS: f64 = 0.002;
/// What a loop's end and the sound before its start are faded over, where nothing is said.
pub(super) const CROSSFADE_SECONDS: f64 = 0.005;

/// Row by row the weights at each place, and once more those of the next sample.
static WEIGHTS: LazyLock<Vec<f32>> = LazyLock::new(|| (0..=PLACES).flat_map(weights).collect());

/// The weights of all taps at each place between two samples, and once more those of the next sample.
pub(super) fn sinc_weights() -> &'static [f32] {
    &WEIGHTS
}

const _: () = assert!(TAPS == block::TAPS && PLACES == block::PLACES);

/// The weights of all taps at a place; their sum is 1.
fn weights(place: usize) -> Vec<f32> {
    let middle = (TAPS / 2 - 1) as f64 + place as f64 / PLACES as f64;
    let half = (TAPS / 2) as f64;
    let weight = |tap: usize| {
        let x = tap as f64 - middle;
        let window = bessel(BETA * (1.0 - (x / half).powi(2)).max(0.0).sqrt()) / bessel(BETA);
        match x {
            _ if x == 0.0 => 1.0,
            _ if x.fract() == 0.0 => 0.0,
            _ => libm::sin(PI * x) / (PI * x) * window,
        }
    };
    let all: Vec<f64> = (0..TAPS).map(weight).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// A place in a buffer: whole frames, and what lies between two of them as an f32 from 0 to 1.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) whole: Value,
    pub(super) part: Value,
}

/// The buffers of a `playback`.
struct Bank {
    /// For each channel all of them, one after the other.
    tables: Vec<TableId>,
    /// Of several, which one plays, counted from 0.
    number: Option<Value>,
    /// How far it lies behind the first one.
    base: Option<Value>,
}

/// Buffers one after the other, each once, as tables of a song.
pub(super) struct Row {
    /// One for each channel.
    tables: Vec<TableId>,
    /// Where each buffer begins, in frames.
    bases: FxHashMap<*const Samples, usize>,
    /// The buffers, kept so that no other one comes to lie at the place of one of them.
    _buffers: Vec<Arc<Samples>>,
}

/// The rows of a song.
#[derive(Default)]
pub(super) struct Rows {
    /// Each row by the addresses of its buffers, which it keeps alive.
    all: FxHashMap<Vec<*const Samples>, Rc<Row>>,
    /// Frames of all of them.
    pub(super) frames: usize,
}

/// What `playback` is given beside its buffer.
pub(super) struct Given {
    pub(super) trig: Value,
    /// Frames of the buffer for each frame of the song.
    pub(super) step: Value,
    pub(super) begin: Value,
    pub(super) end: Value,
    /// Where a loop turns: at the end, or later, if there is something after it.
    pub(super) wrap: Value,
    /// Where a loop is asked for: whether it loops, and the frames of its crossfade.
    pub(super) repeats: Option<(Value, Value)>,
}

impl Lower<'_, '_> {
    /// `sample("f.wav")`: what was read for it. What is wrong with the file has been said.
    pub(super) fn sample(&mut self, at: &At, path: ExprId) -> Val {
        let file = self.files().file(self.scopes[at.scope].file);
        let samples = file.samples.get(&path);
        samples.map_or(Val::Broken, |samples| Val::Buffer(Buffer { samples: samples.clone() }))
    }

    /// The buffer of a `table`.
    pub(super) fn buffer_of(&self, samples: &[f64]) -> Val {
        Val::Buffer(Buffer { samples: self.samples_of(samples.iter().map(|&x| x as f32).collect()) })
    }

    /// One channel of samples at the rate of the song.
    pub(super) fn samples_of(&self, channel: Vec<f32>) -> Arc<Samples> {
        Arc::new(Samples { rate: self.song.rate as u32, channels: vec![channel], stream: None })
    }

    /// `playback(buffer, trig, speed, begin, end, loop, fade, number)`
    pub(super) fn playback(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let arg = |i: usize| args.get(i).copied().flatten();
        let (Some(first), trig) = (arg(0), arg(1)) else { return Val::Broken };
        let played = self.eval(at, first);
        let mut number = |expr: ExprId| self.eval(at, expr).mono().map(|(value, _)| value);
        let Some(trig) = trig.map_or_else(|| Some(None), |trig| number(trig).map(Some)) else {
            return Val::Broken;
        };
        let given = [2, 3, 4, 6, 5, 7].map(|i| arg(i).map(&mut number));
        if given.contains(&Some(None)) {
            return Val::Broken;
        }
        let given = given.map(Option::flatten);
        let trig = trig.unwrap_or_else(|| self.trigger_at_the_start(at));
        if let Val::Recording(recording) = &played {
            return self.replay(at, first, recording, trig, given);
        }
        let Some(buffers) = buffers(&played).filter(|all| !all.is_empty()) else { return Val::Broken };
        let (trig, given) = self.aligned_playback(at, trig, given);
        let [speed, begin, end, fade, repeats, chosen] = given;
        let mut default = |given: Option<Value>, x: f64| given.unwrap_or_else(|| self.b.f64(x));
        let (speed, begin, end) = (default(speed, 1.0), default(begin, 0.0), default(end, 1.0));
        let fade = default(fade, CROSSFADE_SECONDS);
        self.b.voice = self.scopes[at.scope].voice;
        let rate = self.rate(at);
        let trig = self.b.truth(trig);
        let span = self.span(at, first);
        if let [samples] = &*buffers
            && let Some(stream) = samples.stream.clone()
        {
            let own = f64::from(samples.rate);
            let b = &mut self.b;
            let (ratio, frames, own_rate) = (b.f64(own / rate), b.f64(samples.frames() as f64), b.f64(own));
            let step = b.real(Op::Mul, [speed, ratio]);
            let (begin, end) = (b.frame_of(begin, frames), b.frame_of(end, frames));
            let repeats = repeats.map(|wanted| (b.truth(wanted), b.real(Op::Mul, [fade, own_rate])));
            let given = Given { trig, step, begin, end, wrap: end, repeats };
            return self.played_stream(at, (&stream, span), &given, 1.0 / (FADE_SECONDS * own).max(1.0));
        }
        let bank = self.bank(at, (&buffers, span), trig, chosen);
        let weights = self.sinc_of_buffers();
        let own = |samples: &Samples| f64::from(samples.rate);
        let ratio = self.of_chosen(&bank, &buffers, |samples| own(samples) / rate);
        let frames = self.of_chosen(&bank, &buffers, |samples| samples.frames() as f64);
        let fades = self.of_chosen(&bank, &buffers, |samples| 1.0 / (FADE_SECONDS * own(samples)).max(1.0));
        let own = self.of_chosen(&bank, &buffers, own);
        let b = &mut self.b;
        let step = b.real(Op::Mul, [speed, ratio]);
        let begin = b.frame_of(begin, frames);
        let end = b.frame_of(end, frames);
        let repeats = repeats.map(|wanted| {
            let fade = b.real(Op::Mul, [fade, own]);
            (b.truth(wanted), fade)
        });
        let given = Given { trig, step, begin, end, wrap: end, repeats };
        let last_window = (self.song.tables[bank.tables[0].index()].len() - TAPS) as i32;
        let place = b.place(&at.path, &given);
        let (idle, last) = (b.i32(IDLE), b.push(Op::ToInt, Type::I32, &[frames]));
        let plays = b.push(Op::Ne, Type::BOOL, &[place.whole, idle]);
        let level = b.level(place, &given, last, fades);
        let none = b.f64(0.0);
        let level = b.select(plays, level, none);
        let mix = b.crossfade(place, &given, given.begin);
        let read = |b: &mut Builder, table: TableId, whole: Value| {
            let whole = bank.base.map_or(whole, |base| b.push(Op::Add, Type::I32, &[whole, base]));
            b.interpolated((table, last_window), weights, Position { whole, ..place })
        };
        let channels = bank.tables.iter().map(|&table| {
            let mut heard = read(b, table, place.whole);
            if let Some((mix, back)) = mix {
                let before = b.push(Op::Sub, Type::I32, &[place.whole, back]);
                let other = read(b, table, before);
                heard = super::builtin::lerp(b, heard, other, mix);
            }
            b.real(Op::Mul, [heard, level])
        });
        Val::Signal(Signal { channels: channels.collect(), dimension: Dimension::PLAIN })
    }

    /// Where it is not said when something is played: with each note of the voice, and where there are none in the first frame.
    fn trigger_at_the_start(&mut self, at: &At) -> Value {
        self.place(at);
        if let Some(port) = self.scopes[at.scope].port {
            let index = Self::local(&mut self.ports, port);
            return self.b.port(index, PortField::Trig);
        }
        let (state, begun) = self.b.state(&format!("{}.begun", at.path), Imm::I32(0));
        let (none, one) = (self.b.i32(0), self.b.i32(1));
        self.b.set(state, one);
        self.b.push(Op::Eq, Type::BOOL, &[begun, none])
    }

    /// What `playback` makes of a sound that is streamed: its kernel computes the places, and a block reads there.
    fn played_stream(
        &mut self,
        at: &At,
        (stream, span): (&Arc<Stream>, Span),
        given: &Given,
        fades: f64,
    ) -> Val {
        let about = stream.about();
        let channels = about.channels;
        let place = self.b.place(&at.path, given);
        let b = &mut self.b;
        let (idle, last) = (b.i32(IDLE), b.i32(about.frames as i32));
        let fades = b.f64(fades);
        let plays = b.push(Op::Ne, Type::BOOL, &[place.whole, idle]);
        let level = b.level(place, given, last, fades);
        let none = b.f64(0.0);
        let level = b.select(plays, level, none);
        let mix = b.crossfade(place, given, given.begin);
        let mut heads = vec![place.whole];
        if let Some((mix, back)) = mix {
            // What is not heard is not read.
            let fades = b.compare(Op::Lt, none, mix);
            let before = b.push(Op::Sub, Type::I32, &[place.whole, back]);
            heads.push(b.push(Op::Select, Type::I32, &[fades, before, idle]));
        }
        let back = b.compare(Op::Lt, given.step, none);
        let to_come = b.push(Op::Select, Type::I32, &[back, given.end, given.begin]);
        let count = heads.len();
        let mut inputs = vec![];
        for whole in heads.into_iter().chain([to_come]) {
            inputs.extend(b.frame_in_parts(whole));
        }
        inputs.push(place.part);
        let block = Streamed::new(stream.clone(), count, self.song.target.fma, sinc_weights());
        let read = self.block(at, Arc::new(Block::Streamed(block)), &inputs, span);
        let b = &mut self.b;
        let channels = (0..channels).map(|channel| {
            let mut heard = read[channel];
            if let Some((mix, _)) = mix {
                heard = super::builtin::lerp(b, heard, read[channels + channel], mix);
            }
            b.real(Op::Mul, [heard, level])
        });
        Val::Signal(Signal { channels: channels.collect(), dimension: Dimension::PLAIN })
    }

    /// The table of the weights between two samples of a buffer.
    pub(super) fn sinc_of_buffers(&mut self) -> TableId {
        self.shared_table(WEIGHTS.clone())
    }

    /// What `playback` is given, in the same frame.
    fn aligned_playback<const N: usize>(
        &mut self,
        at: &At,
        trig: Value,
        mut given: [Option<Value>; N],
    ) -> (Value, [Option<Value>; N]) {
        self.place(at);
        let mut all: Vec<Value> = std::iter::once(trig).chain(given.into_iter().flatten()).collect();
        self.b.align(&mut all);
        let mut aligned = all[1..].iter().copied();
        given.iter_mut().flatten().zip(&mut aligned).for_each(|(value, aligned)| *value = aligned);
        (all[0], given)
    }

    /// The tables of buffers one after the other, and which of them plays: the one that is chosen at the trigger.
    fn bank(
        &mut self,
        at: &At,
        (buffers, span): (&[Arc<Samples>], Span),
        trig: Value,
        chosen: Option<Value>,
    ) -> Bank {
        let row = self.row(buffers, span);
        let tables = row.tables.clone();
        if buffers.len() == 1 {
            return Bank { tables, number: None, base: None };
        }
        let bases: Vec<usize> = buffers.iter().map(|samples| row.bases[&Arc::as_ptr(samples)]).collect();
        // A table holds f32, in which not every place of a long row is exact: the place in two parts is.
        let word =
            |part: fn(usize) -> usize| -> Vec<f32> { bases.iter().map(|&base| part(base) as f32).collect() };
        let (high, low) = (word(|base| base >> 12), word(|base| base & 0xfff));
        let (high, low) = (self.shared_table(high), self.shared_table(low));
        let b = &mut self.b;
        let (none, most) = (b.f64(0.0), b.f64((buffers.len() - 1) as f64));
        let chosen = chosen.unwrap_or(none);
        let chosen = b.real(Op::Max, [chosen, none]);
        let chosen = b.real(Op::Min, [chosen, most]);
        let chosen = b.real(Op::Floor, [chosen]);
        let chosen = b.push(Op::ToInt, Type::I32, &[chosen]);
        let (state, before) = b.state(&format!("{}.number", at.path), Imm::I32(0));
        let number = b.push(Op::Select, Type::I32, &[trig, chosen, before]);
        b.set(state, number);
        let [high, low] = [high, low].map(|table| {
            let word = b.push(Op::Table(table), Type::F32, &[number]);
            b.push(Op::ToInt, Type::I32, &[word])
        });
        let scale = b.i32(1 << 12);
        let high = b.push(Op::Mul, Type::I32, &[high, scale]);
        let base = b.push(Op::Add, Type::I32, &[high, low]);
        Bank { tables, number: Some(number), base: Some(base) }
    }

    /// The tables of buffers one after the other, each buffer once, made once in a song.
    fn row(&mut self, buffers: &[Arc<Samples>], span: Span) -> Rc<Row> {
        let mut bases = FxHashMap::default();
        let (mut different, mut frames) = (vec![], 0);
        for samples in buffers {
            if let Entry::Vacant(place) = bases.entry(Arc::as_ptr(samples)) {
                place.insert(frames);
                frames += samples.frames() + MARGIN;
                different.push(samples.clone());
            }
        }
        let key: Vec<*const Samples> = different.iter().map(Arc::as_ptr).collect();
        if let Some(row) = self.song.rows.all.get(&key) {
            return row.clone();
        }
        self.song.rows.frames += frames;
        let fits = !self.song.too_many_row_frames(span);
        let channels = different.iter().map(|samples| samples.channels.len()).max().unwrap_or(1);
        let tables = (0..channels).map(|channel| match fits {
            true => self.shared_table(in_a_row(&different, channel)),
            false => TableId::ZERO,
        });
        let row = Rc::new(Row { tables: tables.collect(), bases, _buffers: different });
        self.song.rows.all.insert(key, row.clone());
        row
    }

    /// What `of` says of the buffer that plays.
    fn of_chosen(&mut self, bank: &Bank, buffers: &[Arc<Samples>], of: impl Fn(&Samples) -> f64) -> Value {
        let all: Vec<f64> = buffers.iter().map(|samples| of(samples)).collect();
        match bank.number {
            Some(number) if all.iter().any(|x| *x != all[0]) => {
                let table = self.shared_table(all.iter().map(|x| *x as f32).collect());
                self.b.push(Op::Table(table), Type::F32, &[number])
            }
            _ => self.b.f64(all[0]),
        }
    }
}

/// The sound files that a value is: one, or the elements of a list.
fn buffers(val: &Val) -> Option<Vec<Arc<Samples>>> {
    let one = |val: &Val| match val {
        Val::Buffer(buffer) => Some(buffer.samples.clone()),
        _ => None,
    };
    match val {
        Val::List(elements) => elements.iter().map(one).collect(),
        val => one(val).map(|samples| vec![samples]),
    }
}

/// A channel of buffers one after the other, each between frames of silence. One of a single channel is on both sides.
fn in_a_row(buffers: &[Arc<Samples>], channel: usize) -> Vec<f32> {
    let silence = [0.0; MARGIN];
    let mut row = silence.to_vec();
    for samples in buffers {
        row.extend_from_slice(&samples.channels[channel.min(samples.channels.len() - 1)]);
        row.extend_from_slice(&silence);
    }
    row
}

impl Builder {
    /// A frame as two numbers that an f32 holds: how many times [`block::FRAME_PART`], and what is left.
    fn frame_in_parts(&mut self, whole: Value) -> [Value; 2] {
        let (bits, rest) =
            (self.i32(block::FRAME_PART.ilog2() as i32), self.i32(block::FRAME_PART as i32 - 1));
        let flipped = self.i32(i32::MIN);
        // Shifted as what is not negative, and back.
        let plain = self.push(Op::Xor, Type::I32, &[whole, flipped]);
        let high = self.push(Op::Ushr, Type::I32, &[plain, bits]);
        let half = self.i32(i32::MIN.unsigned_abs().wrapping_shr(block::FRAME_PART.ilog2()) as i32);
        let high = self.push(Op::Sub, Type::I32, &[high, half]);
        let low = self.push(Op::And, Type::I32, &[whole, rest]);
        [high, low].map(|word| self.push(Op::ToFloat, Type::F32, &[word]))
    }

    /// A part of a buffer, 0 to 1, as a frame.
    pub(super) fn frame_of(&mut self, part: Value, frames: Value) -> Value {
        let (zero, one, half) = (self.f64(0.0), self.f64(1.0), self.f64(0.5));
        let part = self.real(Op::Max, [part, zero]);
        let part = self.real(Op::Min, [part, one]);
        let place = self.real(Op::Mul, [frames, part]);
        let place = self.real(Op::Add, [place, half]);
        let place = self.real(Op::Floor, [place]);
        self.push(Op::ToInt, Type::I32, &[place])
    }

    /// The place in each frame: from where a trigger sets it, on by `step`, until it leaves what is played.
    pub(super) fn place(&mut self, path: &str, given: &Given) -> Position {
        let (whole_state, whole) = self.state(&format!("{path}.frame"), Imm::I32(IDLE));
        let (low_state, low) = self.state(&format!("{path}.frame_part"), Imm::I32(i32::MIN));
        let (idle, zero, one) = (self.i32(IDLE), self.i32(i32::MIN), self.i32(1));
        let (most, least) = (self.f64(FASTEST), self.f64(-FASTEST));
        let step = self.real(Op::Min, [given.step, most]);
        let step = self.real(Op::Max, [step, least]);
        let all = self.scale(WORD, step);
        let all = self.real(Op::Round, [all]);
        let [ahead, part] = self.words(all);
        let ahead = self.push(Op::ToInt, Type::I32, &[ahead]);
        let next_low = self.push(Op::Add, Type::I32, &[low, part]);
        let bound = self.push(Op::Xor, Type::I32, &[part, zero]);
        let carry = self.mask(next_low, bound);
        let ahead = self.push(Op::Sub, Type::I32, &[ahead, carry]);
        let next = self.push(Op::Add, Type::I32, &[whole, ahead]);
        let played = self.push(Op::Ne, Type::BOOL, &[whole, idle]);
        let next = self.push(Op::Select, Type::I32, &[played, next, idle]);
        // Backwards, the last sample comes first.
        let none = self.f64(0.0);
        let back = self.compare(Op::Lt, given.step, none);
        let last = self.push(Op::Sub, Type::I32, &[given.end, one]);
        let start = self.push(Op::Select, Type::I32, &[back, last, given.begin]);
        let whole = self.push(Op::Select, Type::I32, &[given.trig, start, next]);
        let low = self.push(Op::Select, Type::I32, &[given.trig, zero, next_low]);
        let whole = self.bounded(whole, given);
        self.set(whole_state, whole);
        self.set(low_state, low);
        // The upper 24 bits are exact in f32.
        let (eight, plain) = (self.i32(8), self.push(Op::Xor, Type::I32, &[low, zero]));
        let read = self.push(Op::Ushr, Type::I32, &[plain, eight]);
        let read = self.push(Op::ToFloat, Type::F32, &[read]);
        let part = self.scale(1.0 / 16_777_216.0, read);
        Position { whole, part }
    }

    /// The whole frame of a place: a loop brings it back between begin and end, and what has left them plays no more.
    fn bounded(&mut self, whole: Value, given: &Given) -> Value {
        let idle = self.i32(IDLE);
        let length = self.push(Op::Sub, Type::I32, &[given.end, given.begin]);
        let beyond = |b: &mut Builder, whole: Value| {
            let over = b.push(Op::Le, Type::BOOL, &[given.wrap, whole]);
            let under = b.push(Op::Lt, Type::BOOL, &[whole, given.begin]);
            (over, under)
        };
        let (over, under) = beyond(self, whole);
        let mut bounded = whole;
        if let Some((repeats, _)) = given.repeats {
            let played = self.push(Op::Ne, Type::BOOL, &[whole, idle]);
            let repeats = self.push(Op::And, Type::BOOL, &[repeats, played]);
            let down = self.push(Op::Sub, Type::I32, &[whole, length]);
            let up = self.push(Op::Add, Type::I32, &[whole, length]);
            let back = self.push(Op::Select, Type::I32, &[over, down, whole]);
            let back = self.push(Op::Select, Type::I32, &[under, up, back]);
            // A step that is longer than the loop begins it anew.
            let (over, under) = beyond(self, back);
            let back = self.push(Op::Select, Type::I32, &[over, given.begin, back]);
            let back = self.push(Op::Select, Type::I32, &[under, given.begin, back]);
            bounded = self.push(Op::Select, Type::I32, &[repeats, back, whole]);
        }
        let (over, under) = beyond(self, bounded);
        let gone = self.push(Op::Or, Type::BOOL, &[over, under]);
        self.push(Op::Select, Type::I32, &[gone, idle, bounded])
    }

    /// 1, but towards an end that is not the buffer's own: there it falls to 0, unless a loop goes on.
    /// `fade` is what of it a frame takes.
    fn level(&mut self, place: Position, given: &Given, last: Value, fade: Value) -> Value {
        let (none, zero, one) = (self.f64(0.0), self.i32(0), self.f64(1.0));
        let back = self.compare(Op::Lt, given.step, none);
        let ahead = self.push(Op::Sub, Type::I32, &[given.end, place.whole]);
        let behind = self.push(Op::Sub, Type::I32, &[place.whole, given.begin]);
        let left = self.push(Op::Select, Type::I32, &[back, behind, ahead]);
        let left = self.push(Op::ToFloat, Type::F32, &[left]);
        let way = self.real(Op::Mul, [fade, left]);
        let way = self.real(Op::Min, [way, one]);
        let cut_behind = self.push(Op::Lt, Type::BOOL, &[zero, given.begin]);
        let cut_ahead = self.push(Op::Lt, Type::BOOL, &[given.end, last]);
        let mut cut = self.push(Op::Select, Type::BOOL, &[back, cut_behind, cut_ahead]);
        if let Some((repeats, _)) = given.repeats {
            let once = self.push(Op::Not, Type::BOOL, &[repeats]);
            cut = self.push(Op::And, Type::BOOL, &[cut, once]);
        }
        self.select(cut, way, one)
    }

    /// Towards where a loop turns: how much of what lies a loop's length before is heard, and that length. A crossfade takes `room`
    /// frames at most.
    pub(super) fn crossfade(
        &mut self,
        place: Position,
        given: &Given,
        room: Value,
    ) -> Option<(Value, Value)> {
        let (repeats, fade) = given.repeats?;
        let (none, one) = (self.f64(0.0), self.f64(1.0));
        let length = self.push(Op::Sub, Type::I32, &[given.end, given.begin]);
        let (begin, most) =
            (self.push(Op::ToFloat, Type::F32, &[room]), self.push(Op::ToFloat, Type::F32, &[length]));
        let fade = self.real(Op::Min, [fade, begin]);
        let fade = self.real(Op::Min, [fade, most]);
        let left = self.push(Op::Sub, Type::I32, &[given.wrap, place.whole]);
        let left = self.push(Op::ToFloat, Type::F32, &[left]);
        let left = self.real(Op::Sub, [left, place.part]);
        let floor = self.real(Op::Max, [fade, one]);
        let way = self.real(Op::Div, [left, floor]);
        let way = self.real(Op::Sub, [one, way]);
        let way = self.real(Op::Max, [way, none]);
        // Without a frame before the loop there is nothing to fade to; and backwards its end is its start.
        let has_room = self.compare(Op::Le, one, fade);
        let forward = self.compare(Op::Lt, none, given.step);
        let fades = self.push(Op::And, Type::BOOL, &[has_room, forward]);
        let fades = self.push(Op::And, Type::BOOL, &[fades, repeats]);
        Some((self.select(fades, way, none), length))
    }

    /// The value of a padded buffer at a place; all taps are in its table up to a last one of their windows, which is silent, as the
    /// first one is.
    fn interpolated(
        &mut self,
        (table, last_window): (TableId, i32),
        weights: TableId,
        place: Position,
    ) -> Value {
        let first = self.i32((MARGIN + 1 - TAPS / 2) as i32);
        let first = self.push(Op::Add, Type::I32, &[place.whole, first]);
        let first = self.index_up_to(last_window, first);
        self.weighted_taps(weights, place.part, |b, tap| {
            let tap = b.i32(tap);
            let index = b.push(Op::Add, Type::I32, &[first, tap]);
            b.push(Op::Table(table), Type::F32, &[index])
        })
    }

    /// An index that is at least 0 and at most `most`. Of tables that are read at constant distances from it, only it is bounded then.
    pub(super) fn index_up_to(&mut self, most: i32, index: Value) -> Value {
        let (none, most) = (self.i32(0), self.i32(most));
        let index = self.push(Op::Min, Type::I32, &[index, most]);
        self.push(Op::Max, Type::I32, &[index, none])
    }

    /// The sum of the samples around a place, each with its weight; `part` is how far the place is beyond the eighth of them.
    pub(super) fn weighted_taps(
        &mut self,
        weights: TableId,
        part: Value,
        mut sample: impl FnMut(&mut Builder, i32) -> Value,
    ) -> Value {
        let scaled = self.scale(PLACES as f64, part);
        let row = self.real(Op::Floor, [scaled]);
        let between = self.real(Op::Sub, [scaled, row]);
        let row = self.push(Op::ToInt, Type::I32, &[row]);
        let row = self.index_up_to(PLACES as i32 - 1, row);
        let taps = self.i32(TAPS as i32);
        let row = self.push(Op::Mul, Type::I32, &[row, taps]);
        let mut sum: Option<Value> = None;
        for tap in 0..TAPS as i32 {
            let sample = sample(self, tap);
            let (tap, next) = (self.i32(tap), self.i32(tap + TAPS as i32));
            let index = self.push(Op::Add, Type::I32, &[row, tap]);
            let low = self.push(Op::Table(weights), Type::F32, &[index]);
            let index = self.push(Op::Add, Type::I32, &[row, next]);
            let high = self.push(Op::Table(weights), Type::F32, &[index]);
            let weight = super::builtin::lerp(self, low, high, between);
            let product = self.real(Op::Mul, [weight, sample]);
            sum = Some(sum.map_or(product, |sum| self.real(Op::Add, [sum, product])));
        }
        sum.unwrap_or_else(|| self.f64(0.0))
    }
}
