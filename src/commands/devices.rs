//! `mamc devices`: outputs and inputs, and which is used by itself.

use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::live::midi;
use crate::table::{row, table};
use clap::Args;
use mam_runtime::output::{Device, backends};
use serde_json::{Value, json};

/// List outputs and inputs, and ports of MIDI
///
/// As JSON: [{ "backend", "name", "description", "rate", "channels", "default", "input" }]; ports
/// of MIDI have the backend `midi`, a name and `input`.
#[derive(Args, Debug)]
pub struct Devices {
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut rows = vec![row(&["backend", "device", "", "rate", "channels", "what it is"])];
        let mut all = Vec::new();
        for backend in backends() {
            match backend.devices() {
                Ok(devices) => {
                    rows.extend(devices.iter().map(|d| line(backend.name(), d)));
                    all.extend(devices.iter().map(|d| document(backend.name(), d)));
                }
                Err(why) => console.say(&format!("{}: {why}\n", backend.name())),
            }
        }
        match midi::ports::names() {
            Ok((inputs, outputs)) => {
                for (names, role) in [(inputs, "input"), (outputs, "output")] {
                    rows.extend(names.iter().map(|name| row(&["midi", name, role, "", "", ""])));
                    let is_input = role == "input";
                    all.extend(
                        names.iter().map(|n| json!({ "backend": "midi", "name": n, "input": is_input })),
                    );
                }
            }
            Err(why) => console.say(&format!("midi: {why}\n")),
        }
        console.result(&if self.json { json::pretty(&all) } else { table(&rows) })
    }
}

fn line(backend: &str, d: &Device) -> Vec<String> {
    let role = match (d.is_default, d.is_input) {
        (true, true) => "default input",
        (true, false) => "default",
        (false, true) => "input",
        (false, false) => "",
    };
    row(&[backend, &d.name, role, &d.rate.to_string(), &d.channels.to_string(), &d.description])
}

fn document(backend: &str, d: &Device) -> Value {
    json!({
        "backend": backend, "name": d.name, "description": d.description, "rate": d.rate,
        "channels": d.channels, "default": d.is_default, "input": d.is_input,
    })
}
