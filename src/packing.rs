//! A song with all the files that it names, in one package, and a plug-in made of that: a prebuilt shared library (the
//! *shell*, crate `plugin`) with the package behind it.

use crate::failure::Failure;
use crate::input::{Disk, Song};
use crate::output::{self, Inputs, Output};
use mam_compiler::files::{FoundSound, Loader, Located, Samples, Unusable};
use mam_compiler::sets::Settable;
use mam_compiler::{Compilation, Options, Stage, compile};
use mam_grammar::{Problem, Severity, Sources};
use mam_package::{MOST_CHANNELS, Manifest, Package, PackedFiles, ParamClash, RESOURCE, Settings, listing};
use mam_runtime::Program;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a packed song is called where it is not a file.
const UNNAMED: &str = "song.mam";

/// What is said of a plug-in beside its song.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// What hosts know it by; made of the name where `None`.
    pub id: Option<String>,
    /// What people call it.
    pub name: String,
    /// The score follows the host's transport.
    pub plays: bool,
}

/// Finds and reads files on the disk, and remembers those that were read, by the names that a package has for them.
struct Recorder {
    disk: Disk,
    /// The file that each package's name was given to by the disk.
    located: RefCell<BTreeMap<String, Located>>,
    read: RefCell<BTreeMap<String, Located>>,
    /// The lists of folders' sound files, by the names of the folders.
    folders: RefCell<BTreeMap<String, Vec<String>>>,
}

impl Recorder {
    fn remember(&self, file: &Located) -> Located {
        let on_disk = self.located.borrow().get(&file.name).cloned().unwrap_or_else(|| file.clone());
        self.read.borrow_mut().insert(file.name.clone(), on_disk.clone());
        on_disk
    }
}

impl Loader for Recorder {
    fn song(&self, name: &str) -> Located {
        self.disk.song(name)
    }

    fn locate(&self, from: &Located, path: &str) -> Result<Located, Unusable> {
        let on_disk = self.disk.locate(from, path)?;
        let name = PackedFiles::name(&from.name, path);
        let packed = Located { id: on_disk.id.clone(), name: name.clone() };
        self.located.borrow_mut().insert(name, on_disk);
        Ok(packed)
    }

    fn locate_sound(&self, from: &Located, path: &str, hash: Option<&str>) -> Result<FoundSound, Unusable> {
        let on_disk = self.disk.locate_sound(from, path, hash)?.at;
        // In the package it is where the song says.
        let name = PackedFiles::name(&from.name, path);
        let at = Located { id: on_disk.id.clone(), name: name.clone() };
        self.located.borrow_mut().insert(name, on_disk);
        Ok(FoundSound { at, moved_to: None, changed_to: None })
    }

    fn read(&self, file: &Located, most: usize) -> Result<String, Unusable> {
        self.disk.read(&self.remember(file), most)
    }

    fn folder(&self, from: &Located, path: &str, most: usize) -> Result<Vec<String>, Unusable> {
        let names = self.disk.folder(from, path, most)?;
        self.folders.borrow_mut().insert(PackedFiles::name(&from.name, path), names.clone());
        Ok(names)
    }

    fn samples(&self, file: &Located, most: usize) -> Result<Samples, Unusable> {
        self.disk.samples(&self.remember(file), most)
    }
}

/// Packs a song that compiles without errors, with `settings` as a plug-in will compile it.
///
/// # Errors
/// When a file of it cannot be read any more, two of its parameters would be one to a host, or it has more channels than a
/// host can have.
pub fn pack(
    song: &Song,
    allow_outside: bool,
    settings: Settings,
    identity: Identity,
) -> Result<Package, Failure> {
    let files = recorded(song, allow_outside, &settings)?;
    let (compilation, settable) = compiled_from(&files, &settings)?;
    let Some(program) = compilation.program.as_ref() else { return Err(not_by_itself(&compilation)) };
    let mut manifest = Manifest {
        id: identity.id.unwrap_or_else(|| format!("mam.{}", slug(&identity.name))),
        name: identity.name,
        version: env!("CARGO_PKG_VERSION").into(),
        settings,
        plays: identity.plays,
        features: features(program),
        ..Manifest::default()
    };
    manifest.describe(program, settable.iter()).map_err(|ParamClash(first, second)| {
        Failure::WrongInput(format!(
            "a host could not tell `{first}` from `{second}`: their names have one number of 31 bits; rename one of them"
        ))
    })?;
    if manifest.channels > MOST_CHANNELS {
        let channels = manifest.channels;
        return Err(Failure::Usage(format!(
            "{channels} channels are too many for a plug-in: {MOST_CHANNELS} at most"
        )));
    }
    Ok(Package { manifest, files })
}

/// The failure of a song that compiles where it lies, and not from what is packed: a sound that is streamed from its file.
fn not_by_itself(compilation: &Compilation) -> Failure {
    let is_error = |problem: &&Problem| problem.code.severity == Severity::Error;
    let Some(problem) = compilation.problems.iter().find(is_error) else { return Failure::Input };
    let help = problem.help.as_ref().map_or(String::new(), |help| format!(": {help}"));
    Failure::WrongInput(format!("the song cannot be packed: {}{help}", problem.message))
}

/// A song's text and all files that it names, by the names that lead to them from the song's folder.
fn recorded(
    song: &Song,
    allow_outside: bool,
    settings: &Settings,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let text = song.sources.get(song.id).text.to_string();
    let name =
        song.path.as_deref().and_then(Path::file_name).map_or(UNNAMED.into(), |name| name.to_string_lossy());
    let disk = Disk::new(song.path.as_deref(), allow_outside);
    let recorder =
        Recorder { disk, located: RefCell::default(), read: RefCell::default(), folders: RefCell::default() };
    let mut sources = Sources::default();
    let id = sources.add(&*name, text.as_str());
    compile(&mut sources, id, &recorder, &Options { until: Stage::Parse, ..settings.options(0, 0) });
    let mut files = vec![(name.to_string(), text.into_bytes())];
    for (name, located) in recorder.read.into_inner() {
        let bytes = recorder.disk.bytes(&located).map_err(|unusable| Failure::Io(unusable.why))?;
        files.push((name, bytes));
    }
    let folders = recorder.folders.into_inner().into_iter();
    files.extend(folders.map(|(folder, names)| (listing(&folder), names.join("\n").into_bytes())));
    Ok(files)
}

/// What a plug-in will make of the files of a package.
fn compiled_from(
    files: &[(String, Vec<u8>)],
    settings: &Settings,
) -> Result<(Compilation, Settable), Failure> {
    let (name, text) = &files[0];
    let mut sources = Sources::default();
    let id = sources.add(name.as_str(), String::from_utf8_lossy(text));
    let options = Options { until: Stage::Plan, ..settings.options(0, 0) };
    let compilation = compile(&mut sources, id, &PackedFiles::new(files.to_vec()), &options);
    let settable = Settable::new(&compilation.stages.lowered.slots);
    Ok((compilation, settable))
}

/// What a host lists it under.
fn features(program: &Program) -> Vec<String> {
    let plays = (!program.targets.is_empty()).then_some(["instrument", "synthesizer"]);
    let hears = (!program.inputs.is_empty()).then_some("audio-effect");
    let width = match program.outputs.len() {
        1 => Some("mono"),
        2 => Some("stereo"),
        _ => None,
    };
    let mut all: Vec<&str> = plays.into_iter().flatten().chain(hears).collect();
    if all.is_empty() {
        all.push("instrument");
    }
    all.into_iter().chain(width).map(String::from).collect()
}

/// A name as a part of an id: letters and digits, the rest a hyphen.
fn slug(name: &str) -> String {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The file name of the shell that is built with this command.
pub fn shell_name() -> String {
    format!("{}mam_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Finds the shell: beside this program, or in `../lib` of it.
///
/// # Errors
/// When it is in neither place.
pub fn shell() -> Result<PathBuf, Failure> {
    let name = shell_name();
    let folder = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_path_buf()));
    let places = folder.iter().flat_map(|folder| [folder.join(&name), folder.join("../lib").join(&name)]);
    let mut places = places.filter(|place| place.is_file());
    places.next().ok_or_else(|| {
        Failure::Io(format!(
            "`{name}`, which every plug-in is a copy of, is not beside mamc: `cargo build --release` in mam's folder builds both"
        ))
    })
}

/// Writes a plug-in: the shell with the package appended, or on macOS a bundle with both in it, since what is appended to a
/// signed file would break its signature.
///
/// # Errors
/// When something cannot be read or written.
pub fn write_plugin(target: &Path, shell: &Path, package: &Package, inputs: &Inputs) -> Result<(), Failure> {
    let code = fs::read(shell).map_err(|e| Failure::read(&shell.display().to_string(), &e))?;
    if cfg!(target_os = "macos") {
        return write_bundle(target, &code, package, inputs);
    }
    let mut output = Output::create(target, inputs)?;
    let written = output.write_all(&code).and_then(|()| output.write_all(&package.to_bytes()));
    written.map_err(|e| Failure::write(target, &e))?;
    output.finish()
}

/// Writes a bundle of macOS.
///
/// # Errors
/// When it cannot be written.
pub fn write_bundle(target: &Path, code: &[u8], package: &Package, inputs: &Inputs) -> Result<(), Failure> {
    let contents = Path::new("Contents");
    let list = property_list(&package.manifest);
    let files: [(&Path, &[u8]); 4] = [
        (&contents.join("Info.plist"), list.as_bytes()),
        (&contents.join("PkgInfo"), b"BNDL????"),
        (&contents.join("MacOS").join(EXECUTABLE), code),
        (&contents.join("Resources").join(RESOURCE), &package.to_bytes()),
    ];
    output::write_folder(target, &files, inputs)
}

/// The name of a bundle's code.
const EXECUTABLE: &str = "plugin";

/// What macOS wants to know of a bundle.
fn property_list(manifest: &Manifest) -> String {
    let entry = |(key, value): (&str, &str)| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("  <key>{key}</key>\n  <string>{value}</string>\n")
    };
    let entries: String = [
        ("CFBundleDevelopmentRegion", "en"),
        ("CFBundleExecutable", EXECUTABLE),
        ("CFBundleIdentifier", &manifest.id),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", &manifest.name),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleShortVersionString", &manifest.version),
        ("CFBundleVersion", &manifest.version),
    ]
    .into_iter()
    .map(entry)
    .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n{entries}</dict>\n</plist>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_names() {
        assert_eq!(slug("  Deep & Wide (2)"), "deep-wide-2");
        assert_eq!(slug("été"), "été");
    }

    #[test]
    fn property_lists_hold_any_name() {
        let list = property_list(&Manifest { name: "a<b>&c".into(), ..Manifest::default() });
        assert!(list.contains("<string>a&lt;b&gt;&amp;c</string>"), "{list}");
    }
}
