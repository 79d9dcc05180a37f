//! From kernels to machine code.
//!
//! A kernel becomes three functions `fn(*const Call)` (see [`mam_runtime::Form`]), by itself: [`compile`] depends on
//! the kernel, the tables and the machine alone, so that its result can be cached and kernels can be compiled on
//! several threads. [`install`] puts compiled kernels into a module of the code generator's (in memory or an object
//! file); [`Jit`] owns such a module and runs it.
//!
//! A function is what the form's [loop plans](super::loops) say. Arithmetic is what each op's meaning says, given that
//! subnormals are flushed: that is the trampoline's part (`mam_runtime::machine`). Nothing is contracted or reordered.

mod body;
mod counts;
mod delay_lines;
mod inst;
mod isa;
#[allow(unsafe_code, reason = "it owns the memory of machine code")]
mod jit;
mod loops;
mod memory;
mod tables;
mod transpose;

pub use counts::{Counts, counts};
pub use jit::Jit;
pub(crate) use jit::compile_all;

use crate::emit::loops::plans;
use crate::ir::layout::Layout;
use crate::ir::{Kernel, Module};
use crate::opt::elementary;
use crate::target::{Machine, OptLevel};
use body::{Emitter, Source};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, FuncId, Linkage, ModuleReloc};
use isa::Encoding;
use mam_runtime::{Form, machine};
use std::cell::RefCell;

/// A kernel's machine code.
#[derive(Clone)]
pub struct Compiled {
    /// The functions, in the order of [`Form`].
    pub functions: [CompiledFunction; 3],
}

/// One function, before it has an address.
#[derive(Clone)]
pub struct CompiledFunction {
    /// The machine code as bytes.
    pub code: Vec<u8>,
    /// Alignment of its first byte, in bytes.
    pub align: u64,
    /// Where addresses go. Functions are numbered as in [`machine::symbols`], data as the module's tables.
    pub relocs: Vec<ModuleReloc>,
    /// The code generator's IR and its machine instructions, where asked for.
    pub listing: Option<Listing>,
}

/// A function as text.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The code generator's IR, before its own optimisation.
    pub clif: String,
    /// The machine instructions, as the code generator prints them.
    pub asm: String,
}

/// How machine code is made. No setting changes what it computes.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How much time it may take.
    pub level: OptLevel,
    /// The machine that its loops are planned for; it runs on this one in any case.
    pub machine: Machine,
    /// True if functions are listed as text.
    pub listing: bool,
    /// How functions are called.
    pub abi: Abi,
}

/// How kernels are called, and where their tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abi {
    /// By our own trampoline, in memory: by the System V convention on every x86-64 system, else by the system's.
    Trampoline,
    /// By C code of the system that an object file is for, and linked with it.
    System,
}

impl Settings {
    /// Code for this machine, without listings.
    pub fn host(level: OptLevel) -> Settings {
        Settings { level, machine: Machine::host(), listing: false, abi: Abi::Trampoline }
    }
}

/// Compiles one kernel of `module`.
///
/// # Errors
/// What the code generator complains of: a bug of ours, never of the user.
pub fn compile(module: &Module, kernel: &Kernel, settings: &Settings) -> Result<Compiled, String> {
    let [setup, steady, general] = FORMS.map(|form| compile_form(form, module, kernel, settings));
    Ok(Compiled { functions: [setup?, steady?, general?] })
}

/// Compiles one kernel of `module` for a machine that need not be this one.
///
/// # Errors
/// What the code generator complains of: a bug of ours, never of the user.
#[cfg(feature = "objects")]
pub(super) fn compile_for(
    isa: &dyn TargetIsa,
    module: &Module,
    kernel: &Kernel,
    settings: &Settings,
) -> Result<Compiled, String> {
    let [setup, steady, general] = FORMS.map(|form| compile_form_for(isa, form, module, kernel, settings));
    Ok(Compiled { functions: [setup?, steady?, general?] })
}

/// The forms, in the order of [`Form`].
pub(super) const FORMS: [Form; 3] = [Form::Setup, Form::Steady, Form::General];

/// Instructions of a body beyond which its registers are allocated in one pass: the other allocator takes more than linear
/// time, which no one waits for.
const MOST_WELL: usize = 8_000;

/// Compiles one form of a kernel.
fn compile_form(
    form: Form,
    module: &Module,
    kernel: &Kernel,
    settings: &Settings,
) -> Result<CompiledFunction, String> {
    let level = match form {
        // What runs once a segment need not be fast.
        Form::Setup => OptLevel::Quick,
        Form::Steady if kernel.steady.insts.len() > MOST_WELL => OptLevel::Quick,
        Form::General if kernel.general.insts.len() > MOST_WELL => OptLevel::Quick,
        Form::Steady | Form::General => settings.level,
    };
    compile_form_for(&*isa::host(level)?, form, module, kernel, &Settings { level, ..*settings })
}

/// The code generator's memory.
struct Pads {
    context: Context,
    frontend: FunctionBuilderContext,
}

/// Compiles one form of a kernel for some machine.
fn compile_form_for(
    isa: &dyn TargetIsa,
    form: Form,
    module: &Module,
    kernel: &Kernel,
    settings: &Settings,
) -> Result<CompiledFunction, String> {
    thread_local! {
        static PADS: RefCell<Pads> =
            RefCell::new(Pads { context: Context::new(), frontend: FunctionBuilderContext::new() });
    }
    if let Some(op) = elementary(kernel) {
        return Err(format!("{}: the optimiser has not expanded {}", kernel.name, op.row().name));
    }
    PADS.with_borrow_mut(|pads| function(isa, form, module, kernel, settings, pads))
}

fn function(
    isa: &dyn TargetIsa,
    form: Form,
    module: &Module,
    kernel: &Kernel,
    settings: &Settings,
    pads: &mut Pads,
) -> Result<CompiledFunction, String> {
    let layout = &Layout::new(kernel);
    let Pads { context, frontend } = pads;
    context.clear();
    context.func = Function::with_name_signature(UserFuncName::default(), signature(isa, settings.abi));
    let mut b = FunctionBuilder::new(&mut context.func, frontend);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let call = b.block_params(entry)[0];
    let mut done = None;
    for (which, plan) in &plans(kernel, layout, form, settings.level, &settings.machine) {
        let body = which.body(kernel);
        let from =
            Source { module, kernel, layout, body, plan, encoding: Encoding::for_isa(isa, settings.abi) };
        let emitter = Emitter::new(from, call);
        match form {
            Form::Setup => emitter.setup(&mut b),
            Form::Steady => done = Some(emitter.steady(&mut b, done)),
            Form::General => emitter.general(&mut b),
        }
    }
    b.ins().return_(&[]);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    finish(context, isa, settings.listing)
}

fn finish(context: &mut Context, isa: &dyn TargetIsa, listing: bool) -> Result<CompiledFunction, String> {
    let clif = listing.then(|| context.func.display().to_string());
    context.set_disasm(listing);
    let compiled =
        context.compile(isa, &mut ControlPlane::default()).map_err(|e| format!("{:?}", e.inner))?;
    let code = compiled.code_buffer().to_vec();
    let align = u64::from(compiled.buffer.alignment).max(u64::from(isa.function_alignment().minimum));
    let relocs: Vec<_> = compiled.buffer.relocs().to_vec();
    let listing = clif.zip(compiled.vcode.clone()).map(|(clif, asm)| Listing { clif, asm });
    // Functions only refer to themselves by offset, so that the id does not matter here; `install` sets it.
    let unset = FuncId::from_u32(0);
    let relocs = relocs.iter().map(|r| ModuleReloc::from_mach_reloc(r, &context.func, unset)).collect();
    Ok(CompiledFunction { code, align: align.max(isa.symbol_alignment()), relocs, listing })
}

/// The signature of a kernel's functions.
pub(super) fn signature(isa: &dyn TargetIsa, abi: Abi) -> Signature {
    let mut signature = Signature::new(convention(isa, abi));
    signature.params.push(AbiParam::new(isa.pointer_type()));
    signature
}

/// The kernels' calling convention.
fn convention(isa: &dyn TargetIsa, abi: Abi) -> CallConv {
    match abi == Abi::Trampoline && isa.pointer_type() == types::I64 && isa.name() == "x64" {
        true => CallConv::SystemV,
        false => isa.default_call_conv(),
    }
}

/// Puts compiled kernels, with the tables that they use, into a module of the code generator's. The result is the
/// ids of each kernel's functions. `names` only serve profilers and object files.
///
/// # Errors
/// Where the module refuses.
pub fn install(
    into: &mut impl cranelift_module::Module,
    tables: &[Vec<f32>],
    names: &[&str],
    kernels: &[&Compiled],
) -> Result<Vec<[FuncId; 3]>, String> {
    // Relocations count functions from 0 in this order, and tables likewise.
    for symbol in machine::symbols() {
        let float = AbiParam::new(if symbol.double { types::F64 } else { types::F32 });
        let mut signature = Signature::new(convention(into.isa(), Abi::Trampoline));
        signature.params.extend(std::iter::repeat_n(float, symbol.operands));
        signature.returns.push(float);
        into.declare_function(symbol.name, Linkage::Import, &signature).map_err(|e| e.to_string())?;
    }
    for (i, table) in tables.iter().enumerate() {
        let id = into.declare_data(&format!("mam_table_{i}"), Linkage::Local, false, false);
        let mut data = DataDescription::new();
        data.define(table.iter().flat_map(|x| x.to_ne_bytes()).collect());
        data.set_align(16);
        into.define_data(id.map_err(|e| e.to_string())?, &data).map_err(|e| e.to_string())?;
    }
    let mut all = vec![];
    for (i, (kernel, name)) in kernels.iter().zip(names).enumerate() {
        let mut ids = [FuncId::from_u32(0); 3];
        for ((id, function), form) in
            ids.iter_mut().zip(&kernel.functions).zip(["setup", "steady", "general"])
        {
            let name = format!("mam_{i}_{name}_{form}");
            let signature = signature(into.isa(), Abi::Trampoline);
            *id = into.declare_function(&name, Linkage::Export, &signature).map_err(|e| e.to_string())?;
            let relocs: Vec<ModuleReloc> = function.relocs.iter().map(|reloc| with_id(reloc, *id)).collect();
            into.define_function_bytes(*id, function.align, &function.code, &relocs)
                .map_err(|e| e.to_string())?;
        }
        all.push(ids);
    }
    Ok(all)
}

/// A relocation of the function that has this id.
pub(super) fn with_id(reloc: &ModuleReloc, id: FuncId) -> ModuleReloc {
    use cranelift_module::ModuleRelocTarget::FunctionOffset;
    let mut reloc = reloc.clone();
    if let FunctionOffset(function, _) = &mut reloc.name {
        *function = id;
    }
    reloc
}
