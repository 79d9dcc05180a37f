//! Scores as MIDI files, for `mamc render song.mam -o song.mid`.

use crate::args::SongArgs;
use crate::compiling::program;
use crate::console::Console;
use crate::failure::Failure;
use crate::offline::{ENDLESS_SECONDS, Job, Span};
use crate::output::Output;
use mam_runtime::score::midi::midi;
use std::io::Write;
use std::path::Path;

/// True when a file's name asks for MIDI.
pub fn is_midi(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str());
    ending.is_some_and(|e| e.eq_ignore_ascii_case("mid") || e.eq_ignore_ascii_case("midi"))
}

/// Writes the score of a song, for one pass or as long as `span` says.
///
/// # Errors
/// When the song has errors, when `span` begins or ends as only sound can, when the file cannot be written.
pub fn render(song: &SongArgs, output: &Path, span: Span, console: Console) -> Result<(), Failure> {
    if span.from.is_some() || span.tail.is_some() {
        let what = "a MIDI file holds the score from its beginning; --from and --tail are for sound";
        return Err(Failure::Usage(what.into()));
    }
    let program = program(song, console)?;
    let job = Job::new(program.clone(), span)?;
    if job.endless {
        let note = "note: this song has no end of its own";
        console.say(&format!("{note}; {ENDLESS_SECONDS} s of it (-d says otherwise)\n"));
    }
    let until = job.expected().filter(|_| job.endless || span.duration.is_some());
    let bytes = midi(&program, until);
    let mut file = Output::create(output)?;
    file.write_all(&bytes).map_err(|e| Failure::write(output, &e))?;
    file.finish()?;
    console.say(&format!("{}: {} bytes of MIDI\n", output.display(), bytes.len()));
    Ok(())
}
