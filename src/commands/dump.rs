//! `mamc dump`: a stage of the compilation as text.

use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_without_code, tell};
use crate::console::Console;
use crate::drawing::{Arrow, Picture, Shape};
use crate::failure::Failure;
use crate::input::Song;
use crate::json;
use crate::offline::{Job, Span};
use crate::report::{self, Found, unplayed};
use crate::stages::{events, names, once, picture, stage};
use crate::values::Length;
use clap::Args;
use mam_runtime::ids::PortId;
use mam_runtime::score::{Extent, listing};
use mam_runtime::{Event, EventKind, Program};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Show a stage of the compilation
///
/// A song with errors is shown as far as it came.
#[derive(Args, Debug)]
#[command(after_help = "\
With --json: { \"file\", \"stage\", \"text\" }; for `problems` the document of check; for `graph` instead of the
text { \"nodes\": [{ \"name\", \"kind\" }], \"wires\": [{ \"from\", \"to\" }] }, for `events` { \"rate\", \"events\":
[{ \"frame\", \"seconds\", \"kind\": on, off or set, \"target\", \"note\", \"velocity\", \"value\", \"ramp\" }] }
with what the kind has: note and velocity of on, value and ramp (in frames) of set.")]
pub struct Dump {
    /// ast, hir, graph, ir, opt, plan, forms, events, loops, clif, asm, problems; or a pass: the kernels after it
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(names()))]
    stage: String,
    #[command(flatten)]
    song: SongArgs,
    /// With `events`: list this much of the song, such as 2.5s or 8bars [default: the song once]
    #[arg(short, long, value_name = "LENGTH")]
    duration: Option<Length>,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Dump {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.duration.is_some() && self.stage != EVENTS {
            let words = "--duration says how many events; other stages have no length";
            return Err(Failure::Usage(words.into()));
        }
        let song = Song::read(&self.song.input, self.song.how.stdin_name.as_deref())?;
        let mut compiled = compile_without_code(song, &self.song.how);
        if self.stage != "problems" {
            // Standard output has the stage alone.
            tell(&compiled.problems, &compiled.sources, Console { json: false, ..console });
        }
        let compiles = compiled.compilation.program.is_some();
        let text = match compiled.compilation.program.take() {
            Some(program) if self.stage == EVENTS => self.events(program, compiled.name(), console)?,
            program => {
                compiled.compilation.program = program;
                let text = stage(&self.stage, &compiled, self.song.how.target()).unwrap_or_default();
                if self.json { self.document(&compiled, &text) } else { text }
            }
        };
        console.result(&text)?;
        if compiles { Ok(()) } else { Err(Failure::Input) }
    }

    /// A stage for tools.
    fn document(&self, compiled: &Compiled, text: &str) -> String {
        let Compiled { problems, sources, .. } = compiled;
        let mut document = json!({ "file": compiled.name(), "stage": self.stage });
        match &*self.stage {
            "problems" => return report::json(&[Found { problems, sources }], Vec::<()>::new()),
            "graph" => {
                let Picture { boxes, arrows } = picture(&compiled.compilation, &BTreeMap::new());
                let node = |shape: &Shape| json!({ "name": shape.name, "kind": shape.kind });
                let wire =
                    |arrow: &Arrow| json!({ "from": boxes[arrow.from].name, "to": boxes[arrow.to].name });
                document["nodes"] = boxes.iter().map(node).collect();
                document["wires"] = arrows.iter().map(wire).collect();
            }
            _ => document["text"] = text.into(),
        }
        json::pretty(&document)
    }

    /// What is played: of the song once, or as long as it was asked for.
    fn events(&self, program: Program, file: &str, console: Console) -> Result<String, Failure> {
        let (extent, end, program) = match self.duration {
            Some(duration) => {
                let span = Span { duration: Some(duration), ..Span::default() };
                let job = Job::new(Arc::new(program), span)?;
                (Extent::Forever, job.expected(), job.program)
            }
            None => (Extent::Once, once(&program), Arc::new(program)),
        };
        let (events, unplayed) = events(&program, extent, end)?;
        if let Some(words) = unplayed::report(&unplayed, &program) {
            console.insist(&format!("warning: {words}\n"));
        }
        if !self.json {
            return Ok(listing::list(&program, &events));
        }
        let all: Vec<Value> = events.iter().filter_map(|event| document(&program, event)).collect();
        Ok(json::pretty(&json!({ "file": file, "stage": EVENTS, "rate": program.rate, "events": all })))
    }
}

/// The stage that has a length.
const EVENTS: &str = "events";

/// An event for tools; nothing of a port that only listens.
fn document(program: &Program, event: &Event) -> Option<Value> {
    let target = |port: PortId| {
        let found = program.targets.iter().find(|target| target.voices.contains(&port))?;
        Some(json!(&*found.name))
    };
    let mut document = match event.kind {
        EventKind::On { port, note, vel } => {
            json!({ "kind": "on", "target": target(port)?, "note": note, "velocity": vel })
        }
        EventKind::Off { port } => json!({ "kind": "off", "target": target(port)? }),
        EventKind::NoteValue { param, value, .. } => {
            json!({ "kind": "value", "target": &*program.params.get(param)?.name, "value": value? })
        }
        EventKind::Pitch { port, note } => json!({ "kind": "pitch", "target": target(port)?, "note": note }),
        EventKind::Set { param, value, ramp, .. } => {
            json!({ "kind": "set", "target": &*program.params.get(param)?.name, "value": value, "ramp": ramp })
        }
    };
    document["frame"] = event.frame.into();
    document["seconds"] = (event.frame as f64 / f64::from(program.rate)).into();
    Some(document)
}
