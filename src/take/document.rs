//! The document of a performance, as it stands in the file.

use crate::args::HowArgs;
use crate::input::{ReadFiles, Song};
use crate::values::{Assignment, LimitChange, Rate};
use mam_runtime::control::{Asked, Entry, Request, Sync, Taken};
use mam_runtime::{NoteSignal, Program};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The form of the document; those from 1 on are read, and say less. Another one is refused.
pub(super) const VERSION: u32 = 4;
/// The first form in which parts follow.
const IN_PARTS: u32 = 4;

/// A performance: how it began, and in forms before 4 all of it. From then on [`Part`]s follow it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The form of the document, which is [`VERSION`].
    pub mamlog: u32,
    /// The version of mam that wrote it.
    pub mam: String,
    /// Sample rate, in frames a second.
    pub rate: u32,
    /// Channels of the device.
    pub channels: usize,
    /// Whether the machine that played it fuses multiplications and additions.
    pub fma: bool,
    /// How its songs are compiled.
    pub how: How,
    /// False where it began in silence.
    pub playing: bool,
    /// The first frame that is heard, and the one from which on it was rendered.
    pub entry: [u64; 2],
    /// Every version of the song that was heard.
    pub songs: Vec<Text>,
    /// What was played: versions of the song at a tempo.
    pub programs: Vec<Played>,
    /// Which of them it begins with.
    pub first: usize,
    /// What was asked for, in order.
    pub asked: Vec<Entered>,
    /// Quanta that had been rendered, and the commands that were taken then.
    pub taken: Vec<[u64; 2]>,
    /// Frames that were heard.
    pub frames: u64,
}

/// What of a performance was added later on. The lists continue those of the [`Document`].
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Part {
    /// Further versions of the song.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub songs: Vec<Text>,
    /// What else was played.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<Played>,
    /// What was asked for since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Entered>,
    /// What was taken since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<[u64; 2]>,
    /// Frames that had been heard.
    pub frames: u64,
    /// True in the last part of a performance that came to its end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// The flags that decide how a song is compiled.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    sets: Vec<[String; 2]>,
    seed: Option<u64>,
    interp: bool,
    limits: Vec<(String, u64)>,
    /// Instruments whose voices are bent and pressed from outside.
    #[serde(default)]
    outside: Vec<String>,
}

/// A version of the song with what it uses.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// What the song is called in messages.
    pub name: String,
    /// What is put before plain names of `--set`.
    pub prefix: String,
    /// The text of the song itself.
    pub text: String,
    /// Names and texts of the files that it uses.
    pub files: Vec<[String; 2]>,
    /// Names of its sound files, and SHA-256 of their samples.
    pub sounds: Vec<[String; 2]>,
}

/// A version of the song at a tempo.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Played {
    /// Which one; `None` for the silence before a song has no errors.
    pub song: Option<usize>,
    /// Quarter notes a minute, if not the song's own.
    pub tempo: Option<f64>,
}

/// A request with its place.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entered {
    quanta: u64,
    position: u64,
    returned: u64,
    /// Commands that had been sent; logs of versions 1 and 2 do not say it.
    #[serde(default)]
    sent: Option<u64>,
    request: Operation,
}

/// A request, with a program by its place in the list.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Operation {
    Edit { program: usize, at_bar: bool },
    Start { program: usize, at: u64, since: u64 },
    Seek { frame: u64 },
    Again,
    Play,
    Stop,
    Set { name: String, value: f64, ramp: u32 },
    Note { target: String, voice: usize, note: f64, vel: Option<f64> },
    Touch { target: String, voice: usize, signal: String, value: f64, ramp: u32 },
    Mute { node: String, on: bool },
    Solo { node: String, on: bool },
}

impl Document {
    /// Reads a text of a known form. The second value is false where its end is not there, because what wrote it was killed: what
    /// was written until then is the performance.
    ///
    /// # Errors
    /// When it is not a log, or one in a single document is cut off.
    pub(super) fn read(text: &str) -> Result<(Document, bool), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut document = Document::deserialize(&mut reader)?;
        let mut ended = document.mamlog < IN_PARTS;
        while reader.end().is_err() {
            if ended {
                reader.end()?;
            }
            match Part::deserialize(&mut reader) {
                Ok(part) => {
                    ended = part.ended;
                    document.add(part);
                }
                Err(error) if error.is_eof() => break,
                Err(error) => return Err(error),
            }
        }
        Ok((document, ended))
    }

    fn add(&mut self, part: Part) {
        self.songs.extend(part.songs);
        self.programs.extend(part.programs);
        self.asked.extend(part.asked);
        self.taken.extend(part.taken);
        self.frames = part.frames;
    }
}

impl How {
    /// What of the flags decides about a program.
    pub(super) fn new(how: &HowArgs) -> How {
        How {
            sets: how.sets.iter().map(|set| [set.name.clone(), set.value.clone()]).collect(),
            seed: how.seed,
            interp: how.interp,
            limits: how.limits.iter().map(|limit| (limit.name.clone(), limit.value)).collect(),
            outside: how.played_outside.clone(),
        }
    }

    /// The flags, at a rate.
    pub(super) fn flags(&self, rate: u32) -> HowArgs {
        let sets =
            self.sets.iter().map(|[name, value]| Assignment { name: name.clone(), value: value.clone() });
        let limits =
            self.limits.iter().map(|(name, value)| LimitChange { name: name.clone(), value: *value });
        HowArgs {
            sets: sets.collect(),
            seed: self.seed,
            interp: self.interp,
            limits: limits.collect(),
            rate: Some(Rate(rate)),
            played_outside: self.outside.clone(),
            ..HowArgs::default()
        }
    }
}

impl Text {
    /// A song as it was compiled, with what was read for it.
    pub fn new(song: &Song, read_files: ReadFiles) -> Text {
        let source = song.sources.get(song.id);
        Text {
            name: source.name.to_string(),
            prefix: song.prefix.clone(),
            text: source.text.to_string(),
            files: read_files.texts.into_iter().map(|(name, text)| [name, text]).collect(),
            sounds: read_files.sounds.into_iter().map(|(name, hash)| [name, hash]).collect(),
        }
    }

    /// Bytes that it takes, roughly.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.files.iter().map(|[name, text]| name.len() + text.len()).sum::<usize>()
    }
}

impl Entered {
    /// A request whose programs stand in a list at `place`.
    pub(super) fn new(asked: Asked, mut place: impl FnMut(&Arc<Program>) -> usize) -> Entered {
        let Asked { quanta, position, returned, sent, request } = asked;
        let request = match request {
            Request::Edit(program, sync) => {
                Operation::Edit { program: place(&program), at_bar: sync == Sync::Bar }
            }
            Request::Start(program, Entry { at, since }) => {
                Operation::Start { program: place(&program), at, since }
            }
            Request::Seek(frame) => Operation::Seek { frame },
            Request::Again => Operation::Again,
            Request::Play => Operation::Play,
            Request::Stop => Operation::Stop,
            Request::Set { name, value, ramp } => Operation::Set { name, value, ramp },
            Request::Note { target, voice, note, vel } => Operation::Note { target, voice, note, vel },
            Request::Touch { target, voice, signal, value, ramp } => {
                Operation::Touch { target, voice, signal: signal.name().into(), value, ramp }
            }
            Request::Mute(node, on) => Operation::Mute { node, on },
            Request::Solo(node, on) => Operation::Solo { node, on },
        };
        Entered { quanta, position, returned, sent, request }
    }

    /// The request again, of these programs; `None` where it names one that is not there.
    pub(super) fn asked(&self, programs: &[Arc<Program>]) -> Option<Asked> {
        let &Entered { quanta, position, returned, sent, ref request } = self;
        let request = match request.clone() {
            Operation::Edit { program, at_bar } => {
                let sync = if at_bar { Sync::Bar } else { Sync::Now };
                Request::Edit(programs.get(program)?.clone(), sync)
            }
            Operation::Start { program, at, since } => {
                Request::Start(programs.get(program)?.clone(), Entry { at, since })
            }
            Operation::Seek { frame } => Request::Seek(frame),
            Operation::Again => Request::Again,
            Operation::Play => Request::Play,
            Operation::Stop => Request::Stop,
            Operation::Set { name, value, ramp } => Request::Set { name, value, ramp },
            Operation::Note { target, voice, note, vel } => Request::Note { target, voice, note, vel },
            Operation::Touch { target, voice, signal, value, ramp } => {
                Request::Touch { target, voice, signal: NoteSignal::named(&signal)?, value, ramp }
            }
            Operation::Mute { node, on } => Request::Mute(node, on),
            Operation::Solo { node, on } => Request::Solo(node, on),
        };
        Some(Asked { quanta, position, returned, sent, request })
    }
}

/// Takings as they stand in the file.
pub(super) fn taken(taken: &Taken) -> [u64; 2] {
    [taken.quanta, taken.commands.into()]
}
