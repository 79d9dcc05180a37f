//! How far a long render is: time rendered, times real time, time left. Drawn on a terminal only.

use crate::console::Console;
use std::time::{Duration, Instant};

/// A line that is drawn over again.
pub struct Progress {
    console: Option<Console>,
    began: Instant,
    drawn: Option<Instant>,
    total: Option<u64>,
    rate: u32,
}

/// Nothing is drawn for renders that are done before this.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

impl Progress {
    /// Of a render of `total` frames, if that is known.
    pub fn new(console: Console, total: Option<u64>, rate: u32) -> Progress {
        let console = console.progress().then_some(console);
        Progress { console, began: Instant::now(), drawn: None, total, rate }
    }

    /// `done` frames are rendered.
    pub fn show(&mut self, done: u64) {
        let Some(console) = self.console else { return };
        let due = self.drawn.map_or(self.began + PATIENCE, |d| d + INTERVAL);
        if Instant::now() < due {
            return;
        }
        self.drawn = Some(Instant::now());
        let passed = self.began.elapsed().as_secs_f64();
        let seconds = done as f64 / f64::from(self.rate);
        let left = match self.total {
            Some(total) if done > 0 => {
                let left = passed * total.saturating_sub(done) as f64 / done as f64;
                format!(", {} left", clock(left))
            }
            _ => String::new(),
        };
        console.styled(&format!(
            "\r\x1b[K{} rendered, {:.0} × real time{left}",
            clock(seconds),
            seconds / passed
        ));
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if let (Some(console), Some(_)) = (self.console, self.drawn.take()) {
            console.styled("\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn clock(seconds: f64) -> String {
    let whole = seconds as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}
