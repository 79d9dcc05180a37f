//! Parameters that a matrix moves.

use super::names::Expectation;
use super::value::Val;
use super::{At, Lower};
use crate::graph::{Modulation, NodeId};
use crate::ir::Op;
use mam_grammar::ast::{BinaryOp, Scale};
use std::sync::Arc;

impl Lower<'_, '_> {
    /// What the lines of a matrix add up to that move one parameter in one scale.
    pub(super) fn modulation(&mut self, modulation: &Modulation, path: &Arc<str>) -> Val {
        let mut total: Option<Val> = None;
        for route in &modulation.routes {
            let source = self.eval(&At { scope: 0, path: path.clone() }, route.source);
            let depth = Val::signal_of(self.b.f64(route.depth), modulation.dimension);
            let term = self.binary(BinaryOp::Mul, source, depth);
            total = Some(match total {
                None => term,
                Some(before) => self.binary(BinaryOp::Add, before, term),
            });
        }
        let total = total.unwrap_or(Val::Broken);
        match modulation.scale {
            Scale::Linear => total,
            Scale::Exp => {
                let Some(sum) = total.signal() else { return Val::Broken };
                self.each(&[&sum], sum.dimension, |b, v| b.real(Op::Exp2, [v[0]]))
            }
        }
    }

    /// The value of a parameter with what moves it: the sum of all that is added, times the product of all factors.
    pub(super) fn modulated(&mut self, node: NodeId, index: usize, value: Val) -> Val {
        let Some(&modulated) = self.song.graph.modulated.get(&(node, index)) else { return value };
        let mut value = value;
        for (op, by) in [(BinaryOp::Add, modulated.add), (BinaryOp::Mul, modulated.factor)] {
            if let Some(by) = by {
                let by = self.node_value(by);
                value = self.binary(op, value, by);
            }
        }
        let info = self.song.slots.info(self.song.slots.slot_of(node, index));
        let place = Expectation { dimension: info.dimension, scale: 1.0, clamps: Some(modulated.range) };
        self.fit(value, &place)
    }
}
