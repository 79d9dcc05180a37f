//! Where a pattern's steps are written.

use std::ops::Range;

/// The bytes of the song's text where a step is written; none for what is computed.
///
/// All of them are equal, so that two patterns are, wherever they are written.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct SourceRange {
    start: u32,
    end: u32,
}

impl SourceRange {
    /// A step that is written in these bytes of the song's text.
    pub fn new(bytes: Range<u32>) -> SourceRange {
        SourceRange { start: bytes.start, end: bytes.end }
    }

    /// The bytes of the text; `None` for what is computed.
    pub fn bytes(self) -> Option<Range<usize>> {
        (self.start < self.end).then_some(self.start as usize..self.end as usize)
    }

    /// The same step where its line stands elsewhere.
    #[must_use]
    pub fn shifted(self, by: SourceShift) -> SourceRange {
        SourceRange { start: self.start.wrapping_add(by.0), end: self.end.wrapping_add(by.0) }
    }
}

impl PartialEq for SourceRange {
    fn eq(&self, _: &SourceRange) -> bool {
        true
    }
}

/// How many bytes behind the place where a line was read it stands now, wrapping around.
///
/// All of them are equal, as two lines are, wherever they are written.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct SourceShift(u32);

impl SourceShift {
    /// That of a line that was read at one byte of a text and stands at another.
    pub fn between(read: u32, now: u32) -> SourceShift {
        SourceShift(now.wrapping_sub(read))
    }
}

impl PartialEq for SourceShift {
    fn eq(&self, _: &SourceShift) -> bool {
        true
    }
}
