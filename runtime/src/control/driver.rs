//! The other half, on any thread but the audio thread.

use super::carry::{Blend, Carry};
use super::live::{Live, Rings};
use super::log::{Request, Writing};
use super::meters::{Meters, Telemetry};
use super::part::{Entry, Part, Sync, player};
use super::protocol::MOST_CHANNELS;
use super::protocol::{Command, EVENTS, Failed, Garbage, Options, Swap, Tagged};
use crate::engine::{NotFinite, Seen, ticks, ticks_per_second};
use crate::ids::{ParamId, PortId};
use crate::program::{EventKind, Program, QUANTUM, Step, Target};
use crate::render::EventSource;
use crate::score::{Held, LAST_FRAME, Overflow, Unplayed};
use crate::voices::note_values;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// How far ahead of the audio thread events are sent.
const AHEAD_SECONDS: f64 = 0.2;
/// Commands that wait for the audio thread.
const COMMANDS: usize = 1024;
/// Old programs that wait to be dropped: more than [`MOST_UNDERWAY`] swaps can leave.
const GARBAGE: usize = 64;
/// Steps that were not finite and that have not been asked for yet.
const FAILURES: usize = 1024;
/// Swaps that have not been answered yet.
const MOST_UNDERWAY: usize = 8;
/// Frames of a recording that may wait to be written, in seconds.
const RECORD_SECONDS: usize = 4;

/// How a program's score is played.
pub trait Playing: Send {
    /// The score's events from a frame of the score on, with what is latched there, and what instruments hold from before.
    fn events(&self, program: &Arc<Program>, from: u64, held: Option<&Held>) -> Box<dyn EventSource + Send>;

    /// The frame of `new`'s score that is at the same musical place as a frame of `old`'s.
    fn place(&self, old: &Program, frame: u64, new: &Program) -> u64;

    /// The first frame of the score, not before `frame`, at which a bar begins.
    fn next_bar(&self, program: &Program, frame: u64) -> u64;
}

/// An edit that waits for its turn.
struct Edit {
    program: Arc<Program>,
    sync: Sync,
    jump: Option<Entry>,
}

/// Steers a [`Live`]. Call [`Control::tick`] at least every 50 ms.
pub struct Control {
    commands: Producer<Command>,
    events: Producer<Tagged>,
    garbage: Consumer<Garbage>,
    failures: Consumer<Failed>,
    pub(super) meters: Arc<Meters>,
    playing: Box<dyn Playing>,
    /// The part of the song that plays.
    pub(super) current: Part,
    /// What may play when the audio thread comes to it: the last one, unless an earlier one was quicker.
    sent: Vec<Part>,
    waiting: Option<Edit>,
    backlog: VecDeque<Tagged>,
    underway: usize,
    generation: u32,
    muted: BTreeSet<String>,
    soloed: BTreeSet<String>,
    /// Parameters that were set by a controller: they survive a jump.
    overrides: BTreeMap<String, f64>,
    taken_up: Option<(Arc<Program>, Duration)>,
    /// Pieces that have come back from the audio thread.
    pub(super) returned: u64,
    /// The frame by which what is done now is decided, if that is not where the audio thread is.
    pub(super) decided_at: Option<u64>,
    pub(super) log: Option<Writing>,
    /// Commands that were sent, of those that are logged.
    pub(super) sent_commands: u64,
    channels: usize,
    pub(super) rate: u32,
}

impl Control {
    /// Both halves for a program, at its frame 0. `Live` goes into the output's callback.
    pub fn new(program: Arc<Program>, playing: Box<dyn Playing>, options: Options) -> (Control, Live) {
        Control::entering(program, playing, options, Entry::START, |_| true)
    }

    /// The same at another frame: what is heard from there on is what a performance from the frame `entry.since` on sounds
    /// like, as what lies between is rendered here and now, unheard. `goes_on` is asked every few thousand frames, with how
    /// many are rendered; when it says no, what is left out is not rendered.
    pub fn entering(
        program: Arc<Program>,
        playing: Box<dyn Playing>,
        options: Options,
        entry: Entry,
        mut goes_on: impl FnMut(u64) -> bool,
    ) -> (Control, Live) {
        let (commands, to_live) = RingBuffer::new(COMMANDS);
        let (events, live_events) = RingBuffer::new(EVENTS);
        let (from_live, garbage) = RingBuffer::new(GARBAGE);
        let (failed, failures) = RingBuffer::new(FAILURES);
        let meters = Arc::new(Meters::default());
        let rate = program.rate;
        let unheard = entry.quanta();
        let (since, at) = (unheard.start, unheard.end);
        let source = playing.events(&program, since, None);
        let seen = Seen::new(&program);
        let mut current = Part { generation: 0, program, source, offset: 0, until: since, seen };
        let instance = current.instance(unheard, &mut goes_on);
        let player = player(instance, &mut current, ahead(rate, 0), at, &Carry::default(), &BTreeMap::new());
        meters.position.store(at, Release);
        let channels = options.channels.clamp(1, MOST_CHANNELS);
        let rings = Rings { commands: to_live, events: live_events, garbage: from_live, failures: failed };
        let skip = (entry.at - at) as usize;
        let live = Live::new(rings, player, at, skip, meters.clone(), options, ticks_per_frame(rate));
        let control = Control {
            commands,
            events,
            garbage,
            failures,
            meters,
            playing,
            current,
            sent: vec![],
            waiting: None,
            backlog: VecDeque::new(),
            underway: 0,
            generation: 0,
            muted: BTreeSet::new(),
            soloed: BTreeSet::new(),
            overrides: BTreeMap::new(),
            taken_up: None,
            returned: 0,
            decided_at: None,
            log: None,
            sent_commands: 0,
            channels,
            rate,
        };
        (control, live)
    }

    /// Drops what has come back, sends events ahead, and sends the edit that waits.
    pub fn tick(&mut self) {
        self.take_back(u64::MAX);
        self.feed();
        if let Some(writing) = &mut self.log {
            writing.read();
        }
        if self.waiting.is_some() {
            self.try_again();
        }
    }

    /// Sends the change that waits, if there is room for it now.
    pub(super) fn try_again(&mut self) {
        let Some(edit) = self.waiting.take() else { return };
        self.logged(|| Request::Again, |control| control.change(edit, &mut |_| true));
    }

    /// Drops what has come back, up to so many pieces since the beginning; false if there are fewer.
    pub(super) fn take_back(&mut self, pieces: u64) -> bool {
        while self.returned < pieces {
            let Ok(garbage) = self.garbage.pop() else { return false };
            self.returned += 1;
            match garbage {
                Garbage::Swapped(swap) => self.swapped(&swap),
                Garbage::Rejected(swap) => self.rejected(&swap),
                _ => {}
            }
        }
        true
    }

    /// The program that plays.
    pub fn program(&self) -> &Arc<Program> {
        &self.current.program
    }

    /// The rate of the output, in frames a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Channels of the output.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The frame of the song that is rendered next.
    pub fn song_frame(&self) -> u64 {
        self.current.to_song(self.meters.position.load(Acquire))
    }

    /// The program that was taken up since this was asked the last time, and how long before the last [`Control::tick`] its
    /// first sample was rendered.
    pub fn taken_up(&mut self) -> Option<(Arc<Program>, Duration)> {
        self.taken_up.take()
    }

    /// Commands that the audio thread still has room for.
    pub fn room(&self) -> usize {
        self.commands.slots()
    }

    /// The steps that were not finite since this was asked the last time, at frames of the song, each with its program.
    pub fn not_finite(&mut self) -> Vec<(Arc<Program>, NotFinite)> {
        let mut all = vec![];
        while let Ok(failed) = self.failures.pop() {
            let mut parts = std::iter::once(&self.current).chain(&self.sent);
            // What has been replaced since is not of concern any more.
            let Some(part) = parts.find(|part| part.generation == failed.generation) else { continue };
            let Some(step) = part.program.steps.get(failed.step) else { continue };
            let (frame, computes) = (part.to_song(failed.frame), step.computes.clone());
            all.push((part.program.clone(), NotFinite { frame, computes }));
        }
        all
    }

    /// The cycles of the score that plays that cannot be played, up to what is sent ahead: of each line's target or parameter
    /// the first. They are given again each time this is asked.
    pub fn unplayed(&self) -> &[Unplayed] {
        self.current.source.unplayed()
    }

    /// Whether an edit or a jump is on its way.
    pub fn is_changing(&self) -> bool {
        !self.sent.is_empty() || self.waiting.is_some()
    }

    /// Plays another program from the same musical place on. It has the same rate; the caller compiles for it.
    pub fn edit(&mut self, program: Arc<Program>, sync: Sync) {
        self.logged(
            || Request::Edit(program.clone(), sync),
            |control| control.change(Edit { program: program.clone(), sync, jump: None }, &mut |_| true),
        );
    }

    /// Plays another program from a frame of its own on, in place of this one. `goes_on` is as in [`Control::entering`].
    pub fn start(&mut self, program: Arc<Program>, entry: Entry, mut goes_on: impl FnMut(u64) -> bool) {
        self.logged(
            || Request::Start(program.clone(), entry),
            |control| {
                let edit = Edit { program: program.clone(), sync: Sync::Now, jump: Some(entry) };
                control.change(edit, &mut goes_on);
            },
        );
    }

    /// Goes to a frame of the song, to at most 63 frames before it, where nothing sounds yet.
    ///
    /// # Errors
    /// Where the frame lies behind [`LAST_FRAME`]: what plays goes on.
    pub fn seek(&mut self, song_frame: u64) -> Result<(), Overflow> {
        if song_frame > LAST_FRAME {
            return Err(Overflow);
        }
        let latest = self.waiting.as_ref().map(|edit| &edit.program);
        let program = latest.or(self.sent.last().map(|part| &part.program)).unwrap_or(&self.current.program);
        let jump = Some(Entry { at: song_frame, since: song_frame });
        let edit = Edit { program: program.clone(), sync: Sync::Now, jump };
        self.logged(|| Request::Seek(song_frame), |control| control.change(edit, &mut |_| true));
        Ok(())
    }

    /// Lets the song go on from where it was stopped.
    pub fn play(&mut self) {
        self.logged(|| Request::Play, |control| control.command(Command::Play));
    }

    /// Fades out in 20 ms and waits. See [`Telemetry::stopped`].
    pub fn stop(&mut self) {
        self.logged(|| Request::Stop, |control| control.command(Command::Stop));
    }

    /// Whether it is silent because it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.meters.stopped.load(Acquire)
    }

    /// Sets a parameter by name ([`Program::param`]), at the next quantum, by a controller. False when no program has it.
    pub fn set(&mut self, name: &str, value: f64, ramp: u32) -> bool {
        let request = || Request::Set { name: name.into(), value, ramp };
        self.logged(request, |control| control.set_now(name, value, ramp))
    }

    fn set_now(&mut self, name: &str, value: f64, ramp: u32) -> bool {
        let mut path = None;
        for (generation, program) in self.programs() {
            if let Ok(param) = program.param(name) {
                self.command(Command::Now(generation, EventKind::Set { param, value, ramp, curve: None }));
                self.notice(generation, param, value);
                path = program.params.get(param).map(|slot| slot.name.to_string());
            }
        }
        let found = path.is_some();
        self.overrides.extend(path.map(|path| (path, value)));
        found
    }

    /// A note by a controller, on the voice `voice` of a target, modulo their number: on with a velocity, off with `None`.
    /// False when the program has no such target.
    pub fn note(&mut self, target: &str, voice: usize, note: f64, vel: Option<f64>) -> bool {
        let request = || Request::Note { target: target.into(), voice, note, vel };
        self.logged(request, |control| control.note_now(target, voice, note, vel))
    }

    fn note_now(&mut self, target: &str, voice: usize, note: f64, vel: Option<f64>) -> bool {
        let program = self.current.program.clone();
        let Some(target) = program.targets.iter().find(|candidate| &*candidate.name == target) else {
            return false;
        };
        if target.voices.is_empty() {
            return false;
        }
        let index = voice % target.voices.len();
        let voice = target.voices[index];
        if vel.is_some() {
            // What the score's notes gave the voice ends with them.
            for kind in note_values(&target.note_params, index, &[]) {
                self.command(Command::Now(self.current.generation, kind));
            }
        }
        for port in [Some(voice), target.monitor].into_iter().flatten() {
            let kind = match vel {
                Some(vel) => EventKind::On { port, note, vel },
                None => EventKind::Off { port },
            };
            self.command(Command::Now(self.current.generation, kind));
        }
        true
    }

    /// Silences a node, by its name, or lets it be heard again.
    pub fn mute(&mut self, node: &str, muted: bool) {
        let act = |control: &mut Control| {
            remember(&mut control.muted, node, muted);
            control.send_gains();
        };
        self.logged(|| Request::Mute(node.into(), muted), act);
    }

    /// Lets only this instrument be heard, and others that are soloed.
    pub fn solo(&mut self, node: &str, soloed: bool) {
        let act = |control: &mut Control| {
            remember(&mut control.soloed, node, soloed);
            control.send_gains();
        };
        self.logged(|| Request::Solo(node.into(), soloed), act);
    }

    /// Takes over what controllers have set on another one: mutes, solos, values.
    pub fn follow(&mut self, before: &Control) {
        (self.muted, self.soloed) = (before.muted.clone(), before.soloed.clone());
        self.send_gains();
        for (name, &value) in &before.overrides {
            self.set(name, value, 0);
        }
    }

    /// The names that are muted.
    pub fn muted(&self) -> &BTreeSet<String> {
        &self.muted
    }

    /// The names that are soloed.
    pub fn soloed(&self) -> &BTreeSet<String> {
        &self.soloed
    }

    /// A ring of what is played from now on, interleaved. It has to be emptied at least every 4 seconds; see
    /// [`Telemetry::unrecorded`]. A recording before this one ends.
    pub fn record(&mut self) -> Consumer<f32> {
        let (writer, reader) = RingBuffer::new(RECORD_SECONDS * self.rate as usize * self.channels);
        self.command(Command::Record(Some(writer)));
        reader
    }

    /// Ends the recording: what is in the ring can still be read.
    pub fn end_record(&mut self) {
        self.command(Command::Record(None));
    }

    /// Takes the song's `in` from a ring of interleaved stereo, at the program's rate.
    pub fn input(&mut self, ring: Option<Consumer<f32>>) {
        self.command(Command::Input(ring));
    }

    /// How it goes since the last time.
    pub fn telemetry(&self) -> Telemetry {
        let (mut telemetry, slowest) = self.meters.read(ticks_per_frame(self.rate));
        let quantum = ticks_per_frame(self.rate) * QUANTUM as f64;
        telemetry.song_frame = self.song_frame();
        telemetry.limited_at = telemetry.limited_at.map(|frame| self.current.to_song(frame));
        telemetry.slowest = slowest.quantum.ticks as f64 / quantum;
        let program = self.programs().into_iter().find(|(generation, _)| *generation == slowest.generation);
        let step = program
            .and_then(|(_, program)| Some(program.steps.get(slowest.quantum.worst_step)?.name.clone()));
        telemetry.slowest_step = step
            .filter(|_| slowest.quantum.ticks > 0)
            .map(|name| (name, slowest.quantum.worst_ticks as f64 / quantum));
        telemetry
    }

    /// The greatest absolute value of each target of [`Control::program`] since this was asked the last time: what comes
    /// out of its effects, before any mix.
    pub fn levels(&self) -> Vec<f32> {
        self.current.seen.take_levels()
    }

    /// Where the knobs of [`Control::program`] stand, and the parameters that its score sets: indices and values in base
    /// units. Of a song with very many, the first.
    pub fn values(&self) -> Vec<(ParamId, f64)> {
        self.current.seen.values().collect()
    }

    /// Tells a program's score of what was set.
    fn notice(&mut self, generation: u32, param: ParamId, value: f64) {
        let position = self.position();
        let mut parts = std::iter::once(&mut self.current).chain(&mut self.sent);
        if let Some(part) = parts.find(|part| part.generation == generation) {
            part.source.set_by_controller(part.to_song(position), param, value);
        }
    }

    pub(super) fn programs(&self) -> Vec<(u32, Arc<Program>)> {
        let parts = std::iter::once(&self.current).chain(&self.sent);
        parts.map(|part| (part.generation, part.program.clone())).collect()
    }

    /// Sends a command. When the ring is full the audio thread has stood still for a thousand of them, and one more
    /// would not be heard either.
    pub(super) fn command(&mut self, command: Command) {
        let is_logged = command.is_logged();
        if self.commands.push(command).is_ok() {
            self.sent_commands += u64::from(is_logged);
        } else if let Some(writing) = &mut self.log {
            writing.log.is_cut = true;
        }
    }

    /// Sends a change, or keeps it until there is room. A newer change replaces one that waits.
    fn change(&mut self, edit: Edit, goes_on: &mut dyn FnMut(u64) -> bool) {
        if self.underway >= MOST_UNDERWAY || self.commands.slots() == 0 {
            self.waiting = Some(edit);
            return;
        }
        self.generation += 1;
        let position = self.position();
        let song = self.current.to_song(position);
        let (at, place) = match (edit.jump, edit.sync) {
            (None, Sync::Bar) => {
                let bar = self.playing.next_bar(&self.current.program, song);
                (self.current.to_engine(bar), bar)
            }
            _ => (position, song),
        };
        let carry = match edit.jump {
            Some(_) => Carry::default(),
            None => Carry::new(&self.current.program, &edit.program),
        };
        let held = || Some(self.current.source.held_at(place)?.renamed(|name| carry.renamed(name)));
        let (unheard, first, offset, held) = match edit.jump.map(Entry::quanta) {
            Some(quanta) => (quanta.clone(), quanta.end, 0, None),
            None => (at..at, at, self.offset(&edit, place, at), held()),
        };
        let from = unheard.start.saturating_add_signed(-offset);
        let source = self.playing.events(&edit.program, from, held.as_ref());
        let program = edit.program;
        let seen = Seen::new(&program);
        let mut part =
            Part { generation: self.generation, program, source, offset, until: unheard.start, seen };
        let overrides = if edit.jump.is_some() { self.overrides.clone() } else { BTreeMap::new() };
        let instance = part.instance(unheard, goes_on);
        let mut player = player(instance, &mut part, self.ahead(), first, &carry, &overrides);
        for (index, gain) in self.gains(&part.program).into_iter().enumerate() {
            player.instance.set_gain(index, gain);
        }
        let (base, generation) = (self.current.generation, self.generation);
        // After a jump nothing goes on, and what begins there begins with its whole attack.
        let blend = if edit.jump.is_some() { Blend::default() } else { carry.blend(&part.program) };
        let swap = Swap {
            player: Some(player),
            generation,
            base,
            at,
            jump: edit.jump.map(|_| first),
            carry,
            blend,
            taken_up: 0,
        };
        self.command(Command::Swap(Box::new(swap)));
        self.underway += 1;
        self.sent.push(part);
    }

    /// How far the new score is shifted so that the same place of the music falls at engine frame `at`.
    fn offset(&self, edit: &Edit, song: u64, at: u64) -> i64 {
        let place = self.playing.place(&self.current.program, song, &edit.program);
        at as i64 - place as i64
    }

    /// A swap has happened: those sent before it never will.
    fn swapped(&mut self, swap: &Swap) {
        self.underway -= 1;
        self.sent.retain(|part| part.generation >= swap.generation);
        if self.sent.first().is_some_and(|part| part.generation == swap.generation) {
            self.current = self.sent.remove(0);
            self.backlog.clear();
            let ago = ticks().saturating_sub(swap.taken_up) as f64 / ticks_per_second();
            self.taken_up = Some((self.current.program.clone(), Duration::from_secs_f64(ago)));
        }
    }

    /// A swap came too late: it is prepared anew, unless a newer one has been sent.
    fn rejected(&mut self, swap: &Swap) {
        self.underway -= 1;
        let is_newest = self.sent.last().is_some_and(|part| part.generation == swap.generation);
        let place = self.sent.iter().position(|part| part.generation == swap.generation);
        let part = place.map(|place| self.sent.remove(place));
        if let Some(part) = part.filter(|_| is_newest && self.waiting.is_none()) {
            self.waiting = Some(Edit {
                program: part.program,
                sync: Sync::Now,
                jump: swap.jump.map(|at| Entry { at, since: at }),
            });
        }
    }

    /// Sends the events of what plays, ahead of it.
    pub(super) fn feed(&mut self) {
        let end = self.meters.position.load(Acquire) + self.ahead();
        let mut fresh = vec![];
        self.current.advance(end, &mut fresh);
        let generation = self.current.generation;
        self.backlog.extend(fresh.into_iter().map(|event| Tagged { generation, event }));
        while self.events.slots() > 0
            && let Some(tagged) = self.backlog.pop_front()
        {
            // There is room.
            let _ = self.events.push(tagged);
        }
    }

    fn ahead(&self) -> u64 {
        ahead(self.rate, self.meters.largest_callback())
    }

    fn send_gains(&mut self) {
        for (generation, program) in self.programs() {
            for (part, gain) in self.gains(&program).into_iter().enumerate() {
                self.command(Command::Gain(generation, part, gain));
            }
        }
    }

    /// The gain of each step's parts: 0 where the node or its instrument is muted, or another instrument is soloed.
    fn gains(&self, program: &Program) -> Vec<f32> {
        let soloed = |name: &str| self.soloed.contains(name);
        let any_soloed = program.targets.iter().any(|target| soloed(&target.name));
        let audible = |step: &Step, part: &crate::program::StepPart| {
            let node = part.name.split('#').next().unwrap_or_default();
            let hears = |port: &PortId| part.ports.iter().any(|local| step.ports[*local] == *port);
            let plays = |target: &&Target| target.voices.iter().any(hears);
            let mut instruments = program.targets.iter().filter(plays).map(|target| &*target.name).peekable();
            let alone = !any_soloed || instruments.peek().is_none() || instruments.clone().any(soloed);
            alone && !self.muted.contains(node) && !instruments.any(|name| self.muted.contains(name))
        };
        let parts = program.steps.iter().flat_map(|step| step.parts.iter().map(move |part| (step, part)));
        parts.map(|(step, part)| f32::from(u8::from(audible(step, part)))).collect()
    }
}

fn remember(names: &mut BTreeSet<String>, name: &str, on: bool) {
    if on {
        names.insert(name.into());
    } else {
        names.remove(name);
    }
}

fn ahead(rate: u32, largest_callback: u32) -> u64 {
    (f64::from(rate) * AHEAD_SECONDS) as u64 + 2 * u64::from(largest_callback)
}

fn ticks_per_frame(rate: u32) -> f64 {
    ticks_per_second() / f64::from(rate)
}
