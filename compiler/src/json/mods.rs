//! The matrix of a JSON song as lines of a matrix in the syntax tree.

use super::codes;
use super::expressions::{self, Written};
use super::nodes::{Nodes, find_param, mam_unit};
use crate::expand::copy::copy;
use crate::library::ParamInfo;
use mam_grammar::ast::{Ast, Expr, ExprId, Ident, Item, ItemKind, Number, Route, Scale, Unit};
use mam_grammar::json::{At, Graph, Mod, Quantity, Text};
use mam_grammar::{Limits, Problem, Problems, Sources, Span};
use mam_runtime::Curve;
use std::sync::Arc;

/// The matrix of a JSON song.
#[derive(Default)]
pub(super) struct Matrix {
    /// What the lines are made of.
    ast: Ast,
    routes: Vec<Route>,
    /// The names of the nodes in it, in the order of the file.
    names: Vec<Arc<str>>,
    at: Span,
}

/// Reads the matrix of a song. `names` has the name of each node.
pub(super) fn read(
    graph: &Graph,
    nodes: &Nodes,
    names: &[Arc<str>],
    (sources, limits): (&mut Sources, &Limits),
    problems: &mut Problems,
) -> Matrix {
    let mut maker = Maker { nodes, names, ast: Ast::default(), sources, limits, problems };
    let routes: Vec<Route> = graph.mods.iter().filter_map(|one| maker.route(one)).collect();
    Matrix { ast: maker.ast, routes, names: names.to_vec(), at: graph.head }
}

impl Matrix {
    /// Adds the lines to the equations of the song, before `out`, in which its nodes are called `names`.
    pub(super) fn add(&self, ast: &mut Ast, names: &[Arc<str>]) {
        if self.routes.is_empty() {
            return;
        }
        let renamed = |name: &Ident| {
            let index = self.names.iter().position(|own| *own == name.name);
            index.map_or_else(|| name.clone(), |index| Ident { name: names[index].clone(), span: name.span })
        };
        let mut copied = |expr: ExprId| copy(&self.ast, ast, expr, &renamed);
        let routes = self.routes.iter().map(|route| {
            let mut target = route.target.clone();
            target[0] = renamed(&target[0]);
            let route = Route {
                source: copied(route.source),
                target,
                depth: copied(route.depth),
                scale: route.scale,
                range: route.range.map(|(low, high)| (copied(low), copied(high))),
            };
            let span = route.target[0].span;
            Item { doc: None, kind: ItemKind::Route(route), span }
        });
        let kind = ItemKind::Matrix(routes.collect());
        let place = ast.items.len().saturating_sub(1);
        ast.items.insert(place, Item { doc: None, kind, span: self.at });
    }
}

struct Maker<'a> {
    nodes: &'a Nodes,
    names: &'a [Arc<str>],
    ast: Ast,
    sources: &'a mut Sources,
    limits: &'a Limits,
    problems: &'a mut Problems,
}

impl Maker<'_> {
    fn route(&mut self, one: &Mod) -> Option<Route> {
        let target = self.target(&one.to);
        let source = self.source(&one.from);
        let (target, param) = target?;
        let unit = mam_unit(&param);
        let own = if param.curve == Curve::Exp { Scale::Exp } else { Scale::Linear };
        let is_ratio = one.curve.unwrap_or(own) == Scale::Exp;
        let depth = self.quantity(&one.depth, unit.filter(|_| !is_ratio));
        let range = one
            .range
            .as_ref()
            .map(|(low, high)| Some((self.quantity(low, unit)?, self.quantity(high, unit)?)));
        let range = range.map_or(Some(None), |range| range.map(Some))?;
        Some(Route { source: source?, target, depth: depth?, scale: one.curve, range })
    }

    /// The parameter that `bass.cutoff` means: the id of a node may have points in it.
    fn target(&mut self, to: &Text) -> Option<(Vec<Ident>, ParamInfo)> {
        let Some((id, name)) = to.value.rsplit_once('.') else {
            let message = format!("`{}` does not say which parameter of the node is moved", to.value);
            let problem = Problem::new(&codes::UNKNOWN_PARAMETER, to.span, message);
            self.problems
                .add(problem.help(format!("write `\"{}.cutoff\"`, with the name of a parameter", to.value)));
            return None;
        };
        let index = self.nodes.find(&At::new(id.into(), to.span), self.problems)?;
        let kind = self.nodes.all[index].sound()?;
        let own = kind.params().iter().find(|param| *param.name == *name);
        let name = At::new(name.into(), to.span);
        let param = match own {
            Some(param) => param,
            None => find_param(kind, &name, ParamInfo::json_name, self.problems)?,
        };
        let words = vec![Ident::new(&self.names[index], to.span), Ident::new(&param.name, to.span)];
        Some((words, param.clone()))
    }

    /// The signal of a node, or an expression, in which ids are names.
    fn source(&mut self, from: &Text) -> Option<ExprId> {
        if let Some(name) = self.node(&from.value) {
            return Some(self.ast.add(Expr::Name(Ident { name, span: from.span }), from.span));
        }
        let written = self.expression(&from.value, from.span)?;
        Some(written.add_to(&mut self.ast, &self.nodes.ids(), self.names))
    }

    /// The name of the node with this id.
    fn node(&self, id: &str) -> Option<Arc<str>> {
        let index = self.nodes.all.iter().position(|node| *node.id.value == *id);
        index.map(|index| self.names[index].clone())
    }

    fn expression(&mut self, text: &str, span: Span) -> Option<Written> {
        expressions::read((text, span), "mods", (self.sources, self.limits), self.problems)
    }

    /// A depth, or an end of a range.
    fn quantity(&mut self, quantity: &At<Quantity>, unit: Option<Unit>) -> Option<ExprId> {
        match &quantity.value {
            Quantity::Number(decimal) => {
                let number = Number { digits: decimal.plain().into(), unit };
                Some(self.ast.add(Expr::Number(number), quantity.span))
            }
            Quantity::Written(text) => {
                let written = self.expression(text, quantity.span)?;
                Some(written.add_to(&mut self.ast, &[], &[]))
            }
        }
    }
}
