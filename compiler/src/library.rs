//! What definitions offer to those who call, list or set them: their parameters with ranges, units and defaults.
//!
//! This is the one place that reads a `param` line; the JSON front end, `mamc list`, the schema and the plan all ask
//! here.

use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::builtins::{Builtin, Function, PAN};
use crate::hir::consts::{Consts, Missing};
use crate::hir::resolve::resolved;
use crate::hir::whole::{Whole, whole_arguments};
use crate::hir::{DefId, LocalId};
use crate::score::{Musical, note_number};
pub use crate::units::Units;
use crate::units::of_formal;
use mam_grammar::ast::{Ast, Body, DefinitionKind, Expr, ExprId, Formal, ItemKind, MidiNumbers, Param, Unit};
use mam_grammar::float;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::{Curve, NoteSignal, Sent};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What a `def` expects of an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// What the value measures: time, frequency, a plain number.
    pub dimension: Dimension,
    /// The range that is declared; infinite without one. Arguments are not clamped to it.
    pub range: (f64, f64),
    /// How its values are written.
    pub units: Units,
    /// Whether its values are whole numbers.
    pub whole: Option<Whole>,
}

impl Expected {
    /// A plain number, of any value.
    pub fn plain() -> Expected {
        let range = (f64::NEG_INFINITY, f64::INFINITY);
        Expected { dimension: Dimension::PLAIN, range, units: Units::default(), whole: None }
    }
}

/// A parameter of an instrument, an effect or a song.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamInfo {
    /// Its name in mam.
    pub name: Arc<str>,
    /// What it is for.
    pub doc: Option<Arc<str>>,
    /// Its place in the list, from 1.
    pub id: usize,
    /// Its value at the start, in base units (Hz, s, plain).
    pub default: f64,
    /// Least value; −∞ without a range.
    pub min: f64,
    /// Greatest value; +∞ without a range.
    pub max: f64,
    /// What the value measures: time, frequency, a plain number.
    pub dimension: Dimension,
    /// The units in which its default and its range are written: plain numbers given to it are read in its default's.
    pub units: Units,
    /// How a ramp goes from one value to the next.
    pub curve: Curve,
    /// The time in which it glides to every new value, in seconds; 0 for none.
    pub smooth: f64,
    /// What its default is where that follows the tempo: [`ParamInfo::default`] is its value in 4/4 at 120 beats a minute then, or in
    /// a lowered song that at the song's own tempo.
    pub musical: Option<Musical>,
    /// What the values 0, 1, 2 … are called, where they have names.
    pub words: Vec<Arc<str>>,
    /// The MIDI controller that a knob listens to.
    pub cc: Option<u8>,
    /// Where it is defined; `None` for `bpm`, `loop` and `pan`, which every instrument has.
    pub span: Option<Span>,
}

impl ParamInfo {
    /// How many base units one plain number stands for.
    pub fn scale(&self) -> f64 {
        self.units.scale(self.dimension)
    }

    /// Whether it decides when an instrument triggers itself: `bpm` and `loop`.
    pub fn is_beat(&self) -> bool {
        self.span.is_none() && matches!(&*self.name, "bpm" | "loop")
    }

    /// Whether it is the `pan` that every instrument has.
    pub fn is_place(&self) -> bool {
        self.span.is_none() && &*self.name == PAN
    }

    /// A signal of notes, as a parameter of their instrument.
    pub fn of_signal(signal: NoteSignal) -> ParamInfo {
        let (min, max) = signal.range();
        let name = format!("note.{}", signal.name());
        ParamInfo {
            default: signal.default(),
            min,
            units: Units { value: (signal == NoteSignal::Bend).then_some(Unit::St), ..Units::default() },
            curve: Curve::Linear,
            ..implied(&name, 0, max, "A signal of the notes.")
        }
    }

    /// A controller, a program or an argument of a machine outside, as a parameter of its instrument.
    pub fn of_sent(sent: &Sent) -> ParamInfo {
        let curve = if *sent == Sent::Program { Curve::Step } else { Curve::Linear };
        if let Sent::Argument(name) = sent {
            let min = f64::NEG_INFINITY;
            return ParamInfo {
                curve,
                min,
                ..implied(name, 0, f64::INFINITY, "It goes to the machine outside.")
            };
        }
        ParamInfo { curve, ..implied(&sent.name(), 0, 127.0, "It goes to the machine outside.") }
    }

    /// A value in base units as it would be written.
    pub fn show(&self, x: f64) -> String {
        match self.words.get(x as usize) {
            Some(word) => word.to_string(),
            None => self.units.show(x, self.dimension),
        }
    }

    /// Its value at the start as it would be written.
    pub fn shown_default(&self) -> String {
        self.musical.map_or_else(|| self.show(self.default), |musical| musical.to_string())
    }

    /// Its range as it is written; `None` without one.
    pub fn range(&self) -> Option<String> {
        if !self.words.is_empty() {
            return Some(self.words.join("|"));
        }
        self.min.is_finite().then(|| self.units.range((self.min, self.max), self.dimension))
    }

    /// Its name in JSON: `pitch_decay` is `pitchDecayMs`; only times get a suffix.
    pub fn json_name(&self) -> String {
        let mut name = String::new();
        for (i, word) in self.name.split('_').enumerate() {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) if i > 0 => {
                    name.push(first.to_ascii_uppercase());
                    name.push_str(letters.as_str());
                }
                _ => name.push_str(word),
            }
        }
        if self.dimension == Dimension::TIME { name + "Ms" } else { name }
    }

    /// Its name in commands and locks: `PITCH_DECAY_MS`.
    pub fn command_name(&self) -> String {
        let name = self.name.to_ascii_uppercase();
        if self.dimension == Dimension::TIME { name + "_MS" } else { name }
    }

    /// How many base units one JSON number stands for: times are in milliseconds there.
    pub fn json_scale(&self) -> f64 {
        if self.dimension == Dimension::TIME { 1e-3 } else { 1.0 }
    }
}

/// What a definition offers.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// Its parameters; an instrument's end with `bpm` and `loop`, and with `pan` unless it has one of its own.
    pub params: Vec<ParamInfo>,
    /// The further inputs of an effect.
    pub inputs: Vec<Arc<str>>,
    /// MIDI note of a hit without a pitch.
    pub default_note: f64,
    /// The argument in the head that says it instead, a frequency: its place.
    pub default_note_from: Option<usize>,
    /// Keys of the drum channel of MIDI files that mean an instrument, each 0 to 127: `midi drum`.
    pub midi_keys: Vec<u8>,
    /// Programs of MIDI files that mean it, each 0 to 127: `midi program`.
    pub midi_programs: Vec<u8>,
    /// Names of parameters and inputs that could not be read.
    pub broken: Vec<Arc<str>>,
    /// What is wrong with it.
    pub problems: Problems,
}

/// Remembers what was read of each definition.
#[derive(Default)]
pub struct Library {
    read: RefCell<FxHashMap<DefId, Rc<Info>>>,
    formals: RefCell<FxHashMap<DefId, Rc<[Option<Expected>]>>>,
    /// Which arguments of a file's definitions are whole numbers, by the file.
    whole: RefCell<FxHashMap<usize, Rc<FxHashMap<LocalId, Whole>>>>,
    /// The constants that have been evaluated so far.
    pub consts: Consts,
}

/// MIDI note of c4.
const C4: f64 = 60.0;

impl Info {
    /// The place of a parameter that every instrument has in the list.
    pub fn implied(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|param| param.span.is_none() && &*param.name == name)
    }
}

impl Library {
    /// What a definition offers. For a `def`, its formal arguments are no parameters: the list is empty.
    pub fn info(&self, files: &Files, def: DefId) -> Rc<Info> {
        if let Some(info) = self.read.borrow().get(&def) {
            return info.clone();
        }
        let info = Rc::new(self.read(files, def));
        self.read.borrow_mut().insert(def, info.clone());
        info
    }

    /// What a knob is: the one parameter.
    ///
    /// # Panics
    /// Where the item is not a knob.
    pub fn knob(&self, files: &Files, id: DefId) -> Rc<Info> {
        if let Some(info) = self.read.borrow().get(&id) {
            return info.clone();
        }
        let item = files.item(id);
        let ItemKind::Param(param) = &item.kind else { panic!("the item is not a knob") };
        let mut info = Info::default();
        let knob = self.param(files, id.file, param, item.doc.clone(), 1, &mut info.problems);
        info.params.push(knob);
        let info = Rc::new(info);
        self.read.borrow_mut().insert(id, info.clone());
        info
    }

    /// What a `def` expects of each of its arguments; `None` where it takes anything as it is.
    pub fn formals(&self, files: &Files, def: DefId) -> Rc<[Option<Expected>]> {
        if let Some(formals) = self.formals.borrow().get(&def) {
            return formals.clone();
        }
        let whole = self.whole(files, def.file);
        let hir = resolved(files, def.file);
        let ids = hir.scope(hir.definition_scope(def.item)).locals.iter();
        let all = files.definition(def).formals.iter().zip(ids);
        let expected = all.map(|(formal, id)| {
            let expected = expected(files, &self.consts, def.file, formal)?;
            Some(Expected { whole: whole.get(id).copied(), ..expected })
        });
        let formals: Rc<[_]> = expected.collect();
        self.formals.borrow_mut().insert(def, formals.clone());
        formals
    }

    /// Which arguments of a file's definitions are whole numbers.
    fn whole(&self, files: &Files, file: usize) -> Rc<FxHashMap<LocalId, Whole>> {
        if let Some(whole) = self.whole.borrow().get(&file) {
            return whole.clone();
        }
        // Files that use each other in a circle have been refused, and end here.
        self.whole.borrow_mut().insert(file, Rc::default());
        let whole = Rc::new(whole_arguments(files, file, |def, place| {
            let hir = resolved(files, def.file);
            let formal = hir.scope(hir.definition_scope(def.item)).locals.get(place)?;
            self.whole(files, def.file).get(formal).copied()
        }));
        self.whole.borrow_mut().insert(file, whole.clone());
        whole
    }

    /// Reads a `param` or `knob` of file `file`.
    fn param(
        &self,
        files: &Files,
        file: usize,
        param: &Param,
        doc: Option<Arc<str>>,
        id: usize,
        problems: &mut Problems,
    ) -> ParamInfo {
        let ast = &files.file(file).ast;
        let mut number = |expr: ExprId| match self.consts.number(files, file, expr, &[]) {
            Ok(number) => Some(number),
            Err(missing) => {
                if missing == Missing::Varies {
                    let message = format!("`{}` is described by a value that is not constant", param.name);
                    let help = "its default, range and glide must be known before the song starts";
                    problems.add(Problem::new(&codes::NOT_CONSTANT, ast.span(expr), message).help(help));
                }
                None
            }
        };
        let musical = Musical::read(ast, param.default);
        let (default, dimension) = match musical {
            Some(musical) => (musical.common(), musical.dimension()),
            None => number(param.default).unwrap_or((0.0, Dimension::PLAIN)),
        };
        let units = Units::written(ast, Some(param.default), param.range);
        let mut bound = |expr: ExprId| number(expr).map(|(x, d)| (x, d, ast.span(expr)));
        let range = param.range.map(|(low, high)| (bound(low), bound(high)));
        let smooth = param.smooth.and_then(&mut number).map_or(0.0, |(s, _)| s);
        let cc = param.cc.and_then(&mut number).map(|(x, _)| x);
        let mut info = ParamInfo {
            name: param.name.name.clone(),
            doc,
            id,
            default,
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
            dimension,
            units,
            curve: match (param.step, param.curve_exp) {
                (true, _) => Curve::Step,
                (false, true) => Curve::Exp,
                (false, false) => Curve::Linear,
            },
            smooth,
            musical,
            words: param.words.iter().map(|word| word.name.clone()).collect(),
            cc: None,
            span: Some(param.name.span),
        };
        problems.extend(self.mismeasured(files, file, param));
        if let (Some(cc), Some(expr)) = (cc, param.cc) {
            if cc.fract() == 0.0 && (0.0..=127.0).contains(&cc) {
                info.cc = Some(cc as u8);
            } else {
                let message = format!("there is no MIDI controller {cc}");
                let help = "a controller is a whole number from 0 to 127";
                problems.add(Problem::new(&codes::OUT_OF_BOUNDS, ast.span(expr), message).help(help));
            }
        }
        if let Some((Some(low), Some(high))) = range {
            set_range(&mut info, low, high, ast.span(param.default), problems);
        }
        info
    }

    /// What is wrong with what the glide and the controller of a parameter measure.
    fn mismeasured(&self, files: &Files, file: usize, param: &Param) -> Problems {
        let mut problems = Problems::default();
        let (time, plain) = (Dimension::TIME, Dimension::PLAIN);
        let places = [
            (param.smooth, time, "glide", "give it `ms` or `s`"),
            (param.cc, plain, "controller", "leave out the unit"),
        ];
        for (expr, wanted, what, help) in places {
            let Some(expr) = expr else { continue };
            let Ok((_, found)) = self.consts.number(files, file, expr, &[]) else { continue };
            if found != wanted && found != plain {
                let message = format!("the {what} of `{}` is {wanted}, but this is {found}", param.name);
                let span = files.file(file).ast.span(expr);
                problems.add(Problem::new(&codes::DIMENSION, span, message).help(help));
            }
        }
        problems
    }

    fn read(&self, files: &Files, def: DefId) -> Info {
        let definition = files.definition(def);
        let mut info = Info { default_note: C4, ..Info::default() };
        let Body::Items(items) = &definition.body else { return info };
        for item in items {
            match &item.kind {
                ItemKind::Param(p) if definition.kind != DefinitionKind::Def => {
                    let id = info.params.len() + 1;
                    let param = self.param(files, def.file, p, item.doc.clone(), id, &mut info.problems);
                    info.params.push(param);
                }
                ItemKind::Input(name) => info.inputs.push(name.name.clone()),
                ItemKind::Broken(Some(name)) => info.broken.push(name.name.clone()),
                ItemKind::DefaultNote(note) => match default_note(&note.name) {
                    Some(number) => info.default_note = number,
                    None => {
                        let head = |formal: &Formal| formal.name.name == note.name;
                        info.default_note_from = definition.formals.iter().position(head);
                        if info.default_note_from.is_none() {
                            info.problems.add(bad_note(&note.name, note.span));
                        }
                    }
                },
                ItemKind::Midi(midi) => {
                    let numbers = midi_numbers(&files.file(def.file).ast, midi, &mut info.problems);
                    if midi.drum { info.midi_keys = numbers } else { info.midi_programs = numbers }
                }
                _ => {}
            }
        }
        if definition.kind == DefinitionKind::Instrument {
            let id = info.params.len() + 1;
            info.params.push(implied(
                "bpm",
                id,
                300.0,
                "Tempo of its own beat, where `loop` is on; 0 for none.",
            ));
            info.params.push(implied("loop", id + 1, 1.0, "1: it triggers itself at each beat of `bpm`."));
            if info.params.iter().all(|param| &*param.name != PAN) {
                info.params.push(place(id + 2));
            }
        }
        info
    }
}

fn expected(files: &Files, consts: &Consts, file: usize, formal: &Formal) -> Option<Expected> {
    let (dimension, units) = of_formal(&files.file(file).ast, formal)?;
    let end = |expr: Option<ExprId>, none: f64| match expr.map(|expr| consts.number(files, file, expr, &[])) {
        Some(Ok((x, Dimension::PLAIN))) => x * units.scale(dimension),
        Some(Ok((x, measured))) if measured == dimension => x,
        _ => none,
    };
    let (low, high) = formal.range.unzip();
    let range = (end(low, f64::NEG_INFINITY), end(high, f64::INFINITY));
    Some(Expected { dimension, range, units, whole: None })
}

fn place(id: usize) -> ParamInfo {
    let doc = "Where it is heard: −1 is left, 1 is right, by `pan`. A song that says nothing of it leaves the sound as it is.";
    ParamInfo { min: -1.0, curve: Curve::Linear, ..implied(PAN, id, 1.0, doc) }
}

fn implied(name: &str, id: usize, max: f64, doc: &str) -> ParamInfo {
    ParamInfo {
        name: name.into(),
        doc: Some(doc.into()),
        id,
        default: 0.0,
        min: 0.0,
        max,
        dimension: Dimension::PLAIN,
        units: Units::default(),
        curve: Curve::Step,
        smooth: 0.0,
        musical: None,
        words: vec![],
        cc: None,
        span: None,
    }
}

fn set_range(
    info: &mut ParamInfo,
    low: (f64, Dimension, Span),
    high: (f64, Dimension, Span),
    default_at: Span,
    problems: &mut Problems,
) {
    if info.dimension == Dimension::PLAIN && low.1 == high.1 {
        info.dimension = low.1; // `default 0 in 0s..2s` is a time.
    }
    let other = |(_, dimension, _): &&(f64, Dimension, Span)| {
        *dimension != info.dimension && *dimension != Dimension::PLAIN
    };
    if let Some(&(_, dimension, span)) = [low, high].iter().find(other) {
        let message = format!("`{}` is {}, but its range is {dimension}", info.name, info.dimension);
        let problem = Problem::new(&codes::DIMENSION, span, message).label(default_at, "its default");
        problems
            .add(problem.help("the default and the range are of one kind: all times, or all frequencies"));
        return;
    }
    let plain = |(x, d, _): (f64, Dimension, Span)| if d == Dimension::PLAIN { x * info.scale() } else { x };
    (info.min, info.max) = (plain(low), plain(high));
    if info.min > info.max {
        let message = format!("the range of `{}` ends below its start", info.name);
        problems.add(
            Problem::new(&codes::BAD_BOUNDS, low.2.to(high.2), message).help("write the smaller value first"),
        );
        (info.min, info.max) = (info.max, info.min);
    }
    // One that follows the tempo is kept in the range at every tempo.
    if info.musical.is_none() && (info.default < info.min || info.default > info.max) {
        let message = format!("the default of `{}` lies outside its range", info.name);
        let problem = Problem::new(&codes::OUT_OF_RANGE, default_at, message);
        problems.add(
            problem
                .label(low.2.to(high.2), "the range")
                .help("it is clamped to the nearest value in the range")
                .guess(default_at, info.show(info.default.clamp(info.min, info.max))),
        );
        info.default = info.default.clamp(info.min, info.max);
    }
}

/// The numbers of a `midi` statement, ranges written out; problems for what is not from 0 to 127.
fn midi_numbers(ast: &Ast, midi: &MidiNumbers, problems: &mut Problems) -> Vec<u8> {
    let what = if midi.drum { "key" } else { "program" };
    let mut number = |expr: ExprId| {
        let digits = match &ast.exprs[expr] {
            Expr::Number(number) => &*number.digits,
            _ => "",
        };
        let number = digits.parse::<u8>().ok().filter(|number| *number < 128);
        if number.is_none() {
            let message = format!("there is no MIDI {what} {digits}");
            let help = format!("a {what} is a whole number from 0 to 127");
            problems.add(Problem::new(&codes::OUT_OF_BOUNDS, ast.span(expr), message).help(help));
        }
        number
    };
    let ends: Vec<_> =
        midi.ranges.iter().map(|&(from, to)| (number(from), to.map(&mut number), from)).collect();
    let mut all = vec![];
    for (from, to, place) in ends {
        match (from, to) {
            (Some(from), None) => all.push(from),
            (Some(from), Some(Some(to))) if from <= to => all.extend(from..=to),
            (Some(_), Some(Some(_))) => {
                let message = format!("this range of {what}s ends below its start");
                let problem = Problem::new(&codes::BAD_BOUNDS, ast.span(place), message);
                problems.add(problem.help("write the smaller number first"));
            }
            _ => {}
        }
    }
    all
}

/// Whether a definition of the prelude calls `noise`, itself or by what it calls.
pub(crate) fn draws_noise(files: &Files, def: DefId) -> bool {
    let (mut open, mut seen) = (vec![def], FxHashSet::default());
    while let Some(def) = open.pop() {
        if !seen.insert(def) {
            continue;
        }
        for expr in files.file(def.file).ast.exprs.values() {
            let (Expr::Call { callee, .. } | Expr::Name(callee)) = expr else { continue };
            let builtin = Builtin::find(&callee.name).map(|builtin| builtin.row().function);
            match files.find_prelude(&callee.name) {
                Some(called) => open.push(called),
                None if builtin == Some(Function::Noise) => return true,
                None => {}
            }
        }
    }
    false
}

fn bad_note(note: &str, span: Span) -> Problem {
    Problem::new(&codes::BAD_NOTE, span, format!("`{note}` is not a note"))
        .help("a note is a letter a–g, `#`/`s` or `b`/`f`, and an octave (`c2`, `eb3`, `f#4`), or a MIDI number 0–127")
}

/// The MIDI number of a default note: a number, or a note's name.
fn default_note(text: &str) -> Option<f64> {
    let number = float::parse(text).or_else(|| note_number(text));
    number.filter(|note| (0.0..=127.0).contains(note))
}
