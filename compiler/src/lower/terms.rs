//! Long sums of large terms become calls: `sum i in 0..63 { … }` is 64 calls of one kernel and a sum of their
//! outputs, as if it had been written as 64 nodes. So it compiles like one term, and the terms can be packed into
//! instance lanes.
//!
//! Terms of several sums that need one state (left and right of a voice that is placed between them) are one call with
//! several outputs.
//!
//! A kernel is cut by slicing: each piece computes what its outputs need, and keeps the states that it reads. Nothing
//! is cut where two pieces would need one state, or a term would hear the sum.

use crate::ir::sums::Sums;
use crate::ir::{
    Body, DelayLine, InputId, Inst, Kernel, Op, ParamId, PortId, Rate, Sharing, StateSlot, Type, Value,
};
use mam_grammar::Handle;
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The fewest pieces that are cut out.
const FEWEST: usize = 8;
/// The fewest instructions that all pieces together compute in a frame: less is faster in one loop.
const WORK: usize = 200;
/// How often a kernel may be looked through, in the mean of its instructions, to find out what its terms need.
const LOOKS: usize = 8;

/// A kernel as pieces, and what is left of it.
pub(super) struct Cut {
    /// The pieces, in the order in which they are added. All have an output for each sum.
    pub(super) terms: Vec<Piece>,
    /// The rest: its last inputs are the sums of the pieces' outputs.
    pub(super) rest: Piece,
    /// How many sums there are.
    pub(super) sums: usize,
}

/// A part of a kernel.
pub(super) struct Piece {
    /// Its kernel; names of states and delay lines are the whole kernel's.
    pub(super) kernel: Kernel,
    /// Its parameters, among the whole kernel's.
    pub(super) params: Vec<usize>,
    /// Its inputs, likewise; of the rest without the sums.
    pub(super) inputs: Vec<usize>,
    /// Its event ports, likewise.
    pub(super) ports: Vec<usize>,
}

/// Cuts the long sums of a kernel in two bodies, if that is worth it and can be done.
pub(super) fn cut(kernel: &Kernel) -> Option<Cut> {
    if !kernel.voices.is_empty() || kernel.steady.insts.len() < WORK {
        return None;
    }
    let sums = long_sums(kernel)?;
    let slicer = Slicer::new(kernel);
    cut_sums(&slicer, outermost(kernel, &sums)).or_else(|| cut_sums(&slicer, longest(&sums)))
}

fn cut_sums(slicer: &Slicer, sums: Vec<[&Sum; 2]>) -> Option<Cut> {
    let kernel = slicer.kernel;
    let groups = slicer.groups(&sums)?;
    let whole = groups.iter().filter_map(|group| Some((group, group.roots(&sums)?)));
    let slices: Vec<(&Group, Slice)> =
        whole.map(|(group, roots)| (group, slicer.slice(roots, [&[], &[]]))).collect();
    // The groups that are of one shape; others stay where they are.
    let mut shapes: FxHashMap<_, Vec<usize>> = FxHashMap::default();
    for (i, (group, slice)) in slices.iter().enumerate() {
        shapes.entry((group.sums(), slicer.shape(slice))).or_default().push(i);
    }
    let chosen = shapes.into_values().max_by_key(|members| (members.len(), std::cmp::Reverse(members[0])))?;
    let work: usize = chosen.iter().map(|&i| slicer.work(&slices[i].1)).sum();
    if chosen.len() < FEWEST || work < WORK {
        return None;
    }
    let of = slices[chosen[0]].0.sums();
    let without = [0, 1].map(|form| {
        let taken =
            |sum: usize| chosen.iter().flat_map(|&i| slices[i].0.terms[&sum].iter().copied()).collect();
        of.iter().map(|&sum| Without { sum: sums[sum][form], taken: taken(sum) }).collect::<Vec<_>>()
    });
    let outs = [kernel.general.outs.clone(), kernel.steady.outs.clone()];
    let rest = slicer.slice(outs, [&without[0], &without[1]]);
    let pieces = || chosen.iter().map(|&i| &slices[i].1);
    if !slicer.apart(pieces().chain([&rest])) {
        return None;
    }
    let outputs: Vec<String> =
        (0..of.len()).map(|i| if i == 0 { "term".into() } else { format!("term{}", i + 1) }).collect();
    let terms = pieces().map(|slice| slicer.piece(slice, outputs.clone())).collect();
    Some(Cut { terms, rest: slicer.piece(&rest, kernel.outputs.clone()), sums: of.len() })
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
    fn new(body: &Body, sums: &Sums, value: Value) -> Sum {
        let terms = sums.terms(value);
        let first = |sum: &Value| Some(body.insts[*sum].args.as_slice()[0]);
        let mut parts: Vec<Value> = std::iter::successors(Some(value), first).take(terms.len() - 1).collect();
        parts.reverse();
        Sum { value, terms, parts }
    }

    /// Some of its terms as one value: one of them, or the first ones, which may be a term that is a sum itself.
    fn value_of(&self, terms: &[usize]) -> Option<Value> {
        match terms {
            &[term] => Some(self.terms[term]),
            _ if terms.iter().copied().eq(0..terms.len()) => Some(self.parts[terms.len() - 2]),
            _ => None,
        }
    }
}

/// The long sums of a kernel, each in both bodies, in the order of the bodies. None where there are none, or the bodies
/// have not the same.
fn long_sums(kernel: &Kernel) -> Option<Vec<[Sum; 2]>> {
    let [general, steady] = [&kernel.general, &kernel.steady].map(|body| {
        let sums = Sums::as_written(body);
        let whole = body.insts.handles().filter(|value| sums.is_whole(*value));
        let all = whole.map(|value| Sum::new(body, &sums, value));
        all.filter(|sum| sum.terms.len() >= FEWEST).collect::<Vec<Sum>>()
    });
    let lengths = |sums: &[Sum]| sums.iter().map(|sum| sum.terms.len()).collect::<Vec<usize>>();
    let same = !steady.is_empty() && lengths(&general) == lengths(&steady);
    same.then(|| general.into_iter().zip(steady).map(|(general, steady)| [general, steady]).collect())
}

/// Those of the sums that are in no term of another one.
fn outermost<'s>(kernel: &Kernel, sums: &'s [[Sum; 2]]) -> Vec<[&'s Sum; 2]> {
    let body = &kernel.steady;
    let whole: FxHashMap<Value, &[Sum; 2]> = sums.iter().map(|sum| (sum[1].value, sum)).collect();
    let mut within = vec![false; body.insts.len()];
    let mut all = vec![];
    // Users before what they use.
    for (value, inst) in body.insts.iter().collect::<Vec<_>>().into_iter().rev() {
        if within[value.index()] {
            inst.args.as_slice().iter().for_each(|arg| within[arg.index()] = true);
        } else if let Some(&sum) = whole.get(&value) {
            sum[1].terms.iter().for_each(|term| within[term.index()] = true);
            all.push(sum.each_ref());
        }
    }
    all.reverse();
    all
}

/// The longest of the sums, the first of those that are as long.
fn longest(sums: &[[Sum; 2]]) -> Vec<[&Sum; 2]> {
    let longest = sums.iter().rev().max_by_key(|sum| sum[1].terms.len());
    longest.map(|sum| sum.each_ref()).into_iter().collect()
}

/// Terms that need one state.
#[derive(Default)]
struct Group {
    /// By sum, which of its terms, in order.
    terms: BTreeMap<usize, Vec<usize>>,
}

impl Group {
    fn sums(&self) -> Vec<usize> {
        self.terms.keys().copied().collect()
    }

    /// Its terms in the two bodies, one for each sum; none where those of a sum are not one value.
    fn roots(&self, sums: &[[&Sum; 2]]) -> Option<[Vec<Value>; 2]> {
        let of = |form: usize| self.terms.iter().map(move |(&sum, terms)| sums[sum][form].value_of(terms));
        Some([of(0).collect::<Option<_>>()?, of(1).collect::<Option<_>>()?])
    }
}

/// A sum that is computed elsewhere, but for the terms that were not taken.
struct Without<'a> {
    sum: &'a Sum,
    taken: BTreeSet<usize>,
}

impl Without<'_> {
    fn left(&self) -> Vec<Value> {
        let left = self.sum.terms.iter().enumerate().filter(|(i, _)| !self.taken.contains(i));
        left.map(|(_, term)| *term).collect()
    }
}

/// What a piece needs of a kernel's two bodies.
pub(super) struct Slice<'a> {
    roots: [Vec<Value>; 2],
    needed: [BTreeSet<Value>; 2],
    states: BTreeSet<Handle<StateSlot>>,
    delays: BTreeSet<Handle<DelayLine>>,
    without: [&'a [Without<'a>]; 2],
    /// Values that are computed elsewhere, and heard as further inputs.
    heard: [&'a [Value]; 2],
}

impl Slice<'_> {
    /// The sum among those that are computed elsewhere that a value is, with its place among them.
    fn without(&self, form: usize, value: Value) -> Option<(usize, &Without<'_>)> {
        self.without[form].iter().enumerate().find(|(_, without)| without.sum.value == value)
    }

    /// The place of a value among those that are heard.
    fn heard(&self, form: usize, value: Value) -> Option<usize> {
        self.heard[form].iter().position(|heard| *heard == value)
    }

    /// Whether a value is needed.
    pub(super) fn needs(&self, form: usize, value: Value) -> bool {
        self.needed[form].contains(&value)
    }
}

/// Takes kernels apart.
pub(super) struct Slicer<'a> {
    kernel: &'a Kernel,
    rates: [Vec<Rate>; 2],
    /// What each state and each delay line is given in the two bodies, by the op that reads it.
    ends: FxHashMap<Op, [Option<Value>; 2]>,
}

impl<'a> Slicer<'a> {
    pub(super) fn new(kernel: &'a Kernel) -> Slicer<'a> {
        let mut ends: FxHashMap<Op, [Option<Value>; 2]> = FxHashMap::default();
        for (form, body) in [&kernel.general, &kernel.steady].into_iter().enumerate() {
            let sets = body.sets.iter().map(|(state, value)| (Op::Get(*state), *value));
            let writes = body.writes.iter().map(|(line, value)| (Op::Read(*line), *value));
            sets.chain(writes).for_each(|(op, value)| ends.entry(op).or_default()[form] = Some(value));
        }
        Slicer { kernel, rates: [kernel.general.rates(), kernel.steady.rates()], ends }
    }

    /// What is taken apart.
    pub(super) fn kernel(&self) -> &'a Kernel {
        self.kernel
    }

    /// How often a value of a form changes.
    pub(super) fn rate(&self, form: usize, value: Value) -> Rate {
        self.rates[form][value.index()]
    }

    /// The kernel's inputs that roots need.
    pub(super) fn inputs(&self, roots: [Vec<Value>; 2]) -> BTreeSet<usize> {
        let slice = self.slice(roots, [&[], &[]]);
        let input = |(_, inst): (Value, &Inst)| match inst.op {
            Op::Input(input) => Some(input.index()),
            _ => None,
        };
        (0..2).flat_map(|form| self.insts(&slice, form)).filter_map(input).collect()
    }

    /// Whether a line belongs to one piece: those of other kernels are read by any.
    fn is_own(&self, line: Handle<DelayLine>) -> bool {
        self.kernel.delays[line].sharing != Sharing::Borrowed
    }

    fn bodies(&self) -> [&'a Body; 2] {
        [&self.kernel.general, &self.kernel.steady]
    }

    /// The terms of the sums, those together that need one state that changes, or one delay line. None where terms have so much in common that to look for it takes long.
    fn groups(&self, sums: &[[&Sum; 2]]) -> Option<Vec<Group>> {
        let terms: Vec<(usize, usize)> = (0..sums.len())
            .flat_map(|sum| (0..sums[sum][0].terms.len()).map(move |term| (sum, term)))
            .collect();
        let mut joined = UnionFind::<usize>::new(terms.len());
        let mut owners: FxHashMap<Op, usize> = FxHashMap::default();
        let mut looked = 0;
        for (i, &(sum, term)) in terms.iter().enumerate() {
            let slice = self.slice([0, 1].map(|form| vec![sums[sum][form].terms[term]]), [&[], &[]]);
            looked += slice.needed[0].len() + slice.needed[1].len();
            if looked > LOOKS * (self.kernel.general.insts.len() + self.kernel.steady.insts.len()) {
                return None;
            }
            let states =
                slice.states.iter().map(|state| Op::Get(*state)).filter(|op| self.ends.contains_key(op));
            let lines = slice.delays.iter().filter(|line| self.is_own(**line)).map(|line| Op::Read(*line));
            for op in states.chain(lines) {
                _ = joined.union(i, *owners.entry(op).or_insert(i));
            }
        }
        let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
        let mut first: FxHashMap<usize, usize> = FxHashMap::default();
        for (i, &(sum, term)) in terms.iter().enumerate() {
            let place = *first.entry(joined.find(i)).or_insert(i);
            groups.entry(place).or_default().terms.entry(sum).or_default().push(term);
        }
        Some(groups.into_values().collect())
    }

    /// Everything that `roots` need in the two bodies, with what becomes of the states and delay lines among it.
    fn slice<'w>(&self, roots: [Vec<Value>; 2], without: [&'w [Without<'w>]; 2]) -> Slice<'w> {
        self.sliced(roots, without, [&[], &[]])
    }

    /// The same without what is computed elsewhere and heard.
    pub(super) fn slice_that_hears<'w>(
        &self,
        roots: [Vec<Value>; 2],
        heard: &'w [Vec<Value>; 2],
    ) -> Slice<'w> {
        self.sliced(roots, [&[], &[]], [&heard[0], &heard[1]])
    }

    fn sliced<'w>(
        &self,
        roots: [Vec<Value>; 2],
        without: [&'w [Without<'w>]; 2],
        heard: [&'w [Value]; 2],
    ) -> Slice<'w> {
        let bodies = self.bodies();
        let mut open: Vec<(usize, Value)> =
            (0..2).flat_map(|form| roots[form].iter().map(move |root| (form, *root))).collect();
        let mut slice = Slice {
            roots,
            needed: Default::default(),
            states: BTreeSet::new(),
            delays: BTreeSet::new(),
            without,
            heard,
        };
        while let Some((form, value)) = open.pop() {
            if !slice.needed[form].insert(value) || slice.heard(form, value).is_some() {
                continue;
            }
            let inst = &bodies[form].insts[value];
            match slice.without(form, value) {
                Some((_, without)) => open.extend(without.left().into_iter().map(|term| (form, term))),
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
            apart &= piece.delays.iter().filter(|line| self.is_own(**line)).all(|line| delays.insert(*line));
            work += self.work(piece);
            count += 1;
        }
        let whole = self.rates[1].iter().filter(|rate| **rate == Rate::Sample).count();
        // A term may compute a few things that all have in common for itself.
        const SHARED: usize = 4;
        apart && work <= whole + SHARED * count
    }

    /// The kernel of a slice.
    pub(super) fn piece(&self, slice: &Slice, outputs: Vec<String>) -> Piece {
        let kernel = self.kernel;
        let mut tables: [BTreeSet<usize>; 3] = Default::default();
        let computed = |form: usize| {
            self.insts(slice, form).filter(move |(value, _)| slice.heard(form, *value).is_none())
        };
        for (_, inst) in (0..2).flat_map(computed) {
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
        let states: FxHashMap<_, _> = slice
            .states
            .iter()
            .map(|&state| (state, piece.states.add(kernel.states[state].clone())))
            .collect();
        let delays: FxHashMap<_, _> =
            slice.delays.iter().map(|&line| (line, piece.delays.add(kernel.delays[line].clone()))).collect();
        let elsewhere = slice.without[0].len();
        piece
            .inputs
            .extend((0..elsewhere).map(|i| if i == 0 { "sum".into() } else { format!("sum{}", i + 1) }));
        piece.inputs.extend((0..slice.heard[0].len()).map(|i| format!("heard{i}")));
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
            let mut map: FxHashMap<Value, Value> = FxHashMap::default();
            for (value, inst) in self.insts(slice, form) {
                if let Some(i) = slice.heard(form, value) {
                    let input = InputId::new(inputs.len() + elsewhere + i);
                    map.insert(value, new.add(Op::Input(input), Type::F32, &[]));
                    continue;
                }
                let now = match slice.without(form, value) {
                    Some((i, without)) => {
                        let sum = new.add(Op::Input(InputId::new(inputs.len() + i)), Type::F32, &[]);
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
