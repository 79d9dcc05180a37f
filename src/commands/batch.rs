//! `mamc batch`: many renders of one song, into shards.

use crate::args::{HowArgs, SongArgs, ThreadArgs};
use crate::batch::columns::{Column, Columns};
use crate::batch::encode::{Encoder, Format};
use crate::batch::job::{Job, Manifest, Params, Shard, merge, sha256};
use crate::batch::run::Batch as Run;
use crate::batch::space::Space;
use crate::batch::table::{Syntax, Table};
use crate::batch::{RowRenderer, Rows, Subject};
use crate::compiling::{compile_song, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::input;
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
        let columns = || Columns::new(subject, self.seed_column.as_deref().unwrap_or("seed"), self.clamp);
        let source = Source::read(params, columns())?;
        if let Some(seed) = self.seed_column.as_ref().filter(|seed| !source.names().contains(seed)) {
            return Err(Failure::Usage(format!(
                "the rows have no column `{seed}`, which --seed-column names"
            )));
        }
        let named = |name: &String| Some((name.clone(), columns().find(name).ok()?));
        let names: Vec<(String, Column)> = source.names().iter().filter_map(named).collect();
        let job = self.job(subject, &source, params)?;
        let range = self.range(&job)?;
        let threads = self.threads.count();
        let batch = Run {
            subject,
            rows: source.rows(),
            columns: &names,
            job,
            folder: self.output.clone(),
            inputs,
            threads,
        };
        if self.dry_run {
            return dry_run(&batch, range, console);
        }
        create_folder(&self.output)?;
        batch.job.begin(&self.output, self.resume)?;
        let (mut shards, mut todo) = (vec![], vec![]);
        for first in batch.shards(range) {
            match Shard::finished(&self.output, &batch.job, first, self.verify)? {
                Some(shard) => shards.push(shard),
                None => todo.push(first),
            }
        }
        check_room(&batch, &todo)?;
        if !shards.is_empty() {
            console.say(&format!(
                "{} of {} are finished\n",
                shards.len(),
                count(shards.len() + todo.len(), "shard")
            ));
        }
        let began = Instant::now();
        let made = render_shards(&batch, todo, console)?;
        let rows: u64 = made.iter().map(|shard| shard.rows).sum();
        shards.extend(made);
        shards.sort_by_key(|shard| shard.first);
        let named: Vec<(String, Shard)> =
            shards.into_iter().map(|shard| (shard.file.clone(), shard)).collect();
        let manifest = Manifest::new(&batch.job, &named);
        let path = manifest.write(&self.output)?;
        let seconds = began.elapsed().as_secs_f64();
        let speed = if rows > 0 {
            format!(", {:.0} rows a second", rows as f64 / seconds.max(1e-9))
        } else {
            String::new()
        };
        tell(&manifest, &path, &speed, console);
        Ok(())
    }

    /// What the shards are made of.
    fn job(&self, subject: &Subject, source: &Source<'_>, params: &Path) -> Result<Job, Failure> {
        let program = subject.program.clone();
        let span = Span { duration: Some(self.duration), ..Span::default() };
        let frames = offline::Job::new(program, span)?.end();
        if frames == 0 {
            return Err(Failure::Usage("a row has at least one frame: -d says how long it is".into()));
        }
        let file = params.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Job {
            mam: 1,
            mamc: env!("CARGO_PKG_VERSION").into(),
            target: if subject.is_portable { "portable" } else { "fma" }.into(),
            song: subject.hash.clone(),
            settings: subject.settings.iter().cloned().chain(self.clamp.then(|| "clamp".into())).collect(),
            rate: subject.program.rate,
            channels: subject.channels(),
            frames,
            format: self.format,
            rows: source.rows().count(),
            params: Params { source: file, hash: source.hash().into() },
            columns: source.names().to_vec(),
            shard_rows: self.shard_rows,
            no_silence: self.no_silence,
        })
    }

    /// The rows that are rendered: whole shards.
    fn range(&self, job: &Job) -> Result<Range<u64>, Failure> {
        let Some(RowRange(Range { start, end })) = self.rows.clone() else { return Ok(0..job.rows) };
        if end > job.rows {
            return Err(Failure::Usage(format!(
                "--rows {start}..{end}: there are {}",
                count(job.rows as usize, "row")
            )));
        }
        let size = job.shard_rows;
        if start % size != 0 || (end % size != 0 && end != job.rows) {
            let near = (start / size * size)..job.rows.min(end.next_multiple_of(size));
            return Err(Failure::Usage(format!(
                "--rows {start}..{end}: a shard has {size} rows, and is made as a whole: {}..{} are whole ones (--shard-rows changes it)",
                near.start, near.end
            )));
        }
        Ok(start..end)
    }

    /// `--merge`.
    fn join(&self, console: Console) -> Result<(), Failure> {
        create_folder(&self.output)?;
        let (manifest, path) = merge(&self.merge, &self.output, self.verify)?;
        tell(&manifest, &path, "", console);
        Ok(())
    }
}

/// Where the rows of a command come from.
enum Source<'s> {
    Table(Table<'s>),
    Space(Space<'s>, String),
}

impl<'s> Source<'s> {
    fn read(path: &Path, columns: Columns<'s>) -> Result<Source<'s>, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if ending.eq_ignore_ascii_case("toml") {
            let text = input::text(path)?;
            let hash = sha256(text.as_bytes());
            return Ok(Source::Space(Space::parse(path, &text, columns)?, hash));
        }
        match Syntax::of_ending(ending) {
            Some(syntax) => Ok(Source::Table(Table::read(path, syntax, columns)?)),
            None => Err(Failure::Usage(format!(
                "`{}` does not say how its rows are written: let it end with .csv, .jsonl or .toml",
                path.display()
            ))),
        }
    }

    fn rows(&self) -> &dyn Rows {
        match self {
            Source::Table(table) => table,
            Source::Space(space, _) => space,
        }
    }

    fn names(&self) -> &[String] {
        match self {
            Source::Table(table) => &table.names,
            Source::Space(space, _) => &space.names,
        }
    }

    fn hash(&self) -> &str {
        match self {
            Source::Table(table) => &table.hash,
            Source::Space(_, hash) => hash,
        }
    }
}

/// Renders shards, and shows how far it is.
fn render_shards(batch: &Run<'_>, todo: Vec<u64>, console: Console) -> Result<Vec<Shard>, Failure> {
    let frames = batch.job.frames;
    let rows: u64 = todo.iter().map(|&first| batch.job.shard(first)).map(|rows| rows.end - rows.start).sum();
    let mut progress = Progress::new(console, Some(rows * frames), batch.job.rate);
    let made = batch.run(todo, |done| {
        progress.show(done * frames);
        true
    });
    progress.clear();
    made.map_err(|failure| match failure {
        Failure::Io(words) => {
            Failure::Io(format!("{words}\nwhat is finished stays, and --resume goes on with it"))
        }
        other => other,
    })
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

/// Bytes with a unit.
fn sized(bytes: u64) -> String {
    match bytes as f64 {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} kB", b / 1e3),
    }
}

/// Bytes that shards will have, about; of compressed ones, at most.
fn expected(batch: &Run<'_>, todo: &[u64]) -> u64 {
    let rows: u64 = todo.iter().map(|&first| batch.job.shard(first)).map(|rows| rows.end - rows.start).sum();
    let samples = batch.job.frames.saturating_mul(batch.job.channels as u64);
    rows.saturating_mul(batch.job.format.row_bytes(samples))
}

/// Refuses what does not fit the disk.
fn check_room(batch: &Run<'_>, todo: &[u64]) -> Result<(), Failure> {
    let needed = expected(batch, todo);
    match room(&batch.folder) {
        Some(room) if room < needed && batch.job.format != Format::Flac => Err(Failure::Io(format!(
            "`{}`: {} are needed, and {} are free; --format s16 takes half of f32, --format features next to nothing",
            batch.folder.display(),
            sized(needed),
            sized(room)
        ))),
        _ => Ok(()),
    }
}

/// Bytes that are free for this user where a folder is.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Not known.
#[cfg(not(unix))]
fn room(_: &Path) -> Option<u64> {
    None
}

/// Says what a batch would do, and shows its first rows.
fn dry_run(batch: &Run<'_>, range: Range<u64>, console: Console) -> Result<(), Failure> {
    let job = &batch.job;
    let todo: Vec<u64> = batch.shards(range.clone()).collect();
    let total = range.end - range.start;
    let encoder = Encoder::new(job.format, batch.subject, batch.columns, job.frames);
    let mut rows = vec![];
    let first = range.start;
    batch.rows.read(first..range.end.min(first + SHOWN), &mut rows)?;
    let seconds = trial(batch, range)? * total as f64 / batch.threads as f64;
    let mut text = format!(
        "{} of {} frames, {} Hz, {}\n{}, about {}, about {} on {}\n\n",
        count(total as usize, "row"),
        job.frames,
        job.rate,
        count(job.channels, "channel"),
        count(todo.len(), "shard"),
        sized(expected(batch, &todo)),
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
    let mut encoder = Encoder::new(job.format, batch.subject, batch.columns, job.frames);
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
