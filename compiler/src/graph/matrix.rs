//! The matrix of a song: which signals move which parameters, `lfo1 -> bass.cutoff: 2 octaves`.
//!
//! What moves a parameter is summed in one node for each scale: `add` in the parameter's own unit, `factor` in octaves, of which
//! the ratio is taken once. So a parameter costs what the equations written by hand would, and an instrument's voices share
//! the sums. The parameter itself stays one: lines, hands and `--set` move what is modulated.

use super::from_ast::Maker;
use super::{Graph, Modulated, Modulation, NodeId, NodeKind, Weighted};
use crate::codes;
use crate::dimension::Dimension;
use crate::files::Files;
use crate::hir::Iterations;
use crate::hir::builtins::PAN;
use crate::hir::consts::Missing;
use crate::library::{Library, ParamInfo};
use crate::lower::Slots;
use crate::units::unit_of;
use mam_grammar::ast::{ExprId, Route, Scale, Unit};
use mam_grammar::{Problem, Span};
use mam_runtime::sort::Sort;
use mam_runtime::{Curve, Miss, Spelling};
use std::collections::BTreeMap;

/// Problems after which no names are looked for that may have been meant.
const MOST_SUGGESTIONS: usize = 64;

/// A parameter with what moves it.
struct Destination {
    info: ParamInfo,
    add: Vec<Weighted>,
    factor: Vec<Weighted>,
    range: (f64, f64),
    span: Span,
}

impl Graph {
    /// The instrument that a name leads to has a `pan`, if it has none of its own. Nothing where it leads to none.
    pub fn place(&mut self, files: &Files, library: &Library, name: &str) {
        let Some(&node) = self.targets.get(name) else { return };
        let NodeKind::Instance(instance) = &mut self.nodes[node].kind else { return };
        let implied = library.info(files, instance.def).implied(PAN);
        if implied.is_some() && !instance.placed {
            instance.placed = true;
            instance.args.push(None);
        }
    }
}

impl Maker<'_> {
    /// Makes nodes of the song's matrices.
    pub(super) fn matrix(&mut self) {
        let routes: Vec<&Route> = self.ast.routes().collect();
        if routes.is_empty() {
            return;
        }
        for route in &routes {
            if let [name, param] = &route.target[..]
                && &*param.name == PAN
            {
                self.graph.place(self.files, self.library, &name.name);
            }
        }
        let slots = Slots::new(self.files, self.library, &self.graph, self.song);
        let nodes = slots.nodes();
        let mut all: BTreeMap<(NodeId, usize), Destination> = BTreeMap::new();
        for route in routes {
            let Some((at, info)) = self.destination(route, &slots, &nodes) else { continue };
            let Some((scale, depth)) = self.depth(route, &info) else { continue };
            let destination = all.entry(at).or_insert_with(|| Destination {
                range: (info.min, info.max),
                info,
                add: vec![],
                factor: vec![],
                span: target_span(route),
            });
            let routes = if scale == Scale::Exp { &mut destination.factor } else { &mut destination.add };
            routes.push(Weighted { source: route.source, depth });
            self.narrow(route, destination);
        }
        for (at, destination) in all {
            self.modulate(at, destination, &slots);
        }
    }

    /// Gives a parameter the nodes that move it.
    fn modulate(&mut self, at: (NodeId, usize), destination: Destination, slots: &Slots) {
        let Destination { info, add, factor, range, span } = destination;
        let path = slots.name(slots.slot_of(at.0, at.1)).clone();
        let mut node = |routes: Vec<Weighted>, scale: Scale, word: &str| {
            let sources: Vec<ExprId> = routes.iter().map(|route| route.source).collect();
            let dimension = if scale == Scale::Exp { Dimension::PLAIN } else { info.dimension };
            let kind = NodeKind::Modulation(Modulation { scale, dimension, routes });
            let node = self.node(&format!("{path}.{word}"), span, kind);
            sources.into_iter().for_each(|source| self.need_all(node, source, &Iterations::new()));
            self.need_node(at.0, node);
            node
        };
        let add = (!add.is_empty()).then(|| node(add, Scale::Linear, "add"));
        let factor = (!factor.is_empty()).then(|| node(factor, Scale::Exp, "factor"));
        self.graph.modulated.insert(at, Modulated { add, factor, range });
    }

    /// The parameter that a line moves.
    fn destination(
        &mut self,
        route: &Route,
        slots: &Slots,
        nodes: &[(usize, NodeId)],
    ) -> Option<((NodeId, usize), ParamInfo)> {
        let words: Vec<&str> = route.target.iter().map(|word| &*word.name).collect();
        let name = words.join(".");
        let problem = match slots.names().find(&name, Spelling::Exact) {
            Ok(slot) => {
                let after = nodes.partition_point(|(first, _)| *first <= slot.index());
                let (first, node) = *nodes.get(after.checked_sub(1)?)?;
                let (at, info) = ((node, slot.index() - first), slots.info(slot.index()));
                match self.unmoved(at.0, &name, info) {
                    None => return Some((at, info.clone())),
                    Some((message, help)) => {
                        Problem::new(&codes::MATRIX_DESTINATION, target_span(route), message).help(help)
                    }
                }
            }
            Err(Miss::Several(names)) => {
                let message = format!("`{name}` could be {} parameters", names.len());
                let problem = Problem::new(&codes::MATRIX_DESTINATION, target_span(route), message);
                problem.help(format!("write which: `{}`", names.join("`, `")))
            }
            Err(Miss::Unknown) => self.unknown(route, &name, slots),
        };
        self.problems.add(problem);
        None
    }

    /// Why a parameter cannot be moved by a signal, if it cannot.
    fn unmoved(&self, node: NodeId, name: &str, info: &ParamInfo) -> Option<(String, String)> {
        if info.is_beat() {
            let help = "it decides when notes begin, which is known before there is sound: give it a number";
            return Some((format!("`{name}` cannot follow a signal"), help.into()));
        }
        let instance = self.graph.instance(node)?;
        if info.name.starts_with("note.") {
            let help = format!("a line of the score moves it, `{name} \"…\" over 1/8 bar`");
            return Some((format!("`{name}` is a signal of notes, which no other signal moves"), help));
        }
        instance.plays_outside.map(|_| {
            let help = format!("a line of the score moves it, `{name} \"…\" over 1 beat`");
            (format!("`{name}` is sent to a machine outside, which hears no signals"), help)
        })
    }

    /// The problem of a destination that there is not.
    fn unknown(&self, route: &Route, name: &str, slots: &Slots) -> Problem {
        let Some(first) = route.target.first() else {
            return Problem::new(&codes::MATRIX_DESTINATION, Span::default(), "there is no destination");
        };
        if self.problems.len() >= MOST_SUGGESTIONS {
            let message = format!("there is no parameter `{name}`");
            return Problem::new(&codes::MATRIX_DESTINATION, target_span(route), message);
        }
        let known = slots.names().known(&first.name);
        let broken = || self.files.is_broken(self.song, &first.name);
        if !self.graph.names.contains_key(&first.name) || broken() {
            let message = format!("there is nothing called `{first}` whose parameters could be moved");
            let mut names: Vec<&str> = self.graph.names.keys().map(|name| &**name).collect();
            names
                .retain(|name| self.graph.knobs.contains_key(*name) || !slots.names().known(name).is_empty());
            names.put_in_order();
            let problem = Problem::new(&codes::MATRIX_DESTINATION, first.span, message);
            return problem.nearest(&first.name, "names", &names);
        }
        let problem = |message: String| Problem::new(&codes::MATRIX_DESTINATION, target_span(route), message);
        match &known[..] {
            [] => problem(format!("`{first}` has no parameters"))
                .help("what moves it is written in its equation; a `knob` is a value that a matrix can move"),
            [example, ..] if route.target.len() == 1 => problem(format!("`{name}` is not a parameter"))
                .help(format!("write which of its parameters is moved, such as `{example}`")),
            _ => problem(format!("there is no parameter `{name}`")).nearest(name, "parameters", &known),
        }
    }

    /// In which scale a line acts, and how much where its source is 1: in base units, or in octaves.
    fn depth(&mut self, route: &Route, info: &ParamInfo) -> Option<(Scale, f64)> {
        let span = self.ast.span(route.depth);
        let (x, dimension) = self.constant(
            route.depth,
            |source| format!("let the source have what moves: `{source} * amount -> …`"),
            route,
        )?;
        let is_ratio =
            matches!(unit_of(self.ast, route.depth), Some(Unit::St | Unit::Ct | Unit::Db | Unit::Octaves));
        let own = if is_ratio || dimension == Dimension::PLAIN && info.curve == Curve::Exp {
            Scale::Exp
        } else {
            Scale::Linear
        };
        let scale = route.scale.unwrap_or(own);
        let name = &info.name;
        let problem = match scale {
            Scale::Exp if dimension != Dimension::PLAIN => Problem::new(
                &codes::MATRIX_DEPTH,
                span,
                format!("with `curve exp` a depth is a ratio, but this is {dimension}"),
            )
            .help("write a ratio, such as `2 octaves` or `7st`, or leave out `curve exp`")
            .guess(span, "2 octaves"),
            Scale::Exp if x <= 0.0 => {
                Problem::new(&codes::MATRIX_DEPTH, span, "a ratio is above 0")
                    .help(format!("`{name}` is multiplied by it: `-1 octave` halves it where the source is 1; a depth that is added says `curve linear`"))
                    .guess(span, "-1 octave")
            }
            Scale::Linear if is_ratio => Problem::new(
                &codes::MATRIX_DEPTH,
                span,
                "with `curve linear` a depth is added, and this is a ratio",
            )
            .help(format!("leave out `curve linear`, or write how much is added to `{name}`"))
            .guess(span, info.show((info.max.min(info.default.abs() * 2.0) - info.default).max(0.0))),
            Scale::Linear if ![Dimension::PLAIN, info.dimension].contains(&dimension) => Problem::new(
                &codes::DIMENSION,
                span,
                format!("`{name}` is {}, but this is {dimension}", info.dimension),
            )
            .help(format!("a depth is added to `{name}`, or is a ratio, such as `2 octaves`")),
            Scale::Exp => return Some((scale, x.log2())),
            Scale::Linear if dimension == Dimension::PLAIN => return Some((scale, x * info.scale())),
            Scale::Linear => return Some((scale, x)),
        };
        self.problems.add(problem);
        None
    }

    /// A number that must be known before the song starts.
    fn constant(
        &mut self,
        expr: ExprId,
        help: impl FnOnce(&str) -> String,
        route: &Route,
    ) -> Option<(f64, Dimension)> {
        match self.library.consts.number(self.files, self.song, expr, &[]) {
            Ok(found) => Some(found),
            Err(Missing::Wrong) => None,
            Err(Missing::Varies) => {
                let message = "the depths and ranges of a matrix are known before the song starts";
                let problem = Problem::new(&codes::NOT_CONSTANT, self.ast.span(expr), message);
                let source = self.files.slice(self.ast.span(route.source));
                self.problems.add(problem.help(help(source)));
                None
            }
        }
    }

    /// Keeps a parameter in the range that a line says.
    fn narrow(&mut self, route: &Route, destination: &mut Destination) {
        let Some((low, high)) = route.range else { return };
        let help = |_: &str| "write two numbers: `in 100Hz..4kHz`".to_owned();
        let (Some(low), Some(high)) =
            (self.range_end(low, destination, help, route), self.range_end(high, destination, help, route))
        else {
            return;
        };
        let span = self.ast.span(route.range.map_or(route.depth, |(low, _)| low));
        let span = route.range.map_or(span, |(_, high)| span.to(self.ast.span(high)));
        if low > high {
            let problem = Problem::new(&codes::BAD_BOUNDS, span, "this range ends below its start");
            let shown = destination.info.units.range((high, low), destination.info.dimension);
            self.problems.add(problem.help("write the smaller value first").guess(span, shown));
            return;
        }
        let (least, most) = destination.range;
        let both = (least.max(low), most.min(high));
        if both.0 > both.1 {
            let shown = destination.info.units.range(destination.range, destination.info.dimension);
            let message =
                format!("no value of `{}` lies in this range and in {shown}", destination.info.name);
            let problem = Problem::new(&codes::BAD_BOUNDS, span, message);
            self.problems.add(
                problem
                    .help("it is kept in its own range, and in those of all lines that move it")
                    .guess(span, shown),
            );
            return;
        }
        destination.range = both;
    }

    fn range_end(
        &mut self,
        expr: ExprId,
        destination: &Destination,
        help: impl FnOnce(&str) -> String,
        route: &Route,
    ) -> Option<f64> {
        let info = &destination.info;
        let (x, dimension) = self.constant(expr, help, route)?;
        if dimension == Dimension::PLAIN {
            return Some(x * info.scale());
        }
        if dimension == info.dimension {
            return Some(x);
        }
        let message = format!("`{}` is {}, but this is {dimension}", info.name, info.dimension);
        let problem = Problem::new(&codes::DIMENSION, self.ast.span(expr), message);
        self.problems.add(problem.help("a range is one of values of the parameter"));
        None
    }
}

/// Where the destination of a line is written.
fn target_span(route: &Route) -> Span {
    let spans = route.target.iter().map(|word| word.span);
    spans.reduce(Span::to).unwrap_or_default()
}
