//! How a song is compiled.

use crate::expect::song::Subject;
use crate::host::Host;
use crate::listen::Listen;
use crate::opt::instances::Packing;
use crate::stage::Stage;
use crate::target::{OptLevel, Target};
use mam_grammar::Limits;

/// How a song is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Frames a second; 0 for what the song says, else 48000.
    pub rate: u32,
    /// Output channels; 0 for what the song says, else 2.
    pub channels: usize,
    /// Run it by the reference interpreter instead of machine code. Without the feature `jit` it always is.
    pub interpreter: bool,
    /// The song's seed; its own where `None`.
    pub seed: Option<u64>,
    /// Parameters and knobs to be set: name and value as it would be written in mam.
    pub sets: Vec<(String, String)>,
    /// What a song may ask for at most.
    pub limits: Limits,
    /// The machine that code is made for.
    pub target: Target,
    /// The clock and the threads that the compiler may use. They change nothing of the program.
    pub host: Host,
    /// How much time the code generator takes. What is made quickly is made better in the background, and replaced while the
    /// program runs; a program that may take much of a core never begins with such code.
    pub opt_level: OptLevel,
    /// Whether calls of one kernel are packed into lanes, for measurements and comparisons.
    pub packing: Packing,
    /// The last stage that is run: an editor needs no machine code. There is a program from [`Stage::Plan`] on.
    pub until: Stage,
    /// What is heard beside the song: further outputs of the program, which may change last bits of the song's own.
    pub listen: Listen,
    /// The names of instruments whose notes come from outside with bends and pressure, one voice another than the next: each of
    /// their voices has its own [`NoteSignal`](mam_runtime::NoteSignal)s. Names that lead to no instrument change nothing.
    pub played_outside: Vec<String>,
    /// Whether a host plays all instruments: each of their voices has its own of the signals that the instrument
    /// reads.
    pub played_by_host: bool,
    /// The expression of an `expect` that is heard in place of `out`.
    pub measured: Option<Subject>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            rate: 0,
            channels: 0,
            interpreter: false,
            seed: None,
            sets: vec![],
            limits: Limits::default(),
            target: Target::host(),
            host: Host::default(),
            opt_level: OptLevel::Best,
            packing: Packing::default(),
            until: Stage::Emit,
            listen: Listen::default(),
            played_outside: vec![],
            played_by_host: false,
            measured: None,
        }
    }
}
