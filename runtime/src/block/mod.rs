//! Block nodes: steps whose work is bounded for each quantum, and not a sum of what is done for each frame.
//!
//! A [`Block`] stands beside the kernels of a program. It is written once, here, in plain f32 without fused operations, so every engine
//! that is made of this crate has the same bits: beside machine code, the interpreter and WebAssembly. The engine in C has a
//! copy of it, `runtime/c/block.h`. Its memory is that of its step: words of state, and delay lines.

mod convolution;
mod fft;
mod spectrum;
mod streamed;
mod stretch;
#[cfg(test)]
mod tests;

pub use convolution::{Convolution, HEAD, Level};
pub use spectrum::{Analysis, Frames, Synthesis, Tables};
pub use streamed::{FRAME_PART, Streamed};
pub use stretch::{MARGIN, PLACES, Stretch, TAPS};

use crate::call::{Call, KernelFn};
use std::hash::{Hash, Hasher};

/// What a block node computes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum Block {
    /// A channel, convolved with each of some responses.
    Convolution(Convolution),
    /// A channel, taken apart into the bins of spectra.
    Analysis(Analysis),
    /// The bins of spectra, put together to a channel.
    Synthesis(Synthesis),
    /// A sound in memory, at a place and a pitch of its own.
    Stretch(Stretch),
    /// A sound that is read while it plays, at places of its own.
    #[cfg_attr(feature = "image", serde(skip))]
    Streamed(Streamed),
}

impl Block {
    /// What it is called in listings.
    pub fn name(&self) -> &'static str {
        match self {
            Block::Convolution(_) => "convolution",
            Block::Analysis(_) => "analysis",
            Block::Synthesis(_) => "synthesis",
            Block::Stretch(_) => "stretch",
            Block::Streamed(_) => "streamed",
        }
    }

    /// What a song has where this is a part of it.
    pub fn noun(&self) -> &'static str {
        match self {
            Block::Convolution(_) => "convolution",
            Block::Analysis(_) | Block::Synthesis(_) => "spectral region",
            Block::Stretch(_) => "stretched sound",
            Block::Streamed(_) => "sound that is streamed",
        }
    }

    /// How many signals flow in, and how many come out.
    pub fn channels(&self) -> (usize, usize) {
        match self {
            Block::Convolution(convolution) => (1, convolution.responses()),
            Block::Analysis(analysis) => (1, 2 * analysis.frames().streams()),
            Block::Synthesis(synthesis) => (2 * synthesis.frames().streams(), 1),
            Block::Stretch(stretch) => (2, stretch.channels().len()),
            Block::Streamed(streamed) => streamed.ends(),
        }
    }

    /// A hash of what it computes.
    pub fn content(&self) -> u64 {
        match self {
            Block::Convolution(convolution) => convolution.content(),
            Block::Analysis(analysis) => analysis.content(),
            Block::Synthesis(synthesis) => synthesis.content(),
            Block::Stretch(stretch) => stretch.content(),
            Block::Streamed(streamed) => streamed.content(),
        }
    }

    /// Work a frame, in instructions of a kernel.
    pub fn cost(&self) -> usize {
        match self {
            Block::Convolution(convolution) => convolution.cost(),
            Block::Analysis(analysis) => analysis.frames().cost(analysis.tables()),
            Block::Synthesis(synthesis) => synthesis.frames().cost(synthesis.tables()),
            Block::Stretch(stretch) => stretch.cost(),
            Block::Streamed(streamed) => streamed.cost(),
        }
    }

    /// Its words of state in their order, each of so many times 4 bytes, all 0 at the start. Two blocks in which a word has the same name
    /// and length mean the same by it.
    pub fn words(&self) -> Vec<(String, usize)> {
        match self {
            Block::Convolution(convolution) => convolution.words().into(),
            Block::Analysis(analysis) => analysis.words(),
            Block::Synthesis(synthesis) => synthesis.words(),
            Block::Stretch(stretch) => stretch.words(),
            Block::Streamed(_) => vec![],
        }
    }

    /// Bytes of its words of state: a multiple of 16.
    pub fn state_bytes(&self) -> usize {
        let words: usize = self.words().iter().map(|(_, words)| words).sum();
        (words * size_of::<f32>()).next_multiple_of(16)
    }

    /// Frames of each of its delay lines: powers of two.
    pub fn lines(&self) -> Vec<usize> {
        match self {
            Block::Convolution(convolution) => vec![convolution.line_frames()],
            Block::Analysis(analysis) => vec![analysis.frames().size()],
            Block::Synthesis(_) | Block::Stretch(_) | Block::Streamed(_) => vec![],
        }
    }

    /// Renders the frames of a call, of one quantum. \[audio\]
    ///
    /// # Safety
    /// The call has the inputs, outputs, lines and state of the block.
    pub(crate) unsafe fn run(&self, call: &Call) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the host has what the function is compiled for, and the caller's promise.
            return unsafe { self.run_wide(call) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.run_plain(call) }
    }

    /// The same with eight elements in a vector: the same sums, and so the same bits.
    ///
    /// # Safety
    /// As [`Block::run`]; and the host has AVX2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn run_wide(&self, call: &Call) {
        // SAFETY: the caller's promise.
        unsafe { self.run_plain(call) }
    }

    #[inline(always)]
    unsafe fn run_plain(&self, call: &Call) {
        match self {
            // SAFETY: the caller's promise.
            Block::Convolution(convolution) => unsafe { convolution.run(call) },
            // SAFETY: the caller's promise.
            Block::Analysis(analysis) => unsafe { analysis.run(call) },
            // SAFETY: the caller's promise.
            Block::Synthesis(synthesis) => unsafe { synthesis.run(call) },
            // SAFETY: the caller's promise.
            Block::Stretch(stretch) => unsafe { stretch.run(call) },
            // SAFETY: the caller's promise.
            Block::Streamed(streamed) => unsafe { streamed.run(call) },
        }
    }
}

impl Eq for Block {}

impl Hash for Block {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.content());
    }
}

/// The function that a call of a block is made by: its block is [`Call::block`].
pub(crate) const FUNCTION: KernelFn = run_block;

macro_rules! run_block {
    ($abi:literal) => {
        /// # Safety
        /// As [`Block::run`], of the call's block.
        unsafe extern $abi fn run_block(call: *const Call) {
            // SAFETY: the caller's promise.
            unsafe { (*(*call).block.cast::<Block>()).run(&*call) }
        }
    };
}
#[cfg(target_arch = "x86_64")]
run_block!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
run_block!("C");
