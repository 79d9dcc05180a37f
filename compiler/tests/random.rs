//! What holds of every kernel, on random ones.

use mam_compiler::OptLevel;
use mam_compiler::emit::native::{self, Jit, Settings};
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Module, check};
use mam_compiler::opt::{self, vectorize};
use mam_compiler::target::{Machine, Target};
use mam_grammar::Handle;
use mam_runtime::Form;
use mam_testing::agree;
use mam_testing::gen_dots;
use mam_testing::gen_ir::{self, Choices};
use mam_testing::gen_rows;
use mam_testing::gen_sums;
use mam_testing::gen_triggers;
use mam_testing::rig::Rig;
use proptest::prelude::*;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_generator_makes_kernels_that_the_checker_passes(kernel in bytes(1500)) {
        let module = gen_ir::module(&mut Choices(&kernel));
        prop_assert_eq!(check::module(&module), Vec::<String>::new());
    }

    #[test]
    fn what_is_printed_is_read_back(kernel in bytes(1500)) {
        let module = gen_ir::module(&mut Choices(&kernel));
        let text = module.to_string();
        let read: Module = text.parse().map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(&read.kernels, &module.kernels, "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn machine_code_gives_the_interpreters_bits(kernel in bytes(4000), run in bytes(1500)) {
        let module = gen_ir::module(&mut Choices(&kernel));
        let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
        let module = agree::legalized(&module);
        for level in [OptLevel::Quick, OptLevel::Best] {
            let jit = Jit::new(&module, level).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&agree::run(&module, &jit, Choices(&run)), &expected, "{:?}\n{}", level, module);
        }
    }

    /// Loop plans for other machines, down to one with hardly any registers, are run on this one.
    #[test]
    fn plans_for_any_machine_give_the_interpreters_bits(kernel in bytes(4000), run in bytes(1500)) {
        let module = gen_ir::module(&mut Choices(&kernel));
        let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
        let module = agree::legalized(&module);
        let tiny = Machine { vector_registers: 6, general_registers: 8, ..Machine::X86_64 };
        for machine in [Machine::X86_64, Machine::AARCH64, tiny] {
            let settings = Settings { machine, ..Settings::host(OptLevel::Best) };
            let compiled = module.kernels.values().map(|kernel| native::compile(&module, kernel, &settings));
            let compiled: Vec<_> = compiled.collect::<Result<_, _>>().map_err(TestCaseError::fail)?;
            let jit = Jit::link(&module, &compiled.iter().collect::<Vec<_>>()).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&agree::run(&module, &jit, Choices(&run)), &expected, "{:?}\n{}", machine, module);
        }
    }

    #[test]
    fn passes_keep_every_bit(kernel in bytes(1500), run in bytes(1500)) {
        let mut module = gen_ir::module(&mut Choices(&kernel));
        let mut seen = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
        for pass in opt::passes().filter(|pass| pass.exact) {
            let before = module.clone();
            let handle = Handle::new(0);
            module.kernels[handle] = pass.run(&module.kernels[handle], &Target::host());
            prop_assert_eq!(check::module(&module), Vec::<String>::new(), "{}", pass.name);
            let now = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
            // Dead code drops states that nothing reads: of them only outputs are compared.
            let outputs = seen.len().min(now.len()) - memory(&module);
            prop_assert_eq!(&now[..outputs], &seen[..outputs], "{}\n{}\n{}", pass.name, before, module);
            seen = now;
        }
    }

    #[test]
    fn the_trace_ends_with_what_optimising_makes(kernel in bytes(1500)) {
        let module = gen_ir::module(&mut Choices(&kernel));
        let (kernel, tables) = (&module.kernels[Handle::new(0)], module.tables.len());
        for target in [Target::portable(), Target::host()] {
            let mut optimised = kernel.clone();
            opt::optimize(&mut optimised, tables, &target);
            let (_, last) = opt::trace(kernel, tables, &target).pop().expect("there are passes");
            prop_assert_eq!(&last, &optimised, "{}", kernel);
        }
    }

    #[test]
    fn lanes_keep_every_bit(kernel in bytes(1500), run in bytes(1500)) {
        let mut module = gen_ir::module(&mut Choices(&kernel));
        let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
        let handle = Handle::new(0);
        if let Ok((widened, _)) = vectorize::time_lanes(&module.kernels[handle], &Target::host(), false) {
            let before = module.clone();
            module.kernels[handle] = widened;
            prop_assert_eq!(check::module(&module), Vec::<String>::new());
            let now = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
            prop_assert_eq!(&now, &expected, "{}\n{}", before, module);
        }
    }

    #[test]
    fn pairs_keep_every_bit(kernel in bytes(1500), run in bytes(1500)) {
        let mut module = gen_ir::module(&mut Choices(&kernel));
        let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
        let handle = Handle::new(0);
        if let Some(paired) = vectorize::channel_lanes(&module.kernels[handle]) {
            let before = module.clone();
            module.kernels[handle] = paired;
            prop_assert_eq!(check::module(&module), Vec::<String>::new(), "{}\n{}", before, module);
            let now = agree::run(&module, &Interpreter::new(module.clone()), Choices(&run));
            prop_assert_eq!(now, expected, "{}\n{}", before, module);
        }
    }

    #[test]
    fn rows_of_filters_keep_every_bit(rows in bytes(120), run in bytes(1500)) {
        lanes_agree(&gen_rows::module(&mut Choices(&rows)), &run)?;
    }

    #[test]
    fn sums_of_what_is_alike_keep_every_bit(sums in bytes(300), run in bytes(1500)) {
        lanes_agree(&gen_sums::module(&mut Choices(&sums)), &run)?;
    }

    #[test]
    fn triggers_and_taps_keep_every_bit(triggers in bytes(200), run in bytes(1500)) {
        lanes_agree(&gen_triggers::module(&mut Choices(&triggers)), &run)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// As they are, and with four terms in a vector.
    #[test]
    fn dot_products_keep_every_bit(dots in bytes(400), run in bytes(1500)) {
        let module = gen_dots::module(&mut Choices(&dots));
        lanes_agree(&module, &run)?;
        lanes_agree(&in_vectors(&module), &run)?;
    }

    /// A sum in another order is off by a rounding of its terms for each addition at most.
    #[test]
    fn dot_products_are_the_sums_that_were_written(dots in bytes(400)) {
        let written = gen_dots::module(&mut Choices(&dots));
        let vectors = in_vectors(&written);
        let [expected, seen] = [&written, &vectors].map(|module| {
            let code = Interpreter::new(module.clone());
            // Each on its own: another number that is fed back would be another index.
            let one_frame = |x: i32| {
                let mut rig = Rig::new(&module.kernels[Handle::new(0)]);
                rig.inputs[0][0] = x as f32 / 32.0;
                rig.call(&code, 0, Form::General, 1);
                [rig.outputs[0][0], rig.outputs[1][0]]
            };
            (-8..40).map(one_frame).collect::<Vec<_>>()
        });
        for (expected, seen) in expected.iter().flatten().zip(seen.iter().flatten()) {
            prop_assert!((expected - seen).abs() <= 20.0 * 20.0 * f32::EPSILON, "{expected} {seen}\n{vectors}");
        }
    }
}

/// A module as `reassociate` leaves it.
fn in_vectors(module: &Module) -> Module {
    let pass = opt::passes().find(|pass| pass.name == "reassociate").expect("there is one");
    let kernels = module.kernels.values().map(|kernel| pass.run(kernel, &Target::host())).collect();
    Module { kernels, tables: module.tables.clone() }
}

/// In each kind of lanes that keeps every bit a kernel gives the scalar form's; in all kinds the interpreter's bits are the
/// machine's.
fn lanes_agree(module: &Module, run: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(check::module(module), Vec::<String>::new(), "{}", module);
    let expected = agree::run(module, &Interpreter::new(module.clone()), Choices(run));
    let kernel = &module.kernels[Handle::new(0)];
    let widened =
        |linear| vectorize::time_lanes(kernel, &Target::host(), linear).ok().map(|(widened, _)| widened);
    // Blocks and scans change last bits; but the interpreter's are the machine's.
    for (way, exact) in
        [(vectorize::channel_lanes(kernel), true), (widened(false), true), (widened(true), false)]
    {
        let Some(way) = way else { continue };
        let changed = Module { kernels: [way].into_iter().collect(), tables: module.tables.clone() };
        prop_assert_eq!(check::module(&changed), Vec::<String>::new(), "{}\n{}", module, changed);
        let now = agree::run(&changed, &Interpreter::new(changed.clone()), Choices(run));
        if exact {
            prop_assert_eq!(&now, &expected, "{}\n{}", module, changed);
        }
        let changed = agree::legalized(&changed);
        let jit = Jit::new(&changed, OptLevel::Best).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&agree::run(&changed, &jit, Choices(run)), &now, "{}\n{}", module, changed);
    }
    Ok(())
}

/// How many words of memory an outcome ends with.
fn memory(module: &Module) -> usize {
    let kernel = &module.kernels[Handle::new(0)];
    let states: usize = kernel.states.values().map(|state| state.lanes as usize).sum();
    states + kernel.delays.values().map(|line| line.frames as usize).sum::<usize>()
}
