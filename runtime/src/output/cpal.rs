//! The system's own audio through the `cpal` crate: ALSA on Linux, WASAPI on Windows. Behind a feature, because ALSA's
//! library is needed to build it.

use super::backend::{Backend, Callback, Device, Format, Heard, Input, Opened, Request, State, Stream};
use super::error::OutputError;
use super::input::ring;
use crate::control::MOST_CHANNELS;
use crate::frames::Frames;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Error, ErrorKind, StreamConfig};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Frames of a callback, where the device does not say.
const BUFFER: u32 = 1024;
/// How long the device may take to give its callback back.
const PATIENCE: Duration = Duration::from_secs(2);

/// The system's own audio: ALSA on Linux, WASAPI on Windows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct System;

impl Backend for System {
    fn name(&self) -> &'static str {
        if cfg!(windows) { "wasapi" } else { "alsa" }
    }

    fn devices(&self) -> Result<Vec<Device>, OutputError> {
        let host = cpal::default_host();
        let id = |device: cpal::Device| device.id().ok();
        let outputs = host.output_devices().map_err(|error| failed("listing the outputs", &error))?;
        let default = host.default_output_device().and_then(id);
        let mut devices: Vec<Device> = outputs.filter_map(|device| known(&device, &default, false)).collect();
        let inputs = host.input_devices().map_err(|error| failed("listing the inputs", &error))?;
        let default = host.default_input_device().and_then(id);
        devices.extend(inputs.filter_map(|device| known(&device, &default, true)));
        Ok(devices)
    }

    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError> {
        let host = cpal::default_host();
        let device = match &request.device {
            None => host.default_output_device().ok_or_else(|| nothing(self.name()))?,
            Some(name) => {
                let unknown = || OutputError::UnknownDevice { name: name.clone() };
                let mut outputs =
                    host.output_devices().map_err(|error| failed("listing the outputs", &error))?;
                outputs.find(|device| name_of(device).as_ref() == Some(name)).ok_or_else(unknown)?
            }
        };
        let usual = device.default_output_config().map_err(|error| failed("asking the device", &error))?;
        let format = Format {
            device: name_of(&device).unwrap_or_else(|| self.name().into()),
            rate: request.rate.unwrap_or(usual.sample_rate()),
            channels: request.channels.clamp(1, MOST_CHANNELS),
            buffer: request.buffer.unwrap_or(BUFFER),
        };
        let buffer_size = request.buffer.map_or(BufferSize::Default, BufferSize::Fixed);
        Ok(Box::new(OpenDevice { device, buffer_size, format }))
    }

    fn listen(&self, output: &Format) -> Result<Heard, OutputError> {
        let none = || OutputError::Unavailable { what: format!("{} has no input", self.name()) };
        let device = cpal::default_host().default_input_device().ok_or_else(none)?;
        let usual = device.default_input_config().map_err(|error| failed("asking the input", &error))?;
        let channels = usual.channels().clamp(1, 2);
        let config = StreamConfig { channels, sample_rate: output.rate, buffer_size: BufferSize::Default };
        let (mut ear, reader) = ring(2 * output.buffer as usize);
        let channels = usize::from(channels);
        let hear = move |data: &[f32], _: &cpal::InputCallbackInfo| {
            ear.hear(data.len() / channels, channels, |frame, channel| data[frame * channels + channel]);
        };
        let shared = Arc::new(Shared::default());
        let on_error = shared.clone();
        let built = device.build_input_stream(config, hear, move |error| on_error.hear(&error), None);
        let stream = built.and_then(|stream| stream.play().map(|()| stream));
        let stream = stream.map_err(|error| failed("opening the input", &error))?;
        Ok(Heard { ring: reader, input: Box::new(Listening { _stream: stream, shared }) })
    }
}

fn nothing(name: &str) -> OutputError {
    OutputError::Unavailable { what: format!("{name} has no output") }
}

fn failed(call: &'static str, error: &Error) -> OutputError {
    OutputError::System { call, why: error.to_string() }
}

fn name_of(device: &cpal::Device) -> Option<String> {
    Some(device.id().ok()?.to_string())
}

fn known(device: &cpal::Device, default: &Option<cpal::DeviceId>, is_input: bool) -> Option<Device> {
    let config = match is_input {
        true => device.default_input_config(),
        false => device.default_output_config(),
    };
    let config = config.ok()?;
    Some(Device {
        name: name_of(device)?,
        description: device.description().ok()?.to_string(),
        rate: config.sample_rate(),
        channels: config.channels().into(),
        is_default: device.id().ok() == *default,
        is_input,
    })
}

struct OpenDevice {
    device: cpal::Device,
    buffer_size: BufferSize,
    format: Format,
}

impl Opened for OpenDevice {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)> {
        let OpenDevice { device, buffer_size, format } = *self;
        let (sender, returned) = channel();
        let shared = Arc::new(Shared::default());
        let (timed, on_error) = (shared.clone(), shared.clone());
        let mut lent = Lent { callback: Some(callback), back: sender };
        let config = StreamConfig { channels: format.channels as u16, sample_rate: format.rate, buffer_size };
        let channels = format.channels;
        let fill = move |data: &mut [f32], info: &cpal::OutputCallbackInfo| {
            let times = info.timestamp();
            let ahead = times.playback.saturating_duration_since(times.callback);
            timed.ahead.store(ahead.as_micros() as u64, Relaxed);
            if let Some(callback) = &mut lent.callback {
                callback(&mut Frames::Interleaved { data, channels });
            }
        };
        let built = device.build_output_stream(config, fill, move |error| on_error.hear(&error), None);
        let started = built.and_then(|stream| stream.play().map(|()| stream));
        match started {
            Ok(stream) => Ok(Box::new(Playing { stream, shared, returned, format })),
            Err(error) => match returned.recv_timeout(PATIENCE) {
                Ok(callback) => Err((failed("opening the device", &error), callback)),
                // Nothing else holds the sender: it was dropped with the closure, which sends.
                Err(_) => Err((failed("opening the device", &error), Box::new(|out| out.silence(0)))),
            },
        }
    }
}

/// The callback, which comes back when the device lets go of it.
struct Lent {
    callback: Option<Callback>,
    back: Sender<Callback>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(callback) = self.callback.take() {
            // The receiver may be gone.
            let _ = self.back.send(callback);
        }
    }
}

/// What the device's threads tell.
#[derive(Default)]
struct Shared {
    xruns: AtomicU64,
    /// Microseconds from a callback to the sound.
    ahead: AtomicU64,
    fault: Mutex<Option<State>>,
}

impl Shared {
    /// Not on the audio thread: ALSA's own thread, between two callbacks.
    fn hear(&self, error: &Error) {
        let state = match error.kind() {
            ErrorKind::Xrun => {
                self.xruns.fetch_add(1, Relaxed);
                return;
            }
            ErrorKind::StreamInvalidated => State::Changed,
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => {
                State::Lost(OutputError::Gone { why: error.to_string() })
            }
            // Other errors pass: the stream goes on.
            _ => return,
        };
        if let Ok(mut fault) = self.fault.lock() {
            fault.get_or_insert(state);
        }
    }

    fn state(&self) -> State {
        let fault = self.fault.lock().ok().and_then(|fault| fault.clone());
        fault.unwrap_or(State::Running)
    }
}

/// The input plays as long as its stream is held.
struct Listening {
    _stream: cpal::Stream,
    shared: Arc<Shared>,
}

impl Input for Listening {
    fn state(&self) -> State {
        self.shared.state()
    }
}

struct Playing {
    stream: cpal::Stream,
    shared: Arc<Shared>,
    returned: Receiver<Callback>,
    format: Format,
}

impl Stream for Playing {
    fn format(&self) -> &Format {
        &self.format
    }

    fn state(&self) -> State {
        self.shared.state()
    }

    fn underruns(&self) -> u64 {
        self.shared.xruns.load(Relaxed)
    }

    fn latency(&self) -> u32 {
        match self.shared.ahead.load(Relaxed) {
            0 => self.format.buffer,
            micros => {
                (micros.saturating_mul(self.format.rate.into()) / 1_000_000).min(u32::MAX.into()) as u32
            }
        }
    }

    fn stop(self: Box<Self>, drain: bool) -> Option<Callback> {
        if drain {
            let period = Duration::from_secs_f64(f64::from(self.format.buffer) / f64::from(self.format.rate));
            let ahead = Duration::from_micros(self.shared.ahead.load(Relaxed));
            std::thread::sleep(ahead.min(PATIENCE) + period);
        }
        let Playing { stream, returned, .. } = *self;
        drop(stream);
        returned.recv_timeout(PATIENCE).ok()
    }
}
