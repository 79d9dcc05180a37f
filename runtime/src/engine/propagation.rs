//! Silence propagation: which steps need not be called in a quantum, because they sleep.
//!
//! A signal is silent when the step that writes it sleeps: it has voices and none is awake, or it is an effect whose tail is
//! over ([`TailDetector`](super::tail::TailDetector)). No signal is examined sample by sample to find that out, so the steps
//! that sleep are the same however a program is cut into blocks or parts. The song's own input counts as sound.

use super::call_list::Copies;
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
    /// The inputs that read a copy while its step is called, and its source while it is not, with their origins.
    rerouted: Vec<(Origin, Reader)>,
    /// Whether they read the source.
    reads_sources: bool,
}

/// An input of a step that reads another step's output, or the program's input.
#[derive(Clone, Copy, Debug)]
struct Reader {
    step: usize,
    /// Which of the step's inputs it is.
    input: usize,
    /// The buffer that it reads while it is not silent.
    buffer: BufferId,
    /// The buffer that it reads then where steps that only copy are left out.
    source: BufferId,
}

impl Reader {
    /// Points the input to what it reads.
    fn point(self, runners: &mut [Runner], buffers: &Buffers, silent: bool, reads_sources: bool) {
        let sound = match reads_sources {
            _ if silent => buffers.silence(),
            true => buffers.start(self.source),
            false => buffers.start(self.buffer),
        };
        runners[self.step].read_from(self.input, sound);
    }
}

impl SilencePropagation {
    /// Of a program, some of whose steps need not be called.
    pub(crate) fn new(program: &Program, copies: &Copies) -> SilencePropagation {
        let mut from: IdMap<SignalId, Origin> = IdMap::filled(Origin::Nothing, program.buffers.len());
        for (channel, &signal) in program.inputs.iter().enumerate() {
            from[signal] = Origin::Input(channel);
        }
        let (mut origins, mut rerouted) = (vec![], vec![]);
        let mut readers: Vec<Vec<Reader>> = program.steps.iter().map(|_| vec![]).collect();
        let nothing = program.inputs.len();
        let mut input_readers: Vec<Vec<Reader>> = (0..=nothing).map(|_| vec![]).collect();
        for (index, step) in program.steps.iter().enumerate() {
            let heard: Vec<Origin> = step.inputs.iter().map(|&signal| from[signal]).collect();
            for (input, (origin, &signal)) in heard.iter().zip(&step.inputs).enumerate() {
                let buffer_of = |signal: SignalId| program.buffers[signal];
                let (buffer, source) = (buffer_of(signal), buffer_of(copies.sources[signal]));
                let reader = Reader { step: index, input, buffer, source };
                if source != buffer {
                    rerouted.push((*origin, reader));
                }
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
            rerouted,
            reads_sources: false,
        }
    }

    /// Nothing is known to be silent, as at the start.
    pub(crate) fn reset(&mut self) {
        if let Some((_nothing, channels)) = self.inputs.split_last_mut() {
            channels.fill(false);
        }
        self.muted_inputs.fill(false);
        self.steps.fill(false);
        self.reads_sources = false;
    }

    /// Whether all of the program's outputs are silent in the present part.
    pub(crate) fn is_all_silent(&self) -> bool {
        self.outputs.iter().all(|&origin| self.is_silent(origin))
    }

    /// How many steps are not silent in the present part.
    pub(crate) fn restless(&self) -> usize {
        self.steps.iter().filter(|&&silent| !silent).count()
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
        let reads_sources = self.reads_sources;
        let point = |runners: &mut [Runner], readers: &[Reader], silent: bool| {
            readers.iter().for_each(|reader| reader.point(runners, buffers, silent, reads_sources));
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

    /// Lets the readers of mere copies read what was copied instead, from now on, or the copies again.
    pub(crate) fn read_sources(&mut self, runners: &mut [Runner], buffers: &Buffers, reads_sources: bool) {
        if std::mem::replace(&mut self.reads_sources, reads_sources) == reads_sources {
            return;
        }
        for &(origin, reader) in &self.rerouted {
            let silent = match origin {
                Origin::Nothing => self.muted_inputs[self.inputs.len() - 1],
                Origin::Input(channel) => self.muted_inputs[channel],
                Origin::Step(step) => self.steps[step],
            };
            reader.point(runners, buffers, silent, reads_sources);
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
