//! What a song's names mean to its score.

use super::codes::{DRIVEN_PARAMETER, MODIFIER, NOT_PLAYABLE};
use super::{Given, Instrument, Meaning, Parameter, Targets};
use crate::dimension::Dimension;
use crate::places::Bindings;
use mam_grammar::ast::{Ident, Line as Written};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Problem, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::{Miss, NoteSignal};

impl Targets for Bindings<'_> {
    fn find(&self, path: &[&str]) -> Meaning {
        match *path {
            [name] => match (self.instrument(name), self.knob(name)) {
                (Some((index, node)), _) => Meaning::Instrument(Instrument {
                    index,
                    name: name.into(),
                    definition: self.definition(node),
                    pitched: self.pitched(node),
                    numbered: self.numbered(node),
                    pieces: self.pieces(node),
                    voices: match self.targets[index].priority {
                        Some(_) => usize::MAX,
                        None => self.targets[index].voices.len(),
                    },
                }),
                (_, Some(slot)) => parameter(self, slot, name.into()),
                _ if self.is_signal(name) => Meaning::Other {
                    what: "it is a signal, not an instrument".into(),
                    parts: self.parts(name),
                    params: self.params(name),
                },
                _ if self.is_playable_definition(name) => Meaning::Definition,
                _ => Meaning::Unknown,
            },
            [name, ..] => match self.slot(&path.join(".")) {
                Ok(slot) => parameter(self, slot, path.join(".")),
                Err(Miss::Several(names)) => Meaning::Several(names),
                Err(Miss::Unknown) if !self.is_signal(name) && self.is_playable_definition(name) => {
                    Meaning::Definition
                }
                Err(Miss::Unknown) => Meaning::Unknown,
            },
            [] => Meaning::Unknown,
        }
    }

    fn known(&self, path: &[&str]) -> Vec<String> {
        let of_it = match *path {
            [name, _, ..] => [self.parts(name), self.params(name), self.moved_by_lines(name)].concat(),
            _ => vec![],
        };
        if of_it.is_empty() { self.names() } else { of_it }
    }

    fn given_to(&self, name: &str, argument: &str) -> Option<Given> {
        self.formal_behind(name, argument).map(|(callee, formal)| Given {
            callee: callee.to_owned(),
            dimension: formal.unit.map_or(Dimension::PLAIN, Dimension::from_unit),
        })
    }
}

fn parameter(places: &Bindings, slot: ParamId, name: String) -> Meaning {
    let info = places.info(slot);
    let first = name.split('.').next().unwrap_or_default();
    let instrument = (!info.is_beat()).then(|| places.owner(first, slot)).flatten();
    let is_argument = places.is_argument(first, slot);
    Meaning::Parameter(Parameter {
        index: slot,
        name,
        dimension: info.dimension,
        scale: info.scale(),
        range: (info.min, info.max),
        units: info.units,
        instrument,
        is_driven: places.is_driven(slot),
        is_argument,
    })
}

/// What is wrong with a line whose target cannot be played.
pub(super) fn not_a_target(name: &str, place: Span, line: &Written, meaning: Meaning) -> Problem {
    let not_playable = |what: &str| {
        let message = format!("`{name}` cannot be played: {what}");
        Problem::new(&NOT_PLAYABLE, place, message)
    };
    match meaning {
        Meaning::Several(names) => {
            let message = format!("`{name}` could be a parameter of several effects");
            Problem::new(&NOT_PLAYABLE, place, message).help(format!("write which: `{}`", names.join("`, `")))
        }
        Meaning::Definition => {
            let definition = line.target.first().map_or(name, |word| &*word.name);
            let equation = format!("{definition} = {definition}()");
            let start = Span { start: 0, end: 0, ..place };
            not_playable("it is a definition, not an instrument of this song")
                .help(format!("an equation gives it a name that can be played and heard: `{equation}`"))
                .guess(start, format!("{equation}\n"))
        }
        Meaning::Other { what, parts, .. } if !parts.is_empty() => {
            not_playable(&what).help(format!("its parts can be played: `{}`", parts.join("`, `")))
        }
        Meaning::Other { what, params, .. } if !params.is_empty() => {
            not_playable(&what).help(format!("its parameters can be set: `{}`", params.join("`, `")))
        }
        Meaning::Other { what, .. } => {
            not_playable(&what).help("a line plays an instrument, or sets a parameter of one or a knob")
        }
        Meaning::Unknown | Meaning::Instrument(_) | Meaning::Parameter(_) => {
            not_playable("it is an instrument")
        }
    }
}

/// The problem of a line whose target does not exist, with what was probably meant.
pub(super) fn unknown_target(problem: Problem, path: &[&str], targets: &dyn Targets) -> Problem {
    let (place, name, known) = (problem.span(), path.join("."), targets.known(path));
    let target = path.first().copied().unwrap_or_default();
    if let [name, argument] = path
        && let Some(given) = targets.given_to(name, argument)
    {
        return given_to(problem, argument, &given);
    }
    // What differs in capitals alone is what was meant.
    let there =
        |known: &String| known.split('.').next().is_some_and(|known| known.eq_ignore_ascii_case(target));
    let row = foreign::find(Role::Target, target).filter(|_| !known.iter().any(there));
    match row {
        Some(row) => {
            let equation = format!("{target} = {}()", row.word);
            let start = Span { start: 0, end: 0, ..place };
            problem
                .here(format!("`{target}` has no equation"))
                .help(format!("an equation gives it an instrument: `{equation}`"))
                .guess(start, format!("{equation}\n"))
        }
        None => problem.nearest(&name, "names that can be played here", &known),
    }
}

/// How a line moves what a `def` is given, `lead.cutoff` of `lead = pluck() |> lowpass(800Hz)`: by a knob.
fn given_to(problem: Problem, argument: &str, given: &Given) -> Problem {
    let callee = &given.callee;
    let (knob, values) = match given.dimension {
        Dimension::FREQUENCY => ("800Hz in 100Hz..8kHz", "400Hz 2kHz"),
        Dimension::TIME => ("100ms in 1ms..1s", "50ms 200ms"),
        _ => ("0.5 in 0..1", "0.2 0.8"),
    };
    problem.here(format!("`{callee}` is a `def`, and what it is given is not a parameter")).help(format!(
        "a knob moves it: `knob {argument} = {knob}` in a line of its own, `{callee}(… {argument} …)` in the equation, and the line \
         `{argument} \"{values}\" over 1 beat`"
    ))
}

/// How a property of the note itself, which is not a parameter, is set.
fn of_the_note(name: &str) -> Option<&'static str> {
    Some(match name {
        "vel" => "write `.vel(0.5)`, or the velocity behind each note: `c4:0.5`",
        "freq" | "note" => {
            "the pattern says the pitch, `\"c4 e4\"` or `\"440Hz\"`, and `.transpose(7st)` moves it"
        }
        "gate" => "`.legato(0.5)` holds each note for half of its step",
        "trig" => "each step of the pattern begins a note",
        _ => return None,
    })
}

/// The parameter of an instrument that a name means.
pub(super) fn found(
    targets: &dyn Targets,
    instrument: &Instrument,
    name: &Ident,
) -> Result<Parameter, Problem> {
    let (of, path) = (&*instrument.name, format!("{}.{name}", instrument.name));
    let problem = |message: String| Problem::new(&MODIFIER, name.span, message);
    match targets.find(&[of, &name.name]) {
        Meaning::Parameter(Parameter { is_driven: true, .. }) => {
            let message = format!("`{path}` follows a signal, so that no note can set it");
            let help = "give it a number in its equation, or leave it out of `.set`";
            Err(Problem::new(&DRIVEN_PARAMETER, name.span, message).help(help))
        }
        Meaning::Parameter(parameter) if parameter.instrument == Some(instrument.index) => Ok(parameter),
        Meaning::Parameter(_) => Err(problem(format!("all notes of `{of}` share `{path}`"))
            .here("no parameter of the instrument itself")
            .help(format!("a line of its own sets it: `{path} \"…\"`"))),
        _ => {
            let own = |known: &String| {
                let name = known.strip_prefix(of)?.strip_prefix('.')?;
                matches!(targets.find(&[of, name]), Meaning::Parameter(p) if p.instrument.is_some())
                    .then(|| name.to_owned())
            };
            if let Some(help) = of_the_note(&name.name) {
                return Err(
                    problem(format!("`{name}` is not a parameter: it belongs to the note")).help(help)
                );
            }
            if NoteSignal::named(&name.name).is_some() {
                let meant = format!("note.{name}");
                let problem = problem(format!("`{name}` is not a parameter, but a signal of the notes"));
                return Err(problem.help(format!("write `{meant}: …`")).fix(name.span, meant));
            }
            let known: Vec<String> = targets.known(&[of, &name.name]).iter().filter_map(own).collect();
            Err(problem(format!("`{of}` has no parameter `{name}`")).nearest(
                &name.name,
                "its parameters",
                &known,
            ))
        }
    }
}
