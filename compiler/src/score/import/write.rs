//! What a MIDI file plays, as the text of a song.
//!
//! A part becomes one sequence over the whole song, whose steps have weights in a common division of the bar; notes
//! that overlap go into layers of their own. The song's bar is that of the file's meter, or so many of them that its
//! tempo and its number of bars are such as a song may have.

use super::kit::Kit;
use super::notes::{Bpm, Note, Part, Played, Player};
use super::read::{Division, MidiFile, Track};
use mam_grammar::problem::count;
use mam_grammar::syntax::{STATEMENTS, is_name};
use mam_grammar::{Limits, syntax};
use mam_runtime::Outside;
use mam_runtime::score::Rational;
use mam_runtime::score::limits::MOST_EVENTS_PER_CYCLE;
use mam_runtime::sort::Sort;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fmt::Write as _;

/// Bars that a song may have.
const MOST_BARS: u64 = 100_000;
/// Quarter notes a minute that a song may have.
const FASTEST: f64 = 10_000.0;
/// How many bars of the file one bar of the song may be: a power of two.
const MOST_JOINED: u64 = 1 << 14;
/// Characters of a name.
const LONGEST_NAME: usize = 30;
/// Parts of a tick in which times are counted, so that the bar of every meter is a whole number of them.
const FINE: u64 = 64;

/// The bars of a song, in parts of a tick.
#[derive(Clone, Copy, Debug)]
struct Bars {
    /// The length of one.
    length: u64,
    count: u64,
    /// How many bars of the file one is.
    joined: u64,
}

/// The text of the song.
///
/// # Errors
/// In words, if the notes do not fit what a song may have.
pub(super) fn write(mut played: Played, file: &MidiFile, kit: &Kit) -> Result<String, String> {
    let division = file.division;
    if let Division::Seconds { num, den, .. } = division {
        // Ticks of a fixed time: a quarter note is a second, or 1.001.
        let bpm = Rational::ratio(60 * i64::from(den), num);
        (played.tempos, played.meter) = ([(0, bpm)].into(), None);
    }
    played.tempos.entry(0).or_insert(Rational::whole(120));
    let (Division::Quarter(ticks) | Division::Seconds { ticks, .. }) = division;
    let bars = bars(&played, ticks.into())?;
    let mut song = Song { text: String::new(), limit: Limits::default().file_bytes };
    head(&mut song, &played, bars)?;
    let mut names = BTreeSet::new();
    let mut heard = vec![];
    let mut lines = Song { text: String::new(), limit: song.limit };
    for part in played.parts {
        let (definition, pitched, machine) = match part.player {
            Player::Instrument(index) => (kit.get(index).name.as_str(), kit.get(index).pitched, None),
            Player::Machine { track, channel } => {
                (Outside::MIDI_OUT, true, Some(machine(&file.tracks[track], channel)))
            }
        };
        let name = unused(part.name.as_deref(), definition, &names);
        let (layers, is_machine) = (layers(part, bars)?, machine.is_some());
        let voices = (layers.len() > 1).then(|| format!("voices: {}", layers.len()));
        let arguments = machine.into_iter().chain(voices).collect::<Vec<_>>().join(", ");
        song.add(format_args!("{name} = {definition}({arguments})\n"))?;
        lines.add(format_args!("  {name} \""))?;
        pattern(&mut lines, &layers, bars, pitched)?;
        lines.add(format_args!("\"\n"))?;
        names.insert(name.clone());
        if !is_machine {
            heard.push(name);
        }
    }
    song.add(format_args!("\nplay {{\n{}}}\n\n", lines.text))?;
    match heard.is_empty() {
        true => song.add(format_args!("out = 0\n"))?,
        false => {
            song.add(format_args!("out = softclip({} * ({}))\n", share(heard.len()), heard.join(" + ")))?;
        }
    }
    Ok(song.text)
}

/// The arguments of the machine that a track goes to.
fn machine(track: &Track, channel: u8) -> String {
    let port: String = track.device.iter().flat_map(|name| name.chars()).filter(|&c| c != '"').collect();
    format!("\"{port}\", channel: {}", channel + 1)
}

/// The level of each of `n` parts: sounds that have nothing to do with one another add up to √n of one.
fn share(n: usize) -> String {
    let percent = 50.0 * (2.0 / n.max(1) as f64).sqrt();
    if percent < 10.0 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// A text of bounded length.
struct Song {
    text: String,
    limit: usize,
}

impl Song {
    fn add(&mut self, what: std::fmt::Arguments) -> Result<(), String> {
        let _ = self.text.write_fmt(what);
        match self.text.len() < self.limit {
            true => Ok(()),
            false => {
                Err(format!("the song would be longer than the {} KiB that one may have", self.limit >> 10))
            }
        }
    }
}

fn bars(played: &Played, ticks: u64) -> Result<Bars, String> {
    let (beats, power) = played.meter.unwrap_or((4, 2));
    let one = ticks * 4 * FINE / (1 << power) * u64::from(beats);
    let last = played.parts.iter().flat_map(|p| &p.notes).map(|n| n.end).max().unwrap_or(0).max(1) * FINE;
    let fastest = played.tempos.range(..last).map(|(_, bpm)| bpm.to_f64()).fold(0.0, f64::max);
    let mut joined = 1;
    while joined < MOST_JOINED
        && (fastest / joined as f64 > FASTEST || last.div_ceil(one * joined) > MOST_BARS)
    {
        joined *= 2;
    }
    let length = one * joined;
    let (notes, all) = (last.div_ceil(length), (played.end * FINE).div_ceil(length));
    if notes > MOST_BARS {
        return Err(format!("it is {} long; a song has at most {MOST_BARS}", count(notes as usize, "bar")));
    }
    // Rests after the last note count, unless a song cannot be so long.
    Ok(Bars { length, count: if all > MOST_BARS { notes } else { all.max(notes) }, joined })
}

/// Title, meter, tempo and length.
fn head(song: &mut Song, played: &Played, bars: Bars) -> Result<(), String> {
    let plain = |c: &char| !c.is_control() && *c != '"';
    let title: String = played.title.iter().flat_map(|t| t.chars()).filter(plain).collect();
    if !title.trim().is_empty() {
        song.add(format_args!("title \"{}\"\n", title.trim()))?;
    }
    match played.meter.unwrap_or((4, 2)) {
        (4, 2) => {}
        (beats, power) => song.add(format_args!("meter {beats}/{}\n", 1u32 << power))?,
    }
    let mut before = None;
    for (&tick, &bpm) in played.tempos.iter().filter(|t| t.0 * FINE < bars.length * bars.count) {
        if before == Some(bpm) {
            continue;
        }
        before = Some(bpm);
        song.add(format_args!("tempo {}", tempo(bpm, bars.joined)))?;
        let place = fraction(tick * FINE + bars.length, bars.length);
        if tick > 0 {
            song.add(format_args!(" at bar {place}"))?;
        }
        song.add(format_args!("\n"))?;
    }
    song.add(format_args!("length {}\n\n", count(bars.count as usize, "bar")))
}

/// A tempo as it is written: exactly where it has few digits, else to 10⁻¹⁰ of itself.
fn tempo(bpm: Bpm, joined: u64) -> String {
    let bpm = bpm.to_f64() / joined as f64;
    let digits = (10.0 - bpm.log10()).ceil().clamp(0.0, 30.0) as usize;
    let text = format!("{bpm:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// `5`, or `23/4`.
fn fraction(num: u64, den: u64) -> String {
    let g = num_integer::gcd(num, den);
    if den == g { format!("{}", num / g) } else { format!("{}/{}", num / g, den / g) }
}

/// Notes spread over as few layers as it takes for none to overlap another, in parts of a tick. Of more than an
/// instrument has voices, the one that would end first ends where the new one starts.
fn layers(part: Part, bars: Bars) -> Result<Vec<Vec<Note>>, String> {
    let mut notes = part.notes;
    for note in &mut notes {
        (note.start, note.end) = (note.start * FINE, note.end * FINE);
    }
    notes.put_in_order_by_key(|n| (n.start, n.key));
    check_density(&notes, bars)?;
    let most = Limits::default().voices;
    let mut layers: Vec<Vec<Note>> = Vec::new();
    // Layers whose last note has ended, and those in which one sounds, by its end.
    let mut free: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut taken: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    for note in notes {
        while let Some(&Reverse((end, layer))) = taken.peek()
            && (end <= note.start || (layers.len() >= most && free.is_empty()))
        {
            taken.pop();
            free.push(Reverse(layer));
            if let Some(last) = layers[layer].last_mut() {
                last.end = last.end.min(note.start);
            }
        }
        let layer = free.pop().map_or(layers.len(), |Reverse(layer)| layer);
        if layer == layers.len() {
            layers.push(vec![]);
        }
        // A note that was cut at its own start is gone.
        if layers[layer].last().is_some_and(|last| last.end == last.start) {
            layers[layer].pop();
        }
        layers[layer].push(note);
        taken.push(Reverse((note.end, layer)));
    }
    Ok(layers)
}

/// A bar of a pattern has a limit of its own.
fn check_density(notes: &[Note], bars: Bars) -> Result<(), String> {
    let mut sounding: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let (mut bar, mut within) = (0, 0);
    for note in notes {
        if note.start / bars.length != bar {
            bar = note.start / bars.length;
            while sounding.peek().is_some_and(|end| end.0 <= bar * bars.length) {
                sounding.pop();
            }
            within = sounding.len();
        }
        sounding.push(Reverse(note.end));
        within += 1;
        if within > MOST_EVENTS_PER_CYCLE {
            return Err(format!("bar {} has more than {MOST_EVENTS_PER_CYCLE} notes of one part", bar + 1));
        }
    }
    Ok(())
}

/// The layers as one pattern, slowed down to so many bars. Lengths are in the greatest unit that divides all.
fn pattern(song: &mut Song, layers: &[Vec<Note>], bars: Bars, pitched: bool) -> Result<(), String> {
    let times = layers.iter().flatten().flat_map(|n| [n.start, n.end]);
    let unit = times.fold(bars.length, num_integer::gcd);
    song.add(format_args!("[\n"))?;
    for (index, notes) in layers.iter().enumerate() {
        if index > 0 {
            song.add(format_args!("  ,\n"))?;
        }
        Layer { song, unit, bars, at: 0, line: None }.write(notes, pitched)?;
    }
    match bars.count {
        1 => song.add(format_args!("  ]")),
        count => song.add(format_args!("  ]/{count}")),
    }
}

/// One layer while it is written: a line of text for each bar in which something begins.
struct Layer<'a> {
    song: &'a mut Song,
    unit: u64,
    bars: Bars,
    at: u64,
    /// The bar of the present line.
    line: Option<u64>,
}

impl Layer<'_> {
    fn write(mut self, notes: &[Note], pitched: bool) -> Result<(), String> {
        for note in notes {
            self.rest(note.start)?;
            self.step(&word(note, pitched), note.end)?;
        }
        self.rest(self.bars.length * self.bars.count)?;
        self.song.add(format_args!("\n"))
    }

    /// A rest is cut at the next bar line, and at the one before its end, so that bars begin lines.
    fn rest(&mut self, to: u64) -> Result<(), String> {
        let length = self.bars.length;
        for cut in [self.at.next_multiple_of(length), to / length * length, to] {
            if self.at < cut && cut <= to {
                self.step("~", cut)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, what: &str, to: u64) -> Result<(), String> {
        let bar = self.at / self.bars.length;
        let before = match self.line {
            None => "    ",
            Some(line) if line == bar => " ",
            Some(_) => "\n    ",
        };
        self.line = Some(bar);
        let weight = (to - self.at) / self.unit;
        self.at = to;
        match weight {
            1 => self.song.add(format_args!("{before}{what}")),
            _ => self.song.add(format_args!("{before}{what}@{weight}")),
        }
    }
}

fn word(note: &Note, pitched: bool) -> String {
    const NAMES: [&str; 12] = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"];
    let name = match pitched {
        false => "x".to_string(),
        true => format!("{}{}", NAMES[usize::from(note.key) % 12], i32::from(note.key) / 12 - 1),
    };
    // 100 is what mam writes for a velocity of 1.
    if note.vel == 100 { name } else { format!("{name}:{}", f64::from(note.vel) / 100.0) }
}

/// A name that the song does not have yet: the track's, in letters that names are made of, or the instrument's.
fn unused(track: Option<&str>, instrument: &str, names: &BTreeSet<String>) -> String {
    let first = track.map(identifier).filter(|name| is_name(name) && !STATEMENTS.contains(&name.as_str()));
    let first = first.unwrap_or_else(|| instrument.to_string());
    let numbered = |i: usize| if i == 1 { first.clone() } else { format!("{first}_{i}") };
    (1..).map(numbered).find(|name| !names.contains(name)).unwrap_or(first)
}

/// `grand_piano` of `Grand Piano`; what is a name already stays as it is.
fn identifier(text: &str) -> String {
    if syntax::is_word(text) {
        return text.chars().take(LONGEST_NAME).collect();
    }
    let mut name = String::new();
    for c in text.chars().take(LONGEST_NAME) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('_');
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("part_{name}") } else { name.to_string() }
}
