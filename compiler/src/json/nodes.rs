//! The nodes of a song: their ids, their types, and what their parameters are set to.

use super::codes;
use super::expressions::{self, Written};
use super::known::{Found, Kind, Known};
use crate::dimension::{Dimension, base_value};
use crate::library::ParamInfo;
use mam_grammar::ast::{Ident, Number, Unit};
use mam_grammar::float;
use mam_grammar::json::{At, Decimal, Graph, ParamName, Quantity, Scalar, Text, codes as json_codes};
use mam_grammar::{Limits, Problem, Problems, Sources, Span};
use mam_runtime::Curve;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A node whose id is its own.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: Text,
    pub(super) kind: NodeKind,
    /// What its `params` say.
    pub(super) settings: Vec<Setting>,
    /// What the head of its definition is given, and how many notes it plays: arguments by their names.
    pub(super) args: Vec<(Ident, Written)>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// An instrument or effect, and the place of its `type`.
    Sound(Kind, Span),
    /// An expression of the language.
    Signal(Written),
    /// A step sequencer, which makes no sound.
    Transport,
    /// Something that has been reported.
    Unknown,
}

impl Node {
    /// The instrument that it is.
    pub(super) fn instrument(&self) -> Option<&Kind> {
        self.sound().filter(|k| !k.effect)
    }

    /// Sets a parameter from the start.
    pub(super) fn set(&mut self, setting: Setting) {
        match self.settings.iter_mut().find(|s| s.param.id == setting.param.id) {
            Some(before) => *before = setting,
            None => self.settings.push(setting),
        }
    }

    /// The instrument or effect that it is.
    pub(super) fn sound(&self) -> Option<&Kind> {
        match &self.kind {
            NodeKind::Sound(kind, _) => Some(kind),
            _ => None,
        }
    }
}

/// A parameter set to a value.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The parameter as the library describes it.
    pub(super) param: ParamInfo,
    /// The place of its name.
    pub(super) name_span: Span,
    /// The value in base units, within the range.
    pub(super) value: f64,
    /// The same as `.mam` text says it.
    pub(super) written: Number,
    /// The expression that it follows instead.
    pub(super) follows: Option<Written>,
    /// The place of the value.
    pub(super) span: Span,
}

/// All nodes of a song by their ids.
#[derive(Clone)]
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    by_id: FxHashMap<Arc<str>, usize>,
    /// False when a node could not be read; then names that are not found are not reported again.
    complete: bool,
}

impl Nodes {
    /// Looks everything up that `nodes` says.
    pub(super) fn check(
        graph: &Graph,
        known: Known<'_>,
        sources: &mut Sources,
        problems: &mut Problems,
    ) -> Nodes {
        let mut nodes = Nodes { all: vec![], by_id: FxHashMap::default(), complete: graph.nodes_complete };
        for node in &graph.nodes {
            let id = &node.id;
            if let Some(&first) = nodes.by_id.get(&id.value) {
                let message = format!("two nodes have the id `{}`", id.value);
                let first: &Node = &nodes.all[first];
                let problem = Problem::new(&codes::DUPLICATE_ID, id.span, message);
                problems
                    .add(problem.label(first.id.span, "the first").help("give each node an id of its own"));
            } else {
                nodes.by_id.insert(id.value.clone(), nodes.all.len());
            }
            let mut reader = Reader { id: &id.value, sources, limits: &known.files.limits, problems };
            let kind = match &node.kind {
                _ if node.is_transport() => NodeKind::Transport,
                Some(_) if node.is_signal() => {
                    let value =
                        node.value.as_ref().and_then(|value| reader.expression(&value.value, value.span));
                    value.map_or(NodeKind::Unknown, NodeKind::Signal)
                }
                Some(kind) => look_up(kind, known, reader.problems),
                None => NodeKind::Unknown,
            };
            let (settings, args) = match &kind {
                NodeKind::Sound(kind, _) => (reader.settings(kind, &node.params), reader.args(kind, node)),
                _ => (vec![], vec![]),
            };
            nodes.all.push(Node { id: id.clone(), kind, settings, args });
        }
        nodes
    }

    /// The ids of all nodes, in the order of the file.
    pub(super) fn ids(&self) -> Vec<Arc<str>> {
        self.all.iter().map(|node| node.id.value.clone()).collect()
    }

    /// The node that `id` names; reports it when there is none.
    pub(super) fn find(&self, id: &Text, problems: &mut Problems) -> Option<usize> {
        if let Some(&index) = self.by_id.get(&id.value) {
            return Some(index);
        }
        if self.complete {
            let message = format!("there is no node `{}`", id.value);
            let problem = Problem::new(&codes::UNKNOWN_TARGET, id.span, message);
            let ids = || self.all.iter().map(|n| &*n.id.value).collect();
            problems.suggest(problem, &id.value, "nodes", ids);
        }
        None
    }
}

fn look_up(kind: &Text, known: Known<'_>, problems: &mut Problems) -> NodeKind {
    let name = &*kind.value;
    let problem = match known.find(name) {
        Some(Found::Kind(found)) => return NodeKind::Sound(found, kind.span),
        Some(Found::Function) => Problem::new(
            &codes::UNKNOWN_TYPE,
            kind.span,
            format!("no node can be `{name}`: it is a function"),
        )
        .help("a node is an instrument or an effect; a node of type `signal` is an expression, in which functions are called"),
        None => {
            let mut names: Vec<String> = known.kinds().iter().map(|k| k.name.to_string()).collect();
            names.extend(["signal", "transport"].map(str::to_owned));
            Problem::new(&codes::UNKNOWN_TYPE, kind.span, format!("there is no type `{name}`")).nearest(
                name,
                "types of nodes",
                &names,
            )
        }
    };
    problems.add(problem);
    NodeKind::Unknown
}

/// Reads what a node is given.
struct Reader<'a> {
    /// The id of the node that is read.
    id: &'a str,
    sources: &'a mut Sources,
    limits: &'a Limits,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn expression(&mut self, text: &str, span: Span) -> Option<Written> {
        expressions::read((text, span), self.id, (self.sources, self.limits), self.problems)
    }

    fn settings(&mut self, kind: &Kind, params: &[(Text, At<Scalar>)]) -> Vec<Setting> {
        let mut first: FxHashMap<usize, Span> = FxHashMap::default();
        let mut settings = vec![];
        for (name, value) in params {
            let Some(param) = find_param(kind, name, ParamInfo::json_name, self.problems) else { continue };
            if let Some(&before) = first.get(&param.id) {
                let message = format!("`{}` is set twice", param.json_name());
                let problem = Problem::new(&json_codes::DUPLICATE_KEY, name.span, message);
                self.problems.add(problem.label(before, "first here"));
                continue;
            }
            first.insert(param.id, name.span);
            settings.extend(match &value.value {
                Scalar::Written(text) => self.followed(param, name.span, (text, value.span)),
                _ => setting(param, name.span, value, self.problems),
            });
        }
        settings
    }

    /// A parameter that follows an expression.
    fn followed(
        &mut self,
        param: &ParamInfo,
        name_span: Span,
        (text, span): (&str, Span),
    ) -> Option<Setting> {
        let follows = Some(self.expression(text, span)?);
        let written = Number { digits: "0".into(), unit: None };
        Some(Setting { param: param.clone(), name_span, value: param.default, written, follows, span })
    }

    /// What the head of a definition is given; of an instrument also how many notes it plays.
    fn args(&mut self, kind: &Kind, node: &mam_grammar::json::Node) -> Vec<(Ident, Written)> {
        let mut all = vec![];
        for (name, value) in &node.args {
            if !kind.head().iter().any(|known| **known == *name.value) {
                let message = format!("`{}` has no argument `{}`", kind.name, name.value);
                let problem = Problem::new(&codes::UNKNOWN_PARAMETER, name.span, message);
                let known: Vec<&str> = kind.head().iter().map(|name| &**name).collect();
                self.problems.add(problem.nearest(
                    &name.value,
                    &format!("arguments of {}", kind.name),
                    &known,
                ));
                continue;
            }
            let written = match &value.value {
                Quantity::Number(number) => self.expression(&number.plain(), value.span),
                Quantity::Written(text) => self.expression(text, value.span),
            };
            all.extend(written.map(|written| (Ident::new(&name.value, name.span), written)));
        }
        let played = [
            node.voices.as_ref().map(|voices| ("voices", voices.value.to_string(), voices.span)),
            node.priority.as_ref().map(|word| ("priority", word.value.to_string(), word.span)),
        ];
        for (name, text, span) in played.into_iter().flatten() {
            if kind.effect {
                let message = format!("`{}` is an effect, `{}`: it plays no notes", self.id, kind.name);
                self.problems.add(Problem::new(&codes::NOT_PLAYABLE, span, message));
                continue;
            }
            let written = match name {
                "priority" => Some(Written::name(text.into(), span)),
                _ => self.expression(&text, span),
            };
            all.extend(written.map(|written| (Ident::new(name, span), written)));
        }
        all
    }
}

/// The parameter that a lock or command means.
pub(super) fn param<'k>(kind: &'k Kind, name: &ParamName, problems: &mut Problems) -> Option<&'k ParamInfo> {
    match name {
        ParamName::Name(name) => find_param(kind, name, ParamInfo::command_name, problems),
        ParamName::Id(id) => {
            let found = kind.params().iter().find(|p| p.id as i64 == id.value);
            if found.is_none() {
                let listed: Vec<String> =
                    kind.params().iter().map(|p| format!("{} {}", p.id, p.command_name())).collect();
                let message = format!("`{}` has no parameter {}", kind.name, id.value);
                let problem = Problem::new(&codes::UNKNOWN_PARAMETER, id.span, message);
                problems.add(problem.help(format!("parameters of {}: {}", kind.name, listed.join(", "))));
            }
            found
        }
    }
}

/// The parameter whose name, spelled by `spell`, is `name`, whatever the case.
pub(super) fn find_param<'k>(
    kind: &'k Kind,
    name: &Text,
    spell: fn(&ParamInfo) -> String,
    problems: &mut Problems,
) -> Option<&'k ParamInfo> {
    let found = kind.params().iter().find(|p| spell(p).eq_ignore_ascii_case(&name.value));
    if found.is_none() {
        let names: Vec<String> = kind.params().iter().map(spell).collect();
        let what = format!("parameters of {}", kind.name);
        let message = format!("`{}` has no parameter `{}`", kind.name, name.value);
        let problem = Problem::new(&codes::UNKNOWN_PARAMETER, name.span, message);
        // `pitchDecay` for `pitchDecayMs`, or one spelling for the other, is farther than a typing error.
        let letters = |s: &str| s.replace('_', "").to_lowercase();
        let near = names
            .iter()
            .find(|n| letters(n).trim_end_matches("ms") == letters(&name.value).trim_end_matches("ms"));
        problems.add(match near {
            Some(near) => {
                problem.here(format!("did you mean `{near}`?")).help(format!("{what}: {}", names.join(", ")))
            }
            None => problem.nearest(&name.value, &what, &names),
        });
    }
    found
}

/// A value for a parameter: of the right type, clamped to the range.
pub(super) fn setting(
    param: &ParamInfo,
    name_span: Span,
    value: &At<Scalar>,
    problems: &mut Problems,
) -> Option<Setting> {
    let decimal = match &value.value {
        Scalar::Number(decimal) => decimal.clone(),
        Scalar::Bool(on) if &*param.name == "loop" => Decimal::whole_number((*on).into()),
        Scalar::Bool(_) | Scalar::Written(_) => {
            let found = if matches!(value.value, Scalar::Bool(_)) { "true or false" } else { "a text" };
            let message = format!("expected a number for `{}`, found {found}", param.json_name());
            problems.add(Problem::new(&json_codes::TYPE, value.span, message));
            return None;
        }
    };
    let asked = base_value(decimal.value(), mam_unit(param));
    let clamped = asked.clamp(param.min, param.max);
    let mut digits = decimal.plain();
    if clamped != asked {
        digits = plain(clamped * json_units(param));
        problems.add(out_of_range(param, decimal.text(), &digits, value.span));
    }
    let written = Number { digits: digits.into(), unit: mam_unit(param) };
    let span = value.span;
    Some(Setting { param: param.clone(), name_span, value: clamped, written, follows: None, span })
}

fn out_of_range(param: &ParamInfo, asked: &str, used: &str, span: Span) -> Problem {
    let unit = match param.dimension {
        Dimension::TIME => " ms",
        Dimension::FREQUENCY => " Hz",
        _ => "",
    };
    let bound = |x: f64| match x.is_finite() {
        true => plain(x * json_units(param)),
        false => "∞".to_owned(),
    };
    let (low, high) = (bound(param.min), bound(param.max));
    let message = format!("{asked} is outside the range of `{}`, {low} to {high}{unit}", param.json_name());
    Problem::new(&codes::RANGE, span, message).help(format!("{used} is used"))
}

/// JSON numbers for one base unit: times are in milliseconds.
pub(super) fn json_units(param: &ParamInfo) -> f64 {
    if param.dimension == Dimension::TIME { 1e3 } else { 1.0 }
}

/// The unit of a JSON number as `.mam` writes it.
pub(super) fn mam_unit(param: &ParamInfo) -> Option<Unit> {
    match param.dimension {
        Dimension::TIME => Some(Unit::Ms),
        Dimension::FREQUENCY => Some(Unit::Hz),
        _ => None,
    }
}

/// A number computed from a range, in decimal digits; what rounding left behind the 12th significant digit goes.
pub(super) fn plain(x: f64) -> String {
    let rounded: f64 = float::parse(&format!("{x:.11e}")).unwrap_or(x);
    format!("{rounded}")
}

/// Warns of a ramp that a parameter does not make.
pub(super) fn check_ramp(param: &ParamInfo, ramp: &At<Decimal>, problems: &mut Problems) {
    if param.curve == Curve::Step && ramp.value.value() > 0.0 {
        let message =
            format!("`{}` takes new values at once: a ramp has no effect on it", param.command_name());
        problems.add(Problem::new(&codes::STEP_RAMP, ramp.span, message).help("leave `rampMs` out"));
    }
}
