//! Presets of the song: values of parameters of several instruments, effects and knobs, by a name. A line `preset "deep bright"`
//! plays them all, `bass.preset "deep bright"` what they say of `bass`; what a preset does not name stays as it is.

use super::Seen;
use super::lines::words;
use super::presets::{check_once, in_place, names, unknown_preset, written};
use super::words::{param_of, wrong_word};
use crate::codes;
use mam_grammar::ast::{Ast, ExprId, Ident, Item, ItemKind, Line, PatternText, Quoted};
use mam_grammar::{Problem, Problems};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What a line names presets by.
const PRESET: &str = "preset";

/// A preset of the song with the tree that its values stand in.
struct Preset<'a> {
    ast: &'a Ast,
    name: &'a Quoted,
    settings: &'a [(Ident, ExprId)],
}

/// Puts lines of parameters in the place of lines of presets.
pub(super) fn expand(ast: &mut Ast, seen: &[Seen], problems: &mut Problems) {
    let all: Vec<Preset> = seen.iter().flat_map(|file| presets_of(&file.ast)).collect();
    if let Some(own) = seen.first() {
        check(&own.ast, (ast, seen), problems);
    }
    if all.is_empty() {
        return;
    }
    let mut items = std::mem::take(&mut ast.items);
    // The parts of kits are equations of their own by now.
    let parts = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Equation { name, .. } if name.name.contains('.') => Some(name.name.clone()),
        _ => None,
    });
    let parts: FxHashSet<Arc<str>> = parts.collect();
    in_place(&mut items, &mut |line| {
        let of = match &line.target[..] {
            [word] if &*word.name == PRESET => "",
            [of, word] if &*word.name == PRESET => &*of.name,
            _ => return None,
        };
        let known: Vec<&Preset> = all.iter().filter(|preset| preset.says_of(of)).collect();
        (of.is_empty() || !known.is_empty()).then(|| in_values(line, (of, &known), &parts, problems))
    });
    ast.items = items;
}

fn presets_of(ast: &Ast) -> impl Iterator<Item = Preset<'_>> {
    ast.items.iter().filter_map(move |item| match &item.kind {
        ItemKind::Preset { name, settings } => Some(Preset { ast, name, settings }),
        _ => None,
    })
}

impl Preset<'_> {
    /// Its values of the parameters of `of`, or all where that is empty.
    fn values<'p>(&'p self, of: &'p str) -> impl Iterator<Item = (&'p Ident, ExprId)> {
        let inside = move |name: &str| {
            of.is_empty() || name.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'))
        };
        self.settings.iter().filter(move |(name, _)| inside(&name.name)).map(|(name, value)| (name, *value))
    }

    fn says_of(&self, of: &str) -> bool {
        self.values(of).next().is_some()
    }
}

/// What is wrong with the presets of the song, whether they are played or not.
fn check(ast: &Ast, (song, seen): (&Ast, &[Seen]), problems: &mut Problems) {
    let mut first: FxHashMap<&str, &Quoted> = FxHashMap::default();
    for preset in presets_of(ast) {
        if let Some(before) = first.get(&*preset.name.text) {
            let problem =
                Problem::new(&codes::DUPLICATE_NAME, preset.name.span, "two presets have this name");
            problems.add(problem.label(before.span, "first here").help("give one of the two another name"));
        }
        first.entry(&preset.name.text).or_insert(preset.name);
        check_once(preset.settings, problems);
        for (name, value) in preset.settings {
            if names(ast, *value) {
                let param = param_of(song, seen, &name.name);
                wrong_word(ast, param, *value).into_iter().for_each(|problem| problems.add(problem));
            }
        }
    }
}

/// A line of presets as lines of the parameters that they set.
fn in_values(
    line: &Line,
    (of, known): (&str, &[&Preset]),
    parts: &FxHashSet<Arc<str>>,
    problems: &mut Problems,
) -> Vec<Line> {
    let all: Vec<&str> = known.iter().map(|preset| &*preset.name.text).collect();
    let at = line.target.last().map(|word| word.span).unwrap_or_default();
    let PatternText::Notation(quoted) = &line.pattern else {
        let help = format!("write a pattern in quotes: `\"{}\"`", all.join(" "));
        let message = "a line of presets is a pattern of their names";
        problems.add(Problem::new(&codes::UNKNOWN_NAME, at, message).help(help));
        return vec![];
    };
    let words = words(&quoted.text);
    let wrong = words.iter().find(|word| word.starts_with(char::is_alphabetic) && !all.contains(word));
    if let Some(word) = wrong {
        let whose = if of.is_empty() { "the song" } else { of };
        problems.add(unknown_preset(word, quoted.span, whose, &all));
        return vec![];
    }
    let played: Vec<&&Preset> = known.iter().filter(|preset| words.contains(&&*preset.name.text)).collect();
    let mut targets: Vec<&Ident> = vec![];
    for (name, _) in played.iter().flat_map(|preset| preset.values(of)) {
        if !targets.contains(&name) {
            targets.push(name);
        }
    }
    let lines = targets.into_iter().map(|target| {
        let value = |word: &&str| {
            let preset = played.iter().find(|preset| *preset.name.text == **word);
            preset.map_or_else(
                || (*word).to_owned(),
                |preset| {
                    let own = preset.values(of).find(|(name, _)| *name == target);
                    own.map_or("~".to_owned(), |(_, value)| written(preset.ast, value))
                },
            )
        };
        let text: String = words.iter().map(value).collect();
        let target = target_words(&target.name, parts).into_iter().map(|word| Ident::new(word, at)).collect();
        let pattern = PatternText::Notation(Quoted { text: text.into(), span: quoted.span });
        Line { target, pattern, ..line.clone() }
    });
    lines.collect()
}

/// The words of the target of a line; the name of a part of a kit, `dr.bd`, is one.
fn target_words<'n>(name: &'n str, parts: &FxHashSet<Arc<str>>) -> Vec<&'n str> {
    let mut dots = name.match_indices('.').map(|(at, _)| at);
    let part = dots.rfind(|&at| parts.contains(&name[..at]));
    match part {
        Some(at) => std::iter::once(&name[..at]).chain(name[at + 1..].split('.')).collect(),
        None => name.split('.').collect(),
    }
}

/// The presets that stand in a file itself, each with its settings.
pub(crate) fn settings(items: &[Item]) -> impl Iterator<Item = &(Ident, ExprId)> {
    items.iter().flat_map(|item| match &item.kind {
        ItemKind::Preset { settings, .. } => &settings[..],
        _ => &[],
    })
}
