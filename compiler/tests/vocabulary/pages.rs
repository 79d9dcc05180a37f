//! The tables of the pages about patterns.

use mam_compiler::score::{SOURCES, modifiers};

/// A page with what stands between the marks of a table replaced.
fn with_table(page: &str, mark: &str, table: &str) -> String {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = page.split_once(&open).unwrap_or_else(|| panic!("no mark `{mark}`"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("no end of `{mark}`"));
    format!("{before}{open}\n{table}\n{close}{after}")
}

fn modifier_table() -> String {
    let mut text = String::from("| modifier | |\n|---|---|\n");
    let mut group = None;
    for entry in modifiers() {
        if group.replace(entry.group) != Some(entry.group) {
            text += &format!("| **{}** | |\n", entry.group.title());
        }
        let forms: Vec<_> = entry.forms.iter().map(|form| format!("`.{form}`")).collect();
        let notes = if entry.of_notes { " ♪" } else { "" };
        text += &format!("| {} | {}{notes} |\n", forms.join(" "), entry.doc);
    }
    text
}

/// The pages say what the tables say. `MAM_BLESS=1` writes them.
#[test]
fn the_pages_are_those_of_the_tables() {
    let sources = SOURCES.iter().map(|(name, form, doc)| format!("| `{name}` | {doc} | `{form}` |\n"));
    let sources = format!("| word | | |\n|---|---|---|\n{}", sources.collect::<String>());
    let scales: Vec<_> = mam_compiler::score::scales().collect();
    let chords: Vec<_> = mam_grammar::chords::chord_kinds().collect();
    let patterns = [
        ("sources", sources),
        ("modifiers", modifier_table()),
        ("chords", format!("Kinds of chords: `{}`; nothing behind the root is major.\n", chords.join(" "))),
        ("scales", format!("The scales: `{}`.\n", scales.join(" "))),
    ];
    let same: Vec<_> = modifiers().map(|entry| format!("`{}`", entry.name)).collect();
    let row = |row: &mam_grammar::foreign::Foreign| {
        let words: Vec<_> = row.words().map(|word| format!("`{word}`")).collect();
        let example = format!("`{}`", row.example.replace('|', "\\|"));
        let shown: Vec<_> =
            [row.note, &*example].into_iter().filter(|part| !matches!(*part, "" | "``")).collect();
        format!("| {} | {} |\n", words.join(" "), shown.join(": "))
    };
    let others =
        mam_grammar::foreign::ALL.iter().filter(|row| row.role == mam_grammar::foreign::Role::Modifier);
    let coming = [
        ("same", format!("{}.\n", same.join(" "))),
        ("others", format!("| there | here |\n|---|---|\n{}", others.map(row).collect::<String>())),
    ];
    for (name, tables) in [("patterns.md", &patterns[..]), ("coming-from-tidal.md", &coming[..])] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let page = std::fs::read_to_string(&path).unwrap();
        let current = tables.iter().fold(page.clone(), |page, (mark, table)| with_table(&page, mark, table));
        if std::env::var_os("MAM_BLESS").is_some_and(|v| v == "1") {
            std::fs::write(&path, &current).unwrap();
            continue;
        }
        assert!(page == current, "{name} is not current: MAM_BLESS=1 writes it");
    }
}
