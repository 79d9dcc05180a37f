//! How much one cycle of one pattern may cost: the only place where it is said.

/// Events that one cycle of a pattern may hold.
pub const MOST_EVENTS_PER_CYCLE: usize = 16_384;

/// Steps (a pattern visited for a cycle, an event made) that a query of one cycle may take.
pub const MOST_WORK_PER_CYCLE: u32 = 262_144;

/// Events that one query may give back, however many cycles it asks for.
pub const MOST_EVENTS: usize = 1 << 18;

/// Events of shared parts that a query remembers, so that they need not be asked again.
pub const MOST_REMEMBERED: usize = 65_536;

/// Steps of a Euclidean rhythm.
pub const MOST_EUCLID_STEPS: usize = 1024;

/// A repetition (`!n`, `ply`, `every`, `iter`) may have at most this count.
pub const MOST_REPEATS: u32 = 1024;

/// Seconds by which a note may be earlier or later than its event.
pub const MOST_DELAY: f64 = 0.25;
