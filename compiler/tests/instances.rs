//! Instance lanes: four calls of a kernel as one have the bits that they have by themselves.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::Jit;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Kernel, Module, Scalar, check};
use mam_compiler::opt::instances::{LANES, Shape, merged, obstacle, pack, places};
use mam_compiler::opt::legalize;
use mam_grammar::Handle;
use mam_runtime::{Code, Form};
use mam_testing::agree::pattern;
use mam_testing::gen_ir::{self, Choices};
use mam_testing::rig::Rig;
use proptest::prelude::*;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

fn module(kernel: &Kernel) -> Module {
    let mut module = Module::default();
    module.kernels.add(kernel.clone());
    module
}

fn f32_pattern(x: f32) -> u64 {
    pattern(u64::from(x.to_bits()), Scalar::F32)
}

/// Four calls, one by one or packed, on memories of their own.
struct Calls<'a> {
    kernel: &'a Kernel,
    shape: &'a Shape,
    packed: &'a Kernel,
    choices: Choices<'a>,
}

/// What each call is given.
struct Given {
    lanes: [Rig; LANES],
    form: Form,
    frames: u32,
}

impl Calls<'_> {
    /// What the lanes are given next: where they share something, the same.
    fn given(&mut self, lanes: &mut [Rig; LANES]) -> (Form, u32) {
        let choices = &mut self.choices;
        for lane in 0..LANES {
            let first = lanes[0].clone();
            let rig = &mut lanes[lane];
            let shared = |same: bool| same && lane > 0;
            for (i, signal) in rig.inputs.iter_mut().enumerate() {
                signal.iter_mut().for_each(|x| *x = if choices.is_empty() { 0.5 } else { choices.f32() });
                if shared(self.shape.inputs[i]) {
                    signal.clone_from(&first.inputs[i]);
                }
            }
            for (i, signal) in rig.moving.iter_mut().enumerate() {
                signal.iter_mut().for_each(|x| *x = if choices.is_empty() { 0.25 } else { choices.f32() });
                rig.params[i] = choices.f64();
                if shared(self.shape.params[i]) {
                    signal.clone_from(&first.moving[i]);
                    rig.params[i] = first.params[i];
                }
            }
            for (i, port) in rig.ports.iter_mut().enumerate() {
                *port = gen_ir::port(choices);
                if shared(self.shape.ports[i]) {
                    *port = first.ports[i];
                }
            }
        }
        let (frames, general) = (1 + choices.below(64) as u32, choices.below(2) == 0);
        (if general { Form::General } else { Form::Steady }, frames)
    }

    /// The lanes one by one, and what they were given.
    fn single(&mut self, code: &dyn Code) -> (Vec<Given>, Vec<u64>) {
        let mut lanes: [Rig; LANES] = std::array::from_fn(|_| Rig::new(self.kernel));
        let (mut all, mut seen) = (vec![], vec![]);
        for _ in 0..4 {
            let (form, frames) = self.given(&mut lanes);
            all.push(Given { lanes: lanes.clone(), form, frames });
            for rig in &mut lanes {
                if form == Form::Steady {
                    rig.call(code, 0, Form::Setup, 0);
                }
                rig.call(code, 0, form, frames);
            }
            seen.extend(self.outputs(&lanes, frames));
        }
        for rig in &lanes {
            for (state, slot) in self.kernel.states.iter() {
                let scalar = slot.init.scalar();
                seen.push(pattern(rig.state(state, 0, scalar), scalar));
            }
        }
        seen.extend(lanes.iter().flat_map(Rig::delays).flatten().map(|x| f32_pattern(*x)));
        (all, seen)
    }

    /// What is heard of four calls: 0 of a voice that sleeps.
    fn outputs(&self, lanes: &[Rig; LANES], frames: u32) -> Vec<u64> {
        let heard = |rig: &Rig, output: usize, frame: usize| {
            let sleeps = self.kernel.voices.iter().any(|voice| rig.ports[voice.port.index()].active == 0);
            if sleeps { 0.0 } else { rig.outputs[output][frame] }
        };
        let mut all = vec![];
        for output in 0..self.kernel.outputs.len() {
            for frame in 0..frames as usize {
                let [a, b, c, d] = std::array::from_fn(|lane| heard(&lanes[lane], output, frame));
                if self.shape.adds {
                    let flush = |x: f32| if x.is_subnormal() { 0f32.copysign(x) } else { x };
                    all.push(f32_pattern(flush(flush(a + b) + flush(c + d))));
                } else {
                    all.extend([a, b, c, d].map(f32_pattern));
                }
            }
        }
        all
    }

    fn packed(&self, code: &dyn Code, given: &[Given]) -> Vec<u64> {
        let (mut rig, mut seen) = (Rig::new(self.packed), vec![]);
        let table = |same: &[bool]| {
            merged([0, 1, 2, 3].map(|lane| vec![lane; same.len()]).each_ref().map(Vec::as_slice), same)
        };
        for Given { lanes, form, frames } in given {
            let index = |same: &[bool], place: usize| {
                (0..same.len())
                    .find(|&i| (0..LANES).any(|lane| places(same, lane)[i] == place))
                    .expect("an entry")
            };
            for (place, lane) in table(&self.shape.inputs).into_iter().enumerate() {
                rig.inputs[place].clone_from(&lanes[lane].inputs[index(&self.shape.inputs, place)]);
            }
            for (place, lane) in table(&self.shape.params).into_iter().enumerate() {
                let i = index(&self.shape.params, place);
                rig.moving[place].clone_from(&lanes[lane].moving[i]);
                rig.params[place] = lanes[lane].params[i];
            }
            for (place, lane) in table(&self.shape.ports).into_iter().enumerate() {
                rig.ports[place] = lanes[lane].ports[index(&self.shape.ports, place)];
            }
            if *form == Form::Steady {
                rig.call(code, 0, Form::Setup, 0);
            }
            rig.call(code, 0, *form, *frames);
            let each = self.kernel.outputs.len();
            for output in 0..each {
                for frame in 0..*frames as usize {
                    if self.shape.adds {
                        seen.push(f32_pattern(rig.outputs[output][frame]));
                    } else {
                        seen.extend(
                            (0..LANES).map(|lane| f32_pattern(rig.outputs[lane * each + output][frame])),
                        );
                    }
                }
            }
        }
        // An f64 is four states, all else one in four lanes.
        let mut slots: Vec<Vec<(usize, usize)>> = vec![];
        let mut next = 0;
        for state in self.kernel.states.values() {
            let each = state.init.scalar() == Scalar::F64;
            slots.push((0..LANES).map(|lane| if each { (next + lane, 0) } else { (next, lane) }).collect());
            next += if each { LANES } else { 1 };
        }
        for lane in 0..LANES {
            for (slot, state) in slots.iter().zip(self.kernel.states.values()) {
                let scalar = state.init.scalar();
                seen.push(pattern(rig.state(Handle::new(slot[lane].0), slot[lane].1, scalar), scalar));
            }
        }
        seen.extend(rig.delays().flatten().map(|x| f32_pattern(*x)));
        seen
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn four_calls_as_one_keep_every_bit(kernel in bytes(1500), shape in any::<[bool; 16]>(), run in bytes(3000)) {
        let kernel = gen_ir::plain(&mut Choices(&kernel));
        prop_assert_eq!(obstacle(&kernel), None);
        let some = |from: usize, count: usize| shape[from..from + count].to_vec();
        let mut shape = Shape {
            params: some(0, kernel.params.len()),
            inputs: some(4, kernel.inputs.len()),
            ports: some(8, kernel.ports.len()),
            adds: shape[12],
        };
        for voice in &kernel.voices {
            shape.ports[voice.port.index()] = false;
        }
        let kernel = legalize(&kernel);
        let packed = pack(&kernel, &shape);
        prop_assert_eq!(check::kernel(&packed, 0), Vec::<String>::new(), "{}\n{}", kernel, packed);
        let mut calls = Calls { kernel: &kernel, shape: &shape, packed: &packed, choices: Choices(&run) };
        let (given, expected) = calls.single(&Interpreter::new(module(&kernel)));
        let seen = calls.packed(&Interpreter::new(module(&packed)), &given);
        prop_assert_eq!(&seen, &expected, "{}\n{}", kernel, packed);
        let jit = Jit::new(&module(&packed), OptLevel::Best).map_err(TestCaseError::fail)?;
        prop_assert_eq!(calls.packed(&jit, &given), expected, "{}", packed);
    }
}
