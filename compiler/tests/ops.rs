//! What holds of every op.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::emit::wasm::Subnormals;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{
    Body, Imm, Kernel, Module, Op, ROWS, Scalar, Signature, StateSlot, Type, Value, check,
};
use mam_testing::agree;
use mam_testing::gen_ir::{Choices, EDGES};
use mam_testing::wasm::Wasm;

/// Pairs of a result type and operand types of an op with a meaning, in one lane.
fn instances(op: Op) -> Vec<(Scalar, Vec<Scalar>)> {
    match op.row().signature {
        Signature::Same(count, of) => of.iter().map(|s| (*s, vec![*s; count])).collect(),
        Signature::Compare => {
            [Scalar::F32, Scalar::F64, Scalar::I32].iter().map(|s| (Scalar::Bool, vec![*s; 2])).collect()
        }
        Signature::Select => [Scalar::F32, Scalar::F64, Scalar::I32, Scalar::Bool]
            .iter()
            .map(|s| (*s, vec![Scalar::Bool, *s, *s]))
            .collect(),
        Signature::Convert(pairs) => pairs.iter().map(|(from, to)| (*to, vec![*from])).collect(),
        _ => vec![],
    }
}

/// Values at the edges of a type.
fn edges(scalar: Scalar) -> Vec<Imm> {
    match scalar {
        Scalar::F32 => {
            let near = [1.0 - f32::EPSILON / 2.0, 0.999_999_7, 1.2e-38, 3.0e-20, 0.3, 100.25].map(Imm::F32);
            EDGES.map(Imm::F32).into_iter().chain(near).collect()
        }
        Scalar::F64 => {
            let wide = [1e300, 1e-300, f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0, 2147483647.5, 1e-40];
            let least = f64::from(f32::MIN_POSITIVE) * (1.0 - 1.0 / f64::from(1 << 24));
            let floats = EDGES.iter().map(|x| Imm::F64(f64::from(*x)));
            floats.chain(wide.map(Imm::F64)).chain([Imm::F64(least)]).collect()
        }
        Scalar::I32 => {
            let shifts =
                [0, 1, -1, 2, 23, 31, 32, 33, i32::MIN, i32::MAX, 0x3f80_0000, 0x7f80_0000].map(Imm::I32);
            shifts.into_iter().chain([Imm::I32(0x0040_0000), Imm::I32(-5)]).collect()
        }
        Scalar::Bool => vec![Imm::Bool(false), Imm::Bool(true)],
    }
}

/// A kernel that computes `op` of each combination of its operands, which come out of states so that nothing folds.
/// The results go into states. With four lanes, each lane has another combination.
fn kernel(op: Op, to: Scalar, from: &[Scalar], all: &[Vec<Imm>], lanes: u8) -> Kernel {
    let mut kernel = Kernel { name: op.row().name.into(), outputs: vec!["out".into()], ..Kernel::default() };
    let mut body = Body::default();
    let mut sets = vec![];
    for group in all.chunks(lanes as usize) {
        let columns: Vec<Value> = (0..from.len())
            .map(|i| {
                let lane = |kernel: &mut Kernel, body: &mut Body, combination: &Vec<Imm>| {
                    let name = format!("{}", kernel.states.len());
                    let state = kernel.states.add(StateSlot::word(name, combination[i]));
                    body.add(Op::Get(state), Type { scalar: from[i], lanes: 1 }, &[])
                };
                let column: Vec<Value> = group.iter().map(|one| lane(&mut kernel, &mut body, one)).collect();
                if lanes == 1 {
                    column[0]
                } else {
                    body.op(Op::Pack, &[column[0], column[1], column[2], column[3]])
                }
            })
            .collect();
        let result = body.add(op, Type { scalar: to, lanes }, &columns);
        for lane in 0..lanes {
            let one = if lanes == 1 { result } else { body.op(Op::Extract(lane), &[result]) };
            let name = format!("{}", kernel.states.len());
            let state = kernel.states.add(StateSlot::word(name, Imm::zero(to)));
            sets.push((state, one));
        }
    }
    body.sets = sets;
    body.outs = vec![body.f32(0.0)];
    kernel.steady = body.clone();
    kernel.general = body;
    kernel
}

#[test]
fn each_op_computes_its_meaning_in_machine_code() {
    let mut checked = 0;
    for row in ROWS {
        for (to, from) in instances(row.op) {
            let mut all: Vec<Vec<Imm>> = vec![vec![]];
            for scalar in &from {
                let edges = edges(*scalar);
                all = all.iter().flat_map(|head| edges.iter().map(|x| [&head[..], &[*x]].concat())).collect();
            }
            let nan = |imm: &Imm| match imm {
                Imm::F32(x) => x.is_nan(),
                Imm::F64(x) => x.is_nan(),
                _ => false,
            };
            all.retain(|args| !matches!(row.op, Op::Bits | Op::HighBits) || !args.iter().any(nan));
            // Three operands have many combinations: enough of them.
            let every = all.len().div_ceil(700);
            all = all.into_iter().step_by(every).collect();
            all.truncate(all.len() / 4 * 4);
            for lanes in [1, 4] {
                if lanes == 4 && (to == Scalar::F64 || from.contains(&Scalar::F64)) {
                    continue;
                }
                for part in all.chunks(64) {
                    checked += part.len();
                    agree(row.op, kernel(row.op, to, &from, part, lanes));
                }
            }
        }
    }
    assert!(checked > 20_000, "{checked}");
}

fn agree(op: Op, kernel: Kernel) {
    let mut module = Module::default();
    module.kernels.add(kernel);
    assert_eq!(check::module(&module), Vec::<String>::new());
    let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&[]));
    let module = agree::legalized(&module);
    let jit = Jit::new(&module, OptLevel::Best).expect("the kernel compiles");
    let seen = agree::run(&module, &jit, Choices(&[]));
    assert_eq!(seen, expected, "{}: {module}", op.row().name);
    let wasm = Wasm::new(&module, Subnormals::FlushAll).expect("the kernel is encoded");
    let seen = agree::run(&module, &wasm, Choices(&[]));
    assert_eq!(seen, expected, "{}: {module}", op.row().name);
}

#[test]
fn a_row_is_the_row_of_its_op() {
    for row in ROWS {
        assert_eq!(row.op.row().name, row.name);
        assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
    }
}
