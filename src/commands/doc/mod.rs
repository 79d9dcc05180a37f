//! `mamc doc`: one name of the language, with everything that is known of it; and the pages of the sound library.

pub mod pages;

use crate::console::Console;
use crate::definitions::{Prelude, glossary_of, param_json};
use crate::failure::Failure;
use crate::json;
use crate::reference::{self, Topic};
use crate::table::{glossary, paragraph};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show what a name means: a definition, a built-in, a statement, a modifier, a unit
#[derive(Args, Debug)]
#[command(
    override_usage = "mamc doc [--json] <NAME>\n       mamc doc --pages <FOLDER> [--pictures]",
    after_help = "\
Examples: mamc doc kick; mamc doc tempo; mamc doc every; mamc doc dB; mamc doc '!'
mamc doc --pages library --pictures    all that the prelude has, as pages in a folder
With --json: { \"name\", \"kind\", \"group\", \"signature\", \"doc\", \"example\", \"also\" }; of a
definition also \"params\" (as `mamc list params`), \"place\" and \"source\". \"also\" holds
what else has this name, in the same form."
)]
pub struct Doc {
    /// The name, such as kick, tempo, every or dB
    #[arg(required_unless_present = "pages")]
    name: Option<String>,
    /// Write a page of each topic of the sound library into this folder, as Markdown
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["name", "json"])]
    pages: Option<PathBuf>,
    /// Draw each definition beside the pages, too: its response, its spectrum or its wave
    #[arg(long, requires = "pages")]
    pictures: bool,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Doc {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let prelude = Prelude::default();
        if let Some(folder) = &self.pages {
            return pages::write(&prelude, folder, self.pictures);
        }
        let name = self.name.as_deref().unwrap_or_default();
        let all = reference::topics(&prelude);
        let mut found = reference::find(&all, name);
        let meant = found.is_empty().then(|| reference::meaning(&prelude, name)).flatten();
        found.extend(&meant);
        let Some((first, others)) = found.split_first() else { return Err(unknown(&all, name)) };
        if self.json {
            let mut document = document(first);
            document["also"] = others.iter().map(|topic| self::document(topic)).collect();
            return console.result(&json::pretty(&document));
        }
        let texts: Vec<String> = found.iter().map(|topic| text(topic)).collect();
        console.result(&texts.join(&format!("\n{}\n\n", "─".repeat(40))))
    }
}

/// What to say of a name that there is not: what is like it, and what mentions it.
fn unknown(all: &[Topic], name: &str) -> Failure {
    let other_case = reference::in_other_case(all, name);
    let foreign = reference::foreign(all, name).filter(|_| other_case.is_none());
    let near = match (&foreign, other_case) {
        (Some((_, help)), _) => format!(": {help}"),
        (None, Some(meant)) => format!("; did you mean `{meant}`?"),
        (None, None) => {
            reference::like(all, name).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
        }
    };
    let meant = foreign.map_or(vec![], |(topics, _)| topics);
    let mut found: Vec<&Topic> = vec![];
    for topic in meant.into_iter().chain(reference::search(all, name)) {
        if !found.iter().any(|known| std::ptr::eq(*known, topic)) {
            found.push(topic);
        }
    }
    let mut words = format!("there is no `{name}` in the language or the prelude{near}\n");
    if found.is_empty() {
        words += "`mamc list` shows what there is";
    } else {
        const MOST: usize = 8;
        words += &format!("These mention it (`mamc list {name}` shows all):\n");
        let rows: Vec<(&str, String)> = found.iter().take(MOST).map(|t| (t.name, t.brief())).collect();
        words += glossary(rows.iter().map(|(name, brief)| (*name, brief.as_str()))).trim_end();
    }
    Failure::Usage(words)
}

fn document(topic: &Topic) -> Value {
    let mut document = json!({
        "name": topic.name, "kind": topic.kind, "group": topic.group, "signature": topic.form,
        "doc": topic.doc, "example": topic.example,
    });
    if let Some(entry) = topic.definition {
        let (place, source) = entry.source();
        document["params"] = entry.info().params.iter().map(param_json).collect();
        document["midi"] = json!({ "drum": entry.info().midi_keys, "program": entry.info().midi_programs });
        document["place"] = place.into();
        document["source"] = source.into();
    }
    document
}

fn text(topic: &Topic) -> String {
    let form = paragraph(&format!("{} {}", topic.kind, topic.form), "");
    let mut out = format!("{form}\n{}", paragraph(&topic.doc, ""));
    if let Some(entry) = topic.definition {
        let info = entry.info();
        if !info.params.is_empty() {
            out += &format!("\nParameters\n\n{}", glossary_of(&info.params));
        }
    }
    let indented =
        |text: &str| text.lines().map(|l| format!("  {l}").trim_end().to_string() + "\n").collect::<String>();
    if let Some(example) = &topic.example {
        out += &format!("\nExample\n\n{}", indented(example));
    }
    if let Some(entry) = topic.definition {
        let (place, source) = entry.source();
        out += &format!("\nSource ({place})\n\n{}", indented(&source));
    }
    out
}
