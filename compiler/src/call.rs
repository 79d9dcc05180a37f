//! The arguments of a call, brought into the order of a definition.

use crate::codes;
use mam_grammar::ast::{Arg, ExprId, Ident};
use mam_grammar::{Problem, Problems, Span};
use rustc_hash::FxHashMap;

/// The arguments of a call.
#[derive(Debug, Default)]
pub struct Bound {
    /// What is given to each formal argument, in their order.
    pub args: Vec<Option<ExprId>>,
    /// What is given to each argument that can only be named, in their order.
    pub more: Vec<Option<ExprId>>,
}

/// Binds `args` to `formals`, by place and by name, and to `more`, by name alone.
pub fn bind(callee: &Ident, args: &[Arg], formals: &[&str], more: &[&str], problems: &mut Problems) -> Bound {
    let mut bound = Bound { args: vec![None; formals.len()], more: vec![None; more.len()] };
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    for (place, name) in formals.iter().chain(more).enumerate() {
        places.entry(name).or_insert(place);
    }
    let by_place = args.iter().filter(|arg| arg.name.is_none());
    for (index, arg) in by_place.enumerate() {
        match bound.args.get_mut(index) {
            Some(place) => *place = Some(arg.value),
            None if index == formals.len() => problems.add(too_many(callee, args, formals)),
            None => {}
        }
    }
    for arg in args {
        let Some(name) = &arg.name else { continue };
        let place = match places.get(&*name.name) {
            Some(&i) if i < formals.len() => &mut bound.args[i],
            Some(&i) => &mut bound.more[i - formals.len()],
            None => {
                let known = || formals.iter().chain(more).copied().collect();
                problems.suggest(unknown(callee, name), &name.name, &format!("arguments of {callee}"), known);
                continue;
            }
        };
        if place.is_some() {
            let message = format!("`{callee}` is given `{name}` twice");
            let problem = Problem::new(&codes::DUPLICATE_ARGUMENT, name.span, message);
            problems
                .add(problem.help(format!("leave one out; the order is {callee}({})", formals.join(", "))));
        }
        *place = Some(arg.value);
    }
    bound
}

fn too_many(callee: &Ident, args: &[Arg], formals: &[&str]) -> Problem {
    let given = args.iter().filter(|a| a.name.is_none()).count();
    let takes = match formals.len() {
        0 => "no arguments".to_string(),
        n => mam_grammar::problem::count(n, "argument"),
    };
    Problem::new(
        &codes::TOO_MANY_ARGUMENTS,
        callee.span,
        format!("`{callee}` takes {takes}, but is given {given}"),
    )
    .help(format!("its arguments: {callee}({})", formals.join(", ")))
}

fn unknown(callee: &Ident, name: &Ident) -> Problem {
    Problem::new(&codes::UNKNOWN_ARGUMENT, name.span, format!("`{callee}` has no argument `{name}`"))
}

/// The problem of an argument that is missing.
pub fn missing(callee: &Ident, formal: &str, formals: &[&str], at: Span) -> Problem {
    Problem::new(&codes::MISSING_ARGUMENT, at, format!("`{callee}` needs `{formal}`"))
        .help(format!("its arguments: {callee}({})", formals.join(", ")))
}
