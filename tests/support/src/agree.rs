//! An oracle: two ways to run a kernel give the same bits.

use crate::gen_ir::{self, Choices, port};
use crate::rig::Rig;
use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Kernel, Module, Scalar, check};
use mam_compiler::opt::{legalize, optimize_module};
use mam_compiler::target::Target;
use mam_grammar::Handle;
use mam_runtime::{Code, Form};

/// Makes a kernel of the first bytes and calls it with what the others choose: interpreter and machine code agree, as it is
/// and after all passes for a portable target and for this machine.
///
/// # Panics
/// Where they differ, or where a pass breaks an invariant of the IR.
pub fn survive(bytes: &[u8]) {
    let (kernel, calls) = bytes.split_at(bytes.len() * 2 / 3);
    let module = gen_ir::module(&mut Choices(kernel));
    same(&module, calls, &[OptLevel::Quick, OptLevel::Best]);
    for target in [Target::portable(), Target::host()] {
        let mut optimised = module.clone();
        optimize_module(&mut optimised, &target);
        same(&optimised, calls, &[OptLevel::Best]);
    }
}

fn same(module: &Module, calls: &[u8], ways: &[OptLevel]) {
    assert_eq!(check::module(module), Vec::<String>::new(), "{module}");
    let module = &legalized(module);
    let expected = run(module, &Interpreter::new(module.clone()), Choices(calls));
    for level in ways {
        let jit = Jit::new(module, *level).expect("checked modules compile");
        assert_eq!(run(module, &jit, Choices(calls)), expected, "{level:?}\n{module}");
    }
}

/// A module as a back end can encode it, to the bit the same.
pub fn legalized(module: &Module) -> Module {
    let kernels = module.kernels.values().map(legalize).collect();
    Module { kernels, tables: module.tables.clone(), ..Module::default() }
}

/// Runs kernel 0 of `module` in calls, lengths, forms, parameters, inputs and events that are read from `choices`.
/// Returns everything that can be seen of it: outputs call by call, then states and delay lines. A NaN has one
/// pattern.
pub fn run(module: &Module, code: &dyn Code, mut choices: Choices) -> Vec<u64> {
    let kernel = &module.kernels[Handle::new(0)];
    let mut rig = Rig::new(kernel);
    // Also near the end of a delay line, and of the frames that can be counted.
    rig.frame = choices.one(&[0, 0, 0, 160, 190, 201, 430, u32::MAX - 70]);
    let mut seen = vec![];
    for _ in 0..4 {
        for x in rig.inputs.iter_mut().chain(&mut rig.moving).flatten() {
            *x = if choices.is_empty() { 0.5 } else { choices.f32() };
        }
        rig.params.iter_mut().for_each(|x| *x = choices.f64());
        rig.ports.iter_mut().for_each(|x| *x = port(&mut choices));
        let (frames, form) = (1 + choices.below(64) as u32, choices.below(2));
        if form == 0 {
            rig.call(code, 0, Form::General, frames);
        } else {
            rig.call(code, 0, Form::Setup, 0);
            rig.call(code, 0, Form::Steady, frames);
        }
        let outputs = rig.outputs.iter().flat_map(|out| &out[..frames as usize]);
        seen.extend(outputs.map(|x| pattern(u64::from(x.to_bits()), Scalar::F32)));
    }
    seen.extend(memory(kernel, &rig));
    seen
}

fn memory(kernel: &Kernel, rig: &Rig) -> Vec<u64> {
    let states = kernel.states.iter().flat_map(|(handle, state)| {
        let scalar = state.init.scalar();
        (0..state.lanes as usize).map(move |lane| pattern(rig.state(handle, lane, scalar), scalar))
    });
    let lines = rig.delays().flatten().map(|x| pattern(u64::from(x.to_bits()), Scalar::F32));
    states.chain(lines).collect()
}

/// The bits of a value; one pattern for all NaNs.
pub fn pattern(bits: u64, scalar: Scalar) -> u64 {
    let nan = match scalar {
        Scalar::F32 => f32::from_bits(bits as u32).is_nan(),
        Scalar::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    };
    if nan { u64::MAX } else { bits }
}
