//! The traits behind which devices are, and what is asked of them.

use super::error::OutputError;
use crate::frames::Frames;
use rtrb::Consumer;

/// Fills a device's buffers, on its audio thread.
pub type Callback = Box<dyn FnMut(&mut Frames<'_>) + Send>;

/// What is asked of a device. What is `None` is the device's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Its name, as [`Backend::devices`] gives it.
    pub device: Option<String>,
    /// The rate, in frames a second.
    pub rate: Option<u32>,
    /// Frames that are rendered at a time, about.
    pub buffer: Option<u32>,
    /// How many channels; at least 1.
    pub channels: usize,
}

/// What a device gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The device, for people.
    pub device: String,
    /// The rate, in frames a second.
    pub rate: u32,
    /// Channels of each callback.
    pub channels: usize,
    /// Frames of a callback, about: a callback may have any number.
    pub buffer: u32,
}

/// A device that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is asked for by.
    pub name: String,
    /// What it is called.
    pub description: String,
    /// Its own rate, in frames a second.
    pub rate: u32,
    /// How many channels it has.
    pub channels: usize,
    /// Whether it is the one that is used when none is asked for.
    pub is_default: bool,
    /// Whether it is an input.
    pub is_input: bool,
}

/// A way to the machine's audio.
pub trait Backend: Send {
    /// `pulse`, `jack`, `coreaudio` …
    fn name(&self) -> &'static str;

    /// The devices that can be opened.
    ///
    /// # Errors
    /// When there is no server, or it does not answer.
    fn devices(&self) -> Result<Vec<Device>, OutputError>;

    /// Opens a device. It is silent until it is started.
    ///
    /// # Errors
    /// When there is no server or no such device, or it cannot do what is asked.
    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError>;

    /// Listens to the default input, for a song's `in` that is played by an output of this format.
    ///
    /// # Errors
    /// When the backend has no input, or it cannot be opened or has another rate.
    fn listen(&self, _output: &Format) -> Result<Heard, OutputError> {
        Err(OutputError::Unavailable { what: format!("the backend `{}` has no input", self.name()) })
    }
}

/// A device that is open and silent.
pub trait Opened {
    /// The format that its callbacks will have.
    fn format(&self) -> &Format;

    /// Begins to call back.
    ///
    /// # Errors
    /// When the device refuses; the callback comes back with the reason.
    fn start(self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)>;
}

/// A device that plays.
pub trait Stream {
    /// The format of its callbacks.
    fn format(&self) -> &Format;

    /// Whether it plays, and if not, why.
    fn state(&self) -> State;

    /// How often the device had nothing to play because we were late, as far as it tells.
    fn underruns(&self) -> u64;

    /// Frames from a callback to the ear, as far as the device tells.
    fn latency(&self) -> u32 {
        self.format().buffer
    }

    /// Stops; plays out what has been rendered first, if `drain`. The callback comes back, unless it is lost.
    fn stop(self: Box<Self>, drain: bool) -> Option<Callback>;
}

/// What is heard of an input.
pub struct Heard {
    /// Interleaved stereo at the output's rate, for [`Control::input`](crate::Control::input).
    pub ring: Consumer<f32>,
    /// The input, which records until it is dropped.
    pub input: Box<dyn Input>,
}

/// An input that is listened to, until it is dropped.
pub trait Input {
    /// Whether it records, and if not, why.
    fn state(&self) -> State;
}

/// How a stream or an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It plays, or records.
    Running,
    /// The device now has another rate: it should be opened anew.
    Changed,
    /// The device is gone, or has failed.
    Lost(OutputError),
}

/// A device that was opened, and how.
pub type Found = (Box<dyn Backend>, Box<dyn Opened>);
