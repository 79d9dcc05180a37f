//! The code generator's settings.

use super::Abi;
use crate::target::{OptLevel, Target};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use std::sync::LazyLock;

/// What encodings depend on of the machine that code is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    /// It is an x86-64.
    pub(super) x64: bool,
    /// A vector in memory may be any instruction's operand wherever it begins. Not so on an x86-64 without AVX: there the
    /// code generator knows it of all instructions but comparisons.
    pub(super) unaligned_operands: bool,
    /// Constant tables are linked with the code, and near it.
    pub(super) near_tables: bool,
}

impl Encoding {
    pub(super) fn for_isa(isa: &dyn TargetIsa, abi: Abi) -> Encoding {
        let x64 = isa.name() == "x64";
        let near_tables = abi == Abi::System;
        Encoding { x64, unaligned_operands: !x64 || has(isa, "has_avx"), near_tables }
    }
}

/// Whether the code generator may use a feature of the machine.
fn has(isa: &dyn TargetIsa, feature: &str) -> bool {
    isa.isa_flags().iter().any(|flag| flag.name == feature && flag.as_bool() == Some(true))
}

impl Target {
    /// This machine, as the code generator knows it.
    pub fn host() -> Target {
        // To multiply and add in one instruction, rounded once, with operands of any lanes.
        let x86 = |isa: &dyn TargetIsa| has(isa, "has_fma") && has(isa, "has_avx");
        let fma = host(OptLevel::Best).is_ok_and(|isa| x86(&*isa) || cfg!(target_arch = "aarch64"));
        Target { fma }
    }
}

/// The code generator for this machine, with all its features. Which ops a kernel holds is settled before, by
/// [`Target`]; the features only choose encodings.
///
/// # Errors
/// Where the code generator does not know this machine, or it is an x86-64 without SSE 4.1 (from before 2008).
pub(super) fn host(level: OptLevel) -> Result<OwnedTargetIsa, String> {
    type Isa = LazyLock<Result<OwnedTargetIsa, String>>;
    static QUICK: Isa = LazyLock::new(|| with("single_pass"));
    static BEST: Isa = LazyLock::new(|| with("backtracking"));
    match level {
        OptLevel::Quick => QUICK.clone(),
        OptLevel::Best => BEST.clone(),
    }
}

fn with(regalloc: &str) -> Result<OwnedTargetIsa, String> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        // What its optimiser finds our passes have found; and it would compute each value as late as it can, against
        // our order.
        ("opt_level", "none"),
        ("regalloc_algorithm", regalloc),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("enable_verifier", verifier),
    ] {
        flags.set(name, value).map_err(|e| e.to_string())?;
    }
    let isa = cranelift_native::builder()?.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())?;
    match isa.name() == "x64" && !has(&*isa, "has_sse41") {
        true => Err("this processor has no SSE 4.1".into()),
        false => Ok(isa),
    }
}
