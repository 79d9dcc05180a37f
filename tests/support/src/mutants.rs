//! Songs with something done to their words: taken out, doubled, changed for one another, nested many times over, made
//! huge. What comes of it asks for more than was meant, as hostile songs do. And files of bytes with something done to those.

/// Numbers that look random, the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `below`, which is at least 1.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Numbers where others stand.
const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "-1",
    "64",
    "4096",
    "1000000000",
    "99999999999999999999",
    "0.0000000001",
    "123456789.987654321",
    "1048577",
];
/// How often something is repeated.
const TIMES: [usize; 6] = [2, 3, 16, 100, 127, 1000];

/// One of `songs` after one to four changes.
pub fn mutant(songs: &[String], dice: &mut Dice) -> String {
    const LONGEST: usize = 200_000;
    let mut text = dice.pick(songs).clone();
    for _ in 0..=dice.below(4) {
        text = changed(&text, dice);
        if text.len() > LONGEST {
            break;
        }
    }
    text
}

fn changed(text: &str, dice: &mut Dice) -> String {
    let words = words(text);
    if words.is_empty() {
        return text.into();
    }
    let at = dice.below(words.len());
    let until = (at + 1 + dice.below(8)).min(words.len());
    let some = words[at..until].concat();
    let (before, after) = (words[..at].concat(), words[until..].concat());
    let times = *dice.pick(&TIMES);
    match dice.below(9) {
        0 => before + &after,
        1 => before + &some.repeat(times.min(16)) + &after,
        2 => {
            let other = *dice.pick(&words);
            format!("{before}{other}{}", words[at + 1..].concat())
        }
        3 => format!("{before}{}{some}{}{after}", "(".repeat(times), ")".repeat(times)),
        4 => format!("{before}{}{some}{}{after}", "[".repeat(times), "]".repeat(times)),
        5 => numbers(&words, dice),
        6 => lines(text, times, dice),
        7 => calls(&words, times, dice),
        _ => format!("{before}{}{some}{after}", dice.pick(&words).repeat(times)),
    }
}

/// A file after one to six changes of its bytes, most of them among the first `head`.
pub fn mutated_bytes(whole: &[u8], head: usize, dice: &mut Dice) -> Vec<u8> {
    /// What headers have where something is unknown, and what is beyond what they can mean.
    const WORDS: [u32; 8] = [0, 1, 0x7f, 0x7fff_ffff, 0x8000_0000, u32::MAX, 0x00ff_ffff, 0x0100_0000];
    let mut bytes = whole.to_vec();
    for _ in 0..=dice.below(6) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = if dice.below(4) > 0 { dice.below(head.min(bytes.len())) } else { dice.below(bytes.len()) };
        let until = (at + 1 + dice.below(12)).min(bytes.len());
        match dice.below(8) {
            0 => bytes[at] = dice.below(256) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.insert(at, dice.below(256) as u8),
            3 => drop(bytes.drain(at..until)),
            4 => bytes.truncate(at),
            5 => {
                let again = bytes[at..until].repeat(1 + dice.below(20));
                bytes.splice(at..at, again);
            }
            big => {
                let word = dice.pick(&WORDS);
                let word = if big == 6 { word.to_be_bytes() } else { word.to_le_bytes() };
                bytes.iter_mut().skip(at).zip(word).for_each(|(byte, new)| *byte = new);
            }
        }
    }
    bytes
}

/// Another number in the place of one.
fn numbers(words: &[&str], dice: &mut Dice) -> String {
    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let places: Vec<usize> = (0..words.len()).filter(|&i| number(&words[i])).collect();
    let mut words = words.to_vec();
    if !places.is_empty() {
        let number: &&str = dice.pick(&NUMBERS);
        words[*dice.pick(&places)] = number;
    }
    words.concat()
}

/// A line again and again.
fn lines(text: &str, times: usize, dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = dice.below(lines.len());
    let line = lines[at];
    lines.splice(at..at, std::iter::repeat_n(line, times));
    lines.join("\n") + "\n"
}

/// A chain of changes, or calls in one another.
fn calls(words: &[&str], times: usize, dice: &mut Dice) -> String {
    let chained =
        [".every(2, rev)", ".off(1/8, rev)", ".sometimes(50%, fast(2))", ".fast(3)", ".ply(2)", " |> echo()"];
    let at = dice.below(words.len());
    let (before, after) = (words[..at].concat(), words[at..].concat());
    format!("{before}{}{after}", dice.pick(&chained).repeat(times))
}

/// The words, marks and blanks of a text: together they are the text.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || matches!(c, '_' | '.') => 0,
        ' ' => 1,
        _ => 2,
    };
    let (mut words, mut start) = (vec![], 0);
    let mut before = None;
    for (at, c) in text.char_indices() {
        if before.is_some_and(|k| k != kind(c) || k == 2) {
            words.push(&text[start..at]);
            start = at;
        }
        before = Some(kind(c));
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}
