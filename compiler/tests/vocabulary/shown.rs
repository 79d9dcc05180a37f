//! What is shown of notes: what they set, and which piece of a sound they play.

use mam_compiler::score::{line, show};
use mam_grammar::{Problems, Sources, Span};
use mam_runtime::score::{Rational, TimeSpan};

/// The events of a line's first cycle: where each begins, and what is shown of its value.
fn drawn(text: &str) -> Vec<(Rational, String)> {
    let source = Sources::default().add("line", text);
    let mut problems = Problems::default();
    let (pattern, names) = line(text, Span::new(source, 0, text.len()), 1, &mut problems);
    assert!(problems.iter().next().is_none(), "{text}");
    let events = show::events(&pattern, TimeSpan::new(Rational::ZERO, Rational::ONE)).expect("it is short");
    events.iter().map(|e| (e.whole.begin, show::value_text(&e.value, &names))).collect()
}

/// What is drawn of hits, and of notes that set parameters.
#[test]
fn hits_and_what_notes_set_are_shown() {
    let drawn = |text: &str| drawn(text).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(drawn("|x..X|"), ["x", "x"]);
    assert_eq!(drawn("\"c4 e4\".add(7)"), ["67", "71"]);
    assert_eq!(drawn("\"c4 e4\".set(gain: \"0.4 1\")"), ["60 gain 0.4", "64 gain 1"]);
}

/// Pieces of a sampler's sound.
#[test]
fn sounds_are_played_in_pieces() {
    let drawn = |text: &str| -> Vec<String> {
        drawn(text).iter().map(|(begin, value)| format!("{begin} {value}")).collect()
    };
    assert_eq!(
        drawn("\"x*2\".chop(2)"),
        ["0/1 x begin 0 end 0.5", "1/4 x begin 0.5 end 1", "1/2 x begin 0 end 0.5", "3/4 x begin 0.5 end 1"]
    );
    assert_eq!(
        drawn("\"x*2\".striate(2)"),
        ["0/1 x begin 0 end 0.5", "1/4 x begin 0 end 0.5", "1/2 x begin 0.5 end 1", "3/4 x begin 0.5 end 1"]
    );
    assert_eq!(drawn("\"x*2\".slice(4, \"2 0\")"), ["0/1 x begin 0.5 end 0.75", "1/2 x begin 0 end 0.25"]);
    // The whole slice in what time: a piece of a quarter, as long as half a cycle, is of one of two cycles.
    assert_eq!(drawn("\"x@3 x\".fit"), ["0/1 x fit_slice 0.75 cycles", "3/4 x fit_slice 0.25 cycles"]);
    assert_eq!(
        drawn("\"x*2\".splice(4, \"2 0\")"),
        ["0/1 x begin 0.5 end 0.75 fit_slice 2 cycles", "1/2 x begin 0 end 0.25 fit_slice 2 cycles"]
    );
    // The rhythm is that of the pieces' numbers, and a piece of a piece is one of the whole.
    assert_eq!(drawn("\"x\".slice(4, \"2 ~ 0\")"), ["0/1 x begin 0.5 end 0.75", "2/3 x begin 0 end 0.25"]);
    assert_eq!(
        drawn("\"x\".slice(4, \"2\").chop(2)"),
        ["0/1 x begin 0.5 end 0.625", "1/2 x begin 0.625 end 0.75"]
    );
    assert_eq!(
        drawn("\"x\".loopAt(2).chop(4)"),
        ["0/1 x fit 2 cycles begin 0 end 0.25", "1/2 x fit 2 cycles begin 0.25 end 0.5"]
    );
}
