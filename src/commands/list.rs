//! `mamc list`: what exists. Definitions and their parameters, the nodes and parameters of a song, notes.

use crate::args::{HowArgs, SongArgs};
use crate::compiling::compiled;
use crate::console::Console;
use crate::definitions::{Entry, Prelude, glossary_of, param_json};
use crate::failure::Failure;
use crate::input::is_stdin;
use crate::json;
use crate::reference::{self, Topic};
use crate::stages::{events, once};
use crate::table::{glossary, row, table};
use clap::Args;
use mam_compiler::lower::Slots;
use mam_runtime::score::Extent;
use mam_runtime::{EventKind, ParamSlot, Program};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// List what exists: definitions, statements, units; parameters; a song's nodes and notes
#[derive(Args, Debug)]
#[command(after_help = "\
mamc list                    all that a song can say, in groups
mamc list filter             what has to do with filters; any word, or several
mamc list params kick        the parameters of a definition; of all without a name
mamc list nodes song.json    the nodes of a song; also params, notes
mamc list notes              names of notes, MIDI numbers, frequencies

With --json, one object, with one of these:
  \"definitions\": [{ \"name\", \"kind\", \"group\", \"signature\", \"doc\" }]
  \"params\": [{ \"name\", \"params\": [{ \"id\", \"name\", \"jsonName\", \"commandName\", \"min\", \"max\",
            \"default\", \"unit\", \"curve\", \"smoothSeconds\", \"doc\" }] }]; of a song
            [{ \"name\", \"min\", \"max\", \"default\" }], in base units
  \"nodes\": [{ \"name\", \"instrument\", \"voices\" }]
  \"notes\": [{ \"name\", \"midi\", \"hz\" }]; of a song
           [{ \"frame\", \"seconds\", \"target\", \"note\", \"velocity\" }]")]
pub struct List {
    /// nodes, params or notes; or a word, to list what mentions it; or a song, whose nodes are listed [default: all
    /// that a song can say]
    #[arg(value_name = "WHAT")]
    what: Option<PathBuf>,
    /// A song, or a definition of the prelude; or more words
    #[arg(value_name = "OF")]
    of: Vec<PathBuf>,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
    /// Allow the song to use files outside its own folder
    #[arg(long)]
    allow_outside: bool,
}

/// What is listed of a song or of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Definitions; or the nodes of a song
    Nodes,
    /// Parameters of definitions; or of a song
    Params,
    /// Names of notes; or the notes that a song plays
    Notes,
}

impl What {
    fn named(name: &str) -> Option<What> {
        Some(match name {
            "nodes" => What::Nodes,
            "params" => What::Params,
            "notes" => What::Notes,
            _ => return None,
        })
    }
}

/// A list for people, and one for tools.
struct Listing {
    text: String,
    /// What the list for tools is called.
    key: &'static str,
    json: Value,
}

impl List {
    fn song(&self, input: &Path) -> SongArgs {
        let how = HowArgs { allow_outside: self.allow_outside, ..HowArgs::default() };
        SongArgs { input: input.into(), how }
    }

    /// Runs the command and writes its result to standard output.
    ///
    /// # Errors
    /// When the song cannot be read or has errors, or there is nothing of the name that was asked for.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let prelude = Prelude::default();
        let topics_of = |wanted: &dyn Fn(&&Topic) -> bool| {
            let all = reference::topics(&prelude);
            topics(&all.iter().filter(wanted).collect::<Vec<_>>())
        };
        let Some(first) = &self.what else {
            return self.show(&topics_of(&|topic| !topic.internal), console);
        };
        let listing = match (first.to_str().and_then(What::named), &self.of[..]) {
            (Some(What::Notes), []) => notes(),
            (Some(What::Nodes), []) => topics_of(&|topic| topic.definition.is_some() && !topic.internal),
            (Some(What::Params), []) => {
                params(prelude.all().filter(|e| e.kind() != "def" && !e.is_internal()))
            }
            (Some(what), [of]) => self.listing(&prelude, what, of, console)?,
            (Some(_), _) => return Err(Failure::Usage("one song or definition at a time".into())),
            (None, []) if is_song(first) => of_song(What::Nodes, self.song(first), console)?,
            (None, of) => {
                let words = std::iter::once(first).chain(of).map(|word| word.to_string_lossy());
                found(&prelude, &words.collect::<Vec<_>>().join(" "))?
            }
        };
        self.show(&listing, console)
    }

    fn show(&self, listing: &Listing, console: Console) -> Result<(), Failure> {
        if self.json {
            return console.result(&json::pretty(&json!({ listing.key: listing.json })));
        }
        console.result(&listing.text)
    }

    /// A definition's row or parameters, or what a song has.
    fn listing(
        &self,
        prelude: &Prelude,
        what: What,
        of: &Path,
        console: Console,
    ) -> Result<Listing, Failure> {
        let name = of.to_str().unwrap_or_default();
        match (what, prelude.find(name)) {
            (What::Params, Some(entry)) if entry.kind() == "def" => {
                Err(Failure::Usage(format!("`{name}` is a def: `mamc doc {name}` shows its arguments")))
            }
            (What::Params, Some(entry)) => Ok(params(std::iter::once(entry))),
            (What::Nodes, Some(_)) => {
                let all = reference::topics(prelude);
                Ok(topics(&reference::find(&all, name)))
            }
            _ => of_song(what, self.song(of), console),
        }
    }
}

/// Whether a word is the name of a file rather than something to look for.
fn is_song(word: &Path) -> bool {
    is_stdin(word) || word.is_file() || word.extension().is_some()
}

/// What mentions these words.
fn found(prelude: &Prelude, words: &str) -> Result<Listing, Failure> {
    let all = reference::topics(prelude);
    let mut found = reference::search(&all, words);
    // What is called otherwise here comes first.
    for topic in reference::foreign(&all, words).map_or(vec![], |(topics, _)| topics) {
        if !found.iter().any(|known| std::ptr::eq(*known, topic)) {
            found.insert(0, topic);
        }
    }
    if !found.is_empty() {
        return Ok(topics(&found));
    }
    let near = reference::like(&all, words).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(Failure::Usage(format!("nothing mentions `{words}`{near}\n`mamc list` shows all that there is")))
}

/// Topics under the headings of their groups, in the order in which these first come.
fn topics(all: &[&Topic]) -> Listing {
    let mut groups: Vec<&str> = vec![];
    for topic in all {
        if !groups.contains(&&*topic.group) {
            groups.push(&topic.group);
        }
    }
    let texts: Vec<String> = groups
        .iter()
        .map(|group| {
            let rows: Vec<(&str, String)> =
                all.iter().filter(|t| t.group == *group).map(|t| (t.name, t.brief())).collect();
            format!("{group}\n{}", glossary(rows.iter().map(|(name, brief)| (*name, brief.as_str()))))
        })
        .collect();
    let document = |t: &&Topic| json!({ "name": t.name, "kind": t.kind, "group": t.group, "signature": t.form, "doc": t.doc });
    Listing { text: texts.join("\n"), key: "definitions", json: all.iter().map(document).collect() }
}

/// Parameters, definition by definition.
fn params<'p>(entries: impl Iterator<Item = Entry<'p>>) -> Listing {
    let (mut texts, mut all) = (vec![], Vec::new());
    for entry in entries {
        let info = entry.info();
        texts.push(format!("{}\n{}", entry.name(), glossary_of(&info.params)));
        let params: Vec<Value> = info.params.iter().map(param_json).collect();
        all.push(json!({ "name": entry.name(), "params": params }));
    }
    Listing { text: texts.join("\n"), key: "params", json: all.into() }
}

fn of_song(what: What, song: SongArgs, console: Console) -> Result<Listing, Failure> {
    let compiled = compiled(&song, console)?;
    let program = compiled.compilation.program.as_ref().ok_or(Failure::Input)?;
    Ok(match what {
        What::Nodes => song_nodes(program),
        What::Params => song_params(program, &compiled.compilation.stages.lowered.slots),
        What::Notes => song_notes(program)?,
    })
}

/// What a song computes, in order.
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
    Listing { text: table(&rows), key: "nodes", json: all.into() }
}

/// What can be set in a song, in base units; to people, in the song's own.
fn song_params(program: &Program, slots: &Slots) -> Listing {
    let mut rows = vec![row(&["name", "range", "start"])];
    let mut all = Vec::new();
    // The length of a beat and of a bar cannot be set.
    let length = |slot| program.score.lengths.iter().any(|length| length.param == slot);
    let settable = |p: &ParamSlot, slot| p.follows.is_none() && (p.max.is_finite() || !length(slot));
    for (slot, p) in program.params.iter().filter(|(slot, p)| settable(p, *slot)) {
        let (bounded, info) = (p.min.is_finite(), slots.info(slot.index()));
        rows.push(row(&[&p.name, &info.range().unwrap_or_default(), &info.show(p.default)]));
        let (min, max) = if bounded { (json!(p.min), json!(p.max)) } else { (Value::Null, Value::Null) };
        all.push(json!({ "name": &*p.name, "min": min, "max": max, "default": p.default }));
    }
    Listing { text: table(&rows), key: "params", json: all.into() }
}

/// One pass of what a song plays.
fn song_notes(program: &Program) -> Result<Listing, Failure> {
    let mut rows = vec![row(&["frame", "seconds", "who", "note", "velocity"])];
    let mut all = Vec::new();
    for event in events(program, Extent::Once, once(program))?.0 {
        let EventKind::On { port, note, vel } = event.kind else { continue };
        let Some(target) = program.targets.iter().find(|t| t.voices.contains(&port)) else { continue };
        let seconds = event.frame as f64 / f64::from(program.rate);
        let (frame, time) = (event.frame.to_string(), format!("{seconds:.4}"));
        rows.push(row(&[&frame, &time, &target.name, &note_name(note), &(vel as f32).to_string()]));
        all.push(json!({
            "frame": event.frame, "seconds": seconds, "target": &*target.name, "note": note, "velocity": vel,
        }));
    }
    Ok(Listing { text: table(&rows), key: "notes", json: all.into() })
}

/// Every note that MIDI knows.
fn notes() -> Listing {
    let mut rows = vec![row(&["note", "MIDI", "Hz"])];
    let mut all = Vec::new();
    for midi in 0..128_u32 {
        let hz = 440.0 * ((f64::from(midi) - 69.0) / 12.0).exp2();
        let name = note_name(midi.into());
        rows.push(row(&[&name, &midi.to_string(), &format!("{hz:.3}")]));
        all.push(json!({ "name": name, "midi": midi, "hz": hz }));
    }
    Listing { text: table(&rows), key: "notes", json: all.into() }
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
