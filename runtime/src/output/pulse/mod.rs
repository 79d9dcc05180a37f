//! PulseAudio, and PipeWire, which speaks the same protocol: over a Unix socket, without a library.
//!
//! The audio thread is the one that reads the socket: the server asks for so many bytes, the callback renders them,
//! and they are written back. Nothing is allocated there after the start.

mod listen;
mod stream;
mod wire;

use super::backend::{Backend, Callback, Device, Format, Heard, Opened, Request, Stream};
use super::error::OutputError;
use super::pulse::wire::Connection;
use crate::channels::ChannelLayout;
use crate::control::MOST_CHANNELS;
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, ChannelPosition, Command, CreatePlaybackStreamReply, GetSinkInfo, PlaybackStreamParams, Prop,
    Props, SampleFormat, SampleSpec, ServerInfo, SinkInfo, SinkInfoList, SourceInfoList,
};
use std::ffi::CString;

/// Frames that are asked for at a time, unless others are asked for: 21 ms at 48 kHz. A server that runs without
/// real-time priority loses data below 512.
const BUFFER: u32 = 1024;

/// A PulseAudio server, or PipeWire's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse;

impl Backend for Pulse {
    fn name(&self) -> &'static str {
        "pulse"
    }

    fn devices(&self) -> Result<Vec<Device>, OutputError> {
        let mut server = Connection::open()?;
        let info: ServerInfo = server.ask("its name", &Command::GetServerInfo)?;
        let sinks: SinkInfoList = server.ask("its outputs", &Command::GetSinkInfoList)?;
        let sources: SourceInfoList = server.ask("its inputs", &Command::GetSourceInfoList)?;
        let outputs = sinks.into_iter().map(|sink| Device {
            is_default: Some(&sink.name) == info.default_sink_name.as_ref(),
            is_input: false,
            rate: sink.sample_spec.sample_rate,
            channels: sink.sample_spec.channels.into(),
            description: text(sink.description.as_ref().unwrap_or(&sink.name)),
            name: text(&sink.name),
        });
        let inputs = sources.into_iter().filter(|source| source.monitor_of_sink_index.is_none());
        let inputs = inputs.map(|source| Device {
            is_default: Some(&source.name) == info.default_source_name.as_ref(),
            is_input: true,
            rate: source.sample_spec.sample_rate,
            channels: source.sample_spec.channels.into(),
            description: text(source.description.as_ref().unwrap_or(&source.name)),
            name: text(&source.name),
        });
        Ok(outputs.chain(inputs).collect())
    }

    fn open(&self, request: &Request) -> Result<Box<dyn Opened>, OutputError> {
        let mut server = Connection::open()?;
        let wanted = request.device.clone().unwrap_or_else(|| "@DEFAULT_SINK@".into());
        let unknown = || OutputError::UnknownDevice { name: wanted.clone() };
        let name = CString::new(wanted.as_str()).map_err(|_| unknown())?;
        let get = Command::GetSinkInfo(GetSinkInfo { index: None, name: Some(name) });
        let sink: SinkInfo = match server.ask("its output", &get) {
            Err(OutputError::System { .. }) if request.device.is_some() => return Err(unknown()),
            answer => answer?,
        };
        let format = Format {
            device: text(sink.description.as_ref().unwrap_or(&sink.name)),
            rate: request.rate.unwrap_or(sink.sample_spec.sample_rate),
            channels: request.channels.clamp(1, MOST_CHANNELS),
            buffer: request.buffer.unwrap_or(BUFFER).clamp(64, 1 << 16),
        };
        Ok(Box::new(OpenServer { server, sink: sink.name, format }))
    }

    fn listen(&self, output: &Format) -> Result<Heard, OutputError> {
        listen::listen(output)
    }
}

struct OpenServer {
    server: Connection,
    sink: CString,
    format: Format,
}

impl Opened for OpenServer {
    fn format(&self) -> &Format {
        &self.format
    }

    fn start(mut self: Box<Self>, callback: Callback) -> Result<Box<dyn Stream>, (OutputError, Callback)> {
        let create = Command::CreatePlaybackStream(parameters(&self.format, self.sink.clone()));
        match self.server.ask::<CreatePlaybackStreamReply>("to play", &create) {
            Ok(reply) => Ok(Box::new(stream::start(self.server, self.format, &reply, callback))),
            Err(error) => Err((error, callback)),
        }
    }
}

fn parameters(format: &Format, sink: CString) -> PlaybackStreamParams {
    let bytes = format.buffer * format.channels as u32 * size_of::<f32>() as u32;
    let mut props = Props::new();
    props.set(Prop::MediaName, c"mam");
    PlaybackStreamParams {
        sample_spec: SampleSpec {
            format: SampleFormat::Float32Le,
            channels: format.channels as u8,
            sample_rate: format.rate,
        },
        channel_map: channel_map(format.channels),
        sink_name: Some(sink),
        buffer_attr: BufferAttr {
            max_length: u32::MAX,
            target_length: 2 * bytes,
            pre_buffering: u32::MAX,
            minimum_request_length: bytes,
            ..BufferAttr::default()
        },
        props,
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        ..PlaybackStreamParams::default()
    }
}

/// The speakers of so many channels, in the order of sound files.
fn channel_map(channels: usize) -> ChannelMap {
    use ChannelPosition::{
        FrontCenter, FrontLeft, FrontLeftOfCenter, FrontRight, FrontRightOfCenter, Lfe, RearCenter, RearLeft,
        RearRight, SideLeft, SideRight,
    };
    // By the bits of a mask of speakers.
    let all = [
        FrontLeft,
        FrontRight,
        FrontCenter,
        Lfe,
        RearLeft,
        RearRight,
        FrontLeftOfCenter,
        FrontRightOfCenter,
        RearCenter,
        SideLeft,
        SideRight,
    ];
    let mask = ChannelLayout::Speakers.speakers(channels);
    match channels {
        1 => ChannelMap::mono(),
        _ => ChannelMap::new((0..all.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| all[bit])),
    }
}

fn text(name: &CString) -> String {
    name.to_string_lossy().into_owned()
}
