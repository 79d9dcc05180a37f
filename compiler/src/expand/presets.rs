//! Presets: values of the parameters of an instrument or effect, by a name.

use super::Seen;
use super::copy::copy;
use super::lines::{Pipe, pipes, words};
use super::words::wrong_word;
use crate::codes;
use crate::graph::operands;
use mam_grammar::ast::{
    Arg, Ast, Body, Definition, Expr, ExprId, Ident, Item, ItemKind, Line, Param, PatternText, Quoted,
};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What calls and lines name a preset by.
const PRESET: &str = "preset";

/// A preset as it is written.
#[derive(Clone, Copy)]
pub(super) struct Preset<'a> {
    name: &'a Quoted,
    settings: &'a [(Ident, ExprId)],
}

/// The presets of a definition.
pub(super) fn presets_of(definition: &Definition) -> impl Iterator<Item = Preset<'_>> {
    items(definition).iter().filter_map(|item| match &item.kind {
        ItemKind::Preset { name, settings } => Some(Preset { name, settings }),
        _ => None,
    })
}

fn items(definition: &Definition) -> &[Item] {
    match &definition.body {
        Body::Items(items) => items,
        Body::Expr(_) => &[],
    }
}

fn params(definition: &Definition) -> impl Iterator<Item = &Param> {
    items(definition).iter().filter_map(|item| match &item.kind {
        ItemKind::Param(param) => Some(param),
        _ => None,
    })
}

/// Puts the values of presets in the place of their names, in calls and in lines.
pub(super) fn expand(ast: &mut Ast, seen: &[Seen], problems: &mut Problems) {
    seen.first().into_iter().for_each(|own| check(&own.ast, problems));
    for expr in ast.exprs.handles().collect::<Vec<_>>() {
        let Expr::Call { callee, args } = &ast.exprs[expr] else { continue };
        let Some(place) = args.iter().position(|arg| arg.name.as_ref().is_some_and(|n| &*n.name == PRESET))
        else {
            continue;
        };
        let Some((file, definition)) = find(seen, &callee.name) else { continue };
        let (callee, mut args) = (callee.clone(), args.clone());
        let given = args.remove(place);
        let Expr::Text(text) = ast.exprs[given.value].clone() else {
            let message = "a preset is named by a text";
            let help = known(definition).first().map(|name| format!("write `preset: \"{name}\"`"));
            let problem = Problem::new(&codes::UNKNOWN_ARGUMENT, ast.span(given.value), message);
            problems.add(problem.help(help.unwrap_or_else(|| "it has none".to_owned())));
            ast.exprs[expr] = Expr::Call { callee, args };
            continue;
        };
        match presets_of(definition).find(|preset| preset.name.text == text) {
            Some(preset) => {
                for (param, value) in preset.settings {
                    if !args.iter().any(|arg| arg.name.as_ref() == Some(param)) {
                        let value = copy(&file.ast, ast, *value, &Ident::clone);
                        args.push(Arg { name: Some(param.clone()), value });
                    }
                }
            }
            None => problems.add(unknown(&text, ast.span(given.value), &callee.name, definition)),
        }
        ast.exprs[expr] = Expr::Call { callee, args };
    }
    let pipes = pipes(ast);
    let mut written = std::mem::take(&mut ast.items);
    in_place(&mut written, &mut |line| {
        let (word, path) = line.target.split_last()?;
        if &*word.name != PRESET {
            return None;
        }
        let owners = owners(seen, &pipes, path);
        // Those that no definition has may be the song's.
        let mut knowing = owners.iter().filter(|owner| names_all(line, owner.definition));
        let (one, other) = (knowing.next(), knowing.next());
        if one.is_none() && seen.iter().any(Seen::has_presets) {
            return None;
        }
        let owner = one.or(owners.first())?;
        if let (Some(Owner { effect: Some(first), .. }), Some(Owner { effect: Some(second), .. })) =
            (one, other)
        {
            let message = format!("more than one effect of `{}` has such presets", path[0]);
            let help = format!("write whose: `{0}.{first}.preset` or `{0}.{second}.preset`", path[0]);
            problems.add(Problem::new(&codes::UNKNOWN_NAME, word.span, message).help(help));
            return Some(vec![]);
        }
        Some(in_values(line, owner, problems))
    });
    ast.items = written;
}

/// An instrument or effect that has presets, and is in a pipe.
struct Owner<'a> {
    file: &'a Seen,
    definition: &'a Definition,
    /// The name by which lines know it, where it is an effect.
    effect: Option<Arc<str>>,
}

/// What has presets of that which a line names: the instrument at the left end of the pipe that an equation stands for, then its
/// effects; or the effect that is named behind it.
fn owners<'a>(seen: &'a [Seen], pipes: &FxHashMap<Arc<str>, Pipe>, path: &[Ident]) -> Vec<Owner<'a>> {
    let (mut instrument, mut effects) = (None, vec![]);
    let ([target] | [target, _]) = path else { return vec![] };
    let (mut at, mut gone) = (Some(&target.name), FxHashSet::default());
    // What goes on from itself is a mistake that is told elsewhere.
    while let Some(pipe) = at.filter(|name| gone.insert(*name)).and_then(|name| pipes.get(name)) {
        let owner = |callee: &Arc<str>, effect| {
            let (file, definition) = find(seen, callee)?;
            presets_of(definition).next()?;
            Some(Owner { file, definition, effect })
        };
        instrument = pipe.left.as_ref().and_then(|callee| owner(callee, None));
        effects.extend(pipe.effects.iter().filter_map(|(name, callee)| owner(callee, Some(name.clone()))));
        at = pipe.from.as_ref();
    }
    match path {
        [_, effect] => {
            effects.into_iter().filter(|own| own.effect.as_ref() == Some(&effect.name)).take(1).collect()
        }
        _ => instrument.into_iter().chain(effects).collect(),
    }
}

/// Whether a line names presets of a definition alone.
fn names_all(line: &Line, definition: &Definition) -> bool {
    let PatternText::Notation(quoted) = &line.pattern else { return true };
    let all = known(definition);
    words(&quoted.text).iter().all(|word| !word.starts_with(char::is_alphabetic) || all.contains(word))
}

/// What is wrong with the presets of a file's definitions, whoever names them.
fn check(ast: &Ast, problems: &mut Problems) {
    for item in &ast.items {
        let ItemKind::Definition(definition) = &item.kind else { continue };
        let own: Vec<&str> = params(definition).map(|param| &*param.name.name).collect();
        let mut first: FxHashMap<&str, &Quoted> = FxHashMap::default();
        for preset in presets_of(definition) {
            if let Some(before) = first.get(&*preset.name.text) {
                let message = format!("`{}` has two presets of this name", definition.name);
                let problem = Problem::new(&codes::DUPLICATE_NAME, preset.name.span, message);
                problems
                    .add(problem.label(before.span, "first here").help("give one of the two another name"));
            }
            first.entry(&preset.name.text).or_insert(preset.name);
            check_once(preset.settings, problems);
            for (param, value) in preset.settings {
                if !own.contains(&&*param.name) {
                    let message = format!("`{}` has no parameter `{param}`", definition.name);
                    let problem = Problem::new(&codes::UNKNOWN_ARGUMENT, param.span, message);
                    problems.add(problem.nearest(&param.name, "parameters", &own));
                }
                if names(ast, *value) {
                    let param = params(definition).find(|known| known.name == *param);
                    wrong_word(ast, param, *value).into_iter().for_each(|problem| problems.add(problem));
                }
            }
        }
    }
}

/// A preset gives each parameter one value.
pub(super) fn check_once(settings: &[(Ident, ExprId)], problems: &mut Problems) {
    let mut first: FxHashMap<&str, Span> = FxHashMap::default();
    for (param, _) in settings {
        if let Some(before) = first.insert(&param.name, param.span) {
            let message = format!("the preset gives `{param}` two values");
            let problem = Problem::new(&codes::DUPLICATE_NAME, param.span, message);
            problems.add(problem.label(before, "first here").help("leave one of the two out"));
        }
    }
}

pub(super) fn names(ast: &Ast, expr: ExprId) -> bool {
    matches!(ast.exprs[expr], Expr::Name(_) | Expr::Call { .. })
        || operands(&ast.exprs[expr]).into_iter().any(|x| names(ast, x))
}

fn find<'a>(seen: &'a [Seen], name: &str) -> Option<(&'a Seen, &'a Definition)> {
    seen.iter().find_map(|file| file.definition(name).map(|definition| (file, definition)))
}

fn known(definition: &Definition) -> Vec<&str> {
    presets_of(definition).map(|preset| &*preset.name.text).collect()
}

fn unknown(text: &str, span: Span, callee: &str, definition: &Definition) -> Problem {
    unknown_preset(text, span, callee, &known(definition))
}

/// The problem of a preset that is not among those of `whose`.
pub(super) fn unknown_preset(text: &str, span: Span, whose: &str, all: &[&str]) -> Problem {
    let problem = Problem::new(&codes::UNKNOWN_NAME, span, format!("`{whose}` has no preset \"{text}\""));
    match all.is_empty() {
        true => problem.help("leave it out: it has none"),
        false => problem.nearest(text, "presets", all),
    }
}

/// Lines in the place of those of which `f` gives some.
pub(super) fn in_place(items: &mut Vec<Item>, f: &mut dyn FnMut(&Line) -> Option<Vec<Line>>) {
    let mut at = 0;
    while at < items.len() {
        match &mut items[at].kind {
            ItemKind::Line(line) => {
                if let Some(lines) = f(line) {
                    let span = items[at].span;
                    let count = lines.len();
                    let new =
                        lines.into_iter().map(|line| Item { doc: None, kind: ItemKind::Line(line), span });
                    items.splice(at..=at, new);
                    at += count;
                    continue;
                }
            }
            ItemKind::Play(inner)
            | ItemKind::Section { items: inner, .. }
            | ItemKind::Variation { items: inner, .. } => {
                in_place(inner, f);
            }
            _ => {}
        }
        at += 1;
    }
}

/// A line of presets as lines of the parameters that they set. One that does not set a parameter leaves it at its default.
fn in_values(line: &Line, owner: &Owner<'_>, problems: &mut Problems) -> Vec<Line> {
    let (file, definition) = (&*owner.file.ast, owner.definition);
    let at = line.target.last().map_or(line.target[0].span, |word| word.span);
    let PatternText::Notation(quoted) = &line.pattern else {
        let message = "a line of presets is a pattern of their names";
        let help = format!("write a pattern in quotes: `\"{}\"`", known(definition).join(" "));
        problems.add(Problem::new(&codes::UNKNOWN_NAME, at, message).help(help));
        return vec![];
    };
    let words = words(&quoted.text);
    let all = known(definition);
    let wrong = words.iter().find(|word| word.starts_with(char::is_alphabetic) && !all.contains(word));
    if let Some(word) = wrong {
        problems.add(unknown(word, quoted.span, &definition.name.name, definition));
        return vec![];
    }
    let set = |param: &&Param| {
        presets_of(definition).any(|preset| preset.settings.iter().any(|(name, _)| *name == param.name))
    };
    let lines = params(definition).filter(set).map(|param| {
        let value = |word: &str| {
            let preset = presets_of(definition).find(|preset| &*preset.name.text == word)?;
            let own = preset.settings.iter().find(|(name, _)| *name == param.name);
            Some(written(file, own.map_or(param.default, |(_, value)| *value)))
        };
        let text: String =
            words.iter().map(|word| value(word).unwrap_or_else(|| (*word).to_owned())).collect();
        let effect = owner.effect.iter().map(|name| Ident { name: name.clone(), span: at });
        let param = Ident { name: param.name.name.clone(), span: at };
        let target = std::iter::once(line.target[0].clone()).chain(effect).chain([param]).collect();
        let pattern = PatternText::Notation(Quoted { text: text.into(), span: quoted.span });
        Line { target, pattern, ..line.clone() }
    });
    lines.collect()
}

/// A number as a pattern has it.
pub(super) fn written(ast: &Ast, expr: ExprId) -> String {
    match &ast.exprs[expr] {
        Expr::Number(number) => {
            // Without the space before a long unit: it is one word there.
            format!("{}{}", number.digits, number.unit.map_or("", |unit| unit.text()))
        }
        Expr::Paren(x) => written(ast, *x),
        _ => ast.text_of(expr),
    }
}
