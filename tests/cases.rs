//! The Markdown cases of `tests/cases`, and the manual. `MAM_BLESS=1` rewrites them.

use mam_compiler::ir::Module;
use mam_compiler::target::Target;
use mam_testing::cases::{Input, run};
use mam_testing::render::{program, render_program};
use mam_testing::sound::table;
use mamc::args::HowArgs;
use mamc::compiling::compile_song;
use mamc::input::Song;
use mamc::stages;
use std::path::Path;

/// A song's stage, made for any machine so that every machine makes the same.
fn stage(name: &str, input: Input) -> Option<String> {
    match (input.language, name) {
        ("ir", _) => of_module(name, input.text),
        (language, "sound") => Some(sound(language, input.text)),
        (language, _) => {
            let song = Song::of_text(&format!("song.{language}"), input.text);
            let how = HowArgs { interp: true, portable: true, ..HowArgs::default() };
            let compiled = compile_song(song, &how);
            stages::stage(name, &compiled, Target::portable())
        }
    }
}

fn of_module(name: &str, text: &str) -> Option<String> {
    let module: Module = match text.parse() {
        Ok(module) => module,
        Err(why) => return Some(format!("{why}\n")),
    };
    if name == "ir" {
        Some(module.to_string())
    } else {
        stages::after_pass(name, &module, Target::portable())
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
