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
        let mut command = folder.command(&["studio", "--backend", "null", song]);
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
