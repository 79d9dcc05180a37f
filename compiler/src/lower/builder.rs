//! Builds one form of a kernel, instruction by instruction.
//!
//! Equal instructions are made once, constants are folded at once (the bounds of a `sum` must be known while it is
//! unrolled), and the type of real numbers follows their rate: what is slower than a sample is f64, audio is f32,
//! and the conversion stands where they meet.

use super::copies::{Copies, InnerFrame};
use super::late::{Latencies, Tracked};
use crate::arithmetic::Operations;
use crate::ir::{
    Args, Body, DelayLine, Imm, InputId, Inst, Kernel, Op, ParamId, PortField, PortId, Rate, Scalar, Sharing,
    StateSlot, Type, Value,
};
use mam_grammar::{Arena, Handle};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Which of a kernel's two bodies is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormKind {
    /// Parameters are constant over a call: f64.
    Steady,
    /// Parameters move: f32, frame by frame.
    General,
}

/// A kernel in the making.
pub(super) struct Builder {
    /// Interface and, in `general` whichever form it is, the body.
    pub(super) kernel: Kernel,
    form: FormKind,
    rates: Vec<Rate>,
    /// How late values are.
    pub(super) tracked: Tracked,
    instructions: usize,
    made: FxHashMap<(Op, Type, Args), Value>,
    /// The voice that what is made now belongs to.
    pub(super) voice: Option<usize>,
    /// The inner frame that what is made now belongs to.
    pub(super) copy: Option<InnerFrame>,
    /// What is remembered from one inner frame to the next.
    pub(super) copies: Copies,
    pub(super) state_voices: Vec<Option<usize>>,
    pub(super) delay_voices: Vec<Option<usize>>,
    names: FxHashMap<String, u32>,
    /// What constants of f32 were rounded from, where it was one number.
    pub(super) exact: FxHashMap<Value, f64>,
    /// The values that have been asked for as invariants of the loop over frames.
    pub(super) invariant: FxHashMap<Value, Option<Value>>,
}

impl Builder {
    /// An empty kernel, of whose latencies this is known.
    pub(super) fn new(name: &str, form: FormKind, known: Option<Latencies>) -> Builder {
        Builder {
            kernel: Kernel { name: name.to_string(), ..Kernel::default() },
            form,
            rates: vec![],
            tracked: Tracked::knowing(known),
            instructions: 0,
            made: FxHashMap::default(),
            voice: None,
            copy: None,
            copies: Copies::default(),
            state_voices: vec![],
            delay_voices: vec![],
            names: FxHashMap::default(),
            exact: FxHashMap::default(),
            invariant: FxHashMap::default(),
        }
    }

    /// Which of the two bodies is built.
    pub(super) fn form(&self) -> FormKind {
        self.form
    }

    /// The body so far.
    pub(super) fn body(&mut self) -> &mut Body {
        &mut self.kernel.general
    }

    /// How many machine instructions the body becomes so far, roughly; what memory it takes meanwhile counts as well.
    pub(super) fn instructions(&self) -> usize {
        self.instructions.max(self.kernel.general.insts.len() / 2)
    }

    /// The instruction that makes a value.
    pub(super) fn inst(&self, value: Value) -> &Inst {
        &self.kernel.general.insts[value]
    }

    /// The type of a value.
    pub(super) fn ty(&self, value: Value) -> Type {
        self.inst(value).ty
    }

    /// The rate of a value.
    pub(super) fn rate(&self, value: Value) -> Rate {
        self.rates[value.index()]
    }

    /// The value of a constant.
    pub(super) fn imm(&self, value: Value) -> Option<Imm> {
        match self.inst(value).op {
            Op::Const(imm) => Some(imm),
            _ => None,
        }
    }

    /// The value of a real constant.
    pub(super) fn constant(&self, value: Value) -> Option<f64> {
        match self.imm(value)? {
            Imm::F32(x) => Some(f64::from(x)),
            Imm::F64(x) => Some(x),
            Imm::I32(x) => Some(f64::from(x)),
            Imm::Bool(x) => Some(f64::from(u8::from(x))),
        }
    }

    /// An instruction. Equal ones are made once; one whose operands are constants becomes a constant.
    pub(super) fn push(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        let imms: Option<Vec<Imm>> = args.iter().map(|&a| self.imm(a)).collect();
        if let Some(imm) = imms.filter(|i| !i.is_empty()).and_then(|i| Some(op.row().meaning?(&i, ty.scalar)))
        {
            return self.imm_value(imm);
        }
        let args: Args = args.iter().copied().collect();
        if let Some(&value) = self.made.get(&(op, ty, args)) {
            return value;
        }
        let value = self.add(op, ty, args);
        self.made.insert((op, ty, args), value);
        value
    }

    fn add(&mut self, op: Op, ty: Type, args: Args) -> Value {
        let own = op.own_rate(ty);
        let rate = args.as_slice().iter().map(|&a| self.rate(a)).fold(own, Rate::max);
        self.rates.push(rate);
        self.tracked.add(&self.kernel, op, &args);
        self.instructions += op.instructions();
        self.kernel.general.insts.add(Inst { op, ty, args })
    }

    /// An instruction that is not the same as an equal one.
    pub(super) fn distinct(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        self.add(op, ty, args.iter().copied().collect())
    }

    fn imm_value(&mut self, imm: Imm) -> Value {
        let ty = Type { scalar: imm.scalar(), lanes: 1 };
        self.push(Op::Const(imm), ty, &[])
    }

    /// A real constant.
    pub(super) fn f64(&mut self, x: f64) -> Value {
        self.imm_value(Imm::F64(x))
    }

    /// An integer constant.
    pub(super) fn i32(&mut self, x: i32) -> Value {
        self.imm_value(Imm::I32(x))
    }

    /// A bool constant.
    pub(super) fn bool(&mut self, x: bool) -> Value {
        self.imm_value(Imm::Bool(x))
    }

    /// The value as f32 audio.
    pub(super) fn audio(&mut self, value: Value) -> Value {
        match self.ty(value).scalar {
            Scalar::F32 => value,
            Scalar::F64 => {
                let rounded = self.push(Op::Demote, Type::F32, &[value]);
                if let Some(x) = self.constant(value) {
                    // Of two numbers that are rounded to one, neither is known to be meant.
                    let known = self.exact.entry(rounded).or_insert(x);
                    if *known != x {
                        *known = f64::from(x as f32);
                    }
                }
                rounded
            }
            Scalar::I32 => self.push(Op::ToFloat, Type::F32, &[value]),
            Scalar::Bool => {
                let (one, zero) = (self.imm_value(Imm::F32(1.0)), self.imm_value(Imm::F32(0.0)));
                self.push(Op::Select, Type::F32, &[value, one, zero])
            }
        }
    }

    /// The value as f64.
    pub(super) fn precise(&mut self, value: Value) -> Value {
        match self.ty(value).scalar {
            Scalar::F64 => value,
            Scalar::F32 => self.push(Op::Promote, Type::F64, &[value]),
            Scalar::I32 => self.push(Op::ToFloat, Type::F64, &[value]),
            Scalar::Bool => {
                let (one, zero) = (self.f64(1.0), self.f64(0.0));
                self.push(Op::Select, Type::F64, &[value, one, zero])
            }
        }
    }

    /// The value as a condition: not 0 is true.
    pub(super) fn truth(&mut self, value: Value) -> Value {
        match self.ty(value).scalar {
            Scalar::Bool => value,
            Scalar::F32 => {
                let zero = self.imm_value(Imm::F32(0.0));
                self.push(Op::Ne, Type::BOOL, &[value, zero])
            }
            Scalar::F64 => {
                let zero = self.f64(0.0);
                self.push(Op::Ne, Type::BOOL, &[value, zero])
            }
            Scalar::I32 => {
                let zero = self.i32(0);
                self.push(Op::Ne, Type::BOOL, &[value, zero])
            }
        }
    }

    /// Operands brought to one real type: f32 as soon as one of them changes every sample.
    fn reals<const N: usize>(&mut self, args: [Value; N]) -> (Type, [Value; N]) {
        if args.iter().any(|&a| self.rate(a) == Rate::Sample) {
            (Type::F32, args.map(|a| self.audio(a)))
        } else {
            (Type::F64, args.map(|a| self.precise(a)))
        }
    }

    /// An op on real numbers.
    pub(super) fn real<const N: usize>(&mut self, op: Op, args: [Value; N]) -> Value {
        let (ty, args) = self.reals(args);
        self.push(op, ty, &args)
    }

    /// A comparison of real numbers.
    pub(super) fn compare(&mut self, op: Op, a: Value, b: Value) -> Value {
        let (_, args) = self.reals([a, b]);
        self.push(op, Type::BOOL, &args)
    }

    /// a where the condition holds, else b; both real.
    pub(super) fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        let condition = self.truth(condition);
        if self.ty(a) == Type::BOOL && self.ty(b) == Type::BOOL {
            return self.push(Op::Select, Type::BOOL, &[condition, a, b]);
        }
        let sample = self.rate(condition) == Rate::Sample;
        let (ty, [a, b]) =
            if sample { (Type::F32, [a, b].map(|v| self.audio(v))) } else { self.reals([a, b]) };
        self.push(Op::Select, ty, &[condition, a, b])
    }

    /// `a · x` with a constant.
    pub(super) fn scale(&mut self, a: f64, x: Value) -> Value {
        let a = self.f64(a);
        self.real(Op::Mul, [a, x])
    }

    /// Parameter `index` of the kernel.
    pub(super) fn param(&mut self, index: usize) -> Value {
        let ty = if self.form == FormKind::Steady { Type::F64 } else { Type::F32 };
        self.push(Op::Param(ParamId::new(index)), ty, &[])
    }

    /// What an event port says.
    pub(super) fn port(&mut self, index: usize, field: PortField) -> Value {
        let ty = if field.is_bool() { Type::BOOL } else { Type::F64 };
        self.push(Op::Port(PortId::new(index), field), ty, &[])
    }

    /// Input `index` of the kernel.
    pub(super) fn input(&mut self, index: usize) -> Value {
        self.push(Op::Input(InputId::new(index)), Type::F32, &[])
    }

    fn unique(&mut self, name: &str) -> String {
        let times = self.names.entry(name.to_string()).or_insert(0);
        *times += 1;
        if *times == 1 { name.to_string() } else { format!("{name}{times}") }
    }

    /// A new word of state and its value.
    pub(super) fn state(&mut self, name: &str, init: Imm) -> (Handle<StateSlot>, Value) {
        self.state_by(name, |_| init)
    }

    /// A new word of state, whose initial value depends on the name that it gets, and its value.
    pub(super) fn state_by(&mut self, name: &str, init: impl Fn(&str) -> Imm) -> (Handle<StateSlot>, Value) {
        let Some(copy) = self.copy else { return self.new_state(name, init) };
        let occurrence = self.copies.occurrence(copy, name);
        if let Some(known) = self.copies.known(copy, name, occurrence) {
            return known;
        }
        let (state, value) = self.new_state(name, init);
        self.copies.keep(copy, name, occurrence, (state, value));
        (state, value)
    }

    /// A word of state of its own, whatever inner frame it is made in.
    pub(super) fn new_state(&mut self, name: &str, init: impl Fn(&str) -> Imm) -> (Handle<StateSlot>, Value) {
        let name = self.unique(name);
        let init = init(&name);
        let state = self.kernel.states.add(StateSlot::word(name, init));
        self.state_voices.push(self.voice);
        let value = self.push(Op::Get(state), Type { scalar: init.scalar(), lanes: 1 }, &[]);
        (state, value)
    }

    /// What a state becomes at the end of each turn.
    pub(super) fn set(&mut self, state: Handle<StateSlot>, value: Value) {
        if self.copy.is_none() {
            return self.body().sets.push((state, value));
        }
        // The next inner frame reads what this one sets; the last one's is the state.
        self.copies.set(state, value);
        match self.body().sets.iter_mut().find(|(other, _)| *other == state) {
            Some(set) => set.1 = value,
            None => self.body().sets.push((state, value)),
        }
    }

    /// A new delay line for at most `longest` frames.
    pub(super) fn delay(&mut self, name: &str, longest: u32) -> Handle<DelayLine> {
        let name = self.unique(name);
        self.delay_voices.push(self.voice);
        self.kernel.delays.add(DelayLine::unshared(name, DelayLine::holding(longest)))
    }

    /// A line of another kernel, which writes it before this one reads it; what it holds is so many frames late.
    pub(super) fn borrow(&mut self, name: &str, frames: u32, late: u32) -> Handle<DelayLine> {
        self.delay_voices.push(None);
        let line =
            self.kernel.delays.add(DelayLine { name: name.into(), frames, sharing: Sharing::Borrowed });
        self.tracked.borrow(line, late);
        line
    }

    /// Makes a delay line long enough for `longest` frames, too.
    pub(super) fn lengthen(&mut self, line: Handle<DelayLine>, longest: u32) {
        let frames = &mut self.kernel.delays[line].frames;
        *frames = DelayLine::holding(longest).max(*frames);
    }

    /// Moves the states and delay lines of each voice together, so that they are reset as one range when it wakes.
    pub(super) fn gather(&mut self) {
        let (state_at, delay_at) = (places(&self.state_voices), places(&self.delay_voices));
        let kernel = &mut self.kernel;
        kernel.states = moved(&kernel.states, &state_at);
        kernel.delays = moved(&kernel.delays, &delay_at);
        let state = |h: Handle<StateSlot>| Handle::new(state_at[h.index()]);
        let delay = |h: Handle<DelayLine>| Handle::new(delay_at[h.index()]);
        let body = &mut kernel.general;
        for value in body.insts.handles() {
            match &mut body.insts[value].op {
                Op::Get(h) => *h = state(*h),
                Op::Read(h) => *h = delay(*h),
                _ => {}
            }
        }
        body.sets.iter_mut().for_each(|(h, _)| *h = state(*h));
        body.writes.iter_mut().for_each(|(h, _)| *h = delay(*h));
        for (index, voice) in kernel.voices.iter_mut().enumerate() {
            voice.until = state(voice.until);
            voice.states = range(&self.state_voices, Some(index));
            voice.delays = range(&self.delay_voices, Some(index));
        }
    }
}

impl Operations for Builder {
    type Value = Value;

    fn number(&mut self, x: f64) -> Value {
        self.f64(x)
    }

    fn known(&self, value: Value) -> Option<f64> {
        self.constant(value)
    }

    fn real<const N: usize>(&mut self, op: Op, args: [Value; N]) -> Value {
        Builder::real(self, op, args)
    }

    fn compare(&mut self, op: Op, a: Value, b: Value) -> Value {
        Builder::compare(self, op, a, b)
    }

    fn logic<const N: usize>(&mut self, op: Op, args: [Value; N]) -> Value {
        let args = args.map(|arg| self.truth(arg));
        self.push(op, Type::BOOL, &args)
    }

    fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        Builder::select(self, condition, a, b)
    }

    fn factor(&self, value: Value) -> Option<(f64, Value)> {
        let product = self.inst(value);
        let (Op::Mul, &[a, b]) = (product.op, product.args.as_slice()) else { return None };
        [(a, b), (b, a)].into_iter().find_map(|(factor, rest)| Some((self.constant(factor)?, rest)))
    }
}

/// The new place of each element when they are sorted by voice: first what belongs to none.
fn places(voices: &[Option<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..voices.len()).collect();
    order.put_in_order_by_key(|&i| voices[i]);
    let mut places = vec![0; voices.len()];
    order.into_iter().enumerate().for_each(|(new, old)| places[old] = new);
    places
}

fn moved<T: Clone>(all: &Arena<T>, places: &[usize]) -> Arena<T> {
    let mut sorted: Vec<(usize, T)> = places.iter().copied().zip(all.values().cloned()).collect();
    sorted.put_in_order_by_key(|&(place, _)| place);
    sorted.into_iter().map(|(_, value)| value).collect()
}

/// Where the elements of a voice are, once they are sorted.
fn range(voices: &[Option<usize>], voice: Option<usize>) -> Range<u32> {
    let start = voices.iter().filter(|&&v| v < voice).count() as u32;
    let count = voices.iter().filter(|&&v| v == voice).count() as u32;
    start..start + count
}
