//! Notes by their names.

/// By how many semitones accidentals raise; `None` for other words. `letters` are those that stand for `#` and `b`.
pub(super) fn raised(accidentals: &str, letters: bool) -> Option<f64> {
    const MOST: usize = 4;
    let one = |c| match c {
        '#' | '♯' => Some(1.0),
        'b' | '♭' => Some(-1.0),
        's' if letters => Some(1.0),
        'f' if letters => Some(-1.0),
        _ => None,
    };
    let few = accidentals.chars().count() <= MOST;
    accidentals.chars().map(one).sum::<Option<f64>>().filter(|_| few)
}

/// The MIDI number of a note's name: `c4` is 60, a bare `c` too; `#`, `♯` and `s` raise, `b`, `♭` and `f` lower.
pub fn note_number(name: &str) -> Option<f64> {
    let mut letters = name.chars();
    let letter = letters.next()?.to_ascii_lowercase();
    let pitch = match letter {
        'c' => 0,
        'd' => 2,
        'e' => 4,
        'f' => 5,
        'g' => 7,
        'a' => 9,
        'b' => 11,
        _ => return None,
    };
    let rest = letters.as_str();
    let octave_at = rest.find(|c: char| c.is_ascii_digit() || c == '-').unwrap_or(rest.len());
    let (accidentals, octave) = rest.split_at(octave_at);
    let raised = raised(accidentals, true)?;
    let octave: i32 = if octave.is_empty() { 4 } else { octave.parse().ok()? };
    (-9..=20).contains(&octave).then(|| f64::from((octave + 1) * 12 + pitch) + raised)
}
