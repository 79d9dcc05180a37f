//! Makes the graph from a song's syntax tree.

mod given;

use super::outside::{OUTSIDE_VOICES, sends};
use super::parts::{body_exprs, each_operand, is_event, operands};
use super::{Choke, Given, Graph, Instance, Node, NodeId, NodeKind, Pipe, Protocol, cut};
use crate::codes;
use crate::files::Files;
use crate::hir::builtins::PAN;
use crate::hir::resolve::resolved;
use crate::hir::{Call, Callee, DefId, FILE, Hir, Iteration, Iterations, LocalId, LocalKind, Name};
use crate::library::Library;
use crate::score::{placed_by_lines, signals_of_lines, words_of_lines};
use mam_grammar::ast::{Ast, Body, DefinitionKind, Expr, ExprId, Ident, ItemKind, Over};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::precedence::Priority;
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

impl Graph {
    /// The graph of the song that is file `song` of `files`.
    pub fn from_ast(files: &Files, library: &Library, song: usize, problems: &mut Problems) -> Graph {
        let ast = &files.file(song).ast;
        let mut maker = Maker {
            files,
            library,
            ast,
            hir: resolved(files, song),
            song,
            problems,
            graph: Graph::default(),
            needs: vec![],
            paths: FxHashSet::default(),
            tried: FxHashMap::default(),
            all_voices: 0,
            free: FxHashMap::default(),
            sends: FxHashMap::default(),
            followed: None,
        };
        maker.equations();
        maker.matrix();
        maker.wires();
        maker.graph
    }
}

/// What a node needs: another node, or an equation that may not have its node yet.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Need {
    Node(NodeId),
    Local(LocalId),
}

pub(super) struct Maker<'a> {
    pub(super) files: &'a Files,
    pub(super) library: &'a Library,
    pub(super) ast: &'a Ast,
    hir: &'a Hir,
    pub(super) song: usize,
    pub(super) problems: &'a mut Problems,
    pub(super) graph: Graph,
    needs: Vec<(NodeId, Need)>,
    paths: FxHashSet<Arc<str>>,
    /// The last number that was put behind each path.
    tried: FxHashMap<Arc<str>, u32>,
    all_voices: usize,
    free: FxHashMap<DefId, Vec<LocalId>>,
    sends: FxHashMap<DefId, Option<Protocol>>,
    /// While it is collected what an expression needs that is evaluated outside of the `sum` that it stands in: the
    /// equations of that `sum` which it names.
    followed: Option<FxHashSet<LocalId>>,
}

impl<'a> Maker<'a> {
    fn equations(&mut self) {
        let hir = self.hir;
        let named = |id: LocalId| hir.in_scope(FILE, &hir.local(id).name) == Some(id);
        let locals: Vec<LocalId> = hir.scope(FILE).locals.iter().copied().filter(|&id| named(id)).collect();
        // Most equations are one node, or a signal of an instance.
        self.graph.nodes.reserve(2 * locals.len());
        self.graph.targets.reserve(locals.len());
        self.paths.reserve(2 * locals.len());
        self.graph.names.reserve(locals.len());
        self.graph.locals.reserve(locals.len());
        self.graph.pipes.reserve(locals.len());
        for &id in &locals {
            let local = hir.local(id);
            let name = Ident { name: local.name.clone(), span: local.span.unwrap_or_default() };
            let node = match local.kind {
                LocalKind::Equation(value) => self.equation(&name, value),
                LocalKind::Knob(item) => {
                    let node = self.node(&name.name, name.span, NodeKind::Knob(item));
                    self.graph.knobs.insert(name.name.clone(), node);
                    node
                }
                _ => continue,
            };
            self.graph.names.insert(name.name.clone(), node);
            self.graph.locals.insert(id, node);
        }
        for id in locals {
            let local = hir.local(id);
            let LocalKind::Equation(value) = local.kind else { continue };
            let mut pipe = Pipe::default();
            self.read_pipe(value, &mut pipe);
            self.graph.pipes.insert(local.name.clone(), pipe);
            if let Some(target) = self.target_of(value, 0) {
                self.graph.targets.insert(local.name.clone(), target);
            }
        }
        self.graph.out = self.graph.names.get("out").copied();
        for name in placed_by_lines(self.ast) {
            self.graph.place(self.files, self.library, &name);
        }
        for (name, signal) in signals_of_lines(self.ast) {
            self.graph.deliver(&name, &[signal]);
        }
        for (name, word) in words_of_lines(self.ast) {
            self.graph.send(self.files, self.library, &name, &word);
        }
    }

    /// The node of an equation: the instance itself where the equation is nothing else.
    fn equation(&mut self, name: &Ident, value: ExprId) -> NodeId {
        self.find_calls(value, &Iterations::new(), &name.name, true);
        if let Some(node) = self.graph.instance_of(self.ast, value) {
            return node;
        }
        let kind = NodeKind::Glue { expr: value, iterations: Iterations::new() };
        let path =
            if self.paths.contains(&name.name) { format!("{name}.mix").into() } else { name.name.clone() };
        let node = self.node(&path, name.span, kind);
        for part in cut::parts(self.files, self.song, value, &mut self.graph.weights) {
            let kind = NodeKind::Glue { expr: part, iterations: Iterations::new() };
            let id = self.node(&format!("{path}.part"), self.ast.span(part), kind);
            self.need_all(id, part, &Iterations::new());
            self.graph.parts.insert(part, id);
        }
        self.need_all(node, value, &Iterations::new());
        node
    }

    /// Says that a node needs another's signal.
    pub(super) fn need_node(&mut self, node: NodeId, needed: NodeId) {
        self.needs.push((node, Need::Node(needed)));
    }

    pub(super) fn node(&mut self, path: &str, span: Span, kind: NodeKind) -> NodeId {
        let mut unique: Arc<str> = path.into();
        while !self.paths.insert(unique.clone()) {
            let n = self.tried.entry(path.into()).or_insert(1);
            *n += 1;
            unique = format!("{path}{n}").into();
        }
        let node = self.graph.nodes.add(Node { path: unique, span, kind });
        if self.graph.nodes.len() == self.files.limits.nodes + 1 {
            let message =
                format!("the song has more than {} nodes, the limit `nodes`", self.files.limits.nodes);
            self.problems.add(Problem::new(&codes::TOO_LARGE, span, message));
        }
        let index = self.graph.wires.add_node(node);
        debug_assert_eq!(index.index(), node.index());
        node
    }

    /// The call that an expression is, if it is one of an instrument or effect.
    fn instance_call(&self, expr: ExprId) -> Option<(&'a Call, DefId, DefinitionKind)> {
        let call = self.hir.call(expr)?;
        let Callee::Definition(def) = call.callee else { return None };
        let kind = self.files.definition(def).kind;
        (kind != DefinitionKind::Def).then_some((call, def, kind))
    }

    /// Makes a node of every call of an instrument or effect in an expression. `whole` says that the expression is
    /// the equation's whole value, so that the leftmost instrument is known by the equation's name.
    fn find_calls(&mut self, expr: ExprId, iterations: &Iterations, path: &str, whole: bool) {
        if self.graph.nodes.len() > self.files.limits.nodes {
            return;
        }
        stacker::maybe_grow(64 << 10, 1 << 20, || self.find_calls_in(expr, iterations, path, whole));
    }

    fn find_calls_in(&mut self, expr: ExprId, iterations: &Iterations, path: &str, whole: bool) {
        let ast = self.ast;
        match &ast.exprs[expr] {
            Expr::Call { callee, args } => match self.instance_call(expr) {
                Some(_) => self.instance(expr, callee, iterations, path, whole),
                None => args.iter().for_each(|a| self.find_calls(a.value, iterations, path, false)),
            },
            Expr::Pipe { left, right } => self.pipe(*left, *right, iterations, path, whole),
            Expr::Reduce { over, body, .. } => self.unroll(expr, *over, body, iterations, path),
            Expr::Chain { .. } | Expr::Oversample { .. } => {}
            Expr::Spectral { head, .. } => self.find_calls(*head, iterations, path, false),
            Expr::Field { of, .. } => self.find_calls(*of, iterations, path, whole),
            Expr::Paren(x) => self.find_calls(*x, iterations, path, whole),
            other => each_operand(other, &mut |x| self.find_calls(x, iterations, path, false)),
        }
    }

    fn pipe(&mut self, left: ExprId, right: ExprId, iterations: &Iterations, path: &str, whole: bool) {
        let ast = self.ast;
        let mut base = right;
        while let Expr::Field { of, .. } = ast.exprs[base] {
            base = of;
        }
        let (callee, args) = match &ast.exprs[base] {
            Expr::Name(name) => (name, &[][..]),
            Expr::Call { callee, args } => (callee, &args[..]),
            _ => return,
        };
        self.find_calls(left, iterations, path, whole);
        match self.instance_call(base) {
            Some(_) => self.instance(base, callee, iterations, path, whole),
            None => args.iter().for_each(|a| self.find_calls(a.value, iterations, path, false)),
        }
    }

    /// Unrolls a `sum` or `list` that calls instruments or effects, so that each iteration has its own.
    fn unroll(&mut self, expr: ExprId, over: Over, body: &Body, iterations: &Iterations, path: &str) {
        if !self.calls_instances(body) {
            return;
        }
        let consts = &self.library.consts;
        let bound = |expr| consts.whole(self.files, self.song, expr, iterations);
        let bounds = match over {
            Over::Range(from, to) => bound(from).zip(bound(to)),
            Over::List(list) => {
                let elements = consts.elements(self.files, self.song, list, iterations);
                if elements.is_none() {
                    self.problems.add(unknown_length(self.ast.span(list)));
                }
                elements.map(|count| (0, count as i64 - 1))
            }
        };
        let Some((from, to)) = bounds else { return };
        if to.saturating_sub(from) >= self.files.limits.turns as i64 {
            return; // Lowering says so.
        }
        let scope = self.hir.loop_scope(expr);
        for counter in from..=to {
            let mut iterations = iterations.clone();
            iterations.push(Iteration { scope, counter });
            match body {
                Body::Expr(expr) => self.find_calls(*expr, &iterations, path, false),
                Body::Items(items) => {
                    for item in items {
                        if let ItemKind::Equation { value, .. } = item.kind {
                            self.find_calls(value, &iterations, path, false);
                        }
                    }
                }
            }
        }
    }

    /// How the body of an instrument sends its notes outside, if it does; looked for once.
    fn sends(&mut self, def: DefId) -> Option<Protocol> {
        let files = self.files;
        *self.sends.entry(def).or_insert_with(|| sends(files, def))
    }

    fn calls_instances(&self, body: &Body) -> bool {
        body_exprs(body).into_iter().any(|e| self.has_instance(e))
    }

    fn has_instance(&self, expr: ExprId) -> bool {
        let called = self.instance_call(expr).is_some();
        called || operands(&self.ast.exprs[expr]).into_iter().any(|x| self.has_instance(x))
    }

    fn instance(&mut self, expr: ExprId, callee: &Ident, iterations: &Iterations, path: &str, whole: bool) {
        if self.graph.calls.contains_key(&(expr, iterations.clone())) {
            return; // What flows into a call is looked through before the call, and again as what is given to it.
        }
        let Some((call, def, kind)) = self.instance_call(expr) else { return };
        let leads = whole && (kind == DefinitionKind::Instrument || !self.paths.contains(path));
        let own: Arc<str> = if leads { path.into() } else { format!("{path}.{callee}").into() };
        let info = self.library.info(self.files, def);
        let voices = call.more.first().filter(|_| kind == DefinitionKind::Instrument);
        let plays_outside = if kind == DefinitionKind::Instrument { self.sends(def) } else { None };
        let unsaid = if plays_outside.is_some() { OUTSIDE_VOICES } else { 1 };
        let voices = voices.copied().flatten().map_or(unsaid, |e| self.voices(e, iterations));
        let mut made = Instance {
            def,
            callee: callee.clone(),
            input: None,
            args: vec![],
            fixed: vec![],
            inputs: vec![],
            voices,
            choke: None,
            default_note: None,
            placed: false,
            signals: vec![],
            sent: vec![],
            plays_outside,
            priority: call.word.and_then(|word| priority(self.ast, word)),
        };
        let placeholder = NodeKind::Instance(made.clone());
        let node = self.node(&own, callee.span, placeholder);
        self.graph.calls.insert((expr, iterations.clone()), node);
        let own = self.graph.nodes[node].path.clone();
        let given = |maker: &mut Self, name: &str, expr: Option<ExprId>| {
            expr.map(|e| maker.given(node, &[&own, ".", name].concat(), e, iterations))
        };
        let (first, others) = match kind {
            DefinitionKind::Instrument => (None, &[][..]),
            _ => (call.more[0], &call.more[1..]),
        };
        made.input = given(self, "in", call.piped.or(first));
        let heads = self.files.definition(def).formals.iter().zip(&call.fixed);
        made.fixed = heads
            .map(|(formal, e)| match e {
                // A text is what it says.
                Some(text) if matches!(self.ast.exprs[*text], Expr::Text(_)) => Some(Given::Number(*text)),
                e => given(self, &formal.name.name, *e),
            })
            .collect();
        made.default_note = info
            .default_note_from
            .and_then(|place| call.fixed[place])
            .and_then(|given| self.note_of(given, iterations));
        made.args =
            info.params.iter().zip(&call.args).map(|(param, e)| given(self, &param.name, *e)).collect();
        if kind == DefinitionKind::Instrument {
            let of = |maker: &mut Self, place: usize, name: &str| {
                given(maker, name, call.more.get(place).copied().flatten())
            };
            let (trig, time) = (of(self, 1, "choke"), of(self, 2, "choke_time"));
            made.choke = trig.map(|trig| Box::new(Choke { trig, time }));
        }
        // A `pan` of which nothing is said is not there.
        let place = info.implied(PAN).filter(|&place| place < made.args.len());
        made.placed = place.is_some_and(|place| made.args[place].is_some());
        if !made.placed {
            place.into_iter().for_each(|place| made.args.truncate(place));
        }
        made.inputs = info.inputs.iter().zip(others).map(|(name, e)| given(self, name, *e)).collect();
        self.graph.nodes[node].kind = NodeKind::Instance(made);
    }

    /// Records everything that an expression needs.
    pub(super) fn need_all(&mut self, node: NodeId, expr: ExprId, iterations: &Iterations) {
        let mut needs = vec![];
        self.collect(expr, iterations, &mut needs);
        if needs.len() > 1 {
            let mut seen = FxHashSet::default();
            needs.retain(|n: &Need| seen.insert(n.clone()));
        }
        self.needs.extend(needs.into_iter().map(|n| (node, n)));
    }

    fn collect(&mut self, expr: ExprId, iterations: &Iterations, needs: &mut Vec<Need>) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.collect_in(expr, iterations, needs));
    }

    fn collect_in(&mut self, expr: ExprId, iterations: &Iterations, needs: &mut Vec<Need>) {
        let ast = self.ast;
        let part = || self.graph.parts.get(&expr).filter(|_| iterations.is_empty());
        if let Some(&node) = self.graph.calls.get(&(expr, iterations.clone())).or_else(part) {
            needs.push(Need::Node(node));
            return;
        }
        match &ast.exprs[expr] {
            Expr::Name(_) => self.need_name(expr, iterations, needs),
            Expr::Field { of, field } if is_event(&field.name) && self.names_equation(*of) => {}
            Expr::Call { args, .. } => {
                self.need_definition(expr, needs);
                args.iter().for_each(|a| self.collect(a.value, iterations, needs));
            }
            Expr::Pipe { left, right } => {
                let mut base = *right;
                while let Expr::Field { of, .. } = ast.exprs[base] {
                    base = of;
                }
                let callee = match &ast.exprs[base] {
                    Expr::Name(_) if !self.graph.calls.contains_key(&(base, iterations.clone())) => {
                        self.need_definition(base, needs);
                        None
                    }
                    _ => Some(base),
                };
                // What flows into an instance is the instance's own need.
                if !self.graph.calls.contains_key(&(base, iterations.clone())) {
                    self.collect(*left, iterations, needs);
                }
                callee.into_iter().for_each(|e| self.collect(e, iterations, needs));
            }
            Expr::Reduce { over, body, .. } => self.loop_of(expr, &over.operands(), body, iterations, needs),
            Expr::Chain { start, over, body, .. } => {
                let bounds = [vec![*start], over.operands()].concat();
                self.loop_of(expr, &bounds, body, iterations, needs);
            }
            Expr::Oversample { factor, body, .. } => self.loop_of(expr, &[*factor], body, iterations, needs),
            Expr::Spectral { head, body } => self.loop_of(expr, &[*head], body, iterations, needs),
            other => each_operand(other, &mut |x| self.collect(x, iterations, needs)),
        }
    }

    fn loop_of(
        &mut self,
        expr: ExprId,
        bounds: &[ExprId],
        body: &Body,
        iterations: &Iterations,
        needs: &mut Vec<Need>,
    ) {
        bounds.iter().for_each(|&e| self.collect(e, iterations, needs));
        let exprs = body_exprs(body);
        let mut unrolled: Vec<Iterations> = if self.calls_instances(body) {
            let (next, scope) = (iterations.len(), self.hir.loop_scope(expr));
            let of = |t: &Iterations| t.len() > next && t[..next] == iterations[..] && t[next].scope == scope;
            self.graph.calls.keys().map(|(_, t)| t).filter(|t| of(t)).map(|t| t[..=next].to_vec()).collect()
        } else {
            vec![]
        };
        unrolled.put_in_order();
        unrolled.dedup();
        unrolled.push(iterations.clone());
        for iterations in unrolled {
            exprs.iter().for_each(|&e| self.collect(e, &iterations, needs));
        }
    }

    /// What a name needs: the node of the song's own; of an equation of a `sum` what that needs, where it is evaluated
    /// outside of the `sum`.
    fn need_name(&mut self, expr: ExprId, iterations: &Iterations, needs: &mut Vec<Need>) {
        let id = match self.hir.name(expr) {
            Name::Local(id) => id,
            Name::Function(Callee::Definition(def)) => {
                return self.free_names(def).into_iter().for_each(|id| needs.push(Need::Local(id)));
            }
            _ => return,
        };
        let local = self.hir.local(id);
        if local.scope == FILE {
            needs.push(Need::Local(id));
        } else if let LocalKind::Equation(value) = local.kind
            && self.followed.as_mut().is_some_and(|followed| followed.insert(id))
        {
            self.collect(value, iterations, needs);
        }
    }

    /// A definition of the song may name the song's own signals: they are needed wherever it is called.
    fn need_definition(&mut self, expr: ExprId, needs: &mut Vec<Need>) {
        let Some(Callee::Definition(def)) = self.hir.call(expr).map(|call| call.callee) else { return };
        self.free_names(def).into_iter().for_each(|id| needs.push(Need::Local(id)));
    }

    fn free_names(&mut self, def: DefId) -> Vec<LocalId> {
        if def.file != self.song {
            return vec![];
        }
        if let Some(names) = self.free.get(&def) {
            return names.clone();
        }
        self.free.insert(def, vec![]); // A definition that uses itself ends here.
        let definition = self.files.definition(def);
        let mut exprs = body_exprs(&definition.body);
        exprs.extend(definition.formals.iter().filter_map(|f| f.default));
        let mut needs = vec![];
        exprs.into_iter().for_each(|e| self.collect(e, &Iterations::new(), &mut needs));
        let mut names: Vec<LocalId> = needs
            .into_iter()
            .filter_map(|n| match n {
                Need::Local(id) => Some(id),
                Need::Node(_) => None,
            })
            .collect();
        let name = |id: &LocalId| self.hir.local(*id).name.clone();
        names.put_in_order_by_key(|id| (name(id), *id));
        names.dedup();
        self.free.insert(def, names.clone());
        names
    }

    fn wires(&mut self) {
        for (node, def) in self.instance_defs() {
            for id in self.free_names(def) {
                self.needs.push((node, Need::Local(id)));
            }
        }
        for (to, need) in std::mem::take(&mut self.needs) {
            let from = match need {
                Need::Node(node) => Some(node),
                Need::Local(id) => self.graph.locals.get(&id).copied(),
            };
            if let Some(from) = from {
                let index = |n: NodeId| petgraph::graph::NodeIndex::new(n.index());
                self.graph.wires.add_edge(index(from), index(to), ());
            }
        }
    }

    fn instance_defs(&self) -> Vec<(NodeId, DefId)> {
        let nodes = self.graph.nodes.handles();
        nodes.filter_map(|n| self.graph.instance(n).map(|i| (n, i.def))).collect()
    }

    /// What stands in the pipe that an expression is, from its left end on.
    fn read_pipe(&self, expr: ExprId, pipe: &mut Pipe) {
        let (mut at, mut rights) = (expr, vec![]);
        loop {
            match &self.ast.exprs[at] {
                Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
                Expr::Pipe { left, right } => {
                    rights.push(*right);
                    at = *left;
                }
                _ => break,
            }
        }
        let node = |expr: ExprId| self.graph.calls.get(&(expr, Iterations::new())).copied();
        match &self.ast.exprs[at] {
            Expr::Name(name) if self.equation_of(at).is_some() => pipe.from = Some(name.name.clone()),
            Expr::Call { .. } => match self.instance_call(at) {
                Some((_, _, DefinitionKind::Instrument)) => pipe.instrument = node(at),
                Some(_) => pipe.effects.extend(node(at)),
                None => {}
            },
            _ => {}
        }
        for mut right in rights.into_iter().rev() {
            while let Expr::Field { of, .. } = self.ast.exprs[right] {
                right = of;
            }
            pipe.effects.extend(node(right));
        }
    }

    /// The instrument that the left ends of pipes lead to.
    fn target_of(&self, expr: ExprId, depth: usize) -> Option<NodeId> {
        match &self.ast.exprs[expr] {
            Expr::Paren(x) => self.target_of(*x, depth),
            Expr::Pipe { left, .. } => self.target_of(*left, depth),
            Expr::Name(_) if depth < 32 => self.target_of(self.equation_of(expr)?, depth + 1),
            Expr::Call { .. } => {
                let (_, _, kind) = self.instance_call(expr)?;
                let node = self.graph.calls.get(&(expr, Iterations::new())).copied();
                node.filter(|_| kind == DefinitionKind::Instrument)
            }
            _ => None,
        }
    }

    /// The value of the song's equation that an expression names.
    fn equation_of(&self, expr: ExprId) -> Option<ExprId> {
        let Name::Local(id) = self.hir.name(expr) else { return None };
        match self.hir.local(id) {
            local if local.scope != FILE => None,
            local => match local.kind {
                LocalKind::Equation(value) => Some(value),
                _ => None,
            },
        }
    }

    fn names_equation(&self, expr: ExprId) -> bool {
        self.equation_of(expr).is_some()
    }
}

/// That instruments cannot be called for each element of a list whose length is only found later.
/// The priority that a word says.
fn priority(ast: &Ast, word: ExprId) -> Option<Priority> {
    let Expr::Name(word) = &ast.exprs[word] else { return None };
    Priority::ALL.iter().find(|(_, name)| *name == &*word.name).map(|(priority, _)| *priority)
}

fn unknown_length(span: Span) -> Problem {
    let message =
        "how many elements this list has must be known where instruments or effects are called for each";
    let problem = Problem::new(&codes::NOT_CONSTANT, span, message);
    problem.help("write the list out, `[a, b]`, or count: `sum i in 0..7 { … }`")
}
