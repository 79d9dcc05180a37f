//! What a `prev` or `tap` remembers: a signal, or a list or record of signals, one state or delay line a channel.
//!
//! What flows into state is evaluated last, so at first each is taken for mono. Where it turns out to be more, that is noted by
//! its path, and the group is evaluated again.

use super::value::{Signal, Val};
use crate::dimension::Dimension;
use crate::ir::Value;
use mam_grammar::{Handle, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The form of what is remembered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// So many channels.
    Signal(usize),
    /// A list, by its elements.
    List(Vec<Form>),
    /// A record, by its fields.
    Record(Vec<(Arc<str>, Form)>),
}

impl Form {
    /// What it has to be where `val` flows in: nothing is taken back.
    fn joined(&self, val: &Val) -> Form {
        match (val, self) {
            (Val::Signal(signal), Form::Signal(channels)) => {
                Form::Signal(signal.channels.len().max(*channels))
            }
            (Val::List(elements), _) => {
                let before = |i: usize| match self {
                    Form::List(all) => all.get(i),
                    _ => None,
                };
                let form = |(i, val): (usize, &Val)| before(i).unwrap_or(&Form::Signal(1)).joined(val);
                Form::List(elements.iter().enumerate().map(form).collect())
            }
            (Val::Record(fields), _) => {
                let before = |name: &Arc<str>| match self {
                    Form::Record(all) => all.iter().find(|(other, _)| other == name).map(|(_, form)| form),
                    _ => None,
                };
                let form = |(name, val): &(Arc<str>, Val)| {
                    (name.clone(), before(name).unwrap_or(&Form::Signal(1)).joined(val))
                };
                Form::Record(fields.iter().map(form).collect())
            }
            _ => self.clone(),
        }
    }
}

/// The forms that are known so far, by path.
#[derive(Default)]
pub(super) struct Forms {
    known: FxHashMap<String, Form>,
    /// The frames that delay lines have to hold, by path, where that was more than was thought.
    frames: FxHashMap<String, u32>,
    /// How often one of them has grown.
    pub(super) grown: usize,
}

impl Forms {
    /// The form of what has this path.
    pub(super) fn form(&self, path: &str) -> Form {
        self.known.get(path).cloned().unwrap_or(Form::Signal(1))
    }

    /// How many frames the delay line with this path has to hold: `needed`, or what was found before.
    pub(super) fn frames(&self, path: &str, needed: u32) -> u32 {
        self.frames.get(path).map_or(needed, |frames| needed.max(*frames))
    }

    /// Notes that a delay line has to hold more frames than it was made for.
    pub(super) fn lengthen(&mut self, path: &str, frames: u32) {
        self.grown += 1;
        self.frames.insert(path.to_owned(), frames);
    }

    /// Notes that `val` flows into what has this path. False where it has to be of another form than was thought.
    pub(super) fn fits(&mut self, path: &str, val: &Val) -> bool {
        let before = self.form(path);
        let now = before.joined(val);
        if now == before {
            return true;
        }
        self.grown += 1;
        self.known.insert(path.to_owned(), now);
        false
    }
}

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
    /// New slots of a form: `make` gives that of a channel with this path.
    pub(super) fn new(form: &Form, path: &str, make: &mut impl FnMut(&str) -> Handle<T>) -> Slots<T> {
        match form {
            Form::Signal(channels) => Slots::Signal((0..*channels).map(|_| make(path)).collect()),
            Form::List(elements) => {
                let part = |(i, form): (usize, &Form)| Slots::new(form, &format!("{path}.{i}"), make);
                Slots::List(elements.iter().enumerate().map(part).collect())
            }
            Form::Record(fields) => {
                let part = |(name, form): &(Arc<str>, Form)| {
                    (name.clone(), Slots::new(form, &format!("{path}.{name}"), make))
                };
                Slots::Record(fields.iter().map(part).collect())
            }
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
    pub(super) fn fed(&self, lower: &mut super::Lower, val: &Val, span: Span) -> Vec<(Handle<T>, Value)> {
        match (self, val) {
            (Slots::Signal(slots), _) => {
                let Some(signal) = lower.signal(val.clone(), span) else { return vec![] };
                let channel = |(i, slot): (usize, &Handle<T>)| (*slot, lower.b.audio(signal.channel(i)));
                slots.iter().enumerate().map(channel).collect()
            }
            (Slots::List(parts), Val::List(elements)) => {
                parts.iter().zip(elements.iter()).flat_map(|(part, val)| part.fed(lower, val, span)).collect()
            }
            (Slots::Record(parts), Val::Record(fields)) => {
                let pairs = parts.iter().zip(fields.iter());
                pairs.flat_map(|((_, part), (_, val))| part.fed(lower, val, span)).collect()
            }
            _ => vec![],
        }
    }
}
