//! Memory for one kernel, so that its functions can be called by themselves: what the engine owns in a program.

use mam_compiler::ir::layout::Layout;
use mam_compiler::ir::{Kernel, Scalar, StateSlot};
use mam_grammar::Handle;
use mam_runtime::{Call, Code, Form, GUARD, Port, QUANTUM};

/// The memory of a kernel, and what it is given.
#[derive(Clone)]
pub struct Rig {
    /// The block, in words that keep it aligned.
    block: Vec<u128>,
    states: Vec<usize>,
    /// Its delay lines, each with the room before and after it.
    delays: Vec<Vec<f32>>,
    /// Values of its parameters.
    pub params: Vec<f64>,
    /// Its parameters, frame by frame.
    pub moving: Vec<Vec<f32>>,
    /// Its inputs.
    pub inputs: Vec<Vec<f32>>,
    /// Its outputs.
    pub outputs: Vec<Vec<f32>>,
    /// Its event ports.
    pub ports: Vec<Port>,
    /// The next frame.
    pub frame: u32,
}

impl Rig {
    /// Fresh memory for `kernel`; parameters and inputs are 0.
    pub fn new(kernel: &Kernel) -> Rig {
        let layout = Layout::new(kernel);
        let words = |bytes: &[u8]| u128::from_ne_bytes(bytes.try_into().expect("16 bytes"));
        let signals = |count: usize| vec![vec![0.0; QUANTUM]; count];
        Rig {
            block: layout.image.chunks(16).map(words).collect(),
            states: layout.states,
            delays: kernel.delays.values().map(|line| vec![0.0; line.frames as usize + 2 * GUARD]).collect(),
            params: vec![0.0; kernel.params.len()],
            moving: signals(kernel.params.len()),
            inputs: signals(kernel.inputs.len()),
            outputs: signals(kernel.outputs.len()),
            ports: vec![Port::default(); kernel.ports.len()],
            frame: 0,
        }
    }

    /// Calls one function of kernel `kernel` of `code`, which must be the kernel that this was made for, and goes on
    /// by `frames`, at most [`QUANTUM`].
    pub fn call(&mut self, code: &dyn Code, kernel: u32, form: Form, frames: u32) {
        assert!(frames as usize <= QUANTUM);
        let pointers = |all: &[Vec<f32>]| all.iter().map(|one| one.as_ptr()).collect::<Vec<_>>();
        let pointers_mut =
            |all: &mut [Vec<f32>]| all.iter_mut().map(|one| one.as_mut_ptr()).collect::<Vec<_>>();
        let (moving, inputs) = (pointers(&self.moving), pointers(&self.inputs));
        let outputs = pointers_mut(&mut self.outputs);
        let delays: Vec<_> = self.delays.iter_mut().map(|line| line[GUARD..].as_mut_ptr()).collect();
        let call = Call {
            state: self.block.as_mut_ptr().cast(),
            delays: delays.as_ptr(),
            params: self.params.as_ptr(),
            moving: moving.as_ptr(),
            inputs: inputs.as_ptr(),
            outputs: outputs.as_ptr(),
            ports: self.ports.as_ptr(),
            frame: self.frame,
            frames,
            block: std::ptr::null(),
        };
        // SAFETY: all tables were made for the kernel, and signals have the frames of a quantum.
        unsafe { code.call(kernel, form, &call) };
        if form != Form::Setup {
            self.frame = self.frame.wrapping_add(frames);
        }
    }

    /// The bits of a lane of a state of this type.
    pub fn state(&self, state: Handle<StateSlot>, lane: usize, scalar: Scalar) -> u64 {
        let at = self.states[state.index()] + 4 * lane;
        let word = (self.block[at / 16] >> (at % 16 * 8)) as u64;
        if scalar == Scalar::F64 { word } else { word & 0xffff_ffff }
    }

    /// The delay lines.
    pub fn delays(&self) -> impl Iterator<Item = &[f32]> {
        self.delays.iter().map(|line| &line[GUARD..line.len() - GUARD])
    }

    /// The block's words.
    pub fn block(&self) -> &[u128] {
        &self.block
    }
}
