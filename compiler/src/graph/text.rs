//! The graph as text: one node a line, with what it needs.

use super::{Graph, NodeKind};
use mam_grammar::ast::Scale;
use mam_runtime::sort::Sort;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use std::fmt;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, node) in self.nodes.iter() {
            let what = match &node.kind {
                NodeKind::Glue { .. } => "equation".to_string(),
                NodeKind::Modulation(modulation) if modulation.scale == Scale::Exp => "factor".to_string(),
                NodeKind::Modulation(_) => "sum".to_string(),
                NodeKind::Knob(_) => "knob".to_string(),
                NodeKind::Instance(i) if i.voices > 1 => format!("{} × {}", i.callee, i.voices),
                NodeKind::Instance(i) => i.callee.to_string(),
            };
            write!(f, "{}: {what}", node.path)?;
            let index = NodeIndex::new(id.index());
            let mut needs: Vec<_> =
                self.wires.neighbors_directed(index, Direction::Incoming).map(|n| self.wires[n]).collect();
            needs.put_in_order();
            needs.dedup();
            for (i, need) in needs.into_iter().enumerate() {
                write!(f, "{}{}", if i == 0 { " <- " } else { ", " }, self.nodes[need].path)?;
            }
            writeln!(f)?;
        }
        match self.out {
            Some(out) => writeln!(f, "out = {}", self.nodes[out].path),
            None => Ok(()),
        }
    }
}
