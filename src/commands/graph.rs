//! `mamc graph`: a song's graph as SVG, DOT or Mermaid.

use crate::args::SongArgs;
use crate::compiling::{compile_listening, compiled, compiled_by};
use crate::console::Console;
use crate::drawing::{dot, mermaid, svg};
use crate::failure::Failure;
use crate::offline::{Job, Span};
use crate::output::{Inputs, write_text};
use crate::stages::picture;
use crate::values::Length;
use clap::{Args, ValueEnum};
use mam_compiler::listen::{Listen, Part};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Draw a song's graph as SVG, DOT or Mermaid
///
/// A box says what it is and which part of the song's work it takes; the more, the darker it is.
#[derive(Args, Debug)]
pub struct Graph {
    #[command(flatten)]
    song: SongArgs,
    /// Write the drawing to this file, whose ending says in which form [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Render the song, and write the peak of each equation into its box
    #[arg(long)]
    levels: bool,
    /// With --levels: render so much of it [default: one pass, or 30 s where it has no end]
    #[arg(short, long, value_name = "TIME", requires = "levels")]
    duration: Option<Length>,
    /// Form of the drawing [default: by the file's ending, or svg]
    #[arg(long, value_name = "FORM")]
    format: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A picture for browsers
    Svg,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

impl Graph {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let form = self.form()?;
        let compiled = compiled(&self.song, console)?;
        let levels = if self.levels { self.measure(console)? } else { BTreeMap::new() };
        let picture = picture(&compiled.compilation, &levels);
        let text = match form {
            Form::Svg => svg(&picture),
            Form::Dot => dot(&picture),
            Form::Mermaid => mermaid(&picture),
        };
        match self.output.as_deref() {
            None => console.result(&text),
            Some(path) if path == Path::new("-") => console.result(&text),
            Some(path) => write_text(path, &text, &Inputs::new(compiled.read_from(&self.song.input))),
        }
    }

    /// The peak of each equation in dBFS, over one pass of the song or as much as was asked for.
    fn measure(&self, console: Console) -> Result<BTreeMap<String, f64>, Failure> {
        let listen = Listen { all_equations: true, ..Listen::default() };
        let song = |song| compile_listening(song, &self.song.how, listen);
        let mut compiled = compiled_by(&self.song, Console { quiet: true, ..console }, song)?;
        let equations = std::mem::take(&mut compiled.compilation.heard.equations);
        let program = compiled.take_program()?;
        let channels = program.outputs.len();
        let job = Job::new(program, Span { duration: self.duration, ..Span::default() })?;
        let mut peaks = vec![0.0_f32; channels];
        job.run(|frames| {
            for frame in frames.chunks_exact(channels) {
                peaks.iter_mut().zip(frame).for_each(|(peak, x)| *peak = peak.max(x.abs()));
            }
            Ok(())
        })?;
        let peak = |parts: &[Part]| {
            let channels = parts.iter().flat_map(|part| &part.channels);
            channels.map(|&channel| peaks[channel]).fold(0.0, f32::max)
        };
        Ok(equations
            .into_iter()
            .map(|(name, parts)| (name, 20.0 * f64::from(peak(&parts)).log10()))
            .collect())
    }

    fn form(&self) -> Result<Form, Failure> {
        let ending = self.output.as_deref().and_then(Path::extension).and_then(|e| e.to_str());
        let by_ending = match ending {
            Some("svg") => Some(Form::Svg),
            Some("dot" | "gv") => Some(Form::Dot),
            Some("mmd" | "mermaid" | "md") => Some(Form::Mermaid),
            _ => None,
        };
        match (self.format, by_ending, ending) {
            (Some(form), Some(other), Some(ending)) if form != other => Err(Failure::Usage(format!(
                "`.{ending}` is the ending of another form than --format says: leave --format out, or change the name"
            ))),
            (Some(form), ..) | (None, Some(form), _) => Ok(form),
            (None, None, None) => Ok(Form::Svg),
            (None, None, Some(other)) => Err(Failure::Usage(format!(
                "`.{other}` is not a form of a graph: .svg, .dot, .mmd, or --format"
            ))),
        }
    }
}
