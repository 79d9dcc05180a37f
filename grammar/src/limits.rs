//! What an input may ask for at most: one table for all that this crate reads.
//!
//! Nothing here is a matter of taste: each limit keeps a hostile file from taking more than a second or the whole
//! stack, and lies far above what a song needs.

/// The limits of reading a file. All can be set; [`Limits::default`] is the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one file.
    pub file_bytes: usize,
    /// How deep brackets, `if`s, prefix operators, powers, fields and pipes may stand in one another.
    pub nesting: usize,
    /// How many syntax problems of one file are reported.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { file_bytes: 2 << 20, nesting: 128, problems: 100 }
    }
}
