//! What the machine that a program is made for can do, as far as it shows in the sound.

use crate::emit::isa::{self, Care};

/// The target of a compilation. Programs of one target give the same bits on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Multiply and add, rounded once, is one instruction: passes may make `fma`.
    pub fma: bool,
}

impl Target {
    /// What every machine can do.
    pub fn portable() -> Target {
        Target::default()
    }

    /// This machine.
    pub fn host() -> Target {
        let Ok(isa) = isa::host(Care::Best) else { return Target::portable() };
        let x86 = isa::has(&*isa, "has_fma") && isa::has(&*isa, "has_avx");
        Target { fma: x86 || cfg!(target_arch = "aarch64") }
    }
}
