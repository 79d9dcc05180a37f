//! Songs as pairs of C functions, so that a bench of another language can measure mam beside other programs.
//!
//! For K = 1 … 9, `wK_new(rate)` compiles `wK.mam` and returns it with its memory, and `wK_run(p, frames, in, out)`
//! renders its next frames: two channels in (the song's `in`), two out, any number of frames. The songs lie in the
//! folder that the variable `MAM_PLUG_SONGS` names, else in this crate's own `songs`. When a song has errors they
//! are written to standard error, and `wK_new` returns null.
//!
//! What is measured is the engine as it plays: the score's events are asked for a second ahead, once a second.

mod song;

use song::Song;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Channels of a song's input and output.
pub const CHANNELS: usize = 2;

/// Compiles the song number `number`; null when it can't be.
fn new(number: u32, rate: c_int) -> *mut Song {
    // No panic may cross into C.
    let made = catch_unwind(|| Song::load(number, rate)).unwrap_or(None);
    made.map_or(std::ptr::null_mut(), |song| Box::into_raw(Box::new(song)))
}

/// Renders the next frames.
///
/// # Safety
/// `song` comes from [`new`] and is not null; each table holds [`CHANNELS`] addresses of `frames` samples. `input`, or an
/// address in it, may be null for silence.
unsafe fn run(song: *mut Song, frames: c_int, input: *const *const f32, output: *const *mut f32) {
    let frames = usize::try_from(frames).unwrap_or(0);
    // No panic may cross into C.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller vouches for the song and the tables.
        unsafe { (*song).run(frames, input, output) }
    }));
}

/// The two functions of one song.
macro_rules! song {
    ($number:literal, $new:ident, $run:ident) => {
        /// Compiles the song and returns it with its memory; null when it has errors.
        #[unsafe(no_mangle)]
        pub extern "C" fn $new(rate: c_int) -> *mut Song {
            new($number, rate)
        }

        /// Renders the next frames.
        ///
        /// # Safety
        /// The song comes from the function above and is not null; each table holds two addresses of `frames`
        /// samples. `input`, or an address in it, may be null for silence.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $run(
            song: *mut Song,
            frames: c_int,
            input: *const *const f32,
            output: *const *mut f32,
        ) {
            // SAFETY: the caller vouches for it.
            unsafe { run(song, frames, input, output) }
        }
    };
}

song!(1, w1_new, w1_run);
song!(2, w2_new, w2_run);
song!(3, w3_new, w3_run);
song!(4, w4_new, w4_run);
song!(5, w5_new, w5_run);
song!(6, w6_new, w6_run);
song!(7, w7_new, w7_run);
song!(8, w8_new, w8_run);
song!(9, w9_new, w9_run);

#[cfg(test)]
mod tests;
