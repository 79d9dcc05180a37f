//! How large an input may be: every limit in one place.
//!
//! A song is compiled without running it, whoever wrote it; these bounds make that safe. Each is far above what
//! music needs. What goes over one is a problem that names the limit, never a crash or an endless run.

/// The limits. `Default` gives the usual ones; a host may set others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one text.
    pub text_bytes: usize,
    /// How deep brackets, blocks and expressions may nest.
    pub depth: usize,
    /// Nodes of a song.
    pub nodes: usize,
    /// Connections of a JSON song.
    pub connections: usize,
    /// Commands of a JSON song.
    pub commands: usize,
    /// Patterns of a JSON transport.
    pub patterns: usize,
    /// Steps of one pattern.
    pub pattern_steps: usize,
    /// Locks of one pattern.
    pub locks: usize,
    /// Changes of tempo.
    pub tempo_changes: usize,
    /// Steps of a JSON transport's bar.
    pub resolution: usize,
    /// Bars of a song.
    pub bars: usize,
    /// Beats per minute.
    pub bpm: usize,
    /// The latest frame of a command: 2^40 is more than two months at 192 kHz.
    pub frame: u64,
    /// The longest ramp, in milliseconds.
    pub ramp_ms: usize,
    /// Least sample rate.
    pub rate_min: usize,
    /// Greatest sample rate.
    pub rate_max: usize,
    /// Output channels.
    pub channels: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            text_bytes: 64 << 20,
            depth: 64,
            nodes: 4096,
            connections: 16_384,
            commands: 1 << 20,
            patterns: 4096,
            pattern_steps: 1 << 16,
            locks: 1 << 16,
            tempo_changes: 1 << 16,
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
