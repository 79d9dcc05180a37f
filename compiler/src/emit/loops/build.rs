//! How a plan is made.

use super::deinterleave::{transposed_only, transposes};
use super::delay_lines::DelayLines;
use super::distribution::Distribution;
use super::distribution::members;
use super::residency::{cached, commuted, resident};
use super::schedule::{reads, scheduled};
use super::{Access, Action, Address, Carried, Loop, LoopPlan, Pointer, Rules, Scratch, StateUpdate};
use crate::ir::lanes::lane_of;
use crate::ir::{Body, DelayLine, Imm, Kernel, Op, Rate, Scalar, Value};
use crate::target::OptLevel;
use mam_grammar::Handle;
use mam_runtime::QUANTUM;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

impl LoopPlan {
    /// What an iteration of the loop at this index does not have, although it is known from before: hoisted values that are not
    /// resident in it, and what earlier loops have computed, which was that of another iteration. What it needs of them is loaded.
    pub fn loaded_anew(&self, index: usize) -> impl Iterator<Item = Value> + '_ {
        let resident = &self.loops[index].resident;
        let hoisted = self.hoisted.keys().copied().filter(move |value| !resident.contains(value));
        let earlier = self.loops[..index].iter().flat_map(|earlier| &earlier.body);
        hoisted.chain(earlier.filter_map(|action| match action {
            Action::Compute(value) | Action::Read { value, .. } | Action::FirstLane { value, .. } => {
                Some(*value)
            }
            _ => None,
        }))
    }

    /// The plan of a body's `setup`: everything that is computed once a segment, and where it is stored.
    pub fn setup(body: &Body, hoisted: &[(Value, usize)]) -> LoopPlan {
        LoopPlan { stores: hoisted.to_vec(), ..LoopPlan::before_loops(body, None, OptLevel::Best) }
    }

    /// The plan of a body. `hoisted` is what `setup` has computed and where, in the steady form; the general form has none.
    pub fn new(kernel: &Kernel, body: &Body, hoisted: Option<&[(Value, usize)]>, rules: &Rules) -> LoopPlan {
        let plan = LoopPlan::before_loops(body, hoisted, rules.level);
        let rates = &plan.rates;
        let (distribution, transposes) = match rules.distributes {
            true => (Distribution::distribute(kernel, body, rates, rules), transposes(body, rates)),
            false => (Distribution::single_loop(body), vec![]),
        };
        let lines = DelayLines::new(kernel, body, rates, &plan.known, hoisted.is_some());
        let mut passed = distribution.passed(body, rates);
        passed.extend(transposes.iter().map(|transpose| transpose.value));
        let scratch = scratch(body, &passed);
        let after = after_loops(body, rates, &distribution);
        let mut left_out = transposed_only(body, &transposes);
        left_out.extend(&after);
        let builder = Builder { body, rules, plan: &plan, distribution, lines, scratch, after, left_out };
        let preheaders = builder.preheaders();
        let loops: Vec<Loop> =
            (0..builder.distribution.count).map(|stage| builder.build(stage, &preheaders)).collect();
        let pointers = builder.pointers();
        let guard_copies = builder.lines.guard_copies();
        let last_uses = |of: &Loop| match rules.level {
            OptLevel::Best => builder.last_uses(of),
            OptLevel::Quick => FxHashMap::default(),
        };
        let commuted = commuted(body, &plan.rates, rules.machine, &loops, last_uses);
        let scratch = builder.scratch;
        LoopPlan { pointers, scratch, commuted, loops, transposes, guard_copies, ..plan }
    }

    /// What is known before there are loops.
    fn before_loops(body: &Body, hoisted: Option<&[(Value, usize)]>, level: OptLevel) -> LoopPlan {
        let rates = body.rates();
        let slow = |value: &Value| rates[value.index()] <= Rate::Segment;
        let mut known = vec![None; body.insts.len()];
        let mut prologue = vec![];
        if hoisted.is_none() {
            for value in body.insts.handles().filter(slow) {
                known[value.index()] = constant(body, &known, value);
                if known[value.index()].is_none() {
                    prologue.push(value);
                }
            }
        }
        for value in body.insts.handles() {
            known[value.index()] = known[value.index()].or_else(|| body.as_const(value));
        }
        let hoisted: BTreeMap<Value, usize> = hoisted.into_iter().flatten().copied().collect();
        let cached = match level {
            OptLevel::Quick => hoisted.keys().copied().collect(),
            OptLevel::Best => BTreeSet::new(),
        };
        LoopPlan { step: body.step, rates, known, prologue, hoisted, cached, ..LoopPlan::default() }
    }
}

/// What a value is, where that is known: a code generator would fold without flushing subnormals.
fn constant(body: &Body, known: &[Option<Imm>], value: Value) -> Option<Imm> {
    let inst = &body.insts[value];
    let args = inst.args.as_slice();
    let imm = |arg: &Value| known[arg.index()].or_else(|| body.as_const(*arg));
    match (inst.op, inst.op.row().meaning) {
        (Op::Const(imm), _) => Some(imm),
        (Op::Splat | Op::Extract(_), _) => imm(&args[0]),
        (_, Some(meaning)) => {
            let operands: Option<Vec<Imm>> = args.iter().map(imm).collect();
            Some(meaning(&operands?, inst.ty.scalar))
        }
        _ => None,
    }
}

/// Room for values in each iteration.
fn scratch(body: &Body, passed: &[Value]) -> Scratch {
    let iterations = QUANTUM as u32 / body.step;
    let mut scratch = Scratch::default();
    for value in passed {
        if let std::collections::btree_map::Entry::Vacant(slot) = scratch.offsets.entry(*value) {
            slot.insert(scratch.bytes);
            scratch.bytes += Scratch::SLOT * iterations;
        }
    }
    scratch
}

/// Values that are computed after the loops: those of which only a state that no loop reads is made, and that need no
/// more registers than their operands; and lanes that only instructions use which take them from their vectors. (In a loop,
/// a voice's `until` made each iteration wait for the one before: its flag goes into the low byte of a register that the
/// next iteration begins with.)
fn after_loops(body: &Body, rates: &[Rate], distribution: &Distribution) -> BTreeSet<Value> {
    let each_iteration = |value: &Value| rates[value.index()] == Rate::Sample;
    let users = body.insts.handles().filter(each_iteration);
    let mut used: BTreeSet<Value> = users.flat_map(|user| reads(body, rates, user)).collect();
    used.extend(body.outs.iter().copied());
    used.extend(body.writes.iter().map(|(_, value)| *value));
    used.extend(body.back_edges.iter().map(|(_, value)| *value));
    let read = body.sets.iter().filter(|(state, _)| distribution.reads(*state).is_some());
    used.extend(read.map(|(_, value)| *value));
    let narrow = |value: &Value| {
        let inst = &body.insts[*value];
        let moving = inst.args.as_slice().iter().filter(|arg| each_iteration(arg)).count();
        inst.op.row().meaning.is_some() && moving <= 1
    };
    let set: BTreeSet<Value> = body.sets.iter().map(|(_, value)| *value).collect();
    let is_after = |value: &Value| {
        let lane = lane_of(body, rates, *value).is_some();
        each_iteration(value) && !used.contains(value) && (lane || set.contains(value) && narrow(value))
    };
    body.insts.handles().filter(is_after).collect()
}

/// What an iteration of a loop finds at addresses of the loop, each where it first does.
fn addresses(body: &Body, of: &Loop) -> Vec<Address> {
    let guarded =
        |line| of.linear_writes.iter().find(|write| write.line == line).map(|write| write.with_guard);
    let address_of = |value: Value| of.linear_read(value).and_then(|read| read.after).unwrap_or(value);
    let mut addresses = vec![];
    for action in &of.body {
        match *action {
            Action::Compute(value) => match body.insts[value].op {
                Op::Input(i) => addresses.push(Address::Signal(Pointer::Input(i.index() as u32))),
                Op::Param(i) if body.ty(value).scalar == Scalar::F32 => {
                    addresses.push(Address::Signal(Pointer::Moving(i.index() as u32)));
                }
                _ => {}
            },
            Action::Read { value, access: Access::Linear, .. } => {
                addresses.push(Address::Read(address_of(value)))
            }
            Action::Output { index, .. } => addresses.push(Address::Signal(Pointer::Output(index as u32))),
            Action::Write { line, .. } => {
                let guard = guarded(line);
                addresses.extend(guard.map(|_| Address::Write(line)));
                addresses.extend(guard.filter(|with_guard| *with_guard).map(|_| Address::Guard(line)));
            }
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}

struct Builder<'a> {
    body: &'a Body,
    rules: &'a Rules<'a>,
    plan: &'a LoopPlan,
    distribution: Distribution,
    lines: DelayLines<'a>,
    scratch: Scratch,
    /// Values that are computed after the loops.
    after: BTreeSet<Value>,
    /// They, and values of which only outputs are made that are stored after the loops.
    left_out: BTreeSet<Value>,
}

impl Builder<'_> {
    fn build(&self, stage: usize, preheaders: &[Option<usize>]) -> Loop {
        let body = self.body;
        let members = members(body, &self.plan.rates, &self.distribution, stage, &self.left_out);
        let order = match self.rules.level {
            OptLevel::Best => scheduled(body, &self.plan.rates, members),
            OptLevel::Quick => members,
        };
        let written = body.writes.iter().filter(|write| self.distribution.writes(write) == stage);
        let writes: Vec<(Handle<DelayLine>, Value)> = written.copied().collect();
        let linear_reads = self.lines.linear_reads(&order);
        let linear_writes = self.lines.linear_writes(&writes);
        let (states, in_memory) = self.states(stage);
        let is_linear = |value: Value| linear_reads.iter().any(|read| read.value == value);
        let resident = resident(body, self.plan, self.rules.machine, &order, is_linear, states.len());
        let here = body.insts.handles().filter(|value| self.distribution.stage(*value) == stage);
        let counts_frames = writes.iter().any(|(line, _)| !self.lines.is_long(*line))
            || here.into_iter().any(|value| match body.insts[value].op {
                Op::Frame => true,
                Op::Read(_) => !is_linear(value),
                _ => false,
            });
        let of = Loop {
            preheader: body
                .insts
                .handles()
                .filter(|value| preheaders[value.index()] == Some(stage))
                .collect(),
            cached: match self.rules.level {
                OptLevel::Quick => self.plan.cached.clone(),
                OptLevel::Best => cached(body, self.plan, &order),
            },
            carried: self.carried(stage),
            body: self.iteration(stage, &order, &writes, &in_memory, is_linear),
            exit: self.exit(stage, &in_memory),
            linear_reads,
            linear_writes,
            resident,
            counts_frames,
            states,
            ..Loop::default()
        };
        let addresses = addresses(body, &of);
        let addresses_in_registers = addresses.len().min(self.room_for_addresses(stage, &of));
        Loop { addresses, addresses_in_registers, ..of }
    }

    /// How many addresses of a loop have registers: what is left beside what else it needs some for.
    fn room_for_addresses(&self, stage: usize, of: &Loop) -> usize {
        let body = self.body;
        let is_hoisted = |arg: &Value| self.plan.hoisted.contains_key(arg) && !of.resident.contains(arg);
        let uses_block = |action: &Action| match *action {
            Action::Store(_) => true,
            // Its operand was needed for the address.
            Action::Read { access: Access::Linear, .. } => false,
            Action::Compute(value) | Action::Read { value, .. } => {
                let inst = &body.insts[value];
                matches!(inst.op, Op::Get(_)) || inst.args.as_slice().iter().any(is_hoisted)
            }
            _ => false,
        };
        let is_last = stage + 1 == self.distribution.count;
        let block = !is_last || of.body.iter().chain(&of.exit).any(uses_block);
        let scratch = of.computed().any(|value| self.scratch.offsets.contains_key(&value));
        let lines: BTreeSet<_> = of
            .body
            .iter()
            .filter_map(|action| match *action {
                Action::Read { line, access: Access::Contiguous(_) | Access::Gather, .. } => Some(line),
                Action::Write { line, .. } if !self.lines.is_long(line) => Some(line),
                _ => None,
            })
            .collect();
        let looks_up = |value: Value| matches!(body.insts[value].op, Op::Table(_) | Op::Neighbours(_));
        let indices = if !lines.is_empty() || of.computed().any(looks_up) { 2 } else { 0 };
        let others = [block, scratch, of.counts_frames].into_iter().filter(|is| *is).count();
        self.rules.machine.most_addresses().saturating_sub(lines.len() + indices + others)
    }

    /// The states that a loop reads and sets: those in registers, and those that stay in memory.
    fn states(&self, stage: usize) -> (Vec<StateUpdate>, Vec<StateUpdate>) {
        let reads = self.body.sets.iter().filter(|(state, _)| self.distribution.reads(*state) == Some(stage));
        let mut states: Vec<StateUpdate> =
            reads.map(|&(state, value)| StateUpdate { state, value }).collect();
        let in_memory = states.split_off(states.len().min(self.rules.machine.most_carried()));
        (states, in_memory)
    }

    /// The loop-carried values of a loop: in registers, as many as there may be, and else in memory.
    fn carried(&self, stage: usize) -> Vec<Carried> {
        let body = self.body;
        let here = |value: &Value| {
            body.insts[*value].op == Op::LoopCarried && self.distribution.stage(*value) == stage
        };
        let carries = body.insts.handles().filter(here).enumerate();
        let carried = carries.map(|(i, value)| {
            let next =
                body.back_edges.iter().find(|(carry, _)| *carry == value).expect("the checker wants one").1;
            Carried { value, next, in_register: i < self.rules.machine.most_carried() }
        });
        carried.collect()
    }

    /// What an iteration does. A delay line is written when the frame is there and the line has been read, as the frame may
    /// take the place of the oldest.
    fn iteration(
        &self,
        stage: usize,
        order: &[Value],
        writes: &[(Handle<DelayLine>, Value)],
        in_memory: &[StateUpdate],
        is_linear: impl Fn(Value) -> bool,
    ) -> Vec<Action> {
        let body = self.body;
        let last = |(line, written): &(Handle<DelayLine>, Value)| {
            let is_last = |value: &Value| value == written || body.insts[*value].op == Op::Read(*line);
            order.iter().rposition(is_last)
        };
        let due: Vec<Option<usize>> = writes.iter().map(last).collect();
        let write = |&(line, value): &(Handle<DelayLine>, Value)| Action::Write { line, value };
        let is_last_loop = stage + 1 == self.distribution.count;
        let outputs = |value: Value| {
            let stores = is_last_loop && !self.left_out.contains(&value);
            let indices = (0..body.outs.len()).filter(move |index| stores && body.outs[*index] == value);
            indices.map(move |index| Action::Output { index, value })
        };
        let mut actions = vec![];
        for (at, &value) in order.iter().enumerate() {
            actions.push(self.compute(value, &is_linear));
            if self.scratch.offsets.contains_key(&value) {
                actions.push(Action::Spill(value));
            }
            actions.extend(outputs(value));
            actions
                .extend(writes.iter().zip(&due).filter(|(_, due)| **due == Some(at)).map(|(w, _)| write(w)));
        }
        actions.extend(writes.iter().zip(&due).filter(|(_, due)| due.is_none()).map(|(w, _)| write(w)));
        let outs: BTreeSet<Value> = body.outs.iter().copied().collect();
        let computed: BTreeSet<Value> = order.iter().copied().collect();
        actions.extend(outs.difference(&computed).flat_map(|value| outputs(*value)));
        actions.extend(in_memory.iter().map(|update| Action::Store(*update)));
        actions
    }

    fn compute(&self, value: Value, is_linear: &impl Fn(Value) -> bool) -> Action {
        let Op::Read(line) = self.body.insts[value].op else { return Action::Compute(value) };
        let access = if is_linear(value) { Access::Linear } else { self.lines.access(value, line) };
        Action::Read { value, line, access }
    }

    /// States that are set in a loop are stored after it, at once: through further loops they would keep their registers.
    fn exit(&self, stage: usize, in_memory: &[StateUpdate]) -> Vec<Action> {
        let mut actions = vec![];
        for set in self.body.sets.iter().filter(|set| self.distribution.sets(set) == stage) {
            let update = StateUpdate { state: set.0, value: set.1 };
            if in_memory.iter().any(|other| other.state == update.state) {
                continue;
            }
            if self.after.contains(&update.value) {
                actions.push(match self.splat_of(update.value, stage) {
                    Some(vector) => Action::FirstLane { value: update.value, vector },
                    None => Action::Compute(update.value),
                });
            }
            actions.push(Action::Store(update));
        }
        actions
    }

    /// A vector that is loop-carried with a value in all its lanes: it is at hand after its loop.
    fn splat_of(&self, value: Value, stage: usize) -> Option<Value> {
        let splats = |next: &Value| {
            let inst = &self.body.insts[*next];
            inst.op == Op::Splat && inst.args.as_slice()[0] == value
        };
        let vector = self.body.back_edges.iter().map(|(_, next)| *next).rfind(splats)?;
        let computed = self.distribution.stage(vector);
        let at_hand = computed == stage || computed < stage && !self.scratch.offsets.contains_key(&vector);
        at_hand.then_some(vector)
    }

    /// Before which loop each value is computed that is computed once a call. Where few enough go through loops, before
    /// all; else before the first that needs it, and before the state that it is made of is set: values that wait for
    /// their loop in memory may stay there. (Measured: a reverb of 16 combs a seventh faster so, FM voices a fifteenth
    /// slower, as their second loop waits for its live-in values.)
    fn preheaders(&self) -> Vec<Option<usize>> {
        let (body, distribution) = (self.body, &self.distribution);
        let mut first: Vec<Option<usize>> = vec![None; body.insts.len()];
        let sooner =
            |first: &mut Option<usize>, stage: usize| *first = Some(first.map_or(stage, |at| at.min(stage)));
        let leaves = body.sets.iter().map(|set| set.1).chain(body.back_edges.iter().map(|next| next.1));
        let leaves = leaves.chain(body.writes.iter().map(|write| write.1)).chain(body.outs.iter().copied());
        leaves.for_each(|value| sooner(&mut first[value.index()], 0));
        let set: FxHashMap<_, usize> = body.sets.iter().map(|set| (set.0, distribution.sets(set))).collect();
        for user in body.insts.handles().rev() {
            let inst = &body.insts[user];
            if let (Op::LiveIn(state), Some(_)) = (inst.op, first[user.index()])
                && let Some(stage) = set.get(&state)
            {
                sooner(&mut first[user.index()], *stage);
            }
            let stage = match self.plan.rates[user.index()] {
                Rate::Sample => Some(distribution.stage(user)),
                _ => first[user.index()],
            };
            if let Some(stage) = stage {
                inst.args.as_slice().iter().for_each(|arg| sooner(&mut first[arg.index()], stage));
            }
        }
        let each_call = |value: usize| self.plan.rates[value] == Rate::Call;
        let few = body.back_edges.len() <= self.rules.machine.most_resident();
        let before = |stage: usize| if few { 0 } else { stage };
        first.iter().enumerate().map(|(i, stage)| stage.filter(|_| each_call(i)).map(before)).collect()
    }

    /// The pointers that the loops need, in the order of the body.
    fn pointers(&self) -> Vec<Pointer> {
        let body = self.body;
        let mut pointers = vec![Pointer::State];
        let line = |line: Handle<DelayLine>| Pointer::Delay(line.index() as u32);
        for inst in body.insts.values() {
            pointers.push(match inst.op {
                Op::Param(i) if inst.ty.scalar == Scalar::F32 => Pointer::Moving(i.index() as u32),
                Op::Input(i) => Pointer::Input(i.index() as u32),
                Op::Read(of) if self.lines.wraps(of, inst.args.as_slice()[0]) => line(of),
                Op::Port(_, field) if field.is_onset() => Pointer::Ports,
                _ => continue,
            });
        }
        pointers
            .extend(body.writes.iter().filter(|(of, _)| !self.lines.is_long(*of)).map(|(of, _)| line(*of)));
        pointers.extend((0..body.outs.len()).map(|output| Pointer::Output(output as u32)));
        let mut seen = rustc_hash::FxHashSet::default();
        pointers.retain(|pointer| seen.insert(*pointer));
        pointers
    }

    /// Which instruction of a loop is the last to use a value that it computes or reads in each iteration; none where the
    /// value lives on.
    fn last_uses(&self, of: &Loop) -> FxHashMap<Value, Value> {
        let body = self.body;
        let each_iteration = |value: &Value| self.plan.rates[value.index()] == Rate::Sample;
        let mut last = FxHashMap::default();
        for user in of.computed() {
            let read = reads(body, &self.plan.rates, user).into_iter();
            last.extend(read.filter(each_iteration).map(|value| (value, user)));
        }
        let leaves = body.sets.iter().map(|(_, value)| value);
        let leaves = leaves.chain(body.back_edges.iter().map(|(_, value)| value)).chain(&body.outs);
        leaves.for_each(|value| _ = last.remove(value));
        for action in &of.body {
            if let Action::Write { value, .. } = action {
                last.remove(value);
            }
        }
        last
    }
}
