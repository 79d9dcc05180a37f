//! Time as the audio thread may read it: a counter of the processor, without a system call.
//!
//! The crate `quanta` reads the same counters, but calibrates for up to 200 ms at the first use, which would be heard as a
//! delay of the first sound; a figure on a display needs no more than the 10 ms here.

/// The counter. It runs evenly on every processor of the last fifteen years.
#[cfg(target_arch = "x86_64")]
pub fn ticks() -> u64 {
    // SAFETY: the instruction exists on every x86-64 and has no effect but its result.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The counter of the architecture's generic timer.
#[cfg(target_arch = "aarch64")]
pub fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: reads a register that user programs may read.
    unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
    ticks
}

/// WebAssembly has no clock of its own: it stands still, and everything takes no time.
#[cfg(target_family = "wasm")]
pub fn ticks() -> u64 {
    0
}

/// How many ticks there are in a second: measured once, which takes 10 ms. Not on the audio thread.
#[cfg(not(target_family = "wasm"))]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the counter is compared with a clock"
)]
pub fn ticks_per_second() -> f64 {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};
    static RATE: OnceLock<f64> = OnceLock::new();
    *RATE.get_or_init(|| {
        let (start, from) = (Instant::now(), ticks());
        std::thread::sleep(Duration::from_millis(10));
        let passed = start.elapsed();
        ticks().wrapping_sub(from) as f64 / passed.as_secs_f64()
    })
}

/// How many ticks there are in a second, of a clock that stands still: any number.
#[cfg(target_family = "wasm")]
pub fn ticks_per_second() -> f64 {
    1.0
}

/// How long the steps of a program take, in ticks.
#[derive(Clone, Debug)]
pub struct Profile {
    /// For each step the sum of its times.
    pub steps: Vec<u64>,
    /// Quanta that were timed.
    pub quanta: u64,
    /// The time of the last quantum.
    pub last: Quantum,
    mark: u64,
}

/// The time that one quantum took, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantum {
    /// The sum over all steps.
    pub ticks: u64,
    /// The step that took longest.
    pub worst_step: usize,
    /// How long that was.
    pub worst_ticks: u64,
}

impl Profile {
    /// For a program of so many steps.
    pub(crate) fn new(steps: usize) -> Profile {
        Profile { steps: vec![0; steps], quanta: 0, last: Quantum::default(), mark: 0 }
    }

    /// Begins a part of a quantum, perhaps its first. \[audio\]
    pub(crate) fn begin(&mut self, is_first: bool) {
        self.mark = ticks();
        if is_first {
            self.last = Quantum::default();
        }
    }

    /// A step has run. \[audio\]
    pub(crate) fn step(&mut self, step: usize) {
        let now = ticks();
        let took = now.saturating_sub(self.mark);
        self.mark = now;
        self.steps[step] += took;
        self.last.ticks += took;
        if took > self.last.worst_ticks {
            (self.last.worst_step, self.last.worst_ticks) = (step, took);
        }
    }

    /// A quantum is over. \[audio\]
    pub(crate) fn end(&mut self) {
        self.quanta += 1;
    }
}
