//! The measures that an `expect` can take: one table of names, arguments and quantities. What each computes of the rendered
//! samples is the tool's; here is what a text may say.

use crate::dimension::Dimension;
use crate::text::number;
use std::fmt::Write;

/// What a measured value is, and so how it is written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A ratio of amplitudes, shown in dB: full scale is `0dB`.
    Level,
    /// A loudness in LUFS: a plain number.
    Loudness,
    /// A time in seconds.
    Time,
    /// A frequency in hertz.
    Frequency,
    /// A number without a dimension.
    Plain,
    /// It holds or it does not: nothing is compared.
    Condition,
}

impl Quantity {
    /// The dimension of what it is compared with.
    pub fn dimension(self) -> Dimension {
        match self {
            Quantity::Time => Dimension::TIME,
            Quantity::Frequency => Dimension::FREQUENCY,
            _ => Dimension::PLAIN,
        }
    }

    /// A value as it is written in a text.
    pub fn show(self, value: f64) -> String {
        match self {
            Quantity::Level if value == 0.0 => "silence".into(),
            Quantity::Level => format!("{:.2}dB", 20.0 * value.abs().log10()),
            Quantity::Loudness => format!("{value:.2} LUFS"),
            Quantity::Time if value.abs() < 1.0 => format!("{:.4}ms", value * 1e3),
            Quantity::Time => format!("{value:.4}s"),
            Quantity::Frequency => format!("{value:.3}Hz"),
            Quantity::Plain => number((value * 1e6).round() / 1e6),
            Quantity::Condition => (if value > 0.0 { "holds" } else { "does not hold" }).into(),
        }
    }
}

/// What flows into an expression while it is measured: it is piped into an expression that is short of an input, and is the
/// song's `in` for one that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excitation {
    /// Nothing is piped in. Where an expression names `in`, white noise flows there, at −12 dB RMS.
    Nothing,
    /// One frame of 1, then silence.
    Impulse,
    /// One frame of 0.001, so that what is not linear is as good as linear, then silence.
    SmallImpulse,
    /// A steady sine of the arguments `freq` and `level`.
    Sine,
    /// Pink noise whose RMS is the argument `level`.
    Pink,
    /// Silence.
    Silence,
}

/// Whether an argument must be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given {
    /// It must be.
    Needed,
    /// What holds without it is said in the measure's documentation.
    Optional,
    /// It has this value without, in base units.
    Default(f64),
}

/// Which of the numbers of its dimension an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Every number, also those below 0.
    Any,
    /// 0 and what is greater.
    NotNegative,
    /// What is greater than 0.
    Positive,
    /// The whole ones from 1 on.
    Counting,
    /// Frequencies of what is rendered: 0 and what is greater, and where it is measured less than half the rate.
    Rendered,
    /// Levels that something can fall to: less than 0 dB.
    Below,
}

impl Values {
    /// Whether a number is one of them.
    pub fn contain(self, value: f64) -> bool {
        match self {
            Values::Any => true,
            Values::NotNegative | Values::Rendered => value >= 0.0,
            Values::Positive => value > 0.0,
            Values::Counting => value >= 1.0 && value.fract() == 0.0,
            Values::Below => value > 0.0 && value < 1.0,
        }
    }

    /// What one of them is, as in "`for` is more than 0".
    pub fn words(self) -> &'static str {
        match self {
            Values::Any => "a number",
            Values::NotNegative | Values::Rendered => "at least 0",
            Values::Positive => "more than 0",
            Values::Counting => "a whole number, from 1 on",
            Values::Below => "a level below 0dB, such as `-20dB`",
        }
    }
}

/// An argument of a measure, beside the expressions that are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// As it is written before its value.
    pub name: &'static str,
    /// The dimension of its values.
    pub dimension: Dimension,
    /// The numbers that it takes.
    pub values: Values,
    /// Whether it must be given.
    pub given: Given,
}

/// A measure in the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As it is written.
    pub name: &'static str,
    /// The expressions that are measured, by the names of their arguments.
    pub subjects: &'static [&'static str],
    /// The further arguments, all constants.
    pub params: &'static [Param],
    /// What the result is.
    pub quantity: Quantity,
    /// What flows in while it is taken.
    pub excitation: Excitation,
    /// What is measured, and how; the first sentence says the most important.
    pub doc: &'static str,
    /// An `expect` that takes it.
    pub example: &'static str,
}

impl Row {
    /// The names of all arguments, in their order.
    pub fn formals(&self) -> Vec<&'static str> {
        self.subjects.iter().copied().chain(self.params.iter().map(|param| param.name)).collect()
    }

    /// How it is called: `rt60(x, at)`.
    pub fn form(&self) -> String {
        let mut out = format!("{}({}", self.name, self.subjects.join(", "));
        for param in self.params {
            let unit = match param.dimension {
                Dimension::TIME => ": s",
                Dimension::FREQUENCY => ": Hz",
                _ => "",
            };
            _ = write!(out, ", {}{unit}", param.name);
        }
        out + ")"
    }
}

const fn param(name: &'static str, dimension: Dimension, given: Given) -> Param {
    // Times and frequencies are no less than 0.
    let values = if matches!(dimension, Dimension::PLAIN) { Values::Any } else { Values::NotNegative };
    Param { name, dimension, values, given }
}

const fn taking(values: Values, param: Param) -> Param {
    Param { values, ..param }
}

const fn rendered(name: &'static str, given: Given) -> Param {
    taking(Values::Rendered, param(name, HZ, given))
}

const TIME: Dimension = Dimension::TIME;
const HZ: Dimension = Dimension::FREQUENCY;
const PLAIN: Dimension = Dimension::PLAIN;
const AFTER: Param = param("after", TIME, Given::Default(0.0));
const FOR: Param = taking(Values::Positive, param("for", TIME, Given::Optional));
const AT: Param = rendered("at", Given::Needed);
const FREQ: Param = rendered("freq", Given::Default(997.0));
/// −12 dB.
const LEVEL: Param = param("level", PLAIN, Given::Default(0.251_188_643_150_958));
/// The part of a sound that a measure looks at.
const PART: &[Param] = &[AFTER, FOR];
const TONE: &[Param] = &[FREQ, LEVEL];

macro_rules! measures {
    ($($measure:ident $name:literal [$($subject:literal)+] $params:expr, $quantity:ident, $excitation:ident, $doc:literal $example:literal;)*) => {
        /// A measure that an `expect` can take.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Measure {
            $(#[doc = $doc] $measure,)*
        }

        impl Measure {
            /// All measures, in the order in which they are listed.
            pub const ALL: &[Measure] = &[$(Measure::$measure),*];
        }

        /// In the order of [`Measure::ALL`].
        static ROWS: &[Row] = &[$(Row {
            name: $name, subjects: &[$($subject),+], params: $params,
            quantity: Quantity::$quantity, excitation: Excitation::$excitation,
            doc: $doc, example: $example,
        }),*];
    };
}

measures! {
    Peak "peak" ["x"] PART, Level, Nothing,
        "The greatest sample, without its sign."
        "expect peak(kick()) < 0dB";
    TruePeak "true_peak" ["x"] PART, Level, Nothing,
        "The greatest value of the wave, between the samples too (ITU-R BS.1770-5, annex 2, at eight times the rate)."
        "expect true_peak(kick()) < 0dB";
    Rms "rms" ["x"] PART, Level, Nothing,
        "The root of the mean square, of all channels together."
        "expect rms(sine(997Hz), for: 1s) within 0.01dB of -3.01dB";
    Crest "crest" ["x"] PART, Level, Nothing,
        "The peak over the RMS."
        "expect crest(sine(997Hz), for: 1s) within 0.05dB of 3.01dB";
    Lufs "lufs" ["x"] PART, Loudness, Nothing,
        "The integrated loudness (ITU-R BS.1770-5), of at least 0.4 s."
        "expect lufs(20% * sine(997Hz), for: 2s) within 0.2 of -14";
    Loudest "loudest" ["x"] PART, Loudness, Nothing,
        "The momentary loudness of the loudest 0.4 s (ITU-R BS.1770-5), looked for every 10 ms; what is shorter is followed by silence."
        "expect loudest(kick()) in -20..-5";
    Dc "dc" ["x"] PART, Level, Nothing,
        "The mean of the samples, without its sign, of the channel in which it is greatest."
        "expect dc(saw(997Hz), for: 1s) < -80dB";
    Mean "mean" ["x"] PART, Plain, Nothing,
        "The mean of the samples of the first channel, with its sign."
        "expect mean(dust(480Hz), for: 4s) within 20% of 0.01";
    Finite "finite" ["x"] PART, Condition, Nothing,
        "Nothing is infinite or not a number on the way to the result."
        "expect finite(kick())";
    Silent "silent" ["x"] &[param("after", TIME, Given::Default(0.0)), taking(Values::Positive, param("for", TIME, Given::Default(1.0)))], Condition, Nothing,
        "Every sample is below −120 dB: from `after` on, for a second where `for` does not say otherwise."
        "expect silent(kick(), after: 4s)";
    Clipped "clipped" ["x"] PART, Plain, Nothing,
        "How many samples lie beyond full scale."
        "expect clipped(kick()) < 1";
    Value "value" ["x"] &[param("at", TIME, Given::Needed)], Plain, Nothing,
        "The sample at a time, of the first channel."
        "expect value(decay(every(10s), 100ms), at: 100ms) within 0.1% of 0.3679";
    Reaches "reaches" ["x"] &[param("level", PLAIN, Given::Needed)], Time, Nothing,
        "When the first channel first has a sample of at least `level`."
        "expect reaches(slew(1, 20ms), 63.2%) within 1ms of 20ms";
    Onset "onset" ["x"] PART, Time, Nothing,
        "When the first sample comes above −60 dB of the peak."
        "expect onset(kick()) < 1ms";
    Attack "attack" ["x"] PART, Time, Nothing,
        "The time from 10 % of the greatest level to the greatest: of the RMS over 2 ms, looked at every 0.25 ms."
        "expect attack(kick()) < 12ms";
    Fall "fall" ["x"] &[taking(Values::Below, param("by", PLAIN, Given::Default(0.01))), AFTER, FOR], Time, Nothing,
        "The time from the greatest level to the last one that is not yet lower by the level `by`, -40 dB without it: of the RMS over 2 ms, looked at every 0.25 ms."
        "expect fall(kick(), -20dB) in 200ms..700ms";
    Pitch "pitch" ["x"] &[AFTER, FOR], Frequency, Nothing,
        "The frequency of the fundamental: the strongest partial, or a fraction of it at which the sound repeats better; to about 0.01 ct where it is steady. `for` is 1 s without it."
        "expect pitch(pluck(), after: 50ms) within 1ct of 261.63Hz";
    Centroid "centroid" ["x"] PART, Frequency, Nothing,
        "The middle of the power spectrum: the mean frequency, weighted by power."
        "expect centroid(closed_hat()) in 6kHz..18kHz";
    Slope "slope" ["x"] &[rendered("from", Given::Default(100.0)), param("to", HZ, Given::Default(10_000.0)), AFTER, FOR], Plain, Nothing,
        "How the power density falls, in dB an octave: a line through third-octave bands from `from` to `to`. `for` is 10 s without it."
        "expect slope(pink()) within 0.3 of -3.01";
    Partial "partial" ["x"] &[AT, AFTER, FOR], Level, Nothing,
        "The amplitude of the sine at a frequency, by a Kaiser window: of 1 s without `for`."
        "expect partial(sine(997Hz), at: 997Hz) within 0.01dB of 0dB";
    Harmonic "harmonic" ["x"] &[taking(Values::Counting, param("number", PLAIN, Given::Needed)), AFTER, FOR], Level, Nothing,
        "The amplitude of a harmonic over that of the fundamental, which is number 1: of 1 s without `for`."
        "expect harmonic(square(221Hz), 3) within 0.1dB of -9.54dB";
    Alias "alias" ["x"] &[param("below", HZ, Given::Optional), rendered("above", Given::Default(0.0)), rendered("freq", Given::Optional), AFTER], Level, Nothing,
        "The strongest partial that is not a harmonic, over the fundamental, up to `below` and from `above` on. The fundamental is `freq`, else the strongest partial. 65 536 frames under a Kaiser window, of which 12 bins round each harmonic are left out. A fundamental that divides the sample rate hides its aliases under its harmonics: 2.01 kHz, not 2 kHz."
        "expect alias(saw(2.01kHz), below: 16kHz) < -50dB";
    Thd "thd" ["x"] TONE, Level, Sine,
        "Total harmonic distortion: the RMS of the harmonics 2 to 20 below half the rate, over the fundamental. `freq` is brought to a bin of 65 536 frames; `level` is the sine's peak."
        "expect thd(softclip(), level: -40dB) < -80dB";
    Thdn "thdn" ["x"] TONE, Level, Sine,
        "Distortion and noise: the RMS of all but the fundamental and DC, over the fundamental; as `thd`."
        "expect thdn(lowpass(8kHz)) < -80dB";
    Sfdr "sfdr" ["x"] TONE, Level, Sine,
        "Spurious-free dynamic range: the fundamental over the strongest other partial; as `thd`."
        "expect sfdr(lowpass(8kHz)) > 90dB";
    Snr "snr" ["x"] TONE, Level, Sine,
        "Signal to noise: the fundamental over the RMS of all that is neither it, nor a harmonic, nor DC; as `thd`."
        "expect snr(lowpass(8kHz)) > 90dB";
    Floor "floor" ["x"] PART, Level, Silence,
        "The noise floor: the RMS of what comes out while silence flows in."
        "expect floor(lowpass(8kHz)) < -140dB";
    Gain "gain" ["x"] &[LEVEL], Level, Pink,
        "RMS out over RMS in, for pink noise of the RMS `level`, over 4 s."
        "expect gain(highpass(1Hz)) within 0.1dB of 0dB";
    Transfer "transfer" ["x"] TONE, Level, Sine,
        "RMS out over RMS in, for a steady sine with the peak `level`, from the second second on: a point of a static curve."
        "expect transfer(hardclip(), level: 6dB) < 0dB";
    Response "response" ["x"] &[AT], Level, SmallImpulse,
        "The gain at a frequency: the spectrum of the answer to a small impulse, over 4 s."
        "expect response(lowpass(1kHz), 2kHz) within 0.1dB of -12.30dB";
    Phase "phase" ["x"] &[AT], Plain, SmallImpulse,
        "The phase at a frequency, in radians from −π to π; as `response`."
        "expect phase(lowpass(1kHz), 1kHz) within 0.01 of -1.57";
    GroupDelay "group_delay" ["x"] &[AT], Time, SmallImpulse,
        "The group delay at a frequency, −dφ/dω; as `response`."
        "expect group_delay(allpass(2ms), 1kHz) > 0s";
    Latency "latency" ["x"] &[], Time, Impulse,
        "When the answer to an impulse first comes above −60 dB of its peak."
        "expect latency(lowpass(10kHz)) < 0.1ms";
    Rt60 "rt60" ["x"] &[rendered("at", Given::Optional)], Time, Impulse,
        "The time in which a reverb falls by 60 dB: a line through Schroeder's integral of the answer to an impulse, from −5 to −35 dB, in the octave round `at` (of zero phase) or over all frequencies."
        "expect rt60(freeverb(mix: 100%), at: 1kHz) in 0.5s..2s";
    Density "density" ["x"] &[param("at", TIME, Given::Needed)], Plain, Impulse,
        "Echo density: the share of samples beyond one standard deviation in 20 ms round a time, over that of Gaussian noise; 1 is dense (J. Abel, P. Huang, 2006)."
        "expect density(freeverb(mix: 100%), at: 300ms) > 0.7";
    Correlation "correlation" ["x"] PART, Plain, Nothing,
        "The correlation of both sides, −1 to 1: 1 is mono."
        "expect correlation(supersaw(), for: 1s) > 0";
    MonoLoss "mono_loss" ["x"] PART, Level, Nothing,
        "What folding to mono costs: the RMS of both sides' mean over the RMS of the sides. Mono is 0 dB, two sounds that have nothing in common −3 dB."
        "expect mono_loss(supersaw(), for: 1s) > -3dB";
    Null "null" ["x" "y"] PART, Level, Nothing,
        "What is left of `x` when `y` is taken away: the RMS of the difference over the RMS of `y`."
        "expect null(softclip(in.left), tanh(in.left), for: 1s) < -120dB";
    Cost "cost" ["x"] &[], Plain, Nothing,
        "Operations a frame, as `mamc check` counts them."
        "expect cost(saw(110Hz)) < 40";
}

impl Measure {
    /// What a text may say of it.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The measure that is spelled so.
    pub fn find(name: &str) -> Option<Measure> {
        Measure::ALL.iter().copied().find(|measure| measure.row().name == name)
    }
}
