//! Four calls of a kernel as one kernel whose lanes they are.

use crate::ir::{Body, DelayLine, Imm, Inst, Kernel, Op, PortField, Scalar, StateSlot, Type, Value, Voice};
use mam_grammar::Handle;

/// How many calls are packed into one.
pub const LANES: usize = 4;

/// What four calls have in common, and what becomes of their outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Which parameters are the same slot in all four.
    pub params: Vec<bool>,
    /// Which inputs are the same signal.
    pub inputs: Vec<bool>,
    /// Which ports are the same.
    pub ports: Vec<bool>,
    /// Whether the lanes are added up, (0+1)+(2+3), instead of being outputs of their own.
    pub adds: bool,
}

/// Why a kernel can't be packed, if it can't.
pub fn obstacle(kernel: &Kernel) -> Option<&'static str> {
    if kernel.states.values().any(|state| state.lanes != 1) {
        return Some("it has lanes of its own");
    }
    let (own, beyond) = match kernel.voices.as_slice() {
        [] => return None,
        [voice] => (voice, "it has state beside its voice"),
        _ => return Some("it has several voices"),
    };
    let sleeps = |range: &std::ops::Range<u32>, index: usize| range.contains(&(index as u32));
    let bodies = [Some(&kernel.general), Some(&kernel.steady), kernel.tail.as_ref()];
    let within = bodies.into_iter().flatten().all(|body| {
        body.sets.iter().all(|(state, _)| sleeps(&own.states, state.index()))
            && body.writes.iter().all(|(line, _)| sleeps(&own.delays, line.index()))
    });
    (!within).then_some(beyond)
}

/// Indices of a table of the kernel's as those of the packed one's: one where all four have the same, else four.
struct Table(Vec<[u32; LANES]>);

impl Table {
    fn new(same: &[bool]) -> Table {
        let mut next = 0;
        let mut entry = |same: &bool| {
            let first = next;
            next += if *same { 1 } else { LANES as u32 };
            std::array::from_fn(|k| if *same { first } else { first + k as u32 })
        };
        Table(same.iter().map(&mut entry).collect())
    }

    /// The packed table, where each lane has its own of `of` (the lane, and the index in the kernel's table).
    fn fill<T>(&self, of: impl Fn(usize, usize) -> T) -> Vec<T> {
        let places = self.0.iter().enumerate().flat_map(|(index, places)| {
            let count = if places[0] == places[1] { 1 } else { LANES };
            (0..count).map(move |lane| (lane, index))
        });
        places.map(|(lane, index)| of(lane, index)).collect()
    }
}

/// The entries of a table of four calls, in the order of the packed kernel's.
pub fn merged(tables: [&[usize]; LANES], same: &[bool]) -> Vec<usize> {
    Table::new(same).fill(|lane, index| tables[lane][index])
}

/// Where a lane's own entries stand in the packed table.
pub fn places(same: &[bool], lane: usize) -> Vec<usize> {
    Table::new(same).0.iter().map(|places| places[lane] as usize).collect()
}

/// Four calls of `kernel` as one. Each state becomes one in four lanes (an f64 four states), so that the kernel's i-th
/// state is lane k of the packed one's words 4·i + k; the delay lines and outputs stand lane after lane.
pub fn pack(kernel: &Kernel, shape: &Shape) -> Kernel {
    let mut packed = Kernel { name: format!("{}.x{LANES}", kernel.name), ..Kernel::default() };
    let lane_name = |name: &str, lane: usize| format!("{name}@{lane}");
    let mut states = vec![];
    for state in kernel.states.values() {
        if state.init.scalar() == Scalar::F64 {
            let slot = |lane| StateSlot::word(lane_name(&state.name, lane), state.init);
            states.push(State::Each(std::array::from_fn(|lane| packed.states.add(slot(lane)))));
        } else {
            states.push(State::Lanes(packed.states.add(StateSlot { lanes: LANES as u8, ..state.clone() })));
        }
    }
    for lane in 0..LANES {
        let line = |line: &DelayLine| DelayLine { name: lane_name(&line.name, lane), frames: line.frames };
        kernel.delays.values().for_each(|l| _ = packed.delays.add(line(l)));
    }
    let tables = [&shape.params, &shape.inputs, &shape.ports].map(|same| Table::new(same));
    let [params, inputs, ports] = &tables;
    let names = |table: &Table, names: &[String]| {
        table.fill(|lane, index| match table.0[index][0] == table.0[index][1] {
            true => names[index].clone(),
            false => lane_name(&names[index], lane),
        })
    };
    packed.params = names(params, &kernel.params);
    packed.inputs = names(inputs, &kernel.inputs);
    packed.ports = names(ports, &kernel.ports);
    packed.outputs = match shape.adds {
        true => kernel.outputs.clone(),
        false => (0..LANES).flat_map(|k| kernel.outputs.iter().map(move |name| lane_name(name, k))).collect(),
    };
    for (voice, lane) in kernel.voices.iter().flat_map(|voice| (0..LANES as u32).map(move |k| (voice, k))) {
        let State::Lanes(until) = states[voice.until.index()] else { unreachable!("a bool") };
        let (words, lines, four) = (&voice.states, &voice.delays, LANES as u32);
        let first = lane * kernel.delays.len() as u32;
        packed.voices.push(Voice {
            port: ports.0[voice.port as usize][lane as usize],
            until,
            states: four * words.start + lane..four * words.end,
            every: four,
            delays: first + lines.start..first + lines.end,
        });
    }
    let body = |old: &Body| Packing::new(kernel, old, &tables, &states, shape.adds).run();
    packed.general = body(&kernel.general);
    packed.steady = body(kernel.tail.as_ref().unwrap_or(&kernel.steady));
    packed
}

/// What a state has become.
#[derive(Clone, Copy)]
enum State {
    Lanes(Handle<StateSlot>),
    Each([Handle<StateSlot>; LANES]),
}

/// What an old value has become, in the forms that have been asked for.
#[derive(Clone, Copy, Default)]
struct Wide {
    /// One value, the same in all four.
    one: Option<Value>,
    /// Lanes.
    lanes: Option<Value>,
    /// A value for each.
    each: Option<[Value; LANES]>,
}

/// The rewriting of a body.
struct Packing<'a> {
    kernel: &'a Kernel,
    old: &'a Body,
    tables: &'a [Table; 3],
    states: &'a [State],
    adds: bool,
    new: Body,
    wide: Vec<Wide>,
}

impl<'a> Packing<'a> {
    fn new(
        kernel: &'a Kernel,
        old: &'a Body,
        tables: &'a [Table; 3],
        states: &'a [State],
        adds: bool,
    ) -> Packing<'a> {
        let wide = vec![Wide::default(); old.insts.len()];
        Packing { kernel, old, tables, states, adds, new: Body::default(), wide }
    }

    fn run(mut self) -> Body {
        for (value, inst) in self.old.insts.iter() {
            self.wide[value.index()] = self.inst(inst);
        }
        for (state, value) in &self.old.sets {
            match self.states[state.index()] {
                State::Lanes(slot) => {
                    let lanes = self.lanes(*value);
                    self.new.sets.push((slot, lanes));
                }
                State::Each(slots) => {
                    let each = self.each(*value);
                    self.new.sets.extend(slots.into_iter().zip(each));
                }
            }
        }
        for (carry, next) in &self.old.back_edges {
            if self.old.ty(*carry).is_packable() {
                let lanes = (self.lanes(*carry), self.lanes(*next));
                self.new.back_edges.push(lanes);
            } else {
                let (carries, back_edges) = (self.each(*carry), self.each(*next));
                self.new.back_edges.extend(carries.into_iter().zip(back_edges));
            }
        }
        for (line, value) in &self.old.writes {
            let lines = self.lines(*line);
            let each = self.each(*value);
            self.new.writes.extend(lines.into_iter().zip(each));
        }
        let outs: Vec<Value> = self.old.outs.iter().map(|out| self.awake(*out)).collect();
        let new = &mut self.new;
        new.outs = match self.adds {
            true => outs.into_iter().map(|out| new.op(Op::Total, &[out])).collect(),
            false => (0..LANES as u8)
                .flat_map(|k| outs.iter().map(move |out| (k, *out)))
                .map(|(k, out)| new.op(Op::Extract(k), &[out]))
                .collect(),
        };
        self.new
    }

    /// An output in lanes; exactly 0 in those whose voice sleeps.
    fn awake(&mut self, out: Value) -> Value {
        let lanes = self.lanes(out);
        let Some(voice) = self.kernel.voices.first() else { return lanes };
        let ports = self.tables[2].0[voice.port as usize];
        let active = ports.map(|port| self.new.add(Op::Port(port, PortField::Active), Type::BOOL, &[]));
        let active = self.new.op(Op::Pack, &active);
        let silence = self.new.constant(Imm::F32(0.0), LANES as u8);
        self.new.op(Op::Select, &[active, lanes, silence])
    }

    fn inst(&mut self, inst: &Inst) -> Wide {
        let [params, inputs, ports] = self.tables;
        match inst.op {
            Op::Param(i) => self.entry(inst, params.0[i as usize], Op::Param),
            Op::Input(i) => self.entry(inst, inputs.0[i as usize], Op::Input),
            Op::Port(i, field) => self.entry(inst, ports.0[i as usize], |i| Op::Port(i, field)),
            Op::Get(state) => self.state(inst, state, Op::Get),
            Op::LiveIn(state) => self.state(inst, state, Op::LiveIn),
            // What begins alike need not stay so.
            Op::LoopCarried if inst.ty.is_packable() => {
                let start = self.lanes(inst.args.as_slice()[0]);
                Wide { lanes: Some(self.new.op(Op::LoopCarried, &[start])), ..Wide::default() }
            }
            Op::LoopCarried => self.copies(inst, |_| Op::LoopCarried),
            Op::Read(line) => {
                let lines = self.lines(line);
                self.copies(inst, |k| Op::Read(lines[k]))
            }
            op => self.pure(inst, op),
        }
    }

    fn state(&mut self, inst: &Inst, state: Handle<StateSlot>, op: fn(Handle<StateSlot>) -> Op) -> Wide {
        match self.states[state.index()] {
            State::Lanes(slot) => {
                let ty = inst.ty.with_lanes(LANES as u8);
                Wide { lanes: Some(self.new.add(op(slot), ty, &[])), ..Wide::default() }
            }
            State::Each(slots) => {
                let each = slots.map(|slot| self.new.add(op(slot), inst.ty, &[]));
                Wide { each: Some(each), ..Wide::default() }
            }
        }
    }

    /// A source that is one entry of a table, or four.
    fn entry(&mut self, inst: &Inst, places: [u32; LANES], op: impl Fn(u32) -> Op) -> Wide {
        if places[0] == places[1] {
            let one = self.new.add(op(places[0]), inst.ty, &[]);
            return Wide { one: Some(one), ..Wide::default() };
        }
        let each = places.map(|place| self.new.add(op(place), inst.ty, &[]));
        Wide { each: Some(each), ..Wide::default() }
    }

    /// An instruction of which the operands are all.
    fn pure(&mut self, inst: &Inst, op: Op) -> Wide {
        let args = inst.args.as_slice();
        let ones: Option<Vec<Value>> = args.iter().map(|arg| self.wide[arg.index()].one).collect();
        if let Some(args) = ones {
            return Wide { one: Some(self.new.add(op, inst.ty, &args)), ..Wide::default() };
        }
        if !inst.ty.is_packable() || !args.iter().all(|arg| self.old.ty(*arg).is_packable()) {
            return self.copies(inst, |_| op);
        }
        let args: Vec<Value> = args.iter().map(|arg| self.lanes(*arg)).collect();
        let lanes = self.new.add(op, inst.ty.with_lanes(LANES as u8), &args);
        Wide { lanes: Some(lanes), ..Wide::default() }
    }

    /// The instruction four times.
    fn copies(&mut self, inst: &Inst, op: impl Fn(usize) -> Op) -> Wide {
        let columns: Vec<[Value; LANES]> = inst.args.as_slice().iter().map(|arg| self.each(*arg)).collect();
        let each = std::array::from_fn(|k| {
            let args: Vec<Value> = columns.iter().map(|column| column[k]).collect();
            self.new.add(op(k), inst.ty, &args)
        });
        Wide { each: Some(each), ..Wide::default() }
    }

    fn lines(&self, line: Handle<DelayLine>) -> [Handle<DelayLine>; LANES] {
        std::array::from_fn(|k| Handle::new(k * self.kernel.delays.len() + line.index()))
    }

    /// A value in lanes.
    fn lanes(&mut self, value: Value) -> Value {
        let lanes = match self.wide[value.index()] {
            Wide { lanes: Some(lanes), .. } => lanes,
            Wide { one: Some(one), .. } => match self.new.as_const(one) {
                Some(imm) => self.new.constant(imm, LANES as u8),
                None => self.new.op(Op::Splat, &[one]),
            },
            Wide { each: Some(each), .. } => self.new.op(Op::Pack, &each),
            _ => unreachable!("operands stand before their users"),
        };
        self.wide[value.index()].lanes = Some(lanes);
        lanes
    }

    /// A value for each lane.
    fn each(&mut self, value: Value) -> [Value; LANES] {
        let each = match self.wide[value.index()] {
            Wide { each: Some(each), .. } => each,
            Wide { one: Some(one), .. } => [one; LANES],
            Wide { lanes: Some(lanes), .. } => {
                std::array::from_fn(|k| self.new.op(Op::Extract(k as u8), &[lanes]))
            }
            _ => unreachable!("operands stand before their users"),
        };
        self.wide[value.index()].each = Some(each);
        each
    }
}
