//! `mamc bench A --edit B`: how long it takes to compile a song, and to compile it again when it was edited.

use super::ms;
use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_song_again, tell};
use crate::console::Console;
use crate::failure::Failure;
use crate::input::Song;
use crate::table::{row, table};
use mam_compiler::CompilationCache;
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is compiled in each round, one after the other with the cache of the one before.
const STEPS: [&str; 3] = ["first", "edit", "back"];

/// The medians of all rounds.
pub(super) struct Edits {
    rounds: u32,
    steps: [Step; 3],
}

/// One compilation of a round.
#[derive(Default)]
struct Step {
    whole: Duration,
    stages: Vec<(&'static str, Duration)>,
    /// How many kernels were compiled.
    fresh: usize,
}

/// Compiles the song, then `other` as an edit of it, then the song again, in each round with an empty cache at first.
pub(super) fn measure(
    args: &SongArgs,
    other: &Path,
    rounds: u32,
    console: Console,
) -> Result<Edits, Failure> {
    let read = |input: &Path| Song::read(input, args.how.stdin_name.as_deref());
    let (song, edited) = (read(&args.input)?, read(other)?);
    let mut all: [Vec<Step>; 3] = Default::default();
    for round in 0..rounds {
        let mut cache = CompilationCache::default();
        for (steps, song) in all.iter_mut().zip([&song, &edited, &song]) {
            let song = song.clone();
            let began = Instant::now();
            let Compiled { compilation, problems, sources, .. } =
                compile_song_again(song, &args.how, &mut cache);
            let whole = began.elapsed();
            // An edit so soon after the last is rare.
            cache.finish_tier_up();
            if round == 0 && steps.is_empty() {
                tell(&problems, &sources, console);
            }
            if compilation.program.is_none() {
                return Err(Failure::Input);
            }
            steps.push(Step { whole, stages: compilation.timings, fresh: cache.fresh() });
        }
    }
    Ok(Edits { rounds, steps: all.map(|steps| Step::median(&steps)) })
}

impl Step {
    /// The median of each figure by itself.
    fn median(steps: &[Step]) -> Step {
        let median = |figure: &dyn Fn(&Step) -> Duration| {
            let mut all: Vec<Duration> = steps.iter().map(figure).collect();
            all.sort();
            all[(all.len() - 1) / 2]
        };
        let stages = steps[0].stages.iter().enumerate();
        Step {
            whole: median(&|step| step.whole),
            stages: stages.map(|(i, (name, _))| (*name, median(&|step| step.stages[i].1))).collect(),
            fresh: steps[0].fresh,
        }
    }
}

impl Edits {
    /// As JSON.
    pub(super) fn document(&self) -> Value {
        let step = |step: &Step| {
            let stages: Vec<_> =
                step.stages.iter().map(|(n, t)| json!({ "stage": n, "ms": ms(*t) })).collect();
            json!({ "compileMs": ms(step.whole), "kernels": step.fresh, "stages": stages })
        };
        let steps = STEPS.iter().zip(&self.steps).map(|(name, s)| ((*name).to_string(), step(s)));
        let rounds = ("rounds".to_string(), self.rounds.into());
        Value::Object(std::iter::once(rounds).chain(steps).collect())
    }
}

impl fmt::Display for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, ..] = &self.steps;
        let line = |name: &str, cell: &dyn Fn(&Step) -> String| {
            std::iter::once(name.to_string()).chain(self.steps.iter().map(cell)).collect::<Vec<_>>()
        };
        let mut rows = vec![row(&[&["ms"], &STEPS[..]].concat())];
        for (i, (name, _)) in first.stages.iter().enumerate() {
            rows.push(line(name, &|step| format!("{:.3}", ms(step.stages[i].1))));
        }
        rows.push(line("all", &|step| format!("{:.3}", ms(step.whole))));
        rows.push(line("kernels made", &|step| step.fresh.to_string()));
        f.write_str(&table(&rows))
    }
}
