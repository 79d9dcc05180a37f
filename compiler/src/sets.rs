//! Parameters that are set from outside before a song starts: `--set lead.cutoff=2kHz`.

use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::graph::Turns;
use crate::lower::{Slots, constants};
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Problem, Problems, Sources, Span, syntax};

/// Applies `sets`, each a name and a value as it would be written in mam.
pub(crate) fn apply(
    sets: &[(String, String)],
    sources: &mut Sources,
    slots: &mut Slots,
    problems: &mut Problems,
) {
    for (name, value) in sets {
        let text = format!("{name}={value}");
        let id = sources.add("--set", text.as_str());
        let name_at = Span::new(id, 0, name.len());
        let value_at = Span::new(id, name.len() + 1, text.len());
        let Some(slot) = find(slots, name) else {
            let known: Vec<String> = slots.iter().map(|(name, _)| name.to_string()).collect();
            let problem = Problem::new(
                &codes::UNKNOWN_SET,
                name_at,
                format!("there is nothing called `{name}` to set"),
            );
            problems.add(problem.nearest(name, "what can be set", &known));
            continue;
        };
        match number(value) {
            Some((x, dimension)) => set(slots, slot, x, dimension, value_at, problems),
            None => {
                let message = format!("`{value}` is not a number");
                let help = "write a number, with a unit if you like: `0.5`, `120Hz`, `80%`, `50ms`";
                problems.add(Problem::new(&codes::BAD_SET, value_at, message).help(help));
            }
        }
    }
}

/// The slot of a name: its path; or its last part, where only one parameter has it. Case and JSON's way of writing
/// names do not matter.
fn find(slots: &Slots, name: &str) -> Option<usize> {
    let plain = |s: &str| s.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(name);
    let matches = |path: &str, info: &crate::library::ParamInfo| {
        let node = path.rsplit_once('.').map(|(node, _)| format!("{}.", plain(node)));
        let names = [plain(&info.name), plain(&info.json_name())];
        let whole = |n: &String| format!("{}{n}", node.as_deref().unwrap_or("")) == wanted;
        (names.iter().any(whole), names.contains(&wanted))
    };
    let all: Vec<(bool, bool)> = slots.iter().map(|(path, info)| matches(path, info)).collect();
    let mut last = all.iter().enumerate().filter(|(_, m)| m.1).map(|(i, _)| i);
    let only = last.next().filter(|_| last.next().is_none());
    all.iter().position(|m| m.0).or(only)
}

/// The value of a constant text.
fn number(value: &str) -> Option<(f64, Dimension)> {
    let value = match value {
        "true" | "on" => "1",
        "false" | "off" => "0",
        other => other,
    };
    let mut sources = Sources::default();
    let mut files = Files::prelude(&mut sources, Limits::default());
    let id = sources.add("value", format!("x = {value}"));
    let (ast, problems) = syntax::parse(&sources, id, &files.limits);
    let expr = match ast.items.first().map(|i| &i.kind) {
        Some(ItemKind::Equation { value, .. }) if !problems.has_errors() && ast.items.len() == 1 => *value,
        _ => return None,
    };
    let file = files.add(id, ast, &mut sources, &crate::files::NoFiles, &mut Problems::default());
    constants::number(&files, file, expr, &Turns::new()).ok()
}

fn set(slots: &mut Slots, slot: usize, x: f64, dimension: Dimension, at: Span, problems: &mut Problems) {
    let info = slots.info(slot);
    let name = slots.name(slot);
    if dimension != info.dimension && dimension != Dimension::PLAIN {
        let message = format!("`{name}` is {}, but this is {dimension}", info.dimension);
        problems.add(Problem::new(&codes::DIMENSION, at, message));
        return;
    }
    let x = if dimension == Dimension::PLAIN { x * info.scale() } else { x };
    if x < info.min || x > info.max {
        let shown = |x: f64| crate::text::quantity(x, info.dimension, info.scale());
        let message = format!(
            "{} is outside the range of `{name}`, {}..{}",
            shown(x),
            shown(info.min),
            shown(info.max)
        );
        problems.add(
            Problem::new(&codes::OUT_OF_RANGE, at, message)
                .help("it is clamped to the nearest value in the range"),
        );
    }
    let value = x.clamp(info.min, info.max);
    slots.start(slot, value);
}
