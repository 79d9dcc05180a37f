//! The notes of a standard MIDI file as a `.mam` song.
//!
//! Every note keeps its exact place and length ([`mod@write`]). Which instrument of the prelude plays a program or a key of
//! the drum channel is said by the `midi` statements of the instruments themselves ([`kit`]). A track of a machine
//! outside that mam wrote is one again. Bends and controllers other than the pedal are left out, and the bars are those of the first time signature.

mod kit;
mod notes;
mod read;
mod write;

use kit::Kit;
use std::sync::LazyLock;

/// The prelude's instruments, which are read once.
static KIT: LazyLock<Kit> = LazyLock::new(Kit::new);

/// A song that was made of a MIDI file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The song as `.mam` text.
    pub text: String,
    /// What was odd about the file or has no place in the song, for people: one sentence each.
    pub remarks: Vec<String>,
}

/// Makes a song of the bytes of a MIDI file. Work and memory are bounded, whatever the bytes are.
///
/// # Errors
/// In words: the bytes are not a MIDI file, it has no notes, or more than a song can hold.
pub fn import(bytes: &[u8]) -> Result<Imported, String> {
    let mut file = read::read(bytes)?;
    let played = notes::play(&mut file, &KIT);
    let remarks = std::mem::take(&mut file.remarks).into_lines();
    if played.parts.is_empty() {
        let why: String = remarks.iter().map(|remark| format!("; {remark}")).collect();
        return Err(format!("this MIDI file has no notes{why}"));
    }
    let text = write::write(played, &file, &KIT)?;
    Ok(Imported { text, remarks })
}
