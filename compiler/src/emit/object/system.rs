//! The systems that object files are made for.

use crate::target::Machine;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use std::str::FromStr;
use target_lexicon::Triple;

/// A processor and the form of its object files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System {
    /// What it is called: `x86_64-linux`.
    pub name: &'static str,
    triple: &'static str,
}

impl System {
    /// All that objects are made for, where the code generator was built with their processor.
    pub const ALL: [System; 6] = [
        System { name: "x86_64-linux", triple: "x86_64-unknown-linux-gnu" },
        System { name: "x86_64-macos", triple: "x86_64-apple-darwin" },
        System { name: "x86_64-windows", triple: "x86_64-pc-windows-msvc" },
        System { name: "aarch64-linux", triple: "aarch64-unknown-linux-gnu" },
        System { name: "aarch64-macos", triple: "aarch64-apple-darwin" },
        System { name: "aarch64-windows", triple: "aarch64-pc-windows-msvc" },
    ];

    /// The system that this program runs on.
    pub fn host() -> System {
        let arm = cfg!(target_arch = "aarch64");
        let system = match (cfg!(target_os = "macos"), cfg!(windows)) {
            (true, _) => 1,
            (_, true) => 2,
            _ => 0,
        };
        System::ALL[system + if arm { 3 } else { 0 }]
    }

    /// Whether this build has a code generator for it.
    pub fn is_built_in(self) -> bool {
        self.isa().is_ok()
    }

    pub(super) fn machine(self) -> Machine {
        if self.name.starts_with("aarch64") { Machine::AARCH64 } else { Machine::X86_64 }
    }

    fn has_pic(self) -> bool {
        !self.name.ends_with("windows")
    }

    /// The code generator for it. On x86-64 with SSE 4.2 (x86-64-v2, from 2009 on), so that no function of a C library is needed.
    pub(super) fn isa(self) -> Result<OwnedTargetIsa, String> {
        let mut flags = settings::builder();
        let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
        for (name, value) in [
            ("opt_level", "none"),
            ("regalloc_algorithm", "backtracking"),
            ("is_pic", if self.has_pic() { "true" } else { "false" }),
            ("unwind_info", "false"),
            ("enable_probestack", "false"),
            ("enable_verifier", verifier),
        ] {
            flags.set(name, value).map_err(|e| e.to_string())?;
        }
        let triple = Triple::from_str(self.triple).map_err(|e| e.to_string())?;
        let mut isa = isa::lookup(triple).map_err(|e| format!("{}: {e}", self.name))?;
        if self.name.starts_with("x86_64") {
            for feature in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
                isa.enable(feature).map_err(|e| e.to_string())?;
            }
        }
        isa.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(name: &str) -> Result<System, String> {
        System::ALL.into_iter().find(|system| system.name == name).ok_or_else(|| {
            let names: Vec<&str> = System::ALL.iter().map(|system| system.name).collect();
            format!("there is no such target; there are {}", names.join(", "))
        })
    }
}
