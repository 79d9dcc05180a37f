//! The language server as editors meet it: over messages, and as a process over standard input and output.

use lsp_server::{Message, Notification, Request, RequestId, Response};
use mam_compiler::codes;
use mam_testing::mutants::Dice;
use mamc::args::HowArgs;
use mamc::commands::lsp::Server;
use mamc::compiling::compile_without_code;
use mamc::input::Song;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// An editor that has nothing but the messages.
struct Editor {
    server: Server,
    requests: i32,
    /// The problems that are shown, by address.
    shown: BTreeMap<String, Vec<Value>>,
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

impl Editor {
    fn new(folders: Vec<PathBuf>) -> Editor {
        Editor { server: Server::new(folders), requests: 0, shown: BTreeMap::new() }
    }

    fn send(&mut self, messages: Vec<Message>) -> Vec<Message> {
        let mut answers = vec![];
        assert!(self.server.take(messages, &mut |message| answers.push(message)));
        self.server.finish(&mut |message| answers.push(message));
        for message in &answers {
            let Message::Notification(note) = message else { continue };
            assert_eq!(note.method, "textDocument/publishDiagnostics");
            let problems = note.params["diagnostics"].as_array().unwrap().clone();
            self.shown.insert(note.params["uri"].as_str().unwrap().into(), problems);
        }
        answers
    }

    fn note(method: &str, params: Value) -> Message {
        Message::Notification(Notification::new(method.into(), params))
    }

    fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "mam", "version": 1, "text": text });
        self.send(vec![Editor::note("textDocument/didOpen", json!({ "textDocument": document }))]);
    }

    fn change(uri: &str, text: &str) -> Message {
        let params =
            json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": text }] });
        Editor::note("textDocument/didChange", params)
    }

    fn ask(&mut self, method: &str, mut params: Value, uri: &str) -> Value {
        params["textDocument"] = json!({ "uri": uri });
        self.requests += 1;
        let id = RequestId::from(self.requests);
        let request = Message::Request(Request { id: id.clone(), method: method.into(), params });
        let answers = self.send(vec![request]);
        let response = answers.into_iter().find_map(|message| match message {
            Message::Response(response) => Some(response),
            _ => None,
        });
        let Response { id: answered, response_result } = response.expect("every request is answered");
        assert_eq!(answered, id);
        response_result.unwrap_or_else(|error| json!({ "error": error.message }))
    }

    fn codes(&self, uri: &str) -> Vec<&str> {
        self.shown[uri].iter().map(|problem| problem["code"].as_str().unwrap()).collect()
    }
}

fn at(line: u32, character: u32) -> Value {
    json!({ "position": { "line": line, "character": character } })
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn problems_are_shown_while_typing_and_only_the_newest_text_is_compiled() {
    let mut editor = Editor::new(vec![]);
    let song = "untitled:1";
    editor.open(song, "bd = kikc()\nout = bd\n");
    assert_eq!(editor.codes(song), ["unknown-definition"]);
    let before = editor.server.compiled();
    let versions = (0..50).map(|n| Editor::change(song, &format!("bd = kick({n}")));
    let versions = versions.chain([Editor::change(song, "bd = kick()\nplay { bd |x...| }\nout = bd\n")]);
    editor.send(versions.collect());
    assert_eq!(editor.server.compiled() - before, 1);
    assert_eq!(editor.codes(song), [""; 0]);
    editor.send(vec![Editor::note("textDocument/didClose", json!({ "textDocument": { "uri": song } }))]);
    assert_eq!(editor.codes(song), [""; 0]);
}

#[test]
fn nearly_all_problems_are_sent_before_the_compilation_is_finished() {
    let sent = |messages: &[Message]| -> Vec<String> {
        let Some(Message::Notification(note)) = messages.last() else { return vec![] };
        let problems = note.params["diagnostics"].as_array().unwrap().iter();
        problems.map(|problem| problem["code"].as_str().unwrap().into()).collect()
    };
    for (code, is_early) in [(&codes::NEVER_HEARD, true), (&codes::LATENCY_IN_CYCLE, false)] {
        let row = codes::all().find(|row| row.code == code).unwrap();
        let document = json!({ "uri": "untitled:1", "languageId": "mam", "version": 1, "text": row.fails });
        let open = Editor::note("textDocument/didOpen", json!({ "textDocument": document }));
        let (mut server, mut early, mut late) = (Server::new(vec![]), vec![], vec![]);
        server.take(vec![open], &mut |message| early.push(message));
        server.finish(&mut |message| late.push(message));
        assert_eq!(sent(if is_early { &early } else { &late }), [code.name]);
        assert_eq!(sent(if is_early { &late } else { &early }), [""; 0]);
    }
}

#[test]
fn a_problem_has_its_place_in_utf16_its_reason_and_its_fix() {
    let mut editor = Editor::new(vec![]);
    let song = "untitled:1";
    editor.open(song, "// 𝄞\r\na = 1; b = \"𝄞\" + kikc()\r\na = 2\r\nout = a\r\n");
    let problem = |code: &str| editor.shown[song].iter().find(|p| p["code"] == code).unwrap().clone();
    assert_eq!(problem("unknown-definition")["range"]["start"], json!({ "line": 1, "character": 18 }));
    let twice = problem("duplicate-name");
    assert_eq!(
        twice["relatedInformation"][0]["location"]["range"]["start"],
        json!({ "line": 1, "character": 0 })
    );
    let range = problem("unknown-definition")["range"].clone();
    let actions = editor.ask("textDocument/codeAction", json!({ "range": range, "context": {} }), song);
    assert_eq!(actions[0]["edit"]["changes"][song][0]["newText"], "kick");
    assert_eq!(actions[0]["diagnostics"][0]["code"], "unknown-definition");
}

#[test]
fn names_are_found_and_renamed_across_files_whether_they_are_open_or_not() {
    let lib = "/// Half.\ndef half(x, by = 50%) = x * by\n";
    let song = "use \"lib.mam\"\nout = half(noise(), by: 20%)\n";
    let other = "use \"lib.mam\"\nout = half(sine(2Hz))\n";
    let folder = folder(&[("lib.mam", lib), ("song.mam", song), ("other.mam", other)]);
    let root = folder.path().canonicalize().unwrap();
    let [lib_uri, song_uri, other_uri] =
        ["lib.mam", "song.mam", "other.mam"].map(|name| uri(&root.join(name)));
    let mut editor = Editor::new(vec![root.clone()]);
    editor.open(&lib_uri, lib);
    // As `mamc check FOLDER` has it: a file that songs use needs no `out`.
    assert_eq!(editor.codes(&lib_uri), [""; 0]);
    let found = editor.ask("textDocument/references", at(1, 5), &lib_uri);
    assert_eq!(found.as_array().unwrap().len(), 3);
    let mut params = at(1, 5);
    params["newName"] = json!("soft");
    let changes = editor.ask("textDocument/rename", params, &lib_uri)["changes"].clone();
    for uri in [&lib_uri, &song_uri, &other_uri] {
        assert_eq!(changes[uri][0]["newText"], "soft", "{changes}");
    }
    editor.open(&song_uri, song);
    let definition = editor.ask("textDocument/definition", at(1, 7), &song_uri);
    assert_eq!((&definition["uri"], &definition["range"]["start"]["line"]), (&json!(lib_uri), &json!(1)));
    // What is open counts, not what is on the disk.
    editor.send(vec![Editor::change(&lib_uri, "def halv(x, by = 50%) = x * by\n")]);
    assert_eq!(editor.codes(&song_uri), ["unknown-definition"]);
    // A definition of the prelude is a file that can be looked at.
    let noise = editor.ask("textDocument/definition", at(1, 8), &other_uri);
    assert_eq!(noise, Value::Null, "a text that is neither open nor part of an open song");
    let sub = "untitled:1";
    editor.open(sub, "b = kick()\nout = b\n");
    let kick = editor.ask("textDocument/definition", at(0, 5), sub);
    let path = kick["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let line = kick["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(fs::read_to_string(path).unwrap().lines().nth(line).unwrap().contains("kick"));
}

#[test]
fn every_question_of_an_editor_has_an_answer() {
    let mut editor = Editor::new(vec![]);
    let song = "untitled:1";
    editor.open(song, "// a\n// b\nbd=kick( )\nsection a 2 bars { bd |x...| }\nplay a\nout=bd\n");
    let range =
        json!({ "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } } });
    let mut ask = |method: &str, params: Value| editor.ask(&format!("textDocument/{method}"), params, song);
    assert!(ask("hover", at(2, 4))["contents"]["value"].as_str().unwrap().contains("instrument kick"));
    let completions = ask("completion", at(2, 9));
    assert!(completions.as_array().unwrap().iter().any(|one| one["label"] == "amp_decay:"));
    let signature = ask("signatureHelp", at(2, 9));
    assert_eq!(signature["activeParameter"], 0);
    assert_eq!(signature["signatures"][0]["parameters"][0]["label"], json!([5, 15]));
    assert_eq!(ask("documentHighlight", at(2, 0)).as_array().unwrap().len(), 3);
    assert_eq!(ask("prepareRename", at(2, 0))["placeholder"], "bd");
    assert!(ask("prepareRename", at(2, 4))["error"].as_str().unwrap().contains("prelude"));
    assert_eq!(ask("documentSymbol", json!({}))[0]["name"], "bd");
    assert_eq!(ask("foldingRange", json!({}))[0], json!({ "startLine": 0, "endLine": 1, "kind": "comment" }));
    assert_eq!(ask("semanticTokens/full", json!({}))["data"].as_array().unwrap().len() % 5, 0);
    assert_eq!(
        ask("formatting", json!({ "options": {} }))[0]["newText"],
        "bd = kick()\nsection a 2 bars {\n  bd |x...|\n}\n"
    );
    assert_eq!(ask("rangeFormatting", range.clone()).as_array().unwrap().len(), 2, "two runs of lines");
    assert!(ask("inlayHint", range)[0]["label"].as_str().unwrap().contains("operations"));
    let lens = ask("codeLens", json!({}));
    assert_eq!(
        (&lens[0]["command"]["command"], &lens[0]["command"]["arguments"][1]),
        (&json!("mam.play"), &json!(1))
    );
    assert!(editor.ask("textDocument/noSuch", json!({}), song)["error"].is_string());
    assert_eq!(editor.ask("textDocument/hover", at(0, 0), "untitled:9"), Value::Null);
    let cancel = Editor::note("$/cancelRequest", json!({ "id": 77 }));
    let request = Request { id: 77.into(), method: "textDocument/hover".into(), params: json!({}) };
    let answers = editor.send(vec![Message::Request(request), cancel]);
    assert!(matches!(&answers[0], Message::Response(response) if response.response_result.is_err()));
}

/// The text after an edit as an editor makes it: pieces in and out, line ends of all kinds, halves of what belongs together.
fn edited(text: &str, random: &mut Dice) -> String {
    const PIECES: [&str; 24] = [
        "a",
        "bd",
        " = ",
        "kick(",
        ")",
        "(",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "|x...|",
        "𝄞",
        "ü",
        "{",
        "}",
        "play ",
        "|> echo()",
        "440Hz",
        ".",
        ",",
        "// ",
        "/// ",
        "sum i in 1..2 { ",
        "-6dB",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len() + 1);
    if random.below(3) == 0 {
        let end = (at + random.below(8)).min(chars.len());
        chars.drain(at..end);
    } else {
        let piece = PIECES[random.below(PIECES.len())];
        chars.splice(at..at, piece.chars());
    }
    chars.into_iter().collect()
}

/// `MAM_EDITS=1000000 cargo test --release --test lsp` makes as many.
#[test]
fn after_any_edits_the_problems_are_those_of_check() {
    let edits: usize = std::env::var("MAM_EDITS").map_or(300, |count| count.parse().unwrap());
    const AS_CHECKED: usize = 10;
    let songs = ["groove.mam", "song.mam", "dub.mam"].map(|name| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap()
    });
    let starts: Vec<String> =
        songs.into_iter().chain(["bd = kick()\nplay { bd |x...| }\nout = bd |> echo()\n".into()]).collect();
    let folder = folder(&[]);
    let path = folder.path().canonicalize().unwrap().join("song.mam");
    let (uri, mut editor, mut random) = (uri(&path), Editor::new(vec![]), Dice(7));
    let mut text = starts[0].clone();
    editor.open(&uri, &text);
    for edit in 0..edits {
        if edit % 50 == 49 {
            text = starts[random.below(starts.len())].clone();
        }
        text = edited(&text, &mut random);
        editor.send(vec![Editor::change(&uri, &text)]);
        // Positions that are nowhere, and within characters.
        let position = at(random.below(60) as u32, random.below(90) as u32);
        let methods =
            ["hover", "completion", "signatureHelp", "references", "semanticTokens/full", "formatting"];
        let method = methods[random.below(methods.len())];
        editor.ask(&format!("textDocument/{method}"), position, &uri);
        if edit % AS_CHECKED == 0 {
            fs::write(&path, &text).unwrap();
            let checked = compile_without_code(Song::read(&path, None).unwrap(), &HowArgs::default());
            let said = |p: &mam_grammar::Problem| (p.code.name.to_owned(), p.message.clone());
            let expected: Vec<_> = checked.problems.iter().map(said).collect();
            let shown: Vec<_> = editor.shown[&uri]
                .iter()
                .map(|p| (p["code"].as_str().unwrap().to_owned(), p["message"].as_str().unwrap().to_owned()))
                .collect();
            assert_eq!(shown.len(), expected.len(), "{text:?}\n{shown:?}\n{expected:?}");
            for (shown, expected) in shown.iter().zip(&expected) {
                assert!(
                    shown.0 == expected.0 && shown.1.starts_with(&expected.1),
                    "{text:?}\n{shown:?}\n{expected:?}"
                );
            }
        }
    }
}
