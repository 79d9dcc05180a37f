//! The terminal while the display is on it: taken when it opens, given back however the program ends.

use super::writer::Writer;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyEvent};
use crossterm::style::Print;
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::terminal::{DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{execute, queue};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// How often the thread that reads keys checks whether they are still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// A terminal that is ours, with a screen of its own.
pub(super) struct Screen {
    size: (u16, u16),
    drawn: Vec<String>,
    writer: Writer,
}

impl Screen {
    /// Takes over the terminal: raw mode, the alternate screen.
    pub(super) fn open() -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        TAKEN.store(true, SeqCst);
        if let Err(error) = execute!(io::stdout(), EnterAlternateScreen, Hide, DisableLineWrap) {
            restore();
            return Err(error);
        }
        Ok(Screen { size: (0, 0), drawn: vec![], writer: Writer::stdout() })
    }

    /// How many columns and rows the terminal has.
    pub(super) fn size(&self) -> (usize, usize) {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (columns.into(), rows.into())
    }

    /// Shows these lines from the top, each cut at the edge; only what has changed is written.
    pub(super) fn draw(&mut self, lines: Vec<String>) -> io::Result<()> {
        // A panic has given the terminal back.
        if !TAKEN.load(SeqCst) {
            return Ok(());
        }
        let mut out = Vec::new();
        let size = terminal::size().unwrap_or((80, 24));
        queue!(out, BeginSynchronizedUpdate)?;
        if size != self.size {
            (self.size, self.drawn) = (size, vec![]);
            queue!(out, Clear(ClearType::All))?;
        }
        for (row, line) in (0..size.1).zip(&lines) {
            if self.drawn.get(usize::from(row)) != Some(line) {
                queue!(out, MoveTo(0, row), Print(line), Print("\x1b[0m"), Clear(ClearType::UntilNewLine))?;
            }
        }
        if lines.len() < self.drawn.len() {
            queue!(out, MoveTo(0, lines.len() as u16), Clear(ClearType::FromCursorDown))?;
        }
        queue!(out, EndSynchronizedUpdate)?;
        self.drawn = lines;
        if !self.writer.write(out)? {
            // It was left out: all is drawn anew the next time.
            self.size = (0, 0);
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What is still to be drawn belongs to the screen that goes.
        self.writer.finish();
        restore();
    }
}

/// Gives the terminal back, if it is ours. From any thread, also while a panic is reported.
pub(crate) fn restore() {
    if TAKEN.swap(false, SeqCst) {
        // Where it cannot be written there is no terminal any more.
        let _ = execute!(io::stdout(), EndSynchronizedUpdate, EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// Reads keys on a thread of its own, as long as `take` wants them.
pub(super) fn read_keys(mut take: impl FnMut(KeyEvent) -> bool + Send + 'static) {
    std::thread::spawn(move || {
        while TAKEN.load(SeqCst) {
            match event::poll(LOOK) {
                Ok(false) => {}
                Ok(true) => match event::read() {
                    Ok(Event::Key(key)) if !take(key) => return,
                    Ok(_) => {}
                    Err(_) => return,
                },
                Err(_) => return,
            }
        }
    });
}
