//! A program in parts that can be rendered by themselves: which steps belong together, and what they hear of others.
//!
//! Whatever the partition, each step sees what it saw in the whole program, so the sound is the same to the bit.

use crate::buffers;
use crate::engine::begin;
use crate::ids::{DelayId, IdMap, SignalId};
use crate::program::{DelaySpec, Program, Step};
use crate::score::Score;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A part: a program of its own, and what its inputs and outputs are.
pub(super) struct Part {
    /// Its steps, with memory and signals of their own. Parameters and ports are numbered as in the whole.
    pub(super) program: Arc<Program>,
    /// Where each of its inputs comes from.
    pub(super) hears: Vec<Source>,
    /// Which of the signals that go from part to part each of its outputs is.
    pub(super) gives: Vec<usize>,
    /// The parts that it hears.
    pub(super) needs: Vec<usize>,
    /// Work a frame, as [`Step::cost`].
    pub(super) cost: usize,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A channel of the song's input.
    Song(usize),
    /// A signal of another part.
    Signal(usize),
}

/// A program in parts.
pub(super) struct Split {
    /// In an order in which each comes after those that it needs.
    pub(super) parts: Vec<Part>,
    /// How many signals go from part to part or to the output.
    pub(super) signals: usize,
    /// The signal of each output channel; `None` for silence.
    pub(super) outputs: Vec<Option<Source>>,
}

/// What a signal is when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    /// A channel of the song's input.
    Song(usize),
    /// An output of a step.
    Of(usize, usize),
    /// Nothing was ever written there.
    Silence,
}

/// The graph of a program: which steps read the outputs of which.
struct Flow {
    /// For each step, what its inputs are.
    reads: Vec<Vec<Value>>,
    /// What the output channels are.
    outputs: Vec<Value>,
}

impl Flow {
    /// The steps that a step hears.
    fn heard(&self, step: usize) -> impl Iterator<Item = usize> {
        self.reads[step].iter().filter_map(|value| match *value {
            Value::Of(from, _) => Some(from),
            _ => None,
        })
    }

    /// Each step with each that it hears.
    fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.reads.len()).flat_map(|step| self.heard(step).map(move |from| (step, from)))
    }
}

/// Splits a program into parts of about `1/shares` of its work, or more where one step is more. `None` where its steps hear
/// what is written after them, which no compiled program's do.
pub(super) fn split(program: &Program, shares: usize) -> Option<Split> {
    let flow = flow(program)?;
    let parts = partition(program, &flow, shares);
    Some(Splitter::new(program, &flow, &parts).run())
}

fn flow(program: &Program) -> Option<Flow> {
    let mut holds: IdMap<SignalId, Value> = IdMap::filled(Value::Silence, program.buffers.len());
    for (channel, &signal) in program.inputs.iter().enumerate() {
        holds[signal] = Value::Song(channel);
    }
    let mut read: BTreeSet<SignalId> = BTreeSet::new();
    let mut reads = vec![];
    for (index, step) in program.steps.iter().enumerate() {
        let heard = |&signal: &SignalId| holds[signal];
        reads.push(step.inputs.iter().map(heard).collect());
        read.extend(step.inputs.iter().filter(|&&signal| holds[signal] == Value::Silence));
        for (place, &signal) in step.outputs.iter().enumerate() {
            if read.contains(&signal) {
                return None;
            }
            holds[signal] = Value::Of(index, place);
        }
    }
    let outputs = program.outputs.iter().map(|&signal| holds[signal]).collect();
    Some(Flow { reads, outputs })
}

/// The group of each step: chains and fans of small steps are joined, then small groups that hear and feed the same ones,
/// then those between which most signals would have to be copied.
fn partition(program: &Program, flow: &Flow, shares: usize) -> Vec<usize> {
    let mut costs: Vec<usize> = program.steps.iter().map(|step| step.cost.max(1)).collect();
    let limit = costs.iter().sum::<usize>() / shares.max(1);
    let mut group: Vec<usize> = (0..program.steps.len()).collect();
    let mut hearers: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); program.steps.len()];
    for (step, from) in flow.edges() {
        hearers[from].insert(step);
    }
    let sharing = sharing(program, flow, &hearers);
    if let Some(&last) = sharing.last() {
        let outside = sharing.iter().flat_map(|step| hearers[*step].difference(&sharing));
        hearers[last] = outside.copied().collect();
        costs[last] = sharing.iter().map(|step| costs[*step]).sum();
        sharing.iter().for_each(|step| group[*step] = last);
    }
    // A step and all that it alone hears. What it hears was joined before, to what was before it.
    for step in (0..program.steps.len()).filter(|step| !sharing.contains(step)) {
        let heard: BTreeSet<usize> = flow.heard(step).map(|from| find(&group, from)).collect();
        let own = heard.iter().all(|&from| hearers[from].len() == 1);
        let sum = costs[step] + heard.iter().map(|&from| costs[from]).sum::<usize>();
        if own && !heard.is_empty() && sum <= limit {
            costs[step] = sum;
            heard.iter().for_each(|&from| group[from] = step);
        }
    }
    let of: Vec<usize> = (0..group.len()).map(|step| find(&group, step)).collect();
    let (needs, feeds) = neighbours(flow, &of);
    let none = BTreeSet::new();
    let mut alike: BTreeMap<(&BTreeSet<usize>, &BTreeSet<usize>), usize> = BTreeMap::new();
    for part in of.iter().copied().collect::<BTreeSet<usize>>() {
        let key = (needs.get(&part).unwrap_or(&none), feeds.get(&part).unwrap_or(&none));
        match alike.get(&key) {
            Some(&other) if costs[other] + costs[part] <= limit => {
                costs[other] += costs[part];
                group[part] = other;
            }
            _ => _ = alike.insert(key, part),
        }
    }
    let mut group: Vec<usize> = (0..group.len()).map(|step| find(&group, step)).collect();
    while let Some((from, to)) = nearest(flow, &group, |from, to| costs[from] + costs[to] <= limit) {
        costs[to] += costs[from];
        group.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
    }
    group
}

/// The steps that write a delay line which others borrow, those that borrow one, and all that stand between two of them: in one part, where
/// the line is.
fn sharing(program: &Program, flow: &Flow, hearers: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let borrowed = |step: &Step| step.borrowed.iter().map(|place| step.delays[*place]).collect::<Vec<_>>();
    let lines: BTreeSet<DelayId> = program.steps.iter().flat_map(borrowed).collect();
    let uses = |step: &usize| program.steps[*step].delays.iter().any(|line| lines.contains(line));
    let all: BTreeSet<usize> = (0..program.steps.len()).filter(uses).collect();
    let mut before = all.clone();
    for step in (0..program.steps.len()).rev().filter(|step| !all.contains(step)) {
        if hearers[step].iter().any(|hearer| before.contains(hearer)) {
            before.insert(step);
        }
    }
    let mut behind = all.clone();
    for step in (0..program.steps.len()).filter(|step| !all.contains(step)) {
        if flow.heard(step).any(|from| behind.contains(&from)) {
            behind.insert(step);
        }
    }
    before.intersection(&behind).copied().collect()
}

/// Of how many groups the nearest are still looked for.
const MOST: usize = 64;

/// The two groups of which one hears most signals of the other, that `fit`, and that hear each other by no other way: joined,
/// they would need what needs them.
fn nearest(flow: &Flow, group: &[usize], fit: impl Fn(usize, usize) -> bool) -> Option<(usize, usize)> {
    if group.iter().collect::<BTreeSet<_>>().len() > MOST {
        return None;
    }
    let (_, feeds) = neighbours(flow, group);
    let mut signals: BTreeMap<(usize, usize), BTreeSet<Value>> = BTreeMap::new();
    for (step, reads) in flow.reads.iter().enumerate() {
        for value in reads {
            if let Value::Of(from, _) = *value
                && group[from] != group[step]
            {
                signals.entry((group[from], group[step])).or_default().insert(*value);
            }
        }
    }
    let other_way = |from: usize, to: usize| {
        let mut open: Vec<usize> = feeds[&from].iter().copied().filter(|next| *next != to).collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(feeds.get(&at).into_iter().flatten());
            }
        }
        false
    };
    let fitting = signals.into_iter().filter(|((from, to), _)| fit(*from, *to) && !other_way(*from, *to));
    fitting.max_by_key(|(_, signals)| signals.len()).map(|(groups, _)| groups)
}

/// The group that a step has come to.
fn find(group: &[usize], mut step: usize) -> usize {
    while group[step] != step {
        step = group[step];
    }
    step
}

type Neighbours = BTreeMap<usize, BTreeSet<usize>>;

/// For each group those that it hears, and those that hear it.
fn neighbours(flow: &Flow, group: &[usize]) -> (Neighbours, Neighbours) {
    let (mut needs, mut feeds) = (Neighbours::new(), Neighbours::new());
    for (step, from) in flow.edges().filter(|&(step, from)| group[from] != group[step]) {
        needs.entry(group[step]).or_default().insert(group[from]);
        feeds.entry(group[from]).or_default().insert(group[step]);
    }
    (needs, feeds)
}

struct Splitter<'p> {
    program: &'p Program,
    flow: &'p Flow,
    /// The steps of each part, in their order; the parts in the order of their needs.
    parts: Vec<Vec<usize>>,
    part_of: Vec<usize>,
    /// Numbers of the signals that leave their part.
    signals: HashMap<Value, usize>,
}

impl<'p> Splitter<'p> {
    fn new(program: &'p Program, flow: &'p Flow, group: &[usize]) -> Splitter<'p> {
        let parts = ordered(flow, group);
        let mut part_of = vec![0; program.steps.len()];
        for (part, steps) in parts.iter().enumerate() {
            steps.iter().for_each(|&step| part_of[step] = part);
        }
        let mut signals = HashMap::new();
        let crosses = |step: usize, value: &Value| matches!(*value, Value::Of(from, _) if part_of[from] != part_of[step]);
        let all =
            flow.reads.iter().enumerate().flat_map(|(step, reads)| reads.iter().map(move |v| (step, v)));
        let crossing = all.filter(|(step, value)| crosses(*step, value)).map(|(_, value)| *value);
        let heard = flow.outputs.iter().copied().filter(|value| matches!(value, Value::Of(..)));
        for value in crossing.chain(heard) {
            let next = signals.len();
            signals.entry(value).or_insert(next);
        }
        Splitter { program, flow, parts, part_of, signals }
    }

    fn run(self) -> Split {
        let parts = self.parts.iter().map(|steps| self.part(steps)).collect();
        let outputs = self.flow.outputs.iter().map(|value| self.source(*value)).collect();
        Split { parts, signals: self.signals.len(), outputs }
    }

    /// Where a value is found outside of its part.
    fn source(&self, value: Value) -> Option<Source> {
        match value {
            Value::Song(channel) => Some(Source::Song(channel)),
            Value::Of(..) => self.signals.get(&value).map(|&signal| Source::Signal(signal)),
            Value::Silence => None,
        }
    }

    fn part(&self, steps: &[usize]) -> Part {
        let whole = self.program;
        let mut signals: HashMap<Value, SignalId> = HashMap::new();
        let block = |index: usize| whole.steps[index].state_bytes.next_multiple_of(16);
        let mut state = vec![0; steps.iter().map(|&index| block(index)).sum()];
        let (mut planned, mut delays) = (0, IdMap::<DelayId, DelaySpec>::default());
        let mut lines: HashMap<DelayId, DelayId> = HashMap::new();
        let (mut hears, mut inputs, mut needs) = (vec![], vec![], BTreeSet::new());
        let (mut gives, mut outputs, mut own) = (vec![], vec![], vec![]);
        for &index in steps {
            let step = &whole.steps[index];
            let mut signal = |value: Value| {
                let next = SignalId::new(signals.len());
                *signals.entry(value).or_insert(next)
            };
            let mut heard = vec![];
            for &value in &self.flow.reads[index] {
                let at = signal(value);
                heard.push(at);
                let outside =
                    !matches!(value, Value::Of(from, _) if self.part_of[from] == self.part_of[index]);
                if outside
                    && !inputs.contains(&at)
                    && let Some(source) = self.source(value)
                {
                    inputs.push(at);
                    hears.push(source);
                }
                if let Value::Of(from, _) = value
                    && outside
                {
                    needs.insert(self.part_of[from]);
                }
            }
            let given: Vec<SignalId> =
                (0..step.outputs.len()).map(|place| signal(Value::Of(index, place))).collect();
            for (place, &at) in given.iter().enumerate() {
                if let Some(&signal) = self.signals.get(&Value::Of(index, place)) {
                    gives.push(signal);
                    outputs.push(at);
                }
            }
            let mut line = |line: &DelayId| {
                *lines.entry(*line).or_insert_with(|| delays.push(whole.delays[*line].clone()))
            };
            let lines = step.delays.iter().map(&mut line).collect();
            own.push(Step {
                state: planned,
                delays: lines,
                copies: copies(step, &heard),
                inputs: heard,
                outputs: given,
                ..step.clone()
            });
            let end = whole.state.len().min(step.state + block(index));
            let image = &whole.state[step.state..end];
            begin(&mut state[planned..][..image.len()], image);
            planned += block(index);
        }
        let cost = own.iter().map(|step| step.cost.max(1)).sum();
        let program = Program {
            rate: whole.rate,
            latency: whole.latency,
            layout: whole.layout,
            code: whole.code.clone(),
            buffers: buffers::share(&own, &inputs, &outputs, signals.len()),
            steps: own,
            state: Arc::new(state),
            delays,
            inputs,
            outputs,
            params: whole.params.clone(),
            names: whole.names.clone(),
            ports: whole.ports,
            targets: whole.targets.clone(),
            score: Score::default(),
        };
        Part { program: Arc::new(program), hears, gives, needs: needs.into_iter().collect(), cost }
    }
}

/// What a step copies, where it is in a part: `heard` are its inputs there.
fn copies(step: &Step, heard: &[SignalId]) -> Vec<SignalId> {
    let copied = |signal: &SignalId| {
        let place = step.inputs.iter().position(|input| input == signal);
        place.map(|place| heard[place])
    };
    step.copies.iter().map(copied).collect::<Option<_>>().unwrap_or_default()
}

/// The steps of each group; the groups in an order in which each comes after those that it needs.
fn ordered(flow: &Flow, group: &[usize]) -> Vec<Vec<usize>> {
    let (needs, feeds) = neighbours(flow, group);
    let mut steps: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    group.iter().enumerate().for_each(|(step, group)| steps.entry(*group).or_default().push(step));
    let mut missing: BTreeMap<usize, usize> =
        steps.keys().map(|part| (*part, needs.get(part).map_or(0, BTreeSet::len))).collect();
    let mut ready: Vec<usize> =
        missing.iter().filter(|(_, n)| **n == 0).map(|(part, _)| *part).rev().collect();
    let mut parts = vec![];
    // All of them come, as groups are only joined where no cycle arises.
    while let Some(part) = ready.pop() {
        parts.extend(steps.remove(&part));
        for fed in feeds.get(&part).into_iter().flatten() {
            if let Some(missing) = missing.get_mut(fed) {
                *missing -= 1;
                if *missing == 0 {
                    ready.push(*fed);
                }
            }
        }
    }
    debug_assert!(steps.is_empty(), "the parts need each other");
    parts
}
