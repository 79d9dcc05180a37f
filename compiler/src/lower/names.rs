//! Names: where they are looked for, and how a circle of them is shown.

use super::value::{NodeVal, Shape, Signal, Val};
use super::{At, Lower};
use crate::codes;
use crate::dimension::Dimension;
use crate::files::DefId;
use crate::graph::{Given, NodeId, NodeKind, Turns};
use crate::ir::PortField;
use crate::library::{Expected, Units};
use mam_grammar::ast::{DefinitionKind, ExprId, Ident, ItemKind, Unit};
use mam_grammar::foreign::{self, Role};
use mam_grammar::problem::nearest;
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Index of a scope in [`Lower::scopes`].
pub(super) type ScopeId = usize;

/// Some names that are seen together.
pub(super) struct Scope {
    /// The file in which its text stands.
    pub(super) file: usize,
    /// Where names are looked for that it does not have.
    pub(super) parent: Option<ScopeId>,
    /// The scope that called, and what: how a definition that uses itself is found.
    pub(super) caller: Option<(ScopeId, DefId)>,
    /// Its names.
    pub(super) names: FxHashMap<Arc<str>, Slot>,
    /// The voice of an instrument in which it is evaluated, counted through the kernel.
    pub(super) voice: Option<usize>,
    /// In the song itself: the turn of the unrolled `sum`s around. None in definitions.
    pub(super) turns: Option<Turns>,
}

impl Scope {
    pub(super) fn song(file: usize, turns: Turns) -> Scope {
        Scope {
            file,
            parent: None,
            caller: None,
            names: FxHashMap::default(),
            voice: None,
            turns: Some(turns),
        }
    }
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Slot {
    /// An equation, not evaluated yet.
    Equation { at: At, expr: ExprId, span: Span },
    /// An argument of a call, not evaluated yet.
    Argument { at: At, expr: ExprId, place: Option<Place> },
    /// A parameter of an instance.
    Param(NodeId, usize),
    /// What the song gives to an input.
    Given(Given),
    /// A field of an event port.
    Event(usize, PortField),
    /// Is being evaluated.
    Doing,
    /// Has been evaluated.
    Done(Val),
}

/// What an argument's place expects.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) name: Arc<str>,
    pub(super) of: Arc<str>,
    pub(super) span: Span,
    pub(super) dimension: Dimension,
    /// How its values are written, and so which base units a plain number stands for.
    pub(super) units: Units,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Whether values are clamped to the range; those of a `def` are only checked.
    pub(super) clamps: bool,
}

impl Place {
    /// What a built-in called `of` expects of an argument that is measured in `unit`.
    pub(super) fn of_unit(name: &Ident, of: &Arc<str>, unit: Unit) -> Place {
        let units = Units { value: Some(unit), ..Units::default() };
        let range = (f64::NEG_INFINITY, f64::INFINITY);
        Place::of_formal(name, of, &Expected { dimension: Dimension::of(unit), range, units })
    }

    /// What a `def` called `of` expects of an argument.
    pub(super) fn of_formal(name: &Ident, of: &Arc<str>, expected: &Expected) -> Place {
        Place {
            name: name.name.clone(),
            of: of.clone(),
            span: name.span,
            dimension: expected.dimension,
            units: expected.units,
            min: expected.range.0,
            max: expected.range.1,
            clamps: false,
        }
    }
}

/// An equation that is being evaluated.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) key: (Option<NodeId>, ScopeId),
}

impl Lower<'_, '_> {
    /// The value of a name.
    pub(super) fn name(&mut self, at: &At, name: &Ident) -> Val {
        let mut scope = at.scope;
        loop {
            if self.scopes[scope].names.contains_key(&name.name) {
                return self.slot(scope, name);
            }
            match self.scopes[scope].parent {
                Some(parent) => scope = parent,
                None => break,
            }
        }
        if self.scopes[scope].turns.is_some()
            && let Some(val) = self.song_name(scope, name)
        {
            return val;
        }
        self.known_name(name).unwrap_or_else(|| self.unknown_name(at, name))
    }

    /// Evaluates a name of a scope, once.
    pub(super) fn slot(&mut self, scope: ScopeId, name: &Ident) -> Val {
        let slot = self.scopes[scope].names[&name.name].clone();
        let val = match slot {
            Slot::Done(val) => return val,
            Slot::Doing => return self.cycle(&name.name, (None, scope)),
            Slot::Param(node, index) => self.param_value(node, index),
            Slot::Given(given) => self.given_value(given),
            Slot::Event(port, field) => self.event(port, field),
            Slot::Argument { at, expr, place } => {
                self.scopes[scope].names.insert(name.name.clone(), Slot::Doing);
                let val = self.eval(&at, expr);
                let span = self.span(&at, expr);
                match place {
                    Some(place) => self.fit(val, span, &place),
                    None => val,
                }
            }
            Slot::Equation { at, expr, span } => {
                self.scopes[scope].names.insert(name.name.clone(), Slot::Doing);
                self.open.push(Open { name: name.name.clone(), span, key: (None, scope) });
                let val = self.eval(&at, expr);
                self.open.pop();
                val
            }
        };
        self.scopes[scope].names.insert(name.name.clone(), Slot::Done(val.clone()));
        val
    }

    /// A name of the song itself: an equation's node, or (before there is a graph) the equation.
    fn song_name(&mut self, root: ScopeId, name: &Ident) -> Option<Val> {
        if let Some(graph) = self.song.graph {
            return graph.names.get(&name.name).map(|&node| self.node_value(node));
        }
        let ast = &self.files().file(self.scopes[root].file).ast;
        let (expr, span) = ast.items.iter().find_map(|item| match &item.kind {
            ItemKind::Equation { name: n, value } if n == name => Some((*value, n.span)),
            _ => None,
        })?;
        let at = At { scope: root, path: name.name.clone() };
        self.scopes[root].names.insert(name.name.clone(), Slot::Equation { at, expr, span });
        Some(self.slot(root, name))
    }

    /// The names that the language itself knows.
    fn known_name(&mut self, name: &Ident) -> Option<Val> {
        let rate = self.song.rate;
        let (x, dimension) = match &*name.name {
            "tau" => (std::f64::consts::TAU, Dimension::PLAIN),
            "pi" => (std::f64::consts::PI, Dimension::PLAIN),
            "sr" => (rate, Dimension::FREQUENCY),
            "dt" => (1.0 / rate, Dimension::TIME),
            "beat" | "bar" => return Some(self.musical(&name.name)),
            "in" if self.song.graph.is_some() => return Some(self.song_input()),
            _ => return None,
        };
        let value = self.b.f64(x);
        Some(Val::mono(value, dimension))
    }

    /// The length of a beat or bar in seconds, which follows the tempo.
    pub(super) fn musical(&mut self, name: &str) -> Val {
        let slot = if name == "bar" { self.song.slots.bar() } else { self.song.slots.beat() };
        let value = self.param(slot);
        Val::mono(value, Dimension::TIME)
    }

    fn song_input(&mut self) -> Val {
        let channels = super::song::INPUT.iter().map(|&s| self.input(s)).collect();
        Val::Signal(Signal { channels, dimension: Dimension::PLAIN })
    }

    fn unknown_name(&mut self, at: &At, name: &Ident) -> Val {
        let file = self.scopes[at.scope].file;
        if self.files().is_broken(file, &name.name) {
            return Val::Broken;
        }
        if super::builtins().any(|(builtin, _, _)| builtin == &*name.name) {
            let message = format!("`{name}` is a function, not a signal");
            let problem = Problem::new(&codes::NOT_A_VALUE, name.span, message);
            return self.problem(problem.help(format!("call it: `{name}(…)`")));
        }
        if crate::graph::is_event(&name.name) || &*name.name == "gate" {
            let message = format!("`{name}` is there in instruments, which play notes, and not here");
            let help = "give it to this definition as an argument, or read an instrument's: `lead.freq`";
            return self.problem(Problem::new(&codes::UNKNOWN_NAME, name.span, message).help(help));
        }
        if let Some(def) = self.files().find(file, &name.name) {
            let what = match self.files().definition(def).kind {
                DefinitionKind::Def => "a definition",
                DefinitionKind::Instrument => "an instrument",
                DefinitionKind::Effect => "an effect",
            };
            let message = format!("`{name}` is {what}, not a signal");
            let help = match self.files().definition(def).kind {
                DefinitionKind::Effect => format!("a signal flows through it: `x |> {name}()`"),
                DefinitionKind::Instrument => {
                    format!("an equation gives it a name that can be played and heard: `{name} = {name}()`")
                }
                DefinitionKind::Def => format!("call it: `{name}(…)`"),
            };
            let problem = Problem::new(&codes::NOT_A_VALUE, name.span, message).help(help);
            let instrument = self.files().definition(def).kind == DefinitionKind::Instrument;
            return self.problem(if instrument {
                self.with_equation(at, problem, &name.name, &name.name)
            } else {
                problem
            });
        }
        let problem = self.unknown(at, name);
        self.problem(problem)
    }

    /// The problem of a name that stands for nothing, with what was probably meant: a name of the song, a note, a word of
    /// another tool, or a name of the language.
    fn unknown(&mut self, at: &At, name: &Ident) -> Problem {
        let message = format!("nothing here is called `{name}`");
        let problem = Problem::new(&codes::UNKNOWN_NAME, name.span, message);
        if let Some(hertz) = foreign::note_frequency(&name.name) {
            let help = format!(
                "for the note's frequency write `{hertz}`; in an instrument, `freq` is the frequency of the note that it plays"
            );
            return problem.here("this is a note").help(help).fix(name.span, hertz);
        }
        let target =
            foreign::find(Role::Target, &name.name).filter(|_| self.scopes[at.scope].turns.is_some());
        let row = foreign::find(Role::Value, &name.name);
        let stands = row.is_some_and(|row| !row.value.is_empty() || row.word.is_empty());
        if let Some(row) = target.filter(|_| !stands) {
            let help = format!("an equation gives it an instrument: `{name} = {}()`", row.word);
            return self.with_equation(at, problem.help(help), &name.name, row.word);
        }
        if !self.problems.may_suggest() {
            return problem;
        }
        let seen = self.seen_names(at);
        if let Some(row) = row.filter(|_| target.is_some() || nearest(&name.name, &seen).is_none()) {
            return row.explain(problem, name.span, false);
        }
        problem.nearest(&name.name, "names that can be seen here", &seen)
    }

    /// The fix that begins the song with the equation `name = instrument()`.
    fn with_equation(&self, at: &At, problem: Problem, name: &str, instrument: &str) -> Problem {
        if self.scopes[at.scope].file != self.song.file {
            return problem;
        }
        let start = Span { start: 0, end: 0, ..problem.span() };
        problem.guess(start, format!("{name} = {instrument}()\n"))
    }

    /// True when a name can be seen from a place.
    pub(super) fn sees(&self, at: &At, name: &str) -> bool {
        self.seen_names(at).iter().any(|seen| seen == name)
    }

    /// All names that can be seen from a place.
    fn seen_names(&self, at: &At) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        let mut scope = Some(at.scope);
        while let Some(s) = scope {
            names.extend(self.scopes[s].names.keys().map(ToString::to_string));
            if self.scopes[s].turns.is_some() {
                let equations = self.song.graph.iter().flat_map(|g| g.names.keys());
                names.extend(equations.map(ToString::to_string));
            }
            scope = self.scopes[s].parent;
        }
        // What is heard is not read.
        names.retain(|name| name != "out");
        names.sort();
        names.dedup();
        names.extend(["tau", "pi", "sr", "dt", "beat", "bar"].map(String::from));
        names
    }

    /// Says that a name is needed while it is being evaluated: shows every equation on the way.
    pub(super) fn cycle(&mut self, name: &str, key: (Option<NodeId>, ScopeId)) -> Val {
        let first = self.open.iter().position(|o| &*o.name == name && o.key == key).unwrap_or(0);
        // Equations inside the prelude are no news to the user; and one circle of a group is enough.
        let prelude = |o: &&Open| self.files().is_prelude_source(o.span.source);
        let way: Vec<Open> = self.open[first..].iter().filter(|o| !prelude(o)).cloned().collect();
        let Some(start) = way.first() else { return Val::Broken };
        if std::mem::replace(&mut self.circle_said, true) {
            return Val::Broken;
        }
        /// Equations that are named at most: somewhere on the way something must change, anywhere.
        const MOST_NAMED: usize = 12;
        let name = &*way[0].name.clone();
        let names: Vec<&str> = way.iter().map(|o| &*o.name).collect();
        let message = match names.len() {
            1 => format!("`{name}` needs its own value of the same sample"),
            0..=MOST_NAMED => {
                format!("these equations need each other within one sample: {} → {name}", names.join(" → "))
            }
            all => {
                let (first, more) = (names[..MOST_NAMED - 1].join(" → "), all - MOST_NAMED);
                let last = names[all - 1];
                format!(
                    "{all} equations need each other within one sample: {first} → … ({more} more) → {last} → {name}"
                )
            }
        };
        let mut problem = Problem::new(&codes::INSTANTANEOUS_CYCLE, start.span, message);
        let needs = |i: usize| format!("`{}` needs `{}`", names[i], names[(i + 1) % names.len()]);
        problem = problem.here(needs(0));
        for (i, open) in way.iter().enumerate().take(MOST_NAMED).skip(1) {
            problem = problem.label(open.span, needs(i));
        }
        let last = names[names.len() - 1];
        problem = problem.help(format!(
            "write `prev({name})` in the equation of `{last}` to mean its value one sample ago, or `tap({name}, time, max: …)`"
        ));
        self.problem(problem)
    }

    /// The value of a node: evaluated here if it belongs to this kernel, else what is known of it.
    pub(super) fn node_value(&mut self, node: NodeId) -> Val {
        match self.nodes.get(&node) {
            Some(Some(val)) => return val.clone(),
            Some(None) => {
                let graph = self.song.graph.expect("nodes come from the graph");
                let path = graph.nodes[node].path.clone();
                return self.cycle(&path, (Some(node), 0));
            }
            None => {}
        }
        let known = if self.members.contains(&node) { None } else { self.song.results[node.index()].clone() };
        let val = match known {
            None | Some(NodeVal::Inline) => self.evaluate_node(node),
            Some(NodeVal::Const(channels, dimension)) => {
                let channels = channels.into_iter().map(|x| self.b.f64(x)).collect();
                Val::Signal(Signal { channels, dimension })
            }
            Some(NodeVal::Shape(shape)) => self.read(&shape),
            Some(NodeVal::Broken) => Val::Broken,
        };
        self.nodes.insert(node, Some(val.clone()));
        val
    }

    /// What the song gives to a parameter or input.
    pub(super) fn given_value(&mut self, given: Given) -> Val {
        match given {
            Given::Node(node) => self.node_value(node),
            Given::Number(expr) => self.eval(&At { scope: 0, path: "".into() }, expr),
        }
    }

    fn read(&mut self, shape: &Shape) -> Val {
        match shape {
            Shape::Signal(signals, dimension) => {
                let channels = signals.iter().map(|&s| self.input(s)).collect();
                Val::Signal(Signal { channels, dimension: *dimension })
            }
            Shape::Record(fields) => {
                Val::Record(fields.iter().map(|(name, shape)| (name.clone(), self.read(shape))).collect())
            }
        }
    }

    fn evaluate_node(&mut self, node: NodeId) -> Val {
        let graph = self.song.graph.expect("nodes come from the graph");
        let info = &graph.nodes[node];
        self.nodes.insert(node, None);
        self.open.push(Open { name: info.path.clone(), span: info.span, key: (Some(node), 0) });
        let val = match &info.kind {
            NodeKind::Glue { expr, turns } => {
                let scope = self.turn_scope(turns);
                self.eval_whole(&At { scope, path: info.path.clone() }, *expr)
            }
            NodeKind::Instance(_) => self.instance(node),
            NodeKind::Knob(_) => self.param_value(node, 0),
        };
        self.open.pop();
        val
    }

    /// The song's scope with the counters of unrolled `sum`s.
    fn turn_scope(&mut self, turns: &Turns) -> ScopeId {
        if turns.is_empty() {
            return 0;
        }
        let mut scope = Scope::song(self.song.file, turns.clone());
        for (name, i) in turns {
            let value = self.b.f64(*i as f64);
            scope.names.insert(name.clone(), Slot::Done(Val::plain(value)));
        }
        self.scopes.push(scope);
        self.scopes.len() - 1
    }

    /// What an event port says.
    pub(super) fn event(&mut self, port: usize, field: PortField) -> Val {
        let index = Self::local(&mut self.ports, port);
        let value = self.b.port(index, field);
        let frequency = field == PortField::Freq;
        Val::mono(value, if frequency { Dimension::FREQUENCY } else { Dimension::PLAIN })
    }
}
