//! What decides a group, and what it comes to, as words of 64 bits.
//!
//! Numbers that are the same one are told by their place among those that are written: what is made of a group says so of the
//! numbers that the group reads.

use crate::dimension::Dimension;
use crate::hir::types::unknowns::Form;
use crate::hir::types::value::{Kind, Number, Partial, Signal, Value};
use crate::ir::Imm;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A key, and behind it values.
#[derive(Default)]
pub(in crate::hir::types) struct Words {
    all: Vec<u64>,
    /// How many of them are the key.
    key: usize,
    /// The numbers that are written, each once, with their places.
    numbers: FxHashMap<u32, u32>,
    /// The numbers of the key, in their order.
    of_key: Vec<u32>,
}

/// What a value is, in the lowest byte of its first word.
const SIGNAL: u64 = 0;
const RECORD: u64 = 1;
const LIST: u64 = 2;

impl Words {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.numbers.clear();
    }

    /// Says that all so far is the key.
    pub(super) fn end_key(&mut self) {
        self.key = self.all.len();
        self.of_key.clear();
        self.of_key.resize(self.numbers.len(), 0);
        self.numbers.iter().for_each(|(&number, &place)| self.of_key[place as usize] = number);
    }

    pub(super) fn key(&self) -> &[u64] {
        &self.all[..self.key]
    }

    /// What is written behind the key.
    pub(super) fn written(&self) -> &[u64] {
        &self.all[self.key..]
    }

    pub(super) fn push(&mut self, word: u64) {
        self.all.push(word);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.all.push(text.len() as u64);
        for part in text.as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            self.all.push(u64::from_le_bytes(bytes));
        }
    }

    /// Writes the value of a member, if it has one; `None` where that cannot be written.
    pub(super) fn member(&mut self, value: Option<&Value>) -> Option<()> {
        self.all.push(value.is_some().into());
        value.map_or(Some(()), |value| self.value(value))
    }

    /// Writes a value, unless it is more than signals.
    pub(super) fn value(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::Signal(signal) => {
                let Dimension(dimension) = signal.dimension.known()?;
                let stereo = u64::from(signal.stereo);
                self.all.push(SIGNAL | stereo << 8 | u64::from(dimension as u8) << 16);
                signal.channels().iter().for_each(|number| self.number(*number));
            }
            Value::Record(fields) => {
                self.all.push(RECORD | (fields.len() as u64) << 8);
                for (name, value) in fields.iter() {
                    self.text(name);
                    self.value(value)?;
                }
            }
            Value::List(elements) => {
                self.all.push(LIST | (elements.len() as u64) << 8);
                elements.iter().try_for_each(|value| self.value(value))?;
            }
            Value::Buffer(_) | Value::Recording(_) | Value::Text(_) | Value::Unknown(_) | Value::Broken => {
                return None;
            }
        }
        Some(())
    }

    fn number(&mut self, number: Number) {
        let constant = |kind: u64, bits: u64| [kind, bits];
        let kind = match number.kind {
            Kind::Known(imm) => {
                self.all.extend(match imm {
                    Imm::F64(x) => constant(0, x.to_bits()),
                    Imm::F32(x) => constant(1, x.to_bits().into()),
                    Imm::I32(x) => constant(2, u64::from(x as u32)),
                    Imm::Bool(x) => constant(3, x.into()),
                });
                return;
            }
            Kind::Open => 4,
            Kind::Slow => 5,
            Kind::Fast => 6,
        };
        let next = self.numbers.len() as u32;
        let place = *self.numbers.entry(number.id()).or_insert(next);
        let (low, high) = number.range;
        self.all.extend([kind | u64::from(place) << 8, low.to_bits(), high.to_bits()]);
    }

    /// The values of members that were written behind the same key, where numbers that are none of the key are new; `None` is one of
    /// a member that nothing reads.
    pub(super) fn values(&self, written: &[u64], partial: &mut Partial) -> Vec<Option<Value>> {
        let mut reader = Reader { words: written.iter(), numbers: self.of_key.clone(), partial };
        let mut all = vec![];
        while let Some(has) = reader.words.next() {
            all.push((*has == 1).then(|| reader.value()));
        }
        all
    }
}

/// Reads values from words.
struct Reader<'a> {
    words: std::slice::Iter<'a, u64>,
    numbers: Vec<u32>,
    partial: &'a mut Partial,
}

impl Reader<'_> {
    fn word(&mut self) -> u64 {
        self.words.next().copied().unwrap_or_default()
    }

    fn text(&mut self) -> Arc<str> {
        let length = self.word() as usize;
        let bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| self.word().to_le_bytes()).collect();
        String::from_utf8_lossy(&bytes[..length]).into()
    }

    fn value(&mut self) -> Value {
        let first = self.word();
        let count = first >> 8;
        match first & 0xff {
            SIGNAL => {
                let dimension: Form = Dimension((count >> 8) as u8 as i8).into();
                let left = self.number();
                Value::Signal(match count & 1 {
                    0 => Signal::mono(left, dimension),
                    _ => Signal::stereo(left, self.number(), dimension),
                })
            }
            RECORD => {
                let fields = (0..count).map(|_| (self.text(), self.value()));
                Value::Record(fields.collect::<Vec<_>>().into())
            }
            _ => Value::List((0..count).map(|_| self.value()).collect::<Vec<_>>().into()),
        }
    }

    fn number(&mut self) -> Number {
        let (first, second) = (self.word(), self.word());
        let kind = match first & 0xff {
            0 => return Number::known(Imm::F64(f64::from_bits(second))),
            1 => return Number::known(Imm::F32(f32::from_bits(second as u32))),
            2 => return Number::known(Imm::I32(second as u32 as i32)),
            3 => return Number::known(Imm::Bool(second != 0)),
            4 => Kind::Open,
            5 => Kind::Slow,
            _ => Kind::Fast,
        };
        let range = (f64::from_bits(second), f64::from_bits(self.word()));
        let number = self.partial.varying(kind, range);
        // The first of those that are new has the next place.
        match self.numbers.get((first >> 8) as usize) {
            Some(&known) => number.with_id(known),
            None => {
                self.numbers.push(number.id());
                number
            }
        }
    }
}
