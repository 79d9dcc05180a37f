//! Instances of the prelude that are copied from a template are what they would be if each was lowered by itself.

use mam_compiler::files::{Files, NoFiles};
use mam_compiler::{Compilation, CompilationCache, Options, Stage, compile, compile_again};
use mam_grammar::ast::DefinitionKind;
use mam_grammar::{Limits, Sources};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Everything that was lowered and told, as text.
fn lowered(compilation: &Compilation) -> String {
    let lowered = &compilation.stages.lowered;
    let mut text = String::new();
    for call in &lowered.calls {
        writeln!(text, "{call:?}").unwrap();
    }
    for kernel in lowered.module.kernels.values() {
        writeln!(text, "{kernel}").unwrap();
    }
    for (name, info) in lowered.slots.iter() {
        writeln!(text, "{name} {info:?}").unwrap();
    }
    for problem in compilation.problems.iter() {
        writeln!(text, "{problem:?}").unwrap();
    }
    text + &format!("{:?} {:?} {}", lowered.module.tables, lowered.out, lowered.ports.count())
}

/// The song compiled by itself, and with what was cache.
#[track_caller]
fn check(name: &str, text: &str, options: &Options, cache: &mut CompilationCache) {
    let mut sources = Sources::default();
    let song = sources.add(name, text);
    let alone = compile(&mut sources, song, &NoFiles, options);
    let mut sources = Sources::default();
    let song = sources.add(name, text);
    let again = compile_again(&mut sources, song, &NoFiles, options, cache);
    let (alone, again) = (lowered(&alone), lowered(&again));
    for (alone, again) in alone.lines().zip(again.lines()) {
        assert_eq!(alone, again, "{name}");
    }
    assert_eq!(alone.lines().count(), again.lines().count(), "{name}");
}

#[test]
fn songs_are_lowered_alike_with_templates_of_others() {
    let mut cache = CompilationCache::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    // Twice, so that the second time everything has a template; and at another rate.
    for rate in [48_000, 44_100, 48_000] {
        let options = Options { rate, until: Stage::Lower, ..Options::default() };
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            check(&file.to_string_lossy(), &text, &options, &mut cache);
        }
    }
}

#[test]
fn each_definition_is_lowered_alike_when_it_is_called_often() {
    let files = Files::prelude(&mut Sources::default(), Limits::default());
    let mut cache = CompilationCache::default();
    for id in files.prelude_definitions() {
        let definition = files.definition(id);
        let name = &definition.name;
        let (one, two) = match definition.kind {
            _ if definition.needs_arguments() => continue,
            DefinitionKind::Def => continue,
            DefinitionKind::Instrument => (format!("{name}()"), format!("{name}(gain: 2 * 0.2)")),
            DefinitionKind::Effect => {
                (format!("kick() |> {name}()"), format!("pan(snare(), 20%) |> {name}()"))
            }
        };
        let text = format!(
            "seed 3\nx = {one}\ny = {one}\nz = {two}\nw = {one} |> echo()\n\
             knob k = 0.5 in 0..1\nv = kick(f0: 50Hz * k)\nout = x + y + z + w + v"
        );
        let options = Options { until: Stage::Lower, ..Options::default() };
        check(name.name.as_ref(), &text, &options, &mut cache);
    }
}
