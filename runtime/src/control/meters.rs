//! What the audio thread tells about itself: atomics that it writes and never waits for.

use super::protocol::MOST_CHANNELS;
use crate::engine::Quantum;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

/// Shared by `Live`, which writes, and `Control`, which reads and begins anew.
#[derive(Debug, Default)]
pub(super) struct Meters {
    /// The first frame that has not been rendered yet.
    pub(super) position: AtomicU64,
    /// Quanta that have been rendered, whatever frames they were.
    pub(super) quanta: AtomicU64,
    /// Frames that were given to the device, without the silence of a stop.
    pub(super) heard: AtomicU64,
    /// Takings that found no room to be logged.
    pub(super) unlogged: AtomicU64,
    /// Something that was to go outside found no room.
    pub(super) unsent: AtomicBool,
    /// Whether it is silent because it was stopped.
    pub(super) stopped: AtomicBool,
    /// Bits of the greatest absolute value of each channel: they order as the values do.
    peaks: [AtomicU32; MOST_CHANNELS],
    clipped: AtomicU64,
    faults: AtomicU64,
    voices: AtomicU32,
    frames: AtomicU64,
    busy: AtomicU64,
    callbacks: AtomicU64,
    largest: AtomicU32,
    late: AtomicU64,
    unrecorded: AtomicU64,
    limited: AtomicU64,
    /// The first frame at which something was cut off, plus one; 0 for none.
    limited_at: AtomicU64,
    slowest: AtomicU64,
    slowest_step: AtomicU32,
    slowest_step_ticks: AtomicU64,
    slowest_generation: AtomicU32,
}

/// How it goes, since it was asked the last time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// The frame of the song that is rendered next.
    pub song_frame: u64,
    /// Whether it is silent because it was stopped.
    pub stopped: bool,
    /// Greatest absolute value of each channel.
    pub peaks: [f32; MOST_CHANNELS],
    /// Output samples beyond ±1, before the protective clamp.
    pub clipped: u64,
    /// Samples that were no numbers and were replaced by 0: a fault of ours or of an equation's.
    pub faults: u64,
    /// Samples beyond the limit, which were cut off.
    pub limited: u64,
    /// The frame of the song at which something was cut off first, since the start.
    pub limited_at: Option<u64>,
    /// Voices that are awake.
    pub voices: u32,
    /// Share of the time that rendering took: 1 is all there is.
    pub load: f64,
    /// The slowest quantum's share of its own time.
    pub slowest: f64,
    /// The step that took longest in it, and its share.
    pub slowest_step: Option<(Arc<str>, f64)>,
    /// Callbacks of the device.
    pub callbacks: u64,
    /// Callbacks that took longer than what they rendered lasts.
    pub late: u64,
    /// Frames of the largest callback, ever.
    pub largest: u32,
    /// Frames that could not be recorded because the ring was full.
    pub unrecorded: u64,
}

/// The measure of the audio thread's own time, read from the shared meters.
pub(super) struct Slowest {
    pub(super) generation: u32,
    pub(super) quantum: Quantum,
}

impl Meters {
    /// Counts one channel of a quantum. \[audio\]
    pub(super) fn channel(&self, channel: usize, peak: f32, clipped: u32, faults: u32) {
        self.peaks[channel].fetch_max(peak.to_bits(), Relaxed);
        self.clipped.fetch_add(u64::from(clipped), Relaxed);
        self.faults.fetch_add(u64::from(faults), Relaxed);
    }

    /// Counts a quantum. Only the audio thread writes the slowest one; a reader between the stores sees the step of
    /// one quantum with the time of another, which is harmless. \[audio\]
    pub(super) fn quantum(&self, generation: u32, quantum: Quantum, voices: usize) {
        self.voices.store(voices as u32, Relaxed);
        if quantum.ticks > self.slowest.load(Relaxed) {
            self.slowest.store(quantum.ticks, Relaxed);
            self.slowest_step.store(quantum.worst_step as u32, Relaxed);
            self.slowest_step_ticks.store(quantum.worst_ticks, Relaxed);
            self.slowest_generation.store(generation, Relaxed);
        }
    }

    /// Counts samples that were cut off, the first of them at a frame. \[audio\]
    pub(super) fn limited(&self, samples: u32, frame: u64) {
        if samples > 0 {
            self.limited.fetch_add(samples.into(), Relaxed);
            // Only this thread writes it.
            if self.limited_at.load(Relaxed) == 0 {
                self.limited_at.store(frame + 1, Relaxed);
            }
        }
    }

    /// Counts a callback. \[audio\]
    pub(super) fn callback(&self, frames: usize, ticks: u64, ticks_per_frame: f64) {
        self.frames.fetch_add(frames as u64, Relaxed);
        self.busy.fetch_add(ticks, Relaxed);
        self.callbacks.fetch_add(1, Relaxed);
        self.largest.fetch_max(frames as u32, Relaxed);
        self.late.fetch_add(u64::from(ticks as f64 > frames as f64 * ticks_per_frame), Relaxed);
    }

    /// Counts frames that found no room to be recorded. \[audio\]
    pub(super) fn lost(&self, frames: usize) {
        self.unrecorded.fetch_add(frames as u64, Relaxed);
    }

    /// Frames of the largest callback so far.
    pub(super) fn largest_callback(&self) -> u32 {
        self.largest.load(Relaxed)
    }

    /// Reads everything and begins anew. What belongs to a program is filled in by `Control`.
    pub(super) fn read(&self, ticks_per_frame: f64) -> (Telemetry, Slowest) {
        let frames = self.frames.swap(0, Relaxed) as f64;
        let busy = self.busy.swap(0, Relaxed) as f64;
        let telemetry = Telemetry {
            stopped: self.stopped.load(Relaxed),
            peaks: std::array::from_fn(|channel| f32::from_bits(self.peaks[channel].swap(0, Relaxed))),
            clipped: self.clipped.swap(0, Relaxed),
            faults: self.faults.swap(0, Relaxed),
            limited: self.limited.swap(0, Relaxed),
            limited_at: self.limited_at.load(Relaxed).checked_sub(1),
            voices: self.voices.load(Relaxed),
            load: if frames > 0.0 { busy / (frames * ticks_per_frame) } else { 0.0 },
            callbacks: self.callbacks.swap(0, Relaxed),
            late: self.late.swap(0, Relaxed),
            largest: self.largest_callback(),
            unrecorded: self.unrecorded.swap(0, Relaxed),
            ..Telemetry::default()
        };
        let quantum = Quantum {
            ticks: self.slowest.swap(0, Relaxed),
            worst_step: self.slowest_step.load(Relaxed) as usize,
            worst_ticks: self.slowest_step_ticks.load(Relaxed),
        };
        (telemetry, Slowest { generation: self.slowest_generation.load(Relaxed), quantum })
    }
}
