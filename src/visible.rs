//! Text that did not come from mam, made harmless for a terminal. A song, a name or a file may hold characters that move
//! the cursor, change colours or turn the direction of writing, and what is printed is not to look like something else.

use std::borrow::Cow;

/// What is shown for a character that a terminal would act on; nothing for one that can be seen. Newlines and tabs are
/// layout, and stay.
fn stand_in(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => None,
        // Unicode has a picture for each of these.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('␡'),
        // C1 controls, separators of lines, what is no character or cannot be seen, and what changes the direction of the
        // text around it.
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
        '\u{200b}' | '\u{2060}' | '\u{feff}' => Some('\u{fffd}'),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some('\u{fffd}')
        }
        _ => None,
    }
}

/// The text with a visible character in the place of each that a terminal would act on.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.chars().any(|c| stand_in(c).is_some()) {
        true => Cow::Owned(text.chars().map(|c| stand_in(c).unwrap_or(c)).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The name of a file, which stands in one line: what would be layout in it is shown, too.
pub fn visible_name(name: &str) -> Cow<'_, str> {
    match name.contains(['\n', '\t']) {
        true => Cow::Owned(visible(&name.replace('\n', "␊").replace('\t', "␉")).into_owned()),
        false => visible(name),
    }
}

/// A text as [`visible`] shows it, with where each place of the text has gone.
#[derive(Debug)]
pub struct Shown {
    /// The text as it is shown.
    pub text: std::sync::Arc<str>,
    /// Behind each character that was replaced: the byte in the text and in what is shown.
    moved: Vec<(usize, usize)>,
}

impl Shown {
    /// Makes a text safe to show.
    pub fn new(text: &std::sync::Arc<str>) -> Shown {
        let Cow::Owned(shown) = visible(text) else { return Shown { text: text.clone(), moved: vec![] } };
        let (mut moved, mut at) = (vec![], 0);
        for (byte, c) in text.char_indices() {
            let stand_in = stand_in(c);
            at += stand_in.unwrap_or(c).len_utf8();
            if stand_in.is_some() {
                moved.push((byte + c.len_utf8(), at));
            }
        }
        Shown { text: shown.into(), moved }
    }

    /// Where a byte of the text has gone.
    pub fn place(&self, byte: usize) -> usize {
        match self.moved.partition_point(|&(before, _)| before <= byte).checked_sub(1) {
            Some(last) => self.moved[last].1 + (byte - self.moved[last].0),
            None => byte,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown_and_all_else_stays() {
        assert_eq!(visible("a\tb\nü → 音"), "a\tb\nü → 音");
        assert_eq!(visible_name("a\nb\t\u{feff}\x1b.mam"), "a␊b␉\u{fffd}␛.mam");
        assert_eq!(visible("\x1b[31m\r\x07\x7f\u{9b}1m\u{202e}x"), "␛[31m␍␇␡\u{fffd}1m\u{fffd}x");
    }

    #[test]
    fn places_are_found_behind_characters_that_were_replaced() {
        let text: std::sync::Arc<str> = "a\x1bb\u{9b}c".into();
        let shown = Shown::new(&text);
        for (byte, c) in text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()) {
            assert!(shown.text[shown.place(byte)..].starts_with(c));
        }
        assert_eq!(shown.place(text.len()), shown.text.len());
        assert_eq!(Shown::new(&"abc".into()).place(2), 2);
    }
}
