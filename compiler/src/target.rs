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

    /// This machine, which nothing knows without the code generator of the feature `jit`.
    #[cfg(not(feature = "jit"))]
    pub fn host() -> Target {
        Target::portable()
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

/// What loop plans depend on of a machine: how many values fit into its registers, and where operands stand. Plans for
/// different machines compute the same, to the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Registers for floats and vectors.
    pub vector_registers: usize,
    /// Registers for integers and addresses.
    pub general_registers: usize,
    /// The last operand of an instruction may be in memory, and no other.
    pub last_operand_in_memory: bool,
    /// A fused multiply-add writes its result over its first factor.
    pub fma_overwrites_factor: bool,
}

impl Machine {
    /// x86-64 with SSE or AVX.
    pub const X86_64: Machine = Machine {
        vector_registers: 16,
        general_registers: 16,
        last_operand_in_memory: true,
        fma_overwrites_factor: true,
    };

    /// 64-bit ARM: arithmetic takes registers only, and a fused multiply-add writes over its addend.
    pub const AARCH64: Machine = Machine {
        vector_registers: 32,
        general_registers: 31,
        last_operand_in_memory: false,
        fma_overwrites_factor: false,
    };

    /// WebAssembly, which has no registers: those of an x86-64, which most engines compile it for.
    pub const WASM: Machine =
        Machine { last_operand_in_memory: false, fma_overwrites_factor: false, ..Machine::X86_64 };

    /// This machine; one that is not known is taken for the one with fewer registers.
    pub fn host() -> Machine {
        if cfg!(target_arch = "aarch64") { Machine::AARCH64 } else { Machine::X86_64 }
    }

    /// How many states, and how many loop-carried values, a loop keeps in registers at most. Of more, the code generator
    /// would spill some each iteration anyway.
    pub fn most_carried(&self) -> usize {
        self.vector_registers
    }

    /// How many hoisted values and states together a loop keeps in registers at most. The rest is for what it computes.
    /// (Measured on x86-64 with 4 to 14: 64 FM voices a tenth faster with 8 to 12, a drum song a twentieth with 10.)
    pub fn most_resident(&self) -> usize {
        self.vector_registers - 6
    }

    /// How many addresses a loop keeps in registers at most. The rest is for its offset and its end, the stack, the call, and an
    /// address that is loaded where it is used.
    pub fn most_addresses(&self) -> usize {
        self.general_registers - 6
    }

    /// How many addresses in delay lines a loop holds at most. The rest is for its other addresses.
    pub fn most_line_addresses(&self) -> usize {
        self.general_registers - 8
    }
}
