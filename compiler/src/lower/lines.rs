//! Delay lines that are written with the same signal are one line: many taps of a signal store it once.
//!
//! They are one where both bodies write the same values into them and they belong to the same voice, so that they are
//! cleared together. The line keeps the name of the first, and the length of the longest.

use crate::ir::{Body, DelayLine, Kernel, Op, Sharing, Value};
use mam_grammar::{Arena, Handle};
use rustc_hash::{FxHashMap, FxHashSet};

/// Makes one line of those of a kernel that are written with the same signal.
pub(super) fn merge_equal(kernel: &mut Kernel) {
    let written = [&kernel.general, &kernel.steady].map(written);
    let voice_of = |line: Handle<DelayLine>| {
        kernel.voices.iter().position(|voice| voice.delays.contains(&(line.index() as u32)))
    };
    let mut first: FxHashMap<_, usize> = FxHashMap::default();
    let mut merged: Arena<DelayLine> = Arena::default();
    let mut places: Vec<usize> = Vec::with_capacity(kernel.delays.len());
    for (line, slot) in kernel.delays.iter() {
        let values = written.each_ref().map(|written| written.get(&line).copied());
        let place = match values {
            // One that is lent is known by its name.
            [Some(general), Some(steady)] if slot.sharing == Sharing::Own => {
                *first.entry((general, steady, voice_of(line))).or_insert(merged.len())
            }
            // What is not written is not known to be the same.
            _ => merged.len(),
        };
        if place == merged.len() {
            merged.add(slot.clone());
        }
        let one = &mut merged[Handle::new(place)];
        one.frames = one.frames.max(slot.frames);
        places.push(place);
    }
    if merged.len() == kernel.delays.len() {
        return;
    }
    for voice in &mut kernel.voices {
        // Places are given in order.
        let before = |at: u32| places[..at as usize].iter().max().map_or(0, |place| *place as u32 + 1);
        voice.delays = before(voice.delays.start)..before(voice.delays.end);
    }
    let moved = |line: Handle<DelayLine>| Handle::new(places[line.index()]);
    [&mut kernel.general, &mut kernel.steady].into_iter().for_each(|body| retarget(body, moved));
    kernel.delays = merged;
}

/// What a body writes into each line.
fn written(body: &Body) -> FxHashMap<Handle<DelayLine>, Value> {
    body.writes.iter().copied().collect()
}

/// Points a body's reads and writes to other lines, each of which is written once.
fn retarget(body: &mut Body, moved: impl Fn(Handle<DelayLine>) -> Handle<DelayLine>) {
    for value in body.insts.handles() {
        if let Op::Read(line) = &mut body.insts[value].op {
            *line = moved(*line);
        }
    }
    let mut written: FxHashSet<Handle<DelayLine>> = FxHashSet::default();
    body.writes.iter_mut().for_each(|(line, _)| *line = moved(*line));
    body.writes.retain(|(line, _)| written.insert(*line));
}
