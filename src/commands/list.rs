//! `mamc list`: what exists. Definitions and their parameters, the nodes and parameters of a song, notes.

use crate::args::{HowArgs, SongArgs};
use crate::compiling::compiled;
use crate::console::Console;
use crate::definitions::{self, Entry, Prelude, default, param_json, range, smoothing};
use crate::failure::Failure;
use crate::json;
use crate::table::{row, table};
use clap::{Args, ValueEnum};
use mam_compiler::library::ParamInfo;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// List what exists: definitions, parameters, a song's nodes
#[derive(Args, Debug)]
#[command(after_help = "\
mamc list                    all definitions of the prelude
mamc list params kick        the parameters of one of them
mamc list nodes song.json    the nodes of a song; also params, notes
mamc list notes              names of notes, MIDI numbers, frequencies")]
pub struct List {
    /// What to list [default: nodes]
    what: Option<What>,
    /// A song, or a definition of the prelude
    of: Option<PathBuf>,
    /// As one JSON document
    #[arg(long)]
    json: bool,
    /// Let the song name files outside its own folder
    #[arg(long)]
    allow_outside: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Definitions; or the nodes of a song
    Nodes,
    /// Parameters of definitions; or of a song
    Params,
    /// Names of notes; or the notes that a song plays
    Notes,
}

/// What a list is: for people, and for tools.
struct Listing {
    rows: Vec<Vec<String>>,
    json: Value,
}

impl List {
    fn song(&self, input: &Path) -> SongArgs {
        let how = HowArgs { allow_outside: self.allow_outside, ..HowArgs::default() };
        SongArgs { input: input.into(), how }
    }

    pub fn run(self, console: Console) -> Result<(), Failure> {
        let prelude = Prelude::default();
        let what = self.what.unwrap_or(What::Nodes);
        let entry = self.of.as_deref().and_then(|name| prelude.find(name.to_str()?));
        let listing = match (what, entry, &self.of) {
            (What::Notes, None, None) => notes(),
            (What::Nodes, None, None) => nodes(prelude.all()),
            (What::Params, None, None) => params(prelude.all().filter(|e| e.kind() != "def")),
            (What::Params, Some(entry), _) if entry.kind() != "def" => params(std::iter::once(entry)),
            (What::Params, Some(entry), _) => {
                let words = format!("`{}` is a def: `mamc doc {0}` shows its arguments", entry.name());
                return Err(Failure::Usage(words));
            }
            (What::Nodes, Some(entry), _) => nodes(std::iter::once(entry)),
            (_, _, Some(input)) => of_song(what, self.song(input), console)?,
            (What::Notes, Some(_), None) => unreachable!("an entry has a name"),
        };
        console.result(&if self.json { json::pretty(&listing.json) } else { table(&listing.rows) })
    }
}

/// `[{ "name", "kind", "signature", "doc" }]`
fn nodes<'p>(entries: impl Iterator<Item = Entry<'p>>) -> Listing {
    let mut rows = vec![row(&["name", "kind", "what it is"])];
    let mut all = Vec::new();
    for e in entries {
        rows.push(row(&[e.name(), e.kind(), &e.brief()]));
        all.push(json!({ "name": e.name(), "kind": e.kind(), "signature": e.signature(), "doc": e.doc() }));
    }
    Listing { rows, json: all.into() }
}

/// `[{ "name", "params": [{ "id", "name", "jsonName", "min", "max", "default", "unit", "curve", "doc", … }] }]`
fn params<'p>(entries: impl Iterator<Item = Entry<'p>>) -> Listing {
    let mut rows = vec![row(&["of", "id", "name", "in JSON", "range", "default", "ramps", "what it is"])];
    let mut all = Vec::new();
    for e in entries {
        let info = e.info();
        rows.extend(info.params.iter().map(|p| param_row(e.name(), p)));
        let params: Vec<Value> = info.params.iter().map(param_json).collect();
        all.push(json!({ "name": e.name(), "params": params }));
    }
    Listing { rows, json: all.into() }
}

fn param_row(of: &str, p: &ParamInfo) -> Vec<String> {
    let doc = definitions::brief(p.doc.as_deref().unwrap_or(""));
    let (id, range, default) = (p.id.to_string(), range(p), default(p));
    row(&[of, &id, &p.name, &p.json_name(), &range, &default, &smoothing(p), &doc])
}

fn of_song(what: What, song: SongArgs, console: Console) -> Result<Listing, Failure> {
    let compiled = compiled(&song, console)?;
    let program = compiled.compilation.program.as_ref().ok_or(Failure::Input)?;
    Ok(match what {
        What::Nodes => song_nodes(program),
        What::Params => song_params(program),
        What::Notes => song_notes(program),
    })
}

/// `[{ "name", "instrument", "voices" }]`: what a song computes, in order.
fn song_nodes(program: &Program) -> Listing {
    let mut rows = vec![row(&["name", "voices"])];
    let mut all = Vec::new();
    for part in program.steps.iter().flat_map(|step| &step.parts) {
        let target = program.targets.iter().find(|t| t.name == part.name);
        let voices = target.map_or(0, |t| t.voices.len());
        let shown = if voices == 0 { String::new() } else { voices.to_string() };
        rows.push(row(&[&part.name, &shown]));
        all.push(json!({ "name": &*part.name, "instrument": target.is_some(), "voices": voices }));
    }
    Listing { rows, json: all.into() }
}

/// `[{ "name", "min", "max", "default" }]`: what can be set in a song, in base units.
fn song_params(program: &Program) -> Listing {
    let mut rows = vec![row(&["name", "range", "start"])];
    let mut all = Vec::new();
    for p in &program.params {
        let bounded = p.min.is_finite();
        let range = if bounded { format!("{}..{}", p.min, p.max) } else { String::new() };
        rows.push(row(&[&p.name, &range, &p.default.to_string()]));
        let (min, max) = if bounded { (json!(p.min), json!(p.max)) } else { (Value::Null, Value::Null) };
        all.push(json!({ "name": &*p.name, "min": min, "max": max, "default": p.default }));
    }
    Listing { rows, json: all.into() }
}

/// `[{ "frame", "seconds", "target", "note", "velocity" }]`: one pass of what a song plays.
fn song_notes(program: &Program) -> Listing {
    let mut rows = vec![row(&["frame", "seconds", "who", "note", "velocity"])];
    let mut all = Vec::new();
    let mut sequencer = Sequencer::of(program, Extent::Once);
    let end = sequencer.song_end().unwrap_or(crate::offline::ENDLESS_SECONDS * u64::from(program.rate));
    let mut events = Vec::new();
    sequencer.advance(end, &mut events);
    for event in events {
        let EventKind::On { port, note, vel } = event.kind else { continue };
        let Some(target) = program.targets.iter().find(|t| t.voices.contains(&port)) else { continue };
        let seconds = event.frame as f64 / f64::from(program.rate);
        let (frame, time) = (event.frame.to_string(), format!("{seconds:.4}"));
        rows.push(row(&[&frame, &time, &target.name, &note_name(note), &vel.to_string()]));
        all.push(json!({
            "frame": event.frame, "seconds": seconds, "target": &*target.name, "note": note, "velocity": vel,
        }));
    }
    Listing { rows, json: all.into() }
}

/// `[{ "name", "midi", "hz" }]`: every note that MIDI knows.
fn notes() -> Listing {
    let mut rows = vec![row(&["note", "MIDI", "Hz"])];
    let mut all = Vec::new();
    for midi in 0..128_u32 {
        let hz = 440.0 * ((f64::from(midi) - 69.0) / 12.0).exp2();
        let name = note_name(midi.into());
        rows.push(row(&[&name, &midi.to_string(), &format!("{hz:.3}")]));
        all.push(json!({ "name": name, "midi": midi, "hz": hz }));
    }
    Listing { rows, json: all.into() }
}

/// `c4` for 60; a number where it lies between two notes.
fn note_name(note: f64) -> String {
    const NAMES: [&str; 12] = ["c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"];
    if note.fract() != 0.0 {
        return format!("{note:.2}");
    }
    let note = note as i64;
    format!("{}{}", NAMES[note.rem_euclid(12) as usize], note.div_euclid(12) - 1)
}
