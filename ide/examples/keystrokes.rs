//! How much CPU time it takes from a keystroke to the problems of the text, in songs of 1000 and 10 000 lines.
//!
//! `cargo run --release -p mam-ide --example keystrokes`. On Linux alone: the kernel counts a thread's time in
//! `/proc/thread-self/schedstat`, which other programs do not disturb.

#![expect(clippy::print_stdout, reason = "it is a command")]

use mam_compiler::files::NoFiles;
use mam_ide::Analyser;
use std::fs;

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
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e6
}

fn main() {
    const KEYS: usize = 60;
    for lines in [1000, 10_000] {
        let text = song(lines);
        let mut analyser = Analyser::default();
        let first = cpu();
        let analysis = analyser.analyse("song.mam", &text, &NoFiles);
        let (first, problems) = (cpu() - first, analysis.problems().len());
        let mut times = vec![];
        for key in 0..KEYS {
            // Numbers and names, good and broken, all over the text.
            let places: Vec<usize> = text.match_indices("Hz").map(|(at, _)| at).collect();
            let mut edited = text.clone();
            edited.insert_str(places[key * places.len() / KEYS], ["1", "x", "0", "("][key % 4]);
            let begun = cpu();
            analyser.analyse("song.mam", &edited, &NoFiles);
            times.push(cpu() - begun);
        }
        times.sort_by(f64::total_cmp);
        let (p50, p95) = (times[KEYS / 2], times[KEYS * 95 / 100]);
        println!(
            "{} lines, {} bytes, {problems} problems: first {first:.1} ms, p50 {p50:.1} ms, p95 {p95:.1} ms",
            text.lines().count(),
            text.len()
        );
    }
}
