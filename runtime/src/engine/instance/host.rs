//! A host's channels: heard and rendered where the host has them, by the call list.

use super::super::call_list::{ChannelSource, Placed};
use super::super::input::{self, Sound};
use super::super::memory::Buffers;
use super::Instance;
use crate::program::QUANTUM;

impl Instance {
    /// Lets the runners render the song's channels to the frames of `out` from `at` on, where they can: the list is valid. Returns
    /// false where `out` is not aligned as a kernel needs it.
    #[inline]
    pub(super) fn redirect(&mut self, out: &mut [&mut [f32]], at: usize) -> bool {
        self.is_redirected = true;
        let mut addresses = 0;
        for (channel, placed) in out.iter_mut().zip(&self.call_list.placed) {
            if let Placed::Direct { slot, .. } = *placed {
                let start = channel[at..].as_mut_ptr();
                addresses |= start.addr();
                // SAFETY: the slot is a runner's, and no kernel runs.
                unsafe { *slot = start };
            }
        }
        addresses.is_multiple_of(Buffers::LEAST_ALIGN)
    }

    /// Lets the runners hear and render to their own buffers again.
    #[inline]
    pub(super) fn restore_buffers(&mut self) {
        if std::mem::take(&mut self.is_redirected) {
            self.undo_redirection();
        }
    }

    #[inline(never)]
    fn undo_redirection(&mut self) {
        for heard in &self.call_list.heard {
            // SAFETY: as in `hear_quanta`.
            unsafe { self.call_list.read_from(heard, heard.own) };
        }
        for placed in &self.call_list.placed {
            if let Placed::Direct { slot, own } = *placed {
                // SAFETY: as in `redirect`: what the list was written for has not been moved, even if it is not valid any more.
                unsafe { *slot = own };
            }
        }
    }

    /// Copies the channels that are not rendered where they are asked for: so many quanta of them.
    #[inline(always)]
    pub(super) fn deliver(&self, out: &mut [&mut [f32]], at: usize, quanta: usize) {
        if out.len() > self.call_list.direct {
            self.copy_channels(out, at, quanta);
        }
    }

    #[inline(never)]
    fn copy_channels(&self, out: &mut [&mut [f32]], at: usize, quanta: usize) {
        let (placed, frames) = (&self.call_list.placed[..], at..at + quanta * QUANTUM);
        for index in self.call_list.direct..out.len() {
            let from = match placed.get(index) {
                Some(Placed::Direct { .. }) => continue,
                Some(&Placed::Same(earlier)) => out[earlier][frames.clone()].as_ptr(),
                Some(&Placed::Buffer(start)) => start,
                // The last channel stands for all that are beyond.
                None if placed.is_empty() => self.buffers.silence(),
                None => out[placed.len() - 1][frames.clone()].as_ptr(),
            };
            // SAFETY: channels are apart, a buffer has as many frames as are rendered in a row, and no kernel runs.
            unsafe { copy_quanta(out[index][frames.clone()].as_mut_ptr(), from, quanta) };
        }
    }

    /// How each of the song's channels is rendered where it is asked for, of a quantum by the call list.
    pub(super) fn place_channels(&mut self) {
        self.call_list.placed.clear();
        for (channel, (source, buffer)) in self.places.iter().zip(&self.outputs[1]).enumerate() {
            let placed = match *source {
                _ if self.propagation.output(channel) => Placed::Buffer(self.buffers.silence()),
                ChannelSource::Output { runner, output } => Placed::Direct {
                    slot: self.runners[runner].output_slot(output),
                    own: self.buffers.start(*buffer),
                },
                ChannelSource::Same(earlier) => Placed::Same(earlier),
                ChannelSource::Buffer => Placed::Buffer(self.buffers.start(*buffer)),
            };
            self.call_list.placed.push(placed);
        }
        let is_direct = |placed: &&Placed| matches!(placed, Placed::Direct { .. });
        self.call_list.direct = self.call_list.placed.iter().take_while(is_direct).count();
    }

    /// The next quanta, so many, by the call list hear what `sound` has for the host's frames from `at` on: where it is, if kernels may
    /// see all of it as it is, and else copies.
    #[inline(always)]
    pub(super) fn hear_quanta(&mut self, sound: impl Sound, at: usize, quanta: usize) {
        let list = &self.call_list;
        if list.heard.is_empty() {
            return;
        }
        let directly = list.heard.iter().map(|heard| {
            let samples = sound.channel(heard.channel, at).get(..quanta * QUANTUM)?;
            let is_aligned = samples.as_ptr().addr().is_multiple_of(Buffers::LEAST_ALIGN);
            if !is_aligned || !heard.may_be_direct {
                return None;
            }
            // SAFETY: the list is valid, no kernel runs, and none writes its inputs.
            unsafe { list.read_from(heard, samples.as_ptr().cast_mut()) };
            Some(samples)
        });
        if !input::are_normal(directly) {
            self.hear_copies(sound, at, quanta);
        }
    }

    /// Copies are heard, and silence where they are short.
    #[inline(never)]
    fn hear_copies(&mut self, sound: impl Sound, at: usize, quanta: usize) {
        for heard in &self.call_list.heard {
            let into = self.buffers.first_quanta_mut(self.inputs[heard.channel], quanta);
            input::copy(into, sound.channel(heard.channel, at));
            // SAFETY: as in `hear_quanta`.
            unsafe { self.call_list.read_from(heard, heard.own) };
        }
    }
}

/// Copies quanta, in vectors of four: see [`Product`](super::super::step::Product).
///
/// # Safety
/// There are so many at both addresses, apart from each other.
#[inline(always)]
unsafe fn copy_quanta(to: *mut f32, from: *const f32, quanta: usize) {
    let (to, from) = (to.cast::<[f32; 4]>(), from.cast::<[f32; 4]>());
    for quantum in 0..quanta {
        for four in 0..QUANTUM / 4 {
            let at = quantum * (QUANTUM / 4) + four;
            // SAFETY: the caller's promise.
            unsafe { *to.add(at) = *from.add(at) };
        }
    }
}
