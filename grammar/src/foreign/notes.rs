//! Notes and chords by name, where the language wants a frequency or notes.

use crate::chords::chord_steps;

/// The frequency of a note's name, as it is written: `261.626Hz` for `c4`; a name has an octave.
pub fn note_frequency(name: &str) -> Option<String> {
    let (pitch, octave) = pitch(name)?;
    let octave: i32 = octave.parse().ok().filter(|octave| (-1..=9).contains(octave))?;
    let midi = 12 * (octave + 1) + pitch;
    let hertz = 440.0 * (f64::from(midi - 69) / 12.0).exp2();
    Some(format!("{}Hz", (hertz * 1000.0).round() / 1000.0))
}

/// The semitones above c of a note's letter and accidental, and what follows them.
fn pitch(name: &str) -> Option<(i32, &str)> {
    let letter = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let pitch = "c d ef g a b".find(letter.to_ascii_lowercase())? as i32;
    let rest = &name[1..];
    Some(match rest.chars().next() {
        Some('#' | 's') if !rest.starts_with("sus") => (pitch + 1, &rest[1..]),
        Some('b') => (pitch - 1, &rest[1..]),
        _ => (pitch, rest),
    })
}

/// The notes of a chord's name as a step of a pattern, above c4: `[c4,e4,g4]` for `Cmaj` and `c'maj`. A kind without a
/// letter is an octave, `c5`, and so not a chord.
pub fn chord(name: &str) -> Option<String> {
    const NAMES: [&str; 12] = ["c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"];
    let (root, kind) = pitch(name)?;
    let kind = kind.strip_prefix('\'').unwrap_or(kind);
    let steps = chord_steps(kind).filter(|_| kind.contains(|c: char| c.is_ascii_alphabetic()))?;
    let note = |step: &i32| {
        let semitones = root + step;
        format!("{}{}", NAMES[semitones.rem_euclid(12) as usize], 4 + semitones.div_euclid(12))
    };
    Some(format!("[{}]", steps.iter().map(note).collect::<Vec<_>>().join(",")))
}
