//! Scales and chords by their names.

use super::pitch::note_number;
use mam_runtime::score::Rational;
use std::sync::Arc;

/// Scales: semitones of an octave.
const SCALES: [(&str, &[f64]); 34] = [
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
    ("harmonic_major", &[0.0, 2.0, 4.0, 5.0, 7.0, 8.0, 11.0]),
    ("phrygian_dominant", &[0.0, 1.0, 4.0, 5.0, 7.0, 8.0, 10.0]),
    ("double_harmonic", &[0.0, 1.0, 4.0, 5.0, 7.0, 8.0, 11.0]),
    ("hungarian_minor", &[0.0, 2.0, 3.0, 6.0, 7.0, 8.0, 11.0]),
    ("neapolitan_minor", &[0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 11.0]),
    ("neapolitan_major", &[0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0]),
    ("lydian_dominant", &[0.0, 2.0, 4.0, 6.0, 7.0, 9.0, 10.0]),
    ("altered", &[0.0, 1.0, 3.0, 4.0, 6.0, 8.0, 10.0]),
    ("augmented", &[0.0, 3.0, 4.0, 7.0, 8.0, 11.0]),
    ("half_diminished", &[0.0, 1.0, 3.0, 4.0, 6.0, 7.0, 9.0, 10.0]),
    ("enigmatic", &[0.0, 1.0, 4.0, 6.0, 8.0, 10.0, 11.0]),
    ("bebop", &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 10.0, 11.0]),
    ("in", &[0.0, 1.0, 5.0, 7.0, 8.0]),
    ("iwato", &[0.0, 1.0, 5.0, 6.0, 10.0]),
    ("kumoi", &[0.0, 2.0, 3.0, 7.0, 9.0]),
    ("pelog", &[0.0, 1.0, 3.0, 7.0, 8.0]),
];

/// The names of all scales.
pub fn scales() -> impl Iterator<Item = &'static str> {
    SCALES.iter().map(|scale| scale.0)
}

/// The semitones of a scale: by its name, or written out, `0 2 3 7.5`.
pub(super) fn scale_steps(text: &str) -> Option<Arc<[f64]>> {
    if let Some((_, steps)) = SCALES.iter().find(|scale| scale.0 == text) {
        return Some((*steps).into());
    }
    let number = |word: &str| Rational::from_decimal(word).map(Rational::to_f64);
    let steps: Vec<f64> = text.split_whitespace().map(number).collect::<Option<_>>()?;
    let rising = steps.windows(2).all(|pair| pair[0] < pair[1]);
    let octave = steps.first() == Some(&0.0) && steps.last().is_some_and(|last| *last < 12.0);
    (rising && octave).then(|| steps.into())
}

/// Chords: the names that may stand behind the root, and the semitones above it.
const CHORDS: [(&[&str], &[f64]); 40] = [
    (&["", "maj", "major", "M"], &[0.0, 4.0, 7.0]),
    (&["m", "min", "minor", "mi"], &[0.0, 3.0, 7.0]),
    (&["aug", "plus"], &[0.0, 4.0, 8.0]),
    (&["dim", "o"], &[0.0, 3.0, 6.0]),
    (&["5", "five", "power"], &[0.0, 7.0]),
    (&["sus2"], &[0.0, 2.0, 7.0]),
    (&["sus4", "sus"], &[0.0, 5.0, 7.0]),
    (&["6", "maj6", "six"], &[0.0, 4.0, 7.0, 9.0]),
    (&["m6", "min6"], &[0.0, 3.0, 7.0, 9.0]),
    (&["69", "sixNine"], &[0.0, 4.0, 7.0, 9.0, 14.0]),
    (&["m69", "min69"], &[0.0, 3.0, 7.0, 9.0, 14.0]),
    (&["7", "dom7"], &[0.0, 4.0, 7.0, 10.0]),
    (&["maj7", "major7", "M7", "^7"], &[0.0, 4.0, 7.0, 11.0]),
    (&["m7", "min7", "minor7", "mi7"], &[0.0, 3.0, 7.0, 10.0]),
    (&["mM7", "mmaj7", "minmaj7", "m^7"], &[0.0, 3.0, 7.0, 11.0]),
    (&["dim7", "o7"], &[0.0, 3.0, 6.0, 9.0]),
    (&["m7b5", "m7flat5", "h7", "h"], &[0.0, 3.0, 6.0, 10.0]),
    (&["aug7", "7#5", "7b13"], &[0.0, 4.0, 8.0, 10.0]),
    (&["7b5", "7f5"], &[0.0, 4.0, 6.0, 10.0]),
    (&["maj7#5", "^7#5"], &[0.0, 4.0, 8.0, 11.0]),
    (&["m7#5", "m7sharp5"], &[0.0, 3.0, 8.0, 10.0]),
    (&["7sus4", "7sus", "sus7"], &[0.0, 5.0, 7.0, 10.0]),
    (&["7sus2"], &[0.0, 2.0, 7.0, 10.0]),
    (&["add9", "add2"], &[0.0, 4.0, 7.0, 14.0]),
    (&["madd9", "madd2"], &[0.0, 3.0, 7.0, 14.0]),
    (&["9", "dom9"], &[0.0, 4.0, 7.0, 10.0, 14.0]),
    (&["maj9", "major9", "M9", "^9"], &[0.0, 4.0, 7.0, 11.0, 14.0]),
    (&["m9", "min9", "minor9"], &[0.0, 3.0, 7.0, 10.0, 14.0]),
    (&["7b9"], &[0.0, 4.0, 7.0, 10.0, 13.0]),
    (&["7#9"], &[0.0, 4.0, 7.0, 10.0, 15.0]),
    (&["7#11"], &[0.0, 4.0, 7.0, 10.0, 18.0]),
    (&["9sus4", "9sus"], &[0.0, 5.0, 7.0, 10.0, 14.0]),
    (&["11", "dom11"], &[0.0, 4.0, 7.0, 10.0, 14.0, 17.0]),
    (&["maj11", "major11", "M11", "^11"], &[0.0, 4.0, 7.0, 11.0, 14.0, 17.0]),
    (&["m11", "min11", "minor11"], &[0.0, 3.0, 7.0, 10.0, 14.0, 17.0]),
    (&["13", "dom13"], &[0.0, 4.0, 7.0, 10.0, 14.0, 21.0]),
    (&["maj13", "major13", "M13", "^13"], &[0.0, 4.0, 7.0, 11.0, 14.0, 21.0]),
    (&["m13", "min13", "minor13"], &[0.0, 3.0, 7.0, 10.0, 14.0, 21.0]),
    (&["maj7#11", "^7#11"], &[0.0, 4.0, 7.0, 11.0, 18.0]),
    (&["add11"], &[0.0, 4.0, 7.0, 17.0]),
];

/// The kinds of chords, by the first of their names that is not empty.
pub fn chord_kinds() -> impl Iterator<Item = &'static str> {
    CHORDS.iter().filter_map(|chord| chord.0.iter().copied().find(|name| !name.is_empty()))
}

fn kind(name: &str) -> Option<&'static [f64]> {
    CHORDS.iter().find(|chord| chord.0.contains(&name)).map(|chord| chord.1)
}

/// The MIDI notes of a chord's symbol, `Am7` or `F#maj7`; its root lies in the octave of c3.
pub(super) fn symbol(text: &str) -> Option<Vec<f64>> {
    let letter = text.chars().next().filter(|c| matches!(c, 'A'..='G'))?;
    let accidental = text[1..].chars().next().filter(|c| matches!(c, '#' | 'b' | '♯' | '♭'));
    let split = 1 + accidental.map_or(0, char::len_utf8);
    let root = note_number(&format!("{letter}{}3", accidental.map_or(String::new(), String::from)))?;
    Some(kind(&text[split..])?.iter().map(|step| root + step).collect())
}

/// The MIDI notes of a note's name with a chord behind it: `c'maj7`, then any of `'i` (inverted, once for each i), `'o` (open:
/// the first and the third note an octave lower) and a number of notes, `c'maj'5`. `None` where it is not a chord.
pub(super) fn named(text: &str) -> Option<Vec<f64>> {
    let mut parts = text.split('\'');
    let root = note_number(parts.next()?)?;
    let steps = kind(parts.next()?)?;
    let mut notes: Vec<f64> = steps.iter().map(|step| root + step).collect();
    for change in parts {
        match change.parse::<usize>() {
            Ok(n) if (1..=MOST_NOTES).contains(&n) => {
                let at = |i: usize| root + steps[i % steps.len()] + 12.0 * (i / steps.len()) as f64;
                notes = (0..n).map(at).collect();
            }
            _ if change == "o" => notes.iter_mut().step_by(2).take(2).for_each(|note| *note -= 12.0),
            _ if !change.is_empty() && change.len() <= MOST_NOTES && change.bytes().all(|b| b == b'i') => {
                for _ in 0..change.len() {
                    let lowest = notes.remove(0);
                    notes.push(lowest + 12.0);
                }
            }
            _ => return None,
        }
    }
    Some(notes)
}

/// Notes of one chord.
const MOST_NOTES: usize = 24;
