//! The one who plays: does what hands ask for, takes up edits, keeps the device.

use super::edit::{Noticed, Outcome, Report, Source};
use super::front::{Facts, Front};
use super::hands::Hands;
use super::keys::Keys;
use super::recorder::Recorder;
use super::watch::Watch;
use super::{Action, Happening, Wishes, since};
use crate::console::Console;
use crate::failure::Failure;
use crate::values::{Start, Unit};
use mam_grammar::problem::nearest;
use mam_runtime::control::{self, Control, Place, Scored};
use mam_runtime::output::{Backend, Callback, Format, Keeper, News, Opened};
use mam_runtime::{Live, Program};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long the last sound may take to fade, on a device of large buffers.
const LAST: Duration = Duration::from_secs(1);
/// Tempos that a hand can set.
const TEMPOS: std::ops::RangeInclusive<f64> = 1.0..=1000.0;

/// Everything that plays.
pub(super) struct Player {
    wishes: Wishes,
    console: Console,
    source: Source,
    keeper: Keeper,
    control: Control,
    watch: Watch,
    recorder: Option<Recorder>,
    pub(super) front: Front,
    sender: Sender<Happening>,
    keys: Keys,
    hands: Hands,
    began: Instant,
    /// Whether it sounds, or is about to.
    playing: bool,
    /// It waits for the time before the beginning to pass.
    waits: bool,
    over: bool,
    /// Where the last key that moved it goes, until it is there.
    heading: Option<Place>,
    /// The song as it was compiled, at its own tempo.
    score: Arc<Program>,
    /// The tempo that a hand has set.
    tempo: Option<f64>,
    /// An edit that is compiled now, and whether there has been another since.
    compiling: Option<Noticed>,
    again: Option<Noticed>,
    /// What was refused last.
    refused: String,
    /// Edits that are on their way to the ear.
    reports: Vec<(Arc<Program>, Report)>,
}

impl Player {
    /// Compiles the song and starts the device.
    pub(super) fn start(
        wishes: Wishes,
        backend: Box<dyn Backend>,
        mut opened: Box<dyn Opened>,
        console: Console,
        sender: Sender<Happening>,
    ) -> Result<Player, Failure> {
        let format = opened.format().clone();
        let source = Source::new(wishes.song.clone(), console)?;
        let first = source.compile(format.rate);
        if let Some(failure) = first.failure {
            if matches!(failure, Failure::Input) {
                console.insist(&first.told);
            }
            return Err(failure);
        }
        let score = first.program.ok_or(Failure::Input)?;
        let waits = !wishes.preroll.is_zero();
        let program = at_tempo(&score, wishes.tempo);
        let from = wishes.from.map_or(Ok(0), |from| start_frame(from, &program))?;
        let (mut control, callback) = control_of(&program, &format, from, !waits);
        let mut notices = first.told;
        if !program.inputs.is_empty() {
            match opened.listen() {
                Ok(ring) => control.input(Some(ring)),
                Err(why) => notices += &format!("warning: the song's `in` is silent: {why}\n"),
            }
        }
        let recorder = match &wishes.record {
            Some(path) => Some(Recorder::new(path, &format, control.record())?),
            None => None,
        };
        let title = title(&first.name, &format, backend.name());
        let keeper = Keeper::start(backend, wishes.request.clone(), opened, callback);
        let keeper = keeper.map_err(|e| Failure::device(&e))?;
        let mut front = Front::new(console, wishes.display);
        front.title.clone_from(&title);
        if !front.is_display() {
            front.say(&format!("{title}; Ctrl-C stops\n"));
        }
        front.insist(&notices);
        let told = sender.clone();
        let mut watch = Watch::new(move || drop(told.send(Happening::Touched)));
        watch.follow(&first.files);
        Ok(Player {
            tempo: wishes.tempo,
            wishes,
            console,
            source,
            keeper,
            control,
            watch,
            recorder,
            front,
            sender,
            keys: Keys::default(),
            hands: Hands::default(),
            began: Instant::now(),
            playing: true,
            waits,
            over: false,
            heading: None,
            score,
            compiling: None,
            again: None,
            refused: String::new(),
            reports: vec![],
        })
    }

    /// Whether it is time to end.
    pub(super) fn is_over(&self) -> bool {
        self.over || self.wishes.quit_after.is_some_and(|time| self.began.elapsed() >= time)
    }

    /// Takes what another thread tells.
    pub(super) fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Touched => self.look_at_the_files(),
            Happening::Asked(Ok(action)) => self.act(action),
            Happening::Asked(Err(why)) => self.refuse(&why),
            Happening::Compiled(outcome) => self.take_up(*outcome),
            Happening::Key(key) => {
                let program = self.control.program().clone();
                let names: Vec<&str> = program.targets.iter().map(|target| &*target.name).collect();
                if let Some(action) = self.keys.press(key, &names, Instant::now()) {
                    self.act(action);
                }
            }
        }
    }

    /// Looks after everything.
    pub(super) fn tick(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.waits && self.began.elapsed() >= self.wishes.preroll {
            self.waits = false;
            self.control.play();
        }
        self.control.tick();
        if let Some((program, heard)) = self.control.taken_up() {
            self.tell_edits(&program, heard);
        }
        if !self.control.is_changing() {
            self.heading = None;
        }
        self.hands.tick(&mut self.control, now);
        let program = self.control.program().clone();
        let names: Vec<&str> = program.targets.iter().map(|target| &*target.name).collect();
        if let Some(action) = self.keys.wait(&names, now) {
            self.act(action);
        }
        self.look_after_the_device();
        if self.watch.is_due() {
            self.look_at_the_files();
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.take()?;
        }
        let facts =
            Facts { control: &self.control, underruns: self.keeper.underruns(), typed: self.keys.typed() };
        self.front.show(&facts).map_err(|error| Failure::stdout(&error))
    }

    /// Fades out and ends.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.control.stop();
        let began = Instant::now();
        while !self.control.is_stopped() && since(began) < LAST {
            std::thread::sleep(super::TICK / 2);
            self.control.tick();
            if let Some(recorder) = &mut self.recorder {
                recorder.take()?;
            }
        }
        self.keeper.stop(true);
        self.front.close();
        if let Some(summary) = self.front.summary() {
            self.console.say(&summary);
        }
        match self.recorder.take() {
            Some(recorder) => recorder.finish(self.console),
            None => Ok(()),
        }
    }

    // What hands ask for.

    /// Does it, or says why not.
    pub(super) fn act(&mut self, action: Action) {
        if let Err(why) = self.try_to(action) {
            self.refuse(&why);
        }
    }

    /// Says what cannot be done; a hand that asks for the same again is told once.
    fn refuse(&mut self, why: &str) {
        if self.refused != why {
            self.front.say(&format!("{why}\n"));
            self.refused = why.into();
        }
    }

    fn try_to(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Play => self.play(true),
            Action::Stop => self.play(false),
            Action::Toggle => self.play(!self.playing),
            Action::Top => {
                self.control.seek(0);
                self.play(true);
            }
            Action::Bars(bars) => self.go_by_bars(bars),
            Action::Beat(beat) => {
                if let Some(here) = self.place() {
                    self.go(Place { pass: 0, bar: beat.max(0.0) / here.beats_per_bar, ..here });
                }
            }
            Action::Tempo(bpm) => self.set_tempo(bpm)?,
            Action::Mute(name, on) => {
                self.named_node(&name)?;
                let on = on.unwrap_or(!self.control.muted().contains(&name));
                self.control.mute(&name, on);
            }
            Action::Solo(name, on) => {
                self.named_instrument(&name)?;
                let on = on.unwrap_or(!self.control.soloed().contains(&name));
                self.control.solo(&name, on);
            }
            Action::Set(name, value, seconds) => self.set(&name, value, seconds)?,
            Action::Turn(name, place) => {
                let value = self.value_at(&name, place)?;
                self.set(&name, value, 0.0)?;
            }
            Action::Press(name, note, vel) => {
                if !self.hands.press(&mut self.control, &name, note, vel) {
                    self.named_instrument(&name)?;
                }
            }
            Action::Release(name, note) => self.hands.release(&mut self.control, &name, note),
            Action::Hit(name, vel) => {
                if !self.hands.hit(&mut self.control, &name, vel, Instant::now()) {
                    self.named_instrument(&name)?;
                }
            }
            Action::Silence => self.hands.silence(&mut self.control),
            Action::Quit => self.over = true,
        }
        Ok(())
    }

    fn play(&mut self, playing: bool) {
        (self.playing, self.waits) = (playing, false);
        if playing { self.control.play() } else { self.control.stop() }
    }

    /// Where it is, or is about to be.
    fn place(&self) -> Option<Place> {
        self.heading.or_else(|| Place::of(self.control.program(), self.control.song_frame()))
    }

    fn go_by_bars(&mut self, bars: i64) {
        match self.place() {
            Some(place) => self.go(place.bar_line(bars)),
            // Without bars, a step is two seconds: a bar at 120.
            None => {
                let step = bars * 2 * i64::from(self.control.rate());
                self.control.seek(self.control.song_frame().saturating_add_signed(step));
            }
        }
    }

    fn go(&mut self, place: Place) {
        if let Some(frame) = place.frame(self.control.program()) {
            self.control.seek(frame);
            self.heading = Some(place);
        }
    }

    fn set_tempo(&mut self, bpm: f64) -> Result<(), String> {
        if !TEMPOS.contains(&bpm) {
            return Err(format!(
                "{bpm} is no tempo: {} to {} quarter notes a minute",
                TEMPOS.start(),
                TEMPOS.end()
            ));
        }
        let Some(here) = self.place() else { return Err("the song has no tempo".into()) };
        // Where the tempo changes on the way, it is set for the start in the same relation.
        let Some((first, now)) = here.tempos(self.control.program()) else { return Ok(()) };
        self.tempo = Some(bpm * first / now);
        let program = at_tempo(&self.score, self.tempo);
        self.control.edit(program, control::Sync::Now);
        Ok(())
    }

    fn set(&mut self, name: &str, value: f64, seconds: f64) -> Result<(), String> {
        if !value.is_finite() {
            return Err(format!("`{name}` cannot be set to {value}"));
        }
        let ramp = (seconds.max(0.0) * f64::from(self.control.rate())).round() as u32;
        if self.control.set(name, value, ramp) {
            Ok(())
        } else {
            Err(self.unknown("parameter", name, self.params()))
        }
    }

    /// The value at a place in a parameter's range: evenly, or in equal ratios where its curve is.
    fn value_at(&self, name: &str, place: f64) -> Result<f64, String> {
        let found = self.control.program().params.iter().find(|slot| &*slot.name == name);
        let slot = found.ok_or_else(|| self.unknown("parameter", name, self.params()))?;
        let (min, max, place) = (slot.min, slot.max, place.clamp(0.0, 1.0));
        if !min.is_finite() || !max.is_finite() {
            return Err(format!("`{name}` has no range to turn it in; write `in 0..1` behind it"));
        }
        let by_ratio = slot.curve == mam_runtime::Curve::Exp && min > 0.0;
        Ok(if by_ratio { min * (max / min).powf(place) } else { min + (max - min) * place })
    }

    fn params(&self) -> Vec<String> {
        self.control.program().params.iter().map(|slot| slot.name.to_string()).collect()
    }

    fn named_instrument(&self, name: &str) -> Result<(), String> {
        let names: Vec<String> = self.control.program().targets.iter().map(|t| t.name.to_string()).collect();
        if names.iter().any(|n| n == name) { Ok(()) } else { Err(self.unknown("instrument", name, names)) }
    }

    fn named_node(&self, name: &str) -> Result<(), String> {
        let program = self.control.program();
        let nodes = program.steps.iter().map(|step| step.name.split('#').next().unwrap_or_default());
        let targets = program.targets.iter().map(|target| &*target.name);
        let names: Vec<String> = nodes.chain(targets).map(String::from).collect();
        if names.iter().any(|n| n == name) { Ok(()) } else { Err(self.unknown("node", name, names)) }
    }

    fn unknown(&self, what: &str, name: &str, names: Vec<String>) -> String {
        let near = nearest(name, &names).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        format!("there is no {what} `{name}`{near}")
    }

    // Edits.

    fn look_at_the_files(&mut self) {
        let Some(saved) = self.watch.changed() else { return };
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
        // It ends without a word when nobody wants the result any more.
        std::thread::spawn(move || sender.send(Happening::Compiled(Box::new(source.compile(rate)))));
    }

    /// Sends an edit to the audio thread; what plays goes on while there are errors.
    fn take_up(&mut self, outcome: Outcome) {
        let Some(noticed) = self.compiling.take() else { return };
        if let Some(newer) = self.again.take() {
            self.compile(newer);
        }
        self.front.forget();
        self.front.insist(&outcome.told);
        if !outcome.files.is_empty() {
            self.watch.follow(&outcome.files);
        }
        let Some(score) = outcome.program.clone() else { return };
        if score.rate != self.control.rate() {
            return;
        }
        self.score = score;
        let program = at_tempo(&self.score, self.tempo);
        self.control.edit(program.clone(), self.wishes.sync);
        self.reports.push((program, Report::new(noticed, &outcome)));
    }

    fn tell_edits(&mut self, program: &Arc<Program>, heard: Instant) {
        let place = self.reports.iter().position(|(edited, _)| Arc::ptr_eq(edited, program));
        if let Some(place) = place {
            // Those before it were overtaken.
            if let Some((_, report)) = self.reports.drain(..=place).next_back() {
                self.front.say(&report.line(heard));
            }
        }
    }

    // The device.

    fn look_after_the_device(&mut self) {
        let Some(news) = self.keeper.poll() else { return };
        match news {
            News::Lost(why) => self.front.insist(&format!("warning: {why}; it is tried again\n")),
            News::Back(format) => self.front.say(&format!("{} plays again\n", format.device)),
            News::NewFormat(format) => self.play_anew(&format),
        }
    }

    /// Goes on through a device of another format.
    fn play_anew(&mut self, format: &Format) {
        self.front.say(&format!("{} plays again, at {} Hz\n", format.device, format.rate));
        let outcome = self.source.compile(format.rate);
        self.front.insist(&outcome.told);
        let place = self.control.song_frame();
        let before = self.control.rate();
        // While the song has errors, what played goes on: at the wrong pitch, if the rate has changed.
        if let Some(score) = outcome.program {
            self.score = score;
        }
        let program = at_tempo(&self.score, self.tempo);
        let place = place * u64::from(program.rate) / u64::from(before);
        let (mut control, callback) = control_of(&program, format, place, self.playing && !self.waits);
        control.follow(&self.control);
        self.control = control;
        self.front.title = title(&outcome.name, format, self.keeper.backend());
        self.keeper.resume(callback);
    }
}

fn title(name: &str, format: &Format, backend: &str) -> String {
    format!("{name} on {} through {backend}, {} Hz", format.device, format.rate)
}

/// A program at the tempo that a hand has set, if the song has one.
fn at_tempo(program: &Arc<Program>, tempo: Option<f64>) -> Arc<Program> {
    tempo.and_then(|bpm| program.at_tempo(bpm)).map_or_else(|| program.clone(), Arc::new)
}

/// The frame where it is to begin.
fn start_frame(from: Start, program: &Program) -> Result<u64, Failure> {
    let no_bars =
        || Failure::Usage("the song has no bars to begin at; say a time, such as `--from 10s`".into());
    let at = |bar: f64| {
        let here = Place::of(program, 0)?;
        Place { bar, ..here }.frame(program)
    };
    match from {
        Start::Bar(bar) => at((bar - 1) as f64).ok_or_else(no_bars),
        Start::After(length) => match length.frames(program.rate) {
            Some(frames) => Ok(frames),
            None => {
                let (num, den) = length.fraction();
                let bars = num as f64 / den as f64;
                let beats_per_bar = Place::of(program, 0).map_or(4.0, |place| place.beats_per_bar);
                at(if length.unit() == Unit::Beat { bars / beats_per_bar } else { bars }).ok_or_else(no_bars)
            }
        },
    }
}

/// Both halves, at a frame of the song.
fn control_of(program: &Arc<Program>, format: &Format, at: u64, playing: bool) -> (Control, Callback) {
    let options = control::Options { channels: format.channels, playing: playing && at == 0 };
    let (mut control, mut live): (Control, Live) = Control::new(program.clone(), Box::new(Scored), options);
    if at > 0 {
        // In silence, so that nothing of the beginning is heard.
        control.seek(at);
        if playing {
            control.play();
        }
    }
    (control, Box::new(move |frames| live.process(frames)))
}
