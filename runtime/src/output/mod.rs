//! Where sound goes: devices, behind three small traits.
//!
//! A [`Backend`] knows devices and opens one. What it opens says its [`Format`], so that a program can be compiled for
//! it, and then takes the [`Callback`] and becomes a [`Stream`]. A stream that ends, for whatever reason, gives the
//! callback back, so that it can go on elsewhere; [`Keeper`] does that when a server dies and comes back. The song's `in`
//! is an [`Input`] of its own, which comes and goes while the output plays.
//!
//! | backend | where | needs |
//! |---|---|---|
//! | `coreaudio` | macOS | nothing |
//! | `pulse` | Unix; PipeWire speaks it too | a server; no library |
//! | `jack` | Unix | a server and its library, looked for when it is opened |
//! | `alsa`, `wasapi` | Linux, Windows: with the feature `cpal` | on Linux ALSA's library |
//! | `null` | everywhere | nothing: a thread that keeps time |
//!
//! To add one: a file (or a folder) with the three traits, a line in [`backends`], a line in the table above, and
//! a test in `tests/servers.rs` that compares what was recorded with what was played.

mod backend;
#[cfg(any(target_os = "macos", test))]
mod coreaudio;
#[cfg(feature = "cpal")]
mod cpal;
mod error;
mod input;
#[cfg(all(unix, not(target_os = "macos")))]
mod jack;
mod keeper;
mod null;
pub mod priority;
#[cfg(all(unix, not(target_os = "macos")))]
mod pulse;
mod selftest;

pub use crate::frames::Frames;
pub use backend::{Backend, Callback, Device, Format, Found, Heard, Input, Opened, Request, State, Stream};
pub use error::OutputError;
pub use keeper::{Keeper, News};
pub use null::Null;
pub use priority::Priority;
pub use selftest::SelfTest;

/// All backends of this build, the best first. `null` is the last, and is never chosen by itself.
pub fn backends() -> Vec<Box<dyn Backend>> {
    vec![
        #[cfg(target_os = "macos")]
        Box::new(coreaudio::CoreAudio),
        #[cfg(all(unix, not(target_os = "macos")))]
        Box::new(pulse::Pulse),
        #[cfg(all(unix, not(target_os = "macos")))]
        Box::new(jack::Jack),
        #[cfg(feature = "cpal")]
        Box::new(cpal::System),
        Box::new(Null::default()),
    ]
}

/// The backend of a name.
///
/// # Errors
/// When this build has no such backend.
pub fn backend(name: &str) -> Result<Box<dyn Backend>, OutputError> {
    let mut all = backends();
    let names: Vec<&str> = all.iter().map(|backend| backend.name()).collect();
    match names.iter().position(|known| *known == name) {
        Some(index) => Ok(all.swap_remove(index)),
        None => Err(OutputError::UnknownBackend { name: name.into(), known: names.join(", ") }),
    }
}

/// Opens the first backend that works.
///
/// # Errors
/// When none works; with what each of them said.
pub fn open_best(request: &Request) -> Result<Found, OutputError> {
    let mut refusals = vec![];
    for backend in backends().into_iter().filter(|backend| backend.name() != Null::NAME) {
        match backend.open(request) {
            Ok(opened) => return Ok((backend, opened)),
            Err(error) => refusals.push(format!("{}: {error}", backend.name())),
        }
    }
    Err(OutputError::NoDevice { refusals })
}
