//! Following the edits of a song's files, by looking at them: works with every editor and every file system.

use mam_grammar::Sources;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(20);

/// The files of a song, as they were when it was compiled.
pub(super) struct Files {
    all: Vec<(PathBuf, Option<Stamp>)>,
    looked: Instant,
}

type Stamp = (SystemTime, u64);

impl Files {
    /// The files among the texts of a compilation.
    pub(super) fn of(sources: &Sources) -> Files {
        let paths = sources.iter().map(|(_, s)| PathBuf::from(&*s.name)).filter(|p| p.is_file());
        Files { all: paths.map(|p| (p.clone(), stamp(&p))).collect(), looked: Instant::now() }
    }

    /// Whether one of them is another now. A file that is away for a moment (many editors write that way) is not.
    pub(super) fn changed(&mut self) -> bool {
        if self.looked.elapsed() < INTERVAL {
            return false;
        }
        self.looked = Instant::now();
        self.all.iter().any(|(path, before)| stamp(path).is_some_and(|now| Some(now) != *before))
    }

    /// Takes them as they are now: there is nothing to do until the next edit.
    pub(super) fn wait(&mut self) {
        self.all.iter_mut().for_each(|(path, before)| *before = stamp(path));
    }
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}
