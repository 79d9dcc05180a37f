//! `mamc test`: measures what the `expect`s of files say, or those of the prelude.

use crate::args::{HowArgs, ThreadArgs};
use crate::compiling::tell;
use crate::console::Console;
use crate::failure::Failure;
use crate::input::{Disk, Song};
use crate::json;
use crate::measure::hear::{Held, Source, Unheard, hear};
use crate::measure::plot::figure;
use crate::output::{Inputs, create_folder, write_text};
use crate::report::{json_entries, number_of};
use clap::Args;
use mam_compiler::Options;
use mam_compiler::expect::Check;
use mam_compiler::expect::find::find;
use mam_compiler::prelude::expectations;
use mam_grammar::problem::count;
use mam_grammar::{Problem, Severity, Sources, Span};
use mam_measure::{Heard, value};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Measure what the `expect`s of songs say
///
/// Without a file, those of the prelude. Exits with 0 when all of them hold, with 1 when one does not or a file has errors.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples: mamc test; mamc test song.mam; mamc test song.mam --pictures failed
`mamc list measure` shows the measures, `mamc doc rt60` one of them.
With --json: { \"checks\": [{ \"file\", \"line\", \"column\", \"text\", \"measure\", \"rate\", \"value\",
\"shown\", \"holds\", \"why\", \"picture\" }], \"holds\", \"fails\", \"problems\", \"errors\" }; value is in base units (a ratio,
LUFS, s, Hz), null where there is none, which \"why\" explains.")]
pub struct Test {
    /// Files, or `-` for standard input [default: the prelude]
    inputs: Vec<PathBuf>,
    /// Measure at 44.1 and 96 kHz, too
    #[arg(long)]
    thorough: bool,
    /// Write a picture of what was measured of each check that fails into this folder, as SVG
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// The rate of all measurements, and the others of `--thorough`.
const RATES: [u32; 3] = [48_000, 44_100, 96_000];

/// A file with its checks.
struct Suite {
    song: Song,
    /// In the order of the text, each at every rate.
    checks: Vec<Rated>,
    problems: Vec<Problem>,
}

/// A check with the numbers that it has at a sample rate.
struct Rated {
    check: Check,
    /// Frames a second.
    rate: u32,
}

/// A check that is to be measured.
struct Job<'a> {
    suite: &'a Suite,
    check: &'a Check,
    rate: u32,
}

/// What was found of it.
struct Outcome {
    value: Result<f64, String>,
    holds: bool,
    problems: Vec<Problem>,
    sources: Option<Sources>,
    picture: Option<String>,
}

impl Test {
    /// Runs the command and writes its result to standard output.
    ///
    /// # Errors
    /// When a file cannot be read or has errors, or something does not hold.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let suites = self.suites()?;
        // The report has them.
        let terminal = Console { json: false, ..console };
        for suite in &suites {
            tell(&suite.problems, &suite.song.sources, terminal);
        }
        let is_error = |problem: &Problem| problem.code.severity == Severity::Error;
        let broken = suites.iter().any(|suite| suite.problems.iter().any(is_error));
        let jobs: Vec<Job> = suites
            .iter()
            .flat_map(|suite| suite.checks.iter().map(move |rated| (suite, rated)))
            .map(|(suite, Rated { check, rate })| Job { suite, check, rate: *rate })
            .collect();
        let inputs = Inputs::new(jobs.iter().filter_map(|job| job.suite.song.path.as_deref()));
        let widest = jobs.iter().map(|job| job.place_text().chars().count()).max().unwrap_or(0);
        let mut pictures = vec![];
        let outcomes = self.measure(&jobs, |job, outcome| {
            pictures.push(self.draw(job, outcome, &inputs)?);
            let is_shown = !(self.json || outcome.holds && console.quiet);
            let picture = pictures.last().and_then(Option::as_deref);
            if is_shown { console.result(&line(job, outcome, picture, widest)) } else { Ok(()) }
        })?;
        if self.json {
            console.result(&json::pretty(&report(&suites, &jobs, &outcomes, &pictures)))?;
        } else {
            console.result(&summary(&outcomes, broken))?;
            tell_others(&jobs, &outcomes, console);
        }
        if broken || outcomes.iter().any(|outcome| !outcome.holds) { Err(Failure::Input) } else { Ok(()) }
    }

    fn suites(&self) -> Result<Vec<Suite>, Failure> {
        if self.inputs.is_empty() {
            let songs = expectations().into_iter().map(|(name, text)| Song::of_text(name, &text));
            return Ok(songs.map(|song| self.suite(song)).collect());
        }
        let read = |input: &PathBuf| Song::read(input, self.how.stdin_name.as_deref());
        self.inputs.iter().map(|input| Ok(self.suite(read(input)?))).collect()
    }

    fn suite(&self, mut song: Song) -> Suite {
        let disk = Disk::new(song.path.as_deref(), self.how.allow_outside);
        let (mut checks, mut problems) = (vec![], vec![]);
        let alone = song.sources.clone();
        for rate in self.rates() {
            song.sources = alone.clone();
            let limits = self.options(rate).limits;
            let found = find(&mut song.sources, song.id, &disk, &limits, f64::from(rate));
            checks.extend(found.checks.into_iter().map(|check| Rated { check, rate }));
            // What is wrong at one rate is wrong at most of the others too, and is told once.
            let new = found.problems.into_sorted().into_iter().filter(|problem| !problems.contains(problem));
            problems.extend(new.collect::<Vec<_>>());
        }
        checks.sort_by_key(|rated| rated.check.item);
        Suite { song, checks, problems }
    }

    fn rates(&self) -> Vec<u32> {
        match (self.how.rate, self.thorough) {
            (Some(rate), _) => vec![rate.0],
            (None, true) => RATES.to_vec(),
            (None, false) => vec![RATES[0]],
        }
    }

    fn options(&self, rate: u32) -> Options {
        Options { rate, ..self.how.options("") }
    }

    /// Measures all of them, on as many threads as are wanted. `known` is told of each in their order, as soon as all before it are
    /// measured; where it fails, nothing more is begun.
    fn measure(
        &self,
        jobs: &[Job],
        known: impl FnMut(&Job, &Outcome) -> Result<(), Failure> + Send,
    ) -> Result<Vec<Outcome>, Failure> {
        let (next, held) = (AtomicUsize::new(0), Held::default());
        let none = jobs.iter().map(|_| None).collect();
        let done = Mutex::new(Done { outcomes: none, shown: 0, known, failure: None });
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(index) else { break };
                let outcome = self.outcome(job, &held);
                if !done.lock().unwrap_or_else(PoisonError::into_inner).take(jobs, index, outcome) {
                    break;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads.count().min(jobs.len()) {
                scope.spawn(work);
            }
            work();
        });
        let Done { outcomes, failure, .. } = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        failure.map_or_else(|| Ok(outcomes.into_iter().flatten().collect()), Err)
    }

    fn outcome(&self, job: &Job, held: &Held) -> Outcome {
        let mut share = held.share();
        let disk = Disk::new(job.suite.song.path.as_deref(), self.how.allow_outside);
        let options = self.options(job.rate);
        // The texts of the prelude come after the song's own, as they did when it was read.
        let Song { sources, id, .. } =
            Song::of_text(&job.name(), &job.suite.song.sources.get(job.suite.song.id).text);
        let source = Source { sources: &sources, id, loader: &disk, options: &options };
        let heard: Result<Vec<Heard>, Unheard> =
            job.check.subjects.iter().map(|subject| hear(&source, job.check, *subject, &mut share)).collect();
        let heard = match heard {
            Ok(heard) => heard,
            Err(Unheard::TooLong(why)) => return Outcome::failed(why),
            Err(Unheard::Problems(problems)) => {
                let why = "it does not compile".to_owned();
                let sources = Some(job.suite.song.sources.clone());
                return Outcome { problems, sources, ..Outcome::failed(why) };
            }
        };
        let value = value(job.check, &heard);
        let holds = match (&value, job.check.bound) {
            (Ok(value), Some(bound)) => bound.holds(*value),
            (Ok(value), None) => *value > 0.0,
            (Err(_), _) => false,
        };
        let outcome = Outcome { value, holds, problems: vec![], sources: None, picture: None };
        let picture = (self.pictures.is_some() && !holds)
            .then(|| figure(job.check, &heard, job.text(), outcome.shown(job.check)).svg());
        Outcome { picture, ..outcome }
    }

    /// Writes the picture of what does not hold, where pictures are wanted, and says where it is.
    fn draw(&self, job: &Job, outcome: &Outcome, inputs: &Inputs) -> Result<Option<PathBuf>, Failure> {
        let (Some(folder), Some(picture)) = (&self.pictures, &outcome.picture) else { return Ok(None) };
        if !folder.is_dir() {
            create_folder(folder)?;
        }
        let name = job.name();
        let stem = Path::new(&name).file_stem().map_or("song".into(), |stem| stem.to_string_lossy());
        let measure = job.check.measure.row().name;
        let (line, _) = job.place();
        let path = folder.join(format!("{stem}-{line}-{measure}-{}.svg", job.rate));
        write_text(&path, picture, inputs)?;
        Ok(Some(path))
    }
}

/// What is known of checks so far, and who is told of it.
struct Done<K> {
    /// What was found of each.
    outcomes: Vec<Option<Outcome>>,
    /// How many from the first on have been shown.
    shown: usize,
    known: K,
    /// Why no more is told.
    failure: Option<Failure>,
}

impl<K: FnMut(&Job, &Outcome) -> Result<(), Failure>> Done<K> {
    /// Takes what was found of a check. False once telling has failed.
    fn take(&mut self, jobs: &[Job], index: usize, outcome: Outcome) -> bool {
        self.outcomes[index] = Some(outcome);
        while self.failure.is_none()
            && let Some(Some(outcome)) = self.outcomes.get(self.shown)
        {
            self.failure = (self.known)(&jobs[self.shown], outcome).err();
            self.shown += 1;
        }
        self.failure.is_none()
    }
}

/// A check and what was found of it, in a line, beside the widest place; and where its picture is.
fn line(job: &Job, outcome: &Outcome, picture: Option<&Path>, widest: usize) -> String {
    let word = if outcome.holds { "ok    " } else { "FAILED" };
    let rate = if job.rate == RATES[0] { String::new() } else { format!(" at {} Hz", job.rate) };
    let place = job.place_text();
    let line = format!("{word} {place:widest$}  {}: {}{rate}\n", job.text(), outcome.shown(job.check));
    picture.map_or(line.clone(), |picture| format!("{line}       {}\n", picture.display()))
}

/// How many checks hold.
fn summary(outcomes: &[Outcome], is_broken: bool) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.holds).count();
    let all = count(outcomes.len(), "check");
    match failed {
        0 if is_broken && outcomes.is_empty() => "no check was measured, as there are errors\n".to_owned(),
        0 if is_broken => format!("{all}: all hold; what has an error was not measured\n"),
        0 if outcomes.is_empty() => "there is no `expect`\n".to_owned(),
        0 => format!("{all}: all hold\n"),
        _ => format!("{all}: {} hold, {failed} fail\n", outcomes.len() - failed),
    }
}

/// Tells the problems of songs that were found when they were measured, each once, and none that was found before.
fn tell_others(jobs: &[Job], outcomes: &[Outcome], console: Console) {
    let mut known: Vec<&Problem> = jobs.iter().flat_map(|job| &job.suite.problems).collect();
    for outcome in outcomes {
        let Some(sources) = &outcome.sources else { continue };
        let new: Vec<Problem> = outcome.problems.iter().filter(|p| !known.contains(p)).cloned().collect();
        if !new.is_empty() {
            tell(&new, sources, console);
        }
        known.extend(&outcome.problems);
    }
}

impl Job<'_> {
    fn name(&self) -> String {
        self.suite.song.sources.get(self.suite.song.id).name.to_string()
    }

    /// The check as it is written, in one line.
    fn text(&self) -> String {
        let text = self.suite.song.sources.slice(self.check.span);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its line and column, from 1.
    fn place(&self) -> (usize, usize) {
        place(&self.suite.song.sources, self.check.span)
    }

    fn place_text(&self) -> String {
        format!("{}:{}", self.name(), self.place().0)
    }
}

fn place(sources: &Sources, span: Span) -> (usize, usize) {
    let before = &sources.get(span.source).text[..span.start as usize];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

impl Outcome {
    fn failed(why: String) -> Outcome {
        Outcome { value: Err(why), holds: false, problems: vec![], sources: None, picture: None }
    }

    /// The value as it is written, or why there is none.
    fn shown(&self, check: &Check) -> String {
        match &self.value {
            Ok(value) => check.measure.row().quantity.show(*value),
            Err(why) => why.clone(),
        }
    }
}

fn report(suites: &[Suite], jobs: &[Job], outcomes: &[Outcome], pictures: &[Option<PathBuf>]) -> Value {
    let of_suite = |suite: &Suite| json_entries(&suite.problems, &suite.song.sources);
    let problems: Vec<_> = suites.iter().flat_map(of_suite).collect();
    let errors: usize = suites.iter().map(|suite| number_of(&suite.problems, Severity::Error)).sum();
    let check = |((job, outcome), picture): ((&Job, &Outcome), &Option<PathBuf>)| {
        let (line, column) = job.place();
        let finite = outcome.value.as_ref().ok().filter(|value| value.is_finite());
        let problems = outcome.problems.first().map(|problem| problem.message.clone());
        json!({
            "file": job.name(), "line": line, "column": column, "text": job.text(),
            "measure": job.check.measure.row().name, "rate": job.rate, "value": finite,
            "shown": outcome.shown(job.check), "holds": outcome.holds,
            "why": outcome.value.as_ref().err().map(|why| problems.map_or(why.clone(), |p| format!("{why}: {p}"))),
            "picture": picture.as_ref().map(|path| path.display().to_string()),
        })
    };
    let checks: Vec<Value> = jobs.iter().zip(outcomes).zip(pictures).map(check).collect();
    let holds = outcomes.iter().filter(|outcome| outcome.holds).count();
    let fails = outcomes.len() - holds;
    json!({ "checks": checks, "holds": holds, "fails": fails, "problems": problems, "errors": errors })
}
