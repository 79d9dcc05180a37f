//! `mamc mcp`: the verbs of `mamc` for agents, by the Model Context Protocol (revision 2025-06-18) over standard input and
//! output: a JSON-RPC message a line.
//!
//! Each tool is a `mamc` of its own, which ends after a time and whose output is bounded; what it reads and writes lies below
//! `--root`. No shell sees a name.

use crate::console::Console;
use crate::failure::Failure;
use crate::rendered::endings;
use clap::Args;
use serde_json::{Map, Value, json};
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Serve agents by the Model Context Protocol: check, fix, explain, list, doc, render, measure, plot
///
/// Songs are given as text, or as files below --root. Files are read and written below it only.
#[derive(Args, Debug)]
pub struct Mcp {
    /// The folder below which files are read and written
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    root: PathBuf,
    /// Seconds after which a verb is ended
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Bytes of a message, and of what a verb says, at most.
const MOST_BYTES: u64 = 4 << 20;
/// How long a verb whose time is over may take to remove what it has not finished.
const GRACE: Duration = Duration::from_secs(2);

/// The kind of an argument of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A song as text.
    Text,
    /// A file below the root that is read.
    File,
    /// A file below the root that is written.
    Output,
    /// The same of a render, whose endings follow the documentation.
    Sound,
    /// Words that are passed on.
    Words,
}

/// An argument of a tool.
struct Argument {
    name: &'static str,
    kind: Kind,
    /// What is put before it on the command line; empty where it stands by itself.
    flag: &'static str,
    /// The letter that the flag is called by as well.
    letter: Option<char>,
    needed: bool,
    doc: &'static str,
}

impl Argument {
    /// Its documentation, whole.
    fn described(&self) -> String {
        match self.kind {
            Kind::Sound => format!("{} {}.", self.doc, endings(&["mid"])),
            _ => self.doc.into(),
        }
    }
}

/// A verb: a command of `mamc` with some of its flags.
struct Tool {
    name: &'static str,
    doc: &'static str,
    /// The command and the flags that it always has.
    command: &'static [&'static str],
    arguments: &'static [Argument],
    /// What is answered where the command says nothing.
    done: &'static str,
}

const fn argument(name: &'static str, kind: Kind, flag: &'static str, doc: &'static str) -> Argument {
    Argument { name, kind, flag, letter: None, needed: false, doc }
}

const fn needed(name: &'static str, kind: Kind, flag: &'static str, doc: &'static str) -> Argument {
    Argument { name, kind, flag, letter: None, needed: true, doc }
}

const fn short(letter: char, argument: Argument) -> Argument {
    Argument { letter: Some(letter), ..argument }
}

const TEXT: Argument = argument("text", Kind::Text, "", "The song, as .mam text.");
const FILE: Argument = argument("file", Kind::File, "", "Or a file below the root: .mam or .json.");
const DURATION: Argument = short(
    'd',
    argument(
        "duration",
        Kind::Words,
        "--duration",
        "How much of it: 2.5s, 8bars; without, the song once and its tail, or 30 s of what has no end.",
    ),
);
const FILTER: &str = "filter";
const WHAT: &str = "what";
/// What is drawn of a filter, and of nothing else.
const RESPONSE: &str = "response";
const FROM: Argument = argument("from", Kind::Words, "--from", "From which bar (5) or time (2.5s).");

const TOOLS: [Tool; 8] = [
    Tool {
        name: "check",
        doc: "Every problem of a song with its code, place, reason, help and fix, and what the song is: nodes, length, \
              memory, operations a frame.",
        command: &["check", "--json"],
        arguments: &[TEXT, FILE],
        done: "It has nothing to say.",
    },
    Tool {
        name: "fix",
        doc: "Applies every fix that says what was meant. Of a text the mended text comes back; a file is rewritten.",
        command: &["check", "--fix", "--format", "short"],
        arguments: &[TEXT, FILE],
        done: "All is mended, or there was nothing to mend.",
    },
    Tool {
        name: "explain",
        doc: "What a problem's code means, with a song that has it and the same song mended; all codes without one.",
        command: &["explain", "--json"],
        arguments: &[argument("code", Kind::Words, "", "The code, such as unknown-name.")],
        done: "It has nothing to say.",
    },
    Tool {
        name: "list",
        doc: "All that a song can say, in groups; or what mentions these words.",
        command: &["list", "--json"],
        arguments: &[argument("words", Kind::Words, "", "What to look for, such as filter.")],
        done: "It has nothing to say.",
    },
    Tool {
        name: "doc",
        doc: "What a name means: a definition with its parameters, ranges and units, a statement, a modifier, a unit.",
        command: &["doc", "--json"],
        arguments: &[needed("name", Kind::Words, "", "The name, such as kick, tempo, every or dB.")],
        done: "It has nothing to say.",
    },
    Tool {
        name: "render",
        doc: "Renders a song to a sound file below the root, and says how loud it is.",
        command: &["render", "--json"],
        arguments: &[
            TEXT,
            FILE,
            short(
                'o',
                needed("output", Kind::Sound, "--output", "The file of sound, or of notes, by its ending:"),
            ),
            DURATION,
            FROM,
        ],
        done: "It has nothing to say.",
    },
    Tool {
        name: "measure",
        doc: "Peak, true peak and loudness of a song, and its length.",
        command: &["render", "--json"],
        arguments: &[TEXT, FILE, DURATION, FROM],
        done: "It has nothing to say.",
    },
    Tool {
        name: "plot",
        doc: "Draws a song into a file below the root: waveform, spectrogram, spectrum, loudness, envelope, notes, steps; or \
              the response of a filter or effect.",
        command: &["plot"],
        arguments: &[
            TEXT,
            FILE,
            argument(
                FILTER,
                Kind::Words,
                "",
                "In the place of a song, a filter or effect as it stands behind |>.",
            ),
            short('o', needed("output", Kind::Output, "--output", "The picture: .svg or .png.")),
            argument(
                WHAT,
                Kind::Words,
                "--what",
                "What is drawn: waveform, spectrogram, spectrum, loudness, envelope, notes or steps of a song; of a filter \
                 its response.",
            ),
            DURATION,
            FROM,
        ],
        done: "The picture is written.",
    },
];

impl Tool {
    /// What a command says, with the tool's arguments in the place of the flags that stand for them.
    fn in_its_words(&self, said: &str) -> String {
        let flags = self.arguments.iter().filter(|argument| !argument.flag.is_empty());
        let names: Vec<(String, &str)> = flags
            .flat_map(|argument| {
                let letter = argument.letter.map(|letter| format!("-{letter}"));
                let flags = std::iter::once(argument.flag.to_owned()).chain(letter);
                flags.map(|flag| (flag, argument.name))
            })
            .collect();
        let is_part = |c: char| c.is_alphanumeric() || c == '-';
        // Cut where a character belongs to a flag and the next does not, or the other way round.
        let mut words = String::new();
        let mut rest = said;
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            match names.iter().find(|(flag, _)| flag == word) {
                None => words.push_str(word),
                Some((_, name)) if words.ends_with('`') => words.push_str(name),
                Some((_, name)) => words.extend(["`", name, "`"]),
            }
            rest = behind;
        }
        words
    }
}

impl Mcp {
    /// Serves until standard input ends.
    ///
    /// # Errors
    /// When the root is not a folder, or standard output is closed.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let root = fs::canonicalize(&self.root)
            .ok()
            .filter(|root| root.is_dir())
            .ok_or_else(|| Failure::Usage(format!("`{}` is not a folder", self.root.display())))?;
        let server = Server { root, timeout: Duration::from_secs(self.timeout) };
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = (&mut input).take(MOST_BYTES).read_until(b'\n', &mut line);
            match read.map_err(|error| Failure::read("standard input", &error))? {
                0 => return Ok(()),
                length if length as u64 == MOST_BYTES => {
                    return Err(Failure::WrongInput("a message is longer than 4 MiB".into()));
                }
                _ => {}
            }
            if let Some(answer) = server.answer(&line) {
                console.exact(&format!("{answer}\n"))?;
            }
        }
    }
}

struct Server {
    root: PathBuf,
    timeout: Duration,
}

impl Server {
    /// What is said to a message; nothing to a notification.
    fn answer(&self, line: &[u8]) -> Option<Value> {
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            return Some(error(&Value::Null, -32_700, "this is not JSON"));
        };
        let id = message.get("id")?;
        let params = &message["params"];
        let result = match message["method"].as_str().unwrap_or_default() {
            "initialize" => json!({
                "protocolVersion": "2025-06-18",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "mamc", "version": env!("CARGO_PKG_VERSION") },
                "instructions": "mam: songs and sounds as text, compiled and rendered. Look names up with list and doc, \
                                 check a song before it is rendered, and follow the fixes.",
            }),
            "ping" => json!({}),
            "tools/list" => json!({ "tools": TOOLS.iter().map(described).collect::<Vec<_>>() }),
            "tools/call" => {
                let tool = TOOLS.iter().find(|tool| Some(tool.name) == params["name"].as_str());
                let Some(tool) = tool else { return Some(error(id, -32_602, "there is no such tool")) };
                let none = Map::new();
                let given = params["arguments"].as_object().unwrap_or(&none);
                let (text, failed) = match self.call(tool, given) {
                    Ok(text) => (text, false),
                    Err(words) => (words, true),
                };
                json!({ "content": [{ "type": "text", "text": text }], "isError": failed })
            }
            other => return Some(error(id, -32_601, &format!("there is no method `{other}`"))),
        };
        Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    /// Runs a tool. What it says, or why it did not do what was asked.
    fn call(&self, tool: &Tool, given: &Map<String, Value>) -> Result<String, String> {
        let allowed = |name: &&String| tool.arguments.iter().any(|argument| argument.name == **name);
        if let Some(unknown) = given.keys().find(|name| !allowed(name)) {
            return Err(format!("`{}` has no argument `{unknown}`", tool.name));
        }
        let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        command.current_dir(&self.root).args(tool.command);
        let (mut last, mut text, mut has_song) = (vec![], None, false);
        for argument in tool.arguments {
            let Some(value) = given.get(argument.name) else {
                if argument.needed {
                    return Err(format!(
                        "`{}` needs `{}`: {}",
                        tool.name,
                        argument.name,
                        argument.described()
                    ));
                }
                continue;
            };
            let value = value.as_str().ok_or(format!("`{}` is a text", argument.name))?;
            let value = match argument.kind {
                Kind::Text => {
                    text = Some(value.to_owned());
                    "-".into()
                }
                Kind::File | Kind::Output | Kind::Sound => self.below(value)?,
                Kind::Words => value.to_owned(),
            };
            has_song |= matches!(argument.kind, Kind::Text | Kind::File) || argument.name == FILTER;
            match argument.flag {
                "" => last.push(value),
                flag => _ = command.arg(format!("{flag}={value}")),
            }
        }
        let takes_song = tool.arguments.iter().any(|argument| argument.kind == Kind::Text);
        let takes_filter = tool.arguments.iter().any(|argument| argument.name == FILTER);
        if takes_song && (!has_song || last.len() > 1) {
            let filter = if takes_filter { ", or a `filter`" } else { "" };
            return Err(format!("give either `text` or `file`{filter}"));
        }
        match (given.contains_key(FILTER), given.get(WHAT).and_then(Value::as_str)) {
            (true, None) => _ = command.arg(format!("--what={RESPONSE}")),
            (true, Some(RESPONSE)) | (false, None) => {}
            (true, Some(_)) => {
                return Err(format!("of a `{FILTER}` the `{RESPONSE}` is drawn: leave `{WHAT}` out"));
            }
            (false, Some(what)) if what == RESPONSE => {
                return Err(format!("a `{RESPONSE}` is drawn of a `{FILTER}`"));
            }
            (false, Some(_)) => {}
        }
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        if tool.name == "measure" {
            command.arg("--output").arg(scratch.path().join("measured.wav"));
        }
        command.arg("--").args(last);
        match self.run(command, text) {
            Ok(said) if said.is_empty() => Ok(tool.done.into()),
            Ok(said) => Ok(said),
            Err(said) => Err(tool.in_its_words(&said)),
        }
    }

    /// A path below the root, as it is passed on.
    fn below(&self, name: &str) -> Result<String, String> {
        let outside = || format!("`{name}` does not lie below the root");
        let path = Path::new(name);
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(outside());
        }
        // Links are followed before it is asked where it lies; of a file that is not there yet, its folder.
        let path = self.root.join(path);
        let real = fs::canonicalize(&path).or_else(|_| fs::canonicalize(path.parent().unwrap_or(&self.root)));
        let real = real.map_err(|_| format!("there is no folder for `{name}`"))?;
        if real.starts_with(&self.root) { Ok(format!("./{name}")) } else { Err(outside()) }
    }

    /// Runs a command to its end, or until its time is over.
    fn run(&self, mut command: Command, text: Option<String>) -> Result<String, String> {
        let piped = || Stdio::piped();
        let input = if text.is_some() { piped() } else { Stdio::null() };
        command.stdin(input).stdout(piped()).stderr(piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let feed = child.stdin.take().zip(text).map(|(mut stdin, text)| {
            // A command that refuses its input without reading it closes the pipe.
            std::thread::spawn(move || _ = stdin.write_all(text.as_bytes()))
        });
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break Some(status),
                None if begun.elapsed() > self.timeout => {
                    end(&mut child);
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        feed.into_iter().for_each(|feed| _ = feed.join());
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        let Some(status) = status else {
            return Err(format!("it took longer than {} s, and was ended", self.timeout.as_secs()));
        };
        let said = [out.trim_end(), err.trim_end()].into_iter().filter(|said| !said.is_empty());
        let said = said.collect::<Vec<_>>().join("\n");
        // Problems are an answer: the document has them.
        let has_problems = status.code() == Some(1) && out.starts_with('{');
        if status.success() || has_problems { Ok(said) } else { Err(said) }
    }
}

/// Ends a command. It is asked first, so that it removes what it has not finished.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(process) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
        && rustix::process::kill_process(process, rustix::process::Signal::TERM).is_ok()
    {
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if let Ok(Some(_)) = child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    _ = child.kill();
    _ = child.wait();
}

/// Reads a stream to its end, and keeps its beginning.
fn reader(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let (mut beginning, Some(mut stream)) = (vec![], stream) else { return String::new() };
        _ = (&mut stream).take(MOST_BYTES).read_to_end(&mut beginning);
        _ = io::copy(&mut stream, &mut io::sink());
        String::from_utf8_lossy(&beginning).into_owned()
    })
}

/// A tool as the protocol lists it.
fn described(tool: &Tool) -> Value {
    let property = |argument: &Argument| {
        (argument.name.to_owned(), json!({ "type": "string", "description": argument.described() }))
    };
    let properties: Map<String, Value> = tool.arguments.iter().map(property).collect();
    let required: Vec<&str> =
        tool.arguments.iter().filter(|argument| argument.needed).map(|argument| argument.name).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    json!({ "name": tool.name, "description": tool.doc, "inputSchema": schema })
}

fn error(id: &Value, code: i32, words: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": words } })
}
