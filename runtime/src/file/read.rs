//! Reading a whole sound file: WAV through hound, others through symphonia (feature `decode`).

use super::FileError;
use hound::{SampleFormat, WavReader};
use std::io::Cursor;

/// A sound in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Frames a second.
    pub rate: u32,
    /// The channels, all of one length; at least one.
    pub channels: Vec<Vec<f32>>,
}

impl Sound {
    /// Frames.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }
}

/// The sound in the bytes of a file. What kind of file it is stands in the bytes themselves.
///
/// # Errors
/// When it is of no kind that this build reads, or broken.
pub fn read(bytes: Vec<u8>) -> Result<Sound, FileError> {
    let sound = if bytes.starts_with(b"RIFF") { wav(bytes)? } else { other(bytes)? };
    if sound.channels.is_empty() || sound.rate == 0 {
        return Err(FileError::Malformed("the file has no channels or no rate".into()));
    }
    Ok(sound)
}

fn wav(bytes: Vec<u8>) -> Result<Sound, FileError> {
    let mut reader = WavReader::new(Cursor::new(bytes)).map_err(from_hound)?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, _> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let scale = 1.0 / f64::from(1_u32 << (spec.bits_per_sample - 1));
            let to_float = |s: i32| (f64::from(s) * scale) as f32;
            reader.samples::<i32>().map(|s| s.map(to_float)).collect()
        }
    };
    let samples = samples.map_err(from_hound)?;
    Ok(Sound { rate: spec.sample_rate, channels: split(&samples, spec.channels.into()) })
}

fn split(samples: &[f32], channels: usize) -> Vec<Vec<f32>> {
    (0..channels).map(|c| samples.iter().skip(c).step_by(channels).copied().collect()).collect()
}

#[cfg(not(feature = "decode"))]
fn other(_: Vec<u8>) -> Result<Sound, FileError> {
    Err(FileError::Unsupported("this build of mam reads WAV files only".into()))
}

#[cfg(feature = "decode")]
fn other(bytes: Vec<u8>) -> Result<Sound, FileError> {
    use symphonia::core::codecs::audio::AudioDecoderOptions;
    use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
    use symphonia::core::io::MediaSourceStream;
    use symphonia::core::meta::MetadataOptions;

    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|_| FileError::Unsupported("not a WAV, AIFF, CAF or FLAC file".into()))?;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| FileError::Malformed("the file holds no sound".into()))?;
    let (id, params) = (track.id, track.codec_params.as_ref().and_then(|p| p.audio()));
    let params =
        params.ok_or_else(|| FileError::Malformed("the file does not say what its sound is".into()))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .map_err(|e| FileError::Unsupported(format!("no decoder for this file: {e}")))?;
    let broken = |e: symphonia::core::errors::Error| FileError::Malformed(format!("the file is broken: {e}"));
    let mut sound = Sound { rate: 0, channels: vec![] };
    while let Some(packet) = reader.next_packet().map_err(broken)? {
        if packet.track_id == id {
            append(&mut sound, &decoder.decode(&packet).map_err(broken)?)?;
        }
    }
    Ok(sound)
}

/// Adds a decoded packet to the sound; all packets must be of one form.
#[cfg(feature = "decode")]
fn append(
    sound: &mut Sound,
    packet: &symphonia::core::audio::GenericAudioBufferRef,
) -> Result<(), FileError> {
    let (rate, channels) = (packet.spec().rate(), packet.spec().channels().count());
    if sound.channels.is_empty() {
        *sound = Sound { rate, channels: vec![vec![]; channels] };
    }
    if (sound.rate, sound.channels.len()) != (rate, channels) {
        return Err(FileError::Unsupported("the file changes its rate or channels on the way".into()));
    }
    let mut samples = vec![0.0_f32; packet.samples_interleaved()];
    packet.copy_to_slice_interleaved(&mut samples);
    for (channel, new) in sound.channels.iter_mut().zip(split(&samples, channels)) {
        channel.extend(new);
    }
    Ok(())
}

/// hound's errors in ours.
fn from_hound(e: hound::Error) -> FileError {
    match e {
        hound::Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            FileError::Malformed("the file ends before its sound does".into())
        }
        hound::Error::IoError(e) => FileError::Io(e),
        hound::Error::Unsupported => {
            FileError::Unsupported("a WAV file of a kind that mam does not read".into())
        }
        other => FileError::Malformed(format!("not a whole WAV file: {other}")),
    }
}
