//! The elementary functions of f32, as the passes expand them: their largest errors against f64.

use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{InputId, Kernel, Module, Op, Type};
use mam_compiler::opt::optimize_module;
use mam_compiler::target::Target;
use mam_grammar::Handle;
use mam_runtime::{Form, QUANTUM, machine};
use mam_testing::rig::Rig;

/// `op` of the inputs, expanded for a target.
fn expanded(op: Op, operands: usize, fma: bool) -> Module {
    let mut kernel = Kernel { name: "function".into(), outputs: vec!["out".into()], ..Kernel::default() };
    kernel.inputs = (0..operands).map(|i| format!("in{i}")).collect();
    let body = &mut kernel.steady;
    let args: Vec<_> = (0..operands).map(|i| body.add(Op::Input(InputId::new(i)), Type::F32, &[])).collect();
    let result = body.op(op, &args);
    body.outs = vec![result];
    kernel.general = kernel.steady.clone();
    let mut module = Module::default();
    module.kernels.add(kernel);
    optimize_module(&mut module, &Target { fma });
    module
}

fn apply(module: &Module, columns: &[Vec<f32>]) -> Vec<f32> {
    let code = Interpreter::new(module.clone());
    let mut rig = Rig::new(&module.kernels[Handle::ZERO]);
    let mut results = vec![];
    for from in (0..columns[0].len()).step_by(QUANTUM) {
        let count = QUANTUM.min(columns[0].len() - from);
        for (input, column) in rig.inputs.iter_mut().zip(columns) {
            input[..count].copy_from_slice(&column[from..from + count]);
        }
        rig.call(&code, 0, Form::Steady, count as u32);
        results.extend_from_slice(&rig.outputs[0][..count]);
    }
    results
}

/// Evenly spaced numbers, and numbers of all sizes with both signs, in a range.
fn spread(low: f32, high: f32) -> Vec<f32> {
    let steps = 40_000;
    let even = (0..=steps).map(|i| low + (high - low) * i as f32 / steps as f32);
    let sizes = (0..steps).map(|i| 2f32.powf(-30.0 + 50.0 * i as f32 / steps as f32));
    even.chain(sizes.flat_map(|x| [x, -x])).filter(|x| (low..=high).contains(x)).collect()
}

/// The largest error, by `error` of the argument, the result and the truth.
fn worst(op: Op, xs: &[f32], truth: fn(f64) -> f64, error: fn(f64, f64, f64) -> f64) -> f64 {
    let measure = |fma| {
        let ys = apply(&expanded(op, 1, fma), &[xs.to_vec()]);
        let errors = xs.iter().zip(ys).map(|(x, y)| {
            let x = f64::from(*x);
            (error(x, f64::from(y), truth(x)), x)
        });
        let worst =
            errors.fold((0.0, 0.0), |worst: (f64, f64), one| if one.0 > worst.0 { one } else { worst });
        worst.0
    };
    f64::max(measure(true), measure(false))
}

fn absolute(_: f64, y: f64, truth: f64) -> f64 {
    (y - truth).abs()
}

fn relative(_: f64, y: f64, truth: f64) -> f64 {
    if y == truth { 0.0 } else { ((y - truth) / truth).abs() }
}

#[test]
fn sine_and_cosine_of_turns() {
    assert!(worst(Op::SinTurn, &spread(-3.0, 3.0), machine::sin_turn, absolute) < 3e-7);
    assert!(worst(Op::CosTurn, &spread(-3.0, 3.0), machine::cos_turn, absolute) < 2e-7);
    assert!(worst(Op::SinTurn, &spread(-32768.0, 32768.0), machine::sin_turn, absolute) < 3e-7);
    assert_eq!(apply(&expanded(Op::SinTurn, 1, true), &[vec![0.0, 0.5, -0.5, 7.0]]), [0.0; 4]);
}

#[test]
fn tangent_of_turns() {
    assert!(worst(Op::TanTurn, &spread(-0.2499, 0.2499), machine::tan_turn, relative) < 4e-7);
}

#[test]
fn powers_of_two() {
    assert!(worst(Op::Exp2, &spread(-125.0, 127.4), machine::exp2, relative) < 2.2e-7);
    let whole: Vec<f32> = (-126..128).map(|x| x as f32).collect();
    let exact: Vec<f32> = whole.iter().map(|x| machine::exp2(f64::from(*x)) as f32).collect();
    assert_eq!(apply(&expanded(Op::Exp2, 1, true), &[whole]), exact);
    let far = vec![-1e9, f32::NEG_INFINITY, -127.0, 128.0, 1e9, f32::INFINITY];
    let inf = f32::INFINITY;
    assert_eq!(apply(&expanded(Op::Exp2, 1, true), &[far]), [0.0, 0.0, 0.0, inf, inf, inf]);
    assert!(apply(&expanded(Op::Exp2, 1, false), &[vec![f32::NAN]])[0].is_nan());
}

#[test]
fn logarithms() {
    let sizes: Vec<f32> = (0..60_000).map(|i| 2f32.powf(-126.0 + 253.9 * i as f32 / 60_000.0)).collect();
    let near_one: Vec<f32> = (0..20_000).map(|i| 0.7 + 0.8 * i as f32 / 20_000.0).collect();
    for xs in [sizes, near_one] {
        assert!(worst(Op::Log2, &xs, machine::log2, relative) < 3e-7);
    }
    let edges = apply(&expanded(Op::Log2, 1, true), &[vec![0.0, -0.0, 1.0, f32::INFINITY, -1.0, f32::NAN]]);
    assert_eq!(edges[..4], [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0, f32::INFINITY]);
    assert!(edges[4].is_nan() && edges[5].is_nan());
}

#[test]
fn hyperbolic_tangent() {
    assert!(worst(Op::Tanh, &spread(-30.0, 30.0), machine::tanh, relative) < 4e-7);
    let xs = spread(-30.0, 30.0);
    let most = apply(&expanded(Op::Tanh, 1, true), &[xs]).into_iter().fold(0.0, f32::max);
    assert!(most <= 1.0, "{most}");
    assert!(apply(&expanded(Op::Tanh, 1, false), &[vec![f32::NAN]])[0].is_nan());
}

#[test]
fn powers() {
    let (mut bases, mut exponents) = (vec![], vec![]);
    for i in 0..300 {
        for j in 0..100 {
            bases.push(2f32.powf(-20.0 + 40.0 * i as f32 / 300.0));
            exponents.push(-6.05 + 12.0 * j as f32 / 100.0);
        }
    }
    for fma in [true, false] {
        let results = apply(&expanded(Op::Pow, 2, fma), &[bases.clone(), exponents.clone()]);
        let mut worst = 0f64;
        for ((x, y), z) in bases.iter().zip(&exponents).zip(results) {
            let (x, y) = (f64::from(*x), f64::from(*y));
            let truth = machine::pow(x, y);
            if (1e-37..3e38).contains(&truth) {
                let size = 1.0 + (y * machine::log2(x)).abs();
                worst = worst.max(((f64::from(z) - truth) / truth).abs() / size);
            }
        }
        assert!(worst < 2.5e-7, "{worst}");
    }
    let bases = vec![-2.0, -2.0, -2.0, 0.0, 0.0, 5.0, -3.0];
    let exponents = vec![2.0, 3.0, 0.5, 2.5, -1.0, 0.0, 0.0];
    let edges = apply(&expanded(Op::Pow, 2, true), &[bases, exponents]);
    assert_eq!(edges[..2], [4.0, -8.0]);
    assert!(edges[2].is_nan());
    assert_eq!(edges[3..], [0.0, f32::INFINITY, 1.0, 1.0]);
}
