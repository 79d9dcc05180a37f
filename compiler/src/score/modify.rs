//! What may stand after a pattern: `.fast(2) .every(4, rev)`.

use super::amount::{Amount, count, exact, plain};
use super::codes::MODIFIER;
use super::tempo::Meter;
use super::values::note_number;
use super::words::Words;
use crate::dimension::Dimension;
use mam_grammar::ast::{Arg, Ast, Expr, ExprId, Ident};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::limits::MOST_REPEATS;
use mam_runtime::score::pattern::{Joint, Node, ValueMap, mix};
use mam_runtime::score::{Pattern, Rational};

/// Each modifier's name and how it is used.
const MODIFIERS: [(&str, &str); 13] = [
    ("fast", "`.fast(2)` or `.fast(\"2 3\")`: so many times as fast"),
    ("slow", "`.slow(2)` or `.slow(\"2 3\")`: so many times as slow"),
    ("rev", "`.rev`: each cycle backwards"),
    ("every", "`.every(4, rev)`: in cycles 0, 4, 8 …"),
    ("sometimes", "`.sometimes(30%, fast(2))`: for a share of the events"),
    ("off", "`.off(1/8, transpose(7st))`: a changed copy, so many cycles later"),
    ("degrade", "`.degrade(50%)`: drops a share of the events"),
    ("ply", "`.ply(2)`: each event twice, in its own time"),
    ("iter", "`.iter(4)`: begins a quarter later in every cycle"),
    ("shift", "`.shift(1/16)`: later by so many cycles"),
    ("vel", "`.vel(0.8)` or `.vel(\"1 0.6\")`: multiplies velocities"),
    ("transpose", "`.transpose(7st)` or `.transpose(\"0st 7st\")`: moves notes by semitones"),
    ("scale", "`.scale(c, minor)`: numbers are degrees, from 0"),
];

/// Each modifier's name, and how it is used: its forms in backquotes, and what they do.
pub fn modifiers() -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    MODIFIERS.iter().copied()
}

/// Scales: semitones of an octave.
const SCALES: [(&str, &[f64]); 18] = [
    ("major", &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0]),
    ("minor", &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    ("ionian", &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0]),
    ("dorian", &[0.0, 2.0, 3.0, 5.0, 7.0, 9.0, 10.0]),
    ("phrygian", &[0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    ("lydian", &[0.0, 2.0, 4.0, 6.0, 7.0, 9.0, 11.0]),
    ("mixolydian", &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 10.0]),
    ("aeolian", &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    ("locrian", &[0.0, 1.0, 3.0, 5.0, 6.0, 8.0, 10.0]),
    ("harmonic", &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 11.0]),
    ("melodic", &[0.0, 2.0, 3.0, 5.0, 7.0, 9.0, 11.0]),
    ("pentatonic", &[0.0, 2.0, 4.0, 7.0, 9.0]),
    ("minor_pentatonic", &[0.0, 3.0, 5.0, 7.0, 10.0]),
    ("blues", &[0.0, 3.0, 5.0, 6.0, 7.0, 10.0]),
    ("whole", &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
    ("diminished", &[0.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 11.0]),
    ("hirajoshi", &[0.0, 2.0, 3.0, 7.0, 8.0]),
    ("chromatic", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]),
];

/// The names of the scales, for `.scale(c, minor)`.
pub fn scales() -> impl Iterator<Item = &'static str> {
    SCALES.iter().map(|(name, _)| *name)
}

/// Wraps patterns in modifiers.
pub(super) struct Modifier<'a> {
    pub(super) ast: &'a Ast,
    pub(super) meter: &'a Meter,
    /// Whether the pattern is one of notes, which have velocity and pitch.
    pub(super) notes: bool,
    pub(super) seed: u64,
    /// Random modifiers so far.
    pub(super) draws: u64,
}

/// A modifier as it stands in the text.
struct Use<'a> {
    name: &'a Ident,
    args: &'a [Arg],
    span: Span,
}

type Changed = Result<Pattern, Problem>;

/// True when one of the modifiers, or one within them, is `scale`.
pub(super) fn has_scale(ast: &Ast, modifiers: &[ExprId]) -> bool {
    modifiers.iter().any(|&m| match &ast.exprs[m] {
        Expr::Name(name) => &*name.name == "scale",
        Expr::Call { callee, args } => {
            &*callee.name == "scale" || args.iter().any(|a| has_scale(ast, &[a.value]))
        }
        Expr::Method { of, callee, args } => {
            &*callee.name == "scale"
                || has_scale(ast, &[*of])
                || args.iter().any(|a| has_scale(ast, &[a.value]))
        }
        Expr::Field { of, .. } => has_scale(ast, &[*of]),
        Expr::Pipe { left, right } => has_scale(ast, &[*left, *right]),
        _ => false,
    })
}

impl Modifier<'_> {
    /// The pattern changed by one modifier.
    pub(super) fn apply(&mut self, of: Pattern, expr: ExprId, problems: &mut Problems) -> Pattern {
        let unchanged = of.clone();
        self.changed(of, expr, problems).unwrap_or_else(|problem| {
            problems.add(problem);
            unchanged
        })
    }

    fn changed(&mut self, of: Pattern, expr: ExprId, problems: &mut Problems) -> Changed {
        let ast = self.ast;
        let span = ast.span(expr);
        let of_name;
        let used = match &ast.exprs[expr] {
            Expr::Call { callee, args } => Use { name: callee, args, span },
            Expr::Name(name) => Use { name, args: &[], span },
            Expr::Paren(inner) => return self.changed(of, *inner, problems),
            // One change after another.
            Expr::Method { of: first, callee, args } => {
                let of = self.changed(of, *first, problems)?;
                return self.named(of, &Use { name: callee, args, span: callee.span }, problems);
            }
            Expr::Field { of: first, field } => {
                let of = self.changed(of, *first, problems)?;
                return self.named(of, &Use { name: field, args: &[], span: field.span }, problems);
            }
            Expr::Pipe { left, right } => {
                let changed = self.changed(of, *left, problems)?;
                return self.changed(changed, *right, problems);
            }
            _ => {
                of_name = MODIFIERS.map(|m| m.0).join(", ");
                return Err(Problem::new(&MODIFIER, span, "this is not a modifier of patterns")
                    .help(format!("modifiers: {of_name}")));
            }
        };
        self.named(of, &used, problems)
    }

    fn named(&mut self, of: Pattern, used: &Use, problems: &mut Problems) -> Changed {
        if let Some(arg) = used.args.iter().find(|a| a.name.is_some()) {
            let name = arg.name.as_ref().expect("an argument with a name");
            let message = format!("modifiers take plain arguments, without `{name}:`");
            let gap = Span { end: self.ast.span(arg.value).start, ..name.span };
            return Err(Problem::new(&MODIFIER, name.span, message)
                .help(format!("write the value alone, without `{name}:`"))
                .fix(gap, ""));
        }
        match (&*used.name.name, used.args) {
            ("fast", [by]) => self.faster(of, by, false, problems),
            ("slow", [by]) => self.faster(of, by, true, problems),
            ("rev", []) => Ok(Pattern::new(Node::Reverse(of))),
            ("every", [n, change]) => {
                let n = self.count(n)?;
                let changed = self.changed(of.clone(), change.value, problems)?;
                Ok(Pattern::new(Node::Every(n, changed, of)))
            }
            ("sometimes", [chance, change]) => {
                let (chance, seed) = (self.share(chance)?, self.draw());
                let keep = |turned| Pattern::new(Node::Keep { seed, chance, turned, of: of.clone() });
                let changed = self.changed(keep(true), change.value, problems)?;
                Ok(Pattern::stack(vec![keep(false), changed]))
            }
            ("off", [time, change]) => {
                let time = self.cycles(time)?;
                let changed = self.changed(of.clone().late(time), change.value, problems)?;
                Ok(Pattern::stack(vec![of, changed]))
            }
            ("degrade", []) => Ok(self.degraded(of, 0.5)),
            ("degrade", [chance]) => {
                let chance = self.share(chance)?;
                Ok(self.degraded(of, chance))
            }
            ("ply", [n]) => Ok(Pattern::new(Node::Ply(self.count(n)?, of))),
            ("iter", [n]) => Ok(Pattern::new(Node::Iter(self.count(n)?, of))),
            ("shift", [time]) => Ok(of.late(self.cycles(time)?)),
            ("vel", [by]) => self.velocity(of, by, used, problems),
            ("transpose", [by]) => self.transposed(of, by, used, problems),
            ("scale", [root, scale]) => self.scaled(of, root, scale, used),
            (name, _) => Err(unknown(name, used)),
        }
    }

    fn degraded(&mut self, of: Pattern, chance: f64) -> Pattern {
        Pattern::new(Node::Keep { seed: self.draw(), chance, turned: false, of })
    }

    fn faster(&mut self, of: Pattern, by: &Arg, slow: bool, problems: &mut Problems) -> Changed {
        if let Some(by) = self.text(by, Words::Numbers, problems) {
            return Ok(Pattern::new(Node::FastBy { by, scale: Rational::ONE, slow, of }));
        }
        let factor = self.plain(by, "a factor")?;
        let factor = if slow { factor.inverse().ok() } else { Some(factor) };
        match factor.filter(|f| f.sign() > 0) {
            Some(factor) => Ok(of.fast(factor)),
            None => Err(self.wrong(by, "a factor is greater than 0")),
        }
    }

    fn velocity(&mut self, of: Pattern, by: &Arg, used: &Use, problems: &mut Problems) -> Changed {
        self.only_notes(used)?;
        if let Some(by) = self.text(by, Words::Velocities, problems) {
            return Ok(Pattern::new(Node::Apply(Joint::Velocity, of, by)));
        }
        Ok(of.map(ValueMap::Velocity(self.plain(by, "a velocity")?.to_f64())))
    }

    fn transposed(&mut self, of: Pattern, by: &Arg, used: &Use, problems: &mut Problems) -> Changed {
        self.only_notes(used)?;
        if let Some(by) = self.text(by, Words::Semitones, problems) {
            return Ok(Pattern::new(Node::Apply(Joint::Transpose, of, by)));
        }
        match exact(self.ast, by.value)? {
            Amount::Semitones(x) | Amount::Number(Dimension::PLAIN, x) => {
                Ok(of.map(ValueMap::Transpose(x.to_f64())))
            }
            _ => Err(self.wrong(by, "a transposition is a number of semitones, such as `7st`")),
        }
    }

    fn scaled(&mut self, of: Pattern, root: &Arg, scale: &Arg, used: &Use) -> Changed {
        self.only_notes(used)?;
        let word = |arg: &Arg| match &self.ast.exprs[arg.value] {
            Expr::Name(name) => Some(name.name.clone()),
            Expr::Text(text) => Some(text.clone()),
            _ => None,
        };
        let Some(root) = word(root).and_then(|name| note_number(&name)) else {
            return Err(self.wrong(root, "a scale begins on a note, such as `c`, `eb` or `c3`"));
        };
        let name = word(scale).unwrap_or_default();
        let Some((_, steps)) = SCALES.iter().find(|s| *s.0 == *name) else {
            let problem = self.wrong(scale, &format!("there is no scale `{name}`"));
            return Err(problem.nearest(&name, "scales", &SCALES.map(|s| s.0)));
        };
        Ok(of.map(ValueMap::Scale { root, steps: (*steps).into() }))
    }

    fn only_notes(&self, used: &Use) -> Result<(), Problem> {
        let message = format!("`.{}` changes notes, and this line sets a parameter", used.name);
        self.notes.then_some(()).ok_or_else(|| Problem::new(&MODIFIER, used.span, message))
    }

    /// The pattern of an argument in quotes.
    fn text(&mut self, arg: &Arg, words: Words, problems: &mut Problems) -> Option<Pattern> {
        let Expr::Text(text) = &self.ast.exprs[arg.value] else { return None };
        let quoted = self.ast.span(arg.value);
        let start = quoted.start as usize + 1;
        let place = Span::new(quoted.source, start, start + text.len());
        let seed = self.draw();
        Some(super::read(text, place, seed, words, problems))
    }

    fn plain(&self, arg: &Arg, what: &str) -> Result<Rational, Problem> {
        plain(self.ast, arg.value, what)
    }

    fn count(&self, arg: &Arg) -> Result<u32, Problem> {
        Ok(count(self.ast, arg.value, "this", 1..=MOST_REPEATS.into())? as u32)
    }

    /// A share between 0 and 1.
    fn share(&self, arg: &Arg) -> Result<f64, Problem> {
        let share = self.plain(arg, "a share")?;
        let fine = share.sign() >= 0 && share <= Rational::ONE;
        fine.then(|| share.to_f64()).ok_or_else(|| self.wrong(arg, "a share lies between 0% and 100%"))
    }

    /// A time in cycles: a plain number, or beats or bars.
    fn cycles(&self, arg: &Arg) -> Result<Rational, Problem> {
        match exact(self.ast, arg.value)? {
            Amount::Number(Dimension::PLAIN, x) | Amount::Bars(x) => Ok(x),
            Amount::Beats(x) => {
                (x / self.meter.beats_per_bar).map_err(|_| self.wrong(arg, "this time does not fit"))
            }
            _ => Err(self.wrong(arg, "this time counts in cycles (bars), such as `1/8`")),
        }
    }

    fn wrong(&self, arg: &Arg, message: &str) -> Problem {
        Problem::new(&MODIFIER, self.ast.span(arg.value), message)
    }

    fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(mix(self.seed, u64::MAX), self.draws)
    }
}

fn unknown(name: &str, used: &Use) -> Problem {
    match MODIFIERS.iter().find(|m| m.0 == name) {
        Some((_, usage)) => {
            let message = format!("`.{name}` does not take these arguments");
            Problem::new(&MODIFIER, used.span, message).help(format!("use: {usage}"))
        }
        None => {
            let message = format!("there is no modifier `{name}`");
            let problem = Problem::new(&MODIFIER, used.name.span, message);
            match foreign::find(Role::Modifier, name) {
                Some(row) => row.explain(problem, used.name.span, true),
                None => problem.nearest(name, "modifiers", &MODIFIERS.map(|m| m.0)),
            }
        }
    }
}
