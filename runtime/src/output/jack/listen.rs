//! The sound card's input: a client of its own, so that it comes and goes while the output plays.

use super::library::{PORT_IS_INPUT, PORT_IS_OUTPUT, PORT_IS_PHYSICAL, Port};
use super::{Session, refused};
use crate::output::backend::{Format, Heard, Input, State};
use crate::output::error::OutputError;
use crate::output::input::{Ear, ring};
use crate::program::QUANTUM;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Begins to listen. The ports are connected to the sound card's, and can be connected by hand to others.
pub(super) fn listen(output: &Format) -> Result<Heard, OutputError> {
    let session = Session::open(c"mam-in")?;
    let Some(ports) = session.register(2, "in", PORT_IS_INPUT) else {
        return Err(refused("registering ports", 0));
    };
    // In a period the output may be called first, and then asks for up to a quantum more.
    let (ear, reader) = ring(output.buffer as usize + QUANTUM);
    let get_buffer = session.jack.port_get_buffer;
    let context = Box::into_raw(Box::new(Context { ports, ear, get_buffer, gone: AtomicBool::new(false) }));
    let listening = Listening { context, session: Some(session) };
    listening.activate()?;
    Ok(Heard { ring: reader, input: Box::new(listening) })
}

/// What the library's threads are given.
struct Context {
    ports: Vec<*mut Port>,
    ear: Ear,
    get_buffer: unsafe extern "C" fn(*mut Port, u32) -> *mut c_void,
    gone: AtomicBool,
}

struct Listening {
    context: *mut Context,
    /// Taken when it is closed.
    session: Option<Session>,
}

impl Listening {
    fn activate(&self) -> Result<(), OutputError> {
        let Some(session) = &self.session else { return Ok(()) };
        let (jack, client, context) = (&session.jack, session.client, self.context.cast());
        // SAFETY: the client is open; the context lives until the client is closed.
        unsafe {
            let set = (jack.set_process_callback)(client, process, context);
            (jack.on_shutdown)(client, shutdown, context);
            if set != 0 {
                return Err(refused("setting the callback", set));
            }
            match (jack.activate)(client) {
                0 => {}
                status => return Err(refused("activating the client", status)),
            }
            // One microphone is heard on both.
            let sources = session.ports(PORT_IS_OUTPUT | PORT_IS_PHYSICAL);
            for (port, source) in (*self.context).ports.iter().zip(sources.iter().cycle()) {
                // What is refused can be connected by hand.
                (jack.connect)(client, source.as_ptr(), (jack.port_name)(*port));
            }
        }
        Ok(())
    }

    fn gone(&self) -> bool {
        // SAFETY: the context lives until it is dropped, and only its atomic is touched while it listens.
        unsafe { &(*self.context).gone }.load(Relaxed)
    }
}

impl Input for Listening {
    fn state(&self) -> State {
        match self.gone() {
            true => State::Lost(OutputError::Gone { why: "the JACK server has shut down".into() }),
            false => State::Running,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && !self.gone()
        {
            // SAFETY: the client is open. A client whose server has died may only be closed, as it is when it is dropped.
            unsafe { (session.jack.deactivate)(session.client) };
        }
        // SAFETY: made by `Box::into_raw`; no thread of the library is left that knows it.
        drop(unsafe { Box::from_raw(self.context) });
    }
}

/// The process callback. \[audio\]
unsafe extern "C" fn process(frames: u32, context: *mut c_void) -> c_int {
    let context = context.cast::<Context>();
    // SAFETY: the library calls with what it was given, from one thread; nothing else uses these.
    let (ports, get_buffer, ear) = unsafe { (&(*context).ports, (*context).get_buffer, &mut (*context).ear) };
    if let [left, right] = ports.as_slice() {
        // SAFETY: the ports are registered; their buffers have `frames` floats for this call.
        let sound = [*left, *right].map(|port| unsafe {
            std::slice::from_raw_parts(get_buffer(port, frames).cast::<f32>(), frames as usize)
        });
        ear.hear(frames as usize, 2, |frame, channel| sound[channel][frame]);
    }
    0
}

unsafe extern "C" fn shutdown(context: *mut c_void) {
    // SAFETY: as in `process`; only an atomic is touched.
    unsafe { &(*context.cast::<Context>()).gone }.store(true, Relaxed);
}
