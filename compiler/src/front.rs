//! Both front ends: a `.mam` file or a JSON song becomes files to be resolved and, later, a score.

use crate::channels::{Channels, DEFAULT_CHANNELS};
use crate::expect::song::{Subject, heard};
use crate::files::{Files, Loader};
use crate::json;
use crate::library::Library;
use crate::places::Bindings;
use crate::score;
use mam_grammar::ast::{Expr, ItemKind};
use mam_grammar::mini::Notations;
use mam_grammar::syntax::Pieces;
use mam_grammar::{Limits, Problems, SourceId, Sources, syntax};
use mam_runtime::score::Score;

/// A song that has been read.
pub struct Read {
    /// The song with everything that it uses.
    pub files: Files,
    /// The song among them.
    pub song: usize,
    /// What a JSON song plays.
    pub json: Option<json::Song>,
    /// The song's seed, from which all chance is drawn.
    pub seed: u64,
    /// Frames a second; 0 where it does not say.
    pub rate: u32,
    /// Output channels; 0 where it does not say.
    pub channels: usize,
    /// The channels that `out` has to have; `None` where any will do.
    pub wanted: Option<Channels>,
}

/// True when a text is a JSON song: by the ending of its name, else by its first character.
pub fn is_json(name: &str, text: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("json") => true,
        Some("mam") => false,
        _ => text.trim_start().starts_with('{'),
    }
}

/// Reads a song; with `measured`, one whose `out` is an expression of one of its `expect`s. Items in `pieces` are not read again.
/// None when a JSON song has errors: then nothing more can be said of it.
pub fn read(
    sources: &mut Sources,
    id: SourceId,
    loader: &dyn Loader,
    limits: &Limits,
    measured: Option<Subject>,
    mut pieces: Option<&mut Pieces>,
    problems: &mut Problems,
) -> Option<Read> {
    let mut files = Files::prelude(sources, *limits);
    let source = sources.get(id);
    if is_json(&source.name, &source.text) {
        let song = json::load(sources, id, &files, &Library::default(), problems)?;
        let ast = song.ast.clone();
        let index = files.add(id, ast, (sources, loader), pieces, problems);
        let (rate, channels) =
            (song.rate.unwrap_or(0), song.channels.as_ref().map_or(0, |said| said.value.into()));
        let one = song.channels.as_ref().filter(|channels| channels.value == 1);
        let wanted = one.map(|channels| Channels::mono(channels.span));
        return Some(Read { files, song: index, json: Some(song), seed: 0, rate, channels, wanted });
    }
    let (ast, found) = syntax::parse_again(sources, id, limits, pieces.as_deref_mut());
    problems.extend(found);
    let song = files.add(id, ast, (sources, loader), pieces, problems);
    if let Some(heard) = measured.and_then(|subject| heard(&files.file(song).ast, subject)) {
        files.replace(song, heard);
    }
    let seed = seed(&files, song);
    let wanted = Channels::read(&files.file(song).ast);
    let channels = wanted.count.unwrap_or(DEFAULT_CHANNELS);
    Some(Read { files, song, json: None, seed, rate: 0, channels, wanted: Some(wanted) })
}

fn seed(files: &Files, song: usize) -> u64 {
    let ast = &files.file(song).ast;
    let expr = ast.items.iter().find_map(|item| match item.kind {
        ItemKind::Seed(expr) => Some(expr),
        _ => None,
    });
    match expr.map(|e| &ast.exprs[e]) {
        Some(Expr::Number(n)) => n.value() as u64,
        _ => 0,
    }
}

/// What the song plays, but for what only the lowered song says; patterns in `notations` are not read again, nor lines in `cached`.
pub fn score(
    json: Option<&json::Song>,
    (files, song): (&Files, usize),
    seed: u64,
    places: &Bindings,
    (notations, cached): (&Notations, Option<&mut score::LineCache>),
    problems: &mut Problems,
) -> (Score, Vec<score::Leftover>) {
    match json {
        Some(song) => (song.score(places), vec![]),
        None => score::from_ast(files.file(song), seed, places, &files.limits, (notations, cached), problems),
    }
}

/// Completes what the song plays, now that it has been lowered. Where it is `measured`, instruments that no line plays
/// play one note at its start.
pub fn complete(
    score: &mut Score,
    json: Option<&json::Song>,
    files: &Files,
    song: usize,
    measured: bool,
    places: &Bindings,
) {
    match json {
        Some(_) => score::follow_tempo(score, places.remainder()),
        None => score::complete(score, &files.file(song).ast, measured, places.remainder()),
    }
}
