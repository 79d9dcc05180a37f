//! The files of a compilation: the song, what it `use`s, and the prelude.
//!
//! Of the prelude, each definition is a file of its own, and only those that a song needs are parsed. Names of
//! definitions are found in a file itself, then in the files that it uses, then in the prelude, so a song can have
//! its own `decay` without changing what the prelude's kick does.

use crate::codes;
use crate::expand::{self, Reference};
use crate::expect::feed::{self, Called};
use crate::file::File;
pub use crate::hir::DefId;
use crate::hir::builtins::Builtin;
use crate::prelude::{Prelude, is_private};
pub use crate::samples::Samples;
use mam_grammar::ast::{Ast, Definition, DefinitionKind, Expr, ExprId, Item, ItemKind, Tuning, Unit};
use mam_grammar::float;
use mam_grammar::syntax::Pieces;
use mam_grammar::{Limits, Problem, Problems, SourceId, Sources, Span, syntax};
use mam_runtime::sort::Sort;
use mam_runtime::sound_kinds;
use rustc_hash::FxHashMap;
use std::ffi::OsStr;
use std::sync::Arc;

/// Tells one file from another, whatever path leads to it. Only the [`Loader`] that made it knows what it means; for
/// files on a disk it is the canonical path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileId(Arc<OsStr>);

impl FileId {
    /// The identity that these characters are.
    pub fn new(text: impl AsRef<OsStr>) -> FileId {
        FileId(text.as_ref().into())
    }

    /// The path as it was written, in the system's encoding.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

/// A file that was found, and has not been read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which file it is.
    pub id: FileId,
    /// What it is called in messages.
    pub name: String,
}

/// A sound file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSound {
    /// Which file it is.
    pub at: Located,
    /// The path that leads to it from the file that names it, where that is another than it is written.
    pub moved_to: Option<String>,
    /// Its hash, where that is another than it is written.
    pub changed_to: Option<String>,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// In a sentence, naming the file.
    pub why: String,
    /// The way out, if it is not that the path is another.
    pub help: Option<String>,
}

impl From<String> for Unusable {
    fn from(why: String) -> Unusable {
        Unusable { why, help: None }
    }
}

/// Finds and reads the files that a song names. Finding is apart from reading, so that a file to which many paths lead is
/// read once.
pub trait Loader {
    /// The song itself, which is called `name` in messages.
    fn song(&self, name: &str) -> Located {
        Located { id: FileId::new(name), name: name.to_string() }
    }

    /// The file that `path` means where it stands in the file `from`.
    ///
    /// # Errors
    /// When there is no such file, or a song may not use it.
    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable>;

    /// The sound file that `path` means where it stands in the file `from`; where it has another hash or is not there, the one in the
    /// song's folder that has the hash.
    ///
    /// # Errors
    /// When there is no such file, or a song may not use it.
    fn locate_sound(&self, from: &Located, path: &str, hash: Option<&str>) -> Result<FoundSound, Unusable> {
        _ = hash;
        Ok(FoundSound { at: self.locate(from, path)?, moved_to: None, changed_to: None })
    }

    /// The text of a file that was located, if it has no more than `most` bytes.
    ///
    /// # Errors
    /// When it cannot be read, is longer, or is not text.
    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable>;

    /// The names of the sound files in the folder that `path` means where it stands in the file `from`, sorted; at most so many.
    ///
    /// # Errors
    /// When there is no such folder, a song may not use it, or it holds more.
    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        _ = (from, most);
        Err(format!("`{path}` cannot be read from here").into())
    }

    /// The samples of a sound file that was located. There are no more than `most` in memory, those of each channel counted: what is longer
    /// is streamed, or refused.
    ///
    /// # Errors
    /// When it cannot be read, is longer, or is not a sound file.
    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        _ = most;
        Err(format!("`{}` cannot be read from here", file.name).into())
    }
}

/// A loader for which there are no files.
pub struct NoFiles;

impl Loader for NoFiles {
    fn locate(&self, _from: &Located, path: &str) -> Result<Located, Unusable> {
        Err(format!("`{path}` cannot be read from here").into())
    }

    fn read(&self, file: &Located, _most: usize) -> Result<String, Unusable> {
        Err(format!("`{}` cannot be read from here", file.name).into())
    }
}

/// All files. The first are the prelude's, one a definition.
pub struct Files {
    /// What a song may ask for at most.
    pub limits: Limits,
    prelude: Prelude,
    user: Vec<File>,
    texts: Sources,
}

impl Files {
    /// The prelude alone; its texts are added to `sources`.
    pub fn prelude(sources: &mut Sources, limits: Limits) -> Files {
        let prelude = Prelude::new(sources);
        Files { limits, prelude, user: vec![], texts: sources.clone() }
    }

    /// Adds a file and, recursively, those that it uses, of which items in `pieces` are not read again. Returns its index.
    pub fn add(
        &mut self,
        id: SourceId,
        ast: Ast,
        (sources, loader): (&mut Sources, &dyn Loader),
        pieces: Option<&mut Pieces>,
        problems: &mut Problems,
    ) -> usize {
        let song = loader.song(&sources.get(id).name);
        let bytes = sources.get(id).text.len();
        let mut reader = Reader {
            files: self,
            sources: &mut *sources,
            loader,
            pieces,
            problems,
            known: FxHashMap::default(),
            homes: FxHashMap::default(),
            open: vec![],
            bytes,
            sounds: FxHashMap::default(),
            samples: 0,
        };
        let file = reader.add(id, song, ast);
        self.texts = sources.clone();
        file
    }

    /// Puts another tree in the place of a user's file, which nothing has been resolved of.
    pub(crate) fn replace(&mut self, index: usize, ast: Ast) {
        let Some(user) = index.checked_sub(self.prelude.len()) else { return };
        let File { uses, incomplete, tunings, samples, references, .. } =
            std::mem::take(&mut self.user[user]);
        self.user[user] = File { uses, incomplete, tunings, samples, references, ..File::new(ast) };
    }

    /// A file by its index.
    pub fn file(&self, index: usize) -> &File {
        match index.checked_sub(self.prelude.len()) {
            Some(user) => &self.user[user],
            None => self.prelude.definition(index, &self.texts),
        }
    }

    /// True for the prelude's own files.
    pub fn is_prelude(&self, index: usize) -> bool {
        index < self.prelude.len()
    }

    /// The text at a place; empty where there is none.
    pub fn slice(&self, span: Span) -> &str {
        self.texts.slice(span)
    }

    /// Whether the value of an expression of a file is the sound of an instrument, or of effects behind one.
    pub(crate) fn is_instrument_sound(&self, file: usize, mut expr: ExprId) -> bool {
        loop {
            match &self.file(file).ast.exprs[expr] {
                Expr::Pipe { left, .. } => expr = *left,
                Expr::Paren(inner) => expr = *inner,
                Expr::Call { callee, .. } => {
                    let def = self.find(file, &callee.name);
                    return def.is_some_and(|def| self.definition(def).kind == DefinitionKind::Instrument);
                }
                _ => return false,
            }
        }
    }

    /// The unit in which the number at a place is written, where nothing but a number stands there.
    pub fn written_unit(&self, span: Span) -> Option<Unit> {
        let text = self.slice(span).trim_start_matches(['-', '+']);
        let (number, unit) = text.split_at(text.find(|c: char| c.is_alphabetic() || c == '%')?);
        float::parse(number.trim_end()).and_then(|_| Unit::from_text(unit))
    }

    /// True for the text of a file of the prelude.
    pub fn is_prelude_source(&self, source: SourceId) -> bool {
        self.prelude.has(source)
    }

    /// The definition that `name` means in a file.
    pub fn find(&self, file: usize, name: &str) -> Option<DefId> {
        let own = |file: usize| self.file(file).definitions.get(name).map(|&item| DefId { file, item });
        own(file)
            .or_else(|| self.file(file).uses.iter().find_map(|&used| own(used)))
            .or_else(|| self.find_prelude(name).filter(|_| self.is_prelude(file) || !is_private(name)))
    }

    /// The prelude's definition of `name`.
    pub fn find_prelude(&self, name: &str) -> Option<DefId> {
        let file = self.prelude.find(name)?;
        self.file(file).definitions.get(name).map(|&item| DefId { file, item })
    }

    /// The files that are not the prelude's.
    pub fn user_files(&self) -> std::ops::Range<usize> {
        self.prelude.len()..self.prelude.len() + self.user.len()
    }

    /// What is written of kits and their parts in the user's files, and in kits of the prelude that these call.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.user.iter().flat_map(|file| &file.references).copied()
    }

    /// The trees of the prelude's kits, one a kit.
    pub fn prelude_kits(&self) -> impl Iterator<Item = Ast> {
        crate::prelude::kits().filter_map(|(name, _)| self.prelude.kit(name, &self.texts))
    }

    /// True when a definition or equation of this name could not be read.
    pub fn is_broken(&self, file: usize, name: &str) -> bool {
        let near = std::iter::once(file).chain(self.file(file).uses.iter().copied());
        near.into_iter().any(|f| self.file(f).broken.contains(name))
    }

    /// True when a definition of this name may be one that could not be read, or stand in a file that could not be used.
    pub fn may_be_missing(&self, file: usize, name: &str) -> bool {
        self.file(file).incomplete || self.is_broken(file, name)
    }

    /// The item of a definition.
    pub fn item(&self, id: DefId) -> &Item {
        &self.file(id.file).ast.items[id.item]
    }

    /// The definition with this id.
    pub fn definition(&self, id: DefId) -> &Definition {
        match &self.item(id).kind {
            ItemKind::Definition(definition) => definition,
            _ => unreachable!("a DefId is made from a definition"),
        }
    }

    /// The names of all definitions that can be seen from a file.
    pub fn visible(&self, file: usize) -> Vec<String> {
        let near = std::iter::once(file).chain(self.file(file).uses.iter().copied());
        let mut names: Vec<String> =
            near.flat_map(|f| self.file(f).definitions.keys().map(ToString::to_string)).collect();
        names.extend(self.prelude.names().map(ToString::to_string));
        names.put_in_order();
        names.dedup();
        names
    }

    /// The names of the definitions of a file and of those that it uses.
    pub fn own_definitions(&self, file: usize) -> impl Iterator<Item = &str> {
        let near = std::iter::once(file).chain(self.file(file).uses.iter().copied());
        near.flat_map(|f| self.file(f).definitions.keys().map(|name| &**name))
    }

    /// All definitions of the prelude, in the order of its files.
    pub fn prelude_definitions(&self) -> Vec<DefId> {
        (0..self.prelude.len()).map(|file| DefId { file, item: 0 }).collect()
    }
}

/// The kinds of the definitions of a file.
fn definition_kinds(ast: &Ast) -> FxHashMap<Arc<str>, DefinitionKind> {
    let definitions = ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Definition(definition) => Some((definition.name.name.clone(), definition.kind)),
        _ => None,
    });
    definitions.collect()
}

/// What is known of a file that was named.
#[derive(Clone)]
enum Known {
    /// It is being read: the files that it uses are.
    Open,
    /// It was read, and has this index.
    Read(usize),
    /// It cannot be used.
    Unusable(Unusable),
}

/// Reads a song and all that it uses, each file once.
struct Reader<'a> {
    files: &'a mut Files,
    sources: &'a mut Sources,
    loader: &'a dyn Loader,
    /// What was read of versions before.
    pieces: Option<&'a mut Pieces>,
    problems: &'a mut Problems,
    known: FxHashMap<FileId, Known>,
    /// The files by their texts: what is written in one is found from there, wherever it is put in.
    homes: FxHashMap<SourceId, Located>,
    /// The names of the files that are open, each used by the one before.
    open: Vec<String>,
    /// Bytes of all texts so far.
    bytes: usize,
    /// The sound files so far.
    sounds: FxHashMap<FileId, Result<Arc<Samples>, Unusable>>,
    /// Their samples, of each channel.
    samples: usize,
}

impl Reader<'_> {
    /// Adds a file and what it uses.
    fn add(&mut self, source: SourceId, at: Located, mut ast: Ast) -> usize {
        self.known.insert(at.id.clone(), Known::Open);
        self.homes.insert(source, at.clone());
        self.open.push(at.name.clone());
        let mut uses: Vec<usize> = vec![];
        let mut incomplete = false;
        for item in &ast.items {
            let ItemKind::Use(path) = &item.kind else { continue };
            match self.used(&at, &path.text) {
                Ok(file) if uses.contains(&file) => {}
                Ok(file) => uses.push(file),
                Err(Unusable { why, help }) => {
                    incomplete = true;
                    let help = help.unwrap_or_else(|| "the path is relative to the file that says it".into());
                    self.problems.add(Problem::new(&codes::CANNOT_USE, path.span, why).help(help));
                }
            }
        }
        let tunings = self.tunings(&at, &ast);
        self.open.pop();
        self.fill_kits(&at, &mut ast);
        expand::define(&mut ast, self.problems);
        let references = match self.open.is_empty() {
            true => self.write_out(&mut ast, &uses),
            false => vec![],
        };
        if ast.items.iter().any(|item| matches!(item.kind, ItemKind::Expect(_))) {
            let own = definition_kinds(&ast);
            feed::supply(&mut ast, &|name| self.called(&own, &uses, name));
        }
        let samples = self.named_sounds(&at, &ast, &uses);
        let mut file = File::new(ast);
        (file.uses, file.incomplete) = (uses, incomplete);
        (file.tunings, file.samples, file.references) = (tunings, samples, references);
        self.files.user.push(file);
        let index = self.files.prelude.len() + self.files.user.len() - 1;
        self.known.insert(at.id, Known::Read(index));
        index
    }

    /// Gives the kits of a file that are folders their parts.
    fn fill_kits(&mut self, at: &Located, ast: &mut Ast) {
        let most = self.files.limits.kit_files;
        for item in 0..ast.items.len() {
            let ItemKind::Kit { folder: Some(folder), .. } = &ast.items[item].kind else { continue };
            let folder = folder.clone();
            match self.loader.folder(at, &folder.text, most) {
                Ok(names) if names.is_empty() => {
                    let why = format!("there is no sound file in `{}`", folder.text);
                    let help =
                        format!("a kit has a part for each {} file of the folder", sound_kinds::names());
                    self.problems.add(Problem::new(&codes::CANNOT_USE, folder.span, why).help(help));
                }
                Ok(names) => expand::fill(ast, item, &names, self.problems),
                Err(Unusable { why, help }) => {
                    let help = help.unwrap_or_else(|| "the path is relative to the file that says it".into());
                    self.problems.add(Problem::new(&codes::CANNOT_USE, folder.span, why).help(help));
                }
            }
        }
    }

    /// Writes out what the song has of kits and presets. Returns what the names of kits and their parts mean.
    fn write_out(&mut self, ast: &mut Ast, uses: &[usize]) -> Vec<Reference> {
        let all = || std::iter::once(&*ast).chain(uses.iter().map(|&file| &self.files.file(file).ast));
        let kits = self.prelude_kits(ast);
        if !kits.is_empty() || expand::is_needed(all()) {
            let seen: Vec<expand::Seen> = all().chain(&kits).map(expand::Seen::new).collect();
            return expand::expand(ast, &seen, &self.files.limits, self.problems);
        }
        vec![]
    }

    /// The kits of the prelude that have the name of something that is called.
    fn prelude_kits(&self, ast: &Ast) -> Vec<Ast> {
        let mut called: Vec<&str> = ast.callees().into_iter().collect();
        called.put_in_order();
        called.into_iter().filter_map(|name| self.files.prelude.kit(name, &*self.sources)).collect()
    }

    /// Reads the sounds that a file names, `sample("f.wav")`, and says what is wrong with them.
    fn named_sounds(&mut self, at: &Located, ast: &Ast, uses: &[usize]) -> FxHashMap<ExprId, Arc<Samples>> {
        let mut found = FxHashMap::default();
        let own = definition_kinds(ast);
        for expr in ast.exprs.values() {
            let Expr::Call { callee, args } = expr else { continue };
            if &*callee.name != "sample" || own.contains_key("sample") {
                continue;
            }
            let Some(path) = args.first().map(|arg| arg.value) else { continue };
            let Expr::Text(text) = &ast.exprs[path] else { continue };
            if uses.iter().any(|&file| self.files.file(file).definitions.contains_key("sample")) {
                continue;
            }
            let home = self.homes.get(&ast.span(path).source).unwrap_or(at).clone();
            let hash = args.get(1).and_then(|arg| match &ast.exprs[arg.value] {
                Expr::Text(text) => Some((ast.span(arg.value), &**text)),
                _ => None,
            });
            match self.sound(&home, (ast.span(path), text), hash) {
                Ok(samples) => _ = found.insert(path, samples),
                Err(Unusable { why, help }) => {
                    let help = help.unwrap_or_else(|| "the path is relative to the file that says it".into());
                    self.problems.add(Problem::new(&codes::CANNOT_USE, ast.span(path), why).help(help));
                }
            }
        }
        found
    }

    /// The sound that a path means in `from`, with what is written of its hash, read once.
    fn sound(
        &mut self,
        from: &Located,
        (span, path): (Span, &str),
        hash: Option<(Span, &str)>,
    ) -> Result<Arc<Samples>, Unusable> {
        let FoundSound { at, moved_to, changed_to } =
            self.loader.locate_sound(from, path, hash.map(|(_, hash)| hash))?;
        if let Some(now) = moved_to {
            let problem = Problem::new(&codes::MOVED_SOUND, span, format!("`{path}` is `{now}` now"));
            self.problems.add(problem.help(format!("write `\"{now}\"`")).fix(span, format!("\"{now}\"")));
        }
        if let Some((now, (span, _))) = changed_to.zip(hash) {
            let message = format!("`{}` is not the sound that this is the hash of", at.name);
            let problem = Problem::new(&codes::CHANGED_SOUND, span, message);
            let help = format!("where the sound was changed on purpose, write `hash: \"{now}\"`");
            self.problems.add(problem.help(help).guess(span, format!("\"{now}\"")));
        }
        if let Some(known) = self.sounds.get(&at.id) {
            return known.clone();
        }
        let most = self.files.limits.samples.saturating_sub(self.samples);
        let read = self.loader.samples(&at, most).map(Arc::new);
        self.samples += read.as_ref().map_or(0, |samples| samples.channels.iter().map(Vec::len).sum());
        self.sounds.insert(at.id, read.clone());
        read
    }

    /// What a name calls in a file with these definitions and used files.
    fn called(&self, own: &FxHashMap<Arc<str>, DefinitionKind>, uses: &[usize], name: &str) -> Called {
        if let Some(kind) = own.get(name) {
            return Called::of_kind(*kind);
        }
        let used = uses.iter().find_map(|&file| {
            let item = *self.files.file(file).definitions.get(name)?;
            Some(DefId { file, item })
        });
        match used.or_else(|| self.files.find_prelude(name)) {
            Some(def) => Called::of_kind(self.files.definition(def).kind),
            None if Builtin::find(name).is_some() => Called::Function,
            None => Called::Unknown,
        }
    }

    /// The texts of the files of tunings that a file names.
    fn tunings(&mut self, at: &Located, ast: &Ast) -> FxHashMap<Arc<str>, String> {
        let mut texts = FxHashMap::default();
        for item in &ast.items {
            let ItemKind::Tuning(Tuning::Files { scale, keyboard }) = &item.kind else { continue };
            for path in std::iter::once(scale).chain(keyboard) {
                let located = self.loader.locate(at, &path.text);
                match located.and_then(|located| self.text(&located)) {
                    Ok(text) => {
                        self.bytes += text.len();
                        texts.insert(path.text.clone(), text);
                    }
                    Err(Unusable { why, help }) => {
                        let help =
                            help.unwrap_or_else(|| "the path is relative to the file that says it".into());
                        self.problems.add(Problem::new(&codes::CANNOT_USE, path.span, why).help(help));
                    }
                }
            }
        }
        texts
    }

    /// The file that `path` means in `from`.
    fn used(&mut self, from: &Located, path: &str) -> Result<usize, Unusable> {
        let at = self.loader.locate(from, path)?;
        let name = at.name.clone();
        match self.known.get(&at.id) {
            Some(Known::Read(file)) => return Ok(*file),
            Some(Known::Unusable(why)) => return Err(why.clone()),
            Some(Known::Open) => {
                let words = format!("`{name}` uses itself: {} → {name}", self.open.join(" → "));
                return Err(Unusable { why: words, help: Some("take one of these `use`s out".into()) });
            }
            None => {}
        }
        let text = self.text(&at).inspect_err(|why| {
            self.known.insert(at.id.clone(), Known::Unusable(why.clone()));
        })?;
        self.bytes += text.len();
        let used = self.sources.add(name.as_str(), text.as_str());
        let pieces = self.pieces.as_deref_mut();
        let (ast, found) = syntax::parse_again(self.sources, used, &self.files.limits, pieces);
        self.problems.extend(found);
        Ok(self.add(used, at, ast))
    }

    /// The text of a file, if no limit is passed with it.
    fn text(&self, at: &Located) -> Result<String, Unusable> {
        let limits = &self.files.limits;
        let over = |why: String, limit: &str| {
            let help = format!("put more into fewer files, or pass `--limit {limit}=N`");
            Err(Unusable { why: format!("{why}, the limit `{limit}`"), help: Some(help) })
        };
        if self.open.len() >= limits.use_depth {
            let why = format!("files use files more than {} deep, the limit `use_depth`", limits.use_depth);
            return Err(Unusable { why, help: Some("use these files from the song itself".into()) });
        }
        if self.files.user.len() + self.open.len() >= limits.files {
            return over(format!("the song uses more than {} files", limits.files), "files");
        }
        let text = self.loader.read(at, limits.file_bytes)?;
        if self.bytes + text.len() > limits.all_file_bytes {
            let most = limits.all_file_bytes >> 10;
            return over(format!("the song and what it uses have more than {most} KiB"), "all_file_bytes");
        }
        Ok(text)
    }
}
