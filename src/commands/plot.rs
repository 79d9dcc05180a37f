//! `mamc plot`: pictures of sounds, scores, filters and effects.

use crate::args::{SongArgs, ThreadArgs};
use crate::compiling::{compile_song, compiled, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{Song, is_stdin};
use crate::offline::{Job, Span};
use crate::output::{Inputs, Output};
use crate::plot::{Figure, Samples, response, score, signal, spectrum};
use crate::values::{Length, Start};
use clap::{Args, ValueEnum};
use mam_runtime::Program;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Draw a sound, a score, a filter or an effect, as SVG or PNG
#[derive(Args, Debug)]
#[command(after_help = "\
mamc plot song.mam -o song.svg                        the waveform
mamc plot song.mam --what spectrogram -o song.png
mamc plot old.mam --compare new.mam --what spectrum -o both.svg
mamc plot kick --what envelope -o kick.svg            a prelude instrument, struck once
mamc plot 'lowpass(800Hz, 2)' --what response -o low.svg
mamc plot 'echo(time: 10ms)' --compare 'echo(time: 20ms)' --what response -o echo.png")]
pub struct Plot {
    #[command(flatten)]
    song: SongArgs,
    /// What is drawn
    #[arg(long, value_name = "WHAT", default_value = "waveform")]
    what: What,
    /// Draw this beside it or over it: a song, or with `--what response` a filter or effect
    #[arg(long, value_name = "SONG")]
    compare: Option<PathBuf>,
    /// Write the picture to this file, whose ending says whether it is .svg or .png [default: SVG to standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Form of the picture [default: by the file's ending, or svg]
    #[arg(long, value_name = "FORM")]
    format: Option<Form>,
    /// Start at this bar or time
    #[arg(long, value_name = "BAR|TIME", allow_negative_numbers = true)]
    from: Option<Start>,
    /// Draw so much of it
    #[arg(short, long, value_name = "TIME", allow_negative_numbers = true)]
    duration: Option<Length>,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Samples over time
    Waveform,
    /// Levels of frequencies over time
    Spectrogram,
    /// Levels of frequencies, of all of it
    Spectrum,
    /// Loudness over time, in LUFS
    Loudness,
    /// Peaks and root mean squares over time, in dBFS
    Envelope,
    /// Magnitude and phase by frequency of a filter or effect, written as it stands behind `|>`
    Response,
    /// The courses of parameters that the score sets
    Steps,
    /// A piano roll of what the score plays
    Notes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A picture of lines, for browsers and documents
    Svg,
    /// A picture of pixels
    Png,
}

/// How much of what rings on without an end is drawn as its response, in seconds.
const RING: u64 = 4;

/// Frames that are drawn at most: their samples are held in memory.
const MOST_FRAMES: u64 = 24_000_000;

impl Plot {
    /// Runs the command and writes its result to standard output or into a file.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let form = self.form()?;
        let mut read_from: Vec<PathBuf> = vec![];
        let figure = self.figure(&mut read_from, console)?;
        let bytes = match form {
            Form::Svg => figure.svg().into_bytes(),
            Form::Png => figure.png().map_err(Failure::Io)?,
        };
        match self.output.as_deref() {
            Some(path) if !is_stdin(path) => {
                let inputs = Inputs::new(read_from.iter().map(PathBuf::as_path));
                let mut output = Output::create(path, &inputs)?;
                output.write_all(&bytes).map_err(|error| Failure::write(path, &error))?;
                output.finish()
            }
            _ => console.bytes(&bytes),
        }
    }

    fn form(&self) -> Result<Form, Failure> {
        let ending = self.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        match (self.format, ending.map(str::to_ascii_lowercase).as_deref()) {
            (Some(form), _) => Ok(form),
            (None, None | Some("svg")) => Ok(Form::Svg),
            (None, Some("png")) => Ok(Form::Png),
            (None, Some(other)) => {
                Err(Failure::Usage(format!("`.{other}` is not a form of a picture: .svg, .png, or --format")))
            }
        }
    }

    fn figure(&self, read_from: &mut Vec<PathBuf>, console: Console) -> Result<Figure, Failure> {
        let inputs = std::iter::once(&self.song.input).chain(&self.compare);
        if matches!(self.what, What::Steps | What::Notes) {
            if self.compare.is_some() {
                return Err(Failure::Usage("--compare is for sounds, filters and effects".into()));
            }
            return self.of_score(read_from, console);
        }
        let drawn: Result<Vec<(Samples, f64)>, Failure> = match self.what {
            What::Response => inputs.map(|input| self.impulse(input, console)).collect(),
            _ => inputs.map(|input| self.sound(input, read_from, console)).collect(),
        };
        let (sounds, starts): (Vec<Samples>, Vec<f64>) = drawn?.into_iter().unzip();
        let figure = match self.what {
            What::Waveform => signal::waveform(&sounds),
            What::Spectrogram => spectrum::spectrogram(&sounds),
            What::Spectrum => spectrum::spectrum(&sounds),
            What::Loudness => signal::loudness(&sounds),
            What::Envelope => signal::envelope(&sounds),
            What::Response => response::response(&sounds),
            What::Steps | What::Notes => unreachable!("they have no sound"),
        };
        // Songs that begin at different times lie over one another from 0 on.
        let start = starts.first().copied().filter(|start| starts.iter().all(|other| other == start));
        Ok(figure.later(start.unwrap_or(0.0)))
    }

    fn span(&self) -> Span {
        Span { from: self.from, duration: self.duration, ..Span::default() }
    }

    /// What a picture calls a song: its file's name, with the folders where two files have the same.
    fn shown_name(&self, input: &Path) -> String {
        let is_only = |name: &&OsStr| {
            let mut inputs = std::iter::once(&self.song.input).chain(&self.compare);
            inputs.all(|other| other == input || other.file_name() != Some(name))
        };
        let name = input.file_name().filter(is_only).map(Path::new);
        name.unwrap_or(input).display().to_string()
    }

    /// A song, rendered, and the second at which it begins.
    fn sound(
        &self,
        input: &Path,
        read_from: &mut Vec<PathBuf>,
        console: Console,
    ) -> Result<(Samples, f64), Failure> {
        let args = SongArgs { input: input.into(), ..self.song.clone() };
        let mut compiled = compiled(&args, console)?;
        read_from.extend(compiled.read_from(input).map(PathBuf::from));
        let program = compiled.take_program()?;
        self.render(program, self.shown_name(input), self.span(), console)
    }

    fn render(
        &self,
        program: Arc<Program>,
        name: String,
        span: Span,
        console: Console,
    ) -> Result<(Samples, f64), Failure> {
        let rate = program.rate;
        let mut job = Job::new(program, span)?;
        if job.latest() > MOST_FRAMES {
            let minutes = MOST_FRAMES / 60 / u64::from(rate);
            return Err(Failure::Usage(format!(
                "it is longer than the {minutes} minutes that a picture is made of: draw a part of it, with --from and -d"
            )));
        }
        job.threads = self.threads.count();
        // With room for all of it but a tail: growing would go over the memory several times.
        let room = |_| Vec::with_capacity(job.expected() as usize);
        let mut channels: Vec<Vec<f32>> = (0..job.channels()).map(room).collect();
        job.run(|frames| {
            for (c, channel) in channels.iter_mut().enumerate() {
                channel.extend(frames.iter().skip(c).step_by(job.channels()));
            }
            Ok(())
        })?;
        if let Err(failure) = job.check_whole() {
            console.insist(&format!("warning: {failure}\n"));
        }
        // Both sides of a mono song are one.
        if channels.len() == 2 && channels[0] == channels[1] {
            channels.pop();
        }
        let start = job.start() as f64 / f64::from(rate);
        Ok((Samples { name, rate, channels }, start))
    }

    /// The impulse response of a filter or effect, as it stands behind `|>`; or of a song, whose input it is given.
    fn impulse(&self, input: &Path, console: Console) -> Result<(Samples, f64), Failure> {
        let words = input.display().to_string();
        if input.is_file() {
            return Err(Failure::Usage(format!(
                "`{words}` is a file: a response is drawn of a filter or effect, written as it stands behind `|>`"
            )));
        }
        // One sample of 1 at the very beginning, and never again.
        let text = format!("out = pulses(4000000000) |> {words}\n");
        let name = format!("<{words}>");
        let mut compiled = compile_song(Song::of_text(&name, &text), &self.song.how);
        tell(&compiled.problems, &compiled.sources, console);
        let program = compiled.take_program()?;
        let duration = self.duration.unwrap_or(Length::of_frames(RING * u64::from(program.rate)));
        let span = Span { duration: Some(duration), ..Span::default() };
        self.render(program, words, span, console)
    }

    fn of_score(&self, read_from: &mut Vec<PathBuf>, console: Console) -> Result<Figure, Failure> {
        let mut compiled = compiled(&self.song, console)?;
        read_from.extend(compiled.read_from(&self.song.input).map(PathBuf::from));
        let program = compiled.take_program()?;
        let job = Job::new(program.clone(), self.span())?;
        let (frames, name) = (job.start()..job.end(), self.shown_name(&self.song.input));
        let figure = match self.what {
            What::Notes => score::piano_roll(&name, &program, frames),
            _ => score::courses(&name, &program, frames),
        };
        Ok(figure?.later(job.start() as f64 / f64::from(program.rate)))
    }
}
