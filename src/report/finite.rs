//! Steps that were not finite, in words: which equations, where in the music.

use mam_grammar::problem::count;
use mam_runtime::control::Position;
use mam_runtime::{NotFinite, Program};

/// Steps that are named in one message.
const NAMED: usize = 8;

/// What was not finite and where, as a sentence without its end: "`a` and `b` became infinite or not a number at bar 2,
/// beat 1 (4.000 s)".
pub fn sentence(failure: &NotFinite, program: &Program) -> String {
    format!("{} became infinite or not a number at {}", names(failure), place(failure.frame, program))
}

/// What a render says of steps that were not finite, in order, each with its program; nothing where all were.
pub fn render_report<'f>(
    failures: impl ExactSizeIterator<Item = (&'f NotFinite, &'f Program)>,
) -> Option<String> {
    let all = failures.len();
    if all == 0 {
        return None;
    }
    let mut lines: Vec<String> = failures
        .take(NAMED)
        .map(|(failure, program)| sentence(failure, program) + ", and is silent from there on")
        .collect();
    if all > NAMED {
        lines.push(format!("and {} more", count(all - NAMED, "step")));
    }
    lines.push("the file is written, and finite; look for a division by 0, a logarithm or root of what is below 0, and feedback of more than 100 %".into());
    Some(lines.join("\n"))
}

/// The equations and voices that a step computes.
fn names(failure: &NotFinite) -> String {
    let name = |path: &std::sync::Arc<str>| match path.split_once('#') {
        Some((node, voice)) => format!("voice {voice} of `{node}`"),
        None => format!("`{path}`"),
    };
    let names: Vec<String> = failure.computes.iter().map(name).collect();
    match names.split_last() {
        None => "a step without a name".into(),
        Some((one, [])) => one.clone(),
        Some((last, others)) => format!("one of {} and {last}", others.join(", ")),
    }
}

/// A frame in bars and beats, from 1, and in seconds.
pub(super) fn place(frame: u64, program: &Program) -> String {
    let seconds = frame as f64 / f64::from(program.rate);
    match Position::at_frame(program, frame) {
        Some(place) => {
            let pass = if place.pass > 0 { format!("pass {}, ", place.pass + 1) } else { String::new() };
            // To a hundredth of a beat, and never rounded up into the next bar.
            let hundredths = (place.bar.fract() * place.beats_per_bar * 100.0 + 1e-6).floor();
            format!("{pass}bar {}, beat {} ({seconds:.3} s)", place.bar as u64 + 1, 1.0 + hundredths / 100.0)
        }
        None => format!("{seconds:.3} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_named_by_its_equations_and_voices() {
        let named = |all: &[&str]| {
            names(&NotFinite { frame: 0, computes: all.iter().map(|x| (*x).into()).collect() })
        };
        assert_eq!(named(&["a"]), "`a`");
        assert_eq!(named(&["l#2"]), "voice 2 of `l`");
        assert_eq!(named(&["a", "b", "out"]), "one of `a`, `b` and `out`");
    }
}
