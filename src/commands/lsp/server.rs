//! Messages in, messages out. One thread answers; what has arrived meanwhile is taken all at once, and of several versions
//! of a text only the newest is compiled. Problems are sent as soon as nearly all are known; what is left of the compilation is
//! done while there is nothing else to do.

use super::answers::{capabilities, prelude_location, text_of};
use super::uri;
use super::workspace::{Workspace, key};
use crate::output::{Inputs, write_text};
use lsp_server::{Connection, ErrorCode, ExtractError, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use tempfile::TempDir;

/// Serves one editor until it says that it exits, or closes its end.
///
/// # Errors
/// When a message is not one of the protocol, or the editor ends without saying so: in words.
pub fn serve(connection: Connection) -> Result<(), String> {
    let (id, start) = match connection.initialize_start() {
        Ok(start) => start,
        // Closed before it said anything: a client that only looks whether there is a server.
        Err(error) if error.channel_is_disconnected() => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let info = json!({ "name": "mamc", "version": env!("CARGO_PKG_VERSION") });
    let result = json!({ "capabilities": capabilities(), "serverInfo": info });
    connection.initialize_finish(id, result).map_err(|error| error.to_string())?;
    let mut server = Server::new(folders(&start));
    let messages = queue(&connection);
    let mut send = |message| _ = connection.sender.send(message);
    loop {
        let mut batch: Vec<Message> = messages.try_iter().collect();
        if batch.is_empty() {
            // What is left of a compilation is for a text that is not about to be another one.
            server.finish(&mut send);
            let Ok(first) = messages.recv() else { return Ok(()) };
            batch.push(first);
            batch.extend(messages.try_iter());
        }
        if !server.take(batch, &mut send) {
            return Ok(());
        }
    }
}

/// The messages of a connection, as many as have arrived: the connection itself passes on one at a time.
fn queue(connection: &Connection) -> mpsc::Receiver<Message> {
    let (sender, receiver) = mpsc::channel();
    let incoming = connection.receiver.clone();
    std::thread::spawn(move || {
        incoming.iter().take_while(|message| sender.send(message.clone()).is_ok()).count()
    });
    receiver
}

/// The folders that an editor has open.
fn folders(start: &Value) -> Vec<PathBuf> {
    let several = start["workspaceFolders"].as_array().into_iter().flatten().map(|folder| &folder["uri"]);
    let mut folders: Vec<PathBuf> = several.filter_map(|uri| uri::path(uri.as_str()?)).collect();
    if folders.is_empty() {
        folders.extend(start["rootUri"].as_str().and_then(uri::path));
    }
    folders
}

/// The state of a server between messages.
pub struct Server {
    workspace: Workspace,
    /// The problems that the editor shows, by song and then by address.
    published: BTreeMap<PathBuf, BTreeMap<String, Value>>,
    /// The texts of the prelude that were asked for, as files.
    prelude: Option<TempDir>,
    /// How many times songs were compiled.
    compiled: usize,
}

/// The methods whose answers say what something costs, which the whole compilation knows.
const NEED_COSTS: [&str; 2] = ["textDocument/hover", "textDocument/inlayHint"];

/// An answer, or what is wrong with the question, in words.
type Answer = Result<Value, String>;

impl Server {
    /// A server for an editor that has these folders open.
    pub fn new(folders: Vec<PathBuf>) -> Server {
        let mut workspace = Workspace::default();
        workspace.set_folders(folders);
        Server { workspace, published: BTreeMap::new(), prelude: None, compiled: 0 }
    }

    /// How many times songs were compiled so far.
    pub fn compiled(&self) -> usize {
        self.compiled
    }

    /// Takes messages in their order and sends what is said to them; false when the editor exits. Problems of the newest
    /// texts are sent at the end, and before a request that needs them; [`Server::finish`] sends the few that only the whole
    /// compilation knows.
    pub fn take(&mut self, messages: Vec<Message>, send: &mut dyn FnMut(Message)) -> bool {
        let cancelled: BTreeSet<String> = messages.iter().filter_map(cancelled).collect();
        for message in messages {
            match message {
                Message::Notification(note) if note.method == "exit" => return false,
                Message::Notification(note) => self.note(&note),
                Message::Request(request) => {
                    let response = self.request(request, &cancelled, send);
                    send(Message::Response(response));
                }
                Message::Response(_) => {}
            }
        }
        self.publish(send);
        true
    }

    fn note(&mut self, note: &Notification) {
        let document = &note.params["textDocument"];
        let Some(uri) = document["uri"].as_str() else {
            if note.method == "workspace/didChangeWatchedFiles" {
                self.workspace.look_at_folders();
            }
            return;
        };
        let version = document["version"].as_i64().unwrap_or(0);
        match &*note.method {
            "textDocument/didOpen" => {
                self.workspace.set_text(uri, version, document["text"].as_str().unwrap_or_default());
            }
            "textDocument/didChange" => {
                // Whole texts are asked for, so the last change is all of it.
                let last = note.params["contentChanges"].as_array().and_then(|all| all.last());
                if let Some(text) = last.and_then(|change| change["text"].as_str()) {
                    self.workspace.set_text(uri, version, text);
                }
            }
            "textDocument/didSave" => self.workspace.look_at_folders(),
            "textDocument/didClose" => self.workspace.close(uri),
            _ => {}
        }
    }

    fn request(
        &mut self,
        request: Request,
        cancelled: &BTreeSet<String>,
        send: &mut dyn FnMut(Message),
    ) -> Response {
        let Request { id, method, params } = request;
        if cancelled.contains(&id.to_string()) {
            return Response::new_err(id, ErrorCode::RequestCanceled as i32, "cancelled".into());
        }
        if method == "shutdown" {
            return Response::new_ok(id, Value::Null);
        }
        self.publish(send);
        if NEED_COSTS.contains(&&*method) {
            self.finish(send);
        }
        match self.answer(&method, &params) {
            Some(Ok(answer)) => Response::new_ok(id, answer),
            Some(Err(words)) => Response::new_err(id, ErrorCode::RequestFailed as i32, words),
            None => {
                let words = format!("there is no method `{method}`");
                Response::new_err(id, ErrorCode::MethodNotFound as i32, words)
            }
        }
    }

    /// The answer to a request; `None` for a method that there is not.
    fn answer(&mut self, method: &str, params: &Value) -> Option<Answer> {
        let uri = params["textDocument"]["uri"].as_str().unwrap_or_default();
        let known = method.strip_prefix("textDocument/")?;
        if known == "definition" {
            return Some(Ok(self.definition(uri, params)));
        }
        let Some(place) = self.workspace.place(uri) else {
            // A text that is not open has no answers.
            return Some(Ok(Value::Null));
        };
        let byte = place.byte(&params["position"]);
        let span = place.span(&params["range"]);
        Some(Ok(match known {
            "hover" => place.hover(byte),
            "completion" => place.completions(byte),
            "signatureHelp" => place.signature(byte),
            "references" => self.references(uri, params),
            "documentHighlight" => {
                let all = place.analysis.references(place.source, byte).into_iter();
                let own = all.filter(|span| span.source == place.source);
                own.map(|span| json!({ "range": place.range(span) })).collect()
            }
            "prepareRename" => match place.analysis.renamable(place.source, byte) {
                Ok((span, name)) => json!({ "range": place.range(span), "placeholder": name }),
                Err(words) => return Some(Err(words)),
            },
            "rename" => return Some(self.rename(uri, params)),
            "documentSymbol" => place.symbols(),
            "foldingRange" => place.folds(),
            "semanticTokens/full" => place.tokens(),
            "formatting" => {
                place.analysis.format(place.source).map_or(Value::Null, |edits| place.edits(&edits))
            }
            "rangeFormatting" => {
                let edits = place.analysis.format_range(place.source, span);
                edits.map_or(Value::Null, |edits| place.edits(&edits))
            }
            "codeAction" => self.workspace.actions(&place, span),
            "inlayHint" => place.hints(span),
            "codeLens" => place.lenses(uri),
            _ => return None,
        }))
    }

    /// Where something is defined. A definition of the prelude is in a file that is written when it is asked for.
    fn definition(&mut self, uri: &str, params: &Value) -> Value {
        let Some(place) = self.workspace.place(uri) else { return Value::Null };
        let found = place.analysis.definition(place.source, place.byte(&params["position"]));
        let Some(span) = found else { return Value::Null };
        if let Some(location) = self.workspace.location(place.song, span) {
            return location;
        }
        let Some((name, text)) = text_of(place.song, span.source) else { return Value::Null };
        let Some(name) = Path::new(name).file_name().and_then(|name| name.to_str()) else {
            return Value::Null;
        };
        if self.prelude.is_none() {
            self.prelude = tempfile::Builder::new().prefix("mam-prelude-").tempdir().ok();
        }
        let Some(folder) = &self.prelude else { return Value::Null };
        let path = folder.path().join(name);
        let there = path.exists() || write_text(&path, text, &Inputs::default()).is_ok();
        if there { prelude_location(folder.path(), place.song, span, name) } else { Value::Null }
    }

    /// Every place of a name, through all songs that the text belongs to, each once.
    fn references(&self, uri: &str, params: &Value) -> Value {
        let mut all: Vec<Value> = vec![];
        for place in self.workspace.places(uri) {
            let byte = place.byte(&params["position"]);
            let mut spans = place.analysis.references(place.source, byte);
            if params["context"]["includeDeclaration"] == json!(false) {
                let own = place.analysis.definition(place.source, byte);
                spans.retain(|span| Some(*span) != own);
            }
            for location in self.workspace.locations(place.song, &spans) {
                if !all.contains(&location) {
                    all.push(location);
                }
            }
        }
        Value::Array(all)
    }

    /// A new name through all songs that the text belongs to; none where one of them has a reason against it.
    fn rename(&self, uri: &str, params: &Value) -> Answer {
        let name = params["newName"].as_str().unwrap_or_default();
        let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for place in self.workspace.places(uri) {
            let edits = place.analysis.rename(place.source, place.byte(&params["position"]), name)?;
            for (uri, edits) in self.workspace.changes(place.song, &edits) {
                let all = changes.entry(uri).or_default();
                for edit in edits {
                    if !all.contains(&edit) {
                        all.push(edit);
                    }
                }
            }
        }
        Ok(json!({ "changes": changes }))
    }

    /// Compiles what has changed as far as nearly all problems are known, and sends those of files whose problems are others now.
    fn publish(&mut self, send: &mut dyn FnMut(Message)) {
        let (compiled, gone) = self.workspace.update();
        self.compiled += compiled.len();
        let mut touched: BTreeSet<String> = BTreeSet::new();
        for path in gone {
            touched.extend(self.published.remove(&path).unwrap_or_default().into_keys());
        }
        for path in compiled.into_iter().filter(|path| self.workspace.songs.contains_key(path)) {
            let now = self.problems_of(&path);
            touched.extend(now.keys().cloned());
            touched.extend(self.published.insert(path, now).unwrap_or_default().into_keys());
        }
        self.send_problems(touched, send);
    }

    /// Does what is left of what was compiled, and sends what that finds out.
    pub fn finish(&mut self, send: &mut dyn FnMut(Message)) {
        let mut touched: BTreeSet<String> = BTreeSet::new();
        for path in self.workspace.finish() {
            let now = self.problems_of(&path);
            if self.published.get(&path) != Some(&now) {
                touched.extend(now.keys().cloned());
                self.published.insert(path, now);
            }
        }
        self.send_problems(touched, send);
    }

    /// What is known of the problems of a song, by the addresses of its files.
    fn problems_of(&self, song: &Path) -> BTreeMap<String, Value> {
        let Some(song) = self.workspace.songs.get(song) else { return BTreeMap::new() };
        let all = self.workspace.problems(song).into_iter();
        all.map(|(path, problems)| (self.workspace.uri_of(path), Value::Array(problems))).collect()
    }

    /// Sends the problems of files, each with those that it has in all songs.
    fn send_problems(&self, files: BTreeSet<String>, send: &mut dyn FnMut(Message)) {
        for uri in files {
            let mut all: Vec<&Value> = vec![];
            for problems in self.published.values().filter_map(|song| song.get(&uri)?.as_array()) {
                // What several songs use has its problems once.
                problems.iter().for_each(|problem| {
                    if !all.contains(&problem) {
                        all.push(problem)
                    }
                });
            }
            let version = self.workspace.texts.get(&key(&uri)).map(|text| text.version);
            let params = json!({ "uri": uri, "version": version, "diagnostics": all });
            send(Message::Notification(Notification::new("textDocument/publishDiagnostics".into(), params)));
        }
    }
}

/// The request that a message takes back.
fn cancelled(message: &Message) -> Option<String> {
    let Message::Notification(note) = message else { return None };
    let note = (note.method == "$/cancelRequest").then(|| note.clone())?;
    let extracted: Result<Value, ExtractError<Notification>> = note.extract("$/cancelRequest");
    let id: RequestId = serde_json::from_value(extracted.ok()?["id"].clone()).ok()?;
    Some(id.to_string())
}
