//! A line of a score without its target: a pattern in quotes or a drum tab, and the modifiers behind it, for looking at.

use super::codes::MODIFIER;
use super::modify::note_words;
use super::pitch::note_number;
use super::reader::line_pattern;
use super::reading::mentions;
use super::reading::{Modifier, Player};
use super::set::unknown;
use super::show::SetNames;
use super::vocabulary::find;
use super::words::Words;
use super::{Instrument, read, tempo};
use crate::hir::builtins::PAN;
use mam_grammar::ast::{Ast, Expr, Ident, ItemKind, Line, PatternText};
use mam_grammar::mini::Notations;
use mam_grammar::{Limits, Problem, Problems, SourceId, Sources, Span, syntax};
use mam_runtime::score::{Pattern, TimeSpan, Value};

/// What makes a whole song of a line: its target, too.
const BEFORE: &str = "play { x ";
/// The brace has a line of its own, because the text may end with a comment.
const AFTER: &str = "\n}\n";

/// The pattern of `text`, which is all of a score's line but its target: `"bd sd".every(2, rev)` or `|x..x|.fast(2)`.
/// Words are taken as written; where a modifier changes notes, or adds to names of notes, they are notes. `place` covers `text`. The names are those of what
/// its notes set.
pub fn line(text: &str, place: Span, seed: u64, problems: &mut Problems) -> (Pattern, SetNames) {
    let mut sources = Sources::default();
    let source = sources.add("<line>", format!("{BEFORE}{text}{AFTER}"));
    let mut found = Problems::default();
    let read = read_line(&sources, source, seed, &mut found);
    for mut problem in found.into_sorted() {
        problem.labels.iter_mut().for_each(|label| label.span = within(label.span, place));
        problem.fix.iter_mut().for_each(|fix| fix.span = within(fix.span, place));
        problems.add(problem);
    }
    read
}

/// A place of the song in the text that it was made around.
fn within(span: Span, place: Span) -> Span {
    let at = |byte: u32| (byte as usize).saturating_sub(BEFORE.len()).min(place.range().len());
    let start = place.start as usize;
    Span::new(place.source, start + at(span.start), start + at(span.end))
}

fn read_line(sources: &Sources, source: SourceId, seed: u64, problems: &mut Problems) -> (Pattern, SetNames) {
    let (ast, found) = syntax::parse(sources, source, &Limits::default());
    let failed = found.has_errors();
    problems.extend(found);
    if failed {
        return (Pattern::silence(), SetNames::default());
    }
    match lines(&ast)[..] {
        [line] if ast.items.len() == 1 => (built(&ast, line, seed, problems), set_names(&ast)),
        _ => {
            let whole = Span::new(source, 0, sources.get(source).text.len());
            let message = "this is not one pattern with its modifiers";
            let help = "write one, such as `\"bd sd\".every(2, rev)`";
            problems.add(Problem::new(&MODIFIER, whole, message).help(help));
            (Pattern::silence(), SetNames::default())
        }
    }
}

/// The names of the parameters that the modifiers of a line set.
fn set_names(ast: &Ast) -> SetNames {
    let args = ast.exprs.values().flat_map(|expr| match expr {
        Expr::Call { args, .. } | Expr::Method { args, .. } => args.as_slice(),
        _ => &[],
    });
    // What modifiers set that name no parameter.
    let implied = [PAN, "begin", "end", "fit", "fit_slice"]
        .map(|name| Ident { name: name.into(), span: Span::default() });
    let named = args.filter_map(|arg| arg.name.clone()).chain(implied);
    named.map(|name| (unknown(&name).index, name.name.to_string())).collect()
}

/// The lines of the file's only `play` block.
fn lines(ast: &Ast) -> Vec<&Line> {
    let items = ast.items.iter().flat_map(|item| match &item.kind {
        ItemKind::Play(items) => items.as_slice(),
        _ => &[],
    });
    items.filter_map(|item| if let ItemKind::Line(line) = &item.kind { Some(line) } else { None }).collect()
}

/// Whether all words of a line's first cycle are names of notes, such as `c4`.
fn names_notes(line: &Line, seed: u64) -> bool {
    let PatternText::Notation(text) = &line.pattern else { return false };
    let (notations, problems) = (Notations::default(), &mut Problems::default());
    let pattern = read(&text.text, text.span, seed, Words::AsWritten, &notations, problems);
    let events = pattern.query(TimeSpan::cycle(0)).unwrap_or_default();
    let is_note = |value: &Value| matches!(value, Value::Word(word) if note_number(word).is_some());
    !events.is_empty() && events.iter().all(|event| is_note(&event.value))
}

fn built(ast: &Ast, line: &Line, seed: u64, problems: &mut Problems) -> Pattern {
    let meter = tempo::meter(ast, &[], problems);
    let any = Instrument {
        index: 0,
        name: "x".into(),
        definition: "x".into(),
        pitched: true,
        numbered: false,
        pieces: None,
        voices: 1,
    };
    let of_notes = |name: &str| find(name).is_some_and(|entry| entry.of_notes);
    let counts = |name: &str| matches!(name, "add" | "sub");
    let notes = mentions(ast, &line.modifiers, &of_notes)
        || mentions(ast, &line.modifiers, &counts) && names_notes(line, seed);
    let words = if notes { note_words(ast, line, &any) } else { Words::AsWritten };
    let tab = matches!(line.pattern, PatternText::Tab { .. });
    let (notes, player) = (notes || tab, Player::Unknown);
    let (meter, notations, draws, values) = (&meter, &Notations::default(), 0, vec![]);
    let mut modifier = Modifier { ast, meter, notations, words, notes, seed, draws, player, values };
    let (pattern, _) = line_pattern(&mut modifier, line, problems);
    if let Some(over) = line.over {
        let message = "`over` is for parameters, and a pattern by itself sets none";
        problems.add(Problem::new(&MODIFIER, ast.span(over), message).help("leave it out"));
    }
    pattern
}
