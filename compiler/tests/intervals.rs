//! Interval analysis against the interpreter: on random kernels each value that is observed lies in the interval that is
//! claimed for it.

use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Body, Imm, Kernel, Module, Scalar, StateSlot, Value};
use mam_compiler::opt::intervals::Intervals;
use mam_grammar::Handle;
use mam_runtime::Form;
use mam_testing::gen_ir::{Choices, plain, port};
use mam_testing::rig::Rig;

/// Kernels that are made.
const KERNELS: u32 = 800;
/// Calls of each, of one frame.
const CALLS: usize = 24;

/// A value of a body, and the state that it is put into at the end of each iteration.
struct Probe {
    value: Value,
    slot: Handle<StateSlot>,
}

/// Adds a state for each number of a body, which the body sets to it.
fn probe(states: &mut mam_grammar::Arena<StateSlot>, form: &str, body: &mut Body) -> Vec<Probe> {
    let numbers = body.insts.iter().filter(|(_, inst)| inst.ty.scalar != Scalar::Bool);
    let probes = numbers.map(|(value, inst)| {
        let name = format!("probe.{form}.{}", value.index());
        let slot = StateSlot { name, init: Imm::zero(inst.ty.scalar), lanes: inst.ty.lanes };
        Probe { value, slot: states.add(slot) }
    });
    let probes: Vec<Probe> = probes.collect();
    body.sets.extend(probes.iter().map(|probe| (probe.slot, probe.value)));
    probes
}

fn bytes(seed: u32, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    (0..count).map(|_| byte()).collect()
}

fn number(bits: u64, scalar: Scalar) -> f64 {
    match Imm::from_bits(scalar, bits) {
        Imm::F32(x) => f64::from(x),
        Imm::F64(x) => x,
        Imm::I32(x) => f64::from(x),
        Imm::Bool(_) => unreachable!("only numbers are observed"),
    }
}

/// Calls a kernel and compares; how many observations of a value with an interval there were.
fn observe(kernel: &Kernel, choices: &mut Choices) -> usize {
    let known = Intervals::analyse(kernel);
    let mut watched = kernel.clone();
    let general = probe(&mut watched.states, "general", &mut watched.general);
    let steady = probe(&mut watched.states, "steady", &mut watched.steady);
    let claims = [known.within(&kernel.general), known.within(&kernel.steady)];
    let mut module = Module::default();
    module.kernels.add(watched.clone());
    let code = Interpreter::new(module);
    let (mut rig, mut seen) = (Rig::new(&watched), 0);
    for _ in 0..CALLS {
        rig.inputs.iter_mut().chain(&mut rig.moving).flatten().for_each(|x| *x = choices.f32());
        rig.params.iter_mut().for_each(|x| *x = choices.f64());
        rig.ports.iter_mut().for_each(|x| *x = port(choices));
        let is_general = choices.below(2) == 0;
        if is_general {
            rig.call(&code, 0, Form::General, 1);
        } else {
            rig.call(&code, 0, Form::Setup, 0);
            rig.call(&code, 0, Form::Steady, 1);
        }
        let (probes, claims) = if is_general { (&general, &claims[0]) } else { (&steady, &claims[1]) };
        for Probe { value, slot } in probes {
            let Some((low, high)) = claims[value.index()] else { continue };
            let ty = watched.states[*slot].ty();
            for lane in 0..ty.lanes as usize {
                let x = number(rig.state(*slot, lane, ty.scalar), ty.scalar);
                assert!(
                    (low..=high).contains(&x),
                    "v{} is {x}, not in {low}..{high}\n{kernel}",
                    value.index()
                );
                seen += 1;
            }
        }
    }
    seen
}

#[test]
fn every_value_lies_in_its_interval() {
    let mut seen = 0;
    for seed in 1..=KERNELS {
        let kernel = plain(&mut Choices(&bytes(seed, 1200)));
        seen += observe(&kernel, &mut Choices(&bytes(!seed, 1 << 16)));
    }
    assert!(seen > 20_000, "only {seen} values with an interval were observed");
}
