//! The arguments of a call, brought into the order of a definition.

use crate::codes;
use crate::dimension::Dimension;
use mam_grammar::ast::{Arg, Ast, Expr, ExprId, Ident, Number, Unit};
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

/// Binds `args`, which stand in `ast`, to `formals`, by place and by name, and to `more`, by name alone.
pub fn bind(
    ast: &Ast,
    (callee, args): (&Ident, &[Arg]),
    formals: &[&str],
    more: &[&str],
    problems: &mut Problems,
) -> Bound {
    let mut bound = Bound { args: vec![None; formals.len()], more: vec![None; more.len()] };
    let named = args.iter().position(|arg| arg.name.is_some()).unwrap_or(args.len());
    let by_place = args[..named].iter();
    let late = (named..args.len()).find(|&i| args[i].name.is_none());
    let halves = |late: &usize| numbers_around_comma(ast, args[late - 1].value, args[*late].value).is_some();
    // Of a number with a comma in it neither half was meant.
    let half = late.filter(halves).map(|late| late - 1);
    if let Some(late) = late {
        problems.add(out_of_order(ast, callee, &args[late - 1], &args[late], formals));
    }
    for (index, arg) in by_place.enumerate() {
        match bound.args.get_mut(index) {
            Some(place) => *place = Some(arg.value),
            None if index == formals.len() => problems.add(too_many(callee, args, formals)),
            None => {}
        }
    }
    for (index, arg) in args.iter().enumerate() {
        let Some(name) = arg.name.as_ref().filter(|_| half != Some(index)) else { continue };
        let place = match formals.iter().chain(more).position(|formal| **formal == *name.name) {
            Some(i) if i < formals.len() => &mut bound.args[i],
            Some(i) => &mut bound.more[i - formals.len()],
            None => {
                let written = || formals.iter().chain(more).copied().filter(|name| !is_hidden(name));
                let problem = match problems.may_suggest() {
                    _ if is_hidden(&name.name) => no_notes(callee, name),
                    true => suggested(callee, name, &written().collect::<Vec<_>>()),
                    false => unknown(callee, name),
                };
                problems.add(problem);
                continue;
            }
        };
        if place.is_some() {
            let message = format!("`{callee}` is given `{name}` twice");
            let problem = Problem::new(&codes::DUPLICATE_ARGUMENT, name.span, message);
            let order = in_order(callee, formals).map_or(String::new(), |order| format!("; {order}"));
            problems.add(problem.help(format!("leave one out{order}")));
        }
        *place = Some(arg.value);
    }
    bound
}

/// Whether an argument is given by what is written out of a kit alone: no name that is written begins so.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// A part of a kit that is choked, and is not an instrument.
fn no_notes(callee: &Ident, name: &Ident) -> Problem {
    let message = format!("`{callee}` is not an instrument: it has no notes that another part could end");
    Problem::new(&codes::UNKNOWN_ARGUMENT, name.span, message).help("take it out of the `choke`")
}

/// A value without a name after a named one.
fn out_of_order(ast: &Ast, callee: &Ident, before: &Arg, late: &Arg, formals: &[&str]) -> Problem {
    if let Some((digits, rest)) = numbers_around_comma(ast, before.value, late.value) {
        let name = before.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        let help = format!("the decimal sign is a point: write `{name}{digits}.{rest}`");
        let span = ast.span(before.value).to(ast.span(late.value));
        return Problem::new(&codes::NUMBER_COMMA, span, "a comma stands within this number")
            .help(help)
            .fix(span, format!("{digits}.{rest}"));
    }
    let span = ast.span(late.value);
    let message = format!("a value without a name follows one with a name in the call of `{callee}`");
    Problem::new(&codes::ARGUMENT_ORDER, span, message).help(match in_order(callee, formals) {
        Some(order) => format!("give this one by name as well, or the ones before it without; {order}"),
        None => format!("give this one by name as well: `{callee}` takes none by its place"),
    })
}

/// Which arguments can be given by their place, if any can.
fn in_order(callee: &Ident, formals: &[&str]) -> Option<String> {
    (!formals.is_empty()).then(|| format!("the order is {callee}({})", formals.join(", ")))
}

/// The digits of two numbers with nothing but a comma between them, the first without a unit; the second with its own.
/// The first may have points between its thousands.
fn numbers_around_comma(ast: &Ast, a: ExprId, b: ExprId) -> Option<(String, String)> {
    let (Expr::Number(first), Expr::Number(second)) = (&ast.exprs[a], &ast.exprs[b]) else { return None };
    let adjacent = ast.span(a).end + 1 == ast.span(b).start;
    let groups = first.digits.split('.').skip(1).all(|group| group.len() == 3);
    let whole = groups && !second.digits.starts_with('-');
    (adjacent && whole && first.unit.is_none()).then(|| {
        (first.digits.replace('.', ""), format!("{}{}", second.digits, second.unit.map_or("", Unit::text)))
    })
}

/// A number with a comma in it among the arguments by place, `sine(1,000Hz)`. `expected` says what each formal measures.
pub fn number_comma(ast: &Ast, args: &[Arg], expected: &[Option<Dimension>]) -> Option<Problem> {
    let by_place = args.iter().take_while(|arg| arg.name.is_none()).count();
    for i in 1..by_place {
        let (a, b) = (args[i - 1].value, args[i].value);
        let Some((digits, rest)) = numbers_around_comma(ast, a, b) else { continue };
        let grouped = ast.span(a).range().len() > digits.len();
        let thousands = !grouped && rest.trim_end_matches(|c: char| !c.is_ascii_digit()).len() == 3;
        let measures = match &ast.exprs[b] {
            Expr::Number(Number { unit: Some(unit), .. }) => Some(Dimension::from_unit(*unit)),
            _ => None,
        };
        let wanted = |i: usize| expected.get(i).copied().flatten();
        let one_number = measures
            .is_some_and(|d| d != Dimension::PLAIN && wanted(i - 1) == measures && wanted(i) != measures);
        if !(one_number || (thousands && rest.starts_with('0'))) {
            continue;
        }
        let (number, why) = match thousands {
            true => (format!("{digits}{rest}"), "numbers have no separators"),
            false => (format!("{digits}.{rest}"), "the decimal sign is a point"),
        };
        let span = ast.span(a).to(ast.span(b));
        return Some(
            Problem::new(&codes::NUMBER_COMMA, span, "a comma stands within this number")
                .help(format!("{why}: write `{number}`"))
                .fix(span, number),
        );
    }
    None
}

fn too_many(callee: &Ident, args: &[Arg], formals: &[&str]) -> Problem {
    let given = args.iter().take_while(|a| a.name.is_none()).count();
    let takes = match formals.len() {
        0 => "no arguments".to_string(),
        n => mam_grammar::problem::count(n, "argument"),
    };
    Problem::new(
        &codes::TOO_MANY_ARGUMENTS,
        callee.span,
        format!("`{callee}` takes {takes}, but is given {given}"),
    )
    .help(match formals {
        [] => format!("leave them out: `{callee}()`"),
        _ => format!("its arguments: {callee}({})", formals.join(", ")),
    })
}

fn unknown(callee: &Ident, name: &Ident) -> Problem {
    Problem::new(&codes::UNKNOWN_ARGUMENT, name.span, format!("`{callee}` has no argument `{name}`"))
}

/// The problem of an argument that does not exist, with what was probably meant by it.
fn suggested(callee: &Ident, name: &Ident, known: &[&str]) -> Problem {
    let problem = unknown(callee, name);
    let near = || mam_grammar::problem::nearest(&name.name, known);
    if let Some(row) = foreign::find(Role::Argument, &name.name).filter(|_| near().is_none()) {
        if let Some(meant) = row.word.split(' ').find(|word| known.contains(word)) {
            let list = format!("arguments of {callee}: {}", known.join(", "));
            return problem.here(format!("mam's word is `{meant}`")).help(list).guess(name.span, meant);
        }
        if !row.note.is_empty() {
            return problem.help(format!("{}: `{}`", row.note, row.example));
        }
    }
    problem.nearest(&name.name, &format!("arguments of {callee}"), known)
}

/// The problem of an argument that is missing.
pub fn missing_argument(callee: &Ident, formal: &str, formals: &[&str], at: Span) -> Problem {
    Problem::new(&codes::MISSING_ARGUMENT, at, format!("`{callee}` needs `{formal}`"))
        .help(format!("its arguments: {callee}({})", formals.join(", ")))
}
