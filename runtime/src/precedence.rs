//! Which notes play where more are held than there are voices.

/// Which of the held notes play where they are more than an instrument's voices. The others wait, and one of them returns, without
/// a pause, when a note that plays is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Priority {
    /// Those that began last.
    Last,
    /// The lowest ones.
    Low,
    /// The highest ones.
    High,
}

/// How much a note is wanted: that of a greater rank plays before one of a lesser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rank(f64, u64);

impl Rank {
    /// Whether a note of this rank plays in the place of one of another.
    pub fn beats(self, other: Rank) -> bool {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1)).is_gt()
    }
}

impl Priority {
    /// All of them, with the words that songs write.
    pub const ALL: [(Priority, &'static str); 3] =
        [(Priority::Last, "last"), (Priority::Low, "low"), (Priority::High, "high")];

    /// The rank of a note of a pitch, which was the `stamp`-th to begin.
    pub fn rank(self, pitch: f64, stamp: u64) -> Rank {
        match self {
            Priority::Last => Rank(0.0, stamp),
            Priority::Low => Rank(-pitch, stamp),
            Priority::High => Rank(pitch, stamp),
        }
    }
}
