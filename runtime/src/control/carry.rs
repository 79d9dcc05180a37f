//! What goes on when another program takes over: planned by `Control`, done by `Live`.

use super::same::{Renames, unchanged};
use crate::engine::Instance;
use crate::ids::{DelayId, Id, IdMap, ParamId};
use crate::program::{DelaySpec, ParamSlot, Program, QUANTUM, StateWord, Step, StepPart};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long what appears and vanishes is faded.
const FADE_SECONDS: f64 = 0.010;
/// The same where a block node computes something else.
const LONG_FADE_SECONDS: f64 = 0.020;

/// What is carried from one program to another. All work on the audio thread is in these lists.
#[derive(Debug, Default)]
pub(super) struct Carry {
    /// Stretches of state: from, to, bytes.
    state: Vec<(usize, usize, usize)>,
    /// Ports of parts of the same name and the same notes: from, to.
    ports: Vec<(StepItem, StepItem)>,
    /// The voices of those parts, in the same order.
    voices: Vec<(StepItem, StepItem)>,
    /// Steps that detect the end of their tail, and take over the count: from, to.
    tails: Vec<(usize, usize)>,
    /// Steps that the edit does not change, and that stay silent if they have failed: from, to.
    unchanged: Vec<(usize, usize)>,
    /// Nodes that have another name.
    renames: Renames,
    /// Parameters that keep their value: from, to.
    params: Vec<(ParamId, ParamId)>,
    /// For each parameter of the new program whether it keeps its value.
    keeps_value: IdMap<ParamId, bool>,
    lines: Vec<LineMove>,
    /// How long both programs play, in seconds.
    fade_seconds: f64,
}

/// Lines of the new program while both play. Where both use one, each of them writes its own quantum over what lies there,
/// which the other may still have to read: so it is put back between the two. One that is new has only its silence to go
/// on from: what is written fades in, so that no edge is heard a delay later.
#[derive(Debug, Default)]
pub(super) struct Blend {
    /// Indices into the new program's lines.
    lines: Vec<Shared>,
    /// A quantum of each: what lay there before.
    under: Vec<f32>,
    /// A quantum of each: what the old program has written.
    held: Vec<f32>,
}

/// A line of the new program.
#[derive(Debug)]
struct Shared {
    line: DelayId,
    /// Whether it goes from one program's sound to the other's. A voice's does not: it is cleared when the voice wakes.
    mixed: bool,
    /// Whether the program before has it not.
    fresh: bool,
}

/// A port or voice of a step: the step, and the index in it.
type StepItem = (usize, usize);

/// A part with its step.
#[derive(Clone, Copy)]
struct PartOf<'p> {
    index: usize,
    step: &'p Step,
    part: &'p StepPart,
}

/// A delay line that goes on.
#[derive(Debug)]
struct LineMove {
    from: DelayId,
    to: DelayId,
    /// The step that writes it in the old program.
    writer: Option<usize>,
    /// Who uses it in the new program: the step, and the line's index in it.
    users: Vec<(usize, usize)>,
}

impl Carry {
    /// Plans what is carried from `old` to `new`.
    pub(super) fn new(old: &Program, new: &Program) -> Carry {
        let renames = Renames::between(old, new);
        let parts = parts_in_common(old, new, &renames);
        let same_default = |a: &ParamSlot, b: &ParamSlot| a.default == b.default;
        let params = matching_ids(&old.params, &new.params, |slot| &slot.name, &renames, same_default);
        let mut keeps_value = IdMap::filled(false, new.params.len());
        params.iter().for_each(|&(_, to)| keeps_value[to] = true);
        let as_long = |a: &DelaySpec, b: &DelaySpec| a.frames == b.frames;
        let lines = matching_ids(&old.delays, &new.delays, |line| &line.name, &renames, as_long);
        let mut state = parts.iter().flat_map(|(a, b)| words(a, b, &renames)).collect();
        join(&mut state);
        let same: Vec<_> = parts.iter().filter(|(a, b)| a.notes() == b.notes()).collect();
        Carry {
            state,
            ports: same.iter().flat_map(|(a, b)| a.ports().zip(b.ports())).collect(),
            voices: same.iter().flat_map(|(a, b)| a.voices().zip(b.voices())).collect(),
            tails: parts
                .iter()
                .filter(|(a, b)| a.step.can_sleep && b.step.can_sleep)
                .map(|(a, b)| (a.index, b.index))
                .collect(),
            unchanged: unchanged(old, new),
            params,
            keeps_value,
            lines: lines
                .into_iter()
                .map(|(from, to)| {
                    let writer = users(old, from).first().map(|(step, _)| *step);
                    LineMove { from, to, writer, users: users(new, to) }
                })
                .collect(),
            fade_seconds: if blocks(old) == blocks(new) { FADE_SECONDS } else { LONG_FADE_SECONDS },
            renames,
        }
    }

    /// How long both programs play, in seconds. \[audio\]
    pub(super) fn fade_seconds(&self) -> f64 {
        self.fade_seconds
    }

    /// What a node of the program before is called now, if it has another name.
    pub(super) fn renamed(&self, name: &str) -> Option<Arc<str>> {
        self.renames.now(name)
    }

    /// The lines of the new program, but for those that are so short that each program has its own.
    pub(super) fn blend(&self, new: &Program) -> Blend {
        let of_voice = |&(step, index): &(usize, usize)| {
            new.steps[step].voices.iter().any(|voice| voice.delays.contains(&index))
        };
        let mut fresh: IdMap<DelayId, bool> = IdMap::filled(true, new.delays.len());
        self.lines.iter().for_each(|line| fresh[line.to] = false);
        let shared = |(line, &fresh): (DelayId, &bool)| {
            let mixed = !users(new, line).iter().any(of_voice);
            (mixed || !fresh).then_some(Shared { line, mixed, fresh })
        };
        let long = fresh.iter().filter(|(line, _)| new.delays[*line].frames >= QUANTUM);
        let lines: Vec<Shared> = long.filter_map(shared).collect();
        let room = vec![0.0; lines.len() * QUANTUM];
        Blend { lines, under: room.clone(), held: room }
    }

    /// Whether a parameter of the new program keeps the value that it had.
    pub(super) fn keeps(&self, param: ParamId) -> bool {
        self.keeps_value.get(param).copied().unwrap_or(false)
    }

    /// Does it, between two quanta. \[audio\]
    pub(super) fn apply(&self, old: &mut Instance, new: &mut Instance) {
        new.changed();
        for &(from, to, bytes) in &self.state {
            let source = &old.state.as_slice()[from..from + bytes];
            new.state.as_mut_slice()[to..to + bytes].copy_from_slice(source);
        }
        for &(from, to) in &self.params {
            new.params.carry(to, &old.params, from);
        }
        for &(from, to) in &self.ports {
            new.runners[to.0].carry_port(to.1, &old.runners[from.0], from.1);
        }
        for &(from, to) in &self.voices {
            new.runners[to.0].carry_voice(to.1, &old.runners[from.0], from.1);
        }
        for &(from, to) in &self.unchanged {
            new.runners[to].carry_failure(&old.runners[from]);
        }
        for &(from, to) in &self.tails {
            new.runners[to].carry_tail(&old.runners[from]);
        }
        // What a line holds that is not finite stays behind: the new program has a line of silence.
        let is_clean = |line: &&LineMove| !line.writer.is_some_and(|step| old.runners[step].is_dirty());
        for line in self.lines.iter().filter(is_clean) {
            if new.lines[line.to].as_slice().len() < QUANTUM {
                let past = old.lines[line.from].as_slice();
                new.lines[line.to].change(|line| line.copy_from_slice(past));
                continue;
            }
            std::mem::swap(&mut old.lines[line.from], &mut new.lines[line.to]);
            let memory = new.lines[line.to].as_ptr();
            line.users.iter().for_each(|&(step, index)| new.runners[step].move_line(index, memory));
        }
    }
}

impl Blend {
    /// Keeps what lies where the old program will write in the quantum at `frame`. \[audio\]
    pub(super) fn keep(&mut self, new: &Instance, frame: u64) {
        let lines = self.lines.iter().zip(self.under.chunks_exact_mut(QUANTUM));
        for (shared, under) in lines.filter(|(shared, _)| !shared.fresh) {
            under.copy_from_slice(&new.lines[shared.line].as_slice()[quantum(new, shared, frame)]);
        }
    }

    /// Takes what the old program has written, and puts back what lay there. \[audio\]
    pub(super) fn hold(&mut self, new: &mut Instance, frame: u64) {
        let saved = self.under.chunks_exact(QUANTUM).zip(self.held.chunks_exact_mut(QUANTUM));
        for (shared, (under, held)) in self.lines.iter().zip(saved).filter(|(shared, _)| !shared.fresh) {
            let range = quantum(new, shared, frame);
            new.lines[shared.line].change(|line| {
                held.copy_from_slice(&line[range.clone()]);
                line[range].copy_from_slice(under);
            });
        }
    }

    /// Mixes it into what the new program has written: `gains` are the old one's. \[audio\]
    pub(super) fn mix(&mut self, new: &mut Instance, frame: u64, gains: &[f32; QUANTUM]) {
        for (shared, held) in self.lines.iter().zip(self.held.chunks_exact(QUANTUM)) {
            if shared.mixed {
                let range = quantum(new, shared, frame);
                new.lines[shared.line].change(|line| mix(&mut line[range], held, gains));
            }
        }
    }
}

/// What the block nodes of a program compute.
fn blocks(program: &Program) -> BTreeSet<u64> {
    program.steps.iter().filter_map(|step| step.block.as_ref()).map(|block| block.content()).collect()
}

/// Where the quantum at a frame lies in a line.
fn quantum(new: &Instance, shared: &Shared, frame: u64) -> std::ops::Range<usize> {
    let start = frame as usize & (new.lines[shared.line].as_slice().len() - 1);
    start..start + QUANTUM
}

/// new + (old − new)·g: exactly the new where both are equal.
pub(super) fn mix(new: &mut [f32], old: &[f32], gains: &[f32; QUANTUM]) {
    for ((new, old), gain) in new.iter_mut().zip(old).zip(gains) {
        *new += (old - *new) * gain;
    }
}

/// As [`matches()`], of items that have ids.
fn matching_ids<I: Id, T>(
    old: &IdMap<I, T>,
    new: &IdMap<I, T>,
    name: impl Fn(&T) -> &Arc<str>,
    renames: &Renames,
    agree: impl Fn(&T, &T) -> bool,
) -> Vec<(I, I)> {
    let pairs = matches(old.as_slice(), new.as_slice(), name, renames, agree);
    pairs.into_iter().map(|(from, to)| (I::new(from), I::new(to))).collect()
}

/// Pairs of names that are equal, but for what the edit has renamed, and that also agree otherwise, as indices.
fn matches<T>(
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> &Arc<str>,
    renames: &Renames,
    agree: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, usize)> {
    let places: FxHashMap<_, _> =
        old.iter().enumerate().map(|(index, item)| (name(item).clone(), index)).collect();
    let pair = |(to, item): (usize, &T)| {
        let &from = places.get(&renames.before(name(item)))?;
        agree(&old[from], item).then_some((from, to))
    };
    new.iter().enumerate().filter_map(pair).collect()
}

impl<'p> PartOf<'p> {
    /// All parts of a program.
    fn all(program: &'p Program) -> Vec<PartOf<'p>> {
        let steps = program.steps.iter().enumerate();
        steps
            .flat_map(|(index, step)| step.parts.iter().map(move |part| PartOf { index, step, part }))
            .collect()
    }

    /// How many ports it has, and which of them wake its voices.
    fn notes(self) -> (usize, Vec<Option<usize>>) {
        let voices = &self.step.voices[self.part.voices.clone()];
        let own = |port: usize| self.part.ports.iter().position(|&other| other == port);
        (self.part.ports.len(), voices.iter().map(|voice| own(voice.port)).collect())
    }

    fn ports(self) -> impl Iterator<Item = StepItem> + 'p {
        self.part.ports.iter().map(move |&port| (self.index, port))
    }

    fn voices(self) -> impl Iterator<Item = StepItem> + 'p {
        self.part.voices.clone().map(move |voice| (self.index, voice))
    }
}

/// The parts that two programs have in common, in whatever steps.
fn parts_in_common<'p>(
    old: &'p Program,
    new: &'p Program,
    renames: &Renames,
) -> Vec<(PartOf<'p>, PartOf<'p>)> {
    let (old, new) = (PartOf::all(old), PartOf::all(new));
    let pairs = matches(&old, &new, |of| &of.part.name, renames, |_, _| true);
    pairs.into_iter().map(|(a, b)| (old[a], new[b])).collect()
}

/// The words of state that two parts have in common.
fn words(old: &PartOf, new: &PartOf, renames: &Renames) -> Vec<(usize, usize, usize)> {
    let (olds, news) = (&old.part.states, &new.part.states);
    let as_wide = |a: &StateWord, b: &StateWord| a.bytes == b.bytes;
    let pairs = matches(olds, news, |word| &word.name, renames, as_wide);
    let range = |(a, b): (usize, usize)| {
        (old.step.state + olds[a].offset, new.step.state + news[b].offset, news[b].bytes)
    };
    pairs.into_iter().map(range).collect()
}

/// Joins stretches that follow one another on both sides.
fn join(stretches: &mut Vec<(usize, usize, usize)>) {
    stretches.sort_unstable();
    stretches.dedup_by(|next, last| {
        let follows = last.0 + last.2 == next.0 && last.1 + last.2 == next.1;
        last.2 += if follows { next.2 } else { 0 };
        follows
    });
}

fn users(program: &Program, line: DelayId) -> Vec<(usize, usize)> {
    let of = |(index, step): (usize, &Step)| {
        let local = step.delays.iter().enumerate().filter(|(_, used)| **used == line);
        local.map(|(place, _)| (index, place)).collect::<Vec<_>>()
    };
    program.steps.iter().enumerate().flat_map(of).collect()
}
