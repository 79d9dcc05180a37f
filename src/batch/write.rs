//! A batch from its rows to its manifest: what the command and the Python package do.

use super::columns::{Column, Columns};
use super::features::{Feature, Selection};
use super::format::Format;
use super::hash::sha256;
use super::job::{Job, Manifest, Params, Shard};
use super::run::Batch;
use super::space::Space;
use super::table::{Syntax, Table};
use super::{Row, Rows, Subject};
use crate::failure::Failure;
use crate::input;
use crate::output::{Inputs, create_folder};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the rows of a batch come from.
pub enum Source<'s> {
    /// A CSV or JSONL file.
    Table(Table<'s>),
    /// A TOML file, and its hash.
    Space(Space<'s>, String),
    /// A list in memory.
    Memory(Memory),
}

/// Rows that are in memory, with the names of their columns.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The names of the columns, in the order in which they first appear.
    pub names: Vec<String>,
    /// The rows, in order.
    pub rows: Vec<Row>,
}

impl<'s> Source<'s> {
    /// Reads a file of rows and checks them; its ending says how it is written.
    ///
    /// # Errors
    /// When it cannot be read, or columns or values are wrong.
    pub fn read(path: &Path, columns: Columns<'s>) -> Result<Source<'s>, Failure> {
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

    /// The rows, by number.
    pub fn rows(&self) -> &dyn Rows {
        match self {
            Source::Table(table) => table,
            Source::Space(space, _) => space,
            Source::Memory(memory) => &memory.rows,
        }
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        match self {
            Source::Table(table) => &table.names,
            Source::Space(space, _) => &space.names,
            Source::Memory(memory) => &memory.names,
        }
    }

    fn params(&self) -> Params {
        let (source, hash) = match self {
            Source::Table(table) => (table.file(), table.hash.clone()),
            Source::Space(space, hash) => (space.file.clone(), hash.clone()),
            Source::Memory(memory) => ("memory".into(), sha256(format!("{:?}", memory.rows).as_bytes())),
        };
        Params { source, hash }
    }
}

/// How a batch is written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of its shards.
    pub folder: PathBuf,
    /// Frames of a row, at least 1.
    pub frames: u64,
    /// How the sound is kept.
    pub format: Format,
    /// What is measured where the format is [`Format::Features`], in any order; all where it is empty.
    pub features: Vec<Feature>,
    /// The rows that are rendered, whole shards; all where `None`.
    pub range: Option<Range<u64>>,
    /// Rows of a shard, at least 1.
    pub shard_rows: u64,
    /// How many threads render, at least 1.
    pub threads: usize,
    /// The column that is the seed; `seed` where `None`.
    pub seed_column: Option<String>,
    /// Whether values beyond a range are taken for its nearest.
    pub clamp: bool,
    /// Whether silent rows count as failed.
    pub no_silence: bool,
    /// Whether a batch that is there goes on.
    pub resume: bool,
    /// Whether the bytes of finished shards are looked at.
    pub verify: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            folder: PathBuf::new(),
            frames: 0,
            format: Format::F32,
            features: vec![],
            range: None,
            shard_rows: 10_000,
            threads: mam_runtime::all_threads(),
            seed_column: None,
            clamp: false,
            no_silence: false,
            resume: false,
            verify: false,
        }
    }
}

/// A batch that has been checked.
pub struct Plan<'s> {
    subject: &'s Subject,
    rows: &'s dyn Rows,
    columns: Vec<(String, Column)>,
    job: Job,
    settings: &'s Settings,
    inputs: Inputs,
    /// The rows that are rendered: whole shards.
    pub range: Range<u64>,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Rows that were there already.
    pub finished: u64,
    /// Rows that are to be rendered.
    pub todo: u64,
    /// Rows of these that have been rendered.
    pub done: u64,
}

/// A batch that was written.
pub struct Written {
    /// What its shards are.
    pub manifest: Manifest,
    /// Where that was written.
    pub path: PathBuf,
    /// Rows that were rendered for it, and not there already.
    pub fresh: u64,
}

/// Checks what is to be rendered.
///
/// # Errors
/// When the settings ask for what cannot be.
pub fn plan<'s>(
    subject: &'s Subject,
    source: &'s Source<'s>,
    settings: &'s Settings,
    inputs: Inputs,
) -> Result<Plan<'s>, Failure> {
    let rows = source.rows();
    if let Some(seed) = settings.seed_column.as_ref().filter(|seed| !source.names().contains(seed)) {
        return Err(Failure::Usage(format!("the rows have no column `{seed}`, which is to be the seed")));
    }
    if settings.frames == 0 || rows.count() == 0 {
        return Err(Failure::Usage("there is at least one row, of at least one frame".into()));
    }
    if !settings.features.is_empty() && settings.format != Format::Features {
        return Err(Failure::Usage(format!(
            "--features is for --format features: the rows of {} hold sound",
            settings.format.name()
        )));
    }
    let measured = || Selection::new(&settings.features).features().to_vec();
    let columns = Columns::new(subject, settings.seed_column.as_deref().unwrap_or("seed"), settings.clamp);
    let named = |name: &String| Some((name.clone(), columns.find(name).ok()?));
    let job = Job {
        mam: 1,
        mamc: env!("CARGO_PKG_VERSION").into(),
        target: if subject.is_portable { "portable" } else { "fma" }.into(),
        song: subject.hash.clone(),
        settings: subject.settings.iter().cloned().chain(settings.clamp.then(|| "clamp".into())).collect(),
        rate: subject.program.rate,
        channels: subject.channels(),
        frames: settings.frames,
        format: settings.format,
        features: if settings.format == Format::Features { measured() } else { vec![] },
        rows: rows.count(),
        params: source.params(),
        columns: source.names().to_vec(),
        shard_rows: settings.shard_rows,
        no_silence: settings.no_silence,
    };
    let range = range(settings.range.clone(), &job)?;
    let columns = source.names().iter().filter_map(named).collect();
    Ok(Plan { subject, rows, columns, job, settings, inputs, range })
}

impl Plan<'_> {
    /// The batch that is to be run.
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            subject: self.subject,
            rows: self.rows,
            columns: &self.columns,
            job: self.job.clone(),
            folder: self.settings.folder.clone(),
            inputs: self.inputs.clone(),
            threads: self.settings.threads,
        }
    }
}

/// Shards that are made at once: each is two files of a folder and a line of the manifest, which is in memory.
const MOST_SHARDS: u64 = 1 << 20;

/// The rows that are rendered: whole shards, and no more than are made at once.
fn range(asked: Option<Range<u64>>, job: &Job) -> Result<Range<u64>, Failure> {
    let range = whole_shards(asked, job)?;
    let rows = range.end - range.start;
    let shards = rows.div_ceil(job.shard_rows);
    if shards > MOST_SHARDS {
        return Err(Failure::Usage(format!(
            "{rows} rows in shards of {} are {shards} shards, and {MOST_SHARDS} are made at once: \
             --shard-rows {} makes them larger, --rows {}..{} takes a part",
            job.shard_rows,
            rows.div_ceil(MOST_SHARDS),
            range.start,
            range.start + MOST_SHARDS * job.shard_rows
        )));
    }
    Ok(range)
}

/// The rows that are asked for, if they are whole shards.
fn whole_shards(asked: Option<Range<u64>>, job: &Job) -> Result<Range<u64>, Failure> {
    let Some(Range { start, end }) = asked else { return Ok(0..job.rows) };
    if end > job.rows {
        return Err(Failure::Usage(format!("--rows {start}..{end}: the rows are 0..{}", job.rows)));
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

/// Renders what is not there yet, and writes the manifest. `tell` hears from time to time how far it is, and may stop it by
/// returning false.
///
/// # Errors
/// When the folder holds another batch, or something cannot be read or written. What is finished then stays.
pub fn write(
    subject: &Subject,
    source: &Source<'_>,
    settings: &Settings,
    inputs: Inputs,
    mut tell: impl FnMut(Moment) -> bool,
) -> Result<Written, Failure> {
    let plan = plan(subject, source, settings, inputs)?;
    let batch = plan.batch();
    let is_new = !batch.folder.exists();
    create_folder(&batch.folder)?;
    let is_begun = batch.job.is_begun(&batch.folder, settings.resume)?;
    let (mut shards, mut todo) = (vec![], vec![]);
    for first in batch.shards(plan.range.clone()) {
        match Shard::finished(&batch.folder, &batch.job, first, settings.verify)? {
            Some(shard) => shards.push(shard),
            None => todo.push(first),
        }
    }
    if let Err(failure) = check_room(&batch, &todo) {
        if is_new {
            // What was made for nothing is empty.
            let _ = std::fs::remove_dir(&batch.folder);
        }
        return Err(failure);
    }
    if !is_begun {
        batch.job.begin(&batch.folder)?;
    }
    let finished = shards.iter().map(|shard| shard.rows).sum();
    let fresh = batch.row_count(&todo);
    let made = batch.run(todo, |done| tell(Moment { finished, todo: fresh, done }));
    shards.extend(made.map_err(|failure| match failure {
        Failure::Io(words) => {
            Failure::Io(format!("{words}\nwhat is finished stays, and --resume goes on with it"))
        }
        other => other,
    })?);
    shards.sort_by_key(|shard| shard.first);
    let named: Vec<(String, Shard)> = shards.into_iter().map(|shard| (shard.file.clone(), shard)).collect();
    let manifest = Manifest::new(&batch.job, &named);
    let path = manifest.write(&batch.folder)?;
    Ok(Written { manifest, path, fresh })
}

/// Refuses what does not fit the disk.
fn check_room(batch: &Batch<'_>, todo: &[u64]) -> Result<(), Failure> {
    let needed = batch.expected_bytes(todo);
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

/// Bytes with a unit.
pub fn sized(bytes: u64) -> String {
    match bytes as f64 {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} kB", b / 1e3),
    }
}

/// Bytes that are free for this user where a folder is.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Not known on this system.
#[cfg(not(unix))]
fn room(_: &Path) -> Option<u64> {
    None
}
