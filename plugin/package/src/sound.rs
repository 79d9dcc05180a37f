//! Samples of a sound file, as a song may name it.

use mam_compiler::files::{Samples, Unusable};
use mam_runtime::file::{self as sound, FileError, Sound, Wanted};
use mam_runtime::sound_kinds::is_named_as_sound;
use std::io::Read;

/// All samples of a sound file that is called `name` in messages, if there are no more than `most`, of each channel; of more
/// than two channels the first two.
///
/// # Errors
/// When it cannot be read, is cut off or damaged, has no frames or too many, or a sample that is not finite.
pub fn read(source: impl Read + Send + Sync + 'static, name: &str, most: usize) -> Result<Samples, Unusable> {
    read_short(source, name, most)?.ok_or_else(|| Unusable {
        why: format!("`{name}` is too long: the sounds of a song have more samples than the limit `samples`"),
        help: Some("take shorter files, or pass `--limit samples=N`".into()),
    })
}

/// The same; nothing where there are more samples.
///
/// # Errors
/// When it cannot be read, is cut off or damaged, has no frames, or a sample that is not finite.
pub fn read_short(
    source: impl Read + Send + Sync + 'static,
    name: &str,
    most: usize,
) -> Result<Option<Samples>, Unusable> {
    let unusable = |why: &str| unusable(name, why);
    let wanted = Wanted { rate: None, channels: 2, frames: u64::MAX, most: Some(most as u64) };
    let Sound { rate, channels, is_cut_off, damage } = match sound::read(source, wanted) {
        Ok(read) => read,
        Err(FileError::Unwanted) => return Ok(None),
        Err(e) => return Err(unusable(&e.to_string())),
    };
    if is_cut_off {
        return Err(unusable("it ends before its header says"));
    }
    if let Some(damage) = damage {
        return Err(unusable(&damage.to_string()));
    }
    if channels[0].is_empty() {
        return Err(unusable("it has no frames"));
    }
    if channels.iter().flatten().any(|x| !x.is_finite()) {
        return Err(unusable("a sample in it is not a finite number"));
    }
    Ok(Some(Samples { rate, channels, stream: None }))
}

/// Why the sound file that is called `name` in messages cannot be used.
pub fn unusable(name: &str, why: &str) -> Unusable {
    Unusable {
        why: format!("`{name}` cannot be used: {why}"),
        help: Some(format!("take another file, or write its sound anew: `ffmpeg -i '{name}' new.wav`")),
    }
}

/// Whether the ending of a file's name, in whatever case, is that of a sound file; files that begin with a point are hidden.
pub fn is_sound(name: &str) -> bool {
    !name.starts_with('.') && is_named_as_sound(name)
}
