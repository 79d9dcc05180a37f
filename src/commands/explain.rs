//! `mamc explain`: what a problem's code means, with an example that fails and one that passes.

use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::report::word;
use clap::Args;
use mam_compiler::codes;
use mam_grammar::Code;
use mam_grammar::problem::nearest;
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
        let all: Vec<&'static Code> = codes::all().collect();
        let Some(name) = self.code else { return console.result(&list(&all, self.json)) };
        let Some(code) = all.iter().find(|c| c.name == name) else {
            let names: Vec<&str> = all.iter().map(|c| c.name).collect();
            let near = nearest(&name, &names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            return Err(Failure::Usage(format!(
                "there is no problem called `{name}`{near}\n`mamc explain` alone lists them all"
            )));
        };
        console.result(&if self.json { json::pretty(&document(code)) } else { text(code) })
    }
}

fn list(all: &[&Code], as_json: bool) -> String {
    if as_json {
        return json::pretty(&json!({ "codes": all.iter().map(|c| document(c)).collect::<Vec<_>>() }));
    }
    let width = all.iter().map(|c| c.name.len()).max().unwrap_or(0);
    all.iter().map(|c| format!("{:width$}  {}\n", c.name, word(c.severity))).collect()
}

fn document(code: &Code) -> serde_json::Value {
    json!({
        "code": code.name, "severity": word(code.severity), "explanation": code.explanation,
        "fails": code.fails, "passes": code.passes,
    })
}

fn text(code: &Code) -> String {
    let indented = |example: &str| example.lines().map(|l| format!("    {l}\n")).collect::<String>();
    let explanation = textwrap::fill(code.explanation, 90);
    let (name, severity) = (code.name, word(code.severity));
    let mut out = format!("{name} ({severity})\n\n{explanation}\n");
    // What is wrong on the command line has no file that shows it.
    if !code.fails.is_empty() {
        let (fails, passes) = (indented(code.fails), indented(code.passes));
        out += &format!("\nThis fails:\n\n{fails}\nThis passes:\n\n{passes}");
    }
    out
}
