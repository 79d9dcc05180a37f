//! Notes and chords by name, where the language wants a frequency or notes.

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

/// Chords by the names after their root: semitones above it.
const CHORDS: [(&[&str], &[i32]); 17] = [
    (&["maj", "M", "major"], &[0, 4, 7]),
    (&["m", "min", "minor", "mi"], &[0, 3, 7]),
    (&["maj7", "M7", "major7"], &[0, 4, 7, 11]),
    (&["m7", "min7", "minor7", "mi7"], &[0, 3, 7, 10]),
    (&["dom7"], &[0, 4, 7, 10]),
    (&["dim"], &[0, 3, 6]),
    (&["dim7"], &[0, 3, 6, 9]),
    (&["m7b5"], &[0, 3, 6, 10]),
    (&["aug"], &[0, 4, 8]),
    (&["sus2"], &[0, 2, 7]),
    (&["sus4", "sus"], &[0, 5, 7]),
    (&["m6", "min6"], &[0, 3, 7, 9]),
    (&["maj6"], &[0, 4, 7, 9]),
    (&["maj9", "M9"], &[0, 4, 7, 11, 14]),
    (&["m9", "min9"], &[0, 3, 7, 10, 14]),
    (&["add9"], &[0, 4, 7, 14]),
    (&["five", "power"], &[0, 7]),
];

/// The names of the kinds of chords that [`chord`] knows, the first of each: what follows the root.
pub fn chord_kinds() -> impl Iterator<Item = &'static str> {
    CHORDS.iter().filter_map(|(names, _)| names.first().copied())
}

/// The notes of a chord's name as a step of a pattern, above c4: `[c4,e4,g4]` for `Cmaj` and `c'maj`.
pub fn chord(name: &str) -> Option<String> {
    const NAMES: [&str; 12] = ["c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"];
    let (root, kind) = pitch(name)?;
    let kind = kind.strip_prefix('\'').unwrap_or(kind);
    let (_, steps) = CHORDS.iter().find(|(names, _)| names.contains(&kind))?;
    let note = |step: &i32| {
        let semitones = root + step;
        format!("{}{}", NAMES[semitones.rem_euclid(12) as usize], 4 + semitones.div_euclid(12))
    };
    Some(format!("[{}]", steps.iter().map(note).collect::<Vec<_>>().join(",")))
}
