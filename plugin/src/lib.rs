//! The CLAP plug-in of a song: a shared library that any host of CLAP 1.x loads. It is built once; `mamc build song.mam -o
//! Song.clap` puts a song behind it ([`mam_package`]).
//!
//! * [`entry`]: the library's one symbol; finds the song by the path that the host gives, and offers one plug-in;
//! * [`song`]: the package of the song, and its programs, compiled once for each rate;
//! * [`plugin`]: an instance; [`lifecycle`]: what a host does with it, and on its main thread [`params`], [`state`], [`ports`];
//! * [`processor`]: what runs on the audio thread, with the host's [`events`] and [`buffers`]: [`notes`], which [`midi`] plays
//!   too, [`controls`], and with `--play` the [`score`];
//! * [`ffi`]: strings, streams and panics at the border to C.
//!
//! On the audio thread nothing allocates, locks, waits or panics on purpose; a panic anywhere ends at the border, and the call
//! reports failure. The two threads share one atomic a parameter. An instance is used by one thread at a time, as CLAP says;
//! [`exclusive`] refuses a host that breaks that instead of trusting it.

#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod buffers;
mod controls;
mod entry;
mod events;
mod exclusive;
mod ffi;
mod lifecycle;
mod midi;
mod notes;
mod params;
mod plugin;
mod ports;
mod processor;
mod score;
mod song;
mod state;
#[cfg(test)]
mod tests;
