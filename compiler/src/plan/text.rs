//! The plan as text.

use super::Plan;
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "memory: {} bytes of state, {} delay lines, {} buffers",
            self.state.len(),
            self.delays.len(),
            self.buffers
        )?;
        for step in &self.steps {
            write!(f, "{}: kernel {}", step.name, step.kernel)?;
            list(f, " <-", "b", &step.inputs)?;
            list(f, " ->", "b", &step.outputs)?;
            list(f, ", params", "p", &step.params)?;
            list(f, ", ports", "e", &step.ports)?;
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
        list(f, "", "b", &self.outputs)?;
        writeln!(f)?;
        self.reasons.iter().try_for_each(|reason| writeln!(f, "{reason}"))
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, letter: &str, all: &[usize]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    f.write_str(what)?;
    all.iter().try_for_each(|i| write!(f, " {letter}{i}"))
}
