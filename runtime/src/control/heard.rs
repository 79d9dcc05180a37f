//! What is heard of programs in the place of their outputs: stems and equations of a performance.

use crate::engine::Instance;
use crate::program::{Program, QUANTUM};
use std::sync::Arc;

/// An output of a program in a sum: which, and by how much it is multiplied.
pub type Summand = (usize, f32);

/// For each program the sums that are heard, one a channel. Of other programs nothing is heard.
#[derive(Clone, Default)]
pub struct Heard(pub Vec<(Arc<Program>, Vec<Vec<Summand>>)>);

impl Heard {
    /// What is heard of a program's quantum in a channel. \[audio\]
    pub(super) fn sum(&self, instance: &Instance, channel: usize, into: &mut [f32; QUANTUM]) {
        into.fill(0.0);
        let own = self.0.iter().find(|(program, _)| Arc::ptr_eq(program, &instance.program));
        let Some(summands) = own.and_then(|(_, channels)| channels.get(channel)) else { return };
        for &(output, factor) in summands {
            into.iter_mut().zip(instance.output(output)).for_each(|(sum, x)| *sum += factor * x);
        }
    }
}
