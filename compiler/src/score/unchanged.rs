//! Modifiers of pitches where there is no pitch that they change.

use super::Instrument;
use super::codes::PITCH_UNCHANGED;
use mam_grammar::{Problem, Span};
use mam_runtime::score::pattern::{Change, Joint, Law, ValueMap};
use mam_runtime::score::{Note, Pattern, Pitch, TimeSpan, Value};

/// Cycles of a pattern in which a pitch is looked for.
const LOOKED_AT: i64 = 16;

/// The warning of a change of pitches at a place, where the instrument of the line reads no pitch.
pub(super) fn without_pitch(change: &Change, of: &Instrument, span: Span) -> Option<Problem> {
    let joins =
        |joint: &Joint| matches!(joint, Joint::Transpose | Joint::Add | Joint::Subtract | Joint::Multiply);
    let of_pitches = match change.law() {
        Law::Join(joint, _) | Law::JoinTo(joint, _) | Law::Map(ValueMap::Join(joint, _)) => joins(joint),
        Law::Scale(_) | Law::Arp | Law::Pick(_) | Law::Invert | Law::Voicing => true,
        _ => false,
    };
    let read = of.pitched || of.numbered || of.pieces.is_some();
    (of_pitches && !read).then(|| {
        let message = format!("this changes the pitch of notes, which `{}` does not read", of.name);
        Problem::new(&PITCH_UNCHANGED, span, message).help(format!(
            "take it out; what `{}` sounds like is set by its parameters, and an instrument that plays notes reads `note` or `freq`",
            of.name
        ))
    })
}

/// The warning of a change at a place that finds none of the notes that it changes among those of a pattern.
pub(super) fn without_notes(change: &Change, of: &Pattern, span: Span) -> Option<Problem> {
    let pitch = |value: &Value| match value {
        Value::Note(Note { pitch, .. }) => Some(*pitch),
        _ => None,
    };
    let (changed, message, help): (fn(Pitch) -> bool, _, _) = match change.law() {
        Law::Scale(_) => (
            |pitch| matches!(pitch, Pitch::Degree(..)),
            "a scale gives degrees their notes, and there are no degrees here",
            "degrees are numbers, and one scale is said of them: `\"0 2 4\".scale(c, minor)`; `.transpose(2st)` moves notes",
        ),
        Law::Arp | Law::Pick(_) | Law::Invert | Law::Voicing => (
            |pitch| !matches!(pitch, Pitch::Plain(_)),
            "this changes the order or the range of a chord's notes, and there are plain hits here",
            "write notes, such as `\"[c4,e4,g4]\"` or `\"<Am7 D7>\".chord`",
        ),
        _ => return None,
    };
    let cycles = of.period().map_or(LOOKED_AT, |period| (period.ceil() as i64).clamp(1, LOOKED_AT));
    let mut any = false;
    for cycle in 0..cycles {
        for event in of.query(TimeSpan::cycle(cycle)).ok()? {
            // What is no note yet may become one.
            if pitch(&event.value).is_none_or(changed) {
                return None;
            }
            any = true;
        }
    }
    any.then(|| Problem::new(&PITCH_UNCHANGED, span, message).help(help))
}
