//! The prelude: the definitions that are there without asking, written in mam, one topic a file, and a folder for a topic of
//! several files.
//!
//! A definition is read when it is first needed, and then known for the rest of the process: what a song needs of
//! the prelude is parsed once, however often the song is compiled.
//!
//! Built for WebAssembly, the texts have neither `expect`s nor comments, see `brief.rs`: nothing there asks for them.

#[cfg(test)]
mod brief;

use crate::file::File;
use mam_grammar::ast::Ast;
use mam_grammar::{SourceId, Sources, syntax};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

macro_rules! prelude {
    ($($file:literal)*) => {
        /// Name and text of each file, in the order in which they are listed. Every file of `compiler/prelude` is here.
        pub static PRELUDE: &[(&str, &str)] = &[
            $((concat!("prelude/", $file, ".mam"), include_str!(concat!(env!("MAM_PRELUDE"), "/", $file, ".mam")))),*
        ];
    };
}

prelude! {
    "drums/plain"
    "drums/eight"
    "drums/eight_metal"
    "drums/nine"
    "drums/six"
    "drums/linn"
    "drums/box"
    "drums/modern"
    "drums/acoustic"
    "drums/cymbals"
    "drums/hand"
    "drums/percussion"
    "drums/effects"
    "drums/kits"
    "synths/acid"
    "synths/bass"
    "synths/leads"
    "synths/plucks"
    "synths/keys"
    "synths/piano"
    "synths/organs"
    "synths/pads"
    "synths/brass"
    "synths/solo"
    "synths/fm"
    "synths/characters"
    "synths/chip"
    "synths/drones"
    "synths/mallets"
    "synths/bells"
    "physical/strings"
    "physical/winds"
    "physical/bodies"
    "physical/struck"
    "oscillators"
    "sync"
    "wavetables"
    "fm"
    "voices"
    "outside"
    "consoles"
    "noise"
    "chaos"
    "envelopes"
    "curves"
    "lfos"
    "clocks"
    "filters/basics"
    "filters/analog"
    "filters/orders"
    "filters/equalisers"
    "filters/banks"
    "delays"
    "loops"
    "reverbs"
    "rooms"
    "halos"
    "modulation"
    "sweeps"
    "dynamics"
    "levelling"
    "saturation"
    "clippers"
    "magnetic"
    "guitar"
    "folders"
    "stereo"
    "analysis"
    "limiters"
    "mastering"
    "samples"
    "rates"
}

/// A definition or a kit of the prelude.
struct Piece {
    name: &'static str,
    /// Index of its file in [`PRELUDE`].
    file: usize,
    /// Where it stands, with its documentation.
    range: Range<usize>,
}

/// All definitions, and all kits, in the order of the files.
#[derive(Default)]
struct Pieces {
    definitions: Vec<Piece>,
    kits: Vec<Piece>,
}

impl Pieces {
    /// Ends the last piece of a file, unless it has ended: what stands below the first `expect` is not the definition's.
    fn end(&mut self, file: usize, end: usize) {
        for pieces in [&mut self.definitions, &mut self.kits] {
            if let Some(last) = pieces.last_mut().filter(|piece| piece.file == file) {
                last.range.end = last.range.end.min(end);
            }
        }
    }
}

static PIECES: LazyLock<Pieces> = LazyLock::new(|| {
    let mut pieces = Pieces::default();
    for (file, (_, text)) in PRELUDE.iter().enumerate() {
        let (mut line_start, mut doc_start) = (0, None);
        for line in text.split_inclusive('\n') {
            let start = doc_start.unwrap_or(line_start);
            match head(line) {
                Head::Definition(name) => {
                    pieces.end(file, start);
                    pieces.definitions.push(Piece { name, file, range: start..text.len() });
                }
                Head::Kit(name) => {
                    pieces.end(file, start);
                    pieces.kits.push(Piece { name, file, range: start..text.len() });
                }
                Head::Expect => pieces.end(file, start),
                Head::Other => {}
            }
            doc_start = line.starts_with("///").then_some(start);
            line_start += line.len();
        }
    }
    pieces
});

/// Indices of the definitions.
static NAMES: LazyLock<FxHashMap<&str, usize>> = LazyLock::new(|| {
    PIECES.definitions.iter().enumerate().map(|(index, piece)| (piece.name, index)).collect()
});

/// [`PRELUDE`] as compilations share it: a compilation copies no text.
static TEXTS: LazyLock<Vec<(Arc<str>, Arc<str>)>> =
    LazyLock::new(|| PRELUDE.iter().map(|&(name, text)| (name.into(), text.into())).collect());

/// The prelude among the texts of a compilation.
#[derive(Clone)]
pub struct Prelude {
    /// The source of each file of [`PRELUDE`].
    sources: Vec<SourceId>,
    /// What was read of each definition.
    read: Arc<Vec<OnceLock<File>>>,
}

impl Prelude {
    /// Adds the prelude's texts to `sources`.
    pub fn new(sources: &mut Sources) -> Prelude {
        let add = |(name, text): &(Arc<str>, Arc<str>)| sources.add(name.clone(), text.clone());
        let sources: Vec<SourceId> = TEXTS.iter().map(add).collect();
        let read = shared(sources[0]);
        Prelude { sources, read }
    }

    /// How many definitions there are.
    pub fn len(&self) -> usize {
        PIECES.definitions.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        PIECES.definitions.is_empty()
    }

    /// The names of all definitions that songs can call.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        PIECES.definitions.iter().map(|piece| piece.name).filter(|name| !is_private(name))
    }

    /// Which definition has this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        NAMES.get(name).copied()
    }

    /// True for the text of a file of the prelude.
    pub fn has(&self, source: SourceId) -> bool {
        self.sources.contains(&source)
    }

    /// The kit of this name, if there is one.
    ///
    /// # Panics
    /// Where it cannot be read; a test reads all.
    pub fn kit(&self, name: &str, texts: &Sources) -> Option<Ast> {
        let piece = PIECES.kits.iter().find(|piece| piece.name == name)?;
        let ast = syntax::parse_part(texts, self.sources[piece.file], piece.range.clone());
        Some(ast.expect("the prelude parses"))
    }

    /// A definition, as a file of which it is the only item.
    ///
    /// # Panics
    /// Where it cannot be read; a test reads all.
    pub fn definition(&self, index: usize, texts: &Sources) -> &File {
        self.read[index].get_or_init(|| {
            let piece = &PIECES.definitions[index];
            let ast = syntax::parse_part(texts, self.sources[piece.file], piece.range.clone());
            File::new(ast.expect("the prelude parses"))
        })
    }
}

/// What was read so far where the first text of the prelude has this id: places name their source, and it is nearly
/// always the same.
fn shared(first: SourceId) -> Arc<Vec<OnceLock<File>>> {
    const MOST: usize = 8;
    static READ: Mutex<BTreeMap<SourceId, Arc<Vec<OnceLock<File>>>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if read.len() >= MOST && !read.contains_key(&first) {
        read.clear();
    }
    read.entry(first)
        .or_insert_with(|| Arc::new(PIECES.definitions.iter().map(|_| OnceLock::new()).collect()))
        .clone()
}

/// True for the name of a detail: only the prelude's own definitions can call it, and nothing lists it.
pub fn is_private(name: &str) -> bool {
    name.starts_with('_')
}

/// The kits of the prelude, each with its text, in the order of the files.
pub fn kits() -> impl Iterator<Item = (&'static str, &'static str)> {
    PIECES.kits.iter().map(|piece| (piece.name, PRELUDE[piece.file].1[piece.range.clone()].trim()))
}

/// The `expect`s of the prelude: for each file its name, and its text with blanks in place of all else, so that every place
/// is where it is in the file.
pub fn expectations() -> Vec<(&'static str, String)> {
    let of = |text: &'static str| {
        let mut within = false;
        let line = |line: &'static str| {
            within = matches!(head(line), Head::Expect) || within && line.starts_with([' ', ')']);
            if within { line.to_owned() } else { blank(line) }
        };
        text.split_inclusive('\n').map(line).collect()
    };
    PRELUDE.iter().map(|&(name, text)| (name, of(text))).collect()
}

/// The `expect`s under a definition of the prelude, as they stand there; empty where there are none.
pub fn expectations_of(name: &str) -> &'static str {
    let Some(&index) = NAMES.get(name) else { return "" };
    let piece = &PIECES.definitions[index];
    let text = PRELUDE[piece.file].1;
    let next = PIECES.definitions.get(index + 1).filter(|next| next.file == piece.file);
    text[piece.range.end..next.map_or(text.len(), |next| next.range.start)].trim()
}

/// As many bytes, all blanks but the newline.
fn blank(line: &str) -> String {
    let blank = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
    line.bytes().map(blank).collect()
}

/// What a line of the prelude begins.
enum Head {
    /// The definition of this name.
    Definition(&'static str),
    /// The kit of this name.
    Kit(&'static str),
    /// An `expect`.
    Expect,
    /// Nothing that ends what is before it.
    Other,
}

/// Nearly all lines are told by their first byte.
fn head(line: &'static str) -> Head {
    let is_kit = line.starts_with("kit ");
    let rest = match line.as_bytes().first() {
        Some(b'd') => line.strip_prefix("def "),
        Some(b'i') => line.strip_prefix("instrument "),
        Some(b'e') if line.starts_with("expect ") => return Head::Expect,
        Some(b'e') => line.strip_prefix("effect "),
        Some(b'k') => line.strip_prefix("kit "),
        _ => None,
    };
    let Some(rest) = rest else { return Head::Other };
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if is_kit { Head::Kit(&rest[..end]) } else { Head::Definition(&rest[..end]) }
}
