//! MIDI through the `midir` crate, where the system's own library is always there: macOS and Windows.

use midir::{MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};
use std::collections::BTreeMap;

/// The names of all inputs and of all outputs.
///
/// # Errors
/// In words.
pub(super) fn names(name: &str) -> Result<(Vec<String>, Vec<String>), String> {
    Ok((input(name, std::sync::Arc::new(|_| {}))?.names(), output(name)?.names()))
}

/// A client that gives each message that comes to `hear`, on a thread of the system.
///
/// # Errors
/// In words.
pub(super) fn input(name: &str, hear: super::Hear) -> Result<Input, String> {
    let looker = MidiInput::new(name).map_err(|e| e.to_string())?;
    Ok(Input { name: name.into(), looker, hear, connected: BTreeMap::new() })
}

/// A client that sends.
///
/// # Errors
/// In words.
pub(super) fn output(name: &str) -> Result<Output, String> {
    let looker = MidiOutput::new(name).map_err(|e| e.to_string())?;
    Ok(Output { name: name.into(), looker, connected: BTreeMap::new() })
}

/// The connections to input ports.
pub(super) struct Input {
    name: String,
    looker: MidiInput,
    hear: super::Hear,
    connected: BTreeMap<String, MidiInputConnection<()>>,
}

impl Input {
    /// The names of the ports that can be heard.
    pub(super) fn names(&self) -> Vec<String> {
        self.looker.ports().iter().filter_map(|port| self.looker.port_name(port).ok()).collect()
    }

    /// Hears a port; false where that is not possible.
    pub(super) fn connect(&mut self, name: &str) -> bool {
        let Ok(input) = MidiInput::new(&self.name) else { return false };
        let ports = input.ports();
        let found = ports.iter().find(|port| input.port_name(port).is_ok_and(|other| other == name)).cloned();
        let hear = self.hear.clone();
        let connection =
            found.and_then(|port| input.connect(&port, "in", move |_, bytes, ()| hear(bytes), ()).ok());
        connection.map(|connection| self.connected.insert(name.into(), connection)).is_some()
    }

    /// Forgets a port that is gone.
    pub(super) fn disconnect(&mut self, name: &str) {
        self.connected.remove(name);
    }
}

/// The connections to output ports.
pub(super) struct Output {
    name: String,
    looker: MidiOutput,
    connected: BTreeMap<String, MidiOutputConnection>,
}

impl Output {
    /// The names of the ports that can be sent to.
    pub(super) fn names(&self) -> Vec<String> {
        self.looker.ports().iter().filter_map(|port| self.looker.port_name(port).ok()).collect()
    }

    /// Sends to a port from now on; false where that is not possible.
    pub(super) fn connect(&mut self, name: &str) -> bool {
        let Ok(output) = MidiOutput::new(&self.name) else { return false };
        let ports = output.ports();
        let found =
            ports.iter().find(|port| output.port_name(port).is_ok_and(|other| other == name)).cloned();
        let connection = found.and_then(|port| output.connect(&port, "out").ok());
        connection.map(|connection| self.connected.insert(name.into(), connection)).is_some()
    }

    /// Forgets a port that is gone.
    pub(super) fn disconnect(&mut self, name: &str) {
        self.connected.remove(name);
    }

    /// Sends a message to all ports that are connected. The names of those that do not take it any more.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Vec<String> {
        let failed = |(name, port): (&String, &mut MidiOutputConnection)| {
            port.send(bytes).is_err().then(|| name.clone())
        };
        let gone: Vec<String> = self.connected.iter_mut().filter_map(failed).collect();
        gone.iter().for_each(|name| self.disconnect(name));
        gone
    }
}
