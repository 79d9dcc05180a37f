//! The machine's MIDI ports, through the `midir` crate: connected when they appear, missed when they are gone.

use super::Told;
use super::clock::Timed;
use crate::failure::Failure;
use midir::{MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// What this program is called among others.
const CLIENT: &str = "mamc";
/// How often it is looked for ports.
const LOOK: Duration = Duration::from_secs(1);
/// Ports that lead back to whoever writes to them: taken only by name.
const THROUGH: &str = "midi through";

/// The names of all inputs and of all outputs.
pub(crate) fn names() -> Result<(Vec<String>, Vec<String>), String> {
    let input = MidiInput::new(CLIENT).map_err(|e| e.to_string())?;
    let output = MidiOutput::new(CLIENT).map_err(|e| e.to_string())?;
    let inputs = input.ports().iter().filter_map(|port| input.port_name(port).ok()).collect();
    let outputs = output.ports().iter().filter_map(|port| output.port_name(port).ok()).collect();
    Ok((inputs, outputs))
}

/// Whether a port is meant: its name contains what was asked for, or all are wanted.
fn is_meant(name: &str, wanted: &str) -> bool {
    let lower = name.to_lowercase();
    let open = !lower.starts_with(CLIENT) && !lower.contains(THROUGH);
    if wanted.is_empty() { open } else { lower.contains(&wanted.to_lowercase()) }
}

/// Where MIDI is a part of the kernel that may not be loaded.
const WAY_OUT: &str =
    if cfg!(target_os = "linux") { "; `modprobe snd-seq` loads ALSA's sequencer" } else { "" };

fn failure(error: &midir::InitError) -> Failure {
    Failure::Device(format!("MIDI does not work on this machine: {error}{WAY_OUT}"))
}

/// Listens to the inputs whose name contains `wanted` (to all, if that is empty), also to those that appear later, as
/// long as `tell` wants it.
pub(crate) fn listen(
    wanted: String,
    tell: impl Fn(Told) -> bool + Send + Sync + 'static,
) -> Result<(), Failure> {
    let looker = MidiInput::new(CLIENT).map_err(|error| failure(&error))?;
    let tell = Arc::new(tell);
    std::thread::spawn(move || {
        let mut held: BTreeMap<String, MidiInputConnection<()>> = BTreeMap::new();
        let mut missed = false;
        loop {
            let ports = looker.ports();
            let found: BTreeMap<String, _> =
                ports.iter().filter_map(|port| Some((looker.port_name(port).ok()?, port))).collect();
            let gone: Vec<String> = held.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
            for name in gone {
                held.remove(&name);
                if !tell(Told::Gone(format!("MIDI: {name} is gone; it is heard again when it is back\n"))) {
                    return;
                }
            }
            for (name, port) in found.iter().filter(|(name, _)| is_meant(name, &wanted)) {
                if held.contains_key(name) {
                    continue;
                }
                let hear = tell.clone();
                let bytes = move |_: u64, bytes: &[u8], (): &mut ()| {
                    hear(Told::Bytes(bytes.to_vec(), Instant::now()));
                };
                let Ok(input) = MidiInput::new(CLIENT) else { continue };
                if let Ok(connection) = input.connect(port, "in", bytes, ()) {
                    held.insert(name.clone(), connection);
                    if !tell(Told::Words(format!("MIDI: {name} is heard\n"))) {
                        return;
                    }
                }
            }
            if held.is_empty() && !missed {
                missed = true;
                let which = if wanted.is_empty() { String::new() } else { format!(" called `{wanted}`") };
                let words =
                    format!("MIDI: there is no input{which} yet; `mamc devices` lists what there is\n");
                if !tell(Told::Words(words)) {
                    return;
                }
            }
            std::thread::sleep(LOOK);
        }
    });
    Ok(())
}

/// Sends messages at their moments to the outputs whose name contains `wanted`, also to those that appear later.
pub(crate) fn send(
    wanted: String,
    tell: impl Fn(Told) -> bool + Send + 'static,
) -> Result<Sender<Timed>, Failure> {
    let looker = MidiOutput::new(CLIENT).map_err(|error| failure(&error))?;
    let (sender, timed) = channel();
    std::thread::spawn(move || {
        Speaker { wanted, looker, held: BTreeMap::new(), looked: None }.speak(&timed, &tell)
    });
    Ok(sender)
}

struct Speaker {
    wanted: String,
    looker: MidiOutput,
    held: BTreeMap<String, MidiOutputConnection>,
    looked: Option<Instant>,
}

impl Speaker {
    fn speak(&mut self, timed: &Receiver<Timed>, tell: &impl Fn(Told) -> bool) {
        for (at, bytes) in timed {
            self.look(tell);
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            self.held.retain(|name, port| {
                let sent = port.send(&bytes).is_ok();
                if !sent {
                    tell(Told::Words(format!("MIDI: {name} is gone; it is used again when it is back\n")));
                }
                sent
            });
        }
    }

    fn look(&mut self, tell: &impl Fn(Told) -> bool) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let first = self.looked.replace(Instant::now()).is_none();
        let ports = self.looker.ports();
        let found: Vec<_> =
            ports.iter().filter_map(|port| Some((self.looker.port_name(port).ok()?, port))).collect();
        // A port that is gone takes what is sent to it without a word.
        self.held.retain(|name, _| {
            let there = found.iter().any(|(found, _)| found == name);
            if !there {
                tell(Told::Words(format!("MIDI: {name} is gone; it is used again when it is back\n")));
            }
            there
        });
        for (name, port) in found.into_iter().filter(|(name, _)| is_meant(name, &self.wanted)) {
            if let std::collections::btree_map::Entry::Vacant(place) = self.held.entry(name)
                && let Ok(output) = MidiOutput::new(CLIENT)
                && let Ok(connection) = output.connect(port, "out")
            {
                tell(Told::Words(format!("MIDI: the clock goes to {}\n", place.key())));
                place.insert(connection);
            }
        }
        if first && self.held.is_empty() {
            tell(Told::Words(
                "MIDI: there is no output for the clock yet; `mamc devices` lists what there is\n".into(),
            ));
        }
    }
}
