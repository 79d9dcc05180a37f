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

/// The operands of one instruction: the lanes of each.
type Operands = Vec<Vec<Imm>>;

/// A kernel that computes `op` of each of `all`; the lanes of the operands come out of states so that nothing folds. The
/// results are its last states.
fn kernel(op: Op, to: Type, all: &[Operands]) -> Kernel {
    let mut kernel = Kernel { name: op.row().name.into(), outputs: vec!["out".into()], ..Kernel::default() };
    let mut body = Body::default();
    let mut results = vec![];
    for operands in all {
        let operand = |lanes: &Vec<Imm>| {
            let lanes = lanes.iter().map(|init| {
                let state = kernel.states.add(StateSlot::word(format!("{}", kernel.states.len()), *init));
                body.add(Op::Get(state), Type { scalar: init.scalar(), lanes: 1 }, &[])
            });
            let lanes: Vec<Value> = lanes.collect();
            if let [one] = lanes[..] { one } else { body.op(Op::Pack, &lanes) }
        };
        let operands: Vec<Value> = operands.iter().map(operand).collect();
        results.push(body.add(op, to, &operands));
    }
    for result in results {
        let name = format!("{}", kernel.states.len());
        let state = kernel.states.add(StateSlot { name, init: Imm::zero(to.scalar), lanes: to.lanes });
        body.sets.push((state, result));
    }
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
                    // With four lanes, each has another combination.
                    let column = |group: &[Vec<Imm>], i: usize| group.iter().map(|one| one[i]).collect();
                    let operands = |group| (0..from.len()).map(|i| column(group, i)).collect();
                    let all: Vec<Operands> = part.chunks(lanes.into()).map(operands).collect();
                    agree(row.op, kernel(row.op, Type { scalar: to, lanes }, &all));
                }
            }
        }
    }
    assert!(checked > 20_000, "{checked}");
}

/// What can be seen of a kernel, which is the same by the interpreter, in machine code and in WebAssembly.
fn agree(op: Op, kernel: Kernel) -> Vec<u64> {
    let mut module = Module::default();
    module.kernels.add(kernel);
    assert_eq!(check::module(&module), Vec::<String>::new());
    let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&[]));
    let module = agree::legalized(&module);
    let jit = Jit::new(&module, OptLevel::Best).expect("the kernel compiles");
    let seen = agree::run(&module, &jit, Choices(&[]));
    assert_eq!(seen, expected, "machine code of {}: {module}", op.row().name);
    let wasm = Wasm::new(&module, Subnormals::FlushAll).expect("the kernel is encoded");
    let seen = agree::run(&module, &wasm, Choices(&[]));
    assert_eq!(seen, expected, "WebAssembly of {}: {module}", op.row().name);
    expected
}

/// Whether the result of an op comes from beyond its operands: what a call is given, a memory, another iteration.
/// `random.rs` holds these.
fn reads_beyond_its_operands(op: Op) -> bool {
    op.row().signature == Signature::Source
        || op.table().is_some()
        || matches!(op, Op::LoopCarried | Op::Read(_))
}

/// The lanes that an op without a meaning gives, of the lanes of its operands. A new one has its line here.
fn moved(op: Op, operands: &[Vec<Imm>]) -> Vec<Imm> {
    match (op, operands) {
        (Op::Splat, [a]) => vec![a[0]; 4],
        (Op::Extract(lane), [a]) => vec![a[usize::from(lane)]],
        (Op::Pack, all) => all.concat(),
        (Op::Total, [a]) => vec![total(a)],
        (Op::Totals, all) => all.iter().map(|a| total(a)).collect(),
        (Op::Slide, [a, b]) => vec![b[0], a[0], a[1], a[2]],
        _ => panic!("`{}` has neither a meaning nor a line in `moved`", op.row().name),
    }
}

fn total(lanes: &[Imm]) -> Imm {
    let [a, b, c, d] = [0, 1, 2, 3].map(|lane| match lanes[lane] {
        Imm::F32(x) => x,
        _ => panic!("f32 alone is added up"),
    });
    Imm::F32((a + b) + (c + d))
}

/// Lane `n` of all lanes of the operands of a case: no two are equal, but of bools, which have every combination as
/// the cases go on. The sum of floats depends on the order in which they are added.
fn lane(scalar: Scalar, case: usize, n: usize) -> Imm {
    let k = (5 * case + n) % 61;
    let float = (k + 1) as f64 / 7.0 * [1.0, -1e4, 1e8, -1e-3][k % 4];
    match scalar {
        Scalar::F32 => Imm::F32(float as f32),
        Scalar::F64 => Imm::F64(float),
        Scalar::I32 => Imm::I32((k as i32 + 1).wrapping_mul(0x0765_4321)),
        Scalar::Bool => Imm::Bool(case >> n & 1 == 1),
    }
}

/// The types of operands and results that an op may have.
fn typings(op: Op) -> Vec<(Type, Vec<Type>)> {
    let scalars = [Scalar::F32, Scalar::F64, Scalar::I32, Scalar::Bool];
    let types = scalars.iter().flat_map(|&scalar| [1, 4].map(|lanes| Type { scalar, lanes }));
    let types: Vec<Type> = types.filter(|ty| ty.lanes == 1 || ty.with_lanes(1).is_packable()).collect();
    let signature = op.row().signature;
    let mut operands: Vec<Vec<Type>> = vec![vec![]];
    for _ in 0..signature.operands() {
        operands =
            operands.iter().flat_map(|head| types.iter().map(|ty| [&head[..], &[*ty]].concat())).collect();
    }
    let pairs = operands.iter().flat_map(|args| types.iter().map(|ty| (*ty, args.clone())));
    pairs.filter(|(ty, args)| signature.admits(*ty, args)).collect()
}

/// Ops without a meaning, of lanes that differ, whatever is computed elsewhere of alike ones.
#[test]
fn each_op_that_moves_lanes_puts_them_where_it_says() {
    let all_lanes = |op| match op {
        Op::Extract(_) => (0..4).map(Op::Extract).collect(),
        op => vec![op],
    };
    let rows = ROWS.iter().filter(|row| row.meaning.is_none() && !reads_beyond_its_operands(row.op));
    for op in rows.flat_map(|row| all_lanes(row.op)) {
        let typings = typings(op);
        assert!(!typings.is_empty(), "{}", op.row().name);
        for (to, from) in typings {
            let count: u32 = from.iter().map(|ty| u32::from(ty.lanes)).sum();
            let case = |case| {
                let mut lanes = 0_usize..;
                let mut operand = |ty: &Type| {
                    let numbers = lanes.by_ref().take(ty.lanes.into());
                    numbers.map(|n| lane(ty.scalar, case, n)).collect()
                };
                from.iter().map(&mut operand).collect()
            };
            let all: Vec<Operands> = (0..1 << count.min(8)).map(case).collect();
            for part in all.chunks(32) {
                let expected = part.iter().flat_map(|operands| moved(op, operands)).map(Imm::bits);
                let expected: Vec<u64> = expected.collect();
                let seen = agree(op, kernel(op, to, part));
                assert_eq!(seen[seen.len() - expected.len()..], expected, "{} of {from:?}", op.row().name);
            }
        }
    }
}

#[test]
fn a_row_is_the_row_of_its_op() {
    for row in ROWS {
        assert_eq!(row.op.row().name, row.name);
        assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
    }
}
