//! Songs as the command line names them: a file, standard input, or a definition of the prelude; and the files that
//! they use.

use crate::failure::{Failure, words};
use mam_compiler::files::{Files, Loader};
use mam_grammar::ast::DefinitionKind;
use mam_grammar::{Limits, SourceId, Sources};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Texts longer than this are not read: the compiler would refuse them, and a device file has no end.
const MOST_BYTES: u64 = 128 << 20;

/// The text of a song, with what it takes to compile it.
#[derive(Clone)]
pub struct Song {
    /// Its text, alone so far.
    pub sources: Sources,
    /// Which of them it is.
    pub id: SourceId,
    /// What is put before plain names of `--set`: the one instrument of a song that was made from its name.
    pub prefix: String,
}

impl Song {
    /// Reads the song that `input` names.
    pub fn read(input: &str, stdin_name: Option<&str>) -> Result<Song, Failure> {
        let (name, text, prefix) = if input == "-" {
            let bytes = bytes(io::stdin().lock()).map_err(|e| Failure::read("standard input", &e))?;
            let name = stdin_name.unwrap_or("<stdin>");
            (name.to_string(), decode(name, bytes)?, String::new())
        } else if let Some(text) = definition(input) {
            (format!("<{input}>"), text, format!("{input}."))
        } else {
            (input.to_string(), text(input)?, String::new())
        };
        let mut sources = Sources::default();
        let id = sources.add(name, text);
        Ok(Song { sources, id, prefix })
    }
}

/// The text of a file, or of standard input for `-`.
pub fn any_text(input: &str) -> Result<String, Failure> {
    if input != "-" {
        return text(input);
    }
    let bytes = bytes(io::stdin().lock()).map_err(|e| Failure::read("standard input", &e))?;
    decode("<stdin>", bytes)
}

/// The text of a file.
pub fn text(path: &str) -> Result<String, Failure> {
    let bytes = File::open(path).and_then(bytes).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Failure::Io(not_there(path)),
        _ => Failure::read(path, &e),
    })?;
    decode(path, bytes)
}

/// The bytes of a file, for what is not text: at most as many as a text may have.
pub fn file_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    File::open(path).and_then(bytes).map_err(|e| Failure::read(&path.display().to_string(), &e))
}

/// A sound file, and whether it can be rewound.
pub fn sound_file(path: &Path) -> Result<(File, bool), Failure> {
    let opened = File::open(path).and_then(|file| {
        let kind = file.metadata()?.file_type();
        if kind.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, kind.is_file())) }
    });
    opened.map_err(|e| Failure::read(&path.display().to_string(), &e))
}

fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than mamc reads: more than 128 MiB"));
    }
    Ok(bytes)
}

fn decode(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..valid].iter().filter(|&&b| b == b'\n').count() + 1;
        Failure::WrongInput(format!(
            "`{name}` is not text in UTF-8: byte {valid}, in line {line}, is of no character"
        ))
    })
}

fn not_there(path: &str) -> String {
    let plain = Path::new(path).extension().is_none() && !path.contains(['/', '\\']);
    if !plain {
        return format!("cannot read `{path}`: there is no such file");
    }
    let names = instruments();
    let near = mam_grammar::problem::nearest(path, &names);
    let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    format!("there is no file and no prelude instrument called `{path}`{near}")
}

/// Whether this names a definition of the prelude, and no file.
pub fn is_definition(name: &str) -> bool {
    definition(name).is_some()
}

/// A song that plays one definition of the prelude, when there is one of this name and no file.
fn definition(name: &str) -> Option<String> {
    if Path::new(name).exists() || Path::new(name).extension().is_some() {
        return None;
    }
    instruments().iter().any(|i| i == name).then(|| format!("{name} = {name}()\nout = {name}\n"))
}

fn instruments() -> Vec<String> {
    let mut sources = Sources::default();
    let files = Files::prelude(&mut sources, Limits::default());
    let all = files.prelude_definitions().into_iter().map(|id| files.definition(id));
    all.filter(|d| d.kind == DefinitionKind::Instrument).map(|d| d.name.name.to_string()).collect()
}

/// Finds the files that `use` names, and remembers which they were.
#[derive(Default)]
pub struct Disk {
    /// The files that were asked for, whether they are there or not, for whoever watches them.
    pub asked: RefCell<Vec<PathBuf>>,
}

impl Loader for Disk {
    fn load(&self, from: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        let name = path.display().to_string();
        self.asked.borrow_mut().push(path.clone());
        let read = File::open(&path).and_then(bytes);
        let bytes = read.map_err(|e| format!("`{name}` cannot be read: {}", words(&e)))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("`{name}` is not text in UTF-8"))?;
        Ok((name, text))
    }
}
