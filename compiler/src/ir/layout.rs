//! Where a step's values live in its block of state memory: first what `setup` computes for the steady form,
//! then the states, in their order.
//!
//! Hoisted values stand widest first, so there is no padding between them; a value in four lanes is 16-byte aligned. A
//! bool takes four bytes; in a state it is 0 or 1, whatever the lanes. The block is a multiple of 16 bytes.

use super::{Body, Imm, Kernel, Op, Rate, Scalar, Type, Value, Voice};
use mam_runtime::sort::Sort;
use std::ops::Range;

/// The layout of a kernel's block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The values that the steady body's loop uses and `setup` computes, with their place in bytes.
    pub steady: Vec<(Value, usize)>,
    /// The same for the tail.
    pub tail: Vec<(Value, usize)>,
    /// First byte of each state.
    pub states: Vec<usize>,
    /// Bytes of the block; a multiple of 16.
    pub bytes: usize,
    /// What it holds at the start.
    pub image: Vec<u8>,
}

impl Layout {
    /// The layout of `kernel`.
    pub fn new(kernel: &Kernel) -> Layout {
        let mut layout = Layout::default();
        let mut end = 0;
        let tail = kernel.tail.as_ref();
        let mut hoisted: Vec<(bool, Value, usize)> = vec![];
        hoisted.extend(
            kernel.steady.hoisted().into_iter().map(|v| (false, v, bytes(kernel.steady.insts[v].ty))),
        );
        hoisted.extend(
            tail.into_iter()
                .flat_map(|body| body.hoisted().into_iter().map(|v| (true, v, bytes(body.insts[v].ty)))),
        );
        hoisted.put_in_order_by_key(|(_, _, bytes)| std::cmp::Reverse(*bytes));
        for (in_tail, value, bytes) in hoisted {
            let list = if in_tail { &mut layout.tail } else { &mut layout.steady };
            list.push((value, end));
            end += bytes;
        }
        for state in kernel.states.values() {
            let bytes = bytes(state.ty());
            end = end.next_multiple_of(bytes);
            layout.states.push(end);
            end += bytes;
        }
        layout.bytes = end.next_multiple_of(16);
        layout.image = vec![0; layout.bytes];
        for (state, at) in kernel.states.values().zip(&layout.states) {
            let word = bytes(state.ty().with_lanes(1));
            (0..state.lanes as usize).for_each(|lane| put(&mut layout.image[at + lane * word..], state.init));
        }
        layout
    }

    /// The bytes of each word of state, in the order of the states and their lanes.
    pub fn words(&self, kernel: &Kernel) -> Vec<Range<usize>> {
        let words = kernel.states.values().zip(&self.states).flat_map(|(state, &at)| {
            let bytes = bytes(state.ty().with_lanes(1));
            (0..state.lanes as usize).map(move |lane| at + lane * bytes..at + (lane + 1) * bytes)
        });
        words.collect()
    }

    /// The bytes of the states of a type that are set while the kernel runs and `may_fail`, joined where they follow one another.
    pub fn floats(
        &self,
        kernel: &Kernel,
        scalar: Scalar,
        may_fail: impl Fn(usize) -> bool,
    ) -> Vec<Range<usize>> {
        let bodies =
            [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()].into_iter().flatten();
        let mut set = vec![false; kernel.states.len()];
        bodies
            .flat_map(|body| &body.sets)
            .for_each(|(state, _)| set[state.index()] = may_fail(state.index()));
        let mut joined: Vec<Range<usize>> = vec![];
        for ((state, &at), set) in kernel.states.values().zip(&self.states).zip(set) {
            let end = at + bytes(state.ty());
            match joined.last_mut() {
                _ if !set || state.ty().scalar != scalar => {}
                Some(last) if last.end == at => last.end = end,
                _ => joined.push(at..end),
            }
        }
        joined
    }

    /// The bytes of a voice's states: what returns to the initial image when it wakes.
    pub fn voice(&self, kernel: &Kernel, voice: &Voice) -> Vec<Range<usize>> {
        let words = self.words(kernel);
        let own = words[voice.states.start as usize..voice.states.end as usize].iter();
        let mut stretches: Vec<Range<usize>> = vec![];
        for word in own.step_by(voice.every as usize) {
            match stretches.last_mut() {
                // Of what lies between two words (to align the second) nothing is read.
                Some(last) if voice.every == 1 => last.end = word.end,
                _ => stretches.push(word.clone()),
            }
        }
        stretches
    }
}

/// Bytes that a value takes in the block.
pub fn bytes(ty: Type) -> usize {
    let scalar = if ty.scalar == Scalar::F64 { 8 } else { 4 };
    scalar * ty.lanes as usize
}

/// Puts a value where a block's bytes begin.
pub fn put(block: &mut [u8], imm: Imm) {
    match imm {
        Imm::F64(x) => block[..8].copy_from_slice(&x.to_ne_bytes()),
        _ => block[..4].copy_from_slice(&(imm.bits() as u32).to_ne_bytes()),
    }
}

impl Body {
    /// The values that are computed once a segment or more rarely and used in each call: what `setup` keeps for the
    /// steady form. Constants in lanes are among them, which are operands in memory anyway, and constant floats: a loop that has
    /// a register left for one loads it before, while each place where one is made takes two instructions.
    pub fn hoisted(&self) -> Vec<Value> {
        let rates = self.rates();
        let mut used = vec![false; self.insts.len()];
        for (inst, rate) in self.insts.values().zip(&rates) {
            if *rate > Rate::Segment {
                inst.args.as_slice().iter().for_each(|v| used[v.index()] = true);
            }
        }
        for value in self.results() {
            used[value.index()] = true;
        }
        let hoisted = |v: &Value| used[v.index()] && rates[v.index()] <= Rate::Segment && !self.immediate(*v);
        self.insts.handles().filter(hoisted).collect()
    }

    /// Whether a value is a constant that is made where it is used: zeros, or a whole number or a bool by itself.
    fn immediate(&self, value: Value) -> bool {
        let ty = self.ty(value);
        let is_operand = ty.lanes > 1 || matches!(ty.scalar, Scalar::F32 | Scalar::F64);
        matches!(self.insts[value].op, Op::Const(imm) if imm.bits() == 0 || !is_operand)
    }

    /// What leaves the iteration: new states, what is carried, what delay lines are given, outputs; and the body's condition.
    pub fn results(&self) -> impl Iterator<Item = Value> + '_ {
        let sets = self.sets.iter().map(|(_, value)| *value);
        let writes = self.writes.iter().map(|(_, value)| *value);
        let back_edges = self.back_edges.iter().map(|(_, value)| *value);
        sets.chain(back_edges).chain(writes).chain(self.outs.iter().copied()).chain(self.only_if)
    }
}
