//! `mamc studio`: which requests are answered, and what they do to the song.

use super::Folder;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A server, ended with the test.
struct Server {
    child: Child,
    port: u16,
    token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Folder, song: &str) -> Server {
        Server::start_with(folder, &[song])
    }

    fn start_with(folder: &Folder, args: &[&str]) -> Server {
        let mut command = folder.command(&[&["studio", "--backend", "null"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, token) = line.trim().split_once("/#token=").expect("an address with a token");
        let port = address.strip_prefix("http://127.0.0.1:").expect("loopback").parse().unwrap();
        Server { child, port, token: token.into() }
    }

    /// Status and body of the answer to a request.
    fn request(&self, head: &str, headers: &[String], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        write!(
            stream,
            "{head} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn host(&self) -> String {
        format!("Host: 127.0.0.1:{}", self.port)
    }

    fn ask(&self, question: &Value) -> Value {
        let headers = [self.host(), format!("Authorization: Bearer {}", self.token)];
        let (status, body) = self.request("POST /ask", &headers, &question.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

const SONG: &str = "knob level = 0.5 in 0..1\nbd = kick()\nplay { bd |x...x...| }\nout = level * bd\n";

#[test]
fn other_hosts_origins_and_requests_without_the_token_are_refused() {
    let folder = Folder::new("studio-refuses").with("song.mam", SONG);
    let server = Server::start(&folder, "song.mam");
    let status = |head: &str, headers: &[String]| server.request(head, headers, "{\"ask\":\"load\"}").0;
    let token = format!("Authorization: Bearer {}", server.token);
    assert_eq!(status("GET /", &[server.host()]), 200);
    assert_eq!(status("GET /page.js", &[server.host()]), 200);
    assert_eq!(status("GET /../Cargo.toml", &[server.host()]), 404);
    assert_eq!(status("GET /", &["Host: mam.example".into()]), 403);
    assert_eq!(status("POST /ask", &[server.host()]), 403);
    assert_eq!(status("POST /ask", &[server.host(), "Authorization: Bearer x".into()]), 403);
    assert_eq!(
        status("POST /ask", &[server.host(), token.clone(), "Origin: http://mam.example".into()]),
        403
    );
    assert_eq!(status("POST /ask", &[server.host(), token]), 200);
}

#[test]
fn the_page_and_other_editors_meet_in_the_file() {
    let folder = Folder::new("studio-file").with("song.mam", SONG);
    let server = Server::start(&folder, "song.mam");
    let on_disk = || fs::read_to_string(folder.0.join("song.mam")).unwrap();
    let loaded = server.ask(&json!({ "ask": "load" }));
    assert_eq!((loaded["text"].as_str(), loaded["changes"].as_u64()), (Some(SONG), Some(0)));

    let edited = SONG.replace("0.5", "0.25");
    let answer = server.ask(&json!({ "ask": "compile", "text": edited, "changes": 0 }));
    assert!(answer["ok"] == true && answer["unsaved"].is_null(), "{answer}");
    assert_eq!(on_disk(), edited);

    // What another program writes is not written over by a page that does not know it.
    let theirs = format!("{SONG}// theirs\n");
    fs::write(folder.0.join("song.mam"), &theirs).unwrap();
    let answer =
        server.ask(&json!({ "ask": "compile", "text": edited.replace("0.25", "0.75"), "changes": 0 }));
    assert!(answer["unsaved"].is_string(), "{answer}");
    assert_eq!(on_disk(), theirs);
    let loaded = server.ask(&json!({ "ask": "load" }));
    assert_eq!((loaded["text"].as_str(), loaded["changes"].as_u64()), (Some(&*theirs), Some(1)));
    assert_eq!(folder.files(), ["song.mam"]);
}

#[test]
fn what_is_written_sounds_and_is_steered() {
    let folder = Folder::new("studio-sounds").with("song.mam", SONG);
    let server = Server::start(&folder, "song.mam");
    let compiled = server.ask(&json!({ "ask": "compile", "text": SONG, "changes": 0 }));
    assert_eq!(compiled["song"]["targets"], json!(["bd"]));
    assert_eq!(server.ask(&json!({ "ask": "steer", "play": true })), true);
    assert_eq!(server.ask(&json!({ "ask": "steer", "name": "level", "value": 0.1 })), true);
    assert_eq!(server.ask(&json!({ "ask": "steer", "name": "nothing", "value": 0.1 })), false);
    let heard = |figures: &Value| figures["figures"][7].as_f64().is_some_and(|peak| peak > 0.01);
    while !heard(&server.ask(&json!({ "ask": "figures" }))) {}
    let hover = server.ask(&json!({ "ask": "hover", "name": "song.mam", "text": SONG, "at": 31 }));
    assert!(hover["markdown"].as_str().is_some_and(|words| words.contains("kick")), "{hover}");
    let wrong = server.ask(&json!({ "ask": "compile", "text": "out = ocs\n", "changes": 0 }));
    assert!(wrong["ok"] == false && wrong["problems"][0]["code"] == "unknown-name", "{wrong}");
    // What plays goes on.
    while !heard(&server.ask(&json!({ "ask": "figures" }))) {}
}

/// The steps that sound at a second of the score: their words, in the order of the text.
fn lit<'t>(server: &Server, text: &'t str, second: f64) -> Vec<&'t str> {
    let steps = server.ask(&json!({ "ask": "steps", "from": second, "to": second + 0.001 }));
    let mut spans: Vec<[u64; 2]> =
        steps.as_array().unwrap().iter().map(|step| [0, 1].map(|i| step[i].as_u64().unwrap())).collect();
    spans.sort_unstable();
    spans.dedup();
    // Units of UTF-16; none of these steps is beside a character of two.
    let byte = |unit: u64| {
        let mut units = 0;
        let found = text.char_indices().find(|(_, c)| {
            let here = units == unit as usize;
            units += c.len_utf16();
            here
        });
        found.map_or(text.len(), |(byte, _)| byte)
    };
    spans.into_iter().map(|[from, to]| &text[byte(from)..byte(to)]).collect()
}

#[test]
fn the_steps_that_sound_are_those_of_the_text() {
    // A bar is a second. What stands before the steps has characters of two bytes and of two units.
    let text = "// ü 𝄞\ntempo 240\nbd = kick()\na = pluck(voices: 4)\nb = pluck()\nknob k = 0.5 in 0..1\n\
        play {\n  bd |x.o.|\n  a \"c4 [e4 g4]\".every(2, rev).transpose(\"0 12\")\n  k \"<0.1 0.2>\"\n}\n\
        section s 2 bars { b \"d3'min <f3 g3>\" }\nplay s*2\nout = k * (bd + a + b)\n";
    let folder = Folder::new("studio-steps").with("song.mam", text);
    let server = Server::start(&folder, "song.mam");
    assert_eq!(
        server.ask(&json!({ "ask": "steps", "from": 0, "to": 1 })),
        json!([]),
        "nothing is compiled yet"
    );
    let compiled = server.ask(&json!({ "ask": "compile", "text": text, "changes": 0 }));
    assert!(compiled["ok"] == true, "{compiled}");
    // The first bar backwards, the second one forwards; the section after its two bars again.
    for (second, steps) in [
        (0.1, &["x", "g4", "0.1", "d3'min"][..]),
        (0.3, &["e4", "0.1", "d3'min"]),
        (0.6, &["o", "c4", "0.1", "f3"]),
        (1.1, &["x", "c4", "0.2", "d3'min"]),
        (1.8, &["g4", "0.2", "g3"]),
        (2.6, &["o", "c4", "0.1", "f3"]),
        (3.8, &["g4", "0.2", "g3"]),
        // In the second pass all begins anew.
        (4.6, &["o", "c4", "0.1", "f3"]),
    ] {
        assert_eq!(lit(&server, text, second), steps, "at {second} s");
    }
}

#[test]
#[cfg(unix)]
fn what_is_played_is_recorded_into_a_new_file() {
    let folder = Folder::new("studio-record").with("song.mam", SONG).with("there.wav", "mine");
    folder.run(&["studio", "--backend", "null", "song.mam", "--record", "there.wav"]).exits(2);
    folder.run(&["studio", "--backend", "null", "song.mam", "--record", "take.xyz"]).exits(2);
    assert_eq!(fs::read_to_string(folder.0.join("there.wav")).unwrap(), "mine");
    let mut server = Server::start_with(&folder, &["song.mam", "--record", "take.wav"]);
    server.ask(&json!({ "ask": "compile", "text": SONG, "changes": 0 }));
    server.ask(&json!({ "ask": "steer", "play": true }));
    let heard = |figures: &Value| figures["figures"][7].as_f64().is_some_and(|peak| peak > 0.01);
    while !heard(&server.ask(&json!({ "ask": "figures" }))) {}
    std::process::Command::new("kill").args(["-INT", &server.child.id().to_string()]).status().unwrap();
    assert!(server.child.wait().unwrap().success());
    let (spec, samples) = super::wav(folder.0.join("take.wav"));
    assert_eq!(spec.channels, 2);
    assert!(samples.iter().any(|x| x.abs() > 0.01), "the kick is in it");
}
