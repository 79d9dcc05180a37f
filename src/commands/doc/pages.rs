//! The pages of the sound library, `docs/library`: one for each file of the prelude, with what each definition that songs can
//! call says of itself and what is measured of it. `mamc doc --pages` writes them; a test compares those of the repository.

use crate::definitions::{Entry, Prelude, default, range, smoothing};
use crate::failure::Failure;
use crate::input::Song;
use crate::measure::hear::{Held, Source, Unheard, hear};
use crate::measure::plot::figure;
use crate::output::{Inputs, create_folder, write_text};
use crate::reference::heading;
use mam_compiler::Options;
use mam_compiler::expect::find::find;
use mam_compiler::files::NoFiles;
use mam_compiler::prelude::{PRELUDE, expectations_of};
use mam_grammar::foreign::{self, Role};
use std::path::Path;

/// A page of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of its file, `filters-basics.md`.
    pub name: String,
    /// Its text, as Markdown.
    pub text: String,
}

/// All pages, the index first. With `pictures` they refer to those that [`write()`] draws.
pub fn pages(prelude: &Prelude, pictures: bool) -> Vec<Page> {
    let mut index = String::from(
        "# The sound library\n\nWhat songs can call without asking, by topic. Each page says of each definition what it is, what its\n\
         numbers mean, where it comes from, and what `mamc test` holds it to.\n\nThese pages are generated from `compiler/prelude`: \
         `mamc doc --pages docs/library` writes them, and\nwith `--pictures` it draws a picture of each definition as well.\n\n\
         | page | definitions |\n|---|---|\n",
    );
    let mut all = vec![];
    for (name, _) in PRELUDE {
        let file = name.trim_start_matches("prelude/").trim_end_matches(".mam");
        let entries: Vec<Entry> =
            prelude.all().filter(|entry| entry.file() == file && !entry.is_internal()).collect();
        if entries.is_empty() {
            continue;
        }
        let page = format!("{}.md", file.replace('/', "-"));
        let names: Vec<String> = entries.iter().map(|entry| format!("`{}`", entry.name())).collect();
        index += &format!("| [{}]({page}) | {} |\n", heading(file), names.join(" "));
        let texts = entries.iter().map(|entry| section(*entry, pictures));
        let text = format!("# {}\n\n{}", heading(file), texts.collect::<Vec<_>>().join("\n"));
        all.push(Page { name: page, text });
    }
    all.insert(0, Page { name: "README.md".into(), text: index });
    all
}

/// Writes all pages into a folder, and with `pictures` a picture of each definition into its folder `pictures`.
///
/// # Errors
/// When something cannot be written, or a picture cannot be drawn.
pub fn write(prelude: &Prelude, folder: &Path, pictures: bool) -> Result<(), Failure> {
    let inputs = Inputs::new(std::iter::empty());
    create_folder(folder)?;
    for page in pages(prelude, pictures) {
        write_text(&folder.join(&page.name), &page.text, &inputs)?;
    }
    if pictures {
        let drawn = folder.join("pictures");
        create_folder(&drawn)?;
        for entry in prelude.all() {
            if let Some(text) = shown(entry) {
                write_text(&drawn.join(format!("{}.svg", entry.name())), &drawing(entry, &text)?, &inputs)?;
            }
        }
    }
    Ok(())
}

/// What a page says of a definition.
fn section(entry: Entry, pictures: bool) -> String {
    let mut text =
        format!("## {}\n\n`{} {}`\n\n{}\n", entry.name(), entry.kind(), entry.signature(), entry.doc());
    if pictures && shown(entry).is_some() {
        text += &format!("\n![{0}](pictures/{0}.svg)\n", entry.name());
    }
    let info = entry.info();
    if entry.kind() != "def" && !info.params.is_empty() {
        text += "\n| parameter | default | range | glides | |\n|---|---|---|---|---|\n";
        for param in info.params.iter().filter(|param| param.span.is_some()) {
            let doc = param.doc.as_deref().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
            let (default, range) = (default(param), range(param));
            text += &format!(
                "| `{}` | {default} | {range} | {} | {} |\n",
                param.name,
                smoothing(param),
                doc.replace('|', "\\|")
            );
        }
    }
    if let Some(example) = entry.example() {
        text += &format!("\n```mam\nout = {example}\n```\n");
    }
    let checks = expectations_of(entry.name());
    if !checks.is_empty() {
        text += &format!("\nMeasured:\n\n```text\n{checks}\n```\n");
    }
    let elsewhere = words(entry.name());
    if !elsewhere.is_empty() {
        text += &format!("\nElsewhere: {}.\n", elsewhere.join(", "));
    }
    text
}

/// What other tools call it, where it is called or where a line plays it.
fn words(name: &str) -> Vec<&'static str> {
    let is_there = |role| matches!(role, Role::Value | Role::Target);
    let rows = foreign::ALL.iter().filter(|row| is_there(row.role) && row.word == name);
    rows.flat_map(|row| row.words()).filter(|word| *word != name).collect()
}

/// The check whose figure shows what a definition does: of those that it has the first that looks at a response or at a tail, else
/// the spectrum or the wave of its example.
fn shown(entry: Entry) -> Option<String> {
    const ANSWERS: [&str; 4] = ["expect response(", "expect phase(", "expect group_delay(", "expect rt60("];
    const SPECTRA: [&str; 5] =
        ["expect alias(", "expect harmonic(", "expect partial(", "expect slope(", "expect centroid("];
    let checks = expectations_of(entry.name());
    let starts = |with: &[&str]| checks.lines().find(|line| with.iter().any(|start| line.starts_with(start)));
    let example = entry.example();
    match (starts(&ANSWERS), example) {
        (Some(line), _) => Some(line.to_owned()),
        (None, Some(example)) if starts(&SPECTRA).is_some() => {
            Some(format!("expect centroid({example}, for: 1s) > 0Hz"))
        }
        (None, example) => example.map(|example| format!("expect peak({example}, for: 1s) > 0")),
    }
}

/// The figure of a check, as SVG.
fn drawing(entry: Entry, text: &str) -> Result<String, Failure> {
    let mut song = Song::of_text("picture.mam", text);
    let options = Options { channels: 2, ..Options::default() };
    let found = find(&mut song.sources, song.id, &NoFiles, &options.limits, 48_000.0);
    let broken = || Failure::Usage(format!("`{}` cannot be drawn: {text}", entry.name()));
    let check = found.checks.first().ok_or_else(broken)?;
    // The texts of the prelude come after the song's own, as they did when it was read.
    let Song { sources, id, .. } = Song::of_text("picture.mam", text);
    let source = Source { sources: &sources, id, loader: &NoFiles, options: &options };
    let held = Held::default();
    let mut share = held.share();
    let heard = check.subjects.iter().map(|subject| hear(&source, check, *subject, &mut share));
    let heard: Result<Vec<_>, Unheard> = heard.collect();
    let title = text.trim_start_matches("expect ").to_owned();
    Ok(figure(check, &heard.map_err(|_| broken())?, title, entry.signature()).svg())
}
