//! The arguments of a call, brought into the order of a definition.

use crate::codes;
use mam_grammar::ast::{Arg, ExprId, Ident};
use mam_grammar::foreign::{self, Role};
use mam_grammar::{Problem, Problems, Span};

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
        let at = |list: &[&str]| list.iter().position(|f| *f == &*name.name);
        let place = match (at(formals), at(more)) {
            (Some(i), _) => &mut bound.args[i],
            (None, Some(i)) => &mut bound.more[i],
            (None, None) => {
                problems.add(unknown(callee, name, formals, more));
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

fn unknown(callee: &Ident, name: &Ident, formals: &[&str], more: &[&str]) -> Problem {
    let known: Vec<&str> = formals.iter().chain(more).copied().collect();
    let message = format!("`{callee}` has no argument `{name}`");
    let problem = Problem::new(&codes::UNKNOWN_ARGUMENT, name.span, message);
    let near = mam_grammar::problem::nearest(&name.name, &known);
    if let Some(row) = foreign::find(Role::Argument, &name.name).filter(|_| near.is_none()) {
        if let Some(meant) = row.word.split(' ').find(|word| known.contains(word)) {
            let list = format!("arguments of {callee}: {}", known.join(", "));
            return problem.here(format!("mam's word is `{meant}`")).help(list).guess(name.span, meant);
        }
        if !row.note.is_empty() {
            return problem.help(format!("{}: `{}`", row.note, row.example));
        }
    }
    problem.nearest(&name.name, &format!("arguments of {callee}"), &known)
}

/// The problem of an argument that is missing.
pub fn missing(callee: &Ident, formal: &str, formals: &[&str], at: Span) -> Problem {
    Problem::new(&codes::MISSING_ARGUMENT, at, format!("`{callee}` needs `{formal}`"))
        .help(format!("its arguments: {callee}({})", formals.join(", ")))
}
