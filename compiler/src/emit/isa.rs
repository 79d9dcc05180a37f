//! The code generator's settings.

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use std::sync::LazyLock;

/// The code generator for this machine, with all its features. Which ops a kernel holds is settled before, by
/// [`crate::target::Target`]; the features only choose encodings.
///
/// # Errors
/// Where the code generator does not know this machine.
pub fn host() -> Result<OwnedTargetIsa, String> {
    static HOST: LazyLock<Result<OwnedTargetIsa, String>> = LazyLock::new(|| with("backtracking"));
    HOST.clone()
}

/// The same for code that runs seldom: it is made in a fraction of the time, and is slower.
///
/// # Errors
/// As [`host`].
pub fn quick() -> Result<OwnedTargetIsa, String> {
    static QUICK: LazyLock<Result<OwnedTargetIsa, String>> = LazyLock::new(|| with("single_pass"));
    QUICK.clone()
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
    cranelift_native::builder()?.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
}
