//! The song behind the library: its package, and the programs made of it.

use crate::score::List;
use mam_compiler::compile;
use mam_grammar::{Severity, Sources};
use mam_package::{Damage, Manifest, Opened, PackedFiles, RESOURCE};
use mam_runtime::Program;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A song, and how to find what it is made of.
pub(crate) struct Song {
    /// What the host asks first.
    pub(crate) manifest: Manifest,
    /// A hash of all that the song is made of.
    pub(crate) hash: String,
    /// Index into the manifest's parameters by id, in the order of ids.
    by_id: Vec<(u32, usize)>,
    opened: Opened,
    made: Mutex<Made>,
}

/// What instances share.
struct Made {
    /// The file of the package. It stays open: another file may take its name while the library is loaded.
    file: BufReader<File>,
    /// What instances use, one a rate.
    ready: Vec<Weak<Ready>>,
    /// The last one stays when no instance uses it: hosts activate again and again.
    last: Option<Arc<Ready>>,
}

/// What instances at one rate share.
pub(crate) struct Ready {
    /// The compiled song.
    pub(crate) program: Arc<Program>,
    /// The events of its score, where that is to play.
    pub(crate) list: Option<Arc<List>>,
}

impl Song {
    /// The song behind the library at a path, or in the bundle there. Reads the manifest alone.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub(crate) fn open(library: &Path) -> Result<Song, Damage> {
        let path = match library.is_dir() {
            true => library.join("Contents").join("Resources").join(RESOURCE),
            false => library.to_path_buf(),
        };
        let mut file = BufReader::new(File::open(&path)?);
        let opened = Opened::read(&mut file)?;
        let ids = opened.manifest.params.iter().enumerate();
        let mut by_id: Vec<_> = ids.map(|(index, param)| (param.id, index)).collect();
        by_id.sort_unstable();
        Ok(Song {
            manifest: opened.manifest.clone(),
            hash: opened.hash.clone(),
            by_id,
            opened,
            made: Mutex::new(Made { file, ready: vec![], last: None }),
        })
    }

    /// The index of the parameter with an id. \[audio\]
    pub(crate) fn param(&self, id: u32) -> Option<usize> {
        let place = self.by_id.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(self.by_id[place].1)
    }

    /// What plays at a rate in frames a second: that of another instance, or made now. \[main\]
    ///
    /// # Errors
    /// The reason, for people: the files are damaged, or the song has errors.
    pub(crate) fn ready(&self, rate: u32) -> Result<Arc<Ready>, String> {
        // Wherever a panic left them, they are a file and a list of programs.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.ready.retain(|ready| ready.strong_count() > 0);
        let known = made.ready.iter().filter_map(Weak::upgrade).find(|ready| ready.program.rate == rate);
        let ready = match known {
            Some(ready) => ready,
            None => {
                let program = Arc::new(self.compiled(rate, &mut made.file)?);
                let list = self.manifest.plays.then(|| Arc::new(List::new(&program)));
                let ready = Arc::new(Ready { program, list });
                made.ready.push(Arc::downgrade(&ready));
                ready
            }
        };
        made.last = Some(ready.clone());
        Ok(ready)
    }

    /// Frees what no instance uses. \[main\]
    pub(crate) fn forget_program(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).last = None;
    }

    fn compiled(&self, rate: u32, file: &mut BufReader<File>) -> Result<Program, String> {
        let files = self.opened.files(file).map_err(|damage| damage.to_string())?;
        let (name, text) = files.first().ok_or("there is no song in the package")?;
        let text = String::from_utf8(text.clone()).map_err(|_| format!("`{name}` is not text in UTF-8"))?;
        let mut sources = Sources::default();
        let id = sources.add(name.as_str(), text);
        let options = self.manifest.settings.options(rate, self.manifest.channels);
        let compilation = compile(&mut sources, id, &PackedFiles::new(files), &options);
        let problems = compilation.problems.into_sorted();
        let error = problems.iter().find(|problem| problem.code.severity == Severity::Error);
        if let Some(error) = error {
            return Err(error.message.to_string());
        }
        let program = compilation.program.ok_or("the song cannot be compiled")?;
        let same = program.outputs.len() == self.manifest.channels
            && program.inputs.len() == self.manifest.inputs
            && program.targets.len() == self.manifest.note_ports.len();
        if same { Ok(program) } else { Err("the song is not the one that was packed".into()) }
    }
}
