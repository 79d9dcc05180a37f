//! What may stand after a pattern: `.fast(2) .every(4, rev)`, read as changes.

use super::Instrument;
use super::arguments::Kind;
use super::codes::MODIFIER;
use super::reading::{Modifier, Player, Use, mentions};
use super::targets::found;
use super::unchanged;
use super::vocabulary::{find, modifiers};
use super::words::Words;
use mam_grammar::ast::{Arg, Ast, Expr, ExprId, Line};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::pattern::{Chain, Change, Joint, Law, Number, ValueMap};
use mam_runtime::score::{Note, Overflow, Pattern, Pitch, Rational, Value};

type Read = Result<Change, Problem>;

/// How the words of a line of notes are read.
pub(super) fn note_words<'i>(ast: &Ast, line: &Line, of: &'i Instrument) -> Words<'i> {
    let says = |name: &str| mentions(ast, &line.modifiers, &|modifier| modifier == name);
    Words::Notes { of, degrees: says("scale"), chords: says("chord") }
}

/// How the two ends of something stand to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// A part of a cycle ends after it begins.
    After,
    /// A part of a cycle may be an instant, in which something begins.
    NotBefore,
    /// A range of pitches may be a single one.
    Upwards,
}

impl Order {
    fn words(self) -> &'static str {
        match self {
            Order::After | Order::NotBefore => "a part of a cycle ends after it begins",
            Order::Upwards => "a range goes from its lowest note to its highest",
        }
    }
}

impl<'a> Modifier<'a> {
    /// The pattern changed by one modifier.
    pub(super) fn apply(&mut self, of: Pattern, expr: ExprId, problems: &mut Problems) -> Pattern {
        let unchanged = of.clone();
        let chain = self.chain(expr, problems).and_then(|chain| self.of_numbers(chain, &of, expr));
        if let Ok(Some(change)) = chain.as_ref().map(|chain| chain.0.first()) {
            let problem = unchanged::without_notes(change, &of, self.ast.span(expr));
            problem.into_iter().for_each(|problem| problems.add(problem));
        }
        let changed = chain.and_then(|chain| chain.apply(of).map_err(|Overflow| self.too_fine(expr)));
        changed.unwrap_or_else(|problem| {
            problems.add(problem);
            unchanged
        })
    }

    /// Refuses what changes numbers alone where a pattern has notes by name, which it would leave as they are, or whose keys it
    /// would multiply.
    fn of_numbers(&self, chain: Chain, of: &Pattern, expr: ExprId) -> Result<Chain, Problem> {
        let (name, does) = match chain.0.first().map(Change::law) {
            Some(Law::Between) => ("range", "brings numbers from 0..1 to another range"),
            Some(Law::Join(Joint::Multiply, _) | Law::JoinTo(Joint::Multiply, _)) => {
                ("mul", "multiplies numbers and degrees")
            }
            Some(Law::Map(ValueMap::Join(Joint::Multiply, _))) => ("mul", "multiplies numbers and degrees"),
            _ => return Ok(chain),
        };
        if of.is_continuous() {
            return Ok(chain);
        }
        let span = self.ast.span(expr);
        let values = self.values_of(of, span)?;
        let is_note = |value: &Value| matches!(value, Value::Note(Note { pitch: Pitch::Note(_), .. }));
        match values.iter().any(is_note) {
            true => Err(Problem::new(&MODIFIER, span, format!("`.{name}` {does}, and there are notes by name here"))
                .help("`.add(12)` moves notes by semitones; degrees of a scale are numbers: `\"0 2 4\".mul(2).scale(c, minor)`")),
            false => Ok(chain),
        }
    }

    /// The changes of an expression, one after another.
    pub(super) fn chain(&mut self, expr: ExprId, problems: &mut Problems) -> Result<Chain, Problem> {
        let mut changes = Vec::new();
        self.changes(expr, &mut changes, problems)?;
        Ok(Chain(changes.into()))
    }

    fn changes(
        &mut self,
        expr: ExprId,
        changes: &mut Vec<Change>,
        problems: &mut Problems,
    ) -> Result<(), Problem> {
        let ast = self.ast;
        let span = ast.span(expr);
        let used = match &ast.exprs[expr] {
            Expr::Call { callee, args } => Use { name: callee, args, span },
            Expr::Name(name) => Use { name, args: &[], span },
            Expr::Paren(inner) => return self.changes(*inner, changes, problems),
            Expr::Method { of: first, callee, args } => {
                self.changes(*first, changes, problems)?;
                Use { name: callee, args, span: callee.span }
            }
            Expr::Field { of: first, field } => {
                self.changes(*first, changes, problems)?;
                Use { name: field, args: &[], span: field.span }
            }
            Expr::Pipe { left, right } => {
                self.changes(*left, changes, problems)?;
                return self.changes(*right, changes, problems);
            }
            other => return Err(no_change(other, span)),
        };
        changes.push(self.named(&used, problems)?);
        Ok(())
    }

    /// One modifier after a pattern that is an argument.
    pub(super) fn named(&mut self, used: &Use, problems: &mut Problems) -> Read {
        let change = self.change_of(used, problems);
        if let (Ok(change), Player::Instrument(_, of)) = (&change, self.player)
            && self.notes
        {
            let problem = unchanged::without_pitch(change, of, used.span);
            problem.into_iter().for_each(|problem| problems.add(problem));
        }
        change.map_err(|problem| match find(&used.name.name) {
            Some(entry) if problem.help.is_none() => problem.help(format!("use: {}", entry.usage())),
            _ => problem,
        })
    }

    fn change_of(&mut self, used: &Use, problems: &mut Problems) -> Read {
        if &*used.name.name == "set" {
            self.only_notes(used)?;
            return self.set(used, problems);
        }
        if let Some(arg) = used.args.iter().find(|a| a.name.is_some()) {
            return Err(self.argument_name(arg));
        }
        if find(&used.name.name).is_some_and(|entry| entry.of_notes) {
            self.only_notes(used)?;
        }
        let read = match self.of_time(used, problems)? {
            Some(change) => Some(change),
            None => match self.of_events(used, problems)? {
                Some(change) => Some(change),
                None => self.of_values(used, problems)?,
            },
        };
        read.ok_or_else(|| self.of_parameter(used).unwrap_or_else(|| unknown(used)))
    }

    /// What is named like a parameter of the instrument that is played, `lead "c4 e4".cutoff("400Hz 2kHz")`.
    fn of_parameter(&self, used: &Use) -> Option<Problem> {
        let Player::Instrument(targets, instrument) = self.player else { return None };
        let name = &*used.name.name;
        // A word of another tool that mam has by another name is meant by that.
        let renamed = foreign::find(Role::Modifier, name).is_some_and(|row| !row.word.is_empty());
        if renamed || find(name).is_some() || found(targets, instrument, used.name).is_err() {
            return None;
        }
        let message = format!("`{name}` is a parameter of `{}`, not a modifier of patterns", instrument.name);
        let problem = Problem::new(&MODIFIER, used.name.span, message)
            .help(format!("`.set({name}: …)` gives each note a value of it, and a line of its own, `{}.{name} \"…\"`, all of them", instrument.name));
        Some(match used.args {
            [value] if value.name.is_none() => {
                let place = Span { end: self.ast.span(value.value).start, ..used.name.span };
                problem.fix(place, format!("set({name}: "))
            }
            _ => problem,
        })
    }

    fn argument_name(&self, arg: &Arg) -> Problem {
        let Some(name) = &arg.name else { return self.wrong(arg, "this argument has a name") };
        let message = format!("this modifier takes plain arguments, without `{name}:`");
        let gap = Span { end: self.ast.span(arg.value).start, ..name.span };
        Problem::new(&MODIFIER, name.span, message)
            .help(format!("write the value alone, without `{name}:`"))
            .fix(gap, "")
    }

    /// The modifiers that move events in time.
    fn of_time(&mut self, used: &Use, problems: &mut Problems) -> Result<Option<Change>, Problem> {
        let mut numbers = |modifier: &mut Self, law: Law, kinds: &[Kind]| {
            let read = used.args.iter().zip(kinds).map(|(arg, kind)| modifier.number(arg, *kind, problems));
            Ok(Some(Change::new(law, read.collect::<Result<_, _>>()?)))
        };
        match (&*used.name.name, used.args) {
            ("fast", [_]) => numbers(self, Law::Fast, &[Kind::Factor]),
            ("slow", [_]) => numbers(self, Law::Slow, &[Kind::Factor]),
            ("rev", []) => numbers(self, Law::Reverse, &[]),
            ("palindrome", []) => {
                let backwards = Chain([Change::new(Law::Reverse, vec![])].into());
                Ok(Some(Change::new(Law::Last(backwards), vec![Number::Known(2.into())])))
            }
            ("brak", []) => Ok(Some(brak())),
            ("shift", [_]) => numbers(self, Law::Late, &[Kind::Cycles]),
            ("nudge", [by]) => self.joined(by, Joint::Delay, Kind::Seconds, problems).map(Some),
            ("swing", [_, _]) => numbers(self, Law::Swing, &[Kind::Share, Kind::Factor]),
            ("ply", [_]) => numbers(self, Law::Ply, &[Kind::Count]),
            ("iter", [_]) => numbers(self, Law::Iter, &[Kind::Count]),
            ("iterBack", [_]) => numbers(self, Law::IterBack, &[Kind::Count]),
            ("linger", [_]) => numbers(self, Law::Linger, &[Kind::Part]),
            ("zoom", [begin, end]) => {
                let change = numbers(self, Law::Zoom, &[Kind::Cycles, Kind::Cycles])?;
                self.in_order(begin, end, change, Order::After)
            }
            ("compress", [begin, end]) => {
                let change = numbers(self, Law::Compress, &[Kind::Share, Kind::Share])?;
                self.in_order(begin, end, change, Order::After)
            }
            ("ribbon", [_, _]) => numbers(self, Law::Ribbon, &[Kind::Cycles, Kind::Factor]),
            ("euclid", [onsets, steps] | [onsets, steps, _]) => {
                let change = numbers(self, Law::Euclid, &[Kind::Whole, Kind::Count, Kind::Whole])?;
                self.onsets_fit(onsets, steps, change)
            }
            ("segment", [_]) => numbers(self, Law::Segment, &[Kind::Factor]),
            ("echo", [_, _, _]) => numbers(self, Law::Echo, &[Kind::Count, Kind::Cycles, Kind::Plain]),
            _ => Ok(None),
        }
    }

    /// Refuses a rhythm with more onsets than it ever has steps.
    fn onsets_fit(
        &self,
        onsets: &Arg,
        steps: &Arg,
        change: Option<Change>,
    ) -> Result<Option<Change>, Problem> {
        let Some([k, n, ..]) = change.as_ref().map(Change::numbers) else { return Ok(change) };
        let most = self.values_in(n, steps)?.into_iter().fold(1.0, f64::max);
        match self.values_in(k, onsets)?.into_iter().any(|k| k.abs() > most) {
            true => {
                let message =
                    format!("the onsets of a rhythm of {most} steps are a whole number up to {most}");
                Err(self.wrong(onsets, &message))
            }
            false => Ok(change),
        }
    }

    /// Refuses two numbers that are known and do not stand in their order.
    fn in_order(
        &self,
        first: &Arg,
        second: &Arg,
        change: Option<Change>,
        order: Order,
    ) -> Result<Option<Change>, Problem> {
        let known = change.as_ref().and_then(|change| change.known());
        match known.as_deref() {
            Some(&[a, b]) if a > b || order == Order::After && a == b => {
                let span = self.ast.span(first.value).to(self.ast.span(second.value));
                Err(Problem::new(&MODIFIER, span, order.words()))
            }
            _ => Ok(change),
        }
    }

    /// The modifiers that choose events, and those that hold changes.
    fn of_events(&mut self, used: &Use, problems: &mut Problems) -> Result<Option<Change>, Problem> {
        let known = |x: i64, over: u32| Number::Known(Rational::ratio(x, over));
        Ok(Some(match (&*used.name.name, used.args) {
            ("struct", [by]) => {
                let by = self.rhythm(by, problems)?;
                Change::new(Law::Struct(by), vec![])
            }
            ("mask", [by]) => Change::new(Law::Mask(self.rhythm(by, problems)?), vec![]),
            ("when", [by, change]) => {
                let by = self.rhythm(by, problems)?;
                Change::new(Law::When(by, self.chain(change.value, problems)?), vec![])
            }
            ("every" | "firstOf", [n, change]) => self.changed(Law::First, n, change, problems)?,
            ("lastOf", [n, change]) => self.changed(Law::Last, n, change, problems)?,
            ("chunk", [parts, change]) => {
                let n = self.number(parts, Kind::Whole, problems)?;
                if self.values_in(&n, parts)?.contains(&0.0) {
                    let message = "a cycle has at least one part";
                    return Err(Problem::new(&MODIFIER, used.span, message));
                }
                Change::new(Law::Chunk(self.chain(change.value, problems)?), vec![n])
            }
            ("inside" | "outside", [n, change]) => {
                let n = self.number(n, Kind::Factor, problems)?;
                let change = self.chain(change.value, problems)?;
                let law = if &*used.name.name == "inside" { Law::Inside } else { Law::Outside };
                Change::new(law(change), vec![n])
            }
            ("within", [begin, end, change]) => {
                let part = [begin, end].map(|arg| self.number(arg, Kind::Share, problems));
                let part = part.into_iter().collect::<Result<_, _>>()?;
                let change = Change::new(Law::Within(self.chain(change.value, problems)?), part);
                return self.in_order(begin, end, Some(change), Order::NotBefore);
            }
            ("off", [time, change]) => {
                let time = self.number(time, Kind::Cycles, problems)?;
                Change::new(Law::Off(self.chain(change.value, problems)?), vec![time])
            }
            ("superimpose" | "layer", [_, ..]) => {
                let own = (&*used.name.name == "superimpose").then(|| Ok(Chain::default()));
                let changes = used.args.iter().map(|arg| self.chain(arg.value, problems));
                Change::new(Law::Layer(own.into_iter().chain(changes).collect::<Result<_, _>>()?), vec![])
            }
            ("degrade", []) => Change::new(Law::Degrade(self.draw()), vec![known(1, 2)]),
            ("degrade", [chance]) => {
                let chance = self.number(chance, Kind::Share, problems)?;
                Change::new(Law::Degrade(self.draw()), vec![chance])
            }
            ("sometimes", [chance, change]) => {
                let chance = self.number(chance, Kind::Share, problems)?;
                let seed = self.draw();
                Change::new(Law::Sometimes(seed, self.chain(change.value, problems)?), vec![chance])
            }
            (name @ ("sometimes" | "often" | "rarely"), [change]) => {
                let share = known(
                    if name == "sometimes" {
                        2
                    } else if name == "often" {
                        3
                    } else {
                        1
                    },
                    4,
                );
                let seed = self.draw();
                Change::new(Law::Sometimes(seed, self.chain(change.value, problems)?), vec![share])
            }
            ("humanize", [time, vel]) => {
                let time = self.number(time, Kind::Seconds, problems)?;
                let vel = self.number(vel, Kind::Share, problems)?;
                Change::new(Law::Humanize(self.draw()), vec![time, vel])
            }
            _ => return Ok(None),
        }))
    }

    /// The modifiers of numbers, pitches and velocities.
    fn of_values(&mut self, used: &Use, problems: &mut Problems) -> Result<Option<Change>, Problem> {
        Ok(Some(match (&*used.name.name, used.args) {
            ("legato" | "clip", [by]) => self.joined(by, Joint::Length, Kind::Held, problems)?,
            ("vel", [by]) => self.joined(by, Joint::Velocity, Kind::Velocity, problems)?,
            ("transpose", [by]) => self.joined(by, Joint::Transpose, Kind::Semitones, problems)?,
            ("add", [by]) => self.joined(by, Joint::Add, Kind::Amount, problems)?,
            ("sub", [by]) => self.joined(by, Joint::Subtract, Kind::Amount, problems)?,
            ("mul", [by]) => self.joined(by, Joint::Multiply, Kind::Plain, problems)?,
            ("range", [low, high]) => {
                let ends = [low, high].map(|arg| self.number(arg, Kind::Value, problems));
                Change::new(Law::Between, ends.into_iter().collect::<Result<_, _>>()?)
            }
            ("scale", [root, scale]) => self.scale(root, scale)?,
            ("scale", [both]) => self.scales(both, problems)?,
            // The words of the line have been read as chords.
            ("chord", []) => Change::new(Law::Layer([Chain::default()].into()), vec![]),
            ("invert", [n]) => Change::new(Law::Invert, vec![self.number(n, Kind::Whole, problems)?]),
            ("voicing", []) => {
                let range = [48, 72].map(|note| Number::Known(Rational::whole(note)));
                Change::new(Law::Voicing, range.to_vec())
            }
            ("voicing", [low, high]) => {
                let range = [low, high].map(|arg| self.number(arg, Kind::Pitch, problems));
                let change = Change::new(Law::Voicing, range.into_iter().collect::<Result<_, _>>()?);
                return self.in_order(low, high, Some(change), Order::Upwards);
            }
            ("arp", [order]) => self.arp(order, problems)?,
            ("jux", [change]) => self.jux(used, change, problems)?,
            ("chop", [n]) => {
                let pieces = self.pieces(used)?;
                Change::new(Law::Chop(pieces), vec![self.number(n, Kind::Count, problems)?])
            }
            ("striate", [n]) => {
                let pieces = self.pieces(used)?;
                Change::new(Law::Striate(pieces), vec![self.number(n, Kind::Count, problems)?])
            }
            ("slice", [n, which]) => self.slice(used, n, which, problems)?,
            ("splice", [n, which]) => {
                let sliced = self.slice(used, n, which, problems)?;
                let fitted = Change::new(Law::Fit(self.fitted(used)?), vec![]);
                Change::new(Law::Layer([Chain([sliced, fitted].into())].into()), vec![])
            }
            ("fit", []) => Change::new(Law::Fit(self.fitted(used)?), vec![]),
            ("loopAt", [n]) => {
                let time = self.parameter("fit", used)?;
                Change::new(Law::LoopAt(time), vec![self.number(n, Kind::Factor, problems)?])
            }
            _ => return Ok(None),
        }))
    }

    /// A change with a count.
    fn changed(
        &mut self,
        law: impl Fn(Chain) -> Law,
        n: &Arg,
        change: &Arg,
        problems: &mut Problems,
    ) -> Read {
        let n = self.number(n, Kind::Count, problems)?;
        Ok(Change::new(law(self.chain(change.value, problems)?), vec![n]))
    }

    fn only_notes(&self, used: &Use) -> Result<(), Problem> {
        let values = match self.words {
            Words::Values(_) => "this line sets a parameter",
            _ => "these are numbers",
        };
        let message = format!("`.{}` changes notes, and {values}", used.name);
        let problem = || Problem::new(&MODIFIER, used.span, message);
        self.notes.then_some(()).ok_or_else(problem)
    }
}

/// In every other cycle half as long, and a quarter later.
fn brak() -> Change {
    let known = |x: i64, over: u32| Number::Known(Rational::ratio(x, over));
    let half = Change::new(Law::Compress, vec![known(0, 1), known(1, 2)]);
    let later = Change::new(Law::Late, vec![known(1, 4)]);
    Change::new(Law::Last(Chain([half, later].into())), vec![known(2, 1)])
}

/// What stands in the place of a change and is none.
fn no_change(expr: &Expr, span: Span) -> Problem {
    let is_modifier = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        find(&text[..end]).is_some() || foreign::find(Role::Modifier, &text[..end]).is_some()
    };
    match expr {
        Expr::Text(text) if is_modifier(text.trim()) => {
            let meant = text.trim();
            Problem::new(&MODIFIER, span, "a change is written without quotes")
                .help(format!("write `{meant}`"))
                .fix(span, meant)
        }
        _ => {
            let names: Vec<_> = modifiers().map(|entry| entry.name).collect();
            Problem::new(&MODIFIER, span, "this is not a modifier of patterns")
                .help(format!("modifiers: {}", names.join(", ")))
        }
    }
}

fn unknown(used: &Use) -> Problem {
    let name = &*used.name.name;
    match find(name) {
        Some(entry) => {
            let message = format!("`.{name}` does not take these arguments");
            let help = format!("use: {}", entry.usage());
            Problem::new(&MODIFIER, used.span, message).help(help)
        }
        None => {
            let message = format!("there is no modifier `{name}`");
            let problem = Problem::new(&MODIFIER, used.name.span, message);
            match foreign::find(Role::Modifier, name) {
                Some(row) => row.explain(problem, used.name.span, true, true),
                None => {
                    let names: Vec<_> = modifiers().map(|entry| entry.name).collect();
                    problem.nearest(name, "modifiers", &names)
                }
            }
        }
    }
}
