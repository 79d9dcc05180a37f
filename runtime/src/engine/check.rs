//! Whether a program's tables fit each other, so that the engine can follow them without looking.

use crate::buffers::Contents;
use crate::ids::{DelayId, IdMap};
use crate::program::{Program, Step};

impl Program {
    /// Checks that the tables fit each other.
    ///
    /// # Errors
    /// Says what does not fit: an index beyond its table, a block beyond the state, a delay line
    /// whose length is not a power of two, a signal that is read from a buffer that holds another one. A compiled program
    /// has no such fault.
    pub fn check(&self) -> Result<(), String> {
        if !self.state.len().is_multiple_of(16) {
            return Err("the state is not a multiple of 16 bytes".into());
        }
        below("an input of the song", self.inputs.iter().map(|id| id.index()), self.buffers.len())?;
        below("an output of the song", self.outputs.iter().map(|id| id.index()), self.buffers.len())?;
        if let Some(line) = self.delays.values().find(|line| !line.frames.is_power_of_two()) {
            return Err(format!("delay line {}: {} frames", line.name, line.frames));
        }
        self.steps.iter().try_for_each(|step| {
            check_step(self, step).map_err(|fault| format!("step {}: {fault}", step.name))
        })?;
        check_borrowed(self)?;
        check_buffers(self)
    }
}

/// A line that a step borrows is one that a step before it writes.
fn check_borrowed(program: &Program) -> Result<(), String> {
    let mut written: IdMap<DelayId, bool> = IdMap::filled(false, program.delays.len());
    for step in &program.steps {
        below("a line that is borrowed", step.borrowed.iter().copied(), step.delays.len())?;
        for (place, &line) in step.delays.iter().enumerate() {
            if step.borrowed.contains(&place) != written[line] {
                return Err(format!("step {}: {} has not one writer", step.name, program.delays[line].name));
            }
            written[line] = true;
        }
    }
    Ok(())
}

/// Each signal is read from its buffer while it is there; and while a step runs, its signals are apart.
fn check_buffers(program: &Program) -> Result<(), String> {
    let mut contents = Contents::new(program);
    for step in &program.steps {
        let before = step.inputs.iter().all(|&signal| contents.has(signal));
        contents.write(step);
        if !before || !step.inputs.iter().chain(&step.outputs).all(|&signal| contents.has(signal)) {
            return Err(format!("step {}: a signal is read where another one was written", step.name));
        }
    }
    match program.inputs.iter().chain(&program.outputs).all(|&signal| contents.has(signal)) {
        true => Ok(()),
        false => Err("a signal of the song lies where another one was written".into()),
    }
}

fn check_step(program: &Program, step: &Step) -> Result<(), String> {
    below("a parameter", step.params.iter().map(|id| id.index()), program.params.len())?;
    if step.per_call.len() != step.params.len() {
        return Err("it is not known which of its parameters are held".into());
    }
    below("a port", step.ports.iter().map(|id| id.index()), program.ports)?;
    below("a delay line", step.delays.iter().map(|id| id.index()), program.delays.len())?;
    below("an input", step.inputs.iter().map(|id| id.index()), program.buffers.len())?;
    below("an output", step.outputs.iter().map(|id| id.index()), program.buffers.len())?;
    if !step.copies.iter().all(|copied| step.inputs.contains(copied)) {
        return Err("it copies what it does not hear".into());
    }
    if !step.copies.is_empty() && step.copies.len() != step.outputs.len() {
        return Err("it copies to some of its outputs only".into());
    }
    if !step.state.is_multiple_of(16) || step.state + step.state_bytes > program.state.len() {
        return Err("its block is not within the state".into());
    }
    let inside = |range: &std::ops::Range<usize>, end| range.start <= range.end && range.end <= end;
    let aligned = |(ranges, bytes): (&[std::ops::Range<usize>], usize)| {
        let whole = |range: &std::ops::Range<usize>| {
            inside(range, step.state_bytes)
                && range.start.is_multiple_of(bytes)
                && range.len().is_multiple_of(bytes)
        };
        ranges.iter().all(whole)
    };
    if ![(&step.singles[..], 4), (&step.doubles[..], 8)].into_iter().all(aligned) {
        return Err("states are not within its block".into());
    }
    if let Some(block) = &step.block {
        let lines = step.delays.iter().map(|&line| program.delays[line].frames);
        let fits = lines.eq(block.lines()) && step.state_bytes == block.state_bytes();
        if !fits || (step.inputs.len(), step.outputs.len()) != block.channels() {
            return Err(format!("its memory or its signals are not those of a {}", block.name()));
        }
    }
    for voice in &step.voices {
        below("a voice's port", [voice.port], step.ports.len())?;
        if voice.until + 4 > step.state_bytes
            || !voice.bytes.iter().all(|bytes| inside(bytes, step.state_bytes))
            || !inside(&voice.delays, step.delays.len())
        {
            return Err("a voice is not within its step".into());
        }
    }
    for part in &step.parts {
        below("a part's port", part.ports.iter().copied(), step.ports.len())?;
        if !inside(&part.voices, step.voices.len()) || !inside(&part.outputs, step.outputs.len()) {
            return Err(format!("part {} is not within its step", part.name));
        }
        if let Some(word) = part.states.iter().find(|word| word.offset + word.bytes > step.state_bytes) {
            return Err(format!("state {} is not within its block", word.name));
        }
    }
    Ok(())
}

fn below(what: &str, indices: impl IntoIterator<Item = usize>, end: usize) -> Result<(), String> {
    match indices.into_iter().find(|&index| index >= end) {
        Some(index) => Err(format!("{what} has the index {index} of {end}")),
        None => Ok(()),
    }
}
