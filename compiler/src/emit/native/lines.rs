//! Delay lines.
//!
//! In the steady form, a call goes through a long line ([`LONG`]) from one place on, without looking for its end: behind
//! the line stands again what a call may read beyond it, and there is room for what it writes beyond it. Where it reads,
//! where it writes, and where that has to be written again are addresses that are found once, before the loops.
//! Everywhere else each frame's place is found by itself.

use super::body::Emitter;
use super::inst::{immediate, pack};
use super::memory::{Memory, Pointer, Region, entry, flags};
use crate::ir::{self, DelayLine, Imm, Op, Rate, Scalar};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use mam_runtime::{LONG, QUANTUM, mirrored};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Where a call finds long delay lines: addresses for its first frame.
#[derive(Default)]
pub(super) struct Straight {
    /// What each read reads.
    reads: BTreeMap<ir::Value, Value>,
    /// Where each line is written, and where again.
    writes: BTreeMap<Handle<DelayLine>, [Value; 2]>,
    /// The lines that are written again after the loops: the call reads nothing that it writes.
    later: Vec<Handle<DelayLine>>,
}

/// What is known of delay lines at one place of the code.
#[derive(Default)]
struct Known {
    /// The call's first frame.
    first: Option<Value>,
    /// The table of lines, and lines.
    table: Option<Value>,
    lines: BTreeMap<Handle<DelayLine>, Value>,
    /// Where lines of each length hold the first frame, in bytes.
    places: BTreeMap<u32, Value>,
}

impl Known {
    fn first(&mut self, b: &mut FunctionBuilder, memory: &Memory) -> Value {
        *self.first.get_or_insert_with(|| memory.frame(b))
    }
}

/// Where a line of so many frames holds an absolute frame, in bytes.
fn within(b: &mut FunctionBuilder, frame: Value, frames: u32) -> Value {
    let at = b.ins().band_imm_u(frame, i64::from(frames - 1));
    let at = b.ins().uextend(types::I64, at);
    b.ins().ishl_imm_u(at, 2)
}

impl Emitter<'_> {
    /// Finds out which long lines are written again after the loops.
    pub(super) fn plan_lines(&mut self) {
        let is_far = |ago| matches!(self.imm(ago), Some(Imm::I32(ago)) if ago >= QUANTUM as i32);
        let insts = self.body.insts.values();
        let near = insts.filter(|inst| inst.args.as_slice().iter().any(|ago| !is_far(*ago)));
        let near: FxHashSet<Op> = near.map(|inst| inst.op).collect();
        let lines = self.body.writes.iter().map(|(line, _)| *line);
        let later = |line: &Handle<DelayLine>| {
            self.body.step == 4 && self.is_long(*line) && !near.contains(&Op::Read(*line))
        };
        self.straight.later = lines.filter(later).collect();
    }

    /// Whether a call goes through a line from one place on.
    pub(super) fn is_long(&self, line: Handle<DelayLine>) -> bool {
        self.base.is_some() && self.kernel.delays[line].frames as usize >= LONG
    }

    /// Finds the long lines that a loop reads and writes.
    pub(super) fn straighten(
        &mut self,
        b: &mut FunctionBuilder,
        order: &[ir::Value],
        writes: &[(Handle<DelayLine>, ir::Value)],
    ) {
        let mut known = Known::default();
        self.straight.reads.clear();
        for &value in order {
            let (Op::Read(line), &[ago]) =
                (self.body.insts[value].op, self.body.insts[value].args.as_slice())
            else {
                continue;
            };
            let ago = match self.body.ty(ago).lanes {
                _ if !self.is_long(line) || self.rates[ago.index()] == Rate::Sample => None,
                1 => Some(self.value(b, ago)),
                _ => self.splatted(b, ago),
            };
            if let Some(ago) = ago {
                let address = self.place(b, &mut known, line, Some(ago));
                self.straight.reads.insert(value, address);
            }
        }
        self.straight.writes.clear();
        for &(line, _) in writes {
            if self.is_long(line) {
                let address = self.place(b, &mut known, line, None);
                let again = match self.straight.later.contains(&line) {
                    true => address,
                    false => {
                        let first = known.first(b, self.memory());
                        self.mirror(b, line, first, address, true)
                    }
                };
                self.straight.writes.insert(line, [address, again]);
            }
        }
    }

    /// Whether a turn needs its frame's index for a read.
    pub(super) fn seeks(&self, read: ir::Value) -> bool {
        !self.straight.reads.contains_key(&read)
    }

    /// Whether a turn needs its frame's index for a write.
    pub(super) fn seeks_to_write(&self, line: Handle<DelayLine>) -> bool {
        !self.straight.writes.contains_key(&line)
    }

    /// What was written so many frames ago.
    pub(super) fn read(
        &mut self,
        b: &mut FunctionBuilder,
        value: ir::Value,
        line: Handle<DelayLine>,
        given: ir::Value,
    ) -> Value {
        let (flags, lanes) = (flags(b, Region::Delay), self.body.ty(value).lanes);
        if let Some(first) = self.straight.reads.get(&value) {
            let address = b.ins().iadd(*first, self.turn.offset.expect("in a loop"));
            let ty = if lanes == 1 { types::F32 } else { types::F32X4 };
            return b.ins().load(ty, flags, address, 0);
        }
        let frame = self.frame(b, 0);
        if let (true, Some(ago)) = (self.has_neighbours(line), self.splatted(b, given)) {
            // Neighbours, also round the line's end.
            let at = b.ins().isub(frame, ago);
            let address = self.delay_address(b, line, at);
            return b.ins().load(types::F32X4, flags, address, 0);
        }
        let ago = self.value(b, given);
        let lanes: Vec<Value> = (0..lanes)
            .map(|lane| {
                let ago = self.lane(b, ago, self.body.ty(given), lane);
                let frame = self.frame(b, lane);
                let at = b.ins().isub(frame, ago);
                let address = self.delay_address(b, line, at);
                b.ins().load(types::F32, flags, address, 0)
            })
            .collect();
        if lanes.len() == 1 { lanes[0] } else { pack(b, &lanes, Scalar::F32) }
    }

    /// Writes a turn's frames.
    pub(super) fn write(&mut self, b: &mut FunctionBuilder, line: Handle<DelayLine>, value: ir::Value) {
        let (flags, ty) = (flags(b, Region::Delay), self.body.ty(value));
        let x = self.value(b, value);
        if let Some(places) = self.straight.writes.get(&line).copied() {
            let places = if self.straight.later.contains(&line) { &places[..1] } else { &places[..] };
            for &place in places {
                let address = b.ins().iadd(place, self.turn.offset.expect("in a loop"));
                b.ins().store(flags, x, address, 0);
            }
            return;
        }
        let whole = self.body.step == 4 && self.has_neighbours(line);
        for lane in 0..if whole { 1 } else { ty.lanes } {
            let frame = self.frame(b, lane);
            let address = self.delay_address(b, line, frame);
            let x = if whole { x } else { self.lane(b, x, ty, lane) };
            b.ins().store(flags, x, address, 0);
            let mirror = self.mirror(b, line, frame, address, whole);
            b.ins().store(flags, x, mirror, 0);
        }
    }

    /// Writes again what the loops wrote between two byte offsets, where that has two places. All lines of a length are
    /// at the same place of theirs, and seldom at one that has another.
    pub(super) fn mirror_lines(&mut self, b: &mut FunctionBuilder, start: Value, end: Value) {
        let mut of_length: BTreeMap<u32, Vec<Handle<DelayLine>>> = BTreeMap::new();
        for line in std::mem::take(&mut self.straight.later) {
            of_length.entry(self.kernel.delays[line].frames).or_default().push(line);
        }
        let flags = flags(b, Region::Delay);
        for lines in of_length.into_values() {
            let (first, none) = (self.memory().frame(b), b.ins().iconst(types::I64, 0));
            let away = self.mirror(b, lines[0], first, none, true);
            let once = b.ins().icmp_imm_u(IntCC::Equal, away, 0);
            let end = b.ins().select(once, start, end);
            self.each(b, (start, end), 4, |emitter, b, offset| {
                let mut known = Known::default();
                for line in &lines {
                    let from = emitter.place(b, &mut known, *line, None);
                    let from = b.ins().iadd(from, offset);
                    let to = b.ins().iadd(from, away);
                    let x = b.ins().load(types::F32X4, flags, from, 0);
                    b.ins().store(flags, x, to, 0);
                }
            });
        }
    }

    /// The other place of what begins at an address: after the line for its first frames; before it for the last ones,
    /// if they reach `beyond` it; else the same place.
    fn mirror(
        &mut self,
        b: &mut FunctionBuilder,
        line: Handle<DelayLine>,
        frame: Value,
        address: Value,
        beyond: bool,
    ) -> Value {
        let frames = self.kernel.delays[line].frames;
        let (frames, mirrored) = (i64::from(frames), mirrored(frames as usize) as i64);
        let at = b.ins().band_imm_u(frame, frames - 1);
        let (after, before) =
            (b.ins().iadd_imm_s(address, 4 * frames), b.ins().iadd_imm_s(address, -4 * frames));
        let first = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, at, mirrored);
        let place = b.ins().select(first, after, address);
        if !beyond {
            return place;
        }
        let last = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, at, frames - mirrored);
        b.ins().select(last, before, place)
    }

    /// Whether neighbours of a line are read and written at once: a vector is no longer than half of it.
    fn has_neighbours(&self, line: Handle<DelayLine>) -> bool {
        self.kernel.delays[line].frames >= 8
    }

    /// Where a delay line holds an absolute frame.
    fn delay_address(&mut self, b: &mut FunctionBuilder, line: Handle<DelayLine>, frame: Value) -> Value {
        let pointer = self.pointer(b, Pointer::Delay(line.index() as u32));
        let at = within(b, frame, self.kernel.delays[line].frames);
        b.ins().iadd(pointer, at)
    }

    /// Where a line holds the call's first frame, or the one so many before it. It is found anew, with what is known just
    /// here: what is known from before may not have a register any more.
    fn place(
        &mut self,
        b: &mut FunctionBuilder,
        known: &mut Known,
        line: Handle<DelayLine>,
        ago: Option<Value>,
    ) -> Value {
        let memory = self.memory();
        let first = known.first(b, memory);
        let table = *known.table.get_or_insert_with(|| memory.delays(b));
        let pointer = *known.lines.entry(line).or_insert_with(|| entry(b, table, line.index() as u32));
        let frames = self.kernel.delays[line].frames;
        let at = match ago {
            Some(ago) => {
                let frame = b.ins().isub(first, ago);
                within(b, frame, frames)
            }
            None => *known.places.entry(frames).or_insert_with(|| within(b, first, frames)),
        };
        b.ins().iadd(pointer, at)
    }

    /// The scalar that is the same in all lanes of a vector, where it is at hand.
    fn splatted(&mut self, b: &mut FunctionBuilder, vector: ir::Value) -> Option<Value> {
        let inst = &self.body.insts[vector];
        match (inst.op, self.imm(vector)) {
            _ if inst.ty.lanes == 1 => None,
            (_, Some(imm)) => Some(immediate(b, imm, 1)),
            (Op::Splat, None) => {
                let x = self.value(b, vector);
                Some(b.ins().extractlane(x, 0))
            }
            _ => None,
        }
    }
}
