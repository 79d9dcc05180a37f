//! Calls: definitions are inlined, with their own state at every use.

use super::names::{Place, Scope, ScopeId, Slot};
use super::value::{Signal, Val};
use super::{At, Lower};
use crate::call::{bind, missing};
use crate::codes;
use crate::dimension::{Dimension, base_value};
use crate::files::DefId;
use crate::ir::Op;
use crate::library::{Expected, ParamInfo, unit_of};
use mam_grammar::ast::{Arg, Body, Definition, DefinitionKind, Expr, ExprId, Ident};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Problem, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What stands on the left of `|>`.
pub(super) type Piped = Option<ExprId>;

impl Lower<'_, '_> {
    /// `left |> right`, with the fields that are read from the result.
    pub(super) fn pipe(&mut self, at: &At, left: ExprId, right: ExprId) -> Val {
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        match &ast.exprs[right] {
            Expr::Field { of, field } => {
                let val = self.pipe(at, left, *of);
                self.part(val, field)
            }
            Expr::Call { callee, args } => self.call(at, right, callee, args, Some(left)),
            Expr::Name(callee) => self.call(at, right, callee, &[], Some(left)),
            _ => Val::Broken, // The parser has said so.
        }
    }

    /// A call, in the song or in a definition.
    pub(super) fn call(&mut self, at: &At, expr: ExprId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if let (Some(turns), Some(graph)) = (&self.scopes[at.scope].turns, self.song.graph)
            && let Some(&node) = graph.calls.get(&(expr, turns.clone()))
        {
            return self.node_value(node);
        }
        let file = self.scopes[at.scope].file;
        let Some(def) = self.files().find(file, &callee.name) else {
            return self.builtin(at, callee, args, piped);
        };
        match self.files().definition(def).kind {
            DefinitionKind::Def => self.inline_def(at, def, callee, args, piped),
            DefinitionKind::Effect => self.inline_effect(at, def, callee, args, piped),
            DefinitionKind::Instrument => {
                let message = format!("the instrument `{callee}` is called inside a definition");
                let problem = Problem::new(&codes::INSTRUMENT_INSIDE, callee.span, message);
                self.problem(
                    problem.help("give it a name in the song itself, and hand its signal in as an argument"),
                )
            }
        }
    }

    /// True when `def` is being called around here: says so.
    fn recursive(&mut self, at: &At, def: DefId, callee: &Ident) -> bool {
        let mut depth = 0;
        let mut scope = Some(at.scope);
        while let Some(s) = scope {
            match self.scopes[s].caller {
                Some((_, d)) if d == def => {
                    let message = format!("`{callee}` uses itself");
                    let problem = Problem::new(&codes::RECURSIVE_DEFINITION, callee.span, message);
                    self.problem(
                        problem.help("repeat with `chain` or `sum`; for feedback, use `prev` of a signal"),
                    );
                    return true;
                }
                Some((caller, _)) => {
                    depth += 1;
                    scope = Some(caller);
                }
                None => scope = self.scopes[s].parent,
            }
        }
        if depth > self.files().limits.call_depth {
            let message = format!(
                "definitions call each other more than {} deep, the limit `call_depth`",
                self.files().limits.call_depth
            );
            self.problem(Problem::new(&codes::TOO_LARGE, callee.span, message));
            return true;
        }
        false
    }

    /// A scope for the body of `def`, called from `at`.
    pub(super) fn callee_scope(&mut self, at: &At, def: DefId, names: FxHashMap<Arc<str>, Slot>) -> usize {
        let song = def.file == self.song.file;
        self.song.called.insert(def);
        let parent = song.then_some(0);
        let (caller, voice) = (Some((at.scope, def)), self.scopes[at.scope].voice);
        self.scopes.push(Scope { file: def.file, parent, caller, names, voice, turns: None });
        self.scopes.len() - 1
    }

    fn inline_def(&mut self, at: &At, def: DefId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if self.recursive(at, def, callee) {
            return Val::Broken;
        }
        let definition = self.files().definition(def);
        let formals: Vec<&str> = definition.formals.iter().map(|f| &*f.name.name).collect();
        let args = with_piped(args, piped);
        let before = self.problems.len();
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        let bound = bind(ast, (callee, &args), &formals, &[], &mut self.problems);
        // An argument that is called wrongly is the one that seems to be missing.
        let misread = self.problems.len() > before;
        let path = self.path(at, callee);
        let scope = self.callee_scope(at, def, FxHashMap::default());
        let given = bound.args.clone();
        let mut broken = false;
        let expected = self.song.library.formals(self.files(), def);
        let measures: Vec<_> = expected.iter().map(|e| e.as_ref().map(|e| e.dimension)).collect();
        let comma = || crate::call::number_comma(ast, &args, &measures);
        if let Some(problem) = self.misplaced(at, definition, &bound.args, &expected).or_else(comma) {
            return self.problem(problem);
        }
        for ((formal, given), expected) in definition.formals.iter().zip(bound.args).zip(&*expected) {
            let of = &definition.name.name;
            let place = expected.as_ref().map(|expected| Place::of_formal(&formal.name, of, expected));
            let (at, expr) = match (given, formal.default) {
                (Some(expr), _) => (at.clone(), expr),
                (None, Some(expr)) => (At { scope, path: path.clone() }, expr),
                (None, None) => {
                    if !misread {
                        self.problems.add(missing(callee, &formal.name.name, &formals, callee.span));
                    }
                    broken = true;
                    continue;
                }
            };
            let slot = Slot::Argument { at, expr, place };
            self.scopes[scope].names.insert(formal.name.name.clone(), slot);
        }
        if broken {
            return Val::Broken;
        }
        let before = self.problems.len();
        let val = self.body(scope, &path, &definition.body);
        self.blame_argument((at.scope, scope), definition, &given, before);
        self.blame_call(at.scope, callee, before);
        if !self.files().is_prelude(def.file) {
            definition.formals.iter().filter(|f| &*f.name.name != "out").for_each(|f| {
                self.slot(scope, &f.name); // An argument that is not used is checked all the same.
            });
        }
        val
    }

    /// An effect inside a definition: its parameters are its arguments, and cannot be set from outside.
    fn inline_effect(&mut self, at: &At, def: DefId, callee: &Ident, args: &[Arg], piped: Piped) -> Val {
        if self.recursive(at, def, callee) {
            return Val::Broken;
        }
        let info = self.song.library.info(self.files(), def);
        let formals: Vec<&str> = info.params.iter().map(|p| &*p.name).collect();
        let named = info.inputs.iter().chain(&info.broken);
        let more: Vec<&str> = std::iter::once("in").chain(named.map(|i| &**i)).collect();
        let ast = &self.files().file(self.scopes[at.scope].file).ast;
        let bound = bind(ast, (callee, args), &formals, &more, &mut self.problems);
        let Some(input) = piped.or(bound.more[0]) else {
            let message = format!("`{callee}` is an effect, and nothing flows into it");
            let problem = Problem::new(&codes::NO_INPUT, callee.span, message);
            return self.problem(problem.help(format!("put its input before it: `x |> {callee}(…)`")));
        };
        let given = |expr| Slot::Argument { at: at.clone(), expr, place: None };
        let mut names = FxHashMap::default();
        names.insert(Arc::from("in"), given(input));
        for (name, expr) in info.inputs.iter().zip(&bound.more[1..]) {
            names.insert(name.clone(), given(expr.unwrap_or(input)));
        }
        for (param, expr) in info.params.iter().zip(bound.args) {
            let slot = match expr {
                Some(expr) => {
                    let place = Some(place_of(param, &callee.name));
                    Slot::Argument { at: at.clone(), expr, place }
                }
                None => {
                    let value = self.b.f64(param.default);
                    Slot::Done(Val::mono(value, param.dimension))
                }
            };
            names.insert(param.name.clone(), slot);
        }
        let scope = self.callee_scope(at, def, names);
        let path = self.path(at, callee);
        let body: &Body = &self.files().definition(def).body;
        let before = self.problems.len();
        let val = self.body(scope, &path, body);
        self.blame_call(at.scope, callee, before);
        val
    }

    /// Where the prelude wants one channel, since there were so many problems, and an argument besides the first has two,
    /// the argument is to blame.
    fn blame_argument(
        &mut self,
        (caller, scope): (ScopeId, ScopeId),
        definition: &Definition,
        given: &[Option<ExprId>],
        before: usize,
    ) {
        let files = self.files();
        let new = || self.problems.iter().skip(before);
        let stereo = |p: &Problem| p.code == &codes::CHANNELS && files.is_prelude_source(p.span().source);
        if new().next().is_none() || !new().all(stereo) || files.is_prelude(self.scopes[caller].file) {
            return;
        }
        let wide = |name: &Ident| match self.scopes[scope].names.get(&name.name) {
            Some(Slot::Done(Val::Signal(signal))) => signal.channels.len() > 1,
            _ => false,
        };
        let formals = definition.formals.iter().zip(given).skip(1);
        let Some((formal, &Some(expr))) =
            formals.into_iter().find(|(f, given)| given.is_some() && wide(&f.name))
        else {
            return;
        };
        let ast = &files.file(self.scopes[caller].file).ast;
        let (name, of, text) = (&formal.name, &definition.name, files.slice(ast.span(expr)));
        let message = format!("`{name}` of `{of}` has one channel, but this is stereo");
        let help = format!("take one side, `{text}.left`, or call `{of}` once for each side");
        self.problems.truncate(before);
        self.problems.add(Problem::new(&codes::CHANNELS, ast.span(expr), message).help(help));
    }

    /// What was found in the prelude since there were so many problems was brought about by a call outside of it.
    pub(super) fn blame_call(&mut self, caller: ScopeId, callee: &Ident, before: usize) {
        let files = self.files();
        if !files.is_prelude(self.scopes[caller].file) {
            self.problems
                .called_at(before, &callee.name, callee.span, |span| files.is_prelude_source(span.source));
        }
    }

    /// Brings a value into a place: its dimension is checked, plain numbers are read in the place's unit, and it is
    /// kept in the range.
    pub(super) fn fit(&mut self, val: Val, span: Span, place: &Place) -> Val {
        let signal = match val {
            Val::Signal(signal) => signal,
            other => return other, // A record may be handed on as it is.
        };
        let Some(signal) = self.convert(signal, span, place) else { return Val::Broken };
        self.limit(signal, span, place)
    }

    fn convert(&mut self, signal: Signal, span: Span, place: &Place) -> Option<Signal> {
        if signal.dimension == place.dimension {
            return Some(signal);
        }
        if signal.dimension != Dimension::PLAIN {
            let Place { name, of, .. } = place;
            let message =
                format!("`{name}` of `{of}` is {}, but this is {}", place.dimension, signal.dimension);
            let problem =
                Problem::new(&codes::DIMENSION, span, message).here(format!("this is {}", signal.dimension));
            let unit = if place.dimension == Dimension::TIME { "`ms` or `s`" } else { "`Hz` or `kHz`" };
            let help = match place.dimension {
                Dimension::PLAIN => {
                    format!("`{name}` is a plain number: leave out the unit, or divide by it")
                }
                _ => format!("give it {unit}, or a plain number"),
            };
            self.problem(problem.label(place.span, format!("`{name}` is {}", place.dimension)).help(help));
            return None;
        }
        let scale = place.units.scale(place.dimension);
        let scaled = if scale == 1.0 {
            signal.channels
        } else {
            signal.channels.iter().map(|&v| self.b.scale(scale, v)).collect()
        };
        Some(Signal { channels: scaled, dimension: place.dimension })
    }

    fn limit(&mut self, signal: Signal, span: Span, place: &Place) -> Val {
        let constant = (signal.channels.len() == 1).then(|| self.b.constant(signal.channels[0])).flatten();
        if let Some(x) = constant
            && (x < place.min || x > place.max)
        {
            self.problems.add(self.out_of_range(x, span, place));
        }
        if !place.clamps {
            return Val::Signal(signal);
        }
        let mut channels = signal.channels;
        for value in channels.iter_mut() {
            if place.max.is_finite() {
                let max = self.b.f64(place.max);
                *value = self.b.real(Op::Min, [*value, max]);
            }
            if place.min.is_finite() {
                let min = self.b.f64(place.min);
                *value = self.b.real(Op::Max, [*value, min]);
            }
        }
        Val::Signal(Signal { channels, dimension: signal.dimension })
    }

    /// The warning that a constant, in base units, lies outside the range of its place.
    pub(super) fn out_of_range(&self, x: f64, span: Span, place: &Place) -> Problem {
        let written = self.files().slice(span);
        let plain = written.parse::<f64>().is_ok();
        let shown = place.units.show(x, place.dimension);
        // A plain number in a place of ratios was probably meant in the unit in which its default is written.
        let meant = (plain && place.dimension == Dimension::PLAIN)
            .then(|| place.units.value.or(place.units.high))
            .flatten()
            .filter(|&unit| (place.min..=place.max).contains(&base_value(x, Some(unit))));
        let range = place.units.range((place.min, place.max), place.dimension);
        let what = if plain && place.dimension == Dimension::PLAIN { written } else { &*shown };
        let message = format!("{what} is outside the range of `{}`, {range}", place.name);
        let clamped = place.units.show(x.clamp(place.min, place.max), place.dimension);
        let help = match (meant, place.clamps) {
            (Some(unit), true) => {
                let unit = unit.text();
                format!(
                    "write `{written}{unit}`: a number without a unit is the ratio itself, here clamped to {clamped}"
                )
            }
            (Some(unit), false) => {
                format!("write `{written}{}`: a number without a unit is the ratio itself", unit.text())
            }
            (None, true) => format!("it is clamped to {clamped}"),
            (None, false) => format!("`{}` takes {range}", place.name),
        };
        Problem::new(&codes::OUT_OF_RANGE, span, message).help(help)
    }

    /// What is wrong with a call in which a number stands in the place of a signal, though another argument wants one of
    /// its dimension: `lowpass(500Hz, x)`, `adsr(5ms, 100ms)`.
    fn misplaced(
        &mut self,
        at: &At,
        definition: &Definition,
        args: &[Option<ExprId>],
        expected: &[Option<Expected>],
    ) -> Option<Problem> {
        let file = self.scopes[at.scope].file;
        if self.files().is_prelude(file) {
            return None;
        }
        let ast = &self.files().file(file).ast;
        let measure = |expr: ExprId| unit_of(ast, expr).map(Dimension::of).filter(|d| *d != Dimension::PLAIN);
        let signal = |i: usize| expected[i].is_none() && definition.formals[i].default.is_none();
        let (here, expr, dimension) = (0..args.len()).find_map(|i| {
            let expr = args[i].filter(|_| signal(i))?;
            Some((i, expr, measure(expr)?))
        })?;
        let wants = |i: &usize| expected[*i].as_ref().is_some_and(|e| e.dimension == dimension);
        let place = (0..args.len()).find(wants)?;
        let is_number = |expr: ExprId| measure(expr).is_some() || matches!(ast.exprs[expr], Expr::Number(_));
        let mut order: Vec<Option<String>> =
            args.iter().map(|arg| arg.map(|expr| self.files().slice(ast.span(expr)).to_owned())).collect();
        match args[place] {
            Some(other) if !is_number(other) => order.swap(here, place),
            // With all arguments there, it may be meant: `onepole(440Hz, 5Hz)` is 440 Hz, and constant.
            _ if order.last().is_none_or(Option::is_some) => return None,
            _ => {
                order.insert(here, Some(definition.formals[here].name.to_string()));
                order.pop();
            }
        }
        let (name, formal) = (&definition.name, &definition.formals[here].name);
        let message = format!("`{formal}` of `{name}` is a signal, but this is {dimension}");
        let given = order.into_iter().map_while(|arg| arg).collect::<Vec<_>>().join(", ");
        let wanted = &definition.formals[place].name;
        let problem = Problem::new(&codes::MISPLACED_ARGUMENT, ast.span(expr), message);
        Some(problem.help(format!("`{formal}` comes before `{wanted}`: `{name}({given})`")))
    }

    /// A problem for something that is called and is nothing.
    pub(super) fn unknown_definition(&mut self, at: &At, callee: &Ident, builtins: &[&str]) -> Val {
        let file = self.scopes[at.scope].file;
        if self.files().is_broken(file, &callee.name) {
            return Val::Broken;
        }
        let message = format!("there is no definition `{callee}`");
        let problem = Problem::new(&codes::UNKNOWN_DEFINITION, callee.span, message);
        let own: Vec<&str> = self.files().own_definitions(file).collect();
        let foreign = foreign::find(Role::Value, &callee.name)
            .filter(|_| mam_grammar::problem::nearest(&callee.name, &own).is_none());
        let mut known = vec![];
        if foreign.is_none() && self.problems.may_suggest() {
            known = self.files().visible(file);
            known.extend(builtins.iter().map(ToString::to_string));
        }
        let problem = match mam_grammar::problem::nearest(&callee.name, &known) {
            _ if foreign.is_some() => {
                foreign.into_iter().fold(problem, |problem, row| row.explain(problem, callee.span, true))
            }
            Some(near) => problem
                .guess(callee.span, near)
                .here(format!("did you mean `{near}`?"))
                .help(format!("`mamc doc {near}` shows it; `mamc list` shows what there is")),
            None => problem.help("`mamc list` shows what there is; your own begins with `def`"),
        };
        self.problem(problem)
    }
}

/// What a parameter expects.
pub(super) fn place_of(param: &ParamInfo, of: &Arc<str>) -> Place {
    Place {
        name: param.name.clone(),
        of: of.clone(),
        span: param.span.unwrap_or_default(),
        dimension: param.dimension,
        units: param.units,
        min: param.min,
        max: param.max,
        clamps: true,
    }
}

/// The arguments with what was piped in as the first.
pub(super) fn with_piped(args: &[Arg], piped: Piped) -> Vec<Arg> {
    let first = piped.map(|value| Arg { name: None, value });
    first.into_iter().chain(args.iter().cloned()).collect()
}
