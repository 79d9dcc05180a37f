//! What new users write, and that following the help of what `mamc` says makes it a song.
//!
//! Each row is a text with the codes that it must have, the place of the first problem and a piece of its help. The fixes of
//! all problems are applied, again and again, until none is left: the result must have no errors. Where no mechanical fix
//! is possible a row says how somebody would follow the help.

use mam_compiler::files::NoFiles;
use mam_compiler::prelude::PRELUDE;
use mam_compiler::{Options, compile};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Fix, Problem, Severity, Sources};

/// What surrounds the text of a row.
#[derive(Clone, Copy)]
enum In {
    /// Nothing: it is a whole song.
    Song,
    /// It is a line of a score, in which `bd`, `hh` and `lead` play.
    Line,
    /// It is an expression, in which `x` is a signal.
    Value,
}

impl In {
    fn song(self, text: &str) -> String {
        match self {
            In::Song => format!("{text}\n"),
            In::Line => format!(
                "bd = kick()\nhh = closed_hat()\nlead = pluck(voices: 4)\nplay {{\n  {text}\n}}\nout = bd + hh + lead\n"
            ),
            In::Value => format!("x = saw(110Hz)\nout = {text}\n"),
        }
    }
}

/// The problems of a song, each with the text at its place.
fn problems(text: &str) -> (Vec<Problem>, Sources) {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text);
    let options = Options { interpreter: true, ..Options::default() };
    let problems = compile(&mut sources, id, &NoFiles, &options).problems.into_sorted();
    (problems, sources)
}

fn errors(problems: &[Problem]) -> Vec<&Problem> {
    problems.iter().filter(|p| p.code.severity == Severity::Error).collect()
}

/// The text with all fixes that do not overlap applied.
fn fixed(text: &str, problems: &[Problem]) -> String {
    let mut fixes: Vec<&Fix> = problems.iter().filter_map(|p| p.fix.as_ref()).collect();
    fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let (mut out, mut at) = (String::new(), 0);
    for fix in fixes {
        let range = fix.span.range();
        if range.start >= at {
            out += &text[at..range.start];
            out += &fix.replacement;
            at = range.end;
        }
    }
    out + &text[at..]
}

/// The song after the fixes of its problems, and of the problems that are left then.
fn followed(text: &str) -> Result<String, String> {
    const ROUNDS: usize = 6;
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let (problems, _) = problems(&text);
        let errors = errors(&problems);
        if errors.is_empty() {
            return Ok(text);
        }
        if let Some(stuck) = errors.iter().all(|p| p.fix.is_none()).then(|| errors[0]) {
            return Err(format!("`{}` has no fix, in:\n{text}", stuck.message));
        }
        text = fixed(&text, &problems);
    }
    Err(format!("the fixes come to no end:\n{text}"))
}

/// What is wrong with what is said of a row; nothing where all is right.
fn check(row: &Row) -> Option<String> {
    let Row { within, text, codes, place, help, mended } = row;
    let song = within.song(text);
    let (found, sources) = problems(&song);
    let said = |p: &Problem| {
        format!(
            "{} at `{}`: {}; help: {}",
            p.code.name,
            sources.slice(p.span()),
            p.message,
            p.help.clone().unwrap_or_default()
        )
    };
    let all: Vec<String> = found.iter().map(said).collect();
    let grave = errors(&found);
    let counted = if grave.is_empty() { found.iter().collect() } else { grave };
    let names: Vec<&str> = counted.iter().map(|p| p.code.name).collect();
    let wrong = |what: String| Some(format!("--- {text}\n{what}\n  {}", all.join("\n  ")));
    if names.join(" ") != *codes {
        return wrong(format!("expected the codes `{codes}`"));
    }
    let first = *counted.first()?;
    if sources.slice(first.span()) != *place {
        return wrong(format!("expected the place `{place}`"));
    }
    let words =
        first.labels.iter().map(|label| label.text.clone()).chain(first.help.clone()).collect::<Vec<_>>();
    if !words.join(" ").contains(help) {
        return wrong(format!("expected help with `{help}`"));
    }
    // Where nothing was an error, what was told is to be gone.
    let warned = |p: &&Problem| errors(&found).is_empty() && names.contains(&p.code.name);
    let left = |text: &str| {
        let (left, _) = problems(text);
        let grave = errors(&left).first().map(|p| p.message.clone());
        grave.or_else(|| left.iter().find(warned).map(|p| p.message.clone()))
    };
    match mended.first() {
        Some(mended) => {
            left(&within.song(mended)).and_then(|left| wrong(format!("`{mended}` has still: {left}")))
        }
        None => match followed(&song) {
            Ok(text) if errors(&found).is_empty() => {
                left(&fixed(&text, &found)).and_then(|left| wrong(format!("its fix leaves: {left}")))
            }
            Ok(_) => None,
            Err(why) => wrong(why),
        },
    }
}

struct Row {
    within: In,
    text: &'static str,
    codes: &'static str,
    place: &'static str,
    help: &'static str,
    /// The text of somebody who has followed the help, where no fix does it.
    mended: &'static [&'static str],
}

macro_rules! rows {
    ($($within:ident $text:literal => $codes:literal $place:literal $help:literal $($mended:literal)?;)*) => {
        &[$(Row {
            within: In::$within,
            text: $text,
            codes: $codes,
            place: $place,
            help: $help,
            mended: &[$($mended)?],
        }),*]
    };
}

mod scores;
mod table;
mod tools;

/// The rows of all tables.
fn rows() -> impl Iterator<Item = &'static Row> {
    table::ROWS.iter().chain(tools::ROWS).chain(scores::ROWS)
}

#[test]
fn each_mistake_is_told_at_its_place_and_its_help_makes_it_pass() {
    let wrong: Vec<String> = rows().filter_map(check).collect();
    let all = rows().count();
    assert!(all >= 150, "{all} rows");
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Words of other tools' statements are names like all others where a block has a value.
#[test]
fn the_value_of_a_block_may_begin_with_any_name() {
    for text in [
        "out = 0.1 * noise() * sum i in 1..3 { log(i) }",
        "x = noise()\nout = spectral(x) { log(1 + mag) }",
        "def f(x) { log(2 + x) }\nout = f(noise())",
        "sound = noise()\nout = oversample(2) { sound }",
        "def f(s) = sum i in 0..1 { s[i] }\nout = f([noise(), saw(100Hz)])",
        "def loud(note) {\n  note\n}\nout = loud(noise())",
    ] {
        let (found, _) = problems(text);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    let (found, _) = problems("def f(x) { return x * 2 }\nout = f(noise())");
    assert_eq!(found.iter().map(|p| p.code.name).collect::<Vec<_>>(), ["foreign-word"]);
}

/// A song in which the example of a row stands.
fn example(role: Role, example: &str) -> String {
    let band = "bd = kick()\nhh = closed_hat()\nlead = pluck(voices: 4)\n";
    match role {
        Role::Target => format!("{example}\nout = {}\n", example.split(' ').next().unwrap_or_default()),
        _ if example.starts_with("out =") => format!("{band}play {{ bd \"x*4\" }}\n{example}\n"),
        _ if ["play {", "tempo", "tuning", "swing", "meter", "title"]
            .iter()
            .any(|word| example.starts_with(word)) =>
        {
            format!("{band}{example}\nout = bd + hh + lead\n")
        }
        Role::Modifier => format!("{band}play {{ {example} }}\nout = bd + lead\n"),
        Role::Statement if example.starts_with("use ") => "out = noise()\n".to_owned(),
        Role::Statement if example.starts_with("section") => {
            format!("{band}{example}\nplay verse\nout = bd\n")
        }
        Role::Statement if example.starts_with("def") => format!("{example}\nout = half(noise())\n"),
        Role::Statement if example.starts_with("instrument") => {
            format!("{example}\nlead = lead()\nout = lead\n")
        }
        Role::Statement => format!(
            "{example}\n{}out = noise()\n",
            if example.starts_with("bd") { "" } else { "bd = kick()\n" }
        ),
        _ => format!(
            "knob in1 = 0.5 in 0..1\ninstrument t {{\n  x = saw(freq)\n  out = {example}\n}}\ny = t()\nout = y\n"
        ),
    }
}

#[test]
fn what_the_table_of_foreign_words_suggests_exists() {
    let mut wrong = Vec::new();
    for row in foreign::ALL.iter().filter(|row| !row.example.is_empty() && !row.example.contains("in,")) {
        let song = match row.example {
            "in" | "x |> echo()" => "out = in |> echo()\n".to_owned(),
            text => example(row.role, text),
        };
        let (found, _) = problems(&song);
        // A line that is shown sounds as it is meant, too; how many voices its instrument has is another matter.
        let warned = |p: &Problem| p.code.severity == Severity::Warning && p.code.name != "polyphony";
        let grave =
            |p: &&Problem| p.code.severity == Severity::Error || row.role == Role::Modifier && warned(p);
        if let Some(problem) = found.iter().find(grave) {
            wrong.push(format!("{:?}: {}\n{song}", row.words().collect::<Vec<_>>(), problem.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_notes_the_table_suggests_what_needs_none() {
    let mut wrong = Vec::new();
    let rows = foreign::ALL.iter().filter(|row| row.role == Role::Value);
    for row in rows.filter(|row| row.example != row.example_without_events()) {
        let song = format!("x = saw(110Hz)\nout = {}\n", row.example_without_events());
        let (found, _) = problems(&song);
        if let Some(problem) = errors(&found).first() {
            wrong.push(format!("{:?}: {}\n{song}", row.words().collect::<Vec<_>>(), problem.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The helps of a song whose lines each have one word of a role.
fn helps_of(role: Role, song: impl Fn(&[&str]) -> String) -> Vec<String> {
    let words: Vec<(&str, String)> = foreign::ALL
        .iter()
        .filter(|row| row.role == role)
        .flat_map(|row| {
            row.words().map(|word| {
                // What is called in a song itself has no notes.
                (word, if role == Role::Value { row.help_without_events() } else { row.help() })
            })
        })
        .filter(|(word, _)| !mam_grammar::syntax::RESERVED.contains(word))
        .collect();
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let (found, sources) = problems(&song(&names));
    let said = |word: &str, help: &String| {
        found.iter().any(|p| sources.slice(p.span()) == word && p.help.as_ref() == Some(help))
    };
    words
        .iter()
        .filter(|(word, help)| !said(word, help))
        .map(|(word, _)| format!("{role:?} {word}"))
        .collect()
}

#[test]
fn no_foreign_word_is_a_word_of_mam() {
    let values = helps_of(Role::Value, |words| {
        let line = |(at, word): (usize, &&str)| format!("a{at} = {word}(noise())\n");
        format!("{}out = noise()\n", words.iter().enumerate().map(line).collect::<String>())
    });
    let modifiers = helps_of(Role::Modifier, |words| {
        let line = |word: &&str| format!("  bd \"x\".{word}(1)\n");
        format!("bd = kick()\nplay {{\n{}}}\nout = bd\n", words.iter().map(line).collect::<String>())
    });
    assert_eq!((values, modifiers), (vec![], vec![]));
}

#[test]
fn the_arguments_of_the_table_belong_to_something() {
    let prelude: String = PRELUDE.iter().map(|(_, text)| *text).chain(["voices max init"]).collect();
    let words: Vec<&str> = prelude.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for row in foreign::ALL.iter().filter(|row| row.role == Role::Argument) {
        for word in row.word.split(' ') {
            assert!(words.contains(&word), "{word} is not an argument of anything");
        }
    }
}
