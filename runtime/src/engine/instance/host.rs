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

    /// Copies the channels that are not rendered where they are asked for.
    #[inline]
    pub(super) fn deliver(&self, out: &mut [&mut [f32]], at: usize, frames: usize) {
        if out.len() > self.call_list.direct {
            self.copy_channels(out, at, frames);
        }
    }

    fn copy_channels(&self, out: &mut [&mut [f32]], at: usize, frames: usize) {
        let placed = &self.call_list.placed;
        // The last channel stands for all that are beyond.
        let beyond = match placed.len() {
            0 => Placed::Buffer(self.buffers.silence()),
            channels => Placed::Same(channels - 1),
        };
        for index in 0..out.len() {
            let (before, rest) = out.split_at_mut(index);
            let to = &mut rest[0][at..at + frames];
            match *placed.get(index).unwrap_or(&beyond) {
                Placed::Direct { .. } => {}
                Placed::Same(earlier) => copy_quanta(to, &before[earlier][at..at + frames]),
                Placed::Buffer(start) => {
                    // SAFETY: a buffer has as many frames as are rendered in a row, and no kernel runs.
                    copy_quanta(to, unsafe { std::slice::from_raw_parts(start, frames) })
                }
            }
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

    /// The next quanta, so many, by the call list hear what `sound` has for the host's frames from `at` on. What a kernel may see as
    /// it is, is heard where it is; else it is copied.
    #[inline]
    pub(super) fn hear_quanta(&mut self, sound: Sound, at: usize, quanta: usize) {
        for heard in &self.call_list.heard {
            let samples = sound.channel(heard.channel, at);
            let direct = samples.get(..quanta * QUANTUM).filter(|samples| {
                let is_aligned = samples.as_ptr().addr().is_multiple_of(Buffers::LEAST_ALIGN);
                heard.may_be_direct && is_aligned && input::are_normal(samples)
            });
            let start = match direct {
                Some(samples) => samples.as_ptr().cast_mut(),
                None => {
                    input::copy(self.buffers.first_quanta_mut(self.inputs[heard.channel], quanta), samples);
                    heard.own
                }
            };
            // SAFETY: the list is valid, no kernel runs, and none writes its inputs.
            unsafe { self.call_list.read_from(heard, start) };
        }
    }
}

/// Copies whole quanta, whose length is known and needs no call.
#[inline]
fn copy_quanta(to: &mut [f32], from: &[f32]) {
    let quanta = from.as_chunks::<QUANTUM>().0;
    to.as_chunks_mut::<QUANTUM>().0.iter_mut().zip(quanta).for_each(|(to, from)| *to = *from);
}
