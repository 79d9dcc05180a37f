//! What a song's names mean to its score.

use super::{Instrument, Meaning, Parameter, Targets};
use crate::places::Bindings;
use mam_runtime::ids::ParamId;
use mam_runtime::{Miss, NoteSignal};

impl Targets for Bindings<'_> {
    fn find(&self, path: &[&str]) -> Meaning {
        match *path {
            [name] => match (self.instrument(name), self.knob(name)) {
                (Some((index, node)), _) => Meaning::Instrument(Instrument {
                    index,
                    name: name.into(),
                    pitched: self.pitched(node),
                    voices: match self.targets[index].priority {
                        Some(_) => usize::MAX,
                        None => self.targets[index].voices.len(),
                    },
                }),
                (_, Some(slot)) => parameter(self, slot, name.into()),
                _ if self.is_signal(name) => Meaning::Other {
                    what: "it is a signal, not an instrument".into(),
                    params: self.params(name),
                },
                _ if self.is_instrument_definition(name) => Meaning::Definition,
                _ => Meaning::Unknown,
            },
            [name, ..] => match self.slot(&path.join(".")) {
                Ok(slot) => parameter(self, slot, path.join(".")),
                Err(Miss::Several(names)) => Meaning::Several(names),
                Err(Miss::Unknown) if !self.is_signal(name) && self.is_instrument_definition(name) => {
                    Meaning::Definition
                }
                Err(Miss::Unknown) => Meaning::Unknown,
            },
            [] => Meaning::Unknown,
        }
    }

    fn known(&self, path: &[&str]) -> Vec<String> {
        let params = match *path {
            [name, _, ..] => self.params(name),
            _ => vec![],
        };
        let plays = |name: &str| self.instrument(name).is_some();
        let signals = match *path {
            [name, "note", ..] if plays(name) => {
                NoteSignal::ALL.map(|signal| format!("{name}.note.{}", signal.name())).to_vec()
            }
            _ => vec![],
        };
        if params.is_empty() && signals.is_empty() { self.names() } else { [params, signals].concat() }
    }
}

fn parameter(places: &Bindings, slot: ParamId, name: String) -> Meaning {
    let info = places.info(slot);
    let first = name.split('.').next().unwrap_or_default();
    let instrument = (!info.is_beat()).then(|| places.owner(first, slot)).flatten();
    let is_argument = places.is_argument(first, slot);
    Meaning::Parameter(Parameter {
        index: slot,
        name,
        dimension: info.dimension,
        scale: info.scale(),
        range: (info.min, info.max),
        units: info.units,
        instrument,
        is_driven: places.is_driven(slot),
        is_argument,
    })
}
