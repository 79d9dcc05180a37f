//! Kinds of chords by their names.

/// The names that may stand behind a root, and the semitones above it.
const CHORDS: [(&[&str], &[i32]); 40] = [
    (&["", "maj", "major", "M"], &[0, 4, 7]),
    (&["m", "min", "minor", "mi"], &[0, 3, 7]),
    (&["aug", "plus"], &[0, 4, 8]),
    (&["dim", "o"], &[0, 3, 6]),
    (&["5", "five", "power"], &[0, 7]),
    (&["sus2"], &[0, 2, 7]),
    (&["sus4", "sus"], &[0, 5, 7]),
    (&["6", "maj6", "six"], &[0, 4, 7, 9]),
    (&["m6", "min6"], &[0, 3, 7, 9]),
    (&["69", "sixNine"], &[0, 4, 7, 9, 14]),
    (&["m69", "min69"], &[0, 3, 7, 9, 14]),
    (&["7", "dom7"], &[0, 4, 7, 10]),
    (&["maj7", "major7", "M7", "^7"], &[0, 4, 7, 11]),
    (&["m7", "min7", "minor7", "mi7"], &[0, 3, 7, 10]),
    (&["mM7", "mmaj7", "minmaj7", "m^7"], &[0, 3, 7, 11]),
    (&["dim7", "o7"], &[0, 3, 6, 9]),
    (&["m7b5", "m7flat5", "h7", "h"], &[0, 3, 6, 10]),
    (&["aug7", "7#5", "7b13"], &[0, 4, 8, 10]),
    (&["7b5", "7f5"], &[0, 4, 6, 10]),
    (&["maj7#5", "^7#5"], &[0, 4, 8, 11]),
    (&["m7#5", "m7sharp5"], &[0, 3, 8, 10]),
    (&["7sus4", "7sus", "sus7"], &[0, 5, 7, 10]),
    (&["7sus2"], &[0, 2, 7, 10]),
    (&["add9", "add2"], &[0, 4, 7, 14]),
    (&["madd9", "madd2"], &[0, 3, 7, 14]),
    (&["9", "dom9"], &[0, 4, 7, 10, 14]),
    (&["maj9", "major9", "M9", "^9"], &[0, 4, 7, 11, 14]),
    (&["m9", "min9", "minor9"], &[0, 3, 7, 10, 14]),
    (&["7b9"], &[0, 4, 7, 10, 13]),
    (&["7#9"], &[0, 4, 7, 10, 15]),
    (&["7#11"], &[0, 4, 7, 10, 18]),
    (&["9sus4", "9sus"], &[0, 5, 7, 10, 14]),
    (&["11", "dom11"], &[0, 4, 7, 10, 14, 17]),
    (&["maj11", "major11", "M11", "^11"], &[0, 4, 7, 11, 14, 17]),
    (&["m11", "min11", "minor11"], &[0, 3, 7, 10, 14, 17]),
    (&["13", "dom13"], &[0, 4, 7, 10, 14, 21]),
    (&["maj13", "major13", "M13", "^13"], &[0, 4, 7, 11, 14, 21]),
    (&["m13", "min13", "minor13"], &[0, 3, 7, 10, 14, 21]),
    (&["maj7#11", "^7#11"], &[0, 4, 7, 11, 18]),
    (&["add11"], &[0, 4, 7, 17]),
];

/// The kinds of chords, by the first of their names that is not empty.
pub fn chord_kinds() -> impl Iterator<Item = &'static str> {
    CHORDS.iter().filter_map(|(names, _)| names.iter().copied().find(|name| !name.is_empty()))
}

/// The semitones above the root of the chord of that kind: `0 4 7 11` of `maj7`, `0 4 7` of the empty name.
pub fn chord_steps(kind: &str) -> Option<&'static [i32]> {
    CHORDS.iter().find(|(names, _)| names.contains(&kind)).map(|(_, steps)| *steps)
}
