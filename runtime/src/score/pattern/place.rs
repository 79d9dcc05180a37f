//! Where a pattern's steps are written.

use std::ops::Range;

/// Where a step is written: bytes of the song's text. What is computed has no place.
///
/// All places are equal, so that two patterns are, wherever they are written.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// The place of these bytes.
    pub fn new(bytes: Range<u32>) -> Place {
        Place { start: bytes.start, end: bytes.end }
    }

    /// The bytes; `None` of what is not written.
    pub fn bytes(self) -> Option<Range<usize>> {
        (self.start < self.end).then_some(self.start as usize..self.end as usize)
    }
}

impl PartialEq for Place {
    fn eq(&self, _: &Place) -> bool {
        true
    }
}
