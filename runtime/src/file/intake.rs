//! What is taken from a sound file that is decoded: as many channels and frames as are wanted, at the rate that is wanted.

use super::FileError;
use super::resample::Stream;
use std::fmt;

/// Rates that a file may have, in frames a second. Beyond these it is noise that happens to look like a header.
const RATES: std::ops::RangeInclusive<u32> = 100..=1_048_576;
/// Samples that are decoded at a time, at most about.
pub(super) const PORTION: usize = 1 << 15;

/// A sound in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// The rate of its channels, in frames a second.
    pub rate: u32,
    /// The channels, all of one length; at least one.
    pub channels: Vec<Vec<f32>>,
    /// Whether the file ends before its header says.
    pub is_cut_off: bool,
    /// What of it is silent because the file is damaged there; nothing where it is whole.
    pub damage: Option<Damage>,
}

/// What of a sound could not be read, and is silent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Damage {
    /// Where the first of it is, in seconds from the beginning.
    pub at: f64,
    /// How much it is in all, in seconds.
    pub seconds: f64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is damaged: from {:.2} s on, {:.2} s cannot be decoded", self.at, self.seconds)
    }
}

impl Sound {
    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }
}

/// What is wanted of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Frames a second, at least 1; the file's own where `None`.
    pub rate: Option<u32>,
    /// The most channels, at least 1: those beyond are left out.
    pub channels: usize,
    /// The most frames, at that rate.
    pub frames: u64,
    /// How many samples, those of all channels that are taken counted, the file may have: one with more, or that says so, is refused,
    /// before it is read where its header says how long it is.
    pub most: Option<u64>,
}

/// What takes decoded frames: leaves out what is not wanted, and resamples the rest.
pub(super) struct Intake {
    wanted: Wanted,
    /// The file's rate and number of channels, and the resampler, once they are known.
    form: Option<(u32, usize)>,
    resampler: Option<Stream>,
    /// Frames that were taken, at the file's rate.
    taken: u64,
    portion: Vec<Vec<f32>>,
    channels: Vec<Vec<f32>>,
    pub(super) is_cut_off: bool,
    /// The first frame that is silent because the file is damaged, and how many are.
    damage: Option<(u64, u64)>,
}

impl Intake {
    pub(super) fn new(wanted: Wanted) -> Intake {
        let (portion, channels) = (vec![], vec![]);
        let (form, resampler, damage) = (None, None, None);
        Intake { wanted, form, resampler, taken: 0, portion, channels, is_cut_off: false, damage }
    }

    /// Says what follows. Again with the same is allowed.
    pub(super) fn begin(&mut self, rate: u32, channels: usize) -> Result<(), FileError> {
        match self.form {
            Some(form) if form == (rate, channels) => return Ok(()),
            Some(_) => {
                return Err(FileError::Unsupported(
                    "the file changes its rate or channels on the way".into(),
                ));
            }
            None => {}
        }
        if channels == 0 {
            return Err(FileError::Malformed("the file has no channels".into()));
        }
        if !RATES.contains(&rate) {
            let words =
                format!("its rate, {rate} Hz, is out of range: {} to {} Hz", RATES.start(), RATES.end());
            return Err(FileError::Unsupported(words));
        }
        let count = channels.min(self.wanted.channels.max(1));
        self.form = Some((rate, channels));
        self.portion = vec![vec![]; count];
        self.channels = vec![vec![]; count];
        self.resampler = match self.wanted.rate {
            Some(to) if to != rate => Some(Stream::new(rate, to, count)?),
            _ => None,
        };
        Ok(())
    }

    /// The file says that it has so many frames.
    pub(super) fn promise(&self, frames: u64) -> Result<(), FileError> {
        let samples = frames.saturating_mul(self.channels.len() as u64);
        if self.wanted.most.is_some_and(|most| samples > most) { Err(FileError::Unwanted) } else { Ok(()) }
    }

    /// True once the file's rate and channels are known.
    #[cfg(feature = "decode")]
    pub(super) fn has_begun(&self) -> bool {
        self.form.is_some()
    }

    /// Frames that were taken, at the file's rate.
    #[cfg(feature = "decode")]
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes whole frames, interleaved. False when no more are wanted.
    pub(super) fn take(&mut self, samples: &[f32]) -> Result<bool, FileError> {
        let Some((_, all)) = self.form else { return Ok(false) };
        for (c, portion) in self.portion.iter_mut().enumerate() {
            portion.clear();
            portion.extend(samples.iter().skip(c).step_by(all));
        }
        self.taken += self.portion[0].len() as u64;
        self.promise(self.taken)?;
        match &mut self.resampler {
            Some(resampler) => resampler.take(&self.portion, &mut self.channels)?,
            None => self.channels.iter_mut().zip(&self.portion).for_each(|(c, new)| c.extend(new)),
        }
        Ok((self.channels[0].len() as u64) < self.wanted.frames)
    }

    /// Takes silence up to a frame, at the file's rate: what was there is lost, or the file says that nothing is. False when no
    /// more is wanted.
    #[cfg(feature = "decode")]
    pub(super) fn silence_to(&mut self, frame: u64, is_lost: bool) -> Result<bool, FileError> {
        let Some((_, channels)) = self.form else { return Ok(false) };
        let first = self.taken;
        let zeros = vec![0.0; PORTION / channels * channels];
        let mut goes_on = true;
        while goes_on && self.taken < frame {
            let left = usize::try_from(frame - self.taken).unwrap_or(usize::MAX).saturating_mul(channels);
            goes_on = self.take(&zeros[..left.min(zeros.len())])?;
        }
        if is_lost && self.taken > first {
            let (at, frames) = self.damage.unwrap_or((first, 0));
            self.damage = Some((at, frames + (self.taken - first)));
        }
        Ok(goes_on)
    }

    pub(super) fn finish(mut self) -> Result<Sound, FileError> {
        let Some((own, _)) = self.form else {
            return Err(no_sound());
        };
        let rate = self.wanted.rate.unwrap_or(own);
        let all = (u128::from(self.taken) * u128::from(rate)).div_ceil(u128::from(own));
        let frames = usize::try_from(all.min(u128::from(self.wanted.frames))).unwrap_or(usize::MAX);
        match self.resampler.take() {
            Some(resampler) => resampler.finish(frames, &mut self.channels)?,
            None => self.channels.iter_mut().for_each(|channel| channel.truncate(frames)),
        }
        let seconds = |frames: u64| frames as f64 / f64::from(own);
        let damage = self.damage.map(|(at, frames)| Damage { at: seconds(at), seconds: seconds(frames) });
        Ok(Sound { rate, channels: self.channels, is_cut_off: self.is_cut_off, damage })
    }
}

/// There are no frames in the file.
pub(super) fn no_sound() -> FileError {
    FileError::Malformed("the file holds no sound".into())
}
