//! Requests of the browser.
//!
//! Who reaches the port can play sound and write the song's file. So it listens on 127.0.0.1 alone; a request is refused
//! whose `Host` is another name (a page elsewhere whose name leads here) or whose `Origin` is another page's; and what is
//! asked has to carry the token, which stands in the fragment of the address that is printed, and so in no request.

use super::files::{find, media_type};
use super::session::Session;
use crate::console::Console;
use crate::failure::Failure;
use crate::output::asked_to_stop;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::Read;
use std::time::Duration;
use tiny_http::{Header, Method, Request, Response, Server};

/// How often what plays is looked after.
const TICK: Duration = Duration::from_millis(10);
/// A question is not longer.
const MOST_BYTES: u64 = 16 << 20;

/// What the page may load: its own files, and styles that its editor makes.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; frame-ancestors 'none'";

/// An answer to the browser.
type Answer = Response<std::io::Cursor<Vec<u8>>>;

/// Serves the page until Ctrl-C.
pub(super) fn serve(mut session: Session, port: u16, console: Console) -> Result<(), Failure> {
    let server = Server::http(("127.0.0.1", port))
        .map_err(|e| Failure::Io(format!("cannot listen on port {port} of 127.0.0.1: {e}")))?;
    let port = server.server_addr().to_ip().map_or(port, |address| address.port());
    let guard = Guard { port, token: token() };
    console.result(&format!("{}\n", guard.address()))?;
    while !asked_to_stop() {
        session.tick();
        let request = server.recv_timeout(TICK).map_err(|e| Failure::Io(format!("cannot listen: {e}")))?;
        if let Some(mut request) = request {
            let answer = guard.answer(&mut request, &mut session);
            // The browser may be gone.
            let _ = request.respond(answer);
        }
    }
    if let Some(said) = session.close()? {
        console.say(&said);
    }
    Ok(())
}

/// 128 bits that nothing else knows: the seeds of hash maps are the system's randomness.
fn token() -> String {
    let mut hash = Sha256::new();
    for _ in 0..4 {
        hash.update(RandomState::new().hash_one(0u8).to_le_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

/// What a request has to bring.
struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/#token={}", self.port, self.token)
    }

    /// Whether a request was meant for this server, by a page of this server.
    fn is_ours(&self, host: Option<&str>, origin: Option<&str>) -> bool {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let named = host.is_some_and(|host| hosts.iter().any(|own| own == host));
        let from = |origin: &str| hosts.iter().any(|own| origin.strip_prefix("http://") == Some(own));
        named && origin.is_none_or(from)
    }

    fn answer(&self, request: &mut Request, session: &mut Session) -> Answer {
        let (host, origin) = (header(request, "Host"), header(request, "Origin"));
        if !self.is_ours(host.as_deref(), origin.as_deref()) {
            return refused(403, "another host or origin");
        }
        let path = request.url().split(['?', '#']).next().unwrap_or_default().to_owned();
        match (request.method(), path.as_str()) {
            (Method::Get, "/") => page(),
            (Method::Get, path) => match path.strip_prefix('/').and_then(|name| Some((name, find(name)?))) {
                Some((name, bytes)) => file(bytes.to_vec(), media_type(name)),
                None => refused(404, "no such file"),
            },
            (Method::Post, "/ask") => {
                let given = header(request, "Authorization");
                if !given.is_some_and(|given| is_same(&given, &format!("Bearer {}", self.token))) {
                    return refused(403, "the address has a token, which is missing here");
                }
                ask(request, session)
            }
            _ => refused(405, "GET, or POST /ask"),
        }
    }
}

/// Compares in a time that tells nothing of where they differ.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | a ^ b) == 0
}

fn header(request: &Request, name: &'static str) -> Option<String> {
    let found = request.headers().iter().find(|header| header.field.equiv(name));
    found.map(|header| header.value.as_str().to_owned())
}

fn ask(request: &mut Request, session: &mut Session) -> Answer {
    let mut bytes = vec![];
    if request.as_reader().take(MOST_BYTES + 1).read_to_end(&mut bytes).is_err() {
        return refused(400, "the question broke off");
    }
    if bytes.len() as u64 > MOST_BYTES {
        return refused(413, "the question is too long");
    }
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(question) => file(session.ask(&question).to_string().into_bytes(), "application/json"),
        Err(error) => refused(400, &error.to_string()),
    }
}

/// The page, which is told that its engine is here.
fn page() -> Answer {
    let html = find("index.html").map(String::from_utf8_lossy).unwrap_or_default();
    file(html.replace("<body>", "<body data-host=\"server\">").into_bytes(), "text/html; charset=utf-8")
}

fn file(bytes: Vec<u8>, media_type: &str) -> Answer {
    let headers = [
        ("Content-Type", media_type),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    let made = headers.into_iter().filter_map(|(name, value)| Header::from_bytes(name, value).ok());
    made.fold(Response::from_data(bytes), |response, header| response.with_header(header))
}

fn refused(status: u16, why: &str) -> Answer {
    file(json!({ "error": why }).to_string().into_bytes(), "application/json").with_status_code(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_and_its_own_pages_are_answered() {
        let guard = Guard { port: 4000, token: token() };
        let own = Some("http://127.0.0.1:4000");
        assert!(guard.is_ours(Some("127.0.0.1:4000"), None) && guard.is_ours(Some("localhost:4000"), own));
        for host in [None, Some("127.0.0.1"), Some("127.0.0.1:4001"), Some("mam.example:4000")] {
            assert!(!guard.is_ours(host, None), "{host:?}");
        }
        for origin in ["http://mam.example", "https://127.0.0.1:4000", "http://127.0.0.1:40001", "null"] {
            assert!(!guard.is_ours(Some("127.0.0.1:4000"), Some(origin)), "{origin}");
        }
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (token(), token());
        assert!(one.len() >= 22 && one != other);
        assert!(is_same(&one, &one) && !is_same(&one, &other) && !is_same(&one, ""));
    }
}
