//! A logged performance as sound: its mix, and what is heard of it by itself.

use super::document::{Document, VERSION};
use super::songs::{Version, sounds, versions};
use crate::console::Console;
use crate::failure::Failure;
use crate::files::{Extra, Rendering};
use crate::input;
use crate::output::Inputs;
use crate::report::finite;
use crate::stems::{Difference, all_heard};
use crate::timing::{Position, Time};
use crate::values::{Length, Rate};
use mam_compiler::listen::{Listen, Part, Side};
use mam_compiler::target::Target;
use mam_runtime::control::{self, Entry, Heard, Log, Replay, Scored, Summand, Taken};
use mam_runtime::file::Frames;
use mam_runtime::{ChannelLayout, NotFinite, Program};
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The log of a performance, and at which rate that is rendered.
pub struct Take {
    path: PathBuf,
    document: Document,
    rate: u32,
}

/// What is heard of a performance.
pub struct Performance<'t> {
    take: &'t Take,
    programs: Vec<Arc<Program>>,
    /// Something else than the mix.
    heard: Option<Heard>,
    channels: usize,
    /// What was not finite in a rendering of it, each step once.
    not_finite: Mutex<Vec<(Arc<Program>, NotFinite)>>,
}

/// A performance whose stems and equations are heard.
pub struct Listening<'t> {
    take: &'t Take,
    versions: Vec<Version>,
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::WrongInput(format!("`{}` is not the log of a performance: {why}", path.display()))
}

fn read(path: &Path, console: Console) -> Result<Document, Failure> {
    #[derive(Deserialize)]
    struct Version {
        mamlog: u32,
    }
    let text = input::text(path)?;
    let wrong = |error: serde_json::Error| match error.is_eof() {
        true => broken(path, "it is cut off"),
        false => broken(path, &error.to_string()),
    };
    let Version { mamlog } =
        Version::deserialize(&mut serde_json::Deserializer::from_str(&text)).map_err(wrong)?;
    if !(1..=VERSION).contains(&mamlog) {
        return Err(Failure::WrongInput(format!(
            "`{}` has version {mamlog} of the form of a log, and this mamc reads versions 1 to {VERSION}",
            path.display()
        )));
    }
    let (document, ended) = Document::read(&text).map_err(wrong)?;
    if !ended {
        let seconds = document.frames as f64 / f64::from(document.rate.max(1));
        console.say(&format!(
            "note: the performance was broken off, as when mamc is killed: its log ends after {seconds:.1} s\n"
        ));
    }
    let fits = (8000..=384_000).contains(&document.rate)
        && (1..=control::MOST_CHANNELS).contains(&document.channels)
        && document.entry[1] <= document.entry[0];
    if fits { Ok(document) } else { Err(broken(path, "its rate, channels or beginning cannot be")) }
}

fn tell_of_the_machine(document: &Document, console: Console) {
    if document.fma != Target::host().fma && document.fma {
        console.say("warning: it was played on a machine that rounds otherwise: last bits differ\n");
    }
    if document.mam != env!("CARGO_PKG_VERSION") {
        console.say(&format!("note: it was played by mam {}: sounds may have changed since\n", document.mam));
    }
}

impl Take {
    /// Reads a log, to be rendered at a rate, or at its own.
    ///
    /// # Errors
    /// When it cannot be read, or has a form that is not known.
    pub fn read(path: &Path, rate: Option<Rate>, console: Console) -> Result<Take, Failure> {
        let document = read(path, console)?;
        tell_of_the_machine(&document, console);
        let rate = rate.map_or(document.rate, |rate| rate.0);
        Ok(Take { path: path.into(), document, rate })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// What is read for it.
    pub fn inputs(&self) -> Inputs {
        let sounds = sounds(&self.document, self.folder());
        Inputs::new(sounds.iter().map(PathBuf::as_path).chain([&*self.path]))
    }

    /// What the device was given, but for the protective clamp.
    ///
    /// # Errors
    /// When a song of it does not compile any more.
    pub fn performance(&self, console: Console) -> Result<Performance<'_>, Failure> {
        let versions = self.versions(&Listen::default(), console)?;
        let programs: Vec<Arc<Program>> = versions.into_iter().map(|version| version.program).collect();
        if self.document.first >= programs.len() {
            return Err(broken(&self.path, "nothing is played"));
        }
        Ok(Performance {
            take: self,
            programs,
            heard: None,
            channels: self.document.channels,
            not_finite: Mutex::default(),
        })
    }

    /// What can be heard of it by itself. Where that is nothing, no song is compiled for it.
    ///
    /// # Errors
    /// When a song of it does not compile any more, or something of a stem is computed nowhere.
    pub fn listening(&self, listen: &Listen, console: Console) -> Result<Listening<'_>, Failure> {
        if *listen == Listen::default() {
            return Ok(Listening { take: self, versions: vec![] });
        }
        let versions = self.versions(listen, console)?;
        versions.iter().try_for_each(|version| all_heard(&version.heard))?;
        Ok(Listening { take: self, versions })
    }

    fn versions(&self, listen: &Listen, console: Console) -> Result<Vec<Version>, Failure> {
        versions(&self.document, self.rate, self.folder(), listen, console)
    }

    fn replay(&self, performance: &Performance<'_>) -> Result<Replay, Failure> {
        let document = &self.document;
        let asked = document.asked.iter().map(|entered| entered.asked(&performance.programs));
        let asked = asked.collect::<Option<Vec<_>>>();
        let taken = |&[quanta, commands]: &[u64; 2]| Taken { quanta, commands: commands as u32 };
        let log = Log {
            rate: document.rate,
            asked: asked.ok_or_else(|| broken(&self.path, "a program is not there"))?,
            taken: document.taken.iter().map(taken).collect(),
            frames: document.frames,
            is_cut: false,
        };
        let channels = performance.channels;
        let options = control::Options { channels, playing: document.playing, limit: false };
        let [at, since] = document.entry;
        let first = performance.programs[document.first].clone();
        let replay = Replay::new(first, Box::new(Scored), options, Entry { at, since }, log);
        Ok(match &performance.heard {
            None => replay,
            Some(heard) => replay.hearing(heard.clone()),
        })
    }
}

impl Performance<'_> {
    /// A length from its beginning, in frames.
    ///
    /// # Errors
    /// When it is longer than can be counted.
    pub fn frames(&self, length: Option<Length>) -> Result<u64, Failure> {
        let first = &self.programs[self.take.document.first];
        length.map_or(Ok(0), |length| Time::new(first).after(Position::START, length))
    }

    /// What its channels are.
    pub fn layout(&self) -> ChannelLayout {
        self.programs[self.take.document.first].layout
    }

    /// Frames before the music, which a recording leaves out as well.
    fn latency(&self) -> u64 {
        self.programs[self.take.document.first].latency.into()
    }

    /// Fails where something that has been rendered is silent in the place of what is written, and says what.
    ///
    /// # Errors
    /// Which steps were not finite, and where.
    pub fn check_whole(&self) -> Result<(), Failure> {
        let found = self.not_finite.lock().unwrap_or_else(PoisonError::into_inner);
        let report = finite::render_report(found.iter().map(|(program, failure)| (failure, &**program)));
        report.map_or(Ok(()), |report| Err(Failure::WrongInput(report)))
    }

    /// Keeps which steps were not finite, of each the first time.
    fn note(&self, failures: Vec<(Arc<Program>, NotFinite)>) {
        let mut found = self.not_finite.lock().unwrap_or_else(PoisonError::into_inner);
        for (program, failure) in failures {
            if found.iter().all(|(_, known)| known.computes != failure.computes) {
                found.push((program, failure));
            }
        }
    }

    fn failed(&self) -> Failure {
        broken(&self.take.path, "what was played does not follow from it")
    }
}

impl Rendering for Performance<'_> {
    fn rate(&self) -> u32 {
        self.take.rate
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn expected(&self) -> u64 {
        let Document { rate, frames, .. } = self.take.document;
        let here = u128::from(frames) * u128::from(self.take.rate) / u128::from(rate);
        u64::try_from(here).unwrap_or(u64::MAX).saturating_sub(self.latency())
    }

    fn total(&self, before: u64) -> Frames {
        let frames = before.saturating_add(self.expected());
        match self.take.rate == self.take.document.rate {
            true => Frames::Exactly(frames),
            // A fade ends with a quantum.
            false => Frames::AtMost(frames.saturating_add(u64::from(self.take.rate))),
        }
    }

    fn run(&self, take: &mut dyn FnMut(&[f32]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut replay = self.take.replay(self)?;
        let (mut samples, mut early) = (vec![], usize::try_from(self.latency()).unwrap_or(usize::MAX));
        while let Some(piece) = replay.next_quantum().map_err(|_| self.failed())? {
            let frames = piece[0].len();
            let skipped = early.min(frames);
            early -= skipped;
            samples.clear();
            for frame in skipped..frames {
                samples.extend(piece.iter().map(|channel| channel[frame]));
            }
            take(&samples)?;
            self.note(replay.not_finite());
        }
        Ok(())
    }
}

impl Listening<'_> {
    /// What each stem is called, of whichever version of the song.
    pub fn stems(&self) -> impl Iterator<Item = &str> {
        let all: Vec<&str> =
            self.versions.iter().flat_map(|version| &version.heard.stems).map(|(name, _)| &**name).collect();
        let is_first =
            |&(place, name): &(usize, &str)| all.iter().position(|other| *other == name) == Some(place);
        let first: Vec<&str> =
            all.iter().copied().enumerate().filter(is_first).map(|(_, name)| name).collect();
        first.into_iter()
    }

    /// The performance, of which a stem or an equation is heard, in those versions of the song that have it.
    ///
    /// # Errors
    /// When no version has it.
    pub fn performance(&self, extra: &Extra) -> Result<Performance<'_>, Failure> {
        let named = |heard: &[(String, Vec<Part>)]| {
            heard.iter().find(|(name, _)| *name == extra.name).map(|(_, parts)| parts.clone())
        };
        let parts = |version: &Version| match extra.is_stem {
            true => named(&version.heard.stems),
            false => named(&version.heard.equations),
        };
        let all: Vec<Option<Vec<Part>>> = self.versions.iter().map(parts).collect();
        if all.iter().all(Option::is_none) {
            let what = format!("no version of the song has an equation `{}` to tap", extra.name);
            return Err(Failure::Usage(what));
        }
        let sums: Vec<Vec<Vec<Part>>> =
            all.into_iter().map(|parts| vec![parts.unwrap_or_default()]).collect();
        Ok(self.heard(&sums, 0..self.width()))
    }

    /// Compares the sum of the stems with the mix before the master.
    ///
    /// # Errors
    /// As a render's.
    pub fn check(&self) -> Result<Difference, Failure> {
        let sums = |version: &Version| {
            let total = version.heard.total.clone();
            let less = version.heard.stems.iter().flat_map(|(_, parts)| parts);
            let less = less.map(|part| Part { minus: !part.minus, ..part.clone() });
            let rest = total.iter().cloned().chain(less).collect();
            vec![total, rest]
        };
        let sums: Vec<Vec<Vec<Part>>> = self.versions.iter().map(sums).collect();
        let mut found = Difference { greatest: 0.0, peak: 0.0 };
        for first in (0..self.width()).step_by(control::MOST_CHANNELS / 2) {
            let channels = first..self.width().min(first + control::MOST_CHANNELS / 2);
            let here = Difference::found(&self.heard(&sums, channels))?;
            found.greatest = found.greatest.max(here.greatest);
            found.peak = found.peak.max(here.peak);
        }
        Ok(found)
    }

    /// Channels of each stem: two on a device that has more than one, and as many as the widest part has.
    fn width(&self) -> usize {
        let device = self.take.document.channels;
        let wide = |part: &Part| match part.side {
            Side::Channel(channel) => channel + 1,
            Side::All => part.channels.len(),
        };
        let heard = self.versions.iter().map(|version| &version.heard);
        let parts =
            heard.flat_map(|heard| heard.stems.iter().flat_map(|(_, parts)| parts).chain(&heard.total));
        parts.map(wide).max().unwrap_or(1).max(device.min(2)).min(control::MOST_CHANNELS)
    }

    /// The performance, of which some channels of sums are heard: of each version as many.
    fn heard(&self, sums: &[Vec<Vec<Part>>], channels: Range<usize>) -> Performance<'_> {
        let summands = |parts: &[Part], channel| -> Vec<Summand> {
            parts.iter().filter_map(|part| summand(part, channel)).collect()
        };
        let all = |sums: &Vec<Vec<Part>>| -> Vec<Vec<Summand>> {
            let each = |parts: &Vec<Part>| -> Vec<Vec<Summand>> {
                channels.clone().map(|channel| summands(parts, channel)).collect()
            };
            sums.iter().flat_map(each).collect()
        };
        let programs: Vec<Arc<Program>> =
            self.versions.iter().map(|version| version.program.clone()).collect();
        let heard = Heard(programs.iter().cloned().zip(sums.iter().map(all)).collect());
        let count = channels.len() * sums.first().map_or(0, Vec::len);
        Performance {
            take: self.take,
            programs,
            heard: Some(heard),
            channels: count,
            not_finite: Mutex::default(),
        }
    }
}

/// What a part adds to a channel of a sum, if anything.
fn summand(part: &Part, channel: usize) -> Option<Summand> {
    Some((part.output(channel)?, if part.minus { -1.0 } else { 1.0 }))
}
