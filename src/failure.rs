//! How a command ends when it does not end well, and the exit codes.

use mam_runtime::score::LAST_FRAME;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Why a command stopped. [`Failure::code`] is the one table of exit codes.
#[derive(Debug)]
pub enum Failure {
    /// The input has errors, which have been reported; or a check found differences.
    Input,
    /// The command line asks for what cannot be.
    Usage(String),
    /// Something cannot be read or written.
    Io(String),
    /// Something could not be read, which has been said.
    Unread,
    /// An input is not of the kind that it should be.
    WrongInput(String),
    /// There is no such audio device, or it does not work.
    Device(String),
    /// The reader of standard output has closed it.
    ClosedPipe,
}

impl Failure {
    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self {
            Failure::ClosedPipe => 0,
            Failure::Input | Failure::WrongInput(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Io(_) | Failure::Unread => 3,
            Failure::Device(_) => 4,
        }
    }

    /// `path` could not be read.
    pub fn read(path: &str, error: &io::Error) -> Failure {
        Failure::Io(format!("cannot read `{path}`: {}", words(error)))
    }

    /// `path` could not be written; `-` is standard output.
    pub fn write(path: &Path, error: &io::Error) -> Failure {
        if path == Path::new("-") {
            return Failure::stdout(error);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        if let (ErrorKind::NotFound, Some(folder)) = (error.kind(), folder) {
            let why = format!("there is no folder `{}`; make it first", folder.display());
            return Failure::Io(format!("cannot write `{}`: {why}", path.display()));
        }
        Failure::Io(format!("cannot write `{}`: {}", path.display(), words(error)))
    }

    /// There is no sound from a device.
    pub fn device(error: &mam_runtime::output::OutputError) -> Failure {
        Failure::Device(without_numbers(&error.to_string()))
    }

    /// Standard output could not be written.
    pub fn stdout(error: &io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Io(format!("cannot write to standard output: {}", words(error))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input | Failure::Unread | Failure::ClosedPipe => Ok(()),
            Failure::Usage(words)
            | Failure::Io(words)
            | Failure::WrongInput(words)
            | Failure::Device(words) => f.write_str(words),
        }
    }
}

/// Why a place in time is refused: frames behind the last one are not counted.
pub fn too_far(what: &str, rate: u32) -> String {
    let days = LAST_FRAME / u64::from(rate) / 86_400;
    format!(
        "{what} lies behind frame {LAST_FRAME}, the last one that mam counts to ({days} days at {rate} Hz)"
    )
}

/// An error of the system in plain words, with what to do where there is something.
pub fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".into(),
        ErrorKind::PermissionDenied => "you are not allowed to".into(),
        ErrorKind::IsADirectory => "it is a folder".into(),
        ErrorKind::NotADirectory => "a part of the path is not a folder".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        ErrorKind::ReadOnlyFilesystem => "the disk can only be read".into(),
        ErrorKind::FileTooLarge => "the file would be larger than is allowed".into(),
        ErrorKind::InvalidFilename => "the name is not one that a file can have".into(),
        ErrorKind::InvalidData => "it is not text in UTF-8".into(),
        ErrorKind::AddrInUse => "another program listens there; take another port".into(),
        ErrorKind::AddrNotAvailable => {
            "it is not an address of this machine; `0.0.0.0` is all of them".into()
        }
        ErrorKind::BrokenPipe => "its reader has closed it".into(),
        _ => {
            // The system's own words, without the number that Rust adds.
            let text = without_numbers(&error.to_string());
            let mut letters = text.chars();
            letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
        }
    }
}

/// The text without the numbers of errors that Rust puts behind the system's words.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or("").to_string();
    parts.fold(first, |all, part| all + part.split_once(')').map_or("", |(_, rest)| rest))
}
