//! The song of a batch: compiled once, and what it takes to vary it.

use super::hash::sha256;
use super::job::{FileHash, SongHash};
use super::machine::Idle;
use crate::args::HowArgs;
use crate::compiling::{Compiled, compile_score};
use crate::failure::Failure;
use crate::input::Song;
pub use mam_compiler::dimension::Dimension;
pub use mam_compiler::library::ParamInfo;
use mam_compiler::plan::NoiseWord;
use mam_compiler::seed::reseed;
use mam_compiler::sets::Settable;
use mam_compiler::{Compilation, Stages};
use mam_runtime::Program;
use mam_runtime::ids::ParamId;
use mam_runtime::score::set_at_start;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// A compiled song, of which variants are rendered.
pub struct Subject {
    /// The song as it was compiled.
    pub program: Arc<Program>,
    /// What of it can be set.
    pub settable: Settable,
    /// The parameters that the score sets as the song starts, so that a row's value would not be heard.
    pub(super) set_by_score: BTreeSet<ParamId>,
    /// What is put before plain names of parameters: the one instrument of a song that was made from its name.
    pub prefix: String,
    /// Its title, where its text has one.
    pub title: Option<String>,
    /// Its text and the files that it uses, for those who compare.
    pub hash: SongHash,
    /// Whether it is for the portable target.
    pub is_portable: bool,
    /// What was set for all rows: `--set`, `--seed` and limits, as they were written.
    pub settings: Vec<String>,
    seed: u64,
    noises: Vec<NoiseWord>,
    /// Whether the score changes with the seed.
    draws: bool,
    song: Song,
    how: HowArgs,
    /// The engine that rendered last.
    pub(super) idle: Idle,
}

impl Subject {
    /// The song of a compilation that had no errors; `song` is its text, and `how` how it was compiled.
    ///
    /// # Errors
    /// When it has no program, or a file that it used is not there any more.
    pub fn new(mut compiled: Compiled, song: Song, how: &HowArgs) -> Result<Subject, Failure> {
        let title = compiled.title().map(str::to_string);
        let hash = song_hash(&compiled, &song)?;
        let program = compiled.take_program()?;
        let Compilation { stages, .. } = &mut compiled.compilation;
        let draws = stages.score_draws();
        let settable = Settable::new(&stages.lowered.slots);
        Ok(Subject {
            idle: Idle::default(),
            set_by_score: set_at_start(&program),
            program,
            settable,
            prefix: song.prefix.clone(),
            title,
            hash,
            is_portable: !stages.target.fma,
            settings: settings(how),
            seed: stages.seed,
            noises: std::mem::take(&mut stages.plan.noises),
            draws,
            song,
            how: how.clone(),
        })
    }

    /// Channels of the result.
    pub fn channels(&self) -> usize {
        self.program.outputs.len()
    }

    /// Gives `program`, a variant of this song, the noise of a seed.
    pub(super) fn reseed(&self, program: &mut Program, seed: u64) {
        let state = Arc::make_mut(&mut program.state);
        state.copy_from_slice(&self.program.state);
        reseed(state, &self.noises, self.seed, seed);
    }

    /// The compilation that tells what the score draws from a seed; `None` where it draws nothing.
    pub(super) fn score_stages(&self) -> Option<Stages> {
        self.draws.then(|| compile_score(self.song.clone(), &self.how).compilation.stages)
    }

    /// The seed of rows that have none of their own.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }
}

fn settings(how: &HowArgs) -> Vec<String> {
    let sets = how.sets.iter().map(|set| format!("{}={}", set.name, set.value));
    let limits = how.limits.iter().map(|limit| format!("limit {}={}", limit.name, limit.value));
    let interpreter = how.interp.then(|| "interpreter".to_string());
    sets.chain(how.seed.map(|seed| format!("seed={seed}"))).chain(limits).chain(interpreter).collect()
}

/// What the song is: its text and the files that it uses, by their paths from its folder.
fn song_hash(compiled: &Compiled, song: &Song) -> Result<SongHash, Failure> {
    let source = song.sources.get(song.id);
    let folder = song.path.as_deref().and_then(|path| std::fs::canonicalize(path).ok());
    let folder = folder.as_deref().and_then(Path::parent);
    let mut files: Vec<FileHash> = vec![];
    for path in compiled.used.iter().skip(usize::from(song.path.is_some())) {
        let bytes = std::fs::read(path).map_err(|e| Failure::read(&path.display().to_string(), &e))?;
        let canonical = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let name = folder.and_then(|folder| canonical.strip_prefix(folder).ok()).unwrap_or(&canonical);
        let file = name.display().to_string();
        if files.iter().all(|known| known.file != file) {
            files.push(FileHash { file, hash: sha256(&bytes) });
        }
    }
    files.sort_by(|a, b| a.file.cmp(&b.file));
    let name = Path::new(&*source.name)
        .file_name()
        .map_or_else(|| source.name.to_string(), |name| name.to_string_lossy().into_owned());
    Ok(SongHash { file: name, hash: sha256(source.text.as_bytes()), files })
}
