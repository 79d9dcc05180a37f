//! What goes on when another program takes over: planned by `Control`, done by `Live`.

use crate::engine::Instance;
use crate::program::{Program, QUANTUM, Step};
use std::collections::HashMap;
use std::sync::Arc;

/// What is carried from one program to another. All work on the audio thread is in these lists.
#[derive(Debug, Default)]
pub(super) struct Carry {
    /// Stretches of state: from, to, bytes.
    state: Vec<(usize, usize, usize)>,
    /// Steps of the same name and the same notes: from, to.
    steps: Vec<(usize, usize)>,
    /// Parameters that keep their value: from, to.
    params: Vec<(usize, usize)>,
    /// For each parameter of the new program whether it keeps its value.
    kept: Vec<bool>,
    lines: Vec<LineMove>,
}

/// Lines that go on from one program's sound to the other's while both play: a quantum of each is kept in `held`.
#[derive(Debug, Default)]
pub(super) struct Blend {
    /// Indices into the new program's lines.
    lines: Vec<usize>,
    held: Vec<f32>,
}

/// A delay line that goes on.
#[derive(Debug)]
struct LineMove {
    from: usize,
    to: usize,
    /// Who uses it in the new program: the step, and the line's index in it.
    users: Vec<(usize, usize)>,
}

impl Carry {
    /// Plans what is carried from `old` to `new`.
    pub(super) fn new(old: &Program, new: &Program) -> Carry {
        let steps = matches(&old.steps, &new.steps, |step| step.name.clone(), |a, b| a.name == b.name);
        let params =
            matches(&old.params, &new.params, |param| param.name.clone(), |a, b| a.default == b.default);
        let mut kept = vec![false; new.params.len()];
        params.iter().for_each(|&(_, to)| kept[to] = true);
        let lines = matches(&old.delays, &new.delays, |line| line.name.clone(), |a, b| a.frames == b.frames);
        let mut state = steps.iter().flat_map(|&(a, b)| words(&old.steps[a], &new.steps[b])).collect();
        join(&mut state);
        Carry {
            state,
            steps: steps.into_iter().filter(|&(a, b)| same_notes(&old.steps[a], &new.steps[b])).collect(),
            params,
            kept,
            lines: lines.into_iter().map(|(from, to)| LineMove { from, to, users: users(new, to) }).collect(),
        }
    }

    /// The lines that are blended: those that go on and belong to no voice. A voice clears its own when it wakes.
    pub(super) fn blend(&self, new: &Program) -> Blend {
        let of_voice = |&(step, index): &(usize, usize)| {
            new.steps[step].voices.iter().any(|voice| voice.delays.contains(&index))
        };
        let blends =
            |line: &&LineMove| new.delays[line.to].frames >= QUANTUM && !line.users.iter().any(of_voice);
        let lines: Vec<usize> = self.lines.iter().filter(blends).map(|line| line.to).collect();
        Blend { held: vec![0.0; lines.len() * QUANTUM], lines }
    }

    /// Whether a parameter of the new program keeps the value that it had.
    pub(super) fn keeps(&self, param: usize) -> bool {
        self.kept.get(param).copied().unwrap_or(false)
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
        for &(from, to) in &self.steps {
            new.runners[to].carry(&old.runners[from]);
        }
        for line in &self.lines {
            std::mem::swap(&mut old.lines[line.from], &mut new.lines[line.to]);
            let memory = new.lines[line.to].as_ptr();
            line.users.iter().for_each(|&(step, index)| new.runners[step].move_line(index, memory));
        }
    }
}

impl Blend {
    /// Keeps what the old program has written in the quantum at `frame`. \[audio\]
    pub(super) fn hold(&mut self, new: &Instance, frame: u64) {
        for (&line, held) in self.lines.iter().zip(self.held.chunks_exact_mut(QUANTUM)) {
            let line = new.lines[line].as_slice();
            held.copy_from_slice(&line[frame as usize & (line.len() - 1)..][..QUANTUM]);
        }
    }

    /// Mixes it into what the new program has written: `gains` are the old one's. \[audio\]
    pub(super) fn mix(&mut self, new: &mut Instance, frame: u64, gains: &[f32; QUANTUM]) {
        for (&line, held) in self.lines.iter().zip(self.held.chunks_exact(QUANTUM)) {
            new.lines[line].change(|line| {
                let start = frame as usize & (line.len() - 1);
                mix(&mut line[start..][..QUANTUM], held, gains);
            });
        }
    }
}

/// new + (old − new)·g: exactly the new where both are equal.
pub(super) fn mix(new: &mut [f32], old: &[f32], gains: &[f32; QUANTUM]) {
    for ((new, old), gain) in new.iter_mut().zip(old).zip(gains) {
        *new += (old - *new) * gain;
    }
}

/// Pairs of equal names that also agree otherwise, as indices.
fn matches<T>(
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> Arc<str>,
    agree: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, usize)> {
    let places: HashMap<_, _> = old.iter().enumerate().map(|(index, item)| (name(item), index)).collect();
    let pair = |(to, item): (usize, &T)| {
        let &from = places.get(&name(item))?;
        agree(&old[from], item).then_some((from, to))
    };
    new.iter().enumerate().filter_map(pair).collect()
}

fn same_notes(old: &Step, new: &Step) -> bool {
    let voices = |step: &Step| step.voices.iter().map(|voice| voice.port).collect::<Vec<_>>();
    old.ports.len() == new.ports.len() && voices(old) == voices(new)
}

/// The words of state that two steps have in common.
fn words(old: &Step, new: &Step) -> Vec<(usize, usize, usize)> {
    let pairs = matches(&old.states, &new.states, |word| word.name.clone(), |a, b| a.bytes == b.bytes);
    let range = |(a, b): (usize, usize)| {
        let (from, to) = (&old.states[a], &new.states[b]);
        (old.state + from.offset, new.state + to.offset, to.bytes)
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

fn users(program: &Program, line: usize) -> Vec<(usize, usize)> {
    let of = |(index, step): (usize, &Step)| {
        let local = step.delays.iter().enumerate().filter(|(_, used)| **used == line);
        local.map(|(place, _)| (index, place)).collect::<Vec<_>>()
    };
    program.steps.iter().enumerate().flat_map(of).collect()
}
