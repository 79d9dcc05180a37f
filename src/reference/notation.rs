//! The signs of the mini-notation, which stands between the quotes of a line.

use super::Topic;

/// A sign by its names, how it is written, what it does, and a pattern in which it stands.
pub(super) struct Sign {
    name: &'static str,
    form: &'static str,
    doc: &'static str,
    pattern: &'static str,
}

macro_rules! signs {
    ($($name:literal $form:literal $doc:literal $pattern:literal;)*) => {
        /// Each sign by itself; brackets by themselves and with what is in them.
        pub(super) const SIGNS: &[Sign] = &[$(Sign { name: $name, form: $form, doc: $doc, pattern: $pattern }),*];
    };
}

signs! {
    "~" "c4 ~ e4" "A rest, as `-` is." "c4 ~ e4 ~";
    "!" "c4!3 e4" "The step so many times, each a step of its own; twice without a number." "c4!3 e4";
    "@" "c4@3 e4" "The step takes the time of so many; `c4 _ _ e4` says the same." "c4@3 e4";
    "_" "c4 _ e4" "The step before it takes the time of one more. In a drum tab it holds the note before it." "c4 _ e4 g4";
    "*" "c4*2 e4" "The step so many times as fast, in its own time. The factor may be a pattern: `c4*<2 3>`." "c4*2 e4";
    "/" "[c4 e4]/2" "The step so many times as slow: a part of it each cycle. Not a fraction: `1/4` is 1, four times as slow." "[c4 e4]/2";
    "?" "c4 e4?" "The step is left out by chance, half of the time; with a probability, `e4?0.3`." "c4 e4? g4?0.3";
    ":" "c4:0.5" "A note and its velocity." "c4:0.5 e4";
    "," "[c4,e4]" "Between sequences: they sound at the same time." "[c4,e4,g4] ~";
    "|" "c4 | e4" "Between sequences: one of them by chance, each cycle. Around steps without quotes it is a bar line of a drum tab." "c4 e4 | g4";
    "." "c4 . e4 g4" "Between groups of steps, which take the same time each: `c4 [e4 g4]`. In a drum tab it is a rest." "c4 . e4 g4";
    ".." "0 .. 3" "All numbers, notes or degrees from the one to the other, both included, in the time of one step, with white space before the dots." "c4 .. e4";
    "[]" "[c4 e4] g4" "A group takes the time of one step." "[c4 e4] g4";
    "[ ]" "[c4 e4] g4" "A group takes the time of one step." "[c4 e4] g4";
    "<>" "<c4 e4>" "One of its steps each cycle, in turn." "c4 <e4 g4>";
    "< >" "<c4 e4>" "One of its steps each cycle, in turn." "c4 <e4 g4>";
    "{}" "{c4 e4 g4}%4" "So many of its steps each cycle, going on in the next where it stopped." "{c4 e4 g4}%4";
    "{ }" "{c4 e4 g4}%4" "So many of its steps each cycle, going on in the next where it stopped." "{c4 e4 g4}%4";
    "()" "c4(3,8)" "So many onsets spread over so many steps; with a third number, so many steps later." "c4(3,8)";
    "( )" "c4(3,8)" "So many onsets spread over so many steps; with a third number, so many steps later." "c4(3,8)";
    "'" "c4'maj7" "Between a note and the name of a chord on it." "c4'maj7 ~";
}

/// What is said of a sign. A pair of brackets with a blank within is another spelling of the same.
pub(super) fn of_sign<'p>(sign: &Sign) -> Topic<'p> {
    Topic {
        name: sign.name,
        kind: "sign",
        group: "Signs of the notation in quotes".into(),
        form: format!("\"{}\"", sign.form),
        doc: sign.doc.into(),
        internal: sign.name.contains(' '),
        example: Some(format!("x = pluck(voices: 8)\nplay {{ x \"{}\" }}\nout = x\n", sign.pattern)),
        definition: None,
    }
}
