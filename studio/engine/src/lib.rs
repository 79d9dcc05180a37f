//! The engine as functions that an audio worklet calls, or a worker that renders.
//!
//! There is one thread, which is the audio thread of a page: WebAssembly without shared memory has no other that could prepare
//! an edit. What an edit costs here is its memory and what it carries over; the compiler is elsewhere.
//!
//! # The code of a program
//! The page puts a module of kernels into this instance's table and memory: it asks [`code_room`] for memory, makes an instance of
//! the module with what that returned, and then gives the program to [`begin`], [`edit`] or [`render`]. When the program has been
//! dropped, [`freed`] says which entries of the table are free again.

mod code;

use code::{Kernels, Room};
use mam_runtime::control::{MOST_CHANNELS, Options, Position, Scored, Sync};
use mam_runtime::render::{Length, Renderer};
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{Control, Frames, Live, Program, image, machine};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Frames that a worklet is asked for at once, at most.
const MOST_FRAMES: usize = 1024;
/// Callbacks between two looks at what waits: about 20 ms of 128 frames each.
const CALLBACKS: u32 = 8;

/// Seconds of a song without an end that are rendered, as `mamc render` does.
const ENDLESS_SECONDS: u64 = 30;

/// What plays.
struct Playing {
    control: Control,
    live: Live,
    callbacks: u32,
}

thread_local! {
    static PLAYING: RefCell<Option<Playing>> = const { RefCell::new(None) };
    static RENDERING: RefCell<Option<Renderer<Sequencer>>> = const { RefCell::new(None) };
    static OUT: RefCell<Vec<f32>> = RefCell::new(vec![0.0; MOST_CHANNELS * MOST_FRAMES]);
    static FIGURES: RefCell<Vec<f64>> = const { RefCell::new(vec![]) };
    static ROOM: Cell<Option<Room>> = const { Cell::new(None) };
}

/// Memory for a program, a name, a question or a file of so many bytes; who takes it frees it.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(bytes: usize) -> *mut u8 {
    Box::leak(vec![0; bytes].into_boxed_slice()).as_mut_ptr()
}

/// Memory for a module's tables, at the address that is returned, whose functions begin at an entry of the table.
#[unsafe(no_mangle)]
pub extern "C" fn code_room(bytes: usize, first: usize, functions: usize) -> *const u8 {
    let room = Room::new(bytes, first, functions);
    let at = room.address();
    ROOM.set(Some(room));
    at
}

/// The first entry of the table whose functions are not needed any more, and in [`freed_functions`] how many; −1 if there
/// is none.
#[unsafe(no_mangle)]
pub extern "C" fn freed() -> i32 {
    code::take_freed().map_or(-1, |first| first as i32)
}

/// How many entries [`freed`] meant.
#[unsafe(no_mangle)]
pub extern "C" fn freed_functions() -> usize {
    code::freed_functions()
}

/// The program in memory that [`alloc`] gave, with the code of the last [`code_room`].
///
/// # Safety
/// `at` is what [`alloc`] returned for `bytes`; the module's functions are in the table.
unsafe fn program(at: *mut u8, bytes: usize) -> Option<Arc<Program>> {
    // SAFETY: the caller's promise.
    let read = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, bytes)) };
    let code = Arc::new(Kernels::new(ROOM.take()?));
    image::from_bytes(&read, code).ok().map(Arc::new)
}

/// Begins to play a program, in silence until [`play`]. 0 where it cannot be read.
///
/// # Safety
/// As for [`edit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn begin(at: *mut u8, bytes: usize) -> u32 {
    // SAFETY: the caller's promise.
    let Some(program) = (unsafe { program(at, bytes) }) else { return 0 };
    let options = Options { channels: program.outputs.len().max(2), playing: false, limit: true };
    let (control, live) = Control::new(program, Box::new(Scored), options);
    PLAYING.set(Some(Playing { control, live, callbacks: 0 }));
    1
}

/// Plays another program from the same musical place on; at the next bar line where `at_bar` is not 0. 0 where it cannot be
/// read, or nothing plays.
///
/// # Safety
/// `at` is what [`alloc`] returned for `bytes`, and a module's functions are in the table, with the memory of [`code_room`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edit(at: *mut u8, bytes: usize, at_bar: u32) -> u32 {
    // SAFETY: the caller's promise.
    let Some(program) = (unsafe { program(at, bytes) }) else { return 0 };
    let sync = if at_bar == 0 { Sync::Now } else { Sync::Bar };
    with_playing(|playing| playing.control.edit(program, sync))
}

fn with_playing(act: impl FnOnce(&mut Playing)) -> u32 {
    PLAYING.with_borrow_mut(|playing| playing.as_mut().map(act).is_some()).into()
}

/// Fills `frames` frames, at most 1024, and returns where they are: one channel after the other, each of 1024 frames.
#[unsafe(no_mangle)]
pub extern "C" fn process(frames: usize) -> *const f32 {
    let frames = frames.min(MOST_FRAMES);
    OUT.with_borrow_mut(|out| {
        PLAYING.with_borrow_mut(|playing| match playing {
            Some(playing) => {
                playing.callbacks = (playing.callbacks + 1) % CALLBACKS;
                if playing.callbacks == 0 || playing.control.is_changing() {
                    playing.control.tick();
                }
                let channels = playing.control.channels();
                let mut all: [&mut [f32]; MOST_CHANNELS] = Default::default();
                let planes = out.chunks_exact_mut(MOST_FRAMES).map(|plane| &mut plane[..frames]);
                all.iter_mut().zip(planes).for_each(|(slot, plane)| *slot = plane);
                playing.live.process(&mut Frames::Planar(&mut all[..channels]));
            }
            None => out.fill(0.0),
        });
        out.as_ptr()
    })
}

/// Lets the song go on.
#[unsafe(no_mangle)]
pub extern "C" fn play() {
    with_playing(|playing| playing.control.play());
}

/// Fades out and waits.
#[unsafe(no_mangle)]
pub extern "C" fn stop() {
    with_playing(|playing| playing.control.stop());
}

/// Goes to a second of the song. 0 where that cannot be.
#[unsafe(no_mangle)]
pub extern "C" fn seek(seconds: f64) -> u32 {
    let mut is_there = false;
    with_playing(|playing| {
        let frame = seconds.max(0.0) * f64::from(playing.control.rate());
        is_there = playing.control.seek(frame as u64).is_ok();
    });
    is_there.into()
}

/// # Safety
/// `at` is what [`alloc`] returned for `bytes`.
unsafe fn name(at: *mut u8, bytes: usize) -> String {
    // SAFETY: the caller's promise.
    let read = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, bytes)) };
    String::from_utf8_lossy(&read).into_owned()
}

/// Sets a parameter, whose name is in memory, within 20 ms.
///
/// # Safety
/// `at` is what [`alloc`] returned for `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn set(at: *mut u8, bytes: usize, value: f64) {
    // SAFETY: the caller's promise.
    let name = unsafe { name(at, bytes) };
    with_playing(|playing| {
        let ramp = playing.control.rate() / 50;
        playing.control.set(&name, value, ramp);
    });
}

/// Silences an instrument or lets it be heard again: `what` is 0 or 1 for muted, 2 or 3 for soloed.
///
/// # Safety
/// `at` is what [`alloc`] returned for `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gate(at: *mut u8, bytes: usize, what: u32) {
    // SAFETY: the caller's promise.
    let name = unsafe { name(at, bytes) };
    with_playing(|playing| match what {
        0 | 1 => playing.control.mute(&name, what == 1),
        _ => playing.control.solo(&name, what == 3),
    });
}

/// What there is to see, as f64: how many of them there are, the second of the song, bar, quarter notes in a bar, whether
/// it is stopped, voices that are awake, samples beyond ±1, samples cut off, then the peaks of two channels, then the
/// level of each target. The peaks, counts and levels are those since this was asked the last time.
#[unsafe(no_mangle)]
pub extern "C" fn figures() -> *const f64 {
    FIGURES.with_borrow_mut(|figures| {
        figures.clear();
        figures.push(0.0);
        with_playing(|playing| {
            let seen = playing.control.telemetry();
            let program = playing.control.program();
            let place = Position::at_frame(program, seen.song_frame);
            figures.extend([
                seen.song_frame as f64 / f64::from(program.rate),
                place.map_or(-1.0, |place| place.bar),
                place.map_or(4.0, |place| place.beats_per_bar),
                f64::from(u8::from(seen.stopped)),
                f64::from(seen.voices),
                seen.clipped as f64,
                seen.limited as f64,
                f64::from(seen.peaks[0]),
                f64::from(seen.peaks[1]),
            ]);
            figures.extend(playing.control.levels().into_iter().map(f64::from));
        });
        figures[0] = figures.len() as f64;
        figures.as_ptr()
    })
}

/// Begins to render a program: so many seconds, or for 0 the song once with its tail, or [`ENDLESS_SECONDS`] of a song without
/// an end. The result is its number of channels, 0 where it cannot be read.
///
/// # Safety
/// As for [`edit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn render(at: *mut u8, bytes: usize, seconds: f64) -> usize {
    // SAFETY: the caller's promise.
    let Some(program) = (unsafe { program(at, bytes) }) else { return 0 };
    let rate = f64::from(program.rate);
    let end = Sequencer::for_program(&program, Extent::Once).song_end();
    let (extent, length) = match end {
        _ if seconds > 0.0 => (Extent::Forever, Length::Frames((seconds * rate) as u64)),
        Some(end) => (Extent::Once, Length::WithTail(end)),
        None => (Extent::Forever, Length::Frames(ENDLESS_SECONDS * u64::from(program.rate))),
    };
    let channels = program.outputs.len();
    let source = Sequencer::for_program(&program, extent);
    RENDERING.set(Some(Renderer::new(program, source, channels, 0, length)));
    channels
}

/// Renders the next frames, and returns how many; 0 at the end.
#[unsafe(no_mangle)]
pub extern "C" fn rendered() -> usize {
    RENDERING.with_borrow_mut(|renderer| {
        let block = renderer.as_mut().and_then(Renderer::next_block);
        OUT.with_borrow_mut(|out| {
            let block = block.unwrap_or_default();
            let frames = block.first().map_or(0, Vec::len);
            out.resize(out.len().max(block.len() * frames), 0.0);
            for (plane, channel) in out.chunks_exact_mut(frames.max(1)).zip(block) {
                plane.copy_from_slice(channel);
            }
            frames
        })
    })
}

/// Where they are: one channel after the other.
#[unsafe(no_mangle)]
pub extern "C" fn rendered_address() -> *const f32 {
    OUT.with_borrow(|out| out.as_ptr())
}

/// x·y + z, rounded once, for kernels.
#[unsafe(no_mangle)]
pub extern "C" fn fma32(x: f32, y: f32, z: f32) -> f32 {
    machine::fma32(x, y, z)
}

/// x·y + z, rounded once, for kernels.
#[unsafe(no_mangle)]
pub extern "C" fn fma64(x: f64, y: f64, z: f64) -> f64 {
    machine::fma64(x, y, z)
}

/// Plays nothing any more.
#[unsafe(no_mangle)]
pub extern "C" fn end() {
    PLAYING.take();
    RENDERING.take();
}
