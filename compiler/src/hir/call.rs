//! Calls: which definition or function is meant, and which argument is which.

use super::builtins::{Builtin, Function};
use super::named::Named;
use super::resolve::{CHOKE, CHOKE_TIME, Context, PRIORITY, Resolver, VOICES};
use super::{Call, Callee, DefId, FILE, LocalKind, Target};
use crate::call::{Bound, bind, missing_argument, number_comma};
use crate::codes;
use crate::dimension::Dimension;
use crate::units::{of_formal, unit_of};
use mam_grammar::ast::{Arg, Ast, BinaryOp, Definition, DefinitionKind, Expr, ExprId, Formal, Ident};
use mam_grammar::{Problem, Span};
use mam_runtime::precedence::Priority;
use std::rc::Rc;
use std::sync::Arc;

/// A call as it is written.
#[derive(Clone, Copy)]
struct Written<'a> {
    callee: &'a Ident,
    args: &'a [Arg],
    piped: Option<ExprId>,
}

impl Written<'_> {
    /// The arguments with what was piped in as the first.
    fn with_piped(&self) -> Vec<Arg> {
        let first = self.piped.map(|value| Arg { name: None, value });
        first.into_iter().chain(self.args.iter().cloned()).collect()
    }
}

impl Resolver<'_> {
    /// A call, and what is given to it.
    pub(super) fn call(
        &mut self,
        context: Context,
        expr: ExprId,
        callee: &Ident,
        args: &[Arg],
        piped: Option<ExprId>,
    ) {
        if let Some(id) = self.called_argument(context, callee) {
            self.used(context.scope, callee.span, Target::Local(id));
            return self.call_argument(context, (expr, id), args, piped);
        }
        let written = Written { callee, args, piped };
        let def = self.files.find(self.file, &callee.name);
        let mut inner = context;
        let mut unknown = false;
        let builtin = || Builtin::find(&callee.name);
        match def.map_or_else(|| builtin().map(Callee::Builtin), |def| Some(Callee::Definition(def))) {
            Some(Callee::Definition(def)) => {
                self.used(context.scope, callee.span, Target::Definition(def));
                for name in args.iter().filter_map(|arg| arg.name.as_ref()) {
                    self.used(context.scope, name.span, Target::Argument(def, name.name.clone()));
                }
                let call = match self.files.definition(def).kind {
                    DefinitionKind::Def => self.call_def(context, def, written),
                    DefinitionKind::Effect => self.call_effect(context, def, written),
                    DefinitionKind::Instrument => self.call_instrument(context, def, written),
                };
                // What is given to an instrument that cannot be there is not looked at.
                let refused =
                    self.files.definition(def).kind == DefinitionKind::Instrument && !context.instances;
                inner = if refused { context.quiet() } else { context };
                self.called(context, expr, callee, def, call);
            }
            Some(Callee::Builtin(builtin)) => {
                self.used(context.scope, callee.span, Target::Builtin(builtin));
                let call = self.call_builtin(context, builtin, written);
                self.hir.calls.insert(expr, call);
            }
            _ => {
                if !self.files.may_be_missing(self.file, &callee.name) {
                    let problem = self.unknown_definition(context, callee);
                    self.problem(context, problem);
                }
                unknown = true;
                let args = written.with_piped().into_iter().map(|arg| Some(arg.value)).collect();
                let call =
                    Call { callee: Callee::Broken, args, fixed: vec![], word: None, more: vec![], piped };
                self.hir.calls.insert(expr, call);
            }
        }
        let word = self.hir.call(expr).and_then(|call| call.word);
        let constants = self.constant_arguments(expr);
        let functions = self.function_arguments(expr);
        for value in piped.into_iter().chain(args.iter().map(|arg| arg.value)) {
            if Some(value) == word {
                continue;
            }
            if functions.contains(&value) {
                self.function(inner, value);
                continue;
            }
            // What is wrong with a signal that is given is wrong whatever was meant; a list may be right.
            let listed = unknown && matches!(self.ast.exprs[value], Expr::Text(_) | Expr::List(_));
            let inner = if constants.contains(&value) { inner.constant() } else { inner };
            let inner = inner.of_voice(self.has_voice(context, expr, value));
            self.expr(if listed { inner.quiet() } else { inner }, value);
        }
    }

    /// What is given to arguments that are called.
    fn function_arguments(&mut self, expr: ExprId) -> Vec<ExprId> {
        let Some(Call { callee: Callee::Definition(def), args, .. }) = self.hir.call(expr) else {
            return vec![];
        };
        let (def, args) = (*def, args.clone());
        if self.files.definition(def).kind != DefinitionKind::Def {
            return vec![];
        }
        let called = self.called_arguments(def);
        args.into_iter().zip(&*called).filter(|(_, called)| **called).filter_map(|(arg, _)| arg).collect()
    }

    /// Whether `value`, given to a call, may name the signals of a voice: it is a parameter of an instrument, or stands in one.
    fn has_voice(&self, context: Context, expr: ExprId, value: ExprId) -> bool {
        let Some(call) = self.hir.call(expr) else { return false };
        let Callee::Definition(def) = call.callee else { return context.has_voice() };
        match self.files.definition(def).kind {
            DefinitionKind::Def => context.has_voice(),
            // In the song it is one for all voices.
            DefinitionKind::Effect => context.has_voice() && !context.instances,
            DefinitionKind::Instrument => call.args.contains(&Some(value)),
        }
    }

    /// What is given to a call that must be known before the song starts.
    fn constant_arguments(&self, expr: ExprId) -> Vec<ExprId> {
        let Some(call) = self.hir.call(expr) else { return vec![] };
        let constant = match call.callee {
            Callee::Builtin(builtin) => match builtin.row().function {
                Function::Prev => call.args.get(1),
                Function::Table => call.args.first(),
                _ => None,
            },
            Callee::Definition(def) if self.files.definition(def).kind == DefinitionKind::Instrument => {
                call.more.first()
            }
            _ => None,
        };
        constant.copied().flatten().into_iter().collect()
    }

    /// The arguments in the order of what is called, and whether something is wrong with them.
    fn bound(
        &mut self,
        context: Context,
        (callee, args): (&Ident, &[Arg]),
        formals: &[&str],
        more: &[&str],
    ) -> (Bound, bool) {
        let before = self.hir.problems.len();
        let bound = bind(self.ast, (callee, args), formals, more, &mut self.hir.problems);
        let wrong = self.hir.problems.len() > before;
        if wrong && context.is_quiet() {
            self.hir.problems.truncate(before);
        }
        (bound, wrong)
    }

    fn call_def(&mut self, context: Context, def: DefId, written: Written) -> Call {
        let definition = self.files.definition(def);
        let callee = written.callee;
        let formals: Vec<&str> = definition.formals.iter().map(|formal| &*formal.name.name).collect();
        let args = written.with_piped();
        // An argument that is called wrongly is the one that seems to be missing.
        let (bound, misread) = self.bound(context, (callee, &args), &formals, &[]);
        let expected = expected_of(&self.files.file(def.file).ast, definition);
        let mut broken = false;
        let wrong = self
            .misplaced(definition, &bound.args, &expected)
            .or_else(|| self.doubled(written, definition, &bound.args, &expected))
            .or_else(|| number_comma(self.ast, &args, &expected));
        match wrong {
            Some(problem) => {
                self.problem(context, problem);
                broken = true;
            }
            None => {
                if let Some(problem) = self.steady_event(definition, &bound.args) {
                    self.problem(context, problem);
                }
                let piped = usize::from(written.piped.is_some());
                self.sounds_as_numbers(
                    context,
                    written,
                    formals.iter().copied().zip(expected).skip(piped),
                    None,
                );
                for (formal, given) in definition.formals.iter().zip(&bound.args) {
                    if given.is_none() && formal.default.is_none() {
                        broken = true;
                        if !misread {
                            let problem = missing_argument(callee, &formal.name.name, &formals, callee.span);
                            self.problem(context, problem);
                        }
                    }
                }
            }
        }
        let callee = if broken { Callee::Broken } else { Callee::Definition(def) };
        Call { callee, args: bound.args, fixed: vec![], word: None, more: vec![], piped: written.piped }
    }

    fn call_effect(&mut self, context: Context, def: DefId, written: Written) -> Call {
        let named = self.named(def);
        let more: Vec<&str> = std::iter::once("in")
            .chain(named.inputs.iter().chain(&named.broken).map(|name| &**name))
            .collect();
        let mut call = self.call_instance(context, def, written, &named.params, &more);
        if let (Some(_), Some(twice)) = (written.piped, call.more[0]) {
            let message = format!("`{}` is given its input twice", written.callee);
            let problem = Problem::new(&codes::DUPLICATE_ARGUMENT, self.ast.span(twice), message);
            self.problem(context, problem.help("leave out `in:`, or what stands left of `|>`"));
        }
        if written.piped.or(call.more[0]).is_none() {
            let callee = written.callee;
            let message = format!("`{callee}` is an effect, and nothing flows into it");
            let problem = Problem::new(&codes::NO_INPUT, callee.span, message);
            self.problem(context, problem.help(format!("put its input before it: `x |> {callee}(…)`")));
            if !context.instances {
                call.callee = Callee::Broken;
            }
        }
        call
    }

    fn call_instrument(&mut self, context: Context, def: DefId, written: Written) -> Call {
        let callee = written.callee;
        if !context.instances {
            let message = format!("the instrument `{callee}` is called inside a definition");
            let problem = Problem::new(&codes::INSTRUMENT_INSIDE, callee.span, message);
            let help = "give it a name in the song itself, and hand its signal in as an argument";
            self.problem(context, problem.help(help));
            return Call {
                callee: Callee::Broken,
                args: vec![],
                fixed: vec![],
                word: None,
                more: vec![],
                piped: written.piped,
            };
        }
        let named = self.named(def);
        // A parameter of the name is meant before the word of the language.
        let has_own = named.params.iter().any(|(name, _)| **name == *PRIORITY);
        let more: Vec<&str> = [VOICES, CHOKE, CHOKE_TIME]
            .into_iter()
            .chain(named.broken.iter().map(|name| &**name))
            .chain((!has_own).then_some(PRIORITY))
            .collect();
        if let Some(left) = written.piped {
            let message = format!("`{callee}` is an instrument: no signal flows into it");
            let problem = Problem::new(&codes::NO_INPUT, self.ast.span(left), message);
            self.problem(context, problem.help(format!(
                "an instrument stands at the left end of a pipe: `{callee}() |> …`; its parameters take signals"
            )));
        }
        let mut call = self.call_instance(context, def, written, &named.params, &more);
        call.word = call.more.last().copied().flatten().filter(|_| !has_own);
        if let Some(given) = call.word {
            let words = Priority::ALL.map(|(_, word)| word);
            let problem = self.wrong_word(&callee.name, PRIORITY, given, &words);
            problem.into_iter().for_each(|problem| self.problem(context, problem));
        }
        call
    }

    fn call_instance(
        &mut self,
        context: Context,
        def: DefId,
        written: Written,
        params: &[(Arc<str>, Dimension)],
        more: &[&str],
    ) -> Call {
        let Written { callee, args, piped, .. } = written;
        let definition = self.files.definition(def);
        let heads = definition.formals.iter().map(|formal| &*formal.name.name);
        let formals: Vec<&str> = heads.chain(params.iter().map(|(name, _)| &**name)).collect();
        let (bound, misread) = self.bound(context, (callee, args), &formals, more);
        let mut expected = expected_of(&self.files.file(def.file).ast, definition);
        expected.extend(params.iter().map(|(_, dimension)| Some(*dimension)));
        if let Some(problem) = number_comma(self.ast, args, &expected) {
            self.problem(context, problem);
        }
        if definition.kind == DefinitionKind::Effect {
            // Behind `in` stand its further inputs.
            let listens = more.get(1).copied();
            self.sounds_as_numbers(context, written, formals.iter().copied().zip(expected), listens);
        }
        let mut fixed = bound.args;
        let args = fixed.split_off(definition.formals.len());
        let lacking = |(formal, given): (&Formal, &Option<ExprId>)| {
            (given.is_none() && formal.default.is_none()).then(|| formal.name.name.clone())
        };
        let lacking = definition.formals.iter().zip(&fixed).find_map(lacking);
        if let Some(name) = lacking.as_ref().filter(|_| !misread) {
            self.problem(context, missing_argument(callee, name, &formals, callee.span));
        }
        let callee = if lacking.is_some() { Callee::Broken } else { Callee::Definition(def) };
        Call { callee, args, fixed, word: None, more: bound.more, piped }
    }

    fn call_builtin(&mut self, context: Context, builtin: Builtin, written: Written) -> Call {
        let (row, callee) = (builtin.row(), written.callee);
        let args = written.with_piped();
        let (bound, mut broken) = self.bound(context, (callee, &args), row.formals, &[]);
        let lacking = bound.args.iter().take(row.needed).position(Option::is_none);
        if let Some(i) = lacking.filter(|_| !broken) {
            self.problem(context, missing_argument(callee, row.formals[i], row.formals, callee.span));
            broken = true;
        }
        if row.function == Function::Tap && !broken && bound.args[2].is_none() {
            let message = "this delay has no greatest time";
            let problem = Problem::new(&codes::UNBOUNDED_TAP, callee.span, message);
            let problem = problem.help("say how much memory it may need: `tap(x, time, max: 2s)`");
            let last = written.args.last().map(|arg| self.ast.span(arg.value));
            self.problem(
                context,
                match last {
                    Some(last) => problem.guess(Span { start: last.end, ..last }, ", max: 2s"),
                    None => problem,
                },
            );
            broken = true;
        }
        let word = row.function.word().and_then(|(place, words)| Some((place, bound.args[place]?, words)));
        if let Some((place, given, words)) = word.filter(|_| !broken)
            && let Some(problem) = self.wrong_word(row.name, row.formals[place], given, words)
        {
            self.problem(context, problem);
        }
        let callee = if broken { Callee::Broken } else { Callee::Builtin(builtin) };
        let word = row.function.word().and_then(|(place, _)| bound.args[place]);
        Call { callee, args: bound.args, fixed: vec![], word, more: vec![], piped: written.piped }
    }

    /// What is wrong with the word that a call is given for one of its arguments.
    fn wrong_word(&self, callee: &str, name: &str, given: ExprId, words: &[&str]) -> Option<Problem> {
        let span = self.ast.span(given);
        let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        match &self.ast.exprs[given] {
            Expr::Name(word) if words.contains(&&*word.name) => None,
            Expr::Name(word) => {
                let message = format!("`{name}` of `{callee}` cannot be `{word}`");
                let problem = Problem::new(&codes::UNKNOWN_WORD, span, message);
                Some(problem.nearest(&word.name, "words", words))
            }
            _ => {
                let message = format!("`{name}` of `{callee}` is one of some words");
                Some(Problem::new(&codes::UNKNOWN_WORD, span, message).help(listed))
            }
        }
    }

    /// What can be given to an instrument or effect by name, read once.
    fn named(&mut self, def: DefId) -> Rc<Named> {
        let files = self.files;
        self.named.entry(def).or_insert_with(|| Rc::new(Named::read(files, def))).clone()
    }

    /// What is wrong with a piped call that is given a signal once more, which moves what follows it one place on:
    /// `x |> lowpass(noise(), 800Hz)`, where 800 Hz would be the resonance.
    fn doubled(
        &self,
        written: Written,
        definition: &Definition,
        args: &[Option<ExprId>],
        expected: &[Option<Dimension>],
    ) -> Option<Problem> {
        let first = written.args.first().filter(|arg| arg.name.is_none())?.value;
        if matches!(self.ast.exprs[first], Expr::Number(_)) {
            return None;
        }
        let piped = written.piped.filter(|_| !self.files.is_prelude(self.file))?;
        let measure =
            |expr: Option<ExprId>| expr.and_then(|expr| unit_of(self.ast, expr)).map(Dimension::from_unit);
        let wanted = |i: usize| expected.get(i).copied().flatten().filter(|d| *d != Dimension::PLAIN);
        let second = measure(args.get(2).copied().flatten())?;
        let moved = args[0] == Some(piped) && measure(Some(first)).is_none() && wanted(1) == Some(second);
        if !moved || wanted(2) == Some(second) {
            return None;
        }
        let (name, formal) = (&definition.name, &definition.formals[0].name);
        let span = self.ast.span(first);
        let message =
            format!("`{formal}` of `{name}` is what stands left of `|>`, and a signal is given once more");
        let after = self.ast.span(args[2]?);
        let rest = self.files.slice(after);
        Some(
            Problem::new(&codes::MISPLACED_ARGUMENT, span, message)
                .help(format!("leave it out: `|> {name}({rest}, …)`"))
                .guess(Span { end: after.start, ..span }, ""),
        )
    }

    /// What is wrong with a call that has a number in place of an event: `adsr(0.1, 0.1, 0.5, 0.1)`, `sine(440Hz, 0.25)`.
    fn steady_event(&self, definition: &Definition, args: &[Option<ExprId>]) -> Option<Problem> {
        if self.files.is_prelude(self.file) || args.iter().flatten().count() < 2 {
            return None;
        }
        let number = |place: usize| {
            let given = args[place]?;
            let Expr::Number(number) = &self.ast.exprs[given] else { return None };
            (number.value() != 0.0).then_some(given)
        };
        let found = definition.formals.iter().enumerate().find_map(|(place, formal)| {
            let name = &*formal.name.name;
            Some((name, event_of(name)?, number(place)?))
        });
        let (formal, event, given) = found?;
        let source = mam_grammar::foreign::event_source(event)?;
        let message =
            format!("`{formal}` of `{}` is an event, and this number never changes", definition.name);
        let help = format!("in an instrument it is `{event}`, elsewhere such as `{source}`");
        let problem = Problem::new(&codes::STEADY_EVENT, self.ast.span(given), message).help(help);
        let start = Span { end: self.ast.span(given).start, ..self.ast.span(given) };
        // With all arguments there, the number stands for the event.
        Some(match args.last().is_some_and(Option::is_some) {
            true => problem.guess(self.ast.span(given), source),
            false => problem.guess(start, format!("{source}, ")),
        })
    }

    /// Warns of the sounds of instruments that a call of the song has, without a name, in places of numbers with a unit or a
    /// range: `x |> compressor(bd)`, `x |> lowpass(bd)`. `places` are those that its arguments are counted by, with what a
    /// number there measures; `listens` is the name of what else it listens to.
    fn sounds_as_numbers<'p>(
        &mut self,
        context: Context,
        written: Written,
        places: impl Iterator<Item = (&'p str, Option<Dimension>)>,
        listens: Option<&str>,
    ) {
        if !context.instances || self.files.is_prelude(self.file) {
            return;
        }
        let by_place = written.args.iter().take_while(|arg| arg.name.is_none()).count();
        for (arg, (formal, dimension)) in written.args[..by_place].iter().zip(places) {
            let Some(dimension) = dimension.filter(|_| self.is_sound(arg.value)) else { continue };
            let (callee, span) = (written.callee, self.ast.span(arg.value));
            let sound = self.files.slice(span);
            let message =
                format!("`{formal}` of `{callee}` would follow the wave of `{sound}`, which is a sound");
            let problem = Problem::new(&codes::SOUND_AS_NUMBER, span, message);
            let problem = match (listens, dimension) {
                (Some(input), _) => {
                    let named = format!("{input}: {sound}");
                    let problem = problem.help(format!("what `{callee}` listens to has a name: `{named}`"));
                    if by_place == 1 { problem.guess(span, named) } else { problem }
                }
                (None, dimension) => {
                    let example = match dimension {
                        Dimension::FREQUENCY => format!("200Hz + 2kHz * follow({sound})"),
                        Dimension::TIME => format!("10ms + 20ms * follow({sound})"),
                        _ => format!("follow({sound})"),
                    };
                    problem.help(format!("how loud it is, is `follow({sound})`: such as `{example}`"))
                }
            };
            self.problem(context, problem);
        }
    }

    /// Whether an expression of the song is the sound of instruments, by itself or by its name, or a sum of such.
    fn is_sound(&self, expr: ExprId) -> bool {
        let (mut open, mut left) = (vec![expr], 32);
        while let Some(expr) = open.pop()
            && left > 0
        {
            left -= 1;
            match &self.ast.exprs[expr] {
                Expr::Name(name) => {
                    let id = self.hir.in_scope(FILE, &name.name);
                    if let Some(LocalKind::Equation(value)) = id.map(|id| self.hir.local(id).kind) {
                        open.push(value);
                    }
                }
                Expr::Paren(inner) => open.push(*inner),
                Expr::Binary { op: BinaryOp::Add | BinaryOp::Sub, a, b } => open.extend([*a, *b]),
                _ if self.files.is_instrument_sound(self.file, expr) => return true,
                Expr::Pipe { left, .. } => open.push(*left),
                _ => {}
            }
        }
        false
    }

    /// What is wrong with a call in which a number stands in the place of a signal, though another argument wants one of
    /// its dimension: `lowpass(500Hz, x)`, `adsr(5ms, 100ms)`.
    fn misplaced(
        &self,
        definition: &Definition,
        args: &[Option<ExprId>],
        expected: &[Option<Dimension>],
    ) -> Option<Problem> {
        if self.files.is_prelude(self.file) {
            return None;
        }
        let ast = self.ast;
        let measure =
            |expr: ExprId| unit_of(ast, expr).map(Dimension::from_unit).filter(|d| *d != Dimension::PLAIN);
        let signal = |i: usize| expected[i].is_none() && definition.formals[i].default.is_none();
        let (here, expr, dimension) = (0..args.len()).find_map(|i| {
            let expr = args[i].filter(|_| signal(i))?;
            Some((i, expr, measure(expr)?))
        })?;
        let place = (0..args.len()).find(|i| expected[*i] == Some(dimension))?;
        let is_number = |expr: ExprId| measure(expr).is_some() || matches!(ast.exprs[expr], Expr::Number(_));
        let mut order: Vec<Option<String>> =
            args.iter().map(|arg| arg.map(|expr| self.files.slice(ast.span(expr)).to_owned())).collect();
        let mut whole = false;
        match args[place] {
            Some(other) if !is_number(other) => {
                order.swap(here, place);
                whole = true;
            }
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
        let problem = problem.help(format!("`{formal}` comes before `{wanted}`: `{name}({given})`"));
        let written = args.iter().flatten().map(|expr| ast.span(*expr)).reduce(Span::to)?;
        // With a placeholder in it, it is not a text that can be read.
        Some(if whole { problem.guess(written, given) } else { problem })
    }
}

/// What each argument of a `def` measures, where that is said.
fn expected_of(ast: &Ast, definition: &Definition) -> Vec<Option<Dimension>> {
    definition.formals.iter().map(|formal| of_formal(ast, formal).map(|(dimension, _)| dimension)).collect()
}

/// The event of a note that fits an argument of this name, where it is one that only events make sense for.
pub(super) fn event_of(formal: &str) -> Option<&'static str> {
    match formal {
        "gate" => Some("gate"),
        "trig" | "reset" => Some("trig"),
        _ => None,
    }
}
