//! What is measured of a sound, computed of its samples in f64: what an `expect` asks for, and the levels of a file.
//!
//! The table of measures, with their arguments and what flows in, is [`mam_compiler::expect::measures`]; here is a function for
//! each. They know nothing of songs: [`Heard`] is a sound with what was fed to make it.

mod envelope;
mod level;
pub mod levels;
mod response;
mod spectrum;
mod stereo;
mod tone;

pub mod stimulus;
pub mod window;

use mam_compiler::expect::Check;
use mam_compiler::expect::measures::{Measure, Values};

/// A sound that is measured.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Frames a second of its channels.
    pub rate: f64,
    /// Its channels, all of one length, from the frame on from which it is looked at.
    pub channels: Vec<Vec<f64>>,
    /// What flowed in, over the same frames; empty where nothing did.
    pub input: Vec<f64>,
    /// Whether everything on the way to it was finite.
    pub finite: bool,
    /// Operations a frame of its program.
    pub operations: usize,
}

impl Heard {
    /// Frames of each channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// The channel that measures of one channel look at; empty without channels.
    pub fn first(&self) -> &[f64] {
        self.channels.first().map_or(&[], Vec::as_slice)
    }
}

/// The value of a measure, in base units, or why there is none.
pub type Value = Result<f64, String>;

/// The value of a check's measure: `heard` is one sound for each of its subjects.
///
/// # Errors
/// When the sound has no such value: it is silent, too short, or not finite. In a sentence.
pub fn value(check: &Check, heard: &[Heard]) -> Value {
    let [x, others @ ..] = heard else { return Err("nothing was rendered".into()) };
    if check.measure == Measure::Finite && x.frames() > 0 {
        return Ok(f64::from(u8::from(heard.iter().all(|one| one.finite))));
    }
    if heard.iter().any(|one| !one.finite) {
        return Err("something on the way to it is infinite or not a number".into());
    }
    if heard.iter().any(|one| one.frames() == 0) && check.measure != Measure::Cost {
        return Err(over(check));
    }
    is_rendered(check, x.rate)?;
    let given = |name: &str| given(check, name);
    let needed = |name: &str| given(name).unwrap_or_default();
    match check.measure {
        Measure::Finite => Ok(1.0),
        Measure::Peak => Ok(level::peak(x)),
        Measure::TruePeak => level::true_peak(x),
        Measure::Rms => Ok(level::rms(&x.channels)),
        Measure::Crest => level::crest(x),
        Measure::Lufs => level::integrated(x),
        Measure::Loudest => level::loudest(x),
        Measure::Dc => Ok(level::dc(x)),
        Measure::Mean => Ok(level::mean(x.first())),
        Measure::Silent => Ok(f64::from(u8::from(level::is_silent(x)))),
        Measure::Clipped => Ok(level::clipped(x)),
        Measure::Floor => Ok(level::rms(&x.channels)),
        Measure::Gain | Measure::Transfer => level::gain(x),
        Measure::Value => x.first().last().copied().ok_or_else(|| "nothing was rendered".into()),
        Measure::Reaches => envelope::reaches(x, needed("level")),
        Measure::Onset => envelope::onset(x),
        Measure::Latency => fed(check).and_then(|()| envelope::onset(x)),
        Measure::Attack => envelope::attack(x),
        Measure::Fall => envelope::fall(x, needed("by")),
        Measure::Rt60 => envelope::rt60(x, given("at")),
        Measure::Density => envelope::density(x, needed("at")),
        Measure::Pitch => tone::pitch(x),
        Measure::Partial => Ok(tone::partial(x, needed("at"))),
        Measure::Harmonic => tone::harmonic(x, needed("number")),
        Measure::Centroid => spectrum::centroid(x),
        Measure::Slope => spectrum::slope(x, needed("from"), needed("to")),
        Measure::Alias => {
            let edges = needed("above")..given("below").unwrap_or(0.5 * x.rate);
            spectrum::alias(x, edges, given("freq"))
        }
        Measure::Thd | Measure::Thdn | Measure::Sfdr | Measure::Snr => {
            spectrum::distortion(x, check.measure, fundamental(check, x.rate))
        }
        Measure::Response => fed(check).map(|()| response::at(x, needed("at")).norm()),
        Measure::Phase => fed(check).map(|()| response::at(x, needed("at")).arg()),
        Measure::GroupDelay => fed(check).and_then(|()| response::group_delay(x, needed("at"))),
        Measure::Correlation => stereo::correlation(x),
        Measure::MonoLoss => stereo::mono_loss(x),
        Measure::Null => {
            others.first().map_or_else(|| Err("nothing to compare".into()), |y| level::null(x, y))
        }
        Measure::Cost => Ok(x.operations as f64),
    }
}

/// Why there is nothing to measure where a sound is over before the part that is looked at.
fn over(check: &Check) -> String {
    match given(check, "after") {
        Some(after) if after > 0.0 => format!(
            "it is over before {after} s, so that nothing is left to measure: `for:` lets it go on, as in `for: 1s`"
        ),
        _ => "nothing was rendered".into(),
    }
}

/// Refuses frequencies that a sound of a rate does not have.
fn is_rendered(check: &Check, rate: f64) -> Result<(), String> {
    let params = check.measure.row().params.iter().zip(&check.given);
    let beyond = params.filter(|(param, _)| param.values == Values::Rendered);
    let mut beyond = beyond.filter_map(|(param, hz)| Some((param.name, hz.filter(|hz| *hz >= 0.5 * rate)?)));
    beyond.next().map_or(Ok(()), |(name, hz)| {
        Err(format!("`{name}` is {hz} Hz, and at {rate} Hz there is only what lies below {} Hz", 0.5 * rate))
    })
}

/// Refuses what is no answer, as nothing flows in.
fn fed(check: &Check) -> Result<(), String> {
    if check.fed { Ok(()) } else { Err("nothing flows in".into()) }
}

/// An argument of a check's measure, in base units.
pub fn given(check: &Check, name: &str) -> Option<f64> {
    let place = check.measure.row().params.iter().position(|param| param.name == name)?;
    check.given.get(place).copied().flatten()
}

/// The fundamental of what a check is fed, at a rate. None where it makes its own.
fn fundamental(check: &Check, rate: f64) -> Option<f64> {
    check.fed.then(|| stimulus::on_a_bin(given(check, "freq").unwrap_or_default(), rate))
}
