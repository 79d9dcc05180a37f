//! The modifiers of patterns: one table for reading them, for `mamc list` and `mamc doc`, and for the pages in `docs/`.

/// A modifier as people look it up.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, as it stands behind the point.
    pub name: &'static str,
    /// What it is about; the heading under which it stands.
    pub group: Group,
    /// How it is written, its other forms after the first.
    pub forms: &'static [&'static str],
    /// What it does, as a sentence without its end.
    pub doc: &'static str,
    /// Whether it changes what only notes have: pitch, velocity, length.
    pub of_notes: bool,
}

impl Entry {
    /// Its forms in backquotes, and what they do: "`.fast(2)` or `.fast(\"2 3\")`: so many times as fast".
    pub fn usage(&self) -> String {
        let forms: Vec<_> = self.forms.iter().map(|form| format!("`.{form}`")).collect();
        format!("{}: {}", forms.join(" or "), self.doc)
    }
}

/// What a modifier is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Where events are in time.
    Time,
    /// Which events there are.
    Rhythm,
    /// When something else is changed.
    Condition,
    /// Copies at the same time.
    Layers,
    /// Chance.
    Chance,
    /// Numbers, velocities, pitches.
    Values,
    /// Chords and scales.
    Harmony,
}

impl Group {
    /// The heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Group::Time => "Time",
            Group::Rhythm => "Rhythm",
            Group::Condition => "Now and then",
            Group::Layers => "Layers",
            Group::Chance => "Chance",
            Group::Values => "Values",
            Group::Harmony => "Harmony",
        }
    }
}

/// Every modifier, group by group.
pub fn modifiers() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter()
}

/// The modifier of this name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// What begins a line, or stands as an argument, in the place of a pattern in quotes: its name, form and meaning.
pub const SOURCES: [(&str, &str, &str); 8] = [
    ("sine", "sine.range(60, 72).segment(8)", "a sine between 0 and 1, one turn a cycle"),
    ("saw", "saw.range(60, 72).segment(8)", "rises from 0 to 1 in each cycle"),
    (
        "tri",
        "tri.range(60, 72).segment(8)",
        "rises from 0 to 1 in the first half of each cycle and falls in the second",
    ),
    (
        "perlin",
        "perlin.range(60, 72).segment(8)",
        "goes smoothly from one random value between 0 and 1 to the next, one a cycle",
    ),
    ("rand", "rand.range(60, 72).segment(8)", "another random value between 0 and 1 at every instant"),
    ("cat", "cat(\"c4 e4\", \"g4\")", "patterns after one another, a cycle each"),
    ("seq", "seq(\"c4 e4\", \"g4\")", "patterns after one another within one cycle"),
    ("stack", "stack(\"c4 e4\", \"g4\")", "patterns at the same time"),
];

macro_rules! entries {
    ($($group:ident $notes:literal $name:literal [$($form:literal)+] $doc:literal;)*) => {
        &[$(Entry {
            name: $name,
            group: Group::$group,
            forms: &[$($form),+],
            doc: $doc,
            of_notes: $notes,
        }),*]
    };
}

/// Each modifier, `true` where it is one of notes alone.
const ENTRIES: &[Entry] = entries! {
    Time false "fast" ["fast(2)" "fast(\"2 3\")"] "so many times as fast";
    Time false "slow" ["slow(2)" "slow(\"2 3\")"] "so many times as slow";
    Time false "rev" ["rev"] "each cycle backwards";
    Time false "palindrome" ["palindrome"] "every other cycle backwards";
    Time false "shift" ["shift(1/16)"] "later by so many cycles (or beats, bars); earlier where negative";
    Time true "nudge" ["nudge(10ms)" "nudge(\"0ms 12ms\")"] "each note later by a time, at most 250 ms either way";
    Time false "swing" ["swing(1/3, 4)"] "the cycle in so many parts, the second half of each later by a share of that half";
    Time false "ply" ["ply(2)"] "each event so many times, in its own time";
    Time true "chop" ["chop(4)"] "each note as so many pieces of its sound, one after another: for a sampler";
    Time true "striate" ["striate(4)"] "the cycle so many times in its time, each time with the next piece of every sound: for a sampler";
    Time true "fit" ["fit"] "each note's sound as long as its event: for a sampler";
    Time true "loopAt" ["loopAt(2)"] "the sound in so many cycles, and the pattern so many times as slow: for a sampler";
    Time false "iter" ["iter(4)"] "each cycle four times, each time begun a quarter later";
    Time false "iterBack" ["iterBack(4)"] "each cycle four times, each time begun a quarter earlier";
    Time false "linger" ["linger(1/4)"] "only the first quarter of each cycle, again and again; the last where negative";
    Time false "zoom" ["zoom(1/4, 3/4)"] "a part of each cycle, stretched to a whole one";
    Time false "compress" ["compress(1/4, 3/4)"] "each cycle within a part of itself";
    Time false "ribbon" ["ribbon(2, 1)"] "from a cycle on so many cycles, again and again; what lasts beyond their ends is cut";
    Time false "brak" ["brak"] "every other cycle in half of its time, a quarter later";
    Time false "inside" ["inside(2, rev)"] "changed as if such a part of a cycle were one: here each half";
    Time false "outside" ["outside(4, rev)"] "changed as if so many cycles were one";
    Rhythm false "struct" ["struct(\"x ~ x x\")"] "with the events of a rhythm";
    Rhythm false "mask" ["mask(\"1 0\")"] "only while a rhythm is true";
    Rhythm false "euclid" ["euclid(3, 8)" "euclid(3, 8, 2)"] "so many onsets spread over so many steps, and so many steps later";
    Rhythm false "segment" ["segment(4)"] "so many events a cycle, with the values of their beginnings: steps for a signal";
    Rhythm true "legato" ["legato(0.5)" "legato(\"1 0.5\")"] "notes are held for a share of their events, or longer";
    Rhythm true "clip" ["clip(0.5)" "clip(\"1 0.5\")"] "the same as `legato`";
    Condition false "every" ["every(4, rev)" "every(\"<3 4>\", rev)"] "in cycles 0, 4, 8 …";
    Condition false "firstOf" ["firstOf(4, rev)"] "the same as `every`: in the first of four cycles";
    Condition false "lastOf" ["lastOf(4, rev)"] "in the last of four cycles";
    Condition false "when" ["when(\"<1 0 0>\", rev)"] "while a rhythm is true";
    Condition false "chunk" ["chunk(4, ply(2))" "chunk(-4, ply(2))"] "each cycle four times, changed in its first quarter, then in its second, and so on; from the last backwards where negative";
    Condition false "within" ["within(0, 1/2, ply(2))"] "what begins from one place of each cycle to another, both included, changed by itself, beside the rest";
    Layers false "off" ["off(1/8, transpose(7st))"] "with a changed copy, so many cycles (or beats, bars) later";
    Layers false "superimpose" ["superimpose(fast(2))"] "with changed copies";
    Layers false "layer" ["layer(fast(2), rev)"] "changed in several ways, all at once";
    Layers true "jux" ["jux(rev)"] "as it is to the left, and changed to the right";
    Layers true "echo" ["echo(3, 1/8, 0.5)"] "so many copies, so far apart, each quieter by a factor";
    Chance false "degrade" ["degrade(50%)" "degrade"] "drops a share of the events, half of them if nothing is said";
    Chance false "sometimes" ["sometimes(30%, fast(2))" "sometimes(fast(2))"] "for a share of the events, half of them if nothing is said";
    Chance false "often" ["often(fast(2))"] "for three quarters of the events";
    Chance false "rarely" ["rarely(fast(2))"] "for a quarter of the events";
    Chance true "humanize" ["humanize(8ms, 10%)"] "each note by chance a little earlier or later, louder or softer, by no more than these";
    Values true "vel" ["vel(0.8)" "vel(\"1 0.6\")"] "multiplies velocities";
    Values true "transpose" ["transpose(7st)" "transpose(\"0st 7st\")"] "moves notes by semitones";
    Values false "add" ["add(2)" "add(\"0 7\")"] "adds to numbers, to degrees of a scale, in semitones to notes";
    Values false "sub" ["sub(2)" "sub(\"0 7\")"] "takes away from them";
    Values false "mul" ["mul(2)" "mul(\"1 2\")"] "multiplies numbers and degrees";
    Values false "range" ["range(60, 72)"] "brings numbers from 0..1 to another range";
    Values true "slice" ["slice(8, \"0 3 2 1\")"] "one of so many pieces of a sampler's sound, from 0, in the rhythm of their numbers";
    Values true "splice" ["splice(8, \"0 3 2 1\")"] "the same, each piece as long as its event";
    Values true "set" ["set(gain: \"0.4 1\")" "set(gain: 0.5, decay: \"80ms 200ms\")"] "each note gives its voice values of the instrument's parameters";
    Harmony true "scale" ["scale(c, minor)" "scale(c, \"0 2 3 7 8\")" "scale(\"<c:minor eb:major>\")"] "numbers are degrees, from 0; what lies between two is the upper one; notes by name stay";
    Harmony true "chord" ["chord"] "the words are chords: `Am7 D7 Gmaj7`";
    Harmony true "invert" ["invert(1)" "invert(\"<0 1>\")"] "the lowest notes of each chord, so many, an octave higher";
    Harmony true "voicing" ["voicing" "voicing(c3, c5)"] "each note of a chord in the octave around the middle of a range, so that voices move little";
    Harmony true "arp" ["arp(up)" "arp(\"<up down>\")" "arp(\"0 [0,2] 1\")"] "the notes of each chord after one another, in the rhythm of their numbers (from the lowest, 0) or in an order in its time: `up down updown downup converge diverge disconverge pinkyup thumbup pinkyupdown thumbupdown`";
};
