//! What decodes packets, whatever finds them.

use super::FileError;
use super::vorbis::{MOST_TABLE_VALUES, table_values};
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;

/// The decoder of sound that is described so. It leaves out an encoder's delay and padding, where packets have them.
pub(super) fn of_params(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, FileError> {
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

/// What a decoder does not understand.
pub(super) fn broken(e: &Error) -> FileError {
    FileError::Malformed(format!("the file is broken: {e}"))
}

/// There is more than one sound in the file.
pub(super) fn several() -> FileError {
    FileError::Unsupported("it holds several sounds, one behind the other".into())
}
