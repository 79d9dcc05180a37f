//! `mamc bench --counts`: what the kernels execute in a frame, and what the engine takes beside them.

use crate::compiling::Compiled;
use crate::table::{row, table};
use mam_compiler::emit::native::{Counts, counts};
use mam_compiler::files::NoFiles;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::{Engine, QUANTUM};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Counts of a song.
pub(super) struct Counted {
    /// Kernel by kernel, or why one is not counted.
    kernels: Vec<(String, Result<Counts, String>)>,
    /// Nanoseconds that a quantum of the least song takes.
    floor: f64,
}

/// Counts what a song's kernels execute, and measures the least song.
pub(super) fn count(compiled: &Compiled) -> Counted {
    let module = &compiled.compilation.stages.optimised;
    let kernels = module.kernels.values().map(|kernel| (kernel.name.clone(), counts(module, kernel)));
    Counted { kernels: kernels.collect(), floor: floor() }
}

impl Counted {
    /// As a part of the JSON document.
    pub(super) fn document(&self) -> Value {
        let kernel = |(name, counts): &(String, Result<Counts, String>)| match counts {
            Ok(counts) => {
                json!({ "kernel": name, "instructions": counts.instructions, "loads": counts.loads })
            }
            Err(why) => json!({ "kernel": name, "uncounted": why }),
        };
        json!({ "kernels": self.kernels.iter().map(kernel).collect::<Vec<_>>(), "floorNs": self.floor })
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut rows = vec![row(&["kernel", "instructions a frame", "loads a frame"])];
        for (name, counts) in &self.kernels {
            rows.push(match counts {
                Ok(counts) => {
                    row(&[name, &format!("{:.2}", counts.instructions), &format!("{:.2}", counts.loads)])
                }
                Err(why) => row(&[name, why, ""]),
            });
        }
        write!(f, "{}", table(&rows))?;
        writeln!(f, "\n{:.1} ns a quantum of a song that passes its input on", self.floor)
    }
}

/// The nanoseconds of a quantum of a song that only passes its input on, the least of several rounds: all that the engine
/// adds, and a kernel that copies.
fn floor() -> f64 {
    const ROUNDS: usize = 15;
    const QUANTA: usize = 4000;
    let mut sources = Sources::default();
    let id = sources.add("floor.mam", "out = in\n".to_string());
    let Some(program) = compile(&mut sources, id, &NoFiles, &Options::default()).program else {
        return f64::NAN;
    };
    let mut engine = Engine::new(Arc::new(program));
    let heard = [[0.25; QUANTUM]; 2];
    let [mut left, mut right] = [[0.0; QUANTUM]; 2];
    let mut round = || {
        let began = Instant::now();
        for _ in 0..QUANTA {
            engine.process_block(&[&heard[0], &heard[1]], &mut [&mut left, &mut right]);
        }
        began.elapsed().as_nanos() as f64 / QUANTA as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}
