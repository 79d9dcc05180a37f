//! Any text as a JSON song.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| mam_testing::texts::survive("song.json", text));
