//! Standard output from a thread of its own: a slow reader, or none, holds up nothing else.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Pieces that may wait to be read.
const WAITING: usize = 2;
/// How long to wait in the end for what has not been read.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes lines from a thread of its own, so that the caller never waits.
pub(super) struct Writer {
    sender: Option<SyncSender<Vec<u8>>>,
    failure: Arc<Mutex<Option<io::Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes to standard output.
    pub(super) fn stdout() -> Writer {
        Writer::new(io::stdout())
    }

    fn new(mut out: impl Write + Send + 'static) -> Writer {
        let (sender, pieces): (_, Receiver<Vec<u8>>) = sync_channel(WAITING);
        let failure = Arc::new(Mutex::new(None));
        let failed = failure.clone();
        let work = move || {
            for piece in pieces {
                if let Err(error) = out.write_all(&piece).and_then(|()| out.flush()) {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return;
                }
            }
        };
        Writer { sender: Some(sender), failure, thread: Some(std::thread::spawn(work)) }
    }

    /// Writes a piece. False when it was left out, because those before it have not been read.
    ///
    /// # Errors
    /// When an earlier one could not be written.
    pub(super) fn write(&self, piece: Vec<u8>) -> io::Result<bool> {
        let Some(sender) = &self.sender else { return Ok(false) };
        match sender.try_send(piece) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => {
                let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(failure.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    /// Waits for what is being read, but not for ever; nothing is written any more.
    pub(super) fn finish(&mut self) {
        self.sender = None;
        let (Some(thread), began) = (self.thread.take(), Instant::now()) else { return };
        while !thread.is_finished() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Takes a piece only when it is allowed to.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_does_not_read_misses_pieces_and_holds_up_nothing() {
        let ((go, wait), (sender, read)) = (channel(), channel());
        let writer = Writer::new(Slow(wait, sender));
        let taken = (0..100).filter(|i| writer.write(vec![*i]).unwrap()).count();
        assert!((WAITING..=WAITING + 1).contains(&taken), "{taken}");
        (0..taken).for_each(|_| go.send(()).unwrap());
        assert_eq!(read.recv(), Ok(vec![0]));
        assert!((1..taken).all(|_| read.recv().is_ok()));
        assert!(writer.write(vec![7]).unwrap());
        drop(go);
        let error = loop {
            if let Err(error) = writer.write(vec![8]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
