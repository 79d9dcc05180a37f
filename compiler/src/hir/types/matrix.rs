//! Parameters that a matrix moves.

use super::value::{Number, Value};
use super::{At, Checker};
use crate::arithmetic::Operations;
use crate::codes;
use crate::graph::{Modulation, NodeId};
use crate::hir::Iterations;
use crate::ir::Op;
use mam_grammar::Problem;
use mam_grammar::ast::Scale;
use std::sync::Arc;

impl Checker<'_> {
    /// What the lines of a matrix add up to that move one parameter in one scale. Each source is one plain signal.
    pub(super) fn modulation(&mut self, modulation: &Modulation, path: &Arc<str>) -> Value {
        let frame = self.iteration_frame(&Iterations::new(), path);
        let mut total: Option<Number> = None;
        let mut broken = false;
        for route in &modulation.routes {
            let at = At { frame, equation: None };
            let span = self.span(&at, route.source);
            self.reference = None;
            let value = self.eval(&at, route.source);
            let Some((number, form)) = self.mono(value, span) else {
                broken = true;
                continue;
            };
            broken |= !self.plain(&form, span, |dimension| {
                let message = format!(
                    "what moves a parameter is a plain number around 0 or 1, but this is {dimension}"
                );
                let help = "divide it by what it is when it moves the parameter by the depth: `x / 1kHz`";
                Problem::new(&codes::DIMENSION, span, message).help(help)
            });
            let term = self.partial.real(Op::Mul, [number, Number::real(route.depth)]);
            total = Some(match total {
                None => term,
                Some(before) => self.partial.real(Op::Add, [before, term]),
            });
        }
        match (total, modulation.scale) {
            (Some(_), _) if broken => Value::Broken,
            (None, _) => Value::Broken,
            (Some(sum), Scale::Linear) => Value::mono(sum, modulation.dimension),
            (Some(sum), Scale::Exp) => Value::mono(self.partial.real(Op::Exp2, [sum]), modulation.dimension),
        }
    }

    /// The value of a parameter with what moves it.
    pub(super) fn modulated(&mut self, node: NodeId, index: usize, value: Value) -> Value {
        let Some(&modulated) = self.input.graph.modulated.get(&(node, index)) else { return value };
        let Value::Signal(signal) = &value else { return value };
        let (mut number, dimension) = (signal.channel(0), signal.dimension.clone());
        for (op, by) in [(Op::Add, modulated.add), (Op::Mul, modulated.factor)] {
            let Some(by) = by else { continue };
            let Value::Signal(by) = self.node_value(by) else { return Value::Broken };
            number = self.partial.real(op, [number, by.channel(0)]);
        }
        let (least, most) = modulated.range;
        if most.is_finite() {
            number = self.partial.real(Op::Min, [number, Number::real(most)]);
        }
        if least.is_finite() {
            number = self.partial.real(Op::Max, [number, Number::real(least)]);
        }
        Value::mono(number, dimension)
    }
}
