//! `wave_at`: a wavetable, read at a phase and between its cycles.
//!
//! Of each cycle there are band-limited copies, two an octave ([`crate::waves`]). At a frequency the two are mixed whose
//! harmonics all lie below half the sample rate, so that nothing folds at any pitch, and nothing jumps while it moves.
//! Between samples the value is that of the cubic through four of them.

use super::builder::Builder;
use super::builtin::lerp;
use super::value::Val;
use super::{At, Lower};
use crate::ir::{Op, TableId, Type, Value};
use crate::waves::{COPIES, CYCLE, HARMONICS, Harmonics, STRIDE};
use mam_grammar::ast::ExprId;

impl Lower<'_, '_> {
    /// `wave_at(waves, phase, freq, morph)`
    pub(super) fn wave_at(&mut self, at: &At, args: &[Option<ExprId>]) -> Val {
        let arg = |i: usize| args.get(i).copied().flatten();
        let (Some(waves), Some(phase), Some(freq)) = (arg(0), arg(1), arg(2)) else { return Val::Broken };
        let waves = self.eval(at, waves);
        let Some(cycles) = self.waveforms(&waves).filter(|cycles| !cycles.is_empty()) else {
            return Val::Broken;
        };
        let mut number = |expr: ExprId| self.eval(at, expr).mono().map(|(value, _)| value);
        let (Some(phase), Some(freq)) = (number(phase), number(freq)) else { return Val::Broken };
        let morph = match arg(3) {
            Some(expr) => match number(expr) {
                Some(morph) => Some(morph),
                None => return Val::Broken,
            },
            None => None,
        };
        self.place(at);
        let mut given = [phase, freq, morph.unwrap_or(phase)];
        self.b.align(&mut given);
        let [phase, freq, aligned] = given;
        let morph = morph.map(|_| aligned);
        let rate = self.rate(at);
        let most = cycles.len() - 1;
        let table = self.copies(cycles);
        let b = &mut self.b;
        let copies = b.between_copies(freq, rate);
        let place = b.between_samples(phase);
        let Some(morph) = morph.filter(|_| most > 0) else {
            let none = b.i32(0);
            return Val::plain(b.wave(table, none, &copies, &place));
        };
        let (none, one, last) = (b.f64(0.0), b.f64(1.0), b.f64(most as f64));
        let morph = b.real(Op::Max, [morph, none]);
        let morph = b.real(Op::Min, [morph, one]);
        let morph = b.real(Op::Mul, [last, morph]);
        let cycle = b.real(Op::Floor, [morph]);
        let before_last = b.f64((most - 1) as f64);
        let cycle = b.real(Op::Min, [cycle, before_last]);
        let part = b.real(Op::Sub, [morph, cycle]);
        let cycle = b.push(Op::ToInt, Type::I32, &[cycle]);
        let size = b.i32((COPIES * STRIDE) as i32);
        let first = b.push(Op::Mul, Type::I32, &[cycle, size]);
        let second = b.push(Op::Add, Type::I32, &[first, size]);
        let low = b.wave(table, first, &copies, &place);
        let high = b.wave(table, second, &copies, &place);
        Val::plain(lerp(b, low, high, part))
    }

    /// The cycles that a value is: a buffer's, the one of a list of harmonics, or those of all elements of a list.
    fn waveforms(&self, waves: &Val) -> Option<Vec<Harmonics>> {
        let levels = |elements: &[Val]| -> Option<Harmonics> {
            let level = |element: &Val| self.b.constant(element.clone().mono()?.0);
            Some(Harmonics::sines(&elements.iter().map(level).collect::<Option<Vec<f64>>>()?))
        };
        match waves {
            Val::Buffer(buffer) => Some(Harmonics::from_file(&buffer.samples.channels[0])),
            Val::List(elements) if !matches!(elements.first(), Some(Val::Signal(_))) => {
                let cycles = elements.iter().map(|element| self.waveforms(element));
                Some(cycles.collect::<Option<Vec<_>>>()?.concat())
            }
            Val::List(elements) => Some(vec![levels(elements)?]),
            _ => None,
        }
    }

    /// The table of all copies of all cycles, made once for the song.
    fn copies(&mut self, cycles: Vec<Harmonics>) -> TableId {
        if let Some((_, table)) = self.song.waves.iter().find(|(known, _)| *known == cycles) {
            return *table;
        }
        // Of a whole cycle the last tap is that of the next copy.
        let copies = cycles.iter().flat_map(Harmonics::copies);
        let table = self.shared_table(copies.chain([0.0]).collect());
        self.song.waves.push((cycles, table));
        table
    }
}

/// Two neighbouring copies: where the first one begins, and how much of the second is heard.
struct Copies {
    first: Value,
    part: Value,
}

/// A place in a cycle: the sample before the one at or before it, and the weights of four samples from there on.
struct TablePosition {
    first: Value,
    weights: [Value; 4],
}

impl Builder {
    /// The copies that are heard at a frequency.
    fn between_copies(&mut self, freq: Value, rate: f64) -> Copies {
        // The first copy holds until its last harmonic reaches half the rate, and each further one half an octave more.
        let cycles = self.scale(2.0 * HARMONICS as f64 / rate, freq);
        let cycles = self.real(Op::Abs, [cycles]);
        let (half, most) = (self.f64(0.5), self.f64(HARMONICS as f64));
        let cycles = self.real(Op::Max, [cycles, half]);
        let cycles = self.real(Op::Min, [cycles, most]);
        let octaves = self.real(Op::Log2, [cycles]);
        let steps = self.scale(2.0, octaves);
        let (least, last) = (self.f64(-1.0), self.f64((COPIES - 3) as f64));
        let steps = self.real(Op::Max, [steps, least]);
        let steps = self.real(Op::Min, [steps, last]);
        let whole = self.real(Op::Floor, [steps]);
        let part = self.real(Op::Sub, [steps, whole]);
        let whole = self.push(Op::ToInt, Type::I32, &[whole]);
        let (one, stride) = (self.i32(1), self.i32(STRIDE as i32));
        let copy = self.push(Op::Add, Type::I32, &[whole, one]);
        let first = self.push(Op::Mul, Type::I32, &[copy, stride]);
        Copies { first, part }
    }

    /// The place of a phase, of which whole cycles are left out, and Lagrange's weights.
    fn between_samples(&mut self, phase: Value) -> TablePosition {
        let whole = self.real(Op::Floor, [phase]);
        let phase = self.real(Op::Sub, [phase, whole]);
        let place = self.scale(CYCLE as f64, phase);
        let whole = self.real(Op::Floor, [place]);
        let p = self.real(Op::Sub, [place, whole]);
        let first = self.push(Op::ToInt, Type::I32, &[whole]);
        // A phase just below 0 may be rounded to a whole cycle.
        let first = self.index_up_to(CYCLE as i32, first);
        let (one, two) = (self.f64(1.0), self.f64(2.0));
        let (above, below, far) =
            (self.real(Op::Add, [p, one]), self.real(Op::Sub, [p, one]), self.real(Op::Sub, [p, two]));
        let mut product = |scale: f64, factors: [Value; 3]| {
            let [a, b, c] = factors;
            let ab = self.real(Op::Mul, [a, b]);
            let abc = self.real(Op::Mul, [ab, c]);
            self.scale(scale, abc)
        };
        let weights = [
            product(-1.0 / 6.0, [p, below, far]),
            product(0.5, [above, below, far]),
            product(-0.5, [above, p, far]),
            product(1.0 / 6.0, [above, p, below]),
        ];
        TablePosition { first, weights }
    }

    /// The value of the cycle that begins at `cycle` in the table.
    fn wave(&mut self, table: TableId, cycle: Value, copies: &Copies, place: &TablePosition) -> Value {
        let stride = self.i32(STRIDE as i32);
        let first = self.push(Op::Add, Type::I32, &[cycle, copies.first]);
        let second = self.push(Op::Add, Type::I32, &[first, stride]);
        let [low, high] = [first, second].map(|copy| {
            let start = self.push(Op::Add, Type::I32, &[copy, place.first]);
            let mut sum: Option<Value> = None;
            for (tap, &weight) in place.weights.iter().enumerate() {
                let tap = self.i32(tap as i32);
                let index = self.push(Op::Add, Type::I32, &[start, tap]);
                let sample = self.push(Op::Table(table), Type::F32, &[index]);
                let term = self.real(Op::Mul, [weight, sample]);
                sum = Some(sum.map_or(term, |sum| self.real(Op::Add, [sum, term])));
            }
            sum.expect("four taps")
        });
        lerp(self, low, high, copies.part)
    }
}
