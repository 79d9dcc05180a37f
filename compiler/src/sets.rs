//! Parameters that are set from outside before a song starts: `--set lead.cutoff=2kHz`.

use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::consts::Consts;
use crate::library::ParamInfo;
use crate::lower::Slots;
use crate::score::codes::DRIVEN_PARAMETER;
use mam_grammar::ast::ItemKind;
use mam_grammar::{Limits, Problem, Problems, Sources, Span, syntax};
use mam_runtime::ids::ParamId;
use mam_runtime::score::set_at_start;
use mam_runtime::{Miss, ParamNames, Program, Spelling};
use std::sync::Arc;

/// What of a song can be set before it starts.
#[derive(Clone, Debug, Default)]
pub struct Settable {
    names: Arc<ParamNames>,
    /// By the ids of parameters.
    all: Vec<(Arc<str>, ParamInfo)>,
    /// Those that are voices' shares of others, which notes set.
    shares: Vec<bool>,
}

/// Why a text is not a value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum NotAValue {
    /// It is not a number.
    NotANumber,
    /// It measures something else.
    Dimension(Dimension),
}

impl Settable {
    /// The parameters of a song, by its slots.
    pub fn new(slots: &Slots) -> Settable {
        let all = slots.iter().map(|(name, info)| (name.clone(), info.clone()));
        let all: Vec<_> = all.collect();
        let shares = (0..all.len()).map(|slot| slots.follows(slot).is_some()).collect();
        Settable { names: slots.names().clone(), all, shares }
    }

    /// What a parameter is.
    pub fn info(&self, param: ParamId) -> &ParamInfo {
        &self.all[param.index()].1
    }

    /// The name that leads to a parameter: its path.
    pub fn name(&self, param: ParamId) -> &Arc<str> {
        &self.all[param.index()].0
    }

    /// All parameters with their names, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ParamId, &Arc<str>, &ParamInfo)> {
        let all = self.all.iter().zip(&self.shares).enumerate().filter(|(_, (_, share))| !**share);
        all.map(|(id, ((name, info), _))| (ParamId::new(id), name, info))
    }

    /// The parameter of a name, by the rule for all names ([`mam_runtime::names`]); or of a parameter's name alone, where only
    /// one has it. Case and JSON's way of writing names do not matter.
    ///
    /// # Errors
    /// Whether there is none, or more than one.
    pub fn find(&self, name: &str) -> Result<ParamId, Miss> {
        let exact = self.names.find(name, Spelling::Exact);
        let found = if exact == Err(Miss::Unknown) { self.names.find(name, Spelling::Loose) } else { exact };
        if found != Err(Miss::Unknown) {
            return found;
        }
        let plain = |s: &str| s.replace(['_', '-'], "").to_lowercase();
        let wanted = plain(name);
        // The beat of one instrument is not what the song's tempo is looked for by.
        let is = |info: &ParamInfo| {
            !info.is_beat() && [plain(&info.name), plain(&info.json_name())].contains(&wanted)
        };
        let having = self.iter().filter(|(_, _, info)| is(info));
        let all: Vec<ParamId> = having.map(|(id, ..)| id).collect();
        match all[..] {
            [only] => Ok(only),
            [] => Err(Miss::Unknown),
            _ => Err(Miss::Several(all.iter().map(|&param| self.name(param).to_string()).collect())),
        }
    }

    /// The problem of a name that [`Settable::find`] does not find.
    pub fn unknown(&self, name: &str, at: Span, miss: Miss) -> Problem {
        match miss {
            Miss::Several(names) => {
                let message = format!("`{name}` could be {} parameters", names.len());
                Problem::new(&codes::UNKNOWN_SET, at, message)
                    .help(format!("write which: `{}`", names.join("`, `")))
            }
            Miss::Unknown => {
                let known: Vec<String> = self.iter().map(|(_, name, _)| name.to_string()).collect();
                let message = format!("there is nothing called `{name}` to set");
                let problem = Problem::new(&codes::UNKNOWN_SET, at, message);
                let is_beat =
                    |(_, _, info): &(ParamId, &Arc<str>, &ParamInfo)| info.is_beat() && *info.name == *name;
                match self.iter().find(is_beat) {
                    Some((_, own, _)) => problem.help(format!(
                        "the tempo is the song's, `tempo 140` in its text; the beat of an instrument by itself is `{own}`"
                    )),
                    None => problem.nearest(name, "what can be set", &known),
                }
            }
        }
    }

    /// A value of a parameter as it is written in mam, in base units; not clamped to the range.
    ///
    /// # Errors
    /// When it is not a number, or measures something else.
    pub fn value(&self, param: ParamId, text: &str) -> Result<f64, NotAValue> {
        let info = self.info(param);
        if let Some(number) = info.words.iter().position(|word| **word == *text) {
            return Ok(number as f64);
        }
        let (x, dimension) = number(text).ok_or(NotAValue::NotANumber)?;
        match dimension {
            Dimension::PLAIN => Ok(self.plain(param, x)),
            dimension if dimension == info.dimension => Ok(x),
            other => Err(NotAValue::Dimension(other)),
        }
    }

    /// A plain number given to a parameter, in base units.
    pub fn plain(&self, param: ParamId, x: f64) -> f64 {
        x * self.info(param).scale()
    }
}

/// Applies `sets`, each a name and a value as it would be written in mam. Returns what was set, and where that stands.
pub(crate) fn apply(
    sets: &[(String, String)],
    sources: &mut Sources,
    slots: &mut Slots,
    problems: &mut Problems,
) -> Vec<(ParamId, Span)> {
    let mut done = vec![];
    if sets.is_empty() {
        return done;
    }
    let settable = Settable::new(slots);
    for (name, value) in sets {
        let text = format!("{name}={value}");
        let id = sources.add("--set", text.as_str());
        let name_at = Span::new(id, 0, name.len());
        let value_at = Span::new(id, name.len() + 1, text.len());
        let param = match settable.find(name) {
            Ok(param) => param,
            Err(miss) => {
                problems.add(settable.unknown(name, name_at, miss));
                continue;
            }
        };
        let info = settable.info(param);
        match settable.value(param, value) {
            Ok(x) => {
                set(slots, param, (x, value_at), problems);
                done.push((param, value_at));
            }
            Err(NotAValue::NotANumber) => {
                let message = format!("`{value}` is not a number");
                let help = "write a number, with a unit if you like: `0.5`, `120Hz`, `80%`, `50ms`";
                problems.add(Problem::new(&codes::BAD_SET, value_at, message).help(help));
            }
            Err(NotAValue::Dimension(other)) => {
                let message =
                    format!("`{}` is {}, but this is {other}", settable.name(param), info.dimension);
                problems.add(Problem::new(&codes::DIMENSION, value_at, message));
            }
        }
    }
    done
}

/// Warns of what was set and is set anew by the score as the song starts.
pub(crate) fn overridden(set: &[(ParamId, Span)], program: &Program, problems: &mut Problems) {
    if set.is_empty() {
        return;
    }
    let by_score = set_at_start(program);
    for &(param, at) in set.iter().filter(|(param, _)| by_score.contains(param)) {
        let name = &program.params[param].name;
        let message = format!("the score sets `{name}` as the song starts, so that this changes nothing");
        let help = "take its line out of the score, or change the line";
        problems.add(Problem::new(&DRIVEN_PARAMETER, at, message).help(help));
    }
}

/// The value of a constant text, in base units, and what it measures: `0.5`, `120Hz`, `on`.
pub fn number(value: &str) -> Option<(f64, Dimension)> {
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
    let file = files.add(id, ast, (&mut sources, &crate::files::NoFiles), None, &mut Problems::default());
    Consts::default().number(&files, file, expr, &[]).ok()
}

/// Sets the value at the start, in base units, clamped to the range.
fn set(slots: &mut Slots, param: ParamId, (x, at): (f64, Span), problems: &mut Problems) {
    if slots.is_driven(param.index()) {
        let name = slots.name(param.index());
        let message = format!("`{name}` follows a signal of the song, so that this changes nothing");
        problems.add(Problem::new(&DRIVEN_PARAMETER, at, message).help("give it a number in its equation"));
    }
    let info = slots.info(param.index());
    if x < info.min || x > info.max {
        let range = info.range().unwrap_or_default();
        let name = slots.name(param.index());
        let message = format!("{} is outside the range of `{name}`, {range}", info.show(x));
        problems.add(
            Problem::new(&codes::OUT_OF_RANGE, at, message)
                .help("it is clamped to the nearest value in the range"),
        );
    }
    let value = x.clamp(info.min, info.max);
    slots.start(param.index(), value);
}
