//! The song on disk, its program, the device.

use super::midi::MidiInput;
use super::sound::Heard;
use crate::args::HowArgs;
use crate::compiling::{Compiled, channels_of_text, compile_song_again};
use crate::failure::Failure;
use crate::input::{Disk, Song, text};
use crate::live::recorder::Take;
use crate::output::{Inputs, write_new, write_text};
use crate::values::Rate;
use mam_compiler::CompilationCache;
use mam_runtime::control::{Control, Options, Position, Scored, Sync};
use mam_runtime::output::{Format, Found, Keeper, News, Request, backend, open_best};
use mam_runtime::{ChannelLayout, Live, Program};
use mam_studio_answers::Answers;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How often the file is looked at, in seconds.
const LOOK_SECONDS: f64 = 0.1;
/// How long the last sound may take to fade, on a device of large buffers.
const LAST: Duration = Duration::from_secs(1);
/// What a new song begins with.
const FIRST: &str = "out = 0.2 * sine(220)\n";

/// What is served.
pub(super) struct Session {
    path: PathBuf,
    /// The text that the file has, as far as is known, when it was written, and how often another program has changed it.
    text: String,
    written: Option<SystemTime>,
    changes: u64,
    looked: Instant,
    answers: Answers,
    cache: CompilationCache,
    /// None where no device can be opened, and why.
    device: Result<Device, String>,
    midi: MidiInput,
    recording: Recording,
}

/// What is played, on its way into a file.
#[derive(Default)]
struct Recording {
    /// The file that is begun with the first program.
    wanted: Option<PathBuf>,
    take: Option<Take>,
    /// Why it has ended early.
    failure: Option<Failure>,
}

impl Recording {
    fn begin(&mut self, format: &Format) -> Result<(), Failure> {
        if let Some(path) = self.wanted.take() {
            self.take = Some(Take::new(&path, None, format, ChannelLayout::Speakers)?);
        }
        Ok(())
    }

    fn write(&mut self, samples: &[f32]) {
        if let Some(Err(failure)) = self.take.as_mut().map(|take| take.write(samples)) {
            self.end(failure);
        }
    }

    /// Ends early: what was written before stays.
    fn end(&mut self, why: Failure) {
        if let Some(take) = self.take.take() {
            drop(take.finish());
            self.failure = Some(why);
        }
    }

    /// Ends the file, and says so.
    fn finish(self) -> Result<Option<String>, Failure> {
        match (self.failure, self.take) {
            (Some(failure), _) => Err(failure),
            (None, take) => take.map(Take::finish).transpose(),
        }
    }
}

/// A device, and what plays on it once there is a program.
struct Device {
    opened: Option<Found>,
    rate: u32,
    playing: Option<Playing>,
    wanted: bool,
}

struct Playing {
    control: Control,
    keeper: Keeper,
    heard: Heard,
    program: Arc<Program>,
}

impl Session {
    /// Reads the song, or makes it, and opens the device; `record` is the file that what is played is written into.
    pub(super) fn open(
        path: PathBuf,
        backend_name: Option<&str>,
        midi: MidiInput,
        record: Option<PathBuf>,
    ) -> Result<Session, Failure> {
        if !path.exists() {
            if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
                let what = format!("there is no `{}`, and what is begun here is .mam text", path.display());
                let name = path.with_extension("mam");
                return Err(Failure::Usage(format!("{what}: `mamc studio {}`", name.display())));
            }
            write_new(&path, FIRST)?;
        }
        let text = text(&path)?;
        let channels = channels_of_text(&path.display().to_string(), &text);
        let request = Request { device: None, rate: None, buffer: None, channels };
        let found = match backend_name {
            Some(name) => backend(name).and_then(|backend| {
                let opened = backend.open(&request)?;
                Ok((backend, opened))
            }),
            None => open_best(&request),
        };
        let device = match found {
            Ok((backend, opened)) => {
                let rate = opened.format().rate;
                Ok(Device { opened: Some((backend, opened)), rate, playing: None, wanted: false })
            }
            Err(error) => Err(Failure::device(&error).to_string()),
        };
        let mut recording = Recording { wanted: record, ..Recording::default() };
        if let (Some(path), Err(why)) = (&recording.wanted, &device) {
            let path = path.display();
            return Err(Failure::Device(format!("nothing is played that `{path}` could record: {why}")));
        }
        if let Ok(Device { opened: Some((_, opened)), .. }) = &device {
            recording.begin(opened.format())?;
        }
        let written = modified(&path);
        Ok(Session {
            path,
            text,
            written,
            changes: 0,
            looked: Instant::now(),
            answers: Answers::default(),
            cache: CompilationCache::default(),
            device,
            midi,
            recording,
        })
    }

    /// Looks after what plays, and after the file.
    pub(super) fn tick(&mut self) {
        if let Ok(device) = &mut self.device {
            device.tick(&mut self.midi, &mut self.recording);
        }
        if self.looked.elapsed().as_secs_f64() > LOOK_SECONDS {
            self.looked = Instant::now();
            self.look();
        }
    }

    /// Takes up what another program has written.
    fn look(&mut self) {
        let written = modified(&self.path);
        if written == self.written {
            return;
        }
        // One that is just being replaced is looked at again.
        let Ok(now) = text(&self.path) else { return };
        self.written = written;
        if now != self.text {
            self.text = now;
            self.changes += 1;
        }
    }

    /// Ends with a fade, and says what was recorded.
    ///
    /// # Errors
    /// When the recording could not be written.
    pub(super) fn close(mut self) -> Result<Option<String>, Failure> {
        if let Ok(Device { playing: Some(mut playing), .. }) = self.device {
            playing.control.stop();
            let began = Instant::now();
            while !playing.control.is_stopped() && began.elapsed() < LAST {
                std::thread::sleep(LAST / 100);
                playing.control.tick();
                self.recording.write(playing.heard.take());
            }
            playing.keeper.stop(true);
            self.recording.write(playing.heard.take());
        }
        self.recording.finish()
    }

    /// Answers a question of the page's.
    pub(super) fn ask(&mut self, question: &Value) -> Value {
        match question["ask"].as_str() {
            Some("load") => self.load(),
            Some("compile") => self.compile(question),
            Some("figures") => self.figures(),
            Some("steer") => self.steer(question),
            _ => {
                let disk = Disk::new(Some(&self.path), false);
                self.answers.answer(question, &disk).unwrap_or(Value::Null)
            }
        }
    }

    fn load(&self) -> Value {
        let device = self.device.as_ref().err();
        json!({ "name": self.name(), "text": self.text, "changes": self.changes, "silent": device })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes the text to the file and compiles it; what plays goes on with it.
    fn compile(&mut self, question: &Value) -> Value {
        let Some(text) = question["text"].as_str() else { return Value::Null };
        let saved = self.save(text, question["changes"].as_u64());
        let mut how = HowArgs::default();
        how.played_outside.extend(self.midi.plays().cloned());
        if let Ok(device) = &self.device {
            how.rate = Some(Rate(device.rate));
        }
        let song = Song { path: Some(self.path.clone()), ..Song::of_text(&self.name(), text) };
        let id = song.id;
        let made = compile_song_again(song, &how, &mut self.cache);
        let Compiled { compilation, problems, .. } = &made;
        let mut answer = self.answers.compiled(text, id, problems, compilation);
        if let Err(why) = saved {
            answer["unsaved"] = json!(why);
        }
        let slots = made.compilation.stages.lowered.slots.iter();
        let controllers = slots.filter_map(|(name, info)| Some((info.cc?, name.to_string()))).collect();
        let program = made.compilation.program.map(Arc::new);
        program.iter().for_each(|program| program.go_live());
        if let (Some(program), Ok(device)) = (program, &mut self.device) {
            match device.take(program) {
                Ok(()) => {
                    if let Some(playing) = &device.playing {
                        self.midi.follow(controllers, &playing.control);
                    }
                }
                Err(why) => self.device = Err(why),
            }
        }
        answer
    }

    /// Writes the text, unless another program has written one that the page does not know yet.
    fn save(&mut self, text: &str, known: Option<u64>) -> Result<(), String> {
        self.look();
        if text == self.text {
            return Ok(());
        }
        if known != Some(self.changes) {
            return Err("the file was changed by another program".into());
        }
        write_text(&self.path, text, &Inputs::default()).map_err(|failure| failure.to_string())?;
        text.clone_into(&mut self.text);
        self.written = modified(&self.path);
        Ok(())
    }

    fn steer(&mut self, question: &Value) -> Value {
        let Ok(device) = &mut self.device else { return json!(false) };
        if let Some(play) = question["play"].as_bool() {
            device.wanted = play;
        }
        let Some(playing) = &mut device.playing else { return json!(false) };
        let (control, name) = (&mut playing.control, question["name"].as_str().unwrap_or_default());
        match (question["play"].as_bool(), question["seek"].as_f64(), question["value"].as_f64()) {
            (Some(true), ..) => control.play(),
            (Some(false), ..) => control.stop(),
            (_, Some(seconds), _) => {
                let frame = (seconds.max(0.0) * f64::from(control.rate())) as u64;
                return json!(control.seek(frame).is_ok());
            }
            (_, _, Some(value)) => return json!(control.set(name, value, control.rate() / 50)),
            _ => match question["gate"].as_u64() {
                Some(gate @ 0..=1) => control.mute(name, gate == 1),
                Some(gate) => control.solo(name, gate == 3),
                None => return json!(false),
            },
        }
        json!(true)
    }

    /// What there is to see: the numbers that the page's worklet gives, in its order, and what was heard last.
    fn figures(&mut self) -> Value {
        let unrecorded = self.recording.failure.as_ref().map(|why| format!("the recording has ended: {why}"));
        let said = self.midi.said().or(unrecorded);
        let mut answer = json!({
            "changes": self.changes, "silent": self.device.as_ref().err(), "said": said, "turned": self.midi.turned(),
        });
        let Ok(Device { playing: Some(playing), .. }) = &mut self.device else { return answer };
        let seen = playing.control.telemetry();
        let program = playing.control.program();
        let place = Position::at_frame(program, seen.song_frame);
        let mut figures = vec![
            seen.song_frame as f64 / f64::from(program.rate),
            place.map_or(-1.0, |place| place.bar),
            place.map_or(4.0, |place| place.beats_per_bar),
            f64::from(u8::from(seen.stopped)),
            f64::from(seen.voices),
            seen.clipped as f64,
            seen.limited as f64,
            f64::from(seen.peaks[0]),
            f64::from(seen.peaks[1]),
        ];
        figures.extend(playing.control.levels().into_iter().map(f64::from));
        answer["figures"] = json!(figures);
        answer["heard"] = json!(playing.heard.frames());
        answer["rate"] = json!(program.rate);
        answer
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|of| of.modified()).ok()
}

impl Device {
    /// Plays a program: the first one, or in place of another.
    fn take(&mut self, program: Arc<Program>) -> Result<(), String> {
        if let Some(playing) = &mut self.playing {
            playing.program = program.clone();
            playing.control.edit(program, Sync::Now);
            playing.control.tick();
            return Ok(());
        }
        let Some((backend, opened)) = self.opened.take() else { return Ok(()) };
        let format = opened.format().clone();
        let (mut control, mut live) = live(&program, &format, self.wanted);
        let heard = Heard::new(control.record(), format.channels);
        let request =
            Request { device: None, rate: Some(format.rate), buffer: None, channels: format.channels };
        let keeper = Keeper::start(backend, request, opened, Box::new(move |frames| live.process(frames)));
        let keeper = keeper.map_err(|error| Failure::device(&error).to_string())?;
        self.playing = Some(Playing { control, keeper, heard, program });
        Ok(())
    }

    fn tick(&mut self, midi: &mut MidiInput, recording: &mut Recording) {
        let Some(playing) = &mut self.playing else { return };
        midi.tick(&mut playing.control);
        playing.control.tick();
        recording.write(playing.heard.take());
        // Another format than before: what plays begins anew.
        if let Some(News::NewFormat(format)) = playing.keeper.poll() {
            let why = "the device plays in another format now".into();
            recording.end(Failure::Device(why));
            let (mut control, mut next) = live(&playing.program, &format, self.wanted);
            control.follow(&playing.control);
            playing.heard = Heard::new(control.record(), format.channels);
            playing.control = control;
            playing.keeper.resume(Box::new(move |frames| next.process(frames)));
        }
    }
}

fn live(program: &Arc<Program>, format: &Format, playing: bool) -> (Control, Live) {
    let options = Options { channels: format.channels, playing, limit: true };
    Control::new(program.clone(), Box::new(Scored), options)
}
