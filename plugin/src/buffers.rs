//! The channels of a host's block.

use clap_sys::process::clap_process;
use mam_package::MOST_CHANNELS;
use mam_runtime::Engine;

/// Channels of a song's `in`, at most.
const MOST_INPUTS: usize = 2;

/// The channels of a block, of which some frames may have been rendered.
pub(crate) struct Buffers<'p> {
    inputs: [&'p [f32]; MOST_INPUTS],
    outputs: [&'p mut [f32]; MOST_CHANNELS],
    /// How many there are of both.
    counts: (usize, usize),
    /// The engine's frame at the block's beginning.
    start: u64,
}

impl<'p> Buffers<'p> {
    /// The channels of the first ports, as many as a song can have; `None` where no output has samples of 32 bits.
    ///
    /// # Safety
    /// All that `process` leads to is the host's, outlives the result, and is used by nothing else meanwhile.
    pub(crate) unsafe fn borrow(process: &'p clap_process, start: u64) -> Option<Buffers<'p>> {
        let mut all = Buffers {
            inputs: [&[]; MOST_INPUTS],
            outputs: std::array::from_fn(|_| Default::default()),
            counts: (0, 0),
            start,
        };
        let frames = process.frames_count as usize;
        // SAFETY: each port of the host has as many channels as it says, and each of these a block of samples.
        unsafe {
            let input = process.audio_inputs.as_ref().filter(|_| process.audio_inputs_count > 0);
            if let Some(input) = input.filter(|input| !input.data32.is_null()) {
                for channel in 0..(input.channel_count as usize).min(MOST_INPUTS) {
                    let samples = (*input.data32.add(channel)).cast_const();
                    if samples.is_null() {
                        break;
                    }
                    all.inputs[channel] = std::slice::from_raw_parts(samples, frames);
                    all.counts.0 += 1;
                }
            }
            let output = process.audio_outputs.as_mut().filter(|_| process.audio_outputs_count > 0)?;
            output.constant_mask = 0;
            if output.data32.is_null() {
                return None;
            }
            for channel in 0..(output.channel_count as usize).min(MOST_CHANNELS) {
                let samples = *output.data32.add(channel);
                if samples.is_null() {
                    return None;
                }
                all.outputs[channel] = std::slice::from_raw_parts_mut(samples, frames);
                all.counts.1 += 1;
            }
        }
        (all.counts.1 > 0).then_some(all)
    }

    /// Renders the frames of the block before one of the engine that are not rendered yet. \[audio\]
    pub(crate) fn render(&mut self, engine: &mut Engine, until: u64) {
        let [from, to] = [engine.position(), until].map(|frame| frame.saturating_sub(self.start) as usize);
        if from >= to {
            return;
        }
        let (inputs, outputs) = self.counts;
        let input = self.inputs.map(|channel| channel.get(from..to).unwrap_or(&[]));
        let mut output: [&mut [f32]; MOST_CHANNELS] = std::array::from_fn(|_| Default::default());
        for (part, whole) in output.iter_mut().zip(&mut self.outputs[..outputs]) {
            *part = whole.get_mut(from..to).unwrap_or_default();
        }
        engine.process_block(&input[..inputs], &mut output[..outputs]);
    }
}
