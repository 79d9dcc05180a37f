//! What a song is, in one line: how many nodes, how long, how much memory.

use crate::compiling::Compiled;
use crate::offline::song_end;
use crate::sounds::sound_hash;
use mam_compiler::Stages;
use mam_compiler::ir::Kernel;
use mam_grammar::problem::count;
use mam_runtime::{Program, QUANTUM};
use serde::Serialize;
use std::fmt;

/// A compiled song in figures. What cannot be known before it runs is not among them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The song's file, as it was named.
    pub file: String,
    /// Kernel calls that make up 64 frames: nodes, and voices of their own.
    pub nodes: usize,
    /// What can be set while it runs.
    pub parameters: usize,
    /// Number of output channels.
    pub channels: usize,
    /// Operations a frame while nothing begins and every voice sounds: what it costs at most.
    pub operations: usize,
    /// Bytes of states, delay lines and buffers: all that it will ever use.
    pub memory: usize,
    /// Sample rate in frames a second.
    pub rate: u32,
    /// Frames of one pass, without the tail; none when it has no end of its own.
    pub frames: Option<u64>,
    /// Frames by which the output is late: a render begins with this frame.
    pub latency: u32,
    /// The sound files that it plays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sounds: Vec<SoundFile>,
}

/// A sound file of a song.
#[derive(Clone, Debug, Serialize)]
pub struct SoundFile {
    /// Its path, as messages have it.
    pub file: String,
    /// What it is known by wherever it lies: the `hash` of a `sample`.
    pub hash: String,
    /// Where it is streamed, bytes of memory that it takes while it plays, more where many voices do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streamed: Option<usize>,
}

impl Summary {
    /// Of a song that compiled.
    pub fn new(compiled: &Compiled) -> Option<Summary> {
        let program = compiled.compilation.program.as_ref()?;
        Some(Summary {
            file: compiled.name().to_string(),
            nodes: program.steps.iter().map(|step| step.parts.len()).sum(),
            parameters: program.params.len(),
            channels: program.outputs.len(),
            operations: operations(&compiled.compilation.stages),
            memory: memory(program),
            rate: program.rate,
            frames: song_end(program),
            latency: program.latency,
            sounds: compiled
                .sounds
                .iter()
                .filter_map(|(file, path)| {
                    let streamed = program.streams().find(|stream| stream.about().name == *file);
                    let streamed = streamed.map(|stream| stream.bytes());
                    Some(SoundFile { file: file.clone(), hash: sound_hash(path).ok()?, streamed })
                })
                .collect(),
        })
    }
}

/// What is computed every frame, over all calls.
pub fn operations(stages: &Stages) -> usize {
    let kernels: Vec<usize> = stages.optimised.kernels.values().map(Kernel::operations).collect();
    stages.plan.steps.iter().map(|s| kernels[s.kernel as usize]).sum()
}

fn memory(program: &Program) -> usize {
    let delays: usize = program.delays.values().map(|d| d.frames * size_of::<f32>()).sum();
    program.state.len() + delays + program.buffer_count() * QUANTUM * size_of::<f32>()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, memory) = (count(self.nodes, "node"), bytes(self.memory));
        write!(f, "{}: {nodes}, {} operations a frame, {memory} of memory, ", self.file, self.operations)?;
        match self.frames {
            // Each instrument struck once.
            Some(0) => f.write_str("no score: until it is silent")?,
            Some(frames) => write!(f, "{:.1} s", frames as f64 / f64::from(self.rate))?,
            None => f.write_str("no end of its own")?,
        }
        write!(f, " at {} Hz, latency {} frames", self.rate, self.latency)
    }
}

/// A number of bytes as people read it.
pub fn bytes(n: usize) -> String {
    match n {
        0..1_024 => format!("{n} B"),
        1_024..1_048_576 => format!("{:.1} KiB", n as f64 / 1_024.0),
        _ => format!("{:.1} MiB", n as f64 / 1_048_576.0),
    }
}
