//! The binary form of a program: what one instance of the runtime compiles is played by another that shares no memory with it,
//! as a page's audio thread is.
//!
//! The form is that of this version of the runtime alone: it is sent, never kept. It has everything but the code. A pattern
//! that occurs often is written once.

use crate::program::{Code, Program};
use crate::score::pattern::{Node, Pattern};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that are not the binary form of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

thread_local! {
    /// The patterns of the program that is being written, with their numbers in the order in which they end.
    static WRITTEN: RefCell<HashMap<*const Node, u32>> = RefCell::default();
    /// The patterns of the program that is being read, by these numbers.
    static READ: RefCell<Vec<Pattern>> = const { RefCell::new(vec![]) };
}

/// The binary form of a program, without its code.
///
/// # Panics
/// Never: memory takes all that is written.
pub fn to_bytes(program: &Program) -> Vec<u8> {
    WRITTEN.take();
    let memory = (
        (program.rate, program.latency, program.layout),
        &program.steps,
        &program.state,
        &program.delays,
        &program.buffers,
    );
    let ends = (&program.inputs, &program.outputs, &program.params, &program.names, program.ports);
    let bytes = postcard::to_allocvec(&(memory, ends, &program.targets, &program.score));
    WRITTEN.take();
    bytes.expect("memory takes all that is written")
}

/// The program of a binary form, whose kernels are those of `code`.
///
/// # Errors
/// Where the bytes are not what [`to_bytes`] has written.
pub fn from_bytes(bytes: &[u8], code: Arc<dyn Code>) -> Result<Program, Malformed> {
    READ.take();
    let read = postcard::from_bytes(bytes);
    READ.take();
    let (memory, ends, targets, score) = read.map_err(|_| Malformed)?;
    let ((rate, latency, layout), steps, state, delays, buffers) = memory;
    let (inputs, outputs, params, names, ports) = ends;
    Ok(Program {
        rate,
        latency,
        layout,
        code,
        steps,
        state,
        delays,
        buffers,
        inputs,
        outputs,
        params,
        names,
        ports,
        targets,
        score,
    })
}

/// A pattern, or the number of one that has been written before.
#[derive(Serialize, Deserialize)]
enum Shared<N> {
    New(N),
    Known(u32),
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let node: *const Node = self.node();
        if let Some(known) = WRITTEN.with_borrow(|written| written.get(&node).copied()) {
            return Shared::<&Node>::Known(known).serialize(to);
        }
        let done = Shared::New(self.node()).serialize(to)?;
        WRITTEN.with_borrow_mut(|written| {
            let number = written.len() as u32;
            written.insert(node, number);
        });
        Ok(done)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
        match Shared::<Node>::deserialize(from)? {
            Shared::New(node) => {
                let pattern = Pattern::new(node);
                READ.with_borrow_mut(|read| read.push(pattern.clone()));
                Ok(pattern)
            }
            Shared::Known(number) => READ
                .with_borrow(|read| read.get(number as usize).cloned())
                .ok_or_else(|| serde::de::Error::custom("a pattern that has not been written")),
        }
    }
}
