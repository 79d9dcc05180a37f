//! The answers of [`mam_ide`] in the protocol's form (Language Server Protocol, version 3.17).

use super::uri;
use super::workspace::{OpenText, Song, Workspace};
use crate::report::word;
use mam_grammar::{Problem, Severity, SourceId, Span};
use mam_ide::{Action, Completion, CompletionKind, DocumentSymbol, Edit, Position, SymbolKind, TokenKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What the server can do, as it says when it is started.
pub(super) fn capabilities() -> Value {
    let tokens: Vec<&str> = TokenKind::ALL.iter().map(|(_, name)| *name).collect();
    json!({
        "positionEncoding": "utf-16",
        "textDocumentSync": { "openClose": true, "change": 1, "save": true },
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "(", ",", "\""] },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","], "retriggerCharacters": [":"] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": { "prepareProvider": true },
        "documentSymbolProvider": true,
        "foldingRangeProvider": true,
        "semanticTokensProvider": {
            "legend": { "tokenTypes": tokens, "tokenModifiers": ["definition", "defaultLibrary"] },
            "full": true,
        },
        "documentFormattingProvider": true,
        "documentRangeFormattingProvider": true,
        "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        "inlayHintProvider": true,
        "codeLensProvider": {},
        "workspace": { "workspaceFolders": { "supported": true } },
    })
}

impl OpenText<'_> {
    /// A place of the editor as a byte.
    pub(super) fn byte(&self, position: &Value) -> usize {
        let number = |name: &str| {
            let number = position.get(name).and_then(Value::as_u64).unwrap_or(0);
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let position = Position { line: number("line"), character: number("character") };
        self.analysis.lines(self.source).byte(position)
    }

    /// A range of the editor as a span.
    pub(super) fn span(&self, range: &Value) -> Span {
        let (start, end) = (self.byte(&range["start"]), self.byte(&range["end"]));
        Span::new(self.source, start, end.max(start))
    }

    /// A span as a range of the editor.
    pub(super) fn range(&self, span: Span) -> Value {
        range(self.song, span)
    }

    /// The changes of one text.
    pub(super) fn edits(&self, edits: &[Edit]) -> Value {
        edits.iter().map(|edit| json!({ "range": self.range(edit.span), "newText": edit.text })).collect()
    }

    /// What is shown under the pointer.
    pub(super) fn hover(&self, byte: usize) -> Value {
        let Some(hover) = self.analysis.hover(self.source, byte) else { return Value::Null };
        json!({
            "contents": { "kind": "markdown", "value": hover.markdown },
            "range": self.range(hover.span),
        })
    }

    /// What can be written.
    pub(super) fn completions(&self, byte: usize) -> Value {
        self.analysis.completions(self.source, byte).iter().map(|one| self.completion(one)).collect()
    }

    fn completion(&self, one: &Completion) -> Value {
        let mut item = json!({
            "label": one.label,
            "kind": completion_kind(one.kind),
            "textEdit": { "range": self.range(one.replace), "newText": one.insert },
        });
        if !one.detail.is_empty() {
            item["detail"] = json!(one.detail);
        }
        if let Some(doc) = &one.doc {
            item["documentation"] = json!({ "kind": "markdown", "value": doc });
        }
        // What belongs to the call comes before what can stand everywhere.
        let first = if one.kind == CompletionKind::Parameter { "0" } else { "1" };
        item["sortText"] = json!(format!("{first}{}", one.label));
        item
    }

    /// The arguments of the call that is being written.
    pub(super) fn signature(&self, byte: usize) -> Value {
        let Some(signature) = self.analysis.signature(self.source, byte) else { return Value::Null };
        let mut from = 0;
        let parameters: Vec<Value> = signature
            .parameters
            .iter()
            .map(|parameter| {
                let found = signature.label[from..].find(&parameter.label).map_or(from, |at| from + at);
                from = found + parameter.label.len();
                let units = |byte: usize| signature.label[..byte].encode_utf16().count();
                let mut value = json!({ "label": [units(found), units(from)] });
                if let Some(doc) = &parameter.doc {
                    value["documentation"] = json!({ "kind": "markdown", "value": doc });
                }
                value
            })
            .collect();
        let active = signature.active.unwrap_or(parameters.len());
        let mut value = json!({ "label": signature.label, "parameters": parameters });
        if let Some(doc) = signature.doc {
            value["documentation"] = json!({ "kind": "markdown", "value": doc });
        }
        json!({ "signatures": [value], "activeSignature": 0, "activeParameter": active })
    }

    /// The outline.
    pub(super) fn symbols(&self) -> Value {
        self.analysis.symbols(self.source).iter().map(|symbol| self.symbol(symbol)).collect()
    }

    fn symbol(&self, symbol: &DocumentSymbol) -> Value {
        let children: Vec<Value> = symbol.children.iter().map(|child| self.symbol(child)).collect();
        json!({
            "name": symbol.name,
            "detail": symbol.detail,
            "kind": symbol_kind(symbol.kind),
            "range": self.range(symbol.span.to(symbol.selection)),
            "selectionRange": self.range(symbol.selection),
            "children": children,
        })
    }

    /// What can be folded, line by line.
    pub(super) fn folds(&self) -> Value {
        let lines = self.analysis.lines(self.source);
        let fold = |fold: mam_ide::Fold| {
            let line = |byte: u32| lines.position(byte as usize).line;
            let (first, last) = (line(fold.span.start), line(fold.span.end));
            let mut value = json!({ "startLine": first, "endLine": last });
            if fold.comment {
                value["kind"] = json!("comment");
            }
            value
        };
        self.analysis.folds(self.source).into_iter().map(fold).collect()
    }

    /// The colours: five numbers a token, relative to the one before.
    pub(super) fn tokens(&self) -> Value {
        let lines = self.analysis.lines(self.source);
        let (mut data, mut last) = (vec![], Position::default());
        for token in self.analysis.tokens(self.source) {
            let start = lines.position(token.span.range().start);
            let end = lines.position(token.span.range().end);
            let kind = TokenKind::ALL.iter().position(|(kind, _)| *kind == token.kind).unwrap_or(0) as u32;
            let line = start.line - last.line;
            let character = if line == 0 { start.character - last.character } else { start.character };
            let marks = u32::from(token.defines) | u32::from(token.library) << 1;
            data.extend([line, character, end.character - start.character, kind, marks]);
            last = start;
        }
        json!({ "data": data })
    }

    /// The words beside the lines of a range.
    pub(super) fn hints(&self, span: Span) -> Value {
        let lines = self.analysis.lines(self.source);
        let hint = |hint: mam_ide::Hint| json!({ "position": position(lines.position(hint.byte)), "label": hint.label, "paddingLeft": true });
        self.analysis.hints(self.source, span).into_iter().map(hint).collect()
    }

    /// What can be played from where. The editor's part of `mam.play` starts `mamc play`.
    pub(super) fn lenses(&self, uri: &str) -> Value {
        if self.source != self.analysis.song {
            return json!([]);
        }
        let lens = |lens: mam_ide::Lens| {
            let arguments = [json!(uri), json!(lens.bar)];
            let command = json!({ "title": lens.title, "command": "mam.play", "arguments": arguments });
            json!({ "range": self.range(lens.span), "command": command })
        };
        self.analysis.lenses().into_iter().map(lens).collect()
    }
}

fn position(position: Position) -> Value {
    json!({ "line": position.line, "character": position.character })
}

fn range(song: &Song, span: Span) -> Value {
    let Some(analysis) = &song.analysis else { return Value::Null };
    let lines = analysis.lines(span.source);
    let (start, end) = (lines.position(span.range().start), lines.position(span.range().end));
    json!({ "start": position(start), "end": position(end) })
}

impl Workspace {
    /// A span as an address and a range; `None` in a text that is not a file.
    pub(super) fn location(&self, song: &Song, span: Span) -> Option<Value> {
        let uri = self.uri_of(song.path(span.source)?);
        Some(json!({ "uri": uri, "range": range(song, span) }))
    }

    /// Changes of several files.
    pub(super) fn changes(&self, song: &Song, edits: &[Edit]) -> BTreeMap<String, Vec<Value>> {
        let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for edit in edits {
            let Some(path) = song.path(edit.span.source) else { continue };
            let change = json!({ "range": range(song, edit.span), "newText": edit.text });
            changes.entry(self.uri_of(path)).or_default().push(change);
        }
        changes
    }

    /// The problems of a song, by the paths of its files. Every file has an entry.
    pub(super) fn problems<'s>(&self, song: &'s Song) -> BTreeMap<&'s Path, Vec<Value>> {
        let mut all: BTreeMap<&Path, Vec<Value>> =
            song.paths.iter().map(|(_, path)| (&**path, vec![])).collect();
        let Some(analysis) = &song.analysis else { return all };
        for problem in analysis.problems() {
            // What has no place of its own stands at the song's beginning.
            let path = song.path(problem.span().source).or_else(|| song.path(analysis.song));
            let entry = path.and_then(|path| all.get_mut(path));
            entry.into_iter().for_each(|entry| entry.push(self.problem(song, problem)));
        }
        all
    }

    /// One problem.
    pub(super) fn problem(&self, song: &Song, problem: &Problem) -> Value {
        let severity = match problem.code.severity {
            Severity::Error => 1,
            Severity::Warning => 2,
            Severity::Note => 3,
        };
        let mut message = problem.message.clone();
        let first = problem.labels.first().map_or("", |label| &*label.text);
        for more in [first, problem.help.as_deref().unwrap_or_default()] {
            if !more.is_empty() {
                message += "\n";
                message += more;
            }
        }
        let related: Vec<Value> = problem.labels[1..]
            .iter()
            .filter_map(|label| {
                let words = if label.text.is_empty() { word(problem.code.severity) } else { &label.text };
                Some(json!({ "location": self.location(song, label.span)?, "message": words }))
            })
            .collect();
        json!({
            "range": range(song, problem.span()),
            "severity": severity,
            "code": problem.code.name,
            "source": "mam",
            "message": message,
            "relatedInformation": related,
        })
    }

    /// What can be done about the problems of a place.
    pub(super) fn actions(&self, place: &OpenText, span: Span) -> Value {
        let action = |action: Action| {
            let problem = action.problem.map(|index| &place.analysis.problems()[index]);
            let problems: Vec<Value> =
                problem.map(|problem| self.problem(place.song, problem)).into_iter().collect();
            json!({
                "title": action.title,
                "kind": "quickfix",
                "isPreferred": action.preferred,
                "diagnostics": problems,
                "edit": { "changes": self.changes(place.song, &action.edits) },
            })
        };
        place.analysis.actions(place.source, span).into_iter().map(action).collect()
    }

    /// Where something is written: of one song, each place once.
    pub(super) fn locations(&self, song: &Song, spans: &[Span]) -> Vec<Value> {
        spans.iter().filter_map(|span| self.location(song, *span)).collect()
    }
}

/// The address of a text of the prelude in a folder that holds it.
pub(super) fn prelude_location(folder: &Path, song: &Song, span: Span, name: &str) -> Value {
    json!({ "uri": uri::uri(&folder.join(name)), "range": range(song, span) })
}

/// The texts of a source, by name: of the prelude.
pub(super) fn text_of(song: &Song, source: SourceId) -> Option<(&str, &str)> {
    let source = song.analysis.as_ref()?.sources.get(source);
    Some((&source.name, &source.text))
}

/// The protocol's `CompletionItemKind`.
fn completion_kind(kind: CompletionKind) -> u32 {
    match kind {
        CompletionKind::Function => 3,
        CompletionKind::Field => 5,
        CompletionKind::Value => 6,
        CompletionKind::Instrument => 7,
        CompletionKind::Effect => 8,
        CompletionKind::Section => 9,
        CompletionKind::Parameter => 10,
        CompletionKind::Unit => 11,
        CompletionKind::Keyword => 14,
        CompletionKind::Chord => 15,
        CompletionKind::Note | CompletionKind::Scale => 20,
        CompletionKind::Modifier => 2,
    }
}

/// The protocol's `SymbolKind`.
fn symbol_kind(kind: SymbolKind) -> u32 {
    match kind {
        SymbolKind::Instrument => 5,
        SymbolKind::Parameter => 7,
        SymbolKind::Effect => 11,
        SymbolKind::Function => 12,
        SymbolKind::Equation => 13,
        SymbolKind::Section => 3,
        SymbolKind::Line => 24,
    }
}
