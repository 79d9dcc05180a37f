//! The machine that a program is made for, and how much time its code may take to be made.

/// The target of a compilation: what of the machine shows in the sound. Programs of one target give the same bits on every
/// machine.
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

    /// This machine; without the feature `jit`, whose code generator knows it, [`Target::portable`].
    pub fn host() -> Target {
        #[cfg(feature = "jit")]
        let fma = crate::emit::native::has_fma();
        #[cfg(not(feature = "jit"))]
        let fma = false;
        Target { fma }
    }
}

/// How much time the code generator takes. The code computes the same, to the bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// Code that is made in a third of the time, and is about half as fast.
    Quick,
    /// Code that is as fast as it can be.
    #[default]
    Best,
}

impl OptLevel {
    /// Whether code of this level will do where `wanted` is asked for.
    #[cfg(feature = "jit")]
    pub(crate) fn suffices(self, wanted: OptLevel) -> bool {
        self == OptLevel::Best || wanted == OptLevel::Quick
    }
}
