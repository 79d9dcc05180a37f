//! Which calls are packed, and the order of what comes of it.

use super::{Choice, LANES, Packing, Rules, Shape, interleave, merged, places};
use crate::ir::{Imm, Kernel, Module};
use crate::lower::{KernelCall, Lowered, SignalId, sum_kernel};
use crate::opt::intervals::Intervals;
use crate::opt::{Context, optimize};
use mam_grammar::Handle;
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;
use std::sync::Arc;

/// The kernels and calls that a plan is made of.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// The kernels that are called.
    pub module: Module,
    /// Their calls, in order.
    pub calls: Vec<PackedCall>,
    /// How many signals there are.
    pub signals: usize,
    /// What was decided for each kernel that is called four times or more, and why.
    pub reasons: Vec<String>,
}

/// A call of a kernel, for one node or voice or for four.
#[derive(Clone, Debug)]
pub struct PackedCall {
    /// The kernel that is called.
    pub kernel: Handle<Kernel>,
    /// Whom it computes: one, or as many as the kernel has lanes.
    pub parts: Vec<Part>,
    /// Its parameters: indices of slots.
    pub params: Vec<usize>,
    /// The signals that the call reads.
    pub inputs: Vec<SignalId>,
    /// The signals that the call writes.
    pub outputs: Vec<SignalId>,
    /// Indices of the ports whose events it takes.
    pub ports: Vec<usize>,
}

/// A node or voice in a call.
#[derive(Clone, Debug)]
pub struct Part {
    /// The node's path; of a voice, with `#2`.
    pub path: Arc<str>,
    /// The equations that are computed with it, itself among them, where there are several.
    pub fused: Arc<[Arc<str>]>,
    /// Name and initial value of its states: the i-th of lane k is the kernel's word lanes · i + k.
    pub states: Vec<(Arc<str>, Imm)>,
    /// Names of its delay lines, which stand together.
    pub delays: Vec<Arc<str>>,
    /// Its ports: indices into the call's.
    pub ports: Vec<usize>,
    /// Its voices, among the kernel's.
    pub voices: Range<usize>,
    /// Its outputs, among the call's.
    pub outputs: Range<usize>,
}

/// Says whether four calls become one, as [`choose`](super::choose) does: by the kernel as it was lowered, and after
/// all passes.
pub(crate) type Choose<'a> = &'a mut dyn FnMut(&Kernel, &Kernel, &Shape) -> Choice;

/// Packs the calls of a song, where `choose` says so. `optimised` are its kernels after all passes.
pub fn run(lowered: &Lowered, optimised: Module, rules: Rules, choose: Choose) -> Packed {
    let mut packer = Packer::new(lowered, optimised, rules, choose);
    packer.voices();
    packer.nodes();
    packer.finish()
}

/// Calls that become one, or a call as it is.
struct Group {
    kernel: Handle<Kernel>,
    /// Indices of calls.
    members: Vec<usize>,
    shape: Shape,
    outputs: Vec<SignalId>,
}

struct Packer<'a> {
    lowered: &'a Lowered,
    calls: &'a [KernelCall],
    rules: Rules<'a>,
    choose: Choose<'a>,
    /// The kernels after all passes, with those that are made here.
    module: Module,
    signals: usize,
    /// How many calls each is away from what needs none.
    depth: Vec<usize>,
    /// The call that makes each signal, and which of its outputs it is.
    maker: Vec<Option<(usize, usize)>>,
    /// Who reads each signal: the call, and which of its inputs it is. Twice where it is part of the result.
    readers: Vec<Vec<(usize, usize)>>,
    groups: Vec<Group>,
    grouped: Vec<bool>,
    /// Sums of groups, by call: what is added instead of its inputs.
    sums: FxHashMap<usize, Vec<SignalId>>,
    choices: FxHashMap<(Handle<Kernel>, Shape), Option<Handle<Kernel>>>,
    reasons: Vec<String>,
    /// The kernels of so many calls side by side, if there can be one.
    interleaved: FxHashMap<(Handle<Kernel>, usize), Option<Handle<Kernel>>>,
}

impl<'a> Packer<'a> {
    fn new(lowered: &'a Lowered, optimised: Module, rules: Rules<'a>, choose: Choose<'a>) -> Packer<'a> {
        let calls = lowered.calls.as_slice();
        let mut maker = vec![None; lowered.signals];
        let mut readers = vec![vec![]; lowered.signals];
        let mut depth = vec![];
        for (index, call) in calls.iter().enumerate() {
            let before = call.inputs.iter().filter_map(|&signal| maker[signal]);
            depth.push(before.map(|(call, _): (usize, usize)| depth[call] + 1).max().unwrap_or(0));
            call.outputs.iter().enumerate().for_each(|(place, &signal)| maker[signal] = Some((index, place)));
            call.inputs.iter().enumerate().for_each(|(place, &signal)| readers[signal].push((index, place)));
        }
        for &signal in lowered.out.iter().flatten().chain(&lowered.also) {
            readers[signal].extend([(usize::MAX, 0); 2]);
        }
        Packer {
            lowered,
            calls,
            rules,
            choose,
            module: optimised,
            signals: lowered.signals,
            depth,
            maker,
            readers,
            groups: vec![],
            grouped: vec![false; calls.len()],
            sums: FxHashMap::default(),
            choices: FxHashMap::default(),
            reasons: vec![],
            interleaved: FxHashMap::default(),
        }
    }

    /// The kernel for four calls of this shape, if it pays.
    fn choose(&mut self, kernel: Handle<Kernel>, shape: &Shape) -> Option<Handle<Kernel>> {
        if let Some(known) = self.choices.get(&(kernel, shape.clone())) {
            return *known;
        }
        let (lowered, one) = (&self.lowered.module.kernels[kernel], &self.module.kernels[kernel]);
        let (packed, reason) = (self.choose)(lowered, one, shape);
        self.reasons.push(format!("{}: {reason}", one.name));
        let handle = packed.map(|packed| self.module.kernels.add(packed));
        self.choices.insert((kernel, shape.clone()), handle);
        handle
    }

    fn shape(&self, members: &[usize], adds: bool) -> Shape {
        let first = &self.calls[members[0]];
        let same = |table: fn(&KernelCall) -> &Vec<usize>| {
            let equal = |i: usize| members.iter().all(|&m| table(&self.calls[m])[i] == table(first)[i]);
            (0..table(first).len()).map(equal).collect::<Vec<bool>>()
        };
        let mut shape = Shape {
            params: same(|c| &c.params),
            inputs: same(|c| &c.inputs),
            ports: same(|c| &c.ports),
            adds,
        };
        // Each voice is woken by itself.
        for voice in &self.module.kernels[first.kernel].voices {
            shape.ports[voice.port.index()] = false;
        }
        shape
    }

    /// The voices of instruments, of which only the sum is used.
    fn voices(&mut self) {
        for index in 0..self.calls.len() {
            if let Some(groups) = self.addends(index) {
                self.add_up(groups);
            }
        }
    }

    /// The calls in fours whose first outputs a sum adds, if all their outputs go into sums, likewise in fours.
    fn addends(&self, sum: usize) -> Option<Vec<[usize; LANES]>> {
        let call = &self.calls[sum];
        let fours = call.inputs.chunks_exact(LANES);
        if !call.adds || fours.len() == 0 {
            return None;
        }
        let maker = |signal: SignalId| self.maker[signal].filter(|(_, output)| *output == 0);
        let groups = fours.map(|four| {
            let mut makers = four.iter().map(|&signal| maker(signal).map(|(call, _)| call));
            let group: [Option<usize>; LANES] = std::array::from_fn(|_| makers.next().flatten());
            let [Some(a), Some(b), Some(c), Some(d)] = group else { return None };
            Some([a, b, c, d])
        });
        let groups: Vec<[usize; LANES]> = groups.collect::<Option<_>>()?;
        let fits = groups.iter().enumerate().all(|(j, group)| {
            let first = &self.calls[group[0]];
            let alike = |&m: &usize| {
                let member = &self.calls[m];
                member.kernel == first.kernel && !member.adds && self.depth[m] == self.depth[group[0]]
            };
            let heard = |(lane, &m): (usize, &usize)| {
                (0..first.outputs.len()).all(|output| {
                    let wanted = self.readers[first.outputs[output]].first().map(|(reader, _)| *reader);
                    let place = LANES * j + lane;
                    let adds = |call: usize| self.calls.get(call).is_some_and(|call| call.adds);
                    let sum = wanted.filter(|&call| adds(call));
                    sum.is_some_and(|sum| self.readers[self.calls[m].outputs[output]] == [(sum, place)])
                })
            };
            group.iter().all(alike) && group.iter().enumerate().all(heard)
        });
        fits.then_some(groups)
    }

    fn add_up(&mut self, groups: Vec<[usize; LANES]>) {
        let made: Option<Vec<Group>> = groups
            .iter()
            .map(|members| {
                let shape = self.shape(members, true);
                let kernel = self.choose(self.calls[members[0]].kernel, &shape)?;
                Some(Group { kernel, members: members.to_vec(), shape, outputs: vec![] })
            })
            .collect();
        let Some(made) = made else { return };
        for mut group in made {
            for &signal in &self.calls[group.members[0]].outputs {
                let (sum, _) = self.readers[signal][0];
                group.outputs.push(self.signals);
                self.sums.entry(sum).or_default().push(self.signals);
                self.signals += 1;
            }
            group.members.iter().for_each(|&member| self.grouped[member] = true);
            self.groups.push(group);
        }
    }

    /// What else there are four of.
    fn nodes(&mut self) {
        let mut alike: BTreeMap<(Handle<Kernel>, usize), Vec<usize>> = BTreeMap::new();
        for (index, call) in self.calls.iter().enumerate().filter(|(index, _)| !self.grouped[*index]) {
            if !call.adds {
                alike.entry((call.kernel, self.depth[index])).or_default().push(index);
            }
        }
        for ((kernel, _), all) in alike {
            for members in all.chunks_exact(LANES) {
                let shape = self.shape(members, false);
                let Some(kernel) = self.choose(kernel, &shape) else { continue };
                let outputs = members.iter().flat_map(|&m| self.calls[m].outputs.iter().copied()).collect();
                members.iter().for_each(|&member| self.grouped[member] = true);
                self.groups.push(Group { kernel, members: members.to_vec(), shape, outputs });
            }
        }
    }

    fn finish(mut self) -> Packed {
        let mut calls: Vec<(usize, PackedCall)> = vec![];
        for group in std::mem::take(&mut self.groups) {
            calls.push((group.members[0], self.packed(&group)));
        }
        let mut same: FxHashMap<SignalId, SignalId> = FxHashMap::default();
        let mut adders: FxHashMap<(usize, usize), Handle<Kernel>> = FxHashMap::default();
        for (index, call) in self.calls.iter().enumerate().filter(|(index, _)| !self.grouped[*index]) {
            let mut call = single(call, &self.module.kernels[call.kernel]);
            if let Some(sums) = self.sums.get(&index) {
                let added = LANES * sums.len();
                call.inputs.splice(..added, sums.iter().copied());
                if let [only] = call.inputs[..] {
                    same.insert(only, call.outputs[0]);
                    continue;
                }
                let (groups, rest) = (sums.len(), call.inputs.len() - sums.len());
                let (module, target) = (&mut self.module, self.rules.target);
                let adder = adders.entry((groups, rest)).or_insert_with(|| {
                    let mut kernel = sum_kernel(groups, rest);
                    optimize(&mut kernel, module.tables.len(), target);
                    module.kernels.add(kernel)
                });
                call.kernel = *adder;
            }
            calls.push((index, call));
        }
        for signal in calls.iter_mut().flat_map(|(_, call)| &mut call.outputs) {
            *signal = same.get(signal).copied().unwrap_or(*signal);
        }
        let calls = self.interleave(calls);
        self.reasons.put_in_order();
        let mut packed = Packed {
            calls: ordered(calls, self.signals),
            module: self.module,
            signals: self.signals,
            reasons: self.reasons,
        };
        packed.sweep();
        packed
    }

    /// Lets calls of one kernel stand side by side where it waits for itself and they hear the same.
    fn interleave(&mut self, calls: Vec<(usize, PackedCall)>) -> Vec<(usize, PackedCall)> {
        type Alike = (Handle<Kernel>, usize, Vec<usize>, Vec<SignalId>);
        let mut alike: BTreeMap<Alike, Vec<(usize, PackedCall)>> = BTreeMap::new();
        let mut done = vec![];
        for (index, call) in calls {
            if call.ports.is_empty() && self.rules.packing != Packing::Never {
                let key = (call.kernel, self.depth[index], call.params.clone(), call.inputs.clone());
                alike.entry(key).or_default().push((index, call));
            } else {
                done.push((index, call));
            }
        }
        for ((kernel, ..), calls) in alike {
            let wanted = match self.rules.packing {
                Packing::Always => interleave::wanted(&self.module.kernels[kernel]).max(2),
                _ => interleave::wanted(&self.module.kernels[kernel]),
            };
            // As many in each as in the others, or one less.
            let loops = calls.len().div_ceil(wanted);
            let (each, more) = (calls.len() / loops, calls.len() % loops);
            let mut calls = calls.into_iter();
            for index in 0..loops {
                let some = each + usize::from(index < more);
                done.extend(self.side_by_side(kernel, calls.by_ref().take(some).collect()));
            }
        }
        done
    }

    /// Calls of a kernel as one, if they can be.
    fn side_by_side(
        &mut self,
        kernel: Handle<Kernel>,
        calls: Vec<(usize, PackedCall)>,
    ) -> Vec<(usize, PackedCall)> {
        let (count, parts) = (calls.len(), calls[0].1.parts.len());
        if count < 2 {
            return calls;
        }
        let made = match self.interleaved.get(&(kernel, count)) {
            Some(made) => *made,
            None => {
                let one = &self.module.kernels[kernel];
                let intervals = Intervals::default();
                let made =
                    interleave::interleaved(one, parts, count, Context::new(self.rules.target, &intervals));
                if made.is_some() {
                    self.reasons.push(format!("{}: {count} calls side by side", one.name));
                }
                let made = made.map(|made| self.module.kernels.add(made));
                self.interleaved.insert((kernel, count), made);
                made
            }
        };
        let Some(made) = made else { return calls };
        let mut calls = calls.into_iter();
        let Some((index, mut all)) = calls.next() else { return vec![] };
        all.kernel = made;
        for (_, call) in calls {
            let before = all.outputs.len();
            all.parts.extend(call.parts.into_iter().map(|part| Part {
                outputs: before + part.outputs.start..before + part.outputs.end,
                ..part
            }));
            all.outputs.extend(call.outputs);
        }
        vec![(index, all)]
    }

    /// A group as a call.
    fn packed(&self, group: &Group) -> PackedCall {
        let calls: Vec<&KernelCall> = group.members.iter().map(|&member| &self.calls[member]).collect();
        let tables = |table: fn(&KernelCall) -> &Vec<usize>, same: &[bool]| {
            merged(std::array::from_fn(|lane| table(calls[lane]).as_slice()), same)
        };
        let (shape, each) = (&group.shape, calls[0].outputs.len());
        let part = |(lane, call): (usize, &&KernelCall)| Part {
            path: call.path.clone(),
            fused: call.fused.clone(),
            states: call.states.clone(),
            delays: call.delays.clone(),
            ports: places(&shape.ports, lane),
            voices: if self.module.kernels[group.kernel].voices.is_empty() { 0..0 } else { lane..lane + 1 },
            outputs: match (shape.adds, lane) {
                (true, 0) => 0..each,
                (true, _) => each..each,
                (false, _) => lane * each..(lane + 1) * each,
            },
        };
        PackedCall {
            kernel: group.kernel,
            parts: calls.iter().enumerate().map(part).collect(),
            params: tables(|call| &call.params, &shape.params),
            inputs: tables(|call| &call.inputs, &shape.inputs),
            ports: tables(|call| &call.ports, &shape.ports),
            outputs: group.outputs.clone(),
        }
    }
}

/// A call as it is.
fn single(call: &KernelCall, kernel: &Kernel) -> PackedCall {
    let part = Part {
        path: call.path.clone(),
        fused: call.fused.clone(),
        states: call.states.clone(),
        delays: call.delays.clone(),
        ports: (0..call.ports.len()).collect(),
        voices: 0..kernel.voices.len(),
        outputs: 0..call.outputs.len(),
    };
    PackedCall {
        kernel: call.kernel,
        parts: vec![part],
        params: call.params.clone(),
        inputs: call.inputs.clone(),
        outputs: call.outputs.clone(),
        ports: call.ports.clone(),
    }
}

/// The calls so that each stands behind those whose signals it needs, otherwise by the numbers that they have.
fn ordered(calls: Vec<(usize, PackedCall)>, signals: usize) -> Vec<PackedCall> {
    let mut maker = vec![None; signals];
    for (index, (_, call)) in calls.iter().enumerate() {
        call.outputs.iter().for_each(|&signal| maker[signal] = Some(index));
    }
    let mut users: Vec<Vec<usize>> = vec![vec![]; calls.len()];
    let mut missing = vec![0; calls.len()];
    for (index, (_, call)) in calls.iter().enumerate() {
        for maker in call.inputs.iter().filter_map(|&signal| maker[signal]) {
            users[maker].push(index);
            missing[index] += 1;
        }
    }
    let ready = |index: usize| Reverse((calls[index].0, index));
    let mut heap: BinaryHeap<_> = (0..calls.len()).filter(|&index| missing[index] == 0).map(ready).collect();
    let mut order = vec![];
    while let Some(Reverse((_, index))) = heap.pop() {
        order.push(index);
        for &user in &users[index] {
            missing[user] -= 1;
            if missing[user] == 0 {
                heap.push(ready(user));
            }
        }
    }
    debug_assert_eq!(order.len(), calls.len(), "calls of one group do not need each other");
    let mut calls: Vec<Option<PackedCall>> = calls.into_iter().map(|(_, call)| Some(call)).collect();
    order.into_iter().filter_map(|index| calls[index].take()).collect()
}

impl Packed {
    /// Drops the kernels that are not called.
    fn sweep(&mut self) {
        let mut used = vec![false; self.module.kernels.len()];
        self.calls.iter().for_each(|call| used[call.kernel.index()] = true);
        let mut left = 0;
        let moved: Vec<Handle<Kernel>> = used
            .iter()
            .map(|used| {
                left += usize::from(*used);
                Handle::new(left.saturating_sub(1))
            })
            .collect();
        let kernels = std::mem::take(&mut self.module.kernels).into_iter().zip(used);
        self.module.kernels = kernels.filter(|(_, used)| *used).map(|(kernel, _)| kernel).collect();
        self.calls.iter_mut().for_each(|call| call.kernel = moved[call.kernel.index()]);
    }
}
