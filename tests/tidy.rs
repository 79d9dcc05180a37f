//! What holds for every file of the project: lengths, docs, lists that must be complete.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have at most.
const LONGEST: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the project with this ending, without what is built.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let built =
                ["target", "corpus", "artifacts"].contains(&name.as_str()) || name.starts_with(".git");
            if path.is_dir() && !built {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{ending} files: this test looks in the wrong place");
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long = |p: &PathBuf| fs::read_to_string(p).unwrap().lines().count() > LONGEST;
    let all = [files("rs"), files("mam"), files("pest")].concat();
    let long: Vec<_> = all.iter().filter(|p| long(p)).map(|p| relative(p)).collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
}

#[test]
fn every_module_says_what_it_is() {
    let bare = |p: &&PathBuf| !fs::read_to_string(p).unwrap().starts_with("//!");
    let bare: Vec<_> = files("rs").iter().filter(bare).map(|p| relative(p)).collect();
    assert!(bare.is_empty(), "without a `//!` at their beginning: {bare:?}");
}

#[test]
fn nothing_is_left_to_do_by_a_macro() {
    let marks = [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("allow(dead", "_code)")];
    let marked = |p: &&PathBuf| {
        let text = fs::read_to_string(p).unwrap();
        marks.iter().any(|m| text.contains(m))
    };
    let marked: Vec<_> = files("rs").iter().filter(marked).map(|p| relative(p)).collect();
    assert!(marked.is_empty(), "{marked:?}");
}

/// The README's two commands are the ones that are run: the second by `.ci/run`.
#[test]
fn the_readme_and_the_checks_name_one_test_command() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let checks = fs::read_to_string(root().join(".ci/run")).unwrap();
    let blocks: Vec<&str> =
        readme.split("```sh\n").skip(1).map(|b| b.split("```").next().unwrap().trim()).collect();
    assert_eq!(blocks.len(), 2, "the README has two set-up commands");
    assert!(blocks[0].contains("examples/breakbeat.json") && blocks[0].contains("breakbeat.wav"));
    assert!(checks.contains(&format!("part tests {}\n", blocks[1])));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for page in files("md").iter().filter(|p| !relative(p).starts_with("tests")) {
        let text = fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let outside = link.contains("://") || target.is_empty();
            if !outside && !page.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", relative(page)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}
