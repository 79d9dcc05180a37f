//! `mamc doc`: one definition, with everything that is known of it.

use crate::console::Console;
use crate::definitions::{Entry, Prelude, default, param_json, range, smoothing};
use crate::failure::Failure;
use crate::json;
use crate::table::{row, table};
use clap::Args;
use serde_json::json;

/// Show one definition: its documentation, parameters, source, an example
#[derive(Args, Debug)]
pub struct Doc {
    /// The definition, such as kick
    name: String,
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

impl Doc {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let prelude = Prelude::default();
        let Some(entry) = prelude.find(&self.name) else {
            let near =
                prelude.nearest(&self.name).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            let words =
                format!("the prelude defines no `{}`{near}\n`mamc list` shows what there is", self.name);
            return Err(Failure::Usage(words));
        };
        console.result(&if self.json { document(entry) } else { text(entry) })
    }
}

fn document(entry: Entry) -> String {
    let (place, source) = entry.source();
    json::pretty(&json!({
        "name": entry.name(), "kind": entry.kind(), "signature": entry.signature(), "doc": entry.doc(),
        "midi": { "drum": entry.info().midi_keys, "program": entry.info().midi_programs },
        "params": entry.info().params.iter().map(param_json).collect::<Vec<_>>(),
        "place": place, "source": source, "example": example(entry),
    }))
}

fn text(entry: Entry) -> String {
    let (place, source) = entry.source();
    let info = entry.info();
    let mut out = format!("{} {}\n\n{}\n", entry.kind(), entry.signature(), textwrap::fill(entry.doc(), 90));
    if !info.params.is_empty() {
        let mut rows = vec![row(&["id", "name", "in JSON", "range", "default", "ramps", "what it is"])];
        rows.extend(info.params.iter().map(|p| {
            let (id, doc) = (p.id.to_string(), p.doc.as_deref().unwrap_or(""));
            row(&[&id, &p.name, &p.json_name(), &range(p), &default(p), &smoothing(p), doc])
        }));
        out += &format!("\n{}", table(&rows));
    }
    let indented =
        |text: &str| text.lines().map(|l| format!("  {l}").trim_end().to_string() + "\n").collect::<String>();
    if let Some(example) = example(entry) {
        out += &format!("\nExample\n\n{}", indented(&example));
    }
    out + &format!("\nSource ({place})\n\n{}", indented(&source))
}

/// A whole song that uses it. A `def`'s arguments are signals of every kind, so there is none for those.
fn example(entry: Entry) -> Option<String> {
    let name = entry.name();
    match entry.kind() {
        "instrument" => Some(format!("x = {name}()\nplay {{ x |x...x...x...x...| }}\nout = x\n")),
        "effect" => Some(format!("x = snare()\nplay {{ x |....x.......x...| }}\nout = x |> {name}()\n")),
        _ => None,
    }
}
