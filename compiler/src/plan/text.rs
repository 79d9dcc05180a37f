//! The plan as text.

use super::Plan;
use mam_runtime::ids::SignalId;
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "memory: {} bytes of state, {} delay lines, {} buffers",
            self.state.len(),
            self.delays.len(),
            self.buffers.values().max().map_or(0, |last| last.index() + 1)
        )?;
        for step in &self.steps {
            write!(f, "{}: kernel {}", step.name, step.kernel)?;
            self.buffers(f, " <-", &step.inputs)?;
            self.buffers(f, " ->", &step.outputs)?;
            list(f, ", params", "p", &step.params.iter().map(|param| param.index()).collect::<Vec<_>>())?;
            list(f, ", ports", "e", &step.ports.iter().map(|port| port.index()).collect::<Vec<_>>())?;
            if step.state_bytes > 0 {
                write!(f, ", state {}..{}", step.state, step.state + step.state_bytes)?;
            }
            for &delay in &step.delays {
                write!(f, ", {}: {} frames", self.delays[delay].name, self.delays[delay].frames)?;
            }
            if !step.voices.is_empty() {
                f.write_str(", sleeps")?;
            }
            writeln!(f)?;
        }
        f.write_str("out:")?;
        self.buffers(f, "", &self.outputs)?;
        writeln!(f)?;
        self.reasons.iter().try_for_each(|reason| writeln!(f, "{reason}"))
    }
}

impl Plan {
    /// Where signals lie.
    fn buffers(&self, f: &mut fmt::Formatter<'_>, what: &str, signals: &[SignalId]) -> fmt::Result {
        let buffers: Vec<usize> = signals.iter().map(|&signal| self.buffers[signal].index()).collect();
        list(f, what, "b", &buffers)
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, letter: &str, all: &[usize]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    f.write_str(what)?;
    all.iter().try_for_each(|i| write!(f, " {letter}{i}"))
}
