//! What a render has written, for people and as JSON.

use mam_grammar::problem::count;
use mam_measure::levels::Levels;
use mam_runtime::file::{Bits, Container, Format};
use mam_runtime::sound_kinds::either;
use serde::Serialize;
use std::fmt;

/// A sound file that was written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendered {
    /// Where it is; `-` is standard output.
    pub file: String,
    /// The node that is heard in it; none for the song.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its kind, as the usual ending of such files: `wav`.
    pub format: &'static str,
    /// The kind of its samples: `16`, `24` or `32f`.
    pub bits: &'static str,
    /// Sample rate in frames a second.
    pub rate: u32,
    /// Number of channels in the file.
    pub channels: usize,
    /// Frames, with the silence of `--preroll`.
    pub frames: u64,
    /// How long that is.
    pub seconds: f64,
    /// By how many dB `--normalize` changed it.
    pub gain: f64,
    /// Samples that were cut at full scale: of integers alone.
    pub clipped: u64,
    /// Peak, true peak and loudness of the file.
    #[serde(flatten)]
    pub levels: Levels,
    /// Whether `--normalize` was asked for.
    #[serde(skip)]
    pub is_normalized: bool,
    /// How many times faster than it plays it was made.
    #[serde(skip)]
    pub speed: f64,
}

/// All files of a render: the song's first.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The song's file, then taps and stems in the order of the flags.
    pub files: Vec<Rendered>,
}

/// A file of notes that was written.
#[derive(Debug, Serialize)]
pub struct Notes {
    /// The path of the file, as it was given.
    pub file: String,
    /// The kind of the file, always `mid`.
    pub format: &'static str,
    /// How many notes are in it.
    pub notes: usize,
}

/// The file of a render that writes notes.
#[derive(Debug, Serialize)]
pub struct NotesReport {
    /// The only file, in the form of a [`Report`].
    pub files: [Notes; 1],
}

impl Rendered {
    /// A file of the song or of `node`, with these levels. The rest is 0.
    pub fn new(file: String, node: Option<&str>, format: Format, frames: u64, levels: Levels) -> Rendered {
        let is_integer = format.bits != Bits::Float32;
        Rendered {
            file,
            node: node.map(str::to_string),
            format: format.container.extensions()[0],
            bits: match format.bits {
                Bits::Int16 => "16",
                Bits::Int24 => "24",
                Bits::Float32 => "32f",
            },
            rate: format.rate,
            channels: format.channels,
            frames,
            seconds: frames as f64 / f64::from(format.rate),
            gain: 0.0,
            clipped: if is_integer { levels.over } else { 0 },
            levels,
            is_normalized: false,
            speed: 0.0,
        }
    }

    /// What is wrong with its level, and what helps; of a node that is written as floats, nothing.
    pub fn warning(&self) -> Option<String> {
        let over = self.levels.over;
        let peak = self.levels.peak.filter(|_| over > 0)?;
        let (file, samples) = (&self.file, count(over as usize, "sample"));
        if self.clipped > 0 {
            let way = "--normalize -1dBTP, or less gain, avoids it";
            return Some(format!("{samples} of {file} clipped: the peak is {peak:+.1} dBFS; {way}"));
        }
        let way = "--normalize -1dBTP, or less gain, keeps it below full scale";
        let what = format!("{file} rises to {peak:+.1} dBFS: what plays it clips {samples}");
        self.node.is_none().then(|| format!("{what}; {way}"))
    }
}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = match self.bits {
            "32f" => "32-bit floats".to_string(),
            bits => format!("{bits} bits"),
        };
        let channels = count(self.channels, "channel");
        let Rendered { file, seconds, rate, speed, levels, .. } = self;
        writeln!(f, "{file}: {seconds:.1} s, {rate} Hz, {channels}, {bits}; {speed:.0} × real time")?;
        write!(f, "  {levels}")?;
        match (self.clipped, levels.over) {
            (0, 0) => f.write_str(", 0 samples clipped")?,
            (0, over) => write!(f, ", {} above full scale", count(over as usize, "sample"))?,
            (clipped, _) => write!(f, ", {} clipped", count(clipped as usize, "sample"))?,
        }
        if self.is_normalized {
            write!(f, ", gain {:+.1} dB", self.gain)?;
        }
        writeln!(f)
    }
}

/// The usual endings of the sound files that this build writes, and `more`: `.wav, .aiff, .caf or .flac`.
pub fn endings(more: &[&str]) -> String {
    let sounds = Container::ALL.iter().map(|container| container.extensions()[0]);
    let dotted: Vec<String> = sounds.chain(more.iter().copied()).map(|ending| format!(".{ending}")).collect();
    either(&dotted)
}
