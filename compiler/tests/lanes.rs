//! Time lanes: each form of a recurrence is recognised, and sounds as the scalar form does.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Kernel, Module, Op, check};
use mam_compiler::opt::vectorize::{channel_lanes, time_lanes};
use mam_compiler::opt::{legalize, sweep};
use mam_compiler::target::Target;
use mam_runtime::{Code, Form};
use mam_testing::rig::Rig;

/// A kernel with one body for both forms: the general one has a moving parameter.
fn kernel(head: &str, body: &str) -> Kernel {
    let general = body.replace("f64 = param p", "f32 = param p").replace("f32 = demote v0", "f32 = neg v0");
    let text = format!("kernel k\n{head}\n  output out\ngeneral\n{general}\nsteady\n{body}");
    let kernel: Kernel = text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(check::kernel(&kernel, 0), Vec::<String>::new(), "{text}");
    kernel
}

fn module(kernel: &Kernel) -> Module {
    let mut module = Module::default();
    module.kernels.add(kernel.clone());
    module
}

/// Renders a kernel in calls of several lengths; with `notes` there is a general call of one frame after each.
fn render(module: &Module, code: &dyn Code, notes: bool) -> Vec<f32> {
    let kernel = module.kernels.values().next().expect("a kernel");
    let mut rig = Rig::new(kernel);
    rig.params.fill(0.3);
    let mut sound = vec![];
    for frames in [64, 1, 2, 3, 64, 7, 30, 64] {
        for (channel, input) in rig.inputs.iter_mut().enumerate() {
            for (i, x) in input.iter_mut().enumerate() {
                *x = (((i + 5 * channel) * 37 % 64) as f32 - 31.5) / 32.0;
            }
        }
        rig.call(code, 0, Form::Setup, 0);
        rig.call(code, 0, Form::Steady, frames);
        sound.extend(rig.outputs.iter().flat_map(|out| out[..frames as usize].to_vec()));
        if notes {
            rig.call(code, 0, Form::General, 1);
            sound.extend(rig.outputs.iter().map(|out| out[0]));
        }
    }
    sound
}

/// Renders a kernel scalar, in lanes and in lanes as machine code; what the plan says, and the largest difference
/// of the lanes from the scalar form.
fn compare(kernel: &Kernel) -> (String, f32) {
    let scalar = module(kernel);
    let expected = render(&scalar, &Interpreter::new(scalar.clone()), false);
    let (widened, reasons) = time_lanes(kernel, &Target::host(), true).expect("it can be widened");
    assert_eq!(check::kernel(&widened, 0), Vec::<String>::new(), "{widened}");
    let wide = module(&legalize(&widened));
    let seen = render(&wide, &Interpreter::new(wide.clone()), false);
    let machine = render(&wide, &Jit::new(&wide, OptLevel::Best).expect("it compiles"), false);
    assert_eq!(seen, machine, "{widened}");
    assert!(expected.iter().any(|x| *x != 0.0), "it sounds");
    let difference = expected.iter().zip(&seen).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (reasons.join("\n"), difference)
}

#[test]
fn a_phase_with_a_slow_or_a_moving_step_is_a_prefix_sum() {
    let slow = "  v0: f64 = param p\n  v1: i32 = toint v0\n  v2: i32 = const 123456789\n  v3: i32 = add v1 v2
  v4: i32 = get phase\n  v5: i32 = add v4 v3\n  v6: f32 = tofloat v5\n  v7: f32 = tofloat v4\n  v8: f32 = sub v6 v7
  set phase v5\n  out v8";
    let general_too = slow.replace("f64 = param p", "f64 = const 0.5");
    let moving = "  v0: f32 = input in\n  v1: i32 = bits v0\n  v2: i32 = get phase\n  v3: i32 = add v2 v1
  v4: f32 = tofloat v3\n  set phase v3\n  out v4";
    let state = "  state phase: i32 = 7\n  input in\n  param p";
    for body in [general_too.as_str(), moving] {
        assert_eq!(compare(&kernel(state, body)), ("phase: a phase".into(), 0.0));
    }
}

/// A phase of two words, of which the lower one adds `part` and the upper one `whole` and what the lower one carries.
fn two_words(whole: i32, part: i32) -> String {
    let bound = part ^ i32::MIN;
    format!(
        "  v0: i32 = get low\n  v1: i32 = const {part}\n  v2: i32 = add v0 v1\n  v3: i32 = const {bound}
  v4: bool = lt v2 v3\n  v5: i32 = const -1\n  v6: i32 = const 0\n  v7: i32 = select v4 v5 v6
  v8: i32 = const {whole}\n  v9: i32 = sub v8 v7\n  v10: i32 = get phase\n  v11: i32 = add v10 v9
  v12: f32 = tofloat v11\n  v13: f32 = tofloat v10\n  v14: i32 = sub v11 v10\n  v15: f32 = tofloat v14
  v16: f32 = add v12 v15\n  v17: f32 = sub v16 v13\n  v18: f32 = mul v17 v15\n  v19: f32 = add v18 v12
  set low v2\n  set phase v11\n  out v19"
    )
}

#[test]
fn a_phase_of_two_words_carries_in_lanes_as_frame_by_frame() {
    for (whole, part) in [(0, 0x5555_5555), (-1, -5), (123_456_789, i32::MIN), (1 << 30, i32::MAX), (7, 1)] {
        for (phase, low) in [(7, i32::MIN), (-9, i32::MAX), (i32::MAX, -3)] {
            let state = format!("  state low: i32 = {low}\n  state phase: i32 = {phase}");
            let kernel = kernel(&state, &two_words(whole, part));
            assert_eq!(compare(&kernel), ("low: a phase\nphase: a phase".into(), 0.0), "{whole} {part}");
            let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
            let slides = widened.steady.insts.values().filter(|inst| inst.op == Op::Slide).count();
            assert_eq!(slides, 0, "four steps an iteration: {widened}");
        }
    }
}

#[test]
fn a_counter_is_a_closed_form() {
    let body = "  v0: i32 = get count\n  v1: i32 = const 3\n  v2: i32 = add v1 v0\n  v3: i32 = const 100
  v4: i32 = min v2 v3\n  v5: f32 = tofloat v4\n  v6: f32 = tofloat v0\n  v7: f32 = tofloat v2\n  v8: f32 = mul v5 v7
  v9: f32 = sub v8 v6\n  set count v4\n  out v9";
    assert_eq!(compare(&kernel("  state count: i32 = 0", body)), ("count: a counter".into(), 0.0));
}

#[test]
fn a_one_pole_is_linear() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get y\n  v3: f32 = input in
  v4: f32 = sub v3 v2\n  v5: f32 = fma v1 v4 v2\n  set y v5\n  out v5";
    let (reason, difference) = compare(&kernel("  state y: f32 = 1.0\n  param p\n  input in", body));
    assert_eq!(reason, "y: linear, with a loop-invariant factor");
    assert!(difference < 1e-6, "{difference}");
}

#[test]
fn a_slow_one_pole_keeps_its_gain() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get y\n  v3: f32 = input in
  v4: f32 = sub v3 v2\n  v5: f32 = fma v1 v4 v2\n  set y v5\n  out v5";
    let kernel = kernel("  state y: f32 = 0.0\n  param p\n  input in", body);
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let code = Jit::new(&module(&widened), OptLevel::Best).expect("it compiles");
    let mut rig = Rig::new(&widened);
    (rig.params[0], rig.inputs[0]) = (1e-5, vec![1.0; 64]);
    rig.call(&code, 0, Form::Setup, 0);
    (0..4000).for_each(|_| rig.call(&code, 0, Form::Steady, 64));
    let truth = 1.0 - (1.0 - 1e-5f64).powi(4000 * 64);
    let error = (f64::from(rig.outputs[0][63]) - truth).abs();
    assert!(error < 2e-4, "{error}");
}

#[test]
fn a_filter_of_second_order_is_linear_through_two_states() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get s1\n  v3: f32 = get s2
  v4: f32 = input in\n  v5: f32 = sub v4 v3\n  v6: f32 = mul v1 v2\n  v7: f32 = fma v1 v5 v6
  v8: f32 = fma v1 v7 v3\n  v9: f32 = add v7 v7\n  v10: f32 = sub v9 v2\n  v11: f32 = add v8 v8
  v12: f32 = sub v11 v3\n  set s1 v10\n  set s2 v12\n  out v8";
    let head = "  state s1: f32 = 0.25\n  state s2: f32 = -0.5\n  param p\n  input in";
    let (reason, difference) = compare(&kernel(head, body));
    assert_eq!(reason, "s1, s2: linear, in blocks of four frames");
    assert!(difference < 2e-6, "{difference}");
}

#[test]
fn a_filter_that_hears_two_signals_is_a_scan() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get s1\n  v3: f32 = get s2
  v4: f32 = input in\n  v5: f32 = sub v4 v3\n  v6: f32 = mul v1 v2\n  v7: f32 = fma v1 v5 v6
  v8: f32 = mul v4 v4\n  v9: f32 = fma v1 v7 v8\n  v10: f32 = sub v9 v2\n  v11: f32 = fma v1 v7 v3
  set s1 v10\n  set s2 v11\n  out v7";
    let head = "  state s1: f32 = 0.25\n  state s2: f32 = -0.5\n  param p\n  input in";
    let (reason, difference) = compare(&kernel(head, body));
    assert_eq!(reason, "s1, s2: linear, with a loop-invariant factor");
    assert!(difference < 2e-6, "{difference}");
}

/// A filter of second order for each side: low-pass, and half of its input with it.
fn both_sides() -> (&'static str, &'static str) {
    let head =
        "  state l1: f32 = 0.25\n  state l2: f32 = -0.5\n  state r1: f32 = 0.0\n  state r2: f32 = 0.125
  param p\n  input in\n  input other\n  output left";
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get l1\n  v3: f32 = get l2
  v4: f32 = input in\n  v5: f32 = sub v4 v3\n  v6: f32 = mul v1 v2\n  v7: f32 = fma v1 v5 v6
  v8: f32 = fma v1 v7 v3\n  v9: f32 = add v7 v7\n  v10: f32 = sub v9 v2\n  v11: f32 = add v8 v8
  v12: f32 = sub v11 v3\n  v13: f32 = const 0.5\n  v14: f32 = fma v13 v4 v8
  v15: f32 = get r1\n  v16: f32 = get r2\n  v17: f32 = input other\n  v18: f32 = sub v17 v16
  v19: f32 = mul v1 v15\n  v20: f32 = fma v1 v18 v19\n  v21: f32 = fma v1 v20 v16\n  v22: f32 = add v20 v20
  v23: f32 = sub v22 v15\n  v24: f32 = add v21 v21\n  v25: f32 = sub v24 v16\n  v26: f32 = fma v13 v17 v21
  set l1 v10\n  set l2 v12\n  set r1 v23\n  set r2 v25\n  out v14\n  out v26";
    (head, body)
}

#[test]
fn two_filters_side_by_side_have_their_states_in_one_vector() {
    let (head, body) = both_sides();
    let kernel = kernel(head, body);
    assert!(compare(&kernel).1 < 2e-6);
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let count = |op: fn(&Op) -> bool| widened.steady.insts.values().filter(|inst| op(&inst.op)).count();
    assert_eq!(count(|op| matches!(op, Op::LoopCarried)), 1, "{widened}");
    // The mix is part of the convolution: nothing is computed of the filter's inside.
    assert_eq!(count(|op| matches!(op, Op::Slide)), 6, "{widened}");
    assert_eq!(count(|op| matches!(op, Op::Get(_))), 0, "{widened}");
}

#[test]
fn a_slow_filter_in_blocks_keeps_its_gain() {
    // A low-pass at 15 Hz of 48 kHz, as in the prelude.
    let (g, k) = (1e-3f64, std::f64::consts::SQRT_2);
    let part = 1.0 / (1.0 + g * (g + k));
    let body = format!(
        "  v0: f32 = get s1\n  v1: f32 = get s2\n  v2: f32 = input in\n  v3: f32 = sub v2 v1
  v4: f32 = const {:?}\n  v5: f32 = mul v0 v4\n  v6: f32 = const {:?}\n  v7: f32 = fma v3 v6 v5
  v8: f32 = const {:?}\n  v9: f32 = fma v7 v8 v1\n  v10: f32 = add v7 v7\n  v11: f32 = sub v10 v0
  v12: f32 = const {:?}\n  v13: f32 = fma v7 v12 v1\n  set s1 v11\n  set s2 v13\n  out v9",
        part as f32,
        (part * g) as f32,
        g as f32,
        (2.0 * g) as f32
    );
    let kernel = kernel("  state s1: f32 = 0.0\n  state s2: f32 = 0.0\n  input in", &body);
    assert_eq!(compare(&kernel).0, "s1, s2: linear, in blocks of four frames");
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let code = Jit::new(&module(&widened), OptLevel::Best).expect("it compiles");
    let mut rig = Rig::new(&widened);
    rig.inputs[0] = vec![1.0; 64];
    rig.call(&code, 0, Form::Setup, 0);
    (0..4000).for_each(|_| rig.call(&code, 0, Form::Steady, 64));
    assert!((rig.outputs[0][63] - 1.0).abs() < 1e-5, "{}", rig.outputs[0][63]);
}

#[test]
fn a_peak_that_is_held_and_falls_is_bounded() {
    for (op, bound) in [("max", "v3"), ("min", "v3"), ("max", "v1")] {
        let body = format!(
            "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get y\n  v3: f32 = input in
  v4: f32 = sub v3 v2\n  v5: f32 = fma v1 v4 v2\n  v6: f32 = {op} {bound} v5\n  v7: f32 = sub v6 v4
  set y v6\n  out v7"
        );
        let (reason, difference) = compare(&kernel("  state y: f32 = 0.25\n  param p\n  input in", &body));
        assert_eq!(reason, "y: linear within a bound, with a loop-invariant factor");
        assert!(difference < 1e-6, "{op} {bound}: {difference}");
    }
}

#[test]
fn a_bounded_recurrence_with_a_negative_factor_is_the_tails() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = get y\n  v3: f32 = input in
  v4: f32 = mul v1 v2\n  v5: f32 = sub v3 v4\n  v6: f32 = max v3 v5\n  set y v6\n  out v6";
    let (reason, difference) = compare(&kernel("  state y: f32 = 0.25\n  param p\n  input in", body));
    assert_eq!(
        (reason.as_str(), difference),
        ("y: linear within a bound, with a loop-invariant factor", 0.0)
    );
}

#[test]
fn two_states_that_multiply_each_other_are_a_scalar_region() {
    let body = "  v0: f32 = get a\n  v1: f32 = get b\n  v2: f32 = mul v0 v1\n  v3: f32 = input in
  v4: f32 = fma v2 v3 v3\n  v5: f32 = sub v3 v0\n  set a v4\n  set b v5\n  out v4";
    let (reason, difference) =
        compare(&kernel("  state a: f32 = 0.5\n  state b: f32 = 0.25\n  input in", body));
    assert_eq!(
        reason,
        "a, b: a scalar region of 5 instructions (mul fma sub), as what depends on its state is multiplied by itself"
    );
    assert_eq!(difference, 0.0);
}

#[test]
fn an_exponential_envelope_is_a_geometric_series() {
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0\n  v2: f32 = const -0.05\n  v3: f32 = mul v1 v2
  v4: i32 = get count\n  v5: i32 = const 1\n  v6: i32 = add v4 v5\n  v7: i32 = const 1000000000
  v8: i32 = min v6 v7\n  v9: f32 = tofloat v8\n  v10: f32 = mul v9 v3\n  v11: f32 = exp2 v10
  v12: f32 = const 0.7\n  v13: f32 = mul v11 v12\n  set count v8\n  out v13";
    let (reason, difference) = compare(&kernel("  state count: i32 = 0\n  param p", body));
    assert_eq!(reason, "count: a counter\nv11: a geometric series");
    assert!(difference < 1e-6, "{difference}");
}

/// The sine or cosine of a line over a phase of two words, and the sine of another one over the same.
fn turning(whole: i32, part: i32, times: &str, angle: &str) -> String {
    let bound = part ^ i32::MIN;
    format!(
        "  v0: i32 = get low\n  v1: i32 = const {part}\n  v2: i32 = add v0 v1\n  v3: i32 = const {bound}
  v4: bool = lt v2 v3\n  v5: i32 = const -1\n  v6: i32 = const 0\n  v7: i32 = select v4 v5 v6
  v8: i32 = const {whole}\n  v9: i32 = sub v8 v7\n  v10: i32 = get phase\n  v11: i32 = add v10 v9
  v12: i32 = const 8\n  v13: i32 = ushr v11 v12\n  v14: f32 = tofloat v13\n  v15: f64 = const {times}
  v16: f32 = demote v15\n  v17: f32 = mul v14 v16\n  v18: f32 = const 0.3\n  v19: f32 = neg v18
  v20: f32 = {angle}\n  v21: f32 = sin_turn v20\n  v22: f32 = cos_turn v20\n  v23: f32 = const 0.25
  v24: f32 = mul v22 v23\n  v25: f32 = add v21 v24\n  set low v2\n  set phase v11\n  out v25"
    )
}

#[test]
fn sine_and_cosine_of_a_held_phase_turn_on_from_frame_to_frame() {
    let once = "0.000000059604644775390625";
    let more = ["0.000000178813934326171875", "-0.00000011920928955078125", "0.0000000596046440"];
    let angles = ["add v17 v19", "sub v19 v17", "neg v17"];
    for (whole, part) in [(0, 0x5555_5555), (-1, -5), (123_456_789, i32::MIN), (1 << 30, i32::MAX), (39, 1)] {
        for (phase, low) in [(7, i32::MIN), (-9, i32::MAX), (i32::MAX, -3)] {
            for (times, angle) in
                more.map(|times| (times, angles[0])).into_iter().chain(angles.map(|a| (once, a)))
            {
                let state = format!("  state low: i32 = {low}\n  state phase: i32 = {phase}");
                let kernel = kernel(&state, &turning(whole, part, times, angle));
                let (reason, difference) = compare(&kernel);
                let rotations =
                    "v21: a rotation (sin_turn of a phase)\nv22: a rotation (cos_turn of a phase)";
                assert_eq!(reason, format!("low: a phase\nphase: a phase\n{rotations}"), "{times} {angle}");
                // Three cycles as an f32 have fewer digits than one.
                assert!(difference < 4e-6, "{whole} {part} {times} {angle}: {difference}");
            }
        }
    }
}

#[test]
fn a_sine_of_part_of_a_cycle_is_none_that_turns_on() {
    let half = turning(123_456_789, 5, "0.0000000298023223876953125", "add v17 v19");
    let state = "  state low: i32 = 7\n  state phase: i32 = 7";
    assert_eq!(compare(&kernel(state, &half)), ("low: a phase\nphase: a phase".into(), 0.0));
}

#[test]
fn many_sines_turn_on_without_their_phases() {
    let sines = (0..6).map(|i| {
        let [get, step, sum, by, bits, float, scale, cycles, sine] = std::array::from_fn(|k| 10 * i + k);
        let sums = if i == 0 { format!("v9: f32 = neg v{sine}") } else { format!("v{}: f32 = add v{} v{sine}", 10 * i + 9, 10 * i - 1) };
        format!(
            "  v{get}: i32 = get s{i}\n  v{step}: i32 = const {}\n  v{sum}: i32 = add v{get} v{step}\n  v{by}: i32 = const 8
  v{bits}: i32 = ushr v{sum} v{by}\n  v{float}: f32 = tofloat v{bits}\n  v{scale}: f32 = const 0.000000059604644775390625
  v{cycles}: f32 = mul v{float} v{scale}\n  v{sine}: f32 = sin_turn v{cycles}\n  {sums}\n  set s{i} v{sum}",
            123_456_789 * (i as i32 + 1)
        )
    });
    let sets_last: Vec<String> = sines.collect();
    let lines = sets_last.iter().flat_map(|text| text.lines());
    let (sets, insts): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("  set"));
    let body = format!("{}\n{}\n  out v59", insts.join("\n"), sets.join("\n"));
    let state: Vec<String> = (0..6).map(|i| format!("  state s{i}: i32 = {i}")).collect();
    let kernel = kernel(&state.join("\n"), &body);
    let (reason, difference) = compare(&kernel);
    assert_eq!(reason.matches("a rotation").count(), 6, "{reason}");
    assert!(difference < 1e-5, "{difference}");
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let carried = sweep(&widened).steady.back_edges.len();
    assert_eq!(carried, 12, "a sine and a cosine of each");
}

#[test]
fn what_is_made_of_the_frames_index_rises_by_the_same_in_each_turn() {
    let body = "  v0: i32 = frame\n  v1: i32 = const 1815555291\n  v2: i32 = mul v0 v1\n  v3: i32 = get seed
  v4: i32 = add v2 v3\n  v5: i32 = const 77\n  v6: i32 = sub v4 v5\n  v7: f32 = tofloat v6\n  out v7";
    let kernel = kernel("  state seed: i32 = 123456789", body);
    assert_eq!(compare(&kernel), (String::new(), 0.0));
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let carries = widened.steady.insts.values().filter(|inst| inst.op == Op::LoopCarried).count();
    assert!(carries > 0 && widened.steady.insts.values().all(|inst| inst.op != Op::Frame));
}

#[test]
fn what_is_not_linear_is_a_scalar_region() {
    let body = "  v0: f32 = input in\n  v1: f32 = get y\n  v2: f32 = mul v1 v1\n  v3: f32 = sub v0 v2
  v4: f32 = const 0.5\n  v5: f32 = mul v3 v4\n  v6: f32 = abs v5\n  set y v5\n  out v6";
    let (reason, difference) = compare(&kernel("  state y: f32 = 0.25\n  input in", body));
    assert_eq!(
        reason,
        "y: a scalar region of 4 instructions (mul sub mul), as what depends on its state is multiplied by itself"
    );
    assert_eq!(difference, 0.0);
}

#[test]
fn prev_is_the_lanes_one_frame_later() {
    let body = "  v0: f32 = input in\n  v1: f32 = get last\n  v2: f32 = sub v0 v1\n  set last v0\n  out v2";
    assert_eq!(compare(&kernel("  state last: f32 = 0.0\n  input in", body)), (String::new(), 0.0));
}

#[test]
fn a_delay_of_four_frames_is_not_in_a_recurrence_and_a_shorter_one_is_the_tails() {
    let body = "  v0: f64 = param p\n  v1: f64 = const DELAY\n  v2: f64 = add v0 v1\n  v3: i32 = toint v2
  v4: f32 = read line v3\n  v5: f32 = input in\n  v6: f32 = const 0.5\n  v7: f32 = fma v4 v6 v5\n  write line v7\n  out v7";
    for delay in ["3.0", "4.0", "15.0", "16.0"] {
        let body = body.replace("DELAY", delay);
        let general = body.replace("f64 = param p", "f64 = const 0.3");
        let head = "  delay line: 16\n  input in\n  param p";
        let text = format!("kernel k\n{head}\n  output out\ngeneral\n{general}\nsteady\n{body}");
        let kernel: Kernel = text.parse().expect("it is well formed");
        assert_eq!(compare(&kernel), (String::new(), 0.0), "{delay}");
        let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
        assert!(widened.steady.only_if.is_some());
    }
}

#[test]
fn a_long_line_is_the_same_wherever_a_call_begins() {
    let body = "  v0: f64 = param p\n  v1: i32 = toint v0\n  v2: f32 = read line v1\n  v3: i32 = const 100
  v4: f32 = read line v3\n  v5: i32 = const 255\n  v6: f32 = read far v5\n  v7: f32 = input in
  v8: f32 = const 0.5\n  v9: f32 = fma v2 v8 v7\n  v10: f32 = fma v4 v8 v6\n  v11: f32 = fma v6 v8 v7
  write line v9\n  write far v11\n  out v10";
    let general = body.replace("f64 = param p", "f32 = param p");
    let text = format!(
        "kernel k\n  delay line: 256\n  delay far: 256\n  input in\n  param p\n  output out\ngeneral\n{general}\nsteady\n{body}"
    );
    let kernel: Kernel = text.parse().expect("it is well formed");
    assert_eq!(check::kernel(&kernel, 0), Vec::<String>::new());
    let (widened, _) = time_lanes(&kernel, &Target::host(), true).expect("it can be widened");
    let sound = |kernel: &Kernel, machine: bool, ago: f64, first: u32| {
        let module = module(kernel);
        let mut rig = Rig::new(kernel);
        (rig.frame, rig.params[0]) = (first, ago);
        rig.moving[0].fill(ago as f32);
        let code: Box<dyn Code> = match machine {
            true => Box::new(Jit::new(&module, OptLevel::Best).expect("it compiles")),
            false => Box::new(Interpreter::new(module.clone())),
        };
        let mut all = vec![];
        for (turn, frames) in [64, 64, 1, 60, 64, 3, 64, 17, 64, 64, 64, 8].repeat(2).into_iter().enumerate()
        {
            rig.inputs[0]
                .iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = ((i * 37 + turn * 11) % 64) as f32 / 64.0);
            rig.call(&*code, 0, Form::Setup, 0);
            rig.call(&*code, 0, if turn % 5 == 2 { Form::General } else { Form::Steady }, frames);
            all.extend_from_slice(&rig.outputs[0][..frames as usize]);
        }
        all
    };
    for (ago, first) in
        [(1.0, 0), (3.0, 190), (4.0, 193), (63.0, 255), (64.0, 32), (200.0, u32::MAX - 300), (255.0, 7)]
    {
        let expected = sound(&kernel, false, ago, first);
        assert!(expected.iter().any(|x| *x != 0.0));
        assert_eq!(sound(&kernel, true, ago, first), expected, "{ago} frames ago, from {first}");
        assert_eq!(sound(&widened, true, ago, first), expected, "in lanes, {ago} frames ago, from {first}");
    }
}

#[test]
fn a_delay_that_moves_and_may_be_short_keeps_the_kernel_scalar() {
    let body =
        "  v0: f32 = input in\n  v1: i32 = toint v0\n  v2: f32 = read line v1\n  write line v0\n  out v2";
    let kernel = kernel("  delay line: 16\n  input in", body);
    assert!(kernel.steady.insts.values().any(|inst| matches!(inst.op, Op::Read(_))));
    assert_eq!(
        time_lanes(&kernel, &Target::host(), true).err(),
        Some(
            "the delay of line may change every frame, and is not known to be at least four frames: keep it above them, \
             as in `max(time, 4 * dt)`"
                .into()
        )
    );
}

#[test]
fn left_and_right_at_once_keep_every_bit() {
    // Each side a one-pole into a one-pole that the other side's state moves; left has a counter of its own.
    let head =
        "  state l1: f32 = 0.125\n  state l2: f32 = 0.125\n  state r1: f32 = 0.125\n  state r2: f32 = 0.125
  state own: f32 = 0.125\n  param p\n  input in0\n  input in1\n  output left";
    let body = "  v0: f64 = param p\n  v1: f32 = demote v0
  v2: f32 = get l1\n  v3: f32 = input in0\n  v4: f32 = sub v3 v2\n  v5: f32 = fma v1 v4 v2
  v6: f32 = get l2\n  v7: f32 = get r1\n  v8: f32 = mul v7 v6\n  v9: f32 = fma v1 v8 v5
  v10: f32 = get r1\n  v11: f32 = input in1\n  v12: f32 = sub v11 v10\n  v13: f32 = fma v1 v12 v10
  v14: f32 = get r2\n  v15: f32 = get l1\n  v16: f32 = mul v15 v14\n  v17: f32 = fma v1 v16 v13
  v18: f32 = get own\n  v19: f32 = const 0.25\n  v20: f32 = add v18 v19\n  v21: f32 = add v20 v9
  v22: f32 = add v1 v17\n  set l1 v5\n  set l2 v9\n  set r1 v13\n  set r2 v17\n  set own v20\n  out v21\n  out v22";
    let kernel = kernel(head, body);
    let both = channel_lanes(&kernel).expect("left and right are alike");
    assert_eq!(check::kernel(&both, 0), Vec::<String>::new(), "{both}");
    assert!(both.steady.insts.values().filter(|inst| inst.op == Op::LoopCarried).count() == 2, "{both}");
    let (scalar, both) = (module(&kernel), module(&both));
    let expected = render(&scalar, &Interpreter::new(scalar.clone()), true);
    assert!(expected.iter().any(|x| *x != 0.0));
    assert_eq!(render(&both, &Interpreter::new(both.clone()), true), expected, "{both}");
    assert_eq!(
        render(&both, &Jit::new(&both, OptLevel::Best).expect("it compiles"), true),
        expected,
        "{both}"
    );
}
