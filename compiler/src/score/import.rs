//! The notes of a standard MIDI file as a `.mam` song.
//!
//! Every note keeps its exact place and length: a track becomes one sequence over the whole file, whose steps have
//! weights in a common division of the beat, and notes that overlap go into layers of their own. Drum channels play
//! the prelude's drums, other channels an instrument of the prelude that is near the file's own. Controllers and
//! pitch bends are left out, and only the first time signature counts.

use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// A note of the file, in ticks.
#[derive(Clone, Copy, Debug)]
struct Note {
    start: u64,
    end: u64,
    key: u8,
    vel: u8,
}

/// What a line of the song plays: a drum, or a channel of a track.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Voice {
    track: usize,
    channel: u8,
    drum: Option<&'static str>,
}

#[derive(Default)]
struct Read {
    notes: BTreeMap<Voice, Vec<Note>>,
    /// Microseconds a quarter, by tick.
    tempos: BTreeMap<u64, u32>,
    meter: Option<(u8, u8)>,
    programs: HashMap<(usize, u8), u8>,
    title: Option<String>,
    last: u64,
}

/// The song, or why the bytes are not a MIDI file.
pub fn import(bytes: &[u8]) -> Result<String, String> {
    let smf = Smf::parse(bytes).map_err(|e| format!("this is not a MIDI file that can be read: {e}"))?;
    let ticks = match smf.header.timing {
        Timing::Metrical(ticks) => u64::from(ticks.as_int()).max(1),
        // Without a tempo of its own the file is laid on beats of half a second.
        Timing::Timecode(fps, sub) => {
            (f64::from(fps.as_f32()) * f64::from(sub) / 2.0).round().max(1.0) as u64
        }
    };
    let mut read = Read::default();
    let mut offset = 0;
    for (index, track) in smf.tracks.iter().enumerate() {
        read.last = read.last.max(offset);
        read.track(index, track, offset);
        if smf.header.format == midly::Format::Sequential {
            offset = read.last;
        }
    }
    if read.notes.is_empty() {
        return Err("this MIDI file has no notes".into());
    }
    Ok(read.song(ticks))
}

impl Read {
    fn track(&mut self, index: usize, track: &[midly::TrackEvent], offset: u64) {
        let mut at = offset;
        let mut held: HashMap<(u8, u8), Vec<(u64, u8)>> = HashMap::new();
        for event in track {
            at += u64::from(event.delta.as_int());
            match event.kind {
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) => {
                    self.tempos.insert(at, micros.as_int().max(1));
                }
                TrackEventKind::Meta(MetaMessage::TimeSignature(beats, power, ..)) => {
                    self.meter.get_or_insert((beats.max(1), power.min(6)));
                }
                TrackEventKind::Meta(MetaMessage::TrackName(name)) if index == 0 => {
                    self.title = Some(String::from_utf8_lossy(name).into_owned());
                }
                TrackEventKind::Midi { channel, message } => {
                    let channel = channel.as_int();
                    match message {
                        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
                            held.entry((channel, key.as_int())).or_default().push((at, vel.as_int()));
                        }
                        MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                            let open = held.entry((channel, key.as_int())).or_default();
                            if !open.is_empty() {
                                let (start, vel) = open.remove(0);
                                self.note(index, channel, Note { start, end: at, key: key.as_int(), vel });
                            }
                        }
                        MidiMessage::ProgramChange { program } => {
                            self.programs.entry((index, channel)).or_insert(program.as_int());
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for ((channel, key), open) in held {
            for (start, vel) in open {
                self.note(index, channel, Note { start, end: at, key, vel });
            }
        }
        self.last = self.last.max(at);
    }

    fn note(&mut self, track: usize, channel: u8, note: Note) {
        const DRUMS: u8 = 9;
        let drum = (channel == DRUMS).then(|| drum(note.key));
        let note = Note { end: note.end.max(note.start + 1), ..note };
        self.notes.entry(Voice { track, channel, drum }).or_default().push(note);
    }

    fn song(mut self, ticks: u64) -> String {
        let (beats, power) = self.meter.unwrap_or((4, 2));
        // Ticks of a bar, times 64, so that every unit of a meter is a whole number.
        let bar64 = ticks * 4 * 64 / (1 << power) * u64::from(beats);
        let last = self.notes.values().flatten().map(|n| n.end).max().unwrap_or(0).max(1);
        let bars = (last * 64).div_ceil(bar64).max(1);
        let mut text = String::new();
        if let Some(title) = self.title.as_ref().filter(|t| !t.is_empty()) {
            let plain: String = title.chars().filter(|c| !c.is_control() && *c != '"').collect();
            let _ = writeln!(text, "title \"{plain}\"");
        }
        self.head(&mut text, bar64, bars);
        let voices: Vec<(Voice, Vec<Note>)> = std::mem::take(&mut self.notes).into_iter().collect();
        let mut names = Vec::new();
        let mut lines = String::new();
        for (voice, notes) in voices {
            let kind = voice.drum.unwrap_or_else(|| {
                instrument(self.programs.get(&(voice.track, voice.channel)).copied().unwrap_or(0))
            });
            let name = unused(kind, &names);
            let layers = layers(notes);
            let several = if layers.len() > 1 { format!("voices: {}", layers.len()) } else { String::new() };
            let _ = writeln!(text, "{name} = {kind}({several})");
            let _ = writeln!(lines, "  {name} \"{}\"", pattern(&layers, bar64, bars, voice.drum.is_some()));
            names.push(name);
        }
        let share = 100 / names.len().max(2);
        let _ = writeln!(text, "\nplay {{\n{lines}}}\n\nout = softclip({share}% * ({}))", names.join(" + "));
        text
    }

    /// Tempo, meter and length.
    fn head(&self, text: &mut String, bar64: u64, bars: u64) {
        let (beats, power) = self.meter.unwrap_or((4, 2));
        if (beats, power) != (4, 2) {
            let _ = writeln!(text, "meter {beats}/{}", 1u32 << power);
        }
        let mut before = None;
        if !self.tempos.contains_key(&0) {
            text.push_str("tempo 120\n");
            before = Some(500_000);
        }
        for (&tick, &micros) in self.tempos.iter().filter(|t| t.0 * 64 < bar64 * bars) {
            if before == Some(micros) {
                continue;
            }
            before = Some(micros);
            let bpm = (60_000_000_000.0 / f64::from(micros)).round() / 1000.0;
            let _ = match tick {
                0 => writeln!(text, "tempo {bpm}"),
                _ => writeln!(text, "tempo {bpm} at bar {}", fraction(tick * 64 + bar64, bar64)),
            };
        }
        let _ = writeln!(text, "length {}\n", mam_grammar::problem::count(bars as usize, "bar"));
    }
}

/// `5`, or `23/4`.
fn fraction(num: u64, den: u64) -> String {
    let g = gcd(num, den);
    if den == g { format!("{}", num / g) } else { format!("{}/{}", num / g, den / g) }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// Notes spread over as few layers as it takes for none to overlap another.
fn layers(mut notes: Vec<Note>) -> Vec<Vec<Note>> {
    notes.sort_by_key(|n| (n.start, n.key));
    let mut layers: Vec<Vec<Note>> = Vec::new();
    for note in notes {
        match layers.iter_mut().find(|l| l.last().is_none_or(|last| last.end <= note.start)) {
            Some(layer) => layer.push(note),
            None => layers.push(vec![note]),
        }
    }
    layers
}

/// The layers as one pattern, slowed down to so many bars. Lengths are in the greatest unit that divides all.
fn pattern(layers: &[Vec<Note>], bar64: u64, bars: u64, drum: bool) -> String {
    let times = layers.iter().flatten().flat_map(|n| [n.start * 64, n.end * 64]);
    let unit = times.fold(bar64, gcd);
    let text: Vec<String> = layers.iter().map(|l| layer(l, unit, bar64, bars, drum)).collect();
    let slow = if bars > 1 { format!("/{bars}") } else { String::new() };
    format!("[\n{}  ]{slow}", text.join("  ,\n"))
}

/// One layer: a line of text a bar.
fn layer(notes: &[Note], unit: u64, bar64: u64, bars: u64, drum: bool) -> String {
    let mut text = String::new();
    let mut at = 0;
    let mut bar = 0;
    let mut step = |text: &mut String, what: &str, from: u64, to: u64| {
        let weight = (to - from) / unit;
        if from / bar64 > bar || text.is_empty() {
            bar = from / bar64;
            text.push_str(if text.is_empty() { "    " } else { "\n    " });
        } else {
            text.push(' ');
        }
        text.push_str(what);
        if weight != 1 {
            let _ = write!(text, "@{weight}");
        }
    };
    // A rest is cut at the bar lines, so that each bar begins a line.
    let rest = |text: &mut String, from: u64, to: u64, step: &mut dyn FnMut(&mut String, &str, u64, u64)| {
        let mut from = from;
        while from < to {
            let until = ((from / bar64 + 1) * bar64).min(to);
            step(text, "~", from, until);
            from = until;
        }
    };
    for note in notes {
        let (start, end) = (note.start * 64, note.end * 64);
        rest(&mut text, at, start, &mut step);
        step(&mut text, &word(note, drum), start, end);
        at = end;
    }
    rest(&mut text, at, bar64 * bars, &mut step);
    text.push('\n');
    text
}

fn word(note: &Note, drum: bool) -> String {
    const NAMES: [&str; 12] = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"];
    let name = match drum {
        true => "x".to_string(),
        false => format!("{}{}", NAMES[usize::from(note.key) % 12], i32::from(note.key) / 12 - 1),
    };
    // 100 is what mam writes for a velocity of 1.
    if note.vel == 100 { name } else { format!("{name}:{}", f64::from(note.vel) / 100.0) }
}

/// The prelude's drum for a key of General MIDI.
fn drum(key: u8) -> &'static str {
    match key {
        35 | 36 => "kick",
        37 | 38 | 40 => "snare",
        39 => "clap",
        46 | 49 | 51 | 52 | 55 | 57 | 59 => "open_hat",
        41 | 43 | 45 | 47 | 48 | 50 => "tom",
        _ => "closed_hat",
    }
}

/// The prelude's instrument for a program of General MIDI.
fn instrument(program: u8) -> &'static str {
    match program {
        8..=15 | 112..=115 => "bell",
        32..=39 => "sub",
        16..=23 | 40..=103 => "supersaw",
        _ => "pluck",
    }
}

/// `bass`, or `bass2`: a name that is none of `names`. Never the definition's own, so that both can be read.
fn unused(kind: &str, names: &[String]) -> String {
    let first = match kind {
        "kick" => "bd",
        "snare" => "sd",
        "clap" => "cp",
        "closed_hat" => "hh",
        "open_hat" => "oh",
        "tom" => "toms",
        "sub" => "bass",
        "supersaw" => "pad",
        "bell" => "bells",
        _ => "keys",
    };
    let taken = |name: &String| names.contains(name);
    let mut numbered = (1..).map(|i| if i == 1 { first.to_string() } else { format!("{first}{i}") });
    numbered.find(|name| !taken(name)).unwrap_or_default()
}
