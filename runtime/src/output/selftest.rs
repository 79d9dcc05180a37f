//! A test for the owner of a machine that we do not have: silence, then a tone, and what the device made of them.

use super::backend::{Backend, Callback, Format, Request, State};
use super::error::OutputError;
use super::priority::{Priority, Promoter};
use crate::frames::Frames;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The tone's frequency in Hz.
const TONE: f64 = 440.0;
/// Its level: −20 dB.
const LEVEL: f64 = 0.1;
/// How long silence and tone are.
const PART: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// What the self-test has found.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTest {
    /// The name of the backend that was tested.
    pub backend: &'static str,
    /// What the device gave.
    pub format: Format,
    /// How often it called back.
    pub callbacks: u64,
    /// Frames of all callbacks.
    pub frames: u64,
    /// Frames of the smallest and of the largest callback.
    pub sizes: (u64, u64),
    /// How often it had nothing to play.
    pub underruns: u64,
    /// How it was at the end.
    pub state: State,
    /// How its thread is scheduled.
    pub priority: Priority,
}

impl SelfTest {
    /// Plays a second of silence and a second of a tone. Takes a little longer.
    ///
    /// # Errors
    /// When the device cannot be opened or started, or is lost meanwhile.
    pub fn run(backend: &dyn Backend, request: &Request) -> Result<SelfTest, OutputError> {
        let opened = backend.open(request)?;
        let format = opened.format().clone();
        let seen = Arc::new(Seen { smallest: AtomicU64::new(u64::MAX), ..Seen::default() });
        let mut promoter = Promoter::default();
        promoter.starts();
        let callback = promoter.watch(tone(f64::from(format.rate), seen.clone()));
        let stream = opened.start(callback).map_err(|(error, _)| error)?;
        let began = Instant::now();
        while began.elapsed() < 2 * PART {
            promoter.poll();
            std::thread::sleep(LOOK);
        }
        let priority = promoter.priority();
        let (underruns, state) = (stream.underruns(), stream.state());
        stream.stop(true);
        Ok(SelfTest {
            backend: backend.name(),
            format,
            callbacks: seen.callbacks.load(Relaxed),
            frames: seen.frames.load(Relaxed),
            sizes: (seen.smallest.load(Relaxed), seen.largest.load(Relaxed)),
            underruns,
            state,
            priority,
        })
    }

    /// Whether all went well: it was called at about the right rate, in time, to the end.
    pub fn passed(&self) -> bool {
        let expected = 2.0 * PART.as_secs_f64() * f64::from(self.format.rate);
        let near = (0.5..2.0).contains(&(self.frames as f64 / expected));
        near && self.underruns == 0 && self.state == State::Running
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Format { device, rate, channels, buffer } = &self.format;
        writeln!(
            f,
            "{} opened \"{device}\": {rate} Hz, {channels} channels, buffers of {buffer}",
            self.backend
        )?;
        match self.callbacks {
            0 => writeln!(f, "it never called back")?,
            n => {
                let (least, most) = self.sizes;
                writeln!(
                    f,
                    "it called back {n} times for {} frames, {least} to {most} at a time",
                    self.frames
                )?;
            }
        }
        writeln!(f, "underruns: {}", self.underruns)?;
        writeln!(f, "real-time priority: {}", self.priority)?;
        if let Some(advice) = self.priority.advice() {
            writeln!(f, "{advice}")?;
        }
        match &self.state {
            State::Running => writeln!(f, "it ran to the end")?,
            State::Changed => writeln!(f, "it changed its rate meanwhile")?,
            State::Lost(error) => writeln!(f, "{error}")?,
        }
        match self.passed() {
            true => write!(f, "all is well, if you heard a second of a tone after a second of silence"),
            false => write!(f, "something is wrong: please report these lines"),
        }
    }
}

/// What the callback writes down.
#[derive(Default)]
struct Seen {
    callbacks: AtomicU64,
    frames: AtomicU64,
    smallest: AtomicU64,
    largest: AtomicU64,
}

/// Silence, the tone with soft edges, silence.
fn tone(rate: f64, seen: Arc<Seen>) -> Callback {
    let mut at = 0_u64;
    Box::new(move |out: &mut Frames<'_>| {
        let frames = out.frames() as u64;
        seen.callbacks.fetch_add(1, Relaxed);
        seen.frames.fetch_add(frames, Relaxed);
        seen.smallest.fetch_min(frames, Relaxed);
        seen.largest.fetch_max(frames, Relaxed);
        for i in 0..frames {
            let sample = [sample((at + i) as f64 / rate - PART.as_secs_f64())];
            out.write(i as usize, |_| &sample, 1);
        }
        at += frames;
    })
}

/// The tone at a time in seconds from its start, with edges of 10 ms.
fn sample(time: f64) -> f32 {
    let edge = (time.min(PART.as_secs_f64() - time) / 0.01).clamp(0.0, 1.0);
    (LEVEL * edge * libm::sin(std::f64::consts::TAU * TONE * time)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Null;

    #[test]
    fn a_device_that_works_passes_and_says_so() {
        let request = Request { channels: 2, buffer: Some(441), rate: Some(44_100), device: None };
        let test = SelfTest::run(&Null { paced: true }, &request).unwrap();
        assert!(test.passed(), "{test}");
        assert!(test.to_string().contains("44100 Hz, 2 channels"), "{test}");
        assert_eq!(test.sizes, (441, 441));
        let lost = SelfTest { state: State::Lost(OutputError::Gone { why: "unplugged".into() }), ..test };
        assert!(!lost.passed() && lost.to_string().contains("unplugged"));
    }
}
