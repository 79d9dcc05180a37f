//! The WebAssembly back end gives the interpreter's bits on random kernels (`ops.rs` has each op), and machine code's for the songs
//! that come with mam.

use mam_compiler::emit::wasm::{Subnormals, emit};
use mam_compiler::files::NoFiles;
use mam_compiler::interp::Interpreter;
use mam_compiler::ir::{Module, check};
use mam_compiler::opt::optimize_module;
use mam_compiler::target::Target;
use mam_compiler::{Options, compile};
use mam_grammar::Sources;
use mam_runtime::image;
use mam_testing::agree;
use mam_testing::gen_dots;
use mam_testing::gen_ir::{self, Choices};
use mam_testing::gen_rows;
use mam_testing::gen_triggers;
use mam_testing::parallel;
use mam_testing::render::{bits, render_program, songs};
use mam_testing::wasm::Wasm;
use proptest::prelude::*;
use std::sync::Arc;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

/// WebAssembly and interpreter agree on a module: as it is, and after all passes.
fn agrees(module: &Module, run: &[u8]) -> Result<(), TestCaseError> {
    let mut optimised = module.clone();
    optimize_module(&mut optimised, &Target::portable());
    for module in [agree::legalized(module), optimised] {
        prop_assert_eq!(check::module(&module), Vec::<String>::new());
        let expected = agree::run(&module, &Interpreter::new(module.clone()), Choices(run));
        let wasm = Wasm::new(&module, Subnormals::FlushAll).map_err(TestCaseError::fail)?;
        prop_assert_eq!(agree::run(&module, &wasm, Choices(run)), expected, "{}", module);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: mam_testing::random_cases(64), ..ProptestConfig::default() })]

    #[test]
    fn random_kernels_give_the_interpreters_bits(kernel in bytes(4000), run in bytes(1500)) {
        agrees(&gen_ir::module(&mut Choices(&kernel)), &run)?;
    }

    #[test]
    fn rows_of_filters_give_the_interpreters_bits(rows in bytes(120), run in bytes(1500)) {
        agrees(&gen_rows::module(&mut Choices(&rows)), &run)?;
    }

    #[test]
    fn triggers_and_taps_give_the_interpreters_bits(triggers in bytes(200), run in bytes(1500)) {
        agrees(&gen_triggers::module(&mut Choices(&triggers)), &run)?;
    }

    #[test]
    fn dot_products_give_the_interpreters_bits(dots in bytes(400), run in bytes(1500)) {
        agrees(&gen_dots::module(&mut Choices(&dots)), &run)?;
    }

    #[test]
    fn the_same_module_gives_the_same_bytes(kernel in bytes(1500)) {
        let module = agree::legalized(&gen_ir::module(&mut Choices(&kernel)));
        prop_assert_eq!(emit(&module, Subnormals::FlushStored), emit(&module, Subnormals::FlushStored));
    }
}

/// Frames of each song that are compared.
const FRAMES: u64 = 1_600;

/// What a browser plays: the program's binary form is read again, and of subnormals what stays is flushed.
#[test]
fn songs_give_the_samples_of_machine_code() {
    let compared = parallel::map(&songs(), |(name, text)| {
        let mut sources = Sources::default();
        let song = sources.add(name.as_str(), text.as_str());
        let options = Options { target: Target::portable(), ..Options::default() };
        let compilation = compile(&mut sources, song, &NoFiles, &options);
        // Some use files, which are not here.
        let Some(program) = compilation.program else { return false };
        let wasm = Wasm::new(&compilation.stages.optimised, Subnormals::FlushStored).expect("it is encoded");
        let emitted = image::from_bytes(&image::to_bytes(&program), Arc::new(wasm)).expect("it was written");
        let [expected, seen] =
            [program, emitted].map(|program| render_program(Arc::new(program), Some(FRAMES)).channels);
        assert!(expected.iter().flatten().any(|x| *x != 0.0) || name.contains("silen"), "{name} is silent");
        assert!(bits(&seen) == bits(&expected), "{name} sounds different");
        true
    });
    let compared = compared.into_iter().filter(|compared| *compared).count();
    assert!(compared > 10, "{compared}");
}
