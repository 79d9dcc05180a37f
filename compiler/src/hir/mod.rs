//! The high-level intermediate representation: what the names of a text mean.
//!
//! A [`Hir`] belongs to one file and stands beside its syntax tree: expressions keep their ids, and for each name, call and
//! loop there is an entry that says what it refers to. Names are looked for once, here; every later stage (the graph,
//! constants, lowering, an editor) reads ids. A text with mistakes has a [`Hir`] too: what is broken is
//! [`Name::Broken`] or [`Callee::Broken`], has been reported, and everything else resolves.
//!
//! - [`resolve`](resolve::resolved) makes it, and reports what is wrong with names, in definitions that are called and in
//!   those that are not: that does not depend on the order in which anything is evaluated.
//! - [`consts`] evaluates what must be known before there is a graph.
//! - [`query`] answers what an editor asks: what is here, where is it defined and used, what can it be renamed to.
//! - [`mod@text`] prints it for `mamc dump hir`.
//!
//! # Scopes
//! [`FILE`] holds the equations and knobs of a file. A definition's scope holds its arguments, parameters, inputs, events and
//! equations; around it is the file's scope if the file is the song itself, and nothing if the song uses the file. A
//! `sum` or `chain` has a scope with its counter, its value and its equations, inside that of the expression.
//! An equation hides an argument or event of its scope, and is hidden by an earlier equation of the same name.

pub mod builtins;
mod call;
pub mod consts;
mod expect;
pub(crate) mod function;
pub mod kits;
mod mistakes;
mod named;
mod order;
mod parts;
pub mod query;
pub mod resolve;
mod score;
pub mod text;
pub mod types;
mod voice;
pub mod whole;

use crate::dimension::Dimension;
use crate::expect::measures::Measure;
use builtins::Builtin;
use mam_grammar::ast::ExprId;
use mam_grammar::{Problems, Span};
use mam_runtime::NoteSignal;
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;
use std::fmt;
use std::sync::Arc;
pub use voice::VoiceSignal;

/// A definition: an item of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId {
    /// Index of the file.
    pub file: usize,
    /// Index of the item.
    pub item: usize,
}

/// A name that is defined in a file: an index into [`Hir::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(u32);

/// A scope of a file: an index into [`Hir::scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(u32);

/// One iteration of an unrolled `sum` or `list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iteration {
    /// The scope of its body.
    pub scope: ScopeId,
    /// What its counter is; over a list, the index of its element.
    pub counter: i64,
}

/// The iterations of the unrolled `sum`s around an expression of the song, outermost first. Empty outside of them.
pub type Iterations = Vec<Iteration>;

/// The scope of the equations and knobs that stand in a file itself.
pub const FILE: ScopeId = ScopeId(0);

/// What the names of a file mean.
#[derive(Clone, Debug, Default)]
pub struct Hir {
    /// All names that the file defines.
    pub locals: Vec<Local>,
    /// All scopes; the first is [`FILE`].
    pub scopes: Vec<Scope>,
    /// Every place at which a name of the user's is written, but for those at which it is defined, in no order.
    pub uses: Vec<Use>,
    /// What is wrong with the names.
    pub problems: Problems,
    /// By expression; empty at the end where nothing follows.
    names: Vec<Name>,
    calls: FxHashMap<ExprId, Call>,
    loops: FxHashMap<ExprId, ScopeId>,
    looped: FxHashMap<ScopeId, ExprId>,
    definitions: FxHashMap<usize, ScopeId>,
    measured: FxHashMap<usize, Measured>,
}

/// An `expect` whose measure and arguments are known.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The measure that is taken.
    pub measure: Measure,
    /// What is given to each argument, in the order of [`Row::formals`](crate::expect::measures::Row::formals).
    pub args: Vec<Option<ExprId>>,
}

/// What a name in an expression refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Name {
    /// The expression is not a name.
    #[default]
    None,
    /// A name of the file.
    Local(LocalId),
    /// A name of the language.
    Known(Known),
    /// A note, by its MIDI number: its frequency.
    Note(i32),
    /// A definition or a function, given to an argument that calls it.
    Function(Callee),
    /// The `voice` of `voice.vel`: what is given to a parameter of an instrument is computed for each of its voices.
    Voice,
    /// Nothing that can be used here, which has been reported.
    Broken,
}

/// The names of the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Euler's number.
    E,
    /// 2π.
    Tau,
    /// π.
    Pi,
    /// The sample rate, in Hz.
    Sr,
    /// The length of a sample, in seconds.
    Dt,
    /// The length of a beat, in seconds; follows the tempo.
    Beat,
    /// The length of a bar, in seconds; follows the tempo.
    Bar,
    /// What flows into the song.
    In,
}

impl Known {
    /// All of them, with their spelling and documentation, in the order in which they are shown.
    pub const ALL: [(Known, &'static str, &'static str); 8] = [
        (Known::E, "e", "Euler's number, 2.718, the base of natural logarithms."),
        (Known::Tau, "tau", "2π, one turn in radians."),
        (Known::Pi, "pi", "π, half a turn in radians."),
        (Known::Sr, "sr", "The sample rate in Hz."),
        (Known::Dt, "dt", "The length of one sample in seconds, 1 / sr."),
        (Known::Beat, "beat", "The length of a beat in seconds; it follows the tempo."),
        (Known::Bar, "bar", "The length of a bar in seconds; it follows the tempo and the meter."),
        (Known::In, "in", "What flows into the song: stereo, silence where nothing does."),
    ];

    /// The one that is spelled so.
    pub fn find(name: &str) -> Option<Known> {
        Known::ALL.into_iter().find(|(_, spelling, _)| *spelling == name).map(|(known, ..)| known)
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A signal.
    Signal {
        /// 1 for mono, 2 for stereo.
        channels: usize,
        /// What it measures; `None` where that depends on what a definition is given.
        dimension: Option<Dimension>,
    },
    /// Parts, each with its name.
    Record(Vec<(Arc<str>, Type)>),
    /// A sound file in memory.
    Buffer,
    /// Elements, in order.
    List(Vec<Type>),
}

/// The types of names, by file and name, as far as they have been found.
pub type Types = FxHashMap<(usize, LocalId), Type>;

impl Type {
    /// A mono signal that measures `dimension`.
    pub fn mono(dimension: Dimension) -> Type {
        Type::Signal { channels: 1, dimension: Some(dimension) }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Signal { channels, dimension } => {
                f.write_str(if *channels > 1 { "stereo" } else { "mono" })?;
                dimension.map_or(Ok(()), |dimension| write!(f, ", {dimension}"))
            }
            Type::Buffer => f.write_str("a buffer"),
            Type::Record(parts) => {
                let parts: Vec<String> = parts.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
                write!(f, "{{ {} }}", parts.join("; "))
            }
            Type::List(elements) => match elements.first() {
                None => f.write_str("list of 0"),
                Some(first) if elements.iter().all(|other| other == first) => {
                    write!(f, "list of {}: {first}", elements.len())
                }
                Some(_) => {
                    let elements: Vec<String> = elements.iter().map(ToString::to_string).collect();
                    write!(f, "[{}]", elements.join("; "))
                }
            },
        }
    }
}

/// A name that a file defines.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name as it is written.
    pub name: Arc<str>,
    /// Where it is defined; `None` for what comes with an instrument or effect (`freq`, `in`, `bpm`).
    pub span: Option<Span>,
    /// The kind of thing that the name is bound to.
    pub kind: LocalKind,
    /// Where it can be seen.
    pub scope: ScopeId,
    /// Its place among the names of its scope, from 0.
    pub index: usize,
}

/// What a name of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// An equation with its value.
    Equation(ExprId),
    /// A knob: the index of its item in the file.
    Knob(usize),
    /// An argument in the head of a definition, by its place.
    Formal(usize),
    /// A parameter of an instrument or effect, by its place in [`Info::params`](crate::library::Info::params).
    Param(usize),
    /// A further input of an effect, by its place.
    Input(usize),
    /// What flows into an effect.
    In,
    /// An event of an instrument: `trig`, `gate`, `freq`, `note`, `vel`.
    Event,
    /// What a `sum` or `chain` counts.
    Counter,
    /// What goes from one iteration of a `chain` to the next.
    Value,
    /// What stands for a bin in a spectral region: `mag`, `phase`, `bin`.
    Bin,
    /// An item that could not be read.
    Broken,
    /// A section of the score: the index of its item in the file. No expression refers to it.
    Section(usize),
}

/// Names that are seen together.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where names are looked for that it does not have.
    pub parent: Option<ScopeId>,
    /// Its names, in the order of [`Local::index`].
    pub locals: Vec<LocalId>,
    /// The one that each spelling means.
    names: FxHashMap<Arc<str>, LocalId>,
}

/// A call of a definition or a function of the language; also the right side of a pipe without parentheses.
#[derive(Clone, Debug)]
pub struct Call {
    /// The definition or built-in that is called.
    pub callee: Callee,
    /// What is given to each argument or parameter, in the order of the definition. What is piped into a `def` or a
    /// function of the language is its first argument.
    pub args: Vec<Option<ExprId>>,
    /// What is given to the arguments in the head of an instrument or effect, in their order.
    pub fixed: Vec<Option<ExprId>>,
    /// What is given as one of some words, where those are not expressions: the `priority` of an instrument, an argument of a
    /// function of the language.
    pub word: Option<ExprId>,
    /// What is given to what can only be named: `voices` of an instrument; `in` and the further inputs of an effect.
    pub more: Vec<Option<ExprId>>,
    /// What is piped in.
    pub piped: Option<ExprId>,
}

/// What a call calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// A definition.
    Definition(DefId),
    /// A function of the language.
    Builtin(Builtin),
    /// What is given to this argument of the definition around.
    Local(LocalId),
    /// Something is wrong with the call, which has been reported.
    Broken,
}

/// A place at which a name of the user's is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The bytes of the use in its text.
    pub span: Span,
    /// The scope that it stands in.
    pub scope: ScopeId,
    /// The definition or local that the name refers to.
    pub target: Target,
}

/// What a written name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A name of the same file.
    Local(LocalId),
    /// A definition, of any file.
    Definition(DefId),
    /// An argument, parameter or input of a definition.
    Argument(DefId, Arc<str>),
    /// A function of the language.
    Builtin(Builtin),
    /// A name of the language.
    Known(Known),
    /// A measure of an `expect`.
    Measure(Measure),
}

impl Hir {
    /// What an expression that is a name refers to.
    pub fn name(&self, expr: ExprId) -> Name {
        self.names.get(expr.index()).copied().unwrap_or_default()
    }

    /// What an expression that is a call calls, or the right side of a pipe that is a name.
    pub fn call(&self, expr: ExprId) -> Option<&Call> {
        self.calls.get(&expr)
    }

    /// What the `expect` at this index of the file's items measures; `None` where that is wrong, which has been reported.
    pub fn measured(&self, item: usize) -> Option<&Measured> {
        self.measured.get(&item)
    }

    /// The local name with this id.
    pub fn local(&self, id: LocalId) -> &Local {
        &self.locals[id.0 as usize]
    }

    /// The scope with this id.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// The scope of the body of a `sum` or `chain`: the counter is its first name, the value of a `chain` its second.
    ///
    /// # Panics
    /// Where the expression is neither.
    pub fn loop_scope(&self, expr: ExprId) -> ScopeId {
        self.loops[&expr]
    }

    /// The `sum`, `list` or `chain` whose body a scope is.
    pub fn loop_of(&self, scope: ScopeId) -> Option<ExprId> {
        self.looped.get(&scope).copied()
    }

    /// The scope of a definition of the file.
    ///
    /// # Panics
    /// Where the item is not a definition.
    pub fn definition_scope(&self, item: usize) -> ScopeId {
        self.definitions[&item]
    }

    /// The scopes of definitions, by the index of their item.
    pub fn definition_scopes(&self) -> impl Iterator<Item = (usize, ScopeId)> {
        self.definitions.iter().map(|(&item, &scope)| (item, scope))
    }

    /// The name of a scope that has this spelling, not of those around it.
    pub fn in_scope(&self, scope: ScopeId, name: &str) -> Option<LocalId> {
        self.scope(scope).names.get(name).copied()
    }

    /// What a spelling means in a scope.
    pub fn find(&self, scope: ScopeId, name: &str) -> Option<LocalId> {
        self.around(scope).find_map(|scope| self.in_scope(scope, name))
    }

    /// The signal of notes that a field of a name is: `note.bend` in an instrument.
    pub fn note_signal(&self, of: ExprId, field: &str) -> Option<NoteSignal> {
        self.is_note(of).then(|| NoteSignal::named(field)).flatten()
    }

    /// Whether an expression is the `note` of an instrument, not another thing of the name.
    pub fn is_note(&self, expr: ExprId) -> bool {
        let Name::Local(id) = self.name(expr) else { return false };
        let local = self.local(id);
        matches!(local.kind, LocalKind::Event) && &*local.name == "note"
    }

    /// What a field of `voice` is, as `voice.vel` in what is given to an instrument.
    pub fn voice_signal(&self, of: ExprId, field: &str) -> Option<VoiceSignal> {
        (self.name(of) == Name::Voice).then(|| VoiceSignal::named(field)).flatten()
    }

    /// A scope and those around it, from the inside.
    pub fn around(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> {
        std::iter::successors(Some(scope), |&scope| self.scope(scope).parent)
    }

    /// The names that can be seen in a scope, each once, sorted.
    pub fn visible(&self, scope: ScopeId) -> Vec<String> {
        let scopes = self.around(scope);
        let mut names: Vec<String> =
            scopes.flat_map(|scope| self.scope(scope).names.keys().map(ToString::to_string)).collect();
        names.put_in_order();
        names.dedup();
        names
    }

    fn add_scope(&mut self, parent: Option<ScopeId>) -> ScopeId {
        self.scopes.push(Scope { parent, locals: vec![], names: FxHashMap::default() });
        ScopeId(self.scopes.len() as u32 - 1)
    }

    /// Adds a name to a scope, in which its spelling means it from then on.
    fn define(&mut self, scope: ScopeId, name: &Arc<str>, span: Option<Span>, kind: LocalKind) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        let all = &mut self.scopes[scope.0 as usize];
        self.locals.push(Local { name: name.clone(), span, kind, scope, index: all.locals.len() });
        all.locals.push(id);
        if !matches!(kind, LocalKind::Section(_)) {
            all.names.insert(name.clone(), id);
        }
        id
    }

    /// Has a spelling mean a name of the scope.
    fn see(&mut self, scope: ScopeId, name: &Arc<str>, id: LocalId) {
        self.scopes[scope.0 as usize].names.insert(name.clone(), id);
    }

    /// Makes room for what is to be said of so many expressions: many are names, and some calls.
    fn reserve(&mut self, exprs: usize) {
        self.names.reserve(exprs);
        self.uses.reserve(exprs / 2);
        self.calls.reserve(exprs / 4);
    }

    fn set_name(&mut self, expr: ExprId, name: Name) {
        if self.names.len() <= expr.index() {
            self.names.resize(expr.index() + 1, Name::None);
        }
        self.names[expr.index()] = name;
    }
}
