//! The Markdown cases of `tests/cases`, and the manual. `MAM_BLESS=1` rewrites them.

use mam_compiler::ir::{Module, check};
use mam_compiler::opt;
use mam_compiler::target::{Machine, Target};
use mam_testing::cases::{Input, run};
use mam_testing::render::{program, render_program};
use mam_testing::sound::table;
use mamc::args::HowArgs;
use mamc::compiling::compile_song;
use mamc::input::Song;
use mamc::stages;
use std::path::Path;

/// A label of a block: a stage or pass, then perhaps the body of the kernels that is shown of it (`general`, `steady` or
/// `tail`), and `+fma` for a target that has it.
struct Label<'l> {
    stage: &'l str,
    body: Option<&'l str>,
    target: Target,
}

impl Label<'_> {
    fn of(text: &str) -> Option<Label<'_>> {
        let mut words = text.split(' ');
        let stage = words.next()?;
        let mut label = Label { stage, body: None, target: Target::portable() };
        for word in words {
            match word {
                "general" | "steady" | "tail" => label.body = Some(word),
                "+fma" => label.target.fma = true,
                _ => return None,
            }
        }
        Some(label)
    }
}

/// A stage, made for any machine so that every machine makes the same.
fn stage(label: &str, input: Input) -> Option<String> {
    let Label { stage, body, target } = Label::of(label)?;
    let text = match (input.language, stage) {
        ("ir", _) => of_module(stage, input.text, target),
        (language, "loops") => {
            let song = Song::of_text(&format!("song.{language}"), input.text);
            let how = HowArgs { interp: true, portable: true, ..HowArgs::default() };
            let compiled = compile_song(song, &how);
            Some(stages::loop_plans(&compiled.compilation.stages.optimised, &Machine::X86_64))
        }
        (language, "sound") => Some(sound(language, input.text)),
        (language, _) => {
            let song = Song::of_text(&format!("song.{language}"), input.text);
            let how = HowArgs { interp: true, portable: true, ..HowArgs::default() };
            stages::stage(stage, &compile_song(song, &how), target)
        }
    };
    text.map(|text| body.map_or(text.clone(), |body| only(&text, body)))
}

/// Of each kernel one body.
fn only(text: &str, body: &str) -> String {
    let mut shown = false;
    let lines = text.lines().filter(|line| {
        if !line.starts_with(' ') {
            shown = line.split(' ').next() == Some(body);
        }
        shown
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn of_module(stage: &str, text: &str, target: Target) -> Option<String> {
    let module: Module = match text.parse() {
        Ok(module) => module,
        Err(why) => return Some(format!("{why}\n")),
    };
    let violations = check::module(&module);
    assert!(violations.is_empty(), "{violations:?}\n{text}");
    match stage {
        "ir" => Some(module.to_string()),
        "loops" => Some(stages::loop_plans(&module, &Machine::X86_64)),
        "forms" => Some(stages::forms(&module, &target)),
        pass => stages::after_pass(pass, &module, target),
    }
}

/// The interpreter's sound; machine code must make the same.
fn sound(language: &str, text: &str) -> String {
    let name = format!("song.{language}");
    let interpreted = render_program(program(&name, text, 0, true), None);
    let compiled = render_program(program(&name, text, 0, false), None);
    assert!(interpreted == compiled, "interpreter and machine code differ:\n{text}");
    table(&interpreted.channels, interpreted.rate)
}

#[test]
fn cases() {
    check("tests/cases");
}

/// Every pass is shown by a case of its own folder.
#[test]
fn every_pass_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/pass");
    let files =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let texts: String = files.map(|file| std::fs::read_to_string(file).expect("a case")).collect();
    let shown = |name: &str| {
        texts.lines().any(|line| line.strip_prefix("```").and_then(|l| l.split(' ').next()) == Some(name))
    };
    let missing: Vec<&str> =
        opt::passes().map(|pass| pass.name).filter(|name| !shown(name) && *name != "vectorize").collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn the_manual() {
    check("docs/language.md");
}

fn check(path: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let bless = std::env::var_os("MAM_BLESS").is_some_and(|v| v == "1");
    match run(&folder, bless, &stage) {
        Ok(count) => assert!(count > 0, "no cases in {}", folder.display()),
        Err(differences) => panic!("{differences}\nMAM_BLESS=1 rewrites the cases"),
    }
}
