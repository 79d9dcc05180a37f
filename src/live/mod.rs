//! A song that plays: the device, the edits that are followed, the controllers, the recording, the display.
//!
//! One loop looks after everything and waits for the events of other threads: a file was saved ([`watch`]), an edit was
//! compiled ([`edit`]), a key was pressed ([`keys`]), a controller was moved. None of it is waited for by
//! the audio thread, which plays what [`Control`](mam_runtime::Control) has sent it ahead of time.

pub(crate) mod action;
mod edit;
mod figures;
mod gear;
mod instruments;
mod keys;
mod lanes;
pub(crate) mod midi;
#[cfg(feature = "osc")]
mod osc;
mod player;
pub(crate) mod recorder;
mod screen;
mod ui;
mod undo;
mod view;
pub(crate) mod voices;
mod watch;
mod writer;

pub(crate) use screen::restore as restore_terminal;

use crate::args::SongArgs;
use crate::console::Console;
use crate::failure::Failure;
#[cfg(feature = "osc")]
use crate::failure::words;
use crate::output::asked_to_stop;
use crate::values::Start;
#[cfg(feature = "osc")]
use action::Action;
use crossterm::event::KeyEvent;
use edit::{Outcome, Source};
use mam_runtime::control::Sync;
use mam_runtime::output::{Found, Request, backend, open_best};
pub use midi::Midi;
use player::Player;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How often the loop looks after everything.
const TICK: Duration = Duration::from_millis(10);

/// The options of playing a song.
pub struct PlayOptions {
    /// The song and how it is compiled.
    pub song: SongArgs,
    /// The backend's name; the best when there is none.
    pub backend: Option<String>,
    /// What is asked of the device.
    pub request: Request,
    /// When to stop by itself.
    pub quit_after: Option<Duration>,
    /// Silence before the beginning.
    pub preroll: Duration,
    /// Where in the song to begin.
    pub from: Option<Start>,
    /// The tempo at the start.
    pub tempo: Option<f64>,
    /// When an edit is heard.
    pub sync: Sync,
    /// Where to record what is played.
    pub record: Option<PathBuf>,
    /// Where to log the performance.
    pub log: Option<PathBuf>,
    /// What is asked of MIDI.
    pub midi: Midi,
    /// Whether notes may go to other computers.
    pub network: bool,
    /// Where to listen to OSC.
    pub osc: Option<SocketAddr>,
    /// False for lines instead of a display.
    pub display: bool,
    /// False to let through what is beyond +12 dBFS.
    pub limit: bool,
}

/// An event of another thread, for the loop.
enum LoopEvent {
    /// A file may have changed.
    Touched,
    /// An edit was compiled; nothing when the compiler panicked, which has been reported.
    Compiled(Option<Box<Outcome>>),
    /// A key of the terminal was pressed.
    Key(KeyEvent),
    /// Something happened at a MIDI port.
    Midi(midi::PortEvent),
    /// A controller asks for something, or for what cannot be understood.
    #[cfg(feature = "osc")]
    Asked(Result<Action, String>, #[expect(dead_code, reason = "its end is counted")] osc::Waiting),
}

/// Plays until it is asked to stop.
///
/// # Errors
/// When the song has errors at the start, there is no device, or the recording cannot be written.
pub fn play(mut options: PlayOptions, console: Console) -> Result<(), Failure> {
    // What is said of the song comes before what is said of the device.
    let mut source = Source::new(options.song.clone(), console)?;
    source.keeps = options.log.is_some();
    options.request.channels = source.channels();
    let found = open(&options)?;
    let (sender, events) = channel();
    if let Some(to) = options.osc {
        listen_to_osc(to, sender.clone())?;
    }
    let mut player = Player::start(options, source, found, console, sender.clone())?;
    if player.ui.is_display() {
        read_keys(sender);
    }
    while !asked_to_stop() && !player.is_over() {
        match events.recv_timeout(TICK) {
            Ok(event) => {
                player.take(event);
                // What came with it is as old; but a sender without end does not hold up the rest.
                let until = Instant::now() + TICK;
                while Instant::now() < until
                    && let Ok(event) = events.try_recv()
                {
                    player.take(event);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            // The player holds a sender.
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Err(failure) = player.tick() {
            player.end()?;
            return Err(failure);
        }
    }
    player.end()
}

fn read_keys(sender: Sender<LoopEvent>) {
    screen::read_keys(move |key| sender.send(LoopEvent::Key(key)).is_ok());
}

#[cfg(feature = "osc")]
fn listen_to_osc(to: SocketAddr, sender: Sender<LoopEvent>) -> Result<(), Failure> {
    let listening =
        osc::listen(to, move |request, waiting| sender.send(LoopEvent::Asked(request, waiting)).is_ok());
    listening.map_err(|error| Failure::Io(format!("cannot listen to OSC at {to}: {}", words(&error))))
}

#[cfg(not(feature = "osc"))]
fn listen_to_osc(_: SocketAddr, _: Sender<LoopEvent>) -> Result<(), Failure> {
    Err(Failure::Usage("this mamc was built without OSC; build it with `--features osc`".into()))
}

/// Where to listen to OSC: a port of this machine, or an address and a port.
///
/// # Errors
/// When it is neither.
pub fn osc_address(text: &str) -> Result<SocketAddr, String> {
    let local = text.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    local.or_else(|| text.parse().ok()).ok_or_else(|| {
        "write a port, such as `9000`, to listen to this machine, or `0.0.0.0:9000` to listen to all".into()
    })
}

/// Opens the device that is asked for.
///
/// # Errors
/// When there is none.
pub fn open(options: &PlayOptions) -> Result<Found, Failure> {
    let failed = |e: mam_runtime::output::OutputError| Failure::device(&e);
    match &options.backend {
        None => open_best(&options.request).map_err(failed),
        Some(name) => {
            let backend = backend(name).map_err(|e| Failure::Usage(e.to_string()))?;
            let opened = backend.open(&options.request).map_err(failed)?;
            Ok((backend, opened))
        }
    }
}

/// How long ago, at most now.
fn since(moment: Instant) -> Duration {
    Instant::now().saturating_duration_since(moment)
}
