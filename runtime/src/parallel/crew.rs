//! Who renders what when: parts and stretches, taken by whoever has time.
//!
//! A part renders its stretches in order. It may render one when the parts that it hears have rendered theirs, and when
//! those that hear it are done with what lies where its own will be put: of each signal [`DEPTH`] stretches are kept.

use super::split::{Part, Source, Split};
use super::{DEPTH, STRETCH};
use crate::engine::Instance;
use crate::program::{Event, EventKind, QUANTUM};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};

/// A signal's sound in the stretches that are kept.
type Kept = [RwLock<Vec<f32>>; DEPTH];

/// What all threads share.
pub(super) struct Crew {
    parts: Vec<Member>,
    signals: Vec<Kept>,
    stretches: [RwLock<Stretch>; DEPTH],
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// A part, with who depends on it.
struct Member {
    part: Part,
    heard_by: Vec<usize>,
    /// Which parameters and ports are its own.
    params: Vec<bool>,
    ports: Vec<bool>,
    instance: Mutex<Instance>,
}

/// What all parts of a stretch are given.
#[derive(Default)]
pub(super) struct Stretch {
    /// Its first frame.
    pub(super) frame: u64,
    /// How many frames: a multiple of [`QUANTUM`], at most [`STRETCH`].
    pub(super) frames: usize,
    pub(super) events: Vec<Event>,
    /// Each event goes to every part, not only to those that it concerns.
    pub(super) to_all: bool,
    /// The song's input, a channel each, as long as the stretch.
    pub(super) input: Vec<Vec<f32>>,
    /// Whether anybody wants to know who is awake.
    pub(super) watch: bool,
    /// How many voices are awake at the end of each quantum.
    awake: Mutex<Vec<usize>>,
}

/// How far everybody is, in stretches.
struct Progress {
    /// Stretches that may be rendered.
    planned: u64,
    /// Stretches whose result has been taken.
    taken: u64,
    /// Stretches that each part has rendered.
    done: Vec<u64>,
    busy: Vec<bool>,
    over: bool,
    /// A thread has panicked.
    broken: bool,
}

/// One part's next stretch.
#[derive(Clone, Copy)]
struct Task {
    part: usize,
    stretch: u64,
}

impl Crew {
    pub(super) fn new(split: Split, channels: usize) -> Crew {
        let count = split.parts.len();
        let mut heard_by = vec![vec![]; count];
        for (index, part) in split.parts.iter().enumerate() {
            part.needs.iter().for_each(|&need| heard_by[need].push(index));
        }
        let parts = split.parts.into_iter().zip(heard_by).map(|(part, heard_by)| Member::new(part, heard_by));
        let stretch = || RwLock::new(Stretch { input: vec![vec![]; channels], ..Stretch::default() });
        Crew {
            parts: parts.collect(),
            signals: (0..split.signals)
                .map(|_| std::array::from_fn(|_| RwLock::new(vec![0.0; STRETCH])))
                .collect(),
            stretches: std::array::from_fn(|_| stretch()),
            progress: Mutex::new(Progress {
                planned: 0,
                taken: 0,
                done: vec![0; count],
                busy: vec![false; count],
                over: false,
                broken: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// See [`crate::Engine::never_skip`].
    pub(super) fn never_skip(&self) {
        for member in &self.parts {
            member.instance.lock().unwrap_or_else(PoisonError::into_inner).never_skip();
        }
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Works until it is over.
    pub(super) fn work(&self) {
        let _guard = Alarm(self);
        let mut progress = self.progress();
        while !progress.over {
            progress = match self.next(&progress) {
                Some(task) => self.perform(progress, task),
                None => self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Whether one more stretch can be planned.
    pub(super) fn has_room(&self) -> bool {
        let progress = self.progress();
        let last = progress.done.iter().copied().fold(progress.taken, u64::min);
        progress.planned < last + DEPTH as u64
    }

    /// Plans the next stretch, as `fill` describes it. Only where there is room.
    pub(super) fn plan(&self, fill: impl FnOnce(&mut Stretch)) {
        let planned = self.progress().planned;
        let mut stretch = self.stretches[slot(planned)].write().unwrap_or_else(PoisonError::into_inner);
        stretch.events.clear();
        fill(&mut stretch);
        let quanta = stretch.frames / QUANTUM;
        let awake = stretch.awake.get_mut().unwrap_or_else(PoisonError::into_inner);
        awake.clear();
        awake.resize(quanta, 0);
        drop(stretch);
        self.progress().planned += 1;
        self.changed.notify_all();
    }

    /// Works until a stretch is rendered. Panics when a thread has: there is no sound any more.
    pub(super) fn wait(&self, stretch: u64) {
        let mut progress = self.progress();
        while progress.done.iter().any(|&done| done <= stretch) {
            assert!(!progress.broken, "a rendering thread has stopped");
            progress = match self.next(&progress) {
                Some(task) => self.perform(progress, task),
                None => self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// The result of a stretch has been taken: its place is free.
    pub(super) fn take(&self, stretch: u64) {
        self.progress().taken = stretch + 1;
        self.changed.notify_all();
    }

    /// No more is wanted.
    pub(super) fn end(&self) {
        self.progress().over = true;
        self.changed.notify_all();
    }

    /// Copies a piece of a rendered stretch, from a frame of it on.
    pub(super) fn copy(&self, source: Option<Source>, stretch: u64, from: usize, to: &mut [f32]) {
        match source {
            Some(Source::Signal(signal)) => {
                let sound =
                    self.signals[signal][slot(stretch)].read().unwrap_or_else(PoisonError::into_inner);
                to.copy_from_slice(&sound[from..from + to.len()]);
            }
            Some(Source::Song(channel)) => {
                let stretch = self.stretches[slot(stretch)].read().unwrap_or_else(PoisonError::into_inner);
                to.copy_from_slice(&stretch.input[channel][from..from + to.len()]);
            }
            None => to.fill(0.0),
        }
    }

    /// How many voices are awake at the end of a quantum of a rendered stretch that was watched.
    pub(super) fn awake(&self, stretch: u64, quantum: usize) -> usize {
        let stretch = self.stretches[slot(stretch)].read().unwrap_or_else(PoisonError::into_inner);
        let awake = stretch.awake.lock().unwrap_or_else(PoisonError::into_inner);
        awake.get(quantum).copied().unwrap_or(0)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be done: of the earliest stretch the costliest part.
    fn next(&self, progress: &Progress) -> Option<Task> {
        let ready = |&part: &usize| {
            let (member, stretch) = (&self.parts[part], progress.done[part]);
            let place_is_free = |done: u64| done + DEPTH as u64 > stretch;
            !progress.busy[part]
                && stretch < progress.planned
                && place_is_free(progress.taken)
                && member.part.needs.iter().all(|&need| progress.done[need] > stretch)
                && member.heard_by.iter().all(|&by| place_is_free(progress.done[by]))
        };
        let first = |&part: &usize| (progress.done[part], std::cmp::Reverse(self.parts[part].part.cost));
        let part = (0..self.parts.len()).filter(ready).min_by_key(first)?;
        Some(Task { part, stretch: progress.done[part] })
    }

    fn perform<'p>(&'p self, mut progress: MutexGuard<'p, Progress>, task: Task) -> MutexGuard<'p, Progress> {
        progress.busy[task.part] = true;
        drop(progress);
        self.render(task);
        let mut progress = self.progress();
        progress.busy[task.part] = false;
        progress.done[task.part] += 1;
        self.changed.notify_all();
        progress
    }

    fn render(&self, task: Task) {
        let member = &self.parts[task.part];
        let place = slot(task.stretch);
        let stretch = self.stretches[place].read().unwrap_or_else(PoisonError::into_inner);
        let mut instance = member.instance.lock().unwrap_or_else(PoisonError::into_inner);
        let heard: Vec<_> = member
            .part
            .hears
            .iter()
            .map(|source| match *source {
                Source::Song(channel) => Heard::Song(&stretch.input[channel]),
                Source::Signal(signal) => {
                    Heard::Signal(self.signals[signal][place].read().unwrap_or_else(PoisonError::into_inner))
                }
            })
            .collect();
        let give =
            |&signal: &usize| self.signals[signal][place].write().unwrap_or_else(PoisonError::into_inner);
        let mut given: Vec<_> = member.part.gives.iter().map(give).collect();
        member.schedule(&mut instance, &stretch);
        for start in (0..stretch.frames).step_by(QUANTUM) {
            for (channel, heard) in heard.iter().enumerate() {
                if let Some(buffer) = instance.input(channel) {
                    let sound: &[f32] = match heard {
                        Heard::Song(sound) => sound,
                        Heard::Signal(sound) => sound,
                    };
                    buffer.copy_from_slice(&sound[start..start + QUANTUM]);
                }
            }
            instance.quantum(stretch.frame + start as u64);
            for (channel, sound) in given.iter_mut().enumerate() {
                sound[start..start + QUANTUM].copy_from_slice(instance.output(channel));
            }
            if stretch.watch {
                let mut awake = stretch.awake.lock().unwrap_or_else(PoisonError::into_inner);
                awake[start / QUANTUM] += instance.awake();
            }
        }
    }
}

/// What a part hears.
enum Heard<'s> {
    Song(&'s [f32]),
    Signal(std::sync::RwLockReadGuard<'s, Vec<f32>>),
}

impl Member {
    fn new(part: Part, heard_by: Vec<usize>) -> Member {
        let instance = Mutex::new(Instance::new(part.program.clone(), 0));
        let mut params = vec![false; part.program.params.len()];
        let mut ports = vec![false; part.program.ports];
        for step in &part.program.steps {
            step.params.iter().for_each(|&param| params[param] = true);
            step.ports.iter().for_each(|&port| ports[port] = true);
        }
        Member { part, heard_by, params, ports, instance }
    }

    /// Gives the part the stretch's events that concern it.
    fn schedule(&self, instance: &mut Instance, stretch: &Stretch) {
        let concerns = |event: &&Event| match event.kind {
            _ if stretch.to_all => true,
            EventKind::Set { param, .. } => self.params.get(param).is_some_and(|own| *own),
            EventKind::On { port, .. } | EventKind::Off { port } => {
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

/// Tells the others when its thread panics.
struct Alarm<'c>(&'c Crew);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.progress().broken = true;
            self.0.changed.notify_all();
        }
    }
}

/// Where a stretch is kept.
fn slot(stretch: u64) -> usize {
    (stretch % DEPTH as u64) as usize
}
