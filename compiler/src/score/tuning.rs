//! `tuning`: files of Scala, and equal steps.
//!
//! The formats are those of Scala's own pages: <https://www.huygens-fokker.org/scala/scl_format.html> and, for keyboard
//! mappings, <https://www.huygens-fokker.org/scala/help.htm#mappings>.

use super::amount::count;
use super::codes::TUNING;
use super::tempo::twice;
use crate::file::File;
use mam_grammar::ast::{self, ItemKind, Quoted};
use mam_grammar::float;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::Tuning;

/// Notes of a scale, and keys of a mapping.
const MOST_NOTES: usize = 4096;

/// Equal steps of an octave.
const MOST_STEPS: i64 = 1200;

/// The tuning that a song says, if any.
pub(super) fn tuning(file: &File, problems: &mut Problems) -> Option<Tuning> {
    let mut found = None;
    for item in &file.ast.items {
        let ItemKind::Tuning(tuning) = &item.kind else { continue };
        twice(found.as_ref().map(|first: &(_, _)| first.1), item.span, "tuning", problems);
        match read(file, tuning) {
            Ok(tuning) => found = Some((tuning, item.span)),
            Err(problem) => problems.add(problem),
        }
    }
    found.and_then(|found| found.0)
}

/// A tuning; `None` where a file of it could not be read, which has been reported.
fn read(file: &File, tuning: &ast::Tuning) -> Result<Option<Tuning>, Problem> {
    let (scale, keyboard) = match tuning {
        ast::Tuning::Equal(steps) => {
            let n = count(&file.ast, *steps, "for the steps of an octave", 1..=MOST_STEPS);
            let n = n.map_err(|problem| Problem { code: &TUNING, ..problem })?;
            return Ok(Some(keys(&Scale::equal(n as usize), &Keyboard::default())));
        }
        ast::Tuning::Files { scale, keyboard } => (scale, keyboard),
    };
    let text = |path: &Quoted| file.tunings.get(&path.text).map(String::as_str);
    let wrong = |path: &Quoted, why: String| {
        Problem::new(&TUNING, path.span, format!("`{}` is not what it should be: {why}", path.text))
    };
    const SCALE: &str = "a scale of Scala is a line that describes it, the number of its notes and their pitches, a line each, such as \
                         `701.955` or `3/2`; equal steps need no file: `tuning edo 19`";
    const KEYS: &str = "a mapping of Scala has a line each for its size, its first, last and middle key, a key and the frequency of that, \
                        the note of the octave, and then the note of each key; every key has its own where the second file is left out";
    let Some(text_of_scale) = text(scale) else { return Ok(None) };
    let read = Scale::read(text_of_scale).map_err(|why| wrong(scale, why).help(SCALE))?;
    let keyboard = match keyboard {
        None => Keyboard::default(),
        Some(path) => match text(path) {
            Some(text) => Keyboard::read(text).map_err(|why| wrong(path, why).help(KEYS))?,
            None => return Ok(None),
        },
    };
    Ok(Some(keys(&read, &keyboard)))
}

/// A scale in cents above its first note; the last is the period.
struct Scale(Vec<f64>);

/// Which keys play which notes of a scale.
struct Keyboard {
    /// The key of the first note.
    middle: i64,
    /// A key whose frequency is given.
    reference: i64,
    /// That frequency, in Hz.
    frequency: f64,
    /// The note of a scale that the mapping's next repetition begins on.
    octave: i64,
    /// From the middle key on: the note of each, or none. Every key has its own note where it is empty.
    map: Vec<Option<i64>>,
}

impl Default for Keyboard {
    /// Middle c, key 60, is the first note, where it always is.
    fn default() -> Keyboard {
        let frequency = 440.0 * (-9.0f64 / 12.0).exp2();
        Keyboard { middle: 60, reference: 60, frequency, octave: 0, map: vec![] }
    }
}

impl Scale {
    fn equal(steps: usize) -> Scale {
        Scale((1..=steps).map(|step| 1200.0 * step as f64 / steps as f64).collect())
    }

    fn read(text: &str) -> Result<Scale, String> {
        let mut lines = content(text).skip(1);
        let (at, line) = lines.next().ok_or("it ends before the number of its notes")?;
        let count: usize = number(at, line)?;
        if count == 0 || count > MOST_NOTES {
            return Err(format!("line {at}: a scale has 1 to {MOST_NOTES} notes"));
        }
        let notes: Vec<f64> =
            lines.take(count).map(|(at, line)| cents(at, line)).collect::<Result<_, _>>()?;
        match notes.len() {
            n if n == count => Ok(Scale(notes)),
            n => Err(format!("it has {n} pitches, and says that there are {count}")),
        }
    }

    /// Cents of a note, counted on beyond the period.
    fn cents(&self, note: i64) -> f64 {
        let n = self.0.len() as i64;
        let period = self.0.last().copied().unwrap_or(0.0);
        let within = match note.rem_euclid(n) {
            0 => 0.0,
            step => self.0[step as usize - 1],
        };
        note.div_euclid(n) as f64 * period + within
    }
}

impl Keyboard {
    fn read(text: &str) -> Result<Keyboard, String> {
        let mut lines = content(text);
        let mut next = |what: &str| lines.next().ok_or_else(|| format!("it ends before {what}"));
        let (at, line) = next("the size of its map")?;
        let size: usize = number(at, line)?;
        if size > MOST_NOTES {
            return Err(format!("line {at}: a map has at most {MOST_NOTES} keys"));
        }
        let mut whole = |what: &str| next(what).and_then(|(at, line)| number::<i64>(at, line));
        whole("its first key")?;
        whole("its last key")?;
        let (middle, reference) = (whole("its middle key")?, whole("its reference key")?);
        let (at, line) = next("its reference frequency")?;
        let frequency = word(at, line, float::parse)?;
        if !(frequency > 0.0 && frequency < 1e6) {
            return Err(format!("line {at}: a frequency in Hz is greater than 0"));
        }
        let (at, line) = next("the note of its octave")?;
        let octave: i64 = number(at, line)?;
        let key = |(at, line): (usize, &str)| match line.split_whitespace().next() {
            Some("x" | "X") => Ok(None),
            _ => number(at, line).map(Some),
        };
        let mut map: Vec<Option<i64>> = lines.take(size).map(key).collect::<Result<_, _>>()?;
        // Keys without a note may be left out at the end.
        map.resize(size, None);
        Ok(Keyboard { middle, reference, frequency, octave, map })
    }

    /// The cents of a key; one without a note has those of the key below.
    fn cents(&self, key: i64, scale: &Scale) -> f64 {
        let from = key - self.middle;
        if self.map.is_empty() {
            return scale.cents(from);
        }
        let n = self.map.len() as i64;
        let mapped = |from: i64| {
            let note = self.map[from.rem_euclid(n) as usize]?;
            Some(from.div_euclid(n) as f64 * scale.cents(self.octave) + scale.cents(note))
        };
        (0..n).find_map(|below| mapped(from - below)).unwrap_or(0.0)
    }
}

fn keys(scale: &Scale, keyboard: &Keyboard) -> Tuning {
    let reference = 69.0 + 12.0 * (keyboard.frequency / 440.0).log2();
    let zero = keyboard.cents(keyboard.reference, scale);
    Tuning::new(std::array::from_fn(|key| reference + (keyboard.cents(key as i64, scale) - zero) / 100.0))
}

/// The lines that are no comments, counted from 1.
fn content(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('!'))
        .map(|(at, line)| (at + 1, line.trim()))
}

fn number<T: std::str::FromStr>(at: usize, line: &str) -> Result<T, String> {
    word(at, line, |word| word.parse().ok())
}

fn word<T>(at: usize, line: &str, number: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
    let word = line.split_whitespace().next().unwrap_or("");
    number(word).ok_or_else(|| format!("line {at}: `{word}` is not a number of this kind"))
}

/// A pitch in cents: with a point it is written so, else it is a ratio.
fn cents(at: usize, line: &str) -> Result<f64, String> {
    let word = line.split_whitespace().next().unwrap_or("");
    let fail = || format!("line {at}: `{word}` is neither cents (`701.955`) nor a ratio (`3/2`)");
    let read = if word.contains('.') {
        float::parse(word)
    } else {
        let (over, under) = word.split_once('/').unwrap_or((word, "1"));
        let [over, under] = [over, under].map(|part| part.parse::<u64>().ok().filter(|&part| part > 0));
        over.zip(under).map(|(over, under)| 1200.0 * (over as f64 / under as f64).log2())
    };
    read.filter(|cents| cents.abs() < 120_000.0).ok_or_else(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUST: &str =
        "! just.scl\n!\nJust intonation\n 7\n!\n 9/8\n 5/4 third\n 4/3\n 701.955\n 5/3\n 15/8\n 2\n";

    #[test]
    fn a_scale_gives_every_key_a_pitch() {
        let tuning = keys(&Scale::read(JUST).unwrap(), &Keyboard::default());
        let near = |key: f64, pitch: f64| assert!((tuning.pitch(key) - pitch).abs() < 1e-6, "{key}");
        near(60.0, 60.0);
        near(61.0, 62.039_100);
        near(64.0, 67.019_55);
        near(67.0, 72.0);
        near(53.0, 48.0);
        near(60.5, 61.019_55);
        // Twelve equal steps are what is there without a tuning.
        let equal = keys(&Scale::equal(12), &Keyboard::default());
        assert!((0..128).all(|key| (equal.pitch(f64::from(key)) - f64::from(key)).abs() < 1e-9));
        let fine = keys(&Scale::equal(24), &Keyboard::default());
        assert!((fine.pitch(84.0) - 72.0).abs() < 1e-9);
    }

    #[test]
    fn a_keyboard_says_which_keys_play_it() {
        let map = "! white keys\n12\n0\n127\n60\n69\n432.0\n7\n0\nx\n1\nx\n2\n3\nx\n4\nx\n5\nx\n6\n";
        let tuning = keys(&Scale::read(JUST).unwrap(), &Keyboard::read(map).unwrap());
        let a = 69.0 + 12.0 * (432.0f64 / 440.0).log2();
        assert!((tuning.pitch(69.0) - a).abs() < 1e-9);
        assert!((tuning.pitch(60.0) - (a - 8.843_587)).abs() < 1e-6);
        assert!((tuning.pitch(72.0) - tuning.pitch(60.0) - 12.0).abs() < 1e-9);
        // A key without a note plays that of the key below.
        assert!((tuning.pitch(61.0) - tuning.pitch(60.0)).abs() < 1e-9);
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        for (text, why) in [
            ("", "ends before"),
            ("x\nmany\n", "line 2"),
            ("x\n2\n3/2\n", "1 pitches"),
            ("x\n1\n0/1\n", "line 3"),
            ("x\n1\nfifth\n", "line 3"),
            ("x\n99999\n", "line 2"),
        ] {
            let said = Scale::read(text).err().unwrap();
            assert!(said.contains(why), "{said}");
        }
        for (text, why) in [("12\n0\n", "ends before"), ("0\n0\n127\n60\n69\n-1\n0\n", "line 6")] {
            let said = Keyboard::read(text).err().unwrap();
            assert!(said.contains(why), "{said}");
        }
    }
}
