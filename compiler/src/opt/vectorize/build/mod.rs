//! The builder of time lanes: makes the body of four frames an iteration from the forms that were recognised, each after
//! what it needs.

mod block_filter;
mod bounds;
mod induction;
mod pulses;
mod rotation;
mod scan;
mod segmented;

use super::recurrence::{Distance, Form};
use super::scan::{Slope, formula};
use crate::ir::{Body, Imm, Op, Scalar, StateSlot, Type, Value};
use crate::opt::analysis::{Analysis, ShortRead};
use crate::opt::lanes::{LANES, LaneBuilder};
use induction::{Count, HeldPhase, Progression};
use mam_grammar::Handle;
use rustc_hash::{FxHashMap, FxHashSet};

/// The body in lanes. `fma`: whether the target multiplies and adds with one rounding.
pub(super) fn build(a: &Analysis, forms: &[Form], fma: bool) -> Body {
    let lines = forms.iter().filter_map(|form| match form {
        Form::Rotation(rotation) => Some(rotation.line.value),
        _ => None,
    });
    let mut builder = Builder {
        a,
        fma,
        lines_in_loop: lines.collect::<FxHashSet<Value>>().len(),
        b: LaneBuilder::new(a.body, 4),
        last: FxHashMap::default(),
        counters: FxHashMap::default(),
        held_phases: FxHashMap::default(),
        series: FxHashMap::default(),
        ramps: FxHashMap::default(),
        rotations: FxHashMap::default(),
        only_pulses: FxHashMap::default(),
    };
    builder.invariants();
    builder.delays_fit();
    forms.iter().for_each(|form| builder.form(form));
    builder.results();
    builder.b.new
}

struct Builder<'a> {
    a: &'a Analysis<'a>,
    fma: bool,
    b: LaneBuilder<'a>,
    /// States whose value at the end costs nothing beside the vectors: it is counted in one lane, or follows from where the call began.
    last: FxHashMap<Handle<StateSlot>, Value>,
    /// The counters so far, by what their states are set to.
    counters: FxHashMap<Value, Count>,
    /// The held phases so far, in one word or the words of two, by what their states are set to.
    held_phases: FxHashMap<Value, HeldPhase>,
    /// Geometric series.
    series: FxHashMap<Value, Progression>,
    /// What rises with the frames by the same in each iteration.
    ramps: FxHashMap<Value, Progression>,
    /// Sine and cosine of the lines that have been built.
    rotations: FxHashMap<Value, SineCosine>,
    /// The trains of pulses so far of which a call has one at most, by where the pulse comes.
    only_pulses: FxHashMap<Value, OnlyPulse>,
    /// How many different lines are rotations.
    lines_in_loop: usize,
}

/// The one pulse that there may be in a call.
#[derive(Clone, Copy)]
struct OnlyPulse {
    /// How many frames it is away, in lanes; negative behind it.
    away: Value,
    /// The same at the call's last frame.
    away_at_end: Value,
    /// How many frames the call has.
    frames: Value,
    /// Whether it is in the call.
    is_over: Value,
}

/// A sine and a cosine of the same number of cycles, in lanes.
#[derive(Clone, Copy)]
struct SineCosine {
    sin: Value,
    cos: Value,
}

impl Builder<'_> {
    /// What is the same in all frames of a call.
    fn invariants(&mut self) {
        for value in self.a.body.insts.handles().filter(|value| self.a.is_invariant(*value)) {
            let once = self.b.once(value).expect("the operands of what is invariant are invariant");
            self.b.define_uniform(value, once);
        }
    }

    /// Delays that are not constants have to be at least four frames, and less than the line has.
    fn delays_fit(&mut self) {
        let body = self.a.body;
        for (read, inst) in body.insts.iter() {
            let Op::Read(line) = inst.op else { continue };
            let Distance { ago, least: fits } = Distance::of_read(self.a, read);
            let frames = self.a.kernel.delays[line].frames as i32;
            // A constant is one to three frames, which has a form of its own, or fits.
            if body.as_const(ago).is_some() {
                continue;
            }
            if !self.a.is_invariant(ago) {
                if !self.a.interval(ago).is_some_and(|(least, _)| least >= fits) {
                    // Bounds that a call knows are a frame wider.
                    self.only_if_at_least(ago, fits + 1.0);
                }
                continue;
            }
            let ago = self.b.uniform(ago).expect("it is loop-invariant");
            let (three, frames) = (self.b.new.i32(3), self.b.new.i32(frames));
            let long = self.b.op(Op::Lt, &[three, ago]);
            let short = self.b.op(Op::Lt, &[ago, frames]);
            let fits = self.b.op(Op::And, &[long, short]);
            self.only_if(fits);
        }
    }

    /// One more condition of the body.
    fn only_if(&mut self, fits: Value) {
        let all = self.b.new.only_if;
        self.b.new.only_if = Some(all.map_or(fits, |all| self.b.op(Op::And, &[all, fits])));
    }

    fn form(&mut self, form: &Form) {
        match form {
            Form::Elementwise(value) => {
                let lanes = self.b.widened(*value);
                self.b.define_lanes(*value, lanes);
            }
            Form::FrameByFrame(value) => {
                let each = self.frame_by_frame(*value);
                self.b.define_each(*value, each);
            }
            Form::Previous { get, next } => self.previous(*get, *next),
            Form::ShortRead { value, read } => self.short_read(*value, *read),
            Form::Ramp(ramp) => self.ramp(ramp),
            Form::Series(series) => self.series(series),
            Form::ScaledSeries(scaled) => self.scaled_series(scaled),
            Form::Rotation(rotation) => self.rotation(rotation),
            Form::Phase(phase) => self.phase(phase),
            Form::Counter(counter) => self.counter(counter),
            Form::Segmented(segmented) => self.segmented(segmented),
            Form::Pulses(pulses) => self.pulses(pulses),
            Form::Linear(linear) => self.linear(linear),
            Form::Clamp(clamp) => self.clamp(clamp),
            Form::BlockFilters(filters) => self.block_filters(filters),
            Form::Scalar(region) => self.scalar_region(&region.members),
        }
    }

    /// Sets, writes and outputs.
    fn results(&mut self) {
        let body = self.a.body;
        for (line, value) in &body.writes {
            let lanes = self.b.lanes(*value);
            self.b.new.writes.push((*line, lanes));
        }
        self.b.new.outs = body.outs.iter().map(|value| self.b.lanes(*value)).collect();
        let mut lasts: FxHashMap<Handle<StateSlot>, Value> = FxHashMap::default();
        let (phases, others): (Vec<_>, Vec<_>) =
            body.sets.iter().partition(|(_, value)| self.held_phases.contains_key(value));
        for (state, value) in others {
            let last = self.last.get(&state).copied();
            lasts.insert(state, last.unwrap_or_else(|| self.b.lane(value, 3)));
        }
        let used = reached(&self.b.new, lasts.values().copied());
        for (state, value) in phases {
            let last = match used.contains(&self.held_phases[&value].after) {
                true => self.b.lane(value, 3),
                // Nothing needs it frame by frame.
                false => self.end_of_phase(value),
            };
            lasts.insert(state, last);
        }
        self.b.new.sets = body.sets.iter().map(|(state, _)| (*state, lasts[state])).collect();
    }

    /// An instruction once for each frame.
    fn frame_by_frame(&mut self, value: Value) -> [Value; LANES] {
        let inst = self.a.body.insts[value].clone();
        if let (Op::Read(_), &[ago]) = (inst.op, inst.args.as_slice()) {
            let each = self.b.each(ago);
            return std::array::from_fn(|k| {
                let ago = self.of_first_frame(each[k], k);
                self.b.new.add(inst.op, inst.ty, &[ago])
            });
        }
        self.b.copies(value, |_| inst.op)
    }

    /// A distance from an iteration's k-th frame as one from its first.
    fn of_first_frame(&mut self, ago: Value, k: usize) -> Value {
        if k == 0 {
            return ago;
        }
        let inst = &self.b.new.insts[ago];
        let lanes = inst.ty.lanes;
        match (inst.op, inst.args.as_slice()) {
            (Op::Splat, &[scalar]) => {
                let scalar = self.of_first_frame(scalar, k);
                self.b.op(Op::Splat, &[scalar])
            }
            _ => {
                let by = self.b.new.constant(Imm::I32(k as i32), lanes);
                self.b.op(Op::Sub, &[ago, by])
            }
        }
    }

    /// `prev`: the lanes of what the state is set to, one frame later.
    fn previous(&mut self, get: Value, next: Value) {
        let inst = &self.a.body.insts[get];
        let Op::Get(state) = inst.op else { unreachable!("what has a next value is a state") };
        if inst.ty.scalar == Scalar::F64 {
            let before = self.b.new.add(inst.op, inst.ty, &[]);
            let [a, b, c, _] = self.b.each(next);
            self.b.define_each(get, [before, a, b, c]);
        } else {
            let next = self.b.lanes(next);
            let start = self.live_in(state);
            let before = self.loop_carried(start);
            self.b.new.back_edges.push((before, next));
            let lanes = self.later(next, before);
            self.b.define_lanes(get, lanes);
        }
    }

    /// What was written one to three frames ago: the last lanes of what the iteration before wrote, which is read from the
    /// line, and then the first ones of what this one writes.
    fn short_read(&mut self, value: Value, read: ShortRead) {
        let written = self.b.lanes(read.written);
        let before = self.written_before(value);
        let [one, two, three] = [3, 2, 1].map(|lane| self.b.op(Op::Extract(lane), &[before]));
        let [first, second] = [0, 1].map(|lane| self.b.op(Op::Extract(lane), &[written]));
        let lanes = match read.ago {
            1 => self.b.op(Op::Slide, &[written, one]),
            2 => self.b.op(Op::Pack, &[two, one, first, second]),
            _ => {
                let slid = self.b.op(Op::Slide, &[written, one]);
                let [third, fourth] = [0, 1].map(|lane| self.b.op(Op::Extract(lane), &[slid]));
                self.b.op(Op::Pack, &[three, two, third, fourth])
            }
        };
        self.b.define_lanes(value, lanes);
    }

    /// The four frames that were written into a line in the iteration before: the line of a read.
    fn written_before(&mut self, read: Value) -> Value {
        let inst = &self.a.body.insts[read];
        let four = self.b.new.constant(Imm::I32(4), 4);
        self.b.new.add(inst.op, inst.ty.with_lanes(4), &[four])
    }

    /// A state in all lanes, as it is when the call begins.
    fn live_in(&mut self, state: Handle<StateSlot>) -> Value {
        let start = self.state_at_start(state);
        self.b.op(Op::Splat, &[start])
    }

    /// A state as it is when the call begins.
    fn state_at_start(&mut self, state: Handle<StateSlot>) -> Value {
        let ty = Type { scalar: self.a.kernel.states[state].init.scalar(), lanes: 1 };
        self.b.new.add(Op::LiveIn(state), ty, &[])
    }

    /// What begins as `start` and goes from iteration to iteration. The caller adds the back edge.
    fn loop_carried(&mut self, start: Value) -> Value {
        self.b.op(Op::LoopCarried, &[start])
    }

    /// Four lanes a frame later: the last lane of `before`, then the first three of `lanes`.
    fn later(&mut self, lanes: Value, before: Value) -> Value {
        let last = self.b.op(Op::Extract(3), &[before]);
        self.b.op(Op::Slide, &[lanes, last])
    }

    /// A slope as an f64.
    fn factor(&mut self, slope: &Slope) -> Value {
        let mut new = std::mem::take(&mut self.b.new);
        let mut invariant = |value: Value| self.b.uniform(value).expect("a loop-invariant factor");
        let factor = formula(slope, &mut new, &mut invariant);
        self.b.new = new;
        factor
    }

    /// a·b + c
    fn mad(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.fma {
            return self.b.op(Op::Fma, &[a, b, c]);
        }
        let product = self.b.op(Op::Mul, &[a, b]);
        self.b.op(Op::Add, &[product, c])
    }

    /// A recurrence through one state is known: `before` has the state as it is before the iteration in its last lane,
    /// `after` the states after each frame.
    fn define_next(&mut self, get: Value, next: Value, before: Value, after: Value) {
        let last = self.b.op(Op::Extract(3), &[after]);
        let last = self.b.op(Op::Splat, &[last]);
        self.b.new.back_edges.push((before, last));
        self.b.define_lanes(next, after);
        let lanes = self.later(after, before);
        self.b.define_lanes(get, lanes);
    }

    /// A recurrence of no other form: frame after frame.
    fn scalar_region(&mut self, members: &[Value]) {
        let mut frames: FxHashMap<Value, Vec<Value>> = FxHashMap::default();
        let inside: FxHashSet<Value> = members.iter().copied().collect();
        for k in 0..4 {
            for member in members {
                let value = self.frame_of(*member, k, &inside, &mut frames);
                frames.entry(*member).or_default().push(value);
            }
        }
        for (member, frames) in frames {
            self.b.define_each(member, [frames[0], frames[1], frames[2], frames[3]]);
        }
    }

    /// A member of a scalar region in the iteration's k-th frame, those before it being known.
    fn frame_of(
        &mut self,
        member: Value,
        k: usize,
        inside: &FxHashSet<Value>,
        frames: &mut FxHashMap<Value, Vec<Value>>,
    ) -> Value {
        let inst = &self.a.body.insts[member];
        match self.a.next_of(inst.op) {
            Some(_) if k == 0 => return self.b.new.insts.add(inst.clone()),
            Some(next) => return frames[&next][k - 1],
            None => {}
        }
        if let Some(ShortRead { ago, written }) = self.a.short_read(member) {
            return match k.checked_sub(ago) {
                Some(earlier) => frames[&written][earlier],
                None => {
                    let before = self.written_before(member);
                    self.b.op(Op::Extract((LANES + k - ago) as u8), &[before])
                }
            };
        }
        let args = inst.args.as_slice().iter().map(|arg| match inside.contains(arg) {
            true => frames[arg][k],
            false => self.b.each(*arg)[k],
        });
        let mut args: Vec<Value> = args.collect();
        // A scalar reads from the iteration's first frame on.
        if let Op::Read(_) = inst.op {
            args[0] = self.of_first_frame(args[0], k);
        }
        self.b.new.add(inst.op, inst.ty, &args)
    }
}

/// What the outputs of a body, its writes, and what states are set to are made of.
fn reached(body: &Body, states: impl Iterator<Item = Value>) -> FxHashSet<Value> {
    let next: FxHashMap<Value, Value> = body.back_edges.iter().copied().collect();
    let results = body.outs.iter().copied().chain(body.only_if);
    let mut open: Vec<Value> = results.chain(body.writes.iter().map(|write| write.1)).chain(states).collect();
    let mut reached = FxHashSet::default();
    while let Some(value) = open.pop() {
        if reached.insert(value) {
            open.extend(body.insts[value].args.as_slice());
            open.extend(next.get(&value));
        }
    }
    reached
}
