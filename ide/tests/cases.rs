//! The Markdown cases of `ide/tests/cases`: a text with a cursor `¦` (or two, for a span), and what an editor is answered.
//! `MAM_BLESS=1` rewrites them.

use mam_compiler::files::NoFiles;
use mam_grammar::{SourceId, Span};
use mam_ide::{Analyser, Analysis, Edit};
use mam_testing::cases::{Input, run};
use std::fmt::Write;
use std::path::Path;

const CURSOR: char = '¦';

/// A text without its cursors, what is known of it, and where they stood.
struct Asked {
    analysis: Analysis,
    source: SourceId,
    cursors: Vec<usize>,
}

impl Asked {
    fn new(input: Input) -> Asked {
        let (mut text, mut cursors) = (String::new(), vec![]);
        for c in input.text.chars() {
            if c == CURSOR { cursors.push(text.len()) } else { text.push(c) }
        }
        let name = format!("song.{}", input.language);
        let analysis = Analyser::default().analyse(&name, &text, &NoFiles);
        Asked { source: analysis.song, analysis, cursors }
    }

    fn byte(&self) -> usize {
        self.cursors.first().copied().unwrap_or(0)
    }

    fn span(&self) -> Span {
        let end = self.cursors.last().copied().unwrap_or(self.text().len());
        Span::new(self.source, self.byte(), end)
    }

    fn text(&self) -> &str {
        &self.analysis.sources.get(self.source).text
    }

    /// `line:character`, both from 0.
    fn at(&self, byte: u32) -> String {
        let position = self.analysis.lines(self.source).position(byte as usize);
        format!("{}:{}", position.line, position.character)
    }

    fn place(&self, span: Span) -> String {
        if span.source != self.source {
            return self.analysis.sources.get(span.source).name.to_string();
        }
        format!("{}..{} `{}`", self.at(span.start), self.at(span.end), self.analysis.sources.slice(span))
    }

    fn edited(&self, edits: &[Edit]) -> String {
        let mut text = self.text().to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(edit.span.range(), &edit.text);
        }
        text
    }
}

fn lines(all: impl IntoIterator<Item = String>) -> String {
    all.into_iter().map(|line| line + "\n").collect()
}

/// The answer to a question; `completions bd` shows those that begin so.
fn answer(label: &str, input: Input) -> Option<String> {
    let asked = Asked::new(input);
    let Asked { analysis, source, .. } = &asked;
    let (source, byte) = (*source, asked.byte());
    let (question, prefix) = label.split_once(' ').unwrap_or((label, ""));
    Some(match question {
        "problems" => lines(analysis.problems().iter().map(|problem| {
            format!("{} {}: {}", asked.place(problem.span()), problem.code.name, problem.message)
        })),
        "hover" => analysis.hover(source, byte).map_or("nothing\n".into(), |hover| {
            format!("{}\n{}\n", asked.place(hover.span), hover.markdown.replace("```", "~~~"))
        }),
        "completions" => {
            let all = analysis.completions(source, byte);
            let shown = all.iter().filter(|one| one.label.starts_with(prefix));
            lines(shown.map(|one| {
                format!("{} ({:?}) {} -> `{}`", one.label, one.kind, one.detail, one.insert)
                    .trim()
                    .to_string()
            }))
        }
        "signature" => analysis.signature(source, byte).map_or("nothing\n".into(), |signature| {
            let active = signature.active.map(|active| &signature.parameters[active]);
            let doc = active.and_then(|active| active.doc.clone()).unwrap_or_default();
            let active = active.map_or("nothing", |active| &active.label);
            format!("{}\n{active}: {doc}\n", signature.label)
        }),
        "definition" => {
            let found = analysis.definition(source, byte);
            found.map_or("nothing\n".into(), |span| asked.place(span) + "\n")
        }
        "references" => lines(analysis.references(source, byte).into_iter().map(|span| asked.place(span))),
        "rename" => match analysis.rename(source, byte, prefix) {
            Ok(edits) => asked.edited(&edits),
            Err(why) => why + "\n",
        },
        "symbols" => outline(&asked, &analysis.symbols(source), 0),
        "folds" => lines(analysis.folds(source).into_iter().map(|fold| {
            let what = if fold.comment { "comment" } else { "item" };
            format!("{}..{} {what}", asked.at(fold.span.start), asked.at(fold.span.end))
        })),
        "tokens" => lines(analysis.tokens(source).into_iter().map(|token| {
            let marks = [(token.defines, " defines"), (token.library, " library")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            format!("{} {:?}{marks}", asked.place(token.span), token.kind)
        })),
        "format" => {
            let edits = if asked.cursors.is_empty() {
                analysis.format(source)
            } else {
                analysis.format_range(source, asked.span())
            };
            edits.map_or("nothing\n".into(), |edits| asked.edited(&edits))
        }
        "actions" => {
            let mut out = String::new();
            for action in analysis.actions(source, asked.span()) {
                let mark = if action.preferred { " (preferred)" } else { "" };
                _ = write!(out, "{}{mark}:\n{}", action.title, asked.edited(&action.edits));
            }
            out
        }
        "hints" => lines(
            analysis
                .hints(source, asked.span())
                .into_iter()
                .map(|hint| format!("{} {}", asked.at(hint.byte as u32), hint.label)),
        ),
        "lenses" => lines(
            analysis
                .lenses()
                .into_iter()
                .map(|lens| format!("{} {} {:?}", asked.at(lens.span.start), lens.title, lens.bar)),
        ),
        _ => return None,
    })
}

fn outline(asked: &Asked, symbols: &[mam_ide::DocumentSymbol], depth: usize) -> String {
    let mut out = String::new();
    for symbol in symbols {
        let (indent, place) = ("  ".repeat(depth), asked.place(symbol.selection));
        _ = writeln!(out, "{indent}{place} {:?} {}", symbol.kind, symbol.detail);
        out += &outline(asked, &symbol.children, depth + 1);
    }
    out
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let bless = std::env::var_os("MAM_BLESS").is_some_and(|v| v == "1");
    match run(&folder, bless, &answer) {
        Ok(count) => assert!(count > 0, "no cases"),
        Err(differences) => panic!("{differences}\nMAM_BLESS=1 rewrites the cases"),
    }
}
