//! The line on the terminal while a song plays: where it is, how loud, how busy.

use crate::console::Console;
use mam_runtime::control::{Control, Place};
use mam_runtime::output::Keeper;
use std::time::{Duration, Instant};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);
/// Letters of a meter.
const METER: usize = 12;
/// The least level of a meter, in dB.
const FLOOR: f64 = -48.0;

/// The line.
pub(super) struct Status {
    console: Option<Console>,
    drawn: Instant,
}

impl Status {
    /// Drawn on a terminal only, and only if wanted.
    pub(super) fn new(console: Console, wanted: bool) -> Status {
        Status { console: (wanted && console.progress()).then_some(console), drawn: Instant::now() }
    }

    /// Draws it when its time has come.
    pub(super) fn show(&mut self, control: &Control, keeper: &Keeper) {
        let Some(console) = self.console.filter(|_| self.drawn.elapsed() >= INTERVAL) else { return };
        self.drawn = Instant::now();
        let telemetry = control.telemetry();
        let seconds = telemetry.song_frame / u64::from(control.rate());
        let place = Place::of(control.program(), telemetry.song_frame);
        let place = place.map_or(String::new(), |p| {
            let beat = p.bar.fract() * p.beats_per_bar;
            format!("  {}:{}", p.bar as u64 + 1, beat as u64 + 1)
        });
        let meters: Vec<String> =
            telemetry.peaks.iter().take(keeper.format().channels.min(2)).map(meter).collect();
        let mut line = format!("{}:{:02}{place}  {}", seconds / 60, seconds % 60, meters.join(" "));
        line += &format!("  {} voices  {:.0} % busy", telemetry.voices, telemetry.load * 100.0);
        for (count, what) in
            [(telemetry.clipped, "clipped"), (telemetry.faults, "no numbers"), (keeper.underruns(), "late")]
        {
            if count > 0 {
                line += &format!("  {count} {what}");
            }
        }
        console.insist(&format!("\r\x1b[K{line}"));
    }

    /// Takes the line away, for something else to be said.
    pub(super) fn clear(&self) {
        if let Some(console) = self.console {
            console.insist("\r\x1b[K");
        }
    }
}

fn meter(peak: &f32) -> String {
    let level = 20.0 * f64::from(*peak).max(1e-9).log10();
    let full = ((1.0 - level / FLOOR).clamp(0.0, 1.0) * METER as f64).round() as usize;
    format!("[{}{}]", "█".repeat(full), "·".repeat(METER - full))
}
