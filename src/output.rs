//! Files that are written whole or not at all: into a temporary file beside the target, which takes its name at the end.
//!
//! Every file that mamc writes goes through here: none of them replaces what the command reads ([`Inputs`]). What is not an
//! ordinary file (a pipe, a device, standard output) is written as it comes. [`clean_up_on_interrupt`] sees to it that Ctrl-C
//! leaves nothing half-written.

use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::NamedTempFile;

/// The unfinished files of this process.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether Ctrl-C asks for a gentle end, and whether it was asked for.
static GENTLE: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

/// Links that are followed, one after another.
const MOST_LINKS: usize = 40;
/// Bytes of the target's name that stand in a temporary file's: together they fit every file system.
const MOST_OF_NAME: usize = 100;
/// The end of a temporary file's name.
const PART: &str = ".part";

/// From now on Ctrl-C is a request that [`asked_to_stop`] reports; a second one ends the process.
pub fn stop_gently_on_interrupt() {
    GENTLE.store(true, Ordering::Relaxed);
}

/// Whether there was a Ctrl-C since [`stop_gently_on_interrupt`].
pub fn asked_to_stop() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// From now on Ctrl-C (and a request to end) removes unfinished files, calls `restore_terminal` and exits with 130.
pub fn clean_up_on_interrupt(restore_terminal: fn()) {
    // A second handler cannot be there: this is called once, at the start.
    let _ = ctrlc::set_handler(move || {
        if GENTLE.load(Ordering::Relaxed) && !STOP.swap(true, Ordering::Relaxed) {
            return;
        }
        let unfinished = UNFINISHED.lock().map(|l| l.clone()).unwrap_or_default();
        unfinished.iter().for_each(|path| drop(fs::remove_file(path)));
        restore_terminal();
        std::process::exit(130);
    });
}

/// Which file a path leads to, whatever the path: links, hard links and `..` are seen through.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl Identity {
    /// None where there is no file.
    #[cfg(unix)]
    fn read(path: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|m| Identity((m.dev(), m.ino())))
    }

    /// None where there is no file.
    #[cfg(not(unix))]
    fn read(path: &Path) -> Option<Identity> {
        fs::canonicalize(path).ok().map(Identity)
    }
}

/// The files that a command reads. None of them is ever written over.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Vec<(Identity, PathBuf)>);

impl Inputs {
    /// Of these paths, those that lead to files.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Inputs {
        let named = |path: &Path| Some((Identity::read(path)?, path.to_path_buf()));
        Inputs(paths.into_iter().filter_map(named).collect())
    }

    /// Refuses a target that is one of them.
    ///
    /// # Errors
    /// When it is.
    pub fn protect(&self, target: &Path) -> Result<(), Failure> {
        let Some(identity) = Identity::read(target).filter(|_| target != Path::new("-")) else {
            return Ok(());
        };
        // A device may be read and written.
        if !target.is_file() {
            return Ok(());
        }
        match self.0.iter().find(|(input, _)| *input == identity) {
            None => Ok(()),
            Some((_, input)) => Err(Failure::Usage(format!(
                "`{}` would be written over `{}`, which is read: give the output another name",
                target.display(),
                input.display()
            ))),
        }
    }
}

/// A file in the making. Dropped without [`Output::finish`], it leaves nothing behind.
pub struct Output {
    /// As it was named.
    named: PathBuf,
    destination: Destination,
}

/// Where the bytes go.
enum Destination {
    /// Into a file beside the target, which is behind all links.
    Beside { temporary: NamedTempFile, target: PathBuf },
    /// To what is not an ordinary file.
    Stream(File),
    /// To standard output, which is not rewound or renamed.
    Stdout,
}

impl Output {
    /// Starts a file that will be `target`, which must not be one of `inputs`; `-` is standard output.
    ///
    /// # Errors
    /// When it is an input, or cannot be written.
    pub fn create(target: &Path, inputs: &Inputs) -> Result<Output, Failure> {
        let named = target.to_path_buf();
        if target == Path::new("-") {
            return Ok(Output { named, destination: Destination::Stdout });
        }
        inputs.protect(target)?;
        let place = behind_links(target);
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_symlink()) {
            let why = "it is a link that leads to itself, or too many links after one another";
            return Err(Failure::write(target, &io::Error::other(why)));
        }
        let destination = Destination::open(&place).map_err(|e| Failure::write(target, &e))?;
        Ok(Output { named, destination })
    }

    /// Whether it can be rewound: everything but pipes, devices and standard output.
    pub fn is_seekable(&self) -> bool {
        matches!(self.destination, Destination::Beside { .. })
    }

    /// Gives the file its name, when all of it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        let named = std::mem::take(&mut self.named);
        self.put_in_place().map_err(|e| Failure::write(&named, &e))
    }

    fn put_in_place(mut self) -> io::Result<()> {
        self.flush()?;
        let Destination::Beside { temporary, target } = &mut self.destination else { return Ok(()) };
        let file = temporary.as_file();
        if let Ok(before) = fs::metadata(&*target) {
            keep_owner(file, &before);
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(temporary.path(), target)
    }
}

/// Writes `text` to `path`, whole or not at all, unless it is one of `inputs`.
///
/// # Errors
/// When it is an input, or cannot be written.
pub fn write_text(path: &Path, text: &str, inputs: &Inputs) -> Result<(), Failure> {
    let mut output = Output::create(path, inputs)?;
    output.write_all(text.as_bytes()).map_err(|e| Failure::write(path, &e))?;
    output.finish()
}

/// Writes `text` into a file that is not there yet.
///
/// # Errors
/// When there is such a file, which is left as it is, or it cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = File::create_new(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(format!(
            "`{}` is there already, and is left as it is: give the new song another name",
            path.display()
        )),
        _ => Failure::write(path, &e),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        // It is ours, and not whole.
        let _ = fs::remove_file(path);
        Failure::write(path, &e)
    })
}

/// A new file that grows, and stays as far as it is written, whatever ends the process.
pub struct Growing {
    path: PathBuf,
    file: File,
}

impl Growing {
    /// Begins a file that is not there yet.
    ///
    /// # Errors
    /// When it is there, or cannot be written.
    pub fn create(path: &Path) -> Result<Growing, Failure> {
        let file = File::create_new(path).map_err(|e| Failure::write(path, &e))?;
        Ok(Growing { path: path.into(), file })
    }

    /// Adds bytes at its end.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Takes the file away again.
    pub fn discard(&mut self) {
        // It is ours; what cannot be removed stays.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a folder and those around it, if they are not there.
///
/// # Errors
/// When it cannot be made.
pub fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|e| Failure::write(folder, &e))
}

/// Writes a folder of files, each with its path in it, whole or not at all: in the place of what has its name, if that is a
/// folder. It must not hold one of `inputs`.
///
/// # Errors
/// When an input would be written over, something else has its name, or it cannot be written.
pub fn write_folder(target: &Path, files: &[(&Path, &[u8])], inputs: &Inputs) -> Result<(), Failure> {
    files.iter().try_for_each(|(path, _)| inputs.protect(&target.join(path)))?;
    let target = behind_links(target);
    let write = || {
        let beside = target.parent().unwrap_or(Path::new("."));
        let made = tempfile::Builder::new().prefix(".mamc-").suffix(PART).tempdir_in(beside)?;
        let whole = made.path().join("new");
        for (path, bytes) in files {
            let path = whole.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&whole))?;
            fs::write(path, bytes)?;
        }
        let before = made.path().join("old");
        if target.is_dir() {
            fs::rename(&target, &before)?;
        }
        fs::rename(&whole, &target).inspect_err(|_| {
            // What was there comes back.
            let _ = fs::rename(&before, &target);
        })
    };
    write().map_err(|e| Failure::write(&target, &e))
}

/// The path that a target's links lead to, whether there is a file or not; its folder is in its canonical form.
pub fn behind_links(target: &Path) -> PathBuf {
    let mut path = target.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    let folder = path.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    match (folder.and_then(|f| fs::canonicalize(f).ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

impl Destination {
    fn open(target: &Path) -> io::Result<Destination> {
        match fs::metadata(target) {
            Ok(m) if m.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(m) if !m.is_file() => {
                return OpenOptions::new().write(true).open(target).map(Destination::Stream);
            }
            Ok(m) if m.permissions().readonly() => return Err(io::ErrorKind::PermissionDenied.into()),
            _ => {}
        }
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let prefix = prefix(&name.to_string_lossy());
        remove_stale(folder, &prefix);
        let temporary = temporary(folder, &prefix)?;
        Ok(Destination::Beside { temporary, target: target.into() })
    }
}

/// How the names of a target's temporary files begin: hidden, and not too long.
fn prefix(name: &str) -> String {
    let end = (0..=MOST_OF_NAME.min(name.len())).rev().find(|&i| name.is_char_boundary(i)).unwrap_or(0);
    format!(".{}.", &name[..end])
}

/// A new file that was not there before. It is locked as long as it is in use.
fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(PART).rand_bytes(8);
    builder.make_in(folder, |path| {
        // Before it exists: an interrupt may come at once.
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.push(path.into());
        }
        let file = OpenOptions::new().write(true).read(true).create_new(true).open(path);
        let file = file.and_then(|file| {
            // Where there are no locks, nothing is ever taken for stale.
            let _ = file.try_lock();
            // Between these two steps another process may have taken it for stale.
            if path.exists() { Ok(file) } else { Err(io::ErrorKind::AlreadyExists.into()) }
        });
        if file.is_err() {
            forget(path);
        }
        file
    })
}

/// Removes the temporary files of the same target that ended processes left: those that can be locked.
fn remove_stale(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(middle) = name.to_str().and_then(|n| n.strip_prefix(prefix)?.strip_suffix(PART)) else {
            continue;
        };
        let is_ours = !middle.is_empty() && middle.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_ours || !entry.file_type().is_ok_and(|t| t.is_file()) {
            continue;
        }
        let path = entry.path();
        if OpenOptions::new().write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Gives a file the owner and the group that another had, as far as this process may.
#[cfg(unix)]
fn keep_owner(file: &File, before: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let same = file.metadata().is_ok_and(|m| (m.uid(), m.gid()) == (before.uid(), before.gid()));
    if !same && fchown(file, Some(before.uid()), Some(before.gid())).is_err() {
        // Only root gives files away; a group of one's own is possible.
        let _ = fchown(file, None, Some(before.gid()));
    }
}

/// Gives a file the owner and the group that another had: not where there are none.
#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

impl Drop for Output {
    fn drop(&mut self) {
        if let Destination::Beside { temporary, .. } = &self.destination {
            // The file itself is removed with its handle, unless it has got its name.
            forget(temporary.path());
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.destination {
            Destination::Beside { temporary, .. } => temporary.as_file_mut().write(bytes),
            Destination::Stream(file) => file.write(bytes),
            Destination::Stdout => io::stdout().lock().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Beside { temporary, .. } => temporary.as_file_mut().flush(),
            Destination::Stream(file) => file.flush(),
            Destination::Stdout => io::stdout().lock().flush(),
        }
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.destination {
            Destination::Beside { temporary, .. } => temporary.as_file_mut().seek(to),
            Destination::Stream(_) | Destination::Stdout => Err(io::ErrorKind::NotSeekable.into()),
        }
    }
}

fn forget(temporary: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.retain(|p| p != temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |e: io::Result<fs::DirEntry>| e.unwrap().file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_ended_processes_left_is_removed_and_what_is_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.wav");
        for name in [".x.wav.4711.part", ".x.wav.AbCd1234.part", ".y.wav.4711.part", ".x.wav.a.b.part"] {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let first = Output::create(&target, &Inputs::default()).unwrap();
        let second = Output::create(&target, &Inputs::default()).unwrap();
        assert_eq!(names(folder.path()).len(), 4, "{:?}", names(folder.path()));
        first.finish().unwrap();
        drop(second);
        assert_eq!(names(folder.path()), [".x.wav.a.b.part", ".y.wav.4711.part", "x.wav"]);
    }

    #[test]
    fn names_may_be_as_long_as_the_file_system_has_them() {
        let folder = tempfile::tempdir().unwrap();
        for letter in ["x", "ü"] {
            let target = folder.path().join(letter.repeat(250 / letter.len()) + ".wav");
            write_text(&target, "text", &Inputs::default()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "text");
        }
    }

    #[test]
    fn a_folder_takes_the_place_of_another_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str, inputs: &Inputs| {
            write_folder(&path(name), &[(Path::new("a/b.txt"), text.as_bytes())], inputs)
        };
        write("x.clap", "one", &Inputs::default()).unwrap();
        fs::write(path("x.clap/old"), "old").unwrap();
        write("x.clap", "two", &Inputs::default()).unwrap();
        assert_eq!(names(&path("x.clap")), ["a"]);
        assert_eq!(fs::read_to_string(path("x.clap/a/b.txt")).unwrap(), "two");
        let inputs = Inputs::new([path("x.clap/a/b.txt").as_path()]);
        assert!(matches!(write("x.clap", "three", &inputs), Err(Failure::Usage(_))));
        fs::write(path("file"), "file").unwrap();
        assert!(matches!(write("file", "four", &Inputs::default()), Err(Failure::Io(_))));
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "file");
        assert_eq!(names(folder.path()), ["file", "x.clap"], "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        symlink("sub/real.txt", path("link")).unwrap();
        symlink("link", path("link of link")).unwrap();
        write_text(&path("link of link"), "one", &Inputs::default()).unwrap();
        assert_eq!(fs::read_to_string(path("sub/real.txt")).unwrap(), "one", "the link dangled");
        fs::set_permissions(path("sub/real.txt"), fs::Permissions::from_mode(0o640)).unwrap();
        write_text(&path("link"), "two", &Inputs::default()).unwrap();
        assert_eq!(fs::read_to_string(path("sub/real.txt")).unwrap(), "two");
        assert_eq!(fs::metadata(path("sub/real.txt")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(names(folder.path()), ["link", "link of link", "sub"]);
        assert_eq!(names(&path("sub")), ["real.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn no_path_leads_over_an_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        fs::write(path("song.mam"), "song").unwrap();
        std::os::unix::fs::symlink("song.mam", path("link.wav")).unwrap();
        fs::hard_link(path("song.mam"), path("hard.wav")).unwrap();
        let inputs = Inputs::new([path("song.mam").as_path()]);
        for target in ["song.mam", "sub/../song.mam", "link.wav", "hard.wav"] {
            let refused = write_text(&path(target), "sound", &inputs).unwrap_err();
            assert!(matches!(refused, Failure::Usage(_)), "{target}");
        }
        write_text(&path("other.wav"), "sound", &inputs).unwrap();
        assert_eq!(fs::read_to_string(path("song.mam")).unwrap(), "song");
    }
}
