//! Patterns that have been read: what is written again is not read again.

use super::{Base, Group, Item, Op, OpKind, Sequence, parse};
use crate::memo::Memo;
use crate::problem::Problem;
use crate::source::{SourceId, Span};
use std::cell::RefCell;

/// The patterns of a compilation and of those before it, by what is written.
#[derive(Debug, Default)]
pub struct Notations {
    /// Each as if it stood at the start of a text.
    known: RefCell<Memo<str, Group>>,
}

impl Notations {
    /// Begins with the next compilation; forgets what has long been gone.
    pub fn next_version(&mut self) {
        self.known.get_mut().next_version();
    }

    /// What [`parse()`] makes of a text.
    ///
    /// # Errors
    /// Those of [`parse()`].
    pub fn parse(&self, text: &str, place: Span) -> Result<Group, Problem> {
        let mut known = self.known.borrow_mut();
        let mut group = match known.find(text) {
            Some((group, _)) => group.clone(),
            None => {
                let group = parse(text, place)?;
                let mut first = group.clone();
                let (bytes, source) = (place.start.wrapping_neg(), SourceId::default());
                Move { bytes, source }.group(&mut first);
                known.keep(text, first);
                return Ok(group);
            }
        };
        Move { bytes: place.start, source: place.source }.group(&mut group);
        Ok(group)
    }
}

/// What is added to places, wrapping around, and the text that they are in.
#[derive(Clone, Copy)]
struct Move {
    bytes: u32,
    source: SourceId,
}

impl Move {
    fn span(self, span: &mut Span) {
        let moved = |byte: u32| byte.wrapping_add(self.bytes);
        *span = Span { source: self.source, start: moved(span.start), end: moved(span.end) };
    }

    fn group(self, group: &mut Group) {
        self.sequences(&mut group.parts);
    }

    fn sequences(self, sequences: &mut [Sequence]) {
        sequences.iter_mut().flat_map(|sequence| &mut sequence.items).for_each(|item| self.item(item));
    }

    fn item(self, Item { base, ops, span }: &mut Item) {
        self.span(span);
        self.base(base);
        ops.iter_mut().for_each(|op| self.op(op));
    }

    fn base(self, base: &mut Base) {
        match base {
            Base::Word(word) => self.span(&mut word.span),
            Base::Fast(group) => self.group(group),
            Base::Slow(layers) => self.sequences(layers),
            Base::Poly { layers, steps } => {
                self.sequences(layers);
                if let Some((base, span)) = steps.as_deref_mut() {
                    self.base(base);
                    self.span(span);
                }
            }
        }
    }

    fn op(self, Op { kind, span }: &mut Op) {
        self.span(span);
        match kind {
            OpKind::Weight(_) | OpKind::Replicate(_) | OpKind::Degrade(_) => {}
            OpKind::Euclid { pulses, steps, rotation } => {
                [Some(pulses), Some(steps), rotation.as_mut()]
                    .into_iter()
                    .flatten()
                    .for_each(|item| self.item(item));
            }
            OpKind::Fast(base) | OpKind::Slow(base) | OpKind::Tail(base) | OpKind::Range(base) => {
                self.base(base);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_elsewhere_stands_there() {
        let texts = ["a [b c]*2 <d e>/3 . {f g, h}%4", "x(3,8,<0 2>)!2 ~ 60..67 c:0.5? a@3 | b", "^a , b%"];
        let mut notations = Notations::default();
        for start in [7, 0, 900, 3] {
            notations.next_version();
            for text in texts {
                let place = Span { source: SourceId::default(), start, end: start + text.len() as u32 };
                assert_eq!(notations.parse(text, place), parse(text, place), "{text}");
            }
        }
    }
}
