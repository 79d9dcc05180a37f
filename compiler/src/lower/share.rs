//! Kernels that differ in constants alone become one: the constants become data of each call, states that nobody
//! sets. So a thousand equations of one shape compile like one.

use super::song::{DATA, KernelCall};
use crate::ir::{Body, Imm, Kernel, Module, Op, StateSlot};
use mam_grammar::{Arena, Handle};
use std::collections::HashMap;

/// States that nobody sets, with their values: what one call has of its own.
type Data = Vec<(String, Imm)>;

/// Shares the kernels of `module` among `calls`.
pub(super) fn share(module: &mut Module, calls: &mut [KernelCall]) {
    let mut shapes: HashMap<Kernel, Vec<Handle<Kernel>>> = HashMap::new();
    let mut order: Vec<Handle<Kernel>> = vec![];
    for (handle, kernel) in module.kernels.iter() {
        let members = shapes.entry(shape(kernel)).or_default();
        if members.is_empty() {
            order.push(handle);
        }
        members.push(handle);
    }
    if order.len() == module.kernels.len() {
        return;
    }
    let members_of: HashMap<Handle<Kernel>, Vec<Handle<Kernel>>> =
        shapes.into_values().map(|members| (members[0], members)).collect();
    let mut kernels: Arena<Kernel> = Arena::default();
    let mut moved: HashMap<Handle<Kernel>, (Handle<Kernel>, Data)> = HashMap::new();
    for first in order {
        let members = &members_of[&first];
        let all: Vec<&Kernel> = members.iter().map(|&m| &module.kernels[m]).collect();
        let (kernel, data) = lift(&all);
        let new = kernels.add(kernel);
        for (&member, data) in members.iter().zip(data) {
            moved.insert(member, (new, data));
        }
    }
    module.kernels = kernels;
    for call in calls {
        let (kernel, data) = &moved[&call.kernel];
        call.kernel = *kernel;
        call.states.extend(data.iter().cloned());
    }
}

/// The kernel without names, initial values and numbers: what sharing kernels have in common.
pub(super) fn shape(kernel: &Kernel) -> Kernel {
    let mut shape = super::song::anonymous(kernel);
    for body in bodies(&mut shape) {
        for value in body.insts.handles() {
            if let Op::Const(imm) = &mut body.insts[value].op {
                *imm = super::song::zero(*imm);
            }
        }
    }
    shape
}

fn bodies(kernel: &mut Kernel) -> [&mut Body; 2] {
    [&mut kernel.general, &mut kernel.steady]
}

/// One kernel for all of `members`, and the data of each.
fn lift(members: &[&Kernel]) -> (Kernel, Vec<Data>) {
    let mut kernel = members[0].clone();
    let mut data = vec![vec![]; members.len()];
    if members.len() == 1 {
        return (kernel, data);
    }
    let mut known: HashMap<Vec<Imm>, Handle<StateSlot>> = HashMap::new();
    for form in 0..2 {
        let count = bodies(&mut kernel)[form].insts.len();
        for index in 0..count {
            let at = Handle::new(index);
            let constant = |member: &&Kernel| {
                let body = if form == 0 { &member.general } else { &member.steady };
                match body.insts[at].op {
                    Op::Const(imm) => Some(imm),
                    _ => None,
                }
            };
            let Some(imms) = members.iter().map(constant).collect::<Option<Vec<Imm>>>() else { continue };
            if imms.iter().all(|imm| *imm == imms[0]) {
                continue;
            }
            let state = *known.entry(imms).or_insert_with_key(|imms| {
                let name = format!("{DATA}{}", kernel.states.len());
                data.iter_mut().zip(imms).for_each(|(d, imm)| d.push((name.clone(), *imm)));
                kernel.states.add(StateSlot::word(name, imms[0]))
            });
            let ty = kernel.states[state].ty();
            let inst = &mut bodies(&mut kernel)[form].insts[at];
            inst.op = Op::Get(state);
            inst.ty = ty;
        }
    }
    (kernel, data)
}
