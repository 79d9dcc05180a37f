//! A sound file is written beside its rendering: by a thread of its own, to which samples go in large blocks.

use crate::failure::Failure;
use mam_measure::levels::{Levels, Meter};
use mam_runtime::file::{FileError, Writer};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::scope;

/// Samples that are handed over at a time.
const BLOCK: usize = 1 << 16;
/// Full blocks that may wait; whoever renders waits then too.
const WAITING: usize = 4;

/// Where what is rendered is put.
pub struct Blocks {
    block: Vec<f32>,
    full: SyncSender<Vec<f32>>,
    empty: Receiver<Vec<f32>>,
}

impl Blocks {
    /// Takes whole frames, interleaved.
    ///
    /// # Errors
    /// When the file can't be written. [`written`] returns which error that was.
    pub fn write(&mut self, samples: impl Iterator<Item = f32>) -> Result<(), Failure> {
        self.block.extend(samples);
        if self.block.len() < BLOCK { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<(), Failure> {
        let mut next = self.empty.try_recv().unwrap_or_default();
        next.clear();
        let full = std::mem::replace(&mut self.block, next);
        self.full.send(full).map_err(|_| Failure::Io("the file could not be written".into()))
    }
}

/// Writes what `render` gives, to the end, finishes the file, and says how loud it is.
///
/// # Errors
/// What `failed` makes of an error of the file's, else that of `render`.
pub fn written(
    writer: Writer<'_>,
    meter: Meter,
    failed: impl Fn(FileError) -> Failure,
    render: impl FnOnce(&mut Blocks) -> Result<(), Failure>,
) -> Result<Levels, Failure> {
    let (full, blocks) = sync_channel(WAITING);
    let (back, empty) = channel();
    scope(|scope| {
        let writing = scope.spawn(|| write(writer, meter, blocks, back));
        let mut blocks = Blocks { block: Vec::with_capacity(2 * BLOCK), full, empty };
        let rendered = render(&mut blocks).and_then(|()| blocks.hand_over());
        drop(blocks);
        let written = match writing.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let (writer, meter) = written.map_err(&failed)?;
        rendered?;
        writer.finish().map_err(&failed)?;
        Ok(meter.finish())
    })
}

/// Writes and measures blocks until there are no more.
fn write<'w>(
    mut writer: Writer<'w>,
    mut meter: Meter,
    blocks: Receiver<Vec<f32>>,
    back: Sender<Vec<f32>>,
) -> Result<(Writer<'w>, Meter), FileError> {
    for block in blocks {
        writer.write(&block)?;
        meter.add(&block);
        // At the end it is not needed again.
        let _ = back.send(block);
    }
    Ok((writer, meter))
}
