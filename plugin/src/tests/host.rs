//! A host that drives an instance through its C functions, under the allocator that ends the process.

use super::guard::on_audio_thread;
use crate::lifecycle;
use crate::song::Song;
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::*;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_host_params, clap_plugin_params};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::fixedpoint::CLAP_BEATTIME_FACTOR;
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{clap_process, clap_process_status};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use mam_package::{Package, Settings};
use mamc::packing::{Identity, pack};
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::io::Write;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How often hosts were asked to read values again.
pub(super) static RESCANS: AtomicU32 = AtomicU32::new(0);

/// An event of any type.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union AnyEvent {
    pub(super) header: clap_event_header,
    pub(super) note: clap_event_note,
    pub(super) expression: clap_event_note_expression,
    pub(super) value: clap_event_param_value,
    pub(super) modulation: clap_event_param_mod,
    pub(super) midi: clap_event_midi,
    pub(super) transport: clap_event_transport,
}

fn header<T>(type_: u16, time: u32) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_,
        flags: 0,
    }
}

/// A note event: of port 0 and channel 0, with the key as its id.
pub(super) fn note(type_: u16, time: u32, key: i16, velocity: f64) -> AnyEvent {
    let header = header::<clap_event_note>(type_, time);
    let note = clap_event_note { header, note_id: key.into(), port_index: 0, channel: 0, key, velocity };
    AnyEvent { note }
}

pub(super) fn on(time: u32, key: i16) -> AnyEvent {
    note(CLAP_EVENT_NOTE_ON, time, key, 0.8)
}

pub(super) fn off(time: u32, key: i16) -> AnyEvent {
    note(CLAP_EVENT_NOTE_OFF, time, key, 0.0)
}

pub(super) fn tuning(time: u32, key: i16, value: f64) -> AnyEvent {
    expression(time, key, CLAP_NOTE_EXPRESSION_TUNING, value)
}

pub(super) fn expression(time: u32, key: i16, expression_id: clap_note_expression, value: f64) -> AnyEvent {
    let expression = clap_event_note_expression {
        header: header::<clap_event_note_expression>(CLAP_EVENT_NOTE_EXPRESSION, time),
        expression_id,
        note_id: -1,
        port_index: -1,
        channel: -1,
        key,
        value,
    };
    AnyEvent { expression }
}

pub(super) fn set(time: u32, param_id: u32, value: f64) -> AnyEvent {
    let value = clap_event_param_value {
        header: header::<clap_event_param_value>(CLAP_EVENT_PARAM_VALUE, time),
        param_id,
        cookie: ptr::null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value,
    };
    AnyEvent { value }
}

pub(super) fn modulate(time: u32, param_id: u32, amount: f64) -> AnyEvent {
    let modulation = clap_event_param_mod {
        header: header::<clap_event_param_mod>(CLAP_EVENT_PARAM_MOD, time),
        param_id,
        cookie: ptr::null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        amount,
    };
    AnyEvent { modulation }
}

pub(super) fn midi(time: u32, data: [u8; 3]) -> AnyEvent {
    AnyEvent {
        midi: clap_event_midi {
            header: header::<clap_event_midi>(CLAP_EVENT_MIDI, time),
            port_index: 0,
            data,
        },
    }
}

/// A transport that plays at a place in quarter notes, or stands.
pub(super) fn transport(beat: Option<f64>, tempo: f64) -> clap_event_transport {
    let playing = if beat.is_some() { CLAP_TRANSPORT_IS_PLAYING } else { 0 };
    clap_event_transport {
        header: header::<clap_event_transport>(CLAP_EVENT_TRANSPORT, 0),
        flags: CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_HAS_BEATS_TIMELINE | playing,
        song_pos_beats: (beat.unwrap_or(0.0) * CLAP_BEATTIME_FACTOR as f64).round() as i64,
        song_pos_seconds: 0,
        tempo,
        tempo_inc: 0.0,
        loop_start_beats: 0,
        loop_end_beats: 0,
        loop_start_seconds: 0,
        loop_end_seconds: 0,
        bar_start: 0,
        bar_number: 0,
        tsig_num: 4,
        tsig_denom: 4,
    }
}

/// A song that is packed.
pub(super) fn package(text: &str, plays: bool) -> Package {
    let identity = Identity { name: "Test".into(), plays, ..Identity::default() };
    let song = mamc::input::Song::of_text("test.mam", text);
    pack(&song, false, Settings::default(), identity).expect("it can be packed")
}

/// What a package's bytes hold, read from a file with some bytes of code before it.
pub(super) fn opened(package: &[u8]) -> Arc<Song> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"code of a library").and_then(|()| file.write_all(package)).unwrap();
    Arc::new(Song::open(file.path()).expect("it has a manifest"))
}

/// A song that is packed and opened again.
pub(super) fn song(text: &str, plays: bool) -> Arc<Song> {
    opened(&package(text, plays).to_bytes())
}

/// An example of the repository.
pub(super) fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    std::fs::read_to_string(path).unwrap()
}

unsafe extern "C" fn extension(_: *const clap_host, id: *const c_char) -> *const c_void {
    // SAFETY: the plug-in passes a text.
    let is_params = unsafe { CStr::from_ptr(id) } == CLAP_EXT_PARAMS;
    if is_params { (&raw const HOST_PARAMS).cast() } else { ptr::null() }
}

unsafe extern "C" fn rescan(_: *const clap_host, _: u32) {
    RESCANS.fetch_add(1, Ordering::Relaxed);
}

unsafe extern "C" fn clear(_: *const clap_host, _: u32, _: u32) {}

unsafe extern "C" fn request(_: *const clap_host) {}

static HOST_PARAMS: clap_host_params =
    clap_host_params { rescan: Some(rescan), clear: Some(clear), request_flush: Some(request) };

static HOST: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: ptr::null_mut(),
    name: c"test".as_ptr(),
    vendor: c"".as_ptr(),
    url: c"".as_ptr(),
    version: c"1".as_ptr(),
    get_extension: Some(extension),
    request_restart: Some(request),
    request_process: Some(request),
    request_callback: Some(request),
};

/// An instance in the hands of the host.
pub(super) struct Instance {
    plugin: *const clap_plugin,
    /// What the last block gave.
    pub(super) left: Vec<f32>,
    right: Vec<f32>,
    /// What the song hears.
    pub(super) input: Vec<f32>,
    /// The notes that were over in the last block: frame and key.
    pub(super) ended: RefCell<Vec<(u32, i16)>>,
}

unsafe extern "C" fn list_size(list: *const clap_input_events) -> u32 {
    // SAFETY: the context is the slice that `with_list` made it of.
    let events: &[AnyEvent] = unsafe { *(*list).ctx.cast::<&[AnyEvent]>() };
    events.len() as u32
}

unsafe extern "C" fn list_get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above; every event begins with its header.
    let events: &[AnyEvent] = unsafe { *(*list).ctx.cast::<&[AnyEvent]>() };
    events.get(index as usize).map_or(ptr::null(), |event| ptr::from_ref(event).cast())
}

unsafe extern "C" fn take_event(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: the context is the instance's list, and a plug-in gives notes only.
    unsafe {
        assert_eq!((*event).type_, CLAP_EVENT_NOTE_END);
        let ended = &*(*list).ctx.cast::<RefCell<Vec<(u32, i16)>>>();
        let mut ended = ended.borrow_mut();
        if ended.len() < ended.capacity() {
            ended.push(((*event).time, (*event.cast::<clap_event_note>()).key));
        }
    }
    true
}

impl Instance {
    /// A new instance, which is not active.
    pub(super) fn new(song: &Arc<Song>) -> Instance {
        // SAFETY: the host is static.
        let plugin = unsafe { lifecycle::create(song.clone(), ptr::null(), &raw const HOST) };
        let most = 1 << 14;
        let ended = RefCell::new(Vec::with_capacity(1 << 16));
        let instance =
            Instance { plugin, left: vec![0.0; most], right: vec![0.0; most], input: vec![0.0; most], ended };
        // SAFETY: the plug-in has just been created, and nothing else calls it.
        assert!(unsafe { instance.functions().init.unwrap()(plugin) });
        instance
    }

    /// An active one.
    pub(super) fn active(song: &Arc<Song>, rate: f64) -> Instance {
        let instance = Instance::new(song);
        assert!(instance.activate(rate));
        instance
    }

    fn functions(&self) -> &clap_plugin {
        // SAFETY: it lives as long as this.
        unsafe { &*self.plugin }
    }

    pub(super) fn activate(&self, rate: f64) -> bool {
        // SAFETY: it is not active.
        unsafe {
            self.functions().activate.unwrap()(self.plugin, rate, 1, 1 << 14)
                && self.functions().start_processing.unwrap()(self.plugin)
        }
    }

    pub(super) fn deactivate(&self) {
        // SAFETY: it is active.
        unsafe { self.functions().deactivate.unwrap()(self.plugin) }
    }

    pub(super) fn reset(&self) {
        // SAFETY: it is active.
        on_audio_thread(|| unsafe { self.functions().reset.unwrap()(self.plugin) });
    }

    /// Renders a block as the audio thread does.
    pub(super) fn process(
        &mut self,
        frames: usize,
        events: &[AnyEvent],
        transport: Option<&clap_event_transport>,
    ) -> clap_process_status {
        self.ended.borrow_mut().clear();
        let mut channels = [self.left.as_mut_ptr(), self.right.as_mut_ptr()];
        let mut hears = [self.input.as_mut_ptr(), self.input.as_mut_ptr()];
        let buffer = |data32| clap_audio_buffer {
            data32,
            data64: ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (input, mut output) = (buffer(hears.as_mut_ptr()), buffer(channels.as_mut_ptr()));
        let (list, out) = self.lists(&events);
        let process = clap_process {
            steady_time: -1,
            frames_count: frames as u32,
            transport: transport.map_or(ptr::null(), ptr::from_ref),
            audio_inputs: &raw const input,
            audio_outputs: &raw mut output,
            audio_inputs_count: 1,
            audio_outputs_count: 1,
            in_events: &raw const list,
            out_events: &raw const out,
        };
        // SAFETY: all of this outlives the call.
        on_audio_thread(|| unsafe { self.functions().process.unwrap()(self.plugin, &raw const process) })
    }

    fn lists<'e>(&self, events: &'e &'e [AnyEvent]) -> (clap_input_events, clap_output_events) {
        let list = clap_input_events {
            ctx: ptr::from_ref(events).cast_mut().cast(),
            size: Some(list_size),
            get: Some(list_get),
        };
        let out =
            clap_output_events { ctx: (&raw const self.ended).cast_mut().cast(), try_push: Some(take_event) };
        (list, out)
    }

    /// Gives events to an instance that is not processing; on the audio thread if it is active.
    pub(super) fn flush(&self, events: &[AnyEvent]) {
        let (list, out) = self.lists(&events);
        // SAFETY: the lists outlive the call.
        on_audio_thread(|| unsafe {
            self.params().flush.unwrap()(self.plugin, &raw const list, &raw const out)
        });
    }

    fn table<T>(&self, id: &CStr) -> &T {
        // SAFETY: `T` is the type of the extension.
        unsafe { &*self.functions().get_extension.unwrap()(self.plugin, id.as_ptr()).cast::<T>() }
    }

    fn params(&self) -> &clap_plugin_params {
        self.table(CLAP_EXT_PARAMS)
    }

    /// The value of a parameter, in the host's terms.
    pub(super) fn value(&self, id: u32) -> Option<f64> {
        let mut value = f64::NAN;
        // SAFETY: a place for the value.
        unsafe { self.params().get_value.unwrap()(self.plugin, id, &raw mut value) }.then_some(value)
    }

    /// How a value is shown, and read again.
    pub(super) fn text_of(&self, id: u32, value: f64) -> Option<(String, f64)> {
        let (mut text, mut again) = ([0 as c_char; 64], f64::NAN);
        // SAFETY: places for both, of the size that is said.
        unsafe {
            let shown = self.params().value_to_text.unwrap()(self.plugin, id, value, text.as_mut_ptr(), 64);
            let read =
                shown && self.params().text_to_value.unwrap()(self.plugin, id, text.as_ptr(), &raw mut again);
            read.then(|| (CStr::from_ptr(text.as_ptr()).to_str().unwrap().to_string(), again))
        }
    }

    /// The state as bytes.
    pub(super) fn save(&self) -> Vec<u8> {
        unsafe extern "C" fn write(stream: *const clap_ostream, from: *const c_void, size: u64) -> i64 {
            // A host takes a few bytes at a time.
            let count = size.min(7) as usize;
            // SAFETY: the context is the list below, and there are so many bytes.
            unsafe {
                let all = &mut *(*stream).ctx.cast::<Vec<u8>>();
                all.extend_from_slice(std::slice::from_raw_parts(from.cast::<u8>(), count));
            }
            count as i64
        }
        let mut all: Vec<u8> = vec![];
        let stream = clap_ostream { ctx: (&raw mut all).cast(), write: Some(write) };
        // SAFETY: the stream outlives the call.
        assert!(unsafe {
            self.table::<clap_plugin_state>(CLAP_EXT_STATE).save.unwrap()(self.plugin, &raw const stream)
        });
        all
    }

    /// Loads a state; false where it is refused.
    pub(super) fn load(&self, mut state: &[u8]) -> bool {
        unsafe extern "C" fn read(stream: *const clap_istream, into: *mut c_void, size: u64) -> i64 {
            // SAFETY: the context is the slice below, and there is room for so many bytes.
            unsafe {
                let rest = &mut *(*stream).ctx.cast::<&[u8]>();
                let count = rest.len().min(5).min(size as usize);
                ptr::copy_nonoverlapping(rest.as_ptr(), into.cast::<u8>(), count);
                *rest = &rest[count..];
                count as i64
            }
        }
        let stream = clap_istream { ctx: (&raw mut state).cast(), read: Some(read) };
        // SAFETY: the stream outlives the call.
        unsafe {
            self.table::<clap_plugin_state>(CLAP_EXT_STATE).load.unwrap()(self.plugin, &raw const stream)
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: it is destroyed once.
        unsafe { self.functions().destroy.unwrap()(self.plugin) }
    }
}
