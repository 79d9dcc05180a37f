//! Calls: the body of what is called is evaluated with what is given.

use super::names::{Frame, FrameId, Path, Slot};
use super::place::Expectation;
use super::value::{Kind, Number, Shape, Signal, Value};
use super::{At, Checker};
use crate::arithmetic::Operations;
use crate::codes;
use crate::dimension::{Dimension, base_value, is_level};
use crate::graph::operands;
use crate::hir::call::event_of;
use crate::hir::function::applied;
use crate::hir::resolve::resolved;
use crate::hir::whole::Whole;
use crate::hir::{Call, Callee, DefId, FILE, Local, LocalId, LocalKind, Name};
use crate::ir::Op;
use crate::library::{Expected, ParamInfo};
use mam_grammar::ast::{Body, Definition, DefinitionKind, Expr, ExprId, Ident, Unit};
use mam_grammar::float;
use mam_grammar::{Problem, Span};
use std::sync::Arc;

impl Checker<'_> {
    /// The right side of a pipe, with the fields that are read from the result.
    pub(super) fn pipe(&mut self, at: &At, right: ExprId) -> Value {
        match &self.ast(at).exprs[right] {
            Expr::Field { of, field } => {
                let value = self.pipe(at, *of);
                self.part(value, field)
            }
            Expr::Call { callee, .. } | Expr::Name(callee) => self.call(at, right, callee),
            _ => Value::Broken, // The parser has said so.
        }
    }

    /// A call, in the song or in a definition.
    pub(super) fn call(&mut self, at: &At, expr: ExprId, callee: &Ident) -> Value {
        if let Some(iterations) = &self.frames[at.frame].iterations
            && let Some(&node) = self.input.graph.calls.get(&(expr, iterations.clone()))
        {
            self.reference = None;
            return self.node_value(node);
        }
        let Some(call) = self.hir(at).call(expr) else { return Value::Broken };
        match call.callee {
            Callee::Local(id) => match self.given_function(at, id) {
                Some(function) => match applied(self.files(), function, callee, call) {
                    Ok(call) => self.call_of(at, callee, &call),
                    Err(problem) => self.problem(problem),
                },
                // Nothing is known of it.
                None => {
                    call.args.iter().flatten().for_each(|&value| _ = self.eval(at, value));
                    if self.is_generic { self.unknown() } else { Value::Broken }
                }
            },
            _ => self.call_of(at, callee, call),
        }
    }

    /// The definition or function that is given to an argument of the definition around.
    fn given_function(&self, at: &At, id: LocalId) -> Option<Callee> {
        let local = self.hir(at).local(id);
        let frame = self.frame_around(at.frame, local.scope)?;
        match self.frames[frame].slots.get(local.index)? {
            Slot::Function(function) => Some(*function),
            _ => None,
        }
    }

    /// The definition or function that an expression names as what is to be called.
    pub(super) fn function_at(&self, at: &At, expr: ExprId) -> Option<Callee> {
        match self.hir(at).name(expr) {
            Name::Function(function) => Some(function),
            Name::Local(id) => self.given_function(at, id),
            _ => None,
        }
    }

    /// An argument that is called stands where a signal is wanted.
    pub(super) fn function_as_signal(&mut self, at: &At, expr: ExprId, function: Callee) -> Value {
        let name = match function {
            Callee::Definition(def) => self.files().definition(def).name.name.to_string(),
            Callee::Builtin(builtin) => builtin.row().name.to_owned(),
            Callee::Local(_) | Callee::Broken => return Value::Broken,
        };
        let message = format!("this is `{name}`, a definition that is called, not a signal");
        self.problem(Problem::new(&codes::NOT_A_VALUE, self.span(at, expr), message).help("call it"))
    }

    /// A call of what is known.
    fn call_of(&mut self, at: &At, callee: &Ident, call: &Call) -> Value {
        match call.callee {
            Callee::Broken | Callee::Local(_) => self.broken_call(at, call),
            Callee::Builtin(builtin) => self.builtin(at, callee, builtin, &call.args),
            Callee::Definition(_) if self.too_deep(at, callee) => Value::Broken,
            Callee::Definition(def) => match self.files().definition(def).kind {
                DefinitionKind::Def => self.call_def(at, def, callee, call),
                DefinitionKind::Effect => self.call_effect(at, def, callee, call),
                // Where it may be called it is a node, unless what is around it could not be unrolled.
                DefinitionKind::Instrument => Value::Broken,
            },
        }
    }

    /// A call of which something is wrong: what is wrong with the signals that are given is wrong whatever was meant.
    fn broken_call(&mut self, at: &At, call: &Call) -> Value {
        let given = call.piped.iter().chain(call.args.iter().flatten());
        for &value in given {
            if !matches!(self.ast(at).exprs[value], Expr::Text(_) | Expr::List(_)) {
                self.eval(at, value);
            }
        }
        Value::Broken
    }

    /// Reports definitions that call each other too deep. Of a definition by itself that is not known: how deep it is called
    /// depends on who calls it.
    fn too_deep(&mut self, at: &At, callee: &Ident) -> bool {
        let most = self.files().limits.call_depth;
        if self.frames[at.frame].calls <= most {
            return false;
        }
        if !self.is_generic {
            let message =
                format!("definitions call each other more than {most} deep, the limit `call_depth`");
            self.problem(Problem::new(&codes::TOO_LARGE, callee.span, message));
        }
        true
    }

    /// A frame for the body of `def`, called from the frame `caller`; `slot` says what its names stand for that are no
    /// equations.
    pub(super) fn definition_frame(
        &mut self,
        caller: FrameId,
        def: DefId,
        path: Path,
        slot: impl FnMut(&Local) -> Slot,
    ) -> FrameId {
        let hir = resolved(self.files(), def.file);
        let scope = hir.definition_scope(def.item);
        let slots = hir.scope(scope).locals.iter().map(|&id| hir.local(id)).map(slot).collect();
        let parent = hir.scope(scope).parent.filter(|&around| around == FILE).map(|_| 0);
        let Frame { calls, loops, factor, hop, .. } = self.frames[caller];
        let (calls, iterations) = (calls + 1, None);
        let file = def.file;
        self.frames.push(Frame { file, scope, parent, calls, loops, slots, path, factor, hop, iterations });
        self.frames.len() - 1
    }

    fn call_def(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Value {
        let definition = self.files().definition(def);
        let path = Path::Inside(at.clone(), callee.name.clone());
        let frame = self.definition_frame(at.frame, def, path, |_| Slot::Absent);
        self.bind(at, frame, def, &call.args);
        self.given_arguments(frame);
        let before = self.problems.len();
        let value = self.body(frame, &definition.body);
        self.blame_argument((at.frame, frame), definition, &call.args, before);
        self.blame_call(at.frame, callee, before);
        if !self.files().is_prelude(def.file) {
            // An argument that is not used is checked all the same; but one that is only remembered may need this call.
            self.unused.extend((0..definition.formals.len()).map(|formal| (frame, formal)));
        }
        value
    }

    /// The arguments in the head of a definition: what a call at `at` gives them, else their defaults.
    fn bind(&mut self, at: &At, frame: FrameId, def: DefId, args: &[Option<ExprId>]) {
        let definition = self.files().definition(def);
        let expected = self.input.library.formals(self.files(), def);
        for (i, (formal, expected)) in definition.formals.iter().zip(&*expected).enumerate() {
            if let Some(function) = args[i].and_then(|expr| self.function_at(at, expr)) {
                self.frames[frame].slots[i] = Slot::Function(function);
                continue;
            }
            let of = &definition.name.name;
            let event = (event_of(&formal.name.name).is_some() && !self.is_generic).then(Expected::plain);
            let expected = expected.as_ref().or(event.as_ref());
            let place = expected.map(|expected| Expectation::of_formal(&formal.name, of, expected));
            let (at, expr) = match (args[i], formal.default) {
                (Some(expr), _) => (at.clone(), expr),
                (None, Some(expr)) => (At { frame, equation: None }, expr),
                (None, None) => continue,
            };
            self.frames[frame].slots[i] = Slot::Argument { at, expr, place };
        }
    }

    /// An effect inside a definition: its parameters are its arguments, and cannot be set from outside.
    fn call_effect(&mut self, at: &At, def: DefId, callee: &Ident, call: &Call) -> Value {
        let info = self.input.library.info(self.files(), def);
        let Some(input) = call.piped.or(call.more[0]) else { return Value::Broken };
        let given = |expr, place| Slot::Argument { at: at.clone(), expr, place };
        let default = |param: &ParamInfo| match param.musical {
            Some(_) => self.within(Kind::Slow, (param.min, param.max)),
            None => Number::real(param.default),
        };
        let defaults: Vec<Number> = info.params.iter().map(default).collect();
        let path = Path::Inside(at.clone(), callee.name.clone());
        let frame = self.definition_frame(at.frame, def, path, |local| match local.kind {
            LocalKind::Param(index) => match call.args[index] {
                Some(expr) => given(expr, Some(expectation_of(&info.params[index], &callee.name))),
                None => Slot::Done(Value::mono(defaults[index], info.params[index].dimension)),
            },
            LocalKind::Input(index) => given(call.more[index + 1].unwrap_or(input), None),
            LocalKind::In => given(input, None),
            _ => Slot::Absent,
        });
        self.bind(at, frame, def, &call.fixed);
        self.given_arguments(frame);
        let before = self.problems.len();
        let body: &Body = &self.files().definition(def).body;
        let value = self.body(frame, body);
        self.blame_call(at.frame, callee, before);
        value
    }

    /// Evaluates what a call gives, before its body, where all that it names is known. It would be evaluated where the body
    /// first needs it, too, but then a row of calls would be as deep as it is long. What names something that is being
    /// evaluated may be remembered alone, and waits.
    fn given_arguments(&mut self, frame: FrameId) {
        for index in 0..self.frames[frame].slots.len() {
            let Slot::Argument { at, expr, .. } = &self.frames[frame].slots[index] else { continue };
            if at.frame != frame && self.is_known(at, *expr) {
                self.slot(frame, index);
            }
        }
    }

    /// Whether all names of an expression have been evaluated.
    fn is_known(&self, at: &At, expr: ExprId) -> bool {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            match &self.ast(at).exprs[expr] {
                Expr::Name(_) if !self.is_name_known(at, expr) => return false,
                other => open.extend(operands(other)),
            }
        }
        true
    }

    /// Where the prelude wants one channel, since there were so many problems, and an argument besides the first has two,
    /// the argument is to blame.
    fn blame_argument(
        &mut self,
        (caller, frame): (FrameId, FrameId),
        definition: &Definition,
        given: &[Option<ExprId>],
        before: usize,
    ) {
        let files = self.files();
        let new = || self.problems.iter().skip(before);
        let stereo = |p: &Problem| p.code == &codes::CHANNELS && files.is_prelude_source(p.span().source);
        if new().next().is_none() || !new().all(stereo) || files.is_prelude(self.frames[caller].file) {
            return;
        }
        let wide = |index: usize| match &self.frames[frame].slots[index] {
            Slot::Done(Value::Signal(signal)) => signal.stereo,
            _ => false,
        };
        let found = (1..given.len()).find_map(|index| Some((index, given[index].filter(|_| wide(index))?)));
        let Some((index, expr)) = found else { return };
        let formal = &definition.formals[index];
        let ast = &files.file(self.frames[caller].file).ast;
        let (name, of, text) = (&formal.name, &definition.name, files.slice(ast.span(expr)));
        let message = format!("`{name}` of `{of}` has one channel, but this is stereo");
        let help = format!("take one side, `{text}.left`, or call `{of}` once for each side");
        self.problems.truncate(before);
        self.problems.add(Problem::new(&codes::CHANNELS, ast.span(expr), message).help(help));
    }

    /// What was found in the prelude since there were so many problems was brought about by a call outside of it.
    pub(super) fn blame_call(&mut self, caller: FrameId, callee: &Ident, before: usize) {
        let files = self.files();
        if !files.is_prelude(self.frames[caller].file) {
            self.problems
                .called_at(before, &callee.name, callee.span, |span| files.is_prelude_source(span.source));
        }
    }

    /// Brings a value into a place: its dimension is checked, plain numbers are read in the place's unit, and it is
    /// kept in the range.
    pub(super) fn fit(&mut self, value: Value, span: Span, place: &Expectation) -> Value {
        let signal = match value {
            Value::Signal(signal) => signal,
            Value::List(elements) => {
                let elements = elements.iter().map(|value| self.fit(value.clone(), span, place));
                return Value::List(elements.collect());
            }
            Value::Unknown(index) => match &self.shapes[index] {
                Shape::Signal(signal) => signal.clone(),
                // Whether it is a signal, a list of them or a record is found out where it is used.
                Shape::Free | Shape::Measured(_) | Shape::Fitted(..) | Shape::List(_) => {
                    return self.shaped(Shape::Fitted(index, Box::new(place.clone()), span));
                }
                Shape::Parts(_) | Shape::Buffer => return value,
            },
            other => return other, // A record may be handed on as it is.
        };
        self.fit_signal(signal, span, place).map_or(Value::Broken, Value::Signal)
    }

    /// Brings a signal into a place.
    pub(super) fn fit_signal(&mut self, signal: Signal, span: Span, place: &Expectation) -> Option<Signal> {
        let signal = self.convert(signal, span, place)?;
        self.is_whole(&signal, span, place).then(|| self.limit(signal, span, place))
    }

    /// Whether a signal may stand in a place of whole numbers. A constant that is none is told, and may where it is rounded.
    fn is_whole(&mut self, signal: &Signal, span: Span, place: &Expectation) -> bool {
        let constant = signal.channel(0).constant().filter(|_| !signal.stereo);
        let Some((whole, x)) = place.whole.zip(constant).filter(|(_, x)| x.is_finite() && x.fract() != 0.0)
        else {
            return true;
        };
        let (what, of) = (&place.name, &place.of);
        let nearest = (x + 0.5).floor().clamp(place.min, place.max);
        let (code, message) = match whole {
            Whole::Counted => {
                (&codes::BAD_BOUNDS, format!("`{what}` of `{of}` is a whole number, and this is {x}"))
            }
            Whole::Rounded => (
                &codes::ROUNDED,
                format!("`{what}` of `{of}` is a whole number: {x} is rounded to {nearest}"),
            ),
        };
        let problem = Problem::new(code, span, message).help(format!("write `{nearest}`"));
        self.problem(problem.guess(span, nearest.to_string()));
        whole == Whole::Rounded
    }

    fn convert(&mut self, signal: Signal, span: Span, place: &Expectation) -> Option<Signal> {
        let dimension = self.known(&signal.dimension);
        if let Some(unit) = self.files().written_unit(span).filter(|&unit| place.is_foreign(unit)) {
            self.problem(foreign_ratio(unit, span, place));
            return None;
        }
        if dimension == Some(place.dimension) {
            return Some(signal);
        }
        if self.unknowns.fits(&signal.dimension, place.dimension).is_err() {
            match dimension {
                Some(dimension) => _ = self.problem(misfit(dimension, span, place)),
                None => self.no_dimension(span),
            }
            return None;
        }
        let scale = if dimension.is_some() { place.units.scale(place.dimension) } else { 1.0 };
        self.note_unit(span, place);
        Some(self.each(&[&signal], place.dimension, |o, v| match scale == 1.0 {
            true => v[0],
            false => o.scale(scale, v[0]),
        }))
    }

    /// Says that a written number without a unit is read as a time in seconds; or in milliseconds, where it is less than one, so
    /// that seconds were meant.
    fn note_unit(&mut self, span: Span, place: &Expectation) {
        let written = self.files().slice(span);
        let number = float::parse(written).unwrap_or(0.0);
        let scale = place.units.scale(place.dimension);
        let unit = match place.dimension == Dimension::TIME {
            true if scale == 1.0 => Some("seconds"),
            true if scale < 1.0 && number < 1.0 => Some("milliseconds"),
            _ => None,
        };
        if self.input.is_json
            || number == 0.0
            || self.is_generic
            || self.files().is_prelude_source(span.source)
        {
            return;
        }
        let Some(unit) = unit else { return };
        let seconds = format!("{written}s");
        let message = format!("`{written}` is read in {unit}");
        let problem = Problem::new(&codes::UNIT_ASSUMED, span, message);
        let help = format!("write the unit: `{seconds}`, or `{written}ms`");
        let problem = problem.help(help);
        self.problem(if scale == 1.0 { problem.guess(span, seconds) } else { problem });
    }

    fn limit(&mut self, signal: Signal, span: Span, place: &Expectation) -> Signal {
        let constant = signal.channel(0).constant().filter(|_| !signal.stereo);
        if let Some(x) = constant
            && (x < place.min || x > place.max)
        {
            self.problems.add(self.out_of_range(x, span, place));
        }
        if !place.clamps {
            return signal;
        }
        self.each(&[&signal], signal.dimension.clone(), |o, v| {
            let mut value = v[0];
            if place.max.is_finite() {
                value = o.real(Op::Min, [value, Number::real(place.max)]);
            }
            if place.min.is_finite() {
                value = o.real(Op::Max, [value, Number::real(place.min)]);
            }
            value
        })
    }

    /// The warning that a constant, in base units, lies outside the range of its place.
    pub(super) fn out_of_range(&self, x: f64, span: Span, place: &Expectation) -> Problem {
        let written = self.files().slice(span);
        let plain = float::parse(written).is_some();
        let shown = place.units.show(x, place.dimension);
        // A plain number in a place of ratios was probably meant in the unit in which its default is written, a time in the
        // other one.
        let number = float::parse(written).unwrap_or(x);
        let other = if place.units.scale(place.dimension) == 1.0 { Unit::Ms } else { Unit::S };
        let unit = match place.dimension {
            _ if !plain => None,
            Dimension::PLAIN => place.units.value.or(place.units.high),
            Dimension::TIME => Some(other),
            _ => None,
        };
        let meant = unit.filter(|&unit| (place.min..=place.max).contains(&base_value(number, Some(unit))));
        let read = match (place.dimension, other) {
            (Dimension::TIME, Unit::Ms) => "in seconds",
            (Dimension::TIME, _) => "in ms",
            _ => "the ratio itself",
        };
        let range = place.units.range((place.min, place.max), place.dimension);
        let what = if plain && place.dimension == Dimension::PLAIN { written } else { &*shown };
        let message = format!("{what} is outside the range of `{}`, {range}", place.name);
        let clamped = place.units.show(x.clamp(place.min, place.max), place.dimension);
        let help = match (meant, place.clamps) {
            (Some(unit), true) => {
                let unit = unit.text();
                format!(
                    "write `{written}{unit}`: a number without a unit is {read}, here clamped to {clamped}"
                )
            }
            (Some(unit), false) => {
                format!("write `{written}{}`: a number without a unit is {read}", unit.text())
            }
            (None, true) if plain && is_level(x, (place.min, place.max), place.dimension) => {
                format!("it is clamped to {clamped}; a level in decibels has its unit: `{written}dB`")
            }
            (None, true) => format!("it is clamped to {clamped}"),
            (None, false) => format!("`{}` takes {range}", place.name),
        };
        let problem = Problem::new(&codes::OUT_OF_RANGE, span, message).help(help);
        match (meant, place.clamps) {
            (Some(unit), _) => problem.guess(span, format!("{written}{}", unit.text())),
            (None, true) => problem.guess(span, clamped),
            (None, false) => problem,
        }
    }
}

/// The problem of a value that measures something else than its place.
fn misfit(dimension: Dimension, span: Span, place: &Expectation) -> Problem {
    let Expectation { name, of, .. } = place;
    let message = format!("`{name}` of `{of}` is {}, but this is {dimension}", place.dimension);
    let problem = Problem::new(&codes::DIMENSION, span, message).here(format!("this is {dimension}"));
    let unit = if place.dimension == Dimension::TIME { "`ms` or `s`" } else { "`Hz` or `kHz`" };
    let help = match place.dimension {
        Dimension::PLAIN if let Some(event) = event_of(name) => {
            let source = mam_grammar::foreign::event_source(event).unwrap_or("every(1s)");
            format!("`{name}` is an event: in an instrument `{event}`, elsewhere such as `{source}`")
        }
        Dimension::PLAIN => format!("`{name}` is a plain number: leave out the unit, or divide by it"),
        _ => format!("give it {unit}, or a plain number"),
    };
    problem.label(place.span, format!("`{name}` is {}", place.dimension)).help(help)
}

/// The problem of a ratio that is written in a unit in which values of its place never are.
fn foreign_ratio(unit: Unit, span: Span, place: &Expectation) -> Problem {
    let Expectation { name, of, .. } = place;
    let is = match unit {
        Unit::Db => "a level",
        Unit::Percent => "a percentage",
        _ => "an interval",
    };
    let (wanted, help) = match place.dimension {
        Dimension::TIME => (place.dimension.to_string(), "give it `ms` or `s`".to_owned()),
        Dimension::PLAIN => {
            let unit = place.units.value.map_or("", Unit::text);
            (format!("written in {unit}"), format!("give it `{unit}`, or a plain number"))
        }
        _ => (place.dimension.to_string(), "give it `Hz` or `kHz`".to_owned()),
    };
    let message = format!("`{name}` of `{of}` is {wanted}, but this is {is}");
    let problem = Problem::new(&codes::DIMENSION, span, message).here(format!("this is {is}"));
    problem.label(place.span, format!("`{name}` is {wanted}")).help(help)
}

/// What a parameter expects.
pub(super) fn expectation_of(param: &ParamInfo, of: &Arc<str>) -> Expectation {
    Expectation {
        name: param.name.clone(),
        of: of.clone(),
        span: param.span.unwrap_or_default(),
        dimension: param.dimension,
        units: param.units,
        min: param.min,
        max: param.max,
        clamps: true,
        whole: None,
    }
}
