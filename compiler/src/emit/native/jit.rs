//! Machine code in memory.

use super::isa;
use super::{Compiled, CompiledFunction, FORMS, Settings, compile_form, install};
use crate::executor::{Executor, Inline, map};
use crate::ir::{Kernel, Module};
use crate::target::OptLevel;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::default_libcall_names;
use mam_grammar::Handle;
use mam_runtime::machine::{self, KernelFn};
use mam_runtime::{Call, Code, Form};
use rustc_hash::FxHashMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Compiled kernels in executable memory, which is freed with it. To be dropped off the audio thread.
pub struct Jit {
    kernels: Vec<[Function; 3]>,
    /// How often functions have been replaced.
    version: AtomicU32,
    /// Code memory, including replaced functions: the audio thread may still be executing one, so none is freed before the
    /// `Jit` is dropped.
    memory: Mutex<Vec<Memory>>,
}

/// The address of a function that [`super::compile`] made.
struct Function(AtomicPtr<u8>);

/// Functions in memory. They are not to be called when it is dropped.
struct Memory(ManuallyDrop<JITModule>);

impl Jit {
    /// Compiles all kernels of `module` for this machine.
    ///
    /// # Errors
    /// What the code generator complains of: a bug of ours, never of the user.
    pub fn new(module: &Module, level: OptLevel) -> Result<Jit, String> {
        let (module, kernels) = (Arc::new(module.clone()), module.kernels.handles().collect::<Vec<_>>());
        let compiled = compile_all(&module, &kernels, level, &Inline)?;
        Jit::link(&module, &compiled.iter().collect::<Vec<_>>())
    }

    /// Puts kernels that have been compiled, in the order of the module's, into memory.
    ///
    /// # Errors
    /// Where memory can't be had.
    pub fn link(module: &Module, kernels: &[&Compiled]) -> Result<Jit, String> {
        let names: Vec<&str> = module.kernels.values().map(|kernel| kernel.name.as_str()).collect();
        let (memory, functions) = Memory::link(&module.tables, &names, kernels)?;
        Ok(Jit {
            kernels: functions.into_iter().map(|all| all.map(|f| Function(AtomicPtr::new(f)))).collect(),
            version: AtomicU32::new(0),
            memory: Mutex::new(vec![memory]),
        })
    }

    /// Replaces the code of some kernels, which are given by their index. The audio thread may be executing the code that
    /// is replaced: both compute the same.
    ///
    /// # Errors
    /// Where memory can't be had.
    pub fn replace(&self, module: &Module, others: &[(usize, Compiled)]) -> Result<(), String> {
        let name = |(index, _): &(usize, Compiled)| module.kernels[Handle::new(*index)].name.as_str();
        let names: Vec<&str> = others.iter().map(name).collect();
        let kernels: Vec<&Compiled> = others.iter().map(|(_, compiled)| compiled).collect();
        let (memory, functions) = Memory::link(&module.tables, &names, &kernels)?;
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        for ((index, _), functions) in others.iter().zip(functions) {
            for (function, address) in self.kernels[*index].iter().zip(functions) {
                function.0.store(address, Ordering::Release);
            }
        }
        self.version.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

impl Memory {
    /// Puts kernels into memory: the addresses of their functions are the result.
    fn link(
        tables: &[Vec<f32>],
        names: &[&str],
        kernels: &[&Compiled],
    ) -> Result<(Memory, Vec<[*mut u8; 3]>), String> {
        let mut builder = JITBuilder::with_isa(isa::host(OptLevel::Best)?, default_libcall_names());
        for symbol in machine::symbols() {
            builder.symbol(symbol.name, symbol.address);
        }
        // Until all has gone well, dropping it frees the memory.
        let mut memory = Memory(ManuallyDrop::new(JITModule::new(builder)));
        let ids = install(&mut *memory.0, tables, names, kernels)?;
        memory.0.finalize_definitions().map_err(|e| e.to_string())?;
        let address = |id| memory.0.get_finalized_function(id).cast_mut();
        let functions = ids.into_iter().map(|ids| ids.map(address)).collect();
        Ok((memory, functions))
    }
}

impl Function {
    fn get(&self) -> KernelFn {
        let code = self.0.load(Ordering::Acquire);
        // SAFETY: `compile` gave the function this signature and convention.
        unsafe { std::mem::transmute::<*mut u8, KernelFn>(code) }
    }
}

/// Instructions that are worth a thread: they take the code generator about half a millisecond.
const INSTS_A_THREAD: usize = 150;

/// Compiles some kernels of a module; the code is the same for any executor.
///
/// # Errors
/// What the code generator complains of: a bug of ours, never of the user.
pub(crate) fn compile_all(
    module: &Arc<Module>,
    kernels: &[Handle<Kernel>],
    level: OptLevel,
    executor: &dyn Executor,
) -> Result<Vec<Compiled>, String> {
    let mut order: Vec<(Handle<Kernel>, Form)> =
        kernels.iter().flat_map(|kernel| FORMS.map(|form| (*kernel, form))).collect();
    // The longest first, so that no thread is left with a long one at the end.
    let length = |&(kernel, form): &(Handle<Kernel>, Form)| length(&module.kernels[kernel], form);
    order.sort_by_key(|task| std::cmp::Reverse(length(task)));
    let threads = order.iter().map(length).sum::<usize>() / INSTS_A_THREAD;
    let (shared, settings) = (module.clone(), Settings::host(level));
    let work = move |(kernel, form)| compile_form(form, &shared, &shared.kernels[kernel], &settings);
    let done = map(executor, order.clone(), threads, work);
    let mut functions: FxHashMap<(Handle<Kernel>, usize), CompiledFunction> = FxHashMap::default();
    for ((kernel, form), function) in order.into_iter().zip(done) {
        functions.insert((kernel, form as usize), function?);
    }
    let mut function =
        |kernel, form| functions.remove(&(kernel, form as usize)).expect("each form was compiled once");
    Ok(kernels
        .iter()
        .map(|&kernel| Compiled { functions: FORMS.map(|form| function(kernel, form)) })
        .collect())
}

/// How many instructions a form of a kernel has, roughly: how long it takes to be compiled.
fn length(kernel: &Kernel, form: Form) -> usize {
    let tail = kernel.tail.as_ref().map_or(0, |tail| tail.insts.len());
    match form {
        Form::Setup => 0,
        Form::Steady => kernel.steady.insts.len() + tail,
        Form::General => kernel.general.insts.len(),
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the module is not used again, and the functions in it are reached through their `Jit` alone.
        unsafe { ManuallyDrop::take(&mut self.0).free_memory() }
    }
}

impl Code for Jit {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        let function = self.kernels[kernel as usize][form as usize].get();
        // SAFETY: the caller vouches for the tables.
        unsafe { machine::call_kernel(function, call) }
    }

    fn function(&self, kernel: u32, form: Form) -> Option<KernelFn> {
        Some(self.kernels[kernel as usize][form as usize].get())
    }

    fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }
}

impl Compiled {
    /// Bytes of code, constants included.
    pub fn bytes(&self) -> usize {
        self.functions.iter().map(|function: &CompiledFunction| function.code.len()).sum()
    }
}
