//! The instruments that an imported song can play: those of the prelude, by what their `midi` statements say.

use crate::files::Files;
use crate::hir::DefId;
use crate::library::Library;
use crate::places::uses_note;
use mam_grammar::ast::DefinitionKind;
use mam_grammar::{Limits, Sources};

/// An instrument of the prelude.
#[derive(Debug)]
pub(super) struct Instrument {
    /// Name of its definition.
    pub(super) name: String,
    /// Whether its sound depends on the note.
    pub(super) pitched: bool,
    keys: Vec<u8>,
    programs: Vec<u8>,
}

/// All instruments of the prelude. Elsewhere they are indices into this.
#[derive(Debug)]
pub(super) struct Kit {
    instruments: Vec<Instrument>,
}

impl Kit {
    /// Reads the prelude's instruments.
    pub(super) fn new() -> Kit {
        let files = Files::prelude(&mut Sources::default(), Limits::default());
        let library = Library::default();
        let instrument = |id: DefId| {
            let definition = files.definition(id);
            let info = library.info(&files, id);
            // What needs a sound or a table cannot be called by its name alone.
            let can_be_called =
                definition.kind == DefinitionKind::Instrument && !definition.needs_arguments();
            can_be_called.then(|| Instrument {
                name: definition.name.name.to_string(),
                pitched: uses_note(&files, id),
                keys: info.midi_keys.clone(),
                programs: info.midi_programs.clone(),
            })
        };
        Kit { instruments: files.prelude_definitions().into_iter().filter_map(instrument).collect() }
    }

    /// An instrument by its index.
    pub(super) fn get(&self, index: usize) -> &Instrument {
        &self.instruments[index]
    }

    /// The instrument that plays a key of the drum channel: the one that names the key, else the nearest.
    pub(super) fn drum(&self, key: u8) -> usize {
        self.nearest(key, |instrument| &instrument.keys)
    }

    /// The instrument that plays a program: the one that names it, else the nearest.
    pub(super) fn program(&self, program: u8) -> usize {
        self.nearest(program, |instrument| &instrument.programs)
    }

    /// The instrument whose definition has this name, if it may play what it is wanted for.
    pub(super) fn named(&self, name: &str, drum: bool) -> Option<usize> {
        self.instruments.iter().position(|i| i.name == name && (!drum || !i.keys.is_empty()))
    }

    /// The instrument that names the number, or else the nearest to it. Of several the one that names it before others, since
    /// the first number is what the instrument is exported as; and of those the first in the prelude.
    fn nearest(&self, number: u8, of: impl Fn(&Instrument) -> &Vec<u8>) -> usize {
        let rank = |i: &Instrument| {
            let places = of(i).iter().enumerate().map(|(place, n)| (n.abs_diff(number), place));
            places.min().unwrap_or((u8::MAX, 0))
        };
        let found = self.instruments.iter().enumerate().min_by_key(|(_, i)| rank(i));
        found.map_or(0, |(index, _)| index)
    }
}
