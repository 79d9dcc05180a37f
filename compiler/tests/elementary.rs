//! The elementary functions as the passes expand them: their largest errors against those of `libm`, which are within 1 ulp
//! of the truth.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Body, Imm, InputId, Kernel, Module, Op, ParamId, Scalar, StateSlot, Type, Value};
use mam_compiler::opt::{optimize_module, passes};
use mam_compiler::target::Target;
use mam_grammar::Handle;
use mam_runtime::{Code, Form, QUANTUM};
use mam_testing::agree;
use mam_testing::rig::Rig;

/// The functions in f64.
mod truth {
    use std::f64::consts::TAU;

    pub(super) fn sin_turn(x: f64) -> f64 {
        libm::sin(TAU * (x - x.round_ties_even()))
    }

    pub(super) fn cos_turn(x: f64) -> f64 {
        libm::cos(TAU * (x - x.round_ties_even()))
    }

    pub(super) fn tan_turn(x: f64) -> f64 {
        libm::tan(TAU * (x - (2.0 * x).round_ties_even() / 2.0))
    }

    pub(super) use libm::{exp2, log2, pow, tanh};
}

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
    assert!(worst(Op::SinTurn, &spread(-3.0, 3.0), truth::sin_turn, absolute) < 3e-7);
    assert!(worst(Op::CosTurn, &spread(-3.0, 3.0), truth::cos_turn, absolute) < 2e-7);
    assert!(worst(Op::SinTurn, &spread(-32768.0, 32768.0), truth::sin_turn, absolute) < 3e-7);
    assert_eq!(apply(&expanded(Op::SinTurn, 1, true), &[vec![0.0, 0.5, -0.5, 7.0]]), [0.0; 4]);
}

#[test]
fn tangent_of_turns() {
    assert!(worst(Op::TanTurn, &spread(-0.2499, 0.2499), truth::tan_turn, relative) < 4e-7);
}

#[test]
fn powers_of_two() {
    assert!(worst(Op::Exp2, &spread(-125.0, 127.4), truth::exp2, relative) < 2.2e-7);
    let whole: Vec<f32> = (-126..128).map(|x| x as f32).collect();
    let exact: Vec<f32> = whole.iter().map(|x| truth::exp2(f64::from(*x)) as f32).collect();
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
        assert!(worst(Op::Log2, &xs, truth::log2, relative) < 3e-7);
    }
    let edges = apply(&expanded(Op::Log2, 1, true), &[vec![0.0, -0.0, 1.0, f32::INFINITY, -1.0, f32::NAN]]);
    assert_eq!(edges[..4], [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0, f32::INFINITY]);
    assert!(edges[4].is_nan() && edges[5].is_nan());
}

#[test]
fn hyperbolic_tangent() {
    assert!(worst(Op::Tanh, &spread(-30.0, 30.0), truth::tanh, relative) < 1.5e-6);
    for fma in [true, false] {
        let tanh = |xs: Vec<f32>| apply(&expanded(Op::Tanh, 1, fma), &[xs]);
        let xs = spread(0.0, 30.0);
        let ys = tanh(xs.clone());
        let most = ys.iter().copied().fold(0.0, f32::max);
        assert!(most <= 1.0, "{most}");
        let negative = tanh(xs.iter().map(|x| -x).collect());
        assert!(ys.iter().zip(&negative).all(|(y, n)| y.to_bits() == (-n).to_bits()), "it is odd");
        // It rises: up to there, steps of 0.01 are larger than its roundings.
        let steps = tanh((0..500).map(|i| 0.01 * i as f32).collect());
        assert!(steps.is_sorted());
        assert_eq!(tanh(vec![0.0, f32::INFINITY, 1e30])[..1], [0.0]);
        assert!(tanh(vec![f32::NAN])[0].is_nan());
    }
}

/// `tanh(x)·w / (x + k·tanh(x))` and `tanh(x)/x`: with one division, as near as with two.
#[test]
fn quotients_of_a_hyperbolic_tangent() {
    let of = |fma: bool, build: fn(&mut Body, [Value; 3]) -> Value| {
        let mut kernel = Kernel { name: "function".into(), outputs: vec!["out".into()], ..Kernel::default() };
        kernel.inputs = (0..3).map(|i| format!("in{i}")).collect();
        let body = &mut kernel.steady;
        let args = [0, 1, 2].map(|i| body.add(Op::Input(InputId::new(i)), Type::F32, &[]));
        let result = build(body, args);
        body.outs = vec![result];
        kernel.general = kernel.steady.clone();
        let mut module = Module::default();
        module.kernels.add(kernel);
        optimize_module(&mut module, &Target { fma });
        let divisions = module.kernels[Handle::ZERO].steady.insts.values().filter(|inst| inst.op == Op::Div);
        assert_eq!(divisions.count(), 1);
        module
    };
    let solved: fn(&mut Body, [Value; 3]) -> Value = |body, [x, w, k]| {
        let t = body.op(Op::Tanh, &[x]);
        let (above, part) = (body.op(Op::Mul, &[t, w]), body.op(Op::Mul, &[k, t]));
        let below = body.op(Op::Add, &[x, part]);
        body.op(Op::Div, &[above, below])
    };
    let slope: fn(&mut Body, [Value; 3]) -> Value = |body, [x, ..]| {
        let t = body.op(Op::Tanh, &[x]);
        body.op(Op::Div, &[t, x])
    };
    let xs: Vec<f32> = spread(-30.0, 30.0).into_iter().filter(|x| x.abs() > 1e-6).collect();
    let ws: Vec<f32> = (0..xs.len()).map(|i| 0.1 + (i % 97) as f32).collect();
    let ks: Vec<f32> = (0..xs.len()).map(|i| 0.25 * (i % 17) as f32).collect();
    for fma in [true, false] {
        let columns = [xs.clone(), ws.clone(), ks.clone()];
        let (ys, slopes) = (apply(&of(fma, solved), &columns), apply(&of(fma, slope), &columns));
        for (i, x) in xs.iter().enumerate() {
            let [x, w, k] = [*x, ws[i], ks[i]].map(f64::from);
            let t = truth::tanh(x);
            assert!(relative(x, f64::from(ys[i]), t * w / (x + k * t)) < 2e-6, "{x} {w} {k}");
            assert!(relative(x, f64::from(slopes[i]), t / x) < 1.8e-6, "{x}");
        }
    }
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
            let truth = truth::pow(x, y);
            if (1e-37..3e38).contains(&truth) {
                let size = 1.0 + (y * truth::log2(x)).abs();
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

/// The f64 results of `op`, for operands that stand in columns: each is a parameter, and comes out as two floats.
fn precise(op: Op, columns: &[&[f64]]) -> Vec<f64> {
    let mut kernel = Kernel { name: "function".into(), outputs: vec!["high".into()], ..Kernel::default() };
    let result = kernel.states.add(StateSlot::word("result".into(), Imm::F64(0.0)));
    kernel.params = (0..columns.len()).map(|i| format!("p{i}")).collect();
    let body = &mut kernel.steady;
    let args: Vec<_> =
        (0..columns.len()).map(|i| body.add(Op::Param(ParamId::new(i)), Type::F64, &[])).collect();
    let value = body.op(op, &args);
    let out = body.op(Op::Demote, &[value]);
    body.sets = vec![(result, value)];
    body.outs = vec![out];
    kernel.general = Kernel::default().general;
    kernel.general.outs = vec![kernel.general.f32(0.0)];
    let mut module = Module::default();
    module.kernels.add(kernel);
    let mut expanded = module.clone();
    let pass = passes().find(|pass| pass.name == "elementary").expect("it is a pass");
    expanded.kernels[Handle::ZERO] = pass.run(&module.kernels[Handle::ZERO], &Target::portable());
    let mut ops = expanded.kernels[Handle::ZERO].steady.insts.values();
    assert!(ops.all(|inst| inst.op != op), "{op:?} is still there");
    let code = |module: &Module| -> Vec<(Box<dyn Code>, Rig)> {
        let module = &agree::legalized(module);
        let jit = Jit::new(module, OptLevel::Best).expect("the kernel compiles");
        let codes: [Box<dyn Code>; 2] = [Box::new(Interpreter::new(module.clone())), Box::new(jit)];
        codes.into_iter().map(|code| (code, Rig::new(&module.kernels[Handle::ZERO]))).collect()
    };
    let mut ways: Vec<_> = code(&module).into_iter().chain(code(&expanded)).collect();
    (0..columns[0].len())
        .map(|i| {
            let seen: Vec<u64> = ways
                .iter_mut()
                .map(|(code, rig)| {
                    rig.params.iter_mut().zip(columns).for_each(|(param, column)| *param = column[i]);
                    rig.call(&**code, 0, Form::Setup, 0);
                    rig.call(&**code, 0, Form::Steady, 1);
                    rig.state(result, 0, Scalar::F64)
                })
                .map(|bits| if f64::from_bits(bits).is_nan() { u64::MAX } else { bits })
                .collect();
            assert!(seen.iter().all(|bits| *bits == seen[0]), "{op:?} of {}: {seen:?}", columns[0][i]);
            f64::from_bits(seen[0])
        })
        .collect()
}

/// How many units in the last place of `truth` lie between.
fn ulps(y: f64, truth: f64) -> f64 {
    if y == truth || y.is_nan() && truth.is_nan() {
        return 0.0;
    }
    let unit = truth.abs().next_up() - truth.abs();
    (y - truth).abs() / unit
}

fn worst_precise(op: Op, xs: &[f64], truth: fn(f64) -> f64) -> f64 {
    let ys = precise(op, &[xs]);
    xs.iter().zip(ys).map(|(x, y)| ulps(y, truth(*x))).fold(0.0, f64::max)
}

/// Evenly spaced numbers, and numbers of many sizes with both signs, in a range.
fn precise_spread(low: f64, high: f64) -> Vec<f64> {
    let steps = 800;
    let even = (0..=steps).map(|i| low + (high - low) * f64::from(i) / f64::from(steps));
    let sizes = (0..steps).map(|i| libm::exp2(-60.0 + 70.0 * f64::from(i) / f64::from(steps)));
    even.chain(sizes.flat_map(|x| [x, -x])).filter(|x| (low..=high).contains(x)).collect()
}

#[test]
fn in_f64_they_are_within_some_units_of_the_last_place() {
    // Where the argument of libm's function is rounded by 2π, its truth is as far off as that: small angles.
    let turns = precise_spread(-0.12, 0.12);
    assert!(worst_precise(Op::SinTurn, &turns, truth::sin_turn) <= 2.5);
    assert!(worst_precise(Op::CosTurn, &turns, truth::cos_turn) <= 2.0);
    assert!(worst_precise(Op::TanTurn, &turns, truth::tan_turn) <= 4.0);
    assert!(worst_precise(Op::Exp2, &precise_spread(-1020.0, 1023.9), truth::exp2) <= 1.5);
    assert!(worst_precise(Op::Tanh, &precise_spread(-30.0, 30.0), truth::tanh) <= 4.0);
    let sizes: Vec<f64> = (0..800).map(|i| libm::exp2(-1021.0 + 2044.9 * f64::from(i) / 800.0)).collect();
    let near_one: Vec<f64> = (0..800).map(|i| 0.7 + 0.8 * f64::from(i) / 800.0).collect();
    for xs in [sizes, near_one] {
        assert!(worst_precise(Op::Log2, &xs, truth::log2) <= 1.5);
    }
}

#[test]
fn sines_in_f64_against_exact_ones() {
    // sin and cos of 2π·k/24, by square roots.
    let (two, three, six) = (2f64.sqrt(), 3f64.sqrt(), 6f64.sqrt());
    let eighth = [0.0, (six - two) / 4.0, 0.5, two / 2.0, three / 2.0, (six + two) / 4.0, 1.0];
    for whole in [0.0, 1.0, -3.0, 4096.0] {
        for (k, sine) in eighth.iter().enumerate() {
            // Twelfths of a quarter are rounded: three places are lost beside a large whole number.
            let x = whole + k as f64 / 24.0;
            let near = |y: f64, truth: f64| (y - truth).abs() <= 7.0 * f64::EPSILON * (1.0 + whole.abs());
            let [s, c] = [Op::SinTurn, Op::CosTurn].map(|op| precise(op, &[&[x, -x, 0.25 - x, x + 0.5]]));
            assert!(near(s[0], *sine) && near(s[1], -sine) && near(c[2], *sine) && near(s[3], -sine), "{x}");
            assert!(near(c[0], eighth[6 - k]) && near(c[3], -eighth[6 - k]), "{x}: {c:?}");
        }
    }
    assert_eq!(precise(Op::SinTurn, &[&[0.0, 0.5, -0.5, 7.0, 0.25, -0.25]]), [0.0, 0.0, 0.0, 0.0, 1.0, -1.0]);
    assert_eq!(precise(Op::CosTurn, &[&[0.0, 0.5, 0.25, -0.25, 9.75]]), [1.0, -1.0, 0.0, 0.0, 0.0]);
    assert_eq!(precise(Op::TanTurn, &[&[0.0, 0.125, -0.125, 0.25]]), [0.0, 1.0, -1.0, f64::INFINITY]);
}

#[test]
fn powers_in_f64() {
    let (mut bases, mut exponents) = (vec![], vec![]);
    for i in 0..120 {
        for j in 0..60 {
            bases.push(libm::exp2(-20.0 + 40.3 * f64::from(i) / 120.0));
            exponents.push(-50.0 + 101.7 * f64::from(j) / 60.0);
        }
    }
    let (mut near, mut far) = (0f64, 0f64);
    for ((x, y), z) in bases.iter().zip(&exponents).zip(precise(Op::Pow, &[&bases, &exponents])) {
        let truth = truth::pow(*x, *y);
        let octaves = (y * truth::log2(*x)).abs();
        let worst = if octaves <= 64.0 { &mut near } else { &mut far };
        if octaves < 1020.0 {
            *worst = worst.max(ulps(z, truth));
        }
    }
    assert!(near <= 2.0 && far <= 8.0, "{near} {far}");
    let (inf, none) = (f64::INFINITY, f64::NAN);
    let bases = [-2.0, -2.0, -2.0, 0.0, 0.0, 5.0, -3.0, inf, 2.0, 0.5, 1.0, none, 1e300, 1e-300, 10.0];
    let exponents = [2.0, 3.0, 0.5, 2.5, -1.0, 0.0, 0.0, 0.5, inf, inf, 1e300, 1.0, 2.0, 2.0, -3.0];
    let edges = precise(Op::Pow, &[&bases, &exponents]);
    let truth = [4.0, -8.0, none, 0.0, inf, 1.0, 1.0, inf, inf, 0.0, 1.0, none, inf, 0.0, 1e-3];
    assert!(edges.iter().zip(truth).all(|(y, truth)| ulps(*y, truth) == 0.0), "{edges:?}");
}

#[test]
fn edges_in_f64() {
    let (inf, none) = (f64::INFINITY, f64::NAN);
    let xs = [-1023.5, -1e9, -inf, 1024.0, inf, 10.0, -1022.0, none];
    let powers = precise(Op::Exp2, &[&xs]);
    assert_eq!(powers[..7], [0.0, 0.0, 0.0, inf, inf, 1024.0, f64::MIN_POSITIVE]);
    assert!(powers[7].is_nan());
    let logs = precise(Op::Log2, &[&[0.0, -0.0, 1.0, inf, f64::MIN_POSITIVE, f64::MAX, 8.0, -1.0, none]]);
    assert_eq!(logs[..7], [-inf, -inf, 0.0, inf, -1022.0, 1024.0, 3.0]);
    assert!(logs[7].is_nan() && logs[8].is_nan());
    let tanhs = precise(Op::Tanh, &[&[0.0, 1e-300, -1e-20, inf, -inf, 1e9, none]]);
    assert_eq!(tanhs[0], 0.0);
    assert_eq!(tanhs[3..6], [1.0, -1.0, 1.0]);
    assert!(ulps(tanhs[1], 1e-300) <= 2.0 && ulps(tanhs[2], -1e-20) <= 2.0 && tanhs[6].is_nan());
}
