//! An emitted WebAssembly module, run in an interpreter of WebAssembly: kernels as a browser's engine would call them, without a
//! browser.
//!
//! What a call is given is copied into the module's memory, as wasm32 lays it out, and what it changed is copied back.

use mam_compiler::emit::wasm::{Subnormals, emit};
use mam_compiler::ir::layout::Layout;
use mam_compiler::ir::{Kernel, Module};
use mam_runtime::{Call, Code, Form, GUARD, Port, machine};
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};
use wasmi::{
    Engine, Extern, F32, F64, Func, Global, Linker, Memory, MemoryType, Mutability, Nullable, Ref, RefType,
    Store, Table, TableType, Val,
};

/// The kernels of a module, emitted.
pub struct Wasm {
    kernels: Vec<Kernel>,
    blocks: Vec<usize>,
    machine: Mutex<Machine>,
}

/// An instance of an emitted module.
struct Machine {
    store: Store<()>,
    memory: Memory,
    functions: Vec<Func>,
    /// Where memory is free: behind the module's own.
    free: usize,
}

const PAGE: usize = 1 << 16;
/// Where the module's own memory begins: the first bytes are left alone, as address 0 is.
const DATA: usize = 1024;
/// Functions stand in the table from here on, to see that the module asks where.
const FUNCTIONS: i32 = 5;

impl Wasm {
    /// Emits a module and makes an instance of it.
    ///
    /// # Errors
    /// What the emitter complains of, or the WebAssembly engine of the module.
    pub fn new(module: &Module, subnormals: Subnormals) -> Result<Wasm, String> {
        let binary = emit(module, subnormals)?;
        let complaint = |e: wasmi::Error| e.to_string();
        let engine = Engine::default();
        let read = wasmi::Module::new(&engine, &binary.bytes[..]).map_err(complaint)?;
        let mut store = Store::new(&engine, ());
        let pages = (DATA + binary.data_bytes as usize).div_ceil(PAGE) as u32;
        let memory = Memory::new(&mut store, MemoryType::new(pages, None)).map_err(complaint)?;
        let entries = FUNCTIONS as u32 + binary.functions;
        let none = Ref::from(Nullable::<Func>::Null);
        let table =
            Table::new(&mut store, TableType::new(RefType::Func, entries, None), none).map_err(complaint)?;
        let mut linker = Linker::new(&engine);
        let mut define = |name, item: Extern| linker.define("mam", name, item).map(|_| ());
        let global = |store: &mut Store<()>, x| Global::new(store, Val::I32(x), Mutability::Const);
        let fma32 = Func::wrap(&mut store, |x: F32, y: F32, z: F32| {
            F32::from(machine::fma32(x.into(), y.into(), z.into()))
        });
        let fma64 = Func::wrap(&mut store, |x: F64, y: F64, z: F64| {
            F64::from(machine::fma64(x.into(), y.into(), z.into()))
        });
        define("fma32", fma32.into()).map_err(|e| e.to_string())?;
        define("fma64", fma64.into()).map_err(|e| e.to_string())?;
        define("memory", memory.into()).map_err(|e| e.to_string())?;
        define("table", table.into()).map_err(|e| e.to_string())?;
        let (functions, data) = (global(&mut store, FUNCTIONS), global(&mut store, DATA as i32));
        define("functions", functions.into()).map_err(|e| e.to_string())?;
        define("data", data.into()).map_err(|e| e.to_string())?;
        linker.instantiate_and_start(&mut store, &read).map_err(complaint)?;
        let functions = (FUNCTIONS as u32..entries).map(|entry| match table.get(&store, entry.into()) {
            Some(Ref::Func(Nullable::Val(function))) => Ok(function),
            other => Err(format!("entry {entry} is {other:?}")),
        });
        let functions = functions.collect::<Result<_, _>>()?;
        let free = (DATA + binary.data_bytes as usize).next_multiple_of(16);
        let kernels: Vec<Kernel> = module.kernels.values().cloned().collect();
        let blocks = kernels.iter().map(|kernel| Layout::new(kernel).bytes).collect();
        Ok(Wasm { kernels, blocks, machine: Mutex::new(Machine { store, memory, functions, free }) })
    }
}

/// Memory outside, that a call reads and writes, and where it is inside.
#[derive(Clone, Copy)]
struct Copied {
    outside: *mut u8,
    inside: usize,
    bytes: usize,
}

/// A call while it is carried over.
struct Carry<'a> {
    machine: &'a mut Machine,
    copied: FxHashMap<*mut u8, Copied>,
    end: usize,
}

impl Carry<'_> {
    /// Room in memory, 16-byte aligned.
    fn room(&mut self, bytes: usize) -> usize {
        let at = self.end;
        self.end = (at + bytes).next_multiple_of(16);
        let has = self.machine.memory.data_size(&self.machine.store);
        if self.end > has {
            let pages = (self.end - has).div_ceil(PAGE) as u64;
            self.machine.memory.grow(&mut self.machine.store, pages).expect("there is memory");
        }
        at
    }

    /// Copies memory in, once for each address: an output may be an input's buffer.
    ///
    /// # Safety
    /// So many bytes are valid there.
    unsafe fn memory(&mut self, outside: *mut u8, bytes: usize) -> usize {
        if let Some(known) = self.copied.get(&outside) {
            return known.inside;
        }
        let inside = self.room(bytes);
        // SAFETY: the caller's promise.
        let from = unsafe { std::slice::from_raw_parts(outside, bytes) };
        self.machine.memory.write(&mut self.machine.store, inside, from).expect("there is room");
        self.copied.insert(outside, Copied { outside, inside, bytes });
        inside
    }

    /// A table of addresses.
    fn table(&mut self, addresses: &[usize]) -> usize {
        let words: Vec<u8> = addresses.iter().flat_map(|address| (*address as u32).to_le_bytes()).collect();
        let at = self.room(words.len());
        self.machine.memory.write(&mut self.machine.store, at, &words).expect("there is room");
        at
    }

    /// Copies signals of so many frames in.
    ///
    /// # Safety
    /// `all` has `count` pointers to as many frames.
    unsafe fn signals(&mut self, all: *const *mut f32, count: usize, frames: u32) -> usize {
        let mut addresses = vec![];
        for index in 0..count {
            // SAFETY: the caller's promise.
            addresses.push(unsafe { self.memory((*all.add(index)).cast(), 4 * frames as usize) });
        }
        self.table(&addresses)
    }
}

impl Code for Wasm {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        let (of, block) = (&self.kernels[kernel as usize], self.blocks[kernel as usize]);
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let end = machine.free;
        let mut carry = Carry { machine: &mut machine, copied: FxHashMap::default(), end };
        let frames = if form == Form::Setup { 0 } else { call.frames };
        let moving = if form == Form::General { of.params.len() } else { 0 };
        // SAFETY: the caller vouches for the tables.
        let mut words = unsafe {
            let state = carry.memory(call.state, block);
            let mut lines = vec![];
            for (index, line) in of.delays.values().enumerate() {
                let bytes = 4 * (line.frames as usize + 2 * GUARD);
                lines.push(carry.memory((*call.delays.add(index)).sub(GUARD).cast(), bytes) + 4 * GUARD);
            }
            let inputs = if frames == 0 { 0 } else { of.inputs.len() };
            let outputs = if frames == 0 { 0 } else { of.outputs.len() };
            vec![
                state,
                carry.table(&lines),
                carry.memory(call.params.cast_mut().cast(), 8 * of.params.len()),
                carry.signals(call.moving.cast(), moving, frames),
                carry.signals(call.inputs.cast(), inputs, frames),
                carry.signals(call.outputs, outputs, frames),
                carry.memory(call.ports.cast_mut().cast(), size_of::<Port>() * of.ports.len()),
            ]
        };
        words.extend([call.frame as usize, call.frames as usize]);
        let address = carry.table(&words);
        let copied: Vec<Copied> = carry.copied.into_values().collect();
        let Machine { store, memory, functions, .. } = &mut *machine;
        let function = functions[3 * kernel as usize + form as usize];
        function.call(&mut *store, &[Val::I32(address as i32)], &mut []).expect("kernels do not trap");
        let data = memory.data(&*store);
        for Copied { outside, inside, bytes } in copied {
            // SAFETY: it was copied from there. What a kernel only reads has the same bytes.
            unsafe { outside.copy_from(data[inside..inside + bytes].as_ptr(), bytes) };
        }
    }
}
