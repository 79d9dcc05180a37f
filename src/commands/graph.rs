//! `mamc graph`: a song's graph as SVG, DOT or Mermaid.

use crate::args::SongArgs;
use crate::compiling::compiled;
use crate::console::Console;
use crate::drawing::{dot, mermaid, svg};
use crate::failure::Failure;
use crate::output::{Inputs, write_text};
use crate::stages::picture;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Draw a song's graph as SVG, DOT or Mermaid
#[derive(Args, Debug)]
pub struct Graph {
    #[command(flatten)]
    song: SongArgs,
    /// Write the drawing to this file, whose ending says in which form [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
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
        let picture = picture(&compiled.compilation);
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

    fn form(&self) -> Result<Form, Failure> {
        let ending = self.output.as_deref().and_then(Path::extension).and_then(|e| e.to_str());
        match (self.format, ending) {
            (Some(form), _) => Ok(form),
            (None, None | Some("svg")) => Ok(Form::Svg),
            (None, Some("dot" | "gv")) => Ok(Form::Dot),
            (None, Some("mmd" | "mermaid" | "md")) => Ok(Form::Mermaid),
            (None, Some(other)) => Err(Failure::Usage(format!(
                "`.{other}` is not a form of a graph: .svg, .dot, .mmd, or --format"
            ))),
        }
    }
}
