//! What an input may ask for at most: every limit in one place.
//!
//! A song is compiled without being run, whoever wrote it, and these bounds make that safe. Nothing here is a matter
//! of taste: each keeps a hostile file from taking more than a second, or the whole memory, and lies far above what
//! music needs. What goes over one is a problem that names the limit.

macro_rules! limits {
    ($(#[doc = $about:literal])* $table:ident: $($(#[doc = $doc:literal])* $name:ident: $ty:ty = $value:expr;)*) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $table {
            $($(#[doc = $doc])* pub $name: $ty,)*
        }

        impl Default for $table {
            fn default() -> $table {
                $table { $($name: $value),* }
            }
        }

        impl $table {
            /// Sets the limit of this name; false when there is none that is a number.
            fn assign_named(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name.assign(value),)*
                    _ => false,
                }
            }

            fn own_names() -> impl Iterator<Item = &'static str> {
                [$(stringify!($name)),*].into_iter()
            }
        }
    };
}

/// A limit, or a table of them.
trait Limit {
    /// Takes a new value; false where there is no single one.
    fn assign(&mut self, value: u64) -> bool;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(impl Limit for $ty {
        fn assign(&mut self, value: u64) -> bool {
            *self = value as $ty;
            true
        }
    })*};
}

numbers! { usize u64 f64 }

impl Limit for JsonLimits {
    fn assign(&mut self, _value: u64) -> bool {
        false
    }
}

/// Limits that keep the stack from running over: they cannot be raised.
const FIXED: [&str; 2] = ["nesting", "use_depth"];

impl Limits {
    /// Sets a limit by its name, `nodes` or `json.commands`.
    ///
    /// # Errors
    /// When there is no such limit, or it cannot be set: what there is, in words.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), String> {
        let settable = !FIXED.contains(&name)
            && match name.strip_prefix("json.") {
                Some(json) => self.json.assign_named(json, value),
                None => self.assign_named(name, value),
            };
        if settable {
            return Ok(());
        }
        let own = Limits::own_names().filter(|n| !FIXED.contains(n) && *n != "json").map(String::from);
        let names: Vec<String> = own.chain(JsonLimits::own_names().map(|n| format!("json.{n}"))).collect();
        Err(format!("there is no limit `{name}` to set; there are: {}", names.join(", ")))
    }
}

limits! {
    /// The limits. `Default` gives the usual ones; a host may set others.
    Limits:

    // Text
    /// Bytes of one `.mam` file.
    file_bytes: usize = 768 << 10;
    /// Words and marks of one `.mam` file; a text in quotes is one.
    tokens: usize = 140_000;
    /// How deep brackets, `if`s, prefix operators, powers, fields and pipes (in JSON, lists and objects) may nest.
    nesting: usize = 128;
    /// How many syntax problems of one file are reported.
    problems: usize = 100;
    /// How deep files that use files may nest.
    use_depth: usize = 32;
    /// Files of a song: itself and those that it uses.
    files: usize = 256;
    /// Bytes of all of them together.
    all_file_bytes: usize = 1 << 20;

    // Score
    /// Steps (a pattern visited for a cycle, an event made) that looking through the lines of a score may take.
    score_work: u64 = 4_000_000;

    // Programs
    /// Nodes of a song.
    nodes: usize = 16_384;
    /// What can be set in a song: parameters of all instruments and effects, and knobs.
    params: usize = 65_536;
    /// Voices of all instruments together.
    all_voices: usize = 32_768;
    /// Expressions that are evaluated for one kernel, every use of a definition counted; a long name counts as several.
    evaluations: usize = 400_000;
    /// The same for a whole song.
    all_evaluations: usize = 2_000_000;
    /// Machine instructions that one kernel may become, roughly, in each of its two bodies.
    kernel_instructions: usize = 50_000;
    /// The same for all kernels of a song, both bodies counted; kernels that are alike are one.
    instructions: usize = 300_000;
    /// Iterations of one `sum` or `chain`.
    turns: usize = 4096;
    /// Iterations of all `sum`s and `chain`s together.
    all_turns: usize = 100_000;
    /// Sound files of a folder that is a kit.
    kit_files: usize = 256;
    /// Elements of one list.
    elements: usize = 4096;
    /// Values that a list or a record comes to, those of lists and records within it counted.
    values: usize = 65_536;
    /// How deep `sum`s and `chain`s may stand in one another, calls followed.
    loop_depth: usize = 16;
    /// How deep definitions that call definitions may nest.
    call_depth: usize = 64;
    /// Voices of one instrument.
    voices: usize = 1024;
    /// Numbers of one table.
    table: usize = 65_536;
    /// Samples of all sound files of a song together, those of each channel counted.
    samples: usize = 16 << 20;
    /// Seconds of one delay line.
    tap_seconds: f64 = 60.0;
    /// Numbers that all voices and nodes of a song remember from frame to frame, its states.
    states: usize = 500_000;
    /// Bytes of state and delay lines of a song.
    memory_bytes: usize = 512 << 20;

    /// Limits of JSON songs.
    json: JsonLimits = JsonLimits::default();
}

limits! {
    /// What a JSON song may ask for.
    JsonLimits:

    /// Most bytes of one file.
    file_bytes: usize = 16 << 20;
    /// Values of one file: numbers, texts, lists, objects and their members.
    values: usize = 600_000;
    /// Nodes of a JSON song.
    nodes: usize = 4096;
    /// Connections of a JSON song.
    connections: usize = 1 << 14;
    /// Commands of a JSON song.
    commands: usize = 1 << 20;
    /// Patterns of one transport.
    patterns: usize = 4096;
    /// Steps of one pattern.
    pattern_steps: usize = 1 << 16;
    /// Locks of one pattern.
    locks: usize = 1 << 16;
    /// Entries of `tempoRamps`.
    tempo_steps: usize = 1 << 16;
    /// Steps of a bar.
    resolution: usize = 1024;
    /// Bars until a transport starts again.
    bars: usize = 100_000;
    /// Tempo in beats per minute.
    bpm: usize = 1000;
    /// The latest frame of a command: two months at 192 kHz.
    frame: u64 = 1 << 40;
    /// The longest ramp, in milliseconds: an hour.
    ramp_ms: usize = 3_600_000;
    /// Least sample rate, in Hz.
    rate_min: usize = 8000;
    /// Greatest sample rate, in Hz.
    rate_max: usize = 768_000;
    /// Output channels of a song.
    channels: usize = 8;
}
