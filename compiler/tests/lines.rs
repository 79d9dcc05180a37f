//! Lines of a score that are taken from a version before play what they would if they were read again, and say where they stand.

use mam_compiler::files::NoFiles;
use mam_compiler::{Compilation, CompilationCache, Options, Stage, compile, compile_again};
use mam_grammar::Sources;
use mam_runtime::score::{Extent, Sequencer, SoundingStep};

const SONG: &str = "tempo 120\nmeter 4/4\nbd = kick()\nkeys = bell(voices: 4)\n\
    cut = keys |> echo(time: 200ms)\n\
    section a 2 bars {\n  bd |x...x..x|\n  keys \"<[a3,c4,e4] [g3,b3]>*2\".ply(2).every(2, rev)\n\
    keys.gain \"0.1 0.2\" over 1 beat\n  cut.echo.feedback \"0.2 0.5\"\n}\n\
    section b 1 bar {\n  bd \"x ~ x? x?\".fast(2)\n  keys \"0 2 4\".scale(\"c:minor\").add(\"<0 7>\").humanize(5ms, 10%)\n\
    keys.index sine.range(1, 3).segment(8)\n  keys \"c4 e4\".set(decay: \"200ms 1s\")\n}\n\
    play a b a\nout = bd + cut\n";

/// What is changed in the song, one after the other, each in what the one before has made of it.
const EDITS: [(&str, &str); 16] = [
    ("tempo 120", "// a line more\ntempo 120"),
    ("bd |x...x..x|", "bd |x...x.x.|"),
    ("keys = bell", "more = kick()\nkeys = bell"),
    ("meter 4/4", "meter 3/4"),
    ("ply(2)", "ply(3)"),
    ("bell(voices: 4)", "bell(voices: 4, ratio: 2)"),
    ("section b 1 bar {", "section b 1 bar {\n  keys \"c5\""),
    ("keys", "chimes"),
    ("fast(2)", "fast(3/2)"),
    ("a3,c4", "a3, c4"),
    ("bd \"x", "bd  \"x"),
    ("\n  chimes \"c5\"", ""),
    ("200ms 1s", "200ms 2s"),
    ("over 1 beat", "over 2 beats"),
    ("// a line more\n", "seed 3\n"),
    ("0.1 0.2", "0.1 0.3"),
];

fn compiled(text: &str, cache: Option<&mut CompilationCache>) -> Compilation {
    let options = Options { until: Stage::Plan, ..Options::default() };
    let mut sources = Sources::default();
    let song = sources.add("song.mam", text);
    match cache {
        Some(cache) => compile_again(&mut sources, song, &NoFiles, &options, cache),
        None => compile(&mut sources, song, &NoFiles, &options),
    }
}

/// What is wrong with a song, what it plays, and the steps that sound in its first seconds with their places.
fn played(compilation: Compilation) -> (Vec<String>, String, Vec<SoundingStep>) {
    let problems = compilation.problems.into_sorted().iter().map(|problem| format!("{problem:?}")).collect();
    let Some(program) = compilation.program else { return (problems, String::new(), vec![]) };
    let steps = Sequencer::for_program(&program, Extent::Forever).sounding_steps(0..500_000, 1_000);
    (problems, format!("{:?}", program.score.transports[0].clips), steps)
}

#[test]
fn lines_that_are_not_read_again_play_the_same_from_where_they_stand() {
    let mut cache = CompilationCache::default();
    let mut text = SONG.to_owned();
    for (old, new) in [("", "")].into_iter().chain(EDITS) {
        let before = text.clone();
        text = text.replace(old, new);
        assert!(old.is_empty() || text != before, "{old}");
        let again = compiled(&text, Some(&mut cache));
        let alone = compiled(&text, None);
        let scores = [&again, &alone].map(|compilation| compilation.program.as_ref().unwrap().score.clone());
        assert_eq!(scores[0], scores[1], "{text}");
        let (again, alone) = (played(again), played(alone));
        assert!(!alone.2.is_empty(), "{text}");
        assert_eq!(again, alone, "{text}");
    }
}
