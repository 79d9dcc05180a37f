//! One instruction as C: a short arm an op.

use super::body::Writer;
use super::literal::ctype;
use crate::ir::lanes::{Half, halves, lane_of};
use crate::ir::{Op, PortField, Scalar, Type, Value};

impl Writer<'_> {
    /// The expression of a value.
    pub(super) fn compute(&mut self, value: Value) -> String {
        let inst = self.from.body.insts[value].clone();
        let (ty, from) = (inst.ty, inst.args.as_slice().first().map(|arg| self.from.body.ty(*arg)));
        let given = match inst.op {
            // What a loop-carried value begins with stands before the loop; what is made of lanes finds them itself.
            Op::LoopCarried | Op::Splat | Op::Pack => &[],
            Op::Slide => &inst.args.as_slice()[..1],
            _ => inst.args.as_slice(),
        };
        let args: Vec<String> = given.iter().map(|arg| self.value(*arg)).collect();
        let arg = |i: usize| args[i].as_str();
        let plain = ty.lanes == 1 && ty.scalar != Scalar::I32;
        match inst.op {
            Op::Const(imm) => super::literal::constant(imm, ty.lanes),
            Op::Param(i) if ty.scalar == Scalar::F64 => format!("c->params[{}]", i.index()),
            Op::Param(i) => self.signal("m", i.index(), ty),
            Op::Port(i, field) => port(i.index(), field, ty),
            Op::Input(i) => self.signal("in", i.index(), ty),
            Op::Frame => self.frame(ty),
            Op::CallFrame => {
                self.needs.first = true;
                "(i32)first".into()
            }
            Op::CallFrames => "(i32)(end - begin)".into(),
            Op::Get(state) => match self.is_in_register(value) {
                true => format!("s{}", state.index()),
                false => self.load_state(state),
            },
            Op::LiveIn(state) => self.load_state(state),
            Op::LoopCarried => format!("c{}", value.index()),
            Op::Read(_) => unreachable!("the plan has an action for it"),
            Op::Table(i) => {
                let last = self.from.module.tables[i.index()].len() - 1;
                let element = if ty.lanes == 1 { "element" } else { "elements" };
                format!("{element}(table{}, {last}, {})", i.index(), arg(0))
            }
            Op::Neighbours(i) => {
                let last = self.from.module.tables[i.index()].len() - 1;
                format!("neighbours(table{}, {last}, {})", i.index(), arg(0))
            }

            Op::Add if plain => format!("{} + {}", arg(0), arg(1)),
            Op::Sub if plain => format!("{} - {}", arg(0), arg(1)),
            Op::Mul if plain => format!("{} * {}", arg(0), arg(1)),
            Op::Div if plain => format!("{} / {}", arg(0), arg(1)),
            Op::Neg if plain => format!("-{}", arg(0)),
            Op::Neg if ty.lanes == 1 => format!("sub_i32(0, {})", arg(0)),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Min | Op::Max => function(inst.op, ty, &args),
            Op::Neg | Op::Abs | Op::Sqrt | Op::Floor | Op::Ceil | Op::Trunc | Op::Round => {
                function(inst.op, ty, &args)
            }
            Op::Fma => unreachable!("a portable target has none"),

            Op::Lt if ty.lanes == 1 => format!("{} < {}", arg(0), arg(1)),
            Op::Le if ty.lanes == 1 => format!("{} <= {}", arg(0), arg(1)),
            Op::Eq if ty.lanes == 1 => format!("{} == {}", arg(0), arg(1)),
            Op::Ne if ty.lanes == 1 => format!("{} != {}", arg(0), arg(1)),
            Op::Lt | Op::Le | Op::Eq | Op::Ne => function(inst.op, from.unwrap_or(ty), &args),
            Op::Select if ty.lanes == 1 => format!("{} ? {} : {}", arg(0), arg(1), arg(2)),

            Op::And if ty.lanes == 1 => format!("{} & {}", arg(0), arg(1)),
            Op::Or if ty.lanes == 1 => format!("{} | {}", arg(0), arg(1)),
            Op::Xor if ty.lanes == 1 => format!("{} ^ {}", arg(0), arg(1)),
            Op::Not if ty == Type::BOOL => format!("!{}", arg(0)),
            Op::Not if ty.lanes == 1 => format!("~{}", arg(0)),
            Op::Select | Op::And | Op::Or | Op::Xor | Op::Not | Op::Shl | Op::Ushr | Op::Sshr => {
                function(inst.op, ty, &args)
            }

            Op::Demote => format!("(f32){}", arg(0)),
            Op::Promote => format!("(f64){}", arg(0)),
            Op::ToFloat if ty.lanes == 1 => format!("({}){}", ctype(ty), arg(0)),
            Op::ToFloat => function(inst.op, ty, &args),
            Op::ToInt => function(inst.op, from.unwrap_or(ty), &args),
            Op::Bits => {
                let name = if ty.scalar == Scalar::F32 { "float_bits" } else { "int_bits" };
                format!("{name}{}({})", if ty.lanes == 1 { "" } else { "x4" }, arg(0))
            }
            Op::HighBits => format!("high_bits({})", arg(0)),
            Op::FromHighBits => format!("from_high_bits({})", arg(0)),
            Op::SinTurn | Op::CosTurn | Op::TanTurn | Op::Exp2 | Op::Log2 | Op::Pow | Op::Tanh | Op::Atan => {
                unreachable!("elementary functions are expanded before")
            }

            Op::Splat => {
                let from = lane_of(self.from.body, &self.from.plan.rates, inst.args.as_slice()[0]);
                format!("splat_{}({})", ctype(ty), self.lane(inst.args.as_slice()[0], from))
            }
            Op::Extract(lane) if ty.scalar == Scalar::Bool => format!("LANE({}, {lane}) & 1", arg(0)),
            Op::Extract(lane) => format!("LANE({}, {lane})", arg(0)),
            Op::Pack => format!("pack_{}({})", ctype(ty), self.packed(inst.args.as_slice()).join(", ")),
            Op::Total => format!("total({})", arg(0)),
            Op::Totals => format!("totals({})", args.join(", ")),
            Op::Slide => {
                let &[lanes, first] = inst.args.as_slice() else { unreachable!("two operands") };
                format!("slide_{}({}, {})", ctype(ty), arg(0), self.before(lanes, first))
            }
        }
    }

    /// A scalar as a lane, in which a bool has all bits; out of the vector that it is taken from, where that is said.
    fn lane(&mut self, value: Value, from: Option<(Value, u8)>) -> String {
        match from {
            Some((vector, lane)) => format!("LANE({}, {lane})", self.value(vector)),
            None if self.from.body.ty(value).scalar == Scalar::Bool => format!("-{}", self.value(value)),
            None => self.value(value),
        }
    }

    /// The lanes of a `pack`.
    fn packed(&mut self, lanes: &[Value]) -> Vec<String> {
        let halves = halves(self.from.body, &self.from.plan.rates, lanes);
        let mut all = vec![];
        for (half, values) in halves.into_iter().zip(lanes.chunks(2)) {
            for (place, &value) in values.iter().enumerate() {
                let from = match half {
                    Half::Of(vector, lanes) => Some((vector, lanes[place])),
                    Half::Separate(_) => None,
                };
                all.push(self.lane(value, from));
            }
        }
        all
    }

    /// The scalar that a `slide` puts before lanes: out of its vector where plans say that it is there.
    fn before(&mut self, lanes: Value, first: Value) -> String {
        let inner = &self.from.body.insts[lanes];
        let is_inner = |vector: Value| inner.op == Op::Slide && inner.args.as_slice() == [vector, first];
        let from = match lane_of(self.from.body, &self.from.plan.rates, first) {
            Some((vector, 3)) => Some((vector, 3)),
            Some((vector, 0)) if vector == lanes || is_inner(vector) => Some((vector, 0)),
            _ => None,
        };
        self.lane(first, from)
    }

    /// An iteration's frames of a signal.
    fn signal(&mut self, table: &'static str, index: usize, ty: Type) -> String {
        let signal = self.pointer(table, index);
        if ty.lanes == 1 { format!("{signal}[t]") } else { format!("load_f32x4({signal} + t)") }
    }

    fn frame(&mut self, ty: Type) -> String {
        self.needs.first = true;
        match ty.lanes {
            1 => "(i32)(first + t)".into(),
            _ => "add_i32x4(splat_i32x4((i32)(first + t)), pack_i32x4(0, 1, 2, 3))".into(),
        }
    }

    /// Whether the loop that reads a state has it in a variable.
    fn is_in_register(&self, value: Value) -> bool {
        let Op::Get(state) = self.from.body.insts[value].op else { return false };
        self.from.plan.loops.iter().any(|of| {
            of.states.iter().any(|update| update.state == state)
                && of.computed().any(|computed| computed == value)
        })
    }
}

/// A function of `ops.h`, which is called as the op is, with the type that it is for.
fn function(op: Op, ty: Type, args: &[String]) -> String {
    format!("{}_{}({})", op.row().name, ctype(ty), args.join(", "))
}

fn port(index: usize, field: PortField, ty: Type) -> String {
    let port = format!("c->ports[{index}]");
    match field {
        PortField::Trig | PortField::Slur | PortField::Fresh => {
            let word = match field.onset_mask() {
                Some(bits) => format!("({port}.trig & {bits}u)"),
                None => format!("{port}.trig"),
            };
            let first = format!("t == 0 && {word} != 0");
            if ty.lanes == 1 { first } else { format!("pack_i32x4(-({first}), 0, 0, 0)") }
        }
        PortField::Gate => format!("{port}.gate != 0"),
        PortField::Active => format!("{port}.active != 0"),
        PortField::Freq => format!("{port}.freq"),
        PortField::Note => format!("{port}.note"),
        PortField::Vel => format!("{port}.vel"),
    }
}
