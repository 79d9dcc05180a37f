//! Parameters whose values have names, `param wave = saw in saw|square|tri`: numbers from 0, by steps. And those that are known before
//! the song starts, `fixed`: arguments in the head of their definition.

use super::Seen;
use super::lines::{called, each, words};
use crate::codes;
use crate::graph::{body_exprs, operands};
use mam_grammar::ast::{
    Ast, Body, Definition, Expr, ExprId, Formal, Ident, Item, ItemKind, Number, Param, PatternText, Quoted,
};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Whether a tree has such parameters.
pub(super) fn is_needed(ast: &Ast) -> bool {
    let special = |param: &Param| !param.words.is_empty() || param.fixed;
    ast.items.iter().any(|item| match &item.kind {
        ItemKind::Param(param) => special(param),
        ItemKind::Definition(definition) => params(definition).any(special),
        _ => false,
    })
}

fn params(definition: &Definition) -> impl Iterator<Item = &Param> {
    let items = match &definition.body {
        Body::Items(items) => &items[..],
        Body::Expr(_) => &[],
    };
    items.iter().filter_map(|item| match &item.kind {
        ItemKind::Param(param) => Some(param),
        _ => None,
    })
}

/// The numbers of the words of parameters. A word that two of them have with different numbers is a problem.
fn numbers<'p>(
    params: impl Iterator<Item = &'p Param>,
    problems: &mut Problems,
) -> FxHashMap<Arc<str>, usize> {
    let mut all: FxHashMap<Arc<str>, (usize, Span)> = FxHashMap::default();
    for param in params {
        for (number, word) in param.words.iter().enumerate() {
            match all.get(&word.name) {
                Some(&(other, before)) if other != number || param.words[..number].contains(word) => {
                    let message = format!("`{word}` stands for two numbers");
                    let problem = Problem::new(&codes::DUPLICATE_NAME, word.span, message)
                        .here(format!("{number} here"));
                    problems.add(
                        problem
                            .label(before, format!("{other} here"))
                            .help("give one of them another word, or the same place in its list"),
                    );
                }
                _ => _ = all.insert(word.name.clone(), (number, word.span)),
            }
        }
    }
    all.into_iter().map(|(word, (number, _))| (word, number)).collect()
}

/// Puts numbers in the place of words in the definitions and knobs of a file, and makes arguments of what is fixed.
pub(super) fn define(ast: &mut Ast, problems: &mut Problems) {
    let mut items = std::mem::take(&mut ast.items);
    let equations: Vec<Arc<str>> = items.iter().filter_map(equation).collect();
    let knobs = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Param(param) => Some(param),
        _ => None,
    });
    let mut known = numbers(knobs, problems);
    known.retain(|word, _| !equations.contains(word));
    for item in &mut items {
        match &mut item.kind {
            ItemKind::Equation { value, .. } => replace(ast, vec![*value], &known),
            ItemKind::Param(param) => describe(ast, param, problems),
            ItemKind::Definition(definition) => {
                let mut known = numbers(params(definition), problems);
                let own = names(definition);
                known.retain(|word, _| !own.contains(word));
                replace(ast, body_exprs(&definition.body), &known);
                in_presets(ast, definition);
                fix(ast, definition, problems);
            }
            _ => {}
        }
    }
    ast.items = items;
}

fn equation(item: &Item) -> Option<Arc<str>> {
    match &item.kind {
        ItemKind::Equation { name, .. } => Some(name.name.clone()),
        _ => None,
    }
}

/// Puts numbers in the place of the words that the presets of a definition give to its parameters.
fn in_presets(ast: &mut Ast, definition: &Definition) {
    let Body::Items(items) = &definition.body else { return };
    let settings = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Preset { settings, .. } => Some(settings),
        _ => None,
    });
    for (name, value) in settings.flatten().cloned().collect::<Vec<(Ident, ExprId)>>() {
        let Expr::Name(word) = &ast.exprs[value] else { continue };
        let param = params(definition).find(|param| param.name == name);
        let number = param.and_then(|param| param.words.iter().position(|known| known == word));
        if let Some(number) = number {
            ast.exprs[value] = plain(number);
        }
    }
}

/// What is wrong with a name as a value in a preset: it is one of the words of the parameter, or not a value there.
pub(super) fn wrong_word(ast: &Ast, param: Option<&Param>, value: ExprId) -> Option<Problem> {
    let span = ast.span(value);
    match (&ast.exprs[value], param.filter(|param| !param.words.is_empty())) {
        (Expr::Name(name), Some(param)) if param.words.contains(name) => None,
        (Expr::Name(name), Some(param)) => Some(no_word(span, &name.name, &param.words, &param.name)),
        _ => {
            let message = "the values of a preset are numbers";
            let help = "write a number with its unit, such as `300Hz`";
            Some(Problem::new(&codes::NOT_CONSTANT, span, message).help(help))
        }
    }
}

/// The parameter that the song calls `target`, `bass.wave`, or the knob.
pub(super) fn param_of<'a>(ast: &'a Ast, seen: &'a [Seen], target: &str) -> Option<&'a Param> {
    let knob = |item: &'a Item| match &item.kind {
        ItemKind::Param(param) if &*param.name.name == target => Some(param),
        _ => None,
    };
    match target.rsplit_once('.') {
        None => ast.items.iter().find_map(knob),
        Some((of, name)) => {
            let definition = find(seen, called(ast).get(of)?)?;
            params(definition).find(|param| &*param.name.name == name)
        }
    }
}

/// What the equations, parameters and arguments of a definition are called.
fn names(definition: &Definition) -> Vec<Arc<str>> {
    let items = match &definition.body {
        Body::Items(items) => &items[..],
        Body::Expr(_) => &[],
    };
    let own =
        items.iter().filter_map(equation).chain(params(definition).map(|param| param.name.name.clone()));
    own.chain(definition.formals.iter().map(|formal| formal.name.name.clone())).collect()
}

/// Describes the parameters of a definition by numbers; fixed ones become arguments in its head.
fn fix(ast: &mut Ast, definition: &mut Definition, problems: &mut Problems) {
    let Body::Items(items) = &mut definition.body else { return };
    for item in items.iter_mut() {
        if let ItemKind::Param(param) = &mut item.kind {
            describe(ast, param, problems);
        }
    }
    items.retain(|item| match &item.kind {
        ItemKind::Param(param) if param.fixed => {
            let (name, default) = (param.name.clone(), Some(param.default));
            definition.formals.push(Formal { name, unit: None, default, range: param.range });
            false
        }
        _ => true,
    });
}

/// A parameter with words as one with numbers.
fn describe(ast: &mut Ast, param: &mut Param, problems: &mut Problems) {
    let Some(last) = param.words.len().checked_sub(1) else { return };
    let span = ast.span(param.default);
    let number = match &ast.exprs[param.default] {
        Expr::Name(name) => param.words.iter().position(|word| word == name),
        _ => None,
    };
    if number.is_none() {
        problems.add(no_word(span, &ast.text_of(param.default), &param.words, &param.name));
    }
    let value = plain(
        param
            .words
            .iter()
            .position(|word| matches!(&ast.exprs[param.default], Expr::Name(n) if n == word))
            .unwrap_or(0),
    );
    param.default = ast.add(value, span);
    let span = param.words[0].span.to(param.words[last].span);
    let (low, high) = (ast.add(plain(0), span), ast.add(plain(last), span));
    (param.range, param.step) = (Some((low, high)), true);
}

fn no_word(span: Span, text: &str, words: &[Ident], param: &Ident) -> Problem {
    let known: Vec<&str> = words.iter().map(|word| &*word.name).collect();
    let message = format!("`{param}` takes {}, and this is `{text}`", known.join(", "));
    Problem::new(&codes::UNKNOWN_WORD, span, message).nearest(text, "words", &known)
}

fn replace(ast: &mut Ast, mut open: Vec<ExprId>, known: &FxHashMap<Arc<str>, usize>) {
    if known.is_empty() {
        return;
    }
    while let Some(expr) = open.pop() {
        let number = match &ast.exprs[expr] {
            Expr::Name(name) => known.get(&name.name).copied(),
            Expr::Pipe { left, right } => {
                open.push(*left);
                // On the right of a pipe a name is called.
                if !matches!(ast.exprs[*right], Expr::Name(_)) {
                    open.push(*right);
                }
                None
            }
            other => {
                open.extend(operands(other));
                None
            }
        };
        if let Some(number) = number {
            ast.exprs[expr] = plain(number);
        }
    }
}

/// Puts numbers in the place of words that calls and lines give.
pub(super) fn give(ast: &mut Ast, seen: &[Seen], problems: &mut Problems) {
    let equations: Vec<Arc<str>> = ast.items.iter().filter_map(equation).collect();
    for expr in ast.exprs.handles().collect::<Vec<_>>() {
        let Expr::Call { callee, args } = &ast.exprs[expr] else { continue };
        let Some(definition) = find(seen, &callee.name) else { continue };
        let heads = definition.formals.len();
        let of = |(place, arg): (usize, &mam_grammar::ast::Arg)| {
            let param = match &arg.name {
                Some(name) => params(definition).find(|param| param.name == *name),
                None => place.checked_sub(heads).and_then(|place| params(definition).nth(place)),
            };
            param.filter(|param| !param.words.is_empty()).map(|param| (param, arg.value))
        };
        let given: Vec<(&Param, ExprId)> = args.iter().enumerate().filter_map(of).collect();
        for (param, value) in given {
            let Expr::Name(name) = &ast.exprs[value] else { continue };
            if equations.contains(&name.name) {
                continue;
            }
            ast.exprs[value] = number_of(name, param, problems);
        }
    }
    let called = called(ast);
    let knobs: Vec<Param> = ast
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Param(param) if !param.words.is_empty() => Some(param.clone()),
            _ => None,
        })
        .collect();
    let mut items = std::mem::take(&mut ast.items);
    let named = |target: &Ident, name: &Ident| {
        let definition = find(seen, called.get(&target.name)?)?;
        params(definition).find(|param| param.name == *name && !param.words.is_empty())
    };
    each(&mut items, &mut |line| {
        if let [target] = &line.target[..] {
            set_by_notes(ast, &line.modifiers, &|name| named(target, name), problems);
        }
        let param = match &line.target[..] {
            [knob] => knobs.iter().find(|param| param.name == *knob),
            [target, name] => named(target, name),
            _ => None,
        };
        let Some(param) = param else { return };
        let PatternText::Notation(quoted) = &line.pattern else { return };
        let text = in_numbers(&quoted.text, quoted.span, param, problems);
        line.pattern = PatternText::Notation(Quoted { text, span: quoted.span });
    });
    ast.items = items;
}

/// A whole number without a unit.
fn plain(number: usize) -> Expr {
    Expr::Number(Number { digits: number.to_string().into(), unit: None })
}

/// The number of a word of a parameter; 0 of one that it does not have, which is a problem.
fn number_of(word: &Ident, param: &Param, problems: &mut Problems) -> Expr {
    let number = param.words.iter().position(|known| known == word);
    if number.is_none() {
        problems.add(no_word(word.span, &word.name, &param.words, &param.name));
    }
    plain(number.unwrap_or(0))
}

/// A pattern of the words of a parameter as one of numbers.
fn in_numbers(pattern: &str, place: Span, param: &Param, problems: &mut Problems) -> Arc<str> {
    let mut text = String::new();
    for piece in words(pattern) {
        match param.words.iter().position(|word| &*word.name == piece) {
            Some(number) => text += &number.to_string(),
            None if piece.starts_with(char::is_alphabetic) => {
                problems.add(no_word(place, piece, &param.words, &param.name));
                text += "0";
            }
            None => text += piece,
        }
    }
    text.into()
}

/// Puts numbers in the place of words that notes give, `.set(wave: "saw tri")`.
fn set_by_notes<'p>(
    ast: &mut Ast,
    modifiers: &[ExprId],
    param_of: &dyn Fn(&Ident) -> Option<&'p Param>,
    problems: &mut Problems,
) {
    let mut open = modifiers.to_vec();
    while let Some(expr) = open.pop() {
        open.extend(operands(&ast.exprs[expr]));
        let (Expr::Call { callee, args } | Expr::Method { callee, args, .. }) = &ast.exprs[expr] else {
            continue;
        };
        if &*callee.name != "set" {
            continue;
        }
        for (name, value) in
            args.iter().filter_map(|arg| Some((arg.name.clone()?, arg.value))).collect::<Vec<_>>()
        {
            let Some(param) = param_of(&name) else { continue };
            let span = ast.span(value);
            ast.exprs[value] = match &ast.exprs[value] {
                Expr::Text(text) => Expr::Text(in_numbers(text, span, param, problems)),
                Expr::Name(word) => number_of(word, param, problems),
                _ => continue,
            };
        }
    }
}

fn find<'a>(seen: &'a [Seen], name: &str) -> Option<&'a Definition> {
    seen.iter().find_map(|file| file.definition(name))
}
