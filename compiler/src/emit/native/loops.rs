//! The loops of a body, and what goes round in them.

use super::CARRIED;
use super::body::{Emitter, Turn, clif, stored};
use super::deinterleave::{apart, left_out};
use super::distribution::Stages;
use super::inst::extract;
use super::memory::{Pointer, Region, flags};
use super::schedule::{ordered, own, reads};
use crate::ir::lanes::lane_of;
use crate::ir::{self, Op, PortField, Rate, Scalar, StateSlot};
use crate::target::OptLevel;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use mam_grammar::Handle;
use mam_runtime::QUANTUM;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a value that one loop leaves for another, in each turn: of whatever type.
const PASSED: u32 = 16;

/// Most values, held or carried, that a loop keeps in registers. The rest of the sixteen is for what it computes.
/// (Measured with 4 to 14: 64 FM voices a tenth faster with 8 to 12, a drum song a twentieth with 10.)
const NEAR: usize = 10;
/// How often a loop uses a held value that it reads but once a turn.
const OFTEN: usize = 3;

/// What one loop computes.
struct Loop {
    /// Its number.
    stage: usize,
    /// The states that it reads and sets: those carried in registers, and those that stay in memory.
    carried: Vec<Handle<StateSlot>>,
    in_memory: Vec<Handle<StateSlot>>,
    /// Delay lines that it writes.
    writes: Vec<(Handle<ir::DelayLine>, ir::Value)>,
    /// Whether it writes the outputs.
    last: bool,
}

impl Emitter<'_> {
    /// The loops, from the byte offset `start` to `end`; at least one turn. Long turns may be split.
    pub(super) fn turns(&mut self, b: &mut FunctionBuilder, start: Value, end: Value, split: bool) {
        self.pointers(b);
        self.plan_lines();
        let stages = if split { Stages::of(self.body, &self.rates) } else { Stages::one(self.body) };
        let apart = if split { apart(self.body, &self.rates) } else { vec![] };
        let mut passed = stages.passed(self.body, &self.rates);
        passed.extend(apart.iter().map(|of| of.value));
        self.make_room(b, &passed);
        self.left_out = left_out(self.body, &apart);
        let ends = self.ends(&stages);
        self.left_out.extend(&ends);
        let begins = self.begins(&stages);
        let splats: FxHashMap<ir::Value, ir::Value> = self
            .body
            .back_edges
            .iter()
            .filter_map(|(_, next)| {
                let inst = &self.body.insts[*next];
                (inst.op == Op::Splat).then(|| (inst.args.as_slice()[0], *next))
            })
            .collect();
        for stage in 0..stages.count {
            for value in self.body.insts.handles().filter(|value| begins[value.index()] == Some(stage)) {
                self.inst(b, value);
            }
            let of = self.part(&stages, stage);
            self.run(b, &stages, &of, (start, end));
            // At once: through further loops they would keep their registers.
            let due = |set: &&(Handle<StateSlot>, ir::Value)| {
                stages.sets(set) == stage && !of.in_memory.contains(&set.0)
            };
            for &(state, value) in self.body.sets.iter().filter(due) {
                if ends.contains(&value) {
                    self.end(b, value, splats.get(&value).copied());
                }
                self.store_state(b, state);
            }
        }
        self.store_apart(b, &apart, start, end);
        self.mirror_lines(b, start, end);
    }

    /// Before which loop each value is computed that is computed once a call. Where few enough go through loops, before
    /// all; else before the first that needs it, and before the state that it is made of is set: values that wait for
    /// their loop in memory may stay there. (Measured: a reverb of 16 combs a seventh faster so, FM voices a fifteenth
    /// slower, as their second loop waits for what it begins with.)
    fn begins(&self, stages: &Stages) -> Vec<Option<usize>> {
        let body = self.body;
        let mut begins: Vec<Option<usize>> = vec![None; body.insts.len()];
        let sooner = |begins: &mut Option<usize>, stage: usize| {
            *begins = Some(begins.map_or(stage, |at| at.min(stage)))
        };
        let leaves = body.sets.iter().map(|set| set.1).chain(body.back_edges.iter().map(|next| next.1));
        let leaves = leaves.chain(body.writes.iter().map(|write| write.1)).chain(body.outs.iter().copied());
        leaves.for_each(|value| sooner(&mut begins[value.index()], 0));
        let set: FxHashMap<_, usize> = body.sets.iter().map(|set| (set.0, stages.sets(set))).collect();
        for user in body.insts.handles().rev() {
            let inst = &body.insts[user];
            if let (Op::LiveIn(state), Some(_)) = (inst.op, begins[user.index()])
                && let Some(stage) = set.get(&state)
            {
                sooner(&mut begins[user.index()], *stage);
            }
            let stage = match self.rates[user.index()] {
                Rate::Sample => Some(stages.stage(user)),
                _ => begins[user.index()],
            };
            if let Some(stage) = stage {
                inst.args.as_slice().iter().for_each(|arg| sooner(&mut begins[arg.index()], stage));
            }
        }
        let each_call = |value: usize| self.rates[value] == Rate::Call;
        let few = body.back_edges.len() <= NEAR;
        let begin = |stage: usize| if few { 0 } else { stage };
        begins.iter().enumerate().map(|(i, stage)| stage.filter(|_| each_call(i)).map(begin)).collect()
    }

    /// Values of which only a state that no loop reads is made, and that need no more registers than what they are made
    /// of; and lanes that nobody reads who does not take them from their vectors: they are computed after the loops. (In
    /// a loop, a voice's `until` made each turn wait for the one before: its flag goes into the low byte of a register
    /// that the next turn begins with.)
    fn ends(&self, stages: &Stages) -> BTreeSet<ir::Value> {
        let each_turn = |value: &ir::Value| self.rates[value.index()] == Rate::Sample;
        let users = self.body.insts.handles().filter(each_turn);
        let mut used: BTreeSet<ir::Value> =
            users.flat_map(|user| reads(self.body, &self.rates, user)).collect();
        used.extend(self.body.outs.iter().copied());
        used.extend(self.body.writes.iter().map(|(_, value)| *value));
        used.extend(self.body.back_edges.iter().map(|(_, value)| *value));
        let read = self.body.sets.iter().filter(|(state, _)| stages.reads(*state).is_some());
        used.extend(read.map(|(_, value)| *value));
        let narrow = |value: &ir::Value| {
            let inst = &self.body.insts[*value];
            let moves = inst.args.as_slice().iter().filter(|arg| each_turn(arg)).count();
            inst.op.row().meaning.is_some() && moves <= 1
        };
        let set: BTreeSet<ir::Value> = self.body.sets.iter().map(|(_, value)| *value).collect();
        let is_end = |value: &ir::Value| {
            let lane = lane_of(self.body, &self.rates, *value).is_some();
            each_turn(value) && !used.contains(value) && (lane || set.contains(value) && narrow(value))
        };
        self.body.insts.handles().filter(is_end).collect()
    }

    /// Computes a value after the loops. One that is carried in all lanes of a vector, its `splat`, is there anyway.
    fn end(&mut self, b: &mut FunctionBuilder, value: ir::Value, splat: Option<ir::Value>) {
        match splat.and_then(|splat| self.values[splat.index()]) {
            Some(x) => self.values[value.index()] = Some(extract(b, x, self.body.ty(value).scalar, 0)),
            None => self.inst(b, value),
        }
    }

    /// Makes room for values that are left in each turn.
    fn make_room(&mut self, b: &mut FunctionBuilder, values: &[ir::Value]) {
        let turns = QUANTUM as u32 / self.body.step;
        for value in values {
            let at = PASSED * turns * self.passed.len() as u32;
            self.passed.entry(*value).or_insert(at);
        }
        let bytes = PASSED * turns * self.passed.len() as u32;
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4);
        self.room = (bytes > 0).then(|| b.create_sized_stack_slot(data));
    }

    fn part(&self, stages: &Stages, stage: usize) -> Loop {
        let reads = |state: &Handle<StateSlot>| stages.reads(*state) == Some(stage);
        let states = self.body.sets.iter().map(|(state, _)| *state);
        let mut carried: Vec<_> = states.filter(reads).collect();
        let in_memory = carried.split_off(carried.len().min(CARRIED));
        let writes = self.body.writes.iter().filter(|write| stages.writes(write) == stage);
        Loop { stage, carried, in_memory, writes: writes.copied().collect(), last: stage + 1 == stages.count }
    }

    fn run(&mut self, b: &mut FunctionBuilder, stages: &Stages, of: &Loop, (start, end): (Value, Value)) {
        let (block, exit) = (b.create_block(), b.create_block());
        let own = own(self.body, &self.rates, stages, of.stage, &self.left_out);
        let order = if self.level == OptLevel::Best { ordered(self.body, &self.rates, own) } else { own };
        self.straighten(b, &order, &of.writes);
        let near = self.bring_near(b, &order, of);
        let mut entry: Vec<BlockArg> = vec![start.into()];
        let offset = b.append_block_param(block, types::I64);
        self.turn = Turn { offset: Some(offset), ..Turn::default() };
        if self.needs_frame(stages, of) {
            let first = self.memory().frame(b);
            let skipped = b.ins().ireduce(types::I32, start);
            let skipped = b.ins().ushr_imm_u(skipped, 2);
            entry.push(b.ins().iadd(first, skipped).into());
            self.turn.frame = Some(b.append_block_param(block, types::I32));
        }
        for state in &of.carried {
            entry.push(self.load_state(b, *state).into());
            let value = b.append_block_param(block, clif(self.state_type(*state)));
            self.carried.insert(*state, value);
        }
        let carries = self.carries(b, block, &mut entry, stages, of.stage);
        b.ins().jump(block, &entry);

        b.switch_to_block(block);
        self.forget(stages, of.stage, &near);
        let due = self.due(&order, of);
        self.often = self.often(&order);
        if self.level == OptLevel::Best {
            self.last_use = self.last_uses(&order, of);
        }
        for &value in &order {
            self.inst(b, value);
            self.leave(b, value);
            self.put_out(b, of, value);
            for (line, written) in due.iter().filter(|(last, ..)| *last == value).map(|(_, write)| write) {
                self.write(b, *line, *written);
            }
        }
        self.finish(b, of, &due, &order);
        let step = i64::from(self.body.step);
        let next = b.ins().iadd_imm_s(offset, 4 * step);
        let mut again: Vec<BlockArg> = vec![next.into()];
        if let Some(frame) = self.turn.frame {
            again.push(b.ins().iadd_imm_s(frame, step).into());
        }
        for state in &of.carried {
            again.push(self.new_state(b, *state).into());
        }
        for carry in &carries {
            again.push(self.next(b, *carry).into());
        }
        self.keep(b, stages, of.stage);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        b.ins().brif(more, block, &again, exit, &[]);
        b.switch_to_block(exit);
    }

    /// Reads the held values that a loop uses before it, where they and what it carries are few enough to have registers.
    fn bring_near(&mut self, b: &mut FunctionBuilder, order: &[ir::Value], of: &Loop) -> BTreeSet<ir::Value> {
        // Where a line is read from one place on, it has been asked how long ago.
        let users = order.iter().filter(|value| self.seeks(**value));
        let operands = users.flat_map(|value| self.body.insts[*value].args.as_slice());
        let held: BTreeSet<ir::Value> =
            operands.copied().filter(|value| self.held.contains_key(value)).collect();
        if held.len() + of.carried.len() > NEAR {
            return BTreeSet::new();
        }
        for &value in &held {
            self.values[value.index()] = self.held(b, value);
        }
        held
    }

    /// Forgets what was read before, of what is held elsewhere or what earlier loops left: each turn reads it anew.
    fn forget(&mut self, stages: &Stages, stage: usize, near: &BTreeSet<ir::Value>) {
        self.held
            .keys()
            .filter(|value| !near.contains(value))
            .for_each(|value| self.values[value.index()] = None);
        let passed = self.passed.keys().filter(|value| stages.stage(**value) < stage);
        passed.for_each(|value| self.values[value.index()] = None);
    }

    /// What an earlier loop has left.
    pub(super) fn passed(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Option<Value> {
        let at = *self.passed.get(&value)?;
        let ty = self.body.ty(value);
        let (address, flags) = (self.passing(b), flags(b, Region::Passed));
        let x = b.ins().load(stored(ty), flags, address, at as i32);
        let x = self.narrow(b, x, ty);
        self.values[value.index()] = Some(x);
        Some(x)
    }

    /// The present turn's place in the room for what is left.
    fn passing(&mut self, b: &mut FunctionBuilder) -> Value {
        if let Some(known) = self.turn.room {
            return known;
        }
        let first = b.ins().stack_addr(types::I64, self.room.expect("made for them"), 0);
        let offset = self.turn.offset.expect("in a loop");
        let offset = match self.body.step {
            1 => b.ins().ishl_imm_u(offset, 2),
            _ => offset,
        };
        *self.turn.room.insert(b.ins().iadd(first, offset))
    }

    /// The held values that some instructions use [`OFTEN`].
    fn often(&self, order: &[ir::Value]) -> BTreeSet<ir::Value> {
        let mut uses: BTreeMap<ir::Value, usize> = BTreeMap::new();
        let operands = order.iter().flat_map(|value| self.body.insts[*value].args.as_slice());
        operands
            .filter(|arg| self.held.contains_key(arg))
            .for_each(|arg| *uses.entry(*arg).or_default() += 1);
        uses.into_iter().filter(|(_, uses)| *uses >= OFTEN).map(|(value, _)| value).collect()
    }

    /// Which of some instructions is the last to use a value that it computes or reads in each turn; none where the value
    /// lives on.
    fn last_uses(&self, order: &[ir::Value], of: &Loop) -> FxHashMap<ir::Value, ir::Value> {
        let each_turn = |value: &ir::Value| self.rates[value.index()] == Rate::Sample;
        let mut last = FxHashMap::default();
        for user in order {
            let read = reads(self.body, &self.rates, *user).into_iter();
            last.extend(read.filter(each_turn).map(|value| (value, *user)));
        }
        let leaves = self.body.sets.iter().map(|(_, value)| value);
        let leaves = leaves.chain(self.body.back_edges.iter().map(|(_, value)| value)).chain(&self.body.outs);
        leaves.chain(of.writes.iter().map(|(_, value)| value)).for_each(|value| _ = last.remove(value));
        last
    }

    /// After which instruction of a loop each of its writes to a delay line is done: when the frame is there and the line
    /// has been read, as the frame may take the place of the oldest.
    fn due(&self, order: &[ir::Value], of: &Loop) -> Vec<(ir::Value, (Handle<ir::DelayLine>, ir::Value))> {
        let last = |(line, written): &(Handle<ir::DelayLine>, ir::Value)| {
            let mut backwards = order.iter().rev();
            backwards
                .find(|value| *value == written || self.body.insts[**value].op == Op::Read(*line))
                .copied()
        };
        of.writes.iter().filter_map(|write| Some((last(write)?, *write))).collect()
    }

    /// Leaves a value for later loops, if one needs it.
    fn leave(&mut self, b: &mut FunctionBuilder, value: ir::Value) {
        if let Some(at) = self.passed.get(&value).copied() {
            let x = self.value(b, value);
            let x = self.widen(b, x, self.body.ty(value));
            let (address, flags) = (self.passing(b), flags(b, Region::Passed));
            b.ins().store(flags, x, address, at as i32);
        }
    }

    /// Writes the outputs that a value is, if any.
    fn put_out(&mut self, b: &mut FunctionBuilder, of: &Loop, value: ir::Value) {
        if !of.last || self.left_out.contains(&value) {
            return;
        }
        for index in (0..self.body.outs.len()).filter(|index| self.body.outs[*index] == value) {
            let (x, signal) = (self.value(b, value), flags(b, Region::Signal));
            let address = self.signal(b, Pointer::Output(index as u32));
            b.ins().store(signal, x, address, 0);
        }
    }

    /// What leaves a turn at its end: frames of delay lines that it neither computes nor has read, outputs that it does not
    /// compute, states that stay in memory.
    fn finish(
        &mut self,
        b: &mut FunctionBuilder,
        of: &Loop,
        due: &[(ir::Value, (Handle<ir::DelayLine>, ir::Value))],
        order: &[ir::Value],
    ) {
        let others = of.writes.iter().filter(|write| due.iter().all(|(_, other)| other != *write));
        for (line, value) in others {
            self.write(b, *line, *value);
        }
        let outs: BTreeSet<ir::Value> = self.body.outs.iter().copied().collect();
        outs.into_iter().filter(|value| !order.contains(value)).for_each(|value| self.put_out(b, of, value));
        for state in &of.in_memory {
            self.store_state(b, *state);
        }
    }

    /// Begins what is carried from turn to turn: in registers, which are parameters of the loop's block, as many as
    /// there may be, and else on the stack. The result is those in registers.
    fn carries(
        &mut self,
        b: &mut FunctionBuilder,
        block: Block,
        entry: &mut Vec<BlockArg>,
        stages: &Stages,
        stage: usize,
    ) -> Vec<ir::Value> {
        let body = self.body;
        let mut registers = vec![];
        let here = |value: ir::Value| body.insts[value].op == Op::LoopCarried && stages.stage(value) == stage;
        for value in body.insts.handles().filter(|value| here(*value)) {
            let start = self.value(b, body.insts[value].args.as_slice()[0]);
            if registers.len() < CARRIED {
                entry.push(start.into());
                self.values[value.index()] = Some(b.append_block_param(block, clif(body.ty(value))));
                registers.push(value);
            } else {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, PASSED, 4);
                let slot = b.create_sized_stack_slot(data);
                b.ins().stack_store(types::I64, start, slot, 0);
                self.slots.insert(value, slot);
            }
        }
        registers
    }

    /// What is carried, in this turn.
    pub(super) fn carried(&mut self, b: &mut FunctionBuilder, value: ir::Value) -> Value {
        match self.slots.get(&value) {
            Some(slot) => b.ins().stack_load(types::I64, clif(self.body.ty(value)), *slot, 0),
            None => self.values[value.index()].expect("a parameter of the loop's block"),
        }
    }

    /// What a `carry` is in the next turn.
    fn next(&mut self, b: &mut FunctionBuilder, carry: ir::Value) -> Value {
        let next = self.body.back_edges.iter().find(|(other, _)| *other == carry);
        let (_, next) = next.expect("the checker wants one");
        self.value(b, *next)
    }

    /// Stores what is carried on the stack.
    fn keep(&mut self, b: &mut FunctionBuilder, stages: &Stages, stage: usize) {
        let here = self.slots.iter().filter(|(value, _)| stages.stage(**value) == stage);
        let slots: Vec<(ir::Value, StackSlot)> = here.map(|(value, slot)| (*value, *slot)).collect();
        let back_edges: Vec<Value> = slots.iter().map(|(value, _)| self.next(b, *value)).collect();
        for ((_, slot), next) in slots.into_iter().zip(back_edges) {
            b.ins().stack_store(types::I64, next, slot, 0);
        }
    }

    /// Loads all pointers that the loops need.
    fn pointers(&mut self, b: &mut FunctionBuilder) {
        self.pointer(b, Pointer::State);
        for inst in self.body.insts.values() {
            match inst.op {
                Op::Param(i) if inst.ty.scalar == Scalar::F32 => self.pointer(b, Pointer::Moving(i)),
                Op::Input(i) => self.pointer(b, Pointer::Input(i)),
                Op::Read(line)
                    if !self.is_long(line) || self.rates[inst.args.as_slice()[0].index()] == Rate::Sample =>
                {
                    self.pointer(b, Pointer::Delay(line.index() as u32))
                }
                Op::Port(_, PortField::Trig) => self.pointer(b, Pointer::Ports),
                _ => continue,
            };
        }
        for (line, _) in &self.body.writes {
            if !self.is_long(*line) {
                self.pointer(b, Pointer::Delay(line.index() as u32));
            }
        }
        for output in 0..self.body.outs.len() {
            self.pointer(b, Pointer::Output(output as u32));
        }
    }

    fn needs_frame(&self, stages: &Stages, of: &Loop) -> bool {
        let needs = |value: ir::Value| match self.body.insts[value].op {
            Op::Frame => true,
            Op::Read(_) => self.seeks(value),
            _ => false,
        };
        let mut insts = self.body.insts.handles().filter(|value| stages.stage(*value) == of.stage);
        of.writes.iter().any(|(line, _)| self.seeks_to_write(*line)) || insts.any(needs)
    }
}
