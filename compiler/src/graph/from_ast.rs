//! Makes the graph from a song's syntax tree.

use super::order::Weights;
use super::parts::{body_exprs, duplicate, is_event, operands};
use super::{Given, Graph, Instance, Node, NodeId, NodeKind, Pipe, Turns, cut};
use crate::call;
use crate::codes;
use crate::files::{DefId, Files};
use crate::library::Library;
use crate::lower::constants;
use mam_grammar::ast::{Arg, Ast, Body, DefinitionKind, Expr, ExprId, Ident, ItemKind};
use mam_grammar::{Problem, Problems, Span};
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
            song,
            problems,
            graph: Graph::default(),
            needs: vec![],
            equations: FxHashMap::default(),
            knobs: FxHashSet::default(),
            paths: FxHashSet::default(),
            tried: FxHashMap::default(),
            all_voices: 0,
            free: FxHashMap::default(),
            locals: vec![],
        };
        maker.names();
        maker.equations();
        maker.wires();
        maker.graph
    }
}

/// What a node needs: another node, or an equation that may not have its node yet.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Need {
    Node(NodeId),
    Name(Arc<str>),
}

/// A call of an instrument or effect.
struct Call<'a> {
    /// The expression that it is known by.
    expr: ExprId,
    def: DefId,
    kind: DefinitionKind,
    callee: &'a Ident,
    args: &'a [Arg],
    /// What is piped into it.
    left: Option<ExprId>,
}

struct Maker<'a> {
    files: &'a Files,
    library: &'a Library,
    ast: &'a Ast,
    song: usize,
    problems: &'a mut Problems,
    graph: Graph,
    needs: Vec<(NodeId, Need)>,
    equations: FxHashMap<Arc<str>, (ExprId, Span)>,
    knobs: FxHashSet<Arc<str>>,
    paths: FxHashSet<Arc<str>>,
    /// The last number that was put behind each path.
    tried: FxHashMap<Arc<str>, u32>,
    all_voices: usize,
    free: FxHashMap<DefId, Vec<Arc<str>>>,
    locals: Vec<Arc<str>>,
}

impl Maker<'_> {
    /// Collects the names that the song defines; each may be defined once.
    fn names(&mut self) {
        let mut seen: FxHashMap<Arc<str>, Span> = FxHashMap::default();
        let ast = self.ast;
        for item in &ast.items {
            let name = match &item.kind {
                ItemKind::Equation { name, value } => {
                    self.equations.entry(name.name.clone()).or_insert((*value, name.span));
                    name
                }
                ItemKind::Param(param) if param.knob => {
                    self.knobs.insert(param.name.name.clone());
                    &param.name
                }
                _ => continue,
            };
            if let Some(&first) = seen.get(&name.name) {
                self.problems.add(duplicate(name, first));
            }
            seen.entry(name.name.clone()).or_insert(name.span);
        }
    }

    fn equations(&mut self) {
        let ast = self.ast;
        let mut defined = FxHashSet::default();
        for (i, item) in ast.items.iter().enumerate() {
            match &item.kind {
                ItemKind::Equation { name, value } if defined.insert(name.name.clone()) => {
                    let node = self.equation(name, *value);
                    self.graph.names.insert(name.name.clone(), node);
                }
                ItemKind::Param(param) if param.knob && defined.insert(param.name.name.clone()) => {
                    let node = self.node(&param.name.name.clone(), param.name.span, NodeKind::Knob(i));
                    self.graph.names.insert(param.name.name.clone(), node);
                    self.graph.knobs.insert(param.name.name.clone(), node);
                }
                _ => {}
            }
        }
        for name in defined {
            let mut pipe = Pipe::default();
            if let Some(&(expr, _)) = self.equations.get(&name) {
                self.read_pipe(expr, &mut pipe);
                self.graph.pipes.insert(name.clone(), pipe);
            }
            if let Some(target) = self.target(&name, 0) {
                self.graph.targets.insert(name, target);
            }
        }
        self.graph.out = self.graph.names.get("out").copied();
    }

    /// The node of an equation: the instance itself where the equation is nothing else.
    fn equation(&mut self, name: &Ident, value: ExprId) -> NodeId {
        self.find_calls(value, &Turns::new(), &name.name, true);
        if let Some(&node) = self.graph.calls.get(&(self.call_of(value), Turns::new())) {
            return node;
        }
        let kind = NodeKind::Glue { expr: value, turns: Turns::new() };
        let path =
            if self.paths.contains(&name.name) { format!("{name}.mix").into() } else { name.name.clone() };
        let node = self.node(&path, name.span, kind);
        for part in cut::parts(self.ast, value, &mut Weights::new(self.files, self.song)) {
            let kind = NodeKind::Glue { expr: part, turns: Turns::new() };
            let id = self.node(&format!("{path}.part"), self.ast.span(part), kind);
            self.need_all(id, part, &Turns::new());
            self.graph.parts.insert(part, id);
        }
        self.need_all(node, value, &Turns::new());
        node
    }

    /// The expression that a call of an instrument or effect is known by: for a pipe, its right side.
    fn call_of(&self, expr: ExprId) -> ExprId {
        match self.ast.exprs[expr] {
            Expr::Paren(inner) => self.call_of(inner),
            Expr::Pipe { right, .. } => right,
            _ => expr,
        }
    }

    fn node(&mut self, path: &str, span: Span, kind: NodeKind) -> NodeId {
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

    /// The definition that a call means, if it is an instrument or effect.
    fn instance_def(&self, callee: &Ident) -> Option<(DefId, DefinitionKind)> {
        let def = self.files.find(self.song, &callee.name)?;
        let kind = self.files.definition(def).kind;
        (kind != DefinitionKind::Def).then_some((def, kind))
    }

    /// Makes a node of every call of an instrument or effect in an expression. `whole` says that the expression is
    /// the equation's whole value, so that the leftmost instrument is known by the equation's name.
    fn find_calls(&mut self, expr: ExprId, turns: &Turns, path: &str, whole: bool) {
        if self.graph.nodes.len() > self.files.limits.nodes {
            return;
        }
        stacker::maybe_grow(64 << 10, 1 << 20, || self.find_calls_in(expr, turns, path, whole));
    }

    fn find_calls_in(&mut self, expr: ExprId, turns: &Turns, path: &str, whole: bool) {
        let ast = self.ast;
        match &ast.exprs[expr] {
            Expr::Call { callee, args } => {
                if let Some((def, kind)) = self.instance_def(callee) {
                    self.instance(&Call { expr, def, kind, callee, args, left: None }, turns, path, whole);
                } else {
                    args.iter().for_each(|a| self.find_calls(a.value, turns, path, false));
                }
            }
            Expr::Pipe { left, right } => self.pipe(*left, *right, turns, path, whole),
            Expr::Sum { index, from, to, body, .. } => self.sum(index, *from, *to, body, turns, path),
            Expr::Chain { .. } => {}
            Expr::Field { of, .. } => self.find_calls(*of, turns, path, whole),
            Expr::Paren(x) => self.find_calls(*x, turns, path, whole),
            other => operands(other).into_iter().for_each(|x| self.find_calls(x, turns, path, false)),
        }
    }

    fn pipe(&mut self, left: ExprId, right: ExprId, turns: &Turns, path: &str, whole: bool) {
        let ast = self.ast;
        let mut base = right;
        while let Expr::Field { of, .. } = ast.exprs[base] {
            base = of;
        }
        let (callee, args): (&Ident, &[Arg]) = match &ast.exprs[base] {
            Expr::Name(name) => (name, &[]),
            Expr::Call { callee, args } => (callee, args),
            _ => return,
        };
        self.find_calls(left, turns, path, whole);
        match self.instance_def(callee) {
            Some((def, kind)) => {
                let call = Call { expr: base, def, kind, callee, args, left: Some(left) };
                self.instance(&call, turns, path, whole);
            }
            None => args.iter().for_each(|a| self.find_calls(a.value, turns, path, false)),
        }
    }

    /// Unrolls a `sum` that calls instruments or effects, so that each turn has its own.
    fn sum(&mut self, index: &Ident, from: ExprId, to: ExprId, body: &Body, turns: &Turns, path: &str) {
        if !self.calls_instances(body) {
            return;
        }
        let bound = |expr| constants::whole(self.files, self.song, expr, turns);
        let (Some(from), Some(to)) = (bound(from), bound(to)) else { return };
        if to.saturating_sub(from) >= self.files.limits.turns as i64 {
            return; // Lowering says so.
        }
        for i in from..=to {
            let mut turns = turns.clone();
            turns.push((index.name.clone(), i));
            match body {
                Body::Expr(expr) => self.find_calls(*expr, &turns, path, false),
                Body::Items(items) => {
                    for item in items {
                        if let ItemKind::Equation { value, .. } = item.kind {
                            self.find_calls(value, &turns, path, false);
                        }
                    }
                }
            }
        }
    }

    fn calls_instances(&self, body: &Body) -> bool {
        body_exprs(body).into_iter().any(|e| self.has_instance(e))
    }

    fn has_instance(&self, expr: ExprId) -> bool {
        let expr = &self.ast.exprs[expr];
        let called = match expr {
            Expr::Call { callee, .. } | Expr::Name(callee) => self.instance_def(callee).is_some(),
            _ => false,
        };
        called || operands(expr).into_iter().any(|x| self.has_instance(x))
    }

    fn instance(&mut self, call: &Call, turns: &Turns, path: &str, whole: bool) {
        let &Call { expr, def, kind, callee, args, left } = call;
        if self.graph.calls.contains_key(&(expr, turns.clone())) {
            return; // What flows into a call is looked through before the call, and again as what is given to it.
        }
        let leads = whole && (kind == DefinitionKind::Instrument || !self.paths.contains(path));
        let own: Arc<str> = if leads { path.into() } else { format!("{path}.{callee}").into() };
        let info = self.library.info(self.files, def);
        let formals: Vec<&str> = info.params.iter().map(|p| &*p.name).collect();
        let more: Vec<&str> = match kind {
            DefinitionKind::Instrument => vec!["voices"],
            _ => std::iter::once("in").chain(info.inputs.iter().map(|i| &**i)).collect(),
        };
        let more: Vec<&str> = more.into_iter().chain(info.broken.iter().map(|b| &**b)).collect();
        let bound = call::bind(self.ast, (callee, args), &formals, &more, self.problems);
        let expected: Vec<_> = info.params.iter().map(|p| Some(p.dimension)).collect();
        let comma = call::number_comma(self.ast, args, &expected);
        comma.into_iter().for_each(|problem| self.problems.add(problem));
        let voices = bound.more.first().filter(|_| kind == DefinitionKind::Instrument);
        let voices = voices.copied().flatten().map_or(1, |e| self.voices(e, turns));
        let kind_of = |args, inputs, input| {
            NodeKind::Instance(Instance { def, callee: callee.clone(), input, args, inputs, voices })
        };
        let placeholder = kind_of(vec![], vec![], None);
        let node = self.node(&own, callee.span, placeholder);
        self.graph.calls.insert((expr, turns.clone()), node);
        let own = self.graph.nodes[node].path.clone();
        let given = |maker: &mut Self, name: &str, expr: Option<ExprId>| {
            expr.map(|e| maker.given(node, &format!("{own}.{name}"), e, turns))
        };
        let (first, others) = match kind {
            DefinitionKind::Instrument => (None, &[][..]),
            _ => (bound.more[0], &bound.more[1..]),
        };
        let input = given(self, "in", left.or(first));
        let args = formals.iter().zip(bound.args).map(|(name, e)| given(self, name, e)).collect();
        let inputs = info.inputs.iter().zip(others).map(|(name, e)| given(self, name, *e)).collect();
        match (kind, left) {
            (DefinitionKind::Instrument, Some(left)) => {
                let message = format!("`{callee}` is an instrument: no signal flows into it");
                let problem = Problem::new(&codes::NO_INPUT, self.ast.span(left), message);
                self.problems.add(problem.help(format!(
                    "an instrument stands at the left end of a pipe: `{callee}() |> …`; its parameters take signals"
                )));
            }
            (DefinitionKind::Effect, None) if input.is_none() => {
                let message = format!("`{callee}` is an effect, and nothing flows into it");
                let problem = Problem::new(&codes::NO_INPUT, callee.span, message);
                self.problems.add(problem.help(format!("put its input before it: `x |> {callee}(…)`")));
            }
            _ => {}
        }
        self.graph.nodes[node].kind = kind_of(args, inputs, input);
    }

    /// What is given to an instance: a number, an instance itself, or an expression that becomes a node of its own.
    fn given(&mut self, to: NodeId, path: &str, expr: ExprId, turns: &Turns) -> Given {
        if matches!(self.ast.exprs[expr], Expr::Number(_)) {
            return Given::Number(expr);
        }
        self.find_calls(expr, turns, path, false);
        if let Some(&node) = self.graph.calls.get(&(self.call_of(expr), turns.clone())) {
            self.needs.push((to, Need::Node(node)));
            return Given::Node(node);
        }
        let node = self.node(path, self.ast.span(expr), NodeKind::Glue { expr, turns: turns.clone() });
        self.need_all(node, expr, turns);
        self.needs.push((to, Need::Node(node)));
        Given::Node(node)
    }

    fn voices(&mut self, expr: ExprId, turns: &Turns) -> u32 {
        let span = self.ast.span(expr);
        match constants::whole(self.files, self.song, expr, turns) {
            Some(n) if (1..=self.files.limits.voices as i64).contains(&n) => self.more_voices(n as u32, span),
            Some(n) => {
                let message =
                    format!("{n} voices: there can be 1 to {}, the limit `voices`", self.files.limits.voices);
                self.problems.add(Problem::new(&codes::TOO_LARGE, span, message));
                1
            }
            None => {
                let message = "the number of voices must be a whole number known before the song starts";
                self.problems.add(Problem::new(&codes::NOT_CONSTANT, span, message));
                1
            }
        }
    }

    /// So many voices, if there may be as many in the song.
    fn more_voices(&mut self, n: u32, span: Span) -> u32 {
        let most = self.files.limits.all_voices;
        self.all_voices += n as usize;
        if self.all_voices <= most {
            return n;
        }
        if self.all_voices - n as usize <= most {
            let message = format!("the instruments have more than {most} voices, the limit `all_voices`");
            self.problems
                .add(Problem::new(&codes::TOO_LARGE, span, message).help("give them fewer `voices:`"));
        }
        1
    }

    /// Records everything that an expression needs.
    fn need_all(&mut self, node: NodeId, expr: ExprId, turns: &Turns) {
        let mut needs = vec![];
        self.collect(expr, turns, &mut needs);
        let mut seen = FxHashSet::default();
        needs.retain(|n: &Need| seen.insert(n.clone()));
        self.needs.extend(needs.into_iter().map(|n| (node, n)));
    }

    fn collect(&mut self, expr: ExprId, turns: &Turns, needs: &mut Vec<Need>) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.collect_in(expr, turns, needs));
    }

    fn collect_in(&mut self, expr: ExprId, turns: &Turns, needs: &mut Vec<Need>) {
        let ast = self.ast;
        let part = || self.graph.parts.get(&expr).filter(|_| turns.is_empty());
        if let Some(&node) = self.graph.calls.get(&(expr, turns.clone())).or_else(part) {
            needs.push(Need::Node(node));
            return;
        }
        match &ast.exprs[expr] {
            Expr::Name(name) => self.need_name(&name.name, needs),
            Expr::Field { of, field } if is_event(&field.name) && self.names_target(*of) => {}
            Expr::Call { callee, args } => {
                self.need_definition(&callee.name, needs);
                args.iter().for_each(|a| self.collect(a.value, turns, needs));
            }
            Expr::Pipe { left, right } => {
                let mut base = *right;
                while let Expr::Field { of, .. } = ast.exprs[base] {
                    base = of;
                }
                let callee = match &ast.exprs[base] {
                    Expr::Name(name) if !self.graph.calls.contains_key(&(base, turns.clone())) => {
                        self.need_definition(&name.name, needs);
                        None
                    }
                    _ => Some(base),
                };
                // What flows into an instance is the instance's own need.
                if !self.graph.calls.contains_key(&(base, turns.clone())) {
                    self.collect(*left, turns, needs);
                }
                callee.into_iter().for_each(|e| self.collect(e, turns, needs));
            }
            Expr::Sum { index, from, to, body } => {
                self.turns_of(index, &[*from, *to], body, turns, needs);
            }
            Expr::Chain { value, start, index, from, to, body } => {
                self.locals.push(value.name.clone());
                self.turns_of(index, &[*start, *from, *to], body, turns, needs);
                self.locals.pop();
            }
            other => operands(other).into_iter().for_each(|x| self.collect(x, turns, needs)),
        }
    }

    fn turns_of(
        &mut self,
        index: &Ident,
        bounds: &[ExprId],
        body: &Body,
        turns: &Turns,
        needs: &mut Vec<Need>,
    ) {
        bounds.iter().for_each(|&e| self.collect(e, turns, needs));
        let depth = self.locals.len();
        self.locals.push(index.name.clone());
        if let Body::Items(items) = body {
            for item in items {
                if let ItemKind::Equation { name, .. } = &item.kind {
                    self.locals.push(name.name.clone());
                }
            }
        }
        let exprs = body_exprs(body);
        let mut unrolled: Vec<Turns> = if self.calls_instances(body) {
            let next = turns.len();
            let of = |t: &Turns| t.len() > next && t[..next] == turns[..] && t[next].0 == index.name;
            self.graph.calls.keys().map(|(_, t)| t).filter(|t| of(t)).map(|t| t[..=next].to_vec()).collect()
        } else {
            vec![]
        };
        unrolled.sort();
        unrolled.dedup();
        unrolled.push(turns.clone());
        for turns in unrolled {
            exprs.iter().for_each(|&e| self.collect(e, &turns, needs));
        }
        self.locals.truncate(depth);
    }

    fn need_name(&mut self, name: &Arc<str>, needs: &mut Vec<Need>) {
        let known = self.equations.contains_key(name) || self.knobs.contains(name);
        if !self.locals.contains(name) && known {
            needs.push(Need::Name(name.clone()));
        }
    }

    /// A definition of the song may name the song's own signals: they are needed wherever it is called.
    fn need_definition(&mut self, name: &str, needs: &mut Vec<Need>) {
        let Some(def) = self.files.find(self.song, name) else { return };
        self.free_names(def).into_iter().for_each(|n| needs.push(Need::Name(n)));
    }

    fn free_names(&mut self, def: DefId) -> Vec<Arc<str>> {
        if def.file != self.song {
            return vec![];
        }
        if let Some(names) = self.free.get(&def) {
            return names.clone();
        }
        self.free.insert(def, vec![]); // A definition that uses itself ends here.
        let definition = self.files.definition(def);
        let mut own: FxHashSet<Arc<str>> = definition.formals.iter().map(|f| f.name.name.clone()).collect();
        let mut exprs = body_exprs(&definition.body);
        exprs.extend(definition.formals.iter().filter_map(|f| f.default));
        if let Body::Items(items) = &definition.body {
            own.extend(items.iter().filter_map(|i| match &i.kind {
                ItemKind::Equation { name, .. } | ItemKind::Input(name) => Some(name.name.clone()),
                ItemKind::Param(p) => Some(p.name.name.clone()),
                _ => None,
            }));
        }
        let before = std::mem::replace(&mut self.locals, own.into_iter().collect());
        let mut needs = vec![];
        exprs.into_iter().for_each(|e| self.collect(e, &Turns::new(), &mut needs));
        self.locals = before;
        let mut names: Vec<Arc<str>> = needs
            .into_iter()
            .filter_map(|n| match n {
                Need::Name(name) => Some(name),
                Need::Node(_) => None,
            })
            .collect();
        names.sort();
        names.dedup();
        self.free.insert(def, names.clone());
        names
    }

    fn wires(&mut self) {
        for (node, def) in self.instance_defs() {
            for name in self.free_names(def) {
                self.needs.push((node, Need::Name(name)));
            }
        }
        for (to, need) in std::mem::take(&mut self.needs) {
            let from = match need {
                Need::Node(node) => Some(node),
                Need::Name(name) => self.graph.names.get(&name).copied(),
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
        let node = |expr: ExprId| self.graph.calls.get(&(expr, Turns::new())).copied();
        match &self.ast.exprs[at] {
            Expr::Name(name) if self.equations.contains_key(&name.name) => {
                pipe.from = Some(name.name.clone())
            }
            Expr::Call { callee, .. } => match self.instance_def(callee) {
                Some((_, DefinitionKind::Instrument)) => pipe.instrument = node(at),
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
    fn target(&self, name: &str, depth: usize) -> Option<NodeId> {
        let &(expr, _) = self.equations.get(name)?;
        self.target_of(expr, depth)
    }

    fn target_of(&self, expr: ExprId, depth: usize) -> Option<NodeId> {
        match &self.ast.exprs[expr] {
            Expr::Paren(x) => self.target_of(*x, depth),
            Expr::Pipe { left, .. } => self.target_of(*left, depth),
            Expr::Name(name) if depth < 32 => self.target(&name.name, depth + 1),
            Expr::Call { callee, .. } => {
                let (_, kind) = self.instance_def(callee)?;
                let node = self.graph.calls.get(&(expr, Turns::new())).copied();
                node.filter(|_| kind == DefinitionKind::Instrument)
            }
            _ => None,
        }
    }

    fn names_target(&self, expr: ExprId) -> bool {
        matches!(&self.ast.exprs[expr], Expr::Name(n) if self.equations.contains_key(&n.name))
    }
}
