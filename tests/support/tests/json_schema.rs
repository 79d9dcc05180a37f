//! The schema in `docs/` is the one that the library makes.

use mam_compiler::files::Files;
use mam_compiler::library::Library;
use mam_grammar::{Limits, Sources};
use std::fs;
use std::path::Path;

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema.graph.v2.json");
    let files = Files::prelude(&mut Sources::default(), Limits::default());
    let schema = mam_compiler::json::schema(&files, &Library::default());
    let now = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("MAM_BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "docs/schema.graph.v2.json is not current: run this test with MAM_BLESS=1");
}
