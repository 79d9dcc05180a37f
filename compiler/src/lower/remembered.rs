//! What a `prev` or `tap` remembers: a signal, or a list or record of signals, one state or delay line a channel.

use super::value::{Signal, Val};
use crate::dimension::Dimension;
use crate::hir::types::Layout;
use crate::ir::Value;
use mam_grammar::Handle;
use std::sync::Arc;

/// States or delay lines in the form of what they remember.
#[derive(Clone)]
pub(super) enum Slots<T> {
    /// One a channel.
    Signal(Vec<Handle<T>>),
    /// Those of the elements of a list.
    List(Vec<Slots<T>>),
    /// Those of the fields of a record.
    Record(Vec<(Arc<str>, Slots<T>)>),
}

impl<T> Slots<T> {
    /// New slots of a layout: `make` gives that of a channel with this path.
    pub(super) fn new(layout: &Layout, path: &str, make: &mut impl FnMut(&str) -> Handle<T>) -> Slots<T> {
        match layout {
            Layout::Signal(channels) => Slots::Signal((0..*channels).map(|_| make(path)).collect()),
            Layout::List(elements) => {
                let part = |(i, layout): (usize, &Layout)| Slots::new(layout, &format!("{path}.{i}"), make);
                Slots::List(elements.iter().enumerate().map(part).collect())
            }
            Layout::Record(fields) => {
                let part = |(name, layout): &(Arc<str>, Layout)| {
                    (name.clone(), Slots::new(layout, &format!("{path}.{name}"), make))
                };
                Slots::Record(fields.iter().map(part).collect())
            }
            // Only in a definition by itself, which is not lowered.
            Layout::Unknown => Slots::Signal(vec![make(path)]),
        }
    }

    /// Calls `f` with each slot.
    pub(super) fn each(&self, f: &mut impl FnMut(Handle<T>)) {
        match self {
            Slots::Signal(slots) => slots.iter().for_each(|slot| f(*slot)),
            Slots::List(parts) => parts.iter().for_each(|part| part.each(f)),
            Slots::Record(parts) => parts.iter().for_each(|(_, part)| part.each(f)),
        }
    }

    /// What is read of slots of one form that belong together: one, or one for each inner frame.
    pub(super) fn read(all: &[&Slots<T>], read: &mut impl FnMut(&[Handle<T>]) -> Value) -> Val {
        match all[0] {
            Slots::Signal(first) => {
                let of = |slots: &Slots<T>, channel: usize| match slots {
                    Slots::Signal(slots) => slots[channel],
                    _ => first[channel],
                };
                let channels = (0..first.len())
                    .map(|channel| read(&all.iter().map(|slots| of(slots, channel)).collect::<Vec<_>>()))
                    .collect();
                Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
            }
            Slots::List(first) => {
                let part = |i: usize| {
                    let parts = all.iter().filter_map(|slots| match slots {
                        Slots::List(parts) => parts.get(i),
                        _ => None,
                    });
                    Slots::read(&parts.collect::<Vec<_>>(), read)
                };
                Val::List((0..first.len()).map(part).collect::<Vec<_>>().into())
            }
            Slots::Record(first) => {
                let part = |i: usize| {
                    let parts = all.iter().filter_map(|slots| match slots {
                        Slots::Record(parts) => parts.get(i).map(|(_, part)| part),
                        _ => None,
                    });
                    (first[i].0.clone(), Slots::read(&parts.collect::<Vec<_>>(), read))
                };
                Val::Record((0..first.len()).map(part).collect::<Vec<_>>().into())
            }
        }
    }

    /// Each slot with the channel of `val` that flows into it, which has the same form.
    pub(super) fn fed(&self, lower: &mut super::Lower, val: &Val) -> Vec<(Handle<T>, Value)> {
        match (self, val) {
            (Slots::Signal(slots), _) => {
                let Some(signal) = val.clone().signal() else { return vec![] };
                let channel = |(i, slot): (usize, &Handle<T>)| (*slot, lower.b.audio(signal.channel(i)));
                slots.iter().enumerate().map(channel).collect()
            }
            (Slots::List(parts), Val::List(elements)) => {
                parts.iter().zip(elements.iter()).flat_map(|(part, val)| part.fed(lower, val)).collect()
            }
            (Slots::Record(parts), Val::Record(fields)) => {
                let pairs = parts.iter().zip(fields.iter());
                pairs.flat_map(|((_, part), (_, val))| part.fed(lower, val)).collect()
            }
            _ => vec![],
        }
    }
}
