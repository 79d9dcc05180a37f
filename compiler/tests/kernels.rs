//! Kernels in the interpreter and as machine code.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Imm, InputId, Kernel, Module, Op, ParamId, PortField, PortId, StateSlot, Type};
use mam_grammar::Handle;
use mam_runtime::{Code, Form};
use mam_testing::agree;
use mam_testing::rig::Rig;

/// A decaying sine with a delay: a phase that wraps, an envelope that restarts, a parameter, an input.
fn pluck() -> Module {
    let mut kernel = Kernel { name: "pluck".into(), ..Kernel::default() };
    let phase = kernel.states.add(StateSlot::word("phase".into(), Imm::I32(0)));
    let level = kernel.states.add(StateSlot::word("level".into(), Imm::F32(0.0)));
    let line = kernel.delays.add(mam_compiler::ir::DelayLine::unshared("line".into(), 16));
    kernel.params = vec!["gain".into()];
    kernel.inputs = vec!["in".into()];
    kernel.outputs = vec!["out".into()];
    kernel.ports = vec!["note".into()];
    for general in [false, true] {
        let body = if general { &mut kernel.general } else { &mut kernel.steady };
        let freq = body.add(Op::Port(PortId::ZERO, PortField::Freq), Type::F64, &[]);
        let scale = body.f64(4294967296.0 / 48000.0);
        let increment = body.op(Op::Mul, &[freq, scale]);
        let increment = body.op(Op::ToInt, &[increment]);
        let gain = if general {
            body.add(Op::Param(ParamId::ZERO), Type::F32, &[])
        } else {
            let gain = body.add(Op::Param(ParamId::ZERO), Type::F64, &[]);
            body.op(Op::Demote, &[gain])
        };
        let last = body.add(Op::Get(phase), Type::I32, &[]);
        let next = body.op(Op::Add, &[last, increment]);
        let turns = body.add(Op::ToFloat, Type::F32, &[next]);
        let per_turn = body.f32(1.0 / 4294967296.0);
        let turns = body.op(Op::Mul, &[turns, per_turn]);
        let sine = body.op(Op::SinTurn, &[turns]);
        let fallen = body.add(Op::Get(level), Type::F32, &[]);
        let rate = body.f32(0.9);
        let mut fallen = body.op(Op::Mul, &[fallen, rate]);
        if general {
            let trig = body.add(Op::Port(PortId::ZERO, PortField::Trig), Type::BOOL, &[]);
            let one = body.f32(1.0);
            fallen = body.op(Op::Select, &[trig, one, fallen]);
        }
        let ago = body.i32(5);
        let late = body.op(Op::Read(line), &[ago]);
        let input = body.add(Op::Input(InputId::ZERO), Type::F32, &[]);
        let out = body.op(Op::Mul, &[sine, fallen]);
        let out = body.op(Op::Mul, &[out, gain]);
        let out = body.op(Op::Add, &[out, late]);
        let out = body.op(Op::Add, &[out, input]);
        body.sets = vec![(phase, next), (level, fallen)];
        body.writes = vec![(line, out)];
        body.outs = vec![out];
    }
    let mut module = Module::default();
    module.kernels.add(kernel);
    module
}

fn play(module: &Module, code: &dyn Code) -> (Vec<f32>, Rig) {
    let kernel = &module.kernels[Handle::new(0)];
    let mut rig = Rig::new(kernel);
    rig.params[0] = 0.5;
    rig.moving[0].fill(0.25);
    rig.inputs[0][3] = 1.0;
    rig.ports[0] = mam_runtime::Port { trig: 1, gate: 1, freq: 1000.0, ..Default::default() };
    let mut sound = vec![];
    rig.call(code, 0, Form::General, 40);
    sound.extend_from_slice(&rig.outputs[0][..40]);
    rig.ports[0].trig = 0;
    rig.call(code, 0, Form::Setup, 0);
    for frames in [24, 64, 1, 63] {
        rig.call(code, 0, Form::Steady, frames);
        sound.extend_from_slice(&rig.outputs[0][..frames as usize]);
    }
    (sound, rig)
}

#[test]
fn a_plucked_sine_sounds_alike_in_the_interpreter_and_as_machine_code() {
    let module = pluck();
    let module = agree::legalized(&module);
    let (expected, rig) = play(&module, &Interpreter::new(module.clone()));
    let (sound, machine_rig) =
        play(&module, &Jit::new(&module, OptLevel::Best).expect("the kernel compiles"));
    let second_frame = (2.0 * std::f32::consts::TAU * 1000.0 / 48000.0).sin() * 0.9 * 0.25;
    assert!((expected[1] - second_frame).abs() < 1e-6, "{} {second_frame}", expected[1]);
    let bits = |sound: &[f32]| sound.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&expected), bits(&sound));
    assert_eq!(rig.block(), machine_rig.block());
    assert!(expected[3] > 0.9 && expected[8] > 0.9, "the input, and five frames later again");
}
