//! `mamc devices`: outputs and inputs, and which is used by itself.

use crate::console::Console;
use crate::failure::Failure;
use crate::json;
use crate::live::midi;
use crate::table::{paragraph, row, table};
use clap::Args;
use mam_runtime::output::{Device, backends, priority};
use serde_json::{Value, json};

/// List outputs and inputs, ports of MIDI, and the audio thread's priority
#[derive(Args, Debug)]
#[command(after_help = "\
With --json: { \"devices\": [{ \"backend\", \"name\", \"description\", \"rate\", \"channels\",
\"default\", \"input\" }], \"ports\": [{ \"name\", \"input\" }] of MIDI, \"unavailable\": [{ \"backend\",
\"why\" }], \"realTime\": { \"granted\", \"words\", \"advice\" } }.")]
pub struct Devices {
    /// Print the result as one JSON document
    #[arg(long)]
    json: bool,
}

impl Devices {
    /// Runs the command and writes its result to standard output or into files.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut rows = vec![row(&["backend", "device", "", "rate", "channels", "what it is"])];
        let (mut devices, mut ports, mut unavailable) = (Vec::new(), Vec::new(), Vec::new());
        for backend in backends() {
            match backend.devices() {
                Ok(found) => {
                    rows.extend(found.iter().map(|d| line(backend.name(), d)));
                    devices.extend(found.iter().map(|d| document(backend.name(), d)));
                }
                Err(why) => unavailable.push((backend.name(), why.to_string())),
            }
        }
        match midi::ports::names() {
            Ok((inputs, outputs)) => {
                for (names, role) in [(inputs, "input"), (outputs, "output")] {
                    rows.extend(names.iter().map(|name| row(&["midi", name, role, "", "", ""])));
                    ports.extend(names.iter().map(|n| json!({ "name": n, "input": role == "input" })));
                }
            }
            Err(why) => unavailable.push(("midi", why.to_string())),
        }
        let priority = priority::outlook();
        if self.json {
            let why = |(backend, why): &(&str, String)| json!({ "backend": backend, "why": why });
            return console.result(&json::pretty(&json!({
                "devices": devices, "ports": ports,
                "unavailable": unavailable.iter().map(why).collect::<Vec<_>>(),
                "realTime": {
                    "granted": priority.is_granted(), "words": priority.to_string(), "advice": priority.advice(),
                },
            })));
        }
        unavailable.iter().for_each(|(backend, why)| console.say(&format!("{backend}: {why}\n")));
        let mut text = table(&rows) + &format!("\nreal-time priority: {priority}\n");
        if let Some(advice) = priority.advice() {
            text += &paragraph(advice, "");
        }
        console.result(&text)
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
