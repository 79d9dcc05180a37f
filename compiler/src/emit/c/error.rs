//! Why a song has no C.

use std::fmt;

/// Why a song can't be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// Its score has more frames than are counted in 32 bits.
    TooLong,
    /// A pass of its score has more events than a table holds.
    TooManyEvents,
    /// It takes more than 4 GB of memory.
    TooMuchMemory,
    /// It has a block node, which has no machine code of its own.
    Block(&'static str),
    /// It plays the sound of this name, which is read while it plays.
    Streamed(String),
    /// A kernel holds what has no C: a bug of ours, never of the user.
    Kernel(String),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::TooLong => f.write_str("its score has more than 2³² frames: choose fewer bars"),
            ExportError::TooManyEvents => {
                f.write_str("a pass of its score has more than 262144 events: make it shorter with `length`")
            }
            ExportError::TooMuchMemory => f.write_str("it takes more than 4 GB of memory"),
            ExportError::Streamed(name) => write!(
                f,
                "`{name}` is streamed, as it is longer than the limit `samples`, and a file of code has its sounds in it: \
                 take a shorter one, or pass `--limit samples=N`"
            ),
            ExportError::Block(name) => {
                write!(f, "it has a {name}, which an object file cannot hold: build it as C, `-o song.c`")
            }
            ExportError::Kernel(fault) => f.write_str(fault),
        }
    }
}
