//! Scales, and the notes of chords, by their names.

use super::pitch::note_number;
use mam_grammar::chords::chord_steps;
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

/// The MIDI notes of a chord's symbol, `Am7` or `F#maj7`; its root lies in the octave of c3.
pub(super) fn symbol(text: &str) -> Option<Vec<f64>> {
    let letter = text.chars().next().filter(|c| matches!(c, 'A'..='G'))?;
    let accidental = text[1..].chars().next().filter(|c| matches!(c, '#' | 'b' | '♯' | '♭'));
    let split = 1 + accidental.map_or(0, char::len_utf8);
    let root = note_number(&format!("{letter}{}3", accidental.map_or(String::new(), String::from)))?;
    Some(chord_steps(&text[split..])?.iter().map(|&step| root + f64::from(step)).collect())
}

/// The MIDI notes of a note's name with a chord behind it: `c'maj7`, then any of `'i` (inverted, once for each i), `'o` (open:
/// the first and the third note an octave lower) and a number of notes, `c'maj'5`. `None` where it is not a chord.
pub(super) fn named(text: &str) -> Option<Vec<f64>> {
    let mut parts = text.split('\'');
    let root = note_number(parts.next()?)?;
    let steps = chord_steps(parts.next()?)?;
    let mut notes: Vec<f64> = steps.iter().map(|&step| root + f64::from(step)).collect();
    for change in parts {
        match change.parse::<usize>() {
            Ok(n) if (1..=MOST_NOTES).contains(&n) => {
                let at =
                    |i: usize| root + f64::from(steps[i % steps.len()]) + 12.0 * (i / steps.len()) as f64;
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
