//! The program: what the compiler makes and the engine runs. Plain data, plus code.
//!
//! A [`Program`] says everything that is known before the first sample: which kernel runs when, where every word
//! of state and every buffer lives, what can be set, and what is played. The engine owns the memory.

use crate::block::Block;
pub use crate::call::{Call, KernelFn, Port, QUANTUM};
use crate::channels::ChannelLayout;
use crate::ids::{BufferId, DelayId, IdMap, ParamId, PortId, SignalId};
use crate::names::{Miss, ParamNames, Spelling};
pub use crate::param::{Curve, ParamSlot};
use crate::precedence::Priority;
use crate::score::Rational;
use crate::score::data::Score;
use crate::stream::Stream;
use std::sync::Arc;

/// Frames of room before and after each delay line. What stands after it repeats the line's first frames (see
/// [`guard_copied`]), so that neighbours are read at once wherever they are; the step that writes a line keeps it up. A call that
/// begins among those that are repeated, or comes beyond the line's end, may write as many frames as it has beyond either
/// end.
pub const GUARD: usize = 2 * QUANTUM;

/// Frames from which on a delay line is long: a call reads and writes it with linear addressing, without wrapping at its end.
pub const LONG: usize = 4 * QUANTUM;

/// How many of a delay line's frames are repeated after its end: of a long one, what a call may go beyond it by; of a
/// short one, what the lanes of a vector may.
pub const fn guard_copied(frames: usize) -> usize {
    match frames {
        LONG.. => QUANTUM,
        4.. => 4,
        _ => frames,
    }
}

/// A compiled song, ready to run at one sample rate.
#[derive(Clone)]
pub struct Program {
    /// Sample rate in frames a second.
    pub rate: u32,
    /// Frames by which the outputs are late: what is played in frame f is heard in frame f + latency.
    pub latency: u32,
    /// What its channels are.
    pub layout: ChannelLayout,
    /// The machine code, or the interpreter.
    pub code: Arc<dyn Code>,
    /// The calls that make up a quantum, in order.
    pub steps: Vec<Step>,
    /// The initial image of the state memory (see [`Step::state`]), in bytes; a multiple of 16.
    pub state: Arc<Vec<u8>>,
    /// Capacity of each delay line in frames: powers of two.
    pub delays: IdMap<DelayId, DelaySpec>,
    /// The buffer of [`QUANTUM`] frames in which each signal lies. It may be another's before and after
    /// ([`crate::buffers`]).
    pub buffers: IdMap<SignalId, BufferId>,
    /// The signals of the song's `in`: left, right. Empty when it is not used.
    pub inputs: Vec<SignalId>,
    /// The signals that are the result, one a channel.
    pub outputs: Vec<SignalId>,
    /// Everything that can be set while it runs.
    pub params: IdMap<ParamId, ParamSlot>,
    /// How those are found by name.
    pub names: Arc<ParamNames>,
    /// The event ports. Their targets are in [`Program::targets`].
    pub ports: usize,
    /// The instruments, as the score sees them.
    pub targets: Vec<Target>,
    /// The events of the song over time.
    pub score: Score,
}

impl Program {
    /// The sounds that are read while it plays; one that is played at several places comes as often.
    pub fn streams(&self) -> impl Iterator<Item = &Arc<Stream>> {
        self.steps.iter().filter_map(|step| match step.block.as_deref() {
            Some(Block::Streamed(streamed)) => Some(streamed.stream()),
            _ => None,
        })
    }

    /// From now on nothing waits for the sounds that are streamed: threads read what is asked for.
    #[cfg(feature = "threads")]
    pub fn go_live(&self) {
        self.streams().for_each(Stream::go_live);
    }

    /// The program without its steps: what it has can be set and triggered, and it takes no memory to render.
    pub(crate) fn without_steps(&self) -> Program {
        Program {
            rate: self.rate,
            latency: self.latency,
            layout: self.layout,
            code: self.code.clone(),
            steps: vec![],
            state: Arc::default(),
            delays: IdMap::default(),
            buffers: IdMap::default(),
            inputs: vec![],
            outputs: vec![],
            params: self.params.clone(),
            names: self.names.clone(),
            ports: self.ports,
            targets: vec![],
            score: Score::default(),
        }
    }

    /// The longest delay line in frames: how long a song may be silent before it sounds again.
    pub fn memory(&self) -> usize {
        self.delays.values().map(|line| line.frames).max().unwrap_or(0)
    }

    /// The parameter that a name means, however it is spelled.
    ///
    /// # Errors
    /// Whether there is nothing of this name, or more than one.
    pub fn param(&self, name: &str) -> Result<ParamId, Miss> {
        let exact = match self.names.find(name, Spelling::Exact) {
            Err(Miss::Unknown) => self.names.find(name, Spelling::Loose),
            found => found,
        };
        match exact {
            Err(Miss::Unknown) => self
                .params
                .iter()
                .find(|(_, slot)| &*slot.name == name)
                .map(|(id, _)| id)
                .ok_or(Miss::Unknown),
            found => found,
        }
    }

    /// How many buffers there are.
    pub fn buffer_count(&self) -> usize {
        self.buffers.values().max().map_or(0, |last| last.index() + 1)
    }

    /// The same song with another tempo at its start, in quarter notes a minute; where the tempo changes, it does so in
    /// the same relation. `None` without a tempo, or for one that cannot be.
    pub fn at_tempo(&self, bpm: f64) -> Option<Program> {
        let score = self.score.at_tempo(bpm)?;
        let mut program = Program { score, ..self.clone() };
        let tempo = |score: &Score| score.transports.first()?.tempo.first().map(Rational::to_f64);
        let (before, now) = (tempo(&self.score)?, tempo(&program.score)?);
        for length in self.score.lengths.iter().filter(|length| length.is_default) {
            let slot = &mut program.params[length.param];
            let clamped = |x: f64| x.min(slot.max).max(slot.min);
            if slot.default == clamped(length.value(before)) {
                slot.default = clamped(length.value(now));
            }
        }
        Some(program)
    }

    /// Whether anything in it may sound without a note or an input, now or later: a step that runs on its own, and does not
    /// wait for notes.
    pub fn runs_by_itself(&self) -> bool {
        self.inputs.is_empty() && self.steps.iter().any(|step| step.voices.is_empty() && !step.can_sleep)
    }
}

/// One kernel call of a quantum: which kernel, on which memory.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Step {
    /// What it computes, for people: its part's name, or those of the first and the last.
    pub name: Arc<str>,
    /// The nodes or voices that it computes: one, or as many as its kernel has lanes.
    pub parts: Vec<StepPart>,
    /// Index of the kernel in [`Program::code`]; of a block node, of one that gives silence.
    pub kernel: u32,
    /// What a block node computes in the place of its kernel.
    pub block: Option<Arc<Block>>,
    /// First byte of its block in the state memory: hoisted values, then states.
    pub state: usize,
    /// Bytes of that block.
    pub state_bytes: usize,
    /// The delay lines that the kernel reads and writes.
    pub delays: Vec<DelayId>,
    /// Which of them it only reads, by their places there: an earlier step of the quantum writes them.
    pub borrowed: Vec<usize>,
    /// Its parameters, in the order of its kernel.
    pub params: Vec<ParamId>,
    /// Which of them its general form reads once a call: where one of these moves, it is called frame by frame.
    pub per_call: Vec<bool>,
    /// The signals that it reads.
    pub inputs: Vec<SignalId>,
    /// The signals that it writes.
    pub outputs: Vec<SignalId>,
    /// The ports whose events it takes.
    pub ports: Vec<PortId>,
    /// Which parts of it fall silent.
    pub voices: Vec<StepVoice>,
    /// Where it does nothing but copy: the signal that each output is a copy of, one of its inputs. Else empty.
    pub copies: Vec<SignalId>,
    /// Whether it may sleep, once its inputs and its tail are silent: nothing in it runs on its own.
    pub can_sleep: bool,
    /// Work a frame, in instructions of its kernel. Only for sharing out work: it changes no sound.
    pub cost: usize,
    /// The equations and voices that it computes, by the names that people know.
    pub computes: Arc<[Arc<str>]>,
    /// Whether its outputs are finite whatever it hears.
    pub bounded: bool,
    /// The bytes of its block in which states of type f32 lie that are set while it runs, and may become infinite.
    pub singles: Vec<std::ops::Range<usize>>,
    /// The same for f64.
    pub doubles: Vec<std::ops::Range<usize>>,
    /// A hash of its kernel, without names: whether an edit changes what it computes.
    pub content: u64,
}

/// A node or voice, as a part of the step that computes it. What edits, mutes and taps know it by.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct StepPart {
    /// Path of the node (and voice): `bd`, `pad#3`. State is carried over an edit by this and the state's name.
    pub name: Arc<str>,
    /// Its words of state with their offsets in the step's block.
    pub states: Arc<[StateWord]>,
    /// Its event ports, in its own order: indices into [`Step::ports`].
    pub ports: Vec<usize>,
    /// Its voices: a range of [`Step::voices`].
    pub voices: std::ops::Range<usize>,
    /// Its outputs: a range of [`Step::outputs`]. Where a step adds up its parts (they are voices of one node), the
    /// first has them all.
    pub outputs: std::ops::Range<usize>,
}

/// A word of state in a step's block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct StateWord {
    /// Path within the node.
    pub name: Arc<str>,
    /// First byte, from the start of the block.
    pub offset: usize,
    /// 4 or 8 bytes.
    pub bytes: usize,
}

/// A part of a step that falls silent and is woken by a note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct StepVoice {
    /// Which of the step's ports wakes it (an index into [`Step::ports`]).
    pub port: usize,
    /// Offset in the block of the 32-bit word that is not 0 when it may fall silent.
    pub until: usize,
    /// Stretches of the block that return to the initial image when it wakes.
    pub bytes: Vec<std::ops::Range<usize>>,
    /// Which of the step's delay lines are cleared when it wakes.
    pub delays: std::ops::Range<usize>,
}

/// A delay line of the program's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct DelaySpec {
    /// Path: node and state.
    pub name: Arc<str>,
    /// Capacity in frames: a power of two.
    pub frames: usize,
    /// How many frames back it is read at most; its capacity where that is not known.
    pub reach: usize,
}

/// What a MIDI file calls an instrument: the statements `midi drum` and `midi program` of its definition.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct MidiRole {
    /// What the song calls it: the name of an equation, or its path where it has none.
    pub name: Arc<str>,
    /// Name of its definition.
    pub definition: Arc<str>,
    /// Keys of the drum channel that mean it, each 0 to 127; it is written as the first. Empty if it is not a drum.
    pub keys: Vec<u8>,
    /// Programs that mean it, each 0 to 127; it is written as the first.
    pub programs: Vec<u8>,
    /// Whether its sound depends on the note.
    pub pitched: bool,
}

/// An instrument, as the score sees it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Target {
    /// The path by which it is set: `bd.gain`.
    pub name: Arc<str>,
    /// Ports of its voices.
    pub voices: Vec<PortId>,
    /// A port that hears every note of it, for `bd.trig` and the like.
    pub monitor: Option<PortId>,
    /// MIDI note of a hit without a pitch.
    pub default_note: f64,
    /// Which of the held notes play where they are more than the voices; without one the oldest note gives its voice up for good.
    pub priority: Option<Priority>,
    /// How it is written to a MIDI file.
    pub midi: MidiRole,
    /// Its `bpm` and `loop` parameters.
    pub bpm: ParamId,
    /// The parameter that says whether it triggers itself; see [`Target::bpm`].
    pub looped: ParamId,
    /// The parameters of which a note can give its voice a value of its own.
    pub note_params: Vec<NoteParam>,
    /// Where its notes go, if it is a machine outside.
    pub outside: Option<Outside>,
    /// The parameters that go there as well.
    pub sent: Vec<(ParamId, Sent)>,
}

/// What a note can be given while it sounds, beside its pitch and velocity: a signal of its voice, which songs read as
/// `note.bend` and move by lines, and which MIDI and hosts deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum NoteSignal {
    /// The ratio by which its frequency is bent: 1, from 2⁻⁸ to 2⁸. [`Port::freq`] is without it.
    Bend,
    /// How hard its key is pressed: 0, up to 1.
    Pressure,
    /// A third dimension of the touch, MPE's slide: 0.5, from 0 to 1.
    Timbre,
    /// How quickly its key was let go: 0.5, from 0 to 1.
    OffVel,
}

impl NoteSignal {
    /// All of them, in order.
    pub const ALL: [NoteSignal; 4] =
        [NoteSignal::Bend, NoteSignal::Pressure, NoteSignal::Timbre, NoteSignal::OffVel];

    /// What stands behind `note.`.
    pub fn name(self) -> &'static str {
        match self {
            NoteSignal::Bend => "bend",
            NoteSignal::Pressure => "pressure",
            NoteSignal::Timbre => "timbre",
            NoteSignal::OffVel => "off_vel",
        }
    }

    /// The signal of a name.
    pub fn named(name: &str) -> Option<NoteSignal> {
        NoteSignal::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// Its value where nothing delivers it, in base units.
    pub fn default(self) -> f64 {
        match self {
            NoteSignal::Bend => 1.0,
            NoteSignal::Pressure => 0.0,
            NoteSignal::Timbre | NoteSignal::OffVel => 0.5,
        }
    }

    /// Its least and greatest value.
    pub fn range(self) -> (f64, f64) {
        match self {
            NoteSignal::Bend => (1.0 / 256.0, 256.0),
            _ => (0.0, 1.0),
        }
    }
}

/// Where the notes of an instrument go that is a machine outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Outside {
    /// To MIDI ports.
    Midi {
        /// A part of the name of the ports that it goes to.
        port: Arc<str>,
        /// The channel, 0 to 15.
        channel: u8,
        /// The key that every note plays, for drums; each its own where `None`.
        key: Option<u8>,
        /// Semitones that its bends go up and down, 1 to 96.
        bend: u8,
    },
    /// To another program, by OSC over UDP.
    Osc {
        /// Host and port.
        address: Arc<str>,
        /// The address pattern of its messages.
        path: Arc<str>,
        /// What SuperDirt calls the sound, if anything.
        sound: Option<Arc<str>>,
    },
}

impl Outside {
    /// The prelude's definition of machines that play by MIDI, which is what a MIDI file calls the instrument of their tracks.
    pub const MIDI_OUT: &str = "midi_out";
}

/// What a parameter of such an instrument is outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Sent {
    /// A signal of its notes: a bend, pressure, controller 74.
    Note(NoteSignal),
    /// A controller, 0 to 127.
    Control(u8),
    /// The program, 0 to 127.
    Program,
    /// Where its voices are between left and right, −1 to 1.
    Pan,
    /// A value by its name.
    Named(Arc<str>),
    /// A value by its name, from when a line or a note first gives it.
    Argument(Arc<str>),
}

impl Sent {
    /// The controller or program that a name of a line means, `cc74` or `program`.
    pub fn of_line(name: &str) -> Option<Sent> {
        let number = |digits: &str| digits.parse::<u8>().ok().filter(|number| *number < 128);
        match name.strip_prefix("cc") {
            Some(digits) if !digits.starts_with('0') || digits == "0" => number(digits).map(Sent::Control),
            _ => (name == "program").then_some(Sent::Program),
        }
    }

    /// The name by which lines move it.
    pub fn name(&self) -> String {
        match self {
            Sent::Note(signal) => format!("note.{}", signal.name()),
            Sent::Control(number) => format!("cc{number}"),
            Sent::Program => "program".into(),
            Sent::Pan => "pan".into(),
            Sent::Named(name) | Sent::Argument(name) => name.to_string(),
        }
    }
}

/// A parameter of an instrument of which each voice has a share of its own.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct NoteParam {
    /// The parameter that lines and controllers set.
    pub param: ParamId,
    /// The signal of notes that it is, if it is not one that a definition names.
    pub signal: Option<NoteSignal>,
    /// The share of each voice, in the order of [`Target::voices`].
    pub voices: Vec<ParamId>,
}

/// Something that happens at a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The frame at which it takes effect, from the song's start.
    pub frame: u64,
    /// The note or the change of a parameter.
    pub kind: EventKind,
}

/// What can happen. At one frame, sets come first, then note-offs, then notes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventKind {
    /// A parameter is set, or goes to `value` in `ramp` frames. The value is clamped to the range.
    Set {
        /// The parameter.
        param: ParamId,
        /// The value in base units.
        value: f64,
        /// Frames; 0 for at once. Ramp value i = 1…ramp falls in frame event + i − 1.
        ramp: u32,
        /// How it goes there; the parameter's own curve where `None`. A parameter that steps always steps.
        curve: Option<Curve>,
    },
    /// A note that begins on a voice gives it a value of its own, at once and until the voice is taken again; without a value
    /// the voice follows the parameter.
    NoteValue {
        /// The voice's share of the parameter: one that [`ParamSlot::follows`] another.
        param: ParamId,
        /// The value in base units, clamped to the range; `None` to follow.
        value: Option<f64>,
        /// Frames in which it goes there in a straight line; 0 for at once. Where it follows it is there at once.
        ramp: u32,
    },
    /// The note of a port ends.
    Off {
        /// The port.
        port: PortId,
    },
    /// The pitch of a port's note changes; the note goes on, or stays over. The next note begins at its own pitch.
    Pitch {
        /// The port.
        port: PortId,
        /// MIDI note number, with a fraction between two keys.
        note: f64,
    },
    /// A note begins.
    On {
        /// The port.
        port: PortId,
        /// MIDI note number; the frequency is 440·2^((note − 69)/12).
        note: f64,
        /// Velocity; 1 is nominal.
        vel: f64,
    },
}

/// Which function of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Computes what depends only on parameters and events of the steady form into the block's hoisted values.
    /// Called before the first steady call, after every event and after every change of a parameter.
    Setup,
    /// No note at the start, no parameter moving.
    Steady,
    /// A note may start in the first frame; parameters are read from [`Call::moving`].
    General,
}

/// The frequency of a MIDI note number in Hz: 440·2^((note − 69)/12).
pub fn note_frequency(note: f64) -> f64 {
    440.0 * libm::exp2((note - 69.0) / 12.0)
}

/// Runs kernels: machine code, or the interpreter.
pub trait Code: Send + Sync {
    /// Runs one function of a kernel, with subnormals flushed to zero.
    ///
    /// # Safety
    /// `kernel` is one of this code's, and every table of `call` holds what that kernel's layout says, valid for
    /// `call.frames` frames.
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call);

    /// The machine code of a function, which may be called instead ([`crate::machine::call_kernel`]) for as long as
    /// this code lives; `None` where there is none.
    fn function(&self, _kernel: u32, _form: Form) -> Option<KernelFn> {
        None
    }

    /// Another number once other functions should be called, which compute the same.
    fn version(&self) -> u32 {
        0
    }
}
