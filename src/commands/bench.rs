//! `mamc bench`: how fast a song compiles and renders, and where the time goes.

use crate::args::{SongArgs, ThreadArgs};
use crate::compiling::compiled;
use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::offline::{Job, Span};
use crate::table::{row, table};
use crate::values::Length;
use clap::Args;
use mam_runtime::Program;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measure how fast a song compiles and renders
#[derive(Args, Debug)]
pub struct Bench {
    #[command(flatten)]
    song: SongArgs,
    /// How much of the song is rendered in each round
    #[arg(short, long, value_name = "LENGTH")]
    duration: Option<Length>,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Rounds; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

struct Measured {
    frames: u64,
    /// The median round.
    time: Duration,
    /// Each node's share of the time, greatest first.
    shares: Vec<(String, f64)>,
}

impl Bench {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let began = Instant::now();
        let compiled = compiled(&self.song, console)?;
        let compile = began.elapsed();
        let stages = compiled.compilation.timings;
        let program = Arc::new(compiled.compilation.program.ok_or(Failure::Input)?);
        let measured = self.measure(&program)?;
        let ns = measured.time.as_nanos() as f64 / measured.frames.max(1) as f64;
        let speed = 1e9 / f64::from(program.rate) / ns;
        if self.json {
            let stages: Vec<_> = stages.iter().map(|(n, t)| json!({ "stage": n, "ms": ms(*t) })).collect();
            let nodes: Vec<_> =
                measured.shares.iter().map(|(n, s)| json!({ "node": n, "share": s })).collect();
            return console.result(&json::pretty(&json!({
                "nsPerFrame": ns, "timesRealTime": speed, "frames": measured.frames, "rate": program.rate,
                "compileMs": ms(compile), "stages": stages, "nodes": nodes,
            })));
        }
        let mut text = format!("{ns:.2} ns a frame, {speed:.0} × real time at {} Hz\n", program.rate);
        text += &format!("{:.2} ms from the text to the program\n", ms(compile));
        let mut rows = vec![row(&["stage", "ms"])];
        rows.extend(stages.iter().map(|(name, time)| row(&[name, &format!("{:.3}", ms(*time))])));
        text += &format!("\n{}", table(&rows));
        let mut rows = vec![row(&["node", "share of the time"])];
        rows.extend(
            measured.shares.iter().map(|(name, share)| row(&[name, &format!("{:.1} %", share * 100.0)])),
        );
        console.result(&format!("{text}\n{}", table(&rows)))
    }

    fn measure(&self, program: &Arc<Program>) -> Result<Measured, Failure> {
        let span = Span { duration: self.duration, ..Span::default() };
        let mut rounds = Vec::new();
        let mut frames = 0;
        for _ in 0..self.rounds {
            let mut job = Job::new(program.clone(), span)?;
            job.threads = self.threads.count();
            let channels = job.channels().max(1);
            frames = 0;
            let began = Instant::now();
            job.run(|block| {
                frames += (block.len() / channels) as u64;
                Ok(())
            })?;
            rounds.push(began.elapsed());
        }
        rounds.sort();
        let shares = Job::new(program.clone(), span)?.shares();
        Ok(Measured { frames, time: rounds[rounds.len() / 2], shares })
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
