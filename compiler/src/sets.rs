//! Parameters that are set from outside before a song starts: `--set lead.cutoff=2kHz`.

use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::consts::Consts;
use crate::lower::Slots;
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Problem, Problems, Sources, Span, syntax};
use mam_runtime::ids::ParamId;
use mam_runtime::{Miss, Spelling};

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
        let slot = match find(slots, name) {
            Ok(slot) => slot,
            Err(miss) => {
                problems.add(unknown(slots, name, name_at, miss));
                continue;
            }
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

/// The slot of a name, by the rule for all names ([`mam_runtime::names`]); or of a parameter's name alone, where only one
/// has it. Case and JSON's way of writing names do not matter.
fn find(slots: &Slots, name: &str) -> Result<ParamId, Miss> {
    let exact = slots.names().find(name, Spelling::Exact);
    let found = if exact == Err(Miss::Unknown) { slots.names().find(name, Spelling::Loose) } else { exact };
    if found != Err(Miss::Unknown) {
        return found;
    }
    let plain = |s: &str| s.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(name);
    let is =
        |info: &crate::library::ParamInfo| [plain(&info.name), plain(&info.json_name())].contains(&wanted);
    let all: Vec<ParamId> =
        slots.iter().enumerate().filter(|(_, (_, info))| is(info)).map(|(i, _)| ParamId::new(i)).collect();
    match all[..] {
        [only] => Ok(only),
        [] => Err(Miss::Unknown),
        _ => Err(Miss::Several(all.iter().map(|&slot| slots.name(slot.index()).to_string()).collect())),
    }
}

fn unknown(slots: &Slots, name: &str, at: Span, miss: Miss) -> Problem {
    match miss {
        Miss::Several(names) => {
            let message = format!("`{name}` could be {} parameters", names.len());
            Problem::new(&codes::UNKNOWN_SET, at, message)
                .help(format!("write which: `{}`", names.join("`, `")))
        }
        Miss::Unknown => {
            let known: Vec<String> = slots.iter().map(|(name, _)| name.to_string()).collect();
            let message = format!("there is nothing called `{name}` to set");
            Problem::new(&codes::UNKNOWN_SET, at, message).nearest(name, "what can be set", &known)
        }
    }
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
    Consts::default().number(&files, file, expr, &[]).ok()
}

fn set(slots: &mut Slots, slot: ParamId, x: f64, dimension: Dimension, at: Span, problems: &mut Problems) {
    let info = slots.info(slot.index());
    let name = slots.name(slot.index());
    if dimension != info.dimension && dimension != Dimension::PLAIN {
        let message = format!("`{name}` is {}, but this is {dimension}", info.dimension);
        problems.add(Problem::new(&codes::DIMENSION, at, message));
        return;
    }
    let x = if dimension == Dimension::PLAIN { x * info.scale() } else { x };
    if x < info.min || x > info.max {
        let range = info.range().unwrap_or_default();
        let message = format!("{} is outside the range of `{name}`, {range}", info.show(x));
        problems.add(
            Problem::new(&codes::OUT_OF_RANGE, at, message)
                .help("it is clamped to the nearest value in the range"),
        );
    }
    let value = x.clamp(info.min, info.max);
    slots.start(slot.index(), value);
}
