//! Pieces of a sound that there are not are told of, and none is silent without a word.

use super::{Folder, RATE, noise};
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mamc::input::Disk;

/// The codes of all problems of a song in a folder, and the helps.
fn told(folder: &Folder, text: &str) -> (Vec<&'static str>, String) {
    let song = folder.0.join("song.mam");
    std::fs::write(&song, text).unwrap();
    let mut sources = Sources::default();
    let id = sources.add(song.to_string_lossy().as_ref(), text);
    let problems =
        compile(&mut sources, id, &Disk::new(Some(&song), false), &Options::default()).problems.into_sorted();
    let helps = problems.iter().map(|problem| format!("{} {:?}\n", problem.message, problem.help)).collect();
    (problems.iter().map(|problem| problem.code.name).collect(), helps)
}

#[test]
fn pieces_that_there_are_not_are_told_of() {
    let folder = Folder::new("pieces");
    folder.wav("break.wav", RATE, &[noise(40_000, 11)]);
    let song = |given: &str, line: &str| {
        format!("b = sampler(sample(\"break.wav\"){given})\nplay {{ b {line} }}\nout = b\n")
    };
    for (given, line, said) in [
        ("", "\"c4*2\".splice(8, \"7 8\")", "the piece 8, and its pieces are 0 to 7"),
        ("", "\"c4\".slice(8, \"-1\")", "the piece -1, and its pieces are 0 to 7"),
        ("", "\"c4*4\".slice(4, \"<0 [1 5]>\")", "the piece 5, and its pieces are 0 to 3"),
        ("", "\"c4\".slice(8, 9)", "the piece 9, and its pieces are 0 to 7"),
        (", slices: 4", "\"0 4\"", "the piece 4, and its pieces are 0 to 3"),
        (", slices: 4", "\"0 -1\"", "the piece -1, and its pieces are 0 to 3"),
        (", slices: 4", "\"1000\"", "the piece 1000, and its pieces are 0 to 3"),
        ("", "\"0 1\"", "at the pitch of the note 0"),
        (", begin: 75%, end: 25%", "\"x\"", "from 75% to 25% of its sound, which is nothing"),
    ] {
        let (codes, helps) = told(&folder, &song(given, line));
        assert_eq!(codes, ["no-such-piece"], "{given} {line}: {helps}");
        assert!(helps.contains(said), "{given} {line}: {helps}");
    }
    for (given, line) in [
        ("", "\"c4*4\".slice(4, \"<0 [1 3]>\")"),
        ("", "\"c4\".slice(8, 7)"),
        (", slices: 16", "\"0 15 c4 x\""),
        (", begin: 75%", "\"x\""),
        (", begin: 75%, end: 25%, speed: -1", "\"x\".slice(4, \"0\")"),
    ] {
        let (codes, helps) = told(&folder, &song(given, line));
        assert!(codes.is_empty(), "{given} {line}: {helps}");
    }
    // `loop` is a beat of an instrument's own, and not what a sampler repeats.
    let (codes, helps) = told(&folder, &song(", loop: 1", "\"x\""));
    assert!(codes == ["no-beat"] && helps.contains("`repeat: 1`"), "{helps}");
}
