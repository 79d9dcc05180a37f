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
    (&["maj7", "major7", "M7", "ma7", "^7", "Δ"], &[0, 4, 7, 11]),
    (&["m7", "min7", "minor7", "mi7"], &[0, 3, 7, 10]),
    (&["mM7", "mmaj7", "minmaj7", "m^7"], &[0, 3, 7, 11]),
    (&["dim7", "o7"], &[0, 3, 6, 9]),
    (&["m7b5", "m7flat5", "h7", "h", "ø7", "ø"], &[0, 3, 6, 10]),
    (&["aug7", "7#5", "7b13"], &[0, 4, 8, 10]),
    (&["7b5", "7f5"], &[0, 4, 6, 10]),
    (&["maj7#5", "^7#5"], &[0, 4, 8, 11]),
    (&["m7#5", "m7sharp5"], &[0, 3, 8, 10]),
    (&["7sus4", "7sus", "sus7"], &[0, 5, 7, 10]),
    (&["7sus2"], &[0, 2, 7, 10]),
    (&["add9", "add2"], &[0, 4, 7, 14]),
    (&["madd9", "madd2"], &[0, 3, 7, 14]),
    (&["9", "dom9"], &[0, 4, 7, 10, 14]),
    (&["maj9", "major9", "M9", "ma9", "^9"], &[0, 4, 7, 11, 14]),
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

/// The semitones above the root of the chord of that kind: `0 4 7 11` of `maj7`, `0 4 7` of the empty name. A kind without an entry
/// of its own is put together from a quality, a number and what is changed in it: `m9b5`, `13sus4`, `7b9#11`, `6/9`.
pub fn chord_steps(kind: &str) -> Option<Vec<i32>> {
    let known = CHORDS.iter().find(|(names, _)| names.contains(&kind)).map(|(_, steps)| steps.to_vec());
    known.or_else(|| Chord::read(kind).map(|chord| chord.steps()))
}

/// A chord in the making, in semitones above its root.
struct Chord {
    third: Option<i32>,
    fifth: Option<i32>,
    seventh: Option<i32>,
    /// What the number 7 means for this quality.
    own_seventh: i32,
    /// Sixths, and what lies above the octave.
    others: Vec<i32>,
}

/// Names of qualities with third, fifth and seventh: the longer of two with the same beginning first.
const QUALITIES: [(&str, [i32; 3]); 19] = [
    ("major", [4, 7, 11]),
    ("maj", [4, 7, 11]),
    ("Maj", [4, 7, 11]),
    ("minor", [3, 7, 10]),
    ("min", [3, 7, 10]),
    ("mi", [3, 7, 10]),
    ("m", [3, 7, 10]),
    ("-", [3, 7, 10]),
    ("M", [4, 7, 11]),
    ("^", [4, 7, 11]),
    ("Δ", [4, 7, 11]),
    ("dim", [3, 6, 9]),
    ("°", [3, 6, 9]),
    ("o", [3, 6, 9]),
    ("aug", [4, 8, 10]),
    ("+", [4, 8, 10]),
    ("ø", [3, 6, 10]),
    ("h", [3, 6, 10]),
    ("dom", [4, 7, 10]),
];

/// What stands between another quality and a number, so that the seventh is major: `mMaj9`. The triangle, and `dom`, need no number.
const MAJOR: [&str; 6] = ["maj", "Maj", "ma", "M", "^", TRIANGLE];
const TRIANGLE: &str = "Δ";

/// Numbers behind a quality, without the seventh that all but the sixths have.
const NUMBERS: [(&str, &[i32]); 6] =
    [("69", &[9, 14]), ("6", &[9]), ("7", &[]), ("9", &[14]), ("11", &[14, 17]), ("13", &[14, 21])];

/// Numbers behind a slash.
const TENSIONS: [(&str, i32); 3] = [("9", 14), ("11", 17), ("13", 21)];

/// What is changed: `b9` takes the place of the ninth.
const CHANGES: [(&str, Alteration); 39] = {
    use Alteration::{Add, Alter, Fifth, Major, No, Third};
    [
        ("maj7", Major),
        ("Maj7", Major),
        ("ma7", Major),
        ("M7", Major),
        ("^7", Major),
        ("sus2", Third(2)),
        ("sus4", Third(5)),
        ("sus", Third(5)),
        ("add2", Add(14)),
        ("add4", Add(17)),
        ("add6", Add(9)),
        ("add9", Add(14)),
        ("addb9", Add(13)),
        ("add#9", Add(15)),
        ("add#11", Add(18)),
        ("add11", Add(17)),
        ("add13", Add(21)),
        ("b5", Fifth(6)),
        ("♭5", Fifth(6)),
        ("#5", Fifth(8)),
        ("♯5", Fifth(8)),
        ("+5", Fifth(8)),
        ("aug", Fifth(8)),
        ("b9", Alter(14, 13)),
        ("♭9", Alter(14, 13)),
        ("#9", Alter(14, 15)),
        ("♯9", Alter(14, 15)),
        ("#11", Alter(17, 18)),
        ("♯11", Alter(17, 18)),
        ("#4", Alter(17, 18)),
        ("b13", Alter(21, 20)),
        ("♭13", Alter(21, 20)),
        ("b6", Alter(21, 20)),
        ("#13", Alter(21, 22)),
        ("alt7", Alteration::Altered),
        ("alt", Alteration::Altered),
        ("no3", No(3)),
        ("no5", No(5)),
        ("+", Fifth(8)),
    ]
};

/// One thing that is changed in a chord.
#[derive(Clone, Copy)]
enum Alteration {
    /// The seventh is major.
    Major,
    /// Another note in the place of the third.
    Third(i32),
    /// Another fifth.
    Fifth(i32),
    /// One note more.
    Add(i32),
    /// A note in the place of another.
    Alter(i32, i32),
    /// Without third or fifth.
    No(i32),
    /// With a raised fifth and a raised ninth.
    Altered,
}

impl Chord {
    fn read(kind: &str) -> Option<Chord> {
        let quality =
            QUALITIES.iter().find_map(|(name, steps)| Some((*name, steps, kind.strip_prefix(name)?)));
        let (quality, &[third, fifth, usual], rest) = quality.unwrap_or(("", &[4, 7, 10], kind));
        let number_follows = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        let major = MAJOR.iter().filter(|_| usual != 11 && !quality.is_empty()).find_map(|mark| {
            let after = rest.strip_prefix(mark)?;
            (*mark == TRIANGLE || number_follows(after)).then_some((*mark, after))
        });
        let (own_seventh, rest) = major.map_or((usual, rest), |(_, rest)| (11, rest));
        let implied = matches!(quality, TRIANGLE | "dom") || major.is_some_and(|(mark, _)| mark == TRIANGLE);
        let number =
            NUMBERS.iter().find_map(|(name, others)| Some((*name, others, rest.strip_prefix(name)?)));
        let (seventh, others, mut rest) = match number {
            Some((name, others, rest)) => {
                ((!name.starts_with('6')).then_some(own_seventh), others.to_vec(), rest)
            }
            None => (implied.then_some(own_seventh), vec![], rest),
        };
        let mut chord = Chord { third: Some(third), fifth: Some(fifth), seventh, own_seventh, others };
        while !rest.is_empty() {
            // A number behind a slash is added: `6/9`.
            if let Some((&(_, step), after)) = rest.strip_prefix('/').and_then(|rest| {
                TENSIONS.iter().find_map(|tension| Some((tension, rest.strip_prefix(tension.0)?)))
            }) {
                chord.change(Alteration::Add(step));
                rest = after;
                continue;
            }
            rest = rest.strip_prefix('/').unwrap_or(rest);
            let (change, after) =
                CHANGES.iter().find_map(|(name, change)| Some((*change, rest.strip_prefix(name)?)))?;
            chord.change(change);
            rest = after;
        }
        Some(chord)
    }

    fn change(&mut self, change: Alteration) {
        match change {
            Alteration::Major => self.seventh = Some(11),
            Alteration::Third(step) => self.third = Some(step),
            Alteration::Fifth(step) => self.fifth = Some(step),
            Alteration::Add(step) => self.others.push(step),
            Alteration::Alter(before, after) => {
                self.others.retain(|step| *step != before);
                self.others.push(after);
            }
            Alteration::No(3) => self.third = None,
            Alteration::No(_) => self.fifth = None,
            Alteration::Altered => {
                (self.fifth, self.seventh) = (Some(8), Some(self.own_seventh));
                self.change(Alteration::Alter(14, 15));
            }
        }
    }

    fn steps(&self) -> Vec<i32> {
        let within = [Some(0), self.third, self.fifth, self.seventh].into_iter().flatten();
        let mut steps: Vec<i32> = within.chain(self.others.iter().copied()).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_put_together() {
        let cases: [(&str, &[i32]); 37] = [
            ("mM9", &[0, 3, 7, 11, 14]),
            ("mMaj9", &[0, 3, 7, 11, 14]),
            ("-^9", &[0, 3, 7, 11, 14]),
            ("-Δ", &[0, 3, 7, 11]),
            ("dom", &[0, 4, 7, 10]),
            ("Δ#11", &[0, 4, 7, 11, 18]),
            ("ma7", &[0, 4, 7, 11]),
            ("9+", &[0, 4, 8, 10, 14]),
            ("maj7+5", &[0, 4, 8, 11]),
            ("7b6", &[0, 4, 7, 10, 20]),
            ("9#4", &[0, 4, 7, 10, 14, 18]),
            ("+add#9", &[0, 4, 8, 15]),
            ("alt7", &[0, 4, 8, 10, 15]),
            ("mMaj7", &[0, 3, 7, 11]),
            ("-7", &[0, 3, 7, 10]),
            ("Δ9", &[0, 4, 7, 11, 14]),
            ("ø", &[0, 3, 6, 10]),
            ("ø7", &[0, 3, 6, 10]),
            ("°7", &[0, 3, 6, 9]),
            ("+", &[0, 4, 8]),
            ("+7", &[0, 4, 8, 10]),
            ("6add9", &[0, 4, 7, 9, 14]),
            ("6/9", &[0, 4, 7, 9, 14]),
            ("m6/9", &[0, 3, 7, 9, 14]),
            ("/9", &[0, 4, 7, 14]),
            ("7/#11", &[0, 4, 7, 10, 18]),
            ("m7/11/13", &[0, 3, 7, 10, 17, 21]),
            ("m/maj7", &[0, 3, 7, 11]),
            ("13b9", &[0, 4, 7, 10, 13, 21]),
            ("13sus4", &[0, 5, 7, 10, 14, 21]),
            ("7b9#11", &[0, 4, 7, 10, 13, 18]),
            ("7b5b9", &[0, 4, 6, 10, 13]),
            ("7b9#9", &[0, 4, 7, 10, 13, 15]),
            ("m9b5", &[0, 3, 6, 10, 14]),
            ("maj9#11", &[0, 4, 7, 11, 14, 18]),
            ("7alt", &[0, 4, 8, 10, 15]),
            ("9no3", &[0, 7, 10, 14]),
        ];
        for (kind, steps) in cases {
            assert_eq!(chord_steps(kind).as_deref(), Some(steps), "{kind}");
        }
        for wrong in ["foo", "7c", "8", "77", "b", "4", "add"] {
            assert_eq!(chord_steps(wrong), None, "{wrong}");
        }
    }

    /// What the table says of a kind is what it is put together from, but for shorthands that have no such meaning.
    #[test]
    fn the_table_agrees_with_the_rules() {
        let shorthands = [
            "5", "five", "power", "six", "sixNine", "plus", "m7sharp5", "m7flat5", "7f5", "sus7", "h", "ø",
            "7b13", "7sus", "9sus", "ma7", "ma9",
        ];
        for (names, steps) in CHORDS {
            for name in names.iter().filter(|name| !shorthands.contains(name)) {
                let read = Chord::read(name).map(|chord| chord.steps());
                assert_eq!(read.as_deref(), Some(steps), "{name}");
            }
        }
    }
}
