//! What a song's names mean to its score.

use super::{Instrument, Meaning, Parameter, Targets};
use crate::places::Places;

impl Targets for Places<'_> {
    fn find(&self, path: &[&str]) -> Meaning {
        match *path {
            [name] => match (self.instrument(name), self.knob(name)) {
                (Some((index, node)), _) => Meaning::Instrument(Instrument {
                    index,
                    name: name.into(),
                    pitched: self.pitched(node),
                    voices: self.targets[index].voices.len(),
                }),
                (_, Some(slot)) => parameter(self, slot, name.into()),
                _ if self.is_signal(name) => Meaning::Other("it is a signal, not an instrument".into()),
                _ => Meaning::Unknown { known: self.names() },
            },
            [name, param] => match self.slot(name, param) {
                Some(slot) => parameter(self, slot, format!("{name}.{param}")),
                None => {
                    let full = |p: String| format!("{name}.{p}");
                    let known: Vec<String> = self.params(name).into_iter().map(full).collect();
                    let known = if known.is_empty() { self.names() } else { known };
                    Meaning::Unknown { known }
                }
            },
            _ => Meaning::Unknown { known: self.names() },
        }
    }
}

fn parameter(places: &Places, slot: usize, name: String) -> Meaning {
    let (dimension, scale, range) = places.describe_slot(slot);
    Meaning::Parameter(Parameter { index: slot, name, dimension, scale, range })
}
