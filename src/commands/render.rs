//! `mamc render`: a song to a sound file.

use crate::args::{SongArgs, ThreadArgs};
use crate::compiling::{Compiled, compiled};
use crate::console::Console;
use crate::failure::Failure;
use crate::files::{Extra, Files, Kind, Rendering};
use crate::names::Names;
use crate::normalizing;
use crate::offline::{Job, Span};
use crate::output::{Inputs, Output};
use crate::rendered::{Notes, NotesReport, Report, endings};
use crate::report::unplayed;
use crate::stems::{self, Difference, Listening};
use crate::take::{self, Take};
use crate::values::{self, Length, Level, Start, Tap};
use crate::{console, input, json, looping, offline, output};
use clap::Args;
use mam_compiler::listen::Listen;
use mam_grammar::problem::count;
use mam_runtime::file::{
    Bits, Container, Dither, FileError, Format, SOFTWARE, Sound, Wanted, read, software,
};
use mam_runtime::score::midi::{MOST_NOTES, TooLong, midi};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Samples of an input, those of all channels counted, that are read where no length is asked for: 1 GiB in memory.
const MOST_HEARD: u64 = 1 << 28;

/// Render a song to a sound file
///
/// The same file, flags and version of mam give the same bytes, on every machine of one kind.
#[derive(Args, Debug)]
pub struct Render {
    #[command(flatten)]
    song: SongArgs,
    /// Write to this file, whose ending says in which of the formats of --format, or with .mid the notes alone; `-`: WAV on
    /// standard output [default: the song's name with .wav, beside it]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Render this long, such as 2.5s, 250ms, 1:30, 8bars, 16beats or 48000smp [default: the song once, and its tail]
    #[arg(short, long, value_name = "LENGTH", allow_hyphen_values = true)]
    duration: Option<Length>,
    /// Render this long after the song's end [default: while something sounds, at most 30 s]
    #[arg(long, value_name = "LENGTH", conflicts_with = "duration", allow_hyphen_values = true)]
    tail: Option<Length>,
    /// Start at a bar, counted from 1, or at a time. Notes and echoes from before it are still heard
    #[arg(long, value_name = "BAR|TIME")]
    from: Option<Start>,
    /// Begin with this much silence, so that a recorder can attach
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    preroll: Option<Length>,
    /// Sample format: 16, 24 or 32f [default: 32f; 24 for FLAC]
    #[arg(short, long, value_parser = values::bits)]
    bits: Option<Bits>,
    /// File format, where the file's ending says none
    #[arg(long, value_parser = values::container(), ignore_case = true)]
    format: Option<Container>,
    /// Dither for integer samples: none, tpdf or shaped [default: tpdf]
    #[arg(long, value_parser = values::dither, value_name = "DITHER")]
    dither: Option<Dither>,
    /// Play this sound file into the song's `in`
    #[arg(long = "input", value_name = "FILE")]
    heard: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Write one pass of the song that loops without a seam: it contains the tail of the pass before
    #[arg(long = "loop", conflicts_with_all = ["duration", "tail", "from", "preroll"])]
    as_loop: bool,
    /// Also write the terms of the last sum before the master into this folder, each with its gain, pan and effects: their
    /// sum is the mix before the master
    #[arg(long, value_name = "FOLDER")]
    stems: Option<PathBuf>,
    /// Also write the sound of one equation or node; repeatable
    #[arg(long = "tap", value_name = "NODE=FILE", value_parser = values::tap())]
    taps: Vec<Tap>,
    /// Scale the result to a true peak, such as -1dBTP, or a loudness, such as -14LUFS
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    normalize: Option<Level>,
    /// Print as JSON which files were written and how loud they are
    #[arg(long)]
    json: bool,
}

impl Render {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let target = self.target()?;
        if take::is_take(&self.song.input) {
            return self.take(&target, console);
        }
        if target.extension().is_some_and(|e| e.eq_ignore_ascii_case("mid")) {
            self.of_notes()?;
            return self.midi(&target, console);
        }
        let Kind { container, bits } = self.kind(&target, &["mid"])?;
        let taps = self.taps()?;
        let (mut compiled, listening) = stems::compiled(&self.song, &self.listen(), console)?;
        let program = compiled.take_program()?;
        let hears = self.heard.is_some();
        let span = Span { from: self.from, duration: self.duration, tail: self.tail, hears };
        let mut job = Job::new(program, span)?;
        job.threads = self.threads.count();
        match self.sound(&job, console)? {
            // A pass is as long as the score's, whatever it hears.
            Some(sound) if self.as_loop => job.input = Some(sound),
            Some(sound) => job.hear(sound)?,
            None => {}
        }
        self.tell_of_length(&compiled, &job, console);
        let (rate, layout) = (job.program.rate, job.program.layout);
        let format = Format { container, bits, dither: self.dither(), rate, channels: 0, layout };
        let files = Files {
            format,
            title: compiled.title().map(str::to_string),
            inputs: self.inputs(&compiled),
            preroll: job.frames(self.preroll)?,
            console,
        };
        let extras = self.extras(taps, listening.iter().flat_map(Listening::stems), files.kind());
        let is_missing = |extra: &&Extra| heard_alone(extra, &job, listening.as_ref(), 0).is_none();
        if let Some(extra) = extras.iter().find(is_missing) {
            return Err(no_node(&extra.name, listening.as_ref(), &job));
        }
        self.dithers(&files, &extras)?;
        files.check(&target, &job, &extras)?;
        let listening = match (self.as_loop, listening) {
            (false, listening) => listening,
            (true, listening) => {
                job = looped(&job, listening.as_ref(), console)?;
                listening.map(in_whole_frames).transpose()?
            }
        };
        let gain = self.normalize.map(|level| normalizing::gain_to(&job, level)).transpose()?;
        self.make_folder()?;
        let mix = files.write_song(&target, &job, gain)?;
        let frames = mix.frames - files.preroll;
        let mut written = vec![mix];
        for extra in extras {
            let Some(job) = heard_alone(&extra, &job, listening.as_ref(), frames) else {
                return Err(no_node(&extra.name, listening.as_ref(), &job));
            };
            written.push(files.write_extra(&extra, &job)?);
        }
        if let (Some(folder), Some(listening)) = (&self.stems, &listening) {
            check_sum(folder, listening, &job, frames, console)?;
        }
        if self.json {
            console.result(&json::pretty(&Report { files: written }))?;
        }
        job.check_whole()
    }

    /// A performance from its log.
    fn take(&self, target: &Path, console: Console) -> Result<(), Failure> {
        self.of_a_take()?;
        let Kind { container, bits } = self.kind(target, &["mid"])?;
        let taps = self.taps()?;
        let take = Take::read(&self.song.input, self.song.how.rate, console)?;
        let played = take.performance(console)?;
        let listening = take.listening(&self.listen(), console)?;
        let files = Files {
            format: Format {
                container,
                bits,
                dither: self.dither(),
                rate: played.rate(),
                channels: 0,
                layout: played.layout(),
            },
            title: None,
            inputs: take.inputs(),
            preroll: played.frames(self.preroll)?,
            console,
        };
        let extras = self.extras(taps, listening.stems(), files.kind());
        for extra in &extras {
            listening.performance(extra)?;
        }
        self.dithers(&files, &extras)?;
        files.check(target, &played, &extras)?;
        let gain = self.normalize.map(|level| normalizing::gain_to(&played, level)).transpose()?;
        self.make_folder()?;
        let mut written = vec![files.write_song(target, &played, gain)?];
        for extra in &extras {
            written.push(files.write_extra(extra, &listening.performance(extra)?)?);
        }
        if let Some(folder) = &self.stems {
            tell_of_sum(listening.check()?, folder, listening.stems().count(), console);
        }
        if self.json {
            console.result(&json::pretty(&Report { files: written }))?;
        }
        played.check_whole()
    }

    /// Refuses the flags that say something of a song, where a performance is rendered.
    fn of_a_take(&self) -> Result<(), Failure> {
        let how = &self.song.how;
        let flags = [
            ("--set", !how.sets.is_empty()),
            ("--seed", how.seed.is_some()),
            ("--interp", how.interp),
            ("--portable", how.portable),
            ("--limit", !how.limits.is_empty()),
            ("--allow-outside", how.allow_outside),
            ("--duration", self.duration.is_some()),
            ("--tail", self.tail.is_some()),
            ("--from", self.from.is_some()),
            ("--input", self.heard.is_some()),
            ("--loop", self.as_loop),
            ("--threads", self.threads.is_given()),
        ];
        match flags.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Err(Failure::Usage(format!(
                "`{flag}` is for songs, and a logged performance is rendered as it was played"
            ))),
        }
    }

    /// Where the song goes.
    fn target(&self) -> Result<PathBuf, Failure> {
        match &self.output {
            Some(output) if output == Path::new("-") && self.json => {
                Err(Failure::Usage("the sound and --json cannot both go to standard output".into()))
            }
            Some(output) => Ok(output.clone()),
            None => self.default_target(),
        }
    }

    /// A file named like the song, beside it, or like a definition, in the working folder. What is there already is replaced
    /// only if mamc wrote it.
    fn default_target(&self) -> Result<PathBuf, Failure> {
        let song = &self.song.input;
        if input::is_stdin(song) {
            return Err(Failure::Usage("standard input has no name: -o says which file to write".into()));
        }
        if song.is_dir() {
            return Err(Failure::read(&song.display().to_string(), &std::io::ErrorKind::IsADirectory.into()));
        }
        let ending = self.format.unwrap_or(Container::Wav).extensions()[0];
        let target = song.with_extension(ending);
        let by_mamc = |file: File| software(file).ok().flatten();
        let is_ours = || File::open(&target).ok().and_then(by_mamc).is_some_and(|name| is_mamc(&name));
        if target.exists() && !(target.is_file() && is_ours()) {
            return Err(Failure::Usage(format!(
                "`{}` is there already and was not written by mamc: -o names the file to write",
                target.display()
            )));
        }
        Ok(target)
    }

    /// Tells what of the song is beyond the render, and of a song that has no end.
    fn tell_of_length(&self, compiled: &Compiled, job: &Job, console: Console) {
        if self.duration.is_some() {
            compiled.tell_late_commands(job.end(), console);
        }
        if job.endless {
            let seconds = offline::ENDLESS_SECONDS;
            console.say(&format!(
                "note: this song has no end of its own; {seconds} s of it (-d says otherwise)\n"
            ));
        }
    }

    /// The files that are read, which are not written.
    fn inputs(&self, compiled: &Compiled) -> Inputs {
        Inputs::new(compiled.read_from(&self.song.input).chain(self.heard.as_deref()))
    }

    /// What is to be heard beside the song.
    fn listen(&self) -> Listen {
        Listen {
            stems: self.stems.is_some(),
            equations: self.taps.iter().map(|tap| tap.node.clone()).collect(),
            all_equations: self.as_loop,
        }
    }

    /// Refuses the flags that say something of sound, where notes are written.
    fn of_notes(&self) -> Result<(), Failure> {
        let flags = [
            ("-b", self.bits.is_some()),
            ("--dither", self.dither.is_some()),
            ("--input", self.heard.is_some()),
            ("--loop", self.as_loop),
            ("--stems", self.stems.is_some()),
            ("--tap", !self.taps.is_empty()),
            ("--normalize", self.normalize.is_some()),
        ];
        let parts = [
            ("--from", self.from.is_some()),
            ("--preroll", self.preroll.is_some()),
            ("--tail", self.tail.is_some()),
        ];
        if let Some((flag, _)) = parts.into_iter().find(|(_, given)| *given) {
            return Err(Failure::Usage(format!(
                "a MIDI file has the notes of a song from its beginning on: leave {flag} out; -d says how much of it"
            )));
        }
        match flags.into_iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Err(Failure::Usage(format!(
                "a MIDI file holds notes, and {flag} says something of the sound: leave it out, or write a sound file"
            ))),
        }
    }

    /// The notes alone, as a MIDI file.
    fn midi(&self, target: &Path, console: Console) -> Result<(), Failure> {
        let mut compiled = compiled(&self.song, console)?;
        let program = compiled.take_program()?;
        let until = match self.duration {
            Some(_) => {
                Some(Job::new(program.clone(), Span { duration: self.duration, ..Span::default() })?.end())
            }
            None => None,
        };
        let file = midi(&program, compiled.title(), until).map_err(|TooLong| {
            Failure::Usage(format!(
                "the score has more than {MOST_NOTES} notes or changes of tempo, too many for a MIDI file: -d says how \
                 much of it to write"
            ))
        })?;
        if file.notes == 0 {
            console.say("warning: the song's score has no notes, so the file has none\n");
        }
        for (notes, what) in [
            (file.rounded, "not of a MIDI key: rounded to the nearest"),
            (file.mute, "of velocity 0, which MIDI cannot say: written with velocity 1"),
            (file.limited, "louder than MIDI can say: written with velocity 127"),
        ] {
            if notes > 0 {
                let verb = if notes == 1 { "is" } else { "are" };
                console.say(&format!("warning: {} {verb} {what}\n", count(notes, "note")));
            }
        }
        for signal in &file.unbent {
            console.say(&format!(
                "warning: what `{signal}` does is not in the file: only machines outside (`midi_out`) bend and are \
                 pressed there\n"
            ));
        }
        let mut output = Output::create(target, &self.inputs(&compiled))?;
        let written = output.write_all(&file.bytes);
        written.map_err(|e| Failure::write(target, &e))?;
        output.finish()?;
        let name = target.display().to_string();
        match self.json {
            true => {
                let notes = Notes { file: name, format: "mid", notes: file.notes };
                console.result(&json::pretty(&NotesReport { files: [notes] }))?;
            }
            false => console.say(&format!("{name}: {}\n", count(file.notes, "note"))),
        }
        unplayed::report(&file.unplayed, &program).map_or(Ok(()), |words| Err(Failure::WrongInput(words)))
    }

    /// The files of the taps. Each is of the kind that its own ending says.
    fn taps(&self) -> Result<Vec<Extra>, Failure> {
        let tap = |Tap { node, file }: &Tap| {
            let kind = self.kind(file, &[])?;
            Ok(Extra { name: node.clone(), file: file.clone(), kind, is_stem: false })
        };
        self.taps.iter().map(tap).collect()
    }

    /// The further files that are asked for: these taps, then each of these stems, which are of the song's kind.
    fn extras<'s>(&self, taps: Vec<Extra>, stems: impl Iterator<Item = &'s str>, kind: Kind) -> Vec<Extra> {
        let mut extras = taps;
        if let Some(folder) = &self.stems {
            let mut files = Names::default();
            extras.extend(stems.map(|name| {
                let file = folder.join(files.file(name, kind.container.extensions()[0]));
                Extra { name: name.to_string(), file, kind, is_stem: true }
            }));
        }
        extras
    }

    fn dither(&self) -> Dither {
        self.dither.unwrap_or(Dither::Tpdf)
    }

    /// Refuses a dither where no file has integers.
    fn dithers(&self, files: &Files, extras: &[Extra]) -> Result<(), Failure> {
        let mut kinds = std::iter::once(files.kind()).chain(extras.iter().map(|extra| extra.kind));
        if self.dither.is_none_or(|dither| dither == Dither::None)
            || kinds.any(|kind| kind.bits != Bits::Float32)
        {
            return Ok(());
        }
        Err(Failure::Usage(
            "--dither is for integers, and floats are written: -b 16 or -b 24 asks for them".into(),
        ))
    }

    /// Makes the folder of the stems.
    fn make_folder(&self) -> Result<(), Failure> {
        let Some(folder) = &self.stems else { return Ok(()) };
        output::create_folder(folder)
    }

    /// The kind of file and of samples, by the flags and the file's name; `others` are endings of what is not a sound and can be
    /// written in its place.
    fn kind(&self, target: &Path, others: &[&str]) -> Result<Kind, Failure> {
        let container = match self.format {
            Some(format) => {
                says_the_same(target, format)?;
                format
            }
            None if target == Path::new("-") => Container::Wav,
            None => by_ending(target, others)?,
        };
        let bits = self.bits.unwrap_or(container.default_bits());
        if (container, bits) == (Container::Flac, Bits::Float32) {
            return Err(Failure::Usage("FLAC does not hold floats; -b 16 and -b 24 are possible".into()));
        }
        if target == Path::new("-") && console::prints_to_terminal() {
            return Err(Failure::Usage("sound is not for the terminal; write to a pipe or a file".into()));
        }
        Ok(Kind { container, bits })
    }

    /// As much of the song's input as the render can hear.
    fn sound(&self, job: &Job, console: Console) -> Result<Option<Sound>, Failure> {
        let Some(path) = &self.heard else {
            if !job.program.inputs.is_empty() {
                console.say(
                    "warning: the song hears `in`, which is silent: --input plays a sound file into it\n",
                );
            }
            return Ok(None);
        };
        let rate = job.program.rate;
        // A loop hears it in pass after pass.
        let frames = match self.as_loop {
            true => Some(job.latest().saturating_mul(looping::MOST_PASSES)),
            false => job.most_heard(),
        };
        let most = frames.is_none().then_some(MOST_HEARD);
        let channels = job.program.inputs.len().max(1);
        if job.program.inputs.is_empty() {
            let path = path.display();
            console.say(&format!("warning: the song has no `in`, so that `{path}` is not heard\n"));
        }
        let frames = frames.unwrap_or(u64::MAX);
        let wanted = Wanted { rate: Some(rate), channels, frames, most };
        let sound = read(input::sound_file(path)?, wanted).map_err(|e| match e {
            FileError::Unwanted => Failure::Usage(format!(
                "`{}` has more than {MOST_HEARD} samples: -d says how much of it to render",
                path.display()
            )),
            e => Failure::Io(format!("cannot read `{}`: {e}", path.display())),
        })?;
        if sound.frames() == 0 {
            return Err(Failure::Io(format!("cannot read `{}`: the file holds no sound", path.display())));
        }
        if sound.channels.iter().flatten().any(|x| !x.is_finite()) {
            let what = format!("`{}` holds a sample that is not a finite number", path.display());
            return Err(Failure::WrongInput(what));
        }
        if sound.is_cut_off {
            let seconds = sound.frames() as f64 / f64::from(rate);
            let what = format!("`{}` ends before its header says: {seconds:.2} s are there", path.display());
            console.say(&format!("warning: {what}\n"));
        }
        if let Some(damage) = sound.damage {
            console.say(&format!("warning: `{}`: {damage} and is silent\n", path.display()));
        }
        Ok(Some(sound))
    }
}

/// The first frames of a job, but of a stem or a tap instead of the song.
fn heard_alone(extra: &Extra, job: &Job, listening: Option<&Listening>, frames: u64) -> Option<Job> {
    let (listening, name) = (listening?, &*extra.name);
    match extra.is_stem {
        true => listening.stem(job, name, frames),
        false if listening.is_equation(name) => listening.equation(job, name, frames),
        false => job.tapped(name, frames),
    }
}

/// Compares the sum of the stems with the mix before the master, and says what came of it.
fn check_sum(
    folder: &Path,
    listening: &Listening,
    job: &Job,
    frames: u64,
    console: Console,
) -> Result<(), Failure> {
    tell_of_sum(listening.check(job, frames)?, folder, listening.stems().count(), console);
    Ok(())
}

fn tell_of_sum(difference: Difference, folder: &Path, stems: usize, console: Console) {
    console.say(&difference.line(folder, stems));
    if !difference.is_none() {
        console.say("warning: the stems do not add up to the mix before the master\n");
    }
}

/// The pass of a song that follows itself; says which it is, and what never repeats.
fn looped(job: &Job, listening: Option<&Listening>, console: Console) -> Result<Job, Failure> {
    let pass = looping::find(&job.program, listening, job.input.as_ref())?;
    if pass.repeats {
        console.say(&format!("loop: pass {} is as the one before it\n", pass.number));
    } else {
        let why = |names: &[String], what: &str| match names {
            [] => String::new(),
            names => format!(", as these {what}: `{}`", names.join("`, `")),
        };
        console.say(&format!(
            "warning: no pass of eight is as the one before it{}{}\n",
            why(&pass.restless, "never repeat"),
            why(&pass.ringing, "still ring, each pass nearer to the one before")
        ));
    }
    Ok(job.pass(pass.program, pass.start, pass.frames))
}

/// The same, at the tempo at which a pass is a whole number of frames.
fn in_whole_frames(listening: Listening) -> Result<Listening, Failure> {
    let (program, _) = looping::whole(listening.program())?;
    Ok(listening.with(program))
}

/// Whether this is what mamc calls itself in files, in some version.
fn is_mamc(name: &str) -> bool {
    name.split(' ').next() == SOFTWARE.split(' ').next()
}

/// Refuses a name whose ending is that of another format than the one that is asked for.
fn says_the_same(target: &Path, format: Container) -> Result<(), Failure> {
    let ending = target.extension().and_then(|e| e.to_str()).unwrap_or("");
    match Container::from_extension(ending) {
        Some(other) if other != format => Err(Failure::Usage(format!(
            "`{}` ends as a file of another format than --format says: leave --format out, or name it `{}`",
            target.display(),
            target.with_extension(format.extensions()[0]).display()
        ))),
        _ => Ok(()),
    }
}

/// The container that a file's ending stands for; `others` are endings of what is not a sound and can be written in its place.
fn by_ending(target: &Path, others: &[&str]) -> Result<Container, Failure> {
    let ending = target.extension().and_then(|e| e.to_str()).unwrap_or("");
    if let Some(container) = Container::from_extension(ending) {
        return Ok(container);
    }
    let known = endings(others);
    let name = target.display();
    if ending.is_empty() {
        let what = format!("`{name}` does not say what kind of file to write");
        return Err(Failure::Usage(format!("{what}: let it end with {known}, or use --format")));
    }
    let wav = target.with_extension("wav");
    if input::is_song(target) {
        let what = format!("`{name}` is the name of a song, and this writes a sound");
        return Err(Failure::Usage(format!("{what}: give it another name, such as `-o {}`", wav.display())));
    }
    if ending.eq_ignore_ascii_case("mid") {
        let what =
            format!("`{name}` would hold the notes of the whole song, and this is the sound of a part of it");
        return Err(Failure::Usage(format!(
            "{what}: `-o {name}` writes the notes, `{}` the sound",
            wav.display()
        )));
    }
    Err(Failure::Usage(format!(
        "mam does not write .{ending} files, only {known}: render `{wav}` and convert it, for example with `ffmpeg -i {wav} {name}`",
        wav = wav.display()
    )))
}

fn no_node(name: &str, listening: Option<&Listening>, job: &Job) -> Failure {
    let parts = job.program.steps.iter().flat_map(|step| &step.parts);
    // Only what can be tapped: a voice by itself cannot.
    let names: BTreeSet<&str> = parts.map(|part| &*part.name).filter(|name| !name.contains('#')).collect();
    if names.contains(name) || listening.is_some_and(|listening| listening.is_equation(name)) {
        return Failure::Usage(format!("`{name}` is not a signal, and a tap writes what one sounds like"));
    }
    let names: Vec<&str> = names.into_iter().collect();
    let near = mam_grammar::problem::nearest(name, &names)
        .map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    Failure::Usage(format!("the song has no node `{name}` to tap{near}\nnodes: {}", names.join(", ")))
}
