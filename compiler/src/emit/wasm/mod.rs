//! From kernels to a WebAssembly module.
//!
//! A kernel becomes three functions `(call: i32)` (see [`mam_runtime::Form`]), which read and write the memory of the engine
//! that calls them: a [`Call`](mam_runtime::Call) as wasm32 lays it out. [`emit`] depends on the module and on how subnormals
//! are flushed alone, and the same module gives the same bytes.
//!
//! # What a module imports
//! All from `mam`, and all of it the engine's: `memory`, `table` (of functions), and two constants, `functions` (the first
//! entry of the table that is the module's) and `data` (the first byte of [`Binary::data_bytes`], 16-byte aligned, that are the
//! module's: constant tables, which an active segment fills, and scratch memory of a call); and the functions `fma32` and
//! `fma64` of [`mam_runtime::machine`]. An active segment puts the functions into the table: that of kernel k and form f is `functions + 3·k + f`, which on wasm32 is a function pointer.
//!
//! # What differs from machine code
//! WebAssembly cannot flush subnormals, so code does that itself ([`Subnormals`]). It has no multiply-add that rounds once on
//! every machine: each is a call, so kernels had better be optimised for
//! [`Target::portable`](crate::target::Target::portable), which has none.

mod body;
mod delay_lines;
mod encoding;
mod function;
mod inst;
mod lanes;
mod loops;
mod memory;
mod subnormals;
mod transpose;

use crate::emit::loops::plans;
use crate::ir::layout::Layout;
use crate::ir::{Kernel, Module};
use crate::opt::elementary;
use crate::target::{Machine, OptLevel};
use body::{Emitter, Source};
use function::Function;
use mam_runtime::Form;
use wasm_encoder as wasm;
use wasm_encoder::{ConstExpr, EntityType, GlobalType, MemoryType, RefType, TableType, ValType};

/// Which floats are 0 with their sign where they would be subnormal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subnormals {
    /// What stays: states, what delay lines and other kernels are given, what is carried from iteration to iteration, and what
    /// is computed more rarely than each frame. Nothing subnormal stays, so nothing becomes slow; other bits than machine code's are possible only
    /// where something subnormal is amplified in the frame that computed it.
    #[default]
    FlushStored,
    /// The result of each op, as the IR says. Two to four times as slow.
    FlushAll,
}

/// A WebAssembly module, and what it needs of the engine that it is put into.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The module in the binary format.
    pub bytes: Vec<u8>,
    /// Bytes of memory that it needs at its import `data`.
    pub data_bytes: u32,
    /// Entries of the table that it needs from its import `functions` on: three a kernel.
    pub functions: u32,
}

/// The forms, in the order of [`Form`].
const FORMS: [Form; 3] = [Form::Setup, Form::Steady, Form::General];

/// Imported globals, by index.
const FUNCTIONS: u32 = 0;
/// See [`FUNCTIONS`].
const DATA: u32 = 1;

/// Imported functions, by index; the module's own come after them.
const FMA_F32: u32 = 0;
/// See [`FMA_F32`].
const FMA_F64: u32 = 1;
/// How many there are.
const IMPORTED: u32 = 2;

/// Where a module's memory has what: constant tables first, then scratch memory.
struct Data {
    /// First byte of each constant table.
    tables: Vec<u32>,
    /// First byte of scratch memory.
    scratch: u32,
    /// Bytes of scratch memory of the function that needs most.
    scratch_bytes: u32,
}

/// Emits all kernels of a module.
///
/// # Errors
/// Where the optimiser has not expanded an elementary function.
pub fn emit(module: &Module, subnormals: Subnormals) -> Result<Binary, String> {
    let mut data = Data::new(module);
    let mut code = wasm::CodeSection::new();
    for kernel in module.kernels.values() {
        if let Some(op) = elementary(kernel) {
            return Err(format!("{}: the optimiser has not expanded {}", kernel.name, op.row().name));
        }
        let layout = Layout::new(kernel);
        for form in FORMS {
            code.function(&function(module, kernel, &layout, form, subnormals, &mut data));
        }
    }
    let functions = 3 * module.kernels.len() as u32;
    let mut types = wasm::TypeSection::new();
    types.ty().function([ValType::I32], []);
    types.ty().function([ValType::F32; 3], [ValType::F32]);
    types.ty().function([ValType::F64; 3], [ValType::F64]);
    let mut declared = wasm::FunctionSection::new();
    (0..functions).for_each(|_| _ = declared.function(0));
    let mut elements = wasm::ElementSection::new();
    let all: Vec<u32> = (IMPORTED..IMPORTED + functions).collect();
    elements.active(None, &ConstExpr::global_get(FUNCTIONS), wasm::Elements::Functions(all.into()));
    let mut constants = wasm::DataSection::new();
    let bytes: Vec<u8> = module.tables.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    constants.active(0, &ConstExpr::global_get(DATA), bytes);
    let mut out = wasm::Module::new();
    out.section(&types).section(&imports()).section(&declared).section(&elements);
    out.section(&code).section(&constants);
    Ok(Binary { bytes: out.finish(), data_bytes: data.scratch + data.scratch_bytes, functions })
}

impl Data {
    fn new(module: &Module) -> Data {
        let mut end = 0;
        let mut tables = vec![];
        for table in &module.tables {
            tables.push(end);
            end += 4 * table.len() as u32;
        }
        Data { tables, scratch: end.next_multiple_of(16), scratch_bytes: 0 }
    }
}

fn imports() -> wasm::ImportSection {
    let memory =
        MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    let table = TableType {
        element_type: RefType::FUNCREF,
        minimum: 0,
        maximum: None,
        table64: false,
        shared: false,
    };
    let constant = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    let mut imports = wasm::ImportSection::new();
    imports.import("mam", "memory", EntityType::Memory(memory));
    imports.import("mam", "table", EntityType::Table(table));
    imports.import("mam", "functions", EntityType::Global(constant));
    imports.import("mam", "data", EntityType::Global(constant));
    imports.import("mam", "fma32", EntityType::Function(1));
    imports.import("mam", "fma64", EntityType::Function(2));
    imports
}

fn function(
    module: &Module,
    kernel: &Kernel,
    layout: &Layout,
    form: Form,
    subnormals: Subnormals,
    data: &mut Data,
) -> wasm::Function {
    let mut f = Function::default();
    // Where the frames begin that an earlier body has left.
    let start = f.local(ValType::I32);
    for (which, plan) in &plans(kernel, layout, form, OptLevel::Best, &Machine::WASM) {
        data.scratch_bytes = data.scratch_bytes.max(plan.scratch.bytes);
        let body = which.body(kernel);
        let emitter = Emitter::new(Source { module, kernel, layout, body, plan, data, subnormals });
        match form {
            Form::Setup => emitter.setup(&mut f),
            Form::Steady => emitter.steady(&mut f, start),
            Form::General => emitter.general(&mut f, start),
        }
    }
    f.finish()
}
