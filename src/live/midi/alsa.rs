//! MIDI through ALSA's sequencer. Its library is opened when it is needed, so that nothing is needed to build.
//!
//! A client has one port of its own; ports of others are connected to it. Facts from `alsa/seq.h`, `alsa/seq_event.h`
//! and `alsa/seq_midi_event.h`, whose structures have not changed since version 1.0.

use crate::failure::words;
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::Arc;

const NAMES: [&str; 2] = ["libasound.so.2", "libasound.so"];
const INSTALL: &str = "install ALSA's library (`libasound2` on Debian and Ubuntu, `alsa-lib` elsewhere)";

/// `SND_SEQ_OPEN_DUPLEX`: a client that reads and writes.
const DUPLEX: c_int = 3;
/// `SND_SEQ_PORT_CAP_READ | _SUBS_READ`: what comes from such a port can be heard; and the same for writing to one.
const READ: c_uint = 1 | 1 << 5;
const WRITE: c_uint = 2 | 1 << 6;
/// `SND_SEQ_PORT_TYPE_MIDI_GENERIC`, `_SYNTH`, `_APPLICATION`: the kinds of ports that carry MIDI.
const GENERIC: c_uint = 1 << 1;
const APPLICATION: c_uint = 1 << 20;
const MIDI: c_uint = GENERIC | 1 << 10 | APPLICATION;
/// `SND_SEQ_ADDRESS_SUBSCRIBERS` and `_UNKNOWN`: an event goes to all ports that are connected.
const SUBSCRIBERS: [u8; 2] = [254, 253];
/// `SND_SEQ_QUEUE_DIRECT`: an event goes at once.
const DIRECT: u8 = 253;
/// `ENOSPC`, as a result: messages came faster than they were read, and some are lost.
const OVERRUN: c_int = -28;
/// Bytes of the longest message that is taken apart; longer ones come in pieces.
const LONGEST: usize = 1024;

/// An event of the sequencer, `snd_seq_event_t`.
#[repr(C)]
#[derive(Default)]
struct Event {
    kind: u8,
    flags: u8,
    tag: u8,
    queue: u8,
    time: [u32; 2],
    source: [u8; 2],
    dest: [u8; 2],
    data: [u32; 3],
}

/// Takes the library's messages. The real type ends with `...`, of which nothing is read.
type Handler = unsafe extern "C" fn(*const c_char, c_int, *const c_char, c_int, *const c_char);
/// Handles of the library.
type Seq = *mut c_void;
type Info = *mut c_void;
type Coder = *mut c_void;

macro_rules! functions {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        /// The library's functions. They stay valid for as long as the library is open.
        struct Alsa {
            $($name: unsafe extern "C" fn($($argument),*) -> $result,)*
            _library: Library,
        }

        impl Alsa {
            /// Opens the library.
            ///
            /// # Errors
            /// In words, with what to install.
            fn load() -> Result<Alsa, String> {
                // SAFETY: loading ALSA's library runs its initialisers, which only prepare its own memory.
                let found = NAMES.iter().find_map(|name| unsafe { Library::new(*name) }.ok());
                let library = found.ok_or_else(|| format!("{} is not there; {INSTALL}", NAMES[0]))?;
                let missing = |error: libloading::Error| format!("{} lacks a function: {error}", NAMES[0]);
                // SAFETY: the types are those of ALSA's headers.
                unsafe {
                    Ok(Alsa {
                        $($name: *library.get(concat!(stringify!($name), "\0")).map_err(missing)?,)*
                        _library: library,
                    })
                }
            }
        }
    };
}

functions! {
    snd_lib_error_set_handler(Option<Handler>) -> c_int;
    snd_seq_open(*mut Seq, *const c_char, c_int, c_int) -> c_int;
    snd_seq_close(Seq) -> c_int;
    snd_seq_set_client_name(Seq, *const c_char) -> c_int;
    snd_seq_create_simple_port(Seq, *const c_char, c_uint, c_uint) -> c_int;
    snd_seq_connect_from(Seq, c_int, c_int, c_int) -> c_int;
    snd_seq_connect_to(Seq, c_int, c_int, c_int) -> c_int;
    snd_seq_event_input(Seq, *mut *mut Event) -> c_int;
    snd_seq_event_output_direct(Seq, *mut Event) -> c_int;
    snd_seq_client_info_malloc(*mut Info) -> c_int;
    snd_seq_client_info_free(Info) -> ();
    snd_seq_client_info_set_client(Info, c_int) -> ();
    snd_seq_client_info_get_client(Info) -> c_int;
    snd_seq_client_info_get_name(Info) -> *const c_char;
    snd_seq_query_next_client(Seq, Info) -> c_int;
    snd_seq_port_info_malloc(*mut Info) -> c_int;
    snd_seq_port_info_free(Info) -> ();
    snd_seq_port_info_set_client(Info, c_int) -> ();
    snd_seq_port_info_set_port(Info, c_int) -> ();
    snd_seq_port_info_get_port(Info) -> c_int;
    snd_seq_port_info_get_name(Info) -> *const c_char;
    snd_seq_port_info_get_capability(Info) -> c_uint;
    snd_seq_port_info_get_type(Info) -> c_uint;
    snd_seq_query_next_port(Seq, Info) -> c_int;
    snd_midi_event_new(usize, *mut Coder) -> c_int;
    snd_midi_event_free(Coder) -> ();
    snd_midi_event_no_status(Coder, c_int) -> ();
    snd_midi_event_decode(Coder, *mut u8, c_long, *const Event) -> c_long;
    snd_midi_event_encode(Coder, *const u8, c_long, *mut Event) -> c_long;
}

unsafe extern "C" fn ignore(_: *const c_char, _: c_int, _: *const c_char, _: c_int, _: *const c_char) {}

/// A client of the sequencer, with a port of its own.
struct Client {
    alsa: Alsa,
    seq: Seq,
    coder: Coder,
    port: c_int,
}

// SAFETY: the handle is a descriptor with buffers. The buffers and the coder are used by the thread that hears, or by the
// owner where there is none; listing and connecting are single calls to the kernel.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

/// A result of the library, or what went wrong, with a way out.
fn checked(result: c_int) -> Result<c_int, String> {
    if result >= 0 {
        return Ok(result);
    }
    let why = words(&std::io::Error::from_raw_os_error(-result));
    Err(format!("ALSA's sequencer: {why}; `modprobe snd-seq` loads it"))
}

impl Client {
    /// A client whose port can do this.
    fn open(name: &str, ability: c_uint) -> Result<Client, String> {
        let name = CString::new(name).unwrap_or_default();
        let mut client = Client { alsa: Alsa::load()?, seq: null_mut(), coder: null_mut(), port: 0 };
        let alsa = &client.alsa;
        // SAFETY: all pointers are to live variables and texts; the handles are used only if they were made.
        unsafe {
            // Errors come as codes; the library would write to the terminal as well.
            (alsa.snd_lib_error_set_handler)(Some(ignore));
            checked((alsa.snd_seq_open)(&mut client.seq, c"default".as_ptr(), DUPLEX, 0))?;
            checked((alsa.snd_midi_event_new)(LONGEST, &mut client.coder))?;
            (alsa.snd_midi_event_no_status)(client.coder, 1);
            (alsa.snd_seq_set_client_name)(client.seq, name.as_ptr());
            let kind = GENERIC | APPLICATION;
            let port = (alsa.snd_seq_create_simple_port)(client.seq, name.as_ptr(), ability, kind);
            client.port = checked(port)?;
        }
        Ok(client)
    }

    /// The ports of others that can do this: client, port, and name.
    fn others(&self, ability: c_uint) -> Vec<(c_int, c_int, String)> {
        let (mut found, alsa) = (vec![], &self.alsa);
        let (mut client, mut port) = (null_mut(), null_mut());
        // SAFETY: both infos are made before they are used and freed once; names are copied while the info holds them.
        unsafe {
            if (alsa.snd_seq_client_info_malloc)(&mut client) < 0 {
                return found;
            }
            if (alsa.snd_seq_port_info_malloc)(&mut port) >= 0 {
                let text = |name| CStr::from_ptr(name).to_string_lossy();
                (alsa.snd_seq_client_info_set_client)(client, -1);
                while (alsa.snd_seq_query_next_client)(self.seq, client) >= 0 {
                    let number = (alsa.snd_seq_client_info_get_client)(client);
                    (alsa.snd_seq_port_info_set_client)(port, number);
                    (alsa.snd_seq_port_info_set_port)(port, -1);
                    while (alsa.snd_seq_query_next_port)(self.seq, port) >= 0 {
                        let can = (alsa.snd_seq_port_info_get_capability)(port) & ability == ability;
                        if can && (alsa.snd_seq_port_info_get_type)(port) & MIDI != 0 {
                            let at = (alsa.snd_seq_port_info_get_port)(port);
                            let of = text((alsa.snd_seq_client_info_get_name)(client));
                            let name = text((alsa.snd_seq_port_info_get_name)(port));
                            found.push((number, at, format!("{of}:{name} {number}:{at}")));
                        }
                    }
                }
                (alsa.snd_seq_port_info_free)(port);
            }
            (alsa.snd_seq_client_info_free)(client);
        }
        found
    }

    /// Waits for the next message, and returns its bytes, which are none for what is not MIDI; `None` when no more come.
    fn next<'b>(&self, bytes: &'b mut [u8]) -> Option<&'b [u8]> {
        let mut event = null_mut();
        // SAFETY: the event belongs to the client and lives until the next one is asked for.
        let count = unsafe {
            match (self.alsa.snd_seq_event_input)(self.seq, &mut event) {
                0.. if !event.is_null() => {
                    let decode = self.alsa.snd_midi_event_decode;
                    decode(self.coder, bytes.as_mut_ptr(), bytes.len() as c_long, event).max(0)
                }
                0.. | OVERRUN => 0,
                _ => return None,
            }
        };
        Some(&bytes[..count as usize])
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: what was made is given back once, by its own functions.
        unsafe {
            if !self.coder.is_null() {
                (self.alsa.snd_midi_event_free)(self.coder);
            }
            if !self.seq.is_null() {
                (self.alsa.snd_seq_close)(self.seq);
            }
        }
    }
}

/// Ports of others, with a client that hears them or sends to them.
pub(super) struct Ports {
    client: Arc<Client>,
    /// What they can do, and how they are connected.
    ability: c_uint,
    by: unsafe extern "C" fn(Seq, c_int, c_int, c_int) -> c_int,
}

/// Ports that are heard, and ports that are sent to.
pub(super) type Input = Ports;
pub(super) type Output = Ports;

/// The names of all inputs and of all outputs. An error is words with a way out, here and below.
pub(super) fn names(name: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let client = Client::open(name, READ)?;
    let names = |ability| client.others(ability).into_iter().map(|(.., name)| name).collect();
    Ok((names(READ), names(WRITE)))
}

/// A client that gives each message that comes to `hear`, on a thread of its own, which waits until the process ends.
pub(super) fn input(name: &str, hear: super::Hear) -> Result<Input, String> {
    let client = Arc::new(Client::open(name, WRITE)?);
    let ear = client.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; LONGEST];
        while let Some(message) = ear.next(&mut bytes) {
            if !message.is_empty() {
                hear(message);
            }
        }
    });
    Ok(Ports { ability: READ, by: client.alsa.snd_seq_connect_from, client })
}

/// A client that sends.
pub(super) fn output(name: &str) -> Result<Output, String> {
    let client = Arc::new(Client::open(name, READ)?);
    Ok(Ports { ability: WRITE, by: client.alsa.snd_seq_connect_to, client })
}

impl Ports {
    /// The names of all ports.
    pub(super) fn names(&self) -> Vec<String> {
        self.client.others(self.ability).into_iter().map(|(.., name)| name).collect()
    }

    /// Connects a port; false where that is not possible.
    pub(super) fn connect(&mut self, name: &str) -> bool {
        let found = self.client.others(self.ability).into_iter().find(|(.., other)| other == name);
        let (seq, own) = (self.client.seq, self.client.port);
        // SAFETY: the client is open; a port that is gone by now is an error.
        found.is_some_and(|(client, port, _)| unsafe { (self.by)(seq, own, client, port) } >= 0)
    }

    /// Forgets a port that is gone: ALSA does so by itself.
    pub(super) fn disconnect(&mut self, _name: &str) {}

    /// Sends a message to all ports that are connected. The names of those that do not take it any more: ALSA tells of
    /// none.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Vec<String> {
        let (client, mut event) = (&self.client, Event::default());
        let encode = client.alsa.snd_midi_event_encode;
        // SAFETY: the coder reads the bytes and writes the event, both of which live until the call returns; the message
        // is so short that the event holds it whole.
        unsafe {
            if encode(client.coder, bytes.as_ptr(), bytes.len() as c_long, &mut event) > 0 {
                event.source = [0, client.port as u8];
                (event.dest, event.queue) = (SUBSCRIBERS, DIRECT);
                (client.alsa.snd_seq_event_output_direct)(client.seq, &mut event);
            }
        }
        vec![]
    }
}
