//! What runs a compiled song: the program's form, the engine, the score, the outputs.
//!
//! The runtime knows no language, no JSON and no code generator. A [`Program`] is made by the compiler, or was made
//! ahead of time; the engine owns its memory and renders it in quanta of 64 frames.

#![cfg_attr(mam_rtsan, feature(sanitize))]

pub mod buffers;
pub mod control;
pub mod engine;
pub mod file;
pub mod machine;
pub mod names;
pub mod output;
mod parallel;
pub mod program;
pub mod render;
pub mod score;

pub use control::{Control, Live, Playing, Telemetry};
pub use engine::{Engine, EventQueue, NotFinite};
pub use names::{Miss, ParamNames, Spelling};
pub use parallel::all_threads;
pub use program::{
    Call, Code, Curve, DelaySpec, Event, EventKind, Form, GUARD, LONG, MidiRole, ParamSlot, Port, Program,
    QUANTUM, StateWord, Step, StepPart, StepVoice, Target, mirrored,
};
pub use render::{EventSource, Length, Renderer};
