//! Instruments and effects of the song: their parameters, events, and where they fall silent.

use super::calls::expectation_of;
use super::names::{FrameId, Path, Slot};
use super::nodes::NodeState;
use super::place::Expectation;
use super::value::{Kind, Number, Value};
use super::wanted::text_as_signal;
use super::{At, Checker};
use crate::codes;
use crate::files::Files;
use crate::graph::{Given, Instance, NodeId, NodeKind, Voiced};
use crate::hir::builtins::{CHOKED, PAN};
use crate::hir::resolve::{EVENTS, YOUNGER_EVENTS, resolved};
use crate::hir::{DefId, Local, LocalKind};
use mam_grammar::ast::{Body, DefinitionKind, Expr, ExprId, Ident, ItemKind};
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Checker<'_> {
    /// Whether what is given to a parameter is a constant: it can be changed later, and a signal is followed.
    pub(super) fn is_constant(&self, given: Given) -> bool {
        match given {
            Given::Number(_) => true,
            Given::Voice(_) => false,
            Given::Node(node) if self.members.contains(&node) => false,
            Given::Node(node) => {
                matches!(&self.nodes[node.index()], NodeState::Done(value) if value.is_constant())
            }
        }
    }

    /// The signal of an instance.
    pub(super) fn instance(&mut self, node: NodeId, instance: &Instance) -> Value {
        let path = self.input.graph.nodes[node].path.clone();
        self.start_values(node, instance);
        let before = self.problems.len();
        let value = match self.files().definition(instance.def).kind {
            DefinitionKind::Effect => self.effect(node, instance, &path),
            _ => self.all_voices(node, instance, &path),
        };
        self.blame_text(instance, before);
        // Who calls an instance is the song.
        self.blame_call(0, &instance.callee, before);
        value
    }

    /// Where the prelude wants a signal, since there were so many problems, and the head of the instance is given a text, the
    /// text is to blame.
    fn blame_text(&mut self, instance: &Instance, before: usize) {
        let files = self.files();
        let wanted = |p: &Problem| p.code == &codes::NOT_A_SIGNAL && files.is_prelude_source(p.span().source);
        if !self.problems.iter().skip(before).any(wanted) {
            return;
        }
        let ast = &files.file(self.input.song).ast;
        let text = instance.fixed.iter().flatten().find_map(|given| match given {
            &Given::Number(expr) => self.text_of(*given).map(|text| (text, ast.span(expr))),
            Given::Node(_) | Given::Voice(_) => None,
        });
        if let Some((text, span)) = text {
            self.problems.truncate(before);
            self.problem(text_as_signal(&text, span));
        }
    }

    /// The voices of an instrument, each of which has states of its own where they are one kernel with others; they are alike.
    fn all_voices(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Value {
        let voices = if self.members.len() == 1 { 1 } else { instance.voices as usize };
        let mut first: Option<Value> = None;
        for voice in 0..voices {
            let own: Arc<str> =
                if voice == 0 { path.clone() } else { format!("{path}#{}", voice + 1).into() };
            let value = self.voice(node, instance, &own);
            first.get_or_insert(value);
        }
        first.unwrap_or(Value::Broken)
    }

    fn voice(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Value {
        let events: Vec<(&str, Value)> =
            EVENTS.into_iter().chain(YOUNGER_EVENTS).map(|event| (event, self.event(event))).collect();
        let event = |name: &str| events.iter().find(|(event, _)| *event == name);
        let around = self.instrument.replace(node);
        let voiced = self.voiced(instance, path);
        let frame = self.instance_frame(instance, path, |local| match local.kind {
            LocalKind::Param(index) => match voiced.get(&index) {
                Some(value) => Slot::Done(value.clone()),
                None => Slot::Param(node, index),
            },
            LocalKind::Event => {
                event(&local.name).map_or(Slot::Absent, |(_, value)| Slot::Done(value.clone()))
            }
            _ => Slot::Absent,
        });
        let value = self.instance_body(frame, instance);
        self.instrument = around;
        if let Some(until) = self.until_expr(instance) {
            self.has_state = true;
            let at = At { frame, equation: Some("until".into()) };
            let until_value = self.eval(&at, until);
            let span = self.span(&at, until);
            self.mono(until_value, span);
        }
        let position = voiced.get(&(instance.args.len().saturating_sub(1))).cloned();
        let trig = event("trig").map_or(Value::Broken, |(_, value)| value.clone());
        let value = self.choked(instance, path, value, trig);
        if instance.placed { self.placed((node, position), instance, path, value) } else { value }
    }

    /// A voice that notes of other parts of a kit end, by the prelude's `choked`.
    fn choked(&mut self, instance: &Instance, path: &Arc<str>, value: Value, own: Value) -> Value {
        let Some((choke, def)) = instance.choke.as_deref().zip(self.files().find_prelude(CHOKED)) else {
            return value;
        };
        let trig = self.given_value(choke.trig);
        let path = Path::Node(format!("{path}.{CHOKED}").into());
        let given = [Some(value), Some(own), Some(trig), None];
        let frame = self.definition_frame(0, def, path, |local| match local.kind {
            LocalKind::Formal(index) => given[index.min(3)].clone().map_or(Slot::Absent, Slot::Done),
            _ => Slot::Absent,
        });
        self.frames[frame].slots[3] = match choke.time {
            Some(time) => {
                let formals = self.input.library.formals(self.files(), def);
                let name = Ident::new("over", self.given_span(time));
                let place =
                    formals[3].as_ref().map(|place| Expectation::of_formal(&name, &CHOKE_WORD.into(), place));
                Slot::Done(self.head_argument(time, place, &name, CHOKE_WORD))
            }
            None => match self.files().definition(def).formals[3].default {
                Some(expr) => Slot::Argument { at: At { frame, equation: None }, expr, place: None },
                None => Slot::Absent,
            },
        };
        self.body(frame, &self.files().definition(def).body)
    }

    /// What is given to parameters of an instrument and is computed for each of its voices, by the places of the parameters.
    fn voiced(&mut self, instance: &Instance, path: &Arc<str>) -> FxHashMap<usize, Value> {
        let info = self.input.library.info(self.files(), instance.def);
        let mut values = FxHashMap::default();
        for (index, given) in instance.args.iter().enumerate() {
            let Some(Given::Voice(voiced)) = *given else { continue };
            let Voiced { expr, iterations } = &self.input.graph.voiced[voiced];
            let param = &info.params[index];
            let own: Arc<str> = format!("{path}.{}", param.name).into();
            let at = At { frame: self.iteration_frame(iterations, &own), equation: None };
            let span = self.span(&at, *expr);
            let value = self.eval_whole(&at, *expr);
            let value = self.fit(value, span, &expectation_of(param, &instance.callee.name));
            let mono = self.mono(value, span);
            values.insert(
                index,
                mono.map_or(Value::Broken, |(number, dimension)| Value::mono(number, dimension)),
            );
        }
        values
    }

    /// A voice between left and right, by the prelude's `pan`.
    fn placed(
        &mut self,
        (node, position): (NodeId, Option<Value>),
        instance: &Instance,
        path: &Arc<str>,
        value: Value,
    ) -> Value {
        if let Value::Record(_) | Value::List(_) = value {
            let callee = &instance.callee;
            let message =
                format!("`{callee}` has several outputs, and `{PAN}` does not say which of them is placed");
            let problem = Problem::new(&codes::NOT_A_SIGNAL, callee.span, message);
            let name = path.split(['.', '#']).next().unwrap_or(path);
            let of = match &value {
                Value::Record(fields) => {
                    fields.iter().next().map_or(String::new(), |(field, _)| format!(".{field}"))
                }
                _ => "[0]".into(),
            };
            return self.problem(problem.help(format!("place what is heard: `{name}{of} |> {PAN}(0.5)`")));
        }
        let info = self.input.library.info(self.files(), instance.def);
        let Some((def, index)) = self.files().find_prelude(PAN).zip(info.implied(PAN)) else { return value };
        let position = position.unwrap_or_else(|| self.param_value(node, index));
        let path = Path::Node(format!("{path}.{PAN}").into());
        let frame = self.definition_frame(0, def, path, |local| match local.kind {
            LocalKind::Formal(0) => Slot::Done(value.clone()),
            LocalKind::Formal(_) => Slot::Done(position.clone()),
            _ => Slot::Absent,
        });
        self.body(frame, &self.files().definition(def).body)
    }

    /// The expression that says when a voice has fallen silent.
    fn until_expr(&self, instance: &Instance) -> Option<ExprId> {
        let Body::Items(items) = &self.files().definition(instance.def).body else { return None };
        items.iter().find_map(|i| match i.kind {
            ItemKind::Until(expr) => Some(expr),
            _ => None,
        })
    }

    fn effect(&mut self, node: NodeId, instance: &Instance, path: &Arc<str>) -> Value {
        let silence = || Slot::Done(Value::plain(Number::real(0.0)));
        let input = instance.input.map_or_else(silence, Slot::Given);
        let frame = self.instance_frame(instance, path, |local| match local.kind {
            LocalKind::Param(index) => Slot::Param(node, index),
            LocalKind::In => input.clone(),
            LocalKind::Input(index) => {
                let given = instance.inputs.get(index).copied().flatten();
                given.map_or_else(|| input.clone(), Slot::Given)
            }
            _ => Slot::Absent,
        });
        self.instance_body(frame, instance)
    }

    fn instance_frame(
        &mut self,
        instance: &Instance,
        path: &Arc<str>,
        slot: impl FnMut(&Local) -> Slot,
    ) -> FrameId {
        let frame = self.definition_frame(0, instance.def, Path::Node(path.clone()), slot);
        self.head_arguments(frame, instance);
        frame
    }

    /// What the arguments in the head of an instance's definition are.
    fn head_arguments(&mut self, frame: FrameId, instance: &Instance) {
        let definition = self.files().definition(instance.def);
        let expected = self.input.library.formals(self.files(), instance.def);
        for (i, (formal, expected)) in definition.formals.iter().zip(&*expected).enumerate() {
            let of = &instance.callee.name;
            let place = expected.as_ref().map(|expected| Expectation::of_formal(&formal.name, of, expected));
            let slot = match (instance.fixed[i], formal.default) {
                (Some(given), _) if let Some(text) = self.text_of(given) => Slot::Done(Value::Text(text)),
                (Some(given), _) => Slot::Done(self.head_argument(given, place, &formal.name, of)),
                (None, Some(expr)) if let Some(text) = written_text(self.files(), instance.def, expr) => {
                    Slot::Done(Value::Text(text))
                }
                (None, Some(expr)) => Slot::Argument { at: At { frame, equation: None }, expr, place },
                (None, None) => Slot::Absent,
            };
            self.frames[frame].slots[i] = slot;
        }
    }

    fn head_argument(&mut self, given: Given, place: Option<Expectation>, name: &Ident, of: &str) -> Value {
        let span = self.given_span(given);
        let value = self.given_value(given);
        if !value.is_fixed() {
            let message = format!("`{name}` of `{of}` must be known before the song starts");
            let help = "give it a constant, a sample, a recording, or a list or record of these; what moves is a parameter's";
            return self.problem(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
        }
        match place {
            Some(place) => self.fit(value, span, &place),
            None => value,
        }
    }

    fn instance_body(&mut self, frame: FrameId, instance: &Instance) -> Value {
        let definition = self.files().definition(instance.def);
        let value = self.body(frame, &definition.body);
        if !self.files().is_prelude(instance.def.file) {
            self.check_params(frame);
        }
        value
    }

    /// What is given to a parameter that the body does not use is checked all the same.
    fn check_params(&mut self, frame: FrameId) {
        let (file, scope) = (self.frames[frame].file, self.frames[frame].scope);
        let hir = resolved(self.files(), file);
        for local in hir.scope(scope).locals.iter().map(|&id| hir.local(id)) {
            if matches!(local.kind, LocalKind::Param(_)) && local.span.is_some() {
                self.slot(frame, local.index);
            }
        }
    }

    /// The value of a parameter of an instance, or of a knob, moved by what a matrix says.
    pub(super) fn param_value(&mut self, node: NodeId, index: usize) -> Value {
        let value = self.unmodulated(node, index);
        self.modulated(node, index, value)
    }

    fn unmodulated(&mut self, node: NodeId, index: usize) -> Value {
        let graph = self.input.graph;
        let library = self.input.library;
        let (info, given) = match &graph.nodes[node].kind {
            NodeKind::Instance(instance) => {
                let info = library.info(self.files(), instance.def);
                (
                    info,
                    instance.args[index]
                        .filter(|given| !self.is_constant(*given))
                        .map(|given| (given, instance)),
                )
            }
            NodeKind::Knob(item) => {
                (library.knob(self.files(), DefId { file: self.input.song, item: *item }), None)
            }
            NodeKind::Glue { .. } | NodeKind::Modulation(_) => return Value::Broken,
        };
        let param = &info.params[index];
        match given {
            Some((given, instance)) => self.followed(given, &expectation_of(param, &instance.callee.name)),
            None => Value::mono(self.within(Kind::Slow, (param.min, param.max)), param.dimension),
        }
    }

    /// A signal that a parameter follows.
    fn followed(&mut self, given: Given, place: &Expectation) -> Value {
        let span = self.given_span(given);
        let value = self.given_value(given);
        let value = self.fit(value, span, place);
        match self.mono(value, span) {
            Some((number, dimension)) => Value::mono(number, dimension),
            None => Value::Broken,
        }
    }

    /// A constant given to a parameter is its value at the start, whether the body uses it or not.
    pub(super) fn start_values(&mut self, node: NodeId, instance: &Instance) {
        let info = self.input.library.info(self.files(), instance.def);
        for (index, &given) in instance.args.iter().enumerate() {
            let Some(given) = given else { continue };
            let info = &info.params[index];
            let place = expectation_of(info, &instance.callee.name);
            let span = self.given_span(given);
            if self.is_constant(given) {
                let start = self.start_value(given, span, place);
                if let Some(start) = start {
                    self.checked.starts.insert((node, index), start);
                }
            } else if info.is_beat() {
                let message = format!("`{}` of `{}` cannot follow a signal", info.name, instance.callee);
                let help =
                    "it decides when notes begin, which is known before there is sound: give it a number";
                self.problems.add(Problem::new(&codes::NOT_CONSTANT, span, message).help(help));
            } else {
                self.checked.driven.insert((node, index));
            }
        }
    }

    fn start_value(&mut self, given: Given, span: Span, place: Expectation) -> Option<f64> {
        let unlimited = Expectation { min: f64::NEG_INFINITY, max: f64::INFINITY, ..place.clone() };
        let value = self.given_value(given);
        let value = self.fit(value, span, &unlimited);
        let start = self.mono(value, span)?.0.constant()?;
        if start < place.min || start > place.max {
            self.problems.add(self.out_of_range(start, span, &place));
        }
        Some(start.clamp(place.min, place.max))
    }

    fn given_span(&self, given: Given) -> Span {
        let graph = self.input.graph;
        match given {
            Given::Node(node) => graph.nodes[node].span,
            Given::Number(expr) => self.files().file(self.input.song).ast.span(expr),
            Given::Voice(voiced) => self.files().file(self.input.song).ast.span(graph.voiced[voiced].expr),
        }
    }
}

/// What says in a kit that parts end each other, for messages.
const CHOKE_WORD: &str = "choke";

/// The text that the default of an argument in the head of an instrument is.
fn written_text(files: &Files, def: DefId, expr: ExprId) -> Option<Arc<str>> {
    match &files.file(def.file).ast.exprs[expr] {
        Expr::Text(text) => Some(text.clone()),
        _ => None,
    }
}
