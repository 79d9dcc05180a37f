//! A device without sound: a thread that calls back in time.

use super::backend::{Backend, Callback, Device, Format, Opened, Request, State, Stream};
use super::error::OutputError;
use crate::frames::Frames;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames a second, unless others are asked for.
const RATE: u32 = 48_000;
/// Frames of a callback, unless others are asked for.
const BUFFER: u32 = 512;

/// Calls back as a device would, and throws away what it is given.
#[derive(Clone, Copy, Debug)]
pub struct Null {
    /// True to keep time; false to call back as fast as it goes, for tests.
    pub paced: bool,
}

impl Default for Null {
    fn default() -> Self {
        Null { paced: true }
    }
}

impl Null {
    /// What it is asked for by.
    pub const NAME: &'static str = "null";
}

impl Backend for Null {
    fn name(&self) -> &'static str {
        Null::NAME
    }

    fn devices(&self) -> Result<Vec<Device>, OutputError> {
        let description = "it is not heard".into();
        let (name, is_default, is_input) = (Null::NAME.into(), true, false);
        Ok(vec![Device { name, description, rate: RATE, channels: 2, is_default, is_input }])
    }

    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError> {
        if let Some(name) = request.device.as_ref().filter(|name| **name != Null::NAME) {
            return Err(OutputError::UnknownDevice { name: name.clone() });
        }
        let format = Format {
            device: Null::NAME.into(),
            rate: request.rate.unwrap_or(RATE),
            channels: request.channels.max(1),
            buffer: request.buffer.unwrap_or(BUFFER).max(1),
        };
        Ok(Box::new(Silent { format, paced: self.paced }))
    }
}

struct Silent {
    format: Format,
    paced: bool,
}

impl Opened for Silent {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)> {
        let stop = Arc::new(AtomicBool::new(false));
        let (format, paced, stopped) = (self.format.clone(), self.paced, stop.clone());
        let thread = std::thread::spawn(move || run(&format, paced, &stopped, callback));
        Ok(Box::new(Running { format: self.format, stop, thread }))
    }
}

struct Running {
    format: Format,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Callback>,
}

impl Stream for Running {
    fn format(&self) -> &Format {
        &self.format
    }

    fn state(&self) -> State {
        match self.thread.is_finished() {
            true => State::Lost(OutputError::Gone { why: "its thread has ended".into() }),
            false => State::Running,
        }
    }

    fn underruns(&self) -> u64 {
        0
    }

    fn stop(self: Box<Self>, _drain: bool) -> Option<Callback> {
        self.stop.store(true, Relaxed);
        self.thread.join().ok()
    }
}

/// Calls back at the times at which a device would, counted from the start, so that no error adds up. A thread that
/// was held up calls back faster until it has caught up.
fn run(format: &Format, paced: bool, stop: &AtomicBool, mut callback: Callback) -> Callback {
    let mut data = vec![0.0; format.buffer as usize * format.channels];
    let period = Duration::from_secs_f64(f64::from(format.buffer) / f64::from(format.rate));
    let (start, mut calls) = (Instant::now(), 0u32);
    while !stop.load(Relaxed) {
        callback(&mut Frames::Interleaved { data: &mut data, channels: format.channels });
        calls = calls.wrapping_add(1);
        if paced {
            std::thread::sleep((start + period * calls).saturating_duration_since(Instant::now()));
        }
    }
    callback
}
