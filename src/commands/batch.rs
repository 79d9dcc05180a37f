//! `mamc batch`: many renders of one song, into shards.

use crate::args::{HowArgs, SongArgs, ThreadArgs};
use crate::batch::columns::Columns;
use crate::batch::encode::Encoder;
use crate::batch::features::Feature;
use crate::batch::format::Format;
use crate::batch::job::{Manifest, merge};
use crate::batch::run::Batch as Run;
use crate::batch::write::{Plan, Settings, Source, plan, sized, write};
use crate::batch::{RowRenderer, Subject};
use crate::compiling::{compile_song, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::offline::{self, Span};
use crate::output::{Inputs, create_folder};
use crate::progress::Progress;
use crate::table::table;
use crate::values::{Length, RowRange};
use clap::Args;
use mam_grammar::problem::count;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Render a song many times, each time with other values
///
/// Each row of a table, or of a space of values, is one render, and sounds as `mamc render` does with the same values as --set.
/// The same rows give the same bytes, for any number of threads and, with --portable, on every machine. A batch that was ended
/// goes on with --resume. docs/batch.md says more.
#[derive(Args, Debug)]
pub struct Batch {
    /// A .mam or .json file, `-` for standard input, or the name of a prelude instrument
    #[arg(required_unless_present = "merge")]
    input: Option<PathBuf>,
    /// The rows: a .csv or .jsonl file with a column a parameter, or a .toml file with a grid or distributions
    #[arg(short, long, value_name = "FILE", required_unless_present = "merge")]
    params: Option<PathBuf>,
    /// The folder for the shards and what is known of them
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// How long each row is, such as 2.5s, 250ms, 2bars or 48000smp
    #[arg(short, long, value_name = "LENGTH", default_value = "1s")]
    duration: Length,
    /// How the sound is kept
    #[arg(long, value_enum, default_value = "f32")]
    format: Format,
    /// What is measured of each row with --format features [default: all]
    #[arg(long, value_enum, value_name = "NAMES", value_delimiter = ',')]
    features: Vec<Feature>,
    /// Render these rows alone, from the first to before the last; whole shards
    #[arg(long, value_name = "A..B")]
    rows: Option<RowRange>,
    /// Rows of a shard
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..))]
    shard_rows: u64,
    /// Channels of the sound [default: the song's, or 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    channels: Option<u8>,
    /// The column that is the song's seed [default: seed]
    #[arg(long, value_name = "NAME")]
    seed_column: Option<String>,
    /// Take values beyond a range for the nearest in it, which are errors otherwise
    #[arg(long)]
    clamp: bool,
    /// Count rows that are silent as failed
    #[arg(long)]
    no_silence: bool,
    /// Go on with a batch: shards that are finished stay. Begins one where there is none
    #[arg(long)]
    resume: bool,
    /// Look at the bytes of finished shards too, not at their sizes alone
    #[arg(long)]
    verify: bool,
    /// Say what would be done, how long it would take and how much room, and show the first rows
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Write the manifest of what these folders hold together, of one batch made on several machines
    #[arg(long, value_name = "FOLDER", num_args = 1.., conflicts_with_all = ["input", "params", "rows", "resume", "dry_run"])]
    merge: Vec<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// Rows that a dry run shows.
const SHOWN: u64 = 5;
/// How long a dry run renders to say how long it would take.
const TRIAL: Duration = Duration::from_millis(300);

impl Batch {
    /// Runs the command, and writes its shards.
    ///
    /// # Errors
    /// When the song or the rows have errors, the folder holds another batch, or something cannot be read or written.
    pub fn run(mut self, console: Console) -> Result<(), Failure> {
        if !self.merge.is_empty() {
            return self.join(console);
        }
        let (Some(input), Some(params)) = (self.input.take(), self.params.take()) else {
            return Err(Failure::Usage(
                "a song and its rows are needed: `mamc batch SONG --params FILE -o FOLDER`".into(),
            ));
        };
        self.how.channels = self.channels.map_or(0, usize::from);
        let args = SongArgs { input, how: self.how.clone() };
        let mut song = None;
        let compiled = compiled_by(&args, console, |read| {
            song = Some(read.clone());
            compile_song(read, &args.how)
        })?;
        let inputs = Inputs::new(compiled.read_from(&args.input).chain([params.as_path()]));
        let Some(song) = song else { return Err(Failure::Input) };
        let subject = Subject::new(compiled, song, &args.how)?;
        self.render(&subject, &params, inputs, console)
    }

    /// Reads the rows, checks everything, and renders.
    fn render(
        &self,
        subject: &Subject,
        params: &Path,
        inputs: Inputs,
        console: Console,
    ) -> Result<(), Failure> {
        let settings = self.settings(subject)?;
        let columns = Columns::new(subject, settings.seed_column.as_deref().unwrap_or("seed"), self.clamp);
        let source = Source::read(params, columns)?;
        if self.dry_run {
            return dry_run(&plan(subject, &source, &settings, inputs)?, console);
        }
        let frames = settings.frames;
        let mut progress: Option<Progress> = None;
        let began = Instant::now();
        let written = write(subject, &source, &settings, inputs, |moment| {
            let rate = subject.program.rate;
            let progress = progress.get_or_insert_with(|| {
                if moment.finished > 0 {
                    console.say(&format!("{} finished already\n", are(moment.finished as usize, "row")));
                }
                Progress::new(console, Some(moment.todo * frames), rate)
            });
            progress.show(moment.done * frames);
            true
        });
        drop(progress);
        let written = written?;
        let speed = match written.fresh {
            0 => String::new(),
            rows => format!(", {:.0} rows a second", rows as f64 / began.elapsed().as_secs_f64().max(1e-9)),
        };
        tell(&written.manifest, &written.path, &speed, console);
        Ok(())
    }

    /// What the flags ask for.
    fn settings(&self, subject: &Subject) -> Result<Settings, Failure> {
        let span = Span { duration: Some(self.duration), ..Span::default() };
        Ok(Settings {
            folder: self.output.clone(),
            frames: offline::Job::new(subject.program.clone(), span)?.end(),
            format: self.format,
            features: self.features.clone(),
            range: self.rows.clone().map(|rows| rows.0),
            shard_rows: self.shard_rows,
            threads: self.threads.count(),
            seed_column: self.seed_column.clone(),
            clamp: self.clamp,
            no_silence: self.no_silence,
            resume: self.resume,
            verify: self.verify,
        })
    }

    /// `--merge`.
    fn join(&self, console: Console) -> Result<(), Failure> {
        create_folder(&self.output)?;
        let (manifest, path) = merge(&self.merge, &self.output, self.verify)?;
        tell(&manifest, &path, "", console);
        Ok(())
    }
}

/// So many things that are.
fn are(number: usize, thing: &str) -> String {
    format!("{} {}", count(number, thing), if number == 1 { "is" } else { "are" })
}

/// Says what a manifest holds.
fn tell(manifest: &Manifest, path: &Path, speed: &str, console: Console) {
    let rows: u64 = manifest.shards.iter().map(|shard| shard.rows).sum();
    let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
    let shards = count(manifest.shards.len(), "shard");
    let rows = count(rows as usize, "row");
    console.say(&format!("{}: {rows} in {shards}, {}{speed}\n", path.display(), sized(bytes)));
    if manifest.failed > 0 {
        let rows = count(manifest.failed as usize, "row");
        console.say(&format!("warning: {rows} failed; the .json file of their shard says which and why\n"));
    }
}

/// Says what a batch would do, and shows its first rows.
fn dry_run(plan: &Plan<'_>, console: Console) -> Result<(), Failure> {
    let (batch, range) = (plan.batch(), plan.range.clone());
    let job = &batch.job;
    let todo: Vec<u64> = batch.shards(range.clone()).collect();
    let total = range.end - range.start;
    let encoder = Encoder::new(job, batch.subject, batch.columns);
    let mut rows = vec![];
    let first = range.start;
    batch.rows.read(first..range.end.min(first + SHOWN), &mut rows)?;
    let seconds = trial(&batch, range)? * total as f64 / batch.threads as f64;
    let mut text = format!(
        "{} of {} frames, {} Hz, {}\n{}, about {}, about {} on {}\n\n",
        count(total as usize, "row"),
        job.frames,
        job.rate,
        count(job.channels, "channel"),
        count(todo.len(), "shard"),
        sized(batch.expected_bytes(&todo)),
        lasting(seconds),
        count(batch.threads, "thread")
    );
    let names = std::iter::once("row".to_string()).chain(batch.columns.iter().map(|(name, _)| name.clone()));
    let mut lines: Vec<Vec<String>> = vec![names.collect()];
    for (number, row) in (first..).zip(&rows) {
        lines.push(std::iter::once(number.to_string()).chain(encoder.values(row)).collect());
    }
    text += &table(&lines);
    console.result(&text)
}

/// Seconds that a row takes on one thread, by those that are rendered within a moment.
fn trial(batch: &Run<'_>, range: Range<u64>) -> Result<f64, Failure> {
    let job = &batch.job;
    let mut renderer = RowRenderer::new(batch.subject, job.frames);
    let mut encoder = Encoder::new(job, batch.subject, batch.columns);
    let (mut rows, mut bytes, mut done) = (vec![], vec![], 0);
    let began = Instant::now();
    for number in range {
        rows.clear();
        bytes.clear();
        batch.rows.read(number..number + 1, &mut rows)?;
        let (sound, _) = renderer.render(&rows[0]);
        encoder.row(number, &rows[0], sound, &mut bytes)?;
        done += 1;
        if began.elapsed() > TRIAL {
            break;
        }
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(done.max(1)))
}

/// A time for people.
fn lasting(seconds: f64) -> String {
    match seconds {
        s if s >= 7200.0 => format!("{:.1} h", s / 3600.0),
        s if s >= 120.0 => format!("{:.0} min", s / 60.0),
        s => format!("{s:.1} s"),
    }
}
