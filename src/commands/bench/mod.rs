//! `mamc bench`: how fast a song compiles and renders, and where the time goes.

mod counts;
mod edit;

use crate::args::{SongArgs, ThreadArgs};
use crate::compiling::{compile_song_again, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::offline::{Job, Span};
use crate::table::{row, table};
use crate::values::Length;
use clap::Args;
use mam_compiler::CompilationCache;
use mam_runtime::Program;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measure how fast a song compiles and renders
#[derive(Args, Debug)]
#[command(after_help = "\
With --json: { \"nsPerFrame\", \"nsPerFrameQuartiles\": [low, high], \"timesRealTime\", \"frames\", \"rate\",
\"rounds\", \"block\", \"threads\", \"skip\", \"compileMs\", \"settledMs\", \"stages\": [{ \"stage\", \"ms\" }],
\"nodes\": [{ \"node\", \"share\" }] }; with --counts { \"kernels\":
[{ \"kernel\", \"instructions\", \"loads\" }], \"floorNs\" }; with --edit { \"rounds\", \"first\", \"edit\", \"back\": { \"compileMs\",
\"kernels\", \"stages\" } }.")]
pub struct Bench {
    #[command(flatten)]
    song: SongArgs,
    /// Render this much of the song in each round [default: the song once, at least 10 s and at most 300 s of it]
    #[arg(short, long, value_name = "LENGTH")]
    duration: Option<Length>,
    /// Frames to request at a time, as a device does [default: 1024]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    block: Option<u32>,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Do not skip voices and effects that sleep: the difference is what skipping saves
    #[arg(long)]
    no_skip: bool,
    /// Render nothing: compile the song, then this one as an edit of it, and back
    #[arg(long, value_name = "INPUT", conflicts_with_all = ["duration", "block", "threads", "no_skip"])]
    edit: Option<PathBuf>,
    /// Render nothing: count the machine instructions and loads of each kernel a frame, and measure what the engine adds
    #[arg(long, conflicts_with_all = ["duration", "block", "threads", "no_skip", "edit"])]
    counts: bool,
    /// Number of rounds, of which the median is reported
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

/// How much of a song is rendered at least by default.
const LEAST_SECONDS: u64 = 10;

/// How much is rendered at most by default: longer than most songs, and still over soon.
const MOST_SECONDS: u64 = 300;

struct Measured {
    frames: u64,
    /// Nanoseconds a frame: a quarter of the rounds were faster, half of them, three quarters.
    quartiles: [f64; 3],
    /// Each node's share of the time, greatest first.
    shares: Vec<(String, f64)>,
}

impl Bench {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        if let Some(other) = &self.edit {
            let measured = edit::measure(&self.song, other, self.rounds, console)?;
            let document = || json::pretty(&measured.document());
            return console.result(&if self.json { document() } else { measured.to_string() });
        }
        let (began, mut cache) = (Instant::now(), CompilationCache::default());
        let compile = |song| compile_song_again(song, &self.song.how, &mut cache);
        let compiled = compiled_by(&self.song, console, compile)?;
        let compile = began.elapsed();
        cache.finish_tier_up();
        let finished = began.elapsed();
        if self.counts {
            let counted = counts::count(&compiled);
            let document = || json::pretty(&counted.document());
            return console.result(&if self.json { document() } else { counted.to_string() });
        }
        let stages = compiled.compilation.timings;
        let program = Arc::new(compiled.compilation.program.ok_or(Failure::Input)?);
        let measured = self.measure(&program, console)?;
        if self.json {
            let times = (compile, finished, &stages[..]);
            return console.result(&json::pretty(&self.document(&program, times, &measured)));
        }
        let [low, ns, high] = measured.quartiles;
        let threads = mam_grammar::problem::count(self.threads.count(), "thread");
        let mut text = format!(
            "{ns:.2} ns a frame ({low:.2} to {high:.2} in half of the rounds), {:.0} × real time at {} Hz on {threads}\n",
            speed(&program, ns),
            program.rate
        );
        text += &format!(
            "{:.2} ms from the text to the program; {:.2} ms until all of it was fast\n",
            ms(compile),
            ms(finished)
        );
        let mut rows = vec![row(&["stage", "ms"])];
        rows.extend(stages.iter().map(|(name, time)| row(&[name, &format!("{:.3}", ms(*time))])));
        text += &format!("\n{}", table(&rows));
        let mut rows = vec![row(&["node", "share of the time"])];
        rows.extend(
            measured.shares.iter().map(|(name, share)| row(&[name, &format!("{:.1} %", share * 100.0)])),
        );
        console.result(&format!("{text}\n{}", table(&rows)))
    }

    fn document(
        &self,
        program: &Program,
        (compile, finished, stages): (Duration, Duration, &[(&str, Duration)]),
        measured: &Measured,
    ) -> Value {
        let stages: Vec<_> = stages.iter().map(|(n, t)| json!({ "stage": n, "ms": ms(*t) })).collect();
        let nodes: Vec<_> = measured.shares.iter().map(|(n, s)| json!({ "node": n, "share": s })).collect();
        let [low, ns, high] = measured.quartiles;
        json!({
            "nsPerFrame": ns, "nsPerFrameQuartiles": [low, high], "timesRealTime": speed(program, ns),
            "frames": measured.frames, "rate": program.rate, "rounds": self.rounds,
            "block": self.block, "threads": self.threads.count(), "skip": !self.no_skip,
            "compileMs": ms(compile), "settledMs": ms(finished), "stages": stages, "nodes": nodes,
        })
    }

    /// Enough of the song that what it takes to begin does not count: a song of one hit, or none, is over at once.
    fn span(&self, program: &Arc<Program>, console: Console) -> Result<Span, Failure> {
        let once = Job::new(program.clone(), Span::default())?;
        let [least, most] = [LEAST_SECONDS, MOST_SECONDS].map(|seconds| seconds * u64::from(program.rate));
        let frames = if once.endless { least } else { once.end().clamp(least, most) };
        if self.duration.is_none() && !once.endless && once.end() > most {
            let seconds = once.end() / u64::from(program.rate);
            console.say(&format!(
                "note: each round renders {MOST_SECONDS} s of the song's {seconds} s (-d says otherwise)\n"
            ));
        }
        let duration = self.duration.unwrap_or(Length::of_frames(frames));
        Ok(Span { duration: Some(duration), ..Span::default() })
    }

    fn measure(&self, program: &Arc<Program>, console: Console) -> Result<Measured, Failure> {
        let mut job = Job::new(program.clone(), self.span(program, console)?)?;
        job.threads = self.threads.count();
        job.block = self.block.map(|frames| frames as usize);
        job.skip = !self.no_skip;
        let channels = job.channels().max(1);
        let mut rounds = Vec::new();
        let mut frames = 0;
        for _ in 0..self.rounds {
            frames = 0;
            let began = Instant::now();
            job.run(|block| {
                frames += (block.len() / channels) as u64;
                Ok(())
            })?;
            rounds.push(began.elapsed().as_nanos() as f64 / frames.max(1) as f64);
        }
        rounds.sort_by(f64::total_cmp);
        let quartiles = [1, 2, 3].map(|quarter| rounds[(rounds.len() - 1) * quarter / 4]);
        Ok(Measured { frames, quartiles, shares: job.shares() })
    }
}

/// How many times faster than it is heard.
fn speed(program: &Program, ns: f64) -> f64 {
    1e9 / f64::from(program.rate) / ns
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
