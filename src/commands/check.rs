//! `mamc check`: every problem of every file, then one line on what each song is.

use crate::args::HowArgs;
use crate::compiling::{Compiled, asked_for, compile_without_code};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{Song, songs_of};
use crate::output::{Inputs, write_text};
use crate::report::human::{Look, draw};
use crate::report::{self, Form, Found, number_of, tally};
use crate::summary::{Summary, bytes};
use clap::{Args, ValueEnum};
use mam_grammar::problem::{applicable, apply, count};
use mam_grammar::{Problem, Severity, Sources};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Show every problem of songs, and what each song is
///
/// Exits with 0 when there are no errors, with 1 when there are.
#[derive(Args, Debug)]
#[command(after_help = "\
With --json: { \"problems\": [{ \"code\", \"severity\", \"message\", \"help\", \"file\", \"start\",
\"end\", \"line\", \"column\", \"endLine\", \"endColumn\", \"labels\": [{ the place, \"role\", \"text\" }],
\"fix\": { the place, \"replacement\", \"applicability\" } or null }],
\"errors\", \"warnings\", \"songs\": [{ \"file\", \"nodes\", \"parameters\", \"channels\",
\"operations\", \"memory\", \"rate\", \"frames\", \"latency\", \"sounds\" }] }. role is primary,
repeated or reason, applicability is exact or guess. start and end are bytes; frames
is null where a song has no end of its own.")]
pub struct Check {
    /// Files, `-` for standard input, names of prelude instruments; or folders, of which all songs are checked: .mam
    /// files, and .json files that have nodes
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Format of the report; json and sarif go to standard output
    #[arg(long, value_name = "FORM", default_value = "human")]
    format: Form,
    /// Print the report as one JSON document: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Apply every fix that says what was meant, and check again; files are rewritten whole or not at all, and the mended
    /// text of `-` goes to standard output. Fixes that are a guess stay for you
    #[arg(long)]
    fix: bool,
    /// Count these as errors, too
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings
    Warnings,
}

/// The report on a song: what the compiler made of it is dropped, as a folder may hold many.
struct Checked {
    sources: Sources,
    problems: Vec<Problem>,
    summary: Option<Summary>,
    /// Whether it counts as an error.
    fails: bool,
    /// The song, where it was found in a folder.
    found: Option<PathBuf>,
}

impl Check {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut worst = Ok(());
        let (mut all, mut used) = (Vec::new(), BTreeSet::new());
        let mut inputs = 0;
        for input in &self.inputs {
            let folder = input.is_dir();
            let songs = if folder { songs_of(input) } else { Ok(vec![input.clone()]) };
            let checked = songs.and_then(|songs| {
                inputs += songs.len();
                // Each is reported, whatever is wrong with the others.
                let one = |song: &PathBuf| {
                    self.check(song, folder, &mut used, console).map_err(|e| (e, song.clone()))
                };
                let (fine, failed): (Vec<_>, Vec<_>) = songs.iter().map(one).partition(Result::is_ok);
                all.extend(fine.into_iter().flatten());
                match failed.into_iter().find_map(Result::err) {
                    Some((failure, _)) => Err(failure),
                    None => Ok(()),
                }
            });
            if let Err(failure) = checked {
                console.insist(&format!("error: {failure}\n"));
                worst = Err(if failure.code() == 1 { Failure::Input } else { Failure::Unread });
            }
        }
        // What another song of a folder uses has been checked as a part of it.
        all.retain(|c: &Checked| {
            c.found
                .as_ref()
                .and_then(|path| path.canonicalize().ok())
                .is_none_or(|path| !used.contains(&path))
        });
        self.report(&all, console)?;
        if inputs > 1 && !console.quiet && self.form() == Form::Human {
            let failed = all.iter().filter(|c| c.fails).count();
            let failed = if failed == 0 { "no errors".into() } else { format!("errors in {failed}") };
            console.say(&format!("{} checked, {failed}\n", count(all.len(), "song")));
        }
        if all.iter().any(|c| c.fails) && worst.is_ok() {
            worst = Err(Failure::Input);
        }
        worst
    }

    fn check(
        &self,
        song: &Path,
        found: bool,
        used: &mut BTreeSet<PathBuf>,
        console: Console,
    ) -> Result<Checked, Failure> {
        let read = Song::read(song, self.how.stdin_name.as_deref())?;
        let mut compiled = compile_without_code(read.clone(), &self.how);
        if self.fix {
            compiled = self.fixed(read, compiled, console)?;
        }
        let own = song.canonicalize().ok();
        let others = compiled.used.iter().filter_map(|path| path.canonicalize().ok());
        used.extend(others.filter(|path| Some(path) != own.as_ref()));
        let denied =
            self.deny == Some(Deny::Warnings) && number_of(&compiled.problems, Severity::Warning) > 0;
        let fails = denied
            || number_of(&compiled.problems, Severity::Error) > 0
            || compiled.compilation.program.is_none();
        Ok(Checked {
            summary: Summary::new(&compiled),
            sources: compiled.sources,
            problems: compiled.problems,
            fails,
            found: found.then(|| song.into()),
        })
    }

    /// The song after its fixes, which are in the files of the user's that it is made of.
    fn fixed(&self, read: Song, compiled: Compiled, console: Console) -> Result<Compiled, Failure> {
        /// A fix may show the next problem.
        const ROUNDS: usize = 8;
        let (mut read, mut compiled, mut mended) = (read, compiled, 0);
        for _ in 0..ROUNDS {
            let fixes = applicable(&compiled.problems, read.id);
            let others = self.fix_used(&compiled, &read)?;
            if fixes.is_empty() && others == 0 {
                break;
            }
            mended += fixes.len() + others;
            let text = apply(&read.sources.get(read.id).text, &fixes);
            if let Some(path) = read.path.as_deref().filter(|_| !fixes.is_empty()) {
                // What is read is written again: that is what it is for.
                write_text(path, &text, &Inputs::default())?;
            }
            read = read.with_text(&text);
            compiled = compile_without_code(read.clone(), &self.how);
        }
        if read.path.is_none() {
            console.exact(&read.sources.get(read.id).text)?;
        } else if mended > 0 && self.form() == Form::Human {
            console.say(&format!("{}: {} applied\n", compiled.name(), count_fixes(mended)));
        }
        Ok(compiled)
    }

    /// Applies the fixes of the files that a song uses, and says how many there were.
    fn fix_used(&self, compiled: &Compiled, read: &Song) -> Result<usize, Failure> {
        let prelude = |id| compiled.compilation.stages.files.as_ref().is_none_or(|f| f.is_prelude_source(id));
        let mut mended = 0;
        // Texts that are not files, such as those of `--set`, are not written.
        let file = |name: &str| Path::new(name).is_file();
        let others = compiled.sources.iter().filter(|(id, _)| *id != read.id && !prelude(*id));
        for (id, source) in others.filter(|(_, source)| file(&source.name)) {
            let fixes = applicable(&compiled.problems, id);
            if !fixes.is_empty() {
                write_text(Path::new(&*source.name), &apply(&source.text, &fixes), &Inputs::default())?;
                mended += fixes.len();
            }
        }
        Ok(mended)
    }

    fn form(&self) -> Form {
        if self.json { Form::Json } else { self.format }
    }

    fn report(&self, all: &[Checked], console: Console) -> Result<(), Failure> {
        let found: Vec<Found> =
            all.iter().map(|c| Found { problems: &c.problems, sources: &c.sources }).collect();
        match self.form() {
            Form::Json => {
                let songs = all.iter().filter_map(|c| c.summary.clone()).collect();
                console.result(&report::json(&found, songs))
            }
            Form::Sarif => console.result(&report::sarif(&found)),
            Form::Short => {
                let shown = |c: &Checked| asked_for(&c.problems, console, Severity::Note);
                all.iter().for_each(|c| console.insist(&report::short(&shown(c), &c.sources)));
                Ok(())
            }
            Form::Human => all.iter().try_for_each(|c| human(c, console)),
        }
    }
}

/// "1 fix", "2 fixes".
fn count_fixes(fixes: usize) -> String {
    if fixes == 1 { "1 fix".into() } else { format!("{fixes} fixes") }
}

fn human(checked: &Checked, console: Console) -> Result<(), Failure> {
    let Checked { sources, problems, summary, .. } = checked;
    let problems = asked_for(problems, console, Severity::Note);
    let look = Look { colour: console.colour, width: console.width() };
    console.styled(&draw(&problems, sources, look));
    if let Some(tally) = tally(&problems) {
        let name = sources.iter().next().map_or("", |(_, source)| &*source.name);
        console.insist(&format!("{name}: {tally}\n"));
    }
    match summary {
        Some(summary) if !console.quiet => {
            let sounds = summary.sounds.iter().map(|sound| {
                let streamed =
                    sound.streamed.map(|memory| format!(", streamed through {} of memory", bytes(memory)));
                format!("  {}: hash {}{}\n", sound.file, sound.hash, streamed.unwrap_or_default())
            });
            console.result(&format!("{summary}\n{}", sounds.collect::<String>()))
        }
        _ => Ok(()),
    }
}
