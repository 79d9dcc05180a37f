//! `mamc render`: a song to a sound file.

use crate::args::{SongArgs, ThreadArgs};
use crate::compiling::compiled;
use crate::console::Console;
use crate::failure::Failure;
use crate::offline::{Job, Span};
use crate::output::Output;
use crate::progress::Progress;
use crate::stems::{self, Listening};
use crate::values::{self, Length, Level, Start, Tap};
use crate::{beside, input, looping, loudness, offline};
use clap::Args;
use mam_compiler::listen::Listen;
use mam_grammar::problem::count;
use mam_runtime::file::{Bits, Container, Dither, FileError, Format, Sound, Writer, read, resample};
use mam_runtime::score::midi::midi;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Render a song to a sound file
///
/// The same file, flags and version of mam give the same bytes, on every machine of one kind.
#[derive(Args, Debug)]
pub struct Render {
    #[command(flatten)]
    song: SongArgs,
    /// The file to write; its ending says of which kind: .wav, .aiff, .caf, .flac, or .mid for the notes alone. `-`:
    /// WAV on standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// How long, such as 2.5s, 250ms, 1:30, 8bars, 16beats or 48000smp [default: the song once, and its tail]
    #[arg(short, long, value_name = "LENGTH")]
    duration: Option<Length>,
    /// How long to go on after the song's end [default: while something sounds, at most 30 s]
    #[arg(long, value_name = "LENGTH", conflicts_with = "duration")]
    tail: Option<Length>,
    /// Where to start: a bar, from 1, or a time. What came before is still heard as it fades
    #[arg(long, value_name = "BAR|TIME")]
    from: Option<Start>,
    /// Silence before the beginning, for a recorder to attach
    #[arg(long, value_name = "LENGTH")]
    preroll: Option<Length>,
    /// Kind of samples: 16, 24 or 32f [default: 32f; 24 for FLAC]
    #[arg(short, long, value_parser = values::bits)]
    bits: Option<Bits>,
    /// Kind of file, whatever its ending: wav, aiff, caf or flac
    #[arg(long, value_parser = values::container)]
    format: Option<Container>,
    /// What to do about the error of cutting bits: none, tpdf or shaped
    #[arg(long, value_parser = values::dither, default_value = "tpdf")]
    dither: Dither,
    /// A sound file for the song's `in`
    #[arg(long = "input", value_name = "FILE")]
    heard: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Write one pass of the song that follows itself without a seam: what rings on from the pass before is in it
    #[arg(long = "loop", conflicts_with_all = ["duration", "tail", "from", "preroll"])]
    as_loop: bool,
    /// Also write the terms of the last sum before the master into this folder, each with its gain, pan and effects: their
    /// sum is the mix before the master
    #[arg(long, value_name = "FOLDER")]
    stems: Option<PathBuf>,
    /// Also write the sound of one equation or node; repeatable
    #[arg(long = "tap", value_name = "NODE=FILE")]
    taps: Vec<Tap>,
    /// Bring the result to a true peak, such as -1dBTP, or a loudness, such as -14LUFS
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    normalize: Option<Level>,
}

impl Render {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("mid")) {
            return self.midi(console);
        }
        let (container, bits) = self.kind()?;
        let (mut compiled, mut listening) = stems::compiled(&self.song, &self.listen(), console)?;
        let program = compiled.take_program()?;
        let span = Span { from: self.from, duration: self.duration, tail: self.tail };
        let input = self.sound(program.rate)?;
        let mut job = Job::new(program, span)?;
        job.input = input;
        job.threads = self.threads.count();
        if self.duration.is_some() {
            compiled.tell_late_commands(job.end(), console);
        }
        if job.endless {
            let seconds = offline::ENDLESS_SECONDS;
            console.say(&format!(
                "note: this song has no end of its own; {seconds} s of it (-d says otherwise)\n"
            ));
        }
        if self.as_loop {
            job = looped(&job, listening.as_ref(), console)?;
            listening =
                listening.map(|l| Ok(looping::whole(l.program()).map(|(p, _)| l.with(p))?)).transpose()?;
        }
        let factor = self.normalize.map_or(Ok(1.0), |level| loudness::factor(&job, level))?;
        let format = Format { container, bits, dither: self.dither, rate: job.program.rate, channels: 0 };
        let frames = self.write(&self.output, &job, format, factor, console)?;
        for (file, job) in self.all_taps(&job, listening.as_ref(), frames)? {
            self.write(&file, &job, format, 1.0, console)?;
        }
        if let (Some(folder), Some(listening)) = (&self.stems, &listening) {
            let difference = listening.check(&job, frames)?;
            console.say(&difference.line(folder, listening.stems().count()));
            if !difference.is_none() {
                console.say("warning: the stems do not add up to the mix before the master\n");
            }
        }
        job.check_finite()
    }

    /// What is to be heard beside the song.
    fn listen(&self) -> Listen {
        Listen {
            stems: self.stems.is_some(),
            equations: self.taps.iter().map(|tap| tap.node.clone()).collect(),
            all_equations: self.as_loop,
        }
    }

    /// The notes alone, as a MIDI file.
    fn midi(&self, console: Console) -> Result<(), Failure> {
        let mut compiled = compiled(&self.song, console)?;
        let program = compiled.take_program()?;
        let until = match self.duration {
            Some(_) => {
                Some(Job::new(program.clone(), Span { duration: self.duration, ..Span::default() })?.end())
            }
            None => None,
        };
        let file = midi(&program, compiled.title(), until);
        if file.notes == 0 {
            console.say("warning: the song's score has no notes, so the file has none\n");
        }
        for (notes, what) in [
            (file.rounded, "not of a MIDI key: rounded to the nearest"),
            (file.limited, "louder than MIDI can say: written with velocity 127"),
        ] {
            if notes > 0 {
                let verb = if notes == 1 { "is" } else { "are" };
                console.say(&format!("warning: {} {verb} {what}\n", count(notes, "note")));
            }
        }
        let mut output = Output::create(&self.output)?;
        let written = output.write_all(&file.bytes);
        written.map_err(|e| Failure::write(&self.output, &e))?;
        output.finish()
    }

    /// The taps and the stems: where each goes, and what renders it.
    fn all_taps(
        &self,
        job: &Job,
        listening: Option<&Listening>,
        frames: u64,
    ) -> Result<Vec<(PathBuf, Job)>, Failure> {
        let Some(listening) = listening else { return Ok(vec![]) };
        let mut all = vec![];
        for Tap { node, file } in &self.taps {
            let tapped = listening.equation(job, node, frames).or_else(|| job.tapped(node, frames));
            all.push((file.clone(), tapped.ok_or_else(|| no_node(node, job))?));
        }
        if let Some(folder) = &self.stems {
            std::fs::create_dir_all(folder).map_err(|e| Failure::write(folder, &e))?;
            let ending = self.kind()?.0.extensions()[0];
            for name in listening.stems() {
                let Some(stem) = listening.stem(job, name, frames) else { continue };
                let plain = file_name(name);
                let numbered = (2..).map(|n| format!("{plain}-{n}"));
                let mut files = std::iter::once(plain.clone()).chain(numbered);
                let free = |file: &String| {
                    all.iter().all(|(other, _)| *other != folder.join(format!("{file}.{ending}")))
                };
                let file = files.find(free).unwrap_or_default();
                all.push((folder.join(format!("{file}.{ending}")), stem));
            }
        }
        Ok(all)
    }

    /// Renders a job into a file and returns the frames after the preroll.
    fn write(
        &self,
        path: &Path,
        job: &Job,
        format: Format,
        factor: f32,
        console: Console,
    ) -> Result<u64, Failure> {
        let format = Format { channels: job.channels(), ..format };
        let failed = |e: FileError| file_failure(path, e);
        let mut output = Output::create(path)?;
        let preroll = job.frames(self.preroll)?;
        let began = Instant::now();
        let mut progress = Progress::new(console, job.expected().map(|n| n + preroll), format.rate);
        let mut frames = 0;
        let mut writer = Writer::new(&mut output, format).map_err(failed)?;
        silence(&mut writer, preroll, format.channels).map_err(failed)?;
        beside::written(writer, failed, |blocks| {
            job.run(|block| {
                frames += (block.len() / format.channels) as u64;
                progress.show(preroll + frames);
                blocks.write(block.iter().map(|x| x * factor))
            })
        })?;
        progress.clear();
        output.finish()?;
        console.say(&told(path, preroll + frames, format, began));
        Ok(frames)
    }

    /// The kind of file and of samples, by the flags and the file's name.
    fn kind(&self) -> Result<(Container, Bits), Failure> {
        let ending = self.output.extension().and_then(|e| e.to_str());
        let container = match (self.format, ending) {
            (Some(format), _) => format,
            (None, _) if self.output == Path::new("-") => Container::Wav,
            (None, ending) => ending.and_then(Container::from_extension).ok_or_else(|| {
                let known: Vec<_> =
                    Container::ALL.iter().map(|c| format!(".{}", c.extensions()[0])).collect();
                let what = format!("cannot tell from `{}` what kind of file to write", self.output.display());
                Failure::Usage(format!("{what}: it ends with {}, or --format says", known.join(", ")))
            })?,
        };
        let bits = self.bits.unwrap_or(container.default_bits());
        if (container, bits) == (Container::Flac, Bits::Float32) {
            return Err(Failure::Usage("FLAC holds no floats; -b 16 and -b 24 are possible".into()));
        }
        if self.output == Path::new("-") && std::io::stdout().is_terminal() {
            return Err(Failure::Usage("sound is not for the terminal; write to a pipe or a file".into()));
        }
        Ok((container, bits))
    }

    fn sound(&self, rate: u32) -> Result<Option<Sound>, Failure> {
        let Some(path) = &self.heard else { return Ok(None) };
        let sound = read(input::file_bytes(path)?);
        let sound = sound.map_err(|e| Failure::Io(format!("cannot read `{}`: {e}", path.display())))?;
        Ok(Some(resample(&sound, rate)))
    }
}

/// The pass of a song that follows itself; says which it is, and what never repeats.
fn looped(job: &Job, listening: Option<&Listening>, console: Console) -> Result<Job, Failure> {
    let pass = looping::find(&job.program, listening, job.input.as_ref())?;
    if pass.repeats {
        console.say(&format!("loop: pass {} is as the one before it\n", pass.number));
    } else {
        let names = pass.restless.join("`, `");
        let what = format!("no pass of eight is as the one before it, as these never repeat: `{names}`");
        console.say(&format!("warning: {what}\n"));
    }
    Ok(job.pass(pass.program, pass.start, pass.frames))
}

/// A name without what would lead to another folder.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_#".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}

fn file_failure(path: &Path, error: FileError) -> Failure {
    match error {
        FileError::Io(e) => Failure::write(path, &e),
        FileError::Unsupported(words) => Failure::Usage(words),
        other => Failure::Io(format!("cannot write `{}`: {other}", path.display())),
    }
}

fn no_node(name: &str, job: &Job) -> Failure {
    let names: Vec<&str> = job.program.steps.iter().flat_map(|s| &s.parts).map(|part| &*part.name).collect();
    let near = mam_grammar::problem::nearest(name, &names)
        .map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    Failure::Usage(format!("the song has no node `{name}` to tap{near}\nnodes: {}", names.join(", ")))
}

fn silence(writer: &mut Writer, frames: u64, channels: usize) -> Result<(), FileError> {
    const BLOCK: u64 = 1 << 16;
    let zeros = vec![0.0; BLOCK.min(frames) as usize * channels];
    let mut left = frames;
    while left > 0 {
        let now = left.min(BLOCK);
        writer.write(&zeros[..now as usize * channels])?;
        left -= now;
    }
    Ok(())
}

/// Where the file is, how long, how fast it was made.
fn told(path: &Path, frames: u64, format: Format, began: Instant) -> String {
    let seconds = frames as f64 / f64::from(format.rate);
    let speed = seconds / began.elapsed().as_secs_f64().max(1e-9);
    let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let bits = match format.bits {
        Bits::Int16 => "16 bits",
        Bits::Int24 => "24 bits",
        Bits::Float32 => "32-bit floats",
    };
    let channels = count(format.channels, "channel");
    let (place, rate) = (place.display(), format.rate);
    format!("{place}: {seconds:.1} s, {rate} Hz, {channels}, {bits}; {speed:.0} × real time\n")
}
