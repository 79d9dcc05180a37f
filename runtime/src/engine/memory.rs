//! Memory whose address never changes, reached through pointers.
//!
//! Kernels see state, buffers and delay lines through tables of pointers that are made once. Rust's references to
//! the same memory would make those pointers invalid, so a [`Block`] lends references only for as long as its
//! owner touches the memory itself. It does not grow.

use crate::ids::BufferId;
use crate::program::{GUARD, QUANTUM, guard_copied};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A cache line: nothing of one allocation shares one with another, and vectors may be loaded aligned.
const ALIGN: usize = 64;

/// Values that may be all zero bytes, hold no pointer and need no drop.
///
/// # Safety
/// Every pattern of bits of the type's size is a value of it.
pub(crate) unsafe trait Plain: Copy + Send + Sync + 'static {}
// SAFETY: every pattern of bits is a number.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}

/// A fixed number of values at a fixed address, zero at first.
#[derive(Debug)]
pub(crate) struct Block<T: Plain> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: the memory belongs to the block alone, and its values are `Send` and `Sync`.
unsafe impl<T: Plain> Send for Block<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Plain> Sync for Block<T> {}

impl<T: Plain> Block<T> {
    /// A block of `len` zeros.
    pub(crate) fn zeros(len: usize) -> Block<T> {
        let layout = layout::<T>(len);
        // SAFETY: the layout's size is not 0.
        let start = unsafe { alloc_zeroed(layout) }.cast::<T>();
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        Block { start, len }
    }

    /// The first value's address. What is read and written through it must stay within the block.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.start.as_ptr()
    }

    /// The values. They are not written through a pointer while the slice is used: kernels only run inside a quantum.
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: the block holds `len` initialised values.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The values, to change them.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: made by `alloc_zeroed` with this layout.
        unsafe { dealloc(self.start.as_ptr().cast(), layout::<T>(self.len)) }
    }
}

/// The buffers of a program, and one more of silence. A buffer has room for some quanta; where quanta are rendered one by one, only
/// the first is used.
#[derive(Debug)]
pub(crate) struct Buffers {
    all: Block<f32>,
    count: usize,
    quanta: usize,
}

/// Most bytes of all buffers, where these hold more than one quantum each: they share the nearest cache with what kernels keep.
const NEAR: usize = 16 << 10;
/// Most quanta that a buffer has room for.
const MOST_QUANTA: usize = 8;

impl Buffers {
    /// A buffer lies at a multiple of so many bytes at least, so that a kernel may have a vector of it as an operand.
    pub(crate) const LEAST_ALIGN: usize = 16;

    pub(crate) fn silent(count: usize) -> Buffers {
        let quanta = (NEAR / size_of::<f32>() / QUANTUM / (count + 1)).clamp(1, MOST_QUANTA);
        Buffers { all: Block::zeros((count + 1) * quanta * QUANTUM), count, quanta }
    }

    /// How many quanta a buffer has room for.
    pub(crate) fn quanta(&self) -> usize {
        self.quanta
    }

    /// The address of a buffer.
    pub(crate) fn start(&self, buffer: BufferId) -> *mut f32 {
        self.all.as_ptr().wrapping_add(self.offset(buffer))
    }

    fn offset(&self, buffer: BufferId) -> usize {
        buffer.index() * self.quanta * QUANTUM
    }

    /// The address of a buffer that is never written.
    pub(crate) fn silence(&self) -> *mut f32 {
        self.start(BufferId::new(self.count))
    }

    /// What a buffer holds.
    pub(crate) fn get(&self, buffer: BufferId) -> &[f32; QUANTUM] {
        self.all.as_slice()[self.offset(buffer)..].first_chunk().unwrap_or(&[0.0; QUANTUM])
    }

    /// Silences all buffers, those of the input too.
    pub(crate) fn clear(&mut self) {
        self.all.as_mut_slice().fill(0.0);
    }

    /// The first quanta of a buffer, to change them: not more than there is room for.
    pub(crate) fn first_quanta_mut(&mut self, buffer: BufferId, quanta: usize) -> &mut [f32] {
        let start = self.offset(buffer);
        &mut self.all.as_mut_slice()[start..][..quanta.min(self.quanta) * QUANTUM]
    }
}

/// A delay line, with room before and after it: see [`GUARD`].
#[derive(Debug)]
pub(crate) struct Line(Block<f32>);

impl Line {
    /// A line of silence.
    pub(crate) fn silent(frames: usize) -> Line {
        Line(Block::zeros(frames + 2 * GUARD))
    }

    /// The first frame's address.
    pub(crate) fn as_ptr(&self) -> *mut f32 {
        // SAFETY: the room before the line is part of the block.
        unsafe { self.0.as_ptr().add(GUARD) }
    }

    /// Its frames, as of a [`Block`].
    pub(crate) fn as_slice(&self) -> &[f32] {
        let all = self.0.as_slice();
        &all[GUARD..all.len() - GUARD]
    }

    /// Silences it, and the room before and after it.
    pub(crate) fn clear(&mut self) {
        self.0.as_mut_slice().fill(0.0);
    }

    /// Changes its frames, and the copies of the first ones after its end.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut [f32])) {
        let all = self.0.as_mut_slice();
        let end = all.len() - GUARD;
        change(&mut all[GUARD..end]);
        all.copy_within(GUARD..GUARD + guard_copied(end - GUARD), end);
    }
}

/// Silences a line whose frames are known by the first one's address.
///
/// # Safety
/// It is a [`Line`]'s of so many frames, and no kernel runs.
pub(crate) unsafe fn silence(line: *mut f32, frames: usize) {
    // SAFETY: the room before and after it is part of the line's block.
    unsafe { line.sub(GUARD).write_bytes(0, frames + 2 * GUARD) }
}

/// At least one value, so that the size is never 0. Panics beyond the address space, which no program reaches.
fn layout<T>(len: usize) -> Layout {
    let size = len.max(1).checked_mul(size_of::<T>()).expect("the limits on memory hold");
    Layout::from_size_align(size, ALIGN).expect("the limits on memory hold")
}

/// Addresses, in a table that a kernel reads. Sent with the memory that they point into.
#[derive(Clone, Debug)]
pub(crate) struct Pointers<T>(pub(crate) Vec<*mut T>);

// SAFETY: the addresses are only followed by the owner of the blocks that they point into.
unsafe impl<T: Send> Send for Pointers<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Pointers<T> {}
