//! SHA-256, by which shards, songs and rows are compared.

use sha2::{Digest, Sha256};

/// SHA-256 of what comes in pieces.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds the bytes that come next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// A finished hash: `sha256:` and 64 digits.
pub fn hex(hasher: Hasher) -> String {
    let digits: String = hasher.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// SHA-256 of bytes: `sha256:` and 64 digits.
pub fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.add(bytes);
    hex(hasher)
}

/// SHA-256 of bytes: its 64 digits alone.
pub fn sha256_of(bytes: &[u8]) -> String {
    sha256(bytes).split_off("sha256:".len())
}
