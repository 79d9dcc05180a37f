//! FLAC, MP3 and Ogg Vorbis, through symphonia's readers and decoders, without their variants for SIMD: the same bits on
//! every processor.

use super::FileError;
use super::intake::{Intake, no_sound};
use super::vorbis::{MOST_TABLE_VALUES, table_values};
use crate::sound_kinds;
use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP3, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType, probe::Hint};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

/// Bytes that a tag or a picture may take: they are not looked at.
const MOST_TAG_BYTES: usize = 1 << 16;

thread_local! {
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// True on a thread that reads a compressed file. A panic is then the answer of a foreign decoder to a broken file: it is
/// caught and becomes an error, so what reports panics leaves it out.
pub fn is_decoding() -> bool {
    IS_DECODING.get()
}

/// Reads a file of one of these kinds.
pub(super) fn compressed(
    source: impl Read + Send + Sync + 'static,
    intake: &mut Intake,
) -> Result<(), FileError> {
    decoding(|| decode(source, intake))
}

/// Does what may make a decoder panic: symphonia's readers assert what a file promises, and a broken one may not keep it.
pub(super) fn decoding<T>(work: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    IS_DECODING.set(true);
    // What a panic left half done is dropped with the error.
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_DECODING.set(false);
    done.unwrap_or_else(|_| Err(FileError::Malformed("the file is broken: no decoder understands it".into())))
}

/// What reads the packets of a file.
pub(super) fn probed(source: impl MediaSource + 'static) -> Result<Box<dyn FormatReader>, FileError> {
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let most = Limit::Maximum(MOST_TAG_BYTES);
    let tags = MetadataOptions::default().limit_tag_bytes(most).limit_visual_bytes(most);
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), tags)
        .map_err(|_| FileError::Unsupported(format!("not a {} file", sound_kinds::names())))
}

/// No reader is told how long the file is. It would be used to estimate how long the sound is where an MP3 file does not say,
/// and the last packet would be cut to that.
fn decode(source: impl Read + Send + Sync + 'static, intake: &mut Intake) -> Result<(), FileError> {
    let mut reader = probed(ReadOnlySource::new(source))?;
    let track = track(&*reader)?;
    let (id, promised, mut decoder) = (track.id, promised(track), decoder(track)?);
    let mut all = track.num_frames;
    let mut samples = Vec::new();
    while let Some(packet) = next(&mut *reader, intake)? {
        if packet.track_id != id {
            continue;
        }
        let decoded = decoder.decode(&packet).map_err(|e| broken(&e))?;
        intake.begin(decoded.spec().rate(), decoded.spec().channels().count())?;
        if let Some(frames) = all.take() {
            intake.promise(frames)?;
        }
        samples.resize(decoded.samples_interleaved(), 0.0);
        decoded.copy_to_slice_interleaved(&mut samples);
        if !intake.take(&samples)? {
            return Ok(());
        }
    }
    // An MP3 file has no end of its own: where it breaks off shows by what its first frame says.
    intake.is_cut_off |= promised.is_some_and(|frames| intake.taken() < frames);
    Ok(())
}

/// The frames that are there by what the encoder says, without its delay and padding. Where it does not tell its delay, it is
/// not known whether it counts as others do.
fn promised(track: &Track) -> Option<u64> {
    let is_mp3 = track.codec_params.as_ref()?.audio()?.codec == CODEC_ID_MP3;
    track.num_frames.filter(|_| is_mp3 && track.delay.is_some())
}

/// The track of a file that is heard.
pub(super) fn track(format: &dyn FormatReader) -> Result<&Track, FileError> {
    format.default_track(TrackType::Audio).ok_or_else(no_sound)
}

/// The decoder of a track. It leaves out an encoder's delay and padding.
pub(super) fn decoder(track: &Track) -> Result<Box<dyn AudioDecoder>, FileError> {
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    let params =
        params.ok_or_else(|| FileError::Malformed("the file does not say what its sound is".into()))?;
    if params.codec == CODEC_ID_VORBIS {
        let values = params.extra_data.as_deref().and_then(table_values);
        if values.is_none_or(|values| values > MOST_TABLE_VALUES) {
            return Err(FileError::Malformed(
                "the file is broken: its codebooks are not those of a sound".into(),
            ));
        }
    }
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .map_err(|e| FileError::Unsupported(format!("no decoder for this file: {e}")))
}

/// The next packet. A file that breaks off is what there is of it.
fn next(reader: &mut dyn FormatReader, intake: &mut Intake) -> Result<Option<Packet>, FileError> {
    match reader.next_packet() {
        Ok(packet) => Ok(packet),
        Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof && intake.has_begun() => {
            intake.is_cut_off = true;
            Ok(None)
        }
        Err(Error::ResetRequired) => {
            Err(FileError::Unsupported("it holds several sounds, one behind the other".into()))
        }
        Err(e) => Err(broken(&e)),
    }
}

pub(super) fn broken(e: &Error) -> FileError {
    FileError::Malformed(format!("the file is broken: {e}"))
}
