//! What runs a compiled song: the program's form, the engine, the score, the outputs.
//!
//! The runtime knows no language, no JSON and no code generator. A [`Program`] is made by the compiler, or was made
//! ahead of time; the engine owns its memory and renders it in quanta of 64 frames.
//!
//! What needs the operating system is behind features, all on by default: `devices` (the backends of [`output`]), `files`
//! (sound files, MIDI files) and `threads` (rendering offline on several). The rest builds for
//! `wasm32-unknown-unknown` too.

#![warn(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc
)]
#![cfg_attr(mam_rtsan, feature(sanitize))]

pub mod block;
pub mod buffers;
pub mod c;
mod call;
mod channels;
pub mod control;
pub mod engine;
#[cfg(feature = "files")]
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "its tests read and write files")]
pub mod file;
mod frames;
mod hash;
pub mod ids;
#[cfg(feature = "image")]
pub mod image;
pub mod machine;
pub mod names;
#[cfg(feature = "devices")]
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "devices have threads, clocks and sockets"
)]
pub mod output;
pub mod outside;
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the worker pool is threads that wait"
)]
#[cfg_attr(not(feature = "threads"), path = "parallel/without.rs")]
mod parallel;
mod param;
pub mod precedence;
pub mod program;
pub mod render;
pub mod score;
pub mod sort;
pub mod sound_kinds;
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the audio thread never takes this lock"
)]
pub mod stream;
pub mod voices;

pub use channels::ChannelLayout;
pub use control::{Control, Live, Playing, Telemetry};
pub use engine::{Engine, EventQueue, NotFinite};
pub use frames::Frames;
pub use names::{Miss, ParamNames, Spelling};
pub use parallel::all_threads;
pub use program::{
    Call, Code, Curve, DelaySpec, Event, EventKind, Form, GUARD, LONG, MidiRole, NoteParam, NoteSignal,
    Outside, ParamSlot, Port, Program, QUANTUM, Sent, StateWord, Step, StepPart, StepVoice, Target,
    guard_copied, note_frequency,
};
pub use render::{EventSource, Length, Renderer};
