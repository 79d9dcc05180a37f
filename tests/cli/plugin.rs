//! `mamc build -o Song.clap`. The library that a plug-in is a copy of is a file of this test's, beside a mamc of its own.

use super::{Folder, Run, SONG};
use mam_package::Opened;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the library is here.
const CODE: &[u8] = b"the code of every plug-in";

/// The mamc of a folder: `bin/mamc`, with the library beside it or without.
fn mamc_in(folder: &Folder, has_library: bool) -> PathBuf {
    let (bin, built) = (folder.0.join("bin"), env!("CARGO_BIN_EXE_mamc"));
    fs::create_dir(&bin).unwrap();
    let mamc = bin.join("mamc");
    if fs::hard_link(built, &mamc).is_err() {
        fs::copy(built, &mamc).unwrap();
    }
    if has_library {
        fs::write(bin.join(mamc::packing::shell_name()), CODE).unwrap();
    }
    mamc
}

fn run(mamc: &PathBuf, folder: &Folder, args: &[&str]) -> Run {
    let mut command = Command::new(mamc);
    command.args(args).current_dir(&folder.0).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE");
    Run::of(command.output().unwrap())
}

/// The name of a file of a song, and what it holds.
type Named = (String, Vec<u8>);

/// A bundle is a folder: where the code and the song stand.
fn opened(folder: &Folder, name: &str) -> (Vec<u8>, Opened, Vec<Named>) {
    let path = folder.0.join(name);
    let bytes = match cfg!(target_os = "macos") {
        true => fs::read(path.join("Contents/Resources").join(mam_package::RESOURCE)).unwrap(),
        false => fs::read(path).unwrap(),
    };
    let mut source = Cursor::new(bytes.clone());
    let opened = Opened::read(&mut source).unwrap();
    let files = opened.files(&mut source).unwrap();
    (bytes, opened, files)
}

#[test]
fn a_plug_in_is_the_library_with_the_song_and_its_files_behind_it() {
    let used = "instrument beep {\n  param pitch = 440Hz in 20Hz..20kHz\n  out = sine(pitch) * gate\n}\n";
    let song = "/// Deep Beep\nuse \"beep.mam\"\nknob level = 0.5 in 0..1\nb = beep()\nout = level * b\nplay { b \"a4\" }\n";
    let folder = Folder::new("plugin-built").with("song.mam", song).with("beep.mam", used);
    let mamc = mamc_in(&folder, true);
    let said =
        run(&mamc, &folder, &["build", "song.mam", "-o", "x.clap", "--id", "org.me.beep", "--play"]).exits(0);
    assert!(said.err.contains("x.clap") && said.err.contains("org.me.beep"), "{}", said.err);
    let (bytes, Opened { manifest, .. }, files) = opened(&folder, "x.clap");
    assert!(cfg!(target_os = "macos") || bytes.starts_with(CODE));
    assert_eq!((&*manifest.id, manifest.plays, manifest.channels), ("org.me.beep", true, 2));
    assert_eq!(manifest.note_ports[0].name, "b");
    assert_eq!(manifest.params.iter().map(|param| &*param.path).next(), Some("level"), "knobs come first");
    let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["song.mam", "beep.mam"]);
    assert_eq!((&*files[0].1, &*files[1].1), (song.as_bytes(), used.as_bytes()));

    // An edit keeps the ids, by which a project finds its automation.
    fs::write(folder.0.join("song.mam"), song.replace("0.5 in", "0.25 in").replace("b = ", "z = 1\nb = "))
        .unwrap();
    run(&mamc, &folder, &["build", "song.mam", "-o", "y.clap", "--id", "org.me.beep"]).exits(0);
    let edited = opened(&folder, "y.clap").1.manifest;
    assert!(!edited.plays);
    assert_eq!(edited.params[0].id, manifest.params[0].id);
}

#[test]
fn what_cannot_be_a_plug_in_is_refused_and_nothing_is_written() {
    let folder = Folder::new("plugin-refused").with("song.mam", SONG).with("wrong.mam", super::WRONG);
    let mamc = mamc_in(&folder, true);
    let before = folder.files();
    for (args, code, word) in [
        (&["song.mam", "-o", "x.clap", "--rate", "48000"][..], 2, "leave out --rate"),
        (&["song.mam", "-o", "x.clap", "--id", "my song"], 2, "no spaces"),
        (&["song.mam", "-o", "x.clap", "--bars", "2"], 2, "--bars"),
        (&["song.mam", "-o", "x.clap", "--target", "x86_64-linux"], 2, "--target"),
        (&["song.mam", "-o", "x.c", "--play"], 2, "--play"),
        (&["song.mam", "-o", "nowhere/x.clap"], 3, "nowhere"),
        (&["wrong.mam", "-o", "x.clap"], 1, "bdd"),
        (&["absent.mam", "-o", "x.clap"], 3, "absent.mam"),
    ] {
        let said = run(&mamc, &folder, &[&["build"], args].concat()).exits(code);
        assert!(said.err.contains(word), "{args:?}: {}", said.err);
    }
    assert_eq!(folder.files(), before);
}

#[test]
fn without_the_library_it_says_how_to_build_it() {
    let folder = Folder::new("plugin-alone").with("song.mam", SONG);
    let mamc = mamc_in(&folder, false);
    let said = run(&mamc, &folder, &["build", "song.mam", "-o", "x.clap"]).exits(3);
    assert!(
        said.err.contains(&mamc::packing::shell_name()) && said.err.contains("cargo build"),
        "{}",
        said.err
    );
    assert!(!folder.0.join("x.clap").exists());
}

/// A sound that is streamed lies in a file of its own, and a plug-in has none.
#[test]
fn a_song_that_streams_is_not_packed_and_says_why() {
    let folder = Folder::new("plugin-streamed").with("song.mam", "out = playback(sample(\"hit.wav\"))\n");
    let mamc = mamc_in(&folder, true);
    run(&mamc, &folder, &["render", "kick", "-o", "hit.wav", "-d", "10ms"]).exits(0);
    run(&mamc, &folder, &["build", "song.mam", "-o", "held.clap"]).exits(0);
    let told =
        run(&mamc, &folder, &["build", "song.mam", "-o", "x.clap", "--limit", "samples=100"]).exits(1).err;
    assert!(told.contains("`hit.wav` is too long") && told.contains("--limit samples=N"), "{told}");
    assert!(!folder.0.join("x.clap").exists());
}
