//! Places as the page's editor counts them.

use std::ops::Range;

/// Bytes of a text and UTF-16 code units, in both directions, in the time of a line.
pub(crate) struct Places<'t> {
    text: &'t str,
    /// The first byte and the first unit of each line.
    lines: Vec<(usize, usize)>,
}

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t str) -> Places<'t> {
        let (mut byte, mut unit) = (0, 0);
        let mut lines = vec![];
        for line in text.split_inclusive('\n') {
            lines.push((byte, unit));
            byte += line.len();
            unit += line.encode_utf16().count();
        }
        lines.push((byte, unit));
        Places { text, lines }
    }

    /// The unit at a byte.
    pub(crate) fn unit(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.lines.partition_point(|line| line.0 <= byte).saturating_sub(1);
        let (first, unit) = self.lines[line];
        unit + self.text[first..byte].encode_utf16().count()
    }

    /// The byte at a unit; that of its character, within one.
    pub(crate) fn byte(&self, unit: usize) -> usize {
        let line = self.lines.partition_point(|line| line.1 <= unit).saturating_sub(1);
        let (first, mut at) = self.lines[line];
        let mut byte = first;
        for c in self.text[first..].chars() {
            if at + c.len_utf16() > unit {
                break;
            }
            at += c.len_utf16();
            byte += c.len_utf8();
        }
        byte
    }

    pub(crate) fn units(&self, bytes: Range<usize>) -> Range<usize> {
        self.unit(bytes.start)..self.unit(bytes.end)
    }
}
