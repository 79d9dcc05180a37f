//! Parameters: their values, which both threads read, and what the audio thread knows of them beside.

use crate::song::Song;
use mam_runtime::ids::ParamId;
use mam_runtime::{Engine, Event, EventKind, Program};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Values in base units, one a parameter of the manifest. The audio thread writes what events set, the main thread what a state
/// holds; the last one counts.
#[derive(Debug)]
pub(crate) struct Values {
    bits: Box<[AtomicU64]>,
    /// The main thread has written, and the audio thread has not seen it yet.
    loaded: AtomicBool,
}

impl Values {
    /// Those that the song begins with.
    pub(crate) fn new(song: &Song) -> Values {
        let bits = song.manifest.params.iter().map(|param| AtomicU64::new(param.default.to_bits()));
        Values { bits: bits.collect(), loaded: AtomicBool::new(false) }
    }

    /// The value of a parameter, in base units. \[main, audio\]
    pub(crate) fn get(&self, index: usize) -> f64 {
        f64::from_bits(self.bits[index].load(Ordering::Relaxed))
    }

    fn set(&self, index: usize, value: f64) {
        self.bits[index].store(value.to_bits(), Ordering::Relaxed);
    }

    /// Takes the values of a state, each with its parameter, for the audio thread to notice. \[main\]
    pub(crate) fn load(&self, values: &[(usize, f64)]) {
        values.iter().for_each(|&(index, value)| self.set(index, value));
        self.loaded.store(true, Ordering::Release);
    }

    /// A value that a host sets, in its own terms; nothing where it is not a number. Where no engine runs. \[main\]
    pub(crate) fn set_by_host(&self, song: &Song, index: usize, value: f64) {
        if let Some(value) = song.manifest.params[index].from_host(value) {
            self.set(index, value);
        }
    }
}

/// A parameter on the audio thread.
#[derive(Debug)]
struct Control {
    /// The parameter of the program.
    param: ParamId,
    /// The value that the engine was given last, without modulation, in base units.
    value: f64,
    /// What is added, in the host's terms.
    modulation: f64,
}

/// All parameters on the audio thread.
#[derive(Debug)]
pub(crate) struct Controls(Vec<Control>);

impl Controls {
    /// The parameters of a program, at their present values. Allocates.
    ///
    /// # Errors
    /// When the program lacks one.
    pub(crate) fn new(song: &Song, program: &Program, values: &Values) -> Result<Controls, String> {
        let control = |(index, param): (usize, &mam_package::Param)| {
            let found = program.params.iter().find(|(_, slot)| *slot.name == *param.path);
            let (param, _) = found.ok_or_else(|| format!("the song has no parameter `{}`", param.path))?;
            Ok(Control { param, value: values.get(index), modulation: 0.0 })
        };
        Ok(Controls(song.manifest.params.iter().enumerate().map(control).collect::<Result<_, String>>()?))
    }

    /// Gives a new engine, or one that was reset, the present values, without modulation. \[audio\]
    pub(crate) fn start(&mut self, engine: &mut Engine, values: &Values) {
        values.loaded.store(false, Ordering::Relaxed);
        for (index, control) in self.0.iter_mut().enumerate() {
            (control.value, control.modulation) = (values.get(index), 0.0);
            engine.start_param(control.param, control.value);
        }
    }

    /// The event of a value that a host sets, in its own terms; `None` for what is not a number. \[audio\]
    pub(crate) fn set(
        &mut self,
        song: &Song,
        values: &Values,
        (index, value): (usize, f64),
        frame: u64,
    ) -> Option<Event> {
        let value = song.manifest.params[index].from_host(value)?;
        values.set(index, value);
        self.0[index].value = value;
        Some(self.event(song, index, frame))
    }

    /// The event of a modulation, in the host's terms; `None` for what is not a number. \[audio\]
    pub(crate) fn modulate(&mut self, song: &Song, index: usize, amount: f64, frame: u64) -> Option<Event> {
        if !amount.is_finite() {
            return None;
        }
        self.0[index].modulation = amount;
        Some(self.event(song, index, frame))
    }

    /// Gives the events of the values that the main thread has loaded since this was asked. \[audio\]
    pub(crate) fn take_loaded(
        &mut self,
        song: &Song,
        values: &Values,
        frame: u64,
        mut emit: impl FnMut(Event),
    ) {
        if !values.loaded.swap(false, Ordering::Acquire) {
            return;
        }
        for index in 0..self.0.len() {
            let value = values.get(index);
            if value != self.0[index].value {
                self.0[index].value = value;
                emit(self.event(song, index, frame));
            }
        }
    }

    /// The value that the host wants of a parameter of the program; `None` where no host sets it. \[audio\]
    pub(crate) fn value_of(&self, param: ParamId) -> Option<f64> {
        self.0.iter().find(|control| control.param == param).map(|control| control.value)
    }

    fn event(&self, song: &Song, index: usize, frame: u64) -> Event {
        let Control { param, value, modulation } = self.0[index];
        let info = &song.manifest.params[index];
        let moved = match modulation {
            0.0 => None,
            by => info.from_host(info.to_host(value) + by),
        };
        let value = moved.unwrap_or(value);
        Event { frame, kind: EventKind::Set { param, value, ramp: 0, curve: None } }
    }
}
