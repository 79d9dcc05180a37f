//! FLAC, MP3 and Ogg Vorbis, through symphonia's readers and decoders, without their variants for SIMD: the same bits on
//! every processor.

use super::FileError;
use super::decoders::{broken, of_params, several};
use super::intake::{Intake, no_sound};
use super::ogg_vorbis;
use super::wav_read::MARK;
use crate::sound_kinds;
use std::cell::Cell;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_MP3};
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
fn decode(mut source: impl Read + Send + Sync + 'static, intake: &mut Intake) -> Result<(), FileError> {
    let mut head = Vec::new();
    source.by_ref().take(MARK as u64).read_to_end(&mut head)?;
    let is_vorbis = ogg_vorbis::is_vorbis(&head);
    let source = Cursor::new(head).chain(source);
    if is_vorbis {
        return vorbis(source, intake);
    }
    let mut reader = probed(ReadOnlySource::new(source))?;
    let track = track(&*reader)?;
    let (id, promised, mut decoder) = (track.id, promised(track), decoder(track)?);
    let mut zero = zero(track);
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
        if let Some(zero) = &mut zero {
            let first = packet.pts.get();
            let first = first - *zero.get_or_insert(first);
            // What is not there in between could not be decoded.
            if !intake.silence_to(first.max(0) as u64, true)? {
                return Ok(());
            }
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

/// Reads an Ogg Vorbis file.
fn vorbis(source: impl Read, intake: &mut Intake) -> Result<(), FileError> {
    let mut stream = ogg_vorbis::Stream::new(source)?;
    while let Some(heard) = stream.next()? {
        intake.begin(heard.rate, heard.channels)?;
        if !intake.silence_to(heard.first, heard.after_loss)? || !intake.take(&heard.samples)? {
            return Ok(());
        }
    }
    intake.is_cut_off |= !stream.is_whole();
    Ok(())
}

/// What a file whose packets say where they are calls its first frame: 0 where it says how many there are, else what the first
/// packet says, of which nothing is known here. Of a file whose packets do not say it, nothing.
pub(super) fn zero(track: &Track) -> Option<Option<i64>> {
    let is_flac = track.codec_params.as_ref()?.audio()?.codec == CODEC_ID_FLAC;
    is_flac.then(|| track.num_frames.map(|_| 0))
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

/// The decoder of a track.
pub(super) fn decoder(track: &Track) -> Result<Box<dyn AudioDecoder>, FileError> {
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    of_params(params.ok_or_else(|| FileError::Malformed("the file does not say what its sound is".into()))?)
}

/// The next packet. A file that breaks off is what there is of it.
fn next(reader: &mut dyn FormatReader, intake: &mut Intake) -> Result<Option<Packet>, FileError> {
    match reader.next_packet() {
        Ok(packet) => Ok(packet),
        Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof && intake.has_begun() => {
            intake.is_cut_off = true;
            Ok(None)
        }
        Err(Error::ResetRequired) => Err(several()),
        Err(e) => Err(broken(&e)),
    }
}
