//! What of a performance is logged.

use super::{Player, at_tempo};
use crate::failure::Failure;
use crate::live::PlayOptions;
use crate::take::{Beginning, Logger, Text};
use mam_runtime::{Control, Program};
use std::sync::Arc;

/// Begins the log, if one is wanted, with the song as it was compiled: `text` of the version `score`.
pub(super) fn open_log(
    options: &PlayOptions,
    score: &Arc<Program>,
    text: Option<Text>,
    beginning: &Beginning,
    control: &mut Control,
) -> Result<Option<Logger>, Failure> {
    let Some(path) = &options.log else { return Ok(None) };
    let mut logger = Logger::new(path, &options.song.how)?;
    let program = control.program().clone();
    logger.compiled(score, text);
    logger.at_tempo(&program, score, options.tempo);
    logger.begin(&program, beginning)?;
    control.log();
    Ok(Some(logger))
}

impl Player {
    /// Keeps what was asked for since.
    pub(super) fn log(&mut self) {
        if let Some((logger, log)) = self.logger.as_mut().zip(self.control.read_log()) {
            logger.take(log);
        }
    }

    /// The song at the tempo that a controller has set.
    pub(super) fn at_its_tempo(&mut self) -> Arc<Program> {
        let program = at_tempo(&self.score, self.tempo);
        if let Some(logger) = &mut self.logger {
            logger.at_tempo(&program, &self.score, self.tempo);
        }
        program
    }
}
