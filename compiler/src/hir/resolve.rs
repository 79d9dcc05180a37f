//! Finds what every name of a file means.

use super::named::Named;
use super::order::{Edge, break_recursion};
use super::{Call, DefId, FILE, Hir, Known, LocalId, LocalKind, Name, ScopeId, Target, Use};
use crate::codes;
use crate::file::broken_names;
use crate::files::Files;
use crate::graph::{duplicate, each_operand, has_out, operands};
use crate::hir::builtins::{BIN, Builtin};
use crate::score::note_number;
use mam_grammar::ast::{
    Ast, Body, Definition, DefinitionKind, Expr, ExprId, Ident, Item, ItemKind, Over, Param,
};
use mam_grammar::{Problem, Span, foreign};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;
use std::sync::Arc;

/// What the names of a file mean, found when they are first asked for.
pub fn resolved(files: &Files, file: usize) -> &Hir {
    files.file(file).hir.get_or_init(|| resolve(files, file))
}

fn resolve(files: &Files, file: usize) -> Hir {
    let ast = &files.file(file).ast;
    let mut hir = Hir::default();
    hir.reserve(ast.exprs.len());
    let mut resolver = Resolver {
        files,
        file,
        ast,
        hir,
        calls: vec![],
        callable: FxHashMap::default(),
        named: FxHashMap::default(),
        suggests: !files.is_prelude(file),
    };
    resolver.items(&ast.items);
    break_recursion(&mut resolver.hir, &resolver.calls);
    resolver.hir
}

/// The events of an instrument, as names of its body.
pub(super) const EVENTS: [&str; 5] = ["trig", "gate", "freq", "note", "vel"];
/// Those that are younger than songs: a parameter of the name, or what the song calls so, is meant before them.
pub(super) const YOUNGER_EVENTS: [&str; 2] = ["slur", "fresh"];
/// What the call of every instrument may give by name alone.
pub(super) const VOICES: &str = "voices";
/// What the expansion of a kit gives to an instrument: a trigger that fades its voices, and how fast. No name that is written is one.
pub(crate) const CHOKE: &str = ".choke";
pub(crate) const CHOKE_TIME: &str = ".choke_time";
/// What it may give by name alone as well: which notes play where more are held than there are voices.
pub(super) const PRIORITY: &str = "priority";

pub(super) struct Resolver<'a> {
    pub(super) files: &'a Files,
    pub(super) file: usize,
    pub(super) ast: &'a Ast,
    pub(super) hir: Hir,
    pub(super) calls: Vec<Edge>,
    /// Which arguments of definitions are called, as far as that was asked for.
    pub(super) callable: FxHashMap<DefId, Rc<[bool]>>,
    /// What can be given to instruments and effects by name, likewise.
    pub(super) named: FxHashMap<DefId, Rc<Named>>,
    /// Whether uses are kept and names are suggested: not for the prelude, whose names are not edited.
    suggests: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// The scope whose names it sees.
    pub(super) scope: ScopeId,
    /// The definition around it: the index of its item.
    pub(super) definition: Option<usize>,
    /// Whether an instrument may be called: in the song itself, where each call is an instance.
    pub(super) instances: bool,
    /// Whether nothing is reported: it stands in a call of what does not exist, and may be meant for anything.
    quiet: bool,
    /// Whether it must be known before the song starts, so that no other name is suggested.
    constant: bool,
    /// Whether it is given to a parameter of an instrument, so that it may name signals of each `voice`.
    voice: bool,
}

impl Context {
    pub(super) fn song() -> Context {
        Context {
            scope: FILE,
            definition: None,
            instances: true,
            quiet: false,
            constant: false,
            voice: false,
        }
    }

    /// That of an expression of the same place which must be known before the song starts.
    pub(super) fn constant(self) -> Context {
        Context { instances: false, constant: true, ..self }
    }

    pub(super) fn is_constant(self) -> bool {
        self.constant
    }

    /// That of what a loop goes over.
    fn over(self, over: Over) -> Context {
        match over {
            Over::Range(..) => self.constant(),
            Over::List(_) => self.without_instances(),
        }
    }

    fn without_instances(self) -> Context {
        Context { instances: false, ..self }
    }

    pub(super) fn quiet(self) -> Context {
        Context { quiet: true, ..self }
    }

    /// That of what is given to a parameter of an instrument, or not.
    pub(super) fn of_voice(self, voice: bool) -> Context {
        Context { voice, ..self }
    }

    pub(super) fn has_voice(self) -> bool {
        self.voice
    }

    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }
}

impl Resolver<'_> {
    pub(super) fn problem(&mut self, context: Context, problem: Problem) {
        if !context.quiet {
            self.hir.problems.add(problem);
        }
    }

    pub(super) fn used(&mut self, scope: ScopeId, span: Span, target: Target) {
        if self.suggests {
            self.hir.uses.push(Use { span, scope, target });
        }
    }

    /// True where the file is the song, whose definitions see its equations.
    pub(super) fn is_song(&self) -> bool {
        self.files.user_files().end == self.file + 1
    }

    fn items(&mut self, items: &[Item]) {
        let file = self.hir.add_scope(None);
        debug_assert_eq!(file, FILE);
        self.duplicates(items.iter().filter_map(|item| match &item.kind {
            ItemKind::Definition(definition) => Some(&definition.name),
            _ => None,
        }));
        let needed = self.needed(items);
        self.duplicates(items.iter().filter_map(signal).filter(|name| needed.has(&name.name)));
        for (index, item) in items.iter().enumerate() {
            match &item.kind {
                ItemKind::Equation { name, value } => self.define_once(name, LocalKind::Equation(*value)),
                ItemKind::Param(param) if param.knob => self.define_once(&param.name, LocalKind::Knob(index)),
                _ => {}
            }
        }
        super::score::define(&mut self.hir, items);
        for (index, item) in items.iter().enumerate() {
            let context = match signal(item) {
                Some(name) if !needed.has(&name.name) => Context::song().quiet(),
                _ => Context::song(),
            };
            match &item.kind {
                ItemKind::Equation { value, .. } => self.expr(context, *value),
                ItemKind::Param(param) if param.knob => self.param(context, param),
                ItemKind::Definition(definition) => self.definition(index, definition),
                ItemKind::Matrix(routes) if self.is_song() => self.matrix(routes),
                // Those of a file that is used are checked where it is the song.
                ItemKind::Expect(expect) if self.is_song() => self.expect(index, expect),
                _ => {}
            }
        }
        if self.suggests {
            super::score::resolve(self.files, self.ast, &mut self.hir);
        }
    }

    /// The names in the lines of a matrix, but for those of parameters.
    fn matrix(&mut self, routes: &[Item]) {
        for item in routes {
            let ItemKind::Route(route) = &item.kind else { continue };
            self.expr(Context::song().without_instances(), route.source);
            let (low, high) = route.range.unzip();
            for expr in [Some(route.depth), low, high].into_iter().flatten() {
                self.expr(Context::song().constant(), expr);
            }
        }
    }

    /// The names of the file's own signals that the song needs: all of the song itself. Of a file that is used, those by
    /// which its definitions describe their parameters; its other equations are not brought in, nor checked.
    fn needed(&self, items: &[Item]) -> Needed {
        if self.is_song() {
            return Needed::All;
        }
        let mut open: Vec<ExprId> = vec![];
        for item in items {
            let ItemKind::Definition(definition) = &item.kind else { continue };
            open.extend(definition.formals.iter().filter_map(|formal| formal.range).flat_map(<[_; 2]>::from));
            if let Body::Items(items) = &definition.body {
                let params = items.iter().filter_map(|item| match &item.kind {
                    ItemKind::Param(param) => Some(param),
                    _ => None,
                });
                open.extend(params.flat_map(described));
            }
        }
        let mut values: FxHashMap<&str, Vec<ExprId>> = FxHashMap::default();
        for item in items {
            if let ItemKind::Equation { name, value } = &item.kind {
                values.entry(&name.name).or_default().push(*value);
            }
        }
        let mut needed = FxHashSet::default();
        while let Some(expr) = open.pop() {
            match &self.ast.exprs[expr] {
                Expr::Name(name) if needed.insert(name.name.clone()) => {
                    open.extend(values.get(&*name.name).into_iter().flatten());
                }
                other => open.extend(operands(other)),
            }
        }
        Needed::Named(needed)
    }

    /// Defines a name of the file, of which the first one is meant.
    fn define_once(&mut self, name: &Ident, kind: LocalKind) {
        let first = self.hir.in_scope(FILE, &name.name);
        self.hir.define(FILE, &name.name, Some(name.span), kind);
        first.into_iter().for_each(|id| self.hir.see(FILE, &name.name, id));
    }

    /// The expressions that describe a parameter see the names of the file alone.
    fn param(&mut self, context: Context, param: &Param) {
        described(param).for_each(|expr| self.expr(context.constant(), expr));
    }

    fn definition(&mut self, item: usize, definition: &Definition) {
        let scope = self.hir.add_scope(self.is_song().then_some(FILE));
        self.hir.definitions.insert(item, scope);
        let items = match &definition.body {
            Body::Items(items) => &items[..],
            Body::Expr(_) => &[],
        };
        let formals = definition.formals.iter().map(|formal| &formal.name);
        self.duplicates(formals.clone().chain(items.iter().filter_map(defined)));
        for (place, name) in formals.enumerate() {
            self.hir.define(scope, &name.name, Some(name.span), LocalKind::Formal(place));
        }
        self.parameters(scope, definition.kind, items);
        self.equations(scope, items);
        let context = Context { scope, definition: Some(item), ..Context::song().without_instances() };
        for formal in &definition.formals {
            formal.default.into_iter().for_each(|expr| self.expr(context, expr));
            let range = formal.range.into_iter().flat_map(|(low, high)| [low, high]);
            range.for_each(|expr| self.expr(Context::song().constant(), expr));
        }
        match &definition.body {
            Body::Expr(expr) => self.expr(context, *expr),
            Body::Items(items) => self.body_items(context, items),
        }
    }

    /// The names that an instrument or effect has beside its equations.
    fn parameters(&mut self, scope: ScopeId, kind: DefinitionKind, items: &[Item]) {
        if kind == DefinitionKind::Def {
            return;
        }
        let mut place = 0;
        for item in items {
            if let ItemKind::Param(param) = &item.kind {
                if kind == DefinitionKind::Instrument && given_to_all(&param.name.name) {
                    self.hir.problems.add(taken(&param.name));
                }
                self.hir.define(scope, &param.name.name, Some(param.name.span), LocalKind::Param(place));
                place += 1;
            }
        }
        if kind == DefinitionKind::Instrument {
            for name in super::score::IMPLIED {
                self.hir.define(scope, &name.into(), None, LocalKind::Param(place));
                place += 1;
            }
        }
        let inputs = items.iter().filter_map(|item| match &item.kind {
            ItemKind::Input(name) => Some(name),
            _ => None,
        });
        for (place, name) in inputs.enumerate() {
            self.hir.define(scope, &name.name, Some(name.span), LocalKind::Input(place));
        }
        match kind {
            DefinitionKind::Effect => _ = self.hir.define(scope, &"in".into(), None, LocalKind::In),
            _ => {
                let unused = YOUNGER_EVENTS.into_iter().filter(|name| self.hir.find(scope, name).is_none());
                for event in EVENTS.into_iter().chain(unused.collect::<Vec<_>>()) {
                    self.hir.define(scope, &event.into(), None, LocalKind::Event);
                }
            }
        }
    }

    /// Says so where a name is defined for the second time.
    fn duplicates<'n>(&mut self, names: impl Iterator<Item = &'n Ident>) {
        let mut first: FxHashMap<Arc<str>, Span> = FxHashMap::default();
        for name in names {
            if let Some(&before) = first.get(&name.name) {
                let problem = duplicate(name, before);
                self.hir.problems.add(match self.reads_itself(name) {
                    true => problem.help(format!(
                        "an equation holds for all time: give the first another name, `{name}1 = …`, and read `{name}1` here"
                    )),
                    false => problem,
                });
            }
            first.entry(name.name.clone()).or_insert(name.span);
        }
    }

    fn equations(&mut self, scope: ScopeId, items: &[Item]) {
        let mut equations: FxHashMap<Arc<str>, LocalId> = FxHashMap::default();
        for item in items {
            let ItemKind::Equation { name, value } = &item.kind else { continue };
            let id = self.hir.define(scope, &name.name, Some(name.span), LocalKind::Equation(*value));
            let seen = *equations.entry(name.name.clone()).or_insert(id);
            self.hir.see(scope, &name.name, seen);
        }
        for name in broken_names(items) {
            self.hir.define(scope, name, None, LocalKind::Broken);
        }
    }

    fn body_items(&mut self, context: Context, items: &[Item]) {
        for item in items {
            match &item.kind {
                ItemKind::Equation { value, .. } => self.expr(context, *value),
                ItemKind::Until(expr) | ItemKind::Latency(expr) => self.expr(context, *expr),
                ItemKind::Param(param) => self.param(Context::song(), param),
                _ => {}
            }
        }
    }

    pub(super) fn expr(&mut self, context: Context, expr: ExprId) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.expr_in(context, expr));
    }

    fn expr_in(&mut self, context: Context, expr: ExprId) {
        let ast = self.ast;
        match &ast.exprs[expr] {
            Expr::Name(name) => {
                let meaning = self.name(context, name);
                self.hir.set_name(expr, meaning);
            }
            Expr::Field { of, field } => match &ast.exprs[*of] {
                Expr::Name(name) if self.is_foreign(context, name, field) => {
                    let problem =
                        foreign_field((self.files, self.file), name, field, self.has_events(context));
                    self.problem(context, problem);
                    self.hir.set_name(*of, Name::Broken);
                    self.hir.set_name(expr, Name::Broken);
                }
                Expr::Name(name) if self.is_voice(context, name) => {
                    self.voice_field(context, (expr, *of), field)
                }
                _ => self.expr(context, *of),
            },
            Expr::Call { callee, args } => self.call(context, expr, callee, args, None),
            Expr::Pipe { left, right } => self.pipe(context, *left, *right),
            Expr::Reduce { index, over, body, .. } => {
                over.operands().into_iter().for_each(|part| self.expr(context.over(*over), part));
                self.repeated(context, expr, &[(index, LocalKind::Counter)], body);
            }
            Expr::Oversample { factor, border, body } => {
                let context = context.without_instances();
                if let Some(word) = border.as_ref().filter(|word| *word.name != *"linear") {
                    let message = format!("`oversample` takes the word `linear` alone, and this is `{word}`");
                    let problem = Problem::new(&codes::UNKNOWN_WORD, word.span, message);
                    self.problem(
                        context,
                        problem
                            .help(
                                "write `oversample(4, linear) { … }`, or leave it out: `oversample(4) { … }`",
                            )
                            .fix(word.span, "linear"),
                    );
                }
                self.expr(context.constant(), *factor);
                self.repeated(context, expr, &[], body);
            }
            Expr::Spectral { head, body } => {
                self.expr(context, *head);
                self.repeated(context.without_instances(), expr, &[], body);
            }
            Expr::Chain { value, start, index, over, body } => {
                let context = context.without_instances();
                self.expr(context, *start);
                over.operands().into_iter().for_each(|part| self.expr(context.over(*over), part));
                let names = [(index, LocalKind::Counter), (value, LocalKind::Value)];
                self.repeated(context, expr, &names, body);
            }
            other => {
                if let Expr::Record(fields) = other {
                    self.duplicates(fields.iter().map(|(name, _)| name));
                }
                each_operand(other, &mut |operand| self.expr(context, operand));
            }
        }
    }

    /// The body of a `sum`, `chain` or region, with the names that it has beside its equations.
    fn repeated(&mut self, context: Context, expr: ExprId, names: &[(&Ident, LocalKind)], body: &Body) {
        let scope = self.hir.add_scope(Some(context.scope));
        self.hir.loops.insert(expr, scope);
        self.hir.looped.insert(scope, expr);
        if let Expr::Spectral { .. } = self.ast.exprs[expr] {
            BIN.iter().for_each(|&name| _ = self.hir.define(scope, &name.into(), None, LocalKind::Bin));
        }
        for (name, kind) in names {
            self.hir.define(scope, &name.name, Some(name.span), *kind);
        }
        let own = names.iter().map(|(name, _)| *name);
        match body {
            Body::Expr(_) => self.duplicates(own),
            Body::Items(items) => self.duplicates(own.chain(items.iter().filter_map(defined))),
        }
        let context = Context { scope, constant: false, ..context };
        match body {
            Body::Expr(expr) => self.expr(context, *expr),
            Body::Items(items) => {
                if !has_out(items) {
                    let place = items.first().map_or_else(Span::default, |item| item.span);
                    let message = "these braces do not say what their value is";
                    let help = "add an equation `out = …`, or write one expression alone";
                    self.problem(context, Problem::new(&codes::NO_OUT, place, message).help(help));
                }
                self.equations(scope, items);
                self.body_items(context, items);
            }
        }
    }

    /// `left |> right`, with the fields that are read from the result.
    fn pipe(&mut self, context: Context, left: ExprId, right: ExprId) {
        match &self.ast.exprs[right] {
            Expr::Field { of, .. } => self.pipe(context, left, *of),
            Expr::Call { callee, args } => self.call(context, right, callee, args, Some(left)),
            Expr::Name(callee) => self.call(context, right, callee, &[], Some(left)),
            _ => self.expr(context, left), // The parser has said so.
        }
    }

    fn name(&mut self, context: Context, name: &Ident) -> Name {
        if let Some(id) = self.hir.find(context.scope, &name.name) {
            self.used(context.scope, name.span, Target::Local(id));
            return match self.hir.local(id).kind {
                LocalKind::Broken => Name::Broken,
                _ => Name::Local(id),
            };
        }
        // A definition of the user's is meant before a word of the language, and told to be called.
        let def = self.files.find(self.file, &name.name);
        if let Some(known) = Known::find(&name.name).filter(|_| def.is_none()) {
            self.used(context.scope, name.span, Target::Known(known));
            return Name::Known(known);
        }
        if let Some(note) = note_literal(&name.name).filter(|_| def.is_none()) {
            return Name::Note(note);
        }
        if let Some(def) = def {
            self.used(context.scope, name.span, Target::Definition(def));
        }
        if !self.files.is_broken(self.file, &name.name)
            && let Some(problem) = (!context.quiet).then(|| self.unknown_name(context, name))
        {
            self.hir.problems.add(problem);
        }
        Name::Broken
    }

    fn is_foreign(&self, context: Context, name: &Ident, field: &Ident) -> bool {
        let foreign = foreign::find_field(&name.name, &field.name).is_some()
            || foreign::class_of(&name.name, &field.name).is_some();
        let seen = || self.hir.find(context.scope, &name.name).is_some() || Known::find(&name.name).is_some();
        foreign && !seen()
    }

    /// Records a call, and where it stands in a definition of the file also who calls whom.
    pub(super) fn called(&mut self, context: Context, expr: ExprId, callee: &Ident, def: DefId, call: Call) {
        self.uses(context, expr, callee, def);
        self.hir.calls.insert(expr, call);
    }

    /// Records that a definition of the file uses another one.
    pub(super) fn uses(&mut self, context: Context, expr: ExprId, callee: &Ident, def: DefId) {
        if let Some(from) = context.definition.filter(|_| def.file == self.file) {
            self.calls.push(Edge { from, to: def.item, expr, callee: callee.clone() });
        }
    }
}

/// Whether every instrument has something of this name: an event, or what its calls may give.
fn given_to_all(name: &str) -> bool {
    EVENTS.contains(&name) || name == VOICES || super::score::IMPLIED.contains(&name)
}

/// The problem of a parameter that would hide what every instrument has.
fn taken(name: &Ident) -> Problem {
    let message = format!("every instrument has `{name}` already");
    Problem::new(&codes::DUPLICATE_NAME, name.span, message)
        .help(format!("take another name, such as `{name}_`, here and wherever it is used"))
}

/// Which signals of a file a song needs.
enum Needed {
    All,
    Named(FxHashSet<Arc<str>>),
}

impl Needed {
    fn has(&self, name: &str) -> bool {
        match self {
            Needed::All => true,
            Needed::Named(names) => names.contains(name),
        }
    }
}

/// The expressions that describe a parameter.
fn described(param: &Param) -> impl Iterator<Item = ExprId> {
    let range = param.range.into_iter().flat_map(<[_; 2]>::from);
    std::iter::once(param.default).chain(range).chain(param.smooth).chain(param.cc)
}

/// The name of the signal that an item of a file defines.
fn signal(item: &Item) -> Option<&Ident> {
    match &item.kind {
        ItemKind::Equation { name, .. } => Some(name),
        ItemKind::Param(param) if param.knob => Some(&param.name),
        _ => None,
    }
}

/// The name that an item of a body defines.
fn defined(item: &Item) -> Option<&Ident> {
    match &item.kind {
        ItemKind::Equation { name, .. } | ItemKind::Input(name) => Some(name),
        ItemKind::Param(param) => Some(&param.name),
        _ => None,
    }
}

/// The MIDI number of a note as it is written in an equation: a letter in lower case, accidentals, an octave from 0
/// to 9; `b12` is rather a name.
pub(super) fn note_literal(name: &str) -> Option<i32> {
    let written = name.starts_with(|c| matches!(c, 'a'..='g'))
        && name.ends_with(|c: char| c.is_ascii_digit())
        && name[1..name.len() - 1].chars().all(|c| matches!(c, '#' | 'b'));
    note_number(name).filter(|_| written).map(|note| note as i32)
}

/// `Math.PI`, `SinOsc.ar`: a word of another language.
fn foreign_field((files, file): (&Files, usize), name: &Ident, field: &Ident, events: bool) -> Problem {
    let span = name.span.to(field.span);
    let problem =
        Problem::new(&codes::UNKNOWN_NAME, span, format!("nothing here is called `{name}.{field}`"));
    match foreign::find_field(&name.name, &field.name) {
        Some(row) => row.explain(problem, span, false, events),
        None => {
            let word = foreign::class_of(&name.name, &field.name).unwrap_or_default();
            let function = files.find(file, &word).is_some() || Builtin::find(&word).is_some();
            match function {
                true => {
                    problem.help(format!("mam's word is probably `{word}`, which is called: `{word}(…)`"))
                }
                false => problem.help(format!("mam's word is probably `{word}`")).guess(span, word),
            }
        }
    }
}
