//! Kits of folders, and sound files that are found by their hashes.

use mam_compiler::target::Target;
use mam_compiler::{Compilation, Options, compile};
use mam_grammar::Sources;
use mam_testing::render::render_program;
use mamc::input::Disk;
use mamc::sounds::sound_hash;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with a song, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mam-folders-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("sounds/dusty")).unwrap();
        Folder(path)
    }

    /// Writes a sound whose samples are all `level`.
    fn wav(&self, name: &str, level: f32) -> PathBuf {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let path = self.0.join(name);
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        (0..4800).for_each(|_| writer.write_sample(level).unwrap());
        writer.finalize().unwrap();
        path
    }

    fn compile(&self, text: &str) -> (Compilation, Disk) {
        self.compile_with(text, &Options::default())
    }

    fn compile_with(&self, text: &str, options: &Options) -> (Compilation, Disk) {
        let song = self.0.join("song.mam");
        fs::write(&song, text).unwrap();
        let mut sources = Sources::default();
        let id = sources.add(song.to_string_lossy().as_ref(), text);
        let options =
            Options { rate: 48_000, interpreter: true, target: Target::portable(), ..options.clone() };
        let disk = Disk::new(Some(&song), false);
        let compilation = compile(&mut sources, id, &disk, &options);
        (compilation, disk)
    }

    /// The codes of what is wrong, and the messages of it.
    fn problems(&self, text: &str) -> Vec<(&'static str, String)> {
        let problems = self.compile(text).0.problems.into_sorted();
        problems
            .into_iter()
            .map(|p| (p.code.name, format!("{} {}", p.message, p.help.unwrap_or_default())))
            .collect()
    }

    fn codes(&self, text: &str) -> Vec<&'static str> {
        self.problems(text).into_iter().map(|(code, _)| code).collect()
    }

    /// The left channel of so many frames.
    fn heard(&self, text: &str, frames: u64) -> Vec<f32> {
        let (compilation, _) = self.compile(text);
        let problems: Vec<_> = compilation.problems.iter().map(|p| p.message.clone()).collect();
        let program = compilation.program.unwrap_or_else(|| panic!("{problems:?}"));
        render_program(Arc::new(program), Some(frames)).channels.swap_remove(0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SONG: &str = "tempo 60\nkit dusty \"sounds/dusty\"\nd = dusty(Kick.gain: 0.5)\n\
play {\n  d.Kick  \"x ~ ~ ~\"\n  d.snare_2 \"~ x ~ ~\"\n}\nout = d\n";

#[test]
fn a_folder_is_a_kit_with_a_part_for_each_sound_file() {
    let folder = Folder::new("kit");
    folder.wav("sounds/dusty/Kick.wav", 0.25);
    folder.wav("sounds/dusty/snare 2.wav", 0.75);
    fs::write(folder.0.join("sounds/dusty/notes.txt"), "not a sound").unwrap();
    fs::write(folder.0.join("sounds/dusty/.hidden.wav"), "not a sound").unwrap();
    fs::create_dir(folder.0.join("sounds/dusty/more.wav")).unwrap();
    assert_eq!(folder.problems(SONG), []);
    let heard = folder.heard(SONG, 96_000);
    assert_eq!((heard[100], heard[48_100]), (0.125, 0.75), "a hit is the file, times its gain");
    assert_eq!(heard[20_000], 0.0);
    // A part that the kit has itself is meant before the file, and parts choke each other.
    let own = SONG.replace(
        "\"sounds/dusty\"",
        "\"sounds/dusty\" {\n  Kick = sampler(sample(\"sounds/dusty/snare 2.wav\"))\n}",
    );
    assert_eq!(folder.heard(&own, 4800)[100], 0.375);
    let choked = SONG.replace("\"sounds/dusty\"", "\"sounds/dusty/\" {\n  choke Kick snare_2\n}");
    assert_eq!(folder.problems(&choked), []);
}

/// Files that come and go make other kits, and the folder is among what a player follows.
#[test]
fn parts_come_and_go_with_their_files() {
    let folder = Folder::new("edits");
    folder.wav("sounds/dusty/Kick.wav", 0.25);
    assert_eq!(folder.codes(SONG), ["unknown-target"], "there is no snare yet");
    let snare = folder.wav("sounds/dusty/snare 2.wav", 0.75);
    let (compilation, disk) = folder.compile(SONG);
    assert!(compilation.program.is_some());
    let asked = disk.asked.into_inner();
    assert!(asked.iter().any(|path| path.ends_with("sounds/dusty")), "{asked:?}");
    fs::remove_file(snare).unwrap();
    assert_eq!(folder.codes(SONG), ["unknown-target"]);
}

#[test]
fn what_cannot_be_a_part_is_told() {
    let folder = Folder::new("told");
    let song = "kit dusty \"sounds/dusty\"\nd = dusty()\nout = d\n";
    assert_eq!(folder.codes(song)[0], "cannot-use", "an empty folder");
    assert_eq!(folder.codes(&song.replace("sounds/dusty\"", "sounds/gone\""))[0], "cannot-use");
    folder.wav("sounds/dusty/a b.wav", 0.5);
    assert_eq!(folder.codes(song), [""; 0]);
    folder.wav("sounds/dusty/a_b.wav", 0.5);
    folder.wav("sounds/dusty/été.wav", 0.5);
    let told = folder.problems(song);
    assert_eq!(told.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["kit-file", "kit-file"]);
    let messages: String = told.into_iter().map(|(_, message)| message).collect();
    assert!(messages.contains("été.wav") && messages.contains("a_b.wav"), "{messages}");
    // A file that is not a sound is a problem at the kit, and a song may not look outside.
    fs::write(folder.0.join("sounds/dusty/broken.wav"), "RIFF").unwrap();
    assert!(folder.codes(song).contains(&"cannot-use"));
    let outside = folder.problems(&song.replace("sounds/dusty\"", "..\""));
    assert!(outside[0].1.contains("outside the song's folder"), "{outside:?}");
    let limits = mam_grammar::Limits { kit_files: 2, ..mam_grammar::Limits::default() };
    let few = folder.compile_with(song, &Options { limits, ..Options::default() }).0.problems;
    assert!(few.iter().any(|problem| problem.message.contains("kit_files")), "more than the limit");
}

/// A kit of a file that is used finds its folder from there.
#[test]
fn a_kit_in_a_used_file_is_beside_that_file() {
    let folder = Folder::new("used");
    fs::create_dir_all(folder.0.join("lib/hits")).unwrap();
    folder.wav("lib/hits/one.wav", 0.5);
    fs::write(
        folder.0.join("lib/kits.mam"),
        "kit hits \"hits\"\nkit own { a = sampler(sample(\"hits/one.wav\")) }\n",
    )
    .unwrap();
    let song = |kit: &str, part: &str| {
        format!("use \"lib/kits.mam\"\nk = {kit}()\nplay {{ k.{part} |x...| }}\nout = k\n")
    };
    assert_eq!(folder.heard(&song("hits", "one"), 4800)[100], 0.5);
    assert_eq!(folder.heard(&song("own", "a"), 4800)[100], 0.5);
}

#[test]
fn a_moved_sound_is_found_by_its_hash() {
    let folder = Folder::new("moved");
    let hash = sound_hash(&folder.wav("sounds/hit.wav", 0.5)).unwrap();
    folder.wav("sounds/dusty/hit.wav", 0.25);
    let song = |path: &str, hash: &str| {
        format!("s = sampler(sample(\"{path}\", hash: \"{hash}\"))\nplay {{ s |x...| }}\nout = s\n")
    };
    assert_eq!(folder.problems(&song("sounds/hit.wav", &hash)), []);
    // Elsewhere, and under another name.
    fs::create_dir_all(folder.0.join("archive/old")).unwrap();
    fs::rename(folder.0.join("sounds/hit.wav"), folder.0.join("archive/old/snap.wav")).unwrap();
    let text = song("sounds/hit.wav", &hash);
    let told = folder.problems(&text);
    assert_eq!(told[0].0, "moved-sound");
    assert!(told[0].1.contains("`archive/old/snap.wav`"), "{told:?}");
    assert_eq!(folder.heard(&text, 4800)[100], 0.5);
    let fix = folder.compile(&text).0.problems.into_sorted().remove(0).fix.unwrap();
    assert_eq!(fix.replacement, "\"archive/old/snap.wav\"");
    assert_eq!(folder.codes(&text.replace("\"sounds/hit.wav\"", &fix.replacement)), [""; 0]);
    // Another sound has taken its place: the one that is meant is found all the same.
    folder.wav("sounds/hit.wav", 0.75);
    assert_eq!(folder.heard(&text, 4800)[100], 0.5);
    // Nowhere: what was tried is told.
    fs::remove_file(folder.0.join("archive/old/snap.wav")).unwrap();
    assert_eq!(folder.codes(&text), ["changed-sound"]);
    assert_eq!(folder.heard(&text, 4800)[100], 0.75);
    fs::remove_file(folder.0.join("sounds/hit.wav")).unwrap();
    let told = folder.problems(&text);
    assert_eq!(told[0].0, "cannot-use");
    assert!(told[0].1.contains("none of 1 sound file in the folder of the song has its hash"), "{told:?}");
    assert!(told[0].1.contains(&Path::new("sounds/hit.wav").display().to_string()), "{told:?}");
}
