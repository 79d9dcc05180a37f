//! What an `expect` measures: the sound is rendered here, [`mam_measure`] computes of it what is asked, and a figure shows it.

pub mod hear;
pub mod plot;
