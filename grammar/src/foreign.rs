//! The words of other tools, each with what mam has instead: one table for every place in which a name can be unknown.
//!
//! Faust, SuperCollider, Tidal, Strudel, Sonic Pi, ChucK, Csound, Max and Pure Data name the same things differently. A
//! name is looked up here only after the song's and the prelude's own have been searched, so a definition always wins.
//! A test compiles every example and checks that no row has the name of something that exists.

mod notes;
mod table;

pub use notes::{chord, is_note, is_rest, is_tab, note_frequency, syllable, tab_of_digits};
pub use table::ALL;

use crate::problem::Problem;
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Where a word of another tool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What is called, or stands for a value, in an expression.
    Value,
    /// The name of an argument: [`Foreign::word`] lists what may be meant, best first.
    Argument,
    /// A modifier of a pattern.
    Modifier,
    /// The first word of an item.
    Statement,
    /// What a line of a score plays: the usual names of drum samples.
    Target,
}

/// Some words of other tools that mean one thing.
#[derive(Debug)]
pub struct Foreign {
    /// Where in a song the words stand.
    pub role: Role,
    /// The words, in lower case and without `_`, with blanks between them; some of Tidal's end in `'`. [`Foreign::words`] takes
    /// them apart.
    words: &'static str,
    /// The word of mam that takes their place; empty where there is none.
    pub word: &'static str,
    /// Where the word stands for a value without being called: what takes its place there; empty where nothing does.
    pub value: &'static str,
    /// What to do where no word takes its place, or what else is to be known.
    pub note: &'static str,
    /// How it is written in mam; empty where the note shows it, as an item of its own.
    pub example: &'static str,
}

/// What stands for each event of an instrument where no notes are played.
const EVENTS: [(&str, &str); 5] = [
    ("trig", "every(500ms)"),
    ("gate", "hold(every(500ms), 200ms)"),
    ("freq", "220Hz"),
    ("note", "57"),
    ("vel", "80%"),
];

/// An expression as it is written where no notes are played.
fn without_events(example: &str) -> String {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut out, mut rest) = (String::new(), example);
    while let Some(first) = rest.chars().next() {
        let end = match letter(first) {
            true => rest.find(|c| !letter(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        // The name of an argument is not an event.
        let event = event_source(word).filter(|_| !after.starts_with(':'));
        out += event.unwrap_or(word);
        rest = after;
    }
    out
}

/// What makes an event of this name where no notes are played: `every(500ms)` for `trig`.
pub fn event_source(name: &str) -> Option<&'static str> {
    EVENTS.iter().find(|(event, _)| *event == name).map(|(_, source)| *source)
}

/// The rows by their words; of a word in several rows, the first.
static BY_WORD: LazyLock<FxHashMap<(Role, &str), &Foreign>> = LazyLock::new(|| {
    let mut rows = FxHashMap::default();
    for row in ALL {
        row.words().for_each(|word| _ = rows.entry((row.role, word)).or_insert(row));
    }
    rows
});

/// The row of a word, whatever its case and `_`.
pub fn find(role: Role, word: &str) -> Option<&'static Foreign> {
    let plain: String = word.chars().filter(|&c| c != '_').map(|c| c.to_ascii_lowercase()).collect();
    BY_WORD.get(&(role, &*plain)).copied()
}

/// The methods by which SuperCollider makes a signal of a class.
const RATES: [&str; 5] = ["ar", "kr", "ir", "new", "play"];

/// The libraries of Faust, and others whose functions are written after their name.
const LIBRARIES: [&str; 18] = [
    "os", "no", "fi", "en", "ef", "de", "ba", "si", "re", "ma", "sp", "co", "pm", "sy", "an", "math", "np",
    "ve",
];

/// The word that is left of a class of SuperCollider, `Saw.ar`, or of a function of a library, `ma.tanh`.
pub fn class_of(name: &str, field: &str) -> Option<String> {
    let class = is_class(name) && RATES.contains(&field);
    let library = LIBRARIES.contains(&&*name.to_ascii_lowercase());
    (class || library).then(|| if class { name } else { field }.to_ascii_lowercase())
}

/// Whether a name is written as a class is.
fn is_class(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The row of a name with a field, such as `SinOsc.ar`, `Env.perc` or `os.osc`.
pub fn find_field(name: &str, field: &str) -> Option<&'static Foreign> {
    if RATES.contains(&field) {
        find(Role::Value, name)
    } else if is_class(name) {
        find(Role::Value, &format!("{name}{field}"))
    } else if LIBRARIES.contains(&&*name.to_ascii_lowercase()) {
        find(Role::Value, field)
    } else {
        None
    }
}

/// Whether a word is one of mam's own modifiers of patterns.
pub fn is_modifier(word: &str) -> bool {
    ALL.iter().any(|row| row.role == Role::Modifier && row.word == word)
}

impl Foreign {
    /// The words, in lower case and without `_`.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.split_ascii_whitespace()
    }

    /// What to do, in words.
    pub fn help(&self) -> String {
        self.help_by(self.example)
    }

    /// The same where there are no events: outside of instruments the example has what makes one in place of each.
    pub fn help_without_events(&self) -> String {
        self.help_by(&self.example_without_events())
    }

    /// The example as it is written where no notes are played.
    pub fn example_without_events(&self) -> String {
        without_events(self.example)
    }

    /// The same for an item of which `rest` is what stands behind the word: where the example is of the same form, it has the
    /// item's own name or number.
    pub fn help_before(&self, rest: &str) -> String {
        let text =
            |rest: &str| rest.starts_with('"') && rest.ends_with('"') && rest.matches('"').count() == 2;
        let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.');
        let shown = self.example.strip_prefix(self.word).map_or("", str::trim);
        let alike = text(rest) && text(shown) || number(rest) && number(shown);
        match alike && !self.word.is_empty() {
            true => self.help_by(&format!("{} {rest}", self.word)),
            false => self.help(),
        }
    }

    fn help_by(&self, example: &str) -> String {
        let Foreign { word, note, .. } = self;
        match (self.role, word.is_empty(), note.is_empty()) {
            (Role::Target, ..) => format!("an equation gives it an instrument: `{example}`"),
            (_, false, true) => format!("mam's word is `{word}`: `{example}`"),
            (_, false, false) => format!("mam's word is `{word}`: `{example}`; {note}"),
            // What the note shows is all.
            (_, true, _) if example.is_empty() => (*note).to_owned(),
            (_, true, _) => format!("{note}: `{example}`"),
        }
    }

    /// The help and, where a word takes its place, the fix for a word at `span` that is `called` or stands for a value, where
    /// the `events` of notes can be read or cannot.
    pub fn explain(&self, problem: Problem, span: Span, called: bool, events: bool) -> Problem {
        let problem = problem.help(if events { self.help() } else { self.help_without_events() });
        match if called { self.word } else { self.value } {
            "" => problem,
            word => problem.guess(span, word),
        }
    }
}
