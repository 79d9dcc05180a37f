//! `llms.txt`: what there is to read about mam, for programs that read (<https://llmstxt.org>). It is made of the pages of `docs`;
//! `MAM_BLESS=1` writes it anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A page of the documentation, as far as a list of pages shows it.
struct Page {
    title: String,
    /// The first sentences that fit a line of the list; none where a page begins with its parts.
    summary: String,
    /// Its headings of the second level.
    parts: Vec<String>,
}

/// Characters of a summary, at most.
const LONGEST_SUMMARY: usize = 300;

impl Page {
    fn read(path: &Path) -> Page {
        let text = fs::read_to_string(path).expect("a page");
        let (mut title, mut parts, mut paragraph) = (String::new(), vec![], String::new());
        let (mut is_code, mut is_over) = (false, false);
        for line in text.lines() {
            if line.starts_with("```") {
                is_code = !is_code;
                is_over |= !paragraph.is_empty();
            } else if is_code {
            } else if let Some(heading) = line.strip_prefix("# ") {
                title = heading.to_string();
            } else if let Some(part) = line.strip_prefix("## ") {
                parts.push(part.replace('`', ""));
                is_over |= !paragraph.is_empty();
            } else if parts.is_empty() && !is_over && !line.is_empty() && !line.starts_with(['|', '#', '>']) {
                let _ = write!(paragraph, "{}{line}", if paragraph.is_empty() { "" } else { " " });
            } else {
                is_over |= !paragraph.is_empty();
            }
        }
        Page { title, summary: summary(&without_links(&paragraph)), parts }
    }
}

/// The sentences that a text begins with, as many as fit, but one at least.
fn summary(text: &str) -> String {
    let ends = text.match_indices(". ").map(|(at, _)| at + 1).chain([text.len()]);
    let fits = |end: &usize| text[..*end].chars().count() <= LONGEST_SUMMARY;
    let mut ends = ends.peekable();
    let first = ends.peek().copied().unwrap_or_default();
    let end = ends.take_while(fits).last().unwrap_or(first);
    text[..end].trim_end_matches([':', ',']).to_string()
}

/// A text with `[words](address)` as `words`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((words, after)) = link.split_once("](") else { break };
        plain += before;
        plain += words;
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// The pages of a folder by their names, without the one that lists them.
fn pages(root: &Path, folder: &str) -> Vec<(String, Page)> {
    let files = fs::read_dir(root.join(folder)).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md") && name != "README.md").collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (format!("{folder}/{name}"), Page::read(&root.join(folder).join(name))))
        .collect()
}

/// A page a line, with what it is about and the names of its parts.
fn list(pages: &[(String, Page)]) -> String {
    let line = |(path, page): &(String, Page)| {
        let parts = page.parts.join("; ");
        let about: Vec<&str> =
            [&*page.summary, &*parts].into_iter().filter(|text| !text.is_empty()).collect();
        format!("- [{}]({path}): {}\n", page.title, about.join(" Parts: "))
    };
    pages.iter().map(line).collect()
}

/// The text of the file.
fn text(root: &Path) -> String {
    let readme = Page::read(&root.join("README.md"));
    let agents = fs::read_to_string(root.join("docs/agents.md")).expect("a page");
    let (_, agents) = agents.split_once('\n').expect("a title");
    let mut names: Vec<String> = fs::read_dir(root.join("examples"))
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".mam"))
        .collect();
    names.sort();
    let mut text = format!("# {}\n\n> {}\n\n{}\n", readme.title, readme.summary, agents.trim());
    let _ = write!(text, "\n## Docs\n\n{}", list(&pages(root, "docs")));
    let _ = write!(text, "\n## Library\n\n{}", list(&pages(root, "docs/library")));
    let _ = write!(text, "\n## Examples\n\n");
    for name in names {
        let song = fs::read_to_string(root.join("examples").join(&name)).expect("a song");
        let comment = song.lines().find_map(|line| line.strip_prefix("//")).unwrap_or_default();
        let about = comment.trim_start_matches('/').trim();
        let _ = writeln!(text, "- [{name}](examples/{name}): {about}");
    }
    text
}

#[test]
fn the_list_of_pages_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (path, now) = (root.join("llms.txt"), text(root));
    if std::env::var_os("MAM_BLESS").is_some() {
        fs::write(&path, &now).expect("written");
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|text| text == now),
        "llms.txt is not current: MAM_BLESS=1 writes it"
    );
}

#[test]
fn every_page_has_a_title_and_says_what_it_is_about() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, page) in pages(root, "docs").into_iter().chain(pages(root, "docs/library")) {
        let is_told = page.summary.len() > 20 || !page.parts.is_empty();
        assert!(!page.title.is_empty() && is_told, "{path}: `{}`", page.summary);
    }
}
