//! Where sound goes: devices, behind one small trait.

mod frames;

pub use frames::Frames;
