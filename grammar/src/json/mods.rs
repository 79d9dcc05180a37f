//! The matrix of a song in version 2 of the format: which signals move which parameters.

use super::codes;
use super::fields::{Fields, Object};
use super::value::{At, Decimal, Text, Value};
use crate::ast::Scale;
use crate::problem::Problem;
use crate::source::Span;

/// A signal that moves a parameter.
#[derive(Clone, Debug)]
pub struct Mod {
    /// The first character of the entry.
    pub head: Span,
    /// What moves it: the id of a node, or an expression of the language.
    pub from: Text,
    /// The id of a node, a point, and the name of a parameter.
    pub to: Text,
    /// By how much, where the signal is 1.
    pub depth: At<Quantity>,
    /// The scale in which the depth acts, where it is said.
    pub curve: Option<Scale>,
    /// Least and greatest value that the parameter is moved to.
    pub range: Option<(At<Quantity>, At<Quantity>)>,
}

/// A number in a parameter's own unit, or one with its unit: `300`, `"2 octaves"`.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// In the parameter's own unit; times in milliseconds.
    Number(Decimal),
    /// As the language writes it.
    Written(std::sync::Arc<str>),
}

/// The `mods` of a song, which version 2 of the format has.
pub(super) fn mods(f: &mut Fields<'_>, song: &Object<'_>, version: u32) -> Vec<Mod> {
    if let Some(span) = song.key_span("mods").filter(|_| version < 2) {
        let problem = Problem::new(&codes::VERSION, span, "`mods` are a field of version 2 of the format");
        let problem =
            problem.help("write `\"version\": 2`; `mamc migrate` brings a file to the newest version");
        f.problems.add(match song.get("version") {
            Some(version) => problem.fix(version.span, "2"),
            None => problem,
        });
    }
    let most = f.limits.json.connections;
    f.list(song, "mods", most, read_mod)
}

fn read_mod(f: &mut Fields<'_>, value: &At<Value>) -> Option<Mod> {
    let object = f.object(value, "an entry of `mods`", &["from", "to", "depth", "curve", "range"])?;
    let (from, to) = (f.required(&object, "from", Fields::name), f.required(&object, "to", Fields::name));
    let depth = f.required(&object, "depth", quantity);
    let curve = object.get("curve").map(|value| curve(f, value));
    let range = object.get("range").map(|value| range(f, value));
    // What is malformed has been reported.
    let (curve, range) =
        (curve.map_or(Some(None), |c| c.map(Some))?, range.map_or(Some(None), |r| r.map(Some))?);
    Some(Mod { head: object.head(), from: from?, to: to?, depth: depth?, curve, range })
}

/// A number, or a text.
pub(super) fn quantity(f: &mut Fields<'_>, value: &At<Value>) -> Option<At<Quantity>> {
    match &value.value {
        Value::Text(text) => Some(At::new(Quantity::Written(text.clone()), value.span)),
        Value::Number(number) => Some(At::new(Quantity::Number(number.clone()), value.span)),
        _ => f.mismatch(value, "a number, or a text such as \"2 octaves\""),
    }
}

fn curve(f: &mut Fields<'_>, value: &At<Value>) -> Option<Scale> {
    let text = f.text(value)?;
    match &*text.value {
        "exp" => Some(Scale::Exp),
        "linear" => Some(Scale::Linear),
        other => {
            let message = format!("there is no curve `{other}`");
            let problem = Problem::new(&codes::VALUE, text.span, message);
            f.problems.add(problem.nearest(other, "curves", &["exp", "linear"]));
            None
        }
    }
}

fn range(f: &mut Fields<'_>, value: &At<Value>) -> Option<(At<Quantity>, At<Quantity>)> {
    match &value.value {
        Value::Array(ends) if ends.len() == 2 => {
            let (low, high) = (quantity(f, &ends[0]), quantity(f, &ends[1]));
            Some((low?, high?))
        }
        _ => f.mismatch(value, "a list of two values, the least and the greatest"),
    }
}
