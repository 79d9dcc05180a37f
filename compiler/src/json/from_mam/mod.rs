//! A `.mam` song as JSON, version 2: what that format can say, and a problem at the place of everything else.
//!
//! It starts from a finished compilation, so it need not understand the text again: the graph says which instruments
//! and effects there are and what flows where ([`mix`]), the score says which events fall into which step of which
//! bar ([`rows`]). JSON knows the prelude's instruments and effects with constant parameters, mixes with constant
//! gains, and one transport of plain hits on a grid.

mod mix;
mod mods;
mod rows;
mod texts;
mod write;

use super::{codes, nodes::plain};
use crate::channels::{Channels, DEFAULT_CHANNELS};
use crate::compile::Compilation;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::graph::{Given, Graph, NodeId, NodeKind};
use crate::library::{Library, ParamInfo};
use crate::lower::Lowered;
use mam_grammar::ast::{Ast, DefinitionKind, Item, ItemKind};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::precedence::Priority;
use mam_runtime::score::Score;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The JSON of a compiled `.mam` song. None when it has something that JSON cannot say; then that is among the
/// problems.
pub fn from_mam(compilation: &Compilation, problems: &mut Problems) -> Option<String> {
    let (stages, program) = (&compilation.stages, compilation.program.as_ref()?);
    let files = stages.files.as_ref()?;
    let mut found = Problems::default();
    let mut song = Song {
        files,
        library: &stages.library,
        file: stages.song,
        ast: &files.file(stages.song).ast,
        graph: &stages.graph,
        lowered: &stages.lowered,
        problems: &mut found,
        signals: vec![],
        named: FxHashSet::default(),
    };
    song.check_items();
    let mut nodes = song.nodes();
    let mixer = song.mixer();
    song.heard(mixer.terms.iter().map(|term| term.0));
    nodes.extend(song.signal_nodes());
    let transport = song.transport(&program.score, &program.targets);
    let mods = song.mods();
    song.check_named(&nodes, transport.as_ref());
    let text = write::song(&song, &nodes, (mixer, mods), transport);
    let said = !found.has_errors();
    problems.extend(found);
    said.then_some(text)
}

/// The type of a node that is an expression.
const SIGNAL: &str = "signal";

/// A compiled song on its way to JSON.
struct Song<'a> {
    files: &'a Files,
    library: &'a Library,
    file: usize,
    ast: &'a Ast,
    graph: &'a Graph,
    lowered: &'a Lowered,
    problems: &'a mut Problems,
    /// The equations that become nodes by themselves, as they are found.
    signals: Vec<NodeId>,
    /// The instruments and effects that expressions name.
    named: FxHashSet<NodeId>,
}

/// A node of the JSON song.
struct Node {
    id: NodeId,
    name: Arc<str>,
    kind: Arc<str>,
    effect: bool,
    /// Name and value of each parameter that is not at its default, in JSON's units; a text where it follows a signal.
    params: Vec<(String, String)>,
    /// Name and value of what the head of its definition is given.
    args: Vec<(String, String)>,
    /// How many notes it plays at once, where that is more than one.
    voices: u32,
    /// Which of held notes play.
    priority: Option<Priority>,
    /// Of a signal, the expression that it is.
    value: Option<String>,
    /// What flows in: source, port, gain.
    wires: Vec<(NodeId, usize, f64)>,
}

impl Song<'_> {
    fn refuse(&mut self, span: Span, what: &str) {
        self.refuse_with(span, what, None);
    }

    fn refuse_with(&mut self, span: Span, what: &str, help: Option<&str>) {
        let message = format!("{what} cannot be said in JSON, version 2");
        let problem = Problem::new(&codes::NOT_IN_JSON, span, message);
        const KEEP: &str = "write the JSON of a song without it, or keep the song in the language: every command reads that, too";
        self.problems.add(problem.help(help.unwrap_or(KEEP)));
    }

    /// Says of a statement that is not heard that it has no counterpart.
    fn leave_out(&mut self, span: Span, what: &str) {
        let message = format!("{what} has no place in JSON, version 2, and is left out");
        self.problems.add(Problem::new(&codes::LEFT_OUT_OF_JSON, span, message));
    }

    /// Statements for which there is no field.
    fn check_items(&mut self) {
        for item in &self.ast.items {
            match &item.kind {
                ItemKind::Seed(_) => self.refuse(item.span, "a seed"),
                ItemKind::Channels { is_ambisonic: true, .. } => self.refuse(item.span, "a sound field"),
                // There, channels beyond those of the mix are silent.
                ItemKind::Channels { .. }
                    if Channels::read(self.ast).count.is_some_and(|count| count > DEFAULT_CHANNELS) =>
                {
                    self.refuse(item.span, "more than two channels");
                }
                ItemKind::Tuning(_) => self.refuse(item.span, "a tuning"),
                ItemKind::Param(param) => self.refuse(param.name.span, "a knob"),
                ItemKind::Title(_) => self.leave_out(item.span, "a title"),
                ItemKind::Expect(_) => self.leave_out(item.span, "what is expected of a song"),
                _ => {}
            }
        }
    }

    /// Every instrument and effect of the song.
    fn nodes(&mut self) -> Vec<Node> {
        let graph = self.graph;
        graph.nodes.handles().filter_map(|id| self.node(id)).collect()
    }

    fn node(&mut self, id: NodeId) -> Option<Node> {
        let node = &self.graph.nodes[id];
        let NodeKind::Instance(instance) = &node.kind else { return None };
        let definition = self.files.definition(instance.def);
        if !self.files.is_prelude(instance.def.file) {
            self.refuse(
                instance.callee.span,
                &format!("`{}`, which is not a definition of the prelude,", instance.callee),
            );
        }
        if instance.choke.is_some() {
            self.refuse(instance.callee.span, "a part of a kit that others choke");
        }
        let mut wires = vec![];
        let inputs = std::iter::once(&instance.input).chain(&instance.inputs);
        for (port, input) in inputs.enumerate() {
            let terms = input.map(|input| self.terms(input, node.span)).unwrap_or_default();
            self.heard(terms.iter().map(|term| term.0));
            wires.extend(terms.into_iter().map(|(from, gain)| (from, port, gain)));
        }
        let heads = definition.formals.iter().zip(&instance.fixed);
        let args = heads.filter_map(|(formal, given)| {
            let given = (*given)?;
            Some((formal.name.name.to_string(), quoted(&self.given_text(given)?)))
        });
        let args = args.collect();
        let params = instance.args.iter().enumerate();
        let params = params.filter_map(|(i, arg)| self.param(id, i, *arg)).collect();
        Some(Node {
            id,
            name: node.path.clone(),
            kind: definition.name.name.clone(),
            effect: definition.kind == DefinitionKind::Effect,
            params,
            args,
            voices: instance.voices,
            priority: instance.priority,
            value: None,
            wires,
        })
    }

    /// A parameter that is given a constant, or an expression.
    fn param(&mut self, id: NodeId, index: usize, arg: Option<Given>) -> Option<(String, String)> {
        let arg = arg?;
        let follows = if self.constant(arg).is_none() { Some(self.given_text(arg)?) } else { None };
        let info = self.lowered.slots.info(self.lowered.slots.slot_of(id, index));
        let value = follows.map_or_else(|| json_value(info, info.default), |text| quoted(&text));
        Some((info.json_name(), value))
    }

    /// The place of the first line that plays or sets `target`.
    fn line_span(&self, target: &str) -> Span {
        fn find(items: &[Item], target: &str) -> Option<Span> {
            items.iter().find_map(|item| match &item.kind {
                ItemKind::Line(line) => {
                    let words: Vec<&str> = line.target.iter().map(|word| &*word.name).collect();
                    (words.join(".") == target).then_some(item.span)
                }
                ItemKind::Play(items)
                | ItemKind::Section { items, .. }
                | ItemKind::Variation { items, .. } => find(items, target),
                _ => None,
            })
        }
        find(&self.ast.items, target)
            .unwrap_or_else(|| self.statement_span(|kind| matches!(kind, ItemKind::Play(_))))
    }

    /// The place of the first statement of a kind; the song's beginning when there is none.
    fn statement_span(&self, is: fn(&ItemKind) -> bool) -> Span {
        let item = self.ast.items.iter().find(|item| is(&item.kind)).or(self.ast.items.first());
        item.map(|item| item.span).unwrap_or_default()
    }

    fn is_score_empty(score: &Score) -> bool {
        score.transports.iter().all(|t| t.lines.is_empty())
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value in base units as JSON says it: times in milliseconds, `loop` as true or false.
fn json_value(info: &ParamInfo, value: f64) -> String {
    match info.dimension {
        _ if &*info.name == "loop" => (value >= 0.5).to_string(),
        Dimension::TIME => plain(value * 1e3),
        _ => plain(value),
    }
}
