//! RTKit over D-Bus: one call, written by hand, because a library for it would be larger than all of this.
//!
//! D-Bus is a Unix socket. After a few lines of authentication, messages go both ways: a header of fields, each a
//! number, a signature and a value aligned to its size, then a body that its own signature describes (the D-Bus
//! specification, "Message Protocol").

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer is waited for; the daemon may have to be started.
const PATIENCE: Duration = Duration::from_secs(3);
/// Messages that are longer are not for us.
const LONGEST: usize = 1 << 16;
/// Messages that are read before the answer is given up: signals and the like.
const MOST_MESSAGES: usize = 64;

const SOCKETS: [&str; 2] = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"];

/// The type of a message that is a method call.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;

/// Asks that a thread of this process becomes a real-time one. The error says what there is in place of it.
pub(super) fn make_real_time(thread: u64, level: u32) -> Result<(), String> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "there is no D-Bus to ask RTKit by".to_string()
        }
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "RTKit does not answer".to_string(),
        _ => format!("D-Bus fails ({error})"),
    };
    let mut bus = Bus::open().map_err(failed)?;
    let mut body = thread.to_le_bytes().to_vec();
    body.extend(level.to_le_bytes());
    let to = Method {
        destination: "org.freedesktop.RealtimeKit1",
        path: "/org/freedesktop/RealtimeKit1",
        interface: "org.freedesktop.RealtimeKit1",
        member: "MakeThreadRealtime",
    };
    bus.call(&to, "tu", &body).map_err(failed)?.map_err(|error| {
        let is_away = error.contains("ServiceUnknown") || error.contains("Spawn");
        if is_away { "RTKit is not installed".into() } else { format!("RTKit refuses it ({error})") }
    })
}

/// The method that a message calls.
struct Method<'m> {
    destination: &'m str,
    path: &'m str,
    interface: &'m str,
    member: &'m str,
}

/// A connection to the system's bus.
struct Bus {
    socket: UnixStream,
    serial: u32,
}

impl Bus {
    fn open() -> io::Result<Bus> {
        let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok();
        let named = address.iter().flat_map(|all| all.split(';')).filter_map(|one| {
            let path = one.strip_prefix("unix:")?.split(',').find_map(|part| part.strip_prefix("path="))?;
            Some(PathBuf::from(path))
        });
        let paths: Vec<PathBuf> = match address {
            Some(_) => named.collect(),
            None => SOCKETS.iter().map(PathBuf::from).collect(),
        };
        let mut last = io::ErrorKind::NotFound.into();
        for path in paths {
            match UnixStream::connect(path) {
                Ok(socket) => return Bus::greet(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Authenticates as this process's user, and takes a name.
    fn greet(mut socket: UnixStream) -> io::Result<Bus> {
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        // SAFETY: it takes nothing and cannot fail.
        let user = unsafe { libc::geteuid() }.to_string();
        let mut hex = String::new();
        user.bytes().for_each(|byte| {
            // A string takes whatever is written.
            let _ = write!(hex, "{byte:02x}");
        });
        socket.write_all(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
        let answer = line(&mut socket)?;
        if !answer.starts_with("OK ") {
            return Err(io::Error::other("it does not know this user"));
        }
        socket.write_all(b"BEGIN\r\n")?;
        let mut bus = Bus { socket, serial: 0 };
        let hello = Method {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
        };
        bus.call(&hello, "", &[])?.map_err(io::Error::other)?;
        Ok(bus)
    }

    /// Calls a method and waits for its answer: nothing, or the error's name and words.
    fn call(&mut self, method: &Method, signature: &str, body: &[u8]) -> io::Result<Result<(), String>> {
        self.serial += 1;
        self.socket.write_all(&message(self.serial, method, signature, body))?;
        for _ in 0..MOST_MESSAGES {
            let answer = Answer::read(&mut self.socket)?;
            if answer.to == self.serial {
                return Ok(match answer.kind {
                    RETURN => Ok(()),
                    ERROR => Err(answer.error),
                    _ => Err("an answer of another kind".into()),
                });
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// A line of the authentication.
fn line(socket: &mut UnixStream) -> io::Result<String> {
    const LONG: usize = 1024;
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n") && text.len() < LONG {
        socket.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&text).trim_end().to_string())
}

/// A call as it goes over the socket, little-endian.
fn message(serial: u32, method: &Method, signature: &str, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for (code, kind, text) in [
        (1, b'o', method.path),
        (6, b's', method.destination),
        (2, b's', method.interface),
        (3, b's', method.member),
    ] {
        pad(&mut fields, 8);
        fields.extend([code, 1, kind, 0]);
        fields.extend((text.len() as u32).to_le_bytes());
        fields.extend(text.as_bytes());
        fields.push(0);
    }
    if !signature.is_empty() {
        pad(&mut fields, 8);
        fields.extend([8, 1, b'g', 0, signature.len() as u8]);
        fields.extend(signature.as_bytes());
        fields.push(0);
    }
    let mut bytes = vec![b'l', CALL, 0, 1];
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(serial.to_le_bytes());
    bytes.extend((fields.len() as u32).to_le_bytes());
    bytes.extend(fields);
    pad(&mut bytes, 8);
    bytes.extend(body);
    bytes
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

/// The answer to a call.
#[derive(Debug, PartialEq)]
struct Answer {
    kind: u8,
    /// The call that it answers; 0 for none.
    to: u32,
    /// The error's name and what it says.
    error: String,
}

impl Answer {
    fn read(from: &mut impl Read) -> io::Result<Answer> {
        let mut head = [0; 16];
        from.read_exact(&mut head)?;
        let big = head[0] == b'B';
        let number = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            (if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }) as usize
        };
        let (body_len, fields_len) = (number(4), number(12));
        if body_len > LONGEST || fields_len > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut fields = vec![0; fields_len.next_multiple_of(8)];
        from.read_exact(&mut fields)?;
        let mut body = vec![0; body_len];
        from.read_exact(&mut body)?;
        let fields = Fields { bytes: &fields[..fields_len], at: 0, big };
        let mut answer = Answer { kind: head[1], to: 0, error: String::new() };
        let name = fields.read(&mut answer.to);
        if answer.kind == ERROR {
            let mut body = Fields { bytes: &body, at: 0, big };
            let words = body.text().unwrap_or_default();
            answer.error = format!("{}: {words}", name.unwrap_or_default());
        }
        Ok(answer)
    }
}

/// A header's fields, or a body, while it is read.
struct Fields<'f> {
    bytes: &'f [u8],
    at: usize,
    big: bool,
}

impl Fields<'_> {
    /// The call that is answered, and the error's name; the other fields are skipped.
    fn read(mut self, to: &mut u32) -> Option<String> {
        let mut name = None;
        while self.at < self.bytes.len() {
            self.at = self.at.next_multiple_of(8);
            let &[code, 1, kind, 0] = self.bytes.get(self.at..self.at + 4)? else { return name };
            self.at += 4;
            match kind {
                b'u' => {
                    let number = self.number()?;
                    if code == 5 {
                        *to = number;
                    }
                }
                b's' | b'o' => {
                    let text = self.text()?;
                    if code == 4 {
                        name = Some(text);
                    }
                }
                b'g' => self.at += usize::from(*self.bytes.get(self.at)?) + 2,
                _ => return name,
            }
        }
        name
    }

    fn number(&mut self) -> Option<u32> {
        self.at = self.at.next_multiple_of(4);
        let bytes = self.bytes.get(self.at..self.at + 4)?.try_into().ok()?;
        self.at += 4;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn text(&mut self) -> Option<String> {
        let len = self.number()? as usize;
        let bytes = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len + 1;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as a bus sends it: to call 2, with a name, a sender, a signature and words.
    fn error() -> Vec<u8> {
        let mut fields: Vec<u8> = vec![5, 1, b'u', 0, 2, 0, 0, 0];
        for (code, text) in [(4_u8, "a.b.Error"), (7, "a.b")] {
            pad(&mut fields, 8);
            fields.extend([code, 1, b's', 0]);
            fields.extend((text.len() as u32).to_le_bytes());
            fields.extend(text.as_bytes());
            fields.push(0);
        }
        pad(&mut fields, 8);
        fields.extend([8, 1, b'g', 0, 1, b's', 0]);
        let body = [&3_u32.to_le_bytes()[..], b"no!\0"].concat();
        let mut bytes = vec![b'l', ERROR, 0, 1];
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(9_u32.to_le_bytes());
        bytes.extend((fields.len() as u32).to_le_bytes());
        bytes.extend(&fields);
        pad(&mut bytes, 8);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn an_answer_is_read() {
        let answer = Answer::read(&mut &error()[..]).unwrap();
        assert_eq!(answer, Answer { kind: ERROR, to: 2, error: "a.b.Error: no!".into() });
    }

    #[test]
    fn no_answer_is_too_odd() {
        let whole = error();
        for at in 0..whole.len() {
            assert!(Answer::read(&mut &whole[..at]).is_err(), "it ends at {at}");
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let _ = Answer::read(&mut &bytes[..]);
            }
        }
    }

    /// A bus that knows one method answers; what it was asked is what was meant.
    #[test]
    fn a_call_is_what_the_bus_expects() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let bus = std::thread::spawn(move || {
            let auth = line(&mut theirs).unwrap();
            assert!(auth.starts_with("\0AUTH EXTERNAL "), "{auth:?}");
            theirs.write_all(b"OK 1234\r\n").unwrap();
            assert_eq!(line(&mut theirs).unwrap(), "BEGIN");
            let mut calls = vec![];
            for serial in 1..=2_u32 {
                let mut head = [0; 16];
                theirs.read_exact(&mut head).unwrap();
                let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()) as usize;
                assert_eq!((head[0], head[1], number(8)), (b'l', CALL, serial as usize));
                let mut rest = vec![0; number(12).next_multiple_of(8) + number(4)];
                theirs.read_exact(&mut rest).unwrap();
                calls.push(rest);
                let mut answer = vec![b'l', RETURN, 0, 1, 0, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0];
                answer.extend([5, 1, b'u', 0]);
                answer.extend(serial.to_le_bytes());
                theirs.write_all(&answer).unwrap();
            }
            calls
        });
        let mut bus_of_ours = Bus::greet(ours).unwrap();
        let method = Method { destination: "a.b", path: "/a", interface: "a.b", member: "Do" };
        assert_eq!(bus_of_ours.call(&method, "tu", &[1; 12]).unwrap(), Ok(()));
        let calls = bus.join().unwrap();
        let has = |call: &[u8], text: &str| call.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(has(&calls[0], "Hello") && has(&calls[1], "Do") && calls[1].ends_with(&[1; 12]));
    }
}
