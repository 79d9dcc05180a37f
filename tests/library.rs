//! The pages of the sound library are those that `mamc doc --pages` writes, and what they show compiles.

use mamc::commands::doc::pages::pages;
use mamc::definitions::Prelude;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// `MAM_BLESS=1` writes them anew.
#[test]
fn the_pages_are_those_of_the_prelude() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/library");
    let prelude = Prelude::default();
    if std::env::var_os("MAM_BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        mamc::commands::doc::pages::write(&prelude, &folder, false).unwrap();
    }
    let wanted: BTreeMap<String, String> =
        pages(&prelude, false).into_iter().map(|page| (page.name, page.text)).collect();
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    let found: BTreeMap<String, String> =
        fs::read_dir(&folder).unwrap().map(|entry| read(entry.unwrap())).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, text) in &wanted {
        assert!(
            found[name] == *text,
            "docs/library/{name} is not what `mamc doc --pages docs/library` writes"
        );
    }
}

/// Every definition has a text of its own there, and what an effect or an instrument takes is in a table.
#[test]
fn every_definition_is_on_a_page() {
    let prelude = Prelude::default();
    let all: String = pages(&prelude, true).into_iter().map(|page| page.text).collect();
    for entry in prelude.all().filter(|entry| !entry.is_internal()) {
        assert!(all.contains(&format!("\n## {}\n", entry.name())), "{}", entry.name());
        for param in entry.info().params.iter().filter(|param| param.span.is_some()) {
            assert!(all.contains(&format!("| `{}` | ", param.name)), "{}.{}", entry.name(), param.name);
        }
        let pictured = all.contains(&format!("](pictures/{}.svg)", entry.name()));
        assert!(pictured || entry.example().is_none(), "{}", entry.name());
    }
}
