//! Rewriting a body into lanes.

use super::block_filter::{self, Block, Users};
use super::clamp;
use super::phase::LowerWord;
use super::recurrence::{self, Circle, Counter};
use super::scan::{self, Slope};
use super::schedule::Order;
use super::series::{Count, Ramp, Series};
use crate::ir::{Body, Imm, Inst, Kernel, Op, Rate, Scalar, StateSlot, Type, Value};
use mam_grammar::Handle;
use rustc_hash::{FxHashMap, FxHashSet};

/// What an old value has become, in the forms that have been asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct Wide {
    /// One value, the same in all lanes: it is slow.
    pub(super) slow: Option<Value>,
    /// Four lanes.
    pub(super) lanes: Option<Value>,
    /// Four scalars.
    frames: Option<[Value; 4]>,
}

/// The rewriting.
pub(super) struct Widen<'a> {
    kernel: &'a Kernel,
    pub(super) old: &'a Body,
    pub(super) rates: Vec<Rate>,
    pub(super) linear: bool,
    fma: bool,
    pub(super) new: Body,
    pub(super) wide: Vec<Wide>,
    /// States whose value at the end of the turn costs nothing beside the vectors: it is counted in one lane.
    pub(super) last: FxHashMap<Handle<StateSlot>, Value>,
    /// The counters so far, by what their states are set to.
    pub(super) counters: FxHashMap<Value, Count>,
    /// The phases that a slow step advances, by what their states are set to: a lower word tells where the upper carries.
    pub(super) lower_words: FxHashMap<Value, LowerWord>,
    /// Geometric series.
    pub(super) powers: FxHashMap<Value, Series>,
    /// What rises with the frames by the same in each turn.
    pub(super) ramps: FxHashMap<Value, Ramp>,
    pub(super) reasons: Vec<String>,
}

impl<'a> Widen<'a> {
    /// # Errors
    /// Why the body can't be computed in lanes.
    pub(super) fn new(kernel: &'a Kernel, linear: bool, fma: bool) -> Result<Widen<'a>, String> {
        let old = &kernel.steady;
        let new = Body { step: 4, ..Body::default() };
        let wide = vec![Wide::default(); old.insts.len()];
        let rates = old.rates();
        for (value, inst) in old.insts.iter() {
            if inst.ty.lanes > 1 && rates[value.index()] == Rate::Sample {
                return Err("it has lanes of its own".into());
            }
            if matches!(inst.op, Op::LoopCarried | Op::LiveIn(_) | Op::CallFrame) {
                return Err("it carries values from turn to turn".into());
            }
            if let Op::Read(line) = inst.op {
                let name = &kernel.delays[line].name;
                let ago = inst.args.as_slice()[0];
                if rates[ago.index()] == Rate::Sample {
                    return Err(format!("the delay of {name} may change every frame"));
                }
                let short = matches!(old.as_const(ago), Some(Imm::I32(d)) if d < 4);
                if short || kernel.delays[line].frames < 8 {
                    return Err(format!("{name} is read after less than four frames"));
                }
            }
        }
        Ok(Widen {
            kernel,
            old,
            rates,
            linear,
            fma,
            new,
            wide,
            last: FxHashMap::default(),
            counters: FxHashMap::default(),
            lower_words: FxHashMap::default(),
            powers: FxHashMap::default(),
            ramps: FxHashMap::default(),
            reasons: vec![],
        })
    }

    /// The body in lanes, and what was made of its circles.
    pub(super) fn run(mut self) -> (Body, Vec<String>) {
        for (value, inst) in self.old.insts.iter() {
            if self.rates[value.index()] != Rate::Sample {
                let args = inst.args.map(|arg| self.wide[arg.index()].slow.expect("slower or as slow"));
                self.wide[value.index()].slow = Some(self.new.insts.add(Inst { args, ..inst.clone() }));
            }
        }
        self.condition();
        let circles = recurrence::circles(self.old, &self.rates);
        let blocks = self.find_blocks(&circles);
        for group in Order::of(self.old, &circles, &blocks).groups {
            let here: Vec<&Block> = group.iter().filter_map(|i| blocks[*i].as_ref()).collect();
            let circle = &circles[group[0]];
            if !here.is_empty() {
                self.blocks(&here);
            } else if recurrence::is_circle(self.old, circle) {
                self.circle(circle);
            } else {
                self.plain(circle[0]);
            }
        }
        for (state, value) in &self.old.sets {
            let last = match self.last.get(state) {
                Some(last) => *last,
                None => self.frame(*value, 3),
            };
            self.new.sets.push((*state, last));
        }
        for (line, value) in &self.old.writes {
            let lanes = self.lanes(*value);
            self.new.writes.push((*line, lanes));
        }
        self.new.outs = self.old.outs.iter().map(|value| self.lanes(*value)).collect();
        (self.new, self.reasons)
    }

    /// Slow delays that are not known: they have to be at least four frames, and less than the line has.
    fn condition(&mut self) {
        for inst in self.old.insts.values() {
            let (Op::Read(line), &[ago]) = (inst.op, inst.args.as_slice()) else { continue };
            let frames = self.kernel.delays[line].frames as i32;
            if matches!(self.old.as_const(ago), Some(Imm::I32(d)) if (4..frames).contains(&d)) {
                continue;
            }
            let ago = self.wide[ago.index()].slow.expect("checked before");
            let (three, frames) = (self.new.i32(3), self.new.i32(frames));
            let long = self.new.op(Op::Lt, &[three, ago]);
            let short = self.new.op(Op::Lt, &[ago, frames]);
            let fits = self.new.op(Op::And, &[long, short]);
            self.only_if(fits);
        }
    }

    /// One more condition of the body.
    pub(super) fn only_if(&mut self, fits: Value) {
        let all = self.new.only_if;
        self.new.only_if = Some(all.map_or(fits, |all| self.new.op(Op::And, &[all, fits])));
    }

    /// A value as four lanes.
    pub(super) fn lanes(&mut self, value: Value) -> Value {
        let wide = self.wide[value.index()];
        if let Some(lanes) = wide.lanes {
            return lanes;
        }
        let lanes = match (wide.slow, wide.frames) {
            (Some(slow), _) => match self.new.as_const(slow) {
                Some(imm) => self.new.constant(imm, 4),
                None => self.new.op(Op::Splat, &[slow]),
            },
            (None, Some(frames)) => self.new.op(Op::Pack, &frames),
            (None, None) => unreachable!("a circle comes after what it needs"),
        };
        self.wide[value.index()].lanes = Some(lanes);
        lanes
    }

    /// A value as four scalars.
    fn frames(&mut self, value: Value) -> [Value; 4] {
        let wide = self.wide[value.index()];
        let frames = match (wide.slow, wide.frames, wide.lanes) {
            (Some(slow), ..) => [slow; 4],
            (None, Some(frames), _) => frames,
            (None, None, Some(lanes)) => std::array::from_fn(|k| self.new.op(Op::Extract(k as u8), &[lanes])),
            (None, None, None) => unreachable!("a circle comes after what it needs"),
        };
        self.wide[value.index()].frames = Some(frames);
        frames
    }

    /// A value in the turn's k-th frame.
    fn frame(&mut self, value: Value, k: usize) -> Value {
        match self.wide[value.index()] {
            Wide { slow: Some(slow), .. } => slow,
            Wide { frames: Some(frames), .. } => frames[k],
            Wide { lanes: Some(lanes), .. } => self.new.op(Op::Extract(k as u8), &[lanes]),
            _ => unreachable!("a circle comes after what it needs"),
        }
    }

    /// An instruction that is in no circle.
    fn plain(&mut self, value: Value) {
        let inst = &self.old.insts[value];
        let args = inst.args.as_slice();
        let double = |v: &Value| self.old.ty(*v).scalar == Scalar::F64;
        if let Some(next) = recurrence::next_of(self.old, inst.op) {
            self.previous(value, next);
        } else if double(&value) || args.iter().any(double) {
            let columns: Vec<[Value; 4]> = args.iter().map(|arg| self.frames(*arg)).collect();
            let frames = std::array::from_fn(|k| {
                let args = columns.iter().map(|column| column[k]).collect();
                self.new.insts.add(Inst { args, ..inst.clone() })
            });
            self.wide[value.index()].frames = Some(frames);
        } else if let Some(ramp) = self.ramp(value) {
            self.along(value, ramp);
        } else if let Some(line) = self.geometric(value) {
            self.series(value, &line);
        } else if let Some(series) = self.scaled(value) {
            self.go(value, series);
        } else {
            self.wide[value.index()].lanes = Some(self.widened(value));
        }
    }

    /// An instruction in lanes.
    pub(super) fn widened(&mut self, value: Value) -> Value {
        let inst = &self.old.insts[value];
        let args = inst.args.as_slice().iter().map(|arg| self.lanes(*arg)).collect();
        self.new.insts.add(Inst { op: inst.op, ty: inst.ty.with_lanes(4), args })
    }

    /// `prev`: the lanes of what the state is set to, one frame later.
    fn previous(&mut self, get: Value, next: Value) {
        let inst = &self.old.insts[get];
        let Op::Get(state) = inst.op else { unreachable!("what has a next value is a state") };
        if inst.ty.scalar == Scalar::F64 {
            let before = self.new.add(inst.op, inst.ty, &[]);
            let [a, b, c, _] = self.frames(next);
            self.wide[get.index()].frames = Some([before, a, b, c]);
        } else {
            let next = self.lanes(next);
            let entry = self.entry(state);
            let before = self.carry(entry);
            self.new.back_edges.push((before, next));
            self.wide[get.index()].lanes = Some(self.later(next, before));
        }
    }

    /// A state in all lanes, as it is when the call begins.
    pub(super) fn entry(&mut self, state: Handle<StateSlot>) -> Value {
        let entry = self.state_at_start(state);
        self.new.op(Op::Splat, &[entry])
    }

    /// A state as it is when the call begins.
    pub(super) fn state_at_start(&mut self, state: Handle<StateSlot>) -> Value {
        let ty = Type { scalar: self.kernel.states[state].init.scalar(), lanes: 1 };
        self.new.add(Op::LiveIn(state), ty, &[])
    }

    /// What begins as `start` and is carried from turn to turn. Whoever asks says what it is next.
    pub(super) fn carry(&mut self, start: Value) -> Value {
        self.new.op(Op::LoopCarried, &[start])
    }

    /// Four lanes a frame later: the last lane of `before`, then the first three of `lanes`.
    pub(super) fn later(&mut self, lanes: Value, before: Value) -> Value {
        let last = self.new.op(Op::Extract(3), &[before]);
        self.new.op(Op::Slide, &[lanes, last])
    }

    /// Which circles are filters in blocks.
    fn find_blocks(&mut self, circles: &[Circle]) -> Vec<Option<Block>> {
        if !self.linear {
            return circles.iter().map(|_| None).collect();
        }
        let users = Users::of(self.old);
        let found = |circle: &Circle| match recurrence::is_circle(self.old, circle) {
            true => block_filter::block(self.old, &self.rates, &users, circle),
            false => None,
        };
        let blocks: Vec<Option<Block>> = circles.iter().map(found).collect();
        for block in blocks.iter().flatten() {
            let names = block.states.map(|state| self.kernel.states[state].name.as_str());
            self.reasons.push(format!("{}: linear, in blocks of four frames", names.join(", ")));
        }
        blocks
    }

    fn circle(&mut self, circle: &Circle) {
        let name = |state: Handle<StateSlot>| self.kernel.states[state].name.clone();
        if let Some(phase) = recurrence::phase(self.old, circle) {
            self.reasons.push(format!("{}: a phase", name(phase.state)));
            self.phase(&phase);
        } else if let Some(counter) = recurrence::counter(self.kernel, self.old, circle) {
            self.reasons.push(format!("{}: a counter", name(counter.state)));
            self.counter(&counter);
        } else {
            match scan::linear(self.old, &self.rates, circle).filter(|_| self.linear) {
                Some(linear) if linear.creeps(self.old) => {
                    let name = name(linear.states[0]);
                    self.reasons
                        .push(format!("{name}: an island, as it adds up the roundings of many frames"));
                    self.island(circle);
                }
                Some(linear) => {
                    let names: Vec<String> = linear.states.iter().map(|state| name(*state)).collect();
                    self.reasons.push(format!("{}: linear, with a slow factor", names.join(", ")));
                    self.linear(&linear, circle);
                }
                None => self.bounded_or_island(circle),
            }
        }
    }

    fn bounded_or_island(&mut self, circle: &Circle) {
        match clamp::bounded(self.old, &self.rates, circle).filter(|_| self.linear) {
            Some(bounded) => {
                let name = &self.kernel.states[bounded.state].name;
                self.reasons.push(format!("{name}: linear within a bound, with a slow factor"));
                self.bounded(&bounded, circle);
            }
            None => {
                let reason = self.why_island(circle);
                self.reasons.push(reason);
                self.island(circle);
            }
        }
    }

    fn counter(&mut self, counter: &Counter) {
        let Counter { state, get, sum, least, step, most } = *counter;
        let (entry, steps) = (self.entry(state), self.count(1, step));
        let (bound, turn) = (self.new.constant(Imm::I32(most), 4), self.new.constant(Imm::I32(4 * step), 4));
        let first = self.new.op(Op::Add, &[entry, steps]);
        let first = self.new.op(Op::Min, &[first, bound]);
        let after = self.carry(first);
        let next = self.new.op(Op::Add, &[after, turn]);
        let next = self.new.op(Op::Min, &[next, bound]);
        self.new.back_edges.push((after, next));
        self.counters.insert(least, Count { first, turn: 4 * step });
        let before = self.carry(entry);
        self.settle(get, least, before, after);
        let (before, turn, bound) =
            (self.new.add(Op::Get(state), Type::I32, &[]), self.new.i32(4 * step), self.new.i32(most));
        let last = self.new.op(Op::Add, &[before, turn]);
        let last = self.new.op(Op::Min, &[last, bound]);
        self.last.insert(state, last);
        // The sum before it is bounded, should anybody want it.
        self.wide[sum.index()].lanes = Some(self.widened(sum));
    }

    /// k·step in the lanes, from k = `from`.
    pub(super) fn count(&mut self, from: i32, step: i32) -> Value {
        let lanes: Vec<Value> = (from..from + 4).map(|k| self.new.i32(k * step)).collect();
        self.new.op(Op::Pack, &lanes)
    }

    /// A slope as an f64.
    pub(super) fn factor(&mut self, slope: &Slope) -> Value {
        let wide = &self.wide;
        let mut slow = |value: Value| wide[value.index()].slow.expect("a slow factor");
        scan::formula(slope, &mut self.new, &mut slow)
    }

    /// a·b + c
    pub(super) fn mad(&mut self, a: Value, b: Value, c: Value) -> Value {
        if self.fma {
            return self.new.op(Op::Fma, &[a, b, c]);
        }
        let product = self.new.op(Op::Mul, &[a, b]);
        self.new.op(Op::Add, &[product, c])
    }

    /// A circle through one state is known: `before` has the state as it is before the turn in its last lane, `after`
    /// the states after each frame.
    pub(super) fn settle(&mut self, get: Value, next: Value, before: Value, after: Value) {
        let last = self.new.op(Op::Extract(3), &[after]);
        let last = self.new.op(Op::Splat, &[last]);
        self.new.back_edges.push((before, last));
        self.wide[next.index()].lanes = Some(after);
        self.wide[get.index()].lanes = Some(self.later(after, before));
    }

    /// A circle of another form: frame after frame.
    fn island(&mut self, circle: &Circle) {
        let mut frames: FxHashMap<Value, Vec<Value>> = FxHashMap::default();
        let inside: FxHashSet<Value> = circle.iter().copied().collect();
        for k in 0..4 {
            for member in circle {
                let inst = &self.old.insts[*member];
                let value = match recurrence::next_of(self.old, inst.op) {
                    Some(_) if k == 0 => self.new.insts.add(inst.clone()),
                    Some(next) => frames[&next][k - 1],
                    None => {
                        let args: Vec<Value> = inst.args.as_slice().to_vec();
                        let args = args.iter().map(|arg| match inside.contains(arg) {
                            true => frames[arg][k],
                            false => self.frames(*arg)[k],
                        });
                        let args = args.collect();
                        self.new.insts.add(Inst { args, ..inst.clone() })
                    }
                };
                frames.entry(*member).or_default().push(value);
            }
        }
        for (member, frames) in frames {
            self.wide[member.index()].frames = Some([frames[0], frames[1], frames[2], frames[3]]);
        }
    }

    fn why_island(&self, circle: &Circle) -> String {
        let names: Vec<&str> = circle
            .iter()
            .filter_map(|v| match self.old.insts[*v].op {
                Op::Get(state) => Some(self.kernel.states[state].name.as_str()),
                _ => None,
            })
            .collect();
        let mut ops: Vec<&str> = circle
            .iter()
            .map(|v| self.old.insts[*v].op)
            .filter(|op| !matches!(op, Op::Get(_) | Op::Const(_)))
            .map(|op| op.row().name)
            .collect();
        ops.dedup();
        format!("{}: an island of {} instructions ({})", names.join(", "), circle.len(), ops.join(" "))
    }
}
