//! `mamc migrate`: JSON songs in the newest version of the format.

use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
use crate::output::{Inputs, write_text};
use clap::Args;
use mam_grammar::json::{Migrated, NEWEST, codes, migrate};
use mam_grammar::{Limits, Problems, Sources};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Bring JSON songs to the newest version of the format
#[derive(Args, Debug)]
#[command(after_help = "\
What a song says stays as it is written. What older versions assumed where a field was missing is written out.

With --json: { \"newest\": 2, \"files\": [{ \"file\", \"from\", \"changes\": [{ \"line\", \"what\" }], \"text\": the song where \
it is not written to a file }] }.")]
pub struct Migrate {
    /// JSON songs; `-` is standard input. The result of one goes to standard output
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Rewrite the files
    #[arg(long, conflicts_with = "output")]
    write: bool,
    /// Write the result to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Change nothing; fail if a file is of an older version
    #[arg(long, conflicts_with_all = ["write", "output"])]
    check: bool,
    /// Print what is changed as one JSON document
    #[arg(long)]
    json: bool,
}

impl Migrate {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When a song has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if self.inputs.len() > 1 && !self.write && !self.check {
            let words = "several songs are rewritten by --write, or looked at by --check";
            return Err(Failure::Usage(words.into()));
        }
        if self.write && self.inputs.iter().any(|path| input::is_stdin(path)) {
            return Err(Failure::Usage("standard input is not a file that --write could rewrite".into()));
        }
        let (mut files, mut older, mut result) = (vec![], false, Ok(()));
        for path in &self.inputs {
            match self.migrate(path, console) {
                Ok((from, file)) => {
                    older |= from < NEWEST;
                    files.push(file);
                }
                Err(failure @ (Failure::ClosedPipe | Failure::Usage(_))) => return Err(failure),
                Err(failure) => {
                    if !failure.to_string().is_empty() {
                        console.insist(&format!("error: {failure}\n"));
                    }
                    result = Err(if failure.code() == 3 { Failure::Unread } else { Failure::Input });
                }
            }
        }
        if self.json {
            console.result(&crate::json::pretty(&json!({ "newest": NEWEST, "files": files })))?;
        }
        if self.check && older && result.is_ok() { Err(Failure::Input) } else { result }
    }

    /// Brings one song to the newest version. Returns the version that it was written in, and what `--json` says of it.
    fn migrate(&self, path: &Path, console: Console) -> Result<(u32, Value), Failure> {
        let name = path.display().to_string();
        if path.extension().is_some_and(|ending| ending == "mam") {
            let words = format!("`{name}` is in the language, which has no versions: it needs no migration");
            return Err(Failure::Usage(words));
        }
        let text = input::any_text(path)?;
        let mut sources = Sources::default();
        let id = sources.add(name.as_str(), text.as_str());
        let mut problems = Problems::default();
        let migrated = migrate(&sources, id, &Limits::default(), &mut problems);
        // What was assumed is written out.
        problems.retain(|problem| problem.code.name != codes::ASSUMED.name);
        tell(&problems.into_sorted(), &sources, console);
        let migrated = migrated.ok_or(Failure::Input)?;
        let line = |at: u32| 1 + text[..at as usize].matches('\n').count();
        let changes: Vec<Value> = migrated
            .changes
            .iter()
            .map(|(span, what)| json!({ "line": line(span.start), "what": what }))
            .collect();
        let mut file = json!({ "file": name, "from": migrated.from, "changes": changes });
        if !self.check && !self.deliver(path, &text, &migrated, console)? && self.json {
            file["text"] = migrated.text.as_str().into();
        }
        if !self.json {
            self.tell(&name, &migrated, console)?;
        }
        Ok((migrated.from, file))
    }

    /// Puts the result where it belongs. Returns whether that is a file.
    fn deliver(
        &self,
        path: &Path,
        text: &str,
        migrated: &Migrated,
        console: Console,
    ) -> Result<bool, Failure> {
        match self.output.as_deref() {
            // What is read is written again: that is what was asked for.
            _ if self.write && migrated.text != text => write_text(path, &migrated.text, &Inputs::default())?,
            _ if self.write => {}
            Some(output) if !input::is_stdin(output) => {
                write_text(output, &migrated.text, &Inputs::new([path]))?;
            }
            _ if self.json => return Ok(false),
            _ => {
                console.exact(&migrated.text)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell(&self, name: &str, migrated: &Migrated, console: Console) -> Result<(), Failure> {
        let from = migrated.from;
        let changes = migrated.changes.len();
        match (self.check, changes) {
            (true, _) if from < NEWEST => console.result(&format!("{name}\n")),
            (true, _) => Ok(()),
            (false, 0) => {
                console.say(&format!("{name}: of version {from}, the newest, and left as it is\n"));
                Ok(())
            }
            (false, _) => {
                let what: Vec<&str> = migrated.changes.iter().map(|(_, what)| &**what).collect();
                console.say(&format!("{name}: {}\n", what.join("; ")));
                Ok(())
            }
        }
    }
}
