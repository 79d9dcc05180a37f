//! The default input of a PulseAudio server: a connection and a thread of its own.

use super::wire::{Connection, Message, Wire};
use super::{BufferAttr, StreamFlags, channel_map};
use crate::output::backend::{Format, Heard, Input, State};
use crate::output::error::OutputError;
use crate::output::input::{Ear, ring};
use pulseaudio::protocol::{
    Command, CreateRecordStreamReply, Prop, Props, RecordStreamParams, SampleFormat, SampleSpec,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

const CHANNELS: usize = 2;
const BYTES: usize = size_of::<f32>();

struct Listening {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Input for Listening {
    fn state(&self) -> State {
        match self.thread.is_finished() {
            true => {
                State::Lost(OutputError::Gone { why: "the PulseAudio server has ended the input".into() })
            }
            false => State::Running,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// Begins to listen at the rate of an output.
pub(super) fn listen(format: &Format) -> Result<Heard, OutputError> {
    let mut server = Connection::open()?;
    let create = Command::CreateRecordStream(parameters(format));
    let reply: CreateRecordStreamReply = server.ask("to listen", &create)?;
    let (ear, reader) = ring(2 * format.buffer as usize);
    let (wire, stop) = (server.into_wire(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || run(wire, ear, reply.channel, &stopped));
    Ok(Heard { ring: reader, input: Box::new(Listening { stop, thread }) })
}

fn parameters(format: &Format) -> RecordStreamParams {
    let mut props = Props::new();
    props.set(Prop::MediaName, c"mam");
    RecordStreamParams {
        sample_spec: SampleSpec {
            format: SampleFormat::Float32Le,
            channels: CHANNELS as u8,
            sample_rate: format.rate,
        },
        channel_map: channel_map(CHANNELS),
        source_name: Some(c"@DEFAULT_SOURCE@".into()),
        buffer_attr: BufferAttr {
            fragment_size: format.buffer * (CHANNELS * BYTES) as u32,
            ..BufferAttr::default()
        },
        props,
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..RecordStreamParams::default()
    }
}

/// Records until the input is dropped or the server is gone: then there is silence.
fn run(mut wire: Wire, mut ear: Ear, channel: u32, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        let hear = |bytes: &[u8]| {
            let sample = |frame: usize, channel: usize| {
                let at = (frame * CHANNELS + channel) * BYTES;
                bytes[at..at + BYTES].try_into().map_or(0.0, f32::from_le_bytes)
            };
            ear.hear(bytes.len() / (CHANNELS * BYTES), CHANNELS, sample);
        };
        match wire.next(hear) {
            Ok(Some(Message::Killed)) | Err(_) => return,
            Ok(_) => {}
        }
    }
    // A server that is gone needs no farewell.
    let _ = wire.tell(0, &Command::DeleteRecordStream(channel));
}
