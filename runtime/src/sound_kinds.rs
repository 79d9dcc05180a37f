//! The kinds of sound files that mam knows, also where nothing reads or writes them: their names and endings.

/// A kind of sound file.
#[derive(Debug, PartialEq, Eq)]
pub struct SoundKind {
    /// What people call it: `WAV`.
    pub name: &'static str,
    /// The endings of its files, in lower case; the first is the usual one.
    pub endings: &'static [&'static str],
    /// Endings of its relatives, in lower case: files that are read as it is, and not written.
    pub relatives: &'static [&'static str],
}

/// Microsoft's RIFF WAVE; RF64, BW64 and Wave64 are its relatives of 64-bit sizes.
pub static WAV: SoundKind =
    SoundKind { name: "WAV", endings: &["wav", "wave"], relatives: &["rf64", "bw64", "w64"] };
/// Apple's AIFF and AIFF-C.
pub static AIFF: SoundKind = SoundKind { name: "AIFF", endings: &["aiff", "aif", "aifc"], relatives: &[] };
/// Apple's Core Audio Format.
pub static CAF: SoundKind = SoundKind { name: "CAF", endings: &["caf"], relatives: &[] };
/// The free lossless compression (RFC 9639).
pub static FLAC: SoundKind = SoundKind { name: "FLAC", endings: &["flac"], relatives: &[] };
/// MPEG's audio layer 3.
pub static MP3: SoundKind = SoundKind { name: "MP3", endings: &["mp3"], relatives: &[] };
/// Xiph's lossy compression Vorbis, in Ogg pages.
pub static OGG_VORBIS: SoundKind = SoundKind { name: "Ogg Vorbis", endings: &["ogg", "oga"], relatives: &[] };

/// All that can be read.
pub static ALL: [&SoundKind; 6] = [&WAV, &AIFF, &CAF, &FLAC, &MP3, &OGG_VORBIS];

/// The names of all: `WAV, AIFF, … or Ogg Vorbis`.
pub fn names() -> String {
    either(&ALL.map(|kind| kind.name))
}

/// Whether a text is the name of a sound file, by its ending, in whatever case.
pub fn is_named_as_sound(name: &str) -> bool {
    let ending = std::path::Path::new(name).extension().and_then(|ending| ending.to_str());
    let is_of = |ending: &str, kind: &SoundKind| {
        kind.endings.iter().chain(kind.relatives).any(|known| known.eq_ignore_ascii_case(ending))
    };
    ending.is_some_and(|ending| ALL.iter().any(|kind| is_of(ending, kind)))
}

/// Words of which one is meant: `a, b or c`.
pub fn either(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, others @ [_, ..])) => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    }
}
