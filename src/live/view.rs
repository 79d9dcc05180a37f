//! What the display shows, as lines of text: where the song is, how loud, how busy, who plays, what was wrong.

use super::figures::{Figures, Meter, decibels};
use super::keys::HELP;
use crate::visible::visible;
use mam_grammar::problem::count;

/// The least level of a meter, in dB.
const FLOOR: f64 = -60.0;
/// Columns of a meter at most.
const WIDEST: usize = 60;
/// Columns beside a meter: what it says in figures.
const BESIDE: usize = 32;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const END: &str = "\x1b[0m";

/// All that is shown.
pub(super) struct View<'a> {
    /// The song and where it sounds.
    pub(super) title: &'a str,
    /// The sound.
    pub(super) figures: &'a Figures,
    /// The instruments, with whether they are muted and soloed.
    pub(super) instruments: &'a [(String, bool, bool)],
    /// What is typed of a key's number.
    pub(super) typed: Option<String>,
    /// What was said last: reports, problems.
    pub(super) said: &'a [String],
    /// Whether colour may be used.
    pub(super) colour: bool,
}

/// What a line is worth where there is not room for all: the first is kept longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Place,
    Said,
    Meter,
    Title,
    Work,
    Players,
    Help,
    Blank,
    SaidAfter,
}

/// As many lines as there are rows.
fn fit(mut lines: Vec<(Rank, String)>, rows: usize) -> Vec<String> {
    while lines.len() > rows
        && let Some(least) = lines.iter().map(|(rank, _)| *rank).max()
    {
        // There is one of that rank.
        let last = lines.iter().rposition(|(rank, _)| *rank == least);
        last.map(|last| lines.remove(last));
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

impl View<'_> {
    /// The lines of a screen of this size; what was said last comes last and gets the rest.
    pub(super) fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let blank = (Rank::Blank, String::new());
        let all = |rank: Rank, lines: Vec<String>| lines.into_iter().map(move |line| (rank, line));
        let mut lines = vec![(Rank::Title, self.paint(BOLD, self.title)), blank.clone()];
        lines.extend([(Rank::Place, self.place()), blank.clone()]);
        lines.extend(all(Rank::Meter, self.meters(columns)));
        lines.extend([blank.clone(), (Rank::Work, self.work())]);
        lines.extend(all(Rank::Players, self.players(columns)));
        lines.extend([(Rank::Help, self.paint(DIM, HELP)), blank]);
        let said = self.said.iter().flat_map(|line| fold(line, columns));
        // The first lines of a problem say what it is.
        let rank = |index: usize| if index < 4 { Rank::Said } else { Rank::SaidAfter };
        lines.extend(said.enumerate().map(|(index, line)| (rank(index), line)));
        fit(lines, rows)
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("{style}{text}{END}") } else { text.into() }
    }

    fn place(&self) -> String {
        let figures = self.figures;
        let sign = if figures.stopped {
            self.paint(YELLOW, "■ stopped")
        } else {
            self.paint(GREEN, "▶ playing")
        };
        let mut line = format!("{sign}   {}", figures.clock());
        if let Some((bar, beat)) = figures.bar_and_beat() {
            line += &format!("   bar {}", self.paint(BOLD, &format!("{bar}.{beat}")));
        }
        if let Some(section) = &figures.section {
            line += &format!("   {}", visible(section));
        }
        if let Some(typed) = &self.typed {
            line += &format!("   {}", self.paint(YELLOW, &format!("{typed}…")));
        }
        line
    }

    fn meters(&self, columns: usize) -> Vec<String> {
        let width = columns.saturating_sub(BESIDE).clamp(8, WIDEST);
        let channels = self.figures.meters.len();
        let line = |(index, meter): (usize, &Meter)| {
            let name = match (channels, index) {
                (2, 0) => "L".into(),
                (2, 1) => "R".into(),
                _ => (index + 1).to_string(),
            };
            let last = if index + 1 == channels { self.loudest() } else { String::new() };
            format!("{name} {} {:>9}{last}", self.meter(*meter, width), decibels(meter.held))
        };
        self.figures.meters.iter().enumerate().map(line).collect()
    }

    fn loudest(&self) -> String {
        let (greatest, clipped) = (self.figures.greatest, self.figures.sums.clipped);
        let mut text = format!("   peak {}", decibels(greatest));
        if clipped > 0 {
            text += &format!("  {}", self.paint(RED, &format!("CLIP {clipped}")));
        }
        text
    }

    /// A bar, with a mark at the last peak.
    fn meter(&self, meter: Meter, width: usize) -> String {
        let column = |level: f32| {
            let decibels = 20.0 * f64::from(level).max(1e-9).log10();
            ((1.0 - decibels / FLOOR).clamp(0.0, 1.0) * width as f64).round() as usize
        };
        let (full, mark) = (column(meter.level), column(meter.held));
        let cell = |i: usize| match i {
            _ if i < full => '█',
            _ if i + 1 == mark => '│',
            _ => '·',
        };
        let bar: String = (0..width).map(cell).collect();
        let style = match meter.held {
            held if held > 1.0 => RED,
            held if held > 0.7 => YELLOW,
            _ => GREEN,
        };
        self.paint(style, &bar)
    }

    fn work(&self) -> String {
        let Figures { load, slowest, voices, sums, .. } = self.figures;
        let mut line = format!("load {:.0} %", load * 100.0);
        if slowest.0 > 0.0 {
            let step = slowest.1.as_ref().map_or(String::new(), |name| format!(" ({})", visible(name)));
            line += &format!("   slowest quantum {:.0} %{step}", slowest.0 * 100.0);
        }
        line += &format!("   {}   ", count(*voices as usize, "voice"));
        let underruns = count(sums.underruns as usize, "underrun");
        line += &if sums.underruns > 0 { self.paint(RED, &underruns) } else { underruns };
        sums.troubles().fold(line, |line, trouble| line + "   " + &self.paint(RED, &trouble))
    }

    /// The instruments with their numbers, in as many lines as they need.
    fn players(&self, columns: usize) -> Vec<String> {
        let (mut lines, mut width) = (vec![String::new()], 0);
        let someone = self.instruments.iter().any(|(_, _, soloed)| *soloed);
        for (index, (name, muted, soloed)) in self.instruments.iter().enumerate() {
            let number = index + 1;
            let (mark, style) = match (muted, soloed) {
                (true, _) => (" muted", RED),
                (_, true) => (" solo", YELLOW),
                _ if someone => ("", DIM),
                _ => ("", ""),
            };
            let text = format!("{number} {name}{mark}");
            let long = text.chars().count() + 3;
            if width > 0 && width + long > columns {
                (lines, width) = ([lines, vec![String::new()]].concat(), 0);
            }
            width += long;
            let text = if style.is_empty() { text } else { self.paint(style, &text) };
            if let Some(line) = lines.last_mut() {
                *line += &format!("{text}   ");
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }
}

/// A long line in pieces that end between words. A picture of a problem fits already, and is left alone.
fn fold(line: &str, columns: usize) -> Vec<String> {
    if line.contains('\x1b') || line.chars().count() <= columns {
        return vec![line.into()];
    }
    textwrap::wrap(line, columns.max(20)).into_iter().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::figures::Sums;
    use mam_runtime::control::Place;

    fn figures() -> Figures {
        let meter = |level, held| Meter { level, held, ..Meter::default() };
        Figures {
            place: Some(Place { pass: 0, bar: 4.25, beats_per_bar: 4.0 }),
            section: Some("drop".into()),
            seconds: 8.5,
            meters: vec![meter(0.1, 0.5), meter(1.2, 1.2)],
            greatest: 1.2,
            voices: 7,
            load: 0.041,
            slowest: (0.12, Some("room".into())),
            sums: Sums { clipped: 3, underruns: 1, ..Sums::default() },
            ..Figures::default()
        }
    }

    fn shown(figures: &Figures, said: &[String], columns: usize, rows: usize) -> Vec<String> {
        let instruments = [("bd".to_string(), false, false), ("lead".to_string(), true, false)];
        let typed = Some("m1".to_string());
        let title = "song.mam on null, 48000 Hz";
        View { title, figures, instruments: &instruments, typed, said, colour: false }.lines(columns, rows)
    }

    #[test]
    fn the_display_says_where_how_loud_how_busy_and_who() {
        let said: Vec<String> = vec!["error: there is no `x`".into(), "second".into()];
        let lines = shown(&figures(), &said, 52, 24);
        assert_eq!(
            lines,
            [
                "song.mam on null, 48000 Hz",
                "",
                "▶ playing   0:08.5   bar 5.2   drop   m1…",
                "",
                "L █████████████····│··   -6.0 dB",
                "R ████████████████████    1.6 dB   peak 1.6 dB  CLIP 3",
                "",
                "load 4 %   slowest quantum 12 % (room)   7 voices   1 underrun",
                "1 bd   2 lead muted   ",
                "space stop/start · r from the top · ←/→ a bar · m1 mute · s1 solo · q quit",
                "",
                "error: there is no `x`",
                "second",
            ]
        );
    }

    #[test]
    fn a_small_terminal_shows_what_matters_most() {
        let said = vec!["problem".to_string(); 50];
        let problems = |rows| shown(&figures(), &said, 80, rows).iter().filter(|l| *l == "problem").count();
        assert_eq!([50, 24, 15, 8, 5].map(problems), [39, 13, 4, 4, 4]);
        assert_eq!(shown(&figures(), &said, 20, 5).len(), 5);
        assert!(shown(&figures(), &said, 80, 6)[1].starts_with("L "));
        assert!(shown(&figures(), &said, 10, 1)[0].contains("playing"));
        assert_eq!(shown(&figures(), &said, 10, 0), [""; 0]);
    }

    #[test]
    fn a_long_report_is_folded_and_a_drawn_problem_is_not() {
        let words = "many words that are too long for it";
        assert_eq!(fold(words, 20), ["many words that are", "too long for it"]);
        assert_eq!(fold(&format!("{RED}{words}{END}"), 20).len(), 1);
    }

    #[test]
    fn what_is_wrong_is_red_and_a_stopped_song_says_so() {
        let figures = Figures { stopped: true, ..figures() };
        let view =
            View { title: "", figures: &figures, instruments: &[], typed: None, said: &[], colour: true };
        let text = view.lines(80, 24).join("\n");
        assert!(text.contains("■ stopped") && text.contains(&format!("{RED}CLIP 3{END}")), "{text}");
        assert!(text.contains(&format!("{RED}1 underrun{END}")));
    }
}
