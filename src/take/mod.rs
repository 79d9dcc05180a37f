//! A performance in a file (`.mamlog`): written by `mamc play --log`, rendered by `mamc render`.
//!
//! It is written as the performance goes on, a JSON document in each line, so that it outlives what plays it: the texts of every
//! version of the song that was heard, hashes of their sound files, how they were compiled, and the requests of the performance
//! with the frames at which the audio thread took them ([`mam_runtime::control::Log`]).

mod document;
mod logger;
mod performance;
mod songs;

pub use crate::input::is_take;
pub use document::Text;
pub use logger::{Beginning, Logger};
pub use performance::{Listening, Performance, Take};
