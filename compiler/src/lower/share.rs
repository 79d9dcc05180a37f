//! Kernels that differ in constants alone become one: the constants become data of each call, states that are never
//! set. So a thousand equations of one shape compile like one.
//!
//! Kernels are compared with each constant spread to the places where it is used: whether two of a kernel's constants
//! happen to be the same number, or the same as one that is left over, says nothing of its shape.

use super::lowered::{DATA, KernelCall};
use crate::ir::{Body, Imm, Inst, Kernel, Module, Op, StateSlot, Type, Value};
use mam_grammar::{Arena, Handle};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// States that are never set, with their values: what one call has of its own.
type Data = Vec<(Arc<str>, Imm)>;

/// Constants that are, in each call, a number of its data with its highest bit turned. What compares the sum of a phase's lower
/// word with what was added, to know whether it wraps, does so: only as long as that is seen is it a phase of two words.
type Turned = FxHashMap<Value, Handle<StateSlot>>;

/// The kernels of a module by their shape.
#[derive(Default)]
pub(super) struct Shapes {
    alike: FxHashMap<Kernel, Vec<Handle<Kernel>>>,
    /// The first of each shape.
    order: Vec<Handle<Kernel>>,
    /// How many there are.
    count: usize,
}

impl Shapes {
    /// Adds the module's next kernel. The result is whether it is the first of its shape.
    pub(super) fn add(&mut self, kernel: &Kernel) -> bool {
        let handle = Handle::new(self.count);
        self.count += 1;
        let members = self.alike.entry(shape(&with_bodies(kernel, spread))).or_default();
        members.push(handle);
        if members.len() == 1 {
            self.order.push(handle);
        }
        members.len() == 1
    }
}

/// Shares the kernels of `module`, whose shapes are these, among `calls`.
pub(super) fn share(module: &mut Module, calls: &mut [KernelCall], shapes: Shapes) {
    let Shapes { alike, order, count } = shapes;
    if order.len() == count {
        return;
    }
    let members_of: FxHashMap<Handle<Kernel>, Vec<Handle<Kernel>>> =
        alike.into_values().map(|members| (members[0], members)).collect();
    let mut kernels: Arena<Kernel> = Arena::default();
    let mut moved: FxHashMap<Handle<Kernel>, (Handle<Kernel>, Data)> = FxHashMap::default();
    for first in order {
        let members = &members_of[&first];
        let (kernel, data) = match members[..] {
            [only] => (module.kernels[only].clone(), vec![vec![]]),
            _ => lift(members.iter().map(|&m| with_bodies(&module.kernels[m], spread)).collect()),
        };
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

/// The kernel without names and initial values: what decides whether two are one.
pub(crate) fn anonymous(kernel: &Kernel) -> Kernel {
    let mut key = kernel.clone();
    key.name.clear();
    for state in key.states.handles() {
        key.states[state].name.clear();
        key.states[state].init = zero(key.states[state].init);
    }
    key.delays.handles().for_each(|d| key.delays[d].name.clear());
    for names in [&mut key.params, &mut key.inputs, &mut key.outputs, &mut key.ports] {
        names.iter_mut().for_each(String::clear);
    }
    key
}

/// The zero of the same type.
fn zero(imm: Imm) -> Imm {
    match imm {
        Imm::F32(_) => Imm::F32(0.0),
        Imm::F64(_) => Imm::F64(0.0),
        Imm::I32(_) => Imm::I32(0),
        Imm::Bool(_) => Imm::Bool(false),
    }
}

/// The kernel without names, initial values and numbers: what sharing kernels have in common.
pub(super) fn shape(kernel: &Kernel) -> Kernel {
    let mut shape = anonymous(kernel);
    for body in bodies(&mut shape) {
        for value in body.insts.handles() {
            if let Op::Const(imm) = &mut body.insts[value].op {
                *imm = zero(*imm);
            }
        }
    }
    shape
}

fn bodies(kernel: &mut Kernel) -> [&mut Body; 2] {
    [&mut kernel.general, &mut kernel.steady]
}

fn with_bodies(kernel: &Kernel, change: impl Fn(&Body) -> Body) -> Kernel {
    Kernel { general: change(&kernel.general), steady: change(&kernel.steady), ..kernel.without_bodies() }
}

/// The body with a constant of its own at each use of one, before its user.
fn spread(body: &Body) -> Body {
    rebuild(body, &mut |new, constant| new.insts.add(body.insts[constant].clone()))
}

/// The body with each constant once, before its first user; those of `turned` are what is said of them.
fn gather(body: &Body, turned: &Turned) -> Body {
    let mut known: FxHashMap<(Imm, Type), Value> = FxHashMap::default();
    rebuild(body, &mut |new, constant| {
        let inst = &body.insts[constant];
        if let Some(state) = turned.get(&constant) {
            let (of, least) = (new.add(Op::Get(*state), inst.ty, &[]), new.i32(i32::MIN));
            return new.op(Op::Xor, &[of, least]);
        }
        match inst.op {
            Op::Const(imm) => *known.entry((imm, inst.ty)).or_insert_with(|| new.insts.add(inst.clone())),
            _ => unreachable!("only constants are asked for"),
        }
    })
}

/// A copy of the body in which `constant` places the constant of each use.
fn rebuild(body: &Body, constant: &mut dyn FnMut(&mut Body, Value) -> Value) -> Body {
    let mut new = Body { step: body.step, ..Body::default() };
    let mut map: Vec<Option<Value>> = vec![None; body.insts.len()];
    let mut moved = |new: &mut Body, map: &[Option<Value>], value: Value| {
        map[value.index()].unwrap_or_else(|| constant(new, value))
    };
    for (value, inst) in body.insts.iter().filter(|(_, inst)| !matches!(inst.op, Op::Const(_))) {
        let args = inst.args.map(|&arg| moved(&mut new, &map, arg));
        map[value.index()] = Some(new.insts.add(Inst { args, ..inst.clone() }));
    }
    let mut all = |values: Vec<Value>| -> Vec<Value> {
        values.into_iter().map(|value| moved(&mut new, &map, value)).collect()
    };
    let sets = all(body.sets.iter().map(|set| set.1).collect());
    let writes = all(body.writes.iter().map(|write| write.1).collect());
    let outs = all(body.outs.clone());
    let only_if = all(body.only_if.into_iter().collect());
    new.sets = body.sets.iter().map(|set| set.0).zip(sets).collect();
    new.writes = body.writes.iter().map(|write| write.0).zip(writes).collect();
    (new.outs, new.only_if) = (outs, only_if.first().copied());
    new
}

/// One kernel for all of `members`, in which constants are spread; and the data of each.
fn lift(members: Vec<Kernel>) -> (Kernel, Vec<Data>) {
    let mut kernel = members[0].clone();
    let mut data = vec![vec![]; members.len()];
    let mut known: FxHashMap<Vec<Imm>, Handle<StateSlot>> = FxHashMap::default();
    let mut turned = [Turned::default(), Turned::default()];
    for (form, turned) in turned.iter_mut().enumerate() {
        let count = bodies(&mut kernel)[form].insts.len();
        for index in 0..count {
            let at = Handle::new(index);
            let constant = |member: &Kernel| {
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
            if let Some(state) = with_highest_bit_turned(&imms).and_then(|other| known.get(&other)) {
                turned.insert(at, *state);
                continue;
            }
            let state = *known.entry(imms).or_insert_with_key(|imms| {
                let name = format!("{DATA}{}", kernel.states.len());
                let shared: Arc<str> = name.as_str().into();
                data.iter_mut().zip(imms).for_each(|(d, imm)| d.push((shared.clone(), *imm)));
                kernel.states.add(StateSlot::word(name, imms[0]))
            });
            let ty = kernel.states[state].ty();
            let inst = &mut bodies(&mut kernel)[form].insts[at];
            inst.op = Op::Get(state);
            inst.ty = ty;
        }
    }
    let [general, steady] =
        [(&kernel.general, &turned[0]), (&kernel.steady, &turned[1])].map(|(b, t)| gather(b, t));
    (Kernel { general, steady, ..kernel }, data)
}

/// The same whole numbers of 32 bits with the highest bit of each turned, if they are such.
fn with_highest_bit_turned(imms: &[Imm]) -> Option<Vec<Imm>> {
    let turned = |imm: &Imm| match imm {
        Imm::I32(x) => Some(Imm::I32(x ^ i32::MIN)),
        _ => None,
    };
    imms.iter().map(turned).collect()
}
