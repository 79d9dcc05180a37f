//! What the language's own words mean: the statements, the words of expressions and of a score, the units. For those who
//! look a word up; what is read is in [`syntax`](crate::syntax).

use crate::ast::Unit;

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// At the beginning of an item.
    Statement,
    /// Within an expression, or in a line of a score.
    Expression,
    /// Directly after a number, as in `5ms`.
    Unit,
    /// A signal that is there without an equation.
    Signal,
    /// Behind what begins a statement, a line of a score or a call.
    Behind,
    /// A mark between two values.
    Mark,
}

/// A word of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is written.
    pub name: &'static str,
    /// Where in a song the word stands.
    pub kind: WordKind,
    /// How it is used.
    pub form: &'static str,
    /// What it does; the first sentence by itself says the most important.
    pub doc: &'static str,
    /// A whole song that uses it; empty where the form is all there is to see.
    pub example: &'static str,
}

macro_rules! words {
    ($($kind:ident $name:literal $form:literal $doc:literal $($example:literal)?;)*) => {
        /// All words, by their places.
        pub static WORDS: &[Word] = &[
            $(Word {
                name: $name, kind: WordKind::$kind, form: $form, doc: $doc, example: concat!($($example)?),
            }),*
        ];
    };
}

words! {
    Statement "tempo" "tempo 130" "Quarter notes a minute; 120 where it is not said. `tempo 138 at bar 3` is the tempo from there on, `tempo 130..150 over bars 5..9` goes from one to the other."
        "tempo 130\nbd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
    Statement "meter" "meter 7/8" "How long a bar is; 4/4 where it is not said."
        "meter 7/8\nbd = kick()\nplay { bd |x..x.x.| }\nout = bd\n";
    Statement "swing" "swing 12% of 1/8" "The second step of each pair begins later, by that share of half a step; of sixteenths where it is not said."
        "swing 12%\nhh = closed_hat()\nplay { hh |x.x.x.x.x.x.x.x.| }\nout = hh\n";
    Statement "length" "length 16 bars" "How long the song is. Without it: its arrangement, or until every line is back at its start, at most 64 bars."
        "length 2 bars\nbd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
    Statement "seed" "seed 7" "The whole number from which all chance is drawn."
        "seed 7\nhh = closed_hat()\nplay { hh \"x*16?\" }\nout = hh\n";
    Statement "channels" "channels 4" "How many channels the song has, from 1 to 8; 2 where it is not said. `out` is a list of as many mono signals, or a mono signal for all of them. They are the signals of speakers in the order of sound files, four being left, right, rear left and rear right; with `channels 4 ambisonic` the components W, Y, Z and X of a sound field."
        "channels 4\nbd = kick()\nplay { bd |x...x...| }\nout = list i in 0..3 { bd / (i + 1) }\n";
    Statement "expect" "expect peak(kick()) < 0dB" "What a measure of an expression is to be: `<`, `>`, `in a..b` or `within 5% of 2s`. `mamc test` measures it; a song is not changed by it."
        "bd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\nexpect peak(bd) < 0dB\n";
    Statement "tuning" "tuning edo 19" "Which pitches the keys have: a scale of Scala, `tuning \"scale.scl\"`, with a keyboard mapping behind it if wanted, or so many equal steps an octave."
        "tuning edo 19\nlead = pluck()\nplay { lead \"c4 e4 g4 ~\" }\nout = lead\n";
    Statement "title" "title \"Night bus\"" "The song's name."
        "title \"Night bus\"\nout = sine(220Hz) * 10%\n";
    Statement "use" "use \"lib/mine.mam\"" "Brings in the definitions of another file, relative to the file that says it.";
    Statement "play" "play { … }" "Plays the lines between the braces: a target, a tab or a pattern, modifiers. `play intro verse*2` plays sections one after the other."
        "bd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
    Statement "section" "section verse 8 bars { … }" "A named part of the song, with lines of its own; `play` says when it is heard."
        "bd = kick()\nsection verse 2 bars { bd |x...x...x...x...| }\nplay verse*2\nout = bd\n";
    Statement "def" "def f(x, time: s = 10ms) = expression" "Defines a function of signals; a body in braces has an `out`. Each use has a state of its own."
        "def half(x) = x * 50%\nout = half(sine(220Hz)) * 10%\n";
    Statement "instrument" "instrument name { … }" "Defines what plays notes, from `trig`, `gate`, `freq`, `note` and `vel`."
        "instrument beep {\n  until since(trig) > 9600\n  out = sine(freq) * gate * vel * 20%\n}\nb = beep()\nplay { b \"c4 e4 g4 ~\" }\nout = b\n";
    Statement "effect" "effect name { … }" "Defines what changes a signal, `in`; used as `x |> name()`."
        "effect half {\n  param level = 50% in 0%..100%\n  out = in * level\n}\nout = sine(220Hz) |> half(level: 10%)\n";
    Statement "param" "param cutoff = 800Hz in 20Hz..18kHz curve exp" "A parameter of an instrument or an effect, with its default and range; `step` never ramps it, `smooth 5ms` lets it glide."
        "effect half {\n  param level = 50% in 0%..100%\n  out = in * level\n}\nout = sine(220Hz) |> half(level: 10%)\n";
    Statement "knob" "knob bright = 800Hz in 100Hz..8kHz curve exp cc 74" "A parameter of the song, for hands, OSC and lines of the score; `cc` names a MIDI controller."
        "knob bright = 800Hz in 100Hz..8kHz curve exp\nout = lowpass(saw(110Hz), bright) * 20%\n";
    Statement "input" "input key" "A further input of an effect; the effect's own `in` where it is not given."
        "effect duck {\n  input key\n  out = in * (1 - clamp(follow(key), 0, 1))\n}\nbd = kick()\npad = saw(110Hz) * 20%\nplay { bd |x...x...| }\nout = bd + (pad |> duck(key: bd))\n";
    Statement "until" "until amp < 0.00005" "A voice has fallen silent, and sleeps until its next note."
        "instrument beep {\n  amp = decay(trig, 100ms)\n  until amp < 0.00005\n  out = sine(freq) * amp * vel * 20%\n}\nb = beep()\nplay { b \"c4 e4 g4 ~\" }\nout = b\n";
    Statement "kit" "kit name { bd = kick() ; ch = closed_hat() }" "Equations under one name: `dr = name(bd.gain: 0.5)` makes `dr.bd` and `dr.ch`, and is their sum, or the kit's `out`. `kit dusty \"sounds/dusty\"` has a part for each sound file of a folder."
        "kit beat {\n  bd = kick()\n  hh = closed_hat()\n}\ndr = beat()\nplay {\n  dr.bd |x.x.|\n  dr.hh |xxxx|\n}\nout = dr\n";
    Statement "matrix" "matrix { lfo1 -> bass.cutoff: 2 octaves }" "Signals that move parameters, each by a depth: what it adds, or a ratio, where the signal is 1. A line may say `curve exp` or `curve linear`, and a range."
        "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff: 2 octaves\n}\nplay { bass \"c2*4\" }\nout = bass\n";
    Statement "choke" "choke ch oh" "In a kit: a note of one of these parts fades those of the others, with a time constant of 8 ms, or as `choke crash ride over 40ms` says."
        "kit hats {\n  ch = closed_hat()\n  oh = open_hat()\n  choke ch oh\n}\nh = hats()\nplay {\n  h.oh |x...|\n  h.ch |..x.|\n}\nout = h\n";
    Statement "preset" "preset \"deep\" { cutoff: 300Hz }" "In an instrument or an effect: values of its parameters, given by `preset: \"deep\"` in a call or by a line `bass.preset`."
        "instrument hum {\n  param cutoff = 800Hz in 50Hz..8kHz\n  preset \"deep\" { cutoff: 200Hz }\n  amp = decay(trig, 200ms)\n  out = lowpass(saw(freq), cutoff) * amp * vel\n  until amp < 0.0001\n}\nb = hum(preset: \"deep\")\nplay { b \"c2 c3\" }\nout = b\n";
    Statement "latency" "latency 5ms" "How much later than what flows in the value of a body is heard; what meets it is delayed by as much, and a render begins so much later."
        "def ahead(x) {\n  latency 5ms\n  out = tap(x, 5ms, max: 5ms) / max(1, follow(x, attack: 1ms))\n}\nout = ahead(sine(220Hz) * 2) * 10%\n";
    Statement "default" "default note c2" "The note of a hit without a pitch; c4 where it is not said."
        "instrument beep {\n  default note c2\n  until since(trig) > 9600\n  out = saw(freq) * gate * vel * 20%\n}\nb = beep()\nplay { b |x...x...| }\nout = b\n";
    Statement "midi" "midi drum 36" "In an instrument: which key of General MIDI's drums, or `midi program 38`, it is in a MIDI file."
        "instrument beep {\n  midi drum 36\n  until since(trig) > 9600\n  out = sine(freq) * gate * vel * 20%\n}\nb = beep()\nplay { b |x...x...| }\nout = b\n";
    Statement "out" "out = expression" "What is heard: of the song, an instrument, an effect or a body."
        "out = sine(220Hz) * 10%\n";
    Expression "in" "in" "The song's input, or an effect's; between `knob x = 1` and a range it begins the range."
        "out = in |> echo()\n";
    Expression "if" "if c then a else b" "Chooses a value, sample by sample; both branches always run."
        "out = sine(if lfo(1Hz) > 0 then 220Hz else 330Hz) * 10%\n";
    Expression "then" "if c then a else b" "The value where the condition holds: see `if`.";
    Expression "else" "if c then a else b" "The value where the condition does not hold: see `if`.";
    Expression "and" "a and b" "1 where both are not 0, else 0.";
    Expression "or" "a or b" "1 where one of both is not 0, else 0.";
    Expression "not" "not a" "1 where a is 0, else 0.";
    Expression "mod" "x mod y" "x − y · floor(x/y): always between 0 and y.";
    Expression "sum" "sum i in 1..8 { … }" "Adds what the braces hold, for each i, both ends included."
        "out = sum i in 1..8 { sine(110Hz * i) / i } * 10%\n";
    Expression "product" "product i in 1..8 { … }" "Multiplies what the braces hold, for each i. The word is a name like any other where no name and `in` follow."
        "out = sine(product i in 1..4 { i } * 20Hz) * 10%\n";
    Expression "max" "max i in 1..8 { … }" "The greatest of what the braces hold, for each i; `max(a, b)` is that of two values."
        "out = max i in 1..3 { sine(110Hz * i) } * 10%\n";
    Expression "min" "min i in 1..8 { … }" "The least of what the braces hold, for each i; `min(a, b)` is that of two values."
        "out = min i in 1..3 { sine(110Hz * i) } * 10%\n";
    Expression "list" "list i in 0..7 { … }" "A list of what the braces hold, for each i; `list a in xs { … }` for each element of a list, as `sum a in xs { … }`."
        "tones = list i in 1..4 { sine(110Hz * i) / i }\nout = sum t in tones { t } * 10%\n";
    Expression "table" "table i in 0..2047 { … }" "A buffer of what the braces hold, constants, for each i: `wavetable` takes it for one cycle of a wave, `table(t, position)` reads it, `playback` plays it, a sample of it a frame of the song."
        "t = table i in 0..2047 { tanh(3 * sin(tau * i / 2048)) }\nout = wavetable(t, 110Hz) * 20%\n";
    Expression "oversample" "oversample(4) { … }" "Computes what the braces hold at 2, 4, 8 or 16 times the sample rate, and filters on the way in and out. Signals from outside are raised, what is slower than a sample passes as it is; `sr`, `dt` and `prev` are those of the inner rate."
        "out = oversample(4) { tanh(8 * sine(1kHz)) } * 10%\n";
    Expression "chain" "chain x = start, i in 0..3 { … }" "Gives the braces' value to x for the next turn; the last is its value."
        "out = chain x = saw(110Hz) * 20%, i in 1..3 { lowpass(x, 500Hz * i) }\n";
    Signal "e" "e" "Euler's number, 2.718, the base of natural logarithms.";
    Signal "tau" "tau" "2π.";
    Signal "pi" "pi" "π.";
    Signal "sr" "sr" "The sample rate, a frequency.";
    Signal "dt" "dt" "The time of a sample, 1/sr.";
    Signal "beat" "beat" "The time of a quarter note, at the tempo of each moment.";
    Signal "bar" "bar" "The time of a bar, at the tempo of each moment.";
    Signal "trig" "trig" "In an instrument: 1 in the sample in which a note begins, else 0.";
    Signal "slur" "slur" "In an instrument: 1 in the sample in which a note begins while the one before it is held, else 0: for legato and glides.";
    Signal "fresh" "fresh" "In an instrument: 1 in the sample in which a note finds the voice silent, asleep or never used, else 0.";
    Signal "gate" "gate" "In an instrument: 1 while a note is held, else 0.";
    Signal "freq" "freq" "In an instrument: the frequency of the note.";
    Signal "note" "note" "In an instrument: the MIDI number of the note; 60 is c4.";
    Signal "vel" "vel" "In an instrument: the velocity of the note; 1 is nominal.";
    Signal "note.bend" "note.bend" "In an instrument: the ratio by which the note is bent, 1 without a bend; `freq` has it already. A line moves it: `lead.note.bend \"0st 2st\" over 1/8 bar`.";
    Signal "note.pressure" "note.pressure" "In an instrument: how hard the note is pressed, from 0 to 1; 0 where nothing says it.";
    Signal "note.timbre" "note.timbre" "In an instrument: the third dimension of a touch, MPE's slide, from 0 to 1; 0.5 where nothing says it.";
    Signal "note.off_vel" "note.off_vel" "In an instrument: how quickly the note was let go, from 0 to 1; 0.5 where nothing says it.";
    Behind "over" "bd.gain \"1 0\" over 1 bar" "In a line of a parameter: how long it takes to each value, a time such as `40ms`, `1 beat` or `2 bars`. In `tempo 130..150 over bars 5..9`: the bars of the change."
        "bd = kick()\nplay {\n  bd |x...x...x...x...|\n  bd.gain \"1 0.3\" over 1 beat\n}\nout = bd\n";
    Behind "by" "bd |x..| by 1/16" "Behind a drum tab: how long a step is, a part of a whole note, so that the tab may run against the bar."
        "bd = kick()\nplay { bd |x..| by 1/16 }\nout = bd\n";
    Behind "curve" "param cutoff = 800Hz in 20Hz..18kHz curve exp" "`curve exp` behind a range: a hand moves it in equal ratios, as frequencies want it. A ramp with it, of such a parameter or of a line, is fast at first, as 1 - e^(-3t): 82 % of the way at half its time; without it, it is even."
        "knob bright = 800Hz in 100Hz..8kHz curve exp\nout = lowpass(saw(110Hz), bright) * 20%\n";
    Behind "smooth" "param level = 50% in 0%..100% smooth 5ms" "Behind a range: the time over which the parameter glides to a new value."
        "knob level = 10% in 0%..20% smooth 5ms\nout = sine(220Hz) * level\n";
    Behind "step" "param mode = 0 in 0..3 step" "Behind a range: the parameter takes each value at once, without a ramp."
        "knob tone = 220Hz in 110Hz..880Hz step\nout = sine(tone) * 10%\n";
    Behind "cc" "knob bright = 800Hz in 100Hz..8kHz cc 74" "Behind a knob's range: the MIDI controller that moves it, 0 to 127."
        "knob bright = 800Hz in 100Hz..8kHz cc 74\nout = lowpass(saw(110Hz), bright) * 20%\n";
    Behind "at" "tempo 138 at bar 3" "In `tempo 138 at bar 3`: the bar from which the tempo holds; bars count from 1."
        "tempo 120\ntempo 138 at bar 2\nlength 4 bars\nbd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n";
    Behind "voices" "lead = pluck(voices: 4)" "In a call of an instrument: how many notes sound at once; one where it is not said. A note more ends an old one."
        "lead = pluck(voices: 3)\nplay { lead \"[c4,e4,g4] ~\" }\nout = lead\n";
    Behind "priority" "lead = pluck(priority: last)" "In a call of an instrument: which notes sound where more are held than it has voices: `last`, `low` or `high`. The others return when a voice is free."
        "lead = pluck(priority: last)\nplay { lead \"c4 e4\" }\nout = lead\n";
    Mark "|>" "x |> echo()" "Sends a signal into an effect or a function, as its input or first argument."
        "bd = kick()\nplay { bd |x...x...x...x...| }\nout = bd |> echo()\n";
    Mark "++" "xs ++ ys" "Joins two lists."
        "partials = [110Hz, 220Hz] ++ [330Hz]\nout = (sum f in partials { sine(f) }) * 10%\n";
    Mark ".." "0..3" "From one number to another, both included: what `sum`, `list` and `chain` go through, and the range of a parameter."
        "out = (sum i in 1..4 { sine(110Hz * i) / i }) * 10%\n";
    Unit "Hz" "440Hz" "Hertz: a frequency.";
    Unit "kHz" "1.2kHz" "Kilohertz: a frequency.";
    Unit "ms" "250ms" "Milliseconds: a time.";
    Unit "s" "1.5s" "Seconds: a time.";
    Unit "dB" "-6dB" "Decibels: the ratio 10^(x/20), so `-6dB` is 0.501. It multiplies: `x * -6dB`.";
    Unit "%" "80%" "Hundredths: `80%` is 0.8.";
    Unit "st" "7st" "Semitones: the ratio 2^(x/12) of frequencies. It multiplies: `440Hz * 7st`.";
    Unit "ct" "10ct" "Cents: the ratio 2^(x/1200) of frequencies.";
    Unit "octaves" "2 octaves" "Octaves: the ratio 2^x of frequencies; also `octave`.";
    Unit "beats" "3 beats" "Quarter notes: a time that follows the tempo; also `beat`.";
    Unit "bars" "1/16 bar" "Bars: a time that follows the tempo and the meter; also `bar`.";
}

/// The words of a kind.
pub fn words(kind: WordKind) -> impl Iterator<Item = &'static Word> {
    WORDS.iter().filter(move |word| word.kind == kind)
}

/// The word for a unit.
pub fn unit(unit: Unit) -> Option<&'static Word> {
    words(WordKind::Unit).find(|word| word.name == unit.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{RESERVED, STATEMENTS};

    #[test]
    fn every_word_of_the_language_is_explained_once() {
        let explained = |name: &str| WORDS.iter().filter(|word| word.name == name).count();
        // These two are called, and explained among the built-in functions.
        let called = ["prev", "tap"];
        for name in RESERVED.iter().chain(&STATEMENTS).filter(|name| !called.contains(name)) {
            assert_eq!(explained(name), 1, "{name}");
        }
        for of in Unit::ALL {
            assert!(unit(of).is_some(), "{}", of.text());
        }
        for word in words(WordKind::Statement) {
            assert!(RESERVED.contains(&word.name) || STATEMENTS.contains(&word.name), "{}", word.name);
            assert!(word.form.starts_with(word.name), "{}", word.name);
        }
    }
}
