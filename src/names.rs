//! Names of files that are made from names in a song, which may be any text.

use std::collections::HashSet;

/// Bytes of a name, at most, without its ending and what tells it from others.
const MOST_BYTES: usize = 100;

/// Names within one folder that were given so far, without regard to case.
#[derive(Debug, Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// A name for a file about `name`: within the folder, valid on every system, and not given before.
    pub fn file(&mut self, name: &str, ending: &str) -> String {
        let plain = plain(name);
        let numbered = |n: u32| if n == 1 { plain.clone() } else { format!("{plain}-{n}") };
        let mut n = 1;
        while !self.0.insert(numbered(n).to_lowercase()) {
            n += 1;
        }
        format!("{}.{ending}", numbered(n))
    }
}

/// The name with `_` for every character that means something in a path somewhere.
fn plain(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || " -_+.#'".contains(c) { c } else { '_' };
    let mut plain: String = name.chars().map(safe).collect();
    plain.truncate((0..=MOST_BYTES.min(plain.len())).rev().find(|&i| plain.is_char_boundary(i)).unwrap_or(0));
    // A hidden file, a flag, and what Windows cuts off.
    let ends = plain.trim_end_matches([' ', '.']).len();
    plain.replace_range(ends.., &"_".repeat(plain.len() - ends));
    if plain.is_empty() || plain.starts_with(['.', '-', ' ']) || is_device(&plain) {
        plain.insert(0, '_');
    }
    plain
}

/// Names that are devices on Windows, whatever follows their first point.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end().to_ascii_lowercase();
    let numbered = |name: &str| {
        stem.strip_prefix(name).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    ["con", "prn", "aux", "nul"].contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_makes_a_name_within_the_folder() {
        let mut names = Names::default();
        let cases = [
            ("bd", "bd.wav"),
            ("BD", "BD-2.wav"),
            ("bd", "bd-3.wav"),
            ("../outside", "_.._outside.wav"),
            ("..", "__.wav"),
            ("/etc/passwd", "_etc_passwd.wav"),
            ("c:\\x", "c__x.wav"),
            ("nul", "_nul.wav"),
            ("Com1.x", "_Com1.x.wav"),
            ("", "_.wav"),
            ("a\0b\n\u{1b}[31m", "a_b___31m.wav"),
            ("ends. ", "ends__.wav"),
            ("größe 7", "größe 7.wav"),
        ];
        for (name, file) in cases {
            assert_eq!(names.file(name, "wav"), file);
        }
        let long = names.file(&"ü".repeat(5000), "wav");
        assert!(long.len() <= MOST_BYTES + 4 && long.ends_with("ü.wav"));
    }
}
