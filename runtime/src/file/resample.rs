//! From one rate to another while a sound is read: rubato's band-limited interpolation, aligned to the frame.

use super::FileError;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

/// Frames that are resampled at a time, at most, at the higher of the two rates.
const CHUNK: usize = 1024;
/// Length of the interpolating filter at the lower of the two rates, in frames. With this window its transition is 4 % of
/// the lower rate's half wide on each side of [`BAND`], and what lies beyond is below −90 dB.
const LENGTH: usize = 192;
/// Tabulated positions between two frames of the lower rate; linear in between, which errs by −130 dB.
const POSITIONS: usize = 2048;
/// The band that passes, as a share of the lower rate's half.
const BAND: f32 = 0.95;

/// Resamples channels that come in portions. Frame n of the result is the sound at n/`to` seconds, to one of [`POSITIONS`]; the
/// band below 0.9 of the lower rate's half passes within 0.01 dB. Work for a frame of the result is bounded by the ratio of the rates, memory by
/// that and [`CHUNK`].
pub(super) struct Stream {
    resampler: Async<f32>,
    /// What has not been resampled yet, one vector a channel.
    waiting: Vec<Vec<f32>>,
    out: Vec<Vec<f32>>,
    /// Frames of the result that lie before its beginning.
    early: usize,
    /// Frames of the source that are taken at a time.
    chunk: usize,
}

impl Stream {
    /// From one rate to another, both at least 1.
    pub(super) fn new(from: u32, to: u32, channels: usize) -> Result<Stream, FileError> {
        let slower = (from as usize).div_ceil(to as usize).max(1);
        let length = (LENGTH * slower).next_multiple_of(8);
        let parameters = SincInterpolationParameters {
            sinc_len: length,
            f_cutoff: Some(BAND),
            oversampling_factor: (POSITIONS / slower).max(16),
            interpolation: SincInterpolationType::Linear,
            window: WindowFunction::BlackmanHarris,
        };
        let ratio = f64::from(to) / f64::from(from);
        let chunk = (CHUNK as u64 * u64::from(from) / u64::from(to)).clamp(1, CHUNK as u64) as usize;
        let resampler = Async::new_sinc(ratio, 1.0, &parameters, chunk, channels, FixedAsync::Input);
        let resampler = resampler.map_err(|e| unusable(&e))?;
        // The filter is late by half its length. Silence before the sound makes that a whole number of the result's frames.
        let step = from as usize / num_integer::gcd(from, to) as usize;
        let late = (length / 2).next_multiple_of(step);
        // Its first frame is already a step of the result further on.
        let early = (late as u64 * u64::from(to) / u64::from(from)) as usize - 1;
        let silence = vec![0.0; late - length / 2];
        let room = resampler.output_frames_max();
        Ok(Stream {
            resampler,
            waiting: vec![silence; channels],
            out: vec![vec![0.0; room]; channels],
            early,
            chunk,
        })
    }

    /// Takes what comes next of each channel and appends what that makes to `into`.
    pub(super) fn take(&mut self, channels: &[Vec<f32>], into: &mut [Vec<f32>]) -> Result<(), FileError> {
        for (waiting, new) in self.waiting.iter_mut().zip(channels) {
            waiting.extend(new);
        }
        let mut done = 0;
        while self.waiting[0].len() - done >= self.chunk {
            let next = done + self.chunk;
            let chunk: Vec<Vec<f32>> = self.waiting.iter().map(|w| w[done..next].to_vec()).collect();
            self.run(&chunk, into)?;
            done = next;
        }
        self.waiting.iter_mut().for_each(|waiting| drop(waiting.drain(..done)));
        Ok(())
    }

    /// Appends what is left, up to so many frames in all.
    pub(super) fn finish(mut self, frames: usize, into: &mut [Vec<f32>]) -> Result<(), FileError> {
        let silence = vec![vec![0.0; self.chunk]; self.waiting.len()];
        while into[0].len() < frames {
            self.take(&silence, into)?;
        }
        into.iter_mut().for_each(|channel| channel.truncate(frames));
        Ok(())
    }

    fn run(&mut self, chunk: &[Vec<f32>], into: &mut [Vec<f32>]) -> Result<(), FileError> {
        let (channels, room) = (self.out.len(), self.out[0].len());
        let from = SequentialSliceOfVecs::new(chunk, channels, self.chunk).map_err(|e| unusable(&e))?;
        let mut to =
            SequentialSliceOfVecs::new_mut(&mut self.out, channels, room).map_err(|e| unusable(&e))?;
        let (_, frames) =
            self.resampler.process_into_buffer(&from, &mut to, None).map_err(|e| unusable(&e))?;
        let early = self.early.min(frames);
        self.early -= early;
        into.iter_mut().zip(&self.out).for_each(|(into, out)| into.extend(&out[early..frames]));
        Ok(())
    }
}

fn unusable(error: &dyn std::fmt::Display) -> FileError {
    FileError::Unsupported(format!("it cannot be brought to the song's rate: {error}"))
}
