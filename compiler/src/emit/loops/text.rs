//! Loop plans as text, for people: `mamc dump loops`.

use super::{Access, Action, Address, FormBody, Loop, LoopPlan, Pointer, StateUpdate, Uniform, plans};
use crate::ir::layout::Layout;
use crate::ir::text::{InstText, Name, Number, ValueName};
use crate::ir::{Body, DelayLine, Kernel, Module, Op, Value};
use crate::target::{Machine, OptLevel};
use mam_grammar::Handle;
use mam_runtime::Form;
use std::fmt::{self, Display, Formatter};

/// The plans of all kernels of a module for a machine.
pub fn text(module: &Module, level: OptLevel, machine: &Machine) -> String {
    let mut text = String::new();
    for (i, kernel) in module.kernels.values().enumerate() {
        let between = if i > 0 { "\n" } else { "" };
        text += &format!("{between}kernel {}\n", Name(&kernel.name));
        let layout = Layout::new(kernel);
        for (form, name) in [(Form::Setup, "setup"), (Form::Steady, "steady"), (Form::General, "general")] {
            for (which, plan) in plans(kernel, &layout, form, level, machine) {
                let name = if form == Form::Steady && which == FormBody::Tail { "tail" } else { name };
                text += &Printer { kernel, body: which.body(kernel), plan: &plan, name }.to_string();
            }
        }
    }
    text
}

struct Printer<'a> {
    kernel: &'a Kernel,
    body: &'a Body,
    plan: &'a LoopPlan,
    name: &'a str,
}

impl Display for Printer<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        write!(f, "{}", self.name)?;
        match plan.step {
            1 => writeln!(f)?,
            step => writeln!(f, " x{step}")?,
        }
        plan.prologue.iter().try_for_each(|value| self.compute(f, "  ", *value))?;
        for (value, at) in &plan.stores {
            writeln!(f, "  hoist {} at {at}", ValueName(*value))?;
        }
        if !plan.pointers.is_empty() {
            f.write_str("  pointers:")?;
            plan.pointers.iter().try_for_each(|pointer| self.pointer(f, *pointer))?;
            writeln!(f)?;
        }
        for (value, at) in &plan.scratch.offsets {
            writeln!(f, "  scratch {} at {at}", ValueName(*value))?;
        }
        plan.loops.iter().try_for_each(|of| self.one_loop(f, of))?;
        for transpose in &plan.transposes {
            write!(f, "  transpose {} to", ValueName(transpose.value))?;
            transpose.outputs.iter().try_for_each(|output| write!(f, " {}", self.output(*output)))?;
            writeln!(f)?;
        }
        for lines in &plan.guard_copies {
            f.write_str("  copy guards of")?;
            lines.iter().try_for_each(|line| write!(f, " {}", self.line(*line)))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl<'a> Printer<'a> {
    fn one_loop(&self, f: &mut Formatter<'_>, of: &Loop) -> fmt::Result {
        of.preheader.iter().try_for_each(|value| self.compute(f, "  ", *value))?;
        for read in &of.linear_reads {
            let (value, line, ago) = (ValueName(read.value), self.line(read.line), UniformName(read.ago));
            write!(f, "  address of {value}: {line}, {ago} back")?;
            match read.after {
                Some(other) => writeln!(f, ", a frame after {}", ValueName(other))?,
                None => writeln!(f)?,
            }
        }
        for write in &of.linear_writes {
            let guard = if write.with_guard { " and its guard" } else { "" };
            writeln!(f, "  address to write {}{guard}", self.line(write.line))?;
        }
        if let Some(stored @ [_, ..]) = of.addresses.get(of.addresses_in_registers..) {
            f.write_str("  addresses in memory:")?;
            stored.iter().try_for_each(|address| self.address(f, *address))?;
            writeln!(f)?;
        }
        values(f, "  resident:", &of.resident)?;
        values(f, "  once an iteration:", &of.cached.iter().copied().collect::<Vec<_>>())?;
        writeln!(f, "  loop{}", if of.counts_frames { ", counting frames" } else { "" })?;
        for update in &of.states {
            writeln!(f, "    in a register: {}", self.state(update))?;
        }
        for carried in &of.carried {
            let home = if carried.in_register { "a register" } else { "memory" };
            writeln!(f, "    in {home}: {} = {}", ValueName(carried.value), ValueName(carried.next))?;
        }
        of.body.iter().try_for_each(|action| self.action(f, "    ", action))?;
        of.exit.iter().try_for_each(|action| self.action(f, "  ", action))
    }

    fn action(&self, f: &mut Formatter<'_>, indent: &str, action: &Action) -> fmt::Result {
        match action {
            Action::Compute(value) => self.compute(f, indent, *value),
            Action::Read { value, access, .. } => {
                let how = match access {
                    Access::Linear => "linear",
                    Access::Contiguous(_) => "neighbours",
                    Access::Gather => "each lane",
                };
                let inst = InstText(self.kernel, &self.body.insts[*value]);
                writeln!(f, "{indent}{} = {inst} ; {how}", ValueName(*value))
            }
            Action::FirstLane { value, vector } => {
                writeln!(f, "{indent}{} = first lane of {}", ValueName(*value), ValueName(*vector))
            }
            Action::Spill(value) => writeln!(f, "{indent}spill {}", ValueName(*value)),
            Action::Output { index, value } => {
                writeln!(f, "{indent}out {} {}", self.output(*index), ValueName(*value))
            }
            Action::Write { line, value } => {
                writeln!(f, "{indent}write {} {}", self.line(*line), ValueName(*value))
            }
            Action::Store(update) => writeln!(f, "{indent}store {}", self.state(update)),
        }
    }

    fn compute(&self, f: &mut Formatter<'_>, indent: &str, value: Value) -> fmt::Result {
        let inst = InstText(self.kernel, &self.body.insts[value]);
        let swapped = if self.plan.commuted.contains(&value) { " ; swapped" } else { "" };
        match (self.body.insts[value].op, self.plan.known[value.index()]) {
            (Op::Const(_), _) | (_, None) => writeln!(f, "{indent}{} = {inst}{swapped}", ValueName(value)),
            (_, Some(imm)) => writeln!(f, "{indent}{} = {}", ValueName(value), Number(imm)),
        }
    }

    fn pointer(&self, f: &mut Formatter<'_>, pointer: Pointer) -> fmt::Result {
        let name = |names: &'a [String], index: u32| {
            Name(names.get(index as usize).map_or("?", |name| name.as_str()))
        };
        match pointer {
            Pointer::State => write!(f, " state"),
            Pointer::Params => write!(f, " params"),
            Pointer::Ports => write!(f, " ports"),
            Pointer::Delay(line) => write!(f, " delay {}", self.line(Handle::new(line as usize))),
            Pointer::Moving(i) => write!(f, " param {}", name(&self.kernel.params, i)),
            Pointer::Input(i) => write!(f, " input {}", name(&self.kernel.inputs, i)),
            Pointer::Output(i) => write!(f, " output {}", name(&self.kernel.outputs, i)),
        }
    }

    fn address(&self, f: &mut Formatter<'_>, address: Address) -> fmt::Result {
        match address {
            Address::Signal(pointer) => self.pointer(f, pointer),
            Address::Read(value) => write!(f, " {}", ValueName(value)),
            Address::Write(line) => write!(f, " write {}", self.line(line)),
            Address::Guard(line) => write!(f, " guard {}", self.line(line)),
        }
    }

    fn state(&self, update: &StateUpdate) -> String {
        let name = self.kernel.states.get(update.state).map_or("?", |state| &state.name);
        format!("{} = {}", Name(name), ValueName(update.value))
    }

    fn line(&self, line: Handle<DelayLine>) -> Name<'a> {
        Name(self.kernel.delays.get(line).map_or("?", |line| &line.name))
    }

    fn output(&self, index: usize) -> Name<'a> {
        Name(self.kernel.outputs.get(index).map_or("?", |name| name))
    }
}

/// A scalar that is the same in all lanes.
struct UniformName(Uniform);

impl Display for UniformName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Uniform::Constant(imm) => Number(imm).fmt(f),
            Uniform::Scalar(value) | Uniform::FirstLane(value) => ValueName(value).fmt(f),
        }
    }
}

/// A line of values, where there are any.
fn values(f: &mut Formatter<'_>, what: &str, values: &[Value]) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    f.write_str(what)?;
    values.iter().try_for_each(|value| write!(f, " {}", ValueName(*value)))?;
    writeln!(f)
}
