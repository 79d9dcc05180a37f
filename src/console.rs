//! The three streams, and what the global flags say of them: results go to standard output, everything else to
//! standard error.

use crate::failure::Failure;
use crate::visible::visible;
use clap::ValueEnum;
use std::io::{self, IsTerminal, Write};

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set; also elsewhere when CLICOLOR_FORCE is
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Whether standard output is a terminal, on which sound would be noise.
pub fn prints_to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// What the global flags ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console {
    /// Colour on standard error.
    pub colour: bool,
    /// True with `--quiet`: only errors are shown.
    pub quiet: bool,
    /// True with `--verbose`: notes, times and sizes are shown, too.
    pub verbose: bool,
    /// True with `--json`: what stops the command is a document on standard output, too.
    pub json: bool,
}

impl Console {
    /// From the flags and the environment.
    pub fn new(when: When, quiet: bool, verbose: bool) -> Console {
        Console { colour: colour(when), quiet, verbose, json: false }
    }

    /// Columns for text on standard error.
    pub fn width(self) -> usize {
        const UNKNOWN: usize = 100;
        let columns = if io::stderr().is_terminal() { terminal_columns() } else { None };
        columns.unwrap_or(UNKNOWN).clamp(40, 120)
    }

    /// True when progress may be drawn: on a terminal, unless quiet.
    pub fn progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes a result for people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn result(self, text: &str) -> Result<(), Failure> {
        self.bytes(visible(text).as_bytes())
    }

    /// Writes a result that programs read, too: a song, JSON. On a terminal it is shown, elsewhere it is exact.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn exact(self, text: &str) -> Result<(), Failure> {
        if prints_to_terminal() { self.result(text) } else { self.bytes(text.as_bytes()) }
    }

    /// Writes a result that is not text.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| Failure::stdout(&e))
    }

    /// Writes to standard error what is not a result, unless quiet. A closed standard error does not stop the command.
    pub fn say(self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Writes to standard error even when quiet.
    pub fn insist(self, text: &str) {
        self.styled(&visible(text));
    }

    /// Writes text with our own escape sequences to standard error; what came from elsewhere in it is [`visible`] already.
    pub fn styled(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn colour(when: When) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR") => false,
        When::Auto
            if set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0") =>
        {
            true
        }
        When::Auto => io::stderr().is_terminal(),
    }
}

fn terminal_columns() -> Option<usize> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0.into())
}
