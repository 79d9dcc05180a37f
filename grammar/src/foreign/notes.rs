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

/// The note that a syllable of solmisation is, with `do` as c: `c4` for `do`.
pub fn syllable(word: &str) -> Option<&'static str> {
    const NAMES: [(&[&str], &str); 7] = [
        (&["do"], "c4"),
        (&["re"], "d4"),
        (&["mi"], "e4"),
        (&["fa"], "f4"),
        (&["so", "sol"], "g4"),
        (&["la"], "a4"),
        (&["si", "ti"], "b4"),
    ];
    let word = word.to_ascii_lowercase();
    NAMES.iter().find(|(syllables, _)| syllables.contains(&&*word)).map(|(_, note)| *note)
}

/// Whether a word stands for a rest in other notations.
pub fn is_rest(word: &str) -> bool {
    matches!(&*word.to_ascii_lowercase(), "r" | "rest" | "pause" | "silence" | "none" | "nil" | "null")
}

/// The steps of a drum tab, where a word of a pattern in quotes is one of ones and zeros: `x...x...` for `10001000`.
pub fn tab_of_digits(word: &str) -> Option<String> {
    let digits = word.len() > 2 && word.bytes().all(|b| matches!(b, b'0' | b'1'));
    (digits && word.contains('0') && word.contains('1')).then(|| word.replace('1', "x").replace('0', "."))
}

/// Whether a word of a pattern in quotes is a drum tab, `x...x.X.`: steps without white space, and not a single hit.
pub fn is_tab(word: &str) -> bool {
    let (hits, rests) = (|c| "xXo".contains(c), |c| "._-~".contains(c));
    word.len() > 1
        && word.starts_with(|c| hits(c) || rests(c))
        && word.chars().all(|c| hits(c) || rests(c) || c.is_ascii_digit())
        && word.chars().any(hits)
        && (word.chars().any(rests) || word.chars().all(hits))
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
