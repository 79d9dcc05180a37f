//! The kinds of problems that a score can have.

use mam_grammar::{Code, Severity};

macro_rules! codes {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $severity:ident, $explanation:literal, $fails:literal, $passes:literal;)*) => {
        $($(#[$doc])* pub static $id: Code = Code {
            name: $name,
            severity: Severity::$severity,
            explanation: $explanation,
            fails: $fails,
            passes: $passes,
        };)*
        /// All kinds of problems of scores.
        pub static ALL: &[&Code] = &[$(&$id),*];
    };
}

codes! {
    /// A word of a pattern that means nothing for what the line plays.
    PATTERN_VALUE = "pattern-value", Error,
        "The values of a pattern are notes (`c4`, `eb3`, `60`), hits (`x`) or numbers with units (`800Hz`, `40%`), as fits what the line plays. An instrument without a pitch takes any word as a hit.",
        "lead = pluck()\nplay { lead \"c4 cheese\" }\nout = lead\n",
        "lead = pluck()\nplay { lead \"c4 e4\" }\nout = lead\n";
    /// An operator's number that makes no sense.
    PATTERN_NUMBER = "pattern-number", Error,
        "An operator of the notation is given a number that it cannot work with: weights and repetitions are positive (repetitions whole), factors are numbers, a rhythm `(k,n)` has whole numbers with n at least 1 and k at most n.",
        "bd = kick()\nplay { bd \"x(5,3)\" }\nout = bd\n",
        "bd = kick()\nplay { bd \"x(3,5)\" }\nout = bd\n";
    /// A rhythm without steps.
    RHYTHM_EMPTY = "rhythm-empty", Note,
        "A rhythm `(0,0)` spreads no onsets over no steps: it is silent, as in Tidal.",
        "bd = kick()\nplay { bd \"x x(0,0)\" }\nout = bd\n",
        "bd = kick()\nplay { bd \"x ~\" }\nout = bd\n";
    /// A pattern that is too much.
    PATTERN_TOO_MUCH = "pattern-too-much", Error,
        "One cycle of a pattern may hold 16384 events and take a bounded amount of work. A factor or a repetition is probably far larger than was meant.",
        "bd = kick()\nplay { bd \"x*1000000000\" }\nout = bd\n",
        "bd = kick()\nplay { bd \"x*16\" }\nout = bd\n";
    /// Times that exact arithmetic cannot hold.
    PATTERN_TOO_FINE = "pattern-too-fine", Error,
        "Musical time is computed in exact fractions of 128-bit numbers. This pattern divides time so often, by numbers with so little in common, that the fractions no longer fit.",
        "bd = kick()\nplay { bd \"x*1.000000000000007*1.000000000000009*1.00000000000003\" }\nout = bd\n",
        "bd = kick()\nplay { bd \"x*1.5\" }\nout = bd\n";
    /// A hold without a note before it.
    TAB_HOLD = "tab-hold", Error,
        "`_` in a drum tab holds the note before it; here no note comes before.",
        "bd = kick()\nplay { bd |_..x| }\nout = bd\n",
        "bd = kick()\nplay { bd |x_..| }\nout = bd\n";
    /// A tab whose steps do not fit the bar.
    TAB_LENGTH = "tab-length", Warning,
        "The steps of a bar of a drum tab share the bar equally. A number of steps that does not go with the meter's beats is usually a step too few or too many. `by 1/16` fixes the step instead, so that a pattern of another length runs against the bar.",
        "bd = kick()\nplay { bd |x...x...x...x..| }\nout = bd\n",
        "bd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
    /// A line of something that does not exist.
    UNKNOWN_TARGET = "unknown-target", Error,
        "A line of a score begins with the name of an instrument (`bd`) or of one of its parameters (`bd.gain`), or of a knob.",
        "bd = kick()\nplay { db |x...| }\nout = bd\n",
        "bd = kick()\nplay { bd |x...| }\nout = bd\n";
    /// A line of something that cannot be played.
    NOT_PLAYABLE = "not-playable", Error,
        "Only instruments, their parameters and knobs can be played: a name whose value is a plain signal has no notes. A name is an instrument if following the left ends of pipes from it reaches exactly one instrument call.",
        "bd = kick()\nlevel = 0.5\nplay { level |x...| }\nout = bd * level\n",
        "bd = kick()\nlevel = 0.5\nplay { bd |x...| }\nout = bd * level\n";
    /// A line without a single event.
    SILENT_LINE = "silent-line", Warning,
        "This line is all rests, so it never sounds.",
        "bd = kick()\nplay { bd |....| }\nout = bd\n",
        "bd = kick()\nplay { bd |x...| }\nout = bd\n";
    /// Two lines set one parameter at one instant.
    LINES_FIGHT = "lines-fight", Warning,
        "Two lines set the same parameter at the same instant to different values. The later line wins there.",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"0.5\"\n  bd.gain \"1 0.2\"\n}\nout = bd\n",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"0.5 0.2\"\n}\nout = bd\n";
    /// A tab whose end is not heard.
    TAB_CUT = "tab-cut", Warning,
        "A drum tab has more bars than the section, or the song, in which it stands: its last bars are never heard.",
        "bd = kick()\nsection a 1 bar { bd |x...|x.x.| }\nplay a\nout = bd\n",
        "bd = kick()\nsection a 2 bars { bd |x...|x.x.| }\nplay a\nout = bd\n";
    /// A ramp that is cut by the next value of its line.
    RAMP_CUT = "ramp-cut", Warning,
        "A pattern is one bar long and comes again in each bar, whatever `over` says: here the next value begins before the ramp to the one before it is over, so that it never arrives. `.slow(4)` lets a pattern take four bars.",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1 0\" over 2 bars\n}\nout = bd\n",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1 0\".slow(4) over 2 bars\n}\nout = bd\n";
    /// A parameter that the end of a pass leaves changed.
    LEFT_OVER = "left-over", Warning,
        "What a line sets stays set, also when the song starts over. This parameter is not set where a pass begins, so that every pass but the first begins with what the one before has left.",
        "knob fade = 1 in 0..1\nbd = kick()\nsection a 1 bar { bd |x...| }\nsection end 1 bar {\n  bd |x...|\n  fade \"0\" over 1 bar\n}\nplay a end\nout = bd * fade\n",
        "knob fade = 1 in 0..1\nbd = kick()\nsection a 1 bar {\n  bd |x...|\n  fade \"1\"\n}\nsection end 1 bar {\n  bd |x...|\n  fade \"0\" over 1 bar\n}\nplay a end\nout = bd * fade\n";
    /// Words that are not what the instrument plays.
    WORD_IS_A_HIT = "word-is-a-hit", Warning,
        "An instrument without a pitch takes every word of a pattern as a hit of its own: the names of other sounds do not play these. Each instrument has its own line.",
        "bd = kick()\nsd = snare()\nplay {\n  bd \"bd sd\"\n  sd |..x.|\n}\nout = bd + sd\n",
        "bd = kick()\nsd = snare()\nplay {\n  bd \"bd ~\"\n  sd |..x.|\n}\nout = bd + sd\n";
    /// A value outside the parameter's range.
    VALUE_CLAMPED = "value-clamped", Warning,
        "A value of a parameter outside its range is moved to the nearer end of the range.",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"7\"\n}\nout = bd\n",
        "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1.2\"\n}\nout = bd\n";
    /// More notes at once than voices.
    POLYPHONY = "polyphony", Warning,
        "More notes sound at once than the instrument has voices, so that new notes cut off old ones. Give it more with `voices:`, or let the notes not overlap.",
        "pad = bell()\nplay { pad \"[c4,e4,g4]\" }\nout = pad\n",
        "pad = bell(voices: 3)\nplay { pad \"[c4,e4,g4]\" }\nout = pad\n";
    /// A section that no arrangement plays.
    UNUSED_SECTION = "unused-section", Warning,
        "A section sounds where an arrangement names it (`play intro verse*2`); this one is never played.",
        "bd = kick()\nsection a 1 bar { bd |x...| }\nsection b 1 bar { bd |x.x.| }\nplay a\nout = bd\n",
        "bd = kick()\nsection a 1 bar { bd |x...| }\nsection b 1 bar { bd |x.x.| }\nplay a b\nout = bd\n";
    /// An arrangement names a section that is not there.
    UNKNOWN_SECTION = "unknown-section", Error,
        "An arrangement names sections that stand in the same block or around it.",
        "bd = kick()\nsection verse 1 bar { bd |x...| }\nplay vers\nout = bd\n",
        "bd = kick()\nsection verse 1 bar { bd |x...| }\nplay verse\nout = bd\n";
    /// Two of what there can be one of.
    SCORE_TWICE = "score-twice", Error,
        "A level of a score has at most one `play { }` and one arrangement, a song one meter, swing, length and seed, and one tempo at each bar; section names stand once.",
        "bd = kick()\nmeter 4/4\nmeter 4/4\nplay { bd |x...| }\nout = bd\n",
        "bd = kick()\nmeter 4/4\nplay { bd |x...| }\nout = bd\n";
    /// A section that plays itself, or is longer than what it stands in.
    SECTION_NESTING = "section-nesting", Error,
        "A section may arrange sections within it, but never itself.",
        "bd = kick()\nsection a 1 bar { play a }\nplay a\nout = bd\n",
        "bd = kick()\nsection a 1 bar { bd |x...| }\nplay a\nout = bd\n";
    /// An inner arrangement that does not fit its section.
    SECTION_LENGTH = "section-length", Warning,
        "The sections arranged within a section are longer than it is; what lies beyond its end is not heard.",
        "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 2 bars { play b }\nplay a\nout = bd\n",
        "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 4 bars { play b }\nplay a\nout = bd\n";
    /// A number of the score that makes no sense.
    SCORE_NUMBER = "score-number", Error,
        "A number of the score's own statements is not what it has to be: tempos are positive beats per minute, bars count from 1, lengths and meters are positive, swing lies between 0% and 100%, repetitions are whole numbers.",
        "bd = kick()\ntempo 0\nplay { bd |x...| }\nout = bd\n",
        "bd = kick()\ntempo 120\nplay { bd |x...| }\nout = bd\n";
    /// A tempo change that is never reached, or a length that does not count.
    SCORE_UNREACHED = "score-unreached", Warning,
        "A statement about the song's time has no effect: a tempo change beyond its end, or a `length` where an arrangement already says how long the song is.",
        "bd = kick()\ntempo 120\ntempo 140 at bar 9\nlength 4 bars\nplay { bd |x...| }\nout = bd\n",
        "bd = kick()\ntempo 120\ntempo 140 at bar 3\nlength 4 bars\nplay { bd |x...| }\nout = bd\n";
    /// A modifier that does not exist, or with the wrong arguments.
    MODIFIER = "pattern-modifier", Error,
        "After a pattern may stand `.fast(2) .slow(2) .rev .every(4, rev) .sometimes(30%, fast(2)) .off(1/8, transpose(7st)) .degrade(50%) .ply(2) .iter(4) .shift(1/16) .vel(\"1 0.6\") .transpose(7st) .scale(c, minor)`.",
        "bd = kick()\nplay { bd |x...|.fats(2) }\nout = bd\n",
        "bd = kick()\nplay { bd |x...|.fast(2) }\nout = bd\n";
}
