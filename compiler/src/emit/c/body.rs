//! One body of a kernel as C, as its plan says.
//!
//! Statements are made from the last to the first, so that it is known of each value whether anything uses it, and where it
//! has to be declared.

use super::literal::{constant, ctype};
use crate::emit::loops::{Access, Action, Loop, LoopPlan, StateUpdate, Uniform};
use crate::ir::layout::Layout;
use crate::ir::{Body, DelayLine, Kernel, Module, Scalar, StateSlot, Type, Value};
use mam_grammar::Handle;
use std::collections::BTreeSet;

/// What a body is written from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) module: &'a Module,
    pub(super) kernel: &'a Kernel,
    pub(super) layout: &'a Layout,
    pub(super) body: &'a Body,
    pub(super) plan: &'a LoopPlan,
}

/// What statements need of what stands before them.
#[derive(Clone, Default)]
pub(super) struct Needs {
    pub(super) values: BTreeSet<Value>,
    /// The tables of the call, as the names of C variables.
    pub(super) pointers: BTreeSet<(&'static str, u32)>,
    /// The block of state memory.
    pub(super) state: bool,
    /// The absolute index of the call's first frame.
    pub(super) first: bool,
    /// Values that go from loop to loop.
    slots: BTreeSet<Value>,
}

/// Writes one body.
pub(super) struct Writer<'a> {
    pub(super) from: Source<'a>,
    pub(super) needs: Needs,
    /// Lines, the last one first.
    lines: Vec<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(from: Source<'a>) -> Writer<'a> {
        Writer { from, needs: Needs::default(), lines: vec![] }
    }

    /// Statements that compute what the steady form hoists, and store it.
    pub(super) fn setup(mut self) -> Vec<String> {
        let plan = self.from.plan;
        for &(value, at) in plan.stores.iter().rev() {
            let (x, ty) = (self.value(value), self.from.body.ty(value));
            let store = self.store(at, ty, &x);
            self.put(1, store);
        }
        self.prologue();
        self.finish()
    }

    /// Statements that compute the frames from `t` to `end`, and leave `t` there.
    pub(super) fn steady(mut self) -> Vec<String> {
        self.put(1, "}".into());
        self.loops();
        self.put(1, "if (t < end) {".into());
        if let Some(condition) = self.from.body.only_if {
            let condition = self.value(condition);
            self.put(1, format!("if (!{condition}) end = 0;"));
        }
        self.finish()
    }

    /// Statements that compute all frames.
    pub(super) fn general(mut self) -> Vec<String> {
        self.put(1, "}".into());
        self.loops();
        self.put(1, "{".into());
        self.prologue();
        self.finish()
    }

    /// Adds a line before those that there are.
    fn put(&mut self, depth: usize, line: String) {
        self.lines.push(format!("{}{line}", "    ".repeat(depth)));
    }

    fn prologue(&mut self) {
        for &value in self.from.plan.prologue.iter().rev() {
            self.define(1, value);
        }
    }

    /// Declares what is needed of the call, and gives the lines in order.
    fn finish(mut self) -> Vec<String> {
        let plan = self.from.plan;
        let hoisted: Vec<(Value, usize)> = plan.hoisted.iter().map(|(value, at)| (*value, *at)).collect();
        for (value, at) in hoisted.into_iter().rev() {
            if self.needs.values.remove(&value) {
                let ty = self.from.body.ty(value);
                let load = self.load(at, ty);
                self.put(1, format!("{} const {} = {load};", ctype(ty), name(value)));
            }
        }
        let missing: Vec<String> = self.needs.values.iter().map(|value| name(*value)).collect();
        debug_assert!(missing.is_empty(), "nothing computes {}", missing.join(", "));
        let pointers: Vec<(&str, u32)> = self.needs.pointers.iter().copied().collect();
        for (table, index) in pointers.into_iter().rev() {
            let (ty, field) = match table {
                "in" => ("f32 const* const", "inputs"),
                "m" => ("f32 const* const", "moving"),
                "out" => ("f32* RESTRICT const", "outputs"),
                _ => ("f32* RESTRICT const", "delays"),
            };
            self.put(1, format!("{ty} {table}{index} = c->{field}[{index}];"));
        }
        if self.needs.first {
            self.put(1, "u32 const first = c->frame;".into());
        }
        if self.needs.state {
            self.put(1, "unsigned char* RESTRICT const s = c->state;".into());
        }
        self.lines.reverse();
        self.lines
    }

    /// The C text of a value: a constant, or the name of its variable.
    pub(super) fn value(&mut self, value: Value) -> String {
        if let Some(imm) = self.from.plan.known[value.index()] {
            return constant(imm, self.from.body.ty(value).lanes);
        }
        self.needs.values.insert(value);
        name(value)
    }

    /// The name of a table of the call.
    pub(super) fn pointer(&mut self, table: &'static str, index: usize) -> String {
        self.needs.pointers.insert((table, index as u32));
        format!("{table}{index}")
    }

    /// Computes a value, if anything needs it.
    fn define(&mut self, depth: usize, value: Value) {
        if self.needs.values.remove(&value) {
            let (ty, text) = (ctype(self.from.body.ty(value)), self.compute(value));
            self.put(depth, format!("{ty} const {} = {text};", name(value)));
        }
    }

    /// Loads what the block of state memory holds.
    fn load(&mut self, at: usize, ty: Type) -> String {
        self.needs.state = true;
        match ty.lanes {
            1 => format!("*({} const*)(s + {at})", ctype(ty)),
            _ => format!("load_{}(s + {at})", ctype(ty)),
        }
    }

    fn store(&mut self, at: usize, ty: Type, x: &str) -> String {
        self.needs.state = true;
        match ty.lanes {
            1 => format!("*({}*)(s + {at}) = {x};", ctype(ty)),
            _ => format!("store_{}(s + {at}, {x});", ctype(ty)),
        }
    }

    fn state(&self, state: Handle<StateSlot>) -> (usize, Type) {
        (self.from.layout.states[state.index()], self.from.kernel.states[state].ty())
    }

    /// A state's value, from memory, where bools are 0 or 1.
    pub(super) fn load_state(&mut self, state: Handle<StateSlot>) -> String {
        let (at, ty) = self.state(state);
        let load = self.load(at, ty);
        if ty == Type::BOOL.with_lanes(4) { format!("neg_i32x4({load})") } else { load }
    }

    fn store_state(&mut self, update: StateUpdate) -> String {
        let (at, ty) = self.state(update.state);
        let x = self.value(update.value);
        let x = if ty == Type::BOOL.with_lanes(4) { format!("neg_i32x4({x})") } else { x };
        self.store(at, ty, &x)
    }

    fn loops(&mut self) {
        self.put(2, "t = end;".into());
        self.transposes();
        for (index, of) in self.from.plan.loops.iter().enumerate().rev() {
            self.one_loop(index, of);
        }
        let slots = mam_runtime::QUANTUM as u32 / self.from.plan.step;
        let values: Vec<Value> = self.needs.slots.iter().copied().collect();
        for value in values.into_iter().rev() {
            let ty = ctype(self.from.body.ty(value));
            self.put(2, format!("{ty} z{}[{slots}];", value.index()));
        }
        self.put(2, "u32 const begin = t;".into());
    }

    /// Outputs that are the lanes of a vector, which the loops have left in scratch memory.
    fn transposes(&mut self) {
        for transpose in self.from.plan.transposes.iter().rev() {
            self.needs.slots.insert(transpose.value);
            let z = format!("z{}[t]", transpose.value.index());
            for (lane, output) in transpose.outputs.iter().enumerate() {
                let out = self.pointer("out", *output);
                self.put(2, format!("for (t = begin; t < end; t++) {out}[t] = LANE({z}, {lane});"));
            }
        }
    }

    /// The present iteration's slot of a value that goes from loop to loop.
    fn slot(&self, value: Value) -> String {
        match self.from.plan.step {
            1 => format!("z{}[t]", value.index()),
            _ => format!("z{}[t >> 2]", value.index()),
        }
    }

    fn one_loop(&mut self, index: usize, of: &'a Loop) {
        for (at, action) in of.exit.iter().enumerate().rev() {
            // Two states may become one value, which the first of them computes.
            let earlier = self.from.plan.loops[..index].iter().flat_map(|of| &of.exit).chain(&of.exit[..at]);
            let is_computed = |value: Value| earlier.clone().any(|action| defined(action) == Some(value));
            if !defined(action).is_some_and(is_computed) {
                self.act(2, action);
            }
        }
        // What stands behind the loop and needs values of its last iteration.
        let behind = std::mem::take(&mut self.needs.values);
        self.put(2, "} while (t < end);".into());
        self.put(3, format!("t += {};", self.from.plan.step));
        self.end_of_iteration(of);
        let computed: BTreeSet<Value> = of.computed().collect();
        let outer: Vec<Value> = computed.intersection(&behind).copied().collect();
        self.iteration(of, &outer);
        self.load_spilled(index);
        let inside = std::mem::take(&mut self.needs.values);
        self.needs.values = behind.into_iter().filter(|value| !outer.contains(value)).collect();
        self.needs.values.extend(inside);
        self.put(2, "do {".into());
        self.put(2, "t = begin;".into());
        for value in outer {
            self.put(2, format!("{} {};", ctype(self.from.body.ty(value)), name(value)));
        }
        self.before_loop(of);
    }

    /// What states and loop-carried values become, all at once.
    fn end_of_iteration(&mut self, of: &Loop) {
        for update in of.states.iter().rev() {
            let x = self.value(update.value);
            self.put(3, format!("s{} = {x};", update.state.index()));
        }
        for carried in of.carried.iter().rev() {
            let next = self.value(carried.next);
            self.put(3, format!("c{} = {next};", carried.value.index()));
        }
    }

    /// The actions of an iteration; `outer` are the values that are declared outside.
    fn iteration(&mut self, of: &Loop, outer: &[Value]) {
        for action in of.body.iter().rev() {
            match *action {
                Action::Compute(value) | Action::Read { value, .. } if outer.contains(&value) => {
                    self.needs.values.remove(&value);
                    let text = self.text(action);
                    self.put(3, format!("{} = {text};", name(value)));
                }
                _ => self.act(3, action),
            }
        }
    }

    /// Values of earlier loops that a loop needs, at the start of each of its iterations.
    fn load_spilled(&mut self, index: usize) {
        let plan = self.from.plan;
        let earlier: BTreeSet<Value> = plan.loops[..index]
            .iter()
            .flat_map(|earlier| &earlier.body)
            .filter_map(|action| if let Action::Spill(value) = action { Some(*value) } else { None })
            .collect();
        for value in earlier.into_iter().rev() {
            if self.needs.values.remove(&value) {
                self.needs.slots.insert(value);
                let (ty, slot) = (ctype(self.from.body.ty(value)), self.slot(value));
                self.put(3, format!("{ty} const {} = {slot};", name(value)));
            }
        }
    }

    /// What stands before a loop: its states, its loop-carried values and what is computed once.
    fn before_loop(&mut self, of: &Loop) {
        for carried in of.carried.iter().rev() {
            let start = self.value(self.from.body.insts[carried.value].args.as_slice()[0]);
            let ty = ctype(self.from.body.ty(carried.value));
            self.put(2, format!("{ty} c{} = {start};", carried.value.index()));
        }
        for update in of.states.iter().rev() {
            let (_, ty) = self.state(update.state);
            let load = self.load_state(update.state);
            self.put(2, format!("{} s{} = {load};", ctype(ty), update.state.index()));
        }
        for &value in of.preheader.iter().rev() {
            self.define(2, value);
        }
    }

    fn act(&mut self, depth: usize, action: &Action) {
        match *action {
            Action::Compute(value) | Action::Read { value, .. } | Action::FirstLane { value, .. } => {
                if self.needs.values.remove(&value) {
                    let (ty, text) = (ctype(self.from.body.ty(value)), self.text(action));
                    self.put(depth, format!("{ty} const {} = {text};", name(value)));
                }
            }
            Action::Spill(value) if !self.needs.slots.contains(&value) => {}
            Action::Spill(value) => {
                let (slot, x) = (self.slot(value), self.value(value));
                self.put(depth, format!("{slot} = {x};"));
            }
            Action::Output { index, value } => {
                let (out, x) = (self.pointer("out", index), self.value(value));
                let line = match self.from.body.ty(value).lanes {
                    1 => format!("{out}[t] = {x};"),
                    _ => format!("store_f32x4({out} + t, {x});"),
                };
                self.put(depth, line);
            }
            Action::Write { line, value } => {
                let (d, mask) = self.line(line);
                let x = self.value(value);
                self.needs.first = true;
                let text = match self.from.body.ty(value).lanes {
                    1 => format!("{d}[(first + t) & {mask}] = {x};"),
                    _ => format!("write4({d}, {mask}, first + t, {x});"),
                };
                self.put(depth, text);
            }
            Action::Store(update) => {
                let store = self.store_state(update);
                self.put(depth, store);
            }
        }
    }

    /// What an action computes.
    fn text(&mut self, action: &Action) -> String {
        match *action {
            Action::Read { value, line, access } => self.read(value, line, access),
            Action::FirstLane { value, vector } => {
                let lane = format!("LANE({}, 0)", self.value(vector));
                if self.from.body.ty(value).scalar == Scalar::Bool { format!("({lane} & 1)") } else { lane }
            }
            Action::Compute(value) => self.compute(value),
            _ => unreachable!("only these compute a value"),
        }
    }

    /// A delay line's first frame, and its length less one.
    fn line(&mut self, line: Handle<DelayLine>) -> (String, String) {
        let mask = self.from.kernel.delays[line].frames - 1;
        (self.pointer("d", line.index()), format!("{mask}u"))
    }

    /// What was written into a delay line so many frames ago.
    fn read(&mut self, value: Value, line: Handle<DelayLine>, access: Access) -> String {
        let (d, mask) = self.line(line);
        self.needs.first = true;
        let given = self.from.body.insts[value].args.as_slice()[0];
        let lanes = self.from.body.ty(value).lanes;
        let ago = match access {
            Access::Gather if lanes > 1 => {
                let ago = self.value(given);
                return format!("gather4({d}, {mask}, first + t, {ago})");
            }
            Access::Contiguous(Uniform::Constant(imm)) => constant(imm, 1),
            Access::Contiguous(Uniform::Scalar(ago)) => self.value(ago),
            Access::Contiguous(Uniform::FirstLane(ago)) => format!("LANE({}, 0)", self.value(ago)),
            Access::Linear | Access::Gather => self.linear(value, given),
        };
        match lanes {
            1 => format!("{d}[(first + t - (u32){ago}) & {mask}]"),
            _ => format!("read4({d}, {mask}, first + t - (u32){ago})"),
        }
    }

    /// How many frames back a read is that is the same throughout the call, or in one lane.
    fn linear(&mut self, value: Value, given: Value) -> String {
        let reads = self.from.plan.loops.iter().flat_map(|of| &of.linear_reads);
        match reads.into_iter().find(|read| read.value == value).map(|read| read.ago) {
            Some(Uniform::Constant(imm)) => constant(imm, 1),
            Some(Uniform::FirstLane(ago)) => format!("LANE({}, 0)", self.value(ago)),
            Some(Uniform::Scalar(ago)) => self.value(ago),
            None => self.value(given),
        }
    }
}

/// The value that an action computes.
fn defined(action: &Action) -> Option<Value> {
    match *action {
        Action::Compute(value) | Action::Read { value, .. } | Action::FirstLane { value, .. } => Some(value),
        _ => None,
    }
}

/// The name of a value's variable.
pub(super) fn name(value: Value) -> String {
    format!("v{}", value.index())
}
