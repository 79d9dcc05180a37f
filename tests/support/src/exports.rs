//! Exported songs, compiled by a C compiler and run: what they give, sample by sample.

use mam_compiler::emit::c::{Export, Names, Score, sources};
use mam_compiler::files::NoFiles;
use mam_compiler::target::Target;
use mam_compiler::{Options, Stage, compile};
use mam_grammar::Sources;
use mam_runtime::score::Frames;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A C compiler with its flags.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program and its flags: `gcc`, `-O2`.
    pub words: Vec<String>,
}

impl Compiler {
    /// A compiler by its command line; `None` where there is no such program.
    pub fn find(line: &str) -> Option<Compiler> {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        let there = Command::new(words.first()?).arg("--version").stdout(Stdio::null()).status();
        there.is_ok_and(|status| status.success()).then_some(Compiler { words })
    }

    /// All compilers that a test is to use: those of `MAM_CC`, one a line, else `cc` where there is one.
    pub fn all() -> Vec<Compiler> {
        let lines = std::env::var("MAM_CC").unwrap_or_else(|_| "cc -O1".into());
        lines.lines().filter_map(Compiler::find).collect()
    }

    fn run(&self, args: &[&str], folder: &Path) {
        let mut command = Command::new(&self.words[0]);
        let done = command.args(&self.words[1..]).args(args).current_dir(folder).output();
        let done = done.expect("the compiler was found");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.is_empty(), "{:?} {args:?}\n{said}", self.words);
    }
}

/// Warnings that a song's source must not cause.
const STRICT: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-ffreestanding"];

/// A program that reads commands and plays: `p FRAMES`, `s PARAM VALUE RAMP OFFSET`, `n INSTRUMENT NOTE VEL OFFSET`,
/// `o INSTRUMENT NOTE OFFSET`, `c PASSES`, `r` for the reset and `q`, which writes whether all is silent as a sample on each channel.
const HOST: &str = r#"
#include "song.h"
#include <stdio.h>
#include <stdlib.h>
static unsigned char room[MAM_SONG_BYTES + 64];
static float sound[MAM_SONG_CHANNELS][4096];
static void put(uint32_t frames) {
    uint32_t i, c;
    for (i = 0; i < frames; i++)
        for (c = 0; c < MAM_SONG_CHANNELS; c++) fwrite(&sound[c][i], 4, 1, stdout);
}
int main(void) {
    float* out[MAM_SONG_CHANNELS];
    char word[2];
    unsigned frames, index, ramp, offset, c;
    double value, vel;
    void* memory = (void*)(((uintptr_t)room + 63) / 64 * 64);
    MamSong* song = mam_song_init(memory);
    if (song == 0) return 2;
    for (c = 0; c < MAM_SONG_CHANNELS; c++) out[c] = sound[c];
    while (scanf("%1s", word) == 1) {
        if (word[0] == 'p' && scanf("%u", &frames) == 1) {
            mam_song_process(song, 0, out, frames);
            put(frames);
        } else if (word[0] == 's' && scanf("%u%lf%u%u", &index, &value, &ramp, &offset) == 4) {
            if (!mam_song_set(song, index, value, ramp, offset)) return 3;
        } else if (word[0] == 'n' && scanf("%u%lf%lf%u", &index, &value, &vel, &offset) == 4) {
            if (!mam_song_note_on(song, index, value, vel, offset)) return 4;
        } else if (word[0] == 'o' && scanf("%u%lf%u", &index, &value, &offset) == 3) {
            if (!mam_song_note_off(song, index, value, offset)) return 5;
        } else if (word[0] == 'c' && scanf("%u", &index) == 1) {
            mam_song_score(song, index);
        } else if (word[0] == 'r') {
            song = mam_song_init(memory);
        } else if (word[0] == 'q') {
            for (c = 0; c < MAM_SONG_CHANNELS; c++) sound[c][0] = (float)mam_song_silent(song);
            put(1);
        } else {
            return 6;
        }
    }
    return 0;
}
"#;

/// A song's C source and header, `song.c` and `song.h`, with so many frames of its score.
///
/// # Panics
/// When the text has errors.
pub fn export(name: &str, text: &str, rate: u32, score_frames: u64) -> (String, String) {
    let mut all = Sources::default();
    let id = all.add(name, text);
    let options = Options { rate, target: Target::portable(), until: Stage::Plan, ..Options::default() };
    let compilation = compile(&mut all, id, &NoFiles, &options);
    let program = compilation.program.expect("a song without errors");
    let export = Export {
        program: &program,
        module: &compilation.stages.optimised,
        score: Score { length: Frames::whole(score_frames), once: false },
        names: &Names::new("song"),
        header: "song.h",
        made_by: "a test",
    };
    let made = sources(&export).expect("a song that fits");
    (made.source, made.header)
}

/// Runs an exported song with commands for it (see the host's source), and gives what it has written: a vector a channel.
///
/// # Panics
/// When the compiler says anything, or the program fails.
pub fn play(compiler: &Compiler, (source, header): &(String, String), commands: &str) -> Vec<Vec<f32>> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("song.c", source), ("song.h", header)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    play_in(compiler, folder.path(), &["song.c"], &[], commands)
}

/// The same of a folder that holds `song.h`, these sources, and files that are linked with them.
///
/// # Panics
/// When the compiler says anything, or the program fails.
pub fn play_in(
    compiler: &Compiler,
    folder: &Path,
    sources: &[&str],
    linked: &[&str],
    commands: &str,
) -> Vec<Vec<f32>> {
    let path = |name: &str| folder.join(name);
    for (name, text) in [("host.c", HOST), ("commands", commands)] {
        fs::write(path(name), text).expect("written");
    }
    let objects: Vec<String> = sources.iter().map(|source| format!("{source}.o")).collect();
    for (source, object) in sources.iter().zip(&objects) {
        let strict: Vec<&str> = STRICT.into_iter().chain(["-c", source, "-o", object]).collect();
        compiler.run(&strict, folder);
    }
    let mut link = vec!["-std=c99", "host.c"];
    link.extend(objects.iter().map(String::as_str).chain(linked.iter().copied()));
    link.extend(["-o", "host"]);
    compiler.run(&link, folder);
    let input = fs::File::open(path("commands")).expect("written before");
    // What is made for another processor runs where its emulator is registered, or is named here.
    let emulator = std::env::var("MAM_EMULATOR").unwrap_or_default();
    let mut words = emulator.split_whitespace();
    let mut host = match words.next() {
        Some(program) => Command::new(program),
        None => Command::new(path("host")),
    };
    host.args(words);
    if !emulator.is_empty() {
        host.arg(path("host"));
    }
    let done = host.stdin(input).output().expect("it was compiled");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{:?}: {said}", done.status);
    let header = fs::read_to_string(path("song.h")).expect("a header");
    let count =
        header.lines().find_map(|line| line.strip_prefix("#define MAM_SONG_CHANNELS ")).expect("a header");
    let count: usize = count.trim_end_matches('u').parse().expect("a number");
    let samples: Vec<f32> = done.stdout.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
    (0..count).map(|channel| samples.iter().skip(channel).step_by(count).copied().collect()).collect()
}

/// Renders so many frames of a text by its C, with its score once, in blocks of whole quanta.
///
/// # Panics
/// When the text has errors, or its C does.
pub fn render_c(compiler: &Compiler, name: &str, text: &str, rate: u32, frames: usize) -> Vec<Vec<f32>> {
    // A render begins with the music, C with the silence before it.
    let late = crate::render::program(name, text, rate, false).latency as usize;
    let blocks = "p 512\n".repeat((late + frames).div_ceil(512));
    let export = export(name, text, rate, (late + frames) as u64);
    let mut sound = play(compiler, &export, &format!("c 1\n{blocks}"));
    for channel in &mut sound {
        channel.drain(..late);
        channel.truncate(frames);
    }
    sound
}
