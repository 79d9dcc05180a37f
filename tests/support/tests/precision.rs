//! How far lanes are from the exact result: on random graphs of oscillators, filters, delays and shapes, without feedback
//! through a shape, a kernel as it is planned is at most twice as far from the same kernel in f64 as its scalar form.

use mam_compiler::files::NoFiles;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Body, Imm, Kernel, Module, Op, Type, Value};
use mam_compiler::opt::{optimize, optimize_scalar};
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::Form;
use mam_testing::rig::Rig;
use proptest::prelude::*;

fn pitch() -> impl Strategy<Value = String> {
    (30f64..4000.0).prop_map(|f| format!("{f:.3}Hz"))
}

/// A cutoff: held, or moved by a slow sine.
fn cutoff() -> impl Strategy<Value = String> {
    let moved = (200f64..3000.0, 0.1f64..0.9, 0.2f64..9.0)
        .prop_map(|(f, depth, rate)| format!("{f:.2}Hz * (1 + {depth:.3} * sine({rate:.3}Hz))"));
    prop_oneof![3 => pitch(), 1 => moved]
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        pitch().prop_map(|f| format!("sine({f})")),
        pitch().prop_map(|f| format!("saw({f})")),
        pitch().prop_map(|f| format!("tri({f})")),
        (pitch(), pitch(), 0.1f64..2.0)
            .prop_map(|(f, g, i)| format!("sin(tau * phasor({f}) + {i:.3} * sine({g}))")),
        Just("noise()".to_string()),
        Just("in".to_string()),
    ]
}

/// A mono signal.
fn graph() -> impl Strategy<Value = String> {
    source().prop_recursive(5, 24, 2, |inner| {
        let q = 0.3f64..12.0;
        prop_oneof![
            3 => (inner.clone(), cutoff(), q.clone(), 0..4usize).prop_map(|(x, f, q, kind)| {
                let kind = ["lowpass", "highpass", "bandpass", "notch"][kind];
                format!("{kind}({x}, {f}, q: {q:.3})")
            }),
            1 => (inner.clone(), pitch(), q, -12f64..12.0)
                .prop_map(|(x, f, q, gain)| format!("peak({x}, {f}, gain: {gain:.2}dB, q: {q:.3})")),
            1 => (inner.clone(), cutoff()).prop_map(|(x, f)| format!("onepole({x}, {f})")),
            1 => inner.clone().prop_map(|x| format!("dcblock({x})")),
            1 => (inner.clone(), 1f64..30.0).prop_map(|(x, t)| format!("tap({x}, {t:.3}ms, max: 50ms)")),
            1 => (inner.clone(), 0.2f64..4.0).prop_map(|(x, k)| format!("tanh({k:.3} * {x})")),
            2 => (inner.clone(), inner.clone(), -1f64..1.0, -1f64..1.0)
                .prop_map(|(x, y, a, b)| format!("({a:.4} * {x} + {b:.4} * {y})")),
            1 => (inner.clone(), inner).prop_map(|(x, y)| format!("({x} * {y})")),
        ]
    })
}

/// The only kernel of a song; none where it has become several.
fn kernel(text: &str) -> Option<Kernel> {
    let mut kernels = kernels(text);
    let last = kernels.pop();
    if kernels.is_empty() { last } else { None }
}

/// The kernel of each call of a song, with the call's states, in the order of the calls.
fn kernels(text: &str) -> Vec<Kernel> {
    let mut sources = Sources::default();
    let id = sources.add("song.mam", text.to_string());
    let compilation = compile(&mut sources, id, &NoFiles, &Options::default());
    let problems = compilation.problems.into_sorted();
    assert!(compilation.program.is_some(), "{text}: {problems:?}");
    let lowered = compilation.stages.lowered;
    let mut kernels = vec![];
    for call in &lowered.calls {
        let mut kernel = lowered.module.kernels[call.kernel].clone();
        let states: Vec<_> = kernel.states.handles().collect();
        for (state, (_, init)) in states.into_iter().zip(&call.states) {
            kernel.states[state].init = *init;
        }
        kernels.push(kernel);
    }
    kernels
}

/// The kernel in f64: its steady body, with each f32 in it an f64. Signals and delay lines stay f32.
fn exact(kernel: &Kernel) -> Kernel {
    let mut exact = kernel.clone();
    for state in kernel.states.handles() {
        if let Imm::F32(x) = kernel.states[state].init {
            exact.states[state].init = Imm::F64(f64::from(x));
        }
    }
    let (old, mut new) = (&kernel.steady, Body::default());
    let mut map: Vec<Value> = vec![];
    for inst in old.insts.values() {
        let args: Vec<Value> = inst.args.as_slice().iter().map(|arg| map[arg.index()]).collect();
        let ty = if inst.ty == Type::F32 { Type::F64 } else { inst.ty };
        let value = match inst.op {
            Op::Const(Imm::F32(x)) => new.f64(f64::from(x)),
            Op::Demote | Op::Promote => args[0],
            Op::Input(_) | Op::Read(_) | Op::Table(_) => {
                let single = new.add(inst.op, Type::F32, &args);
                new.op(Op::Promote, &[single])
            }
            Op::Bits => unreachable!("no source here is made of bits"),
            op => new.add(op, ty, &args),
        };
        map.push(value);
    }
    let mut single = |value: &Value| new.op(Op::Demote, &[map[value.index()]]);
    let outs = old.outs.iter().map(&mut single).collect();
    let writes = old.writes.iter().map(|(line, value)| (*line, single(value))).collect();
    new.sets = old.sets.iter().map(|(state, value)| (*state, map[value.index()])).collect();
    (new.outs, new.writes) = (outs, writes);
    (exact.general, exact.steady) = (new.clone(), new);
    exact
}

/// After all passes, or all but the one that chooses lanes.
fn planned(kernel: &Kernel, lanes: bool) -> Kernel {
    if !lanes {
        return optimize_scalar(kernel, usize::MAX, &Target::host());
    }
    let mut planned = kernel.clone();
    optimize(&mut planned, usize::MAX, &Target::host());
    planned
}

fn render(kernel: Kernel, param: f64) -> Vec<f32> {
    let mut module = Module::default();
    let handle = module.kernels.add(kernel);
    let mut rig = Rig::new(&module.kernels[handle]);
    rig.params.fill(param);
    let code = Interpreter::new(module);
    let mut sound = vec![];
    let mut noise = 1u32;
    for _ in 0..40 {
        for x in rig.inputs.iter_mut().flatten() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *x = noise as i32 as f32 / 4_294_967_296.0;
        }
        rig.call(&code, 0, Form::Setup, 0);
        rig.call(&code, 0, Form::Steady, 64);
        sound.extend_from_slice(&rig.outputs[0]);
    }
    sound
}

/// How far a kernel is from itself in f64, of the greatest value: its scalar form, and as it is planned. `param` is the value of
/// its parameters.
fn errors(kernel: &Kernel, param: f64) -> [f64; 2] {
    let kernels = [exact(kernel), planned(kernel, false), planned(kernel, true)];
    let [truth, scalar, lanes] = kernels.map(|kernel| render(kernel, param));
    let peak = truth.iter().fold(1.0, |most: f32, x| most.max(x.abs()));
    assert!(peak.is_finite(), "it has to be stable");
    let far = |sound: &[f32]| {
        let errors = sound.iter().zip(&truth).map(|(x, y)| f64::from((x - y).abs()));
        errors.fold(0.0, f64::max) / f64::from(peak)
    };
    [far(&scalar), far(&lanes)]
}

/// What is written as difference equations, near the circle and in chains, where each filter hears the roundings of those
/// before it.
#[test]
fn chains_of_difference_equations_are_as_near_to_f64_as_the_scalar_form() {
    const BIQUAD: &str = "def biquad(x, f: Hz, gain, q) {
  a   = sqrt(gain)
  w   = tau * f * dt
  al  = sin(w) / (2 * q)
  n   = 1 / (1 + al / a)
  out = n * ((1 + al * a) * x - 2 * cos(w) * prev(x) + (1 - al * a) * prev(prev(x))) +
    n * 2 * cos(w) * prev(out) - n * (1 - al / a) * prev(prev(out))
}
";
    for (count, lowest) in [(2, 80), (4, 300), (8, 80), (16, 80)] {
        let text = format!(
            "{BIQUAD}out = chain x = in.left, i in 0..{} {{ biquad(x, {lowest}Hz * 2 ^ (i / 2), if i mod 2 == 0 then 1.5 else 0.7, 2) }}\n",
            count - 1
        );
        let [scalar, lanes] = errors(&kernel(&text).expect("one kernel"), 0.0);
        assert!(lanes <= 2.0 * scalar + 1e-6, "{count} from {lowest} Hz: {lanes} instead of {scalar}");
    }
}

/// Filters as textbooks write them: each is a `def` of a cutoff and a pole's radius.
const FORMS: [(&str, &str); 9] = [
    ("one-pole", "out = (1 - r) * x + r * prev(out)"),
    ("one-pole, prev", "out = k * x + prev(out) - k * prev(out)"),
    (
        "direct form I",
        "out = w * w * (x + 2 * prev(x) + prev(prev(x))) + c * prev(out) - r * r * prev(prev(out))",
    ),
    (
        "direct form II",
        "v = x + c * prev(v) - r * r * prev(prev(v))
  out = w * w * (v + 2 * prev(v) + prev(prev(v)))",
    ),
    (
        "transposed direct form II",
        "out = w * w * x + prev(one)
  one = 2 * w * w * x + c * out + prev(other)
  other = w * w * x - r * r * out",
    ),
    (
        "third order",
        "out = w * w * w * x + (c + r) * prev(out) - (r * r + c * r) * prev(prev(out)) + r * r * r * prev(prev(prev(out)))",
    ),
    (
        "state variable",
        "low = prev(low) + k * prev(band)
  band = prev(band) + k * (x - low - 0.4 * prev(band))
  out = low",
    ),
    (
        "coupled",
        "out = r * (cos(w) * prev(out) - sin(w) * prev(q)) + w * x
  q = r * (sin(w) * prev(out) + cos(w) * prev(q))",
    ),
    (
        "two one-poles",
        "one = prev(one) + k * (x - prev(one))
  out = prev(out) + k * (one - prev(out))",
    ),
];

/// Each at cutoffs from the lowest to the highest, in chains, with cutoffs that the compiler knows and that it does not.
#[test]
fn textbook_filters_are_as_near_to_f64_as_the_scalar_form() {
    let mut far = vec![];
    let chains = [(1, "1 - w / 8"), (3, "1 - w / 8"), (1, "0.9995")];
    let cutoffs = [20, 300, 4000, 23500];
    for ((name, form), (count, radius)) in FORMS.iter().flat_map(|form| chains.map(|chain| (form, chain))) {
        for (cutoff, known) in cutoffs.iter().flat_map(|cutoff| [(*cutoff, true), (*cutoff, false)]) {
            let song = format!(
                "def form(x, f: Hz) {{
  w = tau * f * dt
  r = {radius}
  c = 2 * r * cos(w)
  k = w / 4
  {form}
}}
effect of {{
  param f = 80Hz in 20Hz..23.9kHz
  out = chain x = in, i in 0..{} {{ form(x, {}) }}
}}
out = in |> of()
",
                count - 1,
                if known { format!("{cutoff}Hz") } else { "f".into() }
            );
            let [scalar, lanes] = errors(&kernels(&song).pop().expect("an effect"), f64::from(cutoff));
            if lanes > 2.0 * scalar + 1e-6 {
                far.push(format!(
                    "{count} of {name}, {radius}, {cutoff} Hz ({known}): {lanes:e} instead of {scalar:e}"
                ));
            }
        }
    }
    assert!(far.is_empty(), "{far:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lanes_are_as_near_to_f64_as_the_scalar_form(graph in graph()) {
        let text = format!("out = {graph}\n");
        let Some(kernel) = kernel(&text) else { return Ok(()) };
        let [scalar, lanes] = errors(&kernel, 0.0);
        prop_assert!(lanes <= 2.0 * scalar + 1e-6, "{lanes} instead of {scalar}:\n{text}");
    }
}
