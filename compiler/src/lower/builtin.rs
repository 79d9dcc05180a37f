//! The functions of the language: arithmetic, and what has state or needs the text of its arguments.

use super::value::{Signal, Val};
use super::{At, Lower};
use crate::arithmetic::{function, table_at};
use crate::dimension::Dimension;
use crate::hir::builtins::{Arithmetic, Builtin, Function};
use crate::ir::{Op, Rate, TableId, Type, Value};
use mam_grammar::ast::{Expr, ExprId};

impl Lower<'_, '_> {
    /// A call of a function of the language, of which no argument is missing.
    pub(super) fn builtin(&mut self, at: &At, builtin: Builtin, args: &[Option<ExprId>]) -> Val {
        let arg = |i: usize| args.get(i).copied().flatten();
        match (builtin.row().function, arg(0)) {
            (Function::Plain(f), _) => self.function(at, f, args, Some(f.dimension())),
            (Function::Keeps(f), _) => self.function(at, f, args, None),
            (Function::Noise, _) => self.noise(at),
            (Function::Random, stream) => self.random(at, stream),
            (Function::Prev, Some(x)) => self.prev(at, x, arg(1)),
            (Function::Tap, _) => self.tap(at, args),
            (Function::Fir, Some(x)) => self.fir(at, x, arg(1)),
            (Function::Phasor, Some(freq)) => self.phasor(at, freq, arg(1)),
            (Function::Since, Some(trig)) => self.since(at, trig),
            (Function::Pulses, Some(period)) => self.pulses(at, period, arg(1)),
            (Function::Table, Some(values)) => self.table(at, values, arg(1)),
            (Function::Sample, Some(path)) => self.sample(at, path),
            (Function::Record, Some(_)) => self.record(at, args),
            (Function::Playback, Some(_)) => self.playback(at, args),
            (Function::Convolve, Some(_)) => self.convolve(at, args),
            (Function::StretchAt, Some(_)) => self.stretch_at(at, args),
            (Function::WaveAt, Some(_)) => self.wave_at(at, args),
            (Function::MidiSend | Function::OscSend, Some(_)) => Val::plain(self.b.f64(0.0)),
            (Function::Spectral, Some(_)) => Val::Broken,
            (Function::Len, Some(list)) => self.len(at, list),
            (Function::Select, Some(list)) => self.select(at, list, arg(1)),
            (_, None) => Val::Broken,
        }
    }

    /// A function of its arguments' values; of what it measures where that is not what they have in common.
    fn function(
        &mut self,
        at: &At,
        arithmetic: Arithmetic,
        args: &[Option<ExprId>],
        result: Option<Dimension>,
    ) -> Val {
        let mut signals: Vec<Signal> = vec![];
        for &expr in args.iter().flatten() {
            let Some(signal) = self.eval(at, expr).signal() else { return Val::Broken };
            signals.push(signal);
        }
        let mut dimensions = signals.iter().map(|signal| signal.dimension);
        let common = dimensions.try_fold(Dimension::PLAIN, Dimension::common);
        let Some(dimension) = result.or(common) else { return Val::Broken };
        let all: Vec<&Signal> = signals.iter().collect();
        self.each(&all, dimension, |b, v| function(b, arithmetic, v))
    }

    fn table(&mut self, at: &At, values: ExprId, position: Option<ExprId>) -> Val {
        let (Some(numbers), Some(position)) = (self.table_numbers(at, values), position) else {
            return Val::Broken;
        };
        let common = numbers.iter().try_fold(Dimension::PLAIN, |common, number| common.common(number.1));
        let mut numbers: Vec<f64> = numbers.into_iter().map(|(x, _)| x).collect();
        let n = numbers.len();
        numbers.push(numbers[0]); // So that the last interval runs back to the first.
        let Some(position) = self.eval(at, position).signal() else { return Val::Broken };
        let moves = position.channels.iter().any(|&v| self.b.constant(v).is_none());
        let table = if moves { Self::local_table(&mut self.song.tables, &numbers) } else { TableId::ZERO };
        self.each(&[&position], common.unwrap_or_default(), |b, v| {
            if let Some(x) = b.constant(v[0]) {
                return b.f64(table_at(&numbers, x));
            }
            let x = b.audio(v[0]);
            let whole = b.real(Op::Floor, [x]);
            let cycle = b.real(Op::Sub, [x, whole]);
            let place = b.scale(n as f64, cycle);
            let index = b.real(Op::Floor, [place]);
            let part = b.real(Op::Sub, [place, index]);
            let first = b.push(Op::ToInt, Type::I32, &[index]);
            let one = b.i32(1);
            let second = b.push(Op::Add, Type::I32, &[first, one]);
            let low = b.push(Op::Table(table), Type::F32, &[first]);
            let high = b.push(Op::Table(table), Type::F32, &[second]);
            lerp(b, low, high, part)
        })
    }

    /// The numbers of a table: of a list that is written there, or the value of one.
    fn table_numbers(&mut self, at: &At, values: ExprId) -> Option<Vec<(f64, Dimension)>> {
        if let Expr::List(list) = &self.ast(at).exprs[values] {
            return list.iter().map(|&expr| self.constant(at, expr)).collect();
        }
        let value = self.eval(at, values);
        if let Val::Buffer(buffer) = &value {
            return Some(buffer.samples.numbers().into_iter().map(|x| (x, Dimension::PLAIN)).collect());
        }
        let elements = value.elements()?;
        let number = |element: &Val| {
            let (value, dimension) = element.clone().mono()?;
            Some((self.b.constant(value)?, dimension))
        };
        elements.iter().map(number).collect()
    }

    pub(super) fn local_table(tables: &mut Vec<Vec<f32>>, table: &[f64]) -> TableId {
        Self::same_table(tables, table.iter().map(|&x| x as f32).collect())
    }

    /// A table of the song, which it has once.
    pub(super) fn shared_table(&mut self, table: Vec<f32>) -> TableId {
        Self::same_table(&mut self.song.tables, table)
    }

    fn same_table(tables: &mut Vec<Vec<f32>>, table: Vec<f32>) -> TableId {
        let known = tables.iter().position(|t| *t == table);
        TableId::new(known.unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        }))
    }

    /// The value of an expression that is a constant, and what it measures.
    pub(super) fn constant(&mut self, at: &At, expr: ExprId) -> Option<(f64, Dimension)> {
        let (value, dimension) = self.eval(at, expr).mono()?;
        Some((self.b.constant(value)?, dimension))
    }
}

/// low + part · (high − low)
pub(super) fn lerp(b: &mut super::builder::Builder, low: Value, high: Value, part: Value) -> Value {
    if b.rate(part) == Rate::Const && b.constant(part) == Some(0.0) {
        return low;
    }
    let step = b.real(Op::Sub, [high, low]);
    let moved = b.real(Op::Mul, [part, step]);
    b.real(Op::Add, [low, moved])
}
