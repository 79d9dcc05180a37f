//! What the display shows, as lines of text: where the song is, how loud, how busy, who plays, what was wrong.

use super::figures::{Figures, Knob, Meter, Track, decibels};
use super::keys::HELP;
use super::lanes::Lane;
use crate::visible::visible;
use mam_grammar::problem::count;
use mam_runtime::output::Priority;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The least level of a meter, in dB.
const FLOOR: f64 = -60.0;
/// Columns of a meter at most.
const WIDEST: usize = 60;
/// Columns beside a meter: what it says in figures.
const BESIDE: usize = 35;

/// Columns below which an instrument has no line of its own.
const NARROWEST: usize = 30;

const LIT: &str = "\x1b[1;7m";
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
    /// The figures that are drawn.
    pub(super) figures: &'a Figures,
    /// Whether there is nothing to play until the song has no errors.
    pub(super) waits: bool,
    /// What is typed of a key's number.
    pub(super) typed: Option<String>,
    /// What was said last: reports, problems.
    pub(super) said: &'a [String],
    /// Whether colour may be used.
    pub(super) colour: bool,
}

/// What a line is worth where there is not room for all: the first stays longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Position,
    Said,
    Meter,
    Title,
    Work,
    Track,
    Help,
    Knob,
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

/// Pieces of a line, each with its style, as many as fit; the first is cut where it does not.
struct Line {
    text: String,
    room: usize,
    colour: bool,
}

impl Line {
    fn new(columns: usize, colour: bool) -> Line {
        Line { text: String::new(), room: columns, colour }
    }

    /// Adds a piece, three columns behind the last one. One that does not fit is left out, and so are all after it.
    fn add(&mut self, style: &str, piece: &str) {
        let first = self.text.is_empty();
        let gap = if first { "" } else { "   " };
        let piece = if first { cut(piece, self.room) } else { piece.to_string() };
        match self.room.checked_sub(gap.len() + piece.width()) {
            Some(room) => {
                self.text += gap;
                self.text += &paint(self.colour, style, &piece);
                self.room = room;
            }
            None => self.room = 0,
        }
    }
}

/// The text in a style, where colour may be used.
fn paint(colour: bool, style: &str, text: &str) -> String {
    if colour && !style.is_empty() { format!("{style}{text}{END}") } else { text.into() }
}

/// The text, and what of it fits so many columns, as it may be shown.
fn cut(text: &str, columns: usize) -> String {
    let clean = visible(text);
    if clean.width() <= columns {
        return clean.into_owned();
    }
    let (mut cut, mut room) = (String::new(), columns.saturating_sub(1));
    for c in clean.chars() {
        let Some(left) = room.checked_sub(c.width().unwrap_or(0)) else { break };
        cut.push(c);
        room = left;
    }
    if columns > 0 { cut + "…" } else { cut }
}

/// The text with blanks behind it.
fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let gap = columns.saturating_sub(text.width());
    text + &" ".repeat(gap)
}

impl View<'_> {
    /// The lines of a screen of this size; what was said last comes last and gets the rest.
    pub(super) fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let blank = (Rank::Blank, String::new());
        let all = |rank: Rank, lines: Vec<String>| lines.into_iter().map(move |line| (rank, line));
        let mut lines = vec![(Rank::Title, self.paint(BOLD, &cut(self.title, columns))), blank.clone()];
        lines.extend([(Rank::Position, self.place(columns)), blank.clone()]);
        lines.extend(all(Rank::Meter, self.meters(columns)));
        lines.push(blank.clone());
        lines.extend(all(Rank::Track, self.tracks(columns, rows)));
        lines.extend(all(Rank::Knob, self.knobs(columns)));
        lines.extend([blank.clone(), (Rank::Work, self.work(columns))]);
        lines.extend([(Rank::Help, self.paint(DIM, &cut(HELP, columns))), blank]);
        let said = self.said.iter().flat_map(|line| fold(line, columns));
        // The first lines of a problem say what it is.
        let rank = |index: usize| if index < 4 { Rank::Said } else { Rank::SaidAfter };
        lines.extend(said.enumerate().map(|(index, line)| (rank(index), line)));
        fit(lines, rows)
    }

    fn paint(&self, style: &str, text: &str) -> String {
        paint(self.colour, style, text)
    }

    fn place(&self, columns: usize) -> String {
        let figures = self.figures;
        let mut line = Line::new(columns, self.colour);
        match (self.waits, figures.stopped) {
            (true, _) => line.add(YELLOW, "■ waits for a song without errors"),
            (_, true) => line.add(YELLOW, "■ stopped"),
            _ => line.add(GREEN, "▶ playing"),
        }
        line.add("", &figures.clock());
        if let Some((bar, beat)) = figures.bar_and_beat() {
            line.add(BOLD, &format!("bar {bar}.{beat}"));
        }
        if let Some(typed) = &self.typed {
            line.add(YELLOW, &format!("{typed}…"));
        }
        // The innermost one says most where there is not room for all.
        for from in 0..figures.sections.len() {
            let path = figures.sections[from..].join(" › ");
            if path.width() + 3 <= line.room || from + 1 == figures.sections.len() {
                line.add("", &cut(&path, line.room.saturating_sub(3)));
                break;
            }
        }
        line.text
    }

    fn meters(&self, columns: usize) -> Vec<String> {
        let width = columns.saturating_sub(BESIDE).clamp(4, WIDEST);
        let channels = self.figures.meters.len();
        let line = |(index, meter): (usize, &Meter)| {
            let name: String = match (channels, index) {
                (2, 0) => "L".into(),
                (2, 1) => "R".into(),
                _ => (index + 1).to_string(),
            };
            // What stands before it: name, meter, level, and blanks between them.
            let mut line = Line::new(columns.saturating_sub(name.width() + width + 13), self.colour);
            if index + 1 == channels {
                let (greatest, clipped) = (self.figures.greatest, self.figures.sums.clipped);
                if clipped > 0 {
                    line.add(RED, &format!("CLIP {clipped}"));
                }
                line.add("", &format!("peak {}", decibels(greatest)));
            }
            let text =
                format!("{name} {} {:>9}  {}", self.meter(*meter, width), decibels(meter.held), line.text);
            text.trim_end().to_string()
        };
        self.figures.meters.iter().enumerate().map(line).collect()
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

    fn work(&self, columns: usize) -> String {
        let Figures { load, slowest, voices, sums, priority, .. } = self.figures;
        let mut line = Line::new(columns, self.colour);
        line.add("", &format!("load {:.0} %", load * 100.0));
        let underruns = count(sums.underruns as usize, "underrun");
        if sums.underruns > 0 {
            line.add(RED, &underruns);
        }
        sums.troubles().for_each(|trouble| line.add(RED, &trouble));
        match priority {
            Priority::Unknown => {}
            Priority::Granted { .. } => line.add("", "real-time"),
            Priority::Refused { .. } => line.add(YELLOW, "not real-time (`mamc devices`)"),
            Priority::Lost => line.add(RED, "no longer real-time"),
        }
        if slowest.share > 0.0 {
            let step = slowest.step.as_ref().map_or(String::new(), |name| format!(" ({name})"));
            line.add("", &format!("slowest quantum {:.0} %{step}", slowest.share * 100.0));
        }
        line.add("", &count(*voices as usize, "voice"));
        if sums.underruns == 0 {
            line.add("", &underruns);
        }
        line.text
    }

    /// The instruments with their numbers: a line each, or, where there is not room for so many, as many lines as they need.
    fn tracks(&self, columns: usize, rows: usize) -> Vec<String> {
        // What the other lines take, with a problem's first.
        const OTHERS: usize = 9;
        let tracks = &self.figures.tracks;
        if tracks.len() + self.figures.meters.len() + OTHERS > rows || columns < NARROWEST {
            return self.names(columns);
        }
        let digits = tracks.len().to_string().len();
        let widest = tracks.iter().map(|track| track.name.width()).max().unwrap_or(0);
        let row = Row {
            digits,
            name: widest.min(columns / 4).max(3),
            meter: match columns {
                ..50 => 0,
                50..70 => 6,
                _ => 10,
            },
            columns,
            any_soloed: self.any_soloed(),
        };
        tracks.iter().enumerate().map(|(index, track)| self.track(index + 1, track, &row)).collect()
    }

    /// Whether an instrument is soloed, so that the others are silent.
    fn any_soloed(&self) -> bool {
        self.figures.tracks.iter().any(|track| track.soloed)
    }

    fn track(&self, number: usize, track: &Track, row: &Row) -> String {
        let (mark, style) = mark(track, row.any_soloed);
        let name = padded(&format!("{}{mark}", track.name), row.name + " muted".len());
        let head = format!("{number:>digits$} {name}", digits = row.digits);
        let mut line = self.paint(style, &head);
        let mut room = row.columns.saturating_sub(head.width());
        if row.meter > 0 {
            line += &format!(" {} {:>8} ", self.meter(track.meter, row.meter), decibels(track.meter.held));
            room = room.saturating_sub(row.meter + 11);
        }
        let Lane { cells, lit } = &track.lane;
        if cells.len() < room {
            line.push(' ');
            let cell = |(index, cell): (usize, &char)| self.cell(*cell, *lit == Some(index));
            line.extend(cells.iter().enumerate().map(cell));
        }
        line.trim_end().to_string()
    }

    /// A step; the one that is now is lit.
    fn cell(&self, cell: char, lit: bool) -> String {
        match (lit, self.colour, cell) {
            (false, ..) => cell.to_string(),
            (true, true, _) => format!("{LIT}{cell}{END}"),
            (true, false, '●') => '◉'.into(),
            (true, false, _) => '|'.into(),
        }
    }

    /// The instruments' names alone, with their numbers.
    fn names(&self, columns: usize) -> Vec<String> {
        let (mut lines, mut width) = (vec![String::new()], 0);
        let any_soloed = self.any_soloed();
        for (index, track) in self.figures.tracks.iter().enumerate() {
            let number = index + 1;
            let (mark, style) = mark(track, any_soloed);
            let text = cut(&format!("{number} {}{mark}", track.name), columns);
            let long = text.width() + 3;
            if width > 0 && width + text.width() > columns {
                (lines, width) = ([lines, vec![String::new()]].concat(), 0);
            }
            width += long;
            let text = self.paint(style, &text);
            if let Some(line) = lines.last_mut() {
                *line += &format!("{text}   ");
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.iter().map(|line| line.trim_end().to_string()).collect()
    }

    /// The knobs, each with its value and where in its range it stands.
    fn knobs(&self, columns: usize) -> Vec<String> {
        const BAR: usize = 10;
        let knobs = &self.figures.knobs;
        let widest = knobs.iter().map(|knob| knob.name.width()).max().unwrap_or(0);
        // Names are what is typed to set them: they are cut last.
        let name = widest.min(columns.saturating_sub(12).max(3));
        let knob = |knob: &Knob| {
            let mut line = format!("{} {:>10}", padded(&knob.name, name), knob.value);
            if let Some(position) = knob.position.filter(|_| name + 13 + BAR <= columns) {
                let full = (position * BAR as f64).round() as usize;
                line += &format!("  {}{}", "█".repeat(full), "·".repeat(BAR - full));
            }
            cut(&line, columns)
        };
        knobs.iter().map(knob).collect()
    }
}

/// How the line of an instrument is divided.
struct Row {
    /// Of the greatest number.
    digits: usize,
    /// Columns of a name, without what is said of it.
    name: usize,
    /// Columns of a meter; 0 for none.
    meter: usize,
    /// How many columns there are.
    columns: usize,
    /// Whether an instrument is soloed.
    any_soloed: bool,
}

/// What stands behind an instrument's name, and the colour of both.
fn mark(track: &Track, any_soloed: bool) -> (&'static str, &'static str) {
    match (track.muted, track.soloed) {
        (true, _) => (" muted", RED),
        (_, true) => (" solo", YELLOW),
        _ if any_soloed => ("", DIM),
        _ => ("", ""),
    }
}

/// A long line in pieces that end between words. A picture of a problem fits already, and is left alone.
fn fold(line: &str, columns: usize) -> Vec<String> {
    if line.contains('\x1b') || line.width() <= columns {
        return vec![line.into()];
    }
    textwrap::wrap(line, columns.max(20)).into_iter().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::figures::{Slowest, Sums};
    use mam_runtime::control::Position;

    fn meter(level: f32, held: f32) -> Meter {
        Meter { level, held, ..Meter::default() }
    }

    fn figures() -> Figures {
        let lane = Lane { cells: "●···●━━━".chars().collect(), lit: Some(4) };
        let track = |name: &str, muted, lane| Track {
            name: name.into(),
            muted,
            meter: meter(0.1, 0.5),
            lane,
            ..Track::default()
        };
        let knob =
            |name: &str, value: &str, position| Knob { name: name.into(), value: value.into(), position };
        Figures {
            place: Some(Position { pass: 0, bar: 4.25, beats_per_bar: 4.0 }),
            sections: vec!["chorus".into(), "drop".into()],
            seconds: 8.5,
            meters: vec![meter(0.1, 0.5), meter(1.2, 1.2)],
            greatest: 1.2,
            voices: 7,
            load: 0.041,
            slowest: Slowest { share: 0.12, step: Some("room".into()), ..Slowest::default() },
            sums: Sums { clipped: 3, ..Sums::default() },
            tracks: vec![track("bd", false, lane), track("lead", true, Lane::default())],
            knobs: vec![knob("bright", "800Hz", Some(0.5)), knob("bd.gain", "0.9", None)],
            priority: Priority::Granted { by: "RTKit", level: 10 },
            ..Figures::default()
        }
    }

    fn shown(figures: &Figures, said: &[String], columns: usize, rows: usize) -> Vec<String> {
        let typed = Some("m1".to_string());
        let title = "song.mam on null, 48000 Hz";
        View { title, figures, waits: false, typed, said, colour: false }.lines(columns, rows)
    }

    #[test]
    fn the_display_says_where_how_loud_how_busy_and_what_plays() {
        let said: Vec<String> = vec!["error: there is no `x`".into(), "second".into()];
        assert_eq!(
            shown(&figures(), &said, 80, 24),
            [
                "song.mam on null, 48000 Hz",
                "",
                "▶ playing   0:08.5   bar 5.2   m1…   chorus › drop",
                "",
                "L ██████████████████████████████·········│·····   -6.0 dB",
                "R █████████████████████████████████████████████    1.6 dB  CLIP 3   peak 1.6 dB",
                "",
                "1 bd         ███████·│·  -6.0 dB  ●···◉━━━",
                "2 lead muted ███████·│·  -6.0 dB",
                "bright       800Hz  █████·····",
                "bd.gain        0.9",
                "",
                "load 4 %   real-time   slowest quantum 12 % (room)   7 voices   0 underruns",
                "space stop/go · r top · ←/→ bar · m1 mute · s1 solo · u undo · w save · q quit",
                "",
                "error: there is no `x`",
                "second",
            ]
        );
    }

    /// On every terminal each line fits, and what matters most is there.
    #[test]
    fn every_size_is_respected() {
        let said = vec!["problem".to_string(); 50];
        let many = Figures { tracks: vec![figures().tracks; 20].concat(), ..figures() };
        let wide = Track { name: "太鼓".repeat(20), ..Track::default() };
        let strange = Figures { tracks: vec![wide], ..figures() };
        for figures in [figures(), many, strange] {
            for columns in [1, 5, 10, 20, 29, 30, 40, 52, 60, 80, 81, 200] {
                for rows in [0, 1, 2, 5, 10, 24, 50] {
                    let lines = shown(&figures, &said, columns, rows);
                    assert_eq!(lines.len(), rows.min(lines.len()));
                    for line in &lines {
                        // A meter is never narrower.
                        let least = if line.starts_with(['L', 'R']) { 16 } else { 8 };
                        assert!(line.width() <= columns.max(least), "{columns}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_small_terminal_shows_what_matters_most() {
        let said = vec!["problem".to_string(); 50];
        let problems = |rows| shown(&figures(), &said, 80, rows).iter().filter(|l| *l == "problem").count();
        assert_eq!([50, 24, 15, 8, 5].map(problems), [35, 9, 4, 4, 4]);
        assert_eq!(shown(&figures(), &said, 20, 5).len(), 5);
        assert!(shown(&figures(), &said, 80, 6)[1].starts_with("L "));
        assert!(shown(&figures(), &said, 10, 1)[0].contains("playing"));
        assert_eq!(shown(&figures(), &said, 10, 0), [""; 0]);
        let twelve = shown(&figures(), &[], 80, 12);
        assert!(twelve.contains(&"1 bd   2 lead muted".to_string()), "{twelve:?}");
    }

    #[test]
    fn a_long_report_is_folded_and_a_drawn_problem_is_not() {
        let words = "many words that are too long for it";
        assert_eq!(fold(words, 20), ["many words that are", "too long for it"]);
        assert_eq!(fold(&format!("{RED}{words}{END}"), 20).len(), 1);
    }

    #[test]
    fn what_is_wrong_is_red_and_a_stopped_song_says_so() {
        let sums = Sums { clipped: 3, underruns: 1, ..Sums::default() };
        let figures = Figures { stopped: true, sums, priority: Priority::Lost, ..figures() };
        let view = |waits| {
            let view =
                View { title: "a\x1b[2Jb", figures: &figures, waits, typed: None, said: &[], colour: true };
            view.lines(80, 24).join("\n")
        };
        let text = view(false);
        assert!(text.contains("■ stopped") && text.contains(&format!("{RED}CLIP 3{END}")), "{text}");
        assert!(text.contains(&format!("{RED}1 underrun{END}")) && text.contains("no longer real-time"));
        assert!(text.contains(&format!("{LIT}●{END}")), "the step that is now");
        assert!(!text.contains("\x1b[2J"), "a name cannot steer the terminal");
        assert!(view(true).contains("waits for a song without errors"));
    }
}
