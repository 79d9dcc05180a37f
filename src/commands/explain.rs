//! `mamc explain`: what a problem's code means, with an example that fails and one that passes.

use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::report::word;
use clap::Args;
use mam_compiler::codes;
use mam_grammar::problem::{Row, nearest};
use serde_json::json;

/// Explain a problem's code, with an example that fails and one that passes
#[derive(Args, Debug)]
#[command(after_help = "\
With --json: { \"code\", \"severity\", \"explanation\", \"fails\", \"passes\" }; without a code
{ \"codes\": [the same of each] }.")]
pub struct Explain {
    /// The code, such as unknown-name; all of them when there is none
    code: Option<String>,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let all: Vec<&'static Row> = codes::all().collect();
        let Some(name) = self.code else { return console.result(&list(&all, self.json)) };
        let Some(row) = all.iter().find(|row| row.code.name == name) else {
            let names: Vec<&str> = all.iter().map(|row| row.code.name).collect();
            let near = nearest(&name, &names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            return Err(Failure::Usage(format!(
                "there is no problem called `{name}`{near}\n`mamc explain` alone lists them all"
            )));
        };
        console.result(&if self.json { json::pretty(&document(row)) } else { text(row) })
    }
}

fn list(all: &[&Row], as_json: bool) -> String {
    if as_json {
        return json::pretty(&json!({ "codes": all.iter().map(|row| document(row)).collect::<Vec<_>>() }));
    }
    let codes = || all.iter().map(|row| row.code);
    let width = codes().map(|code| code.name.len()).max().unwrap_or(0);
    codes().map(|code| format!("{:width$}  {}\n", code.name, word(code.severity))).collect()
}

fn document(row: &Row) -> serde_json::Value {
    let code = row.code;
    json!({
        "code": code.name, "severity": word(code.severity), "explanation": code.explanation,
        "fails": row.fails, "passes": row.passes,
    })
}

fn text(row: &Row) -> String {
    let code = row.code;
    let indented = |example: &str| example.lines().map(|l| format!("    {l}\n")).collect::<String>();
    let explanation = textwrap::fill(code.explanation, 90);
    let (name, severity) = (code.name, word(code.severity));
    let mut out = format!("{name} ({severity})\n\n{explanation}\n");
    // What is wrong on the command line has no file that shows it.
    if !row.fails.is_empty() {
        let (fails, passes) = (indented(row.fails), indented(row.passes));
        out += &format!("\nThis fails:\n\n{fails}\nThis passes:\n\n{passes}");
    }
    out
}
