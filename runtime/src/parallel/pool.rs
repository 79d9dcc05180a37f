//! The worker pool: renders the parts of a program, stretch by stretch, on whichever thread is free.
//!
//! A part renders its stretches in order. It may render one when the parts that it hears have rendered theirs. A stretch
//! that is planned has a slot, with room for every signal, until all parts and the caller are done with it.
//! The slot that was given back last is taken first: it is still in the cache.

use super::split::{Part, Source, Split};
use crate::engine::{Instance, NotFinite};
use crate::ids::{IdMap, ParamId, PortId};
use crate::program::{Event, EventKind, QUANTUM};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

/// A signal in one stretch.
struct Sound {
    samples: Vec<f32>,
    /// Whether it is known to be silent, quantum by quantum.
    silent: Vec<bool>,
}

impl Sound {
    fn new(frames: usize) -> RwLock<Sound> {
        RwLock::new(Sound { samples: vec![0.0; frames], silent: vec![false; frames / QUANTUM] })
    }
}

/// What all threads share.
pub(super) struct Pool {
    parts: Vec<PartRunner>,
    slots: Vec<Slot>,
    progress: Mutex<Progress>,
    changed: Condvar,
    /// What was not finite, in no order.
    failures: Mutex<Vec<NotFinite>>,
    /// How often it has.
    changes: AtomicU64,
    /// How long a thread without a task stays awake.
    awake: Duration,
}

/// How long a thread without a task stays awake. One that sleeps may be woken as late as the system's clock next ticks,
/// which is many stretches later.
const AWAKE: Duration = Duration::from_millis(1);

/// Room for a stretch, used again and again.
struct Slot {
    stretch: RwLock<Stretch>,
    signals: Vec<RwLock<Sound>>,
}

/// A part, and what concerns it.
struct PartRunner {
    part: Part,
    /// Which parameters and ports are its own.
    params: IdMap<ParamId, bool>,
    ports: IdMap<PortId, bool>,
    instance: Mutex<Instance>,
}

/// What all parts of a stretch are given.
#[derive(Default)]
pub(super) struct Stretch {
    /// The first frame of the stretch.
    pub(super) frame: u64,
    /// How many frames: a multiple of [`QUANTUM`], at most as many as a slot has room for.
    pub(super) frames: usize,
    pub(super) events: Vec<Event>,
    /// Each event goes to every part, not only to those that it concerns.
    pub(super) to_all: bool,
    /// The song's input, a channel each, as long as the stretch.
    pub(super) input: Vec<Vec<f32>>,
    /// Whether the steps that are not at rest are counted.
    pub(super) watch: bool,
    /// How many steps are not at rest in each quantum.
    restless: Mutex<Vec<usize>>,
}

/// How far all parts are, in stretches.
struct Progress {
    /// Stretches whose slot was given back.
    over_with: u64,
    /// The slots of the stretches that may be rendered, from that one on.
    slots: VecDeque<usize>,
    /// Slots that are free; the last is the next to be taken.
    free: Vec<usize>,
    /// Stretches whose result has been taken.
    taken: u64,
    /// Stretches that each part has rendered.
    done: Vec<u64>,
    busy: Vec<bool>,
    over: bool,
    /// A thread has panicked.
    broken: bool,
}

impl Progress {
    /// How many stretches may be rendered.
    fn planned(&self) -> u64 {
        self.over_with + self.slots.len() as u64
    }

    /// The slot of a stretch that is planned and not over with.
    fn slot(&self, stretch: u64) -> usize {
        self.slots[(stretch - self.over_with) as usize]
    }

    /// Gives back the slots of stretches with which all parts and the caller are done.
    fn give_back(&mut self) {
        let last = self.done.iter().copied().fold(self.taken, u64::min);
        while self.over_with < last {
            self.free.extend(self.slots.pop_front());
            self.over_with += 1;
        }
    }
}

/// One part's next stretch.
#[derive(Clone, Copy)]
struct Task {
    part: usize,
    slot: usize,
}

impl Pool {
    /// For a song of so many channels of input; stretches are of so many frames at most, and so many are planned at a time.
    pub(super) fn new(split: Split, channels: usize, frames: usize, depth: usize) -> Pool {
        let count = split.parts.len();
        let slot = |_| Slot {
            stretch: RwLock::new(Stretch { input: vec![vec![]; channels], ..Stretch::default() }),
            signals: (0..split.signals).map(|_| Sound::new(frames)).collect(),
        };
        Pool {
            slots: (0..depth).map(slot).collect(),
            parts: split.parts.into_iter().map(PartRunner::new).collect(),
            progress: Mutex::new(Progress {
                over_with: 0,
                slots: VecDeque::with_capacity(depth),
                free: (0..depth).rev().collect(),
                taken: 0,
                done: vec![0; count],
                busy: vec![false; count],
                over: false,
                broken: false,
            }),
            changed: Condvar::new(),
            failures: Mutex::default(),
            changes: AtomicU64::new(0),
            awake: AWAKE,
        }
    }

    /// See [`crate::Engine::never_skip`].
    pub(super) fn never_skip(&self) {
        for runner in &self.parts {
            runner.instance.lock().unwrap_or_else(PoisonError::into_inner).never_skip();
        }
    }

    /// What was not finite since this was asked the last time, in no order, and perhaps later than what has been handed out.
    pub(super) fn not_finite(&self) -> Vec<NotFinite> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Works until it is over.
    pub(super) fn work(&self) {
        let _guard = PanicNotice(self);
        let mut progress = self.progress();
        while !progress.over {
            progress = match self.next(&progress) {
                Some(task) => self.perform(progress, task),
                None => self.idle(progress),
            };
        }
    }

    /// Whether one more stretch can be planned.
    pub(super) fn has_room(&self) -> bool {
        !self.progress().free.is_empty()
    }

    /// Plans the next stretch, as `fill` describes it. Only where there is room.
    pub(super) fn plan(&self, fill: impl FnOnce(&mut Stretch)) {
        let slot = self.progress().free.pop().expect("there is room");
        let mut stretch = self.slots[slot].stretch.write().unwrap_or_else(PoisonError::into_inner);
        stretch.events.clear();
        fill(&mut stretch);
        let quanta = stretch.frames / QUANTUM;
        let restless = stretch.restless.get_mut().unwrap_or_else(PoisonError::into_inner);
        restless.clear();
        restless.resize(quanta, 0);
        drop(stretch);
        let mut progress = self.progress();
        progress.slots.push_back(slot);
        self.notify(&progress);
    }

    /// Works until a stretch is rendered.
    ///
    /// # Panics
    /// When another thread has: there is no sound any more.
    pub(super) fn wait(&self, stretch: u64) {
        let mut progress = self.progress();
        while progress.done.iter().any(|&done| done <= stretch) {
            assert!(!progress.broken, "a rendering thread has stopped");
            progress = match self.next(&progress) {
                Some(task) => self.perform(progress, task),
                None => self.idle(progress),
            };
        }
    }

    /// The result of a stretch has been taken: its slot is free.
    pub(super) fn take(&self, stretch: u64) {
        let mut progress = self.progress();
        progress.taken = stretch + 1;
        progress.give_back();
        self.notify(&progress);
    }

    /// No more is wanted.
    pub(super) fn end(&self) {
        let mut progress = self.progress();
        progress.over = true;
        self.notify(&progress);
    }

    /// Copies a piece of a rendered stretch, from a frame of it on.
    pub(super) fn copy(&self, source: Option<Source>, stretch: u64, from: usize, to: &mut [f32]) {
        let slot = self.slot(stretch);
        match source {
            Some(Source::Signal(signal)) => {
                let sound = slot.signals[signal].read().unwrap_or_else(PoisonError::into_inner);
                to.copy_from_slice(&sound.samples[from..from + to.len()]);
            }
            Some(Source::Song(channel)) => {
                let stretch = slot.stretch.read().unwrap_or_else(PoisonError::into_inner);
                to.copy_from_slice(&stretch.input[channel][from..from + to.len()]);
            }
            None => to.fill(0.0),
        }
    }

    /// Whether all steps are at rest in a quantum of a rendered stretch that was watched.
    pub(super) fn is_at_rest(&self, stretch: u64, quantum: usize) -> bool {
        let stretch = self.slot(stretch).stretch.read().unwrap_or_else(PoisonError::into_inner);
        let restless = stretch.restless.lock().unwrap_or_else(PoisonError::into_inner);
        restless.get(quantum) == Some(&0)
    }

    fn slot(&self, stretch: u64) -> &Slot {
        &self.slots[self.progress().slot(stretch)]
    }

    /// Notifies the other threads that there is progress. It is still locked: who finds no change and then waits misses none.
    fn notify(&self, _: &MutexGuard<'_, Progress>) {
        self.changes.fetch_add(1, Ordering::Release);
        self.changed.notify_all();
    }

    /// Waits for the next notification of progress: spins for a while, then sleeps.
    fn idle<'p>(&'p self, progress: MutexGuard<'p, Progress>) -> MutexGuard<'p, Progress> {
        let before = self.changes.load(Ordering::Acquire);
        drop(progress);
        let begun = Instant::now();
        while self.changes.load(Ordering::Acquire) == before && begun.elapsed() < self.awake {
            std::thread::yield_now();
        }
        let progress = self.progress();
        if self.changes.load(Ordering::Acquire) != before {
            return progress;
        }
        self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be done: of the earliest stretch the costliest part.
    fn next(&self, progress: &Progress) -> Option<Task> {
        let ready = |&part: &usize| {
            let stretch = progress.done[part];
            let needs = &self.parts[part].part.needs;
            !progress.busy[part]
                && stretch < progress.planned()
                && needs.iter().all(|&need| progress.done[need] > stretch)
        };
        let first = |&part: &usize| (progress.done[part], std::cmp::Reverse(self.parts[part].part.cost));
        let part = (0..self.parts.len()).filter(ready).min_by_key(first)?;
        Some(Task { part, slot: progress.slot(progress.done[part]) })
    }

    fn perform<'p>(&'p self, mut progress: MutexGuard<'p, Progress>, task: Task) -> MutexGuard<'p, Progress> {
        progress.busy[task.part] = true;
        drop(progress);
        self.render(task);
        let mut progress = self.progress();
        progress.busy[task.part] = false;
        progress.done[task.part] += 1;
        progress.give_back();
        self.notify(&progress);
        progress
    }

    fn render(&self, task: Task) {
        let runner = &self.parts[task.part];
        let slot = &self.slots[task.slot];
        let stretch = slot.stretch.read().unwrap_or_else(PoisonError::into_inner);
        let mut instance = runner.instance.lock().unwrap_or_else(PoisonError::into_inner);
        let heard: Vec<_> = runner
            .part
            .hears
            .iter()
            .map(|source| match *source {
                Source::Song(channel) => Heard::Song(&stretch.input[channel]),
                Source::Signal(signal) => {
                    Heard::Signal(slot.signals[signal].read().unwrap_or_else(PoisonError::into_inner))
                }
            })
            .collect();
        let give = |&signal: &usize| slot.signals[signal].write().unwrap_or_else(PoisonError::into_inner);
        let mut given: Vec<_> = runner.part.gives.iter().map(give).collect();
        runner.schedule(&mut instance, &stretch);
        let mut restless = vec![];
        for start in (0..stretch.frames).step_by(QUANTUM) {
            let piece = start..start + QUANTUM;
            for (channel, heard) in heard.iter().enumerate() {
                let (sound, silent) = match heard {
                    Heard::Song(sound) => (&sound[piece.clone()], false),
                    Heard::Signal(sound) => (&sound.samples[piece.clone()], sound.silent[start / QUANTUM]),
                };
                instance.set_input_silent(channel, silent);
                if let Some(buffer) = instance.input(channel) {
                    buffer.copy_from_slice(sound);
                }
            }
            instance.quantum(stretch.frame + start as u64);
            for (channel, sound) in given.iter_mut().enumerate() {
                sound.samples[piece.clone()].copy_from_slice(instance.output(channel));
                sound.silent[start / QUANTUM] = instance.is_output_silent(channel);
            }
            if stretch.watch {
                restless.push(instance.restless());
            }
        }
        let failures = instance.not_finite();
        if !failures.is_empty() {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).extend(failures);
        }
        if stretch.watch {
            let mut all = stretch.restless.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter_mut().zip(restless).for_each(|(all, own)| *all += own);
        }
    }
}

/// What a part hears.
enum Heard<'s> {
    Song(&'s [f32]),
    Signal(RwLockReadGuard<'s, Sound>),
}

impl PartRunner {
    fn new(part: Part) -> PartRunner {
        let instance = Mutex::new(Instance::new(part.program.clone(), 0));
        let mut params = IdMap::filled(false, part.program.params.len());
        let mut ports = IdMap::filled(false, part.program.ports);
        for step in &part.program.steps {
            step.params.iter().for_each(|&param| params[param] = true);
            step.ports.iter().for_each(|&port| ports[port] = true);
        }
        // What a voice's share follows reaches it.
        for (param, slot) in part.program.params.iter() {
            if let Some(base) = slot.follows.filter(|_| params[param]) {
                params[base] = true;
            }
        }
        PartRunner { part, params, ports, instance }
    }

    /// Gives the part the stretch's events that concern it.
    fn schedule(&self, instance: &mut Instance, stretch: &Stretch) {
        let concerns = |event: &&Event| match event.kind {
            _ if stretch.to_all => true,
            EventKind::Set { param, .. } | EventKind::NoteValue { param, .. } => {
                self.params.get(param).is_some_and(|own| *own)
            }
            EventKind::On { port, .. } | EventKind::Off { port } | EventKind::Pitch { port, .. } => {
                self.ports.get(port).is_some_and(|own| *own)
            }
        };
        for event in stretch.events.iter().filter(concerns) {
            instance.queue.reserve(1);
            // There is room for one.
            let _ = instance.queue.push(*event);
        }
    }
}

/// Notifies the other threads when its thread panics.
struct PanicNotice<'c>(&'c Pool);

impl Drop for PanicNotice<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut progress = self.0.progress();
            progress.broken = true;
            self.0.notify(&progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    /// A thread that works for one pool after the other, and says when each is over.
    fn worker(done: Sender<()>) -> Sender<Arc<Pool>> {
        let (sender, pools) = channel::<Arc<Pool>>();
        std::thread::spawn(move || {
            for pool in pools {
                pool.work();
                // It is not joined when the test has failed.
                let _ = done.send(());
            }
        });
        sender
    }

    /// Whenever the end is notified, also just when a thread is about to sleep, all threads see it. They stay awake
    /// for no time here, so that nearly every notification comes at such a moment.
    #[test]
    fn no_thread_sleeps_through_the_end() {
        const ENDS: usize = 100_000;
        const WORKERS: usize = 2;
        let (done, over) = channel();
        let workers: Vec<_> = (0..WORKERS).map(|_| worker(done.clone())).collect();
        for end in 0..ENDS {
            let nothing = Split { parts: vec![], signals: 0, outputs: vec![] };
            let pool = Arc::new(Pool { awake: Duration::ZERO, ..Pool::new(nothing, 0, QUANTUM, 1) });
            workers.iter().for_each(|worker| worker.send(pool.clone()).unwrap());
            // The end comes at every moment of what they do.
            (0..end % 512).for_each(|_| std::hint::spin_loop());
            if end % 3 == 0 {
                std::thread::yield_now();
            }
            pool.end();
            for _ in 0..WORKERS {
                let heard = over.recv_timeout(Duration::from_secs(60));
                assert!(heard.is_ok(), "a thread sleeps through end {end}");
            }
        }
    }
}
