//! A song that plays: the device, the edits that are followed, the recording, the line on the terminal.

mod follow;
mod recorder;
mod status;

use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_song, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::Song;
use crate::output::asked_to_stop;
use crate::values::Rate;
use follow::Files;
use mam_runtime::control::{self, Control, Scored, Sync};
use mam_runtime::output::{
    Backend, Callback, Format, Found, Keeper, News, Opened, Request, backend, open_best,
};
use mam_runtime::{Live, Program};
use recorder::Recorder;
use status::Status;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the loop looks after everything.
const TICK: Duration = Duration::from_millis(10);
/// How long the last sound may fade.
const FADE: Duration = Duration::from_millis(60);

/// How a song is to be played.
pub struct Wishes {
    /// The song.
    pub song: SongArgs,
    /// The backend's name; the best when there is none.
    pub backend: Option<String>,
    /// What is asked of the device.
    pub request: Request,
    /// When to stop by itself.
    pub quit_after: Option<Duration>,
    /// Silence before the beginning.
    pub preroll: Duration,
    /// When an edit is heard.
    pub sync: Sync,
    /// Where to record what is played.
    pub record: Option<PathBuf>,
    /// False for no line on the terminal.
    pub status: bool,
}

/// Plays until it is asked to stop.
///
/// # Errors
/// When the song has errors at the start, there is no device, or the recording cannot be written.
pub fn play(wishes: Wishes, console: Console) -> Result<(), Failure> {
    let (backend, opened) = open(&wishes)?;
    let mut player = Player::start(wishes, backend, opened, console)?;
    let began = Instant::now();
    let over = |player: &Player| player.wishes.quit_after.is_some_and(|t| began.elapsed() >= t);
    while !asked_to_stop() && !over(&player) {
        std::thread::sleep(TICK);
        player.tick(began)?;
    }
    player.end()
}

/// Opens the device that is asked for.
///
/// # Errors
/// When there is none.
pub fn open(wishes: &Wishes) -> Result<Found, Failure> {
    let failed = |e: mam_runtime::output::OutputError| Failure::device(&e);
    match &wishes.backend {
        None => open_best(&wishes.request).map_err(failed),
        Some(name) => {
            let backend = backend(name).map_err(|e| Failure::Usage(e.to_string()))?;
            let opened = backend.open(&wishes.request).map_err(failed)?;
            Ok((backend, opened))
        }
    }
}

struct Player {
    wishes: Wishes,
    console: Console,
    keeper: Keeper,
    control: Control,
    files: Files,
    recorder: Option<Recorder>,
    status: Status,
    started: bool,
}

impl Player {
    fn start(
        wishes: Wishes,
        backend: Box<dyn Backend>,
        mut opened: Box<dyn Opened>,
        console: Console,
    ) -> Result<Player, Failure> {
        let format = opened.format().clone();
        let mut compiled = compile_at(&wishes.song, format.rate, console)?;
        let program = compiled.take_program()?;
        let started = wishes.preroll.is_zero();
        let (mut control, callback) = control_of(&program, &format, started);
        if !program.inputs.is_empty() {
            match opened.listen() {
                Ok(ring) => control.input(Some(ring)),
                Err(why) => console.say(&format!("warning: the song's `in` is silent: {why}\n")),
            }
        }
        let recorder = match &wishes.record {
            Some(path) => Some(Recorder::new(path, &format, control.record())?),
            None => None,
        };
        let playing = format!("{} through {}", format.device, backend.name());
        let keeper = Keeper::start(backend, wishes.request.clone(), opened, callback);
        let keeper = keeper.map_err(|e| Failure::device(&e))?;
        let name = compiled.name();
        console.say(&format!("{name} on {playing}, {} Hz; Ctrl-C stops\n", format.rate));
        let status = Status::new(console, wishes.status);
        let files = Files::of(&compiled.sources);
        Ok(Player { wishes, console, keeper, control, files, recorder, status, started })
    }

    fn tick(&mut self, began: Instant) -> Result<(), Failure> {
        if !self.started && began.elapsed() >= self.wishes.preroll {
            self.control.play();
            self.started = true;
        }
        self.control.tick();
        self.look_after_the_device();
        if self.files.changed() {
            self.edit();
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.take()?;
        }
        self.status.show(&self.control, &self.keeper);
        Ok(())
    }

    /// Compiles what was edited; what plays goes on while there are errors.
    fn edit(&mut self) {
        self.status.clear();
        let began = Instant::now();
        match compile_at(&self.wishes.song, self.control.rate(), self.console) {
            Ok(mut compiled) => {
                self.files = Files::of(&compiled.sources);
                if let Ok(program) = compiled.take_program() {
                    self.control.edit(program, self.wishes.sync);
                    let took = began.elapsed().as_secs_f64() * 1e3;
                    self.console.say(&format!("{}: taken up in {took:.1} ms\n", compiled.name()));
                }
            }
            Err(failure) if failure.to_string().is_empty() => self.files.wait(),
            Err(failure) => {
                self.console.insist(&format!("error: {failure}\n"));
                self.files.wait();
            }
        }
    }

    fn look_after_the_device(&mut self) {
        let Some(news) = self.keeper.poll() else { return };
        self.status.clear();
        match news {
            News::Lost(why) => self.console.insist(&format!("warning: {why}; it is tried again\n")),
            News::Back(format) => self.console.say(&format!("{} plays again\n", format.device)),
            News::NewFormat(format) => {
                self.console.say(&format!("{} plays again, at {} Hz\n", format.device, format.rate));
                if let Ok(mut compiled) = compile_at(&self.wishes.song, format.rate, self.console)
                    && let Ok(program) = compiled.take_program()
                {
                    let place = self.control.song_frame();
                    let (mut control, callback) = control_of(&program, &format, true);
                    control.seek(place * u64::from(format.rate) / u64::from(self.control.rate()));
                    self.control = control;
                    self.keeper.resume(callback);
                }
            }
        }
    }

    fn end(mut self) -> Result<(), Failure> {
        self.status.clear();
        self.control.stop();
        let began = Instant::now();
        while began.elapsed() < FADE {
            std::thread::sleep(TICK);
            self.control.tick();
        }
        self.keeper.stop(true);
        match self.recorder.take() {
            Some(recorder) => recorder.finish(self.console),
            None => Ok(()),
        }
    }
}

/// Compiles the song at the device's rate and tells its problems.
fn compile_at(song: &SongArgs, rate: u32, console: Console) -> Result<Compiled, Failure> {
    let mut how = song.how.clone();
    how.rate = Some(Rate(rate));
    let compiled = compile_song(Song::read(&song.input, how.stdin_name.as_deref())?, &how);
    tell(&compiled.problems, &compiled.sources, console);
    if compiled.compilation.program.is_none() { Err(Failure::Input) } else { Ok(compiled) }
}

fn control_of(program: &Arc<Program>, format: &Format, playing: bool) -> (Control, Callback) {
    let options = control::Options { channels: format.channels, playing };
    let (control, mut live): (Control, Live) = Control::new(program.clone(), Box::new(Scored), options);
    (control, Box::new(move |frames| live.process(frames)))
}
