//! The machine's MIDI ports: connected when they appear, missed when they are gone. How a system is asked is in
//! `system`: ALSA's sequencer on Linux, the `midir` crate elsewhere.

#[allow(unsafe_code, reason = "ALSA is a C library that is opened when it is needed")]
#[cfg_attr(target_os = "linux", path = "alsa.rs")]
#[cfg_attr(not(target_os = "linux"), path = "midir.rs")]
mod system;

use super::PortEvent;
use super::clock::Timed;
use crate::failure::Failure;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use system::Output;

/// What this program is called among others.
const CLIENT: &str = "mamc";
/// How often it is looked for ports.
const LOOK: Duration = Duration::from_secs(1);
/// Ports that lead back to their writer: taken only by name.
const THROUGH: &str = "midi through";

/// Takes each message that a system hears, on any thread.
type Hear = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The names of all inputs and of all outputs.
///
/// # Errors
/// In words, where the system has no MIDI.
pub(crate) fn names() -> Result<(Vec<String>, Vec<String>), String> {
    let (inputs, outputs) = system::names(CLIENT)?;
    let others = |names: Vec<String>| names.into_iter().filter(|name| !is_own(name)).collect();
    Ok((others(inputs), others(outputs)))
}

/// Whether a port is one of this program's own.
fn is_own(name: &str) -> bool {
    name.to_lowercase().starts_with(CLIENT)
}

/// Whether a port is meant: its name contains what was asked for, or all are wanted.
fn is_meant(name: &str, wanted: &str) -> bool {
    let lower = name.to_lowercase();
    if wanted.is_empty() {
        return !is_own(name) && !lower.contains(THROUGH);
    }
    lower.contains(&wanted.to_lowercase())
}

fn failure(why: &str) -> Failure {
    Failure::Device(format!("MIDI does not work on this machine: {why}"))
}

/// The ports that are connected, as they come and go.
#[derive(Default)]
struct Connected {
    wanted: String,
    names: BTreeSet<String>,
    looked: bool,
}

impl Connected {
    /// Connects what is new among `found`, and forgets what is gone.
    fn look(&mut self, found: Vec<String>, connect: impl FnMut(&str) -> bool) -> Changes {
        let meant: BTreeSet<String> = found.into_iter().filter(|name| is_meant(name, &self.wanted)).collect();
        let gone = self.names.difference(&meant).cloned().collect();
        self.names.retain(|name| meant.contains(name));
        let mut new: Vec<String> = meant.difference(&self.names).cloned().collect();
        let mut connect = connect;
        new.retain(|name| connect(name));
        self.names.extend(new.iter().cloned());
        let none = self.names.is_empty() && !std::mem::replace(&mut self.looked, true);
        Changes { gone, new, none }
    }
}

/// What a look at the ports has found.
struct Changes {
    gone: Vec<String>,
    new: Vec<String>,
    /// There is none at the first look.
    none: bool,
}

/// Listens to the inputs whose name contains `wanted` (to all, if that is empty), also to those that appear later, as
/// long as `tell` wants it.
///
/// # Errors
/// Where the system has no MIDI.
pub(crate) fn listen(
    wanted: String,
    tell: impl Fn(PortEvent) -> bool + Send + Sync + 'static,
) -> Result<(), Failure> {
    let tell = Arc::new(tell);
    let hear = tell.clone();
    let hear = move |bytes: &[u8]| _ = hear(PortEvent::Bytes(bytes.to_vec(), Instant::now()));
    let mut input = system::input(CLIENT, Arc::new(hear)).map_err(|why| failure(&why))?;
    std::thread::spawn(move || {
        let mut connected = Connected { wanted, ..Connected::default() };
        loop {
            let found = input.names();
            let changes = connected.look(found, |name| input.connect(name));
            changes.gone.iter().for_each(|name| input.disconnect(name));
            let gone =
                |name| PortEvent::Gone(format!("MIDI: {name} is gone; it is heard again when it is back\n"));
            let new = |name| PortEvent::Words(format!("MIDI: {name} is heard\n"));
            let which = match connected.wanted.as_str() {
                "" => String::new(),
                wanted => format!(" called `{wanted}`"),
            };
            let none = changes.none.then(|| {
                PortEvent::Words(format!(
                    "MIDI: there is no input{which} yet; `mamc devices` lists what there is\n"
                ))
            });
            let mut all =
                changes.gone.into_iter().map(gone).chain(changes.new.into_iter().map(new)).chain(none);
            if !all.all(|event| tell(event)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
    });
    Ok(())
}

/// Sends messages at their moments to the outputs whose name contains `wanted`, also to those that appear later, on a thread that
/// ends when its sender is gone and all is sent. `what` is what goes there, for people: "the clock goes".
///
/// # Errors
/// Where the system has no MIDI.
pub(crate) fn send(
    wanted: String,
    what: &'static str,
    tell: impl Fn(PortEvent) -> bool + Send + 'static,
) -> Result<(Sender<Timed>, JoinHandle<()>), Failure> {
    let output = system::output(CLIENT).map_err(|why| failure(&why))?;
    let (sender, timed) = channel();
    let connected = Connected { wanted, ..Connected::default() };
    let speaker = Speaker { output, connected, what, looked: None };
    let thread = std::thread::spawn(move || {
        let mut speaker = speaker;
        speaker.speak(&timed, &tell)
    });
    Ok((sender, thread))
}

struct Speaker {
    output: Output,
    connected: Connected,
    what: &'static str,
    looked: Option<Instant>,
}

impl Speaker {
    fn speak(&mut self, timed: &Receiver<Timed>, tell: &impl Fn(PortEvent) -> bool) {
        for (at, bytes) in timed {
            self.look(tell);
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            for name in self.output.send(&bytes) {
                self.connected.names.remove(&name);
                self.gone(&name, tell);
            }
        }
    }

    fn gone(&mut self, name: &str, tell: &impl Fn(PortEvent) -> bool) {
        self.output.disconnect(name);
        tell(PortEvent::Words(format!("MIDI: {name} is gone; it is used again when it is back\n")));
    }

    fn look(&mut self, tell: &impl Fn(PortEvent) -> bool) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        let found = self.output.names();
        // A port that is gone takes what is sent to it without a word.
        let changes = self.connected.look(found, |name| self.output.connect(name));
        changes.gone.iter().for_each(|name| self.gone(name, tell));
        for name in changes.new {
            tell(PortEvent::Words(format!("MIDI: {} to {name}\n", self.what)));
        }
        if changes.none {
            let which = match self.connected.wanted.as_str() {
                "" => String::new(),
                wanted => format!(" called `{wanted}`"),
            };
            let words = format!("MIDI: there is no output{which} yet; `mamc devices` lists what there is\n");
            tell(PortEvent::Words(words));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_connected_when_they_appear_and_again_when_they_are_back() {
        let mut connected = Connected::default();
        let names = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut look = |found: &[&str]| {
            let changes = connected.look(names(found), |name| !name.contains("locked"));
            (changes.gone, changes.new, changes.none)
        };
        let others = ["Midi Through:Port-0 14:0", "mamc:mamc 128:0"];
        assert_eq!(
            look(&others),
            (vec![], vec![], true),
            "its own ports and those that lead back are not meant"
        );
        assert_eq!(look(&["Keys 20:0", "locked 24:0"]), (vec![], names(&["Keys 20:0"]), false));
        assert_eq!(look(&["Keys 20:0"]), (vec![], vec![], false));
        assert_eq!(look(&[]), (names(&["Keys 20:0"]), vec![], false));
        assert_eq!(look(&["Keys 20:0"]), (vec![], names(&["Keys 20:0"]), false));
        assert!(is_meant("Midi Through:Port-0", "through") && !is_meant("Keys 20:0", "pads"));
    }
}
