//! Following the edits of a song's files: the system tells of them, and they are looked at now and then besides, for file
//! systems that do not tell.

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked when the system does not tell.
const OFTEN: Duration = Duration::from_millis(20);
/// How often it is looked when it does: more often where it may tell late.
const SELDOM: Duration = Duration::from_millis(if cfg!(target_os = "linux") { 1000 } else { 100 });

/// How long a file may be away before that is reported.
const AWAY: Duration = Duration::from_millis(500);

/// The files of a song, as they were when it was compiled.
pub(super) struct Watch {
    files: Vec<Followed>,
    names: Arc<Mutex<Names>>,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    looked: Instant,
}

/// What notifications are looked for.
#[derive(Default)]
struct Names {
    /// The names of files that are followed.
    files: HashSet<OsString>,
    /// Folders in which files may come and go.
    folders: HashSet<PathBuf>,
}

/// A file that is followed, or a folder of which each file is a part of the song.
#[derive(Clone)]
struct Followed {
    path: PathBuf,
    is_folder: bool,
    /// How it was when it was looked at.
    stamp: Option<Stamp>,
    away: Away,
    /// What is there in its place, in words.
    instead: &'static str,
}

/// Whether a file is away.
#[derive(Clone, Copy)]
enum Away {
    No,
    Since(Instant),
    /// That has been reported.
    Reported,
}

/// How a file is known to be another one: when it was written, how long it is, and, where the system tells, which of the
/// disk's files it is, as one may take another's place that was written at the same time.
type Stamp = (SystemTime, u64, u64);

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    /// An ordinary file, with its stamp.
    File(Stamp),
    /// A folder, with the time at which a file last came or went.
    Folder(Stamp),
    /// Nothing, or what cannot be looked at.
    Nothing(&'static str),
}

impl Watch {
    /// Watches nothing yet. `touched` is called from another thread when a file may have changed.
    pub(super) fn new(touched: impl Fn() + Send + 'static) -> Watch {
        let names = Arc::new(Mutex::new(Names::default()));
        let known = names.clone();
        let notify = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let Ok(names) = known.lock() else { return };
            let is_file = |path: &PathBuf| path.file_name().is_some_and(|name| names.files.contains(name));
            let is_part = |path: &PathBuf| path.parent().is_some_and(|folder| names.folders.contains(folder));
            let written = is_written(&event.kind) && event.paths.iter().any(is_file);
            let comes_or_goes = is_written(&event.kind) || matches!(event.kind, EventKind::Remove(_));
            let moved = comes_or_goes && event.paths.iter().any(is_part);
            drop(names);
            if written || moved {
                touched();
            }
        };
        Watch {
            files: vec![],
            names,
            watcher: notify::recommended_watcher(notify).ok(),
            folders: BTreeSet::new(),
            looked: Instant::now(),
        }
    }

    /// The same without notifications: only by looking.
    #[cfg(test)]
    fn by_looking() -> Watch {
        Watch { watcher: None, ..Watch::new(|| {}) }
    }

    /// Watches these files. Those that were watched already may have changed since; the others are taken as they are.
    pub(super) fn follow(&mut self, paths: &[PathBuf]) {
        let before = std::mem::take(&mut self.files);
        let known = |path: &PathBuf| before.iter().find(|file| file.path == *path).cloned();
        // The compiler has reported one that is not there.
        let fresh = |path: &PathBuf| {
            let (stamp, is_folder, away) = match look(path) {
                Look::File(stamp) => (Some(stamp), false, Away::No),
                Look::Folder(stamp) => (Some(stamp), true, Away::No),
                Look::Nothing(_) => (None, false, Away::Reported),
            };
            Followed { path: path.clone(), is_folder, stamp, away, instead: "" }
        };
        self.files = paths.iter().map(|path| known(path).unwrap_or_else(|| fresh(path))).collect();
        if let Ok(mut names) = self.names.lock() {
            names.files.clear();
            let file_names =
                |path: &PathBuf| [path.clone(), real(path)].map(|p| p.file_name().map(OsString::from));
            names.files.extend(paths.iter().flat_map(file_names).flatten());
            let folders = self.files.iter().filter(|file| file.is_folder);
            names.folders = folders.flat_map(|file| [file.path.clone(), real(&file.path)]).collect();
        }
        // The folders are watched, because an editor may put another file in the place of this one.
        let around = |path: &PathBuf| {
            let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.to_path_buf()
        };
        let around = paths.iter().flat_map(|path| [path.clone(), real(path)]).map(|path| around(&path));
        let own = self.files.iter().filter(|file| file.is_folder).map(|file| real(&file.path));
        for folder in around.chain(own).collect::<Vec<_>>() {
            if !self.folders.contains(&folder) {
                let watcher = self.watcher.as_mut();
                if watcher.is_some_and(|w| w.watch(&folder, RecursiveMode::NonRecursive).is_err()) {
                    self.watcher = None;
                }
                self.folders.insert(folder);
            }
        }
    }

    /// Whether it is time to look without a notification.
    pub(super) fn is_due(&self) -> bool {
        self.looked.elapsed() >= if self.watcher.is_some() { SELDOM } else { OFTEN }
    }

    /// Whether one of them is another now, and when it was saved; then it is taken as it is. A file that is away for a
    /// moment (many editors write that way) is not.
    pub(super) fn changed(&mut self) -> Option<SystemTime> {
        self.looked = Instant::now();
        let mut saved = None;
        for file in &mut self.files {
            let now = match look(&file.path) {
                Look::File(now) => now,
                // A kit's folder that was not there may come.
                Look::Folder(now) if file.is_folder || file.stamp.is_none() => {
                    file.is_folder = true;
                    now
                }
                look @ (Look::Folder(_) | Look::Nothing(_)) => {
                    let instead = match look {
                        Look::Nothing(instead) => instead,
                        _ => "is a folder now",
                    };
                    file.instead = instead;
                    if matches!(file.away, Away::No) {
                        file.away = Away::Since(self.looked);
                    }
                    continue;
                }
            };
            file.away = Away::No;
            if Some(now) != file.stamp {
                file.stamp = Some(now);
                saved = saved.max(Some(now.0));
            }
        }
        saved
    }

    /// A file that has been away for longer than an editor needs, and what is the matter with it; reported once.
    pub(super) fn gone(&mut self) -> Option<(&Path, &'static str)> {
        let long = |away: Away| matches!(away, Away::Since(since) if since.elapsed() >= AWAY);
        let file = self.files.iter_mut().find(|file| long(file.away))?;
        file.away = Away::Reported;
        Some((&file.path, file.instead))
    }
}

/// The files of a compilation, each once; they may be away.
pub(super) fn files_of(used: &[PathBuf]) -> Vec<PathBuf> {
    let files: BTreeSet<PathBuf> = used.iter().cloned().collect();
    files.into_iter().collect()
}

/// Whether a file is written now, as a whole where the system tells that.
fn is_written(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(ModifyKind::Name(_)) => {
            true
        }
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any => !cfg!(target_os = "linux"),
        _ => false,
    }
}

/// Where a link leads.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

/// What stands at a path. Only files are read: of anything else no changes can be seen, and reading it may take for ever.
fn look(path: &Path) -> Look {
    let data = match std::fs::metadata(path) {
        Ok(data) => data,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let dangles = std::fs::symlink_metadata(path).is_ok();
            return Look::Nothing(if dangles { "is a link to what is not there" } else { "is gone" });
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Look::Nothing("is not allowed to be read");
        }
        Err(_) => return Look::Nothing("cannot be looked at"),
    };
    match data.modified() {
        Ok(modified) if data.is_file() => Look::File((modified, data.len(), which(&data))),
        Ok(modified) if data.is_dir() => Look::Folder((modified, 0, which(&data))),
        _ => Look::Nothing("is not an ordinary file now"),
    }
}

/// Which of the disk's files it is; 0 where the system does not say.
fn which(data: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(data);
    #[cfg(not(unix))]
    return u64::from(data.permissions().readonly());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc::channel;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mamc-watch-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Of a folder it is noticed that files come and go.
    #[test]
    fn files_that_come_and_go_are_noticed() {
        let (song, elsewhere) = (folder("kit"), folder("elsewhere"));
        let kit = song.join("kit");
        let mut watch = Watch::by_looking();
        watch.follow(std::slice::from_ref(&kit));
        assert_eq!(watch.changed(), None);
        fs::create_dir(&kit).unwrap();
        assert!(watch.changed().is_some(), "the folder is there");
        let old = SystemTime::UNIX_EPOCH;
        let aged = |watch: &mut Watch| {
            fs::File::open(&kit).unwrap().set_modified(old).unwrap();
            let _ = watch.changed();
        };
        for change in ["comes", "goes"] {
            aged(&mut watch);
            assert_eq!(watch.changed(), None);
            let file = kit.join("kick.wav");
            if change == "comes" { fs::write(&file, "x") } else { fs::remove_file(&file) }.unwrap();
            assert!(watch.changed().is_some(), "a file {change}");
        }
        let (sender, notices) = channel();
        let mut watch = Watch::new(move || sender.send(()).unwrap_or(()));
        watch.follow(std::slice::from_ref(&kit));
        fs::write(elsewhere.join("new.wav"), "x").unwrap();
        fs::rename(elsewhere.join("new.wav"), kit.join("new.wav")).unwrap();
        assert!(notices.recv_timeout(Duration::from_secs(10)).is_ok(), "a file that is moved there");
        while notices.recv_timeout(Duration::from_millis(50)).is_ok() {}
        fs::remove_file(kit.join("new.wav")).unwrap();
        assert!(notices.recv_timeout(Duration::from_secs(10)).is_ok(), "a file that is removed");
        [song, elsewhere].iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
    }

    /// Each way in which editors write is noticed: in place, by renaming, and after the file was away.
    #[test]
    fn a_file_that_is_written_or_replaced_is_noticed() {
        let folder = folder("noticed");
        let [song, used, missing, beside] =
            ["a.mam", "b.mam", "c.mam", "a.mam~"].map(|name| folder.join(name));
        fs::write(&song, "one").unwrap();
        fs::write(&used, "one").unwrap();
        let (sender, notices) = channel();
        let mut watch = Watch::new(move || sender.send(()).unwrap_or(()));
        assert!(watch.watcher.is_some());
        watch.follow(&[song.clone(), used.clone(), missing.clone()]);
        let mut noticed = |what: &str| {
            let until = Instant::now() + Duration::from_secs(10);
            while watch.changed().is_none() {
                assert!(notices.recv_timeout(until - Instant::now()).is_ok(), "{what} was not noticed");
            }
            while notices.recv_timeout(Duration::from_millis(50)).is_ok() {}
            // Where the system notifies before the whole file is written, the rest of it.
            let _ = watch.changed();
            assert_eq!(watch.changed(), None);
        };
        fs::write(&song, "three").unwrap();
        noticed("writing in place");
        fs::write(&beside, "beside").unwrap();
        fs::rename(&beside, &song).unwrap();
        noticed("renaming");
        fs::remove_file(&used).unwrap();
        fs::write(&used, "is back").unwrap();
        noticed("a file that is back");
        fs::write(&missing, "is there").unwrap();
        noticed("a file that was not there");
        fs::remove_dir_all(folder).unwrap();
    }

    /// What takes a file's place is reported as what it is, and never read.
    #[test]
    #[cfg(unix)]
    fn what_is_no_file_any_more_is_reported() {
        let folder = folder("instead");
        let song = folder.join("a.mam");
        fs::write(&song, "one").unwrap();
        let mut watch = Watch::by_looking();
        watch.follow(std::slice::from_ref(&song));
        watch.changed();
        let mut seen = |put: &dyn Fn()| {
            put();
            assert_eq!(watch.changed(), None);
            std::thread::sleep(AWAY);
            assert_eq!(watch.changed(), None);
            let reported = watch.gone().map(|(_, why)| why);
            // It comes back, as long and as old as it was.
            let _ = fs::remove_dir(&song);
            let _ = fs::remove_file(&song);
            fs::write(&song, "one").unwrap();
            watch.changed();
            assert_eq!(watch.gone(), None);
            reported
        };
        let away = || fs::remove_file(&song).unwrap();
        let then = |put: &dyn Fn()| {
            away();
            put();
        };
        assert_eq!(seen(&|| then(&|| fs::create_dir(&song).unwrap())), Some("is a folder now"));
        let fifo = || drop(std::process::Command::new("mkfifo").arg(&song).status());
        assert_eq!(seen(&|| then(&fifo)), Some("is not an ordinary file now"));
        let link = || std::os::unix::fs::symlink(folder.join("nowhere"), &song).unwrap();
        assert_eq!(seen(&|| then(&link)), Some("is a link to what is not there"));
        assert_eq!(seen(&away), Some("is gone"));
        fs::remove_dir_all(folder).unwrap();
    }

    /// A file of the same length and the same time is another one all the same.
    #[test]
    #[cfg(unix)]
    fn a_twin_in_its_place_is_noticed() {
        let folder = folder("twin");
        let [song, twin] = ["a.mam", "b.mam"].map(|name| folder.join(name));
        let time = SystemTime::now() - Duration::from_secs(60);
        for (path, text) in [(&song, "one"), (&twin, "two")] {
            fs::write(path, text).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }
        let mut watch = Watch::by_looking();
        watch.follow(std::slice::from_ref(&song));
        fs::rename(&twin, &song).unwrap();
        assert!(watch.changed().is_some());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn without_notifications_it_is_looked_often() {
        let folder = folder("looked");
        let song = folder.join("a.mam");
        fs::write(&song, "one").unwrap();
        let mut watch = Watch::by_looking();
        watch.follow(std::slice::from_ref(&song));
        assert_eq!(watch.changed(), None);
        fs::remove_file(&song).unwrap();
        assert_eq!(watch.changed(), None, "it is away for a moment");
        assert_eq!(watch.gone(), None);
        std::thread::sleep(AWAY);
        assert_eq!((watch.changed(), watch.gone()), (None, Some((&*song, "is gone"))));
        assert_eq!(watch.gone(), None, "it is reported once");
        fs::write(&song, "three").unwrap();
        std::thread::sleep(OFTEN);
        assert!(watch.is_due() && watch.changed().is_some() && !watch.is_due());
        fs::remove_dir_all(folder).unwrap();
    }
}
