//! The functions that the language has built in, because they cannot be said in it: their names, arguments and
//! documentation. What each computes is in [`crate::arithmetic`]; what has state is in `lower`.

use crate::dimension::Dimension;

/// A function of the language: an index into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Builtin(usize);

/// A built-in function, as a row of the table.
pub struct Row {
    /// How it is called.
    pub name: &'static str,
    /// The names of its arguments.
    pub formals: &'static [&'static str],
    /// How many of them have no default.
    pub needed: usize,
    /// For `mamc doc` and the manual.
    pub doc: &'static str,
    /// The function that the name stands for.
    pub function: Function,
}

/// What a function of the language does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Computes a plain number of plain numbers, channel by channel.
    Plain(Arithmetic),
    /// Computes, channel by channel, what has the common dimension of its arguments.
    Keeps(Arithmetic),
    /// The value of the sample before.
    Prev,
    /// A delay line.
    Tap,
    /// A phase that rises and wraps.
    Phasor,
    /// White noise.
    Noise,
    /// A number drawn by chance.
    Random,
    /// Counts samples since a trigger.
    Since,
    /// A train of pulses.
    Pulses,
    /// A list that is read at a position.
    Table,
    /// The samples of a sound file.
    Sample,
    /// A buffer that is written while the song plays.
    Record,
    /// Reads a buffer at a place that a trigger sets and that moves on.
    Playback,
    /// A signal that sounds as a buffer responds.
    Convolve,
    /// Plays a buffer from a place that moves as it likes, at a pitch of its own.
    StretchAt,
    /// A region that is computed bin by bin of a spectrum: a call with braces behind it.
    Spectral,
    /// Reads a wavetable at a phase.
    WaveAt,
    /// A weighted sum of a signal's latest samples.
    Fir,
    /// How many elements a list has.
    Len,
    /// One element of a list.
    Select,
    /// The notes of the instrument around leave by MIDI.
    MidiSend,
    /// They leave by OSC.
    OscSend,
}

/// What stands for a bin in a spectral region: its level, its angle, and its number.
pub const BIN: [&str; 3] = ["mag", "phase", "bin"];

/// The words that `order:` of `tap` takes.
pub const ORDERS: [&str; 5] = ["whole", "linear", "cubic", "allpass", "sinc"];

impl Function {
    /// Whether it goes on from sample to sample, so that it means nothing where there are bins.
    pub fn counts_samples(self) -> bool {
        use Function::{Convolve, Fir, Phasor, Playback, Pulses, Record, Since, StretchAt};
        matches!(self, Convolve | Fir | Phasor | Playback | Pulses | Record | Since | StretchAt)
    }

    /// The argument that is one of some words, and no expression: its place and the words.
    pub fn word(self) -> Option<(usize, &'static [&'static str])> {
        (self == Function::Tap).then_some((3, &ORDERS))
    }
}

/// A function of values of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Sin,
    Cos,
    Tan,
    Exp,
    Log,
    Exp2,
    Log2,
    Tanh,
    Atan,
    Atan2,
    Asin,
    Acos,
    Sinh,
    Cosh,
    Log10,
    Cbrt,
    Hypot,
    Sqrt,
    Sign,
    Abs,
    Min,
    Max,
    Clamp,
    Floor,
    Ceil,
    Round,
    Fract,
    Hz,
}

impl Arithmetic {
    /// What its result measures, where its arguments are plain.
    pub fn dimension(self) -> Dimension {
        if self == Hz { Dimension::FREQUENCY } else { Dimension::PLAIN }
    }
}

impl Builtin {
    /// The function of this name.
    pub fn find(name: &str) -> Option<Builtin> {
        ROWS.iter().position(|row| row.name == name).map(Builtin)
    }

    /// All of them, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Builtin> {
        (0..ROWS.len()).map(Builtin)
    }

    /// What is known of it.
    pub fn row(self) -> &'static Row {
        &ROWS[self.0]
    }
}

macro_rules! rows {
    ($($name:literal [$($formal:literal)*] $needed:literal $function:expr, $doc:literal;)*) => {
        static ROWS: &[Row] = &[
            $(Row { name: $name, formals: &[$($formal),*], needed: $needed, doc: $doc, function: $function }),*
        ];
    };
}

use Arithmetic::{
    Abs, Acos, Asin, Atan, Atan2, Cbrt, Ceil, Clamp, Cos, Cosh, Exp, Exp2, Floor, Fract, Hypot, Hz, Log,
    Log2, Log10, Max, Min, Round, Sign, Sin, Sinh, Sqrt, Tan, Tanh,
};
use Function::{Keeps, Plain};

/// The parameter of every instrument that has none of this name: where it is heard, from left to right.
pub const PAN: &str = "pan";
/// The definition of the prelude by which a note of another part of a kit ends a voice.
pub const CHOKED: &str = "choked";

rows! {
    "prev" ["x" "init"] 1 Function::Prev, "The value that `x` had one sample ago; `init` (0) before the first.";
    "tap" ["x" "time" "max" "order"] 2 Function::Tap, "`x` as it was `time` ago, through a delay line of at most `max`; `order` says how it is read between samples: `linear`, `whole`, `cubic`, `allpass` or `sinc`.";
    "fir" ["x" "coefficients"] 2 Function::Fir, "The sum of `x` and what it was 1, 2, 3, … samples ago, each times its number of the list.";
    "phasor" ["freq" "reset"] 1 Function::Phasor, "Rises from 0 to 1 `freq` times a second; its first sample, and that in which `reset` is not 0, is `freq`/sr. Exact for hours where `freq` is held.";
    "noise" [] 0 Function::Noise, "White noise in [−1, 1), its own for every use.";
    "random" ["stream"] 0 Function::Random, "A number in [0, 1), drawn by chance at each note in an instrument, once elsewhere, its own for every use; `random(2)` is a second one of the place.";
    "since" ["trig"] 1 Function::Since, "Samples since `trig` was last not 0; 0 in that sample, 10⁹ before the first and from 10⁹ on. Counted exactly, then rounded to a 32-bit float.";
    "pulses" ["period" "first"] 1 Function::Pulses, "1 in the sample nearest to `first` + k · `period` samples (k = 0, 1, …), else 0; `first` is 0. Counted exactly; a period is read at the pulse before, is at least 1 sample, and from 2³¹ on never over.";
    "table" ["values" "position"] 2 Function::Table, "A list of numbers, or a buffer, read at `position` (0..1 wraps), in straight lines.";
    "sample" ["path" "hash"] 1 Function::Sample, "A buffer: the sound file of this path, relative to the file that says it, with one channel or two. With the `hash` that `mamc check` shows, a file that was moved is found in the folder of the song. Its parts are `.time`, `.rate` and `.frames`. `playback` plays it.";
    "record" ["x" "on" "max"] 3 Function::Record, "A buffer that holds what `x` is while `on` is not 0, from the beginning when it becomes so; of what is longer than `max` the latest. Its parts are `.time`, `.rate` and `.frames`, of what is recorded so far. `playback` and `grains` play it, in voices of instruments too.";
    "playback" ["buffer" "trig" "speed" "begin" "end" "loop" "fade" "number"] 1 Function::Playback, "Plays a buffer whenever `trig` is not 0, and without one once from the first sample on, or with each note: from the part `begin` (0) to `end` (1) of its length, `speed` (1) times as fast as it was recorded, backwards below 0. With `loop` it goes round between the two, over a crossfade of `fade` (5 ms). Silent before the first trigger and after the end; what ends before the buffer does fades out in 2 ms. Of a list of buffers it plays the one that `number` says at the trigger, counted from 0.";
    "convolve" ["x" "response" "predelay"] 2 Function::Convolve, "`x` in the room, the cabinet or the plate whose response to a click `response` is, a buffer or a list of numbers, `predelay` (0 s) later. Without latency; a buffer is brought to the song's rate, and its two channels make a mono sound stereo.";
    "stretch_at" ["buffer" "position" "pitch"] 2 Function::StretchAt, "A buffer, played from `position` (0 to 1 is the whole, and wraps), which may move and rest as it likes, at `pitch` times (1) its own pitch, which is silent at 0. Grains of about 40 ms follow each other where they are most alike.";
    "spectral" ["x" "size" "overlap"] 1 Function::Spectral, "With braces behind it, `spectral(x, size: 1024, overlap: 4) { out = { mag: …, phase: … } }`: what the braces make of the spectrum of `x`, bin by bin. In them `mag` is the level of a bin (a sine of level 1 has 1), `phase` its angle in radians, `bin` its number from 0 to `size` / 2, `prev` and `tap` look whole hops back. Late by `size` and a hop of `size` / `overlap` samples. Of a list or record of signals `mag` and `phase` are lists or records.";
    "wave_at" ["waves" "phase" "freq" "morph"] 3 Function::WaveAt, "A wavetable at a phase (0..1 is one turn, and wraps), band-limited for `freq`. It is a list of the levels of sine harmonics, a list of such lists, between which `morph` goes from 0 to 1, or a `sample`: one cycle of at most 4096 samples, or up to 256 cycles of 2048.";
    "len" ["list"] 1 Function::Len, "How many elements a list has.";
    "select" ["list" "index"] 2 Function::Select, "The element of a list at floor(`index`), counted from 0 and kept between the first and the last; `index` may move, and nothing glides.";
    "midi_send" ["port" "channel" "key" "bend"] 1 Function::MidiSend, "Silent; the notes of the instrument in whose body it stands go to the MIDI ports whose name has `port`, a text, in it, on `channel` (1 to 16; 1). With a `key` every note plays that one, which makes a drum. `bend` (2st) is how far its bends go, which it is told. Its parameters that have a `cc` go there as controllers, and the lines `x.cc74`, `x.program`, `x.note.bend` as what they say.";
    "osc_send" ["address" "path" "sound"] 2 Function::OscSend, "Silent; the notes of the instrument in whose body it stands go by OSC to `address`, a host and a port such as \"127.0.0.1:57120\", as messages to `path`: pairs of names and values as SuperDirt takes them, `midinote` and `gain`, `s` where a `sound` is said, and all its parameters.";
    "sin" ["x"] 1 Plain(Sin), "Sine of an angle in radians.";
    "cos" ["x"] 1 Plain(Cos), "Cosine of an angle in radians.";
    "tan" ["x"] 1 Plain(Tan), "Tangent of an angle in radians.";
    "exp" ["x"] 1 Plain(Exp), "e to the power of x.";
    "log" ["x"] 1 Plain(Log), "Natural logarithm.";
    "exp2" ["x"] 1 Plain(Exp2), "2 to the power of x.";
    "log2" ["x"] 1 Plain(Log2), "Logarithm to base 2.";
    "log10" ["x"] 1 Plain(Log10), "Logarithm to base 10.";
    "sinh" ["x"] 1 Plain(Sinh), "Hyperbolic sine.";
    "cosh" ["x"] 1 Plain(Cosh), "Hyperbolic cosine.";
    "tanh" ["x"] 1 Plain(Tanh), "Hyperbolic tangent.";
    "asin" ["x"] 1 Plain(Asin), "The angle of −π/2..π/2 whose sine is x, in radians.";
    "acos" ["x"] 1 Plain(Acos), "The angle of 0..π whose cosine is x, in radians.";
    "atan" ["x"] 1 Plain(Atan), "The angle of −π/2..π/2 whose tangent is x, in radians.";
    "atan2" ["y" "x"] 2 Plain(Atan2), "The angle of the point (x, y), −π..π, in radians; 0 at (0, 0).";
    "cbrt" ["x"] 1 Plain(Cbrt), "Cube root, with the sign of x.";
    "sqrt" ["x"] 1 Plain(Sqrt), "Square root.";
    "sign" ["x"] 1 Plain(Sign), "1 above 0, −1 below, 0 at 0.";
    "abs" ["x"] 1 Keeps(Abs), "The value without its sign.";
    "min" ["a" "b"] 2 Keeps(Min), "The smaller of two.";
    "max" ["a" "b"] 2 Keeps(Max), "The greater of two.";
    "hypot" ["a" "b"] 2 Keeps(Hypot), "Square root of a² + b².";
    "clamp" ["x" "low" "high"] 3 Keeps(Clamp), "x, kept between low and high.";
    "floor" ["x"] 1 Keeps(Floor), "Greatest whole number that is not above x.";
    "ceil" ["x"] 1 Keeps(Ceil), "Least whole number that is not below x.";
    "round" ["x"] 1 Keeps(Round), "Nearest whole number; halves go up.";
    "fract" ["x"] 1 Keeps(Fract), "x − floor(x).";
    "hz" ["note"] 1 Plain(Hz), "Frequency of a MIDI note number: 440 Hz · 2^((note − 69)/12).";
}
