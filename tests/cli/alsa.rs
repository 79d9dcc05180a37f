//! A stand-in for ALSA's library, which the tests of MIDI compile as `libasound.so.2`: a keyboard that plays a note when it
//! is connected, and a synthesizer whose messages go into the file that `ALSA_LOG` names.

use std::collections::VecDeque;
use std::ffi::{c_char, c_int, c_long, c_uint, c_void};
use std::io::Write;
use std::sync::{Condvar, Mutex};

/// Client, port, ability and name.
const PORTS: [(c_int, c_uint, &std::ffi::CStr); 2] = [(20, 1 | 1 << 5, c"Keys"), (24, 2 | 1 << 6, c"Synth")];

static MESSAGES: Mutex<VecDeque<[u8; 3]>> = Mutex::new(VecDeque::new());
static ARRIVED: Condvar = Condvar::new();
static mut EVENT: [u8; 28] = [0; 28];

type Handle = *mut c_void;

fn port(client: c_int) -> &'static (c_int, c_uint, &'static std::ffi::CStr) {
    PORTS.iter().find(|port| port.0 == client).expect("a client that was listed")
}

#[unsafe(no_mangle)]
extern "C" fn snd_lib_error_set_handler(_: Option<extern "C" fn()>) -> c_int {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_open(seq: *mut Handle, _: *const c_char, streams: c_int, _: c_int) -> c_int {
    if streams != 3 || std::env::var_os("ALSA_FAILS").is_some() {
        return -2;
    }
    unsafe { *seq = Box::into_raw(Box::new(0_u8)).cast() };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_close(seq: Handle) -> c_int {
    drop(unsafe { Box::from_raw(seq.cast::<u8>()) });
    0
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_set_client_name(_: Handle, _: *const c_char) -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_create_simple_port(_: Handle, _: *const c_char, _: c_uint, _: c_uint) -> c_int {
    7
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_connect_from(_: Handle, own: c_int, client: c_int, other: c_int) -> c_int {
    assert_eq!((own, client, other), (7, 20, 3));
    MESSAGES.lock().unwrap().push_back([0x90, 48, 100]);
    ARRIVED.notify_all();
    0
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_connect_to(_: Handle, own: c_int, client: c_int, other: c_int) -> c_int {
    assert_eq!((own, client, other), (7, 24, 3));
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_event_input(_: Handle, event: *mut *mut u8) -> c_int {
    let mut messages = MESSAGES.lock().unwrap();
    let message = loop {
        match messages.pop_front() {
            Some(message) => break message,
            None => messages = ARRIVED.wait(messages).unwrap(),
        }
    };
    // Only the thread that hears asks for events.
    unsafe {
        EVENT[16..19].copy_from_slice(&message);
        *event = &raw mut EVENT as *mut u8;
    }
    28
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_midi_event_decode(_: Handle, bytes: *mut u8, room: c_long, event: *const u8) -> c_long {
    assert!(room >= 3);
    unsafe { bytes.copy_from(event.add(16), 3) };
    3
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_midi_event_encode(_: Handle, bytes: *const u8, count: c_long, event: *mut u8) -> c_long {
    unsafe {
        *event.add(2) = count as u8;
        event.add(16).copy_from(bytes, count as usize);
    }
    count
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_event_output_direct(_: Handle, event: *const u8) -> c_int {
    let event = unsafe { std::slice::from_raw_parts(event, 28) };
    // At once, from the own port, to all that are connected.
    assert_eq!((event[3], event[13], &event[14..16]), (253, 7, &[254, 253][..]));
    let path = std::env::var_os("ALSA_LOG").expect("where messages go");
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(log, "{:02x?}", &event[16..16 + usize::from(event[2])]).unwrap();
    28
}

/// An info is a client's or port's number.
unsafe fn new_info(info: *mut Handle) -> c_int {
    unsafe { *info = Box::into_raw(Box::new([-1, -1] as [c_int; 2])).cast() };
    0
}

macro_rules! infos {
    ($($new:ident $free:ident;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $new(info: *mut Handle) -> c_int {
            unsafe { new_info(info) }
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $free(info: Handle) {
            drop(unsafe { Box::from_raw(info.cast::<[c_int; 2]>()) });
        }
    )*};
}

macro_rules! numbers {
    (set { $($set:ident $at:literal;)* } get { $($get:ident $from:literal;)* }) => {
        $(#[unsafe(no_mangle)]
        unsafe extern "C" fn $set(info: *mut [c_int; 2], number: c_int) {
            unsafe { (*info)[$at] = number };
        })*
        $(#[unsafe(no_mangle)]
        unsafe extern "C" fn $get(info: *const [c_int; 2]) -> c_int {
            unsafe { (*info)[$from] }
        })*
    };
}

infos! {
    snd_seq_client_info_malloc snd_seq_client_info_free;
    snd_seq_port_info_malloc snd_seq_port_info_free;
}

numbers! {
    set {
        snd_seq_client_info_set_client 0;
        snd_seq_port_info_set_client 0;
        snd_seq_port_info_set_port 1;
    }
    get {
        snd_seq_client_info_get_client 0;
        snd_seq_port_info_get_port 1;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_client_info_get_name(info: *const [c_int; 2]) -> *const c_char {
    port(unsafe { (*info)[0] }).2.as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_port_info_get_name(_: Handle) -> *const c_char {
    c"port".as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_port_info_get_capability(info: *const [c_int; 2]) -> c_uint {
    port(unsafe { (*info)[0] }).1
}

#[unsafe(no_mangle)]
extern "C" fn snd_seq_port_info_get_type(_: Handle) -> c_uint {
    1 << 1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_query_next_client(_: Handle, info: *mut [c_int; 2]) -> c_int {
    let number = unsafe { &mut (*info)[0] };
    match PORTS.iter().find(|port| port.0 > *number) {
        Some(port) => *number = port.0,
        None => return -2,
    }
    0
}

/// Each client has one port, 3.
#[unsafe(no_mangle)]
unsafe extern "C" fn snd_seq_query_next_port(_: Handle, info: *mut [c_int; 2]) -> c_int {
    let number = unsafe { &mut (*info)[1] };
    if std::mem::replace(number, 3) == -1 { 0 } else { -2 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_midi_event_new(_: usize, coder: *mut Handle) -> c_int {
    unsafe { new_info(coder) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn snd_midi_event_free(coder: Handle) {
    drop(unsafe { Box::from_raw(coder.cast::<[c_int; 2]>()) });
}

#[unsafe(no_mangle)]
extern "C" fn snd_midi_event_no_status(_: Handle, on: c_int) {
    assert_eq!(on, 1);
}
