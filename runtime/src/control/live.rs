//! The audio thread's half: takes what the rings hold, renders, publishes meters.

use super::carry::{Blend, mix};
use super::heard::Heard;
use super::meters::Meters;
use super::protocol::{Command, Failed, Garbage, Options, Player, START_SECONDS, STOP_SECONDS, Swap, Tagged};
use super::protocol::{LIMIT, MOST_CHANNELS, Outgoing, OutgoingKind, Taken};
use crate::engine::{Cut, Instance, flush, ticks};
use crate::frames::Frames;
use crate::program::{Event, EventKind, QUANTUM};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Renders what `Control` says. Everything here is for the audio thread: nothing allocates, frees, locks or waits.
pub struct Live {
    pub(super) commands: Consumer<Command>,
    pub(super) events: Consumer<Tagged>,
    pub(super) garbage: Producer<Garbage>,
    pub(super) failures: Producer<Failed>,
    pub(super) meters: Arc<Meters>,
    pub(super) now: Box<Player>,
    pub(super) cut: Cut,
    /// Frames of the first quantum that are not heard.
    skip: usize,
    pub(super) ticks_per_frame: f64,
    fading: Option<Fading>,
    pending: Option<Box<Swap>>,
    record: Option<Producer<f32>>,
    input: Option<Consumer<f32>>,
    master: Master,
    /// The greatest sample that leaves.
    limit: f32,
    mixed: Box<[[f32; QUANTUM]; MOST_CHANNELS]>,
    channels: usize,
    /// The present program has not been heard yet.
    fresh: bool,
    /// Quanta that have been rendered.
    quanta: u64,
    log: Option<Producer<Taken>>,
    /// What goes to machines outside.
    outgoing: Option<Producer<Outgoing>>,
    /// Frames that have been served.
    served: u64,
    /// How many frames after the beginning of the next quantum the commands happen that are taken now; 0 on a device.
    pub(super) late: usize,
    /// What is heard in the place of the programs' outputs; nothing else on a device.
    pub(super) heard: Option<Heard>,
}

/// The program before, while it fades.
struct Fading {
    player: Box<Player>,
    frame: u64,
    quantum: u32,
    quanta: u32,
    /// How loud it is, frame by frame.
    gains: [f32; QUANTUM],
    blend: Blend,
}

impl Fading {
    /// Renders its quantum; what it wrote into lines that go on is saved, and taken out of them.
    fn quantum(&mut self, next: &mut Instance) {
        self.blend.keep(next, self.frame);
        self.player.instance.quantum(self.frame);
        self.blend.hold(next, self.frame);
        let total = (self.quanta as usize * QUANTUM) as f32;
        for (i, gain) in self.gains.iter_mut().enumerate() {
            *gain = fall((self.quantum as usize * QUANTUM + i + 1) as f32 / total);
        }
    }
}

/// The gain of the whole output. It stands still at 0 and at 1.
pub(super) struct Master {
    gain: f32,
    step: f32,
    down: f32,
    up: f32,
}

impl Master {
    fn new(rate: u32, playing: bool) -> Master {
        let step = |seconds| (1.0 / (seconds * f64::from(rate))) as f32;
        Master { gain: f32::from(playing), step: 0.0, down: -step(STOP_SECONDS), up: step(START_SECONDS) }
    }

    /// Quanta in which the whole output fades out when it stops, at so many frames a second.
    pub(super) fn quanta_to_silence(rate: u32) -> u64 {
        let mut master = Master::new(rate, true);
        master.step = master.down;
        let mut quanta = 0;
        while !master.is_silent() {
            master.quantum();
            quanta += 1;
        }
        quanta
    }

    fn is_silent(&self) -> bool {
        self.gain == 0.0 && self.step <= 0.0
    }

    /// Goes on; at once where nothing can click.
    fn rise(&mut self, at_once: bool) {
        self.step = self.up;
        if at_once {
            self.gain = 1.0;
        }
    }

    /// The gains of the next quantum; `None` when all are 1.
    fn quantum(&mut self) -> Option<[f32; QUANTUM]> {
        if self.gain == 1.0 && self.step >= 0.0 {
            return None;
        }
        let mut gains = [0.0; QUANTUM];
        for gain in &mut gains {
            self.gain = (self.gain + self.step).clamp(0.0, 1.0);
            *gain = self.gain;
        }
        Some(gains)
    }
}

/// The ends of the rings that `Live` has.
pub(super) struct Rings {
    pub(super) commands: Consumer<Command>,
    pub(super) events: Consumer<Tagged>,
    pub(super) garbage: Producer<Garbage>,
    pub(super) failures: Producer<Failed>,
}

impl Live {
    /// Plays `player` from frame `at` on, a multiple of a quantum, of which the first `skip` frames are not served.
    pub(super) fn new(
        rings: Rings,
        player: Box<Player>,
        at: u64,
        skip: usize,
        meters: Arc<Meters>,
        options: Options,
        ticks_per_frame: f64,
    ) -> Live {
        let rate = player.instance.program.rate;
        let Rings { commands, events, garbage, failures } = rings;
        Live {
            commands,
            events,
            garbage,
            failures,
            meters,
            now: player,
            cut: Cut::at(at),
            skip,
            ticks_per_frame,
            fading: None,
            pending: None,
            record: None,
            input: None,
            master: Master::new(rate, options.playing),
            limit: if options.limit { LIMIT } else { f32::MAX },
            mixed: Box::new([[0.0; QUANTUM]; MOST_CHANNELS]),
            channels: options.channels.clamp(1, MOST_CHANNELS),
            fresh: true,
            quanta: 0,
            log: None,
            outgoing: None,
            served: 0,
            late: 0,
            heard: None,
        }
    }

    /// The callback: fills every frame. Any number of frames, on the audio thread. \[audio\]
    #[cfg_attr(mam_rtsan, sanitize(realtime = "nonblocking"))]
    pub fn process(&mut self, out: &mut Frames<'_>) {
        let began = ticks();
        let frames = out.frames();
        let mut done = 0;
        while done < frames {
            if self.cut.is_spent() {
                self.handle_commands(usize::MAX);
                if self.master.is_silent() {
                    break;
                }
                self.quantum();
                self.cut.serve(std::mem::take(&mut self.skip));
            }
            let piece = self.cut.serve(frames - done);
            out.write(
                done,
                |channel| &self.mixed.get(channel).unwrap_or(&[0.0; QUANTUM])[piece.clone()],
                piece.len(),
            );
            self.keep(piece.clone());
            done += piece.len();
            self.served += piece.len() as u64;
        }
        self.meters.heard.fetch_add(done as u64, Relaxed);
        out.silence(done);
        self.meters.stopped.store(self.master.is_silent(), Relaxed);
        self.meters.callback(frames, ticks().saturating_sub(began), self.ticks_per_frame);
    }

    /// Takes all commands, or so many of those that are logged, and the swap that is due; returns how many of those were taken.
    /// Within a quantum only events happen: the first command that is none waits for its end, with all that follow. \[audio\]
    pub(super) fn handle_commands(&mut self, most: usize) -> usize {
        let (mut playing, mut taken) = (None, 0);
        while taken < most
            && self.happens_now()
            && let Ok(command) = self.commands.pop()
        {
            taken += usize::from(command.is_logged());
            match command {
                Command::Log(ring) => self.log = Some(ring),
                Command::Swap(swap) => self.expect(swap),
                Command::Now(generation, kind) => self.now(generation, kind),
                Command::Gain(generation, part, gain) => self.gain(generation, part, gain),
                Command::Play => playing = Some(true),
                Command::Stop => playing = Some(false),
                Command::Record(ring) => {
                    if let Some(old) = std::mem::replace(&mut self.record, ring) {
                        self.discard(Garbage::Record(old));
                    }
                }
                Command::Send(ring) => {
                    if let Some(old) = self.outgoing.replace(ring) {
                        self.discard(Garbage::Send(old));
                    }
                    self.go_out(OutgoingKind::Program(true));
                }
                Command::Input(ring) => {
                    if let Some(old) = std::mem::replace(&mut self.input, ring) {
                        self.discard(Garbage::Input(old));
                    }
                }
            }
        }
        let mut changes = false;
        if self.master.is_silent()
            && let Some(fading) = self.fading.take()
        {
            changes = true;
            self.discard(Garbage::Player(fading.player));
            self.discard(Garbage::Blend(fading.blend));
        }
        let due = |swap: &mut Box<Swap>| swap.at <= self.cut.frame || self.master.is_silent();
        if self.late == 0
            && self.fading.is_none()
            && let Some(swap) = self.pending.take_if(due)
        {
            changes |= self.master.is_silent();
            self.swap(swap);
        }
        // While it is silent it looks for commands more than once before a quantum.
        if taken > 0 || changes {
            self.note_taken(taken);
        }
        // After the swap, so that what begins anew begins with its whole attack.
        match playing {
            Some(true) => self.master.rise(self.fresh),
            Some(false) => self.master.step = self.master.down,
            None => {}
        }
        taken
    }

    /// Whether the next command can happen so many frames into the next quantum.
    fn happens_now(&self) -> bool {
        self.late == 0 || matches!(self.commands.peek(), Ok(Command::Now(..)))
    }

    /// Logs that so many commands were taken before the next quantum.
    fn note_taken(&mut self, commands: usize) {
        let Some(log) = &mut self.log else { return };
        if log.push(Taken { quanta: self.quanta, commands: commands as u32 }).is_err() {
            self.meters.unlogged.fetch_add(1, Relaxed);
        }
    }

    /// Quanta that have been rendered.
    pub(super) fn quanta(&self) -> u64 {
        self.quanta
    }

    /// Whether nothing is rendered, as it has been stopped.
    pub(super) fn is_silent(&self) -> bool {
        self.master.is_silent()
    }

    /// Renders the next quantum beside the callback. Returns which of its frames are heard; `None` where it was stopped.
    pub(super) fn render(&mut self) -> Option<std::ops::Range<usize>> {
        self.handle_commands(0);
        if self.master.is_silent() {
            return None;
        }
        self.quantum();
        Some(std::mem::take(&mut self.skip)..QUANTUM)
    }

    /// A channel of the quantum that was rendered last.
    pub(super) fn mixed(&self, channel: usize) -> &[f32; QUANTUM] {
        self.mixed.get(channel).unwrap_or(&[0.0; QUANTUM])
    }

    /// Keeps a swap until it is due; a newer one takes its place.
    fn expect(&mut self, swap: Box<Swap>) {
        if swap.base != self.now.generation {
            self.discard(Garbage::Rejected(swap));
        } else if let Some(old) = self.pending.replace(swap) {
            self.discard(Garbage::Rejected(old));
        }
    }

    fn swap(&mut self, mut swap: Box<Swap>) {
        let Some(mut next) = swap.player.take() else { return };
        swap.carry.apply(&mut self.now.instance, &mut next.instance);
        let frame = self.cut.frame;
        if let Some(start) = swap.jump {
            self.cut = Cut::at(start);
            // Before `Control` hears of the swap: it would send the new program's events up to where the old one was.
            self.meters.position.store(start, Release);
        } else {
            // The old program has played what is earlier. Its sets stay where values are carried.
            let fresh =
                |kind: &EventKind| matches!(kind, EventKind::Set { param, .. } if !swap.carry.keeps(*param));
            next.instance.queue.retain(|event| event.frame >= frame || fresh(&event.kind));
        }
        let old = std::mem::replace(&mut self.now, next);
        if self.master.is_silent() {
            self.fresh = swap.jump.is_some();
            self.discard(Garbage::Player(old));
        } else {
            let rate = f64::from(self.now.instance.program.rate);
            let quanta = (swap.carry.fade_seconds() * rate / QUANTUM as f64).ceil().max(1.0) as u32;
            let blend = std::mem::take(&mut swap.blend);
            let gains = [0.0; QUANTUM];
            self.fading = Some(Fading { player: old, frame, quantum: 0, quanta, gains, blend });
        }
        self.go_out(OutgoingKind::Program(swap.jump.is_some()));
        swap.taken_up = ticks();
        self.discard(Garbage::Swapped(swap));
    }

    /// Something happens at the next quantum, in the program that it is meant for.
    fn now(&mut self, generation: u32, kind: EventKind) {
        let event = Event { frame: self.cut.frame + self.late as u64, kind };
        if let Some(player) = self.player(generation) {
            // A full queue has more to play than can be heard.
            let _ = player.instance.queue.push(event);
        }
    }

    fn gain(&mut self, generation: u32, part: usize, gain: f32) {
        if let Some(player) = self.player(generation) {
            player.instance.mute(part, gain);
        }
    }

    /// The program of a generation that plays, or will.
    fn player(&mut self, generation: u32) -> Option<&mut Player> {
        if generation == self.now.generation {
            return Some(&mut self.now);
        }
        let pending = self.pending.as_mut().filter(|swap| swap.generation == generation)?;
        pending.player.as_deref_mut()
    }

    /// Moves events from the ring to the queues of their programs. Those of a program that does not play yet stay in the ring.
    fn take_events(&mut self) {
        while let Ok(&Tagged { generation, event }) = self.events.peek() {
            let fading = self.fading.as_mut().map(|fading| &mut fading.player);
            let player = match fading.filter(|player| player.generation == generation) {
                Some(player) => Some(player),
                None if self.now.generation == generation => Some(&mut self.now),
                None if generation > self.now.generation => return,
                None => None,
            };
            if player.is_some_and(|player| player.instance.queue.push(event).is_err()) {
                return;
            }
            // It was there when it was looked at.
            let _ = self.events.pop();
        }
    }

    /// Renders the next quantum into `mixed`.
    fn quantum(&mut self) {
        self.fresh = false;
        self.take_events();
        self.take_input();
        let frame = self.cut.frame;
        if let Some(fading) = &mut self.fading {
            fading.quantum(&mut self.now.instance);
        }
        self.now.instance.quantum(frame);
        self.send_out();
        let (generation, failures) = (self.now.generation, &mut self.failures);
        self.now.instance.take_failures(|step, frame| {
            // More failures than the ring holds say no more than those that it has.
            let _ = failures.push(Failed { generation, step, frame });
        });
        for channel in 0..self.channels {
            match &self.heard {
                None => self.mixed[channel].copy_from_slice(self.now.instance.output(channel)),
                Some(heard) => heard.sum(&self.now.instance, channel, &mut self.mixed[channel]),
            }
        }
        self.fade();
        let gains = self.master.quantum();
        for (channel, mixed) in self.mixed[..self.channels].iter_mut().enumerate() {
            let (limited, first) = finish(channel, mixed, gains.as_ref(), self.limit, &self.meters);
            self.meters.limited(limited, frame + first as u64);
        }
        let quantum = self.now.instance.profile.as_ref().map(|profile| profile.last).unwrap_or_default();
        self.meters.quantum(self.now.generation, quantum, self.now.instance.awake());
        if self.master.is_silent() {
            self.go_out(OutgoingKind::Stopped);
        }
        self.cut.renew();
        self.quanta += 1;
        self.meters.position.store(self.cut.frame, Release);
        self.meters.quanta.store(self.quanta, Release);
    }

    /// Tells of the last quantum's events that go to machines outside.
    fn send_out(&mut self) {
        let generation = self.now.generation;
        let events = self.now.instance.sent();
        let Some(ring) = &mut self.outgoing else { return };
        for (offset, kind) in events {
            let kind = OutgoingKind::Event(kind);
            if ring.push(Outgoing { frame: self.served + offset as u64, generation, kind }).is_err() {
                self.meters.unsent.store(true, Release);
            }
        }
    }

    /// Tells machines outside of what concerns all of them.
    fn go_out(&mut self, kind: OutgoingKind) {
        let (generation, frame) = (self.now.generation, self.served);
        if let Some(ring) = &mut self.outgoing
            && ring.push(Outgoing { frame, generation, kind }).is_err()
        {
            self.meters.unsent.store(true, Release);
        }
    }

    /// Mixes the program before into the present one, and lets it go at the fade's end.
    fn fade(&mut self) {
        let Some(fading) = &mut self.fading else { return };
        fading.blend.mix(&mut self.now.instance, fading.frame, &fading.gains);
        let old = &fading.player.instance;
        for (channel, mixed) in self.mixed[..self.channels].iter_mut().enumerate() {
            match &self.heard {
                None => mix(mixed, old.output(channel), &fading.gains),
                Some(heard) => {
                    let mut sum = [0.0; QUANTUM];
                    heard.sum(old, channel, &mut sum);
                    mix(mixed, &sum, &fading.gains);
                }
            }
        }
        fading.quantum += 1;
        fading.frame += QUANTUM as u64;
        if fading.quantum == fading.quanta
            && let Some(fading) = self.fading.take()
        {
            self.discard(Garbage::Player(fading.player));
            self.discard(Garbage::Blend(fading.blend));
        }
    }

    /// Puts the device's input where the programs expect it.
    fn take_input(&mut self) {
        let Some(ring) = &mut self.input else { return };
        // Less than a quantum waits until it is whole: a gap is better than many.
        let enough = ring.slots() >= 2 * QUANTUM;
        for i in 0..QUANTUM {
            for channel in 0..2 {
                let sample = if enough { flush(ring.pop().unwrap_or(0.0)) } else { 0.0 };
                let fading = self.fading.as_mut().map(|fading| &mut fading.player.instance);
                for instance in fading.into_iter().chain([&mut self.now.instance]) {
                    if let Some(buffer) = instance.input(channel) {
                        buffer[i] = sample;
                    }
                }
            }
        }
    }

    /// Records a piece that is played.
    fn keep(&mut self, piece: std::ops::Range<usize>) {
        let Some(ring) = &mut self.record else { return };
        if ring.slots() < piece.len() * self.channels {
            return self.meters.lost(piece.len());
        }
        for i in piece {
            for channel in &self.mixed[..self.channels] {
                // There is room.
                let _ = ring.push(channel[i]);
            }
        }
    }

    /// Sends something away to be dropped. `Control` never has more on its way than the ring holds; should the ring
    /// be full nevertheless, a leak is better than a free on this thread.
    fn discard(&mut self, garbage: Garbage) {
        if let Err(rtrb::PushError::Full(garbage)) = self.garbage.push(garbage) {
            std::mem::forget(garbage);
        }
    }
}

/// Applies the master's gain, replaces what is not finite, cuts off what is beyond the limit, and counts what is loud. The
/// result is how many samples were cut off, and the first of them.
fn finish(
    channel: usize,
    mixed: &mut [f32; QUANTUM],
    gains: Option<&[f32; QUANTUM]>,
    limit: f32,
    meters: &Meters,
) -> (u32, usize) {
    if let Some(gains) = gains {
        mixed.iter_mut().zip(gains).for_each(|(sample, gain)| *sample *= gain);
    }
    let (mut peak, mut clipped, mut faults) = (0.0_f32, 0, 0);
    let mut limited = (0, QUANTUM);
    for (offset, sample) in mixed.iter_mut().enumerate() {
        if !sample.is_finite() {
            (*sample, faults) = (0.0, faults + 1);
        }
        if sample.abs() > limit {
            *sample = limit.copysign(*sample);
            limited = (limited.0 + 1, offset.min(limited.1));
        }
        peak = peak.max(sample.abs());
        clipped += u32::from(sample.abs() > 1.0);
    }
    meters.channel(channel, peak, clipped, faults);
    limited
}

/// From 1 to 0 as x goes from 0 to 1, with level ends: 1 − x²·(3 − 2x).
fn fall(x: f32) -> f32 {
    1.0 - x * x * (3.0 - 2.0 * x)
}
