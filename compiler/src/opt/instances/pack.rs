//! Four calls of a kernel as one kernel whose lanes they are.

use crate::ir::{
    Body, DelayLine, Imm, InputId, Inst, Kernel, Op, ParamId, PortField, PortId, Scalar, StateSlot, Type,
    Value, Voice,
};
use crate::opt::lanes::{LANES, LaneBuilder, LaneValue};
use mam_grammar::Handle;

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
    if kernel.block.is_some() {
        return Some("it is a block node");
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
struct Table(Vec<[usize; LANES]>);

impl Table {
    fn new(same: &[bool]) -> Table {
        let mut next = 0;
        let mut entry = |same: &bool| {
            let first = next;
            next += if *same { 1 } else { LANES };
            std::array::from_fn(|k| if *same { first } else { first + k })
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
    Table::new(same).0.iter().map(|places| places[lane]).collect()
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
        let line = |line: &DelayLine| DelayLine { name: lane_name(&line.name, lane), ..*line };
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
            port: PortId::new(ports.0[voice.port.index()][lane as usize]),
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

/// The rewriting of a body.
struct Packing<'a> {
    kernel: &'a Kernel,
    tables: &'a [Table; 3],
    states: &'a [State],
    adds: bool,
    b: LaneBuilder<'a>,
}

impl<'a> Packing<'a> {
    fn new(
        kernel: &'a Kernel,
        old: &'a Body,
        tables: &'a [Table; 3],
        states: &'a [State],
        adds: bool,
    ) -> Packing<'a> {
        Packing { kernel, tables, states, adds, b: LaneBuilder::new(old, 1) }
    }

    fn run(mut self) -> Body {
        let old = self.b.old;
        for (value, inst) in old.insts.iter() {
            let packed = self.inst(value, inst);
            self.b.define(value, packed);
        }
        for (state, value) in &old.sets {
            match self.states[state.index()] {
                State::Lanes(slot) => {
                    let lanes = self.b.lanes(*value);
                    self.b.new.sets.push((slot, lanes));
                }
                State::Each(slots) => {
                    let each = self.b.each(*value);
                    self.b.new.sets.extend(slots.into_iter().zip(each));
                }
            }
        }
        for (carried, next) in &old.back_edges {
            if old.ty(*carried).is_packable() {
                let lanes = (self.b.lanes(*carried), self.b.lanes(*next));
                self.b.new.back_edges.push(lanes);
            } else {
                let (carried, nexts) = (self.b.each(*carried), self.b.each(*next));
                self.b.new.back_edges.extend(carried.into_iter().zip(nexts));
            }
        }
        for (line, value) in &old.writes {
            let lines = self.lines(*line);
            let each = self.b.each(*value);
            self.b.new.writes.extend(lines.into_iter().zip(each));
        }
        let outs: Vec<Value> = old.outs.iter().map(|out| self.awake(*out)).collect();
        let new = &mut self.b.new;
        new.outs = match self.adds {
            true => outs.into_iter().map(|out| new.op(Op::Total, &[out])).collect(),
            false => (0..LANES as u8)
                .flat_map(|k| outs.iter().map(move |out| (k, *out)))
                .map(|(k, out)| new.op(Op::Extract(k), &[out]))
                .collect(),
        };
        self.b.new
    }

    /// An output in lanes; exactly 0 in those whose voice sleeps.
    fn awake(&mut self, out: Value) -> Value {
        let lanes = self.b.lanes(out);
        let Some(voice) = self.kernel.voices.first() else { return lanes };
        let ports = self.tables[2].0[voice.port.index()];
        let active =
            ports.map(|port| self.b.new.add(Op::Port(PortId::new(port), PortField::Active), Type::BOOL, &[]));
        let active = self.b.op(Op::Pack, &active);
        let silence = self.b.new.constant(Imm::F32(0.0), LANES as u8);
        self.b.op(Op::Select, &[active, lanes, silence])
    }

    fn inst(&mut self, value: Value, inst: &Inst) -> LaneValue {
        let [params, inputs, ports] = self.tables;
        match inst.op {
            Op::Param(i) => self.source(inst, params.0[i.index()], |i| Op::Param(ParamId::new(i))),
            Op::Input(i) => self.source(inst, inputs.0[i.index()], |i| Op::Input(InputId::new(i))),
            Op::Port(i, field) => self.source(inst, ports.0[i.index()], |i| Op::Port(PortId::new(i), field)),
            Op::Get(state) => self.state(inst, state, Op::Get),
            Op::LiveIn(state) => self.state(inst, state, Op::LiveIn),
            // What starts alike need not stay so.
            Op::LoopCarried if inst.ty.is_packable() => {
                let start = self.b.lanes(inst.args.as_slice()[0]);
                LaneValue { lanes: Some(self.b.op(Op::LoopCarried, &[start])), ..LaneValue::default() }
            }
            Op::LoopCarried => self.copies(value, |_| Op::LoopCarried),
            Op::Read(line) => {
                let lines = self.lines(line);
                self.copies(value, |k| Op::Read(lines[k]))
            }
            _ => self.pure(value, inst),
        }
    }

    fn state(&mut self, inst: &Inst, state: Handle<StateSlot>, op: fn(Handle<StateSlot>) -> Op) -> LaneValue {
        match self.states[state.index()] {
            State::Lanes(slot) => {
                let ty = inst.ty.with_lanes(LANES as u8);
                LaneValue { lanes: Some(self.b.new.add(op(slot), ty, &[])), ..LaneValue::default() }
            }
            State::Each(slots) => {
                let each = slots.map(|slot| self.b.new.add(op(slot), inst.ty, &[]));
                LaneValue { each: Some(each), ..LaneValue::default() }
            }
        }
    }

    /// A source that is one entry of a table, or four.
    fn source(&mut self, inst: &Inst, places: [usize; LANES], op: impl Fn(usize) -> Op) -> LaneValue {
        if places[0] == places[1] {
            let uniform = self.b.new.add(op(places[0]), inst.ty, &[]);
            return LaneValue { uniform: Some(uniform), ..LaneValue::default() };
        }
        let each = places.map(|place| self.b.new.add(op(place), inst.ty, &[]));
        LaneValue { each: Some(each), ..LaneValue::default() }
    }

    /// An instruction of which the operands are all.
    fn pure(&mut self, value: Value, inst: &Inst) -> LaneValue {
        if let Some(uniform) = self.b.once(value) {
            return LaneValue { uniform: Some(uniform), ..LaneValue::default() };
        }
        let packable = |arg: &Value| self.b.old.ty(*arg).is_packable();
        if !inst.ty.is_packable() || !inst.args.as_slice().iter().all(packable) {
            return self.copies(value, |_| inst.op);
        }
        LaneValue { lanes: Some(self.b.widened(value)), ..LaneValue::default() }
    }

    /// The instruction four times.
    fn copies(&mut self, value: Value, op: impl Fn(usize) -> Op) -> LaneValue {
        LaneValue { each: Some(self.b.copies(value, op)), ..LaneValue::default() }
    }

    fn lines(&self, line: Handle<DelayLine>) -> [Handle<DelayLine>; LANES] {
        std::array::from_fn(|k| Handle::new(k * self.kernel.delays.len() + line.index()))
    }
}
