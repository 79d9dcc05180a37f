//! How sound is kept in shards, and how much room that takes.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How sound is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 32-bit floats, little-endian, rows × frames × channels, without a header
    F32,
    /// 16-bit integers of the same order, with dither
    S16,
    /// 32-bit floats as an array of NumPy, rows × frames × channels
    Npy,
    /// A tar file with a WAV file of 32-bit floats and a JSON file for each row, as WebDataset reads it
    Wav,
    /// The same with FLAC files of 24 bits
    Flac,
    /// No sound, but a CSV file with what can be measured of it, and its hash
    Features,
}

/// Bytes of a block of a tar file.
pub(super) const TAR_BLOCK: usize = 512;
/// Bytes that a row of features has at most, by experience.
const FEATURE_BYTES: u64 = 400;

impl Format {
    /// What it is called by flags and in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Format::F32 => "f32",
            Format::S16 => "s16",
            Format::Npy => "npy",
            Format::Wav => "wav",
            Format::Flac => "flac",
            Format::Features => "features",
        }
    }

    /// The ending of its shards.
    pub fn ending(self) -> &'static str {
        match self {
            Format::F32 => "f32",
            Format::S16 => "s16",
            Format::Npy => "npy",
            Format::Wav | Format::Flac => "tar",
            Format::Features => "csv",
        }
    }

    /// About how many bytes a row takes, of so many samples; exactly for what has no compression.
    pub fn row_bytes(self, samples: u64) -> u64 {
        let in_tar = |sound: u64| sound.next_multiple_of(TAR_BLOCK as u64) + 3 * TAR_BLOCK as u64;
        match self {
            Format::F32 | Format::Npy => 4 * samples,
            Format::S16 => 2 * samples,
            Format::Wav => in_tar(4 * samples + 200),
            Format::Flac => in_tar(2 * samples + 200),
            Format::Features => FEATURE_BYTES,
        }
    }
}
