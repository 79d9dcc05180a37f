//! What is known of a batch beside its sound: what it was made of, so that it is never mixed with another; its shards, and what
//! failed in them.
//!
//! A folder holds `job.json` ([`Job`]), written first; `shard-N.ENDING` with `shard-N.json` ([`Shard`]), written after it; and
//! at the end `manifest.json` ([`Manifest`]). None of them says when or where it was made: the same rows give the same bytes.

use super::features::Feature;
use super::format::Format;
use super::hash::{Hasher, hex, sha256};
use crate::failure::Failure;
use crate::json;
use crate::output::{Inputs, write_text};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything that the bytes of all shards follow from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Version of this format.
    pub mam: u32,
    /// Version of mamc: another one may compute other bits.
    pub mamc: String,
    /// `portable`, whose bits are the same on every machine, or `fma`, for machines that have this instruction.
    pub target: String,
    /// The song that is rendered, and its files.
    pub song: SongHash,
    /// What was set for all rows: `--set`, `--seed`, limits.
    pub settings: Vec<String>,
    /// Sample rate in frames a second.
    pub rate: u32,
    /// Channels of a frame.
    pub channels: usize,
    /// Frames of a row.
    pub frames: u64,
    /// How the sound is kept in shards.
    pub format: Format,
    /// What is measured of each row, in the order of [`Feature`]; nothing where sound is kept.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub features: Vec<Feature>,
    /// How many rows there are in all.
    pub rows: u64,
    /// Where they come from.
    pub params: Params,
    /// The names of their columns, in the order of the source.
    pub columns: Vec<String>,
    /// Rows of a shard; the last may have fewer.
    pub shard_rows: u64,
    /// Whether silent rows count as failed.
    pub no_silence: bool,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The name of the file.
    pub source: String,
    /// The hash of the bytes of the file.
    pub hash: String,
}

/// A song, for those who compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SongHash {
    /// The name of its file, without folders.
    pub file: String,
    /// The hash of its text.
    pub hash: String,
    /// The files that it uses.
    pub files: Vec<FileHash>,
}

/// A file, for those who compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileHash {
    /// Its path, from the song's folder.
    pub file: String,
    /// The hash of its bytes.
    pub hash: String,
}

/// What `shard-N.json` says of a shard that is finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// The hash of its job.
    pub job: String,
    /// The name of its file.
    pub file: String,
    /// The number of its first row.
    pub first: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The hash of them.
    pub hash: String,
    /// Rows that did not sound as they should.
    pub failed: Vec<FailedRow>,
}

/// A row that did not sound as it should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedRow {
    /// The number of the row, from 0.
    pub row: u64,
    /// What its maker calls it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// What went wrong, in a sentence.
    pub why: String,
}

/// What `manifest.json` says of all shards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What the shards were made of.
    #[serde(flatten)]
    pub job: Job,
    /// How many rows failed.
    pub failed: u64,
    /// The shards, in order.
    pub shards: Vec<ManifestShard>,
}

/// A shard in a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestShard {
    /// Its file, from the manifest's folder.
    pub file: String,
    /// The number of its first row.
    pub first: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The hash of them.
    pub hash: String,
}

const JOB: &str = "job.json";
const MANIFEST: &str = "manifest.json";

impl Job {
    /// The hash by which shards know it.
    pub fn hash(&self) -> String {
        sha256(json::pretty(self).as_bytes())
    }

    /// The rows of a shard, by its first.
    pub fn shard(&self, first: u64) -> std::ops::Range<u64> {
        first..self.rows.min(first + self.shard_rows)
    }

    /// The name of a shard's file.
    pub fn file(&self, first: u64) -> String {
        format!("shard-{first:09}.{}", self.format.ending())
    }

    /// Writes what the folder is going to hold.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, folder: &Path) -> Result<(), Failure> {
        write_text(&folder.join(JOB), &json::pretty(self), &Inputs::default())
    }

    /// Whether the folder holds this job already, to go on with.
    ///
    /// # Errors
    /// When the folder holds another job, or holds this one and `resume` is false.
    pub fn is_begun(&self, folder: &Path, resume: bool) -> Result<bool, Failure> {
        match Job::read(folder)? {
            None => Ok(false),
            Some(_) if !resume => Err(Failure::Usage(format!(
                "`{}` holds a batch already: --resume goes on with it, or -o names another folder",
                folder.display()
            ))),
            Some(other) => self.check_same(&other, folder).map(|()| true),
        }
    }

    /// The job of a folder, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is not one.
    pub fn read(folder: &Path) -> Result<Option<Job>, Failure> {
        read(&folder.join(JOB))
    }

    /// Fails where another job differs, and says in what.
    ///
    /// # Errors
    /// When it does.
    pub fn check_same(&self, other: &Job, folder: &Path) -> Result<(), Failure> {
        let (mine, theirs) = (leaves(self), leaves(other));
        let differs = |(name, value): &(String, String)| {
            let there = theirs.iter().find(|(other, _)| other == name).map_or("nothing", |(_, value)| value);
            (there != value).then(|| format!("  {name}: {there} there, {value} now"))
        };
        let mut lines: Vec<String> = mine.iter().filter_map(differs).collect();
        let gone = theirs.iter().filter(|(name, _)| mine.iter().all(|(other, _)| other != name));
        lines.extend(gone.map(|(name, value)| format!("  {name}: {value} there, nothing now")));
        if lines.is_empty() {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "`{}` holds another batch, and the two are not mixed:\n{}",
            folder.display(),
            lines.join("\n")
        )))
    }
}

/// Each value of a document by its path.
fn leaves(job: &Job) -> Vec<(String, String)> {
    fn gather(path: String, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
        use serde_json::Value;
        let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| gather(below(name), value, into)),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(i, value)| gather(format!("{path}[{i}]"), value, into));
            }
            other => into.push((path, other.to_string())),
        }
    }
    let mut all = vec![];
    gather(String::new(), &serde_json::to_value(job).unwrap_or_default(), &mut all);
    all
}

impl Shard {
    fn path(folder: &Path, file: &str) -> PathBuf {
        folder.join(file).with_extension("json")
    }

    /// Writes what is known of it, after its file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        write_text(&Shard::path(folder, &self.file), &json::pretty(self), &Inputs::default())
    }

    /// The shard of a job that begins with a row, if it was finished; with `verify`, its bytes are looked at, too.
    ///
    /// # Errors
    /// When it is of another job, or its file is not what was written.
    pub fn finished(folder: &Path, job: &Job, first: u64, verify: bool) -> Result<Option<Shard>, Failure> {
        let file = job.file(first);
        let Some(shard): Option<Shard> = read(&Shard::path(folder, &file))? else { return Ok(None) };
        let path = folder.join(&file);
        let wrong = |what: &str| {
            Failure::WrongInput(format!(
                "`{}`: {what}; remove it and its .json to have it made again",
                path.display()
            ))
        };
        let rows = job.shard(first);
        if shard.job != job.hash() || shard.first != first || shard.rows != rows.end - rows.start {
            return Err(wrong("its .json is of another batch"));
        }
        match std::fs::metadata(&path) {
            // What is gone is made again, with its .json.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Failure::read(&path.display().to_string(), &e)),
            Ok(file) if file.len() != shard.bytes => {
                return Err(wrong(&format!("it has {} bytes, and had {}", file.len(), shard.bytes)));
            }
            Ok(_) => {}
        }
        if verify && hash_file(&path)? != shard.hash {
            return Err(wrong("its bytes are not those that were written"));
        }
        Ok(Some(shard))
    }
}

impl Manifest {
    /// Of shards in order, each with its file's path from the manifest's folder.
    pub fn new(job: &Job, shards: &[(String, Shard)]) -> Manifest {
        let failed = shards.iter().map(|(_, shard)| shard.failed.len() as u64).sum();
        let shard = |(file, shard): &(String, Shard)| ManifestShard {
            file: file.clone(),
            first: shard.first,
            rows: shard.rows,
            bytes: shard.bytes,
            hash: shard.hash.clone(),
        };
        Manifest { job: job.clone(), failed, shards: shards.iter().map(shard).collect() }
    }

    /// Writes it into a folder: `manifest.json`, or where it has a part of the rows alone, with their numbers in its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let first = self.shards.first().map_or(0, |shard| shard.first);
        let end = self.shards.last().map_or(0, |shard| shard.first + shard.rows);
        let name = match (first, end) {
            (0, end) if end == self.job.rows => MANIFEST.to_string(),
            _ => format!("manifest-{first:09}-{end:09}.json"),
        };
        let path = folder.join(name);
        write_text(&path, &json::pretty(self), &Inputs::default())?;
        Ok(path)
    }
}

/// Joins what several folders hold of one job, and writes a manifest of all of it into `target`.
///
/// # Errors
/// When they are of different jobs, or rows are missing; when something cannot be read or written.
pub fn merge(folders: &[PathBuf], target: &Path, verify: bool) -> Result<(Manifest, PathBuf), Failure> {
    let mut job: Option<Job> = None;
    for folder in folders {
        let other = Job::read(folder)?.ok_or_else(|| {
            Failure::Usage(format!("`{}` holds no batch: it has no {JOB}", folder.display()))
        })?;
        match &job {
            None => job = Some(other),
            Some(job) => job.check_same(&other, folder)?,
        }
    }
    let Some(job) = job else { return Err(Failure::Usage("no folder is given".into())) };
    let mut shards: Vec<(String, Shard)> = vec![];
    let mut first = 0;
    while first < job.rows {
        let mut found = None;
        for folder in folders {
            if let Some(shard) = Shard::finished(folder, &job, first, verify)? {
                found = Some((relative(folder, target).join(&shard.file).display().to_string(), shard));
                break;
            }
        }
        let Some(shard) = found else {
            let end = job.shard(first).end;
            return Err(Failure::WrongInput(format!(
                "rows {first}..{end} are in none of the folders: `mamc batch … --rows {first}..{end}` makes them"
            )));
        };
        shards.push(shard);
        first += job.shard_rows;
    }
    let manifest = Manifest::new(&job, &shards);
    let path = manifest.write(target)?;
    Ok((manifest, path))
}

/// The path from `base` to `folder`; the whole one where neither lies beside or below the other.
fn relative(folder: &Path, base: &Path) -> PathBuf {
    let canonical = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (folder, base) = (canonical(folder), canonical(base));
    let shared = folder.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(shared).map(|_| std::path::Component::ParentDir);
    up.chain(folder.components().skip(shared)).collect()
}

/// Reads a document; `None` where there is no such file.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|e| Failure::read(&path.display().to_string(), &e))?,
    };
    let document = serde_json::from_str(&text);
    document.map(Some).map_err(|e| {
        Failure::WrongInput(format!(
            "`{}` is not what a batch writes: {e}; remove it, and --resume makes it again",
            path.display()
        ))
    })
}

fn hash_file(path: &Path) -> Result<String, Failure> {
    use std::io::Read;
    let failed = |e: std::io::Error| Failure::read(&path.display().to_string(), &e);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut hasher, mut block) = (Hasher::default(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(failed)? {
            0 => return Ok(hex(hasher)),
            bytes => hasher.add(&block[..bytes]),
        }
    }
}
