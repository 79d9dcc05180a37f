//! Playing live: a [`Control`] on any thread, a [`Live`] on the audio thread, and rings between them.
//!
//! ```text
//!            commands: swap, set, gain, stop, play, record ─▶
//!  Control   events of the program that plays, 200 ms ahead ─▶   Live ──▶ device
//!            ◀─ garbage: old programs and their memory
//!            ◀─ meters (atomics)
//! ```
//!
//! # An edit while it plays
//! `Control` gives the new program memory of its own, fills its queue, and writes down what is carried over: words
//! of state by the step's path and the state's name, delay lines by their name and length, parameters by name
//! (unless the edit changed their default), and which notes sound. `Live` takes the swap between two quanta: it
//! copies the words and exchanges the lines' owners, which is bounded work, counted in the plan. Then the old and the
//! new program run side by side for 10 ms and the output goes from one to the other:
//! out = new + (old − new)·g, with g falling from 1 to 0. What both compute alike is therefore exactly what
//! the new one computes, bit for bit; what appears fades in, what has vanished fades out, and what has changed goes
//! from one sound to the other. It costs at most twice the time of a quantum, for 10 ms.
//!
//! A node that the edit has only given another name is the same one: its sounding notes go on. A step that was silent because
//! it was not finite ([`NotFinite`](crate::NotFinite)) sounds again if the edit has changed it or what it hears; nothing that
//! is not finite is carried over.
//!
//! During the fade both use the same delay lines. The old program runs first; what it wrote is taken out again, so that
//! the new one reads what lay there before, and then what each wrote is mixed by the same g, so that an echo's
//! input does not end at an edge that would be heard later; for the same reason what is written into a line that is new
//! fades in. Lines shorter than a quantum are copied instead.
//!
//! The frame count of the engine never jumps at an edit, so noise and delay lines go on; when the new tempo map
//! puts the same bar elsewhere, the *score* is shifted against it. Only a jump (`seek`) begins with fresh memory at
//! the frame that is asked for, with a fade from what sounded before. Whoever begins in the middle ([`Control::entering`]) has time to
//! render what comes before it, and has the states of a performance from the start.
//!
//! What is asked of `Control` can be logged with the frames at which the audio thread took it ([`Log`]), and done again
//! ([`Replay`]) to the bit: everything that a performance depends on passes these two places.
//!
//! Every command and event names the generation of the program that it means, so nothing is lost or mistaken when
//! a swap is on its way. A swap names the generation that it was prepared against; if another has come between, it
//! comes back and is prepared again.

mod carry;
mod driver;
mod heard;
mod live;
mod log;
mod logging;
mod meters;
mod outgoing;
mod part;
mod protocol;
mod replay;
mod retimed;
mod same;
mod scored;

pub use driver::{Control, Playing};
pub use heard::{Heard, Summand};
pub use live::Live;
pub use log::{Asked, Log, Request};
pub use meters::Telemetry;
pub use part::{Entry, Sync};
pub use protocol::{LIMIT, MOST_CHANNELS, Options, Outgoing, OutgoingKind, Taken};
pub use replay::{NotItsLog, Replay};
pub use scored::{Position, Scored};
