//! States, delay lines and seeds of noise are known by names, which a swap while a song plays and every render depend on:
//! those of the examples stay what they are. `MAM_BLESS=1` writes them anew, where names change on purpose.

use mam_compiler::files::NoFiles;
use mam_compiler::{Options, Stage, compile};
use mam_grammar::Sources;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn names_of_states_and_seeds_of_noise_stay() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut songs: Vec<_> =
        fs::read_dir(tests.join("../../examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    songs.retain(|path| path.is_file());
    songs.sort();
    let mut now = String::new();
    for path in songs {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut sources = Sources::default();
        let id = sources.add(name.as_str(), fs::read_to_string(&path).unwrap());
        let options = Options { until: Stage::Lower, ..Options::default() };
        let done = compile(&mut sources, id, &NoFiles, &options);
        assert!(!done.problems.has_errors(), "{name}: {:?}", done.problems);
        writeln!(now, "{name}").unwrap();
        for call in done.stages.lowered.calls.iter().filter(|call| !call.adds) {
            let states: Vec<String> =
                call.states.iter().map(|(name, init)| format!("{name}={init:?}")).collect();
            writeln!(now, "  {}: {} | {}", call.path, states.join(" "), call.delays.join(" ")).unwrap();
        }
    }
    let golden = tests.join("states.txt");
    if std::env::var_os("MAM_BLESS").is_some() {
        fs::write(&golden, &now).unwrap();
    }
    let before = fs::read_to_string(&golden).unwrap();
    for (before, now) in before.lines().zip(now.lines()) {
        assert_eq!(before, now);
    }
    assert_eq!(before.lines().count(), now.lines().count());
}
