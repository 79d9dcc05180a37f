//! A build without MIDI has no ports, and says so when one is asked for.

use super::PortEvent;
use super::clock::Timed;
use crate::failure::Failure;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

const WITHOUT: &str = "this mamc was built without MIDI; it is in builds with `--features midi` for Linux, macOS and \
                       Windows";

/// The names of all inputs and of all outputs: none.
pub(crate) fn names() -> Result<(Vec<String>, Vec<String>), String> {
    Ok((vec![], vec![]))
}

/// Refuses to listen: there are no ports in this build.
pub(crate) fn listen(
    _: String,
    _: impl Fn(PortEvent) -> bool + Send + Sync + 'static,
) -> Result<(), Failure> {
    Err(Failure::Usage(WITHOUT.into()))
}

/// Refuses to send: there are no ports in this build.
pub(crate) fn send(
    _: String,
    _: &'static str,
    _: impl Fn(PortEvent) -> bool + Send + 'static,
) -> Result<(Sender<Timed>, JoinHandle<()>), Failure> {
    Err(Failure::Usage(WITHOUT.into()))
}
