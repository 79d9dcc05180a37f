//! A build without MIDI has no ports, and says so to whoever asks for one.

use super::Told;
use super::clock::Timed;
use crate::failure::Failure;
use std::sync::mpsc::Sender;

const WITHOUT: &str = "this mamc was built without MIDI; it is in builds with `--features midi` for Linux, macOS and \
                       Windows";

/// The names of all inputs and of all outputs: none.
pub(crate) fn names() -> Result<(Vec<String>, Vec<String>), String> {
    Ok((vec![], vec![]))
}

/// Cannot listen.
pub(crate) fn listen(_: String, _: impl Fn(Told) -> bool + Send + Sync + 'static) -> Result<(), Failure> {
    Err(Failure::Usage(WITHOUT.into()))
}

/// Cannot send.
pub(crate) fn send(_: String, _: impl Fn(Told) -> bool + Send + 'static) -> Result<Sender<Timed>, Failure> {
    Err(Failure::Usage(WITHOUT.into()))
}
