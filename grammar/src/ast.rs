//! The syntax tree of a `.mam` file: what was said, not what it means.
//!
//! Nothing is resolved here: a name is a name, a unit is a unit, and whether `kick` exists is not known.
//! Expressions live in one arena; their places stand in a parallel table ([`Ast::span`]), so two trees are equal
//! when they say the same, wherever it stands. That is what the formatter is tested by.

mod equations;
mod expect;
pub(crate) mod moved;
mod ops;
mod row;
mod score;
mod text;

pub use equations::{equation, equations};
pub use expect::{Condition, Expect};

use crate::arena::{Arena, Handle};
use crate::source::Span;
use rustc_hash::FxHashSet;
use std::fmt;
use std::sync::Arc;

pub use ops::{BinaryOp, Over, Reduction, UnaryOp};
pub use row::Operation;
pub use score::{Line, MidiNumbers, Part, PatternText, Route, Scale};

/// The syntax tree of one file, with the spans of its expressions beside them.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// All expressions; an operand stands before what uses it.
    pub exprs: Arena<Expr>,
    /// The place of each expression, in the same order.
    pub spans: Vec<Span>,
    /// The items of the file, in order.
    pub items: Vec<Item>,
    /// Every comment that is not documentation, in order. Only the formatter looks at them.
    pub comments: Vec<Span>,
}

impl Ast {
    /// Adds an expression that stands at `span`.
    pub fn add(&mut self, expr: Expr, span: Span) -> ExprId {
        self.spans.push(span);
        self.exprs.add(expr)
    }

    /// Where an expression stands.
    pub fn span(&self, expr: ExprId) -> Span {
        self.spans[expr.index()]
    }

    /// The names of all definitions and functions that are called, each once, in no order.
    pub fn callees(&self) -> FxHashSet<&str> {
        fn callee(expr: &Expr) -> Option<&str> {
            match expr {
                Expr::Call { callee, .. } => Some(&callee.name),
                _ => None,
            }
        }
        self.exprs.values().filter_map(callee).collect()
    }
}

impl PartialEq for Ast {
    /// Two trees are equal when they say the same: places and comments do not count.
    fn eq(&self, other: &Ast) -> bool {
        self.exprs == other.exprs && self.items == other.items
    }
}

/// An expression in its [`Ast`].
pub type ExprId = Handle<Expr>;

/// A word with its place. Equality looks at the word alone.
#[derive(Clone)]
pub struct Ident {
    /// The word as it is written.
    pub name: Arc<str>,
    /// The bytes that the word takes up.
    pub span: Span,
}

impl Ident {
    /// Makes a word that stands at `span`.
    pub fn new(name: &str, span: Span) -> Ident {
        Ident { name: name.into(), span }
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Ident) -> bool {
        self.name == other.name
    }
}
impl Eq for Ident {}
impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}
impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

/// A unit that touches its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Hertz.
    Hz,
    /// Kilohertz.
    KHz,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
    /// Decibels of amplitude: a plain number, 10^(x/20).
    Db,
    /// Hundredths: a plain number.
    Percent,
    /// Semitones: a plain ratio, 2^(x/12).
    St,
    /// Cents: a plain ratio, 2^(x/1200).
    Ct,
    /// Octaves: a plain ratio, 2^x. Written apart from its number.
    Octaves,
}

impl Unit {
    /// All units, in the order of their declaration.
    pub const ALL: [Unit; 9] =
        [Unit::Hz, Unit::KHz, Unit::Ms, Unit::S, Unit::Db, Unit::Percent, Unit::St, Unit::Ct, Unit::Octaves];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Unit::Hz => "Hz",
            Unit::KHz => "kHz",
            Unit::Ms => "ms",
            Unit::S => "s",
            Unit::Db => "dB",
            Unit::Percent => "%",
            Unit::St => "st",
            Unit::Ct => "ct",
            Unit::Octaves => "octaves",
        }
    }

    /// The unit that is written so.
    pub fn from_text(text: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|u| u.text() == text)
    }
}

/// A unit of musical time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MusicalUnit {
    /// A quarter note.
    Beat,
    /// One bar of the meter.
    Bar,
}

/// A number as it was written. Digits are kept, because musical times are read exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    /// Digits with at most one point and, where the sign belongs to the number, a leading `-`; of octaves also two such numbers with
    /// a `/` between them.
    pub digits: Arc<str>,
    /// The unit that touches it.
    pub unit: Option<Unit>,
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// `name:` before the value.
    pub name: Option<Ident>,
    /// The expression whose value is passed.
    pub value: ExprId,
}

/// An expression; its operands are handles into the same [`Ast`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `55ms`, `-6dB`, `0.5`
    Number(Number),
    /// `3/16 bar`, `1 beat`, `0.5 beats`: a musical length. The amount is a [`Expr::Number`] without unit, or a
    /// division of two of them.
    Length {
        /// How many.
        amount: ExprId,
        /// Of what.
        unit: MusicalUnit,
    },
    /// `cutoff`
    Name(Ident),
    /// `voice.low`
    Field {
        /// What has the field.
        of: ExprId,
        /// The field.
        field: Ident,
    },
    /// `svf(x, 800Hz, q: 2)`
    Call {
        /// What is called: always a name.
        callee: Ident,
        /// Its arguments, in order.
        args: Vec<Arg>,
    },
    /// `transpose(7st).vel(0.5)`, in the arguments of modifiers alone: one change of a pattern after another.
    Method {
        /// The change before it.
        of: ExprId,
        /// The modifier.
        callee: Ident,
        /// Its arguments, in order.
        args: Vec<Arg>,
    },
    /// `left |> right`: `right` is a [`Expr::Name`], a [`Expr::Call`], or [`Expr::Field`]s of one.
    Pipe {
        /// What flows in.
        left: ExprId,
        /// Through what.
        right: ExprId,
    },
    /// `-x`, `not x`
    Unary {
        /// The operator between the two operands.
        op: UnaryOp,
        /// Its operand.
        x: ExprId,
    },
    /// `a + b`
    Binary {
        /// The operator between the two operands.
        op: BinaryOp,
        /// Left operand.
        a: ExprId,
        /// Right operand.
        b: ExprId,
    },
    /// `if c then a else b`
    If {
        /// Chooses: not 0 is true.
        condition: ExprId,
        /// The value where it is true.
        then: ExprId,
        /// The value where it is not.
        otherwise: ExprId,
    },
    /// `sum i in 1..8 { … }`, `list a in xs { … }`
    Reduce {
        /// What the values of the iterations become.
        reduction: Reduction,
        /// The number or element of an iteration.
        index: Ident,
        /// What is iterated over.
        over: Over,
        /// One iteration.
        body: Body,
    },
    /// `chain x = in, i in 0..3 { … }`
    Chain {
        /// The name of what goes from one iteration to the next.
        value: Ident,
        /// Its first value.
        start: ExprId,
        /// The number or element of an iteration.
        index: Ident,
        /// What is iterated over.
        over: Over,
        /// One iteration.
        body: Body,
    },
    /// `oversample(4) { … }`
    Oversample {
        /// How many frames the region has in one frame around it.
        factor: ExprId,
        /// The word after it: how the border is crossed.
        border: Option<Ident>,
        /// What is computed at the higher rate.
        body: Body,
    },
    /// `spectral(x, size: 1024) { … }`
    Spectral {
        /// The call before the braces.
        head: ExprId,
        /// What is computed of each bin.
        body: Body,
    },
    /// `xs[2]`
    Index {
        /// The list.
        of: ExprId,
        /// Which element, from 0: a constant.
        index: ExprId,
    },
    /// `(l, r)`
    Tuple(Vec<ExprId>),
    /// `(x)`; kept so that the formatter can write it again.
    Paren(ExprId),
    /// `[0, 0.5, 1]`
    List(Vec<ExprId>),
    /// `{ low: v2, band: v1 }`
    Record(Vec<(Ident, ExprId)>),
    /// `"…"`, as an argument of a modifier. The span of the expression covers the quotes too.
    Text(Arc<str>),
}

/// What stands in braces after `sum`, `chain` or a definition's head, or after a definition's `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// One expression: the value.
    Expr(ExprId),
    /// Items, one of which defines `out`.
    Items(Vec<Item>),
}

/// One item with its documentation and its whole place.
#[derive(Clone, Debug)]
pub struct Item {
    /// The text of the `///` lines before it, joined by newlines, without the slashes and one space.
    pub doc: Option<Arc<str>>,
    /// What the item says: an equation, a statement, a definition …
    pub kind: ItemKind,
    /// All of it, without the documentation.
    pub span: Span,
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.doc == other.doc && self.kind == other.kind
    }
}
impl Eq for Item {}

/// The kinds of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// `name = expression`
    Equation {
        /// The name.
        name: Ident,
        /// The right side of the equation.
        value: ExprId,
    },
    /// `param f0 = 100Hz in 40Hz..200Hz curve exp` and `knob …`
    Param(Param),
    /// `input key`
    Input(Ident),
    /// `until amp < 0.00005`
    Until(ExprId),
    /// `latency 5ms`: how much later than what it is computed of the value of this body is heard.
    Latency(ExprId),
    /// `default note c2`: the note's name or number.
    DefaultNote(Ident),
    /// `midi drum 36, 35`, `midi program 38, 32..39`: what a MIDI file calls the instrument.
    Midi(MidiNumbers),
    /// `kit k { … }`, `kit k "sounds/k"`, `kit k "sounds/k" { … }`
    Kit {
        /// The name by which it is called.
        name: Ident,
        /// The path of a folder of which each sound file is a part.
        folder: Option<Quoted>,
        /// The equations that are its parts, and who chokes whom.
        items: Vec<Item>,
    },
    /// `matrix { … }`: the lines are [`ItemKind::Route`]s.
    Matrix(Vec<Item>),
    /// A line of a matrix, `lfo1 -> bass.cutoff: 2 octaves`.
    Route(Route),
    /// `choke ch oh`, `choke crash ride over 40ms`: a note of one part of a kit ends those of the others.
    Choke {
        /// The parts of the kit that end each other.
        parts: Vec<Ident>,
        /// The time constant with which they fade.
        over: Option<ExprId>,
    },
    /// `preset "deep" { cutoff: 300Hz }`: values of an instrument's parameters.
    Preset {
        /// What it is called.
        name: Quoted,
        /// Parameters and their values.
        settings: Vec<(Ident, ExprId)>,
    },
    /// `def`, `instrument`, `effect`
    Definition(Definition),
    /// `use "lib/mine.mam"`
    Use(Quoted),
    /// `title "…"`
    Title(Quoted),
    /// `tempo 130`, `tempo 138 at bar 3`, `tempo 130..150 over bars 5..9`
    Tempo {
        /// Beats per minute, at the start where it ramps.
        bpm: ExprId,
        /// Beats per minute at the end of a ramp.
        to: Option<ExprId>,
        /// `at bar 3`, or the first bar of `over bars 5..9`; from 1.
        at: Option<ExprId>,
        /// The last bar of `over bars 5..9`.
        until: Option<ExprId>,
    },
    /// `meter 7/8`
    Meter {
        /// Beats in a bar.
        beats: ExprId,
        /// Which note is a beat.
        unit: ExprId,
    },
    /// `swing 12%`, `swing 12% of 1/8`
    Swing {
        /// The share of half a step.
        amount: ExprId,
        /// The step, in whole notes: a sixteenth when absent.
        of: Option<ExprId>,
    },
    /// `length 16 bars`: the number of bars, or an [`Expr::Length`].
    Length(ExprId),
    /// `seed 7`
    Seed(ExprId),
    /// `channels 4`, `channels 4 ambisonic`
    Channels {
        /// How many channels `out` has.
        count: ExprId,
        /// Whether they are the components of a sound field in place of the signals of speakers.
        is_ambisonic: bool,
    },
    /// `expect peak(kick()) < 0dB`
    Expect(Expect),
    /// `tuning "x.scl" "x.kbm"`, `tuning edo 19`
    Tuning(Tuning),
    /// `play { … }`
    Play(Vec<Item>),
    /// One line of a `play` or `section` block.
    Line(Line),
    /// `play intro verse*2 chorus`
    Arrangement(Vec<Part>),
    /// `section verse 8 bars { … }`
    Section {
        /// Its name.
        name: Ident,
        /// How long it is: an [`Expr::Length`].
        length: ExprId,
        /// Its lines, and arrangements of inner sections.
        items: Vec<Item>,
    },
    /// `section verse2 = verse { hh ~ }`: a section with some of its lines replaced.
    Variation {
        /// Its name.
        name: Ident,
        /// The section that it is like.
        of: Ident,
        /// Lines that take the place of those of the same targets, or leave them out.
        items: Vec<Item>,
    },
    /// An item that could not be read; its problem has been reported. It holds the name that the item would have
    /// defined, so that the name is not reported as unknown.
    Broken(Option<Ident>),
}

/// Which pitches the keys have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tuning {
    /// Files of Scala: a scale, and the keys that play it.
    Files {
        /// The path of the scale.
        scale: Quoted,
        /// The path of the keyboard mapping.
        keyboard: Option<Quoted>,
    },
    /// So many equal steps in an octave.
    Equal(ExprId),
}

/// A parameter of an instrument or effect, or a knob of the song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// True for a `knob` of the song, false for a `param` of a definition.
    pub knob: bool,
    /// The name by which equations use it.
    pub name: Ident,
    /// Its value at the start.
    pub default: ExprId,
    /// Least and greatest value.
    pub range: Option<(ExprId, ExprId)>,
    /// Instead, the words that it takes, `in saw|square|tri`: the numbers from 0 on.
    pub words: Vec<Ident>,
    /// True with `fixed`: it is known before the song starts.
    pub fixed: bool,
    /// True with `curve exp`: the range is divided exponentially.
    pub curve_exp: bool,
    /// True with `step`: a new value is taken at once, without smoothing.
    pub step: bool,
    /// The time of `smooth 5ms`, in which a new value is reached.
    pub smooth: Option<ExprId>,
    /// The number of the MIDI controller in `cc 74`.
    pub cc: Option<ExprId>,
}

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefinitionKind {
    /// A function of signals, inlined at every use.
    Def,
    /// Reacts to notes.
    Instrument,
    /// Reacts to `in`.
    Effect,
}

impl DefinitionKind {
    /// The keyword that begins the definition.
    pub fn word(self) -> &'static str {
        match self {
            DefinitionKind::Def => "def",
            DefinitionKind::Instrument => "instrument",
            DefinitionKind::Effect => "effect",
        }
    }
}

/// A formal argument in the head of a definition. Those of an instrument or effect are constant in each of its instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formal {
    /// The name by which equations use it.
    pub name: Ident,
    /// The unit after the name, as in `cutoff: Hz`.
    pub unit: Option<Unit>,
    /// The default after the name, as in `freq = 440Hz`.
    pub default: Option<ExprId>,
    /// Least and greatest value, as in `in 0%..100%`.
    pub range: Option<(ExprId, ExprId)>,
}

/// `def f(x) = …`, `instrument kick { … }`, `effect echo { … }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Which of the three.
    pub kind: DefinitionKind,
    /// The name by which equations use it.
    pub name: Ident,
    /// The arguments in its head: of a `def` all; of the others those that are known before the song starts, beside which
    /// they have `param`s.
    pub formals: Vec<Formal>,
    /// The equations between its braces, or the expression after `=`.
    pub body: Body,
}

impl Definition {
    /// Whether a call has to give it something: an argument in its head has no default.
    pub fn needs_arguments(&self) -> bool {
        self.formals.iter().any(|formal| formal.default.is_none())
    }

    /// Its parameters, in their order.
    pub fn params(&self) -> impl Iterator<Item = &Param> {
        let items = match &self.body {
            Body::Items(items) => &items[..],
            Body::Expr(_) => &[],
        };
        items.iter().filter_map(|item| match &item.kind {
            ItemKind::Param(param) => Some(param),
            _ => None,
        })
    }
}

/// A quoted text. The span covers what is between the quotes.
#[derive(Clone)]
pub struct Quoted {
    /// What is between the quotes.
    pub text: Arc<str>,
    /// The bytes between the quotes.
    pub span: Span,
}

impl PartialEq for Quoted {
    fn eq(&self, other: &Quoted) -> bool {
        self.text == other.text
    }
}
impl Eq for Quoted {}
impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}
