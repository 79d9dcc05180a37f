//! `.set(cutoff: "400Hz 2kHz")`: values of an instrument's parameters that notes give to their voices.

use super::Parameter;
use super::amount::count;
use super::arguments::Kind;
use super::codes::{MODIFIER, NO_SUCH_PIECE};
use super::compose::Composer;
use super::reading::{Modifier, Player, Use};
use super::targets::found;
use super::words::Words;
use crate::dimension::Dimension;
use crate::hir::builtins::PAN;
use crate::units::Units;
use mam_grammar::ast::{Arg, Ast, Expr, ExprId, Ident, Item, ItemKind, Line};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::NoteSignal;
use mam_runtime::ids::ParamId;
use mam_runtime::score::pattern::{Chain, Change, Fitted, Joint, Law, Pieces, ValueMap};
use mam_runtime::score::{PlayedParam, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Modifier<'_> {
    /// The change of `.set(…)`: one value after another is put into each note.
    pub(super) fn set(&mut self, used: &Use, problems: &mut Problems) -> Result<Change, Problem> {
        if used.args.is_empty() {
            let message = "`.set` says which parameters it sets, and this one none";
            return Err(Problem::new(&MODIFIER, used.span, message));
        }
        let changes = used.args.iter().map(|arg| self.set_one(arg, problems));
        let changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
        Ok(Change::new(Law::Layer([Chain(changes.into())].into()), vec![]))
    }

    fn set_one(&mut self, arg: &Arg, problems: &mut Problems) -> Result<Change, Problem> {
        let Some(name) = &arg.name else {
            let problem = self.wrong(arg, "a value in `.set` has the name of its parameter before it");
            return Err(problem.help("write the parameter's name and a colon: `.set(gain: 0.5)`"));
        };
        let parameter = match self.player {
            Player::Instrument(targets, instrument) => found(targets, instrument, name)?,
            Player::Unknown | Player::Nothing => unknown(name),
        };
        let words = match self.player {
            Player::Instrument(..) => Words::Values(&parameter),
            Player::Unknown | Player::Nothing => Words::Measured,
        };
        let (seed, player) = (self.draw(), Player::Nothing);
        let Modifier { ast, meter, notations, .. } = *self;
        let (notes, draws, values) = (false, 0, vec![]);
        let mut values = Modifier { ast, meter, notations, words, notes, seed, draws, player, values };
        let change = values.joined(arg, Joint::Value(parameter.index), Kind::Value, problems)?;
        if !self.values.contains(&parameter.index) {
            self.values.push(parameter.index);
        }
        Ok(change)
    }
}

impl Modifier<'_> {
    /// The change of `.jux(change)`: the pattern to the left, and changed to the right.
    pub(super) fn jux(
        &mut self,
        used: &Use,
        change: &Arg,
        problems: &mut Problems,
    ) -> Result<Change, Problem> {
        let name = Ident { name: PAN.into(), span: used.name.span };
        let pan = match self.player {
            Player::Instrument(targets, instrument) => found(targets, instrument, &name)?,
            Player::Unknown | Player::Nothing => Parameter { range: (-1.0, 1.0), ..unknown(&name) },
        };
        if !self.values.contains(&pan.index) {
            self.values.push(pan.index);
        }
        let at = |place: f64| Change::new(Law::Map(ValueMap::Join(Joint::Value(pan.index), place)), vec![]);
        let left = Chain([at(pan.range.0)].into());
        let changed = self.chain(change.value, problems)?;
        let right = Chain(changed.0.iter().cloned().chain([at(pan.range.1)]).collect());
        Ok(Change::new(Law::Layer([left, right].into()), vec![]))
    }
}

impl Modifier<'_> {
    /// The parameters of a sampler that say which piece of its sound is played.
    pub(super) fn pieces(&mut self, used: &Use) -> Result<Pieces, Problem> {
        let [begin, end] = ["begin", "end"].map(|name| self.parameter(name, used));
        Ok(Pieces { begin: begin?, end: end? })
    }

    /// The parameters of a sampler that bring what a note plays to a length.
    pub(super) fn fitted(&mut self, used: &Use) -> Result<Fitted, Problem> {
        Ok(Fitted { pieces: self.pieces(used)?, time: self.parameter("fit_slice", used)? })
    }

    /// A parameter of the instrument that a modifier needs.
    pub(super) fn parameter(&mut self, name: &str, used: &Use) -> Result<ParamId, Problem> {
        let ident = Ident { name: name.into(), span: used.name.span };
        let index = match self.player {
            Player::Instrument(targets, instrument) => found(targets, instrument, &ident).map_err(|_| {
                let message = format!(
                    "`.{}` plays pieces of a sound, and `{}` has no `{name}`",
                    used.name, instrument.name
                );
                let help = "it plays a sampler: `b = sampler(sample(\"break.wav\"))`";
                Problem::new(&MODIFIER, used.span, message).help(help)
            })?,
            Player::Unknown | Player::Nothing => unknown(&ident),
        }
        .index;
        if !self.values.contains(&index) {
            self.values.push(index);
        }
        Ok(index)
    }

    /// `.slice(8, "0 3 2 1")`: one of so many pieces, in the rhythm of their numbers; of a signal or one number, in the notes' own.
    pub(super) fn slice(
        &mut self,
        used: &Use,
        n: &Arg,
        which: &Arg,
        problems: &mut Problems,
    ) -> Result<Change, Problem> {
        let pieces = self.pieces(used)?;
        let n = count(self.ast, n.value, "for the pieces of a sound", 1..=1024)?;
        let piece = Joint::Piece(pieces, n as u32);
        let law = match self.source(which.value, Words::Numbers, false, problems)? {
            Some(by) if by.is_continuous() => Law::Join(piece, by),
            Some(by) => {
                let numbers = self.values_of(&by, self.ast.span(which.value))?;
                let numbers = numbers.iter().filter_map(Value::number);
                self.check_pieces(used, n, numbers, self.ast.span(which.value), problems);
                Law::JoinTo(piece, by)
            }
            None => {
                let known = count(self.ast, which.value, "for a piece of a sound", 0..=1023)?;
                let at = self.ast.span(which.value);
                self.check_pieces(used, n, std::iter::once(known as f64), at, problems);
                Law::Map(ValueMap::Join(piece, known as f64))
            }
        };
        Ok(Change::new(law, vec![]))
    }
}

impl Modifier<'_> {
    /// Warns of the first number that none of `n` pieces has.
    fn check_pieces(
        &self,
        used: &Use,
        n: i64,
        mut numbers: impl Iterator<Item = f64>,
        at: Span,
        problems: &mut Problems,
    ) {
        let pieces = 0.0..n as f64;
        let Some(other) = numbers.find(|number| !pieces.contains(number)) else { return };
        let last = n - 1;
        let message = format!("`.{}` plays the piece {other}, and its pieces are 0 to {last}", used.name);
        let help = format!("write one of 0 to {last}: the first of {n} is 0");
        problems.add(Problem::new(&NO_SUCH_PIECE, at, message).help(help));
    }
}

impl Composer<'_> {
    /// The notes of a line give their voices values of these parameters.
    pub(super) fn note_values(&mut self, player: Player, params: Vec<ParamId>) {
        let Player::Instrument(_, instrument) = player else { return };
        for param in params {
            let played = PlayedParam { target: instrument.index, param };
            if !self.note_params.contains(&played) {
                self.note_params.push(played);
            }
        }
    }
}

/// The first names of the lines that say something of an instrument's `pan`.
pub(crate) fn placed_by_lines(ast: &Ast) -> BTreeSet<Arc<str>> {
    let mut names = BTreeSet::new();
    each_line(&ast.items, &mut |line| {
        let placed = line.target.last().is_some_and(|word| *word.name == *PAN)
            || line.modifiers.iter().any(|&modifier| places(ast, modifier));
        names.extend(line.target.first().filter(|_| placed).map(|word| word.name.clone()));
    });
    names
}

/// The signals of notes that lines move, `lead.note.bend`, and those that notes set, `.set(note.bend: 2st)`, each with the name
/// that the line begins with.
pub(crate) fn signals_of_lines(ast: &Ast) -> BTreeSet<(Arc<str>, NoteSignal)> {
    let mut found = BTreeSet::new();
    each_line(&ast.items, &mut |line| {
        if let [name, note, signal] = &line.target[..]
            && &*note.name == "note"
        {
            found.extend(NoteSignal::named(&signal.name).map(|signal| (name.name.clone(), signal)));
        }
        let Some(target) = line.target.first() else { return };
        for &modifier in &line.modifiers {
            each_call(ast, modifier, &mut |callee, args| {
                let names =
                    args.iter().filter_map(|arg| arg.name.as_ref()).filter(|_| &*callee.name == "set");
                let signals = names.filter_map(|name| NoteSignal::named(name.name.strip_prefix("note.")?));
                found.extend(signals.map(|signal| (target.name.clone(), signal)));
            });
        }
    });
    found
}

/// What lines move, `bass.cc74`, and what their notes set, `.set(cc74: 20)`, each word with the name that the line begins with.
pub(crate) fn words_of_lines(ast: &Ast) -> BTreeSet<(Arc<str>, Arc<str>)> {
    let mut found = BTreeSet::new();
    each_line(&ast.items, &mut |line| {
        let Some(target) = line.target.first() else { return };
        if let [_, word] = &line.target[..] {
            found.insert((target.name.clone(), word.name.clone()));
        }
        for &modifier in &line.modifiers {
            each_call(ast, modifier, &mut |callee, args| {
                let names = args.iter().filter_map(|arg| arg.name.as_ref());
                let names = names.filter(|name| &*callee.name == "set" && !name.name.contains('.'));
                found.extend(names.map(|name| (target.name.clone(), name.name.clone())));
            });
        }
    });
    found
}

/// Looks at each line of a score, wherever it stands.
fn each_line<'a>(items: &'a [Item], look: &mut impl FnMut(&'a Line)) {
    for item in items {
        match &item.kind {
            ItemKind::Line(line) => look(line),
            ItemKind::Play(items) | ItemKind::Section { items, .. } | ItemKind::Variation { items, .. } => {
                each_line(items, look)
            }
            _ => {}
        }
    }
}

/// Whether a modifier, or one within it, gives notes a `pan`.
fn places(ast: &Ast, expr: ExprId) -> bool {
    let mut placed = false;
    each_call(ast, expr, &mut |callee, args| {
        let sets_it = || args.iter().any(|arg| arg.name.as_ref().is_some_and(|name| *name.name == *PAN));
        placed |= &*callee.name == "jux" || (&*callee.name == "set" && sets_it());
    });
    placed
}

/// Looks at each modifier with arguments of a chain, and at those within their arguments.
fn each_call<'a>(ast: &'a Ast, expr: ExprId, look: &mut impl FnMut(&'a Ident, &'a [Arg])) {
    let (of, call) = match &ast.exprs[expr] {
        Expr::Call { callee, args } => (None, Some((callee, args))),
        Expr::Method { of, callee, args } => (Some(*of), Some((callee, args))),
        Expr::Field { of, .. } | Expr::Paren(of) => (Some(*of), None),
        Expr::Pipe { left, right } => {
            each_call(ast, *left, look);
            (Some(*right), None)
        }
        _ => (None, None),
    };
    of.into_iter().for_each(|of| each_call(ast, of, look));
    if let Some((callee, args)) = call {
        look(callee, args);
        args.iter().for_each(|arg| each_call(ast, arg.value, look));
    }
}

/// A parameter of which only the name is known.
pub(super) fn unknown(name: &Ident) -> Parameter {
    Parameter {
        index: ParamId::new(crate::hash::fnv1a(name.name.bytes()) as u32 as usize),
        name: name.name.to_string(),
        dimension: Dimension::PLAIN,
        scale: 1.0,
        range: (f64::NEG_INFINITY, f64::INFINITY),
        units: Units::default(),
        instrument: None,
        is_driven: false,
        is_argument: false,
    }
}
