//! What the tests of JSON songs share.

use mam_compiler::files::Files;
use mam_compiler::json::{Song, load};
use mam_compiler::library::Library;
use mam_grammar::{Limits, Problem, Problems, Sources};

/// Loads a song: what came of it, and the problems by place.
pub(crate) fn check(text: &str) -> (Option<Song>, Vec<Problem>) {
    let mut sources = Sources::default();
    let files = Files::prelude(&mut sources, Limits::default());
    let id = sources.add("song.json", text);
    let mut problems = Problems::default();
    let song = load(&mut sources, id, &files, &Library::default(), &mut problems);
    (song, problems.into_sorted())
}
