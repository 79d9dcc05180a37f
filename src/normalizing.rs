//! The gain that brings a sound to a level.

use crate::failure::Failure;
use crate::files::Rendering;
use crate::values::Level;
use mam_measure::levels::Meter;

/// What other meters differ by, in dB, between the positions that are looked at.
const MARGIN: f64 = 0.02;

/// The gain in dB that brings a sound to a level. Renders it once to find out.
///
/// # Errors
/// When it has no such level: it is silent, or too short to have a loudness.
pub fn gain_to(sound: &dyn Rendering, level: Level) -> Result<f64, Failure> {
    let mut meter = Meter::new(sound.channels(), sound.rate());
    sound.run(&mut |block| {
        meter.add(block);
        Ok(())
    })?;
    let levels = meter.finish();
    let (measured, wanted) = match level {
        Level::Loudness(wanted) => (levels.loudness, wanted),
        // No other meter is to find that it is exceeded.
        Level::Peak(wanted) => (levels.highest_reading.map(|peak| peak + MARGIN), wanted),
    };
    let none = || {
        let why = match level {
            Level::Loudness(_) => {
                "the result is silent, or shorter than the 0.4 s of which there is a loudness"
            }
            Level::Peak(_) => "the result is silent",
        };
        Failure::WrongInput(format!("--normalize: {why}"))
    };
    measured.map(|measured| wanted - measured).ok_or_else(none)
}
