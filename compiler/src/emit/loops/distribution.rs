//! Loop distribution: a long body is split into loops, one after the other over the frames of the call.
//!
//! The instructions of an iteration wait for each other: what goes from an input through an oscillator and a saturation to
//! the output takes over a hundred cycles. A processor fills the time with instructions of the next iterations, but only
//! with as many as it can hold. Two loops, each with half of the way, keep it twice as busy: what the first computes
//! for the second passes through memory. (Measured: a kick with its saturation 2.8 ns a frame in one loop, 2.2 in two.)
//!
//! A recurrence through states, delay lines or loop-carried values stays in one loop. A value is computed as late as its
//! users allow, and a cut is made where few values pass.
//!
//! A delay line of which vectors are read that have hardly been written, across two of those that were stored, is written in a loop
//! before: a processor hands a load what one store has written, but where a load needs two it waits until they have left the core, and
//! the next iteration's stores wait for it. (Measured: thirty-two taps of one line 4.8 ns a frame in one loop, 3.5 with their line written
//! before.)

use super::Rules;
use super::delay_lines::frames_after;
use super::schedule::{reads, scheduled};
use crate::ir::cycles::{cycles, recurrence_latency};
use crate::ir::{Body, DelayLine, Imm, Kernel, Op, Rate, StateSlot, Value};
use mam_grammar::Handle;
use mam_runtime::QUANTUM;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// About how many cycles an iteration may take from its first instruction to its last.
const LONGEST: u32 = 24;
/// Least number of instructions of a loop.
const FEWEST: usize = 8;
/// Instructions that are done in a cycle, where they need not wait.
const WIDTH: u32 = 4;
/// Of how many instructions a loop may leave one value for others.
const INSTS_A_VALUE: usize = 8;
/// Most loops.
const MOST: usize = 8;
/// Frames whose stores may not have left the core when the next iteration loads: those of the last few iterations.
const STORED: i32 = 16;

/// Which loop computes what.
pub(super) struct Distribution {
    /// How many there are.
    pub(super) count: usize,
    of: Vec<usize>,
    readers: Readers,
    /// The lines that are written in a loop before those that read them.
    ahead: FxHashSet<Handle<DelayLine>>,
}

/// Who reads each state and each delay line: by the op that does.
type Readers = FxHashMap<Op, Vec<Value>>;

fn readers(body: &Body) -> Readers {
    let mut readers = Readers::default();
    for (value, inst) in body.insts.iter().filter(|(_, inst)| matches!(inst.op, Op::Get(_) | Op::Read(_))) {
        readers.entry(inst.op).or_default().push(value);
    }
    readers
}

/// The instructions of a loop, as they stand in the body.
pub(super) fn members(
    body: &Body,
    rates: &[Rate],
    distribution: &Distribution,
    stage: usize,
    left_out: &BTreeSet<Value>,
) -> Vec<Value> {
    let here = |value: &Value| {
        rates[value.index()] == Rate::Sample
            && distribution.stage(*value) == stage
            && !left_out.contains(value)
    };
    body.insts.handles().filter(here).collect()
}

/// The reads of delay lines that have an address of their own, if all are in one loop.
fn read_addresses(body: &Body) -> FxHashSet<Value> {
    let reads = || body.insts.handles().filter(|value| matches!(body.insts[*value].op, Op::Read(_)));
    let after = frames_after(body, reads());
    reads().filter(|value| !after.contains_key(value)).collect()
}

impl Distribution {
    /// One loop for everything.
    pub(super) fn single_loop(body: &Body) -> Distribution {
        Distribution::new(1, vec![0; body.insts.len()], readers(body))
    }

    fn new(count: usize, of: Vec<usize>, readers: Readers) -> Distribution {
        Distribution { count, of, readers, ahead: FxHashSet::default() }
    }

    /// The loops of a body of a kernel.
    pub(super) fn distribute(kernel: &Kernel, body: &Body, rates: &[Rate], rules: &Rules) -> Distribution {
        let mut distribution = Distribution::by_length(body, rates, rules);
        for (line, value) in &body.writes {
            if may_be_ahead(kernel, body, *line, &distribution.readers) {
                distribution.write_ahead(body, *line, *value);
            }
        }
        distribution
    }

    /// The loops of a body, as many as its length asks for.
    fn by_length(body: &Body, rates: &[Rate], rules: &Rules) -> Distribution {
        let cycles = cycles(body, rates);
        let sample = |value: &Value| rates[value.index()] == Rate::Sample && cycles[value.index()] > 0;
        let count = body.insts.handles().filter(sample).count();
        if count < 2 * FEWEST {
            return Distribution::single_loop(body);
        }
        let addresses = rules.machine.most_line_addresses();
        if read_addresses(body).len() + body.writes.len() > addresses {
            return Distribution::by_lines(body, rates, addresses);
        }
        let readers = readers(body);
        let graph = needs(body, &readers);
        // Each recurrence after what it needs.
        let components: Vec<Vec<NodeIndex>> = kosaraju_scc(&graph).into_iter().rev().collect();
        let times = times(body, rates, &cycles, &graph, &components);
        let length = times.iter().map(|time| time.start + time.length).max().unwrap_or(0);
        let long = if body.step == 1 { 3 * LONGEST / 2 } else { LONGEST };
        let wanted = ((length + long / 2) / long) as usize;
        let mut loops = wanted.min(count / FEWEST).min(MOST);
        let split = |loops: usize| {
            let cuts = cuts(&graph, &times, length, loops);
            let stage = |time: &Time| cuts.iter().filter(|cut| time.start >= **cut).count();
            Distribution::new(loops, times.iter().map(stage).collect(), readers.clone())
        };
        let passes = |distribution: &Distribution| distribution.passed(body, rates).len();
        let mut distribution = loop {
            if loops < 2 {
                return Distribution::single_loop(body);
            }
            let distribution = split(loops);
            if passes(&distribution) * INSTS_A_VALUE <= count {
                break distribution;
            }
            loops -= 1;
        };
        let sample = |node: NodeIndex| rates[node.index()] == Rate::Sample;
        debug_assert!(
            graph.raw_edges().iter().all(|edge| {
                let (from, to) = (edge.source(), edge.target());
                !sample(from) || !sample(to) || distribution.of[from.index()] <= distribution.of[to.index()]
            }),
            "nothing waits for a later loop"
        );
        distribution.join(body, rates, &cycles, &components);
        // Where some were joined, as many may be cut at better places.
        if (2..loops).contains(&distribution.count) {
            let mut again = split(distribution.count);
            again.join(body, rates, &cycles, &components);
            if again.count == distribution.count && passes(&again) < passes(&distribution) {
                return again;
            }
        }
        distribution
    }

    /// The loops of a body that has many delay lines: each has no more than it has registers for their addresses. A cut is
    /// made where nothing before it waits for something after it.
    fn by_lines(body: &Body, rates: &[Rate], addresses: usize) -> Distribution {
        let mut distribution = Distribution::single_loop(body);
        let order = scheduled(body, rates, members(body, rates, &distribution, 0, &BTreeSet::new()));
        let mut position: Vec<Option<usize>> = vec![None; body.insts.len()];
        order.iter().enumerate().for_each(|(i, value)| position[value.index()] = Some(i));
        // How many wait across each cut.
        let mut across = vec![0_i32; order.len() + 1];
        for edge in needs(body, &distribution.readers).raw_edges() {
            let (from, to) = (position[edge.source().index()], position[edge.target().index()]);
            if let (Some(from), Some(to)) = (from, to)
                && from > to
            {
                across[to + 1] += 1;
                across[from + 1] -= 1;
            }
        }
        let written: FxHashMap<Value, usize> =
            body.writes.iter().fold(FxHashMap::default(), |mut all, (_, value)| {
                *all.entry(*value).or_default() += 1;
                all
            });
        let reads = read_addresses(body);
        let (mut waiting, mut addresses_held, mut since) = (0, 0, 0);
        let mut cut: Option<usize> = None;
        for (i, value) in order.iter().enumerate() {
            waiting += across[i];
            if waiting == 0 {
                (cut, since) = (Some(i), 0);
            }
            let more = usize::from(reads.contains(value)) + written.get(value).copied().unwrap_or(0);
            (addresses_held, since) = (addresses_held + more, since + more);
            if let (true, Some(at)) = (addresses_held > addresses, cut.take()) {
                order[at..].iter().for_each(|value| distribution.of[value.index()] = distribution.count);
                distribution.count += 1;
                addresses_held = since;
            }
        }
        distribution
    }

    /// A line is written, and what is written is computed with all that it needs, in a loop before those that read the line, if it does not
    /// need the line itself.
    fn write_ahead(&mut self, body: &Body, line: Handle<DelayLine>, written: Value) {
        let readers = self.readers.get(&Op::Read(line)).map_or(&[][..], Vec::as_slice);
        let graph = needs(body, &self.readers);
        let graph = Reversed(&graph);
        let mut search = Dfs::new(graph, NodeIndex::new(written.index()));
        let mut before = vec![false; body.insts.len()];
        while let Some(node) = search.next(graph) {
            before[node.index()] = true;
        }
        if readers.iter().any(|reader| before[reader.index()]) {
            return;
        }
        if readers.iter().any(|reader| self.stage(*reader) == self.stage(written)) {
            let here = self.stage(written);
            let is_later = |(value, stage): (usize, usize)| stage > here || stage == here && !before[value];
            self.of.iter_mut().enumerate().for_each(|(value, of)| *of += usize::from(is_later((value, *of))));
            self.count += 1;
        }
        self.ahead.insert(line);
    }

    /// Joins loops. One whose iterations wait for each other, in a recurrence, has time for the work of its neighbours.
    fn join(&mut self, body: &Body, rates: &[Rate], cycles: &[u32], components: &[Vec<NodeIndex>]) {
        let (mut work, mut waits) = (vec![0; self.count], vec![0; self.count]);
        // In iterations of one frame the recurrences are longer than what else there is.
        let width = if body.step == 1 { 2 * WIDTH } else { WIDTH };
        let sample = |value: &Value| rates[value.index()] == Rate::Sample && cycles[value.index()] > 0;
        body.insts.handles().filter(sample).for_each(|value| work[self.stage(value)] += 1);
        for component in components.iter().filter(|component| component.len() > 1) {
            let stage = self.of[component[0].index()];
            waits[stage] = waits[stage].max(recurrence_latency(
                body,
                cycles,
                component.iter().map(|node| Value::new(node.index())),
            ));
        }
        let mut stage = 0;
        while stage < work.len() {
            let neighbours = [Some(stage + 1), stage.checked_sub(1)].into_iter().flatten();
            let fits =
                |other: &usize| *other < work.len() && work[stage] + work[*other] <= width * waits[stage];
            let Some(other) = neighbours.filter(fits).min_by_key(|other| work[*other]) else {
                stage += 1;
                continue;
            };
            stage = stage.min(other);
            self.of.iter_mut().filter(|of| **of > stage).for_each(|of| *of -= 1);
            work[stage] += work.remove(stage + 1);
            waits[stage] = waits[stage].max(waits.remove(stage + 1));
        }
        self.count = work.len();
    }

    /// The loop that computes a value.
    pub(super) fn stage(&self, value: Value) -> usize {
        self.of[value.index()]
    }

    /// The loop that reads a state.
    pub(super) fn reads(&self, state: Handle<StateSlot>) -> Option<usize> {
        self.readers.get(&Op::Get(state)).map(|gets| self.stage(gets[0]))
    }

    /// The loop after which a state has its new value: the one that reads it, if any does.
    pub(super) fn sets(&self, (state, value): &(Handle<StateSlot>, Value)) -> usize {
        self.reads(*state).unwrap_or(self.stage(*value))
    }

    /// The loop that writes a delay line: the one that reads it, if any does, unless it is written before.
    pub(super) fn writes(&self, (line, value): &(Handle<DelayLine>, Value)) -> usize {
        if self.ahead.contains(line) {
            return self.stage(*value);
        }
        self.stage(self.readers.get(&Op::Read(*line)).map_or(*value, |reads| reads[0]))
    }

    /// The values that a later loop needs.
    pub(super) fn passed(&self, body: &Body, rates: &[Rate]) -> Vec<Value> {
        let mut last: Vec<usize> = self.of.clone();
        let mut uses = |value: Value, stage: usize| last[value.index()] = last[value.index()].max(stage);
        for user in body.insts.handles().filter(|user| rates[user.index()] == Rate::Sample) {
            reads(body, rates, user).into_iter().for_each(|value| uses(value, self.stage(user)));
        }
        body.sets.iter().for_each(|set| uses(set.1, self.sets(set)));
        body.back_edges.iter().for_each(|(carry, value)| uses(*value, self.stage(*carry)));
        body.writes.iter().for_each(|write| uses(write.1, self.writes(write)));
        body.outs.iter().for_each(|value| uses(*value, self.count - 1));
        let passes =
            |value: &Value| rates[value.index()] == Rate::Sample && last[value.index()] > self.stage(*value);
        body.insts.handles().filter(passes).collect()
    }
}

/// What has to stand in the same loop or an earlier one: operands; and what becomes a state, a carried value or a part
/// of a delay line, before who reads it.
fn needs(body: &Body, readers: &Readers) -> DiGraph<Value, ()> {
    let mut graph = DiGraph::new();
    body.insts.handles().for_each(|value| _ = graph.add_node(value));
    let node = |value: Value| NodeIndex::new(value.index());
    for (value, inst) in body.insts.iter() {
        inst.args.as_slice().iter().for_each(|arg| _ = graph.add_edge(node(*arg), node(value), ()));
    }
    for (carry, next) in &body.back_edges {
        graph.add_edge(node(*next), node(*carry), ());
    }
    let together = |graph: &mut DiGraph<Value, ()>, from: Value, op: Op| {
        let readers = readers.get(&op).map_or(&[][..], Vec::as_slice);
        if let Some(first) = readers.first() {
            graph.add_edge(node(from), node(*first), ());
        }
        for pair in readers.windows(2) {
            graph.add_edge(node(pair[0]), node(pair[1]), ());
            graph.add_edge(node(pair[1]), node(pair[0]), ());
        }
    };
    for (state, value) in &body.sets {
        together(&mut graph, *value, Op::Get(*state));
    }
    for (line, value) in &body.writes {
        together(&mut graph, *value, Op::Read(*line));
    }
    graph
}

/// Whether a line is read where it has hardly been written, across two vectors, and may be written by a call before the call reads it:
/// what is overwritten is not read any more.
fn may_be_ahead(kernel: &Kernel, body: &Body, line: Handle<DelayLine>, readers: &Readers) -> bool {
    let reads = readers.get(&Op::Read(line)).map_or(&[][..], Vec::as_slice);
    let ago = |read: &Value| match body.as_const(body.insts[*read].args.as_slice()[0]) {
        Some(Imm::I32(ago)) => Some(ago),
        _ => None,
    };
    let Some(all) = reads.iter().map(ago).collect::<Option<Vec<i32>>>() else { return false };
    let most = kernel.delays[line].frames as i32 - QUANTUM as i32;
    let waits = |ago: i32| ago < STORED && ago % body.step as i32 != 0;
    body.step > 1 && all.iter().all(|ago| *ago <= most) && all.iter().any(|ago| waits(*ago))
}

/// When an instruction begins, and how long its recurrence takes, in cycles.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    start: u32,
    length: u32,
}

/// When each instruction begins: as late as its users allow, but what no output waits for as early as it can. What is
/// slower than an iteration is there from the start.
fn times(
    body: &Body,
    rates: &[Rate],
    cycles: &[u32],
    graph: &DiGraph<Value, ()>,
    components: &[Vec<NodeIndex>],
) -> Vec<Time> {
    use petgraph::Direction::{Incoming, Outgoing};
    let mut times = vec![Time::default(); body.insts.len()];
    let mut component_of = vec![0; body.insts.len()];
    for (i, component) in components.iter().enumerate() {
        let length = component.iter().map(|node| cycles[node.index()]).sum();
        component
            .iter()
            .for_each(|node| (component_of[node.index()], times[node.index()].length) = (i, length));
    }
    let sample = |node: &NodeIndex| rates[node.index()] == Rate::Sample;
    let outside = |i: usize, node: &NodeIndex| component_of[node.index()] != i && sample(node);
    // As early as possible.
    let early = |times: &mut Vec<Time>, i: usize, component: &[NodeIndex]| {
        let before = component.iter().flat_map(|node| graph.neighbors_directed(*node, Incoming));
        let end = |node: NodeIndex| times[node.index()].start + times[node.index()].length;
        let start = before.filter(|node| outside(i, node)).map(end).max().unwrap_or(0);
        component.iter().for_each(|node| times[node.index()].start = start);
    };
    components.iter().enumerate().for_each(|(i, component)| early(&mut times, i, component));
    let mut heard = vec![false; body.insts.len()];
    body.outs.iter().for_each(|value| heard[value.index()] = true);
    let length = times.iter().map(|time| time.start + time.length).max().unwrap_or(0);
    // As late as possible.
    for (i, component) in components.iter().enumerate().rev() {
        let after = component.iter().flat_map(|node| graph.neighbors_directed(*node, Outgoing));
        let after: Vec<NodeIndex> = after.filter(|node| outside(i, node)).collect();
        let is_heard = component.iter().chain(&after).any(|node| heard[node.index()]);
        if is_heard {
            component.iter().for_each(|node| heard[node.index()] = true);
            let starts =
                after.iter().filter(|node| heard[node.index()]).map(|node| times[node.index()].start);
            let time = times[component[0].index()];
            let start = starts.min().unwrap_or(length).saturating_sub(time.length).max(time.start);
            component.iter().for_each(|node| times[node.index()].start = start);
        }
    }
    let silent = |component: &&Vec<NodeIndex>| !heard[component[0].index()];
    for (i, component) in components.iter().enumerate().filter(|(_, component)| silent(component)) {
        early(&mut times, i, component);
    }
    times
}

/// Where to cut: nearly equal parts, where fewest values pass.
fn cuts(graph: &DiGraph<Value, ()>, times: &[Time], length: u32, loops: usize) -> Vec<u32> {
    // How many values are computed before each time and used at it or later.
    let mut passing = vec![0_i32; length as usize + 2];
    for node in graph.node_indices() {
        let start = |node: NodeIndex| times[node.index()].start as usize;
        if let Some(last) = graph.neighbors(node).map(start).max().filter(|last| *last > start(node)) {
            passing[start(node) + 1] += 1;
            passing[last + 1] -= 1;
        }
    }
    let mut now = 0;
    passing.iter_mut().for_each(|passing| {
        now += *passing;
        *passing = now;
    });
    let mut cuts: Vec<u32> = vec![];
    for k in 1..loops as u32 {
        let middle = length * k / loops as u32;
        let reach = length / (3 * loops as u32);
        let close = |time: &&Time| time.start > middle - reach && time.start <= middle + reach;
        let best = times
            .iter()
            .filter(close)
            .map(|time| time.start)
            .min_by_key(|cut| (passing[*cut as usize], cut.abs_diff(middle)));
        cuts.push(best.unwrap_or(middle));
    }
    cuts
}
