//! Machine code in memory.

use super::{Compiled, CompiledFunction, FORMS, form_of, install, isa};
use crate::ir::{Kernel, Module};
use crate::tasks::shared;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::default_libcall_names;
use mam_runtime::machine::{self, KernelFn};
use mam_runtime::{Call, Code, Form};
use std::mem::ManuallyDrop;

/// Compiled kernels in executable memory, which is freed with it. To be dropped off the audio thread.
pub struct Jit {
    module: ManuallyDrop<JITModule>,
    kernels: Vec<[KernelFn; 3]>,
}

// SAFETY: after `new` the module is only an owner of memory: nothing reads or changes it until it is dropped, and
// the code in it is immutable.
unsafe impl Sync for Jit {}

impl Jit {
    /// Compiles all kernels of `module` for this machine.
    ///
    /// # Errors
    /// What the code generator complains of: a bug of ours, never of the user.
    pub fn new(module: &Module) -> Result<Jit, String> {
        let isa = isa::host()?;
        let kernels: Vec<&Kernel> = module.kernels.values().collect();
        let compiled = compile_all(module, &kernels, &*isa, 1)?;
        Jit::link(module, &compiled.iter().collect::<Vec<_>>(), isa)
    }

    /// Puts kernels that have been compiled, in the order of the module's, into memory.
    ///
    /// # Errors
    /// Where memory can't be had.
    pub fn link(module: &Module, kernels: &[&Compiled], isa: OwnedTargetIsa) -> Result<Jit, String> {
        let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
        for symbol in machine::symbols() {
            builder.symbol(symbol.name, symbol.address);
        }
        // Until all has gone well, dropping it frees the memory.
        let mut jit = Jit { module: ManuallyDrop::new(JITModule::new(builder)), kernels: vec![] };
        let names: Vec<&str> = module.kernels.values().map(|kernel: &Kernel| kernel.name.as_str()).collect();
        let ids = install(&mut *jit.module, &module.tables, &names, kernels)?;
        jit.module.finalize_definitions().map_err(|e| e.to_string())?;
        let address = |id| {
            let code: *const u8 = jit.module.get_finalized_function(id);
            // SAFETY: `compile` gave the function this signature and convention.
            unsafe { std::mem::transmute::<*const u8, KernelFn>(code) }
        };
        jit.kernels = ids.into_iter().map(|ids| ids.map(address)).collect();
        Ok(jit)
    }
}

/// Instructions that are worth a thread: they take the code generator about half a millisecond.
const INSTS_A_THREAD: usize = 150;

/// Compiles some kernels of a module on several threads, of which the caller's is one. The code does not depend on their
/// number.
///
/// # Errors
/// What the code generator complains of: a bug of ours, never of the user.
pub(crate) fn compile_all(
    module: &Module,
    kernels: &[&Kernel],
    isa: &dyn TargetIsa,
    threads: usize,
) -> Result<Vec<Compiled>, String> {
    let forms = (0..kernels.len()).flat_map(|kernel| FORMS.map(|form| (kernel, form)));
    let mut order: Vec<(usize, Form)> = forms.collect();
    // The longest first, so that nobody waits for one that was begun last.
    let length = |&(kernel, form): &(usize, Form)| {
        let kernel = kernels[kernel];
        let tail = kernel.tail.as_ref().map_or(0, |tail| tail.insts.len());
        match form {
            Form::Setup => 0,
            Form::Steady => kernel.steady.insts.len() + tail,
            Form::General => kernel.general.insts.len(),
        }
    };
    order.sort_by_key(|task| std::cmp::Reverse(length(task)));
    let threads = threads.min(order.iter().map(length).sum::<usize>() / INSTS_A_THREAD);
    let work = |&(kernel, form): &(usize, Form)| form_of(form, module, kernels[kernel], isa, false);
    let done = shared(&order, threads, work);
    let mut functions: Vec<_> = order.into_iter().zip(done).collect();
    functions.sort_by_key(|((kernel, form), _)| (*kernel, *form as usize));
    let functions: Result<Vec<_>, String> = functions.into_iter().map(|(_, function)| function).collect();
    let mut functions = functions?.into_iter();
    let mut kernel =
        || Some(Compiled { functions: [functions.next()?, functions.next()?, functions.next()?] });
    Ok(std::iter::from_fn(&mut kernel).collect())
}

impl Drop for Jit {
    fn drop(&mut self) {
        // SAFETY: the module is not used again, and the functions in it are reached through this alone.
        unsafe { ManuallyDrop::take(&mut self.module).free_memory() }
    }
}

impl Code for Jit {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        let function = self.kernels[kernel as usize][form as usize];
        // SAFETY: the caller vouches for the tables.
        unsafe { machine::call_kernel(function, call) }
    }

    fn function(&self, kernel: u32, form: Form) -> Option<KernelFn> {
        Some(self.kernels[kernel as usize][form as usize])
    }
}

impl Compiled {
    /// Bytes of code, constants included.
    pub fn bytes(&self) -> usize {
        self.functions.iter().map(|function: &CompiledFunction| function.code.len()).sum()
    }
}
