//! What holds for every file of the project: lengths, words, docs, imports, lists that must be complete.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have at most.
const LONGEST: usize = 600;

/// What is still above its aim. These go down only.
const RINGS: usize = 2;
const LONG_RINGS: usize = 0;
const LONG_FUNCTIONS: usize = 0;

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
            let built = ["target", "corpus", "artifacts", "node_modules"].contains(&name.as_str())
                || (name.starts_with('.') && name != ".ci");
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

/// What the page links reads floating-point numbers by `mam_grammar::float`: the table of the standard library is a hundredth of all
/// that the page may load.
#[test]
fn the_page_links_no_table_of_the_standard_library() {
    let is_linked = |path: &str| {
        ["grammar/src/", "compiler/src/", "ide/src/", "studio/"].iter().any(|of| path.starts_with(of))
            && path != "grammar/src/float.rs"
    };
    let uses = |p: &&PathBuf| {
        let text = fs::read_to_string(p).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        is_linked(&relative(p)) && code.contains("parse::<f64>")
    };
    let found: Vec<_> = files("rs").iter().filter(uses).map(|p| relative(p)).collect();
    assert!(found.is_empty(), "`float::parse` reads numbers for the page: {found:?}");
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

/// The crates whose sources are the product.
const CRATES: [&str; 8] = [
    "grammar/src",
    "compiler/src",
    "runtime/src",
    "ide/src",
    "src",
    "plugin/src",
    "plugin/package/src",
    "benches/plug/src",
];

/// A source file of the product.
struct Source {
    /// Relative to the root, with `/`.
    path: String,
    /// As it stands.
    text: String,
    /// The same length of lines, with spaces in place of comments, literals and test modules.
    code: String,
}

fn product() -> Vec<Source> {
    let source = |path: &PathBuf| {
        let (name, text) = (relative(path).replace('\\', "/"), fs::read_to_string(path).unwrap());
        let code = without_tests(&without_literals(&text));
        Source { path: name, text, code }
    };
    let is_product = |path: &&PathBuf| {
        let path = relative(path).replace('\\', "/");
        CRATES.iter().any(|folder| path.starts_with(&format!("{folder}/"))) && !path.ends_with("tests.rs")
    };
    files("rs").iter().filter(is_product).map(source).collect()
}

/// The text with spaces in place of comments and literals; newlines stay.
fn without_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        match end {
            Some(end) => {
                out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

/// The end of the comment or literal that begins at a character, if one does.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    let find = |from: usize, end: &str| {
        let end: Vec<char> = end.chars().collect();
        let found = (from..chars.len()).find(|&i| chars[i..].starts_with(&end));
        found.map_or(chars.len(), |i| i + end.len())
    };
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if is(at + 1, '/') => Some(find(at, "\n") - 1),
        '/' if is(at + 1, '*') => Some(find(at + 2, "*/")),
        'r' if !in_word || is(at.wrapping_sub(1), 'b') => {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            let quoted = is(at + 1 + hashes, '"');
            quoted.then(|| find(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes))))
        }
        '"' => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            Some((end + 1).min(chars.len()))
        }
        '\'' if is(at + 1, '\\') => Some(find(at + 3, "'")),
        '\'' if is(at + 2, '\'') => Some(at + 3),
        _ => None,
    }
}

/// The code with spaces in place of modules that exist for tests.
fn without_tests(code: &str) -> String {
    let mut code = code.to_owned();
    while let Some(start) = code.find("#[cfg(test)]") {
        let brace = code[start..].find(['{', ';']).map_or(code.len(), |i| start + i);
        let end = if code[brace..].starts_with('{') { block_end(&code, brace) } else { brace + 1 };
        let blank: String = code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        code.replace_range(start..end, &blank);
    }
    code
}

/// The byte after the brace that closes the one at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Words that the field has another name for. `docs/glossary.md` has those that are used.
mod retired {
    /// In no part of an identifier or a file's name.
    pub(crate) const ANYWHERE: &[&str] = &[
        "circle",
        "circles",
        "island",
        "islands",
        "strand",
        "strands",
        "crew",
        "kept",
        "told",
        "wishes",
        "wish",
        "obey",
        "happening",
        "happenings",
        "slips",
        "mend",
        "rouse",
        "calm",
        "improve",
        "hands",
    ];
    /// Not as a whole identifier.
    pub(crate) const WHOLE: &[&str] =
        &["Care", "care", "Place", "Places", "poison", "turn_round", "settle", "settled"];
    /// Not as a whole identifier in the compiler's middle, where a loop iterates and a value is live.
    pub(crate) const IN_THE_MIDDLE: &[&str] =
        &["turn", "straight", "along", "near", "alone", "held", "began", "begins"];
    /// Not as the name of a function.
    pub(crate) const FUNCTIONS: &[&str] = &["of", "one", "own", "made"];
    /// Not as the name of a function in the compiler's middle.
    pub(crate) const FUNCTIONS_IN_THE_MIDDLE: &[&str] = &["go", "more", "near", "along", "alone", "missing"];
    /// Passes, optimiser, lowering, IR and emission.
    pub(crate) const MIDDLE: &[&str] = &["passes", "opt", "hir", "lower", "ir", "emit"];
}

/// The identifiers of a code with the byte at which each begins.
fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let starts = code.char_indices().filter(move |&(at, c)| {
        let before = code[..at].chars().next_back();
        (c.is_alphabetic() || c == '_') && before.is_none_or(|b| !is_letter(b) && b != '\'')
    });
    starts.map(move |(at, _)| {
        let end = code[at..].find(|c| !is_letter(c)).map_or(code.len(), |i| at + i);
        (at, &code[at..end])
    })
}

/// The words that an identifier is made of, in lower case: `KeptCode` and `kept_code` have two.
fn words_of(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in identifier.chars() {
        if c == '_' || c.is_uppercase() && lower {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        lower = c.is_lowercase();
    }
    words
}

fn has_retired_word(identifier: &str) -> bool {
    words_of(identifier).iter().any(|word| retired::ANYWHERE.contains(&&**word))
}

#[test]
fn identifiers_are_words_of_the_field() {
    let mut found = std::collections::BTreeSet::new();
    for Source { path, code, .. } in &product() {
        let middle = retired::MIDDLE.iter().any(|folder| path.starts_with(&format!("compiler/src/{folder}")));
        if path.rsplit('/').next().is_some_and(|name| has_retired_word(name.trim_end_matches(".rs"))) {
            found.insert(format!("{path}: its name"));
        }
        for (at, name) in identifiers(code) {
            let function = code[..at].trim_end().ends_with("fn");
            let retired = has_retired_word(name)
                || retired::WHOLE.contains(&name)
                || middle && retired::IN_THE_MIDDLE.contains(&name)
                || function && retired::FUNCTIONS.contains(&name)
                || function && middle && retired::FUNCTIONS_IN_THE_MIDDLE.contains(&name);
            if retired {
                found.insert(format!("{path}: `{name}`"));
            }
        }
    }
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "words that the field has another name for:\n{}", found.join("\n"));
}

/// True for a line that declares a public item or field with a documentation of its own.
fn is_public_item(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("pub ") else { return false };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let item =
        ["fn", "struct", "enum", "trait", "const", "static", "type", "union", "unsafe", "async", "extern"];
    let field = words.first().is_some_and(|word| word.ends_with(':') && !word.ends_with("::"));
    field || words.first().is_some_and(|word| item.contains(word))
}

/// The words of the documentation before a line, and whether a flag of the command line is described by it.
fn documentation(text: &[&str], code: &[&str], at: usize) -> (usize, bool) {
    let (mut words, mut is_flag, mut inside) = (0, false, false);
    for line in (0..at).rev() {
        let (text, code) = (text[line].trim(), code[line].trim());
        // The lines of an attribute, from its last to its first.
        inside |= code.ends_with(")]") && !code.starts_with("#[");
        if let Some(doc) = text.strip_prefix("///") {
            words += doc.split_whitespace().count();
        } else if code.starts_with("#[") {
            inside = false;
            is_flag |= code.contains("arg(") || code.contains("command(");
        } else if !inside {
            break;
        }
    }
    (words, is_flag)
}

#[test]
fn every_public_item_has_a_sentence_of_documentation() {
    const FEWEST: usize = 4;
    let mut bare = Vec::new();
    for Source { path, text, code } in &product() {
        let (text, code): (Vec<_>, Vec<_>) = (text.lines().collect(), code.lines().collect());
        for at in (0..code.len()).filter(|&at| is_public_item(code[at])) {
            let (words, is_flag) = documentation(&text, &code, at);
            if words < FEWEST && !is_flag && !text[at].contains('$') {
                bare.push(format!("{path}:{}: {}", at + 1, code[at].trim()));
            }
        }
    }
    assert!(bare.is_empty(), "public, with {FEWEST} words of documentation or fewer:\n{}", bare.join("\n"));
}

/// The functions of a code: name, line, number of lines and share of lines that are an arm of a table.
fn functions(code: &str) -> Vec<(String, usize, usize, f64)> {
    let mut found = Vec::new();
    for (at, _) in identifiers(code).filter(|&(_, word)| word == "fn") {
        let Some((_, name)) = identifiers(&code[at + 2..]).next() else { continue };
        let Some(open) = code[at..].find(['{', ';']).map(|i| at + i) else { continue };
        if code[open..].starts_with(';') {
            continue;
        }
        let body = &code[open..block_end(code, open)];
        let lines = body.lines().count();
        let arms = body.lines().filter(|line| line.contains("=>")).count();
        found.push((name.to_owned(), code[..at].lines().count(), lines, arms as f64 / lines as f64));
    }
    found
}

#[test]
fn no_function_is_longer_than_a_screen_unless_it_is_a_table() {
    const LONGEST: usize = 80;
    /// A table is arms: a line each, or few.
    const TABLE: f64 = 0.4;
    let mut long = Vec::new();
    for Source { path, code, .. } in &product() {
        for (name, line, lines, arms) in functions(code) {
            if lines > LONGEST && arms < TABLE {
                long.push(format!("{path}:{line}: `{name}` has {lines} lines"));
            }
        }
    }
    assert_ratchet("functions above 80 lines", long.len(), LONG_FUNCTIONS, &long);
}

/// The paths that begin with `crate`, `self` or `super` in a code, use trees taken apart. `pub(super)` is not a path: who may
/// use a name says nothing of what is used.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, word) in identifiers(code) {
        let follows = code[..at].trim_end().ends_with("::");
        let begins = code[at + word.len()..].starts_with("::");
        if matches!(word, "crate" | "self" | "super") && begins && !follows {
            let rest = &code[at..];
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || "_:{}, \n".contains(c))).unwrap_or(rest.len());
            tree(&rest[..end], &[], &mut found);
        }
    }
    found
}

/// Adds the paths of a use tree; what follows it does no harm.
fn tree(text: &str, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    let mut rest = text.trim_start();
    loop {
        let name: String = rest.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
        rest = &rest[name.len()..];
        path.extend((!name.is_empty()).then_some(name));
        match rest.strip_prefix("::") {
            Some(more) if more.starts_with('{') => {
                let inner = &more[1..block_end(more, 0).saturating_sub(1).max(1)];
                let (mut depth, mut start) = (0, 0);
                for (at, c) in inner.char_indices() {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    if c == ',' && depth == 0 {
                        tree(&inner[start..at], &path, found);
                        start = at + 1;
                    }
                }
                return tree(&inner[start..], &path, found);
            }
            Some(more) => rest = more,
            None => break,
        }
    }
    if path.len() > before.len() {
        found.push(path);
    }
}

/// The modules of a crate by path, with those that each imports.
fn imports(folder: &str, sources: &[Source]) -> Vec<(String, Vec<usize>)> {
    let module = |path: &str| -> Option<Vec<String>> {
        let inside = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
        let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if ["mod", "lib", "main"].contains(&&*parts[parts.len() - 1]) {
            parts.pop();
        }
        Some(parts)
    };
    let modules: Vec<(Vec<String>, &Source)> =
        sources.iter().filter_map(|source| Some((module(&source.path)?, source))).collect();
    let resolve = |path: &[String]| {
        (0..=path.len()).rev().find_map(|n| modules.iter().position(|(module, _)| *module == path[..n]))
    };
    let edges = |at: usize| {
        let (module, source) = &modules[at];
        let target = |path: &Vec<String>| {
            let ups = path.iter().filter(|word| *word == "super").count();
            let from = if path[0] == "crate" { 0 } else { module.len().saturating_sub(ups) };
            let rest = path.iter().filter(|word| !["crate", "self", "super"].contains(&word.as_str()));
            resolve(&module[..from].iter().chain(rest).cloned().collect::<Vec<_>>()).filter(|&to| to != at)
        };
        let mut edges: Vec<usize> = paths(&source.code).iter().filter_map(target).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    };
    (0..modules.len()).map(|at| (modules[at].1.path.clone(), edges(at))).collect()
}

/// The groups of files that import each other, directly or through others.
fn rings(files: &[(String, Vec<usize>)]) -> Vec<Vec<&str>> {
    let reaches: Vec<Vec<bool>> = (0..files.len())
        .map(|from| {
            let (mut seen, mut open) = (vec![false; files.len()], files[from].1.clone());
            while let Some(file) = open.pop() {
                if !std::mem::replace(&mut seen[file], true) {
                    open.extend(&files[file].1);
                }
            }
            seen
        })
        .collect();
    let together = |a: usize, b: usize| reaches[a][b] && reaches[b][a];
    let first = |at: &usize| reaches[*at][*at] && (0..*at).all(|before| !together(before, *at));
    let ring = |at: usize| (at..files.len()).filter(|&b| together(at, b)).map(|b| &*files[b].0).collect();
    (0..files.len()).filter(first).map(ring).collect()
}

#[test]
fn few_files_import_each_other_in_rings() {
    let sources = product();
    let found: Vec<String> = CRATES
        .iter()
        .flat_map(|folder| {
            let files = imports(folder, &sources);
            rings(&files).iter().map(|ring| format!("{}: {}", ring.len(), ring.join(" "))).collect::<Vec<_>>()
        })
        .collect();
    assert_ratchet("import rings", found.len(), RINGS, &found);
    let size = |ring: &String| ring.split(':').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let long: Vec<String> = found.iter().filter(|ring| size(ring) > 3).cloned().collect();
    assert_ratchet("import rings of more than three files", long.len(), LONG_RINGS, &long);
}

/// Fails where there are more than `limit`, and where there are fewer: then the limit goes down with them.
fn assert_ratchet(what: &str, count: usize, limit: usize, found: &[String]) {
    assert!(count <= limit, "{count} {what}, at most {limit}:\n{}", found.join("\n"));
    assert!(count == limit, "{count} {what} are left: lower the limit from {limit}, so that it stays so");
}

#[test]
fn this_test_reads_code_as_the_compiler_does() {
    let code = without_literals("let a = \"kept\"; // kept\nlet 'a' = r#\"told\"#; fn f<'a>() {}");
    assert!(!code.contains("kept") && !code.contains("told") && code.contains("fn f<'a>()"), "{code}");
    assert!(has_retired_word("KeptCode") && has_retired_word("is_kept") && !has_retired_word("bucket"));
    let of = |text: &str| paths(text).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(of("use super::{a, b::{c, D}};"), ["super::a", "super::b::c", "super::b::D"]);
    assert_eq!(of("let x = crate::a::f(self.b);"), ["crate::a::f"]);
    assert_eq!(of("pub(super) fn f(self) {}"), [] as [&str; 0]);
    let ring = [("a".into(), vec![1]), ("b".into(), vec![2]), ("c".into(), vec![1])];
    assert_eq!(rings(&ring), [["b", "c"]]);
}
