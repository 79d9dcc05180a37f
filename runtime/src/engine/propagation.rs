//! Silence propagation: which steps need not be called in a quantum, because they sleep.
//!
//! A signal is silent when the step that writes it sleeps: it has voices and none is awake, or it is an effect whose tail is
//! over ([`TailDetector`](super::tail::TailDetector)). No signal is examined sample by sample to find that out, so the steps
//! that sleep are the same however a program is cut into blocks or parts. The song's own input counts as sound.

use super::memory::Buffers;
use super::step::Runner;
use crate::ids::{BufferId, IdMap, SignalId};
use crate::program::Program;

/// Where a signal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is never written, and so is always silent.
    Nothing,
    /// A channel of the program's input.
    Input(usize),
    /// An output of a step.
    Step(usize),
}

/// Which steps read the outputs of which, and which of them are silent in the present part of a quantum.
#[derive(Debug)]
pub(crate) struct SilencePropagation {
    /// For each step, where its inputs come from.
    origins: Vec<Vec<Origin>>,
    /// For each step, the inputs that read its outputs, or copies of them.
    readers: Vec<Vec<Reader>>,
    /// For each channel of the program's input, and after them for what is never written, the inputs of steps that read it,
    /// or copies of it.
    input_readers: Vec<Vec<Reader>>,
    /// Where the program's outputs come from.
    outputs: Vec<Origin>,
    /// Which channels of the input are known to be silent, and after them what is never written, which always is.
    inputs: Vec<bool>,
    /// For which channels the readers are pointed to silence.
    muted_inputs: Vec<bool>,
    /// Which steps are silent.
    steps: Vec<bool>,
}

/// An input of a step that reads another step's output, or the program's input.
#[derive(Debug)]
struct Reader {
    step: usize,
    /// Which of the step's inputs it is.
    input: usize,
    /// The buffer that it reads while it is not silent.
    buffer: BufferId,
}

impl SilencePropagation {
    pub(crate) fn new(program: &Program) -> SilencePropagation {
        let mut from: IdMap<SignalId, Origin> = IdMap::filled(Origin::Nothing, program.buffers.len());
        for (channel, &signal) in program.inputs.iter().enumerate() {
            from[signal] = Origin::Input(channel);
        }
        let mut origins = vec![];
        let mut readers: Vec<Vec<Reader>> = program.steps.iter().map(|_| vec![]).collect();
        let nothing = program.inputs.len();
        let mut input_readers: Vec<Vec<Reader>> = (0..=nothing).map(|_| vec![]).collect();
        for (index, step) in program.steps.iter().enumerate() {
            let heard: Vec<Origin> = step.inputs.iter().map(|&signal| from[signal]).collect();
            for (input, (origin, &signal)) in heard.iter().zip(&step.inputs).enumerate() {
                let reader = Reader { step: index, input, buffer: program.buffers[signal] };
                match *origin {
                    Origin::Step(heard) => readers[heard].push(reader),
                    Origin::Input(channel) => input_readers[channel].push(reader),
                    Origin::Nothing => input_readers[nothing].push(reader),
                }
            }
            // A copy is as silent as what it is a copy of.
            let copied: Vec<Origin> = step.copies.iter().map(|&signal| from[signal]).collect();
            for (place, &signal) in step.outputs.iter().enumerate() {
                from[signal] = copied.get(place).copied().unwrap_or(Origin::Step(index));
            }
            origins.push(heard);
        }
        SilencePropagation {
            origins,
            readers,
            input_readers,
            outputs: program.outputs.iter().map(|&signal| from[signal]).collect(),
            inputs: (0..=nothing).map(|channel| channel == nothing).collect(),
            muted_inputs: vec![false; nothing + 1],
            steps: vec![false; program.steps.len()],
        }
    }

    /// Nothing is known to be silent, as at the start.
    pub(crate) fn reset(&mut self) {
        if let Some((_nothing, channels)) = self.inputs.split_last_mut() {
            channels.fill(false);
        }
        self.muted_inputs.fill(false);
        self.steps.fill(false);
    }

    /// Whether all of the program's outputs are silent in the present part.
    pub(crate) fn is_all_silent(&self) -> bool {
        self.outputs.iter().all(|&origin| self.is_silent(origin))
    }

    /// Says whether a channel of the input is silent in the next quantum. Returns true if it was otherwise before.
    #[cfg(feature = "threads")]
    pub(crate) fn set_input(&mut self, channel: usize, silent: bool) -> bool {
        match self.inputs.split_last_mut() {
            Some((_nothing, channels)) if channel < channels.len() => {
                std::mem::replace(&mut channels[channel], silent) != silent
            }
            _ => false,
        }
    }

    /// Finds the steps that are silent for a whole part of a quantum, perhaps its first; `has_event` says of a step whether
    /// an event of the part concerns it. A silent step writes nothing: its readers are pointed to a buffer of zeros, as its
    /// own may hold another signal by then.
    pub(crate) fn propagate(
        &mut self,
        runners: &mut [Runner],
        buffers: &Buffers,
        is_first: bool,
        has_event: impl Fn(&Runner) -> bool,
    ) {
        let point = |runners: &mut [Runner], readers: &[Reader], silent: bool| {
            for reader in readers {
                let sound = if silent { buffers.silence() } else { buffers.start(reader.buffer) };
                runners[reader.step].read_from(reader.input, sound);
            }
        };
        // A step that only copies a silent input sleeps as well, so its readers are pointed away from its buffer.
        for (channel, readers) in self.input_readers.iter().enumerate() {
            let silent = self.inputs[channel];
            if std::mem::replace(&mut self.muted_inputs[channel], silent) != silent {
                point(runners, readers, silent);
            }
        }
        for index in 0..runners.len() {
            let hears = self.origins[index].iter().any(|&origin| !self.is_silent(origin));
            let has_event = has_event(&runners[index]);
            let silent = runners[index].begin(is_first, hears, has_event);
            if std::mem::replace(&mut self.steps[index], silent) != silent {
                point(runners, &self.readers[index], silent);
            }
        }
    }

    /// Whether a channel of the result is silent in the present quantum.
    pub(crate) fn output(&self, channel: usize) -> bool {
        self.outputs.get(channel).is_some_and(|&origin| self.is_silent(origin))
    }

    fn is_silent(&self, origin: Origin) -> bool {
        match origin {
            Origin::Nothing => true,
            Origin::Input(channel) => self.inputs[channel],
            Origin::Step(step) => self.steps[step],
        }
    }
}
