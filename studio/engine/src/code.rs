//! The kernels of a program: functions of this instance's own table.

use mam_runtime::machine::{KernelFn, call_kernel};
use mam_runtime::{Call, Code, Form};
use std::cell::{Cell, RefCell};

thread_local! {
    /// Stretches of the table that are free again: the first entry, and how many.
    static FREED: RefCell<Vec<(usize, usize)>> = const { RefCell::new(vec![]) };
    static FUNCTIONS: Cell<usize> = const { Cell::new(0) };
}

/// What a module of kernels has in this instance: memory, and a stretch of the table.
pub(crate) struct Room {
    /// Its constant tables and scratch memory, in words that keep them aligned.
    data: Vec<u128>,
    first: usize,
    functions: usize,
}

impl Room {
    pub(crate) fn new(bytes: usize, first: usize, functions: usize) -> Room {
        Room { data: vec![0; bytes.div_ceil(16)], first, functions }
    }

    pub(crate) fn address(&self) -> *const u8 {
        self.data.as_ptr().cast()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        FREED.with_borrow_mut(|freed| freed.push((self.first, self.functions)));
    }
}

/// A stretch that is free again: its first entry; [`freed_functions`] is how many it has.
pub(crate) fn take_freed() -> Option<usize> {
    let (first, functions) = FREED.with_borrow_mut(Vec::pop)?;
    FUNCTIONS.set(functions);
    Some(first)
}

pub(crate) fn freed_functions() -> usize {
    FUNCTIONS.get()
}

/// The kernels of a module that is in the table.
pub(crate) struct Kernels(Room);

impl Kernels {
    pub(crate) fn new(room: Room) -> Kernels {
        Kernels(room)
    }
}

impl Code for Kernels {
    unsafe fn call(&self, kernel: u32, form: Form, call: &Call) {
        if let Some(function) = self.function(kernel, form) {
            // SAFETY: the caller vouches for the tables.
            unsafe { call_kernel(function, call) }
        }
    }

    fn function(&self, kernel: u32, form: Form) -> Option<KernelFn> {
        let entry = self.0.first + 3 * kernel as usize + form as usize;
        // SAFETY: a function pointer is an entry of the table, and the module put a function of this type there.
        Some(unsafe { std::mem::transmute::<usize, KernelFn>(entry) })
    }
}
