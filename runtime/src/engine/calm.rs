//! Effects that rest: what hears silence, and has nothing left in it that could be heard, is not called.
//!
//! What a step hears is silent when those that it hears are asleep or at rest themselves; so nothing is looked at sample
//! by sample, and who rests is the same however a program is cut into blocks or parts. The song's own input counts as
//! sound. A step comes to rest at the end of a quantum, when for longer than its longest delay line its outputs, its
//! states and what it writes into its lines have stayed below [`CALM`], and no event has touched it.

use super::memory::Buffers;
use super::step::Runner;
use crate::program::{Program, QUANTUM};

/// −120 dB: less is not heard.
pub(crate) const CALM: f32 = 1e-6;

/// Who is heard in a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody.
    Nobody,
    /// A channel of the program's input.
    Input(usize),
    /// A step.
    Step(usize),
}

/// Who hears whom, and who is silent in the present quantum.
#[derive(Debug)]
pub(crate) struct Hearing {
    /// For each step, who its inputs are.
    origins: Vec<Vec<Origin>>,
    /// For each step, who hears it.
    hearers: Vec<Vec<Hearer>>,
    /// The same of the outputs.
    outputs: Vec<Origin>,
    /// Which channels of the input are known to be silent.
    inputs: Vec<bool>,
    /// Which steps are.
    steps: Vec<bool>,
}

/// An input of a step.
#[derive(Debug)]
struct Hearer {
    step: usize,
    place: usize,
    /// Where it is found while it sounds.
    buffer: usize,
}

impl Hearing {
    pub(crate) fn new(program: &Program) -> Hearing {
        let mut from = vec![Origin::Nobody; program.buffers.len()];
        for (channel, &signal) in program.inputs.iter().enumerate() {
            from[signal] = Origin::Input(channel);
        }
        let mut origins = vec![];
        let mut hearers: Vec<Vec<Hearer>> = program.steps.iter().map(|_| vec![]).collect();
        for (index, step) in program.steps.iter().enumerate() {
            let heard: Vec<Origin> = step.inputs.iter().map(|&signal| from[signal]).collect();
            for (place, (origin, &signal)) in heard.iter().zip(&step.inputs).enumerate() {
                if let Origin::Step(heard) = *origin {
                    hearers[heard].push(Hearer { step: index, place, buffer: program.buffers[signal] });
                }
            }
            // A copy is as silent as what it is a copy of.
            let copied: Vec<Origin> = step.copies.iter().map(|&signal| from[signal]).collect();
            for (place, &signal) in step.outputs.iter().enumerate() {
                from[signal] = copied.get(place).copied().unwrap_or(Origin::Step(index));
            }
            origins.push(heard);
        }
        Hearing {
            origins,
            hearers,
            outputs: program.outputs.iter().map(|&signal| from[signal]).collect(),
            inputs: vec![false; program.inputs.len()],
            steps: vec![false; program.steps.len()],
        }
    }

    /// Whether a channel of the input is silent in the next quantum. Whether that is news.
    pub(crate) fn tell(&mut self, channel: usize, silent: bool) -> bool {
        match self.inputs.get_mut(channel) {
            Some(known) => std::mem::replace(known, silent) != silent,
            None => false,
        }
    }

    /// Finds out who is silent in a quantum: `touched` says of a step whether an event of the quantum concerns it. Who is
    /// silent all through writes nothing; those that hear it find silence elsewhere, as its buffer may be another's.
    pub(crate) fn listen(
        &mut self,
        runners: &mut [Runner],
        buffers: &Buffers,
        touched: impl Fn(&Runner) -> bool,
    ) {
        for index in 0..runners.len() {
            let hears = self.origins[index].iter().any(|&origin| !self.is_silent(origin));
            let touched = touched(&runners[index]);
            let silent = runners[index].begin(hears, touched);
            if std::mem::replace(&mut self.steps[index], silent) == silent {
                continue;
            }
            for hearer in &self.hearers[index] {
                let sound = if silent { buffers.silence() } else { buffers.start(hearer.buffer) };
                runners[hearer.step].hear_at(hearer.place, sound);
            }
        }
    }

    /// Whether a channel of the result is silent in the present quantum.
    pub(crate) fn output(&self, channel: usize) -> bool {
        self.outputs.get(channel).is_some_and(|&origin| self.is_silent(origin))
    }

    fn is_silent(&self, origin: Origin) -> bool {
        match origin {
            Origin::Nobody => true,
            Origin::Input(channel) => self.inputs[channel],
            Origin::Step(step) => self.steps[step],
        }
    }
}

/// How near to its rest a step is.
#[derive(Debug)]
pub(crate) struct Rest {
    /// Whether nothing in it goes on by itself.
    can: bool,
    /// Whether it has been heard in this quantum.
    loud: bool,
    /// The frames that it has been calm for.
    calm: usize,
    /// Its longest delay line.
    longest: usize,
    /// Whether it is at rest.
    rests: bool,
    /// Whether it hears something in this quantum, or an event concerns it.
    disturbed: bool,
}

impl Rest {
    pub(crate) fn new(can: bool, longest: usize) -> Rest {
        Rest { can, loud: false, calm: 0, longest, rests: false, disturbed: true }
    }

    /// From now on it never rests.
    pub(crate) fn never(&mut self) {
        self.can = false;
    }

    /// Goes on where another is, if both wait for equally long lines.
    pub(crate) fn carry(&mut self, from: &Rest) {
        if self.can && from.can && self.longest == from.longest {
            (self.calm, self.rests, self.disturbed) = (from.calm, from.rests, from.disturbed);
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.rests
    }

    /// Begins a quantum. Whether it is roused from its rest.
    pub(crate) fn begin(&mut self, disturbed: bool) -> bool {
        let roused = self.rests && disturbed;
        self.disturbed = disturbed;
        self.rests &= !disturbed;
        if disturbed {
            // Here, as not every quantum that disturbs is ended.
            self.calm = 0;
        }
        roused
    }

    /// Whether the quantum may bring it nearer to its rest.
    pub(crate) fn is_near(&self) -> bool {
        self.can && !self.rests && !self.disturbed
    }

    /// Some frames of the quantum are rendered, and are looked at now: the buffer may be another's soon.
    pub(crate) fn heard(&mut self, is_quiet: impl FnOnce() -> bool) {
        self.loud = self.loud || !is_quiet();
    }

    /// Ends a quantum. Whether its rest begins.
    pub(crate) fn end(&mut self, is_calm: impl FnOnce() -> bool) -> bool {
        let loud = std::mem::take(&mut self.loud);
        if self.rests {
            return false;
        }
        self.calm = if self.is_near() && !loud && is_calm() { self.calm + QUANTUM } else { 0 };
        self.rests = self.calm > self.longest;
        self.rests
    }
}

/// Whether all are too quiet to be heard. What is not a number is not.
pub(crate) fn quiet(samples: &[f32]) -> bool {
    samples.iter().all(|x| x.abs() < CALM)
}
