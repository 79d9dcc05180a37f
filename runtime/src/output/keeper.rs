//! Keeps a stream alive, and the input that is heard beside it: opens them again when they were lost or have changed.

use super::backend::{Backend, Callback, Format, Heard, Input, Opened, Request, State, Stream};
use super::error::OutputError;
use super::priority::{Priority, Promoter};
use rtrb::Consumer;
use std::time::{Duration, Instant};

/// How long to wait between two attempts.
const PATIENCE: Duration = Duration::from_millis(300);
/// The same of an input, which plays on without.
const INPUT_PATIENCE: Duration = Duration::from_secs(2);

/// A stream that comes back. Not for the audio thread; [`Keeper::poll`] wants to be called a few times a second.
pub struct Keeper {
    backend: Box<dyn Backend>,
    request: Request,
    format: Format,
    held: Held,
    hearing: Hearing,
    underruns: u64,
    promoter: Promoter,
}

/// How it is with the input.
enum Hearing {
    /// It is not asked for.
    Unwanted,
    /// It was not there when it was tried the last time.
    Waiting(Option<Instant>),
    Open(Box<dyn Input>),
}

enum Held {
    Playing(Box<dyn Stream>),
    /// Waits for the device. The callback is missing when its thread died with it.
    Waiting {
        callback: Option<Callback>,
        tried: Option<Instant>,
    },
    /// Open, for a callback that is not there yet.
    Open(Box<dyn Opened>),
    /// There is no stream: it was stopped.
    Nothing,
}

/// What has happened to the device.
#[derive(Debug, PartialEq)]
pub enum News {
    /// It is gone; it is tried again and again.
    Lost(OutputError),
    /// It plays again, where it was.
    Back(Format),
    /// It is back, but with another format, or the callback was lost: [`Keeper::resume`] wants a new one.
    NewFormat(Format),
    /// The input is heard (again), by another ring.
    Heard(Consumer<f32>),
    /// The input is gone; it is tried again and again.
    Deaf(OutputError),
}

impl Keeper {
    /// Starts an opened device.
    ///
    /// # Errors
    /// When the device refuses; the callback is lost then.
    pub fn start(
        backend: Box<dyn Backend>,
        request: Request,
        opened: Box<dyn Opened>,
        callback: Callback,
    ) -> Result<Keeper, OutputError> {
        let format = opened.format().clone();
        let mut promoter = Promoter::default();
        promoter.starts();
        let stream = opened.start(promoter.watch(callback)).map_err(|(error, _)| error)?;
        let (held, hearing) = (Held::Playing(stream), Hearing::Unwanted);
        Ok(Keeper { backend, request, format, held, hearing, underruns: 0, promoter })
    }

    /// The name of the backend that plays.
    pub fn backend(&self) -> &'static str {
        self.backend.name()
    }

    /// What the device gives, or gave.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// How often the device had nothing to play, since the start.
    pub fn underruns(&self) -> u64 {
        let now = if let Held::Playing(stream) = &self.held { stream.underruns() } else { 0 };
        self.underruns + now
    }

    /// Frames from a callback to the ear, as far as the device tells.
    pub fn latency(&self) -> u32 {
        if let Held::Playing(stream) = &self.held { stream.latency() } else { self.format.buffer }
    }

    /// How the audio thread is scheduled.
    pub fn priority(&self) -> Priority {
        self.promoter.priority()
    }

    /// Begins to listen to the default input; nothing to read from where it does already. An input that is not there is
    /// tried again and again, and is news when it is.
    ///
    /// # Errors
    /// Why the input cannot be listened to now.
    pub fn listen(&mut self) -> Result<Option<Consumer<f32>>, OutputError> {
        if matches!(self.hearing, Hearing::Open(_)) {
            return Ok(None);
        }
        self.hearing = Hearing::Waiting(Some(Instant::now()));
        let Heard { ring, input } = self.backend.listen(&self.format)?;
        self.hearing = Hearing::Open(input);
        Ok(Some(ring))
    }

    /// Looks after the device. What it tells has been done already.
    pub fn poll(&mut self) -> Option<News> {
        self.promoter.poll();
        let news = self.poll_output();
        if news.is_none() && matches!(self.held, Held::Playing(_)) { self.poll_input() } else { news }
    }

    fn poll_input(&mut self) -> Option<News> {
        match &self.hearing {
            Hearing::Unwanted => None,
            Hearing::Open(input) => {
                let state = input.state();
                if state != State::Running {
                    self.hearing = Hearing::Waiting(None);
                }
                if let State::Lost(error) = state { Some(News::Deaf(error)) } else { None }
            }
            Hearing::Waiting(tried) => {
                let soon = tried.is_some_and(|tried| tried.elapsed() < INPUT_PATIENCE);
                if soon { None } else { self.listen().ok().flatten().map(News::Heard) }
            }
        }
    }

    fn poll_output(&mut self) -> Option<News> {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Playing(stream) => match stream.state() {
                State::Running => {
                    self.held = Held::Playing(stream);
                    None
                }
                State::Changed => Some(self.lose(stream, OutputError::Changed)),
                State::Lost(error) => Some(self.lose(stream, error)),
            },
            Held::Waiting { callback, tried } => {
                if tried.is_some_and(|tried| tried.elapsed() < PATIENCE) {
                    self.held = Held::Waiting { callback, tried };
                    return None;
                }
                self.retry(callback)
            }
            other => {
                self.held = other;
                None
            }
        }
    }

    /// Plays a new callback, after [`News::NewFormat`].
    pub fn resume(&mut self, callback: Callback) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Open(opened) => {
                let callback = self.promoter.watch(callback);
                self.begin(opened, callback);
            }
            other => self.held = other,
        }
    }

    /// Stops; plays out what has been rendered, if `drain`.
    pub fn stop(self, drain: bool) -> Option<Callback> {
        match self.held {
            Held::Playing(stream) => stream.stop(drain),
            Held::Waiting { callback, .. } => callback,
            Held::Open(_) | Held::Nothing => None,
        }
    }

    fn lose(&mut self, stream: Box<dyn Stream>, error: OutputError) -> News {
        self.underruns += stream.underruns();
        // It may have gone with the server, and has to fit the format that comes.
        if !matches!(self.hearing, Hearing::Unwanted) {
            self.hearing = Hearing::Waiting(None);
        }
        self.held = Held::Waiting { callback: stream.stop(false), tried: None };
        News::Lost(error)
    }

    fn retry(&mut self, callback: Option<Callback>) -> Option<News> {
        let Ok(opened) = self.backend.open(&self.request) else {
            self.held = Held::Waiting { callback, tried: Some(Instant::now()) };
            return None;
        };
        let format = opened.format().clone();
        let same = format.rate == self.format.rate && format.channels == self.format.channels;
        self.format = format.clone();
        match callback {
            Some(callback) if same => {
                self.begin(opened, callback);
                matches!(self.held, Held::Playing(_)).then_some(News::Back(format))
            }
            _ => {
                self.held = Held::Open(opened);
                Some(News::NewFormat(format))
            }
        }
    }

    fn begin(&mut self, opened: Box<dyn Opened>, callback: Callback) {
        self.promoter.starts();
        self.held = match opened.start(callback) {
            Ok(stream) => Held::Playing(stream),
            Err((_, callback)) => Held::Waiting { callback: Some(callback), tried: Some(Instant::now()) },
        };
    }
}
