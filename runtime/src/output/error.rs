//! What can go wrong with a device, in words.

use std::fmt;

/// Why there is no sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputError {
    /// None of the backends works.
    NoDevice {
        /// What each of them said.
        refusals: Vec<String>,
    },
    /// There is no such backend in this build.
    UnknownBackend {
        /// What was asked for.
        name: String,
        /// The names that there are, for people.
        known: String,
    },
    /// There is no such device.
    UnknownDevice {
        /// What was asked for.
        name: String,
    },
    /// The server or the library that the backend needs is not there.
    Unavailable {
        /// What is missing, and where it was looked for.
        what: String,
    },
    /// The server or the device is gone.
    Gone {
        /// What it said, if anything.
        why: String,
    },
    /// The device now has another rate or format.
    Changed,
    /// The system refused a call.
    System {
        /// What was tried, as in "opening the device".
        call: &'static str,
        /// What the system said.
        why: String,
    },
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputError::NoDevice { refusals } => {
                write!(f, "no audio device was found")?;
                refusals.iter().try_for_each(|refusal| write!(f, "; {refusal}"))?;
                write!(f, "; `--backend null` plays without one")
            }
            OutputError::UnknownBackend { name, known } => {
                write!(f, "there is no backend `{name}` in this build; there are: {known}")?;
                let left_out = ["alsa", "wasapi"].contains(&name.as_str());
                if left_out { write!(f, "; `--features cpal` builds it on its system") } else { Ok(()) }
            }
            OutputError::UnknownDevice { name } => {
                write!(f, "there is no device `{name}`; `mamc devices` lists them")
            }
            OutputError::Unavailable { what } => write!(f, "{what}"),
            OutputError::Gone { why } => write!(f, "the audio device is gone: {why}"),
            OutputError::Changed => write!(f, "the audio device has another rate now"),
            OutputError::System { call, why } => write!(f, "{call}: {why}"),
        }
    }
}

impl std::error::Error for OutputError {}
