//! A stream: the thread that answers the server's requests for sound.

use super::wire::{Connection, Message, PACKET_HEADER, Wire};
use crate::frames::Frames;
use crate::output::backend::{Callback, Format, State, Stream};
use crate::output::error::OutputError;
use pulseaudio::protocol::{Command, CreatePlaybackStreamReply};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames that are rendered and sent at a time; longer requests are answered in several packets.
const PIECE: usize = 4096;
/// How long what was rendered may take to be played.
const DRAIN: Duration = Duration::from_secs(5);
/// The number of the question whether all has been played.
const DRAINED: u32 = u32::MAX - 1;

/// What the threads share.
struct Shared {
    /// 0 to play, 1 to stop, 2 to play out and stop.
    order: AtomicU8,
    underruns: AtomicU64,
    fault: Mutex<Option<OutputError>>,
}

const STOP: u8 = 1;
const DRAIN_AND_STOP: u8 = 2;

pub(super) struct Playing {
    format: Format,
    /// Frames that wait in the server and its device.
    latency: u32,
    shared: Arc<Shared>,
    thread: JoinHandle<Callback>,
}

/// Starts the stream's thread, which calls back.
pub(super) fn start(
    server: Connection,
    format: Format,
    reply: &CreatePlaybackStreamReply,
    callback: Callback,
) -> Playing {
    let shared =
        Arc::new(Shared { order: AtomicU8::new(0), underruns: AtomicU64::new(0), fault: Mutex::new(None) });
    let mut player = Player {
        wire: server.into_wire(),
        channel: reply.channel,
        wanted: reply.requested_bytes as usize,
        channels: format.channels,
        data: vec![0.0; PIECE * format.channels],
        packet: vec![0; PACKET_HEADER + PIECE * format.channels * size_of::<f32>()],
        callback,
    };
    let waiting = reply.buffer_attr.target_length as usize / (format.channels * size_of::<f32>());
    let of_device = reply.stream_latency as f64 * 1e-6 * f64::from(format.rate);
    let latency = waiting as u32 + of_device as u32;
    let theirs = shared.clone();
    let thread = std::thread::spawn(move || {
        // A fault is reported once, when the thread ends: the other threads hold the lock only to read.
        if let Err(error) = player.run(&theirs)
            && let Ok(mut fault) = theirs.fault.lock()
        {
            *fault = Some(error);
        }
        player.callback
    });
    Playing { format, latency, shared, thread }
}

impl Stream for Playing {
    fn format(&self) -> &Format {
        &self.format
    }

    fn state(&self) -> State {
        if !self.thread.is_finished() {
            return State::Running;
        }
        let fault = self.shared.fault.lock().ok().and_then(|fault| fault.clone());
        State::Lost(fault.unwrap_or(OutputError::Gone { why: "its thread has ended".into() }))
    }

    fn underruns(&self) -> u64 {
        self.shared.underruns.load(Relaxed)
    }

    fn latency(&self) -> u32 {
        self.latency
    }

    fn stop(self: Box<Self>, drain: bool) -> Option<Callback> {
        self.shared.order.store(if drain { DRAIN_AND_STOP } else { STOP }, Relaxed);
        self.thread.join().ok()
    }
}

/// The audio thread's own.
struct Player {
    wire: Wire,
    channel: u32,
    /// Bytes that the server wants and has not got.
    wanted: usize,
    channels: usize,
    data: Vec<f32>,
    packet: Vec<u8>,
    callback: Callback,
}

impl Player {
    fn run(&mut self, shared: &Shared) -> Result<(), OutputError> {
        loop {
            match shared.order.load(Relaxed) {
                0 => {}
                order => return self.end(order == DRAIN_AND_STOP),
            }
            self.answer()?;
            match self.wire.next(|_| {})? {
                Some(Message::Wanted(bytes)) => self.wanted += bytes,
                Some(Message::Underflow) => {
                    shared.underruns.fetch_add(1, Relaxed);
                }
                Some(Message::Killed) => {
                    return Err(OutputError::Gone {
                        why: "the PulseAudio server has ended the stream".into(),
                    });
                }
                Some(Message::Answer(_) | Message::Other) | None => {}
            }
        }
    }

    /// Renders and sends what is wanted, in whole frames.
    fn answer(&mut self) -> Result<(), OutputError> {
        let frame = self.channels * size_of::<f32>();
        while self.wanted >= frame {
            let frames = (self.wanted / frame).min(PIECE);
            let data = &mut self.data[..frames * self.channels];
            (self.callback)(&mut Frames::Interleaved { data, channels: self.channels });
            let packet = &mut self.packet[..PACKET_HEADER + frames * frame];
            let bytes = packet[PACKET_HEADER..].chunks_exact_mut(size_of::<f32>());
            bytes.zip(data).for_each(|(bytes, sample)| bytes.copy_from_slice(&sample.to_le_bytes()));
            self.wire.play(self.channel, packet)?;
            self.wanted -= frames * frame;
        }
        Ok(())
    }

    /// Lets the server play what it has, if wanted, and takes leave.
    fn end(&mut self, drain: bool) -> Result<(), OutputError> {
        if drain {
            self.wire.tell(DRAINED, &Command::DrainPlaybackStream(self.channel))?;
            let since = Instant::now();
            while since.elapsed() < DRAIN && self.wire.next(|_| {})? != Some(Message::Answer(DRAINED)) {}
        }
        self.wire.tell(DRAINED + 1, &Command::DeletePlaybackStream(self.channel))
    }
}
