//! `mamc play`: a song, live, following the edits of its files.

use crate::args::SongArgs;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::live::{self, Midi, PlayOptions};
use crate::output;
use crate::values::{Assignment, Length, Start};
use clap::builder::ArgPredicate;
use clap::{Arg, Args, ValueEnum};
use mam_runtime::control::Sync;
use mam_runtime::output::{Request, SelfTest};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Play a song live, following the edits of its files
///
/// What plays goes on while an edit has errors. Ctrl-C stops, with a short fade.
#[derive(Args, Debug)]
#[command(mut_arg("input", of_a_selftest))]
#[command(mut_arg("rate", |rate| rate.help("Sample rate, such as 44.1k or 48000 [default: the device's]")))]
pub struct Play {
    #[command(flatten)]
    song: SongArgs,
    /// Use this backend; `mamc devices` lists those that work [default: the best of them]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Play on this device [default: the system's]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Frames that the device requests at a time
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(16..=16384))]
    buffer: Option<u32>,
    /// Stop after this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    quit_after: Option<Length>,
    /// Start at this bar or time
    #[arg(long, value_name = "BAR|TIME", allow_negative_numbers = true)]
    from: Option<Start>,
    /// Set the tempo at the start, in quarter notes a minute; a prelude sound is looped at it
    #[arg(long, value_name = "BPM", value_parser = tempo, allow_negative_numbers = true)]
    bpm: Option<f64>,
    /// Begin with this much silence, so that a recorder can attach
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    preroll: Option<Length>,
    /// When an edit of the song takes effect
    #[arg(long, value_name = "WHEN", default_value = "now")]
    sync: When,
    /// Receive OSC on this UDP port, or address and port
    #[arg(long, value_name = "PORT", value_parser = live::osc_address)]
    osc: Option<SocketAddr>,
    /// Let the song's `osc_out` send to other computers
    #[arg(long)]
    allow_network: bool,
    /// Listen to MIDI: to all ports, or to those whose name contains this. Knobs with a `cc` are turned by that
    /// controller
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    midi: Option<String>,
    /// Play this instrument with the notes that MIDI sends
    #[arg(long, value_name = "INSTRUMENT")]
    midi_to: Option<String>,
    /// Take all channels of MIDI as one MPE zone, as a keyboard does that says so itself
    #[arg(long)]
    mpe: bool,
    /// Follow MIDI's start, stop, song position and clock
    #[arg(long)]
    midi_follow: bool,
    /// Send start, stop, place and clock by MIDI: to all ports, or to those whose name contains this
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    midi_clock: Option<String>,
    /// Also record what is played into a new file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Also log the performance into a new .mamlog file, which `mamc render` plays again to the bit
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Do not limit the output to +12 dBFS, which protects ears and loudspeakers
    #[arg(long)]
    no_limit: bool,
    /// Print lines of text instead of drawing the display
    #[arg(long)]
    plain: bool,
    /// Play a second of silence and a second of a tone instead, and report how the device played them
    #[arg(long)]
    selftest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// At once
    Now,
    /// At the next bar line
    Bar,
}

impl Play {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let request = Request {
            device: self.device.clone(),
            rate: self.song.how.rate.map(|r| r.0),
            buffer: self.buffer,
            channels: 2,
        };
        let mut song = self.song;
        song.how.played_outside.extend(self.midi_to.clone());
        let options = PlayOptions {
            request,
            backend: self.backend,
            quit_after: self.quit_after.map(|length| time("--quit-after", length)).transpose()?,
            preroll: self.preroll.map_or(Ok(Duration::ZERO), |length| time("--preroll", length))?,
            midi: Midi {
                listen: self.midi,
                to: self.midi_to,
                mpe: self.mpe,
                follow: self.midi_follow,
                clock: self.midi_clock,
            },
            osc: self.osc,
            network: self.allow_network,
            from: self.from,
            tempo: self.bpm,
            sync: if self.sync == When::Bar { Sync::Bar } else { Sync::Now },
            record: self.record,
            log: self.log,
            display: !self.plain,
            limit: !self.no_limit,
            song: looped(song, self.bpm),
        };
        if self.selftest {
            return selftest(&options, console);
        }
        output::stop_gently_on_interrupt();
        live::play(options, console)
    }
}

/// A self-test needs no song.
fn of_a_selftest(input: Arg) -> Arg {
    input.required(false).required_unless_present("selftest").default_value_if(
        "selftest",
        ArgPredicate::IsPresent,
        "-",
    )
}

fn selftest(options: &PlayOptions, console: Console) -> Result<(), Failure> {
    let (backend, opened) = live::open(options)?;
    drop(opened);
    let seen = SelfTest::run(&*backend, &options.request).map_err(|e| Failure::device(&e))?;
    console.result(&format!("{seen}\n"))?;
    if seen.passed() { Ok(()) } else { Err(Failure::Device("the self-test failed".into())) }
}

/// Makes a sound that has no score trigger itself, at a tempo.
fn looped(mut song: SongArgs, bpm: Option<f64>) -> SongArgs {
    if let Some(bpm) = bpm.filter(|_| input::is_definition(&song.input)) {
        let set = |name: &str, value: String| Assignment { name: name.into(), value };
        // Before those of the command line, which win.
        song.how.sets.splice(0..0, [set("bpm", bpm.to_string()), set("loop", "1".into())]);
    }
    song
}

/// Reads `--bpm`.
fn tempo(text: &str) -> Result<f64, String> {
    let bpm = text.parse().ok().filter(|bpm| (1.0..=1000.0).contains(bpm));
    bpm.ok_or_else(|| "a tempo is a number from 1 to 1000".into())
}

/// A length that does not follow the tempo, which is not known yet.
fn time(flag: &str, length: Length) -> Result<Duration, Failure> {
    const RATE: u32 = 1_000_000;
    match length.frames(RATE) {
        Some(micros) => Ok(Duration::from_micros(micros)),
        None => Err(Failure::Usage(format!(
            "`{flag}` is a time, such as 2.5s or 1:30, not so many bars or beats"
        ))),
    }
}
