//! The grammar for editors reads what the compiler's reads, and finds the same items in it.

use mam_compiler::codes;
use mam_compiler::prelude::PRELUDE;
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Sources, syntax};
use mam_testing::mutants::{Dice, mutant};
use std::fs;
use std::path::Path;
use tree_sitter::{Node, Parser, Query, Tree};

fn tree(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_mam::LANGUAGE.into()).unwrap();
    parser.parse(text, None).unwrap()
}

/// The names of the items of a text as the compiler's parser has them; `None` where it finds a mistake.
fn items(text: &str) -> Option<Vec<String>> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
    let name = |kind: &ItemKind| match kind {
        ItemKind::Equation { name, .. }
        | ItemKind::Kit { name, .. }
        | ItemKind::Section { name, .. }
        | ItemKind::Variation { name, .. } => name.to_string(),
        ItemKind::Definition(definition) => definition.name.to_string(),
        ItemKind::Param(param) => param.name.to_string(),
        _ => String::new(),
    };
    problems.is_empty().then(|| ast.items.iter().map(|item| name(&item.kind)).collect())
}

/// The same as tree-sitter has them.
fn nodes(text: &str, root: Node) -> Vec<String> {
    let mut cursor = root.walk();
    let all = root.named_children(&mut cursor).filter(|node| !node.kind().ends_with("comment"));
    let name = |node: Node| {
        let named = node.child_by_field_name("name");
        named.map_or(String::new(), |name| text[name.byte_range()].to_owned())
    };
    all.map(name).collect()
}

fn songs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let songs = files.filter(|path| path.extension().is_some_and(|ending| ending == "mam"));
    songs.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[track_caller]
fn agrees(text: &str) -> bool {
    let Some(items) = items(text) else { return false };
    let tree = tree(text);
    assert!(!tree.root_node().has_error(), "{text}\n{}", tree.root_node().to_sexp());
    assert_eq!(nodes(text, tree.root_node()), items, "{text}");
    true
}

#[test]
fn every_example_the_prelude_and_every_mended_example_of_a_diagnostic_are_read() {
    let songs = songs();
    assert!(songs.len() > 8);
    assert!(songs.iter().all(|song| agrees(song)));
    assert!(PRELUDE.iter().all(|(_, text)| agrees(text)));
    for row in codes::all().filter(|row| !row.passes.trim_start().starts_with('{')) {
        agrees(row.passes);
        agrees(row.fails);
    }
}

/// Whatever the compiler's grammar reads of songs with words taken out, doubled and changed.
#[test]
fn what_is_left_of_changed_songs_is_read_alike() {
    let short: Vec<String> = codes::all()
        .map(|row| row.passes.to_owned())
        .filter(|text| !text.trim_start().starts_with('{') && text.len() < 400)
        .collect();
    let mut dice = Dice(11);
    let read = (0..3000).filter(|_| {
        let text = mutant(&short, &mut dice);
        text.len() < 3000 && agrees(&text)
    });
    assert!(read.count() > 300, "most of what is compared cannot be read at all");
}

/// Lists, and the words of theirs that are names too; a line goes on behind `++`.
#[test]
fn lists_and_the_words_that_are_names_elsewhere_are_read() {
    for text in [
        "xs = [1, 2] ++\n  [3]\nout = in\n",
        "xs = list i in 0..7 { in } ++\n  ys\nout = xs[0].left + f(x)[i - 1]\n",
        "list = max(list, 3)\nout = product x in list { max i in 1..3 { min } }\n",
        "oversample = 2\nout = oversample(oversample, cubic) { x = in; out = x }\n",
        "out = max + oversample(2) + oversample(2) { in * 1.5e-3Hz }\n",
        "out = chain s = in, a in [1, 2] { s * a }\n",
    ] {
        assert!(agrees(text), "{text}");
    }
}

#[test]
fn a_mistake_is_one_here_too() {
    for text in [
        "out = (1 + 2\n",
        "out = 1 +\n",
        "instrument { out = 1 }\n",
        "play { bd |x... }\n",
        "out = sine(110Hz))\n",
    ] {
        assert!(items(text).is_none() && tree(text).root_node().has_error(), "{text}");
    }
}

#[test]
fn the_queries_name_what_there_is() {
    for query in [tree_sitter_mam::HIGHLIGHTS, tree_sitter_mam::FOLDS, tree_sitter_mam::INDENTS] {
        Query::new(&tree_sitter_mam::LANGUAGE.into(), query).unwrap();
    }
}

/// What `npm test` of the extension says, too: a new statement is told of where the language is tested.
#[test]
fn the_colours_of_visual_studio_code_have_every_word_of_the_language() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vscode/syntaxes/mam.tmLanguage.json");
    let colours = fs::read_to_string(file).unwrap();
    let words: Vec<&str> = colours.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    for word in syntax::RESERVED.iter().chain(&syntax::STATEMENTS) {
        assert!(words.contains(word), "{word}");
    }
}
