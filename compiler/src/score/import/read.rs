//! The events of a standard MIDI file, read from untrusted bytes.
//!
//! Players are lenient, so this reader is too: running status survives meta events and SysEx, system messages that do
//! not belong in a file are skipped by their length, unknown chunks are ignored, and a track that breaks off is read
//! up to there. What was odd becomes a remark that names the track and the byte, counted from the start of the file.
//! Memory is bounded by [`MOST_EVENTS`].

use mam_grammar::problem::count;

/// Events that are kept of one file. A song's text of 768 KiB holds fewer notes than that.
const MOST_EVENTS: usize = 1 << 19;
/// Remarks that are kept of one file.
const MOST_REMARKS: usize = 20;
/// How far into a file its header may be: other containers (RIFF, MacBinary) put something in front of it.
const MOST_BEFORE: usize = 4096;

/// A file's events, in the order of its tracks.
#[derive(Debug, Default)]
pub(super) struct MidiFile {
    /// Tracks follow one another (format 2), instead of sounding together.
    pub(super) sequential: bool,
    /// All tracks may use all channels for different things (format 0 has one track of them).
    pub(super) single: bool,
    pub(super) division: Division,
    pub(super) tracks: Vec<Track>,
    /// What was odd, for people.
    pub(super) remarks: Remarks,
}

/// What a tick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Division {
    /// So many ticks a quarter note.
    Quarter(u32),
    /// So many ticks in `num`/`den` seconds.
    Seconds { ticks: u32, num: u32, den: u32 },
}

impl Default for Division {
    fn default() -> Division {
        Division::Quarter(480)
    }
}

/// One track of a MIDI file, with its events in order.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Its name; text of the file.
    pub(super) name: Option<String>,
    /// The name of its instrument; text of the file.
    pub(super) instrument: Option<String>,
    /// The name of the device that it goes to; text of the file.
    pub(super) device: Option<String>,
    pub(super) events: Vec<Event>,
    /// Ticks from its start to its end.
    pub(super) end: u64,
    /// It has pitch bends or pressure.
    pub(super) bends: bool,
}

/// An event, in ticks from the start of its track.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) tick: u64,
    /// The MIDI port in the upper four bits and above, the channel in the lower four.
    pub(super) channel: u16,
    pub(super) kind: Kind,
}

/// The kinds of events that matter to a song.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    On {
        key: u8,
        vel: u8,
    },
    Off {
        key: u8,
    },
    Program(u8),
    Pedal(bool),
    /// All notes of the channel end.
    Silence,
    /// Microseconds a quarter note.
    Tempo(u32),
    /// Beats, and the power of two that divides a whole note into them.
    Meter(u8, u8),
    /// The text of a text event.
    Text(String),
}

/// Remarks for people, of which only the first are kept.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    first: Vec<String>,
    more: usize,
}

impl Remarks {
    /// Adds a remark, or counts it where there are enough.
    pub(super) fn add(&mut self, remark: String) {
        match self.first.len() < MOST_REMARKS {
            true => self.first.push(remark),
            false => self.more += 1,
        }
    }

    /// All of them, the last of which counts those that were not kept.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        if self.more > 0 {
            self.first.push(format!("{} more like these", self.more));
        }
        self.first
    }
}

/// Reads a file.
///
/// # Errors
/// In words, if there is no header, or there are more events than a song can hold.
pub(super) fn read(bytes: &[u8]) -> Result<MidiFile, String> {
    let front = &bytes[..bytes.len().min(MOST_BEFORE)];
    let start =
        front.windows(4).position(|w| w == b"MThd").ok_or("this is not a MIDI file: it has no `MThd`")?;
    let header = Chunk::at(bytes, start).filter(|c| c.body.len() >= 6).ok_or("its header breaks off")?;
    let word = |at: usize| u16::from_be_bytes([header.body[at], header.body[at + 1]]);
    let (format, said) = (word(0), usize::from(word(2)));
    let mut file = MidiFile { division: division(word(4))?, ..MidiFile::default() };
    file.sequential = format == 2;
    file.single = format == 0;
    if format > 2 {
        file.remarks.add(format!("its format is {format}, which is not known; it is read as format 1"));
    }
    file.chunks(bytes, header.end)?;
    if file.tracks.len() != said {
        let (said, found) = (count(said, "track"), file.tracks.len());
        file.remarks.add(format!("its header says that it has {said}; it has {found}"));
    }
    Ok(file)
}

impl MidiFile {
    /// Reads the chunks from byte `at` on.
    fn chunks(&mut self, bytes: &[u8], mut at: usize) -> Result<(), String> {
        let mut events = 0;
        while at < bytes.len() {
            let chunk = match Chunk::at(bytes, at) {
                Some(chunk) if chunk.is_plausible() => chunk,
                _ => {
                    let next = next_track(bytes, at + 1..bytes.len());
                    let skipped = count(next.unwrap_or(bytes.len()) - at, "byte");
                    self.remarks.add(format!("{skipped} from byte {at} on are of no chunk; skipped"));
                    at = next.unwrap_or(bytes.len());
                    continue;
                }
            };
            at = chunk.end;
            if chunk.kind == b"MTrk" {
                at = self.track(bytes, &chunk, &mut events)?;
            }
        }
        Ok(())
    }

    /// Reads a track, and returns the byte at which the next chunk starts.
    fn track(&mut self, bytes: &[u8], chunk: &Chunk, events: &mut usize) -> Result<usize, String> {
        let number = self.tracks.len() + 1;
        let mut reader = Reader { bytes, at: chunk.start, end: chunk.end, number };
        let (track, ended) = reader.track(&mut self.remarks, events)?;
        self.tracks.push(track);
        if chunk.cut && !ended {
            self.remarks
                .add(format!("track {number} breaks off at byte {}, where the file ends", bytes.len()));
        }
        // A track that ends before its chunk has too great a length, which may hide the next one.
        let hidden = ended.then(|| next_track(bytes, reader.at..chunk.end)).flatten();
        Ok(hidden.unwrap_or(chunk.end))
    }
}

/// The first byte of a track's chunk within a range.
fn next_track(bytes: &[u8], range: std::ops::Range<usize>) -> Option<usize> {
    let found = bytes[range.clone()].windows(4).position(|w| w == b"MTrk");
    found.map(|at| range.start + at)
}

fn division(word: u16) -> Result<Division, String> {
    let [frames, ticks] = word.to_be_bytes();
    if frames < 0x80 {
        return match word {
            0 => Err("its header says 0 ticks a quarter note".into()),
            ticks => Ok(Division::Quarter(ticks.into())),
        };
    }
    let frames = 0x100 - u32::from(frames);
    let ticks = frames * u32::from(ticks);
    match frames {
        24 | 25 | 30 if ticks > 0 => Ok(Division::Seconds { ticks, num: 1, den: 1 }),
        // 29 stands for 30 frames in 1.001 seconds.
        29 if ticks > 0 => Ok(Division::Seconds { ticks: ticks / 29 * 30, num: 1001, den: 1000 }),
        _ => Err(format!("its header divides time into {frames} frames a second of {} ticks", word & 0xFF)),
    }
}

/// A chunk of a file: four letters, a length, bytes.
struct Chunk<'a> {
    kind: &'a [u8],
    body: &'a [u8],
    /// Byte of the file at which the body starts, and the one after its end.
    start: usize,
    end: usize,
    /// The file ends before the chunk does.
    cut: bool,
}

impl Chunk<'_> {
    /// False for bytes that are of a track whose length is wrong.
    fn is_plausible(&self) -> bool {
        self.kind == b"MTrk" || (self.kind.iter().all(|b| (0x20..0x7F).contains(b)) && !self.cut)
    }

    fn at(bytes: &[u8], at: usize) -> Option<Chunk<'_>> {
        let start = at + 8;
        let head = bytes.get(at..start)?;
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let end = start.saturating_add(length).min(bytes.len());
        Some(Chunk { kind: &head[..4], body: &bytes[start..end], start, end, cut: end - start < length })
    }
}

/// Reads the events of one track.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    /// The track's number, from 1.
    number: usize,
}

/// Why a track cannot be read on: what is wrong, in words.
type Broken = &'static str;

impl Reader<'_> {
    /// The track, and whether it ends as it should: by an event that says so.
    fn track(&mut self, remarks: &mut Remarks, events: &mut usize) -> Result<(Track, bool), String> {
        let mut state = State::default();
        while self.at < self.end && !state.ended {
            let from = self.at;
            if let Err(why) = self.event(&mut state, remarks) {
                remarks.add(format!(
                    "track {} cannot be read on from byte {from}: {why}; what was before it is used",
                    self.number
                ));
                break;
            }
            if *events + state.track.events.len() > MOST_EVENTS {
                return Err(format!(
                    "it has more than {MOST_EVENTS} notes and changes: a song cannot hold them"
                ));
            }
        }
        *events += state.track.events.len();
        state.track.end = state.tick;
        Ok((state.track, state.ended))
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = self.bytes[..self.end].get(self.at).ok_or("it breaks off within an event")?;
        self.at += 1;
        Ok(*byte)
    }

    /// A number of seven bits a byte.
    fn number(&mut self) -> Result<u32, Broken> {
        let mut number = 0;
        loop {
            let byte = self.byte()?;
            if number >= 1 << 21 {
                return Err("a number is longer than four bytes");
            }
            number = number << 7 | u32::from(byte & 0x7F);
            if byte < 0x80 {
                return Ok(number);
            }
        }
    }

    fn event(&mut self, state: &mut State, remarks: &mut Remarks) -> Result<(), Broken> {
        state.tick += u64::from(self.number()?);
        let place = self.at;
        let first = self.byte()?;
        match first {
            0xFF => return self.meta(state),
            0xF0 | 0xF7 => {
                let length = self.number()? as usize;
                return self.skip(length);
            }
            // Messages of the system that are not for files. Their lengths are known.
            0xF1..=0xFE => {
                remarks
                    .add(format!("track {} has a stray {first:02x} at byte {place}; skipped", self.number));
                return self.skip([0, 1, 2, 1].get(usize::from(first & 15)).copied().unwrap_or(0));
            }
            0x80.. => state.status = first,
            _ if state.status == 0 => return Err("there is no event before it whose status it could share"),
            _ => self.at = place,
        }
        self.message(state, remarks)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Broken> {
        match self.end - self.at >= bytes {
            true => self.at += bytes,
            false => return Err("it breaks off within an event"),
        }
        Ok(())
    }

    /// The data bytes of a channel's message.
    fn message(&mut self, state: &mut State, remarks: &mut Remarks) -> Result<(), Broken> {
        let place = self.at;
        let two = !matches!(state.status, 0xC0..=0xDF);
        let (a, b) = (self.byte()?, if two { self.byte()? } else { 0 });
        if a > 0x7F || b > 0x7F {
            let number = self.number;
            remarks.add(format!("track {number} has a data byte above 7f at byte {place}; it is read as 7f"));
        }
        let (key, b) = (a.min(0x7F), b.min(0x7F));
        let kind = match state.status & 0xF0 {
            0x90 if b > 0 => Kind::On { key, vel: b },
            0x80 | 0x90 => Kind::Off { key },
            0xC0 => Kind::Program(key),
            0xB0 => match key {
                64 => Kind::Pedal(b >= 64),
                // Mode messages end all notes as well.
                120 | 123..=127 => Kind::Silence,
                // All controllers go back to their defaults.
                121 => Kind::Pedal(false),
                _ => return Ok(()),
            },
            _ => {
                state.track.bends = true;
                return Ok(());
            }
        };
        state.push(u16::from(state.status & 15) | state.port << 4, kind);
        Ok(())
    }

    fn meta(&mut self, state: &mut State) -> Result<(), Broken> {
        let kind = self.byte()?;
        if kind == 0x2F {
            // The last event of a file that was cut may lack its length, which is 0.
            state.ended = true;
            self.at = self.end.min(self.at + 1);
            return Ok(());
        }
        let length = self.number()? as usize;
        let start = self.at;
        self.skip(length)?;
        let data = &self.bytes[start..self.at];
        match (kind, data) {
            (0x51, &[a, b, c, ..]) => {
                state.push(0, Kind::Tempo(u32::from_be_bytes([0, a, b, c]).max(1)));
            }
            (0x58, &[beats, power, ..]) => state.push(0, Kind::Meter(beats, power)),
            (0x21, &[port, ..]) => state.port = u16::from(port),
            (0x01, _) if data.starts_with(b"tempo ") => state.push(0, Kind::Text(text(data))),
            (0x03, _) => state.track.name = state.track.name.take().or(Some(text(data))),
            (0x09, _) => state.track.device = state.track.device.take().or(Some(text(data))),
            (0x04, _) => state.track.instrument = state.track.instrument.take().or(Some(text(data))),
            _ => {}
        }
        Ok(())
    }
}

/// What is known while a track is read.
#[derive(Default)]
struct State {
    track: Track,
    tick: u64,
    /// The status that data bytes without one share; 0 before the first.
    status: u8,
    port: u16,
    ended: bool,
}

impl State {
    fn push(&mut self, channel: u16, kind: Kind) {
        self.track.events.push(Event { tick: self.tick, channel, kind });
    }
}

/// The characters of a text: UTF-8, or Latin-1, as old files have it. At most 100 of them, without control characters.
fn text(bytes: &[u8]) -> String {
    const MOST: usize = 100;
    let all: String = match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().filter(|c| !c.is_control()).take(MOST).collect(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).filter(|c| !c.is_control()).take(MOST).collect(),
    };
    all.trim().to_string()
}
