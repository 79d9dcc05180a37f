//! The program that any bytes make, formatted.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mam_testing::written::keeps(bytes));
