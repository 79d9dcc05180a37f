//! What is seen while a song plays: a display on a terminal, else lines of text.

use super::figures::{Facts, Figures, Slowest, decibels};
use super::screen::Screen;
use super::view::View;
use super::writer::Writer;
use crate::console::Console;
use crate::visible::visible;
use mam_grammar::problem::count;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How often the display is drawn.
const DRAWN: Duration = Duration::from_millis(50);
/// How often a line is printed.
const PRINTED: Duration = Duration::from_secs(1);

/// Where everything is shown.
pub(super) struct Ui {
    console: Console,
    screen: Option<Screen>,
    /// Where lines are written that a terminal without display shows.
    lines: Option<Writer>,
    /// The song and where it sounds.
    pub(super) title: String,
    figures: Figures,
    looked: Instant,
    printed: Instant,
    /// What was said since the last edit.
    said: Vec<String>,
}

impl Ui {
    /// A display where standard output is a terminal and one is wanted.
    pub(super) fn new(console: Console, display: bool) -> Ui {
        let wanted = display && !console.quiet && io::stdout().is_terminal();
        let screen = if wanted { Screen::open().ok() } else { None };
        let (title, figures, now) = (String::new(), Figures::default(), Instant::now());
        let lines = (screen.is_none() && !console.quiet).then(Writer::stdout);
        Ui { console, screen, lines, title, figures, looked: now, printed: now, said: vec![] }
    }

    /// Whether there is a display, and so keys.
    pub(super) fn is_display(&self) -> bool {
        self.screen.is_some()
    }

    /// Says something, unless it is to be quiet.
    pub(super) fn say(&mut self, text: &str) {
        if !self.console.quiet {
            self.insist(text);
        }
    }

    /// Says something that matters.
    pub(super) fn insist(&mut self, text: &str) {
        self.styled(&visible(text));
    }

    /// The same for text that has colours.
    pub(super) fn styled(&mut self, text: &str) {
        if self.screen.is_none() || !io::stderr().is_terminal() {
            self.console.styled(text);
        }
        if self.screen.is_some() {
            self.said.extend(text.lines().map(String::from));
            // Older lines than any terminal shows.
            self.said.drain(..self.said.len().saturating_sub(500));
        }
    }

    /// What was said before is over: another edit.
    pub(super) fn forget(&mut self) {
        self.said.clear();
    }

    /// Draws or prints when it is time.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(super) fn show(&mut self, facts: &Facts<'_>) -> io::Result<()> {
        let now = Instant::now();
        let passed = now.duration_since(self.looked);
        if passed < DRAWN {
            return Ok(());
        }
        self.look(facts, now);
        if let Some(screen) = &mut self.screen {
            let view = View {
                title: &visible(&self.title),
                figures: &self.figures,
                waits: facts.waits,
                typed: facts.typed.clone(),
                said: &self.said,
                colour: self.console.colour,
            };
            let (columns, rows) = screen.size();
            screen.draw(view.lines(columns, rows))?;
        } else if let Some(lines) =
            self.lines.as_ref().filter(|_| now.duration_since(self.printed) >= PRINTED)
        {
            self.printed = now;
            lines.write(visible(&line(&self.figures)).as_bytes().to_vec())?;
        }
        Ok(())
    }

    /// Reads the figures, and says where the protective clamp has acted first.
    pub(super) fn look(&mut self, facts: &Facts<'_>, now: Instant) {
        let (passed, before) = (now.duration_since(self.looked), self.figures.limited_at);
        self.looked = now;
        self.figures.take(facts, passed, now);
        if let (None, Some(frame)) = (before, self.figures.limited_at) {
            let seconds = frame as f64 / f64::from(facts.control.rate());
            self.insist(&format!(
                "warning: louder than +12 dBFS from {seconds:.3} s of the song on (frame {frame}): what is above is cut off, \
                 in a recording as well; `--no-limit` lets it through\n"
            ));
        }
    }

    /// Gives the terminal back; what is said from now on is printed.
    pub(super) fn close(&mut self) {
        self.screen = None;
        self.lines = None;
    }

    /// What has gone wrong with the sound, in the end.
    pub(super) fn summary(&self) -> Option<String> {
        let sums = self.figures.sums;
        let clipped = (sums.clipped > 0).then(|| format!("{} samples clipped", sums.clipped));
        let underruns = (sums.underruns > 0).then(|| count(sums.underruns as usize, "underrun"));
        let words: Vec<String> = clipped.into_iter().chain(underruns).chain(sums.troubles()).collect();
        (!words.is_empty()).then(|| format!("{}\n", words.join(", ")))
    }
}

/// The figures in one line.
fn line(figures: &Figures) -> String {
    let mut line = figures.clock();
    if let Some((bar, beat)) = figures.bar_and_beat() {
        line += &format!("  bar {bar}.{beat}");
    }
    if !figures.sections.is_empty() {
        line += &format!("  {}", figures.sections.join(" › "));
    }
    if figures.stopped {
        line += "  stopped";
    }
    let held = figures.meters.iter().map(|meter| meter.held).fold(0.0, f32::max);
    line += &format!("  {}  peak {}", decibels(held), decibels(figures.greatest));
    if figures.sums.clipped > 0 {
        line += &format!("  clipped {}", figures.sums.clipped);
    }
    line += &format!("  load {:.0} %", figures.load * 100.0);
    if let Slowest { share, step: Some(step), .. } = &figures.slowest {
        line += &format!("  slowest quantum {:.0} % ({step})", share * 100.0);
    }
    let counts = [(u64::from(figures.voices), "voice"), (figures.sums.underruns, "underrun")];
    let counts = counts.map(|(number, what)| count(number as usize, what));
    line += &format!("  {}", counts.join("  "));
    figures.sums.troubles().fold(line, |line, trouble| line + "  " + &trouble) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use mam_runtime::control::Position;

    #[test]
    fn a_line_has_all_that_the_display_has() {
        let mut figures =
            Figures { seconds: 61.0, load: 0.25, greatest: 0.5, voices: 3, ..Figures::default() };
        assert_eq!(line(&figures), "1:01.0  -∞ dB  peak -6.0 dB  load 25 %  3 voices  0 underruns\n");
        figures.place = Some(Position { pass: 0, bar: 1.5, beats_per_bar: 4.0 });
        figures.sums.clipped = 2;
        figures.sums.faults = 7;
        figures.slowest = Slowest { share: 0.5, step: Some("bd".into()), ..Slowest::default() };
        figures.sections = vec!["drop".into(), "fill".into()];
        let text = line(&figures);
        assert!(
            text.ends_with("  7 faulty samples\n")
                && text.contains("bar 2.3")
                && text.contains("bar 2.3  drop › fill")
                && text.contains("clipped 2")
                && text.contains("50 % (bd)"),
            "{text}"
        );
    }
}
