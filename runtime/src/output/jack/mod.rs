//! JACK, through its library, which is looked for when a device is opened: nothing is needed to build.
//!
//! The crate `jack` loads the library as late, but its build script (jack-sys 0.5) asks pkg-config for it on Linux and fails
//! where it is not installed. It also deactivates a client whose server has died, which may block, and drops the callback
//! where activation fails; here it comes back and plays elsewhere.
//!
//! A client without ports is opened first, to learn the rate; starting it registers one port a channel and connects
//! them to the outputs of the sound card, or to those of the client that was asked for by name.

mod library;
mod listen;

use super::backend::{Backend, Callback, Device, Format, Heard, Opened, Request, State, Stream};
use super::error::OutputError;
use super::jack::library::{
    AUDIO, Client, Functions, NO_START_SERVER, PORT_IS_INPUT, PORT_IS_OUTPUT, PORT_IS_PHYSICAL, Port,
};
use crate::control::MOST_CHANNELS;
use crate::frames::Frames;
use std::ffi::{CStr, CString, c_int, c_ulong, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// A JACK server, or PipeWire's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jack;

impl Backend for Jack {
    fn name(&self) -> &'static str {
        "jack"
    }

    fn devices(&self) -> Result<Vec<Device>, OutputError> {
        let session = Session::open(c"mam")?;
        let mut devices = session.clients(PORT_IS_INPUT, false);
        devices.extend(session.clients(PORT_IS_OUTPUT, true));
        Ok(devices)
    }

    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError> {
        let session = Session::open(c"mam")?;
        let rate = session.rate();
        if let Some(wanted) = request.rate.filter(|&wanted| wanted != rate) {
            let why = format!("the JACK server runs at {rate} Hz, not at {wanted}; leave the rate to it");
            return Err(OutputError::System { call: "opening JACK", why });
        }
        let target = session.inputs(request.device.as_deref());
        if let Some(name) = request.device.as_ref().filter(|_| target.is_empty()) {
            return Err(OutputError::UnknownDevice { name: name.clone() });
        }
        let format = Format {
            device: request.device.clone().unwrap_or_else(|| "JACK".into()),
            rate,
            channels: request.channels.clamp(1, MOST_CHANNELS),
            // SAFETY: the client is open.
            buffer: unsafe { (session.jack.get_buffer_size)(session.client) },
        };
        Ok(Box::new(OpenClient { session, format, target }))
    }

    fn listen(&self, output: &Format) -> Result<Heard, OutputError> {
        listen::listen(output)
    }
}

/// An open client of the server.
struct Session {
    jack: Functions,
    client: *mut Client,
}

impl Session {
    fn open(name: &CStr) -> Result<Session, OutputError> {
        let jack = Functions::load()?;
        jack.hush();
        let mut status = 0;
        // SAFETY: the name is a C string, and the option takes no further arguments.
        let client = unsafe { (jack.client_open)(name.as_ptr(), NO_START_SERVER, &mut status) };
        if client.is_null() {
            return Err(OutputError::Unavailable {
                what: format!("no JACK server runs (it says {status:#x})"),
            });
        }
        Ok(Session { jack, client })
    }

    fn rate(&self) -> u32 {
        // SAFETY: the client is open.
        unsafe { (self.jack.get_sample_rate)(self.client) }
    }

    /// Ports of its own: `out_0` …
    fn register(&self, count: usize, prefix: &str, flags: c_ulong) -> Option<Vec<*mut Port>> {
        let register = |channel| {
            let name = CString::new(format!("{prefix}_{channel}")).ok()?;
            // SAFETY: the client is open, and the names are C strings.
            let port =
                unsafe { (self.jack.port_register)(self.client, name.as_ptr(), AUDIO.as_ptr(), flags, 0) };
            (!port.is_null()).then_some(port)
        };
        (0..count).map(register).collect()
    }

    /// Names of ports with these flags.
    fn ports(&self, flags: c_ulong) -> Vec<CString> {
        let mut names = vec![];
        // SAFETY: the list ends with a null pointer and is given back with the library's own function.
        unsafe {
            let list = (self.jack.get_ports)(self.client, std::ptr::null(), AUDIO.as_ptr(), flags);
            let mut next = list;
            while !next.is_null() && !(*next).is_null() {
                names.push(CStr::from_ptr(*next).to_owned());
                next = next.add(1);
            }
            if !list.is_null() {
                (self.jack.free)(list.cast());
            }
        }
        names
    }

    /// Where sound can be sent: the sound card's ports, or those of a client.
    fn inputs(&self, client: Option<&str>) -> Vec<CString> {
        match client {
            None => self.ports(PORT_IS_INPUT | PORT_IS_PHYSICAL),
            Some(client) => {
                let all = self.ports(PORT_IS_INPUT).into_iter();
                all.filter(|port| owner(port) == client).collect()
            }
        }
    }

    /// Clients with such ports, as devices.
    fn clients(&self, flags: c_ulong, is_input: bool) -> Vec<Device> {
        let physical: Vec<String> = self.ports(flags | PORT_IS_PHYSICAL).iter().map(owner).collect();
        let mut devices: Vec<Device> = vec![];
        for name in self.ports(flags).iter().map(owner) {
            match devices.iter_mut().find(|device| device.name == name) {
                Some(device) => device.channels += 1,
                None => devices.push(Device {
                    description: name.clone(),
                    is_default: physical.first() == Some(&name),
                    rate: self.rate(),
                    channels: 1,
                    is_input,
                    name,
                }),
            }
        }
        devices
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the client is open, and nothing uses it any more.
        unsafe { (self.jack.client_close)(self.client) };
    }
}

/// The client that a port belongs to: what stands before the colon.
fn owner(port: &CString) -> String {
    let port = port.to_string_lossy();
    port.split(':').next().unwrap_or_default().into()
}

struct OpenClient {
    session: Session,
    format: Format,
    target: Vec<CString>,
}

impl Opened for OpenClient {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)> {
        let OpenClient { session, format, target } = *self;
        let Some(ports) = session.register(format.channels, "out", PORT_IS_OUTPUT) else {
            return Err((refused("registering ports", 0), callback));
        };
        let get_buffer = session.jack.port_get_buffer;
        let (gone, xruns) = (AtomicBool::new(false), AtomicU64::new(0));
        let context = Context { ports, get_buffer, callback, gone, xruns };
        let playing = Playing { context: Box::into_raw(Box::new(context)), session: Some(session), format };
        match playing.activate(&target) {
            Ok(()) => Ok(Box::new(playing)),
            Err(error) => match Box::new(playing).stop(false) {
                Some(callback) => Err((error, callback)),
                // The callback is only ever taken by `stop`.
                None => unreachable!("a stream holds its callback until it is stopped"),
            },
        }
    }
}

fn refused(call: &'static str, status: c_int) -> OutputError {
    OutputError::System { call, why: format!("the JACK server refused it ({status})") }
}

/// What the library's threads are given.
struct Context {
    ports: Vec<*mut Port>,
    get_buffer: unsafe extern "C" fn(*mut Port, u32) -> *mut c_void,
    callback: Callback,
    gone: AtomicBool,
    xruns: AtomicU64,
}

struct Playing {
    context: *mut Context,
    /// Taken when it is closed.
    session: Option<Session>,
    format: Format,
}

impl Playing {
    fn activate(&self, target: &[CString]) -> Result<(), OutputError> {
        let Some(session) = &self.session else { return Ok(()) };
        let (jack, client, context) = (&session.jack, session.client, self.context.cast());
        // SAFETY: the client is open; the context lives until the client is closed.
        unsafe {
            let set = (jack.set_process_callback)(client, process, context);
            let watched = (jack.set_xrun_callback)(client, xrun, context);
            (jack.on_shutdown)(client, shutdown, context);
            if set != 0 || watched != 0 {
                return Err(refused("setting the callback", set | watched));
            }
            match (jack.activate)(client) {
                0 => {}
                status => return Err(refused("activating the client", status)),
            }
            let ports = &(*self.context).ports;
            for (port, target) in ports.iter().zip(target) {
                // A connection that exists already, or that is refused, can be made by hand.
                (jack.connect)(client, (jack.port_name)(*port), target.as_ptr());
            }
        }
        Ok(())
    }

    fn gone(&self) -> bool {
        // SAFETY: the context lives until `close`, and only its atomics are touched while it plays.
        unsafe { &(*self.context).gone }.load(Relaxed)
    }

    /// Ends the library's threads and takes the callback back.
    fn close(&mut self) -> Option<Callback> {
        let session = self.session.take()?;
        if !self.gone() {
            // SAFETY: the client is open. A client whose server has died may only be closed.
            unsafe { (session.jack.deactivate)(session.client) };
        }
        drop(session);
        // SAFETY: made by `Box::into_raw`; no thread of the library is left that knows it.
        let context = unsafe { Box::from_raw(self.context) };
        Some(context.callback)
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        drop(self.close());
    }
}

impl Stream for Playing {
    fn format(&self) -> &Format {
        &self.format
    }

    fn state(&self) -> State {
        match self.gone() {
            true => State::Lost(OutputError::Gone { why: "the JACK server has shut down".into() }),
            false => State::Running,
        }
    }

    fn underruns(&self) -> u64 {
        // SAFETY: as in `gone`.
        unsafe { &(*self.context).xruns }.load(Relaxed)
    }

    fn latency(&self) -> u32 {
        // SAFETY: as in `gone`; the ports are there as long as the client is.
        let first = unsafe { &(*self.context).ports }.first();
        let reported =
            self.session.as_ref().zip(first).map(|(session, port)| session.jack.playback_latency(*port));
        reported.unwrap_or(self.format.buffer)
    }

    fn stop(mut self: Box<Self>, drain: bool) -> Option<Callback> {
        if drain {
            // A period or two is all that the server holds.
            let periods = f64::from(3 * self.format.buffer) / f64::from(self.format.rate);
            std::thread::sleep(std::time::Duration::from_secs_f64(periods));
        }
        self.close()
    }
}

/// The process callback. \[audio\]
unsafe extern "C" fn process(frames: u32, context: *mut c_void) -> c_int {
    let context = context.cast::<Context>();
    // SAFETY: the library calls with what it was given, from one thread; nothing else uses these.
    let (ports, get_buffer, callback) =
        unsafe { (&(*context).ports, (*context).get_buffer, &mut (*context).callback) };
    let mut channels: [&mut [f32]; MOST_CHANNELS] = Default::default();
    for (channel, &port) in channels.iter_mut().zip(ports) {
        // SAFETY: the port is registered; its buffer has `frames` floats and is this port's alone.
        *channel = unsafe {
            let buffer = get_buffer(port, frames).cast::<f32>();
            std::slice::from_raw_parts_mut(buffer, frames as usize)
        };
    }
    callback(&mut Frames::Planar(&mut channels[..ports.len()]));
    0
}

unsafe extern "C" fn xrun(context: *mut c_void) -> c_int {
    // SAFETY: as in `process`; only an atomic is touched.
    unsafe { &(*context.cast::<Context>()).xruns }.fetch_add(1, Relaxed);
    0
}

unsafe extern "C" fn shutdown(context: *mut c_void) {
    // SAFETY: as in `xrun`.
    unsafe { &(*context.cast::<Context>()).gone }.store(true, Relaxed);
}
