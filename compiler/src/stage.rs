//! The stages of a compilation.

/// A stage of a compilation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Texts become syntax trees.
    Parse,
    /// What names mean.
    Resolve,
    /// What the equations need of each other.
    Graph,
    /// What is wrong with values, and the types of all that have one.
    Check,
    /// What is played.
    Score,
    /// Values at the start, and what of all this is odd. Every problem but those of too much code or memory and of delays in
    /// circles is known after it.
    Start,
    /// Kernels. Every problem is known after it: a song that may take too much memory is planned as well.
    Lower,
    /// All passes.
    Optimise,
    /// Where everything is in memory; a program that the reference interpreter runs.
    Plan,
    /// Machine code.
    Emit,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Stage; 10] = [
        Stage::Parse,
        Stage::Resolve,
        Stage::Graph,
        Stage::Check,
        Stage::Score,
        Stage::Start,
        Stage::Lower,
        Stage::Optimise,
        Stage::Plan,
        Stage::Emit,
    ];

    /// The last of them.
    pub(crate) const LAST: Stage = Stage::Emit;

    /// What it is called where times are shown.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Parse => "parse",
            Stage::Resolve => "resolve",
            Stage::Graph => "graph",
            Stage::Check => "check",
            Stage::Score => "score",
            Stage::Start => "start",
            Stage::Lower => "lower",
            Stage::Optimise => "passes",
            Stage::Plan => "plan",
            Stage::Emit => "emit",
        }
    }
}
