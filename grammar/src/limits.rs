//! What an input may ask for at most: one table for all that this crate reads.
//!
//! Nothing here is a matter of taste: each limit keeps a hostile file from taking more than a second or the whole
//! stack, and lies far above what a song needs.

/// The limits of reading a file. All can be set; [`Limits::default`] is the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one `.mam` file.
    pub file_bytes: usize,
    /// How deep brackets, `if`s, prefix operators, powers, fields and pipes, and JSON's lists and objects, may stand in
    /// one another.
    pub nesting: usize,
    /// How many syntax problems of one file are reported.
    pub problems: usize,
    /// Limits of JSON songs.
    pub json: JsonLimits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { file_bytes: 2 << 20, nesting: 128, problems: 100, json: JsonLimits::default() }
    }
}

/// What a JSON song may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// Most bytes of one file.
    pub file_bytes: usize,
    /// Nodes.
    pub nodes: usize,
    /// Connections.
    pub connections: usize,
    /// Commands.
    pub commands: usize,
    /// Patterns of one transport.
    pub patterns: usize,
    /// Steps of one pattern.
    pub pattern_steps: usize,
    /// Locks of one pattern.
    pub locks: usize,
    /// Entries of `tempoRamps`.
    pub tempo_steps: usize,
    /// Steps of a bar.
    pub resolution: usize,
    /// Bars until a transport starts again.
    pub bars: usize,
    /// Beats per minute.
    pub bpm: usize,
    /// The latest frame of a command: two months at 192 kHz.
    pub frame: u64,
    /// The longest ramp, in milliseconds: an hour.
    pub ramp_ms: usize,
    /// Least sample rate, in Hz.
    pub rate_min: usize,
    /// Greatest sample rate, in Hz.
    pub rate_max: usize,
    /// Output channels.
    pub channels: usize,
}

impl Default for JsonLimits {
    fn default() -> JsonLimits {
        JsonLimits {
            file_bytes: 64 << 20,
            nodes: 4096,
            connections: 1 << 14,
            commands: 1 << 20,
            patterns: 4096,
            pattern_steps: 1 << 16,
            locks: 1 << 16,
            tempo_steps: 1 << 16,
            resolution: 1024,
            bars: 100_000,
            bpm: 1000,
            frame: 1 << 40,
            ramp_ms: 3_600_000,
            rate_min: 8000,
            rate_max: 768_000,
            channels: 8,
        }
    }
}
