//! `mamc check --fix`: files whole or not at all, guesses left alone.

use super::Folder;

const WRONG: &str = "# a comment of another tool\nbd = kick(f0 = 60Hz)\nplay { bd |x...| }\nout = bd && 1\n";
const MENDED: &str =
    "// a comment of another tool\nbd = kick(f0: 60Hz)\nplay { bd |x...| }\nout = bd and 1\n";

#[test]
fn fixes_that_say_what_was_meant_are_applied() {
    let folder = Folder::new("fix").with("song.mam", WRONG);
    let run = folder.run(&["check", "--fix", "song.mam"]);
    assert_eq!(
        (run.code, std::fs::read_to_string(folder.0.join("song.mam")).unwrap()),
        (Some(0), MENDED.into())
    );
    assert!(run.err.contains("fixes applied"), "{}", run.err);
    assert_eq!(folder.files(), ["song.mam"]);
    let again = folder.run(&["check", "--fix", "song.mam"]);
    assert!(again.code == Some(0) && !again.err.contains("applied"), "{}", again.err);
}

#[test]
fn a_guess_is_left_alone_and_reported() {
    let wrong = "out = sinee(110Hz)\n";
    let folder = Folder::new("fix-guess").with("song.mam", wrong);
    let run = folder.run(&["check", "--fix", "song.mam"]);
    assert_eq!(
        (run.code, std::fs::read_to_string(folder.0.join("song.mam")).unwrap()),
        (Some(1), wrong.into())
    );
    assert!(run.err.contains("did you mean `sine`?"), "{}", run.err);
}

#[test]
fn standard_input_is_mended_to_standard_output() {
    let run =
        Folder::new("fix-stdin").run_with(&["check", "--fix", "--format", "short", "-"], WRONG.as_bytes());
    assert_eq!((run.code, &*run.out), (Some(0), MENDED));
}

#[test]
fn files_that_a_song_uses_are_mended_too() {
    let folder = Folder::new("fix-used")
        .with("song.mam", "use \"lib.mam\"\nout = half(noise())\n")
        .with("lib.mam", "def half(x) = x * 0.5 && 1\n");
    assert_eq!(folder.run(&["check", "--fix", "song.mam"]).code, Some(0));
    let lib = std::fs::read_to_string(folder.0.join("lib.mam")).unwrap();
    assert_eq!(lib, "def half(x) = x * 0.5 and 1\n");
}
