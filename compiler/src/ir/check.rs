//! The checker: what holds of every module between two passes. A violation is a bug of ours, never of the user.
//!
//! # Invariants
//! Of a kernel:
//! * states, delay lines, parameters, inputs, outputs and ports have different names among themselves;
//! * a delay line has a power of two of frames; no table is empty; no constant is subnormal;
//! * states have one lane or four, f64 only one;
//! * a voice has a port of the kernel, a bool state, and ranges of its words of state and delay lines; it is one of
//!   four lanes exactly where its `until` has four;
//! * general has one frame an iteration, steady one or four; there is a tail, of one frame an iteration, exactly where it is four,
//!   and both set the same states (a state that a body does not set is constant in a call).
//!
//! Of a body:
//! * operands stand before their users;
//! * types are what the op's [`super::Signature`] says, and each source has its own type;
//! * lanes are one or four, and f64 has only one;
//! * indices are of the kernel's (or the module's tables);
//! * in iterations of four frames, inputs and frames have four lanes, in those of one a single one;
//! * parameters are f32, of the iteration's lanes, in the general body and f64 in the others, where there is no `trig`;
//! * a state is set at most once, to its own type;
//! * only a body of four frames an iteration has a condition, a bool that is computed once a segment;
//! * each `loop_carried` has one back edge, of its type, and starts with what the call's start knows;
//! * a delay line is written at most once; there are as many outputs as the kernel has; both are f32 in the lanes of
//!   the iteration.
//!
//! # Not checked
//! Whether a delay is longer than the iteration, whether anything is used, whether the bodies mean the same.

use super::{Body, DelayLine, Imm, Inst, Kernel, Module, Op, Rate, Sharing, StateSlot, Type, Value};
use mam_grammar::{Arena, Handle};
use rustc_hash::FxHashSet;
use std::fmt::Debug;

/// All violations of the invariants in a module.
pub fn module(module: &Module) -> Vec<String> {
    let empty = module.tables.iter().position(Vec::is_empty).map(|i| format!("table {i} is empty"));
    let kernels = module.kernels.values().flat_map(|one| kernel(one, module.tables.len()));
    empty.into_iter().chain(kernels).collect()
}

/// All violations of the invariants in a kernel of a module with so many tables.
pub fn kernel(kernel: &Kernel, tables: usize) -> Vec<String> {
    let mut found = Vec::new();
    interface(kernel, &mut found);
    for (form, body) in
        [("general", Some(&kernel.general)), ("steady", Some(&kernel.steady)), ("tail", kernel.tail.as_ref())]
    {
        let Some(body) = body else { continue };
        let mut check = Check { kernel, body, tables, general: form == "general", found: vec![] };
        check.body();
        found.extend(check.found.into_iter().map(|violation| format!("{form}: {violation}")));
    }
    found.iter().map(|violation| format!("kernel {}: {violation}", kernel.name)).collect()
}

fn interface(kernel: &Kernel, found: &mut Vec<String>) {
    let states = kernel.states.values().map(|state| state.name.as_str());
    unique("state", states, found);
    unique("delay line", kernel.delays.values().map(|line| line.name.as_str()), found);
    for (what, names) in [
        ("parameter", &kernel.params),
        ("input", &kernel.inputs),
        ("output", &kernel.outputs),
        ("port", &kernel.ports),
    ] {
        unique(what, names.iter().map(String::as_str), found);
    }
    for line in kernel.delays.values().filter(|line| !line.frames.is_power_of_two()) {
        found.push(format!("delay line {} has {} frames", line.name, line.frames));
    }
    for state in kernel.states.values().filter(|state| subnormal(state.init)) {
        found.push(format!("state {} starts with a subnormal", state.name));
    }
    for state in kernel.states.values().filter(|state| !has_lanes(state.ty())) {
        found.push(format!("state {} has the type {}", state.name, state.ty()));
    }
    for voice in &kernel.voices {
        let until = kernel.states.get(voice.until);
        let lanes = Type::BOOL.with_lanes(if voice.every == 4 { 4 } else { 1 });
        if until.is_none_or(|state| state.ty() != lanes) || !matches!(voice.every, 1 | 4) {
            found.push("a voice's `until` is not a bool state of its lanes".into());
        }
        let words = kernel.states.values().map(|state| u32::from(state.lanes)).sum();
        let (states, delays) = (words, kernel.delays.len() as u32);
        let within = |range: &std::ops::Range<u32>, all| range.start <= range.end && range.end <= all;
        if !within(&voice.states, states) || !within(&voice.delays, delays) {
            found.push("a voice's states or delay lines are not the kernel's".into());
        }
        if voice.port.index() >= kernel.ports.len() {
            found.push("a voice's port is not the kernel's".into());
        }
    }
    let steps = (kernel.general.step, kernel.steady.step, kernel.tail.as_ref().map(|tail| tail.step));
    if !matches!(steps, (1, 1, None) | (1, 4, Some(1))) {
        found.push(format!("the frames an iteration are {steps:?}"));
    }
    let set = |body: &Body| body.sets.iter().map(|(state, _)| *state).collect::<FxHashSet<_>>();
    if kernel.tail.as_ref().is_some_and(|tail| set(tail) != set(&kernel.steady)) {
        found.push("steady and tail set different states".into());
    }
}

fn unique<'n>(what: &str, names: impl Iterator<Item = &'n str>, found: &mut Vec<String>) {
    let mut seen = FxHashSet::default();
    found.extend(
        names.filter(|name| !seen.insert(*name)).map(|name| format!("two {what}s are called `{name}`")),
    );
}

fn subnormal(imm: Imm) -> bool {
    match imm {
        Imm::F32(x) => x.is_subnormal(),
        Imm::F64(x) => x.is_subnormal(),
        _ => false,
    }
}

struct Check<'a> {
    kernel: &'a Kernel,
    body: &'a Body,
    tables: usize,
    general: bool,
    found: Vec<String>,
}

impl Check<'_> {
    fn body(&mut self) {
        for (value, inst) in self.body.insts.iter() {
            if let Err(violation) = self.inst(value, inst) {
                self.found.push(format!("v{} = {}: {violation}", value.index(), inst.op.row().name));
            }
        }
        let (states, lines) = (&self.kernel.states, &self.kernel.delays);
        let signal = Type::F32.with_lanes(if self.body.step == 4 { 4 } else { 1 });
        let mut wanted = vec![];
        wanted.extend(self.body.sets.iter().map(|(state, v)| {
            let ty = states.get(*state).map(StateSlot::ty);
            (format!("set {state:?}"), *v, ty)
        }));
        wanted.extend(
            self.body
                .writes
                .iter()
                .map(|(line, v)| (format!("write {line:?}"), *v, lines.get(*line).map(|_| signal))),
        );
        wanted.extend(self.body.outs.iter().enumerate().map(|(i, v)| (format!("out {i}"), *v, Some(signal))));
        for (what, value, ty) in wanted {
            let is = self.body.insts.get(value).map(|inst| inst.ty);
            if is.is_none() || is != ty {
                self.found.push(format!("{what} is given v{}: {is:?}, and wants {ty:?}", value.index()));
            }
        }
        let slow =
            |v: Value| self.body.insts.get(v).is_some() && self.body.rates()[v.index()] <= Rate::Segment;
        if self.body.only_if.is_some_and(|v| self.body.step == 1 || !slow(v) || self.body.ty(v) != Type::BOOL)
        {
            self.found.push(
                "its condition is not a loop-invariant bool, or its iterations are of one frame".into(),
            );
        }
        self.back_edges();
        self.once("state", self.body.sets.iter().map(|(state, _)| *state));
        self.once("delay line", self.body.writes.iter().map(|(line, _)| *line));
        let line = |line: Handle<DelayLine>| self.kernel.delays.get(line);
        let borrowed = self.body.writes.iter().filter_map(|(handle, _)| line(*handle));
        for line in borrowed.filter(|line| line.sharing == Sharing::Borrowed) {
            self.found.push(format!("delay line {} is borrowed, and written", line.name));
        }
        if self.body.outs.len() != self.kernel.outputs.len() {
            self.found.push(format!(
                "{} outputs, and not {}",
                self.body.outs.len(),
                self.kernel.outputs.len()
            ));
        }
    }

    fn back_edges(&mut self) {
        let rates = self.body.rates();
        let all_carried = self.body.insts.iter().filter(|(_, inst)| inst.op == Op::LoopCarried);
        for (carry, inst) in all_carried {
            let mut back_edges = self.body.back_edges.iter().filter(|(other, _)| *other == carry);
            let known = matches!((back_edges.next(), back_edges.next()), (Some((_, next)), None)
                if self.body.insts.get(*next).is_some_and(|next| next.ty == inst.ty));
            let starts_known = inst.args.as_slice().iter().all(|start| rates[start.index()] <= Rate::Call);
            if !known || !starts_known {
                self.found.push(format!(
                    "v{} starts with what the call does not know, or has no back edge",
                    carry.index()
                ));
            }
        }
        let carried = |v: Value| self.body.insts.get(v).is_some_and(|inst| inst.op == Op::LoopCarried);
        if self.body.back_edges.iter().any(|(carry, _)| !carried(*carry)) {
            self.found.push("only a `loop_carried` has a back edge".into());
        }
    }

    fn once<T: Eq + std::hash::Hash + Debug>(&mut self, what: &str, all: impl Iterator<Item = T>) {
        let mut seen = FxHashSet::default();
        for one in all {
            if !seen.contains(&one) {
                seen.insert(one);
            } else {
                self.found.push(format!("{what} {one:?} is given twice"));
            }
        }
    }

    fn inst(&self, value: Value, inst: &Inst) -> Result<(), String> {
        let args = inst.args.as_slice();
        if args.iter().any(|arg| arg.index() >= value.index()) {
            return Err("an operand does not stand before it".into());
        }
        if !has_lanes(inst.ty) {
            return Err(format!("there is no type {}", inst.ty));
        }
        let types: Vec<Type> = args.iter().map(|arg| self.body.ty(*arg)).collect();
        if !inst.op.row().signature.admits(inst.ty, &types) {
            return Err(format!("{} of {types:?}", inst.ty));
        }
        self.source(inst)
    }

    /// What the signature leaves open: the types of sources, and indices.
    fn source(&self, inst: &Inst) -> Result<(), String> {
        let (kernel, ty) = (self.kernel, inst.ty);
        let lanes = if self.body.step == 4 { 4 } else { 1 };
        let signal = Type::F32.with_lanes(lanes);
        let right = match inst.op {
            Op::Const(imm) => ty.scalar == imm.scalar() && !subnormal(imm),
            Op::Param(i) => {
                has(&kernel.params, i.index()) && (ty == Type::F64 || self.general && ty == signal)
            }
            Op::Port(i, field) => {
                has(&kernel.ports, i.index())
                    && (self.general || !field.is_onset())
                    && ty == if field.is_bool() { Type::BOOL } else { Type::F64 }
            }
            Op::Input(i) => has(&kernel.inputs, i.index()) && ty == signal,
            Op::Frame => ty == Type::I32.with_lanes(lanes),
            Op::CallFrame | Op::CallFrames => ty == Type::I32,
            Op::Get(state) | Op::LiveIn(state) => {
                slot(&kernel.states, state).is_some_and(|state| ty == state.ty())
            }
            Op::Read(line) => slot(&kernel.delays, line).is_some(),
            Op::Table(i) | Op::Neighbours(i) => i.index() < self.tables,
            Op::Extract(lane) => lane < 4,
            _ => true,
        };
        if right { Ok(()) } else { Err(format!("it has the type {ty}, or an index that there is not")) }
    }
}

/// Whether there is such a type.
fn has_lanes(ty: Type) -> bool {
    matches!(ty.lanes, 1 | 4) && ty != Type::F64.with_lanes(4)
}

fn has(names: &[String], index: usize) -> bool {
    index < names.len()
}

fn slot<T>(arena: &Arena<T>, handle: Handle<T>) -> Option<&T> {
    arena.get(handle)
}
