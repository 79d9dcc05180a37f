//! Kits of folders: a part for each sound file.

use crate::codes;
use mam_grammar::ast::{Arg, Ast, Expr, Ident, Item, ItemKind, Quoted, equation};
use mam_grammar::syntax::is_name;
use mam_grammar::{Problem, Problems};
use std::path::Path;
use std::sync::Arc;

/// The instrument that plays each file.
const PLAYER: &str = "sampler";

/// Gives a kit a part for each of these files of its folder, in their order: `snare = sampler(sample("sounds/snare.wav"))`. Parts
/// that are written in the kit are meant before them.
pub(crate) fn fill(ast: &mut Ast, kit: usize, names: &[String], problems: &mut Problems) {
    let ItemKind::Kit { folder: Some(folder), items, .. } = &ast.items[kit].kind else { return };
    let (folder, written) = (folder.clone(), items.len());
    let defines = |part: &str| equation(items, part).is_some();
    let mut parts: Vec<(String, &String)> = vec![];
    for file in names {
        let part = match part_of(file) {
            Some(part) if defines(&part) => continue,
            Some(part) => part,
            None => {
                problems.add(unnamed(file, &folder));
                continue;
            }
        };
        match parts.iter().find(|(other, _)| *other == part) {
            Some((_, before)) => problems.add(same_name(file, before, &part, &folder)),
            None => parts.push((part, file)),
        }
    }
    let made: Vec<Item> = parts.iter().map(|(part, file)| player(ast, part, file, &folder)).collect();
    if let ItemKind::Kit { items, .. } = &mut ast.items[kit].kind {
        items.splice(written..written, made);
    }
}

/// The name of the part that a file is: letters, digits and underscores, what else there is becoming an underscore. `None`
/// where that would leave out letters.
fn part_of(file: &str) -> Option<String> {
    let stem = Path::new(file).file_stem()?.to_str()?;
    if stem.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("_");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    // One that is a word of the language.
    if !name.is_empty() && !is_name(&name) {
        name.push('_');
    }
    is_name(&name).then_some(name)
}

/// `part = sampler(sample("folder/file"))`
fn player(ast: &mut Ast, part: &str, file: &str, folder: &Quoted) -> Item {
    let span = folder.span;
    let path: Arc<str> = format!("{}/{file}", folder.text.trim_end_matches('/')).into();
    let call = |ast: &mut Ast, callee: &str, value| {
        let args = vec![Arg { name: None, value }];
        ast.add(Expr::Call { callee: Ident::new(callee, span), args }, span)
    };
    let path = ast.add(Expr::Text(path), span);
    let sample = call(ast, "sample", path);
    let value = call(ast, PLAYER, sample);
    Item { doc: None, kind: ItemKind::Equation { name: Ident::new(part, span), value }, span }
}

fn unnamed(file: &str, folder: &Quoted) -> Problem {
    let message = format!(
        "`{file}` is not a part of the kit: a part's name is made of the letters a to z, digits and `_`"
    );
    let help = "give the file another name, or a part of the kit: `{ bell = sampler(sample(\"…\")) }`";
    Problem::new(&codes::KIT_FILE, folder.span, message).help(help)
}

fn same_name(file: &str, before: &str, part: &str, folder: &Quoted) -> Problem {
    let message = format!("`{file}` is not a part of the kit: `{before}` is `{part}` already");
    Problem::new(&codes::KIT_FILE, folder.span, message).help("give one of the two files another name")
}

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn names_of_files_become_names_of_parts() {
        let cases = [
            ("kick.wav", Some("kick")),
            ("Snare 01 (dry).flac", Some("Snare_01_dry")),
            ("808.bd.wav", Some("_808_bd")),
            ("out.wav", Some("out_")),
            ("--x--.aiff", Some("x")),
            ("_.wav", None),
            ("été.wav", None),
        ];
        for (file, part) in cases {
            assert_eq!(part_of(file).as_deref(), part, "{file}");
        }
    }
}
