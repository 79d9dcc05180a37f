//! Files that import each other in a ring cannot be read one after the other: there are few such rings, and they are short.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rings that there may be: fewer is better, and more is refused.
const MOST_RINGS: usize = 6;
/// Files of the longest one.
const LONGEST_RING: usize = 7;
/// Files of the longest one outside of the vectoriser's recognisers, which describe each other's recurrences.
const LONGEST_ELSEWHERE: usize = 3;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The module that a file is: its path without `mod.rs` and `lib.rs`.
fn module(root: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let mut words: Vec<String> = path.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.last().is_some_and(|last| last == "mod" || last == "lib") {
        words.pop();
    }
    words
}

/// The code of a file without comments and its own tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// All paths that begin at `text`, each as its words: `a::{b, c::d}` is two.
fn paths(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            while !text[at..].starts_with('}') && at < text.len() {
                let skipped = text[at..].find(|c: char| is_letter(c) || c == '{' || c == '}').unwrap_or(1);
                at += skipped;
                if !text[at..].starts_with('}') {
                    at += paths(&text[at..], &path, found).max(1);
                }
            }
            return at + 1;
        }
        let word = rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len());
        path.push(rest[..word].to_owned());
        at += word;
        if !text[at..].starts_with("::") || word == 0 {
            found.push(path);
            return at;
        }
        at += 2;
    }
}

/// What the paths of a file lead to that begin with `crate`, `super` or `self`.
fn imports(own: &[String], text: &str) -> Vec<Vec<String>> {
    let mut all = vec![];
    for (start, base) in [("crate::", vec![]), ("self::", own.to_vec()), ("super::", parent(own))] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                paths(&text[at + start.len()..], &base, &mut all);
            }
        }
    }
    let up = |path: Vec<String>| {
        let mut to: Vec<String> = vec![];
        for word in path {
            match &*word {
                "super" => _ = to.pop(),
                "self" => {}
                _ => to.push(word),
            }
        }
        to
    };
    all.into_iter().map(up).collect()
}

fn parent(of: &[String]) -> Vec<String> {
    of[..of.len().saturating_sub(1)].to_vec()
}

#[test]
fn rings_of_files_are_few_and_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = vec![];
    files(&root, &mut all);
    let mut graph = DiGraph::<Vec<String>, ()>::new();
    let nodes: BTreeMap<Vec<String>, _> =
        all.iter().map(|file| module(&root, file)).map(|m| (m.clone(), graph.add_node(m))).collect();
    for file in &all {
        let own = module(&root, file);
        for path in imports(&own, &code(&fs::read_to_string(file).unwrap())) {
            let to = (0..=path.len()).rev().find_map(|length| nodes.get(&path[..length]));
            if let Some(&to) = to.filter(|to| **to != nodes[&own]) {
                graph.update_edge(nodes[&own], to, ());
            }
        }
    }
    assert!(graph.edge_count() > all.len(), "imports are not found");
    let rings: Vec<Vec<String>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|ring| ring.len() > 1)
        .map(|ring| ring.into_iter().map(|node| graph[node].join("/")).collect())
        .collect();
    assert!(rings.len() <= MOST_RINGS, "{rings:#?}");
    for ring in rings {
        let vectorises = ring.iter().all(|file| file.starts_with("opt/vectorize"));
        let most = if vectorises { LONGEST_RING } else { LONGEST_ELSEWHERE };
        assert!(ring.len() <= most, "{ring:#?}");
    }
}
