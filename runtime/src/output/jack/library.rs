//! The functions of JACK's library that are used, found when a client is opened. Facts from `jack/jack.h`.

use crate::output::error::OutputError;
use libloading::Library;
use std::ffi::{c_char, c_int, c_ulong, c_void};

/// A client; only ever a pointer.
#[repr(C)]
pub(super) struct Client {
    _private: [u8; 0],
}

/// A port; only ever a pointer.
#[repr(C)]
pub(super) struct Port {
    _private: [u8; 0],
}

/// `JackNoStartServer`: a server is used, never started.
pub(super) const NO_START_SERVER: c_int = 1;
/// `JackPortIsInput`, as a port's flag.
pub(super) const PORT_IS_INPUT: c_ulong = 1;
/// `JackPortIsOutput`, as a port's flag.
pub(super) const PORT_IS_OUTPUT: c_ulong = 2;
/// `JackPortIsPhysical`, as a port's flag.
pub(super) const PORT_IS_PHYSICAL: c_ulong = 4;
/// The type of ports that carry sound.
pub(super) const AUDIO: &std::ffi::CStr = c"32 bit float mono audio";

/// Called for each period, on the audio thread.
pub(super) type Process = unsafe extern "C" fn(u32, *mut c_void) -> c_int;
/// Called when something has happened.
pub(super) type Notice = unsafe extern "C" fn(*mut c_void) -> c_int;
/// Called when the server is gone.
pub(super) type Shutdown = unsafe extern "C" fn(*mut c_void);
/// Called for each message of the library.
pub(super) type Log = unsafe extern "C" fn(*const c_char);

/// The library's functions. They stay valid for as long as the library is held.
pub(super) struct Functions {
    pub(super) client_open: unsafe extern "C" fn(*const c_char, c_int, *mut c_int, ...) -> *mut Client,
    pub(super) client_close: unsafe extern "C" fn(*mut Client) -> c_int,
    pub(super) get_sample_rate: unsafe extern "C" fn(*mut Client) -> u32,
    pub(super) get_buffer_size: unsafe extern "C" fn(*mut Client) -> u32,
    pub(super) set_process_callback: unsafe extern "C" fn(*mut Client, Process, *mut c_void) -> c_int,
    pub(super) set_xrun_callback: unsafe extern "C" fn(*mut Client, Notice, *mut c_void) -> c_int,
    pub(super) on_shutdown: unsafe extern "C" fn(*mut Client, Shutdown, *mut c_void),
    pub(super) activate: unsafe extern "C" fn(*mut Client) -> c_int,
    pub(super) deactivate: unsafe extern "C" fn(*mut Client) -> c_int,
    pub(super) port_register:
        unsafe extern "C" fn(*mut Client, *const c_char, *const c_char, c_ulong, c_ulong) -> *mut Port,
    pub(super) port_get_buffer: unsafe extern "C" fn(*mut Port, u32) -> *mut c_void,
    pub(super) port_name: unsafe extern "C" fn(*const Port) -> *const c_char,
    pub(super) get_ports:
        unsafe extern "C" fn(*mut Client, *const c_char, *const c_char, c_ulong) -> *mut *const c_char,
    pub(super) connect: unsafe extern "C" fn(*mut Client, *const c_char, *const c_char) -> c_int,
    pub(super) free: unsafe extern "C" fn(*mut c_void),
    port_get_latency_range: unsafe extern "C" fn(*mut Port, c_int, *mut [u32; 2]),
    set_error_function: unsafe extern "C" fn(Option<Log>),
    set_info_function: unsafe extern "C" fn(Option<Log>),
    _library: Library,
}

/// Names of the library on Linux and on the other Unixes.
const NAMES: [&str; 2] = ["libjack.so.0", "libjack.so"];

impl Functions {
    /// Looks for the library.
    pub(super) fn load() -> Result<Functions, OutputError> {
        // SAFETY: loading JACK's library runs its initialisers, which only prepare its own memory.
        let found = NAMES.iter().find_map(|name| unsafe { Library::new(*name) }.ok());
        let Some(library) = found else {
            let what = format!("JACK's library is not installed ({})", NAMES.join(" or "));
            return Err(OutputError::Unavailable { what });
        };
        let missing = |error: libloading::Error| OutputError::Unavailable {
            what: format!("JACK's library lacks a function: {error}"),
        };
        // SAFETY: the types are those of `jack/jack.h`, version 1 and 2 and PipeWire's.
        unsafe {
            Ok(Functions {
                client_open: *library.get(c"jack_client_open").map_err(missing)?,
                client_close: *library.get(c"jack_client_close").map_err(missing)?,
                get_sample_rate: *library.get(c"jack_get_sample_rate").map_err(missing)?,
                get_buffer_size: *library.get(c"jack_get_buffer_size").map_err(missing)?,
                set_process_callback: *library.get(c"jack_set_process_callback").map_err(missing)?,
                set_xrun_callback: *library.get(c"jack_set_xrun_callback").map_err(missing)?,
                on_shutdown: *library.get(c"jack_on_shutdown").map_err(missing)?,
                activate: *library.get(c"jack_activate").map_err(missing)?,
                deactivate: *library.get(c"jack_deactivate").map_err(missing)?,
                port_register: *library.get(c"jack_port_register").map_err(missing)?,
                port_get_buffer: *library.get(c"jack_port_get_buffer").map_err(missing)?,
                port_name: *library.get(c"jack_port_name").map_err(missing)?,
                get_ports: *library.get(c"jack_get_ports").map_err(missing)?,
                connect: *library.get(c"jack_connect").map_err(missing)?,
                port_get_latency_range: *library.get(c"jack_port_get_latency_range").map_err(missing)?,
                free: *library.get(c"jack_free").map_err(missing)?,
                set_error_function: *library.get(c"jack_set_error_function").map_err(missing)?,
                set_info_function: *library.get(c"jack_set_info_function").map_err(missing)?,
                _library: library,
            })
        }
    }

    /// Frames from a port to the ear, at most: the longest way that its connections take.
    pub(super) fn playback_latency(&self, port: *mut Port) -> u32 {
        /// `JackPlaybackLatency`, as a direction of latency.
        const PLAYBACK: c_int = 1;
        let mut least_and_most = [0; 2];
        // SAFETY: the port is registered; the range is two numbers of 32 bits.
        unsafe { (self.port_get_latency_range)(port, PLAYBACK, &mut least_and_most) };
        least_and_most[1]
    }

    /// Keeps the library from writing to the terminal.
    pub(super) fn hush(&self) {
        // SAFETY: a function that ignores its argument may be called at any time.
        unsafe {
            (self.set_error_function)(Some(ignore));
            (self.set_info_function)(Some(ignore));
        }
    }
}

unsafe extern "C" fn ignore(_: *const c_char) {}
