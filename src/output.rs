//! Files that are written whole or not at all: into a file beside the target, which takes its name at the end.
//!
//! [`clean_up_on_interrupt`] sees to it that Ctrl-C leaves nothing half-written.

use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The unfinished files of this process.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether Ctrl-C asks for a gentle end, and whether it was asked for.
static GENTLE: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is a wish that [`asked_to_stop`] tells; a second one ends the process.
pub fn stop_gently_on_interrupt() {
    GENTLE.store(true, Ordering::Relaxed);
}

/// Whether there was a Ctrl-C since [`stop_gently_on_interrupt`].
pub fn asked_to_stop() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// From now on Ctrl-C (and a request to end) removes unfinished files and exits with 130.
pub fn clean_up_on_interrupt() {
    // A second handler cannot be there: this is called once, at the start.
    let _ = ctrlc::set_handler(|| {
        if GENTLE.load(Ordering::Relaxed) && !STOP.swap(true, Ordering::Relaxed) {
            return;
        }
        let unfinished = UNFINISHED.lock().map(|l| l.clone()).unwrap_or_default();
        unfinished.iter().for_each(|path| drop(fs::remove_file(path)));
        crate::live::restore_terminal();
        std::process::exit(130);
    });
}

/// A file in the making. Dropped without [`Output::finish`], it leaves nothing behind.
pub struct Output {
    target: PathBuf,
    held: Held,
}

/// Where the bytes are until the end.
enum Held {
    /// In a file beside the target.
    Beside(File, PathBuf),
    /// In memory: the target is no ordinary file (a pipe, a device), or standard output.
    Memory(Cursor<Vec<u8>>),
}

impl Output {
    /// Starts a file that will be `target`; `-` is standard output.
    pub fn create(target: &Path) -> Result<Output, Failure> {
        let fail = |e: &io::Error| Failure::write(target, e);
        if target == Path::new("-") {
            return Ok(Output { target: target.into(), held: Held::Memory(Cursor::default()) });
        }
        // A link stays a link: what it leads to is replaced.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.into());
        match fs::metadata(&target) {
            Ok(m) if m.is_dir() => return Err(fail(&io::ErrorKind::IsADirectory.into())),
            Ok(m) if !m.is_file() => return Ok(Output { target, held: Held::Memory(Cursor::default()) }),
            Ok(m) if m.permissions().readonly() => return Err(fail(&io::ErrorKind::PermissionDenied.into())),
            _ => {}
        }
        let beside = beside(&target).ok_or_else(|| fail(&io::ErrorKind::IsADirectory.into()))?;
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.push(beside.clone());
        }
        match OpenOptions::new().write(true).read(true).create(true).truncate(true).open(&beside) {
            Ok(file) => Ok(Output { target, held: Held::Beside(file, beside) }),
            Err(e) => {
                forget(&beside);
                Err(fail(&e))
            }
        }
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<(), Failure> {
        let done = match &mut self.held {
            Held::Beside(file, beside) => {
                let kept = fs::metadata(&self.target).map(|m| m.permissions());
                let kept = kept.map_or(Ok(()), |p| file.set_permissions(p));
                kept.and_then(|()| fs::rename(&*beside, &self.target))
            }
            Held::Memory(bytes) if self.target == Path::new("-") => {
                return crate::console::Console::default().bytes(bytes.get_ref());
            }
            Held::Memory(bytes) => fs::write(&self.target, bytes.get_ref()),
        };
        done.map_err(|e| Failure::write(&self.target, &e))
    }

    /// What stands in the file so far.
    pub fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.seek(SeekFrom::Start(0))?;
        match &mut self.held {
            Held::Beside(file, _) => file.read_to_end(&mut bytes)?,
            Held::Memory(memory) => memory.read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

/// Writes `text` to `path`, whole or not at all.
pub fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    let mut output = Output::create(path)?;
    output.write_all(text.as_bytes()).map_err(|e| Failure::write(path, &e))?;
    output.finish()
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Held::Beside(_, beside) = &self.held {
            // After a rename there is nothing to remove.
            let _ = fs::remove_file(beside);
            forget(beside);
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.held {
            Held::Beside(file, _) => file.write(bytes),
            Held::Memory(memory) => memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.held {
            Held::Beside(file, _) => file.flush(),
            Held::Memory(_) => Ok(()),
        }
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.held {
            Held::Beside(file, _) => file.seek(to),
            Held::Memory(memory) => memory.seek(to),
        }
    }
}

/// A hidden name in the target's folder, this process's own.
fn beside(target: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name()?);
    name.push(format!(".{}.part", std::process::id()));
    Some(target.with_file_name(name))
}

fn forget(beside: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.retain(|p| p != beside);
    }
}
