//! What holds for every row of every table: diagnostics, definitions of the prelude, examples, and any text at all.

use mam_compiler::files::NoFiles;
use mam_compiler::json::from_mam;
use mam_compiler::target::Target;
use mam_compiler::{Compilation, Options, codes, compile};
use mam_grammar::problem::{apply, without_overlaps};
use mam_grammar::{Applicability, Problem, Problems, Severity, Sources};
use mam_testing::parallel;
use mam_testing::render::{program, render_program};
use mam_testing::texts;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All problems of a text.
fn problems(text: &str) -> Vec<Problem> {
    compiled(text).problems.into_sorted()
}

fn compiled(text: &str) -> Compilation {
    let mut sources = Sources::default();
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let id = sources.add(if json { "song.json" } else { "song.mam" }, text);
    let options = Options { interpreter: true, target: Target::portable(), ..Options::default() };
    compile(&mut sources, id, &NoFiles, &options)
}

/// The problems of turning a text into the other front end's.
fn conversion_problems(text: &str) -> Vec<Problem> {
    let compilation = compiled(text);
    let mut problems = Problems::default();
    match &compilation.stages.json {
        Some(song) => drop(song.to_mam(false, &mut problems)),
        None => drop(from_mam(&compilation, &mut problems)),
    }
    problems.into_sorted()
}

/// The codes of these problems, without notes: those say nothing against a song.
fn names(problems: &[Problem]) -> Vec<&'static str> {
    let counts = |p: &&Problem| p.code.severity > Severity::Note;
    let mut names: Vec<_> = problems.iter().filter(counts).map(|p| p.code.name).collect();
    names.dedup();
    names
}

#[test]
fn the_examples_of_every_code_have_just_that_problem_and_none() {
    let mut wrong = String::new();
    for row in codes::all() {
        let code = row.code;
        // What only the command line can do wrong (`tests/cli`) has no file that does it.
        let from_outside = row.fails.is_empty() || code.name == "json-late-command";
        let converts = ["json-not-in-mam", "json-cannot-say", "json-leaves-out"].contains(&code.name);
        let problems = if converts { conversion_problems } else { problems };
        let found = problems(row.fails);
        let (mut fails, passes) = (names(&found), names(&problems(row.passes)));
        if code.severity == Severity::Note && found.iter().any(|p| p.code == code) {
            fails.push(code.name);
        }
        if !from_outside && fails != [code.name] {
            wrong += &format!("{}: its failing example gives {fails:?}\n", code.name);
        }
        if !from_outside && !passes.is_empty() {
            wrong += &format!("{}: its passing example gives {passes:?}\n", code.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What following the fixes of one kind of problem makes of a text, again and again.
fn followed(text: &str, code: &str, guesses: bool) -> String {
    const ROUNDS: usize = 6;
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let found = problems(&text);
        let wanted = |p: &&Problem| p.code.name == code;
        let fixes = found.iter().filter(wanted).filter_map(|p| p.fix.as_ref());
        let fixes = fixes.filter(|fix| guesses || fix.applicability == Applicability::Exact);
        let fixes = without_overlaps(fixes.collect());
        if fixes.is_empty() {
            return text;
        }
        text = apply(&text, &fixes);
    }
    text
}

/// A fix that says what was meant makes the text pass, as it stands in each row; one that is a guess removes the problem.
#[test]
fn every_fix_of_every_code_mends_its_example() {
    let (mut wrong, mut exact, mut guessed) = (String::new(), 0, 0);
    for row in codes::all() {
        let code = row.code;
        let found = problems(row.fails);
        let fixes: Vec<_> = found.iter().filter(|p| p.code == code).map(|p| p.fix.as_ref()).collect();
        if fixes.is_empty() || fixes.iter().any(Option::is_none) {
            continue;
        }
        let is_exact = fixes.iter().flatten().all(|fix| fix.applicability == Applicability::Exact);
        *(if is_exact { &mut exact } else { &mut guessed }) += 1;
        let mended = followed(row.fails, code.name, !is_exact);
        let left = problems(&mended);
        let stays = if is_exact { !names(&left).is_empty() } else { left.iter().any(|p| p.code == code) };
        if stays {
            wrong += &format!("{}: {mended:?} has {:?}\n", code.name, names(&left));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(exact >= 15 && guessed >= 25, "{exact} exact, {guessed} guesses");
}

#[test]
fn codes_have_names_of_their_own_and_explanations() {
    let mut seen = HashSet::new();
    for code in codes::all().map(|row| row.code) {
        assert!(seen.insert(code.name), "two codes are called {}", code.name);
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(code.name.chars().all(good), "{}", code.name);
        assert!(code.explanation.ends_with('.') && code.explanation.len() > 20, "{}", code.name);
    }
}

/// The files of `examples`.
fn examples() -> Vec<(PathBuf, String)> {
    let all = fs::read_dir(root().join("examples")).unwrap().map(|e| e.unwrap().path());
    let songs = all.filter(|p| p.extension().is_some_and(|e| e == "mam" || e == "json"));
    let mut songs: Vec<_> = songs.map(|p| (p.clone(), fs::read_to_string(p).unwrap())).collect();
    songs.sort();
    assert!(!songs.is_empty());
    songs
}

/// Frames that the interpreter renders: it is slow, and what differs does so soon.
const INTERPRETED: u64 = 8_192;

#[test]
fn every_example_is_clean_and_heard_and_the_same_from_the_interpreter() {
    parallel::map(&examples(), |(path, text)| {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(names(&problems(text)), [""; 0], "{name}");
        let compiled = render_program(program(name, text, 0, false), None);
        let peak = compiled.channels.iter().flatten().fold(0.0_f32, |m, x| m.max(x.abs()));
        assert!((0.1..=1.0).contains(&peak), "{name}: peak {peak}");
        let interpreted = render_program(program(name, text, 0, true), Some(INTERPRETED));
        for (compiled, interpreted) in compiled.channels.iter().zip(&interpreted.channels) {
            let frames = compiled.len().min(interpreted.len());
            assert!(frames > 0 && compiled[..frames] == interpreted[..frames], "{name}");
        }
    });
}

/// Every block of the manual and of the README that is a song is one, without a word against it.
#[test]
fn every_song_of_the_manual_is_clean() {
    let mut wrong = String::new();
    for page in
        ["README.md", "docs/language.md", "docs/json.md", "docs/patterns.md", "docs/coming-from-tidal.md"]
    {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let blocks: Vec<_> =
            text.split("\n```").skip(1).step_by(2).map(|b| b.split_once('\n').unwrap()).collect();
        for (i, (label, song)) in blocks.iter().enumerate() {
            // A song with its problems below it is compared by `tests/cases.rs`.
            let shows_problems = blocks.get(i + 1).is_some_and(|b| b.0 == "problems");
            let is_song = ["mam", "json"].contains(label) && !shows_problems;
            let found = if is_song { problems(song) } else { vec![] };
            for problem in found.iter().filter(|p| p.code.severity > Severity::Note) {
                wrong += &format!("{page}: {}: {}\n{song}\n", problem.code.name, problem.message);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn holds_for(strategy: impl Strategy<Value = String>, name: &'static str, cases: u32) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&strategy, |text| {
        texts::survive(name, &text);
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn any_text_ends_in_problems_or_a_program() {
    let songs = |ending: &str| {
        let has = |p: &Path| p.extension().is_some_and(|e| e == ending);
        let own: Vec<String> = examples().into_iter().filter(|(p, _)| has(p)).map(|(_, t)| t).collect();
        let short = codes::all().flat_map(|c| [c.fails, c.passes]).filter(|t| !t.is_empty());
        let short = short.filter(|t| t.trim_start().starts_with('{') == (ending == "json"));
        own.into_iter().chain(short.map(String::from)).collect::<Vec<_>>()
    };
    holds_for(texts::noise(), "song.mam", 200);
    holds_for(texts::noise(), "song.json", 200);
    holds_for(texts::soup(), "song.mam", 600);
    holds_for(texts::mutated(songs("mam")), "song.mam", 600);
    holds_for(texts::mutated(songs("json")), "song.json", 400);
}

/// Found by fuzzing: what is mended may end inside a longer character.
#[test]
fn places_have_whole_characters() {
    texts::survive("song.mam", "z=2\u{a0}s=2=eed=seed");
}
