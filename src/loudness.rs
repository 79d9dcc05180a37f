//! How loud a render is, by the ebur128 crate.

use crate::failure::Failure;
use crate::offline::Job;
use crate::values::Level;
use ebur128::{EbuR128, Mode};

/// The factor that brings a job's sound to a level. Renders it once to find out.
///
/// # Errors
/// When it has no such level: it is silent, or too short to have a loudness.
pub fn factor(job: &Job, level: Level) -> Result<f32, Failure> {
    let cannot = |e: ebur128::Error| Failure::Usage(format!("its level cannot be measured: {e}"));
    let channels = job.channels();
    let mode = Mode::I | Mode::TRUE_PEAK;
    let mut meter = EbuR128::new(channels as u32, job.program.rate, mode).map_err(cannot)?;
    job.run(|block| meter.add_frames_f32(block).map_err(cannot))?;
    let (measured, wanted) = match level {
        Level::Loudness(wanted) => (meter.loudness_global().map_err(cannot)?, wanted),
        Level::Peak(wanted) => {
            let peaks: Result<Vec<f64>, _> = (0..channels as u32).map(|c| meter.true_peak(c)).collect();
            let peak = peaks.map_err(cannot)?.into_iter().fold(0.0, f64::max);
            (20.0 * peak.log10(), wanted)
        }
    };
    if !measured.is_finite() {
        return Err(Failure::Usage("--normalize: the result is silent, or shorter than 0.4 s".into()));
    }
    Ok(10_f64.powf((wanted - measured) / 20.0) as f32)
}
