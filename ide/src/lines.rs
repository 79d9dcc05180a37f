//! Lines and UTF-16 columns, as editors count them, of the bytes of a text.
//!
//! This is the one place that converts. A table of line starts is made once a text; a conversion is a binary search and a walk
//! along one line.

use std::ops::Range;
use std::sync::Arc;

/// A position as the Language Server Protocol counts it: both from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 0. A line ends with `\n`, `\r\n` or `\r`.
    pub line: u32,
    /// Units of UTF-16 before it in its line.
    pub character: u32,
}

/// The line starts of a text.
#[derive(Clone, Debug)]
pub struct LineTable {
    text: Arc<str>,
    /// The byte at which each line begins; the first is 0.
    starts: Vec<u32>,
}

impl LineTable {
    /// Finds the lines of a text.
    pub fn new(text: Arc<str>) -> LineTable {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, &byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        LineTable { text, starts }
    }

    /// The position of a byte. One beyond the end is the end; one within a character is the character's beginning.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.boundary(byte);
        let line = self.starts.partition_point(|&start| start as usize <= byte) - 1;
        let before = &self.text[self.starts[line] as usize..byte];
        let character = before.chars().map(char::len_utf16).sum::<usize>();
        Position { line: line as u32, character: character as u32 }
    }

    /// The byte of a position. A column beyond its line is the line's end, before the characters that end it; one within a
    /// pair of surrogates is the beginning of the character; a line beyond the last is the text's end.
    pub fn byte(&self, position: Position) -> usize {
        let Some(line) = self.line(position.line as usize) else { return self.text.len() };
        let mut units = 0;
        for (at, c) in self.text[line.clone()].char_indices() {
            units += c.len_utf16() as u32;
            if units > position.character {
                return line.start + at;
            }
        }
        line.end
    }

    /// The bytes of a line without what ends it; none beyond the last line.
    pub fn line(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.starts.get(line)? as usize;
        let end = self.starts.get(line + 1).map_or(self.text.len(), |&next| next as usize);
        let text = self.text[start..end].trim_end_matches(['\n', '\r']);
        // A lone `\r` ends a line, so no more than one end is trimmed away.
        Some(start..start + text.len())
    }

    /// How many lines there are: one more than line ends.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The nearest beginning of a character at or before a byte.
    fn boundary(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        (0..=byte).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn every_byte_of_a_text_is_found_again() {
        let text = "a = 1\r\n// 𝄞 ü\rb\n\n𝄞";
        let table = LineTable::new(text.into());
        for (byte, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let position = table.position(byte);
            let back = table.byte(position);
            // Within the end of a line, it is the line's end.
            assert!(
                back == byte || text[back..byte].chars().all(|c| c == '\r'),
                "{byte} {position:?} {back}"
            );
        }
        assert_eq!(table.count(), 5);
    }

    #[test]
    fn columns_are_units_of_utf16_and_never_split_a_character() {
        let table = LineTable::new("x𝄞y\n".into());
        assert_eq!(table.position(5), at(0, 3));
        assert_eq!(table.position(3), at(0, 1), "within a character");
        assert_eq!(table.byte(at(0, 2)), 1, "within a pair");
        assert_eq!(table.byte(at(0, 3)), 5);
        assert_eq!(table.byte(at(0, 99)), 6);
        assert_eq!(table.byte(at(1, 0)), 7);
        assert_eq!(table.byte(at(7, 7)), 7);
    }
}
