//! Scales, and the notes of chords, by their names.

use super::pitch::note_number;
use mam_grammar::chords::chord_steps;
use mam_runtime::score::Rational;
use std::sync::Arc;

/// Scales: their names, and the semitones of an octave.
const SCALES: [(&[&str], &[f64]); 70] = [
    (&["major"], &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0]),
    (&["minor", "natural_minor"], &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    (&["ionian"], &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0]),
    (&["dorian"], &[0.0, 2.0, 3.0, 5.0, 7.0, 9.0, 10.0]),
    (&["phrygian"], &[0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    (&["lydian"], &[0.0, 2.0, 4.0, 6.0, 7.0, 9.0, 11.0]),
    (&["mixolydian", "dominant"], &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 10.0]),
    (&["aeolian"], &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0]),
    (&["locrian"], &[0.0, 1.0, 3.0, 5.0, 6.0, 8.0, 10.0]),
    (&["harmonic", "harmonic_minor"], &[0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 11.0]),
    (&["melodic", "melodic_minor", "jazz_minor"], &[0.0, 2.0, 3.0, 5.0, 7.0, 9.0, 11.0]),
    (&["pentatonic", "major_pentatonic", "maj_pent"], &[0.0, 2.0, 4.0, 7.0, 9.0]),
    (&["minor_pentatonic", "min_pent"], &[0.0, 3.0, 5.0, 7.0, 10.0]),
    (&["blues", "minor_blues"], &[0.0, 3.0, 5.0, 6.0, 7.0, 10.0]),
    (&["whole", "whole_tone"], &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
    (&["diminished", "whole_half", "whole_half_diminished"], &[0.0, 2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 11.0]),
    (&["hirajoshi"], &[0.0, 2.0, 3.0, 7.0, 8.0]),
    (&["chromatic"], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]),
    (&["harmonic_major"], &[0.0, 2.0, 4.0, 5.0, 7.0, 8.0, 11.0]),
    (&["phrygian_dominant", "spanish", "freygish", "phrygian_major"], &[0.0, 1.0, 4.0, 5.0, 7.0, 8.0, 10.0]),
    (
        &["double_harmonic", "double_harmonic_major", "byzantine", "arabic", "gypsy_major", "gypsy"],
        &[0.0, 1.0, 4.0, 5.0, 7.0, 8.0, 11.0],
    ),
    (&["hungarian_minor", "gypsy_minor"], &[0.0, 2.0, 3.0, 6.0, 7.0, 8.0, 11.0]),
    (&["neapolitan_minor"], &[0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 11.0]),
    (&["neapolitan_major"], &[0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0]),
    (&["lydian_dominant", "acoustic", "overtone", "lydian_b7"], &[0.0, 2.0, 4.0, 6.0, 7.0, 9.0, 10.0]),
    (&["altered", "super_locrian", "diminished_whole_tone"], &[0.0, 1.0, 3.0, 4.0, 6.0, 8.0, 10.0]),
    (&["augmented"], &[0.0, 3.0, 4.0, 7.0, 8.0, 11.0]),
    (
        &["half_whole", "half_whole_diminished", "dominant_diminished"],
        &[0.0, 1.0, 3.0, 4.0, 6.0, 7.0, 9.0, 10.0],
    ),
    (&["enigmatic"], &[0.0, 1.0, 4.0, 6.0, 8.0, 10.0, 11.0]),
    (&["bebop", "bebop_dominant"], &[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 10.0, 11.0]),
    (&["in"], &[0.0, 1.0, 5.0, 7.0, 8.0]),
    (&["iwato"], &[0.0, 1.0, 5.0, 6.0, 10.0]),
    (&["kumoi", "flat_three_pentatonic"], &[0.0, 2.0, 3.0, 7.0, 9.0]),
    (&["pelog"], &[0.0, 1.0, 3.0, 7.0, 8.0]),
    (&["egyptian"], &[0.0, 2.0, 5.0, 7.0, 10.0]),
    (&["yo", "ritusen"], &[0.0, 2.0, 5.0, 7.0, 9.0]),
    (&["chinese", "lydian_pentatonic"], &[0.0, 4.0, 6.0, 7.0, 11.0]),
    (&["persian"], &[0.0, 1.0, 4.0, 5.0, 6.0, 8.0, 11.0]),
    (&["prometheus"], &[0.0, 2.0, 4.0, 6.0, 9.0, 10.0]),
    (
        &["romanian_minor", "ukrainian_dorian", "dorian_sharp4", "altered_dorian"],
        &[0.0, 2.0, 3.0, 6.0, 7.0, 9.0, 10.0],
    ),
    (&["lydian_augmented"], &[0.0, 2.0, 4.0, 6.0, 8.0, 9.0, 11.0]),
    (&["mixolydian_b6", "aeolian_dominant", "hindu"], &[0.0, 2.0, 4.0, 5.0, 7.0, 8.0, 10.0]),
    (&["dorian_b2", "phrygian_sharp6"], &[0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 10.0]),
    (&["locrian_sharp2", "half_diminished"], &[0.0, 2.0, 3.0, 5.0, 6.0, 8.0, 10.0]),
    (&["major_locrian", "locrian_major", "arabian"], &[0.0, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0]),
    (&["tritone"], &[0.0, 1.0, 4.0, 6.0, 7.0, 10.0]),
    (&["major_blues"], &[0.0, 2.0, 3.0, 4.0, 7.0, 9.0]),
    (&["insen"], &[0.0, 1.0, 5.0, 7.0, 10.0]),
    (&["scriabin"], &[0.0, 1.0, 4.0, 7.0, 9.0]),
    (&["hungarian_major"], &[0.0, 3.0, 4.0, 6.0, 7.0, 9.0, 10.0]),
    (&["ultralocrian"], &[0.0, 1.0, 3.0, 4.0, 6.0, 8.0, 9.0]),
    (&["locrian_6", "locrian_sharp6"], &[0.0, 1.0, 3.0, 5.0, 6.0, 9.0, 10.0]),
    (&["ionian_augmented", "major_augmented"], &[0.0, 2.0, 4.0, 5.0, 8.0, 9.0, 11.0]),
    (&["lydian_sharp9", "lydian_sharp2"], &[0.0, 3.0, 4.0, 6.0, 7.0, 9.0, 11.0]),
    (&["lydian_diminished"], &[0.0, 2.0, 3.0, 6.0, 7.0, 9.0, 11.0]),
    (&["lydian_minor"], &[0.0, 2.0, 4.0, 6.0, 7.0, 8.0, 10.0]),
    (&["leading_whole_tone"], &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 11.0]),
    (&["oriental"], &[0.0, 1.0, 4.0, 5.0, 6.0, 9.0, 10.0]),
    (&["flamenco"], &[0.0, 1.0, 3.0, 4.0, 6.0, 7.0, 10.0]),
    (&["spanish_heptatonic"], &[0.0, 1.0, 3.0, 4.0, 5.0, 7.0, 8.0, 10.0]),
    (&["todi_raga"], &[0.0, 1.0, 3.0, 6.0, 7.0, 8.0, 11.0]),
    (&["bebop_major"], &[0.0, 2.0, 4.0, 5.0, 7.0, 8.0, 9.0, 11.0]),
    (&["bebop_minor"], &[0.0, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 10.0]),
    (&["minor_hexatonic"], &[0.0, 2.0, 3.0, 5.0, 7.0, 11.0]),
    (&["ionian_pentatonic"], &[0.0, 4.0, 5.0, 7.0, 11.0]),
    (&["mixolydian_pentatonic", "indian"], &[0.0, 4.0, 5.0, 7.0, 10.0]),
    (&["locrian_pentatonic"], &[0.0, 3.0, 5.0, 6.0, 10.0]),
    (&["minor_six_pentatonic"], &[0.0, 3.0, 5.0, 7.0, 9.0]),
    (&["malkos_raga"], &[0.0, 3.0, 5.0, 8.0, 10.0]),
    (&["composite_blues"], &[0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0, 10.0]),
];

/// The names of all scales, each by its first one.
pub fn scales() -> impl Iterator<Item = &'static str> {
    SCALES.iter().filter_map(|(names, _)| names.first().copied())
}

/// The semitones of a scale: by its name, whatever its capitals and what joins its words, or written out, `0 2 3 7.5`.
pub(super) fn scale_steps(text: &str) -> Option<Arc<[f64]>> {
    let plain = |name: &str| name.replace(['_', ' ', '-'], "").to_ascii_lowercase();
    let wanted = plain(text);
    if let Some((_, steps)) = SCALES.iter().find(|(names, _)| names.iter().any(|name| plain(name) == wanted))
    {
        return Some((*steps).into());
    }
    let number = |word: &str| Rational::from_decimal(word).map(Rational::to_f64);
    let steps: Vec<f64> = text.split_whitespace().map(number).collect::<Option<_>>()?;
    let rising = steps.windows(2).all(|pair| pair[0] < pair[1]);
    let octave = steps.first() == Some(&0.0) && steps.last().is_some_and(|last| *last < 12.0);
    (rising && octave).then(|| steps.into())
}

/// The MIDI notes of a chord's symbol, `Am7`, `F#maj7` or `C/E`; its root lies in the octave of c3.
pub(super) fn symbol(text: &str) -> Option<Vec<f64>> {
    let (text, bass) = with_bass(text);
    let letter = text.chars().next().filter(|c| matches!(c, 'A'..='G'))?;
    let accidental = text[1..].chars().next().filter(|c| matches!(c, '#' | 'b' | '♯' | '♭'));
    let split = 1 + accidental.map_or(0, char::len_utf8);
    let root = note_number(&format!("{letter}{}3", accidental.map_or(String::new(), String::from)))?;
    over(bass, root, chord_steps(&text[split..])?.iter().map(|&step| root + f64::from(step)).collect())
}

/// A chord without the note that lies below it, and the name of that. A slash before anything else is the chord's own: `C6/9`.
fn with_bass(text: &str) -> (&str, Option<&str>) {
    let split = text.rsplit_once('/').filter(|(_, bass)| below(bass).is_some());
    split.map_or((text, None), |(chord, bass)| (chord, Some(bass)))
}

/// The note of a name without an octave, near c3.
fn below(bass: &str) -> Option<f64> {
    note_number(&format!("{}3", bass.to_ascii_lowercase()))
}

/// A chord over a note of its own, less than an octave below the root, or one octave where that is the same.
fn over(bass: Option<&str>, root: f64, notes: Vec<f64>) -> Option<Vec<f64>> {
    let Some(bass) = bass else { return Some(notes) };
    let note = below(bass)?;
    let below = (root - note - 1.0).rem_euclid(12.0) + 1.0;
    Some(std::iter::once(root - below).chain(notes).collect())
}

/// The MIDI notes of a note's name with a chord behind it: `c'maj7`, then any of `'i` (inverted, once for each i), `'o` (open:
/// the first and the third note an octave lower) and a number of notes, `c'maj'5`, each of which changes what those before it left; a note below follows a slash, `c'maj/e`. `None` where it is not a chord.
pub(super) fn named(text: &str) -> Option<Vec<f64>> {
    let (text, bass) = with_bass(text);
    let mut parts = text.split('\'');
    let root = note_number(parts.next()?)?;
    let steps = chord_steps(parts.next()?)?;
    let mut notes: Vec<f64> = steps.iter().map(|&step| root + f64::from(step)).collect();
    for change in parts {
        match change.parse::<usize>() {
            Ok(n) if (1..=MOST_NOTES).contains(&n) => {
                let at = |i: usize| notes[i % notes.len()] + 12.0 * (i / notes.len()) as f64;
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
    over(bass, root, notes)
}

/// Notes of one chord.
const MOST_NOTES: usize = 24;
