//! Kits: equations under one name.

use super::copy::copy;
use super::lines::targets;
use super::{Reference, Seen};
use crate::codes;
use crate::graph::operands;
use crate::hir::builtins::CHOKED;
use crate::hir::resolve::{CHOKE, CHOKE_TIME};
use mam_grammar::ast::{Arg, Ast, BinaryOp, Expr, ExprId, Ident, Item, ItemKind, Number, equations};
use mam_grammar::{Limits, Problem, Problems, Span};
use mam_runtime::sort::Sort;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A kit that a song calls.
struct Kit<'a> {
    ast: &'a Ast,
    name: &'a Ident,
    items: &'a [Item],
}

/// Whose notes end those of a part.
struct Choking<'a> {
    others: Vec<&'a Ident>,
    /// The time constant with which they fade.
    over: Option<ExprId>,
}

impl<'a> Kit<'a> {
    /// The equations, which are its parts, but for `out`.
    fn parts(&self) -> impl Iterator<Item = (&'a Ident, ExprId)> + use<'a> {
        equations(self.items).filter(|(name, _)| &*name.name != "out")
    }

    /// What is named in it: itself, its parts, and where these are written.
    fn references(&self) -> Vec<Reference> {
        let parts: FxHashMap<&str, Span> = self.parts().map(|(part, _)| (&*part.name, part.span)).collect();
        let named = |name: &Ident| Some(Reference { at: name.span, to: *parts.get(&*name.name)? });
        let mut all = vec![Reference { at: self.name.span, to: self.name.span }];
        all.extend(self.parts().map(|(part, _)| Reference { at: part.span, to: part.span }));
        let chokes = self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Choke { parts, .. } => Some(parts),
            _ => None,
        });
        all.extend(chokes.flatten().filter_map(named));
        let mut open: Vec<ExprId> = equations(self.items).map(|(_, value)| value).collect();
        while let Some(expr) = open.pop() {
            match &self.ast.exprs[expr] {
                Expr::Name(name) => all.extend(named(name)),
                other => open.extend(operands(other)),
            }
        }
        all
    }

    /// The parts whose notes end those of a part, and how fast where that is said.
    fn choking(&self, part: &str) -> Choking<'a> {
        let mut choking = Choking { others: vec![], over: None };
        for item in self.items {
            let ItemKind::Choke { parts, over } = &item.kind else { continue };
            if parts.iter().any(|name| &*name.name == part) {
                let others = parts.iter().filter(|name| &*name.name != part);
                choking
                    .others
                    .extend(others.filter(|name| !choking.others.contains(name)).collect::<Vec<_>>());
                choking.over = choking.over.or(*over);
            }
        }
        choking
    }
}

/// A call of a kit that was written out.
struct Called {
    /// Where its name stands; nowhere for the second kit of an equation and later ones, which no text can name.
    name: Option<Span>,
    /// Its parts, each with its place in the kit.
    parts: Vec<(Arc<str>, Span)>,
}

/// Writes out the kits that a song calls. Returns what is written of kits, and what it means.
pub(super) fn expand(
    ast: &mut Ast,
    seen: &[Seen],
    limits: &Limits,
    problems: &mut Problems,
) -> Vec<Reference> {
    let mut prefixes: FxHashMap<Arc<str>, Called> = FxHashMap::default();
    let mut references: Vec<Reference> =
        seen.iter().flat_map(Seen::kits).flat_map(|kit| kit.references()).collect();
    let mut at = 0;
    while at < ast.items.len() {
        if ast.items.len() > limits.nodes {
            let message = format!("kits become more than {} equations, the limit `nodes`", limits.nodes);
            let help = "a kit may call others, but not itself";
            problems.add(Problem::new(&codes::TOO_LARGE, ast.items[at].span, message).help(help));
            break;
        }
        if let ItemKind::Equation { name, value } = ast.items[at].kind.clone() {
            for (count, call) in calls(ast, seen, value).into_iter().enumerate() {
                let prefix: Arc<str> =
                    if count == 0 { name.name.clone() } else { format!("{name}{}", count + 1).into() };
                let Expr::Call { callee, args } = ast.exprs[call].clone() else { continue };
                let Some(kit) = find(seen, &callee.name) else { continue };
                references.push(Reference { at: callee.span, to: kit.name.span });
                references.extend(args.iter().filter_map(|arg| part_of_argument(&kit, arg)));
                write_out(ast, &kit, (&prefix, call, &callee, &args), problems);
                let parts = kit.parts().map(|(part, _)| (part.name.clone(), part.span)).collect();
                prefixes.insert(prefix, Called { name: (count == 0).then_some(name.span), parts });
            }
        }
        at += 1;
    }
    seen.iter().take(1).flat_map(Seen::kits).for_each(|kit| check(&kit, problems));
    if !prefixes.is_empty() {
        joined(ast, &prefixes, &mut references);
    }
    // The parts that are files have no name in a text.
    let folders: Vec<Span> = seen.iter().flat_map(Seen::folders).collect();
    references.retain(|reference| !folders.contains(&reference.to));
    references
}

impl Seen {
    /// Where the paths of kits stand that are folders.
    fn folders(&self) -> impl Iterator<Item = Span> {
        self.ast.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Kit { folder: Some(folder), .. } => Some(folder.span),
            _ => None,
        })
    }

    fn kits(&self) -> impl Iterator<Item = Kit<'_>> {
        self.ast.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Kit { name, items, .. } => Some(Kit { ast: &self.ast, name, items }),
            _ => None,
        })
    }
}

/// The part that an argument of a kit's call begins with: `bd` of `bd.gain: 0.5`.
fn part_of_argument(kit: &Kit, arg: &Arg) -> Option<Reference> {
    let name = arg.name.as_ref()?;
    let (part, _) = name.name.split_once('.')?;
    let (own, _) = kit.parts().find(|(own, _)| &*own.name == part)?;
    let end = name.span.start + part.len() as u32;
    Some(Reference { at: Span { end, ..name.span }, to: own.span })
}

fn find<'a>(seen: &'a [Seen], name: &str) -> Option<Kit<'a>> {
    // A definition of an earlier file is meant before a kit of a later one.
    seen.iter().find_map(|file| match (file.kit(name), file.definition(name)) {
        (Some((name, items)), None) => Some(Some(Kit { ast: &file.ast, name, items })),
        (None, None) => None,
        _ => Some(None),
    })?
}

/// The calls of kits in an expression.
fn calls(ast: &Ast, seen: &[Seen], expr: ExprId) -> Vec<ExprId> {
    let (mut open, mut found) = (vec![expr], vec![]);
    while let Some(expr) = open.pop() {
        match &ast.exprs[expr] {
            Expr::Call { callee, .. } if find(seen, &callee.name).is_some() => found.push(expr),
            other => open.extend(operands(other)),
        }
    }
    found.put_in_order();
    found
}

/// What is wrong with a kit, called or not.
fn check(kit: &Kit, problems: &mut Problems) {
    let name = kit.name;
    let is_folder =
        kit.ast.items.iter().any(
            |item| matches!(&item.kind, ItemKind::Kit { name: own, folder: Some(_), .. } if own == name),
        );
    // What is wrong with a folder has been reported.
    if kit.parts().next().is_none() && !is_folder {
        let message = format!("the kit `{name}` has no parts");
        let help = format!("write `kit {name} {{ bd = kick() }}`");
        problems.add(Problem::new(&codes::NO_OUT, name.span, message).help(help));
    }
    let mut first: FxHashMap<&str, Span> = FxHashMap::default();
    for (part, _) in equations(kit.items) {
        if let Some(&before) = first.get(&*part.name) {
            problems.add(crate::graph::duplicate(part, before));
        }
        first.entry(&part.name).or_insert(part.span);
    }
    let known: Vec<&str> = kit.parts().map(|(part, _)| &*part.name).collect();
    for item in kit.items {
        let ItemKind::Choke { parts, .. } = &item.kind else { continue };
        for name in parts.iter().filter(|name| !known.contains(&&*name.name)) {
            problems.add(no_part(name.span, &name.name, &known));
        }
    }
}

fn no_part(span: Span, name: &str, known: &[&str]) -> Problem {
    let message = format!("this kit has no part `{name}`");
    let problem = Problem::new(&codes::UNKNOWN_NAME, span, message);
    problem.nearest(name, "parts", known)
}

/// Puts the equations of a kit behind those of the song, and its value in the place of the call.
fn write_out(
    ast: &mut Ast,
    kit: &Kit,
    (prefix, call, callee, args): (&Arc<str>, ExprId, &Ident, &[Arg]),
    problems: &mut Problems,
) {
    let own: FxHashMap<&str, Arc<str>> =
        kit.parts().map(|(part, _)| (&*part.name, format!("{prefix}.{part}").into())).collect();
    let renamed = |name: &Ident| match own.get(&*name.name) {
        Some(long) => Ident { name: long.clone(), span: name.span },
        None => name.clone(),
    };
    let known: Vec<&str> = kit.parts().map(|(part, _)| &*part.name).collect();
    for arg in args {
        let named =
            arg.name.as_ref().and_then(|name| name.name.split_once('.').map(|(part, _)| (name, part)));
        match named {
            Some((_, part)) if known.contains(&part) => {}
            Some((name, part)) => problems.add(no_part(name.span, part, &known)),
            None => {
                let message = format!("`{callee}` is a kit, whose arguments are parameters of its parts");
                let help = format!(
                    "name the part and its parameter, such as `{}.gain: …`",
                    known.first().unwrap_or(&"bd")
                );
                problems.add(Problem::new(&codes::UNKNOWN_ARGUMENT, ast.span(arg.value), message).help(help));
            }
        }
    }
    let span = ast.span(call);
    for (part, value) in kit.parts() {
        let mut value = copy(kit.ast, ast, value, &renamed);
        give(ast, value, &part.name, args);
        let Choking { others, over } = kit.choking(&part.name);
        if !others.is_empty() {
            let over = over.map(|over| copy(kit.ast, ast, over, &renamed));
            value = choke(ast, value, &renamed(part), others.into_iter().map(renamed).collect(), over);
        }
        let kind = ItemKind::Equation { name: renamed(part), value };
        ast.items.push(Item { doc: None, kind, span: part.span });
    }
    let value = match equations(kit.items).find(|(name, _)| &*name.name == "out") {
        Some((_, value)) => copy(kit.ast, ast, value, &renamed),
        None => sum(ast, kit.parts().map(|(part, _)| renamed(part)).collect(), span),
    };
    ast.exprs[call] = Expr::Paren(value);
}

/// What stands at the left end of a pipe.
fn left_end(ast: &Ast, value: ExprId) -> ExprId {
    let mut at = value;
    loop {
        match &ast.exprs[at] {
            Expr::Pipe { left, .. } => at = *left,
            Expr::Paren(x) | Expr::Field { of: x, .. } => at = *x,
            _ => return at,
        }
    }
}

/// Gives the instrument at the left end of a part what the kit's call says of it.
fn give(ast: &mut Ast, value: ExprId, part: &str, args: &[Arg]) {
    let call = left_end(ast, value);
    let given = args.iter().filter_map(|arg| {
        let name = arg.name.as_ref()?;
        let param = name.name.strip_prefix(part)?.strip_prefix('.')?;
        let start = name.span.end - param.len() as u32;
        Some(Arg { name: Some(Ident::new(param, Span { start, ..name.span })), value: arg.value })
    });
    let given: Vec<Arg> = given.collect();
    if let Expr::Call { args, .. } = &mut ast.exprs[call] {
        args.retain(|own| own.name.is_none() || !given.iter().any(|arg| arg.name == own.name));
        args.extend(given);
    }
}

/// Says to the instrument at the left end of a part whose notes end its own: `a.trig + b.trig`. A part that is another one
/// with effects is led through the prelude's `choked`.
fn choke(ast: &mut Ast, value: ExprId, own: &Ident, others: Vec<Ident>, over: Option<ExprId>) -> ExprId {
    let span = own.span;
    let trig = |ast: &mut Ast, name: Ident| {
        let of = ast.add(Expr::Name(name), span);
        ast.add(Expr::Field { of, field: Ident::new("trig", span) }, span)
    };
    let mut ending: Option<ExprId> = None;
    for other in others {
        let b = trig(ast, other);
        ending = Some(match ending {
            Some(a) => ast.add(Expr::Binary { op: BinaryOp::Add, a, b }, span),
            None => b,
        });
    }
    let named = |name: &str, value: ExprId| Arg { name: Some(Ident::new(name, span)), value };
    let call = left_end(ast, value);
    if let Expr::Call { args, .. } = &mut ast.exprs[call] {
        args.extend(ending.map(|value| named(CHOKE, value)));
        args.extend(over.map(|value| named(CHOKE_TIME, value)));
        return value;
    }
    let struck = trig(ast, own.clone());
    let by_place = std::iter::once(struck).chain(ending).map(|value| Arg { name: None, value });
    let args = by_place.chain(over.map(|value| named("time", value))).collect();
    let right = ast.add(Expr::Call { callee: Ident::new(CHOKED, span), args }, span);
    ast.add(Expr::Pipe { left: value, right }, span)
}

fn sum(ast: &mut Ast, parts: Vec<Ident>, span: Span) -> ExprId {
    let mut total: Option<ExprId> = None;
    for part in parts {
        let b = ast.add(Expr::Name(part), span);
        total = Some(match total {
            Some(a) => ast.add(Expr::Binary { op: BinaryOp::Add, a, b }, span),
            None => b,
        });
    }
    // What is wrong with a kit without parts has been reported.
    total.unwrap_or_else(|| ast.add(Expr::Number(Number { digits: "0".into(), unit: None }), span))
}

/// Has `dr.bd` mean the part of a kit, in equations and in lines.
fn joined(ast: &mut Ast, prefixes: &FxHashMap<Arc<str>, Called>, references: &mut Vec<Reference>) {
    let mut part = |prefix: &Ident, part: &Ident| -> Option<Ident> {
        let kit = prefixes.get(&prefix.name)?;
        let (_, own) = kit.parts.iter().find(|(name, _)| *name == part.name)?;
        references.push(Reference { at: part.span, to: *own });
        references.extend(kit.name.map(|to| Reference { at: prefix.span, to }));
        Some(Ident::new(&format!("{prefix}.{part}"), prefix.span.to(part.span)))
    };
    for expr in ast.exprs.handles() {
        if let Expr::Field { of, field } = &ast.exprs[expr]
            && let Expr::Name(name) = &ast.exprs[*of]
            && let Some(name) = part(name, field)
        {
            ast.exprs[expr] = Expr::Name(name);
        }
    }
    targets(&mut ast.items, &mut |target| {
        while let [first, second, ..] = &target[..]
            && let Some(name) = part(first, second)
        {
            target.splice(..2, [name]);
        }
    });
}
