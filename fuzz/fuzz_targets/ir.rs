//! Any bytes as a kernel, and as what it is called with: interpreter and machine code agree to the bit.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mam_testing::agree::survive(bytes));
