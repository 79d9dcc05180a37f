//! The connection to the server: how it is found, the greeting, questions and answers; and, for the audio
//! thread, messages as they lie in a buffer that is never allocated anew.

use crate::output::error::OutputError;
use pulseaudio::protocol::{
    AuthParams, AuthReply, Command, CommandReply, MAX_VERSION, Prop, Props, ProtocolError,
    SetClientNameReply, read_reply_message, write_command_message,
};
use std::ffi::CString;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the audio thread waits for a message before it looks whether it shall stop.
pub(super) const GLANCE: Duration = Duration::from_millis(20);
/// Bytes of a message that is understood; longer ones are skipped.
const LONGEST: usize = 64 * 1024;
/// The channel of messages that carry no audio.
const CONTROL: [u8; 4] = u32::MAX.to_be_bytes();
/// Bytes before a message's payload.
const HEADER: usize = 20;

/// A server that has been greeted.
pub(super) struct Connection {
    socket: BufReader<UnixStream>,
    version: u16,
    sequence: u32,
}

impl Connection {
    /// Finds the server and greets it.
    pub(super) fn open() -> Result<Connection, OutputError> {
        let path = socket_path()?;
        let gone = |error: std::io::Error| OutputError::Unavailable {
            what: format!("no PulseAudio server answers at {}: {}", path.display(), words(&error)),
        };
        let socket = UnixStream::connect(&path).map_err(gone)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(gone)?;
        socket.set_write_timeout(Some(PATIENCE)).map_err(gone)?;
        let mut connection = Connection { socket: BufReader::new(socket), version: MAX_VERSION, sequence: 0 };
        connection.greet()?;
        Ok(connection)
    }

    fn greet(&mut self) -> Result<(), OutputError> {
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let auth = AuthParams {
            version: MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie.unwrap_or_default(),
        };
        let reply: AuthReply = self.ask("to be let in", &Command::Auth(auth))?;
        self.version = self.version.min(reply.version);
        let mut props = Props::new();
        props.set(Prop::ApplicationName, c"mam");
        if let Ok(id) = CString::new(std::process::id().to_string()) {
            props.set(Prop::ApplicationProcessId, id);
        }
        let _: SetClientNameReply = self.ask("to be named", &Command::SetClientName(props))?;
        Ok(())
    }

    /// Asks a question and waits for the answer. `what` completes "the server was asked …".
    pub(super) fn ask<T: CommandReply>(
        &mut self,
        what: &'static str,
        command: &Command,
    ) -> Result<T, OutputError> {
        let sequence = self.sequence;
        self.sequence += 1;
        let failed = |error| match error {
            ProtocolError::Io(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                OutputError::Unavailable {
                    what: "the PulseAudio server does not answer; is it stuck?".into(),
                }
            }
            ProtocolError::Io(error) => OutputError::Gone { why: error.to_string() },
            error => OutputError::System { call: what, why: format!("the PulseAudio server says: {error}") },
        };
        write_command_message(self.socket.get_mut(), sequence, command, self.version).map_err(failed)?;
        let (_, answer) = read_reply_message(&mut self.socket, self.version).map_err(failed)?;
        Ok(answer)
    }

    /// Gives the connection to the audio thread.
    pub(super) fn into_wire(self) -> Wire {
        let mut buffer = vec![0; LONGEST];
        let early = self.socket.buffer();
        let filled = early.len().min(LONGEST);
        buffer[..filled].copy_from_slice(&early[..filled]);
        let socket = self.socket.into_inner();
        let timed = socket.set_read_timeout(Some(GLANCE));
        Wire { socket, version: self.version, buffer, filled, skip: 0, broken: timed.is_err() }
    }
}

/// Where the server's socket is: `PULSE_SERVER`, then the usual places of the user's session.
fn socket_path() -> Result<PathBuf, OutputError> {
    if let Ok(server) = std::env::var("PULSE_SERVER") {
        let path = server.strip_prefix("unix:").unwrap_or(&server);
        if path.starts_with('/') {
            return Ok(path.into());
        }
        let what = format!("PULSE_SERVER is `{server}`; only Unix sockets (unix:/path) are spoken to");
        return Err(OutputError::Unavailable { what });
    }
    let runtime = std::env::var_os("PULSE_RUNTIME_PATH").map(|path| PathBuf::from(path).join("native"));
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(|path| PathBuf::from(path).join("pulse/native"));
    let places: Vec<PathBuf> = runtime.into_iter().chain(session).collect();
    let found = places.iter().find(|path| path.exists()).cloned();
    found.ok_or_else(|| match places.first() {
        Some(path) => {
            OutputError::Unavailable { what: format!("no PulseAudio server: there is no {}", path.display()) }
        }
        None => OutputError::Unavailable {
            what: "no PulseAudio server: neither PULSE_SERVER nor XDG_RUNTIME_DIR is set".into(),
        },
    })
}

/// The connection as the audio thread uses it.
pub(super) struct Wire {
    socket: UnixStream,
    version: u16,
    buffer: Vec<u8>,
    filled: usize,
    /// Bytes of a message that is too long to be understood.
    skip: usize,
    broken: bool,
}

/// A message that matters to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// So many bytes are wanted.
    Wanted(usize),
    /// The server had nothing to play.
    Underflow,
    /// The stream has been ended.
    Killed,
    /// An answer to a question, by its number; or an error.
    Answer(u32),
    /// A message of another kind, which is skipped.
    Other,
}

/// The numbers of the commands, as the protocol has them.
mod tag {
    pub(super) const ERROR: u32 = 0;
    pub(super) const REPLY: u32 = 2;
    pub(super) const REQUEST: u32 = 61;
    pub(super) const UNDERFLOW: u32 = 63;
    pub(super) const KILLED: u32 = 64;
}

impl Wire {
    /// The next message; `None` when there is none yet. Sound that comes is shown to `hear`.
    pub(super) fn next(&mut self, mut hear: impl FnMut(&[u8])) -> Result<Option<Message>, OutputError> {
        if self.broken {
            return Err(OutputError::Gone { why: "the socket cannot be waited for".into() });
        }
        if let Some(message) = self.take(&mut hear) {
            return Ok(Some(message));
        }
        match self.socket.read(&mut self.buffer[self.filled..]) {
            Ok(0) => Err(OutputError::Gone { why: "the PulseAudio server has closed the connection".into() }),
            Ok(bytes) => {
                self.filled += bytes;
                Ok(self.take(&mut hear))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(OutputError::Gone { why: error.to_string() }),
        }
    }

    /// Takes the first message out of the buffer, if it is whole.
    fn take(&mut self, hear: &mut impl FnMut(&[u8])) -> Option<Message> {
        if self.skip > 0 {
            let skipped = self.skip.min(self.filled);
            self.skip -= skipped;
            self.drop_front(skipped);
            return (skipped > 0).then_some(Message::Other);
        }
        let header = self.buffer[..self.filled].first_chunk::<HEADER>()?;
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if HEADER + length > LONGEST {
            self.skip = HEADER + length;
            return self.take(hear);
        }
        if self.filled < HEADER + length {
            return None;
        }
        let is_sound = header[4..8] != CONTROL;
        let payload = &self.buffer[HEADER..HEADER + length];
        let message = if is_sound {
            hear(payload);
            Message::Other
        } else {
            understand(payload)
        };
        self.drop_front(HEADER + length);
        Some(message)
    }

    fn drop_front(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Sends sound to a stream: bytes after room for a header, which is filled in.
    pub(super) fn play(&mut self, channel: u32, packet: &mut [u8]) -> Result<(), OutputError> {
        let length = (packet.len() - HEADER) as u32;
        packet[..4].copy_from_slice(&length.to_be_bytes());
        packet[4..8].copy_from_slice(&channel.to_be_bytes());
        packet[8..HEADER].fill(0);
        self.socket.write_all(packet).map_err(|error| OutputError::Gone { why: error.to_string() })
    }

    /// Sends a command. Allocates: only when the stream ends.
    pub(super) fn tell(&mut self, sequence: u32, command: &Command) -> Result<(), OutputError> {
        let sent = write_command_message(&mut self.socket, sequence, command, self.version);
        sent.map_err(|error| OutputError::Gone { why: error.to_string() })
    }
}

/// Bytes that a packet of sound begins with.
pub(super) const PACKET_HEADER: usize = HEADER;

/// A payload is a list of tagged values; those that matter here are all u32, with the tag `L`.
fn understand(payload: &[u8]) -> Message {
    let mut words = payload.chunks_exact(5).map(|value| match value {
        [b'L', a, b, c, d] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    });
    let mut word = || words.next().flatten();
    let (command, sequence, _channel, length) = (word(), word(), word(), word());
    match (command, sequence, length) {
        (Some(tag::REQUEST), _, Some(length)) => Message::Wanted(length as usize),
        (Some(tag::UNDERFLOW), ..) => Message::Underflow,
        (Some(tag::KILLED), ..) => Message::Killed,
        (Some(tag::REPLY | tag::ERROR), Some(sequence), _) => Message::Answer(sequence),
        _ => Message::Other,
    }
}

/// Why a server cannot be reached, without the system's numbers.
fn words(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "there is none",
        ErrorKind::PermissionDenied => "access is denied",
        ErrorKind::ConnectionRefused => "no program listens there",
        ErrorKind::TimedOut => "it does not answer in time",
        _ => "it cannot be reached",
    }
}
