//! CoreAudio, through `coreaudio-sys`: macOS's audio, with Apple's own output unit.
//!
//! Without a device's name the Default Output unit is used, which follows the system's choice by itself; with one, the
//! HAL unit. Sound is float32, not interleaved, at the device's own rate: 48 kHz is asked for, and what the device
//! then reports is accepted. When the device's rate changes while it plays, or another device becomes the
//! default, the stream says so ([`State::Changed`]), and its owner opens it anew. The input is a HAL unit of its own.
//!
//! In tests this source compiles against a stand-in for `coreaudio-sys`, on every system, so it runs there too, against
//! units that check what they are given. What that does not show: that real CoreAudio accepts the calls, its latency,
//! its permissions. `mamc play --selftest` is for the owner of a Mac.

mod listen;
mod object;
mod play;
mod status;
mod unit;

#[cfg(test)]
mod crosscheck;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod standin;
#[cfg(test)]
mod tests;

#[cfg(not(test))]
use coreaudio_sys as ca;
#[cfg(test)]
use standin as ca;

use super::{Backend, Callback, Device, Format, Heard, Opened, OutputError, Request, State, Stream};
use crate::control::MOST_CHANNELS;
use object::{Object, RATE_CHANGE, Watch};
use play::Player;

/// The rate that is asked for when the caller asks for none.
const RATE: u32 = 48_000;

/// The backend of macOS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CoreAudio;

impl Backend for CoreAudio {
    fn name(&self) -> &'static str {
        "coreaudio"
    }

    fn devices(&self) -> Result<Vec<Device>, OutputError> {
        let mut devices = vec![];
        for is_input in [false, true] {
            let default = Object::default_device(is_input)?;
            for object in Object::devices()? {
                let channels = object.channels(is_input)?;
                if channels > 0 {
                    let name = object.name()?;
                    let (description, is_default) = (name.clone(), Some(object) == default);
                    devices.push(Device {
                        name,
                        description,
                        rate: object.rate()?,
                        channels,
                        is_default,
                        is_input,
                    });
                }
            }
        }
        Ok(devices)
    }

    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError> {
        let device = find(request)?;
        device.ask_for_rate(request.rate.unwrap_or(RATE), RATE_CHANGE)?;
        if let Some(frames) = request.buffer {
            // A device that cannot have it keeps its own.
            let _ = device.set_buffer(frames);
        }
        let format = Format {
            device: device.name()?,
            rate: device.rate()?,
            channels: request.channels.clamp(1, MOST_CHANNELS),
            buffer: device.buffer()?,
        };
        Ok(Box::new(OpenUnit { device, by_name: request.device.is_some(), format }))
    }

    fn listen(&self, output: &Format) -> Result<Heard, OutputError> {
        listen::listen(output)
    }
}

fn find(request: &Request) -> Result<Object, OutputError> {
    let Some(name) = &request.device else {
        let none = || OutputError::Unavailable { what: "this Mac has no audio output".into() };
        return Object::default_device(false)?.ok_or_else(none);
    };
    for object in Object::devices()? {
        if object.channels(false)? > 0 && object.name()? == *name {
            return Ok(object);
        }
    }
    Err(OutputError::UnknownDevice { name: name.clone() })
}

struct OpenUnit {
    device: Object,
    by_name: bool,
    format: Format,
}

impl Opened for OpenUnit {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)> {
        let OpenUnit { device, by_name, format } = *self;
        let watch = match Watch::new(device, (!by_name).then_some(false)) {
            Ok(watch) => watch,
            Err(error) => return Err((error, callback)),
        };
        let player = Player::start(by_name.then_some(device), &format, callback)?;
        let latency = format.buffer + device.latency();
        Ok(Box::new(Playing { player, watch, device, by_name, format, latency }))
    }
}

struct Playing {
    player: Player,
    watch: Watch,
    device: Object,
    by_name: bool,
    format: Format,
    latency: u32,
}

impl Playing {
    /// Looks at the device after something has changed.
    fn look(&self) -> Result<State, OutputError> {
        let present = if self.by_name { Some(self.device) } else { Object::default_device(false)? };
        match present {
            Some(device) if device.rate()? == self.format.rate => Ok(State::Running),
            Some(_) => Ok(State::Changed),
            None => Ok(State::Lost(OutputError::Gone { why: "there is no output any more".into() })),
        }
    }
}

impl Stream for Playing {
    fn format(&self) -> &Format {
        &self.format
    }

    fn state(&self) -> State {
        if self.watch.is_dead() {
            return State::Lost(OutputError::Gone { why: format!("{} was unplugged", self.format.device) });
        }
        self.watch.state(|| self.look())
    }

    fn underruns(&self) -> u64 {
        self.watch.overloads()
    }

    fn latency(&self) -> u32 {
        self.latency
    }

    fn stop(self: Box<Self>, drain: bool) -> Option<Callback> {
        let Playing { player, watch, format, .. } = *self;
        drop(watch);
        if drain {
            let buffers = f64::from(3 * format.buffer) / f64::from(format.rate);
            std::thread::sleep(std::time::Duration::from_secs_f64(buffers));
        }
        Some(player.stop())
    }
}
