//! The player: does what controllers ask for, takes up edits, looks after the device.

mod act;
mod log;
mod midi;
mod open;
mod troubles;

use super::edit::{self, Noticed, Outcome, Report, Source};
use super::figures::{Facts, Infos};
use super::gear::Gear;
use super::instruments::instruments;
use super::keys::Keys;
use super::midi::Listener;
use super::recorder::Recorder;
use super::snapshot::Turned;
use super::ui::Ui;
use super::undo::{Edits, HeardSong};
use super::voices::VoiceAllocator;
use super::watch::Watch;
use super::{LoopEvent, PlayOptions, since};
use crate::console::Console;
use crate::failure::Failure;
use crate::output::asked_to_stop;
use crate::progress::Progress;
use crate::take::{Beginning, Logger};
use crate::timing::Time;
use crate::values::Start;
use act::named_instrument;
use log::open_log;
use mam_runtime::control::{self, Control, Entry, Position, Scored};
use mam_runtime::output::{Callback, Format, Found, Keeper, News};
use mam_runtime::score::{LAST_FRAME, Played};
use mam_runtime::{NotFinite, Program};
use midi::{Sent, open_midi};
use open::{open_recorder, open_ui, tell_of_channels, with_report};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Commands that the audio thread must have room for, so that a request is granted as a whole.
#[cfg(feature = "osc")]
const ROOM: usize = 256;
/// How long the last sound may take to fade, on a device of large buffers.
const LAST: Duration = Duration::from_secs(1);

/// A song that plays, with its device, edits and controllers.
pub(super) struct Player {
    options: PlayOptions,
    console: Console,
    source: Source,
    keeper: Keeper,
    control: Control,
    watch: Watch,
    recorder: Option<Recorder>,
    logger: Option<Logger>,
    /// Why the recording has ended early.
    unrecorded: Option<Failure>,
    pub(super) ui: Ui,
    sender: Sender<LoopEvent>,
    keys: Keys,
    voices: VoiceAllocator,
    listener: Listener,
    clock: Option<Sent>,
    /// Machines outside.
    gear: Gear,
    began: Instant,
    /// Whether it sounds, or is about to.
    playing: bool,
    /// It waits for the time before the beginning to pass.
    waits: bool,
    over: bool,
    /// Where the last key that moved it goes, until it is there.
    heading: Option<Position>,
    /// The song as it was compiled, at its own tempo.
    score: Arc<Program>,
    /// The tempo that a controller has set.
    tempo: Option<f64>,
    /// An edit that is compiled now, and whether there has been another since.
    compiling: Option<Noticed>,
    again: Option<Noticed>,
    /// What was refused last, and how often something was since when.
    refused: String,
    refusals: (Instant, u32),
    /// Edits that are on their way to the ear.
    reports: Vec<(Arc<Program>, Report)>,
    /// The frame and the tempo that a controller has asked for, for when the change under way is done.
    jump: Option<u64>,
    new_tempo: Option<f64>,
    /// The parameters of the song, by their names.
    infos: Infos,
    /// The MIDI controllers of its knobs: number, and the knob's name.
    controllers: Vec<(u8, String)>,
    /// What played before each edit.
    edits: Edits,
    /// What hands have turned.
    turned: Turned,
    /// There is nothing to play until the song has no errors.
    waits_for_valid_song: bool,
    /// What the device can play.
    format: Format,
    /// What was said of channels that it has not.
    unheard: Option<String>,
    /// What was reported as not finite since the last edit.
    not_finite: Vec<NotFinite>,
    /// What of the score was reported as unplayed since the last edit.
    unplayed: Vec<Played>,
}

impl Player {
    /// Compiles the song and starts the device.
    pub(super) fn start(
        options: PlayOptions,
        source: Source,
        (backend, opened): Found,
        console: Console,
        sender: Sender<LoopEvent>,
    ) -> Result<Player, Failure> {
        let format = opened.format().clone();
        let first = source.compile(format.rate);
        // A file can be corrected while it is waited for.
        let waits_for_valid_song = first.program.is_none() && source.can_change();
        if let Some(failure) = first.failure.filter(|_| !waits_for_valid_song) {
            return Err(with_report(failure, &first.report, console));
        }
        let score = first.program.or_else(|| edit::silence(format.rate)).ok_or(Failure::Input)?;
        if let Some(name) = options.midi.to.as_ref().filter(|_| !waits_for_valid_song) {
            named_instrument(&score, name).map_err(Failure::Usage)?;
        }
        let unheard = tell_of_channels(&score, &format, console);
        let (listener, clock) = open_midi(&options.midi, first.controllers.clone(), &sender)?;
        let waits = !options.preroll.is_zero();
        let program = at_tempo(&score, options.tempo);
        let from = options
            .from
            .filter(|_| !waits_for_valid_song)
            .map_or(Ok(0), |from| start_frame(from, &program))?;
        let entry = entry(from, &program, console);
        let (mut control, callback) = control_of(&program, &format, entry, !waits, options.limit, console);
        let text = first.text.filter(|_| !waits_for_valid_song);
        let (rate, channels, playing) = (format.rate, format.channels, !waits);
        let beginning = Beginning { rate, channels, playing, entry };
        let logger = open_log(&options, &score, text, &beginning, &mut control)?;
        let recorder = open_recorder(&options, first.title.clone(), &format, &mut control)?;
        let title = title(&first.name, &format, backend.name());
        let gear = Gear::start(&mut control, sender.clone(), options.network);
        let keeper = Keeper::start(backend, options.request.clone(), opened, callback);
        let keeper = keeper.map_err(|e| Failure::device(&e))?;
        let ui = open_ui(console, options.display, &title, &first.report);
        let notify = sender.clone();
        let mut watch = Watch::new(move || drop(notify.send(LoopEvent::Touched)));
        watch.follow(&first.files);
        let mut player = Player {
            tempo: options.tempo,
            options,
            console,
            source,
            keeper,
            control,
            watch,
            recorder,
            logger,
            unrecorded: None,
            ui,
            sender,
            keys: Keys::default(),
            voices: VoiceAllocator::default(),
            listener,
            clock,
            gear,
            began: Instant::now(),
            playing: true,
            waits,
            over: false,
            heading: None,
            score,
            compiling: None,
            again: None,
            refused: String::new(),
            refusals: (Instant::now(), 0),
            reports: vec![],
            jump: None,
            new_tempo: None,
            infos: first.infos,
            controllers: first.controllers,
            edits: Edits::default(),
            turned: Turned::default(),
            waits_for_valid_song,
            format,
            unheard,
            not_finite: vec![],
            unplayed: vec![],
        };
        player.announce();
        player.listen();
        Ok(player)
    }

    /// Says that a song with errors is waited for.
    fn announce(&mut self) {
        if self.waits_for_valid_song {
            let name = self.options.song.input.display();
            let waiting = format!("`{name}` is played as soon as it has no errors; Ctrl-C stops\n");
            self.ui.insist(&waiting);
        }
    }

    /// Whether it is time to end.
    pub(super) fn is_over(&self) -> bool {
        self.over || self.options.quit_after.is_some_and(|time| self.began.elapsed() >= time)
    }

    /// Handles an event of another thread.
    pub(super) fn take(&mut self, event: LoopEvent) {
        match event {
            LoopEvent::Touched => self.look_at_the_files(),
            // What comes faster than the audio thread takes it would be lost in part: all of it is.
            #[cfg(feature = "osc")]
            LoopEvent::Asked(Ok(_), _) if self.control.room() < ROOM => {
                self.refuse("OSC: more is asked for than can be played; some of it is left out");
            }
            #[cfg(feature = "osc")]
            LoopEvent::Asked(Ok(action), _) => self.act(action),
            #[cfg(feature = "osc")]
            LoopEvent::Asked(Err(why), _) => self.refuse(&why),
            LoopEvent::Midi(event) => self.hear_midi(event),
            LoopEvent::Compiled(Some(outcome)) => self.take_up(*outcome),
            LoopEvent::Compiled(None) => self.compiling = None,
            LoopEvent::Key(key) => {
                let all = instruments(self.control.program());
                let names: Vec<&str> = all.iter().map(|instrument| &*instrument.name).collect();
                if let Some(action) = self.keys.press(key, &names, Instant::now()) {
                    self.act(action);
                }
            }
        }
    }

    /// Does what is due: control, device, edits, recording, display.
    pub(super) fn tick(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.waits && self.began.elapsed() >= self.options.preroll {
            self.waits = false;
            self.control.play();
        }
        self.control.tick();
        if let Some((program, ago)) = self.control.taken_up() {
            let heard = Instant::now().checked_sub(ago).unwrap_or_else(Instant::now);
            self.tell_edits(&program, heard);
        }
        self.report_not_finite();
        self.report_unplayed();
        self.report_streams();
        self.change();
        self.voices.tick(&mut self.control, now);
        let all = instruments(self.control.program());
        let names: Vec<&str> = all.iter().map(|instrument| &*instrument.name).collect();
        if let Some(action) = self.keys.wait(&names, now) {
            self.act(action);
        }
        self.tick_the_clock(now);
        let device = self.keeper.latency() + self.keeper.format().buffer / 2;
        self.gear.tick(&self.control, device + self.control.program().latency);
        self.look_after_the_device();
        if self.watch.is_due() {
            self.look_at_the_files();
        }
        self.record();
        self.log();
        let facts = Facts {
            control: &self.control,
            underruns: self.keeper.underruns(),
            typed: self.keys.typed(),
            priority: self.keeper.priority(),
            infos: &self.infos,
            waits: self.waits_for_valid_song,
        };
        self.ui.show(&facts).map_err(|error| Failure::stdout(&error))
    }

    /// Fades out and ends.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.control.stop();
        let began = Instant::now();
        while !self.control.is_stopped() && since(began) < LAST {
            std::thread::sleep(super::TICK / 2);
            self.control.tick();
            self.gear.tick(&self.control, 0);
            self.record();
        }
        let facts = Facts {
            control: &self.control,
            underruns: self.keeper.underruns(),
            typed: None,
            priority: self.keeper.priority(),
            infos: &self.infos,
            waits: self.waits_for_valid_song,
        };
        self.ui.look(&facts, Instant::now());
        self.report_not_finite();
        self.keeper.stop(true);
        self.ui.close();
        if let Some(summary) = self.ui.summary() {
            self.console.say(&summary);
        }
        if let Some(recorder) = self.recorder.take() {
            self.console.say(&recorder.finish()?);
        }
        if let Some(logger) = self.logger.take() {
            self.console.say(&logger.finish(&mut self.control)?);
        }
        if self.waits_for_valid_song {
            return Err(Failure::Input);
        }
        self.unrecorded.map_or(Ok(()), Err)
    }

    /// Writes what was played; music goes on also where that cannot be written.
    fn record(&mut self) {
        let Some(Err(failure)) = self.recorder.as_mut().map(Recorder::take) else { return };
        self.control.end_record();
        self.ui.insist(&format!("warning: {failure}; the recording ends here, the music goes on\n"));
        // It fails for the same reason; what was written before stays.
        drop(self.recorder.take().map(Recorder::finish));
        self.unrecorded = Some(failure);
    }

    // Edits.

    fn look_at_the_files(&mut self) {
        let saved = self.watch.changed();
        if let Some((path, why)) = self.watch.gone() {
            let path = path.display();
            self.ui.insist(&format!("warning: `{path}` {why}; what plays goes on until it is back\n"));
        }
        let Some(saved) = saved else { return };
        let noticed = Noticed { saved, at: Instant::now() };
        if self.compiling.is_some() {
            self.again = Some(noticed);
        } else {
            self.compile(noticed);
        }
    }

    fn compile(&mut self, noticed: Noticed) {
        self.compiling = Some(noticed);
        let (source, sender, rate) = (self.source.clone(), self.sender.clone(), self.control.rate());
        // It ends without a word when the receiver is gone.
        std::thread::spawn(move || {
            let compiled = catch_unwind(AssertUnwindSafe(|| Box::new(source.compile(rate))));
            sender.send(LoopEvent::Compiled(compiled.ok()))
        });
    }

    /// Sends an edit to the audio thread; what plays goes on while there are errors.
    fn take_up(&mut self, outcome: Outcome) {
        let Some(noticed) = self.compiling.take() else { return };
        if let Some(newer) = self.again.take() {
            self.compile(newer);
        }
        self.ui.forget();
        self.not_finite.clear();
        self.unplayed.clear();
        self.ui.styled(&outcome.report);
        if !outcome.files.is_empty() {
            self.watch.follow(&outcome.files);
        }
        let Some(score) = outcome.program.clone() else { return };
        if score.rate == self.control.rate() && !self.waits_for_valid_song {
            self.edits.add(self.heard_song());
        }
        self.listener.set_controllers(outcome.controllers.clone());
        self.controllers.clone_from(&outcome.controllers);
        self.infos.clone_from(&outcome.infos);
        if score.rate != self.control.rate() {
            return;
        }
        self.score = score;
        if let Some(logger) = &mut self.logger {
            logger.compiled(&self.score, outcome.text.clone());
        }
        self.report_channels();
        let program = self.at_its_tempo();
        if std::mem::take(&mut self.waits_for_valid_song) {
            self.begin(&program);
        } else {
            self.control.edit(program.clone(), self.options.sync);
        }
        self.listen();
        self.reports.push((program, Report::new(noticed, &outcome)));
    }

    /// The song that plays, as an edit may leave it.
    fn heard_song(&self) -> HeardSong {
        HeardSong {
            score: self.score.clone(),
            controllers: self.controllers.clone(),
            infos: self.infos.clone(),
        }
    }

    /// Takes the last edit back: what played before it plays again. The file stays as it is.
    pub(super) fn undo(&mut self) -> Result<(), String> {
        let Some(before) = self.edits.take() else {
            return Err("no edit is left to take back".into());
        };
        self.listener.set_controllers(before.controllers.clone());
        (self.controllers, self.infos) = (before.controllers, before.infos);
        self.score = before.score;
        let program = self.at_its_tempo();
        self.control.edit(program, self.options.sync);
        self.listen();
        self.ui.say("the last edit is taken back; the file stays as it is\n");
        Ok(())
    }

    /// Plays a song that has been waited for, from where it was to begin.
    fn begin(&mut self, program: &Arc<Program>) {
        let from = self.options.from.map_or(Ok(0), |from| start_frame(from, program));
        let from = from.unwrap_or_else(|failure| {
            self.ui.insist(&format!("warning: {failure}; it begins at the beginning\n"));
            0
        });
        if let Some(Err(why)) = self.options.midi.to.as_ref().map(|name| named_instrument(program, name)) {
            self.ui.insist(&format!("warning: {why}\n"));
        }
        let entry = entry(from, program, self.console);
        // The display has the terminal.
        let console = Some(self.console).filter(|_| !self.ui.is_display());
        let goes_on = unheard(entry, program.rate, console);
        self.control.start(program.clone(), entry, goes_on);
    }

    fn tell_edits(&mut self, program: &Arc<Program>, heard: Instant) {
        let place = self.reports.iter().position(|(edited, _)| Arc::ptr_eq(edited, program));
        if let Some(place) = place {
            // Those before it were overtaken.
            if let Some((_, report)) = self.reports.drain(..=place).next_back() {
                self.ui.say(&report.line(heard));
            }
        }
    }

    // The device.

    /// Listens to the input, if the song hears it and it is not listened to already.
    fn listen(&mut self) {
        if self.score.inputs.is_empty() {
            return;
        }
        match self.keeper.listen() {
            Ok(Some(ring)) => self.control.input(Some(ring)),
            Ok(None) => {}
            Err(why) => {
                self.ui.insist(&format!("warning: the song's `in` is silent: {why}; it is tried again\n"))
            }
        }
    }

    fn look_after_the_device(&mut self) {
        let Some(news) = self.keeper.poll() else { return };
        match news {
            News::Lost(why) => self.ui.insist(&format!("warning: {why}; it is tried again\n")),
            News::Back(format) => self.ui.say(&format!("{} plays again\n", format.device)),
            News::NewFormat(format) => self.play_anew(&format),
            News::Heard(ring) => {
                self.control.input(Some(ring));
                self.ui.say("the song's `in` is heard\n");
            }
            News::Deaf(why) => {
                self.ui.insist(&format!("warning: the song's `in` is silent: {why}; it is tried again\n"));
            }
        }
    }

    /// Goes on through a device of another format.
    fn play_anew(&mut self, format: &Format) {
        self.ui.say(&format!("{} plays again, at {} Hz\n", format.device, format.rate));
        let outcome = self.source.compile(format.rate);
        self.ui.styled(&outcome.report);
        let place = self.control.song_frame();
        let before = self.control.rate();
        // While the song has errors, what played goes on: at the wrong pitch, if the rate has changed.
        if let Some(score) = outcome.program {
            self.score = score;
        }
        let program = at_tempo(&self.score, self.tempo);
        let place = place * u64::from(program.rate) / u64::from(before);
        // A frame that a device's change of rate has moved behind the last one is the last one. The music has waited long
        // enough: nothing is rendered of what is over.
        let place = place.min(LAST_FRAME);
        let entry = Entry { at: place, since: place };
        let (playing, limit) = (self.playing && !self.waits, self.options.limit);
        let (mut control, callback) = control_of(&program, format, entry, playing, limit, self.console);
        control.follow(&self.control);
        if let Some(logger) = &mut self.logger {
            logger.end("the device plays at another rate from there on");
        }
        self.log();
        self.control = control;
        self.gear.device(&mut self.control);
        self.ui.title = title(&outcome.name, format, self.keeper.backend());
        self.keeper.resume(callback);
    }
}

fn title(name: &str, format: &Format, backend: &str) -> String {
    format!("{name} on {} through {backend}, {} Hz", format.device, format.rate)
}

/// A program at the tempo that a controller has set, if the song has one.
fn at_tempo(program: &Arc<Program>, tempo: Option<f64>) -> Arc<Program> {
    tempo.and_then(|bpm| program.at_tempo(bpm)).map_or_else(|| program.clone(), Arc::new)
}

/// The frame where it is to begin: the same as a render's.
fn start_frame(from: Start, program: &Program) -> Result<u64, Failure> {
    let counts_bars = match from {
        Start::Bar(_) => true,
        Start::After(length) => length.frames(program.rate).is_none(),
    };
    if counts_bars && program.score.transports.is_empty() {
        let why = "the song has no bars to begin at; say a time, such as `--from 10s`";
        return Err(Failure::Usage(why.into()));
    }
    Ok(Time::new(program).start(Some(from))?.frame)
}

/// How much is rendered, unheard, of what comes before the place where playing begins.
const UNHEARD_SECONDS: u64 = 600;

/// Where a song is entered at a frame: with all that comes before it, if that is not too much.
fn entry(at: u64, program: &Program, console: Console) -> Entry {
    let since = at.saturating_sub(UNHEARD_SECONDS * u64::from(program.rate));
    if since > 0 {
        console.say(&format!(
            "note: of what comes before, the last {} minutes are rendered unheard: whatever goes on for longer, such as the \
             phase of a slow oscillator, may be another one than in a render\n",
            UNHEARD_SECONDS / 60
        ));
    }
    Entry { at, since }
}

/// Shows how far what is not heard is rendered; says no when playing is to end.
fn unheard(entry: Entry, rate: u32, console: Option<Console>) -> impl FnMut(u64) -> bool {
    let mut progress = console.map(|console| Progress::new(console, Some(entry.at - entry.since), rate));
    move |done| {
        if let Some(progress) = &mut progress {
            progress.show(done);
        }
        !asked_to_stop()
    }
}

/// Both halves, at a frame of the song.
fn control_of(
    program: &Arc<Program>,
    format: &Format,
    entry: Entry,
    playing: bool,
    limit: bool,
    console: Console,
) -> (Control, Callback) {
    let options = control::Options { channels: format.channels, playing, limit };
    let goes_on = unheard(entry, program.rate, Some(console));
    let (control, mut live) = Control::entering(program.clone(), Box::new(Scored), options, entry, goes_on);
    (control, Box::new(move |frames| live.process(frames)))
}
