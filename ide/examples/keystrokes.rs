//! How much CPU time it takes from a keystroke to the problems of the text, in songs of 1000 and 10 000 lines, and what each
//! stage has of it.
//!
//! `cargo run --release -p mam-ide --example keystrokes`, or with other numbers of lines behind `--`. On Unix alone: the time is
//! the thread's own, which other programs do not disturb.

#![expect(clippy::print_stdout, reason = "it is a command")]

use mam_compiler::Options;
use mam_compiler::files::NoFiles;
use mam_compiler::host::{Clock, Host};
use mam_ide::Analyser;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// That of the command.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The CPU time of the thread that asks.
#[derive(Debug)]
struct ThreadTime;

impl Clock for ThreadTime {
    fn now(&self) -> Duration {
        Duration::from_secs_f64(cpu() / 1e3)
    }
}

/// A song of about so many lines: instruments, effects, sections, and comments, as songs have them.
fn song(lines: usize) -> String {
    let mut text = String::from("tempo 120\nknob wet = 30% in 0%..100%\n");
    let (mut names, mut block) = (vec![], 0);
    while text.lines().count() < lines {
        let b = block;
        text += &format!(
            "// block {b}\nbd{b} = kick(f0: {}Hz)\nkeys{b} = bell(ratio: 1, index: 2, decay: 900ms, gain: 0.1, voices: 2)\n\
             wob{b} = lfo({}Hz) * 0.5 + 0.5\nfilt{b} = keys{b} |> lowpass(400Hz + 2kHz * wob{b})\n\
             dry{b} = bd{b} * 80% + pan(filt{b}, {}%)\n\
             section s{b} 4 bars {{\n  bd{b} |x...x...x...x...|\n  keys{b} \"<[a3,c4,e4] [g3,b3,d4]>\".ply(2)\n  \
             keys{b}.gain \"<0.1 0.2>\" over 1 bar\n}}\n",
            50 + b % 100,
            1 + b % 5,
            b % 50,
        );
        names.push(format!("dry{b}"));
        block += 1;
    }
    text += &format!("play {}\n", (0..block).map(|b| format!("s{b}")).collect::<Vec<_>>().join(" "));
    text + &format!("out = softclip(({}) * wet)\n", names.join(" + "))
}

/// The CPU time of this thread, in milliseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn main() {
    const KEYS: usize = 60;
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|lines| lines.parse().ok()).collect();
    for lines in if asked.is_empty() { vec![1000, 10_000] } else { asked } {
        let text = song(lines);
        let host = Host { clock: Some(Arc::new(ThreadTime)), ..Host::default() };
        let mut analyser = Analyser::new(Options { host, ..Options::default() });
        let mut stages: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let first = cpu();
        let analysis = analyser.analyse("song.mam", &text, &NoFiles);
        let (first, problems) = (cpu() - first, analysis.problems().len());
        let (mut times, mut wholes) = (vec![], vec![]);
        for key in 0..KEYS {
            // Numbers and names, good and broken, all over the text.
            let places: Vec<usize> = text.match_indices("Hz").map(|(at, _)| at).collect();
            let mut edited = text.clone();
            edited.insert_str(places[key * places.len() / KEYS], ["1", "x", "0", "("][key % 4]);
            let begun = cpu();
            let mut analysis = analyser.begin("song.mam", &edited, &NoFiles);
            times.push(cpu() - begun);
            analyser.finish(&mut analysis);
            wholes.push(cpu() - begun);
            for &(stage, time) in analysis.timings() {
                stages.entry(stage).or_default().push(time.as_secs_f64() * 1e3);
            }
        }
        let shares = |times: &mut [f64]| {
            times.sort_by(f64::total_cmp);
            (times[KEYS / 2], times[KEYS * 95 / 100])
        };
        let ((p50, p95), whole) = (shares(&mut times), shares(&mut wholes));
        println!(
            "{} lines, {} bytes, {problems} problems: first {first:.1} ms, p50 {p50:.1} ms, p95 {p95:.1} ms; with what is left \
             of the compilation {:.1} ms, {:.1} ms",
            text.lines().count(),
            text.len(),
            whole.0,
            whole.1
        );
        for (stage, mut times) in stages {
            times.sort_by(f64::total_cmp);
            let most = times.len() - 1;
            println!("  {stage}: p50 {:.2} ms, p95 {:.2} ms", times[most / 2], times[most * 95 / 100]);
        }
    }
}
