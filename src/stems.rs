//! Stems and taps: what of a song is heard by itself, rendered beside it.
//!
//! The song is compiled a second time, with further outputs for what is heard, so that its own bits are those of a render
//! without stems.

use crate::args::SongArgs;
use crate::compiling::{Compiled, compile_listening, compile_song, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::files::Rendering;
use crate::offline::Job;
use mam_compiler::listen::{Heard, Listen, Part, Side};
use mam_grammar::problem::count;
use mam_runtime::Program;
use mam_runtime::render::QUIET;
use std::path::Path;
use std::sync::Arc;

/// A song with what is heard of it.
pub struct Listening {
    program: Arc<Program>,
    heard: Heard,
    /// Channels of the song itself.
    channels: usize,
}

/// What of the mix before the master is computed nowhere, as what it flows into does not use it.
fn unheard(heard: &Heard) -> Option<&str> {
    let silent = |parts: &[Part]| parts.iter().any(|part| part.channels.is_empty());
    let stem = heard.stems.iter().find(|(_, parts)| silent(parts)).map(|(name, _)| name.as_str());
    stem.or(silent(&heard.total).then_some("out"))
}

/// Refuses stems of which something is computed nowhere.
///
/// # Errors
/// Which that is.
pub fn all_heard(heard: &Heard) -> Result<(), Failure> {
    match unheard(heard) {
        None => Ok(()),
        Some(name) => Err(Failure::Usage(format!(
            "--stems: `{name}` is a term of the last sum, but what the sum flows into does not use it"
        ))),
    }
}

/// How far the stems' sum is from the mix before the master.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The greatest difference of two samples.
    pub greatest: f32,
    /// The greatest sample of the mix before the master.
    pub peak: f32,
}

/// Compiles a song and, where anything is to be heard by itself, once more for that.
///
/// # Errors
/// When it cannot be read or has errors.
pub fn compiled(
    args: &SongArgs,
    listen: &Listen,
    console: Console,
) -> Result<(Compiled, Option<Listening>), Failure> {
    let mut second = None;
    let compiled = compiled_by(args, console, |song| {
        if *listen != Listen::default() {
            second = Some(compile_listening(song.clone(), &args.how, listen.clone()));
        }
        compile_song(song, &args.how)
    })?;
    let channels = compiled.compilation.program.as_ref().map_or(0, |program| program.outputs.len());
    let listening = second.map(|mut second| {
        let heard = std::mem::take(&mut second.compilation.heard);
        if second.compilation.program.is_some() {
            all_heard(&heard)?;
        }
        Ok(Listening { program: second.take_program()?, heard, channels })
    });
    Ok((compiled, listening.transpose()?))
}

impl Listening {
    /// The same, of another program with the same outputs.
    #[must_use]
    pub fn with(self, program: Arc<Program>) -> Listening {
        Listening { program, ..self }
    }

    /// The program: the song, and what is heard as further outputs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The equations: what each is called, where it is heard, and the names that it is made of.
    pub fn equations(&self) -> impl Iterator<Item = (&str, &[Part], &[String])> {
        let all = self.heard.equations.iter().zip(&self.heard.needs);
        all.map(|((name, parts), needs)| (name.as_str(), parts.as_slice(), needs.as_slice()))
    }

    /// What each stem is called.
    pub fn stems(&self) -> impl Iterator<Item = &str> {
        self.heard.stems.iter().map(|(name, _)| name.as_str())
    }

    /// Whether this is the name of an equation that was asked for.
    pub fn is_equation(&self, name: &str) -> bool {
        self.heard.equations.iter().any(|(equation, _)| equation == name)
    }

    /// The first frames of a job, but of one stem instead of the song.
    pub fn stem(&self, job: &Job, name: &str, frames: u64) -> Option<Job> {
        let (_, parts) = self.heard.stems.iter().find(|(stem, _)| stem == name)?;
        Some(job.heard(self.program.clone(), vec![parts.clone()], self.width(), frames))
    }

    /// The same of an equation.
    pub fn equation(&self, job: &Job, name: &str, frames: u64) -> Option<Job> {
        let (_, parts) = self.heard.equations.iter().find(|(equation, _)| equation == name)?;
        let width = parts.iter().map(|part| part.channels.len()).max().filter(|&channels| channels > 0)?;
        Some(job.heard(self.program.clone(), vec![parts.clone()], width, frames))
    }

    /// Compares the sum of the stems with the mix before the master, of one run.
    ///
    /// # Errors
    /// As a render's.
    pub fn check(&self, job: &Job, frames: u64) -> Result<Difference, Failure> {
        let total = self.heard.total.clone();
        let less = self.heard.stems.iter().flat_map(|(_, parts)| parts);
        let less = less.map(|part| Part { minus: !part.minus, ..part.clone() });
        let rest: Vec<Part> = total.iter().cloned().chain(less).collect();
        let width = self.width();
        Difference::found(&job.heard(self.program.clone(), vec![total, rest], width, frames))
    }

    /// Channels of each stem: two where the song has more than one, and as many as the widest part has.
    fn width(&self) -> usize {
        let wide = |part: &Part| match part.side {
            Side::Channel(_) => self.channels,
            Side::All => part.channels.len(),
        };
        let parts = self.heard.stems.iter().flat_map(|(_, parts)| parts).chain(&self.heard.total);
        parts.map(wide).max().unwrap_or(1).max(self.channels.min(2))
    }
}

impl Difference {
    /// That of a sound whose first half of channels is the mix, and the other what is left of it without the stems.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn found(sound: &dyn Rendering) -> Result<Difference, Failure> {
        let channels = sound.channels();
        let mut found = Difference { greatest: 0.0, peak: 0.0 };
        sound.run(&mut |block| {
            for frame in block.chunks_exact(channels) {
                let (total, rest) = frame.split_at(channels / 2);
                let greatest = |most: f32, all: &[f32]| all.iter().fold(most, |most, x| most.max(x.abs()));
                found = Difference {
                    greatest: greatest(found.greatest, rest),
                    peak: greatest(found.peak, total),
                };
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether the stems add up: nothing that could be heard is left.
    pub fn is_none(self) -> bool {
        self.greatest <= QUIET * self.peak.max(1.0)
    }

    /// That, in a line.
    pub fn line(self, folder: &Path, stems: usize) -> String {
        let which = if stems == 1 { "it" } else { "their sum" };
        let sum = match self.greatest {
            0.0 => "exactly the mix before the master".to_string(),
            x => format!("the mix before the master, to {:.0} dB", 20.0 * x.log10()),
        };
        format!("{}: {}; {which} is {sum}\n", folder.display(), count(stems, "stem"))
    }
}
