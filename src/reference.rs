//! All that a song can say, for `list` and `doc`: the prelude's definitions, what is built in, statements, words, modifiers
//! of patterns, units. Each is a [`Topic`], whichever table it comes from.

use crate::definitions::{Entry, Prelude, brief, glossary_of};
use mam_compiler::expect::measures::{Measure, Row};
use mam_compiler::hir::builtins::Builtin;
use mam_compiler::prelude::{PRELUDE, kits};

use mam_compiler::score::{Entry as Modifier, SOURCES, modifiers, note_number};
use mam_grammar::chords::{chord_kinds, chord_steps};
use mam_grammar::foreign::{self, Role};
use mam_grammar::problem::nearest;
use mam_grammar::reference::{Word, WordKind, words};

mod notation;

/// What can be looked up.
pub struct Topic<'p> {
    /// What it is called.
    pub name: &'p str,
    /// `instrument`, `def`, `built-in`, `statement`, `modifier`, `unit` and so on.
    pub kind: &'static str,
    /// Under which heading it is listed.
    pub group: String,
    /// How it is written.
    pub form: String,
    /// What it does, as Markdown.
    pub doc: String,
    /// Of use to other definitions alone: it is found by its name, and not listed.
    pub internal: bool,
    /// A song that uses it.
    pub example: Option<String>,
    /// The definition, where it is one of the prelude's.
    pub definition: Option<Entry<'p>>,
}

impl Topic<'_> {
    /// The first sentence of the documentation.
    pub fn brief(&self) -> String {
        brief(&self.doc)
    }

    /// Whether a word stands in its name, its group or its text, in whatever case. `word` is in lower case.
    fn mentions(&self, word: &str) -> bool {
        let file = self.definition.map(Entry::file).unwrap_or_default();
        let texts = [self.name, self.kind, &*self.group, &*file, &*self.doc];
        texts.iter().any(|text| text.to_lowercase().contains(word))
    }
}

/// All topics, group by group.
pub fn topics(prelude: &Prelude) -> Vec<Topic<'_>> {
    let mut all: Vec<Topic<'_>> = prelude.all().map(of_definition).collect();
    all.extend(kits().map(|(name, text)| of_kit(name, text)));
    all.extend(Builtin::all().map(Builtin::row).map(|row| Topic {
        name: row.name,
        kind: "built-in",
        group: "Built in".into(),
        form: format!("{}({})", row.name, row.formals.join(", ")),
        doc: row.doc.into(),
        internal: false,
        example: None,
        definition: None,
    }));
    let of =
        |words_of, kind, group: &'static str| words(words_of).map(move |word| of_word(word, kind, group));
    all.extend(of(WordKind::Signal, "signal", "Signals that are there"));
    all.extend(of(WordKind::Statement, "statement", "Statements"));
    all.extend(of(WordKind::Expression, "word", "Words of expressions"));
    all.extend(of(WordKind::Behind, "word", "Words behind others"));
    all.extend(of(WordKind::Mark, "mark", "Marks"));
    all.extend(IMPLIED.iter().map(of_implied));
    all.extend(notation::SIGNS.iter().map(notation::of_sign));
    all.extend(mam_compiler::score::scales().map(|name| -> Topic<'_> { of_scale(name) }));
    all.extend(chord_kinds().map(|kind| -> Topic<'_> { of_chord(kind) }));
    all.extend(SOURCES.iter().map(|&(name, form, doc)| Topic {
        name,
        kind: "pattern",
        group: "In the place of a quoted pattern".into(),
        form: form.into(),
        doc: sentence(doc),
        internal: false,
        example: Some(format!("x = pluck(voices: 4)\nplay {{ x {form} }}\nout = x\n")),
        definition: None,
    }));
    all.extend(Measure::ALL.iter().map(|measure| of_measure(measure.row())));
    all.extend(modifiers().map(of_modifier));
    all.extend(of(WordKind::Unit, "unit", "Units"));
    all
}

/// A kit of the prelude, by its text.
fn of_kit(name: &'static str, text: &str) -> Topic<'static> {
    let doc: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("/// ")).collect();
    let part = |line: &'_ str| {
        let (part, _) = line.trim().split_once('=')?;
        Some(part.trim().to_owned()).filter(|part| part != "out")
    };
    let parts: Vec<String> = text.lines().filter(|line| line.starts_with("  ")).filter_map(part).collect();
    let first = parts.first().map_or("bd", |part| part);
    Topic {
        name,
        kind: "kit",
        group: "Kits".into(),
        form: format!("{name}({first}.gain: …)"),
        doc: format!("{} Its parts are `{}`.", doc.join(" "), parts.join("`, `")),
        internal: false,
        example: Some(format!("dr = {name}()\nplay {{ dr.{first} |x...| }}\nout = dr\n")),
        definition: None,
    }
}

/// A scale by its name. Only that is looked up: `mamc doc scale` is about all of them.
fn of_scale(name: &'static str) -> Topic<'static> {
    Topic {
        name,
        kind: "scale",
        group: "Scales".into(),
        form: format!(".scale(c, {name})"),
        doc: format!(
            "The numbers of the pattern are degrees of the scale {name}, from 0 on, above the note c."
        ),
        internal: true,
        example: Some(format!("x = pluck()\nplay {{ x \"0 2 4 7\".scale(c, {name}) }}\nout = x\n")),
        definition: None,
    }
}

/// What every instrument has beside its own parameters, and what it does.
const IMPLIED: [(&str, &str); 2] = [
    ("bpm", "Beats a minute at which the instrument triggers itself, without a line, where its `loop` is 1."),
    ("loop", "Where it is 1, the instrument triggers itself at each beat of its `bpm`, without a line."),
];

fn of_implied<'p>((name, doc): &(&'static str, &str)) -> Topic<'p> {
    Topic {
        name,
        kind: "parameter",
        group: "Parameters of every instrument".into(),
        form: "kick(bpm: 120, loop: 1)".into(),
        doc: (*doc).into(),
        internal: false,
        example: Some("bd = kick(bpm: 120, loop: 1)\nout = bd\n".into()),
        definition: None,
    }
}

/// A kind of chord by its name. Only that is looked up: `mamc doc chord` is about all of them.
fn of_chord(kind: &'static str) -> Topic<'static> {
    let steps = chord_steps(kind).unwrap_or_default();
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    Topic {
        name: kind,
        kind: "chord",
        group: "Chords".into(),
        form: format!("\"c4'{kind}\""),
        doc: format!(
            "The notes {} semitones above the root, at once. Under `.chord` it is written `C{kind}`.",
            steps.join(", ")
        ),
        internal: true,
        example: Some(format!(
            "x = pluck(voices: {})\nplay {{ x \"c4'{kind}\" }}\nout = x\n",
            2 * steps.len()
        )),
        definition: None,
    }
}

/// What a name means that is in no table: a note, `c4`, or a parameter of a definition, `kick.f0`.
pub fn meaning<'p>(prelude: &'p Prelude, name: &'p str) -> Option<Topic<'p>> {
    let topic = |kind, form: String, doc: String, example: String| {
        let (group, internal, definition) = (String::new(), true, None);
        Some(Topic { name, kind, group, form, doc, internal, example: Some(example), definition })
    };
    if let Some(signal) = name.strip_prefix("voice.") {
        return voice_signal(name, signal);
    }
    if let Some((of, param)) = name.split_once('.') {
        let entry = prelude.all().find(|entry| entry.name() == of)?;
        let definition = entry.info();
        let info = definition.params.iter().find(|info| *info.name == *param)?;
        let said = glossary_of(std::slice::from_ref(info));
        let doc = said.split_once(&*info.name).map_or("", |(_, doc)| doc);
        let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let doc = format!("A parameter of {} `{of}`: {doc}", entry.kind());
        return match entry.kind() {
            "instrument" => {
                topic("parameter", name.into(), doc, format!("x = {of}()\nplay {{ x |x...| }}\nout = x\n"))
            }
            _ => topic("parameter", name.into(), doc, format!("out = noise() |> {of}()\n")),
        };
    }
    let midi = note_number(name)?;
    let hertz = 440.0 * ((midi - 69.0) / 12.0).exp2();
    let doc = format!("The key {midi} of MIDI: {hertz:.2} Hz where no tuning says otherwise.");
    topic("note", format!("\"{name}\""), doc, format!("x = pluck()\nplay {{ x \"{name}\" }}\nout = x\n"))
}

/// `voice.vel`: what a call gives to a parameter of an instrument, of each note.
fn voice_signal<'p>(name: &'p str, signal: &str) -> Option<Topic<'p>> {
    let same = words(WordKind::Signal).find(|word| word.name.trim_start_matches("note.") == signal);
    let own = (signal == "random")
        .then_some("a number in [0, 1), drawn at each note, the same wherever the call names it.");
    let doc = same.map(|word| word.doc.trim_start_matches("In an instrument: ")).or(own)?;
    Some(Topic {
        name,
        kind: "signal",
        group: String::new(),
        form: format!("pluck(bright: {name})"),
        doc: format!("In what a call gives to a parameter of an instrument, of each of its notes: {doc}"),
        internal: true,
        example: Some(format!(
            "x = pluck(bright: 0.2 * {name}, voices: 4)\nplay {{ x \"c4 e4 g4\" }}\nout = x\n"
        )),
        definition: None,
    })
}

/// Those of this name, definitions first.
pub fn find<'t, 'p>(all: &'t [Topic<'p>], name: &str) -> Vec<&'t Topic<'p>> {
    // As it may stand in a song: `.every`, `kick()`.
    let modifier = name.strip_prefix('.').filter(|rest| rest.starts_with(char::is_alphabetic));
    let name = modifier.unwrap_or(name).trim_end_matches("()");
    all.iter().filter(|topic| topic.name == name).collect()
}

/// Those that are listed and mention all words of a text, in whatever case; those that are called so or in a group of that
/// name come first. A group by its name is all that is in it: `scales`.
pub fn search<'t, 'p>(all: &'t [Topic<'p>], text: &str) -> Vec<&'t Topic<'p>> {
    let wanted: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let grouped = |topic: &Topic| topic.group.eq_ignore_ascii_case(text.trim());
    let mentioned = |topic: &Topic| !topic.internal && wanted.iter().all(|word| topic.mentions(word));
    let is_word = |topic: &Topic| grouped(topic) && topic.definition.is_none();
    let mut found: Vec<&Topic> = all.iter().filter(|topic| is_word(topic) || mentioned(topic)).collect();
    let named = |topic: &Topic| wanted.iter().any(|w| topic.name.to_lowercase().contains(w));
    found.sort_by_key(|topic| !(grouped(topic) || named(topic)));
    found
}

/// The name that differs from this one in capitals alone.
pub fn in_other_case<'p>(all: &[Topic<'p>], name: &str) -> Option<&'p str> {
    let same = |topic: &&Topic| topic.name.to_lowercase() == name.to_lowercase();
    all.iter().find(same).map(|topic| topic.name)
}

/// The name that is most like this one.
pub fn like<'p>(all: &[Topic<'p>], name: &str) -> Option<&'p str> {
    let names: Vec<&str> = all.iter().map(|topic| topic.name).collect();
    let near = nearest(name, &names)?;
    all.iter().map(|topic| topic.name).find(|name| *name == near)
}

/// What is here for a word of other tools, such as `delay`: its topic, and what to do, in words.
pub fn foreign<'t, 'p>(all: &'t [Topic<'p>], word: &str) -> Option<(Vec<&'t Topic<'p>>, String)> {
    let roles = [Role::Value, Role::Modifier, Role::Statement, Role::Target, Role::Argument];
    let row = roles.into_iter().find_map(|role| foreign::find(role, word))?;
    Some((find(all, row.word), row.help()))
}

fn of_definition(entry: Entry<'_>) -> Topic<'_> {
    let name = entry.name();
    let played = match entry.kind() {
        _ if entry.needs_arguments() => None,
        "instrument" => Some(format!("x = {name}()\nplay {{ x |x...x...x...x...| }}\nout = x\n")),
        "effect" => Some(format!("x = snare()\nplay {{ x |....x.......x...| }}\nout = x |> {name}()\n")),
        // A `def`'s arguments are signals of every kind: what it says itself is all there is.
        _ => None,
    };
    Topic {
        name,
        kind: entry.kind(),
        group: heading(&entry.file()),
        form: entry.signature(),
        doc: entry.doc().into(),
        internal: entry.is_internal(),
        example: entry.example().map(|sound| format!("out = {sound}\n")).or(played),
        definition: Some(entry),
    }
}

/// The heading of a file of the prelude: the first sentence of the comment that it begins with.
pub fn heading(file: &str) -> String {
    let of = |name: &str| name.strip_prefix("prelude/")?.strip_suffix(".mam").map(|name| name == file);
    let text = PRELUDE.iter().find(|(name, _)| of(name) == Some(true)).map_or("", |(_, text)| text);
    let comment = text.trim_start_matches("// ");
    comment.split(['.', '\n']).next().unwrap_or("").to_string()
}

fn of_word<'p>(word: &'static Word, kind: &'static str, group: &'static str) -> Topic<'p> {
    Topic {
        name: word.name,
        kind,
        group: group.into(),
        form: word.form.into(),
        doc: word.doc.into(),
        internal: false,
        example: (!word.example.is_empty()).then(|| word.example.into()),
        definition: None,
    }
}

fn of_measure<'p>(row: &'static Row) -> Topic<'p> {
    Topic {
        name: row.name,
        kind: "measure",
        group: "Measures of an expect".into(),
        form: row.form(),
        doc: row.doc.into(),
        internal: false,
        example: Some(row.example.to_string() + "\n"),
        definition: None,
    }
}

fn of_modifier<'p>(entry: &'static Modifier) -> Topic<'p> {
    let first = entry.forms.first().copied().unwrap_or(entry.name);
    // Notes, of which each modifier can be one; `scale` wants degrees, and `chord` chords.
    let notes = match entry.name {
        "scale" => "0 2 4 7",
        "chord" => "Am7 D7 Gmaj7",
        "arp" | "invert" | "voicing" => "c'maj7 f'maj7",
        _ => "c3 e3 g3 b3",
    };
    // A signal's numbers are brought to a range.
    let line = match entry.name {
        "range" => format!("saw.{first}.segment(8)"),
        "mul" => format!("\"0 2 4 7\".{first}.scale(c, minor)"),
        _ => format!("\"{notes}\".{first}"),
    };
    Topic {
        name: entry.name,
        kind: "modifier",
        group: format!("Modifiers of patterns: {}", entry.group.title().to_lowercase()),
        form: entry.forms.iter().map(|form| format!(".{form}")).collect::<Vec<_>>().join(" or "),
        doc: sentence(entry.doc),
        internal: false,
        // Pieces are those of a sound file, which no example can bring along.
        example: (!matches!(entry.name, "chop" | "striate" | "slice" | "splice" | "fit" | "loopAt"))
            .then(|| format!("x = pluck(voices: 16)\nplay {{ x {line} }}\nout = x\n")),
        definition: None,
    }
}

/// With a capital and an end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
    start + "."
}
