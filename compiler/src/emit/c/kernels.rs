//! The kernels of a module as C functions, three each.

use super::block::Blocks;
use super::body::{Source, Writer};
use super::literal::array;
use crate::emit::loops::plans;
use crate::ir::layout::Layout;
use crate::ir::{Kernel, Module, Op};
use crate::opt::elementary;
use crate::target::{Machine, OptLevel};
use mam_runtime::Form;

/// The tables and functions of a module. Functions are called `k0_setup`, `k0_steady`, `k0_general` and so on.
///
/// # Errors
/// Where a kernel holds what only some machines have: it was not compiled for a portable target.
pub(super) fn functions(module: &Module) -> Result<String, String> {
    let mut text = String::new();
    for (index, table) in module.tables.iter().enumerate() {
        text += &constant_table(index, table);
    }
    let mut blocks = Blocks::default();
    for (index, kernel) in module.kernels.values().enumerate() {
        if let Some(block) = &kernel.block {
            text += &blocks.functions(index, block);
            continue;
        }
        check(kernel)?;
        text += &format!("\n/* {} */\n", comment(&kernel.name));
        let layout = Layout::new(kernel);
        for (form, name) in [(Form::Setup, "setup"), (Form::Steady, "steady"), (Form::General, "general")] {
            text += &format!("KERNEL void k{index}_{name}(MamCall const* c) {{\n");
            text += &form_of(module, kernel, &layout, form);
            text += "}\n";
        }
    }
    Ok(text)
}

/// A name within a comment, which it can't end.
fn comment(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() && c != '*' || c == ' ' { c } else { '.' }).collect()
}

fn check(kernel: &Kernel) -> Result<(), String> {
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let mut ops = bodies.into_iter().flatten().flat_map(|body| body.insts.values()).map(|inst| inst.op);
    match elementary(kernel).or_else(|| ops.find(|op| *op == Op::Fma)) {
        Some(op) => Err(format!("{}: no C for the op `{}`", kernel.name, op.row().name)),
        None => Ok(()),
    }
}

/// The statements of a form.
fn form_of(module: &Module, kernel: &Kernel, layout: &Layout, form: Form) -> String {
    let mut text = String::new();
    let bodies = plans(kernel, layout, form, OptLevel::Best, &Machine::X86_64);
    if form != Form::Setup {
        text += "    u32 t = 0, end = c->frames;\n";
    }
    let several = bodies.len() > 1;
    let mut used = false;
    for (which, plan) in &bodies {
        let body = which.body(kernel);
        let writer = Writer::new(Source { module, kernel, layout, body, plan });
        let lines = match form {
            Form::Setup => writer.setup(),
            Form::Steady => writer.steady(),
            Form::General => writer.general(),
        };
        used |= !lines.is_empty();
        if form == Form::Steady && several {
            let end =
                if plan.step == 1 { "c->frames".into() } else { format!("c->frames & ~{}u", plan.step - 1) };
            text += &format!("    end = {end};\n");
        }
        text += "    {\n";
        lines.iter().for_each(|line| text += &format!("    {line}\n"));
        text += "    }\n";
    }
    if form == Form::Setup && !used {
        return "    (void)c;\n".into();
    }
    text
}

fn constant_table(index: usize, table: &[f32]) -> String {
    array(&format!("table{index}"), table)
}
