//! Any text as a `.mam` song.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| mam_testing::texts::survive("song.mam", text));
