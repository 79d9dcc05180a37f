//! Long sums of large terms become calls: `sum i in 0..63 { … }` is 64 calls of one kernel and a sum of their
//! outputs, as if it had been written as 64 nodes. So it compiles like one term, and the terms can be packed into
//! instance lanes.
//!
//! A kernel is cut by slicing: each piece computes what its outputs need, and keeps the states that it reads. Nothing
//! is cut where two pieces would need one state, or a term would hear the sum.

use crate::ir::sums::Sums;
use crate::ir::{Body, DelayLine, InputId, Inst, Kernel, Op, ParamId, PortId, Rate, StateSlot, Type, Value};
use mam_grammar::Handle;
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, HashMap};

/// The fewest terms that are cut out.
const FEWEST: usize = 8;
/// The fewest instructions that all terms together compute in a frame: less is faster in one loop.
const WORK: usize = 200;

/// A kernel as terms, and what is left of it.
pub(super) struct Cut {
    /// The terms, in the order in which they are added.
    pub(super) terms: Vec<Piece>,
    /// The rest: its last input is the terms' sum.
    pub(super) rest: Piece,
}

/// A part of a kernel.
pub(super) struct Piece {
    /// Its kernel; names of states and delay lines are the whole kernel's.
    pub(super) kernel: Kernel,
    /// Its parameters, among the whole kernel's.
    pub(super) params: Vec<usize>,
    /// Its inputs, likewise; of the rest without the sum.
    pub(super) inputs: Vec<usize>,
    /// Its event ports, likewise.
    pub(super) ports: Vec<usize>,
}

/// Cuts the longest sum of a kernel in two bodies, if that is worth it and can be done.
pub(super) fn cut(kernel: &Kernel) -> Option<Cut> {
    if !kernel.voices.is_empty() || kernel.steady.insts.len() < WORK {
        return None;
    }
    let mut sums = [Sum::longest(&kernel.general)?, Sum::longest(&kernel.steady)?];
    if sums[0].terms.len() != sums[1].terms.len() {
        return None;
    }
    let slicer = Slicer::new(kernel);
    // The first term may be a sum itself, of what belongs together.
    while sums[1].terms.len() > FEWEST {
        let [one, other] =
            [0, 1].map(|i| slicer.slice([0, 1].map(|form| &sums[form].terms[i..=i]), [None; 2]));
        if slicer.apart([&one, &other].into_iter()) {
            break;
        }
        sums.iter_mut().for_each(Sum::join_first);
    }
    let slice = |i: usize| slicer.slice([&[sums[0].terms[i]], &[sums[1].terms[i]]], [None, None]);
    let slices: Vec<Slice> = (0..sums[0].terms.len()).map(slice).collect();
    // The terms that are of one shape; others stay where they are.
    let mut shapes: HashMap<[Vec<(Op, Type)>; 2], Vec<usize>> = HashMap::new();
    for (i, slice) in slices.iter().enumerate() {
        shapes.entry(slicer.shape(slice)).or_default().push(i);
    }
    let chosen = shapes.into_values().max_by_key(|members| (members.len(), std::cmp::Reverse(members[0])))?;
    let work: usize = chosen.iter().map(|&i| slicer.work(&slices[i])).sum();
    if chosen.len() < FEWEST || work < WORK {
        return None;
    }
    let outs = [kernel.general.outs.as_slice(), kernel.steady.outs.as_slice()];
    let taken: BTreeSet<usize> = chosen.iter().copied().collect();
    let replaced = [0, 1].map(|form| Some(Without { sum: &sums[form], taken: &taken }));
    let rest = slicer.slice(outs, [replaced[0].as_ref(), replaced[1].as_ref()]);
    let pieces = || chosen.iter().map(|&i| &slices[i]).chain([&rest]);
    if !slicer.apart(pieces()) {
        return None;
    }
    let terms = chosen.iter().map(|&i| slicer.piece(&slices[i], ["term"].map(str::to_string).to_vec()));
    Some(Cut { terms: terms.collect(), rest: slicer.piece(&rest, kernel.outputs.clone()) })
}

/// A sum whose inner additions have no other use.
struct Sum {
    value: Value,
    /// In the order in which they are written.
    terms: Vec<Value>,
    /// The sums of the first two, the first three and so on.
    parts: Vec<Value>,
}

impl Sum {
    fn longest(body: &Body) -> Option<Sum> {
        let sums = Sums::as_written(body);
        let whole = body.insts.handles().filter(|value| sums.is_whole(*value));
        let (terms, value) = whole
            .map(|value| (sums.terms(value), value))
            .max_by_key(|(terms, value)| (terms.len(), std::cmp::Reverse(*value)))?;
        let first = |sum: &Value| Some(body.insts[*sum].args.as_slice()[0]);
        let mut parts: Vec<Value> = std::iter::successors(Some(value), first).take(terms.len() - 1).collect();
        parts.reverse();
        Some(Sum { value, terms, parts })
    }

    /// Makes one term of the first two.
    fn join_first(&mut self) {
        self.terms.splice(..2, [self.parts.remove(0)]);
    }
}

/// A sum that is computed elsewhere, but for the terms that were not taken.
struct Without<'a> {
    sum: &'a Sum,
    taken: &'a BTreeSet<usize>,
}

impl Without<'_> {
    fn left(&self) -> Vec<Value> {
        let left = self.sum.terms.iter().enumerate().filter(|(i, _)| !self.taken.contains(i));
        left.map(|(_, term)| *term).collect()
    }
}

/// What a piece needs of a kernel's two bodies.
struct Slice<'a> {
    roots: [Vec<Value>; 2],
    needed: [BTreeSet<Value>; 2],
    states: BTreeSet<Handle<StateSlot>>,
    delays: BTreeSet<Handle<DelayLine>>,
    without: [Option<&'a Without<'a>>; 2],
}

struct Slicer<'a> {
    kernel: &'a Kernel,
    rates: [Vec<Rate>; 2],
    /// What each state and each delay line is given in the two bodies, by the op that reads it.
    ends: FxHashMap<Op, [Option<Value>; 2]>,
}

impl<'a> Slicer<'a> {
    fn new(kernel: &'a Kernel) -> Slicer<'a> {
        let mut ends: FxHashMap<Op, [Option<Value>; 2]> = FxHashMap::default();
        for (form, body) in [&kernel.general, &kernel.steady].into_iter().enumerate() {
            let sets = body.sets.iter().map(|(state, value)| (Op::Get(*state), *value));
            let writes = body.writes.iter().map(|(line, value)| (Op::Read(*line), *value));
            sets.chain(writes).for_each(|(op, value)| ends.entry(op).or_default()[form] = Some(value));
        }
        Slicer { kernel, rates: [kernel.general.rates(), kernel.steady.rates()], ends }
    }

    fn bodies(&self) -> [&'a Body; 2] {
        [&self.kernel.general, &self.kernel.steady]
    }

    /// Everything that `roots` need in the two bodies, with what becomes of the states and delay lines among it.
    fn slice<'w>(&self, roots: [&[Value]; 2], without: [Option<&'w Without<'w>>; 2]) -> Slice<'w> {
        let bodies = self.bodies();
        let mut slice = Slice {
            roots: roots.map(<[Value]>::to_vec),
            needed: Default::default(),
            states: BTreeSet::new(),
            delays: BTreeSet::new(),
            without,
        };
        let mut open: Vec<(usize, Value)> =
            (0..2).flat_map(|form| roots[form].iter().map(move |root| (form, *root))).collect();
        while let Some((form, value)) = open.pop() {
            if !slice.needed[form].insert(value) {
                continue;
            }
            let inst = &bodies[form].insts[value];
            match without[form].filter(|without| without.sum.value == value) {
                Some(without) => open.extend(without.left().into_iter().map(|term| (form, term))),
                None => open.extend(inst.args.as_slice().iter().map(|arg| (form, *arg))),
            }
            let met = match inst.op {
                Op::Get(state) => slice.states.insert(state),
                Op::Read(line) => slice.delays.insert(line),
                _ => false,
            };
            if let Some(ends) = self.ends.get(&inst.op).filter(|_| met) {
                open.extend((0..2).filter_map(|form| Some((form, ends[form]?))));
            }
        }
        slice
    }

    fn insts<'s>(&self, slice: &'s Slice, form: usize) -> impl Iterator<Item = (Value, &'a Inst)> + 's
    where
        'a: 's,
    {
        let insts = &self.bodies()[form].insts;
        slice.needed[form].iter().map(move |value| (*value, &insts[*value]))
    }

    /// What terms of one kernel have in common, roughly: operations and types in order, but for constants, of which
    /// equal ones stand where the first term needs them.
    fn shape(&self, slice: &Slice) -> [Vec<(Op, Type)>; 2] {
        let bare = |inst: &Inst| match inst.op {
            Op::Const(_) => None,
            Op::Get(_) => Some((Op::Get(Handle::new(0)), inst.ty)),
            Op::Read(_) => Some((Op::Read(Handle::new(0)), inst.ty)),
            Op::Param(_) => Some((Op::Param(ParamId::ZERO), inst.ty)),
            Op::Input(_) => Some((Op::Input(InputId::ZERO), inst.ty)),
            Op::Port(_, field) => Some((Op::Port(PortId::ZERO, field), inst.ty)),
            op => Some((op, inst.ty)),
        };
        [0, 1].map(|form| self.insts(slice, form).filter_map(|(_, inst)| bare(inst)).collect())
    }

    /// How many instructions a piece computes every frame.
    fn work(&self, slice: &Slice) -> usize {
        let sample = |value: Value| self.rates[1][value.index()] == Rate::Sample;
        self.insts(slice, 1).filter(|(value, _)| sample(*value)).count()
    }

    /// Whether no two pieces need a state that changes or a delay line, and little is computed twice.
    fn apart<'s>(&self, pieces: impl Iterator<Item = &'s Slice<'s>>) -> bool {
        let changes = |state: &Handle<StateSlot>| self.ends.contains_key(&Op::Get(*state));
        let (mut states, mut delays) = (BTreeSet::new(), BTreeSet::new());
        let (mut work, mut count) = (0, 0);
        let mut apart = true;
        for piece in pieces {
            apart &= piece.states.iter().filter(|state| changes(state)).all(|state| states.insert(*state));
            apart &= piece.delays.iter().all(|line| delays.insert(*line));
            work += self.work(piece);
            count += 1;
        }
        let whole = self.rates[1].iter().filter(|rate| **rate == Rate::Sample).count();
        // A term may compute a few things that all have in common for itself.
        const SHARED: usize = 4;
        apart && work <= whole + SHARED * count
    }

    fn piece(&self, slice: &Slice, outputs: Vec<String>) -> Piece {
        let kernel = self.kernel;
        let mut tables: [BTreeSet<usize>; 3] = Default::default();
        for (_, inst) in (0..2).flat_map(|form| self.insts(slice, form)) {
            match inst.op {
                Op::Param(i) => _ = tables[0].insert(i.index()),
                Op::Input(i) => _ = tables[1].insert(i.index()),
                Op::Port(i, _) => _ = tables[2].insert(i.index()),
                _ => {}
            }
        }
        let [params, inputs, ports] = tables.map(|table| table.into_iter().collect::<Vec<_>>());
        let names = |table: &[usize], names: &[String]| table.iter().map(|&i| names[i].clone()).collect();
        let mut piece = Kernel {
            name: kernel.name.clone(),
            params: names(&params, &kernel.params),
            inputs: names(&inputs, &kernel.inputs),
            ports: names(&ports, &kernel.ports),
            outputs,
            ..Kernel::default()
        };
        let states: HashMap<_, _> = slice
            .states
            .iter()
            .map(|&state| (state, piece.states.add(kernel.states[state].clone())))
            .collect();
        let delays: HashMap<_, _> =
            slice.delays.iter().map(|&line| (line, piece.delays.add(kernel.delays[line].clone()))).collect();
        if slice.without[0].is_some() {
            piece.inputs.push("sum".to_string());
        }
        let place = |table: &[usize], i: usize| table.iter().position(|&entry| entry == i).unwrap_or(0);
        let op = |op: Op| match op {
            Op::Param(i) => Op::Param(ParamId::new(place(&params, i.index()))),
            Op::Input(i) => Op::Input(InputId::new(place(&inputs, i.index()))),
            Op::Port(i, field) => Op::Port(PortId::new(place(&ports, i.index())), field),
            Op::Get(state) => Op::Get(states[&state]),
            Op::Read(line) => Op::Read(delays[&line]),
            op => op,
        };
        let body = |form: usize| {
            let mut new = Body::default();
            let mut map: HashMap<Value, Value> = HashMap::new();
            for (value, inst) in self.insts(slice, form) {
                let now = match slice.without[form].filter(|without| without.sum.value == value) {
                    Some(without) => {
                        let sum = new.add(Op::Input(InputId::new(inputs.len())), Type::F32, &[]);
                        without.left().iter().fold(sum, |sum, term| new.op(Op::Add, &[sum, map[term]]))
                    }
                    None => {
                        let args: Vec<Value> = inst.args.as_slice().iter().map(|arg| map[arg]).collect();
                        new.add(op(inst.op), inst.ty, &args)
                    }
                };
                map.insert(value, now);
            }
            let end = |op: Op| Some(map[&self.ends.get(&op)?[form]?]);
            let sets = slice.states.iter().map(|state| (states[state], end(Op::Get(*state))));
            new.sets = sets.filter_map(|(state, value)| Some((state, value?))).collect();
            let writes = slice.delays.iter().map(|line| (delays[line], end(Op::Read(*line))));
            new.writes = writes.filter_map(|(line, value)| Some((line, value?))).collect();
            new.outs = slice.roots[form].iter().map(|root| map[root]).collect();
            new
        };
        (piece.general, piece.steady) = (body(0), body(1));
        Piece { kernel: piece, params, inputs, ports }
    }
}
