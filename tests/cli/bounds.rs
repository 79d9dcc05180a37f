//! What the files of a song may be, which paths there are, and what reaches the terminal.

use super::{Folder, SONG};
use std::fs;

const TONE: &str = "out = sine(440Hz)\n";

/// A folder with a song in a folder of its own, and a file beside that folder.
fn nested(name: &str, uses: &str) -> Folder {
    let folder = Folder::new(name).with("secret.mam", "token 12345\n");
    fs::create_dir(folder.0.join("song")).unwrap();
    folder.with("song/song.mam", &format!("{uses}{TONE}"))
}

#[test]
fn a_song_uses_files_of_its_own_folder_alone() {
    let folder = nested("outside", "use \"../secret.mam\"\n");
    let refused = |args: &[&str]| {
        let run = folder.run(args).exits(1);
        assert!(run.err.contains("outside the song's folder") && !run.err.contains("12345"), "{}", run.err);
    };
    refused(&["check", "song/song.mam"]);
    refused(&["dump", "events", "song/song.mam"]);
    refused(&["fmt", "--to", "json", "song/song.mam"]);
    let run = folder.run(&["check", "song/song.mam", "--allow-outside"]).exits(1);
    assert!(run.err.contains("secret.mam"), "{}", run.err);
    fs::write(folder.0.join("secret.mam"), "def hush(x) = 0 * x\n").unwrap();
    folder.run(&["check", "song/song.mam", "--allow-outside"]).exits(0);
    // What comes from standard input may use files of the working folder.
    let run = folder.run_with(&["check", "-"], format!("use \"secret.mam\"\n{TONE}").as_bytes());
    run.exits(0);
    let text = format!("use \"../secret.mam\"\n{TONE}");
    let run = folder.run_with(&["check", "-", "--stdin-name", "song/x.mam"], text.as_bytes());
    run.exits(0);
}

#[cfg(unix)]
#[test]
fn links_lead_no_further_than_their_targets() {
    use std::os::unix::fs::symlink;
    let folder = nested("links", "use \"near.mam\"\n").with("song/lib.mam", "def hush(x) = 0 * x\n");
    symlink("lib.mam", folder.0.join("song/near.mam")).unwrap();
    folder.run(&["check", "song/song.mam"]).exits(0);
    fs::remove_file(folder.0.join("song/near.mam")).unwrap();
    symlink("../secret.mam", folder.0.join("song/near.mam")).unwrap();
    let run = folder.run(&["check", "song/song.mam"]).exits(1);
    assert!(run.err.contains("outside") && !run.err.contains("12345"), "{}", run.err);
    // A link to the song itself: its folder is that of the song.
    fs::remove_file(folder.0.join("song/near.mam")).unwrap();
    symlink("lib.mam", folder.0.join("song/near.mam")).unwrap();
    symlink("song/song.mam", folder.0.join("link.mam")).unwrap();
    folder.run(&["check", "link.mam"]).exits(0);
}

#[cfg(unix)]
#[test]
fn only_files_are_used() {
    let folder = nested("kinds", "use \"odd\"\n");
    let odd = folder.0.join("song/odd");
    let made = std::process::Command::new("mkfifo").arg(&odd).status().unwrap();
    assert!(made.success());
    let run = folder.run(&["check", "song/song.mam"]).exits(1);
    assert!(run.err.contains("it is a pipe"), "{}", run.err);
    fs::remove_file(&odd).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&odd).unwrap();
    let run = folder.run(&["check", "song/song.mam"]).exits(1);
    assert!(run.err.contains("it is a socket"), "{}", run.err);
    fs::remove_file(&odd).unwrap();
    fs::create_dir(&odd).unwrap();
    let run = folder.run(&["check", "song/song.mam"]).exits(1);
    assert!(run.err.contains("it is a folder"), "{}", run.err);
    fs::write(folder.0.join("song/song.mam"), format!("use \"/dev/zero\"\n{TONE}")).unwrap();
    let run = folder.run(&["check", "song/song.mam", "--allow-outside"]).exits(1);
    assert!(run.err.contains("it is a device"), "{}", run.err);
    fs::remove_dir(&odd).unwrap();
    fs::write(&odd, "// \n".repeat(400_000)).unwrap();
    fs::write(folder.0.join("song/song.mam"), format!("use \"odd\"\n{TONE}")).unwrap();
    let run = folder.run(&["check", "song/song.mam"]).exits(1);
    assert!(run.err.contains("is larger than 786432 bytes"), "{}", run.err);
}

#[test]
fn each_file_is_read_once_whatever_path_leads_to_it() {
    let mut folder = Folder::new("paths");
    for i in 0..16 {
        let next = i + 1;
        let uses = format!(
            "use \"f{next}.mam\"\nuse \"./f{next}.mam\"\nuse \"../{}/f{next}.mam\"\n",
            folder_name(&folder)
        );
        folder =
            folder.with(&format!("f{i}.mam"), &if i < 15 { uses } else { "def hush(x) = 0 * x\n".into() });
    }
    let folder = folder
        .with("song.mam", &format!("use \"f0.mam\"\n{TONE}"))
        .with("own.mam", &format!("use \"own.mam\"\nuse \"./own.mam\"\nuse \"././own.mam\"\n{TONE}"));
    folder.run(&["check", "song.mam"]).exits(0);
    let run = folder.run(&["check", "own.mam"]).exits(1);
    assert!(run.err.contains("3 errors") && run.err.contains("uses itself"), "{}", run.err);
}

fn folder_name(folder: &Folder) -> String {
    folder.0.file_name().unwrap().to_string_lossy().into_owned()
}

/// Songs and names with characters that a terminal acts on.
#[test]
fn no_control_character_reaches_the_terminal() {
    let evil = "\x1b]0;title\x07\x1b[31m\u{9b}2J\u{202e}\x7f\r";
    let songs = [
        ("name.mam", format!("out = {evil}\n")),
        ("text.mam", format!("title \"{evil}\"\nout = nosuch // {evil}\n")),
        ("use.mam", format!("use \"{evil}\"\n{TONE}")),
        ("pattern.mam", format!("bd = kick()\nplay {{ bd \"x {evil}\" }}\nout = bd\n")),
        (
            "ids.json",
            serde_json::json!({ "version": 1, "nodes": [
                { "id": evil, "type": "kick" }, { "id": evil, "type": evil },
                { "id": "m", "type": "mixer", "inputs": [{ "nodeId": evil, evil: 1 }] } ] })
            .to_string(),
        ),
        (
            "good.json",
            serde_json::json!({ "version": 1, "nodes": [{ "id": evil, "type": "kick" }],
                "commands": [{ "type": "trigger", "nodeId": evil, "sampleTime": 0 }] })
            .to_string(),
        ),
    ];
    let mut folder = Folder::new("controls");
    for (name, text) in &songs {
        folder = folder.with(name, text);
    }
    let odd = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    for (name, _) in &songs {
        for args in [
            &["check", name][..],
            &["check", name, "--format", "short"],
            &["check", name, "--format", "json"],
            &["check", name, "--format", "sarif"],
            &["dump", "ast", name],
            &["dump", "plan", name],
            &["dump", "events", name],
            &["list", "nodes", name],
            &["list", "params", name, "--json"],
            &["graph", name, "--format", "dot"],
            &["render", name, "-o", "x.wav", "-d", "10ms", "--tap", &format!("{evil}=y.wav")],
        ] {
            let run = folder.run(args);
            assert!(
                !run.out.contains(odd) && !run.err.contains(odd),
                "{args:?}\n{:?}\n{:?}",
                run.out,
                run.err
            );
        }
    }
    let run = folder.run(&["check", "\x1b[31m.mam"]).exits(3);
    assert!(!run.err.contains('\x1b') && run.err.contains("␛[31m.mam"), "{}", run.err);
}

/// Names of files that are not UTF-8 are names like others.
#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_not_text_work() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("bytes");
    let song = OsStr::from_bytes(b"s\xffng.mam");
    let odd = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    fs::create_dir(folder.0.join(odd(b"f\xe9"))).unwrap();
    fs::write(folder.0.join(odd(b"f\xe9")).join(song), format!("use \"lib.mam\"\n{SONG}")).unwrap();
    fs::write(folder.0.join(odd(b"f\xe9/lib.mam")), "def hush(x) = 0 * x\n").unwrap();
    let path = odd(b"f\xe9/s\xffng.mam");
    let run = |args: &[&OsStr]| {
        let mut command = folder.command(&[]);
        super::Run::of(command.args(args).output().unwrap())
    };
    let text = |text: &'static str| OsStr::new(text);
    for command in ["check", "fmt"] {
        run(&[text(command), path]).exits(0);
    }
    for command in ["list", "graph", "dump"] {
        let what = match command {
            "list" => &["nodes"][..],
            "dump" => &["events"],
            _ => &[],
        };
        let args: Vec<&OsStr> =
            [text(command)].into_iter().chain(what.iter().map(OsStr::new)).chain([path]).collect();
        run(&args).exits(0);
    }
    run(&[text("render"), path, text("-o"), odd(b"f\xe9/x\xff.wav"), text("-d"), text("10ms")]).exits(0);
    assert!(folder.0.join(odd(b"f\xe9/x\xff.wav")).exists());
    run(&[text("render"), path, text("-o"), odd(b"f\xe9/x\xff.mid"), text("-d"), text("1s")]).exits(0);
    run(&[text("import"), odd(b"f\xe9/x\xff.mid"), text("-o"), odd(b"f\xe9/y\xff.mam")]).exits(0);
    run(&[text("bench"), path, text("-d"), text("10ms")]).exits(0);
    let none = run(&[text("check"), odd(b"no\xff.mam")]).exits(3);
    assert!(none.err.contains("there is no such file"), "{}", none.err);
}

#[test]
fn long_scores_are_refused_where_they_would_not_fit() {
    let song = "tempo 10000\nlength 20000 bars\nbd = kick()\nplay { bd \"x*64\" }\nout = bd\n";
    let folder = Folder::new("long-scores").with("song.mam", song);
    for (args, code, says) in [
        (["build", "song.mam", "-o", "song.c"], 1, "262144 events"),
        (["render", "song.mam", "-o", "song.mid"], 2, "-d"),
        (["plot", "song.mam", "-o", "song.svg"], 2, "-d"),
    ] {
        let run = folder.run(&args).exits(code);
        assert!(run.err.contains(says), "{args:?}: {}", run.err);
        assert!(!folder.0.join(args[3]).exists(), "{args:?}");
    }
}

#[test]
fn what_the_score_sets_at_once_cannot_be_set_from_outside() {
    let song = "bd = kick()\nplay {\n  bd \"x\"\n  bd.gain \"0.3 0.4\"\n}\nlength 1 bar\nout = bd\n";
    let late = song.replace("0.3 0.4", "~ 0.4");
    let folder = Folder::new("set-by-score").with("song.mam", song).with("late.mam", &late);
    let folder = folder.with("rows.csv", "bd.gain\n0.1\n1\n");
    let run = folder.run(&["render", "song.mam", "-o", "a.wav", "--set", "bd.gain=1.2"]).exits(0);
    assert!(run.err.contains("the score sets `bd.gain` as the song starts"), "{}", run.err);
    let run = folder.run(&["batch", "song.mam", "--params", "rows.csv", "-o", "out"]).exits(1);
    assert!(run.err.contains("the score sets `bd.gain`"), "{}", run.err);
    let run = folder.run(&["render", "late.mam", "-o", "b.wav", "--set", "bd.gain=1.2"]).exits(0);
    assert!(!run.err.contains("the score sets"), "{}", run.err);
    folder.run(&["batch", "late.mam", "--params", "rows.csv", "-o", "out"]).exits(0);
}

#[test]
fn of_a_used_file_it_is_said_what_is_seen() {
    let folder = Folder::new("seen")
        .with("a.mam", "def half(x) = 25% * x\n")
        .with("b.mam", "def half(x) = 75% * x\n")
        .with("song.mam", "use \"a.mam\"\nuse \"b.mam\"\nout = half(noise())\n")
        .with("c.mam", "sens = 0.5\ndef loud(x) = x * sens\n")
        .with("loud.mam", "use \"c.mam\"\nout = loud(noise())\n");
    let run = folder.run(&["check", "song.mam"]).exits(0);
    assert!(run.err.contains("another file that is used before") && run.err.contains("this one is meant"));
    let run = folder.run(&["check", "loud.mam"]).exits(1);
    assert!(run.err.contains("`def sens() = …`"), "{}", run.err);
    fs::write(folder.0.join("c.mam"), "def sens() = 0.5\ndef loud(x) = x * sens()\n").unwrap();
    folder.run(&["check", "loud.mam"]).exits(0);
}
