//! A stand-in for the part of `coreaudio-sys` that is used: the same names, types and layouts, and functions that work
//! on a [`World`] made for a test. `crosscheck` compares it with the real thing when a Mac is the target.

mod object;
mod types;
mod unit;
mod world;

pub(super) use object::*;
pub(super) use types::*;
pub(super) use unit::*;
pub(super) use world::{FakeDevice, World};

/// The calls that begin a stream and can be made to fail.
pub(super) const CALLS: [&str; 6] = [
    "AudioComponentFindNext",
    "AudioComponentInstanceNew",
    "AudioUnitSetProperty",
    "AudioUnitInitialize",
    "AudioOutputUnitStart",
    "AudioObjectAddPropertyListener",
];
